//! One declaration per action: its keys, its words, where it is heard, and when it applies. Dispatch, footer, help
//! and the README's table all come from [`BINDINGS`].

use crossterm::event::{KeyCode, KeyEvent};

use super::App;
use super::available as can;
use super::keys::{CTRL_ENTER, Key, ctrl, key, special};
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
    /// Edit it in an outside editor.
    EditOutside,
    /// Take the choice on it back.
    Clear,
    /// The device's side for the whole resource.
    WholeDevice,
    /// The server's side for it.
    WholeServer,
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
    /// Copy the id.
    CopyId,
    /// Stop the push.
    Stop,
    /// Back to the inspector after a push.
    GoOn,
    /// Accept what a prompt holds.
    Accept,
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
    /// The keys.
    Help,
    /// The search of the keys.
    Search,
    /// Why the device is stuck.
    Why,
    /// The push.
    Pushing,
    /// After the push.
    Ended,
}

impl Place {
    /// Whether keys are text here, unless an action takes them.
    pub const fn takes_text(self) -> bool {
        match self {
            Self::Editor | Self::Prompt | Self::Search => true,
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

const fn bind(
    action: Action,
    keys: &'static [Key],
    label: &'static str,
    help: &'static str,
    group: Group,
    places: &'static [Place],
    available: Available,
) -> Binding {
    Binding { action, keys, label, help, group, places, available }
}

use Place::{
    Connecting, Diff, Editor, Ended, Failure, Fields, Help, List, Menu, Preview, Prompt, Pushing, Question,
    Search, Why,
};

const INSPECTOR: &[Place] = &[List, Fields];
const FIELD: &[Place] = &[List, Fields, Diff];
const SCROLLED: &[Place] = &[List, Fields, Diff, Preview, Help, Why, Ended, Pushing];
const STEPPED: &[Place] = &[List, Fields, Diff, Preview, Help, Why, Ended, Pushing, Menu];
const BEHIND: &[Place] = &[Fields, Diff, Preview, Editor, Prompt, Menu, Failure, Help, Search, Why, List];
const NO_TEXT: &[Place] =
    &[Connecting, List, Fields, Diff, Preview, Menu, Question, Failure, Help, Why, Pushing, Ended];
const EVERYWHERE: &[Place] = &[
    Connecting, List, Fields, Diff, Preview, Editor, Prompt, Menu, Question, Failure, Help, Search, Why,
    Pushing, Ended,
];

/// Every action, in the order of the footer: what decides comes first.
pub static BINDINGS: &[Binding] = &[
    bind(
        Action::Yes,
        &[key('y')],
        "yes",
        "Answer a question with yes",
        Group::Session,
        &[Question],
        can::always,
    ),
    bind(
        Action::No,
        &[key('n'), special(KeyCode::Esc)],
        "no",
        "Answer a question with no",
        Group::Session,
        &[Question],
        can::always,
    ),
    bind(
        Action::Save,
        &[ctrl('s'), CTRL_ENTER],
        "save",
        "Save what is edited as the field's value",
        Group::Choose,
        &[Editor],
        can::always,
    ),
    bind(
        Action::Accept,
        &[special(KeyCode::Enter)],
        "keep the filter",
        "Close the prompt and keep what it says",
        Group::Look,
        &[Prompt, Search],
        can::always,
    ),
    bind(
        Action::Confirm,
        &[key('y')],
        "send it",
        "Send what the preview shows",
        Group::Retry,
        &[Preview],
        can::confirm,
    ),
    bind(
        Action::Stop,
        &[key('x'), special(KeyCode::Esc)],
        "stop after this POST",
        "Stop the push before its next POST",
        Group::Retry,
        &[Pushing],
        can::stop,
    ),
    bind(
        Action::GoOn,
        &[special(KeyCode::Enter), special(KeyCode::Esc)],
        "back to the inspector",
        "Go on with both sides as they stand after the push",
        Group::Retry,
        &[Ended],
        can::always,
    ),
    bind(
        Action::Device,
        &[key('d')],
        "device",
        "The device's value survives",
        Group::Choose,
        FIELD,
        can::device,
    ),
    bind(
        Action::Server,
        &[key('s')],
        "server",
        "The server's value survives",
        Group::Choose,
        FIELD,
        can::server,
    ),
    bind(
        Action::Both,
        &[key('b')],
        "both",
        "Both survive: sets are joined, texts follow one another",
        Group::Choose,
        FIELD,
        can::both,
    ),
    bind(Action::Edit, &[key('e')], "edit", "Edit the value here", Group::Choose, FIELD, can::edit),
    bind(
        Action::EditOutside,
        &[key('E')],
        "",
        "Edit the value in $VISUAL or $EDITOR",
        Group::Choose,
        FIELD,
        can::edit_outside,
    ),
    bind(
        Action::Clear,
        &[key('x')],
        "",
        "Take the choice on the field back",
        Group::Choose,
        FIELD,
        can::clear,
    ),
    bind(
        Action::Undo,
        &[key('u')],
        "undo",
        "Take the last act back, however many choices it made",
        Group::Choose,
        FIELD,
        can::undo,
    ),
    bind(
        Action::Redo,
        &[key('U'), ctrl('r')],
        "",
        "Do the act again that was taken back",
        Group::Choose,
        FIELD,
        can::redo,
    ),
    bind(
        Action::NextOpen,
        &[key('n')],
        "next open",
        "Go to the next field that waits for a choice",
        Group::Move,
        INSPECTOR,
        can::next_open,
    ),
    bind(
        Action::PreviousOpen,
        &[key('N')],
        "",
        "Go to the previous one",
        Group::Move,
        INSPECTOR,
        can::next_open,
    ),
    bind(
        Action::WholeDevice,
        &[key('D')],
        "",
        "The device's side for the whole resource",
        Group::ChooseMany,
        INSPECTOR,
        can::whole_device,
    ),
    bind(
        Action::WholeServer,
        &[key('S')],
        "",
        "The server's side for the whole resource",
        Group::ChooseMany,
        INSPECTOR,
        can::whole_server,
    ),
    bind(
        Action::Rule(Strategy::ServerWins),
        &[key('1')],
        "",
        "server-wins for all that is open: nothing of a divergence is pushed",
        Group::ChooseMany,
        &[List, Fields, Menu],
        can::rule,
    ),
    bind(
        Action::Rule(Strategy::ClientWins),
        &[key('2')],
        "",
        "client-wins for all that is open: the device's mutations are sent as queued",
        Group::ChooseMany,
        &[List, Fields, Menu],
        can::rule,
    ),
    bind(
        Action::Rule(Strategy::LastWriteWins),
        &[key('3')],
        "",
        "last-write-wins for all that is open: the newer side stands",
        Group::ChooseMany,
        &[List, Fields, Menu],
        can::rule,
    ),
    bind(
        Action::Rule(Strategy::Merge),
        &[key('4')],
        "1-4 strategy",
        "merge for all that is open: field by field; conflicts stay open",
        Group::ChooseMany,
        &[List, Fields, Menu],
        can::rule,
    ),
    bind(
        Action::KindMenu,
        &[key('K')],
        "",
        "A strategy for every resource of the marked one's kind",
        Group::ChooseMany,
        INSPECTOR,
        can::kind_menu,
    ),
    bind(
        Action::AllMenu,
        &[key('A')],
        "",
        "A strategy for all that is open, from a menu",
        Group::ChooseMany,
        INSPECTOR,
        can::rule,
    ),
    bind(
        Action::Preview,
        &[key('p')],
        "preview",
        "What a retry would send, apply, drop and lose; nothing is sent yet",
        Group::Retry,
        INSPECTOR,
        can::inspecting,
    ),
    bind(
        Action::NextChange,
        &[key('n')],
        "next change",
        "Go to the next change",
        Group::Move,
        &[Diff],
        can::always,
    ),
    bind(
        Action::PreviousChange,
        &[key('N')],
        "",
        "Go to the previous change",
        Group::Move,
        &[Diff],
        can::always,
    ),
    bind(
        Action::NextSection,
        &[key('n')],
        "next part",
        "Go to the next part of the preview",
        Group::Move,
        &[Preview],
        can::always,
    ),
    bind(
        Action::PreviousSection,
        &[key('N')],
        "",
        "Go to the previous part",
        Group::Move,
        &[Preview],
        can::always,
    ),
    bind(
        Action::Open,
        &[special(KeyCode::Enter)],
        "open",
        "Into the fields; on a field, both texts on the whole screen",
        Group::Look,
        &[List, Fields, Menu],
        can::open,
    ),
    bind(
        Action::Unfold,
        &[special(KeyCode::Enter)],
        "unfold",
        "Show the first stretch that is folded away",
        Group::Look,
        &[Diff],
        can::always,
    ),
    bind(
        Action::UnfoldAll,
        &[key('f')],
        "",
        "Show all that is folded away",
        Group::Look,
        &[Diff],
        can::always,
    ),
    bind(
        Action::Back,
        &[special(KeyCode::Esc)],
        "back",
        "Close what is open; in the list, clear the filter",
        Group::Move,
        BEHIND,
        can::back,
    ),
    bind(
        Action::Filter,
        &[key('/')],
        "filter",
        "Filter by text, kind or state: open, push, note, …",
        Group::Look,
        INSPECTOR,
        can::inspecting,
    ),
    bind(
        Action::OpenOnly,
        &[key('o')],
        "",
        "Show only what waits for a choice, or everything",
        Group::Look,
        INSPECTOR,
        can::inspecting,
    ),
    bind(
        Action::Why,
        &[key('w')],
        "why",
        "Why the device is stuck: causes, evidence, the steps of the pull",
        Group::Look,
        INSPECTOR,
        can::inspecting,
    ),
    bind(Action::Search, &[key('/')], "search", "Search the keys", Group::Look, &[Help], can::always),
    bind(Action::CopyId, &[key('c')], "", "Copy the resource's id", Group::Look, FIELD, can::copy),
    bind(
        Action::Reload,
        &[key('r')],
        "reload",
        "Pull again; choices stay where nothing changed under them",
        Group::Session,
        &[List, Fields, Connecting, Ended],
        can::reload,
    ),
    bind(
        Action::NextPane,
        &[special(KeyCode::Tab)],
        "",
        "To the next pane: list, fields; the entry in full",
        Group::Move,
        &[List, Fields, Preview],
        can::always,
    ),
    bind(
        Action::PreviousPane,
        &[special(KeyCode::BackTab)],
        "",
        "To the previous pane",
        Group::Move,
        &[List, Fields, Preview],
        can::always,
    ),
    bind(Action::Up, &[key('k'), special(KeyCode::Up)], "", "Up", Group::Move, STEPPED, can::always),
    bind(Action::Down, &[key('j'), special(KeyCode::Down)], "", "Down", Group::Move, STEPPED, can::always),
    bind(
        Action::Left,
        &[key('h'), special(KeyCode::Left)],
        "",
        "To the list",
        Group::Move,
        &[List, Fields, Diff],
        can::always,
    ),
    bind(
        Action::Right,
        &[key('l'), special(KeyCode::Right)],
        "",
        "To the fields",
        Group::Move,
        &[List, Fields],
        can::always,
    ),
    bind(
        Action::PageUp,
        &[special(KeyCode::PageUp), ctrl('b')],
        "",
        "A screen up",
        Group::Move,
        SCROLLED,
        can::always,
    ),
    bind(
        Action::PageDown,
        &[special(KeyCode::PageDown), ctrl('f')],
        "",
        "A screen down",
        Group::Move,
        SCROLLED,
        can::always,
    ),
    bind(Action::HalfUp, &[ctrl('u')], "", "Half a screen up", Group::Move, SCROLLED, can::always),
    bind(Action::HalfDown, &[ctrl('d')], "", "Half a screen down", Group::Move, SCROLLED, can::always),
    bind(
        Action::Top,
        &[key('g'), special(KeyCode::Home)],
        "",
        "To the beginning",
        Group::Move,
        SCROLLED,
        can::always,
    ),
    bind(
        Action::Bottom,
        &[key('G'), special(KeyCode::End)],
        "",
        "To the end",
        Group::Move,
        SCROLLED,
        can::always,
    ),
    bind(
        Action::Help,
        &[key('?'), special(KeyCode::F(1))],
        "help",
        "These keys, and why some do not apply here",
        Group::Session,
        &[Connecting, List, Fields, Diff, Preview, Menu, Why, Pushing, Ended],
        can::always,
    ),
    bind(
        Action::Suspend,
        &[ctrl('z')],
        "",
        "Stop unstick until the shell continues it",
        Group::Session,
        NO_TEXT,
        can::always,
    ),
    bind(
        Action::Quit,
        &[key('q')],
        "quit",
        "Leave; asks if choices would be lost",
        Group::Session,
        NO_TEXT,
        can::always,
    ),
    bind(
        Action::Quit,
        &[ctrl('c')],
        "",
        "Leave, also while a text is typed",
        Group::Session,
        EVERYWHERE,
        can::always,
    ),
];

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

    #[test]
    fn every_action_has_its_line_in_the_table() {
        let table = markdown();
        for binding in BINDINGS {
            assert!(table.contains(binding.help), "{:?}", binding.action);
        }
        assert!(table.contains("| `U` `^R` | Do the act again"));
    }
}
