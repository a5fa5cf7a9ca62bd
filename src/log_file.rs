//! The log of a run (`--log`): requests and answers, what was written where; ids, counts, sizes and times. What people
//! wrote and the token are in no event, so that no log has to be looked through before it is sent on.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::durable;
use crate::error::InputError;

/// Writes the events of this process to the end of the file at `path`, which is its owner's alone from now on.
/// Libraries are not listened to: what they log is not in our hands.
///
/// # Errors
/// A file that cannot be opened, or a log that is there already.
pub fn start(path: &Path) -> Result<(), InputError> {
    let cannot = |source: io::Error| InputError::Io {
        what: "cannot write the log",
        path: path.to_owned(),
        source,
        next: "Nothing was sent. Check --log: that the folder is there and that you may write to it",
    };
    if is_something_else(path).map_err(cannot)? {
        return Err(InputError::Unsupported {
            file: path.display().to_string(),
            reason: String::from("is there already and is no log"),
            next: String::from("Nothing was sent and nothing written. Give --log another file"),
        });
    }
    let file = durable::private().append(true).create(true).open(path).map_err(cannot)?;
    make_private(&file).map_err(cannot)?;
    let own = Targets::new().with_target("unstick", LevelFilter::DEBUG);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    let started = tracing_subscriber::registry().with(own).with(lines).try_init();
    started.map_err(|error| cannot(io::Error::other(error)))?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "begins");
    Ok(())
}

/// Whether a file is there that does not begin as a log does, with a year. A device file must not grow a log.
fn is_something_else(path: &Path) -> io::Result<bool> {
    let mut first = [0];
    match File::open(path).and_then(|mut file| file.read(&mut first)) {
        Ok(length) => Ok(length > 0 && !first[0].is_ascii_digit()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn make_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(_: &File) -> io::Result<()> {
    Ok(())
}
