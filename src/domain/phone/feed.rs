//! What the phone's decoder makes of an answer (PROTOCOL A10 S-G2). It is stricter than unstick's reader in some things
//! and laxer in others, so that a feed may hold entries that only one of them reads: what the phone does follows from
//! its own reading alone.

use serde_json::value::RawValue;

use super::number;
use crate::domain::json::{Json, Members, Text, string};
use crate::domain::mutation::{Kind, Millis, Op, Payload, ResourceId, ServerMutation};
use crate::domain::window::Unreadable;

/// A feed as the phone reads it, where that is not what unstick reads.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    /// What the phone cannot decode: any of it ends its sync.
    pub refused: Vec<Refused>,
    /// All entries in the phone's reading and in the order of the feed, where any of them is another than unstick's.
    pub otherwise: Option<Vec<ServerMutation>>,
}

/// Something that the phone cannot decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which entry of the whole feed, from 0; `None` of what stands around the entries of a page.
    pub at: Option<usize>,
    /// Where and what it is.
    pub what: Unreadable,
}

impl Refused {
    /// Whether it stands among the first `entries` of the feed, or around them: what the phone does not ask for it does
    /// not stumble over.
    pub(super) fn is_met(&self, entries: usize) -> bool {
        let asked_for = || self.what.page == 1 || entries == usize::MAX;
        self.at.map_or_else(asked_for, |at| at < entries)
    }
}

impl Feed {
    /// The phone reads what unstick reads.
    pub const NONE: Self = Self { refused: Vec::new(), otherwise: None };

    /// Decodes the answer to a GET as the phone does, as page `number`.
    pub fn of_answer(body: &Text, number: u32) -> Self {
        let mut decoder = Decoder { body, number, at: None, refused: Vec::new() };
        let mutations = decoder.answer().unwrap_or_default();
        Self { refused: decoder.refused, otherwise: Some(mutations) }
    }
}

/// Whether the phone takes `mutation` for one of `kind`: the word of the resource is compared without case.
pub(super) fn is_of(kind: &Kind, mutation: &ServerMutation) -> bool {
    match &mutation.kind {
        Kind::Other(word) => alike(word, kind.wire()),
        known => known == kind,
    }
}

fn alike(one: &str, other: &str) -> bool {
    one == other || one.chars().map(fold).eq(other.chars().map(fold))
}

/// A character without case: first as a capital, then as a small one, where that is one character.
fn fold(c: char) -> char {
    let upper = single(c.to_uppercase()).unwrap_or(c);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut cases: impl Iterator<Item = char>) -> Option<char> {
    cases.next().filter(|_| cases.next().is_none())
}

/// A member that the decoder does not accept; it is among the refused ones.
struct Stop;

struct Decoder<'a> {
    body: &'a Text,
    number: u32,
    /// The entry that is decoded.
    at: Option<usize>,
    refused: Vec<Refused>,
}

impl<'a> Decoder<'a> {
    fn answer(&mut self) -> Result<Vec<ServerMutation>, Stop> {
        let whole: &RawValue =
            serde_json::from_str(self.body.as_str()).map_err(|_| self.refuse("", None, "an answer"))?;
        let answer = self.object("", whole)?;
        let success = self.required("", &answer, "success", "true", |raw| flag(raw) == Some(true));
        let data = self.required("", &answer, "data", "an object", |raw| raw.get().starts_with('{'));
        let data = self.object("/data", data?)?;
        let whole = |raw: &RawValue| number::whole(raw.get()).is_some();
        let small = |raw: &RawValue| raw.get() == "null" || number::small(raw.get()).is_some();
        let either = |raw: &RawValue| raw.get() == "null" || flag(raw).is_some();
        let head = self.required("/data", &data, "lastMutationAt", "a whole number", whole);
        for name in ["page", "limit", "total"] {
            let _ = self.optional("/data", &data, name, "a whole number of 32 bits", small);
        }
        let _ = self.optional("/data", &data, "hasMore", "true or false", either);
        let list = |raw: &RawValue| raw.get().starts_with('[');
        let mutations = self.required("/data", &data, "mutations", "a list", list);
        success?;
        head?;
        let entries: Vec<&'a RawValue> = serde_json::from_str(mutations?.get()).map_err(|_| Stop)?;
        let mut read = Vec::with_capacity(entries.len());
        for (at, entry) in entries.into_iter().enumerate() {
            self.at = Some(at);
            read.extend(self.entry(&format!("/data/mutations/{at}"), entry));
        }
        Ok(read)
    }

    fn entry(&mut self, pointer: &str, raw: &'a RawValue) -> Result<ServerMutation, Stop> {
        let entry = self.object(pointer, raw)?;
        let word = |raw: &RawValue| string(raw.get()).is_some();
        let nothing_or = |raw: &RawValue, sign| raw.get() == "null" || raw.get().starts_with(sign);
        let kind = self.required(pointer, &entry, "resource", "a string", word);
        let op = self.required(pointer, &entry, "type", "a string", word);
        let id = self.optional(pointer, &entry, "resourceId", "a string", |raw| nothing_or(raw, '"'));
        let data = self.optional(pointer, &entry, "data", "an object", |raw| nothing_or(raw, '{'));
        let timestamp = self.required(pointer, &entry, "timestamp", "a whole number", |raw| {
            number::whole(raw.get()).is_some()
        });
        let (kind, op, timestamp) = (kind?, op?, timestamp?);
        let named = string(op.get()).and_then(|word| Op::from_wire(&word));
        let (id, data) = (id?, data?);
        Ok(ServerMutation {
            op: named.ok_or_else(|| {
                self.refuse(&format!("{pointer}/type"), Some(op), "CREATE, UPDATE or DELETE")
            })?,
            kind: Kind::from_wire(&string(kind.get()).unwrap_or_default()),
            resource_id: id.and_then(|raw| string(raw.get())).map(|id| ResourceId::from(&*id)),
            data: data
                .filter(|raw| raw.get() != "null")
                .map_or(Payload::ABSENT, |raw| Payload::new(self.body.part(raw.get()))),
            timestamp: Millis(number::whole(timestamp.get()).unwrap_or_default()),
        })
    }

    fn object(&mut self, pointer: &str, raw: &'a RawValue) -> Result<Members<'a>, Stop> {
        serde_json::from_str(raw.get()).map_err(|_| self.refuse(pointer, Some(raw), "an object"))
    }

    /// The member, which has to be there. Of two of one name both are decoded, and the last one counts.
    fn required(
        &mut self,
        pointer: &str,
        object: &Members<'a>,
        name: &str,
        expected: &'static str,
        accepted: impl Fn(&RawValue) -> bool,
    ) -> Result<&'a RawValue, Stop> {
        let member = self.optional(pointer, object, name, expected, accepted)?;
        member.ok_or_else(|| self.refuse(&format!("{pointer}/{name}"), None, expected))
    }

    fn optional(
        &mut self,
        pointer: &str,
        object: &Members<'a>,
        name: &str,
        expected: &'static str,
        accepted: impl Fn(&RawValue) -> bool,
    ) -> Result<Option<&'a RawValue>, Stop> {
        let mut last = None;
        for (_, raw) in object.list.iter().filter(|(other, _)| other == name) {
            if !accepted(raw) {
                return Err(self.refuse(&format!("{pointer}/{name}"), Some(raw), expected));
            }
            last = Some(*raw);
        }
        Ok(last)
    }

    fn refuse(&mut self, pointer: &str, found: Option<&RawValue>, expected: &'static str) -> Stop {
        let found = found.map_or("nothing", |raw| Json::parse(raw.get()).type_name());
        let (pointer, page, found) = (pointer.to_owned(), self.number, found.to_owned());
        self.refused.push(Refused { at: self.at, what: Unreadable { pointer, page, found, expected } });
        Stop
    }
}

/// `true` or `false`, also in quotes and then in any case.
fn flag(raw: &RawValue) -> Option<bool> {
    let word = string(raw.get());
    let word = word.as_deref().unwrap_or_else(|| raw.get());
    [true, false].into_iter().find(|flag| word.eq_ignore_ascii_case(if *flag { "true" } else { "false" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(body: &str) -> Feed {
        Feed::of_answer(&Text::new(body.to_owned()), 1)
    }

    fn refused(body: &str) -> Vec<String> {
        feed(body).refused.into_iter().map(|refused| refused.what.pointer).collect()
    }

    fn with(members: &str) -> String {
        format!(r#"{{"success":true,"data":{{"lastMutationAt":1,"mutations":[{{{members}}}]}}}}"#)
    }

    #[test]
    fn an_answer_is_decoded_whole_or_not_at_all() {
        for (body, pointer) in [
            ("[]", ""),
            ("{}", "/success"),
            (r#"{"success":1,"data":{"lastMutationAt":1,"mutations":[]}}"#, "/success"),
            (r#"{"success":false,"data":{"lastMutationAt":1,"mutations":[]}}"#, "/success"),
            (r#"{"success":true,"data":null}"#, "/data"),
            (r#"{"success":true,"data":{"lastMutationAt":5.0,"mutations":[]}}"#, "/data/lastMutationAt"),
            (r#"{"success":true,"data":{"lastMutationAt":5}}"#, "/data/mutations"),
            (r#"{"success":true,"data":{"lastMutationAt":5,"mutations":{}}}"#, "/data/mutations"),
            (r#"{"success":true,"data":{"lastMutationAt":5,"mutations":[],"total":1.5}}"#, "/data/total"),
            (r#"{"success":true,"data":{"lastMutationAt":5,"mutations":[],"hasMore":1}}"#, "/data/hasMore"),
            (r#"{"success":true,"data":{"lastMutationAt":5,"mutations":[7]}}"#, "/data/mutations/0"),
        ] {
            assert_eq!(refused(body).first().map(String::as_str), Some(pointer), "{body}");
        }
        for body in [
            r#"{"success":true,"data":{"lastMutationAt":"5","mutations":[],"page":null,"hasMore":"True"},"more":1}"#,
            r#"{"success":"true","data":{"lastMutationAt":1,"lastMutationAt":2,"mutations":[]}}"#,
        ] {
            assert!(refused(body).is_empty(), "{body}");
        }
    }

    #[test]
    fn an_entry_that_cannot_be_decoded_is_named() {
        let good = r#""type":"CREATE","resource":"NOTE","timestamp":5"#;
        for (members, member) in [
            (r#""resource":"NOTE","timestamp":5"#, "type"),
            (r#""type":"UPSERT","resource":"NOTE","timestamp":5"#, "type"),
            (r#""type":"CREATE","timestamp":5"#, "resource"),
            (r#""type":"CREATE","resource":5,"timestamp":5"#, "resource"),
            (r#""type":"CREATE","resource":"NOTE""#, "timestamp"),
            (r#""type":"CREATE","resource":"NOTE","timestamp":5.0"#, "timestamp"),
            (&format!(r#"{good},"resourceId":7"#), "resourceId"),
            (&format!(r#"{good},"data":[]"#), "data"),
            (r#""type":5,"type":"CREATE","resource":"NOTE","timestamp":5"#, "type"),
        ] {
            assert_eq!(refused(&with(members)), [format!("/data/mutations/0/{member}")], "{members}");
        }
    }

    #[test]
    fn what_only_the_phone_reads_is_read_as_it_reads_it() {
        let entry = |members: &str| {
            let feed = feed(&with(members));
            assert!(feed.refused.is_empty(), "{members}");
            feed.otherwise.and_then(|mut entries| entries.pop()).expect("an entry")
        };
        let good = r#""type":"CREATE","resource":"NOTE""#;
        assert_eq!(entry(&format!(r#"{good},"timestamp":"7""#)).timestamp, Millis(7));
        assert_eq!(entry(&format!(r#"{good},"timestamp":7e1"#)).timestamp, Millis(70));
        assert_eq!(entry(&format!(r#"{good},"timestamp":7,"resourceId":"""#)).resource_id, Some("".into()));
        assert_eq!(entry(&format!(r#"{good},"timestamp":7,"resourceId":null"#)).resource_id, None);
        assert_eq!(entry(&format!(r#"{good},"timestamp":7,"data":null"#)).data, Payload::ABSENT);
        let twice = entry(r#""type":"DELETE","type":"CREATE","resource":"","timestamp":7"#);
        assert_eq!((twice.op, twice.kind), (Op::Create, Kind::Other("".into())));
    }

    #[test]
    fn a_kind_is_its_word_in_any_case() {
        let of = |word: &str| ServerMutation {
            op: Op::Delete,
            kind: Kind::from_wire(word),
            resource_id: None,
            data: Payload::ABSENT,
            timestamp: Millis(1),
        };
        for word in ["BOOKMARK", "bookmark", "Bookmark", "boo\u{212a}mark"] {
            assert!(is_of(&Kind::Bookmark, &of(word)), "{word}");
        }
        assert!(is_of(&Kind::Collection, &of("collect\u{131}on")));
        for word in ["BOOKMARKS", "", " BOOKMARK", "NOTE"] {
            assert!(!is_of(&Kind::Bookmark, &of(word)), "{word}");
        }
    }
}
