//! Every fault of the sandbox over real HTTP: what the client makes of it, and what the server did all the same.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use unstick::domain::ack::{self, Doubt};
use unstick::domain::answer::{Class, PostAnswer, RetryAfter};
use unstick::domain::json::Text;
use unstick::domain::mutation::{Cursor, Kind, Millis, Op, Payload, WireMutation};
use unstick::domain::window::{PullPath, PullStep, Window};
use unstick::sandbox::http::{Options, Running, Sandbox};
use unstick::sandbox::model::{FirstSync, Model};
use unstick::sandbox::scenario::Scenario;
use unstick::server::{Client, Failure, Lost, Timeouts, pull};

use super::canned::client_at;

/// Short where a test waits for it to be over.
const IMPATIENT: Timeouts = Timeouts {
    connect: Duration::from_millis(200),
    total: Duration::from_millis(500),
    pull: Duration::from_mins(1),
};
const NOW: Millis = Millis(1_770_000_000_000);

struct Faulty {
    sandbox: Running,
    client: Client,
}

async fn faulty_with(rule: &str, model: Model, timeouts: Timeouts) -> Faulty {
    let faults = [rule].iter().map(|rule| rule.parse().expect("a rule")).collect();
    let sandbox = Sandbox::start(model, Options { faults, ..Options::default() }).await.expect("a free port");
    let client = client_at(sandbox.addr, timeouts);
    Faulty { sandbox, client }
}

async fn faulty(rule: &str) -> Faulty {
    faulty_with(rule, Model::new(FirstSync::Positive, NOW), Timeouts::default()).await
}

async fn impatient(rule: &str) -> Faulty {
    faulty_with(rule, Model::new(FirstSync::Positive, NOW), IMPATIENT).await
}

fn note(body: &str) -> WireMutation {
    let data = Payload::new(Text::new(format!(r#"{{"body":"{body}"}}"#)));
    WireMutation { op: Op::Create, kind: Kind::Note, resource_id: None, data }
}

fn batch() -> [WireMutation; 2] {
    [note("the first note"), note("the second note")]
}

impl Faulty {
    fn head(&self) -> Cursor {
        self.sandbox.with_model(|model| model.head())
    }

    fn notes(&self) -> usize {
        self.sandbox.with_model(|model| model.live(&Kind::Note).len())
    }

    async fn post(&self) -> Result<PostAnswer, Failure> {
        self.client.post(self.head(), &batch()).await
    }

    async fn post_refused(&self) -> unstick::domain::answer::Refusal {
        match self.post().await {
            Err(Failure::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    async fn post_lost(&self) -> Lost {
        match self.post().await {
            Err(Failure::Lost(lost)) => lost,
            other => panic!("{other:?}"),
        }
    }

    async fn get_failed(&self) -> Failure {
        self.client.page(Cursor::ZERO, 1).await.expect_err("no page")
    }

    async fn pulled(&self, since: Cursor) -> Window {
        pull(&self.client, Some(since), |_| {}).await.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn shutdown(self) {
        let begun = Instant::now();
        self.sandbox.shutdown().await;
        assert!(begun.elapsed() < Duration::from_secs(2), "a fault does not hold up the stop");
    }
}

#[tokio::test]
async fn a_race_is_a_409_and_one_mutation_more() {
    for (rule, kind) in [("post:1=race", Kind::Bookmark), ("post:1=race:same", Kind::Bookmark)] {
        let server = faulty(rule).await;
        let before = server.head();
        let refusal = server.post_refused().await;
        assert_eq!((refusal.class, refusal.first_sync), (Class::OutOfSync, false));
        assert_eq!(server.notes(), 0);
        let window = server.pulled(before).await;
        assert_eq!((window.mutations.len(), &window.mutations[0].kind), (1, &kind));
        let posted = server.client.post(window.head, &batch()).await.expect("on top of the new head");
        assert_eq!(posted.head, server.head());
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_race_for_the_same_changes_what_the_post_changes() {
    let server = faulty("post:2=race:same").await;
    let posted = server.post().await.expect("the first is taken");
    let acked = ack::check(&batch(), &posted.acknowledgements).expect("acknowledged");
    let data = Payload::new(Text::new(String::from(r#"{"body":"changed on the tablet"}"#)));
    let id = acked[1].resource_id.clone();
    let update = WireMutation { op: Op::Update, kind: Kind::Note, resource_id: id.clone(), data };
    let refused = server.client.post(posted.head, &[update]).await.expect_err("somebody was first");
    assert_eq!(refused.refusal().map(|refusal| refusal.class), Some(Class::OutOfSync));
    let window = server.pulled(posted.head).await;
    assert_eq!((window.mutations.len(), &window.mutations[0].resource_id), (1, &id));
    assert!(window.mutations[0].data.as_str().is_some_and(|data| data.contains("Changed on another device")));
    server.shutdown().await;
}

#[tokio::test]
async fn a_head_that_jumps_is_a_409_with_nothing_to_show() {
    let server = faulty("post:1=head-jump").await;
    let before = server.head();
    assert_eq!(server.post_refused().await.class, Class::OutOfSync);
    let window = server.pulled(before).await;
    assert!(window.mutations.is_empty() && window.head.value() >= before.value() + 60_000);
    server.client.post(window.head, &batch()).await.expect("on top of the new head");
    server.shutdown().await;
}

#[tokio::test]
async fn a_storm_of_409_refuses_the_right_head_too() {
    let server = faulty("any:1-4=409-storm").await;
    let before = server.head();
    for _ in 0..2 {
        assert_eq!(server.post_refused().await.class, Class::OutOfSync);
    }
    assert_eq!((server.head(), server.notes()), (before, 0));
    let refused = server.get_failed().await;
    assert_eq!(refused.refusal().map(|refusal| refusal.class), Some(Class::OutOfSync));
    assert_eq!(server.pulled(before).await.path, PullPath::RefusedSince);
    server.post().await.expect("the storm is over");
    server.shutdown().await;
}

#[tokio::test]
async fn too_many_requests_says_when_to_come_back() {
    let server = faulty("any:*=429").await;
    let refusal = server.post_refused().await;
    assert_eq!((refusal.class, refusal.retry_after), (Class::RateLimited, None));
    assert_eq!(server.get_failed().await.refusal().map(|refusal| refusal.class), Some(Class::RateLimited));
    assert_eq!(server.notes(), 0);
    server.shutdown().await;

    let server = faulty("any:*=429:7").await;
    assert_eq!(server.post_refused().await.retry_after, Some(RetryAfter::Seconds(7)));
    server.shutdown().await;

    let server = faulty("any:*=429:date:60").await;
    let before = jiff::Timestamp::now().as_millisecond();
    let refusal = server.post_refused().await;
    let Some(RetryAfter::At(at)) = refusal.retry_after else { panic!("{refusal:?}") };
    let later = at.0 - before;
    assert!((60_000..=90_000).contains(&later), "in {later} ms");
    server.shutdown().await;
}

#[tokio::test]
async fn a_server_that_fails_leaves_open_whether_the_post_was_applied() {
    for (rule, status, applied) in [
        ("any:*=500", 500, 0),
        ("any:*=500:after", 500, 2),
        ("any:*=502-html", 502, 0),
        ("any:*=502-html:after", 502, 2),
    ] {
        let server = faulty(rule).await;
        let Lost::ServerFailed(refusal) = server.post_lost().await else { panic!("{rule}") };
        assert_eq!((refusal.class, refusal.status), (Class::Server, status), "{rule}");
        assert_eq!(server.notes(), applied, "{rule}");
        let Failure::Refused(refusal) = server.get_failed().await else { panic!("{rule}") };
        assert_eq!((refusal.class, refusal.status), (Class::Server, status), "{rule}");
        server.shutdown().await;
    }
}

#[tokio::test]
async fn silence_is_a_lost_answer_whether_the_post_was_applied_or_not() {
    for (rule, applied) in [("any:1-2=timeout-before", 0), ("any:1-2=timeout-after", 2)] {
        let server = impatient(rule).await;
        assert_eq!(server.post_lost().await, Lost::TimedOut(IMPATIENT.total), "{rule}");
        assert_eq!(server.get_failed().await, Failure::Lost(Lost::TimedOut(IMPATIENT.total)), "{rule}");
        assert_eq!(server.notes(), applied, "{rule}");
        let window = server.pulled(Cursor::ZERO).await;
        assert_eq!(window.mutations.iter().filter(|m| m.kind == Kind::Note).count(), applied, "{rule}");
        let log = server.sandbox.log();
        assert_eq!(
            log.iter().map(|logged| logged.status).collect::<Vec<_>>(),
            [None, None, Some(200)],
            "{rule}"
        );
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_request_that_is_held_ends_with_the_sandbox() {
    for rule in ["post:*=timeout-before", "post:*=timeout-after", "post:*=timeout-before+slow:60000"] {
        let server = faulty(rule).await;
        let (client, since) = (server.client.clone(), server.head());
        let request = tokio::spawn(async move { client.post(since, &batch()).await });
        while server.sandbox.requests() == 0 {
            tokio::task::yield_now().await;
        }
        server.shutdown().await;
        let failure = request.await.expect("no panic").expect_err("no answer");
        assert!(matches!(failure, Failure::Lost(Lost::Broken(_))), "{rule}: {failure:?}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_lost_answer() {
    let server = faulty("any:*=reset-mid-body").await;
    let lost = server.post_lost().await;
    assert!(matches!(lost, Lost::Broken(_)), "{lost:?}");
    assert_eq!(server.notes(), 2);
    let failure = server.get_failed().await;
    assert!(matches!(failure, Failure::Lost(Lost::Broken(_))), "{failure:?}");
    server.shutdown().await;
}

#[tokio::test]
async fn half_of_the_body_arrives_before_a_real_reset() {
    let server = faulty("any:*=reset-mid-body").await;
    let mut stream = TcpStream::connect(server.sandbox.addr).await.expect("a connection");
    let request = "GET /v1/sync?mutationsSince=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Auth-Token: t\r\nX-Client-Id: c\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let error = stream.read_to_end(&mut answer).await.expect_err("no orderly end");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let text = String::from_utf8(answer).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    assert_eq!(length.parse::<usize>().expect("a number") / 2, body.len());
    assert!(body.starts_with(r#"{"success":true"#), "{body}");
    server.shutdown().await;
}

#[tokio::test]
async fn half_of_the_json_is_a_lost_answer() {
    let server = faulty("any:*=truncated").await;
    let lost = server.post_lost().await;
    assert!(matches!(lost, Lost::Garbage(_)), "{lost:?}");
    assert_eq!(server.notes(), 2);
    let failure = server.get_failed().await;
    assert!(matches!(failure, Failure::Lost(Lost::Garbage(_))), "{failure:?}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_slow_answer_is_an_answer_and_a_very_slow_one_is_lost_after_the_fact() {
    let server = faulty("post:*=slow:100+slow:100").await;
    let begun = Instant::now();
    server.post().await.expect("late is not never");
    assert!(begun.elapsed() >= Duration::from_millis(200));
    server.shutdown().await;

    let server = impatient("post:*=slow:60000").await;
    assert_eq!(server.post_lost().await, Lost::TimedOut(IMPATIENT.total));
    assert_eq!(server.notes(), 2);
    server.shutdown().await;
}

#[tokio::test]
async fn a_wrong_acknowledgement_names_the_mutation_in_doubt() {
    let [first, _] = batch();
    let collection = WireMutation {
        op: Op::Create,
        kind: Kind::Collection,
        resource_id: None,
        data: Payload::new(Text::new(String::from(r#"{"name":"a name"}"#))),
    };
    let sent = [first, collection];
    for (rule, index, doubt) in [
        ("post:*=ack-wrong-count", None, Doubt::Count { sent: 2, acknowledged: 1 }),
        ("post:*=ack-wrong-type", Some(0), Doubt::Op),
        ("post:*=ack-wrong-order", Some(0), Doubt::Kind),
    ] {
        let server = faulty(rule).await;
        let posted = server.client.post(server.head(), &sent).await.expect("a good answer");
        let error = ack::check(&sent, &posted.acknowledgements).expect_err(rule);
        assert_eq!((error.index, error.doubt), (index, doubt), "{rule}");
        assert_eq!(server.notes(), 1);
        server.shutdown().await;
    }
}

#[tokio::test]
async fn an_order_that_only_the_content_tells_is_seen() {
    let server = faulty("post:*=ack-wrong-order").await;
    let posted = server.post().await.expect("a good answer");
    let error = ack::check(&batch(), &posted.acknowledgements).expect_err("the other order");
    assert_eq!((error.index, error.doubt), (Some(0), Doubt::OfAnother));
    server.shutdown().await;
}

#[tokio::test]
async fn a_wrong_id_is_seen_where_the_id_is_known() {
    let server = faulty("post:*=ack-wrong-id").await;
    let posted = server.post().await.expect("a good answer");
    let acked = ack::check(&batch(), &posted.acknowledgements).expect("any id may be a new one's");
    let first = acked[0].resource_id.clone().expect("an id");
    assert!(server.sandbox.with_model(|model| model.state(&Kind::Note, &first)).is_none());

    let id = acked[1].resource_id.clone();
    let delete = [WireMutation { op: Op::Delete, kind: Kind::Note, resource_id: id, data: Payload::ABSENT }];
    let posted = server.client.post(posted.head, &delete).await.expect("a good answer");
    let error = ack::check(&delete, &posted.acknowledgements).expect_err("another id");
    assert_eq!((error.index, error.doubt), (Some(0), Doubt::IdDiffers));
    server.shutdown().await;
}

#[tokio::test]
async fn pages_that_shift_are_read_again_and_none_is_missing() {
    for rule in ["get:1=page-shift", "get:*=page-shift", "get:*=page-shift+race"] {
        let model = Scenario::by_name("big-queue").expect("a scenario").open(NOW).model;
        let server = faulty_with(rule, model, Timeouts::default()).await;
        let mut steps = Vec::new();
        let window = pull(&server.client, Some(Cursor::ZERO), |step| steps.push(step)).await;
        let window = window.unwrap_or_else(|error| panic!("{rule}: {error}"));
        assert!(steps.iter().any(|step| matches!(step, PullStep::CaughtUp { .. })), "{rule}: {steps:?}");
        let live = window.mutations.iter().filter(|mutation| mutation.op != Op::Delete).count();
        let held: usize =
            server.sandbox.with_model(|model| Kind::KNOWN.iter().map(|kind| model.live(kind).len()).sum());
        assert_eq!((live, &*window.warnings), (held, &[][..]), "{rule}");
        server.shutdown().await;
    }
    let server = faulty("get:*=page-shift").await;
    server.pulled(Cursor::ZERO).await;
    server.shutdown().await;
}

#[tokio::test]
async fn what_goes_wrong_adds_up() {
    let server = impatient("post:1=race+slow:50+timeout-after").await;
    let before = server.head();
    assert_eq!(server.post_lost().await, Lost::TimedOut(IMPATIENT.total));
    assert_eq!(server.notes(), 0, "the race was lost, and nobody was told");
    assert_eq!(server.pulled(before).await.mutations.len(), 1);
    server.shutdown().await;
}

#[tokio::test]
async fn the_log_names_the_faults_and_no_bodies() {
    let server = faulty("post:1=ack-wrong-count+truncated").await;
    server.post_lost().await;
    server.post().await.expect("on top of the new head");
    let log = server.sandbox.log();
    let faults: Vec<Vec<String>> =
        log.iter().map(|logged| logged.faults.iter().map(|fault| fault.to_string()).collect()).collect();
    assert_eq!(faults, [vec!["ack-wrong-count", "truncated"], vec![]]);
    assert!(!format!("{log:?}").contains("note\""));
    server.shutdown().await;
}
