//! Files that survive a crash: replaced whole or not at all, and on the disk before a call returns.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Between a file's name and the random part of its temporary: nobody else's file is ever swept away.
const TEMPORARY: &str = ".unstick-new-";

/// Puts `contents` in the place of the file at `path`, or makes it. A reader sees the old file or the new one,
/// never a part; owner and mode stay, and a new file is its owner's alone. A symbolic link would be replaced itself,
/// so `path` must not be one.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = temporary(path)?;
    file.write_all(contents)?;
    if let Ok(original) = fs::metadata(path) {
        keep_owner(file.as_file(), &original);
        file.as_file().set_permissions(original.permissions())?;
    }
    put(file, path)
}

/// The same, but the file is its owner's alone also where it was not before.
pub(crate) fn replace_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = temporary(path)?;
    file.write_all(contents)?;
    put(file, path)
}

/// Whether a file at `path` could be made; nothing of the trial stays.
pub(crate) fn can_make(path: &Path) -> io::Result<()> {
    temporary(path).map(drop)
}

/// A file beside `path` that only its owner can read.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(&temporary_prefix(path)).tempfile_in(folder(path))
}

fn put(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// Removes what a killed [`replace`] of the file at `path`, or of one of those that stand beside it under its name and
/// one of `suffixes`, has left. Only for the holder of the file's lock: the temporary of a running one would be removed
/// too.
pub(crate) fn sweep(path: &Path, suffixes: &[&str]) -> io::Result<()> {
    sweep_where(path, |rest| rest.starts_with(TEMPORARY) || is_beside(rest, suffixes))
}

/// As [`sweep`], but what a [`replace`] of the file itself has left stays, which may be running.
pub(crate) fn sweep_beside(path: &Path, suffixes: &[&str]) -> io::Result<()> {
    sweep_where(path, |rest| is_beside(rest, suffixes))
}

fn is_beside(rest: &str, suffixes: &[&str]) -> bool {
    suffixes.iter().any(|suffix| rest.starts_with(suffix) && rest.contains(TEMPORARY))
}

fn sweep_where(path: &Path, is_left: impl Fn(&str) -> bool) -> io::Result<()> {
    let mut own = OsString::from(".");
    own.push(path.file_name().unwrap_or_default());
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(rest) = name.as_encoded_bytes().strip_prefix(own.as_encoded_bytes()) else { continue };
        let rest = String::from_utf8_lossy(rest);
        if is_left(&rest) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes what killed processes left in `folder`: folders of this user whose name is `prefix`, the process, `-` and more,
/// where that process is gone and `may_go` agrees.
pub(crate) fn sweep_folders(folder: &Path, prefix: &str, may_go: impl Fn(&Path) -> bool) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(prefix)?.split_once('-')?.0.parse().ok());
        // A link is none of ours, whatever it is called.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if pid.is_some_and(is_gone) && is_folder && may_go(&entry.path()) {
            // Somebody else's is refused by the system.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(unix)]
fn is_gone(pid: i32) -> bool {
    let Some(pid) = rustix::process::Pid::from_raw(pid) else { return false };
    rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
}

#[cfg(not(unix))]
const fn is_gone(_: i32) -> bool {
    false
}

/// How a file is opened that nobody but its owner may read, if it is made.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The file beside `path` whose name is that of `path` and `suffix`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes the names in the folder of `path` survive a crash. Windows keeps them without being asked.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

fn temporary_prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(TEMPORARY);
    prefix
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Only root may give a file away; for others the new file is simply theirs.
#[cfg(unix)]
fn keep_owner(file: &File, original: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(file, Some(original.uid()), Some(original.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_leftovers_of_the_same_file_are_swept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("device.json");
        for name in [
            "device.json",
            ".device.json.unstick-new-x7Gh2k",
            ".device.json.backup-20260202T000000Z.unstick-new-x7Gh2k",
            ".device.json.other.unstick-new-x7Gh2k",
            ".other.json.unstick-new-x7Gh2k",
            ".device.json.backup",
        ] {
            fs::write(folder.path().join(name), "{}").expect("written");
        }
        sweep(&path, &[".backup-"]).expect("swept");
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        left.sort();
        assert_eq!(
            left,
            [
                ".device.json.backup",
                ".device.json.other.unstick-new-x7Gh2k",
                ".other.json.unstick-new-x7Gh2k",
                "device.json"
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_so_whatever_it_was_before() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report");
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
        replace_private(&path, b"text").expect("made");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new");
        replace(&path, b"text").expect("made");
        assert_eq!(fs::read(&path).expect("readable"), b"text");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }
}
