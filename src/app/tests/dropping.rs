//! A healthy mutation is given up only by somebody who says so, and wherever it stands it is said then.

use super::*;
use crate::domain::inspect::Status;
use crate::domain::plan::{Plan, plan};

/// Every kind and every operation that nothing stands against: creations, updates, deletions.
const HEALTHY: &str = r#"{"sync": {"lastMutationAt": 200}, "queue": [
    {"id": "q1", "type": "CREATE", "resource": "BOOKMARK", "data": {"type": "ayah", "key": 2, "verseNumber": 1, "mushaf": 1}},
    {"id": "q2", "type": "DELETE", "resource": "BOOKMARK", "resourceId": "b2"},
    {"id": "q3", "type": "UPDATE", "resource": "COLLECTION", "resourceId": "c3", "data": {"name": "Duas"}},
    {"id": "q4", "type": "CREATE", "resource": "COLLECTION_BOOKMARK", "data": {"collectionId": "c3", "type": "ayah", "key": 2, "verseNumber": 2, "mushaf": 1}},
    {"id": "q5", "type": "CREATE", "resource": "NOTE", "data": {"body": "a good note", "ranges": ["2:2-2:2"]}},
    {"id": "q6", "type": "UPDATE", "resource": "NOTE", "resourceId": "n6", "data": {"body": "a better note", "ranges": ["2:3-2:3"]}},
    {"id": "q7", "type": "DELETE", "resource": "NOTE", "resourceId": "n7"},
    {"id": "q8", "type": "UPDATE", "resource": "READING_SESSION", "resourceId": "s8", "data": {"chapterNumber": 2, "verseNumber": 5}},
    {"id": "q9", "type": "UPDATE", "resource": "HIGHLIGHT", "resourceId": "h9", "data": {"colour": "red"}}]}"#;

/// A note of which each side changed another field: nothing diverges, and the device's change is sent.
const APART: &str = r#"{"sync": {"lastMutationAt": 100}, "queue": [
    {"id": "q1", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1",
     "data": {"body": "of the device"}, "base": {"body": "as it was", "ranges": ["2:1-2:1"]}}]}"#;
const APART_PULL: &str = r#"{"success": true, "data": {"lastMutationAt": 200, "mutations": [
    {"type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "timestamp": 1779185790000,
     "data": {"body": "as it was", "ranges": ["2:1-2:7"]}}]}}"#;

fn planned(app: &App) -> Plan {
    plan(&bench(app).inspection, &bench(app).resolution, sample::NOW)
}

fn asked(app: &App) -> Option<String> {
    match app.overlays().last() {
        Some(Overlay::Question(question @ Question::Drop { .. })) => Some(question.words().0),
        _ => None,
    }
}

fn label(app: &App, action: Action) -> &'static str {
    let binding = crate::app::action::at(app.place()).find(|binding| binding.action == action);
    app.label(binding.expect("a key here"))
}

fn to(app: &mut App, row: usize) {
    play(app, "Left g");
    for _ in 0..row {
        play(app, "j");
    }
}

#[test]
fn one_key_drops_nothing_of_any_kind() {
    for keys in ["s", "a s", "Enter s"] {
        let rows = inspecting(HEALTHY, EMPTY_PULL, (120, 36)).bench().expect("a bench").rows.len();
        assert_eq!(rows, 9);
        for row in 0..rows {
            let mut app = inspecting(HEALTHY, EMPTY_PULL, (120, 36));
            to(&mut app, row);
            let (id, pair) = bench(&app).pair().expect("a pair");
            assert_eq!(pair.status, Status::Push);
            let (kind, sent) = (pair.kind.clone(), planned(&app).pushed());
            assert_eq!((label(&app, Action::Server), bench(&app).dropped.len()), ("drop", 0), "{kind:?}");
            play(&mut app, keys);
            let question = asked(&app).unwrap_or_else(|| panic!("{kind:?} is asked about after {keys}"));
            assert!(question.starts_with("Drop the ") && question.contains(super::noun(&kind)), "{question}");
            assert!(question.ends_with("Nothing stands against sending it."), "{question}");
            // Whatever was meant otherwise leaves it.
            play(&mut app, "n");
            assert_eq!((asked(&app), planned(&app).pushed()), (None, sent), "{kind:?}");
            assert_eq!(
                standing(&bench(&app).inspection, &bench(&app).resolution, id),
                Standing::Found(Status::Push)
            );
            to(&mut app, row);
            play(&mut app, keys);
            play(&mut app, "y");
            assert_eq!(bench(&app).dropped, [id], "{kind:?}");
            assert_eq!(standing(&bench(&app).inspection, &bench(&app).resolution, id), Standing::Dropped);
            assert!(status(&app).contains("it will not be sent"), "{}", status(&app));
            let plan = planned(&app);
            assert_eq!(plan.drop.iter().map(|left| left.pair).collect::<Vec<_>>(), [id], "{kind:?}");
            assert!(plan.ledger.iter().any(|loss| loss.pair == id && loss.side == Side::Device), "{kind:?}");
            play(&mut app, "u");
            assert_eq!((bench(&app).dropped.len(), planned(&app).pushed()), (0, sent), "{kind:?}");
            // To do it again is to drop it again.
            play(&mut app, "U");
            assert!(asked(&app).is_some(), "{kind:?}");
            play(&mut app, "n");
            assert!(bench(&app).dropped.is_empty(), "{kind:?}");
            play(&mut app, "U y");
            assert_eq!(bench(&app).dropped, [id], "{kind:?}");
            // So is to take back that it shall be sent after all.
            play(&mut app, "d");
            assert!(bench(&app).dropped.is_empty(), "{kind:?}: {}", status(&app));
            play(&mut app, "u");
            assert!(asked(&app).is_some() && bench(&app).dropped.is_empty(), "{kind:?}");
            play(&mut app, "y");
            assert_eq!(bench(&app).dropped, [id], "{kind:?}");
        }
    }
}

#[test]
fn a_click_asks_as_the_key_does() {
    let mut app = inspecting(HEALTHY, EMPTY_PULL, (120, 36));
    app.update(Event::Pointer(Pointer::Click(Target::Act(Action::Server))));
    assert!(asked(&app).is_some());
    assert!(bench(&app).dropped.is_empty());
}

#[test]
fn no_strategy_and_no_scope_drops_what_is_healthy() {
    for device in [HEALTHY, DEVICE] {
        for keys in ["1", "2", "3", "4", "A Enter", "m Enter", "v a", "v n m"] {
            let pull = if device == HEALTHY { EMPTY_PULL } else { PULL };
            let mut app = inspecting(device, pull, (120, 36));
            play(&mut app, keys);
            assert_eq!(bench(&app).dropped, [], "{keys}");
            assert_eq!(asked(&app), None, "{keys}");
        }
    }
}

#[test]
fn a_change_that_stands_beside_the_servers_is_not_given_up_by_one_key() {
    for keys in ["s", "a s"] {
        let mut app = inspecting(APART, APART_PULL, (120, 36));
        let (id, pair) = bench(&app).pair().expect("a pair");
        assert_eq!(pair.status, Status::Push);
        play(&mut app, "Enter g");
        while bench(&app).field().expect("a field").path.as_str() != "/body" {
            play(&mut app, "j");
        }
        assert_eq!(label(&app, Action::Server), "drop");
        play(&mut app, keys);
        let question = asked(&app).unwrap_or_else(|| panic!("{keys} asks"));
        assert!(question.starts_with("Drop the device's body of note"), "{question}");
        play(&mut app, "y");
        assert_eq!(bench(&app).dropped, [id], "nothing is left of the mutation");
        assert_eq!(planned(&app).ledger.len(), 1);
    }
}

#[test]
fn it_stays_dropped_after_a_reload_and_opens_again_where_it_changed() {
    let mut app = inspecting(HEALTHY, EMPTY_PULL, (120, 36));
    to(&mut app, 5);
    let id = bench(&app).pair().expect("a pair").0;
    play(&mut app, "s y r");
    let effects = app.update(Event::Inspected(Box::new(sample::inspection(HEALTHY, EMPTY_PULL))));
    settle(&mut app, effects);
    assert_eq!(bench(&app).dropped, [id]);
    play(&mut app, "r");
    let changed = HEALTHY.replace("a better note", "another note");
    let effects = app.update(Event::Inspected(Box::new(sample::inspection(&changed, EMPTY_PULL))));
    settle(&mut app, effects);
    assert!(bench(&app).dropped.is_empty());
    assert_eq!(standing(&bench(&app).inspection, &bench(&app).resolution, id), Standing::Reopened);
    assert_eq!(planned(&app).pushed(), 8);
}

#[test]
fn a_link_says_what_was_chosen_for_its_collection() {
    let device = HEALTHY.replace(
        r#""type": "UPDATE", "resource": "COLLECTION", "resourceId": "c3""#,
        r#""type": "CREATE", "resource": "COLLECTION", "resourceId": null"#,
    );
    let device = device.replace(r#""collectionId": "c3""#, r#""collectionId": "q3""#);
    let mut app = inspecting(&device, EMPTY_PULL, (120, 36));
    let of = |app: &App, kind: &str| {
        let found = bench(app).inspection.ids().find(|(_, pair)| pair.kind.wire() == kind);
        let id = found.expect("a pair").0;
        (id, standing(&bench(app).inspection, &bench(app).resolution, id))
    };
    let (collection, _) = of(&app, "COLLECTION");
    assert_eq!(of(&app, "COLLECTION_BOOKMARK").1, Standing::Found(Status::Push));
    to(&mut app, collection.index());
    play(&mut app, "s y");
    assert_eq!(of(&app, "COLLECTION").1, Standing::Dropped);
    let (link, stands) = of(&app, "COLLECTION_BOOKMARK");
    assert_eq!(stands, Standing::Found(Status::Blocked));
    assert!(planned(&app).hold.iter().any(|left| left.pair == link));
}
