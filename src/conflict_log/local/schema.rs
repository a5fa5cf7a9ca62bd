//! The tables of the log on this machine, and the questions to them.

use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use crate::conflict_log::event::COLUMNS;

/// The version that this program writes (`user_version`).
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Each makes the next version out of the one before it.
const MIGRATIONS: [&str; 2] = [TABLES, SENT];

/// Up to which row the log was sent to a team's log, and when that failed last.
const SENT: &str = "
CREATE TABLE sent (
    team TEXT PRIMARY KEY,
    seq INTEGER NOT NULL DEFAULT 0,
    failed_at INTEGER
) STRICT, WITHOUT ROWID;
";

/// `event` is the log; rows are added to it, and let go of by whole days. `tally` counts it: for a scope (all devices, one device, demos), a
/// dimension and its value, by day. The two indexes hold what a question for an order needs, and nothing else.
const TABLES: &str = "
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    day INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    device TEXT NOT NULL,
    server TEXT NOT NULL,
    conflict TEXT,
    kind TEXT,
    shape TEXT,
    resource TEXT,
    causes TEXT,
    fields INTEGER,
    gap_ms INTEGER,
    choice TEXT,
    strategy TEXT,
    outcome TEXT,
    queued INTEGER,
    window INTEGER,
    diverged INTEGER,
    caught INTEGER,
    posts INTEGER,
    refused INTEGER,
    sent INTEGER,
    held INTEGER,
    quarantined INTEGER,
    lost INTEGER,
    took_ms INTEGER
) STRICT;
CREATE INDEX event_gap_ms ON event (gap_ms, day, device, server) WHERE what = 'conflict' AND gap_ms IS NOT NULL;
CREATE INDEX event_took_ms ON event (took_ms, day, device, server)
    WHERE what = 'resolution' AND took_ms IS NOT NULL;
CREATE TABLE tally (
    scope TEXT NOT NULL,
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    day INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (scope, dimension, value, day)
) STRICT, WITHOUT ROWID;
";

/// Adds to a count.
pub(super) const TALLY: &str = "
INSERT INTO tally (scope, dimension, value, day, count) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT DO UPDATE SET count = count + excluded.count";

/// Every count of a scope since a day.
pub(super) const SUMS: &str = "
SELECT dimension, value, sum(count) FROM tally WHERE scope = ?1 AND day >= ?2 GROUP BY dimension, value";

/// The conflicts of a scope by day.
pub(super) const DAYS: &str = "
SELECT 'day', CAST(day AS TEXT), count FROM tally
WHERE scope = ?1 AND dimension = 'what' AND value = 'conflict' AND day >= ?2";

/// Adds a row, unless it is there.
pub(super) fn insert() -> String {
    let places: Vec<String> = (1..=COLUMNS.len() + 1).map(|at| format!("?{at}")).collect();
    format!(
        "INSERT INTO event (day, {}) VALUES ({}) ON CONFLICT (id) DO NOTHING",
        COLUMNS.join(", "),
        places.join(", ")
    )
}

/// The value at a position of a column in ascending order, among the rows of a kind. Read from the column's index
/// alone.
pub(super) fn nth(column: &str, what: &str) -> String {
    format!(
        "SELECT {column} FROM event INDEXED BY event_{column} WHERE what = '{what}' AND {column} IS NOT NULL \
         AND day >= ?1 AND (?2 IS NULL OR device = ?2) AND (server = ?3) = ?4 \
         ORDER BY {column} LIMIT 1 OFFSET ?5"
    )
}

/// Makes or changes the tables as this program needs them, and answers the version of what is there.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<i64> {
    // A power cut may take the last rows; it never breaks the file.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let version = version(connection)?;
    if version >= VERSION {
        return Ok(version);
    }
    if version == 0 {
        write_ahead(connection)?;
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // Another process may have been faster.
    match self::version(connection).and_then(|version| migrate(connection, version)) {
        Ok(version) => connection.execute_batch("COMMIT").map(|()| version),
        Err(error) => {
            connection.execute_batch("ROLLBACK")?;
            Err(error)
        }
    }
}

/// Answers the version that is there afterwards.
fn migrate(connection: &Connection, version: i64) -> rusqlite::Result<i64> {
    for migration in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or_default()) {
        connection.execute_batch(migration)?;
    }
    if version < VERSION {
        connection.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(version.max(VERSION))
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Lets readers read while one process writes. `SQLite` does not wait for others when it changes this, so we do.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let begun = Instant::now();
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && begun.elapsed() < super::BUSY =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
}
