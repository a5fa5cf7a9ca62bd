//! A request with which something goes wrong: what is done to it, in the order in which it happens.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::Value;

use super::super::connection::Breaker;
use super::super::fault::{Gateway, Instead, Loss, RetryAfter, Words, Write};
use super::super::meddle;
use super::super::refusal::{Reason, Refusal};
use super::{Arrival, Shared, read_body, read_mutations, respond};
use crate::domain::mutation::Millis;

/// What nginx shows for a backend that it cannot reach.
const BAD_GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
    <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

/// The answer; `None` where there is to be none.
pub(super) async fn serve(
    shared: &Shared,
    breaker: &Breaker,
    arrival: &Arrival,
    request: Request,
    next: Next,
) -> Option<Response> {
    let faults = &arrival.faults;
    let request = match others_write(shared, arrival, request).await {
        Ok(request) => request,
        Err(refusal) => return Some(respond(shared, arrival, Err(refusal))),
    };
    let request = match in_other_words(shared, arrival, request).await {
        Ok(request) => request,
        Err(refusal) => return Some(respond(shared, arrival, Err(refusal))),
    };
    let response = match faults.instead() {
        None => next.run(request).await,
        Some(instead) => {
            // The body is read, so that the connection stays good for the next request.
            let _ = read_body(request.into_body(), shared.options.idle).await;
            answer_instead(shared, arrival, instead).await?
        }
    };
    pause(shared, faults.delay()).await;
    match faults.loss() {
        None => Some(response),
        Some(Loss::Gateway(gateway)) => Some(failed(shared, arrival, gateway)),
        Some(Loss::Silence) => {
            shared.stopped().await;
            None
        }
        Some(Loss::Reset) => Some(reset_midway(response, breaker.clone()).await),
        Some(Loss::Truncated) => Some(truncated(response).await),
        Some(Loss::Refusal(status)) => Some(refused(shared, arrival, status)),
    }
}

/// Lets others write. They may want to know what is pushed, so the body is read for them and put back.
async fn others_write(shared: &Shared, arrival: &Arrival, request: Request) -> Result<Request, Refusal> {
    let writes: Vec<Write> = arrival.faults.writes().collect();
    let (request, pushed) = if writes.contains(&Write::Same) && request.method() == Method::POST {
        let (parts, body) = request.into_parts();
        let body = read_body(body, shared.options.idle).await?;
        // What is no list of mutations is refused later, by the one that refuses it always.
        let pushed = read_mutations(&body).unwrap_or_default();
        (Request::from_parts(parts, Body::from(body)), pushed)
    } else {
        (request, Vec::<Value>::new())
    };
    for write in writes {
        meddle::write(&mut shared.model(), write, shared.now(), arrival.number, &pushed);
    }
    Ok(request)
}

/// Puts what a POST creates into the server's own words.
async fn in_other_words(shared: &Shared, arrival: &Arrival, request: Request) -> Result<Request, Refusal> {
    let words: Vec<Words> = arrival.faults.words().collect();
    if words.is_empty() || request.method() != Method::POST {
        return Ok(request);
    }
    let (mut parts, body) = request.into_parts();
    let text = read_body(body, shared.options.idle).await?;
    let Ok(mut body) = serde_json::from_str::<Value>(&text) else {
        return Ok(Request::from_parts(parts, Body::from(text)));
    };
    for mutation in body["mutations"].as_array_mut().into_iter().flatten() {
        for words in &words {
            meddle::put(*words, mutation);
        }
    }
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Request::from_parts(parts, Body::from(body.to_string())))
}

/// What is said in the server's place; `None` where nobody says anything.
async fn answer_instead(shared: &Shared, arrival: &Arrival, instead: Instead) -> Option<Response> {
    Some(match instead {
        Instead::OutOfSync => {
            let message = "The data is out of sync. Please get the latest mutations before sending yours.";
            respond(shared, arrival, Err(Refusal::new(Reason::OutOfSync, message)))
        }
        Instead::Unauthorized => {
            let message = "The access token has expired";
            respond(shared, arrival, Err(Refusal::new(Reason::Unauthorized, message)))
        }
        Instead::RateLimited(after) => {
            let refusal = Refusal::new(Reason::RateLimited, "Too many requests, please try again later");
            let mut response = respond(shared, arrival, Err(refusal));
            if let Some(after) = after.and_then(|after| retry_after(after, shared.now())) {
                response.headers_mut().insert(RETRY_AFTER, after);
            }
            response
        }
        Instead::Gateway(gateway) => failed(shared, arrival, gateway),
        Instead::Silence => {
            shared.stopped().await;
            return None;
        }
    })
}

/// `Retry-After`. A date has no fractions of a second and is rounded up.
fn retry_after(after: RetryAfter, now: Millis) -> Option<HeaderValue> {
    match after {
        RetryAfter::Seconds(seconds) => Some(HeaderValue::from(seconds)),
        RetryAfter::Date(seconds) => {
            let second = now.0.saturating_add(999).div_euclid(1000).saturating_add(i64::from(seconds));
            let date = jiff::Timestamp::from_second(second).ok()?;
            let text = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date).ok()?;
            HeaderValue::from_str(&text).ok()
        }
    }
}

/// What a gateway hands on that tried the POST twice.
fn refused(shared: &Shared, arrival: &Arrival, status: u16) -> Response {
    let reason = match status {
        401 => Reason::Unauthorized,
        403 => Reason::Forbidden,
        404 => Reason::NotFound,
        409 => Reason::OutOfSync,
        413 => Reason::TooLarge,
        422 => Reason::Validation,
        429 => Reason::RateLimited,
        _ => Reason::Malformed,
    };
    let mut response = respond(shared, arrival, Err(Refusal::new(reason, "A gateway tried it twice")));
    if let Ok(status) = StatusCode::from_u16(status) {
        *response.status_mut() = status;
    }
    response
}

fn failed(shared: &Shared, arrival: &Arrival, gateway: Gateway) -> Response {
    match gateway {
        Gateway::InternalError => {
            respond(shared, arrival, Err(Refusal::new(Reason::Internal, "Internal server error")))
        }
        Gateway::Html => {
            let mut response = (StatusCode::BAD_GATEWAY, BAD_GATEWAY).into_response();
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
            response
        }
    }
}

/// Waits, at most until the sandbox stops.
async fn pause(shared: &Shared, delay: Duration) {
    if !delay.is_zero() {
        let _: Result<(), _> = tokio::time::timeout(delay, shared.stopped()).await;
    }
}

/// Half of the body is sent, then the connection is reset; the length promised is that of the whole.
async fn reset_midway(response: Response, breaker: Breaker) -> Response {
    let (mut parts, body) = whole(response).await;
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let half = body.slice(..body.len() / 2);
    let break_off = stream::once(async move {
        // What was sent has to be on its way before the connection is gone.
        tokio::task::yield_now().await;
        breaker.reset();
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    let halves = futures_util::StreamExt::chain(stream::iter([Ok(half)]), break_off);
    Response::from_parts(parts, Body::from_stream(halves))
}

/// Half of the body, as if it were all of it.
async fn truncated(response: Response) -> Response {
    let (mut parts, body) = whole(response).await;
    parts.headers.remove(CONTENT_LENGTH);
    let mut half = body.len() / 2;
    // A character stays whole: what is broken is the JSON.
    while half > 0 && body.get(half).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {
        half -= 1;
    }
    Response::from_parts(parts, Body::from(body.slice(..half)))
}

async fn whole(response: Response) -> (axum::http::response::Parts, Bytes) {
    let (parts, body) = response.into_parts();
    // The body was made here, in memory; reading it cannot fail.
    (parts, axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default())
}
