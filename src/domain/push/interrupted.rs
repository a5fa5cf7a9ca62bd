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

#[cfg(test)]
mod tests {
    use super::*;

    fn sending(post: u32, head: i64, entries: &[&str]) -> Record {
        let entries = entries.iter().map(|id| vec![(*id).to_owned()]).collect();
        Record::Sending { post, head, entries }
    }

    fn told(entry: &str, resource_id: Option<&str>, not: &[&str]) -> Record {
        Record::Told {
            queue: vec![entry.to_owned()],
            resource_id: resource_id.map(str::to_owned),
            arrived: resource_id.is_some(),
            not: not.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn a_post_is_in_doubt_until_a_pull_or_a_person_has_told() {
        let in_doubt = |records: &[Record]| {
            let state = Interrupted::of(records);
            state.in_doubt.into_iter().map(|(id, head)| format!("{id}@{head}")).collect::<Vec<_>>().join(" ")
        };
        let not_applied = Record::NotApplied { post: 1, status: 409 };
        assert_eq!(in_doubt(&[sending(1, 100, &["q1", "q2"])]), "q1@100 q2@100");
        assert_eq!(in_doubt(&[sending(1, 100, &["q1"]), not_applied.clone()]), "");
        // Of what is sent again the first POST may be what arrived, and only the second is known not to be.
        let again = [sending(1, 100, &["q1"]), sending(2, 200, &["q1", "q2"])];
        assert_eq!(in_doubt(&again), "q1@100 q2@200");
        assert_eq!(in_doubt(&[&again[..], &[not_applied]].concat()), "q1@100");
        let doubted = Record::Doubted { entries: vec!["q1".into(), "q3".into()], head: 50 };
        assert_eq!(in_doubt(&[sending(1, 100, &["q1"]), doubted]), "q1@100 q3@50");
    }

    #[test]
    fn what_a_person_has_said_is_kept() {
        let records =
            [sending(1, 100, &["q1", "q2"]), told("q1", Some("n7"), &[]), told("q2", None, &["n7", "n8"])];
        let state = Interrupted::of(&records);
        assert!(state.in_doubt.is_empty());
        let arrived = Acknowledged { queue: vec!["q1".into()], resource_id: Some("n7".into()) };
        assert_eq!(state.done, [arrived]);
        let not: Vec<&String> = state.not_it["q2"].iter().collect();
        assert_eq!(not, ["n7", "n8"]);
        // The journal says it in the same words again.
        for record in records {
            let line = serde_json::to_string(&record).expect("it is written");
            assert_eq!(serde_json::from_str::<Record>(&line).expect("it is read"), record, "{line}");
        }
    }
}
