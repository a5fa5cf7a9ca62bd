//! The push on the screen: progress, stopping, leaving, and every way in which it ends.

use std::sync::Arc;

use super::sample::{DEVICE, NOW, PULL, inspecting};
use super::*;
use crate::domain::answer::{Refusal, ResponseHead};
use crate::domain::mutation::Cursor;
use crate::domain::plan;
use crate::domain::push::{Course, End, Note, Outcome};
use crate::domain::rebase::Reopened;
use crate::domain::resolution::{By, Chosen};

/// An app in which a push is under way.
pub(crate) fn pushing(size: (u16, u16)) -> App {
    let mut app = inspecting(DEVICE, PULL, size);
    play(&mut app, "1 p");
    let effects = play(&mut app, "y");
    assert!(matches!(effects.as_slice(), [Effect::Push { .. }]));
    app
}

/// An end, the rest as it would be.
pub(crate) fn end(app: &App, end: End) -> Box<PushEnd> {
    let bench = app.bench().expect("an inspection");
    let done = matches!(end, End::Done);
    let mut device = (*bench.inspection.device).clone();
    if done {
        device.sync.cursor = Some(Cursor::read(230));
    }
    Box::new(PushEnd {
        outcome: Outcome {
            end,
            device,
            head: Cursor::read(230),
            cursor_moved: done,
            sent: Vec::new(),
            quarantined: Vec::new(),
            arrived: Vec::new(),
            held: Vec::new(),
            dropped: Vec::new(),
            differences: Vec::new(),
            course: Course::default(),
            applied: 5,
            inspection: Arc::clone(&bench.inspection),
            resolution: bench.resolution.clone(),
            posts: 1,
            pulls: 1,
            ledger: plan::plan(&bench.inspection, &bench.resolution, NOW).ledger,
        },
        written: Some("/tmp/tablet.json".into()),
        backup: Some("/tmp/tablet.json.before".into()),
        report: None,
        failure: None,
    })
}

#[test]
fn progress_is_what_was_acknowledged() {
    let mut app = pushing((120, 36));
    app.update(Event::Push(Note::Sending { post: 1, of: 2, mutations: 1, head: Cursor::read(200) }));
    app.update(Event::Push(Note::Acknowledged { post: 1, mutations: 1, head: Cursor::read(230) }));
    let Phase::Pushing(pushing) = app.phase() else { panic!("a push") };
    assert_eq!((pushing.acknowledged, pushing.notes.len()), (1, 2));
    assert_eq!(pushing.planned, 1);
}

#[test]
fn a_push_can_be_stopped_between_posts() {
    let mut app = pushing((120, 36));
    let effects = play(&mut app, "x");
    assert!(matches!(effects.as_slice(), [Effect::CancelPush]));
    assert!(play(&mut app, "x").is_empty());
    assert_eq!(status(&app), "it stops as soon as this answer is there");
    app.update(Event::PushEnded(end(&app, End::Cancelled)));
    assert_eq!(app.place(), Place::Ended);
}

#[test]
fn leaving_a_push_waits_for_the_answer_or_says_what_is_unknown() {
    let mut app = pushing((120, 36));
    play(&mut app, "q");
    let effects = play(&mut app, "y");
    assert!(matches!(effects.as_slice(), [Effect::CancelPush]));
    let effects = play(&mut app, "q y");
    assert!(matches!(effects.as_slice(), [Effect::Quit(ExitCode::Unknown)]));
    let ended = end(&app, End::Cancelled);
    let effects = app.update(Event::PushEnded(ended));
    assert!(matches!(effects.as_slice(), [Effect::Quit(ExitCode::Open)]));
}

#[test]
fn every_end_has_its_words_and_its_exit_code() {
    let refusal = || Refusal::read(&ResponseHead::ok(), "{}");
    let ends = [
        (End::Done, ExitCode::Done),
        (End::Left, ExitCode::Open),
        (End::Refused(refusal()), ExitCode::Refused),
        (End::Unreachable(String::from("connection refused")), ExitCode::Refused),
        (
            End::Unknown { in_doubt: vec!["q1".into()], why: String::from("two look the same") },
            ExitCode::Unknown,
        ),
        (End::HeadKeepsMoving, ExitCode::Open),
        (End::Cancelled, ExitCode::Open),
    ];
    for (how, exit) in ends {
        let mut app = pushing((120, 36));
        app.update(Event::PushEnded(end(&app, how)));
        assert_eq!(app.place(), Place::Ended);
        let effects = play(&mut app, "q");
        assert!(matches!(effects.as_slice(), [Effect::Quit(code)] if *code == exit), "{effects:?}");
        let effects = play(&mut app, "Enter");
        assert!(matches!(effects.as_slice(), [Effect::Pull]));
        assert_eq!(app.place(), Place::Connecting);
    }
}

#[test]
fn what_was_reopened_is_shown_before_anything_else() {
    let mut app = pushing((120, 36));
    let reopened = Reopened {
        pair: PairId(1),
        path: FieldPath::existence(),
        was: Chosen { choice: Choice::Server, by: By::Hand },
        why: "what the server did changed",
    };
    app.update(Event::PushEnded(end(&app, End::Reopened(vec![reopened]))));
    assert_eq!(app.place(), Place::Failure);
    play(&mut app, "Esc");
    assert_eq!(title(&app), "Ramadan");
}

#[test]
fn minus_one_is_sent_only_when_a_person_says_so() {
    let refusal = Refusal::read(&ResponseHead::ok(), "{}");
    let mut app = pushing((120, 36));
    app.update(Event::PushEnded(end(&app, End::FirstSync(refusal.clone()))));
    assert!(matches!(app.overlays().last(), Some(Overlay::Question(Question::FirstSync))));
    assert!(play(&mut app, "Esc").is_empty());
    assert_eq!(app.place(), Place::List);
    let mut app = pushing((120, 36));
    app.update(Event::PushEnded(end(&app, End::FirstSync(refusal))));
    let effects = play(&mut app, "y");
    assert!(matches!(effects.as_slice(), [Effect::Push { retry_first_sync: true, .. }]));
}

#[test]
fn a_report_is_written_after_the_push_and_its_place_is_told() {
    let mut app = pushing((120, 36));
    app.update(Event::PushEnded(end(&app, End::Done)));
    assert!(matches!(play(&mut app, "w").as_slice(), [Effect::Report { redact: false }]));
    assert!(matches!(play(&mut app, "W").as_slice(), [Effect::Report { redact: true }]));
    app.update(Event::Reported(Ok("/tmp/tablet.json.report.md".into())));
    assert_eq!(status(&app), "the report is in /tmp/tablet.json.report.md");
    let Phase::Ended(ended) = app.phase() else { panic!("an end") };
    assert!(ended.page.paragraphs().any(|text| text.ends_with("/tmp/tablet.json.report.md")));
    let failure = Failure {
        what: String::from("cannot write the report"),
        where_: String::new(),
        next: String::from("Make room"),
        request_id: None,
    };
    app.update(Event::Reported(Err(failure)));
    assert_eq!(app.place(), Place::Failure);
}
