//! One call, one outcome. The outcome says what is known: answered, refused, surely not sent, or lost on the way
//! back. Neither the token nor a body is in any error or log line.

use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, Response, redirect, retry};

use super::endpoint::{Endpoint, authority};
use super::mask::Mask;
use super::token::Token;
use super::wire;
use crate::domain::answer::{
    AnswerError, Class, Garbage, Page, PostAnswer, Refusal, ResponseHead, read_page, read_post,
};
use crate::domain::json::Text;
use crate::domain::mutation::{Cursor, Kind, WireMutation};
use crate::error::InputError;

/// How large an answer may be, bytes, counted after it was decompressed.
pub const MAX_BODY: usize = 64 * 1024 * 1024;

/// How long a call may take. A total timeout that struck while still connecting would look like a lost answer, so
/// `connect` has to be well below `total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// From the beginning to the last byte of the answer.
    pub total: Duration,
    /// From the first request of a pull to the last page, with all that is asked again.
    pub pull: Duration,
}

impl Timeouts {
    /// Those that hold where nothing is said.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(10),
        total: Duration::from_mins(1),
        pull: Duration::from_mins(2),
    };
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why a call has no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The request never left this machine, or no connection ever stood: the server has not seen it.
    #[error("the request was not sent: {0}")]
    NotSent(String),
    /// The server answered, and said no.
    #[error("the server refused: {0}")]
    Refused(Refusal),
    /// The request may have arrived and there is no answer that tells. A POST may have been applied.
    #[error("{0}")]
    Lost(Lost),
}

/// Why it cannot be told what the server did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// No complete answer in time.
    #[error("no complete answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The connection broke, or the answer broke off.
    #[error("the connection broke before the answer was complete: {0}")]
    Broken(String),
    /// The answer is larger than [`MAX_BODY`].
    #[error("the answer is larger than {} MiB", MAX_BODY / 1024 / 1024)]
    TooLarge,
    /// The status says yes, the body cannot be understood.
    #[error(transparent)]
    Garbage(Garbage),
    /// The server or its gateway failed, at a moment that is not known.
    #[error("the server failed: {0}")]
    ServerFailed(Refusal),
}

impl Failure {
    /// The refusal, where the server said one.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) | Self::Lost(Lost::ServerFailed(refusal)) => Some(refusal),
            Self::NotSent(_)
            | Self::Lost(Lost::TimedOut(_) | Lost::Broken(_) | Lost::TooLarge | Lost::Garbage(_)) => None,
        }
    }

    /// What to do next after a POST, one sentence.
    pub fn next_step(&self) -> String {
        match self {
            Self::NotSent(_) => String::from("Nothing was sent: check the network and --server, then retry."),
            Self::Refused(refusal) => refusal.next_step(),
            Self::Lost(_) => String::from(
                "Whether it was applied is not known: pull and look which mutations arrived before any is sent again.",
            ),
        }
    }
}

/// A sync server as one device's user. Clones share the connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoint: Arc<Endpoint>,
    timeouts: Timeouts,
    app: String,
    not_visible: Vec<Kind>,
    user: Option<String>,
    mask: Arc<Mask>,
}

impl Client {
    /// Sets the client up; takes some milliseconds, for the system's certificates.
    pub fn new(endpoint: Endpoint, token: &Token, client_id: &str) -> Result<Self, InputError> {
        Self::with_timeouts(endpoint, token, client_id, Timeouts::default())
    }

    /// The same, with timeouts of one's own.
    pub fn with_timeouts(
        endpoint: Endpoint,
        token: &Token,
        client_id: &str,
        timeouts: Timeouts,
    ) -> Result<Self, InputError> {
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("unstick/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers(token, client_id)?)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            // Many servers close an idle connection after 5 s, and a POST that meets it would look lost.
            .pool_idle_timeout(Duration::from_secs(4))
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total);
        if endpoint.is_loopback() {
            // A proxy would be another machine, and plain http needs no certificates.
            builder = builder.no_proxy().tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| InputError::Unsupported {
            file: String::from("the HTTP client"),
            reason: format!("cannot be set up ({})", reason(&error)),
            next: String::from("Install the system's CA certificates (package ca-certificates)."),
        })?;
        let (app, not_visible) = (client_id.to_owned(), token.not_visible());
        Ok(Self {
            http,
            endpoint: Arc::new(endpoint),
            timeouts,
            app,
            not_visible,
            user: token.user(),
            mask: Arc::new(token.mask()),
        })
    }

    /// The same server with another token.
    pub fn with_token(&self, token: &Token) -> Result<Self, InputError> {
        let mut client =
            Self::with_timeouts(Endpoint::clone(&self.endpoint), token, &self.app, self.timeouts)?;
        // The server may still quote the one before.
        client.mask = Arc::new(Mask::clone(&client.mask).and(&self.mask));
        Ok(client)
    }

    /// The user of the token, where it says so.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The server it speaks to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How long a pull may take, all pages and all that is asked again.
    pub const fn patience(&self) -> Duration {
        self.timeouts.pull
    }

    /// The kinds that the token cannot see, where that is known.
    pub fn not_visible(&self) -> &[Kind] {
        &self.not_visible
    }

    /// `GET`: page `number` of the mutations since the cursor.
    pub async fn page(&self, since: Cursor, number: u32) -> Result<Page, Failure> {
        let url = wire::page_url(self.endpoint.sync(), since, number);
        tracing::info!(method = "GET", path = url.path(), since = since.value(), page = number, "asks");
        let (head, body) = self.call(self.http.get(url)).await?;
        let page = read_page(&head, &body, number).map_err(|error| self.failed(error));
        match &page {
            Ok(page) => tracing::info!(mutations = page.mutations.len(), head = page.head.value(), "a page"),
            Err(failure) => tracing::warn!(?failure, "no page"),
        }
        page
    }

    /// `GET` with `metadataOnly=true`: the head alone.
    pub async fn head(&self) -> Result<Page, Failure> {
        let url = wire::head_url(self.endpoint.sync());
        tracing::info!(method = "GET", path = url.path(), "asks for the head");
        let (head, body) = self.call(self.http.get(url)).await?;
        let page = read_page(&head, &body, 1).map_err(|error| self.failed(error));
        match &page {
            Ok(page) => tracing::info!(head = page.head.value(), "the head"),
            Err(failure) => tracing::warn!(?failure, "no head"),
        }
        page
    }

    /// `POST`: the mutations, on top of `head`. A 5xx is a lost answer: a gateway fails before, while and after the
    /// server behind it does its work.
    pub async fn post(&self, head: Cursor, mutations: &[WireMutation]) -> Result<PostAnswer, Failure> {
        let body = wire::post_body(mutations)
            .map_err(|_| Failure::NotSent(String::from("a mutation's data is not valid JSON")))?;
        let url = wire::post_url(self.endpoint.sync(), head);
        let (head_sent, count, bytes) = (head.value(), mutations.len(), body.len());
        tracing::info!(
            method = "POST",
            path = url.path(),
            head = head_sent,
            mutations = count,
            bytes,
            "sends"
        );
        let (head, body) = self.call(self.http.post(url).body(body)).await?;
        let answer = read_post(&head, &body).map_err(|error| match self.failed(error) {
            Failure::Refused(refusal) if refusal.class == Class::Server => {
                Failure::Lost(Lost::ServerFailed(refusal))
            }
            failure => failure,
        });
        match &answer {
            Ok(answer) => {
                let count = answer.acknowledgements.len();
                tracing::info!(acknowledged = count, head = answer.head.value(), "acknowledged");
            }
            Err(failure) => tracing::warn!(?failure, "not acknowledged"),
        }
        answer
    }

    async fn call(&self, request: RequestBuilder) -> Result<(ResponseHead, Text), Failure> {
        let begun = Instant::now();
        let mut response = request.send().await.map_err(|error| self.failure(&error))?;
        let head = self.response_head(&response);
        let body = self.body(&mut response).await;
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (status, request_id) = (head.status, head.request_id.as_deref());
        match &body {
            Ok(body) => tracing::info!(status, bytes = body.len(), ms, request_id, "answered"),
            Err(failure) => tracing::warn!(status, ?failure, ms, request_id, "answered in part"),
        }
        // A refusal whose body broke off is still a refusal.
        let body = if response.status().is_success() { body? } else { body.unwrap_or_default() };
        match String::from_utf8(body) {
            Ok(body) if response.status().is_success() => Ok((head, Text::new(self.mask.body(body)))),
            Ok(body) => Ok((head, Text::new(body))),
            Err(error) if response.status().is_success() => {
                let size = error.as_bytes().len();
                Err(Failure::Lost(Lost::Broken(format!("the answer of {size} bytes is not UTF-8"))))
            }
            Err(error) => Ok((head, Text::new(String::from_utf8_lossy(error.as_bytes()).into_owned()))),
        }
    }

    async fn body(&self, response: &mut Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Failure::Lost(self.lost(&error)))? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(Failure::Lost(Lost::TooLarge));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn response_head(&self, response: &Response) -> ResponseHead {
        let text = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let redirected = response.status().is_redirection();
        let target = text("location").filter(|_| redirected);
        let target = target.and_then(|location| self.endpoint.sync().join(&location).ok());
        self.mask.head(ResponseHead {
            status: response.status().as_u16(),
            content_type: text("content-type"),
            request_id: text("x-request-id"),
            retry_after: text("retry-after"),
            mutation_at: text("x-mutation-at"),
            redirect_host: target.as_ref().map(authority),
        })
    }

    /// Only what failed before a connection stood is surely not sent; all else may have arrived.
    fn failure(&self, error: &reqwest::Error) -> Failure {
        let failure = if error.is_builder() {
            Failure::NotSent(reason(error))
        } else if error.is_connect() {
            let why = if error.is_timeout() {
                format!("no connection within {} s", self.timeouts.connect.as_secs_f32())
            } else {
                reason(error)
            };
            Failure::NotSent(format!("cannot connect to {}: {why}", authority(self.endpoint.sync())))
        } else {
            Failure::Lost(self.lost(error))
        };
        tracing::warn!(?failure, "no answer");
        failure
    }

    /// Why an answer is no good one. Whatever of the server's words is kept is kept without the token.
    fn failed(&self, error: AnswerError) -> Failure {
        let words = |text: String| self.mask.words(&text).into_owned();
        match error {
            AnswerError::Refused(refusal) => Failure::Refused(self.mask.refusal(refusal)),
            AnswerError::Garbage(Garbage::Syntax { line, column, reason, description }) => {
                let (reason, description) = (words(reason), words(description));
                Failure::Lost(Lost::Garbage(Garbage::Syntax { line, column, reason, description }))
            }
            AnswerError::Garbage(garbage @ (Garbage::Shape { .. } | Garbage::Status(_))) => {
                Failure::Lost(Lost::Garbage(garbage))
            }
        }
    }

    fn lost(&self, error: &reqwest::Error) -> Lost {
        if error.is_timeout() { Lost::TimedOut(self.timeouts.total) } else { Lost::Broken(reason(error)) }
    }
}

fn headers(token: &Token, client_id: &str) -> Result<HeaderMap, InputError> {
    let mut headers = HeaderMap::new();
    for (name, value) in token.headers() {
        headers.insert(name, value);
    }
    let id = HeaderValue::from_str(client_id.trim()).ok().filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| InputError::Unsupported {
        file: String::from("--client-id"),
        reason: String::from("is empty or holds characters that no header can carry"),
        next: String::from("Give the client id of the app whose device this is."),
    })?;
    headers.insert("x-client-id", id);
    // On a GET too: so does the phone (PROTOCOL A1).
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    Ok(headers)
}

/// The innermost reason of an error, which holds neither URL nor body.
fn reason(error: &reqwest::Error) -> String {
    let mut inner = error.source();
    while let Some(next) = inner.and_then(std::error::Error::source) {
        inner = Some(next);
    }
    inner.map_or_else(|| String::from("the request could not be made"), ToString::to_string)
}
