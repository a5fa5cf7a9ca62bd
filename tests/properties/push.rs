//! The push machine against the model server: random queues, random histories, other writers, lost answers,
//! refusals, and a program that is killed at any step and started again on what lies on the disk. Whatever happens,
//! every queued mutation ends in exactly one place, nothing is applied twice, what a person gave up is never sent,
//! and when the push says that it is done, device and server agree.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use unstick::domain::answer::{Refusal, ResponseHead, read_page, read_post};
use unstick::domain::choices;
use unstick::domain::device::{Device, Known, SyncStatus};
use unstick::domain::field::{Choice, FieldPath};
use unstick::domain::given::Given;
use unstick::domain::inspect::{Inspection, Status, inspect};
use unstick::domain::json::{Json, Text};
use unstick::domain::meanwhile;
use unstick::domain::mutation::{
    Cursor, Kind, Millis, Op, Payload, QueueId, Queued, ResourceId, WireMutation,
};
use unstick::domain::push::{
    Do, End, Got, Interrupted, Options, Outcome, Planned, Posted, PullFault, Push, Record,
};
use unstick::domain::resolution::{By, Chosen, Resolution, Unit};
use unstick::domain::strategy::{self, Strategy};
use unstick::domain::window::{PullPath, Window, assemble};
use unstick::sandbox::model::{Caller, FirstSync, Model};
use unstick::sandbox::query::Query;
use unstick::sandbox::refusal::Shape;
use unstick::sandbox::scopes::Scopes;

use super::rng::Rng;

/// How many seeds a usual run goes through; `UNSTICK_PUSH_SEEDS=FROM..TO` for another range.
const SEEDS: Range<u64> = 0..10_000;

/// Whatever answers in the server's place, before it or behind it.
const STATUSES: [u16; 13] = [200, 206, 301, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503];

const START: i64 = 1_790_000_000_000;

struct World {
    rng: Rng,
    model: Model,
    now: i64,
    faults: bool,
    serial: u32,
    /// How often the program may still be killed.
    kills: usize,
    /// How often the server was given a note or a session to create, by what tells it.
    created: BTreeMap<String, usize>,
    /// What tells the notes and sessions that a person does not want sent.
    given_up: BTreeSet<String>,
    /// How often the application may still write to the device file while it is pushed.
    app: usize,
    /// What it queued then.
    app_wrote: Vec<Queued>,
}

/// What lies on the disk.
struct Disk {
    file: Device,
    journal: Vec<Record>,
    choices: String,
}

/// The program was killed.
struct Killed;

/// What tells a note or a session that is created; every one is written once, but for twins.
fn mark(kind: &Kind, op: Op, data: &Payload) -> Option<String> {
    let members = data.members();
    match (kind, op) {
        (Kind::Note, Op::Create) => Some(members["body"].to_text()),
        (Kind::ReadingSession, Op::Create) => {
            Some(format!("{} {}", members["chapterNumber"].to_text(), members["verseNumber"].to_text()))
        }
        (_, _) => None,
    }
}

fn refused(status: u16) -> Refusal {
    let head = ResponseHead { status, ..ResponseHead::ok() };
    let code = if status == 409 { "OutOfSyncError" } else { "x" };
    Refusal::read(&head, &format!(r#"{{"success":false,"error":{{"code":"{code}","message":"no"}}}}"#))
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let faults = !rng.one_in(3);
        let mut world = Self {
            rng,
            model: Model::new(FirstSync::Positive, Millis(START)),
            now: START,
            faults,
            serial: 0,
            kills: 0,
            created: BTreeMap::new(),
            given_up: BTreeSet::new(),
            app: 0,
            app_wrote: Vec::new(),
        };
        if world.rng.one_in(2) {
            world.kills = 1 + world.rng.below(4);
        }
        if world.rng.one_in(4) {
            world.app = 1 + world.rng.below(2);
        }
        for _ in 0..10 {
            world.other_writes();
        }
        world
    }

    /// The application queues another note while the file is pushed.
    fn app_writes(&mut self, file: &mut Device) {
        if self.app == 0 || !self.rng.one_in(6) {
            return;
        }
        self.app -= 1;
        let stamp = self.tick().to_iso();
        let data = json!({"body":self.token("meanwhile"),"ranges":["1:1-1:3"],"clientCreatedAt":stamp,"clientUpdatedAt":stamp});
        let entry = Queued {
            id: format!("app{}", self.app_wrote.len()).as_str().into(),
            op: Op::Create,
            kind: Kind::Note,
            resource_id: None,
            data: Payload::new(Text::new(data.to_string())),
            base: Payload::ABSENT,
            created_at: Some(Millis(self.now)),
            retry_count: 0,
            last_error: None,
        };
        file.queue.push(entry.clone());
        self.app_wrote.push(entry);
    }

    fn tick(&mut self) -> Millis {
        self.now += 1 + i64::try_from(self.rng.below(5_000)).unwrap_or(0);
        Millis(self.now)
    }

    fn token(&mut self, who: &str) -> String {
        self.serial += 1;
        format!("{who} كتب {}", self.serial)
    }

    fn place(&mut self) -> (usize, usize) {
        (1 + self.rng.below(3), 1 + self.rng.below(3))
    }

    /// One mutation as somebody on the other side makes it.
    fn other_writes(&mut self) {
        let (kind, id) = self.some_resource();
        let stamp = Millis(self.now).to_iso();
        let id = id.map(|id| id.to_string());
        let mutation = match (kind, id) {
            (Kind::Note, Some(id)) if self.rng.one_in(3) => {
                json!({"type":"DELETE","resource":"NOTE","resourceId":id})
            }
            (Kind::Note, Some(id)) => {
                json!({"type":"UPDATE","resource":"NOTE","resourceId":id,"data":{"body":self.token("server"),"clientUpdatedAt":stamp}})
            }
            (Kind::Note, None) => {
                let mut data =
                    json!({"body":self.token("server"),"ranges":["1:1-1:2"],"clientUpdatedAt":stamp});
                // Not every client says when something was made.
                if self.rng.one_in(2) {
                    data["clientCreatedAt"] = stamp.into();
                }
                json!({"type":"CREATE","resource":"NOTE","data":data})
            }
            (Kind::Collection, Some(id)) if self.rng.one_in(3) => {
                json!({"type":"DELETE","resource":"COLLECTION","resourceId":id})
            }
            (Kind::Collection, Some(id)) => {
                json!({"type":"UPDATE","resource":"COLLECTION","resourceId":id,"data":{"name":self.token("server")}})
            }
            (Kind::Collection, None) => {
                json!({"type":"CREATE","resource":"COLLECTION","data":{"name":self.token("server")}})
            }
            (Kind::Bookmark, Some(id)) if self.rng.one_in(2) => {
                json!({"type":"DELETE","resource":"BOOKMARK","resourceId":id})
            }
            (Kind::Bookmark, _) => {
                let (key, verse) = self.place();
                json!({"type":"CREATE","resource":"BOOKMARK","data":{"type":"ayah","key":key,"verseNumber":verse,"isReading":self.rng.one_in(4),"mushaf":1}})
            }
            (Kind::ReadingSession, Some(id)) => {
                let (key, verse) = self.place();
                json!({"type":"UPDATE","resource":"READING_SESSION","resourceId":id,"data":{"chapterNumber":key,"verseNumber":verse}})
            }
            (Kind::ReadingSession, None) => {
                let (key, verse) = self.place();
                json!({"type":"CREATE","resource":"READING_SESSION","data":{"chapterNumber":key,"verseNumber":verse}})
            }
            (Kind::Link | Kind::Other(_), _) => {
                let Some((collection, _)) = self.model.live(&Kind::Collection).into_iter().next_back() else {
                    return;
                };
                let (key, verse) = self.place();
                json!({"type":"CREATE","resource":"COLLECTION_BOOKMARK","data":{"collectionId":collection.to_string(),"type":"ayah","key":key,"verseNumber":verse,"mushaf":1}})
            }
        };
        let now = self.tick();
        // Some of these are refused (a name that is taken, say); then the other side simply did not write.
        let _ = self.model.other_device_writes(now, "phone-a", &[mutation]);
    }

    fn some_resource(&mut self) -> (Kind, Option<ResourceId>) {
        let kind = Kind::KNOWN[self.rng.below(5)].clone();
        let live: Vec<ResourceId> = self.model.live(&kind).into_iter().map(|(id, _)| id).collect();
        let known = if self.rng.one_in(2) { self.rng.pick(&live).cloned() } else { None };
        (kind, known)
    }

    /// A device that is in step with the server, with rows for everything or without a list of resources.
    fn device_in_step(&mut self) -> Device {
        let mut device = Device::default();
        device.sync.cursor = Some(self.model.head());
        let mut known = Vec::new();
        for kind in Kind::KNOWN {
            for (id, data) in self.model.live(&kind) {
                known.push(Known {
                    server_timestamp: self.model.written_at(&kind, &id),
                    id,
                    kind: kind.clone(),
                    data: Payload::new(Text::new(data.to_string())),
                    status: SyncStatus::Synced,
                    local_updated_at: None,
                });
            }
        }
        device.known = Some(known);
        device
    }

    /// What the device writes while it is offline.
    fn offline_edits(&mut self, device: &mut Device) {
        let rows = device.known.clone().unwrap_or_default();
        let mut touched: BTreeSet<String> = BTreeSet::new();
        let mut collections: Vec<String> = Vec::new();
        let mut places: BTreeSet<(usize, usize)> = BTreeSet::new();
        for number in 0..self.rng.below(14) {
            let id = format!("q{number}");
            let kind = Kind::KNOWN[self.rng.below(5)].clone();
            let own: Vec<&Known> =
                rows.iter().filter(|row| row.kind == kind && !touched.contains(row.id.as_str())).collect();
            let row = if self.rng.one_in(2) { self.rng.pick(&own).map(|row| (*row).clone()) } else { None };
            let stamp = self.tick().to_iso();
            let (op, data) = match (&kind, &row) {
                (Kind::Note, None) if self.rng.one_in(8) => {
                    (Op::Create, json!({"body":"قصير","ranges":["1:1-1:1"]}))
                }
                (Kind::Note, None) => {
                    let twin = device.queue.iter().rfind(|m| m.kind == Kind::Note && m.op == Op::Create);
                    if let Some(twin) = twin.filter(|_| self.rng.one_in(12)) {
                        let text = twin.data.as_str().expect("a creation has data");
                        (Op::Create, serde_json::from_str(text).expect("it is JSON"))
                    } else {
                        let ranges = match self.rng.below(4) {
                            0 => json!(["1:1-1:3", "2:1-2:2"]),
                            1 => json!([]),
                            _ => json!(["1:1-1:3"]),
                        };
                        (
                            Op::Create,
                            json!({"body":self.token("device"),"ranges":ranges,"clientCreatedAt":stamp,"clientUpdatedAt":stamp}),
                        )
                    }
                }
                (Kind::Note, Some(_)) if self.rng.one_in(3) => (Op::Delete, Value::Null),
                (Kind::Note, Some(_)) => {
                    (Op::Update, json!({"body":self.token("device"),"clientUpdatedAt":stamp}))
                }
                (Kind::Collection, None) => {
                    collections.push(id.clone());
                    (
                        Op::Create,
                        json!({"name":self.token("device"),"isDefault":false,"isSystem":false,"clientUpdatedAt":stamp}),
                    )
                }
                (Kind::Collection, Some(row))
                    if row.data.as_str().is_some_and(|data| data.contains("\"isDefault\":true")) =>
                {
                    continue;
                }
                (Kind::Collection, Some(_)) if self.rng.one_in(3) => (Op::Delete, Value::Null),
                (Kind::Collection, Some(_)) => {
                    (Op::Update, json!({"name":self.token("device"),"clientUpdatedAt":stamp}))
                }
                (Kind::Bookmark, Some(_)) => (Op::Delete, Value::Null),
                (Kind::Bookmark, None) => {
                    let (key, verse) = self.place();
                    if !places.insert((key, verse)) {
                        continue;
                    }
                    (
                        Op::Create,
                        json!({"type":"ayah","key":key,"verseNumber":verse,"isReading":self.rng.one_in(3),"mushaf":1,"clientUpdatedAt":stamp}),
                    )
                }
                (Kind::Link, Some(row)) => (Op::Delete, link_ids(row)),
                (Kind::Link | Kind::Other(_), _) => {
                    let Some(collection) = self.rng.pick(&collections).cloned() else { continue };
                    let (key, verse) = self.place();
                    if !touched.insert(format!("{collection} {key}:{verse}")) {
                        continue;
                    }
                    (
                        Op::Create,
                        json!({"collectionId":collection,"type":"ayah","key":key,"verseNumber":verse,"mushaf":1,"clientUpdatedAt":stamp}),
                    )
                }
                (Kind::ReadingSession, Some(_)) => {
                    let (key, verse) = self.place();
                    (
                        Op::Update,
                        json!({"chapterNumber":key,"verseNumber":100 + verse + 10 * number,"clientUpdatedAt":stamp}),
                    )
                }
                (Kind::ReadingSession, None) => {
                    self.serial += 1;
                    (Op::Create, json!({"chapterNumber":9,"verseNumber":self.serial,"clientUpdatedAt":stamp}))
                }
            };
            if let Some(row) = &row {
                touched.insert(row.id.to_string());
            }
            let payload = |value: &Value| match value {
                Value::Null => Payload::ABSENT,
                value => Payload::new(Text::new(value.to_string())),
            };
            let base = match &row {
                Some(row) if self.rng.one_in(2) => row.data.clone(),
                _ => Payload::ABSENT,
            };
            device.queue.push(Queued {
                id: id.into(),
                op,
                resource_id: row.filter(|_| kind != Kind::Link).map(|row| row.id),
                kind,
                data: payload(&data),
                base,
                created_at: Some(Millis(self.now)),
                retry_count: u32::from(self.rng.one_in(3)),
                last_error: None,
            });
        }
    }

    fn pull(&self, since: Cursor) -> Window {
        let mut pages = Vec::new();
        for page in 1.. {
            let query = Query { limit: 1000, page, ..Query::since(since) };
            let body = self.model.get(&query, Scopes::ALL).expect("the model answers").to_json();
            let number = u32::try_from(page).expect("few pages");
            let page = read_page(&ResponseHead::ok(), &Text::new(body.to_string()), number).expect("a page");
            let more = page.has_more == Some(true);
            pages.push(page);
            if !more {
                break;
            }
        }
        assemble(PullPath::SinceCursor, since, self.model.head(), pages)
    }

    /// A refusal that has nothing to do with what was sent.
    fn refusal(&mut self) -> Refusal {
        refused(*self.rng.pick(&STATUSES).expect("one"))
    }

    fn post(&mut self, head: Cursor, mutations: &[WireMutation]) -> Posted {
        if self.faults && self.rng.one_in(6) {
            self.other_writes();
        }
        if self.faults && self.rng.one_in(12) {
            return Posted::NotSent(String::from("refused connection"));
        }
        if self.faults && self.rng.one_in(10) {
            return Posted::Lost(String::from("timeout before"));
        }
        if self.faults && self.rng.one_in(10) {
            return Posted::Refused(self.refusal());
        }
        let list: Vec<Value> = mutations
            .iter()
            .map(|m| {
                serde_json::from_str(&serde_json::to_string(m).expect("it serialises")).expect("it is JSON")
            })
            .collect();
        let now = self.tick();
        let answer = self.model.post(now, Caller::with_all_scopes("tablet-b"), head, &list);
        if answer.is_ok() {
            for mark in mutations.iter().filter_map(|m| mark(&m.kind, m.op, &m.data)) {
                assert!(!self.given_up.contains(&mark), "sent although it was given up: {mark}");
                *self.created.entry(mark).or_default() += 1;
            }
        }
        match answer {
            Ok(_) if self.faults && self.rng.one_in(8) => Posted::Lost(String::from("timeout after")),
            // A gateway that gave up on an answer that was under way.
            Ok(_) if self.faults && self.rng.one_in(20) => Posted::Refused(refused(502)),
            // One that tried it twice, and hands the second answer on.
            Ok(_) if self.faults && self.rng.one_in(10) => Posted::Refused(self.refusal()),
            Ok(applied) => {
                let body = applied.to_json().to_string();
                Posted::Answer(read_post(&ResponseHead::ok(), &Text::new(body)).expect("an answer"))
            }
            Err(refusal) => {
                let head = ResponseHead { status: refusal.reason.status(), ..ResponseHead::ok() };
                let body = refusal.body(Shape::Documented, "req").to_string();
                Posted::Refused(Refusal::read(&head, &body))
            }
        }
    }

    /// Whether the program is killed here.
    fn killed(&mut self) -> bool {
        let killed = self.kills > 0 && self.rng.one_in(7);
        self.kills -= usize::from(killed);
        killed
    }

    /// One push as a session makes it: from what lies on the disk to what lies there afterwards.
    fn session(&mut self, disk: &mut Disk, rule: Option<Strategy>) -> Result<Outcome, Killed> {
        let state = Interrupted::of(&disk.journal);
        let device = state.device(&disk.file);
        let since = device.sync.cursor.expect("in step");
        let inspection = Arc::new(inspect(Arc::new(device), Arc::new(self.pull(since))));
        let goes_on = !disk.journal.is_empty();
        let options = if goes_on { state.options() } else { Options { rule, ..Options::default() } };
        let resolution = match options.rule {
            Some(rule) => by_rule(&inspection, rule),
            None if goes_on => {
                choices::resume("kept", &disk.choices, &inspection).expect("what was kept").resolution
            }
            None => self.by_hand(&inspection),
        };
        self.given_up = given_up(&inspection, &resolution);
        let now = self.tick();
        disk.choices = choices::keep(&inspection, &resolution).to_string();
        let push = Push::new(Planned::new(inspection, resolution, now), options, now);
        disk.journal.push(push.begun("the server"));
        self.run(push, disk)
    }

    /// A person who chooses at random, and leaves some open.
    fn by_hand(&mut self, inspection: &Inspection) -> Resolution {
        let mut choices = Vec::new();
        for (pair, of) in inspection.ids() {
            let mut choose = |path: &FieldPath, choice| {
                let unit = Unit { pair, path: path.clone() };
                choices.push((unit, Some(Chosen { choice, by: By::Hand })));
            };
            // Whoever says whether something arrived has looked.
            let sent = of.twin.and_then(|_| inspection.queued(of).next());
            let arrived =
                sent.and_then(|m| mark(&m.kind, m.op, &m.data)).map(|mark| self.created.contains_key(&mark));
            for path in &of.open {
                match self.rng.below(5) {
                    0 => {}
                    _ if arrived == Some(false) => choose(path, Choice::Device),
                    1 | 2 => choose(path, Choice::Device),
                    _ => choose(path, Choice::Server),
                }
            }
            if of.status == Status::Push && self.rng.one_in(6) {
                choose(&FieldPath::existence(), Choice::Server);
            }
        }
        let mut resolution = Resolution::default();
        resolution.choose("by hand", choices);
        resolution
    }

    fn run(&mut self, mut push: Push, disk: &mut Disk) -> Result<Outcome, Killed> {
        let mut step = push.start();
        let was = disk.file.clone();
        for _ in 0..500 {
            self.app_writes(&mut disk.file);
            if self.killed() {
                return Err(Killed);
            }
            let got = match step {
                Do::Journal(record) => {
                    disk.journal.push(record);
                    Got::Journaled
                }
                Do::Wait { .. } => Got::Waited,
                Do::Authorize(_) => Got::Authorized(self.rng.one_in(2)),
                Do::Pull { .. } if self.faults && self.rng.one_in(12) => {
                    Got::Pulled(Err(PullFault::Failed(String::from("reset"))))
                }
                Do::Pull { .. } if self.faults && self.rng.one_in(15) => {
                    Got::Pulled(Err(PullFault::Refused(self.refusal())))
                }
                Do::Pull { since } => Got::Pulled(Ok(self.pull(since))),
                Do::Post { head, mutations } => {
                    assert!(mutations.len() <= 100);
                    Got::Posted(self.post(head, &mutations))
                }
                Do::Finish(outcome) => {
                    let left = if disk.file.queue == was.queue {
                        outcome.device.clone()
                    } else {
                        put_together(&was, &outcome, &disk.file)
                    };
                    disk.file = on_disk(left);
                    // Killed behind the write, before the journal went.
                    if !self.killed() && outcome.device.is_settled() {
                        disk.journal.clear();
                    }
                    return Ok(*outcome);
                }
            };
            if self.killed() {
                return Err(Killed);
            }
            let now = self.tick();
            step = push.got(got, now);
            push.notes();
        }
        panic!("the push does not end");
    }
}

/// What of a device its file holds: what only the push and its journal know is not in it.
pub fn on_disk(device: Device) -> Device {
    Device {
        in_doubt: HashMap::new(),
        not_it: HashMap::new(),
        recognised: Vec::new(),
        given: Given::default(),
        ..device
    }
}

/// What a session writes where the application wrote meanwhile.
fn put_together(was: &Device, outcome: &Outcome, found: &Device) -> Device {
    let mut ids: HashMap<QueueId, ResourceId> = HashMap::new();
    for sent in &outcome.sent {
        if let Some(id) = sent.resource_id.as_deref() {
            ids.extend(sent.ids.iter().map(|name| (name.clone(), ResourceId::from(id))));
        }
    }
    let dropped = outcome.dropped.iter().flat_map(|left| left.ids.iter().cloned()).collect();
    let push = meanwhile::Push { was, left: &outcome.device, ids: &ids, dropped: &dropped };
    let together = meanwhile::together(push, found);
    together.unwrap_or_else(|untold| panic!("it cannot be told of {untold:?}")).device
}

fn by_rule(inspection: &Inspection, rule: Strategy) -> Resolution {
    let mut resolution = Resolution::default();
    let choices = strategy::choices_for_all(inspection, &resolution, rule, |_| true);
    resolution.choose(rule.name(), choices);
    resolution
}

/// What tells the notes and sessions whose creation was given up; what has twins is left out.
fn given_up(inspection: &Inspection, resolution: &Resolution) -> BTreeSet<String> {
    let marks = |pair: &unstick::domain::inspect::Pair| -> Vec<String> {
        inspection.queued(pair).filter_map(|m| mark(&m.kind, m.op, &m.data)).collect()
    };
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for mark in inspection.pairs.iter().flat_map(marks) {
        *count.entry(mark).or_default() += 1;
    }
    let dropped =
        |id, path: &FieldPath| resolution.get(id, path).is_some_and(|chosen| chosen.choice == Choice::Server);
    let given_up = inspection.ids().filter(|(id, _)| dropped(*id, &FieldPath::existence()));
    given_up.flat_map(|(_, pair)| marks(pair)).filter(|mark| count[mark] == 1).collect()
}

/// What a link's row says of its two ends.
fn link_ids(row: &Known) -> Value {
    let members = row.data.members();
    let text = |name: &str| members.get(name).and_then(Json::as_str).map(str::to_owned);
    json!({"collectionId": text("collectionId"), "bookmarkId": text("bookmarkId")})
}

/// What had been sent before and was recognised when a push began.
fn recognised(record: &Record) -> Vec<String> {
    match record {
        Record::Begun { recognised, .. } => recognised.iter().flat_map(|entry| entry.queue.clone()).collect(),
        Record::Sending { .. }
        | Record::Acknowledged { .. }
        | Record::Doubted { .. }
        | Record::Told { .. }
        | Record::NotApplied { .. } => Vec::new(),
    }
}

fn check(seed: u64) {
    let mut world = World::new(seed);
    let mut file = world.device_in_step();
    if world.rng.one_in(4) {
        file.known = None;
    }
    world.offline_edits(&mut file);
    for _ in 0..world.rng.below(10) {
        world.other_writes();
    }
    let mut queued: BTreeMap<String, Queued> =
        file.queue.iter().map(|m| (m.id.to_string(), m.clone())).collect();
    let mut disk = Disk { file, journal: Vec::new(), choices: String::new() };
    let rule = (!world.rng.one_in(3)).then(|| Strategy::ALL[world.rng.below(4)]);
    let (mut sent, mut dropped) = (BTreeSet::new(), BTreeMap::new());
    let mut pushes = 1 + world.rng.below(3);
    let end = loop {
        let outcome = world.session(&mut disk, rule);
        let recognised: BTreeSet<String> = disk.journal.iter().flat_map(recognised).collect();
        let done = Interrupted::of(&disk.journal).done.into_iter().flat_map(|entry| entry.queue);
        sent.extend(done.filter(|id| !recognised.contains(id)));
        dropped.extend(recognised.into_iter().map(|id| (id, String::from("already on the server"))));
        let Ok(outcome) = outcome else { continue };
        sent.extend(outcome.sent.iter().flat_map(|sent| &sent.ids).map(ToString::to_string));
        for left in &outcome.dropped {
            dropped.extend(left.ids.iter().map(|id| (id.to_string(), left.message.clone())));
        }
        pushes -= 1;
        if pushes == 0 || (matches!(outcome.end, End::Done) && disk.file.queue.is_empty()) {
            break outcome.end;
        }
    };

    queued.extend(world.app_wrote.iter().map(|entry| (entry.id.to_string(), entry.clone())));
    let left: BTreeSet<String> = disk.file.queue.iter().map(|m| m.id.to_string()).collect();
    let doubtful: BTreeSet<String> = match &end {
        End::Unknown { in_doubt, .. } => in_doubt.iter().map(ToString::to_string).collect(),
        _ => BTreeSet::new(),
    };
    for (id, entry) in &queued {
        let places = [
            ("sent", sent.contains(id)),
            ("dropped", dropped.contains_key(id)),
            ("queued", left.contains(id)),
        ];
        let places: Vec<&str> =
            places.into_iter().filter(|(_, there)| *there).map(|(place, _)| place).collect();
        assert_eq!(places.len(), 1, "{id} ended in {places:?} ({end:?})");
        if entry.op == Op::Update && matches!(entry.kind, Kind::Note | Kind::ReadingSession) {
            // Where it was deleted meanwhile it may have been brought back, by a creation.
            let created =
                mark(&entry.kind, Op::Create, &entry.data).and_then(|mark| world.created.get(&mark));
            assert!(created.is_none_or(|created| *created <= 1), "{id} was brought back {created:?} times");
        }
        let Some(mark) = mark(&entry.kind, entry.op, &entry.data) else { continue };
        let twins =
            queued.values().filter(|m| self::mark(&m.kind, m.op, &m.data).as_ref() == Some(&mark)).count();
        let created = world.created.get(&mark).copied().unwrap_or_default();
        assert!(created <= twins, "{id} was created {created} times ({end:?})");
        if twins > 1 {
            continue;
        }
        match places[0] {
            "sent" => assert_eq!(created, 1, "{id} was sent and never created"),
            "dropped" => {
                let reason = &dropped[id];
                let arrived = reason == "already on the server";
                assert_eq!(
                    created,
                    usize::from(arrived || reason.contains("the same one")),
                    "{id}: {reason}"
                );
            }
            _ if doubtful.contains(id) || !matches!(end, End::Done | End::Left) => {}
            _ => assert_eq!(created, 0, "{id} is still queued and was created ({end:?})"),
        }
    }
    if matches!(end, End::Done) && world.app_wrote.is_empty() {
        assert!(disk.file.queue.is_empty(), "done with a queue");
        let since = disk.file.sync.cursor.expect("moved");
        let window = world.pull(since);
        // Somebody may have written after the push's last look; what was pushed before must agree.
        if window.mutations.is_empty() && disk.file.known.is_some() {
            agree(&disk.file, &world.model);
        }
        let again = inspect(Arc::new(disk.file.clone()), Arc::new(window));
        assert_eq!((again.summary.push, again.summary.diverged, again.summary.blocked), (0, 0, 0));
    }
}

/// The device's rows are what the server holds.
fn agree(device: &Device, model: &Model) {
    for kind in Kind::KNOWN {
        let on_server: BTreeMap<ResourceId, Json> =
            model.live(&kind).into_iter().map(|(id, data)| (id, Json::parse(&data.to_string()))).collect();
        let on_device: BTreeMap<ResourceId, Json> = device
            .known
            .iter()
            .flatten()
            .filter(|row| row.kind == kind)
            .map(|row| (row.id.clone(), Json::parse(row.data.as_str().unwrap_or("{}"))))
            .collect();
        let server_ids: Vec<&ResourceId> = on_server.keys().collect();
        let device_ids: Vec<&ResourceId> = on_device.keys().collect();
        assert_eq!(server_ids, device_ids, "{}", kind.wire());
        for (id, server) in &on_server {
            for (name, value) in server.as_object().expect("an object") {
                if name == "isInDefaultCollection" {
                    // Derived from the links; the server does not say when it changes (PROTOCOL D5).
                    continue;
                }
                let held = on_device[id].as_object().and_then(|members| members.get(name));
                assert!(
                    held == Some(value),
                    "{} {id} {name}: {:?} on the server",
                    kind.wire(),
                    value.to_text()
                );
            }
        }
    }
}

/// Goes through the seeds on every core, those that `variable` names where it is set. Each says its number before it
/// fails.
pub fn check_all(variable: &str, usual: Range<u64>, check: fn(u64)) {
    let named = std::env::var(variable).ok().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    let seeds = named.unwrap_or(usual);
    let next = AtomicU64::new(seeds.start);
    let one_after_the_other = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            if let Err(failure) = std::panic::catch_unwind(|| check(seed)) {
                eprintln!("this was seed {seed}: {variable}={seed}..{}", seed + 1);
                next.store(seeds.end, Ordering::Relaxed);
                std::panic::resume_unwind(failure);
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(one_after_the_other);
        }
    });
}

#[test]
fn every_queued_mutation_ends_in_exactly_one_place() {
    check_all("UNSTICK_PUSH_SEEDS", SEEDS, check);
}
