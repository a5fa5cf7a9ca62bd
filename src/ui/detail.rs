//! The fields of the marked resource: what each side says, what survives, and for the marked one both texts with
//! the words marked in which they differ.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use super::field::{Columns, FieldView};
use super::theme::{Ink, look};
use super::{Target, about, list};
use crate::app::{self, App, Bench, Focus, Focused, Standing};
use crate::domain::field::{Base, Field};
use crate::domain::inspect::{Pair, Status};
use crate::domain::mutation::Side;
use crate::domain::{naming, safe_text};

/// Draws the detail with its part of the frame.
pub fn draw(canvas: &mut Canvas, app: &App, bench: &Bench) {
    let layout = app.layout();
    let area = layout.fields;
    let top = area.y - 1;
    if layout.both_panes {
        canvas.line(layout.frame.x, top, layout.frame.width, ["├", "┤"]);
        // Below the joints of the list.
        for x in list::joints(app) {
            canvas.joint(x, top, "┴");
        }
    } else {
        canvas.border(layout.frame);
    }
    canvas.region(area, Target::Fields);
    let (Some(focused), Some((_, pair))) = (&bench.focused, bench.pair()) else {
        let text = if bench.inspection.pairs.is_empty() {
            "There is nothing to choose and nothing to send. r pulls again, q leaves."
        } else {
            "no resource is marked"
        };
        canvas.words(area.x + 2, area.y, area.width.saturating_sub(3), text, Ink::Dim);
        return;
    };
    title(canvas, app, bench, focused, pair, top);
    Pane { canvas, app, bench, focused, pair, area }.draw();
}

/// Which resource, what both sides did to it, and where it stands.
fn title(canvas: &mut Canvas, app: &App, bench: &Bench, focused: &Focused, pair: &Pair, y: u16) {
    let area = app.layout().fields;
    let right = area.right().saturating_sub(1);
    let settled = bench.resolution.settles(focused.id, pair);
    let mut x = area.x + canvas.words(area.x, y, 1, " ", Ink::Text);
    let standing = app::standing(&bench.inspection, &bench.resolution, focused.id);
    x += canvas.words(x, y, 2, list::standing_glyph(standing), list::standing_ink(standing, settled));
    x += canvas.words(x, y, 1, " ", Ink::Text);
    let ink = if app.focus() == Focus::Fields { Ink::Title } else { Ink::Strong };
    let label = naming::label(&bench.inspection, pair);
    x += canvas.data(x, y, right.saturating_sub(x).min(48), &label, ink);
    let recorded = focused.details.fields.iter().any(|field| matches!(field.base, Base::Recorded(_)));
    let both = !pair.device.is_empty() && !pair.server.is_empty();
    let state = match (standing, settled) {
        (Standing::Found(Status::Diverged), true) => "resolved",
        (Standing::Found(Status::Diverged), false) if pair.contest().is_some() => {
            pair.contest().map_or("", |rival| rival.contest.word())
        }
        (standing, _) => standing.word(),
    };
    let base = match (both, recorded) {
        (false, _) => "",
        (true, true) => " · base recorded",
        (true, false) => " · no base",
    };
    let sura = naming::sura(&bench.inspection, pair).map(|name| format!(" · {name}")).unwrap_or_default();
    let told = format!(" · {} · {state}{base}{sura} ", pair.shape);
    canvas.words(x, y, right.saturating_sub(x), &told, Ink::Dim);
}

struct Pane<'a, 'b, 'c> {
    canvas: &'a mut Canvas<'b>,
    app: &'c App,
    bench: &'c Bench,
    focused: &'c Focused,
    pair: &'c Pair,
    area: Rect,
}

impl<'c> Pane<'_, '_, 'c> {
    fn draw(mut self) {
        let bottom = self.area.bottom();
        let width = self.area.width.saturating_sub(3);
        let mut y = self.area.y;
        if let Some(question) = app::question(self.pair, self.bench.inspection.is_in_doubt(self.pair))
            .filter(|_| self.area.height > 5)
        {
            let settled = self.bench.resolution.settles(self.focused.id, self.pair);
            let ink = if settled { Ink::Dim } else { Ink::Conflict };
            y = self.prose(y, y + 2, width, ink, &about::capital(&question));
        }
        if self.app.layout().wide && self.area.height > 3 {
            self.heads(y);
            y += 1;
        }
        // What is told about the resource takes what the fields leave, never more.
        let about = about::lines(self.app, self.bench, self.focused, self.pair);
        let told: usize = about.iter().map(|(_, text)| safe_text::wrap(text, usize::from(width)).len()).sum();
        let told = u16::try_from(told).unwrap_or(u16::MAX).saturating_add(1);
        let fields = u16::try_from(self.focused.order.len()).unwrap_or(u16::MAX);
        let wanted = fields.saturating_add(self.marked_wants().saturating_sub(1));
        let room = bottom.saturating_sub(y);
        let kept = room.saturating_sub(wanted).min(told);
        let kept = if kept < 2 { 0 } else { kept };
        self.fields(y, bottom - kept);
        let mut y = bottom - kept + 1;
        for (ink, text) in about {
            y = self.prose(y, bottom, width, ink, &text);
        }
    }

    /// A paragraph from `y`, not beyond `bottom`; answers the row behind it.
    fn prose(&mut self, y: u16, bottom: u16, width: u16, ink: Ink, text: &str) -> u16 {
        let style = self.canvas.style(ink);
        let mut next = y;
        for range in safe_text::wrap(text, usize::from(width)) {
            if next >= bottom {
                break;
            }
            self.canvas.row(self.area.x + 2, next, width, &text[range], |_| style);
            next += 1;
        }
        next
    }

    fn heads(&mut self, y: u16) {
        let columns = Columns::of(self.area.width);
        self.canvas.words(self.area.x + 2, y, columns.name, "field", Ink::Dim);
        let mut x = self.area.x + columns.name;
        for side in [Side::Device, Side::Server] {
            self.canvas.words(x, y, columns.side, "▌", look(side).ink);
            let style = self.canvas.style(look(side).ink).patch(self.canvas.style(Ink::Strong));
            self.canvas.words_in(x + 1, y, columns.side, look(side).name, style);
            x += columns.side;
        }
        self.canvas.words(x, y, columns.result, "result", Ink::Dim);
    }

    const fn view(&self, field: &'c Field, marked: bool) -> FieldView<'c> {
        FieldView { bench: self.bench, pair: self.pair, field, marked, wide: self.app.layout().wide }
    }

    /// Draws the fields from `top` to `bottom`.
    fn fields(&mut self, top: u16, bottom: u16) {
        let count = self.focused.order.len();
        let marked = self.focused.marked;
        let room = usize::from(bottom.saturating_sub(top));
        let wants = usize::from(self.marked_wants()).max(1);
        // The marked field gets what the others leave, and no less than it takes to see both sides.
        let least = if self.app.layout().wide { 3 } else { 4 };
        let marked_rows = wants.min(room.saturating_sub(count.saturating_sub(1)).max(least)).min(room);
        let others = room.saturating_sub(marked_rows);
        let behind = count.saturating_sub(marked + 1).min(others / 2);
        let first = marked.saturating_sub(others.saturating_sub(behind));
        let mut y = top;
        let focused: &'c Focused = self.focused;
        for (at, field) in focused.fields().enumerate().skip(first) {
            let rows = if at == marked { u16::try_from(marked_rows).unwrap_or(1) } else { 1 };
            if y + rows > bottom {
                break;
            }
            let area = Rect { y, height: rows, ..self.area };
            self.canvas.region(area, Target::Field(at));
            self.view(field, at == marked).draw(self.canvas, area);
            if at == marked {
                self.mark(area);
            }
            y += rows;
        }
    }

    fn mark(&mut self, area: Rect) {
        let has_keys = self.app.focus() == Focus::Fields;
        let ground = if has_keys { self.canvas.theme().marked(true) } else { Style::new() };
        let width = if self.app.layout().wide { Columns::of(area.width).name - 1 } else { area.width };
        self.canvas.lay(Rect { height: 1, width, ..area }, ground);
        self.canvas.words_in(area.x, area.y, 1, "▸", self.canvas.style(Ink::Strong).patch(ground));
    }

    /// Rows that the marked field would take.
    fn marked_wants(&self) -> u16 {
        self.focused.field().map_or(1, |field| self.view(field, true).wants(self.area))
    }
}
