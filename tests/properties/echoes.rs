//! Echo first: if only this device wrote, every strategy ends in the device's last wish, with nothing open, an empty
//! ledger and nothing sent twice. Whatever the queue says, and wherever it was cut when the answer was lost.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use unstick::domain::answer::{ResponseHead, read_page, read_post};
use unstick::domain::device::{Device, Known, SyncState, SyncStatus};
use unstick::domain::inspect::inspect;
use unstick::domain::json::Text;
use unstick::domain::mutation::{Cursor, Kind, Millis, Op, Payload, Queued, ServerMutation};
use unstick::domain::phone::Feed;
use unstick::domain::plan::plan;
use unstick::domain::push::{Do, End, Got, Options, Outcome, Planned, Posted, Push};
use unstick::domain::resolution::Resolution;
use unstick::domain::strategy::{Strategy, choices_for_all};
use unstick::domain::window::{PullPath, Window, assemble};
use unstick::sandbox::model::{Caller, FirstSync, Model};
use unstick::sandbox::query::Query;
use unstick::sandbox::scopes::Scopes;

use super::rng::Rng;

/// How many worlds a usual run goes through; `UNSTICK_ECHO_SEEDS=FROM..TO` for another range.
const SEEDS: std::ops::Range<u64> = 0..8_000;

const START: i64 = 1_790_000_000_000;

/// A resource as somebody holds it: the id it is named by, and what it says.
#[derive(Clone, Debug, PartialEq)]
struct Resource {
    id: String,
    data: Map<String, Value>,
}

/// What a device did to one resource, what of it the server has, and what the device wants in the end.
struct History {
    kind: Kind,
    queue: Vec<Queued>,
    known: Option<Vec<Known>>,
    feed: Vec<ServerMutation>,
    /// What lives on the server.
    server: Option<Resource>,
    /// What the device shows its user.
    wish: Option<Map<String, Value>>,
    told: String,
    /// Whether the feed shows what lives on the server.
    arrived: bool,
}

/// The members that a client sets, of which a later write may set some.
fn members(kind: &Kind, rng: &mut Rng, step: usize, whole: bool) -> Map<String, Value> {
    let word = if rng.one_in(3) { rng.below(2) } else { 10 + step };
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    match kind {
        Kind::Note => {
            let body = whole || !rng.one_in(4);
            if body {
                set("body", json!(format!("نص {word} of it")));
            }
            if whole || !body || rng.one_in(3) {
                set("ranges", json!([format!("2:{}-2:{}", 1 + word, 2 + word)]));
            }
        }
        Kind::Collection => set("name", json!(format!("List {word}"))),
        Kind::Bookmark => {
            for (name, value) in [("type", json!("ayah")), ("key", json!(2)), ("verseNumber", json!(255))] {
                set(name, value);
            }
            set("isReading", json!(rng.one_in(2)));
        }
        Kind::Link => {
            for (name, value) in [("collectionId", json!("c1")), ("type", json!("ayah"))] {
                set(name, value);
            }
            set("key", json!(2));
            set("verseNumber", json!(255));
        }
        Kind::ReadingSession => {
            set("chapterNumber", json!(1 + word));
            set("verseNumber", json!(1 + word));
        }
        Kind::Other(_) => {
            set("colour", json!(format!("colour {word}")));
            if whole || rng.one_in(2) {
                set("weight", json!(word));
            }
        }
    }
    members
}

fn payload(data: &Map<String, Value>) -> Payload {
    Payload::new(Text::new(Value::Object(data.clone()).to_string()))
}

fn is_stamp(name: &str) -> bool {
    matches!(name, "clientCreatedAt" | "clientUpdatedAt")
}

/// Without what tells the times.
fn bare(data: &Map<String, Value>) -> Map<String, Value> {
    data.iter()
        .filter(|(name, _)| !is_stamp(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

impl History {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let kinds = [Kind::KNOWN.to_vec(), vec![Kind::Other("HIGHLIGHT".into())]].concat();
        let kind = kinds[rng.below(kinds.len())].clone();
        let stamps = rng.one_in(2);
        let server_stamps = stamps && !rng.one_in(5);
        let based = rng.one_in(2);
        // By content alone a creation is not known again once another id stands for it.
        let assigned = rng.one_in(2) && (server_stamps || kind == Kind::Bookmark);
        let clock = |step: usize| json!(Millis(START + 1_000 * step as i64 + 17).to_iso());
        let length = 1 + rng.below(6);
        let cut = rng.below(length + 1);

        let old =
            (!rng.one_in(2)).then(|| Resource { id: "n1".into(), data: members(&kind, &mut rng, 0, true) });
        let (mut server, mut device) = (old.clone(), old.as_ref().map(|old| old.data.clone()));
        // What the feed says of each of the server's ids.
        let mut feed: Vec<(String, Op, Map<String, Value>, i64)> = Vec::new();
        let mut queue: Vec<Queued> = Vec::new();
        let mut name = old.as_ref().map(|old| old.id.clone());
        let mut made = 1;
        for step in 0..length {
            let arrives = step < cut;
            let op = match &device {
                None => Op::Create,
                Some(_) if kind == Kind::Link || rng.one_in(4) => Op::Delete,
                Some(_) if kind == Kind::Bookmark && rng.one_in(2) => Op::Create,
                Some(_) => Op::Update,
            };
            // Of what is gone the feed tells nothing: a deletion by an id that came from nowhere cannot be told from
            // one of something else.
            let named = name.as_deref().is_some_and(|name| name != "n1" && name.starts_with('n'));
            let op = if op == Op::Delete && named && arrives { Op::Update } else { op };
            let before = device.clone();
            let mut data = Map::new();
            if op != Op::Delete {
                data = members(&kind, &mut rng, step + 1, device.is_none());
                if stamps && op == Op::Create {
                    data.insert("clientCreatedAt".into(), clock(step));
                }
                if stamps {
                    data.insert("clientUpdatedAt".into(), clock(step));
                }
            } else if kind == Kind::Link {
                data = members(&kind, &mut rng, 0, true);
            }
            let entry = format!("q{step}");
            let resource_id = if kind == Kind::Link { None } else { name.clone() };
            device = match op {
                Op::Delete => None,
                Op::Create | Op::Update => {
                    let mut all = device.unwrap_or_default();
                    all.extend(data.clone());
                    Some(all)
                }
            };
            if op == Op::Delete {
                name = None;
            }
            if arrives {
                let at = START + 10 * step as i64;
                match op {
                    Op::Delete => {
                        if let Some(gone) = server.take() {
                            feed.retain(|(id, ..)| *id != gone.id);
                            let data = if kind == Kind::Link { gone.data } else { Map::new() };
                            feed.push((gone.id, Op::Delete, bare(&data), at));
                        }
                    }
                    Op::Create | Op::Update => {
                        let new = server.is_none();
                        let mut resource = server.take().unwrap_or_else(|| {
                            made += 1;
                            Resource { id: format!("n{made}"), data: Map::new() }
                        });
                        resource.data.extend(data.clone());
                        feed.retain(|(id, ..)| *id != resource.id);
                        let op = if new { Op::Create } else { Op::Update };
                        let mut shown = resource.data.clone();
                        if !server_stamps {
                            shown = bare(&shown);
                        }
                        feed.push((resource.id.clone(), op, shown, at));
                        server = Some(resource);
                    }
                }
            }
            if name.is_none() && op != Op::Delete {
                let known_by = server.as_ref().filter(|_| arrives && assigned);
                name = Some(known_by.map_or_else(|| entry.clone(), |resource| resource.id.clone()));
            }
            let recorded = before.filter(|_| based && op == Op::Update).map(|before| payload(&bare(&before)));
            queue.push(Queued {
                id: entry.into(),
                op,
                kind: kind.clone(),
                resource_id: resource_id.map(Into::into),
                data: if data.is_empty() { Payload::ABSENT } else { payload(&data) },
                base: recorded.unwrap_or(Payload::ABSENT),
                created_at: Some(Millis(START + 1_000 * step as i64)),
                retry_count: u32::from(arrives),
                last_error: None,
            });
        }
        let row = |old: &Resource| Known {
            id: if kind == Kind::Link { "c1-b1".into() } else { old.id.as_str().into() },
            kind: kind.clone(),
            data: payload(&old.data),
            status: SyncStatus::Synced,
            local_updated_at: None,
            server_timestamp: None,
        };
        let known = rng.one_in(2).then(|| old.iter().map(row).collect());
        let told = format!(
            "seed {seed}: {}, {length} entries, cut at {cut}, stamps {stamps}/{server_stamps}, bases {based}, assigned {assigned}",
            kind.wire()
        );
        let arrived = feed.iter().any(|(id, ..)| server.as_ref().is_some_and(|server| server.id == *id));
        let feed = feed.into_iter().map(|(id, op, data, at)| ServerMutation {
            op,
            kind: kind.clone(),
            resource_id: (kind != Kind::Link).then(|| id.as_str().into()),
            data: payload(&data),
            timestamp: Millis(at),
        });
        Self {
            feed: feed.collect(),
            kind,
            queue,
            known,
            server,
            wish: device.map(|data| bare(&data)),
            told,
            arrived,
        }
    }

    /// Both sides in short, for whoever looks into a failure.
    fn shown(&self) -> String {
        let mut shown = self.told.clone();
        for entry in &self.queue {
            let id = entry.resource_id.as_ref().map_or("-", |id| id.as_str());
            let data = entry.data.as_str().unwrap_or("");
            let base = entry.base.as_str().unwrap_or("");
            let _ = write!(
                shown,
                "\n  {} {} {id} tried {} {data} base {base}",
                entry.id,
                entry.op.wire(),
                entry.retry_count
            );
        }
        for row in self.known.iter().flatten() {
            let _ = write!(shown, "\n  knows {} {}", row.id, row.data.as_str().unwrap_or(""));
        }
        for m in &self.feed {
            let _ = write!(shown, "\n  feed {}", serde_json::to_string(m).expect("it serialises"));
        }
        shown
    }

    fn holds(&self) -> Result<(), String> {
        let device = Device {
            sync: SyncState { cursor: Some(Cursor::read(START - 1)), ..SyncState::default() },
            queue: self.queue.clone(),
            known: self.known.clone(),
            ..Device::default()
        };
        let window = Window {
            path: PullPath::SinceCursor,
            since: Cursor::read(START - 1),
            head: Cursor::read(START + 1_000),
            mutations: self.feed.clone(),
            unreadable: Vec::new(),
            phone: Feed::default(),
            warnings: Vec::new(),
            not_visible: Vec::new(),
        };
        let inspection = inspect(Arc::new(device), Arc::new(window));
        for strategy in Strategy::ALL {
            let mut resolution = Resolution::default();
            let choices = choices_for_all(&inspection, &resolution, strategy, |_| true);
            resolution.choose(strategy.name(), choices);
            let plan = plan(&inspection, &resolution, Millis(START + 99_000));
            let fails = |what: String| Err(format!("{what}\nunder {strategy}, {}", self.shown()));
            if !plan.open.is_empty() || !plan.ledger.is_empty() || !plan.hold.is_empty() {
                return fails(format!("open {:?}, lost {:?}, held {:?}", plan.open, plan.ledger, plan.hold));
            }
            let mut server = self.server.clone();
            // One resource at a time lives here: what goes makes room for what comes.
            let mut items: Vec<_> = plan.items().collect();
            items.sort_by_key(|item| item.wire.op != Op::Delete);
            for item in items {
                let data = item.wire.data.as_str().map_or_else(Map::new, |text| {
                    serde_json::from_str::<Map<String, Value>>(text).expect("an object")
                });
                let before = server.clone();
                let id = item.wire.resource_id.as_ref().map(ToString::to_string);
                let names =
                    |resource: &Resource| self.kind == Kind::Link || id.as_ref() == Some(&resource.id);
                server = match (item.wire.op, server) {
                    (Op::Delete, Some(there)) if names(&there) => None,
                    // There is one bookmark at a place.
                    (Op::Create, Some(mut there)) if matches!(self.kind, Kind::Bookmark | Kind::Link) => {
                        there.data.extend(data);
                        Some(there)
                    }
                    (Op::Create, None) => Some(Resource { id: String::from("new"), data }),
                    (Op::Update, Some(mut there)) if names(&there) => {
                        there.data.extend(data);
                        Some(there)
                    }
                    (op, there) => return fails(format!("{} of {id:?} in front of {there:?}", op.wire())),
                };
                let bare_state = |state: &Option<Resource>| state.as_ref().map(|state| bare(&state.data));
                if self.arrived && bare_state(&before) == bare_state(&server) {
                    return fails(format!("sends what is there already: {before:?}"));
                }
            }
            let state = server.map(|state| bare(&state.data));
            if state != self.wish {
                return fails(format!("ends in {state:?}, where {:?} was wished", self.wish));
            }
        }
        Ok(())
    }
}

#[test]
fn if_only_this_device_wrote_every_strategy_ends_in_its_last_wish() {
    let asked = std::env::var("UNSTICK_ECHO_SEEDS").ok().and_then(|range| {
        let (from, to) = range.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    let failures = asked.unwrap_or(SEEDS).filter_map(|seed| History::new(seed).holds().err());
    let failures: Vec<String> = failures.take(5).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// A device and the model server, which took some of what the device wrote without its knowing.
struct Cut {
    model: Model,
    device: Device,
    kind: Kind,
    wish: Option<Map<String, Value>>,
    told: String,
}

fn tablet() -> Caller<'static> {
    Caller::with_all_scopes("tablet-b")
}

/// Sends one mutation and answers the resource's id.
fn take(model: &mut Model, at: i64, mutation: &Value) -> String {
    let head = model.head();
    let applied = model.post(Millis(at), tablet(), head, std::slice::from_ref(mutation));
    let body = applied.unwrap_or_else(|_| panic!("the model refuses {mutation}")).to_json();
    body["data"]["mutations"][0]["resourceId"].as_str().unwrap_or_default().to_owned()
}

impl Cut {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let kind = Kind::KNOWN[rng.below(5)].clone();
        let mut model = Model::new(FirstSync::Positive, Millis(START));
        let mut now = START;
        let mut tick = || {
            now += 1_000;
            now
        };
        let collection = take(
            &mut model,
            tick(),
            &json!({"type": "CREATE", "resource": "COLLECTION", "data": {"name": "Of links"}}),
        );
        let placed = |mut data: Map<String, Value>| {
            if data.contains_key("collectionId") {
                data.insert("collectionId".into(), json!(collection));
            }
            if data.contains_key("chapterNumber") {
                data.insert("chapterNumber".into(), json!(2));
            }
            data
        };
        let stamps = rng.one_in(2);
        let since = model.head();
        let length = 2 + rng.below(5);
        let cut = rng.below(length + 1);
        let (mut there, mut wish) = (None::<String>, None::<Map<String, Value>>);
        let (mut queue, mut name) = (Vec::<Queued>::new(), None::<String>);
        for step in 0..length {
            let op = match &wish {
                None => Op::Create,
                Some(_) if kind == Kind::Link || rng.one_in(4) => Op::Delete,
                Some(_) => Op::Update,
            };
            let at = tick();
            let mut data = if op == Op::Delete && kind != Kind::Link {
                Map::new()
            } else {
                placed(members(&kind, &mut rng, step, wish.is_none() || op == Op::Delete))
            };
            for (stamp, told) in
                [("clientCreatedAt", op == Op::Create), ("clientUpdatedAt", op != Op::Delete)]
            {
                if stamps && told {
                    data.insert(stamp.into(), json!(Millis(at).to_iso()));
                }
            }
            if step < cut {
                let mut wire = json!({"type": op.wire(), "resource": kind.wire()});
                // As the phone sends it (PROTOCOL D12).
                if kind == Kind::Bookmark && op == Op::Update {
                    wire["type"] = json!("CREATE");
                }
                if let Some(id) = there.as_ref().filter(|_| kind != Kind::Link) {
                    wire["resourceId"] = json!(id);
                }
                if !data.is_empty() {
                    wire["data"] = Value::Object(data.clone());
                }
                let id = take(&mut model, at, &wire);
                there = (op != Op::Delete).then_some(id);
            }
            let resource_id = name.clone().filter(|_| op != Op::Create && kind != Kind::Link);
            queue.push(Queued {
                id: format!("q{step}").into(),
                op,
                kind: kind.clone(),
                resource_id: resource_id.map(Into::into),
                data: if data.is_empty() { Payload::ABSENT } else { payload(&data) },
                base: Payload::ABSENT,
                created_at: Some(Millis(at)),
                retry_count: u32::from(step < cut),
                last_error: None,
            });
            if op == Op::Create {
                name = Some(format!("q{step}"));
            }
            wish = match op {
                Op::Delete => None,
                Op::Create | Op::Update => {
                    let mut all = wish.unwrap_or_default();
                    all.extend(bare(&data));
                    Some(all)
                }
            };
        }
        let sync = SyncState { cursor: Some(since), ..SyncState::default() };
        let known = rng.one_in(2).then(Vec::new);
        let device = Device { sync, queue, known, ..Device::default() };
        let told = format!("seed {seed}: {}, {length} entries, cut at {cut}, stamps {stamps}", kind.wire());
        Self { model, device, kind, wish, told }
    }

    fn pull(&self, since: Cursor) -> Window {
        let query = Query { limit: 1000, page: 1, ..Query::since(since) };
        let body = self.model.get(&query, Scopes::ALL).expect("the model answers").to_json();
        let page = read_page(&ResponseHead::ok(), &Text::new(body.to_string()), 1).expect("a page");
        assemble(PullPath::SinceCursor, since, self.model.head(), vec![page])
    }

    fn pushed(&mut self, rule: Strategy) -> Outcome {
        let since = self.device.sync.cursor.expect("in step");
        let inspection = Arc::new(inspect(Arc::new(self.device.clone()), Arc::new(self.pull(since))));
        let mut resolution = Resolution::default();
        let choices = choices_for_all(&inspection, &resolution, rule, |_| true);
        resolution.choose(rule.name(), choices);
        let now = Millis(START + 900_000);
        let mut push = Push::new(
            Planned::new(inspection, resolution, now),
            Options { rule: Some(rule), ..Options::default() },
            now,
        );
        let mut step = push.start();
        loop {
            let got = match step {
                Do::Journal(_) => Got::Journaled,
                Do::Wait { .. } => Got::Waited,
                Do::Authorize(_) => Got::Authorized(true),
                Do::Pull { since } => Got::Pulled(Ok(self.pull(since))),
                Do::Post { head, mutations } => {
                    let list = serde_json::to_value(&mutations).expect("it serialises");
                    let list = list.as_array().expect("a list");
                    let applied = self.model.post(now, tablet(), head, list);
                    let applied = applied.unwrap_or_else(|refusal| {
                        panic!("{}: {list:?} is refused: {:?}", self.told, refusal.reason)
                    });
                    let body = applied.to_json().to_string();
                    Got::Posted(Posted::Answer(
                        read_post(&ResponseHead::ok(), &Text::new(body)).expect("an answer"),
                    ))
                }
                Do::Finish(outcome) => return *outcome,
            };
            step = push.got(got, now);
        }
    }
}

/// The same through the push machine and the model server: the queue is empty, nothing is left over, and the server
/// holds what the device showed its user.
#[test]
fn a_device_that_lost_an_answer_and_went_on_editing_is_freed_by_one_push() {
    for seed in 0..1_500 {
        for rule in Strategy::ALL {
            let mut cut = Cut::new(seed);
            let before = cut.model.live(&cut.kind).len();
            let outcome = cut.pushed(rule);
            let told = || {
                let queue = cut.device.queue.iter().map(|entry| {
                    let id = entry.resource_id.as_ref().map_or("-", |id| id.as_str());
                    format!("\n  {} {} {id} {}", entry.id, entry.op.wire(), entry.data.as_str().unwrap_or(""))
                });
                format!("{} under {rule}, {before} before{}", cut.told, queue.collect::<String>())
            };
            assert!(matches!(outcome.end, End::Done), "{:?} {}", outcome.end, told());
            let queue: Vec<&str> = outcome.device.queue.iter().map(|entry| entry.id.as_str()).collect();
            assert!(
                queue.is_empty() && outcome.ledger.is_empty(),
                "{queue:?} {:?} {}",
                outcome.ledger,
                told()
            );
            let live: Vec<Map<String, Value>> = match &cut.kind {
                Kind::Link => cut.model.live(&cut.kind).into_iter().map(|_| Map::new()).collect(),
                kind => cut
                    .model
                    .live(kind)
                    .into_iter()
                    .filter_map(|(_, data)| data.as_object().cloned())
                    .collect(),
            };
            let wish: Vec<Map<String, Value>> = cut
                .wish
                .iter()
                .map(|wish| if cut.kind == Kind::Link { Map::new() } else { wish.clone() })
                .collect();
            let others = |data: &&Map<String, Value>| {
                !matches!(data.get("name").and_then(Value::as_str), Some("Favorites" | "Of links"))
            };
            let live: Vec<&Map<String, Value>> = live.iter().filter(others).collect();
            assert_eq!(live.len(), wish.len(), "{live:?} {}", told());
            for (live, wish) in live.iter().zip(&wish) {
                for (name, value) in wish.iter().filter(|(name, _)| *name != "type") {
                    assert_eq!(live.get(name), Some(value), "{name} {}", told());
                }
            }
        }
    }
}
