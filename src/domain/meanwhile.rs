//! The application wrote to the device file while it was pushed. Three states of one device, put together: as it was
//! read, as the push leaves it, and as the file says now. What is acknowledged leaves, what was added or edited since
//! stays, and nothing is guessed: where it cannot be told entry by entry, a person is asked.

use std::collections::{HashMap, HashSet};

use super::device::{Device, Known, SyncStatus};
use super::mutation::{Kind, Op, Payload, QueueId, Queued, ResourceId};

/// A device as it was read and as a push leaves it.
#[derive(Clone, Copy, Debug)]
pub struct Push<'a> {
    /// As it was read.
    pub was: &'a Device,
    /// As the push leaves it.
    pub left: &'a Device,
    /// The ids that the server gave to what these queue entries made.
    pub ids: &'a HashMap<QueueId, ResourceId>,
    /// Entries that left the queue unsent.
    pub dropped: &'a HashSet<QueueId>,
}

/// A device after a push during which the application wrote.
#[derive(Clone, Debug)]
pub struct Together {
    /// What the file is to hold.
    pub device: Device,
    /// Queue entries that were added or edited meanwhile, and wait.
    pub news: Vec<QueueId>,
}

/// Puts together what a push left and what the application wrote meanwhile.
///
/// # Errors
/// The queue entries of which it cannot be told what shall become of them.
pub fn together(push: Push<'_>, found: &Device) -> Result<Together, Vec<QueueId>> {
    let mut work = Work { push, queue: Vec::new(), news: Vec::new(), untold: Vec::new() };
    work.entries(found);
    if !work.untold.is_empty() {
        return Err(work.untold);
    }
    let Push { was, left, .. } = push;
    let mut device = Device { queue: work.queue, ..left.clone() };
    device.identity = found.identity.clone();
    device.retention.clone_from(&found.retention);
    device.known = rows(push, found);
    let (before, app) = (was.sync.cursor, found.sync.cursor);
    let news: HashSet<&QueueId> = work.news.iter().collect();
    let touches =
        device.queue.iter().filter(|entry| news.contains(&entry.id)).any(|entry| touched(push, entry));
    device.sync.cursor = match (left.sync.cursor == before, app == before) {
        // What the server changed under it must be news the next time as well.
        (false, true) if touches => before,
        (false, true) => left.sync.cursor,
        (true, _) => app,
        // Both are the server's own; from the earlier one nothing is overlooked.
        (false, false) => left.sync.cursor.min(app),
    };
    device.sync.last_attempt = left.sync.last_attempt.max(found.sync.last_attempt);
    device.sync.last_success = left.sync.last_success.max(found.sync.last_success);
    device.sync.pending_count = found.sync.pending_count.map(|_| device.queue.len() as u64);
    Ok(Together { device: device.named(), news: work.news })
}

struct Work<'a> {
    push: Push<'a>,
    queue: Vec<Queued>,
    news: Vec<QueueId>,
    untold: Vec<QueueId>,
}

impl<'a> Work<'a> {
    fn entries(&mut self, found: &'a Device) {
        let Push { was, left, dropped, .. } = self.push;
        let by_id = |device: &'a Device| -> HashMap<&'a QueueId, &'a Queued> {
            device.queue.iter().map(|entry| (&entry.id, entry)).collect()
        };
        let (before, after, now) = (by_id(was), by_id(left), by_id(found));
        for entry in &found.queue {
            match (before.get(&entry.id), after.get(&entry.id)) {
                (Some(was), None) if wants_the_same(was, entry) => {}
                (Some(was), None) => self.edited_after(was, entry),
                (Some(was), Some(left)) if wants_the_same(was, entry) => self.queue.push(Queued::clone(left)),
                (Some(was), Some(left)) => self.edited(was, left, entry),
                (None, Some(left)) if wants_the_same(left, entry) => self.queue.push(Queued::clone(left)),
                (None, Some(_)) => self.untold.push(entry.id.clone()),
                (None, None) => self.add(entry.clone()),
            }
        }
        for entry in &was.queue {
            // Sent here and taken out there: withdrawn, or sent by the application as well.
            let sent = !after.contains_key(&entry.id) && !dropped.contains(&entry.id);
            if sent && !now.contains_key(&entry.id) {
                self.untold.push(entry.id.clone());
            }
        }
        let new = left.queue.iter().filter(|m| !before.contains_key(&m.id) && !now.contains_key(&m.id));
        self.queue.extend(new.cloned());
    }

    /// It waits still, and holds something else by now.
    fn edited(&mut self, was: &Queued, left: &Queued, entry: &Queued) {
        // Whether what was sent of it arrived is recognised by what it held.
        let in_doubt = self.push.left.in_doubt.contains_key(&entry.id);
        if in_doubt || (left.data != was.data && entry.kind != Kind::Link) {
            self.untold.push(entry.id.clone());
        } else {
            self.add(entry.clone());
        }
    }

    /// It is done, and holds something else by now: what the server has is what that was made from.
    fn edited_after(&mut self, was: &Queued, entry: &Queued) {
        if self.push.dropped.contains(&entry.id) {
            return self.add(entry.clone());
        }
        let id = self.push.ids.get(&entry.id).or(was.resource_id.as_ref());
        let Some(id) = id.filter(|_| was.kind == entry.kind && was.kind != Kind::Link) else {
            return self.untold.push(entry.id.clone());
        };
        let op = match (was.op, entry.op) {
            (Op::Create, Op::Create | Op::Update) | (Op::Update, Op::Update) => Op::Update,
            (Op::Create | Op::Update, Op::Delete) => Op::Delete,
            (Op::Update, Op::Create) | (Op::Delete, Op::Create | Op::Update | Op::Delete) => {
                return self.untold.push(entry.id.clone());
            }
        };
        let base = match (was.op, was.base.as_str()) {
            (Op::Create, _) => was.data.clone(),
            (Op::Update, Some(_)) => {
                let mut members = was.base.members();
                members.extend(was.data.members());
                Payload::from_members(&members)
            }
            (Op::Update, None) | (Op::Delete, _) => Payload::ABSENT,
        };
        // The id is done with; what is new must not be taken for what was acknowledged.
        let named = format!("{}~{:08x}", entry.id.as_str(), mark(entry));
        self.add(Queued {
            id: QueueId::from(named.as_str()),
            op,
            resource_id: Some(id.clone()),
            base,
            retry_count: 0,
            last_error: None,
            ..entry.clone()
        });
    }

    /// Adds what the application wrote, in the server's names.
    fn add(&mut self, mut entry: Queued) {
        let named = entry.resource_id.as_ref().and_then(|id| server_id(self.push, &entry.kind, id));
        entry.resource_id = named.cloned().or(entry.resource_id);
        self.news.push(entry.id.clone());
        self.queue.push(entry);
    }
}

/// The server's id of what the device calls `id`, where the push learnt it.
fn server_id<'a>(push: Push<'a>, kind: &Kind, id: &ResourceId) -> Option<&'a ResourceId> {
    let called = |entry: &&Queued| {
        entry.kind == *kind && (entry.id.as_str() == id.as_str() || entry.resource_id.as_ref() == Some(id))
    };
    push.was.queue.iter().filter(called).find_map(|entry| push.ids.get(&entry.id))
}

/// What a device does with its entries when it tries to send them changes nothing of what they want.
fn wants_the_same(one: &Queued, other: &Queued) -> bool {
    (one.op, &one.kind, &one.resource_id) == (other.op, &other.kind, &other.resource_id)
        && (one.data == other.data || one.data.members() == other.data.members())
}

/// A mark of what an entry wants, the same on every machine.
fn mark(entry: &Queued) -> u32 {
    let parts = [entry.op.wire(), "\n", entry.data.as_str().unwrap_or_default()];
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Whether the push took something over from the server on which this entry may bear.
fn touched(push: Push<'_>, entry: &Queued) -> bool {
    let (Some(was), Some(left)) = (&push.was.known, &push.left.known) else { return true };
    let own: HashSet<&ResourceId> = push.ids.values().collect();
    let before: HashMap<&ResourceId, &Known> =
        was.iter().filter(|row| row.kind == entry.kind).map(|row| (&row.id, row)).collect();
    let after: HashMap<&ResourceId, &Known> =
        left.iter().filter(|row| row.kind == entry.kind).map(|row| (&row.id, row)).collect();
    let sent = |id: &ResourceId| {
        own.contains(id) || push.was.queue.iter().any(|m| m.resource_id.as_ref() == Some(id))
    };
    match &entry.resource_id {
        Some(id) => before.get(id) != after.get(id) && !sent(id),
        None => after.keys().any(|id| !before.contains_key(*id) && !sent(id)),
    }
}

/// The known resources, by the same rule; those of a file that lists none stay unlisted.
fn rows(push: Push<'_>, found: &Device) -> Option<Vec<Known>> {
    let Push { was, left, .. } = push;
    let found = found.known.as_ref()?;
    let Some(left) = &left.known else { return Some(found.clone()) };
    let key = |row: &Known| (row.kind.clone(), row.id.clone());
    let was: HashMap<_, &Known> = was.known.iter().flatten().map(|row| (key(row), row)).collect();
    let after: HashMap<_, &Known> = left.iter().map(|row| (key(row), row)).collect();
    let mut rows = Vec::new();
    let mut edits: HashMap<(Kind, ResourceId), &Known> = HashMap::new();
    let mut seen = HashSet::new();
    for row in found {
        let key = key(row);
        seen.insert(key.clone());
        let before = was.get(&key);
        match (before, after.get(&key)) {
            (Some(before), Some(left)) if says_the_same(before, row) => rows.push(Known::clone(left)),
            (Some(before), None) if says_the_same(before, row) => {}
            (Some(before), Some(left)) if before == left => rows.push(row.clone()),
            (_, Some(left)) => rows.push(newer(row, left)),
            (_, None) => match server_id(push, &row.kind, &row.id).filter(|_| before.is_some()) {
                Some(id) => {
                    edits.insert((row.kind.clone(), id.clone()), row);
                }
                None => rows.push(row.clone()),
            },
        }
    }
    for row in left.iter().filter(|row| !seen.contains(&key(row)) && !was.contains_key(&key(row))) {
        rows.push(edits.get(&key(row)).map_or_else(|| row.clone(), |edit| newer(edit, row)));
    }
    Some(rows)
}

fn says_the_same(one: &Known, other: &Known) -> bool {
    one.status == other.status && (one.data == other.data || one.data.members() == other.data.members())
}

/// What the application made of a resource meanwhile, on what the server has of it by now.
fn newer(found: &Known, left: &Known) -> Known {
    let status = match found.status {
        SyncStatus::Synced if found.server_timestamp < left.server_timestamp => return left.clone(),
        SyncStatus::PendingCreate => SyncStatus::PendingUpdate,
        status @ (SyncStatus::Synced | SyncStatus::PendingUpdate | SyncStatus::PendingDelete) => status,
    };
    let server_timestamp = left.server_timestamp.max(found.server_timestamp);
    Known { id: left.id.clone(), status, server_timestamp, ..found.clone() }
}

#[cfg(test)]
mod tests;
