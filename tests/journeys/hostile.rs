//! Servers that do not keep to the protocol: what they leave out is not gone over, and what they quote is not repeated.

use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use super::bench::{files, said, unstick};

/// An answer that is made for the test.
type Answer = fn(&str) -> (u16, String);

/// A server of a few lines; it ends with the test's process.
struct Hostile {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Hostile {
    fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                std::thread::spawn(move || serve(stream, &log, answer));
            }
        });
        Self { url, asked }
    }

    fn posts(&self) -> usize {
        let asked = self.asked.lock().expect("no panic while locked");
        asked.iter().filter(|request| request.starts_with("POST")).count()
    }

    fn run(&self, folder: &Path, command: &str, token: &str, more: &[&str]) -> Output {
        let device = folder.join("device.json");
        let mut arguments = vec![command, device.to_str().expect("a path"), "--server", &self.url];
        arguments.extend(more);
        unstick(&arguments).env("UNSTICK_TOKEN", token).output().expect("the binary runs")
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<String>>, answer: Answer) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            match stream.read(&mut buffer) {
                Ok(length) if length > 0 => bytes.extend_from_slice(&buffer[..length]),
                _ => return,
            }
            continue;
        };
        let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
        });
        let end = head + 4 + length.unwrap_or(0);
        while bytes.len() < end {
            match stream.read(&mut buffer) {
                Ok(length) if length > 0 => bytes.extend_from_slice(&buffer[..length]),
                _ => return,
            }
        }
        bytes.drain(..end);
        log.lock().expect("no panic while locked").push(text.clone());
        let (status, body) = answer(&text);
        let reply = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nX-Request-Id: r-1\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

/// A folder with a device file whose queue holds one edit of a note.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let device = r#"{"device":{"id":"t","user":"u"},"sync":{"lastMutationAt":5},"queue":[
        {"id":"q1","type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{"body":"patience"},"createdAt":1}]}"#;
    std::fs::write(folder.path().join("device.json"), device).expect("written");
    folder
}

fn page(facts: &str) -> String {
    format!(
        r#"{{"success":true,"data":{{"lastMutationAt":9,"mutations":[
            {{"type":"UPDATE","resource":"NOTE","resourceId":"n2","data":{{"body":"x"}},"timestamp":9}}]{facts}}}}}"#
    )
}

#[test]
fn nothing_is_sent_over_a_window_that_is_not_whole() {
    let answers: [(Answer, &str); 5] = [
        (
            |_| (200, page(r#","total":2,"hasMore":false"#)),
            "the server counts 2 mutations, and 1 came: 1 is missing",
        ),
        (|_| (200, page(r#","page":7"#)), "the answer says that it is page 7"),
        (
            |_| (200, r#"{"success":true,"data":{"lastMutationAt":9}}"#.into()),
            "without its list of mutations",
        ),
        (
            |_| (200, r#"{"success":true,"data":{"lastMutationAt":9,"mutations":[],"hasMore":true}}"#.into()),
            "page 1 is empty, and the server says that more follow",
        ),
        (|_| (206, page("")), "the answer has the status 206"),
    ];
    for (answer, missing) in answers {
        let (server, folder) = (Hostile::start(answer), folder());
        let before = std::fs::read(folder.path().join("device.json")).expect("the device file");
        for (command, more) in [
            ("push", &["--strategy", "client-wins", "--yes"][..]),
            ("inspect", &["--format", "json"]),
            ("plan", &["--strategy", "server-wins"]),
        ] {
            let output = server.run(folder.path(), command, "t0k3n-4711-secret", more);
            assert_eq!(output.status.code(), Some(3), "{command}: {}", said(&output));
            assert!(said(&output).contains(missing), "{command}: {}", said(&output));
        }
        assert_eq!(server.posts(), 0);
        assert_eq!(std::fs::read(folder.path().join("device.json")).expect("the device file"), before);
    }
}

#[test]
fn a_pull_that_drips_ends_when_its_time_is_over() {
    // Each page is a new one, and there is always another: this takes 2000 pages and half a minute.
    let server = Hostile::start(|head| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let number = head.split("page=").nth(1).and_then(|rest| rest.split([' ', '&']).next()).unwrap_or("1");
        let body = page(r#","hasMore":true"#).replace("n2", &format!("n{number}"));
        (200, body)
    });
    let folder = folder();
    let output = server.run(folder.path(), "inspect", "t0k3n-4711-secret", &["--timeout", "1"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("the pull was not done within 1 s"), "{}", said(&output));
}

const SECRET: &str = "t0k3n-4711/that+must.not_show";

/// What stands in the request as the token, quoted by the server in `form`.
fn quoting(head: &str, form: fn(&str) -> String) -> String {
    let token = head.lines().find_map(|line| line.strip_prefix("x-auth-token: ")).unwrap_or_default();
    format!(r#"{{"success":false,"error":{{"code":"Bad","message":"bad token {}"}}}}"#, form(token))
}

#[test]
fn a_token_that_the_server_quotes_is_nowhere() {
    let answers: [Answer; 8] = [
        |head| (401, quoting(head, str::to_owned)),
        |head| (403, quoting(head, |token| token[..12].to_owned())),
        |head| (400, quoting(head, |token| each(token, |b| format!("%{b:02X}")))),
        |head| (409, quoting(head, |token| each(token, |b| format!("\\u{b:04x}")))),
        |head| (404, quoting(head, |_| String::from("dDBrM24tNDcxMS90aGF0K211c3Qubm90X3Nob3c="))),
        |head| (502, format!("<title>{}</title>", quoting(head, str::to_owned))),
        // The pull is good, and the POST is refused.
        |head| match head.split(' ').next() {
            Some("GET") => (200, page("").replace("n2", "n3")),
            _ => (422, quoting(head, |token| format!("{token} at mutation[0]"))),
        },
        |head| {
            (
                200,
                page("")
                    .replace("n2", head.lines().find_map(|l| l.strip_prefix("x-auth-token: ")).unwrap_or("")),
            )
        },
    ];
    for (at, answer) in answers.into_iter().enumerate() {
        let (server, folder) = (Hostile::start(answer), folder());
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let (log, report) = (path("run.log"), path("ticket.json"));
        let push = [
            "--strategy",
            "client-wins",
            "--yes",
            "--log",
            &log,
            "--report",
            &report,
            "--accept-other-account",
        ];
        let output = server.run(folder.path(), "push", SECRET, &push);
        let mut all = said(&output);
        assert!(output.status.code() != Some(101), "{all}");
        all += &said(&server.run(folder.path(), "inspect", SECRET, &["--format", "json", "--log", &log]));
        all += &said(&server.run(folder.path(), "resume", SECRET, &["--yes"]));
        for (_, content) in files(folder.path()) {
            all += &String::from_utf8_lossy(&content);
        }
        let low = all.to_lowercase();
        for part in ["t0k3n-47", "must.not", "that+must", "%74%30%6b", "\\u0074\\u0030", "ddbrm24tndcx"] {
            assert!(!low.contains(part), "{at}: {part} in {all}");
        }
        assert!(all.contains("[token]"), "{at}: {all}");
    }
}

#[cfg(unix)]
#[test]
fn the_second_ctrl_c_ends_a_push_at_once_and_the_journal_knows_where_it_stood() {
    use super::bench::Bench;
    let bench = Bench::faulty("tablet-behind", &["post:1=timeout-before"]);
    let mut child = bench.command("push", &["--strategy", "client-wins", "--yes"]).spawn().expect("it runs");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while bench.requests("POST") == 0 {
        assert!(std::time::Instant::now() < until, "no POST");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Two that come together are one to the system: the next is sent until the program has ended.
    while child.try_wait().expect("a child").is_none() {
        assert!(std::time::Instant::now() < until, "it goes on after Ctrl-C");
        let pid = child.id().to_string();
        let _ = std::process::Command::new("kill").args(["-INT", &pid]).status();
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert_eq!(child.wait().expect("it ended").code(), Some(4));
    let journal = bench.files().into_iter().find(|(name, _)| name.ends_with(".unstick-journal"));
    assert!(journal.is_some_and(|(_, content)| String::from_utf8_lossy(&content).contains("sending")));
    bench.expect(0, "resume", &["--yes"]);
}

#[cfg(unix)]
#[test]
fn a_home_that_is_no_folder_is_no_error() {
    use super::bench::Bench;
    let bench = Bench::scenario("tablet-behind");
    for home in ["/dev/null", "/dev/null/below", ""] {
        let mut command = bench.command("inspect", &[]);
        let output =
            command.env("HOME", home).env_remove("UNSTICK_DATA_DIR").env_remove("XDG_DATA_HOME").output();
        let output = output.expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{home}: {}", said(&output));
    }
}

#[test]
fn a_report_replaces_a_file_only_where_it_was_told_to() {
    use super::bench::Bench;
    let bench = Bench::scenario("tablet-behind");
    let report = bench.folder.path().join("notes.md");
    std::fs::write(&report, "somebody's notes").expect("written");
    let path = report.to_str().expect("a path");
    let push = ["--strategy", "client-wins", "--yes", "--report", path];
    let output = bench.run("push", &push);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("--force"), "{}", said(&output));
    assert_eq!(
        (bench.requests("POST"), std::fs::read(&report).expect("there")),
        (0, b"somebody's notes".to_vec())
    );
    bench.expect(0, "push", &[&push[..], &["--force"]].concat());
    assert!(std::fs::read_to_string(&report).expect("there").starts_with('#'));
}

#[cfg(unix)]
#[test]
fn a_device_and_a_silent_pipe_are_no_device_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let pull = folder.path().join("pull.json");
    std::fs::write(&pull, page("")).expect("written");
    for (device, why) in
        [("/dev/zero", "is a device"), (pipe.to_str().expect("a path"), "nothing came for 10 s")]
    {
        let arguments = ["inspect", device, "--pull", pull.to_str().expect("a path")];
        let output = unstick(&arguments).output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
    }
}

#[test]
fn a_422_to_a_pull_gives_no_advice_for_posts() {
    let server = Hostile::start(|_| {
        (422, r#"{"message":"bad","type":"unprocessable_entity","success":false}"#.into())
    });
    let output = server.run(folder().path(), "inspect", SECRET, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let text = said(&output);
    assert!(
        text.contains("check --server") && !text.contains("halves") && !text.contains("set it aside"),
        "{text}"
    );
}

/// A text with each of its bytes in other words.
fn each(text: &str, word: impl Fn(u8) -> String) -> String {
    text.bytes().map(word).collect::<Vec<_>>().concat()
}

#[test]
fn at_the_memory_limit_the_answer_is_2_and_no_abort() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("device.json");
    let entry = |at: usize| {
        json!({"id": format!("q{at}"), "type": "CREATE", "resource": "NOTE",
            "data": {"body": "long enough ".repeat(100), "ranges": ["1:1-1:1"]}})
    };
    let queue: Vec<_> = (0..20_000).map(entry).collect();
    std::fs::write(&path, json!({"sync": {"lastMutationAt": 100}, "queue": queue}).to_string())
        .expect("written");
    let pull = folder.path().join("pull.json");
    std::fs::write(&pull, r#"{"success":true,"data":{"lastMutationAt":100,"mutations":[]}}"#)
        .expect("written");
    let program = env!("CARGO_BIN_EXE_unstick");
    for limit in ["300000", "400000", "2000000"] {
        let output = std::process::Command::new("sh")
            .args([
                "-c",
                "ulimit -v \"$1\"; exec \"$2\" inspect \"$3\" --pull \"$4\" --no-log",
                "sh",
                limit,
                program,
            ])
            .args([&path, &pull])
            .output()
            .expect("it runs");
        let code = output.status.code();
        assert!(matches!(code, Some(0..=2)), "{limit}: {:?} {}", output.status, said(&output));
        assert_eq!(code == Some(2), limit != "2000000", "{limit}: {code:?}");
    }
}

#[test]
fn many_updates_of_one_note_cost_no_more_than_linear_time() {
    let inspected = |count: usize| {
        let entry = |at: usize| {
            json!({"id": format!("q{at}"), "type": "UPDATE", "resource": "NOTE", "resourceId": "n1",
                "data": {"body": format!("text number {at}")}})
        };
        let queue: Vec<_> = (0..count).map(entry).collect();
        let text = json!({"sync": {"lastMutationAt": 100}, "queue": queue}).to_string();
        let device = unstick::device::DeviceFile::from_text("device.json", text).expect("a device file");
        let pull = r#"{"success":true,"data":{"lastMutationAt":200,"mutations":[{"type":"UPDATE","resource":"NOTE",
            "resourceId":"n1","timestamp":150,"data":{"body":"of the server"}}]}}"#;
        let window = unstick::server::Recording::read(pull.to_owned(), "pull.json")
            .and_then(|recording| recording.window("pull.json", device.device().sync.cursor))
            .expect("a pull");
        let (device, window) = (device.shared(), std::sync::Arc::new(window));
        // The best of three: the machine has other things to do.
        let once = || {
            let begun = std::time::Instant::now();
            let inspection = unstick::domain::inspect::inspect(device.clone(), window.clone());
            assert_eq!(inspection.pairs.len(), 1);
            begun.elapsed()
        };
        (0..3).map(|_| once()).min().expect("three")
    };
    let (few, many) = (inspected(2_000), inspected(16_000));
    // Eight times as many take eight times as long; what grows with the square would take 64 times.
    assert!(many < few * 24, "{few:?} for 2,000, {many:?} for 16,000");
}
