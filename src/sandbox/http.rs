//! The model behind real HTTP on the loopback interface: headers, bodies, statuses and the error shapes.
//!
//! Everything the protocol decides is [`Model`]'s; here stands only what HTTP adds, and what a fault script does to
//! it. It runs on the runtime of the caller, also on one of a single thread.

mod faulty;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query as Parameters, Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use futures_util::StreamExt;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::connection::{Breakable, Breaker};
use super::exact;
use super::fault::{self, Asked, Faults, Script};
use super::meddle;
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
/// How long a request may take to go on where nothing is said.
const IDLE: Duration = Duration::from_secs(30);

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
    /// What goes wrong with which request.
    pub faults: Script,
    /// How long a request may take to go on.
    pub idle: Duration,
}

impl Default for Options {
    /// A free port, the documented shapes, the system's clock, no faults.
    fn default() -> Self {
        let clock = Arc::new(|| Millis(jiff::Timestamp::now().as_millisecond()));
        Self { port: 0, shape: Shape::Documented, clock, faults: Script::default(), idle: IDLE }
    }
}

/// A request that arrived. Bodies are people's private notes and are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its number, from 1, in the order of arrival.
    pub number: u64,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The status of the answer; `None` while there is none, and for ever where none was given.
    pub status: Option<u16>,
    /// What was made to go wrong with it.
    pub faults: Faults,
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
        let idle = options.idle;
        let (stop, stopped) = watch::channel(());
        let shared = Arc::new(Shared { model: Mutex::new(model), log: Mutex::default(), options, stopped });
        let service = router(Arc::clone(&shared)).into_make_service_with_connect_info::<Breaker>();
        let until = Arc::clone(&shared);
        let served = axum::serve(Breakable { listener, idle }, service)
            .with_graceful_shutdown(async move { until.stopped().await });
        let task = tokio::spawn(served.into_future());
        Ok(Running { addr, shared, stop, task })
    }
}

/// A sandbox that is being served.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<()>,
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
        locked(&self.shared.log).requests.iter().cloned().collect()
    }

    /// How many requests arrived so far.
    pub fn requests(&self) -> u64 {
        locked(&self.shared.log).arrived
    }

    /// Stops: takes no more connections, breaks off requests that a fault holds, lets others that are under way
    /// finish for two seconds, then cuts them off.
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
    stopped: watch::Receiver<()>,
}

#[derive(Default)]
struct Log {
    arrived: u64,
    gets: u64,
    posts: u64,
    /// The last ones, by number and without a gap.
    requests: VecDeque<Logged>,
}

impl Log {
    fn arrive(&mut self, request: &Request, script: &Script) -> Arrival {
        self.arrived += 1;
        let (method, of_method) = match *request.method() {
            Method::GET => (fault::Method::Get, &mut self.gets),
            Method::POST => (fault::Method::Post, &mut self.posts),
            _ => (fault::Method::Other, &mut 0),
        };
        *of_method += 1;
        let number = self.arrived;
        let faults = script.faults(Asked { number, method, of_method: *of_method });
        if self.requests.len() == MAX_LOGGED {
            self.requests.pop_front();
        }
        self.requests.push_back(Logged {
            number,
            method: request.method().to_string(),
            target: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
            status: None,
            faults: faults.clone(),
        });
        let asked = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        Arrival { number, id: asked.unwrap_or_else(|| format!("sandbox-{number}")), faults }
    }

    fn answer(&mut self, number: u64, status: StatusCode) {
        let first = self.requests.front().map_or(number, |first| first.number);
        let at = usize::try_from(number.saturating_sub(first)).ok();
        if let Some(logged) = at.and_then(|at| self.requests.get_mut(at)).filter(|l| l.number == number) {
            logged.status = Some(status.as_u16());
        }
    }
}

impl Shared {
    fn model(&self) -> MutexGuard<'_, Model> {
        locked(&self.model)
    }

    fn now(&self) -> Millis {
        (self.options.clock)()
    }

    /// Until the sandbox stops.
    async fn stopped(&self) {
        // Nothing is ever sent: the sender is dropped.
        let _ = self.stopped.clone().changed().await;
    }
}

/// A panic while the lock was held stops nobody: the model is changed as a whole or not at all.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the seam knows of a request, for the handlers behind it.
#[derive(Clone)]
struct Arrival {
    number: u64,
    /// The request id.
    id: String,
    faults: Faults,
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/sync", get(pull).post(push))
        .route("/auth/v1/sync", get(pull).post(push))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), seam))
        .with_state(shared)
}

/// Every request passes here once on its way in and once on its way out: it is numbered and logged, and meets what the
/// fault script has for it.
async fn seam(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    mut request: Request,
    next: Next,
) -> Response {
    let arrival = locked(&shared.log).arrive(&request, &shared.options.faults);
    request.extensions_mut().insert(arrival.clone());
    if !is_here(&request) {
        let message =
            "The sandbox answers to this machine's names and addresses, and the Host is another one";
        let refused = respond(&shared, &arrival, Err(Refusal::new(Reason::Misdirected, message)));
        locked(&shared.log).answer(arrival.number, refused.status());
        return refused;
    }
    let answered = if arrival.faults.is_empty() {
        Some(next.run(request).await)
    } else {
        faulty::serve(&shared, &breaker, &arrival, request, next).await
    };
    let Some(mut response) = answered else {
        // Nothing of it reaches the client: the connection is broken.
        breaker.reset();
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    if let Ok(id) = HeaderValue::from_str(&arrival.id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    locked(&shared.log).answer(arrival.number, response.status());
    response
}

/// Whether the request names this machine: a page of the web can have a name of its own point here (DNS rebinding), but
/// it cannot do so with an address. Other addresses stand for this machine too, where it is an emulator's host.
fn is_here(request: &Request) -> bool {
    let named = match request.uri().authority() {
        Some(authority) => Some(authority.clone()),
        None => request.headers().get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok()),
    };
    named.is_some_and(|authority| {
        let host = authority.host().trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok()
    })
}

type QueryList = Result<Parameters<Vec<(String, String)>>, QueryRejection>;

async fn pull(
    State(shared): State<Arc<Shared>>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    parameters: QueryList,
) -> Response {
    let answer = || {
        let caller = caller(&headers)?;
        let query = Query::read(&read_parameters(parameters)?)?;
        let mut model = shared.model();
        let page = model.get(&query, caller.scopes)?;
        if arrival.faults.shifts_pages() && page.list.as_ref().is_some_and(|list| list.has_more) {
            model.touch_first(shared.now(), query.since);
        }
        Ok(page)
    };
    respond(&shared, &arrival, answer().map(|page| (page.head, page.to_json())))
}

async fn push(
    State(shared): State<Arc<Shared>>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    parameters: QueryList,
    body: Body,
) -> Response {
    // The body is read whatever the headers say, so that the connection stays good for the next request.
    let body = read_body(body, shared.options.idle).await;
    let answer = || {
        let caller = caller(&headers)?;
        let head = last_mutation_at(&read_parameters(parameters)?)?;
        let mutations = read_mutations(&body?)?;
        let mut applied = shared.model().post(shared.now(), caller, head, &mutations)?;
        arrival.faults.bends().for_each(|bend| meddle::bend(&mut applied, bend));
        Ok(applied)
    };
    respond(&shared, &arrival, answer().map(|applied| (applied.head, applied.to_json())))
}

async fn no_such_path(State(shared): State<Arc<Shared>>, Extension(arrival): Extension<Arrival>) -> Response {
    respond(&shared, &arrival, Err(Refusal::new(Reason::NotFound, "There is no such path")))
}

async fn no_such_method(
    State(shared): State<Arc<Shared>>,
    Extension(arrival): Extension<Arrival>,
    method: Method,
    uri: Uri,
) -> Response {
    let message = format!("{method} is not allowed on {}", uri.path());
    respond(&shared, &arrival, Err(Refusal::new(Reason::MethodNotAllowed, message)))
}

fn respond(shared: &Shared, arrival: &Arrival, answer: Result<(Cursor, Value), Refusal>) -> Response {
    let (status, head, body) = match answer {
        Ok((head, body)) => (StatusCode::OK, Some(head), body),
        Err(refusal) => {
            let status =
                StatusCode::from_u16(refusal.reason.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, None, refusal.body(shared.options.shape, &arrival.id))
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

async fn read_body(body: Body, idle: Duration) -> Result<String, Refusal> {
    let mut chunks = body.into_data_stream();
    let (mut kept, mut seen) = (Vec::new(), 0_usize);
    loop {
        let next = tokio::time::timeout(idle, chunks.next()).await;
        let next = next.map_err(|_| Refusal::new(Reason::TimedOut, "The body did not go on"))?;
        let Some(chunk) = next else { break };
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
