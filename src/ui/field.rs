//! One field: a row of the table, or the marked one with both sides in full.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::result;
use super::theme::{Ink, look};
use super::value::{self, one_line, short};
use crate::app::{Bench, Drawn, drawn};
use crate::domain::field::{Base, Field, FieldShape, Verdict};
use crate::domain::inspect::Pair;
use crate::domain::json::Json;
use crate::domain::mutation::Side;
use crate::domain::text::TextDiff;
use crate::domain::{naming, safe_text};

/// The columns of the table.
pub struct Columns {
    /// The field's name, two columns for the mark included.
    pub name: u16,
    /// One side; none where there is no room for a table.
    pub side: u16,
    /// The result.
    pub result: u16,
}

impl Columns {
    /// The columns at a width.
    pub const fn of(width: u16) -> Self {
        let (name, result) = match width {
            140.. => (19, 36),
            98.. => (19, 28),
            56.. => (18, 19),
            _ => return Self { name: 15, side: 0, result: width.saturating_sub(16) },
        };
        Self { name, side: (width - name - result) / 2, result }
    }
}

/// What is needed to draw a field.
#[derive(Clone, Copy)]
pub struct FieldView<'c> {
    /// The inspection and the choices.
    pub bench: &'c Bench,
    /// The resource.
    pub pair: &'c Pair,
    /// The field.
    pub field: &'c Field,
    /// Whether it is the marked one.
    pub marked: bool,
    /// Whether both sides in full stand side by side.
    pub wide: bool,
}

/// A comparison with its two texts.
struct Texts<'c> {
    diff: &'c TextDiff,
    device: &'c str,
    server: &'c str,
}

impl<'c> Texts<'c> {
    const fn of(&self, side: Side) -> &'c str {
        match side {
            Side::Device => self.device,
            Side::Server => self.server,
        }
    }

    /// The rows to show where there is room for `room`: from the top if all fit, else from the first change.
    fn rows(&self, columns: usize, room: usize) -> (Vec<Drawn>, bool) {
        let most = room.saturating_add(16);
        let mut rows = drawn(self.diff, self.device, self.server, (columns, true), most);
        if rows.len() > room {
            let first = rows.iter().position(|row| value::is_changed(self.diff, row)).unwrap_or(0);
            rows.drain(..first.saturating_sub(1));
        }
        let cut = rows.len() > room;
        (rows, cut)
    }
}

impl<'c> FieldView<'c> {
    /// Draws the field; in full where it is marked and there is more than a row.
    pub fn draw(&self, canvas: &mut Canvas, area: Rect) {
        if self.wide && self.marked && area.height > 1 {
            self.beside(canvas, area);
        } else {
            self.row(canvas, area);
            if !self.wide && self.marked && area.height > 1 {
                self.stacked(canvas, Rect { y: area.y + 1, height: area.height - 1, ..area });
            }
        }
    }

    /// Rows that the marked field would take in an area of this size.
    pub fn wants(&self, area: Rect) -> u16 {
        let most = usize::from(area.height);
        let columns = self.text_columns(area.width);
        let height = |side: Side| safe_text::wrap(&clipped(&self.line(side), most * columns), columns).len();
        let rows = match (self.texts(), self.wide) {
            (Some(texts), true) => texts.rows(columns, most).0.len(),
            (Some(texts), false) => {
                let rows = texts.rows(columns, most).0;
                let count = |side: Side| rows.iter().filter(|row| shows(texts.diff, row, side)).count();
                count(Side::Device) + count(Side::Server)
            }
            (None, true) => height(Side::Device).max(height(Side::Server)),
            (None, false) => height(Side::Device) + height(Side::Server),
        };
        let rows = u16::try_from(rows.min(most)).unwrap_or(u16::MAX);
        let base = u16::from(self.base().is_some());
        let options = u16::try_from(result::options(self.bench, self.pair, self.field).len()).unwrap_or(0);
        if !self.wide {
            return rows.saturating_add(base + 1);
        }
        let result = result::wants(self.bench, self.field, Columns::of(area.width).result);
        rows.saturating_add(base).max(options + 1).max(result).min(area.height.max(1))
    }

    fn line(&self, side: Side) -> String {
        match (self.field.value(side), side) {
            (None, Side::Server) => {
                let twin = naming::twin_value(&self.bench.inspection, self.pair, &self.field.path);
                twin.map_or_else(|| one_line(None), |twin| format!("perhaps: {}", one_line(Some(&twin))))
            }
            (value, _) => one_line(value),
        }
    }

    const fn base(&self) -> Option<&'c Json> {
        match &self.field.base {
            Base::Recorded(value) => Some(value),
            Base::Absent => None,
        }
    }

    fn text_columns(&self, width: u16) -> usize {
        usize::from(if self.wide {
            Columns::of(width).side.saturating_sub(2)
        } else {
            width.saturating_sub(6)
        })
    }

    /// The comparison, where this is the marked field and it is there.
    fn texts(&self) -> Option<Texts<'c>> {
        let bench: &'c Bench = self.bench;
        let compared = bench.compared.as_ref().filter(|_| self.marked)?;
        let unit = bench.unit()?;
        let diff = compared.diff.as_ref().filter(|_| compared.unit == unit)?;
        Some(Texts { diff, device: compared.device.as_deref()?, server: compared.server.as_deref()? })
    }

    fn name(&self, canvas: &mut Canvas, area: Rect, room: u16) {
        let open = result::is_open(self.bench, self.pair, self.field);
        let ink = if open { Ink::Conflict } else { self.quiet(Ink::Text) };
        canvas.data(area.x + 2, area.y, room.saturating_sub(3), &self.field.path.label(), ink);
    }

    /// A field about which nothing has to be decided steps back.
    const fn quiet(&self, ink: Ink) -> Ink {
        match (self.field.shape, self.field.verdict) {
            (FieldShape::Bookkeeping, _) | (_, Verdict::Equal | Verdict::SameChange) => Ink::Dim,
            (_, Verdict::Conflict | Verdict::DeviceOnly | Verdict::ServerOnly) => ink,
        }
    }

    /// A row of the table.
    fn row(&self, canvas: &mut Canvas, area: Rect) {
        let columns = Columns::of(area.width);
        self.name(canvas, area, columns.name);
        let mut x = area.x + columns.name;
        // In full the sides follow below.
        let in_full = self.marked && area.height > 1;
        if columns.side > 0 && !in_full {
            for side in [Side::Device, Side::Server] {
                let value = self.field.value(side);
                let ink = if value.is_none() { Ink::Dim } else { self.quiet(look(side).ink) };
                canvas.words(x, area.y, 1, "▌", ink);
                canvas.data(x + 1, area.y, columns.side.saturating_sub(2), short(&self.line(side)), ink);
                x += columns.side;
            }
        }
        let room = area.right().saturating_sub(x + 1);
        let place = Rect { x, width: room, height: 1, ..area };
        result::draw(canvas, self.bench, self.pair, self.field, place, in_full);
    }

    /// Both sides in full, side by side.
    fn beside(&self, canvas: &mut Canvas, area: Rect) {
        let columns = Columns::of(area.width);
        self.name(canvas, area, columns.name);
        let base = self.base();
        let height = area.height - u16::from(base.is_some());
        let room = columns.side.saturating_sub(2);
        let x = |side: Side| area.x + columns.name + if side == Side::Server { columns.side } else { 0 };
        if let Some(texts) = self.texts() {
            let (rows, cut) = texts.rows(usize::from(room), usize::from(height));
            for (y, row) in (area.y..area.y + height).zip(&rows) {
                if let Some(words) = texts.diff.rows.get(row.row).and_then(value::fold_words) {
                    canvas.words(x(Side::Device) + 1, y, room, &words, Ink::Dim);
                    continue;
                }
                for side in [Side::Device, Side::Server] {
                    canvas.words(x(side), y, 1, "▌", look(side).ink);
                    value::diff_row(canvas, (x(side) + 1, y), room, side, texts.of(side), texts.diff, row);
                }
            }
            if cut {
                more(canvas, x(Side::Server) + columns.side, area.y + height - 1);
            }
        } else {
            for side in [Side::Device, Side::Server] {
                self.plain(canvas, Rect { x: x(side), y: area.y, width: room + 1, height }, side);
            }
        }
        if let Some(base) = base {
            let y = area.bottom() - 1;
            canvas.words(area.x + 4, y, columns.name, "base", Ink::Dim);
            let room = (columns.side * 2).saturating_sub(2);
            canvas.data(x(Side::Device) + 1, y, room, short(&one_line(Some(base))), Ink::Dim);
        }
        let place = Rect { x: area.x + columns.name + columns.side * 2, width: columns.result, ..area };
        result::draw(canvas, self.bench, self.pair, self.field, place, true);
    }

    /// A value without a comparison, in rows behind its side's bar; answers the rows it took.
    fn plain(&self, canvas: &mut Canvas, area: Rect, side: Side) -> u16 {
        let absent = self.field.value(side).is_none();
        let style = canvas.style(if absent { Ink::Dim } else { self.quiet(look(side).ink) });
        let text = self.line(side);
        let room = area.width.saturating_sub(1);
        let mut used = 0;
        for range in safe_text::wrap(&text, usize::from(room)).into_iter().take(usize::from(area.height)) {
            canvas.words(area.x, area.y + used, 1, "▌", look(side).ink);
            canvas.row(area.x + 1, area.y + used, room, &text[range], |_| style);
            used += 1;
        }
        used
    }

    /// Both sides in full, one over the other, and the base below.
    pub fn stacked(&self, canvas: &mut Canvas, area: Rect) {
        let bottom = area.bottom() - u16::from(self.base().is_some() && area.height > 2);
        let room = area.width.saturating_sub(6);
        let half = (bottom.saturating_sub(area.y) / 2).max(1);
        let mut y = area.y;
        for side in [Side::Device, Side::Server] {
            let left = bottom.saturating_sub(y);
            let height = if side == Side::Device { half.min(left) } else { left };
            let place = Rect { x: area.x + 3, y, width: room + 1, height };
            let used = self.stacked_side(canvas, place, side);
            for row in y..y + used {
                canvas.words(area.x + 2, row, 1, look(side).glyph, look(side).ink);
            }
            y += used;
        }
        if let Some(base) = self.base().filter(|_| y < area.bottom()) {
            canvas.words(area.x + 2, y, 4, "base", Ink::Dim);
            canvas.data(area.x + 7, y, area.width.saturating_sub(8), short(&one_line(Some(base))), Ink::Dim);
        }
    }

    fn stacked_side(&self, canvas: &mut Canvas, area: Rect, side: Side) -> u16 {
        let Some(texts) = self.texts() else { return self.plain(canvas, area, side) };
        let room = area.width.saturating_sub(1);
        let (rows, _) = texts.rows(usize::from(room), usize::from(area.height));
        let mut used = 0;
        for row in rows.iter().filter(|row| shows(texts.diff, row, side)) {
            if used == area.height {
                more(canvas, area.right() + 2, area.y + used - 1);
                break;
            }
            let y = area.y + used;
            canvas.words(area.x, y, 1, "▌", look(side).ink);
            match texts.diff.rows.get(row.row).and_then(value::fold_words) {
                Some(words) => {
                    canvas.words(area.x + 1, y, room, &words, Ink::Dim);
                }
                None => value::diff_row(canvas, (area.x + 1, y), room, side, texts.of(side), texts.diff, row),
            }
            used += 1;
        }
        used
    }
}

/// Whether one side has something to show in a row: its own text, or a fold.
fn shows(diff: &TextDiff, row: &Drawn, side: Side) -> bool {
    let own = match side {
        Side::Device => row.device.is_some(),
        Side::Server => row.server.is_some(),
    };
    own || diff.rows.get(row.row).and_then(value::fold_words).is_some()
}

/// There is more than is shown; the text ends left of `right`.
fn more(canvas: &mut Canvas, right: u16, y: u16) {
    canvas.words(right.saturating_sub(14), y, 13, " … Enter: all", Ink::Key);
}

fn clipped(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
