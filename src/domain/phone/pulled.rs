//! The server's side: what of the window the phone's client would look at, and what ends its sync on the way
//! (PROTOCOL A8, A10 pull stage).

use std::borrow::Cow;
use std::collections::HashSet;

use super::Key;
use super::abort::{Abort, AbortId};
use super::feed::is_of;
use super::pending::Pending;
use super::range::{has_range, is_blank, only_range};
use super::read::{Data, Misshapen, Spot};
use super::rows::{Rows, composite};
use crate::domain::mutation::{Kind, Millis, Op, ResourceId, ServerMutation};

/// A server mutation as the phone's client holds it.
#[derive(Clone)]
pub struct Pulled<'a> {
    /// Position in the window.
    pub at: usize,
    /// What it does.
    pub op: Op,
    /// The server's id; a link's is made of the two that it joins.
    pub id: ResourceId,
    /// What else it is recognised by.
    pub key: Option<Key<'a>>,
    /// Whether it is the reading place.
    pub reading: bool,
    /// When the user acted, as the client has it: ISO text, else the server's time.
    pub modified: Millis,
    /// Whether the client can make anything of it; what it cannot use it passes over without a word.
    pub usable: bool,
}

/// The server mutations of `kind`, in the order of the feed. `aborts` says what ends the sync.
pub(super) fn pulled<'a>(
    feed: &'a [ServerMutation],
    rows: &Rows<'a>,
    kind: &Kind,
    aborts: &mut Vec<Abort>,
) -> Vec<Pulled<'a>> {
    let mut pulled = Vec::new();
    if *kind == Kind::Link {
        let misshapen = rows.misshapen();
        aborts.extend(misshapen.map(|(at, member)| ends(member, &Kind::Bookmark, at)));
    }
    for (at, mutation) in feed.iter().enumerate().filter(|(_, m)| is_of(kind, m)) {
        let data = Data::pulled(&mutation.data);
        let Some(id) = id_of(kind, mutation, &data) else {
            // A link without an id is passed over (PROTOCOL A10 S-G1 names the four other kinds).
            if *kind != Kind::Link {
                aborts.push(Abort::of_server(AbortId::G1, kind, None, vec![at]));
            }
            continue;
        };
        let modified = Some(&data).filter(|_| mutation.op != Op::Delete).and_then(Data::pulled_time);
        let mut entry = Pulled {
            at,
            op: mutation.op,
            id,
            key: None,
            reading: false,
            modified: modified.unwrap_or(mutation.timestamp),
            usable: true,
        };
        let recognised = match kind {
            Kind::Bookmark => bookmark(&mut entry, &data, rows),
            Kind::Collection => collection(&mut entry, &data),
            Kind::Link => link(&mut entry, &data, mutation, rows),
            Kind::Note => note(&mut entry, &data),
            Kind::ReadingSession => session(&mut entry, &data),
            Kind::Other(_) => Ok(()),
        };
        match recognised {
            Ok(()) => pulled.push(entry),
            Err(member) => aborts.push(ends(member, kind, at)),
        }
    }
    pulled
}

fn ends(Misshapen(member): Misshapen, kind: &Kind, at: usize) -> Abort {
    Abort::of_server(AbortId::G3, kind, Some(member), vec![at])
}

/// The id of what an entry speaks of. A link's is taken as it is, also a blank one, and made of the two that it
/// joins where there is none; of the other kinds a blank one names nothing.
fn id_of(kind: &Kind, mutation: &ServerMutation, data: &Data) -> Option<ResourceId> {
    let own = mutation.resource_id.clone();
    if *kind == Kind::Link {
        let (collection, bookmark) = named(data);
        let filled = |id: &Cow<str>| !id.is_empty();
        let (collection, bookmark) = (collection.filter(filled), bookmark.filter(filled));
        return own
            .or_else(|| composite(collection.as_ref(), bookmark.as_ref()).map(|id| ResourceId::from(&*id)));
    }
    own.filter(|id| !id.as_str().chars().all(is_blank))
}

/// What a link of the server's says that it joins. An empty id is one as well: it hides what stands behind it.
fn named<'a>(data: &Data<'a>) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
    (data.text("collectionId"), data.text("bookmarkId").or_else(|| data.text("bookmark_id")))
}

fn bookmark(entry: &mut Pulled, data: &Data, rows: &Rows) -> Result<(), Misshapen> {
    let place = match data.spot()? {
        Spot::At(place) => {
            entry.reading = data.flag("isReading")?;
            Some(place)
        }
        Spot::Incomplete => {
            entry.usable = false;
            None
        }
        // Without a usable type all is looked up in the row; that there is one is enough to know for a deletion.
        Spot::Unsaid { .. } => {
            let row = rows.bookmark(entry.id.as_str());
            entry.reading = row.is_some_and(|row| row.reading);
            let gone = entry.op == Op::Delete && rows.may_have(&Kind::Bookmark, entry.id.as_str());
            entry.usable = row.is_some() || gone;
            row.map(|row| row.place)
        }
    };
    entry.key = place.map(Key::Place);
    Ok(())
}

/// A deletion's name is not looked at.
fn collection<'a>(entry: &mut Pulled<'a>, data: &Data<'a>) -> Result<(), Misshapen> {
    if entry.op == Op::Delete {
        return Ok(());
    }
    let name = data.text("name").filter(|name| !name.is_empty());
    entry.usable = name.is_some();
    if entry.usable {
        data.flag("isDefault")?;
        data.flag("isSystem")?;
    }
    entry.key = name.map(Key::Name);
    Ok(())
}

/// A link says where it stands, or its bookmark does. What names no collection or no bookmark is passed over before
/// its numbers are looked at.
fn link<'a>(
    entry: &mut Pulled<'a>,
    data: &Data<'a>,
    mutation: &ServerMutation,
    rows: &Rows<'a>,
) -> Result<(), Misshapen> {
    let gone = entry.op == Op::Delete;
    entry.usable = false;
    if mutation.data.as_str().is_none() {
        // Without data only the device's own row tells what it joined; that there is one is enough to know.
        if gone && !entry.id.as_str().is_empty() {
            let row = rows.link(entry.id.as_str());
            entry.key = row.map(|(collection, place)| Key::Link(collection.to_owned().into(), place));
            entry.usable = entry.key.is_some() || rows.may_have(&Kind::Link, entry.id.as_str());
        }
        return Ok(());
    }
    let (collection, bookmark) = named(data);
    let Some(collection) = collection.filter(|id| !id.is_empty()) else { return Ok(()) };
    let split = |id: &str| Some(id.strip_prefix(&*collection)?.strip_prefix('-')?.to_owned());
    let bookmark = bookmark.map(Cow::into_owned).or_else(|| split(mutation.resource_id.as_ref()?.as_str()));
    let Some(bookmark) = bookmark.filter(|id| !id.is_empty()) else { return Ok(()) };
    let place = if data.is_verse() {
        data.verse("key")?
    } else {
        let place = rows.place_of(&bookmark);
        // A file that lists no rows does not say that there is none.
        entry.usable = gone && !rows.are_listed();
        place
    };
    entry.usable |= place.is_some();
    entry.key = place.map(|place| Key::Link(collection, place));
    Ok(())
}

/// A note without a body or without a range that can be read does not exist for the client.
fn note<'a>(entry: &mut Pulled<'a>, data: &Data<'a>) -> Result<(), Misshapen> {
    if entry.op == Op::Delete {
        return Ok(());
    }
    let body = data.text("body").filter(|body| !body.is_empty());
    let ranges = if body.is_some() { data.list("ranges")? } else { None };
    entry.usable = ranges.as_deref().is_some_and(has_range);
    let range = ranges.as_deref().and_then(only_range);
    entry.key = range.zip(body).map(|(range, body)| Key::Note(range, body));
    Ok(())
}

fn session(entry: &mut Pulled, data: &Data) -> Result<(), Misshapen> {
    if entry.op == Op::Delete {
        return Ok(());
    }
    entry.key = data.verse("chapterNumber")?.map(Key::Place);
    entry.usable = entry.key.is_some();
    Ok(())
}

/// What is left of `pulled` once the client has dropped deletions of what it does not have, and calls updates of
/// bookmarks and links creations.
pub(super) fn prepared<'a>(
    kind: &Kind,
    rows: &Rows<'a>,
    pending: &[Pending<'a>],
    pulled: Vec<Pulled<'a>>,
) -> Vec<Pulled<'a>> {
    let queued: HashSet<&Key> = match kind {
        Kind::Link => pending.iter().filter_map(|p| p.key.as_ref()).collect(),
        Kind::Bookmark | Kind::Collection | Kind::Note | Kind::ReadingSession | Kind::Other(_) => {
            HashSet::new()
        }
    };
    let kept = pulled.into_iter().filter(|entry| {
        let dropped = *kind != Kind::ReadingSession
            && entry.op == Op::Delete
            && !rows.may_have(kind, entry.id.as_str())
            && !entry.key.as_ref().is_some_and(|key| queued.contains(key));
        entry.usable && !dropped
    });
    kept.map(|mut entry| {
        if matches!(kind, Kind::Bookmark | Kind::Link) && entry.op == Op::Update {
            entry.op = Op::Create;
        }
        entry
    })
    .collect()
}
