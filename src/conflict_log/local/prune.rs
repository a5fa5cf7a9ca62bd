//! What is old is let go of: rows and what they added to the counts, together.

use rusqlite::{Connection, TransactionBehavior, params};

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

impl Local {
    /// Lets go of every row from before a day, in days since 1970 UTC, and of what it added to the counts; all or
    /// nothing. Rows that still wait for the team's log `team` are not lost: then nothing is let go of.
    pub fn prune(&mut self, before: i64, team: Option<&str>) -> Result<Pruned, LogError> {
        let pruned = prune(&mut self.connection, before, team);
        self.named(pruned)
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
