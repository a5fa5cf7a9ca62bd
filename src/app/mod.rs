//! The screen's state machine: events in, effects out. No I/O, no clock, no drawing.

mod effect;
mod event;
pub mod stand_in;

use std::sync::Arc;

pub use crate::exit::ExitCode;
pub use effect::{DiffJob, EditJob, Effect};
pub use event::{Event, Failure, PullNote, PushEnd, Stuck};

use crate::domain::device::Device;
use crate::domain::mutation::Millis;

/// What a session begins with.
#[derive(Clone, Debug)]
pub struct Start {
    /// The device, as its file tells of it.
    pub device: Arc<Device>,
    /// What stands for the server.
    pub source: Source,
    /// The time.
    pub now: Millis,
    /// Columns of the terminal.
    pub width: u16,
    /// Rows of the terminal.
    pub height: u16,
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

/// The whole state of the screen.
#[derive(Debug)]
pub struct App {
    start: Start,
}

impl App {
    /// A session before its first event. [`Effect::Pull`] is under way already.
    pub fn new(start: Start) -> Self {
        Self { start }
    }

    /// Takes one event; answers what is to be done outside.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Tick(now) => {
                self.start.now = now;
                Vec::new()
            }
            Event::Resize { width, height } => {
                (self.start.width, self.start.height) = (width, height);
                Vec::new()
            }
            Event::Term => vec![Effect::Quit(ExitCode::Open)],
            Event::Key(_)
            | Event::Paste(_)
            | Event::Mouse(_)
            | Event::Pull(_)
            | Event::Inspected(_)
            | Event::PullFailed(_)
            | Event::Diffed { .. }
            | Event::Edited { .. }
            | Event::Push(_)
            | Event::PushEnded(_)
            | Event::Copied(_) => Vec::new(),
        }
    }
}
