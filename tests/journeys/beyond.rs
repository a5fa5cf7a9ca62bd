//! What a rule goes over although nobody saw it: the server changed between the plan and the POST. It is told apart, on
//! paper and in JSON, and with `--strict` it is no success.

use serde_json::Value;

use super::bench::{Bench, said};

const CLIENT_WINS: [&str; 3] = ["--strategy", "client-wins", "--yes"];

fn raced() -> Bench {
    Bench::faulty("tablet-behind", &["post:2=race:same"])
}

#[test]
fn what_was_lost_beyond_the_preview_is_told_apart() {
    let bench = raced();
    let text = bench.expect(0, "push", &CLIENT_WINS);
    assert!(text.contains("Lost beyond the preview"), "{text}");
    assert!(text.contains("Changed on another device"), "{text}");

    let bench = raced();
    let output = bench.run("push", &[&CLIENT_WINS[..], &["--format", "json", "--strict"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let beyond = report["lostBeyondPreview"].as_array().expect("a list");
    let told = |loss: &Value| {
        loss["side"] == "server" && loss["value"].to_string().contains("Changed on another device")
    };
    assert!(beyond.iter().any(told), "{beyond:?}");
    // It is lost, and so it stands in the ledger as well.
    assert!(report["ledger"].as_array().expect("a list").iter().any(told), "{report}");

    let bench = raced();
    let report = bench.folder.path().join("report.md");
    let report = report.to_str().expect("a path");
    bench.expect(0, "push", &[&CLIENT_WINS[..], &["--report", report]].concat());
    let text = std::fs::read_to_string(report).expect("the report is there");
    assert!(text.contains("lost beyond the preview"), "{text}");
}

#[test]
fn where_nothing_was_lost_beyond_it_strict_changes_nothing() {
    for faults in [&[][..], &["post:2=race"]] {
        let bench = Bench::faulty("tablet-behind", faults);
        let text = bench.expect(0, "push", &[&CLIENT_WINS[..], &["--format", "json", "--strict"]].concat());
        let report: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(report["lostBeyondPreview"].as_array().map(Vec::len), Some(0), "{report}");
    }
}
