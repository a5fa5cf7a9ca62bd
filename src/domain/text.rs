//! A device's text beside a server's: which stretches are the same, which differ, in rows for drawing the two side
//! by side. No styles, and nothing of how it is shown.
//!
//! ```text
//! two texts ─> pieces ─> folded pieces ─> rows
//!             compare         rows
//! ```
//!
//! Lines are compared first, then the words of the lines that differ, then the letters of words that are alike, as
//! `صبر` and `صَبْر` are. That takes time on large texts, so the caller gives a deadline (the clock is read for nothing
//! else) and the result says how fine it is.

mod compare;
mod rows;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::time::Instant;

use compare::Compared;

/// How to compare.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// After this instant nothing finer is tried. Without one the limits of size alone bound the time (seconds).
    pub deadline: Option<Instant>,
    /// What to hide of long stretches that are the same on both sides; `None` hides nothing.
    pub folding: Option<Folding>,
}

/// How much of a stretch that is the same on both sides stays beside a change. What is reached first counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Folding {
    /// Lines, the rest of a changed line included; 0 means 1.
    pub lines: usize,
    /// Characters (graphemes), so that a note that is one line of 3,000 words folds as well. Words stay whole.
    pub characters: usize,
}

impl Default for Folding {
    fn default() -> Self {
        Self { lines: 3, characters: 60 }
    }
}

/// How finely the two texts were compared, finest first: the coarsest that was needed anywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Precision {
    /// As finely as it can be: words, and letters within words that are alike.
    Graphemes,
    /// Some changed words were not compared letter by letter.
    Words,
    /// Some changed lines were not, or not to the end, compared word by word.
    Lines,
    /// The texts are too large to compare: only what is the same at their beginning and end is known.
    Whole,
}

/// Two texts side by side. The rows of one side, one after the other, are that side's text to the byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextDiff {
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// How finely the texts were compared.
    pub precision: Precision,
    /// Places where the texts differ; 0 if they are equal.
    pub changes: usize,
    changed_words: (usize, usize),
}

/// What stands side by side. Ranges are bytes of the two texts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// The same line, or part of a line, on both sides.
    Same {
        /// In the device's text.
        device: Range<usize>,
        /// In the server's text.
        server: Range<usize>,
    },
    /// A stretch that is the same on both sides and is hidden. [`TextDiff::unfold`] shows it.
    Fold {
        /// In the device's text.
        device: Range<usize>,
        /// In the server's text.
        server: Range<usize>,
        /// Line ends in it; 0 within a line.
        lines: usize,
        /// Words in it.
        words: usize,
    },
    /// Lines that differ. `None` where a side has nothing here, which an empty text is not.
    Change {
        /// The device's side.
        device: Option<Line>,
        /// The server's side.
        server: Option<Line>,
    },
}

/// One side of a row: mostly a line with its line end, or the part of a line between two folds. It is several lines
/// where the other side has no line end at the same place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Bytes of this side's text.
    pub range: Range<usize>,
    /// They cover `range`; neighbours have different marks.
    pub spans: Vec<Span>,
}

/// A stretch of one side's text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// Bytes of this side's text.
    pub range: Range<usize>,
    /// Whether the other side has it too.
    pub mark: Mark,
}

/// Whether a stretch stands on both sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// The other side has it too.
    Same,
    /// Only this side has it.
    Changed,
}

impl Line {
    /// Does anything in `source`, bytes of this side's text, stand on this side only? A grapheme may reach over the
    /// border of two spans; it is changed if a part of it is.
    pub fn is_changed(&self, source: &Range<usize>) -> bool {
        let first = self.spans.partition_point(|span| span.range.end <= source.start);
        self.spans[first..]
            .iter()
            .take_while(|span| span.range.start < source.end)
            .any(|span| span.mark == Mark::Changed)
    }
}

impl TextDiff {
    /// Words that differ, of the device's text and of the server's. Both are 0 where only spaces or line ends do.
    pub fn changed_words(&self) -> (usize, usize) {
        self.changed_words
    }

    /// Shows what the fold at `row` hides, as rows in its place, and says how many those are. `device` is the text
    /// that was compared. Any other row stays as it is.
    pub fn unfold(&mut self, row: usize, device: &str) -> usize {
        let Some(Row::Fold { device: hidden, server, .. }) = self.rows.get(row).cloned() else {
            return 0;
        };
        let Some(text) = device.get(hidden.clone()) else {
            return 0;
        };
        let mut at = 0;
        let lines = text.split_inclusive('\n').map(|line| {
            let start = at;
            at += line.len();
            Row::Same {
                device: hidden.start + start..hidden.start + at,
                server: server.start + start..server.start + at,
            }
        });
        let lines: Vec<Row> = lines.collect();
        let count = lines.len();
        self.rows.splice(row..=row, lines);
        count
    }
}

/// Compares two texts; `None` is a text that is absent, which differs from an empty one.
///
/// Swapping the sides swaps them in the result and changes nothing else (unless a deadline cuts it short).
pub fn diff(device: Option<&str>, server: Option<&str>, options: &Options) -> TextDiff {
    let (device_text, server_text) = (device.unwrap_or_default(), server.unwrap_or_default());
    let Compared { pieces, precision, changed_words } =
        compare::compare(device_text, server_text, options.deadline);
    let places = pieces.iter().filter(|piece| piece.kind == Kind::Changed).count();
    let changes = places.max(usize::from(device.is_some() != server.is_some()));
    let pieces = match options.folding {
        Some(folding) => rows::fold(device_text, pieces, folding),
        None => pieces,
    };
    TextDiff { rows: rows::rows(device, server, &pieces), precision, changes, changed_words }
}

/// A stretch of both texts. Pieces follow each other without a gap on both sides.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Piece {
    device: Range<usize>,
    server: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// The same text on both sides.
    Same,
    /// Different text; one side may be empty.
    Changed,
    /// The same text on both sides, hidden.
    Folded,
}
