//! Rows on their way to the team's log while a command goes on. Nobody waits for it but the end of the command, and that
//! only for a moment.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Team, TeamError, TeamUrl, send};
use crate::conflict_log::local::Local;

/// How long the end of a command waits for a server that was not reached yet.
const UNREACHED: Duration = Duration::from_millis(400);
/// How long it waits beyond that for one that was, which takes the last rows.
const LAST_ROWS: Duration = Duration::from_millis(1600);
/// How long a server may take to be reached while a command goes on.
const REACHING: Duration = Duration::from_secs(10);
/// How long a connection without work is kept: thirty people shall not hold thirty of them all day.
const IDLE: Duration = Duration::from_secs(30);
/// After a failure, how long all commands on this machine leave the server alone, ms.
const REST_MS: i64 = 60_000;

/// Sends what the log holds, and what comes to it.
pub struct Sending {
    task: JoinHandle<Result<(), TeamError>>,
    shared: Arc<Shared>,
}

struct Shared {
    local: PathBuf,
    url: TeamUrl,
    /// Told when rows were written, and at the end.
    written: Arc<Notify>,
    ending: AtomicBool,
    reached: AtomicBool,
}

impl Sending {
    /// Begins to send the log at `local`; `written` is told whenever rows were added to it. Needs the runtime.
    pub fn begin(local: PathBuf, url: TeamUrl, written: Arc<Notify>) -> Self {
        let (ending, reached) = (AtomicBool::new(false), AtomicBool::new(false));
        let shared = Arc::new(Shared { local, url, written, ending, reached });
        let task = tokio::spawn(run(Arc::clone(&shared)));
        Self { task, shared }
    }

    /// Sends the last rows, if that goes quickly.
    ///
    /// # Errors
    /// Why rows could not be sent since this began. They wait in the log on this machine.
    pub async fn end(self) -> Result<(), TeamError> {
        let Self { mut task, shared } = self;
        shared.ending.store(true, Ordering::SeqCst);
        shared.written.notify_one();
        let mut ended = timeout(UNREACHED, &mut task).await;
        if ended.is_err() && shared.reached.load(Ordering::SeqCst) {
            ended = timeout(LAST_ROWS, &mut task).await;
        }
        match ended {
            Ok(Ok(sent)) => sent,
            // It was not cancelled, so it panicked; the rows are still there.
            Ok(Err(_)) => Ok(()),
            Err(_) => {
                task.abort();
                Local::existing(&shared.local)?.failed(shared.url.name(), now())?;
                Err(TeamError::Late { name: shared.url.name().to_owned() })
            }
        }
    }
}

async fn run(shared: Arc<Shared>) -> Result<(), TeamError> {
    let Shared { local, url, written, ending, reached } = &*shared;
    let (mut team, mut told) = (None, Ok(()));
    loop {
        // Asked first: rows that come while others are sent are sent as well.
        let last = ending.load(Ordering::SeqCst);
        match in_passing(local, url, &mut team, reached).await {
            Ok(Passed::Resting) => {}
            Ok(Passed::Sent) => told = Ok(()),
            Err(error) => {
                team = None;
                reached.store(false, Ordering::SeqCst);
                told = Err(error);
            }
        }
        if last {
            return told;
        }
        if timeout(IDLE, written.notified()).await.is_err() {
            team = None;
            reached.store(false, Ordering::SeqCst);
            written.notified().await;
        }
    }
}

enum Passed {
    /// All that there was.
    Sent,
    /// The server failed a moment ago, here or in another command, and is left alone.
    Resting,
}

/// A network that is away costs one try and not one for every command.
async fn in_passing(
    local: &Path,
    url: &TeamUrl,
    team: &mut Option<Team>,
    reached: &AtomicBool,
) -> Result<Passed, TeamError> {
    if !local.exists() {
        return Ok(Passed::Sent);
    }
    let mut log = Local::existing(local)?;
    if log.failed_at(url.name())?.is_some_and(|at| (0..REST_MS).contains(&(now() - at))) {
        return Ok(Passed::Resting);
    }
    if log.unsent(url.name(), 1)?.is_empty() {
        return Ok(Passed::Sent);
    }
    let sent = async {
        let team = if let Some(team) = team {
            team
        } else {
            let late = |_| TeamError::Late { name: url.name().to_owned() };
            team.insert(timeout(REACHING, Team::connect(url)).await.map_err(late)??)
        };
        reached.store(true, Ordering::SeqCst);
        send(&mut log, url, team).await
    };
    let sent = sent.await;
    if sent.is_err() {
        log.failed(url.name(), now())?;
    }
    sent.map(|_| Passed::Sent)
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;
    use crate::conflict_log::event::Event;

    /// A server that takes connections and never says a word, and a log with a row for it.
    fn silent(folder: &Path) -> (TcpListener, PathBuf, TeamUrl) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        let url = TeamUrl::parse(&format!("postgres://u:p@127.0.0.1:{port}/silent")).expect("a URL");
        let path = folder.join("log.sqlite3");
        let row = Event { id: String::from("a"), server: String::from("pre-live"), ..Event::default() };
        Local::open(&path).and_then(|mut log| log.append(&[row])).expect("written");
        (listener, path, url)
    }

    #[tokio::test]
    async fn a_silent_server_holds_the_end_up_for_a_moment_and_then_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let (listener, path, url) = silent(folder.path());
        let sending = Sending::begin(path.clone(), url.clone(), Arc::default());
        let begun = Instant::now();
        assert!(matches!(sending.end().await, Err(TeamError::Late { .. })));
        // Half a second; the rest is for a machine that is busy with other tests.
        assert!(begun.elapsed() < UNREACHED + Duration::from_secs(1), "{:?}", begun.elapsed());
        while listener.accept().is_ok() {}

        let sending = Sending::begin(path.clone(), url.clone(), Arc::default());
        sending.end().await.expect("nothing was tried");
        assert!(listener.accept().is_err(), "it is left alone for a while");
        let log = Local::existing(&path).expect("the log");
        assert_eq!(log.unsent(url.name(), 9).expect("rows").len(), 1, "the row waits");
    }

    #[tokio::test]
    async fn a_server_that_was_found_dead_on_the_way_is_told_of_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let (listener, path, url) = silent(folder.path());
        drop(listener);
        let sending = Sending::begin(path.clone(), url.clone(), Arc::default());
        while Local::existing(&path).expect("the log").failed_at(url.name()).expect("an answer").is_none() {
            tokio::task::yield_now().await;
        }
        assert!(matches!(sending.end().await, Err(TeamError::Server { .. })));
    }
}
