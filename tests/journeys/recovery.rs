//! The ways a pull can go, each with its own words, and the first sync.

use serde_json::{Value, json};
use unstick::domain::mutation::Millis;
use unstick::sandbox::model::{FirstSync, Model};

use super::bench::{Bench, now, said, unstick};

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

/// A device with three notes and a collection to send, whose push breaks off at an answer to the notes that says
/// nothing of use. They have arrived.
fn broken_off(more: &[&str]) -> Bench {
    let mut model = Model::new(FirstSync::Positive, Millis(1_770_000_000_000));
    let theirs = json!([{"type": "CREATE", "resource": "NOTE", "resourceId": "n1", "data": {"body": "what both had", "ranges": ["1:1-1:1"]}}]);
    model
        .other_device_writes(Millis(1_770_000_001_000), "web", theirs.as_array().expect("a list"))
        .expect("taken");
    let cursor = model.head().value();
    let theirs = json!([{"type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "data": {"body": "changed on the web"}}]);
    model
        .other_device_writes(Millis(1_770_000_002_000), "web", theirs.as_array().expect("a list"))
        .expect("taken");
    let several = json!({"id": "q2", "type": "CREATE", "resource": "NOTE", "data": {"body": "a note of two places", "ranges": ["2:2-2:2", "1:1-1:2"]}});
    let edit = json!({"id": "q3", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "data": {"body": "changed on the device"}});
    let collection =
        json!({"id": "q4", "type": "CREATE", "resource": "COLLECTION", "data": {"name": "Travel"}});
    let device =
        json!({"sync": {"lastMutationAt": cursor}, "queue": [note("q1"), several, edit, collection]});
    let faults = std::iter::once("post:2=ack-wrong-count".parse().expect("a rule")).collect();
    let bench = Bench::with_faults(model, &device.to_string(), faults);
    let output = bench.run("push", &[more, &["--yes"]].concat());
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    bench
}

fn resume(bench: &Bench, more: &[&str]) -> std::process::Output {
    let device = bench.device.to_str().expect("a path");
    unstick(&[&["resume", device][..], more].concat()).output().expect("the binary runs")
}

fn notes(bench: &Bench) -> Vec<String> {
    let notes = bench.server.with_model(|model| model.live(&unstick::domain::mutation::Kind::Note));
    let mut notes: Vec<_> =
        notes.iter().map(|(_, data)| data["body"].as_str().expect("a text").to_owned()).collect();
    notes.sort();
    notes
}

#[test]
fn without_a_push_that_broke_off_there_is_nothing_to_resume() {
    let bench = Bench::scenario("tablet-behind");
    for more in [&[][..], &["--discard"], &["--server", &bench.server.url(), "--yes"]] {
        let output = resume(&bench, more);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("nothing to resume"), "{}", said(&output));
    }
    assert_eq!(bench.requests("GET") + bench.requests("POST"), 0);
}

#[test]
fn a_lost_answer_is_told_and_gone_on_with_by_the_same_rule() {
    let bench = broken_off(&["--strategy", "client-wins"]);
    let before = bench.files();
    let output = resume(&bench, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    for said_of in [
        "1 queue entry is acknowledged",
        "3 left",
        "of 3 queue entries the answer was lost",
        "client-wins",
        "--discard",
    ] {
        assert!(said(&output).contains(said_of), "{said_of}: {}", said(&output));
    }
    assert_eq!(bench.files(), before, "telling changes nothing");

    // Elsewhere nothing of it was acknowledged.
    let elsewhere = Bench::scenario("tablet-behind");
    let output = resume(&bench, &["--server", &elsewhere.server.url(), "--yes"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("it went to"), "{}", said(&output));
    assert_eq!(elsewhere.requests("GET"), 0);

    let posts = bench.requests("POST");
    let output = resume(&bench, &["--server", &bench.server.url(), "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(bench.requests("POST"), posts, "everything had arrived, the note of two places too");
    assert_eq!(notes(&bench), ["a note of q1", "a note of two places", "changed on the device"]);
    assert_eq!(bench.device()["queue"], json!([]));
}

#[test]
fn giving_up_keeps_what_was_acknowledged_out_of_the_queue() {
    let bench = broken_off(&["--strategy", "client-wins"]);
    let output = resume(&bench, &["--discard"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("given up"), "{}", said(&output));
    let device = bench.device();
    let queue = device["queue"].as_array().expect("a queue");
    let ids: Vec<&str> = queue.iter().filter_map(|entry| entry["id"].as_str()).collect();
    assert_eq!(ids, ["q1", "q2", "q3"]);
    assert!(
        queue.iter().all(|entry| entry["retryCount"] == 1 && entry["lastError"].is_string()),
        "{queue:?}"
    );
    let files: Vec<String> = bench.files().into_iter().map(|(name, _)| name).collect();
    assert!(!files.iter().any(|name| name.contains("journal") || name.contains("choices")), "{files:?}");
    assert!(files.iter().any(|name| name.contains("backup")), "{files:?}");
}

#[test]
fn what_a_person_chose_is_made_again_unless_it_changed() {
    for changed in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let choices = folder.path().join("choices.json");
        let chosen = json!({"schema": "unstick.choices/1", "choices": [
            {"kind": "NOTE", "key": "id:n1", "path": "/body", "choice": {"edit": "put together by hand"}},
            {"kind": "NOTE", "key": "queue:q1", "path": "", "choice": "server"}]});
        std::fs::write(&choices, chosen.to_string()).expect("written");
        let bench = broken_off(&["--choices", choices.to_str().expect("a path")]);
        std::fs::remove_file(&choices).expect("it is not needed any more");
        if changed {
            let later = json!([{"type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "data": {"body": "changed once more"}}]);
            let written = |model: &mut Model| {
                model.other_device_writes(now(), "web", later.as_array().expect("a list"))
            };
            bench.server.with_model(written).expect("taken");
        }
        let output = resume(&bench, &["--server", &bench.server.url(), "--yes"]);
        assert_eq!(output.status.code(), Some(i32::from(changed)), "{}", said(&output));
        assert_eq!(said(&output).contains("open again"), changed, "{}", said(&output));
        let body = if changed { "changed once more" } else { "put together by hand" };
        // What was given up stays given up.
        assert_eq!(notes(&bench), ["a note of two places", body]);
    }
}

#[test]
fn the_same_command_given_again_goes_on() {
    let bench = broken_off(&["--strategy", "client-wins"]);
    let output = bench.run("push", &["--strategy", "client-wins", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("broke off"), "{}", said(&output));
    assert_eq!(notes(&bench).len(), 3);
}

#[test]
fn what_may_have_arrived_and_was_changed_since_is_asked_and_never_sent_by_a_rule() {
    let bench = broken_off(&["--strategy", "client-wins"]);
    let id = bench.server.with_model(|model| {
        let notes = model.live(&unstick::domain::mutation::Kind::Note);
        notes.into_iter().find(|(_, data)| data["body"] == "a note of q1").expect("it arrived").0
    });
    let edit = json!([{"type": "UPDATE", "resource": "NOTE", "resourceId": id.as_str(), "data": {"body": "edited on the web at once"}}]);
    let written =
        |model: &mut Model| model.other_device_writes(now(), "web", edit.as_array().expect("a list"));
    bench.server.with_model(written).expect("taken");
    for _ in 0..2 {
        let output = resume(&bench, &["--server", &bench.server.url(), "--yes"]);
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        assert_eq!(
            notes(&bench),
            ["a note of two places", "changed on the device", "edited on the web at once"]
        );
    }
}

#[test]
fn a_push_that_does_nothing_makes_no_backup() {
    let names = |bench: &Bench| {
        let files = bench.files().into_iter().map(|(name, _)| name);
        files.filter(|name| name.contains("backup") || name.contains("unstick")).collect::<Vec<_>>()
    };
    // Everything is open, so that nothing is sent; the file stays as it is.
    let bench = Bench::scenario("tablet-behind");
    let before = bench.text();
    let text =
        bench.expect(1, "push", &["--strategy", "merge", "--all-or-nothing", "--yes", "--format", "json"]);
    let outcome: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(outcome["backup"], Value::Null, "{outcome}");
    assert_eq!((bench.text(), bench.requests("POST")), (before.clone(), 0));
    assert!(names(&bench).is_empty(), "{:?}", names(&bench));
    // One that sends keeps it.
    let text = bench.expect(0, "push", &["--strategy", "client-wins", "--yes", "--format", "json"]);
    let outcome: Value = serde_json::from_str(&text).expect("JSON");
    let backup = outcome["backup"].as_str().expect("a path");
    assert_eq!(std::fs::read_to_string(backup).expect("the backup is there"), before);
}
