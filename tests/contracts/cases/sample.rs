//! The sample device (`device-sample.sqlite` as its pending rows) in front of its pull: what the phone's client
//! does kind by kind, and what stops it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use unstick::device::DeviceFile;
use unstick::domain::device::{Device, Known};
use unstick::domain::inspect::inspect;
use unstick::domain::mutation::{Cursor, Kind, Millis};
use unstick::domain::phone::{Conflict, Phone, Step, sdk_abort_causes};
use unstick::domain::window::Window;

use super::{case, phone::thrown};

fn pull() -> Value {
    let text = include_str!("../../fixtures/device/device-sample.pull.json");
    serde_json::from_str(text).expect("the sample is JSON")
}

/// The rows of the sample's database that a mutation without data is looked up in.
fn rows() -> Vec<Known> {
    let verse = |key: i64, verse: i64| json!({"type": "ayah", "key": key, "verseNumber": verse});
    let bookmarks = [
        ("j1rnpmr1zu3ytynk6e0w5zp0", verse(2, 255)),
        ("u54maufl0ftmarp73ei0hg64", verse(18, 10)),
        ("w7e8r9t0y1u2i3o4p5a6s7d8", verse(3, 200)),
        ("z1x2c3v4b5n6m7a8s9d0f1g2", verse(94, 5)),
        ("q9w8e7r6t5y4u3i2o1p0a9s8", json!({"type": "page", "key": 42})),
    ];
    bookmarks.iter().map(|(id, data)| case::known(&Kind::Bookmark, id, case::payload(Some(data)))).collect()
}

/// The sample as its file has it, without a list of resources, and with the rows of its database.
fn samples() -> [(Device, Window); 2] {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/device-sample.json");
    let device = DeviceFile::read(&path).unwrap_or_else(|error| panic!("{error}")).device().clone();
    let pull = pull();
    let pages = pull["pages"].as_array().expect("pages").iter();
    let mut mutations: Vec<_> = pages
        .flat_map(|page| page["body"]["data"]["mutations"].as_array().expect("mutations"))
        .map(case::served)
        .collect();
    mutations.sort_by_key(|m| m.timestamp);
    let head = mutations.last().map_or(Millis(0), |m| m.timestamp);
    let since = device.sync.cursor.expect("a cursor");
    let window = Window { since, head: Cursor::read(head.0), ..case::window(mutations) };
    // The rows are those that a lookup needs, not all that the phone has.
    let with_rows = Device { known: Some(rows()), ..device.clone() };
    [(device, window.clone()), (with_rows, window)]
}

/// The row that a queue entry is called by: `TABLE:ROW`.
fn row(id: &str) -> &str {
    id.split_once(':').expect("TABLE:ROW").1
}

#[test]
fn the_phone_does_kind_by_kind_what_the_sample_says() {
    for (device, window) in samples() {
        compare(&device, &window);
    }
}

fn compare(device: &Device, window: &Window) {
    let phone = Phone::new(device, window);
    let outcome = pull()["sdkOutcome"].clone();
    for kind in Kind::KNOWN {
        let expected = &outcome[kind.wire()];
        let plan = phone.plan(&kind);
        if let Some(words) = expected["throws"].as_str() {
            let abort = plan.expect_err("the client throws");
            assert!(thrown(words).contains(&abort.id), "{}: {}", kind.wire(), abort.id);
            continue;
        }
        let plan = plan.unwrap_or_else(|abort| panic!("{}: {}", kind.wire(), abort.id));
        let row = |at: &usize| row(device.queue[*at].id.as_str());
        let server = |at: &usize| case::server_id(&window.mutations[*at]);
        let conflict = |c: &Conflict| {
            json!([
                c.device.iter().map(row).collect::<Vec<_>>(),
                c.server.iter().map(server).collect::<Vec<_>>()
            ])
        };
        let pushed =
            |step: &Step| json!({"localId": row(&step.at), "type": step.op.wire(), "resourceId": step.id});
        let persisted = |step: &Step| json!({"resourceId": step.id, "type": step.op.wire()});
        let found = json!({
            "conflicts": sorted(plan.conflicts.iter().map(conflict).collect()),
            "push": plan.push.iter().map(pushed).collect::<Vec<_>>(),
            "persist": sorted(plan.persist.iter().map(persisted).collect()),
        });
        let expected = json!({
            "conflicts": sorted(expected["conflicts"].as_array().expect("conflicts").clone()),
            "push": expected["push"],
            "persist": sorted(expected["persist"].as_array().expect("persist").clone()),
        });
        assert_eq!(found, expected, "{}", kind.wire());
    }
}

/// The cases say what belongs together, not in which order the kinds' groups come.
fn sorted(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by_key(ToString::to_string);
    values
}

#[test]
fn the_inspection_groups_the_sample_as_the_phone_does() {
    let outcome = pull()["sdkOutcome"].clone();
    let inspections = samples().map(|(device, window)| inspect(Arc::new(device), Arc::new(window)));
    for (inspection, kind) in inspections.iter().flat_map(|i| Kind::KNOWN.map(|kind| (i, kind))) {
        let Some(expected) = case::conflicts(&outcome[kind.wire()]) else { continue };
        let both = inspection
            .pairs
            .iter()
            .filter(|p| p.kind == kind && !p.device.is_empty() && !p.server.is_empty());
        let found: BTreeSet<case::Ids> = both
            .map(|pair| {
                let rows = inspection.queued(pair).map(|m| row(m.id.as_str()).to_owned()).collect();
                (rows, inspection.served(pair).map(case::server_id).collect())
            })
            .collect();
        assert_eq!(found, expected.into_iter().collect(), "{}", kind.wire());
    }
}

#[test]
fn the_first_cause_is_what_stops_the_sample() {
    let [(device, window), _] = samples();
    let bodies: Vec<String> = device
        .queue
        .iter()
        .flat_map(|m| m.data.members().into_iter().filter_map(|(_, value)| value.as_str().map(str::to_owned)))
        .filter(|text| !text.is_ascii())
        .collect();
    let causes = sdk_abort_causes(&inspect(Arc::new(device), Arc::new(window)));
    let ids: Vec<&str> = causes.iter().map(|cause| cause.id.as_str()).collect();
    assert_eq!(ids, ["sdk-abort:S-R1", "sdk-abort:S-P2"]);
    assert_eq!(
        causes[0].evidence,
        "queue entry bookmark:2 makes the bookmark at 18:10, which the server deleted (DELETE of \
         u54maufl0ftmarp73ei0hg64)"
    );
    assert_eq!(
        causes[0].next,
        "push it from here; the phone itself needs a repaired copy of its database then"
    );
    assert!(causes[1].evidence.starts_with("queue entry note:5: body has 4 characters"));
    assert!(bodies.len() > 5);
    for text in &bodies {
        assert!(
            causes.iter().all(|cause| !cause.evidence.contains(text.as_str())),
            "a cause holds a payload"
        );
    }
}
