//! The conflict log: what every inspection with a divergence and every push leaves behind, so that a team sees how
//! often conflicts happen, where, and what becomes of them. It holds ids, kinds, counts and times, never what people
//! wrote, never a token.
//!
//! [`observe`] makes rows, `writer` brings them to the log on this machine ([`local`]) off everybody's way, [`team`]
//! sends them on, [`summary`] is what a log comes to.

pub mod ask;
pub mod event;
pub mod local;
mod looking;
pub mod observe;
pub mod summary;
pub mod team;
mod writer;

pub use looking::team_said;
pub use writer::{ConflictLog, Keep, Watched};

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use self::team::{Sending, TeamError, TeamUrl};

/// How this process keeps the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether it is added to.
    pub on: bool,
    /// Where it lies; `None` where this machine has no folder for it.
    pub path: Option<PathBuf>,
    /// How many days it goes back; for ever without it.
    pub keep_days: Option<NonZeroU32>,
    /// The team's log, to which the rows are sent on.
    pub team: Option<TeamUrl>,
}

/// A process has one log, as it has one standard error. Whoever uses this library without [`start`] has none.
static LOG: OnceLock<(ConflictLog, Settings)> = OnceLock::new();
/// What goes on to the team's log meanwhile.
static SENDING: Mutex<Option<Sending>> = Mutex::new(None);

/// Adds to the log from now on.
pub fn start(settings: &Settings) {
    if let Some(path) = settings.path.as_ref().filter(|_| settings.on) {
        // A second start changes nothing.
        let team = settings.team.as_ref().map(|url| url.name().to_owned());
        let keep = settings.keep_days.map(|days| Keep { days, team });
        let _ = LOG.set((ConflictLog::keeping(path.clone(), keep), settings.clone()));
    }
}

/// Sends the log on to the team's log from now on, if there is one. Needs the runtime.
pub fn begin_sending() {
    let Some((log, Settings { path: Some(path), team: Some(url), .. })) = LOG.get() else { return };
    let mut sending = SENDING.lock().unwrap_or_else(PoisonError::into_inner);
    sending.get_or_insert_with(|| Sending::begin(path.clone(), url.clone(), log.written()));
}

/// Sends the last rows on, if that goes quickly.
///
/// # Errors
/// Why rows could not be sent. They wait for the next time.
pub async fn end_sending() -> Result<(), TeamError> {
    let sending = SENDING.lock().unwrap_or_else(PoisonError::into_inner).take();
    match sending {
        Some(sending) => sending.end().await,
        None => Ok(()),
    }
}

/// The log of this process; off before [`start`].
pub fn of_this_process() -> ConflictLog {
    LOG.get().map(|(log, _)| log.clone()).unwrap_or_default()
}
