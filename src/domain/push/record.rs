//! What the journal holds of a push: ids, counts and heads, never payloads.

use serde::{Deserialize, Serialize};

/// One durable line of the journal. A record is on the disk before the step that it announces is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Record {
    /// A push begins. What was chosen lies in a file of its own beside the journal, since edited values are people's
    /// texts.
    Begun {
        /// The strategy that decides every divergence, where there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
        /// Nothing was to be sent while anything was open.
        #[serde(rename = "allOrNothing", default, skip_serializing_if = "is_false")]
        all_or_nothing: bool,
        /// -1 was allowed, should the server ask for it on a first sync.
        #[serde(rename = "retryFirstSync", default, skip_serializing_if = "is_false")]
        retry_first_sync: bool,
        /// Where it goes. To another server nothing of it may be sent.
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        /// Queue entries of an earlier POST of which the pull before this could not tell whether they arrived; of
        /// all others it could.
        #[serde(rename = "inDoubt", skip_serializing_if = "Option::is_none")]
        in_doubt: Option<Vec<String>>,
        /// What that pull has shown to have arrived, in the server's own words.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        recognised: Vec<Acknowledged>,
    },
    /// Nobody can tell whether these, which the device sent before this push, are what is on the server since.
    Doubted {
        /// The queue entries.
        entries: Vec<String>,
        /// The device's cursor.
        head: i64,
    },
    /// A person has said what became of entries in doubt.
    Told {
        /// The queue entries, all of one mutation.
        queue: Vec<String>,
        /// What they have become; with neither this nor a name they have not arrived.
        #[serde(rename = "resourceId", default, skip_serializing_if = "Option::is_none")]
        resource_id: Option<String>,
        /// Whether they arrived.
        arrived: bool,
        /// What on the server they have not become, though it may look like it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not: Vec<String>,
    },
    /// A POST is about to leave. Without a record after it, its answer is unknown.
    Sending {
        /// Number of the POST, from 1.
        post: u32,
        /// The head it carries.
        head: i64,
        /// For each mutation the queue entries it stands for.
        entries: Vec<Vec<String>>,
    },
    /// The server has acknowledged it.
    Acknowledged {
        /// Number of the POST.
        post: u32,
        /// The new head.
        head: i64,
        /// For each mutation what came of it.
        entries: Vec<Acknowledged>,
    },
    /// The POST was refused, or surely never left; nothing of it was applied as far as the answer tells.
    NotApplied {
        /// Number of the POST.
        post: u32,
        /// The HTTP status; 0 when it never left.
        status: u16,
    },
}

/// One acknowledged mutation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The queue entries that are done.
    pub queue: Vec<String>,
    /// The resource's id on the server.
    #[serde(rename = "resourceId", skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
