//! Colours of the headless output: on or off, and which words get which. Meaning is never in the colour alone.

use std::fmt::{self, Display};

use crate::domain::mutation::Side;

/// When to use colours (`--color`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also where the output is no terminal.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// The three, in the order in which help lists them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    /// The word in arguments and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// Reads the word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|color| color.name() == name)
    }

    /// Whether to use colours. `no_color` is the variable `NO_COLOR`, which forbids them when it is not empty;
    /// `terminal` says whether the output is a terminal that understands them.
    pub fn is_on(self, no_color: Option<&str>, terminal: bool) -> bool {
        match self {
            Self::Auto => terminal && no_color.is_none_or(str::is_empty),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// How words are marked in the output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    on: bool,
}

/// Device blue, server orange, conflict magenta (DESIGN §7): told apart by colour-blind eyes.
const BOLD: &str = "1";
const DIM: &str = "2";
const STRUCK: &str = "9";
const CONFLICT: &str = "35";
const DEVICE: &str = "38;5;75";
const SERVER: &str = "38;5;208";

impl Style {
    /// Plain text.
    pub const PLAIN: Self = Self { on: false };
    /// With ANSI colours.
    pub const COLORED: Self = Self { on: true };

    /// The style for `color`; see [`Color::is_on`].
    pub fn of(color: Color, no_color: Option<&str>, terminal: bool) -> Self {
        Self { on: color.is_on(no_color, terminal) }
    }

    pub(super) fn heading<T: Display>(self, text: T) -> Marked<T> {
        self.marked(BOLD, text)
    }

    pub(super) fn conflict<T: Display>(self, text: T) -> Marked<T> {
        self.marked(CONFLICT, text)
    }

    pub(super) fn quiet<T: Display>(self, text: T) -> Marked<T> {
        self.marked(DIM, text)
    }

    /// What is lost: struck through.
    pub(super) fn struck<T: Display>(self, text: T) -> Marked<T> {
        self.marked(STRUCK, text)
    }

    pub(super) fn side<T: Display>(self, side: Side, text: T) -> Marked<T> {
        let code = match side {
            Side::Device => DEVICE,
            Side::Server => SERVER,
        };
        self.marked(code, text)
    }

    fn marked<T>(self, code: &'static str, text: T) -> Marked<T> {
        Marked { code: self.on.then_some(code), text }
    }
}

/// A text with its marking.
pub(super) struct Marked<T> {
    code: Option<&'static str>,
    text: T,
}

impl<T: Display> Display for Marked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "\x1b[{code}m{}\x1b[0m", self.text),
            None => self.text.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_unless_asked_for_or_forbidden() {
        for (color, no_color, terminal, on) in [
            (Color::Auto, None, true, true),
            (Color::Auto, None, false, false),
            (Color::Auto, Some("1"), true, false),
            (Color::Auto, Some(""), true, true),
            (Color::Always, Some("1"), false, true),
            (Color::Never, None, true, false),
        ] {
            assert_eq!(color.is_on(no_color, terminal), on, "{color:?} {no_color:?} {terminal}");
        }
    }

    #[test]
    fn plain_text_has_no_escapes() {
        assert_eq!(Style::PLAIN.heading("Summary").to_string(), "Summary");
        assert_eq!(Style::COLORED.heading("Summary").to_string(), "\x1b[1mSummary\x1b[0m");
    }
}
