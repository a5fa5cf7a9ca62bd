//! For how much a choice is made at once: one kind, or everything that is open.

use crate::domain::inspect::{Inspection, Pair, Status};
use crate::domain::mutation::Kind;
use crate::domain::resolution::Resolution;

use super::choose;

/// Which resources a rule is applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All that diverge.
    All,
    /// Those of one kind.
    Kind(Kind),
}

impl Scope {
    /// Whether a pair belongs to it.
    pub fn holds(&self, pair: &Pair) -> bool {
        match self {
            Self::All => true,
            Self::Kind(kind) => pair.kind == *kind,
        }
    }

    /// How many of its pairs wait for a person.
    pub fn open(&self, inspection: &Inspection, resolution: &Resolution) -> usize {
        inspection
            .ids()
            .filter(|(id, pair)| {
                pair.status == Status::Diverged && self.holds(pair) && !resolution.settles(*id, pair)
            })
            .count()
    }

    /// In words: `all divergences`, `every note`.
    pub fn name(&self) -> String {
        match self {
            Self::All => String::from("all divergences"),
            Self::Kind(kind) => format!("every {}", choose::noun(kind)),
        }
    }
}
