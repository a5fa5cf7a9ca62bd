//! Care with keys that a person may not have meant: keys of a text that was typed or pasted into the wrong window, and
//! keys on what nobody can have read yet. What confirms is heard only after it stood on the screen for a moment; keys
//! that come in a burst confirm nothing and choose for no more than one field; nothing acts while nothing is drawn.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::action::{Action, Binding, Place};
use super::overlay::{Overlay, Question};
use super::{App, Effect, Pointer};
use crate::domain::resolution::Unit;

/// How long something stands on the screen before a key confirms it, ms.
pub const READ_MS: u64 = 250;
/// The same for a click: the second one of a double click confirms nothing.
pub const CLICK_MS: u64 = 600;

/// Why a key that confirms is not heard yet.
const UNREAD: &str = "it has only just come up: read it first";

/// How an action was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hand {
    /// By a key of its own.
    #[default]
    Key,
    /// By one of the keys of a burst.
    Burst,
    /// By the mouse.
    Click,
}

/// What waits for a yes, so that another one is not taken for it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    /// A question.
    Question(Question),
    /// A plan: where it lies in memory.
    Plan(usize),
}

/// What is before the eyes, and since when.
#[derive(Debug, Default)]
pub(super) struct Sight {
    asked: Option<(usize, Asked)>,
    since: Option<u64>,
    last: u64,
}

impl Sight {
    /// When a frame stood on the screen last, ms.
    #[cfg(test)]
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// For how long it has stood on the screen, ms; `None` while it was never drawn.
    fn stood(&self) -> Option<u64> {
        self.since.map(|since| self.last.saturating_sub(since))
    }
}

/// The keys that came at once, and what they chose on.
#[derive(Debug, Default)]
pub(super) struct Run {
    chose_on: Option<Unit>,
}

/// How much an action does when it is done unseen.
enum Weight {
    /// It sends or loses something.
    Confirms,
    /// It chooses for more than one field.
    ChoosesMany,
    /// It chooses for one.
    Chooses(Option<Unit>),
    /// It puts away what was told.
    Dismisses,
    /// Nothing that could not be looked at again.
    Nothing,
}

impl App {
    /// What the app drew last stands on the screen at this moment, ms on a clock that only goes forward.
    pub(super) fn shown(&mut self, at: u64) {
        if self.layout.too_small() {
            self.sight.since = None;
            return;
        }
        self.sight.last = at;
        self.sight.since.get_or_insert(at);
    }

    /// In how many ms after the last [`super::Event::Shown`] the next one is wanted, since more keys are heard then.
    pub fn looks_again(&self) -> Option<u64> {
        self.sight.asked.as_ref()?;
        let stood = self.sight.stood()?;
        [READ_MS, CLICK_MS].into_iter().find(|moment| stood < *moment).map(|moment| moment - stood)
    }

    /// Something else may wait for a yes by now.
    pub(super) fn look(&mut self) {
        let asked = match self.overlays.last() {
            Some(Overlay::Question(question)) => Some(Asked::Question(question.clone())),
            Some(Overlay::Preview(preview)) => {
                preview.plan.as_ref().map(|plan| Asked::Plan(std::ptr::from_ref(&**plan).addr()))
            }
            _ => None,
        };
        let asked = asked.map(|asked| (self.overlays.len(), asked));
        if asked != self.sight.asked {
            self.sight.asked = asked;
            self.sight.since = None;
        }
    }

    /// Whether a question is answered by a yes by now.
    pub fn hears_yes(&self) -> bool {
        super::available::yes(self).is_ok()
    }

    /// Whether a key waits only for what it confirms to have stood on the screen for a moment.
    pub fn waits_to_be_read(&self, binding: &Binding) -> bool {
        (binding.available)(self) == Err(UNREAD)
    }

    /// Whether what waits for a yes has stood on the screen for as long as it takes to read; why not.
    pub(super) fn is_read(&self) -> Result<(), &'static str> {
        let moment = if self.hand == Hand::Click { CLICK_MS } else { READ_MS };
        if self.sight.stood().is_some_and(|stood| stood >= moment) { Ok(()) } else { Err(UNREAD) }
    }

    /// A key of its own.
    pub(super) fn lone_key(&mut self, key: &KeyEvent) -> Vec<Effect> {
        (self.hand, self.run) = (Hand::Key, Run::default());
        self.key(key)
    }

    /// One of the keys that came at once.
    pub(super) fn burst_key(&mut self, key: &KeyEvent, first: bool) -> Vec<Effect> {
        if first {
            self.run = Run::default();
        }
        self.hand = Hand::Burst;
        let effects = self.key(key);
        self.hand = Hand::Key;
        effects
    }

    /// The mouse.
    pub(super) fn click(&mut self, pointer: Pointer) -> Vec<Effect> {
        self.hand = Hand::Click;
        let effects = self.pointer(pointer);
        self.hand = Hand::Key;
        effects
    }

    /// A key while nothing is drawn: one may leave, where nothing is lost by that, and stop the program.
    pub(super) fn blind_key(&mut self, key: &KeyEvent) -> Vec<Effect> {
        let controls = key.kind != KeyEventKind::Release && key.modifiers == KeyModifiers::CONTROL;
        match key.code {
            KeyCode::Char('z') if controls => vec![Effect::Suspend],
            KeyCode::Char('c') if controls => {
                let before = self.overlays.len();
                let effects = self.quit();
                self.overlays.truncate(before);
                effects
            }
            _ => Vec::new(),
        }
    }

    /// Why an action is not done, though it applies: too many keys came at once for it to be meant.
    pub(super) fn unmeant(&mut self, action: Action) -> Option<&'static str> {
        let burst = self.hand == Hand::Burst;
        match self.weight(action) {
            Weight::Nothing => None,
            Weight::Confirms if burst => {
                Some("keys that come all at once confirm nothing: press it by itself")
            }
            Weight::ChoosesMany if burst => {
                Some("keys that come all at once choose for one field at most: press it by itself")
            }
            Weight::Dismisses if burst => {
                Some("keys that come all at once close no notice: press it by itself")
            }
            Weight::Confirms | Weight::ChoosesMany | Weight::Dismisses => None,
            Weight::Chooses(unit) => {
                let other = self.run.chose_on.is_some() && self.run.chose_on != unit;
                if burst && other {
                    return Some(
                        "keys that come all at once choose for one field at most: press it by itself",
                    );
                }
                self.run.chose_on = unit;
                None
            }
        }
    }

    fn weight(&self, action: Action) -> Weight {
        let of_act = |units: Vec<&Unit>| match units.as_slice() {
            [unit] => Weight::Chooses(Some((*unit).clone())),
            _ => Weight::ChoosesMany,
        };
        let bench = self.bench.as_ref();
        match action {
            Action::Confirm | Action::Yes | Action::GiveToken => Weight::Confirms,
            Action::Rule(_)
            | Action::ApplyAll
            | Action::ApplyKind
            | Action::WholeDevice
            | Action::WholeServer => Weight::ChoosesMany,
            Action::Open if self.place() == Place::Menu => Weight::ChoosesMany,
            Action::Quit if self.place() == Place::Question => Weight::Confirms,
            Action::Undo => bench.map_or(Weight::Nothing, |bench| {
                of_act(bench.resolution.undoes().map(|(unit, _)| unit).collect())
            }),
            Action::Redo => bench.map_or(Weight::Nothing, |bench| {
                of_act(bench.resolution.redoes().map(|(unit, _)| unit).collect())
            }),
            Action::Device | Action::Server | Action::Both | Action::Clear => {
                Weight::Chooses(bench.and_then(super::Bench::unit))
            }
            Action::Save => Weight::Chooses(match self.overlays.last() {
                Some(Overlay::Editor(editor)) => Some(editor.unit.clone()),
                _ => None,
            }),
            Action::Back if self.place() == Place::Failure => Weight::Dismisses,
            Action::Open
            | Action::Back
            | Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::HalfUp
            | Action::HalfDown
            | Action::Top
            | Action::Bottom
            | Action::Left
            | Action::Right
            | Action::NextPane
            | Action::PreviousPane
            | Action::NextOpen
            | Action::PreviousOpen
            | Action::NextChange
            | Action::PreviousChange
            | Action::NextSection
            | Action::PreviousSection
            | Action::Edit
            | Action::Fix
            | Action::EditOutside
            | Action::Whole
            | Action::Compare
            | Action::KindMenu
            | Action::AllMenu
            | Action::Filter
            | Action::OpenOnly
            | Action::Why
            | Action::Timeline
            | Action::History
            | Action::HistorySpan
            | Action::HistoryShare
            | Action::HistoryTeam
            | Action::Preview
            | Action::Unfold
            | Action::UnfoldAll
            | Action::Reload
            | Action::Copy
            | Action::SaveChoices
            | Action::Stop
            | Action::Report
            | Action::ReportRedacted
            | Action::GoOn
            | Action::Accept
            | Action::NoToken
            | Action::No
            | Action::Search
            | Action::Help
            | Action::Suspend
            | Action::Quit => Weight::Nothing,
        }
    }
}
