//! Questions to the team's log. The server counts; no more than the counts come over the wire.

use futures_util::TryStreamExt as _;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Team, TeamError, schema};
use crate::conflict_log::event::{COLUMNS, Event, Get, What};
use crate::conflict_log::summary::{Advice, Counts, Filter, INTERVALS, Of, Summary, share_at};

const DAY_MS: i64 = 86_400_000;

/// Conflicts by everything at once, in one pass.
const CONFLICTS: &str = "
SELECT CASE
        WHEN grouping(day) = 0 THEN 'day'
        WHEN grouping(device) = 0 THEN 'device'
        WHEN grouping(kind) = 0 THEN 'kind'
        WHEN grouping(shape) = 0 THEN 'shape'
        WHEN grouping(causes) = 0 THEN 'cause'
        ELSE 'gap'
    END,
    coalesce(day::text, device, kind, shape, causes, gap::text),
    count(*)
FROM (
    SELECT floor(at / 86400000.0)::bigint AS day, device, kind, shape, causes,
        width_bucket(gap_ms, $3::bigint[]) AS gap
    FROM unstick_event
    WHERE what = 'conflict' AND at >= $1 AND ($2::text IS NULL OR device = $2)
) AS conflict
GROUP BY GROUPING SETS ((day), (device), (kind), (shape), (causes), (gap))";

const RESOLUTIONS: &str = "
SELECT CASE WHEN grouping(choice) = 0 THEN 'choice' ELSE 'strategy' END, coalesce(choice, strategy), count(*)
FROM unstick_event
WHERE what = 'resolution' AND at >= $1 AND ($2::text IS NULL OR device = $2)
GROUP BY GROUPING SETS ((choice), (strategy))";

const TOTALS: &str = "
SELECT what, count(*), coalesce(sum(caught), 0)::bigint, coalesce(sum(posts), 0)::bigint,
    coalesce(sum(refused), 0)::bigint
FROM unstick_event
WHERE at >= $1 AND ($2::text IS NULL OR device = $2)
GROUP BY what";

/// The conflict may have been seen first by somebody else than the one who settled it, so the two rows are joined.
const MEDIAN: &str = "
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY greatest(resolution.at - conflict.at, 0))
FROM unstick_event AS resolution
JOIN unstick_event AS conflict ON conflict.id = resolution.conflict
WHERE resolution.what = 'resolution' AND resolution.at >= $1 AND ($2::text IS NULL OR resolution.device = $2)";

const GAP: &str = "
SELECT gap_ms FROM unstick_event
WHERE what = 'conflict' AND gap_ms IS NOT NULL AND at >= $1 AND ($2::text IS NULL OR device = $2)
ORDER BY gap_ms LIMIT 1 OFFSET $3";

impl Team {
    /// What the log comes to; see [`Local::summary`](crate::conflict_log::local::Local::summary).
    pub async fn summary(&self, filter: &Filter, percent: u8) -> Result<Summary, TeamError> {
        self.ask(filter, percent).await.map_err(|error| self.refused(&error))
    }

    async fn ask(&self, filter: &Filter, percent: u8) -> Result<Summary, tokio_postgres::Error> {
        let (since, device) = (since(filter), filter.device.as_deref());
        let mut counts = Counts::default();
        let classes: &[i64] = &INTERVALS;
        for row in self.client.query(CONFLICTS, &[&since, &device, &classes]).await? {
            add(&mut counts, &row)?;
        }
        for row in self.client.query(RESOLUTIONS, &[&since, &device]).await? {
            add(&mut counts, &row)?;
        }
        for row in self.client.query(TOTALS, &[&since, &device]).await? {
            let word: String = row.try_get(0)?;
            if let Some(what) = What::from_word(&word) {
                counts.add(Of::What, what.word(), number(&row, 1)?);
            }
            for (at, name) in [(2, "caught"), (3, "posts"), (4, "refused")] {
                counts.add(Of::Sum, name, number(&row, at)?);
            }
        }
        let median = self.client.query_one(MEDIAN, &[&since, &device]).await?.try_get(0)?;
        let interval = match share_at(counts.gaps(), percent) {
            None => None,
            Some(at) => {
                let at = i64::try_from(at).unwrap_or(i64::MAX);
                let row = self.client.query_opt(GAP, &[&since, &device, &at]).await?;
                row.map(|row| row.try_get::<_, i64>(0)).transpose()?
            }
        };
        Ok(Summary::new(&counts, median, interval.map(|every_ms| Advice { percent, every_ms })))
    }

    /// Hands every row to `take`, oldest first, until it fails.
    pub async fn each<E>(
        &self,
        filter: &Filter,
        mut take: impl FnMut(Event) -> Result<(), E>,
    ) -> Result<Result<(), E>, TeamError> {
        let sql = format!(
            "SELECT {} FROM unstick_event WHERE at >= $1 AND ($2::text IS NULL OR device = $2) ORDER BY at, id",
            schema::columns()
        );
        let (since, device) = (since(filter), filter.device.as_deref());
        let parameters: [&(dyn ToSql + Sync); 2] = [&since, &device];
        let rows = self.client.query_raw(&sql, parameters).await.map_err(|error| self.refused(&error))?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(|error| self.refused(&error))? {
            let event = Event::read(&row).map_err(|error| self.refused(&error))?;
            if let Err(stopped) = take(event) {
                return Ok(Err(stopped));
            }
        }
        Ok(Ok(()))
    }
}

/// The first moment of the first day, ms.
fn since(filter: &Filter) -> i64 {
    filter.since.map_or(i64::MIN, |day| day.saturating_mul(DAY_MS))
}

fn number(row: &Row, at: usize) -> Result<u64, tokio_postgres::Error> {
    Ok(u64::try_from(row.try_get::<_, i64>(at)?).unwrap_or_default())
}

fn add(counts: &mut Counts, row: &Row) -> Result<(), tokio_postgres::Error> {
    let of: String = row.try_get(0)?;
    let value: Option<String> = row.try_get(1)?;
    let count = number(row, 2)?;
    match (Of::from_word(&of), value) {
        // One conflict counts under each of its causes.
        (Some(Of::Cause), Some(causes)) => {
            causes.split(' ').filter(|cause| !cause.is_empty()).for_each(|c| counts.add(Of::Cause, c, count));
        }
        (Some(of), Some(value)) => counts.add(of, &value, count),
        // A conflict that does not tell it.
        (_, None) | (None, _) => {}
    }
    Ok(())
}

impl Get for Row {
    type Error = tokio_postgres::Error;

    fn text(&self, at: usize) -> Result<Option<String>, Self::Error> {
        self.try_get(COLUMNS[at])
    }

    fn number(&self, at: usize) -> Result<Option<i64>, Self::Error> {
        self.try_get(COLUMNS[at])
    }
}
