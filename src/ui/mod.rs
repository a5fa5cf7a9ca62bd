//! Draws the app's state into a buffer, and nothing else: no state of its own, no I/O, no comparing of texts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::App;

/// The colours of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Theme {
    /// For dark terminals.
    #[default]
    Dark,
    /// Without colour (`NO_COLOR`): modifiers only.
    Plain,
}

/// What was drawn where, for the mouse.
#[derive(Clone, Debug, Default)]
pub struct Regions {}

/// Draws the whole screen.
pub fn draw(app: &App, theme: Theme, area: Rect, buffer: &mut Buffer) -> Regions {
    let _ = (app, theme, area, buffer);
    Regions::default()
}
