//! What a push did, step by step, for the report: every POST with its answer, and what was decided on the way.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::super::answer::Refusal;
use super::super::choices;
use super::super::field::{Base, FieldPath};
use super::super::inspect::{Details, Inspection, PairId};
use super::super::json::Json;
use super::super::mutation::{Cursor, Kind, QueueId, WireMutation};
use super::super::naming;
use super::super::rebase::Reopened;
use super::super::resolution::{By, Resolution};
use super::super::settle::Item;

/// What a push did.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// The POSTs, in order.
    pub exchanges: Vec<Exchange>,
    decisions: IndexMap<(Kind, String, FieldPath), Decision>,
}

/// A POST and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Its number, from 1.
    pub post: u32,
    /// The head it carried.
    pub head: Cursor,
    /// What it carried, in order.
    pub mutations: Vec<Carried>,
    /// How it was answered.
    pub answer: Answer,
}

/// A mutation of a POST.
#[derive(Clone, Debug)]
pub struct Carried {
    /// The queue entries it stands for.
    pub queue: Vec<QueueId>,
    /// What was sent.
    pub wire: WireMutation,
}

/// How a POST was answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The push ended before an answer came.
    Awaited,
    /// With an acknowledgement of each mutation.
    Acknowledged {
        /// The new head.
        head: Cursor,
        /// The resources' ids, by position.
        resource_ids: Vec<Option<String>>,
    },
    /// With a 200 whose acknowledgements do not fit what was sent, for this reason.
    Doubtful(String),
    /// With a refusal.
    Refused(Refusal),
    /// It surely never left, for this reason.
    NotSent(String),
    /// No usable answer came, for this reason.
    Lost(String),
}

impl Answer {
    /// The word in reports.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Doubtful(_) => "doubtful",
            Self::Refused(_) => "refused",
            Self::NotSent(_) => "not-sent",
            Self::Lost(_) => "lost",
        }
    }
}

/// A choice, and what it was made on.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The kind of the resource.
    pub kind: Kind,
    /// The pair's key.
    pub key: String,
    /// How a person recognises the resource; people's words may be in it.
    pub title: String,
    /// The field.
    pub path: FieldPath,
    /// The word of the choices file.
    pub choice: &'static str,
    /// Who made it.
    pub by: By,
    /// What both sides last agreed on.
    pub base: Base,
    /// What the device had.
    pub device: Option<Json>,
    /// What the server had.
    pub server: Option<Json>,
    /// What survives.
    pub result: Option<Json>,
    /// What changed under the choice, so that it no longer stands.
    pub reopened: Option<&'static str>,
}

impl Course {
    /// What was decided, as it was last decided, in the order in which it was first.
    pub fn decisions(&self) -> impl ExactSizeIterator<Item = &Decision> {
        self.decisions.values()
    }

    /// The scopes that the last POST needed.
    pub fn scopes_needed(&self) -> BTreeSet<&'static str> {
        let last = self.exchanges.last().into_iter().flat_map(|exchange| &exchange.mutations);
        std::iter::once("sync").chain(last.flat_map(|carried| carried.wire.kind.scopes()).copied()).collect()
    }

    /// Takes in the choices that stand on an inspection.
    pub(super) fn decided(&mut self, inspection: &Inspection, resolution: &Resolution) {
        let mut last: Option<(PairId, Details)> = None;
        for (unit, chosen) in resolution.iter() {
            let pair = inspection.pair(unit.pair);
            let details = match last.take() {
                Some((id, details)) if id == unit.pair => details,
                Some(_) | None => inspection.details(pair),
            };
            if let Some(field) = details.field(&unit.path) {
                let decision = Decision {
                    kind: pair.kind.clone(),
                    key: pair.key.clone(),
                    title: naming::title(inspection, pair),
                    path: unit.path.clone(),
                    choice: choices::word(pair, field, &chosen.choice),
                    by: chosen.by,
                    base: field.base.clone(),
                    device: field.device.clone(),
                    server: field.server.clone(),
                    result: field.result(&chosen.choice),
                    reopened: None,
                };
                self.decisions.insert((pair.kind.clone(), pair.key.clone(), unit.path.clone()), decision);
            }
            last = Some((unit.pair, details));
        }
    }

    /// Notes which choices no longer stand on a newer inspection.
    pub(super) fn reopened(&mut self, inspection: &Inspection, reopened: &[Reopened]) {
        for Reopened { pair, path, why, .. } in reopened {
            let pair = inspection.pair(*pair);
            let unit = (pair.kind.clone(), pair.key.clone(), path.clone());
            if let Some(decision) = self.decisions.get_mut(&unit) {
                decision.reopened = Some(why);
            }
        }
    }

    /// A POST leaves.
    pub(super) fn sending(&mut self, post: u32, head: Cursor, items: &[Item]) {
        let carried = |item: &Item| Carried { queue: item.members.clone(), wire: item.wire.clone() };
        let mutations = items.iter().map(carried).collect();
        self.exchanges.push(Exchange { post, head, mutations, answer: Answer::Awaited });
    }

    /// It was answered.
    pub(super) fn answered(&mut self, answer: Answer) {
        if let Some(exchange) = self.exchanges.last_mut() {
            exchange.answer = answer;
        }
    }
}
