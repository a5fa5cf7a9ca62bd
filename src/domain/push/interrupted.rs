//! Where a push stood that broke off: what its journal tells, and the device as it left it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Options;
use super::record::{Acknowledged, Record};
use crate::domain::device::Device;
use crate::domain::fold;
use crate::domain::mutation::{Cursor, QueueId};
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
    /// What these queue entries have not become, as a person has said.
    pub not_it: BTreeMap<String, BTreeSet<String>>,
    /// The head after the last acknowledgement.
    pub head: Option<i64>,
    /// POSTs that left.
    pub posts: u32,
}

impl Interrupted {
    /// Reads a journal's records; several pushes may have broken off one after the other.
    pub fn of(records: &[Record]) -> Self {
        let mut state = Self::default();
        // Each with the head of the POST by which it had been in doubt before.
        let mut flying: Vec<(&String, Option<i64>)> = Vec::new();
        for record in records {
            match record {
                Record::Begun { rule, all_or_nothing, retry_first_sync, server, in_doubt, recognised } => {
                    state.rule.clone_from(rule);
                    (state.all_or_nothing, state.retry_first_sync) = (*all_or_nothing, *retry_first_sync);
                    state.server.clone_from(server);
                    if let Some(in_doubt) = in_doubt {
                        let still: BTreeSet<&String> = in_doubt.iter().collect();
                        state.in_doubt.retain(|id, _| still.contains(id));
                    }
                    state.done.extend(recognised.iter().cloned());
                }
                Record::Sending { entries, post, head } => {
                    let before = |id| (id, state.in_doubt.get(id).copied());
                    flying = entries.iter().flatten().map(before).collect();
                    for (id, _) in &flying {
                        state.in_doubt.entry(String::clone(id)).or_insert(*head);
                    }
                    state.posts = *post;
                }
                Record::Acknowledged { head, entries, .. } => {
                    let flown = flying.drain(..).map(|(id, _)| id);
                    for id in flown.chain(entries.iter().flat_map(|entry| &entry.queue)) {
                        state.in_doubt.remove(id);
                    }
                    state.head = Some(*head);
                    state.done.extend(entries.iter().cloned());
                }
                Record::Doubted { entries, head } => {
                    for id in entries {
                        state.in_doubt.entry(id.clone()).or_insert(*head);
                    }
                }
                Record::Told { queue, resource_id, arrived, not } => {
                    for id in queue {
                        state.in_doubt.remove(id);
                        if !*arrived {
                            state.not_it.entry(id.clone()).or_default().extend(not.iter().cloned());
                        }
                    }
                    if *arrived {
                        let (queue, resource_id) = (queue.clone(), resource_id.clone());
                        state.done.push(Acknowledged { queue, resource_id });
                    }
                }
                Record::NotApplied { .. } => {
                    for (id, before) in flying.drain(..) {
                        match before {
                            Some(head) => state.in_doubt.insert(id.clone(), head),
                            None => state.in_doubt.remove(id),
                        };
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
        let not_it = device.queue.iter().filter_map(|entry| {
            let ids = self.not_it.get(entry.id.as_str())?;
            Some((entry.id.clone(), ids.iter().map(|id| id.as_str().into()).collect()))
        });
        device.not_it = not_it.collect::<HashMap<_, _>>();
        device
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
