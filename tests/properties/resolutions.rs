//! Choices: undo takes back exactly, and a choice changes nothing but its own field.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use unstick::domain::choices;
use unstick::domain::field::{Choice, Field, FieldPath, FieldShape};
use unstick::domain::inspect::{Inspection, PairId, Status};
use unstick::domain::json::Json;
use unstick::domain::mutation::Millis;
use unstick::domain::resolution::{By, Chosen, Resolution, Unit};
use unstick::domain::settle::{Outcome, settle};
use unstick::domain::strategy::{Strategy as Rule, choices_for_all};

use super::order::canonical;
use super::worlds::{cases, world};

/// The value that a person types in the tests, unlike anything in the worlds.
pub const TYPED: &str = "كتبه إنسان";

/// What can be chosen on a field.
fn choices(field: &Field) -> Vec<Choice> {
    let typed = Choice::Edited(Json::string(TYPED));
    let all = [Choice::Device, Choice::Server, Choice::Both, typed];
    all.into_iter().filter(|choice| field.unavailable(choice).is_none()).collect()
}

/// Every field that something can be chosen on, where both sides speak.
pub fn units(inspection: &Inspection) -> Vec<(Unit, Vec<Choice>)> {
    let diverged = inspection.ids().filter(|(_, pair)| pair.status == Status::Diverged);
    diverged
        .flat_map(|(pair, diverged)| {
            inspection.details(diverged).fields.into_iter().map(move |field| {
                let choices = choices(&field);
                (Unit { pair, path: field.path }, choices)
            })
        })
        .filter(|(_, choices)| !choices.is_empty())
        .collect()
}

/// How a person comes to the end of all divergences.
#[derive(Clone, Debug)]
pub struct Way {
    /// A rule for all, before anything is chosen by hand.
    rule: Option<Rule>,
    /// Whether fields are chosen too that nobody asks about.
    thorough: bool,
    /// Which choice each field gets, one after the other.
    picks: Vec<Index>,
}

pub fn way() -> impl Strategy<Value = Way> {
    let rule = prop::option::weighted(0.5, prop::sample::select(Rule::ALL.to_vec()));
    let picks = prop::collection::vec(any::<Index>(), 1..6);
    (rule, prop::bool::weighted(0.3), picks).prop_map(|(rule, thorough, picks)| Way { rule, thorough, picks })
}

/// The rule's choices, then one by hand on each field that is still open, or on every one.
pub fn decided(inspection: &Inspection, way: &Way) -> Resolution {
    let mut resolution = Resolution::default();
    if let Some(rule) = way.rule {
        let choices = choices_for_all(inspection, &resolution, rule, |_| true);
        resolution.choose(rule.name(), choices);
    }
    let waits = |unit: &Unit| {
        let open = inspection.pair(unit.pair).open.contains(&unit.path);
        // Where the device alone speaks, all there is to choose is whether it is sent.
        let alone = inspection.pair(unit.pair).server.is_empty() && !unit.path.is_existence();
        (way.thorough && !alone) || (open && resolution.get(unit.pair, &unit.path).is_none())
    };
    let by_hand = units(inspection).into_iter().filter(|(unit, _)| waits(unit)).enumerate();
    let by_hand: Vec<_> = by_hand
        .map(|(number, (unit, choices))| {
            let choice = choices[way.picks[number % way.picks.len()].index(choices.len())].clone();
            (unit, Some(Chosen { choice, by: By::Hand }))
        })
        .collect();
    resolution.choose("by hand", by_hand);
    resolution
}

fn made(resolution: &Resolution) -> BTreeMap<Unit, String> {
    resolution
        .iter()
        .map(|(unit, chosen)| (unit.clone(), format!("{:?} {:?}", chosen.by, word(&chosen.choice))))
        .collect()
}

fn word(choice: &Choice) -> String {
    match choice {
        Choice::Edited(value) => canonical(value),
        choice => choice.word().to_owned(),
    }
}

/// What a person does: a choice on a field, a strategy for all, or a choice taken back.
#[derive(Clone, Debug)]
enum Act {
    Choose(Index, Index),
    TakeBack(Index),
    Apply(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (any::<Index>(), any::<Index>()).prop_map(|(unit, choice)| Act::Choose(unit, choice)),
        1 => any::<Index>().prop_map(Act::TakeBack),
        1 => (0_usize..4).prop_map(Act::Apply),
    ]
}

fn perform(inspection: &Inspection, resolution: &mut Resolution, act: &Act) {
    let units = units(inspection);
    match act {
        Act::Choose(unit, choice) if !units.is_empty() => {
            let (unit, choices) = &units[unit.index(units.len())];
            let choice = choices[choice.index(choices.len())].clone();
            resolution.choose("choose", [(unit.clone(), Some(Chosen { choice, by: By::Hand }))]);
        }
        Act::TakeBack(unit) if !units.is_empty() => {
            let (unit, _) = &units[unit.index(units.len())];
            resolution.choose("take back", [(unit.clone(), None)]);
        }
        Act::Choose(..) | Act::TakeBack(_) => {}
        Act::Apply(rule) => {
            let choices = choices_for_all(inspection, resolution, Rule::ALL[*rule], |_| true);
            resolution.choose("strategy", choices);
        }
    }
}

/// What each field of a pair comes to: the text of what is sent, applied, dropped and lost.
fn outcome(inspection: &Inspection, resolution: &Resolution, id: PairId) -> String {
    match settle(inspection, resolution, id, Millis(7)) {
        Outcome::Open(paths) => format!("open {paths:?}"),
        Outcome::Held(reason) => format!("held {reason}"),
        Outcome::Settled(settled) => {
            let push = settled.push.iter().map(|item| {
                let wire = &item.wire;
                (wire.op.word(), wire.resource_id.clone(), canonical(&Json::Object(wire.data.members())))
            });
            let lost =
                settled.losses.iter().map(|l| (l.path.to_string(), l.side.name(), canonical(&l.value)));
            format!(
                "{:?} {:?} {:?} {:?}",
                push.collect::<Vec<_>>(),
                settled.apply,
                settled.drop,
                lost.collect::<Vec<_>>()
            )
        }
    }
}

/// The members that the pair's last mutation sends, one by one.
fn sent(inspection: &Inspection, resolution: &Resolution, id: PairId) -> Option<BTreeMap<String, String>> {
    let Outcome::Settled(settled) = settle(inspection, resolution, id, Millis(7)) else { return None };
    let members = settled.push.last()?.wire.data.members();
    Some(members.iter().map(|(name, value)| (name.clone(), canonical(value))).collect())
}

/// The top-level members that a field stands in.
fn members_of(path: &FieldPath) -> Vec<String> {
    let first = path.as_str().trim_start_matches('/').split('/').next().unwrap_or_default();
    let names = first.split('+').map(|name| name.replace("~1", "/").replace("~0", "~"));
    let mut names: Vec<String> = names.collect();
    if names.contains(&String::from("mushaf")) {
        names.push(String::from("mushafId"));
    }
    names
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn undo_takes_back_exactly(world in world(), acts in prop::collection::vec(act(), 1..8)) {
        let inspection = world.inspection();
        let mut resolution = Resolution::default();
        let mut states = vec![made(&resolution)];
        for act in &acts {
            let before = made(&resolution);
            perform(&inspection, &mut resolution, act);
            if made(&resolution) != before {
                states.push(made(&resolution));
            }
        }
        for expected in states.iter().rev().skip(1) {
            prop_assert!(resolution.undo().is_some());
            prop_assert_eq!(&made(&resolution), expected);
        }
        prop_assert!(resolution.undo().is_none());
        for expected in states.iter().skip(1) {
            prop_assert!(resolution.redo().is_some());
            prop_assert_eq!(&made(&resolution), expected);
        }
        prop_assert!(resolution.redo().is_none());
    }

    #[test]
    fn a_choice_changes_no_other_field(
        world in world(),
        way in way(),
        (unit, choice) in (any::<Index>(), any::<Index>()),
    ) {
        let inspection = world.inspection();
        let all = units(&inspection);
        if all.is_empty() {
            return Ok(());
        }
        let (unit, choices) = &all[unit.index(all.len())];
        let before = decided(&inspection, &way);
        let mut after = before.clone();
        let choice = choices[choice.index(choices.len())].clone();
        after.choose("change", [(unit.clone(), Some(Chosen { choice, by: By::Hand }))]);

        for (id, pair) in inspection.ids().filter(|(id, _)| *id != unit.pair) {
            prop_assert_eq!(outcome(&inspection, &before, id), outcome(&inspection, &after, id), "{}", pair.kind.wire());
        }
        // Within the pair: whether the resource exists is the field of all its fields.
        if unit.path.is_existence() {
            return Ok(());
        }
        let moves = inspection.details(inspection.pair(unit.pair)).field(&unit.path).is_some_and(|f| f.shape == FieldShape::Position);
        if let (false, Some(one), Some(other)) = (moves, sent(&inspection, &before, unit.pair), sent(&inspection, &after, unit.pair)) {
            let own = members_of(&unit.path);
            let stamps = ["clientUpdatedAt", "clientCreatedAt"];
            for name in one.keys().chain(other.keys()) {
                if !own.contains(name) && !stamps.contains(&name.as_str()) {
                    prop_assert_eq!(one.get(name), other.get(name), "{}", name);
                }
            }
        }
    }
}

#[test]
fn what_is_kept_of_choices_is_read_again_as_it_was() {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    let seen = std::cell::RefCell::new(&mut met);
    let mut runner = proptest::test_runner::TestRunner::new(cases(600));
    let ran = runner.run(&(world(), way(), any::<u8>()), |(world, way, drops)| {
        let inspection = world.inspection();
        let mut resolution = decided(&inspection, &way);
        // Some of what the device alone has is given up, by hand.
        let alone = inspection.ids().filter(|(_, pair)| pair.status == Status::Push).enumerate();
        let dropped = alone.filter(|(at, _)| drops & (1 << (at % 8)) != 0).map(|(_, (pair, _))| {
            let chosen = Chosen { choice: Choice::Server, by: By::Hand };
            (Unit { pair, path: FieldPath::existence() }, Some(chosen))
        });
        resolution.choose("drop", dropped.collect::<Vec<_>>());
        // What a person types into a set is a set, and into a position a position; the text of these tests is neither.
        let unfit = |unit: &Unit, chosen: &Chosen| {
            let details = inspection.details(inspection.pair(unit.pair));
            let shape = details.field(&unit.path).map(|field| field.shape);
            let other = matches!(shape, Some(FieldShape::Set | FieldShape::Position));
            matches!(chosen.choice, Choice::Edited(_)) && other
        };
        prop_assume!(!resolution.iter().any(|(unit, chosen)| unfit(unit, chosen)));
        let text = choices::keep(&inspection, &resolution).to_string();
        let again = choices::resume("the draft", &text, &inspection).expect("what was kept");
        prop_assert_eq!(made(&again.resolution), made(&resolution));
        prop_assert!(again.reopened.is_empty(), "{:?}", again.reopened);
        for (unit, chosen) in resolution.iter() {
            let sort = match chosen.choice {
                Choice::Edited(_) => "edited",
                Choice::Device | Choice::Server | Choice::Both => chosen.choice.word(),
            };
            for word in [format!("{:?}", inspection.pair(unit.pair).kind), sort.to_owned()] {
                *seen.borrow_mut().entry(word).or_default() += 1;
            }
        }
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
    for word in [
        "Bookmark",
        "Collection",
        "Link",
        "Note",
        "ReadingSession",
        "Other(\"HIGHLIGHT\")",
        "device",
        "server",
        "both",
        "edited",
    ] {
        assert!(met.get(word).is_some_and(|count| *count > 5), "not enough of {word} among {met:?}");
    }
}
