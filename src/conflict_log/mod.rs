//! The conflict log: what every inspection with a divergence and every push leaves behind, so that a team sees how
//! often conflicts happen, where, and what becomes of them. It holds ids, kinds, counts and times, never what people
//! wrote, never a token.
//!
//! [`observe`] makes rows, `writer` brings them to the log on this machine ([`local`]) off everybody's way, [`team`]
//! sends them on, [`summary`] is what a log comes to.

pub mod ask;
pub mod event;
pub mod local;
pub mod observe;
pub mod summary;
pub mod team;
mod writer;

pub use writer::{ConflictLog, Watched};

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use self::team::{TeamError, TeamUrl};
use crate::domain::mutation::Millis;

/// How this process keeps the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether it is added to.
    pub on: bool,
    /// Where it lies; `None` where this machine has no folder for it.
    pub path: Option<PathBuf>,
    /// The team's log, to which the rows are sent on.
    pub team: Option<TeamUrl>,
}

/// A process has one log, as it has one standard error. Whoever uses this library without [`start`] has none.
static LOG: OnceLock<(ConflictLog, Settings)> = OnceLock::new();

/// How long the end of a command waits for the team's log.
const IN_PASSING: Duration = Duration::from_secs(2);

/// Adds to the log from now on.
pub fn start(settings: &Settings) {
    if let Some(path) = settings.path.as_ref().filter(|_| settings.on) {
        // A second start changes nothing.
        let _ = LOG.set((ConflictLog::at(path.clone()), settings.clone()));
    }
}

/// Sends what the log holds on to the team's log, if there is one and as far as that goes quickly.
///
/// # Errors
/// Why it could not be sent. The rows wait for the next time.
pub async fn send_on(now: Millis) -> Result<(), TeamError> {
    match LOG.get() {
        Some((_, Settings { path: Some(path), team: Some(url), .. })) => {
            team::ship_in_passing(path, url, IN_PASSING, now.0).await.map(drop)
        }
        Some(_) | None => Ok(()),
    }
}

/// The log of this process; off before [`start`].
pub fn of_this_process() -> ConflictLog {
    LOG.get().map(|(log, _)| log.clone()).unwrap_or_default()
}
