//! The keys of the simulation's screen: dispatch, footer and help come from this one table.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Something that a person can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// To the setting above.
    Up,
    /// To the one below.
    Down,
    /// Less of the marked setting.
    Less,
    /// More of it.
    More,
    /// Simulate.
    Simulate,
    /// Give up what is under way.
    Stop,
    /// Show the next measure.
    NextMetric,
    /// Show the previous one.
    PreviousMetric,
    /// Show the next interval in the bars.
    NextInterval,
    /// Show the next strategy in the sparkline.
    NextStrategy,
    /// Give the terminal to the shell for a while.
    Suspend,
    /// Show the keys.
    Help,
    /// Leave.
    Quit,
}

/// The declaration of an act.
pub struct Bound {
    /// Which.
    pub act: Act,
    /// Its keys without modifiers; the first is the one shown in the footer.
    pub keys: &'static [KeyCode],
    /// How its keys are shown.
    pub shown: &'static str,
    /// Its name in the footer; empty where the footer does not show it.
    pub label: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
}

const fn bound(
    act: Act,
    keys: &'static [KeyCode],
    shown: &'static str,
    label: &'static str,
    help: &'static str,
) -> Bound {
    Bound { act, keys, shown, label, help }
}

/// Every act, in the order of the footer: what does not fit any more is in the help.
pub static KEYS: &[Bound] = &[
    bound(
        Act::Simulate,
        &[KeyCode::Char('r'), KeyCode::Enter],
        "r Enter",
        "run",
        "Simulate with these settings",
    ),
    bound(Act::NextMetric, &[KeyCode::Char('m'), KeyCode::Tab], "m Tab", "measure", "Show the next measure"),
    bound(Act::Help, &[KeyCode::Char('?'), KeyCode::F(1)], "? F1", "help", "These keys and measures"),
    bound(Act::Quit, &[KeyCode::Char('q')], "q ^C", "quit", "Leave"),
    bound(Act::NextInterval, &[KeyCode::Char('i')], "i", "interval", "Show the next interval in the bars"),
    bound(Act::NextStrategy, &[KeyCode::Char('s')], "s", "strategy", "Show the next strategy's stretches"),
    bound(Act::Less, &[KeyCode::Char('h'), KeyCode::Left], "h ←", "less", "Less of the marked setting"),
    bound(Act::More, &[KeyCode::Char('l'), KeyCode::Right], "l →", "more", "More of the marked setting"),
    bound(Act::Down, &[KeyCode::Char('j'), KeyCode::Down], "j ↓", "setting", "To the setting below"),
    bound(Act::Up, &[KeyCode::Char('k'), KeyCode::Up], "k ↑", "", "To the setting above"),
    bound(
        Act::PreviousMetric,
        &[KeyCode::Char('M'), KeyCode::BackTab],
        "M ⇤",
        "",
        "Show the previous measure",
    ),
    bound(Act::Stop, &[KeyCode::Esc, KeyCode::Char('x')], "Esc x", "", "Stop the simulation under way"),
    bound(Act::Suspend, &[], "^Z", "", "Leave for the shell; fg comes back"),
];

/// The table of the keys in Markdown, as the README has it.
pub fn markdown() -> String {
    let row = |bound: &Bound| {
        let keys: Vec<String> = bound.shown.split(' ').map(|key| format!("`{key}`")).collect();
        format!("| {} | {} |\n", keys.join(" "), bound.help)
    };
    let rows: String = KEYS.iter().map(row).collect();
    format!("| key | does |\n|---|---|\n{rows}")
}

/// What a key does.
pub fn act(key: &KeyEvent) -> Option<Act> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Act::Quit),
            KeyCode::Char('z') => Some(Act::Suspend),
            _ => None,
        };
    }
    KEYS.iter().find(|bound| bound.keys.contains(&key.code)).map(|bound| bound.act)
}
