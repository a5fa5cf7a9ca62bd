use std::sync::Arc;

use super::*;
use crate::device::DeviceFile;
use crate::domain::answer::{self, ResponseHead, read_page, read_post};
use crate::domain::inspect::{Inspection, Pair, Status, Summary, inspect};
use crate::domain::json::Text;
use crate::domain::mutation::{Kind, Op};
use crate::domain::naming;
use crate::domain::push::{self, Do, End, Got, Outcome, Planned, Posted, Push};
use crate::domain::resolution::Resolution;
use crate::domain::strategy::{self, Strategy};
use crate::domain::window::{PullPath, Window};
use crate::sandbox::exact;
use crate::sandbox::query::Query;
use crate::sandbox::refusal::{Reason, Shape};
use crate::sandbox::scopes::Scopes;

const NOW: Millis = Millis(1_770_000_000_000);

fn opened(name: &str) -> Opened {
    Scenario::by_name(name).expect("there is such a scenario").open(NOW)
}

fn device(opened: &Opened) -> DeviceFile {
    DeviceFile::from_text("device.json", opened.device_file()).expect("a device file")
}

/// Both sides as the inspector sees them.
fn inspected(name: &str) -> Inspection {
    let opened = opened(name);
    let device = device(&opened).device().clone();
    let window = pulled(&opened.model, device.sync.cursor.unwrap_or(Cursor::ZERO));
    inspect(Arc::new(device), Arc::new(window))
}

/// The window since a cursor, all pages.
fn pulled(model: &Model, since: Cursor) -> Window {
    let mut window = Window {
        path: PullPath::SinceCursor,
        since,
        head: model.head(),
        mutations: Vec::new(),
        unreadable: Vec::new(),
        warnings: Vec::new(),
        not_visible: Vec::new(),
    };
    for number in 1.. {
        let query = Query { limit: 1000, page: number.into(), ..Query::since(since) };
        let answer = model.get(&query, Scopes::ALL).expect("a good query");
        let more = answer.list.as_ref().is_some_and(|list| list.has_more);
        let body = Text::new(answer.to_json().to_string());
        let page = read_page(&ResponseHead::ok(), &body, number).expect("a good page");
        window.mutations.extend(page.mutations);
        assert!(page.unreadable.is_empty());
        if !more {
            break;
        }
    }
    window
}

/// Kind, shape and status of every pair, in order.
fn pairs(inspection: &Inspection) -> Vec<String> {
    let line = |pair: &Pair| format!("{} {} {}", pair.kind.wire(), pair.shape, pair.status.word());
    inspection.pairs.iter().map(line).collect()
}

#[test]
fn every_scenario_opens_with_a_device_file_and_the_devices_attempt_gets_a_409() {
    assert_eq!(Scenario::list()[0].name, "tablet-behind");
    for scenario in Scenario::list() {
        let mut opened = scenario.open(NOW);
        assert!(!scenario.title.is_empty() && !scenario.teaches.is_empty(), "{}", scenario.name);
        serde_json::from_str::<Value>(&opened.device_file()).expect(scenario.name);
        let before = opened.model.clone();
        let file = device(&opened);
        assert_eq!(file.warnings(), [], "{}", scenario.name);
        let refusal = opened.attempt(NOW).err().expect(scenario.name);
        assert_eq!(refusal.reason, Reason::OutOfSync, "{}", scenario.name);
        assert!(opened.model == before);
        for (earlier, later) in file.device().queue.iter().zip(&device(&opened).device().queue).take(100) {
            assert_eq!(later.retry_count, earlier.retry_count + 1);
            assert!(later.last_error.as_ref().is_some_and(|error| error.starts_with("409 OutOfSyncError: ")));
        }
        assert_eq!(device(&opened).device().sync.last_attempt, Some(NOW));
    }
}

#[test]
fn a_scenario_is_as_fresh_as_its_moment_and_the_same_at_the_same_moment() {
    let scenario = Scenario::by_name("tablet-behind").expect("it is there");
    let (opened, again) = (scenario.open(NOW), scenario.open(NOW));
    assert!(opened.model == again.model && opened.device_file() == again.device_file());
    let later = scenario.open(Millis(NOW.0 + 60_000));
    assert_eq!(later.model.head().value() - opened.model.head().value(), 60_000);
    assert!(opened.model.head().value() <= NOW.0);
}

#[test]
fn nobody_writes_in_the_future_and_every_history_runs_forward() {
    for scenario in Scenario::list() {
        let mut told = scenario.story.clone();
        (scenario.fill)(&mut told);
        let times: Vec<_> = told.agreed.iter().chain(&told.since).map(|act| act.minutes_ago).collect();
        assert!(times.windows(2).all(|pair| pair[0] > pair[1]), "{}: {times:?}", scenario.name);
        let queued: Vec<_> = told.queue.iter().map(|waiting| waiting.minutes_ago).collect();
        assert!(queued.windows(2).all(|pair| pair[0] >= pair[1]), "{}: {queued:?}", scenario.name);
        assert!(times.iter().chain(&queued).all(|minutes| *minutes > 0));
        if let Some(last_sync) = told.device.last_sync {
            assert!(told.agreed.iter().all(|act| act.minutes_ago >= last_sync));
            assert!(told.since.iter().map(|act| act.minutes_ago).chain(queued).all(|m| m < last_sync));
        }
    }
}

#[test]
fn tablet_behind_is_the_picture() {
    let inspection = inspected("tablet-behind");
    assert_eq!(
        inspection.summary,
        Summary { queued: 5, window: 6, converged: 1, push: 1, apply: 2, diverged: 2, blocked: 0 }
    );
    assert_eq!(
        pairs(&inspection),
        [
            "NOTE update/update diverged",
            "COLLECTION update/delete diverged",
            "BOOKMARK create/create converged",
            "NOTE create/- push",
            "BOOKMARK -/create apply",
            "READING_SESSION -/update apply",
        ]
    );
    let titles: Vec<_> = inspection.pairs.iter().map(|pair| naming::title(&inspection, pair)).collect();
    assert_eq!(titles, ["2:255", "Ramadan", "18:10", "36:58", "67:1", "2:176"]);
    assert!(inspection.pairs[2].echo);
    let note = inspection.pairs[0].open.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(note, ["/body", "/ranges"]);
}

#[test]
fn offline_edits_settle_in_part() {
    let inspection = inspected("offline-edits");
    for kind in Kind::KNOWN {
        assert!(inspection.device.queue.iter().any(|m| m.kind == kind), "{kind:?} is not queued");
        assert!(inspection.window.mutations.iter().any(|m| m.kind == kind), "{kind:?} is not on the server");
    }
    assert_eq!(
        pairs(&inspection),
        [
            "COLLECTION_BOOKMARK delete/- push",
            "NOTE update/update push",
            "NOTE update/update diverged",
            "NOTE update/update push",
            "NOTE update/update diverged",
            "NOTE delete/- push",
            "COLLECTION update/- push",
            "COLLECTION update/update diverged",
            "COLLECTION update/update converged",
            "COLLECTION create/- push",
            "COLLECTION_BOOKMARK create/- push",
            "COLLECTION_BOOKMARK create/- push",
            "BOOKMARK create/- push",
            "READING_SESSION update/update diverged",
            "READING_SESSION update/- push",
            "READING_SESSION create/- push",
            "NOTE create/- push",
            "BOOKMARK -/update apply",
            "BOOKMARK -/create apply",
            "NOTE -/create apply",
            "COLLECTION_BOOKMARK -/create apply",
            "READING_SESSION -/create apply",
        ]
    );
    let open = |pair: &Pair| pair.open.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(open(&inspection.pairs[2]), ["/body"]);
    assert_eq!(open(&inspection.pairs[4]), [""; 0], "the sets merge over the recorded base");
}

#[test]
fn missed_header_only_echoes() {
    let inspection = inspected("missed-header");
    assert!(
        inspection.pairs.iter().all(|pair| pair.status == Status::Converged && pair.echo),
        "{:?}",
        pairs(&inspection)
    );
    assert_eq!((inspection.summary.queued, inspection.summary.window), (3, 6));
}

#[test]
fn first_sync_has_no_cursor_and_is_asked_for_minus_1() {
    let mut opened = opened("first-sync");
    assert_eq!(opened.model.head(), Cursor::FIRST_SYNC);
    assert_eq!(device(&opened).device().sync.cursor, None);
    let refusal = opened.attempt(NOW).err().expect("refused");
    assert!(refusal.message.starts_with("First sync detected."));
}

#[test]
fn delete_vs_edit_has_both_directions() {
    let inspection = inspected("delete-vs-edit");
    assert_eq!(
        pairs(&inspection),
        [
            "COLLECTION_BOOKMARK delete/- push",
            "COLLECTION_BOOKMARK delete/- push",
            "COLLECTION delete/update diverged",
            "NOTE update/delete diverged",
            "NOTE delete/update diverged",
            "NOTE delete/delete converged",
            "COLLECTION update/delete diverged",
            "COLLECTION_BOOKMARK create/- blocked",
            "COLLECTION_BOOKMARK -/create apply",
            "COLLECTION_BOOKMARK -/delete apply",
        ]
    );
}

#[test]
fn same_note_twice_cannot_be_told_apart() {
    let inspection = inspected("same-note-twice");
    let twins: Vec<_> = inspection.pairs.iter().filter(|pair| pair.twin.is_some()).collect();
    assert_eq!(twins.len(), 2, "{:?}", pairs(&inspection));
    assert!(twins.iter().all(|pair| pair.status == Status::Diverged));
}

#[test]
fn long_note_diverges_in_the_body_alone() {
    let inspection = inspected("long-note");
    assert_eq!(inspection.summary.diverged, 2);
    for pair in &inspection.pairs {
        assert_eq!(pair.open.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/body"]);
    }
}

#[test]
fn big_queue_is_paired_by_a_fifth_and_diverges_by_a_twentieth() {
    let inspection = inspected("big-queue");
    let Summary { queued, window, converged, push, apply, diverged, blocked } = inspection.summary;
    assert_eq!((queued, window), (240, 1300));
    assert_eq!((converged, push, apply, diverged, blocked), (36, 192, 1252, 12, 0));
    let ops: Vec<_> = [Op::Create, Op::Update, Op::Delete]
        .into_iter()
        .filter(|op| inspection.device.queue.iter().any(|m| m.op == *op))
        .collect();
    assert_eq!(ops.len(), 3);
}

/// Pushes what `strategy` decides of an opened scenario until the push ends.
fn driven(opened: &mut Opened, strategy: Strategy) -> Outcome {
    let device = device(opened).device().clone();
    let window = pulled(&opened.model, device.sync.cursor.unwrap_or(Cursor::ZERO));
    let inspection = Arc::new(inspect(Arc::new(device), Arc::new(window)));
    let mut resolution = Resolution::default();
    let chosen = strategy::choices_for_all(&inspection, &resolution, strategy, |_| true);
    resolution.choose(strategy.name(), chosen);
    let options = push::Options { rule: Some(strategy), ..push::Options::default() };
    let mut push = Push::new(Planned::new(inspection, resolution, NOW), options, NOW);
    let mut step = push.start();
    loop {
        let got = match step {
            Do::Journal(_) => Got::Journaled,
            Do::Wait { .. } => Got::Waited,
            Do::Authorize(_) => Got::Authorized(false),
            Do::Pull { since } => Got::Pulled(Ok(pulled(&opened.model, since))),
            Do::Post { head, mutations } => {
                let wire =
                    |mutation| exact::value(&serde_json::to_string(mutation).expect("JSON")).expect("exact");
                let batch: Vec<_> = mutations.iter().map(wire).collect();
                Got::Posted(match opened.model.post(NOW, Caller::with_all_scopes("unstick"), head, &batch) {
                    Ok(applied) => {
                        let body = Text::new(applied.to_json().to_string());
                        Posted::Answer(read_post(&ResponseHead::ok(), &body).expect("a good answer"))
                    }
                    Err(refusal) => {
                        let head =
                            ResponseHead { status: refusal.reason.status(), ..ResponseHead::default() };
                        let body = refusal.body(Shape::Documented, "r1").to_string();
                        Posted::Refused(answer::Refusal::read(&head, &body))
                    }
                })
            }
            Do::Finish(outcome) => return *outcome,
        };
        step = push.got(got, NOW);
    }
}

#[test]
fn every_strategy_can_be_pushed_from_every_scenario_and_writes_nothing_twice() {
    for scenario in Scenario::list() {
        for strategy in Strategy::ALL {
            let mut opened = scenario.open(NOW);
            let before = opened.model.writes();
            let outcome = driven(&mut opened, strategy);
            let said = format!("{} {}: {:?}", scenario.name, strategy.name(), outcome.end);
            // Whether one of two equal notes arrived is no matter of a rule.
            let asks = scenario.name == "same-note-twice";
            assert_eq!(matches!(outcome.end, End::Unknown { .. }), asks, "{said}");
            assert!(asks || matches!(outcome.end, End::Done | End::Left), "{said}");
            assert_eq!(outcome.quarantined, [], "{said}");
            for (resource, writes) in opened.model.writes() {
                let earlier = before.get(&resource).copied().unwrap_or_default();
                assert!(writes <= earlier + 1, "{said}: {resource:?}");
            }
        }
    }
}

#[test]
fn who_else_wrote_is_called_as_a_person_would() {
    let others = |name| Scenario::by_name(name).expect("a scenario").others();
    assert_eq!(others("tablet-behind").as_deref(), Some("Phone A, Web"));
    assert_eq!(others("missed-header"), None, "only the device itself wrote");
    for scenario in Scenario::list() {
        assert!(scenario.others().is_none_or(|names| names.len() < 30), "{}", scenario.name);
    }
}
