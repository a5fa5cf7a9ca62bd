//! What lies over the inspector.

use super::App;
use super::action::{self, Binding, Group, Place};
use super::comparing::Comparing;
use super::diff_view::DiffView;
use super::draft::Draft;
use super::edit::Editor;
use super::event::Failure;
use super::filter::Query;
use super::history::History;
use super::page::Page;
use super::preview::Preview;
use super::scope::{Forecast, Scope};
use super::selection::{Scroll, Selection};
use super::task::Job;
use super::timeline::Timeline;
use super::token::TokenPrompt;
use crate::domain::resolution::{Chosen, Unit};

/// What lies over the inspector; the uppermost has the keys.
pub enum Overlay {
    /// The keys.
    Help(HelpView),
    /// What would be sent.
    Preview(Preview),
    /// A field being edited.
    Editor(Box<Editor>),
    /// Two texts on the whole screen.
    Diff(Box<DiffView>),
    /// The filter being typed, and the one that Esc brings back.
    Prompt {
        /// What is typed.
        draft: Draft,
        /// The filter as it was.
        before: Query,
    },
    /// A menu of rules.
    Menu(Menu),
    /// A question.
    Question(Question),
    /// An error, until it is dismissed.
    Failure(Failure),
    /// A fresh token that is asked for.
    Token(TokenPrompt),
    /// Why the device is stuck, in full.
    Why(Page),
    /// The exchange between the devices and the server.
    Timeline(Timeline),
    /// The conflict log.
    History(Box<History>),
    /// The four strategies side by side.
    Comparison(Box<Comparing>),
    /// What stands behind a cell of that.
    Ledger(Page),
    /// Which side stands for the whole resource?
    Whole,
}

impl Overlay {
    /// Where keys are heard while it is the uppermost.
    pub const fn place(&self) -> Place {
        match self {
            Self::Help(help) if help.searching => Place::Search,
            Self::Help(_) => Place::Help,
            Self::Preview(_) => Place::Preview,
            Self::Editor(_) => Place::Editor,
            Self::Diff(_) => Place::Diff,
            Self::Prompt { .. } => Place::Prompt,
            Self::Menu(_) => Place::Menu,
            Self::Question(_) => Place::Question,
            Self::Failure(_) => Place::Failure,
            Self::Token(_) => Place::Token,
            Self::Why(_) => Place::Why,
            Self::Timeline(_) => Place::Timeline,
            Self::History(_) => Place::Log,
            Self::Comparison(_) => Place::Comparison,
            Self::Ledger(_) => Place::Ledger,
            Self::Whole => Place::Whole,
        }
    }
}

/// The keys, for the place they were asked from.
pub struct HelpView {
    /// Where they were asked for.
    pub of: Place,
    /// The actions there, and why those do not apply that do not.
    pub actions: Vec<(&'static Binding, Option<&'static str>)>,
    /// What is searched for.
    pub search: Draft,
    /// Whether keys go to the search.
    pub searching: bool,
    /// Which rows are visible.
    pub scroll: Scroll,
}

/// A row of the help.
#[derive(Clone, Copy)]
pub enum HelpRow {
    /// A heading.
    Heading(Group),
    /// An action, and why it does not apply.
    Key(&'static Binding, Option<&'static str>),
    /// Why the action above does not apply, where that does not fit beside it.
    Reason(&'static str),
}

impl HelpView {
    /// The keys of the place that has them now.
    pub fn of(app: &App) -> Self {
        let of = app.place();
        Self {
            of,
            actions: action::at(of).map(|binding| (binding, (binding.available)(app).err())).collect(),
            search: Draft::line(String::new()),
            searching: false,
            scroll: Scroll::default(),
        }
    }

    /// The rows that match the search. `wide`: reasons stand beside the action rather than below it.
    pub fn rows(&self, wide: bool) -> Vec<HelpRow> {
        let wanted = self.search.text().to_lowercase();
        let matches = |binding: &Binding| {
            let text = format!("{} {} {}", binding.keys_shown(), binding.help, binding.label).to_lowercase();
            wanted.split_whitespace().all(|word| text.contains(word))
        };
        let mut rows = Vec::new();
        let mut group = None;
        for (binding, reason) in self.actions.iter().filter(|(binding, _)| matches(binding)) {
            if group != Some(binding.group) {
                group = Some(binding.group);
                rows.push(HelpRow::Heading(binding.group));
            }
            rows.push(HelpRow::Key(binding, reason.filter(|_| wide)));
            rows.extend(reason.filter(|_| !wide).map(HelpRow::Reason));
        }
        rows
    }
}

/// A menu of rules for a scope.
pub struct Menu {
    /// For what.
    pub scope: Scope,
    /// How many resources of it are open.
    pub open: usize,
    /// The job that works out what each rule would come to.
    pub job: Option<Job>,
    /// What each would come to, in the order of `Strategy::ALL`.
    pub forecasts: Option<[Forecast; 4]>,
    /// Which rule is marked.
    pub selection: Selection,
}

/// A question that is answered with yes or no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Leave, though choices would be lost?
    Quit {
        /// How many.
        choices: usize,
        /// Whether a text is being edited that was not saved.
        editing: bool,
        /// Whether the choices outlive the session; where not, why not.
        kept: Result<(), &'static str>,
    },
    /// Go on with what an earlier session chose?
    Earlier {
        /// How many choices, from when, and what became of them.
        what: String,
    },
    /// Leave, though a push is under way?
    QuitPushing,
    /// Leave at once, though an answer is awaited?
    QuitUnknown,
    /// Throw away what was edited?
    Discard,
    /// Send it, though it seems to be another account's?
    OtherAccount {
        /// Why it seems so.
        why: String,
    },
    /// Send -1 once, as the server asks on a first sync?
    FirstSync,
    /// Give up what the device queued, though nothing stands against it?
    Drop {
        /// What, with its article or number: `the UPDATE of note 2:255`, `3 mutations`.
        what: String,
        /// What stands against it, or does not.
        why: &'static str,
        /// What is done when it shall be.
        deed: Deed,
    },
}

/// An act that waits for a yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Choices, under a name.
    Choose(String, Vec<(Unit, Option<Chosen>)>),
    /// Taking the last act back.
    Undo,
    /// Doing it again.
    Redo,
}

impl Question {
    /// What it is about.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Quit { .. } | Self::QuitPushing | Self::QuitUnknown => "leave?",
            Self::Earlier { .. } => "go on?",
            Self::Discard => "throw the changes away?",
            Self::OtherAccount { .. } => "another account?",
            Self::FirstSync => "a first sync?",
            Self::Drop { .. } => "drop it?",
        }
    }

    /// The question in words: what, and what yes does.
    pub fn words(&self) -> (String, &'static str) {
        match self {
            Self::Quit { choices, editing, kept } => {
                let unsaved = if *editing { "The text that is being edited is not saved. " } else { "" };
                let made = match choices {
                    0 => String::new(),
                    1 => String::from("1 choice was made and not sent. "),
                    choices => format!("{choices} choices were made and not sent. "),
                };
                let then = match kept {
                    Ok(()) if *choices == 0 => "The device file is as it was.",
                    Ok(()) => {
                        "Choices are kept beside the device file: the next `unstick open` goes on with them."
                    }
                    Err(why) => why,
                };
                (format!("{made}{unsaved}Leave all the same?"), then)
            }
            Self::Earlier { what } => (
                format!("{what} Go on with them?"),
                "n starts anew. They stay in the file until you choose something; until then U brings them back.",
            ),
            Self::QuitPushing => (
                String::from("The sync is being retried. Stop and leave?"),
                "The POST under way is waited for; what was acknowledged is written to the device file.",
            ),
            Self::QuitUnknown => (
                String::from("An answer is still awaited. Leave without it?"),
                "The journal keeps what was sent; the next start looks up whether it arrived.",
            ),
            Self::Discard => {
                (String::from("The text was changed. Throw the changes away?"), "^S would save them.")
            }
            Self::OtherAccount { why } => (
                format!("Stopped: {why}. Send it all the same?"),
                "Nothing was sent. What is sent ends in the account of the token, where others may read it.",
            ),
            Self::FirstSync => (
                String::from("The server takes this for the account's first sync. Send once with -1?"),
                "It refused the head that it gave; -1 is what it asks for. Nothing was written so far.",
            ),
            Self::Drop { what, why, .. } => (
                format!("Drop {what}? {why}"),
                "It leaves the queue unsent and is lost: the server never gets it. u takes this back until the push.",
            ),
        }
    }
}
