//! What ends the phone's sync, told with evidence: ids and places, never what people wrote.

use indexmap::IndexMap;

use super::Phone;
use super::abort::{Abort, AbortId};
use crate::domain::diagnosis::Cause;
use crate::domain::inspect::Inspection;
use crate::domain::mutation::{Kind, Op};
use crate::domain::plan::MAX_BATCH;

/// How many more of the same are named before the rest is only counted.
const NAMED: usize = 4;

/// The aborts that the phone's own client would run into, in the order of its phases: the first is what stops it,
/// the others wait behind it. Each is one cause `sdk-abort:<PROTOCOL A10 id>`, with the recovery that applies.
pub fn sdk_abort_causes(inspection: &Inspection) -> Vec<Cause> {
    let mut alike: IndexMap<(AbortId, Option<Kind>), Vec<Abort>> = IndexMap::new();
    for abort in Phone::new(&inspection.device, &inspection.window).aborts() {
        alike.entry((abort.id, abort.kind.clone())).or_default().push(abort);
    }
    alike.values().filter_map(|aborts| cause(inspection, aborts)).collect()
}

fn cause(inspection: &Inspection, alike: &[Abort]) -> Option<Cause> {
    let (first, more) = alike.split_first()?;
    let named: Vec<String> = more.iter().take(NAMED).map(|abort| subject(inspection, abort)).collect();
    let others = match more.len() {
        0 => String::new(),
        count if count > NAMED => format!(", and {count} more like it ({}, …)", named.join(", ")),
        count => format!(", and {count} more like it ({})", named.join(", ")),
    };
    Some(Cause {
        id: format!("sdk-abort:{}", first.id),
        evidence: format!("{}{others}", sentence(inspection, first)),
        next: first.id.recovery().words().to_owned(),
        // One abort anywhere ends the phone's sync, and what is pushed from elsewhere leaves its queue as it is.
        stays: true,
        also: Vec::new(),
        queue: alike.iter().flat_map(|abort| abort.device.iter().copied()).collect(),
    })
}

/// What the phone's client finds, in words.
fn sentence(inspection: &Inspection, abort: &Abort) -> String {
    let (queued, served) = (queued(inspection, abort), served(inspection, abort));
    let what = what(abort);
    let detail = abort.detail.as_deref().unwrap_or_default();
    match abort.id {
        AbortId::A1 => format!(
            "{served} is {what}, where the device has deleted one that the server never acknowledged: the phone's client would give both the same id"
        ),
        AbortId::A2 => format!(
            "{served} is {what}, where the device has deleted two that the server never acknowledged: the phone's client does not know which of them it is"
        ),
        AbortId::A3 => format!("{served} moves {what}, where the device has another one"),
        AbortId::A4 => format!(
            "{served} has the name of two collections that were deleted on the device and that the server never acknowledged"
        ),
        AbortId::A5 => format!("{served} has the name of another collection of the device"),
        AbortId::A6 => {
            format!("{served} is the collection of the favourites, and the device has another one")
        }
        AbortId::L1 => {
            format!("{queued} are more than the two mutations of {what} that the phone's client takes")
        }
        AbortId::L2 => format!("{queued} both delete {what}"),
        AbortId::L3 | AbortId::L7 => format!("{queued} deletes {what} without the server's id of it"),
        AbortId::L4 => format!("{queued} both create {what}"),
        AbortId::L5 => {
            format!("{queued} create and update {what}, which the phone's client takes for two creations")
        }
        AbortId::L6 => format!("{queued} create {what} and then delete it"),
        AbortId::L8 => {
            let lacks = match abort.kind {
                Some(Kind::Link) => "names no collection",
                Some(Kind::Collection) => "is a collection without a name",
                Some(Kind::Bookmark | Kind::Note | Kind::ReadingSession | Kind::Other(_)) | None => {
                    "is a note without a body"
                }
            };
            format!("{queued} {lacks}")
        }
        AbortId::L9 => format!("{queued} is a bookmark of no place that the phone's client knows"),
        AbortId::G1 => {
            let count = abort.server.len();
            debug_assert!(count == 1, "each entry is an abort of its own");
            format!("an entry of the server's feed is about {what} and names none, at {served}")
        }
        AbortId::G2 => format!("an entry of the server's feed cannot be decoded: {detail}"),
        AbortId::G3 => format!("{served} has a {detail} that the phone's client cannot read"),
        AbortId::R1 => format!("{queued} makes {what}, which the server deleted ({served})"),
        AbortId::R2 => format!(
            "{queued} deletes {what}, which the server has under another id ({served}) without word of the deletion"
        ),
        AbortId::R3 => format!(
            "{queued} against {served} is a shape that the phone's client does not know for {what}: {} against {}",
            ops(abort.device.iter().map(|at| inspection.device.queue[*at].op)),
            ops(abort.server.iter().map(|at| inspection.window.as_phone()[*at].op))
        ),
        AbortId::P1 => format!(
            "{} mutations of {detail} wait for one POST, which takes {MAX_BATCH}; the phone's client does not cut it",
            abort.device.len()
        ),
        AbortId::P2 => format!("{queued}: {detail}; the server refuses the whole POST for it"),
        AbortId::K1 => format!(
            "{queued} changes {what} without the server's id of it: the phone's client sends that, and does not accept the answer"
        ),
    }
}

fn ops(ops: impl Iterator<Item = Op>) -> String {
    ops.map(Op::word).collect::<Vec<_>>().join("+")
}

fn what(abort: &Abort) -> String {
    let noun = match &abort.kind {
        Some(Kind::Bookmark) => "the bookmark",
        Some(Kind::Collection) => "a collection",
        Some(Kind::Link) => "a link",
        Some(Kind::Note) => "a note",
        Some(Kind::ReadingSession) => "a reading session",
        Some(Kind::Other(_)) | None => "a resource",
    };
    match (&abort.kind, abort.place) {
        (_, Some(place)) => format!("{noun} at {place}"),
        (Some(Kind::Bookmark), None) => String::from("a bookmark"),
        (_, None) => noun.to_owned(),
    }
}

fn queued(inspection: &Inspection, abort: &Abort) -> String {
    let ids: Vec<&str> = abort.device.iter().map(|at| inspection.device.queue[*at].id.as_str()).collect();
    let entries = if ids.len() == 1 { "entry" } else { "entries" };
    match ids.split_at_checked(NAMED) {
        Some((named, rest)) if !rest.is_empty() => {
            format!("queue entries {} and {} more", named.join(", "), rest.len())
        }
        Some(_) | None => format!("queue {entries} {}", ids.join(", ")),
    }
}

fn served(inspection: &Inspection, abort: &Abort) -> String {
    let named = abort.server.iter().map(|at| {
        let mutation = &inspection.window.as_phone()[*at];
        match &mutation.resource_id {
            Some(id) if !id.as_str().trim().is_empty() => {
                format!("{} of {id}", mutation.op.wire())
            }
            Some(_) | None => format!("{} of {}", mutation.op.wire(), mutation.timestamp.0),
        }
    });
    named.take(NAMED).collect::<Vec<_>>().join(", ")
}

/// The shortest name of what an abort is about.
fn subject(inspection: &Inspection, abort: &Abort) -> String {
    let queued = abort.device.first().map(|at| inspection.device.queue[*at].id.to_string());
    let served = || {
        let mutation = &inspection.window.as_phone()[*abort.server.first()?];
        mutation.resource_id.as_ref().map(ToString::to_string)
    };
    let place = abort.place.map(|place| place.to_string());
    place.or(queued).or_else(served).or_else(|| abort.detail.clone()).unwrap_or_default()
}
