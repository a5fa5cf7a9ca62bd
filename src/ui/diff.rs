//! Two texts on the whole screen: side by side, or one under the other where that is too narrow.

use super::canvas::Canvas;
use super::theme::{Ink, look};
use super::{Target, pages, value};
use crate::app::{self, App, Bench, DiffView};
use crate::domain::mutation::Side;
use crate::domain::text::{Precision, Row};

/// Draws the comparison in the frame.
pub fn draw(canvas: &mut Canvas, app: &App, bench: &Bench, view: &DiffView) {
    pages::frame(canvas, app, &title(bench, view, app.layout().wide));
    let area = app.layout().diff();
    canvas.region(area, Target::Overlay);
    let (columns, beside) = view.columns;
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    let device_x = area.x + 1;
    let server_x = if beside { area.x + 1 + columns + 3 } else { device_x };
    heads(canvas, app, bench, view, beside.then_some([device_x, server_x]));
    for (y, drawn) in (area.y..area.bottom()).zip(view.rows.get(view.scroll.visible()).unwrap_or_default()) {
        let row = view.diff.rows.get(drawn.row);
        if let Some(words) = row.and_then(value::fold_words) {
            canvas.words(device_x + 2, y, area.width.saturating_sub(3), &words, Ink::Dim);
            continue;
        }
        let changed = matches!(row, Some(Row::Change { .. }));
        for (side, x, range) in
            [(Side::Device, device_x, &drawn.device), (Side::Server, server_x, &drawn.server)]
        {
            if beside || range.is_some() {
                if changed {
                    canvas.words(x, y, 1, look(side).glyph, look(side).ink);
                    canvas.words(x + 1, y, 1, "▌", look(side).ink);
                } else if beside {
                    canvas.words(x + 1, y, 1, "│", Ink::Frame);
                }
                value::diff_row(canvas, (x + 2, y), columns, side, view.text(side), &view.diff, drawn);
            }
        }
    }
    canvas.scrollbar(app.layout().frame.right() - 1, area, &view.scroll.visible(), view.scroll.len());
}

fn title(bench: &Bench, view: &DiffView, wide: bool) -> String {
    let pair = bench.inspection.pair(view.unit.pair);
    let (device, server) = view.diff.changed_words();
    let changes = match view.diff.changes {
        1 => String::from("1 change"),
        changes => format!("{changes} changes"),
    };
    let words = if wide {
        format!(" · {} only on the device, {server} on the server", app::count(device, "word"))
    } else {
        String::new()
    };
    let precision = match view.diff.precision {
        Precision::Graphemes => "",
        Precision::Words => " · compared by words",
        Precision::Lines => " · compared by lines",
        Precision::Whole => " · too large to compare in full",
    };
    let name = crate::domain::naming::label(&bench.inspection, pair);
    format!("{} of {name} · {changes}{words}{precision}", view.label)
}

/// The names of the sides, and which of them stands.
fn heads(canvas: &mut Canvas, app: &App, bench: &Bench, view: &DiffView, beside: Option<[u16; 2]>) {
    let inner = app.layout().inner();
    let y = inner.y;
    let chosen = bench.field().and_then(|field| bench.choice(field).map(|chosen| (field, chosen)));
    let pair = bench.inspection.pair(view.unit.pair);
    let state = match chosen {
        Some((field, chosen)) => format!("● {}", app::word(pair, field, &chosen.choice)),
        None => String::from("○ choose"),
    };
    let state_width = u16::try_from(state.chars().count()).unwrap_or(0);
    for (side, x) in
        [Side::Device, Side::Server].into_iter().zip(beside.unwrap_or([inner.x + 1, inner.x + 12]))
    {
        let style = canvas.style(look(side).ink).patch(canvas.style(Ink::Strong));
        let used = canvas.words_in(x, y, 1, look(side).glyph, canvas.style(Ink::Key));
        let used = used + canvas.words(x + used, y, 1, " ", Ink::Text);
        canvas.words_in(x + used, y, 8, look(side).name, style);
    }
    let ink = if chosen.is_some() { Ink::Good } else { Ink::Conflict };
    canvas.words(inner.right().saturating_sub(state_width + 1), y, state_width, &state, ink);
}
