//! Draws the app's state into a buffer, and nothing else: no state of its own, no I/O, no comparing of texts.

mod about;
mod canvas;
mod comparing;
mod detail;
mod diff;
mod field;
mod footer;
mod header;
mod history;
mod lab;
mod list;
mod overlays;
mod pages;
mod picker;
mod preview;
mod result;
#[cfg(test)]
mod tests;
mod theme;
mod timeline;
mod value;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use lab::draw as draw_lab;
pub use picker::draw_picker;
pub use theme::{Ink, SideLook, Theme, look};

use crate::app::{App, Event, Focus, Overlay, Phase, Pointer, Target};
use canvas::Canvas;

/// What was drawn where, for the mouse. What was drawn last lies on top.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    areas: Vec<(Rect, Target)>,
}

impl Regions {
    fn push(&mut self, area: Rect, target: Target) {
        self.areas.push((area, target));
    }

    /// What the mouse means where it is; `None` where nothing listens.
    pub fn event(&self, mouse: MouseEvent) -> Option<Event> {
        let here = (mouse.column, mouse.row).into();
        let (_, target) = self.areas.iter().rev().find(|(area, _)| area.contains(here))?;
        let pointer = match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Pointer::Click(*target),
            MouseEventKind::ScrollUp => Pointer::Wheel(*target, -1),
            MouseEventKind::ScrollDown => Pointer::Wheel(*target, 1),
            MouseEventKind::Down(MouseButton::Right | MouseButton::Middle)
            | MouseEventKind::Up(_)
            | MouseEventKind::Drag(_)
            | MouseEventKind::Moved
            | MouseEventKind::ScrollLeft
            | MouseEventKind::ScrollRight => return None,
        };
        Some(Event::Pointer(pointer))
    }
}

/// Draws the whole screen; answers what was drawn where, so that a click finds what it hit.
pub fn draw(app: &App, theme: Theme, area: Rect, buffer: &mut Buffer) -> Regions {
    let mut canvas = Canvas::new(buffer, area, theme);
    canvas.clear(area);
    if app.layout().too_small() {
        let room = app.layout().area.width;
        canvas.words(0, 0, room, "unstick needs 20x6", Ink::Text);
    } else {
        header::draw(&mut canvas, app);
        body(&mut canvas, app);
        footer::draw(&mut canvas, app);
        overlays::boxes(&mut canvas, app);
    }
    canvas.finish();
    canvas.regions
}

/// What stands inside the frame.
fn body(canvas: &mut Canvas, app: &App) {
    // The uppermost of those that take the whole frame.
    let full = app.overlays().iter().rev().find(|overlay| match overlay {
        Overlay::Help(_)
        | Overlay::Preview(_)
        | Overlay::Editor(_)
        | Overlay::Diff(_)
        | Overlay::Timeline(_)
        | Overlay::History(_)
        | Overlay::Why(_)
        | Overlay::Comparison(_)
        | Overlay::Ledger(_) => true,
        Overlay::Whole
        | Overlay::Prompt { .. }
        | Overlay::Menu(_)
        | Overlay::Question(_)
        | Overlay::Failure(_)
        | Overlay::Token(_) => false,
    });
    match (full, app.phase(), app.bench()) {
        (Some(Overlay::Help(help)), ..) => overlays::help(canvas, app, help),
        (Some(Overlay::Preview(preview)), _, Some(bench)) => preview::draw(canvas, app, bench, preview),
        (Some(Overlay::Editor(editor)), ..) => overlays::editor(canvas, app, editor),
        (Some(Overlay::Diff(view)), _, Some(bench)) => diff::draw(canvas, app, bench, view),
        (Some(Overlay::Timeline(view)), ..) => timeline::draw(canvas, app, view),
        (Some(Overlay::History(view)), ..) => history::draw(canvas, app, view),
        (Some(Overlay::Comparison(comparing)), _, Some(bench)) => {
            comparing::draw(canvas, app, bench, comparing);
        }
        (Some(Overlay::Ledger(page)), ..) => pages::framed(canvas, app, "the ledger behind the cell", page),
        (Some(Overlay::Why(page)), ..) => pages::framed(canvas, app, "why stuck", page),
        (_, Phase::Pushing(pushing), _) => pages::pushing(canvas, app, pushing),
        (_, Phase::Ended(ended), _) => pages::framed(canvas, app, "after the push", &ended.page),
        (_, Phase::Connecting(_), _) | (_, Phase::Inspecting, None) => pages::connecting(canvas, app),
        (_, Phase::Inspecting, Some(bench)) => {
            let layout = app.layout();
            let fields = app.focus() == Focus::Fields;
            if layout.both_panes || !fields {
                list::draw(canvas, app, bench);
            }
            if layout.both_panes || fields {
                detail::draw(canvas, app, bench);
            }
        }
    }
}
