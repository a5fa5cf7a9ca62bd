//! The log on this machine: one `SQLite` file that many processes append to at once. A row and what it adds to the
//! counts are written in one transaction, so that a question is answered from the counts and not from the rows.

mod prune;
mod schema;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, TransactionBehavior, params};

use super::event::{COLUMNS, Cell, DEMO, Event, Get, What};
use super::summary::{Advice, Counts, Filter, Of, Summary, median_at, share_at};
use crate::durable;

pub use prune::Pruned;

/// How long a process waits for another that writes.
const BUSY: Duration = Duration::from_secs(5);
/// The file's name in the data folder.
const FILE: &str = "conflicts.sqlite3";

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The folder or the file cannot be made.
    #[error("the conflict log {} cannot be made: {source}. Check the folder, or leave the log alone with --no-log", path.display())]
    Make {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database refuses.
    #[error("the conflict log {} cannot be used: {source}. Move it away, and a new one is begun, or leave it alone with --no-log", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A later version made it.
    #[error("the conflict log {} was made by a newer unstick. Update this one, or leave the log alone with --no-log", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// Other processes write to it, and it was not to be waited for any longer.
    #[error("the conflict log {} is being written by others; its last rows may be missing. Nothing else is affected", path.display())]
    Slow {
        /// The file.
        path: PathBuf,
    },
    /// This machine has no folder for it.
    #[error("there is no folder for the conflict log: no home folder is known. Set UNSTICK_DATA_DIR")]
    NoFolder,
}

/// Where the log lies: in `UNSTICK_DATA_DIR`, else in the platform's folder for data (`$XDG_DATA_HOME/unstick`).
pub fn default_path() -> Option<PathBuf> {
    Some(durable::data_folder()?.join(FILE))
}

/// The log, opened.
pub struct Local {
    path: PathBuf,
    connection: Connection,
}

impl Local {
    /// Opens the log at `path` and makes it, if it is not there.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let make = |source| LogError::Make { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            durable::private_folder(folder).map_err(make)?;
        }
        // SQLite gives its other files the mode of this one.
        durable::private().append(true).create(true).open(path).map_err(make)?;
        Self::existing(path)
    }

    /// Opens the log at `path`, which is there.
    pub fn existing(path: &Path) -> Result<Self, LogError> {
        let connect = || {
            let connection = Connection::open(path)?;
            connection.busy_timeout(BUSY)?;
            schema::prepare(&connection).map(|version| (connection, version))
        };
        let (connection, version) =
            connect().map_err(|source| LogError::Database { path: path.to_owned(), source })?;
        if version > schema::VERSION {
            return Err(LogError::Newer { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Adds rows, all or none of them. A row that is there already changes nothing. Answers how many were new.
    pub fn append(&mut self, events: &[Event]) -> Result<usize, LogError> {
        let appended = append(&mut self.connection, events);
        self.named(appended)
    }

    /// What the log comes to. `percent` is the share of the conflicts that an interval shall avoid.
    pub fn summary(&self, filter: &Filter, percent: u8) -> Result<Summary, LogError> {
        self.named(summary(&self.connection, filter, percent))
    }

    /// Hands every row to `take`, in the order in which they were added, until it fails.
    pub fn each<E>(
        &self,
        filter: &Filter,
        mut take: impl FnMut(Event) -> Result<(), E>,
    ) -> Result<Result<(), E>, LogError> {
        let sql = format!(
            "SELECT {} FROM event WHERE day >= ?1 AND (?2 IS NULL OR device = ?2) AND (server = ?3) = ?4 ORDER BY seq",
            COLUMNS.join(", ")
        );
        let mut run = || {
            let mut rows = self.connection.prepare(&sql)?;
            let mut rows = rows.query(params![since(filter), filter.device, DEMO, filter.demos])?;
            while let Some(row) = rows.next()? {
                if let Err(stopped) = take(Event::read(row)?) {
                    return Ok(Err(stopped));
                }
            }
            Ok(Ok(()))
        };
        let done = run();
        self.named(done)
    }

    /// The rows that were not sent to a team's log yet, oldest first and at most `limit`, each with its number.
    /// Demos are nobody else's business.
    pub fn unsent(&self, team: &str, limit: usize) -> Result<Vec<(i64, Event)>, LogError> {
        let sql = format!(
            "SELECT {}, seq FROM event WHERE seq > coalesce((SELECT seq FROM sent WHERE team = ?1), 0) \
             AND server <> ?2 ORDER BY seq LIMIT ?3",
            COLUMNS.join(", ")
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let run = || {
            let mut rows = self.connection.prepare(&sql)?;
            let rows = rows.query_map(params![team, DEMO, limit], |row| {
                Ok((row.get(COLUMNS.len())?, Event::read(row)?))
            })?;
            rows.collect()
        };
        self.named(run())
    }

    /// Remembers that all rows up to this one were sent to a team's log.
    pub fn sent(&mut self, team: &str, seq: i64) -> Result<(), LogError> {
        let sql = "INSERT INTO sent (team, seq) VALUES (?1, ?2) \
                   ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq), failed_at = NULL";
        let done = self.connection.execute(sql, params![team, seq]);
        self.named(done.map(drop))
    }

    /// Remembers that sending failed; `at` is in ms since 1970.
    pub fn failed(&mut self, team: &str, at: i64) -> Result<(), LogError> {
        let sql = "INSERT INTO sent (team, failed_at) VALUES (?1, ?2) \
                   ON CONFLICT DO UPDATE SET failed_at = excluded.failed_at";
        let done = self.connection.execute(sql, params![team, at]);
        self.named(done.map(drop))
    }

    /// When sending failed, unless it went well since.
    pub fn failed_at(&self, team: &str) -> Result<Option<i64>, LogError> {
        let sql = "SELECT failed_at FROM sent WHERE team = ?1";
        let found = self.connection.query_row(sql, [team], |row| row.get(0)).optional();
        self.named(found.map(Option::flatten))
    }

    fn named<T>(&self, result: rusqlite::Result<T>) -> Result<T, LogError> {
        result.map_err(|source| LogError::Database { path: self.path.clone(), source })
    }
}

fn append(connection: &mut Connection, events: &[Event]) -> rusqlite::Result<usize> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut added = 0;
    // By scope and day.
    let mut counts: BTreeMap<(String, i64), Counts> = BTreeMap::new();
    {
        let mut insert = transaction.prepare(&schema::insert())?;
        let mut first_seen = transaction.prepare("SELECT at FROM event WHERE id = ?1")?;
        for event in events {
            let mut event = event.clone();
            if event.what == What::Resolution {
                let seen: Option<i64> =
                    first_seen.query_row([&event.conflict], |row| row.get(0)).optional()?;
                event.took_ms = seen.map(|seen| event.at.saturating_sub(seen).max(0));
            }
            let day = event.day();
            let cells = event.cells();
            let values = std::iter::once(Cell::Number(day)).chain(cells);
            if insert.execute(rusqlite::params_from_iter(values))? == 0 {
                continue;
            }
            added += 1;
            for scope in scopes_of(&event) {
                counts.entry((scope, day)).or_default().count(&event);
            }
        }
        let mut tally = transaction.prepare(schema::TALLY)?;
        for ((scope, day), counts) in &counts {
            for (of, value, count) in counts.iter() {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                tally.execute(params![scope, of.word(), value, day, count])?;
            }
        }
    }
    transaction.commit()?;
    Ok(added)
}

/// What a question is asked of: all real devices, one of them, or the demos.
fn scopes_of(event: &Event) -> Vec<String> {
    if event.is_demo() {
        return vec![String::from(DEMO)];
    }
    vec![String::new(), device_scope(&event.device)]
}

fn device_scope(device: &str) -> String {
    format!("device {device}")
}

fn since(filter: &Filter) -> i64 {
    filter.since.unwrap_or(i64::MIN)
}

fn summary(connection: &Connection, filter: &Filter, percent: u8) -> rusqlite::Result<Summary> {
    let scope = match &filter.device {
        _ if filter.demos => String::from(DEMO),
        Some(device) => device_scope(device),
        None => String::new(),
    };
    let mut counts = Counts::default();
    let mut add = |sql: &str, of: Option<Of>| -> rusqlite::Result<()> {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query(params![scope, since(filter)])?;
        while let Some(row) = rows.next()? {
            let dimension: String = row.get(0)?;
            let value: String = row.get(1)?;
            let count = u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default();
            if let Some(of) = of.or_else(|| Of::from_word(&dimension)) {
                counts.add(of, &value, count);
            }
        }
        Ok(())
    };
    add(schema::SUMS, None)?;
    add(schema::DAYS, Some(Of::Day))?;
    let nth = |column: &str, what: What, at: Option<u64>| {
        let Some(at) = at else { return Ok(None) };
        let sql = schema::nth(column, what.word());
        let at = i64::try_from(at).unwrap_or(i64::MAX);
        let parameters = params![since(filter), filter.device, DEMO, filter.demos, at];
        connection.query_row(&sql, parameters, |row| row.get::<_, i64>(0)).optional()
    };
    let median = nth("took_ms", What::Resolution, median_at(counts.get(Of::Sum, "timed")))?;
    let interval = nth("gap_ms", What::Conflict, share_at(counts.gaps(), percent))?;
    Ok(Summary::new(&counts, median, interval.map(|every_ms| Advice { percent, every_ms })))
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Empty => ToSqlOutput::Owned(Value::Null),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Number(number) => ToSqlOutput::Owned(Value::Integer(*number)),
        })
    }
}

impl Get for Row<'_> {
    type Error = rusqlite::Error;

    fn text(&self, at: usize) -> rusqlite::Result<Option<String>> {
        self.get(at)
    }

    fn number(&self, at: usize) -> rusqlite::Result<Option<i64>> {
        self.get(at)
    }
}

#[cfg(test)]
mod tests;
