//! `kill -9` at any instant: whoever starts again ends with the same device file and the same server as a push that
//! was left alone. Nothing is there twice, nothing is gone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use unstick::domain::mutation::{Kind, Millis, ResourceId};
use unstick::sandbox::model::{FirstSync, Model};

use super::bench::{Bench, said, unstick};
use super::rng::Rng;

/// How often a push is killed.
const ROUNDS: usize = 200;
const OPENED: Millis = Millis(1_770_000_000_000);
/// The time as the device tells it, so that what it stamps is the same in every round.
const NOW: &str = "2026-05-19T10:20:00Z";

/// A device with 4 POSTs to make, and three things that diverge.
fn stuck() -> Bench {
    let mut model = Model::new(FirstSync::Positive, OPENED);
    let make = |resource: &str, id: &str, data: Value| json!({ "type": "CREATE", "resource": resource, "resourceId": id, "data": data });
    let agreed = [
        make("NOTE", "n1", json!({ "body": "agreed, first", "ranges": ["1:1-1:2"] })),
        make("NOTE", "n2", json!({ "body": "agreed, second", "ranges": ["1:3-1:4"] })),
        make("COLLECTION", "c1", json!({ "name": "Agreed" })),
        make("BOOKMARK", "b1", json!({ "type": "ayah", "key": 2, "verseNumber": 255 })),
    ];
    model.other_device_writes(Millis(OPENED.0 + 1000), "phone-a", &agreed).expect("a good history");
    let mut rows = Vec::new();
    for kind in Kind::KNOWN {
        for (id, data) in model.live(&kind) {
            let at = model.written_at(&kind, &id).map(|at| at.0);
            rows.push(json!({ "id": id.as_str(), "resource": kind.wire(), "data": data, "syncStatus": "synced", "serverTimestamp": at }));
        }
    }
    let cursor = model.head();
    let other = [
        json!({ "type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "data": { "body": "changed on the web" } }),
        json!({ "type": "UPDATE", "resource": "COLLECTION", "resourceId": "c1", "data": { "name": "Renamed" } }),
        make("NOTE", "n9", json!({ "body": "written on the web", "ranges": ["5:1-5:1"] })),
    ];
    model.other_device_writes(Millis(OPENED.0 + 60_000), "web", &other).expect("a good history");

    let at = "2026-02-02T10:00:00.000Z";
    let mut queue = vec![
        json!({ "id": "edit", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "data": { "body": "edited on the tablet", "clientUpdatedAt": at } }),
        json!({ "id": "name", "type": "UPDATE", "resource": "COLLECTION", "resourceId": "c1", "data": { "name": "Ours", "clientUpdatedAt": at } }),
        json!({ "id": "gone", "type": "DELETE", "resource": "NOTE", "resourceId": "n2" }),
        json!({ "id": "mark", "type": "CREATE", "resource": "BOOKMARK", "data": { "type": "ayah", "key": 18, "verseNumber": 10, "isReading": true, "mushaf": 1, "clientUpdatedAt": at } }),
        json!({ "id": "read", "type": "CREATE", "resource": "READING_SESSION", "data": { "chapterNumber": 9, "verseNumber": 1, "clientUpdatedAt": at } }),
    ];
    // What nothing but its content tells.
    for (id, resource, data) in [
        ("page", "BOOKMARK", json!({ "type": "page", "key": 300, "mushaf": 1 })),
        ("surah", "BOOKMARK", json!({ "type": "surah", "key": 12 })),
        ("juz", "BOOKMARK", json!({ "type": "juz", "key": 7 })),
        (
            "liked",
            "COLLECTION_BOOKMARK",
            json!({ "collectionId": "c1", "type": "page", "key": 301, "mushaf": 1 }),
        ),
        ("nowhere", "NOTE", json!({ "body": "of no place", "ranges": [] })),
    ] {
        queue.push(json!({ "id": id, "type": "CREATE", "resource": resource, "data": data }));
    }
    for number in 0..3 {
        let id = format!("collection-{number}");
        queue.push(json!({ "id": id, "type": "CREATE", "resource": "COLLECTION", "data": { "name": format!("Made here {number}"), "clientUpdatedAt": at } }));
        queue.push(json!({ "id": format!("link-{number}"), "type": "CREATE", "resource": "COLLECTION_BOOKMARK",
            "data": { "collectionId": id, "type": "ayah", "key": 36, "verseNumber": 50 + number, "mushaf": 1, "clientUpdatedAt": at } }));
    }
    for number in 0..110 {
        let ranges = if number % 3 == 0 { json!(["3:1-3:2", "4:1-4:1"]) } else { json!(["3:1-3:2"]) };
        queue.push(json!({ "id": format!("note-{number}"), "type": "CREATE", "resource": "NOTE",
            "data": { "body": format!("written on the tablet, {number}"), "ranges": ranges, "clientUpdatedAt": at } }));
    }
    let device = json!({
        "device": { "id": "tablet-b", "label": "Tablet B", "user": "u-1" },
        "sync": { "lastMutationAt": cursor, "pendingMutationCount": queue.len() },
        "queue": queue,
        "resources": rows,
    });
    Bench::new(model, &device.to_string())
}

/// What decides, and what it is called.
#[derive(Clone, Copy)]
enum Decided {
    ByRule,
    ByHand,
}

impl Decided {
    fn arguments(self, bench: &Bench) -> Vec<String> {
        let Self::ByHand = self else { return vec!["--strategy".into(), "client-wins".into()] };
        let file = bench.folder.path().join("chosen.json");
        let chosen = json!({ "schema": "unstick.choices/1", "choices": [
            { "kind": "NOTE", "key": "id:n1", "path": "/body", "choice": { "edit": "put together by hand" } },
            { "kind": "COLLECTION", "key": "id:c1", "path": "/name", "choice": "server" },
            { "kind": "NOTE", "key": "queue:note-7", "path": "", "choice": "server" },
            { "kind": "COLLECTION_BOOKMARK", "key": "link:collection-1@36:51", "path": "", "choice": "server" },
        ] });
        std::fs::write(&file, chosen.to_string()).expect("it is written");
        vec!["--choices".into(), file.to_str().expect("a path").into()]
    }
}

/// Everything that must be the same at the end.
#[derive(Debug, PartialEq)]
struct End {
    server: BTreeMap<String, Value>,
    writes: BTreeMap<(Kind, ResourceId), u32>,
}

impl End {
    /// Device and server as they stand; that they agree is seen to here.
    fn of(bench: &Bench) -> Self {
        let device = bench.device();
        assert_eq!(device["queue"].as_array().map(Vec::len), Some(0));
        let (head, server, writes) = bench.server.with_model(|model| {
            let live = Kind::KNOWN.into_iter().flat_map(|kind| {
                let all = model.live(&kind).into_iter();
                all.map(|(id, data)| (format!("{} {id}", kind.wire()), data)).collect::<Vec<_>>()
            });
            (model.head(), live.collect::<BTreeMap<_, _>>(), model.writes())
        });
        assert_eq!(device["sync"]["lastMutationAt"], json!(head));
        let rows = device["resources"].as_array().expect("rows").iter();
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let rows = rows.map(|row| {
            assert_eq!(row["syncStatus"], "synced", "{row}");
            (format!("{} {}", text(row, "resource"), text(row, "id")), row["data"].clone())
        });
        let rows: BTreeMap<String, Value> = rows.collect();
        assert_eq!(rows.keys().collect::<Vec<_>>(), server.keys().collect::<Vec<_>>());
        for (id, data) in &server {
            for (name, value) in data.as_object().expect("an object") {
                // Derived from the links; the server does not say when it changes (PROTOCOL D5).
                assert!(name == "isInDefaultCollection" || rows[id][name] == *value, "{id} {name}");
            }
        }
        Self { server, writes }
    }
}

/// When the program is killed.
#[derive(Clone, Copy, Debug)]
enum Instant9 {
    /// So many µs after its start.
    After(u64),
    /// So many µs after the server was asked so often.
    Requests(u64, u64),
    /// So many µs after the journal got so many lines.
    Lines(usize, u64),
}

fn journal(bench: &Bench) -> PathBuf {
    bench.folder.path().join("device.json.unstick-journal")
}

fn lines(journal: &Path) -> usize {
    std::fs::read_to_string(journal).map_or(0, |text| text.matches('\n').count())
}

fn start(bench: &Bench, command: &str, more: &[String]) -> Child {
    let url = bench.server.url();
    let device = bench.device.to_str().expect("a path").to_owned();
    let mut arguments = vec![command, &device, "--server", &url, "--yes", "--now", NOW];
    arguments.extend(more.iter().map(String::as_str));
    let mut command = unstick(&arguments);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs")
}

/// Waits for the instant and kills. Answers whether the program was still running.
fn kill(bench: &Bench, child: &mut Child, instant: Instant9) -> bool {
    let (journal, before, begun) = (journal(bench), bench.server.requests(), Instant::now());
    loop {
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        let reached = match instant {
            Instant9::After(wait) => begun.elapsed() >= Duration::from_micros(wait),
            Instant9::Requests(requests, _) => bench.server.requests() >= before + requests,
            Instant9::Lines(wanted, _) => lines(&journal) >= wanted,
        };
        if reached {
            break;
        }
        std::thread::sleep(Duration::from_micros(150));
    }
    let (Instant9::After(wait) | Instant9::Requests(_, wait) | Instant9::Lines(_, wait)) = instant;
    if !matches!(instant, Instant9::After(_)) {
        std::thread::sleep(Duration::from_micros(wait));
    }
    child.kill().expect("SIGKILL");
    !child.wait().expect("a child").success()
}

/// Pushes, is killed, resumes, is killed again, and at last is left alone. Answers how often it was killed.
fn round(seed: u64, decided: Decided, expected: &End, usual: Duration) -> usize {
    let mut rng = Rng(seed);
    let bench = stuck();
    let more = decided.arguments(&bench);
    let usual = u64::try_from(usual.as_micros()).unwrap_or(u64::MAX);
    let mut child = start(&bench, "push", &more);
    let mut killed = 0;
    for _ in 0..=rng.below_u64(3) {
        let instant = match rng.below_u64(3) {
            0 => Instant9::After(rng.below_u64(usual)),
            1 => Instant9::Requests(1 + rng.below_u64(7), rng.below_u64(4000)),
            _ => Instant9::Lines(1 + rng.below(13), rng.below_u64(3000)),
        };
        if !kill(&bench, &mut child, instant) {
            break;
        }
        killed += 1;
        // Where it was killed before the journal's second line there is nothing to resume yet, and behind its end nothing any more.
        let begun =
            lines(&journal(&bench)) > 1 || bench.device()["queue"].as_array().is_some_and(Vec::is_empty);
        child = if begun { start(&bench, "resume", &[]) } else { start(&bench, "push", &more) };
    }
    let output = child.wait_with_output().expect("a child");
    assert_eq!(output.status.code(), Some(0), "seed {seed}: {}", said(&output));
    let end = End::of(&bench);
    assert!(end == *expected, "seed {seed}: {}", difference(&end, expected));
    assert!(
        !bench.files().iter().any(|(name, _)| name.contains("journal") || name.contains("unstick-choices"))
    );
    killed
}

/// Where two ends differ.
fn difference(end: &End, expected: &End) -> String {
    let differ = |a: &BTreeMap<String, Value>, b: &BTreeMap<String, Value>| -> Vec<String> {
        let keys = a.keys().chain(b.keys()).filter(|key| a.get(*key) != b.get(*key));
        keys.take(3).map(|key| format!("{key}: {:?} for {:?}", a.get(key), b.get(key))).collect()
    };
    let writes = end.writes.iter().filter(|(key, writes)| expected.writes.get(*key) != Some(*writes));
    format!(
        "server {:?}, writes {:?}",
        differ(&end.server, &expected.server),
        writes.take(3).collect::<Vec<_>>()
    )
}

#[test]
fn killed_at_any_instant_it_ends_as_if_it_had_been_left_alone() {
    let left_alone = [Decided::ByRule, Decided::ByHand].map(|decided| {
        let bench = stuck();
        let more = decided.arguments(&bench);
        let begun = Instant::now();
        let output = start(&bench, "push", &more).wait_with_output().expect("a child");
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        (decided, End::of(&bench), begun.elapsed())
    });
    let (next, killed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let rounds = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= ROUNDS {
                return;
            }
            let (decided, expected, usual) = &left_alone[number % 2];
            killed.fetch_add(round(number as u64, *decided, expected, *usual), Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(rounds);
        }
    });
    // An instant may lie behind the end; most do not.
    assert!(killed.into_inner() >= ROUNDS, "too few were killed");
}
