//! A device and a window with part of a push done: what was acknowledged is out of the queue and in the known
//! resources, and the server's older word on it is out of the window.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::ack::Acked;
use super::device::{Device, Known, SyncStatus};
use super::inspect::{Inspection, PairId};
use super::json::Json;
use super::mutation::{Cursor, Kind, Millis, Op, Payload, QueueId, ResourceId, ServerMutation};
use super::plan::Plan;
use super::settle::Item;
use super::window::Window;

/// What is true by now on the device's side and what of the window still has to be taken over.
#[derive(Clone, Debug)]
pub struct Fold {
    /// The device but for its known resources, which are in `rows`.
    device: Device,
    /// `None` where the file lists no resources: then none are kept either.
    rows: Option<IndexMap<(Kind, ResourceId), Known>>,
    window: Window,
    ids: HashMap<String, ResourceId>,
}

impl Fold {
    /// Before anything was sent.
    pub fn new(inspection: &Inspection) -> Self {
        let mut device = Device::clone(&inspection.device);
        let rows = device.known.take();
        let rows =
            rows.map(|rows| rows.into_iter().map(|row| ((row.kind.clone(), row.id.clone()), row)).collect());
        Self { device, rows, window: Window::clone(&inspection.window), ids: HashMap::new() }
    }

    /// Goes on from a newer inspection of the same device; the ids that were given stay known.
    pub fn reset(&mut self, inspection: &Inspection) {
        let ids = std::mem::take(&mut self.ids);
        *self = Self { ids, ..Self::new(inspection) };
    }

    /// The device as it stands now.
    pub fn device(&self) -> Device {
        let known = self.rows.as_ref().map(|rows| rows.values().cloned().collect());
        Device { known, ..self.device.clone() }
    }

    /// The window without what has been dealt with.
    pub const fn window(&self) -> &Window {
        &self.window
    }

    /// The server's id for a name that a dependant uses: a queue id, or an id that was given up.
    pub fn id_of(&self, name: &str) -> Option<&ResourceId> {
        self.ids.get(name)
    }

    /// Takes in the acknowledgements of one POST, in the order sent.
    pub fn acknowledge(&mut self, inspection: &Inspection, items: &[Item], acked: &[Acked]) {
        let mut done: HashSet<&QueueId> = HashSet::new();
        let mut dealt_with: HashSet<PairId> = HashSet::new();
        for (item, acked) in items.iter().zip(acked) {
            done.extend(&item.members);
            let pair = inspection.pair(item.pair);
            if dealt_with.insert(item.pair) && item.wire.op != Op::Delete {
                for mutation in inspection.served(pair).cloned().collect::<Vec<_>>() {
                    self.take_over(&mutation);
                }
            }
            self.written(item, acked);
            if let (Op::Create, Some(id)) = (item.wire.op, &acked.resource_id) {
                for name in &item.names {
                    self.ids.insert(name.clone(), id.clone());
                }
            }
        }
        let gone: HashSet<(Kind, Option<ResourceId>, Millis)> = dealt_with
            .iter()
            .flat_map(|id| inspection.served(inspection.pair(*id)))
            .map(|m| (m.kind.clone(), m.resource_id.clone(), m.timestamp))
            .collect();
        if !gone.is_empty() {
            self.window
                .mutations
                .retain(|m| !gone.contains(&(m.kind.clone(), m.resource_id.clone(), m.timestamp)));
        }
        self.device.queue.retain(|m| !done.contains(&m.id));
        self.rename_parents();
    }

    /// Newer mutations of the server: each replaces what the window said of its resource before.
    pub fn extend(&mut self, newer: Window) {
        let identity =
            |m: &ServerMutation| (m.kind.clone(), m.resource_id.clone(), super::identity::link_id(&m.data));
        let fresh: HashSet<_> = newer.mutations.iter().map(identity).collect();
        self.window.mutations.retain(|m| !fresh.contains(&identity(m)));
        self.window.mutations.extend(newer.mutations);
        self.window.unreadable.extend(newer.unreadable);
        self.window.warnings.extend(newer.warnings);
        self.window.head = newer.head;
    }

    /// Marks queue entries that the server refuses, so that the file tells why they are still there.
    pub fn refuse(&mut self, members: &[QueueId], message: &str) {
        let members: HashSet<&QueueId> = members.iter().collect();
        for entry in self.device.queue.iter_mut().filter(|entry| members.contains(&entry.id)) {
            entry.last_error = Some(message.to_owned());
            entry.retry_count = entry.retry_count.saturating_add(1);
        }
    }

    /// The server does not know this resource, whatever it acknowledged.
    pub fn forget(&mut self, kind: &Kind, id: &ResourceId) {
        self.remove(kind, id);
        self.ids.retain(|_, given| given != id);
    }

    /// The end of a push: takes over what the plan applies and drops, except for pairs in `left`, and moves the
    /// cursor to `head` when nothing of the server's is left behind (DESIGN §5). Answers whether it moved.
    pub fn finish(
        &mut self,
        inspection: &Inspection,
        plan: &Plan,
        left: &HashSet<PairId>,
        head: Cursor,
        now: Millis,
    ) -> bool {
        let mut behind = !plan.moves_cursor;
        for id in left {
            behind |= !inspection.pair(*id).server.is_empty();
        }
        let skipped: HashSet<usize> =
            left.iter().flat_map(|id| inspection.pair(*id).server.iter().copied()).collect();
        for position in plan.apply.iter().filter(|position| !skipped.contains(position)) {
            self.take_over(&inspection.window.mutations[*position]);
        }
        let dropped = plan.drop.iter().filter(|dropped| !left.contains(&dropped.pair));
        let dropped: HashSet<&QueueId> = dropped.flat_map(|dropped| &dropped.device).collect();
        self.device.queue.retain(|m| !dropped.contains(&m.id));
        self.device.sync.last_attempt = Some(now);
        if !behind {
            self.device.sync.cursor = Some(head);
            if self.device.queue.is_empty() {
                self.device.sync.last_success = Some(now);
            }
        }
        self.device.sync.pending_count =
            self.device.sync.pending_count.map(|_| self.device.queue.len() as u64);
        !behind
    }

    /// The device takes over what the server says of a resource.
    fn take_over(&mut self, mutation: &ServerMutation) {
        let composite = || super::identity::link_id(&mutation.data).map(ResourceId::from);
        let Some(id) = mutation.resource_id.clone().or_else(composite) else { return };
        if mutation.op == Op::Delete {
            self.remove(&mutation.kind, &id);
        } else {
            self.put(&mutation.kind, id, &mutation.data, Some(mutation.timestamp));
        }
    }

    /// The server has what was sent.
    fn written(&mut self, item: &Item, acked: &Acked) {
        let Some(id) = acked.resource_id.clone().or_else(|| item.wire.resource_id.clone()) else { return };
        for name in &item.members {
            // A row under the queue's own id was waiting for the server's.
            self.remove(&item.wire.kind, &ResourceId::from(name.as_str()));
        }
        if item.wire.op == Op::Delete {
            self.remove(&item.wire.kind, &id);
        } else {
            self.put(&item.wire.kind, id, &item.wire.data, acked.timestamp);
        }
    }

    fn put(&mut self, kind: &Kind, id: ResourceId, data: &Payload, timestamp: Option<Millis>) {
        let Some(rows) = &mut self.rows else { return };
        let row = rows.entry((kind.clone(), id.clone())).or_insert_with(|| Known {
            id,
            kind: kind.clone(),
            data: Payload::ABSENT,
            status: SyncStatus::Synced,
            local_updated_at: None,
            server_timestamp: None,
        });
        row.data = if row.data.as_str().is_none() {
            data.clone()
        } else {
            let mut members = row.data.members();
            members.extend(data.members());
            Payload::from_members(&members)
        };
        row.status = SyncStatus::Synced;
        row.server_timestamp = timestamp.or(row.server_timestamp);
    }

    fn remove(&mut self, kind: &Kind, id: &ResourceId) {
        if let Some(rows) = &mut self.rows {
            rows.swap_remove(&(kind.clone(), id.clone()));
        }
    }

    /// Links that stay in the queue refer to their collection by the server's id from now on.
    fn rename_parents(&mut self) {
        if self.ids.is_empty() {
            return;
        }
        for link in self.device.queue.iter_mut().filter(|m| m.kind == Kind::Link) {
            let mut members = link.data.members();
            let named = members.get("collectionId").and_then(Json::as_str).and_then(|id| self.ids.get(id));
            if let Some(id) = named {
                members.insert(String::from("collectionId"), Json::string(id.as_str()));
                link.data = Payload::from_members(&members);
            }
        }
    }

    /// The device and the window, to be inspected again.
    pub fn parts(&self) -> (Arc<Device>, Arc<Window>) {
        (Arc::new(self.device()), Arc::new(self.window.clone()))
    }
}
