//! `inspect`, `plan` and `push` against a server.

use std::sync::Arc;

use serde_json::Value;

use super::bench::{Bench, said};

const STRATEGIES: [&str; 4] = ["server-wins", "client-wins", "last-write-wins", "merge"];

#[test]
fn inspect_and_plan_send_nothing_and_write_nothing() {
    let bench = Bench::scenario("tablet-behind");
    let before = bench.files();
    let human = bench.expect(1, "inspect", &[]);
    assert!(human.contains("another-device-synced") && human.contains("diverged"), "{human}");
    let json: Value = serde_json::from_str(&bench.expect(1, "inspect", &["--format", "json"])).expect("JSON");
    assert_eq!(json["schema"], "unstick.inspection/1");
    assert_eq!(json["summary"]["queued"], 5);
    assert_eq!(json["summary"]["diverged"], 2);
    for strategy in STRATEGIES {
        let code = i32::from(strategy == "merge");
        let text = bench.expect(code, "plan", &["--strategy", strategy, "--format", "json"]);
        let plan: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(plan["schema"], "unstick.plan/1");
        assert_eq!(plan["batches"][0]["lastMutationAt"], json["head"], "{strategy}");
    }
    assert_eq!(bench.requests("POST"), 0);
    assert!(bench.requests("GET") >= 6);
    assert_eq!(bench.files(), before);
}

#[test]
fn compare_sends_nothing_and_puts_the_strategies_side_by_side() {
    let bench = Bench::scenario("tablet-behind");
    let before = bench.files();
    let human = bench.expect(1, "compare", &[]);
    assert!(human.contains("mutations pushed") && human.contains("merge"), "{human}");
    let text = bench.expect(1, "compare", &["--format", "json"]);
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["schema"], "unstick.comparison/1");
    assert_eq!(json["devices"][0]["divergences"].as_array().map(Vec::len), Some(2));
    assert_eq!(bench.requests("POST"), 0);
    assert_eq!(bench.files(), before);
}

#[test]
fn every_scenario_is_pushed_by_every_strategy() {
    for scenario in unstick::sandbox::scenario::Scenario::list() {
        for strategy in STRATEGIES {
            let bench = Bench::scenario(scenario.name);
            let before = bench.text();
            let output = bench.run("push", &["--strategy", strategy, "--yes"]);
            let code = output.status.code();
            let after = bench.device();
            let queue = after["queue"].as_array().map_or(0, Vec::len);
            match code {
                Some(0) => {
                    assert_eq!(queue, 0, "{} {strategy}: {}", scenario.name, said(&output));
                    let head = bench.server.with_model(|model| model.head());
                    assert_eq!(
                        after["sync"]["lastMutationAt"].as_i64(),
                        Some(head.value()),
                        "{} {strategy}",
                        scenario.name
                    );
                    // Once more there is nothing to do.
                    let again = bench.expect(0, "inspect", &["--format", "json"]);
                    let again: Value = serde_json::from_str(&again).expect("JSON");
                    assert_eq!(again["summary"]["push"], 0, "{} {strategy}", scenario.name);
                    assert_eq!(again["summary"]["diverged"], 0, "{} {strategy}", scenario.name);
                }
                // Whether one of two equal notes arrived is no matter of a rule.
                Some(4) => assert_eq!((scenario.name, queue), ("same-note-twice", 2), "{strategy}"),
                Some(1) => assert!(queue > 0, "{} {strategy}: {}", scenario.name, said(&output)),
                other => panic!("{} {strategy} ended with {other:?}: {}", scenario.name, said(&output)),
            }
            let backup =
                bench.files().into_iter().find(|(name, _)| name.contains(".backup-")).expect("a backup").1;
            assert_eq!(
                String::from_utf8(backup).expect("text"),
                before,
                "the backup is the file from before"
            );
            // Only what a person has to settle outlives the push.
            let kept =
                bench.files().iter().any(|(name, _)| name.contains("journal") || name.contains("choices"));
            assert_eq!(kept, code == Some(4), "{} {strategy}", scenario.name);
        }
    }
}

#[test]
fn what_is_open_stays_and_the_cursor_with_it() {
    let bench = Bench::scenario("tablet-behind");
    let cursor = bench.device()["sync"]["lastMutationAt"].clone();
    bench.expect(1, "push", &["--strategy", "merge", "--yes"]);
    let after = bench.device();
    assert_eq!(after["sync"]["lastMutationAt"], cursor, "the open server values must be seen again");
    let left: Vec<&str> =
        after["queue"].as_array().expect("a queue").iter().filter_map(|m| m["resourceId"].as_str()).collect();
    assert_eq!(left, ["n1", "n1", "c1"]);
    // What was sent comes back as an echo and is not sent again.
    let posts = bench.requests("POST");
    bench.expect(1, "push", &["--strategy", "merge", "--yes"]);
    assert_eq!(bench.requests("POST"), posts);
    bench.expect(0, "push", &["--strategy", "client-wins", "--yes"]);
    assert_eq!(bench.device()["queue"].as_array().map(Vec::len), Some(0));
}

#[test]
fn all_or_nothing_sends_nothing_while_something_is_open() {
    let bench = Bench::scenario("tablet-behind");
    let before = bench.text();
    bench.expect(1, "push", &["--strategy", "merge", "--yes", "--all-or-nothing"]);
    assert_eq!(bench.requests("POST"), 0);
    assert_eq!(bench.text(), before);
}

#[test]
fn a_choices_file_decides_field_by_field() {
    let bench = Bench::scenario("tablet-behind");
    let choices = bench.folder.path().join("choices.json");
    std::fs::write(
        &choices,
        r#"{"schema":"unstick.choices/1","choices":[
            {"kind":"NOTE","key":"id:n1","path":"/body","choice":{"edit":"نص جديد اخترناه معا"}},
            {"kind":"NOTE","key":"id:n1","path":"/ranges","choice":"both"},
            {"kind":"COLLECTION","key":"id:c1","choice":"bring-back"}]}"#,
    )
    .expect("it is written");
    bench.expect(0, "push", &["--choices", choices.to_str().expect("a path"), "--yes"]);
    bench.server.with_model(|model| {
        let note = model.state(&unstick::domain::mutation::Kind::Note, &"n1".into()).expect("the note");
        assert_eq!(note["body"], "نص جديد اخترناه معا");
        assert_eq!(note["ranges"].as_array().map(Vec::len), Some(2));
        let names: Vec<String> = model
            .live(&unstick::domain::mutation::Kind::Collection)
            .iter()
            .filter_map(|(id, data)| Some(format!("{} {}", id, data["name"].as_str()?)))
            .collect();
        assert!(
            names.iter().any(|name| name.ends_with("Ramadan") && !name.starts_with("c1 ")),
            "a new id: {names:?}"
        );
    });
}

/// The server rewrites the token file while it answers the first POST and takes the old token no longer at the second.
#[test]
fn a_token_file_that_holds_a_fresh_token_by_now_is_read_again() {
    for (changes, exit, said_so) in [(true, 0, "a fresh token"), (false, 3, "nothing is lost")] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        std::fs::write(&file, "first").expect("written");
        let rewritten = file.clone();
        let clock = move || {
            if changes {
                std::fs::write(&rewritten, "second").expect("written");
            }
            super::bench::now()
        };
        let bench = Bench::faulty_at("tablet-behind", &["post:2=401"], Arc::new(clock));
        let file = file.to_str().expect("a path");
        let output = bench.run("push", &["--strategy", "client-wins", "--yes", "--token-file", file]);
        assert_eq!(output.status.code(), Some(exit), "{}", said(&output));
        assert!(said(&output).contains(said_so), "{}", said(&output));
        let queue = bench.device()["queue"].as_array().map_or(0, Vec::len);
        assert_eq!(queue == 0, changes, "what was not taken stays in the queue");
    }
}

#[test]
fn a_pipe_that_is_closed_is_no_error() {
    let output = std::process::Command::new("sh")
        .args(["-c", &format!("{} demo --list | head -1", env!("CARGO_BIN_EXE_unstick"))])
        .output()
        .expect("sh runs");
    assert!(output.stderr.is_empty(), "{}", said(&output));
}

#[test]
fn completions_and_the_manual_are_written() {
    for arguments in [&["completions", "bash"][..], &["completions", "zsh"], &["man"]] {
        let output = super::bench::unstick(arguments).output().expect("it runs");
        assert!(output.status.success() && output.stdout.len() > 500, "{arguments:?}");
    }
}

/// A name that two collections want and a second reading place, on every surface without a screen.
#[test]
fn a_taken_name_and_a_second_reading_place_are_told_chosen_and_pushed() {
    let bench = Bench::scenario("one-name-twice");
    let json: Value = serde_json::from_str(&bench.expect(1, "inspect", &["--format", "json"])).expect("JSON");
    assert_eq!(json["summary"]["diverged"], 2);
    let pairs = json["pairs"].as_array().expect("pairs");
    let of = |key: &str| pairs.iter().find(|pair| pair["key"] == key).expect("a resource");
    let (name, place) = (of("id:c-morning"), of("at:67:1"));
    assert_eq!((&name["status"], &name["divergence"]), (&"diverged".into(), &"name-taken".into()));
    assert_eq!((&name["rival"]["key"], &name["rival"]["decides"]), (&"id:c-evening".into(), &true.into()));
    assert_eq!((&place["divergence"], &place["rival"]["key"]), (&"reading-place".into(), &"id:b-web".into()));
    let back = of("id:c-evening");
    assert_eq!((&back["status"], &back["rival"]["key"]), (&"apply".into(), &"id:c-morning".into()));
    assert_eq!(back["rival"]["decides"], false);
    let field = name["fields"].as_array().and_then(|all| all.iter().find(|field| field["path"] == "/name"));
    assert_eq!(
        field.map(|field| &field["choices"]),
        Some(&serde_json::json!(["device", "server", "both", "edit"]))
    );
    let warnings = json["warnings"].to_string();
    assert!(warnings.contains("looks like that of another collection"), "{warnings}");
    let human = bench.expect(1, "inspect", &[]);
    for told in [
        "name-taken: The server has another collection of this name, c-evening: two cannot both keep it",
        "reading-place: The server's reading place is 18:10 (b-web): there is only one",
        "both: the two become one, with the links of both",
        "server: the server's stays the reading place",
    ] {
        assert!(human.contains(told), "{told}: {human}");
    }
    // What the file says of what was seen is taken, and what was seen before is asked again.
    let chosen = |word: &str, saw: &str| {
        let choices = serde_json::json!({"schema": "unstick.choices/1", "choices": [
            {"kind": "COLLECTION", "key": "id:c-morning", "path": "/name", "choice": word, "saw": saw},
            {"kind": "BOOKMARK", "key": "at:67:1", "path": "/isReading", "choice": "device"}]});
        let path = bench.folder.path().join("choices.json");
        std::fs::write(&path, choices.to_string()).expect("it can be written");
        path.display().to_string()
    };
    let seen = field.and_then(|field| field["saw"].as_str()).expect("a digest");
    let old = chosen("both", "0000000000000000");
    let plan: Value =
        serde_json::from_str(&bench.expect(1, "plan", &["--choices", &old, "--format", "json"]))
            .expect("JSON");
    assert_eq!(plan["reopened"][0]["path"], "/name");
    let file = chosen("both", seen);
    let plan: Value =
        serde_json::from_str(&bench.expect(0, "plan", &["--choices", &file, "--format", "json"]))
            .expect("JSON");
    let phases: Vec<&Value> =
        plan["batches"].as_array().expect("POSTs").iter().map(|post| &post["phase"]).collect();
    assert_eq!(phases, ["bookmarks-and-collections", "links", "joined-collections"]);
    let ledger = plan["ledger"].as_array().expect("a ledger");
    assert!(
        ledger.iter().any(|loss| loss["key"] == "id:b-web"
            && loss["path"] == "/isReading"
            && loss["side"] == "server")
    );
    let compared: Value =
        serde_json::from_str(&bench.expect(1, "compare", &["--format", "json"])).expect("JSON");
    assert_eq!(compared["devices"][0]["divergences"].as_array().map(Vec::len), Some(2));
    bench.expect(0, "push", &["--choices", &file, "--yes"]);
    assert_eq!(bench.device()["queue"], serde_json::json!([]));
    bench.server.with_model(|model| {
        use unstick::domain::mutation::Kind;
        let names: Vec<String> =
            model.live(&Kind::Collection).iter().map(|(_, value)| value["name"].to_string()).collect();
        assert_eq!(names.iter().filter(|name| *name == "\"Duas\"").count(), 1, "{names:?}");
        let read: Vec<_> =
            model.live(&Kind::Bookmark).into_iter().filter(|(_, value)| value["isReading"] == true).collect();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].1["key"], 67);
    });
}
