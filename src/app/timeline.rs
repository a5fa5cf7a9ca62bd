//! The exchange as a sequence: who said what to whom, from what the others wrote, over the 409, to the 200. It grows
//! with what the person does.

use ratatui::layout::Rect;

use super::event::Stuck;
use super::selection::Selection;
use super::story::count;
use super::{App, Phase};
use crate::domain::diagnosis::ago;
use crate::domain::inspect::Inspection;
use crate::domain::mutation::{Cursor, Millis};
use crate::domain::push::Note;
use crate::domain::safe_text;
use crate::domain::window::PullStep;

/// Columns below which the lanes do not stand apart.
const WIDE: u16 = 66;
/// Writes closer together than this came with one POST, ms.
const ONE_POST_MS: i64 = 500;
/// How many writes of others are shown one by one.
const SHOWN: usize = 8;

/// Rows of a step where the lanes stand apart: its words, its arrow.
pub const STEP_HEIGHT: u16 = 2;

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// The user's other devices.
    Others,
    /// The server.
    Server,
    /// The device whose sync is stuck.
    Device,
}

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// A request.
    Request,
    /// A good answer.
    Good,
    /// A refusal, or no answer.
    Bad,
    /// Something that happens on one lane.
    Note,
}

/// One step of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub from: Lane,
    /// To whom; the same where something happens without a message.
    pub to: Lane,
    /// How it went.
    pub manner: Manner,
    /// What is said: method, cursor, status.
    pub label: String,
    /// What it means, in a sentence.
    pub means: String,
}

impl Message {
    fn request(from: Lane, label: impl Into<String>, means: impl Into<String>) -> Self {
        Self { from, to: Lane::Server, manner: Manner::Request, label: label.into(), means: means.into() }
    }

    fn answer(manner: Manner, to: Lane, label: impl Into<String>, means: impl Into<String>) -> Self {
        Self { from: Lane::Server, to, manner, label: label.into(), means: means.into() }
    }

    fn note(lane: Lane, label: impl Into<String>, means: impl Into<String>) -> Self {
        Self { from: lane, to: lane, manner: Manner::Note, label: label.into(), means: means.into() }
    }
}

/// The view: the steps, and the one that is looked at.
#[derive(Default)]
pub struct Timeline {
    /// All steps.
    pub messages: Vec<Message>,
    /// Which is marked.
    pub selection: Selection,
}

impl Timeline {
    /// The exchange so far, with its newest step marked.
    pub fn of(app: &App) -> Self {
        let mut timeline = Self::default();
        timeline.follow(app);
        timeline.selection.go(usize::MAX);
        timeline
    }

    /// Takes in what happened since. Who looked at the newest step goes on to the new one.
    pub fn follow(&mut self, app: &App) {
        let at_end = self.selection.cursor() + 1 >= self.messages.len();
        let before = self.messages.len();
        let kept = &app.before.kept;
        if kept.is_empty() {
            self.messages.clone_from(&app.before.messages);
        } else {
            self.messages.clone_from(kept);
        }
        if !app.before.attempt_kept {
            self.messages.extend(device_attempt(app));
        }
        self.messages.extend(app.pull().iter().skip(app.before.pull_kept).filter_map(pull_message));
        self.messages.extend(choices(app));
        self.messages.extend(push(app).iter().map(push_message));
        self.messages.extend(ending(app));
        self.selection.set_len(self.messages.len());
        if at_end && self.messages.len() != before {
            self.selection.go(usize::MAX);
        }
    }
}

/// What the others wrote, from where the device stood. It stays when the device has taken it over.
#[derive(Default)]
pub(super) struct Before {
    messages: Vec<Message>,
    /// What happened up to the end of an earlier push, as it was then.
    kept: Vec<Message>,
    /// Whether the device's own try is among it, and how many steps of the pull.
    attempt_kept: bool,
    pull_kept: usize,
}

/// What happened until now stays as it is, whatever becomes of the device: a push is over.
pub(super) fn keep(app: &mut App) {
    if push(app).is_empty() {
        return;
    }
    let kept = Timeline::of(app).messages;
    app.before.kept = kept;
    app.before.attempt_kept = true;
    app.before.pull_kept = app.pull.len();
}

/// The steps of a new pull begin.
pub(super) fn anew(app: &mut App) {
    app.before.attempt_kept = false;
    app.before.pull_kept = 0;
}

impl Before {
    /// Takes in what an inspection tells of it.
    pub(super) fn learn(&mut self, inspection: &Inspection, now: Millis) {
        let messages = others(inspection, now);
        if messages.len() >= self.messages.len() {
            self.messages = messages;
        }
    }
}

/// How many steps have room. Narrow screens list them, a row each.
pub fn steps_in(area: Rect) -> usize {
    let height = if stands_apart(area) { STEP_HEIGHT } else { 1 };
    usize::from(area.height / height)
}

/// Whether there is room for the lanes.
pub const fn stands_apart(area: Rect) -> bool {
    area.width >= WIDE
}

/// How a lane is called.
pub fn named(app: &App, lane: Lane) -> String {
    match lane {
        Lane::Others => app.start.others.clone().unwrap_or_else(|| String::from("other devices")),
        Lane::Server => String::from("server"),
        Lane::Device => app.device().identity.name().to_owned(),
    }
}

/// A sentence of the program in rows of no more than `width` columns.
pub fn words_rows(text: &str, width: u16) -> Vec<String> {
    let rows = safe_text::wrap(text, usize::from(width.max(1)));
    rows.into_iter().filter_map(|row| text.get(row)).map(|row| row.trim_end().to_owned()).collect()
}

/// What the others wrote since the device's cursor, a POST for what came at once: the feed tells when, not how.
fn others(inspection: &Inspection, now: Millis) -> Vec<Message> {
    let mut writes: Vec<(Millis, usize, usize)> = Vec::new();
    for pair in &inspection.pairs {
        for mutation in inspection.served(pair) {
            let own = usize::from(pair.echo);
            writes.push((mutation.timestamp, 1 - own, own));
        }
    }
    writes.sort_unstable_by_key(|(at, ..)| *at);
    writes.dedup_by(|later, earlier| {
        // A server stamps the mutations of one POST one after the other.
        let same = later.0.0.saturating_sub(earlier.0.0) <= ONE_POST_MS;
        if same {
            earlier.0 = later.0;
            earlier.1 += later.1;
            earlier.2 += later.2;
        }
        same
    });
    let hidden = writes.len().saturating_sub(SHOWN);
    let mut messages = Vec::new();
    if hidden > 0 {
        messages.push(Message::note(
            Lane::Server,
            format!("{} before", count(hidden, "write")),
            "The latest writes are shown one by one.",
        ));
    }
    for (at, theirs, own) in writes.into_iter().skip(hidden) {
        let when = ago(at, now);
        if theirs > 0 {
            messages.push(Message::request(
                Lane::Others,
                format!("POST · {} · {when}", count(theirs, "mutation")),
                "Another device of the same user synced. The server's head moved to that moment.",
            ));
            messages.push(Message::answer(Manner::Good, Lane::Others, format!("200 · head {}", at.0), HEAD));
        }
        if own > 0 {
            messages.push(Message::request(
                Lane::Device,
                format!("POST · {} · {when}", count(own, "mutation")),
                "This device's own write arrived, as the feed shows.",
            ));
            messages.push(Message::answer(
                Manner::Bad,
                Lane::Device,
                "the answer got lost",
                "The device never learned the new head, nor that its write arrived: it comes back as an echo.",
            ));
        }
    }
    messages
}

const HEAD: &str =
    "The head is a compare-and-swap token: the next POST is accepted only with exactly this value.";

/// The device's own try, which was answered 409.
fn device_attempt(app: &App) -> Vec<Message> {
    let Some(stuck) = app.stuck() else { return Vec::new() };
    let cursor = match stuck {
        Stuck::Recorded { cursor } => cursor,
        Stuck::Foreseen { cursor, .. } => Some(cursor),
    };
    let with =
        cursor.map_or_else(|| String::from("without a cursor"), |cursor| format!("lastMutationAt={cursor}"));
    let verb = match stuck {
        Stuck::Recorded { .. } => "POST",
        Stuck::Foreseen { .. } => "POST to come:",
    };
    vec![
        Message::request(
            Lane::Device,
            format!("{verb} {with}"),
            "The device pushes its queue with the head that it knows.",
        ),
        Message::answer(
            Manner::Bad,
            Lane::Device,
            "409 OutOfSyncError",
            "That is no longer the head: the device has not seen what was written since, so nothing is accepted.",
        ),
    ]
}

fn pull_message(note: &PullStep) -> Option<Message> {
    Some(match note {
        PullStep::AskedHead => Message::request(
            Lane::Device,
            "GET metadataOnly=true",
            "Without a cursor, the head alone is asked for first.",
        ),
        PullStep::Head(head) => {
            Message::answer(Manner::Good, Lane::Device, format!("200 · head {head}"), HEAD)
        }
        PullStep::Path(_) => return None,
        PullStep::AskedPage { since, page } => Message::request(
            Lane::Device,
            format!("GET mutationsSince={since} · page {page}"),
            "The recovery: pull everything that was written since the cursor.",
        ),
        PullStep::Page { mutations, head, .. } => Message::answer(
            Manner::Good,
            Lane::Device,
            format!("200 · {} · head {head}", count(*mutations, "mutation")),
            "Each resource's latest state. Now both sides can be compared.",
        ),
        PullStep::HeadMoved { .. } => Message::note(
            Lane::Server,
            "the head moved",
            "Somebody wrote between the first and the last page: the pages do not belong together.",
        ),
        PullStep::NotWhole { gap, .. } => Message::note(
            Lane::Server,
            "the pull is not whole",
            format!("{gap}. What was not seen would be gone over: everything is pulled again."),
        ),
        PullStep::CaughtUp { .. } => Message::note(
            Lane::Server,
            "the head moved, nothing is missing",
            "Somebody wrote between the pages, and what they wrote came as well.",
        ),
        PullStep::HeadStable(head) => Message::note(
            Lane::Device,
            format!("head {head} on all pages"),
            "The pull is whole: the head stayed the same from the first page to the last.",
        ),
        PullStep::Waiting { why, .. } => Message::note(Lane::Device, "waits", *why),
    })
}

/// How far the person is.
fn choices(app: &App) -> Option<Message> {
    let bench = app.bench()?;
    let made = bench.resolution.iter().count();
    let open = bench.progress.open();
    if made == 0 && open == 0 {
        return None;
    }
    let label = match open {
        0 => format!("{} made, nothing open", count(made, "choice")),
        open => format!("{} made, {open} open", count(made, "choice")),
    };
    Some(Message::note(
        Lane::Device,
        label,
        "A person, or a strategy, says what survives of the resources that were changed on both sides.",
    ))
}

fn push(app: &App) -> &[Note] {
    match app.phase() {
        Phase::Pushing(pushing) => &pushing.notes,
        Phase::Ended(ended) => &ended.notes,
        Phase::Connecting(_) | Phase::Inspecting => &[],
    }
}

fn push_message(note: &Note) -> Message {
    match note {
        Note::Sending { mutations, head, .. } => Message::request(
            Lane::Device,
            format!("POST lastMutationAt={head} · {}", count(*mutations, "mutation")),
            "The retry, with the head that the pull gave.",
        ),
        Note::Acknowledged { head, mutations, .. } => Message::answer(
            Manner::Good,
            Lane::Device,
            format!("200 · {} · head {head}", count(*mutations, "mutation")),
            "Accepted. The answer carries the new head, which the next POST needs.",
        ),
        Note::Refused { status, code, .. } => Message::answer(
            Manner::Bad,
            Lane::Device,
            format!("{status} {}", code.as_deref().unwrap_or("without a code")),
            match status {
                409 => "Somebody wrote meanwhile: what is new is pulled, and the choices are carried over.",
                _ => "Refused; nothing of this POST was applied.",
            },
        ),
        Note::Lost { .. } => Message::answer(
            Manner::Bad,
            Lane::Device,
            "no usable answer",
            "It may have been applied all the same: it is looked up, never sent again blindly.",
        ),
        Note::Pulling { since } => Message::request(
            Lane::Device,
            format!("GET mutationsSince={since}"),
            "What does the server hold now?",
        ),
        Note::Pulled { head, new } => Message::answer(
            Manner::Good,
            Lane::Device,
            format!("200 · {} · head {head}", count(*new, "mutation")),
            "What the server holds is held against what the plan promised.",
        ),
        Note::Waiting { why, .. } => Message::note(Lane::Device, "waits", *why),
        Note::Quarantined { ids, .. } => Message::note(
            Lane::Device,
            format!(
                "{} set aside",
                if ids.len() == 1 { String::from("1 entry") } else { format!("{} entries", ids.len()) }
            ),
            "The server refuses them, so that one bad mutation does not hold up the rest.",
        ),
    }
}

fn ending(app: &App) -> Option<Message> {
    let Phase::Ended(ended) = app.phase() else { return None };
    let cursor: Option<Cursor> = ended.device.sync.cursor;
    let label = match cursor {
        Some(cursor) if cursor == ended.head => format!("in step: cursor {cursor}"),
        Some(cursor) => format!("cursor {cursor}, head {}", ended.head),
        None => format!("head {}", ended.head),
    };
    Some(Message::note(Lane::Device, label, "The device file is written back with this cursor."))
}
