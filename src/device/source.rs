//! The text of an input file, whatever it holds: bounded, UTF-8, never a database.

use std::fs::Metadata;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::patient;
use crate::error::InputError;

/// The largest file that is read, bytes.
pub const LIMIT: u64 = 512 * 1024 * 1024;

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
const STANDARD_INPUT: &str = "standard input";

/// A text and where it came from.
#[derive(Debug)]
pub struct Source {
    /// How messages call it.
    pub name: String,
    /// The file; `None` for standard input and for texts that were never a file.
    pub path: Option<PathBuf>,
    /// The whole text, a byte order mark included.
    pub text: String,
}

impl Source {
    /// The text at `path`, or of standard input where `path` is `-`. Nothing larger than [`LIMIT`] is read.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let cannot_read = |source: io::Error| InputError::Io {
            what: "cannot read",
            path: path.to_owned(),
            source,
            next: "Check the path and that you may read the file",
        };
        if path == Path::new("-") {
            let text = text_of(STANDARD_INPUT, None, io::stdin().lock(), LIMIT, cannot_read)?;
            return Ok(Self { name: STANDARD_INPUT.into(), path: None, text });
        }
        let (file, metadata) = patient::open(path).map_err(cannot_read)?;
        let size = metadata.filter(Metadata::is_file).map(|metadata| metadata.len());
        let name = path.display().to_string();
        let text = text_of(&name, size, file, LIMIT, cannot_read)?;
        Ok(Self { name, path: Some(path.to_owned()), text })
    }
}

impl Source {
    /// The text at `path` as far as it is one: a log may hold any bytes, and each of those that are no text is one mark.
    pub fn read_text(path: &Path) -> Result<Self, InputError> {
        let cannot_read = |source: io::Error| InputError::Io {
            what: "cannot read",
            path: path.to_owned(),
            source,
            next: "Check the path and that you may read the file",
        };
        let mut bytes = Vec::new();
        let name = if path == Path::new("-") {
            io::stdin().lock().take(LIMIT).read_to_end(&mut bytes).map_err(cannot_read)?;
            STANDARD_INPUT.to_owned()
        } else {
            let (file, _) = patient::open(path).map_err(cannot_read)?;
            file.take(LIMIT).read_to_end(&mut bytes).map_err(cannot_read)?;
            path.display().to_string()
        };
        Ok(Self { name, path: None, text: String::from_utf8_lossy(&bytes).into_owned() })
    }
}

/// A file of so many bytes takes up to so many times that of the address space while it is worked on, with another as large
/// beside it.
const TIMES: u64 = 8;
/// What the program itself takes, bytes.
const OWN: u64 = 256 * 1024 * 1024;

/// What this process may have, bytes; `None` where it is not limited.
#[cfg(unix)]
fn allowed() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    [Resource::As, Resource::Data].into_iter().filter_map(|resource| getrlimit(resource).current).min()
}

#[cfg(not(unix))]
const fn allowed() -> Option<u64> {
    None
}

/// Whether a file of this size can be worked on in the memory that this process may have: an allocation that fails would end the
/// program without a word.
fn has_room(name: &str, size: u64, allowed: Option<u64>) -> Result<(), InputError> {
    let needed = size.saturating_mul(TIMES).saturating_add(OWN);
    match allowed {
        Some(allowed) if allowed < needed => Err(InputError::Unsupported {
            file: name.to_owned(),
            reason: format!(
                "needs up to {} MiB of memory, and this process may have {}",
                needed.div_ceil(1024 * 1024),
                allowed / (1024 * 1024)
            ),
            next: String::from(
                "Raise the limit (ulimit -v, ulimit -d), or split the queue into several files",
            ),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Reads at most `limit` bytes; `size` is what the file system says, where it says anything (a pipe does not).
fn text_of(
    name: &str,
    size: Option<u64>,
    mut reader: impl Read,
    limit: u64,
    cannot_read: impl Fn(io::Error) -> InputError,
) -> Result<String, InputError> {
    let too_large = |bytes| InputError::TooLarge { file: name.to_owned(), bytes, limit };
    let mut bytes = Vec::new();
    reader.by_ref().take(SQLITE_MAGIC.len() as u64).read_to_end(&mut bytes).map_err(&cannot_read)?;
    if bytes == SQLITE_MAGIC {
        return Err(InputError::Unsupported {
            file: name.to_owned(),
            reason: "is a SQLite database, and this version reads JSON exports only".into(),
            next: "Export the device's queue as JSON and open that".into(),
        });
    }
    if let Some(size) = size.filter(|size| *size > limit) {
        return Err(too_large(size));
    }
    has_room(name, size.unwrap_or(0), allowed())?;
    let expected = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
    bytes.try_reserve(expected.saturating_sub(bytes.len())).map_err(|e| cannot_read(io::Error::other(e)))?;
    let rest = limit.saturating_add(1).saturating_sub(bytes.len() as u64);
    reader.take(rest).read_to_end(&mut bytes).map_err(&cannot_read)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64));
    }
    String::from_utf8(bytes)
        .map_err(|error| not_utf8(name, error.as_bytes(), error.utf8_error().valid_up_to()))
}

fn not_utf8(name: &str, bytes: &[u8], valid: usize) -> InputError {
    let before = bytes.get(..valid).unwrap_or_default();
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let reason = match bytes {
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => "the text is UTF-16, expected UTF-8",
        _ => "a byte that is not UTF-8",
    };
    InputError::Syntax {
        file: name.to_owned(),
        line: before.split(|byte| *byte == b'\n').count(),
        column: before.len() - line_start + 1,
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], size: Option<u64>, limit: u64) -> Result<String, InputError> {
        text_of("queue.json", size, bytes, limit, |source| InputError::Io {
            what: "cannot read",
            path: PathBuf::new(),
            source,
            next: "",
        })
    }

    /// Fails the test when anything behind the header is read.
    struct OnlyTheHeader(usize);

    impl Read for OnlyTheHeader {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(16 - self.0);
            assert!(count > 0, "read past the header");
            self.0 += count;
            buffer[..count].fill(b' ');
            Ok(count)
        }
    }

    #[test]
    fn a_file_over_the_limit_is_refused_before_it_is_read() {
        let cannot_read = |_| panic!("no I/O error here");
        let answer = text_of("queue.json", Some(33), OnlyTheHeader(0), 32, cannot_read);
        assert!(matches!(answer, Err(InputError::TooLarge { bytes: 33, limit: 32, .. })));
    }

    #[test]
    fn what_does_not_fit_into_memory_is_refused_before_it_is_read() {
        let mib = 1024 * 1024;
        assert!(has_room("queue.json", 80 * mib, None).is_ok());
        assert!(has_room("queue.json", 80 * mib, Some(2048 * mib)).is_ok());
        let error = has_room("queue.json", 80 * mib, Some(512 * mib)).expect_err("no room").to_string();
        assert!(error.contains("896 MiB") && error.contains("512") && error.contains("ulimit"), "{error}");
        assert!(has_room("queue.json", u64::MAX, Some(u64::MAX)).is_ok());
    }

    #[test]
    fn a_pipe_is_read_up_to_the_limit_and_no_further() {
        assert_eq!(read(&[b' '; 32], None, 32).expect("within the limit").len(), 32);
        let endless = text_of("standard input", None, io::repeat(b' '), 32, |_| panic!("no I/O error here"));
        assert!(matches!(endless, Err(InputError::TooLarge { limit: 32, .. })));
    }

    #[test]
    fn a_database_is_named_as_one() {
        let error = read(b"SQLite format 3\0 and pages", None, 512).expect_err("a database").to_string();
        assert!(error.contains("SQLite") && error.contains("JSON"), "{error}");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_located() {
        match read(b"{\n \"a\": \"\xff\"}", None, 512) {
            Err(InputError::Syntax { line: 2, column: 8, reason, .. }) => {
                assert_eq!(reason, "a byte that is not UTF-8");
            }
            other => panic!("{other:?}"),
        }
        match read(b"\xff\xfe[\0]\0", None, 512) {
            Err(InputError::Syntax { line: 1, column: 1, reason, .. }) => assert!(reason.contains("UTF-16")),
            other => panic!("{other:?}"),
        }
    }
}
