//! What holds of every picture, whatever the data, the state and the size.

use proptest::prelude::*;
use ratatui::layout::Rect;

use super::*;
use crate::app::tests::sample::{self, DEVICE, PULL, inspecting};
use crate::app::tests::{anything, play, type_text};
use crate::app::{Effect, Event, Focus};

fn is_denied(c: char) -> bool {
    c.is_control()
        || "\u{61C}\u{200B}\u{200C}\u{200D}\u{200E}\u{200F}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{FEFF}\u{AD}"
            .contains(c)
}

/// Nothing in a buffer acts on a terminal, and every symbol takes the columns that the buffer gives it.
fn assert_harmless(buffer: &Buffer) {
    for y in 0..buffer.area.height {
        for (x, cell) in cells(buffer, y) {
            // A mark of our own stands behind a cell's characters, or before those of the row's first.
            let symbol = cell.symbol().strip_suffix(bidi::MARK).unwrap_or(cell.symbol());
            let symbol = symbol.strip_prefix(bidi::MARK).filter(|_| x == 0).unwrap_or(symbol);
            assert!(!symbol.is_empty() && !symbol.contains(is_denied), "{x},{y}");
            assert_eq!(symbol.width(), cell.symbol().width(), "{x},{y}: a mark takes no column");
            let width = u16::try_from(cell.symbol().width()).unwrap();
            assert!(width >= 1 && x + width <= buffer.area.width, "{x},{y}: {:?}", cell.symbol());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_state_can_be_drawn(source in 0..8usize, steps in anything::steps()) {
        anything::run(source, steps, |app| {
            for theme in [Theme::Dark, Theme::Plain] {
                assert_harmless(&frame(app, theme));
            }
        })?;
    }
}

#[test]
fn every_size_can_be_drawn() {
    for width in [0, 1, 19, 20, 21, 45, 59, 60, 71, 72, 99, 100, 120, 170] {
        for height in [0, 1, 5, 6, 8, 9, 10, 13, 14, 24, 52] {
            let mut app = inspecting(DEVICE, PULL, (width, height));
            for keys in
                ["Tab", "Tab", "p", "Esc ?", "Esc w", "Esc e", "Esc K", "Esc Enter Enter", "Esc / x", "^c"]
            {
                play(&mut app, keys);
                assert_harmless(&frame(&app, Theme::Dark));
            }
        }
    }
}

/// A frame for another area than the app knows of, as in the moment of a resize.
#[test]
fn an_area_that_shrank_meanwhile_is_no_reason_to_panic() {
    let app = inspecting(DEVICE, PULL, (120, 36));
    for area in [Rect::new(0, 0, 80, 10), Rect::new(0, 0, 1, 1), Rect::new(0, 0, 0, 0)] {
        let mut buffer = Buffer::empty(area);
        draw(&app, Theme::Dark, area, &mut buffer);
    }
}

#[test]
fn hostile_text_in_every_place_is_shown_and_never_acts() {
    let hostile = r"\u001b]0;owned\u0007\u202eevil\u200b\t\u009b31m\ud83d\udc68\u200d\ud83d\udc69";
    let device = DEVICE
        .replace("Tablet B", hostile)
        .replace("u-1", hostile)
        .replace("\"n1\"", &format!("\"n1{hostile}\""))
        .replace("409 OutOfSyncError", hostile)
        .replace("صبر وصلاة", hostile)
        .replace("\"q4\"", &format!("\"q4{hostile}\""))
        .replace("\"body\": \"Ya-Sin", &format!("\"{hostile}\": 1, \"body\": \"Ya-Sin"))
        .replace("\"resource\": \"BOOKMARK\"", &format!("\"resource\": \"BOOK{hostile}\""));
    let pull = PULL
        .replace("\"n1\"", &format!("\"n1{hostile}\""))
        .replace("صبر جميل", &format!("{hostile} other"))
        .replace("\"web\"", &format!("\"{hostile}\""));
    for size in SIZES {
        let mut app = inspecting(&device, &pull, size);
        let first = text(&frame(&app, Theme::Dark));
        assert!(first.contains("␛") || first.contains("<001B>"), "{first}");
        for keys in ["Enter", "Enter", "Esc p", "n", "n", "n", "j", "Esc w", "Esc e", "Esc 1 p y"] {
            play(&mut app, keys);
            assert_harmless(&frame(&app, Theme::Dark));
        }
        let mut app = inspecting(&device, &pull, size);
        play(&mut app, "/");
        type_text(&mut app, "\u{202E}x");
        assert_harmless(&frame(&app, Theme::Dark));
    }
}

/// Whatever key is pressed wherever: something on the screen answers, or something is asked of the world. Only where
/// there is nothing further in a direction a movement leads nowhere.
#[test]
fn no_key_is_silent() {
    let movements =
        ["Up", "Down", "Left", "Right", "Home", "End", "PgUp", "PgDn", "h", "j", "k", "l", "g", "G"];
    let control = ["^u", "^d", "^b", "^f", "Tab"];
    let names = "d s b e E f x u U ^r n N D S 1 2 3 4 K A a v m p y / o w c r T W z Z i q ? Enter Esc Space Backspace ^s ^t";
    let places = [
        "",
        "Tab",
        "Enter Enter",
        "e",
        "e x",
        "e x Esc",
        "/",
        "/ x",
        "A",
        "p",
        "p Tab",
        "w",
        "?",
        "? /",
        "T",
        "d q",
        "d d",
        "d n s",
        "2",
        "2 u",
        "G",
        "G Tab",
        "o",
        "j j",
    ];
    for size in [(120, 36), (50, 16)] {
        for place in places {
            for name in names.split(' ').filter(|name| !movements.contains(name) && !control.contains(name)) {
                let mut app = inspecting(DEVICE, PULL, size);
                play(&mut app, place);
                let (before, status) = (picture(&app), app.status().map(|(_, s)| s.to_owned()));
                let effects = play(&mut app, name);
                let after = picture(&app);
                let told = app.status().map(|(_, s)| s.to_owned());
                // In a text that is empty or at its end there is nothing to take away.
                let nothing_there = app.place().takes_text() && ["Backspace", "^r"].contains(&name);
                assert!(
                    before != after
                        || told.is_some()
                        || status != told
                        || !effects.is_empty()
                        || nothing_there,
                    "{name} after {place:?} at {size:?} in {:?}:\n{after}",
                    app.place()
                );
            }
        }
    }
}

/// The last line of defence, on its own.
#[test]
fn the_sweep_replaces_what_could_act() {
    let area = Rect::new(0, 0, 8, 1);
    let mut buffer = Buffer::empty(area);
    for (x, symbol) in (0..).zip(["\u{1B}[31m", "\u{202E}", "a\u{200B}", "\n", "", "é", "صَ", "─"]) {
        buffer[(x, 0)].set_symbol(symbol);
    }
    Canvas::new(&mut buffer, area, Theme::Dark).finish();
    let symbols: Vec<&str> = (0..8).map(|x| buffer[(x, 0)].symbol()).collect();
    assert_eq!(symbols, ["?", "?", "?", "?", "?", "é\u{200E}", "صَ\u{200E}", "─"]);
}

/// The device's words stand under `device` in the device's colour, the server's under `server` in the server's.
#[test]
fn the_sides_are_never_swapped() {
    for size in [(120, 36), (160, 50)] {
        let app = inspecting(DEVICE, PULL, size);
        let buffer = frame(&app, Theme::Dark);
        let (device_word, server_word) = ('و', 'ج');
        let top = app.layout().fields.y;
        let find = |y: u16, wanted: &str| {
            let line: Vec<(u16, &Cell)> = cells(&buffer, y).collect();
            let at = (0..line.len()).find(|at| {
                let rest: String = line[*at..].iter().map(|(_, cell)| cell.symbol()).collect();
                rest.starts_with(wanted)
            });
            at.map(|at| line[at].0)
        };
        let device_head = find(top, "device").expect("a heading");
        let server_head = find(top, "server").expect("a heading");
        let changed = |letter: char, ground: u8| {
            cells(&buffer, top + 1)
                .find(|(_, cell)| cell.symbol().starts_with(letter) && cell.bg == Color::Indexed(ground))
                .map(|(x, _)| x)
        };
        let device = changed(device_word, 24).expect("the device's word in the device's colour");
        let server = changed(server_word, 94).expect("the server's word in the server's colour");
        assert!(device_head <= device && device < server_head && server_head <= server);
        let heads = row(&buffer, app.layout().frame.y);
        assert!(
            heads.find("Device queue 6").expect("a title") < heads.find("Server since").expect("a title")
        );
    }
    // One over the other: each row has its side's letter in front of it.
    let mut app = inspecting(DEVICE, PULL, (80, 24));
    play(&mut app, "Tab");
    let shown = text(&frame(&app, Theme::Dark));
    assert!(shown.contains("d▌صبر وصلاة") && shown.contains("s▌صبر جميل"), "{shown}");
}

/// A choice of one side is told in that side's word and colour, whichever key made it.
#[test]
fn a_choice_is_shown_as_the_side_that_was_chosen() {
    for (key, word, letter_of) in [("d", "● device", 'd'), ("s", "● server", 's')] {
        let mut app = inspecting(DEVICE, PULL, (120, 36));
        play(&mut app, key);
        let buffer = frame(&app, Theme::Dark);
        let y = (0..36).find(|y| row(&buffer, *y).contains(word)).expect("the result");
        let (x, _) = cells(&buffer, y).find(|(_, cell)| cell.symbol() == "●").expect("its glyph");
        assert_eq!(letter(&buffer[(x, y)]), letter_of);
    }
}

#[test]
fn without_colour_everything_is_still_told() {
    let mut app = inspecting(DEVICE, PULL, (120, 36));
    play(&mut app, "d");
    let buffer = frame(&app, Theme::Plain);
    for y in 0..36 {
        for (_, cell) in cells(&buffer, y) {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
        }
    }
    assert_eq!(text(&buffer), text(&frame(&app, Theme::Dark)));
}

#[test]
fn a_click_means_what_was_drawn_there() {
    let mut app = inspecting(DEVICE, PULL, (120, 36));
    let area = app.layout().area;
    let mut buffer = Buffer::empty(area);
    let mut click = |app: &mut App, x: u16, y: u16| {
        let regions = draw(app, Theme::Dark, area, &mut buffer);
        let kind = MouseEventKind::Down(MouseButton::Left);
        let mouse = MouseEvent { kind, column: x, row: y, modifiers: crossterm::event::KeyModifiers::NONE };
        if let Some(event) = regions.event(mouse) {
            app.update(event);
        }
    };
    let list = app.layout().list;
    click(&mut app, list.x + 5, list.y + 4);
    assert_eq!(app.bench().map(|bench| bench.selection.cursor()), Some(4));
    let fields = app.layout().fields;
    click(&mut app, fields.x + 5, fields.y + 2);
    assert_eq!(app.focus(), Focus::Fields);
    let footer = app.layout().frame.bottom() - 1;
    click(&mut app, 3, footer);
    assert!(
        app.status().is_some_and(|(_, text)| text.starts_with("keep deleted chosen")),
        "{:?}",
        app.status()
    );
}

#[test]
fn a_click_outside_the_frame_means_nothing() {
    let app = sample::start(DEVICE, (120, 36));
    let mut buffer = Buffer::empty(app.layout().area);
    let regions = draw(&app, Theme::Dark, app.layout().area, &mut buffer);
    let kind = MouseEventKind::Down(MouseButton::Left);
    let mouse = MouseEvent { kind, column: 500, row: 500, modifiers: crossterm::event::KeyModifiers::NONE };
    assert!(!matches!(regions.event(mouse), Some(Event::Pointer(_))));
}

/// A text that neither side has stands nowhere else: where there is room, the result shows all of it.
#[test]
fn a_text_written_by_hand_is_read_in_full() {
    let mut app = inspecting(DEVICE, PULL, (120, 36));
    let effects = play(&mut app, "E");
    let [Effect::Editor { job, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let written = format!("{} the-very-last-word", "some more words ".repeat(10));
    app.update(Event::Edited { job: *job, text: Ok(written) });
    assert!(text(&frame(&app, Theme::Dark)).contains("the-very-last-word"));
}

/// In the exchange a refusal is red, and said in words and by a sign of its own.
#[test]
fn the_409_of_the_exchange_is_red() {
    for (theme, red) in [(Theme::Dark, 203), (Theme::Light, 160)] {
        for size in SIZES {
            let mut app = inspecting(DEVICE, PULL, size);
            play(&mut app, "T");
            let buffer = frame(&app, theme);
            let y = (5..size.1).find(|y| row(&buffer, *y).contains("409 OutOfSyncError")).expect("the 409");
            let column = cells(&buffer, y).find(|(_, cell)| cell.symbol() == "4").expect("its first digit").0;
            assert_eq!(buffer[(column, y)].fg, Color::Indexed(red), "{size:?}");
        }
    }
}
