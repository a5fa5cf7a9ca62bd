//! The inspection and the model of the phone's client, told of the same world.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use unstick::domain::inspect::{Inspection, Pair};
use unstick::domain::mutation::Kind;
use unstick::domain::phone::Phone;

use super::worlds::{World, cases, phone_world};

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

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn both_group_the_same((kind, world) in select(Kind::KNOWN.to_vec()).prop_flat_map(|kind| {
        (Just(kind.clone()), phone_world(kind))
    })) {
        if let Some(expected) = grouped_by_the_phone(&world, &kind) {
            prop_assert_eq!(grouped_by_the_inspection(&world.inspection(), &kind), expected);
        }
    }
}
