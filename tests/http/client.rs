//! The client against servers that answer well, badly, or not at all: each outcome says what is known.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use unstick::domain::answer::{Class, RetryAfter};
use unstick::domain::json::Text;
use unstick::domain::mutation::{Cursor, Kind, Op, Payload, WireMutation};
use unstick::server::client::MAX_BODY;
use unstick::server::{Failure, Lost, Timeouts};

use super::canned::{Canned, Reply, TOKEN, answer, bytes, client_at, json};

const PAGE: &str = r#"{"success":true,"data":{"lastMutationAt":9,"mutations":[]}}"#;
const BODY: &str = "a private note";

fn note() -> WireMutation {
    let data = Payload::new(Text::new(format!(r#"{{"body":"{BODY}"}}"#)));
    WireMutation { op: Op::Create, kind: Kind::Note, resource_id: None, data }
}

/// The failure of a POST to a server that answers with `reply`.
async fn post_failure(mut reply: impl FnMut() -> Reply + Send + 'static) -> Failure {
    let server = Canned::start(move |_| reply()).await;
    let outcome = server.client().post(Cursor::read(9), &[note()]).await;
    assert_eq!(server.requests().len(), 1, "a POST is sent once");
    outcome.expect_err("no good answer")
}

#[tokio::test]
async fn requests_carry_the_headers_and_the_query_of_the_protocol() {
    let server = Canned::start(|_| json(PAGE)).await;
    let client = server.client();
    client.page(Cursor::read(100), 2).await.expect("a page");
    client.head().await.expect("a head");
    client.post(Cursor::FIRST_SYNC, &[note()]).await.expect("an answer");
    let [page, head, post] = server.requests().try_into().expect("three requests");

    assert!(page.head.starts_with("GET /auth/v1/sync?mutationsSince=100&limit=1000&page=2 HTTP/1.1"));
    assert!(head.head.starts_with("GET /auth/v1/sync?mutationsSince=0&metadataOnly=true HTTP/1.1"));
    assert!(post.head.starts_with("POST /auth/v1/sync?lastMutationAt=-1 HTTP/1.1"));
    assert_eq!(
        post.body,
        format!(r#"{{"mutations":[{{"type":"CREATE","resource":"NOTE","data":{{"body":"{BODY}"}}}}]}}"#)
    );
    for request in [page, head, post] {
        assert_eq!(request.header("x-auth-token"), Some(TOKEN));
        assert_eq!(request.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!(request.header("x-client-id"), Some("test-client"));
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn the_three_error_shapes_are_one_refusal() {
    for body in [
        r#"{"success":false,"error":{"code":"OutOfSyncError","message":"stale"}}"#,
        r#"{"message":"stale","type":"OutOfSyncError","success":false}"#,
        r#"{"message":"Conflict","type":"Conflict","success":false,
            "details":{"success":false,"error":{"code":"OutOfSyncError","message":"stale"}}}"#,
    ] {
        let failure = post_failure(move || answer(409, &[("X-Request-Id", "req-7")], body)).await;
        let Failure::Refused(refusal) = failure else { panic!("{failure:?}") };
        assert_eq!((refusal.class, refusal.status), (Class::OutOfSync, 409));
        assert_eq!((refusal.code.as_deref(), refusal.message.as_str()), (Some("OutOfSyncError"), "stale"));
        assert_eq!(refusal.request_id.as_deref(), Some("req-7"));
    }
}

#[tokio::test]
async fn retry_after_is_read() {
    let failure = post_failure(|| answer(429, &[("Retry-After", "7")], "{}")).await;
    assert_eq!(failure.refusal().and_then(|refusal| refusal.retry_after), Some(RetryAfter::Seconds(7)));
}

#[tokio::test]
async fn a_gateway_page_is_a_refusal_of_a_get_and_a_lost_answer_of_a_post() {
    let html = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    let reply = move || answer(502, &[("Content-Type", "text/html")], html);
    let server = Canned::start(move |_| reply()).await;
    let failure = server.client().page(Cursor::ZERO, 1).await.expect_err("refused");
    let Failure::Refused(refusal) = failure else { panic!("{failure:?}") };
    assert_eq!(refusal.class, Class::Server);
    assert!(refusal.message.contains("“502 Bad Gateway”") && !refusal.message.contains("nginx"));

    let failure = post_failure(reply).await;
    assert!(matches!(failure, Failure::Lost(Lost::ServerFailed(_))), "{failure:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_lost() {
    for headers in [&[][..], &[("Content-Type", "application/json")]] {
        let cut = bytes(200, headers, &PAGE.as_bytes()[..20], PAGE.len());
        let failure = post_failure(move || Reply::Cut(cut.clone())).await;
        assert!(matches!(failure, Failure::Lost(Lost::Broken(_))), "{failure:?}");
    }
    for half in ["", "HTTP/1.1 200 OK\r\nContent-Le"] {
        let failure = post_failure(move || Reply::Cut(half.as_bytes().to_vec())).await;
        assert!(matches!(failure, Failure::Lost(Lost::Broken(_))), "{failure:?}");
    }
}

#[tokio::test]
async fn a_reset_connection_is_a_lost_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let client = client_at(listener.local_addr().expect("an address"), Timeouts::default());
    let server = async {
        let (stream, _) = listener.accept().await.expect("a connection");
        // Closing with the request unread resets the connection.
        stream.readable().await.expect("a request");
    };
    let mutations = [note()];
    let (outcome, ()) = tokio::join!(client.post(Cursor::read(9), &mutations), server);
    let failure = outcome.expect_err("no answer");
    assert!(matches!(failure, Failure::Lost(Lost::Broken(_))), "{failure:?}");
}

#[tokio::test]
async fn a_yes_that_cannot_be_understood_is_a_lost_answer() {
    for garbage in ["", "{", "[]", "<title>Log in</title>", r#"{"success":true,"data":{}}"#] {
        let failure = post_failure(move || json(garbage)).await;
        assert!(matches!(failure, Failure::Lost(Lost::Garbage(_))), "{garbage}: {failure:?}");
    }
    let failure = post_failure(|| answer(200, &[], b"{\"success\":true,\"data\":\"\xff\"}")).await;
    assert!(matches!(failure, Failure::Lost(Lost::Broken(_))), "{failure:?}");
    let failure = post_failure(|| Reply::Cut(b"SSH-2.0-OpenSSH\r\n".to_vec())).await;
    assert!(matches!(failure, Failure::Lost(Lost::Broken(_))), "{failure:?}");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_lost() {
    let timeouts = Timeouts {
        connect: Duration::from_millis(100),
        total: Duration::from_millis(300),
        ..Timeouts::default()
    };
    for part in [Vec::new(), bytes(200, &[], &PAGE.as_bytes()[..20], PAGE.len())] {
        let server = Canned::start(move |_| Reply::Stall(part.clone())).await;
        let failure = server.client_with(timeouts).post(Cursor::read(9), &[note()]).await;
        assert_eq!(failure.err(), Some(Failure::Lost(Lost::TimedOut(timeouts.total))));
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let failure = client_at(address, Timeouts::default()).post(Cursor::read(9), &[note()]).await;
    let Err(Failure::NotSent(why)) = failure else { panic!("{failure:?}") };
    assert!(why.contains(&address.to_string()), "{why}");
}

#[tokio::test]
async fn a_redirect_is_reported_and_the_token_stays_here() {
    let other = Canned::start(|_| json(PAGE)).await;
    let target = other.address;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("http://{target}/auth/v1/sync?token=x");
        let server = Canned::start(move |_| answer(status, &[("Location", &location)], "")).await;
        let client = server.client();
        for failure in
            [client.page(Cursor::ZERO, 1).await.err(), client.post(Cursor::read(9), &[note()]).await.err()]
        {
            let Some(Failure::Refused(refusal)) = failure else { panic!("{failure:?}") };
            assert_eq!((refusal.class, refusal.status), (Class::Other, status));
            assert_eq!(refusal.message, format!("redirected to {target}; not followed"));
        }
    }
    assert!(other.requests().is_empty());
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

#[tokio::test]
async fn a_compressed_answer_is_read_and_a_bomb_is_stopped() {
    let good = gzip(PAGE.as_bytes());
    let server = Canned::start(move |_| answer(200, &[("Content-Encoding", "gzip")], &good)).await;
    assert_eq!(server.client().head().await.expect("a page").head, Cursor::read(9));

    let bomb = gzip(&vec![b' '; MAX_BODY + 1]);
    assert!(bomb.len() < MAX_BODY / 100);
    let failure = post_failure(move || answer(200, &[("Content-Encoding", "gzip")], &bomb)).await;
    assert_eq!(failure, Failure::Lost(Lost::TooLarge));
}

/// A writer that keeps what is logged.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic while locked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_token_nor_payload_is_in_logs_or_errors() {
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // For all threads: one that is set for this thread alone may miss what another test's thread has met before.
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    let mut shown = Vec::new();
    for reply in [PAGE, "", r#"{"success":true,"data":"a private note"}"#] {
        let server = Canned::start(move |_| json(reply)).await;
        if let Err(failure) = server.client().post(Cursor::read(9), &[note()]).await {
            shown.push(format!("{failure} {failure:?} {}", failure.next_step()));
        }
    }
    let echo = r#"{"message":"\"a private note\" is too short","type":"unprocessable_entity"}"#;
    for reply in [Reply::Cut as fn(Vec<u8>) -> Reply, Reply::Answer] {
        let server = Canned::start(move |_| reply(bytes(422, &[], echo.as_bytes(), echo.len()))).await;
        let failure = server.client().post(Cursor::read(9), &[note()]).await.expect_err("refused");
        shown.push(format!("{failure:?} {}", failure.next_step()));
    }
    let logged = String::from_utf8(logged.0.lock().expect("no panic while locked").clone()).expect("text");
    assert!(logged.contains("status=200") && logged.contains("status=422"), "{logged}");
    for text in shown.iter().chain([&logged]) {
        assert!(!text.contains(TOKEN) && !text.contains(BODY), "{text}");
    }
}
