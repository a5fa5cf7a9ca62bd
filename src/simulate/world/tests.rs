//! Every number that a simulation gives, on histories that are small enough to count by hand.

use serde_json::Value;

use super::*;
use crate::domain::answer::{Refusal as DomainRefusal, ResponseHead, read_post};
use crate::domain::json::Text;
use crate::domain::push::{Do, End, Got, Options, Planned, Posted as PushPosted, Push};
use crate::sandbox::refusal::Shape;
use crate::simulate::history::{DAY, Edit, Habits};
use crate::simulate::settings::{Act, Settings, Thousandths};

const MINUTE: i64 = 60_000;

/// Devices that sync every ten minutes, each at its own minute of them.
fn devices(minutes: &[u32]) -> Vec<Habits> {
    minutes.iter().map(|minute| Habits { phase: minute * 100_000, ..Habits::default() }).collect()
}

/// An edit at a minute, on a device, of the first resource of its sort.
fn edit(minute: i64, device: u16, act: Act) -> Edit {
    Edit { at: minute * MINUTE, device, act, which: 0, number: minute as u32 * 10 + u32::from(device) }
}

fn history(devices: Vec<Habits>, edits: Vec<Edit>) -> History {
    History { devices, edits, end: 60 * MINUTE }
}

const fn rules(strategy: Strategy) -> Rules {
    Rules { strategy, interval: 10 * MINUTE, bases: false }
}

fn played(history: &History, rules: Rules) -> World {
    let mut world = World::new(&Beginning::new(2), history, rules);
    world.play(history, &Progress::default());
    world
}

/// Only what this test is about; syncs and requests that find nothing to do are left out.
fn counted(history: &History, strategy: Strategy) -> Tally {
    let world = played(history, rules(strategy));
    assert!(world.agree(), "{strategy}");
    Tally { syncs: 0, requests: 0, ..world.tally }
}

/// Phone A (syncs at minute 5, 15, …) writes a text in minute 1, tablet B (6, 16, …) another one in minute 2. A is first
/// at the server. B's POST of minute 6 is refused; it pulls and decides.
#[test]
fn two_devices_write_the_same_text() {
    let edits = vec![edit(1, 0, Act::NoteText), edit(2, 1, Act::NoteText)];
    let history = history(devices(&[5, 6]), edits);
    let common = Tally { edits: 2, pushes: 2, conflicts: 1, divergences: 1, ..Tally::default() };

    // B gives its text up: the refused POST was one request more than the pull it needed. All agree in minute 6.
    let expected = Tally { extra: 1, lost_device: 1, apart_s: vec![5 * 60], ..common.clone() };
    assert_eq!(counted(&history, Strategy::ServerWins), expected);

    // B sends its text again, so the refused POST and the pull are extra. A hears of it in minute 15.
    let expected = Tally { extra: 2, lost_server: 1, apart_s: vec![14 * 60], ..common.clone() };
    assert_eq!(counted(&history, Strategy::ClientWins), expected);

    // B wrote last.
    assert_eq!(counted(&history, Strategy::LastWriteWins), expected);

    // A person is asked and keeps both texts.
    let expected = Tally { extra: 2, asked: 1, apart_s: vec![14 * 60], ..common };
    assert_eq!(counted(&history, Strategy::Merge), expected);
    let world = played(&history, rules(Strategy::Merge));
    let note = world.model.state(&Kind::Note, &"note-0".into()).expect("the note");
    assert_eq!(note["body"], "text of edit 21\n\ntext of edit 10");
}

/// Six syncs an hour for each of two devices. With nothing to send each is one request; B's sync of minute 6 takes two
/// (POST, GET) where the server wins and three (POST, GET, POST) where the client does.
#[test]
fn requests_are_counted_one_by_one() {
    let edits = vec![edit(1, 0, Act::NoteText), edit(2, 1, Act::NoteText)];
    let history = history(devices(&[5, 6]), edits);
    let tally = played(&history, rules(Strategy::ServerWins)).tally;
    assert_eq!((tally.syncs, tally.requests), (12, 13));
    let tally = played(&history, rules(Strategy::ClientWins)).tally;
    assert_eq!((tally.syncs, tally.requests), (12, 14));
}

/// Edits of different resources meet the 409, too: the head is one for the whole account. Nothing diverges then.
#[test]
fn a_409_is_not_a_divergence() {
    let edits = vec![edit(1, 0, Act::NoteText), edit(2, 1, Act::CollectionName)];
    let history = history(devices(&[5, 6]), edits);
    for strategy in Strategy::ALL {
        let expected =
            Tally { edits: 2, pushes: 2, conflicts: 1, extra: 2, apart_s: vec![14 * 60], ..Tally::default() };
        assert_eq!(counted(&history, strategy), expected, "{strategy}");
    }
}

/// Whoever pulls before it writes meets no 409: A's text is there in minute 6, B writes in minute 7.
#[test]
fn edits_one_after_the_other_meet_no_409() {
    let edits = vec![edit(1, 0, Act::NoteText), edit(7, 1, Act::NoteText)];
    let history = history(devices(&[5, 6]), edits);
    for strategy in Strategy::ALL {
        // Apart from minute 1 to 6, and from 7 (B's edit) over 16 (its POST) to 25 (A's pull).
        let expected = Tally { edits: 2, pushes: 2, apart_s: vec![5 * 60, 18 * 60], ..Tally::default() };
        assert_eq!(counted(&history, strategy), expected, "{strategy}");
    }
}

/// A device that is offline until minute 40 syncs in minute 45 for the first time; its edit of minute 1 is refused then.
#[test]
fn offline_devices_do_not_sync() {
    let mut devices = devices(&[5, 6]);
    devices[0].offline.push(0..40 * MINUTE);
    let edits = vec![edit(1, 0, Act::NoteText), edit(2, 1, Act::NoteText)];
    let history = history(devices, edits);
    let world = played(&history, rules(Strategy::ServerWins));
    let tally = &world.tally;
    assert_eq!((tally.syncs, tally.conflicts, tally.lost_device), (6 + 2, 1, 1));
    assert_eq!(tally.apart_s, [44 * 60]);
    let note = world.model.state(&Kind::Note, &"note-0".into()).expect("the note");
    assert_eq!(note["body"], "text of edit 21", "B was first at the server");
}

/// B writes a minute after A, and its clock is 90 s slow: its stamp is 30 s older, so the older text wins.
#[test]
fn a_slow_clock_makes_the_newer_edit_lose() {
    let edits = vec![edit(1, 0, Act::NoteText), edit(2, 1, Act::NoteText)];
    for (error_s, turned, lost_device) in [(-90, 1, 1), (-59, 0, 0), (90, 0, 0)] {
        let mut devices = devices(&[5, 6]);
        devices[1].clock_error = error_s * 1000;
        let history = history(devices, edits.clone());
        let tally = counted(&history, Strategy::LastWriteWins);
        assert_eq!((tally.turned, tally.lost_device), (turned, lost_device), "{error_s} s");
        assert_eq!(tally.lost(), 1, "{error_s} s");
    }
}

/// A changes the text, B the verses of the same note; each update carries both, as the phone sends it. Without a base
/// nobody can tell who changed what: two fields conflict, and one written value is lost. With a base both fit together.
#[test]
fn a_recorded_base_saves_what_was_never_in_conflict() {
    let edits = vec![edit(1, 0, Act::NoteText), edit(2, 1, Act::NoteRanges)];
    let history = history(devices(&[5, 6]), edits);
    for (strategy, lost, asked) in [
        (Strategy::ServerWins, 1, 0),
        (Strategy::ClientWins, 1, 0),
        (Strategy::LastWriteWins, 1, 0),
        (Strategy::Merge, 0, 2),
    ] {
        let tally = played(&history, rules(strategy)).tally;
        assert_eq!((tally.divergences, tally.lost(), tally.asked), (1, lost, asked), "{strategy}");
        let tally = played(&history, Rules { bases: true, ..rules(strategy) }).tally;
        assert_eq!((tally.divergences, tally.lost(), tally.asked), (0, 0, 0), "{strategy} with a base");
    }
}

/// A deletes a note in minute 1 that B edits in minute 2. B meets the deletion: the server's stands and B's text goes, or
/// B's edit stands and the note is brought back under a new id, which A learns.
#[test]
fn an_edit_meets_a_deletion() {
    let edits = vec![edit(1, 0, Act::DeleteNote), edit(2, 1, Act::NoteText), edit(31, 0, Act::NoteText)];
    let history = history(devices(&[5, 6]), edits);
    let notes = |world: &World| world.model.live(&Kind::Note).len();

    let world = played(&history, rules(Strategy::ServerWins));
    // The edit of minute 31 is of a note that is gone.
    assert_eq!((world.tally.edits, world.tally.impossible, world.tally.lost_device), (2, 1, 1));
    assert_eq!(notes(&world), 1);

    for strategy in [Strategy::ClientWins, Strategy::Merge] {
        let world = played(&history, rules(strategy));
        let tally = &world.tally;
        assert_eq!((tally.edits, tally.impossible), (3, 0), "{strategy}");
        assert_eq!((tally.divergences, tally.lost_server), (1, 1), "{strategy}: the deletion is gone over");
        assert_eq!(notes(&world), 2, "{strategy}");
        assert!(world.agree());
    }
}

/// Two creations have nothing to do with each other; two bookmarks of one place are one.
#[test]
fn what_is_made_on_two_devices_does_not_diverge() {
    let mut edits = vec![edit(1, 0, Act::NewNote), edit(2, 1, Act::NewNote)];
    edits.extend([edit(3, 0, Act::NewBookmark), edit(3, 1, Act::NewBookmark)]);
    // The same place on both.
    edits[3].number = edits[2].number;
    let history = history(devices(&[5, 6]), edits);
    for strategy in Strategy::ALL {
        let world = played(&history, rules(strategy));
        assert_eq!((world.tally.conflicts, world.tally.divergences, world.tally.lost()), (1, 0, 0));
        assert_eq!(world.model.live(&Kind::Note).len(), 4);
        assert_eq!(world.model.live(&Kind::Bookmark).len(), 1);
        assert!(world.agree());
    }
}

/// Three positions are lost where an interval lets three edits of each device meet, none where each edit is synced before
/// the next one is made.
#[test]
fn a_longer_interval_loses_more() {
    let which = |mut edit: Edit, which: u32| {
        edit.which = which;
        edit
    };
    let edits: Vec<Edit> = (0..3)
        .flat_map(|n| {
            let minute = i64::from(n) * 20 + 1;
            [which(edit(minute, 0, Act::Position), n), which(edit(minute + 10, 1, Act::Position), n)]
        })
        .collect();
    let history = history(devices(&[0, 0]), edits);
    let beginning = Beginning::new(3);
    let lost = |minutes: i64| {
        let rules = Rules { interval: minutes * MINUTE, ..rules(Strategy::ClientWins) };
        play(&beginning, &history, rules, &Progress::default()).lost()
    };
    assert_eq!([lost(5), lost(300)], [0, 3]);
}

/// 1,001 notes are two pages of the feed, and 101 mutations two POSTs: B's POST is refused, it pulls two pages and POSTs
/// twice. The refused POST and both pages are extra.
#[test]
fn pages_and_batches_are_requests_too() {
    let of = |device: u16, count: u32| {
        (0..count).map(move |number| Edit {
            number: u32::from(device) * 5000 + number,
            ..edit(1, device, Act::NewNote)
        })
    };
    let history = history(devices(&[5, 6]), of(0, 1001).chain(of(1, 101)).collect());
    let mut world = World::new(&Beginning::new(2), &history, rules(Strategy::Merge));
    history.edits.iter().for_each(|edit| world.edit(edit));
    world.sync(0, 5 * MINUTE);
    assert_eq!((world.tally.requests, world.tally.extra), (11, 0), "1,001 notes in POSTs of 100");
    world.sync(1, 6 * MINUTE);
    assert_eq!((world.tally.requests, world.tally.extra), (11 + 5, 3));
    assert_eq!((world.tally.conflicts, world.tally.divergences, world.tally.refused), (1, 0, 0));
    assert_eq!(world.model.live(&Kind::Note).len(), 2 + 1001 + 101);
}

/// What the server refuses for another reason is counted, and nothing hides it: a note of five characters is too short.
#[test]
fn what_the_server_refuses_is_counted() {
    let history = history(devices(&[5]), vec![edit(1, 0, Act::NewNote)]);
    let mut world = World::new(&Beginning::new(2), &history, rules(Strategy::Merge));
    history.edits.iter().for_each(|edit| world.edit(edit));
    let data = world.phones[0].queue[0].data.as_mut().expect("a note");
    data.insert("body".to_owned(), "short".into());
    world.sync(0, 5 * MINUTE);
    assert_eq!((world.tally.requests, world.tally.refused, world.tally.conflicts), (1, 1, 0));
}

/// A device that has not synced when all is over is told of. It takes a stop: otherwise every device syncs until all agree.
#[test]
fn who_never_agrees_is_counted() {
    let history = history(devices(&[5, 6]), vec![edit(1, 0, Act::NewNote)]);
    assert_eq!(played(&history, rules(Strategy::Merge)).tally.never_agreed, 0);
    let mut world = World::new(&Beginning::new(2), &history, rules(Strategy::Merge));
    let stopped = Progress::default();
    stopped.stop();
    world.edit(&history.edits[0]);
    world.play(&History { edits: Vec::new(), ..history }, &stopped);
    assert_eq!((world.tally.syncs, world.tally.never_agreed), (0, 1));
}

/// Three edits of one note are one mutation, as the phone's database has one row for it; a deletion after them as well.
#[test]
fn what_waits_of_a_resource_is_its_state() {
    let edits = vec![edit(1, 0, Act::NoteText), edit(2, 0, Act::NoteRanges), edit(3, 0, Act::NoteText)];
    let history = history(devices(&[5]), edits);
    let mut world = World::new(&Beginning::new(2), &history, rules(Strategy::Merge));
    history.edits.iter().for_each(|edit| world.edit(edit));
    let queue = &world.phones[0].queue;
    assert_eq!(queue.len(), 1);
    let data = &queue[0].clone().into_wire()["data"];
    assert_eq!((&data["body"], &data["ranges"][0]), (&"text of edit 30".into(), &"1:21-1:21".into()));
    world.edit(&edit(4, 0, Act::DeleteNote));
    let queue = &world.phones[0].queue;
    assert_eq!((queue.len(), queue[0].op), (1, Op::Delete));
    world.sync(0, 5 * MINUTE);
    assert_eq!(world.model.live(&Kind::Note).len(), 1);
    assert_eq!((world.tally.edits, world.tally.requests, world.tally.refused), (4, 1, 0));
}

fn random(seed: u64) -> (Settings, History) {
    let settings = Settings {
        devices: 3,
        users: 1,
        days: 3,
        edits_per_day: Thousandths(9000),
        skew_s: 7200,
        resources: 3,
        seed,
        mix: "note-text=4,note-ranges=2,collection-name=2,position=3,new-note=1,new-bookmark=1,delete-note=1"
            .parse()
            .expect("a mix"),
        ..Settings::default()
    };
    let history = History::of_user(&settings, 0);
    (settings, history)
}

/// Whatever happens, in the end every device holds what the server holds, and nothing was ever refused but by 409.
#[test]
fn in_the_end_all_agree() {
    for seed in 0..8 {
        let (settings, history) = random(seed);
        let beginning = Beginning::new(settings.resources);
        for strategy in Strategy::ALL {
            for (hours, bases) in [(1, false), (6, true), (24, false)] {
                let mut world =
                    World::new(&beginning, &history, Rules { strategy, interval: hours * DAY / 24, bases });
                world.play(&history, &Progress::default());
                assert!(world.agree(), "seed {seed}, {strategy}, {hours} h");
                assert_eq!(world.tally.refused, 0, "seed {seed}, {strategy}, {hours} h");
                for phone in &world.phones {
                    for kind in Kind::KNOWN {
                        let mut own: Vec<(ResourceId, Value)> = phone
                            .rows
                            .iter()
                            .filter(|((of, _), _)| *of == kind)
                            .map(|((_, id), row)| (id.clone(), Value::Object((*row.seen).clone())))
                            .collect();
                        own.sort_by(|(a, _), (b, _)| a.cmp(b));
                        let mut server = world.model.live(&kind);
                        server.sort_by(|(a, _), (b, _)| a.cmp(b));
                        assert_eq!(own, server, "seed {seed}, {strategy}, {hours} h, {}", kind.wire());
                    }
                }
            }
        }
    }
}

/// The simulation's own sync leaves the server as the push machine does, from the same state, with the same strategy.
#[test]
fn a_sync_does_what_the_push_machine_does() {
    let mut compared = 0;
    for seed in 0..12 {
        let (settings, history) = random(1000 + seed);
        let beginning = Beginning::new(settings.resources);
        for strategy in [Strategy::ServerWins, Strategy::ClientWins, Strategy::LastWriteWins] {
            let rules = Rules { strategy, interval: DAY / 4, bases: seed % 2 == 0 };
            let mut world = World::new(&beginning, &history, rules);
            for (step, edit) in history.edits.iter().enumerate() {
                world.edit(edit);
                if step % 7 != 6 {
                    continue;
                }
                let number = step / 7 % world.phones.len();
                let phone = &world.phones[number];
                if phone.queue.is_empty() || phone.cursor == world.model.head() {
                    world.sync(number, edit.at);
                    continue;
                }
                let pushed = by_the_machine(&world, number, edit.at);
                world.sync(number, edit.at);
                for kind in Kind::KNOWN {
                    assert_eq!(
                        world.model.live(&kind),
                        pushed.live(&kind),
                        "seed {seed}, {strategy}, step {step}"
                    );
                }
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

fn pulled(world: &World, since: Cursor) -> Window {
    world.window(since, feed(&world.model, since).iter().filter_map(served).collect())
}

/// The server after the push machine has pushed what the device holds.
fn by_the_machine(world: &World, number: usize, at: i64) -> Model {
    let mut model = world.model.clone();
    let now = world.phones[number].clock(at);
    let inspection = world.inspect(number, pulled(world, world.phones[number].cursor));
    let mut resolution = Resolution::default();
    let strategy = world.rules.strategy;
    resolution.choose(
        strategy.name(),
        strategy::choices_for_all(&inspection, &Resolution::default(), strategy, |_| true),
    );
    let options = Options { rule: Some(strategy), ..Options::default() };
    let mut push = Push::new(Planned::new(Arc::new(inspection), resolution, now), options, now);
    let mut next = push.start();
    loop {
        let got = match next {
            Do::Journal(_) => Got::Journaled,
            Do::Authorize(_) => Got::Authorized(false),
            Do::Wait { .. } => Got::Waited,
            Do::Post { head, mutations } => {
                let mutations: Vec<Value> = mutations.iter().map(wire).collect();
                let posted = model.post(Millis(START.0 + at), Caller::with_all_scopes(APP), head, &mutations);
                Got::Posted(match posted {
                    Ok(applied) => {
                        let body = Text::new(applied.to_json().to_string());
                        PushPosted::Answer(read_post(&ResponseHead::ok(), &body).expect("an answer"))
                    }
                    Err(refusal) => {
                        let head = ResponseHead { status: refusal.reason.status(), ..ResponseHead::ok() };
                        let body = refusal.body(Shape::Documented, "r").to_string();
                        PushPosted::Refused(DomainRefusal::read(&head, &body))
                    }
                })
            }
            Do::Pull { since } => {
                let world = World { model: model.clone(), ..world.clone() };
                Got::Pulled(Ok(pulled(&world, since)))
            }
            Do::Finish(outcome) => {
                assert!(matches!(outcome.end, End::Done), "{:?}", outcome.end);
                return model;
            }
        };
        next = push.got(got, now);
    }
}
