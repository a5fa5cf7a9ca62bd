//! A push against a server that never gets well: it ends within a bounded number of steps, says how, and keeps the
//! queue. Lost answers, refusals and a moving head are counted in a row; progress begins a new row.

use std::sync::Arc;

use unstick::domain::answer::{Refusal, ResponseHead, read_page, read_post};
use unstick::domain::device::Device;
use unstick::domain::inspect::inspect;
use unstick::domain::json::Text;
use unstick::domain::mutation::{Cursor, Kind, Millis, Op, Payload, Queued};
use unstick::domain::push::{Do, End, Got, Options, Outcome, Planned, Posted, PullFault, Push};
use unstick::domain::resolution::Resolution;
use unstick::domain::window::{PullPath, Window, assemble};

const NOW: Millis = Millis(1_790_000_000_000);

/// A device with `count` new notes, in step with the server.
fn device(count: usize) -> Device {
    let note = |number: usize| Queued {
        id: format!("q{number}").into(),
        op: Op::Create,
        kind: Kind::Note,
        resource_id: None,
        data: Payload::new(Text::new(format!(r#"{{"body":"note {number}","ranges":["1:1-1:1"]}}"#))),
        base: Payload::ABSENT,
        created_at: Some(NOW),
        retry_count: 0,
        last_error: None,
    };
    let mut device = Device { queue: (0..count).map(note).collect(), ..Device::default() };
    device.sync.cursor = Some(Cursor::read(NOW.0));
    device
}

fn window(since: Cursor, head: Cursor) -> Window {
    let body =
        format!(r#"{{"success":true,"data":{{"lastMutationAt":{head},"mutations":[],"hasMore":false}}}}"#);
    let page = read_page(&ResponseHead::ok(), &Text::new(body), 1).expect("a page");
    assemble(PullPath::SinceCursor, since, head, vec![page])
}

fn refused(status: u16, retry_after: Option<&str>) -> Refusal {
    let head = ResponseHead { status, retry_after: retry_after.map(str::to_owned), ..ResponseHead::ok() };
    let code = if status == 409 { "OutOfSyncError" } else { "x" };
    Refusal::read(&head, &format!(r#"{{"success":false,"error":{{"code":"{code}","message":"no"}}}}"#))
}

/// What a push of `count` notes comes to, and how long it was made to wait in all, ms.
fn pushed(
    count: usize,
    mut posted: impl FnMut(usize, Cursor, usize) -> Posted,
    mut pulled: impl FnMut(Cursor) -> Pulled,
) -> (Outcome, Vec<u64>) {
    let device = Arc::new(device(count));
    let since = device.sync.cursor.expect("in step");
    let inspection = Arc::new(inspect(device, Arc::new(window(since, since))));
    let mut push = Push::new(Planned::new(inspection, Resolution::default(), NOW), Options::default(), NOW);
    let (mut step, mut posts, mut waits) = (push.start(), 0, Vec::new());
    for _ in 0..1000 {
        let got = match step {
            Do::Journal(_) => Got::Journaled,
            Do::Wait { ms } => {
                waits.push(ms);
                Got::Waited
            }
            Do::Post { head, mutations } => {
                posts += 1;
                Got::Posted(posted(posts, head, mutations.len()))
            }
            Do::Pull { since } => Got::Pulled(pulled(since)),
            Do::Authorize(_) => Got::Authorized(true),
            Do::Finish(outcome) => return (*outcome, waits),
        };
        step = push.got(got, NOW);
    }
    panic!("the push does not end");
}

type Pulled = Result<Window, PullFault>;

/// Nothing is new, and the head is where it was.
const STILL: fn(Cursor) -> Pulled = |since| Ok(window(since, since));

/// Nothing is new, and the head has moved on.
const MOVED: fn(Cursor) -> Pulled = |since| Ok(window(since, Cursor::read(since.value() + 1)));

fn lost() -> Posted {
    Posted::Lost(String::from("no answer"))
}

#[test]
fn answers_that_are_always_lost_end_the_push_and_leave_nothing_in_doubt() {
    for pulled in [STILL, MOVED] {
        let (outcome, waits) = pushed(3, |_, _, _| lost(), pulled);
        assert!(matches!(&outcome.end, End::Unreachable(why) if why == "no answer"), "{:?}", outcome.end);
        assert_eq!((outcome.posts, outcome.device.queue.len()), (6, 3));
        assert_eq!(waits, [200, 500, 1250, 3125, 7812]);
    }
}

#[test]
fn an_answer_that_is_lost_before_a_pull_that_fails_is_in_doubt() {
    let failing = |_| Err(PullFault::Failed(String::from("reset")));
    let (outcome, _) = pushed(3, |_, _, _| lost(), failing);
    let End::Unknown { in_doubt, .. } = &outcome.end else { panic!("{:?}", outcome.end) };
    assert_eq!((in_doubt.len(), outcome.device.queue.len()), (3, 3));
}

#[test]
fn a_head_that_always_moves_ends_the_push() {
    for pulled in [STILL, MOVED] {
        let (outcome, _) = pushed(3, |_, _, _| Posted::Refused(refused(409, None)), pulled);
        assert!(matches!(outcome.end, End::HeadKeepsMoving), "{:?}", outcome.end);
        assert_eq!(outcome.device.queue.len(), 3);
    }
}

#[test]
fn a_409_without_a_reason_is_looked_into_and_another_reason_ends_the_push() {
    let without = || Refusal::read(&ResponseHead { status: 409, ..ResponseHead::ok() }, "{\"success\":fal");
    let (outcome, waits) = pushed(3, |_, _, _| Posted::Refused(without()), MOVED);
    assert!(matches!(outcome.end, End::Refused(_)), "{:?}", outcome.end);
    assert_eq!((outcome.posts, waits.len(), outcome.device.queue.len()), (6, 5, 3));
    let body = r#"{"success":false,"error":{"code":"VersionConflict","message":"no"}}"#;
    let other = || Refusal::read(&ResponseHead { status: 409, ..ResponseHead::ok() }, body);
    let (outcome, _) = pushed(3, |_, _, _| Posted::Refused(other()), MOVED);
    assert_eq!((outcome.posts, outcome.device.queue.len()), (1, 3));
}

#[test]
fn whoever_gets_on_may_meet_any_number_of_races() {
    let take = |head: Cursor, count: usize| {
        let entry = |at: usize| {
            format!(r#"{{"type":"CREATE","resource":"NOTE","resourceId":"{head}-{at}","timestamp":{head}}}"#)
        };
        let entries: Vec<_> = (0..count).map(entry).collect();
        let body = format!(
            r#"{{"success":true,"data":{{"lastMutationAt":{},"mutations":[{}]}}}}"#,
            head.value() + 1,
            entries.join(",")
        );
        Posted::Answer(read_post(&ResponseHead::ok(), &Text::new(body)).expect("an answer"))
    };
    // Every batch is refused five times first: 20 batches, 100 refusals.
    let posted = |post: usize, head, count| {
        if post.is_multiple_of(6) { take(head, count) } else { Posted::Refused(refused(409, None)) }
    };
    let (outcome, _) = pushed(2000, posted, MOVED);
    assert!(matches!(outcome.end, End::Done), "{:?}", outcome.end);
    assert_eq!((outcome.posts, outcome.sent.len(), outcome.device.queue.len()), (120, 2000, 0));
}

#[test]
fn a_server_that_always_asks_to_wait_is_given_the_time_it_asks_for_and_then_left_alone() {
    for (header, wait) in [(Some("7"), 7000), (Some("120"), 120_000)] {
        let (outcome, waits) = pushed(3, |_, _, _| Posted::Refused(refused(429, header)), STILL);
        assert!(matches!(outcome.end, End::Refused(_)), "{:?}", outcome.end);
        assert_eq!((waits, outcome.device.queue.len()), (vec![wait; 5], 3));
    }
    let (_, waits) = pushed(3, |_, _, _| Posted::Refused(refused(429, None)), STILL);
    assert_eq!(waits, [200, 500, 1250, 3125, 7812]);
}

#[test]
fn whoever_asks_for_more_patience_than_there_is_gets_no_second_request() {
    let (outcome, waits) = pushed(3, |_, _, _| Posted::Refused(refused(429, Some("121"))), STILL);
    assert!(matches!(outcome.end, End::Refused(_)), "{:?}", outcome.end);
    assert_eq!((outcome.posts, waits.len(), outcome.device.queue.len()), (1, 0, 3));
}

#[test]
fn a_pull_that_is_asked_to_wait_waits_as_well() {
    let mut pulls = 0;
    let pulled = |since| {
        pulls += 1;
        if pulls == 1 { Err(PullFault::Refused(refused(429, Some("9")))) } else { STILL(since) }
    };
    let (_, waits) = pushed(3, |_, _, _| Posted::Refused(refused(409, None)), pulled);
    assert_eq!(waits[0], 9000);
}

#[test]
fn a_server_that_cannot_be_reached_is_tried_a_few_times() {
    let (outcome, waits) = pushed(3, |_, _, _| Posted::NotSent(String::from("refused")), STILL);
    assert!(matches!(outcome.end, End::Unreachable(_)), "{:?}", outcome.end);
    assert_eq!((waits.len(), outcome.device.queue.len()), (5, 3));
}
