//! A demo that plays by itself, for a projector (`demo --auto`): looks at the state and says which key comes next,
//! and after which pause. The first key of a person ends it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::overlay::Overlay;
use super::{App, Connecting, Phase};

/// A pause in which a line can be read, ms.
const GLANCE_MS: u64 = 1_500;
/// A pause in which a page can be read, ms.
const READ_MS: u64 = 5_000;
/// How many keys are tried on single fields before a strategy settles the rest.
const BY_HAND: u32 = 12;
/// How many keys are pressed at most: whatever comes, the story ends.
const KEYS: u32 = 80;

/// How far the story is.
#[derive(Debug, Default)]
pub struct Autoplay {
    keys: u32,
    by_hand: u32,
    /// Whether the exchange was shown before the choices, and after the push.
    shown: [bool; 2],
}

impl App {
    /// The key that a demo is about to press by itself, and what it does here, for whoever watches: `d device`.
    pub fn plays(&self) -> Option<String> {
        let event = self.playing?;
        let binding = super::at(self.place()).find(|b| b.keys.iter().any(|key| key.matches(&event)))?;
        let key = binding.keys.iter().find(|key| key.matches(&event))?;
        let label = self.label(binding);
        Some(if label.is_empty() { key.label() } else { format!("{} {label}", key.label()) })
    }
}

impl Autoplay {
    /// The pause, ms, and the key after it; `None` while something is awaited.
    pub fn next(&mut self, app: &App) -> Option<(u64, KeyEvent)> {
        let (pause, code) = if self.keys < KEYS { self.step(app)? } else { (GLANCE_MS, KeyCode::Char('q')) };
        self.keys += 1;
        Some((pause, KeyEvent::new(code, KeyModifiers::NONE)))
    }

    fn step(&mut self, app: &App) -> Option<(u64, KeyCode)> {
        let char = |c| KeyCode::Char(c);
        Some(match (app.overlays().last(), app.phase()) {
            (Some(Overlay::Preview(preview)), _) if preview.plan.is_none() => return None,
            (Some(Overlay::Preview(_)), _) => (READ_MS, char('y')),
            (Some(Overlay::Question(_)), _) => (READ_MS, char('y')),
            (Some(_), _) => (READ_MS, KeyCode::Esc),
            (None, Phase::Connecting(Connecting { failed: Some(_) })) => (READ_MS, char('q')),
            (None, Phase::Connecting(_) | Phase::Pushing(_)) => return None,
            (None, Phase::Inspecting) if !std::mem::replace(&mut self.shown[0], true) => (READ_MS, char('T')),
            (None, Phase::Inspecting) => self.choose(app)?,
            (None, Phase::Ended(_)) if !std::mem::replace(&mut self.shown[1], true) => (READ_MS, char('T')),
            (None, Phase::Ended(_)) => (READ_MS, char('q')),
        })
    }

    /// The device's side, then the server's, in turn; then the preview.
    fn choose(&mut self, app: &App) -> Option<(u64, KeyCode)> {
        let bench = app.bench()?;
        if bench.progress.open() == 0 {
            return Some((GLANCE_MS, KeyCode::Char('p')));
        }
        self.by_hand += 1;
        if self.by_hand > BY_HAND {
            return Some((READ_MS, KeyCode::Char('1')));
        }
        let waits = bench.unit().is_some_and(|unit| {
            let pair = bench.inspection.pair(unit.pair);
            bench.resolution.open(unit.pair, pair).any(|path| *path == unit.path)
        });
        let key = match (waits, self.by_hand % 4) {
            (false, _) => 'n',
            (true, 0 | 1) => 'd',
            (true, _) => 's',
        };
        Some((GLANCE_MS, KeyCode::Char(key)))
    }
}
