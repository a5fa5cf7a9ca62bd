//! One row of the conflict log: ids, kinds, counts and times. It has no place for what people wrote.

use serde::{Deserialize, Serialize};

/// How much of a name is kept, in characters.
const MAX_NAME: usize = 200;

/// What a row tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Somebody looked at a device that diverges from the server.
    #[default]
    Inspection,
    /// One divergence, told when it is seen first.
    Conflict,
    /// A sync was retried.
    Push,
    /// A push settled a divergence.
    Resolution,
}

impl What {
    /// The four.
    pub const ALL: [Self; 4] = [Self::Inspection, Self::Conflict, Self::Push, Self::Resolution];

    /// The word in the log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inspection => "inspection",
            Self::Conflict => "conflict",
            Self::Push => "push",
            Self::Resolution => "resolution",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.word() == word)
    }
}

/// `server` of what happened in a demo. Demos are kept apart from what happened to real devices.
pub const DEMO: &str = "demo";

/// A row. Which members it has depends on [`What`]; times are ms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Names the row everywhere: a row that is already in a log is not added to it again.
    pub id: String,
    /// When, ms since 1970 UTC.
    pub at: i64,
    /// What it tells of.
    pub what: What,
    /// The device's id; its label where it has none.
    pub device: String,
    /// Which server: `pre-live`, a host, `recorded`, or [`DEMO`].
    pub server: String,
    /// Resolution: the row of the conflict.
    pub conflict: Option<String>,
    /// Conflict and resolution: the kind of the resource.
    pub kind: Option<String>,
    /// Conflict and resolution: what each side did, such as `update/delete`.
    pub shape: Option<String>,
    /// Conflict: the server's id of the resource, where there is one.
    pub resource: Option<String>,
    /// Inspection and conflict: the cause ids of the inspection, with spaces between.
    pub causes: Option<String>,
    /// Conflict: how many fields wait for a person.
    pub fields: Option<i64>,
    /// Conflict: between the device's first queued edit and the server's write, whichever came first.
    pub gap_ms: Option<i64>,
    /// Resolution: what was chosen: `device`, `server`, `both`, `edited`, `mixed`.
    pub choice: Option<String>,
    /// Push and resolution: the strategy, `hand`, or `mixed`.
    pub strategy: Option<String>,
    /// Push: how it ended.
    pub outcome: Option<String>,
    /// Inspection: mutations in the device's queue.
    pub queued: Option<i64>,
    /// Inspection: the server's mutations since the cursor.
    pub window: Option<i64>,
    /// Inspection: pairs that diverge.
    pub diverged: Option<i64>,
    /// Inspection: 1 where the device had recorded a 409, else 0.
    pub caught: Option<i64>,
    /// Push: POSTs that left.
    pub posts: Option<i64>,
    /// Push: POSTs that were answered 409.
    pub refused: Option<i64>,
    /// Push: mutations that the server acknowledged.
    pub sent: Option<i64>,
    /// Push: queue entries that stay because of an open choice or a parent.
    pub held: Option<i64>,
    /// Push: queue entries that the server refuses.
    pub quarantined: Option<i64>,
    /// Push: changed values that are not in the result.
    pub lost: Option<i64>,
    /// Inspection and push: how long it took. Resolution: since the conflict was first seen.
    pub took_ms: Option<i64>,
}

/// The names of the members, in the order of [`Event::cells`].
pub const COLUMNS: [&str; 26] = [
    "id",
    "at",
    "what",
    "device",
    "server",
    "conflict",
    "kind",
    "shape",
    "resource",
    "causes",
    "fields",
    "gap_ms",
    "choice",
    "strategy",
    "outcome",
    "queued",
    "window",
    "diverged",
    "caught",
    "posts",
    "refused",
    "sent",
    "held",
    "quarantined",
    "lost",
    "took_ms",
];

/// A member of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// It has none.
    Empty,
    /// A word or an id.
    Text(&'a str),
    /// A count or a time.
    Number(i64),
}

impl Event {
    /// Every member, in the order of [`COLUMNS`].
    pub fn cells(&self) -> [Cell<'_>; COLUMNS.len()] {
        [
            Cell::Text(&self.id),
            Cell::Number(self.at),
            Cell::Text(self.what.word()),
            Cell::Text(&self.device),
            Cell::Text(&self.server),
            text(self.conflict.as_ref()),
            text(self.kind.as_ref()),
            text(self.shape.as_ref()),
            text(self.resource.as_ref()),
            text(self.causes.as_ref()),
            number(self.fields),
            number(self.gap_ms),
            text(self.choice.as_ref()),
            text(self.strategy.as_ref()),
            text(self.outcome.as_ref()),
            number(self.queued),
            number(self.window),
            number(self.diverged),
            number(self.caught),
            number(self.posts),
            number(self.refused),
            number(self.sent),
            number(self.held),
            number(self.quarantined),
            number(self.lost),
            number(self.took_ms),
        ]
    }

    /// The row of the cells that `get` reads, by their position in [`COLUMNS`].
    pub(super) fn read<E>(get: &impl Get<Error = E>) -> Result<Self, E> {
        Ok(Self {
            id: get.text(0)?.unwrap_or_default(),
            at: get.number(1)?.unwrap_or_default(),
            what: get.text(2)?.as_deref().and_then(What::from_word).unwrap_or_default(),
            device: get.text(3)?.unwrap_or_default(),
            server: get.text(4)?.unwrap_or_default(),
            conflict: get.text(5)?,
            kind: get.text(6)?,
            shape: get.text(7)?,
            resource: get.text(8)?,
            causes: get.text(9)?,
            fields: get.number(10)?,
            gap_ms: get.number(11)?,
            choice: get.text(12)?,
            strategy: get.text(13)?,
            outcome: get.text(14)?,
            queued: get.number(15)?,
            window: get.number(16)?,
            diverged: get.number(17)?,
            caught: get.number(18)?,
            posts: get.number(19)?,
            refused: get.number(20)?,
            sent: get.number(21)?,
            held: get.number(22)?,
            quarantined: get.number(23)?,
            lost: get.number(24)?,
            took_ms: get.number(25)?,
        })
    }

    /// The day it happened, in days since 1970, UTC.
    pub const fn day(&self) -> i64 {
        day(self.at)
    }

    /// Whether it happened in a demo.
    pub fn is_demo(&self) -> bool {
        self.server == DEMO
    }
}

/// What a database answers, cell by cell.
pub(super) trait Get {
    /// Why a cell cannot be read.
    type Error;
    /// The text at a position of [`COLUMNS`].
    fn text(&self, at: usize) -> Result<Option<String>, Self::Error>;
    /// The number there.
    fn number(&self, at: usize) -> Result<Option<i64>, Self::Error>;
}

fn text(text: Option<&String>) -> Cell<'_> {
    text.map_or(Cell::Empty, |text| Cell::Text(text))
}

fn number(number: Option<i64>) -> Cell<'static> {
    number.map_or(Cell::Empty, Cell::Number)
}

/// The day of a moment, in days since 1970, UTC.
pub const fn day(at: i64) -> i64 {
    at.div_euclid(86_400_000)
}

/// A day of UTC as `2026-05-01`.
pub fn date(day: i64) -> String {
    let moment = jiff::Timestamp::from_second(day.saturating_mul(86_400));
    moment.map_or_else(|_| format!("day {day}"), |moment| moment.strftime("%Y-%m-%d").to_string())
}

/// An id or a name as the log keeps it: of bounded length, on one line, and nothing in it that a database refuses.
pub fn name(text: &str) -> String {
    text.chars().take(MAX_NAME).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// An id that is the same wherever it is made of the same parts: their FNV-1a hash of 128 bits. It tells conflicts
/// apart; it is no proof against somebody who wants two to look alike.
pub fn stable_id(parts: &[&str]) -> String {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for part in parts {
        // Lengths first: ("ab", "c") is not ("a", "bc").
        for byte in part.len().to_le_bytes().into_iter().chain(part.bytes()) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    format!("{hash:032x}")
}

/// An id that no other row has.
pub fn new_id() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    // Every RandomState has keys of its own.
    let half = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_the_members_in_their_order() {
        let json = serde_json::to_value(Event::default()).expect("it is JSON");
        let names: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(names, COLUMNS);
    }

    #[test]
    fn the_same_parts_have_the_same_id_everywhere() {
        // A later version must not answer another one.
        assert_eq!(stable_id(&["tablet-b", "NOTE", "q1"]), "aa93888772b975031d67d220d5515b26");
        assert_ne!(stable_id(&["ab", "c"]), stable_id(&["a", "bc"]));
        assert_ne!(new_id(), new_id());
    }

    #[test]
    fn names_are_short_and_of_one_line() {
        assert_eq!(name("tablet\nb\0"), "tablet\u{fffd}b\u{fffd}");
        assert_eq!(name(&"ا".repeat(300)).chars().count(), MAX_NAME);
    }

    #[test]
    fn days_begin_at_midnight_utc_also_before_1970() {
        assert_eq!([day(-1), day(0), day(86_399_999), day(86_400_000)], [-1, 0, 0, 1]);
    }
}
