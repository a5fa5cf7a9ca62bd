//! Two texts side by side on the whole screen: rows as they are drawn at a width, folds, and where changes begin.

use std::ops::Range;
use std::sync::Arc;

use super::selection::Scroll;
use crate::domain::mutation::Side;
use crate::domain::resolution::Unit;
use crate::domain::safe_text;
use crate::domain::text::{Row, TextDiff};

/// A comparison on the whole screen.
pub struct DiffView {
    /// Which field.
    pub unit: Unit,
    /// Its name.
    pub label: String,
    /// The device's text.
    pub device: Arc<str>,
    /// The server's text.
    pub server: Arc<str>,
    /// The comparison; folds that were opened are no longer in it.
    pub diff: TextDiff,
    /// The rows as they are drawn.
    pub rows: Vec<Drawn>,
    /// Which of them are visible.
    pub scroll: Scroll,
    /// Columns of one side, and whether the sides stand side by side.
    pub columns: (usize, bool),
}

/// One row of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The row of the comparison that it is part of.
    pub row: usize,
    /// Bytes of the device's text, where it shows any.
    pub device: Option<Range<usize>>,
    /// Bytes of the server's text, where it shows any.
    pub server: Option<Range<usize>>,
}

impl DiffView {
    /// The text of one side.
    pub fn text(&self, side: Side) -> &str {
        match side {
            Side::Device => &self.device,
            Side::Server => &self.server,
        }
    }

    /// Makes the rows for these columns, if they are not made already.
    pub fn fit(&mut self, columns: (usize, bool), height: usize) {
        if self.columns != columns || self.rows.is_empty() {
            let at = self.rows.get(self.scroll.offset()).map_or(0, |drawn| drawn.row);
            self.columns = columns;
            self.rows = drawn(&self.diff, &self.device, &self.server, columns, usize::MAX);
            self.scroll.fit(self.rows.len(), height);
            self.scroll.go(self.rows.partition_point(|drawn| drawn.row < at));
        }
        self.scroll.fit(self.rows.len(), height);
    }

    /// Opens the first fold that is visible, or all. Answers whether there was one.
    pub fn unfold(&mut self, all: bool) -> bool {
        let visible = self.scroll.visible();
        let is_fold = |row: &usize| matches!(self.diff.rows.get(*row), Some(Row::Fold { .. }));
        let folds: Vec<usize> = if all {
            (0..self.diff.rows.len()).filter(is_fold).collect()
        } else {
            let seen = self.rows.get(visible).unwrap_or_default();
            seen.iter().map(|drawn| drawn.row).find(is_fold).into_iter().collect()
        };
        // From the end, so that the positions of those before stay what they are.
        for row in folds.iter().rev() {
            self.diff.unfold(*row, &self.device);
        }
        if !folds.is_empty() {
            let height = self.scroll.height();
            self.rows.clear();
            let columns = self.columns;
            let offset = self.scroll.offset();
            self.fit(columns, height);
            if !all {
                self.scroll.go(offset);
            }
        }
        !folds.is_empty()
    }

    /// Scrolls to the next (or the previous) change. Answers whether there is one.
    pub fn next_change(&mut self, forward: bool) -> bool {
        let here = self.scroll.offset();
        let begins = |at: &usize| {
            let change = |at: usize| {
                self.rows
                    .get(at)
                    .is_some_and(|d| matches!(self.diff.rows.get(d.row), Some(Row::Change { .. })))
            };
            change(*at) && (*at == 0 || !change(*at - 1))
        };
        let found =
            if forward { (here + 1..self.rows.len()).find(begins) } else { (0..here).rev().find(begins) };
        let Some(at) = found else { return false };
        self.scroll.go(at);
        // At the end of the text nothing moves: that was the last one.
        self.scroll.offset() != here
    }
}

/// A comparison as rows of the screen, no more than about `most`.
pub fn drawn(
    diff: &TextDiff,
    device: &str,
    server: &str,
    (columns, beside): (usize, bool),
    most: usize,
) -> Vec<Drawn> {
    let mut all = Vec::new();
    for (row, content) in diff.rows.iter().enumerate() {
        if all.len() >= most {
            break;
        }
        let (left, right) = match content {
            Row::Same { device, server } => (Some(device), Some(server)),
            Row::Fold { .. } => {
                all.push(Drawn { row, device: None, server: None });
                continue;
            }
            Row::Change { device, server } => {
                (device.as_ref().map(|line| &line.range), server.as_ref().map(|line| &line.range))
            }
        };
        let left = left.map_or_else(Vec::new, |range| wrapped(device, range, columns));
        let right = right.map_or_else(Vec::new, |range| wrapped(server, range, columns));
        if beside {
            for at in 0..left.len().max(right.len()) {
                all.push(Drawn { row, device: left.get(at).cloned(), server: right.get(at).cloned() });
            }
            continue;
        }
        all.extend(left.into_iter().map(|range| Drawn { row, device: Some(range), server: None }));
        if matches!(content, Row::Change { .. }) {
            all.extend(right.into_iter().map(|range| Drawn { row, device: None, server: Some(range) }));
        }
    }
    all
}

/// A stretch of a text in rows of at most `columns`; a line end is part of the last one.
pub fn wrapped(text: &str, range: &Range<usize>, columns: usize) -> Vec<Range<usize>> {
    let Some(stretch) = text.get(range.clone()) else { return Vec::new() };
    let line = stretch.strip_suffix('\n').unwrap_or(stretch);
    let mut rows: Vec<Range<usize>> = safe_text::wrap(line, columns)
        .into_iter()
        .map(|row| range.start + row.start..range.start + row.end)
        .collect();
    if let Some(last) = rows.last_mut() {
        last.end = range.end;
    }
    rows
}
