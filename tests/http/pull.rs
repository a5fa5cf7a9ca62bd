//! The pull against servers that page, shift, refuse, and never end.

use unstick::domain::ack;
use unstick::domain::answer::Class;
use unstick::domain::json::Text;
use unstick::domain::mutation::{Cursor, Kind, Millis, Op, Payload, WireMutation};
use unstick::domain::whole::Gap;
use unstick::domain::window::{PullPath, PullStep, Window};
use unstick::sandbox::http::{Options, Sandbox};
use unstick::sandbox::scenario::Scenario;
use unstick::server::{Failure, PullError, Timeouts, pull};

use super::canned::{Canned, Reply, Request, answer, bytes, client_at, json};

/// A page with the notes `ids`, each written at its own number.
fn page(head: i64, ids: impl IntoIterator<Item = i64>, facts: &str) -> Reply {
    json(page_body(head, ids, facts))
}

fn page_body(head: i64, ids: impl IntoIterator<Item = i64>, facts: &str) -> String {
    let note = |id: i64| {
        format!(r#"{{"type":"UPDATE","resource":"NOTE","resourceId":"n{id}","data":{{}},"timestamp":{id}}}"#)
    };
    let notes = ids.into_iter().map(note).collect::<Vec<_>>().join(",");
    format!(r#"{{"success":true,"data":{{"lastMutationAt":{head},"mutations":[{notes}]{facts}}}}}"#)
}

const MORE: &str = r#","hasMore":true"#;
const LAST: &str = r#","hasMore":false"#;

/// Pulls from a server that answers with `reply`; says the targets asked for and the steps told.
async fn pulled(
    cursor: Option<i64>,
    reply: impl FnMut(&Request) -> Reply + Send + 'static,
) -> (Result<Window, PullError>, Vec<String>, Vec<PullStep>) {
    let server = Canned::start(reply).await;
    let mut steps = Vec::new();
    let window = pull(&server.client(), cursor.map(Cursor::read), |step| steps.push(step)).await;
    let asked = server.requests().iter().map(|r| r.target().replace("/auth/v1/sync?", "")).collect();
    (window, asked, steps)
}

fn ids(window: &Window) -> Vec<i64> {
    window.mutations.iter().map(|mutation| mutation.timestamp.0).collect()
}

#[tokio::test]
async fn all_pages_are_read_and_every_step_is_told() {
    let (window, asked, steps) = pulled(Some(1), |request| match request.query("page") {
        Some("1") => page(9, [7, 3], r#","hasMore":true,"total":3,"limit":2,"page":1"#),
        _ => page(9, [5], LAST),
    })
    .await;
    let window = window.expect("a window");
    assert_eq!(asked, ["mutationsSince=1&limit=1000&page=1", "mutationsSince=1&limit=1000&page=2"]);
    assert_eq!(ids(&window), [3, 5, 7]);
    assert_eq!((window.path, window.head), (PullPath::SinceCursor, Cursor::read(9)));
    let told: Vec<_> = steps.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "GET mutations since 1, page 1",
            "page 1: 2 mutations of 3, head 9, more to come",
            "GET mutations since 1, page 2",
            "page 2: 1 mutation, head 9",
            "the head stayed 9 on all pages",
        ]
    );
}

#[tokio::test]
async fn a_header_that_differs_is_a_warning_and_the_body_counts() {
    let (window, ..) =
        pulled(Some(1), |_| answer(200, &[("X-Mutation-At", "12")], page_body(9, [], LAST))).await;
    let window = window.expect("a window");
    assert_eq!(window.head, Cursor::read(9));
    assert!(window.warnings[0].contains("X-Mutation-At says 12, the body says 9"), "{:?}", window.warnings);
}

#[tokio::test]
async fn a_write_between_two_pages_begins_the_pull_again() {
    let mut requests = 0;
    let (window, asked, steps) = pulled(Some(1), move |request| {
        requests += 1;
        match (request.query("page"), requests) {
            (Some("1"), 1) => page(9, [3, 4], MORE),
            // A write to n3 moved it to the end and shifted n4 and n5 to where page 2 does not show n5.
            (Some("1"), _) => page(12, [4, 5], MORE),
            _ => page(12, [12], LAST),
        }
    })
    .await;
    assert_eq!(ids(&window.expect("a window")), [4, 5, 12]);
    assert_eq!(asked.len(), 4);
    let moved = PullStep::HeadMoved { first: Cursor::read(9), now: Cursor::read(12), tries: 1 };
    assert!(steps.contains(&moved), "{steps:?}");
    assert!(steps.contains(&PullStep::HeadStable(Cursor::read(12))), "{steps:?}");
}

/// The page of a server that counts, and on which n3 was written at 12.
fn counted(head: i64, ids: impl IntoIterator<Item = i64>, total: usize, more: bool) -> Reply {
    let body = page_body(head, ids, &format!(r#","total":{total},"hasMore":{more}"#));
    json(body.replace(r#""n12""#, r#""n3""#))
}

#[tokio::test]
async fn where_the_server_counts_a_write_between_two_pages_costs_a_look_at_what_is_new() {
    let (window, asked, steps) = pulled(Some(1), |request| {
        match (request.query("mutationsSince"), request.query("page")) {
            (Some("1"), Some("1")) => counted(9, [3, 4], 4, true),
            // n10 is new; nothing has shifted.
            (Some("1"), Some("2")) => counted(10, [5, 9], 5, true),
            (Some("1"), _) => counted(10, [10], 5, false),
            // And another one before it was asked.
            _ => counted(11, [10, 11], 2, false),
        }
    })
    .await;
    let window = window.expect("a window");
    assert_eq!((ids(&window), window.head), (vec![3, 4, 5, 9, 10, 11], Cursor::read(11)));
    assert_eq!(asked.len(), 4);
    assert_eq!(steps.last(), Some(&PullStep::CaughtUp { first: Cursor::read(9), now: Cursor::read(11) }));
}

#[tokio::test]
async fn where_the_server_counts_a_resource_that_slipped_away_is_fetched() {
    let mut requests = 0;
    let (window, asked, steps) = pulled(Some(1), move |request| {
        requests += 1;
        match (requests, request.query("mutationsSince"), request.query("page")) {
            (1, ..) => counted(9, [3, 4], 4, true),
            // n3 was written again and went to the end: n5 slipped to page 1.
            (_, Some("1"), Some("1")) => counted(12, [4, 5], 4, true),
            (_, Some("1"), _) => counted(12, [9, 12], 4, false),
            _ => counted(12, [12], 1, false),
        }
    })
    .await;
    assert_eq!(ids(&window.expect("a window")), [4, 5, 9, 12]);
    let pages: Vec<_> = asked
        .iter()
        .map(|target| target.replace("mutationsSince=", "").replace("&limit=1000&page=", "/"))
        .collect();
    assert_eq!(pages, ["1/1", "1/2", "9/1", "1/1", "9/1"]);
    assert_eq!(steps.last(), Some(&PullStep::CaughtUp { first: Cursor::read(9), now: Cursor::read(12) }));
}

#[tokio::test]
async fn where_something_is_missing_all_the_same_the_pull_begins_again() {
    let mut requests = 0;
    let (window, asked, steps) = pulled(Some(1), move |request| {
        requests += 1;
        match (requests, request.query("page")) {
            (1, _) => counted(9, [3, 4], 5, true),
            (2, _) => counted(12, [9, 12], 5, false),
            (4, _) => counted(12, [4, 5], 5, true),
            (3 | 5, _) => counted(12, [12], 1, false),
            (_, Some("1")) => counted(12, [4, 5, 6], 5, true),
            _ => counted(12, [9, 12], 5, false),
        }
    })
    .await;
    assert_eq!(ids(&window.expect("a window")), [4, 5, 6, 9, 12]);
    assert_eq!(asked.len(), 7);
    let moved = PullStep::HeadMoved { first: Cursor::read(9), now: Cursor::read(12), tries: 1 };
    assert!(steps.contains(&moved), "{steps:?}");
}

#[tokio::test]
async fn a_head_that_never_rests_is_an_error() {
    let mut head = 9;
    let (window, asked, _) = pulled(Some(1), move |_| {
        head += 1;
        page(head, [head], MORE)
    })
    .await;
    assert!(matches!(window, Err(PullError::Restless { tries: 5, .. })), "{window:?}");
    assert_eq!(asked.len(), 10);
}

#[tokio::test]
async fn a_server_that_repeats_a_page_is_stopped() {
    let (window, asked, _) = pulled(Some(1), |_| page(9, [3, 4], MORE)).await;
    let repeats = Gap::Repeats { page: 2 };
    assert!(matches!(window, Err(PullError::NotWhole { gap, tries: 3 }) if gap == repeats), "{window:?}");
    assert_eq!(asked.len(), 6);
}

/// Answers of a server that leaves something out, by page.
type Leaving = fn(&str) -> Reply;

/// What is left out, and what the error says of it.
const LEAVING: [(Leaving, &str); 10] = [
    (|_| page(9, [3], r#","total":2"#), "the server counts 2 mutations, and 1 came: 1 is missing"),
    (
        |_| page(9, [3], r#","total":3,"hasMore":false"#),
        "the server counts 3 mutations, and 1 came: 2 are missing",
    ),
    (
        |_| page(9, [], r#","total":1,"hasMore":false"#),
        "the server counts 1 mutation, and 0 came: 1 is missing",
    ),
    (|_| page(9, [], MORE), "page 1 is empty, and the server says that more follow"),
    (|number| if number == "1" { page(9, [3], MORE) } else { page(9, [], MORE) }, "page 2 is empty"),
    (|_| page(9, [3], r#","page":2"#), "page 1 was asked for, and the answer says that it is page 2"),
    (
        |number| if number == "1" { page(9, [3], MORE) } else { page(9, [4], r#","page":1"#) },
        "page 2 was asked for",
    ),
    (
        |number| if number == "1" { page(9, [3, 4], MORE) } else { page(9, [4, 5], LAST) },
        "came on an earlier page",
    ),
    (
        |_| json(r#"{"success":true,"data":{"lastMutationAt":9,"hasMore":false}}"#),
        "without its list of mutations",
    ),
    (
        |number| match number {
            "1" => page(9, [3], MORE),
            _ => json(r#"{"success":true,"data":{"lastMutationAt":9,"mutations":null,"hasMore":false}}"#),
        },
        "page 2 came without its list of mutations",
    ),
];

#[tokio::test]
async fn a_pull_that_is_not_whole_is_made_again_and_then_refused() {
    for (answers, said) in LEAVING {
        let leaving = move |request: &Request| answers(request.query("page").unwrap_or_default());
        for cursor in [Some(1), None] {
            let (window, _, steps) = pulled(cursor, move |request| match request.query("metadataOnly") {
                Some(_) => json(r#"{"success":true,"data":{"lastMutationAt":9}}"#),
                None => leaving(request),
            })
            .await;
            let error = window.expect_err(said);
            assert!(matches!(error, PullError::NotWhole { tries: 3, .. }), "{error}");
            assert!(error.to_string().contains(said), "{error}");
            assert!(error.next_step().contains("cursor stays where it was"));
            let again = steps.iter().filter(|step| matches!(step, PullStep::NotWhole { .. })).count();
            assert_eq!(again, 2, "{steps:?}");
        }
        // A server that was wrong once is believed when it is right.
        let mut goes = 0;
        let (window, ..) = pulled(Some(1), move |request| {
            goes += u32::from(request.query("page") == Some("1"));
            if goes == 1 { leaving(request) } else { page(9, [3, 4, 5], r#","total":3,"hasMore":false"#) }
        })
        .await;
        assert_eq!(ids(&window.expect(said)), [3, 4, 5]);
    }
}

#[tokio::test]
async fn what_is_left_out_while_the_head_moves_is_not_taken_for_caught_up() {
    let (window, ..) = pulled(Some(1), |request| {
        match (request.query("mutationsSince"), request.query("page")) {
            (Some("1"), Some("1")) => counted(9, [3, 4], 4, true),
            (Some("1"), _) => counted(10, [5, 9], 4, false),
            // Something is new, and it does not come.
            _ => counted(10, [], 1, false),
        }
    })
    .await;
    assert!(matches!(window, Err(PullError::Restless { .. })), "{window:?}");
}

#[tokio::test]
async fn a_server_that_drips_is_left_when_the_time_for_the_pull_is_over() {
    let timeouts = Timeouts { pull: std::time::Duration::from_millis(300), ..Timeouts::default() };
    let server = Canned::start(|request| match request.query("page") {
        Some("1") => page(9, [3, 4], MORE),
        _ => Reply::Stall(bytes(200, &[], b"{", 9)),
    })
    .await;
    let window = pull(&server.client_with(timeouts), Some(Cursor::read(1)), |_| {}).await;
    let error = window.expect_err("too slow");
    assert_eq!(error.to_string(), "the pull was not done within 0.3 s: 1 page with 2 mutations came");
    assert!(error.next_step().contains("--timeout"));
}

#[tokio::test]
async fn an_endless_chain_of_pages_is_stopped() {
    let mut next = 0;
    let (window, ..) = pulled(Some(1), move |_| {
        next += 1;
        page(9, [next], MORE)
    })
    .await;
    let error = window.expect_err("no end");
    assert!(matches!(error, PullError::Endless { pages: 2000, .. }), "{error}");
    assert!(error.next_step().contains("--server"));
}

#[tokio::test]
async fn without_a_cursor_the_head_is_asked_for_first_and_then_everything() {
    let (window, asked, steps) = pulled(None, |request| match request.query("metadataOnly") {
        Some(_) => json(r#"{"success":true,"data":{"lastMutationAt":9}}"#),
        None => page(9, [3], LAST),
    })
    .await;
    let window = window.expect("a window");
    assert_eq!(asked, ["mutationsSince=0&metadataOnly=true", "mutationsSince=0&limit=1000&page=1"]);
    assert_eq!((window.path, window.since), (PullPath::LostCursor, Cursor::ZERO));
    assert_eq!(
        steps[..3],
        [PullStep::AskedHead, PullStep::Head(Cursor::read(9)), PullStep::Path(PullPath::LostCursor)]
    );
}

#[tokio::test]
async fn a_cursor_that_the_head_has_not_reached_pulls_everything() {
    let (window, asked, steps) = pulled(Some(50), |request| match request.query("mutationsSince") {
        Some("0") => page(9, [3], LAST),
        _ => page(9, [], LAST),
    })
    .await;
    let window = window.expect("a window");
    assert_eq!((window.path, window.since, ids(&window)), (PullPath::CursorAhead, Cursor::ZERO, vec![3]));
    assert_eq!(asked.len(), 2);
    assert!(steps.contains(&PullStep::Path(PullPath::CursorAhead)));
}

#[tokio::test]
async fn a_get_that_is_refused_as_out_of_sync_pulls_everything() {
    let (window, ..) = pulled(Some(50), |request| match request.query("mutationsSince") {
        Some("0") => page(99, [3], LAST),
        _ => answer(409, &[], r#"{"success":false,"error":{"code":"OutOfSyncError","message":"stale"}}"#),
    })
    .await;
    assert_eq!(window.expect("a window").path, PullPath::RefusedSince);

    let (window, asked, _) = pulled(Some(0), |_| answer(409, &[], "{}")).await;
    assert!(matches!(window, Err(PullError::Page { failure: Failure::Refused(_), .. })), "{window:?}");
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn an_account_without_history_is_on_its_first_sync() {
    for cursor in [None, Some(0), Some(-1)] {
        let (window, asked, steps) =
            pulled(cursor, |_| json(r#"{"success":true,"data":{"lastMutationAt":-1}}"#)).await;
        let window = window.expect("a window");
        assert_eq!((window.path, window.head), (PullPath::FirstSync, Cursor::FIRST_SYNC));
        assert!(steps.contains(&PullStep::Path(PullPath::FirstSync)));
        assert!(asked.iter().all(|target| target.contains("mutationsSince=0")), "{asked:?}");
    }
}

#[tokio::test]
async fn a_refused_page_says_which_and_what_to_do() {
    let (window, ..) = pulled(Some(1), |request| match request.query("page") {
        Some("1") => page(9, [3], MORE),
        _ => answer(401, &[], r#"{"message":"expired","type":"unauthorized","success":false}"#),
    })
    .await;
    let error = window.expect_err("refused");
    assert_eq!(error.to_string(), "GET of page 2 since 1: the server refused: 401 unauthorized: expired");
    assert!(error.next_step().contains("UNSTICK_TOKEN"));
}

#[tokio::test]
async fn a_page_that_goes_wrong_is_asked_for_again_and_the_others_are_not() {
    let failures: [fn() -> Reply; 6] = [
        || answer(206, &[("Content-Range", "bytes 0-1/9")], page_body(9, [], LAST)),
        || answer(500, &[], "{}"),
        || answer(429, &[("Retry-After", "0")], "{}"),
        || Reply::Cut(Vec::new()),
        || Reply::Cut(bytes(200, &[], b"{", 9)),
        || json("{"),
    ];
    for failure in failures {
        let mut requests = 0;
        let (window, asked, steps) = pulled(Some(1), move |request| {
            requests += 1;
            match (request.query("page"), requests) {
                (Some("1"), _) => page(9, [3, 4], MORE),
                (_, 2) => failure(),
                _ => page(9, [5], LAST),
            }
        })
        .await;
        assert_eq!(ids(&window.expect("a window")), [3, 4, 5]);
        assert_eq!(asked.len(), 3);
        assert!(matches!(steps[3], PullStep::Waiting { .. }), "{steps:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_get_well_is_given_up() {
    let (window, asked, _) = pulled(Some(1), |_| answer(503, &[], "")).await;
    assert!(matches!(window, Err(PullError::Page { .. })), "{window:?}");
    assert_eq!(asked.len(), 4);
    let (window, asked, _) = pulled(None, |_| answer(503, &[], "")).await;
    assert!(matches!(window, Err(PullError::Head(_))), "{window:?}");
    assert_eq!(asked.len(), 4);
}

#[tokio::test]
async fn what_will_not_pass_is_told_at_once() {
    let failures: [fn() -> Reply; 4] = [
        || answer(403, &[], "{}"),
        || answer(422, &[], "{}"),
        || answer(429, &[("Retry-After", "11")], "{}"),
        || json(r#"{"success":true,"data":[]}"#),
    ];
    for failure in failures {
        let (window, asked, _) = pulled(Some(1), move |_| failure()).await;
        assert!(matches!(window, Err(PullError::Page { .. })), "{window:?}");
        assert_eq!(asked.len(), 1);
    }
}

#[tokio::test]
async fn kinds_that_the_token_cannot_see_are_not_called_missing() {
    let server = Canned::start(|_| page(9, [], LAST)).await;
    let endpoint = unstick::server::Endpoint::parse(&format!("http://{}", server.address)).expect("loopback");
    let token = unstick::server::Token::read(&"scopes:sync,note".into(), "the test").expect("a token");
    let client = unstick::server::Client::new(endpoint, &token, "test-client").expect("a client");
    let window = pull(&client, Some(Cursor::read(1)), |_| {}).await.expect("a window");
    assert_eq!(window.not_visible, [Kind::Bookmark, Kind::Collection, Kind::Link, Kind::ReadingSession]);
}

#[tokio::test]
async fn every_scenario_of_the_sandbox_is_pulled_and_can_be_written_to() {
    for scenario in Scenario::list() {
        let name = scenario.name;
        let opened = scenario.open(Millis(1_770_000_000_000));
        let device: serde_json::Value = serde_json::from_str(&opened.device_file()).expect("a device file");
        let cursor = device["sync"]["lastMutationAt"].as_i64().map(Cursor::read);
        let sandbox = Sandbox::start(opened.model, Options::default()).await.expect("a free port");
        let address = sandbox.url().trim_start_matches("http://").parse().expect("an address");
        let client = client_at(address, Timeouts::default());

        let window = pull(&client, cursor, |_| {}).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(window.head, sandbox.with_model(|model| model.head()), "{name}");
        assert_eq!(window.path, PullPath::of(cursor, window.head), "{name}");
        assert_eq!((window.unreadable.len(), &*window.warnings), (0, &[][..]), "{name}");

        let data =
            Payload::new(Text::new(String::from(r#"{"body":"long enough","ranges":["2:255-2:255"]}"#)));
        let note = [WireMutation { op: Op::Create, kind: Kind::Note, resource_id: None, data }];
        let posted = client.post(window.head, &note).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let acked =
            ack::check(&note, &posted.acknowledgements).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(acked[0].resource_id.is_some() && posted.head > window.head, "{name}");
        let again = client.post(window.head, &note).await.expect_err("the head moved");
        assert_eq!(again.refusal().map(|refusal| refusal.class), Some(Class::OutOfSync), "{name}");
    }
}
