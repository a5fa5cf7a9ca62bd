//! The sandbox as an app's own client meets it: headers, statuses, shapes.

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use unstick::domain::mutation::{Cursor, Kind, Millis};
use unstick::sandbox::http::{Options, Running, Sandbox};
use unstick::sandbox::model::{FirstSync, Model};
use unstick::sandbox::refusal::Shape;

const NOW: Millis = Millis(1_770_000_000_000);

async fn started(model: Model, shape: Shape) -> Running {
    let options = Options { shape, clock: Arc::new(|| NOW), ..Options::default() };
    Sandbox::start(model, options).await.expect("a free port")
}

async fn sandbox() -> Running {
    started(Model::new(FirstSync::Positive, NOW), Shape::Documented).await
}

fn client() -> Client {
    // An error only says that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("a client")
}

fn signed(request: RequestBuilder) -> RequestBuilder {
    request.header("x-auth-token", "any").header("x-client-id", "tablet-b")
}

async fn get(server: &Running, query: &str) -> Response {
    let url = format!("{}/v1/sync?{query}", server.url());
    signed(client().get(url)).send().await.expect("an answer")
}

async fn post(server: &Running, head: Cursor, body: impl Into<reqwest::Body>) -> Response {
    let url = format!("{}/v1/sync?lastMutationAt={head}", server.url());
    signed(client().post(url)).body(body).send().await.expect("an answer")
}

fn batch(body: &str) -> String {
    json!({ "mutations": [{ "type": "CREATE", "resource": "NOTE", "data": { "body": body } }] }).to_string()
}

async fn body(answer: Response) -> Value {
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    serde_json::from_str(&answer.text().await.expect("a whole body")).expect("JSON")
}

async fn refused(answer: Response, status: u16) -> Value {
    assert_eq!(answer.status().as_u16(), status);
    assert!(!answer.headers().contains_key("x-mutation-at"));
    let body = body(answer).await;
    assert_eq!(body["success"], false);
    body
}

#[track_caller]
fn assert_flat(body: &Value, word: &str) {
    let members = body.as_object().expect("an object");
    assert_eq!(members.keys().collect::<Vec<_>>(), ["message", "type", "success"]);
    assert_eq!(body["type"], word);
}

fn head(server: &Running) -> Cursor {
    server.with_model(|model| model.head())
}

#[tokio::test]
async fn a_push_and_a_pull_carry_the_head_in_header_and_body() {
    let server = sandbox().await;
    let before = head(&server);
    let pushed = post(&server, before, batch("a new note")).await;
    assert_eq!(pushed.status(), StatusCode::OK);
    assert_eq!(pushed.headers()["x-mutation-at"], head(&server).to_string());
    let pushed = body(pushed).await;
    assert_eq!(pushed["data"]["lastMutationAt"], head(&server).value());
    let pulled = get(&server, &format!("mutationsSince={before}&limit=1000")).await;
    assert_eq!(pulled.headers()["x-mutation-at"], head(&server).to_string());
    let pulled = body(pulled).await;
    assert_eq!(pulled["data"]["mutations"][0]["data"]["body"], "a new note");
    assert_eq!(pulled["data"]["mutations"][0]["data"]["source"], "tablet-b");
    assert_eq!((&pulled["data"]["total"], &pulled["data"]["hasMore"]), (&json!(1), &json!(false)));
    server.shutdown().await;
}

#[tokio::test]
async fn the_path_below_auth_is_the_same_server() {
    let server = sandbox().await;
    let url = format!("{}/auth/v1/sync?mutationsSince=0&metadataOnly=true", server.url());
    let answer = body(signed(client().get(url)).send().await.expect("an answer")).await;
    assert_eq!(answer, json!({ "success": true, "data": { "lastMutationAt": head(&server).value() } }));
    server.shutdown().await;
}

#[tokio::test]
async fn a_fresh_account_of_the_tutorials_answers_minus_1() {
    let server = started(Model::new(FirstSync::Minus1, NOW), Shape::Documented).await;
    let answer = get(&server, "mutationsSince=0").await;
    assert_eq!(answer.headers()["x-mutation-at"], "-1");
    assert_eq!(body(answer).await["data"]["lastMutationAt"], -1);
    let answer = refused(post(&server, Cursor::ZERO, batch("a new note")).await, 409).await;
    let message = "First sync detected. Please use lastMutationAt=-1 for initial sync.";
    assert_eq!(answer["error"], json!({ "code": "OutOfSyncError", "message": message }));
    assert_eq!(post(&server, Cursor::FIRST_SYNC, batch("a new note")).await.status(), StatusCode::OK);
    server.shutdown().await;
}

#[tokio::test]
async fn token_and_client_id_are_required() {
    let server = sandbox().await;
    let url = format!("{}/v1/sync?mutationsSince=0", server.url());
    let bare = || client().get(&url);
    for request in [
        bare(),
        bare().header("x-auth-token", "any"),
        bare().header("x-client-id", "tablet-b"),
        bare().header("x-auth-token", " ").header("x-client-id", "tablet-b"),
    ] {
        assert_flat(&refused(request.send().await.expect("an answer"), 401).await, "unauthorized");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_token_that_names_scopes_has_only_those() {
    let server = sandbox().await;
    let url = format!("{}/v1/sync", server.url());
    let with = |request: RequestBuilder, token: &str| {
        request.header("x-auth-token", token).header("x-client-id", "c")
    };
    let pull = |token| with(client().get(format!("{url}?mutationsSince=0")), token).send();
    assert_eq!(body(pull("scopes:sync,note").await.expect("an answer")).await["data"]["total"], 0);
    assert_eq!(body(pull("scopes:sync,collection").await.expect("an answer")).await["data"]["total"], 1);
    assert_flat(&refused(pull("scopes:note").await.expect("an answer"), 403).await, "forbidden");
    let post = with(client().post(format!("{url}?lastMutationAt={}", head(&server))), "scopes:sync,bookmark");
    let answer = post.body(batch("a new note")).send().await.expect("an answer");
    assert_flat(&refused(answer, 403).await, "forbidden");
    server.shutdown().await;
}

#[tokio::test]
async fn a_post_is_refused_in_the_nested_shape() {
    let server = sandbox().await;
    let stale = refused(post(&server, Cursor::read(1), batch("a new note")).await, 409).await;
    assert_eq!(stale["error"]["code"], "OutOfSyncError");
    let invalid = refused(post(&server, head(&server), batch("short")).await, 422).await;
    assert_eq!(
        invalid["error"],
        json!({ "code": "ValidationError", "message": "\"body\" must be 6 to 10000 characters long at mutation[0]" })
    );
    server.shutdown().await;
}

#[tokio::test]
async fn the_wrapped_shape_carries_the_nested_one_and_the_request_id() {
    let server = started(Model::new(FirstSync::Positive, NOW), Shape::Wrapped).await;
    let answer = refused(post(&server, Cursor::read(1), batch("a new note")).await, 409).await;
    assert_eq!((&answer["type"], &answer["requestId"]), (&json!("Conflict"), &json!("sandbox-1")));
    assert_eq!(answer["details"]["error"]["code"], "OutOfSyncError");
    assert_flat(&refused(get(&server, "mutationsSince=0&limit=0").await, 422).await, "unprocessable_entity");
    server.shutdown().await;
}

#[tokio::test]
async fn the_flat_shape_has_the_code_as_its_type() {
    let server = started(Model::new(FirstSync::Positive, NOW), Shape::Flat).await;
    let answer = refused(post(&server, Cursor::read(1), batch("a new note")).await, 409).await;
    assert_flat(&answer, "OutOfSyncError");
    server.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_400() {
    let server = sandbox().await;
    for query in ["", "metadataOnly=true", "mutationsSince=yesterday", "mutationsSince=0&page=two"] {
        assert_flat(&refused(get(&server, query).await, 400).await, "invalid_request");
    }
    for text in ["", "{", "[]", "null", "{\"mutations\":[],\"mutations\":[]}"] {
        assert_flat(&refused(post(&server, head(&server), text).await, 400).await, "invalid_request");
    }
    let not_utf8 = vec![b'"', 0xff, b'"'];
    assert_flat(&refused(post(&server, head(&server), not_utf8).await, 400).await, "invalid_request");
    let url = format!("{}/v1/sync?lastMutationAt=soon", server.url());
    let answer = signed(client().post(url)).body(batch("a new note")).send().await.expect("an answer");
    assert_flat(&refused(answer, 400).await, "invalid_request");
    server.shutdown().await;
}

#[tokio::test]
async fn the_members_of_a_push_are_checked() {
    let server = sandbox().await;
    let message = async |text: &str| {
        let answer = post(&server, head(&server), text.to_owned()).await;
        refused(answer, 422).await["error"]["message"].as_str().expect("a message").to_owned()
    };
    assert_eq!(message("{}").await, "\"mutations\" is required");
    assert_eq!(message(r#"{"mutations":7}"#).await, "Invalid mutations");
    assert_eq!(message(r#"{"mutations":[],"lastMutationAt":1}"#).await, "\"lastMutationAt\" is not allowed");
    assert_eq!(
        message(r#"{"mutations":[{"type":"CREATE","type":"DELETE"}]}"#).await,
        "Invalid mutation at mutation[0]"
    );
    let url = format!("{}/v1/sync", server.url());
    let answer = signed(client().post(url)).body(batch("a new note")).send().await.expect("an answer");
    assert_eq!(refused(answer, 422).await["error"]["message"], "\"lastMutationAt\" is required");
    server.shutdown().await;
}

#[tokio::test]
async fn names_private_to_serde_json_are_refused_and_not_misread() {
    let server = sandbox().await;
    let hidden = r#"{"$serde_json::private::RawValue":"{\"type\":\"CREATE\",\"resource\":\"NOTE\",\"data\":{\"body\":\"smuggled in\"}}"}"#;
    let answer = post(&server, head(&server), format!("{{\"mutations\":[{hidden}]}}")).await;
    assert_eq!(refused(answer, 422).await["error"]["message"], "Missing resource at mutation[0]");
    let whole = r#"{"$serde_json::private::RawValue":"{\"mutations\":[]}"}"#;
    refused(post(&server, head(&server), whole).await, 422).await;
    assert!(server.with_model(|model| model.live(&Kind::Note)).is_empty());
    server.shutdown().await;
}

#[tokio::test]
async fn other_paths_are_404_and_other_methods_405() {
    let server = sandbox().await;
    let elsewhere = signed(client().get(format!("{}/v1/bookmarks", server.url()))).send().await;
    assert_flat(&refused(elsewhere.expect("an answer"), 404).await, "not_found");
    let deleted = signed(client().delete(format!("{}/v1/sync", server.url()))).send().await;
    let deleted = deleted.expect("an answer");
    assert_eq!(deleted.headers()["allow"], "GET,HEAD,POST");
    assert_flat(&refused(deleted, 405).await, "method_not_allowed");
    server.shutdown().await;
}

#[tokio::test]
async fn an_unknown_id_is_a_flat_404() {
    let server = sandbox().await;
    let text =
        json!({ "mutations": [{ "type": "DELETE", "resource": "NOTE", "resourceId": "n9" }] }).to_string();
    assert_flat(&refused(post(&server, head(&server), text).await, 404).await, "not_found");
    server.shutdown().await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_and_its_sender_lives_to_read_it() {
    let server = sandbox().await;
    let answer = post(&server, head(&server), batch(&"a".repeat(20 << 20))).await;
    assert_flat(&refused(answer, 413).await, "payload_too_large");
    let largest: Vec<_> = (0..100)
        .map(|_| {
            r#"{"type":"CREATE","resource":"NOTE","data":{"body":"X"}}"#
                .replace('X', &"\\u0645".repeat(10_000))
        })
        .collect();
    let answer = post(&server, head(&server), format!("{{\"mutations\":[{}]}}", largest.join(","))).await;
    assert_eq!(answer.status(), StatusCode::OK, "the largest batch of the protocol fits");
    server.shutdown().await;
}

#[tokio::test]
async fn requests_are_numbered_and_logged_without_bodies() {
    let server = sandbox().await;
    let first = get(&server, "mutationsSince=0").await;
    assert_eq!(first.headers()["x-request-id"], "sandbox-1");
    let url = format!("{}/v1/sync?lastMutationAt=1", server.url());
    let second =
        signed(client().post(url)).header("x-request-id", "mine").body(batch("a private note")).send();
    assert_eq!(second.await.expect("an answer").headers()["x-request-id"], "mine");
    let log = server.log();
    let lines: Vec<_> =
        log.iter().map(|l| format!("{} {} {} {:?}", l.number, l.method, l.target, l.status)).collect();
    assert_eq!(
        lines,
        ["1 GET /v1/sync?mutationsSince=0 Some(200)", "2 POST /v1/sync?lastMutationAt=1 Some(409)"]
    );
    server.shutdown().await;
}

#[tokio::test]
async fn another_device_can_write_while_the_server_runs() {
    let server = sandbox().await;
    let stale = head(&server);
    let mutation = json!({ "type": "CREATE", "resource": "NOTE", "data": { "body": "a race was lost" } });
    server.with_model(|model| model.other_device_writes(NOW, "phone-a", &[mutation])).expect("taken");
    assert_eq!(post(&server, stale, batch("a new note")).await.status(), StatusCode::CONFLICT);
    server.shutdown().await;
}

#[tokio::test]
async fn it_stops_cleanly_and_gives_the_port_back() {
    let server = sandbox().await;
    let kept_alive = client();
    let url = format!("{}/v1/sync?mutationsSince=0", server.url());
    assert!(signed(kept_alive.get(&url)).send().await.is_ok());
    let port = server.addr.port();
    server.shutdown().await;
    assert!(signed(kept_alive.get(&url)).send().await.is_err());
    let again =
        Sandbox::start(Model::new(FirstSync::Positive, NOW), Options { port, ..Options::default() }).await;
    again.expect("the port is free again").shutdown().await;
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let server = sandbox().await;
    let options = Options { port: server.addr.port(), ..Options::default() };
    assert!(Sandbox::start(Model::new(FirstSync::Positive, NOW), options).await.is_err());
    server.shutdown().await;
}

#[tokio::test]
async fn a_request_that_names_another_machine_is_refused() {
    let server = sandbox().await;
    let url = format!("{}/v1/sync?mutationsSince=0", server.url());
    for (host, status) in [
        ("127.0.0.1", 200),
        ("localhost:8787", 200),
        ("[::1]:8787", 200),
        // How an emulator calls the machine that it runs on.
        ("10.0.2.2:8787", 200),
        ("rebound.example", 421),
        ("localhost.example:8787", 421),
        ("127.0.0.1.example", 421),
    ] {
        let answer = signed(client().get(&url)).header("host", host).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{host}");
    }
}

#[tokio::test]
async fn a_request_that_stops_half_way_is_given_up() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let idle = std::time::Duration::from_millis(200);
    let options = Options { idle, ..Options::default() };
    let server = Sandbox::start(Model::new(FirstSync::Positive, NOW), options).await.expect("a free port");
    let whole = "GET /v1/sync?mutationsSince=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let half_body =
        "POST /v1/sync?lastMutationAt=0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{";
    for (begun, answered) in [
        (String::new(), false),
        (String::from("GET /v1/sync HTTP/1.1\r\nHost: loc"), false),
        (format!("{whole}GET /v1"), true),
        (half_body.to_owned(), true),
    ] {
        let mut stream = tokio::net::TcpStream::connect(server.addr).await.expect("a connection");
        stream.write_all(begun.as_bytes()).await.expect("sent");
        let mut read = Vec::new();
        // It ends, be it with a reset.
        let _ = stream.read_to_end(&mut read).await;
        assert_eq!(read.starts_with(b"HTTP/1.1"), answered, "{begun:?}");
    }
    assert!(get(&server, "mutationsSince=0").await.status().is_success());
}
