//! Files that survive a crash: replaced whole or not at all, and on the disk before a call returns.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
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

/// The folder for data: `UNSTICK_DATA_DIR`, else the platform's (`$XDG_DATA_HOME/unstick`); `None` where there is none.
pub(crate) fn data_folder() -> Option<PathBuf> {
    match std::env::var_os("UNSTICK_DATA_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(PathBuf::from(folder)),
        None => Some(etcetera::choose_base_strategy().ok()?.data_dir().join("unstick")),
    }
}

/// Makes a folder that only its owner may look into; one that is there stays as it is.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Room on the disk beside a file, taken until it is needed.
#[derive(Debug)]
pub(crate) struct Room(NamedTempFile);

/// Takes room for a file that is to take the place of that at `path` and may be longer than `contents` by `more` bytes.
/// It is given back when the answer is dropped; what a killed process has left is swept as a temporary of [`replace`].
pub(crate) fn reserve(path: &Path, contents: &[u8], more: usize) -> io::Result<Room> {
    let mut file = temporary(path)?;
    file.write_all(contents)?;
    // Zeros may cost nothing on some disks, and then would not be room.
    let filler: &[u8] = if contents.is_empty() { b"\0" } else { contents };
    let mut left = more;
    while left > 0 {
        let part = filler.get(..left.min(filler.len())).unwrap_or(filler);
        file.write_all(part)?;
        left -= part.len();
    }
    file.as_file().sync_all()?;
    Ok(Room(file))
}

impl Room {
    /// Gives it back, so that it can be written to.
    pub(crate) fn give_back(self) {
        drop(self.0);
    }
}

/// Whether this user may put another file in the place of that at `path`, as far as it can be told without doing so.
pub(crate) fn can_replace(path: &Path) -> io::Result<()> {
    let denied = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned()));
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return denied("it is no regular file");
    }
    if metadata.permissions().readonly() {
        return denied("it is write-protected");
    }
    if is_kept_by_folder(path, &metadata)? {
        return denied("it belongs to somebody else and its folder lets only the owner replace it");
    }
    // Also says what the mode does not: a file that is immutable, a file system that is read-only.
    OpenOptions::new().write(true).open(path).map(drop)
}

/// In a sticky folder only the owner of a file, of the folder, or root may replace the file.
#[cfg(unix)]
fn is_kept_by_folder(path: &Path, metadata: &Metadata) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let folder = fs::metadata(folder(path))?;
    Ok(keeps(folder.mode(), folder.uid(), metadata.uid(), rustix::process::geteuid().as_raw()))
}

#[cfg(not(unix))]
const fn is_kept_by_folder(_: &Path, _: &Metadata) -> io::Result<bool> {
    Ok(false)
}

/// Whether a folder of this mode and owner keeps a file of `owner` from `user`.
#[cfg(unix)]
const fn keeps(mode: u32, folder: u32, owner: u32, user: u32) -> bool {
    const STICKY: u32 = 0o1000;
    mode & STICKY != 0 && user != 0 && user != folder && user != owner
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

    #[cfg(unix)]
    #[test]
    fn a_sticky_folder_keeps_a_file_for_its_owner() {
        for (mode, folder, owner, user, kept) in [
            (0o1777, 0, 5, 7, true),
            (0o1777, 0, 7, 7, false),
            (0o1777, 7, 5, 7, false),
            (0o1777, 3, 5, 0, false),
            (0o777, 0, 5, 7, false),
        ] {
            assert_eq!(keeps(mode, folder, owner, user), kept, "{mode:o} {folder} {owner} {user}");
        }
    }

    #[test]
    fn what_may_not_be_replaced_is_told_before_it_is_tried() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("device.json");
        can_replace(&path).expect_err("it is not there");
        fs::create_dir(&path).expect("a folder");
        can_replace(&path).expect_err("a folder");
        let path = folder.path().join("other.json");
        fs::write(&path, "{}").expect("written");
        can_replace(&path).expect("a file of one's own");
        let mut mode = fs::metadata(&path).expect("there").permissions();
        mode.set_readonly(true);
        fs::set_permissions(&path, mode).expect("a mode");
        can_replace(&path).expect_err("write-protected");
        assert_eq!(fs::read(&path).expect("readable"), b"{}");
    }

    #[test]
    fn room_is_taken_and_given_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("device.json");
        let count = || fs::read_dir(folder.path()).expect("a folder").count();
        for (contents, more) in [(&b"[]"[..], 7), (b"", 3), (b"[]", 0)] {
            let room = reserve(&path, contents, more).expect("there is room");
            assert_eq!(room.0.as_file().metadata().expect("there").len(), (contents.len() + more) as u64);
            room.give_back();
            assert_eq!(count(), 0);
        }
        reserve(&folder.path().join("nowhere").join("device.json"), b"", 1).expect_err("no folder");
    }

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
