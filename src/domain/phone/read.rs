//! A payload as the phone reads it: any scalar will do, what it cannot use is absent, and a member that is no
//! scalar at all ends the whole sync (PROTOCOL A10 S-G3). What the device itself wrote is read as apps export it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{moment, number};
use crate::domain::identity::Place;
use crate::domain::json::{Json, Members};
use crate::domain::mutation::{Millis, Payload};

/// The members of a payload; none where there is no object.
pub(super) struct Data<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// Whether the device wrote it: an export may write a whole number with a point.
    exported: bool,
}

/// The member that ends the sync, by name.
#[derive(Clone, Copy)]
pub(super) struct Misshapen(pub &'static str);

/// Where a payload says that a bookmark stands.
pub(super) enum Spot {
    /// There.
    At(Place),
    /// The type is one the phone knows, but a number is missing.
    Incomplete,
    /// The type is absent or one that the phone does not know.
    Unsaid {
        /// Whether a type is given at all.
        typed: bool,
    },
}

impl<'a> Data<'a> {
    /// What the server wrote.
    pub fn pulled(payload: &'a Payload) -> Self {
        let members = payload.as_str().and_then(|text| serde_json::from_str::<Members>(text).ok());
        Self { members: members.map(|members| members.list).unwrap_or_default(), exported: false }
    }

    /// What the device wrote.
    pub fn exported(payload: &'a Payload) -> Self {
        Self { exported: true, ..Self::pulled(payload) }
    }

    fn member(&self, name: &str) -> Option<&'a str> {
        // The phone's parser keeps the last of two members of one name.
        self.members.iter().rev().find(|(n, _)| n == name).map(|(_, raw)| raw.get())
    }

    pub fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// A scalar's content as text; `None` for `null` and for what is no scalar.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        content(self.member(name)?)
    }

    /// A whole number of 32 bits, also one written as text.
    pub fn number(&self, name: &'static str) -> Result<Option<i64>, Misshapen> {
        let Some(text) = self.scalar(name)? else { return Ok(None) };
        let exported = || self.exported.then(|| Json::parse(&text).as_i64()).flatten();
        Ok(number::small(&text).or_else(exported))
    }

    /// `true` or not.
    pub fn flag(&self, name: &'static str) -> Result<bool, Misshapen> {
        Ok(self.scalar(name)?.is_some_and(|text| text == "true"))
    }

    /// The texts of a list; `null` is no list either.
    pub fn list(&self, name: &'static str) -> Result<Option<Vec<Cow<'a, str>>>, Misshapen> {
        let Some(raw) = self.member(name) else { return Ok(None) };
        let items: Vec<&'a RawValue> = serde_json::from_str(raw).map_err(|_| Misshapen(name))?;
        if items.iter().any(|item| !is_scalar(item.get())) {
            return Err(Misshapen(name));
        }
        Ok(Some(items.into_iter().filter_map(|item| content(item.get())).collect()))
    }

    /// When the user acted, in every form of PROTOCOL A6.
    pub fn client_time(&self) -> Option<Millis> {
        Millis::from_json(&Json::parse(self.member("clientUpdatedAt")?))
    }

    /// When the user acted, as far as the phone reads it in a pull: ISO 8601 text only (PROTOCOL A6).
    pub fn pulled_time(&self) -> Option<Millis> {
        moment::read(&self.text("clientUpdatedAt")?)
    }

    /// The place of a bookmark or of a link's bookmark. A zero is a number like any other: a server DELETE may
    /// carry one, and it matches nothing.
    pub fn spot(&self) -> Result<Spot, Misshapen> {
        let place = match self.bookmark_type().as_deref() {
            Some("ayah") => self.verse("key")?,
            Some("page") => self.number("key")?.map(Place::Page),
            other => return Ok(Spot::Unsaid { typed: other.is_some() }),
        };
        Ok(place.map_or(Spot::Incomplete, Spot::At))
    }

    /// The word for what a bookmark stands on, in lower case.
    fn bookmark_type(&self) -> Option<String> {
        self.text("bookmarkType").or_else(|| self.text("type")).map(|word| word.to_ascii_lowercase())
    }

    /// Whether the payload says that it speaks of a verse.
    pub fn is_verse(&self) -> bool {
        self.bookmark_type().as_deref() == Some("ayah")
    }

    /// Chapter and verse, the chapter under the name `chapter`.
    pub fn verse(&self, chapter: &'static str) -> Result<Option<Place>, Misshapen> {
        let (chapter, verse) = (self.number(chapter)?, self.number("verseNumber")?);
        Ok(chapter.zip(verse).map(|(chapter, verse)| Place::Verse(chapter, verse)))
    }

    fn scalar(&self, name: &'static str) -> Result<Option<Cow<'a, str>>, Misshapen> {
        match self.member(name) {
            Some(raw) if !is_scalar(raw) => Err(Misshapen(name)),
            Some(raw) => Ok(content(raw)),
            None => Ok(None),
        }
    }
}

fn is_scalar(raw: &str) -> bool {
    !raw.starts_with(['{', '['])
}

fn content(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'{' | b'[' | b'n' => None,
        b'"' => {
            let plain = raw.get(1..raw.len().saturating_sub(1)).filter(|text| !text.contains('\\'));
            plain.map_or_else(
                || serde_json::from_str::<String>(raw).ok().map(Cow::Owned),
                |text| Some(Cow::Borrowed(text)),
            )
        }
        _ => Some(Cow::Borrowed(raw)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::Text;

    fn payload(text: &str) -> Payload {
        Payload::new(Text::new(text.into()))
    }

    #[test]
    fn any_scalar_will_do_and_anything_else_ends_the_sync() {
        let text = payload(r#"{"a":"18","b":18,"c":null,"d":{"x":1},"e":[1],"f":true,"g":"\u0041"}"#);
        let data = Data::pulled(&text);
        assert!(matches!(data.number("a"), Ok(Some(18))));
        assert!(matches!(data.number("b"), Ok(Some(18))));
        assert!(matches!(data.number("c"), Ok(None)));
        assert!(matches!(data.number("absent"), Ok(None)));
        assert!(matches!(data.number("d"), Err(Misshapen("d"))));
        assert!(matches!(data.flag("f"), Ok(true)));
        assert!(matches!(data.flag("e"), Err(Misshapen("e"))));
        assert_eq!(data.text("g").as_deref(), Some("A"));
        assert_eq!(data.text("d"), None);
        assert!(matches!(data.list("c"), Err(Misshapen("c"))));
        assert!(matches!(data.list("absent"), Ok(None)));
    }
}
