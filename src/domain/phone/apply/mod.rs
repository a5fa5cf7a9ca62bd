//! The apply stage: what the phone's client writes into its database once it has pulled and pushed (PROTOCOL A10 S-A1 to
//! S-A6, A12). Three tables are played here, those whose indexes can end a sync or whose rows can be lost on the way;
//! bookmarks and links have no such trap that can be reached (S-A10).
//!
//! A table may come from the phone's database, with tombstones that nobody else ever sees, or from an export, which
//! knows of none.

mod collections;
mod notes;
mod sessions;
mod table;

use std::collections::HashMap;

pub use sessions::KEPT;
pub use table::{Row, RowAt, Table, Taken};

use super::AbortId;
use super::range::{has_range, only_range};
use super::read::Data;
use crate::domain::device::{Device, SyncStatus};
use crate::domain::identity::Place;
use crate::domain::mutation::{Kind, Millis, Op, Payload, ResourceId, ServerMutation};

/// A note's first range and its body, which is all that the phone keeps of it (PROTOCOL A10). Private text: no `Debug`
/// that shows it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Content(pub (Place, Place), pub String);

/// A mutation of the server's on its way into a table.
#[derive(Clone, PartialEq, Eq)]
pub struct Incoming<K> {
    /// What was done.
    pub op: Op,
    /// To which resource.
    pub id: ResourceId,
    /// The place, name or content that it has now; `None` for a deletion.
    pub key: Option<K>,
    /// When, as the phone keeps it.
    pub modified: Millis,
    /// Whether it is the collection of the favourites.
    pub default: bool,
    /// Whether the app keeps it.
    pub system: bool,
}

/// What became of a mutation of the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The row is as the server has it.
    Taken,
    /// It was the echo of a creation: this row has its id now.
    Bound(RowAt),
    /// The row waits to be sent, so the server's state is passed over.
    Waits,
    /// The app keeps the row as it is.
    Kept,
    /// There is no such row.
    Unknown,
    /// Another session stands there: the phone passes this one over, and it is not asked for again.
    PlaceTaken,
    /// Another collection has the name: passed over in the same way.
    NameTaken,
}

/// The tables of the phone that the apply stage writes to.
#[derive(Clone, Default)]
pub struct Store {
    /// By place.
    pub sessions: Table<Place>,
    /// By name.
    pub collections: Table<String>,
    /// By content.
    pub notes: Table<Content>,
}

/// Where the mutations of a queue stand in the tables.
pub(super) type RowsOfQueue = HashMap<usize, RowAt>;

impl Store {
    /// The tables as an export tells them: its resources, and its queue over them. One that lists no resources
    /// holds only what waits.
    pub(super) fn of(device: &Device) -> (Self, RowsOfQueue) {
        let mut store = Self::default();
        // First: two deleted rows may share what only one living row may have.
        for row in &device.tombstones {
            let deleted_at = row.deleted_at.unwrap_or(Millis(0));
            store.write(&row.kind, Op::Delete, None, &row.data, deleted_at, false);
        }
        let synced = device.known.iter().flatten().filter(|row| row.status != SyncStatus::PendingCreate);
        for known in synced {
            let modified = known.server_timestamp.or(known.local_updated_at).unwrap_or(Millis(0));
            let id = Some(known.id.clone());
            store.write(&known.kind, Op::Create, id, &known.data, modified, true);
        }
        let mut rows = RowsOfQueue::new();
        for (at, entry) in device.queue.iter().enumerate() {
            let modified = entry.created_at.unwrap_or(Millis(0));
            let row =
                store.write(&entry.kind, entry.op, entry.resource_id.clone(), &entry.data, modified, false);
            rows.extend(row.map(|row| (at, row)));
        }
        (store, rows)
    }

    /// Takes over one mutation of the server's, as the client persists it.
    pub fn take(&mut self, kind: &Kind, op: Op, mutation: &ServerMutation) -> Result<Outcome, AbortId> {
        let Some(id) = mutation.resource_id.clone() else { return Ok(Outcome::Unknown) };
        let data = Data::pulled(&mutation.data);
        let gone = op == Op::Delete;
        let modified = if gone { None } else { data.pulled_time() }.unwrap_or(mutation.timestamp);
        let flag = |name: &'static str| !gone && data.flag(name).unwrap_or(false);
        match kind {
            Kind::ReadingSession => {
                let key = place_of(&data).filter(|_| !gone);
                let incoming = Incoming { op, id, key, modified, default: false, system: false };
                sessions::take(&mut self.sessions, &incoming)
            }
            Kind::Collection => {
                let key = name_of(&data).filter(|_| !gone);
                let (default, system) = (flag("isDefault"), flag("isSystem"));
                collections::take(&mut self.collections, &Incoming { op, id, key, modified, default, system })
            }
            Kind::Note => {
                let key = content_of(&data).filter(|_| !gone);
                let incoming = Incoming { op, id, key, modified, default: false, system: false };
                Ok(notes::take(&mut self.notes, &incoming))
            }
            Kind::Bookmark | Kind::Link | Kind::Other(_) => Ok(Outcome::Taken),
        }
    }

    /// Settles a mutation of the queue that was sent or that lost.
    pub fn settle(&mut self, kind: &Kind, at: RowAt, op: Op) {
        match kind {
            Kind::ReadingSession => settle(&mut self.sessions, at, op),
            Kind::Collection => settle(&mut self.collections, at, op),
            Kind::Note => settle(&mut self.notes, at, op),
            Kind::Bookmark | Kind::Link | Kind::Other(_) => {}
        }
    }

    /// Deletes the sessions that are too many (PROTOCOL A10, silent divergence). Answers which.
    pub fn retire(&mut self) -> Vec<RowAt> {
        sessions::retire(&mut self.sessions)
    }

    /// Writes a row of an export. What is synced is as it is; the rest waits.
    fn write(
        &mut self,
        kind: &Kind,
        op: Op,
        id: Option<ResourceId>,
        payload: &Payload,
        modified: Millis,
        synced: bool,
    ) -> Option<RowAt> {
        let data = Data::exported(payload);
        let flag = |name: &'static str| data.flag(name).unwrap_or(false);
        let flags = (flag("isDefault"), flag("isSystem"));
        let none = (false, false);
        match kind {
            Kind::ReadingSession => {
                write(&mut self.sessions, op, id, place_of(&data), modified, synced, none)
            }
            Kind::Collection => write(&mut self.collections, op, id, name_of(&data), modified, synced, flags),
            Kind::Note => write(&mut self.notes, op, id, content_of(&data), modified, synced, none),
            Kind::Bookmark | Kind::Link | Kind::Other(_) => None,
        }
    }
}

fn settle<K: Clone + Eq + std::hash::Hash>(table: &mut Table<K>, at: RowAt, op: Op) {
    let version = table.row(at).map_or(0, |row| row.version);
    table.settle(at, op, version);
}

fn write<K: Clone + Eq + std::hash::Hash>(
    table: &mut Table<K>,
    op: Op,
    id: Option<ResourceId>,
    key: Option<K>,
    modified: Millis,
    synced: bool,
    (default, system): (bool, bool),
) -> Option<RowAt> {
    let own = id.as_ref().and_then(|id| table.find(id));
    let at = match (own, key) {
        (Some(at), key) => {
            table.change(at, |row| {
                row.modified = modified;
                if let Some(key) = key {
                    row.key = key;
                }
            });
            at
        }
        (None, Some(key)) => {
            let row = id.map_or_else(
                || Row::made(key.clone(), modified),
                |id| Row::synced(id, key.clone(), modified),
            );
            table.add(Row { system, default, ..row }).ok()?
        }
        (None, None) => return None,
    };
    if !synced {
        table.change(at, |row| {
            row.version += 1;
            row.deleted = op == Op::Delete;
            row.edited |= row.id.is_some();
        });
    }
    Some(at)
}

/// Whether a note of the server's has more ranges than the one that the phone keeps.
pub(super) fn has_more_ranges(kind: &Kind, mutation: &ServerMutation) -> bool {
    let ranges = || Data::pulled(&mutation.data).list("ranges").ok().flatten();
    *kind == Kind::Note && ranges().is_some_and(|ranges| has_range(&ranges) && only_range(&ranges).is_none())
}

/// Where a session of the server's stands.
pub(super) fn place(kind: &Kind, mutation: &ServerMutation) -> Option<Place> {
    let session = *kind == Kind::ReadingSession;
    session.then(|| place_of(&Data::pulled(&mutation.data))).flatten()
}

fn place_of(data: &Data) -> Option<Place> {
    data.verse("chapterNumber").ok().flatten()
}

fn name_of(data: &Data) -> Option<String> {
    data.text("name").filter(|name| !name.is_empty()).map(std::borrow::Cow::into_owned)
}

/// The first range that can be read.
fn content_of(data: &Data) -> Option<Content> {
    let body = data.text("body").filter(|body| !body.is_empty())?;
    let ranges = data.list("ranges").ok().flatten().filter(|ranges| has_range(ranges))?;
    let first = ranges.iter().find_map(|range| only_range(std::slice::from_ref(range)))?;
    Some(Content(first, body.into_owned()))
}
