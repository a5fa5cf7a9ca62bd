//! From an inspection or a push to rows. Pure: what happened goes in, what is to be remembered comes out.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::event::{Event, What, name, new_id, stable_id};
use crate::domain::device::Device;
use crate::domain::diagnosis;
use crate::domain::inspect::{Inspection, Pair, Status};
use crate::domain::ledger;
use crate::domain::mutation::Millis;
use crate::domain::push::Outcome;
use crate::domain::resolution::{By, Chosen, Resolution};

/// Which server the rows speak of, and when.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The server's short name.
    pub server: &'a str,
    /// Now.
    pub at: Millis,
}

/// The rows of an inspection: none where nothing diverges, else the inspection and each conflict.
pub fn inspected(inspection: &Inspection, scene: Scene<'_>, took: Duration) -> Vec<Event> {
    if inspection.summary.diverged == 0 {
        return Vec::new();
    }
    let causes = causes(inspection, scene.at);
    let caught = diagnosis::was_refused(&inspection.device);
    let event = Event {
        causes: Some(causes.clone()),
        queued: count(inspection.summary.queued),
        window: count(inspection.summary.window),
        diverged: count(inspection.summary.diverged),
        caught: Some(i64::from(caught)),
        took_ms: ms(took),
        ..blank(new_id(), What::Inspection, &inspection.device, scene)
    };
    let mut events = vec![event];
    events.extend(conflicts(inspection, &causes, scene));
    events
}

/// The conflicts alone, as what a push came upon.
pub fn found(inspection: &Inspection, scene: Scene<'_>) -> Vec<Event> {
    if inspection.summary.diverged == 0 {
        return Vec::new();
    }
    conflicts(inspection, &causes(inspection, scene.at), scene).collect()
}

fn conflicts<'a>(
    inspection: &'a Inspection,
    causes: &'a str,
    scene: Scene<'a>,
) -> impl Iterator<Item = Event> + 'a {
    inspection.pairs.iter().filter(|pair| pair.status == Status::Diverged).map(move |pair| Event {
        kind: Some(name(pair.kind.wire())),
        shape: Some(shape(pair)),
        resource: inspection.served(pair).find_map(|m| m.resource_id.as_ref()).map(|id| name(id.as_str())),
        causes: Some(causes.to_owned()),
        fields: count(pair.open.len()),
        gap_ms: gap(inspection, pair),
        ..blank(conflict_id(inspection, pair), What::Conflict, &inspection.device, scene)
    })
}

/// What was done, and what two resources contend for.
fn shape(pair: &Pair) -> String {
    match pair.contest() {
        Some(rival) => format!("{} {}", pair.shape, rival.contest.word()),
        None => pair.shape.to_string(),
    }
}

/// The same for the same edit of the same device, whoever looks at it, and however often.
fn conflict_id(inspection: &Inspection, pair: &Pair) -> String {
    let first = inspection.queued(pair).next();
    let queued = first.map_or("", |m| m.id.as_str());
    let created = first.and_then(|m| m.created_at).map_or_else(String::new, |at| at.0.to_string());
    stable_id(&[&device_name(&inspection.device), pair.kind.wire(), queued, &created])
}

/// Between the device's first queued edit and the server's write. A sync between the two would have shown the
/// earlier one to whoever wrote the later one.
fn gap(inspection: &Inspection, pair: &Pair) -> Option<i64> {
    let device = inspection.queued(pair).filter_map(|m| m.created_at).min()?;
    let other = || inspection.window.mutations.get(pair.contest()?.at?);
    let server = inspection.primary(pair).or_else(other)?.timestamp;
    i64::try_from(device.0.abs_diff(server.0)).ok()
}

fn causes(inspection: &Inspection, now: Millis) -> String {
    let mut ids = Vec::new();
    for cause in diagnosis::diagnose(inspection, now) {
        if !ids.contains(&cause.id) {
            ids.push(cause.id);
        }
    }
    ids.join(" ")
}

fn device_name(device: &Device) -> String {
    name(device.identity.id.as_deref().unwrap_or_else(|| device.identity.name()))
}

fn blank(id: String, what: What, device: &Device, scene: Scene<'_>) -> Event {
    Event {
        id,
        at: scene.at.0,
        what,
        device: device_name(device),
        server: name(scene.server),
        ..Event::default()
    }
}

fn count(count: usize) -> Option<i64> {
    i64::try_from(count).ok()
}

fn ms(duration: Duration) -> Option<i64> {
    i64::try_from(duration.as_millis()).ok()
}

/// The conflicts that a push begins with, and what was chosen of each.
#[derive(Debug)]
pub struct Decided {
    strategy: String,
    conflicts: Vec<DecidedConflict>,
}

#[derive(Debug)]
struct DecidedConflict {
    id: String,
    kind: String,
    shape: String,
    queue: Vec<String>,
    choice: Option<&'static str>,
    strategy: String,
}

impl Decided {
    /// What `resolution` makes of the divergences of `inspection`.
    pub fn of(inspection: &Inspection, resolution: &Resolution) -> Self {
        let mut chosen: HashMap<_, Vec<&Chosen>> = HashMap::new();
        for (unit, choice) in resolution.iter() {
            chosen.entry(unit.pair).or_default().push(choice);
        }
        let conflicts = inspection.ids().filter(|(_, pair)| pair.status == Status::Diverged);
        let conflicts = conflicts.map(|(id, pair)| {
            let chosen = chosen.get(&id).map(Vec::as_slice).unwrap_or_default();
            DecidedConflict {
                id: conflict_id(inspection, pair),
                kind: name(pair.kind.wire()),
                shape: shape(pair),
                queue: inspection.queued(pair).map(|m| m.id.as_str().to_owned()).collect(),
                choice: one_word(chosen.iter().map(|chosen| chosen.choice.word())),
                strategy: strategy(chosen.iter().copied()),
            }
        });
        Self {
            conflicts: conflicts.collect(),
            strategy: strategy(resolution.iter().map(|(_, chosen)| chosen)),
        }
    }

    /// The rows of the push that these choices came to; `refused` is how many POSTs were answered 409.
    pub fn pushed(self, outcome: &Outcome, refused: u32, scene: Scene<'_>, took: Duration) -> Vec<Event> {
        let push = Event {
            strategy: Some(self.strategy),
            outcome: Some(outcome.end.word().to_owned()),
            posts: Some(i64::from(outcome.posts)),
            refused: Some(i64::from(refused)),
            sent: count(outcome.sent.len()),
            held: count(outcome.held.iter().map(|held| held.ids.len()).sum()),
            quarantined: count(outcome.quarantined.iter().map(|entry| entry.ids.len()).sum()),
            lost: count(ledger::lines(&outcome.ledger).len()),
            took_ms: ms(took),
            ..blank(new_id(), What::Push, &outcome.device, scene)
        };
        // What is settled has left the queue; what is in doubt or refused has not.
        let waiting: HashSet<&str> = outcome.device.queue.iter().map(|m| m.id.as_str()).collect();
        let settled = self.conflicts.into_iter().filter(|conflict| {
            conflict.choice.is_some() && conflict.queue.iter().all(|id| !waiting.contains(id.as_str()))
        });
        let settled = settled.map(|conflict| {
            Event {
                kind: Some(conflict.kind),
                shape: Some(conflict.shape),
                choice: conflict.choice.map(str::to_owned),
                strategy: Some(conflict.strategy),
                ..blank(resolution_id(&conflict.id), What::Resolution, &outcome.device, scene)
            }
            .of(conflict.id)
        });
        let mut events = vec![push];
        events.extend(settled);
        // Others may have written meanwhile.
        events.extend(found(&outcome.inspection, scene));
        events
    }
}

impl Event {
    fn of(self, conflict: String) -> Self {
        Self { conflict: Some(conflict), ..self }
    }
}

fn resolution_id(conflict: &str) -> String {
    stable_id(&[conflict, What::Resolution.word()])
}

fn strategy<'a>(chosen: impl Iterator<Item = &'a Chosen>) -> String {
    let words = chosen.map(|chosen| match chosen.by {
        By::Hand => "hand",
        By::Strategy(strategy) => strategy.name(),
    });
    one_word(words).unwrap_or("none").to_owned()
}

/// The word, if all are the same; `mixed` if they are not; `None` if there is none.
fn one_word(words: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let words: BTreeSet<&str> = words.collect();
    match words.len() {
        0 | 1 => words.into_iter().next(),
        _ => Some("mixed"),
    }
}

#[cfg(test)]
mod tests;
