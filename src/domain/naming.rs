//! How a person recognises a resource: one label, the same wherever it is named, and the words of it that matter.
//! Raw text; whoever shows it makes it safe first.

use indexmap::IndexMap;

use super::field::{self, Field, FieldPath, FieldShape, Verdict};
use super::identity::{FAVORITES, Facts};
use super::inspect::{Inspection, Pair, PairId};
use super::json::Json;
use super::ledger;
use super::mutation::{Kind, Op, Payload, ResourceId, ServerMutation, Side};
use super::suras;

/// How many resources are named in a line before the rest is left out.
const NAMED: usize = 5;

/// What a resource is called everywhere: `NOTE 2:255`, `LINK Favorites ← 2:255`, `COLLECTION Ramadan`,
/// `BOOKMARK page 3`, `SESSION 67:1`.
pub fn label(inspection: &Inspection, pair: &Pair) -> String {
    labelled(&pair.kind, &title(inspection, pair))
}

/// The label of a resource whose title is known.
pub fn labelled(kind: &Kind, title: &str) -> String {
    format!("{} {title}", kind_word(kind))
}

/// What the resources of these queue entries are called, each once.
pub fn labels_of(inspection: &Inspection, queue: &[usize]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for at in queue {
        let label = label(inspection, inspection.pair(inspection.pair_of_queued(*at)));
        if !labels.contains(&label) {
            labels.push(label);
        }
        if labels.len() > NAMED {
            break;
        }
    }
    labels
}

/// The same in a line, the first few.
pub fn rows_of(inspection: &Inspection, queue: &[usize]) -> String {
    let mut labels = labels_of(inspection, queue);
    let more = labels.len() > NAMED;
    labels.truncate(NAMED);
    labels.join(", ") + if more { ", …" } else { "" }
}

/// Where or what a resource is of which only the device's row tells, by its key.
pub fn title_of_row(inspection: &Inspection, kind: &Kind, key: &str) -> String {
    let id = key.split_once(':').map_or(key, |(_, id)| id);
    let known = inspection.known(kind, &ResourceId::from(id));
    known.and_then(|row| title_of(inspection, kind, &row.data)).unwrap_or_else(|| id.to_owned())
}

/// What the resource of a server mutation is called, where its pair is not at hand.
pub fn served_label(inspection: &Inspection, mutation: &ServerMutation) -> String {
    let id = mutation.resource_id.as_ref();
    let known = id.and_then(|id| inspection.known(&mutation.kind, id));
    let mut sources = std::iter::once(&mutation.data).chain(known.map(|row| &row.data));
    let title = sources.find_map(|data| title_of(inspection, &mutation.kind, data));
    labelled(
        &mutation.kind,
        &title.or_else(|| id.map(ToString::to_string)).unwrap_or_else(|| String::from("without an id")),
    )
}

/// A kind in a sentence.
pub fn noun(kind: &Kind) -> &str {
    match kind {
        Kind::Bookmark => "bookmark",
        Kind::Collection => "collection",
        Kind::Link => "link",
        Kind::Note => "note",
        Kind::ReadingSession => "reading session",
        Kind::Other(word) => word,
    }
}

/// A kind as labels begin with it.
pub fn kind_word(kind: &Kind) -> &str {
    match kind {
        Kind::Link => "LINK",
        Kind::ReadingSession => "SESSION",
        Kind::Bookmark | Kind::Collection | Kind::Note | Kind::Other(_) => kind.wire(),
    }
}

/// Where or what the resource is: `2:255` for a note, a collection's name, `Ramadan ← 2:255` for a link; its id
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

/// What a person calls a collection: the app's own ones for highlights have a name of their own.
fn collection_title(name: &str) -> String {
    match name.strip_prefix("system:highlights:") {
        Some(colour) if !colour.is_empty() => format!("Highlights, {colour}"),
        Some(_) | None => name.to_owned(),
    }
}

/// The name of the sura in which the resource stands, or begins; `None` for one that stands at no verse.
pub fn sura(inspection: &Inspection, pair: &Pair) -> Option<&'static str> {
    let title = title(inspection, pair);
    let place = match pair.kind {
        Kind::Note | Kind::Bookmark | Kind::ReadingSession => title.as_str(),
        Kind::Link => title.rsplit_once(" ← ")?.1,
        Kind::Collection | Kind::Other(_) => return None,
    };
    suras::name(place.split_once(':')?.0.parse().ok()?)
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
        Kind::Collection => Some(collection_title(&Facts::of(kind, data, false).name?)),
        Kind::Bookmark | Kind::ReadingSession => Some(Facts::of(kind, data, true).place?.to_string()),
        Kind::Link => {
            let facts = Facts::of(kind, data, false);
            let collection = collection_name(inspection, &facts.collection?);
            let place = facts.place.map(|place| place.to_string());
            let place = place.or_else(|| {
                let bookmark =
                    inspection.known(&Kind::Bookmark, &ResourceId::from(facts.bookmark.as_deref()?))?;
                Facts::of(&Kind::Bookmark, &bookmark.data, true).place.map(|place| place.to_string())
            });
            let bookmark = facts.bookmark.map(|id| id.to_string());
            Some(format!("{collection} ← {}", place.or(bookmark)?))
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
            return collection_title(&name);
        }
    }
    let row = inspection.known(&Kind::Collection, &ResourceId::from(id));
    let name = row.and_then(|row| Facts::of(&Kind::Collection, &row.data, false).name);
    name.map_or_else(|| id.to_owned(), |name| collection_title(&name))
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

/// What one side says on a row: its text or name; where that is not what it changed, what it changed instead, such as
/// `ranges 2:255-2:257`. Empty where it says nothing of its own.
pub fn says(inspection: &Inspection, pair: &Pair, side: Side) -> String {
    let text = excerpt(inspection, pair, side);
    if pair.shape.op(side).is_none_or(|op| op == Op::Delete) {
        return text;
    }
    let details = inspection.details(pair);
    let main = match pair.kind {
        Kind::Note => Some("/body"),
        Kind::Collection => Some("/name"),
        Kind::Bookmark | Kind::Link | Kind::ReadingSession | Kind::Other(_) => None,
    };
    let touched = |field: &&Field| {
        let spoken = match (field.value(side), field.shape, field.verdict) {
            (None, _, _)
            | (_, FieldShape::Existence | FieldShape::Bookkeeping, _)
            | (_, _, Verdict::Equal | Verdict::SameChange) => false,
            (Some(_), _, Verdict::DeviceOnly | Verdict::ServerOnly | Verdict::Conflict) => true,
        };
        let content =
            field.value(side).is_some_and(|value| ledger::is_content(&pair.kind, field.path.as_str(), value));
        spoken && content && !field.unchanged_by(side)
    };
    let changed: Vec<&Field> = details.fields.iter().filter(touched).collect();
    let tells = changed.is_empty() || changed.iter().any(|field| Some(field.path.as_str()) == main);
    if tells || (main.is_none() && !text.is_empty()) {
        return text;
    }
    let words = changed.iter().map(|field| match field.value(side) {
        Some(value) if field.path.as_str() == "/isReading" => reading_words(value).to_owned(),
        value => format!("{} {}", field.path.label(), value.map(value_words).unwrap_or_default()),
    });
    words.collect::<Vec<_>>().join(", ")
}

const fn reading_words(value: &Json) -> &'static str {
    match value {
        Json::Bool(true) => "reading place",
        Json::Bool(false) | Json::Null | Json::Number(_) | Json::String(_) => "not the reading place",
        Json::Array(_) | Json::Object(_) | Json::Opaque(_) => "reading place unclear",
    }
}

/// A value on one line as a person writes it: a text as it is, ranges one after the other, a position as `2:255`,
/// anything else as JSON.
pub fn value_words(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) if !items.is_empty() && items.iter().all(|item| item.as_str().is_some()) => {
            items.iter().filter_map(Json::as_str).map(short_range).collect::<Vec<_>>().join(", ")
        }
        value => position_words(value).unwrap_or_else(|| value.to_text()),
    }
}

/// A position as people write it: `2:255`, and `3` for a page or a whole chapter. `None` for any other value.
pub fn position_words(value: &Json) -> Option<String> {
    let Json::Object(members) = value else { return None };
    let number = |names: &[&str]| names.iter().find_map(|name| members.get(*name)).and_then(Json::as_i64);
    let chapter = number(&["key", "chapterNumber"])?;
    match (members.len(), number(&["verseNumber"])) {
        (1, None) => Some(chapter.to_string()),
        (2, Some(verse)) => Some(format!("{chapter}:{verse}")),
        _ => None,
    }
}

/// The position that a person wrote, as the members that the kind has for it.
///
/// # Errors
/// What is expected, where it is none.
pub fn read_position(kind: &Kind, text: &str) -> Result<Json, String> {
    let expected = match kind {
        Kind::Bookmark => "A position is chapter:verse such as 2:255, or one number for a page or a chapter",
        Kind::Link | Kind::ReadingSession | Kind::Collection | Kind::Note | Kind::Other(_) => {
            "A position is chapter:verse such as 2:255"
        }
    };
    let number = |digits: &str| digits.trim().parse::<u32>().ok().filter(|number| *number > 0);
    let wrong = || format!("{expected}; this is none.");
    let (chapter, verse) = match text.trim().split_once(':') {
        Some((chapter, verse)) => (number(chapter), Some(number(verse).ok_or_else(wrong)?)),
        None if *kind == Kind::Bookmark => (number(text), None),
        None => (None, None),
    };
    let chapter = chapter.ok_or_else(wrong)?;
    let first = if *kind == Kind::ReadingSession { "chapterNumber" } else { "key" };
    let verse = verse.map(|verse| ("verseNumber", verse));
    let members = std::iter::once((first, chapter)).chain(verse);
    Ok(Json::Object(
        members.map(|(name, number)| (name.to_owned(), Json::parse(&number.to_string()))).collect(),
    ))
}

/// What the server's resource that may be what this pair's creation became says in a field: it stands beside the
/// device's value, where the pair itself has no server side.
pub fn twin_value(inspection: &Inspection, pair: &Pair, path: &FieldPath) -> Option<Json> {
    let twin = inspection.window.mutations.get(pair.twin.filter(|_| pair.server.is_empty())?)?;
    let members = twin.data.members();
    let fields = field::compare(&pair.kind, &IndexMap::new(), &IndexMap::new(), &members);
    fields.into_iter().find(|field| field.path == *path)?.server
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_written_as_people_write_it_and_read_back() {
        for (kind, json, text) in [
            (Kind::Bookmark, r#"{"key":2,"verseNumber":255}"#, "2:255"),
            (Kind::Link, r#"{"key":18,"verseNumber":10}"#, "18:10"),
            (Kind::ReadingSession, r#"{"chapterNumber":67,"verseNumber":1}"#, "67:1"),
            (Kind::Bookmark, r#"{"key":3}"#, "3"),
        ] {
            let value = Json::parse(json);
            assert_eq!(position_words(&value).as_deref(), Some(text));
            assert_eq!(read_position(&kind, text), Ok(value));
            assert_eq!(value_words(&Json::parse(json)), text);
        }
        for other in [r#"{"verseNumber":1}"#, r#"{"key":"x"}"#, r#"{"key":1,"a":2}"#, "7", "null"] {
            assert_eq!(position_words(&Json::parse(other)), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_position_is_refused_with_what_is_expected() {
        for (kind, text) in [
            (Kind::Bookmark, "two"),
            (Kind::Bookmark, "2:"),
            (Kind::Bookmark, "0:1"),
            (Kind::Link, "2"),
            (Kind::ReadingSession, "2"),
            (Kind::ReadingSession, "2:3:4"),
            (Kind::Bookmark, ""),
        ] {
            let complaint = read_position(&kind, text).expect_err(text);
            assert!(complaint.contains("chapter:verse such as 2:255"), "{complaint}");
        }
    }
}
