//! A device file that could not be written back: why, and where what it should hold lies until it can.

use std::fmt;
use std::path::PathBuf;

/// The `end` of a push after which the device file could not be written back, in reports.
pub const WORD: &str = "not-written";

/// Why a device file still holds what it held before a push, though the server has taken in what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritten {
    /// Why it was not written, in a sentence.
    pub why: String,
    /// Where what it should hold lies.
    pub result: Lies,
    /// The application wrote meanwhile, and what of both stands cannot be told: a person must say.
    pub ask: bool,
}

/// Where the result of a push lies that is not in the device file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lies {
    /// In a file of its own beside the device file.
    Beside(PathBuf),
    /// In the folder for data, since nothing could be written beside the device file.
    InData(PathBuf),
    /// Only in the journal, since it could be written nowhere else: it tells what was acknowledged.
    InJournal(PathBuf),
}

impl Lies {
    /// The file.
    pub const fn path(&self) -> &PathBuf {
        match self {
            Self::Beside(path) | Self::InData(path) | Self::InJournal(path) => path,
        }
    }

    /// The same with another path.
    #[must_use]
    pub fn told(&self, path: PathBuf) -> Self {
        match self {
            Self::Beside(_) => Self::Beside(path),
            Self::InData(_) => Self::InData(path),
            Self::InJournal(_) => Self::InJournal(path),
        }
    }

    /// A sentence that says where it is.
    pub fn words(&self) -> String {
        let path = self.path().display();
        match self {
            Self::Beside(_) => format!("What it should hold lies beside it in {path}"),
            Self::InData(_) => {
                format!("What it should hold lies in {path}, since nothing could be written beside it")
            }
            Self::InJournal(_) => {
                format!("What was acknowledged is only in the journal {path}: keep it")
            }
        }
    }
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.why.trim_end_matches('.'), self.result.words())
    }
}
