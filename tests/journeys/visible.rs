//! A token that does not see every kind: what it hides is not missing, and nothing of it is decided.

use serde_json::Value;

use super::bench::{Bench, said, unstick};

fn run(bench: &Bench, token: &str, command: &str, more: &[&str]) -> std::process::Output {
    let (url, device) = (bench.server.url(), bench.device.to_string_lossy().into_owned());
    let mut arguments = vec![command, &device, "--server", &url];
    arguments.extend(more);
    unstick(&arguments).env("UNSTICK_TOKEN", token).output().expect("it runs")
}

#[test]
fn what_a_token_does_not_see_waits_and_is_not_called_missing() {
    let bench = Bench::scenario("tablet-behind");
    let before = bench.device();
    let token = "scopes:sync,note";
    let output = run(&bench, token, "inspect", &["--format", "json"]);
    let inspection: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(inspection["notVisible"].as_array().is_some_and(|kinds| kinds.len() == 4), "{inspection}");
    for pair in inspection["pairs"].as_array().expect("pairs").iter().filter(|pair| pair["kind"] != "NOTE") {
        assert_eq!(pair["status"], "blocked", "{pair}");
        assert!(pair["blockedReason"].as_str().is_some_and(|why| why.starts_with("not visible")), "{pair}");
    }
    let human = said(&run(&bench, token, "inspect", &[]));
    assert!(human.contains("BOOKMARK (scope bookmark)") && !human.contains("missing from"), "{human}");

    // The notes go, the rest waits, the device keeps every row, and the cursor does not pass what was not seen.
    let output = run(&bench, token, "push", &["--strategy", "client-wins", "--yes", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let sent = outcome["sent"].as_array().expect("sent");
    assert!(!sent.is_empty() && sent.iter().all(|sent| sent["resource"] == "NOTE"), "{outcome}");
    let waiting = outcome["hold"].as_array().expect("held");
    assert!(
        waiting.iter().all(|entry| entry["reason"].as_str().is_some_and(|why| why.contains("not visible")))
    );
    assert_eq!(outcome["cursorMoved"], false);
    let after = bench.device();
    assert_eq!(after["sync"]["lastMutationAt"], before["sync"]["lastMutationAt"]);
    let rows = |device: &Value| -> Vec<String> {
        let rows = device["resources"].as_array().cloned().unwrap_or_default();
        rows.iter().filter(|row| row["resource"] != "NOTE").map(ToString::to_string).collect()
    };
    assert_eq!(rows(&after), rows(&before));

    // A token that sees everything finishes it.
    let output = run(&bench, "all", "push", &["--strategy", "client-wins", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(bench.device()["queue"].as_array().map(Vec::len), Some(0));
    let head = bench.server.with_model(|model| model.head());
    assert_eq!(bench.device()["sync"]["lastMutationAt"].as_i64(), Some(head.value()));
}

#[test]
fn a_403_names_the_scopes_that_were_missing() {
    let bench = Bench::scenario("tablet-behind");
    let output = run(&bench, "scopes:note", "inspect", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("scope sync"), "{}", said(&output));
}
