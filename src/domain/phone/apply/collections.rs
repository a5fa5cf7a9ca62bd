//! Collections: one of a name, one of the favourites, and the app's own, which stay as they are (PROTOCOL A10 S-A4 to
//! S-A6).

use super::table::{Row, RowAt, Table};
use super::{Incoming, Outcome};
use crate::domain::mutation::Op;
use crate::domain::phone::AbortId;

/// Takes over one collection of the server's.
pub fn take(table: &mut Table<String>, incoming: &Incoming<String>) -> Result<Outcome, AbortId> {
    let own = table.find(&incoming.id);
    if own.and_then(|at| table.row(at)).is_some_and(|row| row.pending().is_some()) {
        return Ok(Outcome::Waits);
    }
    let Some(name) = &incoming.key else { return Ok(remove(table, own)) };
    if let Some(own) = own {
        return rename(table, own, name, incoming);
    }
    if let Some(at) = replayed(table, name, incoming)? {
        // No other row has the id.
        return Ok(table
            .replay(at, &incoming.id, incoming.modified)
            .map_or(Outcome::Waits, |()| Outcome::Bound(at)));
    }
    if !table.with_key(name, |row| !row.deleted).is_empty() {
        return Ok(Outcome::NameTaken);
    }
    if incoming.default && has_default(table, None) {
        return Err(AbortId::A6);
    }
    let row = Row {
        default: incoming.default,
        system: incoming.system,
        ..Row::synced(incoming.id.clone(), name.clone(), incoming.modified)
    };
    Ok(table.add(row).map_or(Outcome::Waits, |_| Outcome::Taken))
}

fn remove(table: &mut Table<String>, own: Option<RowAt>) -> Outcome {
    let Some(at) = own else { return Outcome::Unknown };
    if table.row(at).is_some_and(|row| row.system || row.default) {
        return Outcome::Kept;
    }
    table.remove(at);
    Outcome::Taken
}

fn rename(
    table: &mut Table<String>,
    own: RowAt,
    name: &str,
    incoming: &Incoming<String>,
) -> Result<Outcome, AbortId> {
    if table.row(own).is_some_and(|row| row.system) {
        return Ok(Outcome::Kept);
    }
    // The index of the names knows active rows only, sent or not.
    if table.with_key(&name.to_owned(), |row| !row.deleted).iter().any(|at| *at != own) {
        return Err(AbortId::A5);
    }
    if incoming.default && has_default(table, Some(own)) {
        return Err(AbortId::A6);
    }
    table.change(own, |row| {
        name.clone_into(&mut row.key);
        row.modified = incoming.modified;
        row.default |= incoming.default;
    });
    Ok(Outcome::Taken)
}

/// The row that a creation is the echo of, or the favourites that wait for their id: a pull tells it.
fn replayed(
    table: &Table<String>,
    name: &String,
    incoming: &Incoming<String>,
) -> Result<Option<RowAt>, AbortId> {
    if incoming.default
        && let Some((at, _)) = table.defaults().find(|(_, row)| row.id.is_none())
    {
        return Ok(Some(at));
    }
    if incoming.op != Op::Create {
        return Ok(None);
    }
    match table.with_key(name, |row| row.id.is_none() && row.deleted)[..] {
        [only] => return Ok(Some(only)),
        [] => {}
        [..] => return Err(AbortId::A4),
    }
    Ok(match table.with_key(name, |row| row.id.is_none() && !row.deleted)[..] {
        [only] => Some(only),
        [] | [..] => None,
    })
}

fn has_default(table: &Table<String>, but: Option<RowAt>) -> bool {
    table.defaults().any(|(at, _)| Some(at) != but)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mutation::{Millis, ResourceId};

    fn incoming(op: Op, id: &str, name: &str) -> Incoming<String> {
        Incoming {
            op,
            id: ResourceId::from(id),
            key: Some(name.to_owned()),
            modified: Millis(9),
            default: false,
            system: false,
        }
    }

    #[test]
    fn the_favourites_are_one_collection() {
        let mut table = Table::default();
        let seed = Row { default: true, version: 0, ..Row::made(String::from("Favorites"), Millis(0)) };
        let at = table.add(seed).expect("a row");
        let favourites = Incoming { default: true, ..incoming(Op::Update, "c1", "المفضلة") };
        assert_eq!(take(&mut table, &favourites), Ok(Outcome::Bound(at)));
        let second = Incoming { default: true, ..incoming(Op::Create, "c2", "Other") };
        assert_eq!(take(&mut table, &second), Err(AbortId::A6));
        let same_name = Incoming { default: true, ..incoming(Op::Create, "c2", "Favorites") };
        assert_eq!(take(&mut table, &same_name), Ok(Outcome::NameTaken));
    }

    #[test]
    fn two_names_are_swapped_by_nobody() {
        let mut table = Table::default();
        for (id, name) in [("c1", "A"), ("c2", "B")] {
            table.add(Row::synced(ResourceId::from(id), name.to_owned(), Millis(0))).expect("a row");
        }
        assert_eq!(take(&mut table, &incoming(Op::Update, "c1", "B")), Err(AbortId::A5));
        assert_eq!(take(&mut table, &incoming(Op::Update, "c2", "C")), Ok(Outcome::Taken));
        assert_eq!(take(&mut table, &incoming(Op::Update, "c1", "B")), Ok(Outcome::Taken));
    }
}
