//! Scenarios: a stuck device and the server it is stuck against, told as who wrote what how long ago, so that
//! opening one is always fresh.
//!
//! A scenario is an asset in JSON. What the device file holds follows from it: the cursor is the head when the
//! device last synced, the rows are what it knew then plus what it queued, and the 409 in `lastError` is the answer
//! of a real attempt.

mod big_queue;
mod long_note;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::model::{Applied, Caller, FirstSync, MAX_MUTATIONS, Model};
use super::refusal::Refusal;
use crate::domain::mutation::{Cursor, Kind, Millis, ResourceId};

/// A scenario that can be opened.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What happened, in a few words.
    pub title: String,
    /// What it teaches, in one line.
    pub teaches: String,
    story: Story,
    fill: fn(&mut Story),
}

/// An opened scenario: the server as it stands now, and the device.
#[derive(Clone)]
pub struct Opened {
    /// The server.
    pub model: Model,
    /// The device file (DESIGN §3).
    device: Value,
}

/// A scenario as its asset tells it. Times are minutes before the moment of opening.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Story {
    title: String,
    teaches: String,
    #[serde(default)]
    first_sync: FirstSync,
    device: Device,
    /// What both sides agreed on: written before the device's last sync.
    #[serde(default)]
    agreed: Vec<Act>,
    /// What was written since.
    #[serde(default)]
    since: Vec<Act>,
    /// What waits on the device, in order.
    #[serde(default)]
    queue: Vec<Waiting>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Device {
    id: String,
    label: String,
    user: String,
    /// When it last synced; `None` if it never did, and then it has no cursor.
    last_sync: Option<i64>,
}

/// One write to the server.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Act {
    /// The client id of who wrote.
    by: String,
    minutes_ago: i64,
    /// Mutations in wire form; a CREATE may choose its id, and client times are filled in.
    #[serde(default)]
    mutations: Vec<Value>,
    /// Entries of the device's queue that it sent then.
    #[serde(default)]
    sent: Vec<String>,
    /// Whether the device got the answer: then it knows these resources as the server has them.
    #[serde(default)]
    acknowledged: bool,
}

/// A queued mutation of the device.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Waiting {
    id: String,
    minutes_ago: i64,
    /// In wire form; client times are filled in.
    mutation: Value,
    /// Whether the device recorded what both sides agreed on, for the members that it sets.
    #[serde(default)]
    base: bool,
    /// How often it was tried, as far as the story goes.
    #[serde(default)]
    retry_count: u32,
    #[serde(default)]
    last_error: Option<String>,
}

type Asset = (&'static str, &'static str, fn(&mut Story));

/// The assets, and what fills those whose content is made by rule.
const ASSETS: [Asset; 8] = [
    ("tablet-behind", include_str!("../../assets/scenarios/tablet-behind.json"), complete),
    ("offline-edits", include_str!("../../assets/scenarios/offline-edits.json"), complete),
    ("missed-header", include_str!("../../assets/scenarios/missed-header.json"), complete),
    ("first-sync", include_str!("../../assets/scenarios/first-sync.json"), complete),
    ("delete-vs-edit", include_str!("../../assets/scenarios/delete-vs-edit.json"), complete),
    ("same-note-twice", include_str!("../../assets/scenarios/same-note-twice.json"), complete),
    ("long-note", include_str!("../../assets/scenarios/long-note.json"), long_note::fill),
    ("big-queue", include_str!("../../assets/scenarios/big-queue.json"), big_queue::fill),
];

fn complete(_: &mut Story) {}

static SCENARIOS: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    let read = |(name, text, fill): &Asset| {
        let story: Story =
            serde_json::from_str(text).expect("the assets are compiled in, and a test opens each");
        Scenario { name, title: story.title.clone(), teaches: story.teaches.clone(), story, fill: *fill }
    };
    ASSETS.iter().map(read).collect()
});

impl Scenario {
    /// Every scenario; the first is the one to begin with.
    pub fn list() -> &'static [Self] {
        &SCENARIOS
    }

    /// The scenario of this name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::list().iter().find(|scenario| scenario.name == name)
    }

    /// The server and the device as they stand at `now`, ms, before the device tries to sync.
    pub fn open(&self, now: Millis) -> Opened {
        let mut told = self.story.clone();
        (self.fill)(&mut told);
        let story = Timed { story: &told, now };
        let mut model = Model::new(told.first_sync, story.opened());
        let mut known = Known::default();
        for act in &told.agreed {
            story.perform(&mut model, act);
        }
        known.learn_all(&model);
        let base = known.clone();
        let cursor = told.device.last_sync.map(|_| model.head());
        for act in &told.since {
            let applied = story.perform(&mut model, act);
            if act.acknowledged {
                known.learn(&model, &applied);
            }
        }
        let device = story.device_file(cursor, &base, &known);
        Opened { model, device }
    }
}

impl Opened {
    /// The device file as text.
    pub fn device_file(&self) -> String {
        let mut text = format!("{:#}", self.device);
        text.push('\n');
        text
    }

    /// Lets the device try to sync at `now`: it posts its queue, at most 100 entries, with the cursor it has, or 0
    /// without one. A refusal is recorded in the file as the device would: `retryCount` and `lastError` of every
    /// entry that was sent, and `lastSyncAttempt`.
    ///
    /// # Errors
    /// What the server answered; that is what scenarios are for.
    pub fn attempt(&mut self, now: Millis) -> Result<Applied, Refusal> {
        let client = self.device["device"]["id"].as_str().unwrap_or_default().to_owned();
        let cursor = Cursor::read(self.device["sync"]["lastMutationAt"].as_i64().unwrap_or_default());
        let queue = self.device["queue"].as_array().map(Vec::as_slice).unwrap_or_default();
        let batch: Vec<_> = queue.iter().take(MAX_MUTATIONS).map(wire_of_entry).collect();
        let answer = self.model.post(now, Caller::with_all_scopes(&client), cursor, &batch);
        if let Err(refusal) = &answer {
            self.device["sync"]["lastSyncAttempt"] = now.0.into();
            let entries = self.device["queue"].as_array_mut().into_iter().flatten();
            for entry in entries.take(batch.len()) {
                let tries = entry["retryCount"].as_u64().unwrap_or_default();
                entry["retryCount"] = tries.saturating_add(1).into();
                entry["lastError"] = refusal.summary().into();
            }
        }
        answer
    }
}

/// What of a queue entry goes over the wire.
fn wire_of_entry(entry: &Value) -> Value {
    let sent = ["type", "resource", "resourceId", "data"];
    let members = sent.into_iter().filter_map(|name| Some((name.to_owned(), entry.get(name)?.clone())));
    Value::Object(members.collect())
}

/// A story at a moment.
#[derive(Clone, Copy)]
struct Timed<'a> {
    story: &'a Story,
    now: Millis,
}

impl Timed<'_> {
    fn ago(self, minutes: i64) -> Millis {
        Millis(self.now.0.saturating_sub(minutes.saturating_mul(60_000)))
    }

    /// The account was opened a day before anything happened in it.
    fn opened(self) -> Millis {
        let acts = self.story.agreed.iter().chain(&self.story.since);
        self.ago(acts.map(|act| act.minutes_ago).max().unwrap_or_default() + 24 * 60)
    }

    fn perform(self, model: &mut Model, act: &Act) -> Applied {
        let at = self.ago(act.minutes_ago);
        let mut mutations = act.mutations.clone();
        for mutation in &mut mutations {
            stamp(mutation, at);
        }
        let sent = self.story.queue.iter().filter(|waiting| act.sent.contains(&waiting.id));
        mutations.extend(sent.map(|waiting| self.wire(waiting)));
        model
            .other_device_writes(at, &act.by, &mutations)
            .expect("the assets are compiled in, and a test opens each")
    }

    /// A queued mutation in wire form.
    fn wire(self, waiting: &Waiting) -> Value {
        let mut mutation = waiting.mutation.clone();
        stamp(&mut mutation, self.ago(waiting.minutes_ago));
        mutation
    }

    fn device_file(self, cursor: Option<Cursor>, base: &Known, known: &Known) -> Value {
        let Device { id, label, user, last_sync } = &self.story.device;
        let mut sync = Map::new();
        if let (Some(cursor), Some(minutes)) = (cursor, last_sync) {
            sync.insert("lastMutationAt".to_owned(), cursor.value().into());
            sync.insert("lastSyncAttempt".to_owned(), self.ago(*minutes).0.into());
            sync.insert("lastSuccessfulSync".to_owned(), self.ago(*minutes).0.into());
        }
        sync.insert("pendingMutationCount".to_owned(), self.story.queue.len().into());
        let queue: Vec<_> = self.story.queue.iter().map(|waiting| self.entry(waiting, base)).collect();
        json!({
            "device": { "id": id, "label": label, "user": user },
            "sync": sync,
            "queue": queue,
            "resources": self.rows(known),
        })
    }

    /// A queue entry of the device file.
    fn entry(self, waiting: &Waiting, base: &Known) -> Value {
        let mut entry = Map::from_iter([("id".to_owned(), waiting.id.as_str().into())]);
        let wire = self.wire(waiting);
        let agreed = name_of(&wire).and_then(|name| base.0.get(&name));
        if let Value::Object(members) = &wire {
            entry.extend(members.clone());
        }
        if let (true, Some((agreed, _)), Some(data)) = (waiting.base, agreed, wire["data"].as_object()) {
            let set_by_device = |name: &str| data.contains_key(name) && !name.starts_with("client");
            let of_base = agreed.iter().filter(|(name, _)| set_by_device(name));
            let of_base: Map<_, _> = of_base.map(|(name, value)| (name.clone(), value.clone())).collect();
            entry.insert("base".to_owned(), of_base.into());
        }
        entry.insert("createdAt".to_owned(), self.ago(waiting.minutes_ago).0.into());
        entry.insert("retryCount".to_owned(), waiting.retry_count.into());
        if let Some(error) = &waiting.last_error {
            entry.insert("lastError".to_owned(), error.as_str().into());
        }
        Value::Object(entry)
    }

    /// The rows of the device: what it knows, with what it queued laid over it. A creation has its queue id as its
    /// local id.
    fn rows(self, known: &Known) -> Vec<Value> {
        let mut rows: BTreeMap<Name, Map<String, Value>> = BTreeMap::new();
        for ((kind, id), (data, at)) in &known.0 {
            let row = row(kind, id, data, "synced", *at, Some(*at));
            rows.insert((kind.clone(), id.clone()), row);
        }
        let mut created = Vec::new();
        for waiting in &self.story.queue {
            let wire = self.wire(waiting);
            let queued_at = self.ago(waiting.minutes_ago);
            let data = wire["data"].as_object().cloned().unwrap_or_default();
            match name_of(&wire).filter(|name| known.0.contains_key(name)) {
                Some(name) => {
                    let is_delete = wire["type"] == "DELETE";
                    let status = if is_delete { "pending_delete" } else { "pending_update" };
                    let (mut members, at) = rows
                        .get(&name)
                        .and_then(|row| {
                            Some((row["data"].as_object()?.clone(), row["serverTimestamp"].as_i64()?))
                        })
                        .unwrap_or_default();
                    if !is_delete {
                        members.extend(data);
                    }
                    let row = row(&name.0, &name.1, &members, status, queued_at, Some(Millis(at)));
                    rows.insert(name, row);
                }
                None if wire["type"] == "CREATE" => {
                    let kind = Kind::from_wire(wire["resource"].as_str().unwrap_or_default());
                    let id = ResourceId::from(waiting.id.as_str());
                    created.push(row(&kind, &id, &data, "pending_create", queued_at, None));
                }
                None => {}
            }
        }
        rows.into_values().chain(created).map(Value::Object).collect()
    }
}

fn row(
    kind: &Kind,
    id: &ResourceId,
    data: &Map<String, Value>,
    status: &str,
    local_updated_at: Millis,
    server_timestamp: Option<Millis>,
) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("id".to_owned(), id.as_str().into());
    row.insert("resource".to_owned(), kind.wire().into());
    row.insert("data".to_owned(), data.clone().into());
    row.insert("syncStatus".to_owned(), status.into());
    row.insert("localUpdatedAt".to_owned(), local_updated_at.0.into());
    if let Some(at) = server_timestamp {
        row.insert("serverTimestamp".to_owned(), at.0.into());
    }
    row
}

/// A resource by kind and id; a link by its composite id.
type Name = (Kind, ResourceId);

/// Which resource of the server a mutation names; none for a creation without id.
fn name_of(mutation: &Value) -> Option<Name> {
    let kind = Kind::from_wire(mutation["resource"].as_str()?);
    let id = match mutation["resourceId"].as_str() {
        Some(id) => id.to_owned(),
        None if mutation["type"] == "DELETE" => {
            let data = &mutation["data"];
            format!("{}-{}", data["collectionId"].as_str()?, data["bookmarkId"].as_str()?)
        }
        None => return None,
    };
    Some((kind, id.into()))
}

/// What the device knows of the server: state and time of each resource.
#[derive(Clone, Default)]
struct Known(BTreeMap<Name, (Map<String, Value>, Millis)>);

impl Known {
    fn learn_all(&mut self, model: &Model) {
        for kind in Kind::KNOWN {
            for (id, _) in model.live(&kind) {
                self.learn_one(model, &kind, &id);
            }
        }
    }

    fn learn(&mut self, model: &Model, applied: &Applied) {
        for (kind, id) in applied.mutations.iter().filter_map(name_of) {
            self.learn_one(model, &kind, &id);
        }
    }

    fn learn_one(&mut self, model: &Model, kind: &Kind, id: &ResourceId) {
        let name = (kind.clone(), id.clone());
        match (model.state(kind, id), model.written_at(kind, id)) {
            (Some(Value::Object(data)), Some(at)) => self.0.insert(name, (data, at)),
            _ => self.0.remove(&name),
        };
    }
}

/// Fills in the client times that a phone sends: both on a CREATE, one on an UPDATE, none on a DELETE (PROTOCOL A6).
fn stamp(mutation: &mut Value, at: Millis) {
    let names: &[&str] = match mutation["type"].as_str() {
        Some("CREATE") => &["clientCreatedAt", "clientUpdatedAt"],
        Some("UPDATE") => &["clientUpdatedAt"],
        _ => &[],
    };
    if let Some(data) = mutation.get_mut("data").and_then(Value::as_object_mut) {
        for name in names {
            data.entry(*name).or_insert_with(|| at.to_iso().into());
        }
    }
}

#[cfg(test)]
mod tests;
