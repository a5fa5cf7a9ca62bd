//! For how much a choice is made at once: one kind, or everything that is open. And what a rule would come to there.

use crate::domain::inspect::{Inspection, Pair, Status};
use crate::domain::mutation::{Kind, Millis};
use crate::domain::plan;
use crate::domain::resolution::Resolution;
use crate::domain::strategy::{self, Strategy};

use super::choose;

/// Which resources a rule is applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All that diverge.
    All,
    /// Those of one kind.
    Kind(Kind),
}

impl Scope {
    /// Whether a pair belongs to it.
    pub fn holds(&self, pair: &Pair) -> bool {
        match self {
            Self::All => true,
            Self::Kind(kind) => pair.kind == *kind,
        }
    }

    /// How many of its pairs wait for a person.
    pub fn open(&self, inspection: &Inspection, resolution: &Resolution) -> usize {
        inspection
            .ids()
            .filter(|(id, pair)| {
                pair.status == Status::Diverged && self.holds(pair) && !resolution.settles(*id, pair)
            })
            .count()
    }

    /// In words: `all divergences`, `every note`.
    pub fn name(&self) -> String {
        match self {
            Self::All => String::from("all divergences"),
            Self::Kind(kind) => format!("every {}", choose::noun(kind)),
        }
    }
}

/// What a rule would come to, on top of the choices made by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// How many divergences of the scope would still wait for a person.
    pub open: usize,
    /// How many things the retry would then lose, on all resources.
    pub lost: usize,
}

/// What each rule would come to, in the order of [`Strategy::ALL`].
pub fn forecasts(
    inspection: &Inspection,
    resolution: &Resolution,
    scope: &Scope,
    now: Millis,
) -> [Forecast; 4] {
    Strategy::ALL.map(|rule| {
        let choices = strategy::choices_for_all(inspection, resolution, rule, |pair| scope.holds(pair));
        let mut resolution = resolution.clone();
        resolution.choose(rule.name(), choices);
        let lost = plan::plan(inspection, &resolution, now).all_lost();
        Forecast { open: scope.open(inspection, &resolution), lost }
    })
}
