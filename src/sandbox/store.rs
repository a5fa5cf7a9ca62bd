//! Everything the server keeps of one user, and how it is found again. Knows nothing of requests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::ids::Ids;
use super::resource::{Entry, FAVORITES, Facet, Key, facets};
use crate::domain::mutation::{Cursor, Kind, Millis, Op, ResourceId};

/// The resources of one user, the head and the feed.
#[derive(Clone, PartialEq)]
pub(super) struct Store {
    pub head: Cursor,
    pub entries: BTreeMap<Key, Entry>,
    /// Every entry by its timestamp.
    pub feed: BTreeMap<Millis, Key>,
    /// Live entries by what they are found by.
    index: BTreeSet<(Facet, ResourceId)>,
    /// The one bookmark with `isReading` true.
    pub reading: Option<ResourceId>,
    pub ids: Ids,
    /// Within a batch: what each of its writes went over, oldest first.
    undo: Option<Vec<(Key, Option<Entry>)>>,
}

/// Where a batch began, to go back to when one of its mutations is refused.
pub(super) struct Before {
    head: Cursor,
    reading: Option<ResourceId>,
    ids: Ids,
}

impl Store {
    /// Nothing yet: the head is -1.
    pub(super) const fn empty() -> Self {
        Self {
            head: Cursor::FIRST_SYNC,
            entries: BTreeMap::new(),
            feed: BTreeMap::new(),
            index: BTreeSet::new(),
            reading: None,
            ids: Ids::seeded(0),
            undo: None,
        }
    }

    /// A batch begins.
    pub(super) fn begin(&mut self) -> Before {
        self.undo = Some(Vec::new());
        Before { head: self.head, reading: self.reading.clone(), ids: self.ids.clone() }
    }

    /// All of the batch stands.
    pub(super) fn commit(&mut self) {
        self.undo = None;
    }

    /// Nothing of the batch stands.
    pub(super) fn roll_back(&mut self, before: Before) {
        for (key, old) in self.undo.take().into_iter().flatten().rev() {
            self.remove(&key);
            if let Some(old) = old {
                self.put(key, old);
            }
        }
        self.head = before.head;
        self.reading = before.reading;
        self.ids = before.ids;
    }

    fn remove(&mut self, key: &Key) -> Option<Entry> {
        let old = self.entries.remove(key)?;
        self.feed.remove(&old.at);
        if old.is_live() {
            for found in facets(key, &old.members) {
                self.index.remove(&found);
            }
        }
        Some(old)
    }

    fn put(&mut self, key: Key, entry: Entry) {
        if entry.is_live() {
            self.index.extend(facets(&key, &entry.members));
        }
        self.feed.insert(entry.at, key.clone());
        self.entries.insert(key, entry);
    }

    /// The only place where something is stored: gives the write its timestamp and moves the head there.
    pub(super) fn write(&mut self, now: Millis, key: Key, op: Op, members: Map<String, Value>) {
        let at = Millis(now.0.max(self.head.value().saturating_add(1)).max(1));
        let old = self.remove(&key);
        let writes = old.as_ref().map_or(0, |old| old.writes);
        if let Some(undo) = &mut self.undo {
            undo.push((key.clone(), old));
        }
        if let Key::Single(Kind::Bookmark, id) = &key {
            if members.get("isReading") == Some(&Value::Bool(true)) {
                self.reading = Some(id.clone());
            } else if self.reading.as_ref() == Some(id) {
                self.reading = None;
            }
        }
        self.put(key, Entry { op, members, at, writes });
        self.head = Cursor::read(at.0);
    }

    /// An entry of the feed in wire form. A link has no `resourceId` (PROTOCOL A2).
    pub(super) fn wire(&self, key: &Key, entry: &Entry) -> Value {
        let id = match key {
            Key::Single(_, id) => Some(id),
            Key::Link { .. } => None,
        };
        wire(entry.op, key.kind(), id, self.data(key, entry), entry.at)
    }

    /// `data` as a pull shows it.
    pub(super) fn data(&self, key: &Key, entry: &Entry) -> Map<String, Value> {
        match key {
            Key::Link { collection, bookmark } => {
                let mut data = Map::with_capacity(entry.members.len() + 2);
                data.insert("collectionId".to_owned(), self.shown(collection).as_str().into());
                data.insert("bookmarkId".to_owned(), bookmark.as_str().into());
                data.extend(entry.members.clone());
                data
            }
            Key::Single(Kind::Bookmark, id) if entry.is_live() => {
                let link = Key::Link { collection: FAVORITES.into(), bookmark: id.clone() };
                let mut data = entry.members.clone();
                data.insert("isInDefaultCollection".to_owned(), self.is_live(&link).into());
                data
            }
            Key::Single(_, _) => entry.members.clone(),
        }
    }

    /// A collection id as a pull shows it: that of the Favorites where the account has such a collection.
    pub(super) fn shown(&self, collection: &ResourceId) -> ResourceId {
        let favorites =
            (collection.as_str() == FAVORITES).then(|| self.found_by(&Facet::Favorites)).flatten();
        favorites.unwrap_or_else(|| collection.clone())
    }

    /// A collection id as links are stored under it: `__default__` and the Favorites' own id are the same.
    pub(super) fn canonical(&self, collection: &ResourceId) -> ResourceId {
        if self.found_by(&Facet::Favorites).as_ref() == Some(collection) {
            FAVORITES.into()
        } else {
            collection.clone()
        }
    }

    /// The collection that `collectionId` names, where it is live; the Favorites always are.
    pub(super) fn collection_named(&self, data: &Map<String, Value>) -> Option<ResourceId> {
        let named = self.canonical(&data.get("collectionId")?.as_str()?.into());
        let is_live =
            named.as_str() == FAVORITES || self.is_live(&Key::Single(Kind::Collection, named.clone()));
        is_live.then_some(named)
    }

    /// The id of a resource; for a link the composite of its two.
    pub(super) fn id(&self, key: &Key) -> ResourceId {
        match key {
            Key::Single(_, id) => id.clone(),
            Key::Link { collection, bookmark } => format!("{}-{bookmark}", self.shown(collection)).into(),
        }
    }

    pub(super) fn find(&self, kind: &Kind, id: &ResourceId) -> Option<(&Key, &Entry)> {
        let key = match kind {
            Kind::Link => self.link_of_composite(id)?,
            Kind::Bookmark | Kind::Collection | Kind::Note | Kind::ReadingSession | Kind::Other(_) => {
                Key::Single(kind.clone(), id.clone())
            }
        };
        self.entries.get_key_value(&key)
    }

    /// The link of a composite id. Ids may contain `-`, so every way to split it is tried (PROTOCOL D4).
    pub(super) fn link_of_composite(&self, id: &ResourceId) -> Option<Key> {
        splits(id)
            .map(|(collection, bookmark)| Key::Link { collection: self.canonical(&collection), bookmark })
            .find(|key| self.entries.contains_key(key))
    }

    pub(super) fn is_composite_of(&self, id: &ResourceId, key: &Key) -> bool {
        splits(id).any(|(collection, bookmark)| {
            *key == Key::Link { collection: self.canonical(&collection), bookmark }
        })
    }

    pub(super) fn is_live(&self, key: &Key) -> bool {
        self.entries.get(key).is_some_and(Entry::is_live)
    }

    /// The first live resource with this facet.
    pub(super) fn found_by(&self, facet: &Facet) -> Option<ResourceId> {
        let from = (facet.clone(), ResourceId::from(""));
        self.index.range(from..).next().filter(|(found, _)| found == facet).map(|(_, id)| id.clone())
    }

    pub(super) fn links_in(&self, collection: &ResourceId) -> Vec<Key> {
        let from = Key::Link { collection: collection.clone(), bookmark: "".into() };
        let inside = |key: &Key| matches!(key, Key::Link { collection: of, .. } if of == collection);
        let all = self.entries.range(from..).take_while(|(key, _)| inside(key));
        all.filter(|(_, entry)| entry.is_live()).map(|(key, _)| key.clone()).collect()
    }
}

/// A mutation in wire form; `data` is moved, not copied.
pub(super) fn wire(
    op: Op,
    kind: &Kind,
    id: Option<&ResourceId>,
    data: Map<String, Value>,
    at: Millis,
) -> Value {
    let mut wire = Map::with_capacity(5);
    wire.insert("type".to_owned(), op.wire().into());
    wire.insert("resource".to_owned(), kind.wire().into());
    if let Some(id) = id {
        wire.insert("resourceId".to_owned(), id.as_str().into());
    }
    wire.insert("data".to_owned(), Value::Object(data));
    wire.insert("timestamp".to_owned(), at.0.into());
    Value::Object(wire)
}

fn splits(id: &ResourceId) -> impl Iterator<Item = (ResourceId, ResourceId)> {
    let id = id.as_str();
    id.match_indices('-').map(|(at, dash)| (id[..at].into(), id[at + dash.len()..].into()))
}
