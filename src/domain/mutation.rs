//! A mutation as either side speaks of it, and the small types that carry the protocol's rules: operations,
//! kinds, ids, cursors, times, payloads.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use super::json::{Json, Text};

/// The two sides of a stuck sync. There are no other names for them anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// What the device wrote and could not send.
    Device,
    /// What the server holds.
    Server,
}

impl Side {
    /// `device` or `server`, as it is written everywhere.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Server => "server",
        }
    }

    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Device => Self::Server,
            Self::Server => Self::Device,
        }
    }
}

/// What a mutation does. The wire has these three and no others (PROTOCOL A2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Makes the resource.
    Create,
    /// Sets the members that its data holds; members it does not hold are untouched.
    Update,
    /// Removes the resource; usually without data.
    Delete,
}

impl Op {
    /// The word on the wire.
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }

    /// The word in a pair's shape: `create`, `update`, `delete`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// Reads the word on the wire.
    pub fn from_wire(word: &str) -> Option<Self> {
        match word {
            "CREATE" => Some(Self::Create),
            "UPDATE" => Some(Self::Update),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// A resource kind. The five of PROTOCOL A7, and whatever a newer server may send.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `BOOKMARK`: a place, perhaps the reading place.
    Bookmark,
    /// `COLLECTION`: a named list of bookmarks.
    Collection,
    /// `COLLECTION_BOOKMARK`: a bookmark's membership in a collection, called a link.
    Link,
    /// `NOTE`: a private text on one or more ranges.
    Note,
    /// `READING_SESSION`: how far somebody read.
    ReadingSession,
    /// A kind this version does not know; its resources are shown, kept and sent as they are.
    Other(Arc<str>),
}

impl Kind {
    /// The five known kinds, in the order in which they are listed.
    pub const KNOWN: [Self; 5] =
        [Self::Bookmark, Self::Collection, Self::Link, Self::Note, Self::ReadingSession];

    /// The word on the wire.
    pub fn wire(&self) -> &str {
        match self {
            Self::Bookmark => "BOOKMARK",
            Self::Collection => "COLLECTION",
            Self::Link => "COLLECTION_BOOKMARK",
            Self::Note => "NOTE",
            Self::ReadingSession => "READING_SESSION",
            Self::Other(word) => word,
        }
    }

    /// The scopes that a token needs before it sees the kind or may write it, `sync` besides (PROTOCOL A1). Of a kind
    /// that this version does not know none are known.
    pub const fn scopes(&self) -> &'static [&'static str] {
        match self {
            Self::Bookmark => &["bookmark"],
            Self::Collection => &["collection"],
            Self::Link => &["bookmark", "collection"],
            Self::Note => &["note"],
            Self::ReadingSession => &["reading_session"],
            Self::Other(_) => &[],
        }
    }

    /// Reads the word on the wire; every word is a kind.
    pub fn from_wire(word: &str) -> Self {
        match word {
            "BOOKMARK" => Self::Bookmark,
            "COLLECTION" => Self::Collection,
            "COLLECTION_BOOKMARK" => Self::Link,
            "NOTE" => Self::Note,
            "READING_SESSION" => Self::ReadingSession,
            other => Self::Other(other.into()),
        }
    }
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text, exactly as it was read.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id_type! {
    /// The server's id of a resource. Any text: ids with `-`, `/`, spaces or emoji occur.
    ResourceId
}

id_type! {
    /// The device's own id of a queued mutation (the queue entry, not the resource).
    QueueId
}

/// A compare-and-swap token in ms (`lastMutationAt`), -1 on a first sync. Not a clock: it is read, stored and
/// sent back, never invented and never counted up (PROTOCOL A5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Cursor(i64);

impl Cursor {
    /// From the beginning: `mutationsSince=0` asks for everything (PROTOCOL A2).
    pub const ZERO: Self = Self(0);
    /// The head of an account without sync history, as the tutorials have it (PROTOCOL A5).
    pub const FIRST_SYNC: Self = Self(-1);

    /// A token that was read from a device file or a server's answer.
    pub const fn read(value: i64) -> Self {
        Self(value)
    }

    /// The token's digits' value, in ms.
    pub const fn value(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A moment, ms since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// A moment as PROTOCOL A6 writes them: ISO 8601 text or a number of ms; numbers below 1e12 are seconds.
    pub fn from_json(value: &Json) -> Option<Self> {
        match value {
            Json::String(text) => text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond())),
            Json::Number(number) => number
                .as_i64()
                .map(|n| Self(if n.unsigned_abs() < 1_000_000_000_000 { n.saturating_mul(1000) } else { n })),
            _ => None,
        }
    }

    /// ISO 8601 UTC with ms, as client times are written (PROTOCOL D11); the number where no calendar date fits.
    pub fn to_iso(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| self.0.to_string(), |t| format!("{t:.3}"))
    }
}

/// The `data` of a mutation: absent, or a JSON object kept as text until it is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Payload(Option<Text>);

impl Payload {
    /// No `data` at all.
    pub const ABSENT: Self = Self(None);

    /// `data` as it stood in the document. `text` must be a valid JSON object.
    pub const fn new(text: Text) -> Self {
        Self(Some(text))
    }

    /// `data` made of members.
    pub fn from_members(members: &IndexMap<String, Json>) -> Self {
        Self(Some(Text::new(serde_json::to_string(members).unwrap_or_else(|_| String::from("{}")))))
    }

    /// The text, byte for byte as it was read; `None` when absent.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_ref().map(Text::as_str)
    }

    /// The members, parsed now; empty when absent or when the object cannot be read exactly.
    pub fn members(&self) -> IndexMap<String, Json> {
        match self.as_str().map(Json::parse) {
            Some(Json::Object(members)) => members,
            _ => IndexMap::new(),
        }
    }

    /// Whether there is an object that [`Payload::members`] cannot show (a member twice, nested too deep).
    pub fn is_unreadable(&self) -> bool {
        self.as_str().is_some_and(|text| !matches!(Json::parse(text), Json::Object(_)))
    }
}

/// A mutation that waits on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The queue entry's id.
    pub id: QueueId,
    /// What it does.
    pub op: Op,
    /// To a resource of which kind.
    pub kind: Kind,
    /// The server's id of the resource, where the device has learnt it.
    pub resource_id: Option<ResourceId>,
    /// The members it sets.
    pub data: Payload,
    /// What both sides last agreed on, where the device recorded it (DESIGN §3 `base`).
    pub base: Payload,
    /// When it was queued.
    pub created_at: Option<Millis>,
    /// How often the device tried to send it.
    pub retry_count: u32,
    /// What the last try was answered; the best evidence of why a device is stuck.
    pub last_error: Option<String>,
}

impl Queued {
    /// Whether the server may have seen it: it was tried, or an answer to it is recorded.
    pub fn maybe_sent(&self) -> bool {
        self.retry_count > 0 || self.last_error.is_some()
    }
}

/// A mutation of the server's feed: a resource's latest state and when it got it (PROTOCOL A2).
#[derive(Clone, Debug)]
pub struct ServerMutation {
    /// What was done last.
    pub op: Op,
    /// To a resource of which kind.
    pub kind: Kind,
    /// The resource; absent for links and on malformed entries.
    pub resource_id: Option<ResourceId>,
    /// The resource's state; usually absent or empty on a DELETE.
    pub data: Payload,
    /// When the server did it, ms; orders the feed.
    pub timestamp: Millis,
}

impl ServerMutation {
    /// Whether a pull since `head` shows it (PROTOCOL A2).
    pub const fn is_after(&self, head: Cursor) -> bool {
        self.timestamp.0 > head.value()
    }
}

/// A mutation in the form that a POST carries: no `timestamp`, no extra keys (PROTOCOL A3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireMutation {
    /// What it does.
    pub op: Op,
    /// To a resource of which kind.
    pub kind: Kind,
    /// The resource, for operations on one that the server knows.
    pub resource_id: Option<ResourceId>,
    /// The members it sets.
    pub data: Payload,
}

impl Serialize for WireMutation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_wire(serializer, self.op, &self.kind, self.resource_id.as_ref(), &self.data, None)
    }
}

/// In the form that a GET answers.
impl Serialize for ServerMutation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = Some(self.timestamp);
        serialize_wire(serializer, self.op, &self.kind, self.resource_id.as_ref(), &self.data, at)
    }
}

fn serialize_wire<S: Serializer>(
    serializer: S,
    op: Op,
    kind: &Kind,
    resource_id: Option<&ResourceId>,
    data: &Payload,
    timestamp: Option<Millis>,
) -> Result<S::Ok, S::Error> {
    use serde::ser::{Error as _, SerializeMap};
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("type", op.wire())?;
    map.serialize_entry("resource", kind.wire())?;
    if let Some(id) = resource_id {
        map.serialize_entry("resourceId", id)?;
    }
    if let Some(text) = data.as_str() {
        let raw = serde_json::value::RawValue::from_string(text.to_owned()).map_err(S::Error::custom)?;
        map.serialize_entry("data", &raw)?;
    }
    if let Some(at) = timestamp {
        map.serialize_entry("timestamp", &at)?;
    }
    map.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_too_far_to_be_a_moment() {
        for (number, moment) in
            [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX), (1_700_000_000, 1_700_000_000_000)]
        {
            let value = Json::parse(&number.to_string());
            assert_eq!(Millis::from_json(&value), Some(Millis(moment)));
        }
    }

    #[test]
    fn times_are_read_in_every_form_of_the_protocol() {
        let ms = Some(Millis(1_769_990_400_000));
        for text in [
            r#""2026-02-02T00:00:00Z""#,
            r#""2026-02-02T00:00:00.000Z""#,
            "1769990400000",
            "1769990400000.0",
            "1769990400",
        ] {
            assert_eq!(Millis::from_json(&Json::parse(text)), ms, "{text}");
        }
        assert_eq!(Millis::from_json(&Json::parse(r#""not-a-date""#)), None);
        assert_eq!(Millis(1_769_990_400_000).to_iso(), "2026-02-02T00:00:00.000Z");
    }

    #[test]
    fn a_wire_mutation_carries_its_data_byte_for_byte() {
        let data = Payload::new(Text::new(String::from(r#"{"b": 1.0,  "a":"\u0041"}"#)));
        let wire = WireMutation { op: Op::Update, kind: Kind::Note, resource_id: Some("n1".into()), data };
        let text = serde_json::to_string(&wire).expect("it serialises");
        assert_eq!(
            text,
            r#"{"type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{"b": 1.0,  "a":"\u0041"}}"#
        );
    }
}
