//! Event scripts: keys in, state and effects out. No I/O, no screen.

mod comparing;
pub(crate) mod sample;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;
use crate::domain::field::{Choice, FieldPath};
use crate::domain::inspect::PairId;
use crate::domain::json::Json;
use crate::domain::mutation::Side;
use crate::domain::naming;
use crate::domain::preflight::Rule;
use crate::domain::resolution::{By, Chosen, Resolution, Unit};
use crate::domain::strategy::Strategy;
use sample::{DEVICE, EMPTY, EMPTY_PULL, PULL, TWIN_PULL, TWINS, inspecting};

/// The key events that a script names: `d`, `^S`, `Enter`.
pub(crate) fn keys(script: &str) -> Vec<KeyEvent> {
    script.split_whitespace().map(key_event).collect()
}

fn key_event(name: &str) -> KeyEvent {
    let (name, modifiers) = match name.strip_prefix('^') {
        Some(letter) if !letter.is_empty() => (letter.to_lowercase(), KeyModifiers::CONTROL),
        _ => (name.to_owned(), KeyModifiers::NONE),
    };
    let code = match name.as_str() {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Space" => KeyCode::Char(' '),
        "Backspace" => KeyCode::Backspace,
        one => KeyCode::Char(one.chars().next().expect("a key")),
    };
    KeyEvent::new(code, modifiers)
}

/// Plays a script at the pace of a person; answers the effects. Tasks are done on the spot.
pub(crate) fn play(app: &mut App, script: &str) -> Vec<Effect> {
    let mut left = Vec::new();
    for key in keys(script) {
        stand(app, 1_000);
        left.extend(app.update(Event::Key(key)));
        left = settle(app, left);
        stand(app, 1_000);
    }
    left
}

/// A frame is drawn, and stands on the screen for so many ms.
pub(crate) fn stand(app: &mut App, ms: u64) {
    let drawn = app.sight.last() + 1;
    app.update(Event::Shown(drawn));
    app.update(Event::Shown(drawn + ms));
}

/// Does the tasks among the effects; answers the others.
pub(crate) fn settle(app: &mut App, effects: Vec<Effect>) -> Vec<Effect> {
    let mut left = Vec::new();
    for effect in effects {
        match effect {
            Effect::Compute { job, task } => {
                let more = app.update(Event::Computed { job, answer: task.run(None) });
                left.extend(settle(app, more));
            }
            // After every act; its own test asks for it.
            Effect::Keep { .. } => {}
            other => left.push(other),
        }
    }
    left
}

pub(crate) fn type_text(app: &mut App, text: &str) {
    for c in text.chars() {
        let effects = app.update(Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
        settle(app, effects);
    }
}

fn app() -> App {
    inspecting(DEVICE, PULL, (120, 36))
}

fn status(app: &App) -> &str {
    app.status().map_or("", |(_, text)| text)
}

fn bench(app: &App) -> &Bench {
    app.bench().expect("an inspection")
}

fn title(app: &App) -> String {
    let (_, pair) = bench(app).pair().expect("a marked row");
    naming::title(&bench(app).inspection, pair)
}

fn choice_on(app: &App, pair: u32, path: &str) -> Option<Choice> {
    bench(app).resolution.get(PairId(pair), &FieldPath::from_text(path)).map(|chosen| chosen.choice.clone())
}

#[test]
fn the_first_open_resource_and_its_first_open_field_are_marked() {
    let app = app();
    assert_eq!(title(&app), "2:255");
    assert_eq!(bench(&app).field().expect("a field").path.as_str(), "/body");
    assert_eq!(bench(&app).progress.diverged, 3);
    assert!(status(&app).contains("3 resources diverge"), "{}", status(&app));
}

#[test]
fn a_key_chooses_for_the_marked_field_and_says_so() {
    let mut app = app();
    play(&mut app, "d");
    assert_eq!(choice_on(&app, 0, "/body"), Some(Choice::Device));
    assert_eq!(choice_on(&app, 0, "/ranges"), None);
    assert_eq!(status(&app), "device chosen for body · u undoes");
    play(&mut app, "n b");
    assert_eq!(choice_on(&app, 0, "/ranges"), Some(Choice::Both));
    assert!(status(&app).contains("resource resolved"), "{}", status(&app));
}

#[test]
fn n_goes_field_by_field_then_to_the_next_resource_and_around() {
    let mut app = app();
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push((title(&app), bench(&app).field().expect("a field").path.label()));
        play(&mut app, "n");
    }
    let seen: Vec<(&str, &str)> = seen.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        seen,
        [("2:255", "body"), ("2:255", "ranges"), ("Ramadan", "resource"), ("1:1-1:7", "resource")]
    );
    assert_eq!(title(&app), "2:255");
    assert_eq!(status(&app), "from the top again: body of NOTE 2:255 waits for a choice");
    play(&mut app, "n");
    assert_eq!(status(&app), "ranges of NOTE 2:255 waits for a choice");
    play(&mut app, "N N");
    assert_eq!(status(&app), "from the bottom again: NOTE 1:1-1:7 waits for a choice");
}

#[test]
fn deletes_are_chosen_in_their_own_words() {
    let mut app = app();
    play(&mut app, "n n s");
    assert_eq!(status(&app), "keep deleted chosen for resource · u undoes · resource resolved: n next");
    play(&mut app, "d");
    assert!(status(&app).starts_with("bring back chosen"), "{}", status(&app));
    play(&mut app, "n d");
    assert!(status(&app).starts_with("keep deleted chosen"), "{}", status(&app));
    let mut twins = inspecting(TWINS, TWIN_PULL, (120, 36));
    let (_, pair) = bench(&twins).pair().expect("a pair");
    assert_eq!(
        question(pair, false).as_deref(),
        Some("the same note is already on the server: send it again?")
    );
    play(&mut twins, "d");
    assert!(status(&twins).starts_with("send again chosen"), "{}", status(&twins));
    play(&mut twins, "s");
    assert!(status(&twins).starts_with("do not send chosen"), "{}", status(&twins));
}

#[test]
fn undo_and_redo_are_exact() {
    let mut app = app();
    let start = bench(&app).resolution.clone();
    play(&mut app, "d n s 1 a d n a s");
    let end = bench(&app).resolution.clone();
    let choices = |resolution: &crate::domain::resolution::Resolution| {
        resolution.iter().map(|(unit, chosen)| (unit.clone(), chosen.clone())).collect::<Vec<_>>()
    };
    let mut acts = 0;
    while bench(&app).resolution.undoable().is_some() {
        play(&mut app, "u");
        acts += 1;
    }
    assert!(acts >= 4);
    assert_eq!(choices(&bench(&app).resolution), choices(&start));
    for _ in 0..acts {
        play(&mut app, "U");
    }
    assert_eq!(choices(&bench(&app).resolution), choices(&end));
    play(&mut app, "U");
    assert_eq!(status(&app), "nothing was taken back");
}

#[test]
fn a_strategy_does_not_touch_what_was_chosen_by_hand() {
    let mut app = app();
    play(&mut app, "d 1");
    assert_eq!(choice_on(&app, 0, "/body"), Some(Choice::Device));
    assert_eq!(choice_on(&app, 0, "/ranges"), Some(Choice::Server));
    assert!(status(&app).contains("server-wins: 3 choices, 1 choice by hand kept"), "{}", status(&app));
    assert_eq!(bench(&app).progress.open(), 0);
    play(&mut app, "4");
    assert_eq!(bench(&app).progress.open(), 3);
    assert_eq!(choice_on(&app, 0, "/body"), Some(Choice::Device));
}

#[test]
fn a_menu_applies_a_strategy_to_one_kind_only() {
    let mut app = app();
    play(&mut app, "m");
    assert_eq!(
        app.menu().map(|menu| (menu.scope.clone(), menu.open)),
        Some((Scope::Kind(crate::domain::mutation::Kind::Note), 2))
    );
    play(&mut app, "j Enter");
    assert!(app.overlays().is_empty());
    let by = |app: &App, pair: u32| {
        bench(app).resolution.iter().find(|(unit, _)| unit.pair == PairId(pair)).map(|(_, chosen)| chosen.by)
    };
    assert_eq!(by(&app, 0), Some(By::Strategy(Strategy::ClientWins)));
    assert_eq!(by(&app, 1), None);
}

#[test]
fn a_menu_tells_what_each_rule_would_come_to() {
    let mut app = app();
    play(&mut app, "d A");
    let forecasts = app.menu().and_then(|menu| menu.forecasts).expect("forecasts");
    for (rule, forecast) in ["1", "2", "3", "4"].into_iter().zip(forecasts) {
        play(&mut app, "Esc");
        play(&mut app, rule);
        let plan = crate::domain::push::Planned::new(
            std::sync::Arc::clone(&bench(&app).inspection),
            bench(&app).resolution.clone(),
            sample::NOW,
        );
        assert_eq!((bench(&app).progress.open(), plan.all_lost()), (forecast.open, forecast.lost), "{rule}");
        play(&mut app, "u A");
    }
}

#[test]
fn a_whole_resource_is_chosen_at_once_and_taken_back_at_once() {
    let mut app = app();
    play(&mut app, "a s");
    assert!(app.overlays().is_empty());
    assert_eq!(choice_on(&app, 0, "/body"), Some(Choice::Server));
    assert_eq!(choice_on(&app, 0, "/ranges"), Some(Choice::Server));
    assert!(status(&app).contains("(2 fields)"), "{}", status(&app));
    play(&mut app, "u");
    assert!(bench(&app).resolution.is_empty());
}

#[test]
fn what_does_not_apply_says_why() {
    let mut app = app();
    play(&mut app, "G d");
    assert_eq!(status(&app), "only the server speaks of it; the device takes it over");
    play(&mut app, "g j b");
    assert_eq!(status(&app), "a resource exists or it does not");
    play(&mut app, "u");
    assert_eq!(status(&app), "nothing was chosen yet");
    play(&mut app, "Z");
    assert_eq!(status(&app), "no key of this screen; ? shows them");
}

#[test]
fn a_text_is_edited_saved_and_thrown_away() {
    let mut app = app();
    play(&mut app, "e");
    type_text(&mut app, " and q");
    play(&mut app, "^s");
    match choice_on(&app, 0, "/body") {
        Some(Choice::Edited(Json::String(text))) => {
            assert_eq!(text, "صبر وصلاة في الليل\nand the second line of it and q");
        }
        _ => panic!("an edited text"),
    }
    play(&mut app, "e x Esc");
    assert!(matches!(app.overlays().last(), Some(Overlay::Question(Question::Discard))));
    play(&mut app, "n");
    assert_eq!(app.place(), Place::Editor);
    play(&mut app, "Esc y");
    assert_eq!(app.place(), Place::List);
    play(&mut app, "e ^s");
    assert_eq!(status(&app), "nothing was changed");
}

#[test]
fn an_edited_text_that_the_server_refuses_is_told() {
    let mut app = app();
    play(&mut app, "e ^k");
    for _ in 0..60 {
        play(&mut app, "Backspace");
    }
    play(&mut app, "a b ^s ^s");
    assert!(status(&app).contains("the server will refuse it"), "{}", status(&app));
}

#[test]
fn an_outside_editor_is_asked_and_heard() {
    let mut app = app();
    let effects = play(&mut app, "E");
    let [Effect::Editor { job, text }] = effects.as_slice() else { panic!("{effects:?}") };
    let (job, text) = (*job, format!("{text} more\n"));
    app.update(Event::Edited { job: EditJob(job.0 + 7), text: Ok(String::from("stale")) });
    assert_eq!(choice_on(&app, 0, "/body"), None);
    app.update(Event::Edited { job, text: Ok(text) });
    assert!(
        matches!(choice_on(&app, 0, "/body"), Some(Choice::Edited(Json::String(text))) if text.ends_with("it more"))
    );
    app.update(Event::Edited { job, text: Ok(String::from("twice")) });
    assert!(
        matches!(choice_on(&app, 0, "/body"), Some(Choice::Edited(Json::String(text))) if text.ends_with("it more"))
    );
}

#[test]
fn the_filter_finds_what_stands_in_a_sura_by_its_name() {
    let mut app = app();
    play(&mut app, "/");
    type_text(&mut app, "al-kahf");
    let inspection = &bench(&app).inspection;
    let found: Vec<String> =
        bench(&app).rows.iter().map(|id| naming::label(inspection, inspection.pair(*id))).collect();
    assert_eq!(found, ["BOOKMARK 18:10", "SESSION 18:1"]);
    // A link stands in the sura of its bookmark, a collection in none.
    for (label, sura) in [("LINK Ramadan ← 2:255", Some("Al-Baqarah")), ("COLLECTION Ramadan", None)] {
        let pair = inspection.pairs.iter().find(|pair| naming::label(inspection, pair) == label);
        assert_eq!(naming::sura(inspection, pair.expect("it is there")), sura, "{label}");
    }
}

#[test]
fn the_filter_finds_text_kinds_and_states() {
    let mut app = app();
    let rows = |app: &App| bench(app).rows.iter().map(|id| id.0).collect::<Vec<_>>();
    play(&mut app, "/");
    type_text(&mut app, "note صبر");
    assert_eq!(rows(&app), [0]);
    play(&mut app, "Enter");
    assert_eq!(app.place(), Place::List);
    play(&mut app, "/");
    type_text(&mut app, " nothing");
    assert!(rows(&app).is_empty());
    play(&mut app, "d");
    play(&mut app, "Esc");
    assert_eq!(rows(&app), [0]);
    play(&mut app, "Esc");
    assert_eq!(rows(&app).len(), bench(&app).inspection.pairs.len());
    play(&mut app, "o");
    assert_eq!(rows(&app).len(), 3);
    play(&mut app, "1 o o");
    assert!(rows(&app).is_empty());
    play(&mut app, "u");
    assert_eq!(rows(&app).len(), 3);
}

#[test]
fn nothing_is_sent_but_by_the_key_that_confirms() {
    let mut app = app();
    assert!(play(&mut app, "p p").is_empty());
    assert_eq!(app.place(), Place::Preview);
    assert!(play(&mut app, "Enter").is_empty());
    assert_eq!(app.place(), Place::Fields, "an Enter that was meant for something else sends nothing");
    assert!(play(&mut app, "Esc p Esc y").is_empty());
    assert_eq!(app.place(), Place::List);
    play(&mut app, "1 p");
    let effects = play(&mut app, "y");
    assert!(matches!(effects.as_slice(), [Effect::Push { retry_first_sync: false, .. }]), "{effects:?}");
    assert_eq!(app.place(), Place::Pushing);
}

#[test]
fn from_an_entry_of_the_preview_to_its_field_also_behind_a_filter() {
    let mut app = app();
    play(&mut app, "/ e c h o Enter");
    assert_eq!(bench(&app).rows.len(), 1);
    play(&mut app, "p n");
    let (entry, place) = app
        .preview()
        .and_then(|preview| Some((preview.marked()?, preview.place(&bench(&app).inspection))))
        .expect("an entry");
    assert!(matches!(entry, Entry::Heading(_)) && place.is_none());
    play(&mut app, "Enter");
    assert_eq!(
        (app.place(), status(&app)),
        (Place::Preview, "this line is of no one resource; mark one below it")
    );
    play(&mut app, "g j j Enter");
    assert_eq!(app.place(), Place::Fields);
    assert_eq!(title(&app), "2:255");
    assert_eq!(bench(&app).field().expect("a field").path.as_str(), "/ranges");
}

#[test]
fn the_key_that_asks_whether_to_leave_does_not_say_yes() {
    let mut app = app();
    assert!(play(&mut app, "d q q q").is_empty());
    assert_eq!((app.place(), status(&app)), (Place::Question, "the question waits for y or n"));
    let effects = play(&mut app, "y");
    assert!(matches!(effects.as_slice(), [Effect::Quit(_)]));
}

#[test]
fn a_recorded_pull_sends_nothing() {
    let mut app = app();
    app.start.source = Source::Recorded { file: String::from("pull.json") };
    assert!(play(&mut app, "1 p y").is_empty());
    assert!(status(&app).contains("recorded pull"), "{}", status(&app));
}

#[test]
fn leaving_asks_only_when_choices_would_be_lost() {
    let mut app = app();
    let effects = play(&mut app, "q");
    assert!(matches!(effects.as_slice(), [Effect::Quit(ExitCode::Open)]));
    assert!(play(&mut app, "d q").is_empty());
    assert_eq!(app.place(), Place::Question);
    assert!(play(&mut app, "n").is_empty());
    assert_eq!(app.place(), Place::List);
    let effects = play(&mut app, "q y");
    assert!(matches!(effects.as_slice(), [Effect::Quit(ExitCode::Open)]));
    let effects = play(&mut app, "^c ^c");
    assert!(matches!(effects.as_slice(), [Effect::Quit(_)]));
    let mut empty = inspecting(EMPTY, EMPTY_PULL, (120, 36));
    let effects = play(&mut empty, "q");
    assert!(matches!(effects.as_slice(), [Effect::Quit(ExitCode::Done)]));
}

#[test]
fn every_act_is_kept_and_nothing_else_is() {
    let mut app = app();
    let kept = |app: &mut App, script: &str| -> Vec<usize> {
        let effects = keys(script).into_iter().flat_map(|key| app.update(Event::Key(key)));
        let kept = effects.filter_map(|effect| match effect {
            Effect::Keep { chosen, .. } => Some(chosen.iter().count()),
            _ => None,
        });
        kept.collect()
    };
    assert!(kept(&mut app, "j k w Esc ?").is_empty(), "looking is no act");
    assert_eq!(kept(&mut app, "Esc d"), [1]);
    assert_eq!(kept(&mut app, "u"), [0]);
    assert_eq!(kept(&mut app, "U x d"), [1, 0, 1]);
    assert!(kept(&mut app, "d q n").is_empty(), "chosen already");
}

#[test]
fn leaving_works_while_text_is_typed() {
    let mut app = app();
    play(&mut app, "e q ^c");
    assert_eq!(app.place(), Place::Question);
    let effects = play(&mut app, "y");
    assert!(matches!(effects.as_slice(), [Effect::Quit(_)]));
}

#[test]
fn a_reload_keeps_choices_where_nothing_changed() {
    let mut app = app();
    let effects = play(&mut app, "d n s r");
    assert!(matches!(effects.as_slice(), [Effect::Pull]));
    assert_eq!(app.place(), Place::Connecting);
    let changed = PULL
        .replace("2:255-2:256", "2:255-2:257")
        .replace("\"lastMutationAt\": 200", "\"lastMutationAt\": 210");
    let effects = app.update(Event::Inspected(Box::new(sample::inspection(DEVICE, &changed))));
    settle(&mut app, effects);
    assert_eq!(choice_on(&app, 0, "/body"), Some(Choice::Device));
    assert_eq!(choice_on(&app, 0, "/ranges"), None);
    let Some(Overlay::Failure(failure)) = app.overlays().last() else { panic!("what was reopened is told") };
    assert_eq!(failure.what, "The server changed meanwhile: 1 choice was reopened, 1 kept.");
    play(&mut app, "Esc");
    assert_eq!(bench(&app).field().expect("a field").path.as_str(), "/ranges");
}

#[test]
fn a_push_that_broke_off_is_told_and_gone_on_with_where_it_stood() {
    let recall = |made: Option<&str>, reopened: bool| {
        let inspection = sample::inspection(DEVICE, PULL);
        let unit = |path: &str| Unit { pair: PairId(0), path: FieldPath::from_text(path) };
        let mut resolution = Resolution::default();
        let choices = made.map(|path| (unit(path), Some(Chosen { choice: Choice::Device, by: By::Hand })));
        resolution.choose("kept", choices);
        let reopened = reopened.then(|| unit("/ranges")).into_iter().collect();
        let told = vec![String::from("a push broke off"), String::from("2 left")];
        Event::Recalled(Box::new(Recall { inspection, resolution, reopened, told }))
    };
    let mut app = sample::start(DEVICE, (120, 36));
    let effects = app.update(recall(Some("/body"), true));
    settle(&mut app, effects);
    assert_eq!(choice_on(&app, 0, "/body"), Some(Choice::Device));
    let Some(Overlay::Failure(told)) = app.overlays().last() else { panic!("where it stood is told") };
    assert_eq!(told.what, "A push broke off. 2 left.");
    assert!(told.next.starts_with("Made again: 1 choice; open again"), "{}", told.next);
    play(&mut app, "Esc");
    assert_eq!(bench(&app).field().expect("a field").path.as_str(), "/ranges");

    // Later looks are a reload as any other: what was chosen here counts.
    play(&mut app, "s r");
    let effects = app.update(recall(None, false));
    settle(&mut app, effects);
    assert_eq!(choice_on(&app, 0, "/body"), Some(Choice::Device));
    assert_eq!(choice_on(&app, 0, "/ranges"), Some(Choice::Server));
}

#[test]
fn a_failed_reload_loses_nothing() {
    let mut app = app();
    play(&mut app, "d r");
    app.update(Event::PullFailed(failure()));
    assert_eq!(app.place(), Place::Failure);
    play(&mut app, "Esc");
    assert_eq!(choice_on(&app, 0, "/body"), Some(Choice::Device));
    assert_eq!(app.place(), Place::List);
}

#[test]
fn a_failed_first_pull_can_be_tried_again() {
    let mut app = sample::start(DEVICE, (120, 36));
    app.update(Event::PullFailed(failure()));
    play(&mut app, "Esc");
    assert_eq!(app.exit_code(), ExitCode::Refused);
    let effects = play(&mut app, "r");
    assert!(matches!(effects.as_slice(), [Effect::Pull]));
    play(&mut app, "r");
    assert_eq!(status(&app), "the pull is under way");
}

#[test]
fn the_first_step_is_the_409_recorded_or_foreseen() {
    use crate::domain::mutation::Cursor;
    let recorded = sample::start(DEVICE, (120, 36));
    assert_eq!(recorded.stuck(), Some(Stuck::Recorded { cursor: recorded.device().sync.cursor }));
    let mut foreseen = sample::start(TWINS, (120, 36));
    assert_eq!(foreseen.stuck(), None);
    let (cursor, head) = (Cursor::read(100), Cursor::read(200));
    for page in [1, 2] {
        foreseen.update(Event::Pull(PullStep::Page {
            page,
            mutations: 1,
            unreadable: 0,
            total: None,
            head,
            more: page == 1,
        }));
    }
    assert_eq!(foreseen.stuck(), Some(Stuck::Foreseen { cursor, head }));
    for app in [recorded, foreseen] {
        let page = app.connecting_page();
        let first = page.paragraphs().nth(1).expect("a step").to_owned();
        assert!(first.starts_with("409 OutOfSyncError"), "{first}");
    }
}

pub(crate) fn failure() -> Failure {
    Failure {
        what: String::from("503 bad_gateway: the server or its gateway failed"),
        where_: String::from("GET http://127.0.0.1:8787/v1/sync"),
        next: String::from("Wait a moment, then retry; nothing was written."),
        request_id: Some(String::from("req-7")),
    }
}

#[test]
fn answers_to_questions_nobody_asks_any_more_are_dropped() {
    let mut app = app();
    let rows = vec![PairId(2)];
    app.update(Event::Computed { job: Job(9999), answer: Answer::Rows(rows) });
    assert_eq!(bench(&app).rows.len(), bench(&app).inspection.pairs.len());
    let plan = crate::domain::push::Planned::new(
        std::sync::Arc::clone(&bench(&app).inspection),
        bench(&app).resolution.clone(),
        sample::NOW,
    );
    play(&mut app, "p");
    app.update(Event::Computed { job: Job(1), answer: Answer::Plan(Box::new(plan)) });
    assert!(app.preview().is_some_and(|preview| preview.job.is_none() && preview.plan.is_some()));
}

#[test]
fn the_diff_opens_on_a_field_and_choices_work_in_it() {
    let mut app = app();
    play(&mut app, "Enter Enter");
    assert_eq!(app.place(), Place::Diff);
    play(&mut app, "s");
    assert_eq!(choice_on(&app, 0, "/body"), Some(Choice::Server));
    play(&mut app, "Esc");
    assert_eq!(app.place(), Place::Fields);
    play(&mut app, "Esc");
    assert_eq!(app.place(), Place::List);
}

#[test]
fn one_pane_at_a_time_on_a_narrow_screen() {
    let mut app = inspecting(DEVICE, PULL, (50, 16));
    let mut seen = vec![app.focus()];
    for _ in 0..3 {
        play(&mut app, "Tab");
        seen.push(app.focus());
    }
    assert_eq!(
        seen,
        [Focus::List(Side::Device), Focus::List(Side::Server), Focus::Fields, Focus::List(Side::Device)]
    );
}

pub(crate) mod anything;
mod care;
mod dropping;
mod exchange;
pub(crate) mod fixing;
pub(crate) mod history;
mod playing;
pub(crate) mod pushing;
