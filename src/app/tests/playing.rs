//! A demo that plays by itself comes to its end, whatever the device holds.

use super::pushing::end;
use super::sample::{DEVICE, PULL, TWIN_PULL, TWINS, inspecting};
use super::*;
use crate::app::{Autoplay, Phase};
use crate::domain::push::End;

/// Plays until the session ends; answers the keys that were pressed, and how long it took, ms.
fn played(device: &str, pull: &str) -> (String, u64) {
    let mut app = inspecting(device, pull, (120, 36));
    let (mut auto, mut keys, mut took) = (Autoplay::default(), String::new(), 0);
    loop {
        let Some((pause, key)) = auto.next(&app) else {
            // What it waits for: here only the push.
            assert!(matches!(app.phase(), Phase::Pushing(_)), "after {keys}");
            let ended = end(&app, End::Done);
            app.update(Event::PushEnded(ended));
            continue;
        };
        took += pause;
        keys.extend(key.code.as_char().or(Some('⎋')));
        stand(&mut app, pause);
        let effects = app.update(Event::Key(key));
        if effects.iter().any(|effect| matches!(effect, Effect::Quit(_))) {
            return (keys, took);
        }
    }
}

#[test]
fn it_shows_the_exchange_chooses_previews_sends_and_leaves() {
    let (keys, took) = played(DEVICE, PULL);
    assert!(keys.starts_with("T⎋"), "{keys}");
    assert!(keys.contains('d') && keys.contains('s') && keys.ends_with("pyT⎋q"), "{keys}");
    assert!((15_000..120_000).contains(&took), "{took} ms for {keys}");
}

#[test]
fn it_ends_also_where_nothing_can_be_chosen_as_usual() {
    let (keys, _) = played(TWINS, TWIN_PULL);
    assert!(keys.ends_with('q') && keys.chars().count() <= 81, "{keys}");
}

#[test]
fn whoever_watches_sees_the_key_before_it_is_pressed() {
    let mut app = inspecting(DEVICE, PULL, (120, 36));
    let key = |c| crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Char(c));
    assert_eq!(app.plays(), None);
    app.update(Event::Plays(key('d')));
    assert_eq!(app.plays().as_deref(), Some("d device"));
    app.update(Event::Plays(key('p')));
    assert_eq!(app.plays().as_deref(), Some("p preview"));
    app.update(Event::Key(key('p')));
    assert_eq!(app.plays(), None, "it is pressed");
}
