//! Which choices a field has, in which words, and why not the others.

use super::Bench;
use crate::domain::field::{Choice, Contest, Field, FieldShape, Verdict};
use crate::domain::inspect::{Blocked, Inspection, Pair, PairId, Rival, Status};
use crate::domain::mutation::{Op, Side};
pub use crate::domain::naming::noun;
use crate::domain::resolution::{By, Chosen, Resolution, Unit};
use crate::domain::{plan, settle};

/// Why `choice` cannot be made on the field; `None` when it can.
pub fn refusal(pair: &Pair, field: &Field, choice: &Choice) -> Option<&'static str> {
    let existence = field.shape == FieldShape::Existence;
    if existence && pair.is_deletion(choice) {
        return None;
    }
    let about_existence = pair.open.iter().any(crate::domain::field::FieldPath::is_existence);
    match pair.status {
        Status::Apply => Some("only the server speaks of it; the device takes it over"),
        Status::Converged => Some("both sides agree; there is nothing to choose"),
        Status::Diverged | Status::Push | Status::Blocked if existence => field.unavailable(choice),
        Status::Push | Status::Blocked | Status::Diverged
            if matches!(choice, Choice::Edited(_))
                && (pair.server.is_empty() || about_existence)
                && pair.is_correctable(field) =>
        {
            None
        }
        Status::Push | Status::Blocked | Status::Diverged
            if pair.server.is_empty() && !pair.contends_for(&field.path) && !about_existence =>
        {
            Some("only the device speaks of it; choose on `resource` to send it or to drop it")
        }
        Status::Diverged if about_existence => {
            Some("what becomes of the resource decides; choose on `resource`")
        }
        Status::Diverged | Status::Push | Status::Blocked => match field.verdict {
            Verdict::Equal | Verdict::SameChange => Some("both sides have the same value"),
            Verdict::DeviceOnly | Verdict::ServerOnly | Verdict::Conflict => field.unavailable(choice),
        },
    }
}

/// What there is besides the two sides on the marked field: both of them; where the queue contradicts itself about a
/// deletion, that the deletion counts.
pub fn third(bench: Option<&Bench>) -> Choice {
    let marked = bench.and_then(|bench| Some((bench.pair()?.1, bench.field()?)));
    marked.map_or(Choice::Both, |(pair, field)| third_on(pair, field))
}

/// As [`third`], on this field.
pub fn third_on(pair: &Pair, field: &Field) -> Choice {
    pair.deletion().filter(|_| field.shape == FieldShape::Existence).unwrap_or(Choice::Both)
}

/// What a choice is called on a field: `device`, `server`, `both`, `edited`; on a resource's existence what
/// becomes of it.
pub fn word(pair: &Pair, field: &Field, choice: &Choice) -> &'static str {
    if let Some(word) = pair.contest().and_then(|rival| contested(rival, field, choice)) {
        return word;
    }
    match (field.shape, choice) {
        (FieldShape::Existence, Choice::Device) => fate(pair, Side::Device),
        (FieldShape::Existence, Choice::Server) => fate(pair, Side::Server),
        (FieldShape::Existence, choice) if pair.is_deletion(choice) => "delete it",
        (
            FieldShape::Existence
            | FieldShape::Text
            | FieldShape::Set
            | FieldShape::Position
            | FieldShape::Plain
            | FieldShape::Bookkeeping,
            choice,
        ) => choice.word(),
    }
}

/// What a choice in a contest is called.
fn contested(rival: &Rival, field: &Field, choice: &Choice) -> Option<&'static str> {
    let other = rival.contest == Contest::NameTaken && rival.other_name == field.path;
    Some(match (rival.contest, other, choice) {
        _ if !other && rival.path != field.path => return None,
        (Contest::ReadingPlace, _, Choice::Device) => "device's place",
        (Contest::ReadingPlace, _, Choice::Server) => "server's place",
        (Contest::ReadingPlace, _, Choice::Both | Choice::Edited(_)) => return None,
        (Contest::NameTaken, true, Choice::Device) => "its earlier name",
        (Contest::NameTaken, true, Choice::Server) => "keeps the name",
        (Contest::NameTaken, true | false, Choice::Edited(_)) => "renamed",
        (Contest::NameTaken, false, Choice::Device) => "takes the name",
        (Contest::NameTaken, false, Choice::Server) => "not renamed",
        (Contest::NameTaken, _, Choice::Both) => "join the two",
    })
}

/// What becomes of the resource when this side's word stands (DESIGN §4, deletes).
pub fn fate(pair: &Pair, side: Side) -> &'static str {
    if pair.contradiction.is_some() {
        return match side {
            Side::Device => "keep the last change",
            Side::Server => "leave the server's",
        };
    }
    match (side, pair.shape.device, pair.shape.server) {
        (Side::Device, Some(_), None) if pair.twin.is_some() => "send again",
        (Side::Server, Some(_), None) if pair.twin.is_some() => "do not send",
        (Side::Device, Some(Op::Delete), None) => "send the deletion",
        (Side::Device, Some(Op::Create | Op::Update), None) => "send",
        (Side::Server, Some(_), None) => "drop",
        (Side::Device, Some(Op::Delete), Some(_)) | (Side::Server, Some(_), Some(Op::Delete)) => {
            "keep deleted"
        }
        (Side::Server, Some(Op::Delete), Some(_)) | (Side::Device, Some(_), Some(Op::Delete)) => "bring back",
        (side, _, _) => side.name(),
    }
}

/// Where a resource stands under the choices made: what a retry would do with it, for its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As it was found.
    Found(Status),
    /// Nothing stands against what the device queued, and it was given up by choice.
    Dropped,
    /// It was chosen on values that are no longer there, and waits for a person again.
    Reopened,
}

impl Standing {
    /// The word for it, as [`Status::word`].
    pub const fn word(self) -> &'static str {
        match self {
            Self::Found(status) => status.word(),
            Self::Dropped => "dropped",
            Self::Reopened => "open again",
        }
    }
}

/// Where a resource stands under the choices made.
pub fn standing(inspection: &Inspection, resolution: &Resolution, id: PairId) -> Standing {
    let pair = inspection.pair(id);
    match pair.status {
        Status::Push | Status::Blocked => {}
        status @ (Status::Converged | Status::Apply | Status::Diverged) => return Standing::Found(status),
    }
    if settle::is_dropped(inspection, resolution, id) {
        return Standing::Dropped;
    }
    if !resolution.settles(id, pair) {
        return Standing::Reopened;
    }
    // What was chosen for its collection decides over a link.
    let hangs = matches!(pair.blocked, None | Some(Blocked::Parent(_)));
    match plan::waits_for_parent(inspection, resolution, id).filter(|_| hangs) {
        Some(Ok(())) => Standing::Found(Status::Push),
        Some(Err(_)) => Standing::Found(Status::Blocked),
        None => Standing::Found(pair.status),
    }
}

/// The question that a divergence about the resource itself asks.
pub fn question(pair: &Pair, in_doubt: bool) -> Option<String> {
    if !pair.open.iter().any(crate::domain::field::FieldPath::is_existence) {
        return Some(match pair.contest()?.contest {
            Contest::NameTaken => String::from("two collections want this name: which of them gets it?"),
            Contest::ReadingPlace => {
                String::from("both sides set the reading place: which of the two is it?")
            }
        });
    }
    let what = noun(&pair.kind);
    Some(match (pair.shape.device, pair.shape.server) {
        _ if let Some(contradiction) = pair.contradiction => {
            format!("{}: which stands for this {what}?", contradiction.reason())
        }
        _ if pair.twin.is_some() && in_doubt => {
            format!("its answer was lost, and on the server is what may be this {what}: send it again?")
        }
        _ if pair.twin.is_some() => format!("the same {what} is already on the server: send it again?"),
        (Some(Op::Delete), _) => {
            format!("deleted on the device, changed on the server: which stands for this {what}?")
        }
        (_, Some(Op::Delete)) => {
            format!("changed on the device, deleted on the server: which stands for this {what}?")
        }
        _ => format!("which side stands for this {what}?"),
    })
}

/// The choices by which one side stands for the whole resource; an empty list where there is nothing to choose.
/// The device's side decides what conflicts; the server's also gives up what only the device changed.
pub fn whole(inspection: &Inspection, id: PairId, side: Side) -> Vec<(Unit, Option<Chosen>)> {
    let pair = inspection.pair(id);
    let choice = Choice::from(side);
    let fields = inspection.details(pair).fields;
    let decides = |field: &&Field| {
        let counts = match (field.shape, field.verdict, side) {
            (FieldShape::Existence, _, _) | (_, Verdict::Conflict, _) => true,
            (_, Verdict::DeviceOnly, Side::Server) => !pair.server.is_empty(),
            (_, Verdict::DeviceOnly | Verdict::ServerOnly | Verdict::Equal | Verdict::SameChange, _) => false,
        };
        counts
            && refusal(pair, field, &choice).is_none()
            && !(field.shape == FieldShape::Existence && fields_decide(pair))
    };
    let chosen = Chosen { choice: choice.clone(), by: By::Hand };
    fields
        .iter()
        .filter(decides)
        .map(|field| (Unit { pair: id, path: field.path.clone() }, Some(chosen.clone())))
        .collect()
}

/// Whether the resource lives on both sides, so that its fields decide and not its existence.
pub fn fields_decide(pair: &Pair) -> bool {
    let lives = |op: Option<Op>| matches!(op, Some(Op::Create | Op::Update));
    lives(pair.shape.device) && lives(pair.shape.server) && pair.contradiction.is_none()
}
