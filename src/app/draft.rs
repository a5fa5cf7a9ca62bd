//! A text being edited: what it is, where the caret stands, how to take a change back. Lines break and the caret
//! moves as `safe_text` draws, so that a stand-in such as `<202E>` is one step.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keys::typed;
use crate::domain::safe_text;

/// Longer texts are left to an outside editor, bytes.
pub const LONGEST: usize = 200_000;

const REMEMBERED: usize = 200;

/// A text being edited.
#[derive(Clone, Default)]
pub struct Draft {
    text: String,
    caret: usize,
    width: usize,
    /// The column that moving up and down aims at.
    goal: Option<usize>,
    one_line: bool,
    undo: Vec<(String, usize)>,
    redo: Vec<(String, usize)>,
    /// The last change typed a character of a word, so that the next one may join it.
    typing: bool,
}

impl Draft {
    /// A text of any number of lines, the caret at its end.
    pub fn new(text: String) -> Self {
        Self { caret: text.len(), text, width: 80, ..Self::default() }
    }

    /// A text of one line.
    pub fn line(text: String) -> Self {
        Self { one_line: true, ..Self::new(text) }
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The caret, as a byte of the text.
    pub const fn caret(&self) -> usize {
        self.caret
    }

    /// Lines are this many columns wide now.
    pub fn set_width(&mut self, width: usize) {
        self.width = width.max(1);
    }

    /// The rows as they are drawn, bytes of the text.
    pub fn rows(&self) -> Vec<Range<usize>> {
        if self.one_line {
            std::iter::once(0..self.text.len()).collect()
        } else {
            safe_text::wrap(&self.text, self.width)
        }
    }

    /// The row and column of the caret.
    pub fn position(&self, rows: &[Range<usize>]) -> (usize, usize) {
        let row = rows.partition_point(|row| row.start <= self.caret).saturating_sub(1);
        let start = rows.get(row).map_or(0, |row| row.start);
        (row, safe_text::width(&self.text[start..self.caret]))
    }

    /// Takes a key. Answers whether it meant anything here.
    pub fn input(&mut self, event: &KeyEvent) -> bool {
        if let Some(c) = typed(event) {
            self.type_char(c);
            return true;
        }
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let word = control || event.modifiers.contains(KeyModifiers::ALT);
        match (event.code, control) {
            (KeyCode::Enter, _) if !self.one_line => self.insert("\n"),
            (KeyCode::Backspace, _) if word => self.delete(self.word_left()..self.caret),
            (KeyCode::Char('w'), true) => self.delete(self.word_left()..self.caret),
            (KeyCode::Backspace, _) => self.delete(self.left()..self.caret),
            (KeyCode::Delete, _) if word => self.delete(self.caret..self.word_right()),
            (KeyCode::Delete, _) => self.delete(self.caret..self.right()),
            (KeyCode::Char('k'), true) => self.delete(self.caret..self.current_line().end),
            (KeyCode::Char('z'), true) => self.take_back(),
            (KeyCode::Char('y'), true) => self.do_again(),
            (KeyCode::Left, _) => self.go(if word { self.word_left() } else { self.left() }),
            (KeyCode::Right, _) => self.go(if word { self.word_right() } else { self.right() }),
            (KeyCode::Home, true) => self.go(0),
            (KeyCode::End, true) => self.go(self.text.len()),
            (KeyCode::Home, _) | (KeyCode::Char('a'), true) => self.go(self.current_line().start),
            (KeyCode::End, _) | (KeyCode::Char('e'), true) => self.go(self.current_line().end),
            (KeyCode::Up, _) if !self.one_line => self.vertical(-1),
            (KeyCode::Down, _) if !self.one_line => self.vertical(1),
            (KeyCode::PageUp, _) if !self.one_line => self.vertical(-10),
            (KeyCode::PageDown, _) if !self.one_line => self.vertical(10),
            _ => return false,
        }
        true
    }

    /// Puts in a text as one change, such as a paste. Line ends are `\n`.
    pub fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = if self.one_line { text.replace('\n', " ") } else { text };
        self.remember();
        self.text.insert_str(self.caret, &text);
        self.go(self.caret + text.len());
    }

    fn type_char(&mut self, c: char) {
        // A word is taken back at once, not letter by letter.
        if !(self.typing && c.is_alphanumeric()) {
            self.remember();
        }
        self.text.insert(self.caret, c);
        self.go(self.caret + c.len_utf8());
        self.typing = true;
    }

    fn delete(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        self.remember();
        self.go(range.start);
        self.text.replace_range(range, "");
    }

    fn remember(&mut self) {
        if self.undo.len() == REMEMBERED {
            self.undo.remove(0);
        }
        self.undo.push((self.text.clone(), self.caret));
        self.redo.clear();
    }

    fn take_back(&mut self) {
        if let Some((text, caret)) = self.undo.pop() {
            self.redo.push((std::mem::replace(&mut self.text, text), self.caret));
            self.go(caret);
        }
    }

    fn do_again(&mut self) {
        if let Some((text, caret)) = self.redo.pop() {
            self.undo.push((std::mem::replace(&mut self.text, text), self.caret));
            self.go(caret);
        }
    }

    fn go(&mut self, to: usize) {
        self.caret = to;
        self.goal = None;
        self.typing = false;
    }

    /// The line around the caret, without its line end.
    fn current_line(&self) -> Range<usize> {
        let start = self.text[..self.caret].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[self.caret..].find('\n').map_or(self.text.len(), |at| self.caret + at);
        start..end
    }

    fn left(&self) -> usize {
        let start = self.current_line().start;
        if self.caret == start {
            return start.saturating_sub(1);
        }
        let before = safe_text::cells(&self.text[start..self.caret]).last();
        start + before.map_or(0, |cell| cell.source.start)
    }

    fn right(&self) -> usize {
        let after = safe_text::cells(&self.text[self.caret..]).next();
        self.caret + after.map_or(0, |cell| cell.source.end)
    }

    fn word_left(&self) -> usize {
        let before = self.text[..self.caret].trim_end_matches(|c: char| !c.is_alphanumeric());
        before.trim_end_matches(char::is_alphanumeric).len()
    }

    fn word_right(&self) -> usize {
        let after = self.text[self.caret..].trim_start_matches(|c: char| !c.is_alphanumeric());
        self.text.len() - after.trim_start_matches(char::is_alphanumeric).len()
    }

    fn vertical(&mut self, steps: isize) {
        let rows = self.rows();
        let (row, column) = self.position(&rows);
        let goal = self.goal.unwrap_or(column);
        let to = row.saturating_add_signed(steps).min(rows.len().saturating_sub(1));
        let Some(target) = rows.get(to).cloned() else { return };
        let text = &self.text[target.clone()];
        let mut used = 0;
        let mut at = 0;
        for cell in safe_text::cells(text) {
            // Behind the last cell of a row that goes on lies the next row.
            let last = cell.source.end == text.len();
            let ends = text.ends_with('\n') || to + 1 < rows.len();
            if used >= goal || (last && ends) {
                break;
            }
            used += usize::from(cell.width);
            at = cell.source.end;
        }
        self.go(target.start + at);
        self.goal = Some(goal);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn press(draft: &mut Draft, code: KeyCode) {
        draft.input(&KeyEvent::new(code, KeyModifiers::NONE));
    }

    fn hold(draft: &mut Draft, c: char) {
        draft.input(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
    }

    #[test]
    fn words_are_typed_and_taken_back_whole() {
        let mut draft = Draft::new(String::from("صبر"));
        for c in " جميل و".chars() {
            press(&mut draft, KeyCode::Char(c));
        }
        assert_eq!(draft.text(), "صبر جميل و");
        hold(&mut draft, 'z');
        hold(&mut draft, 'z');
        assert_eq!(draft.text(), "صبر");
        hold(&mut draft, 'y');
        assert_eq!(draft.text(), "صبر جميل");
    }

    #[test]
    fn the_caret_moves_by_what_is_drawn() {
        let mut draft = Draft::new(String::from("a\u{202E}👨\u{200D}👩"));
        let mut stops = Vec::new();
        while draft.caret() > 0 {
            press(&mut draft, KeyCode::Left);
            stops.push(draft.caret());
        }
        assert_eq!(stops, [11, 8, 4, 1, 0]);
    }

    #[test]
    fn up_and_down_keep_their_column_over_short_rows() {
        let mut draft = Draft::new(String::from("abcdef\nx\nabcdef"));
        draft.set_width(20);
        press(&mut draft, KeyCode::Up);
        press(&mut draft, KeyCode::Up);
        assert_eq!(draft.caret(), 6);
        draft.set_width(4);
        assert_eq!(draft.position(&draft.rows()), (1, 2));
    }

    fn keys() -> impl Strategy<Value = Vec<KeyEvent>> {
        let code = prop_oneof![
            prop::sample::select(vec![
                'a', ' ', 'ص', '\u{64E}', '\u{202E}', '\u{200D}', '👨', 'w', 'k', 'z', 'y', 'e'
            ])
            .prop_map(KeyCode::Char),
            prop::sample::select(vec![
                KeyCode::Enter,
                KeyCode::Left,
                KeyCode::Right,
                KeyCode::Up,
                KeyCode::Down,
                KeyCode::Home,
                KeyCode::End,
                KeyCode::PageUp,
                KeyCode::PageDown,
                KeyCode::Backspace,
                KeyCode::Delete,
            ]),
        ];
        let modifier = prop_oneof![3 => Just(KeyModifiers::NONE), 1 => Just(KeyModifiers::CONTROL), 1 => Just(KeyModifiers::ALT)];
        prop::collection::vec(
            (code, modifier).prop_map(|(code, modifier)| KeyEvent::new(code, modifier)),
            0..60,
        )
    }

    proptest! {
        #[test]
        fn the_caret_is_always_in_the_text(text in "[a-cصب \n\u{202E}\u{301}]{0,30}", width in 0..9usize, keys in keys()) {
            let mut draft = Draft::new(text);
            draft.set_width(width);
            for key in keys {
                draft.input(&key);
                prop_assert!(draft.text().is_char_boundary(draft.caret()));
                let rows = draft.rows();
                prop_assert!(draft.position(&rows).0 < rows.len());
            }
        }
    }
}
