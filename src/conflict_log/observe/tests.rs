use super::*;
use crate::domain::strategy::{self, Strategy};
use crate::testing;

const SCENE: Scene<'static> = Scene { server: "pre-live", at: Millis(1_000_000) };
const SECRET: &str = "what people wrote";

fn stuck() -> Inspection {
    let device = format!(
        r#"{{"device":{{"id":"tablet-b","label":"Tablet B","user":"u-1"}},"sync":{{"lastMutationAt":100}},"queue":[
        {{"id":"q1","type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{{"body":"{SECRET}"}},"createdAt":1769990400000,"retryCount":1,"lastError":"409 OutOfSyncError"}},
        {{"id":"q2","type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{{"body":"{SECRET} again"}},"createdAt":1769990500000}},
        {{"id":"q3","type":"UPDATE","resource":"COLLECTION","resourceId":"c1","data":{{"name":"{SECRET}"}}}}]}}"#
    );
    let server = format!(
        r#"[{{"type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{{"body":"{SECRET} elsewhere"}},"timestamp":1769990460000}},
        {{"type":"DELETE","resource":"COLLECTION","resourceId":"c1","timestamp":150}}]"#
    );
    testing::inspection(&device, &server)
}

#[test]
fn an_inspection_leaves_one_row_and_one_for_each_conflict() {
    let inspection = stuck();
    let events = inspected(&inspection, SCENE, Duration::from_millis(12));
    let [seen, note, collection] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!(
        (seen.what, seen.diverged, seen.queued, seen.caught),
        (What::Inspection, Some(2), Some(3), Some(1))
    );
    assert_eq!(
        (seen.device.as_str(), seen.server.as_str(), seen.took_ms),
        ("tablet-b", "pre-live", Some(12))
    );
    assert!(seen.causes.as_ref().is_some_and(|causes| causes.contains("concurrent-mutations")), "{seen:?}");
    assert_eq!(note.kind.as_deref(), Some("NOTE"));
    assert_eq!(note.shape.as_deref(), Some("update/update"));
    assert_eq!(note.resource.as_deref(), Some("n1"));
    // The first of the two edits and the server's write are a minute apart.
    assert_eq!(note.gap_ms, Some(60_000));
    assert_eq!((collection.shape.as_deref(), collection.gap_ms), (Some("update/delete"), None));
}

#[test]
fn a_conflict_is_the_same_one_whenever_and_whoever_looks() {
    let ids = |events: Vec<Event>| events.into_iter().map(|event| event.id).collect::<Vec<_>>();
    let first = ids(inspected(&stuck(), SCENE, Duration::ZERO));
    let elsewhere = Scene { server: "localhost", at: Millis(9_000_000) };
    let second = ids(inspected(&stuck(), elsewhere, Duration::ZERO));
    assert_ne!(first[0], second[0], "two inspections");
    assert_eq!(first[1..], second[1..], "of the same conflicts");
    assert_ne!(first[1], first[2]);
}

#[test]
fn nothing_that_people_wrote_is_in_a_row() {
    let inspection = stuck();
    let mut resolution = Resolution::default();
    resolution.choose(
        "all",
        strategy::choices_for_all(&inspection, &resolution.clone(), Strategy::ClientWins, |_| true),
    );
    let decided = Decided::of(&inspection, &resolution);
    let rows = format!("{:?}{decided:?}", inspected(&inspection, SCENE, Duration::ZERO));
    assert!(!rows.contains("people") && !rows.contains("wrote"), "{rows}");
}

#[test]
fn a_device_in_step_leaves_nothing() {
    let inspection = testing::inspection(r#"{"sync":{"lastMutationAt":100},"queue":[]}"#, "[]");
    assert!(inspected(&inspection, SCENE, Duration::ZERO).is_empty());
}
