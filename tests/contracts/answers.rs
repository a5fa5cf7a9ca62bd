//! Every answer of `http.json`: what is good is read, what is refused is classified.

use serde_json::Value;
use unstick::domain::answer::{AnswerError, Refusal, ResponseHead, read_page, read_post};
use unstick::domain::json::Text;
use unstick::domain::mutation::Cursor;
use unstick::domain::window::PullPath;
use unstick::server::recorded;

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("../fixtures/cases/http.json")).expect("the cases are JSON")
}

fn head(response: &Value) -> ResponseHead {
    let header = |name: &str| {
        let headers = response["headers"].as_object()?;
        let (_, value) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        value.as_str().map(str::to_owned)
    };
    ResponseHead {
        status: response["status"].as_u64().and_then(|n| u16::try_from(n).ok()).expect("a status"),
        content_type: header("content-type"),
        request_id: header("x-request-id"),
        retry_after: header("retry-after"),
        mutation_at: header("x-mutation-at"),
        redirect_host: None,
    }
}

/// The body's text; a case writes a body that is not JSON as a string.
fn body(response: &Value) -> String {
    response["body"].as_str().map_or_else(|| response["body"].to_string(), str::to_owned)
}

#[test]
fn answers_are_read_and_refusals_classified() {
    for case in cases() {
        let name = case["name"].as_str().expect("a name");
        let (head, body) = (head(&case["response"]), body(&case["response"]));
        let expect = &case["expect"];
        if expect["ok"] == true {
            good_answer(name, &head, body, expect);
        } else {
            let text = Text::new(body);
            let error = match case["method"].as_str() {
                Some("GET") => read_page(&head, &text, 1).err(),
                _ => read_post(&head, &text).err(),
            };
            match error {
                Some(AnswerError::Refused(refusal)) => refused(name, &refusal, expect),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn the_sample_recording_is_a_window() {
    let text = include_str!("../fixtures/device/device-sample.pull.json");
    let cursor = Cursor::read(1_769_900_000_000);
    let window = recorded(text.to_owned(), "device-sample.pull.json", Some(cursor)).expect("a window");
    assert_eq!((window.path, window.since), (PullPath::SinceCursor, cursor));
    assert_eq!(window.head, Cursor::read(1_770_050_000_012));
    assert_eq!((window.mutations.len(), window.unreadable.len()), (12, 0));
    assert_eq!(window.warnings, [""; 0]);
}

fn good_answer(name: &str, head: &ResponseHead, body: String, expect: &Value) {
    let page = read_page(head, &Text::new(body), 1).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(page.warnings, [""; 0], "{name}");
    assert_eq!(Some(page.head.value()), expect["lastMutationAt"].as_i64(), "{name}");
    if let Some(header) = &head.mutation_at {
        assert_eq!(page.header_head.map(|head| head.to_string()).as_ref(), Some(header), "{name}");
    }
    if let Some(first) = expect["firstSync"].as_bool() {
        assert_eq!(page.head == Cursor::FIRST_SYNC, first, "{name}");
    }
    if let Some(more) = expect["hasMore"].as_bool() {
        assert_eq!(page.has_more, Some(more), "{name}");
    }
    if expect.get("mutations").is_some_and(Value::is_null) {
        assert_eq!(page.entries(), 0, "{name}");
    }
}

fn refused(name: &str, refusal: &Refusal, expect: &Value) {
    assert_eq!(Some(refusal.class.name()), expect["class"].as_str(), "{name}");
    assert_eq!(refusal.first_sync, expect["firstSync"].as_bool().unwrap_or_default(), "{name}");
    if let Some(code) = expect.get("code") {
        assert_eq!(refusal.code.as_deref(), code.as_str(), "{name}");
    }
    if let Some(message) = expect["message"].as_str() {
        assert_eq!(refusal.message, message, "{name}");
    }
    if let Some(id) = expect.get("requestId") {
        assert_eq!(refusal.request_id.as_deref(), id.as_str(), "{name}");
    }
    let index = expect["mutationIndex"].as_u64().and_then(|n| usize::try_from(n).ok());
    assert_eq!(refusal.mutation_index, index, "{name}");
}
