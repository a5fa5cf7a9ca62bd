//! What inspections and pushes leave in the conflict log, and what it answers.

use std::path::Path;

use serde_json::Value;
use unstick::conflict_log::event::{Event, What};
use unstick::conflict_log::local::Local;

use super::bench::{Bench, TOKEN, files, said, unstick};
use super::schemas::assert_described;

/// `unstick log` on a bench's log.
fn ask(bench: &Bench, arguments: &[&str]) -> String {
    let mut command = unstick(&["log"]);
    let output =
        command.args(arguments).env("UNSTICK_DATA_DIR", bench.data.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    String::from_utf8(output.stdout).expect("text")
}

fn summary(bench: &Bench) -> Value {
    let text = ask(bench, &["--format", "json"]);
    assert_described("log-1.json", &text);
    serde_json::from_str(&text).expect("JSON")
}

fn counted(summary: &Value, by: &str) -> Vec<(String, u64)> {
    let entries = summary[by].as_array().expect("a list");
    entries
        .iter()
        .map(|e| (e["value"].as_str().expect("a value").into(), e["count"].as_u64().expect("a count")))
        .collect()
}

#[test]
fn what_was_seen_and_what_became_of_it_is_answered() {
    let bench = Bench::scenario("tablet-behind");
    let inspection: Value =
        serde_json::from_str(&bench.expect(1, "inspect", &["--format", "json"])).expect("JSON");
    let diverged = inspection["summary"]["diverged"].as_u64().expect("a count");
    assert!(diverged > 0);
    bench.expect(1, "inspect", &[]);
    bench.expect(0, "push", &["--strategy", "server-wins", "--yes"]);

    let told = summary(&bench);
    assert_eq!(told["conflicts"], diverged, "each once, however often it is looked at");
    assert_eq!((&told["resolved"], &told["pushes"]), (&diverged.into(), &1.into()));
    assert_eq!(told["inspections"], 3, "the push looks as well");
    assert_eq!(told["inspectionsAfter409"], 3);
    assert!(told["medianToResolveMs"].is_u64() && told["posts"].is_u64(), "{told}");
    assert_eq!(counted(&told, "byChoice"), [("server".into(), diverged)]);
    assert_eq!(counted(&told, "byStrategy"), [("server-wins".into(), diverged)]);
    assert_eq!(counted(&told, "byDevice").len(), 1);
    assert!(counted(&told, "byCause").contains(&("concurrent-mutations".into(), diverged)), "{told}");

    let human = ask(&bench, &["--since", "1d"]);
    for words in ["settled", "By device", "server-wins", "What more frequent syncs would have avoided"] {
        assert!(human.contains(words), "{words}: {human}");
    }
    let csv = ask(&bench, &["--format", "csv"]);
    assert!(
        csv.starts_with("of,value,count\n") && csv.contains(&format!("choice,server,{diverged}\n")),
        "{csv}"
    );
    let (device, _) = counted(&told, "byDevice").remove(0);
    assert!(ask(&bench, &["--device", &device]).contains("By kind"));
    assert!(!ask(&bench, &["--device", "another"]).contains("By kind"));
    assert!(!ask(&bench, &["--demo"]).contains("By kind"));
}

#[test]
fn every_row_can_be_exported() {
    let bench = Bench::scenario("tablet-behind");
    bench.expect(0, "push", &["--strategy", "client-wins", "--yes"]);
    let jsonl = ask(&bench, &["export"]);
    let rows: Vec<Value> = jsonl.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |what: &str| rows.iter().filter(|row| row["what"] == what).count();
    assert_eq!((of("inspection"), of("push")), (1, 1));
    assert!(of("conflict") > 0 && of("conflict") == of("resolution"), "{jsonl}");
    let csv = ask(&bench, &["export", "--format", "csv"]);
    assert_eq!(csv.lines().count(), rows.len() + 1);
    let columns = csv.lines().next().expect("a first line").split(',');
    assert!(columns.eq(rows[0].as_object().expect("an object").keys()), "{csv}");
}

#[test]
fn the_log_holds_nothing_that_people_wrote_and_no_token() {
    let bench = Bench::scenario("long-note");
    let written: Vec<String> = {
        let device = bench.device();
        let queue = device["queue"].as_array().expect("a queue").clone();
        queue
            .iter()
            .filter_map(|entry| Some(entry["data"]["body"].as_str()?.chars().take(24).collect()))
            .collect()
    };
    assert!(!written.is_empty(), "the scenario is about a text");
    bench.expect(0, "push", &["--strategy", "client-wins", "--yes"]);
    let everything: Vec<u8> = files(bench.data.path()).into_iter().flat_map(|(_, bytes)| bytes).collect();
    let everything = String::from_utf8_lossy(&everything);
    assert!(everything.contains("resolution"), "the log was written");
    assert!(!everything.contains(TOKEN));
    for text in written {
        assert!(!everything.contains(&text), "{text}");
    }
}

#[test]
fn the_log_can_be_turned_off() {
    let bench = Bench::scenario("tablet-behind");
    bench.expect(1, "inspect", &["--no-log"]);
    let config = bench.folder.path().join("config.toml");
    std::fs::write(&config, "[log]\nconflicts = false\n").expect("written");
    bench.expect(1, "inspect", &["--config", config.to_str().expect("a path")]);
    assert_eq!(files(bench.data.path()), []);
    let text = ask(&bench, &[]);
    assert!(text.contains("0 conflicts"), "{text}");
    assert_eq!(files(bench.data.path()), [], "asking makes no log");
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing_and_is_told_of_once() {
    let bench = Bench::scenario("tablet-behind");
    let file = bench.data.path().join("conflicts.sqlite3");
    std::fs::write(
        &file,
        "no database at all, and yet of some length, as a note of somebody would be. ".repeat(20),
    )
    .expect("written");
    let output = bench.run("push", &["--strategy", "server-wins", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors.matches("warning: the conflict log").count(), 1, "{errors}");
    assert!(errors.contains("--no-log"), "{errors}");
    let output = unstick(&["log"]).env("UNSTICK_DATA_DIR", bench.data.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[test]
fn many_processes_write_at_once() {
    let bench = Bench::scenario("tablet-behind");
    let mut running: Vec<_> =
        (0..8).map(|_| bench.command("inspect", &[]).stdout(std::process::Stdio::null()).spawn()).collect();
    for one in &mut running {
        let status = one.as_mut().expect("it runs").wait().expect("it ends");
        assert_eq!(status.code(), Some(1));
    }
    let told = summary(&bench);
    assert_eq!(told["inspections"], 8);
    let each: u64 = counted(&told, "byDay").iter().map(|(_, count)| count).sum();
    assert_eq!(told["conflicts"], each);
    assert!(Path::new(bench.data.path()).join("conflicts.sqlite3").exists());
}

#[test]
fn what_is_old_is_removed_when_it_is_asked_for_or_by_itself() {
    let bench = Bench::scenario("tablet-behind");
    let path = bench.data.path().join("conflicts.sqlite3");
    assert!(ask(&bench, &["prune", "--before", "30d"]).contains("there is no conflict log"));
    let old = Event {
        id: String::from("old"),
        at: 86_400_000,
        what: What::Conflict,
        device: String::from("tablet"),
        server: String::from("pre-live"),
        ..Event::default()
    };
    let add =
        || Local::open(&path).and_then(|mut log| log.append(std::slice::from_ref(&old))).expect("written");
    add();
    assert_eq!(summary(&bench)["conflicts"], 1);
    let said = ask(&bench, &["prune", "--before", "1970-01-02"]);
    assert!(
        said.contains("0 rows from before 1970-01-02 (UTC) removed") && said.contains("1 left"),
        "{said}"
    );
    let said = ask(&bench, &["prune", "--before", "30d"]);
    assert!(said.starts_with("1 row from before ") && said.contains("0 left"), "{said}");
    assert_eq!(summary(&bench)["conflicts"], 0);

    add();
    let config = bench.folder.path().join("config.toml");
    std::fs::write(&config, "[log]\nkeep_days = 30\n").expect("written");
    let seen: Value = serde_json::from_str(&bench.expect(
        1,
        "inspect",
        &["--format", "json", "--config", config.to_str().expect("a path")],
    ))
    .expect("JSON");
    assert_eq!(summary(&bench)["conflicts"], seen["summary"]["diverged"], "the old one is gone");
}

#[test]
fn whoever_is_killed_while_writing_leaves_a_log_that_is_whole() {
    let bench = Bench::scenario("tablet-behind");
    let size = || files(bench.data.path()).iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    for _ in 0..8 {
        let before = size();
        let mut child =
            bench.command("inspect", &[]).stdout(std::process::Stdio::null()).spawn().expect("it runs");
        // As soon as the first bytes are written, or, where they came too fast, afterwards.
        while size() == before && child.try_wait().expect("a child").is_none() {
            std::hint::spin_loop();
        }
        child.kill().expect("SIGKILL");
        child.wait().expect("it ends");
    }
    bench.expect(1, "inspect", &[]);
    let told = summary(&bench);
    let rows = ask(&bench, &["export"]);
    let of = |what: &str| rows.lines().filter(|row| row.contains(&format!("\"what\":\"{what}\""))).count();
    assert!(of("inspection") > 0 && of("conflict") > 0, "{rows}");
    assert_eq!(
        (&told["inspections"], &told["conflicts"]),
        (&of("inspection").into(), &of("conflict").into())
    );
}

#[test]
fn no_more_is_settled_than_was_in_conflict() {
    for scenario in unstick::sandbox::scenario::Scenario::list() {
        for strategy in unstick::domain::strategy::Strategy::ALL {
            let bench = Bench::scenario(scenario.name);
            let text = bench.run("inspect", &["--format", "json"]).stdout;
            let inspection: Value = serde_json::from_slice(&text).expect("JSON");
            bench.run("push", &["--strategy", strategy.name(), "--yes"]);
            // A look afterwards and a second push count nothing again.
            bench.run("inspect", &[]);
            bench.run("push", &["--strategy", strategy.name(), "--yes"]);
            let log = summary(&bench);
            let (conflicts, settled) = (log["conflicts"].as_u64(), log["resolved"].as_u64());
            assert_eq!(conflicts, inspection["summary"]["diverged"].as_u64(), "{} {log}", scenario.name);
            assert!(settled <= conflicts, "{} {}: {log}", scenario.name, strategy.name());
        }
    }
}

#[test]
fn what_became_a_conflict_during_the_push_counts_as_one_before_it_counts_as_settled() {
    for rule in
        ["post:1=race:same", "post:2=race:same", "post:1=race", "post:1=409:after", "post:1=reset-mid-body"]
    {
        for strategy in ["client-wins", "server-wins", "last-write-wins"] {
            let bench = Bench::faulty("tablet-behind", &[rule]);
            bench.run("push", &["--strategy", strategy, "--yes"]);
            let log = summary(&bench);
            let (conflicts, settled) = (log["conflicts"].as_u64(), log["resolved"].as_u64());
            assert!(
                settled > Some(0) && settled <= conflicts,
                "{rule} {strategy}: {settled:?} of {conflicts:?}"
            );
        }
    }
}
