//! A push of a device file that broke off: where it stood, how it is gone on with, and how it is given up.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::device::DeviceFile;
use crate::device::write_back::{replace, rewritten};
use crate::domain::again::Again;
use crate::domain::choices::{self, Replayed};
use crate::domain::device::Device;
use crate::domain::inspect::Inspection;
use crate::domain::meanwhile::{self, Together};
use crate::domain::mutation::{Millis, QueueId, ResourceId};
use crate::domain::push::{Interrupted, Options, Record};
use crate::domain::resolution::{Resolution, Unit};
use crate::domain::strategy;
use crate::error::InputError;
use crate::journal::{
    DeviceFileNow, DeviceLock, Journal, Unfinished, backup, begun_elsewhere, follow, forget_begun,
    forget_choices, forget_result, kept_choices, kept_choices_path,
};

/// A push of a device file that broke off.
#[derive(Clone, Debug)]
pub struct Interruption {
    state: Interrupted,
    /// The device with what the application wrote since; `None` where it wrote nothing.
    together: Option<Device>,
    /// How many queue entries the application added or edited since.
    pub written: Option<usize>,
    /// The file that it began with, where that has another name by now.
    pub began_with: Option<PathBuf>,
    /// Queue entries that the server acknowledged before it broke off.
    pub acknowledged: usize,
    /// Queue entries of which nobody knows whether they arrived.
    pub in_doubt: usize,
    /// Queue entries that are still to be dealt with, those in doubt among them.
    pub left: usize,
    /// The copy of the device file from before.
    pub backup: PathBuf,
    /// What was chosen, as a choices file; `None` where a rule decided or nothing was kept.
    choices: Option<String>,
    choices_file: PathBuf,
}

/// What was decided for the push that broke off, on both sides as they are now.
#[derive(Debug, Default)]
pub struct Recalled {
    /// The choices that still stand.
    pub resolution: Resolution,
    /// Fields whose choice was taken back, since they hold something else by now.
    pub reopened: Vec<Unit>,
}

impl Interruption {
    /// What the journal beside a device file tells; `None` where no push of it broke off.
    ///
    /// # Errors
    /// A journal that cannot be read, or that does not belong to the file as it is.
    pub fn of(file: &DeviceFile) -> Result<Option<Self>, InputError> {
        Self::wherever(file, None)
    }

    /// The same for a push to the server at `url`. A journal that does not lie beside the file is looked for by what the
    /// file holds: a file that was renamed takes it along, and a copy is told where it began.
    ///
    /// # Errors
    /// As [`Interruption::of`]; also a file that is a copy of one of which a push broke off.
    pub fn wherever(file: &DeviceFile, url: Option<&str>) -> Result<Option<Self>, InputError> {
        if let Some(here) = Self::here(file)? {
            return Ok(Some(here));
        }
        let Some(path) = file.path().filter(|path| path.exists()) else { return Ok(None) };
        let Some(begun) = begun_elsewhere(path, file.text(), &file.device().queue) else { return Ok(None) };
        if url.is_some_and(|url| url != begun.server) {
            return Ok(None);
        }
        let lock = DeviceLock::acquire(path)?;
        if follow(&lock, &begun.file)? {
            drop(lock);
            return Self::here(file);
        }
        let first = begun.file.display();
        let is_there = begun.file.exists();
        Err(InputError::Unsupported {
            file: file.name().to_owned(),
            reason: format!("holds what {first} held when a push of that began, and that push broke off"),
            next: if is_there {
                format!(
                    "Nothing was sent from this copy: it would be sent twice. Go on with `unstick resume {first}`"
                )
            } else {
                format!(
                    "Nothing was sent: it would be sent twice. Move the file back to {first} and go on with `unstick resume {first}`"
                )
            },
        })
    }

    /// What the journal beside a device file tells, and no other.
    ///
    /// # Errors
    /// As [`Interruption::of`].
    pub fn here(file: &DeviceFile) -> Result<Option<Self>, InputError> {
        let Some(path) = file.path() else { return Ok(None) };
        if file.database().is_some() && !path.exists() {
            // Nothing was ever pushed of this phone's database.
            return Ok(None);
        }
        let Some(unfinished) = Journal::<Record>::unfinished(path)? else { return Ok(None) };
        if unfinished.records.is_empty() {
            // Killed before it began: nothing was decided and nothing sent.
            return Ok(None);
        }
        Self::read(file, path, &unfinished).map(Some)
    }

    fn read(file: &DeviceFile, path: &Path, unfinished: &Unfinished<Record>) -> Result<Self, InputError> {
        let state = Interrupted::of(&unfinished.records);
        let together = match unfinished.device_file {
            DeviceFileNow::AsBegun | DeviceFileNow::AsWrittenBack => None,
            DeviceFileNow::Changed => Some(written_since(file, unfinished, &state)?),
        };
        let written = together.as_ref().map(|together| together.news.len());
        let together = together.map(|together| together.device);
        let device = together.clone().unwrap_or_else(|| state.device(file.device()));
        Ok(Self {
            acknowledged: state.done.iter().map(|entry| entry.queue.len()).sum(),
            in_doubt: device.in_doubt.len(),
            left: device.queue.len(),
            backup: unfinished.backup.clone(),
            choices: kept_choices(path)?,
            choices_file: kept_choices_path(path),
            state,
            written,
            together,
            began_with: unfinished.began_with.clone(),
        })
    }

    /// The device as the push left it: without what was acknowledged, and with what is known of the rest.
    pub fn device(&self, file: &Device) -> Device {
        self.together.clone().unwrap_or_else(|| self.state.device(file))
    }

    /// The ids that the server gave before it broke off.
    pub fn ids(&self) -> HashMap<QueueId, ResourceId> {
        self.state.ids()
    }

    /// Whether the application wrote to the file since.
    pub const fn is_written_to(&self) -> bool {
        self.together.is_some()
    }

    /// How the push was to behave.
    pub fn options(&self) -> Options {
        self.state.options()
    }

    /// Refuses another server: there nothing of this was acknowledged, and what is in doubt here is not there.
    pub fn check_server(&self, file: &DeviceFile, url: &str) -> Result<(), InputError> {
        match &self.state.server {
            Some(server) if server != url => Err(InputError::Unsupported {
                file: file.name().to_owned(),
                reason: format!("has a push that broke off, and it went to {server}, not to {url}"),
                next: format!(
                    "Nothing was sent. Go on with it there, or give it up: {}",
                    Again::recorded(&file.path().unwrap_or(Path::new("")).display().to_string(), &[])
                        .command("resume", &["--discard"])
                ),
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// Where it stood, a sentence each.
    pub fn told(&self) -> Vec<String> {
        let mut told = vec![format!(
            "an earlier push of this file broke off: {} acknowledged and not sent again, {} left",
            entries(self.acknowledged, "is", "are"),
            self.left
        )];
        if let Some(file) = &self.began_with {
            told.push(format!("it began with {}", file.display()));
        }
        if let Some(server) = &self.state.server {
            told.push(format!("it went to {server}"));
        }
        if let Some(written) = self.written {
            told.push(format!(
                "the file was written to since: {} added or edited there and kept",
                entries(written, "was", "were")
            ));
        }
        if self.in_doubt > 0 {
            told.push(format!(
                "of {} the answer was lost: what arrived is looked up before anything is sent",
                entries(self.in_doubt, "", "").trim_end()
            ));
        }
        told.push(match (self.options().rule, &self.choices) {
            (Some(rule), _) => format!("the rule was {}", rule.name()),
            (None, Some(_)) => format!("what was chosen is kept in {}", self.choices_file.display()),
            (None, None) => String::from("nothing of what was chosen was kept"),
        });
        told.push(format!("the file from before is {}", self.backup.display()));
        told
    }

    /// What giving it up has come to.
    pub fn given_up(&self) -> String {
        let doubt = match self.in_doubt {
            0 => "",
            _ => {
                "; what was in doubt is marked as tried and is recognised by its content alone from now on: what arrived in other words is sent again"
            }
        };
        format!(
            "given up: the journal and the choices are gone, what was acknowledged left the queue, {} to be dealt with{doubt}",
            entries(self.left, "is", "are")
        )
    }

    /// What was decided for the push, on both sides as they are now: its rule applied anew, or the choices whose
    /// values are what the person saw.
    ///
    /// # Errors
    /// Kept choices that cannot be read.
    pub fn recall(&self, inspection: &Inspection) -> Result<Recalled, InputError> {
        if let Some(rule) = self.options().rule {
            let mut resolution = Resolution::default();
            let choices = strategy::choices_for_all(inspection, &resolution, rule, |_| true);
            resolution.choose(rule.name(), choices);
            return Ok(Recalled { resolution, reopened: Vec::new() });
        }
        let Some(text) = &self.choices else { return Ok(Recalled::default()) };
        let file = self.choices_file.display().to_string();
        let Replayed { resolution, reopened, .. } = choices::resume(&file, text, inspection)?;
        Ok(Recalled { resolution, reopened })
    }
}

/// The device with what its application wrote since the push broke off.
fn written_since(
    file: &DeviceFile,
    unfinished: &Unfinished<Record>,
    state: &Interrupted,
) -> Result<Together, InputError> {
    let refused = |why: String| InputError::Unsupported {
        file: file.name().to_owned(),
        reason: format!("was changed since a push of it broke off, and {why}"),
        next: format!(
            "Nothing was sent; keep the app from syncing. Keep a copy of the file, put {} in its place and go on with `unstick resume`, then add by hand what the copy has more",
            unfinished.known.display()
        ),
    };
    let was = DeviceFile::read(&unfinished.known)
        .map_err(|error| refused(format!("the file from before cannot be read: {error}")))?;
    let left = state.device(was.device());
    let push =
        meanwhile::Push { was: was.device(), left: &left, ids: &state.ids(), dropped: &HashSet::new() };
    meanwhile::together(push, file.device()).map_err(|untold| {
        let names: Vec<&str> = untold.iter().map(QueueId::as_str).collect();
        refused(format!("of {} it cannot be told what shall become of it", names.join(", ")))
    })
}

/// Gives up a push that broke off. What the server acknowledged leaves the device file, so that nobody sends it
/// again, and what is in doubt is marked as tried; journal and choices go, the backup stays. Answers what was given
/// up; `None` where no push broke off.
///
/// # Errors
/// A journal that does not belong to the file, or a file that is locked or cannot be written. Nothing was given up.
pub fn discard(file: &DeviceFile, now: Millis) -> Result<Option<Interruption>, InputError> {
    let Some(path) = file.path() else { return Ok(None) };
    // A file that was renamed takes its journal along.
    Interruption::of(file)?;
    let lock = DeviceLock::acquire(path)?;
    let Some(unfinished) = Journal::<Record>::unfinished(path)? else { return Ok(None) };
    let interruption = Interruption::read(file, path, &unfinished)?;
    let mut device = interruption.device(file.device());
    for entry in &mut device.queue {
        if device.in_doubt.contains_key(&entry.id) {
            entry.retry_count = entry.retry_count.saturating_add(1);
            entry.last_error = Some(String::from("unstick sent it and got no answer; it may have arrived"));
        }
    }
    let text = rewritten(file, &device.named()).text;
    let mut journal = unfinished.resume(&lock)?;
    if text != file.text() {
        if interruption.is_written_to() {
            // What the application wrote is in no backup yet.
            backup(&lock, now)?;
        }
        journal.writing_back(&text)?;
        replace(file, text)?;
    }
    journal.finish()?;
    forget_choices(&lock);
    forget_result(&lock);
    forget_begun(&lock);
    Ok(Some(interruption))
}

fn entries(count: usize, is: &str, are: &str) -> String {
    if count == 1 { format!("1 queue entry {is}") } else { format!("{count} queue entries {are}") }
}
