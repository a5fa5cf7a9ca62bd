//! A server of a few lines that answers each request with bytes made for the test.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use unstick::server::{Client, Endpoint, Timeouts, Token};

/// The token of every test; must turn up in headers and nowhere else.
pub const TOKEN: &str = "tok-4711-secret";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// Request line and headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Request {
    /// Path and query.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        let pairs = self.target().split_once('?')?.1.split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// What happens on the connection.
pub enum Reply {
    /// These bytes, and the connection stays open for the next request.
    Answer(Vec<u8>),
    /// These bytes, and the connection is closed.
    Cut(Vec<u8>),
    /// These bytes, and nothing more, with the connection open.
    Stall(Vec<u8>),
}

/// A whole answer.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
    Reply::Answer(bytes(status, headers, body.as_ref(), body.as_ref().len()))
}

/// A whole answer of JSON with 200.
pub fn json(body: impl AsRef<str>) -> Reply {
    answer(200, &[("Content-Type", "application/json")], body.as_ref())
}

/// An answer that announces `length` bytes.
pub fn bytes(status: u16, headers: &[(&str, &str)], body: &[u8], length: usize) -> Vec<u8> {
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {status} Canned\r\nContent-Length: {length}\r\n{}\r\n", lines.concat());
    [head.as_bytes(), body].concat()
}

/// A running server; it ends with the test's runtime.
pub struct Canned {
    /// Where it listens.
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Canned {
    /// Starts a server that asks `reply` about each request.
    pub async fn start(reply: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let reply = Arc::new(Mutex::new(reply));
        let log = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&log), Arc::clone(&reply)));
            }
        });
        Self { address, requests }
    }

    /// The requests until now.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic while locked").clone()
    }

    /// A client for this server.
    pub fn client(&self) -> Client {
        self.client_with(Timeouts::default())
    }

    /// A client for this server, with timeouts of the test.
    pub fn client_with(&self, timeouts: Timeouts) -> Client {
        client_at(self.address, timeouts)
    }
}

/// A client for whatever listens there.
pub fn client_at(address: SocketAddr, timeouts: Timeouts) -> Client {
    let endpoint = Endpoint::parse(&format!("http://{address}/auth")).expect("loopback");
    let token = Token::read(&SecretString::from(TOKEN), "the test").expect("a token");
    Client::with_timeouts(endpoint, &token, "test-client", timeouts).expect("a client")
}

type Log = Arc<Mutex<Vec<Request>>>;

async fn serve<F: FnMut(&Request) -> Reply>(mut stream: TcpStream, log: Log, reply: Arc<Mutex<F>>) {
    while let Some(request) = read(&mut stream).await {
        log.lock().expect("no panic while locked").push(request.clone());
        let reply = (reply.lock().expect("no panic while locked"))(&request);
        let (Reply::Answer(bytes) | Reply::Cut(bytes) | Reply::Stall(bytes)) = &reply;
        if stream.write_all(bytes).await.is_err() {
            return;
        }
        match reply {
            Reply::Answer(_) => {}
            Reply::Cut(_) => return,
            Reply::Stall(_) => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of ASCII");
    let mut request = Request { head, body: String::new() };
    let length = request.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    while bytes.len() < end + length {
        stream.read_buf(&mut bytes).await.ok()?;
    }
    request.body = String::from_utf8(bytes[end..].to_vec()).expect("a body of text");
    Some(request)
}
