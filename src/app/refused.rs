//! Which values of what is to be sent the server would refuse, so that they can be corrected in place.

use std::collections::BTreeSet;

use crate::domain::field::Choice;
use crate::domain::inspect::{Inspection, PairId};
use crate::domain::mutation::Millis;
use crate::domain::preflight::{self, Problem};
use crate::domain::resolution::{Resolution, Unit};
use crate::domain::settle::{self, Outcome};

/// No more resources than this are looked at after each choice; the plan looks at all of them.
const LOOKED_AT: usize = 300;

/// A value that the server would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where it stands.
    pub unit: Unit,
    /// What is wrong with it.
    pub problem: Problem,
}

/// The resources of which the device queued something that the server would refuse as it is.
pub fn suspects(inspection: &Inspection) -> Vec<PairId> {
    let bad = |pair| {
        let mut queued = inspection.queued(pair);
        queued.any(|m| !preflight::problems(&m.kind, m.op, &m.data).is_empty())
    };
    inspection.ids().filter(|(_, pair)| bad(pair)).map(|(id, _)| id).collect()
}

/// What the server would refuse under the choices made: of `suspects`, and of what a person put together.
pub fn refused(inspection: &Inspection, resolution: &Resolution, suspects: &[PairId]) -> Vec<Refused> {
    let made = |choice: &Choice| matches!(choice, Choice::Edited(_) | Choice::Both);
    let made = resolution.iter().filter(|(_, chosen)| made(&chosen.choice)).map(|(unit, _)| unit.pair);
    let looked_at: BTreeSet<PairId> = suspects.iter().copied().take(LOOKED_AT).chain(made).collect();
    let mut refused = Vec::new();
    for pair in looked_at.into_iter().take(LOOKED_AT) {
        // The moment only stamps what is sent.
        let Outcome::Settled(settled) = settle::settle(inspection, resolution, pair, Millis(0)) else {
            continue;
        };
        for problem in settled.push.iter().flat_map(|item| preflight::of_wire(&item.wire)) {
            refused.push(Refused { unit: Unit { pair, path: problem.path.clone() }, problem });
        }
    }
    refused
}
