//! The inspection and the model of the phone's client, told of the same world.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use unstick::domain::answer::{ResponseHead, read_page};
use unstick::domain::device::{Device, Known, SyncState, SyncStatus};
use unstick::domain::inspect::{Inspection, Pair};
use unstick::domain::json::Text;
use unstick::domain::mutation::{Cursor, Kind, Millis, Op, Payload, Queued};
use unstick::domain::phone::{AbortId, Phone};
use unstick::domain::window::{PullPath, Window, assemble};

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

/// A member as text, of every shape that a feed may hold.
fn odd(usual: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    const ODD: [&str; 14] = [
        "null",
        "true",
        "5",
        "5.0",
        "5e0",
        "-1",
        "99999999999",
        "{}",
        "[]",
        "\"\"",
        "\" \"",
        "\"x\"",
        "\"2\"",
        "\"\\u0662\"",
    ];
    prop_oneof![8 => select(usual), 1 => select(ODD.to_vec())]
}

fn payload() -> impl Strategy<Value = String> {
    let ids = odd(&["\"r0\"", "\"r1\"", "\"c\"", "\"c-1\""]);
    let numbers = || odd(&["1", "2"]);
    let words = odd(&["\"ayah\"", "\"page\"", "\"AYAH\""]);
    let ranges = odd(&["[\"1:1\"]", "[\"1:1\",\"1:2\"]", "[\"1:1\",{}]", "[]"]);
    let times = odd(&["\"2026-02-02T00:00:00Z\"", "\"2026-02-02T00:00:00.5+03:00\""]);
    let names = || odd(&["\"A\"", "\"B\""]);
    let members = (ids, numbers(), numbers(), words, ranges, times, names(), numbers());
    (members, any::<u16>()).prop_map(|((id, key, verse, word, ranges, time, name, flag), kept)| {
        let all = [
            ("collectionId", id),
            ("bookmarkId", id),
            ("key", key),
            ("chapterNumber", key),
            ("verseNumber", verse),
            ("type", word),
            ("ranges", ranges),
            ("clientUpdatedAt", time),
            ("name", name),
            ("body", name),
            ("isReading", flag),
            ("isDefault", flag),
            ("bookmark_id", id),
        ];
        let kept = all.iter().enumerate().filter(|(at, _)| kept >> at & 1 == 1);
        let members: Vec<String> = kept.map(|(_, (name, value))| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

/// An entry of a feed as text.
fn entry() -> impl Strategy<Value = String> {
    let kinds = odd(&[
        "\"BOOKMARK\"",
        "\"COLLECTION\"",
        "\"COLLECTION_BOOKMARK\"",
        "\"NOTE\"",
        "\"READING_SESSION\"",
        "\"bookmark\"",
        "\"HIGHLIGHT\"",
    ]);
    let ops = odd(&["\"CREATE\"", "\"UPDATE\"", "\"DELETE\""]);
    let ids = odd(&["\"r0\"", "\"r1\"", "\"c-r0\""]);
    let data = prop_oneof![5 => payload(), 1 => odd(&["null"]).prop_map(str::to_owned)];
    (kinds, ops, ids, data, odd(&["1000", "2000", "1500"]), any::<u8>()).prop_map(
        |(kind, op, id, data, time, kept)| {
            let all =
                [("resource", kind), ("type", op), ("timestamp", time), ("resourceId", id), ("data", &*data)];
            // The first three are seldom missing.
            let here = |at: usize| if at < 3 { kept != 7 } else { kept >> at & 1 == 1 };
            let members = all.iter().enumerate().filter(|(at, _)| here(*at));
            let members: Vec<String> =
                members.map(|(_, (name, value))| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        },
    )
}

fn queued() -> impl Strategy<Value = (Kind, Op, Option<&'static str>, String)> {
    let ids = select(vec![None, Some("r0"), Some("r1"), Some("c-r0")]);
    let ops = select(vec![Op::Create, Op::Update, Op::Delete]);
    (select(Kind::KNOWN.to_vec()), ops, ids, payload())
}

fn odd_window(entries: &[String]) -> Window {
    let body =
        format!(r#"{{"success":true,"data":{{"lastMutationAt":9,"mutations":[{}]}}}}"#, entries.join(","));
    let page = read_page(&ResponseHead::ok(), &Text::new(body), 1).expect("a page");
    assemble(PullPath::SinceCursor, Cursor::ZERO, Cursor::read(9), vec![page])
}

fn odd_device(queue: &[(Kind, Op, Option<&str>, String)], known: Option<usize>) -> Device {
    let data = |text: &String| Payload::new(Text::new(text.clone()));
    let rows = queue.iter().take(known.unwrap_or_default()).filter_map(|(kind, _, id, text)| {
        Some(Known {
            id: (*id)?.into(),
            kind: kind.clone(),
            data: data(text),
            status: SyncStatus::Synced,
            local_updated_at: None,
            server_timestamp: None,
        })
    });
    let entries = queue.iter().enumerate().map(|(at, (kind, op, id, text))| Queued {
        id: format!("q{at}").into(),
        op: *op,
        kind: kind.clone(),
        resource_id: id.map(Into::into),
        data: data(text),
        base: Payload::ABSENT,
        created_at: Some(Millis(1000)),
        retry_count: 0,
        last_error: None,
    });
    Device {
        sync: SyncState { cursor: Some(Cursor::ZERO), ..SyncState::default() },
        queue: entries.collect(),
        known: known.map(|_| rows.collect()),
        ..Device::default()
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    /// Whatever the feed holds: the phone's sync is told without a panic, speaks of what is there only, sends nothing
    /// twice, and either cannot decode the feed or reads all of it.
    #[test]
    fn any_feed_has_an_answer(
        entries in vec(entry(), 0..6),
        queue in vec(queued(), 0..5),
        known in select(vec![None, Some(0), Some(2), Some(5)]),
    ) {
        let (device, window) = (odd_device(&queue, known), odd_window(&entries));
        let feed = window.as_phone();
        for phone in [Phone::new(&device, &window), Phone::with_first_page(&device, &window)] {
            let cycle = phone.cycle();
            let mut sent = BTreeSet::new();
            for look in &cycle.looks {
                for step in &look.plan.push {
                    prop_assert_eq!(&device.queue[step.at].kind, &look.kind);
                    prop_assert!(sent.insert(step.at) , "queue entry {} is sent twice", step.at);
                }
                let taken = look.plan.persist.iter().map(|step| step.at);
                for at in taken.chain(look.plan.passed_over.iter().copied()) {
                    prop_assert!(feed[at].kind.wire().eq_ignore_ascii_case(look.kind.wire()));
                }
            }
            prop_assert_eq!(cycle.posts.iter().map(Vec::len).sum::<usize>(), sent.len());
            for abort in &cycle.aborts {
                prop_assert!(abort.device.iter().all(|at| *at < device.queue.len()));
                prop_assert!(abort.server.iter().all(|at| *at < feed.len()));
            }
            let refused = cycle.aborts.iter().filter(|abort| abort.id == AbortId::G2).count();
            prop_assert_eq!(refused == 0, feed.len() == entries.len());
            // Each kind alone says the same of what ends it.
            for kind in Kind::KNOWN {
                prop_assert!(phone.plan(&kind).is_ok() || !cycle.aborts.is_empty());
            }
        }
    }
}
