//! Scenarios: a stuck device and the server it is stuck against, told as who wrote what how long ago, so that
//! opening one is always fresh.
//!
//! A scenario is an asset in JSON. What the device file holds follows from it: the cursor is the head when the
//! device last synced, the rows are what it knew then plus what it queued, and the 409 in `lastError` is the answer
//! of a real attempt.

mod big_queue;
mod device_file;
mod long_note;

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use device_file::Known;

use super::model::{Applied, Caller, FirstSync, MAX_MUTATIONS, Model};
use super::refusal::Refusal;
use crate::domain::mutation::{Cursor, Millis};

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
    /// Whether it is a phone of which the demo has the data folder and no export.
    #[serde(default)]
    phone: bool,
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
const ASSETS: [Asset; 10] = [
    ("tablet-behind", include_str!("../../assets/scenarios/tablet-behind.json"), complete),
    ("offline-edits", include_str!("../../assets/scenarios/offline-edits.json"), complete),
    ("missed-header", include_str!("../../assets/scenarios/missed-header.json"), complete),
    ("first-sync", include_str!("../../assets/scenarios/first-sync.json"), complete),
    ("delete-vs-edit", include_str!("../../assets/scenarios/delete-vs-edit.json"), complete),
    ("same-note-twice", include_str!("../../assets/scenarios/same-note-twice.json"), complete),
    ("one-name-twice", include_str!("../../assets/scenarios/one-name-twice.json"), complete),
    ("phone-stuck", include_str!("../../assets/scenarios/phone-stuck.json"), complete),
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
    /// Whether its device is a phone of which there is the data folder and no export.
    pub const fn is_phone(&self) -> bool {
        self.story.device.phone
    }

    /// Every scenario; the first is the one to begin with.
    pub fn list() -> &'static [Self] {
        &SCENARIOS
    }

    /// The scenario of this name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::list().iter().find(|scenario| scenario.name == name)
    }

    /// Who wrote besides the device since its last sync, as a person would call them: `Phone A, Web`.
    pub fn others(&self) -> Option<String> {
        let mut told = self.story.clone();
        (self.fill)(&mut told);
        let mut names: Vec<String> = Vec::new();
        for act in told.since.iter().filter(|act| act.by != told.device.id) {
            let name = called(&act.by);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        (!names.is_empty()).then(|| names.join(", "))
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

/// `phone-a` is Phone A.
fn called(client: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    client.split('-').map(word).collect::<Vec<_>>().join(" ")
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
