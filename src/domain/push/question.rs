//! What a person is asked about a POST in doubt: which queue entries it is about, and what on the server may be what
//! they have become. One question for each resource.

use super::record::Record;
use crate::domain::identity;
use crate::domain::inspect::{Inspection, PairId};
use crate::domain::mutation::{QueueId, ResourceId};

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
        let ids = self.candidates.iter().filter_map(|at| identity::id_of(&inspection.window.mutations[*at]));
        let queue = self.queue.iter().map(ToString::to_string).collect();
        match said {
            Said::Arrived(id) => {
                let id = id.or_else(|| ids.last());
                let resource_id = id.map(|id| id.to_string());
                Record::Told { queue, resource_id, arrived: true, not: Vec::new() }
            }
            Said::NotArrived => {
                let not = ids.map(|id| id.to_string()).collect();
                Record::Told { queue, resource_id: None, arrived: false, not }
            }
        }
    }
}
