//! What must survive a crash: the lock that keeps a device file for one unstick, the backup that is made before
//! anything is sent, and the journal of what was sent. All of it lies beside the device file, readable by its owner
//! only.

mod backup;
mod begun;
mod draft;
mod fingerprint;
mod kept;
mod lines;
mod lock;
mod result;

pub use backup::{backup, stamp};
pub use begun::{Elsewhere, begun_elsewhere, follow, forget_begun, keep_begun};
pub use draft::{DraftPlace, NoPlace, forget_draft};
pub use fingerprint::Fingerprint;
pub use kept::{forget_choices, keep_choices, kept_choices, kept_choices_path};
pub use lines::{DeviceFileNow, Journal, Unfinished};
pub use lock::DeviceLock;
pub use result::{forget_result, set_aside};
