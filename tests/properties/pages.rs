//! Pages of a feed to which others write while it is read: where nothing is said to be missing, nothing is, and what
//! came is as new as the server's, in whatever order it lists its resources.

use std::collections::BTreeMap;

use proptest::prelude::*;
use unstick::domain::answer::{Page, ResponseHead, read_page};
use unstick::domain::json::Text;
use unstick::domain::mutation::Cursor;
use unstick::domain::window::{PullPath, assemble, none_missing};

/// Resources by number, each with the time of its last write, and in which order they are listed.
struct Server {
    notes: BTreeMap<u32, i64>,
    head: i64,
    order: Order,
}

#[derive(Clone, Copy, Debug)]
enum Order {
    OldestFirst,
    NewestFirst,
    ById,
}

impl Server {
    fn write(&mut self, note: u32) {
        self.head += 1;
        self.notes.insert(note, self.head);
    }

    fn page(&self, since: i64, number: usize, limit: usize) -> Page {
        let mut all: Vec<(u32, i64)> =
            self.notes.iter().map(|(note, at)| (*note, *at)).filter(|(_, at)| *at > since).collect();
        match self.order {
            Order::OldestFirst => all.sort_by_key(|(_, at)| *at),
            Order::NewestFirst => all.sort_by_key(|(_, at)| -at),
            Order::ById => {}
        }
        let from = ((number - 1) * limit).min(all.len());
        let to = (from + limit).min(all.len());
        let entries: Vec<String> = all[from..to]
            .iter()
            .map(|(note, at)| {
                format!(r#"{{"type":"UPDATE","resource":"NOTE","resourceId":"n{note}","data":{{}},"timestamp":{at}}}"#)
            })
            .collect();
        let body = format!(
            r#"{{"data":{{"lastMutationAt":{},"mutations":[{}],"total":{},"hasMore":{}}}}}"#,
            self.head,
            entries.join(","),
            all.len(),
            to < all.len()
        );
        read_page(&ResponseHead::ok(), &Text::new(body), 1).expect("a page")
    }
}

/// The pages read with writes between them, some of them once more, and what is new since the first: whether nothing
/// is said to be missing, and whether nothing is.
fn read(mut server: Server, limit: usize, writes: &[Vec<u32>], again: &[usize]) -> (bool, bool) {
    let mut pages: Vec<Page> = Vec::new();
    let mut writes = writes.iter();
    let mut page = |server: &mut Server, number: usize| {
        let page = server.page(0, number, limit);
        writes.next().into_iter().flatten().for_each(|note| server.write(*note));
        page
    };
    while pages.last().is_none_or(|last| last.has_more == Some(true)) {
        pages.push(page(&mut server, pages.len() + 1));
    }
    pages.extend(again.iter().map(|number| page(&mut server, *number)));
    let first = pages[0].head.value();
    let newer = vec![server.page(first, 1, usize::MAX / 2)];
    let said = none_missing(&pages, &newer);
    pages.extend(newer);
    let window = assemble(PullPath::SinceCursor, Cursor::ZERO, Cursor::read(server.head), pages);
    let came = window.mutations.iter().map(|m| {
        let id = m.resource_id.as_ref().expect("an id").as_str().trim_start_matches('n');
        (id.parse().expect("a number"), m.timestamp.0)
    });
    (said, came.collect::<BTreeMap<u32, i64>>() == server.notes)
}

fn server(notes: u32, order: Order) -> Server {
    let mut server = Server { notes: BTreeMap::new(), head: 0, order };
    (0..notes).for_each(|note| server.write(note));
    server
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn what_is_said_to_be_whole_is_whole(
        notes in 1..40_u32,
        limit in 1..12_usize,
        order in prop_oneof![Just(Order::OldestFirst), Just(Order::NewestFirst), Just(Order::ById)],
        writes in prop::collection::vec(prop::collection::vec(0..60_u32, 0..4), 0..12),
        again in prop::collection::vec(1..12_usize, 0..3),
    ) {
        let (said, whole) = read(server(notes, order), limit, &writes, &again);
        prop_assert!(whole || !said);
    }

    #[test]
    fn new_resources_at_the_end_never_spoil_a_pull(
        notes in 1..40_u32,
        limit in 1..12_usize,
        fresh in prop::collection::vec(0..4_u32, 0..12),
    ) {
        let mut next = 100;
        let writes: Vec<Vec<u32>> = fresh.iter().map(|count| {
            let from = next;
            next += count;
            (from..next).collect()
        }).collect();
        prop_assert_eq!(read(server(notes, Order::OldestFirst), limit, &writes, &[]), (true, true));
    }
}

#[test]
fn a_resource_that_slipped_to_a_page_already_read_is_missed_until_that_is_read_again() {
    // After the first page its first note is written again.
    assert_eq!(read(server(6, Order::OldestFirst), 2, &[vec![0]], &[]), (false, false));
    assert_eq!(read(server(6, Order::OldestFirst), 2, &[vec![0]], &[1]), (true, true));
    // On the last page nothing can slip away.
    assert_eq!(read(server(6, Order::OldestFirst), 2, &[vec![], vec![], vec![0]], &[]), (true, true));
}
