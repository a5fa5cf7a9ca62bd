//! The ways a pull can go, each with its own words, and the first sync.

use serde_json::json;
use unstick::domain::mutation::Millis;
use unstick::sandbox::model::{FirstSync, Model};

use super::bench::{Bench, now, said};

fn note(id: &str) -> serde_json::Value {
    json!({"id": id, "type": "CREATE", "resource": "NOTE", "data": {"body": format!("a note of {id}"), "ranges": ["1:1-1:2"]}})
}

#[test]
fn a_first_sync_carries_exactly_the_head_that_the_pull_answered() {
    let device = json!({"sync": {}, "queue": [note("q1")], "resources": []}).to_string();
    let bench = Bench::new(Model::new(FirstSync::Minus1, now()), &device);
    let text = bench.expect(0, "inspect", &[]);
    assert!(text.contains("first-sync-mismatch") && text.contains("-1"), "{text}");
    let output = bench.run("push", &["--strategy", "merge", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("lastMutationAt=-1"));
}

#[test]
fn a_lost_cursor_asks_for_the_head_first_and_pulls_everything() {
    let bench = Bench::scenario("tablet-behind");
    let mut device = bench.device();
    device["sync"].as_object_mut().expect("sync").remove("lastMutationAt");
    std::fs::write(&bench.device, device.to_string()).expect("it is written");
    let text = bench.expect(1, "inspect", &[]);
    assert!(text.contains("missed-header") && text.contains("no cursor"), "{text}");
    let log = bench.server.log();
    let first = log.first().expect("a request");
    assert!(first.target.contains("metadataOnly=true"), "{}", first.target);
    assert!(log.iter().skip(1).all(|request| request.target.contains("mutationsSince=0")));
}

#[test]
fn a_cursor_ahead_of_the_head_is_told_and_warned_of() {
    let bench = Bench::scenario("tablet-behind");
    let mut device = bench.device();
    device["sync"]["lastMutationAt"] = json!(now().0 + 1_000_000_000);
    std::fs::write(&bench.device, device.to_string()).expect("it is written");
    let text = bench.expect(1, "inspect", &[]);
    assert!(text.contains("cursor-ahead") && text.contains("never gave it"), "{text}");
    let plan = bench.expect(0, "plan", &["--strategy", "client-wins"]);
    assert!(plan.contains("make sure that it is the right server"), "{plan}");
    // Nobody looks while it runs: nothing is sent to what may be somebody else's account.
    let output = bench.run("push", &["--strategy", "client-wins", "--yes"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert_eq!(bench.requests("POST"), 0);
    bench.expect(0, "push", &["--strategy", "client-wins", "--yes", "--accept-cursor-ahead"]);
}

#[test]
fn a_device_in_step_has_nothing_to_do() {
    let model = Model::new(FirstSync::Positive, Millis(1_790_000_000_000));
    let head = model.head().value();
    let device = json!({"sync": {"lastMutationAt": head}, "queue": [], "resources": []}).to_string();
    let bench = Bench::new(model, &device);
    bench.expect(0, "inspect", &[]);
    bench.expect(0, "push", &["--strategy", "merge", "--yes"]);
    assert_eq!(bench.requests("POST"), 0);
}
