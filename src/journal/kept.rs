//! What was chosen for the push that is under way, in a file of its own beside the journal: edited values are
//! people's texts, and a journal holds none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::lock::DeviceLock;
use crate::durable;
use crate::error::InputError;

pub(super) const SUFFIX: &str = ".unstick-choices";

/// Keeps a choices file until the push has ended. When this returns, it is on the disk; only its owner can read it.
pub fn keep_choices(lock: &DeviceLock, text: &str) -> Result<(), InputError> {
    let path = durable::beside(lock.device(), SUFFIX);
    durable::replace(&path, text.as_bytes()).map_err(|source| InputError::Io {
        what: "cannot write",
        path,
        source,
        next: "Nothing was sent. Check that you may write to the file's folder and that the disk is not full",
    })
}

/// What was chosen for a push that did not end; `None` where nothing was kept.
pub fn kept_choices(device: &Path) -> Result<Option<String>, InputError> {
    let path = fs::canonicalize(device).map(|device| durable::beside(&device, SUFFIX));
    match path.and_then(fs::read_to_string) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(InputError::Io {
            what: "cannot read",
            path: durable::beside(device, SUFFIX),
            source,
            next: "It holds what was chosen for a push that did not end. Check that you may read it",
        }),
    }
}

/// Where what was chosen is kept, for messages.
pub fn kept_choices_path(device: &Path) -> PathBuf {
    durable::beside(device, SUFFIX)
}

/// The push has ended: what was chosen is in the device file.
pub fn forget_choices(lock: &DeviceLock) {
    forget(lock.device());
}

/// For the holder of the lock of `device`.
pub(super) fn forget(device: &Path) {
    // A file that is left over is removed with the next lock; until then nobody looks at it, without a journal.
    let _ = fs::remove_file(durable::beside(device, SUFFIX));
}
