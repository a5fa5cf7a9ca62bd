//! The device file that follows from a story: the queue with its bases, and the rows that the device holds.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Device, Timed, Waiting};
use crate::domain::mutation::{Cursor, Kind, Millis, ResourceId};
use crate::sandbox::model::{Applied, Model};

impl Timed<'_> {
    pub(super) fn device_file(self, cursor: Option<Cursor>, base: &Known, known: &Known) -> Value {
        let Device { id, label, user, last_sync, phone: _ } = &self.story.device;
        let mut sync = Map::new();
        if let (Some(cursor), Some(minutes)) = (cursor, last_sync) {
            sync.insert("lastMutationAt".to_owned(), cursor.value().into());
            sync.insert("lastSyncAttempt".to_owned(), self.ago(*minutes).0.into());
            sync.insert("lastSuccessfulSync".to_owned(), self.ago(*minutes).0.into());
        }
        sync.insert("pendingMutationCount".to_owned(), self.story.queue.len().into());
        let queue: Vec<_> = self.story.queue.iter().map(|waiting| self.entry(waiting, base)).collect();
        json!({
            "device": { "id": id, "label": label, "user": user },
            "sync": sync,
            "queue": queue,
            "resources": self.rows(known),
        })
    }

    /// A queue entry of the device file.
    fn entry(self, waiting: &Waiting, base: &Known) -> Value {
        let mut entry = Map::from_iter([("id".to_owned(), waiting.id.as_str().into())]);
        let wire = self.wire(waiting);
        let agreed = name_of(&wire).and_then(|name| base.0.get(&name));
        if let Value::Object(members) = &wire {
            entry.extend(members.clone());
        }
        if let (true, Some((agreed, _)), Some(data)) = (waiting.base, agreed, wire["data"].as_object()) {
            let set_by_device = |name: &str| data.contains_key(name) && !name.starts_with("client");
            let of_base = agreed.iter().filter(|(name, _)| set_by_device(name));
            let of_base: Map<_, _> = of_base.map(|(name, value)| (name.clone(), value.clone())).collect();
            entry.insert("base".to_owned(), of_base.into());
        }
        entry.insert("createdAt".to_owned(), self.ago(waiting.minutes_ago).0.into());
        entry.insert("retryCount".to_owned(), waiting.retry_count.into());
        if let Some(error) = &waiting.last_error {
            entry.insert("lastError".to_owned(), error.as_str().into());
        }
        Value::Object(entry)
    }

    /// The rows of the device: what it knows, with what it queued laid over it. A creation has its queue id as its
    /// local id.
    fn rows(self, known: &Known) -> Vec<Value> {
        let mut rows: BTreeMap<Name, Map<String, Value>> = BTreeMap::new();
        for ((kind, id), (data, at)) in &known.0 {
            let row = row(kind, id, data, "synced", *at, Some(*at));
            rows.insert((kind.clone(), id.clone()), row);
        }
        let mut created = Vec::new();
        for waiting in &self.story.queue {
            let wire = self.wire(waiting);
            let queued_at = self.ago(waiting.minutes_ago);
            let data = wire["data"].as_object().cloned().unwrap_or_default();
            match name_of(&wire).filter(|name| known.0.contains_key(name)) {
                Some(name) => {
                    let is_delete = wire["type"] == "DELETE";
                    let status = if is_delete { "pending_delete" } else { "pending_update" };
                    let (mut members, at) = rows
                        .get(&name)
                        .and_then(|row| {
                            Some((row["data"].as_object()?.clone(), row["serverTimestamp"].as_i64()?))
                        })
                        .unwrap_or_default();
                    if !is_delete {
                        members.extend(data);
                    }
                    let row = row(&name.0, &name.1, &members, status, queued_at, Some(Millis(at)));
                    rows.insert(name, row);
                }
                None if wire["type"] == "CREATE" => {
                    let kind = Kind::from_wire(wire["resource"].as_str().unwrap_or_default());
                    let id = ResourceId::from(waiting.id.as_str());
                    created.push(row(&kind, &id, &data, "pending_create", queued_at, None));
                }
                None => {}
            }
        }
        rows.into_values().chain(created).map(Value::Object).collect()
    }
}

fn row(
    kind: &Kind,
    id: &ResourceId,
    data: &Map<String, Value>,
    status: &str,
    local_updated_at: Millis,
    server_timestamp: Option<Millis>,
) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("id".to_owned(), id.as_str().into());
    row.insert("resource".to_owned(), kind.wire().into());
    row.insert("data".to_owned(), data.clone().into());
    row.insert("syncStatus".to_owned(), status.into());
    row.insert("localUpdatedAt".to_owned(), local_updated_at.0.into());
    if let Some(at) = server_timestamp {
        row.insert("serverTimestamp".to_owned(), at.0.into());
    }
    row
}

/// A resource by kind and id; a link by its composite id.
type Name = (Kind, ResourceId);

/// Which resource of the server a mutation names; none for a creation without id.
fn name_of(mutation: &Value) -> Option<Name> {
    let kind = Kind::from_wire(mutation["resource"].as_str()?);
    let id = match mutation["resourceId"].as_str() {
        Some(id) => id.to_owned(),
        None if mutation["type"] == "DELETE" => {
            let data = &mutation["data"];
            format!("{}-{}", data["collectionId"].as_str()?, data["bookmarkId"].as_str()?)
        }
        None => return None,
    };
    Some((kind, id.into()))
}

/// What the device knows of the server: state and time of each resource.
#[derive(Clone, Default)]
pub(super) struct Known(BTreeMap<Name, (Map<String, Value>, Millis)>);

impl Known {
    pub(super) fn learn_all(&mut self, model: &Model) {
        for kind in Kind::KNOWN {
            for (id, _) in model.live(&kind) {
                self.learn_one(model, &kind, &id);
            }
        }
    }

    pub(super) fn learn(&mut self, model: &Model, applied: &Applied) {
        for (kind, id) in applied.mutations.iter().filter_map(name_of) {
            self.learn_one(model, &kind, &id);
        }
    }

    fn learn_one(&mut self, model: &Model, kind: &Kind, id: &ResourceId) {
        let name = (kind.clone(), id.clone());
        match (model.state(kind, id), model.written_at(kind, id)) {
            (Some(Value::Object(data)), Some(at)) => self.0.insert(name, (data, at)),
            _ => self.0.remove(&name),
        };
    }
}
