//! What the phone's client holds to be one resource (PROTOCOL A8).

use std::collections::{HashMap, HashSet};

use indexmap::IndexSet;

use super::pending::Pending;
use super::pulled::Pulled;
use super::{Key, group_by_key};
use crate::domain::mutation::{Kind, Op};

/// Both sides' mutations of what the client holds to be one resource, as indexes into the slices that were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflict {
    /// Into the device's.
    pub device: Vec<usize>,
    /// Into the server's. One of the server's may stand in two conflicts.
    pub server: Vec<usize>,
}

/// The answer of [`detect`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detection {
    /// What both sides speak of.
    pub conflicts: Vec<Conflict>,
    /// What only the device speaks of.
    pub device_only: Vec<usize>,
    /// What only the server speaks of.
    pub server_only: Vec<usize>,
}

/// Groups the two sides: by key or the server's id; notes and sessions by the server's id, or as the replay of a
/// creation when exactly one queued creation looks like it.
pub fn detect(kind: &Kind, pending: &[Pending], pulled: &[Pulled]) -> Detection {
    let conflicts = match kind {
        Kind::Bookmark | Kind::Collection | Kind::Link => by_key(pending, pulled),
        Kind::Note | Kind::ReadingSession => by_id(pending, pulled),
        Kind::Other(_) => Vec::new(),
    };
    let device: HashSet<usize> = conflicts.iter().flat_map(|conflict| &conflict.device).copied().collect();
    let server: HashSet<&str> = conflicts
        .iter()
        .flat_map(|conflict| &conflict.server)
        .map(|index| pulled[*index].id.as_str())
        .collect();
    Detection {
        device_only: (0..pending.len()).filter(|index| !device.contains(index)).collect(),
        // By id: another mutation of a conflicting id is left out of everything, as the client has it.
        server_only: (0..pulled.len()).filter(|index| !server.contains(pulled[*index].id.as_str())).collect(),
        conflicts,
    }
}

fn by_key(pending: &[Pending], pulled: &[Pulled]) -> Vec<Conflict> {
    let mut of_key: HashMap<&Key, Vec<usize>> = HashMap::new();
    let mut of_id: HashMap<&str, usize> = HashMap::new();
    for (index, entry) in pulled.iter().enumerate() {
        if let Some(key) = &entry.key {
            of_key.entry(key).or_default().push(index);
        }
        of_id.insert(entry.id.as_str(), index);
    }
    let mut conflicts = Vec::new();
    for device in group_by_key(pending, |entry| entry.key.as_ref()) {
        let key = device.first().and_then(|index| pending[*index].key.as_ref());
        let mut server: IndexSet<usize> =
            key.and_then(|key| of_key.get(key)).into_iter().flatten().copied().collect();
        let ids = device.iter().filter_map(|index| pending[*index].id.as_ref());
        server.extend(ids.filter_map(|id| of_id.get(id.as_str())));
        if !server.is_empty() {
            conflicts.push(Conflict { device, server: server.into_iter().collect() });
        }
    }
    conflicts
}

fn by_id(pending: &[Pending], pulled: &[Pulled]) -> Vec<Conflict> {
    let mut of_id: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, entry) in pulled.iter().enumerate() {
        of_id.entry(entry.id.as_str()).or_default().push(index);
    }
    let mut conflicts = Vec::new();
    let mut met: HashSet<&str> = HashSet::new();
    let mut creations: HashMap<&Key, Vec<usize>> = HashMap::new();
    for device in group_by_key(pending, |entry| entry.id.as_ref()) {
        let Some(first) = device.first().map(|index| &pending[*index]) else { continue };
        match &first.id {
            Some(id) => {
                if let Some(server) = of_id.get(id.as_str()) {
                    met.insert(id.as_str());
                    conflicts.push(Conflict { device, server: server.clone() });
                }
            }
            None if first.op == Op::Create => {
                if let Some(key) = &first.key {
                    creations.entry(key).or_default().extend(device);
                }
            }
            None => {}
        }
    }
    for (index, entry) in pulled.iter().enumerate() {
        let replay = entry.op == Op::Create && !met.contains(entry.id.as_str());
        let Some(candidates) = entry.key.as_ref().filter(|_| replay).and_then(|key| creations.get_mut(key))
        else {
            continue;
        };
        if let [only] = candidates[..] {
            candidates.clear();
            conflicts.push(Conflict { device: vec![only], server: vec![index] });
        }
    }
    conflicts
}
