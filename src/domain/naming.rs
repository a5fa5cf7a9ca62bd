//! How a person recognises a resource: a short title, and the words of it that matter. Raw text; whoever shows it
//! makes it safe first.

use indexmap::IndexMap;

use super::identity::{FAVORITES, Facts};
use super::inspect::{Inspection, Pair, PairId};
use super::json::Json;
use super::mutation::{Kind, Payload, ResourceId, Side};

/// Where or what the resource is: `2:255` for a note, a collection's name, `Ramadan · 2:255` for a link; its id
/// where nothing better is known.
pub fn title(inspection: &Inspection, pair: &Pair) -> String {
    let known = inspection
        .queued(pair)
        .filter_map(|m| m.resource_id.as_ref())
        .chain(inspection.served(pair).filter_map(|m| m.resource_id.as_ref()))
        .find_map(|id| inspection.known(&pair.kind, id));
    let sources = inspection
        .queued(pair)
        .map(|m| &m.data)
        .rev()
        .chain(inspection.served(pair).map(|m| &m.data).rev())
        .chain(known.map(|row| &row.data));
    for data in sources {
        if let Some(title) = title_of(inspection, &pair.kind, data) {
            return title;
        }
    }
    pair.key.split_once(':').map_or_else(|| pair.key.clone(), |(_, id)| id.to_owned())
}

fn title_of(inspection: &Inspection, kind: &Kind, data: &Payload) -> Option<String> {
    match kind {
        Kind::Note => {
            let members = data.members();
            let ranges = members.get("ranges").and_then(|ranges| match ranges {
                Json::Array(list) => {
                    Some(list.iter().filter_map(Json::as_str).map(short_range).collect::<Vec<_>>())
                }
                _ => None,
            })?;
            match ranges.as_slice() {
                [] => None,
                [one] => Some(one.clone()),
                [first, rest @ ..] => Some(format!("{first} +{}", rest.len())),
            }
        }
        Kind::Collection => Some(Facts::of(kind, data, false).name?.to_string()),
        Kind::Bookmark | Kind::ReadingSession => Some(Facts::of(kind, data, true).place?.to_string()),
        Kind::Link => {
            let facts = Facts::of(kind, data, false);
            let collection = collection_name(inspection, &facts.collection?);
            let place = facts.place.map(|place| place.to_string());
            let bookmark = facts.bookmark.map(|id| id.to_string());
            Some(format!("{collection} · {}", place.or(bookmark)?))
        }
        Kind::Other(_) => None,
    }
}

/// The name of a collection that a link refers to; its id where no name is known.
pub fn collection_name(inspection: &Inspection, id: &str) -> String {
    if id == FAVORITES {
        return String::from("Favorites");
    }
    if let Some(pair) = inspection.collection(id).map(|pair: PairId| inspection.pair(pair)) {
        let queued = inspection.queued(pair).rev().map(|m| &m.data);
        let mut named = queued.chain(inspection.served(pair).rev().map(|m| &m.data));
        if let Some(name) = named.find_map(|data| Facts::of(&Kind::Collection, data, false).name) {
            return name.to_string();
        }
    }
    let row = inspection.known(&Kind::Collection, &ResourceId::from(id));
    let name = row.and_then(|row| Facts::of(&Kind::Collection, &row.data, false).name);
    name.map_or_else(|| id.to_owned(), |name| name.to_string())
}

/// `2:255-2:255` is one verse: `2:255`.
fn short_range(range: &str) -> String {
    match range.split_once('-') {
        Some((from, to)) if from == to => from.to_owned(),
        _ => range.to_owned(),
    }
}

/// The words of one side that tell most: a note's body, a collection's name, whether a bookmark is the reading
/// place. Empty where that side says nothing of its own.
pub fn excerpt(inspection: &Inspection, pair: &Pair, side: Side) -> String {
    let data = match side {
        // A reading place that the queue itself replaces is none.
        Side::Device if pair.kind == Kind::Bookmark => {
            inspection.squashed(pair).intents.last().map(|intent| intent.data.members())
        }
        Side::Device => inspection.queued(pair).last().map(|m| m.data.members()),
        Side::Server => inspection.primary(pair).map(|m| m.data.members()),
    };
    data.map(|members| excerpt_of(&pair.kind, &members)).unwrap_or_default()
}

fn excerpt_of(kind: &Kind, members: &IndexMap<String, Json>) -> String {
    let text = |name: &str| members.get(name).and_then(Json::as_str).map(str::to_owned);
    match kind {
        Kind::Note => text("body").unwrap_or_default(),
        Kind::Collection => text("name").unwrap_or_default(),
        Kind::Bookmark if members.get("isReading") == Some(&Json::Bool(true)) => {
            String::from("reading place")
        }
        Kind::Bookmark | Kind::Link => String::new(),
        Kind::ReadingSession => {
            let data = Payload::from_members(members);
            let place = Facts::of(kind, &data, true).place;
            place.map(|place| place.to_string()).unwrap_or_default()
        }
        Kind::Other(_) => {
            members.iter().find_map(|(_, value)| value.as_str().map(str::to_owned)).unwrap_or_default()
        }
    }
}
