//! The log on this machine, or the team's, asked from the screen: off its task, and for no longer than a moment.

use std::path::Path;
use std::time::Duration;

use super::local::{Local, LogError};
use super::summary::{Filter, Summary};
use super::team::Team;
use super::{ConflictLog, LOG, Settings};
use crate::app::Said;

/// A million rows take less than 0.3 s.
const PATIENCE: Duration = Duration::from_secs(5);
/// A server may be far.
const TEAMS_PATIENCE: Duration = Duration::from_secs(10);
/// How long rows that this session has just left are waited for, and how often they are looked for.
const LAST_ROWS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_millis(5));

impl ConflictLog {
    /// What it says of the days from `since` on, in days since 1970; in a demo of demos.
    pub async fn said(&self, since: Option<i64>, percent: u8) -> Said {
        let Some((path, demos)) = self.place() else { return Said::Off };
        let path = path.to_owned();
        let written = async {
            while !self.is_written() {
                tokio::time::sleep(LAST_ROWS.1).await;
            }
        };
        // What is there then is told.
        let _ = tokio::time::timeout(LAST_ROWS.0, written).await;
        let filter = Filter { since, device: None, demos };
        let read = tokio::task::spawn_blocking(move || read(&path, &filter, percent));
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(Ok(summary))) => Said::of(summary, demos),
            Ok(Ok(Err(error))) => Said::Failed(format!("{error}.")),
            Ok(Err(_)) | Err(_) => Said::Failed(String::from(
                "The conflict log did not answer in time. Try again, or ask it with unstick log.",
            )),
        }
    }
}

/// What the team's log says of the days from `since` on, in days since 1970.
pub async fn team_said(since: Option<i64>, percent: u8) -> Said {
    let Some((_, Settings { team: Some(url), .. })) = LOG.get() else {
        return Said::Failed(String::from(
            "No team's log is known to this session: UNSTICK_LOG_URL, or url under [log] in the configuration, says \
             where it is, and --no-log leaves it alone as well. T goes back to the log on this machine.",
        ));
    };
    let filter = Filter { since, device: None, demos: false };
    let asked = async { Team::connect(url).await?.summary(&filter, percent).await };
    match tokio::time::timeout(TEAMS_PATIENCE, asked).await {
        Ok(Ok(summary)) => Said::of(summary, false),
        Ok(Err(error)) => Said::Failed(format!("{error}. T goes back to the log on this machine.")),
        Err(_) => Said::Failed(format!(
            "The team's log {} did not answer in time. T goes back to the log on this machine.",
            url.name()
        )),
    }
}

fn read(path: &Path, filter: &Filter, percent: u8) -> Result<Summary, LogError> {
    if path.exists() { Local::existing(path)?.summary(filter, percent) } else { Ok(Summary::default()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conflict_log::event::{DEMO, Event, What};

    fn conflict(id: &str, server: &str, at: i64) -> Event {
        Event {
            id: String::from(id),
            at,
            what: What::Conflict,
            server: String::from(server),
            ..Event::default()
        }
    }

    #[tokio::test]
    async fn a_log_says_what_it_holds_that_it_is_empty_off_or_broken() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.sqlite3");
        assert_eq!(ConflictLog::default().said(None, 80).await, Said::Off);
        let log = ConflictLog::at(path.clone());
        assert_eq!(log.said(None, 80).await, Said::Empty);
        assert!(!path.exists(), "looking makes nothing");

        let rows = [conflict("a", "pre-live", 0), conflict("b", DEMO, 0), conflict("c", DEMO, 0)];
        Local::open(&path).and_then(|mut log| log.append(&rows)).expect("written");
        let told = |said: Said| match said {
            Said::Told { summary, demos } => (summary.conflicts, demos),
            other => panic!("{other:?}"),
        };
        assert_eq!(told(log.said(None, 80).await), (1, false));
        assert_eq!(told(log.of_demo().said(None, 80).await), (2, true));
        assert_eq!(log.said(Some(1), 80).await, Said::Empty);

        std::fs::write(&path, "no database").expect("written");
        assert!(matches!(log.said(None, 80).await, Said::Failed(why) if why.contains("log.sqlite3")));
    }
}
