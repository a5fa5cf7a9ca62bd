//! Where a push stood that broke off: what its journal tells, and the device as it left it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Options;
use super::record::{Acknowledged, Record};
use crate::domain::device::Device;
use crate::domain::fold;
use crate::domain::mutation::{Cursor, QueueId, ResourceId};
use crate::domain::strategy::Strategy;

/// Where a push stood that broke off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interrupted {
    /// The strategy that decided every divergence.
    pub rule: Option<String>,
    /// Nothing was to be sent while anything was open.
    pub all_or_nothing: bool,
    /// -1 was allowed, should the server ask for it on a first sync.
    pub retry_first_sync: bool,
    /// Where it went.
    pub server: Option<String>,
    /// Queue entries that the server acknowledged.
    pub done: Vec<Acknowledged>,
    /// Queue entries of a POST whose answer is not known, each with the head that the POST carried.
    pub in_doubt: BTreeMap<String, i64>,
    /// The head after the last acknowledgement.
    pub head: Option<i64>,
    /// POSTs that left.
    pub posts: u32,
}

impl Interrupted {
    /// Reads a journal's records; several pushes may have broken off one after the other.
    pub fn of(records: &[Record]) -> Self {
        let mut state = Self::default();
        let mut flying: Vec<&String> = Vec::new();
        for record in records {
            match record {
                Record::Begun { rule, all_or_nothing, retry_first_sync, server, in_doubt } => {
                    state.rule.clone_from(rule);
                    (state.all_or_nothing, state.retry_first_sync) = (*all_or_nothing, *retry_first_sync);
                    state.server.clone_from(server);
                    if let Some(in_doubt) = in_doubt {
                        let still: BTreeSet<&String> = in_doubt.iter().collect();
                        state.in_doubt.retain(|id, _| still.contains(id));
                    }
                }
                Record::Sending { entries, post, head } => {
                    flying = entries.iter().flatten().collect();
                    state.in_doubt.extend(flying.iter().map(|id| (String::clone(id), *head)));
                    state.posts = *post;
                }
                Record::Acknowledged { head, entries, .. } => {
                    for id in flying.drain(..).chain(entries.iter().flat_map(|entry| &entry.queue)) {
                        state.in_doubt.remove(id);
                    }
                    state.head = Some(*head);
                    state.done.extend(entries.iter().cloned());
                }
                Record::NotApplied { .. } => {
                    for id in flying.drain(..) {
                        state.in_doubt.remove(id);
                    }
                }
            }
        }
        state
    }

    /// The device as the push left it: without what was acknowledged, and with the knowledge of what is in doubt.
    pub fn device(&self, file: &Device) -> Device {
        let mut device = fold::after(file, &self.done);
        let in_doubt = device.queue.iter().filter_map(|entry| {
            let head = self.in_doubt.get(entry.id.as_str())?;
            Some((entry.id.clone(), Cursor::read(*head)))
        });
        device.in_doubt = in_doubt.collect::<HashMap<QueueId, Cursor>>();
        device
    }

    /// The ids that the server gave to what these queue entries made.
    pub fn ids(&self) -> HashMap<QueueId, ResourceId> {
        let given = |entry: &Acknowledged| {
            let id = entry.resource_id.as_deref().map(ResourceId::from)?;
            Some(
                entry
                    .queue
                    .iter()
                    .map(move |name| (QueueId::from(name.as_str()), id.clone()))
                    .collect::<Vec<_>>(),
            )
        };
        self.done.iter().filter_map(given).flatten().collect()
    }

    /// How the push was to behave, and the one that goes on with it.
    pub fn options(&self) -> Options {
        Options {
            all_or_nothing: self.all_or_nothing,
            retry_first_sync: self.retry_first_sync,
            // Another token may be another's; whoever goes on says so again.
            accept_other_account: false,
            rule: self.rule.as_deref().and_then(Strategy::from_name),
            ask: false,
        }
    }
}
