//! A fresh token, asked for in the screen: typed blind, given away once, and wiped.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::event::Failure;

/// The longest text that is taken, bytes; no token is longer.
const MAX_BYTES: usize = 64 * 1024;

/// The prompt. What is typed is never shown, only how much it is.
pub struct TokenPrompt {
    /// Why a token is asked for.
    pub why: Failure,
    typed: Zeroizing<String>,
}

impl TokenPrompt {
    /// A prompt with nothing typed yet.
    pub fn new(why: Failure) -> Self {
        // Room for all of it: a text that moves would leave copies behind.
        Self { why, typed: Zeroizing::new(String::with_capacity(4096)) }
    }

    /// How many characters were typed.
    pub fn length(&self) -> usize {
        self.typed.chars().count()
    }

    /// Takes a key.
    pub(super) fn input(&mut self, key: &KeyEvent) -> bool {
        let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Char(c) if plain => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Char('u' | 'w') => self.typed.clear(),
            KeyCode::Backspace => {
                self.typed.pop();
            }
            _ => return false,
        }
        true
    }

    /// Takes a text; line ends and what would be too much are left out.
    pub(super) fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !matches!(c, '\r' | '\n')) {
            if self.typed.len() + c.len_utf8() > MAX_BYTES {
                break;
            }
            self.typed.push(c);
        }
    }

    /// What was typed; `None` where that is nothing.
    pub(super) fn token(&self) -> Option<SecretString> {
        let text = self.typed.trim();
        (!text.is_empty()).then(|| SecretString::from(text))
    }
}

/// Without what was typed.
impl fmt::Debug for TokenPrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenPrompt({} characters)", self.length())
    }
}
