//! JSON as the tool keeps and compares it: documents stay text, values are parsed one field at a time, and
//! no valid JSON is ever refused or changed.
//!
//! `serde_json::Value` fails a whole document on `1e400`, on a lone surrogate or past 128 levels, and rounds
//! long numbers. [`Json`] keeps a number's text and holds what it cannot represent as [`Json::Opaque`].

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// Objects nested deeper than this are kept as [`Json::Opaque`]: compared as text, never descended into.
pub const MAX_DEPTH: usize = 64;

/// A stretch of a document that is kept alive as long as the stretch is. Cloning copies no text.
#[derive(Clone)]
pub struct Text {
    document: Arc<String>,
    start: usize,
    end: usize,
}

impl Text {
    /// The whole of `document`.
    pub fn new(document: String) -> Self {
        let end = document.len();
        Self { document: Arc::new(document), start: 0, end }
    }

    /// The stretch as a string slice.
    pub fn as_str(&self) -> &str {
        &self.document[self.start..self.end]
    }

    /// `part` as a stretch of the same document; a copy where `part` was borrowed from elsewhere.
    #[must_use]
    pub fn part(&self, part: &str) -> Self {
        let origin = self.document.as_ptr() as usize;
        let start = (part.as_ptr() as usize).wrapping_sub(origin);
        match start.checked_add(part.len()) {
            Some(end) if self.document.get(start..end).is_some_and(|own| std::ptr::eq(own, part)) => {
                Self { document: Arc::clone(&self.document), start, end }
            }
            _ => Self::new(part.to_owned()),
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

/// Payloads are private: debug output (panics, logs) shows the size only.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.end - self.start)
    }
}

/// A JSON number by its text. Two are equal when they are the same decimal: `1`, `1.0` and `10e-1` are.
#[derive(Clone)]
pub struct Number(Box<str>);

impl Number {
    /// The number as it stood in the document.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value as an integer, where it is one that fits, also when written `1769986347987.0` (PROTOCOL A6).
    pub fn as_i64(&self) -> Option<i64> {
        if let Ok(value) = self.0.parse() {
            return Some(value);
        }
        let (negative, digits, exponent) = self.parts()?;
        if !(0..=18).contains(&exponent) {
            return None;
        }
        let mut text = if negative { String::from("-") } else { String::new() };
        text.push_str(&digits);
        text.extend(std::iter::repeat_n('0', usize::try_from(exponent).ok()?));
        text.parse().ok()
    }

    /// One text for all numbers that are equal: digits without zeros at either end, `e`, and the power of ten
    /// behind the last digit. A number with an exponent beyond 64 bits is equal to itself only and stays as it is.
    pub fn canonical(&self) -> String {
        self.parts().map_or_else(
            || self.0.to_string(),
            |(negative, digits, exponent)| format!("{}{digits}e{exponent}", if negative { "-" } else { "" }),
        )
    }

    /// Sign, digits without leading or trailing zeros, and the power of ten behind the last digit.
    fn parts(&self) -> Option<(bool, String, i64)> {
        let (negative, text) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, &*self.0),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let digits = all.trim_start_matches('0');
        let kept = digits.trim_end_matches('0');
        if kept.is_empty() {
            return Some((false, String::from("0"), 0));
        }
        let exponent = exponent.checked_add(i64::try_from(digits.len() - kept.len()).ok()?)?;
        Some((negative, kept.to_owned(), exponent))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || matches!((self.parts(), other.parts()), (Some(a), Some(b)) if a == b)
    }
}

impl Eq for Number {}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(value.to_string().into_boxed_str())
    }
}

/// One JSON value. Equality is of meaning: the order of members and the writing of a number do not matter;
/// absent, `null` and `""` are three different things (an absent value is an `Option::None` around this).
#[derive(Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number of any size.
    Number(Number),
    /// A string.
    String(String),
    /// An ordered list.
    Array(Vec<Json>),
    /// An object; members keep their order for writing, not for comparing.
    Object(IndexMap<String, Json>),
    /// Valid JSON that has no exact meaning here (lone surrogates, too deep, a member twice), by its text.
    Opaque(Box<str>),
}

impl Json {
    /// The value of `text`, which must be valid JSON, as text that went through `serde_json` is. Never fails:
    /// what cannot be represented is [`Json::Opaque`].
    pub fn parse(text: &str) -> Self {
        Self::parse_at(text, 0)
    }

    /// A string value.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    fn parse_at(text: &str, depth: usize) -> Self {
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        let opaque = || Self::Opaque(text.into());
        if depth > MAX_DEPTH {
            return opaque();
        }
        match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => serde_json::from_str(text).map_or_else(|_| opaque(), Self::String),
            Some(b'[') => match serde_json::from_str::<Vec<&RawValue>>(text) {
                Ok(items) => Self::Array(items.iter().map(|i| Self::parse_at(i.get(), depth + 1)).collect()),
                Err(_) => opaque(),
            },
            Some(b'{') => match serde_json::from_str::<Members>(text) {
                Ok(Members { list, repeated: None }) => Self::Object(
                    list.into_iter()
                        .map(|(k, v)| (k.into_owned(), Self::parse_at(v.get(), depth + 1)))
                        .collect(),
                ),
                _ => opaque(),
            },
            Some(b'-' | b'0'..=b'9') => Self::Number(Number(text.into())),
            _ => opaque(),
        }
    }

    /// The string, where the value is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, where the value is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The members, where the value is an object.
    pub fn as_object(&self) -> Option<&IndexMap<String, Json>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// What the value is, as a word for a message: never its content.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
            Self::Opaque(_) => "a value that cannot be read exactly",
        }
    }

    /// The value as compact JSON text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Payloads are private: debug output shows type and size only.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({}, {} bytes)", self.type_name(), self.to_text().len())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let verbatim = |text: &str| RawValue::from_string(text.to_owned()).map_err(S::Error::custom);
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => verbatim(number.as_str())?.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
            Self::Opaque(text) => verbatim(text)?.serialize(serializer),
        }
    }
}

/// Reads any JSON value by way of its text, so that the same rules hold as for [`Json::parse`].
impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::parse(<Box<RawValue>>::deserialize(deserializer)?.get()))
    }
}

/// The string that `text`, valid JSON, writes, borrowed where it stands without escapes; `None` for other types and
/// for strings that are not Unicode (`"\ud800"`).
pub fn string(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(text).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// The members of an object in their order, as text, and the first name that occurs twice.
pub struct Members<'a> {
    /// Name and value, in the order of the document. A name without escapes is borrowed from it.
    pub list: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// A name that stands there more than once; most readers would silently keep the last.
    pub repeated: Option<String>,
}

impl<'a> Members<'a> {
    /// These members, in their order.
    pub fn of(list: Vec<(Cow<'a, str>, &'a RawValue)>) -> Self {
        let repeated = first_repeated(list.iter().map(|(name, _)| &**name));
        Self { list, repeated }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut list: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::with_capacity(8);
                while let Some((Name(name), value)) = map.next_entry()? {
                    list.push((name, value));
                }
                Ok(Members::of(list))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// A member's name; `Cow` alone would copy it.
pub struct Name<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

fn first_repeated<'n>(names: impl ExactSizeIterator<Item = &'n str> + Clone) -> Option<String> {
    if names.len() < 12 {
        let twice = |(at, name): &(usize, &str)| names.clone().take(*at).any(|earlier| earlier == *name);
        return names.clone().enumerate().find(twice).map(|(_, name)| name.to_owned());
    }
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_by_value_and_keep_their_text() {
        for (a, b) in [("1", "1.0"), ("10e-1", "1"), ("0", "-0.0"), ("1e400", "10e399"), ("120", "1.2e2")] {
            assert!(Json::parse(a) == Json::parse(b), "{a} {b}");
        }
        for (a, b) in
            [("1", "2"), ("9007199254740993.0", "9007199254740992"), ("1", "-1"), ("1e400", "1e401")]
        {
            assert!(Json::parse(a) != Json::parse(b), "{a} {b}");
        }
        assert_eq!(Json::parse("1769986347987.0").as_i64(), Some(1_769_986_347_987));
        assert_eq!(Json::parse("1.5").as_i64(), None);
        assert_eq!(Json::parse("99999999999999999999").as_i64(), None);
        assert_eq!(Json::parse(" 1e400 ").to_text(), "1e400");
    }

    #[test]
    fn nothing_valid_is_refused() {
        let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
        for text in
            [r#""\ud800""#, deep.as_str(), r#"{"a":1,"a":2}"#, r#"{"$serde_json::private::RawValue":1}"#]
        {
            assert_eq!(Json::parse(text).to_text(), text);
        }
    }

    #[test]
    fn absent_null_and_empty_differ_and_member_order_does_not_matter() {
        assert!(Json::parse("null") != Json::parse(r#""""#));
        assert!(Json::parse(r#"{"a":1,"b":[1,2]}"#) == Json::parse(r#"{"b":[1,2.0],"a":1}"#));
        assert!(Json::parse("[1,2]") != Json::parse("[2,1]"));
    }

    #[test]
    fn strings_are_read_with_and_without_escapes() {
        assert_eq!(string(r#""n 1/🌙""#).as_deref(), Some("n 1/🌙"));
        assert_eq!(string(r#""\u006e\"1""#).as_deref(), Some("n\"1"));
        assert_eq!(string(r#""""#).as_deref(), Some(""));
        for other in [r#""\ud800""#, "1", "null", "{}"] {
            assert_eq!(string(other), None, "{other}");
        }
    }

    #[test]
    fn debug_output_holds_no_content() {
        let secret = "صبر جميل";
        assert!(!format!("{:?} {:?}", Json::string(secret), Text::new(secret.into())).contains("صبر"));
    }

    #[test]
    fn a_part_shares_the_document() {
        let text = Text::new(String::from(r#"{"a": "b"}"#));
        let members: Members = serde_json::from_str(text.as_str()).expect("an object");
        let part = text.part(members.list[0].1.get());
        assert_eq!(part.as_str(), r#""b""#);
        assert!(Arc::ptr_eq(&part.document, &text.document));
        assert_eq!(text.part("elsewhere").as_str(), "elsewhere");
    }
}
