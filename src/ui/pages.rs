//! Prose in the frame: the pull, the push, what came of it, why the device is stuck.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::Target;
use super::canvas::Canvas;
use super::header::bar;
use super::theme::Ink;
use crate::app::{App, Page, PageRow, Pushing, Rank, push_step};

/// Draws the frame with a title in its upper border.
pub fn frame(canvas: &mut Canvas, app: &App, title: &str) {
    let frame = app.layout().frame;
    canvas.border(frame);
    let text = format!(" {title} ");
    canvas.data(frame.x + 2, frame.y, frame.width.saturating_sub(4), &text, Ink::Title);
}

/// A page in the frame.
pub fn framed(canvas: &mut Canvas, app: &App, title: &str, page: &Page) {
    frame(canvas, app, title);
    let inner = app.layout().inner();
    canvas.region(inner, Target::Overlay);
    prose(canvas, inner, page);
    canvas.scrollbar(app.layout().frame.right() - 1, inner, &page.scroll.visible(), page.scroll.len());
}

/// A page's rows.
pub fn prose(canvas: &mut Canvas, area: Rect, page: &Page) {
    for (y, row) in (area.y..area.bottom()).zip(page.visible()) {
        let PageRow { rank, mark, indent, text } = row;
        let x = area.x + 1;
        let ink = match rank {
            Rank::Title => Ink::Strong,
            Rank::Heading => Ink::Key,
            Rank::Text | Rank::Item => Ink::Text,
            Rank::Good => Ink::Good,
            Rank::Warning => Ink::Warning,
            Rank::Lost => Ink::Dim,
        };
        if let Some(mark) = mark {
            step_mark(canvas, x + 2, y, mark);
        }
        let indent = u16::try_from(indent).unwrap_or(0);
        let mut style = canvas.style(ink);
        if rank == Rank::Lost {
            style = style.add_modifier(Modifier::CROSSED_OUT);
        }
        canvas.row(x + indent, y, area.width.saturating_sub(indent + 1), text, |_| style);
    }
}

fn step_mark(canvas: &mut Canvas, x: u16, y: u16, mark: char) {
    let ink = match mark {
        '✓' => Ink::Good,
        '✗' | '!' => Ink::Warning,
        '→' => Ink::Key,
        _ => Ink::Dim,
    };
    canvas.words(x, y, 1, mark.encode_utf8(&mut [0; 4]), ink);
}

/// The pull, step by step.
pub fn connecting(canvas: &mut Canvas, app: &App) {
    frame(canvas, app, "pull");
    let inner = app.layout().inner();
    let mut page = app.connecting_page();
    page.fit(usize::from(inner.width.saturating_sub(2)), usize::from(inner.height));
    // The newest steps are the ones to see.
    page.scroll.go(usize::MAX);
    prose(canvas, inner, &page);
}

/// The push: how far it is, each request and its answer.
pub fn pushing(canvas: &mut Canvas, app: &App, pushing: &Pushing) {
    frame(canvas, app, "retrying the sync");
    let inner = app.layout().inner();
    let done = pushing.acknowledged.min(pushing.planned);
    let text = format!(" {}", pushing.progress());
    let room = usize::from(inner.width.saturating_sub(3)).saturating_sub(text.chars().count());
    let cells = room.clamp(4, 40);
    let ink = if pushing.stopping { Ink::Warning } else { Ink::Good };
    bar(canvas, inner.x + 1, inner.y, cells, (done, pushing.planned.max(1)), ink);
    let x = inner.x + 1 + u16::try_from(cells).unwrap_or(0);
    canvas.words(x, inner.y, inner.right().saturating_sub(x), &text, Ink::Strong);
    if let Some(waits) = pushing.waits(app.now()) {
        let ink = if pushing.stopping { Ink::Warning } else { Ink::Key };
        canvas.data(inner.x + 1, inner.y + 1, inner.width.saturating_sub(2), &waits, ink);
    }
    let top = inner.y + 2;
    let notes = pushing.notes.get(pushing.scroll.visible()).unwrap_or_default();
    for (y, note) in (top..inner.bottom()).zip(notes) {
        let step = push_step(note);
        step_mark(canvas, inner.x + 1, y, step.mark);
        canvas.data(inner.x + 3, y, inner.width.saturating_sub(4), &step.text, Ink::Text);
    }
    if pushing.notes.is_empty() {
        canvas.words(
            inner.x + 3,
            top,
            inner.width.saturating_sub(4),
            "writing backup and journal …",
            Ink::Dim,
        );
    }
}
