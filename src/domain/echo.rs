//! Which of the device's queued mutations came back: the server's state of a resource held against what each entry, with
//! those before it, would have left there. What came back is done, and what came back is what both sides last agreed
//! on; without that a device that lost an answer and went on editing would be in conflict with itself.

use indexmap::IndexMap;

use super::field::{self, FieldPath, FieldShape, Verdict};
use super::json::Json;
use super::mutation::{Kind, Millis, Op, Queued, ServerMutation};

/// The members of a resource.
type Members = IndexMap<String, Json>;

/// The queue entries of one resource, in order, and what was known of it before them.
#[derive(Clone, Copy)]
pub struct Chain<'a> {
    /// The kind of the resource.
    pub kind: &'a Kind,
    /// The entries.
    pub entries: &'a [&'a Queued],
    /// What both sides agreed on before the first entry, as far as it was recorded.
    pub recorded: &'a Members,
    /// Whether the answer to a POST with this entry was lost, by the push or its journal.
    pub in_doubt: &'a dyn Fn(&Queued) -> bool,
}

impl Chain<'_> {
    /// How many of the first entries the server's `state` shows to have arrived, where something is left behind them.
    /// An entry has come back when what it carries stands there and the client's times agree; where one side tells no
    /// time, when all that the entries up to it amount to stands there and a POST may have carried it.
    ///
    /// 0 where none came back, and also where the last one did: then both sides agree as they stand.
    pub fn came_back(&self, state: &ServerMutation) -> usize {
        if self.entries.len() < 2 {
            return 0;
        }
        let arrived = match state.op {
            Op::Delete => self.entries.iter().rposition(|entry| entry.op == Op::Delete),
            Op::Create | Op::Update => {
                let holds = state.data.members();
                let (states, last_left) = (self.states(), self.last_left());
                let left = |at: usize| last_left.is_some_and(|last| at <= last);
                let came = |at: &usize| self.is_state_after(*at, &states[*at], &holds, left(*at));
                (0..self.entries.len()).rev().find(came)
            }
        };
        arrived.map(|at| at + 1).filter(|done| *done < self.entries.len()).unwrap_or_default()
    }

    /// What both sides agree on once the first `done` entries came back as `state`. A field that neither an entry nor a
    /// record speaks of is as the server has it; one that does not hold what they say was changed by somebody else
    /// since, and stays as they say.
    pub fn agreed(&self, done: usize, state: &ServerMutation) -> Members {
        if state.op == Op::Delete {
            return Members::new();
        }
        let mut agreed = state.data.members();
        let states = self.states();
        if let Some(after) = done.checked_sub(1).and_then(|at| states.get(at)) {
            agreed.extend(after.all(self.recorded));
        }
        agreed
    }

    /// The values of the server's `state` that an entry had sent and a later one went over: they are the device's own,
    /// although somebody wrote other fields after it. Only what two people would hardly write alike.
    pub fn came_back_below(&self, state: &ServerMutation) -> Members {
        if self.entries.len() < 2 || state.op == Op::Delete {
            return Members::new();
        }
        // What was deleted since is nobody's wish any more.
        let living = self.entries.iter().rposition(|e| e.op == Op::Delete).map_or(0, |at| at + 1);
        let holds = state.data.members();
        let mut own = Members::new();
        let last_left = self.last_left();
        for (at, entry) in self.entries.iter().enumerate().skip(living) {
            let left = last_left.is_some_and(|last| at <= last);
            let set = entry.data.members();
            let fields = field::compare(self.kind, &Members::new(), &set, &holds);
            let told = fields.iter().filter(|f| f.verdict == Verdict::Equal && tells(f.shape, left));
            for field in told {
                if let Some(value) = &field.server {
                    field::set_member(self.kind, &mut own, &field.path, value);
                }
            }
        }
        own
    }

    /// The last entry that a POST may have carried; it may have carried those before it as well.
    fn last_left(&self) -> Option<usize> {
        self.entries.iter().rposition(|entry| entry.maybe_sent() || (self.in_doubt)(entry))
    }

    /// Whether `holds` is what entry `at` and those before it come to; `left`: a POST may have carried it.
    fn is_state_after(&self, at: usize, after: &State, holds: &Members, left: bool) -> bool {
        let entry = self.entries[at];
        if entry.op == Op::Delete {
            return false;
        }
        let own = entry.data.members();
        if let (Some(device), Some(server)) = (stamp(&own), stamp(holds)) {
            return same_moment(device, server) && self.agrees(&own, holds, |_| true);
        }
        // What the record says and no entry set may be missing from the server's state.
        let not_set = |path: &FieldPath| !after.sets(path);
        let wrote = own.get("body").is_some_and(|body| matches!(body, Json::String(_)));
        (left || wrote) && self.agrees(&after.all(self.recorded), holds, not_set)
    }

    /// Whether the server's state holds all of `wanted`; `may_lack` names what it need not repeat.
    fn agrees(&self, wanted: &Members, holds: &Members, may_lack: impl Fn(&FieldPath) -> bool) -> bool {
        field::compare(self.kind, &Members::new(), wanted, holds).iter().all(|field| {
            let same = match field.verdict {
                Verdict::Equal | Verdict::ServerOnly | Verdict::SameChange => true,
                Verdict::DeviceOnly => may_lack(&field.path),
                Verdict::Conflict => false,
            };
            same || field.shape == FieldShape::Bookkeeping
        })
    }

    /// What the resource is after each entry, as far as it is known.
    fn states(&self) -> Vec<State> {
        let mut states: Vec<State> = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            let mut state = match (entry.op, states.last()) {
                (Op::Delete, _) => State { anew: true, set: Members::new() },
                (Op::Create | Op::Update, Some(before)) => before.clone(),
                // A creation that names the server's id sets what is there.
                (Op::Create, None) => State { anew: entry.resource_id.is_none(), set: Members::new() },
                (Op::Update, None) => State { anew: false, set: Members::new() },
            };
            state.set.extend(entry.data.members());
            states.push(state);
        }
        states
    }
}

/// Whether a value of this shape is known by its value alone; `left`: a POST may have carried it.
const fn tells(shape: FieldShape, left: bool) -> bool {
    match shape {
        FieldShape::Text => true,
        FieldShape::Set | FieldShape::Position => left,
        FieldShape::Plain | FieldShape::Existence | FieldShape::Bookkeeping => false,
    }
}

/// What some entries amount to.
#[derive(Clone)]
struct State {
    /// Whether what was recorded before them says nothing any more.
    anew: bool,
    set: Members,
}

impl State {
    fn all(&self, recorded: &Members) -> Members {
        let mut all = if self.anew { Members::new() } else { recorded.clone() };
        all.extend(self.set.clone());
        all
    }

    fn sets(&self, path: &FieldPath) -> bool {
        // A coupled unit is set with any of its members.
        path.as_str().split(['/', '+']).any(|name| self.set.contains_key(name))
    }
}

fn stamp(members: &Members) -> Option<Millis> {
    members.get("clientUpdatedAt").and_then(Millis::from_json)
}

/// Whether two client times are the same, also where the server keeps whole seconds.
pub fn same_moment(device: Millis, server: Millis) -> bool {
    device == server
        || (server.0.rem_euclid(1000) == 0 && device.0.div_euclid(1000) == server.0.div_euclid(1000))
}

#[cfg(test)]
mod tests {
    use crate::domain::inspect::{Inspection, Status};
    use crate::domain::json::Json;
    use crate::domain::mutation::Millis;
    use crate::domain::plan::plan;
    use crate::domain::resolution::Resolution;
    use crate::domain::strategy::{Strategy, choices_for_all};
    use crate::testing::inspection;

    const FIRST: &str = "2026-05-19T10:16:30.120Z";
    const SECOND: &str = "2026-05-19T10:17:30.450Z";
    const OTHERS: &str = "2026-05-19T11:00:00.780Z";

    /// A note that was "first"; it was changed to "second", which was sent and never answered, and then by `later`.
    fn note(later: &str, server: &str) -> Inspection {
        let device = format!(
            r#"{{"queue":[
              {{"id":"q1","type":"UPDATE","resource":"NOTE","resourceId":"n1","retryCount":1,"lastError":"timeout","createdAt":1,
                "data":{{"body":"second","clientUpdatedAt":"{FIRST}"}}}},
              {{"id":"q2","resource":"NOTE","resourceId":"n1","createdAt":2,{later}}}],
              "resources":[{{"id":"n1","resource":"NOTE","syncStatus":"synced",
                "data":{{"body":"first","ranges":["1:1-1:1"]}}}}]}}"#
        );
        let feed = format!(
            r#"[{{"type":"UPDATE","resource":"NOTE","resourceId":"n1","timestamp":150,"data":{server}}}]"#
        );
        inspection(&device, &feed)
    }

    fn update(body: &str) -> String {
        format!(r#""type":"UPDATE","data":{{"body":"{body}","clientUpdatedAt":"{SECOND}"}}"#)
    }

    fn server(body: &str, ranges: &str, stamp: &str) -> String {
        format!(r#"{{"body":"{body}","ranges":["{ranges}"],"clientUpdatedAt":"{stamp}"}}"#)
    }

    /// What each strategy sends, and how much it loses and leaves open.
    fn sent(inspection: &Inspection) -> Vec<(String, usize, usize)> {
        let planned = |strategy| {
            let mut resolution = Resolution::default();
            let choices = choices_for_all(inspection, &resolution, strategy, |_| true);
            resolution.choose("a rule", choices);
            let plan = plan(inspection, &resolution, Millis(1_790_000_000_000));
            let bodies = plan.items().map(|item| {
                let body = item.wire.data.members().get("body").map(Json::to_text);
                format!("{} {}", item.wire.op.wire(), body.unwrap_or_default())
            });
            (bodies.collect::<Vec<_>>().join(", "), plan.ledger.len(), plan.open.len())
        };
        Strategy::ALL.into_iter().map(planned).collect()
    }

    #[test]
    fn the_last_wish_outlives_an_answer_that_was_lost() {
        // Back to what it was, and on to something else.
        for wish in ["first", "third"] {
            let inspection = note(&update(wish), &server("second", "1:1-1:1", FIRST));
            assert_eq!(inspection.pairs[0].done, 1);
            let expected = (format!(r#"UPDATE "{wish}""#), 0, 0);
            assert_eq!(sent(&inspection), vec![expected; 4]);
        }
        let deleted = note(r#""type":"DELETE""#, &server("second", "1:1-1:1", FIRST));
        assert_eq!(sent(&deleted), vec![(String::from("DELETE "), 0, 0); 4]);
    }

    #[test]
    fn what_another_wrote_on_top_is_kept_and_what_it_wrote_over_is_asked() {
        // Another field: the body that stands there is still the device's own.
        let beside = note(&update("third"), &server("second", "2:2-2:2", OTHERS));
        assert_eq!(beside.pairs[0].status, Status::Push);
        assert_eq!(sent(&beside), vec![(String::from(r#"UPDATE "third""#), 0, 0); 4]);
        // The same field: nobody but a person or a rule can tell.
        let over = note(&update("third"), &server("fourth", "1:1-1:1", OTHERS));
        assert_eq!(over.pairs[0].status, Status::Diverged);
        assert_eq!(
            sent(&over).iter().map(|(_, lost, open)| (*lost, *open)).collect::<Vec<_>>(),
            [(1, 0), (1, 0), (1, 0), (0, 1)]
        );
        // A deletion would take what the other wrote as well, though the last stamp is the device's.
        let gone = note(r#""type":"DELETE""#, &server("second", "2:2-2:2", FIRST));
        assert_eq!(gone.pairs[0].status, Status::Diverged);
    }
}
