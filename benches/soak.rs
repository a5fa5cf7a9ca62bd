//! 50 devices of one user push 20,000 mutations in all through one sandbox in which 5% of the requests go wrong: all
//! of them converge, nothing is lost or doubled, and the requests are counted against the least possible.
//!
//! `cargo bench --bench soak [-- AT_ONCE [PERCENT [SEED]]]`: how many devices push at the same time (4), how many
//! requests in a hundred meet a fault (5), and the seed of the faults (1).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use unstick::device::DeviceFile;
use unstick::domain::mutation::{Kind, Millis};
use unstick::domain::push::{self, End, Note};
use unstick::domain::resolution::Resolution;
use unstick::domain::strategy::{self, Strategy};
use unstick::domain::window::PullStep;
use unstick::sandbox::fault::{Fault, Instead, Rule};
use unstick::sandbox::http::{Logged, Options, Running, Sandbox};
use unstick::sandbox::model::{FirstSync, Model};
use unstick::server::wire::PAGE_LIMIT;
use unstick::server::{Client, Endpoint, Timeouts, Token};
use unstick::session::{Clock, Server, Session, Watch};

const DEVICES: usize = 50;
/// What each device has in its queue; 400 in all.
const BOOKMARKS: usize = 40;
const COLLECTIONS: usize = 8;
const LINKS: usize = 52;
const NOTES: usize = 250;
const EDITS: usize = 30;
const SESSIONS: usize = 20;
const QUEUED: usize = BOOKMARKS + COLLECTIONS + LINKS + NOTES + EDITS + SESSIONS;
/// Notes that all devices know and edit.
const SHARED: usize = 200;
/// The POSTs that a device needs at least: bookmarks and collections, then links, then notes and sessions.
const BATCHES: usize =
    (BOOKMARKS + COLLECTIONS).div_ceil(100) + LINKS.div_ceil(100) + (NOTES + EDITS + SESSIONS).div_ceil(100);

/// Everything that a device can get over. An id that nobody knows is not among it: it is reported, not mended.
const FAULTS: &str = "race,race:same,head-jump,409-storm,429,429:1,429:date:1,500,500:after,502-html,502-html:after,\
    timeout-before,timeout-after,reset-mid-body,truncated,slow:50,ack-wrong-count,ack-wrong-type,ack-wrong-order,\
    page-shift,race+truncated";

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_millis(500),
    total: Duration::from_secs(4),
    pull: Duration::from_mins(2),
};
const OPENED: Millis = Millis(1_770_000_000_000);

fn main() {
    let arguments: Vec<u64> =
        std::env::args().skip(1).filter(|a| a != "--bench").map(|a| a.parse().expect("a number")).collect();
    let [at_once, percent, seed] = [4, 5, 1].map({
        let mut given = arguments.into_iter();
        move |default| given.next().unwrap_or(default)
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(soak(usize::try_from(at_once).expect("small"), percent, seed));
}

async fn soak(at_once: usize, percent: u64, seed: u64) {
    let begun = Instant::now();
    let model = agreed();
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<PathBuf> = (0..DEVICES)
        .map(|number| write_device(&folder.path().join(format!("{number}.json")), number, &model))
        .collect();
    let rule: Rule = format!("any:{percent}%={FAULTS}@seed={seed}").parse().expect("a rule");
    let options = Options { faults: [rule].into_iter().collect(), ..Options::default() };
    let sandbox = Sandbox::start(model, options).await.expect("a free port");
    let turns = Arc::new(Semaphore::new(at_once));
    let devices = files.into_iter().enumerate().map(|(number, file)| {
        let (turns, client) = (Arc::clone(&turns), client(&sandbox, number));
        tokio::spawn(async move {
            let _turn = turns.acquire().await.expect("never closed");
            converge(&file, &client).await
        })
    });
    let mut stories = Vec::new();
    for device in devices.collect::<Vec<_>>() {
        stories.push(device.await.expect("no panic"));
    }
    let log = sandbox.log();
    check(&sandbox);
    report(&log, &stories, begun.elapsed());
    sandbox.shutdown().await;
}

/// What one device went through.
#[derive(Default)]
struct Story {
    /// Sessions, each with a look of its own.
    sessions: usize,
    /// Pages that the first look had to read, and the first one after a push that had to stop in doubt.
    pages: usize,
    /// Pages that a look read for nothing, or only because others wrote meanwhile.
    again: usize,
    /// Pages of the pulls that a conflict made necessary.
    forced: usize,
    /// Pages of the look after the last POST.
    afterwards: usize,
    /// How the pushes ended that did not end well.
    ends: Vec<String>,
}

async fn converge(file: &Path, client: &Client) -> Story {
    let mut story = Story::default();
    let mut forced = true;
    loop {
        story.sessions += 1;
        assert!(story.sessions <= 100, "no end: {:?}", story.ends);
        let device = DeviceFile::read(file).expect("a device file");
        let mut session =
            Session::new(device, Server::Live(client.clone()), Clock::System).expect("a session");
        let mut seen = 0;
        let mut count = |step| match step {
            PullStep::Page { .. } => seen += 1,
            PullStep::HeadMoved { .. } | PullStep::NotWhole { .. } => {
                story.again += std::mem::take(&mut seen);
            }
            PullStep::CaughtUp { .. } => story.again += 1,
            PullStep::AskedHead
            | PullStep::Head(_)
            | PullStep::AskedPage { .. }
            | PullStep::HeadStable(_)
            | PullStep::Waiting { .. }
            | PullStep::Path(_) => {}
        };
        let inspection = match session.look(&mut count).await {
            Ok(inspection) => Arc::new(inspection),
            Err(error) => {
                story.ends.push(format!("look: {}", shortened(&error.to_string())));
                continue;
            }
        };
        if std::mem::take(&mut forced) {
            story.pages += inspection.window.mutations.len().div_ceil(PAGE_LIMIT as usize).max(1);
        }
        let mut resolution = Resolution::default();
        let choices = strategy::choices_for_all(&inspection, &resolution, Strategy::ClientWins, |_| true);
        resolution.choose("client-wins", choices);
        let options = push::Options { rule: Some(Strategy::ClientWins), ..push::Options::default() };
        let mut pages = Pages::default();
        let planned = push::Planned::new(inspection, resolution, session.clock().now());
        let pushed = session.push(planned, options, &mut pages).await.expect("it begins");
        story.forced += pages.forced;
        story.afterwards += pages.afterwards;
        pushed.written.expect("it is written back");
        match pushed.outcome.end {
            End::Done => return story,
            end => {
                forced = matches!(end, End::Unknown { .. });
                story.ends.push(match &end {
                    End::Unknown { why, .. } => shortened(why),
                    end => shortened(&format!("{end:?}")),
                });
            }
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

/// Counts the pages that the pulls of a push need, by what made them necessary.
#[derive(Default)]
struct Pages {
    refused: bool,
    lost: bool,
    forced: usize,
    afterwards: usize,
}

impl Watch for Pages {
    fn note(&mut self, note: Note) {
        match note {
            Note::Sending { .. } => (self.refused, self.lost) = (false, false),
            Note::Refused { status, .. } => self.refused = status == 409,
            Note::Lost { .. } => self.lost = true,
            Note::Pulled { new, .. } => {
                let pages = new.div_ceil(PAGE_LIMIT as usize).max(1);
                match (self.refused, self.lost) {
                    (true, _) => self.forced += pages,
                    // A fault made it necessary.
                    (false, true) => {}
                    (false, false) => self.afterwards += pages,
                }
            }
            _ => {}
        }
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn client(sandbox: &Running, number: usize) -> Client {
    let endpoint = Endpoint::parse(&sandbox.url()).expect("loopback");
    let token = Token::read(&SecretString::from("soak"), "the soak").expect("a token");
    Client::with_timeouts(endpoint, &token, &format!("device-{number}"), TIMEOUTS).expect("a client")
}

/// What all devices agreed on with the server.
fn agreed() -> Model {
    let mut model = Model::new(FirstSync::Positive, OPENED);
    let note = |number: usize| {
        json!({ "type": "CREATE", "resource": "NOTE", "resourceId": format!("s{number}"),
            "data": { "body": format!("shared {number}"), "ranges": ["1:1-1:7"] } })
    };
    let notes: Vec<Value> = (0..SHARED).map(note).collect();
    model.other_device_writes(Millis(OPENED.0 + 1000), "phone-a", &notes).expect("a good history");
    model
}

/// A place of its own for each number.
fn place(number: usize) -> Value {
    json!({ "type": "ayah", "key": number % 114 + 1, "verseNumber": number / 114 + 1, "mushaf": 1, "clientUpdatedAt": AT })
}

const AT: &str = "2026-02-02T10:00:00.000Z";

fn write_device(file: &Path, device: usize, model: &Model) -> PathBuf {
    let mut queue: Vec<Value> = Vec::new();
    let mut put = |op: &str, resource: &str, on: Option<String>, mut data: Value| {
        let id = format!("q{}", queue.len());
        if op == "CREATE" {
            // As a phone says it; no two things are made in one second.
            let made = OPENED.0 - i64::try_from((device * QUEUED + queue.len()) * 1000).expect("small");
            data["clientCreatedAt"] = Millis(made).to_iso().into();
        }
        let mut entry = json!({ "id": id, "type": op, "resource": resource, "data": data,
            "createdAt": OPENED.0 + 5000, "retryCount": 0 });
        if let Some(on) = on {
            entry["resourceId"] = on.into();
        }
        queue.push(entry);
    };
    for number in 0..COLLECTIONS {
        put(
            "CREATE",
            "COLLECTION",
            None,
            json!({ "name": collection(device, number), "clientUpdatedAt": AT }),
        );
    }
    for number in 0..BOOKMARKS {
        put("CREATE", "BOOKMARK", None, place(device * BOOKMARKS + number));
    }
    for number in 0..LINKS {
        let mut link = place(DEVICES * BOOKMARKS + device * LINKS + number);
        // The first of the queue are the collections.
        link["collectionId"] = format!("q{}", number % COLLECTIONS).into();
        put("CREATE", "COLLECTION_BOOKMARK", None, link);
    }
    for number in 0..NOTES {
        let ranges = [format!("{0}:1-{0}:2", number % 114 + 1)];
        put(
            "CREATE",
            "NOTE",
            None,
            json!({ "body": note(device, number), "ranges": ranges, "clientUpdatedAt": AT }),
        );
    }
    for number in 0..EDITS {
        let on = format!("s{}", (device * 7 + number * 3) % SHARED);
        let body = format!("edit {number} of device {device}");
        put("UPDATE", "NOTE", Some(on), json!({ "body": body, "clientUpdatedAt": AT }));
    }
    for number in 0..SESSIONS {
        let at = device * SESSIONS + number;
        put(
            "CREATE",
            "READING_SESSION",
            None,
            json!({ "chapterNumber": at % 114 + 1, "verseNumber": at / 114 + 20, "clientUpdatedAt": AT }),
        );
    }
    assert_eq!(queue.len(), QUEUED);
    let rows = [Kind::Note, Kind::Collection].into_iter().flat_map(|kind| {
        let row = |(id, data): (_, Value)| {
            let id: unstick::domain::mutation::ResourceId = id;
            let at = model.written_at(&kind, &id).map(|at| at.0);
            json!({ "id": id.as_str(), "resource": kind.wire(), "data": data, "syncStatus": "synced", "serverTimestamp": at })
        };
        model.live(&kind).into_iter().map(row).collect::<Vec<_>>()
    });
    let content = json!({
        "device": { "id": format!("device-{device}") },
        "sync": { "lastMutationAt": model.head(), "pendingMutationCount": QUEUED },
        "resources": rows.collect::<Vec<_>>(),
        "queue": queue,
    });
    std::fs::write(file, content.to_string()).expect("written");
    file.to_owned()
}

fn collection(device: usize, number: usize) -> String {
    format!("collection {number} of device {device}")
}

fn note(device: usize, number: usize) -> String {
    format!("note {number} of device {device}")
}

/// What the devices created is there, each once.
fn check(sandbox: &Running) {
    let count = |kind: Kind, member: &str| {
        let mut all: BTreeMap<String, usize> = BTreeMap::new();
        for (_, data) in sandbox.with_model(|model| model.live(&kind)) {
            *all.entry(data[member].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        all
    };
    let (notes, collections) = (count(Kind::Note, "body"), count(Kind::Collection, "name"));
    for device in 0..DEVICES {
        for number in 0..NOTES {
            // A race may have changed a note after it arrived.
            assert!(notes.get(&note(device, number)).is_none_or(|n| *n == 1), "{}", note(device, number));
        }
        for number in 0..COLLECTIONS {
            assert!(collections.get(&collection(device, number)).is_none_or(|n| *n == 1));
        }
    }
    let links = sandbox.with_model(|model| model.live(&Kind::Link)).len();
    let live_notes: usize = notes.values().sum();
    println!(
        "on the server: {live_notes} notes ({} created by devices), {} collections, {links} links",
        DEVICES * NOTES,
        collections.len()
    );
    assert!(live_notes >= SHARED + DEVICES * NOTES, "a note is gone");
    assert!(collections.len() > DEVICES * COLLECTIONS, "a collection is gone");
    assert!(links <= DEVICES * LINKS, "a link is there twice");
}

fn report(log: &[Logged], stories: &[Story], took: Duration) {
    let gets = log.iter().filter(|request| request.method == "GET");
    let posts = || log.iter().filter(|request| request.method == "POST");
    let storms = |request: &&Logged| request.faults.instead() == Some(Instead::OutOfSync);
    let refused = |request: &&Logged| request.status == Some(409) && request.faults.instead().is_none();
    let conflicts = posts().filter(refused).count();
    let forced: usize = stories.iter().map(|story| story.forced).sum();
    let afterwards: usize = stories.iter().map(|story| story.afterwards).sum();
    let batches = DEVICES * BATCHES;
    let looks: usize = stories.iter().map(|story| story.pages).sum();
    let least = batches + looks + forced + afterwards;
    println!("{} mutations of {DEVICES} devices in {:.1} s", DEVICES * QUEUED, took.as_secs_f64());
    println!("requests                  {:6}  ({} GET, {} POST)", log.len(), gets.count(), posts().count());
    println!(
        "  met by a fault          {:6}",
        log.iter().filter(|request| !request.faults.is_empty()).count()
    );
    println!("  409 for no reason       {:6}", posts().filter(storms).count());
    println!("least possible            {least:6}");
    println!("  POSTs                   {batches:6}");
    println!("  pages of a first look   {looks:6}");
    println!(
        "  pages after a conflict  {forced:6}  (of {conflicts}; each also costs the POST that learns of it)"
    );
    println!("  pages of the looks after the last POST {afterwards}");
    let again: usize = stories.iter().map(|story| story.again).sum();
    println!("pages that a look read again since others wrote meanwhile {again}");
    println!("factor                    {:6.2}", log.len() as f64 / least as f64);
    let pulls = batches + looks + conflicts + DEVICES;
    println!("  every pull but the first look counted as one page {:.2}", log.len() as f64 / pulls as f64);
    println!(
        "  with the POSTs that learn of a conflict {:.2}",
        log.len() as f64 / (least + conflicts) as f64
    );
    println!("sessions                  {:6}", stories.iter().map(|story| story.sessions).sum::<usize>());
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for end in stories.iter().flat_map(|story| &story.ends) {
        *ends.entry(end).or_default() += 1;
    }
    for (end, count) in ends {
        println!("  {count:4} × {end}");
    }
    let mut faults: BTreeMap<String, usize> = BTreeMap::new();
    for fault in log.iter().flat_map(|request| request.faults.iter().map(|fault: Fault| fault.to_string())) {
        *faults.entry(fault).or_default() += 1;
    }
    let faults: Vec<String> = faults.into_iter().map(|(fault, count)| format!("{fault} {count}")).collect();
    println!("faults: {}", faults.join(", "));
}
