//! The form of a pushed mutation: which members it may have and what they may hold (PROTOCOL A3, A4, A7).
//!
//! This knows nothing of what is stored. What passes is written in the server's words: `type` of a bookmark is
//! `bookmarkType`, `mushafId` is `mushaf`, client times are ISO 8601.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::domain::mutation::{Kind, Millis, Op, ResourceId};

/// A mutation whose form is right.
#[derive(Clone)]
pub(super) struct Change {
    pub op: Op,
    /// One of the five known kinds.
    pub kind: Kind,
    /// There is one on every UPDATE and DELETE but a link's.
    pub id: Option<ResourceId>,
    pub data: Map<String, Value>,
}

/// What a member of `data` may hold.
#[derive(Clone, Copy)]
enum Rule {
    /// Text of so many UTF-16 units, as JavaScript counts characters; PROTOCOL D13 leaves the unit open.
    Text(usize, usize),
    Flag,
    FlagOrNull,
    Whole(i64, i64),
    Word(&'static [&'static str]),
    Mushaf,
    /// ISO 8601 text or a number of ms (PROTOCOL A6).
    Time,
    Ranges,
    Object,
    Id,
}

const PLACES: &[&str] = &["ayah", "page", "surah", "juz"];
const MUSHAFS: [i64; 9] = [1, 2, 3, 4, 5, 6, 7, 11, 19];
const SURAS: i64 = 114;
/// The longest sura; the verse counts of the others are not checked.
const VERSES: i64 = 286;

/// The rule for a member, and under which name it is stored; `None` where the member is not allowed.
fn rule(kind: &Kind, op: Op, name: &str) -> Option<(&'static str, Rule)> {
    let pushed = match name {
        "clientCreatedAt" => return Some(("clientCreatedAt", Rule::Time)),
        "clientUpdatedAt" => return Some(("clientUpdatedAt", Rule::Time)),
        _ => op != Op::Delete,
    };
    let found = match kind {
        Kind::Bookmark => match name {
            "type" | "bookmarkType" => ("bookmarkType", Rule::Word(PLACES)),
            "isReading" => ("isReading", Rule::FlagOrNull),
            "isInDefaultCollection" => ("isInDefaultCollection", Rule::FlagOrNull),
            _ => location(name)?,
        },
        Kind::Collection => match name {
            "name" => ("name", Rule::Text(1, 255)),
            "isDefault" => ("isDefault", Rule::Flag),
            "isSystem" => ("isSystem", Rule::Flag),
            _ => return None,
        },
        Kind::Note => match name {
            "body" => ("body", Rule::Text(6, 10_000)),
            "ranges" => ("ranges", Rule::Ranges),
            "saveToQR" if op == Op::Create => ("saveToQR", Rule::Flag),
            "attachedEntity" if op == Op::Create => ("attachedEntity", Rule::Object),
            _ => return None,
        },
        Kind::ReadingSession => match name {
            "chapterNumber" => ("chapterNumber", Rule::Whole(1, SURAS)),
            "verseNumber" => ("verseNumber", Rule::Whole(1, VERSES)),
            _ => return None,
        },
        // A DELETE names the link by its ids or by its place; on a CREATE the server answers 422 to `bookmarkId`.
        Kind::Link => {
            return match name {
                "collectionId" => Some(("collectionId", Rule::Id)),
                "bookmarkId" if op == Op::Delete => Some(("bookmarkId", Rule::Id)),
                "type" => Some(("type", Rule::Word(PLACES))),
                _ => location(name),
            };
        }
        Kind::Other(_) => return None,
    };
    pushed.then_some(found)
}

fn location(name: &str) -> Option<(&'static str, Rule)> {
    match name {
        "key" => Some(("key", Rule::Whole(1, 1000))),
        "verseNumber" => Some(("verseNumber", Rule::Whole(1, VERSES))),
        "mushaf" | "mushafId" => Some(("mushaf", Rule::Mushaf)),
        _ => None,
    }
}

/// What a CREATE cannot do without, by the names it is pushed under.
fn required(kind: &Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Bookmark => &[("type", "bookmarkType"), ("key", "key")],
        Kind::Collection => &[("name", "name")],
        Kind::Link => &[("collectionId", "collectionId"), ("type", "type"), ("key", "key")],
        Kind::Note => &[("body", "body")],
        Kind::ReadingSession => &[("chapterNumber", "chapterNumber"), ("verseNumber", "verseNumber")],
        Kind::Other(_) => &[],
    }
}

/// Reads one mutation of a POST's body.
pub(super) fn read(mutation: &Value) -> Result<Change, Refusal> {
    let Value::Object(members) = mutation else { return Err(Refusal::validation("Invalid mutation")) };
    let kind = read_kind(members)?;
    let op = read_op(members, &kind)?;
    let known = |name: &String| matches!(name.as_str(), "type" | "resource" | "resourceId" | "data");
    if let Some(name) = members.keys().find(|name| !known(name)) {
        return Err(not_allowed(name));
    }
    let id = read_id(members, op, &kind)?;
    let data = read_data(members, op, &kind)?;
    if kind == Kind::Link && op == Op::Delete && id.is_none() {
        require(&data, &[("collectionId", "collectionId")])?;
        let by_place = data.contains_key("key") && data.contains_key("type");
        if !by_place {
            require(&data, &[("bookmarkId", "bookmarkId")])?;
        }
    }
    Ok(Change { op, kind, id, data })
}

fn read_kind(members: &Map<String, Value>) -> Result<Kind, Refusal> {
    match members.get("resource") {
        None => Err(Refusal::validation("Missing resource")),
        Some(Value::String(word)) => match Kind::from_wire(word) {
            Kind::Other(_) => Err(Refusal::validation(format!("Invalid resource: \"{word}\""))),
            known => Ok(known),
        },
        Some(_) => Err(Refusal::validation("Invalid resource")),
    }
}

fn read_op(members: &Map<String, Value>, kind: &Kind) -> Result<Op, Refusal> {
    match members.get("type") {
        None => Err(Refusal::validation("Missing mutation type")),
        Some(Value::String(word)) => match Op::from_wire(word) {
            // A link has nothing to update: it is there or it is not.
            Some(op) if !(op == Op::Update && *kind == Kind::Link) => Ok(op),
            _ => Err(Refusal::validation(format!("Invalid mutation type: \"{word}\""))),
        },
        Some(_) => Err(Refusal::validation("Invalid mutation type")),
    }
}

fn read_id(members: &Map<String, Value>, op: Op, kind: &Kind) -> Result<Option<ResourceId>, Refusal> {
    match members.get("resourceId") {
        None if op == Op::Create || *kind == Kind::Link => Ok(None),
        None => Err(Refusal::validation("Missing resourceId")),
        Some(Value::String(id)) if !id.trim().is_empty() => Ok(Some(id.as_str().into())),
        Some(_) => Err(Refusal::validation("Invalid resourceId")),
    }
}

fn read_data(members: &Map<String, Value>, op: Op, kind: &Kind) -> Result<Map<String, Value>, Refusal> {
    let given = match members.get("data") {
        Some(Value::Object(given)) => given,
        Some(_) => return Err(Refusal::validation("Invalid data")),
        None if op == Op::Delete => return Ok(Map::new()),
        None => return Err(Refusal::validation("Missing data")),
    };
    let mut data = Map::with_capacity(given.len());
    for (name, value) in given {
        let Some((stored, rule)) = rule(kind, op, name) else { return Err(not_allowed(name)) };
        let value = rule.check(value).map_err(|wanted| invalid(name, wanted))?;
        // PROTOCOL A7: `mushafId` is preferred over `mushaf`.
        if name != "mushaf" || !given.contains_key("mushafId") {
            data.insert(stored.to_owned(), value);
        }
    }
    if op == Op::Create {
        require(&data, required(kind))?;
        if *kind == Kind::Link {
            check_place(&data, "type")?;
        }
    }
    Ok(data)
}

/// Whether the place that `members` name is one; `type` is the name under which its type is stored.
pub(super) fn check_place(members: &Map<String, Value>, r#type: &str) -> Result<(), Refusal> {
    let last = match members.get(r#type).and_then(Value::as_str) {
        Some("juz") => 30,
        Some("page") => 1000,
        _ => SURAS,
    };
    let is_ayah = members.get(r#type).and_then(Value::as_str) == Some("ayah");
    if members.get("key").and_then(Value::as_i64).is_some_and(|key| key > last) {
        return Err(invalid("key", &format!("between 1 and {last}")));
    }
    match (is_ayah, members.contains_key("verseNumber")) {
        (true, false) => Err(is_required("verseNumber")),
        (false, true) => Err(not_allowed("verseNumber")),
        (true, true) | (false, false) => Ok(()),
    }
}

impl Rule {
    /// The value as it is stored, or what it must be.
    fn check(self, value: &Value) -> Result<Value, &'static str> {
        let kept = |right: bool, wanted| if right { Ok(value.clone()) } else { Err(wanted) };
        match self {
            Self::Text(min, max) => {
                let length = value.as_str().map(|text| text.encode_utf16().count());
                let wanted = if min > 1 { "6 to 10000 characters long" } else { "1 to 255 characters long" };
                kept(length.is_some_and(|length| (min..=max).contains(&length)), wanted)
            }
            Self::Flag => kept(value.is_boolean(), "a boolean"),
            Self::FlagOrNull => kept(value.is_boolean() || value.is_null(), "a boolean"),
            Self::Whole(min, max) => match whole(value) {
                Some(number) if (min..=max).contains(&number) => Ok(number.into()),
                _ => Err("a whole number within its bounds"),
            },
            Self::Word(words) => kept(value.as_str().is_some_and(|w| words.contains(&w)), "a known word"),
            Self::Mushaf => match whole(value) {
                Some(number) if MUSHAFS.contains(&number) => Ok(number.into()),
                _ => Err("one of the known mushafs"),
            },
            Self::Time => time(value).map(|at| at.to_iso().into()).ok_or("a valid date"),
            Self::Ranges => {
                let ranges = value.as_array();
                let right = |range: &Value| range.as_str().is_some_and(is_range);
                kept(ranges.is_some_and(|all| all.iter().all(right)), "an array of s:a-s:a ranges")
            }
            Self::Object => kept(value.is_object() && !names_private(value), "an object"),
            Self::Id => kept(value.as_str().is_some_and(|id| !id.trim().is_empty()), "an id"),
        }
    }
}

/// A whole number, also when written as `12.0`.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    })
}

fn time(value: &Value) -> Option<Millis> {
    match value {
        Value::String(text) => text.parse::<jiff::Timestamp>().ok().map(|at| Millis(at.as_millisecond())),
        Value::Number(_) => {
            whole(value).filter(|ms| jiff::Timestamp::from_millisecond(*ms).is_ok()).map(Millis)
        }
        _ => None,
    }
}

/// `s:a-s:a`, the end not before the start.
fn is_range(text: &str) -> bool {
    let number = |digits: &str, last: i64| {
        let plain =
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        plain.then(|| digits.parse::<i64>().ok()).flatten().filter(|n| *n <= last)
    };
    let place = |text: &str| {
        let (sura, verse) = text.split_once(':')?;
        Some((number(sura, SURAS)?, number(verse, VERSES)?))
    };
    text.split_once('-').is_some_and(|(from, to)| match (place(from), place(to)) {
        (Some(from), Some(to)) => from <= to,
        _ => false,
    })
}

/// Whether a member somewhere in `value` has a name that `serde_json` would not read back as it is.
fn names_private(value: &Value) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.starts_with("$serde_json::private::") || names_private(value)),
        Value::Array(items) => items.iter().any(names_private),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn require(data: &Map<String, Value>, names: &[(&str, &str)]) -> Result<(), Refusal> {
    match names.iter().find(|(_, stored)| !data.contains_key(*stored)) {
        Some((pushed, _)) => Err(is_required(pushed)),
        None => Ok(()),
    }
}

fn is_required(name: &str) -> Refusal {
    Refusal::validation(format!("\"{name}\" is required"))
}

fn not_allowed(name: &str) -> Refusal {
    Refusal::validation(format!("\"{name}\" is not allowed"))
}

fn invalid(name: &str, wanted: &str) -> Refusal {
    Refusal::validation(format!("\"{name}\" must be {wanted}"))
}
