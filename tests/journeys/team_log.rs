//! The team's conflict log, on a real `PostgreSQL`. `.ci/with-postgres` starts one and names it in
//! `UNSTICK_TEST_POSTGRES`; without one these tests are left out, and listed as such.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio_postgres::{Client, NoTls};
use unstick::app::Said;
use unstick::conflict_log::event::{Event, What};
use unstick::conflict_log::local::Local;
use unstick::conflict_log::summary::Filter;
use unstick::conflict_log::team::{Team, TeamUrl, ship};
use unstick::conflict_log::{self, Settings};

use super::bench::{Bench, files, said, unstick};

const PASSWORD: &str = "pw-that-must-not-show";
const BOUND: Duration = Duration::from_mins(1);
const ALL: Filter = Filter { since: None, device: None, demos: false };
const DAY: i64 = 86_400_000;

/// A database of a test's own.
struct Database {
    url: String,
    runtime: tokio::runtime::Runtime,
}

impl Database {
    fn new(name: &str) -> Self {
        let server = std::env::var("UNSTICK_TEST_POSTGRES")
            .expect("UNSTICK_TEST_POSTGRES names a PostgreSQL; .ci/with-postgres starts one");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let client = connect(&format!("{server}/postgres")).await;
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            client.batch_execute(&sql).await.expect("dropped");
            client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("made");
        });
        Self { url: format!("{server}/{name}"), runtime }
    }

    fn team(&self) -> TeamUrl {
        TeamUrl::parse(&self.url).expect("a URL")
    }

    fn number(&self, sql: &str) -> i64 {
        self.runtime.block_on(async {
            let client = connect(&self.url).await;
            client.query_one(sql, &[]).await.expect("an answer").get(0)
        })
    }

    fn execute(&self, sql: &str) {
        self.runtime.block_on(async {
            connect(&self.url).await.batch_execute(sql).await.expect("done");
        });
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server is there");
    tokio::spawn(connection);
    client
}

/// A command that writes to this team's log.
fn with(mut command: Command, url: &str, data: &Path) -> Command {
    command.env("UNSTICK_LOG_URL", url).env("UNSTICK_DATA_DIR", data);
    command
}

fn team_summary(url: &str, data: &Path) -> Value {
    let output = with(unstick(&["log", "--team", "--format", "json"]), url, data).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
#[ignore = "needs a PostgreSQL: .ci/with-postgres starts one"]
fn what_is_seen_on_two_laptops_is_one_picture() {
    let database = Database::new("two_laptops");
    let bench = Bench::scenario("tablet-behind");
    let colleague = tempfile::tempdir().expect("a folder");
    let seen =
        with(bench.command("inspect", &[]), &database.url, colleague.path()).output().expect("it runs");
    assert_eq!(seen.status.code(), Some(1), "{}", said(&seen));
    let push = bench.command("push", &["--strategy", "server-wins", "--yes"]);
    let pushed = with(push, &database.url, bench.data.path()).output().expect("it runs");
    assert_eq!(pushed.status.code(), Some(0), "{}", said(&pushed));

    let team = team_summary(&database.url, bench.data.path());
    assert_eq!(team["inspections"], 2);
    assert_eq!(team["pushes"], 1);
    let conflicts = team["conflicts"].as_u64().expect("a count");
    assert!(conflicts > 0 && team["resolved"] == conflicts, "each once, whoever saw it: {team}");
    // The local log knows of one inspection less and nothing else.
    let local = with(unstick(&["log", "--format", "json"]), &database.url, bench.data.path())
        .output()
        .expect("it runs");
    let mut local: Value = serde_json::from_slice(&local.stdout).expect("JSON");
    assert_eq!(local["inspections"], 1);
    for member in ["inspections", "inspectionsAfter409", "log", "medianToResolveMs"] {
        local[member] = team[member].clone();
    }
    assert_eq!(local, team, "both answer alike");

    let rows = with(unstick(&["log", "export", "--team"]), &database.url, bench.data.path())
        .output()
        .expect("it runs");
    let lines = String::from_utf8(rows.stdout).expect("text").lines().count();
    assert_eq!(i64::try_from(lines).expect("few"), database.number("SELECT count(*) FROM unstick_event"));
}

fn conflicts(device: &str, count: i64) -> Vec<Event> {
    let one = |row: i64| Event {
        // Every second one was seen by the other writer as well, at another time.
        id: if row % 2 == 0 { format!("shared-{row}") } else { format!("{device}-{row}") },
        at: DAY + if device == "a" { row } else { -row },
        what: What::Conflict,
        device: String::from("tablet"),
        server: String::from("pre-live"),
        kind: Some(String::from("NOTE")),
        shape: Some(String::from("update/update")),
        causes: Some(String::from("another-device-synced concurrent-mutations")),
        gap_ms: (row % 3 != 0).then_some(row * 1000),
        ..Event::default()
    };
    (0..count).map(one).collect()
}

#[test]
#[ignore = "needs a PostgreSQL: .ci/with-postgres starts one"]
fn two_who_write_at_once_and_again_leave_each_row_once() {
    let database = Database::new("two_writers");
    let folder = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        for (device, order) in [("a", false), ("b", true), ("a", false), ("b", true)] {
            let (database, folder) = (&database, folder.path());
            scope.spawn(move || {
                let path = tempfile::Builder::new()
                    .tempfile_in(folder)
                    .expect("a name")
                    .path()
                    .with_extension("log");
                let mut rows = conflicts(device, 5_000);
                // In opposite orders they would wait for each other for ever, if nobody saw to it.
                if order {
                    rows.reverse();
                }
                Local::open(&path).and_then(|mut log| log.append(&rows)).expect("written");
                let runtime = tokio::runtime::Runtime::new().expect("a runtime");
                let sent = runtime.block_on(ship(&path, &database.team(), BOUND)).expect("sent");
                assert_eq!(sent, 5_000);
                let again = runtime.block_on(ship(&path, &database.team(), BOUND)).expect("nothing to do");
                assert_eq!(again, 0);
            });
        }
    });
    assert_eq!(database.number("SELECT count(*) FROM unstick_event"), 7_500);
    // Of a conflict that two saw, the earlier time stays.
    assert_eq!(database.number("SELECT at FROM unstick_event WHERE id = 'shared-10'"), DAY - 10);
    assert_eq!(database.number("SELECT count(*) FROM unstick_log"), 1, "the tables were made once");
}

#[test]
#[ignore = "needs a PostgreSQL: .ci/with-postgres starts one"]
fn both_logs_answer_alike() {
    let database = Database::new("alike");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.sqlite3");
    let mut rows = conflicts("a", 500);
    let settled = rows.iter().step_by(3).enumerate().map(|(at, conflict)| Event {
        id: format!("{}-settled", conflict.id),
        at: conflict.at + 1000 * at as i64,
        what: What::Resolution,
        device: conflict.device.clone(),
        server: conflict.server.clone(),
        conflict: Some(conflict.id.clone()),
        choice: Some(String::from(if at % 2 == 0 { "device" } else { "server" })),
        strategy: Some(String::from("hand")),
        ..Event::default()
    });
    let settled: Vec<Event> = settled.collect();
    rows.extend(settled);
    rows.push(Event {
        id: String::from("p"),
        at: 2 * DAY,
        what: What::Push,
        posts: Some(4),
        refused: Some(1),
        ..rows[0].clone()
    });
    let mut log = Local::open(&path).expect("a log");
    log.append(&rows).expect("written");
    database.runtime.block_on(async {
        ship(&path, &database.team(), BOUND).await.expect("sent");
        let team = Team::connect(&database.team()).await.expect("reached");
        for filter in [
            ALL,
            Filter { since: Some(1), ..ALL },
            Filter { since: Some(2), ..ALL },
            Filter { device: Some(String::from("tablet")), ..ALL },
            Filter { device: Some(String::from("another")), ..ALL },
        ] {
            for percent in [1, 50, 80, 100] {
                let local = log.summary(&filter, percent).expect("an answer");
                assert_eq!(
                    team.summary(&filter, percent).await.expect("an answer"),
                    local,
                    "{filter:?} {percent}"
                );
            }
        }
    });
}

#[test]
#[ignore = "needs a PostgreSQL: .ci/with-postgres starts one"]
fn while_the_server_is_away_rows_wait_and_nothing_else_does() {
    let database = Database::new("away");
    let bench = Bench::scenario("tablet-behind");
    let door = Door::to(&database.url);
    let url = door.url.clone();
    door.close();
    let push = bench.command("push", &["--strategy", "server-wins", "--yes"]);
    let output = with(push, &url, bench.data.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors.matches("warning: the team's log").count(), 1, "{errors}");
    assert!(errors.contains("wait on this machine"), "{errors}");
    assert!(!said(&output).contains(PASSWORD), "{}", said(&output));

    let asked = with(unstick(&["log", "--team"]), &url, bench.data.path()).output().expect("it runs");
    assert_eq!(asked.status.code(), Some(3), "{}", said(&asked));
    assert!(!said(&asked).contains(PASSWORD), "{}", said(&asked));

    door.open();
    let team = team_summary(&url, bench.data.path());
    assert_eq!(team["pushes"], 1, "{team}");
    door.close();
}

// This one needs no PostgreSQL.
#[test]
fn a_server_that_never_answers_stops_no_push_and_is_asked_once() {
    let bench = Bench::scenario("tablet-behind");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    silent.set_nonblocking(true).expect("a socket");
    let url = format!("postgres://u:{PASSWORD}@{}/silent", silent.local_addr().expect("an address"));
    let push = bench.command("push", &["--strategy", "server-wins", "--yes"]);
    let pushed = with(push, &url, bench.data.path()).output().expect("it runs");
    assert_eq!(pushed.status.code(), Some(0), "{}", said(&pushed));
    let warned = |output: &std::process::Output| said(output).matches("warning: the team's log").count();
    assert_eq!(warned(&pushed), 1, "{}", said(&pushed));
    assert!(said(&pushed).contains("did not answer in time. Its rows wait"), "{}", said(&pushed));
    let mut connections = 0;
    while silent.accept().is_ok() {
        connections += 1;
    }
    assert_eq!(connections, 1);

    let again = with(bench.command("inspect", &[]), &url, bench.data.path()).output().expect("it runs");
    assert_eq!((again.status.code(), warned(&again)), (Some(0), 0), "{}", said(&again));
    assert!(silent.accept().is_err(), "it is left alone for a while");
    assert!(!said(&pushed).contains(PASSWORD) && !said(&again).contains(PASSWORD));
}

// Nor does this one.
#[test]
fn help_and_manual_say_nothing_of_the_environment() {
    let url = format!("postgres://support:{PASSWORD}@db.example/conflicts");
    let data = tempfile::tempdir().expect("a folder");
    for arguments in
        [&["--help"][..], &["log", "--help"], &["push", "--help"], &["man"], &["completions", "bash"]]
    {
        let output = with(unstick(arguments), &url, data.path()).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {}", said(&output));
        assert!(!said(&output).contains(PASSWORD), "{arguments:?} {}", said(&output));
    }
}

#[test]
#[ignore = "needs a PostgreSQL: .ci/with-postgres starts one"]
fn old_rows_are_let_go_of_on_this_machine_only_once_the_team_has_them() {
    let database = Database::new("prune");
    let data = tempfile::tempdir().expect("a folder");
    let path = data.path().join("conflicts.sqlite3");
    Local::open(&path).and_then(|mut log| log.append(&conflicts("a", 20))).expect("written");
    let door = Door::to(&database.url);
    door.close();
    let prune = || {
        with(unstick(&["log", "prune", "--before", "30d"]), &door.url, data.path()).output().expect("it runs")
    };
    let away = prune();
    assert_eq!(away.status.code(), Some(3), "{}", said(&away));
    assert!(
        said(&away).contains("nothing was removed") && !said(&away).contains(PASSWORD),
        "{}",
        said(&away)
    );
    door.open();
    let there = prune();
    assert!(
        said(&there).contains("20 rows from before") && said(&there).contains("0 left"),
        "{}",
        said(&there)
    );
    assert_eq!(database.number("SELECT count(*) FROM unstick_event"), 20);
    door.close();
}

#[test]
#[ignore = "needs a PostgreSQL: .ci/with-postgres starts one"]
fn the_screen_asks_the_teams_log() {
    let database = Database::new("screen");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.sqlite3");
    Local::open(&path).and_then(|mut log| log.append(&conflicts("a", 30))).expect("written");
    // The one test that makes this process one with a log.
    conflict_log::start(&Settings {
        on: true,
        path: Some(path.clone()),
        team: Some(database.team()),
        ..Settings::default()
    });
    let (before, after) = database.runtime.block_on(async {
        let before = conflict_log::team_said(None, 80).await;
        ship(&path, &database.team(), BOUND).await.expect("sent");
        (before, conflict_log::team_said(None, 80).await)
    });
    assert_eq!(before, Said::Empty);
    match after {
        Said::Told { summary, demos: false } => assert_eq!(summary.conflicts, 30),
        other => panic!("{other:?}"),
    }
}

#[test]
#[ignore = "needs a PostgreSQL: .ci/with-postgres starts one"]
fn the_password_is_nowhere() {
    let database = Database::new("password");
    let bench = Bench::scenario("tablet-behind");
    let log = bench.folder.path().join("debug.log");
    let arguments = ["--log", log.to_str().expect("a path")];
    let right = with(bench.command("inspect", &arguments), &database.url, bench.data.path())
        .output()
        .expect("it runs");
    let wrong_url = database.url.replace(PASSWORD, &format!("wrong-{PASSWORD}"));
    let wrong = with(bench.command("inspect", &[]), &wrong_url, bench.data.path()).output().expect("it runs");
    assert_eq!(
        (right.status.code(), wrong.status.code()),
        (Some(1), Some(1)),
        "{}{}",
        said(&right),
        said(&wrong)
    );
    assert!(said(&wrong).contains("password authentication failed"), "{}", said(&wrong));
    let odd = format!("{}?{PASSWORD}={PASSWORD}", database.url);
    let odd = with(bench.command("inspect", &[]), &odd, bench.data.path()).output().expect("it runs");
    assert_eq!(odd.status.code(), Some(2), "{}", said(&odd));
    for output in [right, wrong, odd] {
        assert!(!said(&output).contains(PASSWORD), "{}", said(&output));
    }
    for (name, bytes) in files(bench.data.path()).into_iter().chain(bench.files()) {
        assert!(!String::from_utf8_lossy(&bytes).contains(PASSWORD), "{name}");
    }
}

#[test]
#[ignore = "needs a PostgreSQL: .ci/with-postgres starts one"]
fn somebody_who_may_not_make_tables_uses_those_that_are_there() {
    let database = Database::new("rights");
    let bench = Bench::scenario("tablet-behind");
    let url = database.url.replace(&format!("unstick:{PASSWORD}"), "reader_writer:other");
    database.execute(
        "DROP ROLE IF EXISTS reader_writer; CREATE ROLE reader_writer LOGIN PASSWORD 'other'; \
         REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    );
    let output = with(bench.command("inspect", &[]), &url, bench.data.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("permission denied"), "{}", said(&output));
    team_summary(&database.url, tempfile::tempdir().expect("a folder").path());
    database.execute(
        "GRANT SELECT, INSERT, UPDATE ON unstick_event TO reader_writer; GRANT SELECT ON unstick_log TO reader_writer",
    );
    assert_eq!(team_summary(&url, bench.data.path())["inspections"], 1);
}

#[test]
#[ignore = "needs a PostgreSQL: .ci/with-postgres starts one"]
fn over_tls_only_a_server_that_this_machine_trusts_is_told_anything() {
    let database = Database::new("tls");
    let url = format!("{}?sslmode=require", database.url);
    let authority = std::env::var_os("UNSTICK_TEST_POSTGRES_CA").expect("whom to trust");
    let bench = Bench::scenario("tablet-behind");
    let inspect = || with(bench.command("inspect", &[]), &url, bench.data.path());
    let distrusted = inspect().env_remove("SSL_CERT_FILE").output().expect("it runs");
    assert!(said(&distrusted).contains("certificate"), "{}", said(&distrusted));
    assert_eq!(database.number("SELECT count(*) FROM pg_tables WHERE tablename = 'unstick_log'"), 0);

    let mut asked = with(unstick(&["log", "--team", "--format", "json"]), &url, bench.data.path());
    let asked = asked.env("SSL_CERT_FILE", authority).output().expect("it runs");
    assert_eq!(asked.status.code(), Some(0), "{}", said(&asked));
    assert_eq!(database.number("SELECT count(*) FROM unstick_event WHERE what = 'inspection'"), 1);
}

#[test]
#[ignore = "needs a PostgreSQL: .ci/with-postgres starts one"]
fn a_newer_log_is_left_as_it_is() {
    let database = Database::new("newer");
    database
        .execute("CREATE TABLE unstick_log (version bigint NOT NULL); INSERT INTO unstick_log VALUES (99)");
    let data = tempfile::tempdir().expect("a folder");
    let output = with(unstick(&["log", "--team"]), &database.url, data.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("newer unstick"), "{}", said(&output));
    assert_eq!(database.number("SELECT count(*) FROM pg_tables WHERE tablename = 'unstick_event'"), 0);
}

#[test]
#[ignore = "needs a PostgreSQL: .ci/with-postgres starts one"]
fn a_million_rows_are_counted_by_the_server() {
    let database = Database::new("million");
    let data = tempfile::tempdir().expect("a folder");
    team_summary(&database.url, data.path());
    database.execute(
        "INSERT INTO unstick_event (id, at, what, device, server, kind, shape, causes, gap_ms)
         SELECT 'c' || n, n * 60000::bigint, 'conflict', 'device-' || n % 200, 'pre-live', 'NOTE', 'update/update',
             'another-device-synced concurrent-mutations', n * 1000::bigint
         FROM generate_series(1, 600000) AS n;
         INSERT INTO unstick_event (id, at, what, device, server, conflict, choice, strategy, took_ms)
         SELECT 'r' || n, n * 60000::bigint + n, 'resolution', 'device-' || n % 200, 'pre-live', 'c' || n, 'server',
             'hand', n
         FROM generate_series(1, 400000) AS n;
         ANALYZE unstick_event",
    );
    // A million rows in memory would take several times as much.
    let limited = "ulimit -d 150000; exec \"$0\" log --team --format json --avoid 50";
    let mut command = Command::new("sh");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_unstick")]);
    let output = with(command, &database.url, data.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((told["conflicts"].as_u64(), told["resolved"].as_u64()), (Some(600_000), Some(400_000)));
    assert_eq!(told["medianToResolveMs"], 200_000);
    assert_eq!(told["interval"]["everyMs"], 300_001_000);
    assert_eq!(told["byDevice"].as_array().map(Vec::len), Some(200));
    assert_eq!(told["byCause"][0]["count"], 600_000);
}

/// A way to the server that can be closed and opened again.
struct Door {
    url: String,
    open: Arc<AtomicBool>,
}

impl Door {
    fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (before, after) = url.rsplit_once(':').expect("a port");
        let (server, database) = after.split_once('/').expect("a database");
        let server = SocketAddr::from(([127, 0, 0, 1], server.parse().expect("a port")));
        let open = Arc::new(AtomicBool::new(true));
        let opened = Arc::clone(&open);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A connection through a closed door ends at once.
                if opened.load(Ordering::SeqCst)
                    && let Ok(server) = TcpStream::connect(server)
                {
                    let (back, forth) =
                        (client.try_clone().expect("a copy"), server.try_clone().expect("a copy"));
                    std::thread::spawn(move || pass(client, server));
                    std::thread::spawn(move || pass(forth, back));
                }
            }
        });
        Self { url: format!("{before}:{port}/{database}"), open }
    }

    fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }

    fn close(&self) {
        self.open.store(false, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut bytes) {
        if count == 0 || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}
