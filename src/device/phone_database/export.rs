//! The device file that an export of the phone would be (DESIGN §3), written from the rows without a tree in between: a phone
//! may have a hundred thousand of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pending::{Buried, Held, Pending};

/// A device file that stands for a phone's database.
#[derive(Debug)]
pub struct Export {
    /// Its text.
    pub text: String,
    /// By a digest: which state of the database it is of.
    pub state: String,
}

impl Export {
    /// The state of the database that the text of an export says it is of.
    pub fn state_in(text: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Document {
            phone: Phone,
        }
        #[derive(Deserialize)]
        struct Phone {
            state: String,
        }
        serde_json::from_str(text).ok().map(|document: Document| document.phone.state)
    }
}

#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) device: Device<'a>,
    pub(super) phone: Phone<'a>,
    pub(super) sync: Sync,
    pub(super) queue: Vec<Entry<'a>>,
    pub(super) resources: Vec<Resource<'a>>,
    pub(super) tombstones: Vec<Tombstone<'a>>,
}

#[derive(Serialize)]
pub(super) struct Device<'a> {
    pub(super) label: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Phone<'a> {
    pub(super) database: Option<&'a str>,
    pub(super) made_by: &'static str,
    pub(super) state: &'a str,
}

#[derive(Serialize)]
pub(super) struct Sync {
    #[serde(rename = "pendingMutationCount")]
    pub(super) pending: usize,
    #[serde(rename = "lastMutationAt", skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<i64>,
}

/// An entry of the queue.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    id: String,
    #[serde(rename = "type")]
    op: &'static str,
    resource: &'static str,
    retry_count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<bool>,
}

impl<'a> Entry<'a> {
    pub(super) fn of(pending: &'a Pending) -> Self {
        Self {
            id: called(pending),
            op: pending.op,
            resource: pending.resource,
            // The client counts a creation once more at each try (PROTOCOL A11); of other rows the version says nothing of
            // tries.
            retry_count: match (pending.table, pending.op) {
                ("bookmark_collection" | "bookmark", "CREATE") => {
                    pending.version.saturating_sub(1).clamp(0, i64::from(u32::MAX))
                }
                _ => 0,
            },
            resource_id: pending.resource_id.as_deref(),
            data: pending.data.as_ref(),
            created_at: pending.at,
            retention: pending.retention.then_some(true),
        }
    }
}

/// How an entry of the queue is called: after its row.
fn called(pending: &Pending) -> String {
    let table = match (pending.table, pending.resource) {
        ("bookmark", "COLLECTION_BOOKMARK") => "favorite",
        ("bookmark_collection", _) => "link",
        ("reading_session", _) => "session",
        (table, _) => table,
    };
    format!("{table}-{}", pending.local_id)
}

/// A resource that has the server's id.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource<'a> {
    id: &'a str,
    #[serde(rename = "resource")]
    kind: &'static str,
    data: &'a Value,
    sync_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_updated_at: Option<i64>,
}

impl<'a> Resource<'a> {
    pub(super) fn of(held: &'a Held) -> Self {
        Self {
            id: &held.id,
            kind: held.resource,
            data: &held.data,
            sync_status: held.status,
            local_updated_at: held.at,
        }
    }
}

/// A row that was deleted before the server acknowledged it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tombstone<'a> {
    #[serde(rename = "resource")]
    kind: &'static str,
    data: &'a Value,
    local_updated_at: Option<i64>,
}

impl<'a> Tombstone<'a> {
    pub(super) fn of(row: &'a Buried) -> Self {
        Self { kind: row.resource, data: &row.data, local_updated_at: row.at }
    }
}
