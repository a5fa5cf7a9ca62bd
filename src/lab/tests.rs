//! Event scripts of the simulation's screen.

use crossterm::event::{KeyCode, KeyModifiers};

use super::*;
use crate::simulate::{Act as Edited, Progress, Thousandths, simulate};

fn key(code: KeyCode) -> Event {
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn press(lab: &mut Lab, c: char) -> Option<Wish> {
    lab.update(key(KeyCode::Char(c)))
}

/// A lab whose first simulation is done.
pub(crate) fn done(size: (u16, u16)) -> Lab {
    let settings = Settings {
        devices: 10,
        users: 5,
        days: 4,
        edits_per_day: Thousandths(6000),
        resources: 3,
        intervals: vec![Interval(1800), Interval(4 * 3600), Interval(86_400)],
        ..Settings::default()
    };
    let (mut lab, wish) = Lab::new(settings, size);
    let Wish::Simulate(run, settings) = wish else { panic!("{wish:?}") };
    let simulation =
        simulate(&settings, 1, &Progress::default()).expect("it can be").expect("nobody stopped it");
    lab.update(Event::Done(run, Some(Box::new(simulation))));
    lab
}

#[test]
fn no_key_means_two_things() {
    let mut seen = Vec::new();
    for bound in KEYS {
        for key in bound.keys {
            assert!(!seen.contains(key), "{key:?}");
            seen.push(*key);
        }
    }
}

#[test]
fn a_setting_is_turned_and_simulated_when_asked_for() {
    let mut lab = done((120, 40));
    assert!(!lab.is_stale());
    assert_eq!(press(&mut lab, 'l'), None);
    assert_eq!(lab.settings.devices, 20);
    assert!(lab.is_stale());
    let wish = press(&mut lab, 'r');
    assert!(matches!(&wish, Some(Wish::Simulate(Run(2), settings)) if settings.devices == 20), "{wish:?}");
    assert_eq!(press(&mut lab, 'h'), None);
    assert!(!lab.is_stale(), "back to what is shown");
}

#[test]
fn nothing_is_turned_to_where_it_cannot_be_simulated() {
    let mut lab = done((120, 40));
    for (at, knob) in Knob::ALL.into_iter().enumerate() {
        lab.knob = at;
        for c in ['h', 'l'] {
            for _ in 0..80 {
                press(&mut lab, c);
                assert_eq!(lab.settings.check(), Ok(()), "{}", knob.name());
            }
        }
    }
}

#[test]
fn an_answer_to_an_older_question_is_dropped() {
    let mut lab = done((120, 40));
    let before = lab.simulation.clone();
    press(&mut lab, 'r');
    press(&mut lab, 'r');
    let of = 5 * 3 * 4;
    assert_eq!(lab.under_way, Some(UnderWay { run: Run(3), done: 0, of }));
    lab.update(Event::Progress(Run(2), 4));
    lab.update(Event::Done(Run(2), None));
    assert_eq!(lab.under_way, Some(UnderWay { run: Run(3), done: 0, of }));
    lab.update(Event::Progress(Run(3), 4));
    assert_eq!(lab.under_way, Some(UnderWay { run: Run(3), done: 4, of }));
    assert_eq!(lab.update(key(KeyCode::Esc)), Some(Wish::Stop));
    assert_eq!((lab.under_way, &lab.simulation), (None, &before), "what was there stays");
}

#[test]
fn views_go_round() {
    let mut lab = done((120, 40));
    for _ in 0..Metric::ALL.len() {
        press(&mut lab, 'm');
    }
    assert_eq!(lab.metric, 0);
    press(&mut lab, 'M');
    assert_eq!(lab.metric(), Metric::Turned);
    for _ in 0..3 {
        press(&mut lab, 'i');
    }
    assert_eq!(lab.row, 0);
    press(&mut lab, 's');
    assert_eq!(lab.strategy, 1);
    assert_eq!(press(&mut lab, 'q'), Some(Wish::Quit));
}

#[test]
fn the_help_is_scrolled_and_put_away() {
    let mut lab = done((50, 16));
    press(&mut lab, '?');
    press(&mut lab, 'j');
    press(&mut lab, 'j');
    press(&mut lab, 'k');
    assert_eq!((lab.help, lab.knob), (Some(1), 0));
    for _ in 0..100 {
        press(&mut lab, 'j');
    }
    assert_eq!(lab.help, Some(KEYS.len() + 2 * Metric::ALL.len()), "the last line stays in view");
    press(&mut lab, 'm');
    assert_eq!((lab.help, lab.metric), (None, 0), "the key only puts the help away");
}

/// Where there is room for one chart, the key that changes a chart shows it.
#[test]
fn the_chart_that_a_key_changes_is_shown() {
    let mut lab = done((50, 16));
    assert_eq!(lab.view, View::Chart);
    for (key, view) in [('i', View::Bars), ('j', View::Bars), ('s', View::Stretches), ('m', View::Chart)] {
        press(&mut lab, key);
        assert_eq!(lab.view, view, "{key}");
    }
}

#[test]
fn control_keys_leave_for_good_or_for_a_while() {
    let mut lab = done((80, 24));
    let control = |c| Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
    assert_eq!(lab.update(control('z')), Some(Wish::Suspend));
    assert_eq!(lab.update(control('c')), Some(Wish::Quit));
    press(&mut lab, '?');
    assert_eq!(lab.update(control('c')), Some(Wish::Quit), "out of the help, too");
    assert_eq!(lab.update(control('m')), None);
    assert_eq!(lab.metric, 0);
    assert_eq!(lab.update(Event::Term), Some(Wish::Quit));
}

/// A weight of the mix is a setting as any other, and the last one cannot be turned to nothing.
#[test]
fn the_mix_is_turned_by_weights() {
    let mut lab = done((120, 40));
    lab.settings.mix = "position=10".parse().expect("a mix");
    lab.knob = Knob::ALL.iter().position(|knob| *knob == Knob::Weight(Edited::NoteText)).expect("a knob");
    press(&mut lab, 'l');
    assert_eq!(lab.settings.mix.to_string(), "note-text=5,position=10");
    lab.knob += 3;
    for _ in 0..4 {
        press(&mut lab, 'h');
    }
    assert_eq!(lab.settings.mix.to_string(), "note-text=5");
    lab.knob -= 3;
    press(&mut lab, 'h');
    assert_eq!(lab.settings.mix.to_string(), "note-text=5");
    assert_eq!(lab.status.as_deref(), Some("note-text goes no further"));
}

/// Five stretches of 0, 10, 19, 20 and 39 s in four parts of 10 s.
#[test]
fn stretches_are_counted_by_their_length() {
    let tally = Tally { apart_s: vec![0, 10, 19, 20, 39], ..Tally::default() };
    assert_eq!(stretches(&tally, 4), (vec![1, 2, 1, 1], 39));
    assert_eq!(stretches(&Tally::default(), 3), (vec![0, 0, 0], 0));
}

/// What the charts show are the numbers of the table.
#[test]
fn measures_are_the_numbers_of_the_table() {
    let tally = Tally {
        edits: 500,
        syncs: 100,
        pushes: 50,
        conflicts: 5,
        divergences: 2,
        lost_device: 3,
        asked: 4,
        extra: 6,
        turned: 1,
        apart_s: vec![3600, 7200, 10_800],
        ..Tally::default()
    };
    let shown = |metric: Metric| format!("{:.1}", metric.of(&tally));
    let all = Metric::ALL.map(shown);
    assert_eq!(all, ["6.0", "10.0", "5.0", "4.0", "8.0", "12.0", "2.0", "2.0"]);
}
