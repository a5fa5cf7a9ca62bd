//! Two values side by side in words: what stands on one side only is put in brackets, long stretches that both
//! sides have are left out.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::value;
use crate::domain::field::{Field, FieldShape};
use crate::domain::json::Json;
use crate::domain::mutation::Side;
use crate::domain::safe_text;
use crate::domain::text::{self, Folding, Line, Mark, Row};
use crate::report::style::Style;

/// The value of each side that holds the field, as lines; what differs is in brackets.
pub(super) fn sides(field: &Field, style: Style) -> Vec<(Side, Vec<String>)> {
    match (&field.device, &field.server) {
        (Some(device), Some(server)) if device != server => both(field.shape, device, server, style),
        (device, server) => [(Side::Device, device), (Side::Server, server)]
            .into_iter()
            .filter_map(|(side, value)| Some((side, value::lines(value.as_ref()?))))
            .collect(),
    }
}

fn both(shape: FieldShape, device: &Json, server: &Json, style: Style) -> Vec<(Side, Vec<String>)> {
    let sides = [(Side::Device, device, server), (Side::Server, server, device)];
    let plain = || sides.map(|(side, own, _)| (side, value::lines(own))).to_vec();
    match (shape, device, server) {
        (FieldShape::Text | FieldShape::Plain, Json::String(device), Json::String(server)) => {
            let [of_device, of_server] = stretches(device, server);
            if of_device.are_all_of(device) && of_server.are_all_of(server) {
                return plain();
            }
            vec![
                (Side::Device, marked_text(device, &of_device, Side::Device, style)),
                (Side::Server, marked_text(server, &of_server, Side::Server, style)),
            ]
        }
        (FieldShape::Set, Json::Array(_), Json::Array(_)) => {
            sides.map(|(side, own, other)| (side, vec![marked_items(own, other, side, style)])).to_vec()
        }
        (_, _, _) => plain(),
    }
}

/// The elements of a set; those that the other side lacks are in brackets.
fn marked_items(own: &Json, other: &Json, side: Side, style: Style) -> String {
    let (Json::Array(own), Json::Array(other)) = (own, other) else { return value::item(own) };
    if own.is_empty() {
        return String::from("(empty list)");
    }
    let item = |value: &Json| {
        let item = value::item(value);
        if other.contains(value) { item } else { bracketed(&item, side, style) }
    };
    own.iter().map(item).collect::<Vec<_>>().join(", ")
}

fn bracketed(text: &str, side: Side, style: Style) -> String {
    style.side(side, format_args!("[{text}]")).to_string()
}

/// Where one side's text differs from the other's, and where it is left out.
#[derive(Default)]
struct Stretches {
    /// Words in order, not touching each other.
    changed: Vec<Range<usize>>,
    /// In order: what is left out, how many words that is, and whether whole lines are.
    left_out: Vec<(Range<usize>, usize, bool)>,
}

/// Compares two texts by words.
fn stretches(device: &str, server: &str) -> [Stretches; 2] {
    let options = text::Options { deadline: None, folding: Some(Folding::default()) };
    let diff = text::diff(Some(device), Some(server), &options);
    let (mut of_device, mut of_server) = (Stretches::default(), Stretches::default());
    let (mut in_device, mut in_server) = (Vec::new(), Vec::new());
    // Stretches that are the same, as they lie on both sides.
    let mut same: Vec<[Range<usize>; 2]> = Vec::new();
    for row in &diff.rows {
        match row {
            Row::Same { device, server } => same.push([device.clone(), server.clone()]),
            Row::Fold { device, server, lines, words } => {
                of_device.left_out.push((device.clone(), *words, *lines > 0));
                of_server.left_out.push((server.clone(), *words, *lines > 0));
            }
            Row::Change { device, server } => {
                in_device.extend(device.iter().flat_map(|line| marked(line, Mark::Changed)));
                in_server.extend(server.iter().flat_map(|line| marked(line, Mark::Changed)));
                if let (Some(device), Some(server)) = (device, server) {
                    same.extend(aligned(device, server));
                }
            }
        }
    }
    // `here` and `there` differ in one letter, which only one side has; both words differ.
    let also_in_device = carried(&changed_words(server, &in_server), same.iter().map(|[d, s]| [s, d]));
    let also_in_server = carried(&changed_words(device, &in_device), same.iter().map(|[d, s]| [d, s]));
    of_device.changed = changed_words(device, &merged(in_device, also_in_device));
    of_server.changed = changed_words(server, &merged(in_server, also_in_server));
    [of_device, of_server]
}

fn marked(line: &Line, mark: Mark) -> impl Iterator<Item = Range<usize>> {
    line.spans.iter().filter(move |span| span.mark == mark).map(|span| span.range.clone())
}

/// What is the same in two lines, piece by piece; a piece is as long on one side as on the other.
fn aligned(device: &Line, server: &Line) -> Vec<[Range<usize>; 2]> {
    let (mut of_device, mut of_server) = (marked(device, Mark::Same), marked(server, Mark::Same));
    let mut pieces = Vec::new();
    let (mut device, mut server) = (of_device.next(), of_server.next());
    while let (Some(d), Some(s)) = (&mut device, &mut server) {
        let length = d.len().min(s.len());
        pieces.push([d.start..d.start + length, s.start..s.start + length]);
        (d.start, s.start) = (d.start + length, s.start + length);
        let (device_done, server_done) = (d.start == d.end, s.start == s.end);
        if device_done {
            device = of_device.next();
        }
        if server_done {
            server = of_server.next();
        }
    }
    pieces
}

/// The parts of `words` that both sides have, as they lie on the other side. `same` holds stretches that are the
/// same, in order: where the words are, and on the other side.
fn carried<'a>(
    words: &[Range<usize>],
    same: impl Iterator<Item = [&'a Range<usize>; 2]>,
) -> Vec<Range<usize>> {
    let mut carried = Vec::new();
    for [here, there] in same {
        let first = words.partition_point(|word| word.end <= here.start);
        for word in words[first..].iter().take_while(|word| word.start < here.end) {
            let (start, end) = (word.start.max(here.start), word.end.min(here.end));
            carried.push(there.start + (start - here.start)..there.start + (end - here.start));
        }
    }
    carried
}

fn merged(mut ranges: Vec<Range<usize>>, more: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.extend(more);
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    ranges
}

impl Stretches {
    /// Whether nothing is left that could be told from what differs.
    fn are_all_of(&self, text: &str) -> bool {
        match self.changed.as_slice() {
            [] => text.is_empty(),
            [one] => text.get(one.clone()) == Some(text.trim()),
            [_, _, ..] => false,
        }
    }

    fn hides(&self, at: usize) -> bool {
        let after = self.left_out.partition_point(|(range, ..)| range.end <= at);
        self.left_out.get(after).is_some_and(|(range, ..)| range.contains(&at))
    }
}

/// The words of `text` that `changed` touches, those with nothing but spaces between them taken together.
fn changed_words(text: &str, changed: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut rest = changed.iter().peekable();
    // Only spaces stood since the last changed word.
    let mut touching = false;
    for (start, word) in text.split_word_bound_indices() {
        let end = start + word.len();
        while rest.next_if(|range| range.end <= start).is_some() {}
        let is_changed = rest.peek().is_some_and(|range| range.start < end);
        let is_space = word.trim().is_empty();
        match words.last_mut() {
            Some(last) if is_changed && touching => last.end = end,
            Some(_) | None if is_changed => words.push(start..end),
            Some(_) | None => {}
        }
        touching = is_changed || (touching && is_space);
    }
    for range in &mut words {
        // Spaces at the border tell nothing, unless they are all that differs.
        let stretch = &text[range.clone()];
        let trimmed = stretch.trim();
        if !trimmed.is_empty() {
            let before = stretch.len() - stretch.trim_start().len();
            *range = range.start + before..range.start + before + trimmed.len();
        }
    }
    words
}

fn marked_text(text: &str, stretches: &Stretches, side: Side, style: Style) -> Vec<String> {
    let mut words = stretches.changed.iter().peekable();
    let mut left_out = stretches.left_out.iter().peekable();
    let mut written = Written { lines: vec![String::new()], bracket: String::new(), side, style };
    for cell in safe_text::cells(text) {
        if let Some((_, count, lines)) = left_out.next_if(|(range, ..)| range.start <= cell.source.start) {
            written.left_out(*count, *lines);
        }
        // A stretch that was left out has been passed in `left_out`; what is inside it is not written.
        if stretches.hides(cell.source.start) {
            continue;
        }
        while words.next_if(|range| range.end <= cell.source.start).is_some() {}
        let is_changed = words.peek().is_some_and(|range| range.start < cell.source.end);
        written.cell(&cell.symbol, &text[cell.source] == "\n", is_changed);
    }
    written.finish()
}

/// Lines under way.
struct Written {
    lines: Vec<String>,
    /// What stands in the open bracket; empty where none is open.
    bracket: String,
    side: Side,
    style: Style,
}

impl Written {
    fn cell(&mut self, symbol: &str, ends_line: bool, is_changed: bool) {
        if is_changed {
            self.bracket.push_str(symbol);
        } else {
            self.close_bracket();
            if !ends_line {
                self.push(symbol);
            }
        }
        if ends_line {
            self.close_bracket();
            self.lines.push(String::new());
        }
    }

    fn left_out(&mut self, words: usize, whole_lines: bool) {
        self.close_bracket();
        let words = super::count(words, "word");
        let note = self.style.quiet(format_args!("({words} the same)")).to_string();
        let begins_line = self.lines.last().is_none_or(String::is_empty);
        if whole_lines && !begins_line {
            self.lines.push(String::new());
        }
        let space = if whole_lines || begins_line { "" } else { " " };
        self.push(&format!("{space}{note}{}", if whole_lines { "" } else { " " }));
        if whole_lines {
            self.lines.push(String::new());
        }
    }

    fn close_bracket(&mut self) {
        if !self.bracket.is_empty() {
            let text = bracketed(&self.bracket, self.side, self.style);
            self.push(&text);
            self.bracket.clear();
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(line) = self.lines.last_mut() {
            line.push_str(text);
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.close_bracket();
        for line in &mut self.lines {
            line.truncate(line.trim_end().len());
        }
        while self.lines.len() > 1 && self.lines.last().is_some_and(String::is_empty) {
            self.lines.pop();
        }
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(device: &str, server: &str) -> [String; 2] {
        let sides = both(FieldShape::Text, &Json::string(device), &Json::string(server), Style::PLAIN);
        [Side::Device, Side::Server].map(|wanted| {
            let lines = sides.iter().find(|(side, _)| *side == wanted).map(|(_, lines)| lines.join("\n"));
            lines.expect("both sides are told")
        })
    }

    #[test]
    fn whole_words_that_differ_stand_in_brackets() {
        for (device, server, expected) in [
            ("one two three", "one 2 three", ["one [two] three", "one [2] three"]),
            ("one two three", "one three", ["one [two] three", "one three"]),
            ("a b c d", "a x y d", ["a [b c] d", "a [x y] d"]),
            ("صبر وصلاة", "صَبر وصلاة", ["[صبر] وصلاة", "[صَبر] وصلاة"]),
            ("one  two", "one two", ["one[  ]two", "one[ ]two"]),
            ("go here", "go there", ["go [here]", "go [there]"]),
            ("one\ntwo", "one two", ["one[⏎]\ntwo", "one[ ]two"]),
            ("same\nold", "same\nnew", ["same\n[old]", "same\n[new]"]),
        ] {
            assert_eq!(told(device, server), expected, "{device} / {server}");
        }
    }

    #[test]
    fn texts_with_nothing_in_common_stand_as_they_are() {
        assert_eq!(told("Ramadan", "Travel"), ["Ramadan", "Travel"]);
        assert_eq!(told("", "Travel"), ["(empty text)", "Travel"]);
    }

    #[test]
    fn long_stretches_that_are_the_same_are_left_out() {
        let long = vec!["word"; 300].join(" ");
        let [device, server] = told(&format!("{long} here {long}"), &format!("{long} there {long}"));
        assert!(device.contains("words the same)") && device.contains("[here]"), "{device}");
        assert!(server.contains("[there]") && server.len() < 400, "{server}");
        let lines: String = ["line one\n", "line two\n"].repeat(50).concat();
        let [device, _] = told(&format!("{lines}here"), &format!("{lines}there"));
        assert!(device.lines().count() < 8 && device.ends_with("[here]"), "{device}");
    }

    #[test]
    fn what_could_hide_or_act_is_shown() {
        let [device, server] = told("a\u{202e}b \u{1b}[2Jx y", "a\u{202e}b \u{1b}[2Jx z");
        assert_eq!(device, "a<202E>b ␛[2Jx [y]");
        assert_eq!(server, "a<202E>b ␛[2Jx [z]");
    }

    #[test]
    fn elements_of_a_set_that_one_side_lacks_stand_in_brackets() {
        let set = |json: &str| Json::parse(json);
        let sides = both(FieldShape::Set, &set(r#"["a","b"]"#), &set(r#"["b"]"#), Style::PLAIN);
        let lines: Vec<String> = sides.into_iter().flat_map(|(_, lines)| lines).collect();
        assert_eq!(lines, ["[a], b", "b"]);
    }
}
