//! Text that may be hostile, as what may be shown. Screen, `inspect`, `plan`, errors and logs all pass through
//! here; nothing in this module knows of styles or terminals.
//!
//! A note can hold anything: escape sequences that drive a terminal, overrides that reverse what is read,
//! characters that cannot be seen. Two rules hold for everything this module returns:
//!
//! * **Nothing acts.** No control, no bidi and no invisible character ever comes out.
//! * **Nothing hides.** Each such character has a visible stand-in, and two different texts never give the same
//!   output: a text that spells out a stand-in gets one itself. The output can be decoded (a property test does).
//!
//! | in the text | shown as |
//! |---|---|
//! | U+0000 to U+001F, DEL | `␀` to `␟`, `␡` |
//! | tab, newline | `⇥`, `⏎` ([`visible`] keeps newlines) |
//! | C1 controls, bidi marks, overrides and isolates, zero-width, tags, fillers, soft hyphen, spaces other than U+0020, private use, U+FFFC, U+FFFD | `<202E>`: the code point |
//! | zero-width non-joiner after an Arabic letter, as Persian and Urdu write it | `¦` |
//! | zero-width joiner after a character that it can join | `‿` |
//! | emoji variation selector (U+FE0F) where it has an effect | `⁺` |
//! | regional indicators | `<SA>`, a lone one `<S>` |
//! | skin tones; a mark without a letter, or the ninth and later in a pile | the code point |
//! | the signs above where they stand in the text itself, and the `<` of `<202E>` or `<SA>` | the code point |
//!
//! So a family emoji is `👨‿👩‿👧` and a red heart `❤⁺`: readable, and of a width all terminals agree on. Arabic
//! with its tashkeel, and emoji that are one character, are shown as they are.
//!
//! **Widths** are sums over characters: what terminals do, where `UnicodeWidthStr` counts lam-alef as one column.
//! Where a terminal might take characters together (FACTS: variation selectors, skin tones, joiners, flags) they
//! are kept apart.
//!
//! What is *not* told apart is what only looks alike: letters of two scripts, or a composed and a decomposed
//! accent. They differ in the output, but not always to the eye.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::iter::FusedIterator;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const PICTURES: &str = "␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟";
const DELETE: &str = "␡";
const TAB: &str = "⇥";
const NEWLINE: &str = "⏎";
const NON_JOINER: &str = "¦";
const JOINER: &str = "‿";
const EMOJI_FORM: &str = "⁺";

/// A letter with more characters than this is a pile-up meant to spill over other lines. Quranic text needs five.
const MAX_CHARACTERS: usize = 8;

/// Graphemes are looked for in this many bytes at a time, so that one of a million marks costs no more than as many
/// letters. The longest emoji take half as many.
const MAX_GRAPHEME: usize = 128;

/// A piece of text that is drawn whole or not at all: a grapheme as it is, or a stand-in for one character of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Cell<'a> {
    /// What to draw; never empty.
    pub symbol: Cow<'a, str>,
    /// Columns that `symbol` takes; at least 1.
    pub width: u16,
    /// The bytes of the text that this cell shows.
    pub source: Range<usize>,
    /// `symbol` is not the text itself. Worth a style of its own.
    pub stand_in: bool,
}

/// The text as cells, in order; their sources cover it without a gap. A newline is the stand-in `⏎`.
pub fn cells(text: &str) -> Cells<'_> {
    Cells { text, grapheme: 0..0, at: 0, after_native: false }
}

/// Iterator of [`cells`].
#[derive(Clone)]
pub struct Cells<'a> {
    text: &'a str,
    /// The grapheme being taken apart.
    grapheme: Range<usize>,
    /// Everything before this byte has been returned.
    at: usize,
    /// The last cell returned was text as it is, not a stand-in.
    after_native: bool,
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cell<'a>;

    fn next(&mut self) -> Option<Cell<'a>> {
        if self.at == self.grapheme.end {
            let rest = &self.text[self.at..];
            let grapheme = rest[..rest.floor_char_boundary(MAX_GRAPHEME)].graphemes(true).next()?;
            self.grapheme = self.at..self.at + grapheme.len();
        }
        let rest = &self.text[self.at..self.grapheme.end];
        let first = rest.chars().next()?;
        let (symbol, length, stand_in) = if let Some((symbol, length)) = self.stand_in(first, rest) {
            (symbol, length, true)
        } else {
            let length = self.native_length(rest);
            (Cow::Borrowed(&rest[..length]), length, false)
        };
        let source = self.at..self.at + length;
        self.at = source.end;
        self.after_native = !stand_in;
        Some(Cell { width: columns(&symbol), symbol, source, stand_in })
    }
}

impl FusedIterator for Cells<'_> {}

impl Cells<'_> {
    /// What is shown in place of the first characters of `rest`, and how many bytes of it that stands for. Depends on
    /// nothing that comes later but the text of a stand-in, so that a row shows alone what it shows in its text.
    fn stand_in(&self, first: char, rest: &str) -> Option<(Cow<'static, str>, usize)> {
        let length = first.len_utf8();
        let after = &rest[length..];
        let symbol = match first {
            ' '..='~' if first != '<' => return None,
            '\u{200C}' if self.after_arabic() => NON_JOINER.into(),
            '\u{200D}' if self.at > self.grapheme.start => JOINER.into(),
            '\u{FE0F}' if self.forms_emoji() => EMOJI_FORM.into(),
            REGIONAL_A..=REGIONAL_Z => match after.chars().next() {
                Some(second @ REGIONAL_A..=REGIONAL_Z) => {
                    let flag = format!("<{}{}>", regional_letter(first), regional_letter(second));
                    return Some((flag.into(), length + second.len_utf8()));
                }
                _ => format!("<{}>", regional_letter(first)).into(),
            },
            _ => match sign(first, &self.text[self.at + length..]) {
                Some(sign) => sign,
                None if self.is_stray(first) => code_point(first),
                None => return None,
            },
        };
        Some((symbol, length))
    }

    /// Would `c`, drawn here as it is, take no column or attach itself to what was drawn before?
    fn is_stray(&self, c: char) -> bool {
        c.width().unwrap_or(0) == 0
            || if self.after_native { self.at > self.grapheme.start } else { attaches(c) }
    }

    /// Bytes at the start of `rest` that can be drawn as they are, as one symbol: a character and its marks, as
    /// long as every terminal gives them the sum of their widths.
    fn native_length(&self, rest: &str) -> usize {
        let mut sum = 0;
        for (index, (start, c)) in rest.char_indices().enumerate() {
            let end = start + c.len_utf8();
            sum += c.width().unwrap_or(0);
            let fits = || {
                index < MAX_CHARACTERS
                    && sign(c, &self.text[self.at + end..]).is_none()
                    && !matches!(c, REGIONAL_A..=REGIONAL_Z)
                    && rest[..end].width() == sum
            };
            if index > 0 && !fits() {
                return start;
            }
        }
        rest.len()
    }

    fn after_arabic(&self) -> bool {
        matches!(
            self.text[..self.at].chars().next_back(),
            Some('\u{0600}'..='\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{08A0}'..='\u{08FF}')
        )
    }

    /// Is the variation selector that stands here part of an emoji sequence?
    fn forms_emoji(&self) -> bool {
        self.after_native
            && self.at > self.grapheme.start
            && self.text[..self.at]
                .char_indices()
                .next_back()
                .is_some_and(|(base, _)| self.text[base..].chars().take(2).collect::<String>().width() == 2)
    }
}

const REGIONAL_A: char = '\u{1F1E6}';
const REGIONAL_Z: char = '\u{1F1FF}';

fn regional_letter(c: char) -> char {
    char::from_u32(u32::from(c) - u32::from(REGIONAL_A) + u32::from('A')).unwrap_or('?')
}

/// The stand-in of a character that must never be drawn as it is, whatever stands before it.
fn sign(c: char, after: &str) -> Option<Cow<'static, str>> {
    match c {
        '\t' => Some(TAB.into()),
        '\n' => Some(NEWLINE.into()),
        '\0'..='\u{1F}' => {
            let start = c as usize * 3;
            PICTURES.get(start..start + 3).map(Cow::Borrowed)
        }
        '\u{7F}' => Some(DELETE.into()),
        '<' if spells_stand_in(after) => Some(code_point(c)),
        _ if is_hidden(c) || is_sign(c) || matches!(c, '\u{1F3FB}'..='\u{1F3FF}') => Some(code_point(c)),
        _ => None,
    }
}

/// `<202E>`: no two characters share one.
fn code_point(c: char) -> Cow<'static, str> {
    format!("<{:04X}>", u32::from(c)).into()
}

/// Does `<` before `after` read as a stand-in: a code point or one or two regional letters?
fn spells_stand_in(after: &str) -> bool {
    let bytes = after.as_bytes();
    match bytes.iter().take(7).position(|byte| *byte == b'>') {
        Some(length @ 1..=2) => bytes[..length].iter().all(u8::is_ascii_uppercase),
        Some(length @ 4..=6) => bytes[..length].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')),
        _ => false,
    }
}

/// The signs that stand for something else here.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{2400}'..='\u{241F}' | '␡' | '⇥' | '⏎' | '¦' | '‿' | '⁺')
}

/// Controls, and what has no glyph of its own or none that can be told from another.
///
/// Unicode's `Default_Ignorable_Code_Point`, line and paragraph separators, format characters that are not drawn,
/// spaces other than U+0020, fillers, private use and noncharacters (all private glyphs look the same, and their
/// widths are unknown). Arabic format characters that *are* drawn, such as U+06DD END OF AYAH, are not among them.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1F}' | '\u{7F}'..='\u{A0}' | '\u{AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}'
        | '\u{1680}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2000}'..='\u{200F}'
        | '\u{2028}'..='\u{202F}' | '\u{205F}'..='\u{206F}' | '\u{2800}' | '\u{3000}' | '\u{3164}'
        | '\u{E000}'..='\u{F8FF}' | '\u{FDD0}'..='\u{FDEF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFF}' | '\u{13430}'..='\u{1345F}' | '\u{16FE4}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D159}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{10FFFF}')
        || u32::from(c) & 0xFFFE == 0xFFFE
}

/// Does `c` become part of whatever character is drawn before it?
fn attaches(c: char) -> bool {
    !c.is_ascii() && String::from_iter(['x', c]).graphemes(true).count() == 1
}

/// Columns that the symbol of a cell takes: the sum over its characters.
pub fn columns(symbol: &str) -> u16 {
    u16::try_from(symbol.chars().filter_map(UnicodeWidthChar::width).sum::<usize>()).unwrap_or(u16::MAX)
}

/// The text made safe, its newlines kept.
pub fn visible(text: &str) -> Cow<'_, str> {
    render(text, true)
}

/// The text made safe, on one line: newlines are `⏎`.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    render(text, false)
}

fn render(text: &str, keep_newlines: bool) -> Cow<'_, str> {
    let kept = |cell: &Cell| !cell.stand_in || (keep_newlines && &text[cell.source.clone()] == "\n");
    let Some(first) = cells(text).find(|cell| !kept(cell)) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first.source.start]);
    for cell in cells(text).skip_while(|cell| cell.source.start < first.source.start) {
        out.push_str(if kept(&cell) { &text[cell.source.clone()] } else { &cell.symbol });
    }
    Cow::Owned(out)
}

/// A JSON document with every hidden character in its strings escaped: the same document to a parser, and safe to
/// print. JSON itself only asks for U+0000 to U+001F to be escaped; U+009B starts an escape sequence as well.
pub fn visible_json(document: &str) -> Cow<'_, str> {
    // The C0 controls that a document may hold raw are its line breaks and indentation.
    let escaped = |c: char| is_hidden(c) && c > '\u{1F}';
    if !document.contains(escaped) {
        return Cow::Borrowed(document);
    }
    let mut out = String::with_capacity(document.len() + 16);
    for c in document.chars() {
        if escaped(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Columns that the text takes on one line.
pub fn width(text: &str) -> usize {
    cells(text).map(|cell| usize::from(cell.width)).sum()
}

/// The text on one line of at most `columns` columns. Ends with `…` where it was cut, never within a cell. Takes
/// time for what fits, not for the whole text.
pub fn clip(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    // Where the text would be cut to leave a column for the ellipsis.
    let mut cut = 0;
    for cell in cells(text) {
        used += usize::from(cell.width);
        if used > columns {
            out.truncate(cut);
            if columns > 0 {
                out.push('…');
            }
            return out;
        }
        out.push_str(&cell.symbol);
        if used < columns {
            cut = out.len();
        }
    }
    out
}

/// The text as rows of at most `columns` columns; together they cover it. An empty text is one empty row.
///
/// A row ends after a newline, or behind the last space that fits, or, in a word that is longer than a row, where
/// the row is full. Two things take no column and are not to be drawn: the newline that ends a row, and one space
/// that would not have fitted behind its last word. A cell that alone is wider than `columns` is a row of its own,
/// to be clipped. After a final newline comes one more, empty row.
pub fn wrap(text: &str, columns: usize) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = start + first_row(&text[start..], columns);
        rows.push(start..end);
        start = end;
    }
    if text.is_empty() || text.ends_with('\n') {
        rows.push(start..start);
    }
    rows
}

/// Bytes of the first row. It is measured on its own, so that it takes the same columns when it is drawn on its own.
fn first_row(text: &str, columns: usize) -> usize {
    let mut used = 0;
    let mut behind_space = None;
    for cell in cells(text) {
        let Range { start, end } = cell.source;
        let source = &text[start..end];
        if source == "\n" {
            return end;
        }
        let before = used;
        used += usize::from(cell.width);
        if used > columns && before > 0 {
            return if source == " " { end } else { behind_space.unwrap_or(start) };
        }
        if matches!(source, " " | "\t") {
            behind_space = Some(end);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
