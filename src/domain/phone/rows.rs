//! What the device's rows tell the phone of a resource that a mutation names by its id alone.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::read::{Data, Spot};
use crate::domain::device::Device;
use crate::domain::identity::Place;
use crate::domain::mutation::{Kind, Payload, ResourceId};
use crate::domain::window::Window;

/// An index over the known resources, the queue (a queued mutation of a resource is a row of it) and the
/// bookmarks of the window.
pub(super) struct Rows<'a> {
    /// Whether the device file lists its resources at all.
    listed: bool,
    ids: HashSet<(&'a Kind, Cow<'a, str>)>,
    bookmarks: HashMap<&'a str, Bookmark>,
    links: HashMap<Cow<'a, str>, (Cow<'a, str>, Place)>,
    pulled: HashMap<&'a str, Place>,
}

/// A bookmark row.
#[derive(Clone, Copy)]
pub(super) struct Bookmark {
    pub place: Place,
    pub reading: bool,
}

impl<'a> Rows<'a> {
    pub fn of(device: &'a Device, window: &'a Window) -> Self {
        let mut rows = Self {
            listed: device.known.is_some(),
            ids: HashSet::new(),
            bookmarks: HashMap::new(),
            links: HashMap::new(),
            pulled: HashMap::new(),
        };
        for mutation in window.mutations.iter().filter(|m| m.kind == Kind::Bookmark) {
            if let (Some(id), Ok(Spot::At(place @ Place::Verse(..)))) =
                (&mutation.resource_id, Data::of(&mutation.data).spot())
            {
                rows.pulled.insert(id.as_str(), place);
            }
        }
        let known = device.known.iter().flatten().map(|row| (&row.kind, Some(row.id.as_str()), &row.data));
        let queue =
            device.queue.iter().map(|m| (&m.kind, m.resource_id.as_ref().map(ResourceId::as_str), &m.data));
        let mut links = Vec::new();
        for (kind, id, payload) in known.chain(queue) {
            match kind {
                Kind::Bookmark => rows.take_bookmark(kind, id, payload),
                Kind::Link => links.push((kind, id, payload)),
                Kind::Collection | Kind::Note | Kind::ReadingSession | Kind::Other(_) => {
                    rows.ids.extend(id.map(|id| (kind, Cow::Borrowed(id))));
                }
            }
        }
        // Links find their place by the bookmarks, so those come first.
        for (kind, id, payload) in links {
            rows.take_link(kind, id, payload);
        }
        rows
    }

    /// Whether the device has the resource. A file that lists none says nothing of it, so it may.
    pub fn may_have(&self, kind: &Kind, id: &str) -> bool {
        !self.listed || self.ids.contains(&(kind, Cow::Borrowed(id)))
    }

    pub fn bookmark(&self, id: &str) -> Option<Bookmark> {
        self.bookmarks.get(id).copied()
    }

    pub fn link(&self, composite: &str) -> Option<(&str, Place)> {
        self.links.get(composite).map(|(collection, place)| (&**collection, *place))
    }

    /// Where a link's bookmark stands: its own row first, then the same pull.
    pub fn place_of(&self, bookmark: &str) -> Option<Place> {
        self.bookmark(bookmark).map(|row| row.place).or_else(|| self.pulled.get(bookmark).copied())
    }

    fn take_bookmark(&mut self, kind: &'a Kind, id: Option<&'a str>, payload: &'a Payload) {
        let Some(id) = id else { return };
        self.ids.insert((kind, Cow::Borrowed(id)));
        let data = Data::of(payload);
        if let Some(place) = place_on_device(&data) {
            let reading = data.flag("isReading").unwrap_or(false);
            self.bookmarks.entry(id).or_insert(Bookmark { place, reading });
        }
    }

    fn take_link(&mut self, kind: &'a Kind, id: Option<&'a str>, payload: &'a Payload) {
        let data = Data::of(payload);
        let (collection, bookmark) = joined(&data);
        let composite = id.map(Cow::Borrowed).or_else(|| composite(collection.as_ref(), bookmark.as_ref()));
        let Some(composite) = composite else { return };
        self.ids.insert((kind, composite.clone()));
        let place = place_on_device(&data).or_else(|| self.place_of(bookmark.as_deref()?));
        if let (Some(collection), Some(place)) = (collection, place) {
            self.links.entry(composite).or_insert((collection, place));
        }
    }
}

/// What a link joins: its collection and its bookmark, by their ids.
pub(super) fn joined<'a>(data: &Data<'a>) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
    let filled = |name: &str| data.text(name).filter(|id| !id.is_empty());
    (filled("collectionId"), filled("bookmarkId").or_else(|| filled("bookmark_id")))
}

/// A link's id, made of the two ids that it joins.
pub(super) fn composite<'a>(
    collection: Option<&Cow<str>>,
    bookmark: Option<&Cow<str>>,
) -> Option<Cow<'a, str>> {
    Some(Cow::Owned(format!("{}-{}", collection?, bookmark?)))
}

/// Where a payload of the device's own says that it stands. Its exports may leave the type out.
pub(super) fn place_on_device(data: &Data) -> Option<Place> {
    match data.spot() {
        Ok(Spot::At(place)) => Some(place),
        Ok(Spot::Unsaid { typed: false }) => data.verse("key").ok().flatten(),
        Ok(Spot::Incomplete | Spot::Unsaid { typed: true }) | Err(_) => None,
    }
}
