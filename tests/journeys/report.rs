//! What came of a push, for programs and for tickets.

use std::path::Path;

use serde_json::Value;

use super::bench::{Bench, said};
use super::schemas::{assert_described, parsed};

/// Words of the scenario `tablet-behind` that are nobody else's business, and the places they were written on.
const PRIVATE: [&str; 5] = ["صبر", "Ramadan", "Ya-Sin", "2:255", "36:58-36:58"];

fn push(bench: &Bench, exit: i32, strategy: &str, report: &Path, more: &[&str]) -> Value {
    let report = report.to_str().expect("a path");
    let mut arguments = vec!["--strategy", strategy, "--yes", "--format", "json", "--report", report];
    arguments.extend(more);
    let text = bench.expect(exit, "push", &arguments);
    assert_described("outcome-1.json", &text);
    let outcome = parsed(&text);
    assert_eq!(outcome["exitCode"], exit);
    assert_eq!(outcome["report"], report);
    outcome
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the report")
}

fn json(path: &Path) -> Value {
    let text = read(path);
    assert_described("report-1.json", &text);
    parsed(&text)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn a_push_tells_programs_what_it_came_to() {
    for scenario in unstick::sandbox::scenario::Scenario::list() {
        for strategy in ["server-wins", "client-wins", "last-write-wins", "merge"] {
            let bench = Bench::scenario(scenario.name);
            let path = bench.folder.path().join("report.json");
            let path = path.to_str().expect("a path");
            let planned = bench.run("plan", &["--strategy", strategy, "--format", "json"]).stdout;
            let planned = parsed(&String::from_utf8(planned).expect("text"));
            let arguments = ["--strategy", strategy, "--yes", "--format", "json", "--report", path];
            let output = bench.run("push", &arguments);
            let text = String::from_utf8(output.stdout.clone()).expect("text");
            assert_described("outcome-1.json", &text);
            assert_described("report-1.json", &read(Path::new(path)));
            let outcome = parsed(&text);
            assert_eq!(
                outcome["exitCode"].as_i64(),
                output.status.code().map(i64::from),
                "{}",
                said(&output)
            );
            let queue = bench.device()["queue"].as_array().map_or(0, Vec::len);
            assert_eq!(outcome["end"] == "done", queue == 0, "{} {strategy}: {text}", scenario.name);
            let posts = bench.requests("POST") as u64;
            assert_eq!(outcome["posts"].as_u64(), Some(posts), "{} {strategy}", scenario.name);
            if scenario.name == "tablet-behind" {
                // Nobody else wrote: taken over is what was to be applied, and not what came back of its own.
                assert_eq!(outcome["applied"], list(&planned, "apply").len(), "{strategy}");
            }
        }
    }
}

#[test]
fn a_report_tells_what_was_chosen_sent_answered_and_lost() {
    let bench = Bench::scenario("tablet-behind");
    let queued = list(&bench.device(), "queue").len();
    let path = bench.folder.path().join("ticket.json");
    let outcome = push(&bench, 0, "server-wins", &path, &[]);
    let report = json(&path);
    assert_eq!(report["redacted"], false);
    assert_eq!(report["queued"], queued);
    assert!(report["cursor"].as_i64() < report["headBefore"].as_i64());
    assert!(list(&report, "causes").iter().any(|cause| cause["id"] == "another-device-synced"));
    let choices = list(&report, "choices");
    let body = choices.iter().find(|choice| choice["path"] == "/body").expect("a choice on a body");
    assert_eq!((&body["choice"], &body["by"]), (&"server".into(), &"server-wins".into()));
    assert_ne!(body["device"], body["server"]);
    assert_eq!(body["result"], body["server"]);
    let [request] = list(&report, "requests") else { panic!("{report}") };
    assert_eq!(request["lastMutationAt"], report["headBefore"]);
    assert_eq!(request["answer"]["word"], "acknowledged");
    assert_eq!(request["answer"]["lastMutationAt"], report["head"]);
    assert_eq!(list(request, "mutations").len(), list(&report, "sent").len());
    assert!(list(request, "mutations").iter().all(|mutation| mutation["data"].is_object()));
    let lost = list(&report, "ledger").iter().find(|loss| loss["path"] == "/body").expect("a lost body");
    assert_eq!(lost["value"], body["device"]);
    for same in ["end", "sent", "ledger", "head", "backup", "differences"] {
        assert_eq!(report[same], outcome[same], "{same}");
    }
    assert!(Path::new(report["backup"].as_str().expect("a path")).exists());
}

#[test]
fn a_report_for_people_holds_the_same() {
    let bench = Bench::scenario("tablet-behind");
    let path = bench.folder.path().join("ticket.md");
    let outcome = push(&bench, 0, "server-wins", &path, &[]);
    let text = read(&path);
    for part in
        ["# Sync of", "## Why it was stuck", "## Choices", "### POST 1, `lastMutationAt=", "## What was lost"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    for loss in list(&outcome, "ledger").iter().filter_map(|loss| loss["value"].as_str()) {
        assert!(text.contains(loss), "{loss}");
    }
}

#[test]
fn a_redacted_report_holds_ids_and_marks_and_nothing_that_people_wrote() {
    let bench = Bench::scenario("tablet-behind");
    let before = bench.text();
    assert!(PRIVATE.iter().any(|word| before.contains(word)), "{before}");
    let path = bench.folder.path().join("ticket.json");
    push(&bench, 0, "client-wins", &path, &["--redact"]);
    let report = json(&path);
    let text = read(&path);
    for word in PRIVATE {
        assert!(!text.contains(word), "{word} in {text}");
    }
    assert_eq!(report["redacted"], true);
    for id in ["tablet-b", "id:n1", "q1"] {
        assert!(text.contains(id), "{id} in {text}");
    }
    let body = list(&report, "choices").iter().find(|choice| choice["path"] == "/body").expect("a choice");
    assert_eq!(body["result"], body["device"], "equal values have equal marks");
    assert_ne!(body["server"]["hash"], body["device"]["hash"]);
    assert!(body["device"]["length"].as_u64().is_some_and(|length| length > 0));

    let again = Bench::scenario("tablet-behind");
    let markdown = again.folder.path().join("ticket.md");
    push(&again, 0, "client-wins", &markdown, &["--redact"]);
    let text = read(&markdown);
    for word in PRIVATE {
        assert!(!text.contains(word), "{word} in {text}");
    }
    let hash = body["device"]["hash"].as_str().expect("a hash");
    assert!(!text.contains(hash), "another report has other marks");
}

#[cfg(unix)]
#[test]
fn a_report_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::scenario("tablet-behind");
    let path = bench.folder.path().join("ticket.md");
    std::fs::write(&path, "an old one").expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    push(&bench, 0, "server-wins", &path, &["--force"]);
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert!(read(&path).starts_with("# Sync of"));
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_anything_is_sent() {
    let bench = Bench::scenario("tablet-behind");
    let before = bench.files();
    let device = bench.device.to_string_lossy().into_owned();
    for bad in ["ticket.txt", "ticket", "no-such-folder/ticket.md", &device] {
        let output = bench.run("push", &["--strategy", "server-wins", "--yes", "--report", bad]);
        assert_eq!(output.status.code(), Some(2), "{bad}: {}", said(&output));
        assert!(said(&output).contains("report"), "{}", said(&output));
    }
    let output = bench.run("push", &["--strategy", "server-wins", "--yes", "--redact"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert_eq!((bench.requests("GET"), bench.requests("POST")), (0, 0));
    assert_eq!(bench.files(), before);
}

#[test]
fn a_push_that_fails_is_reported_as_well() {
    // Nothing could be sent.
    let bench = Bench::faulty("tablet-behind", &["get:*=401"]);
    let path = bench.folder.path().join("ticket.json");
    let output =
        bench.run("push", &["--strategy", "merge", "--yes", "--report", path.to_str().expect("a path")]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let report = json(&path);
    assert_eq!(report["exitCode"], 3);
    assert!(report["failure"]["what"].as_str().is_some_and(|what| what.contains("401")), "{report}");

    // The server says no to every POST.
    let bench = Bench::faulty("tablet-behind", &["post:*=401"]);
    let path = bench.folder.path().join("ticket.json");
    let outcome = push(&bench, 3, "client-wins", &path, &[]);
    assert_eq!(outcome["end"], "refused");
    let report = json(&path);
    assert_eq!(list(&report, "requests")[0]["answer"]["status"], 401);

    // It cannot be told what the server did.
    let bench = Bench::faulty("tablet-behind", &["post:1=ack-wrong-count"]);
    let path = bench.folder.path().join("ticket.json");
    let outcome = push(&bench, 4, "client-wins", &path, &[]);
    assert_eq!(outcome["end"], "unknown");
    assert_eq!(list(&json(&path), "requests")[0]["answer"]["word"], "doubtful");
    assert!(!list(&outcome, "inDoubt").is_empty());

    // Something stays open.
    let bench = Bench::scenario("tablet-behind");
    let path = bench.folder.path().join("ticket.json");
    let outcome = push(&bench, 1, "merge", &path, &[]);
    assert!(!list(&outcome, "open").is_empty() && !list(&outcome, "hold").is_empty(), "{outcome}");
    assert_eq!(json(&path)["open"], outcome["open"]);
}
