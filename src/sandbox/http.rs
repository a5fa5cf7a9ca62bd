//! The model behind real HTTP on the loopback interface: headers, bodies, statuses and the error shapes.
//!
//! Everything the protocol decides is [`Model`]'s; here stands only what HTTP adds. It runs on the runtime of the
//! caller, also on one of a single thread.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as Parameters, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use futures_util::StreamExt;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::exact;
use super::model::{Caller, Model};
use super::query::{self, Query};
use super::refusal::{Reason, Refusal, Shape};
use super::scopes::Scopes;
use crate::domain::json::Json;
use crate::domain::mutation::{Cursor, Millis};

/// The largest body that is read, bytes: 100 notes of 10,000 characters fit, even with each written `\uXXXX`.
const MAX_BODY: usize = 8 << 20;
/// How much of a larger body is thrown away so that its sender lives to read the 413, bytes.
const MAX_DRAINED: usize = 64 << 20;
/// How many requests the log remembers.
const MAX_LOGGED: usize = 10_000;
/// How long a stop waits for requests under way.
const STOP_WITHIN: Duration = Duration::from_secs(2);

const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const CLIENT_ID: HeaderName = HeaderName::from_static("x-client-id");
const MUTATION_AT: HeaderName = HeaderName::from_static("x-mutation-at");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where the time comes from, ms.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// How the sandbox is served.
#[derive(Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 is any that is free.
    pub port: u16,
    /// In which shape errors are answered.
    pub shape: Shape,
    /// The server's clock.
    pub clock: Clock,
}

impl Default for Options {
    /// A free port, the documented shapes, the system's clock.
    fn default() -> Self {
        let clock = Arc::new(|| Millis(jiff::Timestamp::now().as_millisecond()));
        Self { port: 0, shape: Shape::Documented, clock }
    }
}

/// A request that was answered. Bodies are people's private notes and are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its number, from 1, in the order of arrival.
    pub number: u64,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The status of the answer.
    pub status: u16,
}

/// The embedded server.
pub struct Sandbox;

impl Sandbox {
    /// Serves `model` on the loopback interface until [`Running::shutdown`], or until the answer is dropped.
    ///
    /// # Errors
    /// Where the port cannot be had.
    pub async fn start(model: Model, options: Options) -> io::Result<Running> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared { model: Mutex::new(model), log: Mutex::default(), options });
        let (stop, stopped) = oneshot::channel();
        let served = axum::serve(listener, router(Arc::clone(&shared))).with_graceful_shutdown(async {
            // A dropped sender is a stop too.
            let _: Result<(), _> = stopped.await;
        });
        let task = tokio::spawn(served.into_future());
        Ok(Running { addr, shared, stop, task })
    }
}

/// A sandbox that is being served.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Running {
    /// The base URL, without a slash at its end; the sync path under it is `/v1/sync`, or `/auth/v1/sync` as in the
    /// real API.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Looks into the served model or changes it, between two requests.
    pub fn with_model<T>(&self, what: impl FnOnce(&mut Model) -> T) -> T {
        what(&mut self.shared.model())
    }

    /// The requests so far, the last 10,000, by number.
    pub fn log(&self) -> Vec<Logged> {
        let mut log: Vec<_> = locked(&self.shared.log).answered.iter().cloned().collect();
        log.sort_by_key(|logged| logged.number);
        log
    }

    /// Stops: takes no more connections, lets requests under way finish for two seconds, then cuts them off.
    pub async fn shutdown(self) {
        drop(self.stop);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(STOP_WITHIN, self.task).await.is_err() {
            abort.abort();
        }
    }
}

struct Shared {
    model: Mutex<Model>,
    log: Mutex<Log>,
    options: Options,
}

#[derive(Default)]
struct Log {
    arrived: u64,
    answered: VecDeque<Logged>,
}

impl Shared {
    fn model(&self) -> MutexGuard<'_, Model> {
        locked(&self.model)
    }
}

/// A panic while the lock was held stops nobody: the model is changed as a whole or not at all.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the seam knows of a request, for the handlers behind it.
#[derive(Clone)]
struct RequestId(String);

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/sync", get(pull).post(push))
        .route("/auth/v1/sync", get(pull).post(push))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), seam))
        .with_state(shared)
}

/// Every request passes here once on its way in and once on its way out: it is numbered and logged. This is where
/// a fault script does its work: before `next` (refuse, write as another device, delay), instead of it (garbage, a
/// cut connection), or after it (apply and lose the answer, change its headers).
async fn seam(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let number = {
        let mut log = locked(&shared.log);
        log.arrived += 1;
        log.arrived
    };
    let method = request.method().to_string();
    let target = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let asked = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let id = asked.unwrap_or_else(|| format!("sandbox-{number}"));
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let mut log = locked(&shared.log);
    if log.answered.len() == MAX_LOGGED {
        log.answered.pop_front();
    }
    log.answered.push_back(Logged { number, method, target, status: response.status().as_u16() });
    response
}

type QueryList = Result<Parameters<Vec<(String, String)>>, QueryRejection>;

async fn pull(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    parameters: QueryList,
) -> Response {
    let answer = || {
        let caller = caller(&headers)?;
        let query = Query::read(&read_parameters(parameters)?)?;
        shared.model().get(&query, caller.scopes)
    };
    respond(&shared, &id, answer().map(|page| (page.head, page.to_json())))
}

async fn push(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    parameters: QueryList,
    body: Body,
) -> Response {
    // The body is read whatever the headers say, so that the connection stays good for the next request.
    let body = read_body(body).await;
    let answer = || {
        let caller = caller(&headers)?;
        let head = last_mutation_at(&read_parameters(parameters)?)?;
        let mutations = read_mutations(&body?)?;
        shared.model().post((shared.options.clock)(), caller, head, &mutations)
    };
    respond(&shared, &id, answer().map(|applied| (applied.head, applied.to_json())))
}

async fn no_such_path(State(shared): State<Arc<Shared>>, Extension(id): Extension<RequestId>) -> Response {
    respond(&shared, &id, Err(Refusal::new(Reason::NotFound, "There is no such path")))
}

async fn no_such_method(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    method: Method,
    uri: Uri,
) -> Response {
    let message = format!("{method} is not allowed on {}", uri.path());
    respond(&shared, &id, Err(Refusal::new(Reason::MethodNotAllowed, message)))
}

fn respond(shared: &Shared, id: &RequestId, answer: Result<(Cursor, Value), Refusal>) -> Response {
    let (status, head, body) = match answer {
        Ok((head, body)) => (StatusCode::OK, Some(head), body),
        Err(refusal) => {
            let status =
                StatusCode::from_u16(refusal.reason.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, None, refusal.body(shared.options.shape, &id.0))
        }
    };
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    if let Some(head) = head {
        headers.insert(MUTATION_AT, HeaderValue::from(head.value()));
    }
    response
}

/// Who calls, by the two headers of PROTOCOL A1.
fn caller(headers: &HeaderMap) -> Result<Caller<'_>, Refusal> {
    let given = |name: HeaderName| {
        let value = headers.get(&name).and_then(|value| value.to_str().ok()).map(str::trim);
        let message = || format!("The header {name} is missing");
        value.filter(|value| !value.is_empty()).ok_or_else(|| Refusal::new(Reason::Unauthorized, message()))
    };
    let token = given(AUTH_TOKEN)?;
    Ok(Caller { client: given(CLIENT_ID)?, scopes: Scopes::of_token(token) })
}

fn read_parameters(parameters: QueryList) -> Result<Vec<(String, String)>, Refusal> {
    match parameters {
        Ok(Parameters(list)) => Ok(list),
        Err(_) => Err(Refusal::new(Reason::Malformed, "The query cannot be read")),
    }
}

fn last_mutation_at(parameters: &[(String, String)]) -> Result<Cursor, Refusal> {
    match parameters.iter().rfind(|(name, _)| name == "lastMutationAt") {
        Some((_, text)) => query::cursor(text)
            .ok_or_else(|| Refusal::new(Reason::Malformed, "\"lastMutationAt\" cannot be read")),
        None => Err(Refusal::validation("\"lastMutationAt\" is required")),
    }
}

async fn read_body(body: Body) -> Result<String, Refusal> {
    let mut chunks = body.into_data_stream();
    let (mut kept, mut seen) = (Vec::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::new(Reason::Malformed, "The body ended early"))?;
        seen = seen.saturating_add(chunk.len());
        if seen <= MAX_BODY {
            kept.extend_from_slice(&chunk);
        } else if seen > MAX_DRAINED {
            break;
        }
    }
    if seen > MAX_BODY {
        return Err(Refusal::new(Reason::TooLarge, format!("The body is larger than {MAX_BODY} bytes")));
    }
    String::from_utf8(kept).map_err(|_| Refusal::new(Reason::Malformed, "The body is not UTF-8"))
}

/// The mutations of a POST's body, without a look at their form.
fn read_mutations(text: &str) -> Result<Vec<Value>, Refusal> {
    let not_json = || Refusal::new(Reason::Malformed, "The body is not a JSON object");
    serde_json::from_str::<&RawValue>(text).map_err(|_| not_json())?;
    let Json::Object(mut members) = Json::parse(text) else { return Err(not_json()) };
    let mutations = members.shift_remove("mutations");
    if let Some(name) = members.keys().next() {
        return Err(Refusal::validation(format!("\"{name}\" is not allowed")));
    }
    match mutations {
        Some(Json::Array(items)) => {
            let read = |(at, item)| exact::of(item).ok_or(Refusal::validation("Invalid mutation").at(at));
            items.into_iter().enumerate().map(read).collect()
        }
        Some(_) => Err(Refusal::validation("Invalid mutations")),
        None => Err(Refusal::validation("\"mutations\" is required")),
    }
}
