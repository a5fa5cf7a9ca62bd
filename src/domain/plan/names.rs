//! Names of collections in a plan: no two that the server tells apart end with one name, and a name is free before
//! another collection gets it.

use std::collections::{HashMap, HashSet};

use super::{Outcome, Phase, Warning};
use crate::domain::field::FieldPath;
use crate::domain::identity::Facts;
use crate::domain::inspect::{Inspection, PairId};
use crate::domain::mutation::{Kind, Op, QueueId, ResourceId};
use crate::domain::settle::Item;

/// The name that an item gives to a collection which the server knows by its id.
fn gives(item: &Item) -> Option<(&ResourceId, String)> {
    if item.wire.kind != Kind::Collection || item.wire.op == Op::Delete {
        return None;
    }
    let id = item.wire.resource_id.as_ref()?;
    Some((id, Facts::of(&Kind::Collection, &item.wire.data, false).name?.into_owned()))
}

/// The name that an item gives to a collection, which the server has by this id or is to make.
fn wants(item: &Item) -> Option<(Option<&ResourceId>, String)> {
    if item.wire.kind != Kind::Collection || item.wire.op == Op::Delete {
        return None;
    }
    let name = Facts::of(&Kind::Collection, &item.wire.data, false).name?.into_owned();
    Some((item.wire.resource_id.as_ref(), name))
}

/// A collection that has a name in the end.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Bearer {
    /// The server has it by this id.
    Here(ResourceId),
    /// This queue entry makes it.
    Made(QueueId),
}

/// Who has which name once the item is sent.
fn bears(item: &Item) -> Option<(Bearer, String)> {
    let (id, name) = wants(item)?;
    let made = || item.members.first().cloned().map(Bearer::Made);
    Some((id.cloned().map(Bearer::Here).or_else(made)?, name))
}

/// The collection that an item deletes.
fn deletes(item: &Item) -> Option<&ResourceId> {
    let is = item.wire.kind == Kind::Collection && item.wire.op == Op::Delete;
    item.wire.resource_id.as_ref().filter(|_| is)
}

/// A rename onto a name that another collection has in the end stays on the device: whatever was to free the name was
/// given up, or two of the device's own want it.
pub(super) fn hold_what_has_no_name(inspection: &Inspection, outcomes: &mut [(PairId, Outcome)]) {
    let pushes = |outcomes: &[(PairId, Outcome)], at: usize| -> Vec<Item> {
        match &outcomes[at].1 {
            Outcome::Settled(settled) => settled.push.clone(),
            Outcome::Open(_) | Outcome::Held(_) => Vec::new(),
        }
    };
    let collections: Vec<usize> = (0..outcomes.len())
        .filter(|at| {
            let pair = inspection.pair(outcomes[*at].0);
            pair.kind == Kind::Collection && !pair.device.is_empty()
        })
        .collect();
    if !collections.iter().any(|at| pushes(outcomes, *at).iter().any(|item| gives(item).is_some())) {
        return;
    }
    let named = inspection.names_on_server();
    loop {
        // What each collection is called once everything is sent, and who has each name: by the server's id, or by the
        // queue entry that makes it.
        let mut ends: HashMap<Bearer, String> =
            named.iter().map(|named| (Bearer::Here(named.id.clone()), named.name.clone())).collect();
        let mut renamed: HashSet<Bearer> = HashSet::new();
        for at in &collections {
            for item in pushes(outcomes, *at) {
                if let Some(id) = deletes(&item) {
                    ends.remove(&Bearer::Here(id.clone()));
                } else if let Some((bearer, name)) = bears(&item) {
                    renamed.extend(gives(&item).map(|(id, _)| Bearer::Here(id.clone())));
                    ends.insert(bearer, name);
                }
            }
        }
        let mut bearers: HashMap<&str, Vec<&Bearer>> = HashMap::new();
        for (bearer, name) in &ends {
            bearers.entry(name).or_default().push(bearer);
        }
        // Of two of the device's own the later one waits. What is made under a name that the server has already is
        // recognised by it (PROTOCOL A8).
        let clash = collections.iter().rev().find(|at| {
            pushes(outcomes, **at).iter().filter_map(bears).any(|(bearer, name)| {
                let others = bearers.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
                let mut others = others.iter().filter(|other| ***other != bearer);
                match &bearer {
                    Bearer::Here(id) => {
                        let before = named.iter().any(|named| named.id == *id && named.name == name);
                        !before && others.next().is_some()
                    }
                    Bearer::Made(_) => others.any(|other| renamed.contains(*other)),
                }
            })
        });
        let Some(&at) = clash else { return };
        outcomes[at].1 = Outcome::Held(String::from(
            "another collection keeps this name: give one of the two another name",
        ));
    }
}

/// Puts renames behind what frees the name. Answers a caution for each ring, in which no order does: the server takes
/// a name that is still in use (as the phones' traces show, PROTOCOL A10 S-A5), so that a ring is sent as it is.
pub(super) fn free_first(inspection: &Inspection, items: &mut Vec<(Phase, Item)>) -> Vec<Warning> {
    let is_here = |(phase, item): &(Phase, Item)| {
        *phase == Phase::BookmarksAndCollections && item.wire.kind == Kind::Collection
    };
    if !items.iter().any(|item| is_here(item) && wants(&item.1).is_some()) {
        return Vec::new();
    }
    let Some(start) = items.iter().position(is_here) else { return Vec::new() };
    let rest = items.split_off(start);
    let (mut waiting, behind): (Vec<_>, Vec<_>) = rest.into_iter().partition(is_here);
    let mut has: HashMap<ResourceId, String> =
        inspection.names_on_server().into_iter().map(|named| (named.id, named.name)).collect();
    let mut warnings = Vec::new();
    while !waiting.is_empty() {
        let changed: HashSet<&ResourceId> = waiting
            .iter()
            .filter_map(|(_, item)| deletes(item).or_else(|| gives(item).map(|(id, _)| id)))
            .collect();
        // Whose names are in the way of others, of those that are still to change theirs.
        let mut bearers: HashMap<&str, Vec<&ResourceId>> = HashMap::new();
        for (id, name) in has.iter().filter(|(id, _)| changed.contains(id)) {
            bearers.entry(name).or_default().push(id);
        }
        let waits: Vec<bool> = waiting
            .iter()
            .map(|(_, item)| {
                // What is made under a name that is still in use becomes one with whoever has it.
                wants(item).is_some_and(|(id, name)| {
                    bearers.get(name.as_str()).is_some_and(|all| all.iter().any(|other| Some(*other) != id))
                })
            })
            .collect();
        let ring = waits.iter().all(|waits| *waits);
        let mut next = Vec::new();
        let mut later = Vec::new();
        for (at, (item, waits)) in waiting.into_iter().zip(waits).enumerate() {
            if !waits || (ring && at == 0) { next.push(item) } else { later.push(item) }
        }
        for (_, item) in &next {
            if let Some((id, name)) = gives(item) {
                has.insert(id.clone(), name);
            } else if let Some(id) = deletes(item) {
                has.remove(id);
            }
        }
        if ring && let Some((_, item)) = next.first() {
            warnings.push(Warning {
                pair: Some(item.pair),
                path: Some(FieldPath::name()),
                rule: None,
                text: String::from(
                    "collections exchange their names, so that two bear one name for a moment; other phones of this account may stop at that",
                ),
            });
        }
        items.extend(next);
        waiting = later;
    }
    for (_, item) in items.iter().filter(|item| is_here(item)) {
        let Some((None, name)) = wants(item) else { continue };
        if has.values().any(|other| *other == name) {
            warnings.push(Warning {
                pair: Some(item.pair),
                path: Some(FieldPath::name()),
                rule: None,
                text: String::from(
                    "a collection of this name is there already: the server takes the two for one",
                ),
            });
        }
    }
    items.extend(behind);
    warnings
}
