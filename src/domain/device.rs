//! What a device file says: who the device is, where its cursor stands, what it queued, what it knows.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::given::Given;
use super::json::Json;
use super::mutation::{Cursor, Kind, Millis, Payload, QueueId, Queued, ResourceId};
use super::push::Acknowledged;

/// A device as its file tells of it.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// Who it is; every part may be missing.
    pub identity: Identity,
    /// Where its sync stands.
    pub sync: SyncState,
    /// Its pending mutations, in the order of the file.
    pub queue: Vec<Queued>,
    /// The resources it holds; `None` when the file does not list any, which is not the same as an empty list:
    /// without a list nothing can be said about what the device does not know.
    pub known: Option<Vec<Known>>,
    /// Queue entries of a POST whose answer nobody saw, each with the head that the POST carried: what the server
    /// wrote before that head is not theirs. Known from the push itself, or from the journal of one that broke off.
    pub in_doubt: HashMap<QueueId, Cursor>,
    /// What these queue entries have not become, whatever it looks like: it was there before their POST, or a person
    /// says so.
    pub not_it: HashMap<QueueId, BTreeSet<ResourceId>>,
    /// What was recognised as the work of a POST in doubt, in the server's own words, and has left the queue since.
    pub recognised: Vec<Acknowledged>,
    /// Deletions that the device's client made to keep its own number of rows, and not because a person deleted something
    /// (PROTOCOL D21): they wait until a person asks for them.
    pub retention: HashSet<QueueId>,
    /// The phone as its own database has it, where that was read: its client goes on with its own rows, whatever is pushed
    /// from here.
    pub phone: Option<Arc<Device>>,
    /// Rows of the phone's database that were deleted before the server ever acknowledged them: nobody but the phone's own
    /// client sees them, and it may stumble over them (PROTOCOL A10, S-A1, S-A2, S-A4).
    pub tombstones: Vec<Tombstone>,
    /// The server's ids of what this push, or the one that broke off, has brought there.
    pub given: Given,
}

impl Device {
    /// Whether nothing is known of it but what its file says: no POST in doubt, nothing that a person has said of one.
    pub fn is_settled(&self) -> bool {
        self.in_doubt.is_empty() && self.not_it.is_empty()
    }

    /// Whether a person or a pull has said of this queue entry that it has not become this resource.
    pub fn is_not(&self, entry: &QueueId, id: Option<&ResourceId>) -> bool {
        !self.not_it.is_empty()
            && id.is_some_and(|id| self.not_it.get(entry).is_some_and(|ids| ids.contains(id)))
    }

    /// The device in the server's names: links that stay in the queue refer to their collection by the id that the
    /// server gave it.
    #[must_use]
    pub fn named(mut self) -> Self {
        for link in self.queue.iter_mut().filter(|m| m.kind == Kind::Link) {
            let mut members = link.data.members();
            let named = members.get("collectionId").and_then(Json::as_str);
            if let Some(id) = named.and_then(|name| self.given.collection(name)) {
                members.insert(String::from("collectionId"), Json::string(id.as_str()));
                link.data = Payload::from_members(&members);
            }
        }
        self
    }
}

/// A deleted row that has no id on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Its kind.
    pub kind: Kind,
    /// Its members as they were.
    pub data: Payload,
    /// When it was deleted.
    pub deleted_at: Option<Millis>,
}

/// Who the device is, for the header and the reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The device's id.
    pub id: Option<String>,
    /// The name a person gave it.
    pub label: Option<String>,
    /// The user whose data it holds.
    pub user: Option<String>,
}

impl Identity {
    /// The best name there is.
    pub fn name(&self) -> &str {
        self.label.as_deref().or(self.id.as_deref()).unwrap_or("unnamed device")
    }
}

/// The device's sync state (`sync` in the file).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncState {
    /// `lastMutationAt`; `None` is a lost cursor, not zero.
    pub cursor: Option<Cursor>,
    /// `lastSyncAttempt`.
    pub last_attempt: Option<Millis>,
    /// `lastSuccessfulSync`.
    pub last_success: Option<Millis>,
    /// `pendingMutationCount`, as the device counted it.
    pub pending_count: Option<u64>,
}

/// A resource that the device holds (a row of `resources`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The server's id, or a local id while the creation is pending.
    pub id: ResourceId,
    /// Its kind.
    pub kind: Kind,
    /// Its members as the device has them.
    pub data: Payload,
    /// Whether they are what both sides agreed on.
    pub status: SyncStatus,
    /// When the device changed it last.
    pub local_updated_at: Option<Millis>,
    /// When the server changed it last, as far as the device knows.
    pub server_timestamp: Option<Millis>,
}

/// `syncStatus` of a known resource. Only a synced row is a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncStatus {
    /// Both sides agreed on this value.
    Synced,
    /// Made here, not acknowledged.
    PendingCreate,
    /// Changed here, not acknowledged.
    PendingUpdate,
    /// Deleted here, not acknowledged.
    PendingDelete,
}

impl SyncStatus {
    /// The word in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::PendingCreate => "pending_create",
            Self::PendingUpdate => "pending_update",
            Self::PendingDelete => "pending_delete",
        }
    }

    /// Reads the word in the file.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Synced, Self::PendingCreate, Self::PendingUpdate, Self::PendingDelete]
            .into_iter()
            .find(|status| status.word() == word)
    }
}
