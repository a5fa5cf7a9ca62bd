//! A device of the simulation: what it last saw of each resource, what it queued since, its cursor and its clock.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::history::Edit;
use super::settings::Act;
use crate::domain::device::{Device, SyncState};
use crate::domain::json::{Json, Text};
use crate::domain::mutation::{Cursor, Kind, Millis, Op, Payload, QueueId, Queued, ResourceId};
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
    pub(super) fn rename(&mut self, old: &ResourceId, new: &ResourceId) {
        for ids in [&mut self.notes, &mut self.collections, &mut self.sessions] {
            for id in ids.iter_mut().filter(|id| *id == old) {
                *id = new.clone();
            }
        }
    }
}

/// A resource as the device has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// What the server said last.
    pub seen: Arc<Map<String, Value>>,
    /// What the person made of it since: the members that an update sends.
    mine: Option<Map<String, Value>>,
    /// The person deleted it.
    deleted: bool,
}

impl Row {
    pub(super) fn synced(seen: Map<String, Value>) -> Self {
        Self { seen: Arc::new(seen), mine: None, deleted: false }
    }
}

/// What waits to be sent about a resource: its state, as the phone's database holds it, not every edit (PROTOCOL B).
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// The number of the edit that began it.
    number: u32,
    pub op: Op,
    pub kind: Kind,
    pub id: Option<ResourceId>,
    pub data: Option<Map<String, Value>>,
    /// What both sides last agreed on, where the app records it.
    base: Option<Map<String, Value>>,
    made: Millis,
}

impl Waiting {
    /// As a POST carries it.
    pub(super) fn into_wire(self) -> Value {
        let mut wire = Map::with_capacity(4);
        wire.insert("type".to_owned(), self.op.wire().into());
        wire.insert("resource".to_owned(), self.kind.wire().into());
        if let Some(id) = &self.id {
            wire.insert("resourceId".to_owned(), id.as_str().into());
        }
        if let Some(data) = self.data {
            wire.insert("data".to_owned(), Value::Object(data));
        }
        Value::Object(wire)
    }

    pub(super) fn queue_id(&self) -> QueueId {
        format!("q{}", self.number).into()
    }

    /// As a device file tells of it.
    fn queued(&self) -> Queued {
        Queued {
            id: self.queue_id(),
            op: self.op,
            kind: self.kind.clone(),
            resource_id: self.id.clone(),
            data: payload(self.data.as_ref()),
            base: payload(self.base.as_ref()),
            created_at: Some(self.made),
            retry_count: 0,
            last_error: None,
        }
    }

    /// Whether an entry of the feed is about the same resource: it has the same id, or where this is only being made,
    /// the same place or the same text, by which a resource is recognised (PROTOCOL A8).
    fn is_about(&self, entry: &Value) -> bool {
        let word = |name: &str| entry.get(name).and_then(Value::as_str);
        if word("resource") != Some(self.kind.wire()) {
            return false;
        }
        if let Some(id) = &self.id {
            return word("resourceId") == Some(id.as_str());
        }
        let (Some(own), Some(theirs)) = (&self.data, entry.get("data")) else { return false };
        let telling: &[&str] = if self.kind == Kind::Bookmark { &["key", "verseNumber"] } else { &["body"] };
        telling.iter().all(|name| own.get(*name) == theirs.get(*name))
    }
}

/// A device.
#[derive(Clone, Debug)]
pub(super) struct Phone {
    pub number: u16,
    /// How far its clock is ahead, ms.
    pub clock_error: i64,
    pub cursor: Cursor,
    pub queue: Vec<Waiting>,
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
            queue: self.queue.iter().map(Waiting::queued).collect(),
            ..Device::default()
        }
    }

    /// Whether something that waits is about the resource of a feed's entry.
    pub(super) fn waits_for(&self, entry: &Value) -> bool {
        self.queue.iter().any(|waiting| waiting.is_about(entry))
    }

    /// A person's edit. Answers whether it could be made: what the device does not have cannot be edited.
    pub(super) fn edit(&mut self, edit: &Edit, directory: &Directory, bases: bool) -> bool {
        let stamp = || Value::from(self.clock(edit.at).to_iso());
        let number = edit.number;
        let (verse, chapter) = (number % VERSES + 1, number / VERSES % CHAPTERS + 1);
        let which = edit.which as usize;
        let text = |what: &str| Value::from(format!("{what} of edit {number}"));
        let ranges = || json!([format!("{chapter}:{verse}-{chapter}:{verse}")]);
        let at = (self.clock(edit.at), number);
        match edit.act {
            Act::NoteText => {
                let change = [("body", text("text"))];
                self.change(Kind::Note, directory.notes.get(which), change, stamp(), at, bases)
            }
            Act::NoteRanges => {
                let change = [("ranges", ranges())];
                self.change(Kind::Note, directory.notes.get(which), change, stamp(), at, bases)
            }
            Act::CollectionName => {
                let change = [("name", text("name"))];
                self.change(Kind::Collection, directory.collections.get(which), change, stamp(), at, bases)
            }
            Act::Position => {
                let change = [("chapterNumber", chapter.into()), ("verseNumber", verse.into())];
                self.change(Kind::ReadingSession, directory.sessions.get(which), change, stamp(), at, bases)
            }
            Act::NewNote => {
                let made = [("body", text("text")), ("ranges", ranges())];
                self.make(Kind::Note, made, stamp(), at);
                true
            }
            Act::NewBookmark => {
                let made = [
                    ("type", "ayah".into()),
                    ("key", chapter.into()),
                    ("verseNumber", verse.into()),
                    ("isReading", false.into()),
                    ("mushaf", 1.into()),
                ];
                self.make(Kind::Bookmark, made, stamp(), at);
                true
            }
            Act::DeleteNote => {
                let Some(id) = directory.notes.get(which) else { return false };
                let Some(row) = self.living(&Kind::Note, id) else { return false };
                row.deleted = true;
                self.enqueue(Op::Delete, Kind::Note, Some(id), None, None, at);
                true
            }
        }
    }

    fn living(&mut self, kind: &Kind, id: &ResourceId) -> Option<&mut Row> {
        self.rows.get_mut(&(kind.clone(), id.clone())).filter(|row| !row.deleted)
    }

    fn make<const N: usize>(
        &mut self,
        kind: Kind,
        made: [(&str, Value); N],
        stamp: Value,
        at: (Millis, u32),
    ) {
        let stamps = [("clientCreatedAt", stamp.clone()), ("clientUpdatedAt", stamp)];
        let members = made.into_iter().chain(stamps).map(|(name, value)| (name.to_owned(), value));
        self.enqueue(Op::Create, kind, None, Some(members.collect()), None, at);
    }

    /// An update carries all that the app knows of a resource, as the phone sends it (PROTOCOL A7), not only what
    /// was changed.
    fn change<const N: usize>(
        &mut self,
        kind: Kind,
        id: Option<&ResourceId>,
        change: [(&str, Value); N],
        stamp: Value,
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
        let seen = || -> Map<String, Value> {
            sent.iter().filter_map(|name| Some(((*name).to_owned(), row.seen.get(*name)?.clone()))).collect()
        };
        let base = bases.then(seen);
        let mut data = row.mine.take().unwrap_or_else(seen);
        for (name, value) in change {
            data.insert(name.to_owned(), value);
        }
        row.mine = Some(data.clone());
        data.insert("clientUpdatedAt".to_owned(), stamp);
        self.enqueue(Op::Update, kind, Some(id), Some(data), base, at);
        true
    }

    fn enqueue(
        &mut self,
        op: Op,
        kind: Kind,
        id: Option<&ResourceId>,
        data: Option<Map<String, Value>>,
        base: Option<Map<String, Value>>,
        (made, number): (Millis, u32),
    ) {
        let same = |waiting: &&mut Waiting| id.is_some() && waiting.kind == kind && waiting.id.as_ref() == id;
        if let Some(waiting) = self.queue.iter_mut().find(same) {
            (waiting.op, waiting.data, waiting.made) = (op, data, made);
        } else {
            self.queue.push(Waiting { number, op, kind, id: id.cloned(), data, base, made });
        }
    }

    /// Takes over what the server says of resources, in the form of its feed.
    pub(super) fn take_over_feed(&mut self, feed: Vec<Value>) {
        for entry in feed {
            let Value::Object(mut entry) = entry else { continue };
            let word = |name: &str| entry.get(name).and_then(Value::as_str);
            let (Some(kind), Some(id)) = (word("resource"), word("resourceId")) else { continue };
            let key = (Kind::from_wire(kind), ResourceId::from(id));
            let deleted = word("type") == Some(Op::Delete.wire());
            match entry.swap_remove("data") {
                Some(Value::Object(seen)) if !deleted => {
                    self.rows.insert(key, Row::synced(seen));
                }
                Some(_) | None => {
                    self.rows.remove(&key);
                }
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

/// Members as the domain reads them.
pub(super) fn payload(members: Option<&Map<String, Value>>) -> Payload {
    let text = members.and_then(|members| serde_json::to_string(members).ok());
    text.map_or(Payload::ABSENT, |text| Payload::new(Text::new(text)))
}
