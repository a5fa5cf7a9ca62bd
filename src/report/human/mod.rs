//! Reports for people, on any terminal and through a screen reader: plain words and indented lines, no drawing.
//! The sides are always called `device` and `server`; words that differ stand in brackets.

pub(super) mod inspection;
pub(super) mod plan;

mod difference;
mod value;

use std::fmt;

use crate::domain::inspect::{Inspection, Pair};
use crate::domain::naming;
use crate::domain::safe_text;

/// `1 mutation`, `2 mutations`.
fn count(number: usize, one: &str) -> String {
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
    let title = naming::title(inspection, pair);
    let (kind, title, key) = (
        safe_text::visible_line(pair.kind.wire()),
        safe_text::visible_line(&title),
        safe_text::visible_line(&pair.key),
    );
    format!("{kind} {title} ({key})")
}
