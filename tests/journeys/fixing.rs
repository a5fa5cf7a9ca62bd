//! Without a screen: a finding is named by path and rule, a choices file corrects it, and what it says is sent.

use serde_json::Value;
use unstick::sandbox::model::{FirstSync, Model};

use super::bench::{Bench, now};

const CHOICES: &str = r#"{"schema": "unstick.choices/1", "choices": [
    {"kind": "NOTE", "key": "queue:q1", "path": "/body", "choice": {"edit": "abc, and more of it"}}]}"#;

fn bench() -> Bench {
    let model = Model::new(FirstSync::default(), now());
    let head = model.head();
    let device = format!(
        r#"{{"sync": {{"lastMutationAt": {head}}}, "queue": [
        {{"id": "q1", "type": "CREATE", "resource": "NOTE", "data": {{"body": "abc", "ranges": ["2:1-2:1"]}}}}], "resources": []}}"#
    );
    Bench::new(model, &device)
}

fn choices(bench: &Bench, name: &str, text: &str) -> String {
    let path = bench.folder.path().join(name);
    std::fs::write(&path, text).expect("it is written");
    path.to_str().expect("a path").to_owned()
}

#[test]
fn a_finding_names_path_and_rule_and_a_choices_file_corrects_it() {
    let bench = bench();
    let plan = |choices: &str| -> Value {
        serde_json::from_str(&bench.expect(0, "plan", &["--choices", choices, "--format", "json"]))
            .expect("JSON")
    };
    let none = choices(&bench, "none.json", r#"{"schema": "unstick.choices/1", "choices": []}"#);
    let corrected = choices(&bench, "choices.json", CHOICES);
    let found = plan(&none);
    assert_eq!(found["cautions"][0]["path"], "/body");
    assert_eq!(found["cautions"][0]["rule"], "note-length");
    assert_eq!(found["cautions"][0]["key"], "queue:q1");
    let fixed = plan(&corrected);
    assert_eq!(fixed["cautions"].as_array().map(Vec::len), Some(0));
    assert_eq!(fixed["ledger"][0]["value"], "abc");
    bench.expect(0, "push", &["--choices", &corrected, "--yes"]);
    let device = bench.device();
    assert_eq!(device["queue"].as_array().map(Vec::len), Some(0));
    let known = device["resources"].to_string();
    assert!(known.contains("abc, and more of it"), "{known}");
}

#[test]
fn as_it_is_queued_the_server_sets_it_aside() {
    let bench = bench();
    let said = bench.expect(1, "push", &["--strategy", "client-wins", "--yes"]);
    assert!(said.contains("Set aside, because the server refuses it"), "{said}");
    assert_eq!(bench.device()["queue"].as_array().map(Vec::len), Some(1));
}
