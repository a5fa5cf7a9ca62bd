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

/// A stretch of time in its two largest units: `250 ms`, `2 min 30 s`, `13 h 33 min`.
fn duration(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")];
    let Some(at) = UNITS.iter().position(|(unit, _)| ms >= *unit) else { return format!("{ms} ms") };
    let (unit, name) = UNITS[at];
    let rest = UNITS.get(at + 1).map(|(smaller, name)| (ms % unit / smaller, name));
    match rest {
        Some((count @ 1.., smaller)) => format!("{} {name} {count} {smaller}", ms / unit),
        Some((0, _)) | None => format!("{} {name}", ms / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_two_units() {
        for (ms, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1 s"),
            (150_000, "2 min 30 s"),
            (48_800_000, "13 h 33 min"),
            (86_400_000, "1 d"),
            (u64::MAX, "213503982334 d 14 h"),
        ] {
            assert_eq!(duration(ms), expected);
        }
    }

    #[test]
    fn lists_are_told_in_words_and_end_somewhere() {
        assert_eq!(either(&["device", "server", "edit"]), "device, server or edit");
        assert_eq!(ids(["a", "b\u{1b}"]), "a, b␛");
        assert_eq!(ids(0..20), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more");
    }
}
