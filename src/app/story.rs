//! What happened, in words: the steps of a pull and of a push, why the device is stuck, how a push ended.

use std::path::Path;

use super::event::{PushEnd, Stuck};
use super::page::{Page, Rank};
use super::words::one_line;
use crate::domain::again::Again;
use crate::domain::answer::Class;
use crate::domain::diagnosis::{Cause, hidden_kinds};
use crate::domain::inspect::Inspection;
use crate::domain::mutation::QueueId;
use crate::domain::naming;
use crate::domain::phone::Verdict;
use crate::domain::phone::log::Fingerprint;
use crate::domain::push::{self, Answer, Difference, End, Note, Outcome};
use crate::domain::settle::Loss;
use crate::domain::window::{PullPath, PullStep};
pub use crate::domain::words::{count, sentence};
use crate::exit::ExitCode;
use crate::unwritten::Unwritten;

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

/// What a recovery begins with, in words.
fn stuck_step(stuck: Stuck) -> Step {
    match stuck {
        Stuck::Recorded { .. } => {
            Step::new('✗', "409 OutOfSyncError: the device's last POST was refused, as its queue records")
        }
        Stuck::Foreseen { cursor, head } => Step::new(
            '✗',
            format!("409 OutOfSyncError foreseen: the device's cursor {cursor} is not the head {head}"),
        ),
    }
}

/// The recovery so far, step by step: the 409 first, then the pull.
pub fn steps(stuck: Option<Stuck>, pull: &[PullStep]) -> impl Iterator<Item = Step> {
    stuck.map(stuck_step).into_iter().chain(pull.iter().map(step))
}

/// A step of the pull in words.
fn step(step: &PullStep) -> Step {
    match step {
        PullStep::AskedHead => Step::new('→', "GET /v1/sync?metadataOnly=true: where is the head?"),
        PullStep::Head(head) => Step::new('✓', format!("the head is {head}")),
        PullStep::Path(path) => Step::new('·', path_words(*path)),
        PullStep::AskedPage { since, page } => {
            Step::new('→', format!("GET /v1/sync?mutationsSince={since}&limit=1000&page={page}"))
        }
        PullStep::Page { page, mutations, unreadable, total, head, more } => {
            let of = total.map_or_else(String::new, |total| format!(" of {total}"));
            let odd = match unreadable {
                0 => String::new(),
                unreadable => format!(", {unreadable} that cannot be read"),
            };
            let more = if *more { ", more to come" } else { "" };
            let mark = if *unreadable > 0 { '!' } else { '✓' };
            Step::new(
                mark,
                format!("page {page}: {}{of}{odd}, head {head}{more}", count(*mutations, "mutation")),
            )
        }
        PullStep::HeadMoved { first, now, tries: _ } => {
            Step::new('·', format!("the head moved from {first} to {now} between the pages: pull again"))
        }
        PullStep::NotWhole { gap, tries: _ } => Step::new('!', format!("{gap}: pull again")),
        PullStep::CaughtUp { first, now } => Step::new(
            '✓',
            format!("the head moved from {first} to {now}, nothing is missing: both sides can be compared"),
        ),
        PullStep::HeadStable(head) => {
            Step::new('✓', format!("the head stayed at {head}: both sides can be compared"))
        }
        PullStep::Waiting { ms, why } => Step::new('·', format!("waits {:.1} s: {why}", *ms as f64 / 1000.0)),
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
        Note::Sending { post, mutations, head } => Step::new(
            '→',
            format!("POST {post}: {} with lastMutationAt={head}", count(*mutations, "mutation")),
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

/// Why the device is stuck, in full: causes (`None` while they are worked out), warnings, the steps of the pull.
pub fn why(
    inspection: &Inspection,
    causes: Option<&[Cause]>,
    warnings: &[String],
    stuck: Option<Stuck>,
    pull: &[PullStep],
) -> Page {
    let mut page = Page::default();
    page.push(Rank::Title, "Why the device is stuck");
    let causes = match causes {
        Some([]) => {
            page.push(Rank::Good, "Nothing stands against a sync: the cursor is the head.");
            &[]
        }
        Some(causes) => causes,
        None => {
            page.push(Rank::Text, "It is being worked out …");
            &[]
        }
    };
    // They come sorted: what a push does not cure first.
    let stay = causes.iter().take_while(|cause| cause.stays).count();
    for (at, cause) in causes.iter().enumerate() {
        if at == 0 && stay > 0 {
            page.push(Rank::Warning, "This still blocks the device once everything is pushed:");
        }
        if at == stay && stay > 0 {
            page.push(Rank::Heading, "The rest, which a push settles");
        }
        page.push(Rank::Heading, cause_title(&cause.id));
        page.push(Rank::Text, sentence(&cause.evidence));
        let rows = naming::rows_of(inspection, &cause.queue);
        if !rows.is_empty() {
            page.item(Rank::Item, '·', format!("Where: {rows}"));
        }
        if let Some(print) = Fingerprint::of_cause(cause) {
            page.item(Rank::Item, '·', format!("Why it comes again: {}", sentence(print.why)));
        }
        let rules: Vec<&str> = cause.rules().collect();
        page.item(Rank::Item, '→', format!("{} [{}]", sentence(&cause.next), rules.join(", ")));
    }
    let window = &inspection.window;
    let told = inspection.warnings();
    let told = warnings.iter().chain(&window.warnings).chain(&told);
    let mut mind: Vec<String> = told.map(|text| sentence(text)).collect();
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
        page.push(Rank::Heading, "Mind this");
        for text in mind {
            page.item(Rank::Item, '!', text);
        }
    }
    if !pull.is_empty() {
        page.push(Rank::Heading, "What was done so far");
        for Step { mark, text } in steps(stuck, pull) {
            page.item(Rank::Item, mark, text);
        }
    }
    page
}

/// A cause in a person's words.
fn cause_title(id: &str) -> &str {
    match id {
        "another-device-synced" => "Another device synced meanwhile",
        "concurrent-mutations" => "Both sides changed the same resources",
        "missed-header" => "The device never got its new cursor",
        "first-sync-mismatch" => "The account's first sync",
        "cursor-ahead" => "The cursor is ahead of the server",
        "queue-over-limit" => "More waits than one POST takes",
        "poison-mutation" => "A mutation that the server refuses",
        "auth" => "The token",
        "clock-skew" => "A clock is wrong",
        "schema-mismatch" => "The data has another form than expected",
        _ if id.starts_with("sdk-abort:") => "The device's own sync gives up on it",
        _ => id,
    }
}

/// Where something is told: only on the screen there are keys to name, and only elsewhere commands.
pub enum Told<'a> {
    /// On the screen.
    Screen,
    /// On paper: standard output, with the commands that come next.
    Paper(&'a Again),
}

impl Told<'_> {
    /// What to do next: the sentence for the screen, or the one for paper with its command.
    fn step(&self, screen: &str, paper: &str, verb: &str, more: &[&str]) -> String {
        match self {
            Self::Screen => screen.to_owned(),
            Self::Paper(again) => format!("{paper}: {}", again.command(verb, more)),
        }
    }
}

impl Told<'_> {
    /// The choices outlive a push that ended early.
    fn nothing_lost(&self) -> String {
        String::from(match self {
            Self::Screen => "Nothing is lost: Enter goes back, the choices still stand.",
            Self::Paper(_) => "Nothing is lost: the same command can be given again.",
        })
    }
}

/// How a push ended: what happened, what to do on the device, where everything lies.
pub fn ended(end: &PushEnd, told: &Told<'_>) -> (Page, ExitCode) {
    let outcome = &end.outcome;
    let mut page = Page::default();
    let (rank, title) = title(outcome);
    if let Some(unwritten) = &end.unwritten {
        page.push(Rank::Title, "Sent, but the device file could not be written");
        page.push(Rank::Warning, sentence(&unwritten.why));
        page.push(
            Rank::Warning,
            format!(
                "The file still holds what was queued. {}; what the server acknowledged is in the journal.",
                unwritten.result.words()
            ),
        );
        page.push(Rank::Heading, title);
    } else {
        page.push(Rank::Title, title);
    }
    page.push(rank, what_happened(end));
    if let Some(failure) = &end.failure {
        page.push(Rank::Warning, format!("{} ({}). {}", failure.what, failure.where_, failure.next));
    }
    let head = outcome.head;
    if end.unwritten.is_some() {
        page.push(
            Rank::Text,
            format!("The device's cursor stays where it was until the file is written; the head is {head}."),
        );
    } else if outcome.cursor_moved {
        page.push(
            Rank::Text,
            match &outcome.device.phone {
                None => format!("The device's cursor is {head} now, which is the server's head."),
                Some(_) => format!(
"The device file beside the database has the cursor {head} now, the server's head; the phone's own cursor stays where it was."
),
            },
        );
    } else {
        page.push(
            Rank::Text,
            format!("The device's cursor stays where it was, so that nothing open is overlooked; the head is {head}."),
        );
    }
    if !outcome.beyond.is_empty() {
        page.push(Rank::Heading, "Lost beyond the preview, because the server changed meanwhile");
        for loss in &outcome.beyond {
            page.item(Rank::Item, '!', beyond_words(loss));
        }
    }
    if matches!(outcome.end, End::Unknown { .. }) {
        for question in push::questions(&outcome.inspection) {
            page.push(Rank::Heading, format!("Has it arrived? {}", question.title(&outcome.inspection)));
            for (candidate, fields) in question.beside(&outcome.inspection) {
                page.item(Rank::Item, '?', candidate);
                for field in fields {
                    page.item(Rank::Item, ' ', field);
                }
            }
        }
    }
    if !outcome.quarantined.is_empty() {
        page.push(Rank::Heading, "Set aside, because the server refuses it");
        for left in &outcome.quarantined {
            page.item(Rank::Item, '✗', format!("{}: {}", called(outcome, &left.ids), left.message));
        }
    }
    if !outcome.held.is_empty() {
        page.push(Rank::Heading, "Still in the queue");
        for left in &outcome.held {
            page.item(Rank::Item, '·', format!("{}: {}", called(outcome, &left.ids), left.message));
        }
    }
    if !outcome.differences.is_empty() {
        page.push(Rank::Heading, "The server holds something else than it acknowledged");
        for difference in &outcome.differences {
            page.item(Rank::Item, '!', difference_words(outcome, difference));
        }
    }
    if let Some(forecast) = &end.recovery {
        page.push(Rank::Heading, "Will the phone recover?");
        for line in forecast.told() {
            let mark = if forecast.verdict == Verdict::ByItself { '✓' } else { '!' };
            page.item(Rank::Item, mark, line);
        }
    }
    page.push(Rank::Heading, "What to do now");
    for (mark, line) in ('1'..='9').zip(next_steps(end, told)) {
        page.item(Rank::Item, mark, line);
    }
    if !end.left_out.is_empty() {
        page.push(Rank::Heading, "What the device file has no place for");
        for text in &end.left_out {
            page.item(Rank::Item, '!', text.clone());
        }
    }
    let files = [("device file", &end.written), ("backup", &end.backup), ("report", &end.report)];
    if files.iter().any(|(_, path)| path.is_some()) {
        page.push(Rank::Heading, "Where it lies");
        let mut folder = None;
        for (name, path) in files {
            let Some(path) = path else { continue };
            // Most lie beside one another; the folder is told once.
            match (path.parent(), path.file_name()) {
                (Some(parent), Some(file)) if folder == Some(parent) => {
                    page.push(Rank::Item, format!("{name}, beside it: {}", file.display()));
                }
                (parent, _) => {
                    page.push(Rank::Item, lies(name, path));
                    folder = parent;
                }
            }
        }
    }
    (page, ExitCode::after(&outcome.end, end.unwritten.is_none()))
}

/// What lies where.
pub fn lies(name: &str, path: &Path) -> String {
    format!("{name}: {}", path.display())
}

/// `NOTE 2:255, body, of the server: "…" (client-wins)`: the person has not seen the value anywhere else.
fn beyond_words(loss: &Loss) -> String {
    let field = if loss.path.is_existence() { String::new() } else { format!(", {}", loss.path.label()) };
    let (label, value) = (naming::labelled(&loss.kind, &loss.title), one_line(Some(&loss.value)));
    format!("{label}{field}, of the {}: {value} ({})", loss.side.name(), loss.reason)
}

/// `NOTE n1, ranges: the server … (queue entry q1)`.
fn difference_words(outcome: &Outcome, difference: &Difference) -> String {
    let Difference { ids, kind, resource_id, path, what, .. } = difference;
    let field = if path.is_existence() { String::new() } else { format!(", {}", path.label()) };
    let title = naming::title_of_row(&outcome.inspection, kind, &format!("id:{resource_id}"));
    format!("{}{field}: {what} ({})", naming::labelled(kind, &title), names(ids))
}

/// The resource of queue entries that are still there, and the entries: `NOTE 2:255 (queue entry q1)`.
fn called(outcome: &Outcome, ids: &[QueueId]) -> String {
    let inspection = &outcome.inspection;
    let position = ids.first().and_then(|id| inspection.device.queue.iter().position(|m| m.id == *id));
    let Some(position) = position else { return names(ids) };
    let pair = inspection.pair(inspection.pair_of_queued(position));
    format!("{} ({})", naming::label(inspection, pair), names(ids))
}

/// Whether the last answer was a failure of the server's own, and not a no.
fn failed(class: Class) -> bool {
    match class {
        Class::Server => true,
        Class::Rejected
        | Class::BadRequest
        | Class::Unauthorized
        | Class::Forbidden
        | Class::NotFound
        | Class::OutOfSync
        | Class::ConflictOther
        | Class::Validation
        | Class::RateLimited
        | Class::Other => false,
    }
}

/// Whether something was sent and only its answer did not come: then the server was reached.
fn answer_was_lost(outcome: &Outcome) -> bool {
    match outcome.course.exchanges.last().map(|exchange| &exchange.answer) {
        Some(Answer::Lost(_) | Answer::Doubtful(_)) => true,
        Some(Answer::Awaited | Answer::Acknowledged { .. } | Answer::Refused(_) | Answer::NotSent(_))
        | None => false,
    }
}

fn title(outcome: &Outcome) -> (Rank, &'static str) {
    match &outcome.end {
        End::Done => (Rank::Good, "The sync went through"),
        End::Left => (Rank::Warning, "What was settled is sent; the rest remains"),
        End::Reopened(_) => (Rank::Warning, "The server changed meanwhile"),
        End::OtherAccount(_) => (Rank::Warning, "This seems to be another account"),
        End::FirstSync(_) => (Rank::Warning, "The server expects a first sync"),
        End::Refused(refusal) if failed(refusal.class) => (Rank::Warning, "The server failed"),
        End::Refused(_) => (Rank::Warning, "The server refused"),
        End::Unreachable(_) if answer_was_lost(outcome) => {
            (Rank::Warning, "The server gave no answer that can be used")
        }
        End::Unreachable(_) => (Rank::Warning, "The server cannot be reached"),
        End::Unknown { .. } => (Rank::Warning, "It cannot be told what arrived"),
        End::HeadKeepsMoving => (Rank::Warning, "The head moved on every attempt"),
        End::NotJournaled(_) => (Rank::Warning, "Stopped: the journal cannot be written"),
        End::Cancelled => (Rank::Warning, "Stopped"),
    }
}

fn what_happened(end: &PushEnd) -> String {
    let outcome = &end.outcome;
    let done = format!(
        "{} acknowledged in {}; {} of others taken over.",
        count(outcome.sent.len(), "mutation"),
        posts(outcome),
        count(outcome.applied, "mutation")
    );
    match &outcome.end {
        End::NotJournaled(why) => format!("{} {done}", sentence(why)),
        End::Done | End::Left | End::Reopened(_) | End::HeadKeepsMoving | End::Cancelled => {
            format!("{done}{}", looked_up_next(outcome))
        }
        End::FirstSync(refusal) | End::Refused(refusal) => {
            format!("{refusal} {done}{}", looked_up_next(outcome))
        }
        End::OtherAccount(why) | End::Unreachable(why) => {
            format!("{} {done}{}", sentence(why), looked_up_next(outcome))
        }
        End::Unknown { in_doubt, why } => format!("{} In doubt: {}. {done}", sentence(why), names(in_doubt)),
    }
}

/// What is said where the last POST may have been applied and nothing told: the journal keeps it.
fn looked_up_next(outcome: &Outcome) -> String {
    match outcome.device.in_doubt.len() {
        0 => String::new(),
        1 => String::from(
            " Of 1 queue entry nothing tells yet whether it arrived: the journal keeps that, and the next start looks it up before it sends anything.",
        ),
        many => format!(
            " Of {many} queue entries nothing tells yet whether they arrived: the journal keeps that, and the next start looks it up before it sends anything."
        ),
    }
}

/// `3 POSTs, 2 answered 200, 1 answered 409`: each POST by what came of it.
fn posts(outcome: &Outcome) -> String {
    let mut answers: Vec<(String, usize)> = Vec::new();
    for exchange in &outcome.course.exchanges {
        let word = match &exchange.answer {
            Answer::Acknowledged { .. } | Answer::Doubtful(_) => String::from("answered 200"),
            Answer::Refused(refusal) => format!("answered {}", refusal.status),
            Answer::NotSent(_) => String::from("never left"),
            Answer::Lost(_) => String::from("without a usable answer"),
            Answer::Awaited => String::from("still unanswered"),
        };
        match answers.iter_mut().find(|(known, _)| *known == word) {
            Some((_, times)) => *times += 1,
            None => answers.push((word, 1)),
        }
    }
    let all = count(outcome.posts as usize, "POST");
    match answers.as_slice() {
        [] => all,
        [(word, _)] => format!("{all}, {word}"),
        many => many.iter().fold(all, |text, (word, times)| format!("{text}, {times} {word}")),
    }
}

/// The file holds the whole queue: whatever else is to be done, the application must not sync with it.
fn write_again(unwritten: &Unwritten, told: &Told<'_>) -> Vec<String> {
    let mut steps = vec![String::from(
        "Do not put the file back and do not let the app sync: it would send everything again.",
    )];
    if unwritten.ask {
        steps.push(format!(
            "Put together by hand what the app wrote and {}, in the device file.",
            unwritten.result.path().display()
        ));
    } else {
        steps.push(String::from("See to it that the file can be written: its mode, its folder, the disk."));
    }
    steps.push(told.step(
        "Then start unstick on the same file again: it sends nothing twice and writes the file.",
        "Then write it; nothing is sent twice",
        "resume",
        &["--yes"],
    ));
    steps
}

fn next_steps(end: &PushEnd, told: &Told<'_>) -> Vec<String> {
    let written = end.written.is_some();
    let back = if written {
        "Put the device file back on the device; its next sync starts from the new cursor."
    } else {
        "The device file was not written: the device pulls the server's state on its next sync."
    };
    if let Some(unwritten) = &end.unwritten {
        return write_again(unwritten, told);
    }
    match &end.outcome.end {
        End::Done if end.outcome.device.phone.is_some() => {
            let next = if end.phone_stops() {
"The phone's own database is as it was, and everything that waited on it is on the server now. Its next sync stops all the same: do what stands above first."
} else {
"The phone's own database is as it was. Open the app there and let it sync once: it pulls what was pushed from here and recognises it."
};
            vec![next.to_owned()]
        }
        End::Done => vec![
            String::from(back),
            String::from(
                "Open the app there and let it sync once: it has nothing to push and pulls nothing new.",
            ),
        ],
        End::Left => vec![told.step(
            "Enter goes back to what is open; choose, preview and send again.",
            "Choose what is open on the screen, and send again",
            "open",
            &[],
        )]
        .into_iter()
        .chain((!end.outcome.quarantined.is_empty()).then(|| match told {
            Told::Screen => {
                String::from("What the server refuses can be corrected there: e edits the marked field.")
            }
            Told::Paper(_) => String::from("What the server refuses can be corrected there, or dropped."),
        }))
        .collect(),
        End::Reopened(_) => vec![told.step(
            "Enter shows what was reopened; the other choices still stand.",
            "Look at what changed on the screen, and choose again",
            "open",
            &[],
        )],
        End::OtherAccount(_) => vec![match told {
            Told::Screen => String::from("Check the token and the device file. Where they do belong together, p and y ask once more."),
            Told::Paper(_) => String::from("Check the token and the device file. If they do belong together, give the same command with --accept-other-account."),
        }],
        End::FirstSync(_) => vec![match told {
            Told::Screen => {
                String::from("Enter goes back; p and y ask once more, with -1 where the server wants it.")
            }
            Told::Paper(_) => String::from(
                "Give the same command with --retry-first-sync: it asks once more, with -1 where the server wants it.",
            ),
        }],
        End::Refused(refusal) => vec![
            match refusal.class {
                Class::Forbidden => {
                    let scopes: Vec<&str> = end.outcome.course.scopes_needed().into_iter().collect();
                    let scope = if scopes.len() == 1 { "scope" } else { "scopes" };
                    format!("Use a token of the same environment with the {scope} {}.", scopes.join(", "))
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
            told.nothing_lost(),
        ],
        End::Unreachable(_) if answer_was_lost(&end.outcome) => vec![
            String::from("Try again in a while; what has arrived is looked up first and is not sent twice."),
            told.nothing_lost(),
        ],
        End::Unreachable(_) => {
            vec![String::from("Check the network and the server's address."), told.nothing_lost()]
        }
        End::Unknown { .. } if !push::questions(&end.outcome.inspection).is_empty() => vec![
            told.step(
                "Enter goes back, where each stands beside what may be it: d sends it again, s takes what is there for it. Then preview and send.",
                "Say of each what became of it",
                "resume",
                &["--ask"],
            ),
            match told {
                Told::Screen => String::from("Send nothing from the device meanwhile."),
                Told::Paper(_) => {
                    let questions = push::questions(&end.outcome.inspection);
                    let named = questions.iter().filter_map(|question| question.queue.first());
                    let named: Vec<String> = named.map(|id| format!("{id}")).collect();
                    format!(
                        "Or by flags, one for each of {}: --arrived ID where what is there is it, --not-arrived ID where it is another's; with --yes it goes on from there.",
                        named.join(", ")
                    )
                }
            },
            match told {
                Told::Screen => String::from(
                    "unstick resume --discard gives it up; what of it did arrive is sent again then and is there twice.",
                ),
                Told::Paper(again) => format!(
                    "Send nothing from the device meanwhile. To give it all up: {}; what of it did arrive in other words is sent again then and is there twice.",
                    again.command("resume", &["--discard"])
                ),
            },
        ],
        End::Unknown { .. } => vec![
            told.step(
                "Start unstick on the same device file again: it looks up what arrived and goes on from there.",
                "Go on from there; what arrived is looked up first",
                "resume",
                &["--yes"],
            ),
            String::from("Send nothing from the device meanwhile."),
        ],
        End::HeadKeepsMoving => vec![match told {
            Told::Screen => {
                String::from("Another device writes all the time: let it finish, then r pulls again.")
            }
            Told::Paper(_) => String::from(
                "Another device writes all the time: let it finish, then give the same command again.",
            ),
        }],
        End::NotJournaled(_) => vec![
            String::from("Make room on the disk, or see to it that the device file's folder can be written to; nothing is sent without a journal."),
            match told {
                Told::Screen => {
                    String::from("Then Enter goes back; what was acknowledged is done and is not sent again.")
                }
                Told::Paper(_) => String::from(
                    "Then the same command goes on; what was acknowledged is done and is not sent again.",
                ),
            },
        ],
        End::Cancelled => vec![match told {
            Told::Screen => {
                String::from("Enter goes back; what was acknowledged is done and is not sent again.")
            }
            Told::Paper(_) => String::from(
                "The same command goes on; what was acknowledged is done and is not sent again.",
            ),
        }],
    }
}
