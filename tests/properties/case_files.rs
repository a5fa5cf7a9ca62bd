//! A case tells the same story again, also with stand-ins in the place of what people wrote.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use unstick::case::redact::StandIns;
use unstick::case::{Case, Decision, NewCase};
use unstick::domain::diagnosis::diagnose;
use unstick::domain::field::{Choice, FieldPath};
use unstick::domain::inspect::{Inspection, inspect};
use unstick::domain::json::Json;
use unstick::domain::mutation::Millis;
use unstick::domain::plan::plan;
use unstick::domain::resolution::{By, Resolution};

use super::resolutions::{self, TYPED, Way, units, way};
use super::worlds::{World, cases, world};

const NOW: Millis = Millis(1_770_000_000_000);

/// What people wrote in the worlds.
const WRITTEN: [&str; 6] = ["صبر", "جميل", "رمضان", "أدعية", "long enough", TYPED];

fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 17
    }
}

fn written(case: &NewCase) -> String {
    let mut text = Vec::new();
    case.write(&mut text).expect("memory");
    String::from_utf8(text).expect("text")
}

/// All that the rules say of an inspection and of a plan, without values.
fn verdicts(inspection: &Inspection, resolution: &Resolution) -> Vec<String> {
    let causes: Vec<_> = diagnose(inspection, NOW).iter().map(|cause| cause.id.clone()).collect();
    let mut told = vec![format!("{:?} {causes:?}", inspection.summary)];
    for pair in &inspection.pairs {
        let details = inspection.details(pair);
        let fields: Vec<_> =
            details.fields.iter().map(|f| (f.path.as_str().to_owned(), f.verdict, f.shape)).collect();
        let open: Vec<_> = pair.open.iter().map(FieldPath::as_str).collect();
        told.push(format!(
            "{:?} {:?} {:?} {} {:?} {:?} {open:?} {:?} {fields:?}",
            pair.kind, pair.status, pair.shape, pair.echo, pair.device, pair.server, pair.twin
        ));
    }
    let plan = plan(inspection, resolution, NOW);
    for batch in &plan.batches {
        let sent: Vec<_> =
            batch.items.iter().map(|item| (item.wire.op, item.wire.resource_id.clone())).collect();
        told.push(format!("{:?} {sent:?}", batch.phase));
    }
    told.push(format!(
        "{:?} {:?} {:?} {:?} {}",
        plan.apply, plan.drop, plan.hold, plan.open, plan.moves_cursor
    ));
    told.extend(
        plan.ledger.iter().map(|loss| format!("{} {:?} {}", loss.path.as_str(), loss.side, loss.reason)),
    );
    told
}

/// The world's inspection as a pull gives it: the feed in its order, each resource once.
fn pulled(world: &World) -> Inspection {
    let case = NewCase::of::<fn() -> u64>(&world.inspection(), None, NOW, None).expect("a case");
    let case = Case::read("case.json", &written(&case)).expect("it can be read").expect("it is a case");
    inspect(case.file.shared(), case.window)
}

/// A person's choices; typed text only where there is text.
fn decided(inspection: &Inspection, way: &Way) -> Resolution {
    let mut resolution = resolutions::decided(inspection, way);
    let typed: Vec<_> =
        resolution.iter().filter(|(_, chosen)| matches!(chosen.choice, Choice::Edited(_))).collect();
    let elsewhere = typed.into_iter().map(|(unit, _)| unit.clone()).filter(|unit| {
        let details = inspection.details(inspection.pair(unit.pair));
        let field = details.field(&unit.path).expect("a field that was chosen on");
        let text = |value: &Option<Json>| value.as_ref().is_some_and(|value| value.as_str().is_some());
        !(text(&field.device) && text(&field.server))
    });
    let elsewhere: Vec<_> = elsewhere.map(|unit| (unit, None)).collect();
    resolution.choose("text only where there is text", elsewhere);
    resolution
}

/// The case of an inspection that is read again, and what the rules say of it.
fn told_again(
    inspection: &Inspection,
    resolution: &Resolution,
    redact: Option<u64>,
) -> (String, Vec<String>) {
    let stand_ins = redact.map(|seed| StandIns::new(random(seed)));
    let case = NewCase::of(inspection, Some(&Decision::Choices(resolution)), NOW, stand_ins).expect("a case");
    let text = written(&case);
    let case = Case::read("case.json", &text).expect("it can be read").expect("it is a case");
    let again = inspect(case.file.shared(), case.window.clone());
    assert_eq!(case.changes("case.json", &again).expect("its choices fit"), Vec::<String>::new());
    let choices = case.choices("case.json", &again).expect("its choices fit").expect("it was decided");
    (text, verdicts(&again, &choices))
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_case_that_is_read_again_says_the_same(world in world(), way in way()) {
        let inspection = pulled(&world);
        let resolution = decided(&inspection, &way);
        let (_, again) = told_again(&inspection, &resolution, None);
        prop_assert_eq!(again, verdicts(&inspection, &resolution));
    }

    #[test]
    fn redaction_keeps_the_verdicts_and_nothing_that_somebody_wrote(
        world in world(), way in way(), seed in any::<u64>(),
    ) {
        let inspection = pulled(&world);
        let resolution = decided(&inspection, &way);
        let (text, again) = told_again(&inspection, &resolution, Some(seed));
        prop_assert_eq!(again, verdicts(&inspection, &resolution));
        for written in WRITTEN {
            prop_assert!(!text.contains(written), "{} is in the case", written);
        }
    }
}

#[test]
fn the_worlds_hold_what_a_redaction_must_hide() {
    // Otherwise the law above could not fail.
    let mut runner = TestRunner::deterministic();
    let (mut met, mut typed) = (0, 0);
    for _ in 0..200 {
        let world = world().new_tree(&mut runner).expect("a world").current();
        let inspection = world.inspection();
        let resolution = Resolution::default();
        let case = NewCase::of::<fn() -> u64>(&inspection, Some(&Decision::Choices(&resolution)), NOW, None);
        let text = written(&case.expect("a case"));
        met += usize::from(WRITTEN.iter().any(|written| text.contains(written)));
        typed += units(&inspection)
            .iter()
            .filter(|(_, choices)| choices.iter().any(|choice| matches!(choice, Choice::Edited(_))))
            .count();
        assert!(resolution.iter().all(|(_, chosen)| chosen.by == By::Hand));
    }
    assert!(met > 50 && typed > 50, "{met} {typed}");
}
