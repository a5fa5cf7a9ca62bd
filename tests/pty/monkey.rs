//! Keys, clicks, pastes and sizes by chance, on a real terminal: whatever comes, nothing panics, the program still
//! answers, and the terminal is given back. The seed is printed; `UNSTICK_MONKEY_SEED` takes another one, and
//! `UNSTICK_MONKEY_KEYS` how many.

use super::rng::Rng;
use super::terminal::Terminal;

/// Keys pressed with a seed.
const KEYS: usize = 400;
/// Keys pressed between two looks at whether the program still answers.
const BURST: usize = 20;

/// What is pressed: each key of the program and more, what takes a text, what a terminal sends besides keys.
const PRESSED: &[&str] = &[
    "d",
    "s",
    "b",
    "e",
    "E",
    "f",
    "x",
    "u",
    "U",
    "n",
    "N",
    "D",
    "S",
    "1",
    "2",
    "3",
    "4",
    "K",
    "A",
    "p",
    "y",
    "/",
    "o",
    "w",
    "c",
    "r",
    "T",
    "W",
    "z",
    "Z",
    "i",
    "m",
    "q",
    "?",
    "t",
    "L",
    "h",
    "j",
    "k",
    "l",
    "g",
    "G",
    "0",
    "9",
    "\r",
    "\u{1b}",
    "\t",
    " ",
    "\u{7f}",
    "\u{12}",
    "\u{13}",
    "\u{14}",
    "\u{4}",
    "\u{15}",
    "\u{6}",
    "\u{2}",
    "\u{1a}",
    "\u{3}",
    "\u{1b}[A",
    "\u{1b}[B",
    "\u{1b}[C",
    "\u{1b}[D",
    "\u{1b}[H",
    "\u{1b}[F",
    "\u{1b}[5~",
    "\u{1b}[6~",
    "\u{1b}[Z",
    "\u{1b}[3~",
    "\u{1b}[1;5C",
    "\u{1b}f",
    "\u{1b}[",
    "\u{1b}[<0;",
    "\u{1b}[999~",
    "\u{0}",
    "صبر",
    "e\u{301}",
    "ß",
    "\u{202e}",
    "\u{1b}[200~one\r\ntwo\u{7}\u{1b}[201~",
    "\u{1b}[I",
    "\u{1b}[O",
];
/// What sets free what is held up: output by Ctrl-S while the editor had the terminal, and half a key, a click or a
/// paste that waits for its other half, before which nothing else is heard.
const RELEASED: &str = "\u{11}mu\u{1b}[201~";
/// Sizes of the terminal, down to what nothing fits in.
const SIZES: [(u16, u16); 8] =
    [(160, 50), (120, 36), (80, 24), (50, 16), (100, 9), (20, 6), (21, 60), (1, 1)];

fn one_of<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    *rng.pick(of).expect("there is one")
}

/// A key, or a click, a drag, a turn of the wheel somewhere.
fn press(rng: &mut Rng) -> String {
    if !rng.one_in(6) {
        return one_of(rng, PRESSED).to_owned();
    }
    let (button, column, row) = (one_of(rng, &[0, 0, 2, 32, 35, 64, 65]), rng.below(165), rng.below(52));
    format!("\u{1b}[<{button};{};{}M", column + 1, row + 1)
}

/// Presses keys until they are used up or they led out of the program; answers how many were pressed.
fn play(terminal: &mut Terminal, rng: &mut Rng, keys: usize) -> usize {
    for pressed in 1..=keys {
        if !terminal.try_keys(&press(rng)) {
            return pressed;
        }
        if pressed % BURST > 0 {
            continue;
        }
        // It answers: what is too small is said, and what fits again is drawn again.
        let (columns, rows) = one_of(rng, &SIZES);
        terminal.try_keys(RELEASED);
        terminal.resize(19, 5);
        if !terminal.shows(|screen| screen.contains("unstick needs")) {
            return pressed;
        }
        if (columns, rows) != (1, 1) {
            terminal.resize(columns, rows);
            if !terminal.shows(|screen| !screen.contains("unstick needs") && !screen.trim().is_empty()) {
                return pressed;
            }
        }
    }
    keys
}

fn monkey(seed: u64, keys: usize) {
    println!("UNSTICK_MONKEY_SEED={seed} UNSTICK_MONKEY_KEYS={keys}");
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().display().to_string();
    let variables =
        [("TMPDIR", folder.as_str()), ("UNSTICK_DATA_DIR", folder.as_str()), ("VISUAL", "printf x >>")];
    let mut rng = Rng(seed);
    let mut left = keys;
    while left > 0 {
        // Most keys of the list lead into or out of a scenario; the stories with the most on the screen come straight.
        let arguments: &[&str] = one_of(
            &mut rng,
            &[&["demo"], &["demo", "tablet-behind"], &["demo", "delete-vs-edit"], &["demo", "offline-edits"]],
        );
        let mut terminal = Terminal::run_without_flushing(arguments, 120, 36, &variables);
        terminal.see("unstick");
        left -= play(&mut terminal, &mut rng, left);
        let status = terminal.ends_by("TERM");
        let raw = String::from_utf8_lossy(terminal.raw()).into_owned();
        assert!(!raw.contains("panicked"), "seed {seed}: {}", &raw[raw.find("panicked").unwrap_or(0)..]);
        assert!(status.exit_code() <= 4, "seed {seed}: {status}");
        assert!(terminal.is_cooked(), "seed {seed}: the terminal is raw");
        let screen = terminal.parsed();
        let modes = [screen.alternate_screen(), screen.hide_cursor(), screen.bracketed_paste()];
        assert_eq!(modes, [false; 3], "seed {seed}: {:?}", raw.get(raw.len().saturating_sub(400)..));
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "seed {seed}");
    }
}

#[test]
fn whatever_is_pressed_nothing_panics_and_the_terminal_is_given_back() {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse().expect("a number"));
    let keys = number("UNSTICK_MONKEY_KEYS").map_or(KEYS, |keys: u64| usize::try_from(keys).expect("fewer"));
    match number("UNSTICK_MONKEY_SEED") {
        Some(seed) => monkey(seed, keys),
        None => (1..=3).for_each(|seed| monkey(seed, keys)),
    }
}
