//! The window: the server's mutations since the device's cursor, all pages, plus the head.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use serde::Serialize;

use super::answer::Page;
use super::identity::{Facts, Place};
use super::mutation::{Cursor, Kind, ServerMutation};
use super::phone::{Feed, Refused};
use super::whole::Gap;
use super::words::count;

/// What the server holds that the device may not have seen.
#[derive(Clone, Debug)]
pub struct Window {
    /// Which pull this is; decides the words that a person reads.
    pub path: PullPath,
    /// `mutationsSince` of the pull.
    pub since: Cursor,
    /// The server's head: the same on the first and on the last page (PROTOCOL A5).
    pub head: Cursor,
    /// The mutations of all pages, sorted by timestamp, then bookmark, collection, link, rest (PROTOCOL D19).
    pub mutations: Vec<ServerMutation>,
    /// Entries of the feed that could not be understood. While there are any the cursor must not move.
    pub unreadable: Vec<Unreadable>,
    /// What the phone's own decoder makes of the feed, as far as that is something else.
    pub phone: Feed,
    /// Things about the answers that a person should know (a header that differs from the body, …).
    pub warnings: Vec<String>,
    /// The kinds that the token cannot see, where that is known: not visible is not the same as missing.
    pub not_visible: Vec<Kind>,
}

/// Why the window was pulled the way it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullPath {
    /// From the device's cursor: the usual one.
    SinceCursor,
    /// The account has no sync history: the head is -1 (PROTOCOL A5).
    FirstSync,
    /// The file holds no cursor: the head was asked for alone, then everything was pulled from 0.
    LostCursor,
    /// The device's cursor is ahead of the head: this server never gave it. Everything was pulled from 0.
    CursorAhead,
    /// The GET itself was refused as out of sync (PROTOCOL D18): everything was pulled from 0.
    RefusedSince,
}

/// An entry that could not be understood, by where it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// JSON pointer into the page, such as `/data/mutations/3/timestamp`.
    pub pointer: String,
    /// Page number, from 1.
    pub page: u32,
    /// What was found there, never the content.
    pub found: String,
    /// What was expected.
    pub expected: &'static str,
}

impl Window {
    /// The mutations as the phone reads them: in the window's order where they are the window's, in the feed's where
    /// the phone reads any of them in another way.
    pub fn as_phone(&self) -> &[ServerMutation] {
        self.phone.otherwise.as_ref().unwrap_or(&self.mutations)
    }

    /// Drops what `keep` does not want to stay, in both readings.
    pub fn retain(&mut self, keep: impl Fn(&ServerMutation) -> bool) {
        self.mutations.retain(&keep);
        self.phone.otherwise.iter_mut().for_each(|entries| entries.retain(&keep));
    }

    /// Adds what came later, under its head.
    pub fn extend(&mut self, newer: Self) {
        if newer.phone.otherwise.is_some() && self.phone.otherwise.is_none() {
            self.phone.otherwise = Some(self.mutations.clone());
        }
        if let Some(entries) = &mut self.phone.otherwise {
            entries.extend_from_slice(newer.as_phone());
        }
        self.phone.refused.extend(newer.phone.refused);
        self.mutations.extend(newer.mutations);
        self.unreadable.extend(newer.unreadable);
        self.warnings.extend(newer.warnings);
        self.head = newer.head;
    }

    /// Leaves no mutation in it, in neither reading.
    pub fn clear(&mut self) {
        self.mutations.clear();
        self.phone = Feed::default();
    }
}

impl PullPath {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SinceCursor, Self::FirstSync, Self::LostCursor, Self::CursorAhead, Self::RefusedSince];

    /// The word in reports and cases.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SinceCursor => "since-cursor",
            Self::FirstSync => "first-sync",
            Self::LostCursor => "lost-cursor",
            Self::CursorAhead => "cursor-ahead",
            Self::RefusedSince => "refused-since",
        }
    }

    /// Reads the word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|path| path.name() == name)
    }

    /// The path that cursor and head ask for. Whoever holds a cursor that the head has not reached got it from
    /// another server, account or time, and what was pulled since then says nothing.
    pub fn of(cursor: Option<Cursor>, head: Cursor) -> Self {
        match cursor {
            Some(cursor) if cursor > head && cursor > Cursor::ZERO => Self::CursorAhead,
            _ if head == Cursor::FIRST_SYNC => Self::FirstSync,
            Some(_) => Self::SinceCursor,
            None => Self::LostCursor,
        }
    }
}

/// A step of a pull, as it happens: what was asked, what came, and why the pull took the way it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullStep {
    /// The head was asked for alone (`metadataOnly=true`).
    AskedHead,
    /// The answer to that.
    Head(Cursor),
    /// A page was asked for.
    AskedPage {
        /// `mutationsSince`.
        since: Cursor,
        /// Its number, from 1.
        page: u32,
    },
    /// A page came.
    Page {
        /// Its number, from 1.
        page: u32,
        /// Mutations on it.
        mutations: usize,
        /// Entries on it that could not be understood.
        unreadable: usize,
        /// Mutations on all pages, where the server says it.
        total: Option<u64>,
        /// The head at that moment.
        head: Cursor,
        /// Whether another page follows.
        more: bool,
    },
    /// The head is not the one of the first page: everything is pulled again.
    HeadMoved {
        /// On the first page.
        first: Cursor,
        /// On this page.
        now: Cursor,
        /// How often it was pulled until now.
        tries: u32,
    },
    /// The head moved, and nothing is missing all the same: what was written since the first page came as well, and
    /// there are as many resources as the server counts.
    CaughtUp {
        /// On the first page.
        first: Cursor,
        /// By now.
        now: Cursor,
    },
    /// What came does not add up: everything is pulled again.
    NotWhole {
        /// What is missing.
        gap: Gap,
        /// How often it was pulled until now.
        tries: u32,
    },
    /// The head was the same on all pages.
    HeadStable(Cursor),
    /// A call went wrong in a way that may pass: it is made again after a pause.
    Waiting {
        /// For how long, ms.
        ms: u64,
        /// What went wrong.
        why: &'static str,
    },
    /// The pull takes another way than from the cursor.
    Path(PullPath),
}

impl fmt::Display for PullStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AskedHead => f.write_str("GET the head alone"),
            Self::Head(head) => write!(f, "the head is {head}"),
            Self::AskedPage { since, page } => write!(f, "GET mutations since {since}, page {page}"),
            Self::Page { page, mutations, unreadable, total, head, more } => {
                write!(f, "page {page}: {}", count(*mutations, "mutation"))?;
                if let Some(total) = total {
                    write!(f, " of {total}")?;
                }
                if *unreadable > 0 {
                    write!(f, ", {unreadable} unreadable")?;
                }
                write!(f, ", head {head}{}", if *more { ", more to come" } else { "" })
            }
            Self::HeadMoved { first, now, tries } => {
                write!(f, "the head moved from {first} to {now} during pull {tries}: pulling again")
            }
            Self::CaughtUp { first, now } => {
                write!(f, "the head moved from {first} to {now}, and everything came all the same")
            }
            Self::NotWhole { gap, tries } => write!(f, "pull {tries} is not whole: {gap}; pulling again"),
            Self::HeadStable(head) => write!(f, "the head stayed {head} on all pages"),
            Self::Waiting { ms, why } => write!(f, "{why}: asking again in {ms} ms"),
            Self::Path(path) => f.write_str(match path {
                PullPath::SinceCursor => "pulling since the device's cursor",
                PullPath::FirstSync => "the account has no sync history: this is its first sync",
                PullPath::LostCursor => "the device has no cursor: pulling everything from 0",
                PullPath::CursorAhead => {
                    "the device's cursor is ahead of the head, so this server never gave it: pulling everything from 0"
                }
                PullPath::RefusedSince => {
                    "the server refused the device's cursor as out of sync: pulling everything from 0"
                }
            }),
        }
    }
}

/// Puts the pages of one pull together. A resource that stands on several pages, because a write shifted them, is
/// kept once, in its newest state; the feed is a collapsed one (PROTOCOL A2).
pub fn assemble(path: PullPath, since: Cursor, head: Cursor, pages: Vec<Page>) -> Window {
    let mut window = Window {
        path,
        since,
        head,
        mutations: Vec::with_capacity(pages.iter().map(|page| page.mutations.len()).sum()),
        unreadable: Vec::new(),
        phone: Feed::NONE,
        warnings: Vec::new(),
        not_visible: Vec::new(),
    };
    let entries: usize = pages.iter().map(Page::entries).sum();
    let (total, more) = pages.last().map_or((None, None), |last| (last.total, last.has_more));
    let one_head = pages.iter().all(|page| page.head == head);
    let mut before = 0;
    for page in &pages {
        window.mutations.extend_from_slice(&page.mutations);
        window.unreadable.extend_from_slice(&page.unreadable);
        window.warnings.extend_from_slice(&page.warnings);
        window.phone.refused.extend(
            page.phone
                .refused
                .iter()
                .cloned()
                .map(|refused| Refused { at: refused.at.map(|at| at + before), ..refused }),
        );
        before += page.entries();
    }
    if more == Some(true) {
        window.warnings.push(String::from("the last page says that more follow: mutations are missing"));
    } else if total.is_some_and(|total| total > entries as u64) {
        let total = total.unwrap_or_default();
        window.warnings.push(format!(
            "the server speaks of {}, {entries} came",
            count(usize::try_from(total).unwrap_or(usize::MAX), "mutation")
        ));
    }
    let older = superseded(&window.mutations);
    window.phone.otherwise = phone_feed(&pages, &window.mutations, &older);
    drop(pages);
    let repeated = drop_older(&mut window.mutations, older);
    if repeated > 0 && one_head {
        // While the head moves that is in order: what is written again stands at the end once more.
        window.warnings.push(format!(
            "{} came more than once; the newest of each resource is kept",
            count(repeated, "mutation")
        ));
    }
    window.mutations.sort_by_key(|mutation| (mutation.timestamp, rank(&mutation.kind)));
    window
}

/// What the phone reads of the pages, where that is not what will stand in the window; `read` is what unstick reads, in
/// the order of the feed, and `older` says what of it a newer one replaces.
///
/// The phone takes the entries in the order in which they come, and all that an answer holds. What stands on several
/// pages is there once: one answer would not have held it twice.
fn phone_feed(pages: &[Page], read: &[ServerMutation], older: &[bool]) -> Option<Vec<ServerMutation>> {
    let one = pages.len() == 1;
    let mut all: Vec<ServerMutation> = if pages.iter().any(|page| page.phone.otherwise.is_some()) {
        let of_page = |page: &Page| page.phone.otherwise.clone().unwrap_or_else(|| page.mutations.clone());
        pages.iter().flat_map(of_page).collect()
    } else if !is_in_order(read) || (one && older.contains(&true)) {
        read.to_vec()
    } else {
        return None;
    };
    if !one {
        let older = superseded(&all);
        drop_older(&mut all, older);
    }
    Some(all)
}

/// Whether the mutations come in the order of a window.
fn is_in_order(mutations: &[ServerMutation]) -> bool {
    mutations.is_sorted_by_key(|mutation| (mutation.timestamp, rank(&mutation.kind)))
}

/// Whether nothing is missing although the head moved while `pages`, which are all of them, were read; `newer` is
/// everything since the first page's head, under one head of its own.
///
/// A write takes a resource away from where it stood and shifts those behind it, so that one may stand on a page that
/// was read already (PROTOCOL A5). But no resource ever leaves the feed: where as many came as the last page counts,
/// none is missing, in whatever order the server lists them, and what is old of them is in `newer` as it is now.
pub fn none_missing(pages: &[Page], newer: &[Page]) -> bool {
    let Some((Some(total), head)) = pages.last().map(|last| (last.total, last.head)) else { return false };
    let mut names: HashSet<Name<'_>> = HashSet::new();
    // Of those that are on none of the pages, only the ones that were there by then are counted.
    let counted = newer.iter().flat_map(|page| &page.mutations).filter(|m| m.timestamp.0 <= head.value());
    for mutation in pages.iter().flat_map(|page| &page.mutations).chain(counted) {
        match Name::of(mutation) {
            // A link that is named by its place may be named by its bookmark elsewhere and count twice.
            None | Some(Name::Link(_, Err(_))) => return false,
            Some(name) => names.insert(name),
        };
    }
    let all = || pages.iter().chain(newer);
    let forward = all().is_sorted_by_key(|page| page.head);
    forward && all().all(|page| page.unreadable.is_empty()) && names.len() as u64 == total
}

/// Positions of the pages that a resource slipped to after they were read, as far as it can be told: what stood on one
/// of them or before it was written again before the next one was read, and all that stood behind it moved up.
pub fn slipped(pages: &[Page], newer: &[Page]) -> BTreeSet<usize> {
    let newer = newer.iter().flat_map(|page| &page.mutations);
    let written: HashMap<Name<'_>, i64> = newer.filter_map(|m| Some((Name::of(m)?, m.timestamp.0))).collect();
    let mut slipped = BTreeSet::new();
    for (at, page) in pages.iter().enumerate() {
        for again in page.mutations.iter().filter_map(|m| written.get(&Name::of(m)?)) {
            let before = |pair: &[Page]| (pair[0].head.value()..pair[1].head.value()).contains(&(again - 1));
            slipped.extend(pages[at..].windows(2).position(before).map(|later| at + later));
        }
    }
    slipped
}

/// The order of the feed among mutations of one moment (PROTOCOL D19).
const fn rank(kind: &Kind) -> u8 {
    match kind {
        Kind::Bookmark => 0,
        Kind::Collection => 1,
        Kind::Link => 2,
        Kind::Note | Kind::ReadingSession | Kind::Other(_) => 3,
    }
}

/// Which mutations are not the newest of their resource; of two of one moment the later one is.
fn superseded(mutations: &[ServerMutation]) -> Vec<bool> {
    let mut newest: HashMap<Name, usize> = HashMap::with_capacity(mutations.len());
    let mut older = vec![false; mutations.len()];
    for (at, mutation) in mutations.iter().enumerate() {
        let Some(name) = Name::of(mutation) else { continue };
        match newest.entry(name) {
            Entry::Vacant(place) => {
                place.insert(at);
            }
            Entry::Occupied(mut place) => {
                let other = *place.get();
                if mutation.timestamp < mutations[other].timestamp {
                    older[at] = true;
                } else {
                    older[other] = true;
                    place.insert(at);
                }
            }
        }
    }
    older
}

/// Drops what is older, and says how many it dropped.
fn drop_older(mutations: &mut Vec<ServerMutation>, older: Vec<bool>) -> usize {
    let before = mutations.len();
    let mut older = older.into_iter();
    mutations.retain(|_| !older.next().unwrap_or(false));
    before - mutations.len()
}

/// What a resource is called in the feed.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Name<'a> {
    Id(&'a Kind, &'a str),
    /// A link without an id: its collection, and its bookmark or, where that is not said, its place.
    Link(Cow<'a, str>, Result<Cow<'a, str>, Place>),
}

impl<'a> Name<'a> {
    /// The name; `None` where a mutation tells nothing that could be compared.
    pub(super) fn of(mutation: &'a ServerMutation) -> Option<Self> {
        if let Some(id) = &mutation.resource_id {
            return Some(Self::Id(&mutation.kind, id.as_str()));
        }
        if mutation.kind != Kind::Link {
            return None;
        }
        let facts = Facts::of(&Kind::Link, &mutation.data, false);
        let end = facts.bookmark.map(Ok).or_else(|| facts.place.map(Err))?;
        Some(Self::Link(facts.collection?, end))
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::{ResponseHead, read_page};
    use super::super::json::Text;
    use super::*;

    fn page(number: u32, facts: &str, mutations: &str) -> Page {
        let body = format!(r#"{{"data":{{"lastMutationAt":9,"mutations":[{mutations}]{facts}}}}}"#);
        read_page(&ResponseHead::ok(), &Text::new(body), number).expect("a page")
    }

    fn together(pages: Vec<Page>) -> Window {
        assemble(PullPath::SinceCursor, Cursor::read(1), Cursor::read(9), pages)
    }

    /// A page under a head of its own.
    fn under(head: i64, notes: &[(&str, i64)]) -> Page {
        let notes: Vec<String> = notes.iter().map(|(id, at)| note(id, *at)).collect();
        let body =
            format!(r#"{{"data":{{"lastMutationAt":{head},"mutations":[{}],"total":6}}}}"#, notes.join(","));
        read_page(&ResponseHead::ok(), &Text::new(body), 1).expect("a page")
    }

    #[test]
    fn the_page_that_something_slipped_to_is_the_last_one_before_it_was_written_again() {
        let pages = [
            under(20, &[("a", 1), ("b", 2)]),
            under(20, &[("c", 3), ("d", 4)]),
            under(25, &[("f", 6), ("g", 7)]),
            under(30, &[("h", 8), ("i", 25)]),
        ];
        let slipped =
            |newer: &[(&str, i64)]| slipped(&pages, &[under(40, newer)]).into_iter().collect::<Vec<_>>();
        assert_eq!(slipped(&[("a", 25)]), [1], "before the third page was read");
        assert_eq!(slipped(&[("c", 26)]), [2]);
        assert_eq!(slipped(&[("a", 23), ("b", 30)]), [1, 2]);
        assert_eq!(slipped(&[("x", 23)]), [0; 0], "what is new moves nothing");
        assert_eq!(slipped(&[("a", 31)]), [0; 0], "all pages were read by then");
    }

    fn note(id: &str, at: i64) -> String {
        format!(r#"{{"type":"UPDATE","resource":"NOTE","resourceId":"{id}","data":{{}},"timestamp":{at}}}"#)
    }

    fn link(data: &str, at: i64) -> String {
        format!(r#"{{"type":"CREATE","resource":"COLLECTION_BOOKMARK","data":{{{data}}},"timestamp":{at}}}"#)
    }

    #[test]
    fn mutations_are_in_the_order_of_time_and_then_of_dependence() {
        let bare =
            |kind: &str| format!(r#"{{"type":"DELETE","resource":"{kind}","resourceId":"x","timestamp":5}}"#);
        let kinds = ["NOTE", "COLLECTION_BOOKMARK", "COLLECTION", "BOOKMARK"].map(bare).join(",");
        let window = together(vec![page(1, "", &kinds), page(2, "", &note("first", 4))]);
        let order: Vec<_> = window.mutations.iter().map(|m| m.kind.wire()).collect();
        assert_eq!(order, ["NOTE", "BOOKMARK", "COLLECTION", "COLLECTION_BOOKMARK", "NOTE"]);
    }

    #[test]
    fn a_resource_on_two_pages_is_kept_in_its_newest_state() {
        let shifted = [note("n1", 5), note("n2", 6)].join(",");
        let again = [note("n1", 8), link(r#""collectionId":"c","bookmarkId":"b""#, 3)].join(",");
        let third = [
            link(r#""bookmark_id":"b","collectionId":"c""#, 4),
            link(r#""collectionId":"c","key":2,"verseNumber":5,"type":"ayah""#, 4),
            link("", 4),
            link("", 4),
        ];
        let window =
            together(vec![page(1, "", &shifted), page(2, "", &again), page(3, "", &third.join(","))]);
        let times: Vec<_> = window.mutations.iter().map(|m| m.timestamp.0).collect();
        assert_eq!(times, [4, 4, 4, 4, 6, 8]);
        assert_eq!(window.warnings, ["2 mutations came more than once; the newest of each resource is kept"]);
    }

    #[test]
    fn page_boundaries_change_nothing() {
        let notes: Vec<_> = (0..6).map(|n| note(&format!("n{n}"), 20 - n)).collect();
        let ids = |window: &Window| {
            window.mutations.iter().filter_map(|m| m.resource_id.clone()).collect::<Vec<_>>()
        };
        let one = ids(&together(vec![page(1, "", &notes.join(","))]));
        for at in 0..=6 {
            let (first, second) = notes.split_at(at);
            let two = together(vec![page(1, "", &first.join(",")), page(2, "", &second.join(","))]);
            assert_eq!(ids(&two), one, "{at}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let warnings = |facts: &str| together(vec![page(1, facts, &note("n", 1))]).warnings;
        assert!(warnings(r#","total":1,"hasMore":false"#).is_empty());
        assert_eq!(warnings(r#","total":3"#), ["the server speaks of 3 mutations, 1 came"]);
        assert_eq!(
            warnings(r#","hasMore":true"#),
            ["the last page says that more follow: mutations are missing"]
        );
        let window = together(vec![page(1, "", "7"), page(2, "", "8")]);
        assert_eq!(window.unreadable.iter().map(|entry| entry.page).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn the_path_follows_from_cursor_and_head() {
        let of = |cursor: Option<i64>, head| PullPath::of(cursor.map(Cursor::read), Cursor::read(head));
        assert_eq!(of(Some(5), 9), PullPath::SinceCursor);
        assert_eq!(of(Some(9), 9), PullPath::SinceCursor);
        assert_eq!(of(Some(10), 9), PullPath::CursorAhead);
        assert_eq!(of(Some(10), -1), PullPath::CursorAhead);
        assert_eq!(of(Some(0), -1), PullPath::FirstSync);
        assert_eq!(of(Some(-1), -1), PullPath::FirstSync);
        assert_eq!(of(None, -1), PullPath::FirstSync);
        assert_eq!(of(None, 9), PullPath::LostCursor);
    }
}
