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

/// Where an interrupted push stood, as its journal tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interrupted {
    /// The strategy that decided every divergence.
    pub rule: Option<String>,
    /// Queue entries that the server acknowledged.
    pub done: Vec<Acknowledged>,
    /// Queue entries of a POST whose answer is not known.
    pub in_doubt: Vec<String>,
    /// The head after the last acknowledgement.
    pub head: Option<i64>,
    /// POSTs that left.
    pub posts: u32,
}

impl Interrupted {
    /// Reads a journal's records.
    pub fn of(records: &[Record]) -> Self {
        let mut state = Self::default();
        for record in records {
            match record {
                Record::Begun { rule } => state.rule.clone_from(rule),
                Record::Sending { entries, post, .. } => {
                    state.in_doubt = entries.iter().flatten().cloned().collect();
                    state.posts = *post;
                }
                Record::Acknowledged { head, entries, .. } => {
                    state.in_doubt.clear();
                    state.head = Some(*head);
                    state.done.extend(entries.iter().cloned());
                }
                Record::NotApplied { .. } => state.in_doubt.clear(),
            }
        }
        state
    }
}
