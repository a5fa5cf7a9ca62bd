//! Notes: no index holds them apart, so nothing aborts; what is lost is lost without a word (PROTOCOL A10).

use super::table::{Row, Table};
use super::{Content, Incoming, Outcome};
use crate::domain::mutation::Op;

/// Takes over one note of the server's.
pub fn take(table: &mut Table<Content>, incoming: &Incoming<Content>) -> Outcome {
    let own = table.find(&incoming.id);
    if own.and_then(|at| table.row(at)).is_some_and(|row| row.pending().is_some()) {
        return Outcome::Waits;
    }
    let Some(content) = &incoming.key else {
        return own.map_or(Outcome::Unknown, |at| {
            table.remove(at);
            Outcome::Taken
        });
    };
    if let Some(at) = own {
        table.change(at, |row| (row.key, row.modified) = (content.clone(), incoming.modified));
        return Outcome::Taken;
    }
    // The echo of a creation, where only one row may have asked for it, deleted or not.
    if incoming.op == Op::Create
        && let [only] = table.with_key(content, |row| row.id.is_none())[..]
        && table.replay(only, &incoming.id, incoming.modified).is_ok()
    {
        return Outcome::Bound(only);
    }
    let row = Row::synced(incoming.id.clone(), content.clone(), incoming.modified);
    table.add(row).map_or(Outcome::Waits, |_| Outcome::Taken)
}
