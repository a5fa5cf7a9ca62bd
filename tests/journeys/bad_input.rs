//! Broken files, broken servers, wrong arguments: a clear error, the right exit code, nothing written.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::bench::{Bench, files, said, unstick};

/// Runs `inspect` on a device file with this text against a recorded pull with that one.
fn inspect(device: &str, pull: &str) -> std::process::Output {
    let folder = tempfile::tempdir().expect("a folder");
    let (device_file, pull_file) = (folder.path().join("device.json"), folder.path().join("pull.json"));
    std::fs::write(&device_file, device).expect("it is written");
    std::fs::write(&pull_file, pull).expect("it is written");
    let before = files(folder.path());
    let paths = [device_file.to_string_lossy().into_owned(), pull_file.to_string_lossy().into_owned()];
    let output = unstick(&["inspect", &paths[0], "--pull", &paths[1]]).output().expect("it runs");
    assert_eq!(files(folder.path()), before, "inspect wrote something");
    output
}

const PULL: &str = r#"{"success":true,"data":{"lastMutationAt":200,"mutations":[]}}"#;

#[test]
fn a_bad_device_file_is_refused_with_its_place() {
    let deep = format!(r#"{{"queue":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let cases = [
        (r#"{"queue":[{"id":"q1","#, "line 1"),
        ("", "line 1"),
        ("[1,2]", "/0"),
        (r#"{"queue":{}}"#, "/queue"),
        (r#"{"queue":[{"id":"q1","resource":"NOTE"}]}"#, "/queue/0/type"),
        (r#"{"queue":[{"id":"q1","type":"MERGE","resource":"NOTE"}]}"#, "/queue/0/type"),
        (r#"{"queue":[{"id":"q1","type":"CREATE"}]}"#, "/queue/0/resource"),
        (r#"{"queue":[{"type":"CREATE","resource":"NOTE"}]}"#, "/queue/0/id"),
        (
            r#"{"queue":[{"id":"q1","type":"CREATE","resource":"NOTE"},{"id":"q1","type":"CREATE","resource":"NOTE"}]}"#,
            "/queue/1/id",
        ),
        (r#"{"sync":{"lastMutationAt":"x"},"queue":[]}"#, "/sync/lastMutationAt"),
        (r#"{"sync":{"lastMutationAt":99999999999999999999},"queue":[]}"#, "/sync/lastMutationAt"),
        (r#"{"name":"something else"}"#, "expected"),
        (&deep, "/queue"),
        ("SQLite format 3\0 and more", "cut off"),
    ];
    for (device, place) in cases {
        let output = inspect(device, PULL);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{}: {text}", &device[..device.len().min(60)]);
        assert!(text.contains(place), "{place} in {text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}

#[test]
fn odd_but_legal_input_is_shown() {
    let odd = r#"{"sync":{"lastMutationAt":100},"queue":[
        {"id":"a/b - c 🤲","type":"UPDATE","resource":"NOTE","resourceId":"x/y - z 🤲","data":{"body":7,"ranges":"no","n":123456789012345678901234567890,"e":1e400}},
        {"id":"q2","type":"CREATE","resource":"NEW_KIND","data":{"x":{"y":[1,2]}}}],"resources":[]}"#;
    let output = inspect(odd, PULL);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("/queue/0/data"), "a wrong type is warned of: {text}");
    let nested = format!(
        r#"{{"queue":[{{"id":"q1","type":"CREATE","resource":"NOTE","data":{{"body":"deep enough","x":{}1{}}}}}]}}"#,
        "[".repeat(1000),
        "]".repeat(1000)
    );
    assert_eq!(inspect(&nested, PULL).status.code(), Some(0));
    assert_eq!(inspect("[]", PULL).status.code(), Some(0));
}

#[test]
fn a_bad_recorded_pull_is_refused() {
    let device = r#"{"sync":{"lastMutationAt":100},"queue":[]}"#;
    for pull in [
        "",
        "{",
        "[]",
        "{}",
        "7",
        r#"{"success":true}"#,
        r#"{"success":true,"data":{"lastMutationAt":"x"}}"#,
        r#"{"success":false,"error":{"code":"X","message":"no"}}"#,
    ] {
        let output = inspect(device, pull);
        assert_eq!(output.status.code(), Some(2), "{pull}: {}", said(&output));
        assert!(!said(&output).contains("panicked"));
    }
}

#[test]
fn files_that_are_not_there_or_too_large_are_refused() {
    let output =
        unstick(&["inspect", "no-such-file.json", "--pull", "neither.json"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("huge.json");
    // Sparse: it has the size, not the bytes.
    std::fs::File::create(&path).expect("a file").set_len(2 * 1024 * 1024 * 1024).expect("its size");
    let path = path.to_string_lossy().into_owned();
    let output = unstick(&["inspect", &path, "--pull", &path]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("2147483648 bytes"));
}

#[test]
fn wrong_arguments_end_with_2_and_a_sentence() {
    for (arguments, sentence) in [
        (&["plan", "d.json", "--pull", "p.json"][..], "--strategy"),
        (&["push", "d.json", "--strategy", "merge", "--server", "http://127.0.0.1:1"], "--yes"),
        (&["push", "d.json", "--strategy", "merge", "--yes", "--pull", "p.json"], "read-only"),
        (&["inspect", "d.json", "--server", "http://127.0.0.1:1", "--pull", "p.json"], "exclude"),
        (&["inspect", "d.json", "--server", "http://example.org"], "https"),
        (&["inspect", "d.json", "--server", "http://127.0.0.1:1", "--token", "x"], "UNSTICK_TOKEN"),
        (
            &[
                "push",
                "d.json",
                "--server",
                "https://apis.quran.foundation/auth",
                "--client-id",
                "x",
                "--strategy",
                "merge",
                "--yes",
            ],
            "only looked at",
        ),
        (&["demo", "no-such-scenario"], "tablet-behind"),
        (&["nonsense"], "nonsense"),
    ] {
        let output = unstick(arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(sentence), "{sentence} in {}", said(&output));
    }
}

#[test]
fn a_server_that_talks_nonsense_ends_with_3() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ngarbage",
        "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 22\r\n\r\n<html>nginx</html>    ",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"success\":true",
        "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n",
        "not http at all",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let bench = Bench::scenario("tablet-behind");
        let before = bench.text();
        let device = bench.device.to_string_lossy().into_owned();
        for arguments in [
            &["inspect", device.as_str(), "--server", url.as_str()][..],
            &["push", device.as_str(), "--server", url.as_str(), "--strategy", "merge", "--yes"],
        ] {
            let output = unstick(arguments).output().expect("it runs");
            assert_eq!(output.status.code(), Some(3), "{answer:?}: {}", said(&output));
        }
        assert_eq!(bench.text(), before);
    }
}

#[test]
fn a_refused_token_and_a_missing_scope_say_what_to_do() {
    let bench = Bench::scenario("tablet-behind");
    let (url, device) = (bench.server.url(), bench.device.to_string_lossy().into_owned());
    let output = unstick(&["inspect", &device, "--server", &url])
        .env("UNSTICK_TOKEN", "scopes:note")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("scope"), "{}", said(&output));
}
