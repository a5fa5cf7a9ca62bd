//! Choices that outlive the program: kept beside the device file after each act of the person, found again by the next
//! session on that file.
//!
//! Nobody waits for the disk. A thread of its own writes the newest choices there are, so that of several acts during
//! one write only the last is written after it; the end of the session waits for it, whatever ends it. Only what is
//! chosen while the process is killed outright (`kill -9`, a power cut) and is younger than the last finished write
//! is lost.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::app::{Earlier, Found};
use crate::domain::choices::{self, Export, Replayed};
use crate::domain::inspect::Inspection;
use crate::domain::mutation::Millis;
use crate::domain::resolution::Resolution;
use crate::durable;
use crate::error::InputError;
use crate::journal::{DraftPlace, NoPlace, stamp};
use crate::session::Clock;

const SCHEMA: &str = "unstick.draft/1";

#[derive(Serialize)]
struct Written<'a> {
    schema: &'static str,
    at: i64,
    server: &'a str,
    choices: &'a Export,
}

#[derive(Deserialize)]
struct Read<'a> {
    schema: String,
    at: i64,
    server: String,
    #[serde(borrow)]
    choices: &'a RawValue,
}

/// Keeps the choices on one device file while its session lasts. When it is dropped, the newest are on the disk.
pub struct Drafts {
    place: Option<Arc<DraftPlace>>,
    server: String,
    newest: Arc<Newest>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Newest {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    chosen: Option<(Arc<Inspection>, Resolution)>,
    closing: bool,
}

impl Drafts {
    /// Takes the place beside the device file. Where choices cannot be kept, answers why, for a person.
    /// `failed` is told, once, when a write that was possible at first no longer is.
    pub fn open(
        device: Option<&Path>,
        server: String,
        clock: Clock,
        failed: impl FnOnce(String) + Send + 'static,
    ) -> (Self, Option<String>) {
        let (place, why) = match device.map(DraftPlace::take) {
            Some(Ok(place)) => (Some(Arc::new(place)), None),
            Some(Err(NoPlace::Elsewhere(pid))) => {
                let pid = pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
                (
                    None,
                    Some(format!(
                        "Another unstick session{pid} has this file open and keeps its choices beside it. You can look, choose and retry here; what you choose here is not kept, and whoever retries second is told that the file has changed."
                    )),
                )
            }
            Some(Err(NoPlace::Unwritable(error))) => (
                None,
                Some(format!(
                    "Choices are not kept here: nothing can be written beside the device file ({error}). Copy it to a folder that you may write to and open it there; here, what you choose is gone when unstick ends."
                )),
            ),
            None => (
                None,
                Some(String::from(
                    "Choices are not kept: the device did not come from a file of its own. Save it as a file and open that; here, what you choose is gone when unstick ends.",
                )),
            ),
        };
        let newest = Arc::new(Newest::default());
        let writer = place.clone().map(|place| {
            let (newest, server) = (Arc::clone(&newest), server.clone());
            std::thread::spawn(move || write(&place, &newest, &server, clock, failed))
        });
        (Self { place, server, newest, writer }, why)
    }

    /// Whether choices are kept.
    pub const fn are_kept(&self) -> bool {
        self.place.is_some()
    }

    /// Keeps these choices in the place of all before; none: the draft goes. Returns at once.
    pub fn keep(&self, inspection: Arc<Inspection>, chosen: Resolution) {
        if self.writer.is_some() {
            self.newest.lock().chosen = Some((inspection, chosen));
            self.newest.changed.notify_one();
        }
    }

    /// Looks for what an earlier session chose.
    pub fn seeker(&self) -> Option<Seeker> {
        let place = Arc::clone(self.place.as_ref()?);
        Some(Seeker { place, server: self.server.clone() })
    }
}

impl Drop for Drafts {
    fn drop(&mut self) {
        self.newest.lock().closing = true;
        self.newest.changed.notify_one();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has written what it could.
            let _ = writer.join();
        }
    }
}

impl Newest {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for choices to be kept; `None` when the session ends.
    fn next(&self) -> Option<(Arc<Inspection>, Resolution)> {
        let mut state = self.lock();
        loop {
            if let Some(chosen) = state.chosen.take() {
                return Some(chosen);
            }
            if state.closing {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn write(place: &DraftPlace, newest: &Newest, server: &str, clock: Clock, failed: impl FnOnce(String)) {
    let mut failed = Some(failed);
    while let Some((inspection, chosen)) = newest.next() {
        let kept = if chosen.is_empty() {
            place.forget()
        } else {
            let choices = choices::keep(&inspection, &chosen);
            let written = Written { schema: SCHEMA, at: clock.now().0, server, choices: &choices };
            serde_json::to_vec_pretty(&written).map_err(Into::into).and_then(|text| place.keep(&text))
        };
        if let Err(error) = kept
            && let Some(failed) = failed.take()
        {
            failed(format!(
                "The choices can no longer be kept in {}: {error}. They stand here as long as unstick runs.",
                place.path().display()
            ));
        }
    }
}

/// Looks for what an earlier session chose; to be used off the screen's task.
pub struct Seeker {
    place: Arc<DraftPlace>,
    server: String,
}

impl Seeker {
    /// What an earlier session chose, on both sides as they are now; `None` where there is nothing.
    pub fn find(&self, inspection: &Inspection, now: Millis) -> Option<Earlier> {
        let read = match self.place.kept() {
            Ok(None) => return None,
            Ok(Some(bytes)) => self.read(&bytes, inspection),
            Err(error) => Err(error.to_string()),
        };
        Some(match read {
            Ok(found) => Earlier::Found(found),
            Err(what) => Earlier::Damaged { what, aside: self.place.set_aside(now).ok() },
        })
    }

    fn read(&self, bytes: &[u8], inspection: &Inspection) -> Result<Found, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| String::from("it is not UTF-8"))?;
        let read: Read<'_> = serde_json::from_str(text)
            .map_err(|error| format!("it does not read as a draft ({})", place_of(&error)))?;
        if read.schema != SCHEMA {
            return Err(format!("it is not of the form {SCHEMA}"));
        }
        let Replayed { resolution, reopened, passed } =
            choices::resume("the draft", read.choices.get(), inspection)
                .map_err(|error| InputError::from(error).to_string())?;
        let elsewhere = Some(read.server).filter(|server| *server != self.server);
        Ok(Found { resolution, reopened, passed, at: Millis(read.at), elsewhere })
    }
}

/// Where reading ended; what stands there is nobody's business.
fn place_of(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// Writes choices as the file that `--choices` takes, beside the device file and never over another; without a
/// device file, into the current folder. Only its owner can read it. Answers where it is.
///
/// # Errors
/// A folder that cannot be written to.
pub fn save_choices(
    device: Option<&Path>,
    inspection: &Inspection,
    chosen: &Resolution,
    now: Millis,
) -> Result<PathBuf, InputError> {
    use std::io::{ErrorKind, Write as _};
    let base = device.unwrap_or_else(|| Path::new("unstick"));
    let text = choices::export(inspection, chosen).to_string();
    let name = durable::beside(base, &format!(".choices-{}", stamp(now)));
    let mut path = durable::beside(&name, ".json");
    for counter in 2_u32.. {
        let made = durable::private().write(true).create_new(true).open(&path);
        let written = match made {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                path = durable::beside(&name, &format!("-{counter}.json"));
                continue;
            }
            made => made.and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                durable::sync_folder(&path)
            }),
        };
        written.map_err(|source| InputError::Io {
            what: "cannot write the choices",
            path: path.clone(),
            source,
            next: "They still stand here. Check that you may write there and that the disk is not full",
        })?;
        break;
    }
    Ok(path)
}
