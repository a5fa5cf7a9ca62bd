//! `serialization.json`: what is sent for a queue entry is what the phone would send. The step from a database row
//! to a queue entry is the device reader's; here an entry holds what a row holds, times as ms.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use unstick::domain::device::Device;
use unstick::domain::field::Choice;
use unstick::domain::inspect::inspect;
use unstick::domain::mutation::{Kind, Millis};
use unstick::domain::plan::plan;
use unstick::domain::resolution::{By, Chosen, Resolution, Unit};

use super::case;

#[test]
fn a_queue_entry_is_sent_as_the_phone_would_send_it() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../fixtures/cases/serialization.json"))
        .expect("the cases are JSON");
    for case in &cases {
        let name = case["name"].as_str().expect("a name");
        let expected = &case["expect"]["wire"];
        let found = sent(&case["local"]);
        assert_eq!(found["type"], expected["type"], "{name}");
        assert_eq!(found["resource"], expected["resource"], "{name}");
        if found["resource"] == "COLLECTION_BOOKMARK" {
            // The phone writes the id that it made of the two ids; nobody needs it (PROTOCOL D4).
            assert_eq!(found.get("resourceId"), None, "{name}");
        } else {
            assert_eq!(found.get("resourceId"), expected.get("resourceId"), "{name}");
        }
        assert_eq!(with_instants(&found["data"]), with_instants(&expected["data"]), "{name}");
        for absent in case["expect"]["absentDataKeys"].as_array().expect("keys") {
            let key = absent.as_str().expect("a key");
            assert!(found["data"].get(key).is_none(), "{name}: {key} is sent");
        }
    }
}

/// The one mutation that is sent for a row. A reading place that the server has as a plain bookmark is chosen from
/// the device, which is the one situation in which the phone sends an UPDATE of a bookmark.
fn sent(row: &Value) -> Value {
    let conflict = row["resource"] == "BOOKMARK" && row["op"] == "UPDATE";
    let mut entry = json!({
        "localId": "q1",
        "type": if conflict { "CREATE" } else { row["op"].as_str().expect("an op") },
        "resource": row["resource"],
        "data": data(row),
        "timestamp": row["modifiedAt"],
    });
    let mut pulled = Vec::new();
    match row["remoteId"].as_str() {
        Some(id) if conflict => {
            let mut data = data(row);
            data.insert(String::from("isReading"), json!(false));
            data.insert(String::from("clientUpdatedAt"), json!(1));
            let mutation = json!({
                "type": "CREATE", "resource": "BOOKMARK", "resourceId": id, "data": data, "timestamp": 1000
            });
            pulled.push(case::served(&mutation));
        }
        Some(id) => entry["resourceId"] = json!(id),
        None => {}
    }
    let device = Device { queue: vec![case::queued(&entry)], ..Device::default() };
    let inspection = inspect(Arc::new(device), Arc::new(case::window(pulled)));
    let mut resolution = Resolution::default();
    for (pair, details) in inspection.ids() {
        let units = details.open.iter().map(|path| Unit { pair, path: path.clone() });
        let device = Chosen { choice: Choice::Device, by: By::Hand };
        resolution.choose("device", units.map(|unit| (unit, Some(device.clone()))).collect::<Vec<_>>());
    }
    let plan = plan(&inspection, &resolution, Millis(0));
    let wires: Vec<Value> =
        plan.items().map(|item| serde_json::to_value(&item.wire).expect("it serialises")).collect();
    let [wire] = &wires[..] else { panic!("{} mutations are sent", wires.len()) };
    wire.clone()
}

/// What an app that exports its rows as they are would write.
fn data(row: &Value) -> Map<String, Value> {
    let mut data = Map::new();
    let mut put = |name: &str, value: &Value| {
        if !value.is_null() {
            data.insert(name.to_owned(), value.clone());
        }
    };
    match Kind::from_wire(row["resource"].as_str().expect("a kind")) {
        Kind::Bookmark | Kind::Link => {
            let page = &row["page"];
            put("collectionId", &row["collectionRemoteId"]);
            put("bookmarkId", &row["bookmarkRemoteId"]);
            put("type", &json!(if page.is_null() { "ayah" } else { "page" }));
            put("key", if page.is_null() { &row["sura"] } else { page });
            put("verseNumber", &row["ayah"]);
            put("isReading", &row["isReading"]);
            put("mushaf", &json!(1));
        }
        Kind::Collection => {
            put("name", &row["name"]);
            put("isDefault", &json!(false));
            put("isSystem", &json!(false));
        }
        Kind::Note => {
            put("body", &row["body"]);
            put("ranges", &row["ranges"]);
        }
        Kind::ReadingSession => {
            put("chapterNumber", &row["sura"]);
            put("verseNumber", &row["ayah"]);
        }
        Kind::Other(word) => panic!("kind {word}"),
    }
    put("clientCreatedAt", &iso(&row["createdAt"]));
    put("clientUpdatedAt", &iso(&row["modifiedAt"]));
    data
}

fn iso(ms: &Value) -> Value {
    ms.as_i64().map_or(Value::Null, |ms| json!(Millis(ms).to_iso()))
}

/// The same moment is the same, with or without its milliseconds written out.
fn with_instants(data: &Value) -> Value {
    let mut data = data.clone();
    for name in ["clientCreatedAt", "clientUpdatedAt"] {
        if let Some(time) = data.get_mut(name) {
            let read = time.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
            *time = json!(read.map(jiff::Timestamp::as_millisecond));
        }
    }
    data
}
