use std::sync::Arc;

use super::*;
use crate::device::DeviceFile;
use crate::domain::answer::{self, ResponseHead, read_page, read_post};
use crate::domain::field::{Choice, FieldPath};
use crate::domain::inspect::{Inspection, Pair, Status, Summary, inspect};
use crate::domain::json::Text;
use crate::domain::mutation::{Kind, Op, Side};
use crate::domain::naming;
use crate::domain::phone::Feed;
use crate::domain::push::{self, Do, End, Got, Outcome, Planned, Posted, Push};
use crate::domain::resolution::{By, Chosen, Resolution, Unit};
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
        phone: Feed::default(),
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
            "BOOKMARK create/- diverged",
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
    driven_by(opened, Some(strategy), &[])
}

/// Pushes what a strategy and choices by hand, by key and path, decide.
fn driven_by(opened: &mut Opened, rule: Option<Strategy>, by_hand: &[(&str, &str, Choice)]) -> Outcome {
    let device = device(opened).device().clone();
    let window = pulled(&opened.model, device.sync.cursor.unwrap_or(Cursor::ZERO));
    let inspection = Arc::new(inspect(Arc::new(device), Arc::new(window)));
    let mut resolution = Resolution::default();
    if let Some(rule) = rule {
        let chosen = strategy::choices_for_all(&inspection, &resolution, rule, |_| true);
        resolution.choose(rule.name(), chosen);
    }
    let hand = by_hand.iter().map(|(key, path, choice)| {
        let pair = inspection.ids().find(|(_, pair)| pair.key == *key).expect("a resource").0;
        let unit = Unit { pair, path: FieldPath::from_text(path) };
        (unit, Some(Chosen { choice: choice.clone(), by: By::Hand }))
    });
    resolution.choose("by hand", hand);
    drive(&mut opened.model, inspection, resolution, rule, |_| {})
}

/// Pushes to the end; `before` is called before each POST.
fn drive(
    model: &mut Model,
    inspection: Arc<Inspection>,
    resolution: Resolution,
    rule: Option<Strategy>,
    mut before: impl FnMut(&mut Model),
) -> Outcome {
    let options = push::Options { rule, ..push::Options::default() };
    let mut push = Push::new(Planned::new(inspection, resolution, NOW), options, NOW);
    let mut step = push.start();
    loop {
        let got = match step {
            Do::Journal(_) => Got::Journaled,
            Do::Wait { .. } => Got::Waited,
            Do::Authorize(_) => Got::Authorized(false),
            Do::Pull { since } => Got::Pulled(Ok(pulled(model, since))),
            Do::Post { head, mutations } => {
                before(model);
                let wire =
                    |mutation| exact::value(&serde_json::to_string(mutation).expect("JSON")).expect("exact");
                let batch: Vec<_> = mutations.iter().map(wire).collect();
                Got::Posted(match model.post(NOW, Caller::with_all_scopes("unstick"), head, &batch) {
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

/// The living collections of an opened scenario by id, and the place that is read.
fn names_and_place(opened: &Opened) -> (Vec<(String, String)>, Vec<String>) {
    let text = |value: &serde_json::Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let live = opened.model.live(&Kind::Collection);
    let mut names: Vec<_> = live.iter().map(|(id, value)| (id.to_string(), text(value, "name"))).collect();
    names.retain(|(id, _)| id.starts_with("c-"));
    names.sort();
    let live = opened.model.live(&Kind::Bookmark);
    let read = live.iter().filter(|(_, value)| value["isReading"] == true);
    (names, read.map(|(_, value)| format!("{}:{}", value["key"], value["verseNumber"])).collect())
}

fn lost_values(outcome: &Outcome) -> Vec<String> {
    let said =
        |loss: &crate::domain::settle::Loss| format!("{} {} {}", loss.key, loss.path, loss.side.name());
    outcome.ledger.iter().map(said).collect()
}

#[test]
fn one_name_twice_ends_with_one_name_each_and_one_reading_place() {
    let named = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect()
    };
    let learnt = [("c-first", "Learning"), ("c-second", "Learnt")];
    let all = |morning: &str, evening: &str| {
        let mut all = named(&learnt);
        all.extend(named(&[("c-morning", morning), ("c-evening", evening)]));
        all.sort();
        all
    };
    for (rule, names, place) in [
        (Strategy::ServerWins, all("الصباح", "Duas"), "18:10"),
        (Strategy::ClientWins, all("Duas", "المساء"), "67:1"),
        (Strategy::LastWriteWins, all("الصباح", "Duas"), "67:1"),
        (Strategy::Merge, all("الصباح", "Duas"), "18:10"),
    ] {
        let mut opened = Scenario::by_name("one-name-twice").expect("a scenario").open(NOW);
        let outcome = driven(&mut opened, rule);
        assert_eq!(names_and_place(&opened), (names, vec![place.to_owned()]), "{rule}");
        let expected: &[&str] = match rule {
            Strategy::ServerWins => &[
                "id:c-morning /name device",
                "at:67:1  device",
                "at:67:1 /type device",
                "at:67:1 /mushaf device",
                "at:67:1 /isReading device",
                "at:67:1 /key+verseNumber device",
            ],
            Strategy::ClientWins => &["id:c-evening /name server", "id:b-web /isReading server"],
            Strategy::LastWriteWins => &["id:c-morning /name device", "id:b-web /isReading server"],
            Strategy::Merge => &[],
        };
        let mut lost = lost_values(&outcome);
        let mut expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        lost.sort();
        expected.sort();
        assert_eq!(lost, expected, "{rule}");
        // What is open stays in the queue, and the next pull shows it again.
        let waits = outcome.device.queue.len();
        assert_eq!(
            (waits, outcome.cursor_moved),
            if rule == Strategy::Merge { (2, false) } else { (0, true) },
            "{rule}"
        );
    }
}

#[test]
fn the_queue_of_one_name_twice_frees_a_name_before_it_is_given() {
    let inspection = inspected("one-name-twice");
    let plan = crate::domain::plan::plan(&inspection, &Resolution::default(), NOW);
    let sent: Vec<_> = plan.items().map(|item| item.members[0].to_string()).collect();
    assert_eq!(sent, ["q5", "q3", "q4", "q2"]);
}

#[test]
fn two_collections_of_one_name_are_joined_or_renamed_by_hand() {
    let open = || Scenario::by_name("one-name-twice").expect("a scenario").open(NOW);
    let links = |opened: &Opened, collection: &str| {
        let live = opened.model.live(&Kind::Link);
        live.iter().filter(|(_, value)| value["collectionId"] == collection).count()
    };
    let name = |opened: &Opened, id: &str| {
        let (names, _) = names_and_place(opened);
        names.into_iter().find(|(of, _)| of == id).map(|(_, name)| name)
    };
    let place = ("at:67:1", "/isReading", Choice::Server);
    let mut opened = open();
    assert_eq!(links(&opened, "c-morning"), 2);
    let outcome = driven_by(&mut opened, None, &[place.clone(), ("id:c-morning", "/name", Choice::Both)]);
    assert_eq!((outcome.end.word(), outcome.device.queue.len()), ("done", 0));
    assert_eq!((name(&opened, "c-morning"), name(&opened, "c-evening").as_deref()), (None, Some("Duas")));
    assert_eq!((links(&opened, "c-morning"), links(&opened, "c-evening")), (0, 2));
    assert!(lost_values(&outcome).contains(&String::from("id:c-morning  device")));
    // The device holds what the server has: no link of what is gone, those of the other.
    let known = outcome.device.known.iter().flatten().filter(|row| row.kind == Kind::Link);
    assert!(
        known.clone().all(|row| row.id.as_str().starts_with("c-evening-")),
        "{:?}",
        known.collect::<Vec<_>>()
    );
    // The bookmark is there, without the mark.
    assert_eq!(names_and_place(&opened).1, ["18:10"]);
    assert!(opened.model.live(&Kind::Bookmark).iter().any(|(_, value)| value["key"] == 67));

    let edited = |text: &str| Choice::Edited(crate::domain::json::Json::string(text));
    for (path, expected) in [("/name", ["Mine", "Duas"]), ("/name@server", ["Duas", "Mine"])] {
        let mut opened = open();
        let outcome = driven_by(&mut opened, None, &[place.clone(), ("id:c-morning", path, edited("Mine"))]);
        assert_eq!(outcome.end.word(), "done", "{path}");
        let names = ["c-morning", "c-evening"].map(|id| name(&opened, id).unwrap_or_default());
        assert_eq!(names, expected, "{path}");
    }
}

/// The chosen reading place is the server's afterwards, wherever in the queue it stands, over how many POSTs, and
/// whether or not somebody else writes between them.
#[test]
fn the_reading_place_is_the_chosen_one_for_every_order_and_number_of_posts() {
    let bookmark = |number: usize, reads: bool| {
        let (key, verse) = (number / 6 + 1, number % 6 + 1);
        format!(
            r#"{{"id":"q{number}","type":"CREATE","resource":"BOOKMARK","data":{{"type":"ayah","key":{key},"verseNumber":{verse},"isReading":{reads},"mushaf":1}}}}"#
        )
    };
    let server = |model: &mut Model, at: i64, verse: i64, reads: bool| {
        let data =
            serde_json::json!({"type":"ayah","key":114,"verseNumber":verse,"isReading":reads,"mushaf":1});
        let create = serde_json::json!({"type":"CREATE","resource":"BOOKMARK","data":data});
        model.other_device_writes(Millis(NOW.0 + at), "web", &[create]).expect("a good write");
    };
    for count in [3, 100, 101, 230] {
        for (first, last) in [(0, 1), (1, count - 1), (count / 2, count / 2 + 1), (0, count - 1)] {
            for (rule, races) in
                [(Strategy::ClientWins, false), (Strategy::ServerWins, false), (Strategy::ClientWins, true)]
            {
                let mut model = Model::new(FirstSync::Positive, NOW);
                let cursor = model.head();
                server(&mut model, 1_000, 1, true);
                // Two reading places in one queue, the one that counts anywhere in it.
                let reads = |number| number == first || number == last;
                let queue: Vec<String> = (0..count).map(|number| bookmark(number, reads(number))).collect();
                let file = format!(
                    r#"{{"sync":{{"lastMutationAt":{cursor}}},"queue":[{}],"resources":[]}}"#,
                    queue.join(",")
                );
                let device =
                    DeviceFile::from_text("device.json", file).expect("a device file").device().clone();
                let inspection = Arc::new(inspect(Arc::new(device), Arc::new(pulled(&model, cursor))));
                let said = format!("{count} bookmarks, {first} and {last}, {rule}, races {races}");
                assert_eq!(inspection.summary.diverged, 1, "{said}");
                let mut resolution = Resolution::default();
                let chosen = strategy::choices_for_all(&inspection, &resolution, rule, |_| true);
                resolution.choose(rule.name(), chosen);
                let mut posts = 0;
                let outcome = drive(&mut model, inspection, resolution, Some(rule), |model| {
                    posts += 1;
                    if races && posts == 1 {
                        server(model, 2_000, 2, false);
                    }
                });
                assert_eq!(outcome.end.word(), "done", "{said}");
                let read: Vec<_> = model
                    .live(&Kind::Bookmark)
                    .into_iter()
                    .filter(|(_, value)| value["isReading"] == true)
                    .collect();
                assert_eq!(read.len(), 1, "{said}");
                let place = (read[0].1["key"].as_u64(), read[0].1["verseNumber"].as_u64());
                let chosen = (Some((last / 6 + 1) as u64), Some((last % 6 + 1) as u64));
                let expected = if rule == Strategy::ServerWins { (Some(114), Some(1)) } else { chosen };
                assert_eq!(place, expected, "{said}");
                // What the device itself replaced is no loss.
                let flags: Vec<_> =
                    outcome.ledger.iter().filter(|loss| loss.path == FieldPath::reading()).collect();
                assert_eq!(flags.len(), 1, "{said}");
                let side = if rule == Strategy::ServerWins { Side::Device } else { Side::Server };
                assert_eq!(flags[0].side, side, "{said}");
            }
        }
    }
}
