//! `persistence.json`, as far as it is of the three tables that the model of the phone writes to: the rows of a case,
//! what is applied to them, and what is there then. The rows and the steps stand in the cases as words; each case is
//! spelt out here and takes its expectation from the file.

use serde_json::{Value, json};
use unstick::domain::identity::Place;
use unstick::domain::mutation::{Kind, Millis, Op, ResourceId};
use unstick::domain::phone::AbortId;
use unstick::domain::phone::apply::{Content, KEPT, Outcome, Row, RowAt, Store, Taken};

use super::case;

const TEXT: &str = include_str!("../../fixtures/cases/persistence.json");

/// The cases that are run here.
pub const RUN: [&str; 14] = [
    "session-two-tombstones-throw",
    "session-one-tombstone-binds-before-active-create",
    "session-android-page-opened-twice-before-first-sync",
    "session-moved-onto-other-synced-session-violates-unique",
    "session-pull-over-twenty-schedules-deletes",
    "session-remote-delete-skipped-while-pending",
    "session-stale-create-ack-keeps-newer-move",
    "collection-two-tombstones-throw",
    "collection-rename-collides-with-active-name",
    "collection-replay-binds-deleted-first",
    "collection-system-never-deleted-or-renamed",
    "collection-stale-create-ack-keeps-rename",
    "note-active-plus-deleted-persists-separately",
    "note-edit-vs-remote-delete-loses-text",
];

fn expected(name: &str) -> Value {
    assert!(RUN.contains(&name), "{name} is not listed");
    let cases: Vec<Value> = serde_json::from_str(TEXT).expect("the cases are JSON");
    cases.into_iter().find(|case| case["name"] == name).expect("the case")["expect"].clone()
}

fn apply(store: &mut Store, op: &str, kind: &str, id: &str, data: &Value) -> Result<Outcome, AbortId> {
    let mutation = case::served(&json!({
        "type": op, "resource": kind, "resourceId": id, "data": data, "timestamp": 5000
    }));
    store.take(&Kind::from_wire(kind), mutation.op, &mutation)
}

fn session(store: &mut Store, op: &str, id: &str, (chapter, verse): (i64, i64)) -> Result<Outcome, AbortId> {
    apply(store, op, "READING_SESSION", id, &json!({"chapterNumber": chapter, "verseNumber": verse}))
}

const HERE: Place = Place::Verse(2, 255);

fn id(text: &str) -> ResourceId {
    ResourceId::from(text)
}

/// Deleted before the server ever acknowledged it.
fn tombstone<K>(key: K) -> Row<K> {
    Row { deleted: true, ..Row::made(key, Millis(1)) }
}

/// The words of the cases for what is thrown.
fn throws(words: &Value) -> Vec<AbortId> {
    match words.as_str().expect("words") {
        "ambiguous tombstones" => vec![AbortId::A2, AbortId::A4],
        "UNIQUE constraint failed: reading_session.remote_id" => vec![AbortId::A1],
        "UNIQUE constraint failed: reading_session.chapter_number, reading_session.verse_number" => {
            vec![AbortId::A3]
        }
        "UNIQUE constraint failed: collection.name" => vec![AbortId::A5],
        other => panic!("no row of PROTOCOL A10 for {other:?}"),
    }
}

fn assert_throws(found: Result<Outcome, AbortId>, words: &Value) {
    let ids = throws(words);
    assert!(found.is_err_and(|id| ids.contains(&id)), "found {found:?}, expected {ids:?}");
}

#[test]
fn two_tombstones_of_a_session_throw() {
    let expect = expected("session-two-tombstones-throw");
    let mut store = Store::default();
    for _ in 0..2 {
        store.sessions.add(tombstone(HERE)).expect("a row");
    }
    let before: Vec<Row<Place>> = store.sessions.rows().map(|(_, row)| row.clone()).collect();
    assert_throws(session(&mut store, "CREATE", "s1", (2, 255)), &expect["throws"]);
    assert!(store.sessions.rows().map(|(_, row)| row).eq(&before), "rows changed");
    assert_eq!(session(&mut store, "CREATE", "s2", (2, 256)), Ok(Outcome::Taken));
}

#[test]
fn a_tombstone_takes_the_id_before_the_session_that_was_opened_again() {
    let expect = expected("session-one-tombstone-binds-before-active-create");
    let mut store = Store::default();
    let gone = store.sessions.add(tombstone(HERE)).expect("a row");
    let active = store.sessions.add(Row::made(HERE, Millis(2))).expect("a row");
    assert_eq!(session(&mut store, "CREATE", "s1", (2, 255)), Ok(Outcome::Bound(gone)));
    let id_of = |at: RowAt| store.sessions.row(at).and_then(|row| row.id.clone());
    assert_eq!(json!(id_of(gone)), expect["tombstoneRemoteId"]);
    assert_eq!(json!(id_of(active)), expect["activeRemoteId"]);
    let pushes: Vec<String> = store
        .sessions
        .rows()
        .filter_map(|(_, row)| Some((row.sent()?, row)))
        .map(|(op, row)| {
            let what = row.id.as_ref().map_or_else(|| row.key.to_string(), ToString::to_string);
            format!("{} {what}", op.wire())
        })
        .collect();
    assert_eq!(json!(pushes), expect["nextSyncPushes"]);
}

#[test]
fn a_page_opened_twice_before_the_first_sync_stops_the_second() {
    let expect = expected("session-android-page-opened-twice-before-first-sync");
    let opened = |times: usize| {
        let mut store = Store::default();
        // Each time the app deletes the session and makes it again.
        for _ in 1..times {
            store.sessions.add(tombstone(Place::Verse(1, 1))).expect("a row");
        }
        let active = store.sessions.add(Row::made(Place::Verse(1, 1), Millis(2))).expect("a row");
        (store, active)
    };
    let (mut store, active) = opened(2);
    assert_eq!(store.sessions.acknowledge(active, &id("s1"), 1), Ok(()), "{}", expect["sync1"]);
    assert_throws(session(&mut store, "CREATE", "s1", (1, 1)), &expect["sync2"]["throws"]);
    let (mut store, active) = opened(3);
    assert_eq!(store.sessions.acknowledge(active, &id("s1"), 1), Ok(()));
    assert_throws(session(&mut store, "CREATE", "s1", (1, 1)), &expect["openedThreeTimes"]["throws"]);
}

#[test]
fn a_session_is_not_moved_onto_another_one() {
    let expect = expected("session-moved-onto-other-synced-session-violates-unique");
    let mut store = Store::default();
    for (name, place) in [("s1", HERE), ("s2", Place::Verse(18, 10))] {
        store.sessions.add(Row::synced(id(name), place, Millis(1))).expect("a row");
    }
    assert_throws(session(&mut store, "UPDATE", "s1", (18, 10)), &expect["throws"]);
    // A session that the device does not know is passed over there, without a word.
    assert_eq!(session(&mut store, "CREATE", "s3", (18, 10)), Ok(Outcome::PlaceTaken));
}

#[test]
fn more_than_twenty_sessions_are_deleted_and_the_deletions_sent() {
    let expect = expected("session-pull-over-twenty-schedules-deletes");
    let mut store = Store::default();
    for at in 1..=30 {
        assert_eq!(session(&mut store, "CREATE", &format!("s{at}"), (2, at)), Ok(Outcome::Taken));
    }
    let retired = store.retire();
    let rows = || store.sessions.rows().map(|(_, row)| row);
    assert_eq!(json!(rows().filter(|row| !row.deleted).count()), expect["activeRows"]);
    assert_eq!(KEPT, 20);
    assert_eq!(json!(rows().filter(|row| row.sent() == Some(Op::Delete)).count()), expect["pendingDeletes"]);
    let versions: Vec<u32> =
        retired.iter().filter_map(|at| store.sessions.row(*at)).map(|row| row.version).collect();
    assert!(versions.iter().all(|version| json!(version) == expect["pendingVersion"]), "{versions:?}");
}

#[test]
fn what_waits_to_be_sent_is_not_written_over() {
    let expect = expected("session-remote-delete-skipped-while-pending");
    let mut store = Store::default();
    let waiting = Row { edited: true, version: 1, ..Row::synced(id("s1"), HERE, Millis(1)) };
    let at = store.sessions.add(waiting.clone()).expect("a row");
    let deleted = apply(&mut store, "DELETE", "READING_SESSION", "s1", &Value::Null);
    assert_eq!(deleted, Ok(Outcome::Waits), "{}", expect["row"]);
    assert_eq!(store.sessions.row(at), Some(&waiting));
    // The same row at rest is removed.
    store.settle(&Kind::ReadingSession, at, Op::Update);
    assert_eq!(apply(&mut store, "DELETE", "READING_SESSION", "s1", &Value::Null), Ok(Outcome::Taken));
    assert_eq!(store.sessions.row(at), None);
}

#[test]
fn an_answer_to_an_older_version_leaves_what_came_since() {
    let expect = expected("session-stale-create-ack-keeps-newer-move");
    let mut store = Store::default();
    let moved = Row { version: 2, ..Row::made(HERE, Millis(2)) };
    let at = store.sessions.add(moved).expect("a row");
    assert_eq!(store.sessions.acknowledge(at, &id("s1"), 1), Ok(()));
    let row = store.sessions.row(at).expect("the row");
    assert_eq!(json!(row.id), expect["remoteId"]);
    assert_eq!(json!(row.sent().map(Op::wire)), expect["pending"]);

    let expect = expected("collection-stale-create-ack-keeps-rename");
    let renamed = Row { version: 2, ..Row::made(String::from("New name"), Millis(2)) };
    let at = store.collections.add(renamed).expect("a row");
    assert_eq!(store.collections.acknowledge(at, &id("c1"), 1), Ok(()));
    let row = store.collections.row(at).expect("the row");
    assert_eq!(json!(row.id), expect["remoteId"]);
    assert_eq!(json!(row.sent().map(Op::wire)), expect["pending"]);
    // An answer to the version that is there leaves nothing to send, and one id is of one row.
    let other = store.collections.add(Row::made(String::from("Other"), Millis(2))).expect("a row");
    assert_eq!(store.collections.acknowledge(other, &id("c1"), 1), Err(Taken));
    assert_eq!(store.collections.acknowledge(other, &id("c2"), 1), Ok(()));
    assert_eq!(store.collections.row(other).expect("the row").sent(), None);
}

fn collection(store: &mut Store, op: &str, id: &str, name: &str) -> Result<Outcome, AbortId> {
    apply(store, op, "COLLECTION", id, &json!({"name": name}))
}

#[test]
fn two_tombstones_of_a_name_throw() {
    let expect = expected("collection-two-tombstones-throw");
    let mut store = Store::default();
    for _ in 0..2 {
        store.collections.add(tombstone(String::from("X"))).expect("a row");
    }
    assert_throws(collection(&mut store, "CREATE", "c1", "X"), &expect["throws"]);
    assert_eq!(collection(&mut store, "UPDATE", "c1", "X"), Ok(Outcome::Taken), "only a creation is an echo");
}

#[test]
fn a_name_is_one_collections() {
    let expect = expected("collection-rename-collides-with-active-name");
    let mut store = Store::default();
    store.collections.add(Row::synced(id("c1"), String::from("Duas"), Millis(1))).expect("a row");
    store.collections.add(Row::made(String::from("Ramadan"), Millis(1))).expect("a row");
    assert_throws(collection(&mut store, "UPDATE", "c1", "Ramadan"), &expect["throws"]);
}

#[test]
fn a_tombstone_takes_the_id_before_the_collection_that_was_made_again() {
    let expect = expected("collection-replay-binds-deleted-first");
    let mut store = Store::default();
    let gone = store.collections.add(tombstone(String::from("X"))).expect("a row");
    let active = store.collections.add(Row::made(String::from("X"), Millis(2))).expect("a row");
    assert_eq!(collection(&mut store, "CREATE", "c1", "X"), Ok(Outcome::Bound(gone)));
    let id_of = |at: RowAt| store.collections.row(at).and_then(|row| row.id.clone());
    assert_eq!(json!(id_of(gone)), expect["tombstoneRemoteId"]);
    assert_eq!(json!(id_of(active)), expect["activeRemoteId"]);
    let pushes: Vec<String> = store
        .collections
        .rows()
        .filter_map(|(_, row)| Some((row.sent()?, row)))
        .map(|(op, row)| {
            let what = row.id.as_ref().map_or_else(|| format!("{:?}", row.key), ToString::to_string);
            format!("{} {what}", op.wire())
        })
        .collect();
    assert_eq!(json!(pushes), expect["nextSyncPushes"]);
}

#[test]
fn what_the_app_keeps_is_neither_renamed_nor_deleted() {
    let expect = expected("collection-system-never-deleted-or-renamed");
    let mut store = Store::default();
    let managed =
        Row { system: true, ..Row::synced(id("remote-managed"), String::from("Managed"), Millis(1)) };
    let at = store.collections.add(managed).expect("a row");
    assert_eq!(apply(&mut store, "DELETE", "COLLECTION", "remote-managed", &Value::Null), Ok(Outcome::Kept));
    assert_eq!(collection(&mut store, "UPDATE", "remote-managed", "Renamed"), Ok(Outcome::Kept));
    let row = store.collections.row(at).expect("the row");
    assert_eq!(json!({"name": row.key, "deleted": row.deleted}), expect);
}

fn content() -> Content {
    Content((HERE, HERE), String::from("B"))
}

#[test]
fn an_echo_that_two_notes_may_have_made_is_a_third() {
    let expect = expected("note-active-plus-deleted-persists-separately");
    let mut store = Store::default();
    store.notes.add(Row::made(content(), Millis(1))).expect("a row");
    store.notes.add(tombstone(content())).expect("a row");
    let same = json!({"body": "B", "ranges": ["2:255"]});
    assert_eq!(apply(&mut store, "CREATE", "NOTE", "n1", &same), Ok(Outcome::Taken));
    assert_eq!(json!(store.notes.rows().count()), expect["rows"]);
}

#[test]
fn an_edit_that_lost_against_a_deletion_is_gone() {
    let expect = expected("note-edit-vs-remote-delete-loses-text");
    let mut store = Store::default();
    let edited = Row { edited: true, version: 1, ..Row::synced(id("n1"), content(), Millis(1)) };
    let at = store.notes.add(edited).expect("a row");
    store.settle(&Kind::Note, at, Op::Update);
    assert_eq!(apply(&mut store, "DELETE", "NOTE", "n1", &Value::Null), Ok(Outcome::Taken));
    assert!(store.notes.row(at).is_none(), "{}", expect["row"]);
}
