//! Why a device is stuck and whether it will recover: `unstick.why/1` (schema in `assets/schemas/why-1.json`), and for people. Also
//! what a phone's own log says of it.

use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::entries::{DeviceEntry, Each};
use super::human::inspection::write_warnings;
use super::human::{count, shown};
use super::style::Style;
use crate::domain::again::Again;
use crate::domain::diagnosis::Cause;
use crate::domain::inspect::Inspection;
use crate::domain::naming;
use crate::domain::phone::log::{Fingerprint, Found};
use crate::domain::phone::{AbortId, Forecast};
use crate::domain::words::sentence;

/// The `schema` of the JSON form.
pub const SCHEMA: &str = "unstick.why/1";

/// Why a device is stuck.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Both sides, put together.
    pub inspection: &'a Inspection,
    /// Why the device is stuck: what a push does not cure first.
    pub causes: &'a [Cause],
    /// The phone's next sync as things are.
    pub now: &'a Forecast,
    /// The same, once everything that the device wants is pushed.
    pub pushed: &'a Forecast,
    /// What was odd in the device file.
    pub warnings: &'a [String],
    /// How the device was named, for the commands that are proposed.
    pub again: &'a Again,
}

impl Report<'_> {
    /// Writes the JSON form.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        super::lines::write(out, self)
    }

    /// Writes the form for people.
    pub fn write_human(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        let out = &mut io::BufWriter::new(out);
        let device = shown(self.inspection.device.identity.name()).to_string();
        let first = self.causes.first();
        let heading = match first {
            None => format!("No reason found why {device} would be stuck"),
            Some(cause) if cause.stays => format!("{device} stays stuck even when everything is pushed"),
            Some(_) => format!("{device} is stuck, and a push settles it"),
        };
        writeln!(out, "{}", style.heading(heading))?;
        for (number, cause) in (1..).zip(self.causes) {
            self.cause(number, cause, out, style)?;
        }
        writeln!(out, "\n{}", style.heading("Will the phone recover?"))?;
        forecast(out, "As it is", self.now)?;
        forecast(out, "Once everything that it wants is pushed from here", self.pushed)?;
        write_warnings(self.warnings, out, style)?;
        writeln!(out, "\n{}", style.heading("Next"))?;
        writeln!(out, "  See what differs:")?;
        writeln!(out, "    {}", shown(&self.again.command("inspect", &[])))?;
        writeln!(out, "  See what retrying the sync would do:")?;
        writeln!(out, "    {}", shown(&self.again.command("plan", &["--strategy", "merge"])))?;
        out.flush()
    }

    fn cause(&self, number: usize, cause: &Cause, out: &mut impl Write, style: Style) -> io::Result<()> {
        let evidence = sentence(&cause.evidence);
        let evidence = shown(&evidence);
        if cause.stays {
            writeln!(out, "\n  {number}. {}", style.conflict(evidence))?;
        } else {
            writeln!(out, "\n  {number}. {evidence}")?;
        }
        let rows = naming::rows_of(self.inspection, &cause.queue);
        if !rows.is_empty() {
            writeln!(out, "     Where: {}", shown(&rows))?;
        }
        if let Some(print) = Fingerprint::of_cause(cause) {
            writeln!(out, "     Why it comes again: {}", shown(&sentence(print.why)))?;
        }
        writeln!(out, "     What to do: {}", shown(&sentence(&cause.next)))?;
        let rules: Vec<&str> = cause.rules().collect();
        writeln!(out, "     {}", style.quiet(format!("[{}]", shown(&rules.join(", ")))))
    }
}

fn forecast(out: &mut impl Write, when: &str, forecast: &Forecast) -> io::Result<()> {
    let told = forecast.told();
    for (at, line) in told.iter().enumerate() {
        if at == 0 {
            writeln!(out, "  {when}: {}", shown(line))?;
        } else {
            writeln!(out, "    {}", shown(line))?;
        }
    }
    Ok(())
}

/// The forecast as it stands in JSON.
pub(super) struct ForecastEntry<'a>(pub(super) &'a Forecast);

impl Serialize for ForecastEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Forecast { verdict, stops, loses } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("verdict", verdict.word())?;
        map.serialize_entry("stops", &Each(|| stops.iter().map(Stop)))?;
        map.serialize_entry(
            "loses",
            &Each(|| loses.iter().map(|(why, count)| Loses { why, count: *count })),
        )?;
        map.end()
    }
}

struct Stop<'a>(&'a (AbortId, usize));

impl Serialize for Stop<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (id, count) = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("rule", id.name())?;
        map.serialize_entry("count", count)?;
        map.end()
    }
}

#[derive(Serialize)]
struct Loses<'a> {
    why: &'a str,
    count: usize,
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("device", &DeviceEntry(&self.inspection.device.identity))?;
        map.serialize_entry(
            "causes",
            &Each(|| self.causes.iter().map(|cause| CauseEntry { report: self, cause })),
        )?;
        map.serialize_entry(
            "recovery",
            &Recovery { now: ForecastEntry(self.now), pushed: ForecastEntry(self.pushed) },
        )?;
        map.serialize_entry("warnings", self.warnings)?;
        map.end()
    }
}

#[derive(Serialize)]
struct Recovery<'a> {
    now: ForecastEntry<'a>,
    pushed: ForecastEntry<'a>,
}

struct CauseEntry<'a> {
    report: &'a Report<'a>,
    cause: &'a Cause,
}

impl Serialize for CauseEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { report, cause } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &cause.id)?;
        map.serialize_entry("evidence", &cause.evidence)?;
        map.serialize_entry("rows", &naming::labels_of(report.inspection, &cause.queue))?;
        map.serialize_entry("why", &Fingerprint::of_cause(cause).map(|print| print.why))?;
        map.serialize_entry("next", &cause.next)?;
        map.serialize_entry("stays", &cause.stays)?;
        map.serialize_entry("rules", &cause.rules().collect::<Vec<_>>())?;
        map.end()
    }
}

/// What a phone's own log says, the latest first.
#[derive(Clone, Copy, Debug)]
pub struct LogReport<'a> {
    /// How messages call the log.
    pub name: &'a str,
    /// How many lines it has.
    pub lines: usize,
    /// What was recognised.
    pub found: &'a [Found],
}

impl LogReport<'_> {
    /// Writes the JSON form.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        super::lines::write(out, self)
    }

    /// Writes the form for people. No line of the log is shown: it may hold whole answers.
    pub fn write_human(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        let out = &mut io::BufWriter::new(out);
        let name = shown(self.name).to_string();
        if self.found.is_empty() {
            let lines = count(self.lines, "line");
            writeln!(out, "{}", style.heading(format!("Nothing recognised in {name}, {lines}")))?;
            writeln!(out, "  None of them is a failure of the phone's sync that is known.")?;
            return out.flush();
        }
        writeln!(
            out,
            "{}",
            style.heading(format!("What {name} says of the phone's sync, the latest first"))
        )?;
        for (number, Found { print, lines }) in (1..).zip(self.found) {
            writeln!(out, "\n  {number}. {}", shown(&sentence(print.what)))?;
            writeln!(out, "     Why it comes again: {}", shown(&sentence(print.why)))?;
            writeln!(out, "     What to do: {}", shown(&sentence(print.next)))?;
            let last = lines.last().copied().unwrap_or_default();
            let times =
                if lines.len() == 1 { String::from("once") } else { format!("{} times", lines.len()) };
            let rules = print.rules.join(", ");
            writeln!(out, "     {}", style.quiet(format!("[{rules}; {times}, last in line {last}]")))?;
        }
        out.flush()
    }
}

impl Serialize for LogReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("log", self.name)?;
        map.serialize_entry("lines", &self.lines)?;
        map.serialize_entry("found", &Each(|| self.found.iter().map(FoundEntry)))?;
        map.end()
    }
}

struct FoundEntry<'a>(&'a Found);

impl Serialize for FoundEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Found { print, lines } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("rules", print.rules)?;
        map.serialize_entry("what", print.what)?;
        map.serialize_entry("why", print.why)?;
        map.serialize_entry("next", print.next)?;
        map.serialize_entry("times", &lines.len())?;
        map.serialize_entry("lastLine", &lines.last())?;
        map.end()
    }
}
