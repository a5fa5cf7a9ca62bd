//! Names and reading places that both sides give, in random histories against the model server: of what there can be
//! only one, one stands, and whatever does not is in the ledger, open or still in the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use unstick::domain::answer::{ResponseHead, read_page};
use unstick::domain::device::{Device, Known, SyncStatus};
use unstick::domain::field::{Choice, FieldPath};
use unstick::domain::inspect::{Inspection, Status, inspect};
use unstick::domain::json::{Json, Text};
use unstick::domain::mutation::{Cursor, Kind, Millis, Op, Payload, Queued, ResourceId, Side};
use unstick::domain::plan::{Plan, plan as plan_of};
use unstick::domain::resolution::{By, Chosen, Resolution, Unit};
use unstick::domain::strategy::{Strategy, choices_for_all};
use unstick::domain::window::{PullPath, Window, assemble};
use unstick::sandbox::model::{Caller, FirstSync, Model};
use unstick::sandbox::query::Query;
use unstick::sandbox::scopes::Scopes;

use super::rng::Rng;

const START: i64 = 1_790_000_000_000;
const SEEDS: u64 = 2_000;
const NAMES: [&str; 5] = ["Duas", "رمضان", "Travel", "Study", "Evening"];

struct World {
    rng: Rng,
    model: Model,
    now: i64,
    typed: usize,
}

impl World {
    fn tick(&mut self) -> Millis {
        self.now += 1 + i64::try_from(self.rng.below(5_000)).unwrap_or(0);
        Millis(self.now)
    }

    fn server(&mut self, mutation: Value) {
        let now = self.tick();
        let _ = self.model.other_device_writes(now, "web", &[mutation]);
    }

    fn ids(&self, kind: &Kind) -> Vec<ResourceId> {
        let live = self.model.live(kind).into_iter();
        live.filter(|(_, value)| value["isDefault"] != true).map(|(id, _)| id).collect()
    }

    /// A name, a place or a link, as somebody sets it; `None` where there is nothing to set it on.
    fn change(&mut self, of_device: bool) -> Option<Value> {
        let stamp = self.tick().to_iso();
        let name = NAMES[self.rng.below(NAMES.len())];
        let place = 1 + self.rng.below(6);
        let collection = {
            let ids = self.ids(&Kind::Collection);
            self.rng.pick(&ids).cloned()
        };
        Some(match self.rng.below(10) {
            0..=3 => {
                json!({"type":"UPDATE","resource":"COLLECTION","resourceId":collection?.as_str(),"data":{"name":name,"clientUpdatedAt":stamp}})
            }
            4 => json!({"type":"DELETE","resource":"COLLECTION","resourceId":collection?.as_str()}),
            5 if !of_device => {
                json!({"type":"CREATE","resource":"COLLECTION","data":{"name":name,"clientUpdatedAt":stamp}})
            }
            5 | 6 => {
                json!({"type":"CREATE","resource":"COLLECTION_BOOKMARK","data":{"collectionId":collection?.as_str(),"type":"ayah","key":place,"verseNumber":1,"mushaf":1}})
            }
            _ => {
                let flag = !self.rng.one_in(5);
                json!({"type":"CREATE","resource":"BOOKMARK","data":{"type":"ayah","key":place,"verseNumber":1,"isReading":flag,"mushaf":1,"clientUpdatedAt":stamp}})
            }
        })
    }
}

fn pull(model: &Model, since: Cursor) -> Window {
    let body =
        model.get(&Query { limit: 1000, ..Query::since(since) }, Scopes::ALL).expect("a page").to_json();
    let page = read_page(&ResponseHead::ok(), &Text::new(body.to_string()), 1).expect("a page");
    assemble(PullPath::SinceCursor, since, model.head(), vec![page])
}

/// Both sides after each has changed something since they agreed.
fn world(seed: u64) -> (World, Inspection) {
    let model = Model::new(FirstSync::Positive, Millis(START));
    let mut world = World { rng: Rng(seed), model, now: START, typed: 0 };
    for name in &NAMES[..4] {
        world.server(json!({"type":"CREATE","resource":"COLLECTION","data":{"name":name}}));
    }
    for _ in 0..5 {
        if let Some(change) = world.change(false).filter(|change| change["resource"] != "COLLECTION") {
            world.server(change);
        }
    }
    let mut device = Device::default();
    device.sync.cursor = Some(world.model.head());
    let mut known = Vec::new();
    for kind in Kind::KNOWN {
        for (id, data) in world.model.live(&kind) {
            known.push(Known {
                server_timestamp: world.model.written_at(&kind, &id),
                id,
                kind: kind.clone(),
                data: Payload::new(Text::new(data.to_string())),
                status: SyncStatus::Synced,
                local_updated_at: None,
            });
        }
    }
    device.known = Some(known);
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for number in 0..world.rng.below(6) {
        let Some(change) = world.change(true) else { continue };
        // A queue says one thing of a collection; of reading places it may say several.
        let id = change["resourceId"].as_str().map(str::to_owned);
        let of = id.clone().unwrap_or_else(|| format!("{} {}", change["resource"], change["data"]));
        if !taken.insert(of) || change["resource"] == "COLLECTION_BOOKMARK" && change["type"] == "DELETE" {
            continue;
        }
        device.queue.push(Queued {
            id: format!("q{number}").into(),
            op: Op::from_wire(change["type"].as_str().expect("a type")).expect("an operation"),
            kind: Kind::from_wire(change["resource"].as_str().expect("a kind")),
            resource_id: id.map(Into::into),
            data: change
                .get("data")
                .map_or(Payload::ABSENT, |data| Payload::new(Text::new(data.to_string()))),
            base: Payload::ABSENT,
            created_at: Some(Millis(world.now)),
            retry_count: 0,
            last_error: None,
        });
    }
    for _ in 0..world.rng.below(5) {
        if let Some(change) = world.change(false) {
            world.server(change);
        }
    }
    let window = pull(&world.model, device.sync.cursor.expect("in step"));
    let inspection = inspect(Arc::new(device), Arc::new(window));
    (world, inspection)
}

/// A rule for all, or by hand whatever can be chosen on what is open.
fn decided(world: &mut World, inspection: &Inspection) -> Resolution {
    let mut resolution = Resolution::default();
    if world.rng.one_in(2) {
        let rule = Strategy::ALL[world.rng.below(4)];
        resolution.choose(rule.name(), choices_for_all(inspection, &resolution, rule, |_| true));
    }
    // A second round answers what the first one asks.
    for _ in 0..2 {
        let units: Vec<Unit> = inspection
            .ids()
            .flat_map(|(id, pair)| {
                resolution
                    .open(id, pair)
                    .cloned()
                    .map(move |path| Unit { pair: id, path })
                    .collect::<Vec<_>>()
            })
            .collect();
        for unit in units {
            if world.rng.one_in(6) {
                continue;
            }
            let details = inspection.details(inspection.pair(unit.pair));
            let Some(field) = details.field(&unit.path) else { continue };
            world.typed += 1;
            let typed = Choice::Edited(Json::string(format!("typed {}", world.typed)));
            let is_name = [FieldPath::name(), FieldPath::other_name()].contains(&unit.path);
            let mut choices = vec![Choice::Device, Choice::Server, Choice::Both];
            choices.extend(is_name.then_some(typed));
            choices.retain(|choice| field.unavailable(choice).is_none());
            let choice = choices[world.rng.below(choices.len())].clone();
            resolution.choose("by hand", [(unit, Some(Chosen { choice, by: By::Hand }))]);
        }
    }
    resolution
}

/// Sends a plan as the push does, POST by POST; the device's own ids of collections do not occur here.
fn sent(model: &mut Model, now: i64, plan: &Plan) -> usize {
    let mut refused = 0;
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    for batch in &plan.batches {
        for item in &batch.items {
            let wire = serde_json::to_string(&item.wire).expect("it serialises");
            let mut wire: Value = serde_json::from_str(&wire).expect("it is JSON");
            if let Some(id) = item.parent.as_ref().and_then(|name| made.get(name)) {
                wire["data"]["collectionId"] = id.as_str().into();
            }
            let head = model.head();
            match model.post(Millis(now), Caller::with_all_scopes("t"), head, &[wire]) {
                Ok(applied) => {
                    let id = applied.mutations[0]["resourceId"].as_str().unwrap_or_default();
                    made.extend(item.names.iter().map(|name| (name.clone(), id.to_owned())));
                }
                Err(_) => refused += 1,
            }
        }
    }
    refused
}

fn names(model: &Model) -> BTreeMap<String, String> {
    let live = model.live(&Kind::Collection).into_iter();
    live.map(|(id, value)| (id.to_string(), value["name"].as_str().unwrap_or_default().to_owned())).collect()
}

fn place_read(model: &Model) -> Option<(String, Value)> {
    let live = model.live(&Kind::Bookmark).into_iter();
    let mut read = live.filter(|(_, value)| value["isReading"] == true);
    let first = read.next().map(|(id, value)| (id.to_string(), value["key"].clone()));
    assert!(read.next().is_none(), "one reading place");
    first
}

fn links(model: &Model) -> BTreeSet<(String, String)> {
    let text = |value: &Value, name: &str| value[name].to_string();
    let live = model.live(&Kind::Link).into_iter();
    live.map(|(_, value)| (text(&value, "collectionId"), text(&value, "key"))).collect()
}

/// What each side said and what was planned, for whoever reads a failure. Nothing in these worlds is private.
fn story(inspection: &Inspection, resolution: &Resolution, plan: &Plan) -> String {
    let mut lines = Vec::new();
    for (id, pair) in inspection.ids() {
        let queued = inspection.queued(pair).map(|m| format!("{} {:?}", m.op.wire(), m.data.as_str()));
        let served = inspection.served(pair).map(|m| format!("{} {:?}", m.op.wire(), m.data.as_str()));
        let (queued, served): (Vec<_>, Vec<_>) = (queued.collect(), served.collect());
        let chosen: Vec<_> = resolution.iter().filter(|(unit, _)| unit.pair == id).collect();
        lines.push(format!(
            "{} {} {:?} {queued:?} | {served:?} {chosen:?}",
            pair.kind.wire(),
            pair.key,
            pair.status
        ));
    }
    lines.extend(plan.items().map(|item| format!("push {:?}", serde_json::to_string(&item.wire))));
    lines.extend(
        plan.ledger.iter().map(|loss| format!("lost {} {} {}", loss.key, loss.path, loss.side.name())),
    );
    lines.extend(plan.hold.iter().map(|left| format!("hold {:?} {}", left.device, left.reason)));
    lines.join("\n")
}

#[test]
fn of_what_there_can_be_only_one_one_stands_and_nothing_else_is_lost_unseen() {
    let (mut contests, mut joined, mut rings, mut read) = (0, 0, 0, 0);
    for seed in 0..SEEDS {
        let (mut world, inspection) = world(seed);
        let resolution = decided(&mut world, &inspection);
        let plan = plan_of(&inspection, &resolution, Millis(world.now));
        let story = || story(&inspection, &resolution, &plan);
        let before = (names(&world.model), place_read(&world.model), links(&world.model));
        let now = world.now + 1;
        let refused = sent(&mut world.model, now, &plan);
        assert_eq!(refused, 0, "seed {seed}\n{}", story());
        let after = (names(&world.model), place_read(&world.model), links(&world.model));
        contests += inspection.pairs.iter().filter(|pair| pair.contest().is_some()).count();
        joined += plan.batches.iter().filter(|batch| batch.phase.name() == "joined-collections").count();
        rings += plan.warnings.iter().filter(|warning| warning.text.contains("exchange their names")).count();

        // Nobody's push gives two collections one name.
        for (id, name) in &after.0 {
            let others = after.0.iter().filter(|(other, named)| *other != id && *named == name);
            for (other, _) in others {
                let was = before.0.get(id) == Some(name) && before.0.get(other) == Some(name);
                assert!(was, "seed {seed}: {id} and {other} are both {name}\n{}", story());
            }
        }
        let waits = |pair| {
            plan.hold.iter().any(|left| left.pair == pair) || plan.open.iter().any(|unit| unit.pair == pair)
        };
        let lost = |key: &str, path: &str, side: Side| {
            plan.ledger.iter().any(|loss| loss.key == key && loss.path.as_str() == path && loss.side == side)
        };
        for (id, pair) in inspection.ids().filter(|(_, pair)| pair.kind == Kind::Collection) {
            let Some(own) = inspection.servers_id(pair).map(|id| id.to_string()) else { continue };
            let gone = lost(&pair.key, "", Side::Device) || lost(&pair.key, "", Side::Server);
            let deletes = pair.shape.op(Side::Device) == Some(Op::Delete)
                || pair.shape.op(Side::Server) == Some(Op::Delete);
            for side in [Side::Device, Side::Server] {
                let data = match side {
                    Side::Device => inspection.queued(pair).last().map(|m| m.data.members()),
                    Side::Server => inspection.primary(pair).map(|m| m.data.members()),
                };
                let Some(name) = data.and_then(|data| Some(data.get("name")?.as_str()?.to_owned())) else {
                    continue;
                };
                // What came of a name that one side gave since they agreed.
                let stands = after.0.get(&own) == Some(&name) || deletes;
                let base = inspection.base(pair).get("name").and_then(Json::as_str) == Some(name.as_str());
                // Joined, it stands on the other.
                let on_other = gone && after.0.values().any(|other| *other == name);
                let told = stands || base || on_other || waits(id) || lost(&pair.key, "/name", side);
                assert!(told, "seed {seed}: {name} of the {} is lost\n{}", side.name(), story());
            }
        }
        // The reading place that each side left: it stands, waits or is in the ledger.
        let device_reads = inspection.reading_place();
        if let Some(id) = device_reads {
            let pair = inspection.pair(id);
            let key = inspection.queued(pair).find_map(|m| Some(m.data.members().get("key")?.to_text()));
            let stands = after.1.as_ref().map(|(_, place)| place.to_string()) == key;
            let told = stands
                || waits(id)
                || lost(&pair.key, "/isReading", Side::Device)
                || lost(&pair.key, "", Side::Device)
                || pair.status == Status::Converged;
            assert!(told, "seed {seed}: the device's reading place is lost\n{}", story());
            read += usize::from(pair.contest().is_some());
        }
        if let Some((id, _)) = &before.1 {
            let stands = after.1.as_ref().is_some_and(|(now, _)| now == id);
            let pair = inspection.pairs.iter().find(|pair| {
                pair.kind == Kind::Bookmark
                    && inspection
                        .served(pair)
                        .any(|m| m.resource_id.as_ref().is_some_and(|own| own.as_str() == id))
            });
            // What both agreed on before is the device's to leave.
            let Some(pair) = pair else { continue };
            let row = inspection.known(&Kind::Bookmark, &ResourceId::from(id.as_str()));
            let agreed =
                row.is_some_and(|row| row.data.members().get("isReading") == Some(&Json::Bool(true)));
            let told = lost(&pair.key, "/isReading", Side::Server) || lost(&pair.key, "", Side::Server);
            let own = inspection.queued(pair).count() > 0;
            assert!(
                stands || agreed || told || own,
                "seed {seed}: the server's reading place is lost\n{}",
                story()
            );
        }
        // No link goes but with a collection that was deleted, and those of a joined one stand on the other.
        let deleted: BTreeSet<String> =
            before.0.keys().filter(|id| !after.0.contains_key(*id)).map(|id| json!(id).to_string()).collect();
        for (collection, key) in before.2.difference(&after.2) {
            assert!(deleted.contains(collection), "seed {seed}: a link is lost\n{}", story());
            let joined = inspection.pairs.iter().find(|pair| {
                pair.name_contest().is_some()
                    && inspection
                        .servers_id(pair)
                        .is_some_and(|id| collection.trim_matches('"') == id.as_str())
            });
            if let Some(into) = joined.and_then(|pair| pair.name_contest()?.id.clone()) {
                let moved = (json!(into.as_str()).to_string(), key.clone());
                assert!(
                    after.2.contains(&moved),
                    "seed {seed}: a link of a joined collection is lost\n{}",
                    story()
                );
            }
        }
    }
    assert!(contests > 300 && joined > 10 && rings > 3 && read > 100, "{contests} {joined} {rings} {read}");
}
