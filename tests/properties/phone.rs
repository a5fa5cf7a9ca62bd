//! The inspection and the model of the phone's client, told of the same world.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use unstick::domain::inspect::{Inspection, Pair};
use unstick::domain::mutation::Kind;
use unstick::domain::phone::Phone;

use super::worlds::{Entry, World, cases, phone_world};

/// Positions in the queue and in the window that belong together.
type Together = (BTreeSet<usize>, BTreeSet<usize>);

fn together(pair: &Pair) -> Together {
    (pair.device.iter().copied().collect(), pair.server.iter().copied().collect())
}

/// What the client groups, groups that share a mutation put together.
fn grouped_by_the_phone(world: &World, kind: &Kind) -> Option<BTreeSet<Together>> {
    let (device, window) = (world.device(), world.window());
    let plan = Phone::new(&device, &window).plan(kind).ok()?;
    let mut joined: Vec<Together> = Vec::new();
    for conflict in plan.conflicts {
        let mut group: Together =
            (conflict.device.into_iter().collect(), conflict.server.into_iter().collect());
        let overlaps = |other: &Together| !other.0.is_disjoint(&group.0) || !other.1.is_disjoint(&group.1);
        let (shared, rest): (Vec<_>, Vec<_>) = joined.into_iter().partition(overlaps);
        for other in shared {
            group.0.extend(other.0);
            group.1.extend(other.1);
        }
        joined = rest;
        joined.push(group);
    }
    Some(joined.into_iter().collect())
}

fn grouped_by_the_inspection(inspection: &Inspection, kind: &Kind) -> BTreeSet<Together> {
    let pairs = inspection.pairs.iter().filter(|pair| pair.kind == *kind);
    pairs.filter(|p| !p.device.is_empty() && !p.server.is_empty()).map(together).collect()
}

/// Whether a collection of the device's has the name of one that the server has under another id. The client takes the
/// two for one; they are two, of which one has to have another name.
fn has_two_of_a_name(world: &World) -> bool {
    let name = |entry: &Entry| {
        let members = entry.data.as_ref().filter(|_| entry.kind == Kind::Collection)?;
        members.iter().find(|(name, _)| *name == "name").map(|(_, value)| *value)
    };
    world.queue.iter().any(|queued| {
        world.feed.iter().any(|served| {
            let differ = queued.id.is_some() && served.id.is_some() && queued.id != served.id;
            differ && name(queued).is_some() && name(queued) == name(served)
        })
    })
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn both_group_the_same((kind, world) in select(Kind::KNOWN.to_vec()).prop_flat_map(|kind| {
        (Just(kind.clone()), phone_world(kind))
    })) {
        if let Some(expected) = (!has_two_of_a_name(&world)).then_some(()).and_then(|()| grouped_by_the_phone(&world, &kind)) {
            prop_assert_eq!(grouped_by_the_inspection(&world.inspection(), &kind), expected);
        }
    }
}
