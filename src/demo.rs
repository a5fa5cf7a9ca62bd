//! A scenario of the sandbox as a device that is stuck: the server on a free loopback port, the device file in a
//! folder of its own, the device's own attempt to sync behind it.

use std::io;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::device::DeviceFile;
use crate::error::InputError;
use crate::sandbox::http::{Options, Running, Sandbox};
use crate::sandbox::scenario::Scenario;
use crate::server::{Client, Endpoint, Token};
use crate::session::Clock;

/// A scenario that is running.
pub struct Demo {
    /// The server; it stops when this is dropped.
    pub sandbox: Running,
    /// Where the device file lies; the folder goes, with all that is in it, when this is dropped.
    pub folder: tempfile::TempDir,
    /// The device file.
    pub file: DeviceFile,
    /// The client that speaks to the server.
    pub client: Client,
}

/// Starts a scenario. The device tries to sync first, so that the 409 it carries is one that the server gave.
///
/// # Errors
/// When the port, the folder or the file cannot be had.
pub async fn start(scenario: &Scenario, clock: Clock) -> Result<Demo, InputError> {
    let now = clock.now();
    let mut opened = scenario.open(now);
    // What the server answered stands in the device file by now; a success would stand there as well.
    let _ = opened.attempt(now);
    let folder =
        tempfile::Builder::new().prefix("unstick-demo-").tempdir().map_err(cannot("make a folder for"))?;
    let path = folder.path().join(format!("{}.json", scenario.name));
    std::fs::write(&path, opened.device_file()).map_err(cannot("write"))?;
    let file = DeviceFile::read(&path)?;
    let sandbox =
        Sandbox::start(opened.model, Options::default()).await.map_err(cannot("open a loopback port for"))?;
    let endpoint = Endpoint::parse(&sandbox.url())?;
    // The sandbox takes any token.
    let token = Token::read(&SecretString::from("demo"), "the demo")?;
    let client_id = file.device().identity.id.clone().unwrap_or_else(|| String::from("demo"));
    let client = Client::new(endpoint, &token, &client_id)?;
    Ok(Demo { sandbox, folder, file, client })
}

fn cannot(what: &'static str) -> impl Fn(io::Error) -> InputError {
    move |source| InputError::Io {
        what,
        path: PathBuf::from("the demo"),
        source,
        next: "Check the temporary folder (TMPDIR)",
    }
}
