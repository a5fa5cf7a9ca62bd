//! A plan bound to what it was made of: what a person saw is what is sent.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

use super::super::field::FieldPath;
use super::super::inspect::Inspection;
use super::super::mutation::{Kind, Millis, Op, QueueId, ResourceId, Side};
use super::super::plan::{self, Plan};
use super::super::resolution::Resolution;
use super::super::settle::{Item, Loss};

/// What retrying the sync would do, with both sides and the choices it was made of, and the moment that stamps what was
/// put together. Nothing but [`Planned::new`] makes one, so that a push cannot carry out another plan than this.
#[derive(Clone, Debug)]
pub struct Planned {
    pub(super) inspection: Arc<Inspection>,
    pub(super) resolution: Resolution,
    pub(super) plan: Plan,
    pub(super) stamp: Millis,
}

impl Planned {
    /// What `resolution` comes to on `inspection`. `stamp` is the time of choosing.
    pub fn new(inspection: Arc<Inspection>, resolution: Resolution, stamp: Millis) -> Self {
        let plan = plan::plan(&inspection, &resolution, stamp);
        Self { inspection, resolution, plan, stamp }
    }

    /// What the person saw of both sides.
    pub const fn inspection(&self) -> &Arc<Inspection> {
        &self.inspection
    }

    /// What was chosen.
    pub const fn resolution(&self) -> &Resolution {
        &self.resolution
    }
}

/// The plan can be looked at, not changed.
impl Deref for Planned {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.plan
    }
}

/// What the plan that was shown says of each mutation and of each lost value, to hold later plans against.
pub(super) struct Shown {
    sent: HashSet<(Vec<QueueId>, Op, Kind, Option<ResourceId>, Option<String>)>,
    lost: HashSet<(Kind, String, FieldPath, Side, String)>,
}

impl Shown {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { sent: plan.items().map(sent).collect(), lost: plan.ledger.iter().map(lost).collect() }
    }

    /// Whether the mutation was shown as it is.
    pub(super) fn holds(&self, item: &Item) -> bool {
        self.sent.contains(&sent(item))
    }

    /// Whether the loss was shown, with this value.
    pub(super) fn tells_of(&self, loss: &Loss) -> bool {
        self.lost.contains(&lost(loss))
    }
}

fn sent(item: &Item) -> (Vec<QueueId>, Op, Kind, Option<ResourceId>, Option<String>) {
    let wire = &item.wire;
    let data = if wire.kind == Kind::Link {
        // The name of its collection is replaced by the id that the server gave (DESIGN §4): the link is the same.
        let mut members = wire.data.members();
        members.shift_remove("collectionId");
        super::super::mutation::Payload::from_members(&members).as_str().map(str::to_owned)
    } else {
        wire.data.as_str().map(str::to_owned)
    };
    (item.members.clone(), wire.op, wire.kind.clone(), wire.resource_id.clone(), data)
}

fn lost(loss: &Loss) -> (Kind, String, FieldPath, Side, String) {
    (loss.kind.clone(), loss.key.clone(), loss.path.clone(), loss.side, loss.value.to_text())
}
