//! A device and a window with part of a push done: what was acknowledged is out of the queue and in the known
//! resources, and the server's older word on it is out of the window.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::ack::Acked;
use super::device::{Device, Known, SyncStatus};
use super::identity;
use super::inspect::rivals::reading_flag;
use super::inspect::{Inspection, PairId};
use super::mutation::{
    Cursor, Kind, Millis, Op, Payload, QueueId, Queued, ResourceId, ServerMutation, WireMutation,
};
use super::plan::Plan;
use super::push::Acknowledged;
use super::settle::Item;
use super::squash;
use super::window::Window;

/// One write of the server's feed: of what, and when.
pub type Written = (Kind, Option<ResourceId>, Millis);

/// What is written by a mutation of the feed.
pub(super) fn written(mutation: &ServerMutation) -> Written {
    (mutation.kind.clone(), identity::id_of(mutation), mutation.timestamp)
}

/// What is true by now on the device's side and what of the window still has to be taken over.
#[derive(Clone, Debug)]
pub struct Fold {
    /// The device but for its known resources, which are in `rows`.
    device: Device,
    rows: Rows,
    window: Window,
}

/// A device's known resources; `None` where its file lists none: then none are kept either.
#[derive(Clone, Debug)]
struct Rows(Option<IndexMap<(Kind, ResourceId), Known>>);

impl Fold {
    /// Before anything was sent, or from where an earlier look at the same device left it.
    pub fn new(inspection: &Inspection) -> Self {
        let mut device = Device::clone(&inspection.device);
        let rows = Rows::taken_from(&mut device);
        Self { device, rows, window: Window::clone(&inspection.window) }
    }

    /// The device as it stands now, in the server's names: to be written back.
    pub fn device(&self) -> Device {
        let mut device = self.as_queued().named();
        device.in_doubt.retain(|id, _| device.queue.iter().any(|m| m.id == *id));
        device.not_it.retain(|id, _| device.queue.iter().any(|m| m.id == *id));
        device
    }

    /// The device as it stands now. What stays in the queue is as it was, so that what was chosen on it stands.
    fn as_queued(&self) -> Device {
        Device { known: self.rows.to_list(), ..self.device.clone() }
    }

    /// The window without what has been dealt with.
    pub const fn window(&self) -> &Window {
        &self.window
    }

    /// The server's id of a collection, by the name that a dependant uses: a queue id, or an id that was given up.
    pub fn collection(&self, name: &str) -> Option<&ResourceId> {
        self.device.given.collection(name)
    }

    /// Nobody knows whether these arrived with the POST that carried `head`, or with an earlier one that is in doubt.
    pub fn doubt<'a>(&mut self, members: impl IntoIterator<Item = &'a QueueId>, head: Cursor) {
        for id in members {
            self.device.in_doubt.entry(id.clone()).or_insert(head);
        }
    }

    /// Of the entries in doubt, only these still are; of the others the server has told. What those have not become is of
    /// no use then, but where a person said so.
    pub fn keep_in_doubt(&mut self, still: impl Fn(&QueueId) -> bool, said: impl Fn(&QueueId) -> bool) {
        self.device.in_doubt.retain(|id, _| still(id));
        self.device.not_it.retain(|id, _| still(id) || said(id));
    }

    /// These have not become that resource.
    pub fn is_not(&mut self, members: &[QueueId], id: &ResourceId) {
        for member in members {
            self.device.not_it.entry(member.clone()).or_default().insert(id.clone());
        }
    }

    /// What is in doubt.
    pub const fn in_doubt(&self) -> &HashMap<QueueId, Cursor> {
        &self.device.in_doubt
    }

    /// Takes in the acknowledgements of one POST, in the order sent. Answers what of the server's was taken over
    /// before that, as positions in the window of `inspection`.
    pub fn acknowledge(&mut self, inspection: &Inspection, items: &[Item], acked: &[Acked]) -> Vec<usize> {
        let mut taken_over = Vec::new();
        let mut done: HashSet<&QueueId> = HashSet::new();
        let mut dealt_with: HashSet<PairId> = HashSet::new();
        for (item, acked) in items.iter().zip(acked) {
            done.extend(&item.members);
            let pair = inspection.pair(item.pair);
            // What is sent for the sake of others leaves them in the queue, with what the server says of them.
            let deals = item.sake.is_empty() || pair.device.is_empty();
            if deals && dealt_with.insert(item.pair) {
                for at in &pair.server {
                    let mutation = &inspection.window.mutations[*at];
                    // Beside a deletion only what the server deleted as well, which may have had another id.
                    if item.wire.op != Op::Delete || mutation.op == Op::Delete {
                        self.take_over(mutation);
                        taken_over.push(*at);
                    }
                }
            }
            self.written(item, acked);
            // What it was made by may have come back before, so that this was a change of it.
            let made_by = || {
                let made = |m: &&Queued| m.op == Op::Create && m.resource_id.is_none();
                inspection.queued(pair).filter(made).filter(|m| item.members.contains(&m.id))
            };
            let is_own =
                item.wire.op == Op::Create || (item.wire.op == Op::Update && made_by().next().is_some());
            if let Some(id) = acked.resource_id.as_ref().or(item.wire.resource_id.as_ref()).filter(|_| is_own)
            {
                let names = made_by().map(|m| m.id.as_str()).chain(item.names.iter().map(String::as_str));
                self.device.given.insert(&item.wire.kind, names, id);
            }
        }
        // What somebody still contends with stays news until that is sent or given up.
        let contended = |id: &&PairId| {
            let rival = inspection.pair(**id).rival.as_ref().filter(|rival| !rival.decides);
            let decider = rival.and_then(|rival| rival.other).map(|id| inspection.pair(id));
            decider.is_some_and(|pair| inspection.queued(pair).any(|entry| !done.contains(&entry.id)))
        };
        let gone: HashSet<(Kind, Option<ResourceId>, Millis)> = dealt_with
            .iter()
            .filter(|id| !contended(id))
            .flat_map(|id| inspection.served(inspection.pair(*id)))
            .map(|m| (m.kind.clone(), m.resource_id.clone(), m.timestamp))
            .collect();
        if !gone.is_empty() {
            self.window.retain(|m| !gone.contains(&(m.kind.clone(), m.resource_id.clone(), m.timestamp)));
        }
        self.device.queue.retain(|m| !done.contains(&m.id));
        self.replace_readings(inspection);
        self.device.in_doubt.retain(|id, _| !done.contains(id));
        taken_over
    }

    /// An entry that set a reading place which a later one replaced must not set it once that one has left the queue.
    fn replace_readings(&mut self, inspection: &Inspection) {
        let replaced: HashMap<QueueId, Payload> = inspection.replaced_readings().into_iter().collect();
        for entry in self.device.queue.iter_mut().filter(|_| !replaced.is_empty()) {
            if let Some(data) = replaced.get(&entry.id) {
                entry.data = data.clone();
            }
        }
    }

    /// Newer mutations of the server: each replaces what the window said of its resource before.
    pub fn extend(&mut self, newer: Window) {
        let identity =
            |m: &ServerMutation| (m.kind.clone(), m.resource_id.clone(), identity::link_id(&m.data));
        let fresh: HashSet<_> = newer.mutations.iter().map(identity).collect();
        self.window.retain(|m| !fresh.contains(&identity(m)));
        self.window.extend(newer);
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
        self.rows.remove(kind, id);
        self.device.given.forget(kind, id);
    }

    /// The end of a push: takes over what the plan applies and drops, except for pairs in `left`, and moves the
    /// cursor to `head` when nothing of the server's is left behind (DESIGN §5). Answers whether it moved, and what was
    /// taken over.
    pub fn finish(
        &mut self,
        inspection: &Inspection,
        plan: &Plan,
        left: &HashSet<PairId>,
        head: Cursor,
        now: Millis,
    ) -> (bool, Vec<Written>) {
        let mut taken_over = Vec::new();
        let mut behind = !plan.moves_cursor;
        for id in left {
            behind |= !inspection.pair(*id).server.is_empty();
        }
        let skipped: HashSet<usize> =
            left.iter().flat_map(|id| inspection.pair(*id).server.iter().copied()).collect();
        // What may be an entry that stays, and is taken over, would not be recognised as it the next time.
        let may_be_left: HashSet<&Kind> = left
            .iter()
            .map(|id| inspection.pair(*id))
            .filter(|pair| pair.twin.is_some())
            .map(|p| &p.kind)
            .collect();
        for position in plan.apply.iter().filter(|position| !skipped.contains(position)) {
            let mutation = &inspection.window.mutations[*position];
            let known = mutation.resource_id.as_ref().and_then(|id| inspection.known(&mutation.kind, id));
            if known.is_some() || !may_be_left.contains(&mutation.kind) {
                self.take_over(mutation);
                taken_over.push(written(mutation));
            }
        }
        let dropped = || plan.drop.iter().filter(|dropped| !left.contains(&dropped.pair));
        for dropped in dropped() {
            // What stays in the queue may name it by its queue id.
            let pair = inspection.pair(dropped.pair);
            let there = inspection.became(pair).filter(|_| pair.kind == Kind::Collection);
            if let Some(id) = there {
                self.device.given.insert(&pair.kind, dropped.device.iter().map(QueueId::as_str), &id);
            }
        }
        let dropped: HashSet<&QueueId> = dropped().flat_map(|dropped| &dropped.device).collect();
        self.device.queue.retain(|m| !dropped.contains(&m.id));
        self.replace_readings(inspection);
        self.device.sync.last_attempt = Some(now);
        if !behind {
            self.device.sync.cursor = Some(head);
            if self.device.queue.is_empty() {
                self.device.sync.last_success = Some(now);
            }
        }
        self.device.sync.pending_count =
            self.device.sync.pending_count.map(|_| self.device.queue.len() as u64);
        (!behind, taken_over)
    }

    /// The device takes over what the server says of a resource.
    fn take_over(&mut self, mutation: &ServerMutation) {
        let Some(id) = identity::id_of(mutation) else { return };
        if mutation.op == Op::Delete {
            self.rows.remove(&mutation.kind, &id);
        } else if !self.rows.is_newer(&mutation.kind, &id, mutation.timestamp) {
            self.rows.put(&mutation.kind, id, &mutation.data, Some(mutation.timestamp));
        }
    }

    /// The server has what was sent.
    fn written(&mut self, item: &Item, acked: &Acked) {
        let Some(id) = acked.resource_id.clone().or_else(|| item.wire.resource_id.clone()) else { return };
        let WireMutation { op, kind, data, .. } = &item.wire;
        self.rows.written(&item.members, (*op, kind, data), id, acked.timestamp);
    }

    /// The device and the window, to be inspected again.
    pub fn parts(&self) -> (Arc<Device>, Arc<Window>) {
        (Arc::new(self.as_queued()), Arc::new(self.window.clone()))
    }
}

impl Rows {
    fn taken_from(device: &mut Device) -> Self {
        let rows = device.known.take();
        Self(rows.map(|rows| rows.into_iter().map(|row| ((row.kind.clone(), row.id.clone()), row)).collect()))
    }

    fn to_list(&self) -> Option<Vec<Known>> {
        self.0.as_ref().map(|rows| rows.values().cloned().collect())
    }

    /// The server has what these queue entries wanted.
    fn written(
        &mut self,
        members: &[QueueId],
        (op, kind, data): (Op, &Kind, &Payload),
        id: ResourceId,
        timestamp: Option<Millis>,
    ) {
        for name in members {
            // A row under the queue's own id was waiting for the server's.
            self.remove(kind, &ResourceId::from(name.as_str()));
        }
        if op == Op::Delete {
            self.remove(kind, &id);
        } else {
            self.put(kind, id, data, timestamp);
        }
    }

    fn put(&mut self, kind: &Kind, id: ResourceId, data: &Payload, timestamp: Option<Millis>) {
        let Some(rows) = &mut self.0 else { return };
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

    /// Whether the device holds a later state than that of `timestamp`.
    fn is_newer(&self, kind: &Kind, id: &ResourceId, timestamp: Millis) -> bool {
        let row = self.0.as_ref().and_then(|rows| rows.get(&(kind.clone(), id.clone())));
        let synced = row.filter(|row| row.status == SyncStatus::Synced);
        synced.and_then(|row| row.server_timestamp).is_some_and(|at| at > timestamp)
    }

    fn remove(&mut self, kind: &Kind, id: &ResourceId) {
        if let Some(rows) = &mut self.0 {
            rows.swap_remove(&(kind.clone(), id.clone()));
        }
    }
}

/// The device of a push that broke off, after what its journal holds as acknowledged: as [`Fold::acknowledge`] leaves
/// it, but for what the server did at the same time, which the next pull shows. The journal holds no payloads, so that
/// a resource is as the device wanted it, until that pull.
pub fn after(device: &Device, done: &[Acknowledged]) -> Device {
    let mut device = device.clone();
    let mut rows = Rows::taken_from(&mut device);
    let places: HashMap<&str, usize> =
        device.queue.iter().enumerate().map(|(at, entry)| (entry.id.as_str(), at)).collect();
    let mut given = device.given.clone();
    let mut gone: HashSet<QueueId> = HashSet::new();
    for Acknowledged { queue, resource_id } in done {
        let mut positions: Vec<usize> =
            queue.iter().filter_map(|id| places.get(id.as_str()).copied()).collect();
        positions.sort_unstable();
        let Some(first) = positions.first() else { continue };
        let kind = &device.queue[*first].kind;
        let Some(intent) = squash::squash(&device.queue, &positions).intents.pop() else { continue };
        let members: Vec<QueueId> = positions.iter().map(|at| device.queue[*at].id.clone()).collect();
        let id = resource_id.as_deref().map(ResourceId::from);
        let before = intent.resource_id.clone().filter(|before| id.as_ref().is_some_and(|id| id != before));
        if let Some(id) = &id
            && intent.op != Op::Delete
        {
            let names = queue.iter().map(String::as_str).chain(before.as_ref().map(ResourceId::as_str));
            given.insert(kind, names, id);
        }
        if let Some(id) = id.or(intent.resource_id) {
            rows.written(&members, (intent.op, kind, &intent.data), id, None);
        }
        gone.extend(members);
    }
    let reads = |entry: &&Queued| entry.kind == Kind::Bookmark && reading_flag(&entry.data) == Some(true);
    let sent = device.queue.iter().rfind(reads).is_some_and(|last| gone.contains(&last.id));
    device.queue.retain(|entry| !gone.contains(&entry.id));
    for entry in device.queue.iter_mut().filter(|entry| sent && reads(&&**entry)) {
        // It came before the reading place that was sent.
        let mut members = entry.data.members();
        members.shift_remove("isReading");
        entry.data = Payload::from_members(&members);
    }
    Device { known: rows.to_list(), given, ..device }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::{ResponseHead, read_page};
    use crate::domain::inspect::inspect;
    use crate::domain::json::Text;
    use crate::domain::window::{PullPath, assemble};

    /// The device and the server both deleted a link; since its collection came back under another id, so did the
    /// link, and the server acknowledges that one.
    #[test]
    fn what_the_server_deleted_under_another_id_leaves_the_device_as_well() {
        let link = || Payload::new(Text::new(r#"{"collectionId":"c1","bookmarkId":"b1"}"#.into()));
        let since = Cursor::read(1_770_000_000_000);
        let row = |id: &str| Known {
            id: id.into(),
            kind: Kind::Link,
            data: link(),
            status: SyncStatus::Synced,
            local_updated_at: None,
            server_timestamp: None,
        };
        let entry = Queued {
            id: "q1".into(),
            op: Op::Delete,
            kind: Kind::Link,
            resource_id: None,
            data: link(),
            base: Payload::ABSENT,
            created_at: None,
            retry_count: 0,
            last_error: None,
        };
        let device = Device {
            queue: vec![entry],
            known: Some(vec![row("c1-b1"), row("c2-b1"), row("c3-b3")]),
            ..Device::default()
        };
        let body = r#"{"success":true,"data":{"lastMutationAt":1770000009000,"hasMore":false,"mutations":[
            {"type":"DELETE","resource":"COLLECTION_BOOKMARK","timestamp":1770000009000,"data":{"collectionId":"c1","bookmarkId":"b1"}}]}}"#;
        let page = read_page(&ResponseHead::ok(), &Text::new(body.into()), 1).expect("a page");
        let window = assemble(PullPath::SinceCursor, since, Cursor::read(1_770_000_009_000), vec![page]);
        let inspection = inspect(Arc::new(device), Arc::new(window));
        let mut fold = Fold::new(&inspection);
        let wire = WireMutation { op: Op::Delete, kind: Kind::Link, resource_id: None, data: link() };
        let pair = inspection.pair_of_queued(0);
        let item = Item {
            pair,
            members: vec!["q1".into()],
            wire,
            parent: None,
            names: Vec::new(),
            sake: Vec::new(),
        };
        let acked = Acked { resource_id: Some("c2-b1".into()), timestamp: None };
        fold.acknowledge(&inspection, &[item], &[acked]);
        let (device, _) = fold.parts();
        let ids: Vec<&str> = device.known.iter().flatten().map(|row| row.id.as_str()).collect();
        assert_eq!((ids, device.queue.len()), (vec!["c3-b3"], 0));
    }
}
