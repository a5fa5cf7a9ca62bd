//! apply(squash(q)) = apply(q): what several queued mutations of one resource amount to leaves the server in the
//! state that all of them, one after the other, would have left.

use indexmap::IndexMap;
use proptest::prelude::*;
use proptest::sample::Index;
use unstick::domain::json::Json;
use unstick::domain::mutation::{Kind, Op, Payload, Queued};
use unstick::domain::squash::squash;

use super::worlds::{Members, cases, kind, members, parsed, payload};

/// One resource on a server: its members, or none where it does not exist.
type State = Option<IndexMap<String, Json>>;

/// What a server makes of one mutation: a creation of what is there, and an update, set the members they name.
fn apply(state: State, op: Op, data: &Payload) -> State {
    match op {
        Op::Delete => None,
        Op::Create | Op::Update => {
            let mut members = state.unwrap_or_default();
            members.extend(data.members());
            Some(members)
        }
    }
}

/// A queue of one resource that a client could have written: nothing is updated that is not there.
#[derive(Clone, Debug)]
struct History {
    kind: Kind,
    before: Option<Members>,
    entries: Vec<(Op, Option<Members>, bool)>,
}

impl History {
    /// The entries as a client queues them: by the server's id while there is one, then by the id of the entry that
    /// made the resource anew.
    fn queue(&self) -> Vec<Queued> {
        let mut id = self.before.as_ref().map(|_| String::from("r1"));
        let entries = self.entries.iter().enumerate().map(|(number, (op, data, tried))| {
            let resource_id = id.clone();
            id = match op {
                Op::Create | Op::Update => id.take().or_else(|| Some(format!("q{number}"))),
                Op::Delete => None,
            };
            Queued {
                id: format!("q{number}").into(),
                op: *op,
                kind: self.kind.clone(),
                resource_id: resource_id.map(Into::into),
                data: payload(data.as_ref()),
                base: Payload::ABSENT,
                created_at: None,
                retry_count: u32::from(*tried),
                last_error: None,
            }
        });
        entries.collect()
    }
}

fn history() -> impl Strategy<Value = History> {
    kind().prop_flat_map(|kind| {
        let step = (any::<Index>(), members(&kind), any::<bool>());
        let before = prop::option::of(members(&kind));
        (Just(kind), before, prop::collection::vec(step, 1..6)).prop_map(|(kind, before, steps)| {
            let mut there = before.is_some();
            let entries = steps.into_iter().map(|(choice, data, tried)| {
                // The phone sends what it sets on a bookmark that is there as a creation (PROTOCOL A9).
                let again = if kind == Kind::Bookmark { Op::Create } else { Op::Update };
                let op = if there { [Op::Update, again, Op::Delete][choice.index(3)] } else { Op::Create };
                there = op != Op::Delete;
                (op, (op != Op::Delete).then_some(data), tried)
            });
            let entries = entries.collect();
            History { kind, before, entries }
        })
    })
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn a_squashed_queue_leaves_the_same_state(history in history()) {
        let queue = history.queue();
        let before: State = history.before.as_ref().map(parsed);
        let positions: Vec<usize> = (0..queue.len()).collect();
        let squashed = squash(&queue, &positions);

        let one_by_one = queue.iter().fold(before.clone(), |state, m| apply(state, m.op, &m.data));
        let at_once = squashed.intents.iter().fold(before, |state, intent| apply(state, intent.op, &intent.data));
        prop_assert!(one_by_one == at_once);

        // Every original stands behind an intent or is named as cancelled out, exactly once.
        let mut kept: Vec<usize> = squashed.intents.iter().flat_map(|intent| intent.members.clone()).collect();
        kept.extend(squashed.cancelled);
        kept.sort_unstable();
        prop_assert_eq!(kept, positions);
        let ops: Vec<Op> = squashed.intents.iter().map(|intent| intent.op).collect();
        prop_assert!(ops.len() < 2 || matches!(ops[..], [Op::Delete, Op::Create | Op::Update]));
    }
}
