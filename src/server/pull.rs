//! Pulls the server's window: all pages since the device's cursor, under one head. Writes by others shift pages
//! and move the head, so a pull during which the head moved is thrown away and begun again (PROTOCOL A5), unless the
//! server counts its resources and none is missing. A call that goes wrong in a way that may pass is made again: a GET
//! changes nothing. What does not add up ([`crate::domain::whole`]) is pulled again and then refused, and the whole of it has
//! a deadline: a server that drips would hold a person for minutes.

use std::time::Duration;

use super::client::{Client, Failure, Lost};
use super::patience::jittered;
use super::wire::PAGE_LIMIT;
use crate::domain::answer::{Class, Garbage, Page};
use crate::domain::mutation::{Cursor, Millis};
use crate::domain::whole::{Gap, gap, torn};
use crate::domain::window::{PullPath, PullStep, Window, assemble, none_missing, slipped};
use crate::domain::words::count;

/// How often a pull is begun before the head is called restless.
const MAX_TRIES: u32 = 5;
/// How often a pull is begun before pages that do not add up are refused.
const MAX_GOES: u32 = 3;
/// How long to wait before a call is made again, ms, where the server does not say; as often as there are entries.
const PAUSES: [u64; 3] = [200, 500, 1250];
/// The longest wait that a server may ask for and get within a pull, ms.
const MAX_PAUSE: u64 = 10_000;
/// Bounds of one pull: a server that gives ever more pages is stopped here.
const MAX_PAGES: u32 = 2000;
const MAX_ENTRIES: usize = 1_000_000;
const MAX_BYTES: usize = 512 * 1024 * 1024;

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The head could not be had.
    #[error("GET of the head: {0}")]
    Head(Failure),
    /// A page could not be had.
    #[error("GET of page {page} since {since}: {failure}")]
    Page {
        /// `mutationsSince`.
        since: Cursor,
        /// The page's number, from 1.
        page: u32,
        /// Why.
        failure: Failure,
    },
    /// What came is not all there is.
    #[error("the pull is not whole, {tries} times in a row: {gap}")]
    NotWhole {
        /// What is missing.
        gap: Gap,
        /// How often it was pulled.
        tries: u32,
    },
    /// The time for the whole pull is over.
    #[error(
        "the pull was not done within {} s: {} with {} came", .limit.as_secs_f32(), count(*.pages, "page"), count(*.entries, "mutation")
    )]
    TooSlow {
        /// How long it may take.
        limit: Duration,
        /// Pages that came, of all goes.
        pages: usize,
        /// Mutations on them.
        entries: usize,
    },
    /// The server gives more than any account holds.
    #[error(
        "the server gave {pages} pages with {entries} mutations ({bytes} bytes) and says that more follow: the chain of pages has no end"
    )]
    Endless {
        /// Pages read.
        pages: usize,
        /// Entries on them.
        entries: usize,
        /// Their size.
        bytes: usize,
    },
    /// Somebody kept writing.
    #[error("the head moved during each of {tries} pulls, the last time from {first} to {now}")]
    Restless {
        /// How often it was pulled.
        tries: u32,
        /// The head of the first page of the last pull.
        first: Cursor,
        /// What it became.
        now: Cursor,
    },
}

impl PullError {
    /// The failure of the call, where one failed.
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Head(failure) | Self::Page { failure, .. } => Some(failure),
            Self::NotWhole { .. } | Self::TooSlow { .. } | Self::Endless { .. } | Self::Restless { .. } => {
                None
            }
        }
    }

    /// What to do next, one sentence.
    pub fn next_step(&self) -> String {
        let fixed = match self {
            Self::Head(failure) | Self::Page { failure, .. } => match failure {
                Failure::Refused(refusal) => match refusal.class {
                    // A pull sends no mutations, so that none of them can be what is wrong.
                    Class::Validation => {
                        "The server does not take what the pull asks for: check --server and the cursor in the device file, then give the request id to its operators. Nothing was sent."
                    }
                    Class::NotFound => {
                        "Check --server: what it names is not a sync server, or does not know this account. Nothing was sent."
                    }
                    Class::Rejected
                    | Class::BadRequest
                    | Class::Unauthorized
                    | Class::Forbidden
                    | Class::OutOfSync
                    | Class::ConflictOther
                    | Class::RateLimited
                    | Class::Server
                    | Class::Other => return refusal.next_step(),
                },
                Failure::NotSent(_) | Failure::Lost(_) => {
                    "A pull changes nothing: check the network and --server, then try again."
                }
            },
            Self::Endless { .. } => {
                "Check --server: this is not how the sync server answers; tell its operators."
            }
            Self::NotWhole { .. } => {
                "The device's cursor stays where it was, since edits that nobody saw would be lost: try again, and tell the server's operators if it stays so."
            }
            Self::TooSlow { .. } => {
                "A pull changes nothing: check the network, then try again with more time, as in --timeout 600."
            }
            Self::Restless { .. } => {
                "Another client is writing all the time: wait until it is done, then try again."
            }
        };
        fixed.to_owned()
    }
}

/// Pulls everything since the device's cursor; a device without one, with one that the head has not reached, or
/// with one that the server refuses, gets everything from 0. Each step is told as it happens.
pub async fn pull(
    client: &Client,
    cursor: Option<Cursor>,
    mut on_step: impl FnMut(PullStep),
) -> Result<Window, PullError> {
    let (limit, mut pages, mut entries) = (client.patience(), 0, 0);
    let told = |step| {
        if let PullStep::Page { mutations, unreadable, .. } = step {
            pages += 1;
            entries += mutations + unreadable;
        }
        on_step(step);
    };
    let mut pull = Pull { client, on_step: told };
    let pulled = tokio::time::timeout(limit, pull.window(cursor)).await;
    let Ok(window) = pulled else { return Err(PullError::TooSlow { limit, pages, entries }) };
    let mut window = window?;
    window.not_visible = client.not_visible().to_vec();
    Ok(window)
}

struct Pull<'a, F> {
    client: &'a Client,
    on_step: F,
}

/// What became of one go through the pages.
enum Chain {
    /// All pages under one head.
    Whole { head: Cursor, pages: Vec<Page> },
    /// The pages do not add up.
    Torn(Gap),
    /// The head moved. All pages, where the server counts; else as many as there were by then.
    HeadMoved { first: Cursor, now: Cursor, pages: Vec<Page> },
}

impl<F: FnMut(PullStep)> Pull<'_, F> {
    async fn window(&mut self, cursor: Option<Cursor>) -> Result<Window, PullError> {
        let Some(cursor) = cursor else {
            let head = self.head().await.map_err(PullError::Head)?.head;
            (self.on_step)(PullStep::Head(head));
            return self.everything(PullPath::of(None, head)).await;
        };
        // -1 stands for no history at all; as a beginning it means the same as 0.
        let since = cursor.max(Cursor::ZERO);
        let (head, pages) = match self.steady(since).await {
            Ok(pulled) => pulled,
            Err(PullError::Page { failure: Failure::Refused(refusal), .. })
                if refusal.status == 409 && since > Cursor::ZERO =>
            {
                return self.everything(PullPath::RefusedSince).await;
            }
            Err(error) => return Err(error),
        };
        let path = PullPath::of(Some(cursor), head);
        if path == PullPath::CursorAhead {
            return self.everything(path).await;
        }
        if path != PullPath::SinceCursor {
            (self.on_step)(PullStep::Path(path));
        }
        Ok(assemble(path, since, head, pages))
    }

    async fn everything(&mut self, path: PullPath) -> Result<Window, PullError> {
        (self.on_step)(PullStep::Path(path));
        let (head, pages) = self.steady(Cursor::ZERO).await?;
        Ok(assemble(path, Cursor::ZERO, head, pages))
    }

    /// All pages under one head, and that head.
    async fn steady(&mut self, since: Cursor) -> Result<(Cursor, Vec<Page>), PullError> {
        let (mut tries, mut goes) = (0, 0);
        loop {
            match self.chain(since).await? {
                Chain::Torn(gap) => {
                    goes += 1;
                    if goes == MAX_GOES {
                        return Err(PullError::NotWhole { gap, tries: goes });
                    }
                    (self.on_step)(PullStep::NotWhole { gap, tries: goes });
                    tokio::time::sleep(Duration::from_millis(jittered(PAUSES[0]))).await;
                }
                Chain::Whole { head, pages } => {
                    (self.on_step)(PullStep::HeadStable(head));
                    return Ok((head, pages));
                }
                Chain::HeadMoved { first, now, pages } => {
                    tries += 1;
                    if let Some(caught_up) = self.catch_up(since, pages, MAX_TRIES).await? {
                        return Ok(caught_up);
                    }
                    if tries == MAX_TRIES {
                        return Err(PullError::Restless { tries, first, now });
                    }
                    (self.on_step)(PullStep::HeadMoved { first, now, tries });
                }
            }
        }
    }

    /// Pages during which the head moved, and what is new since their first head; `None` where something may be
    /// missing. What slipped to a page that was read already stands on the last one before the head moved, as a rule:
    /// those are read once more where something is missing without them, first the ones that lost something for sure.
    async fn catch_up(
        &mut self,
        since: Cursor,
        mut pages: Vec<Page>,
        depth: u32,
    ) -> Result<Option<(Cursor, Vec<Page>)>, PullError> {
        let whole = |last: &Page| last.total.is_some() && last.has_more != Some(true);
        let Some(first) = pages.first().map(|page| page.head).filter(|_| pages.last().is_some_and(whole))
        else {
            return Ok(None);
        };
        let chain = pages.len();
        let moves = (0..).zip(pages.windows(2)).filter(|(_, pair)| pair[0].head != pair[1].head);
        let mut before_moves: Vec<usize> = moves.map(|(at, _)| at).collect();
        let mut again: Vec<usize> = Vec::new();
        loop {
            for at in again {
                let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
                let page = self.page(since, number).await?;
                self.tell(number, &page, page.has_more == Some(true));
                pages.push(page);
            }
            let Some((head, newer)) = Box::pin(self.newer(first.max(Cursor::ZERO), depth)).await? else {
                return Ok(None);
            };
            if none_missing(&pages, &newer) {
                (self.on_step)(PullStep::CaughtUp { first, now: head });
                pages.extend(newer);
                return Ok(Some((head, pages)));
            }
            if before_moves.is_empty() {
                return Ok(None);
            }
            let lost = slipped(&pages[..chain], &newer);
            (again, before_moves) = before_moves.into_iter().partition(|at| lost.contains(at));
            if again.is_empty() {
                again = std::mem::take(&mut before_moves);
            }
        }
    }

    /// All that is new since `since`, caught up with as often as it takes: there is less each time.
    async fn newer(&mut self, since: Cursor, depth: u32) -> Result<Option<(Cursor, Vec<Page>)>, PullError> {
        match self.chain(since).await? {
            Chain::Whole { head, pages } => Ok(Some((head, pages))),
            Chain::Torn(_) => Ok(None),
            Chain::HeadMoved { .. } if depth == 0 => Ok(None),
            Chain::HeadMoved { pages, .. } => self.catch_up(since, pages, depth - 1).await,
        }
    }

    async fn head(&mut self) -> Result<Page, Failure> {
        let mut pauses = PAUSES.into_iter();
        loop {
            (self.on_step)(PullStep::AskedHead);
            match self.client.head().await {
                Ok(page) => return Ok(page),
                Err(failure) => self.pause(failure, pauses.next()).await?,
            }
        }
    }

    async fn page(&mut self, since: Cursor, number: u32) -> Result<Page, PullError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            (self.on_step)(PullStep::AskedPage { since, page: number });
            let failed = match self.client.page(since, number).await {
                Ok(page) => return Ok(page),
                Err(failure) => self.pause(failure, pauses.next()).await,
            };
            failed.map_err(|failure| PullError::Page { since, page: number, failure })?;
        }
    }

    fn tell(&mut self, number: u32, page: &Page, more: bool) {
        (self.on_step)(PullStep::Page {
            page: number,
            mutations: page.mutations.len(),
            unreadable: page.unreadable.len(),
            total: page.total,
            head: page.head,
            more,
        });
    }

    /// Waits until the call may be made again; answers the failure where it would fail again, where the server asks
    /// for too much patience, and where there is no pause left.
    async fn pause(&mut self, failure: Failure, pause: Option<u64>) -> Result<(), Failure> {
        let (Some(why), Some(pause)) = (passing(&failure), pause) else { return Err(failure) };
        let asked = failure.refusal().and_then(|refusal| refusal.retry_after);
        let now = Millis(jiff::Timestamp::now().as_millisecond());
        let ms = asked.map_or(u128::from(pause), |after| after.wait(now).as_millis());
        let Some(ms) = u64::try_from(ms).ok().filter(|ms| *ms <= MAX_PAUSE) else { return Err(failure) };
        (self.on_step)(PullStep::Waiting { ms, why });
        tokio::time::sleep(Duration::from_millis(jittered(ms))).await;
        Ok(())
    }

    /// One go through the pages, given up where the head is another one and the server does not count.
    async fn chain(&mut self, since: Cursor) -> Result<Chain, PullError> {
        let mut pages: Vec<Page> = Vec::new();
        let (mut entries, mut bytes, mut moved) = (0, 0, false);
        for number in 1..=MAX_PAGES {
            let page = self.page(since, number).await?;
            entries += page.entries();
            bytes += page.bytes;
            let more = more_follow(&page, entries);
            self.tell(number, &page, more);
            let (first, now) = (pages.first().map_or(page.head, |first| first.head), page.head);
            let counts = page.total.is_some();
            moved |= first != now;
            if let Some(gap) = torn(&pages, &page, number, since) {
                return Ok(Chain::Torn(gap));
            }
            pages.push(page);
            if moved && !(more && counts) {
                return Ok(Chain::HeadMoved { first, now, pages });
            }
            if !more {
                return Ok(gap(&pages).map_or(Chain::Whole { head: first, pages }, Chain::Torn));
            }
            if entries > MAX_ENTRIES || bytes > MAX_BYTES {
                break;
            }
        }
        Err(PullError::Endless { pages: pages.len(), entries, bytes })
    }
}

/// Why a call may go better the next time; `None` where it will not.
const fn passing(failure: &Failure) -> Option<&'static str> {
    match failure {
        Failure::NotSent(_) => Some("the server cannot be reached"),
        Failure::Lost(Lost::TooLarge | Lost::Garbage(Garbage::Shape { .. })) => None,
        Failure::Lost(
            Lost::TimedOut(_)
            | Lost::Broken(_)
            | Lost::Garbage(Garbage::Syntax { .. } | Garbage::Status(_))
            | Lost::ServerFailed(_),
        ) => Some("no usable answer came"),
        Failure::Refused(refusal) => match refusal.class {
            Class::Server => Some("the server or its gateway failed"),
            Class::RateLimited => Some("the server asks to wait"),
            Class::Rejected
            | Class::BadRequest
            | Class::Unauthorized
            | Class::Forbidden
            | Class::NotFound
            | Class::OutOfSync
            | Class::ConflictOther
            | Class::Validation
            | Class::Other => None,
        },
    }
}

/// Whether another page has to be asked for, with so many entries read. An empty page ends every chain; else
/// `hasMore` decides, or `total`, or whether the page is shorter than its limit, whichever of them the server
/// says (PROTOCOL D25).
fn more_follow(page: &Page, entries: usize) -> bool {
    if page.entries() == 0 {
        return false;
    }
    match (page.has_more, page.total) {
        (Some(more), _) => more,
        (None, Some(total)) => total > entries as u64,
        (None, None) => page.entries() as u64 >= page.limit.unwrap_or(u64::from(PAGE_LIMIT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::{ResponseHead, read_page};
    use crate::domain::json::Text;

    fn page(facts: &str, entries: usize) -> Page {
        let mutations = vec![r#"{"type":"DELETE","resource":"NOTE","timestamp":1}"#; entries].join(",");
        let body = format!(r#"{{"data":{{"lastMutationAt":9,"mutations":[{mutations}]{facts}}}}}"#);
        read_page(&ResponseHead::ok(), &Text::new(body), 1).expect("a page")
    }

    #[test]
    fn what_the_server_says_decides_whether_more_pages_follow() {
        for (facts, entries, more) in [
            (r#","hasMore":true"#, 2, true),
            (r#","hasMore":false,"total":9"#, 2, false),
            (r#","hasMore":true"#, 0, false),
            (r#","total":5"#, 2, true),
            (r#","total":2"#, 2, false),
            (r#","limit":2"#, 2, true),
            (r#","limit":3"#, 2, false),
            ("", 2, false),
            ("", 1000, true),
        ] {
            assert_eq!(more_follow(&page(facts, entries), entries), more, "{facts} {entries}");
        }
    }
}
