//! What happened, in words: the steps of a pull and of a push, why the device is stuck, how a push ended.

use std::path::Path;

use super::event::{PullNote, PushEnd, Stuck};
use super::page::{Page, Rank};
use crate::domain::answer::Class;
use crate::domain::diagnosis::{Cause, hidden_kinds};
use crate::domain::inspect::Inspection;
use crate::domain::mutation::QueueId;
use crate::domain::push::{Difference, End, Note};
use crate::domain::window::PullPath;
use crate::exit::ExitCode;

/// A step as it is shown: its mark and its words.
pub struct Step {
    /// `→` for a request, `✓` for a good answer, `✗` for a bad one, `·` for anything else.
    pub mark: char,
    /// What happened.
    pub text: String,
}

impl Step {
    fn new(mark: char, text: impl Into<String>) -> Self {
        Self { mark, text: text.into() }
    }
}

/// A number and its noun: `1 mutation`, `3 mutations`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A step of the pull in words.
pub fn step(note: &PullNote) -> Step {
    match note {
        PullNote::Stuck(Stuck::Recorded) => {
            Step::new('✗', "409 OutOfSyncError: the device's last POST was refused, as its queue records")
        }
        PullNote::Stuck(Stuck::Foreseen { cursor, head }) => Step::new(
            '✗',
            format!("409 OutOfSyncError foreseen: the device's cursor {cursor} is not the head {head}"),
        ),
        PullNote::AskedHead => Step::new('→', "GET /v1/sync?metadataOnly=true: where is the head?"),
        PullNote::Head(head) => Step::new('✓', format!("the head is {head}")),
        PullNote::Path(path) => Step::new('·', path_words(*path)),
        PullNote::AskedPage { since, page } => {
            Step::new('→', format!("GET /v1/sync?mutationsSince={since}&limit=1000&page={page}"))
        }
        PullNote::Page { page, mutations, total, head, more } => {
            let of = total.map_or_else(String::new, |total| format!(" of {total}"));
            let more = if *more { ", more to come" } else { "" };
            Step::new('✓', format!("page {page}: {}{of}, head {head}{more}", count(*mutations, "mutation")))
        }
        PullNote::HeadMoved { first, last } => {
            Step::new('·', format!("the head moved from {first} to {last} between the pages: pull again"))
        }
        PullNote::CaughtUp { first, now } => Step::new(
            '✓',
            format!("the head moved from {first} to {now}, nothing is missing: both sides can be compared"),
        ),
        PullNote::HeadStable(head) => {
            Step::new('✓', format!("the head stayed at {head}: both sides can be compared"))
        }
        PullNote::Waiting { ms, why } => Step::new('·', format!("waits {:.1} s: {why}", *ms as f64 / 1000.0)),
    }
}

fn path_words(path: PullPath) -> &'static str {
    match path {
        PullPath::SinceCursor => "pull what the server wrote since the device's cursor",
        PullPath::FirstSync => "the account has no sync history yet: its head is -1",
        PullPath::LostCursor => "the device file holds no cursor: pull everything from 0",
        PullPath::CursorAhead => {
            "the device's cursor is ahead of the head, so this server never gave it: pull everything from 0"
        }
        PullPath::RefusedSince => "the server refused the cursor on the GET itself: pull everything from 0",
    }
}

/// A step of the push in words.
pub fn push_step(note: &Note) -> Step {
    match note {
        Note::Sending { post, of, mutations, head } => Step::new(
            '→',
            format!("POST {post} of {of}: {} with lastMutationAt={head}", count(*mutations, "mutation")),
        ),
        Note::Acknowledged { post, mutations, head } => Step::new(
            '✓',
            format!("200 to POST {post}: {} acknowledged, new head {head}", count(*mutations, "mutation")),
        ),
        Note::Refused { post, status, code } => {
            Step::new('✗', format!("{status} {} to POST {post}", code.as_deref().unwrap_or("without a code")))
        }
        Note::Lost { post } => Step::new(
            '✗',
            format!("no usable answer to POST {post}: look it up before anything is sent again"),
        ),
        Note::Pulling { since } => Step::new('→', format!("GET /v1/sync?mutationsSince={since}")),
        Note::Pulled { head, new: 0 } => Step::new('✓', format!("head {head}, nothing new")),
        Note::Pulled { head, new } => Step::new('✓', format!("head {head}, {} new", count(*new, "mutation"))),
        Note::Waiting { ms, why } => Step::new('·', format!("waits {:.1} s: {why}", *ms as f64 / 1000.0)),
        Note::Quarantined { ids, message } => {
            Step::new('✗', format!("set aside: {} ({message})", names(ids)))
        }
    }
}

fn names(ids: &[QueueId]) -> String {
    let shown: Vec<&str> = ids.iter().take(5).map(QueueId::as_str).collect();
    let more = ids.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("queue {} {}{more}", if ids.len() == 1 { "entry" } else { "entries" }, shown.join(", "))
}

/// Why the device is stuck, in full: causes, warnings, the steps of the pull.
pub fn why(inspection: &Inspection, causes: &[Cause], warnings: &[String], pull: &[PullNote]) -> Page {
    let mut page = Page::default();
    page.push(Rank::Title, "Why the device is stuck");
    if causes.is_empty() {
        page.push(Rank::Good, "Nothing stands against a sync: the cursor is the head.");
    }
    for cause in causes {
        page.push(Rank::Heading, cause.id.clone());
        page.push(Rank::Text, sentence(&cause.evidence));
    }
    let window = &inspection.window;
    let mut mind: Vec<String> = warnings.iter().chain(&window.warnings).map(|text| sentence(text)).collect();
    for entry in &window.unreadable {
        mind.push(format!(
            "Page {} of the feed, {}: found {}, expected {}. While it cannot be read the cursor stays.",
            entry.page, entry.pointer, entry.found, entry.expected
        ));
    }
    if !window.not_visible.is_empty() {
        mind.push(format!(
            "Not visible with this token: {}. Not visible is not missing; what is queued of it waits, and the cursor stays.",
            hidden_kinds(&window.not_visible)
        ));
    }
    if !inspection.ignored.is_empty() {
        mind.push(match inspection.ignored.len() {
            1 => String::from(
                "1 deletion on the server is of a resource that this device never had: nothing to do.",
            ),
            many => format!(
                "{many} deletions on the server are of resources that this device never had: nothing to do."
            ),
        });
    }
    if !mind.is_empty() {
        page.push(Rank::Heading, "To mind");
        for text in mind {
            page.item(Rank::Item, '!', text);
        }
    }
    if !pull.is_empty() {
        page.push(Rank::Heading, "What was done so far");
        for note in pull {
            let Step { mark, text } = step(note);
            page.item(Rank::Item, mark, text);
        }
    }
    page
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String =
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// How a push ended: what happened, what to do on the device, where everything lies.
pub fn ended(end: &PushEnd) -> (Page, ExitCode) {
    let outcome = &end.outcome;
    let mut page = Page::default();
    let (rank, title) = title(&outcome.end);
    page.push(Rank::Title, title);
    page.push(rank, what_happened(end));
    if let Some(failure) = &end.failure {
        page.push(Rank::Warning, format!("{} ({}). {}", failure.what, failure.where_, failure.next));
    }
    let head = outcome.head;
    if outcome.cursor_moved {
        page.push(Rank::Text, format!("The device's cursor is {head} now, which is the server's head."));
    } else {
        page.push(
            Rank::Text,
            format!("The device's cursor stays where it was, so that nothing open is overlooked; the head is {head}."),
        );
    }
    if !outcome.quarantined.is_empty() {
        page.push(Rank::Heading, "Set aside, because the server refuses it");
        for left in &outcome.quarantined {
            page.item(Rank::Item, '✗', format!("{}: {}", names(&left.ids), left.message));
        }
    }
    if !outcome.held.is_empty() {
        page.push(Rank::Heading, "Still in the queue");
        for left in &outcome.held {
            page.item(Rank::Item, '·', format!("{}: {}", names(&left.ids), left.message));
        }
    }
    if !outcome.differences.is_empty() {
        page.push(Rank::Heading, "The server holds something else than it acknowledged");
        for difference in &outcome.differences {
            page.item(Rank::Item, '!', difference_words(difference));
        }
    }
    page.push(Rank::Heading, "What to do now");
    for (mark, line) in ('1'..='9').zip(next_steps(end)) {
        page.item(Rank::Item, mark, line);
    }
    let files = [("device file", &end.written), ("backup", &end.backup), ("report", &end.report)];
    if files.iter().any(|(_, path)| path.is_some()) {
        page.push(Rank::Heading, "Where it lies");
        for (name, path) in files {
            if let Some(path) = path {
                page.push(Rank::Item, lies(name, path));
            }
        }
    }
    (page, ExitCode::of(&outcome.end))
}

/// What lies where.
pub fn lies(name: &str, path: &Path) -> String {
    format!("{name:12}{}", path.display())
}

/// `NOTE n1, ranges: the server … (queue entry q1)`.
fn difference_words(difference: &Difference) -> String {
    let Difference { ids, kind, resource_id, path, what, .. } = difference;
    let field = if path.is_existence() { String::new() } else { format!(", {}", path.label()) };
    format!("{} {resource_id}{field}: {what} ({})", kind.wire(), names(ids))
}

fn title(end: &End) -> (Rank, &'static str) {
    match end {
        End::Done => (Rank::Good, "The sync went through"),
        End::Left => (Rank::Warning, "What was settled is sent; the rest remains"),
        End::Reopened(_) => (Rank::Warning, "The server changed meanwhile"),
        End::FirstSync(_) => (Rank::Warning, "The server expects a first sync"),
        End::Refused(_) => (Rank::Warning, "The server refused"),
        End::Unreachable(_) => (Rank::Warning, "The server cannot be reached"),
        End::Unknown { .. } => (Rank::Warning, "It cannot be told what arrived"),
        End::HeadKeepsMoving => (Rank::Warning, "The head moved on every attempt"),
        End::Cancelled => (Rank::Warning, "Stopped"),
    }
}

fn what_happened(end: &PushEnd) -> String {
    let outcome = &end.outcome;
    let posts = count(outcome.posts as usize, "POST");
    let answered = if outcome.sent.is_empty() { "" } else { ", answered 200" };
    let done = format!(
        "{} acknowledged in {posts}{answered}; {} of the server taken over.",
        count(outcome.sent.len(), "mutation"),
        count(outcome.applied, "mutation")
    );
    match &outcome.end {
        End::Done | End::Left | End::Reopened(_) | End::HeadKeepsMoving | End::Cancelled => done,
        End::FirstSync(refusal) | End::Refused(refusal) => format!("{refusal} {done}"),
        End::Unreachable(why) => format!("{} {done}", sentence(why)),
        End::Unknown { in_doubt, why } => format!("{} In doubt: {}. {done}", sentence(why), names(in_doubt)),
    }
}

fn next_steps(end: &PushEnd) -> Vec<String> {
    let written = end.written.is_some();
    let back = if written {
        "Put the device file back on the device; its next sync starts from the new cursor."
    } else {
        "The device file was not written: the device pulls the server's state on its next sync."
    };
    match &end.outcome.end {
        End::Done => vec![
            String::from(back),
            String::from(
                "Open the app there and let it sync once: it has nothing to push and pulls nothing new.",
            ),
        ],
        End::Left => vec![
            String::from("Enter goes back to what is open; choose, preview and send again."),
            String::from("What the server refuses must be corrected on the device, or edited here."),
        ],
        End::Reopened(_) => {
            vec![String::from("Enter shows what was reopened; the other choices still stand.")]
        }
        End::FirstSync(_) => {
            vec![String::from("Enter goes back; p and y ask once more, with -1 where the server wants it.")]
        }
        End::Refused(refusal) => vec![
            match refusal.class {
                Class::Forbidden => {
                    let scopes: Vec<&str> = end.outcome.course.scopes_needed().into_iter().collect();
                    format!("Use a token of the same environment with the scopes {}.", scopes.join(", "))
                }
                Class::Rejected
                | Class::BadRequest
                | Class::Unauthorized
                | Class::NotFound
                | Class::OutOfSync
                | Class::ConflictOther
                | Class::Validation
                | Class::RateLimited
                | Class::Server
                | Class::Other => refusal.next_step(),
            },
            String::from("Nothing is lost: Enter goes back, the choices still stand."),
        ],
        End::Unreachable(_) => {
            vec![String::from("Check the network and the address; Enter goes back, the choices still stand.")]
        }
        End::Unknown { .. } => vec![
            String::from(
                "Start unstick on the same device file again: it looks up what arrived and goes on from there.",
            ),
            String::from("Send nothing from the device meanwhile."),
        ],
        End::HeadKeepsMoving => {
            vec![String::from("Another device writes all the time: let it finish, then r pulls again.")]
        }
        End::Cancelled => {
            vec![String::from("Enter goes back; what was acknowledged is done and is not sent again.")]
        }
    }
}
