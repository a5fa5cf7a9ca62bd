//! What a device file says: who the device is, where its cursor stands, what it queued, what it knows.

use std::collections::HashSet;

use super::mutation::{Cursor, Kind, Millis, Payload, QueueId, Queued, ResourceId};

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
    /// Queue entries of a POST whose answer nobody saw, as the journal of an interrupted push tells.
    pub in_doubt: HashSet<QueueId>,
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
