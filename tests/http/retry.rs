//! A whole push against a sandbox in which something goes wrong: at its end device file and server agree, or the
//! outcome says what remains; nothing is there twice; what must survive a crash lay on the disk in time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use unstick::device::DeviceFile;
use unstick::domain::answer::Refusal;
use unstick::domain::device::Device;
use unstick::domain::field::FieldPath;
use unstick::domain::inspect::Inspection;
use unstick::domain::json::Json;
use unstick::domain::mutation::{Kind, Millis, ResourceId};
use unstick::domain::push::{self, End, Note, Outcome};
use unstick::domain::resolution::{By, Chosen, Resolution};
use unstick::domain::strategy::{self, Strategy};
use unstick::sandbox::fault::Script;
use unstick::sandbox::http::{Options, Running, Sandbox};
use unstick::sandbox::model::{FirstSync, Model};
use unstick::server::{Client, Timeouts, Token};
use unstick::session::{Clock, Pushed, Server, Session, Watch};

use super::canned::{TOKEN, client_at};

/// Short, since some of the faults last as long as the client waits.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_millis(500),
    total: Duration::from_millis(1500),
    pull: Duration::from_mins(1),
};
/// When the account was opened; the sandbox's clock is the real one.
const OPENED: Millis = Millis(1_770_000_000_000);

/// What the device wrote, as it stands in its queue: 3 POSTs, one a phase.
const NEW_NOTES: [&str; 2] = ["كتبت هذا على الجهاز", "Written on the tablet"];
const NEW_COLLECTION: &str = "Made on the tablet";
const EDITED: &str = "Edited on the tablet";

/// A stuck device beside its server.
struct Place {
    folder: tempfile::TempDir,
    original: String,
    sandbox: Running,
}

/// What a push came to, with what was seen on the way.
struct Run {
    pushed: Pushed,
    notes: Vec<Note>,
    /// The journal as it stood on the disk when each POST left.
    journals: Vec<String>,
}

impl Run {
    const fn outcome(&self) -> &Outcome {
        &self.pushed.outcome
    }

    fn count(&self, which: impl Fn(&Note) -> bool) -> usize {
        self.notes.iter().filter(|note| which(note)).count()
    }
}

#[derive(Clone, Default)]
struct Eyes {
    /// How many fresh tokens there are.
    tokens: usize,
    notes: Arc<Mutex<Vec<Note>>>,
    journals: Arc<Mutex<Vec<String>>>,
    journal: PathBuf,
}

impl Watch for Eyes {
    fn note(&mut self, note: Note) {
        if matches!(note, Note::Sending { .. }) {
            let journal = std::fs::read_to_string(&self.journal).expect("a journal before the first byte");
            self.journals.lock().expect("no panic while locked").push(journal);
        }
        self.notes.lock().expect("no panic while locked").push(note);
    }

    fn cancelled(&self) -> bool {
        false
    }

    async fn fresh_token(&mut self, refusal: &Refusal) -> Option<Token> {
        assert_eq!(refusal.status, 401);
        self.tokens = self.tokens.checked_sub(1)?;
        Some(Token::read(&SecretString::from("fresh"), "a test").expect("a token"))
    }
}

/// What both sides agreed on.
fn agreed() -> Model {
    let mut model = Model::new(FirstSync::Positive, OPENED);
    let make = |resource: &str, id: &str, data: Value| json!({ "type": "CREATE", "resource": resource, "resourceId": id, "data": data });
    let all = [
        make("NOTE", "n1", json!({ "body": "agreed, first", "ranges": ["1:1-1:2"] })),
        make("NOTE", "n2", json!({ "body": "agreed, second", "ranges": ["1:3-1:4"] })),
        make("COLLECTION", "c1", json!({ "name": "Agreed" })),
        make("BOOKMARK", "b1", json!({ "type": "ayah", "key": 2, "verseNumber": 255 })),
    ];
    model.other_device_writes(Millis(OPENED.0 + 1000), "phone-a", &all).expect("a good history");
    model
}

fn queue() -> Value {
    let at = "2026-02-02T10:00:00.000Z";
    let entry = |id: &str, op: &str, resource: &str, on: Option<&str>, data: Value| {
        let mut entry = json!({ "id": id, "type": op, "resource": resource, "createdAt": OPENED.0 + 5000, "retryCount": 0 });
        if let Some(on) = on {
            entry["resourceId"] = on.into();
        }
        if !data.is_null() {
            entry["data"] = data;
        }
        entry
    };
    json!([
        entry("q1", "UPDATE", "NOTE", Some("n1"), json!({ "body": EDITED, "clientUpdatedAt": at })),
        entry(
            "q2",
            "CREATE",
            "NOTE",
            None,
            json!({ "body": NEW_NOTES[0], "ranges": ["3:1-3:2"], "clientUpdatedAt": at })
        ),
        entry(
            "q3",
            "CREATE",
            "NOTE",
            None,
            json!({ "body": NEW_NOTES[1], "ranges": ["3:3-3:3"], "clientUpdatedAt": at })
        ),
        entry("q4", "CREATE", "COLLECTION", None, json!({ "name": NEW_COLLECTION, "clientUpdatedAt": at })),
        entry(
            "q5",
            "CREATE",
            "COLLECTION_BOOKMARK",
            None,
            json!({ "collectionId": "q4", "type": "ayah", "key": 36, "verseNumber": 58, "mushaf": 1, "clientUpdatedAt": at })
        ),
        entry(
            "q6",
            "CREATE",
            "BOOKMARK",
            None,
            json!({ "type": "ayah", "key": 18, "verseNumber": 10, "isReading": true, "mushaf": 1, "clientUpdatedAt": at })
        ),
        entry(
            "q7",
            "CREATE",
            "READING_SESSION",
            None,
            json!({ "chapterNumber": 9, "verseNumber": 1, "clientUpdatedAt": at })
        ),
        entry("q8", "DELETE", "NOTE", Some("n2"), Value::Null),
    ])
}

impl Place {
    async fn with(rules: &[&str]) -> Self {
        Self::behind(rules, 0).await
    }

    /// A device that so many notes of others are new to.
    async fn behind(rules: &[&str], notes: usize) -> Self {
        let mut model = agreed();
        let known = model.clone();
        let mut rows = Vec::new();
        for kind in Kind::KNOWN {
            for (id, data) in known.live(&kind) {
                let at = known.written_at(&kind, &id).map(|at| at.0);
                rows.push(json!({ "id": id.as_str(), "resource": kind.wire(), "data": data,
                    "syncStatus": "synced", "serverTimestamp": at }));
            }
        }
        let device = json!({
            "device": { "id": "tablet-b", "label": "Tablet B", "user": "u-1" },
            "sync": { "lastMutationAt": known.head(), "pendingMutationCount": 8 },
            "queue": queue(),
            "resources": rows,
        });
        let others = (0..notes).map(|number| {
            json!({ "type": "CREATE", "resource": "NOTE",
                "data": { "body": format!("note {number} of another device"), "ranges": ["5:1-5:2"] } })
        });
        let others: Vec<Value> = others.collect();
        model.other_device_writes(Millis(OPENED.0 + 6000), "web", &others).expect("taken");
        let folder = tempfile::tempdir().expect("a folder");
        let original = format!("{device:#}\n");
        std::fs::write(folder.path().join("tablet.json"), &original).expect("written");
        let faults: Script = rules.iter().map(|rule| rule.parse().expect("a rule")).collect();
        let sandbox =
            Sandbox::start(model, Options { faults, ..Options::default() }).await.expect("a free port");
        Self { folder, original, sandbox }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tablet.json")
    }

    fn client(&self) -> Client {
        client_at(self.sandbox.addr, TIMEOUTS)
    }

    fn session(&self) -> Session {
        let file = DeviceFile::read(&self.path()).expect("a device file");
        Session::new(file, Server::Live(self.client()), Clock::System).expect("a session")
    }

    async fn look(&self, session: &Session) -> Arc<Inspection> {
        Arc::new(session.look(|_| {}).await.unwrap_or_else(|error| panic!("{error}")))
    }

    /// Looks and pushes as `unstick push --strategy client-wins` does.
    async fn push(&self) -> Run {
        let mut session = self.session();
        let inspection = self.look(&session).await;
        let resolution = decided(&inspection, Strategy::ClientWins);
        let options = push::Options { rule: Some(Strategy::ClientWins), ..push::Options::default() };
        self.push_with(&mut session, inspection, resolution, options).await
    }

    async fn push_with(
        &self,
        session: &mut Session,
        inspection: Arc<Inspection>,
        resolution: Resolution,
        options: push::Options,
    ) -> Run {
        self.push_with_tokens(session, inspection, resolution, options, 0).await
    }

    async fn push_with_tokens(
        &self,
        session: &mut Session,
        inspection: Arc<Inspection>,
        resolution: Resolution,
        options: push::Options,
        tokens: usize,
    ) -> Run {
        let before = std::fs::read_to_string(self.path()).expect("a device file");
        let mut eyes = Eyes { tokens, journal: self.journal(), ..Eyes::default() };
        let pushed = session
            .push(push::Planned::new(inspection, resolution, session.clock().now()), options, &mut eyes)
            .await;
        let pushed = pushed.unwrap_or_else(|error| panic!("{error}"));
        pushed.written.as_ref().unwrap_or_else(|error| panic!("{error}"));
        // A POST of which nothing tells whether it was applied stays journaled, however the push ended.
        assert_eq!(self.journal().exists(), !pushed.outcome.device.is_settled(), "{:?}", pushed.outcome.end);
        assert_eq!(
            read(pushed.backup.as_deref().expect("a backup")).contains("\"queue\""),
            before.contains("\"queue\"")
        );
        self.check_files();
        Run { pushed, notes: taken(&eyes.notes), journals: taken(&eyes.journals) }
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("tablet.json.unstick-journal")
    }

    fn device(&self) -> Device {
        DeviceFile::read(&self.path()).expect("a device file").device().clone()
    }

    /// How often the server holds what the device created.
    fn copies(&self) -> BTreeMap<&'static str, usize> {
        let count = |kind: Kind, member: &str, value: Value| {
            let live = self.sandbox.with_model(|model| model.live(&kind));
            live.iter().filter(|(_, data)| data[member] == value).count()
        };
        BTreeMap::from([
            ("q2", count(Kind::Note, "body", NEW_NOTES[0].into())),
            ("q3", count(Kind::Note, "body", NEW_NOTES[1].into())),
            ("q4", count(Kind::Collection, "name", NEW_COLLECTION.into())),
            ("q5", self.sandbox.with_model(|model| model.live(&Kind::Link)).len()),
            ("q6", count(Kind::Bookmark, "key", 18.into())),
            ("q7", count(Kind::ReadingSession, "chapterNumber", 9.into())),
        ])
    }

    /// Nothing that the device queued is on the server twice, and what is neither sent nor there is still queued.
    fn nothing_is_doubled_or_gone(&self, what: &str) {
        let device = self.device();
        let mut writes = self.sandbox.with_model(|model| model.writes());
        for (id, copies) in self.copies() {
            let queued = device.queue.iter().any(|entry| entry.id.as_str() == id);
            assert!(copies <= 1, "{what}: {id} is there {copies} times");
            assert!(copies == 1 || queued, "{what}: {id} is neither there nor queued");
        }
        let deleted = writes.remove(&(Kind::Note, ResourceId::from("n2"))).unwrap_or_default();
        assert!(deleted <= 2, "{what}: n2 was created once and written {deleted} times");
    }

    /// The device's file is what the server holds, and nothing is left to do.
    async fn agree(&self, what: &str) {
        let device = self.device();
        assert!(device.queue.is_empty(), "{what}: {} entries are left", device.queue.len());
        assert!(self.copies().values().all(|copies| *copies == 1), "{what}: {:?}", self.copies());
        let session = self.session();
        let again = self.look(&session).await;
        let summary = &again.summary;
        assert_eq!((summary.push, summary.diverged, summary.blocked), (0, 0, 0), "{what}");
        let head = self.sandbox.with_model(|model| model.head());
        if device.sync.cursor != Some(head) {
            return;
        }
        for kind in Kind::KNOWN {
            let server: BTreeMap<String, Json> = self
                .sandbox
                .with_model(|model| model.live(&kind))
                .into_iter()
                .map(|(id, data)| (id.to_string(), Json::parse(&data.to_string())))
                .collect();
            let rows = device.known.iter().flatten().filter(|row| row.kind == kind);
            let rows: BTreeMap<String, _> =
                rows.map(|row| (row.id.to_string(), row.data.members())).collect();
            assert_eq!(
                server.keys().collect::<Vec<_>>(),
                rows.keys().collect::<Vec<_>>(),
                "{what}: {}",
                kind.wire()
            );
            for (id, data) in &server {
                for (name, value) in data.as_object().expect("an object") {
                    // Derived from the links; the server does not say when it changes (PROTOCOL D5).
                    let derived = name == "isInDefaultCollection";
                    assert!(
                        derived || rows[id].get(name) == Some(value),
                        "{what}: {} {id} {name}",
                        kind.wire()
                    );
                }
            }
        }
    }

    /// The token is in no file; what people wrote is in the device file and its backups alone.
    fn check_files(&self) {
        for entry in std::fs::read_dir(self.folder.path()).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let text = read(&path);
            assert!(!text.contains(TOKEN), "{name} holds the token");
            let holds_payloads = name == "tablet.json" || name.starts_with("tablet.json.backup-");
            for payload in NEW_NOTES.iter().chain(&[NEW_COLLECTION, EDITED]) {
                assert!(holds_payloads || !text.contains(payload), "{name} holds a payload");
            }
            #[cfg(unix)]
            if name != "tablet.json" {
                use std::os::unix::fs::PermissionsExt;
                let mode = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{name}");
            }
        }
    }
}

fn taken<T>(seen: &Mutex<Vec<T>>) -> Vec<T> {
    std::mem::take(&mut *seen.lock().expect("no panic while locked"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn decided(inspection: &Inspection, strategy: Strategy) -> Resolution {
    let mut resolution = Resolution::default();
    let choices = strategy::choices_for_all(inspection, &resolution, strategy, |_| true);
    resolution.choose(strategy.name(), choices);
    resolution
}

/// With these faults a single push ends with everything done. GET 1 is the first look; POST 1 carries bookmarks and
/// collections, POST 2 the link, POST 3 notes and the session.
async fn done_with(rules: &[&str]) -> Run {
    done_behind(rules, 0).await
}

async fn done_behind(rules: &[&str], notes: usize) -> Run {
    let what = rules.join(" ");
    let place = Place::behind(rules, notes).await;
    let run = place.push().await;
    assert!(matches!(run.outcome().end, End::Done), "{what}: {:?}", run.outcome().end);
    let backup = run.pushed.backup.as_deref().expect("a backup");
    assert_eq!(read(backup), place.original, "{what}");
    for (at, journal) in run.journals.iter().enumerate() {
        let sending = journal.matches(r#""sending""#).count();
        assert!(sending > at, "{what}: POST {} left before it was journaled", at + 1);
    }
    place.nothing_is_doubled_or_gone(&what);
    place.agree(&what).await;
    place.sandbox.shutdown().await;
    run
}

async fn all_done_with(all: &[&[&str]]) {
    futures_util::future::join_all(all.iter().map(|rules| done_with(rules))).await;
}

#[tokio::test]
async fn without_faults_a_push_takes_a_post_for_each_phase_and_a_look_afterwards() {
    let run = done_with(&[]).await;
    assert_eq!((run.outcome().posts, run.outcome().pulls), (3, 1));
    assert_eq!(run.outcome().sent.len(), 8);
}

#[tokio::test]
async fn a_race_is_pulled_and_put_together_again() {
    let run = done_with(&["post:2=race"]).await;
    assert_eq!(run.count(|note| matches!(note, Note::Refused { status: 409, .. })), 1);
    assert_eq!((run.outcome().posts, run.outcome().pulls), (4, 2));
    all_done_with(&[
        &["post:1=race"],
        &["post:4=race"],
        &["post:1-3=race"],
        &["post:1-3=race:same"],
        &["get:*=race"],
    ])
    .await;
}

#[tokio::test]
async fn a_head_that_moves_for_nothing_is_followed() {
    all_done_with(&[
        &["post:1=head-jump"],
        &["post:1-3=head-jump"],
        &["get:2=head-jump"],
        &["post:1-3=409-storm"],
    ])
    .await;
}

#[tokio::test]
async fn a_server_that_asks_to_wait_is_given_the_time() {
    let run = done_with(&["post:2=429:1"]).await;
    // With some jitter, but never less than was asked for.
    assert_eq!(run.count(|note| matches!(note, Note::Waiting { ms: 1000..2000, .. })), 1);
    all_done_with(&[&["post:1=429"], &["post:2=429:date:1"], &["get:2=429"]]).await;
}

#[tokio::test]
async fn a_failed_server_is_looked_at_before_anything_is_sent_again() {
    for applied in [false, true] {
        let rule = if applied { "post:3=500:after" } else { "post:3=500" };
        let run = done_with(&[rule]).await;
        assert_eq!(run.count(|note| matches!(note, Note::Lost { post: 3 })), 1, "{rule}");
        assert_eq!(run.outcome().arrived.len(), if applied { 5 } else { 0 }, "{rule}");
        assert_eq!(run.outcome().posts, if applied { 3 } else { 4 }, "{rule}");
    }
    all_done_with(&[
        &["post:1=500"],
        &["post:1=500:after"],
        &["post:2=500:after"],
        &["post:2=502-html"],
        &["post:1=502-html:after"],
        &["post:3=502-html:after"],
        &["get:2=500"],
        &["get:2=502-html"],
    ])
    .await;
}

#[tokio::test]
async fn an_answer_that_never_comes_is_looked_up() {
    all_done_with(&[
        &["post:1=timeout-before"],
        &["post:2=timeout-before"],
        &["post:3=timeout-before"],
        &["post:1=timeout-after"],
        &["post:2=timeout-after"],
        &["post:3=timeout-after"],
        &["get:2=timeout-after"],
        &["post:2=slow:60000"],
        &["any:*=slow:20"],
    ])
    .await;
}

#[tokio::test]
async fn a_broken_answer_is_looked_up() {
    all_done_with(&[
        &["post:1=reset-mid-body"],
        &["post:3=reset-mid-body"],
        &["post:*=reset-mid-body"],
        &["post:1=truncated"],
        &["post:2=truncated"],
        &["post:3=truncated"],
        &["post:*=truncated"],
        &["get:2=truncated"],
        &["get:2=reset-mid-body"],
    ])
    .await;
}

#[tokio::test]
async fn a_post_that_was_applied_and_refused_is_looked_up() {
    for status in ["302", "403", "404", "409", "413", "422", "429"] {
        for post in ["1", "2", "3", "*"] {
            all_done_with(&[&[&format!("post:{post}={status}:after")]]).await;
        }
    }
    all_done_with(&[
        &["post:1=302:after"],
        &["post:*=403:after"],
        &["post:1-2=404:after", "get:2=409-storm"],
    ])
    .await;
    all_done_with(&[
        &["post:2=409:after"],
        &["post:3=413:after"],
        &["post:1=422:after"],
        &["post:1=429:after"],
    ])
    .await;
}

#[tokio::test]
async fn a_server_with_words_of_its_own_gets_nothing_twice() {
    for rule in ["post:*=own-words", "post:*=suffix"] {
        let place = Place::with(&[rule]).await;
        let run = place.push().await;
        assert!(matches!(run.outcome().end, End::Done | End::Left), "{rule}: {:?}", run.outcome().end);
        place.sandbox.shutdown().await;
    }
}

#[tokio::test]
async fn a_device_far_behind_gets_through_while_the_pages_shift_under_it() {
    let run = done_behind(&["get:*=page-shift"], 1100).await;
    assert!(run.outcome().applied >= 1100, "{}", run.outcome().applied);
    done_behind(&["get:*=page-shift+race", "post:1=race"], 1100).await;
}

#[test]
fn no_fault_is_without_a_push_that_gets_over_it() {
    let pushes = include_str!("retry.rs");
    for row in include_str!("../../assets/faults.md").lines().skip(2) {
        let form = row.split('`').nth(1).expect("a form");
        let word = form.split([' ', 'S', 'M']).next().unwrap_or(form);
        assert!(pushes.contains(&format!("={word}")), "{form}");
    }
}

#[tokio::test]
async fn faults_come_together() {
    all_done_with(&[
        &["post:1=race+timeout-after"],
        &["post:1=race", "post:2=500:after", "post:3=truncated"],
        &["post:1=500:after", "get:2=500"],
        &["post:3=reset-mid-body", "get:2=race", "get:3=502-html"],
        &["post:1=timeout-after", "post:2=head-jump", "post:3=race+slow:50"],
        &["post:1=429+race", "post:2=race:same+500", "get:*=slow:10"],
    ])
    .await;
}

/// A push whose acknowledgement cannot be believed stops; the next one sees what arrived and ends the work.
async fn in_doubt_then_done(rule: &str) -> Vec<String> {
    let place = Place::with(&[rule]).await;
    let run = place.push().await;
    let End::Unknown { in_doubt, .. } = &run.outcome().end else {
        panic!("{rule}: {:?}", run.outcome().end);
    };
    assert!(place.journal().exists(), "{rule}: what is in doubt stays journaled");
    place.nothing_is_doubled_or_gone(rule);
    let queued: Vec<String> = place.device().queue.iter().map(|entry| entry.id.to_string()).collect();
    assert!(in_doubt.iter().all(|id| queued.contains(&id.to_string())), "{rule}");

    let again = place.session();
    let interruption = again.interrupted().unwrap_or_else(|| panic!("{rule}: forgotten"));
    assert_eq!(interruption.in_doubt, in_doubt.len(), "{rule}");
    let in_doubt = in_doubt.iter().map(ToString::to_string).collect();
    let run = place.push().await;
    assert!(matches!(run.outcome().end, End::Done), "{rule}: {:?}", run.outcome().end);
    place.nothing_is_doubled_or_gone(rule);
    place.agree(rule).await;
    place.sandbox.shutdown().await;
    in_doubt
}

#[tokio::test]
async fn a_wrong_acknowledgement_stops_the_push_and_the_next_one_ends_it() {
    assert_eq!(Box::pin(in_doubt_then_done("post:1=ack-wrong-count")).await, ["q6", "q4"]);
    for rule in [
        "post:2=ack-wrong-count",
        "post:3=ack-wrong-count",
        "post:1=ack-wrong-type",
        "post:2=ack-wrong-type",
        "post:3=ack-wrong-type",
        "post:1=ack-wrong-order",
        "post:3=ack-wrong-order",
        "post:2=ack-wrong-id",
        "post:3=ack-wrong-id",
    ] {
        Box::pin(in_doubt_then_done(rule)).await;
    }
}

#[tokio::test]
async fn what_is_in_doubt_is_known_to_who_goes_on_without_a_new_start() {
    let place = Place::with(&["post:3=ack-wrong-count"]).await;
    let mut session = place.session();
    let inspection = place.look(&session).await;
    let options = push::Options { rule: Some(Strategy::ClientWins), ..push::Options::default() };
    let resolution = decided(&inspection, Strategy::ClientWins);
    let run = place.push_with(&mut session, inspection, resolution, options).await;
    let End::Unknown { in_doubt, .. } = &run.outcome().end else { panic!("{:?}", run.outcome().end) };
    let known: std::collections::HashSet<_> = session.device().in_doubt.keys().cloned().collect();
    assert_eq!(known, in_doubt.iter().cloned().collect());

    let inspection = place.look(&session).await;
    let resolution = decided(&inspection, Strategy::ClientWins);
    let run = place.push_with(&mut session, inspection, resolution, options).await;
    assert!(matches!(run.outcome().end, End::Done), "{:?}", run.outcome().end);
    assert!(session.device().in_doubt.is_empty());
    place.nothing_is_doubled_or_gone("gone on");
    place.agree("gone on").await;
    place.sandbox.shutdown().await;
}

/// Pushes as `unstick push --strategy client-wins` does, with so many fresh tokens at hand.
async fn with_tokens(place: &Place, tokens: usize) -> Run {
    let mut session = place.session();
    let inspection = place.look(&session).await;
    let resolution = decided(&inspection, Strategy::ClientWins);
    let options = push::Options { rule: Some(Strategy::ClientWins), ..push::Options::default() };
    place.push_with_tokens(&mut session, inspection, resolution, options, tokens).await
}

#[tokio::test]
async fn a_push_goes_on_with_a_fresh_token_and_loses_and_doubles_nothing() {
    for (rule, tokens) in [
        ("post:1=401", 1),
        ("post:2=401", 1),
        ("post:1-3=401", 3),
        ("post:1=401:after", 1),
        ("post:3=401:after", 1),
        // The token runs out before the look afterwards, before a pull for what is new, and after a lost answer.
        ("get:2=401", 1),
        ("post:1=race", 0),
        ("any:3-4=401", 2),
    ] {
        let place = Place::with(&[rule]).await;
        let run = with_tokens(&place, tokens).await;
        assert!(matches!(run.outcome().end, End::Done), "{rule}: {:?}", run.outcome().end);
        place.nothing_is_doubled_or_gone(rule);
        place.agree(rule).await;
        place.sandbox.shutdown().await;
    }
    let place = Place::with(&["post:1=race", "get:2=401"]).await;
    let run = with_tokens(&place, 1).await;
    assert!(matches!(run.outcome().end, End::Done), "{:?}", run.outcome().end);
    place.agree("after a race").await;
    place.sandbox.shutdown().await;
    let place = Place::with(&["post:1=truncated", "get:2=401"]).await;
    let run = with_tokens(&place, 1).await;
    assert!(matches!(run.outcome().end, End::Done), "{:?}", run.outcome().end);
    place.nothing_is_doubled_or_gone("after a lost answer");
    place.agree("after a lost answer").await;
    place.sandbox.shutdown().await;
}

#[tokio::test]
async fn without_a_fresh_token_the_push_ends_and_what_was_sent_is_known() {
    let place = Place::with(&["post:2-=401"]).await;
    let run = with_tokens(&place, 0).await;
    let End::Refused(refusal) = &run.outcome().end else { panic!("{:?}", run.outcome().end) };
    assert_eq!(refusal.status, 401);
    assert!(!run.outcome().sent.is_empty(), "the first POST went through");
    place.nothing_is_doubled_or_gone("refused");
    place.sandbox.shutdown().await;
    // Fresh tokens that are refused as well do not go on for ever.
    let place = Place::with(&["post:*=401"]).await;
    let run = with_tokens(&place, 100).await;
    assert!(matches!(run.outcome().end, End::Refused(_)), "{:?}", run.outcome().end);
    assert!(run.outcome().posts < 10, "{}", run.outcome().posts);
    assert_eq!(place.device().queue.len(), 8);
    place.sandbox.shutdown().await;
    // After a lost answer nobody knows.
    let place = Place::with(&["post:1=truncated", "get:2-=401"]).await;
    let run = with_tokens(&place, 0).await;
    assert!(matches!(run.outcome().end, End::Unknown { .. }), "{:?}", run.outcome().end);
    place.sandbox.shutdown().await;
}

#[tokio::test]
async fn an_id_that_the_server_does_not_know_is_reported_and_not_kept() {
    let place = Place::with(&["post:1=ack-wrong-id"]).await;
    let run = place.push().await;
    assert!(matches!(run.outcome().end, End::Done), "{:?}", run.outcome().end);
    let [difference] = &*run.outcome().differences else { panic!("{:?}", run.outcome().differences) };
    assert_eq!(difference.ids.iter().map(ToString::to_string).collect::<Vec<_>>(), ["q6"]);
    assert!(difference.path.is_existence() && difference.what.contains("does not know"));
    place.agree("ack-wrong-id").await;
    place.sandbox.shutdown().await;
}

#[tokio::test]
async fn whatever_goes_wrong_at_random_a_few_pushes_later_all_is_done() {
    let seeds = (1..=8).map(|seed| async move {
        let rule = format!(
            "any:20%=race,race:same,head-jump,409-storm,429,500,500:after,502-html,502-html:after,timeout-before,timeout-after,reset-mid-body,truncated,slow:50,ack-wrong-count,ack-wrong-type,ack-wrong-order,race+truncated@seed={seed}"
        );
        let place = Place::with(&[&rule]).await;
        for push in 1.. {
            assert!(push <= 20, "{rule}: no end");
            let mut session = place.session();
            let Ok(inspection) = session.look(|_| {}).await else { continue };
            let resolution = decided(&inspection, Strategy::ClientWins);
            let options = push::Options { rule: Some(Strategy::ClientWins), ..push::Options::default() };
            let run = place.push_with(&mut session, Arc::new(inspection), resolution, options).await;
            place.nothing_is_doubled_or_gone(&rule);
            if matches!(run.outcome().end, End::Done) {
                break;
            }
        }
        assert!(place.device().queue.is_empty(), "{rule}");
        assert!(place.copies().values().all(|copies| *copies == 1), "{rule}: {:?}", place.copies());
        place.sandbox.shutdown().await;
    });
    futures_util::future::join_all(seeds).await;
}

#[tokio::test]
async fn what_a_person_chose_is_asked_again_when_another_device_changes_it() {
    let place = Place::with(&["post:3=race:same"]).await;
    let other = json!([{ "type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "data": { "body": "changed on the web" } }]);
    let other = other.as_array().expect("a list").clone();
    place.sandbox.with_model(|model| model.other_device_writes(OPENED, "web", &other)).expect("taken");
    let mut session = place.session();
    let inspection = place.look(&session).await;
    let mut resolution = Resolution::default();
    let choices = strategy::choices_for_all(&inspection, &resolution, Strategy::ClientWins, |_| true);
    let by_hand = |chosen: Chosen| Chosen { by: By::Hand, ..chosen };
    let choices = choices.into_iter().map(|(unit, chosen)| (unit, chosen.map(by_hand)));
    resolution.choose("by hand", choices.collect::<Vec<_>>());
    let options = push::Options { ask: true, ..push::Options::default() };
    let run = place.push_with(&mut session, inspection, resolution, options).await;
    let End::Reopened(reopened) = &run.outcome().end else { panic!("{:?}", run.outcome().end) };
    assert_eq!(reopened.len(), 1);
    assert_eq!(reopened[0].path, FieldPath::from_text("/body"));
    place.nothing_is_doubled_or_gone("reopened");
    let queued: Vec<String> = place.device().queue.iter().map(|entry| entry.id.to_string()).collect();
    assert_eq!(queued, ["q1", "q2", "q3", "q7", "q8"], "what was acknowledged is out, the rest waits");
    place.sandbox.shutdown().await;
}

#[tokio::test]
async fn a_server_that_never_lets_the_device_through_ends_the_push_with_nothing_lost() {
    let place = Place::with(&["post:*=race"]).await;
    let run = place.push().await;
    assert!(matches!(run.outcome().end, End::HeadKeepsMoving), "{:?}", run.outcome().end);
    assert_eq!(place.device().queue.len(), 8);
    assert!(place.copies().values().all(|copies| *copies == 0));
    place.sandbox.shutdown().await;
}
