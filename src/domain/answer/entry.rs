//! One entry of an answer's `mutations`, read by itself, so that a bad entry is one bad entry.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::ack::Acknowledgement;
use super::super::json::{Json, Members, Text, string};
use super::super::mutation::{Kind, Millis, Op, Payload, ResourceId, ServerMutation};

/// Names with this prefix mean something else to readers built on `serde_json`.
const PRIVATE_NAME: &str = "$serde_json::private::";

/// What is found where two readers would not see the same members.
pub(super) const TWICE: &str = "an object with a member twice or an unreadable name";

/// Why an entry cannot be understood.
#[derive(Debug)]
pub(super) struct Misfit {
    /// The member, as the end of a JSON pointer; empty for the entry itself.
    pub member: &'static str,
    /// What was found, by type.
    pub found: String,
    /// What was expected.
    pub expected: &'static str,
}

impl Misfit {
    fn at(member: &'static str, found: Option<&RawValue>, expected: &'static str) -> Self {
        Self { member, found: found_type(found).to_owned(), expected }
    }
}

/// What a value is, as a word for a message.
pub(super) fn found_type(value: Option<&RawValue>) -> &'static str {
    value.map_or("nothing", |value| Json::parse(value.get()).type_name())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    #[serde(borrow, rename = "type")]
    op: Option<&'a RawValue>,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_id: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
}

/// Reads the entries of one document. Nothing is copied but ids: `data` stays a part of the document.
pub(super) struct EntryReader<'a> {
    document: &'a Text,
    /// How many timestamps had a fraction of a millisecond, which was cut off.
    pub fractions: usize,
    /// Whether a good entry holds something that the phone may read in another way.
    pub odd: bool,
}

impl<'a> EntryReader<'a> {
    pub fn new(document: &'a Text) -> Self {
        Self { document, fractions: 0, odd: false }
    }

    /// The entry, its timestamp still optional as in an acknowledgement (PROTOCOL A3).
    pub fn read(&mut self, raw: &'a RawValue) -> Result<Acknowledgement, Misfit> {
        if !raw.get().starts_with('{') {
            return Err(Misfit::at("", Some(raw), "a mutation object"));
        }
        // Valid JSON with every member left as text: all that can be wrong is a name.
        let row: Row = serde_json::from_str(raw.get()).map_err(|_| Misfit {
            member: "",
            found: String::from(TWICE),
            expected: "each member once",
        })?;
        Ok(Acknowledgement {
            op: read_op(row.op)?,
            kind: read_kind(row.resource)?,
            resource_id: self.read_id(row.resource_id)?,
            data: self.read_data(row.data)?,
            timestamp: row.timestamp.map(|raw| self.read_timestamp(raw)).transpose()?,
        })
    }

    /// The entry as a mutation of the feed, where `timestamp` is mandatory (PROTOCOL A2).
    pub fn read_mutation(&mut self, raw: &'a RawValue) -> Result<ServerMutation, Misfit> {
        let Acknowledgement { op, kind, resource_id, data, timestamp } = self.read(raw)?;
        let timestamp = timestamp.ok_or_else(|| Misfit::at("/timestamp", None, "a number of ms"))?;
        Ok(ServerMutation { op, kind, resource_id, data, timestamp })
    }

    /// A blank id names nothing, so it is as good as none.
    fn read_id(&mut self, raw: Option<&RawValue>) -> Result<Option<ResourceId>, Misfit> {
        let Some(raw) = raw else { return Ok(None) };
        match string(raw.get()) {
            Some(id) if id.trim().is_empty() => {
                self.odd = true;
                Ok(None)
            }
            Some(id) => Ok(Some(ResourceId::from(&*id))),
            None => Err(Misfit::at("/resourceId", Some(raw), "a string")),
        }
    }

    fn read_data(&self, raw: Option<&'a RawValue>) -> Result<Payload, Misfit> {
        let Some(raw) = raw else { return Ok(Payload::ABSENT) };
        if !raw.get().starts_with('{') {
            return Err(Misfit::at("/data", Some(raw), "an object"));
        }
        if !names_are_exact(raw.get()) {
            return Err(Misfit { member: "/data", found: String::from(TWICE), expected: "each member once" });
        }
        Ok(Payload::new(self.document.part(raw.get())))
    }

    fn read_timestamp(&mut self, raw: &RawValue) -> Result<Millis, Misfit> {
        if let Ok(plain) = raw.get().parse() {
            return Ok(Millis(plain));
        }
        self.odd = true;
        if let Some(whole) = whole_number(raw) {
            return Ok(Millis(whole));
        }
        match raw.get().parse::<f64>() {
            // The bounds within which every whole number of ms is exact in a float.
            Ok(value) if value.abs() < 9e15 => {
                self.fractions += 1;
                Ok(Millis(value.floor() as i64))
            }
            Ok(_) | Err(_) => Err(Misfit::at("/timestamp", Some(raw), "a number of ms")),
        }
    }
}

/// A whole number, also one written `1769986347987.0` (PROTOCOL A6).
pub(super) fn whole_number(raw: &RawValue) -> Option<i64> {
    raw.get().parse().ok().or_else(|| Json::parse(raw.get()).as_i64())
}

fn read_op(raw: Option<&RawValue>) -> Result<Op, Misfit> {
    let word = raw.and_then(|raw| string(raw.get()));
    word.as_deref().and_then(Op::from_wire).ok_or_else(|| {
        let plain =
            |word: &&str| word.len() <= 24 && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        let found = word.as_deref().filter(plain).map(|word| format!("\"{word}\""));
        Misfit {
            member: "/type",
            found: found.unwrap_or_else(|| found_type(raw).to_owned()),
            expected: "CREATE, UPDATE or DELETE",
        }
    })
}

fn read_kind(raw: Option<&RawValue>) -> Result<Kind, Misfit> {
    match raw.and_then(|raw| string(raw.get())) {
        Some(word) if !word.trim().is_empty() => Ok(Kind::from_wire(&word)),
        Some(_) | None => Err(Misfit::at("/resource", raw, "the name of a resource kind")),
    }
}

/// Whether each name stands in the object once and none has a second meaning: then every reader sees the same.
fn names_are_exact(object: &str) -> bool {
    serde_json::from_str::<Members>(object).is_ok_and(|members| {
        members.repeated.is_none() && !members.list.iter().any(|(name, _)| name.starts_with(PRIVATE_NAME))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entry: &str) -> Result<Acknowledgement, Misfit> {
        let document = Text::new(entry.to_owned());
        let raw = serde_json::from_str::<&RawValue>(document.as_str()).expect("valid JSON");
        EntryReader::new(&document).read(raw)
    }

    fn with(members: &str) -> Result<Acknowledgement, Misfit> {
        read(&format!(r#"{{"type":"UPDATE","resource":"NOTE",{members}}}"#))
    }

    #[test]
    fn data_stays_byte_for_byte_even_where_a_value_type_would_fail() {
        let data = r#"{"a": 1e400,  "b":"\ud800","c":1.0}"#;
        let entry = with(&format!(r#""data": {data} ,"more":{{}}"#)).expect("a good entry");
        assert_eq!(entry.data.as_str(), Some(data));
    }

    #[test]
    fn ids_are_any_text_and_a_blank_one_is_none() {
        for id in ["a-b", "a/b c", "🌙", "a\u{202e}"] {
            let entry = with(&format!(r#""resourceId":"{id}""#)).expect("a good entry");
            assert_eq!(entry.resource_id.as_ref().map(ResourceId::as_str), Some(id));
        }
        assert_eq!(with(r#""resourceId":"\u0041\/""#).expect("a good entry").resource_id, Some("A/".into()));
        for none in [r#""resourceId":"""#, r#""resourceId":" ""#, r#""resourceId":null"#, r#""other":1"#] {
            assert_eq!(with(none).expect("a good entry").resource_id, None);
        }
    }

    #[test]
    fn timestamps_are_numbers_of_any_writing() {
        for (text, ms) in
            [("7", 7), ("1769986347987.0", 1_769_986_347_987), ("1.5e3", 1500), ("-1", -1), ("7.9", 7)]
        {
            let entry = with(&format!(r#""timestamp":{text}"#)).expect("a good entry");
            assert_eq!(entry.timestamp, Some(Millis(ms)), "{text}");
        }
    }

    #[test]
    fn a_bad_entry_says_where_and_what_but_never_the_content() {
        for (entry, member, found) in [
            ("[1]", "", "an array"),
            ("\"secret\"", "", "a string"),
            (r#"{"resource":"NOTE"}"#, "/type", "nothing"),
            (r#"{"type":"UPSERT","resource":"NOTE"}"#, "/type", "\"UPSERT\""),
            (r#"{"type":"my secret","resource":"NOTE"}"#, "/type", "a string"),
            (r#"{"type":"CREATE"}"#, "/resource", "nothing"),
            (r#"{"type":"CREATE","resource":" "}"#, "/resource", "a string"),
            (r#"{"type":"CREATE","resource":"NOTE","resourceId":5}"#, "/resourceId", "a number"),
            (r#"{"type":"CREATE","resource":"NOTE","data":[]}"#, "/data", "an array"),
            (r#"{"type":"CREATE","resource":"NOTE","data":"x"}"#, "/data", "a string"),
            (r#"{"type":"CREATE","resource":"NOTE","timestamp":"1"}"#, "/timestamp", "a string"),
            (r#"{"type":"CREATE","resource":"NOTE","timestamp":1e99}"#, "/timestamp", "a number"),
            (
                r#"{"type":"CREATE","type":"CREATE","resource":"NOTE"}"#,
                "",
                "an object with a member twice or an unreadable name",
            ),
        ] {
            let misfit = read(entry).expect_err(entry);
            assert_eq!((misfit.member, misfit.found.as_str()), (member, found), "{entry}");
        }
    }

    #[test]
    fn data_that_two_readers_would_read_differently_is_refused() {
        let many = (0..40).map(|n| format!("\"m{n}\":{n}")).collect::<Vec<_>>().join(",");
        for data in [
            r#"{"body":1,"body":2}"#,
            r#"{"body":1,"b\u006fdy":2}"#,
            r#"{"$serde_json::private::RawValue":"x"}"#,
            r#"{"\u0024serde_json::private::Number":"x"}"#,
            r#"{"\ud800":1}"#,
            &format!("{{{many},\"m7\":0}}"),
        ] {
            assert_eq!(with(&format!(r#""data":{data}"#)).expect_err(data).member, "/data");
        }
        for data in [
            format!("{{{many},\"m\":0}}"),
            String::from(r#"{"b\u006fdy":{"a":1,"a":2}}"#),
            String::from("{}"),
        ] {
            assert!(with(&format!(r#""data":{data}"#)).is_ok(), "{data}");
        }
    }
}
