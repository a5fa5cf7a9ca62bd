//! What happens to the app: keys, answers of effects, the passing of time. Plain data without I/O.

use std::path::PathBuf;

use crossterm::event::{KeyEvent, MouseEvent};

use super::effect::{DiffJob, EditJob};
use super::stand_in::push;
use super::stand_in::text::TextDiff;
use crate::domain::inspect::Inspection;
use crate::domain::mutation::{Cursor, Millis};
use crate::domain::window::PullPath;

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A key; releases are ignored.
    Key(KeyEvent),
    /// Text pasted as one (bracketed paste).
    Paste(String),
    /// The terminal has this size now, in columns and rows.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// A click or the wheel.
    Mouse(MouseEvent),
    /// The time, about once a second; for "4 min ago".
    Tick(Millis),
    /// A step of the pull, as it happens.
    Pull(PullNote),
    /// The pull is done and both sides are put together: the first time, or after a reload.
    Inspected(Box<Inspection>),
    /// The pull ended without an inspection.
    PullFailed(Failure),
    /// The answer to [`super::Effect::Diff`]; dropped when its job is no longer wanted.
    Diffed {
        /// The job it answers.
        job: DiffJob,
        /// The rows.
        diff: TextDiff,
    },
    /// The answer to [`super::Effect::Editor`].
    Edited {
        /// The job it answers.
        job: EditJob,
        /// The saved text; `None`: the editor was left without saving, or failed.
        text: Option<String>,
    },
    /// A request of the push, or its answer, as it happens.
    Push(push::Note),
    /// The push came to an end.
    PushEnded(Box<PushEnd>),
    /// The answer to [`super::Effect::Copy`]; the reason where it failed.
    Copied(Result<(), String>),
    /// SIGTERM or SIGHUP: leave cleanly, without a question.
    Term,
}

/// A step of the recovery, as data for the screen. Sizes, heads and page numbers; never content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullNote {
    /// The sync is stuck: how that is known.
    Stuck(Stuck),
    /// The head was asked for alone (`metadataOnly=true`), because the file holds no cursor.
    AskedHead,
    /// The answer to that.
    Head(Cursor),
    /// The pull takes another way than from the cursor: why.
    Path(PullPath),
    /// A page was asked for.
    AskedPage {
        /// `mutationsSince`.
        since: Cursor,
        /// From 1.
        page: u32,
    },
    /// A page came.
    Page {
        /// From 1.
        page: u32,
        /// Mutations on it.
        mutations: usize,
        /// Mutations on all pages, where the server says so.
        total: Option<u64>,
        /// The head at that moment.
        head: Cursor,
        /// Whether more pages follow.
        more: bool,
    },
    /// The head differs between the first and the last page: everything is pulled again.
    HeadMoved {
        /// On the first page.
        first: Cursor,
        /// On the last page.
        last: Cursor,
    },
    /// The head was the same on all pages.
    HeadStable(Cursor),
    /// The pull waits before it tries again.
    Waiting {
        /// For how long.
        ms: u64,
        /// Why, in words.
        why: String,
    },
}

/// How it is known that the device is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// A POST with the device's cursor was answered 409, as the device recorded it.
    Recorded,
    /// The device's cursor is not the server's head, so that any POST would be answered 409.
    Foreseen {
        /// The device's cursor.
        cursor: Cursor,
        /// The server's head.
        head: Cursor,
    },
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

/// How a push ended and what it left.
#[derive(Debug)]
pub struct PushEnd {
    /// How it ended.
    pub end: push::End,
    /// Mutations that the server acknowledged.
    pub pushed: usize,
    /// Server mutations that the device took over.
    pub applied: usize,
    /// Where the server's head stands now, where that is known.
    pub head: Option<Cursor>,
    /// Whether the device's cursor was moved there.
    pub moved_cursor: bool,
    /// The device file, where it was written back.
    pub written: Option<PathBuf>,
    /// The copy of the device file as it was before.
    pub backup: Option<PathBuf>,
    /// The report of what was done.
    pub report: Option<PathBuf>,
}
