//! The conflict log: what every inspection with a divergence and every push leaves behind, so that a team sees how
//! often conflicts happen, where, and what becomes of them. It holds ids, kinds, counts and times, never what people
//! wrote, never a token.
//!
//! [`observe`] makes rows, [`writer`] brings them to the log on this machine ([`local`]) off everybody's way,
//! [`summary`] is what a log comes to.

pub mod ask;
pub mod event;
pub mod local;
pub mod observe;
pub mod summary;
mod writer;

pub use writer::{ConflictLog, Watched};

use std::path::PathBuf;
use std::sync::OnceLock;

/// How this process keeps the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether it is added to.
    pub on: bool,
    /// Where it lies; `None` where this machine has no folder for it.
    pub path: Option<PathBuf>,
}

/// A process has one log, as it has one standard error. Whoever uses this library without [`start`] has none.
static LOG: OnceLock<ConflictLog> = OnceLock::new();

/// Adds to the log from now on, until [`finish`].
pub fn start(settings: &Settings) {
    if let Some(path) = settings.path.as_ref().filter(|_| settings.on) {
        // A second start changes nothing.
        let _ = LOG.set(ConflictLog::at(path.clone()));
    }
}

/// The log of this process; off before [`start`].
pub fn of_this_process() -> ConflictLog {
    LOG.get().cloned().unwrap_or_default()
}
