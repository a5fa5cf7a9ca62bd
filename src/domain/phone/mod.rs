//! What the phone's own client (mobile-sync 0.1.18) would do with the device's queue and the server's window: it
//! takes the kinds one after the other, prepares both sides, groups them, and pushes, takes over or aborts
//! (PROTOCOL A8 to A11). Staff learn from it whether the phone gets going again by itself.
//!
//! The client never pages (PROTOCOL D7); this looks at the whole window, as if it did, or at the first page alone. Kinds
//! that the client does not know are no part of it: it neither queues nor reads them.
//!
//! Each stage is a file: `feed` decodes, `rows` is what the device has, `pending` and `pulled` read and prepare the
//! sides, `detect` groups them, `resolve` decides, `cycle` plays the phases, `apply` writes what came of them, `lost` says
//! what nobody notices, `abort` and `causes` what everybody does.

mod abort;
pub mod apply;
mod causes;
mod cycle;
mod detect;
mod feed;
mod forecast;
pub mod log;
mod lost;
mod moment;
mod number;
mod pending;
mod pulled;
mod range;
mod read;
mod resolve;
mod rows;

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;

pub use abort::{Abort, AbortId, Recovery};
pub use causes::sdk_abort_causes;
pub use cycle::{Cycle, Look};
pub use detect::{Conflict, Detection, detect};
pub use feed::{Feed, Refused};
pub use forecast::{Forecast, Verdict};
pub use lost::{FIRST_PAGE, Loss, Lost};
pub use pending::Pending;
pub use pulled::Pulled;
pub use resolve::Resolved;
use rows::Rows;

use super::device::Device;
use super::identity::Place;
use super::mutation::{Kind, Op, ResourceId, ServerMutation};
use super::window::{Unreadable, Window};

/// What a mutation is recognised by beside the server's id. Holds what people wrote, so it cannot be printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Key<'a> {
    /// A bookmark's place, or a session's.
    Place(Place),
    /// A link's collection and place.
    Link(Cow<'a, str>, Place),
    /// A collection's name.
    Name(Cow<'a, str>),
    /// A note's only range and its body.
    Note((Place, Place), Cow<'a, str>),
}

impl Key<'_> {
    const fn place(&self) -> Option<Place> {
        match self {
            Self::Place(place) | Self::Link(_, place) => Some(*place),
            Self::Name(_) | Self::Note(..) => None,
        }
    }
}

/// A mutation that the client would send, or take over, in the form that it has by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Position in the queue, or in the feed as the phone reads it ([`Window::as_phone`]).
    pub at: usize,
    /// What it does.
    pub op: Op,
    /// The resource, where it has an id.
    pub id: Option<ResourceId>,
}

/// What the client would do with one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindPlan {
    /// What both sides speak of: positions in the queue, positions in the window.
    pub conflicts: Vec<Conflict>,
    /// Positions in the queue of what only the device speaks of.
    pub device_only: Vec<usize>,
    /// Positions in the window of what only the server speaks of.
    pub server_only: Vec<usize>,
    /// What it sends.
    pub push: Vec<Step>,
    /// What it takes over.
    pub persist: Vec<Step>,
    /// Positions in the feed of what it can make nothing of, deletions left out.
    pub passed_over: Vec<usize>,
}

/// The phone's client in front of a queue and a window.
pub struct Phone<'a> {
    device: &'a Device,
    /// What it cannot decode.
    refused: Vec<&'a Unreadable>,
    feed: &'a [ServerMutation],
    /// What of the feed it does not ask for.
    beyond: &'a [ServerMutation],
    rows: Rows<'a>,
}

impl<'a> Phone<'a> {
    /// Before its sync, with the whole feed before it.
    pub fn new(device: &'a Device, window: &'a Window) -> Self {
        Self::in_front_of(device, window, usize::MAX)
    }

    /// Before its sync as it really is: it asks for one page and takes that for the whole.
    pub fn with_first_page(device: &'a Device, window: &'a Window) -> Self {
        Self::in_front_of(device, window, FIRST_PAGE)
    }

    fn in_front_of(device: &'a Device, window: &'a Window, entries: usize) -> Self {
        let whole = window.as_phone();
        let (feed, beyond) = whole.split_at(entries.min(whole.len()));
        let met = window.phone.refused.iter().filter(|refused| refused.is_met(entries));
        let refused = met.map(|refused| &refused.what).collect();
        Self { device, refused, feed, beyond, rows: Rows::of(device, feed) }
    }

    /// What it would do with `kind`; the first abort where there is one.
    pub fn plan(&self, kind: &Kind) -> Result<KindPlan, Box<Abort>> {
        let (plan, aborts) = self.run(kind);
        let undecodable = self.refused.iter().copied().map(undecodable);
        undecodable.chain(aborts).next().map_or(Ok(plan), |abort| Err(Box::new(abort)))
    }

    /// The queued mutations of `kind` as it would read them, and what it aborts on.
    pub fn queued(&self, kind: &Kind) -> (Vec<Pending<'a>>, Vec<Abort>) {
        let mut aborts = Vec::new();
        let queued = pending::queued(self.device, &self.rows, kind, &mut aborts);
        (queued, aborts)
    }

    /// What is left of them once it has looked whether they make sense, and what it aborts on.
    pub fn prepared_queue(&self, kind: &Kind, queued: Vec<Pending<'a>>) -> (Vec<Pending<'a>>, Vec<Abort>) {
        let mut aborts = Vec::new();
        let pending = pending::prepared(self.device, kind, queued, &mut aborts);
        (pending, aborts)
    }

    /// The server mutations of `kind` as it would read them, and what it aborts on.
    pub fn pulled(&self, kind: &Kind) -> (Vec<Pulled<'a>>, Vec<Abort>) {
        let mut aborts = Vec::new();
        let pulled = pulled::pulled(self.feed, &self.rows, kind, &mut aborts);
        (pulled, aborts)
    }

    /// What is left of them once it has dropped and renamed what it drops and renames.
    pub fn prepared_pull(
        &self,
        kind: &Kind,
        pending: &[Pending<'a>],
        pulled: Vec<Pulled<'a>>,
    ) -> Vec<Pulled<'a>> {
        pulled::prepared(kind, &self.rows, pending, pulled)
    }

    /// What it makes of conflicts, and what it aborts on.
    pub fn resolve(
        &self,
        kind: &Kind,
        pending: &[Pending],
        pulled: &[Pulled],
        conflicts: &[Conflict],
    ) -> (Resolved, Vec<Abort>) {
        let mut aborts = Vec::new();
        let resolved = resolve::resolve(kind, pending, pulled, conflicts, &mut aborts);
        (resolved, aborts)
    }

    /// Everything that would end its sync, in the order of its phases (PROTOCOL A11): the first is what stops it,
    /// the others wait behind it.
    pub fn aborts(&self) -> Vec<Abort> {
        self.cycle().aborts
    }

    /// The queue of `kind` as it goes into the plan, and what it aborts on.
    fn pending(&self, kind: &Kind) -> (Vec<Pending<'a>>, Vec<Abort>) {
        let (queued, mut aborts) = self.queued(kind);
        let (pending, more) = self.prepared_queue(kind, queued);
        aborts.extend(more);
        (pending, aborts)
    }

    /// What it would do with `kind` if each abort concerned only what it names.
    fn run(&self, kind: &Kind) -> (KindPlan, Vec<Abort>) {
        let (pending, mut aborts) = self.pending(kind);
        let (pulled, more) = self.pulled(kind);
        aborts.extend(more);
        let (plan, more) = self.planned(kind, &pending, pulled);
        aborts.extend(more);
        (plan, aborts)
    }

    /// What it makes of both sides once they are read.
    fn planned(
        &self,
        kind: &Kind,
        pending: &[Pending<'a>],
        pulled: Vec<Pulled<'a>>,
    ) -> (KindPlan, Vec<Abort>) {
        let useless = pulled.iter().filter(|entry| !entry.usable && entry.op != Op::Delete);
        let passed_over = useless.map(|entry| entry.at).collect();
        let pulled = self.prepared_pull(kind, pending, pulled);
        let detection = detect(kind, pending, &pulled);
        let (resolved, aborts) = self.resolve(kind, pending, &pulled, &detection.conflicts);
        let device = |index: &usize| pending[*index].at;
        let server = |index: &usize| pulled[*index].at;
        let mut push: Vec<Step> = detection.device_only.iter().map(|i| pending[*i].step()).collect();
        let mut persist: Vec<Step> = detection.server_only.iter().map(|i| pulled[*i].step()).collect();
        push.extend(resolved.push);
        persist.extend(resolved.persist);
        let positions = |conflict: &Conflict| Conflict {
            device: conflict.device.iter().map(device).collect(),
            server: conflict.server.iter().map(server).collect(),
        };
        let plan = KindPlan {
            conflicts: detection.conflicts.iter().map(positions).collect(),
            device_only: detection.device_only.iter().map(device).collect(),
            server_only: detection.server_only.iter().map(server).collect(),
            push,
            persist,
            passed_over,
        };
        (plan, aborts)
    }
}

fn undecodable(entry: &Unreadable) -> Abort {
    let detail = format!(
        "{} of page {}: found {}, expected {}",
        entry.pointer, entry.page, entry.found, entry.expected
    );
    Abort {
        id: AbortId::G2,
        kind: None,
        place: None,
        device: Vec::new(),
        server: Vec::new(),
        detail: Some(detail),
    }
}

/// Indexes of the items that share a key, groups and members in the order of the items. What has no key stands
/// alone.
fn group_by_key<'i, T, K: Hash + Eq + 'i>(
    items: &'i [T],
    key: impl Fn(&'i T) -> Option<&'i K>,
) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut of_key: HashMap<&K, usize> = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        match key(item).map(|key| *of_key.entry(key).or_insert(groups.len())) {
            Some(group) if group < groups.len() => groups[group].push(index),
            Some(_) | None => groups.push(vec![index]),
        }
    }
    groups
}
