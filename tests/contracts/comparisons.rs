//! What `compare` writes: its schema, and that every number in it is the one that `plan` gives.

use serde_json::{Value, json};
use unstick::domain::strategy::Strategy;
use unstick::exit::ExitCode;
use unstick::headless::{self, Decision, Format, Looked};

use super::reports::{FIXTURES, of_fixture, options, planned};
use crate::schemas::{assert_described, parsed};

fn looked(names: &[&str]) -> Vec<Looked> {
    let looked = |name: &&str| Looked {
        file: format!("{name}.json"),
        inspection: of_fixture(name),
        warnings: Vec::new(),
    };
    names.iter().map(looked).collect()
}

fn compared(names: &[&str], format: Format) -> (String, ExitCode) {
    let mut out = Vec::new();
    let code = headless::compare(&looked(names), options(format), &mut out).expect("memory takes everything");
    (String::from_utf8(out).expect("reports are UTF-8"), code)
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
                            "side": loss["side"], "value": loss["value"], "reason": loss["reason"]}));
                    }
                }
            }
            let sorted = |mut all: Vec<Value>| {
                all.sort_by_key(ToString::to_string);
                all
            };
            let ledger = plan["ledger"].as_array().expect("a ledger").clone();
            assert_eq!(sorted(beside), sorted(ledger), "{name} {strategy}");
        }
    }
}

#[test]
fn the_four_strategies_as_people_read_them() {
    insta::assert_snapshot!("fleet.compare", compared(&FIXTURES, Format::Human).0);
}
