//! People's texts as they stand, or as marks in their place: a length and a hash, so that a report can leave the
//! house. Ids, kinds, paths, counts and times are nobody's text and stay.
//!
//! The hash is keyed (HMAC-SHA-256) with 256 random bits that are made for the one report and kept nowhere. So
//! the same value has the same mark within one report and another one in the next, and nobody can try out what a
//! short value (a verse, a name) might be: without the key every guess is as good as any other. Flags and numbers have
//! neither: there are so few that a length, or a mark that equal ones share, would give them away.

use std::borrow::Cow;
use std::fmt::Write as _;

use ring::hmac;
use ring::rand::SystemRandom;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::digest;
use crate::domain::field::FieldPath;
use crate::domain::json::Json;
use crate::domain::mutation::{Op, Payload};

/// How many bytes of a hash are shown.
const SHOWN: usize = 8;
/// The mark of every flag, number and nothing: equal ones cannot be told from others.
const HIDDEN: &str = "hidden";

/// How values are written.
pub enum Values {
    /// As they are.
    Plain,
    /// As marks, with a key that is this report's alone.
    Redacted(Key),
}

/// The key of one report.
pub struct Key(hmac::Key);

impl Values {
    /// Marks in the place of all values.
    ///
    /// # Errors
    /// A system that gives no random bits.
    pub fn redacted() -> std::io::Result<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        key.map(|key| Self::Redacted(Key(key)))
            .map_err(|_| std::io::Error::other("the system gives no random bits to hide values with"))
    }

    /// Whether values are hidden.
    pub const fn are_redacted(&self) -> bool {
        matches!(self, Self::Redacted(_))
    }

    /// A value.
    pub(super) fn value<'a>(&self, value: &'a Json) -> Value<'a> {
        match self {
            Self::Plain => Value::Plain(value),
            Self::Redacted(key) => Value::Marked(key.mark(value)),
        }
    }

    /// The value of a field. Whether a resource was created, changed or deleted is nobody's text.
    pub(super) fn field<'a>(&self, path: &FieldPath, value: &'a Json) -> Value<'a> {
        let is_operation = path.is_existence() && value.as_str().and_then(Op::from_wire).is_some();
        if is_operation { Value::Plain(value) } else { self.value(value) }
    }

    /// A text in which there may be people's words, such as a message of the server.
    pub(super) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self {
            Self::Plain => Cow::Borrowed(text),
            Self::Redacted(key) => Cow::Owned(key.mark(&Json::string(text)).words()),
        }
    }

    /// A sentence in which places (`2:255`) are people's and the rest is not.
    pub(super) fn sentence<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self {
            Self::Plain => Cow::Borrowed(text),
            Self::Redacted(key) => Cow::Owned(key.without_places(text)),
        }
    }

    /// A pair's key. What follows `at:` and `@` is a place; all else are ids.
    pub(super) fn key<'a>(&self, key: &'a str) -> Cow<'a, str> {
        let Self::Redacted(hidden) = self else { return Cow::Borrowed(key) };
        let (ids, place) = match (key.strip_prefix("at:"), key.strip_prefix("link:"), key.rsplit_once('@')) {
            (Some(place), ..) => ("at:", place),
            (None, Some(_), Some((before, place))) => (&key[..=before.len()], place),
            (None, _, _) => return Cow::Borrowed(key),
        };
        Cow::Owned(format!("{ids}#{}", hidden.mark(&Json::string(place)).hash))
    }

    /// The `data` of a mutation, member by member.
    pub(super) fn data<'a>(&'a self, data: &'a Payload) -> Option<Data<'a>> {
        data.as_str().map(|text| Data { values: self, payload: data, text })
    }
}

impl Key {
    fn mark(&self, value: &Json) -> Mark {
        let length = match value {
            Json::String(text) => Some(text.chars().count()),
            Json::Array(_) | Json::Object(_) => Some(value.to_text().chars().count()),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Opaque(_) => None,
        };
        // There are two flags and few numbers: whoever knows one of them by its mark knows all that are equal.
        if matches!(value, Json::Null | Json::Bool(_) | Json::Number(_)) {
            return Mark { length: None, hash: String::from(HIDDEN) };
        }
        let tag = hmac::sign(&self.0, digest::canonical(value).as_bytes());
        let hash = tag.as_ref().iter().take(SHOWN).fold(String::new(), |mut hash, byte| {
            let _ = write!(hash, "{byte:02x}");
            hash
        });
        Mark { length, hash }
    }

    /// Verses are written `2:255`, pages `page 5` (of the book: `at page 5`; of the feed: `of page 5`).
    fn without_places(&self, text: &str) -> String {
        let mut pieces = text.split("at page ");
        let mut hidden = self.without_verses(pieces.next().unwrap_or_default());
        for piece in pieces {
            let length = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
            let (page, after) = piece.split_at(length);
            let _ = write!(
                hidden,
                "at page #{}{}",
                self.mark(&Json::string(page)).hash,
                self.without_verses(after)
            );
        }
        hidden
    }

    fn without_verses(&self, text: &str) -> String {
        let is_part = |c: char| c.is_ascii_digit() || c == ':';
        let mut hidden = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(is_part) {
            let length = rest[start..].find(|c| !is_part(c)).unwrap_or(rest.len() - start);
            let (before, from) = rest.split_at(start);
            let (word, after) = from.split_at(length);
            hidden.push_str(before);
            let inner = word.trim_matches(':');
            if inner.contains(':') {
                let _ = write!(hidden, "#{}", self.mark(&Json::string(inner)).hash);
                hidden.push_str(&word[word.find(inner).unwrap_or(0) + inner.len()..]);
            } else {
                hidden.push_str(word);
            }
            rest = after;
        }
        hidden.push_str(rest);
        hidden
    }
}

/// What stands in the place of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Mark {
    /// In characters; of a list or an object that of its JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<usize>,
    hash: String,
}

impl Mark {
    /// `(57 characters, #1a2b3c4d5e6f7081)`.
    pub(super) fn words(&self) -> String {
        match self.length {
            Some(1) => format!("(1 character, #{})", self.hash),
            Some(length) => format!("({length} characters, #{})", self.hash),
            None if self.hash == HIDDEN => String::from("(hidden)"),
            None => format!("(#{})", self.hash),
        }
    }
}

/// A value as it is written.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Value<'a> {
    /// As it is.
    Plain(&'a Json),
    /// A mark in its place.
    Marked(Mark),
}

/// The `data` of a mutation as it is written.
pub(super) struct Data<'a> {
    values: &'a Values,
    payload: &'a Payload,
    text: &'a str,
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Values::Redacted(key) = self.values else {
            let raw = RawValue::from_string(self.text.to_owned()).map_err(serde::ser::Error::custom)?;
            return raw.serialize(serializer);
        };
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.payload.members() {
            map.serialize_entry(&name, &key.mark(&value))?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted() -> Values {
        Values::redacted().expect("random bits")
    }

    fn mark(values: &Values, json: &str) -> String {
        serde_json::to_string(&values.value(&Json::parse(json))).expect("it serialises")
    }

    #[test]
    fn equal_values_have_one_mark_within_a_report_and_another_in_the_next() {
        let (one, other) = (redacted(), redacted());
        assert_eq!(mark(&one, r#""2:255""#), mark(&one, r#""2\u003a255""#));
        assert_eq!(mark(&one, r#"{"a":1,"b":[2]}"#), mark(&one, r#"{"b":[2],"a":1}"#));
        assert_ne!(mark(&one, r#""2:255""#), mark(&one, r#""2:256""#));
        assert_ne!(mark(&one, r#""2:255""#), mark(&other, r#""2:255""#));
    }

    #[test]
    fn a_length_is_told_only_where_it_gives_nothing_away() {
        let values = redacted();
        assert!(mark(&values, r#""صبر""#).starts_with(r#"{"length":3,"hash":""#));
        for given_away in ["true", "false", "null", "12", "-1.5"] {
            assert_eq!(mark(&values, given_away), r#"{"hash":"hidden"}"#, "{given_away}");
        }
    }

    #[test]
    fn ids_stay_and_places_go() {
        let values = redacted();
        for stays in ["id:n1", "queue:q@4", "window:3", "id:at:1"] {
            assert_eq!(values.key(stays), stays);
        }
        let bookmark = values.key("at:2:255");
        assert!(bookmark.starts_with("at:#") && !bookmark.contains("2:255"), "{bookmark}");
        let link = values.key("link:c@1@2:255");
        assert!(link.starts_with("link:c@1@#") && !link.contains("2:255"), "{link}");
        let sentence = values.sentence("queue entry q1: the bookmark at 2:255 is there 14 times");
        assert!(sentence.starts_with("queue entry q1: the bookmark at #"), "{sentence}");
        assert!(sentence.ends_with(" is there 14 times") && !sentence.contains("2:255"), "{sentence}");
        assert!(!values.sentence("a bookmark at page 42, of page 1").contains("page 42"));
        assert!(values.sentence("a bookmark at page 42, of page 1").ends_with(", of page 1"));
        assert_eq!(Values::Plain.sentence("at 2:255"), "at 2:255");
    }

    #[test]
    fn data_keeps_its_members_names_only() {
        use crate::domain::json::Text;
        let values = redacted();
        let payload = Payload::new(Text::new(String::from(r#"{"body":"صبر جميل","isReading":true}"#)));
        let text = serde_json::to_string(&values.data(&payload)).expect("it serialises");
        assert!(text.contains(r#""body":{"length":8,"hash":""#) && !text.contains("صبر"), "{text}");
        assert!(text.contains(r#""isReading":{"hash":"hidden"}"#) && !text.contains("true"), "{text}");
    }
}
