//! The device's side: what of the queue the phone's client would take up, and what it refuses to look at
//! (PROTOCOL A10, local stage).

use std::borrow::Cow;

use super::abort::{Abort, AbortId};
use super::range::only_range;
use super::read::{Data, Spot};
use super::rows::{Rows, composite, joined, place_on_device};
use super::{Key, group_by_key};
use crate::domain::device::Device;
use crate::domain::mutation::{Kind, Millis, Op, Queued, ResourceId};

/// A queued mutation as the phone's client holds it.
#[derive(Clone)]
pub struct Pending<'a> {
    /// Position in the queue.
    pub at: usize,
    /// What it does; prepared, an update of a bookmark is a creation (PROTOCOL A9).
    pub op: Op,
    /// The server's id; a link's is made of the two that it joins.
    pub id: Option<ResourceId>,
    /// What else it is recognised by.
    pub key: Option<Key<'a>>,
    /// Whether it is the reading place.
    pub reading: bool,
    /// When the user acted.
    pub modified: Option<Millis>,
}

/// The queued mutations of `kind` as the client reads them, in the order of the queue. `aborts` says what it cannot
/// read.
pub(super) fn queued<'a>(
    device: &'a Device,
    rows: &Rows<'a>,
    kind: &Kind,
    aborts: &mut Vec<Abort>,
) -> Vec<Pending<'a>> {
    let queue = device.queue.iter().enumerate().filter(|(_, mutation)| mutation.kind == *kind);
    let mut read = Vec::new();
    for (at, mutation) in queue {
        match read_one(at, mutation, rows) {
            Ok(pending) => read.push(pending),
            Err(id) => aborts.push(Abort::of_device(id, kind, None, vec![at])),
        }
    }
    read
}

/// What is left of them once the client has looked whether they make sense: as they were queued, but bookmarks of
/// one place together. What makes none is left out, and `aborts` says why.
pub(super) fn prepared<'a>(
    device: &Device,
    kind: &Kind,
    mut read: Vec<Pending<'a>>,
    aborts: &mut Vec<Abort>,
) -> Vec<Pending<'a>> {
    match kind {
        Kind::Bookmark => {
            for pending in read.iter_mut().filter(|pending| pending.op == Op::Update) {
                pending.op = Op::Create;
            }
            logical(device, &read, aborts)
        }
        Kind::Collection | Kind::Note => {
            read.retain(|pending| {
                let nameless = pending.op == Op::Delete && pending.id.is_none();
                if nameless {
                    aborts.push(Abort::of_device(AbortId::L7, kind, None, vec![pending.at]));
                }
                !nameless
            });
            read
        }
        Kind::Link | Kind::ReadingSession | Kind::Other(_) => read,
    }
}

fn read_one<'a>(at: usize, mutation: &'a Queued, rows: &Rows<'a>) -> Result<Pending<'a>, AbortId> {
    let data = Data::exported(&mutation.data);
    let mut pending = Pending {
        at,
        op: mutation.op,
        id: mutation.resource_id.clone().filter(|id| !id.as_str().is_empty()),
        key: None,
        reading: false,
        modified: modified(mutation, &data),
    };
    let gone = mutation.op == Op::Delete;
    match &mutation.kind {
        Kind::Bookmark => {
            pending.reading = data.flag("isReading").unwrap_or(false);
            let row = pending.id.as_ref().and_then(|id| rows.bookmark(id.as_str()));
            let place = place_on_device(&data).or_else(|| row.map(|row| row.place));
            let unsaid = matches!(data.spot(), Ok(Spot::Unsaid { typed: false }));
            // A deletion carries no place, a partial update may carry none; a row that says where it is not is
            // one that the phone cannot map.
            if place.is_none() && !gone && !(unsaid && mutation.op == Op::Update) {
                return Err(AbortId::L9);
            }
            pending.key = place.map(Key::Place);
        }
        Kind::Collection => {
            if lacks(mutation, &data, "name") {
                return Err(AbortId::L8);
            }
            // A deletion and an update of another member are of the row, which has a name.
            let row = || rows.name(mutation.resource_id.as_ref()?.as_str());
            pending.key = data.text("name").or_else(row).map(Key::Name);
        }
        Kind::Link => {
            let (collection, bookmark) = joined(&data);
            let row = pending.id.as_ref().and_then(|id| rows.link(id.as_str()));
            let collection = collection.or_else(|| row.map(|(id, _)| Cow::Owned(id.to_owned())));
            let Some(collection) = collection else { return Err(AbortId::L8) };
            let place = place_on_device(&data)
                .or_else(|| row.map(|(_, place)| place))
                .or_else(|| rows.place_of(bookmark.as_deref()?));
            let named = composite(Some(&collection), bookmark.as_ref());
            pending.id = pending.id.or_else(|| named.map(|id| ResourceId::from(&*id)));
            pending.key = place.map(|place| Key::Link(collection, place));
        }
        Kind::Note => {
            if lacks(mutation, &data, "body") {
                return Err(AbortId::L8);
            }
            let range = data.list("ranges").ok().flatten().as_deref().and_then(only_range);
            pending.key = range.zip(data.text("body")).map(|(range, body)| Key::Note(range, body));
        }
        Kind::ReadingSession => {
            pending.key = data.verse("chapterNumber").ok().flatten().map(Key::Place);
        }
        Kind::Other(_) => {}
    }
    Ok(pending)
}

/// Whether a member that the client requires is not there. A partial update may leave it to the row.
fn lacks(mutation: &Queued, data: &Data, name: &str) -> bool {
    match mutation.op {
        Op::Create => data.text(name).is_none(),
        Op::Update => data.has(name) && data.text(name).is_none(),
        Op::Delete => false,
    }
}

fn modified(mutation: &Queued, data: &Data) -> Option<Millis> {
    Some(data).filter(|_| mutation.op != Op::Delete).and_then(Data::client_time).or(mutation.created_at)
}

/// Bookmarks by their place; the client takes one mutation of a place, or a deletion and then a creation.
fn logical<'a>(device: &Device, read: &[Pending<'a>], aborts: &mut Vec<Abort>) -> Vec<Pending<'a>> {
    let groups = group_by_key(read, |pending| pending.key.as_ref());
    let mut fit = vec![true; read.len()];
    let mut order = Vec::with_capacity(read.len());
    for group in groups {
        let members: Vec<&Pending> = group.iter().map(|index| &read[*index]).collect();
        if let Some((id, at)) = illogical(device, &members) {
            aborts.push(Abort::of_device(id, &Kind::Bookmark, place(members[0]), at));
            for index in &group {
                fit[*index] = false;
            }
        }
        order.extend(group);
    }
    order.into_iter().filter(|index| fit[*index]).map(|index| read[index].clone()).collect()
}

fn place(pending: &Pending) -> Option<crate::domain::identity::Place> {
    match pending.key {
        Some(Key::Place(place) | Key::Link(_, place)) => Some(place),
        Some(Key::Name(_) | Key::Note(..)) | None => None,
    }
}

/// What is wrong with the mutations of one place, in the order in which the client looks.
fn illogical(device: &Device, members: &[&Pending]) -> Option<(AbortId, Vec<usize>)> {
    let all = || members.iter().map(|m| m.at).collect::<Vec<_>>();
    let of = |op: Op| members.iter().filter(move |m| m.op == op).map(|m| m.at).collect::<Vec<_>>();
    let (creations, deletions) = (of(Op::Create), of(Op::Delete));
    let nameless = members.iter().find(|m| m.op == Op::Delete && m.id.is_none());
    if members.len() > 2 {
        return Some((AbortId::L1, all()));
    }
    if deletions.len() > 1 {
        return Some((AbortId::L2, deletions));
    }
    if let Some(deletion) = nameless {
        return Some((AbortId::L3, vec![deletion.at]));
    }
    if creations.len() > 1 {
        let updates = creations.iter().any(|at| device.queue[*at].op == Op::Update);
        return Some((if updates { AbortId::L5 } else { AbortId::L4 }, creations));
    }
    let created_first = members.len() == 2 && members[0].op == Op::Create;
    created_first.then(|| (AbortId::L6, all()))
}
