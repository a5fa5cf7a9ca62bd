//! The sync server as a pure model: one user's resources, the head, the collapsed feed and the two calls.
//!
//! It has no socket, no clock and no randomness: `now` is passed in, ids come from a seed and a counter. What the
//! protocol documents is kept to the letter. Where the real server's behaviour is not public (PROTOCOL `[?]`) the
//! sandbox chose:
//!
//! * A POST is checked in this order: token, number, form of every mutation (422), scope of every kind (403), the
//!   head (409), then what is stored (404). So a malformed batch is 422 also when its cursor is stale.
//! * A rejected batch applies nothing.
//! * A CREATE at an occupied bookmark place, of a collection's name or of a link that is there updates that resource
//!   and is acknowledged as a CREATE with its id.
//! * A CREATE with the id of a live bookmark updates it (PROTOCOL D12); notes, collections and sessions take no id.
//! * The feed's `type` is what was done last; a pull from 0 holds the tombstones too.
//! * Deleting what is deleted is 404. Deleting a collection deletes its links, not their bookmarks; Favorites stay.
//! * A rename onto an occupied collection name is taken, as the phones' traces suggest (PROTOCOL S-A5).
//! * `isDefault` of a push is taken and ignored: which collection is the Favorites is the server's affair (D14).
//! * Reading sessions are never merged by time.
//! * Characters are UTF-16 units, `source` of a note is the client id that wrote it last.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

use serde::Deserialize;
use serde_json::{Value, json};

use super::apply::Writer;
use super::form::{self, Change};
use super::ids::Ids;
use super::query::Query;
use super::refusal::{Reason, Refusal};
use super::resource::Key;
use super::scopes::Scopes;
use super::store::Store;
use crate::domain::mutation::{Cursor, Kind, Millis, Op, ResourceId};

/// Most mutations a POST may carry (PROTOCOL A3).
pub const MAX_MUTATIONS: usize = 100;

/// How a fresh account begins; the sources disagree (PROTOCOL A5, D1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstSync {
    /// As the newest specification has it: the head is positive from the start, -1 is refused.
    #[default]
    Positive,
    /// As the tutorials have it: a GET answers -1 and the first POST must send -1.
    #[serde(rename = "minus-1")]
    Minus1,
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    /// `x-client-id`.
    pub client: &'a str,
    /// What its token may see and write.
    pub scopes: Scopes,
}

impl<'a> Caller<'a> {
    /// A caller whose token has every scope.
    pub const fn with_all_scopes(client: &'a str) -> Self {
        Self { client, scopes: Scopes::ALL }
    }
}

/// What a GET answers.
#[derive(Clone, PartialEq)]
pub struct PageBody {
    /// The head.
    pub head: Cursor,
    /// The page; `None` with `metadataOnly`.
    pub list: Option<PageList>,
}

/// One page of the feed.
#[derive(Clone, PartialEq)]
pub struct PageList {
    /// Mutations in wire form, by timestamp.
    pub mutations: Vec<Value>,
    /// Which page, from 1.
    pub page: u64,
    /// Entries a page.
    pub limit: u64,
    /// Entries on all pages.
    pub total: u64,
    /// Whether there is a page after this one.
    pub has_more: bool,
}

impl PageBody {
    /// The body of the answer.
    pub fn to_json(&self) -> Value {
        let Some(list) = &self.list else {
            return json!({ "success": true, "data": { "lastMutationAt": self.head } });
        };
        json!({ "success": true, "data": {
            "lastMutationAt": self.head,
            "mutations": list.mutations,
            "page": list.page,
            "limit": list.limit,
            "total": list.total,
            "hasMore": list.has_more,
        } })
    }
}

/// What a POST answers.
#[derive(Clone, PartialEq)]
pub struct Applied {
    /// The new head.
    pub head: Cursor,
    /// The mutations that were applied, in the order in which they were sent.
    pub mutations: Vec<Value>,
}

impl Applied {
    /// The body of the answer.
    pub fn to_json(&self) -> Value {
        json!({ "success": true, "data": { "lastMutationAt": self.head, "mutations": self.mutations } })
    }
}

/// The server of one user.
#[derive(Clone, PartialEq)]
pub struct Model {
    first_sync: FirstSync,
    store: Store,
}

/// Payloads are private: debug output shows counts only.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model(head {}, {} resources)", self.head(), self.store.entries.len())
    }
}

impl Model {
    /// A fresh account, opened at `now`. With [`FirstSync::Positive`] it holds the Favorites collection.
    pub fn new(first_sync: FirstSync, now: Millis) -> Self {
        let mut store = Store::empty();
        match first_sync {
            FirstSync::Positive => store.open_favorites(now),
            FirstSync::Minus1 => {}
        }
        Self { first_sync, store }
    }

    /// The same server with another sequence of ids.
    #[must_use]
    pub fn with_id_seed(mut self, seed: u64) -> Self {
        self.store.ids = Ids::seeded(seed);
        self
    }

    /// The head: the cursor that the next POST must carry.
    pub const fn head(&self) -> Cursor {
        self.store.head
    }

    /// Answers a pull (PROTOCOL A2).
    ///
    /// # Errors
    /// 403 without the scope `sync`, 422 where page or limit are out of bounds.
    pub fn get(&self, query: &Query, scopes: Scopes) -> Result<PageBody, Refusal> {
        check_sync_scope(scopes)?;
        query.check()?;
        if query.metadata_only {
            return Ok(PageBody { head: self.store.head, list: None });
        }
        let asked = |kind: &Kind| query.resources.as_ref().is_none_or(|kinds| kinds.contains(kind));
        let visible: Vec<&Key> = self
            .store
            .feed
            .range((Bound::Excluded(Millis(query.since.value())), Bound::Unbounded))
            .map(|(_, key)| key)
            .filter(|key| scopes.may_see(key.kind()) && asked(key.kind()))
            .collect();
        let total = visible.len() as u64;
        let before = query.limit.saturating_mul(query.page - 1);
        let of_page = visible.iter().skip(usize::try_from(before).unwrap_or(usize::MAX));
        let mutations = of_page
            .take(usize::try_from(query.limit).unwrap_or(usize::MAX))
            .filter_map(|key| self.store.entries.get(*key).map(|entry| self.store.wire(key, entry)))
            .collect();
        let has_more = before.saturating_add(query.limit) < total;
        let list = PageList { mutations, page: query.page, limit: query.limit, total, has_more };
        Ok(PageBody { head: self.store.head, list: Some(list) })
    }

    /// Takes a push (PROTOCOL A3) at `now`, ms.
    ///
    /// # Errors
    /// 422 for what is malformed, 403 for a missing scope, 409 where `last_mutation_at` is not the head, 404 for an
    /// unknown id. Nothing of the batch was applied then.
    pub fn post(
        &mut self,
        now: Millis,
        caller: Caller<'_>,
        last_mutation_at: Cursor,
        mutations: &[Value],
    ) -> Result<Applied, Refusal> {
        check_sync_scope(caller.scopes)?;
        if mutations.len() > MAX_MUTATIONS {
            return Err(Refusal::validation("Mutations must not exceed 100"));
        }
        let changes = read_all(mutations)?;
        for (index, change) in changes.iter().enumerate() {
            if change.op == Op::Create && change.id.is_some() && !takes_id_on_create(&change.kind) {
                return Err(Refusal::validation("Invalid resourceId").at(index));
            }
        }
        for (index, change) in changes.iter().enumerate() {
            if !caller.scopes.may_see(&change.kind) {
                let message = format!("The token has no scope for {}", change.kind.wire());
                return Err(Refusal::new(Reason::Forbidden, message).at(index));
            }
        }
        self.check_head(last_mutation_at)?;
        self.apply_all(Writer { now, client: caller.client, chooses_ids: false }, changes)
    }

    /// Writes as another device or the web would at `now`: no cursor, no limit on the number, and a CREATE may choose
    /// the id of what it makes. For histories, tests and races.
    ///
    /// # Errors
    /// As [`Model::post`], but for scopes and the head.
    pub fn other_device_writes(
        &mut self,
        now: Millis,
        client: &str,
        mutations: &[Value],
    ) -> Result<Applied, Refusal> {
        let changes = read_all(mutations)?;
        self.apply_all(Writer { now, client, chooses_ids: true }, changes)
    }

    /// Moves the head by `ms`, or to `now` if that is later, as a write does that no pull shows (PROTOCOL A5).
    pub(super) fn jump(&mut self, now: Millis, ms: i64) {
        self.store.head = Cursor::read(now.0.max(self.store.head.value().saturating_add(ms)));
    }

    /// Writes the first resource of the window since `since` again, with the members it has: it moves to the
    /// window's end.
    pub(super) fn touch_first(&mut self, now: Millis, since: Cursor) {
        let window = (Bound::Excluded(Millis(since.value())), Bound::Unbounded);
        let Some(key) = self.store.feed.range(window).next().map(|(_, key)| key.clone()) else { return };
        if let Some(entry) = self.store.entries.get(&key) {
            let op = if entry.is_live() { Op::Update } else { Op::Delete };
            let members = entry.members.clone();
            self.store.write(now, key, op, members);
        }
    }

    /// The live resources of a kind, by id, as a pull shows them. A link's id is `collectionId-bookmarkId`.
    pub fn live(&self, kind: &Kind) -> Vec<(ResourceId, Value)> {
        let of_kind = self.store.entries.iter().filter(|(key, entry)| key.kind() == kind && entry.is_live());
        of_kind.map(|(key, entry)| (self.store.id(key), Value::Object(self.store.data(key, entry)))).collect()
    }

    /// The state of one live resource as a pull shows it; `None` where it is deleted or was never there.
    pub fn state(&self, kind: &Kind, id: &ResourceId) -> Option<Value> {
        let (key, entry) = self.store.find(kind, id)?;
        entry.is_live().then(|| Value::Object(self.store.data(key, entry)))
    }

    /// When a resource was written last, deleted or not, ms.
    pub fn written_at(&self, kind: &Kind, id: &ResourceId) -> Option<Millis> {
        self.store.find(kind, id).map(|(_, entry)| entry.at)
    }

    /// How many mutations that named it were applied to each resource, deleted ones too. What the server does of its
    /// own accord (a displaced reading place, a bookmark made for a link) is not counted.
    pub fn writes(&self) -> BTreeMap<(Kind, ResourceId), u32> {
        let named = self.store.entries.iter().filter(|(_, entry)| entry.writes > 0);
        named.map(|(key, entry)| ((key.kind().clone(), self.store.id(key)), entry.writes)).collect()
    }

    fn check_head(&self, last_mutation_at: Cursor) -> Result<(), Refusal> {
        if last_mutation_at == self.store.head {
            return Ok(());
        }
        let message = match self.first_sync {
            FirstSync::Minus1 if self.store.head == Cursor::FIRST_SYNC => {
                "First sync detected. Please use lastMutationAt=-1 for initial sync."
            }
            FirstSync::Minus1 | FirstSync::Positive => {
                "The data is out of sync. Please get the latest mutations before sending yours."
            }
        };
        Err(Refusal::new(Reason::OutOfSync, message))
    }

    fn apply_all(&mut self, writer: Writer<'_>, changes: Vec<Change>) -> Result<Applied, Refusal> {
        let before = self.store.begin();
        let mut mutations = Vec::with_capacity(changes.len());
        for (index, change) in changes.into_iter().enumerate() {
            match self.store.apply(writer, change) {
                Ok(acknowledgement) => mutations.push(acknowledgement),
                Err(refusal) => {
                    self.store.roll_back(before);
                    return Err(refusal.at(index));
                }
            }
        }
        self.store.commit();
        Ok(Applied { head: self.store.head, mutations })
    }
}

fn check_sync_scope(scopes: Scopes) -> Result<(), Refusal> {
    if scopes.may_sync() {
        return Ok(());
    }
    let message = "The server understood the request, but refuses to authorize it";
    Err(Refusal::new(Reason::Forbidden, message))
}

fn read_all(mutations: &[Value]) -> Result<Vec<Change>, Refusal> {
    let all = mutations.iter().enumerate();
    all.map(|(index, mutation)| form::read(mutation).map_err(|refusal| refusal.at(index))).collect()
}

/// PROTOCOL D12: bookmarks are updated by a CREATE with their id; links carry their composite id.
const fn takes_id_on_create(kind: &Kind) -> bool {
    match kind {
        Kind::Bookmark | Kind::Link => true,
        Kind::Collection | Kind::Note | Kind::ReadingSession | Kind::Other(_) => false,
    }
}

#[cfg(test)]
mod tests;
