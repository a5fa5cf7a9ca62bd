//! A case: written from a live server, looked at without it, planned again in a CI.

use serde_json::Value;

use super::bench::{Bench, said, unstick};
use super::schemas::assert_described;

fn case(bench: &Bench, name: &str, more: &[&str]) -> (String, Value) {
    let path = bench.folder.path().join(name).to_str().expect("a path").to_owned();
    let mut arguments = vec!["--out", path.as_str()];
    arguments.extend(more);
    bench.expect(0, "case", &arguments);
    let text = std::fs::read_to_string(&path).expect("the case is there");
    (path, serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn a_case_is_planned_again_without_the_server_and_tells_when_it_comes_to_something_else() {
    let bench = Bench::scenario("delete-vs-edit");
    let (path, mut document) = case(&bench, "case.json", &["--strategy", "merge"]);
    assert_described("case-1.json", &document.to_string());
    assert_eq!(bench.requests("POST"), 0);

    let planned = unstick(&["plan", &path, "--format", "json"]).output().expect("it runs");
    assert_eq!(planned.status.code(), Some(0), "{}", said(&planned));
    let plan: Value = serde_json::from_slice(&planned.stdout).expect("JSON");
    assert_eq!(plan["ledger"], document["outcome"]["plan"]["ledger"]);
    assert_eq!(plan["batches"], document["outcome"]["plan"]["batches"]);
    let inspected = unstick(&["inspect", &path, "--format", "json"]).output().expect("it runs");
    let inspection: Value = serde_json::from_slice(&inspected.stdout).expect("JSON");
    assert_eq!(inspection["pairs"], document["outcome"]["inspection"]["pairs"]);

    document["outcome"]["plan"]["movesCursor"] = Value::Bool(plan["movesCursor"] != Value::Bool(true));
    std::fs::write(&path, document.to_string()).expect("written");
    let changed = unstick(&["plan", &path]).output().expect("it runs");
    assert_eq!(changed.status.code(), Some(1), "{}", said(&changed));
    assert!(said(&changed).contains("/plan/movesCursor"), "{}", said(&changed));
}

#[test]
fn a_redacted_case_holds_no_note_and_says_the_same() {
    let bench = Bench::scenario("tablet-behind");
    let (_, plain) = case(&bench, "plain.json", &["--strategy", "client-wins"]);
    let (path, redacted) = case(&bench, "redacted.json", &["--strategy", "client-wins", "--redact"]);
    assert_described("case-1.json", &redacted.to_string());
    assert!(plain.to_string().contains("صبر") && !redacted.to_string().contains("صبر"));
    let text = redacted.to_string();
    let id = plain["device"]["device"]["id"].as_str();
    for hidden in ["Tablet B", "2:255"].into_iter().chain(id) {
        assert!(plain.to_string().contains(hidden) && !text.contains(hidden), "{hidden}");
    }
    let statuses = |case: &Value| -> Vec<Value> {
        let pairs = case["outcome"]["inspection"]["pairs"].as_array().expect("pairs");
        pairs.iter().map(|pair| pair["status"].clone()).collect()
    };
    assert_eq!(statuses(&plain), statuses(&redacted));
    let planned = unstick(&["plan", &path]).output().expect("it runs");
    assert_eq!(planned.status.code(), Some(0), "{}", said(&planned));
}

#[test]
fn a_case_overwrites_nothing_and_is_never_pushed() {
    let bench = Bench::scenario("tablet-behind");
    let device = bench.device.to_str().expect("a path").to_owned();
    let before = bench.text();
    let refused = bench.run("case", &["--out", &device]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert_eq!(bench.text(), before);

    let (path, _) = case(&bench, "case.json", &[]);
    let undecided = unstick(&["plan", &path]).output().expect("it runs");
    assert_eq!(undecided.status.code(), Some(2), "{}", said(&undecided));
    let url = bench.server.url();
    let arguments = ["push", &path, "--server", &url, "--strategy", "merge", "--yes"];
    let pushed = unstick(&arguments).output().expect("it runs");
    assert_eq!(pushed.status.code(), Some(2), "{}", said(&pushed));
    assert!(said(&pushed).contains("a case"), "{}", said(&pushed));
    assert_eq!(bench.requests("POST"), 0);
    let plain = unstick(&["plan", &device, "--strategy", "merge"]).output().expect("it runs");
    assert_eq!(plain.status.code(), Some(2), "{}", said(&plain));
    assert!(said(&plain).contains("--server"), "{}", said(&plain));
}
