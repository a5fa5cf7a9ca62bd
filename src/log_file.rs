//! The log of a run (`--log`): requests and answers, what was written where; ids, counts, sizes and times. What people
//! wrote and the token are in no event, so that no log has to be looked through before it is sent on.

use std::fs::{self, File};
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

/// Whether a file is there that does not begin as a log of this program does: a moment, a level, a part of unstick.
/// Nothing else must grow a log, be it a device file or a table.
fn is_something_else(path: &Path) -> io::Result<bool> {
    let mut first = Vec::new();
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => return Ok(true),
        Ok(_) => File::open(path)?.take(256).read_to_end(&mut first)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(!first.is_empty() && !is_own_line(&String::from_utf8_lossy(&first)))
}

fn is_own_line(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let moment = words.next().is_some_and(|word| word.parse::<jiff::Timestamp>().is_ok());
    let level = words.next().is_some_and(|word| word.parse::<tracing::Level>().is_ok());
    moment && level && words.next().is_some_and(|word| word.starts_with("unstick"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_log_of_this_program_is_added_to() {
        assert!(is_own_line(
            "2026-11-27T18:43:44.123456Z  INFO unstick::log_file: begins version=\"0.1.0\"\n"
        ));
        for other in [
            "{}",
            "2026-01-01,a table",
            "1",
            "2026-11-27T18:43:44Z  INFO other: a log of something else",
            "2026-11-27T18:43:44Z a diary",
        ] {
            assert!(!is_own_line(other), "{other}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.log");
        assert!(!is_something_else(&path).expect("nothing there"));
        fs::write(&path, "").expect("written");
        assert!(!is_something_else(&path).expect("empty"));
        assert!(is_something_else(folder.path()).expect("a folder"));
        #[cfg(unix)]
        assert!(is_something_else(Path::new("/dev/null")).expect("a device"));
    }
}
