//! Nothing of one person ends in another's account: a device file is stopped before anything is created where the token
//! is another user's, or where the server knows none of the ids that the device names.

use base64::Engine;
use serde_json::{Value, json};
use unstick::domain::mutation::Millis;
use unstick::sandbox::model::{FirstSync, Model};

use super::bench::{Bench, said};

const PUSH: &[&str] = &["--strategy", "client-wins", "--yes"];
const GOES_ON: &[&str] = &["--strategy", "client-wins", "--yes", "--accept-other-account"];

/// A server with one note of its account, and its head before and after that.
fn account() -> (Model, i64, i64) {
    let mut model = Model::new(FirstSync::Positive, Millis(1_770_000_000_000));
    let before = model.head().value();
    let theirs = json!([{"type": "CREATE", "resource": "NOTE", "resourceId": "n-here",
        "data": {"body": "of this account", "ranges": ["1:1-1:1"]}}]);
    model
        .other_device_writes(Millis(1_770_000_001_000), "web", theirs.as_array().expect("a list"))
        .expect("taken");
    let after = model.head().value();
    (model, before, after)
}

/// A device that knows the note `id` and made another one.
fn device(cursor: Option<i64>, id: Option<&str>) -> String {
    let row = |id| json!({"id": id, "resource": "NOTE", "data": {"body": "of the device's account"}, "syncStatus": "synced"});
    let rows: Vec<Value> = id.map(row).into_iter().collect();
    json!({
        "device": {"id": "tablet", "user": "u-of-the-file"},
        "sync": {"lastMutationAt": cursor},
        "queue": [{"id": "q1", "type": "CREATE", "resource": "NOTE", "createdAt": 1_770_000_000_500_i64,
            "data": {"body": "a private note", "ranges": ["2:2-2:2"]}}],
        "resources": rows,
    })
    .to_string()
}

/// A token of this user; nobody checks how it is signed.
fn token(user: &str) -> String {
    let part = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.signature", part(json!({"alg": "none"})), part(json!({"sub": user})))
}

fn is_stopped(bench: &Bench, what: &str) {
    let output = bench.run("push", PUSH);
    assert_eq!(output.status.code(), Some(3), "{what}: {}", said(&output));
    assert!(said(&output).contains("--accept-other-account"), "{what}: {}", said(&output));
    assert_eq!(bench.requests("POST"), 0, "{what}");
}

#[test]
fn a_device_whose_ids_the_server_does_not_know_creates_nothing() {
    let (model, before, _) = account();
    for (what, cursor) in [("a cursor that this server may have given", Some(before)), ("no cursor", None)] {
        let bench = Bench::new(model.clone(), &device(cursor, Some("n-elsewhere")));
        is_stopped(&bench, what);
        assert!(bench.text().contains("a private note"), "{what}");
        bench.expect(0, "push", GOES_ON);
        assert_eq!(bench.requests("POST"), 1, "{what}");
    }
}

#[test]
fn a_device_that_is_known_or_names_nothing_goes_through() {
    let (model, before, after) = account();
    for (what, cursor, id) in [
        ("its note is here", before, Some("n-here")),
        ("it names none", before, None),
        ("it is in step", after, Some("n-elsewhere")),
    ] {
        let bench = Bench::new(model.clone(), &device(Some(cursor), id));
        bench.expect(0, "push", PUSH);
        assert_eq!(bench.requests("POST"), 1, "{what}");
    }
}

#[test]
fn a_token_of_another_user_sends_nothing() {
    let (model, before, _) = account();
    let push = |bench: &Bench, user: &str, arguments: &[&str]| {
        let output =
            bench.command("push", arguments).env("UNSTICK_TOKEN", token(user)).output().expect("it runs");
        assert!(!said(&output).contains(&token(user)), "the token is told");
        (output.status.code(), said(&output))
    };
    let bench = Bench::new(model.clone(), &device(Some(before), Some("n-here")));
    let (code, text) = push(&bench, "u-of-the-token", PUSH);
    assert_eq!(code, Some(3), "{text}");
    assert_eq!(bench.requests("POST"), 0);
    let (code, text) = push(&bench, "u-of-the-token", GOES_ON);
    assert_eq!(code, Some(0), "{text}");
    let bench = Bench::new(model, &device(Some(before), Some("n-here")));
    let (code, text) = push(&bench, "u-of-the-file", PUSH);
    assert_eq!(code, Some(0), "{text}");
}
