//! One unstick per device file: two of them would send the same queue twice.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{backup, kept, lines};
use crate::durable;
use crate::error::InputError;

/// The right to write to a device file, to its backup and to its journal. Held until it is dropped, and never longer
/// than the process lives.
#[derive(Debug)]
pub struct DeviceLock {
    device: PathBuf,
    _held: File,
}

impl DeviceLock {
    /// Takes the lock of the device file at `device`, without waiting, and clears away what a killed write or a push
    /// that was killed at its very end left beside the file.
    ///
    /// The lock is on a file of its own, as the device file is replaced when it is written. That file stays: to
    /// remove it would let two programs lock two files of the same name.
    pub fn acquire(device: &Path) -> Result<Self, InputError> {
        let cannot_lock = |source: io::Error| InputError::Io {
            what: "cannot lock",
            path: device.to_owned(),
            source,
            next: "Nothing was sent. Copy the file to a local folder that you may write to and open it there",
        };
        let path = fs::canonicalize(device).map_err(cannot_lock)?;
        let lock = durable::beside(&path, ".unstick-lock");
        let file =
            durable::private().write(true).create(true).truncate(false).open(lock).map_err(cannot_lock)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(InputError::Unsupported {
                    file: device.display().to_string(),
                    reason: "is open in another unstick that may write to it".into(),
                    next: "Finish there first, then try again".into(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(cannot_lock(source)),
        }
        durable::sweep(&path, &[lines::SUFFIX, kept::SUFFIX, backup::PREFIX]).map_err(cannot_lock)?;
        if !lines::exists(&path) {
            kept::forget(&path);
        }
        Ok(Self { device: path, _held: file })
    }

    /// The device file itself, where a symbolic link to it was given.
    pub fn device(&self) -> &Path {
        &self.device
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_file_has_one_holder_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("device.json");
        fs::write(&path, "[]").expect("written");
        let held = DeviceLock::acquire(&path).expect("the first");
        let error = DeviceLock::acquire(&path).expect_err("the second").to_string();
        assert!(error.contains("device.json") && error.contains("another unstick"), "{error}");
        drop(held);
        DeviceLock::acquire(&path).expect("free again");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_its_file_share_the_lock() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("device.json"), folder.path().join("link.json"));
        fs::write(&path, "[]").expect("written");
        symlink(&path, &link).expect("a link");
        let held = DeviceLock::acquire(&link).expect("the first");
        DeviceLock::acquire(&path).expect_err("the second");
        let lock = durable::beside(held.device(), ".unstick-lock");
        assert_eq!(fs::metadata(lock).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_lock_of_no_file_is_an_error() {
        let error = DeviceLock::acquire(Path::new("/nowhere/device.json")).expect_err("no file").to_string();
        assert!(error.contains("cannot lock /nowhere/device.json"), "{error}");
    }
}
