//! Random devices in front of random windows. Ids, places, names and texts come from small pools, so that the two
//! sides meet; values are absent, null, empty, nested, Arabic, and numbers written in several ways.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use indexmap::IndexMap;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed};
use unstick::domain::device::{Device, Known, SyncState, SyncStatus};
use unstick::domain::inspect::{Inspection, inspect};
use unstick::domain::json::{Json, Text};
use unstick::domain::mutation::{Cursor, Kind, Millis, Op, Payload, Queued, ServerMutation};
use unstick::domain::phone::Feed;
use unstick::domain::window::{PullPath, Window};

/// A kind that no version knows.
pub const UNKNOWN: &str = "HIGHLIGHT";

/// How many cases a law is tried on: the same ones in every usual run, so that a run says something of the change it
/// is made for; `PROPTEST_CASES` asks for another number, of new ones each time. A failure is kept as a named test, not
/// as a file of seeds.
pub fn cases(count: u32) -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    Config {
        cases: asked.unwrap_or(count),
        rng_seed: if asked.is_some() { RngSeed::Random } else { RngSeed::Fixed(20_261_127) },
        failure_persistence: None,
        max_shrink_iters: 4096,
        ..Config::default()
    }
}

/// Members of a payload: names and JSON texts, in their order.
pub type Members = Vec<(&'static str, &'static str)>;

/// A mutation of either side; `data` `None` is no data at all.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is called: the queue id on the device, a name for the tests in the feed.
    pub name: String,
    pub id: Option<&'static str>,
    pub op: Op,
    pub kind: Kind,
    pub data: Option<Members>,
    pub base: Option<Members>,
    pub at: i64,
    pub tried: bool,
}

/// A row of the device's resources.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: &'static str,
    pub kind: Kind,
    pub data: Members,
    pub status: SyncStatus,
}

/// Both sides.
#[derive(Clone, Debug)]
pub struct World {
    pub queue: Vec<Entry>,
    pub rows: Option<Vec<Row>>,
    pub feed: Vec<Entry>,
}

impl World {
    /// Queue entries are called `q0`, `q1`, …, the feed's `s0`, `s1`, …
    fn of(mut queue: Vec<Entry>, rows: Option<Vec<Row>>, mut feed: Vec<Entry>) -> Self {
        for (letter, entries) in [('q', &mut queue), ('s', &mut feed)] {
            for (number, entry) in entries.iter_mut().enumerate() {
                entry.name = format!("{letter}{number}");
            }
        }
        Self { queue, rows, feed }
    }

    /// The device.
    pub fn device(&self) -> Device {
        let queue = self.queue.iter().map(|entry| Queued {
            id: entry.name.clone().into(),
            op: entry.op,
            kind: entry.kind.clone(),
            resource_id: entry.id.map(Into::into),
            data: payload(entry.data.as_ref()),
            base: payload(entry.base.as_ref()),
            created_at: Some(Millis(entry.at)),
            retry_count: u32::from(entry.tried),
            last_error: None,
        });
        let rows = self.rows.as_ref().map(|rows| {
            rows.iter()
                .map(|row| Known {
                    id: row.id.into(),
                    kind: row.kind.clone(),
                    data: payload(Some(&row.data)),
                    status: row.status,
                    local_updated_at: None,
                    server_timestamp: None,
                })
                .collect()
        });
        Device {
            sync: SyncState { cursor: Some(Cursor::ZERO), ..SyncState::default() },
            queue: queue.collect(),
            known: rows,
            ..Device::default()
        }
    }

    /// The window.
    pub fn window(&self) -> Window {
        let mutations = self.feed.iter().map(|entry| ServerMutation {
            op: entry.op,
            kind: entry.kind.clone(),
            resource_id: entry.id.map(Into::into),
            data: payload(entry.data.as_ref()),
            timestamp: Millis(entry.at),
        });
        Window {
            path: PullPath::SinceCursor,
            since: Cursor::ZERO,
            head: Cursor::read(self.feed.iter().map(|entry| entry.at).max().unwrap_or(0)),
            mutations: mutations.collect(),
            unreadable: Vec::new(),
            phone: Feed::default(),
            warnings: Vec::new(),
            not_visible: Vec::new(),
        }
    }

    pub fn inspection(&self) -> Inspection {
        inspect(Arc::new(self.device()), Arc::new(self.window()))
    }
}

pub fn payload(members: Option<&Members>) -> Payload {
    let Some(members) = members else { return Payload::ABSENT };
    let mut text = String::from("{");
    for (number, (name, value)) in members.iter().enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        write!(text, "{comma}\"{name}\": {value}").expect("a string can be written to");
    }
    text.push('}');
    Payload::new(Text::new(text))
}

pub fn parsed(members: &Members) -> IndexMap<String, Json> {
    payload(Some(members)).members()
}

pub fn kind() -> impl Strategy<Value = Kind> {
    select([Kind::KNOWN.to_vec(), vec![Kind::Other(UNKNOWN.into())]].concat())
}

/// What the members of a kind may hold.
fn pool(kind: &Kind) -> &'static [(&'static str, &'static [&'static str])] {
    const TIMES: &[&str] =
        &["\"2026-02-02T00:00:00Z\"", "\"2026-02-02T00:00:00.001Z\"", "1769990400000", "1769990400", "\"-\""];
    const FLAGS: &[&str] = &["true", "false", "null"];
    match kind {
        Kind::Bookmark => &[
            ("type", &["\"ayah\"", "\"ayah\"", "\"page\""]),
            ("key", &["2", "18", "2.0"]),
            ("verseNumber", &["1", "255"]),
            ("isReading", FLAGS),
            ("mushaf", &["1", "4"]),
            ("clientUpdatedAt", TIMES),
        ],
        Kind::Collection => &[
            ("name", &["\"رمضان\"", "\"أدعية السفر\"", "\"\"", "null"]),
            ("isDefault", &["false", "false", "true"]),
            ("isSystem", FLAGS),
            ("slug", &["\"x\"", "\"y\""]),
            ("clientUpdatedAt", TIMES),
        ],
        Kind::Link => &[
            ("collectionId", &["\"r1\"", "\"r2\"", "\"__default__\"", "\"q0\"", "\"q1\""]),
            ("bookmarkId", &["\"b1\"", "\"b2\""]),
            ("type", &["\"ayah\""]),
            ("key", &["2", "18"]),
            ("verseNumber", &["1", "255"]),
            ("mushaf", &["1", "4"]),
            ("clientUpdatedAt", TIMES),
        ],
        Kind::Note => &[
            ("body", &["\"صبر جميل\"", "\"صَبْرٌ جَميل\"", "\"long enough\"", "\"\"", "null", "17"]),
            (
                "ranges",
                &[
                    "[]",
                    "[\"1:1-1:7\"]",
                    "[\"2:255-2:255\",\"1:1-1:7\"]",
                    "[\"1:1-1:7\",\"3:8-3:8\"]",
                    "null",
                ],
            ),
            (
                "source",
                &[
                    "\"web\"",
                    "{\"app\":{\"name\":\"ق\",\"tags\":[1,2]}}",
                    "{\"app\":{\"name\":\"ك\",\"n\":1e0}}",
                ],
            ),
            ("clientUpdatedAt", TIMES),
        ],
        Kind::ReadingSession => &[
            ("chapterNumber", &["2", "3", "\"2\""]),
            ("verseNumber", &["1", "255"]),
            ("clientUpdatedAt", TIMES),
        ],
        Kind::Other(_) => &[
            ("a", &["1", "1.0", "2", "null", "\"\"", "\"أ\""]),
            ("b", &["[]", "[1,2]", "[2,1]", "{}"]),
            ("o", &["{\"x\":1,\"y\":{\"z\":null}}", "{\"x\":2,\"y\":{\"z\":\"\"}}", "{\"y\":{}}", "1"]),
            ("/a", &["1", "2"]),
            ("c/d~e", &["true", "1e400", "123456789012345678901234567890"]),
        ],
    }
}

/// Members of a kind, any of them absent, in any order.
pub fn members(kind: &Kind) -> impl Strategy<Value = Members> + use<> {
    let each: Vec<_> = pool(kind)
        .iter()
        .map(|(name, values)| {
            let name = *name;
            prop::option::weighted(0.7, select(*values))
                .prop_map(move |value| value.map(|value| (name, value)))
        })
        .collect();
    each.prop_map(|members| with_whole_position(members.into_iter().flatten().collect())).prop_shuffle()
}

/// Half a position is no position: no client writes one.
fn with_whole_position(mut members: Members) -> Members {
    let has = |members: &Members, name: &str| members.iter().any(|(n, _)| *n == name);
    let page = members.contains(&("type", "\"page\""));
    if page {
        members.retain(|(name, _)| *name != "verseNumber");
    }
    let whole =
        (has(&members, "key") || has(&members, "chapterNumber")) && (page || has(&members, "verseNumber"));
    if !whole {
        members.retain(|(name, _)| !matches!(*name, "key" | "chapterNumber" | "verseNumber"));
    }
    members
}

/// All members of a kind, in any order.
pub fn all_members(kind: &Kind) -> impl Strategy<Value = Members> + use<> {
    let each: Vec<_> = pool(kind)
        .iter()
        .map(|(name, values)| {
            let name = *name;
            select(*values).prop_map(move |value| (name, value))
        })
        .collect();
    each.prop_shuffle()
}

pub fn op() -> impl Strategy<Value = Op> {
    select(vec![Op::Create, Op::Update, Op::Delete])
}

fn id() -> impl Strategy<Value = &'static str> {
    select(vec!["r1", "r2", "r3", "b1", "r1-b1"])
}

fn queued() -> impl Strategy<Value = Entry> {
    (kind(), op()).prop_flat_map(|(kind, op)| {
        let with_id = if op == Op::Create { 0.2 } else { 0.9 };
        let with_data = if op == Op::Delete { 0.2 } else { 0.95 };
        let data = prop::option::weighted(with_data, members(&kind));
        let base = prop::option::weighted(0.4, members(&kind));
        (prop::option::weighted(with_id, id()), data, base, 0_i64..4, any::<bool>()).prop_map(
            move |(id, data, base, at, tried)| Entry {
                name: String::new(),
                id,
                op,
                kind: kind.clone(),
                data,
                base,
                at,
                tried,
            },
        )
    })
}

fn served() -> impl Strategy<Value = Entry> {
    (kind(), op()).prop_flat_map(|(kind, op)| {
        let with_id = if kind == Kind::Link { 0.2 } else { 0.98 };
        let data = prop::option::weighted(if op == Op::Delete { 0.2 } else { 0.97 }, members(&kind));
        (prop::option::weighted(with_id, id()), data, 0_i64..4).prop_map(move |(id, data, at)| Entry {
            name: String::new(),
            id,
            op,
            kind: kind.clone(),
            data,
            base: None,
            at,
            tried: false,
        })
    })
}

fn row() -> impl Strategy<Value = Row> {
    let status = select(vec![
        SyncStatus::Synced,
        SyncStatus::Synced,
        SyncStatus::PendingCreate,
        SyncStatus::PendingUpdate,
        SyncStatus::PendingDelete,
    ]);
    (kind(), id(), status).prop_flat_map(|(kind, id, status)| {
        members(&kind).prop_map(move |data| Row { id, kind: kind.clone(), data, status })
    })
}

/// A resource that both sides speak of by its id.
fn meeting(kinds: &[Kind], ops: &[Op]) -> impl Strategy<Value = (Entry, Entry)> + use<> {
    let ops = || select(ops.to_vec());
    (select(kinds.to_vec()), id(), ops(), ops()).prop_flat_map(|(kind, id, device_op, server_op)| {
        let side = |op: Op| prop::option::weighted(if op == Op::Delete { 0.2 } else { 0.97 }, members(&kind));
        let base = prop::option::weighted(0.6, members(&kind));
        (side(device_op), base, side(server_op), 0_i64..4, 0_i64..4, any::<bool>()).prop_map(
            move |(data, base, served, at, then, tried)| {
                let entry = |op, data, base, at, tried| Entry {
                    name: String::new(),
                    id: Some(id),
                    op,
                    kind: kind.clone(),
                    data,
                    base,
                    at,
                    tried,
                };
                (entry(device_op, data, base, at, tried), entry(server_op, served, None, then, false))
            },
        )
    })
}

/// Any device in front of any feed. The feed tells of each resource once, as a server's does (PROTOCOL A2).
pub fn world() -> impl Strategy<Value = World> {
    let kinds = [
        Kind::Bookmark,
        Kind::Collection,
        Kind::Note,
        Kind::Note,
        Kind::ReadingSession,
        Kind::Other(UNKNOWN.into()),
    ];
    let ops = [Op::Update, Op::Update, Op::Update, Op::Create, Op::Delete];
    let meetings = prop::collection::vec(meeting(&kinds, &ops), 0..4);
    let rows = prop::option::of(prop::collection::vec(row(), 0..6));
    let queue = prop::collection::vec((queued(), any::<bool>()), 0..7);
    let feed = prop::collection::vec(served(), 0..6);
    (meetings, queue, rows, feed).prop_map(|(meetings, others, rows, feed)| {
        let (met, told): (Vec<Entry>, Vec<Entry>) = meetings.into_iter().unzip();
        // Some of the others stand before what meets, some behind it.
        let (before, behind): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, before)| *before);
        let alone = |list: Vec<(Entry, bool)>| list.into_iter().map(|(entry, _)| entry);
        let queue = alone(before).chain(met).chain(alone(behind)).collect();
        let mut seen = BTreeSet::new();
        let mut feed: Vec<Entry> = told
            .into_iter()
            .chain(feed)
            .filter(|entry| entry.id.is_none() || seen.insert((entry.kind.clone(), entry.id)))
            .collect();
        feed.sort_by_key(|entry| entry.at);
        World::of(queue, rows, feed)
    })
}

/// Resources of which each side speaks once, and no others; the queue and the feed in one order.
pub fn meetings_of(kinds: &[Kind], ops: &[Op]) -> impl Strategy<Value = World> + use<> {
    prop::collection::vec(meeting(kinds, ops), 1..4).prop_map(|meetings| {
        let mut seen = BTreeSet::new();
        let once = meetings.into_iter().filter(|(entry, _)| seen.insert((entry.kind.clone(), entry.id)));
        let (queue, feed) = once.unzip();
        World::of(queue, None, feed)
    })
}

/// Members that every client can read, all there.
fn plain_members(kind: &Kind) -> impl Strategy<Value = Members> + use<> {
    let pool: &[(&str, &[&str])] = match kind {
        Kind::Bookmark => &[
            ("type", &["\"ayah\""]),
            ("key", &["2", "18"]),
            ("verseNumber", &["1"]),
            ("isReading", &["true", "false"]),
        ],
        Kind::Collection => &[("name", &["\"رمضان\"", "\"أدعية السفر\"", "\"x\""])],
        Kind::Link => &[
            ("collectionId", &["\"c1\"", "\"c2\""]),
            ("bookmarkId", &["\"b1\""]),
            ("type", &["\"ayah\""]),
            ("key", &["2", "18", "36"]),
            ("verseNumber", &["1"]),
        ],
        Kind::Note => {
            &[("body", &["\"صبر جميل\"", "\"صلاة\""]), ("ranges", &["[\"1:1-1:7\"]", "[\"2:1-2:1\"]"])]
        }
        Kind::ReadingSession => &[("chapterNumber", &["2", "18"]), ("verseNumber", &["1"])],
        Kind::Other(_) => &[("a", &["1", "2"])],
    };
    let each: Vec<_> = pool
        .iter()
        .map(|(name, values)| {
            let name = *name;
            select(*values).prop_map(move |value| (name, value))
        })
        .collect();
    each.prop_map(|mut members: Members| {
        // A bookmark stands at one place, so a link's bookmark follows from its place.
        let place = members.iter().find(|(name, _)| *name == "key").map(|(_, value)| *value);
        if let Some((_, bookmark)) = members.iter_mut().find(|(name, _)| *name == "bookmarkId") {
            *bookmark = match place {
                Some("2") => "\"b1\"",
                Some("18") => "\"b2\"",
                _ => "\"b3\"",
            };
        }
        members
    })
}

/// A phone in front of a feed: what is queued and what is pulled is whole, what is updated or deleted has an id, and
/// the device knows what it touches.
pub fn phone_world(kind: Kind) -> impl Strategy<Value = World> {
    let ids = vec!["r1", "r2", "r3"];
    let queued = (op(), select(ids.clone()), prop::bool::weighted(0.2), plain_members(&kind), 0_i64..4);
    let served = (op(), select(ids), plain_members(&kind), 0_i64..4);
    let queue = prop::collection::vec(queued, 0..5);
    let feed = prop::collection::vec(served, 0..5);
    (queue, feed).prop_map(move |(queue, feed)| {
        // The phone's queue is its rows: one pending mutation each, and one row of each id.
        let mut rows: Vec<Row> = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        for (op, id, known, data, at) in queue {
            // A link's id is made of the two that it joins.
            let id = (kind != Kind::Link && (op != Op::Create || known)).then_some(id);
            // Of one place or name there is one living row, here one deleted one, and only one that has an id: two
            // ids are two resources, which the client does not always tell apart.
            let unique = matches!(kind, Kind::Bookmark | Kind::Collection | Kind::Link);
            let clashes = |entry: &Entry| {
                let same_op = (entry.op == Op::Delete) == (op == Op::Delete);
                alike(entry, &data) && (same_op || entry.id.is_some() && id.is_some())
            };
            if unique && entries.iter().any(clashes) {
                continue;
            }
            if let Some(id) = id {
                if rows.iter().any(|row| row.id == id) {
                    continue;
                }
                rows.push(Row {
                    id,
                    kind: kind.clone(),
                    data: data.clone(),
                    status: SyncStatus::PendingUpdate,
                });
            }
            entries.push(Entry {
                name: String::new(),
                id,
                op,
                kind: kind.clone(),
                data: Some(data),
                base: None,
                at,
                tried: false,
            });
        }
        let queue = entries;
        let mut met = BTreeSet::new();
        let mut feed: Vec<Entry> = feed
            .into_iter()
            .filter(|(_, id, data, _)| {
                met.insert(if kind == Kind::Link { format!("{data:?}") } else { (*id).to_owned() })
            })
            .map(|(op, id, data, at)| Entry {
                name: String::new(),
                id: (kind != Kind::Link).then_some(id),
                op,
                kind: kind.clone(),
                data: (op != Op::Delete || kind == Kind::Link).then_some(data),
                base: None,
                at,
                tried: false,
            })
            .collect();
        feed.sort_by_key(|entry| entry.at);
        World::of(queue, Some(rows), feed)
    })
}

/// Whether an entry stands for the same place, link or name as `data`.
fn alike(entry: &Entry, data: &Members) -> bool {
    let identity = |members: &Members| -> Vec<(&str, &str)> {
        let names = ["type", "key", "verseNumber", "collectionId", "name"];
        members.iter().filter(|(name, _)| names.contains(name)).copied().collect()
    };
    entry.data.as_ref().is_some_and(|own| identity(own) == identity(data))
}
