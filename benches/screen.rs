//! How long a key takes to the drawn frame with 100,000 queued against 100,000 server mutations on the bench.
//!
//! `cargo bench --bench screen [-- COUNT]`. Measured is what stands between a key and its frame: the state machine's
//! answer and the drawing of a screen of 200x60. Tasks that leave the screen free are done in between and listed apart.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unstick::app::{App, Effect, Event, Source, Start};
use unstick::device::phone_database::Said;
use unstick::domain::inspect::inspect;
use unstick::domain::mutation::Millis;
use unstick::ui::{Theme, draw};

const SIZE: (u16, u16) = (200, 60);
const TIMES: usize = 25;

/// What is pressed, again and again.
const KEYS: [(&str, &str); 16] = [
    ("down", "j"),
    ("page down", "^f"),
    ("to the end and back", "Gg"),
    ("next open", "n"),
    ("previous open", "N"),
    ("choose the device", "d"),
    ("choose the server", "s"),
    ("undo", "u"),
    ("whole resource", "D"),
    ("fields and back", "lh"),
    ("only open, and all", "oo"),
    ("filter typed and dropped", "/صبر\u{1b}"),
    ("a strategy and undo", "1u"),
    ("preview and back", "p\u{1b}"),
    ("why and back", "w\u{1b}"),
    ("help and back", "?\u{1b}"),
];

fn main() {
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let mut screen = Screen::new(count);
    println!("{count} against {count} mutations, a screen of {}x{}", SIZE.0, SIZE.1);
    println!("{:26}{:>10}{:>10}   tasks beside the screen", "key to frame", "median", "worst");
    let mut worst = Duration::ZERO;
    for (name, keys) in KEYS {
        let mut frames = Vec::new();
        let mut tasks: Vec<(String, Duration)> = Vec::new();
        for _ in 0..TIMES {
            for key in events(keys) {
                frames.push(screen.press(key, &mut tasks));
            }
        }
        frames.sort_unstable();
        let last = frames.last().copied().unwrap_or_default();
        worst = worst.max(last);
        let slowest = tasks.iter().max_by_key(|(_, took)| *took);
        let slowest = slowest.map_or_else(String::new, |(task, took)| format!("{task} {took:.1?}"));
        println!("{name:26}{:>10.2?}{last:>10.2?}   {slowest}", frames[frames.len() / 2]);
    }
    println!("worst: {worst:.2?}");
}

struct Screen {
    app: App,
    buffer: Buffer,
}

impl Screen {
    fn new(count: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (device, pull) = (folder.path().join("device.json"), folder.path().join("pull.json"));
        std::fs::write(&device, support::device_file(count)).expect("the device file is written");
        std::fs::write(&pull, support::recorded_pull(count)).expect("the pull is written");
        let (file, window) = unstick::session::load((&device, &Said::default()), &pull).expect("good input");
        let inspection = inspect(file.shared(), Arc::new(window));
        let app = App::new(Start {
            fleeting: false,
            device: file.shared(),
            source: Source::Recorded { file: String::from("pull.json") },
            read_only: None,
            warnings: Vec::new(),
            now: Millis(1_770_100_000_000),
            width: SIZE.0,
            height: SIZE.1,
            others: None,
            recorded: false,
        });
        let mut screen = Self { app, buffer: Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1)) };
        let mut tasks = Vec::new();
        let frame = screen.take(Event::Inspected(Box::new(inspection)), &mut tasks);
        println!("inspected to frame: {frame:.2?}; beside it {tasks:.1?}");
        screen
    }

    /// From a key to its frame.
    fn press(&mut self, key: KeyEvent, tasks: &mut Vec<(String, Duration)>) -> Duration {
        self.take(Event::Key(key), tasks)
    }

    /// From an event to its frame; tasks are done afterwards, each answer with a frame of its own. Answers the
    /// slowest frame.
    fn take(&mut self, event: Event, tasks: &mut Vec<(String, Duration)>) -> Duration {
        let begun = Instant::now();
        let effects = self.app.update(event);
        draw(&self.app, Theme::Dark, self.buffer.area, &mut self.buffer);
        let mut slowest = begun.elapsed();
        for effect in effects {
            if let Effect::Compute { job, task } = effect {
                let name = task.name().to_owned();
                let begun = Instant::now();
                let answer = task.run(None);
                tasks.push((name, begun.elapsed()));
                slowest = slowest.max(self.take(Event::Computed { job, answer }, tasks));
            }
        }
        slowest
    }
}

/// A character each, `^` for Ctrl before one, and Esc.
fn events(keys: &str) -> Vec<KeyEvent> {
    let mut events = Vec::new();
    let mut letters = keys.chars();
    while let Some(letter) = letters.next() {
        let (code, modifiers) = match letter {
            '^' => (KeyCode::Char(letters.next().unwrap_or('^')), KeyModifiers::CONTROL),
            '\u{1b}' => (KeyCode::Esc, KeyModifiers::NONE),
            letter => (KeyCode::Char(letter), KeyModifiers::NONE),
        };
        events.push(KeyEvent::new(code, modifiers));
    }
    events
}
