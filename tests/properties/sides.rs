//! The two sides are never confused: what one says under the one name, it says mirrored under the other.

use std::collections::BTreeSet;

use proptest::prelude::*;
use unstick::domain::field::{Choice, FieldShape, Verdict};
use unstick::domain::inspect::{Inspection, Status};
use unstick::domain::json::Json;
use unstick::domain::mutation::{Kind, Millis, Op, Side};
use unstick::domain::plan::{Plan, plan};
use unstick::domain::resolution::{By, Chosen, Resolution, Unit};

use super::fields::difference;
use super::order::canonical;
use super::plans::{Members, states_after};
use super::worlds::{Entry, UNKNOWN, World, cases, meetings_of};

const NOW: Millis = Millis(1_790_000_000_000);

/// What the device wrote and what the server wrote, exchanged. What both last agreed on stays the device's record.
fn mirrored(world: &World) -> World {
    let pairs = world.queue.iter().zip(&world.feed);
    let (queue, feed) = pairs
        .map(|(device, server)| {
            let written =
                |to: &Entry, from: &Entry| Entry { op: from.op, data: from.data.clone(), ..to.clone() };
            (written(device, server), written(server, device))
        })
        .unzip();
    World { queue, feed, ..world.clone() }
}

/// Every divergence decided for one side.
fn all_for(inspection: &Inspection, side: Side) -> Plan {
    let open = inspection
        .ids()
        .flat_map(|(pair, diverged)| diverged.open.iter().map(move |path| Unit { pair, path: path.clone() }));
    let choices = open.map(|unit| (unit, Some(Chosen { choice: Choice::from(side), by: By::Hand })));
    let mut resolution = Resolution::default();
    resolution.choose("all", choices.collect::<Vec<_>>());
    plan(inspection, &resolution, NOW)
}

/// What is lost, `flip` with the sides exchanged.
fn lost(plan: &Plan, flip: bool) -> BTreeSet<String> {
    let side = |side: Side| if flip { side.other() } else { side };
    let line = |value: &Json| canonical(value);
    plan.ledger
        .iter()
        .map(|loss| format!("{} {} {} {}", loss.key, loss.path, side(loss.side).name(), line(&loss.value)))
        .collect()
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn exchanging_the_sides_mirrors_the_inspection_the_result_and_the_ledger(
        world in meetings_of(&[Kind::Note, Kind::ReadingSession, Kind::Other(UNKNOWN.into())], &[Op::Update, Op::Update, Op::Delete])
    ) {
        let (here, there) = (world.inspection(), mirrored(&world).inspection());
        prop_assert_eq!(here.pairs.len(), there.pairs.len());
        for ((id, pair), (_, mirror)) in here.ids().zip(there.ids()) {
            prop_assert_eq!(&pair.key, &mirror.key);
            prop_assert_eq!(pair.status == Status::Diverged, mirror.status == Status::Diverged, "{}", pair.shape);
            let open = |paths: &[unstick::domain::field::FieldPath]| paths.iter().cloned().collect::<BTreeSet<_>>();
            prop_assert_eq!(open(&pair.open), open(&mirror.open));
            let (fields, back) = (here.details(pair).fields, there.details(mirror));
            for field in fields.iter().filter(|field| field.shape != FieldShape::Bookkeeping) {
                let Some(image) = back.field(&field.path) else {
                    return Err(TestCaseError::fail(format!("{} has no mirror image", field.path)));
                };
                prop_assert_eq!((&field.device, &field.server), (&image.server, &image.device));
                let expected = match field.verdict {
                    Verdict::DeviceOnly => Verdict::ServerOnly,
                    Verdict::ServerOnly => Verdict::DeviceOnly,
                    verdict @ (Verdict::Equal | Verdict::SameChange | Verdict::Conflict) => verdict,
                };
                prop_assert_eq!(image.verdict, expected, "{}", field.path);
            }
            for side in [Side::Device, Side::Server] {
                let (plan, mirrored) = (all_for(&here, side), all_for(&there, side.other()));
                let (state, image) = (states_after(&here, &plan, id), states_after(&there, &mirrored, id));
                prop_assert_eq!(state.len(), image.len(), "{} {}", pair.shape, side.name());
                // Where one side deleted, only what it leaves of the other is compared: the rest is the base's.
                if pair.shape.op(Side::Device) == pair.shape.op(Side::Server) {
                    // What neither wrote is what it was.
                    let whole = |state: &[Members]| {
                        let mut whole = here.base(pair);
                        whole.extend(state.first().cloned().unwrap_or_default());
                        whole
                    };
                    let difference = difference(&pair.kind, &whole(&state), &whole(&image));
                    prop_assert_eq!(difference, None, "{} {}", pair.shape, side.name());
                }
            }
        }
        for side in [Side::Device, Side::Server] {
            let (plan, mirrored) = (all_for(&here, side), all_for(&there, side.other()));
            prop_assert_eq!(lost(&plan, false), lost(&mirrored, true), "all for the {}", side.name());
        }
    }
}

/// One note, told by hand: nothing here could be mirrored and stay the same.
#[test]
fn the_device_is_what_waits_in_the_queue_and_the_server_is_what_was_pulled() {
    let entry = |name: &str, body: &'static str| Entry {
        name: name.into(),
        id: Some("r1"),
        op: Op::Update,
        kind: Kind::Note,
        data: Some(vec![("body", body)]),
        base: None,
        at: 1,
        tried: false,
    };
    let world = World {
        queue: vec![entry("q0", "\"written on the device\"")],
        rows: None,
        feed: vec![entry("s0", "\"written on the server\"")],
    };
    let inspection = world.inspection();
    let (id, pair) = inspection.ids().next().expect("a pair");
    let details = inspection.details(pair);
    let body = details.fields.iter().find(|field| field.path.as_str() == "/body").expect("a body");
    assert_eq!(body.value(Side::Device), Some(&Json::string("written on the device")));
    assert_eq!(body.value(Side::Server), Some(&Json::string("written on the server")));

    let plan = all_for(&inspection, Side::Device);
    let sent: Vec<_> = plan.items().map(|item| item.wire.data.members()["body"].clone()).collect();
    assert_eq!(sent, [Json::string("written on the device")]);
    assert_eq!(states_after(&inspection, &plan, id)[0]["body"], Json::string("written on the device"));
    assert_eq!(lost(&plan, false), BTreeSet::from(["id:r1 /body server \"written on the server\"".into()]));

    let plan = all_for(&inspection, Side::Server);
    assert_eq!((plan.pushed(), plan.drop.len(), plan.apply.len()), (0, 1, 1));
    assert_eq!(states_after(&inspection, &plan, id)[0]["body"], Json::string("written on the server"));
    assert_eq!(lost(&plan, false), BTreeSet::from(["id:r1 /body device \"written on the device\"".into()]));
}
