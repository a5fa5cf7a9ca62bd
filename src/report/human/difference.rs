//! Two values side by side in words: what stands on one side only is put in brackets, long stretches that both
//! sides have are left out.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::value;
use crate::domain::field::{Field, FieldShape};
use crate::domain::json::Json;
use crate::domain::mutation::Side;
use crate::domain::safe_text;
use crate::domain::text::{self, Folding, Line, Mark, Row, TextDiff};
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
    match (shape, device, server) {
        (FieldShape::Text | FieldShape::Plain, Json::String(device), Json::String(server)) => {
            let options = text::Options { deadline: None, folding: Some(Folding::default()) };
            let diff = text::diff(Some(device), Some(server), &options);
            [(Side::Device, device), (Side::Server, server)]
                .map(|(side, text)| (side, marked_text(text, &Stretches::of(&diff, side), side, style)))
                .to_vec()
        }
        (FieldShape::Set, Json::Array(_), Json::Array(_)) => {
            sides.map(|(side, own, other)| (side, vec![marked_items(own, other, side, style)])).to_vec()
        }
        (_, _, _) => sides.map(|(side, own, _)| (side, value::lines(own))).to_vec(),
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
struct Stretches {
    /// In order, not touching each other.
    changed: Vec<Range<usize>>,
    /// In order: what is left out, how many words that is, and whether whole lines are.
    left_out: Vec<(Range<usize>, usize, bool)>,
}

impl Stretches {
    fn of(diff: &TextDiff, side: Side) -> Self {
        let mut stretches = Self { changed: Vec::new(), left_out: Vec::new() };
        for row in &diff.rows {
            match row {
                Row::Same { .. } => {}
                Row::Fold { device, server, lines, words } => {
                    let range = if side == Side::Device { device } else { server };
                    stretches.left_out.push((range.clone(), *words, *lines > 0));
                }
                Row::Change { device, server } => {
                    let line = if side == Side::Device { device } else { server };
                    stretches.changed.extend(line.iter().flat_map(changed));
                }
            }
        }
        stretches
    }
}

fn changed(line: &Line) -> impl Iterator<Item = Range<usize>> {
    line.spans.iter().filter(|span| span.mark == Mark::Changed).map(|span| span.range.clone())
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
    if text.is_empty() {
        return vec![bracketed("empty text", side, style)];
    }
    let words = changed_words(text, &stretches.changed);
    let (mut words, mut left_out) = (words.iter().peekable(), stretches.left_out.iter().peekable());
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

impl Stretches {
    fn hides(&self, at: usize) -> bool {
        let after = self.left_out.partition_point(|(range, ..)| range.end <= at);
        self.left_out.get(after).is_some_and(|(range, ..)| range.contains(&at))
    }
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
