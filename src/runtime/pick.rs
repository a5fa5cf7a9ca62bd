//! The list of the demo's scenarios on the terminal, until one is picked.

use std::io;

use super::signals::{self, Signals};
use super::{Heard, Terminal, from_terminal};
use crate::app::{Event, Pick, Picker};
use crate::ui::{Theme, draw_picker};

/// Shows the list; answers which scenario was picked, or `None` where the person leaves or the terminal is gone.
pub async fn pick(picker: &mut Picker, theme: Theme, signals: &mut Signals) -> io::Result<Option<usize>> {
    let mut terminal = Terminal::take(None, false)?;
    let (width, height) = crossterm::terminal::size()?;
    picker.resize(width, height);
    loop {
        terminal.frame(|_, buffer| draw_picker(picker, theme, buffer))?;
        let event = match terminal.hear(signals).await? {
            Heard::End => return Ok(None),
            Heard::GoOn => continue,
            Heard::Typed(typed) => from_terminal(typed, &terminal.regions),
        };
        let wanted = match event {
            Some(Event::Key(key) | Event::Burst { key, .. }) => picker.key(&key),
            Some(Event::Pointer(pointer)) => picker.pointer(pointer),
            Some(Event::Resize { width, height }) => {
                picker.resize(width, height);
                None
            }
            _ => None,
        };
        match wanted {
            Some(Pick::Scenario(at)) => return Ok(Some(at)),
            Some(Pick::Leave) => return Ok(None),
            Some(Pick::Suspend) => terminal.lend(signals::suspend)?,
            None => {}
        }
    }
}
