//! What of the cases is not checked, by name, and why: a case that is neither run by a test nor named here fails.
//! The five kinds (`phone.rs`, `grouping.rs`) and `serialization.json` (`wire.rs`) are run whole; `ack.json` and
//! `http.json` belong to `acks.rs` and `answers.rs`.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use unstick::domain::device::Device;
use unstick::domain::inspect::inspect;
use unstick::domain::mutation::{Kind, Millis};
use unstick::domain::phone::Phone;
use unstick::domain::plan::plan;
use unstick::domain::resolution::Resolution;

use super::case;

const ENGINE: &str = include_str!("../../fixtures/cases/engine.json");
const PERSISTENCE: &str = include_str!("../../fixtures/cases/persistence.json");

/// Names, and why they are not run.
type Unchecked = (&'static [&'static str], &'static str);

const OF_ENGINE: [Unchecked; 5] = [
    (
        &[
            "cursor-not-stored-when-later-phase-fails",
            "cursor-not-stored-when-apply-fails",
            "one-push-stores-get-cursor",
        ],
        "which cursor the phone stores; unstick stores the newest answer's, and only with nothing open (DESIGN §5)",
    ),
    (
        &[
            "wrong-ack-keeps-markers",
            "creates-marked-before-push",
            "cancelled-post-keeps-markers",
            "stale-epoch-at-admission-rolls-back",
            "cancel-while-marking-rolls-back",
            "cancel-during-apply-no-rollback",
            "409-flat-keeps-markers",
            "409-nested-keeps-markers",
            "409-other-keeps-markers",
            "unmarkable-creates-not-posted",
            "link-create-not-posted-when-marker-misses",
            "reading-create-not-posted-when-marker-misses",
        ],
        "the phone's in-flight markers live in its database",
    ),
    (
        &[
            "stale-epoch-after-accepted-push",
            "stale-epoch-before-apply",
            "stale-epoch-at-write-boundary",
            "stale-epoch-before-pre-apply",
            "stale-epoch-before-cursor",
        ],
        "the phone's session may end under a sync; unstick has no session to lose",
    ),
    (
        &["retry-backoff", "no-standard-run-after-giving-up", "trigger-works-after-giving-up"],
        "when the phone tries again is no part of what a queue and a window tell",
    ),
    (&["live-conflicts"], "needs the live server; its shapes are run as cases of bookmark.json"),
];

const OF_PERSISTENCE: [Unchecked; 2] = [
    (
        &[
            "bookmark-reading-singleton-newest-wins",
            "bookmark-remote-delete-leaves-link-tombstone",
            "link-stale-bookmark-id-skipped",
            "link-parent-id-change-requeues-create",
            "favorites-link-waits-for-collection-id",
        ],
        "the model writes to no bookmarks and links: nothing of theirs ends a sync (PROTOCOL A10 S-A10)",
    ),
    (
        &[
            "bookmark-reading-replacement-tombstones-old",
            "link-removed-before-first-push-vanishes",
            "link-removed-after-possible-push-is-tombstoned",
        ],
        "what the user does on the phone, long before a sync",
    ),
];

#[test]
fn every_case_is_run_or_named_with_a_reason() {
    let run_here: BTreeSet<&str> =
        ["links-planned-after-parents-applied", "early-delete-suppresses-echo"].into();
    for (file, text, unchecked, run) in [
        ("engine", ENGINE, &OF_ENGINE[..], run_here),
        ("persistence", PERSISTENCE, &OF_PERSISTENCE[..], super::persistence::RUN.into()),
    ] {
        let cases: Vec<Value> = serde_json::from_str(text).expect("the cases are JSON");
        let in_file: BTreeSet<&str> = cases.iter().filter_map(|case| case["name"].as_str()).collect();
        let named: BTreeSet<&str> = unchecked.iter().flat_map(|(names, _)| names.iter().copied()).collect();
        assert!(unchecked.iter().all(|(_, why)| !why.is_empty()));
        assert!(named.is_disjoint(&run), "{file}: run and named as not run");
        assert_eq!(&named | &run, in_file, "{file}");
    }
}

fn engine_case(name: &str) -> Value {
    let cases: Vec<Value> = serde_json::from_str(ENGINE).expect("the cases are JSON");
    cases.into_iter().find(|case| case["name"] == name).expect("the case")
}

#[test]
fn links_are_sent_after_what_they_join() {
    let case = engine_case("links-planned-after-parents-applied");
    let pending = case["given"]["pendingPerResource"].as_array().expect("resources").iter();
    let entry = |pending: &Value| {
        let (kind, op) = pending.as_str().and_then(|text| text.split_once(':')).expect("KIND:OP");
        case::queued(&json!({
            "localId": kind, "type": op, "resource": kind,
            "data": {"body": "Note body", "ranges": ["1:1-1:7"], "name": "A", "type": "ayah", "key": 1,
                     "verseNumber": 1, "collectionId": "remote-collection"}
        }))
    };
    // Whatever the order of the queue.
    let device = Device { queue: pending.rev().map(entry).collect(), ..Device::default() };
    let window = case::window(Vec::new());
    let plan = plan(&inspect(Arc::new(device), Arc::new(window)), &Resolution::default(), Millis(0));
    let posts: Vec<Vec<String>> = plan
        .batches
        .iter()
        .map(|batch| {
            let items = batch.items.iter().map(|item| &item.wire);
            items.map(|wire| format!("{} {}", wire.kind.wire(), wire.op.wire())).collect()
        })
        .collect();
    let expected = case["expect"]["posts"].as_array().expect("posts").iter();
    assert_eq!(json!(posts), expected.map(|post| post["mutations"].clone()).collect::<Value>());
    // The later heads are the answers'.
    let heads = plan.batches.iter().map(|batch| batch.last_mutation_at.is_some());
    assert_eq!(heads.collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn a_link_that_is_deleted_early_is_not_brought_back_by_its_echo() {
    let case = engine_case("early-delete-suppresses-echo");
    let entry = |text: &Value| {
        let words: Vec<&str> = text.as_str().expect("KIND OP ID").split(' ').collect();
        json!({
            "localId": "link", "resource": words[0], "type": words[1], "resourceId": words[2], "timestamp": 10,
            "data": {"collectionId": "remote-collection-1", "bookmarkId": "remote-bookmark-1", "type": "ayah",
                     "key": 9, "verseNumber": 1}
        })
    };
    let device = Device {
        queue: vec![case::queued(&entry(&case["given"]["pending"][0]))],
        known: Some(Vec::new()),
        ..Device::default()
    };
    let window = case::window(vec![case::served(&entry(&case["given"]["pulled"][0]))]);
    let plan = Phone::new(&device, &window).plan(&Kind::Link).expect("no abort");
    assert_eq!((plan.push.len(), plan.persist.len()), (1, 0));
}
