//! Whether the pages of a pull are all of it. Counts, page numbers and names are compared: what the server says of
//! its feed and what it gave must add up, since an edit that nobody saw would be gone over by the push.

use std::collections::HashSet;
use std::fmt;

use super::answer::Page;
use super::mutation::{Cursor, Op, ServerMutation};
use super::window::Name;
use super::words::count;

/// What does not add up in the pages of one pull under one head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// A page came without `mutations`, or with null in their place, although the head is past the cursor.
    NoList {
        /// The page that was asked for.
        page: u32,
    },
    /// The answer says that it is another page than the one asked for.
    OtherPage {
        /// The page that was asked for.
        asked: u32,
        /// The one it says it is.
        said: u64,
    },
    /// An empty page says that more follow.
    Empty {
        /// The page that was asked for.
        page: u32,
    },
    /// A page is the same as the one before it.
    Repeats {
        /// The page that was asked for.
        page: u32,
    },
    /// The server counts more than it gave.
    Short {
        /// `total`, the highest that a page said.
        total: u64,
        /// How many different mutations came.
        came: u64,
    },
    /// The server does not count, and a page holds what stood on an earlier one: the pages were shifted under one
    /// head, so that others may stand on none.
    Overlap {
        /// The page that was asked for.
        page: u32,
        /// How many of its mutations came before.
        again: usize,
    },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoList { page } => write!(f, "page {page} came without its list of mutations"),
            Self::OtherPage { asked, said } => {
                write!(f, "page {asked} was asked for, and the answer says that it is page {said}")
            }
            Self::Empty { page } => {
                write!(f, "page {page} is empty, and the server says that more follow: they are missing")
            }
            Self::Repeats { page } => {
                write!(f, "page {page} is the same as the one before: what should stand on it is missing")
            }
            Self::Short { total, came } => {
                let counted = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX), "mutation");
                let (all, missing) = (counted(total), total.saturating_sub(came));
                let verb = if missing == 1 { "is" } else { "are" };
                write!(f, "the server counts {all}, and {came} came: {missing} {verb} missing")
            }
            Self::Overlap { page, again } => write!(
                f,
                "{} of page {page} came on an earlier page already: the pages shifted, and others may be missing",
                count(again, "mutation")
            ),
        }
    }
}

/// What is wrong with the page that was asked for as `number` of the mutations since `since`, with what came before
/// it; `None` where more can be asked for after it, or nothing need be.
pub fn torn(before: &[Page], page: &Page, number: u32, since: Cursor) -> Option<Gap> {
    if let Some(said) = page.page.filter(|said| *said != u64::from(number)) {
        return Some(Gap::OtherPage { asked: number, said });
    }
    // Nothing is newer than the cursor where the head is not: a server may leave an empty list out.
    if !page.listed && page.head > since {
        return Some(Gap::NoList { page: number });
    }
    if page.entries() == 0 && page.has_more == Some(true) {
        return Some(Gap::Empty { page: number });
    }
    if before.last().is_some_and(|last| same_mutations(last, page)) {
        // What the server counts says more than that a page came twice.
        return gap(before).or(Some(Gap::Repeats { page: number }));
    }
    None
}

/// What is missing of the pages of one pull, all of one head and none [`torn`]; `None` where they add up.
pub fn gap(pages: &[Page]) -> Option<Gap> {
    let mut seen: HashSet<(Name<'_>, i64, &Op)> = HashSet::new();
    let (mut came, mut overlap) = (0_u64, None);
    for (number, page) in (1..).zip(pages) {
        let mut again = 0;
        for mutation in &page.mutations {
            // One write has one place in the feed; what has no name is counted as it comes.
            let new =
                Name::of(mutation).is_none_or(|name| seen.insert((name, mutation.timestamp.0, &mutation.op)));
            if new { came += 1 } else { again += 1 }
        }
        came += page.unreadable.len() as u64;
        if again > 0 && number > 1 && overlap.is_none() {
            overlap = Some(Gap::Overlap { page: number, again });
        }
    }
    match pages.iter().filter_map(|page| page.total).max() {
        Some(total) => (total > came).then_some(Gap::Short { total, came }),
        None => overlap,
    }
}

/// Whether a server that does not know `page` gave the same page again.
fn same_mutations(a: &Page, b: &Page) -> bool {
    let same = |(a, b): (&ServerMutation, &ServerMutation)| {
        a.timestamp == b.timestamp
            && a.resource_id == b.resource_id
            && a.op == b.op
            && a.kind == b.kind
            && a.data == b.data
    };
    !a.mutations.is_empty()
        && a.mutations.len() == b.mutations.len()
        && a.mutations.iter().zip(&b.mutations).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::{ResponseHead, read_page};
    use crate::domain::json::Text;

    fn read(data: &str) -> Page {
        read_page(&ResponseHead::ok(), &Text::new(format!(r#"{{"data":{{{data}}}}}"#)), 1).expect("a page")
    }

    /// A page with a note for each of `ids`, written at its own number, and one without an id for each 0.
    fn page(ids: &[i64], facts: &str) -> Page {
        let note = |id: &i64| match id {
            0 => String::from(r#"{"type":"DELETE","resource":"NOTE","timestamp":1}"#),
            id => format!(
                r#"{{"type":"UPDATE","resource":"NOTE","resourceId":"n{id}","data":{{}},"timestamp":{id}}}"#
            ),
        };
        let notes = ids.iter().map(note).collect::<Vec<_>>().join(",");
        read(&format!(r#""lastMutationAt":9,"mutations":[{notes}]{facts}"#))
    }

    #[test]
    fn a_page_that_contradicts_itself_is_seen() {
        let torn = |page: &Page, number, since| torn(&[], page, number, Cursor::read(since));
        assert_eq!(torn(&page(&[3], r#","page":2"#), 1, 1), Some(Gap::OtherPage { asked: 1, said: 2 }));
        assert_eq!(torn(&page(&[3], r#","page":2"#), 2, 1), None);
        assert_eq!(torn(&page(&[], r#","hasMore":true"#), 2, 1), Some(Gap::Empty { page: 2 }));
        assert_eq!(torn(&page(&[], r#","hasMore":false"#), 2, 1), None);
        for list in ["", r#","mutations":null"#] {
            let page = read(&format!(r#""lastMutationAt":9{list}"#));
            assert_eq!(torn(&page, 1, 8), Some(Gap::NoList { page: 1 }));
            assert_eq!(torn(&page, 1, 9), None, "nothing is newer than the cursor");
        }
        assert_eq!(torn(&read(r#""lastMutationAt":-1"#), 1, 0), None);
    }

    #[test]
    fn a_repeated_page_is_seen_and_an_empty_one_is_not_one() {
        let repeats = |a: Page, b: Page| torn(&[a], &b, 2, Cursor::ZERO).is_some();
        assert!(repeats(page(&[3, 4], ""), page(&[3, 4], r#","page":2"#)));
        assert!(!repeats(page(&[3, 4], ""), page(&[3, 5], "")));
        assert!(!repeats(page(&[], ""), page(&[], "")));
    }

    #[test]
    fn what_the_server_counts_has_come_each_once() {
        let gap = |pages: &[Page]| gap(pages);
        for (pages, short) in [
            (vec![page(&[3], r#","total":2"#)], Some((2, 1))),
            (vec![page(&[], r#","total":1"#)], Some((1, 0))),
            (vec![page(&[3], r#","total":1"#)], None),
            (vec![page(&[3, 4], r#","total":1"#)], None),
            // What has no name is counted as it comes.
            (vec![page(&[0, 0], r#","total":2"#)], None),
            (vec![page(&[3], r#","total":3"#), page(&[4], "")], Some((3, 2))),
            (vec![page(&[3], r#","total":2"#), page(&[4], r#","total":3"#)], Some((3, 2))),
            // As many rows as the server counts, but one of them twice.
            (vec![page(&[3, 4], r#","total":4"#), page(&[4, 5], r#","total":4"#)], Some((4, 3))),
        ] {
            let short = short.map(|(total, came)| Gap::Short { total, came });
            assert_eq!(gap(&pages), short, "{pages:?}");
        }
        let overlap = Gap::Overlap { page: 2, again: 1 };
        assert_eq!(gap(&[page(&[3, 4], ""), page(&[4, 5], "")]), Some(overlap));
    }

    #[test]
    fn an_entry_that_cannot_be_read_has_come() {
        let page = read(r#""lastMutationAt":9,"total":2,"mutations":[7,{"type":"CREATE"}]"#);
        assert_eq!(gap(&[page]), None);
    }
}
