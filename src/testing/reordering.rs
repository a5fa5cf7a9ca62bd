//! What a terminal that reorders makes of a row: Unicode's bidirectional algorithm as such a terminal puts a row through
//! it, and texts of two sides to try it on.

use proptest::prelude::*;
use proptest::strategy::Strategy;
use serde_json::json;
use unicode_bidi::{BidiInfo, Level};

use crate::app::tests::sample::NOW;
use crate::domain::bidi;
use crate::domain::mutation::Side;

/// The base directions of terminals: left to right, or that of a row's first letter.
pub(crate) fn bases() -> [Option<Level>; 2] {
    [Some(Level::ltr()), None]
}

/// How a terminal goes about it: it moves characters, or whole cells after their first character.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moves {
    Characters,
    Cells,
}

/// The symbols of a row as a terminal shows them: for each place from the left, which of them stands there.
pub(crate) fn order(symbols: &[&str], base: Option<Level>, moves: Moves) -> Vec<usize> {
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
pub(crate) fn moved(order: &[usize]) -> Vec<std::ops::Range<usize>> {
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

/// Whose words these are.
pub(crate) fn side(symbol: &str) -> Option<Side> {
    let first = symbol.chars().next()?;
    if DEVICE_LETTERS.contains(first) {
        Some(Side::Device)
    } else if SERVER_LETTERS.contains(first) {
        Some(Side::Server)
    } else {
        None
    }
}

pub(crate) const DEVICE_LETTERS: &str = "ابتثجחז";
pub(crate) const SERVER_LETTERS: &str = "صضطظעאב";

/// A text of one side: letters of two right-to-left scripts, marks on them, digits of three kinds, brackets, Latin words.
pub(crate) fn any_text_of(side: Side) -> impl Strategy<Value = String> {
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
pub(crate) fn text_of(side: Side) -> impl Strategy<Value = String> {
    any_text_of(side).prop_map(|text| match text.trim_matches([' ', '\n']) {
        "" => String::from("-"),
        text => text.to_owned(),
    })
}

/// A device and a server that differ in every kind of resource, all texts from these.
pub(crate) fn both(device: &[String], server: &[String]) -> (String, String) {
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

pub(crate) fn texts() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    (prop::collection::vec(text_of(Side::Device), 5), prop::collection::vec(text_of(Side::Server), 5))
}
