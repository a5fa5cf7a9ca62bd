//! What can go wrong before or beside the sync itself: each error says what happened, where, and what to do next.

use std::path::PathBuf;

use serde_json::error::Category;

use crate::domain::choices::BadChoices;

/// Bad input: a file that is not what it should be. Nothing was written. Exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file could not be read or written.
    #[error("{what} {}: {source}. {next}", path.display())]
    Io {
        /// What was tried: `cannot read`, `cannot write`, …
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why, in the system's words.
        source: std::io::Error,
        /// What to do next.
        next: &'static str,
    },
    /// The file is larger than the tool reads.
    #[error(
        "{file} holds {bytes} bytes, more than the {limit} that unstick reads. Export the device's queue alone."
    )]
    TooLarge {
        /// The file's name.
        file: String,
        /// Its size.
        bytes: u64,
        /// The limit, bytes.
        limit: u64,
    },
    /// The text is not JSON.
    #[error(
        "{file} is not valid JSON at line {line}, column {column}: {reason}. Was the export cut off? Export the file again."
    )]
    Syntax {
        /// The file's name.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser expected; never the content.
        reason: String,
    },
    /// Something stands where it should not.
    #[error(
        "{file}, at {pointer}: found {found}, expected {expected}. Nothing was written; correct the file or export it again."
    )]
    Shape {
        /// The file's name.
        file: String,
        /// JSON pointer to the place; `(the whole document)` at the top.
        pointer: String,
        /// What was found, by type; ids are named, payloads never.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A file that unstick cannot use at all.
    #[error("{file} {reason}. {next}")]
    Unsupported {
        /// The file's name.
        file: String,
        /// Why not.
        reason: String,
        /// What to do next.
        next: String,
    },
}

impl InputError {
    /// Text that is not JSON. `serde_json` quotes content only where a value has the wrong type; its words are not
    /// used there.
    pub(crate) fn syntax(file: &str, error: &serde_json::Error) -> Self {
        let words = error.to_string();
        let reason = match error.classify() {
            Category::Syntax | Category::Eof => {
                words.rsplit_once(" at line ").map_or(&*words, |(reason, _)| reason)
            }
            Category::Data | Category::Io => "a value of another type",
        };
        Self::Syntax {
            file: file.to_owned(),
            line: error.line().max(1),
            column: error.column().max(1),
            reason: reason.to_owned(),
        }
    }
}

impl From<BadChoices> for InputError {
    fn from(bad: BadChoices) -> Self {
        match bad {
            BadChoices::NotJson { file, error } => Self::syntax(&file, &error),
            BadChoices::Misfit { file, pointer, found, expected } => {
                Self::Shape { file, pointer, found, expected }
            }
        }
    }
}
