//! Reports for people, on any terminal and through a screen reader: plain words and indented lines, no drawing.
//! The sides are always called `device` and `server`; words that differ stand in brackets.

pub(super) mod comparison;
pub(super) mod inspection;
pub(super) mod plan;
pub(super) mod simulation;

mod difference;
mod table;
mod value;

use std::fmt;

use crate::domain::inspect::{Inspection, Pair};
use crate::domain::naming;
use crate::domain::safe_text;

/// `1 mutation`, `2 mutations`.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
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
    let shown: Vec<String> =
        ids.by_ref().take(SHOWN).map(|id| safe_text::visible_line(&id.to_string()).into_owned()).collect();
    match ids.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// How the pair is called: its kind, its title, and the key that choices files use.
fn name(inspection: &Inspection, pair: &Pair) -> String {
    let (kind, key) = (safe_text::visible_line(pair.kind.wire()), safe_text::visible_line(&pair.key));
    let title = naming::title(inspection, pair);
    if pair.key.split_once(':').is_some_and(|(_, id)| id == title) {
        return format!("{kind} {key}");
    }
    format!("{kind} {} ({key})", safe_text::visible_line(&title))
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
