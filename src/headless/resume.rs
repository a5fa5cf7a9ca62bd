//! What is said of a push that broke off.

use std::io::{self, Write};

use super::finish;
use crate::device::DeviceFile;
use crate::domain::inspect::Inspection;
use crate::domain::naming;
use crate::domain::resolution::Unit;
use crate::domain::safe_text::visible_line;
use crate::error::InputError;
use crate::exit::ExitCode;
use crate::interruption::{self, Interruption};
use crate::journal::DeviceLock;
use crate::session::Clock;

/// Says before anything is sent where an earlier push of the file stood.
pub fn tell(interruption: Option<&Interruption>) {
    for sentence in interruption.into_iter().flat_map(Interruption::told) {
        eprintln!("· {}", visible_line(&sentence));
    }
}

/// Says where the push of this file stood; sends nothing.
///
/// # Errors
/// A journal that does not belong to the file.
pub fn where_it_stood(device: &DeviceFile) -> Result<ExitCode, InputError> {
    let Some(interruption) = Interruption::of(device)? else { return nothing(device) };
    let mut told = interruption.told();
    told.push(String::from(
        "nothing was sent: add --server URL and --yes to go on, or --discard to give it up",
    ));
    if interruption.in_doubt > 0 {
        told.push(String::from(
            "with --server URL and --ask each queue entry in doubt is shown beside what may be it, and a person says what became of it; --discard costs that: what arrived in other words is sent again then and is there twice",
        ));
    }
    say(&told, ExitCode::Open)
}

/// Gives the push of this file up and says what that comes to.
///
/// # Errors
/// As [`interruption::discard`].
pub fn discard(device: &DeviceFile) -> Result<ExitCode, InputError> {
    let Some(interruption) = interruption::discard(device, Clock::System.now())? else {
        return nothing(device);
    };
    let mut told = interruption.told();
    told.push(interruption.given_up());
    say(&told, ExitCode::Done)
}

/// No push of this file broke off. What one left that was killed before it began, or at its very end, goes.
///
/// # Errors
/// A file that is locked.
pub fn nothing(device: &DeviceFile) -> Result<ExitCode, InputError> {
    // The device file that stands for a phone's database is there only once something of it was pushed.
    if let Some(path) = device.path().filter(|path| path.exists()) {
        drop(DeviceLock::acquire(path)?);
    }
    say(&[format!("nothing to resume: no push of {} broke off", device.name())], ExitCode::Done)
}

/// A choice that is open again, in words.
pub fn reopened(inspection: &Inspection, Unit { pair, path }: &Unit) -> String {
    let pair = inspection.pair(*pair);
    format!(
        "{}, {}: chosen on values that are no longer there, so it is open again",
        naming::label(inspection, pair),
        path.label()
    )
}

fn say(sentences: &[String], code: ExitCode) -> Result<ExitCode, InputError> {
    let mut out = io::stdout().lock();
    finish(sentences.iter().try_for_each(|text| writeln!(out, "{}", visible_line(text))), code)
}
