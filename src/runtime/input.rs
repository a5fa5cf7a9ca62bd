//! What the terminal sends, put right before anybody acts on it: escape sequences that a slow line splits are put
//! together or thrown away, and keys that come faster than anybody presses them are told apart. No I/O and no clock:
//! time is passed in, in ms.
//!
//! crossterm reads what there is: where a line delivers `ESC` alone, it is a key Esc, and the `[1~` that follows are
//! three keys more, of which one would apply a strategy. So an Esc waits for its rest; and a key waits for a moment
//! whether it stays alone.

use std::collections::VecDeque;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// How long an Esc waits for the rest of a sequence before it is a key, ms.
const ESC_MS: u64 = 70;
/// How long after an Esc that was taken for a key its rest is still known for what it is, ms.
const LATE_MS: u64 = 1_000;
/// How long a sequence that was begun waits for its next byte, ms.
const PIECE_MS: u64 = 1_000;
/// The same for a text that a terminal answers with: its end may have been lost.
const TEXT_MS: u64 = 300;
/// How long a key waits for another one, ms: with it, it is a burst. Keys that repeat come at 30 ms and more, and who
/// waits for what a key does is never so fast.
const AHEAD_MS: u64 = 20;
/// How long keys are gathered before they are handed on, ms: whoever holds a key down sees what it does.
const GATHER_MS: u64 = 60;

/// What is heard in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A key by itself.
    Key(KeyEvent),
    /// A key among others that came at once.
    Burst {
        /// The key.
        key: KeyEvent,
        /// Whether it is the first of them.
        first: bool,
    },
    /// Anything but a key.
    Other(Event),
}

/// A sequence of which the terminal's reader did not see the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// `ESC [` and what followed so far.
    Control(String),
    /// `ESC O`: one more byte.
    Single,
    /// So many more bytes, whatever they are.
    Bytes(u8),
    /// A text that ends with BEL or `ESC \`.
    Text,
    /// An Esc within such a text: its end, or the beginning of another sequence.
    TextEnd,
    /// A paste whose first mark was split; its text so far.
    Paste(String),
}

/// The keys on their way.
#[derive(Debug, Default)]
pub struct Input {
    /// An Esc that waits for its rest, and since when.
    escape: Option<u64>,
    /// When an Esc was handed on as a key, with nothing after it.
    escaped: Option<u64>,
    /// What of a sequence has come, and when its last byte did.
    piece: Option<(Piece, u64)>,
    /// Keys that wait whether more come, and when the last one did.
    gathered: Vec<KeyEvent>,
    last: Option<u64>,
    /// When the first of them came.
    first: u64,
    /// The keys handed on last were cut off from what follows them.
    cut: bool,
    ready: VecDeque<Typed>,
}

impl Input {
    /// Whether there is something that is known for what it is.
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next thing that is known for what it is.
    pub fn next(&mut self) -> Option<Typed> {
        self.ready.pop_front()
    }

    /// When something is to be decided though nothing came, ms; [`Input::wait`] does it.
    pub fn due(&self) -> Option<u64> {
        let gathered = self.last.filter(|_| self.cut || !self.gathered.is_empty()).map(|at| at + AHEAD_MS);
        let escape = self.escape.map(|at| at + ESC_MS);
        let paste = match &self.piece {
            Some((Piece::Paste(_), at)) => Some(at + TEXT_MS),
            Some(_) | None => None,
        };
        [gathered, escape, paste].into_iter().flatten().min()
    }

    /// Nothing came until `now`.
    pub fn wait(&mut self, now: u64) {
        if self.last.is_none_or(|last| now >= last + AHEAD_MS) {
            self.hand_on(false);
        }
        if self.escape.is_some_and(|at| now >= at + ESC_MS) {
            self.lone_escape(now);
        }
        self.give_up(now);
    }

    /// This came at `now`.
    pub fn take(&mut self, event: Event, now: u64) {
        self.give_up(now);
        match event {
            // Some terminals report releases as well.
            Event::Key(key) if key.kind == KeyEventKind::Release => {}
            Event::Key(key) => self.key(key, now),
            Event::FocusGained | Event::FocusLost => {}
            other @ (Event::Mouse(_) | Event::Paste(_) | Event::Resize(..)) => {
                self.lone_escape(now);
                self.hand_on(false);
                self.ready.push_back(Typed::Other(other));
            }
        }
    }

    fn key(&mut self, mut key: KeyEvent, now: u64) {
        if let Some((piece, _)) = self.piece.take() {
            self.escaped = None;
            if let Some(next) = self.piece_goes_on(piece, &key, now) {
                self.piece = Some((next, now));
            }
            return;
        }
        let waited = self.escape.take();
        let late = self.escaped.take().is_some_and(|at| now <= at + LATE_MS);
        if waited.is_some() || late {
            let begun = match key.code {
                KeyCode::Char('[') => Some(Piece::Control(String::new())),
                KeyCode::Char('O') => Some(Piece::Single),
                _ => None,
            };
            if let Some(piece) = begun.filter(|_| !key.modifiers.intersects(!KeyModifiers::SHIFT)) {
                self.piece = Some((piece, now));
                return;
            }
        }
        if waited.is_some() {
            if key.code == KeyCode::Esc {
                self.escape = waited;
                self.lone_escape(now);
            } else {
                // As it would be if both had come at once.
                key.modifiers |= KeyModifiers::ALT;
            }
        }
        if is_plain(&key, KeyCode::Esc) {
            self.escape = Some(now);
            return;
        }
        if opens_text(&key) {
            self.piece = Some((Piece::Text, now));
            return;
        }
        self.gather(key, now);
    }

    /// The next byte of a sequence. Answers what is still awaited.
    fn piece_goes_on(&mut self, piece: Piece, key: &KeyEvent, now: u64) -> Option<Piece> {
        if is_plain(key, KeyCode::Esc) && !matches!(piece, Piece::Bytes(_)) {
            // The sequence broke off and another one begins; of a paste, it is the mark at its end.
            self.escape = Some(now);
            return match piece {
                Piece::Paste(text) => {
                    self.escape = None;
                    self.ready.push_back(Typed::Other(Event::Paste(text)));
                    Some(Piece::TextEnd)
                }
                Piece::Text | Piece::TextEnd => {
                    self.escape = None;
                    Some(Piece::TextEnd)
                }
                Piece::Control(_) | Piece::Single | Piece::Bytes(_) => None,
            };
        }
        match piece {
            Piece::Single => None,
            Piece::TextEnd => match key.code {
                KeyCode::Char('[') => Some(Piece::Control(String::new())),
                KeyCode::Char('O') => Some(Piece::Single),
                _ => None,
            },
            Piece::Bytes(left) => (left > 1).then(|| Piece::Bytes(left - 1)),
            Piece::Text => {
                let bell = key.code == KeyCode::Char('g') && key.modifiers == KeyModifiers::CONTROL;
                let end = key.code == KeyCode::Char('\\') && key.modifiers.contains(KeyModifiers::ALT);
                (!bell && !end).then_some(Piece::Text)
            }
            Piece::Paste(mut text) => {
                text.extend(character(key));
                Some(Piece::Paste(text))
            }
            Piece::Control(mut so_far) => {
                let c = key.code.as_char().filter(|_| !key.modifiers.intersects(!KeyModifiers::SHIFT))?;
                match c {
                    '[' if so_far.is_empty() => Some(Piece::Bytes(1)),
                    'M' if so_far.is_empty() => Some(Piece::Bytes(3)),
                    '~' if so_far == "200" => Some(Piece::Paste(String::new())),
                    '\u{20}'..='\u{3f}' if so_far.len() < 64 => {
                        so_far.push(c);
                        Some(Piece::Control(so_far))
                    }
                    _ => None,
                }
            }
        }
    }

    /// A sequence whose rest does not come is given up; the text of a paste is not.
    fn give_up(&mut self, now: u64) {
        let waits = match &self.piece {
            Some((Piece::Text | Piece::TextEnd | Piece::Paste(_), at)) => at + TEXT_MS,
            Some((Piece::Control(_) | Piece::Single | Piece::Bytes(_), at)) => at + PIECE_MS,
            None => return,
        };
        if now >= waits
            && let Some((Piece::Paste(text), _)) = self.piece.take()
        {
            self.ready.push_back(Typed::Other(Event::Paste(text)));
        }
    }

    /// The Esc that waits is a key of its own.
    fn lone_escape(&mut self, now: u64) {
        if let Some(at) = self.escape.take() {
            self.gather(KeyEvent::from(KeyCode::Esc), at);
            self.hand_on(false);
            self.escaped = Some(now);
        }
    }

    fn gather(&mut self, key: KeyEvent, now: u64) {
        if self.last.is_some_and(|last| now > last + AHEAD_MS) {
            self.hand_on(false);
        }
        if self.gathered.is_empty() {
            self.first = now;
        }
        self.last = Some(now);
        self.gathered.push(key);
        if now >= self.first + GATHER_MS {
            self.hand_on(true);
        }
    }

    /// The gathered keys are what they are; `cut`: more of them may follow.
    fn hand_on(&mut self, cut: bool) {
        let goes_on = std::mem::replace(&mut self.cut, cut);
        let burst = goes_on || cut || self.gathered.len() > 1;
        for (at, key) in self.gathered.drain(..).enumerate() {
            self.ready.push_back(if burst {
                Typed::Burst { key, first: at == 0 && !goes_on }
            } else {
                Typed::Key(key)
            });
        }
    }
}

fn is_plain(key: &KeyEvent, code: KeyCode) -> bool {
    key.code == code && key.modifiers.is_empty()
}

/// Whether this is the beginning of a text that a terminal answers with: `ESC ]`, `ESC P` and their like.
fn opens_text(key: &KeyEvent) -> bool {
    let alt = key.modifiers.contains(KeyModifiers::ALT) && !key.modifiers.contains(KeyModifiers::CONTROL);
    alt && matches!(key.code, KeyCode::Char(']' | 'P' | '_' | '^' | 'X'))
}

/// What a key is in a text.
fn character(key: &KeyEvent) -> Option<char> {
    match key.code {
        KeyCode::Char('j') if key.modifiers == KeyModifiers::CONTROL => Some('\n'),
        KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) => Some(c),
        KeyCode::Enter => Some('\n'),
        KeyCode::Tab => Some('\t'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds pieces as crossterm reads them, each at its time in ms, and waits in between as the terminal's owner does.
    fn typed(pieces: &[(u64, &str)]) -> Vec<Typed> {
        let mut input = Input::default();
        let mut heard = Vec::new();
        let mut run_until = |input: &mut Input, now: u64| {
            while let Some(due) = input.due().filter(|due| *due <= now) {
                input.wait(due);
                heard.extend(std::iter::from_fn(|| input.next()));
            }
        };
        for (at, piece) in pieces {
            run_until(&mut input, at.saturating_sub(1));
            for event in read(piece) {
                input.take(event, *at);
            }
        }
        run_until(&mut input, u64::MAX / 2);
        assert_eq!((input.due(), input.next()), (None, None));
        heard
    }

    /// What crossterm makes of bytes that hold no whole sequence: an Esc alone is a key, and so is all that follows it
    /// in another piece; an Esc before a character makes it Alt.
    fn read(piece: &str) -> Vec<Event> {
        let mut events = Vec::new();
        let mut characters = piece.chars().peekable();
        while let Some(c) = characters.next() {
            let key = |c: char| match c {
                '\u{1b}' => KeyEvent::from(KeyCode::Esc),
                '\r' => KeyEvent::from(KeyCode::Enter),
                '\u{1}'..='\u{1a}' => {
                    let letter = char::from(u8::try_from(u32::from(c)).expect("a byte") - 1 + b'a');
                    KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
                }
                c => KeyEvent::from(KeyCode::Char(c)),
            };
            let event = match (c, characters.peek()) {
                ('\u{1b}', Some(next)) if !matches!(next, '[' | 'O' | '\u{1b}') => {
                    let mut alt = key(*next);
                    characters.next();
                    alt.modifiers |= KeyModifiers::ALT;
                    alt
                }
                (c, _) => key(c),
            };
            events.push(Event::Key(event));
        }
        events
    }

    fn lone(c: char) -> Typed {
        Typed::Key(KeyEvent::from(KeyCode::Char(c)))
    }

    fn burst(text: &str) -> Vec<Typed> {
        let one = |(at, c)| Typed::Burst { key: KeyEvent::from(KeyCode::Char(c)), first: at == 0 };
        text.chars().enumerate().map(one).collect()
    }

    const ESC: &str = "\u{1b}";

    #[test]
    fn keys_that_a_person_presses_are_keys_by_themselves() {
        assert_eq!(typed(&[(0, "p"), (500, "y")]), [lone('p'), lone('y')]);
        // Held down.
        assert_eq!(typed(&[(0, "u"), (33, "u"), (66, "u")]), [lone('u'), lone('u'), lone('u')]);
        assert_eq!(typed(&[(0, "d"), (120, "n"), (240, "s")]), [lone('d'), lone('n'), lone('s')]);
    }

    #[test]
    fn keys_that_come_at_once_are_a_burst_also_in_pieces() {
        assert_eq!(typed(&[(0, "copy")]), burst("copy"));
        assert_eq!(typed(&[(0, "2copy")]), burst("2copy"));
        assert_eq!(typed(&[(0, "co"), (3, "p"), (6, "y")]), burst("copy"));
        // One every 10 ms, as on a slow line.
        assert_eq!(typed(&[(0, "2"), (10, "c"), (20, "o"), (30, "p"), (40, "y")]), burst("2copy"));
        // Two bursts are two.
        assert_eq!(typed(&[(0, "ab"), (200, "cd")]), [burst("ab"), burst("cd")].concat());
        // Whoever waits for what a key does before the next one is no burst.
        assert_eq!(typed(&[(0, "d"), (21, "1")]), [lone('d'), lone('1')]);
    }

    #[test]
    fn a_long_burst_stays_one_and_is_handed_on_while_it_lasts() {
        let text = "x".repeat(2_000);
        assert_eq!(typed(&[(0, &text)]), burst(&text));
        let held: Vec<(u64, &str)> = (0..100).map(|at| (at * 10, "x")).collect();
        assert_eq!(typed(&held), burst(&"x".repeat(100)));
        let mut input = Input::default();
        for (at, _) in &held {
            input.take(Event::Key(KeyEvent::from(KeyCode::Char('x'))), *at);
        }
        assert!(input.ready.len() > 90, "{}", input.ready.len());
        // What follows after a while is not of it.
        let heard = typed(&[(0, "x"), (10, "x"), (60, "x"), (70, "x"), (400, "y")]);
        assert_eq!(heard.last(), Some(&lone('y')));
    }

    #[test]
    fn an_escape_alone_is_a_key() {
        let escape = Typed::Key(KeyEvent::from(KeyCode::Esc));
        assert_eq!(typed(&[(0, ESC)]), std::slice::from_ref(&escape));
        assert_eq!(typed(&[(0, ESC), (300, "q")]), [escape.clone(), lone('q')]);
        assert_eq!(typed(&[(0, ESC), (100, ESC)]), [escape.clone(), escape]);
    }

    #[test]
    fn a_sequence_in_pieces_is_no_keys() {
        let sequences = [
            "[1~",
            "[A",
            "[3~",
            "[1;5C",
            "[24~",
            "OP",
            "OA",
            "[<0;12;4M",
            "[<35;101;22m",
            "[M 12",
            "[[A",
            "[Z",
            "[1;2R",
            "]11;rgb:1212/3434/4141\u{7}",
            "P>|term 1234\u{1b}\\",
        ];
        for sequence in sequences {
            for gap in [1, 20, 60] {
                let whole: Vec<(u64, String)> = std::iter::once(String::from(ESC))
                    .chain(sequence.chars().map(String::from))
                    .enumerate()
                    .map(|(at, piece)| (at as u64 * gap, piece))
                    .collect();
                let pieces: Vec<(u64, &str)> = whole.iter().map(|(at, text)| (*at, text.as_str())).collect();
                assert_eq!(typed(&pieces), [], "{sequence:?} every {gap} ms");
            }
            assert_eq!(typed(&[(0, ESC), (30, sequence)]), [], "{sequence:?}");
            // An Esc that waited too long is an Esc, its rest still no keys.
            if sequence.starts_with(['[', 'O']) {
                let heard = typed(&[(0, ESC), (400, sequence)]);
                assert_eq!(heard, [Typed::Key(KeyEvent::from(KeyCode::Esc))], "{sequence:?}");
                let heard = typed(&[(0, ESC), (400, sequence), (900, "d")]);
                assert_eq!(heard.last(), Some(&lone('d')), "{sequence:?}");
            }
        }
    }

    #[test]
    fn what_follows_a_sequence_that_broke_off_is_heard_again() {
        assert_eq!(typed(&[(0, ESC), (10, "[1"), (2_000, "d")]), [lone('d')]);
        let heard = typed(&[(0, ESC), (10, "[1"), (20, ESC), (30, "[2~"), (500, "d")]);
        assert_eq!(heard, [lone('d')]);
    }

    #[test]
    fn a_paste_whose_mark_is_split_is_a_paste() {
        for end in ["", "\u{1b}[201~"] {
            let text = format!("[200~2copy\r{end}");
            let heard = typed(&[(0, ESC), (20, &text), (3_000, "d")]);
            assert_eq!(heard, [Typed::Other(Event::Paste(String::from("2copy\n"))), lone('d')], "{end:?}");
        }
    }

    #[test]
    fn alt_and_a_key_in_pieces_are_one_key() {
        let alt = KeyEvent::new(KeyCode::Char('1'), KeyModifiers::ALT);
        assert_eq!(typed(&[(0, ESC), (30, "1")]), [Typed::Key(alt)]);
    }

    #[test]
    fn what_is_no_key_comes_in_its_place() {
        let mut input = Input::default();
        input.take(Event::Key(KeyEvent::from(KeyCode::Char('a'))), 0);
        input.take(Event::Resize(80, 24), 1);
        assert_eq!(input.next(), Some(lone('a')));
        assert_eq!(input.next(), Some(Typed::Other(Event::Resize(80, 24))));
        assert_eq!((input.next(), input.due()), (None, None));
    }
}
