//! What the preview tells is what happens: the requests byte for byte, also where the server refused them once although
//! nothing that was shown had changed, and every figure of the outcome that the preview had named before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use unstick::domain::ack::Acked;
use unstick::domain::answer::{Refusal, ResponseHead, read_post};
use unstick::domain::field::Choice;
use unstick::domain::identity;
use unstick::domain::json::Text;
use unstick::domain::ledger;
use unstick::domain::mutation::{Cursor, Kind, Millis, Op, Payload, WireMutation};
use unstick::domain::push::{Do, End, Got, Options, Outcome, Planned, Posted, Push};
use unstick::domain::window::Window;

use super::plans::{Members, Server};
use super::resolutions::{Way, decided, way};
use super::worlds::{Entry, World, cases, world};

const SHOWN_AT: Millis = Millis(1_790_000_000_000);

/// A push that a person lets go on as it was shown.
const AS_SHOWN: Options = Options {
    all_or_nothing: false,
    retry_first_sync: false,
    accept_other_account: true,
    rule: None,
    ask: true,
};

/// What left, POST by POST, and how it ended.
struct Told {
    refused: Vec<String>,
    taken: Vec<WireMutation>,
    bodies: Vec<String>,
    outcome: Outcome,
}

fn body(mutations: &[WireMutation]) -> String {
    serde_json::to_string(mutations).expect("it serialises")
}

/// The acknowledgement of a mutation, its data as it was sent.
fn acknowledged(wire: &WireMutation, acked: &Acked) -> String {
    let bare = WireMutation { data: Payload::ABSENT, ..wire.clone() };
    let mut echo = serde_json::to_value(&bare).expect("it serialises");
    echo["resourceId"] = acked.resource_id.as_ref().expect("an id").to_string().into();
    echo["timestamp"] = acked.timestamp.expect("a time").0.into();
    let mut text = echo.to_string();
    if let Some(data) = wire.data.as_str() {
        let bare = text.strip_suffix('}').expect("an object");
        text = format!(r#"{bare},"data":{data}}}"#);
    }
    text
}

/// Carries a plan out against a server that does as it should, but that it refuses every POST once where `refuses_first`: the
/// head moved, and nothing of what is pulled had changed.
fn carried_out(planned: Planned, refuses_first: bool) -> Told {
    let mut server = Server::before(planned.inspection());
    let quiet = Window {
        mutations: Vec::new(),
        unreadable: Vec::new(),
        not_visible: Vec::new(),
        warnings: Vec::new(),
        ..Window::clone(&planned.inspection().window)
    };
    let mut push = Push::new(planned, AS_SHOWN, Millis(SHOWN_AT.0 + 60_000));
    let (mut refused, mut taken, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
    let mut head = quiet.head;
    let mut step = push.start();
    // A clock that has gone on since the plan was shown: what is stamped anew differs.
    for now in (SHOWN_AT.0 + 120_000..).take(2_000) {
        let got = match step {
            Do::Journal(_) => Got::Journaled,
            Do::Wait { .. } => Got::Waited,
            Do::Authorize(_) => Got::Authorized(false),
            Do::Pull { since } => {
                let mut window = server.echo_after(since);
                head = Cursor::read(head.value().max(window.head.value()));
                window.head = head;
                Got::Pulled(Ok(Window { path: quiet.path, ..window }))
            }
            Do::Post { mutations, .. } => {
                let sent = body(&mutations);
                if refuses_first && refused.last() != Some(&sent) {
                    refused.push(sent);
                    // Somebody wrote something that this account may not see.
                    head = Cursor::read(head.value() + 1);
                    let answer = ResponseHead { status: 409, ..ResponseHead::ok() };
                    let text =
                        r#"{"success":false,"error":{"code":"OutOfSyncError","message":"out of sync"}}"#;
                    Got::Posted(Posted::Refused(Refusal::read(&answer, text)))
                } else {
                    bodies.push(sent);
                    let acked: Vec<String> = mutations
                        .iter()
                        .map(|wire| {
                            let acked = server.take(wire);
                            acknowledged(wire, &acked)
                        })
                        .collect();
                    taken.extend(mutations);
                    head = Cursor::read(server.now());
                    let answer = format!(
                        r#"{{"success":true,"data":{{"lastMutationAt":{head},"mutations":[{}]}}}}"#,
                        acked.join(",")
                    );
                    let answer = read_post(&ResponseHead::ok(), &Text::new(answer));
                    Got::Posted(Posted::Answer(answer.expect("an answer")))
                }
            }
            Do::Finish(outcome) => return Told { refused, taken, bodies, outcome: *outcome },
        };
        step = push.got(got, Millis(now));
        push.notes();
    }
    panic!("it does not end")
}

fn planned(world: &World, way: &Way) -> Planned {
    let inspection = Arc::new(world.inspection());
    let resolution = decided(&inspection, way);
    Planned::new(inspection, resolution, SHOWN_AT)
}

/// A request as it was shown. The name of a waiting collection is replaced by the id that it was given meanwhile (DESIGN §4);
/// that link is the same.
fn comparable(wire: &WireMutation) -> (Op, Kind, Option<String>, Result<String, Members>) {
    let data = if wire.kind == Kind::Link {
        let mut members = wire.data.members();
        members.shift_remove("collectionId");
        Err(members)
    } else {
        Ok(wire.data.as_str().unwrap_or_default().to_owned())
    };
    let id = wire.resource_id.as_ref().filter(|_| wire.kind != Kind::Link);
    (wire.op, wire.kind.clone(), id.map(ToString::to_string), data)
}

/// Whether every mutation that would be sent says what it is of: the acknowledgement of another is verified by nothing, and
/// the push stops there.
fn addressed(planned: &Planned) -> bool {
    planned.items().map(|item| &item.wire).all(|wire| match (&wire.kind, wire.op) {
        (Kind::Link, Op::Create) => wire.data.members().contains_key("collectionId"),
        (Kind::Link, _) => identity::link_id(&wire.data).is_some(),
        (_, Op::Create) => true,
        (_, _) => wire.resource_id.is_some(),
    })
}

/// What tells those apart that have no id.
const NUMBERS: [&str; 16] =
    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"];

/// Whether all that is queued is whole: it has data, collections have names, and links are in collections.
fn whole(world: &World) -> bool {
    let made = |name: &str| {
        let makes = |entry: &&Entry| entry.kind == Kind::Collection && entry.op == Op::Create;
        world.queue.iter().filter(makes).any(|entry| format!("\"{}\"", entry.name) == name)
    };
    let has = |entry: &Entry, name| entry.data.iter().flatten().any(|(member, _)| *member == name);
    let served =
        |entry: &Entry| entry.id.is_some() || (has(entry, "collectionId") && has(entry, "bookmarkId"));
    // Two that share a name or the reading place contend for it, as the plan or, later, the server says: `contests` has
    // their laws.
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (at, entry) in world.queue.iter().chain(&world.feed).enumerate() {
        let data = entry.data.iter().flatten().filter(|_| entry.kind == Kind::Collection);
        for (_, name) in data.filter(|(member, _)| *member == "name") {
            names.entry(name).or_default().insert(entry.id.unwrap_or(NUMBERS[at % NUMBERS.len()]));
        }
    }
    let reads = |entry: &Entry| entry.data.iter().flatten().any(|member| *member == ("isReading", "true"));
    if world.queue.iter().chain(&world.feed).any(reads) {
        return false;
    }
    names.values().all(|bearers| bearers.len() == 1)
        && world.feed.iter().all(served)
        && world.queue.iter().all(|entry| {
            let Some(data) = &entry.data else { return entry.op == Op::Delete };
            let of = |name: &str| data.iter().find(|(member, _)| *member == name).map(|(_, value)| *value);
            match entry.kind {
                Kind::Collection => of("name").is_some_and(|name| name.len() > 4),
                Kind::Link => of("collectionId").is_some_and(|id| !id.starts_with("\"q") || made(id)),
                Kind::Bookmark | Kind::Note | Kind::ReadingSession | Kind::Other(_) => true,
            }
        })
}

/// Enough worlds, of which many are left out.
fn config(count: u32) -> Config {
    Config { max_global_rejects: 100 * count, ..cases(count) }
}

#[test]
fn what_was_shown_is_what_leaves() {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    let mut runner = TestRunner::new(config(1_000));
    let met_ref = std::cell::RefCell::new(&mut met);
    let ran = runner.run(&(world(), way(), any::<bool>()), |(world, way, refuses)| {
        let planned = planned(&world, &way);
        prop_assume!(whole(&world) && addressed(&planned));
        // Resources that contend for a name or the reading place change with each other; `contests` has their laws.
        prop_assume!(planned.inspection().pairs.iter().all(|pair| pair.rival.is_none()));
        let shown: Vec<WireMutation> = planned.items().map(|item| item.wire.clone()).collect();
        let first: Option<String> = planned
            .batches
            .first()
            .map(|batch| body(&batch.items.iter().map(|item| item.wire.clone()).collect::<Vec<_>>()));
        {
            let mut met = met_ref.borrow_mut();
            for item in planned.items() {
                *met.entry(format!("{:?} {:?}", item.wire.kind, item.wire.op)).or_default() += 1;
                if item.members.len() > 1 {
                    *met.entry(String::from("squashed")).or_default() += 1;
                }
                let pair = planned.inspection().pair(item.pair);
                if item.wire.op == Op::Create && pair.shape.server == Some(Op::Delete) {
                    *met.entry(String::from("brought back")).or_default() += 1;
                }
                if item.wire.data.as_str().is_some_and(|data| data.contains(super::resolutions::TYPED)) {
                    *met.entry(String::from("edited")).or_default() += 1;
                }
            }
            let merged = planned.resolution().iter().any(|(_, chosen)| chosen.choice == Choice::Both);
            if merged {
                *met.entry(String::from("both")).or_default() += 1;
            }
        }
        let told = carried_out(planned, refuses);
        // The very first request, and each one that was refused once, to the byte.
        let sent = told.refused.first().or(told.bodies.first());
        prop_assert_eq!(sent, first.as_ref());
        if refuses {
            prop_assert_eq!(&told.refused, &told.bodies, "{:?} {:?}", told.outcome.end, told.outcome.beyond);
        }
        let sent: Vec<_> = told.taken.iter().map(comparable).collect();
        let shown: Vec<_> = shown.iter().map(comparable).collect();
        prop_assert_eq!(sent, shown, "{:?} {:?}", told.outcome.end, told.outcome.quarantined);
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
    for kind in ["Bookmark", "Collection", "Link", "Note", "ReadingSession", "Other(\"HIGHLIGHT\")"] {
        for op in ["Create", "Update", "Delete"] {
            // A link is made and deleted, never changed.
            if (kind, op) != ("Link", "Update") {
                assert!(met.contains_key(&format!("{kind} {op}")), "no {kind} {op} among {met:?}");
            }
        }
    }
    for sort in ["squashed", "edited", "both", "brought back"] {
        assert!(met.get(sort).is_some_and(|count| *count > 5), "not enough {sort} among {met:?}");
    }
}

#[test]
fn what_the_preview_counts_is_what_the_outcome_counts() {
    let mut runner = TestRunner::new(config(1_000));
    let ran = runner.run(&(world(), way()), |(world, way)| {
        let planned = planned(&world, &way);
        prop_assume!(whole(&world) && addressed(&planned));
        // Resources that contend for a name or the reading place change with each other; `contests` has their laws.
        prop_assume!(planned.inspection().pairs.iter().all(|pair| pair.rival.is_none()));
        let plan = planned.clone();
        let told = carried_out(planned, false);
        let outcome = told.outcome;
        let done = matches!(outcome.end, End::Done | End::Left);
        prop_assert!(done, "{:?}", outcome.end);
        prop_assert_eq!(outcome.sent.len(), plan.pushed(), "sent");
        prop_assert_eq!(usize::try_from(outcome.posts).unwrap_or(0), plan.batches.len(), "POSTs");
        prop_assert_eq!(outcome.applied, plan.apply.len(), "applied");
        let ids = |left: &[unstick::domain::plan::Left]| left.len();
        prop_assert_eq!(outcome.held.len(), ids(&plan.hold), "held");
        prop_assert_eq!(outcome.dropped.len(), ids(&plan.drop), "dropped");
        let lines = |losses: &[unstick::domain::settle::Loss]| ledger::lines(losses).len();
        prop_assert_eq!(lines(&outcome.ledger), lines(&plan.ledger), "lost");
        prop_assert_eq!(outcome.cursor_moved, plan.moves_cursor, "the cursor");
        prop_assert!(outcome.beyond.is_empty());
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
}
