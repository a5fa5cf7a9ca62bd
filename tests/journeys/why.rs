//! `unstick why`: of a device, of a phone's database, of a phone's log.

use std::path::Path;

use serde_json::Value;

use super::bench::{Bench, said, unstick};
use super::schemas::assert_described;

fn sample() -> [String; 3] {
    let file = |name: &str| Path::new("tests/fixtures/device").join(name).display().to_string();
    [file("device-sample.sqlite"), String::from("--pull"), file("device-sample.pull.json")]
}

fn why(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = unstick(&["why", "--no-log"]);
    let output = command.args(arguments).output().expect("the binary runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), said(&output))
}

#[test]
fn a_phones_database_is_told_what_stops_it_and_whether_it_recovers() {
    let [device, flag, pull] = sample();
    let (code, text, all) = why(&[&device, &flag, &pull]);
    assert_eq!(code, Some(1), "{all}");
    // What the description of the sample says of it: it stops at the reading place that was deleted elsewhere.
    for told in [
        "stays stuck even when everything is pushed",
        "Where: BOOKMARK 18:10",
        "Why it comes again:",
        "sdk-abort:S-R1",
        "Will the phone recover?",
        "repaired copy of its database",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let (_, json, _) = why(&[&device, &flag, &pull, "--format", "json"]);
    assert_described("why-1.json", &json);
    let report: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(report["recovery"]["now"]["verdict"], "repaired-database", "{report}");
    let stops = report["recovery"]["now"]["stops"].as_array().expect("a list");
    assert_eq!(stops[0]["rule"], "S-R1", "{report}");
    assert!(report["causes"][0]["stays"] == true, "{report}");
}

#[test]
fn a_device_that_is_only_behind_recovers_by_itself() {
    let bench = Bench::scenario("tablet-behind");
    let text = bench.expect(1, "why", &["--format", "json"]);
    assert_described("why-1.json", &text);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["causes"][0]["id"], "another-device-synced", "{report}");
    assert!(bench.expect(1, "why", &[]).contains("is stuck, and a push settles it"));
    assert_eq!(bench.requests("POST"), 0);
}

#[test]
fn a_log_is_recognised_and_nothing_of_it_is_shown_or_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("logcat.txt");
    let mut log =
        b"05-19 10:00 sync started\n{\"body\":\"a private note\"} Illogical scenario detected\n".to_vec();
    log.extend(b"bytes that are no text: \xFF\xFE\nHTTP request failed with status 422 ValidationError\n");
    std::fs::write(&path, &log).expect("written");
    let name = path.to_str().expect("a path");
    let (code, text, all) = why(&["--log", name]);
    assert_eq!(code, Some(1), "{all}");
    assert!(text.contains("S-P2; once, last in line 4") && text.contains("S-L1"), "{text}");
    assert!(text.find("S-P2") < text.find("S-L1"), "the latest first: {text}");
    assert!(!all.contains("private"), "{all}");
    assert_eq!(std::fs::read(&path).expect("readable"), log, "nothing is written to it");
    let (_, json, _) = why(&["--log", name, "--format", "json"]);
    assert_described("why-1.json", &json);
    let (code, text, _) = why(&["--log-line", "sync finished"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("Nothing recognised"), "{text}");
    for wrong in [&[][..], &["tablet.json", "--log", name]] {
        assert_eq!(why(wrong).0, Some(2), "{wrong:?}");
    }
}

#[test]
fn an_audit_compares_the_whole_device_with_the_whole_account() {
    let bench = Bench::scenario("tablet-behind");
    let text = bench.expect(1, "audit", &["--format", "json"]);
    assert_described("audit-1.json", &text);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let found = report["findings"].as_array().expect("a list");
    assert!(!found.is_empty() && report["onServer"].as_u64() > Some(0), "{report}");
    // Once everything is pushed and taken over, both hold the same.
    bench.expect(0, "push", &["--strategy", "client-wins", "--yes"]);
    let after = bench.expect(0, "audit", &[]);
    assert!(after.contains("hold the same"), "{after}");
    let (code, _, all) = why(&[]);
    assert_eq!(code, Some(2), "{all}");
}
