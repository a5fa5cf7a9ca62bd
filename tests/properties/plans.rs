//! Plans: nothing is invented, nothing is lost without a word, everything that was queued has a place, and a result
//! that was pushed leaves nothing to do.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use proptest::prelude::*;
use unstick::domain::ack::Acked;
use unstick::domain::field::{Base, Choice, Field, FieldPath, FieldShape, Verdict, compare};
use unstick::domain::fold::Fold;
use unstick::domain::identity::{self, Facts};
use unstick::domain::inspect::{Inspection, Pair, PairId, Status, inspect};
use unstick::domain::json::Json;
use unstick::domain::mutation::{
    Cursor, Kind, Millis, Op, Payload, Queued, ResourceId, ServerMutation, Side, WireMutation,
};
use unstick::domain::phone::Feed;
use unstick::domain::plan::{MAX_BATCH, Plan, plan as plan_of};
use unstick::domain::rebase;
use unstick::domain::resolution::Resolution;
use unstick::domain::window::{PullPath, Window};

use super::order::canonical;
use super::resolutions::{TYPED, Way, decided, way};
use super::worlds::{cases, world};

const NOW: Millis = Millis(1_790_000_000_000);

pub type Members = IndexMap<String, Json>;

/// The states that a pair's resource has on the server once the plan is pushed: the one that was there, as changed,
/// and one for each that is made anew.
pub fn states_after(inspection: &Inspection, plan: &Plan, id: PairId) -> Vec<Members> {
    let pair = inspection.pair(id);
    let server = inspection.primary(pair);
    let mut there: Option<Members> = server.filter(|m| m.op != Op::Delete).map(|m| m.data.members());
    let mut made: Vec<Members> = Vec::new();
    for item in plan.items().filter(|item| item.pair == id) {
        let data = item.wire.data.members();
        match (item.wire.op, &item.wire.resource_id) {
            (Op::Delete, _) => there = None,
            (Op::Create, None) if item.wire.kind != Kind::Link => made.push(data),
            (Op::Create | Op::Update, _) => there.get_or_insert_default().extend(data),
        }
    }
    made.extend(there);
    made
}

/// Whether one of `states` holds what `members` hold in the field.
fn holds(kind: &Kind, states: &[Members], members: &Members, field: &Field) -> bool {
    states.iter().any(|state| {
        let same = at(members, field.path.as_str())
            .is_some_and(|value| at(state, field.path.as_str()) == Some(value));
        let fields = compare(kind, &IndexMap::new(), members, state);
        let mut here = fields.iter().filter(|f| {
            let (a, b) = (f.path.as_str(), field.path.as_str());
            a.starts_with(b) || b.starts_with(a)
        });
        same || here.all(|f| f.verdict == Verdict::Equal)
    })
}

/// The value at a path that names no coupled unit.
fn at<'m>(members: &'m Members, path: &str) -> Option<&'m Json> {
    let mut names = path.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"));
    let first = members.get(&names.next()?);
    names.fold(first, |value, name| value?.as_object()?.get(&name))
}

/// What each side says of a pair's resource.
fn says(inspection: &Inspection, pair: &Pair, side: Side) -> Members {
    match side {
        Side::Device => {
            let intents = inspection.details(pair).intents;
            intents.last().map(|intent| intent.data.members()).unwrap_or_default()
        }
        Side::Server => inspection.primary(pair).map(|m| m.data.members()).unwrap_or_default(),
    }
}

fn planned(inspection: &Inspection, way: &Way) -> (Resolution, Plan) {
    let resolution = decided(inspection, way);
    let plan = plan_of(inspection, &resolution, NOW);
    (resolution, plan)
}

proptest! {
    #![proptest_config(cases(500))]

    /// Every queued mutation is sent, dropped or held, exactly once.
    #[test]
    fn every_queued_mutation_has_one_place(
        world in world(),
        way in way(),
    ) {
        let inspection = world.inspection();
        let (_, plan) = planned(&inspection, &way);
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let sent = plan.items().flat_map(|item| item.members.clone());
        let sent: BTreeSet<String> = sent.map(|id| id.to_string()).collect();
        let left = plan.drop.iter().chain(&plan.hold).flat_map(|left| &left.device).map(ToString::to_string);
        for id in sent.into_iter().chain(left) {
            *places.entry(id).or_default() += 1;
        }
        let expected: BTreeMap<String, usize> =
            inspection.device.queue.iter().map(|m| (m.id.to_string(), 1)).collect();
        prop_assert_eq!(places, expected);
        prop_assert!(plan.batches.iter().all(|batch| batch.items.len() <= MAX_BATCH && !batch.items.is_empty()));
    }

    /// No value is sent that neither side, nor the base, nor a person gave.
    #[test]
    fn nothing_is_invented(world in world(), way in way()) {
        let inspection = world.inspection();
        let (_, plan) = planned(&inspection, &way);
        for item in plan.items() {
            let pair = inspection.pair(item.pair);
            let queued = inspection.queued(pair).flat_map(|m| [&m.data, &m.base]);
            let served = inspection.served(pair).map(|m| &m.data);
            let ids = inspection.queued(pair).filter_map(|m| m.resource_id.as_ref())
                .chain(inspection.served(pair).filter_map(|m| m.resource_id.as_ref()));
            let rows = ids.filter_map(|id| inspection.known(&pair.kind, id)).map(|row| &row.data);
            let sources: Vec<Members> = queued.chain(served).chain(rows).map(Payload::members).collect();
            for (name, value) in item.wire.data.members() {
                let stamp = matches!(name.as_str(), "clientUpdatedAt" | "clientCreatedAt");
                let time = |value: &Json| Millis::from_json(value);
                let given = sources.iter().filter_map(|members| members.get(&name)).any(|source| {
                    *source == value || (stamp && time(source).is_some() && time(source) == time(&value))
                });
                let put_together = match &value {
                    Json::String(text) => text == TYPED || joined_of(&sources, &name, text),
                    Json::Array(list) => list.iter().all(|element| element_of(&sources, &name, element)),
                    Json::Object(_) => true,
                    Json::Null | Json::Bool(_) | Json::Number(_) | Json::Opaque(_) => false,
                };
                let arrived = name == "collectionId" && inspection.pairs.iter().any(|p| p.kind == Kind::Collection);
                let own_stamp = stamp && value == Json::string(NOW.to_iso());
                // What another entry of the queue made the reading place is none here.
                let sets_reading = |m: &Queued| m.data.members().get("isReading") == Some(&Json::Bool(true));
                let replaced = pair.kind == Kind::Bookmark && name == "isReading" && value == Json::Bool(false)
                    && inspection.device.queue.iter().any(sets_reading);
                // The two names of the edition are one member (PROTOCOL D10).
                let edition = name == "mushafId" || name == "mushaf";
                prop_assert!(
                    given || put_together || arrived || own_stamp || edition || replaced,
                    "{} {name}: {}", pair.kind.wire(), canonical(&value)
                );
            }
        }
    }

    /// Every value that a side changed is in the result or in the ledger.
    #[test]
    fn nothing_is_lost_without_a_word(world in world(), way in way()) {
        let inspection = world.inspection();
        let (resolution, plan) = planned(&inspection, &way);
        let waits: BTreeSet<PairId> = plan.hold.iter().map(|left| left.pair).chain(plan.open.iter().map(|unit| unit.pair)).collect();
        for (id, pair) in inspection.ids().filter(|(id, pair)| !waits.contains(id) && !pair.device.is_empty()) {
            let details = inspection.details(pair);
            let deletes = details.intents.last().is_some_and(|intent| intent.op == Op::Delete);
            // The device's own creation coming back is no change of somebody else's.
            let own_echo = pair.status == Status::Push && deletes;
            let states = states_after(&inspection, &plan, id);
            let lost = |side: Side, path: &str, value: &Json| {
                plan.ledger.iter().any(|l| l.pair == id && l.side == side && l.path.as_str() == path && l.value == *value)
            };
            // What the server's collection is to be called is a question, not a member: see the laws of contests.
            let members = details.fields.iter().filter(|field| field.path != FieldPath::other_name());
            for field in members.filter(|field| field.shape != FieldShape::Bookkeeping) {
                for side in [Side::Device, Side::Server] {
                    let Some(value) = field.value(side).filter(|_| field.changed_by(side)) else { continue };
                    if field.shape == FieldShape::Existence {
                        let op = value.as_str().unwrap_or_default();
                        let stands = if op == "DELETE" { states.is_empty() } else { !states.is_empty() };
                        let named = lost(side, "", value) || plan.ledger.iter().any(|l| l.pair == id && l.side == side);
                        // A server's write that changed nothing is nothing to lose.
                        let idle = side == Side::Server && op != "DELETE"
                            && details.fields.iter().all(|f| f.path.is_existence() || f.shape == FieldShape::Bookkeeping || !f.changed_by(side));
                        prop_assert!(stands || named || own_echo || idle, "{} {op} of the {} is lost", pair.kind.wire(), side.name());
                        continue;
                    }
                    let both = resolution.get(id, &field.path).map_or_else(|| field.settled(), |c| Some(c.choice.clone())) == Some(Choice::Both);
                    let kept = holds(&pair.kind, &states, &says(&inspection, pair, side), field);
                    prop_assert!(
                        kept || both || own_echo || lost(side, field.path.as_str(), value),
                        "{} {}: {} of the {} is lost ({:?})", pair.kind.wire(), field.path, canonical(value), side.name(), field.base == Base::Absent
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(500))]

    /// After a push, the device in front of its own writes coming back has nothing to send and nothing to choose.
    #[test]
    fn a_pushed_result_leaves_nothing_to_do(world in world(), way in way()) {
        let inspection = world.inspection();
        let (resolution, plan) = planned(&inspection, &way);
        // Resources that contend for a name or the reading place change with each other; `contests` has their laws.
        let contend = inspection.pairs.iter().any(|pair| pair.rival.is_some());
        if contend || !plan.hold.is_empty() || !plan.open.is_empty() || plan.items().any(|item| item.parent.is_some()) {
            return Ok(());
        }
        let mut server = Server::before(&inspection);
        let mut fold = Fold::new(&inspection);
        for batch in &plan.batches {
            let acked: Vec<Acked> = batch.items.iter().map(|item| server.take(&item.wire)).collect();
            fold.acknowledge(&inspection, &batch.items, &acked);
        }
        // What was decided without a push still has to be taken over.
        let (device, window) = fold.parts();
        let rest = inspect(device, window);
        let carried = rebase::carry(&inspection, &resolution, &rest, None);
        prop_assert!(carried.reopened.is_empty());
        let remaining = plan_of(&rest, &carried.resolution, NOW);
        prop_assert_eq!((remaining.pushed(), remaining.open.len()), (0, 0));
        fold.finish(&rest, &remaining, &HashSet::new(), Cursor::read(server.now), NOW);
        let device = fold.device();
        prop_assert!(device.queue.is_empty());
        let again = inspect(Arc::new(device), Arc::new(server.echo()));
        prop_assert_eq!((again.summary.push, again.summary.diverged, again.summary.blocked), (0, 0, 0));
        if inspection.device.known.is_some() {
            // The deletion of a session that the device no longer has is applied again (PROTOCOL A8).
            let news = again.pairs.iter().filter(|p| p.status == Status::Apply && p.shape.server != Some(Op::Delete));
            prop_assert_eq!(news.map(|pair| pair.key.clone()).collect::<Vec<_>>(), Vec::<String>::new());
        }
    }
}

/// What a server holds of the resources of a window, and what was written since.
pub struct Server {
    states: BTreeMap<(Kind, String), Members>,
    written: BTreeMap<(Kind, String), ServerMutation>,
    now: i64,
}

impl Server {
    pub fn before(inspection: &Inspection) -> Self {
        let living = inspection.window.mutations.iter().filter(|m| m.op != Op::Delete);
        let states = living.filter_map(|m| {
            let id =
                m.resource_id.as_ref().map(ToString::to_string).or_else(|| identity::link_id(&m.data))?;
            Some(((m.kind.clone(), id), m.data.members()))
        });
        Self { states: states.collect(), written: BTreeMap::new(), now: 1000 }
    }

    /// Carries out one mutation.
    pub fn take(&mut self, wire: &WireMutation) -> Acked {
        self.now += 1;
        let given =
            wire.resource_id.as_ref().map(ToString::to_string).or_else(|| identity::link_id(&wire.data));
        let id = given.unwrap_or_else(|| match Facts::of(&Kind::Link, &wire.data, false).collection {
            Some(collection) if wire.kind == Kind::Link => format!("{collection}-new{}", self.now),
            _ => format!("new{}", self.now),
        });
        let key = (wire.kind.clone(), id.clone());
        let mut data = Payload::ABSENT;
        if wire.op == Op::Delete {
            self.states.remove(&key);
        } else {
            let state = self.states.entry(key.clone()).or_default();
            state.extend(wire.data.members());
            data = Payload::from_members(state);
        }
        let timestamp = Millis(self.now);
        let echo = ServerMutation {
            op: wire.op,
            kind: wire.kind.clone(),
            resource_id: Some(id.as_str().into()),
            data,
            timestamp,
        };
        self.written.insert(key, echo);
        Acked { resource_id: Some(ResourceId::from(id)), timestamp: Some(timestamp) }
    }

    /// When it last wrote.
    pub const fn now(&self) -> i64 {
        self.now
    }

    /// What was written behind this head.
    pub fn echo_after(&self, since: Cursor) -> Window {
        let mut window = self.echo();
        window.since = since;
        window.mutations.retain(|m| m.timestamp.0 > since.value());
        window
    }

    /// The feed since the push.
    fn echo(&self) -> Window {
        let mut mutations: Vec<ServerMutation> = self.written.values().cloned().collect();
        mutations.sort_by_key(|m| m.timestamp);
        Window {
            path: PullPath::SinceCursor,
            since: Cursor::ZERO,
            head: Cursor::read(self.now),
            mutations,
            unreadable: Vec::new(),
            phone: Feed::default(),
            warnings: Vec::new(),
            not_visible: Vec::new(),
        }
    }
}

/// A text that is one after the other of two texts.
fn joined_of(sources: &[Members], name: &str, text: &str) -> bool {
    let texts: Vec<&str> = sources.iter().filter_map(|m| m.get(name)?.as_str()).collect();
    texts.iter().any(|one| texts.iter().any(|other| format!("{one}\n\n{other}") == text))
}

fn element_of(sources: &[Members], name: &str, element: &Json) -> bool {
    let lists = sources.iter().filter_map(|members| members.get(name));
    lists.into_iter().any(|list| matches!(list, Json::Array(items) if items.contains(element)))
}
