//! The conflict log on the screen.

use super::sample::NOW;
use super::*;
use crate::conflict_log::event::day;
use crate::conflict_log::summary::{Advice, Count, INTERVALS, Interval, Summary};

/// Some weeks of a support desk.
pub(crate) fn summary() -> Summary {
    let counts = |values: &[(&str, u64)]| {
        values.iter().map(|(value, count)| Count { value: (*value).to_owned(), count: *count }).collect()
    };
    let today = day(NOW.0);
    let avoided = [57, 52, 50, 46, 40, 33, 21, 14, 9, 4, 1];
    Summary {
        conflicts: 64,
        resolved: 48,
        median_ms: Some(7_500_000),
        inspections: 31,
        caught: 19,
        pushes: 22,
        posts: 40,
        refused: 6,
        days: [(40, 3), (33, 11), (31, 2), (20, 17), (12, 6), (5, 9), (1, 12), (0, 4)]
            .map(|(ago, count)| (today - ago, count))
            .to_vec(),
        devices: counts(&[("tablet-b", 31), ("\u{202E}phone\u{1B}[31m", 20), ("جهاز", 9), ("desk", 4)]),
        kinds: counts(&[("NOTE", 37), ("COLLECTION", 14), ("BOOKMARK", 9), ("READING_SESSION", 4)]),
        shapes: counts(&[("update/update", 50), ("update/delete", 9), ("create/create", 5)]),
        causes: counts(&[
            ("concurrent-mutations", 64),
            ("another-device-synced", 51),
            ("clock-skew", 9),
            ("missed-header", 4),
            ("sdk-abort:a-very-long-name-of-a-cause", 3),
            ("auth", 1),
        ]),
        choices: counts(&[("device", 23), ("server", 15), ("both", 7), ("edited", 3)]),
        strategies: counts(&[("hand", 30), ("server-wins", 11), ("merge", 7)]),
        gaps: 58,
        intervals: INTERVALS
            .iter()
            .zip(avoided)
            .map(|(every_ms, avoided)| Interval { every_ms: *every_ms, avoided })
            .collect(),
        advice: Some(Advice { percent: 80, every_ms: 1_620_000 }),
    }
}

/// A screen on which the log has said this.
pub(crate) fn told(size: (u16, u16), said: Said) -> App {
    let mut app = inspecting(DEVICE, PULL, size);
    let asked = asked(&play(&mut app, "L"));
    app.update(Event::History { job: asked.0, said });
    app
}

fn asked(effects: &[Effect]) -> (Job, Option<i64>, u8) {
    match effects {
        [Effect::History { job, since, percent, .. }] => (*job, *since, *percent),
        other => panic!("{other:?}"),
    }
}

fn view(app: &App) -> &History {
    app.history().expect("the log is open")
}

#[test]
fn the_log_is_asked_outside_and_its_answer_shown() {
    let mut app = app();
    let (job, since, percent) = asked(&play(&mut app, "L"));
    assert_eq!((since, percent), (None, 80));
    assert!(view(&app).sentence().is_some_and(|text| text.contains("being read")));
    app.update(Event::History { job, said: Said::of(summary(), false) });
    assert_eq!((view(&app).sentence(), view(&app).job), (None, None));
    assert!(play(&mut app, "Esc").is_empty());
    assert!(app.history().is_none());
    // An answer that comes when the log is closed belongs to nobody.
    app.update(Event::History { job, said: Said::Off });
    assert!(app.overlays().is_empty());
}

#[test]
fn other_days_and_another_share_are_asked_for_and_older_answers_dropped() {
    let mut app = told((120, 36), Said::of(summary(), false));
    let today = day(NOW.0);
    let (stale, since, _) = asked(&play(&mut app, "t"));
    assert_eq!(since, Some(today - 90));
    let (job, since, percent) = asked(&play(&mut app, "a"));
    assert_eq!((since, percent), (Some(today - 90), 90));
    app.update(Event::History { job: stale, said: Said::Off });
    assert!(matches!(view(&app).said, Some(Said::Told { .. })), "what was there stays until then");
    app.update(Event::History { job, said: Said::Empty });
    assert_eq!(view(&app).said, Some(Said::Empty));
    let spans: Vec<Option<i64>> = (0..3).map(|_| asked(&play(&mut app, "t")).1).collect();
    assert_eq!(spans, [Some(today - 30), Some(today - 7), None]);
    let shares: Vec<u8> = (0..4).map(|_| asked(&play(&mut app, "a")).2).collect();
    assert_eq!(shares, [95, 100, 50, 80]);
}

#[test]
fn why_there_are_no_charts_is_said_in_a_sentence() {
    for (said, words) in [
        (Said::Off, "--no-log"),
        (Said::of(Summary::default(), false), "Nothing was logged yet"),
        (Said::Failed(String::from("the conflict log /x cannot be used.")), "/x cannot be used"),
    ] {
        let app = told((80, 24), said);
        let sentence = view(&app).sentence().expect("a sentence");
        assert!(sentence.contains(words) && sentence.ends_with('.'), "{sentence}");
    }
    let mut app = told((80, 24), Said::of(summary(), false));
    let (job, ..) = asked(&play(&mut app, "t"));
    app.update(Event::History { job, said: Said::Empty });
    assert_eq!(
        view(&app).sentence().as_deref(),
        Some("Nothing was logged in the last 90 days. t looks further back.")
    );
}

#[test]
fn charts_that_do_not_fit_are_turned_to() {
    let mut app = told((80, 24), Said::of(summary(), false));
    assert_eq!((view(&app).pages(), view(&app).page.offset()), (3, 0));
    play(&mut app, "n n");
    assert_eq!(view(&app).page.offset(), 2);
    play(&mut app, "n");
    assert_eq!(status(&app), "these are the last charts");
    play(&mut app, "k N");
    assert_eq!(view(&app).page.offset(), 0);
    let mut wide = told((160, 50), Said::of(summary(), false));
    play(&mut wide, "n");
    assert_eq!(status(&wide), "all charts are in view");
    assert_eq!(told((50, 16), Said::of(summary(), false)).history().map(History::pages), Some(8));
}

#[test]
fn the_totals_say_what_the_summary_holds() {
    let totals = History::totals(&summary());
    assert_eq!(
        totals,
        [
            "64 conflicts, 48 settled",
            "409 rate: 15.0 % (6 of 40 POSTs)",
            "median to settle: 2 h 5 min",
            "22 pushes",
            "31 inspections with a divergence, 19 after a 409"
        ]
    );
    assert_eq!(History::advice(&summary()).as_deref(), Some("To avoid 80 %: a sync at least every 27 min."));
    let soon = Summary { advice: Some(Advice { percent: 100, every_ms: 999 }), ..summary() };
    assert!(History::advice(&soon).is_some_and(|text| text.contains("No interval avoids 100 %")));
}

#[test]
fn the_teams_log_is_asked_in_place_of_this_machines_and_back() {
    let mut app = told((120, 36), Said::of(summary(), false));
    for expected in [true, false] {
        match play(&mut app, "T").as_slice() {
            [Effect::History { team, .. }] => assert_eq!(*team, expected),
            other => panic!("{other:?}"),
        }
        assert_eq!(view(&app).said, None, "numbers of one log never stand under the other's name");
    }
}
