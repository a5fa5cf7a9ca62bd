//! What the device's rows tell the phone of a resource that a mutation names by its id alone.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::feed::is_of;
use super::read::{Data, Misshapen, Spot};
use crate::domain::device::Device;
use crate::domain::identity::Place;
use crate::domain::mutation::{Kind, Op, Payload, Queued, ResourceId, ServerMutation};

/// An index over the known resources, the queue (a queued mutation of a resource is a row of it) and the
/// bookmarks of the feed.
pub(super) struct Rows<'a> {
    /// Whether the device file lists its resources at all.
    listed: bool,
    ids: HashSet<(Kind, Cow<'a, str>)>,
    bookmarks: HashMap<Cow<'a, str>, Bookmark>,
    /// By the id that the client makes of the two that a link joins.
    links: HashMap<Cow<'a, str>, (Cow<'a, str>, Place)>,
    names: HashMap<&'a str, Cow<'a, str>>,
    pulled: HashMap<&'a str, Place>,
    misshapen: Vec<(usize, Misshapen)>,
}

/// A bookmark row.
#[derive(Clone, Copy)]
pub(super) struct Bookmark {
    pub place: Place,
    pub reading: bool,
}

impl<'a> Rows<'a> {
    pub fn of(device: &'a Device, feed: &'a [ServerMutation]) -> Self {
        let mut rows = Self {
            listed: device.known.is_some(),
            ids: HashSet::new(),
            bookmarks: HashMap::new(),
            links: HashMap::new(),
            names: HashMap::new(),
            pulled: HashMap::new(),
            misshapen: Vec::new(),
        };
        for (at, mutation) in feed.iter().enumerate().filter(|(_, m)| is_of(&Kind::Bookmark, m)) {
            match verse_of(mutation) {
                Ok(Some((id, place))) => {
                    rows.pulled.insert(id, place);
                }
                Ok(None) => {}
                Err(member) => rows.misshapen.push((at, member)),
            }
        }
        let known = device.known.iter().flatten().map(|row| (&row.kind, Some(row.id.as_str()), &row.data));
        let queue =
            device.queue.iter().map(|m| (&m.kind, m.resource_id.as_ref().map(ResourceId::as_str), &m.data));
        let mut links = Vec::new();
        for (kind, id, payload) in known.chain(queue) {
            match kind {
                Kind::Bookmark => rows.take_bookmark(id, payload),
                Kind::Link => links.push((id, payload)),
                Kind::Collection => rows.take_collection(id, payload),
                Kind::Note | Kind::ReadingSession | Kind::Other(_) => {
                    rows.ids.extend(id.map(|id| (kind.clone(), Cow::Borrowed(id))));
                }
            }
        }
        for link in device.queue.iter().filter(|m| m.kind == Kind::Link && m.op == Op::Create) {
            rows.take_parent(link);
        }
        // Links find their place by the bookmarks, so those come first.
        for (id, payload) in links {
            rows.take_link(id, payload);
        }
        rows
    }

    /// Whether the device has the resource. A file that lists none says nothing of it, so it may.
    pub fn may_have(&self, kind: &Kind, id: &str) -> bool {
        !self.listed || self.ids.contains(&(kind.clone(), Cow::Borrowed(id)))
    }

    /// Whether the device file says what the device has.
    pub const fn are_listed(&self) -> bool {
        self.listed
    }

    pub fn bookmark(&self, id: &str) -> Option<Bookmark> {
        self.bookmarks.get(id).copied()
    }

    pub fn link(&self, composite: &str) -> Option<(&str, Place)> {
        self.links.get(composite).map(|(collection, place)| (&**collection, *place))
    }

    /// What the collection is called on the device.
    pub fn name(&self, collection: &str) -> Option<Cow<'a, str>> {
        self.names.get(collection).cloned()
    }

    /// Where the bookmark of a link stands that says none itself: the client asks its links by that id, then its
    /// bookmarks, then the bookmarks of the same pull. Only verses are places of links.
    pub fn place_of(&self, bookmark: &str) -> Option<Place> {
        let link = || self.link(bookmark).map(|(_, place)| place);
        let row = || self.bookmark(bookmark).map(|row| row.place);
        let verse = |place: &Place| matches!(place, Place::Verse(..));
        link().or_else(row).filter(verse).or_else(|| self.pulled.get(bookmark).copied())
    }

    /// The bookmarks of the pull on which the client ends its sync as soon as it looks at its links: it reads them
    /// for the places.
    pub fn misshapen(&self) -> impl Iterator<Item = (usize, Misshapen)> + '_ {
        self.misshapen.iter().copied()
    }

    fn take_bookmark(&mut self, id: Option<&'a str>, payload: &'a Payload) {
        let Some(id) = id else { return };
        self.ids.insert((Kind::Bookmark, Cow::Borrowed(id)));
        let data = Data::exported(payload);
        if let Some(place) = place_on_device(&data) {
            let reading = data.flag("isReading").unwrap_or(false);
            self.bookmarks.entry(Cow::Borrowed(id)).or_insert(Bookmark { place, reading });
        }
    }

    fn take_collection(&mut self, id: Option<&'a str>, payload: &'a Payload) {
        let Some(id) = id else { return };
        self.ids.insert((Kind::Collection, Cow::Borrowed(id)));
        if let Some(name) = Data::exported(payload).text("name") {
            self.names.entry(id).or_insert(name);
        }
    }

    /// The bookmark that a queued link is made for: where the link names it, its row is there.
    fn take_parent(&mut self, link: &'a Queued) {
        let data = Data::exported(&link.data);
        let (_, bookmark) = joined(&data);
        let place = place_on_device(&data).filter(|place| matches!(place, Place::Verse(..)));
        if let Some((bookmark, place)) = bookmark.zip(place) {
            self.ids.insert((Kind::Bookmark, bookmark.clone()));
            self.bookmarks.entry(bookmark).or_insert(Bookmark { place, reading: false });
        }
    }

    fn take_link(&mut self, id: Option<&'a str>, payload: &'a Payload) {
        let data = Data::exported(payload);
        let (collection, bookmark) = joined(&data);
        let composite = id.map(Cow::Borrowed).or_else(|| composite(collection.as_ref(), bookmark.as_ref()));
        let Some(composite) = composite else { return };
        self.ids.insert((Kind::Link, composite.clone()));
        let place = place_on_device(&data).or_else(|| self.place_of(bookmark.as_deref()?));
        if let (Some(collection), Some(place)) = (collection, place) {
            self.links.entry(composite).or_insert((collection, place));
        }
    }
}

/// A bookmark of the pull that tells a link's place: its id and its verse.
fn verse_of(mutation: &ServerMutation) -> Result<Option<(&str, Place)>, Misshapen> {
    let Some(id) = &mutation.resource_id else { return Ok(None) };
    let data = Data::pulled(&mutation.data);
    if !data.is_verse() {
        return Ok(None);
    }
    let Some(chapter) = data.number("key")? else { return Ok(None) };
    Ok(data.number("verseNumber")?.map(|verse| (id.as_str(), Place::Verse(chapter, verse))))
}

/// What a link of the device's own joins: its collection and its bookmark, by their ids.
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
