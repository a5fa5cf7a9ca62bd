//! A push of a device file that broke off: where it stood, how it is gone on with, and how it is given up.

use std::path::{Path, PathBuf};

use crate::device::DeviceFile;
use crate::device::write_back::{replace, rewritten};
use crate::domain::again::Again;
use crate::domain::choices::{self, Replayed};
use crate::domain::device::Device;
use crate::domain::inspect::Inspection;
use crate::domain::push::{Interrupted, Options, Record};
use crate::domain::resolution::{Resolution, Unit};
use crate::domain::strategy;
use crate::error::InputError;
use crate::journal::{
    DeviceFileNow, DeviceLock, Journal, Unfinished, forget_choices, kept_choices, kept_choices_path,
};

/// A push of a device file that broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruption {
    state: Interrupted,
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
        if unfinished.device_file == DeviceFileNow::Changed {
            return Err(InputError::Unsupported {
                file: file.name().to_owned(),
                reason: String::from(
                    "was changed since a push of it broke off, and the journal of that push lies beside it",
                ),
                next: format!(
                    "Restore {} or move the journal (.unstick-journal) away; what has arrived is then recognised by its content alone",
                    unfinished.backup.display()
                ),
            });
        }
        let state = Interrupted::of(&unfinished.records);
        let device = state.device(file.device());
        Ok(Self {
            acknowledged: state.done.iter().map(|entry| entry.queue.len()).sum(),
            in_doubt: device.in_doubt.len(),
            left: device.queue.len(),
            backup: unfinished.backup.clone(),
            choices: kept_choices(path)?,
            choices_file: kept_choices_path(path),
            state,
        })
    }

    /// The device as the push left it: without what was acknowledged, and with what is known of the rest.
    pub fn device(&self, file: &Device) -> Device {
        self.state.device(file)
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
        if let Some(server) = &self.state.server {
            told.push(format!("it went to {server}"));
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

/// Gives up a push that broke off. What the server acknowledged leaves the device file, so that nobody sends it
/// again, and what is in doubt is marked as tried; journal and choices go, the backup stays. Answers what was given
/// up; `None` where no push broke off.
///
/// # Errors
/// A journal that does not belong to the file, or a file that is locked or cannot be written. Nothing was given up.
pub fn discard(file: &DeviceFile) -> Result<Option<Interruption>, InputError> {
    let Some(path) = file.path() else { return Ok(None) };
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
        journal.writing_back(&text)?;
        replace(file, text)?;
    }
    journal.finish()?;
    forget_choices(&lock);
    Ok(Some(interruption))
}

fn entries(count: usize, is: &str, are: &str) -> String {
    if count == 1 { format!("1 queue entry {is}") } else { format!("{count} queue entries {are}") }
}
