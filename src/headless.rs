//! `inspect`, `plan`, `compare` and `push` without a screen: from an inspection to a report and an exit code. Reading
//! the two sides ([`Session`]) and opening the output is left to the caller.

pub mod doubt;
pub mod push;
pub mod resume;

mod case;

use std::io::{self, Write};
use std::path::PathBuf;

use crate::domain::again::Again;
use crate::domain::choices::{self, Replayed};
use crate::domain::compare::Fleet;
use crate::domain::inspect::Inspection;
use crate::domain::mutation::Millis;
use crate::domain::phone::{self, Forecast};
use crate::domain::resolution::{Resolution, Unit};
use crate::domain::strategy::{self, Strategy};
use crate::domain::{compare, diagnosis, plan};
use crate::error::InputError;
use crate::exit::ExitCode;
use crate::interruption::Interruption;
use crate::report::TableFormat;
use crate::report::style::Style;
use crate::report::{comparison, inspection, plan as planned, simulation as simulated, why};
use crate::session::Session;
use crate::simulate::Simulation;

pub use case::case;

/// Who reads the report (`--format`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// People.
    #[default]
    Human,
    /// Programs.
    Json,
}

impl Format {
    /// The two, in the order in which help lists them.
    pub const ALL: [Self; 2] = [Self::Human, Self::Json];

    /// The word in arguments.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }

    /// Reads the word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// How a report is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Who reads it.
    pub format: Format,
    /// Colours, where people read it.
    pub style: Style,
    /// Whether people see the pairs as well that nobody has to look at.
    pub all: bool,
    /// The time.
    pub now: Millis,
    /// How the device was named, for the commands that are proposed.
    pub again: &'a Again,
}

/// What decides the divergences.
#[derive(Clone, Copy, Debug)]
pub enum Decision<'a> {
    /// A rule.
    Strategy(Strategy),
    /// A choices file.
    Choices {
        /// Its name, for messages.
        file: &'a str,
        /// Its text.
        text: &'a str,
    },
}

/// What a decision comes to on an inspection.
#[derive(Debug)]
pub struct Decided {
    /// The choices.
    pub resolution: Resolution,
    /// Fields whose choice was not made, since they hold something else than what the person saw.
    pub reopened: Vec<Unit>,
}

/// Makes the choices of `decision`.
///
/// # Errors
/// A choices file that does not fit the inspection; see [`choices::read`].
pub fn decide(inspection: &Inspection, decision: Decision<'_>) -> Result<Decided, InputError> {
    match decision {
        Decision::Strategy(strategy) => {
            let mut resolution = Resolution::default();
            let choices = strategy::choices_for_all(inspection, &resolution, strategy, |_| true);
            resolution.choose(strategy.name(), choices);
            Ok(Decided { resolution, reopened: Vec::new() })
        }
        Decision::Choices { file, text } => {
            let Replayed { resolution, reopened, .. } = choices::read(file, text, inspection)?;
            Ok(Decided { resolution, reopened })
        }
    }
}

/// As [`decide`], for a device of which an earlier push broke off: choices for what that push has sent are passed
/// over, so that the same command can be given again.
///
/// # Errors
/// A choices file that cannot be read.
pub fn decide_again(inspection: &Inspection, decision: Decision<'_>) -> Result<Decided, InputError> {
    match decision {
        Decision::Strategy(_) => decide(inspection, decision),
        Decision::Choices { file, text } => {
            let Replayed { resolution, reopened, .. } = choices::resume(file, text, inspection)?;
            Ok(Decided { resolution, reopened })
        }
    }
}

/// What a person should know besides the inspection: what is odd in the device file, and an earlier push of it that
/// broke off.
pub fn warnings(session: &Session) -> Vec<String> {
    let interrupted = session.interrupted().into_iter().flat_map(Interruption::told);
    interrupted.chain(session.file().warnings().iter().map(ToString::to_string)).collect()
}

/// Writes what stands between the two sides.
///
/// # Errors
/// Only where the report cannot be written.
pub fn inspect(
    inspection: &Inspection,
    warnings: &[String],
    options: Options<'_>,
    out: &mut impl Write,
) -> Result<ExitCode, InputError> {
    let causes = diagnosis::diagnose(inspection, options.now);
    let report =
        inspection::Report { inspection, causes: &causes, warnings, now: options.now, again: options.again };
    let written = match options.format {
        Format::Human => report.write_human(out, options.style, options.all),
        Format::Json => report.write_json(out),
    };
    finish(written, report.exit_code())
}

/// Writes why the device is stuck, and whether its phone will recover.
///
/// # Errors
/// Only where the report cannot be written.
pub fn why(
    inspection: &Inspection,
    warnings: &[String],
    options: Options<'_>,
    out: &mut impl Write,
) -> Result<ExitCode, InputError> {
    let causes = diagnosis::diagnose(inspection, options.now);
    let everything = decide(inspection, Decision::Strategy(Strategy::ClientWins))?;
    let plan = plan::plan(inspection, &everything.resolution, options.now);
    let phone = inspection.device.phone.as_ref().unwrap_or(&inspection.device);
    let report = why::Report {
        inspection,
        causes: &causes,
        now: &Forecast::of(phone, &inspection.window),
        pushed: &Forecast::after(phone, inspection, &plan),
        warnings,
        again: options.again,
    };
    let written = match options.format {
        Format::Human => report.write_human(out, options.style),
        Format::Json => report.write_json(out),
    };
    finish(written, if causes.is_empty() { ExitCode::Done } else { ExitCode::Open })
}

/// Writes what a phone's own log says of its sync.
///
/// # Errors
/// Only where the report cannot be written.
pub fn why_by_log(
    name: &str,
    text: &str,
    format: Format,
    style: Style,
    out: &mut impl Write,
) -> Result<ExitCode, InputError> {
    let found = phone::log::recognise(text.lines());
    let report = why::LogReport { name, lines: text.lines().count(), found: &found };
    let written = match format {
        Format::Human => report.write_human(out, style),
        Format::Json => report.write_json(out),
    };
    finish(written, if found.is_empty() { ExitCode::Done } else { ExitCode::Open })
}

/// Decides, and writes what retrying the sync would do. Sends nothing.
///
/// # Errors
/// A choices file that does not fit, or a report that cannot be written.
pub fn plan(
    inspection: &Inspection,
    warnings: &[String],
    decision: Decision<'_>,
    options: Options<'_>,
    out: &mut impl Write,
) -> Result<ExitCode, InputError> {
    let Decided { resolution, reopened } = decide(inspection, decision)?;
    let plan = plan::plan(inspection, &resolution, options.now);
    let by = match decision {
        Decision::Strategy(strategy) => planned::By::Strategy(strategy),
        Decision::Choices { file, .. } => planned::By::Choices(file),
    };
    let report =
        planned::Report { inspection, plan: &plan, by, reopened: &reopened, warnings, again: options.again };
    let written = match options.format {
        Format::Human => report.write_human(out, options.style),
        Format::Json => report.write_json(out),
    };
    finish(written, report.exit_code())
}

/// One device of a comparison.
#[derive(Debug)]
pub struct Looked {
    /// The name of its file.
    pub file: String,
    /// Both sides, put together.
    pub inspection: Inspection,
    /// What a person should know besides; see [`warnings`].
    pub warnings: Vec<String>,
    /// How it was named.
    pub again: Again,
}

/// Writes what each strategy would do to each device, and to all of them together. Sends nothing.
///
/// # Errors
/// Only where the report cannot be written.
pub fn compare(
    devices: &[Looked],
    options: Options<'_>,
    out: &mut impl Write,
) -> Result<ExitCode, InputError> {
    let mut fleet = Fleet::default();
    let comparisons: Vec<_> = devices
        .iter()
        .map(|device| {
            let comparison = compare::compare(&device.inspection, &Resolution::default(), options.now);
            fleet.add(&device.inspection, &comparison);
            comparison
        })
        .collect();
    let devices: Vec<_> = devices
        .iter()
        .zip(&comparisons)
        .map(|(device, comparison)| comparison::OfDevice {
            file: &device.file,
            inspection: &device.inspection,
            comparison,
            warnings: &device.warnings,
            again: &device.again,
        })
        .collect();
    let report = comparison::Report { devices: &devices, fleet: &fleet };
    let written = match options.format {
        Format::Human => report.write_human(out, options.style),
        Format::Json => report.write_json(out),
    };
    finish(written, report.exit_code())
}

/// Writes what a simulation came to.
///
/// # Errors
/// Only where the report cannot be written.
pub fn simulation(
    simulation: &Simulation,
    format: TableFormat,
    style: Style,
    out: &mut impl Write,
) -> Result<ExitCode, InputError> {
    let report = simulated::Report { simulation };
    let written = match format {
        TableFormat::Human => report.write_human(out, style),
        TableFormat::Json => report.write_json(out),
        TableFormat::Csv => report.write_csv(out),
    };
    finish(written, ExitCode::Done)
}

/// A reader that has seen enough (`| head`) is no failure.
fn finish(written: io::Result<()>, code: ExitCode) -> Result<ExitCode, InputError> {
    match written {
        Ok(()) => Ok(code),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(code),
        Err(source) => Err(InputError::Io {
            what: "cannot write",
            path: PathBuf::from("standard output"),
            source,
            next: "Check that the disk is not full and the output is open",
        }),
    }
}

#[cfg(test)]
mod tests;
