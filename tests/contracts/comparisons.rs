//! What `compare` writes: its schema, and that every number in it is the one that `plan` gives.

use serde_json::{Value, json};
use unstick::domain::again::UNNAMED;
use unstick::domain::strategy::Strategy;
use unstick::exit::ExitCode;
use unstick::headless::{self, Decision, Format, Looked};

use super::reports::{FIXTURES, inspection, of_fixture, options, planned};
use crate::schemas::{assert_described, parsed};

fn looked(names: &[&str]) -> Vec<Looked> {
    let looked = |name: &&str| Looked {
        file: format!("{name}.json"),
        inspection: of_fixture(name),
        warnings: Vec::new(),
        again: UNNAMED.clone(),
    };
    names.iter().map(looked).collect()
}

fn compared(names: &[&str], format: Format) -> (String, ExitCode) {
    written(&looked(names), format)
}

fn written(looked: &[Looked], format: Format) -> (String, ExitCode) {
    let mut out = Vec::new();
    let code = headless::compare(looked, options(format), &mut out).expect("memory takes everything");
    (String::from_utf8(out).expect("reports are UTF-8"), code)
}

/// Two devices whose fleet can be counted by hand. The first gave a collection a name half a minute after the web did,
/// and made a note; the second rewrote body and ranges of a note an hour before the web deleted it, and lacks a note.
fn fleet() -> Vec<Looked> {
    let first = (
        r#"{"sync": {"lastMutationAt": 100}, "queue": [
            {"id": "a1", "type": "UPDATE", "resource": "COLLECTION", "resourceId": "c1",
             "data": {"name": "named here", "clientUpdatedAt": "2026-02-02T10:00:30.000Z"}},
            {"id": "a2", "type": "CREATE", "resource": "NOTE",
             "data": {"body": "only here", "ranges": ["3:1-3:1"], "saveToQR": false}}]}"#,
        r#"[{"type": "UPDATE", "resource": "COLLECTION", "resourceId": "c1", "timestamp": 1770026400000,
             "data": {"name": "named there", "clientUpdatedAt": "2026-02-02T10:00:00.000Z"}}]"#,
    );
    let second = (
        r#"{"sync": {"lastMutationAt": 100}, "queue": [
            {"id": "b1", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "createdAt": 1770022800000,
             "data": {"body": "rewritten", "ranges": ["2:1-2:1"], "clientUpdatedAt": "2026-02-02T09:00:00.000Z"}}]}"#,
        r#"[{"type": "DELETE", "resource": "NOTE", "resourceId": "n1", "timestamp": 1770026400000},
            {"type": "CREATE", "resource": "NOTE", "resourceId": "n9", "timestamp": 1770026401000,
             "data": {"body": "only there", "ranges": ["4:1-4:1"]}}]"#,
    );
    [("first", first), ("second", second)]
        .map(|(name, (device, window))| {
            let pull = format!(
                r#"{{"success": true, "requestId": "req-1", "data": {{"lastMutationAt": 1770026401000, "mutations": {window},
                    "page": 1, "limit": 1000, "total": 2, "hasMore": false}}}}"#
            );
            Looked {
                file: format!("{name}.json"),
                inspection: inspection(device, &pull),
                warnings: Vec::new(), again: UNNAMED.clone() }
        })
        .into()
}

#[test]
fn comparisons_are_what_their_schema_says() {
    let (text, code) = compared(&FIXTURES, Format::Json);
    assert_described("comparison-1.json", &text);
    assert_eq!(code, ExitCode::Open);
    assert_eq!(parsed(&text)["fleet"]["devices"], 2);
}

#[test]
fn every_number_is_the_one_that_the_plan_gives() {
    let report = parsed(&compared(&FIXTURES, Format::Json).0);
    for (device, name) in report["devices"].as_array().expect("devices").iter().zip(FIXTURES) {
        for strategy in Strategy::ALL {
            let plan = planned(&of_fixture(name), Decision::Strategy(strategy), Format::Json).0;
            let plan = parsed(&plan);
            let count = |member: &str| plan[member].as_array().expect("a list").len();
            let lost = |side: &str| {
                plan["ledger"]
                    .as_array()
                    .expect("a ledger")
                    .iter()
                    .filter(|loss| loss["side"] == side)
                    .count()
            };
            let pushed: usize = plan["batches"]
                .as_array()
                .expect("batches")
                .iter()
                .map(|batch| batch["mutations"].as_array().map_or(0, Vec::len))
                .sum();
            let total = &device["strategies"][strategy.name()];
            assert_eq!(total["pushed"], pushed, "{name} {strategy}");
            assert_eq!(total["applied"], count("apply"), "{name} {strategy}");
            assert_eq!(total["posts"], count("batches"), "{name} {strategy}");
            assert_eq!(total["open"], count("open"), "{name} {strategy}");
            assert_eq!(total["lostDevice"], lost("device"), "{name} {strategy}");
            assert_eq!(total["lostServer"], lost("server"), "{name} {strategy}");
            // What stands beside the cells is the whole ledger, each value once.
            let mut beside: Vec<Value> = Vec::new();
            for pair in device["divergences"].as_array().expect("divergences") {
                for field in pair["fields"].as_array().expect("fields") {
                    for loss in field["leaves"][strategy.name()]["lost"].as_array().expect("losses") {
                        beside.push(json!({"kind": pair["kind"], "key": pair["key"], "path": field["path"],
                            "side": loss["side"], "value": loss["value"]}));
                    }
                }
            }
            let sorted = |mut all: Vec<Value>| {
                all.sort_by_key(ToString::to_string);
                all
            };
            let mut ledger: Vec<Value> = Vec::new();
            for line in plan["ledger"].as_array().expect("a ledger") {
                let under = line["under"].as_array().into_iter().flatten();
                for loss in std::iter::once(line).chain(under) {
                    ledger.push(json!({"kind": line["kind"], "key": line["key"], "path": loss["path"],
                        "side": line["side"], "value": loss["value"]}));
                }
            }
            assert_eq!(sorted(beside), sorted(ledger), "{name} {strategy}");
        }
    }
}

#[test]
fn the_four_strategies_as_people_read_them() {
    insta::assert_snapshot!("fleet.compare", compared(&FIXTURES, Format::Human).0);
}

#[test]
fn a_fleet_is_what_is_counted_by_hand() {
    let (text, code) = written(&fleet(), Format::Json);
    assert_described("comparison-1.json", &text);
    assert_eq!(code, ExitCode::Open);
    let fleet_json = &parsed(&text)["fleet"];
    assert_eq!(fleet_json["devices"], 2);
    let counts = ["pushed", "applied", "lostDevice", "lostServer", "open", "held", "requests"];
    for (strategy, expected) in [
        // The new note goes; all three of the web's are taken over; the name, and a whole note, are given up.
        (Strategy::ServerWins, [1, 3, 2, 0, 0, 0, 2]),
        // The name, the new note and the note brought back go; the web's name and its deletion are gone over.
        // The first device needs two POSTs, collections before notes, and a pull; the second one of each.
        (Strategy::ClientWins, [3, 3, 0, 2, 0, 0, 5]),
        // The name is newer on the device, the deletion on the web.
        (Strategy::LastWriteWins, [2, 3, 1, 1, 0, 0, 3]),
        // Without a base nothing settles itself: the name and the note wait, each with its one mutation.
        (Strategy::Merge, [1, 1, 0, 0, 2, 2, 2]),
    ] {
        let total = &fleet_json["strategies"][strategy.name()];
        assert_eq!(counts.map(|count| total[count].as_u64().expect("a count")), expected, "{strategy}");
    }
    let kinds = fleet_json["kinds"].as_array().expect("kinds");
    let kinds: Vec<Value> = kinds
        .iter()
        .map(|kind| {
            json!([kind["kind"], kind["divergences"], kind["losesLeast"], kind["losesLeastUnattended"]])
        })
        .collect();
    assert_eq!(kinds.len(), 2);
    assert!(kinds.contains(&json!(["COLLECTION", 1, "merge", "server-wins"])), "{kinds:?}");
    assert!(kinds.contains(&json!(["NOTE", 1, "merge", "server-wins"])), "{kinds:?}");
}

#[test]
fn a_fleet_tells_people_the_same() {
    let text = written(&fleet(), Format::Human).0;
    let (_, together) = text.split_once("2 devices together").expect("the fleet");
    let row = |what: &str| {
        let line = together.lines().find_map(|line| line.trim_start().strip_prefix(what)).expect("a row");
        line.split_whitespace().map(|count| count.parse::<usize>().expect("a count")).collect::<Vec<_>>()
    };
    for (what, expected) in [
        ("mutations pushed", [1, 3, 2, 1]),
        ("server mutations applied", [3, 3, 3, 1]),
        ("device changes lost", [2, 0, 1, 0]),
        ("server changes lost", [0, 2, 1, 0]),
        ("fields left open", [0, 0, 0, 2]),
        ("requests needed", [2, 5, 3, 2]),
    ] {
        assert_eq!(row(what), expected, "{what}");
    }
    let notes = "NOTE, 1 divergence: merge loses nothing and leaves 1 field open; where nobody is there to ask: \
                 server-wins loses 1 change";
    assert!(together.contains(notes), "{together}");
    // The name is 30 s newer on the device; the deletion is an hour newer on the web.
    assert!(text.contains("flips if the device's clock is 30 s fast"), "{text}");
    assert!(text.contains("flips if the device's clock is 3601 s slow"), "{text}");
}
