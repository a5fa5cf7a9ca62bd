//! The token and what people wrote: where they may be, and where they must never be.

use super::bench::{Bench, TOKEN, said};

/// What a device's user wrote in the scenario `tablet-behind`, as it is and as JSON may escape it.
const WRITTEN: [&str; 5] = ["صبر", "\\u0635\\u0628\\u0631", "Ya-Sin", "learn this page", "Ramadan"];

/// The part of the token that is nowhere else.
fn secret() -> &'static str {
    TOKEN.rsplit(',').next().expect("its last word")
}

/// Runs a command with a log; everything that it said.
fn run(bench: &Bench, exit: i32, command: &str, more: &[&str]) -> String {
    let log = bench.folder.path().join("unstick.log");
    let mut arguments = more.to_vec();
    arguments.extend(["--log", log.to_str().expect("a path")]);
    let output = bench.run(command, &arguments);
    assert_eq!(output.status.code(), Some(exit), "{command} {more:?}: {}", said(&output));
    said(&output)
}

fn report(bench: &Bench, name: &str) -> String {
    bench.folder.path().join(name).to_string_lossy().into_owned()
}

fn log(bench: &Bench) -> String {
    std::fs::read_to_string(bench.folder.path().join("unstick.log")).expect("a log")
}

#[test]
fn the_token_is_nowhere_whatever_happens() {
    let mut said = String::new();
    let mut kept = Vec::new();
    // Everything goes well; the server asks for a fresh token and there is none; what it did cannot be told, so that
    // journal and choices stay; the server talks nonsense; it cannot be reached.
    for (rules, exit, strategy) in [
        (&[][..], 0, "client-wins"),
        (&["post:2=401"], 3, "client-wins"),
        (&["post:1=ack-wrong-count"], 4, "client-wins"),
        (&["get:*=502-html"], 3, "merge"),
        (&["post:1=reset-mid-body"], 0, "client-wins"),
    ] {
        let bench = Bench::faulty("tablet-behind", rules);
        let json = report(&bench, "ticket.json");
        let markdown = report(&bench, "ticket.md");
        if exit != 3 || rules != ["get:*=502-html"] {
            said += &run(&bench, 1, "inspect", &["--format", "json"]);
            said += &run(&bench, 1, "plan", &["--strategy", "merge"]);
        }
        let push = ["--strategy", strategy, "--yes", "--report"];
        said += &run(&bench, exit, "push", &[&push[..], &[&json]].concat());
        if exit == 0 {
            said += &run(&bench, 0, "push", &[&push[..], &[&markdown, "--redact"]].concat());
        }
        kept.extend(bench.files());
    }
    for name in ["unstick.log", "ticket.json", "ticket.md", "device.json.unstick-journal"] {
        assert!(kept.iter().any(|(file, _)| file == name), "{name}");
    }
    for part in [".backup-", ".unstick-choices"] {
        assert!(kept.iter().any(|(file, _)| file.contains(part)), "{part}");
    }
    assert!(!said.contains(secret()), "{said}");
    for (name, content) in kept {
        assert!(!String::from_utf8_lossy(&content).contains(secret()), "{name}");
    }
}

#[test]
fn a_log_tells_of_requests_and_files_and_nothing_that_people_wrote() {
    let bench = Bench::faulty("tablet-behind", &["post:1=race"]);
    let written: Vec<&str> = WRITTEN.into_iter().filter(|word| bench.text().contains(word)).collect();
    assert!(written.len() > 2, "{written:?}");
    run(&bench, 1, "inspect", &[]);
    run(&bench, 0, "push", &["--strategy", "client-wins", "--yes"]);
    let log = log(&bench);
    for told in [
        "method=\"GET\" path=\"/v1/sync\" since=",
        "method=\"POST\" path=\"/v1/sync\" head=",
        "mutations=",
        "status=200 bytes=",
        "ms=",
        "request_id=",
        "status=409",
        "backup=",
        "in the journal",
        "the device file is written back",
        "end=\"done\"",
    ] {
        assert!(log.contains(told), "{told} in {log}");
    }
    for word in WRITTEN.into_iter().chain([secret(), "\u{1b}"]) {
        assert!(!log.contains(word), "{word} in {log}");
    }
    assert_eq!(log.matches("begins version").count(), 2, "each run is told: {log}");
}

#[test]
fn a_server_that_quotes_what_was_sent_does_not_bring_it_into_the_log() {
    let bench = Bench::scenario("tablet-behind");
    let short = bench.text().replace("Ya-Sin: learn this page by heart before Friday.", "Yāsīn");
    std::fs::write(&bench.device, short).expect("written");
    let text = run(&bench, 1, "push", &["--strategy", "client-wins", "--yes"]);
    assert!(text.contains("422"), "{text}");
    let log = log(&bench);
    assert!(log.contains("status=422") && log.contains("ValidationError"), "{log}");
    assert!(!log.contains("Yāsīn"), "{log}");
}

#[cfg(unix)]
#[test]
fn a_log_is_its_owners_alone_and_no_other_file_becomes_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::scenario("tablet-behind");
    let path = bench.folder.path().join("unstick.log");
    let older = "2026-01-01T10:00:00.000000Z  INFO unstick::log_file: begins version=\"0\"\n";
    std::fs::write(&path, older).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    run(&bench, 1, "inspect", &[]);
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert!(log(&bench).starts_with(older), "it goes on behind what is there");

    let before = bench.text();
    let device = bench.device.to_string_lossy().into_owned();
    let output = bench.run("inspect", &["--log", &device]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert_eq!(bench.text(), before);
    let output = bench.run("push", &["--strategy", "merge", "--yes", "--log", "/no/such/folder/log"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert_eq!(bench.requests("POST"), 0);
}
