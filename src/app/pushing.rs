//! A push under way: what happened so far, and what is being waited for.

use std::sync::Arc;

use super::selection::Scroll;
use super::story::count;
use crate::domain::mutation::Millis;
use crate::domain::push::{Note, Planned};

/// A push under way.
#[derive(Default)]
pub struct Pushing {
    /// What happened so far.
    pub notes: Vec<Note>,
    /// Mutations that the plan sends.
    pub planned: usize,
    /// Mutations that were acknowledged.
    pub acknowledged: usize,
    /// No further POST leaves.
    pub stopping: bool,
    /// The session ends when the push does.
    pub leaving: bool,
    /// How far back the notes are scrolled, from the newest.
    pub scroll: Scroll,
    /// The plan that is carried out.
    pub shown: Option<Arc<Planned>>,
    /// Since when what is under way is under way.
    pub since: Option<Millis>,
}

/// What is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy<'a> {
    /// A pause.
    Waiting {
        /// How long in all, ms.
        ms: u64,
        /// For what.
        why: &'a str,
    },
    /// A request whose answer is awaited.
    Asking {
        /// The number of the POST; `None` for a pull.
        post: Option<u32>,
    },
}

impl Pushing {
    /// Takes in what happened.
    pub(super) fn take(&mut self, note: Note, now: Millis) {
        if let Note::Acknowledged { mutations, .. } = &note {
            self.acknowledged += mutations;
        }
        self.since = Some(now);
        self.notes.push(note);
    }

    /// What is under way, as far as it is known.
    pub fn busy(&self) -> Option<Busy<'_>> {
        match self.notes.last()? {
            Note::Waiting { ms, why } => Some(Busy::Waiting { ms: *ms, why }),
            Note::Sending { post, .. } => Some(Busy::Asking { post: Some(*post) }),
            Note::Pulling { .. } => Some(Busy::Asking { post: None }),
            Note::Acknowledged { .. }
            | Note::Refused { .. }
            | Note::Lost { .. }
            | Note::Pulled { .. }
            | Note::Quarantined { .. } => None,
        }
    }

    /// POSTs that left.
    pub fn posts(&self) -> usize {
        self.notes.iter().filter(|note| matches!(note, Note::Sending { .. })).count()
    }

    /// What is waited for, since when, and how long still.
    pub fn waits(&self, now: Millis) -> Option<String> {
        let busy = self.busy()?;
        let passed = self.since.map_or(0, |since| u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0));
        let stops = if self.stopping { ", then stops" } else { "" };
        Some(match busy {
            Busy::Waiting { ms, why } => {
                if self.stopping {
                    return Some(String::from("stopping: the pause is broken off"));
                }
                let left = ms.saturating_sub(passed).div_ceil(1000);
                format!("waits {left} s more: {why}")
            }
            Busy::Asking { post } => {
                let what = match post {
                    Some(post) => format!("waits for the answer to POST {post}"),
                    None => String::from("waits for the answer to the pull"),
                };
                match passed / 1000 {
                    0 => format!("{what}{stops}"),
                    seconds => format!("{what}, for {seconds} s now{stops}"),
                }
            }
        })
    }

    /// How far it is.
    pub fn progress(&self) -> String {
        let done = self.acknowledged.min(self.planned);
        format!("{done} of {} acknowledged, {} so far", self.planned, count(self.posts(), "POST"))
    }
}
