//! A device of the simulation: what it last saw of each resource, what it queued since, its cursor and its clock.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::history::Edit;
use super::settings::Act;
use crate::domain::device::{Device, SyncState};
use crate::domain::json::{Json, Text};
use crate::domain::mutation::{Cursor, Kind, Millis, Op, Payload, Queued, ResourceId};
use crate::domain::settle::Loss;

/// When every simulation starts.
pub(super) const START: Millis = Millis(1_790_000_000_000);

/// The verses of the longest chapter, and the chapters: places are made of numbers below them.
const VERSES: u32 = 286;
const CHAPTERS: u32 = 114;

/// Which resources the user has by now; what is brought back gets another id.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    pub notes: Vec<ResourceId>,
    pub collections: Vec<ResourceId>,
    pub sessions: Vec<ResourceId>,
}

impl Directory {
    /// The resource that was called `old` is called `new` from now on.
    pub(super) fn rename(&mut self, old: &str, new: &ResourceId) {
        for ids in [&mut self.notes, &mut self.collections, &mut self.sessions] {
            for id in ids.iter_mut().filter(|id| id.as_str() == old) {
                *id = new.clone();
            }
        }
    }
}

/// A resource as the device has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// What the server said last.
    pub seen: Map<String, Value>,
    /// What the person made of it since.
    mine: Option<Map<String, Value>>,
    /// The person deleted it.
    deleted: bool,
}

impl Row {
    pub(super) const fn synced(seen: Map<String, Value>) -> Self {
        Self { seen, mine: None, deleted: false }
    }

    fn now(&self) -> &Map<String, Value> {
        self.mine.as_ref().unwrap_or(&self.seen)
    }
}

/// A device.
#[derive(Clone, Debug)]
pub(super) struct Phone {
    pub number: u16,
    /// How far its clock is ahead, ms.
    pub clock_error: i64,
    pub cursor: Cursor,
    pub queue: Vec<Queued>,
    pub rows: HashMap<(Kind, ResourceId), Row>,
}

impl Phone {
    /// What its clock shows at a moment, ms since the start: its own number stands in the milliseconds, so that a
    /// stamp tells who wrote it.
    pub(super) fn clock(&self, at: i64) -> Millis {
        Millis(START.0 + at + self.clock_error + i64::from(self.number))
    }

    /// The device as its file would tell of it. Rows that wait for an acknowledgement are no base, and all that the
    /// queue speaks of wait, so no rows are needed.
    pub(super) fn device(&self) -> Device {
        Device {
            sync: SyncState { cursor: Some(self.cursor), ..SyncState::default() },
            queue: self.queue.clone(),
            ..Device::default()
        }
    }

    /// A person's edit. Answers whether it could be made: what the device does not have cannot be edited.
    pub(super) fn edit(&mut self, edit: &Edit, directory: &Directory, bases: bool) -> bool {
        let stamp = self.clock(edit.at).to_iso();
        let number = edit.number;
        let (verse, chapter) = (number % VERSES + 1, number / VERSES % CHAPTERS + 1);
        let which = edit.which as usize;
        let text = |what: &str| format!("{what} of edit {number}");
        let range = || json!([format!("{chapter}:{verse}-{chapter}:{verse}")]);
        let at = (self.clock(edit.at), number);
        match edit.act {
            Act::NoteText => {
                let change = [("body", json!(text("text")))];
                self.change(Kind::Note, directory.notes.get(which), &change, &stamp, at, bases)
            }
            Act::NoteRanges => {
                let change = [("ranges", range())];
                self.change(Kind::Note, directory.notes.get(which), &change, &stamp, at, bases)
            }
            Act::CollectionName => {
                let change = [("name", json!(text("name")))];
                self.change(Kind::Collection, directory.collections.get(which), &change, &stamp, at, bases)
            }
            Act::Position => {
                let change = [("chapterNumber", json!(chapter)), ("verseNumber", json!(verse))];
                self.change(Kind::ReadingSession, directory.sessions.get(which), &change, &stamp, at, bases)
            }
            Act::NewNote => {
                let data = json!({ "body": text("text"), "ranges": range(),
                    "clientCreatedAt": stamp, "clientUpdatedAt": stamp });
                self.enqueue(Op::Create, Kind::Note, None, payload(&data), Payload::ABSENT, at);
                true
            }
            Act::NewBookmark => {
                let data = json!({ "type": "ayah", "key": chapter, "verseNumber": verse, "isReading": false,
                    "mushaf": 1, "clientCreatedAt": stamp, "clientUpdatedAt": stamp });
                self.enqueue(Op::Create, Kind::Bookmark, None, payload(&data), Payload::ABSENT, at);
                true
            }
            Act::DeleteNote => {
                let Some(id) = directory.notes.get(which) else { return false };
                let Some(row) = self.living(&Kind::Note, id) else { return false };
                row.deleted = true;
                self.enqueue(Op::Delete, Kind::Note, Some(id.clone()), Payload::ABSENT, Payload::ABSENT, at);
                true
            }
        }
    }

    fn living(&mut self, kind: &Kind, id: &ResourceId) -> Option<&mut Row> {
        self.rows.get_mut(&(kind.clone(), id.clone())).filter(|row| !row.deleted)
    }

    /// An update carries all that the app knows of a resource, as the phone sends it (PROTOCOL A7), not only what
    /// was changed.
    fn change(
        &mut self,
        kind: Kind,
        id: Option<&ResourceId>,
        change: &[(&str, Value)],
        stamp: &str,
        at: (Millis, u32),
        bases: bool,
    ) -> bool {
        let sent: &[&str] = match kind {
            Kind::Note => &["body", "ranges"],
            Kind::Collection => &["name"],
            Kind::ReadingSession => &["chapterNumber", "verseNumber"],
            Kind::Bookmark | Kind::Link | Kind::Other(_) => &[],
        };
        let Some(id) = id else { return false };
        let Some(row) = self.living(&kind, id) else { return false };
        let mut mine = row.now().clone();
        for (name, value) in change {
            mine.insert((*name).to_owned(), value.clone());
        }
        let members = |of: &Map<String, Value>| -> Map<String, Value> {
            sent.iter().filter_map(|name| Some(((*name).to_owned(), of.get(*name)?.clone()))).collect()
        };
        let mut data = members(&mine);
        data.insert("clientUpdatedAt".to_owned(), stamp.into());
        let base = if bases { payload(&Value::Object(members(&row.seen))) } else { Payload::ABSENT };
        row.mine = Some(mine);
        self.enqueue(Op::Update, kind, Some(id.clone()), payload(&Value::Object(data)), base, at);
        true
    }

    fn enqueue(
        &mut self,
        op: Op,
        kind: Kind,
        resource_id: Option<ResourceId>,
        data: Payload,
        base: Payload,
        (created_at, number): (Millis, u32),
    ) {
        self.queue.push(Queued {
            id: format!("q{number}").into(),
            op,
            kind,
            resource_id,
            data,
            base,
            created_at: Some(created_at),
            retry_count: 0,
            last_error: None,
        });
    }

    /// Takes over what the server holds of a resource; nothing where it is deleted.
    pub(super) fn take_over(&mut self, kind: &Kind, id: &ResourceId, state: Option<Map<String, Value>>) {
        let key = (kind.clone(), id.clone());
        match state {
            Some(seen) => {
                self.rows.insert(key, Row::synced(seen));
            }
            None => {
                self.rows.remove(&key);
            }
        }
    }

    /// Whether a lost value is one that somebody had written since this device last saw the resource. An update
    /// carries what was not changed as well, and without a base nobody can tell; the simulation can.
    pub(super) fn was_written(&self, loss: &Loss, id: Option<&ResourceId>) -> bool {
        let Some(row) = id.and_then(|id| self.rows.get(&(loss.kind.clone(), id.clone()))) else {
            return true;
        };
        if loss.path.is_existence() {
            return true;
        }
        let as_value = |json: &Json| serde_json::from_str::<Value>(&json.to_text()).unwrap_or(Value::Null);
        match (loss.path.as_str().trim_start_matches('/'), &loss.value) {
            // A position is one field of two members.
            (_, Json::Object(members)) => {
                members.iter().any(|(name, value)| row.seen.get(name) != Some(&as_value(value)))
            }
            (name, value) => row.seen.get(name) != Some(&as_value(value)),
        }
    }
}

pub(super) fn payload(value: &Value) -> Payload {
    Payload::new(Text::new(value.to_string()))
}
