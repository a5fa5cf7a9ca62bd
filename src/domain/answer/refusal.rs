//! A refusal: every error shape of the server (PROTOCOL A4) as one type that keeps code, message, status and
//! request id, and says what to do next.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::json::Json;
use super::super::mutation::Millis;
use super::ResponseHead;

/// How much of a server's own words is kept, in characters: enough for any documented message.
const MAX_MESSAGE: usize = 500;
/// How much of a code or a request id is kept, in characters.
const MAX_NAME: usize = 120;
/// How much of a gateway page's title is kept, in characters.
const MAX_TITLE: usize = 80;
/// Where a gateway page's title is looked for, in bytes from its beginning.
const TITLE_WITHIN: usize = 64 * 1024;

/// What kind of refusal it is; decides what happens next (DESIGN §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A 2xx whose body says `success: false`.
    Rejected,
    /// 400: the request was not understood.
    BadRequest,
    /// 401: the token is missing, expired or of another environment.
    Unauthorized,
    /// 403: the token lacks a scope or is of another environment.
    Forbidden,
    /// 404: the call or a resource is unknown.
    NotFound,
    /// 409 `OutOfSyncError`: the head moved.
    OutOfSync,
    /// 409 with any other code; the head is not what is wrong.
    ConflictOther,
    /// 422: a mutation breaks a rule.
    Validation,
    /// 429: too many requests.
    RateLimited,
    /// 5xx: the server or its gateway failed.
    Server,
    /// Anything else, a redirect for instance.
    Other,
}

impl Class {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::BadRequest => "badRequest",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "notFound",
            Self::OutOfSync => "outOfSync",
            Self::ConflictOther => "conflictOther",
            Self::Validation => "validation",
            Self::RateLimited => "rateLimited",
            Self::Server => "server",
            Self::Other => "other",
        }
    }

    fn of(status: u16, code: Option<&str>) -> Self {
        match status {
            200..=299 => Self::Rejected,
            400 => Self::BadRequest,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 if code == Some("OutOfSyncError") => Self::OutOfSync,
            409 => Self::ConflictOther,
            422 => Self::Validation,
            429 => Self::RateLimited,
            500..=599 => Self::Server,
            _ => Self::Other,
        }
    }
}

/// When to ask again, as `Retry-After` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so many seconds.
    Seconds(u64),
    /// Not before this moment.
    At(Millis),
}

impl RetryAfter {
    /// Reads either form of the header; `None` where it is neither.
    pub fn read(header: &str) -> Option<Self> {
        let text = header.trim();
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self::Seconds(text.parse().unwrap_or(u64::MAX)));
        }
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Self::At(Millis(date.as_millisecond())))
    }

    /// How long to wait when it is `now`.
    pub fn wait(self, now: Millis) -> Duration {
        match self {
            Self::Seconds(seconds) => Duration::from_secs(seconds),
            Self::At(at) => Duration::from_millis(at.0.saturating_sub(now.0).try_into().unwrap_or(0)),
        }
    }
}

/// The server said no. Shown, it tells what happened; its debug form leaves the server's words out, because they
/// may quote a payload, and is what logs take.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind it is.
    pub class: Class,
    /// The server's code: `OutOfSyncError`, `ValidationError`, or the flat shape's `type`.
    pub code: Option<String>,
    /// The server's message, or a description of an answer that has none.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// The id under which the server's operators find the request.
    pub request_id: Option<String>,
    /// The mutation that the server names as the culprit, counted from 0 within the POST.
    pub mutation_index: Option<usize>,
    /// Whether this 409 asks for `lastMutationAt=-1` because it takes the sync for the account's first one.
    pub first_sync: bool,
    /// When the server wants to be asked again.
    pub retry_after: Option<RetryAfter>,
}

impl Refusal {
    /// Reads a refusal from an answer of any status and any body. The documented shapes are searched in the order
    /// of PROTOCOL A4; of what is none of them only type, size and title are kept, never the text.
    pub fn read(head: &ResponseHead, body: &str) -> Self {
        let outer = Said::read(body);
        let own = outer.error.and_then(Said::within);
        let wrapped = outer.details.and_then(Said::within).and_then(|details| details.error);
        let wrapped = wrapped.and_then(Said::within);
        let (own, wrapped) = (own.unwrap_or_default(), wrapped.unwrap_or_default());

        let code = [wrapped.code, own.code, outer.kind, outer.error].into_iter().find_map(words);
        let message = [wrapped.message, own.message, outer.message].into_iter().find_map(words);
        let request_id = words(outer.request_id).or_else(|| head.request_id.clone());

        let code = code.map(|code| shortened(&code, MAX_NAME));
        let class = Class::of(head.status, code.as_deref());
        let mutation_index = message.as_deref().and_then(culprit);
        let first_sync = class == Class::OutOfSync && message.as_deref().is_some_and(asks_for_first_sync);
        let message = match (message, &head.redirect_host) {
            (Some(message), _) => shortened(&message, MAX_MESSAGE),
            (None, Some(host)) => format!("redirected to {}; not followed", shortened(host, MAX_NAME)),
            (None, None) => format!("the answer names no reason ({})", description(head, body)),
        };
        Self {
            class,
            code,
            message,
            status: head.status,
            request_id: request_id.map(|id| shortened(&id, MAX_NAME)),
            mutation_index,
            first_sync,
            retry_after: head.retry_after.as_deref().and_then(RetryAfter::read),
        }
    }

    /// What to do next, one sentence.
    pub fn next_step(&self) -> String {
        let fixed = match self.class {
            Class::Rejected => {
                "The server answered 200 but says that it failed: pull again and look at what it holds before retrying."
            }
            Class::BadRequest => {
                "The server did not understand the request: check --server and --client-id, then give the request id to its operators."
            }
            Class::Unauthorized => {
                "Put a fresh token of the same environment (pre-live or production) into UNSTICK_TOKEN or --token-file and retry; nothing is lost."
            }
            Class::Forbidden => {
                "Use a token of the same environment with the scope sync and those of the kinds to be sent (bookmark, collection, note, reading_session; links need bookmark and collection)."
            }
            Class::NotFound => {
                "Either --server is not a sync server or a resource is unknown to it: check the URL and the account, pull again, and re-create what was deleted elsewhere."
            }
            Class::OutOfSync if self.first_sync => {
                "The server takes this for the account's first sync: pull again, and if the head is -1 retry once with -1."
            }
            Class::OutOfSync => {
                "Another client wrote in the meantime: pull the changes since the cursor, look at what they touch, and retry with the new head."
            }
            Class::ConflictOther => {
                "This conflict is not about the cursor, so retrying will not solve it: read the code and the message, and ask the server's operators with the request id."
            }
            Class::Validation if self.mutation_index.is_some() => {
                "The named mutation breaks a rule of the server: mend it or set it aside, the rest can go on."
            }
            Class::Validation => {
                "One of the mutations breaks a rule of the server: send them in halves until the culprit is found, and set it aside."
            }
            Class::RateLimited => return self.wait_step("Too many requests"),
            Class::Server => return self.wait_step("The server or its gateway failed"),
            Class::Other if self.redirect() => {
                "The token is not sent to another address: give --server the final address if it is to be trusted."
            }
            Class::Other => "Check --server, then give status and request id to the server's operators.",
        };
        fixed.to_owned()
    }

    fn wait_step(&self, why: &str) -> String {
        let when = match self.retry_after {
            Some(RetryAfter::Seconds(seconds)) => format!("wait {seconds} s"),
            Some(RetryAfter::At(at)) => format!("wait until {}", at.to_iso()),
            None => String::from("wait a moment"),
        };
        format!("{why}: {when}, then retry; pull first, to see whether anything was applied.")
    }

    const fn redirect(&self) -> bool {
        self.status >= 300 && self.status < 400
    }
}

/// `409 OutOfSyncError: message (request id)`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        write!(f, ": {}", self.message)?;
        self.request_id.as_ref().map_or(Ok(()), |id| write!(f, " (request {id})"))
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("class", &self.class)
            .field("status", &self.status)
            .field("code", &self.code)
            .field("request_id", &self.request_id)
            .field("mutation_index", &self.mutation_index)
            .field("first_sync", &self.first_sync)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Refusal {}

/// The members that an error body may have on any of its levels.
#[derive(Default, Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    details: Option<&'a RawValue>,
    #[serde(borrow, rename = "requestId")]
    request_id: Option<&'a RawValue>,
}

impl<'a> Said<'a> {
    fn read(text: &'a str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    fn within(value: &'a RawValue) -> Option<Self> {
        value.get().starts_with('{').then(|| Self::read(value.get()))
    }
}

/// The text of a string that says something.
fn words(value: Option<&RawValue>) -> Option<String> {
    match Json::parse(value?.get()) {
        Json::String(text) if !text.trim().is_empty() => Some(text),
        _ => None,
    }
}

fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The index in `… at mutation[3]`, also written `mutations[3]`.
fn culprit(message: &str) -> Option<usize> {
    message.split("mutation").skip(1).find_map(|rest| {
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        rest.strip_prefix('[')?.split_once(']')?.0.parse().ok()
    })
}

fn asks_for_first_sync(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("first sync") || message.contains("lastmutationat=-1")
}

/// What an answer is that has no meaning here: type, size and, of an HTML page, its title.
pub(super) fn description(head: &ResponseHead, body: &str) -> String {
    let kind = head.content_type.as_deref().and_then(media_type).unwrap_or("no content type");
    let title = title(body).map_or(String::new(), |title| format!(", titled “{title}”"));
    format!("{kind}, {} bytes{title}", body.len())
}

/// The media type without parameters, where it looks like one.
fn media_type(header: &str) -> Option<&str> {
    let kind = header.split(';').next().unwrap_or_default().trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/+-.".contains(c);
    (!kind.is_empty() && kind.len() <= MAX_TITLE && kind.chars().all(plain)).then_some(kind)
}

/// The title of an HTML page, without markup and control characters, shortened.
fn title(body: &str) -> Option<String> {
    let start = &body[..body.floor_char_boundary(TITLE_WITHIN)];
    if !start.trim_start().starts_with('<') {
        return None;
    }
    // ASCII case folding keeps every byte offset.
    let folded = start.to_ascii_lowercase();
    let open = folded.find("<title")?;
    let from = open + folded[open..].find('>')? + 1;
    let to = from + folded[from..].find("</title")?;
    let mut plain = String::new();
    let mut in_tag = false;
    for c in start[from..to].chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if in_tag => {}
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    (!plain.is_empty()).then(|| shortened(&plain, MAX_TITLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal::read(&ResponseHead { status, ..ResponseHead::default() }, body)
    }

    #[test]
    fn the_three_shapes_say_the_same() {
        for body in [
            r#"{"success":false,"error":{"code":"OutOfSyncError","message":"stale"}}"#,
            r#"{"message":"stale","type":"OutOfSyncError","success":false}"#,
            r#"{"message":"Conflict","type":"conflict","success":false,"requestId":"r-1",
                "details":{"success":false,"error":{"code":"OutOfSyncError","message":"stale","details":{}}}}"#,
        ] {
            let refusal = refusal(409, body);
            assert_eq!(refusal.class, Class::OutOfSync);
            assert_eq!(refusal.code.as_deref(), Some("OutOfSyncError"));
            assert_eq!(refusal.message, "stale");
        }
    }

    #[test]
    fn the_request_id_of_the_body_goes_before_that_of_the_header() {
        let head =
            ResponseHead { status: 500, request_id: Some(String::from("h")), ..ResponseHead::default() };
        assert_eq!(Refusal::read(&head, r#"{"requestId":"b"}"#).request_id.as_deref(), Some("b"));
        assert_eq!(Refusal::read(&head, "{}").request_id.as_deref(), Some("h"));
    }

    #[test]
    fn nothing_of_a_page_that_is_not_json_is_kept_but_its_title() {
        let head = ResponseHead {
            status: 502,
            content_type: Some(String::from("text/html; charset=utf-8")),
            ..ResponseHead::default()
        };
        let refusal = Refusal::read(
            &head,
            "<HTML><head><TITLE lang=en>\n 502 <b>Bad</b>\u{1b} Gateway</TITLE></head>private words</HTML>",
        );
        assert_eq!(refusal.class, Class::Server);
        assert_eq!(
            refusal.message,
            "the answer names no reason (text/html, 87 bytes, titled “502 Bad Gateway”)"
        );
        assert_eq!(refusal.code, None);
    }

    #[test]
    fn any_body_is_a_refusal() {
        let long = format!("<title>{}</title>", "ص".repeat(500));
        for body in ["", "null", "[]", "[1", "{", "\u{0}", "<title", "<title>", r#"{"error":[]}"#, &long] {
            for status in [0, 100, 200, 302, 418, 500, 999] {
                assert!(refusal(status, body).message.chars().count() <= 160, "{status}");
            }
        }
        assert_eq!(refusal(401, r#"{"error":"invalid_token"}"#).code.as_deref(), Some("invalid_token"));
    }

    #[test]
    fn the_culprit_is_read_wherever_it_is_named() {
        assert_eq!(culprit("Missing data at mutation[12]"), Some(12));
        assert_eq!(culprit("mutation body: \"mutations[3].data.body\" is required"), Some(3));
        for message in ["Invalid mutations", "mutation[]", "mutation[x]", "mutation[1", "mutation[-1]"] {
            assert_eq!(culprit(message), None, "{message}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(RetryAfter::read(" 120 "), Some(RetryAfter::Seconds(120)));
        let date = RetryAfter::read("Mon, 02 Feb 2026 00:00:00 GMT");
        assert_eq!(date, Some(RetryAfter::At(Millis(1_769_990_400_000))));
        assert_eq!(date.map(|at| at.wait(Millis(1_769_990_399_000))), Some(Duration::from_secs(1)));
        assert_eq!(date.map(|at| at.wait(Millis(1_769_990_401_000))), Some(Duration::ZERO));
        for bad in ["", "soon", "-1", "1.5"] {
            assert_eq!(RetryAfter::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_class_says_what_to_do_next() {
        for status in [200, 400, 401, 403, 404, 409, 422, 429, 502, 302, 418] {
            assert!(refusal(status, "").next_step().ends_with('.'), "{status}");
        }
        assert!(refusal(403, "").next_step().contains("reading_session"));
        let mut limited = refusal(429, "");
        limited.retry_after = Some(RetryAfter::Seconds(30));
        assert!(limited.next_step().contains("wait 30 s"));
    }

    #[test]
    fn debug_output_leaves_the_servers_words_out() {
        let refusal = refusal(422, r#"{"message":"\"body\" with value \"private\" is bad"}"#);
        assert!(!format!("{refusal:?}").contains("private"));
        assert!(refusal.to_string().contains("private"));
    }
}
