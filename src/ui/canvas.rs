//! Puts text into the buffer. Whatever comes from data is drawn cell by cell through `safe_text`, in logical order;
//! nothing is ever drawn outside the area.
//!
//! Which cells belong to one text is remembered: when the frame is finished, a text that a terminal might reorder gets
//! a mark at each of its edges, so that no terminal moves anything of it into another column.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;

use super::theme::{Ink, Theme};
use super::{Regions, Target};
use crate::domain::bidi;
use crate::domain::safe_text::{self, Cell};

/// The buffer with the theme, and what was drawn where.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    theme: Theme,
    /// Which text each cell of the area belongs to; [`NO_TEXT`] where the program's own words or nothing stand.
    texts: Vec<u32>,
    /// The text being drawn.
    text: u32,
    /// How many texts were drawn.
    drawn: u32,
    /// What was drawn where.
    pub regions: Regions,
}

/// No text of the data.
const NO_TEXT: u32 = 0;

impl<'a> Canvas<'a> {
    /// A canvas on `area` of the buffer.
    pub fn new(buffer: &'a mut Buffer, area: Rect, theme: Theme) -> Self {
        let area = area.intersection(buffer.area);
        let texts = vec![NO_TEXT; usize::from(area.width) * usize::from(area.height)];
        Self { buffer, area, theme, texts, text: NO_TEXT, drawn: 0, regions: Regions::default() }
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
                self.belongs(x, y, NO_TEXT);
            }
        }
    }

    /// The cell belongs to `text` from now on.
    fn belongs(&mut self, x: u16, y: u16, text: u32) {
        let row = usize::from(y - self.area.y) * usize::from(self.area.width);
        if let Some(of) = self.texts.get_mut(row + usize::from(x - self.area.x)) {
            *of = text;
        }
    }

    /// Draws a text of its own: whatever `draw` draws belongs together.
    fn one_text(&mut self, draw: impl FnOnce(&mut Self) -> u16) -> u16 {
        self.drawn += 1;
        self.text = self.drawn;
        let used = draw(self);
        self.text = NO_TEXT;
        used
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
        self.one_text(|canvas| canvas.clipped(x, y, room, text, style))
    }

    fn clipped(&mut self, x: u16, y: u16, room: u16, text: &str, style: impl Fn(&Cell) -> Style) -> u16 {
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
        self.one_text(|canvas| canvas.fitting(x, y, room, text, style))
    }

    fn fitting(&mut self, x: u16, y: u16, room: u16, text: &str, style: impl Fn(&Cell) -> Style) -> u16 {
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
            self.belongs(x, y, self.text);
        }
    }

    /// Draws a widget of ratatui's: charts of numbers under words of the program. Data never goes this way.
    pub fn widget(&mut self, area: Rect, widget: impl Widget) {
        let area = area.intersection(self.area);
        if !area.is_empty() {
            for y in area.y..area.bottom() {
                for x in area.x..area.right() {
                    self.belongs(x, y, NO_TEXT);
                }
            }
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

    /// Makes the frame fit for any terminal; the last thing to be done to it.
    pub fn finish(&mut self) {
        for y in self.area.y..self.area.bottom() {
            let turns = self.sweep(y);
            if turns {
                self.keep_apart(y);
            }
        }
    }

    /// Replaces whatever could act on the terminal or hide in it. Nothing that was drawn as above holds any; this is
    /// the last line of defence. Answers whether a terminal might reorder the row.
    fn sweep(&mut self, y: u16) -> bool {
        let mut turns = false;
        for x in self.area.x..self.area.right() {
            let Some(cell) = self.buffer.cell_mut((x, y)) else { continue };
            if cell.symbol().is_empty() || cell.symbol().chars().any(is_hostile) {
                cell.set_symbol("?");
            }
            turns |= cell.symbol().contains(bidi::turns);
        }
        turns
    }

    /// Puts a mark behind each text of the row that a terminal might reorder, and one before the first of them: some
    /// terminals take the direction of the whole row from its first letter. So each such text stands between two marks.
    fn keep_apart(&mut self, y: u16) {
        let row = usize::from(y - self.area.y) * usize::from(self.area.width);
        let mut cells: Vec<Drawn> = Vec::new();
        let mut x = self.area.x;
        while let Some(cell) = self.buffer.cell((x, y)).filter(|_| x < self.area.right()) {
            let (symbol, at) = (cell.symbol(), row + usize::from(x - self.area.x));
            // Signs with which the program joins several texts into one, as in `Ramadan · 2:255`, are none of either.
            let joins = matches!(symbol, "·" | "→" | "←");
            let text = self.texts.get(at).copied().filter(|_| !joins).unwrap_or(NO_TEXT);
            cells.push(Drawn { x, text, turns: symbol.contains(bidi::turns), blank: symbol == " " });
            x = x.saturating_add(safe_text::columns(symbol).max(1));
        }
        let mut behind: Vec<u16> = Vec::new();
        let mut start = 0;
        for text in cells.chunk_by(|one, next| one.text == next.text && one.text != NO_TEXT) {
            let end = start + text.len();
            if text.iter().any(|cell| cell.turns) {
                if behind.is_empty() {
                    let before = &cells[..start];
                    match before.iter().rev().find(|cell| cell.blank).or(before.last()) {
                        Some(cell) => behind.push(cell.x),
                        None => self.mark(self.area.x, y, true),
                    }
                }
                let next = cells.get(end).filter(|cell| cell.blank);
                behind.extend(next.or(text.last()).map(|cell| cell.x));
            }
            start = end;
        }
        for x in behind {
            self.mark(x, y, false);
        }
    }

    /// Adds a mark to a cell. Best to a blank one: a terminal keeps what takes no column with what it drew before, and
    /// draws letters, bars and frames otherwise where something is with them.
    fn mark(&mut self, x: u16, y: u16, before: bool) {
        let style_of = |cell: &ratatui::buffer::Cell| (cell.fg, cell.bg, cell.modifier);
        let next = self.buffer.cell((x + 1, y)).map(style_of);
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            let symbol = cell.symbol();
            // Emulators that know nothing of such characters (pyte, and with it termtosvg) pass over the rest of a run
            // of characters of one style. So the run ends here; of a blank nobody sees in what style it is.
            if symbol == " " && next == Some(style_of(cell)) {
                cell.modifier.toggle(Modifier::ITALIC);
            }
            let symbol = cell.symbol();
            let marked =
                if before { format!("{}{symbol}", bidi::MARK) } else { format!("{symbol}{}", bidi::MARK) };
            cell.set_symbol(&marked);
        }
    }
}

/// A cell of a row as a terminal gets it; what a wide one covers is none.
struct Drawn {
    x: u16,
    text: u32,
    /// A terminal might reorder what stands beside it.
    turns: bool,
    blank: bool,
}

/// Controls, bidi marks and overrides, zero-width and invisible characters; written down apart from `safe_text`.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}')
}
