//! The scenarios of the demo, to pick one from. Keys in, a pick out; no I/O, no drawing.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Rect;

use super::event::{Pointer, Target};
use super::selection::Selection;

/// A scenario, as it is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its name on the command line.
    pub name: String,
    /// What happened, in a few words.
    pub title: String,
    /// What it teaches, in one line.
    pub teaches: String,
}

/// What a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The scenario at this position.
    Scenario(usize),
    /// To stop until the shell continues the program.
    Suspend,
    /// To leave.
    Leave,
}

/// The list of scenarios.
pub struct Picker {
    /// What is offered.
    pub offered: Vec<Offered>,
    /// Which is marked.
    pub selection: Selection,
    /// Why the last key did nothing.
    pub complaint: Option<&'static str>,
    area: Rect,
}

impl Picker {
    /// A list with its first scenario marked.
    pub fn new(offered: Vec<Offered>, (width, height): (u16, u16)) -> Self {
        let mut selection = Selection::default();
        selection.set_len(offered.len());
        let mut picker = Self { offered, selection, complaint: None, area: Rect::default() };
        picker.resize(width, height);
        picker
    }

    /// The terminal has this size now.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.area = Rect::new(0, 0, width, height);
        self.selection.set_height(usize::from(self.list().height / self.rows()).max(1));
    }

    /// The whole screen.
    pub const fn area(&self) -> Rect {
        self.area
    }

    /// Rows that one scenario takes: its title, and as much as there is room for of what it teaches.
    pub fn rows(&self) -> u16 {
        let room = usize::from(self.list().height);
        [3, 2].into_iter().find(|rows| self.offered.len() * usize::from(*rows) <= room).unwrap_or(1)
    }

    /// Where the list stands: inside the frame, above what the marked scenario teaches where the list cuts it.
    pub fn list(&self) -> Rect {
        let Rect { width, height, .. } = self.area;
        let inside = height.saturating_sub(2);
        let below = if self.offered.len() * 3 <= usize::from(inside) || inside < 10 { 0 } else { 4 };
        Rect::new(1, 1, width.saturating_sub(2), inside - below)
    }

    /// The marked scenario.
    pub fn marked(&self) -> Option<&Offered> {
        self.offered.get(self.selection.cursor())
    }

    /// A key.
    pub fn key(&mut self, key: &KeyEvent) -> Option<Pick> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        self.complaint = None;
        let page = isize::try_from(self.selection.height()).unwrap_or(1);
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match (key.code, control) {
            (KeyCode::Char('c'), true) | (KeyCode::Char('q') | KeyCode::Esc, false) => {
                return Some(Pick::Leave);
            }
            (KeyCode::Char('z'), true) => return Some(Pick::Suspend),
            (KeyCode::Enter | KeyCode::Right | KeyCode::Char('l'), false) => return self.pick(),
            (KeyCode::Up | KeyCode::BackTab | KeyCode::Char('k'), false) => self.selection.by(-1),
            (KeyCode::Down | KeyCode::Tab | KeyCode::Char('j'), false) => self.selection.by(1),
            (KeyCode::PageUp, false) => self.selection.by(-page),
            (KeyCode::PageDown, false) => self.selection.by(page),
            (KeyCode::Home | KeyCode::Char('g'), false) => self.selection.go(0),
            (KeyCode::End | KeyCode::Char('G'), false) => self.selection.go(usize::MAX),
            _ => self.complaint = Some("Enter begins the marked scenario, q leaves"),
        }
        None
    }

    /// The mouse: a click marks, a click on what is marked begins it.
    pub fn pointer(&mut self, pointer: Pointer) -> Option<Pick> {
        match pointer {
            Pointer::Click(Target::Entry(at)) if at == self.selection.cursor() => return self.pick(),
            Pointer::Click(Target::Entry(at)) => self.selection.go(at),
            Pointer::Wheel(_, steps) => self.selection.by(isize::from(steps)),
            Pointer::Click(_) => {}
        }
        None
    }

    fn pick(&self) -> Option<Pick> {
        (!self.offered.is_empty()).then_some(Pick::Scenario(self.selection.cursor()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::tests::keys;

    fn picker(size: (u16, u16)) -> Picker {
        let offered = |at: u32| Offered {
            name: format!("scenario-{at}"),
            title: String::from("what happened"),
            teaches: String::from("what it teaches"),
        };
        Picker::new((0..8).map(offered).collect(), size)
    }

    fn play(picker: &mut Picker, script: &str) -> Option<Pick> {
        keys(script).iter().fold(None, |_, key| picker.key(key))
    }

    #[test]
    fn enter_begins_the_first_and_the_marked_one() {
        assert_eq!(play(&mut picker((120, 36)), "Enter"), Some(Pick::Scenario(0)));
        assert_eq!(play(&mut picker((80, 24)), "j Down k j Enter"), Some(Pick::Scenario(2)));
        assert_eq!(play(&mut picker((50, 16)), "G j l"), Some(Pick::Scenario(7)));
        assert_eq!(play(&mut picker((40, 10)), "PgDn PgDn PgDn g k Enter"), Some(Pick::Scenario(0)));
    }

    #[test]
    fn every_way_out_leaves_and_other_keys_say_so() {
        for key in ["q", "Esc", "^c"] {
            assert_eq!(play(&mut picker((80, 24)), key), Some(Pick::Leave), "{key}");
        }
        let mut picker = picker((80, 24));
        assert_eq!(play(&mut picker, "x"), None);
        assert!(picker.complaint.is_some());
        assert_eq!(play(&mut picker, "j"), None);
        assert_eq!(picker.complaint, None);
    }

    #[test]
    fn the_mouse_marks_and_then_begins() {
        let mut picker = picker((80, 24));
        assert_eq!(picker.pointer(Pointer::Click(Target::Entry(3))), None);
        assert_eq!(picker.pointer(Pointer::Wheel(Target::List, 1)), None);
        assert_eq!(picker.pointer(Pointer::Click(Target::Entry(4))), Some(Pick::Scenario(4)));
    }
}
