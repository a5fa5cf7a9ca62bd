//! What happens to the app: keys, answers of effects, the passing of time. Plain data without I/O.

use std::fmt;
use std::path::PathBuf;

use crossterm::event::KeyEvent;

use super::action::Action;
use super::effect::EditJob;
use super::history::Said;
use super::keeping::Earlier;
use super::task::{Answer, Job};
use crate::domain::inspect::Inspection;
use crate::domain::mutation::{Cursor, Millis};
use crate::domain::phone::{Forecast, Verdict};
use crate::domain::push;
use crate::domain::resolution::{Resolution, Unit};
use crate::domain::window::PullStep;
use crate::unwritten::Unwritten;

/// Something that happened.
pub enum Event {
    /// A key by itself; releases are ignored.
    Key(KeyEvent),
    /// A key among others that came faster than anybody presses them: text that was pasted, or a type-ahead.
    Burst {
        /// The key.
        key: KeyEvent,
        /// Whether it is the first of them.
        first: bool,
    },
    /// What the app drew last stands on the screen at this moment, in ms on a clock that only goes forward: told after
    /// each frame, and again when [`super::App::looks_again`] asks for it.
    Shown(u64),
    /// A demo that plays by itself is about to press this key.
    Plays(KeyEvent),
    /// Text pasted as one (bracketed paste).
    Paste(String),
    /// The terminal has this size now, in columns and rows.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// The mouse, on something that was drawn; `ui::Regions` tells what.
    Pointer(Pointer),
    /// The time, about once a second; for "4 min ago".
    Tick(Millis),
    /// A step of the pull, as it happens.
    Pull(PullStep),
    /// The pull is done and both sides are put together: the first time, or after a reload.
    Inspected(Box<Inspection>),
    /// The same, for a device of which an earlier push broke off, with what was chosen for that.
    Recalled(Box<Recall>),
    /// The same, for a device on which an earlier session left choices.
    Drafted(Box<Drafted>),
    /// The device file was read again, as it had changed on the disk; with what a person should know about it.
    DeviceRead(Vec<String>),
    /// Choices are not kept in this session, or no longer, and why.
    NotKept(String),
    /// The answer to [`super::Effect::SaveChoices`]: where they lie.
    Saved(Result<PathBuf, Failure>),
    /// The pull ended without an inspection.
    PullFailed(Failure),
    /// The server no longer takes the token, and whoever pulls or pushes waits for a fresh one.
    TokenWanted(Failure),
    /// The answer to [`super::Effect::Compute`]; dropped when its job is no longer wanted.
    Computed {
        /// The job it answers.
        job: Job,
        /// What the task came to.
        answer: Answer,
    },
    /// The answer to [`super::Effect::Editor`].
    Edited {
        /// The job it answers.
        job: EditJob,
        /// The saved text, or why there is none.
        text: Result<String, String>,
    },
    /// A request of the push, or its answer, as it happens.
    Push(push::Note),
    /// The push came to an end.
    PushEnded(Box<PushEnd>),
    /// The push could not begin; nothing was sent.
    PushFailed(Failure),
    /// The answer to [`super::Effect::Report`]: where the report lies.
    Reported(Result<PathBuf, Failure>),
    /// The answer to [`super::Effect::History`]; dropped when its job is no longer wanted.
    History {
        /// The job it answers.
        job: Job,
        /// What the log said.
        said: Said,
    },
    /// The answer to [`super::Effect::Copy`]; the reason where it failed.
    Copied(Result<(), String>),
    /// SIGTERM or SIGHUP: leave cleanly, without a question.
    Term,
}

/// How it is known that the device is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// A POST with the device's cursor was answered 409, as the device recorded it.
    Recorded {
        /// The cursor as it was then.
        cursor: Option<Cursor>,
    },
    /// The device's cursor is not the server's head, so that any POST would be answered 409.
    Foreseen {
        /// The device's cursor.
        cursor: Cursor,
        /// The server's head.
        head: Cursor,
    },
}

/// Where a push that broke off is gone on with.
pub struct Recall {
    /// Both sides as they are now, without what it has sent.
    pub inspection: Inspection,
    /// What was chosen for it and still stands.
    pub resolution: Resolution,
    /// What was chosen for it and is open again.
    pub reopened: Vec<Unit>,
    /// Where it stood, a sentence each.
    pub told: Vec<String>,
}

/// Where an earlier session left off.
pub struct Drafted {
    /// Both sides as they are now.
    pub inspection: Inspection,
    /// What it left.
    pub earlier: Earlier,
}

/// Something that did not work. Shown until a person dismisses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub what: String,
    /// Where: a URL without its query, or a file.
    pub where_: String,
    /// What to do next.
    pub next: String,
    /// The server's id of the request, for its operators.
    pub request_id: Option<String>,
}

/// How a push ended and where what it left lies.
pub struct PushEnd {
    /// How it ended, and both sides as they stand now.
    pub outcome: push::Outcome,
    /// The device file, where it was written back.
    pub written: Option<PathBuf>,
    /// Why it was not, where it should have been.
    pub unwritten: Option<Unwritten>,
    /// The copy of the device file as it was before.
    pub backup: Option<PathBuf>,
    /// The report of what was done.
    pub report: Option<PathBuf>,
    /// What the device file has no place for, in sentences.
    pub left_out: Vec<String>,
    /// The phone's next sync, where the device is a phone whose database was read.
    pub recovery: Option<Forecast>,
    /// What went wrong in writing any of them.
    pub failure: Option<Failure>,
}

impl PushEnd {
    /// Whether the phone, whose own database stays as it was, does not recover by itself.
    #[must_use]
    pub fn phone_stops(&self) -> bool {
        self.recovery.as_ref().is_some_and(|forecast| forecast.verdict != Verdict::ByItself)
    }
}

/// What the mouse did, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// The left button on something.
    Click(Target),
    /// The wheel over something, by so many steps; negative is up.
    Wheel(Target, i8),
}

/// Something on the screen that the mouse can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A row of the list, by its position among the rows that match.
    Row(usize),
    /// A field of the marked resource, by its position in the order shown.
    Field(usize),
    /// An entry of what lies over the inspector, by its position.
    Entry(usize),
    /// A cell of the comparison.
    Cell {
        /// Its row, by its position; beyond the last where it is a heading.
        row: usize,
        /// Its column, a position in `Strategy::ALL`.
        column: usize,
    },
    /// A key of the footer.
    Act(Action),
    /// The list, where no row is.
    List,
    /// The fields, where none is.
    Fields,
    /// What lies over the inspector.
    Overlay,
}

/// Payloads are private: only the event's name.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key",
            Self::Plays(_) => "Plays",
            Self::Burst { .. } => "Burst",
            Self::Shown(_) => "Shown",
            Self::Paste(_) => "Paste",
            Self::Resize { .. } => "Resize",
            Self::Pointer(_) => "Pointer",
            Self::Tick(_) => "Tick",
            Self::Pull(_) => "Pull",
            Self::Inspected(_) => "Inspected",
            Self::Recalled(_) => "Recalled",
            Self::Drafted(_) => "Drafted",
            Self::DeviceRead(_) => "DeviceRead",
            Self::NotKept(_) => "NotKept",
            Self::Saved(_) => "Saved",
            Self::PullFailed(_) => "PullFailed",
            Self::TokenWanted(_) => "TokenWanted",
            Self::Computed { .. } => "Computed",
            Self::Edited { .. } => "Edited",
            Self::Push(_) => "Push",
            Self::PushEnded(_) => "PushEnded",
            Self::PushFailed(_) => "PushFailed",
            Self::Reported(_) => "Reported",
            Self::History { .. } => "History",
            Self::Copied(_) => "Copied",
            Self::Term => "Term",
        })
    }
}
