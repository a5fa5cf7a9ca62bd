//! The four strategies, as choices: what a rule would choose on each divergence.

use std::fmt;

use super::duration::duration;
use super::field::{Choice, FieldPath, FieldShape, Verdict};
use super::inspect::{Inspection, Pair, PairId, Status};
use super::mutation::{Millis, Op, ServerMutation, Side};
use super::resolution::{By, Chosen, Resolution, Unit};
use super::stamp;

/// A rule that settles divergences without looking at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Strategy {
    /// The server's state stands; the device pushes nothing for a divergence.
    ServerWins,
    /// The device's mutations are sent again as they were queued.
    ClientWins,
    /// The newer of the two stands, by one kind of clock; a tie goes to the server.
    LastWriteWins,
    /// Field by field: what the three-way rule settles is settled, each conflict stays open for a person.
    Merge,
}

impl Strategy {
    /// All four, in the order of the keys 1 to 4.
    pub const ALL: [Self; 4] = [Self::ServerWins, Self::ClientWins, Self::LastWriteWins, Self::Merge];

    /// The name in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServerWins => "server-wins",
            Self::ClientWins => "client-wins",
            Self::LastWriteWins => "last-write-wins",
            Self::Merge => "merge",
        }
    }

    /// Reads the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.name() == name)
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When each side wrote, by one kind of clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// When the device wrote, ms.
    pub device: Millis,
    /// When the server's state was written, ms.
    pub server: Millis,
    /// One side lacks a client time, so the queue's time is held against the server's own: two different clocks.
    pub mixed: bool,
}

impl Clock {
    /// Who wrote last. A tie goes to the server.
    pub const fn winner(self) -> Side {
        if self.device.0 > self.server.0 { Side::Device } else { Side::Server }
    }

    /// By how many ms the winner won.
    pub const fn margin_ms(self) -> u64 {
        self.device.0.abs_diff(self.server.0)
    }

    /// How sure the winner is: the error of the device's clock that would turn it.
    pub fn sensitivity(self) -> String {
        let error = duration(self.margin_ms().div_ceil(1000).saturating_mul(1000));
        match self.winner() {
            Side::Device => format!("flips if the device clock is more than {error} fast"),
            Side::Server => format!("flips if the device clock is more than {error} slow"),
        }
    }
}

/// When each side of a pair wrote: `clientUpdatedAt` on both; else the server's `timestamp` against the queue's
/// `createdAt`, also where a client's time cannot be read. `None` where the device tells no time at all.
pub fn clock(inspection: &Inspection, pair: &Pair) -> Option<Clock> {
    let own = inspection.primary(pair);
    let server = own.or_else(|| inspection.window.mutations.get(pair.contest()?.at?))?;
    between(inspection, pair, server)
}

/// When the two of a contest were written; as [`clock`].
fn contest_clock(inspection: &Inspection, pair: &Pair) -> Option<Clock> {
    between(inspection, pair, inspection.window.mutations.get(pair.contest()?.at?)?)
}

fn between(inspection: &Inspection, pair: &Pair, server: &ServerMutation) -> Option<Clock> {
    let last = inspection.squashed(pair).intents.pop()?;
    let told = |op: Op, data: &super::mutation::Payload| {
        // A DELETE carries no client times (PROTOCOL A6).
        (op != Op::Delete).then(|| stamp::told(data.members().get("clientUpdatedAt"))).flatten()
    };
    match (told(last.op, &last.data), told(server.op, &server.data)) {
        (Some(device), Some(server)) => Some(Clock { device, server, mixed: false }),
        (device, _) => {
            let device = last.created_at.or(device)?;
            Some(Clock { device, server: server.timestamp, mixed: true })
        }
    }
}

/// What `strategy` chooses on one pair: a choice for each field it decides, `None` for each it leaves open. Fields
/// that a person chose by hand are not touched.
pub fn choices(
    inspection: &Inspection,
    resolution: &Resolution,
    strategy: Strategy,
    id: PairId,
) -> Vec<(Unit, Option<Chosen>)> {
    let pair = inspection.pair(id);
    // Whether something arrived is no matter of taste, nor what a queue means that contradicts itself: no rule decides it.
    if pair.status != Status::Diverged || pair.twin.is_some() || pair.contradiction.is_some() {
        return Vec::new();
    }
    let side = match strategy {
        Strategy::ServerWins => Some(Side::Server),
        Strategy::ClientWins => Some(Side::Device),
        Strategy::LastWriteWins => clock(inspection, pair).map(Clock::winner),
        Strategy::Merge => None,
    };
    let contest = pair.contest();
    let contested = match (strategy, contest) {
        (Strategy::LastWriteWins, Some(_)) => contest_clock(inspection, pair).map(Clock::winner),
        (Strategy::ServerWins | Strategy::ClientWins | Strategy::LastWriteWins | Strategy::Merge, _) => side,
    };
    // What the device alone speaks of it gives up whole where the other's stands.
    let given_up = contest.is_some() && pair.server.is_empty() && contested == Some(Side::Server);
    let by_hand = |path: &FieldPath| resolution.get(id, path).is_some_and(|chosen| chosen.by == By::Hand);
    let whole = pair.open.iter().any(FieldPath::is_existence);
    let mut choices = Vec::new();
    for field in &inspection.details(pair).fields {
        let is_contested = field.against.is_some();
        // Without a person's word the server's collection gets the name back that it had, or none.
        let is_other = contest.is_some_and(|rival| rival.other_name == field.path);
        let side = if is_contested || is_other { contested } else { side };
        let decides = match (field.shape, side) {
            (FieldShape::Bookkeeping, _) => false,
            (FieldShape::Existence, _) => whole || given_up,
            _ if given_up => false,
            _ if is_other => side == Some(Side::Device) && field.result(&Choice::Device).is_some(),
            _ if is_contested => side == Some(Side::Device) || !whole,
            // The server's state stands whole: what only the device changed is given up as well.
            (_, Some(Side::Server)) => {
                !whole && matches!(field.verdict, Verdict::Conflict | Verdict::DeviceOnly)
            }
            (_, Some(Side::Device) | None) => !whole && field.verdict == Verdict::Conflict,
        };
        let made_before = resolution.get(id, &field.path).is_some();
        if by_hand(&field.path) || !(decides || made_before) {
            continue;
        }
        let side = if given_up { Some(Side::Server) } else { side };
        let chosen = side
            .filter(|_| decides)
            .map(|side| Chosen { choice: Choice::from(side), by: By::Strategy(strategy) });
        choices.push((Unit { pair: id, path: field.path.clone() }, chosen));
    }
    choices
}

/// What `strategy` chooses on every divergence that `wanted` names.
pub fn choices_for_all(
    inspection: &Inspection,
    resolution: &Resolution,
    strategy: Strategy,
    wanted: impl Fn(&Pair) -> bool,
) -> Vec<(Unit, Option<Chosen>)> {
    let pairs = inspection.ids().filter(|(_, pair)| pair.status == Status::Diverged && wanted(pair));
    pairs.flat_map(|(id, _)| choices(inspection, resolution, strategy, id)).collect()
}
