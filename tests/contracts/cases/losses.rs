//! What the phone goes on without although its sync passes (PROTOCOL A10, silent divergence).

use serde_json::{Value, json};
use unstick::domain::device::Device;
use unstick::domain::mutation::Kind;
use unstick::domain::phone::{Cycle, FIRST_PAGE, Loss, Phone};
use unstick::domain::window::Window;

use super::case;

fn served(resource: &str, id: &str, data: &Value) -> Value {
    json!({"type": "CREATE", "resource": resource, "resourceId": id, "data": data, "timestamp": 5000})
}

fn note(id: &str, ranges: &Value) -> Value {
    served("NOTE", id, &json!({"body": "Bismillah", "ranges": ranges}))
}

fn session(id: &str, chapter: i64, verse: i64) -> Value {
    served("READING_SESSION", id, &json!({"chapterNumber": chapter, "verseNumber": verse}))
}

fn window(entries: &[Value]) -> Window {
    case::window(entries.iter().map(case::served).collect())
}

fn device(rows: &[(&str, &str, Value)]) -> Device {
    let known = rows
        .iter()
        .map(|(kind, id, data)| case::known(&Kind::from_wire(kind), id, case::payload(Some(data))));
    Device { known: Some(known.collect()), ..Device::default() }
}

fn losses(cycle: &Cycle) -> Vec<(&str, Loss)> {
    assert!(cycle.aborts.is_empty(), "{:?}", cycle.aborts);
    cycle.lost.iter().map(|lost| (lost.id.as_ref().map_or("", |id| id.as_str()), lost.why)).collect()
}

#[test]
fn what_stands_in_the_way_on_the_phone_is_kept_and_the_servers_is_lost() {
    let device = device(&[
        ("READING_SESSION", "s1", json!({"chapterNumber": 2, "verseNumber": 255})),
        ("COLLECTION", "c1", json!({"name": "Duas"})),
    ]);
    let window = window(&[
        session("s2", 2, 255),
        session("s3", 2, 256),
        served("COLLECTION", "c2", &json!({"name": "Duas"})),
        served("COLLECTION", "c3", &json!({"name": "Ramadan"})),
    ]);
    let cycle = Phone::new(&device, &window).cycle();
    assert_eq!(losses(&cycle), [("c2", Loss::NameTaken), ("s2", Loss::PlaceTaken)]);
}

#[test]
fn what_the_phone_can_make_nothing_of_is_lost() {
    let window = window(&[
        served("BOOKMARK", "b1", &json!({"type": "surah", "key": 2})),
        served("BOOKMARK", "b2", &json!({"type": "ayah", "key": 2, "verseNumber": 255})),
        served("COLLECTION", "c1", &json!({"name": ""})),
        json!({"type": "CREATE", "resource": "COLLECTION_BOOKMARK", "resourceId": "c-unknown",
               "data": {"collectionId": "c", "bookmarkId": "unknown"}, "timestamp": 5000}),
        note("n1", &json!(["soon"])),
        note("n2", &json!(["2:1", "2:3-2:4"])),
        note("n3", &json!(["2:1"])),
        json!({"type": "DELETE", "resource": "BOOKMARK", "resourceId": "b9", "timestamp": 5000}),
    ]);
    let cycle = Phone::new(&device(&[]), &window).cycle();
    let mut found = losses(&cycle);
    found.sort_by_key(|(id, _)| *id);
    assert_eq!(
        found,
        [
            ("b1", Loss::Unusable),
            ("c-unknown", Loss::Unusable),
            ("c1", Loss::Unusable),
            ("n1", Loss::Unusable),
            ("n2", Loss::RangesCut),
        ]
    );
}

#[test]
fn the_oldest_of_too_many_sessions_are_deleted() {
    let entries: Vec<Value> = (1..=25).map(|verse| session(&format!("s{verse}"), 2, verse)).collect();
    let window = window(&entries);
    let found = Phone::new(&device(&[]), &window).cycle();
    assert_eq!(losses(&found).len(), 5);
    assert!(losses(&found).iter().all(|(_, why)| *why == Loss::Retired));
}

#[test]
fn what_stands_behind_the_first_page_is_never_seen() {
    let entries: Vec<Value> =
        (0..130).map(|at| note(&format!("n{at}"), &json!([format!("2:{at}")]))).collect();
    let window = window(&entries);
    let device = device(&[]);
    let whole = Phone::new(&device, &window).cycle();
    assert_eq!(losses(&whole), []);
    let page = Phone::with_first_page(&device, &window).cycle();
    let found = losses(&page);
    assert_eq!(found.len(), entries.len() - FIRST_PAGE);
    assert_eq!((found[0], found[29]), (("n100", Loss::BeyondFirstPage), ("n129", Loss::BeyondFirstPage)));
    let taken: usize = page.looks.iter().map(|look| look.plan.persist.len()).sum();
    assert_eq!(taken, FIRST_PAGE);
}

#[test]
fn what_the_phone_does_not_ask_for_it_does_not_stumble_over() {
    let entries = |odd: usize| {
        let time = |at: usize| if at == odd { "5000.0" } else { "5000" };
        let entry = |at: usize| {
            let time = time(at);
            format!(r#"{{"type":"DELETE","resource":"NOTE","resourceId":"n{at}","timestamp":{time}}}"#)
        };
        (0..150).map(entry).collect::<Vec<_>>().join(",")
    };
    let device = device(&[]);
    for (odd, stops) in [(0, true), (FIRST_PAGE - 1, true), (FIRST_PAGE, false)] {
        let window = crate::client_observed::window(&entries(odd));
        assert_eq!(Phone::new(&device, &window).aborts().len(), 1, "{odd}");
        assert_eq!(Phone::with_first_page(&device, &window).aborts().len(), usize::from(stops), "{odd}");
    }
}
