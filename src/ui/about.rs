//! What else is known about the marked resource: what blocks it, its queue entries, when each side wrote.

use super::theme::Ink;
use crate::app::{App, Bench, Focused};
use crate::domain::diagnosis::ago;
use crate::domain::inspect::{Pair, Status};
use crate::domain::mutation::{Millis, QueueId, Side};
use crate::domain::strategy::Clock;

/// The lines, what matters most first.
pub fn lines(app: &App, bench: &Bench, focused: &Focused, pair: &Pair) -> Vec<(Ink, String)> {
    let mut lines = Vec::new();
    if let Some(blocked) = pair.blocked {
        lines.push((Ink::Warning, format!("{}; s drops it", capital(blocked.reason()))));
    }
    if let Some(rival) = &pair.rival {
        let settled = bench.resolution.settles(focused.id, pair);
        let ink = if rival.decides && !settled { Ink::Conflict } else { Ink::Dim };
        lines.push((ink, rival.words()));
    }
    for found in bench.inspection.look_alikes_of(focused.id) {
        lines.push((Ink::Warning, format!("{}.", capital(&found.words()))));
    }
    for refused in bench.refused.iter().filter(|refused| refused.unit.pair == focused.id) {
        lines.push((
            Ink::Warning,
            format!("The server will refuse this: {} · f fixes it", refused.problem.what),
        ));
    }
    if let Some(contradiction) = pair.contradiction {
        lines.push((
            Ink::Warning,
            format!("{}: what is meant is for you to say", capital(contradiction.reason())),
        ));
    }
    lines.extend(queued(app, bench, focused, pair).map(|text| (Ink::Dim, text)));
    if let Some(clock) = focused.clock.filter(|_| pair.status == Status::Diverged) {
        lines.push((Ink::Dim, last_write(clock)));
    }
    lines.extend(misread(focused).map(|text| (Ink::Warning, text)));
    lines.extend(twin(bench, pair).map(|text| (Ink::Dim, text)));
    lines.extend(ids(bench, pair).map(|text| (Ink::Dim, text)));
    lines
}

/// The queue entries behind the resource, what they amount to, and how often they were tried.
fn queued(app: &App, bench: &Bench, focused: &Focused, pair: &Pair) -> Option<String> {
    let queued = || bench.inspection.queued(pair);
    let shown: Vec<String> = queued().take(4).map(|m| format!("{} {}", m.id, m.op.wire())).collect();
    if shown.is_empty() {
        return None;
    }
    let more = pair.device.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let intents: Vec<&str> = focused.details.intents.iter().map(|intent| intent.op.wire()).collect();
    let amounts = match (pair.device.len(), intents.as_slice()) {
        (_, []) => String::from(", which cancel out"),
        (1, _) => String::new(),
        (_, intents) => format!(", together one {}", intents.join(" and one ")),
    };
    let amounts = match pair.done {
        0 => amounts,
        1 => format!(", of which the first is on the server already; the rest{amounts}"),
        done => format!(", of which the first {done} are on the server already; the rest{amounts}"),
    };
    let when = queued().filter_map(|m| m.created_at).max();
    let when = when.map_or_else(String::new, |at| format!(" · {}", ago(at, app.now())));
    let tries = match queued().map(|m| m.retry_count).max().unwrap_or(0) {
        0 => String::from(" · never sent"),
        1 => String::from(" · sent once"),
        tries => format!(" · sent {tries} times"),
    };
    let error = queued().filter_map(|m| m.last_error.as_deref()).next_back();
    let error = error.map_or_else(String::new, |error| format!(" · last answer: {error}"));
    Some(format!("Queued: {}{more}{amounts}{when}{tries}{error}", shown.join(", ")))
}

/// Who wrote last, by how much, and how sure that is (DESIGN §4).
fn last_write(clock: Clock) -> String {
    let kind = if clock.mixed { " · mixed clocks" } else { "" };
    if clock.margin_ms() == 0 {
        return format!("Last write: a tie, which goes to the server{kind}");
    }
    let margin = match clock.margin_ms() {
        0..1000 => String::from("less than 1 s"),
        margin => ago(Millis(0), Millis(i64::try_from(margin).unwrap_or(i64::MAX))),
    };
    let margin = margin.trim_end_matches(" ago");
    format!("Last write: {} by {margin} · {}{kind}", clock.winner().name(), clock.sensitivity())
}

/// By which ids the resource is known, where its label says none: reports, choices files and logs have these.
fn ids(bench: &Bench, pair: &Pair) -> Option<String> {
    let served = bench.inspection.served(pair).filter_map(|m| m.resource_id.as_ref());
    let named = bench.inspection.queued(pair).filter_map(|m| m.resource_id.as_ref());
    let id = served.chain(named).next()?;
    Some(format!("Id: {id} · in reports and choices files {} {}", pair.kind.wire(), pair.key))
}

/// The client times that cannot be read, so that nothing was decided by them.
fn misread(focused: &Focused) -> impl Iterator<Item = String> + '_ {
    focused.details.fields.iter().filter_map(|field| {
        let told = |side: Side| {
            let why = field.misread(side)?;
            let value = field.value(side)?.to_text();
            Some(format!("the {}'s {value} {why}", side.name()))
        };
        let told: Vec<String> = [Side::Device, Side::Server].into_iter().filter_map(told).collect();
        (!told.is_empty()).then(|| format!("{}: {}; no rule goes by it", field.path.label(), told.join(", ")))
    })
}

/// Which server mutation may be this creation, and why that cannot be told.
fn twin(bench: &Bench, pair: &Pair) -> Option<String> {
    let twin = pair.twin.filter(|_| pair.server.is_empty())?;
    let id = bench.inspection.window.mutations.get(twin)?.resource_id.as_ref();
    let id = id.map_or_else(String::new, |id| format!(" as {id}"));
    if bench.inspection.is_in_doubt(pair) {
        let others = bench.inspection.candidates(pair).len().saturating_sub(1);
        let others = if others > 0 { format!(", and {others} more may be it too") } else { String::new() };
        return Some(format!(
            "The answer to its POST was lost. What may be it is on the server{id}{others}: d sends it again, s takes that for it"
        ));
    }
    let same = bench.inspection.pairs.iter().filter(|other| other.twin == pair.twin);
    let same: Vec<&str> =
        same.flat_map(|other| bench.inspection.queued(other)).map(|m| QueueId::as_str(&m.id)).collect();
    Some(format!(
        "It is on the server{id}; {} look the same, so which of them arrived cannot be told",
        same.join(", ")
    ))
}

/// With a capital letter.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
