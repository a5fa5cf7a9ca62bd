//! Work on data that may take longer than a frame. Small work is done at once; the rest is an effect, so that no
//! key ever waits for it. Pure: a task's answer follows from the task alone (but for a deadline).

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use super::filter::{self, Query};
use super::refused;
use super::scope::{self, Forecast, Scope};
use crate::domain::compare::{self, Comparison};
use crate::domain::diagnosis::{self, Cause};
use crate::domain::inspect::{Inspection, PairId};
use crate::domain::mutation::Millis;
use crate::domain::push::Planned;
use crate::domain::rebase::{self, Carried};
use crate::domain::resolution::{Chosen, Resolution, Unit};
use crate::domain::strategy::{self, Strategy};
use crate::domain::text::{self, Folding, Options, TextDiff};

/// Texts together shorter than this are compared within a frame, bytes (FACTS: 20 KB take 14 ms).
const LIGHT_TEXT: usize = 6_000;
/// Inspections with fewer pairs than this are gone through within a frame.
pub const LIGHT_PAIRS: usize = 300;

/// A task that was begun, for its answer to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Job(pub u64);

/// Work to be done.
pub enum Task {
    /// Compare two texts.
    Diff {
        /// The device's text.
        device: Option<Arc<str>>,
        /// The server's text.
        server: Option<Arc<str>>,
    },
    /// Say why the device is stuck.
    Diagnose {
        /// What both sides say.
        inspection: Arc<Inspection>,
        /// The time.
        now: Millis,
    },
    /// Find the pairs that a query asks for.
    Filter {
        /// Where to look.
        inspection: Arc<Inspection>,
        /// For what was chosen.
        resolution: Resolution,
        /// What to look for.
        query: Query,
    },
    /// Say what a strategy would choose.
    Strategy {
        /// On what.
        inspection: Arc<Inspection>,
        /// Over which choices.
        resolution: Resolution,
        /// Which rule.
        strategy: Strategy,
        /// On which pairs.
        scope: Scope,
    },
    /// Say what each strategy would come to.
    Forecast {
        /// On what.
        inspection: Arc<Inspection>,
        /// Over which choices.
        resolution: Resolution,
        /// On which pairs.
        scope: Scope,
        /// The time.
        now: Millis,
    },
    /// Say what retrying the sync would do.
    Plan {
        /// With what.
        inspection: Arc<Inspection>,
        /// Under which choices.
        resolution: Resolution,
        /// The time.
        now: Millis,
    },
    /// Put the four strategies side by side.
    Compare {
        /// On what.
        inspection: Arc<Inspection>,
        /// Over which choices.
        resolution: Resolution,
        /// The time.
        now: Millis,
    },
    /// Let go of something large: that takes longer than a frame as well.
    Forget(Box<dyn Any + Send>),
    /// Carry choices over to a newer inspection.
    Carry {
        /// What the person saw.
        old: Arc<Inspection>,
        /// What they chose.
        resolution: Resolution,
        /// How things are now.
        new: Arc<Inspection>,
    },
}

/// What a task came to.
pub enum Answer {
    /// To [`Task::Diff`].
    Diff(TextDiff),
    /// To [`Task::Diagnose`]: the causes, and of which resources something would be refused as it is queued.
    Causes(Vec<Cause>, Vec<PairId>),
    /// To [`Task::Filter`].
    Rows(Vec<PairId>),
    /// To [`Task::Strategy`].
    Choices(Vec<(Unit, Option<Chosen>)>),
    /// To [`Task::Forecast`], in the order of [`Strategy::ALL`].
    Forecasts([Forecast; 4]),
    /// To [`Task::Plan`].
    Plan(Box<Planned>),
    /// To [`Task::Compare`].
    Comparison(Box<Comparison>),
    /// To [`Task::Carry`].
    Carried(Box<Carried>, Arc<Inspection>),
    /// To [`Task::Forget`].
    Forgotten,
}

impl Task {
    /// Does the work. After `deadline` texts are compared no further, only more coarsely.
    pub fn run(self, deadline: Option<Instant>) -> Answer {
        match self {
            Self::Diff { device, server } => {
                let options = Options { deadline, folding: Some(Folding::default()) };
                Answer::Diff(text::diff(device.as_deref(), server.as_deref(), &options))
            }
            Self::Diagnose { inspection, now } => {
                let suspects = refused::suspects(&inspection);
                Answer::Causes(diagnosis::diagnose(&inspection, now), suspects)
            }
            Self::Filter { inspection, resolution, query } => {
                Answer::Rows(filter::rows(&inspection, &resolution, &query))
            }
            Self::Strategy { inspection, resolution, strategy, scope } => {
                Answer::Choices(strategy::choices_for_all(&inspection, &resolution, strategy, |pair| {
                    scope.holds(pair)
                }))
            }
            Self::Forecast { inspection, resolution, scope, now } => {
                Answer::Forecasts(scope::forecasts(&inspection, &resolution, &scope, now))
            }
            Self::Plan { inspection, resolution, now } => {
                Answer::Plan(Box::new(Planned::new(inspection, resolution, now)))
            }
            Self::Compare { inspection, resolution, now } => {
                Answer::Comparison(Box::new(compare::compare(&inspection, &resolution, now)))
            }
            Self::Forget(what) => {
                drop(what);
                Answer::Forgotten
            }
            Self::Carry { old, resolution, new } => {
                Answer::Carried(Box::new(rebase::carry(&old, &resolution, &new, None)), new)
            }
        }
    }

    /// Whether it is done within a frame.
    pub fn is_light(&self) -> bool {
        match self {
            Self::Diff { device, server } => {
                let size = |text: &Option<Arc<str>>| text.as_deref().map_or(0, str::len);
                size(device) + size(server) < LIGHT_TEXT
            }
            Self::Forget(_) => false,
            Self::Diagnose { inspection, .. }
            | Self::Filter { inspection, .. }
            | Self::Strategy { inspection, .. }
            | Self::Forecast { inspection, .. }
            | Self::Plan { inspection, .. }
            | Self::Compare { inspection, .. }
            | Self::Carry { new: inspection, .. } => inspection.pairs.len() < LIGHT_PAIRS,
        }
    }

    /// The task's name, for logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Diff { .. } => "diff",
            Self::Diagnose { .. } => "diagnose",
            Self::Filter { .. } => "filter",
            Self::Strategy { .. } => "strategy",
            Self::Forecast { .. } => "forecast",
            Self::Plan { .. } => "plan",
            Self::Compare { .. } => "compare",
            Self::Forget(_) => "forget",
            Self::Carry { .. } => "carry",
        }
    }
}
