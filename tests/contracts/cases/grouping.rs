//! The inspection groups what the phone's client groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use unstick::domain::inspect::{Inspection, Pair, inspect};

use super::case::{self, Case, Ids, Stage};

#[test]
fn the_inspection_groups_what_the_phone_groups() {
    let wrong: Vec<String> = case::all()
        .iter()
        .filter(|case| matches!(case.stage, Stage::Detect | Stage::Plan))
        // Where the client throws there is nothing to group; the model of the client is asked instead.
        .filter(|case| case.expect["sdkResolution"].get("throws").is_none())
        .flat_map(|case| {
            differences(case).into_iter().map(move |difference| format!("{}: {difference}", case.name))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn differences(case: &Case) -> Vec<String> {
    let inspection = inspect(Arc::new(case.device.clone()), Arc::new(case.window.clone()));
    let pairs: Vec<Ids> = inspection.pairs.iter().map(|pair| ids(&inspection, pair)).collect();
    let both = |pair: &&Ids| !pair.0.is_empty() && !pair.1.is_empty();
    let mut wrong = Vec::new();
    let expected = joined(case::conflicts(&case.expect).expect("conflicts"));
    let found: BTreeSet<Ids> = pairs.iter().filter(both).cloned().collect();
    if found != expected {
        wrong.push(format!("conflicts: found {found:?}, expected {expected:?}"));
    }
    let alone = |side: fn(&Ids) -> &BTreeSet<String>| -> BTreeSet<String> {
        pairs.iter().filter(|pair| !both(pair)).flat_map(|pair| side(pair).clone()).collect()
    };
    for (name, found) in [("nonConflictingLocal", alone(|p| &p.0)), ("nonConflictingRemote", alone(|p| &p.1))]
    {
        let expected = case::ids(&case.expect, name).expect("ids");
        if found != expected {
            wrong.push(format!("{name}: found {found:?}, expected {expected:?}"));
        }
    }
    wrong
}

fn ids(inspection: &Inspection, pair: &Pair) -> Ids {
    let device = inspection.queued(pair).map(|m| m.id.to_string()).collect();
    (device, inspection.served(pair).map(case::server_id).collect())
}

/// Groups that share a mutation are one pair (DESIGN §1).
pub fn joined(groups: Vec<Ids>) -> BTreeSet<Ids> {
    let mut joined: Vec<Ids> = Vec::new();
    for mut group in groups {
        let overlaps = |other: &Ids| !other.0.is_disjoint(&group.0) || !other.1.is_disjoint(&group.1);
        let (shared, rest): (Vec<Ids>, Vec<Ids>) = joined.into_iter().partition(overlaps);
        for other in shared {
            group.0.extend(other.0);
            group.1.extend(other.1);
        }
        joined = rest;
        joined.push(group);
    }
    joined.into_iter().collect()
}
