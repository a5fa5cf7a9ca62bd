//! Inspections for tests, read by the real readers from small JSON texts.

use std::sync::Arc;

use crate::app::{App, Event, Source, Start};
use crate::device::DeviceFile;
use crate::domain::answer::{ResponseHead, read_page};
use crate::domain::device::Device;
use crate::domain::inspect::{Inspection, inspect};
use crate::domain::json::Text;
use crate::domain::mutation::Millis;
use crate::domain::window::{PullPath, PullStep, Window};

/// The time of all tests: 2026-05-19 10:20:30 UTC.
pub const NOW: Millis = Millis(1_779_186_030_000);

/// A device with everything on it: two notes that diverge (one by field, one deleted), a collection edited here
/// and deleted there, a link that waits for it, an echo, a new note, and what only the server has.
pub const DEVICE: &str = r#"{
  "device": {"id": "tablet-b", "label": "Tablet B", "user": "u-1"},
  "sync": {"lastMutationAt": 100, "pendingMutationCount": 6},
  "queue": [
    {"id": "q1", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "retryCount": 3, "createdAt": 1779185790000,
     "lastError": "409 OutOfSyncError",
     "data": {"body": "صبر وصلاة في الليل\nand the second line of it", "ranges": ["2:255-2:255"], "clientUpdatedAt": "2026-05-19T10:16:30.000Z"}},
    {"id": "q2", "type": "UPDATE", "resource": "COLLECTION", "resourceId": "c1", "createdAt": 1779182000000,
     "data": {"name": "Ramadan"}},
    {"id": "q3", "type": "CREATE", "resource": "BOOKMARK", "retryCount": 1, "createdAt": 1779182100000,
     "data": {"type": "ayah", "key": 18, "verseNumber": 10, "mushaf": 1}},
    {"id": "q4", "type": "CREATE", "resource": "NOTE", "createdAt": 1779182200000,
     "data": {"body": "Ya-Sin, read on Friday", "ranges": ["36:58-36:58"]}},
    {"id": "q5", "type": "DELETE", "resource": "NOTE", "resourceId": "n5", "createdAt": 1779182300000},
    {"id": "q6", "type": "CREATE", "resource": "COLLECTION_BOOKMARK", "createdAt": 1779182400000,
     "data": {"collectionId": "c1", "type": "ayah", "key": 2, "verseNumber": 255, "mushaf": 1}}
  ]}"#;

/// What the server did meanwhile.
pub const PULL: &str = r#"{"success": true, "data": {"lastMutationAt": 200, "hasMore": false, "mutations": [
    {"type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "timestamp": 1779185790000,
     "data": {"body": "صبر جميل في الليل\nand the second line of it", "ranges": ["2:255-2:256"], "source": "web", "clientUpdatedAt": "2026-05-19T10:16:00.000Z"}},
    {"type": "DELETE", "resource": "COLLECTION", "resourceId": "c1", "timestamp": 1779182430000},
    {"type": "CREATE", "resource": "BOOKMARK", "resourceId": "b18", "timestamp": 1779182100500,
     "data": {"bookmarkType": "ayah", "key": 18, "verseNumber": 10, "isReading": null, "mushaf": 1}},
    {"type": "CREATE", "resource": "BOOKMARK", "resourceId": "b67", "timestamp": 1779182500000,
     "data": {"bookmarkType": "ayah", "key": 67, "verseNumber": 1, "isReading": true}},
    {"type": "UPDATE", "resource": "NOTE", "resourceId": "n5", "timestamp": 1779182600000,
     "data": {"body": "kept and changed on the web", "ranges": ["1:1-1:7"]}},
    {"type": "CREATE", "resource": "READING_SESSION", "resourceId": "s1", "timestamp": 1779182700000,
     "data": {"chapterNumber": 18, "verseNumber": 1}}
  ]}}"#;

/// Two notes of the same text, one of which may have arrived.
pub const TWINS: &str = r#"{"sync": {"lastMutationAt": 100}, "queue": [
    {"id": "t1", "type": "CREATE", "resource": "NOTE", "retryCount": 2, "data": {"body": "the same note", "ranges": ["2:1-2:1"]}},
    {"id": "t2", "type": "CREATE", "resource": "NOTE", "retryCount": 2, "data": {"body": "the same note", "ranges": ["2:1-2:1"]}}]}"#;

/// The one that arrived.
pub const TWIN_PULL: &str = r#"{"success": true, "data": {"lastMutationAt": 200, "mutations": [
    {"type": "CREATE", "resource": "NOTE", "resourceId": "n9", "timestamp": 1779182430000,
     "data": {"body": "the same note", "ranges": ["2:1-2:1"]}}]}}"#;

/// A device on which nothing waits.
pub const EMPTY: &str = r#"{"sync": {"lastMutationAt": 200}, "queue": []}"#;

/// A server on which nothing happened.
pub const EMPTY_PULL: &str = r#"{"success": true, "data": {"lastMutationAt": 200, "mutations": []}}"#;

/// A device file's device.
pub fn device(text: &str) -> Device {
    DeviceFile::from_text("device.json", text.to_owned()).expect("a device file").device().clone()
}

/// A recorded page as a window.
pub fn window(device: &Device, text: &str) -> Window {
    let page = read_page(&ResponseHead::ok(), &Text::new(text.to_owned()), 1).expect("a page");
    Window {
        path: PullPath::SinceCursor,
        since: device.sync.cursor.expect("a cursor"),
        head: page.head,
        mutations: page.mutations,
        unreadable: page.unreadable,
        phone: page.phone,
        warnings: page.warnings,
        not_visible: Vec::new(),
    }
}

/// Both put together.
pub fn inspection(device_text: &str, pull: &str) -> Inspection {
    let device = device(device_text);
    let window = window(&device, pull);
    inspect(Arc::new(device), Arc::new(window))
}

/// A session on a sandbox before its first event.
pub fn start(device_text: &str, (width, height): (u16, u16)) -> App {
    App::new(Start {
        device: Arc::new(device(device_text)),
        source: Source::Live {
            url: String::from("http://127.0.0.1:8787"),
            environment: String::from("sandbox"),
            production: false,
        },
        read_only: None,
        warnings: Vec::new(),
        now: NOW,
        width,
        height,
        others: None,
        recorded: false,
        fleeting: false,
    })
}

/// The steps of a pull that found the device behind.
pub fn pull_notes(inspection: &Inspection) -> Vec<PullStep> {
    let window = &inspection.window;
    vec![
        PullStep::AskedPage { since: window.since, page: 1 },
        PullStep::Page {
            page: 1,
            mutations: window.mutations.len(),
            unreadable: 0,
            total: None,
            head: window.head,
            more: false,
        },
        PullStep::HeadStable(window.head),
    ]
}

/// A session in which both sides are put together.
pub fn inspecting(device_text: &str, pull: &str, size: (u16, u16)) -> App {
    let mut app = start(device_text, size);
    let inspection = inspection(device_text, pull);
    for note in pull_notes(&inspection) {
        app.update(Event::Pull(note));
    }
    let effects = app.update(Event::Inspected(Box::new(inspection)));
    assert!(effects.is_empty(), "{effects:?}");
    app
}
