//! What was chosen and not sent yet, in a file of its own beside the device file: a closed terminal or an empty
//! battery takes no choice away. And who has the device file open, so that two people do not choose side by side
//! without knowing of each other.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::backup::stamp;
use super::lock::{self, Hold};
use crate::domain::mutation::Millis;
use crate::durable;

const SUFFIX: &str = ".unstick-draft";
const OPEN: &str = ".unstick-open";
/// No draft is larger, bytes: what is, somebody else wrote.
const LARGEST: u64 = 256 << 20;

/// The place of a draft, held by this process while it lives.
#[derive(Debug)]
pub struct DraftPlace {
    path: PathBuf,
    _open: Hold,
}

/// Why choices on a device file cannot be kept by this process.
#[derive(Debug)]
pub enum NoPlace {
    /// Another unstick has the file open and keeps its own there; its process id, where it could be told.
    Elsewhere(Option<u32>),
    /// Nothing can be written beside the file.
    Unwritable(io::Error),
}

/// The device file itself, where a symbolic link was given. One that stands for a phone's database is not there before the
/// first push; its folder is.
fn real(device: &Path) -> io::Result<PathBuf> {
    match (fs::canonicalize(device), device.file_name()) {
        (Err(error), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
            let folder = device.parent().filter(|folder| !folder.as_os_str().is_empty());
            Ok(fs::canonicalize(folder.unwrap_or_else(|| Path::new(".")))?.join(name))
        }
        (real, _) => real,
    }
}

impl DraftPlace {
    /// Takes the place beside the device file at `device`, without waiting. What a killed write left there goes.
    ///
    /// # Errors
    /// [`NoPlace`], where it cannot be had.
    pub fn take(device: &Path) -> Result<Self, NoPlace> {
        let device = real(device).map_err(NoPlace::Unwritable)?;
        let open = durable::beside(&device, OPEN);
        let Some(mut held) = lock::hold(&open).map_err(NoPlace::Unwritable)? else {
            return Err(NoPlace::Elsewhere(holder(&open)));
        };
        held.tell(std::process::id()).map_err(NoPlace::Unwritable)?;
        durable::sweep_beside(&device, &[SUFFIX]).map_err(NoPlace::Unwritable)?;
        let path = durable::beside(&device, SUFFIX);
        durable::can_make(&path).map_err(NoPlace::Unwritable)?;
        Ok(Self { path, _open: held })
    }

    /// Where the draft lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps a draft in the place of the one before. When this returns, it is on the disk; only its owner can read it.
    ///
    /// # Errors
    /// As the file system says.
    pub fn keep(&self, text: &[u8]) -> io::Result<()> {
        durable::replace_private(&self.path, text)
    }

    /// What was kept, whatever bytes it is; `None` where nothing was.
    ///
    /// # Errors
    /// What is no file, is too large, or cannot be read.
    pub fn kept(&self) -> io::Result<Option<Vec<u8>>> {
        let metadata = match fs::symlink_metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let mut bytes = Vec::new();
        File::open(&self.path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST {
            return Err(io::Error::other("it is too large to be a draft"));
        }
        Ok(Some(bytes))
    }

    /// Nothing is to be kept any more.
    ///
    /// # Errors
    /// As the file system says.
    pub fn forget(&self) -> io::Result<()> {
        forget(&self.path)
    }

    /// Moves away what lies there and is no draft, so that the next one does not take its place. Answers where to.
    ///
    /// # Errors
    /// As the file system says.
    pub fn set_aside(&self, now: Millis) -> io::Result<PathBuf> {
        let name = durable::beside(&self.path, &format!("-damaged-{}", stamp(now)));
        let mut aside = name.clone();
        for counter in 2_u32.. {
            if fs::symlink_metadata(&aside).is_err() {
                break;
            }
            aside = durable::beside(&name, &format!("-{counter}"));
        }
        fs::rename(&self.path, &aside)?;
        Ok(aside)
    }
}

/// Everything that was chosen for a device file has been sent.
pub fn forget_draft(device: &Path) -> io::Result<()> {
    forget(&durable::beside(&fs::canonicalize(device)?, SUFFIX))
}

fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn holder(open: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(open).ok()?.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

impl Hold {
    /// Says who holds it.
    fn tell(&mut self, pid: u32) -> io::Result<()> {
        let mut file = self.file();
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{pid}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let device = folder.path().join("device.json");
        fs::write(&device, "[]").expect("written");
        (folder, device)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_draft_stays_until_it_is_forgotten_and_its_place_leaves_nothing() {
        let (folder, device) = place();
        let held = DraftPlace::take(&device).expect("the place");
        assert_eq!(held.kept().expect("readable"), None);
        held.keep(b"one").expect("kept");
        held.keep(b"two").expect("kept");
        drop(held);
        assert_eq!(names(folder.path()), ["device.json", "device.json.unstick-draft"]);
        let held = DraftPlace::take(&device).expect("free again");
        assert_eq!(held.kept().expect("readable").as_deref(), Some(&b"two"[..]));
        held.forget().expect("gone");
        held.forget().expect("gone already");
        drop(held);
        assert_eq!(names(folder.path()), ["device.json"]);
    }

    #[test]
    fn who_comes_second_is_told_who_was_first() {
        let (_folder, device) = place();
        let held = DraftPlace::take(&device).expect("the place");
        let Err(NoPlace::Elsewhere(pid)) = DraftPlace::take(&device) else { panic!("taken twice") };
        assert_eq!(pid, Some(std::process::id()));
        drop(held);
        DraftPlace::take(&device).expect("free again");
    }

    #[test]
    fn what_is_no_draft_is_moved_aside_and_never_over_another() {
        let (folder, device) = place();
        let held = DraftPlace::take(&device).expect("the place");
        for _ in 0..2 {
            held.keep(b"\xff").expect("kept");
            held.set_aside(Millis(1_769_990_400_999)).expect("aside");
        }
        fs::create_dir(held.path()).expect("a folder in its place");
        held.kept().expect_err("no file");
        held.set_aside(Millis(1_769_990_400_999)).expect("aside as well");
        drop(held);
        let name = "device.json.unstick-draft-damaged-20260202T000000Z";
        assert_eq!(names(folder.path()), ["device.json", name, &format!("{name}-2"), &format!("{name}-3")]);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, device) = place();
        let held = DraftPlace::take(&device).expect("the place");
        fs::write(held.path(), "old").expect("written");
        fs::set_permissions(held.path(), fs::Permissions::from_mode(0o644)).expect("a mode");
        held.keep(b"text").expect("kept");
        assert_eq!(fs::metadata(held.path()).expect("there").permissions().mode() & 0o777, 0o600);
    }
}
