//! One unstick per device file: two of them would send the same queue twice.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{backup, kept, lines, result};
use crate::durable;
use crate::error::InputError;

/// The right to write to a device file, to its backup and to its journal. Held until it is dropped, and never longer
/// than the process lives.
#[derive(Debug)]
pub struct DeviceLock {
    device: PathBuf,
    _held: Hold,
}

/// A lock file that this process holds. It goes with the hold, so that none stays behind.
#[derive(Debug)]
pub(super) struct Hold {
    path: PathBuf,
    file: File,
}

impl Hold {
    pub(super) const fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if cfg!(unix) {
            // While it is held: whoever opened it meanwhile sees that it is another file by now ([`hold`]).
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Takes the lock file at `path` without waiting, and makes it where it is not there; `None` where another holds it.
pub(super) fn hold(path: &Path) -> io::Result<Option<Hold>> {
    loop {
        let file = durable::private().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(source),
        }
        // Its holder may have removed it between our opening and our locking it.
        if is_at(&file, path) {
            return Ok(Some(Hold { path: path.to_owned(), file }));
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let there = fs::metadata(path).and_then(|there| Ok((there, file.metadata()?)));
    there.is_ok_and(|(there, held)| (there.dev(), there.ino()) == (held.dev(), held.ino()))
}

#[cfg(not(unix))]
const fn is_at(_: &File, _: &Path) -> bool {
    true
}

impl DeviceLock {
    /// Takes the lock of the device file at `device`, without waiting, and clears away what a killed write or a push
    /// that was killed at its very end left beside the file.
    ///
    /// The lock is on a file of its own, as the device file is replaced when it is written.
    pub fn acquire(device: &Path) -> Result<Self, InputError> {
        let cannot_lock = |source: io::Error| InputError::Io {
            what: "cannot lock",
            path: device.to_owned(),
            source,
            next: "Nothing was sent. Copy the file to a local folder that you may write to and open it there",
        };
        let path = fs::canonicalize(device).map_err(cannot_lock)?;
        let lock = durable::beside(&path, ".unstick-lock");
        let Some(held) = hold(&lock).map_err(cannot_lock)? else {
            return Err(InputError::Unsupported {
                file: device.display().to_string(),
                reason: "is open in another unstick that may write to it".into(),
                next: "Finish there first, then try again".into(),
            });
        };
        durable::sweep(&path, &[lines::SUFFIX, kept::SUFFIX, result::SUFFIX, backup::PREFIX])
            .map_err(cannot_lock)?;
        if !lines::exists(&path) {
            kept::forget(&path);
        }
        Ok(Self { device: path, _held: held })
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
        drop(DeviceLock::acquire(&path).expect("free again"));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "no lock file stays");
    }

    #[test]
    fn of_many_that_come_and_go_one_holds_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, inside) = (folder.path().join("lock"), std::sync::atomic::AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        if let Some(held) = hold(&path).expect("it can be tried") {
                            use std::sync::atomic::Ordering::SeqCst;
                            assert_eq!(inside.fetch_add(1, SeqCst), 0, "alone");
                            inside.fetch_sub(1, SeqCst);
                            drop(held);
                        }
                    }
                });
            }
        });
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
