//! The push on the screen: progress, stopping, leaving, and every way in which it ends.

use std::sync::Arc;

use super::sample::{DEVICE, NOW, PULL, inspecting, start};
use super::*;
use crate::domain::again::Again;
use crate::domain::answer::{Refusal, ResponseHead};
use crate::domain::mutation::{Cursor, Kind, Millis, Op};
use crate::domain::plan;
use crate::domain::push::{Course, End, Note, Outcome, Sent};
use crate::domain::rebase::Reopened;
use crate::domain::resolution::{By, Chosen};
use crate::domain::window::PullStep;
use crate::unwritten::{Lies, Unwritten};

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
            beyond: Vec::new(),
            ledger: plan::plan(&bench.inspection, &bench.resolution, NOW).ledger,
        },
        written: Some("/tmp/tablet.json".into()),
        unwritten: None,
        backup: Some("/tmp/tablet.json.before".into()),
        report: None,
        left_out: Vec::new(),
        recovery: None,
        failure: None,
    })
}

#[test]
fn progress_is_what_was_acknowledged() {
    let mut app = pushing((120, 36));
    app.update(Event::Push(Note::Sending { post: 1, mutations: 1, head: Cursor::read(200) }));
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
        (End::NotJournaled(String::from("the disk is full")), ExitCode::Open),
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

/// Without a screen there is no key to press: what comes next is a command, or said in words. A server that answered
/// with a failure was reached.
#[test]
fn on_paper_every_end_names_commands_and_no_keys() {
    let app = pushing((120, 36));
    let again = Again::live("my tablet.json", &[("--server", "http://127.0.0.1:1")]);
    let failed = Refusal::read(&ResponseHead { status: 500, ..ResponseHead::ok() }, "{}");
    let ends = [
        (End::Done, "The sync went through"),
        (End::Left, "unstick open 'my tablet.json' --server http://127.0.0.1:1"),
        (End::Reopened(Vec::new()), "unstick open 'my tablet.json' --server http://127.0.0.1:1"),
        (End::FirstSync(failed.clone()), "--retry-first-sync"),
        (End::Refused(failed), "The server failed"),
        (End::Unreachable(String::from("connection refused")), "The server cannot be reached"),
        (
            End::Unknown { in_doubt: vec!["q1".into()], why: String::from("lost") },
            "unstick resume 'my tablet.json'",
        ),
        (End::HeadKeepsMoving, "the same command"),
        (End::NotJournaled(String::from("the disk is full")), "Make room on the disk"),
        (End::Cancelled, "The same command goes on"),
    ];
    for (how, said) in ends {
        let word = how.word();
        let (page, _) = story::ended(&end(&app, how), &story::Told::Paper(&again));
        let text = page.paragraphs().collect::<Vec<_>>().join("\n");
        assert!(text.contains(said), "{word}: {text}");
        for key in ["Enter", "p and y", "r pulls", "e edits"] {
            assert!(!text.contains(key), "{word}: {text}");
        }
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

#[test]
fn a_file_that_was_not_written_is_told_before_anything_else() {
    for how in [
        End::Done,
        End::Left,
        End::Cancelled,
        End::Unknown { in_doubt: Vec::new(), why: String::from("lost") },
    ] {
        let mut app = pushing((120, 36));
        let mut ended = end(&app, how);
        ended.written = None;
        ended.unwritten = Some(Unwritten {
            why: String::from("cannot write /somewhere/tablet.json: no space left on device"),
            result: Lies::Beside("/somewhere/tablet.json.unstick-result.json".into()),
            ask: false,
        });
        app.update(Event::PushEnded(ended));
        let Phase::Ended(ended) = app.phase() else { panic!("an end") };
        assert_eq!(ended.exit, ExitCode::NotWritten);
        let told: Vec<&str> = ended.page.paragraphs().collect();
        assert_eq!(told.first(), Some(&"Sent, but the device file could not be written"));
        let told = told.join("\n");
        assert!(
            told.contains("tablet.json.unstick-result.json") && told.contains("do not let the app sync"),
            "{told}"
        );
        assert!(!told.contains("nothing to push") && !told.contains("Put the device file back"), "{told}");
    }
}

#[test]
fn what_is_recorded_names_files_and_no_folder() {
    let mut app = pushing((120, 36));
    app.start.recorded = true;
    let mut ended = end(&app, End::Done);
    ended.written = Some("/home/somebody/tablet.json".into());
    ended.backup = Some("/home/somebody/tablet.json.backup".into());
    app.update(Event::PushEnded(ended));
    app.update(Event::Reported(Ok("/home/somebody/tablet.json.report.md".into())));
    let Phase::Ended(ended) = app.phase() else { panic!("an end") };
    let told: Vec<&str> = ended.page.paragraphs().collect();
    for line in
        ["device file: tablet.json", "backup, beside it: tablet.json.backup", "report: tablet.json.report.md"]
    {
        assert!(told.contains(&line), "{line} in {told:?}");
    }
    assert!(!told.iter().any(|text| text.contains("somebody")) && !status(&app).contains("somebody"));
}

fn refused_token() -> Failure {
    Failure {
        what: String::from("401 unauthorized: the access token has expired"),
        where_: String::new(),
        next: String::from("Put a fresh token somewhere"),
        request_id: None,
    }
}

/// The token among the effects.
fn given(effects: &[Effect]) -> Option<String> {
    use secrecy::ExposeSecret as _;
    effects.iter().find_map(|effect| match effect {
        Effect::Token(Some(token)) => Some(token.expose_secret().to_owned()),
        _ => None,
    })
}

#[test]
fn a_push_waits_for_a_fresh_token_and_goes_on_with_it() {
    let mut app = pushing((120, 36));
    app.update(Event::TokenWanted(refused_token()));
    assert_eq!(app.place(), Place::Token);
    assert!(play(&mut app, "Enter").is_empty());
    assert!(status(&app).contains("type or paste the token"), "{}", status(&app));
    // Letters are letters here, whatever else they mean.
    type_text(&mut app, "xq?y");
    app.update(Event::Key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE)));
    app.update(Event::Paste(String::from("-pasted\r\n")));
    let effects = play(&mut app, "Enter");
    assert_eq!(given(&effects).as_deref(), Some("xq?-pasted"));
    assert!(!format!("{effects:?}").contains("pasted"));
    assert_eq!(app.place(), Place::Pushing);
    app.update(Event::PushEnded(end(&app, End::Done)));
    assert_eq!(app.place(), Place::Ended);
}

#[test]
fn a_push_goes_on_without_a_token_where_nobody_has_one() {
    let mut app = pushing((120, 36));
    app.update(Event::TokenWanted(refused_token()));
    assert!(matches!(play(&mut app, "a ^u Esc").as_slice(), [Effect::Token(None)]));
    assert_eq!(app.place(), Place::Pushing);
    // Asked for again, and left: the push is told as well.
    app.update(Event::TokenWanted(refused_token()));
    assert!(play(&mut app, "^c").is_empty());
    assert_eq!(app.place(), Place::Question);
    assert!(matches!(play(&mut app, "y").as_slice(), [Effect::CancelPush]));
}

#[test]
fn a_pull_asks_for_a_fresh_token_as_well_and_keeps_what_was_there() {
    let mut app = sample::start(DEVICE, (120, 36));
    app.update(Event::TokenWanted(refused_token()));
    type_text(&mut app, "fresh");
    let effects = play(&mut app, "Enter");
    assert_eq!(given(&effects).as_deref(), Some("fresh"));
    assert_eq!(app.place(), Place::Connecting);
    app.update(Event::TokenWanted(refused_token()));
    assert!(play(&mut app, "Esc").is_empty());
    assert_eq!((app.place(), app.exit_code()), (Place::Failure, ExitCode::Refused));

    let mut app = inspecting(DEVICE, PULL, (120, 36));
    play(&mut app, "d");
    assert!(matches!(play(&mut app, "r").as_slice(), [Effect::Pull]));
    app.update(Event::TokenWanted(refused_token()));
    play(&mut app, "Esc Esc");
    assert!(matches!(app.phase(), Phase::Inspecting));
    assert_eq!(bench(&app).resolution.iter().count(), 1);
}

#[test]
fn a_403_names_the_scopes_that_the_post_needed() {
    let app = pushing((120, 36));
    let head = ResponseHead { status: 403, ..ResponseHead::default() };
    let refusal = Refusal::read(&head, r#"{"message":"no","type":"forbidden","success":false}"#);
    let mut end = end(&app, End::Refused(refusal));
    let wire = crate::domain::mutation::WireMutation {
        op: crate::domain::mutation::Op::Create,
        kind: crate::domain::mutation::Kind::Link,
        resource_id: None,
        data: crate::domain::mutation::Payload::ABSENT,
    };
    end.outcome.course.exchanges.push(crate::domain::push::Exchange {
        post: 1,
        head: Cursor::read(200),
        mutations: vec![crate::domain::push::Carried { queue: vec!["q1".into()], wire }],
        answer: crate::domain::push::Answer::Awaited,
    });
    let (page, exit) = story::ended(&end, &story::Told::Screen);
    assert_eq!(exit, ExitCode::Refused);
    assert!(page.paragraphs().any(|text| text.contains("with the scopes bookmark, collection, sync")));
}

#[test]
fn what_a_rule_would_go_over_is_shown_again_before_anything_leaves() {
    for sent in [false, true] {
        let mut app = pushing((120, 36));
        let mut ended = end(&app, End::Reopened(Vec::new()));
        if sent {
            ended.outcome.sent = vec![Sent {
                ids: vec!["q4".into()],
                op: Op::Create,
                kind: Kind::Note,
                resource_id: Some(String::from("n44")),
            }];
        }
        let effects = app.update(Event::PushEnded(ended));
        assert!(settle(&mut app, effects).is_empty(), "nothing leaves of itself");
        let Some(Overlay::Failure(failure)) = app.overlays().last() else { panic!("it is said first") };
        assert!(failure.what.contains("no longer the one shown"), "{}", failure.what);
        assert_eq!(failure.what.contains("1 mutation acknowledged"), sent, "{}", failure.what);
        // y in front of the notice sends nothing; behind it lies the preview, which a key of its own confirms.
        assert!(!play(&mut app, "y").iter().any(|effect| matches!(effect, Effect::Push { .. })));
        if matches!(app.overlays().last(), Some(Overlay::Failure(_))) {
            play(&mut app, "Enter");
        }
        assert!(matches!(app.overlays().last(), Some(Overlay::Preview(_))), "the preview stands there again");
        assert!(matches!(play(&mut app, "y").as_slice(), [Effect::Push { .. }]));
    }
}

/// The text of the line that says what is waited for.
fn waits(app: &App) -> String {
    let Phase::Pushing(pushing) = app.phase() else { panic!("a push") };
    pushing.waits(app.now()).unwrap_or_default()
}

#[test]
fn a_pause_says_what_for_and_how_long_still_and_can_be_stopped() {
    let mut app = pushing((120, 36));
    app.update(Event::Push(Note::Sending { post: 1, mutations: 1, head: Cursor::read(200) }));
    assert_eq!(waits(&app), "waits for the answer to POST 1");
    app.update(Event::Tick(Millis(NOW.0 + 7_000)));
    assert_eq!(waits(&app), "waits for the answer to POST 1, for 7 s now");
    app.update(Event::Push(Note::Refused { post: 1, status: 429, code: None }));
    app.update(Event::Push(Note::Waiting { ms: 65_000, why: "the server asks to wait" }));
    assert_eq!(waits(&app), "waits 65 s more: the server asks to wait");
    let left = [(20, 45), (64, 1), (65, 0), (90, 0)];
    for (passed, left) in left {
        app.update(Event::Tick(Millis(NOW.0 + 7_000 + passed * 1_000)));
        assert_eq!(waits(&app), format!("waits {left} s more: the server asks to wait"));
    }
    assert!(matches!(play(&mut app, "x").as_slice(), [Effect::CancelPush]));
    assert_eq!(waits(&app), "stopping: the pause is broken off");
    assert_eq!(status(&app), "stops now: nothing is under way");
}

#[test]
fn a_pull_says_what_it_waits_for_and_how_long_still() {
    let mut app = start(DEVICE, (120, 36));
    let says = |app: &App| app.connecting_page().paragraphs().last().map(str::to_owned).unwrap_or_default();
    app.update(Event::Pull(PullStep::AskedHead));
    app.update(Event::Tick(Millis(NOW.0 + 3_000)));
    assert_eq!(says(&app), "waits for the answer, for 3 s now · q leaves");
    app.update(Event::Pull(PullStep::Waiting { ms: 30_000, why: "too many requests" }));
    app.update(Event::Tick(Millis(NOW.0 + 13_000)));
    assert_eq!(says(&app), "waits 20 s more: too many requests · q leaves");
    assert!(matches!(play(&mut app, "q").as_slice(), [Effect::Quit(_)]));
}
