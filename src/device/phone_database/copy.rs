//! The database as it is read: a private copy, so that nothing that SQLite does (recovering a write-ahead log, rolling back
//! a journal) touches the phone's own files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::TempDir;

use crate::durable;
use crate::error::InputError;
use crate::left_over;

/// How the folder of a copy begins; the process behind it follows, so that what a killed one left can be told.
const PREFIX: &str = "unstick-database-";
/// What SQLite keeps beside a database that was in use: without them the newest writes would be missing.
const BESIDE: [&str; 3] = [WAL, "-shm", "-journal"];
/// The write-ahead log.
const WAL: &str = "-wal";
/// The name in the copy.
const NAME: &str = "quran.db";
/// How often a database that is written to meanwhile is copied again.
const TRIES: u32 = 3;

/// A private copy of a database. It goes when this is dropped.
pub(super) struct Copy(TempDir);

impl Copy {
    /// Copies the database at `path` with all that belongs to it, as it stood at one moment.
    pub(super) fn of(path: &Path) -> Result<Self, InputError> {
        let cannot = |source: io::Error| InputError::Io {
            what: "cannot copy",
            path: path.to_owned(),
            source,
            next: "The database is only read from a private copy. Check that you may read it, and that the folder for temporary files (TMPDIR) has room",
        };
        let temporary = std::env::temp_dir();
        left_over::sweep(&temporary, PREFIX, |_| true);
        for _ in 0..TRIES {
            let folder = left_over::folder(PREFIX).map_err(cannot)?;
            let before = stamps(path);
            copy(path, &folder.path().join(NAME)).map_err(cannot)?;
            for suffix in BESIDE {
                match copy(&beside(path, suffix), &folder.path().join(format!("{NAME}{suffix}"))) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    copied => copied.map_err(cannot)?,
                }
            }
            if stamps(path) == before {
                return Ok(Self(folder));
            }
        }
        Err(InputError::Unsupported {
            file: path.display().to_string(),
            reason: String::from("is being written to while it is read"),
            next: String::from(
                "Close the app that uses it, or copy its folder from a phone on which the app is closed",
            ),
        })
    }

    /// Where the copy lies.
    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join(NAME)
    }
}

/// Whether the write-ahead log of the database at `path` lies beside it.
pub(super) fn has_log(path: &Path) -> bool {
    beside(path, WAL).is_file()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The size and the time of each file that belongs to the database.
fn stamps(path: &Path) -> Vec<Option<(u64, Option<SystemTime>)>> {
    let of = |path: &Path| fs::metadata(path).ok().map(|file| (file.len(), file.modified().ok()));
    std::iter::once(of(path)).chain(BESIDE.map(|suffix| of(&beside(path, suffix)))).collect()
}

/// Copies one file; the copy is its owner's alone.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = fs::File::open(from)?;
    if !source.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut target = durable::private().write(true).create_new(true).open(to)?;
    io::copy(&mut source, &mut target).map(drop)
}
