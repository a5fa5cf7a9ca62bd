//! What a mutation does to what is stored, kind by kind; the choices behind it are told in [`super::model`].

use serde_json::{Map, Value};

use super::form::{self, Change};
use super::refusal::{Reason, Refusal};
use super::resource::{FAVORITES, Facet, Key, place};
use super::store::{Store, wire};
use crate::domain::mutation::{Kind, Millis, Op, ResourceId};

/// The circumstances of a write.
#[derive(Clone, Copy)]
pub(super) struct Writer<'a> {
    pub now: Millis,
    pub client: &'a str,
    /// Whether a CREATE may say which id the resource gets: histories are written so, clients may not.
    pub chooses_ids: bool,
}

impl Store {
    /// What an account has from the start: its Favorites.
    pub(super) fn open_favorites(&mut self, now: Millis) {
        let mut members = collection_defaults();
        members.insert("name".to_owned(), "Favorites".into());
        members.insert("isDefault".to_owned(), true.into());
        finish_collection(&mut members);
        let key = Key::Single(Kind::Collection, self.ids.next());
        self.write(now, key, Op::Create, members);
    }

    /// Applies one mutation and answers its acknowledgement.
    pub(super) fn apply(&mut self, writer: Writer<'_>, change: Change) -> Result<Value, Refusal> {
        let op = change.op;
        let collection = change.data.get("collectionId").cloned();
        let key = match change.kind {
            Kind::Bookmark => self.apply_bookmark(writer, change)?,
            Kind::Collection => self.apply_collection(writer, change)?,
            Kind::Link => self.apply_link(writer, &change)?,
            Kind::Note | Kind::ReadingSession => self.apply_plain(writer, change)?,
            Kind::Other(_) => return Err(Refusal::validation("Invalid resource")),
        };
        let entry = self.entries.get_mut(&key).ok_or_else(not_found)?;
        entry.writes = entry.writes.saturating_add(1);
        let (at, entry) = (entry.at, &self.entries[&key]);
        let mut data = self.data(&key, entry);
        let mut id = self.id(&key);
        // A link is acknowledged under the collection id it was sent with, `__default__` included: the
        // phones refuse an acknowledgement that contradicts their request (PROTOCOL S-K2).
        if let (Key::Link { bookmark, .. }, Some(Value::String(collection))) = (&key, collection) {
            id = format!("{collection}-{bookmark}").into();
            data.insert("collectionId".to_owned(), collection.into());
        }
        Ok(wire(op, key.kind(), Some(&id), data, at))
    }

    fn apply_bookmark(&mut self, writer: Writer<'_>, change: Change) -> Result<Key, Refusal> {
        let occupied = place(&change.data, "bookmarkType").and_then(|place| self.found_by(&place));
        let id = self.target(writer, &change, occupied)?;
        let Change { op, kind, mut data, .. } = change;
        let key = Key::Single(kind, id.clone());
        let old = self.live_members(&key);
        if op == Op::Delete {
            self.delete_bookmark(writer.now, &key, &id, old.unwrap_or_default());
            return Ok(key);
        }
        let in_favorites = data.shift_remove("isInDefaultCollection");
        let op = if old.is_some() { Op::Update } else { Op::Create };
        let mut members = old.unwrap_or_else(bookmark_defaults);
        if data.contains_key("bookmarkType") {
            members.shift_remove("verseNumber");
        }
        members.extend(data);
        form::check_place(&members, "bookmarkType")?;
        finish_bookmark(&mut members);
        if members.get("isReading") == Some(&Value::Bool(true)) {
            self.displace_reading(writer.now, &id);
        }
        self.write(writer.now, key.clone(), op, members);
        if let Some(Value::Bool(wanted)) = in_favorites {
            let link = Key::Link { collection: FAVORITES.into(), bookmark: id };
            if wanted != self.is_live(&link) {
                let op = if wanted { Op::Create } else { Op::Delete };
                self.write(writer.now, link, op, Map::new());
            }
        }
        Ok(key)
    }

    /// PROTOCOL D20: a bookmark that a collection holds only stops being the reading place.
    fn delete_bookmark(&mut self, now: Millis, key: &Key, id: &ResourceId, mut members: Map<String, Value>) {
        if self.found_by(&Facet::Holding(id.clone())).is_some() {
            members.insert("isReading".to_owned(), false.into());
            self.write(now, key.clone(), Op::Update, members);
        } else {
            self.write(now, key.clone(), Op::Delete, Map::new());
        }
    }

    /// PROTOCOL D22: there is one reading place.
    fn displace_reading(&mut self, now: Millis, new: &ResourceId) {
        let Some(displaced) = self.reading.take().filter(|id| id != new) else { return };
        let key = Key::Single(Kind::Bookmark, displaced);
        if let Some(mut members) = self.entries.get(&key).map(|entry| entry.members.clone()) {
            members.insert("isReading".to_owned(), false.into());
            self.write(now, key, Op::Update, members);
        }
    }

    fn apply_collection(&mut self, writer: Writer<'_>, change: Change) -> Result<Key, Refusal> {
        let name = change.data.get("name").and_then(Value::as_str);
        let occupied = name.and_then(|name| self.found_by(&Facet::Name(name.to_owned())));
        let id = self.target(writer, &change, occupied)?;
        let Change { op, kind, mut data, .. } = change;
        let key = Key::Single(kind, id.clone());
        if op == Op::Delete {
            if self.found_by(&Facet::Favorites).as_ref() == Some(&id) {
                return Err(Refusal::validation("The default collection cannot be deleted"));
            }
            for link in self.links_in(&id) {
                self.write(writer.now, link, Op::Delete, Map::new());
            }
            self.write(writer.now, key.clone(), Op::Delete, Map::new());
            return Ok(key);
        }
        if !writer.chooses_ids {
            data.shift_remove("isDefault");
        }
        let old = self.live_members(&key);
        let op = if old.is_some() { Op::Update } else { Op::Create };
        let mut members = old.unwrap_or_else(collection_defaults);
        members.extend(data);
        finish_collection(&mut members);
        self.write(writer.now, key.clone(), op, members);
        Ok(key)
    }

    fn apply_link(&mut self, writer: Writer<'_>, change: &Change) -> Result<Key, Refusal> {
        match change.op {
            Op::Create | Op::Update => self.make_link(writer, change),
            Op::Delete => {
                let key = self.link_named(change)?;
                self.write(writer.now, key.clone(), Op::Delete, Map::new());
                Ok(key)
            }
        }
    }

    /// Joins the bookmark at the place to the collection; makes the bookmark where there is none.
    fn make_link(&mut self, writer: Writer<'_>, change: &Change) -> Result<Key, Refusal> {
        let collection = self.collection_named(&change.data).ok_or_else(not_found)?;
        let mut members = change.data.clone();
        members.shift_remove("collectionId");
        let found = place(&members, "type").and_then(|place| self.found_by(&place));
        let bookmark = if let Some(id) = found {
            id
        } else {
            let id = self.ids.next();
            let mut of_bookmark = bookmark_defaults();
            for (name, value) in &members {
                let stored = if name == "type" { "bookmarkType" } else { name };
                of_bookmark.insert(stored.to_owned(), value.clone());
            }
            finish_bookmark(&mut of_bookmark);
            self.write(writer.now, Key::Single(Kind::Bookmark, id.clone()), Op::Create, of_bookmark);
            id
        };
        let key = Key::Link { collection, bookmark };
        if change.id.as_ref().is_some_and(|id| !self.is_composite_of(id, &key)) {
            return Err(Refusal::validation("Invalid resourceId"));
        }
        let op = if self.is_live(&key) { Op::Update } else { Op::Create };
        self.write(writer.now, key.clone(), op, members);
        Ok(key)
    }

    /// The live link that a DELETE names: by its two ids, by collection and place, or by the composite id. Where it
    /// names it twice, both must be the same.
    fn link_named(&self, change: &Change) -> Result<Key, Refusal> {
        let bookmark = match change.data.get("bookmarkId").and_then(Value::as_str) {
            Some(id) => Some(ResourceId::from(id)),
            None => place(&change.data, "type").and_then(|place| self.found_by(&place)),
        };
        let by_members = self
            .collection_named(&change.data)
            .zip(bookmark)
            .map(|(collection, bookmark)| Key::Link { collection, bookmark });
        let named = match (&change.id, by_members) {
            (Some(id), Some(key)) if !self.is_composite_of(id, &key) => {
                return Err(Refusal::validation("Invalid resourceId"));
            }
            (Some(id), None) => self.link_of_composite(id),
            (_, by_members) => by_members,
        };
        named.filter(|key| self.is_live(key)).ok_or_else(not_found)
    }

    /// Notes and reading sessions: nothing but themselves.
    fn apply_plain(&mut self, writer: Writer<'_>, change: Change) -> Result<Key, Refusal> {
        let id = self.target(writer, &change, None)?;
        let Change { op, kind, mut data, .. } = change;
        let is_note = kind == Kind::Note;
        let key = Key::Single(kind, id);
        if op == Op::Delete {
            self.write(writer.now, key.clone(), Op::Delete, Map::new());
            return Ok(key);
        }
        let old = self.live_members(&key);
        let op = if old.is_some() { Op::Update } else { Op::Create };
        let mut members = old.unwrap_or_default();
        data.shift_remove("saveToQR");
        let attached = data.shift_remove("attachedEntity");
        members.extend(data);
        if is_note {
            members.insert("source".to_owned(), writer.client.into());
            let entities = attached.into_iter().collect::<Vec<_>>();
            if op == Op::Create {
                members.insert("attachedEntities".to_owned(), entities.into());
            }
        }
        self.write(writer.now, key.clone(), op, members);
        Ok(key)
    }

    /// The id of the resource that a mutation is about: what it names, what stands where it wants to be, or a new one.
    fn target(
        &mut self,
        writer: Writer<'_>,
        change: &Change,
        occupied: Option<ResourceId>,
    ) -> Result<ResourceId, Refusal> {
        match (&change.id, change.op) {
            (None, Op::Create) => Ok(occupied.unwrap_or_else(|| self.ids.next())),
            (Some(id), Op::Create) if writer.chooses_ids => Ok(id.clone()),
            (Some(id), _) if self.is_live(&Key::Single(change.kind.clone(), id.clone())) => Ok(id.clone()),
            (_, Op::Create | Op::Update | Op::Delete) => Err(not_found()),
        }
    }

    fn live_members(&self, key: &Key) -> Option<Map<String, Value>> {
        self.entries.get(key).filter(|entry| entry.is_live()).map(|entry| entry.members.clone())
    }
}

fn not_found() -> Refusal {
    Refusal::new(Reason::NotFound, "The resource was not found")
}

fn bookmark_defaults() -> Map<String, Value> {
    Map::from_iter([("isReading".to_owned(), Value::Null), ("mushaf".to_owned(), 1.into())])
}

fn finish_bookmark(members: &mut Map<String, Value>) {
    if members.get("bookmarkType").and_then(Value::as_str) == Some("ayah") {
        members.insert("bookmarkGroup".to_owned(), "verses_6236".into());
    } else {
        members.shift_remove("bookmarkGroup");
    }
}

fn collection_defaults() -> Map<String, Value> {
    let flags = [("isPrivate", true), ("isDefault", false), ("isSystem", false)];
    flags.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn finish_collection(members: &mut Map<String, Value>) {
    let name = members.get("name").and_then(Value::as_str).unwrap_or_default();
    let slug = slug(name);
    members.insert("slug".to_owned(), slug.into());
}

/// The Latin letters and digits of a name, joined by `-`; `x` where there are none.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    if slug.is_empty() { "x".to_owned() } else { slug }
}
