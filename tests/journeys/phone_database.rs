//! A phone's own database, end to end: looked at, pushed, gone on with; and never written to.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use unstick::domain::mutation::Millis;
use unstick::sandbox::model::{FirstSync, Model};

use super::bench::{Bench, said};
use super::schemas::assert_described;

fn fixture(name: &str) -> PathBuf {
    Path::new("tests/fixtures/device").join(name)
}

/// A server that holds what the sample's phone knows, and the phone's files in the folder of the bench.
fn phone() -> (Bench, PathBuf, Vec<u8>) {
    let expected = std::fs::read_to_string(fixture("device-sample.expected.json")).expect("readable");
    let expected: Value = serde_json::from_str(&expected).expect("JSON");
    let mut model = Model::new(FirstSync::Positive, Millis(1_767_000_000_000));
    let database =
        unstick::device::DeviceFile::read(&fixture("device-sample.sqlite")).expect("a device file");
    let (mut rows, mut links): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for row in database.device().known.iter().flatten() {
        let mut data: Value = serde_json::from_str(row.data.as_str().expect("data")).expect("JSON");
        let kind = row.kind.wire();
        if kind == "COLLECTION_BOOKMARK" {
            // The server finds the bookmark by its place.
            data.as_object_mut().expect("an object").remove("bookmarkId");
            links.push(json!({"type": "CREATE", "resource": kind, "data": data}));
        } else if row.id.as_str() != "__default__" {
            rows.push(json!({"type": "CREATE", "resource": kind, "resourceId": row.id, "data": data}));
        }
    }
    let mut now = 1_768_200_000_000;
    for mutation in rows.iter().chain(&links) {
        now += 1_000;
        // What the sandbox does not take (a link to a bookmark that it does not know, say) is not on the server.
        let _ = model.other_device_writes(Millis(now), "web", std::slice::from_ref(mutation));
    }
    assert!(expected["storedCursor"].is_number());
    let head = model.head().value();
    let bench = Bench::new(model, "{\"queue\":[]}");
    let path = bench.folder.path().join("quran.db");
    std::fs::copy(fixture("device-sample.sqlite"), &path).expect("copied");
    let bytes = std::fs::read(&path).expect("readable");
    std::fs::write(bench.folder.path().join("cursor"), head.to_string()).expect("written");
    (bench, path, bytes)
}

fn run(bench: &Bench, database: &Path, command: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let cursor = std::fs::read_to_string(bench.folder.path().join("cursor")).expect("readable");
    let url = bench.server.url();
    let database = database.to_str().expect("a path");
    let mut arguments = vec![command, database, "--server", url.as_str(), "--cursor", cursor.as_str()];
    arguments.extend(more);
    let mut command = super::bench::unstick(&arguments);
    command.env("UNSTICK_DATA_DIR", bench.data.path());
    let output = command.output().expect("the binary runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), said(&output))
}

#[test]
fn a_phones_database_is_pushed_gone_on_with_and_never_written_to() {
    let (bench, path, before) = phone();
    let (code, human, all) = run(&bench, &path, "inspect", &[]);
    assert!(matches!(code, Some(0 | 1)), "{all}");
    assert!(human.contains("23 mutations wait on the device") && human.contains("never sent"), "{all}");
    assert_eq!(
        std::fs::read_dir(bench.folder.path()).expect("a folder").count(),
        3,
        "looking writes nothing"
    );

    let (code, out, all) =
        run(&bench, &path, "push", &["--strategy", "client-wins", "--yes", "--format", "json"]);
    let outcome: Value = serde_json::from_str(&out).expect("JSON");
    // The short note is refused, and the phone's own deletions wait.
    assert_eq!(code, Some(1), "{all}");
    assert_eq!(outcome["quarantined"].as_array().map(Vec::len), Some(1), "{outcome}");
    assert_eq!(outcome["hold"].as_array().map(Vec::len), Some(3), "{outcome}");
    assert_eq!(std::fs::read(&path).expect("readable"), before, "the database is as it was");
    let export = bench.folder.path().join("quran.db.unstick.json");
    let device: Value =
        serde_json::from_str(&std::fs::read_to_string(&export).expect("the device file lies beside it"))
            .expect("JSON");
    let left: Vec<&str> = device["queue"]
        .as_array()
        .expect("a queue")
        .iter()
        .filter_map(|entry| entry["id"].as_str())
        .collect();
    assert_eq!(left, ["note-5", "session-3", "session-2", "session-1"]);
    // The phone itself is told of: what was refused stays on it, and stops it each time.
    assert_eq!(outcome["recovery"]["verdict"], "in-the-app", "{outcome}");
    assert_described("outcome-1.json", &out);
    let posts = bench.requests("POST");

    // The same database again goes on from there: nothing is sent twice.
    let (code, human, all) = run(&bench, &path, "inspect", &[]);
    assert!(matches!(code, Some(0 | 1)), "{all}");
    assert!(human.contains("4 mutations wait on the device"), "{all}");
    let (_, _, all) = run(&bench, &path, "push", &["--strategy", "client-wins", "--yes"]);
    let notes = bench.server.with_model(|model| model.live(&unstick::domain::mutation::Kind::Note).len());
    assert_eq!(notes, 1 + 1 + 4, "note 1, note 2 as it was changed, notes 4, 6, 7 and 9: {all}");
    assert!(bench.requests("POST") >= posts);
    assert_eq!(std::fs::read(&path).expect("readable"), before);
}

#[test]
fn what_the_phone_deleted_of_its_own_accord_is_sent_when_a_person_chooses_it() {
    let (bench, path, _) = phone();
    let choices = bench.folder.path().join("choices.json");
    let chosen = json!({"schema": "unstick.choices/1", "choices": [
        {"kind": "READING_SESSION", "key": "id:rs00w98f0mv0z27chfmbd000", "path": "", "choice": "device"}]});
    std::fs::write(&choices, chosen.to_string()).expect("written");
    let choices = choices.to_str().expect("a path");
    let (code, out, all) = run(&bench, &path, "plan", &["--choices", choices, "--format", "json"]);
    assert!(matches!(code, Some(0 | 1)), "{all}");
    let plan: Value = serde_json::from_str(&out).expect("JSON");
    assert_described("plan-1.json", &out);
    // What the push would not cure is said before it is confirmed.
    assert_ne!(plan["recovery"]["verdict"], "by-itself", "{plan}");
    assert!(
        plan["cautions"][0]["text"].as_str().is_some_and(|text| text.contains("does not recover")),
        "{plan}"
    );
    let sent: Vec<&Value> = plan["batches"]
        .as_array()
        .expect("a list")
        .iter()
        .flat_map(|batch| batch["mutations"].as_array().expect("a list"))
        .collect();
    let deletes = |id: &str| sent.iter().any(|m| m["type"] == "DELETE" && m["resourceId"] == id);
    assert!(deletes("rs00w98f0mv0z27chfmbd000"), "{plan}");
    assert!(!deletes("rs01w98f0mv0z27chfmbd001"), "{plan}");
    // The person's own deletion is sent.
    assert!(deletes("rs20w98f0mv0z27chfmbd020"), "{plan}");
}

#[test]
fn no_copy_of_a_database_is_left_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("quran.db");
    std::fs::copy(fixture("device-sample.sqlite"), &path).expect("copied");
    let pull = folder.path().join("pull.json");
    let empty = json!({"success": true, "data": {"lastMutationAt": 1_769_900_000_000_u64, "mutations": []}});
    std::fs::write(&pull, empty.to_string()).expect("written");
    // What a process left that was killed while it read.
    let temporary = folder.path().join("tmp");
    let mut child = std::process::Command::new("true").spawn().expect("it runs");
    let gone = child.id();
    child.wait().expect("it ended");
    let left = temporary.join(format!("unstick-database-{gone}-x"));
    std::fs::create_dir_all(&left).expect("made");
    std::fs::write(left.join("quran.db"), "private").expect("written");
    let arguments = ["inspect", path.to_str().expect("a path"), "--pull", pull.to_str().expect("a path")];
    let output = super::bench::unstick(&arguments).env("TMPDIR", &temporary).output().expect("it runs");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", said(&output));
    assert_eq!(std::fs::read_dir(&temporary).expect("a folder").count(), 0);
}
