//! A copy of the device file from before anything was sent.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::lock::DeviceLock;
use crate::domain::mutation::Millis;
use crate::durable;
use crate::error::InputError;

/// Between the device file's name and the time.
pub(super) const PREFIX: &str = ".backup-";

/// Copies the device file to `NAME.backup-YYYYMMDDTHHMMSSZ` beside it, with a counter behind where that is taken.
/// When this returns, the copy is whole and on the disk; only its owner can read it.
pub fn backup(lock: &DeviceLock, now: Millis) -> Result<PathBuf, InputError> {
    let cannot_copy = |source: io::Error| InputError::Io {
        what: "cannot make a backup of",
        path: lock.device().to_owned(),
        source,
        next: "Nothing was sent. Check that you may write to the file's folder and that the disk is not full",
    };
    let text = fs::read(lock.device()).map_err(cannot_copy)?;
    let name = durable::beside(lock.device(), &format!("{PREFIX}{}", stamp(now)));
    let mut path = name.clone();
    for counter in 2_u32.. {
        if fs::symlink_metadata(&path).is_err() {
            break;
        }
        path = durable::beside(&name, &format!("-{counter}"));
    }
    durable::replace(&path, &text).map_err(cannot_copy)?;
    Ok(path)
}

/// A moment as it stands in the names of files: `20260202T000000Z`.
pub fn stamp(now: Millis) -> String {
    jiff::Timestamp::from_millisecond(now.0)
        .map_or_else(|_| now.0.to_string(), |time| time.strftime("%Y%m%dT%H%M%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_backup_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("device.json");
        fs::write(&path, "[ ]").expect("written");
        let lock = DeviceLock::acquire(&path).expect("locked");
        let mut names = Vec::new();
        for _ in 0..3 {
            let copy = backup(&lock, Millis(1_769_990_400_999)).expect("copied");
            assert_eq!(fs::read(&copy).expect("readable"), b"[ ]");
            names.push(copy.file_name().expect("a name").to_string_lossy().into_owned());
        }
        let first = "device.json.backup-20260202T000000Z";
        assert_eq!(names, [first.to_owned(), format!("{first}-2"), format!("{first}-3")]);
    }

    #[cfg(unix)]
    #[test]
    fn a_backup_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("device.json");
        fs::write(&path, "[]").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
        let copy = backup(&DeviceLock::acquire(&path).expect("locked"), Millis(0)).expect("copied");
        assert_eq!(fs::metadata(copy).expect("there").permissions().mode() & 0o777, 0o600);
    }
}
