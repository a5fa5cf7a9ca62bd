//! A JSON document as lines: each member of the document on its own, and each element of the lists in it. So it
//! can be written and read piece by piece, searched and compared by line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::domain::safe_text;

/// Writes `document` and a newline. Nothing in it can steer a terminal; to a parser it is the same document.
pub(crate) fn write(out: &mut impl Write, document: &impl Serialize) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(64 * 1024, out);
    document.serialize(&mut Serializer::with_formatter(&mut out, Lines::default()))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// How deep the writer stands: 1 within the document, 2 within its members.
const DOCUMENT: usize = 1;
const LIST: usize = 2;

#[derive(Default)]
struct Lines {
    depth: usize,
    /// Nothing was written yet in the innermost array or object.
    empty: bool,
}

impl Lines {
    fn open(&mut self) {
        self.depth += 1;
        self.empty = true;
    }

    /// The end of an array or object whose elements stood on lines of their own where `broken`.
    fn close(&mut self, out: &mut (impl Write + ?Sized), broken: bool) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        let was_empty = std::mem::take(&mut self.empty);
        if broken && !was_empty { indent(out, self.depth) } else { Ok(()) }
    }

    fn next(&mut self, out: &mut (impl Write + ?Sized), first: bool, broken: bool) -> io::Result<()> {
        self.empty = false;
        match (first, broken) {
            (true, true) => indent(out, self.depth),
            (true, false) => Ok(()),
            (false, true) => out.write_all(b",").and_then(|()| indent(out, self.depth)),
            (false, false) => out.write_all(b", "),
        }
    }
}

fn indent(out: &mut (impl Write + ?Sized), depth: usize) -> io::Result<()> {
    out.write_all(b"\n")?;
    (0..depth).try_for_each(|_| out.write_all(b"  "))
}

impl Formatter for Lines {
    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open();
        CompactFormatter.begin_array(out)
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        let broken = self.depth == LIST;
        self.close(out, broken)?;
        CompactFormatter.end_array(out)
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        let broken = self.depth == LIST;
        self.next(out, first, broken)
    }

    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open();
        CompactFormatter.begin_object(out)
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        let broken = self.depth == DOCUMENT;
        self.close(out, broken)?;
        CompactFormatter.end_object(out)
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        let broken = self.depth == DOCUMENT;
        self.next(out, first, broken)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        out.write_all(safe_text::visible_json(fragment).as_bytes())
    }

    fn write_raw_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        out.write_all(safe_text::visible_json(&on_one_line(fragment)).as_bytes())
    }
}

/// A JSON text spaced as everything else here, whatever its author did.
fn on_one_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len() + json.len() / 16);
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        match c {
            ' ' | '\t' | '\n' | '\r' if !in_string => {}
            ',' | ':' if !in_string => line.extend([c, ' ']),
            _ => line.push(c),
        }
        in_string ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::Json;

    fn lines(json: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, &Json::parse(json)).expect("memory takes everything");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn members_and_elements_of_lists_are_lines() {
        let text = lines(r#"{"a":{"b":[1,2]},"list":[{"c":[3,{}]},[4,[]]],"none":[],"d":null}"#);
        let expected = r#"{
  "a": {"b": [1, 2]},
  "list": [
    {"c": [3, {}]},
    [4, []]
  ],
  "none": [],
  "d": null
}
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn what_could_steer_a_terminal_is_escaped_and_means_the_same() {
        let hostile = "\u{1b}[2J\u{9b}31m\u{202e}\u{200b}صبر\u{e0001}";
        let document = Json::parse(&serde_json::json!({ "a": hostile }).to_string());
        let text = lines(&document.to_text());
        assert!(text.contains(r"\u001b[2J\u009b31m\u202e\u200bصبر\udb40\udc01"), "{text}");
        assert!(Json::parse(&text) == document);
    }

    #[test]
    fn numbers_and_what_cannot_be_read_keep_their_text() {
        assert!(
            lines(r#"{"a":1e400,"b":9007199254740993.0,"c":"\ud800"}"#)
                .contains("\"a\": 1e400,\n  \"b\": 9007199254740993.0,\n  \"c\": \"\\ud800\"")
        );
    }

    #[test]
    fn payloads_are_spaced_like_the_rest() {
        let payload = "{\n \"a\" : [1 ,{}],\t\"b: ,\\\\\":\"c \\\" , d\"}";
        assert_eq!(on_one_line(payload), r#"{"a": [1, {}], "b: ,\\": "c \" , d"}"#);
    }
}
