//! What a terminal that reorders makes of every row: whatever the texts of the two sides are, each cell is seen in its
//! own column. Rows are put through Unicode's bidirectional algorithm as such a terminal does it: a row is a paragraph,
//! read from left to right or in the direction of its first letter.

use proptest::prelude::*;
use proptest::strategy::Strategy;
use proptest::test_runner::TestCaseResult;
use ratatui::layout::Rect;
use serde_json::json;
use unicode_bidi::{BidiInfo, Level};

use super::super::canvas::Canvas;
use super::*;
use crate::app::tests::pushing::{end, pushing};
use crate::app::tests::sample::{self, NOW, inspecting};
use crate::app::tests::{anything, history, play, type_text};
use crate::app::{Event, Said};
use crate::domain::mutation::Side;
use crate::domain::push::End;

/// The base directions of terminals: left to right, or that of a row's first letter.
fn bases() -> [Option<Level>; 2] {
    [Some(Level::ltr()), None]
}

/// How a terminal goes about it: it moves characters, or whole cells after their first character.
#[derive(Clone, Copy, Debug)]
enum Moves {
    Characters,
    Cells,
}

/// The symbols of a row as a terminal shows them: for each place from the left, which of them stands there.
fn order(symbols: &[&str], base: Option<Level>, moves: Moves) -> Vec<usize> {
    let text: String = symbols.concat();
    let info = BidiInfo::new(&text, base);
    let Some(paragraph) = info.paragraphs.first() else { return Vec::new() };
    let levels = info.reordered_levels(paragraph, paragraph.range.clone());
    // The characters, and of which cell they are the first that is not a mark of ours.
    let mut characters: Vec<(Level, Option<usize>)> = Vec::new();
    let mut at = 0;
    for (cell, symbol) in symbols.iter().enumerate() {
        let first = symbol.find(|c| c != bidi::MARK).unwrap_or(0);
        characters.extend(
            symbol.char_indices().map(|(of, _)| (levels[at + of], Some(cell).filter(|_| of == first))),
        );
        at += symbol.len();
    }
    if let Moves::Cells = moves {
        characters.retain(|(_, cell)| cell.is_some());
    }
    let levels: Vec<Level> = characters.iter().map(|(level, _)| *level).collect();
    BidiInfo::reorder_visual(&levels).into_iter().filter_map(|at| characters[at].1).collect()
}

/// The shortest stretches of cells that keep all their cells, where something in them moved.
fn moved(order: &[usize]) -> Vec<std::ops::Range<usize>> {
    let (mut stretches, mut start, mut furthest) = (Vec::new(), 0, 0);
    for (place, cell) in order.iter().enumerate() {
        furthest = furthest.max(*cell);
        if furthest == place {
            if place > start {
                stretches.push(start..place + 1);
            }
            start = place + 1;
        }
    }
    stretches
}

/// What no text of the data holds here: frames, the bars of the sides, and more than one blank after the other.
fn divides(symbols: &[&str]) -> bool {
    let bare: Vec<&str> = symbols.iter().map(|symbol| symbol.trim_matches(bidi::MARK)).collect();
    bare.iter().any(|symbol| "▌│┃├┤┌┐└┘┬┴─".contains(symbol)) || bare.windows(2).any(|two| two == [" ", " "])
}

/// Whose words these are.
fn side(symbol: &str) -> Option<Side> {
    let first = symbol.chars().next()?;
    if DEVICE_LETTERS.contains(first) {
        Some(Side::Device)
    } else if SERVER_LETTERS.contains(first) {
        Some(Side::Server)
    } else {
        None
    }
}

const DEVICE_LETTERS: &str = "ابتثجחז";
const SERVER_LETTERS: &str = "صضطظעאב";

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

/// A text of one side: letters of two right-to-left scripts, marks on them, digits of three kinds, brackets, Latin words.
fn any_text_of(side: Side) -> impl Strategy<Value = String> {
    let letters = match side {
        Side::Device => DEVICE_LETTERS,
        Side::Server => SERVER_LETTERS,
    };
    let letter = prop::sample::select(letters.chars().collect::<Vec<_>>()).prop_map(String::from);
    let own = match side {
        Side::Device => ["12", "٣٤", "۵", "kk", "(", ")"],
        Side::Server => ["78", "٦٧", "۹", "ww", "[", "]"],
    };
    let piece = prop_oneof![
        8 => letter,
        2 => prop::sample::select(own.to_vec()).prop_map(String::from),
        3 => Just(String::from(" ")),
        1 => prop::sample::select(vec!["ـَ", "ُ", "،", ".", ":", "-", "«", "»", "/", "\n", "…", "漢", "👍", "\u{202E}", "\u{200E}", "\u{200F}", "\u{2067}", "%", "$"])
            .prop_map(String::from),
    ];
    let short = prop::collection::vec(piece.clone(), 1..12);
    let long = prop::collection::vec(piece, 30..160);
    prop_oneof![3 => short, 1 => long].prop_map(|pieces| {
        let mut text = pieces.concat();
        while text.contains("  ") {
            text = text.replace("  ", " ");
        }
        text
    })
}

/// The same, with no blanks at its edges: beside those that the program sets they would look like a gap.
fn text_of(side: Side) -> impl Strategy<Value = String> {
    any_text_of(side).prop_map(|text| match text.trim_matches([' ', '\n']) {
        "" => String::from("-"),
        text => text.to_owned(),
    })
}

/// A device and a server that differ in every kind of resource, all texts from these.
fn both(device: &[String], server: &[String]) -> (String, String) {
    let of = |texts: &[String], at: usize| texts[at % texts.len()].clone();
    let (d, s) = (|at| of(device, at), |at| of(server, at));
    let queued = |id: &str, op: &str, kind: &str, resource: Option<&str>, data: serde_json::Value| {
        json!({"id": id, "type": op, "resource": kind, "resourceId": resource, "createdAt": NOW.0 - 240_000, "retryCount": 1,
               "lastError": "409 OutOfSyncError", "data": data})
    };
    let device = json!({
        "device": {"id": "tablet-b", "label": d(0), "user": d(1)},
        "sync": {"lastMutationAt": 100, "pendingMutationCount": 7},
        "queue": [
            queued("q1", "UPDATE", "NOTE", Some("n1"), json!({"body": d(0), "ranges": ["2:255-2:255"]})),
            queued("q2", "UPDATE", "COLLECTION", Some("c1"), json!({"name": d(1)})),
            queued("q3", "UPDATE", "COLLECTION", Some("c2"), json!({"name": d(2)})),
            queued("q4", "CREATE", "NOTE", None, json!({"body": d(3), "ranges": ["36:58-36:58"]})),
            queued("q5", "CREATE", "COLLECTION_BOOKMARK", None,
                json!({"collectionId": "c1", "type": "ayah", "key": 2, "verseNumber": 255, "mushaf": 1})),
            queued("q6", "UPDATE", "HIGHLIGHT", Some("h1"), json!({"label": d(4), "colour": d(0)})),
            queued("q7", "DELETE", "NOTE", Some("n5"), json!({})),
        ]
    });
    let wrote = |op: &str, kind: &str, id: &str, data: serde_json::Value| json!({"type": op, "resource": kind, "resourceId": id, "timestamp": NOW.0 - 120_000, "data": data});
    let pull = json!({"success": true, "data": {"lastMutationAt": 200, "hasMore": false, "mutations": [
        wrote("UPDATE", "NOTE", "n1", json!({"body": s(0), "ranges": ["2:255-2:256"], "source": s(1)})),
        wrote("UPDATE", "COLLECTION", "c1", json!({"name": s(1)})),
        wrote("DELETE", "COLLECTION", "c2", json!(null)),
        wrote("UPDATE", "HIGHLIGHT", "h1", json!({"label": s(4), "colour": s(0)})),
        wrote("UPDATE", "NOTE", "n5", json!({"body": s(2), "ranges": ["1:1-1:7"], "source": s(3)})),
        wrote("CREATE", "COLLECTION", "c9", json!({"name": s(3)})),
    ]}});
    (device.to_string(), pull.to_string())
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

fn texts() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    (prop::collection::vec(text_of(Side::Device), 5), prop::collection::vec(text_of(Side::Server), 5))
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
