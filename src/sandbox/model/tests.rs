//! One test per rule of the protocol, named after it.

use serde_json::json;

use super::*;

const NOW: Millis = Millis(1_770_000_000_000);
const WEB: &str = "web";
const DEVICE: Caller<'static> = Caller::with_all_scopes("tablet-b");

fn fresh() -> Model {
    Model::new(FirstSync::Positive, NOW)
}

/// A server on which the web wrote `mutations`.
fn with(mutations: &[Value]) -> Model {
    let mut model = fresh();
    model.other_device_writes(NOW, WEB, mutations).expect("the history is well formed");
    model
}

/// Pushes with the right head.
fn push(model: &mut Model, mutations: &[Value]) -> Result<Applied, Refusal> {
    model.post(NOW, DEVICE, model.head(), mutations)
}

fn pushed(model: &mut Model, mutations: &[Value]) -> Applied {
    push(model, mutations).expect("the server takes it")
}

/// Status and message of the refusal, after which nothing may have changed.
#[track_caller]
fn refused(model: &Model, mutations: &[Value]) -> (u16, String) {
    let mut tried = model.clone();
    let refusal = push(&mut tried, mutations).err().expect("the server refuses it");
    assert!(tried == *model, "a refused batch changed something");
    (refusal.reason.status(), refusal.text())
}

fn pull(model: &Model, since: Cursor) -> Vec<Value> {
    page(model, &Query { limit: 1000, ..Query::since(since) }).mutations
}

fn page(model: &Model, query: &Query) -> PageList {
    model.get(query, Scopes::ALL).expect("the query is right").list.expect("there is a list")
}

fn create(resource: &str, data: Value) -> Value {
    let mut mutation = json!({ "type": "CREATE", "resource": resource });
    mutation["data"] = data;
    mutation
}

fn create_as(resource: &str, id: &str, data: Value) -> Value {
    let mut mutation = create(resource, data);
    mutation["resourceId"] = id.into();
    mutation
}

fn update(resource: &str, id: &str, data: Value) -> Value {
    let mut mutation = create_as(resource, id, data);
    mutation["type"] = "UPDATE".into();
    mutation
}

fn delete(resource: &str, id: &str) -> Value {
    json!({ "type": "DELETE", "resource": resource, "resourceId": id })
}

fn note(body: &str) -> Value {
    json!({ "body": body, "ranges": ["2:255-2:255"] })
}

fn ayah(key: i64, verse: i64) -> Value {
    json!({ "type": "ayah", "key": key, "verseNumber": verse, "mushaf": 1 })
}

fn link(collection: &str, key: i64, verse: i64) -> Value {
    let mut data = ayah(key, verse);
    data["collectionId"] = collection.into();
    create("COLLECTION_BOOKMARK", data)
}

/// An account with a bookmark 18:10 in the collection `c1`, a note `n1` and a session `s1`.
fn furnished() -> Model {
    with(&[
        create_as("BOOKMARK", "b1", ayah(18, 10)),
        create_as("COLLECTION", "c1", json!({ "name": "Travel" })),
        link("c1", 18, 10),
        create_as("NOTE", "n1", note("A first reading")),
        create_as("READING_SESSION", "s1", json!({ "chapterNumber": 2, "verseNumber": 121 })),
    ])
}

// ---- the head and the cursor (PROTOCOL A5)

#[test]
fn the_head_moves_strictly_with_every_write_even_when_the_clock_does_not() {
    let mut model = fresh();
    let first = model.head();
    assert_eq!(first.value(), NOW.0);
    let applied = pushed(&mut model, &[create("NOTE", note("one note")), create("NOTE", note("two notes"))]);
    assert_eq!(applied.head, Cursor::read(NOW.0 + 2));
    assert_eq!(model.head(), applied.head);
    let earlier = Millis(NOW.0 - 5000);
    let later = Millis(NOW.0 + 5000);
    model.other_device_writes(earlier, WEB, &[create("NOTE", note("a late clock"))]).expect("taken");
    assert_eq!(model.head(), Cursor::read(NOW.0 + 3));
    model.other_device_writes(later, WEB, &[create("NOTE", note("a good clock"))]).expect("taken");
    assert_eq!(model.head(), Cursor::read(later.0));
}

#[test]
fn every_mutation_gets_a_timestamp_of_its_own_and_the_feed_is_ordered_by_it() {
    let mut model = furnished();
    let applied = pushed(&mut model, &[delete("NOTE", "n1"), link("c1", 36, 58), delete("COLLECTION", "c1")]);
    let times: Vec<_> =
        pull(&model, Cursor::ZERO).iter().map(|m| m["timestamp"].as_i64().expect("ms")).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert_eq!(times.last(), Some(&applied.head.value()));
}

#[test]
fn a_post_must_carry_the_head() {
    let mut model = furnished();
    let batch = [create("NOTE", note("a new note"))];
    for wrong in [model.head().value() - 1, model.head().value() + 1, 0, -1] {
        let refusal = model.post(NOW, DEVICE, Cursor::read(wrong), &batch).err().expect("refused");
        assert_eq!(refusal.reason, Reason::OutOfSync, "{wrong}");
        assert!(!refusal.message.contains("First sync"));
    }
    assert!(model == furnished());
    pushed(&mut model, &batch);
}

#[test]
fn answers_chain_and_a_second_post_with_the_old_head_is_out_of_sync() {
    let mut model = fresh();
    let old = model.head();
    let first = pushed(&mut model, &[create("NOTE", note("a new note"))]);
    let again = [create("NOTE", note("another note"))];
    assert!(model.post(NOW, DEVICE, old, &again).is_err());
    assert!(model.post(NOW, DEVICE, first.head, &again).is_ok());
}

#[test]
fn an_empty_push_changes_nothing() {
    let mut model = furnished();
    assert_eq!(pushed(&mut model, &[]).head, furnished().head());
    assert!(model == furnished());
}

#[test]
fn first_sync_minus_1_answers_and_wants_minus_1() {
    let mut model = Model::new(FirstSync::Minus1, NOW);
    assert_eq!(model.head(), Cursor::FIRST_SYNC);
    assert!(pull(&model, Cursor::ZERO).is_empty());
    let batch = [create("NOTE", note("a new note"))];
    for wrong in [0, NOW.0] {
        let refusal = model.post(NOW, DEVICE, Cursor::read(wrong), &batch).err().expect("refused");
        assert_eq!(refusal.reason, Reason::OutOfSync);
        let message = "First sync detected. Please use lastMutationAt=-1 for initial sync.";
        assert_eq!(refusal.text(), message);
    }
    let applied = model.post(NOW, DEVICE, Cursor::FIRST_SYNC, &batch).expect("taken");
    assert_eq!(applied.head, Cursor::read(NOW.0));
    assert!(model.post(NOW, DEVICE, Cursor::FIRST_SYNC, &batch).is_err(), "it is not fresh any more");
}

#[test]
fn first_sync_positive_has_a_head_and_favorites_and_refuses_minus_1() {
    let mut model = fresh();
    let feed = pull(&model, Cursor::ZERO);
    assert_eq!(feed.len(), 1);
    assert_eq!((&feed[0]["resource"], &feed[0]["data"]["isDefault"]), (&json!("COLLECTION"), &json!(true)));
    let batch = [create("NOTE", note("a new note"))];
    let refusal = model.post(NOW, DEVICE, Cursor::FIRST_SYNC, &batch).err().expect("refused");
    assert_eq!(refusal.reason, Reason::OutOfSync);
    pushed(&mut model, &batch);
}

// ---- the pull (PROTOCOL A2)

#[test]
fn the_feed_is_collapsed_to_the_latest_state_and_time() {
    let mut model = furnished();
    pushed(
        &mut model,
        &[
            update("NOTE", "n1", json!({ "body": "A second reading" })),
            update("NOTE", "n1", json!({ "ranges": ["2:255-2:256"] })),
        ],
    );
    let of_note: Vec<_> =
        pull(&model, Cursor::ZERO).into_iter().filter(|m| m["resource"] == "NOTE").collect();
    assert_eq!(of_note.len(), 1);
    assert_eq!(of_note[0]["type"], "UPDATE");
    assert_eq!(of_note[0]["data"]["body"], "A second reading");
    assert_eq!(of_note[0]["data"]["ranges"], json!(["2:255-2:256"]));
    assert_eq!(of_note[0]["timestamp"].as_i64(), Some(model.head().value()));
}

#[test]
fn a_pull_holds_what_came_after_the_cursor_only_and_shows_tombstones() {
    let mut model = furnished();
    let since = model.head();
    assert!(pull(&model, since).is_empty());
    pushed(&mut model, &[delete("NOTE", "n1")]);
    let feed = pull(&model, since);
    assert_eq!(feed.len(), 1);
    let tombstone = (&feed[0]["type"], &feed[0]["resourceId"], &feed[0]["data"]);
    assert_eq!(tombstone, (&json!("DELETE"), &json!("n1"), &json!({})));
    assert!(pull(&model, Cursor::FIRST_SYNC).iter().any(|m| m["type"] == "DELETE"));
}

#[test]
fn pages_add_up_to_the_feed() {
    let notes: Vec<_> = (0..25).map(|n| create("NOTE", note(&format!("note number {n}")))).collect();
    let model = with(&notes);
    let whole = pull(&model, Cursor::ZERO);
    let pages: Vec<_> = (1..=4)
        .map(|page_no| page(&model, &Query { limit: 10, page: page_no, ..Query::since(Cursor::ZERO) }))
        .collect();
    assert_eq!(pages.iter().map(|p| p.mutations.len()).collect::<Vec<_>>(), [10, 10, 6, 0]);
    assert_eq!(pages.iter().map(|p| p.has_more).collect::<Vec<_>>(), [true, true, false, false]);
    assert!(pages.iter().all(|p| p.total == 26 && p.limit == 10));
    assert_eq!(pages.into_iter().flat_map(|p| p.mutations).collect::<Vec<_>>(), whole);
}

#[test]
fn a_page_that_ends_with_the_feed_has_no_more() {
    let model = with(&[create("NOTE", note("one note")), create("NOTE", note("two notes"))]);
    let last = page(&model, &Query { limit: 3, ..Query::since(Cursor::ZERO) });
    assert!(!last.has_more);
    assert_eq!(last.total, 3);
}

#[test]
fn the_default_page_is_100_and_limits_are_kept() {
    let notes: Vec<_> = (0..150).map(|n| create("NOTE", note(&format!("note number {n}")))).collect();
    let model = with(&notes);
    let first = page(&model, &Query::since(Cursor::ZERO));
    assert_eq!((first.mutations.len(), first.has_more), (100, true));
    for (limit, page) in [(0, 1), (1001, 1), (10, 0)] {
        let query = Query { limit, page, ..Query::since(Cursor::ZERO) };
        assert_eq!(model.get(&query, Scopes::ALL).err().map(|r| r.reason), Some(Reason::Unprocessable));
    }
    let beyond = Query { limit: 1000, page: u64::MAX, ..Query::since(Cursor::ZERO) };
    assert!(page(&model, &beyond).mutations.is_empty());
}

#[test]
fn metadata_only_answers_the_head_alone() {
    let model = furnished();
    let query = Query { metadata_only: true, ..Query::since(Cursor::ZERO) };
    let body = model.get(&query, Scopes::ALL).expect("it answers").to_json();
    assert_eq!(body, json!({ "success": true, "data": { "lastMutationAt": model.head().value() } }));
}

#[test]
fn the_resources_filter_keeps_the_named_kinds() {
    let model = furnished();
    let query = Query { resources: Some(vec![Kind::Note, Kind::Link]), ..Query::since(Cursor::ZERO) };
    let list = page(&model, &query);
    let kinds: Vec<_> = list.mutations.iter().map(|m| m["resource"].as_str().expect("a word")).collect();
    assert_eq!(kinds, ["COLLECTION_BOOKMARK", "NOTE"]);
    assert_eq!(list.total, 2);
}

#[test]
fn a_link_in_the_feed_has_both_ids_and_no_resource_id() {
    let model = furnished();
    let feed = pull(&model, Cursor::ZERO);
    let link = feed.iter().find(|m| m["resource"] == "COLLECTION_BOOKMARK").expect("it is there");
    assert_eq!(link.get("resourceId"), None);
    assert_eq!((&link["data"]["collectionId"], &link["data"]["bookmarkId"]), (&json!("c1"), &json!("b1")));
}

// ---- scopes (PROTOCOL A1)

#[test]
fn both_calls_need_the_scope_sync() {
    let mut model = furnished();
    let scopes = Scopes::from_words("note,bookmark");
    let of_get = model.get(&Query::since(Cursor::ZERO), scopes).err().expect("refused");
    let of_post = model.post(NOW, Caller { scopes, ..DEVICE }, model.head(), &[]).err().expect("refused");
    assert_eq!((of_get.reason, of_post.reason), (Reason::Forbidden, Reason::Forbidden));
}

#[test]
fn kinds_that_the_token_may_not_see_are_left_out_of_a_pull() {
    let model = furnished();
    let seen = |words| {
        let answer = model.get(&Query::since(Cursor::ZERO), Scopes::from_words(words)).expect("it answers");
        let list = answer.list.expect("a list");
        assert_eq!(list.total as usize, list.mutations.len());
        assert_eq!(answer.head, model.head());
        list.mutations.iter().map(|m| m["resource"].as_str().expect("a word").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen("sync,note"), ["NOTE"]);
    assert_eq!(seen("sync,bookmark"), ["BOOKMARK"]);
    assert_eq!(seen("sync,reading_session"), ["READING_SESSION"]);
    assert_eq!(seen("sync,collection"), ["COLLECTION", "COLLECTION"]);
    assert!(seen("sync,bookmark,collection").contains(&"COLLECTION_BOOKMARK".to_owned()));
}

#[test]
fn a_push_of_a_kind_without_scope_is_403() {
    let mut model = furnished();
    let caller = Caller { scopes: Scopes::from_words("sync,note,collection"), ..DEVICE };
    let head = model.head();
    let batch = [create("NOTE", note("a new note")), link("c1", 2, 255)];
    let refusal = model.post(NOW, caller, head, &batch).err().expect("refused");
    assert_eq!((refusal.reason, refusal.at), (Reason::Forbidden, Some(1)));
    assert!(model.post(NOW, caller, head, &batch[..1]).is_ok());
}

// ---- what is acknowledged (PROTOCOL A3)

#[test]
fn the_acknowledgement_lists_the_batch_in_order_with_ids_and_times() {
    let mut model = furnished();
    let applied = pushed(
        &mut model,
        &[
            delete("NOTE", "n1"),
            create("BOOKMARK", ayah(2, 255)),
            link("c1", 36, 58),
            update("COLLECTION", "c1", json!({ "name": "Journeys" })),
        ],
    );
    let words: Vec<_> =
        applied.mutations.iter().map(|m| (m["type"].as_str(), m["resource"].as_str())).collect();
    assert_eq!(
        words,
        [
            (Some("DELETE"), Some("NOTE")),
            (Some("CREATE"), Some("BOOKMARK")),
            (Some("CREATE"), Some("COLLECTION_BOOKMARK")),
            (Some("UPDATE"), Some("COLLECTION")),
        ]
    );
    assert_eq!(applied.mutations[0]["resourceId"], "n1");
    let bookmark = &applied.mutations[2]["data"]["bookmarkId"];
    assert_eq!(applied.mutations[2]["resourceId"], format!("c1-{}", bookmark.as_str().expect("an id")));
    assert!(applied.mutations.iter().all(|m| m["timestamp"].is_i64()));
    assert_eq!(applied.to_json()["data"]["lastMutationAt"], model.head().value());
}

#[test]
fn ids_are_assigned_on_create_and_repeat_with_the_seed() {
    let id_with = |seed| {
        let mut model = fresh().with_id_seed(seed);
        let applied = pushed(&mut model, &[create("NOTE", note("a new note"))]);
        let id = ResourceId::from(applied.mutations[0]["resourceId"].as_str().expect("an id"));
        assert_eq!(model.state(&Kind::Note, &id).expect("it is live")["body"], "a new note");
        id
    };
    assert_eq!(id_with(7), id_with(7));
    assert_ne!(id_with(7), id_with(8));
}

#[test]
fn a_client_cannot_choose_the_id_of_what_it_creates() {
    let model = furnished();
    for (resource, data) in [
        ("NOTE", note("a new note")),
        ("COLLECTION", json!({ "name": "Mine" })),
        ("READING_SESSION", json!({ "chapterNumber": 1, "verseNumber": 1 })),
    ] {
        let answer = refused(&model, &[create_as(resource, "mine", data)]);
        assert_eq!(answer, (422, "Invalid resourceId at mutation[0]".to_owned()));
    }
    assert_eq!(refused(&model, &[create_as("BOOKMARK", "mine", ayah(3, 3))]).0, 404);
}

// ---- the limit and the form of mutations (PROTOCOL A3, A4)

#[test]
fn at_most_100_mutations() {
    let mut model = fresh();
    let batch: Vec<_> = (0..101).map(|n| create("NOTE", note(&format!("note number {n}")))).collect();
    assert_eq!(refused(&model, &batch), (422, "Mutations must not exceed 100".to_owned()));
    assert_eq!(pushed(&mut model, &batch[..100]).mutations.len(), 100);
}

#[test]
fn every_known_message_names_its_mutation() {
    let model = furnished();
    let good = create("NOTE", note("a good note"));
    let with_data = |data: Value| json!({ "type": "CREATE", "resource": "NOTE", "data": data });
    let link_with_bookmark_id =
        json!({ "collectionId": "c1", "bookmarkId": "b1", "type": "ayah", "key": 2, "verseNumber": 1 });
    for (mutation, message) in [
        (json!(7), "Invalid mutation"),
        (json!({ "type": "CREATE", "data": {} }), "Missing resource"),
        (json!({ "type": "CREATE", "resource": "SONG", "data": {} }), "Invalid resource: \"SONG\""),
        (json!({ "type": "CREATE", "resource": 1, "data": {} }), "Invalid resource"),
        (json!({ "resource": "NOTE", "data": {} }), "Missing mutation type"),
        (json!({ "type": "UPSERT", "resource": "NOTE" }), "Invalid mutation type: \"UPSERT\""),
        (json!({ "type": null, "resource": "NOTE" }), "Invalid mutation type"),
        (json!({ "type": "UPDATE", "resource": "NOTE", "data": {} }), "Missing resourceId"),
        (json!({ "type": "DELETE", "resource": "NOTE" }), "Missing resourceId"),
        (json!({ "type": "DELETE", "resource": "NOTE", "resourceId": " " }), "Invalid resourceId"),
        (json!({ "type": "DELETE", "resource": "NOTE", "resourceId": 5 }), "Invalid resourceId"),
        (json!({ "type": "CREATE", "resource": "NOTE" }), "Missing data"),
        (with_data(json!([1])), "Invalid data"),
        (with_data(json!({})), "\"body\" is required"),
        (with_data(json!({ "body": "short" })), "\"body\" must be 6 to 10000 characters long"),
        (with_data(json!({ "body": 6 })), "\"body\" must be 6 to 10000 characters long"),
        (with_data(json!({ "body": "long enough", "mood": 1 })), "\"mood\" is not allowed"),
        (
            with_data(json!({ "body": "long enough", "ranges": ["2:5"] })),
            "\"ranges\" must be an array of s:a-s:a ranges",
        ),
        (
            with_data(json!({ "body": "long enough", "clientUpdatedAt": "soon" })),
            "\"clientUpdatedAt\" must be a valid date",
        ),
        (create("COLLECTION", json!({})), "\"name\" is required"),
        (create("COLLECTION", json!({ "name": "" })), "\"name\" must be 1 to 255 characters long"),
        (create("COLLECTION_BOOKMARK", link_with_bookmark_id), "\"bookmarkId\" is not allowed"),
        (create("BOOKMARK", json!({ "key": 2, "verseNumber": 3 })), "\"type\" is required"),
        (create("BOOKMARK", json!({ "type": "ayah", "key": 2 })), "\"verseNumber\" is required"),
        (json!({ "type": "DELETE", "resource": "COLLECTION_BOOKMARK" }), "\"collectionId\" is required"),
        (
            json!({ "type": "DELETE", "resource": "COLLECTION_BOOKMARK", "data": { "collectionId": "c1" } }),
            "\"bookmarkId\" is required",
        ),
        (
            json!({ "type": "UPDATE", "resource": "COLLECTION_BOOKMARK", "data": {} }),
            "Invalid mutation type: \"UPDATE\"",
        ),
    ] {
        let answer = refused(&model, &[good.clone(), mutation]);
        assert_eq!(answer, (422, format!("{message} at mutation[1]")));
    }
}

#[test]
fn a_mutation_has_no_timestamp_and_no_extra_keys() {
    let model = furnished();
    for key in ["timestamp", "id", "base", "$serde_json::private::RawValue"] {
        let mut mutation = create("NOTE", note("a good note"));
        mutation[key] = 1.into();
        assert_eq!(refused(&model, &[mutation]), (422, format!("\"{key}\" is not allowed at mutation[0]")));
    }
}

#[test]
fn members_with_private_serde_json_names_are_refused_wherever_they_stand() {
    let model = fresh();
    let private = "$serde_json::private::Number";
    for data in [
        json!({ "body": "a good note", private: "1" }),
        json!({ "body": "a good note", "attachedEntity": { private: "1" } }),
        json!({ "body": "a good note", "attachedEntity": { "of": [{ private: "1" }] } }),
    ] {
        assert_eq!(refused(&model, &[create("NOTE", data)]).0, 422);
    }
}

#[test]
fn a_note_body_has_6_to_10000_characters() {
    let mut model = fresh();
    let body = |length: usize| create("NOTE", json!({ "body": "م".repeat(length) }));
    pushed(&mut model, &[body(6), body(10_000)]);
    assert_eq!(refused(&model, &[body(5)]).0, 422);
    assert_eq!(refused(&model, &[body(10_001)]).0, 422);
    let in_utf16 = create("NOTE", json!({ "body": "🌙".repeat(5001) }));
    assert_eq!(refused(&model, &[in_utf16]).0, 422);
}

#[test]
fn a_collection_name_has_1_to_255_characters() {
    let mut model = fresh();
    let named = |length: usize| create("COLLECTION", json!({ "name": "ر".repeat(length) }));
    pushed(&mut model, &[named(1), named(255)]);
    assert_eq!(refused(&model, &[named(0)]).0, 422);
    assert_eq!(refused(&model, &[named(256)]).0, 422);
}

#[test]
fn ranges_are_from_a_verse_to_a_verse_not_before_it() {
    let mut model = fresh();
    let ranged = |ranges: Value| create("NOTE", json!({ "body": "a good note", "ranges": ranges }));
    pushed(&mut model, &[ranged(json!([])), ranged(json!(["2:255-2:255", "2:286-3:1", "114:1-114:6"]))]);
    for wrong in [
        json!("2:1-2:2"),
        json!(["2:255"]),
        json!(["2:5-2:4"]),
        json!(["115:1-115:2"]),
        json!(["0:1-1:1"]),
        json!(["2:287-2:288"]),
        json!(["2:01-2:2"]),
        json!(["2:1-2:2 "]),
        json!(["2:-1-2:2"]),
        json!(["٢:١-٢:٢"]),
        json!([7]),
    ] {
        assert_eq!(refused(&model, &[ranged(wrong.clone())]).0, 422, "{wrong}");
    }
}

#[test]
fn places_are_within_the_book() {
    let mut model = fresh();
    let place = |data: Value| create("BOOKMARK", data);
    pushed(
        &mut model,
        &[
            place(json!({ "type": "ayah", "key": 114, "verseNumber": 6.0 })),
            place(json!({ "type": "page", "key": 604 })),
            place(json!({ "type": "juz", "key": 30, "mushafId": 19 })),
        ],
    );
    for wrong in [
        json!({ "type": "ayah", "key": 115, "verseNumber": 1 }),
        json!({ "type": "ayah", "key": 1.5, "verseNumber": 1 }),
        json!({ "type": "ayah", "key": "2", "verseNumber": 1 }),
        json!({ "type": "page", "key": 0 }),
        json!({ "type": "page", "key": 4, "verseNumber": 1 }),
        json!({ "type": "juz", "key": 31 }),
        json!({ "type": "line", "key": 3 }),
        json!({ "type": "page", "key": 3, "mushaf": 8 }),
    ] {
        assert_eq!(refused(&model, &[place(wrong.clone())]).0, 422, "{wrong}");
    }
}

#[test]
fn a_rejected_batch_applies_nothing() {
    let model = furnished();
    let batch = [
        create("NOTE", note("a good note")),
        delete("NOTE", "n1"),
        update("NOTE", "n1", json!({ "body": "it is gone by now" })),
    ];
    assert_eq!(refused(&model, &batch), (404, "The resource was not found at mutation[2]".to_owned()));
}

#[test]
fn unknown_and_deleted_ids_are_404() {
    let mut model = furnished();
    let gone_link = json!({ "type": "DELETE", "resource": "COLLECTION_BOOKMARK", "resourceId": "c1-b9" });
    for mutation in [
        update("NOTE", "n9", json!({ "body": "long enough" })),
        delete("BOOKMARK", "b9"),
        delete("COLLECTION", "c9"),
        update("READING_SESSION", "s9", json!({ "verseNumber": 3 })),
        link("c9", 2, 255),
        gone_link,
    ] {
        assert_eq!(refused(&model, &[mutation]).0, 404);
    }
    pushed(&mut model, &[delete("NOTE", "n1")]);
    assert_eq!(refused(&model, &[delete("NOTE", "n1")]).0, 404);
}

#[test]
fn form_comes_before_the_head_and_the_head_before_what_is_stored() {
    let mut model = furnished();
    let stale = Cursor::read(1);
    let status = |model: &mut Model, mutation: Value| {
        model.post(NOW, DEVICE, stale, &[mutation]).err().map(|refusal| refusal.reason.status())
    };
    assert_eq!(status(&mut model, json!({})), Some(422));
    assert_eq!(status(&mut model, delete("NOTE", "n9")), Some(409));
}

// ---- what is stored (PROTOCOL A6, A7, D4, D5, D10, D12, D20, D22)

#[test]
fn a_partial_update_keeps_the_other_members() {
    let mut model = furnished();
    pushed(&mut model, &[update("NOTE", "n1", json!({ "body": "A second reading" }))]);
    let state = model.state(&Kind::Note, &"n1".into()).expect("it is live");
    assert_eq!((&state["body"], &state["ranges"]), (&json!("A second reading"), &json!(["2:255-2:255"])));
}

#[test]
fn client_times_are_taken_as_iso_or_ms_and_shown_as_iso() {
    let mut model = fresh();
    let times = [
        (json!("2026-02-02T02:00:00+02:00"), "2026-02-02T00:00:00.000Z"),
        (json!(1_769_990_400_123_i64), "2026-02-02T00:00:00.123Z"),
        (json!(1_769_990_400_000.0), "2026-02-02T00:00:00.000Z"),
    ];
    for (given, shown) in times {
        let data = json!({ "body": "a good note", "clientCreatedAt": given, "clientUpdatedAt": given });
        let applied = pushed(&mut model, &[create("NOTE", data)]);
        let stored = &applied.mutations[0]["data"];
        assert_eq!((&stored["clientCreatedAt"], &stored["clientUpdatedAt"]), (&json!(shown), &json!(shown)));
    }
}

#[test]
fn a_bookmark_is_shown_in_the_servers_words() {
    let mut model = fresh();
    let data = json!({ "type": "ayah", "key": 2, "verseNumber": 255, "mushaf": 1, "mushafId": 4 });
    let applied = pushed(&mut model, &[create("BOOKMARK", data)]);
    assert_eq!(
        applied.mutations[0]["data"],
        json!({
            "bookmarkType": "ayah", "bookmarkGroup": "verses_6236", "key": 2, "verseNumber": 255,
            "isReading": null, "isInDefaultCollection": false, "mushaf": 4,
        })
    );
}

#[test]
fn a_create_at_an_occupied_place_updates_the_bookmark_there_whatever_its_mushaf() {
    let mut model = furnished();
    let mut data = ayah(18, 10);
    data["isReading"] = true.into();
    data["mushaf"] = 2.into();
    let applied = pushed(&mut model, &[create("BOOKMARK", data)]);
    assert_eq!(
        (&applied.mutations[0]["type"], &applied.mutations[0]["resourceId"]),
        (&json!("CREATE"), &json!("b1"))
    );
    assert_eq!(model.live(&Kind::Bookmark).len(), 1);
    assert_eq!(model.state(&Kind::Bookmark, &"b1".into()).expect("it is live")["mushaf"], 2);
}

#[test]
fn a_place_is_free_again_after_a_delete_or_a_move() {
    let mut model = with(&[create_as("BOOKMARK", "b1", ayah(2, 1)), create_as("BOOKMARK", "b2", ayah(2, 2))]);
    pushed(
        &mut model,
        &[
            delete("BOOKMARK", "b1"),
            update("BOOKMARK", "b2", json!({ "verseNumber": 3 })),
            create("BOOKMARK", ayah(2, 1)),
            create("BOOKMARK", ayah(2, 2)),
        ],
    );
    assert_eq!(model.live(&Kind::Bookmark).len(), 3);
}

#[test]
fn a_bookmark_moves_between_ayah_and_page() {
    let mut model = furnished();
    pushed(&mut model, &[update("BOOKMARK", "b1", json!({ "type": "page", "key": 42 }))]);
    let state = model.state(&Kind::Bookmark, &"b1".into()).expect("it is live");
    assert_eq!((state.get("verseNumber"), state.get("bookmarkGroup")), (None, None));
}

#[test]
fn a_create_of_an_occupied_collection_name_updates_that_collection() {
    let mut model = furnished();
    let applied = pushed(&mut model, &[create("COLLECTION", json!({ "name": "Travel" }))]);
    assert_eq!(applied.mutations[0]["resourceId"], "c1");
    pushed(&mut model, &[update("COLLECTION", "c1", json!({ "name": "Journeys" }))]);
    let applied = pushed(&mut model, &[create("COLLECTION", json!({ "name": "Travel" }))]);
    assert_ne!(applied.mutations[0]["resourceId"], "c1");
}

#[test]
fn a_create_of_a_link_that_is_there_updates_it() {
    let mut model = furnished();
    pushed(
        &mut model,
        &[link("c1", 18, 10), create_as("COLLECTION_BOOKMARK", "c1-b1", link("c1", 18, 10)["data"].clone())],
    );
    assert_eq!(model.live(&Kind::Link).len(), 1);
    assert_eq!(model.writes()[&(Kind::Link, "c1-b1".into())], 3);
    let wrong = create_as("COLLECTION_BOOKMARK", "c1-b2", link("c1", 18, 10)["data"].clone());
    assert_eq!(refused(&model, &[wrong]).0, 422);
}

#[test]
fn a_link_to_a_place_without_bookmark_makes_the_bookmark() {
    let mut model = furnished();
    let applied = pushed(&mut model, &[link("c1", 36, 58)]);
    let bookmark = ResourceId::from(applied.mutations[0]["data"]["bookmarkId"].as_str().expect("an id"));
    let state = model.state(&Kind::Bookmark, &bookmark).expect("it is live");
    assert_eq!(
        (&state["key"], &state["verseNumber"], &state["bookmarkType"]),
        (&json!(36), &json!(58), &json!("ayah"))
    );
    assert_eq!(model.writes().get(&(Kind::Bookmark, bookmark)), None, "nobody asked for it by name");
}

#[test]
fn a_link_is_deleted_by_its_ids_its_place_or_its_composite_id() {
    let by_ids = json!({ "collectionId": "c1", "bookmarkId": "b1" });
    let by_place = json!({ "collectionId": "c1", "type": "ayah", "key": 18, "verseNumber": 10 });
    for data in [by_ids.clone(), by_place] {
        let mut model = furnished();
        let applied = pushed(
            &mut model,
            &[json!({ "type": "DELETE", "resource": "COLLECTION_BOOKMARK", "data": data })],
        );
        assert_eq!(applied.mutations[0]["resourceId"], "c1-b1");
        assert!(model.live(&Kind::Link).is_empty());
    }
    let mut model = furnished();
    let mut mutation = delete("COLLECTION_BOOKMARK", "c1-b1");
    pushed(&mut model, &[mutation.clone()]);
    mutation["resourceId"] = "c1-b2".into();
    mutation["data"] = by_ids;
    assert_eq!(refused(&furnished(), &[mutation]).0, 422, "the two namings differ");
}

#[test]
fn composite_ids_are_found_though_ids_hold_dashes() {
    let mut model = with(&[
        create_as("BOOKMARK", "b-1-x", ayah(2, 255)),
        create_as("COLLECTION", "c-1", json!({ "name": "Dashes" })),
        link("c-1", 2, 255),
    ]);
    assert!(model.state(&Kind::Link, &"c-1-b-1-x".into()).is_some());
    pushed(&mut model, &[delete("COLLECTION_BOOKMARK", "c-1-b-1-x")]);
    assert!(model.live(&Kind::Link).is_empty());
}

#[test]
fn default_is_an_alias_of_the_favorites_and_acknowledged_as_it_was_sent() {
    let mut model = furnished();
    let favorites =
        model.live(&Kind::Collection).into_iter().find(|(_, c)| c["isDefault"] == true).expect("there").0;
    let applied = pushed(&mut model, &[link("__default__", 18, 10)]);
    assert_eq!(applied.mutations[0]["resourceId"], "__default__-b1");
    assert_eq!(applied.mutations[0]["data"]["collectionId"], "__default__");
    pushed(&mut model, &[link(favorites.as_str(), 18, 10)]);
    assert_eq!(model.live(&Kind::Link).len(), 2, "the two names are one collection");
    let shown = model.state(&Kind::Link, &"__default__-b1".into()).expect("it is live");
    assert_eq!(shown["collectionId"], favorites.as_str());
    assert_eq!(model.state(&Kind::Bookmark, &"b1".into()).expect("live")["isInDefaultCollection"], true);
    pushed(&mut model, &[delete("COLLECTION_BOOKMARK", &format!("{favorites}-b1"))]);
    assert_eq!(model.state(&Kind::Bookmark, &"b1".into()).expect("live")["isInDefaultCollection"], false);
}

#[test]
fn default_stays_default_in_an_account_without_a_favorites_collection() {
    let mut model = Model::new(FirstSync::Minus1, NOW);
    pushed(&mut model, &[link("__default__", 2, 255)]);
    assert_eq!(model.live(&Kind::Link)[0].1["collectionId"], "__default__");
}

#[test]
fn is_in_default_collection_is_the_link_to_the_favorites() {
    let mut model = furnished();
    pushed(&mut model, &[update("BOOKMARK", "b1", json!({ "isInDefaultCollection": true }))]);
    assert!(model.state(&Kind::Link, &"__default__-b1".into()).is_some());
    pushed(&mut model, &[update("BOOKMARK", "b1", json!({ "isInDefaultCollection": null }))]);
    assert!(model.state(&Kind::Link, &"__default__-b1".into()).is_some(), "null says nothing");
    pushed(&mut model, &[update("BOOKMARK", "b1", json!({ "isInDefaultCollection": false }))]);
    assert!(model.state(&Kind::Link, &"__default__-b1".into()).is_none());
}

#[test]
fn the_favorites_cannot_be_deleted_nor_appointed() {
    let mut model = furnished();
    pushed(&mut model, &[update("COLLECTION", "c1", json!({ "isDefault": true }))]);
    let favorites: Vec<_> =
        model.live(&Kind::Collection).into_iter().filter(|(_, c)| c["isDefault"] == true).collect();
    assert_eq!(favorites.len(), 1);
    assert_eq!(refused(&model, &[delete("COLLECTION", favorites[0].0.as_str())]).0, 422);
}

#[test]
fn deleting_a_bookmark_with_links_only_clears_is_reading() {
    let mut model = furnished();
    let reading = |model: &Model| model.state(&Kind::Bookmark, &"b1".into()).map(|b| b["isReading"].clone());
    pushed(&mut model, &[update("BOOKMARK", "b1", json!({ "isReading": true }))]);
    let since = model.head();
    let applied = pushed(&mut model, &[delete("BOOKMARK", "b1")]);
    assert_eq!(applied.mutations[0]["type"], "DELETE");
    assert_eq!(reading(&model), Some(json!(false)));
    assert_eq!(pull(&model, since)[0]["type"], "UPDATE");
    let unlink = json!({ "type": "DELETE", "resource": "COLLECTION_BOOKMARK", "resourceId": "c1-b1" });
    pushed(&mut model, &[unlink, delete("BOOKMARK", "b1")]);
    assert_eq!(reading(&model), None);
}

#[test]
fn a_new_reading_place_displaces_the_old_one() {
    let mut model = furnished();
    let read_at = |key, verse| {
        let mut data = ayah(key, verse);
        data["isReading"] = true.into();
        create("BOOKMARK", data)
    };
    pushed(&mut model, &[read_at(18, 10)]);
    let since = model.head();
    pushed(&mut model, &[read_at(36, 58)]);
    let feed = pull(&model, since);
    let places: Vec<_> = feed.iter().map(|m| (&m["data"]["key"], &m["data"]["isReading"])).collect();
    assert_eq!(places, [(&json!(18), &json!(false)), (&json!(36), &json!(true))]);
    let mutations = model.writes();
    assert_eq!(mutations[&(Kind::Bookmark, "b1".into())], 2, "being displaced is not a mutation");
}

#[test]
fn deleting_a_collection_deletes_its_links_and_leaves_the_bookmarks() {
    let mut model = furnished();
    let since = model.head();
    pushed(&mut model, &[delete("COLLECTION", "c1")]);
    let words: Vec<_> = pull(&model, since)
        .iter()
        .map(|m| {
            format!("{} {}", m["type"].as_str().expect("a word"), m["resource"].as_str().expect("a word"))
        })
        .collect();
    assert_eq!(words, ["DELETE COLLECTION_BOOKMARK", "DELETE COLLECTION"]);
    assert!(model.state(&Kind::Bookmark, &"b1".into()).is_some());
}

#[test]
fn two_equal_notes_are_two_notes() {
    let mut model = fresh();
    let twin = create("NOTE", note("the very same"));
    pushed(&mut model, &[twin.clone(), twin.clone()]);
    pushed(&mut model, &[twin]);
    assert_eq!(model.live(&Kind::Note).len(), 3, "there is no idempotency key (PROTOCOL A3)");
}

#[test]
fn a_note_tells_who_wrote_it_last_and_what_was_attached() {
    let mut model = furnished();
    let state = |model: &Model, id: &str| model.state(&Kind::Note, &id.into()).expect("it is live");
    assert_eq!(state(&model, "n1")["source"], "web");
    pushed(&mut model, &[update("NOTE", "n1", json!({ "body": "A second reading" }))]);
    assert_eq!(state(&model, "n1")["source"], "tablet-b");
    assert_eq!(state(&model, "n1")["attachedEntities"], json!([]));
    let data = json!({ "body": "a good note", "saveToQR": false, "attachedEntity": { "entityId": "e1" } });
    let applied = pushed(&mut model, &[create("NOTE", data)]);
    assert_eq!(applied.mutations[0]["data"]["attachedEntities"], json!([{ "entityId": "e1" }]));
    assert_eq!(applied.mutations[0]["data"].get("saveToQR"), None);
}

// ---- the model itself

#[test]
fn another_device_writes_without_a_cursor_with_ids_of_its_choice_and_without_limit() {
    let mut model = fresh();
    let notes: Vec<_> = (0..120).map(|n| create_as("NOTE", &format!("n{n}"), note("a history"))).collect();
    let before = model.head();
    model.other_device_writes(NOW, WEB, &notes).expect("taken");
    assert!(model.head() > before);
    assert!(model.state(&Kind::Note, &"n119".into()).is_some());
    let again = [create_as("NOTE", "n0", note("a new history"))];
    model.other_device_writes(NOW, WEB, &again).expect("taken");
    assert_eq!(model.live(&Kind::Note).len(), 120);
}

#[test]
fn writes_count_every_mutation_that_was_applied() {
    let mut model = furnished();
    pushed(&mut model, &[update("NOTE", "n1", json!({ "body": "A second reading" })), delete("NOTE", "n1")]);
    let _ = push(&mut model, &[delete("NOTE", "n1")]);
    assert_eq!(model.writes()[&(Kind::Note, "n1".into())], 3);
    assert_eq!(model.writes()[&(Kind::ReadingSession, "s1".into())], 1);
    assert_eq!(model.written_at(&Kind::Note, &"n1".into()), Some(Millis(model.head().value())));
}

#[test]
fn debug_output_holds_no_payload() {
    let model = with(&[create("NOTE", note("صبر جميل"))]);
    assert!(!format!("{model:?}").contains("صبر"));
}

/// The property tests run tens of thousands of cases against the model.
#[test]
fn a_thousand_small_accounts_are_quick_to_make_and_compare() {
    for seed in 0..1000 {
        let mut model = fresh().with_id_seed(seed);
        pushed(&mut model, &[create("NOTE", note("one of many")), create("BOOKMARK", ayah(2, 255))]);
        assert!(model == model.clone());
    }
}
