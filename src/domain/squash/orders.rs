//! What every order of up to four creations, changes and deletions of one resource means.

use super::*;
use crate::domain::json::Text;
use crate::domain::mutation::Kind;

/// The resource has the server's id `n1` before the first entry, unless the queue makes it.
fn queue(kind: &Kind, order: &str) -> Vec<Queued> {
    let mut id = (!order.starts_with('C')).then(|| String::from("n1"));
    let entries = order.chars().enumerate().map(|(at, letter)| {
        let op = match letter {
            'C' => Op::Create,
            'U' => Op::Update,
            _ => Op::Delete,
        };
        let name = format!("q{at}");
        let resource_id = id.clone().filter(|_| at > 0 || op != Op::Create);
        id = id.take().or_else(|| Some(name.clone()));
        let data = if op == Op::Delete {
            Payload::ABSENT
        } else {
            Payload::new(Text::new(format!(r#"{{"v{at}":{at}}}"#)))
        };
        Queued {
            id: name.as_str().into(),
            op,
            kind: kind.clone(),
            resource_id: resource_id.map(Into::into),
            data,
            base: Payload::ABSENT,
            created_at: None,
            retry_count: 0,
            last_error: None,
        }
    });
    entries.collect()
}

/// `U n1 {"v0":0}`, `D n1 + C {"v2":2}`, `nothing`; `?` before what a person is asked.
fn meaning(kind: &Kind, order: &str) -> String {
    let queue = queue(kind, order);
    let positions: Vec<usize> = (0..queue.len()).collect();
    let squashed = squash(&queue, &positions);
    let intents = squashed.intents.iter().map(|intent| {
        let letter = &intent.op.wire()[..1];
        let id = intent.resource_id.as_ref().map_or_else(String::new, |id| format!(" {id}"));
        let data = intent.data.as_str().map_or_else(String::new, |data| format!(" {data}"));
        format!("{letter}{id}{data}")
    });
    let intents: Vec<String> = intents.collect();
    let intents = if intents.is_empty() { String::from("nothing") } else { intents.join(" + ") };
    match squashed.contradiction {
        None => intents,
        Some(Contradiction::ChangedAfterDeletion) => format!("?deleted {intents}"),
        Some(Contradiction::CreatedWhileThere) => format!("?there {intents}"),
    }
}

/// Every order of up to `longest` letters.
fn orders(longest: usize) -> Vec<String> {
    let mut all: Vec<String> = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..longest {
        last =
            last.iter().flat_map(|order| ["C", "U", "D"].map(|letter| format!("{order}{letter}"))).collect();
        all.extend(last.clone());
    }
    all.split_off(1)
}

#[test]
fn every_order_of_up_to_four_entries_has_one_meaning() {
    let table: Vec<String> =
        orders(4).iter().map(|order| format!("{order:4} = {}", meaning(&Kind::Note, order))).collect();
    insta::assert_snapshot!(table.join("\n"));
}

/// The same, told by a reader who goes through the entries with a pencil: does it exist, and does the server know it?
#[test]
fn the_table_is_what_a_reader_with_a_pencil_finds() {
    for kind in [Kind::Note, Kind::Collection, Kind::Bookmark, Kind::ReadingSession, Kind::Other("X".into())]
    {
        for order in orders(4) {
            let on_server = !order.starts_with('C');
            let mut there = on_server;
            let (mut deleted, mut asks) = (false, false);
            // Whether what is there, or was there last, was made after a deletion.
            let mut anew = false;
            for letter in order.chars() {
                match letter {
                    'C' => {
                        asks |= there && kind != Kind::Bookmark;
                        anew |= !there && deleted;
                        there = true;
                    }
                    'U' => {
                        asks |= !there;
                        // The deletion does not count, of what was made anew or of what was there first.
                        deleted &= there || anew;
                        there = true;
                    }
                    _ => {
                        // Whatever was meant before, it is gone now.
                        asks = false;
                        anew &= there;
                        deleted = on_server;
                        there = false;
                    }
                }
            }
            let found = meaning(&kind, &order);
            assert_eq!(found.starts_with('?'), asks, "{order} of {}: {found}", kind.wire());
            let ops = found.split_once(' ').map_or("", |(_, rest)| if asks { rest } else { &found });
            let ops: Vec<&str> = ops.split(" + ").map(|op| op.get(..1).unwrap_or("")).collect();
            let expected: &[&str] = match (there, on_server, deleted) {
                (true, true, true) => &["D", "C"],
                (true, true, false) => &["U"],
                (true, false, _) => &["C"],
                (false, true, _) => &["D"],
                (false, false, _) => &[""],
            };
            assert_eq!(ops, expected, "{order} of {}: {found}", kind.wire());
        }
    }
}
