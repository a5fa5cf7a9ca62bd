//! Keys: how they are written in the table of actions, how they are shown, and which events they match.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key, with Ctrl or without. Shift is part of the character it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    control: bool,
}

/// A character key.
pub const fn key(c: char) -> Key {
    Key { code: KeyCode::Char(c), control: false }
}

/// A character key with Ctrl.
pub const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), control: true }
}

/// A key that makes no character.
pub const fn special(code: KeyCode) -> Key {
    Key { code, control: false }
}

/// Ctrl and Enter, where the terminal tells it from Enter.
pub const CTRL_ENTER: Key = Key { code: KeyCode::Enter, control: true };

impl Key {
    /// Whether the event is this key.
    pub fn matches(self, event: &KeyEvent) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let other = event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META);
        control == self.control && !other && event.code == self.code
    }

    /// The character, where the key makes one.
    pub const fn char(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.control => Some(c),
            _ => None,
        }
    }

    /// The key as it is shown: `d`, `^D`, `Tab`.
    pub fn label(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => String::from("Space"),
            KeyCode::Char(c) if self.control => c.to_uppercase().to_string(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Up => String::from("↑"),
            KeyCode::Down => String::from("↓"),
            KeyCode::Left => String::from("←"),
            KeyCode::Right => String::from("→"),
            KeyCode::PageUp => String::from("PgUp"),
            KeyCode::PageDown => String::from("PgDn"),
            KeyCode::BackTab => String::from("Shift-Tab"),
            other => other.to_string(),
        };
        if self.control { format!("^{name}") } else { name }
    }
}

/// Text that a key types, where it types any.
pub fn typed(event: &KeyEvent) -> Option<char> {
    match event.code {
        KeyCode::Char(c) if !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => Some(c),
        _ => None,
    }
}
