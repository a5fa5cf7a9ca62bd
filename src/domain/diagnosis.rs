//! Why the device is stuck, with evidence. Evidence names ids, kinds, counts and times, never what people wrote.

use serde::Serialize;

use super::device::Device;
use super::inspect::{Blocked, Inspection, Pair, Status};
use super::mutation::{Kind, Millis, Side};
use super::phone;
use super::plan::{self, MAX_BATCH};
use super::preflight;
use super::strategy;
use super::window::PullPath;

/// A device clock that is further ahead of the server than this is worth a word, ms.
const CLOCK_SKEW_MS: i64 = 5 * 60 * 1000;

/// One reason why the device is stuck.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// One of the cause ids of DESIGN §6, such as `another-device-synced`.
    pub id: String,
    /// What shows it, as one sentence.
    pub evidence: String,
    /// What to do about it, as one sentence.
    pub next: String,
    /// Whether it goes on blocking the device once everything is pushed (PROTOCOL A10, "push fixes?").
    pub stays: bool,
    /// Ids of the same thing by other rules, such as `sdk-abort:S-P1` of a queue over the limit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The queue entries that it is about, as positions, where it is about some.
    #[serde(skip)]
    pub queue: Vec<usize>,
}

impl Cause {
    fn new(id: &str, evidence: String) -> Self {
        let (next, stays) = remedy(id);
        Self {
            id: id.to_owned(),
            evidence,
            next: next.to_owned(),
            stays,
            also: Vec::new(),
            queue: Vec::new(),
        }
    }

    /// The ids by which reports and logs are searched: its own, then those of other rules.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.id).chain(&self.also).map(String::as_str)
    }
}

/// Whether this device's next sync would be answered 409, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutOfSync {
    /// The device was answered so: the queue entry's `lastError` says it.
    Caught,
    /// The cursor is not the head, so the server would answer so (PROTOCOL A3).
    Foreseen,
    /// The cursor is the head.
    No,
}

/// Whether the device is out of sync.
pub fn out_of_sync(inspection: &Inspection) -> OutOfSync {
    if inspection.device.sync.cursor == Some(inspection.window.head) {
        OutOfSync::No
    } else if was_refused(&inspection.device) {
        OutOfSync::Caught
    } else {
        OutOfSync::Foreseen
    }
}

/// Whether the device was answered 409 and recorded it.
pub fn was_refused(device: &Device) -> bool {
    let mut errors = device.queue.iter().filter_map(|m| m.last_error.as_deref());
    errors.any(|error| error.contains("OutOfSync") || error.contains("409"))
}

/// Why the device is stuck, each cause once: what would still block it after everything is pushed comes first, then
/// what explains most. Empty when nothing is wrong.
pub fn diagnose(inspection: &Inspection, now: Millis) -> Vec<Cause> {
    let mut found = Vec::new();
    found.extend(cursor_causes(inspection));
    found.extend(other_devices(inspection, now));
    found.extend(concurrent(inspection));
    found.extend(echoes(inspection));
    found.extend(schema(inspection));
    found.extend(not_visible(inspection));
    found.extend(poison(inspection));
    found.extend(refusals(inspection));
    found.extend(over_limit(inspection));
    found.extend(clock_skew(inspection, now));
    let mut causes: Vec<Cause> = Vec::new();
    for cause in found {
        match causes.iter_mut().find(|known| known.id == cause.id) {
            Some(known) => known.evidence = format!("{}; {}", known.evidence, cause.evidence),
            None => causes.push(cause),
        }
    }
    for abort in phone::sdk_abort_causes(inspection) {
        let same =
            same_cause(&abort.id, inspection).and_then(|id| causes.iter_mut().find(|known| known.id == id));
        match same {
            Some(known) => {
                known.also.push(abort.id);
                known.queue.extend(abort.queue);
            }
            None => causes.push(abort),
        }
    }
    // Sorting keeps the order among those that stay, and among the others.
    causes.sort_by_key(|cause| !cause.stays);
    causes
}

/// The cause that says the same as a rule of the phone's client. What the phone reads in its own way may be a reason of
/// its own.
fn same_cause(abort: &str, inspection: &Inspection) -> Option<&'static str> {
    match abort.strip_prefix("sdk-abort:")? {
        "S-P1" => Some("queue-over-limit"),
        "S-P2" => Some("poison-mutation"),
        "S-G1" if !inspection.unidentified.is_empty() => Some("schema-mismatch"),
        "S-G2" if !inspection.window.unreadable.is_empty() => Some("schema-mismatch"),
        _ => None,
    }
}

/// What to do about a cause, and whether it stays when everything is pushed.
fn remedy(id: &str) -> (&'static str, bool) {
    match id {
        "another-device-synced" => ("push from here: the device then goes on from the server's head", false),
        "concurrent-mutations" => ("choose for each of them; until then nothing of it is sent", false),
        "missed-header" => ("push from here: what has arrived is recognised and not sent again", false),
        "first-sync-mismatch" => {
            ("push from here: the first request then carries what the server wants", false)
        }
        "cursor-ahead" => {
            ("make sure that it is the right server and the right account before anything is sent", false)
        }
        "queue-over-limit" => (
            "push from here, which sends them in several POSTs; the phone's own sync fails until its database holds the repaired queue",
            true,
        ),
        "poison-mutation" => ("correct that entry or drop it; the rest can be sent without it", true),
        "auth" => ("use a token that has the missing scopes, or let the user sign in again", true),
        "clock-skew" => {
            ("look at the times before last-write-wins decides, and set the device's clock", false)
        }
        "schema-mismatch" => {
            ("the server's answer has to be corrected; until then the device's cursor stays", true)
        }
        _ => ("look at the entries named", true),
    }
}

fn cursor_causes(inspection: &Inspection) -> Vec<Cause> {
    let (device, window) = (&inspection.device, &inspection.window);
    match window.path {
        PullPath::CursorAhead => vec![Cause::new(
            "cursor-ahead",
            format!(
                "the device's cursor {} is ahead of the server's head {}: this server never gave it; another environment, another account, or a restored server",
                device.sync.cursor.map_or_else(|| String::from("-"), |c| c.to_string()),
                window.head
            ),
        )],
        PullPath::FirstSync => vec![Cause::new(
            "first-sync-mismatch",
            String::from(
                "the account has no sync history: the server's head is -1, and the first push must carry exactly that",
            ),
        )],
        PullPath::LostCursor => vec![Cause::new(
            "missed-header",
            String::from(
                "the file holds no cursor (lastMutationAt): the answer that carried it never reached the device's storage; everything was pulled from 0",
            ),
        )],
        PullPath::RefusedSince => vec![Cause::new(
            "missed-header",
            String::from(
                "the server refused the device's cursor on the GET itself; everything was pulled from 0",
            ),
        )],
        PullPath::SinceCursor => Vec::new(),
    }
}

/// The device's own writes coming back say that an answer was lost on its way.
fn echoes(inspection: &Inspection) -> Option<Cause> {
    if inspection.window.path != PullPath::SinceCursor {
        return None;
    }
    let echoes = inspection.pairs.iter().filter(|pair| pair.echo && !pair.server.is_empty()).count();
    let own = is_are(echoes, "of the device's own writes comes back", "of the device's own writes come back");
    (echoes > 0).then(|| {
        Cause::new("missed-header", format!("{own}: the answer that carried the new cursor never reached it"))
    })
}

fn is_are(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

fn other_devices(inspection: &Inspection, now: Millis) -> Option<Cause> {
    let (mut count, mut newest) = (0, None);
    for pair in inspection.pairs.iter().filter(|pair| !pair.echo) {
        for mutation in inspection.served(pair) {
            count += 1;
            newest = newest.max(Some(mutation.timestamp));
        }
    }
    let newest = newest?;
    let changes = is_are(count, "change", "changes");
    Some(Cause::new(
        "another-device-synced",
        format!("another device synced {changes}, the last {}", ago(newest, now)),
    ))
}

fn concurrent(inspection: &Inspection) -> Option<Cause> {
    let both = |pair: &&Pair| pair.status == Status::Diverged && !pair.server.is_empty();
    let diverged = inspection.pairs.iter().filter(both).count();
    let resources =
        is_are(diverged, "resource was changed on both sides", "resources were changed on both sides");
    (diverged > 0).then(|| Cause::new("concurrent-mutations", resources))
}

/// Mutations that wait because the token does not see their kind.
fn not_visible(inspection: &Inspection) -> Option<Cause> {
    let hidden = inspection.pairs.iter().filter(|pair| pair.blocked == Some(Blocked::NotVisible));
    let waiting: usize = hidden.map(|pair| pair.device.len()).sum();
    (waiting > 0).then(|| {
        let kinds = hidden_kinds(&inspection.window.not_visible);
        let waiting = is_are(waiting, "queued mutation is", "queued mutations are");
        Cause::new("auth", format!("{waiting} of a kind that is not visible with this token: {kinds}"))
    })
}

/// `NOTE (scope note), COLLECTION_BOOKMARK (scopes bookmark and collection)`.
pub fn hidden_kinds(kinds: &[Kind]) -> String {
    let one = |kind: &Kind| match kind.scopes() {
        [] => kind.wire().to_owned(),
        [scope] => format!("{} (scope {scope})", kind.wire()),
        scopes => format!("{} (scopes {})", kind.wire(), scopes.join(" and ")),
    };
    kinds.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What the device's own log says of earlier answers.
fn refusals(inspection: &Inspection) -> Vec<Cause> {
    let mut causes = Vec::new();
    let with = |needles: &[&str]| {
        inspection.device.queue.iter().find(|m| {
            m.last_error.as_deref().is_some_and(|error| needles.iter().any(|needle| error.contains(needle)))
        })
    };
    if let Some(entry) = with(&["401", "403", "nauthorized", "orbidden"]) {
        causes.push(Cause::new(
            "auth",
            format!("the last answer to queue entry {} was a refused token or a missing scope", entry.id),
        ));
    }
    if let Some(entry) = with(&["422", "ValidationError"]) {
        causes.push(Cause::new("poison-mutation", format!("the last answer to queue entry {} was a validation error: one such entry refuses the whole POST", entry.id)));
    }
    causes
}

fn poison(inspection: &Inspection) -> Option<Cause> {
    let mut found = inspection.device.queue.iter().filter_map(|m| {
        let problem = preflight::problems(&m.kind, m.op, &m.data).into_iter().next()?;
        Some((m, problem))
    });
    let (entry, problem) = found.next()?;
    let more = found.count();
    let others = if more > 0 { format!(", and {more} more") } else { String::new() };
    Some(Cause::new(
        "poison-mutation",
        format!("queue entry {}: {}{others}; the server refuses a whole POST for it", entry.id, problem.what),
    ))
}

fn over_limit(inspection: &Inspection) -> Option<Cause> {
    let (phase, size) = plan::phase_sizes(inspection).into_iter().max_by_key(|(_, size)| *size)?;
    (size > MAX_BATCH).then(|| {
        Cause::new(
            "queue-over-limit",
            format!("{size} mutations of {} wait, and a POST takes at most {MAX_BATCH}; the phone sends them all in one", phase.words()),
        )
    })
}

fn clock_skew(inspection: &Inspection, now: Millis) -> Option<Cause> {
    let ahead = |pair: &Pair| {
        let clock = strategy::clock(inspection, pair)?;
        (clock.device.0 > now.0.saturating_add(CLOCK_SKEW_MS)).then_some((Side::Device, clock.device))
    };
    let pair = inspection.pairs.iter().filter(|pair| pair.status == Status::Diverged).find_map(ahead);
    let (side, stamp) = pair?;
    Some(Cause::new(
        "clock-skew",
        format!("a change of the {} is stamped {}: that clock runs fast", side.name(), ago(stamp, now)),
    ))
}

fn schema(inspection: &Inspection) -> Vec<Cause> {
    let mut causes = Vec::new();
    if let Some(entry) = inspection.window.unreadable.first() {
        let count = inspection.window.unreadable.len();
        causes.push(Cause::new(
            "schema-mismatch",
            format!(
                "{} of the server's feed cannot be read, the first at {} of page {}: found {}, expected {}",
                is_are(count, "entry", "entries"),
                entry.pointer,
                entry.page,
                entry.found,
                entry.expected
            ),
        ));
    }
    let unknown = inspection.pairs.iter().filter(|pair| matches!(pair.kind, Kind::Other(_))).count();
    if unknown > 0 {
        causes.push(Cause::new(
            "schema-mismatch",
            format!(
                "{} of a kind that this version does not know",
                is_are(unknown, "resource is", "resources are")
            ),
        ));
    }
    if !inspection.unidentified.is_empty() {
        let count = inspection.unidentified.len();
        causes.push(Cause::new(
            "schema-mismatch",
            is_are(
                count,
                "entry of the server's feed names no resource",
                "entries of the server's feed name no resource",
            ),
        ));
    }
    causes
}

/// How long ago, in the largest unit that says enough: `4 min ago`, `in 2 h`.
pub fn ago(then: Millis, now: Millis) -> String {
    let past = now.0 >= then.0;
    let seconds = now.0.abs_diff(then.0) / 1000;
    let span = match seconds {
        0 => return String::from("just now"),
        1..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min", seconds / 60),
        3600..=86_399 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    };
    if past { format!("{span} ago") } else { format!("in {span}") }
}
