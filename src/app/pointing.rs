//! The mouse.

use super::action::Action;
use super::event::{Pointer, Target};
use super::overlay::Overlay;
use super::{App, Effect, Focus};
use crate::domain::mutation::Side;

impl App {
    /// The mouse, on something that was drawn.
    pub(super) fn pointer(&mut self, pointer: Pointer) -> Vec<Effect> {
        match pointer {
            Pointer::Click(Target::Act(action)) => return self.act(action),
            Pointer::Click(Target::Row(row)) if self.overlays.is_empty() => {
                if matches!(self.focus, Focus::Fields) {
                    self.focus = Focus::List(Side::Device);
                }
                if let Some(bench) = &mut self.bench {
                    bench.go(row);
                }
            }
            Pointer::Click(Target::Field(at)) if self.overlays.is_empty() => {
                self.focus = Focus::Fields;
                if let Some(focused) = self.bench.as_mut().and_then(|bench| bench.focused.as_mut()) {
                    focused.marked = at.min(focused.order.len().saturating_sub(1));
                }
            }
            Pointer::Click(Target::Entry(at)) => match self.overlays.last_mut() {
                Some(Overlay::Preview(preview)) if preview.selection.cursor() == at => {
                    return self.act(Action::Open);
                }
                Some(Overlay::Preview(preview)) => preview.selection.go(at),
                Some(Overlay::Menu(menu)) if menu.selection.cursor() == at => return self.act(Action::Open),
                Some(Overlay::Menu(menu)) => menu.selection.go(at),
                _ => {}
            },
            Pointer::Click(Target::Cell { row, column }) => {
                if let Some(Overlay::Comparison(comparing)) = self.overlays.last_mut() {
                    let again = comparing.selection.cursor() == row && comparing.column == column;
                    if again {
                        return self.act(Action::Open);
                    }
                    comparing.column = column;
                    if row < comparing.selection.len() {
                        comparing.selection.go(row);
                    }
                }
            }
            Pointer::Click(_) => {}
            Pointer::Wheel(Target::Row(_) | Target::List, steps) if self.overlays.is_empty() => {
                if let Some(bench) = &mut self.bench {
                    bench.selection.scroll_by(isize::from(steps) * 3);
                    bench.refocus();
                }
            }
            Pointer::Wheel(_, steps) => return self.act(if steps < 0 { Action::Up } else { Action::Down }),
        }
        Vec::new()
    }
}
