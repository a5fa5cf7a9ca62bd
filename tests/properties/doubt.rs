//! A push in doubt: creations of every kind and shape, servers that put what they are given into their own words,
//! POSTs that were applied and answered with anything but a good 200, others who write the like of it, a program that
//! is killed at any step, and a person who says what became of what cannot be told. Nothing is created twice, nothing
//! is lost, and once the person has answered nothing stays in doubt.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;
use unstick::domain::answer::{Refusal, ResponseHead, read_page, read_post};
use unstick::domain::device::{Device, Known, SyncStatus};
use unstick::domain::field::{Choice, FieldPath};
use unstick::domain::inspect::{Inspection, inspect};
use unstick::domain::json::Text;
use unstick::domain::mutation::{Cursor, Kind, Millis, Op, Payload, Queued, WireMutation};
use unstick::domain::push::{
    Do, End, Got, Interrupted, Options, Outcome, Planned, Posted, PullFault, Push, Question, Record, Said,
    questions,
};
use unstick::domain::resolution::{By, Chosen, Resolution, Unit};
use unstick::domain::strategy::{self, Strategy};
use unstick::domain::window::{PullPath, Window, assemble};

use super::push::{check_all, on_disk};
use super::rng::Rng;

/// How many seeds a usual run goes through; `UNSTICK_DOUBT_SEEDS=FROM..TO` for another range.
const SEEDS: Range<u64> = 0..10_000;

const START: i64 = 1_790_000_000_000;

/// Whatever a POST may be answered with that was applied, or that was not.
const STATUSES: [u16; 16] = [200, 206, 301, 307, 400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504];

/// How a server puts what it is given.
#[derive(Clone, Copy, Default)]
struct Words {
    trims: bool,
    composes: bool,
    lowers: bool,
    suffixes: bool,
    drops_stamps: bool,
    whole_seconds: bool,
    numbers_as_text: bool,
    drops_types: bool,
    drops_places_of_links: bool,
    names_nameless: bool,
    links_without_id: bool,
}

impl Words {
    fn any(rng: &mut Rng) -> Self {
        let mut yes = || rng.one_in(3);
        Self {
            trims: yes(),
            composes: yes(),
            lowers: yes(),
            suffixes: yes(),
            drops_stamps: yes(),
            whole_seconds: yes(),
            numbers_as_text: yes(),
            drops_types: yes(),
            drops_places_of_links: yes(),
            names_nameless: yes(),
            links_without_id: yes(),
        }
    }

    fn text(self, text: &str) -> String {
        let mut text = text.to_owned();
        if self.trims {
            text = text.trim().to_owned();
        }
        if self.composes {
            text = text.nfc().collect();
        }
        if self.lowers {
            text = text.to_lowercase();
        }
        text
    }
}

struct Row {
    kind: String,
    id: String,
    data: Map<String, Value>,
    op: &'static str,
    at: i64,
    /// Where a bookmark stands of which there is one at each place; the name of a collection, which only one has.
    place: Option<String>,
}

/// Where a bookmark stands, of the sorts that the protocol knows; the name that a collection is given.
fn place(kind: &str, data: &Value) -> Option<String> {
    let known = data["type"] == "page" || (data["type"] == "ayah" && data.get("verseNumber").is_some());
    match kind {
        "BOOKMARK" if known => Some(format!("{} {} {}", data["type"], data["key"], data["verseNumber"])),
        "COLLECTION" => Some(data.get("name")?.to_string()),
        _ => None,
    }
}

struct World {
    rng: Rng,
    words: Words,
    rows: Vec<Row>,
    head: i64,
    now: i64,
    serial: usize,
    faults: bool,
    kills: usize,
    /// What the server was given to create, by what was sent: the ids it gave.
    created: BTreeMap<String, Vec<String>>,
    /// What others wrote the like of.
    alike: BTreeSet<String>,
    queue: Vec<(String, Value)>,
    /// What a person has said that something arrived as.
    told: BTreeSet<String>,
    /// What a person has chosen on the screen: queue entries, and whether what is there is it.
    chosen: BTreeMap<String, bool>,
}

struct Disk {
    file: Device,
    journal: Vec<Record>,
}

struct Killed;

/// What tells a creation from every other, as it is sent.
fn mark(kind: &str, data: &Value) -> String {
    let mut data = data.clone();
    if let Some(data) = data.as_object_mut() {
        data.remove("collectionId");
    }
    format!("{kind} {data}")
}

fn refused(status: u16) -> Refusal {
    let head = ResponseHead { status, ..ResponseHead::ok() };
    let code = if status == 409 { "OutOfSyncError" } else { "x" };
    Refusal::read(&head, &format!(r#"{{"success":false,"error":{{"code":"{code}","message":"no"}}}}"#))
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let words = Words::any(&mut rng);
        let kills = if rng.one_in(2) { 1 + rng.below(4) } else { 0 };
        Self {
            rng,
            words,
            rows: Vec::new(),
            head: START,
            now: START,
            serial: 0,
            faults: true,
            kills,
            created: BTreeMap::new(),
            alike: BTreeSet::new(),
            queue: Vec::new(),
            told: BTreeSet::new(),
            chosen: BTreeMap::new(),
        }
    }

    fn tick(&mut self) -> Millis {
        self.now += 1 + i64::try_from(self.rng.below(5_000)).unwrap_or(0);
        Millis(self.now)
    }

    /// A creation of any kind and shape that nothing else is like, without stamps where `stamps` says so.
    fn creation(&mut self, who: &str, stamps: bool) -> (&'static str, Value) {
        self.serial += 1;
        let serial = self.serial;
        let text = match self.rng.below(4) {
            0 => format!("{who} e\u{301}crit {serial}x "),
            1 => format!("  {who} ÉCRIT {serial}x"),
            2 => format!("كتب {who} {serial}x\n"),
            _ => format!("{who} wrote {serial}x"),
        };
        let (kind, mut data) = match self.rng.below(14) {
            0 => ("COLLECTION", json!({ "name": text })),
            1 => ("COLLECTION", json!({ "name": text, "isDefault": false })),
            2 => ("BOOKMARK", json!({ "type": "surah", "key": serial, "mushaf": 1 })),
            3 => ("BOOKMARK", json!({ "type": "juz", "key": serial })),
            4 => ("BOOKMARK", json!({ "type": "shelf", "key": serial, "label": text })),
            5 => ("BOOKMARK", json!({ "type": "ayah", "key": serial })),
            6 => ("BOOKMARK", json!({ "type": "page", "key": serial })),
            7 => ("BOOKMARK", json!({ "type": "ayah", "key": serial, "verseNumber": 3 })),
            8 => ("NOTE", json!({ "body": text, "ranges": [format!("{serial}:1-{serial}:2")] })),
            9 => ("NOTE", json!({ "body": text, "ranges": ["1:1-1:1", format!("{serial}:1-{serial}:2")] })),
            10 => ("NOTE", json!({ "body": text, "ranges": [] })),
            11 => ("READING_SESSION", json!({ "chapterNumber": serial, "verseNumber": 1 })),
            12 => ("PIN", json!({ "title": text, "at": serial })),
            _ => (
                "COLLECTION_BOOKMARK",
                json!({ "collectionId": "__default__", "type": "page", "key": serial }),
            ),
        };
        if stamps {
            let at = self.tick().to_iso();
            data["clientUpdatedAt"] = at.as_str().into();
            if kind == "NOTE" {
                data["clientCreatedAt"] = at.into();
            }
        }
        (kind, data)
    }

    /// The data as the server holds it.
    fn held(&self, kind: &str, data: &Value) -> Map<String, Value> {
        let words = self.words;
        let mut data = data.as_object().cloned().unwrap_or_default();
        for value in data.values_mut() {
            if let Some(text) = value.as_str()
                && text.parse::<i64>().is_err()
                && !text.contains('T')
            {
                *value = words.text(text).into();
            }
            if let (true, Some(number)) = (words.numbers_as_text, value.as_i64()) {
                *value = number.to_string().into();
            }
        }
        for name in ["clientCreatedAt", "clientUpdatedAt"] {
            if words.drops_stamps {
                data.remove(name);
            } else if let (true, Some(Value::String(at))) = (words.whole_seconds, data.get_mut(name)) {
                at.replace_range(19..23, "");
            }
        }
        if kind == "COLLECTION" {
            if !data.contains_key("name") && words.names_nameless {
                data.insert("name".into(), "Untitled".into());
            }
            if let (true, Some(Value::String(name))) = (words.suffixes, data.get_mut("name")) {
                name.push_str(" (2)");
            }
        }
        if kind == "BOOKMARK" && words.drops_types {
            data.remove("type");
        }
        data
    }

    fn create(&mut self, kind: &str, data: &Value) -> String {
        let mut held = self.held(kind, data);
        self.serial += 1;
        let mut id = format!("s{}", self.serial);
        if kind == "COLLECTION_BOOKMARK" {
            held.insert("bookmarkId".into(), format!("b{}", self.serial).into());
            id = format!("{}-b{}", data["collectionId"].as_str().unwrap_or("?"), self.serial);
            if self.words.drops_places_of_links {
                for name in ["type", "key", "verseNumber"] {
                    held.remove(name);
                }
            }
        }
        let at = self.tick().0;
        self.head = at;
        let place = place(kind, data);
        self.rows.push(Row { kind: kind.to_owned(), id: id.clone(), data: held, op: "CREATE", at, place });
        id
    }

    fn is_occupied(&self, kind: &str, data: &Value) -> bool {
        let place = place(kind, data);
        place.is_some()
            && self.rows.iter().any(|row| row.op != "DELETE" && row.kind == kind && row.place == place)
    }

    fn wire(&self, row: &Row) -> Value {
        let mut wire = json!({
            "type": row.op, "resource": row.kind, "timestamp": row.at, "data": row.data, "resourceId": row.id
        });
        if row.kind == "COLLECTION_BOOKMARK" && self.words.links_without_id {
            wire.as_object_mut().expect("an object").remove("resourceId");
        }
        wire
    }

    /// Somebody else writes: something of its own, the like of what is queued, or upon what is there.
    fn other_writes(&mut self) {
        match self.rng.below(6) {
            0 if !self.queue.is_empty() => {
                let (kind, mut data) = self.rng.pick(&self.queue).expect("some").clone();
                self.alike.insert(mark(&kind, &data));
                for name in ["clientCreatedAt", "clientUpdatedAt"] {
                    data.as_object_mut().expect("an object").remove(name);
                }
                if data.get("collectionId").is_some() {
                    data["collectionId"] = "__default__".into();
                }
                if !self.is_occupied(&kind, &data) {
                    self.create(&kind, &data);
                }
            }
            1 if !self.rows.is_empty() => {
                let at = self.rng.below(self.rows.len());
                let now = self.tick().0;
                let row = &mut self.rows[at];
                let member = match row.kind.as_str() {
                    "NOTE" => "body",
                    "COLLECTION" => "name",
                    "PIN" => "title",
                    _ => return,
                };
                if row.op != "DELETE" {
                    row.place = None;
                    row.data.insert(member.to_owned(), format!("changed at {now}").into());
                    (row.op, row.at, self.head) = ("UPDATE", now, now);
                }
            }
            2 if !self.rows.is_empty() && self.rng.one_in(2) => {
                let at = self.rng.below(self.rows.len());
                let now = self.tick().0;
                let row = &mut self.rows[at];
                (row.op, row.at, self.head) = ("DELETE", now, now);
                row.data = Map::new();
            }
            _ => {
                let stamps = self.rng.one_in(2);
                let (kind, data) = self.creation("another", stamps);
                self.create(kind, &data);
            }
        }
    }

    fn device(&mut self) -> Device {
        let mut device = Device::default();
        device.sync.cursor = Some(Cursor::read(self.head));
        let live = self.rows.iter().filter(|row| row.op != "DELETE");
        let row = |row: &Row| Known {
            id: row.id.as_str().into(),
            kind: Kind::from_wire(&row.kind),
            data: Payload::new(Text::new(Value::Object(row.data.clone()).to_string())),
            status: SyncStatus::Synced,
            local_updated_at: None,
            server_timestamp: Some(Millis(row.at)),
        };
        let known: Vec<Known> = live.map(row).collect();
        device.known = (!self.rng.one_in(4)).then_some(known);
        let mut collections = Vec::new();
        let mut nameless = false;
        for number in 0..=self.rng.below(8) {
            let id = format!("q{number}");
            let stamps = self.rng.one_in(2);
            let (mut kind, mut data) = self.creation("device", stamps);
            if self.rng.one_in(15) && !nameless {
                nameless = true;
                (kind, data) = ("COLLECTION", json!({ "isDefault": false }));
            }
            if kind == "COLLECTION" {
                collections.push(id.clone());
            }
            if kind == "COLLECTION_BOOKMARK"
                && let Some(collection) = self.rng.pick(&collections)
            {
                data["collectionId"] = collection.as_str().into();
            }
            self.queue.push((kind.to_owned(), data.clone()));
            device.queue.push(Queued {
                id: id.into(),
                op: Op::Create,
                kind: Kind::from_wire(kind),
                resource_id: None,
                data: Payload::new(Text::new(data.to_string())),
                base: Payload::ABSENT,
                created_at: Some(Millis(self.now)),
                retry_count: 0,
                last_error: None,
            });
        }
        if self.rng.one_in(4) && !(self.words.trims || self.words.composes || self.words.lowers) {
            self.sends_twins(&mut device);
        }
        device
    }

    /// The device has written the same note twice and tried to send both; an answer was lost to it, or two.
    fn sends_twins(&mut self, device: &mut Device) {
        let data = json!({ "body": "written twice", "ranges": ["1:1-1:7"] });
        for id in ["twin-1", "twin-2"] {
            device.queue.push(Queued {
                id: id.into(),
                op: Op::Create,
                kind: Kind::Note,
                resource_id: None,
                data: Payload::new(Text::new(data.to_string())),
                base: Payload::ABSENT,
                created_at: Some(Millis(self.now)),
                retry_count: 1,
                last_error: Some(String::from("timeout")),
            });
        }
        for _ in 0..self.rng.below(3) {
            let id = self.create("NOTE", &data);
            self.created.entry(mark("NOTE", &data)).or_default().push(id);
        }
    }

    fn pull(&self, since: Cursor) -> Window {
        let mut rows: Vec<&Row> = self.rows.iter().filter(|row| row.at > since.value()).collect();
        rows.sort_by_key(|row| row.at);
        let rows: Vec<Value> = rows.into_iter().map(|row| self.wire(row)).collect();
        let body =
            json!({"success":true,"data":{"lastMutationAt":self.head,"mutations":rows,"hasMore":false}});
        let page = read_page(&ResponseHead::ok(), &Text::new(body.to_string()), 1).expect("a page");
        assemble(PullPath::SinceCursor, since, Cursor::read(self.head), vec![page])
    }

    fn status(&mut self) -> Refusal {
        refused(*self.rng.pick(&STATUSES).expect("one"))
    }

    fn post(&mut self, head: Cursor, mutations: &[WireMutation]) -> Posted {
        if self.faults && self.rng.one_in(5) {
            self.other_writes();
        }
        if self.faults && self.rng.one_in(8) {
            return match self.rng.below(3) {
                0 => Posted::NotSent(String::from("no connection")),
                1 => Posted::Lost(String::from("timeout before")),
                _ => Posted::Refused(self.status()),
            };
        }
        if head.value() != self.head {
            return Posted::Refused(refused(409));
        }
        let mut told = Vec::new();
        for mutation in mutations {
            let wire: Value =
                serde_json::from_str(&serde_json::to_string(mutation).expect("it serialises")).expect("JSON");
            let (kind, data) = (mutation.kind.wire(), &wire["data"]);
            // A creation with the id of what is there, or at the place of a bookmark, changes that.
            let place = place(kind, data);
            let there =
                |row: &&Row| row.op != "DELETE" && row.kind == kind && place.is_some() && row.place == place;
            let occupied = self.rows.iter().find(there).map(|row| row.id.clone());
            let id = if mutation.op == Op::Create && mutation.resource_id.is_none() && occupied.is_none() {
                let id = self.create(kind, data);
                self.created.entry(mark(kind, data)).or_default().push(id.clone());
                id
            } else {
                let named = wire["resourceId"].as_str().unwrap_or_default().to_owned();
                let id = occupied.unwrap_or(named);
                let now = self.tick().0;
                self.head = now;
                let written = self.held(kind, data);
                if let Some(row) = self.rows.iter_mut().find(|row| row.id == id && row.op != "DELETE") {
                    row.op = if mutation.op == Op::Delete { "DELETE" } else { "UPDATE" };
                    row.at = now;
                    row.data.extend(written);
                }
                id
            };
            told.push(json!({"type":wire["type"],"resource":kind,"resourceId":id,"timestamp":self.head,"data":data}));
        }
        if self.faults && self.rng.one_in(3) {
            if self.rng.one_in(4) {
                self.other_writes();
            }
            return if self.rng.one_in(2) {
                Posted::Lost(String::from("timeout after"))
            } else {
                Posted::Refused(self.status())
            };
        }
        let body = json!({"success":true,"data":{"lastMutationAt":self.head,"mutations":told}}).to_string();
        Posted::Answer(read_post(&ResponseHead::ok(), &Text::new(body)).expect("an answer"))
    }

    fn killed(&mut self) -> bool {
        let killed = self.kills > 0 && self.rng.one_in(9);
        self.kills -= usize::from(killed);
        killed
    }

    fn look(&self, disk: &Disk) -> Inspection {
        let device = Interrupted::of(&disk.journal).device(&disk.file);
        let since = device.sync.cursor.expect("in step");
        inspect(Arc::new(device), Arc::new(self.pull(since)))
    }

    fn session(&mut self, disk: &mut Disk, rule: Strategy) -> Result<Outcome, Killed> {
        let inspection = Arc::new(self.look(disk));
        let mut resolution = Resolution::default();
        let choices = strategy::choices_for_all(&inspection, &resolution, rule, |_| true);
        resolution.choose(rule.name(), choices);
        let by_hand = questions(&inspection).into_iter().filter_map(|question| {
            let arrived = *self.chosen.get(question.queue.first()?.as_str())?;
            let choice = if arrived { Choice::Server } else { Choice::Device };
            let unit = Unit { pair: question.pair, path: FieldPath::existence() };
            Some((unit, Some(Chosen { choice, by: By::Hand })))
        });
        resolution.choose("by hand", by_hand.collect::<Vec<_>>());
        let now = self.tick();
        let options = Options { rule: Some(rule), ..Options::default() };
        let mut push = Push::new(Planned::new(inspection, resolution, now), options, now);
        disk.journal.push(push.begun("the server"));
        let mut step = push.start();
        for _ in 0..500 {
            if self.killed() {
                return Err(Killed);
            }
            let cancelled = self.faults && self.rng.one_in(60) && !matches!(step, Do::Finish(_));
            let got = match step {
                _ if cancelled => Got::Cancelled,
                Do::Journal(record) => {
                    disk.journal.push(record);
                    Got::Journaled
                }
                Do::Wait { .. } => Got::Waited,
                Do::Authorize(_) => Got::Authorized(!self.faults || self.rng.one_in(2)),
                Do::Pull { .. } if self.faults && self.rng.one_in(12) => {
                    Got::Pulled(Err(PullFault::Failed(String::from("reset"))))
                }
                Do::Pull { .. } if self.faults && self.rng.one_in(12) => {
                    Got::Pulled(Err(PullFault::Refused(self.status())))
                }
                Do::Pull { since } => Got::Pulled(Ok(self.pull(since))),
                Do::Post { head, mutations } => Got::Posted(self.post(head, &mutations)),
                Do::Finish(outcome) => {
                    disk.file = on_disk(outcome.device.clone());
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

    /// A person who knows says what became of each entry in doubt.
    fn settles(&mut self, disk: &mut Disk) -> usize {
        let on_the_screen = self.rng.one_in(3);
        let mut told = self.told.clone();
        let inspection = self.look(disk);
        let asked: Vec<Question> = questions(&inspection);
        for question in &asked {
            assert!(!question.candidates.is_empty(), "a question without what it is about");
            let first = question.queue.first().expect("about an entry");
            let entry = inspection.device.queue.iter().find(|entry| entry.id == *first).expect("queued");
            let data: Value = serde_json::from_str(entry.data.as_str().expect("data")).expect("JSON");
            // Of what was written twice, each arrived as another one.
            let ids = question.ids(&inspection);
            let made = self.created.get(&mark(entry.kind.wire(), &data)).into_iter().flatten();
            let mut free = made.filter(|id| !told.contains(*id));
            let made = free.find(|id| ids.iter().any(|known| known.as_str() == *id)).cloned();
            // A deletion may name nothing of what it deleted: the person knows that it was there.
            let gone = |id: &&String| self.rows.iter().any(|row| row.id == **id && row.op == "DELETE");
            let made_once = self.created.get(&mark(entry.kind.wire(), &data)).into_iter().flatten();
            let deleted = made_once.filter(|id| !told.contains(*id)).find(gone).cloned();
            let said = match (made, deleted) {
                (Some(id), _) => {
                    told.insert(id.clone());
                    Said::Arrived(Some(id.as_str().into()))
                }
                (None, Some(id)) => {
                    told.insert(id);
                    Said::Arrived(None)
                }
                (None, None) => Said::NotArrived,
            };
            if on_the_screen {
                self.chosen.insert(first.to_string(), matches!(said, Said::Arrived(_)));
            } else {
                disk.journal.push(question.answered(&inspection, said));
            }
        }
        if !on_the_screen {
            // A choice that is not carried out is asked for again.
            self.told = told;
        }
        asked.len()
    }
}

fn check(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..4 {
        world.other_writes();
    }
    let file = world.device();
    let queued = file.queue.clone();
    let rule = Strategy::ALL[world.rng.below(4)];
    let mut disk = Disk { file, journal: Vec::new() };
    let mut faulty = 1 + world.rng.below(3);
    let mut sessions = 0;
    let end = loop {
        sessions += 1;
        assert!(sessions < 40, "it never ends");
        let outcome = world.session(&mut disk, rule);
        // What was chosen is bound to what was seen.
        world.chosen.clear();
        if let Ok(outcome) = outcome {
            if !world.faults && !matches!(outcome.end, End::Unknown { .. }) {
                break outcome.end;
            }
            faulty = faulty.saturating_sub(1);
            world.faults = faulty > 0;
            if !world.faults && matches!(outcome.end, End::Unknown { .. }) {
                let asked = world.settles(&mut disk);
                let after = questions(&world.look(&disk));
                assert!(
                    asked == 0 || !world.chosen.is_empty() || after.len() < asked,
                    "{asked} answered, {} asked again",
                    after.len()
                );
            }
        }
    };
    let left: BTreeSet<&str> = disk.file.queue.iter().map(|entry| entry.id.as_str()).collect();
    for entry in &queued {
        let data: Value = serde_json::from_str(entry.data.as_str().expect("data")).expect("JSON");
        let mark = mark(entry.kind.wire(), &data);
        let created = world.created.get(&mark).map_or(0, Vec::len);
        let wanted =
            queued.iter().filter(|other| other.kind == entry.kind && other.data == entry.data).count();
        assert!(created <= wanted, "{} was created {created} times ({end:?}): {mark}", entry.id);
        let there = created == wanted || left.contains(entry.id.as_str()) || world.alike.contains(&mark);
        assert!(there, "{} was lost ({end:?}): {mark}", entry.id);
    }
    assert!(
        matches!(end, End::Done | End::Left),
        "a calm server, a person who has answered, and it ends as {end:?}"
    );
    if matches!(end, End::Done) {
        assert!(left.is_empty(), "done with a queue");
    }
}

#[test]
fn what_is_in_doubt_is_neither_doubled_nor_lost_and_a_person_settles_it() {
    check_all("UNSTICK_DOUBT_SEEDS", SEEDS, check);
}
