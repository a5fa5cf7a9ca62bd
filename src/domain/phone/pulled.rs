//! The server's side: what of the window the phone's client would look at, and what ends its sync on the way
//! (PROTOCOL A8, A10 pull stage).

use std::collections::HashSet;

use super::Key;
use super::abort::{Abort, AbortId};
use super::pending::Pending;
use super::read::{Data, Misshapen, Spot, has_range, only_range};
use super::rows::{Rows, composite, joined};
use crate::domain::mutation::{Kind, Millis, Op, ResourceId, ServerMutation};
use crate::domain::window::Window;

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

/// The server mutations of `kind`, in the order of the window. `aborts` says what ends the sync.
pub(super) fn pulled<'a>(
    window: &'a Window,
    rows: &Rows<'a>,
    kind: &Kind,
    aborts: &mut Vec<Abort>,
) -> Vec<Pulled<'a>> {
    let mut pulled = Vec::new();
    for (at, mutation) in window.mutations.iter().enumerate().filter(|(_, m)| m.kind == *kind) {
        let data = Data::of(&mutation.data);
        let Some(id) = id_of(mutation, &data) else {
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
        match recognise(&mut entry, kind, &data, mutation, rows) {
            Ok(()) => pulled.push(entry),
            Err(Misshapen(member)) => {
                aborts.push(Abort::of_server(AbortId::G3, kind, Some(member), vec![at]));
            }
        }
    }
    pulled
}

fn id_of(mutation: &ServerMutation, data: &Data) -> Option<ResourceId> {
    if mutation.kind == Kind::Link {
        let (collection, bookmark) = joined(data);
        let own = mutation.resource_id.clone();
        return own
            .or_else(|| composite(collection.as_ref(), bookmark.as_ref()).map(|id| ResourceId::from(&*id)));
    }
    mutation.resource_id.clone().filter(|id| !id.as_str().trim().is_empty())
}

fn recognise<'a>(
    entry: &mut Pulled<'a>,
    kind: &Kind,
    data: &Data<'a>,
    mutation: &ServerMutation,
    rows: &Rows<'a>,
) -> Result<(), Misshapen> {
    let gone = entry.op == Op::Delete;
    // A deletion without data is looked up in the row of what it deletes; that there is one is enough to know.
    let looked_up = gone && rows.may_have(kind, entry.id.as_str());
    match kind {
        Kind::Bookmark => {
            let row = rows.bookmark(entry.id.as_str());
            let (place, looked_up) = match data.spot()? {
                Spot::At(place) => {
                    entry.reading = data.flag("isReading")?;
                    (Some(place), false)
                }
                Spot::Incomplete => (None, false),
                Spot::Unsaid { .. } => {
                    entry.reading = row.is_some_and(|row| row.reading);
                    (row.map(|row| row.place), looked_up)
                }
            };
            entry.key = place.map(Key::Place);
            entry.usable = place.is_some() || looked_up;
        }
        Kind::Collection => {
            let name = data.text("name").filter(|name| !gone && !name.is_empty());
            entry.usable = gone || name.is_some();
            entry.key = name.map(Key::Name);
        }
        Kind::Link => {
            let (collection, bookmark) = joined(data);
            let split =
                |id: &str| Some(id.strip_prefix(&**collection.as_ref()?)?.strip_prefix('-')?.to_owned());
            let bookmark = bookmark.map(std::borrow::Cow::into_owned).or_else(|| split(entry.id.as_str()));
            let row = rows.link(entry.id.as_str());
            let (key, looked_up) = match (data.spot()?, collection, bookmark) {
                // Without data only the device's row tells what it joined.
                _ if mutation.data.as_str().is_none() => {
                    let row = row.filter(|_| gone);
                    (row.map(|(collection, place)| (collection.to_owned().into(), place)), looked_up)
                }
                (Spot::At(place), Some(collection), Some(_)) => (Some((collection, place)), false),
                (Spot::Unsaid { .. }, Some(collection), Some(bookmark)) => {
                    let place = row.map(|(_, place)| place).or_else(|| rows.place_of(&bookmark));
                    (place.map(|place| (collection, place)), looked_up)
                }
                (Spot::At(_) | Spot::Incomplete | Spot::Unsaid { .. }, _, _) => (None, false),
            };
            entry.usable = key.is_some() || looked_up;
            entry.key = key.map(|(collection, place)| Key::Link(collection, place));
        }
        Kind::Note if !gone => {
            let body = data.text("body").filter(|body| !body.is_empty());
            let ranges = if body.is_some() { data.list("ranges")? } else { None };
            entry.usable = ranges.as_deref().is_some_and(has_range);
            let range = ranges.as_deref().and_then(only_range);
            entry.key = range.zip(body).map(|(range, body)| Key::Note(range, body));
        }
        Kind::ReadingSession if !gone => {
            entry.key = data.verse("chapterNumber")?.map(Key::Place);
            entry.usable = entry.key.is_some();
        }
        Kind::Note | Kind::ReadingSession | Kind::Other(_) => {}
    }
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
