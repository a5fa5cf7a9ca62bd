//! Keys that a person may not have meant: text in the wrong window, keys on what nobody can have read, keys while
//! nothing is drawn.

use super::*;

/// Plays keys that come at once.
fn burst(app: &mut App, text: &str) -> Vec<Effect> {
    let mut left = Vec::new();
    for (at, c) in text.chars().enumerate() {
        let key = match c {
            '\n' => KeyEvent::from(KeyCode::Enter),
            c => KeyEvent::from(KeyCode::Char(c)),
        };
        left.extend(app.update(Event::Burst { key, first: at == 0 }));
        left = settle(app, left);
        // Between them frames are drawn, as quickly as it goes.
        stand(app, 5);
    }
    left
}

fn choices(app: &App) -> usize {
    bench(app).resolution.iter().count()
}

fn sends(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Push { .. }))
}

#[test]
fn words_typed_into_the_wrong_window_send_nothing_and_settle_nothing() {
    for text in
        ["copy", "2copy", "py", "1py", "2p\ny", "A\npy", "m\ny", "v2pyyyy", "ad", "as", "vapy", "p\nyy"]
    {
        let mut app = app();
        let effects = burst(&mut app, text);
        assert!(!sends(&effects), "{text:?}");
        assert!(choices(&app) <= 1, "{text:?} made {} choices", choices(&app));
        // The rest of it comes a little later.
        let effects = burst(&mut app, text);
        assert!(!sends(&effects), "{text:?} twice");
        assert!(choices(&app) <= 1, "{text:?} twice made {} choices", choices(&app));
    }
}

#[test]
fn a_burst_chooses_for_one_field_at_most() {
    let mut app = app();
    burst(&mut app, "dnsnsnd");
    assert_eq!(choices(&app), 1);
    assert_eq!(choice_on(&app, 0, "/body"), Some(Choice::Device));
    assert!(status(&app).contains("one field at most"), "{}", status(&app));
    // Changing one's mind about one field is about one field.
    burst(&mut app, "ds");
    assert_eq!(choices(&app), 2);
    // Each by itself is meant.
    play(&mut app, "n s");
    assert_eq!(choices(&app), 3);
}

#[test]
fn taking_much_back_or_doing_it_again_is_a_key_of_its_own() {
    let mut app = app();
    play(&mut app, "1");
    let made = choices(&app);
    assert!(made > 1);
    burst(&mut app, "xu");
    assert!(choices(&app) >= made - 1, "{}", choices(&app));
    play(&mut app, "u u");
    assert_eq!(choices(&app), 0);
    burst(&mut app, "oU");
    assert_eq!(choices(&app), 0, "{}", status(&app));
    play(&mut app, "U");
    assert_eq!(choices(&app), made);
}

#[test]
fn what_confirms_is_heard_once_it_stood_on_the_screen_for_a_moment() {
    let key = |c| Event::Key(KeyEvent::from(KeyCode::Char(c)));
    let mut app = app();
    play(&mut app, "1");
    for stood in [None, Some(0), Some(249)] {
        app.update(key('p'));
        if let Some(ms) = stood {
            stand(&mut app, ms);
        }
        assert_eq!(app.looks_again(), stood.map(|ms| 250 - ms));
        assert!(app.update(key('y')).is_empty());
        assert_eq!((app.place(), status(&app)), (Place::Preview, "it has only just come up: read it first"));
        app.update(Event::Key(KeyEvent::from(KeyCode::Esc)));
    }
    // That another preview was read before says nothing of this one.
    app.update(key('p'));
    stand(&mut app, 900);
    app.update(Event::Key(KeyEvent::from(KeyCode::Esc)));
    app.update(key('p'));
    stand(&mut app, 1);
    assert!(app.update(key('y')).is_empty());
    stand(&mut app, 250);
    assert!(sends(&app.update(key('y'))));
}

#[test]
fn the_second_click_of_a_double_click_confirms_nothing() {
    let mut app = app();
    play(&mut app, "1");
    app.update(Event::Pointer(Pointer::Click(Target::Act(Action::Preview))));
    stand(&mut app, 400);
    let click = || Event::Pointer(Pointer::Click(Target::Act(Action::Confirm)));
    assert!(app.update(click()).is_empty());
    stand(&mut app, 600);
    assert!(sends(&app.update(click())));
}

#[test]
fn a_question_is_answered_once_it_was_there_to_be_read() {
    let mut app = inspecting(super::fixing::POISON, EMPTY_PULL, (120, 36));
    play(&mut app, "a");
    app.update(Event::Key(KeyEvent::from(KeyCode::Char('s'))));
    assert_eq!(app.place(), Place::Question);
    stand(&mut app, 100);
    app.update(Event::Key(KeyEvent::from(KeyCode::Char('y'))));
    stand(&mut app, 900);
    burst(&mut app, "yy");
    assert_eq!((app.place(), choices(&app)), (Place::Question, 0));
    play(&mut app, "y");
    assert_eq!(choices(&app), 1);
    // Leaving sends nothing: it is asked about, and a burst does not answer.
    play(&mut app, "q");
    assert!(burst(&mut app, "yy").is_empty());
    let effects = app.update(Event::Key(KeyEvent::from(KeyCode::Char('y'))));
    assert!(matches!(effects.as_slice(), [Effect::Quit(_)]));
}

#[test]
fn a_burst_closes_no_notice_and_gives_no_token() {
    let mut app = app();
    play(&mut app, "r");
    app.update(Event::PullFailed(failure()));
    burst(&mut app, "one\ntwo\n");
    assert_eq!(app.place(), Place::Failure);
    play(&mut app, "Enter");
    assert_eq!(app.place(), Place::List);

    let mut app = sample::start(DEVICE, (120, 36));
    app.update(Event::TokenWanted(failure()));
    assert!(burst(&mut app, "not a token\n").is_empty());
    assert_eq!(app.place(), Place::Token);
    let effects = play(&mut app, "Enter");
    assert!(matches!(effects.as_slice(), [Effect::Token(Some(_))]), "{effects:?}");
}

#[test]
fn nothing_acts_while_nothing_is_drawn() {
    for (width, height) in [(0, 0), (10, 3), (19, 40), (200, 5), (0, 50)] {
        let mut app = app();
        play(&mut app, "d");
        let before = (app.place(), choices(&app));
        app.update(Event::Resize { width, height });
        for name in "d s b e x u U n 1 2 3 4 a m A v p y / o w L T c r ? Enter Esc q Tab".split(' ') {
            let effects = play(&mut app, name);
            assert!(effects.is_empty(), "{name} at {width}x{height}: {effects:?}");
            assert_eq!((app.place(), choices(&app)), before, "{name} at {width}x{height}");
        }
        assert!(burst(&mut app, "2copy").is_empty());
        app.update(Event::Paste(String::from("2copy")));
        app.update(Event::Pointer(Pointer::Click(Target::Act(Action::Rule(Strategy::ClientWins)))));
        assert_eq!((app.place(), choices(&app)), before);
        // Leaving would lose a choice, which nobody could be asked.
        assert!(play(&mut app, "^c ^c").is_empty());
        app.update(Event::Resize { width: 120, height: 36 });
        assert_eq!((app.place(), choices(&app)), before);
        play(&mut app, "u");
        app.update(Event::Resize { width, height });
        assert!(matches!(play(&mut app, "^c").as_slice(), [Effect::Quit(_)]));
    }
}

#[test]
fn what_was_read_before_the_screen_shrank_is_read_again() {
    let mut app = app();
    play(&mut app, "1 p");
    app.update(Event::Resize { width: 10, height: 3 });
    assert!(play(&mut app, "y").is_empty());
    app.update(Event::Resize { width: 120, height: 36 });
    assert!(app.update(Event::Key(KeyEvent::from(KeyCode::Char('y')))).is_empty());
    stand(&mut app, 300);
    assert!(sends(&app.update(Event::Key(KeyEvent::from(KeyCode::Char('y'))))));
}

#[test]
fn text_is_typed_as_fast_as_it_comes() {
    let mut app = app();
    play(&mut app, "/");
    burst(&mut app, "note 2:255");
    assert_eq!(bench(&app).query.text, "note 2:255");
    // What follows a line end goes to the list, and does there what a burst may do.
    burst(&mut app, "\n2py");
    assert_eq!(choices(&app), 0);
    assert_eq!(app.place(), Place::Preview);
}

#[test]
fn where_the_field_is_not_on_the_screen_the_first_key_shows_it() {
    for key in ["d", "s", "b"] {
        let mut app = inspecting(DEVICE, PULL, (50, 16));
        play(&mut app, key);
        assert_eq!((app.focus(), choices(&app)), (Focus::Fields, 0), "{key}");
        assert_eq!(status(&app), "body: nothing was done yet; the key once more does it");
        play(&mut app, key);
        assert_eq!(choices(&app), 1, "{key}");
        // Neither is it taken back unseen.
        play(&mut app, "Esc x");
        assert_eq!((app.focus(), choices(&app)), (Focus::Fields, 1), "{key}");
    }
    // Where it is on the screen beside the list it is chosen on at once.
    let mut app = inspecting(DEVICE, PULL, (80, 24));
    play(&mut app, "d");
    assert_eq!((app.focus(), choices(&app)), (Focus::List(Side::Device), 1));
}

#[test]
fn a_copy_says_what_it_copied() {
    let mut app = app();
    let copied = |app: &mut App| {
        let effects = play(app, "c");
        let [Effect::Copy(text)] = effects.as_slice() else { panic!("{effects:?}") };
        app.update(Event::Copied(Ok(())));
        (text.clone(), status(app).to_owned())
    };
    assert_eq!(copied(&mut app), (String::from("n1"), String::from("the id n1 of note 2:255 copied")));
    play(&mut app, "Enter j");
    assert_eq!(bench(&app).field().expect("a field").path.as_str(), "/ranges");
    let (text, said) = copied(&mut app);
    assert_eq!(text, "2:255-2:255");
    assert_eq!(
        said,
        "the device's value of ranges of note 2:255 copied, 11 characters · c once more copies the server's"
    );
    let (text, said) = copied(&mut app);
    assert_eq!(text, "2:255-2:256");
    assert_eq!(said, "the server's value of ranges of note 2:255 copied, 11 characters");
    play(&mut app, "s");
    let (text, said) = copied(&mut app);
    assert_eq!(text, "2:255-2:256");
    assert!(said.starts_with("the result of ranges"), "{said}");
    // A creation has no id yet; its place in the queue has.
    let mut poisoned = inspecting(super::fixing::POISON, EMPTY_PULL, (120, 36));
    assert_eq!(copied(&mut poisoned).0, "q1");
    app.update(Event::Copied(Err(String::from("no clipboard"))));
    assert_eq!(status(&app), "not copied: no clipboard");
}
