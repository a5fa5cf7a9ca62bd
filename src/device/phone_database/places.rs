//! Verses, as the versions of the database name them.

use std::fmt;

use crate::domain::suras;

/// A verse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verse {
    pub(super) sura: i64,
    pub(super) ayah: i64,
}

impl Verse {
    /// By its number in the whole Quran, as databases before 0.1.18 hold it.
    pub(super) fn of_number(number: i64) -> Option<Self> {
        suras::verse(number).map(|(sura, ayah)| Self { sura, ayah })
    }
}

impl fmt::Display for Verse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sura, self.ayah)
    }
}
