//! What a device file should hold and does not, since it could not be written back after a push.

use std::fs;
use std::path::{Path, PathBuf};

use super::fingerprint::Fingerprint;
use super::lines;
use super::lock::DeviceLock;
use crate::durable;
use crate::unwritten::Lies;

/// Behind the device file's name.
pub(super) const SUFFIX: &str = ".unstick-result.json";
/// In the folder for data.
const FOLDER: &str = "results";

/// Puts what the device file should hold beside it, else into the folder for data; where both fail, the journal is all
/// that tells. Answers where it lies; only its owner can read it.
pub fn set_aside(lock: &DeviceLock, text: &str) -> Lies {
    let beside = durable::beside(lock.device(), SUFFIX);
    match durable::replace_private(&beside, text.as_bytes()) {
        Ok(()) => return Lies::Beside(beside),
        Err(error) => tracing::error!(%error, "the result is not beside the device file"),
    }
    if let Some(path) = in_data(lock.device()) {
        let folder = path.parent().unwrap_or(Path::new(""));
        match durable::private_folder(folder).and_then(|()| durable::replace_private(&path, text.as_bytes()))
        {
            Ok(()) => return Lies::InData(path),
            Err(error) => tracing::error!(%error, "the result is not in the folder for data"),
        }
    }
    Lies::InJournal(durable::beside(lock.device(), lines::SUFFIX))
}

/// The device file holds it by now.
pub fn forget_result(lock: &DeviceLock) {
    let _ = fs::remove_file(durable::beside(lock.device(), SUFFIX));
    if let Some(path) = in_data(lock.device()) {
        let _ = fs::remove_file(path);
    }
}

/// Its name says which device file it is of, and tells two of one name apart.
fn in_data(device: &Path) -> Option<PathBuf> {
    let name = device.file_name()?.to_string_lossy().into_owned();
    let of = Fingerprint::of(device.as_os_str().as_encoded_bytes());
    Some(durable::data_folder()?.join(FOLDER).join(format!("{name}.{}{SUFFIX}", of.as_str())))
}
