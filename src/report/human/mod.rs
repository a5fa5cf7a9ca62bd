//! Reports for people, on any terminal and through a screen reader: plain words and indented lines, no drawing.
//! The sides are always called `device` and `server`; words that differ stand in brackets.

pub(super) mod comparison;
pub(super) mod inspection;
pub(super) mod plan;
pub(super) mod simulation;

mod difference;
mod table;
mod value;

use std::borrow::Cow;
use std::fmt;

use crate::domain::bidi;
use crate::domain::inspect::{Inspection, Pair};
use crate::domain::naming;
use crate::domain::safe_text;
pub(super) use crate::domain::words::count;

/// A text that may hold anything, safe to show and in its own place of the line, whatever stands beside it and in
/// whatever direction it is read. Not for what is to be copied, such as paths in a command.
pub(in crate::report) fn shown(text: &str) -> Cow<'_, str> {
    bidi::kept_apart(safe_text::visible_line(text))
}

/// Words one after the other: `device, server or edit`.
fn either(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Ids one after the other, safe to show; the first dozen where there are many.
fn ids<T: fmt::Display>(all: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 12;
    let mut ids = all.into_iter();
    let shown: Vec<String> = ids.by_ref().take(SHOWN).map(|id| shown(&id.to_string()).into_owned()).collect();
    match ids.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A label, each name in its own place: what follows a right-to-left name is not drawn into it.
fn labelled(label: &str) -> String {
    label.split(" ← ").map(shown).collect::<Vec<_>>().join(" ← ")
}

/// How the pair is called.
fn name(inspection: &Inspection, pair: &Pair) -> String {
    labelled(&naming::label(inspection, pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_told_in_words_and_end_somewhere() {
        assert_eq!(either(&["device", "server", "edit"]), "device, server or edit");
        assert_eq!(ids(["a", "b\u{1b}"]), "a, b␛");
        assert_eq!(ids(0..20), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more");
    }
}
