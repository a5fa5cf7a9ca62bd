//! What a person is asked about a POST in doubt: which queue entries it is about, and what on the server may be what
//! they have become. One question for each resource.

use indexmap::IndexMap;

use super::record::Record;
use crate::domain::field::{self, FieldShape};
use crate::domain::identity;
use crate::domain::inspect::{Inspection, PairId};
use crate::domain::json::Json;
use crate::domain::mutation::{Op, QueueId, ResourceId, ServerMutation};
use crate::domain::naming;
use crate::domain::squash;

/// How much of a value is shown beside another, in characters.
const SHOWN: usize = 300;

/// A question that only a person can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The pair that it is about.
    pub pair: PairId,
    /// The queue entries in doubt, in order; the first gives the question its name.
    pub queue: Vec<QueueId>,
    /// What may be it, as positions in the window, oldest first.
    pub candidates: Vec<usize>,
}

/// What a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It arrived, as this where that is known.
    Arrived(Option<ResourceId>),
    /// It did not arrive, and nothing on the server is it.
    NotArrived,
}

/// What is in doubt although both sides were looked at, in queue order.
pub fn questions(inspection: &Inspection) -> Vec<Question> {
    let in_doubt = inspection.ids().filter(|(_, pair)| inspection.is_in_doubt(pair));
    let question = |(pair, of)| {
        let queue = inspection.queued(of).filter(|m| inspection.device.in_doubt.contains_key(&m.id));
        let queue = queue.map(|m| m.id.clone()).collect();
        Question { pair, queue, candidates: inspection.candidates(of) }
    };
    in_doubt.map(question).collect()
}

impl Question {
    /// The answer as the journal keeps it.
    pub fn answered(&self, inspection: &Inspection, said: Said) -> Record {
        let ids = self.ids(inspection);
        let queue = self.queue.iter().map(ToString::to_string).collect();
        match said {
            Said::Arrived(id) => {
                let id = id.or_else(|| ids.last().cloned());
                let resource_id = id.map(|id| id.to_string());
                Record::Told { queue, resource_id, arrived: true, not: Vec::new() }
            }
            Said::NotArrived => {
                let not = ids.iter().map(ToString::to_string).collect();
                Record::Told { queue, resource_id: None, arrived: false, not }
            }
        }
    }

    /// The ids of what may be it, where it has one.
    pub fn ids(&self, inspection: &Inspection) -> Vec<ResourceId> {
        self.candidates.iter().filter_map(|at| identity::id_of(&inspection.window.mutations[*at])).collect()
    }

    /// What it is about, in words.
    pub fn title(&self, inspection: &Inspection) -> String {
        let queue: Vec<&str> = self.queue.iter().map(QueueId::as_str).collect();
        let entries = if queue.len() == 1 { "queue entry" } else { "queue entries" };
        format!("{} ({entries} {})", naming::label(inspection, inspection.pair(self.pair)), queue.join(", "))
    }

    /// What was sent and what may be it, side by side: for each candidate a line that names it, and one for each field
    /// that either has.
    pub fn beside(&self, inspection: &Inspection) -> Vec<(String, Vec<String>)> {
        let sent = self.sent(inspection);
        let seen = self.candidates.iter().map(|at| &inspection.window.mutations[*at]);
        seen.map(|seen| (candidate(seen), compared(inspection, self.pair, &sent, seen))).collect()
    }

    /// What the POST carried, the entries together.
    pub fn sent(&self, inspection: &Inspection) -> IndexMap<String, Json> {
        let queue = &inspection.device.queue;
        let positions: Vec<usize> =
            (0..queue.len()).filter(|at| self.queue.contains(&queue[*at].id)).collect();
        squash::squash(queue, &positions).intents.pop().map(|sent| sent.data.members()).unwrap_or_default()
    }
}

fn candidate(seen: &ServerMutation) -> String {
    let id = identity::id_of(seen).map_or_else(|| String::from("without an id"), |id| id.to_string());
    let done = match seen.op {
        Op::Create => "made",
        Op::Update => "changed",
        Op::Delete => "deleted",
    };
    format!("on the server {id}, {done} {}", seen.timestamp.to_iso())
}

fn compared(
    inspection: &Inspection,
    pair: PairId,
    sent: &IndexMap<String, Json>,
    seen: &ServerMutation,
) -> Vec<String> {
    let kind = &inspection.pair(pair).kind;
    let fields = field::compare(kind, &IndexMap::new(), sent, &seen.data.members());
    let said = |value: Option<&Json>| {
        value.map_or_else(|| String::from("(says nothing)"), |value| cut(&naming::value_words(value)))
    };
    let told = fields.iter().filter(|field| field.shape != FieldShape::Existence);
    told.map(|field| {
        let (device, server) = (said(field.device.as_ref()), said(field.server.as_ref()));
        format!("{}: device {device} | server {server}", field.path.label())
    })
    .collect()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
