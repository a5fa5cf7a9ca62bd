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
    /// One of several, behind its mark.
    Item,
    /// Something that is well.
    Good,
    /// Something to mind.
    Warning,
    /// A lost value, struck through.
    Lost,
}

/// A page of prose.
#[derive(Clone, Default)]
pub struct Page {
    paragraphs: Vec<Paragraph>,
    rows: Vec<(usize, Range<usize>)>,
    width: usize,
    /// Which rows are visible.
    pub scroll: Scroll,
}

#[derive(Clone)]
struct Paragraph {
    rank: Rank,
    mark: char,
    text: String,
}

/// A row of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRow<'a> {
    /// What its paragraph is.
    pub rank: Rank,
    /// The paragraph's mark, on its first row.
    pub mark: Option<char>,
    /// Columns to leave free in front of the text.
    pub indent: usize,
    /// The text; it may hold anything.
    pub text: &'a str,
}

impl Page {
    /// Adds a paragraph.
    pub fn push(&mut self, rank: Rank, text: impl Into<String>) {
        self.item(rank, ' ', text);
    }

    /// Adds a paragraph that begins with a mark.
    pub fn item(&mut self, rank: Rank, mark: char, text: impl Into<String>) {
        self.paragraphs.push(Paragraph { rank, mark, text: text.into() });
        self.rows.clear();
    }

    /// The paragraphs' texts, in order.
    pub fn paragraphs(&self) -> impl Iterator<Item = &str> {
        self.paragraphs.iter().map(|paragraph| paragraph.text.as_str())
    }

    /// Breaks the paragraphs into rows for this width.
    pub fn fit(&mut self, width: usize, height: usize) {
        if self.width != width || self.rows.is_empty() {
            self.width = width;
            self.rows.clear();
            for (at, paragraph) in self.paragraphs.iter().enumerate() {
                if paragraph.rank == Rank::Heading && at > 0 {
                    self.rows.push((at - 1, 0..0));
                }
                let columns = width.saturating_sub(indent(paragraph.rank)).max(1);
                let rows = safe_text::wrap(&paragraph.text, columns);
                self.rows.extend(rows.into_iter().map(|row| (at, row)));
            }
        }
        self.scroll.fit(self.rows.len(), height);
    }

    /// The rows that are visible.
    pub fn visible(&self) -> impl Iterator<Item = PageRow<'_>> {
        self.rows.get(self.scroll.visible()).unwrap_or_default().iter().filter_map(|(at, range)| {
            let Paragraph { rank, mark, text } = self.paragraphs.get(*at)?;
            let text_row = text.get(range.clone())?;
            // The empty row in front of a heading belongs to no paragraph.
            let first = range.start == 0 && (text.is_empty() || !range.is_empty());
            Some(PageRow {
                rank: *rank,
                mark: (first && *mark != ' ').then_some(*mark),
                indent: indent(*rank),
                text: text_row,
            })
        })
    }
}

const fn indent(rank: Rank) -> usize {
    match rank {
        Rank::Title | Rank::Heading => 0,
        Rank::Text | Rank::Good | Rank::Warning => 2,
        Rank::Item => 4,
        Rank::Lost => 6,
    }
}
