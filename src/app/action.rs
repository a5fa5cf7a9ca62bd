//! One declaration per action: its keys, its words, where it is heard, and when it applies. Dispatch, footer, help
//! and the README's table all come from [`BINDINGS`].

use crossterm::event::KeyEvent;

use super::App;
use super::bindings::BINDINGS;
use super::keys::Key;
use crate::domain::strategy::Strategy;

/// Something that a person can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// One row, field or line up.
    Up,
    /// One down.
    Down,
    /// A screenful up.
    PageUp,
    /// A screenful down.
    PageDown,
    /// Half a screenful up.
    HalfUp,
    /// Half a screenful down.
    HalfDown,
    /// To the beginning.
    Top,
    /// To the end.
    Bottom,
    /// Towards the list.
    Left,
    /// Towards the fields.
    Right,
    /// To the next pane.
    NextPane,
    /// To the previous pane.
    PreviousPane,
    /// Into what is marked.
    Open,
    /// Out of it.
    Back,
    /// To the next open field.
    NextOpen,
    /// To the previous one.
    PreviousOpen,
    /// To the next change of a text.
    NextChange,
    /// To the previous one.
    PreviousChange,
    /// To the next section of the preview.
    NextSection,
    /// To the previous one.
    PreviousSection,
    /// The device's value for the marked field.
    Device,
    /// The server's value for it.
    Server,
    /// Both for it.
    Both,
    /// Edit it here.
    Edit,
    /// Go to what the server would refuse, and edit it.
    Fix,
    /// Edit it in an outside editor.
    EditOutside,
    /// Take the choice on it back.
    Clear,
    /// The device's side for the whole resource.
    WholeDevice,
    /// The server's side for it.
    WholeServer,
    /// Ask which side stands for the whole resource.
    Whole,
    /// The four strategies side by side.
    Compare,
    /// The marked one of them for all that is open.
    ApplyAll,
    /// The marked one of them for the marked kind.
    ApplyKind,
    /// A rule for one kind.
    KindMenu,
    /// A rule for all that is open.
    AllMenu,
    /// A strategy for all that is open.
    Rule(Strategy),
    /// Take the last act back.
    Undo,
    /// Do it again.
    Redo,
    /// Filter the list.
    Filter,
    /// Only what is open, or everything.
    OpenOnly,
    /// Why the device is stuck, in full.
    Why,
    /// The exchange between the devices and the server.
    Timeline,
    /// The conflict log.
    History,
    /// Another stretch of time in the log.
    HistorySpan,
    /// Another share of the conflicts that an interval shall avoid.
    HistoryShare,
    /// The team's log in place of the one on this machine, and back.
    HistoryTeam,
    /// What would be sent and lost.
    Preview,
    /// Send it.
    Confirm,
    /// Show a fold.
    Unfold,
    /// Show all folds.
    UnfoldAll,
    /// Pull again.
    Reload,
    /// Save the choices as a file.
    SaveChoices,
    /// Copy the id.
    Copy,
    /// Stop the push.
    Stop,
    /// Write a report of the push.
    Report,
    /// Write one without what people wrote.
    ReportRedacted,
    /// Back to the inspector after a push.
    GoOn,
    /// Accept what a prompt holds.
    Accept,
    /// Go on with the token that was typed.
    GiveToken,
    /// Go on without one.
    NoToken,
    /// Save what is edited.
    Save,
    /// Answer a question with yes.
    Yes,
    /// Answer it with no.
    No,
    /// Search the help.
    Search,
    /// The keys.
    Help,
    /// Stop the process until it is continued.
    Suspend,
    /// Leave.
    Quit,
}

/// Where keys are heard: what has the attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The pull, before there is anything to inspect.
    Connecting,
    /// The list of resources.
    List,
    /// The fields of the marked one.
    Fields,
    /// Two texts on the whole screen.
    Diff,
    /// What would be sent.
    Preview,
    /// The editor.
    Editor,
    /// The filter's prompt.
    Prompt,
    /// A menu of rules.
    Menu,
    /// A question.
    Question,
    /// An error.
    Failure,
    /// The prompt for a token.
    Token,
    /// The keys.
    Help,
    /// The search of the keys.
    Search,
    /// Why the device is stuck.
    Why,
    /// The exchange.
    Timeline,
    /// The conflict log.
    Log,
    /// The four strategies side by side.
    Comparison,
    /// What stands behind a cell of that.
    Ledger,
    /// Which side stands for the whole resource.
    Whole,
    /// The push.
    Pushing,
    /// After the push.
    Ended,
}

impl Place {
    /// Whether keys are text here, unless an action takes them.
    pub const fn takes_text(self) -> bool {
        match self {
            Self::Editor | Self::Prompt | Self::Search | Self::Token => true,
            Self::Connecting
            | Self::List
            | Self::Fields
            | Self::Diff
            | Self::Preview
            | Self::Menu
            | Self::Question
            | Self::Failure
            | Self::Help
            | Self::Why
            | Self::Timeline
            | Self::Log
            | Self::Comparison
            | Self::Ledger
            | Self::Whole
            | Self::Pushing
            | Self::Ended => false,
        }
    }
}

/// Headings of the help, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Deciding.
    Choose,
    /// For more than a field.
    ChooseMany,
    /// Sending.
    Retry,
    /// Seeing.
    Look,
    /// Moving.
    Move,
    /// Everything else.
    Session,
}

impl Group {
    /// In the order shown.
    pub const ALL: [Self; 6] =
        [Self::Choose, Self::ChooseMany, Self::Retry, Self::Look, Self::Move, Self::Session];

    /// Whether it holds what chooses, sends or writes, rather than what looks, moves or comes and goes.
    pub const fn decides(self) -> bool {
        match self {
            Self::Choose | Self::ChooseMany | Self::Retry => true,
            Self::Look | Self::Move | Self::Session => false,
        }
    }

    /// The heading.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Choose => "Choose for the marked field",
            Self::ChooseMany => "Choose for more at once",
            Self::Retry => "Retry the sync",
            Self::Look => "Look",
            Self::Move => "Move",
            Self::Session => "Session",
        }
    }
}

/// Whether an action applies now, and why not.
pub type Available = fn(&App) -> Result<(), &'static str>;

/// The declaration of an action.
pub struct Binding {
    /// Which action.
    pub action: Action,
    /// Its keys; the first is the one shown in the footer.
    pub keys: &'static [Key],
    /// Its name in the footer; empty where the footer does not show it.
    pub label: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// Under which heading.
    pub group: Group,
    /// Where it is heard.
    pub places: &'static [Place],
    /// When it applies.
    pub available: Available,
}

/// The declaration that a key means at a place.
pub fn bound(place: Place, event: &KeyEvent) -> Option<&'static Binding> {
    BINDINGS
        .iter()
        .find(|binding| binding.places.contains(&place) && binding.keys.iter().any(|key| key.matches(event)))
}

/// The declarations that apply at a place or say why not, by heading.
pub fn at(place: Place) -> impl Iterator<Item = &'static Binding> {
    Group::ALL.into_iter().flat_map(move |group| {
        BINDINGS.iter().filter(move |binding| binding.group == group && binding.places.contains(&place))
    })
}

impl Binding {
    /// The keys as they are shown: `k ↑`.
    pub fn keys_shown(&self) -> String {
        self.keys.iter().map(|key| key.label()).collect::<Vec<_>>().join(" ")
    }
}

/// The table of keys for the README.
pub fn markdown() -> String {
    use std::fmt::Write as _;
    let mut table = String::from("| key | does |\n|---|---|\n");
    for group in Group::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| **{}** | |", group.name());
        for binding in BINDINGS.iter().filter(|binding| binding.group == group) {
            let keys: Vec<String> = binding.keys.iter().map(|key| format!("`{}`", key.label())).collect();
            let _ = writeln!(table, "| {} | {} |", keys.join(" "), binding.help);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_means_two_things_at_one_place() {
        let mut seen: HashSet<(Place, String)> = HashSet::new();
        for binding in BINDINGS {
            for place in binding.places {
                for key in binding.keys {
                    assert!(
                        seen.insert((*place, key.label())),
                        "{:?}: {} at {place:?}",
                        binding.action,
                        key.label()
                    );
                }
            }
        }
    }

    #[test]
    fn no_action_takes_a_letter_where_text_is_typed() {
        for binding in BINDINGS {
            if binding.places.iter().any(|place| place.takes_text()) {
                assert!(binding.keys.iter().all(|key| key.char().is_none()), "{:?}", binding.action);
            }
        }
    }

    #[test]
    fn the_key_that_confirms_is_not_the_key_that_asks() {
        let keys = |action: Action| {
            let all = BINDINGS.iter().filter(move |binding| binding.action == action);
            all.flat_map(|binding| binding.keys).map(|key| key.label()).collect::<HashSet<_>>()
        };
        assert!(keys(Action::Preview).is_disjoint(&keys(Action::Confirm)));
        assert!(keys(Action::Quit).is_disjoint(&keys(Action::Yes)));
        assert!(keys(Action::Reload).is_disjoint(&keys(Action::Yes)));
        // An Enter that was meant for something else sends nothing.
        assert!(!keys(Action::Confirm).contains("Enter"));
    }

    /// The same key with Shift and without, on the keyboards that most have.
    fn with_shift(c: char) -> Option<char> {
        if c.is_lowercase() {
            return c.to_uppercase().next();
        }
        let pairs = [('1', '!'), ('2', '@'), ('3', '#'), ('4', '$'), ('/', '?')];
        pairs.into_iter().find(|(plain, _)| *plain == c).map(|(_, shifted)| shifted)
    }

    #[test]
    fn no_key_that_looks_is_a_shift_away_from_one_that_chooses() {
        let mut pairs = 0;
        for binding in BINDINGS {
            for (place, key) in
                binding.places.iter().flat_map(|place| binding.keys.iter().map(move |k| (place, k)))
            {
                let Some(shifted) = key.char().and_then(with_shift) else { continue };
                let event = KeyEvent::from(crossterm::event::KeyCode::Char(shifted));
                let Some(other) = bound(*place, &event) else { continue };
                pairs += 1;
                assert_eq!(
                    binding.group.decides(),
                    other.group.decides(),
                    "{} and {shifted} at {place:?}: {:?} and {:?}",
                    key.label(),
                    binding.action,
                    other.action
                );
            }
        }
        assert!(pairs > 5, "there are such pairs at all: u and U, n and N");
    }

    #[test]
    fn the_keys_that_the_screen_is_known_by_stay() {
        let known = [
            ('d', Action::Device),
            ('s', Action::Server),
            ('b', Action::Both),
            ('e', Action::Edit),
            ('u', Action::Undo),
            ('n', Action::NextOpen),
            ('1', Action::Rule(Strategy::ServerWins)),
            ('2', Action::Rule(Strategy::ClientWins)),
            ('3', Action::Rule(Strategy::LastWriteWins)),
            ('4', Action::Rule(Strategy::Merge)),
            ('p', Action::Preview),
            ('?', Action::Help),
        ];
        for (c, action) in known {
            let event = KeyEvent::from(crossterm::event::KeyCode::Char(c));
            assert_eq!(bound(Place::List, &event).map(|binding| binding.action), Some(action), "{c}");
        }
        // What follows an Esc on a slow line is not a key of its own.
        for c in ['[', 'O'] {
            let event = KeyEvent::from(crossterm::event::KeyCode::Char(c));
            let text = |place: &&Place| !place.takes_text();
            let places = BINDINGS.iter().flat_map(|binding| binding.places).filter(text);
            assert!(places.clone().all(|place| bound(*place, &event).is_none()), "{c}");
        }
    }

    #[test]
    fn every_action_has_its_line_in_the_table() {
        let table = markdown();
        for binding in BINDINGS {
            assert!(table.contains(binding.help), "{:?}", binding.action);
        }
        assert!(table.contains("| `U` `^R` | Do the act again"));
    }
}
