//! One side's value: in rows with the words marked that only this side has.

use std::ops::Range;

use super::canvas::Canvas;
use super::theme::{Ink, look};
use crate::app::Drawn;
pub use crate::app::one_line;
use crate::domain::mutation::Side;
use crate::domain::text::{Line, Row, TextDiff};

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
