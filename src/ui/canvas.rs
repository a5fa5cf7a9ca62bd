//! Puts text into the buffer. Whatever comes from data is drawn cell by cell through `safe_text`, in logical order;
//! nothing is ever drawn outside the area.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::theme::{Ink, Theme};
use super::{Regions, Target};
use crate::domain::safe_text::{self, Cell};

/// The buffer with the theme, and what was drawn where.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    theme: Theme,
    /// What was drawn where.
    pub regions: Regions,
}

impl<'a> Canvas<'a> {
    /// A canvas on `area` of the buffer.
    pub fn new(buffer: &'a mut Buffer, area: Rect, theme: Theme) -> Self {
        let area = area.intersection(buffer.area);
        Self { buffer, area, theme, regions: Regions::default() }
    }

    /// The style of a meaning.
    pub fn style(&self, ink: Ink) -> Style {
        self.theme.style(ink)
    }

    /// The theme.
    pub const fn theme(&self) -> Theme {
        self.theme
    }

    /// The mouse on `area` means `target`.
    pub fn region(&mut self, area: Rect, target: Target) {
        self.regions.push(area.intersection(self.area), target);
    }

    /// Lays a style over an area.
    pub fn lay(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area.intersection(self.area), style);
    }

    /// Empties an area.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.area);
        for y in area.y..area.bottom() {
            for x in area.x..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
    }

    /// Draws words of the program itself, each character a column wide, in no more than `room` columns; answers
    /// how many it took, with `…` where they are cut. Data never comes here.
    pub fn words(&mut self, x: u16, y: u16, room: u16, text: &str, ink: Ink) -> u16 {
        let style = self.style(ink);
        self.words_in(x, y, room, text, style)
    }

    /// As [`Canvas::words`], in a style of its own.
    pub fn words_in(&mut self, x: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
        let mut used = 0;
        let mut symbol = [0; 4];
        let mut letters = text.chars().peekable();
        while let Some(c) = letters.next().filter(|_| used < room) {
            let cut = used + 1 == room && letters.peek().is_some();
            self.set(x.saturating_add(used), y, if cut { "…" } else { c.encode_utf8(&mut symbol) }, style);
            used += 1;
        }
        used
    }

    /// Draws a text that may hold anything on one line of no more than `room` columns, with `…` where it is cut;
    /// answers how many it took.
    pub fn data(&mut self, x: u16, y: u16, room: u16, text: &str, ink: Ink) -> u16 {
        let style = self.style(ink);
        self.styled(x, y, room, text, |_| style)
    }

    /// As [`Canvas::data`], with a style for each cell.
    pub fn styled(&mut self, x: u16, y: u16, room: u16, text: &str, style: impl Fn(&Cell) -> Style) -> u16 {
        let mut used = 0;
        // Where the text would be cut to leave a column for the ellipsis.
        let mut cut = 0;
        for cell in safe_text::cells(text) {
            if used + cell.width > room {
                if room > 0 {
                    let ellipsis = self.style(Ink::Dim);
                    for at in cut..used {
                        self.set(x.saturating_add(at), y, " ", Style::new());
                    }
                    self.set(x.saturating_add(cut), y, "…", ellipsis);
                }
                return (cut + 1).min(room);
            }
            self.cell(x.saturating_add(used), y, &cell, style(&cell));
            used += cell.width;
            if used < room {
                cut = used;
            }
        }
        used
    }

    /// Draws a row that is known to fit, such as one of `safe_text::wrap`; a line end at its end is not drawn.
    pub fn row(&mut self, x: u16, y: u16, room: u16, text: &str, style: impl Fn(&Cell) -> Style) -> u16 {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let mut used = 0;
        for cell in safe_text::cells(text) {
            // A space that did not fit behind the last word, or a cell wider than the row.
            if used + cell.width > room {
                break;
            }
            self.cell(x.saturating_add(used), y, &cell, style(&cell));
            used += cell.width;
        }
        used
    }

    fn cell(&mut self, x: u16, y: u16, cell: &Cell, style: Style) {
        if cell.stand_in {
            // A stand-in is made of characters that are one column wide.
            let style = style.patch(self.style(Ink::StandIn));
            let mut symbol = [0; 4];
            for (at, c) in (0..).zip(cell.symbol.chars()) {
                self.set(x.saturating_add(at), y, c.encode_utf8(&mut symbol), style);
            }
            return;
        }
        self.set(x, y, &cell.symbol, style);
        for at in 1..cell.width {
            self.set(x.saturating_add(at), y, " ", style);
        }
    }

    fn set(&mut self, x: u16, y: u16, symbol: &str, style: Style) {
        if self.area.contains((x, y).into())
            && let Some(cell) = self.buffer.cell_mut((x, y))
        {
            // Nothing of what was drawn here before shines through.
            cell.reset();
            cell.set_symbol(symbol).set_style(style);
        }
    }

    /// Draws a widget of ratatui's: charts of numbers under words of the program. Data never goes this way.
    pub fn widget(&mut self, area: Rect, widget: impl Widget) {
        let area = area.intersection(self.area);
        if !area.is_empty() {
            widget.render(area, self.buffer);
        }
    }

    /// Draws a horizontal line.
    pub fn line(&mut self, x: u16, y: u16, width: u16, ends: [&str; 2]) {
        self.line_in(x, y, width, ends, Ink::Frame);
    }

    fn line_in(&mut self, x: u16, y: u16, width: u16, ends: [&str; 2], ink: Ink) {
        let style = self.style(ink);
        for at in 0..width {
            let symbol = match at {
                0 => ends[0],
                at if at + 1 == width => ends[1],
                _ => "─",
            };
            self.set(x.saturating_add(at), y, symbol, style);
        }
    }

    /// Draws the border of an area.
    pub fn border(&mut self, area: Rect) {
        self.border_in(area, Ink::Frame);
    }

    /// As [`Canvas::border`], in an ink of its own.
    pub fn border_in(&mut self, area: Rect, ink: Ink) {
        if area.height < 2 || area.width < 2 {
            return;
        }
        self.line_in(area.x, area.y, area.width, ["┌", "┐"], ink);
        self.line_in(area.x, area.bottom() - 1, area.width, ["└", "┘"], ink);
        let style = self.style(ink);
        for y in area.y + 1..area.bottom() - 1 {
            self.set(area.x, y, "│", style);
            self.set(area.right() - 1, y, "│", style);
        }
    }

    /// Draws one piece of a border.
    pub fn joint(&mut self, x: u16, y: u16, symbol: &str) {
        let style = self.style(Ink::Frame);
        self.set(x, y, symbol, style);
    }

    /// Draws where in a list of `len` the rows `visible` lie, on the border at `x` beside `area`.
    pub fn scrollbar(&mut self, x: u16, area: Rect, visible: &std::ops::Range<usize>, len: usize) {
        let height = usize::from(area.height);
        if len <= visible.len() || height == 0 {
            return;
        }
        let thumb = (visible.len() * height / len).clamp(1, height);
        let room = height - thumb;
        let travel = len - visible.len();
        let top = (visible.start * room).div_ceil(travel.max(1)).min(room);
        let style = self.style(Ink::Dim);
        for at in top..top + thumb {
            self.set(x, area.y.saturating_add(u16::try_from(at).unwrap_or(0)), "┃", style);
        }
    }

    /// Replaces whatever could act on the terminal or hide in it. Nothing that was drawn as above holds any; this is
    /// the last line of defence.
    pub fn sweep(&mut self) {
        for y in self.area.y..self.area.bottom() {
            for x in self.area.x..self.area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y))
                    && (cell.symbol().is_empty() || cell.symbol().chars().any(is_hostile))
                {
                    cell.set_symbol("?");
                }
            }
        }
    }
}

/// Controls, bidi marks and overrides, zero-width and invisible characters; written down apart from `safe_text`.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}')
}
