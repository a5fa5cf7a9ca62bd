//! What came of retrying the sync, gathered for whoever has to be told: the person at the terminal, a program, a
//! ticket. Plain data; how it is written is decided elsewhere.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::domain::device::{Device, Identity};
use crate::domain::diagnosis::{self, Cause};
use crate::domain::field::FieldPath;
use crate::domain::inspect::Inspection;
use crate::domain::mutation::{Cursor, Kind, Millis, QueueId};
use crate::domain::naming;
use crate::domain::phone::Forecast;
use crate::domain::push::{Course, Difference, End, Outcome, Quarantined, Sent};
use crate::domain::resolution::Unit;
use crate::domain::settle::Loss;
use crate::exit::ExitCode;
use crate::unwritten::{self, Unwritten};

/// What came of it.
#[derive(Clone, Debug)]
pub struct Account {
    /// What it was about.
    pub subject: Subject,
    /// What happened.
    pub result: Result<Ended, Failed>,
    /// What the program answers to its caller.
    pub exit: ExitCode,
}

/// The device, its file and its server, as they were before.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Who the device is.
    pub device: Identity,
    /// The device file.
    pub file: PathBuf,
    /// The server's address.
    pub server: String,
    /// When it began.
    pub began: Millis,
    /// The device's cursor.
    pub cursor: Option<Cursor>,
    /// How many mutations waited.
    pub queued: usize,
    /// What was odd in the device file.
    pub warnings: Vec<String>,
}

/// Nothing was sent.
#[derive(Clone, Debug)]
pub struct Failed {
    /// What happened; the server's words may be in it.
    pub what: String,
    /// What to do next.
    pub next: String,
    /// The server's id of the request.
    pub request_id: Option<String>,
}

/// A push that had begun.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The server's head before.
    pub head_before: Cursor,
    /// Why the device was stuck.
    pub causes: Vec<Cause>,
    /// How it ended, in one word.
    pub end: &'static str,
    /// How the sync itself ended, whatever came of writing the device file back.
    pub sync_end: &'static str,
    /// Why it ended early; the server's words may be in it.
    pub why: Option<String>,
    /// The server's id of the request that ended it.
    pub request_id: Option<String>,
    /// Queue entries of which it cannot be told whether they were applied.
    pub in_doubt: Vec<QueueId>,
    /// The server's head as it was last seen.
    pub head: Cursor,
    /// Whether the device's cursor moved to that head.
    pub cursor_moved: bool,
    /// What the server acknowledged.
    pub sent: Vec<Sent>,
    /// Every POST, and what was decided.
    pub course: Course,
    /// What was recognised as arrived although its answer was lost.
    pub arrived: Vec<QueueId>,
    /// How many server mutations the device took over.
    pub applied: usize,
    /// What the server refuses.
    pub quarantined: Vec<Quarantined>,
    /// What stays in the queue.
    pub held: Vec<Quarantined>,
    /// What left the queue unsent.
    pub dropped: Vec<Quarantined>,
    /// Fields that wait for a person.
    pub open: Vec<(Kind, String, FieldPath)>,
    /// Every changed value that is not in the result.
    pub ledger: Vec<Loss>,
    /// What of it the plan that the push began with did not say.
    pub beyond: Vec<Loss>,
    /// Where the server holds something else than what it acknowledged.
    pub differences: Vec<Difference>,
    /// POSTs that left.
    pub posts: u32,
    /// Pulls that were needed.
    pub pulls: u32,
    /// The phone's next sync on what the server really holds by now, where the device is a phone whose database was read.
    pub recovery: Option<Forecast>,
    /// What lies where.
    pub files: Files,
    /// What the resource of each queue entry is called.
    pub labels: HashMap<QueueId, String>,
}

/// What a push leaves on the disk.
#[derive(Clone, Debug)]
pub struct Files {
    /// The copy of the device file from before. `None` where nothing was sent and the file stays as it was.
    pub backup: Option<PathBuf>,
    /// Why the device file was not written back, where it was not.
    pub not_written: Option<Unwritten>,
    /// What the device file has no place for.
    pub left_out: Vec<String>,
}

impl Files {
    /// Where the backup lies, as it is told.
    pub fn backup(&self) -> Option<String> {
        self.backup.as_ref().map(|path| path.display().to_string())
    }
}

impl Subject {
    /// A device before anything was sent.
    pub fn new(device: &Device, file: PathBuf, server: String, began: Millis, warnings: Vec<String>) -> Self {
        let (cursor, queued) = (device.sync.cursor, device.queue.len());
        Self { device: device.identity.clone(), file, server, began, cursor, queued, warnings }
    }
}

impl Account {
    /// Nothing was sent, for this reason.
    pub const fn failed(subject: Subject, failed: Failed, exit: ExitCode) -> Self {
        Self { subject, result: Err(failed), exit }
    }

    /// A push on what `before` shows came to `outcome`. `reopened` are choices that were not made, since they were
    /// made on values that are no longer there.
    pub fn of(
        subject: Subject,
        before: &Inspection,
        outcome: &Outcome,
        reopened: &[Unit],
        (files, recovery): (Files, Option<Forecast>),
        exit: ExitCode,
    ) -> Self {
        // Whatever the end is, the journal keeps a POST of which nothing tells whether it was applied.
        let kept = outcome.device.queue.iter().filter(|m| outcome.device.in_doubt.contains_key(&m.id));
        let kept: Vec<QueueId> = kept.map(|entry| entry.id.clone()).collect();
        let (why, request_id, in_doubt) = match &outcome.end {
            End::Done | End::Left | End::Reopened(_) | End::HeadKeepsMoving | End::Cancelled => {
                (None, None, kept)
            }
            End::FirstSync(refusal) | End::Refused(refusal) => {
                (Some(refusal.to_string()), refusal.request_id.clone(), kept)
            }
            End::Unreachable(why) | End::OtherAccount(why) | End::NotJournaled(why) => {
                (Some(why.clone()), None, kept)
            }
            End::Unknown { in_doubt, why } => (Some(why.clone()), None, in_doubt.clone()),
        };
        let ended = Ended {
            head_before: before.window.head,
            causes: diagnosis::diagnose(before, subject.began),
            end: if files.not_written.is_some() { unwritten::WORD } else { outcome.end.word() },
            sync_end: outcome.end.word(),
            why,
            request_id,
            in_doubt,
            head: outcome.head,
            cursor_moved: outcome.cursor_moved,
            sent: outcome.sent.clone(),
            course: outcome.course.clone(),
            arrived: outcome.arrived.clone(),
            applied: outcome.applied,
            quarantined: outcome.quarantined.clone(),
            held: outcome.held.clone(),
            dropped: outcome.dropped.clone(),
            open: open(outcome, before, reopened),
            ledger: outcome.ledger.clone(),
            beyond: outcome.beyond.clone(),
            differences: outcome.differences.clone(),
            posts: outcome.posts,
            pulls: outcome.pulls,
            recovery,
            files,
            labels: labels(before),
        };
        Self { subject, result: Ok(ended), exit }
    }
}

/// What the resource of each queue entry is called, as it was shown before the push.
fn labels(before: &Inspection) -> HashMap<QueueId, String> {
    let queue = before.device.queue.iter().enumerate();
    let label = |at| naming::label(before, before.pair(before.pair_of_queued(at)));
    queue.map(|(at, entry)| (entry.id.clone(), label(at))).collect()
}

/// What waits for a person after the push; of the choices that were not made, those whose field is not listed yet.
fn open(outcome: &Outcome, before: &Inspection, reopened: &[Unit]) -> Vec<(Kind, String, FieldPath)> {
    let now = &outcome.inspection;
    let mut open: Vec<(Kind, String, FieldPath)> = Vec::new();
    for (id, pair) in now.ids() {
        let paths = outcome.resolution.open(id, pair);
        open.extend(paths.map(|path| (pair.kind.clone(), pair.key.clone(), path.clone())));
    }
    for unit in reopened {
        let pair = before.pair(unit.pair);
        let unit = (pair.kind.clone(), pair.key.clone(), unit.path.clone());
        if !open.contains(&unit) {
            open.push(unit);
        }
    }
    open
}
