//! The three-way rule on whole resources.

use indexmap::IndexMap;
use proptest::prelude::*;
use unstick::domain::field::{Base, Choice, Field, FieldShape, Verdict, compare, set_member};
use unstick::domain::json::Json;
use unstick::domain::mutation::{Kind, Side};

use super::worlds::{Members, all_members, cases, kind, members, parsed};

/// What is left of a resource when each field is settled by itself; `None` where one is not.
fn merged(kind: &Kind, fields: &[Field], server: &IndexMap<String, Json>) -> Option<IndexMap<String, Json>> {
    let mut state = server.clone();
    for field in fields {
        if let Some(value) = field.result(&field.settled()?) {
            set_member(kind, &mut state, &field.path, &value);
        }
    }
    Some(state)
}

/// The first field in which two states are not the same: bookkeeping aside, sets whatever their order, and a
/// bookmark's "not the reading place" whether written `null` or `false` (PROTOCOL A7).
pub fn difference(kind: &Kind, a: &IndexMap<String, Json>, b: &IndexMap<String, Json>) -> Option<String> {
    let fields = compare(kind, &IndexMap::new(), a, b).into_iter();
    let mut shown = fields.filter(|field| field.shape != FieldShape::Bookkeeping);
    shown.find(|field| field.verdict != Verdict::Equal).map(|field| field.path.to_string())
}

fn overlay(under: &IndexMap<String, Json>, over: &IndexMap<String, Json>) -> IndexMap<String, Json> {
    let mut both = under.clone();
    both.extend(over.clone());
    both
}

fn sides() -> impl Strategy<Value = (Kind, Members, Members, Members)> {
    kind().prop_flat_map(|kind| {
        let (base, device, server) = (members(&kind), members(&kind), members(&kind));
        (Just(kind), base, device, server)
    })
}

proptest! {
    #![proptest_config(cases(800))]

    /// merge(b,x,b) = x, merge(b,b,x) = x, merge(b,x,x) = x: where one side stands still, the other's state is the
    /// result; where both say the same, that is.
    #[test]
    fn one_change_is_the_result((kind, base, change) in kind().prop_flat_map(|kind| {
        let (base, change) = (all_members(&kind), members(&kind));
        (Just(kind), base, change)
    })) {
        let (base, change) = (parsed(&base), parsed(&change));
        let x = overlay(&base, &change);
        for (name, device, server) in [("device", &x, &base), ("server", &base, &x), ("both", &x, &x)] {
            let Some(found) = merged(&kind, &compare(&kind, &base, device, server), server) else {
                return Err(TestCaseError::fail(format!("{name}: something is open")));
            };
            prop_assert_eq!(difference(&kind, &found, &x), None, "{}", name);
            prop_assert_eq!(difference(&kind, &x, &found), None, "{}", name);
        }
    }

    /// A partial update leaves alone what it does not name.
    #[test]
    fn what_an_update_does_not_name_stays((kind, base, change) in kind().prop_flat_map(|kind| {
        let (base, change) = (all_members(&kind), members(&kind));
        (Just(kind), base, change)
    })) {
        let (base, change) = (parsed(&base), parsed(&change));
        for field in compare(&kind, &base, &change, &base) {
            if field.device.is_none() {
                prop_assert_eq!(field.verdict, Verdict::Equal);
                prop_assert_eq!(field.settled(), Some(Choice::Server));
            }
        }
    }

    /// Swapping the sides mirrors verdicts and results, but for what a server is known not to repeat.
    #[test]
    fn swapping_the_sides_mirrors((kind, base, device, server) in sides()) {
        let (base, device, server) = (parsed(&base), parsed(&device), parsed(&server));
        let there = compare(&kind, &base, &device, &server);
        let back = compare(&kind, &base, &server, &device);
        prop_assert_eq!(there.len(), back.len());
        for field in &there {
            let Some(mirrored) = back.iter().find(|other| other.path == field.path) else {
                return Err(TestCaseError::fail(format!("{} has no mirror image", field.path)));
            };
            prop_assert_eq!(&field.device, &mirrored.server);
            prop_assert_eq!(&field.server, &mirrored.device);
            prop_assert_eq!(&field.base, &mirrored.base);
            let one_sided = field.device.is_none() || field.server.is_none();
            let quiet = matches!(kind, Kind::Bookmark | Kind::Collection | Kind::Link | Kind::Note) && one_sided;
            if field.shape == FieldShape::Bookkeeping || quiet {
                continue;
            }
            let expected = match field.verdict {
                Verdict::DeviceOnly => Verdict::ServerOnly,
                Verdict::ServerOnly => Verdict::DeviceOnly,
                verdict @ (Verdict::Equal | Verdict::SameChange | Verdict::Conflict) => verdict,
            };
            prop_assert_eq!(mirrored.verdict, expected, "{}", field.path);
            for side in [Side::Device, Side::Server] {
                let (here, mirrored) = (field.result(&side.into()), mirrored.result(&side.other().into()));
                prop_assert!(here == mirrored, "{} {}", field.path, side.name());
            }
            if field.shape == FieldShape::Set {
                let (here, mirrored) = (field.result(&Choice::Both), mirrored.result(&Choice::Both));
                prop_assert!(same_elements(here.as_ref(), mirrored.as_ref()), "{}", field.path);
            }
        }
    }

    /// Each choice leaves a value that one of the two sides or the base holds, or both joined.
    #[test]
    fn a_choice_leaves_what_somebody_wrote((kind, base, device, server) in sides()) {
        let (base, device, server) = (parsed(&base), parsed(&device), parsed(&server));
        for field in compare(&kind, &base, &device, &server) {
            for choice in [Choice::Device, Choice::Server] {
                let Some(value) = field.result(&choice) else { continue };
                let given = field.device.as_ref() == Some(&value)
                    || field.server.as_ref() == Some(&value)
                    || field.base == Base::Recorded(value);
                prop_assert!(given, "{} {}", field.path, choice.word());
            }
            match field.result(&Choice::Both) {
                Some(Json::Array(joined)) => {
                    let lists = [&field.device, &field.server];
                    let elements = |v: &Option<Json>| match v { Some(Json::Array(list)) => list.clone(), _ => Vec::new() };
                    let both: Vec<Json> = lists.into_iter().flat_map(elements).collect();
                    prop_assert!(joined.iter().all(|value| both.contains(value)), "{}", field.path);
                }
                Some(Json::String(joined)) => {
                    for side in [Side::Device, Side::Server] {
                        let text = field.value(side).and_then(Json::as_str).unwrap_or_default();
                        prop_assert!(joined.contains(text), "{}", field.path);
                    }
                }
                Some(_) => return Err(TestCaseError::fail(format!("{} cannot be joined", field.path))),
                None => {}
            }
        }
    }
}

fn same_elements(a: Option<&Json>, b: Option<&Json>) -> bool {
    match (a, b) {
        (Some(Json::Array(a)), Some(Json::Array(b))) => {
            a.iter().all(|value| b.contains(value)) && b.iter().all(|value| a.contains(value))
        }
        (a, b) => a == b,
    }
}
