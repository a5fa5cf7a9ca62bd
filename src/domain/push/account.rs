//! Whether the device's data is this account's: nothing of one person may end in another's account.

use std::collections::HashSet;

use super::super::device::SyncStatus;
use super::super::identity;
use super::super::inspect::Inspection;
use super::super::mutation::{Cursor, Kind, Op, ResourceId};
use super::super::plan::Plan;
use super::super::window::Window;

/// What is known of whose data it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// The server knows an id that the device names, the device names none, or a person said so.
    Own,
    /// It cannot be told yet; a pull from 0 will.
    Unclear,
    /// The server knows none of the ids that the device names.
    Foreign,
}

impl Account {
    /// As far as both sides show it.
    pub(super) fn of(inspection: &Inspection, plan: &Plan) -> Self {
        let window = &inspection.window;
        let named = named(inspection);
        if named.is_empty() || knows(window, &named) {
            return Self::Own;
        }
        if window.since <= Cursor::ZERO {
            // Each living resource is there (PROTOCOL A4).
            return Self::Foreign;
        }
        // What is not there cannot be changed or deleted; what is created would be another's.
        let creates = plan.items().any(|item| item.wire.op == Op::Create);
        // Heads are moments in ms: where the cursor is exactly the head, this server gave it.
        let in_step = window.since == window.head;
        if creates && !in_step { Self::Unclear } else { Self::Own }
    }

    /// By everything that the account holds.
    pub(super) fn by_all(inspection: &Inspection, all: &Window) -> Self {
        if knows(all, &named(inspection)) { Self::Own } else { Self::Foreign }
    }
}

/// The server's ids that the device names, of the kinds that the token sees. What it has made and not brought there yet
/// has none, and links go without.
fn named(inspection: &Inspection) -> HashSet<(&Kind, &ResourceId)> {
    let device = &inspection.device;
    let seen = |kind: &Kind| *kind != Kind::Link && !inspection.window.not_visible.contains(kind);
    let rows = device.known.iter().flatten();
    let pending: HashSet<&ResourceId> =
        rows.clone().filter(|row| row.status == SyncStatus::PendingCreate).map(|row| &row.id).collect();
    let queued: HashSet<&str> = device.queue.iter().map(|entry| entry.id.as_str()).collect();
    let known = rows.map(|row| (&row.kind, &row.id));
    let made: HashSet<&ResourceId> = device
        .queue
        .iter()
        .filter(|entry| entry.op == Op::Create)
        .filter_map(|entry| entry.resource_id.as_ref())
        .collect();
    let changed = device.queue.iter().filter(|entry| entry.op != Op::Create);
    let changed = changed.filter_map(|entry| Some((&entry.kind, entry.resource_id.as_ref()?)));
    known
        .chain(changed)
        .filter(|(kind, id)| {
            seen(kind)
                && !pending.contains(id)
                && !made.contains(id)
                && !queued.contains(id.as_str())
                && id.as_str() != identity::FAVORITES
        })
        .collect()
}

fn knows(window: &Window, named: &HashSet<(&Kind, &ResourceId)>) -> bool {
    window
        .mutations
        .iter()
        .any(|mutation| mutation.resource_id.as_ref().is_some_and(|id| named.contains(&(&mutation.kind, id))))
}
