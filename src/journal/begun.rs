//! Which pushes have begun on this machine and not ended, in the folder for data: a device file that is renamed or
//! copied after a crash is told by what it holds, and its journal is found where that lies.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::lock::DeviceLock;
use super::{kept, lines};
use crate::domain::json::Json;
use crate::domain::mutation::Queued;
use crate::durable;
use crate::error::InputError;

const FOLDER: &str = "pushes";
const SCHEMA: &str = "unstick.push/1";
/// More than this many are not looked at.
const MOST: usize = 1000;

/// One push that has begun; ids and marks, never a payload.
#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    schema: String,
    /// The device file.
    file: PathBuf,
    /// Where it goes.
    server: String,
    /// The mark of the device file.
    device: Fingerprint,
    /// Marks of its queue entries, each of the entry's id and of what it wants.
    queue: Vec<Fingerprint>,
}

/// Where the push of a device file began that has another name, or another place, by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The file that it began with.
    pub file: PathBuf,
    /// Where it went.
    pub server: String,
}

/// Keeps in mind that a push of this device file has begun. Without a folder for data only its journal tells.
pub fn keep_begun(lock: &DeviceLock, text: &str, queue: &[Queued], server: &str) {
    let Some(path) = place(lock.device()) else { return };
    let begun = Begun {
        schema: SCHEMA.into(),
        file: lock.device().to_owned(),
        server: server.to_owned(),
        device: Fingerprint::of(text.as_bytes()),
        queue: queue.iter().map(mark).collect(),
    };
    let kept = serde_json::to_vec(&begun).map_err(io::Error::other).and_then(|bytes| {
        durable::private_folder(path.parent().unwrap_or(Path::new("")))?;
        durable::replace_private(&path, &bytes)
    });
    if let Err(error) = kept {
        tracing::warn!(%error, "a copy of the device file will not be recognised");
    }
}

/// The push has ended.
pub fn forget_begun(lock: &DeviceLock) {
    if let Some(path) = place(lock.device()) {
        let _ = fs::remove_file(path);
    }
}

/// Where a push began that did not end, of a device file that holds what the one at `device` holds: all of it, or one
/// queue entry of it. `None` where that is this file itself, or none.
pub fn begun_elsewhere(device: &Path, text: &str, queue: &[Queued]) -> Option<Elsewhere> {
    let device = fs::canonicalize(device).ok()?;
    let entries = fs::read_dir(durable::data_folder()?.join(FOLDER)).ok()?;
    let (whole, marks) = (Fingerprint::of(text.as_bytes()), queue.iter().map(mark).collect::<HashSet<_>>());
    for entry in entries.flatten().take(MOST) {
        let Some(begun) =
            fs::read(entry.path()).ok().and_then(|text| serde_json::from_slice::<Begun>(&text).ok())
        else {
            continue;
        };
        let same = begun.device == whole || begun.queue.iter().any(|mark| marks.contains(mark));
        if begun.schema == SCHEMA && begun.file != device && same && lines::exists(&begun.file) {
            return Some(Elsewhere { file: begun.file, server: begun.server });
        }
    }
    None
}

/// Brings the journal of a push that began with `from`, a file that is gone, and what was chosen for it beside the
/// device file of the lock: the same file, renamed in its folder. Answers whether it was.
///
/// # Errors
/// What cannot be moved. The journal lies where it lay.
pub fn follow(lock: &DeviceLock, from: &Path) -> Result<bool, InputError> {
    let to = lock.device();
    if fs::symlink_metadata(from).is_ok() || from.parent() != to.parent() || lines::exists(to) {
        return Ok(false);
    }
    let moved = || -> io::Result<()> {
        let (old, new) = (durable::beside(from, kept::SUFFIX), durable::beside(to, kept::SUFFIX));
        if old.exists() {
            durable::replace_private(&new, &fs::read(&old)?)?;
        }
        fs::rename(durable::beside(from, lines::SUFFIX), durable::beside(to, lines::SUFFIX))?;
        durable::sync_folder(to)?;
        // Nobody looks at it any more.
        let _ = fs::remove_file(old);
        renamed(from, to);
        Ok(())
    };
    moved().map(|()| true).map_err(|source| InputError::Io {
        what: "cannot bring along the journal of",
        path: from.to_owned(),
        source,
        next: "Nothing was sent. Give the device file the name back that it had, and go on there",
    })
}

/// Keeps the push in mind under the file's new name.
fn renamed(from: &Path, to: &Path) {
    let (Some(old), Some(new)) = (place(from), place(to)) else { return };
    let begun = fs::read(&old).ok().and_then(|text| serde_json::from_slice::<Begun>(&text).ok());
    let begun = begun.map(|begun| Begun { file: to.to_owned(), ..begun });
    if let Some(Ok(bytes)) = begun.map(|begun| serde_json::to_vec(&begun)) {
        // Without it a copy would not be recognised; the file itself has its journal beside it.
        let _ = durable::replace_private(&new, &bytes);
    }
    let _ = fs::remove_file(old);
}

fn place(device: &Path) -> Option<PathBuf> {
    let of = Fingerprint::of(device.as_os_str().as_encoded_bytes());
    Some(durable::data_folder()?.join(FOLDER).join(format!("{}.json", of.as_str())))
}

/// The mark of an entry: of its id and of what it wants.
fn mark(entry: &Queued) -> Fingerprint {
    let id = entry.resource_id.as_ref().map_or("", |id| id.as_str());
    // An application that writes its file anew may write the same in another way.
    let data = entry.data.as_str().map(|data| Json::parse(data).to_text()).unwrap_or_default();
    let wants = [entry.id.as_str(), entry.op.wire(), entry.kind.wire(), id, data.as_str()].join("\u{0}");
    Fingerprint::of(wants.as_bytes())
}
