//! A case: a queue, a pull, and what the phone's client makes of them.

use std::collections::BTreeSet;

use serde_json::Value;
use unstick::domain::device::{Device, Known, SyncState, SyncStatus};
use unstick::domain::identity;
use unstick::domain::json::Text;
use unstick::domain::mutation::{Cursor, Kind, Millis, Op, Payload, Queued, ResourceId, ServerMutation};
use unstick::domain::phone::Feed;
use unstick::domain::window::{PullPath, Window};

/// The files of cases in this form, and the kind that each is about.
pub const FILES: [(&str, Kind, &str); 5] = [
    ("bookmark", Kind::Bookmark, include_str!("../../fixtures/cases/bookmark.json")),
    ("collection", Kind::Collection, include_str!("../../fixtures/cases/collection.json")),
    ("collection_bookmark", Kind::Link, include_str!("../../fixtures/cases/collection_bookmark.json")),
    ("note", Kind::Note, include_str!("../../fixtures/cases/note.json")),
    ("reading_session", Kind::ReadingSession, include_str!("../../fixtures/cases/reading_session.json")),
];

/// How far the client goes in a case, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    PrepareQueue,
    PreparePull,
    Detect,
    Resolve,
    Plan,
}

pub struct Case {
    pub name: String,
    pub kind: Kind,
    pub stage: Stage,
    pub device: Device,
    pub window: Window,
    /// Stage resolve: the conflicts that are given, as ids.
    pub groups: Option<Value>,
    pub expect: Value,
}

/// Both sides' ids of one resource.
pub type Ids = (BTreeSet<String>, BTreeSet<String>);

pub fn all() -> Vec<Case> {
    let of_file = |(file, kind, text): (&str, Kind, &str)| {
        let cases: Vec<Value> = serde_json::from_str(text).expect("the cases are JSON");
        cases.iter().map(|case| read(file, &kind, case)).collect::<Vec<_>>()
    };
    FILES.into_iter().flat_map(of_file).collect()
}

fn read(file: &str, kind: &Kind, case: &Value) -> Case {
    let stage = match case["stage"].as_str() {
        Some("preprocessLocal") => Stage::PrepareQueue,
        Some("preprocessRemote") => Stage::PreparePull,
        Some("detect") => Stage::Detect,
        Some("resolve") => Stage::Resolve,
        Some("plan") => Stage::Plan,
        other => panic!("{file}: stage {other:?}"),
    };
    let list = |name: &str| case[name].as_array().cloned().unwrap_or_default();
    // The client knows its rows once it looks at a pull; what goes straight to the detector or the resolver is
    // not looked up.
    let known = match stage {
        Stage::PrepareQueue | Stage::Detect | Stage::Resolve => None,
        Stage::PreparePull | Stage::Plan => Some(rows(kind, &case["device"])),
    };
    Case {
        name: format!("{file}: {}", case["name"].as_str().expect("a name")),
        kind: kind.clone(),
        stage,
        device: Device {
            sync: SyncState { cursor: Some(Cursor::ZERO), ..SyncState::default() },
            queue: list("local").iter().map(queued).collect(),
            known,
            ..Device::default()
        },
        window: window(list("remote").iter().map(served).collect()),
        groups: case.get("groups").cloned(),
        expect: case["expect"].clone(),
    }
}

pub fn queued(entry: &Value) -> Queued {
    Queued {
        id: entry["localId"].as_str().expect("localId").into(),
        op: op(entry),
        kind: Kind::from_wire(entry["resource"].as_str().expect("resource")),
        resource_id: entry["resourceId"].as_str().map(Into::into),
        data: payload(entry.get("data")),
        base: Payload::ABSENT,
        created_at: entry["timestamp"].as_i64().map(Millis),
        retry_count: 0,
        last_error: None,
    }
}

pub fn served(entry: &Value) -> ServerMutation {
    ServerMutation {
        op: op(entry),
        kind: Kind::from_wire(entry["resource"].as_str().expect("resource")),
        resource_id: entry["resourceId"].as_str().map(Into::into),
        data: payload(entry.get("data")),
        timestamp: Millis(entry["timestamp"].as_i64().expect("timestamp")),
    }
}

pub fn window(mutations: Vec<ServerMutation>) -> Window {
    let head = mutations.iter().map(|m| m.timestamp.0).max().unwrap_or(0);
    Window {
        path: PullPath::SinceCursor,
        since: Cursor::ZERO,
        head: Cursor::read(head),
        mutations,
        unreadable: Vec::new(),
        phone: Feed::default(),
        warnings: Vec::new(),
        not_visible: Vec::new(),
    }
}

pub fn rows(kind: &Kind, device: &Value) -> Vec<Known> {
    let row = |id: &str, data: Payload| known(kind, id, data);
    let ids = device["existingRemoteIds"].as_array().into_iter().flatten();
    let identities = device["rowsByRemoteId"].as_object();
    let data = |id: &str| payload(identities.and_then(|rows| rows.get(id)));
    let mut rows: Vec<Known> = ids.filter_map(Value::as_str).map(|id| row(id, data(id))).collect();
    for id in identities.into_iter().flatten().map(|(id, _)| id) {
        if !rows.iter().any(|row| row.id.as_str() == id) {
            rows.push(row(id, data(id)));
        }
    }
    rows
}

pub fn known(kind: &Kind, id: &str, data: Payload) -> Known {
    Known {
        id: ResourceId::from(id),
        kind: kind.clone(),
        data,
        status: SyncStatus::Synced,
        local_updated_at: None,
        server_timestamp: None,
    }
}

pub fn payload(data: Option<&Value>) -> Payload {
    data.map_or(Payload::ABSENT, |data| Payload::new(Text::new(data.to_string())))
}

fn op(entry: &Value) -> Op {
    Op::from_wire(entry["type"].as_str().expect("type")).expect("an operation")
}

/// What the cases call a server mutation: its id; a link without one by the two ids it joins.
pub fn server_id(mutation: &ServerMutation) -> String {
    let own = mutation.resource_id.as_ref().map(ToString::to_string);
    own.or_else(|| identity::link_id(&mutation.data)).unwrap_or_default()
}

/// `[[localIds],[remoteIds]]` of a case.
pub fn conflicts(expect: &Value) -> Option<Vec<Ids>> {
    let conflicts = expect["conflicts"].as_array()?;
    let side = |value: &Value| value.as_array().map(|ids| strings(ids)).expect("ids");
    Some(conflicts.iter().map(|pair| (side(&pair[0]), side(&pair[1]))).collect())
}

pub fn ids(expect: &Value, name: &str) -> Option<BTreeSet<String>> {
    expect[name].as_array().map(|ids| strings(ids))
}

fn strings(ids: &[Value]) -> BTreeSet<String> {
    ids.iter().map(|id| id.as_str().expect("an id").to_owned()).collect()
}
