//! The scenarios of the demo: one or two rows each, and below them what the marked one teaches in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use super::theme::{Ink, Theme};
use super::{Regions, Target};
use crate::app::Picker;
use crate::domain::safe_text;

/// Columns for a scenario's name.
const NAME: u16 = 17;

/// Draws the list; answers what was drawn where.
pub fn draw_picker(picker: &Picker, theme: Theme, buffer: &mut Buffer) -> Regions {
    let area = picker.area();
    let mut canvas = Canvas::new(buffer, area, theme);
    canvas.clear(area);
    if area.width < 20 || area.height < 6 {
        canvas.words(0, 0, area.width, "unstick needs 20x6", Ink::Text);
        return canvas.regions;
    }
    canvas.border(area);
    canvas.words(2, 0, area.width - 4, " unstick · pick a stuck sync ", Ink::Title);
    let (list, rows) = (picker.list(), picker.rows());
    canvas.region(list, Target::List);
    let visible = picker.selection.visible();
    for (number, at) in visible.clone().enumerate() {
        let y = list.y + u16::try_from(number).unwrap_or(u16::MAX).saturating_mul(rows);
        if y + rows > list.bottom() {
            break;
        }
        entry(&mut canvas, picker, at, Rect { y, height: rows, ..list });
    }
    canvas.scrollbar(area.right() - 1, list, &visible, picker.offered.len());
    if area.bottom() > list.bottom() + 1 {
        teaches(&mut canvas, picker, list.bottom());
    }
    keys(&mut canvas, picker, area);
    canvas.finish();
    canvas.regions
}

fn entry(canvas: &mut Canvas, picker: &Picker, at: usize, area: Rect) {
    let Some(offered) = picker.offered.get(at) else { return };
    canvas.region(area, Target::Entry(at));
    let right = area.right().saturating_sub(1);
    let name = NAME.min(right.saturating_sub(area.x + 2));
    canvas.data(area.x + 2, area.y, name, &offered.name, Ink::Strong);
    let x = area.x + 3 + name;
    canvas.data(x, area.y, right.saturating_sub(x), &offered.title, Ink::Text);
    let (room, dim) = (right.saturating_sub(x), canvas.style(Ink::Dim));
    match area.height {
        0 | 1 => {}
        2 => {
            canvas.data(x, area.y + 1, room, &offered.teaches, Ink::Dim);
        }
        _ => lines(
            canvas,
            Rect { x, y: area.y + 1, width: room, height: area.height - 1 },
            &offered.teaches,
            dim,
        ),
    }
    if at == picker.selection.cursor() {
        let ground = canvas.theme().marked(true);
        canvas.lay(area, ground);
        canvas.words_in(area.x, area.y, 1, "▸", canvas.style(Ink::Strong).patch(ground));
    }
}

/// What the marked scenario teaches, below a line.
fn teaches(canvas: &mut Canvas, picker: &Picker, top: u16) {
    let area = picker.area();
    canvas.line(0, top, area.width, ["├", "┤"]);
    let Some(marked) = picker.marked() else { return };
    let (width, height) = (area.width.saturating_sub(4), area.bottom() - 1 - (top + 1));
    lines(canvas, Rect { x: 2, y: top + 1, width, height }, &marked.teaches, canvas.style(Ink::Text));
}

/// A text in as many rows as there are.
fn lines(canvas: &mut Canvas, area: Rect, text: &str, style: Style) {
    for (y, range) in (area.y..area.bottom()).zip(safe_text::wrap(text, usize::from(area.width))) {
        canvas.row(area.x, y, area.width, &text[range], |_| style);
    }
}

fn keys(canvas: &mut Canvas, picker: &Picker, area: Rect) {
    let y = area.bottom() - 1;
    let room = area.width.saturating_sub(4);
    if let Some(complaint) = picker.complaint {
        canvas.words(2, y, room, &format!(" {complaint} "), Ink::Warning);
        return;
    }
    let mut x = 2;
    for (key, does) in [("Enter", "begin"), ("↑↓", "mark"), ("q", "quit")] {
        let width = u16::try_from(key.chars().count() + does.chars().count() + 3).unwrap_or(u16::MAX);
        if x + width > 2 + room {
            break;
        }
        x += canvas.words(x, y, 1, " ", Ink::Text);
        x += canvas.words(x, y, width, key, Ink::Key);
        x += canvas.words(x, y, 1, " ", Ink::Text);
        x += canvas.words(x, y, width, does, Ink::Text);
        x += canvas.words(x, y, 1, " ", Ink::Text);
    }
}
