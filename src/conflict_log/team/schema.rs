//! The tables of the team's log, and how they come to be.

use super::{Team, TeamError};
use crate::conflict_log::event::COLUMNS;

/// Each makes the next version out of the one before it.
const MIGRATIONS: [&str; 1] = ["
CREATE TABLE unstick_event (
    id text PRIMARY KEY,
    at bigint NOT NULL,
    what text NOT NULL,
    device text NOT NULL,
    server text NOT NULL,
    conflict text,
    kind text,
    shape text,
    resource text,
    causes text,
    fields bigint,
    gap_ms bigint,
    choice text,
    strategy text,
    outcome text,
    queued bigint,
    \"window\" bigint,
    diverged bigint,
    caught bigint,
    posts bigint,
    refused bigint,
    sent bigint,
    held bigint,
    quarantined bigint,
    lost bigint,
    took_ms bigint
);
CREATE INDEX unstick_event_at ON unstick_event (what, at);
CREATE INDEX unstick_event_device ON unstick_event (device, at);
CREATE INDEX unstick_event_gap ON unstick_event (gap_ms) WHERE what = 'conflict';
"];

/// Whoever makes or changes the tables holds this lock of the server, so that thirty first starts make them once.
const LOCK: i64 = 0x0075_6e73_7469_636b; // "unstick"

/// Makes the tables as this program needs them. Somebody who may not make tables can use those that are there.
pub(super) async fn prepare(team: &mut Team) -> Result<(), TeamError> {
    let version = version(team).await?;
    if version == MIGRATIONS.len() {
        return Ok(());
    }
    let prepared = migrate(team).await.map_err(|error| team.refused(&error))?;
    if prepared > MIGRATIONS.len() {
        return Err(TeamError::Newer { name: team.name.clone() });
    }
    Ok(())
}

async fn version(team: &Team) -> Result<usize, TeamError> {
    let there = team.client.query_one("SELECT to_regclass('unstick_log') IS NOT NULL", &[]).await;
    let there: bool = there.and_then(|row| row.try_get(0)).map_err(|error| team.refused(&error))?;
    if !there {
        return Ok(0);
    }
    let version = team.client.query_one("SELECT coalesce(max(version), 0) FROM unstick_log", &[]).await;
    let version: i64 = version.and_then(|row| row.try_get(0)).map_err(|error| team.refused(&error))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

/// Answers the version that is there afterwards.
async fn migrate(team: &mut Team) -> Result<usize, tokio_postgres::Error> {
    let transaction = team.client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    transaction.batch_execute("CREATE TABLE IF NOT EXISTS unstick_log (version bigint NOT NULL)").await?;
    let row = transaction.query_one("SELECT coalesce(max(version), 0) FROM unstick_log", &[]).await?;
    let there = usize::try_from(row.try_get::<_, i64>(0)?).unwrap_or(usize::MAX);
    for (at, migration) in MIGRATIONS.iter().enumerate().skip(there) {
        transaction.batch_execute(migration).await?;
        let version = i64::try_from(at + 1).unwrap_or(i64::MAX);
        transaction.execute("INSERT INTO unstick_log (version) VALUES ($1)", &[&version]).await?;
    }
    transaction.commit().await?;
    Ok(there.max(MIGRATIONS.len()))
}

/// The columns, quoted: one of them is a word of the language.
pub(super) fn columns() -> String {
    COLUMNS.map(|column| format!("\"{column}\"")).join(", ")
}

/// Adds the rows of a JSON array. They are taken in the order of their ids, so that two who add the same rows wait
/// for each other instead of blocking each other.
pub(super) fn insert() -> String {
    format!(
        "INSERT INTO unstick_event ({columns}) \
         SELECT {columns} FROM json_populate_recordset(NULL::unstick_event, $1::text::json) ORDER BY id \
         ON CONFLICT (id) DO UPDATE SET at = excluded.at WHERE excluded.at < unstick_event.at",
        columns = columns()
    )
}
