use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::domain::device::SyncStatus;
use crate::domain::json::Text;
use crate::domain::mutation::{Cursor, Op};

fn read(text: &str) -> DeviceFile {
    DeviceFile::from_text("queue.json", text.to_owned()).expect("a device file")
}

fn payload(text: &str) -> Payload {
    Payload::new(Text::new(text.to_owned()))
}

fn known(id: &str, data: &str) -> Known {
    Known {
        id: id.into(),
        kind: Kind::Note,
        data: payload(data),
        status: SyncStatus::Synced,
        local_updated_at: None,
        server_timestamp: Some(Millis(1_770_050_000_009)),
    }
}

const FILE: &str = r#"{
  "exporter": {"version": 3},
  "sync": {"lastMutationAt": 100, "pendingMutationCount": 3, "epoch": 7},
  "queue": [
    {"id": "q1", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "data": {"body": "صبر"}, "tag": [1]},
    {"id": "q2", "type": "DELETE", "resource": "NOTE", "resourceId": null, "retryCount": 1, "lastError": "409"},
    {"id": "q3", "type": "CREATE", "resource": "BADGE", "createdAt": 1769990400, "data": {}}
  ],
  "resources": [
    {"id": "n1", "resource": "NOTE", "data": {"body": "أ"}, "syncStatus": "pending_update", "pinned": true},
    {"id": "n1", "resource": "NOTE", "syncStatus": "?"}
  ]
}
"#;

#[test]
fn only_what_changed_changes() {
    let file = read(FILE);
    let mut now = Device::clone(file.device());
    now.queue.remove(0);
    now.queue[0].resource_id = Some("n/2".into());
    now.queue[0].retry_count = 2;
    now.queue[0].last_error = None;
    now.sync.cursor = Some(Cursor::read(200));
    now.sync.last_success = Some(Millis(1_769_990_400_000));
    let list = now.known.as_mut().expect("resources");
    list[0].status = SyncStatus::Synced;
    list[0].server_timestamp = Some(Millis(1_770_050_000_009));
    list.push(known("n9", r#"{"body":"ب"}"#));
    let Rewritten { text, left_out } = rewritten(&file, &now);
    assert_eq!(left_out, []);
    assert_eq!(
        text,
        r#"{
  "exporter": {"version": 3},
  "sync": {"lastMutationAt": 200, "pendingMutationCount": 2, "epoch": 7, "lastSuccessfulSync": 1769990400000},
  "queue": [
    {"id": "q2", "type": "DELETE", "resource": "NOTE", "resourceId": "n/2", "retryCount": 2},
    {"id": "q3", "type": "CREATE", "resource": "BADGE", "createdAt": 1769990400, "data": {}}
  ],
  "resources": [
    {"id": "n1", "resource": "NOTE", "data": {"body": "أ"}, "syncStatus": "synced", "pinned": true, "serverTimestamp": 1770050000009},
    {"id": "n1", "resource": "NOTE", "syncStatus": "?"},
    {"id":"n9","resource":"NOTE","data":{"body":"ب"},"syncStatus":"synced","serverTimestamp":1770050000009}
  ]
}
"#
    );
}

#[test]
fn sections_are_added_where_there_is_something_to_store() {
    let file = read(r#"{"queue": [{"id": "q1", "type": "DELETE", "resource": "NOTE"}]}"#);
    let mut now = Device::clone(file.device());
    now.queue.clear();
    assert_eq!(rewritten(&file, &now).text, r#"{"queue": []}"#);
    now.sync.cursor = Some(Cursor::FIRST_SYNC);
    now.known = Some(vec![known("n1", "{}")]);
    assert_eq!(
        rewritten(&file, &now).text,
        r#"{"queue": [],"sync": {"lastMutationAt":-1},"resources": [{"id":"n1","resource":"NOTE","data":{},"syncStatus":"synced","serverTimestamp":1770050000009}]}"#
    );
    let file = read(r#"{"sync": null, "queue": []}"#);
    let now = Device { sync: now.sync, ..Device::default() };
    assert_eq!(rewritten(&file, &now).text, r#"{"sync": {"lastMutationAt":-1}, "queue": []}"#);
}

#[test]
fn a_bare_queue_says_what_it_cannot_hold() {
    let file = read("\u{feff}[{\"id\":\"q1\",\"type\":\"DELETE\",\"resource\":\"NOTE\"}]\n");
    let mut now = Device::clone(file.device());
    now.queue.clear();
    let only_queue = rewritten(&file, &now);
    assert_eq!((&*only_queue.text, &*only_queue.left_out), ("\u{feff}[]\n", &[][..]));
    now.sync.cursor = Some(Cursor::read(200));
    now.known = Some(Vec::new());
    assert_eq!(rewritten(&file, &now).left_out, [LeftOut::Sync, LeftOut::Resources]);
}

#[test]
fn a_resource_that_stands_there_twice_goes_altogether() {
    let row = r#"{"id":"n1","resource":"NOTE","syncStatus":"synced"}"#;
    let file = read(&format!(r#"{{"queue":[],"resources":[{row},7,{row}]}}"#));
    let mut now = Device::clone(file.device());
    now.known = Some(Vec::new());
    assert_eq!(rewritten(&file, &now).text, r#"{"queue":[],"resources":[7]}"#);
}

/// How a document is laid out: behind brackets and commas, and around colons.
fn layout() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![("", ":"), ("", ": "), ("\n  ", ": "), ("\r\n\t", " :\t"), (" ", ":")])
}

fn value() -> impl Strategy<Value = String> {
    select(vec!["{}", "[ 1,\n2 ]", "null", "1e400", "\"\\ud800\"", "\"صَبْرٌ \\\"🤲\\\"\"", "{\"a\" : [{}]}"])
        .prop_map(String::from)
}

fn id() -> impl Strategy<Value = String> {
    select(vec!["a", "b-c", "d/e", "f g", "🌙", "~1"]).prop_map(String::from)
}

/// Members of a row, of which some are there; the last is one that nobody knows.
fn row(members: Vec<(&'static str, BoxedStrategy<String>)>) -> impl Strategy<Value = Vec<(String, String)>> {
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| option::of(value.prop_map(move |v| (name.to_owned(), v))))
        .collect();
    (members, value()).prop_map(|(members, unknown)| {
        let mut row: Vec<_> = members.into_iter().flatten().collect();
        row.push((String::from("un\\u006bnown"), unknown));
        row
    })
}

fn quoted(text: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    text.prop_map(|text| string(&text)).boxed()
}

fn of(list: &'static [&'static str]) -> BoxedStrategy<String> {
    select(list).prop_map(String::from).boxed()
}

const DATA: &[&str] = &["null", "{}", "{ \"body\" : \"صبر\" }", "{\"body\":1,\"new\":{\"a\":[]}}"];
const TIMES: &[&str] = &["null", "0", "1769990400", "1769990400000.0", "\"2026-02-02T00:00:00Z\"", "\"?\""];

fn entry() -> impl Strategy<Value = Vec<(String, String)>> {
    row(vec![
        ("resourceId", prop_oneof![of(&["null"]), quoted(id())].boxed()),
        ("data", of(DATA)),
        ("base", of(DATA)),
        ("createdAt", of(TIMES)),
        ("retryCount", of(&["null", "0", "3", "\"3\""])),
        ("lastError", of(&["null", "\"409\"", "{}"])),
    ])
}

fn resource() -> impl Strategy<Value = Vec<(String, String)>> {
    row(vec![
        ("data", of(DATA)),
        ("syncStatus", of(&["\"synced\"", "\"pending_update\"", "\"?\""])),
        ("localUpdatedAt", of(TIMES)),
        ("serverTimestamp", of(TIMES)),
    ])
}

fn sync() -> impl Strategy<Value = Vec<(String, String)>> {
    row(vec![
        ("lastMutationAt", of(&["null", "-1", "100", "1769986347987.0"])),
        ("lastSyncAttempt", of(TIMES)),
        ("lastSuccessfulSync", of(TIMES)),
        ("pendingMutationCount", of(&["null", "0", "3", "\"3\""])),
    ])
}

/// The text of a device file of any shape that can be read.
fn file_text() -> impl Strategy<Value = String> {
    let entries = vec(
        (select(vec!["CREATE", "UPDATE", "DELETE"]), select(vec!["NOTE", "BOOKMARK", "BADGE"]), entry()),
        0..6,
    );
    let resources = vec((id(), select(vec!["NOTE", "BADGE"]), resource()), 0..6);
    let sync = prop_oneof![Just(None), sync().prop_map(Some)];
    (layout(), entries, option::of(resources), option::of(sync), value(), any::<[bool; 3]>()).prop_map(
        |((gap, colon), entries, resources, sync, unknown, [bare, mark, trail])| {
            let list = |open: char, items: Vec<String>, close: char| match items.len() {
                0 => format!("{open}{close}"),
                _ => format!("{open}{gap}{}{gap}{close}", items.join(&format!(",{gap}"))),
            };
            let object = |members: Vec<(String, String)>| {
                list('{', members.into_iter().map(|(n, v)| format!("\"{n}\"{colon}{v}")).collect(), '}')
            };
            let entries = entries.into_iter().enumerate().map(|(at, (op, kind, members))| {
                let mut all = vec![("id".into(), format!("\"q{at}\"")), ("resource".into(), string(kind))];
                all.extend(members);
                all.push(("type".into(), string(op)));
                object(all)
            });
            let queue = list('[', entries.collect(), ']');
            let mut text = if bare {
                queue
            } else {
                let mut members =
                    vec![(String::from("first"), unknown.clone()), (String::from("queue"), queue)];
                if let Some(rows) = resources {
                    let rows = rows.into_iter().map(|(id, kind, mut members)| {
                        members.insert(0, ("id".into(), string(&id)));
                        members.insert(1, ("resource".into(), string(kind)));
                        object(members)
                    });
                    members.push(("resources".into(), list('[', rows.collect(), ']')));
                }
                if let Some(sync) = sync {
                    members.push(("sync".into(), sync.map_or_else(|| "null".into(), object)));
                }
                members.push((String::from("last"), unknown));
                object(members)
            };
            if mark {
                text.insert(0, '\u{feff}');
            }
            if trail {
                text.push('\n');
            }
            text
        },
    )
}

/// What a push may make of a device.
#[derive(Clone, Debug)]
enum Change {
    Forget(usize),
    Learn(usize, Option<String>),
    Refuse(usize, u32, Option<String>),
    Say(usize, &'static str),
    Queue(String),
    Drop(usize),
    Know(String, &'static str),
    Settle(usize),
    Move(i64),
    Try(i64),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = || 0..6_usize;
    let change = prop_oneof![
        at().prop_map(Change::Forget),
        (at(), option::of(id())).prop_map(|(at, id)| Change::Learn(at, id)),
        (at(), 0..5_u32, option::of(id())).prop_map(|(at, count, error)| Change::Refuse(at, count, error)),
        (at(), select(&DATA[1..])).prop_map(|(at, data)| Change::Say(at, data)),
        id().prop_map(Change::Queue),
        at().prop_map(Change::Drop),
        (id(), select(&DATA[1..])).prop_map(|(id, data)| Change::Know(id, data)),
        at().prop_map(Change::Settle),
        any::<i64>().prop_map(Change::Move),
        select(vec![0, 200, -1, 999_999_999_999, 1_770_050_000_009]).prop_map(Change::Try),
    ];
    vec(change, 0..8)
}

fn apply(device: &mut Device, change: Change) {
    let entry = |device: &mut Device, at: usize, set: &dyn Fn(&mut Queued)| {
        device.queue.get_mut(at).into_iter().for_each(set);
    };
    let list = device.known.as_mut();
    match change {
        Change::Forget(at) if at < device.queue.len() => drop(device.queue.remove(at)),
        Change::Learn(at, id) => entry(device, at, &|e| e.resource_id = id.as_deref().map(Into::into)),
        Change::Refuse(at, count, error) => entry(device, at, &|e| {
            e.retry_count = count;
            e.last_error.clone_from(&error);
        }),
        Change::Say(at, data) => entry(device, at, &|e| e.data = payload(data)),
        Change::Queue(id) if device.queue.iter().all(|entry| entry.id.as_str() != id) => {
            device.queue.push(Queued {
                id: id.into(),
                op: Op::Create,
                kind: Kind::Note,
                resource_id: None,
                data: payload("{\"body\":\"new\"}"),
                base: Payload::ABSENT,
                created_at: Some(Millis(1_769_990_400_000)),
                retry_count: 0,
                last_error: None,
            });
        }
        Change::Drop(at) => list.into_iter().for_each(|list| {
            if at < list.len() {
                list.remove(at);
            }
        }),
        Change::Know(id, data) => {
            let list = device.known.get_or_insert_default();
            list.retain(|known| key(known) != (&Kind::Note, &id.as_str().into()));
            list.push(known(&id, data));
        }
        Change::Settle(at) => {
            list.and_then(|list| list.get_mut(at))
                .into_iter()
                .for_each(|known| known.status = SyncStatus::Synced);
        }
        Change::Move(head) => device.sync.cursor = Some(Cursor::read(head)),
        Change::Try(at) => device.sync.last_attempt = Some(Millis(at)),
        Change::Forget(_) | Change::Queue(_) => {}
    }
}

fn sorted(known: Option<&Vec<Known>>) -> Option<Vec<String>> {
    let mut rows: Vec<String> = known?.iter().map(|known| object_text(known_members(known))).collect();
    rows.sort();
    Some(rows)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_unchanged_device_leaves_every_byte(text in file_text()) {
        let file = read(&text);
        let again = rewritten(&file, file.device());
        prop_assert!(again.text == text);
    }

    #[test]
    fn what_is_written_is_what_is_read(text in file_text(), changes in changes()) {
        let file = read(&text);
        let mut now = Device::clone(file.device());
        for change in changes {
            apply(&mut now, change);
        }
        let Rewritten { text: written, left_out } = rewritten(&file, &now);
        let again = read(&written);

        prop_assert!(again.device().queue == now.queue);
        if !left_out.contains(&LeftOut::Sync) {
            let pending_count = again.device().sync.pending_count;
            let expected = SyncState { pending_count, ..now.sync.clone() };
            prop_assert!(again.device().sync == expected);
            let counted = pending_count.is_none() || pending_count == Some(now.queue.len() as u64);
            prop_assert!(counted || now.queue.len() == file.device().queue.len());
        }
        if !left_out.contains(&LeftOut::Resources) {
            prop_assert!(sorted(again.device().known.as_ref()) == sorted(now.known.as_ref()));
        }
        prop_assert!(rewritten(&again, again.device()).text == written);
    }

    #[test]
    fn untouched_rows_stay_byte_for_byte(text in file_text(), gone in any::<[bool; 6]>()) {
        let file = read(&text);
        let mut now = Device::clone(file.device());
        let mut gone = gone.into_iter();
        now.queue.retain(|_| !gone.next().unwrap_or(false));
        let written = rewritten(&file, &now).text;

        let entries = |text: &str| -> Vec<String> {
            let value = document(text).trim();
            let queue = Items::of_array(text, value).or_else(|| {
                Items::of_array(text, Items::of_object(text, value)?.member("queue")?)
            });
            queue.expect("a queue").values().map(str::to_owned).collect()
        };
        let kept: Vec<String> = entries(&text)
            .into_iter()
            .zip(&file.device().queue)
            .filter(|(_, was)| now.queue.contains(was))
            .map(|(text, _)| text)
            .collect();
        prop_assert!(entries(&written) == kept);
    }
}

/// A device file on the disk, in a folder of its own.
fn on_disk(folder: &tempfile::TempDir) -> (PathBuf, DeviceFile) {
    let path = folder.path().join("device.json");
    fs::write(&path, FILE).expect("written");
    let file = DeviceFile::read(&path).expect("a device file");
    (path, file)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_replaced_and_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, file) = on_disk(&folder);
    let now = Device { queue: Vec::new(), ..Device::clone(file.device()) };
    let written = replace(&file, rewritten(&file, &now).text).expect("replaced");
    assert!(written.device().queue.is_empty());
    assert_eq!(fs::read_to_string(&path).expect("readable"), written.text());
    assert_eq!(names(folder.path()), ["device.json"]);
    replace(&written, String::from("[]")).expect("replaced once more");
}

#[test]
fn a_file_that_another_program_changed_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, file) = on_disk(&folder);
    fs::write(&path, "[]").expect("written");
    let error = replace(&file, String::from("[ ]")).expect_err("changed meanwhile").to_string();
    assert!(error.contains("changed by another program") && error.contains("Open it again"), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("readable"), "[]");
}

#[test]
fn what_could_not_be_opened_again_is_never_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, file) = on_disk(&folder);
    replace(&file, String::from("[")).expect_err("not JSON");
    assert_eq!(fs::read_to_string(&path).expect("readable"), FILE);
    assert_eq!(names(folder.path()), ["device.json"]);
}

#[test]
fn standard_input_cannot_be_written_back() {
    let error = replace(&read(FILE), String::from("[]")).expect_err("no place").to_string();
    assert!(error.contains("no place to write to"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_and_modes_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().expect("a folder");
    let (path, _) = on_disk(&folder);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");
    let link = folder.path().join("link.json");
    symlink(&path, &link).expect("a link");
    let file = DeviceFile::read(&link).expect("a device file");
    replace(&file, String::from("[]")).expect("replaced");
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    assert_eq!(fs::read_to_string(&path).expect("readable"), "[]");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).expect("a mode");
    let file = DeviceFile::read(&link).expect("a device file");
    replace(&file, String::from("[ ]")).expect_err("write-protected");
    assert_eq!(fs::read_to_string(&path).expect("readable"), "[]");
}
