//! Prose on the screen: paragraphs with a rank, broken into rows at a width, scrolled.

use std::ops::Range;

use super::selection::Scroll;
use crate::domain::safe_text;

/// What a paragraph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// What the page is about.
    Title,
    /// The head of a section.
    Heading,
    /// Something to know.
    Text,
    /// One of several; it begins with its mark.
    Item,
    /// A detail.
    Detail,
    /// Something that is well.
    Good,
    /// Something to mind.
    Warning,
}

/// A page of prose.
#[derive(Clone, Default)]
pub struct Page {
    paragraphs: Vec<(Rank, String)>,
    rows: Vec<(usize, Range<usize>)>,
    width: usize,
    /// Which rows are visible.
    pub scroll: Scroll,
}

impl Page {
    /// Adds a paragraph.
    pub fn push(&mut self, rank: Rank, text: impl Into<String>) {
        self.paragraphs.push((rank, text.into()));
        self.rows.clear();
    }

    /// The paragraphs' texts, in order.
    pub fn paragraphs(&self) -> impl Iterator<Item = &str> {
        self.paragraphs.iter().map(|(_, text)| text.as_str())
    }

    /// Breaks the paragraphs into rows for this width.
    pub fn fit(&mut self, width: usize, height: usize) {
        if self.width != width || self.rows.is_empty() {
            self.width = width;
            self.rows.clear();
            for (at, (rank, text)) in self.paragraphs.iter().enumerate() {
                if *rank == Rank::Heading && at > 0 {
                    self.rows.push((at, 0..0));
                }
                let rows = safe_text::wrap(text, width.saturating_sub(indent(*rank)).max(1));
                self.rows.extend(rows.into_iter().map(|row| (at, row)));
            }
        }
        self.scroll.fit(self.rows.len(), height);
    }

    /// The rows that are visible: rank, columns to leave free, text.
    pub fn visible(&self) -> impl Iterator<Item = (Rank, usize, &str)> {
        self.rows.get(self.scroll.visible()).unwrap_or_default().iter().filter_map(|(at, range)| {
            let (rank, text) = self.paragraphs.get(*at)?;
            let hang = usize::from(*rank == Rank::Item && range.start > 0) * 2;
            Some((*rank, indent(*rank) + hang.min(2), text.get(range.clone())?))
        })
    }
}

const fn indent(rank: Rank) -> usize {
    match rank {
        Rank::Title | Rank::Heading => 0,
        Rank::Text | Rank::Good | Rank::Warning | Rank::Item => 2,
        Rank::Detail => 4,
    }
}
