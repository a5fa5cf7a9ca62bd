//! The team's log: the rows of everybody's log in one `PostgreSQL`. A row always lies in the log on this machine first
//! and is sent on from there in batches, while a command goes on and as far as the server can be reached in time; what is not
//! sent waits. Sending a row twice changes nothing. Questions are answered by the server.

mod answers;
mod schema;
mod sending;
mod url;

use std::path::Path;
use std::time::Duration;

use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::event::Event;
use super::local::{Local, LogError};

pub use sending::Sending;
pub use url::{BadUrl, TeamUrl};

/// How many rows are sent at once.
const BATCH: usize = 500;

/// Why the team's log cannot be used. What it says comes from the server or the system; the password is in none of
/// it.
#[derive(Debug, thiserror::Error)]
pub enum TeamError {
    /// The server cannot be reached, or refuses.
    #[error("the team's log {name} cannot be used: {why}")]
    Server {
        /// Host and database.
        name: String,
        /// Why.
        why: String,
    },
    /// It took too long.
    #[error("the team's log {name} did not answer in time")]
    Late {
        /// Host and database.
        name: String,
    },
    /// A later version made its tables.
    #[error("the team's log {name} was made by a newer unstick; update this one")]
    Newer {
        /// Host and database.
        name: String,
    },
    /// The log on this machine cannot be read.
    #[error(transparent)]
    Local(#[from] LogError),
}

/// The team's log, reached.
pub struct Team {
    name: String,
    client: Client,
}

impl Team {
    /// Reaches the log and makes its tables, if they are not there.
    pub async fn connect(url: &TeamUrl) -> Result<Self, TeamError> {
        let client = if url.is_encrypted() {
            open(url, MakeRustlsConnect::new(encryption(url)?)).await?
        } else {
            open(url, NoTls).await?
        };
        let mut team = Self { name: url.name().to_owned(), client };
        schema::prepare(&mut team).await?;
        Ok(team)
    }

    /// Adds rows. A row that is there already changes nothing, except that of two times the earlier one stays: two
    /// people may have seen the same conflict.
    pub async fn append(&self, events: &[Event]) -> Result<(), TeamError> {
        let rows = serde_json::to_string(events).map_err(|error| self.refused(&error))?;
        let added = self.client.execute(&schema::insert(), &[&rows]).await;
        added.map(drop).map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &dyn std::error::Error) -> TeamError {
        TeamError::Server { name: self.name.clone(), why: reason(error) }
    }
}

/// Sends what waits in the log at `local`, and answers how many rows that was. What was sent within `bound` stays
/// sent.
pub async fn ship(local: &Path, url: &TeamUrl, bound: Duration) -> Result<usize, TeamError> {
    if !local.exists() {
        return Ok(0);
    }
    let mut log = Local::existing(local)?;
    if log.unsent(url.name(), 1)?.is_empty() {
        return Ok(0);
    }
    let all = async { send(&mut log, url, &Team::connect(url).await?).await };
    match tokio::time::timeout(bound, all).await {
        Ok(sent) => sent,
        Err(_) => Err(TeamError::Late { name: url.name().to_owned() }),
    }
}

/// Sends what waits, batch by batch; each that was taken is remembered.
async fn send(log: &mut Local, url: &TeamUrl, team: &Team) -> Result<usize, TeamError> {
    let mut sent = 0;
    loop {
        let rows = log.unsent(url.name(), BATCH)?;
        let Some(&(last, _)) = rows.last() else { return Ok(sent) };
        let events: Vec<Event> = rows.into_iter().map(|(_, event)| event).collect();
        team.append(&events).await?;
        log.sent(url.name(), last)?;
        sent += events.len();
    }
}

async fn open<T>(url: &TeamUrl, tls: T) -> Result<Client, TeamError>
where
    T: MakeTlsConnect<Socket> + Send,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let connected = url.config().connect(tls).await;
    let (client, connection) =
        connected.map_err(|error| TeamError::Server { name: url.name().to_owned(), why: reason(&error) })?;
    // It ends with the client; what breaks it is told by the next question.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(client)
}

/// As for the sync server: rustls with ring, and the certificates that the system trusts.
fn encryption(url: &TeamUrl) -> Result<rustls::ClientConfig, TeamError> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier);
    match config {
        Ok(builder) => Ok(builder.with_no_client_auth()),
        Err(error) => Err(TeamError::Server { name: url.name().to_owned(), why: reason(&error) }),
    }
}

/// An error and what caused it, in one line.
fn reason(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words.push_str(": ");
            words.push_str(&more);
        }
        cause = error.source();
    }
    words
}
