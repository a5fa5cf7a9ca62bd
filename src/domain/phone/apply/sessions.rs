//! Reading sessions: one at a place, twenty in all, and the traps of both (PROTOCOL A10 S-A1 to S-A3).

use super::table::{Row, RowAt, Table, Taken};
use super::{Incoming, Outcome};
use crate::domain::identity::Place;
use crate::domain::mutation::Op;
use crate::domain::phone::AbortId;

/// The newest that stay; all others the phone deletes, also what somebody read on the web.
pub const KEPT: usize = 20;

/// Takes over one session of the server's.
pub fn take(table: &mut Table<Place>, incoming: &Incoming<Place>) -> Result<Outcome, AbortId> {
    let own = table.find(&incoming.id);
    if own.and_then(|at| table.row(at)).is_some_and(|row| row.pending().is_some()) {
        return Ok(Outcome::Waits);
    }
    let Some(place) = incoming.key else {
        return Ok(own.map_or(Outcome::Unknown, |at| {
            table.remove(at);
            Outcome::Taken
        }));
    };
    let standing = table.with_key(&place, |row| !row.deleted).first().copied();
    if incoming.op == Op::Create
        && let Some(at) = replayed(table, place)?
    {
        let bound = table.replay(at, &incoming.id, incoming.modified);
        return bound.map(|()| Outcome::Bound(at)).map_err(|Taken| AbortId::A1);
    }
    if standing.and_then(|at| table.row(at)).is_some_and(|row| row.pending().is_some()) {
        return Ok(Outcome::PlaceTaken);
    }
    match (own, standing) {
        // The index of the places holds them apart.
        (Some(own), Some(other)) if own != other => Err(AbortId::A3),
        (Some(own), _) => {
            table.change(own, |row| (row.key, row.modified) = (place, incoming.modified));
            Ok(Outcome::Taken)
        }
        (None, Some(_)) => Ok(Outcome::PlaceTaken),
        (None, None) => {
            let row = Row::synced(incoming.id.clone(), place, incoming.modified);
            table.add(row).map(|_| Outcome::Taken).map_err(|Taken| AbortId::A1)
        }
    }
}

/// The row that a creation at `place` is the echo of: a tombstone that the server never acknowledged goes before the
/// session that the user opened again.
fn replayed(table: &Table<Place>, place: Place) -> Result<Option<RowAt>, AbortId> {
    match table.with_key(&place, |row| row.id.is_none() && row.deleted)[..] {
        [only] => return Ok(Some(only)),
        [] => {}
        [..] => return Err(AbortId::A2),
    }
    Ok(match table.with_key(&place, |row| row.id.is_none() && !row.deleted)[..] {
        [only] => Some(only),
        [] | [..] => None,
    })
}

/// Deletes all but the newest. Answers which; those with an id are deleted on the server too with the next sync.
pub fn retire(table: &mut Table<Place>) -> Vec<RowAt> {
    let mut active: Vec<(RowAt, i64)> =
        table.rows().filter(|(_, row)| !row.deleted).map(|(at, row)| (at, row.modified.0)).collect();
    active.sort_by_key(|(at, modified)| std::cmp::Reverse((*modified, *at)));
    let retired: Vec<RowAt> = active.into_iter().skip(KEPT).map(|(at, _)| at).collect();
    for at in &retired {
        table.change(*at, |row| {
            row.deleted = true;
            row.edited |= row.id.is_some();
        });
    }
    retired
}
