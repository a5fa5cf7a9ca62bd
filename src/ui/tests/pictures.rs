//! One picture of each screen at each size.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::app::Event;
use crate::app::tests::fixing::POISON;
use crate::app::tests::pushing::{end, pushing};
use crate::app::tests::sample::{self, DEVICE, EMPTY_PULL, PULL, TWIN_PULL, TWINS, inspecting};
use crate::app::tests::{failure, history, play, type_text};
use crate::domain::mutation::Cursor;
use crate::domain::phone::{Forecast, Verdict};
use crate::domain::push::{End, Note, Quarantined};
use crate::domain::window::PullStep;

/// Takes a picture of the screen at every size.
fn at_every_size(name: &str, make: impl Fn((u16, u16)) -> App) {
    for size in SIZES {
        let app = make(size);
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_snapshot_path("../snapshots");
        settings.bind(|| insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), picture(&app)));
    }
}

fn inspector(size: (u16, u16)) -> App {
    inspecting(DEVICE, PULL, size)
}

#[test]
fn list() {
    at_every_size("list", inspector);
}

#[test]
fn detail() {
    at_every_size("detail", |size| {
        let mut app = inspector(size);
        play(&mut app, "Enter d n b k");
        app
    });
}

#[test]
fn deleted_on_one_side() {
    at_every_size("delete", |size| {
        let mut app = inspector(size);
        play(&mut app, "n n Right Right");
        app
    });
}

#[test]
fn the_same_note_twice() {
    at_every_size("twins", |size| {
        let mut app = inspecting(TWINS, TWIN_PULL, size);
        play(&mut app, "Right Right");
        app
    });
}

#[test]
fn diff() {
    at_every_size("diff", |size| {
        let mut app = inspector(size);
        play(&mut app, "Enter Enter");
        app
    });
}

#[test]
fn preview() {
    at_every_size("preview", |size| {
        let mut app = inspector(size);
        play(&mut app, "Enter d n b n d p n n n j j");
        app
    });
}

#[test]
fn exchange() {
    at_every_size("exchange", |size| {
        let mut app = pushing(size);
        for note in [
            Note::Sending { post: 1, mutations: 2, head: Cursor::read(200) },
            Note::Refused { post: 1, status: 409, code: Some(String::from("OutOfSyncError")) },
            Note::Pulling { since: Cursor::read(200) },
            Note::Pulled { head: Cursor::read(210), new: 1 },
            Note::Sending { post: 2, mutations: 2, head: Cursor::read(210) },
        ] {
            app.update(Event::Push(note));
        }
        play(&mut app, "T");
        app
    });
}

#[test]
fn conflict_log() {
    let said = || crate::app::Said::of(history::summary(), false);
    at_every_size("log", |size| history::told(size, said()));
    at_every_size("log-more", |size| {
        let mut app = history::told(size, said());
        play(&mut app, "n n");
        app
    });
    at_every_size("log-off", |size| history::told(size, crate::app::Said::Off));
}

#[test]
fn the_four_strategies() {
    at_every_size("strategies", |size| {
        let mut app = inspector(size);
        play(&mut app, "v l n j j");
        app
    });
}

#[test]
fn the_ledger_behind_a_cell() {
    at_every_size("ledger", |size| {
        let mut app = inspector(size);
        play(&mut app, "v j j Enter");
        app
    });
}

#[test]
fn one_side_for_the_whole_resource() {
    at_every_size("whole", |size| {
        let mut app = inspector(size);
        play(&mut app, "n n a");
        app
    });
}

#[test]
fn help() {
    at_every_size("help", |size| {
        let mut app = inspector(size);
        play(&mut app, "?");
        app
    });
}

#[test]
fn editor() {
    at_every_size("editor", |size| {
        let mut app = inspector(size);
        play(&mut app, "e Enter");
        type_text(&mut app, "a third \u{202E}line");
        app
    });
}

#[test]
fn what_would_be_refused() {
    at_every_size("refused", |size| inspecting(POISON, EMPTY_PULL, size));
    at_every_size("fix", |size| {
        let mut app = inspecting(POISON, EMPTY_PULL, size);
        play(&mut app, "f");
        type_text(&mut app, "🤲");
        play(&mut app, "^s");
        app
    });
}

#[test]
fn menu_and_question() {
    at_every_size("menu", |size| {
        let mut app = inspector(size);
        play(&mut app, "m j");
        app
    });
    at_every_size("question", |size| {
        let mut app = inspector(size);
        play(&mut app, "Enter d q");
        app
    });
}

#[test]
fn empty_filter() {
    at_every_size("empty-filter", |size| {
        let mut app = inspector(size);
        play(&mut app, "/");
        type_text(&mut app, "nowhere");
        app
    });
}

#[test]
fn error() {
    at_every_size("error", |size| {
        let mut app = inspector(size);
        play(&mut app, "r");
        app.update(Event::PullFailed(failure()));
        app
    });
}

#[test]
fn why() {
    at_every_size("why", |size| {
        let mut app = inspector(size);
        play(&mut app, "w");
        app
    });
}

#[test]
fn connecting() {
    at_every_size("connecting", |size| {
        let mut app = sample::start(DEVICE, size);
        let (cursor, head) = (Cursor::read(100), Cursor::read(200));
        for note in [
            PullStep::AskedPage { since: cursor, page: 1 },
            PullStep::Page { page: 1, mutations: 1000, unreadable: 0, total: Some(1300), head, more: true },
            PullStep::AskedPage { since: cursor, page: 2 },
        ] {
            app.update(Event::Pull(note));
        }
        app
    });
}

#[test]
fn pushing_it() {
    at_every_size("pushing", |size| {
        let mut app = pushing(size);
        let (head, next) = (Cursor::read(200), Cursor::read(230));
        for note in [
            Note::Sending { post: 1, mutations: 1, head },
            Note::Lost { post: 1 },
            Note::Pulling { since: head },
            Note::Pulled { head, new: 0 },
            Note::Sending { post: 1, mutations: 1, head },
            Note::Acknowledged { post: 1, mutations: 1, head: next },
        ] {
            app.update(Event::Push(note));
        }
        app
    });
}

#[test]
fn ended() {
    at_every_size("ended", |size| {
        let mut app = pushing(size);
        let end = end(&app, End::Done);
        app.update(Event::PushEnded(end));
        app
    });
    at_every_size("left", |size| {
        let mut app = pushing(size);
        let mut end = end(&app, End::Left);
        let message = String::from("mutation[0]: \"lastMutationAt\" is required");
        end.outcome.quarantined = vec![Quarantined { ids: vec!["q4".into()], message }];
        app.update(Event::PushEnded(end));
        app
    });
}

/// What is on the server does not mend the phone: no row may say that it is in step while the forecast says otherwise.
#[test]
fn a_phone_that_still_stops_is_never_told_as_in_step() {
    for size in SIZES {
        for verdict in Verdict::ALL {
            let mut app = pushing(size);
            let mut end = end(&app, End::Done);
            let phone = (*app.bench().expect("an inspection").inspection.device).clone();
            end.outcome.device.phone = Some(Arc::new(phone));
            end.recovery = Some(Forecast { verdict, stops: Vec::new(), loses: BTreeMap::new() });
            app.update(Event::PushEnded(end));
            let seen = text(&frame(&app, Theme::Plain));
            let recovers = verdict == Verdict::ByItself;
            assert!(!seen.contains("in step"), "{size:?} {verdict:?}\n{seen}");
            assert_eq!(seen.contains("Nothing stands against"), recovers, "{size:?} {verdict:?}\n{seen}");
            assert_eq!(seen.contains("phone still stops"), !recovers, "{size:?} {verdict:?}\n{seen}");
        }
    }
}

#[test]
fn a_token_is_asked_for() {
    at_every_size("token", |size| {
        let mut app = pushing(size);
        app.update(Event::TokenWanted(crate::app::Failure {
            what: String::from("401 unauthorized: The access token has expired (request req-7)"),
            where_: String::from("https://h.example/v1/sync"),
            next: String::new(),
            request_id: None,
        }));
        app.update(Event::Paste(String::from("hunter2-hunter2")));
        assert!(!text(&frame(&app, Theme::Plain)).contains("hunter"));
        app
    });
}
