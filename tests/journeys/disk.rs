//! The device file cannot be written: seen before anything is sent, or told for what it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::bench::{Bench, said};

/// How long a push may take to get somewhere.
const PATIENCE: Duration = Duration::from_secs(30);

const PUSH: [&str; 5] = ["--strategy", "client-wins", "--yes", "--format", "json"];

/// A push during which `meddle` is called while the server holds its first answer.
fn meddled(bench: &Bench, arguments: &[&str], meddle: impl FnOnce(&Bench)) -> Output {
    let mut command = bench.command("push", arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let begun = Instant::now();
    let sending =
        || fs::read_to_string(beside(bench, ".unstick-journal")).is_ok_and(|text| text.contains("sending"));
    while !sending() {
        assert!(begun.elapsed() < PATIENCE, "nothing is sent");
        std::thread::sleep(Duration::from_millis(2));
    }
    meddle(bench);
    child.wait_with_output().expect("it ends")
}

fn beside(bench: &Bench, suffix: &str) -> PathBuf {
    let mut name = bench.device.clone().into_os_string();
    name.push(suffix);
    name.into()
}

/// A device whose server takes a while for each answer.
fn slow() -> Bench {
    Bench::faulty("tablet-behind", &["post:1=slow:1500"])
}

fn outcome(output: &Output) -> Value {
    let outcome = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)));
    super::schemas::assert_described("outcome-1.json", &String::from_utf8_lossy(&output.stdout));
    outcome
}

fn read_only(path: &Path, read_only: bool) {
    let mut mode = fs::metadata(path).expect("there").permissions();
    mode.set_readonly(read_only);
    fs::set_permissions(path, mode).expect("a mode");
}

/// What was sent is never sent again, and the file ends as if it had been written at once.
fn is_settled_by_resume(bench: &Bench) {
    let posts = bench.requests("POST");
    bench.expect(0, "resume", &["--yes"]);
    assert_eq!(bench.requests("POST"), posts, "nothing is sent twice");
    let device = bench.device();
    assert_eq!(device["queue"], json!([]));
    assert_eq!(device["sync"]["lastMutationAt"], json!(bench.server.with_model(|model| model.head())));
    let left: Vec<String> =
        bench.files().into_iter().map(|(name, _)| name).filter(|name| !name.contains(".backup-")).collect();
    assert_eq!(left, ["device.json"], "neither journal nor result stays");
}

#[test]
fn a_file_that_may_not_be_replaced_is_seen_before_anything_is_sent() {
    let bench = Bench::scenario("tablet-behind");
    let before = bench.text();
    read_only(&bench.device, true);
    let output = bench.run("push", &PUSH);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("Nothing was sent"), "{}", said(&output));
    assert_eq!((bench.requests("POST"), bench.text()), (0, before));
    assert_eq!(bench.files().len(), 1, "no backup, no journal, no choices stay");
    read_only(&bench.device, false);
    bench.expect(0, "push", &PUSH);
}

#[cfg(unix)]
#[test]
fn a_disk_without_room_is_seen_before_anything_is_sent() {
    let bench = Bench::scenario("tablet-behind");
    let before = bench.text();
    // The shell's limit is in blocks of 512 or 1024 bytes: the reserve is larger in both.
    let mut command = Command::new("sh");
    let push = bench.command("push", &PUSH);
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 60; exec \"$@\"", "sh"])
        .arg(push.get_program())
        .args(push.get_args());
    for (name, value) in push.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // A conflict log would reach the limit too.
    let output = command.output().expect("a shell");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("finds no room"), "{}", said(&output));
    assert_eq!((bench.requests("POST"), bench.text()), (0, before));
    assert_eq!(bench.files().len(), 1, "nothing stays");
}

#[test]
fn a_file_that_cannot_be_written_afterwards_is_no_success() {
    let bench = slow();
    let before = bench.text();
    let output = meddled(&bench, &PUSH, |bench| read_only(&bench.device, true));
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    let told = outcome(&output);
    assert_eq!(
        (&told["end"], &told["syncEnd"], &told["exitCode"]),
        (&json!("not-written"), &json!("done"), &json!(5))
    );
    let result = beside(&bench, ".unstick-result.json");
    assert_eq!(told["result"], json!(result.display().to_string()));
    assert_eq!(told["file"], Value::Null);
    let result: Value = serde_json::from_slice(&fs::read(&result).expect("it lies there")).expect("JSON");
    assert_eq!(result["queue"], json!([]));
    assert_eq!(bench.text(), before);
    assert!(beside(&bench, ".unstick-journal").exists());
    // As long as it cannot be written, that is said and nothing is sent.
    let output = bench.run("resume", &["--yes"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    read_only(&bench.device, false);
    is_settled_by_resume(&bench);
    let rows = |device: &Value| {
        let rows = device["resources"].as_array().expect("rows").iter();
        let mut rows: Vec<_> = rows
            .map(|row| (row["id"].to_string(), row["data"].to_string(), row["syncStatus"].to_string()))
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(rows(&bench.device()), rows(&result), "the same as what was set aside");
}

#[test]
fn the_first_line_says_that_the_file_was_not_written_and_nothing_lets_the_app_sync() {
    let bench = slow();
    let output = meddled(&bench, &PUSH[..3], |bench| read_only(&bench.device, true));
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.starts_with("Sent, but the device file could not be written\n"), "{text}");
    assert!(text.contains("do not let the app sync") && text.contains("unstick resume"), "{text}");
    assert!(!text.contains("nothing to push"), "{text}");
}

#[test]
fn a_result_lies_where_it_can_be_written() {
    let bench = slow();
    let output = meddled(&bench, &PUSH, |bench| {
        read_only(&bench.device, true);
        fs::create_dir(beside(bench, ".unstick-result.json")).expect("something is in its place");
    });
    let told = outcome(&output);
    let result = PathBuf::from(told["result"].as_str().expect("a path"));
    assert!(result.starts_with(bench.data.path()) && result.exists(), "{}", result.display());
    read_only(&bench.device, false);
    fs::remove_dir(beside(&bench, ".unstick-result.json")).expect("removed");
    is_settled_by_resume(&bench);
    assert!(!result.exists());

    let bench = slow();
    fs::write(bench.data.path().join("results"), "").expect("something is in its place");
    let output = meddled(&bench, &PUSH, |bench| {
        read_only(&bench.device, true);
        fs::create_dir(beside(bench, ".unstick-result.json")).expect("something is in its place");
    });
    let told = outcome(&output);
    assert_eq!(told["result"], json!(beside(&bench, ".unstick-journal").display().to_string()));
    read_only(&bench.device, false);
    fs::remove_dir(beside(&bench, ".unstick-result.json")).expect("removed");
    is_settled_by_resume(&bench);
}

/// The application writes a note of its own into the file.
fn app_writes(bench: &Bench, id: &str) {
    let mut device = bench.device();
    let note = json!({"id": id, "type": "CREATE", "resource": "NOTE", "data": {"body": format!("written meanwhile, {id}"), "ranges": ["7:1-7:1"]}});
    device["queue"].as_array_mut().expect("a queue").push(note);
    fs::write(&bench.device, device.to_string()).expect("the app writes");
}

/// How many notes with this body the server has.
fn on_server(bench: &Bench, body: &str) -> usize {
    use unstick::domain::mutation::Kind;
    bench.server.with_model(|model| {
        model.live(&Kind::Note).into_iter().filter(|(_, data)| data["body"] == body).count()
    })
}

fn queued(bench: &Bench) -> Vec<String> {
    let device = bench.device();
    let queue = device["queue"].as_array().expect("a queue").iter();
    queue.map(|entry| entry["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_the_app_writes_meanwhile_stays_and_what_was_sent_leaves() {
    for strategy in ["client-wins", "server-wins", "last-write-wins"] {
        let bench = slow();
        let push = ["--strategy", strategy, "--yes", "--format", "json"];
        let output = meddled(&bench, &push, |bench| app_writes(bench, "since"));
        assert_eq!(output.status.code(), Some(1), "{strategy}: {}", said(&output));
        let told = outcome(&output);
        assert_eq!(
            (&told["end"], &told["hold"][0]["device"]),
            (&json!("left"), &json!(["since"])),
            "{strategy}"
        );
        assert_eq!(queued(&bench), ["since"], "{strategy}");
        let backups: Vec<_> =
            bench.files().into_iter().filter(|(name, _)| name.contains(".backup-")).collect();
        assert_eq!(backups.len(), 2, "what was read and what was replaced");
        bench.expect(0, "push", &push);
        assert_eq!(
            (queued(&bench).len(), on_server(&bench, "written meanwhile, since")),
            (0, 1),
            "{strategy}"
        );
    }
}

#[test]
fn what_the_app_took_out_itself_is_asked_and_nothing_is_written() {
    let bench = slow();
    let output = meddled(&bench, &PUSH, |bench| {
        let mut device = bench.device();
        device["queue"] = json!([]);
        fs::write(&bench.device, device.to_string()).expect("the app writes");
    });
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    let told = outcome(&output);
    assert!(told["notWritten"].as_str().expect("why").contains("cannot be told"), "{told}");
    // The result in the file's place is gone on from.
    fs::rename(beside(&bench, ".unstick-result.json"), &bench.device).expect("moved");
    is_settled_by_resume(&bench);
}

#[test]
fn what_the_app_wrote_after_a_push_broke_off_stays_at_resume() {
    let bench = slow();
    meddled(&bench, &PUSH, |bench| read_only(&bench.device, true));
    read_only(&bench.device, false);
    let sent = bench.requests("POST");
    app_writes(&bench, "since");
    let stood = bench.expect(1, "resume", &[]);
    assert!(stood.contains("1 queue entry was added or edited"), "{stood}");
    bench.expect(0, "resume", &["--yes"]);
    assert_eq!((bench.requests("POST"), on_server(&bench, "written meanwhile, since")), (sent + 1, 1));
    assert_eq!(queued(&bench).len(), 0);
    assert!(!beside(&bench, ".unstick-journal").exists());

    // Given up, it stays all the same.
    let bench = slow();
    meddled(&bench, &PUSH, |bench| read_only(&bench.device, true));
    read_only(&bench.device, false);
    app_writes(&bench, "since");
    bench.expect(0, "resume", &["--discard"]);
    assert!(queued(&bench).contains(&String::from("since")));
    // What was acknowledged is out of it.
    bench.expect(0, "push", &PUSH);
    assert_eq!((queued(&bench).len(), on_server(&bench, "written meanwhile, since")), (0, 1));
}

/// A device whose push broke off after everything was acknowledged.
fn broken_off() -> Bench {
    let bench = slow();
    meddled(&bench, &PUSH, |bench| read_only(&bench.device, true));
    read_only(&bench.device, false);
    bench
}

#[test]
fn a_file_that_is_renamed_after_a_crash_goes_on_where_it_stood() {
    let mut bench = broken_off();
    let (old, posts) = (bench.device.clone(), bench.requests("POST"));
    let new = bench.folder.path().join("renamed.json");
    fs::rename(&old, &new).expect("renamed");
    bench.device = new;
    let stood = bench.expect(1, "resume", &[]);
    assert!(
        stood.contains(&format!("it began with {}", old.canonicalize().unwrap_or(old).display())),
        "{stood}"
    );
    bench.expect(0, "resume", &["--yes"]);
    assert_eq!((bench.requests("POST"), queued(&bench).len()), (posts, 0));
    let left = fs::read_dir(bench.data.path().join("pushes")).map(Iterator::count);
    assert_eq!(left.expect("a folder"), 0, "nothing is kept in mind");
}

#[test]
fn a_copy_of_a_file_whose_push_broke_off_is_told_where_it_began() {
    let mut bench = broken_off();
    let (old, posts) = (bench.device.clone(), bench.requests("POST"));
    let folder = tempfile::tempdir().expect("a folder");
    for (copy, edited) in [("copy.json", false), ("edited.json", true)] {
        let copy = folder.path().join(copy);
        fs::copy(&old, &copy).expect("copied");
        bench.device = copy;
        if edited {
            app_writes(&bench, "since");
        }
        for (command, arguments) in [("push", &PUSH[..]), ("resume", &["--yes"][..]), ("inspect", &[][..])] {
            let output = bench.run(command, arguments);
            assert_eq!(output.status.code(), Some(2), "{command}: {}", said(&output));
            assert!(said(&output).contains("device.json"), "{command}: {}", said(&output));
        }
    }
    assert_eq!(bench.requests("POST"), posts, "nothing is sent twice");
    bench.device = old;
    is_settled_by_resume(&bench);
}
