use super::*;
use crate::device::DeviceFile;
use crate::domain::mutation::Cursor;

fn device(text: &str) -> Device {
    DeviceFile::from_text("device.json", text.to_owned()).expect("a device file").device().clone()
}

fn file(cursor: i64, queue: &str, rows: &str) -> Device {
    device(&format!(
        r#"{{"sync":{{"lastMutationAt":{cursor},"pendingMutationCount":1}},"queue":[{queue}],"resources":[{rows}]}}"#
    ))
}

const MADE: &str = r#"{"id":"q1","type":"CREATE","resource":"NOTE","data":{"body":"one"}}"#;
const EDITED: &str = r#"{"id":"q1","type":"CREATE","resource":"NOTE","data":{"body":"two"}}"#;
const TRIED: &str =
    r#"{"id":"q1","type":"CREATE","resource":"NOTE","data":{"body":"one"},"retryCount":3,"lastError":"409"}"#;
const MORE: &str =
    r#"{"id":"q2","type":"UPDATE","resource":"NOTE","resourceId":"n7","data":{"body":"more"}}"#;
const LOCAL: &str = r#"{"id":"q1","resource":"NOTE","data":{"body":"one"},"syncStatus":"pending_create"}"#;
const LOCAL_EDITED: &str =
    r#"{"id":"q1","resource":"NOTE","data":{"body":"two"},"syncStatus":"pending_create"}"#;
const ON_SERVER: &str = r#"{"id":"n1","resource":"NOTE","data":{"body":"one"},"syncStatus":"synced","serverTimestamp":1770000000000}"#;
const OTHERS: &str = r#"{"id":"n7","resource":"NOTE","data":{"body":"agreed"},"syncStatus":"synced","serverTimestamp":1770000000000}"#;
const OTHERS_NEW: &str = r#"{"id":"n7","resource":"NOTE","data":{"body":"by others"},"syncStatus":"synced","serverTimestamp":1770000000009}"#;

/// A push that sent `q1`, which became `n1`.
fn after(was: &Device, left: &Device, found: &Device) -> Result<Together, Vec<QueueId>> {
    let ids = HashMap::from([(QueueId::from("q1"), ResourceId::from("n1"))]);
    together(Push { was, left, ids: &ids, dropped: &HashSet::new() }, found)
}

fn queue(device: &Device) -> Vec<(&str, Op, Option<&str>, Option<&str>)> {
    let entries = device.queue.iter();
    entries
        .map(|m| (m.id.as_str(), m.op, m.resource_id.as_ref().map(ResourceId::as_str), m.data.as_str()))
        .collect()
}

#[test]
fn what_is_acknowledged_leaves_and_what_was_added_stays() {
    let (was, left) = (file(100, MADE, LOCAL), file(200, "", ON_SERVER));
    for sent in [MADE, TRIED] {
        let found = file(100, &format!("{sent},{MORE}"), LOCAL);
        let Together { device, news } = after(&was, &left, &found).expect("told");
        assert_eq!(queue(&device), [("q2", Op::Update, Some("n7"), Some(r#"{"body":"more"}"#))]);
        assert_eq!(news, [QueueId::from("q2")]);
        assert_eq!((device.sync.cursor, device.sync.pending_count), (Some(Cursor::read(200)), Some(1)));
        assert_eq!(device.known, left.known);
    }
}

#[test]
fn what_was_edited_becomes_an_edit_of_what_the_server_has() {
    let (was, left) = (file(100, MADE, LOCAL), file(200, "", ON_SERVER));
    let Together { device, .. } = after(&was, &left, &file(100, EDITED, LOCAL_EDITED)).expect("told");
    let entry = &device.queue[0];
    assert_ne!(entry.id.as_str(), "q1", "that one is done with");
    assert_eq!((entry.op, entry.resource_id.as_ref().map(ResourceId::as_str)), (Op::Update, Some("n1")));
    assert_eq!(
        (entry.data.as_str(), entry.base.as_str()),
        (Some(r#"{"body":"two"}"#), Some(r#"{"body":"one"}"#))
    );
    let rows = device.known.expect("rows");
    assert_eq!((rows.len(), rows[0].id.as_str(), rows[0].status), (1, "n1", SyncStatus::PendingUpdate));
    assert_eq!(rows[0].data.as_str(), Some(r#"{"body":"two"}"#));
}

#[test]
fn what_the_application_took_out_itself_is_asked() {
    let (was, left) = (file(100, MADE, LOCAL), file(200, "", ON_SERVER));
    let untold = after(&was, &left, &file(100, "", "")).expect_err("nobody can tell");
    assert_eq!(untold, [QueueId::from("q1")]);
    // What waits still may go.
    let left = file(100, MADE, LOCAL);
    assert_eq!(queue(&after(&was, &left, &file(100, "", "")).expect("told").device), []);
}

#[test]
fn what_is_in_doubt_and_edited_is_asked() {
    let was = file(100, MADE, LOCAL);
    let mut left = was.clone();
    left.in_doubt.insert("q1".into(), Cursor::read(100));
    after(&was, &left, &file(100, EDITED, LOCAL_EDITED)).expect_err("nobody can tell");
    let kept = after(&was, &left, &file(100, MADE, LOCAL)).expect("told").device;
    assert!(kept.in_doubt.contains_key(&QueueId::from("q1")));
}

#[test]
fn what_the_server_changed_under_an_edit_is_news_the_next_time() {
    let rows = |own: &str, others: &str| format!("{own},{others}");
    let was = file(100, MADE, &rows(LOCAL, OTHERS));
    let left = file(200, "", &rows(ON_SERVER, OTHERS_NEW));
    let found = file(100, &format!("{MADE},{MORE}"), &rows(LOCAL, OTHERS));
    let device = after(&was, &left, &found).expect("told").device;
    assert_eq!(device.sync.cursor, Some(Cursor::read(100)));
}

#[test]
fn an_application_that_synced_itself_keeps_the_earlier_cursor() {
    let (was, left) = (file(100, MADE, LOCAL), file(200, "", ON_SERVER));
    let device = after(&was, &left, &file(150, MADE, LOCAL)).expect("told").device;
    assert_eq!(device.sync.cursor, Some(Cursor::read(150)));
}

#[test]
fn an_undisturbed_file_ends_as_the_push_left_it() {
    let (was, left) = (file(100, MADE, LOCAL), file(200, "", ON_SERVER));
    let Together { device, news } = after(&was, &left, &was).expect("told");
    assert_eq!((queue(&device), news.len()), (vec![], 0));
    assert_eq!(device.known, left.known);
}
