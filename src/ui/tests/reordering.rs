//! What a terminal that reorders makes of every row: whatever the texts of the two sides are, each cell is seen in its
//! own column. Rows are put through Unicode's bidirectional algorithm as such a terminal does it: a row is a paragraph,
//! read from left to right or in the direction of its first letter.

use proptest::prelude::*;
use proptest::strategy::Strategy;
use proptest::test_runner::TestCaseResult;
use ratatui::layout::Rect;

use super::super::canvas::Canvas;
use super::*;
use crate::app::tests::pushing::{end, pushing};
use crate::app::tests::sample::{self, inspecting};
use crate::app::tests::{anything, history, play, type_text};
use crate::app::{Event, Said};
use crate::domain::mutation::Side;
use crate::domain::push::End;
use crate::testing::reordering::{Moves, any_text_of, bases, both, moved, order, side, text_of, texts};

/// What no text of the data holds here: frames, the bars of the sides, and more than one blank after the other.
fn divides(symbols: &[&str]) -> bool {
    let bare: Vec<&str> = symbols.iter().map(|symbol| symbol.trim_matches(bidi::MARK)).collect();
    bare.iter().any(|symbol| "▌│┃├┤┌┐└┘┬┴─".contains(symbol)) || bare.windows(2).any(|two| two == [" ", " "])
}

/// Finds every cell in its own column, in every row and for both base directions. `apart`: no text on the screen holds
/// words of both sides, so theirs also stand in the same order as without reordering.
fn in_their_columns(buffer: &Buffer, apart: bool) -> Result<(), String> {
    for y in 0..buffer.area.height {
        let symbols: Vec<&str> = cells(buffer, y).map(|(_, cell)| cell.symbol()).collect();
        if !symbols.iter().any(|symbol| symbol.contains(bidi::turns)) {
            continue;
        }
        for (base, moves) in
            bases().into_iter().flat_map(|base| [(base, Moves::Characters), (base, Moves::Cells)])
        {
            let order = order(&symbols, base, moves);
            let told = || {
                let seen: String = order.iter().map(|cell| symbols[*cell]).collect();
                format!("row {y}, {moves:?}, base {base:?}\nis   {}\nseen {seen}", symbols.concat())
            };
            for stretch in moved(&order) {
                if divides(&symbols[stretch.clone()]) {
                    return Err(format!("{stretch:?} of {}", told()));
                }
            }
            let sides = |at: &mut dyn Iterator<Item = usize>| {
                let mut sides: Vec<Side> = at.filter_map(|cell| side(symbols[cell])).collect();
                sides.dedup();
                sides
            };
            if apart && sides(&mut (0..symbols.len())) != sides(&mut order.iter().copied()) {
                return Err(format!("the sides change places in {}", told()));
            }
        }
    }
    Ok(())
}

/// The frame without our marks.
fn unmarked(buffer: &Buffer) -> Buffer {
    let mut bare = buffer.clone();
    for cell in &mut bare.content {
        let symbol = cell.symbol().replace(bidi::MARK, "");
        cell.set_symbol(&symbol);
    }
    bare
}

/// Ways to the views in which each text is of one side.
const APART: [&str; 22] = [
    "",
    "Tab",
    "Tab Tab",
    "Enter",
    "Enter Enter",
    "Enter Enter j j",
    "d",
    "s",
    "n d n s",
    "n n n",
    "p",
    "d n d n s p n n j j",
    "d n d p n n Tab",
    "T",
    "w",
    "?",
    "K j",
    "W",
    "n n W",
    "d q",
    "/ x Enter",
    "1 p n n",
];

/// Ways to the views in which both sides' words may stand in one text, or in a text that was typed.
const TOGETHER: [&str; 9] =
    ["b", "b Enter k", "b p n n j j", "e", "e Enter", "S", "S j j l", "S j j j j Enter", "2 S j j"];

fn sizes() -> impl Strategy<Value = (u16, u16)> {
    prop_oneof![
        4 => prop::sample::select(SIZES.to_vec()),
        1 => (20..170u16, 6..60u16),
    ]
}

/// Some of the views, each at a size.
fn views() -> impl Strategy<Value = Vec<(&'static str, bool, (u16, u16))>> {
    let view = prop_oneof![
        3 => prop::sample::select(APART.to_vec()).prop_map(|script| (script, true)),
        2 => prop::sample::select(TOGETHER.to_vec()).prop_map(|script| (script, false)),
    ];
    prop::collection::vec((view, sizes()).prop_map(|((script, apart), size)| (script, apart, size)), 8)
}

fn held(result: Result<(), String>) -> TestCaseResult {
    result.map_err(TestCaseError::fail)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_cell_of_every_view_is_in_its_column((device, server) in texts(), shown in views()) {
        let (device, pull) = both(&device, &server);
        for (script, apart, size) in shown {
            let mut app = inspecting(&device, &pull, size);
            play(&mut app, script);
            let told = |what| format!("after {script:?} at {size:?}: {what}");
            held(in_their_columns(&frame(&app, Theme::Dark), apart).map_err(told))?;
        }
    }

    /// Whatever is typed: in the filter, in the search of the help, in the editor.
    #[test]
    fn what_is_typed_stays_where_it_is_typed(text in text_of(Side::Device), size in sizes()) {
        let (device, pull) = both(std::slice::from_ref(&text), &[String::from("صضطظ 7 עא")]);
        for place in ["/", "? /", "e"] {
            let mut app = inspecting(&device, &pull, size);
            play(&mut app, place);
            type_text(&mut app, &text);
            held(in_their_columns(&frame(&app, Theme::Dark), false))?;
        }
    }

    /// States that no script of this file leads to.
    #[test]
    fn every_state_keeps_its_columns(source in 0..8usize, steps in anything::steps()) {
        let mut kept = Ok(());
        anything::run(source, steps, |app| {
            if kept.is_ok() {
                kept = in_their_columns(&frame(app, Theme::Plain), false);
            }
        })?;
        held(kept)?;
    }

    /// Texts and words of the program one after the other, with nothing between them or a little: no cell leaves the
    /// text that it was drawn with, also where the next text begins in the next column.
    #[test]
    fn texts_that_touch_are_kept_apart(
        pieces in prop::collection::vec((0..3u16, any::<bool>(), any_text_of(Side::Device), 1..20u16), 1..8)
    ) {
        let area = Rect::new(0, 0, 90, 1);
        let mut buffer = Buffer::empty(area);
        let mut canvas = Canvas::new(&mut buffer, area, Theme::Dark);
        let (mut x, mut of) = (0, vec![None; 90]);
        for (number, (gap, data, text, room)) in pieces.iter().enumerate() {
            x += gap;
            let room = (*room).min(90 - x.min(90));
            let used = if *data {
                canvas.data(x, 0, room, text, Ink::Text)
            } else {
                canvas.words(x, 0, room, "12 · (ab) 3", Ink::Text)
            };
            for at in x..x + used {
                of[usize::from(at)] = data.then_some(number);
            }
            x += used;
        }
        canvas.finish();
        let drawn: Vec<(u16, &str)> = cells(&buffer, 0).map(|(x, cell)| (x, cell.symbol())).collect();
        let symbols: Vec<&str> = drawn.iter().map(|(_, symbol)| *symbol).collect();
        for base in bases() {
            for stretch in moved(&order(&symbols, base, Moves::Characters)) {
                let texts: Vec<_> = stretch.clone().map(|at| of[usize::from(drawn[at].0)]).collect();
                prop_assert!(
                    texts[0].is_some() && texts.iter().all(|text| *text == texts[0]),
                    "{stretch:?} of {:?} {base:?}", symbols.concat()
                );
            }
        }
    }
}

/// The property above can fail: without the marks it does, in each layout that has both sides in a row.
#[test]
fn without_the_marks_the_sides_change_places() {
    let texts = |text: &str| vec![text.to_owned(); 5];
    for (device, server) in [("ابت ثجا", "صضط ظصض"), ("חז 12", "עא (78)"), ("ابت", "٦٧")]
    {
        let (device, pull) = both(&texts(device), &texts(server));
        for (size, script) in [((160, 50), ""), ((120, 36), ""), ((120, 36), "Tab")] {
            let mut app = inspecting(&device, &pull, size);
            play(&mut app, script);
            let drawn = frame(&app, Theme::Dark);
            assert_eq!(in_their_columns(&drawn, true), Ok(()));
            assert!(in_their_columns(&unmarked(&drawn), true).is_err(), "{size:?} {script:?} {pull}");
        }
        // Where one side stands below the other, the direction of the whole row is at stake.
        let app = inspecting(&device, &pull, (80, 24));
        assert_eq!(in_their_columns(&frame(&app, Theme::Dark), true), Ok(()));
    }
}

/// Between its marks a text is still read in its own direction.
#[test]
fn a_text_is_read_in_its_own_direction() {
    let (device, pull) = both(&[String::from("ابت ثجا")], &[String::from("صضط ظصض")]);
    let app = inspecting(&device, &pull, (120, 36));
    let buffer = frame(&app, Theme::Dark);
    let (mut device_seen, mut server_seen) = (0, 0);
    for y in 0..36 {
        let symbols: Vec<&str> = cells(&buffer, y).map(|(_, cell)| cell.symbol()).collect();
        let seen: String =
            order(&symbols, bases()[0], Moves::Cells).into_iter().map(|cell| symbols[cell]).collect();
        let seen = seen.replace(bidi::MARK, "");
        device_seen += seen.matches("اجث تبا").count();
        server_seen += seen.matches("ضصظ طضص").count();
    }
    assert!(device_seen >= 2 && server_seen >= 2, "{device_seen} {server_seen}");
}

/// Rows in which nothing is read from right to left are sent as they always were.
#[test]
fn rows_that_cannot_be_reordered_hold_no_mark() {
    for size in SIZES {
        let mut app = inspecting(sample::DEVICE, sample::PULL, size);
        for script in ["", "Enter Enter", "Esc Esc p", "Esc w", "Esc S"] {
            play(&mut app, script);
            let buffer = frame(&app, Theme::Dark);
            for y in 0..size.1 {
                let row: String = cells(&buffer, y).map(|(_, cell)| cell.symbol()).collect();
                assert_eq!(row.contains(bidi::MARK), row.contains(bidi::turns), "{row}");
            }
        }
    }
}

/// Some emulators pass over the rest of a run of one style behind a mark: there is none.
#[test]
fn a_mark_on_a_blank_is_the_last_of_its_run() {
    let (device, pull) = both(&[String::from("ابت ثجا")], &[String::from("صضط ظصض")]);
    for size in SIZES {
        for script in ["", "Tab", "Enter", "b p n n", "S j j", "e", "L"] {
            for theme in [Theme::Dark, Theme::Plain] {
                let mut app = inspecting(&device, &pull, size);
                play(&mut app, script);
                let buffer = frame(&app, theme);
                for y in 0..size.1 {
                    let row: Vec<&Cell> = cells(&buffer, y).map(|(_, cell)| cell).collect();
                    for two in row.windows(2).filter(|two| two[0].symbol() == " \u{200E}") {
                        let style = |cell: &Cell| (cell.fg, cell.bg, cell.modifier);
                        assert_ne!(style(two[0]), style(two[1]), "{script:?} {size:?} row {y}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_conflict_log_and_the_push_keep_their_columns() {
    for size in SIZES {
        let mut app = history::told(size, Said::of(history::summary(), false));
        for _ in 0..4 {
            assert_eq!(in_their_columns(&frame(&app, Theme::Dark), false), Ok(()));
            play(&mut app, "n");
        }
        let mut app = pushing(size);
        assert_eq!(in_their_columns(&frame(&app, Theme::Dark), false), Ok(()));
        let end = end(&app, End::Done);
        app.update(Event::PushEnded(end));
        assert_eq!(in_their_columns(&frame(&app, Theme::Dark), false), Ok(()));
    }
}
