//! The exchange, drawn as a sequence diagram: a lane for each who takes part, an arrow for each message. On a narrow
//! screen the same as a list.

use ratatui::layout::Rect;

use super::Target;
use super::canvas::Canvas;
use super::pages::frame;
use super::theme::Ink;
use crate::app::{App, Lane, Manner, Message, STEP_HEIGHT, Timeline, named, stands_apart, words_rows};
use crate::domain::mutation::Side;
use crate::domain::safe_text;

/// Draws the view into the frame.
pub fn draw(canvas: &mut Canvas, app: &App, timeline: &Timeline) {
    frame(canvas, app, "the exchange");
    let [names, steps, means] = app.layout().timeline();
    canvas.region(steps, Target::Overlay);
    let lanes = Lanes::of(app, steps);
    lanes.names(canvas, names);
    let marked = timeline.selection.cursor();
    let visible = timeline.selection.visible();
    let first = visible.start;
    for (number, message) in timeline.messages.get(visible).unwrap_or_default().iter().enumerate() {
        let y = steps.y + u16::try_from(number).unwrap_or(u16::MAX).saturating_mul(lanes.height);
        let area = Rect { y, height: lanes.height, ..steps };
        canvas.region(area, Target::Entry(first + number));
        lanes.message(canvas, area, message, first + number == marked);
    }
    if let Some(message) = timeline.messages.get(marked) {
        for (y, row) in (means.y..means.bottom()).zip(words_rows(&message.means, means.width)) {
            canvas.words(means.x, y, means.width, &row, Ink::Text);
        }
    }
    let len = timeline.selection.len();
    canvas.scrollbar(app.layout().frame.right() - 1, steps, &timeline.selection.visible(), len);
}

/// Where the lanes stand.
struct Lanes<'a> {
    app: &'a App,
    /// Columns of the others, the server, the device.
    at: [u16; 3],
    wide: bool,
    height: u16,
}

impl<'a> Lanes<'a> {
    fn of(app: &'a App, area: Rect) -> Self {
        let wide = stands_apart(area);
        let margin = (area.width / 14).max(8);
        // What the device says and hears is longer than what the others wrote.
        let at = [area.x + margin, area.x + area.width * 2 / 5, area.right().saturating_sub(margin + 1)];
        Self { app, at, wide, height: if wide { STEP_HEIGHT } else { 1 } }
    }

    fn column(&self, lane: Lane) -> u16 {
        match lane {
            Lane::Others => self.at[0],
            Lane::Server => self.at[1],
            Lane::Device => self.at[2],
        }
    }

    fn names(&self, canvas: &mut Canvas, area: Rect) {
        if !self.wide {
            return;
        }
        for lane in [Lane::Others, Lane::Server, Lane::Device] {
            let name = named(self.app, lane);
            let width = u16::try_from(safe_text::width(&name)).unwrap_or(u16::MAX).min(area.width / 4);
            let x = self.column(lane).saturating_sub(width / 2).max(area.x);
            canvas.data(x.min(area.right().saturating_sub(width)), area.y, width, &name, ink(lane));
        }
    }

    fn message(&self, canvas: &mut Canvas, area: Rect, message: &Message, marked: bool) {
        if !self.wide {
            listed(canvas, area, message, marked);
            return;
        }
        for y in area.y..area.bottom() {
            for lane in [Lane::Others, Lane::Server, Lane::Device] {
                canvas.words(self.column(lane), y, 1, "│", Ink::Frame);
            }
        }
        if marked {
            canvas.words(area.x, area.y, 1, "▸", Ink::Strong);
        }
        let ink = manner(message.manner, marked);
        let (from, to) = (self.column(message.from), self.column(message.to));
        if message.from == message.to {
            canvas.words(from, area.y, 1, "●", ink);
            // Beside the lane, on the side that has room.
            let width = columns(&message.label);
            if message.from == Lane::Device {
                let x = from.saturating_sub(width + 1).max(self.at[1] + 2);
                canvas.words(x, area.y, from.saturating_sub(x + 1), &message.label, ink);
            } else {
                canvas.words(from + 2, area.y, self.at[2].saturating_sub(from + 3), &message.label, ink);
            }
            return;
        }
        let (left, right) = (from.min(to), from.max(to));
        let room = right.saturating_sub(left + 2);
        let width = columns(&message.label).min(room);
        canvas.words(left + 1 + (room + 1 - width) / 2, area.y, room, &message.label, ink);
        let y = area.y + 1;
        let dash = if message.manner == Manner::Request { "─" } else { "╌" };
        for x in left + 1..right {
            canvas.words(x, y, 1, dash, ink);
        }
        let (x, head) = match (to > from, message.manner) {
            (_, Manner::Bad) if to > from => (right - 1, "✗"),
            (_, Manner::Bad) => (left + 1, "✗"),
            (true, _) => (right - 1, "▶"),
            (false, _) => (left + 1, "◀"),
        };
        canvas.words(x, y, 1, head, ink);
    }
}

/// `server ─▶ device  409 OutOfSyncError`
fn listed(canvas: &mut Canvas, area: Rect, message: &Message, marked: bool) {
    if marked {
        canvas.words(area.x, area.y, 1, "▸", Ink::Strong);
    }
    let short = |lane| match lane {
        Lane::Others => "others",
        Lane::Server => Side::Server.name(),
        Lane::Device => Side::Device.name(),
    };
    let mut x = area.x + 1;
    x += canvas.words(x, area.y, 6, short(message.from), ink(message.from));
    if message.from != message.to {
        x += canvas.words(x, area.y, 3, " ▶ ", manner(message.manner, marked));
        x += canvas.words(x, area.y, 6, short(message.to), ink(message.to));
    }
    let x = x.max(area.x + 17);
    canvas.words(x, area.y, area.right().saturating_sub(x), &message.label, manner(message.manner, marked));
}

const fn ink(lane: Lane) -> Ink {
    match lane {
        Lane::Others => Ink::Strong,
        Lane::Server => Ink::Side(Side::Server),
        Lane::Device => Ink::Side(Side::Device),
    }
}

const fn manner(manner: Manner, marked: bool) -> Ink {
    match manner {
        Manner::Bad => Ink::Refusal,
        Manner::Good => Ink::Good,
        Manner::Request | Manner::Note if marked => Ink::Strong,
        Manner::Request | Manner::Note => Ink::Text,
    }
}

fn columns(label: &str) -> u16 {
    u16::try_from(label.chars().count()).unwrap_or(u16::MAX)
}
