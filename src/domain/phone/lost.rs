//! What the phone goes on without although its sync passes (PROTOCOL A10, silent divergence): its cursor moves on, so
//! that it never asks for it again.

use super::apply::Outcome;
use crate::domain::mutation::{Kind, ResourceId};

/// Entries that the phone reads of an answer: it asks for one page, of the size that the server gives unasked
/// (PROTOCOL A2, D7).
pub const FIRST_PAGE: usize = 100;

/// One thing of the server's that the phone loses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Of which kind.
    pub kind: Kind,
    /// Position in the feed as the phone reads it; `None` of what was on the phone before.
    pub at: Option<usize>,
    /// The resource, where it has an id.
    pub id: Option<ResourceId>,
    /// Why.
    pub why: Loss,
}

/// Why the phone loses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// It stands behind the first page of the answer.
    BeyondFirstPage,
    /// It has no place, name, body or range that the phone can use, or stands on a bookmark that the phone does not
    /// know.
    Unusable,
    /// Another reading session stands at its place.
    PlaceTaken,
    /// Another collection has its name.
    NameTaken,
    /// Of several ranges of a note only the first is kept.
    RangesCut,
    /// There are too many reading sessions: the phone deletes the oldest, and then has them deleted on the server.
    Retired,
}

impl Loss {
    /// What an outcome of the apply stage loses.
    pub(super) const fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::PlaceTaken => Some(Self::PlaceTaken),
            Outcome::NameTaken => Some(Self::NameTaken),
            Outcome::Taken | Outcome::Bound(_) | Outcome::Waits | Outcome::Kept | Outcome::Unknown => None,
        }
    }
}
