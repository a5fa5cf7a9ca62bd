//! The screen's state machine: events in, effects out. No I/O, no clock, no drawing.
//!
//! ```text
//! key ─> place ─> binding ─> action ─> state, effects      (bindings.rs declares; acts.rs, choosing.rs do)
//! answer of an effect ───────────────> state, effects      (answers.rs)
//! ```

mod action;
mod acts;
mod answers;
mod autoplay;
mod available;
mod bench;
mod bindings;
mod care;
mod choose;
mod choosing;
mod comparing;
mod copying;
mod diff_view;
mod draft;
mod edit;
mod effect;
mod event;
mod filter;
mod history;
mod keeping;
mod keys;
mod layout;
mod overlay;
mod page;
mod picker;
mod pointing;
mod preview;
mod pushing;
mod refused;
mod scope;
mod selection;
mod story;
mod task;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod token;
mod update;
mod words;

use std::sync::Arc;

pub use action::{Action, Binding, Group, Place, at, markdown};
pub use autoplay::Autoplay;
pub use bench::{Bench, Compared, Focused, as_text, outcome};
pub use bindings::BINDINGS;
pub use choose::{Standing, fate, fields_decide, noun, question, refusal, standing, third_on, word};
pub use comparing::{CompareRow, Comparing, Cost, hangs_on, kept_words, loss_words, mark};
pub use diff_view::{DiffView, Drawn, drawn, wrapped};
pub use draft::Draft;
pub use edit::{Editor, Form};
pub use effect::{EditJob, Effect};
pub use event::{Drafted, Event, Failure, Pointer, PushEnd, Recall, Stuck, Target};
pub use filter::{Query, WORDS};
pub use history::{History, Part, Said, pages, share};
pub use keeping::{Earlier, Found};
pub use keys::Key;
pub use layout::Layout;
pub use overlay::{Deed, HelpRow, HelpView, Menu, Overlay, Question};
pub use page::{Page, PageRow, Rank};
pub use picker::{Offered, Pick, Picker};
pub use preview::{Entry, Preview, Section, request_line};
pub use pushing::{Busy, Pushing};
pub use refused::Refused;
pub use scope::{Forecast, Scope};
pub use selection::{Scroll, Selection};
pub use story::{Step, Told, count, ended, push_step};
pub use task::{Answer, Job, Task};
pub use timeline::{Lane, Manner, Message, STEP_HEIGHT, Timeline, named, stands_apart, words_rows};
pub use token::TokenPrompt;
pub use words::one_line;

pub use crate::exit::ExitCode;

use crate::domain::device::Device;
use crate::domain::diagnosis;
use crate::domain::mutation::{Cursor, Millis, Side};
use crate::domain::push;
use crate::domain::window::PullStep;

/// What a session begins with.
#[derive(Clone, Debug)]
pub struct Start {
    /// The device, as its file tells of it.
    pub device: Arc<Device>,
    /// What stands for the server.
    pub source: Source,
    /// Why nothing may be sent in this session, where that is so; a recorded pull needs no reason.
    pub read_only: Option<&'static str>,
    /// Things about the device file that a person should know.
    pub warnings: Vec<String>,
    /// The time.
    pub now: Millis,
    /// Columns of the terminal.
    pub width: u16,
    /// Rows of the terminal.
    pub height: u16,
    /// How the user's other devices are called, where the story tells; a feed does not say who wrote.
    pub others: Option<String>,
    /// Whether the screen is recorded: others will see it, and no folder of this machine stands on it.
    pub recorded: bool,
    /// Whether the device file goes with the session, as a demo's does.
    pub fleeting: bool,
}

/// What stands for the server in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A server that is asked.
    Live {
        /// Its address, without user information or query.
        url: String,
        /// A short name for the header: `sandbox`, `pre-live`, `production`, or the host.
        environment: String,
        /// Whether people's real data is behind it; shown loudly.
        production: bool,
    },
    /// A recorded pull; nothing can be sent.
    Recorded {
        /// The file's name.
        file: String,
    },
}

/// Where the session stands.
pub enum Phase {
    /// The server is being pulled.
    Connecting(Connecting),
    /// A person looks and chooses.
    Inspecting,
    /// The sync is being retried.
    Pushing(Pushing),
    /// The retry came to an end.
    Ended(Box<Ended>),
}

/// A pull under way, or one that failed.
#[derive(Default)]
pub struct Connecting {
    /// Whether it failed, and how.
    pub failed: Option<Failure>,
}

/// A push that ended.
pub struct Ended {
    /// What came of it, in words.
    pub page: Page,
    /// What the program answers if the session ends here.
    pub exit: ExitCode,
    /// What happened on the way.
    pub notes: Vec<push::Note>,
    /// The device as the push left it.
    pub device: Device,
    /// The server's head as it was last seen.
    pub head: Cursor,
    /// Whether the phone, whose own database stays as it was, does not recover by itself.
    pub phone_stops: bool,
}

/// How the last act went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something to know; nothing was done.
    Note,
    /// It was done.
    Done,
    /// It was not, and the line says why.
    Refused,
}

/// What is on its way to the clipboard.
struct Copying {
    /// The value, in words.
    what: String,
    /// What may be copied by the key once more.
    then: Option<(crate::domain::resolution::Unit, Side)>,
}

/// Which pane of the inspector has the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The list. Where one side is shown at a time: of this side.
    List(Side),
    /// The fields of the marked resource.
    Fields,
}

/// The whole state of the screen.
pub struct App {
    start: Start,
    layout: Layout,
    phase: Phase,
    bench: Option<Bench>,
    overlays: Vec<Overlay>,
    focus: Focus,
    status: Option<(Tone, String)>,
    /// The key that a demo is about to press by itself.
    playing: Option<crossterm::event::KeyEvent>,
    /// How it is known that the device is stuck, where it is.
    stuck: Option<Stuck>,
    pull: Vec<PullStep>,
    /// When the last step of the pull was told.
    pull_since: Option<Millis>,
    before: timeline::Before,
    /// The plan of which nothing was sent, since a person is to be asked something first.
    unsent: Option<Arc<push::Planned>>,
    /// The pull under way replaces an inspection whose choices are to be kept.
    reloading: bool,
    filtering: Option<Job>,
    ruling: Option<(Job, crate::domain::strategy::Strategy)>,
    diagnosing: Option<Job>,
    carrying: Option<Job>,
    /// Large things that are no longer needed.
    useless: Vec<Box<dyn std::any::Any + Send>>,
    editing: Option<(EditJob, crate::domain::resolution::Unit, Form)>,
    jobs: u64,
    /// What waits for a yes, and for how long it was to be seen.
    sight: care::Sight,
    /// What the keys that come at once chose on.
    run: care::Run,
    /// How the action under way was asked for.
    hand: care::Hand,
    /// What is on its way to the clipboard.
    copying: Option<Copying>,
    keeping: keeping::Keeping,
}

impl App {
    /// A session before its first event. [`Effect::Pull`] is under way already.
    pub fn new(start: Start) -> Self {
        let layout = Layout::new(start.width, start.height, 0);
        let stuck = recorded(&start.device);
        Self {
            start,
            layout,
            phase: Phase::Connecting(Connecting::default()),
            bench: None,
            overlays: Vec::new(),
            focus: Focus::List(Side::Device),
            status: None,
            stuck,
            pull: Vec::new(),
            pull_since: None,
            before: timeline::Before::default(),
            unsent: None,
            reloading: false,
            filtering: None,
            ruling: None,
            diagnosing: None,
            carrying: None,
            useless: Vec::new(),
            editing: None,
            jobs: 0,
            playing: None,
            sight: care::Sight::default(),
            run: care::Run::default(),
            hand: care::Hand::default(),
            copying: None,
            keeping: keeping::Keeping::default(),
        }
    }

    /// Where the session stands.
    pub const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// What a person works on, once both sides are put together.
    pub const fn bench(&self) -> Option<&Bench> {
        self.bench.as_ref()
    }

    /// What lies over the inspector, the uppermost last.
    pub fn overlays(&self) -> &[Overlay] {
        &self.overlays
    }

    /// The parts of the screen.
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Which pane has the keys.
    pub const fn focus(&self) -> Focus {
        self.focus
    }

    /// How the last act went.
    pub fn status(&self) -> Option<(Tone, &str)> {
        self.status.as_ref().map(|(tone, text)| (*tone, text.as_str()))
    }

    /// The push under way.
    pub const fn pushing(&self) -> Option<&Pushing> {
        match &self.phase {
            Phase::Pushing(pushing) => Some(pushing),
            Phase::Connecting(_) | Phase::Inspecting | Phase::Ended(_) => None,
        }
    }

    /// How it is known that the device is stuck, where it is.
    pub const fn stuck(&self) -> Option<Stuck> {
        self.stuck
    }

    /// The steps of the last pull.
    pub fn pull(&self) -> &[PullStep] {
        &self.pull
    }

    /// The device of the session; after a push as the push left it.
    pub fn device(&self) -> &Device {
        match &self.phase {
            Phase::Ended(ended) => &ended.device,
            Phase::Connecting(_) | Phase::Inspecting | Phase::Pushing(_) => {
                self.bench.as_ref().map_or(&self.start.device, |bench| &bench.inspection.device)
            }
        }
    }

    /// What stands for the server.
    pub const fn source(&self) -> &Source {
        &self.start.source
    }

    /// The time.
    pub const fn now(&self) -> Millis {
        self.start.now
    }

    /// The server's head, as far as it is known.
    pub fn head(&self) -> Option<Cursor> {
        let seen = self.pull.iter().rev().find_map(|step| match step {
            PullStep::Head(head)
            | PullStep::HeadStable(head)
            | PullStep::CaughtUp { now: head, .. }
            | PullStep::Page { head, .. } => Some(*head),
            PullStep::AskedHead
            | PullStep::Path(_)
            | PullStep::AskedPage { .. }
            | PullStep::HeadMoved { .. }
            | PullStep::NotWhole { .. }
            | PullStep::Waiting { .. } => None,
        });
        match &self.phase {
            Phase::Ended(ended) => Some(ended.head),
            Phase::Connecting(_) | Phase::Inspecting | Phase::Pushing(_) => {
                self.bench.as_ref().map(|bench| bench.inspection.window.head).or(seen)
            }
        }
    }

    /// Why nothing may be sent, where that is so.
    pub const fn read_only(&self) -> Option<&'static str> {
        match (&self.start.source, self.start.read_only) {
            (Source::Recorded { .. }, _) => {
                Some("this is a recorded pull: nothing can be sent; open the device with --server")
            }
            (Source::Live { .. }, reason) => reason,
        }
    }

    /// The preview, where it is open.
    pub fn preview(&self) -> Option<&Preview> {
        self.overlays
            .iter()
            .find_map(|overlay| if let Overlay::Preview(preview) = overlay { Some(preview) } else { None })
    }

    /// The prompt for a token, where it has the keys.
    pub fn token(&self) -> Option<&TokenPrompt> {
        match self.overlays.last() {
            Some(Overlay::Token(prompt)) => Some(prompt),
            _ => None,
        }
    }

    /// The menu of strategies, where it is open.
    pub fn menu(&self) -> Option<&Menu> {
        match self.overlays.last() {
            Some(Overlay::Menu(menu)) => Some(menu),
            _ => None,
        }
    }

    /// What has the keys.
    pub fn place(&self) -> Place {
        if let Some(overlay) = self.overlays.last() {
            return overlay.place();
        }
        match (&self.phase, self.focus) {
            (Phase::Connecting(_), _) => Place::Connecting,
            (Phase::Inspecting, Focus::List(_)) => Place::List,
            (Phase::Inspecting, Focus::Fields) => Place::Fields,
            (Phase::Pushing(_), _) => Place::Pushing,
            (Phase::Ended(_), _) => Place::Ended,
        }
    }

    /// What the program answers if the session ends now.
    pub fn exit_code(&self) -> ExitCode {
        match &self.phase {
            Phase::Connecting(Connecting { failed: Some(_) }) => ExitCode::Refused,
            Phase::Pushing(_) => ExitCode::Unknown,
            Phase::Ended(ended) => ended.exit,
            Phase::Connecting(_) | Phase::Inspecting => {
                let diverged = self.bench.as_ref().is_none_or(|bench| bench.inspection.summary.diverged > 0);
                if diverged { ExitCode::Open } else { ExitCode::Done }
            }
        }
    }
}

/// What is known before anything was asked: that the device was refused, if it recorded that.
fn recorded(device: &Device) -> Option<Stuck> {
    diagnosis::was_refused(device).then_some(Stuck::Recorded { cursor: device.sync.cursor })
}
