//! What `log` writes: the schema in `assets/schemas`, with and without anything to tell, and the figures of a log
//! small enough to count by hand.

use serde_json::{Value, json};
use unstick::conflict_log::event::{Event, What};
use unstick::conflict_log::summary::{Advice, Counts, Filter, Of, Summary};
use unstick::report::log::Report;

use crate::schemas::assert_described;

const MINUTE: i64 = 60_000;

/// Two conflicts, twenty minutes and a day apart; one of them was settled by the second of two POSTs.
fn small() -> Summary {
    let conflict = |kind: &str, gap_ms| Event {
        what: What::Conflict,
        device: "tablet-b".into(),
        kind: Some(kind.into()),
        shape: Some("update/update".into()),
        causes: Some("another-device-synced concurrent-mutations".into()),
        gap_ms: Some(gap_ms),
        ..Event::default()
    };
    let rows = [
        Event { caught: Some(1), ..Event::default() },
        conflict("NOTE", 20 * MINUTE),
        conflict("BOOKMARK", 24 * 60 * MINUTE),
        Event { what: What::Push, posts: Some(2), refused: Some(1), ..Event::default() },
        Event {
            what: What::Resolution,
            choice: Some("server".into()),
            strategy: Some("hand".into()),
            took_ms: Some(90_000),
            ..Event::default()
        },
    ];
    let mut counts = Counts::default();
    for row in &rows {
        counts.count(row);
    }
    counts.add(Of::Day, "20600", 2);
    Summary::new(&counts, Some(90_000), Some(Advice { percent: 80, every_ms: 20 * MINUTE }))
}

fn written(summary: &Summary, filter: &Filter) -> Value {
    let mut out = Vec::new();
    Report { summary, filter, of: "Conflict log" }.write_json(&mut out).expect("memory takes everything");
    let text = String::from_utf8(out).expect("reports are UTF-8");
    assert_described("log-1.json", &text);
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_small_log_is_told_as_it_is_counted_by_hand() {
    let filter = Filter { since: Some(20_599), device: Some("tablet-b".into()), demos: false };
    let told = written(&small(), &filter);
    assert_eq!(told["schema"], "unstick.log/1");
    assert_eq!((&told["since"], &told["device"]), (&json!("2026-05-26"), &json!("tablet-b")));
    assert_eq!((&told["conflicts"], &told["resolved"]), (&json!(2), &json!(1)));
    assert_eq!((&told["inspections"], &told["inspectionsAfter409"]), (&json!(1), &json!(1)));
    assert_eq!((&told["posts"], &told["posts409"], &told["rate409"]), (&json!(2), &json!(1), &json!(0.5)));
    assert_eq!(told["medianToResolveMs"], 90_000);
    assert_eq!(told["byDay"], json!([{"value": "2026-05-27", "count": 2}]));
    assert_eq!(told["byKind"], json!([{"value": "BOOKMARK", "count": 1}, {"value": "NOTE", "count": 1}]));
    assert_eq!(told["byChoice"], json!([{"value": "server", "count": 1}]));
    let interval = |every_ms: i64| {
        let all = told["avoidedByInterval"].as_array().expect("a list");
        all.iter().find(|interval| interval["everyMs"] == every_ms).expect("it is looked at").clone()
    };
    assert_eq!(interval(15 * MINUTE)["share"], 1.0);
    assert_eq!(interval(30 * MINUTE)["share"], 0.5);
    assert_eq!(told["interval"], json!({"percent": 80, "everyMs": 20 * MINUTE}));
}

#[test]
fn an_empty_log_has_no_rates_and_every_list() {
    let told = written(
        &Summary::new(&Counts::default(), None, None),
        &Filter { since: None, device: None, demos: false },
    );
    for member in ["since", "device", "medianToResolveMs", "rate409", "interval"] {
        assert_eq!(told[member], Value::Null, "{member}");
    }
    assert_eq!(told["byDay"], json!([]));
}
