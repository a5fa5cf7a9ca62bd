//! Device files as they come: read whole, refused with a place, written back byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use unstick::device::DeviceFile;
use unstick::device::write_back::rewritten;
use unstick::domain::device::Device;
use unstick::domain::mutation::{Cursor, Kind, Queued, WireMutation};
use unstick::error::InputError;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn read(name: &str) -> DeviceFile {
    DeviceFile::read(&fixture(name)).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(name: &str) -> InputError {
    DeviceFile::read(&fixture(&format!("broken/{name}.json"))).expect_err(name)
}

fn wire(queued: &Queued) -> Value {
    let Queued { op, kind, resource_id, data, .. } = queued.clone();
    serde_json::to_value(WireMutation { op, kind, resource_id, data }).expect("a wire mutation")
}

#[test]
fn the_sample_phone_queues_what_its_database_holds() {
    let expected: Value =
        serde_json::from_str(&fs::read_to_string(fixture("device-sample.expected.json")).expect("there"))
            .expect("JSON");
    let file = read("device-sample.json");
    assert_eq!(file.warnings(), []);
    let device = file.device();
    assert_eq!(device.identity.name(), "Sample phone");
    assert_eq!(device.sync.cursor.map(Cursor::value), expected["storedCursor"].as_i64());
    assert!(device.known.is_none());

    let pending = expected["pending"].as_array().expect("pending");
    assert_eq!(device.queue.len(), pending.len());
    for (queued, row) in device.queue.iter().zip(pending) {
        let id = format!(
            "{}:{}",
            row["table"].as_str().expect("a table"),
            row["localId"].as_str().expect("an id")
        );
        assert_eq!(queued.id.as_str(), id);
        assert_eq!(wire(queued), row["mutation"], "{id}");
        assert_eq!(queued.created_at.map(|at| at.0), row["modifiedAt"].as_i64(), "{id}");
        assert_eq!(queued.retry_count, if id == "bookmark_collection:7" { 3 } else { 0 }, "{id}");
    }
}

#[test]
fn every_kind_is_read_with_all_its_members() {
    let file = read("every-kind.json");
    assert_eq!(file.warnings(), []);
    let device = file.device();
    assert_eq!(device.sync.cursor, Some(Cursor::read(1_769_900_000_000)));
    let mut kinds: BTreeMap<&Kind, usize> = BTreeMap::new();
    for queued in &device.queue {
        *kinds.entry(&queued.kind).or_default() += 1;
    }
    let badge = Kind::from_wire("BADGE");
    for (kind, count) in [
        (&Kind::Bookmark, 3),
        (&Kind::Collection, 3),
        (&Kind::Link, 3),
        (&Kind::Note, 4),
        (&Kind::ReadingSession, 3),
        (&badge, 3),
    ] {
        assert_eq!(kinds.get(kind), Some(&count), "{}", kind.wire());
    }
    assert!(device.queue.iter().all(|queued| queued.created_at.is_some()));
    let note = device.queue.iter().find(|queued| queued.id.as_str() == "note:1").expect("the long note");
    let body = note.data.members()["body"].as_str().map(str::to_owned).expect("a body");
    assert!(body.contains("ٱلْقَيُّومُ") && body.contains('🤲') && body.ends_with("\u{200f}\\ نهاية"));
    assert_eq!(body.lines().count(), 10);
    let badge = device.queue.iter().find(|queued| queued.id.as_str() == "badge:1").expect("the badge");
    assert_eq!(badge.data.members()["exact"].to_text(), "9007199254740993.0");
    assert_eq!(badge.data.members()["huge"].to_text(), "1e400");
    assert_eq!(device.known.as_ref().map(Vec::len), Some(7));
}

#[test]
fn what_is_not_changed_is_written_back_byte_for_byte() {
    for name in [
        "device-sample.json",
        "every-kind.json",
        "bare-queue.json",
        "odd-ids.json",
        "broken/odd-but-readable.json",
    ] {
        let file = read(name);
        let again = rewritten(&file, file.device());
        assert!(again.text == file.text() && again.left_out.is_empty(), "{name}");
    }
}

#[test]
fn each_queue_entry_can_go_alone() {
    for name in ["device-sample.json", "every-kind.json", "bare-queue.json", "odd-ids.json"] {
        let file = read(name);
        for at in 0..file.device().queue.len() {
            let mut now = Device::clone(file.device());
            now.queue.remove(at);
            let text = rewritten(&file, &now).text;
            let again = DeviceFile::from_text(name, text).unwrap_or_else(|error| panic!("{error}"));
            assert!(again.device().queue == now.queue, "{name} without {at}");
            assert!(again.device().known == now.known, "{name} without {at}");
            assert_eq!(again.warnings(), file.warnings(), "{name} without {at}");
        }
    }
}

#[test]
fn ids_are_any_text() {
    let file = read("odd-ids.json");
    assert_eq!(file.warnings(), []);
    let ids: Vec<&str> = file.device().queue.iter().map(|queued| queued.id.as_str()).collect();
    assert_eq!(ids, ["a/b", "a-b-c", " a b ", "🌙", "~0~1", "a/b "]);
    assert_eq!(file.device().sync.cursor, Some(Cursor::FIRST_SYNC));
}

#[test]
fn bad_input_is_named_by_file_place_finding_and_expectation() {
    for (name, place, found, expected) in [
        ("duplicate-ids", "/queue/2/id", r#""q1", the id of /queue/0"#, "an id of its own"),
        ("duplicate-members", "/0/data", r#"the member "body" twice"#, "each member once"),
        ("missing-type", "/queue/0/type", "nothing", "CREATE, UPDATE or DELETE"),
        ("unknown-type", "/queue/0/type", r#""MERGE""#, "CREATE, UPDATE or DELETE"),
        ("missing-id", "/queue/0/id", "nothing", "the queue entry's id, a string"),
        ("number-as-id", "/queue/0/resourceId", "a number", "a string"),
        ("text-as-data", "/queue/0/data", "a string", "an object"),
        ("queue-as-object", "/queue", "an object", "an array"),
        ("cursor-as-text", "/sync/lastMutationAt", "a string", "a whole number"),
        (
            "cursor-too-long",
            "/sync/lastMutationAt",
            "a number with a fraction or beyond 64 bits",
            "a whole number",
        ),
        ("a-pull", "(the whole document)", "a server's answer", "a device file: an object with queue"),
        (
            "something-else",
            "(the whole document)",
            "an object with none of these",
            "a device file: an object with queue",
        ),
    ] {
        let message = refused(name).to_string();
        let parts = [
            format!("{name}.json, at {place}: "),
            format!("found {found}, "),
            format!("expected {expected}"),
        ];
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        assert!(message.contains("Nothing was written"), "{message}");
        assert!(!message.contains("صبر"), "{message}");
    }
}

#[test]
fn what_is_not_json_is_named_by_line_and_column() {
    for (name, place, reason) in [
        ("truncated", (3, 32), "EOF while parsing a string"),
        ("empty", (1, 1), "EOF while parsing a value"),
        ("trailing-comma", (1, 52), "key must be a string"),
        ("two-documents", (2, 1), "trailing characters"),
        ("latin1", (1, 71), "a byte that is not UTF-8"),
    ] {
        match refused(name) {
            InputError::Syntax { line, column, reason: said, .. } => {
                assert_eq!(((line, column), &*said), (place, reason), "{name}");
            }
            other => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn what_is_odd_is_listed_and_the_rest_is_used() {
    let file = read("broken/odd-but-readable.json");
    let places: Vec<&str> = file.warnings().iter().map(|warning| &*warning.pointer).collect();
    assert_eq!(
        places,
        [
            "/device/id",
            "/sync/lastSyncAttempt",
            "/queue/0/data",
            "/queue/0/data",
            "/queue/0/createdAt",
            "/queue/0/retryCount",
            "/queue/0/lastError",
            "/queue/1/data",
            "/queue/1/data",
            "/queue/1/data",
            "/queue/1/createdAt",
            "/resources/1",
            "/resources/2/syncStatus",
            "/resources/3",
            "/sync/pendingMutationCount",
        ]
    );
    let device = file.device();
    assert_eq!(device.identity.name(), "Tablet");
    assert_eq!(device.queue.len(), 2);
    assert_eq!(device.known.as_ref().map(Vec::len), Some(1));
}

#[test]
fn a_file_of_two_gigabytes_is_refused_unread() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("device.json");
    fs::File::create(&path).and_then(|file| file.set_len(2 << 30)).expect("a sparse file");
    match DeviceFile::read(&path) {
        Err(error @ InputError::TooLarge { bytes, .. }) => {
            assert_eq!(bytes, 2 << 30);
            assert!(error.to_string().contains("Export the device's queue alone"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_database_and_a_missing_file_say_what_to_do_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("quran.db");
    fs::write(&path, b"SQLite format 3\0\x10\0\x01\x01").expect("written");
    let error = DeviceFile::read(&path).expect_err("a database").to_string();
    assert!(
        error.contains("quran.db is cut off") && error.contains("Copy it from the phone again"),
        "{error}"
    );
    for path in [folder.path().join("missing.json"), folder.path().join("missing.db")] {
        let error = DeviceFile::read(&path).expect_err("no file").to_string();
        assert!(error.contains("cannot read") && error.contains("Check the path"), "{error}");
    }
}
