//! What is old is let go of: rows and what they added to the counts, together.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{DEMO, Local, LogError};

/// What came of letting go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pruned {
    /// So many rows are gone, and so many are left.
    Gone {
        /// Rows that are gone.
        rows: usize,
        /// Rows that are left.
        left: usize,
    },
    /// Nothing was let go of: so many of those rows were not sent to the team's log yet.
    Unsent(usize),
}

/// About how many rows go at once: others who write wait no longer than that takes.
const AT_ONCE: i64 = 50_000;
/// In between, whoever waits has a chance: `SQLite` looks ten times a second.
const PAUSE: Duration = Duration::from_millis(110);

impl Local {
    /// Lets go of every row from before a day, in days since 1970 UTC, and of what it added to the counts, a stretch
    /// of whole days at a time. Rows that still wait for the team's log `team` are not lost: then nothing more is let
    /// go of.
    pub fn prune(&mut self, before: i64, team: Option<&str>) -> Result<Pruned, LogError> {
        self.prune_by(before, team, AT_ONCE)
    }

    /// The same, but one stretch only: what else is old waits for the next time.
    pub fn prune_some(&mut self, before: i64, team: Option<&str>) -> Result<Pruned, LogError> {
        self.stretch(before, team, AT_ONCE).map(|(pruned, _)| pruned)
    }

    pub(super) fn prune_by(
        &mut self,
        before: i64,
        team: Option<&str>,
        at_once: i64,
    ) -> Result<Pruned, LogError> {
        let mut all = 0;
        loop {
            let (pruned, last) = self.stretch(before, team, at_once)?;
            match pruned {
                Pruned::Gone { rows, left } if last => return Ok(Pruned::Gone { rows: all + rows, left }),
                Pruned::Gone { rows, .. } => all += rows,
                Pruned::Unsent(_) => return Ok(pruned),
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Lets go of the next stretch. Answers whether it was the last one.
    fn stretch(&mut self, before: i64, team: Option<&str>, at_once: i64) -> Result<(Pruned, bool), LogError> {
        let end = end_of_stretch(&self.connection, before, at_once);
        let end = self.named(end)?;
        let pruned = prune(&mut self.connection, end, team);
        Ok((self.named(pruned)?, end == before))
    }

    /// Whether there is anything from before a day. Asks the counts, which are few.
    pub fn holds_before(&self, day: i64) -> Result<bool, LogError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM tally WHERE day < ?1)";
        let found = self.connection.query_row(sql, [day], |row| row.get(0));
        self.named(found)
    }

    /// Gives the room of what is gone back to the disk, unless others use the log just now; then it is used for what
    /// comes.
    pub fn shrink(&self) {
        let _ = self.connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

/// The end of the next stretch: the day after that of the row which so many lie in front of.
fn end_of_stretch(connection: &Connection, before: i64, at_once: i64) -> rusqlite::Result<i64> {
    let sql = "SELECT day FROM event ORDER BY seq LIMIT 1 OFFSET ?1";
    let day: Option<i64> = connection.query_row(sql, [at_once], |row| row.get(0)).optional()?;
    Ok(day.map_or(before, |day| before.min(day.saturating_add(1))))
}

fn prune(connection: &mut Connection, before: i64, team: Option<&str>) -> rusqlite::Result<Pruned> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(team) = team {
        let waiting: i64 = transaction.query_row(
            "SELECT count(*) FROM event WHERE seq > coalesce((SELECT seq FROM sent WHERE team = ?1), 0) \
             AND server <> ?2 AND day < ?3",
            params![team, DEMO, before],
            |row| row.get(0),
        )?;
        if waiting > 0 {
            return Ok(Pruned::Unsent(usize::try_from(waiting).unwrap_or(usize::MAX)));
        }
    }
    let rows = transaction.execute("DELETE FROM event WHERE day < ?1", [before])?;
    transaction.execute("DELETE FROM tally WHERE day < ?1", [before])?;
    let left: i64 = transaction.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
    transaction.commit()?;
    Ok(Pruned::Gone { rows, left: usize::try_from(left).unwrap_or_default() })
}
