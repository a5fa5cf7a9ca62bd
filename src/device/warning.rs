//! What is odd in a device file and does not stop the work: shown to a person, never hidden.

use std::fmt;

use super::misfit::{At, Misfit};

/// Something odd, where it stands first, and how often it stands elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// JSON pointer to the first place.
    pub pointer: String,
    /// What was found and what is made of it; never a payload.
    pub message: String,
    /// At how many more places the same was found.
    pub more: usize,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", self.pointer, self.message)?;
        match self.more {
            0 => Ok(()),
            1 => f.write_str(" (and at 1 more place)"),
            more => write!(f, " (and at {more} more places)"),
        }
    }
}

/// The warnings of one file. Equal ones are counted, so that 100,000 odd rows stay one line.
#[derive(Debug, Default)]
pub(super) struct Warnings(Vec<Warning>);

impl Warnings {
    pub(super) fn add(&mut self, at: At<'_>, message: impl Into<String>) {
        self.count(message.into(), || at.to_string());
    }

    /// A misfit that does not stop the work; `instead` is what happens without the value.
    pub(super) fn misfit(&mut self, misfit: Misfit, instead: &str) {
        let message = format!("found {}, expected {}; {instead}", misfit.found, misfit.expected);
        self.count(message, || misfit.pointer);
    }

    fn count(&mut self, message: String, pointer: impl FnOnce() -> String) {
        match self.0.iter_mut().find(|warning| warning.message == message) {
            Some(warning) => warning.more += 1,
            None => self.0.push(Warning { pointer: pointer(), message, more: 0 }),
        }
    }

    pub(super) fn into_list(self) -> Vec<Warning> {
        self.0
    }
}
