//! A table of the phone's database with the unique index that every one of them has: the server's id (PROTOCOL B).

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use crate::domain::mutation::{Millis, Op, ResourceId};

/// A row. `K` is what the client finds it by beside its id: a place, a name, a note's content.
#[derive(Clone, PartialEq, Eq)]
pub struct Row<K> {
    /// The server's id, once the server has acknowledged the row.
    pub id: Option<ResourceId>,
    /// What else it is found by.
    pub key: K,
    /// Whether the user deleted it; the row is a tombstone then.
    pub deleted: bool,
    /// Whether it waits to be sent although it has an id.
    pub edited: bool,
    /// How often the user wrote it since the last sync, with the attempts to send it.
    pub version: u32,
    /// When it was written last; the newest rows are the ones that stay.
    pub modified: Millis,
    /// Whether the app made it and keeps it: such a collection is neither renamed nor removed.
    pub system: bool,
    /// Whether it is the collection of the favourites.
    pub default: bool,
}

/// What it is found by may be what somebody wrote, and is not shown.
impl<K> fmt::Debug for Row<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, deleted, edited, version, modified, .. } = self;
        write!(f, "Row({id:?}, deleted {deleted}, edited {edited}, version {version}, {modified:?})")
    }
}

impl<K> Row<K> {
    /// A row that the server knows, as it is there.
    pub const fn synced(id: ResourceId, key: K, modified: Millis) -> Self {
        Self {
            id: Some(id),
            key,
            deleted: false,
            edited: false,
            version: 0,
            modified,
            system: false,
            default: false,
        }
    }

    /// A row that the server has not acknowledged.
    pub const fn made(key: K, modified: Millis) -> Self {
        Self {
            id: None,
            key,
            deleted: false,
            edited: false,
            version: 1,
            modified,
            system: false,
            default: false,
        }
    }

    /// What the client holds to be undone of it. Nothing of the server's is written over such a row.
    pub const fn pending(&self) -> Option<Op> {
        match (&self.id, self.deleted, self.edited) {
            (None, _, _) => Some(Op::Create),
            (Some(_), true, _) => Some(Op::Delete),
            (Some(_), false, true) => Some(Op::Update),
            (Some(_), false, false) => None,
        }
    }

    /// What the client sends of it. A tombstone that never got an id is sent by nobody and waits for ever.
    pub const fn sent(&self) -> Option<Op> {
        match (&self.id, self.deleted) {
            (None, true) => None,
            (None, false) | (Some(_), _) => self.pending(),
        }
    }
}

/// The id belongs to another row already: the statement fails, and the sync with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken;

/// A row's position in its table, for good: a removed row leaves its position empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowAt(usize);

/// The rows, found by id and by key without looking at all of them.
#[derive(Clone)]
pub struct Table<K> {
    rows: Vec<Option<Row<K>>>,
    of_id: HashMap<ResourceId, RowAt>,
    of_key: HashMap<K, Vec<RowAt>>,
    defaults: Vec<RowAt>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { rows: Vec::new(), of_id: HashMap::new(), of_key: HashMap::new(), defaults: Vec::new() }
    }
}

impl<K: Clone + Eq + Hash> Table<K> {
    /// Adds a row; none where its id is taken.
    pub fn add(&mut self, row: Row<K>) -> Result<RowAt, Taken> {
        let at = RowAt(self.rows.len());
        if let Some(id) = &row.id {
            if self.of_id.contains_key(id) {
                return Err(Taken);
            }
            self.of_id.insert(id.clone(), at);
        }
        self.of_key.entry(row.key.clone()).or_default().push(at);
        self.defaults.extend(row.default.then_some(at));
        self.rows.push(Some(row));
        Ok(at)
    }

    /// The row, while it is there.
    pub fn row(&self, at: RowAt) -> Option<&Row<K>> {
        self.rows.get(at.0)?.as_ref()
    }

    /// The rows that are there, in the order in which they were added.
    pub fn rows(&self) -> impl Iterator<Item = (RowAt, &Row<K>)> {
        self.rows.iter().enumerate().filter_map(|(at, row)| Some((RowAt(at), row.as_ref()?)))
    }

    /// The row with this id.
    pub fn find(&self, id: &ResourceId) -> Option<RowAt> {
        self.of_id.get(id).copied()
    }

    /// The first two rows with this key that fit: more than one is too many for whoever asks.
    pub fn with_key(&self, key: &K, fits: impl Fn(&Row<K>) -> bool) -> Vec<RowAt> {
        let rows = self.of_key.get(key).into_iter().flatten().copied();
        rows.filter(|at| self.row(*at).is_some_and(&fits)).take(2).collect()
    }

    /// The rows that are flagged as the default one, tombstones left out.
    pub fn defaults(&self) -> impl Iterator<Item = (RowAt, &Row<K>)> {
        let rows = self.defaults.iter().filter_map(|at| Some((*at, self.row(*at)?)));
        rows.filter(|(_, row)| row.default && !row.deleted)
    }

    /// Gives a row the server's id.
    pub fn bind(&mut self, at: RowAt, id: &ResourceId) -> Result<(), Taken> {
        if self.of_id.contains_key(id) {
            return Err(Taken);
        }
        if let Some(Some(row)) = self.rows.get_mut(at.0) {
            row.id = Some(id.clone());
            self.of_id.insert(id.clone(), at);
        }
        Ok(())
    }

    /// Changes a row, whatever it is found by.
    pub fn change(&mut self, at: RowAt, change: impl FnOnce(&mut Row<K>)) {
        let Some(Some(row)) = self.rows.get_mut(at.0) else { return };
        let (before, default) = (row.key.clone(), row.default);
        change(row);
        self.defaults.extend((row.default && !default).then_some(at));
        if row.key != before {
            let key = row.key.clone();
            self.of_key.entry(before).or_default().retain(|other| *other != at);
            self.of_key.entry(key).or_default().push(at);
        }
    }

    /// Removes a row.
    pub fn remove(&mut self, at: RowAt) {
        let Some(row) = self.rows.get_mut(at.0).and_then(Option::take) else { return };
        if let Some(id) = row.id {
            self.of_id.remove(&id);
        }
        self.of_key.entry(row.key).or_default().retain(|other| *other != at);
    }

    /// What the client does with a row once its mutation is settled, sent or lost: a tombstone goes, an edit waits no
    /// longer. A row that was written again since it was looked at stays as it is.
    pub fn settle(&mut self, at: RowAt, op: Op, version: u32) {
        let Some(row) = self.row(at).filter(|row| row.version == version && row.pending() == Some(op)) else {
            return;
        };
        match op {
            // The server's answer gives it an id; without one it is found again by what it is.
            Op::Create => {}
            Op::Update => self.change(at, |row| row.edited = false),
            Op::Delete if row.deleted => self.remove(at),
            Op::Delete => {}
        }
    }

    /// The answer to a creation that was sent in this version. What the user did since waits as an update or as a
    /// deletion.
    pub fn acknowledge(&mut self, at: RowAt, id: &ResourceId, version: u32) -> Result<(), Taken> {
        if self.row(at).is_none_or(|row| row.id.is_some()) {
            return Ok(());
        }
        self.bind(at, id)?;
        self.change(at, |row| row.edited = if row.deleted { row.edited } else { row.version != version });
        Ok(())
    }

    /// Binds a creation that the server has already to the row that asked for it. A tombstone stays one and is sent.
    pub(super) fn replay(&mut self, at: RowAt, id: &ResourceId, modified: Millis) -> Result<(), Taken> {
        self.bind(at, id)?;
        self.change(at, |row| {
            if !row.deleted {
                (row.edited, row.modified) = (false, modified);
            }
        });
        Ok(())
    }
}
