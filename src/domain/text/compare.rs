//! Two texts -> pieces. Everything that decides what counts as a change is here.

use std::hash::Hash;
use std::ops::Range;
use std::time::Instant;

use similar::{Algorithm, DiffTag, capture_diff_slices_deadline};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

use super::{Kind, Piece, Precision};

/// Larger texts, both together, are not split into lines. Bytes.
const TEXT_LIMIT: usize = 4 << 20;

/// Longer changed stretches are not split into words. Bytes.
const WORDS_LIMIT: usize = 100 << 10;

/// Longer words are not split into letters. Bytes.
const LETTERS_LIMIT: usize = 10 << 10;

/// What two texts have in common, and what not.
pub(super) struct Compared {
    /// They cover both texts; neighbours are of different kinds.
    pub(super) pieces: Vec<Piece>,
    /// How finely that is.
    pub(super) precision: Precision,
    /// Words of the device's and of the server's text that lie in a change or have one within.
    pub(super) changed_words: (usize, usize),
}

/// Compares two texts. Swapping them swaps the sides in the result and changes nothing else.
pub(super) fn compare(device: &str, server: &str, deadline: Option<Instant>) -> Compared {
    // Where two alignments are equally good the algorithm prefers one by the order of its arguments. Neither side
    // may be preferred here.
    if (device.len(), device) > (server.len(), server) {
        let Compared { mut pieces, precision, changed_words: (device_words, server_words) } =
            compare(server, device, deadline);
        for piece in &mut pieces {
            std::mem::swap(&mut piece.device, &mut piece.server);
        }
        return Compared { pieces, precision, changed_words: (server_words, device_words) };
    }
    let compared = Compared { pieces: Vec::new(), precision: Precision::Graphemes, changed_words: (0, 0) };
    let mut comparison = Comparison { deadline, compared };
    comparison.lines(device, server);
    comparison.compared
}

struct Comparison {
    deadline: Option<Instant>,
    compared: Compared,
}

/// A word and the white space behind it. Words are aligned by themselves; their spaces are compared afterwards, so
/// that spaces, which are all alike, cannot pull unrelated words together.
#[derive(Clone, Copy)]
struct Token<'a> {
    word: &'a str,
    space: &'a str,
}

impl Comparison {
    fn lines(&mut self, device: &str, server: &str) {
        if device.len() + server.len() > TEXT_LIMIT {
            return self.coarsely(device, server, Precision::Whole);
        }
        let device_lines: Vec<&str> = device.split_inclusive('\n').collect();
        let server_lines: Vec<&str> = server.split_inclusive('\n').collect();
        let (mut device, mut server) = (device, server);
        for piece in self.align(&device_lines, &server_lines) {
            let bytes = |lines: &[&str]| lines.iter().map(|line| line.len()).sum();
            let device_stretch = cut(&mut device, bytes(&device_lines[piece.device]));
            let server_stretch = cut(&mut server, bytes(&server_lines[piece.server]));
            match piece.kind {
                Kind::Same | Kind::Folded => self.same(device_stretch),
                Kind::Changed => self.words(device_stretch, server_stretch),
            }
        }
    }

    fn words(&mut self, device: &str, server: &str) {
        if device.is_empty() || server.is_empty() {
            return self.changed(device, server);
        }
        if self.is_late() || device.len().max(server.len()) > WORDS_LIMIT {
            return self.coarsely(device, server, Precision::Lines);
        }
        let (device, server) = (tokens(device), tokens(server));
        let device_words: Vec<&str> = device.iter().map(|token| token.word).collect();
        let server_words: Vec<&str> = server.iter().map(|token| token.word).collect();
        let pieces = self.align(&device_words, &server_words);
        if self.is_late() {
            self.no_finer_than(Precision::Lines);
        }
        for piece in pieces {
            let (device, server) = (&device[piece.device], &server[piece.server]);
            match piece.kind {
                Kind::Same | Kind::Folded => {
                    for (device, server) in device.iter().zip(server) {
                        self.same(device.word);
                        self.spaces(device.space, server.space);
                    }
                }
                Kind::Changed => self.changed_words(device, server),
            }
        }
    }

    /// Words of which none stands on both sides. Those that differ in their marks only are put together; others by
    /// their place, where both sides have as many.
    fn changed_words(&mut self, device: &[Token<'_>], server: &[Token<'_>]) {
        if device.is_empty() || server.is_empty() {
            return self.unlike(device, server);
        }
        if self.is_late() {
            self.no_finer_than(Precision::Words);
            return self.unlike(device, server);
        }
        let skeletons =
            |tokens: &[Token<'_>]| tokens.iter().map(|token| skeleton(token.word)).collect::<Vec<_>>();
        for piece in self.align(&skeletons(device), &skeletons(server)) {
            let (device, server) = (&device[piece.device], &server[piece.server]);
            if device.len() != server.len() {
                self.unlike(device, server);
                continue;
            }
            let mut unlike = 0;
            for at in 0..device.len() {
                let (device_word, server_word) = (device[at].word, server[at].word);
                if let Some(letters) = self.letters(device_word, server_word, piece.kind == Kind::Same) {
                    self.unlike(&device[unlike..at], &server[unlike..at]);
                    unlike = at + 1;
                    self.count(1, 1);
                    for letter in letters {
                        self.push(letter.device.len(), letter.server.len(), letter.kind);
                    }
                    self.spaces(device[at].space, server[at].space);
                }
            }
            self.unlike(&device[unlike..], &server[unlike..]);
        }
    }

    /// The letters (graphemes) of two words, in bytes of the words, if the words are alike: `always`, or where more
    /// than half of the letters are the same. The letters of unrelated words would only dazzle.
    fn letters(&mut self, device: &str, server: &str, always: bool) -> Option<Vec<Piece>> {
        if self.is_late() || device.len().max(server.len()) > LETTERS_LIMIT {
            self.no_finer_than(Precision::Words);
            return None;
        }
        let device_letters: Vec<&str> = device.graphemes(true).collect();
        let server_letters: Vec<&str> = server.graphemes(true).collect();
        let mut pieces = self.align(&device_letters, &server_letters);
        let same: usize = pieces.iter().filter(|p| p.kind == Kind::Same).map(|p| p.device.len()).sum();
        if !always && same * 4 <= device_letters.len() + server_letters.len() {
            return None;
        }
        let bytes = |letters: &[&str], range: &Range<usize>, at: &mut usize| {
            let start = *at;
            *at += letters[range.clone()].iter().map(|letter| letter.len()).sum::<usize>();
            start..*at
        };
        let (mut device_at, mut server_at) = (0, 0);
        for piece in &mut pieces {
            piece.device = bytes(&device_letters, &piece.device, &mut device_at);
            piece.server = bytes(&server_letters, &piece.server, &mut server_at);
        }
        Some(pieces)
    }

    /// Words that have nothing to do with each other: one change from the first to the last.
    fn unlike(&mut self, device: &[Token<'_>], server: &[Token<'_>]) {
        let bytes = |tokens: &[Token<'_>]| {
            tokens.iter().map(|token| token.word.len() + token.space.len()).sum::<usize>()
        };
        let words = |tokens: &[Token<'_>]| tokens.iter().filter(|token| !token.word.is_empty()).count();
        self.count(words(device), words(server));
        let (device_space, server_space) = match (device.last(), server.last()) {
            (Some(device), Some(server)) => (device.space, server.space),
            _ => ("", ""),
        };
        self.push(bytes(device) - device_space.len(), bytes(server) - server_space.len(), Kind::Changed);
        self.spaces(device_space, server_space);
    }

    /// White space between words that stand on both sides.
    fn spaces(&mut self, device: &str, server: &str) {
        let before = common_prefix(device, server);
        self.changed_between(device, server, before, common_suffix(&device[before..], &server[before..]));
    }

    /// One change between the words that are the same at the beginning and at the end.
    fn coarsely(&mut self, device: &str, server: &str, precision: Precision) {
        self.no_finer_than(precision);
        let before = common_prefix(device, server);
        let before = device[..before].trim_end_matches(|c: char| !c.is_whitespace()).len();
        let after = common_suffix(&device[before..], &server[before..]);
        let after = device[device.len() - after..].trim_start_matches(|c: char| !c.is_whitespace()).len();
        self.changed_between(device, server, before, after);
    }

    /// Two texts that have `before` bytes in common at their beginning and `after` bytes at their end.
    fn changed_between(&mut self, device: &str, server: &str, before: usize, after: usize) {
        self.same(&device[..before]);
        self.changed(&device[before..device.len() - after], &server[before..server.len() - after]);
        self.same(&device[device.len() - after..]);
    }

    fn same(&mut self, text: &str) {
        self.push(text.len(), text.len(), Kind::Same);
    }

    fn changed(&mut self, device: &str, server: &str) {
        self.count(device.split_whitespace().count(), server.split_whitespace().count());
        self.push(device.len(), server.len(), Kind::Changed);
    }

    fn count(&mut self, device_words: usize, server_words: usize) {
        self.compared.changed_words.0 += device_words;
        self.compared.changed_words.1 += server_words;
    }

    fn no_finer_than(&mut self, precision: Precision) {
        self.compared.precision = self.compared.precision.max(precision);
    }

    fn push(&mut self, device: usize, server: usize, kind: Kind) {
        if device == 0 && server == 0 {
            return;
        }
        match self.compared.pieces.last_mut() {
            Some(last) if last.kind == kind => {
                last.device.end += device;
                last.server.end += server;
            }
            last => {
                let (device_at, server_at) = last.map_or((0, 0), |last| (last.device.end, last.server.end));
                let device = device_at..device_at + device;
                self.compared.pieces.push(Piece { device, server: server_at..server_at + server, kind });
            }
        }
    }

    /// What is the same in two lists, as pieces in indices of the lists.
    fn align<T: Hash + Eq>(&self, device: &[T], server: &[T]) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for operation in capture_diff_slices_deadline(Algorithm::Myers, device, server, self.deadline) {
            let (tag, device, server) = operation.as_tag_tuple();
            let kind = match tag {
                DiffTag::Equal => Kind::Same,
                DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => Kind::Changed,
            };
            match pieces.last_mut() {
                Some(last) if last.kind == kind => {
                    last.device.end = device.end;
                    last.server.end = server.end;
                }
                _ => pieces.push(Piece { device, server, kind }),
            }
        }
        pieces
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Takes the first `bytes` off `text`.
fn cut<'a>(text: &mut &'a str, bytes: usize) -> &'a str {
    let (head, rest) = text.split_at(bytes);
    *text = rest;
    head
}

/// Words with the white space behind each; the first word is empty where the text begins with white space.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(text.len() / 6);
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(word_end);
        let space_end = behind.find(|c: char| !c.is_whitespace()).unwrap_or(behind.len());
        let (space, next) = behind.split_at(space_end);
        tokens.push(Token { word, space });
        rest = next;
    }
    tokens
}

/// A word without its marks, joiners and stretching: what is left when tashkeel is taken away.
fn skeleton(word: &str) -> String {
    word.chars().filter(|c| c.width() != Some(0) && *c != '\u{640}').collect()
}

/// Bytes that two texts have in common at their beginning, in whole characters.
fn common_prefix(a: &str, b: &str) -> usize {
    let mut length = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    while !a.is_char_boundary(length) {
        length -= 1;
    }
    length
}

/// Bytes that two texts have in common at their end, in whole characters.
fn common_suffix(a: &str, b: &str) -> usize {
    let mut length = a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count();
    while !a.is_char_boundary(a.len() - length) {
        length -= 1;
    }
    length
}
