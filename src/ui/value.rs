//! One side's value: as a line, or in rows with the words marked that only this side has.

use std::ops::Range;

use super::canvas::Canvas;
use super::theme::{Ink, look};
use crate::app::Drawn;
use crate::domain::json::Json;
use crate::domain::mutation::Side;
use crate::domain::text::{Line, Row, TextDiff};

/// A value on one line: a text as it is, anything else as JSON; `—` where the side says nothing of it.
pub fn one_line(value: Option<&Json>) -> String {
    match value {
        None => String::from("—"),
        Some(Json::String(text)) if text.is_empty() => String::from("\"\""),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(items)) if items.iter().all(|item| item.as_str().is_some()) && !items.is_empty() => {
            items.iter().filter_map(Json::as_str).map(short_range).collect::<Vec<_>>().join("  ")
        }
        Some(Json::Object(members)) if is_place(members) => place(members),
        Some(value) => value.to_text(),
    }
}

/// `2:255-2:255` is one verse: `2:255`.
fn short_range(range: &str) -> &str {
    match range.split_once('-') {
        Some((from, to)) if from == to => from,
        _ => range,
    }
}

/// A coupled position is written as people write it: `18:10`.
fn is_place(members: &indexmap::IndexMap<String, Json>) -> bool {
    !members.is_empty()
        && members.iter().all(|(name, value)| {
            matches!(name.as_str(), "key" | "verseNumber" | "chapterNumber")
                && matches!(value, Json::Number(_))
        })
}

fn place(members: &indexmap::IndexMap<String, Json>) -> String {
    let number = |names: [&str; 2]| {
        names.iter().find_map(|name| match members.get(*name) {
            Some(Json::Number(number)) => Some(number.as_str().to_owned()),
            _ => None,
        })
    };
    let parts = [number(["key", "chapterNumber"]), number(["verseNumber", "verseNumber"])];
    parts.into_iter().flatten().collect::<Vec<_>>().join(":")
}

/// Draws one side of a row of a comparison.
pub fn diff_row(
    canvas: &mut Canvas,
    (x, y): (u16, u16),
    room: u16,
    side: Side,
    text: &str,
    diff: &TextDiff,
    drawn: &Drawn,
) {
    let range = match side {
        Side::Device => &drawn.device,
        Side::Server => &drawn.server,
    };
    let Some(range) = range else { return };
    let Some(stretch) = text.get(range.clone()) else { return };
    let line = match (diff.rows.get(drawn.row), side) {
        (Some(Row::Change { device, .. }), Side::Device) => device.as_ref(),
        (Some(Row::Change { server, .. }), Side::Server) => server.as_ref(),
        _ => None,
    };
    let plain = canvas.style(if line.is_some() { look(side).ink } else { Ink::Text });
    let changed = canvas.style(Ink::Changed(side));
    let is_changed = |source: &Range<usize>| {
        let source = range.start + source.start..range.start + source.end;
        line.is_some_and(|line: &Line| line.is_changed(&source))
    };
    let used = canvas.row(x, y, room, stretch, |cell| if is_changed(&cell.source) { changed } else { plain });
    // A line end that only this side has would not be seen.
    if stretch.ends_with('\n') && used < room && is_changed(&(stretch.len() - 1..stretch.len())) {
        canvas.words_in(x + used, y, 1, "⏎", changed);
    }
}

/// Whether a row of the screen shows anything that only one side has.
pub fn is_changed(diff: &TextDiff, drawn: &Drawn) -> bool {
    let Some(Row::Change { device, server }) = diff.rows.get(drawn.row) else { return false };
    [(device, &drawn.device), (server, &drawn.server)].into_iter().any(|(line, range)| {
        line.as_ref().zip(range.as_ref()).is_some_and(|(line, range)| line.is_changed(range))
    })
}

/// No more of a text than a line can show: it may be a megabyte.
pub fn short(text: &str) -> &str {
    text.char_indices().nth(400).map_or(text, |(at, _)| &text[..at])
}

/// What a fold hides, in words.
pub fn fold_words(row: &Row) -> Option<String> {
    let Row::Fold { lines, words, .. } = row else { return None };
    let count = |number: usize, noun: &str| {
        if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", super::footer::grouped(number)) }
    };
    Some(match (lines, words) {
        (0, words) => format!("⋯ {} the same", count(*words, "word")),
        (lines, _) => format!("⋯ {} the same", count(*lines, "line")),
    })
}
