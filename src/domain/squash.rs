//! Several queued mutations of one resource become one intent; the originals stay visible behind it.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::json::Json;
use super::mutation::{Kind, Millis, Op, Payload, Queued, ResourceId};

/// What the device wants of one resource.
#[derive(Clone, Debug)]
pub struct Intent {
    /// What it wants done.
    pub op: Op,
    /// The server's id, where the device knows it.
    pub resource_id: Option<ResourceId>,
    /// The members to set: the only original's data untouched, or later members over earlier ones.
    pub data: Payload,
    /// What both sides last agreed on, as the first original recorded it.
    pub base: Payload,
    /// When the newest original was queued.
    pub created_at: Option<Millis>,
    /// Whether the server may have seen any of it.
    pub maybe_sent: bool,
    /// The originals, as positions in the queue.
    pub members: Vec<usize>,
    /// The server's id that a creation after a deletion named it by: it is given up with what was deleted.
    pub former_id: Option<ResourceId>,
    /// What was set before the deletion, should it turn out that the deletion does not count.
    undeleted: Payload,
}

impl Intent {
    fn of(position: usize, mutation: &Queued) -> Self {
        Self {
            op: mutation.op,
            resource_id: mutation.resource_id.clone(),
            data: mutation.data.clone(),
            base: mutation.base.clone(),
            created_at: mutation.created_at,
            maybe_sent: mutation.maybe_sent(),
            members: vec![position],
            former_id: None,
            undeleted: Payload::ABSENT,
        }
    }

    /// `later` on top of this intent, with `op` as what the two amount to.
    fn then(&mut self, op: Op, later: Self) {
        self.data = match (self.op, op) {
            (Op::Delete, Op::Delete) => later.data,
            (Op::Create | Op::Update, Op::Delete) => {
                self.undeleted = std::mem::take(&mut self.data);
                later.data
            }
            (Op::Delete, Op::Create | Op::Update) => {
                overlay(&std::mem::take(&mut self.undeleted), &later.data)
            }
            (Op::Create | Op::Update, Op::Create | Op::Update) => overlay(&self.data, &later.data),
        };
        self.op = op;
        // The first base that says something of a field is the one both sides agreed on before any of this.
        self.base = overlay(&later.base, &self.base);
        // What is made anew is not what was deleted, by whichever id later entries name it.
        let named = later.resource_id.filter(|id| self.former_id.as_ref() != Some(id));
        self.resource_id = self.resource_id.take().or(named);
        self.created_at = self.created_at.max(later.created_at);
        self.maybe_sent |= later.maybe_sent;
        self.members.extend(later.members);
    }
}

/// What the queue entries at `positions` (of one resource, in queue order) amount to.
///
/// C+U=C, C+D=nothing if the creation was never sent, else D; U+U=later members over earlier; U+D=D; D+C stays
/// two, since the server must see both, and so does a creation before the deletion of what the server has by an id.
/// The originals of a pair that cancelled out are returned apart. What contradicts itself is named
/// ([`Squashed::contradiction`]), and the intents are then what it comes to if the last entry counts.
pub fn squash(queue: &[Queued], positions: &[usize]) -> Squashed {
    squash_after(queue, positions, 0, None)
}

/// As [`squash`], of the entries behind the first `done`, which the server has already: they give no intent, but later
/// entries may name the resource by their queue ids. `there` is what the server calls it, where it lives there.
pub fn squash_after(
    queue: &[Queued],
    positions: &[usize],
    done: usize,
    there: Option<&ResourceId>,
) -> Squashed {
    let several = positions.len() > 1;
    let own = positions.iter().filter(|_| several).filter_map(|p| queue.get(*p)).map(|m| m.id.as_str());
    let own: HashSet<&str> = own.collect();
    let mut squashed = Squashed { there: there.cloned(), ..Squashed::default() };
    for &position in positions.iter().skip(done) {
        let Some(mutation) = queue.get(position) else { continue };
        squashed.add(&mutation.kind, Intent::of(position, mutation), &own);
    }
    squashed
}

/// Why the entries of one resource cannot all be meant: what they amount to is for a person to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// It is changed after it was deleted, and not made again in between.
    ChangedAfterDeletion,
    /// It is created while it is there.
    CreatedWhileThere,
}

impl Contradiction {
    /// What is wrong, as a clause.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ChangedAfterDeletion => "the queue deletes it and then changes it",
            Self::CreatedWhileThere => "the queue creates it although it is there",
        }
    }
}

/// The answer of [`squash`].
#[derive(Clone, Debug, Default)]
pub struct Squashed {
    /// None (all cancelled out), one, or a delete followed by a create.
    pub intents: Vec<Intent>,
    /// Positions of a creation and its deletion that the server never saw.
    pub cancelled: Vec<usize>,
    /// Why the entries cannot all be meant. A later deletion ends every contradiction: whichever was meant, it is gone.
    pub contradiction: Option<Contradiction>,
    /// The newest creation that a deletion cancelled out, and that deletion.
    taken_back: Option<Intent>,
    /// What the server calls what lives there.
    there: Option<ResourceId>,
}

impl Squashed {
    fn add(&mut self, kind: &Kind, mut later: Intent, own: &HashSet<&str>) {
        if later.op == Op::Delete {
            self.contradiction = None;
        }
        // The queue's own names are none of the server's.
        later.resource_id = later.resource_id.take().filter(|id| !own.contains(id.as_str()));
        if self.intents.is_empty() && (later.op != Op::Create || is_set_by_creating(kind)) {
            later.resource_id = later.resource_id.or_else(|| self.there.clone());
        }
        let gone = self.intents.last().is_none_or(|last| last.op == Op::Delete);
        let again = |made: &mut Intent| later.resource_id.is_none() || later.resource_id == made.former_id;
        if gone && let Some(mut made) = self.taken_back.take_if(again) {
            match later.op {
                Op::Create => self.taken_back = Some(made),
                // It was made, deleted and never sent: whoever changes it wants it made.
                Op::Update => {
                    self.contradiction = Some(Contradiction::ChangedAfterDeletion);
                    self.cancelled.retain(|position| !made.members.contains(position));
                    made.then(Op::Create, later);
                    self.intents.push(made);
                    return;
                }
                Op::Delete => {
                    self.cancelled.extend(&later.members);
                    made.members.extend(later.members);
                    self.taken_back = Some(made);
                    return;
                }
            }
        }
        let Some(last) = self.intents.last_mut() else {
            self.intents.push(later);
            return;
        };
        let unsent = last.op == Op::Create && !last.maybe_sent && last.resource_id.is_none();
        let of_server = later.resource_id.as_ref().filter(|id| last.former_id.as_ref() != Some(id));
        // What the server has by an id is neither what it was never told of nor what it has by another id.
        let apart =
            of_server.is_some() && last.resource_id.as_ref().map_or(unsent, |id| Some(id) != of_server);
        match (last.op, later.op) {
            // The one goes, the other is made.
            (Op::Create | Op::Update, Op::Delete) if apart => {
                let made = self.intents.pop();
                self.delete(later);
                self.intents.extend(made);
            }
            (Op::Create, Op::Delete) if unsent => {
                let Some(mut made) = self.intents.pop() else { return };
                made.then(Op::Delete, later);
                self.cancelled.extend(&made.members);
                self.taken_back = Some(made);
            }
            (Op::Create | Op::Update, Op::Create | Op::Update) => {
                if later.op == Op::Create && !is_set_by_creating(kind) {
                    self.contradiction = Some(Contradiction::CreatedWhileThere);
                }
                last.then(last.op, later);
            }
            (Op::Create | Op::Update | Op::Delete, Op::Delete) => {
                last.then(Op::Delete, later);
                // What was made anew after a deletion and deleted again was deleted all along.
                if let Some(again) = self.intents.pop() {
                    self.delete(again);
                }
            }
            (Op::Delete, Op::Update) if !apart => {
                // If the change counts, it was never deleted: what the server has is changed.
                self.contradiction = Some(Contradiction::ChangedAfterDeletion);
                last.then(Op::Update, later);
            }
            (Op::Delete, Op::Create | Op::Update) => {
                if later.resource_id.is_some() && later.resource_id == last.resource_id {
                    // What is made anew has no id yet.
                    later.former_id = later.resource_id.take();
                }
                self.intents.push(later);
            }
        }
    }

    /// A deletion after all that there is: one with a deletion before it.
    fn delete(&mut self, deletion: Intent) {
        match self.intents.last_mut() {
            Some(before) if before.op == Op::Delete => before.then(Op::Delete, deletion),
            Some(_) | None => self.intents.push(deletion),
        }
    }
}

/// Kinds of which a client sets what is there by creating it again (PROTOCOL A9).
const fn is_set_by_creating(kind: &Kind) -> bool {
    match kind {
        Kind::Bookmark | Kind::Link => true,
        Kind::Collection | Kind::Note | Kind::ReadingSession | Kind::Other(_) => false,
    }
}

fn overlay(under: &Payload, over: &Payload) -> Payload {
    match (under.as_str(), over.as_str()) {
        (_, None) => under.clone(),
        (None, Some(_)) => over.clone(),
        (Some(_), Some(_)) => {
            let mut members: IndexMap<String, Json> = under.members();
            members.extend(over.members());
            Payload::from_members(&members)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::Text;
    use crate::domain::mutation::Kind;

    fn entry(op: Op, data: &str, sent: bool) -> Queued {
        Queued {
            id: "q".into(),
            op,
            kind: Kind::Note,
            resource_id: None,
            data: if data.is_empty() { Payload::ABSENT } else { Payload::new(Text::new(data.into())) },
            base: Payload::ABSENT,
            created_at: None,
            retry_count: u32::from(sent),
            last_error: None,
        }
    }

    fn squashed(queue: &[Queued]) -> Vec<(Op, String)> {
        let positions: Vec<usize> = (0..queue.len()).collect();
        let all = squash(queue, &positions).intents;
        all.iter().map(|i| (i.op, i.data.as_str().unwrap_or("").to_owned())).collect()
    }

    #[test]
    fn every_sequence_amounts_to_what_the_server_would_have() {
        let c = || entry(Op::Create, r#"{"a":1,"b":1}"#, false);
        let u = || entry(Op::Update, r#"{"b":2}"#, false);
        let d = || entry(Op::Delete, "", false);
        assert_eq!(squashed(&[c(), u()]), [(Op::Create, r#"{"a":1,"b":2}"#.into())]);
        assert_eq!(squashed(&[c(), d()]), []);
        assert_eq!(squashed(&[c(), u(), d()]), []);
        assert_eq!(squashed(&[entry(Op::Create, "{}", true), d()]), [(Op::Delete, String::new())]);
        assert_eq!(
            squashed(&[u(), entry(Op::Update, r#"{"c":3}"#, false)]),
            [(Op::Update, r#"{"b":2,"c":3}"#.into())]
        );
        assert_eq!(squashed(&[u(), d()]), [(Op::Delete, String::new())]);
        assert_eq!(
            squashed(&[d(), c()]),
            [(Op::Delete, String::new()), (Op::Create, r#"{"a":1,"b":1}"#.into())]
        );
        assert_eq!(squashed(&[d(), c(), d()]), [(Op::Delete, String::new())]);
        assert_eq!(
            squashed(&[d(), entry(Op::Create, "{}", true), d()]),
            [(Op::Delete, String::new())],
            "a creation that may have been sent is still deleted"
        );
    }

    #[test]
    fn a_deletion_of_what_the_server_has_is_never_cancelled_out() {
        let creation = entry(Op::Create, "{}", false);
        let own = Queued { resource_id: Some("q".into()), ..entry(Op::Delete, "", false) };
        assert_eq!(squashed(&[creation.clone(), own]), []);
        let servers = Queued { resource_id: Some("r1".into()), ..entry(Op::Delete, "", false) };
        let both = [(Op::Delete, String::new()), (Op::Create, String::from("{}"))];
        assert_eq!(squashed(&[creation.clone(), servers.clone()]), both);
        assert_eq!(squashed(&[servers.clone(), creation.clone(), servers.clone()]), both);
        let sent = Queued { retry_count: 1, ..creation };
        assert_eq!(squashed(&[sent, servers]), [(Op::Delete, String::new())], "it may be what was sent");
    }

    #[test]
    fn one_original_keeps_its_data_byte_for_byte() {
        assert_eq!(
            squashed(&[entry(Op::Update, r#"{"a": 1.0}"#, false)]),
            [(Op::Update, r#"{"a": 1.0}"#.into())]
        );
    }
}

#[cfg(test)]
mod orders;
