//! The four strategies side by side as a report: `unstick.comparison/1` (schema in
//! `assets/schemas/comparison-1.json`), and for people.

use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::entries::DeviceEntry;
use super::style::Style;
use super::{human, lines};
use crate::domain::again::Again;
use crate::domain::compare::{Comparison, Fleet, Flip, Leaves, Line, OfKind, Row, Totals};
use crate::domain::inspect::Inspection;
use crate::domain::json::Json;
use crate::domain::mutation::Kind;
use crate::domain::naming;
use crate::domain::settle::Loss;
use crate::domain::strategy::Strategy;
use crate::exit::ExitCode;

/// The `schema` of the JSON form.
pub const SCHEMA: &str = "unstick.comparison/1";

/// One device, compared.
#[derive(Clone, Copy, Debug)]
pub struct OfDevice<'a> {
    /// The name of its file.
    pub file: &'a str,
    /// Both sides, put together.
    pub inspection: &'a Inspection,
    /// The four strategies on it.
    pub comparison: &'a Comparison,
    /// What was odd in the device file.
    pub warnings: &'a [String],
    /// How it was named, for the commands that are proposed.
    pub again: &'a Again,
}

/// Several devices, each compared, and all together.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// In the order given.
    pub devices: &'a [OfDevice<'a>],
    /// All of them together.
    pub fleet: &'a Fleet,
}

impl Report<'_> {
    /// Writes the JSON form.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        lines::write(out, self)
    }

    /// Writes the form for people.
    pub fn write_human(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        human::comparison::write(self, out, style)
    }

    /// Whether anything diverges, as the exit code of `compare`.
    pub fn exit_code(&self) -> ExitCode {
        let diverges = self.devices.iter().any(|device| device.inspection.summary.diverged > 0);
        if diverges { ExitCode::Open } else { ExitCode::Done }
    }
}

impl OfDevice<'_> {
    /// What was odd: in the device file, then in the server's answers.
    pub(super) fn all_warnings(&self) -> Vec<String> {
        let told = self.warnings.iter().chain(&self.inspection.window.warnings).cloned();
        told.chain(self.inspection.warnings()).collect()
    }
}

/// One entry for each strategy, by its name.
struct ByStrategy<F>(F);

impl<T: Serialize, F: Fn(usize) -> T> Serialize for ByStrategy<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Strategy::ALL.len()))?;
        for (at, strategy) in Strategy::ALL.into_iter().enumerate() {
            map.serialize_entry(strategy.name(), &(self.0)(at))?;
        }
        map.end()
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("devices", self.devices)?;
        map.serialize_entry("fleet", &FleetEntry(self.fleet))?;
        map.end()
    }
}

impl Serialize for OfDevice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { file, inspection, comparison, .. } = *self;
        let rows: Vec<RowEntry<'_>> =
            comparison.rows.iter().map(|row| RowEntry { inspection, comparison, row }).collect();
        let flips: Vec<FlipEntry<'_>> =
            comparison.flips.iter().map(|flip| FlipEntry { inspection, flip }).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("file", file)?;
        map.serialize_entry("device", &DeviceEntry(&inspection.device.identity))?;
        map.serialize_entry("cursor", &inspection.device.sync.cursor)?;
        map.serialize_entry("head", &inspection.window.head)?;
        map.serialize_entry("summary", &inspection.summary)?;
        map.serialize_entry(
            "strategies",
            &ByStrategy(|at: usize| TotalsEntry::new(&comparison.columns[at].totals)),
        )?;
        map.serialize_entry("divergences", &rows)?;
        map.serialize_entry("flips", &flips)?;
        map.serialize_entry("warnings", &self.all_warnings())?;
        map.end()
    }
}

#[derive(Serialize)]
struct TotalsEntry {
    #[serde(flatten)]
    totals: Totals,
    lost: usize,
    requests: usize,
}

impl TotalsEntry {
    const fn new(totals: &Totals) -> Self {
        Self { totals: *totals, lost: totals.lost(), requests: totals.requests() }
    }
}

struct RowEntry<'a> {
    inspection: &'a Inspection,
    comparison: &'a Comparison,
    row: &'a Row,
}

impl Serialize for RowEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { inspection, comparison, row } = *self;
        let pair = inspection.pair(row.pair);
        let lines: Vec<LineEntry<'_>> = row.lines.iter().map(|line| LineEntry { comparison, line }).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", pair.kind.wire())?;
        map.serialize_entry("key", &pair.key)?;
        map.serialize_entry("title", &naming::title(inspection, pair))?;
        map.serialize_entry("shape", &pair.shape.to_string())?;
        map.serialize_entry("fields", &lines)?;
        map.end()
    }
}

struct LineEntry<'a> {
    comparison: &'a Comparison,
    line: &'a Line,
}

impl Serialize for LineEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { comparison, line } = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &line.path)?;
        for (side, value) in [("device", &line.device), ("server", &line.server)] {
            if let Some(value) = value {
                map.serialize_entry(side, value)?;
            }
        }
        map.serialize_entry(
            "leaves",
            &ByStrategy(|at: usize| LeavesEntry {
                leaves: &line.leaves[at],
                lost: comparison.lost(Strategy::ALL[at], &line.leaves[at]),
            }),
        )?;
        map.end()
    }
}

struct LeavesEntry<'a> {
    leaves: &'a Leaves,
    lost: &'a [Loss],
}

impl Serialize for LeavesEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Lost<'a> {
            side: &'static str,
            value: &'a Json,
            reason: &'static str,
        }
        let lost: Vec<Lost<'_>> = self
            .lost
            .iter()
            .map(|loss| Lost { side: loss.side.name(), value: &loss.value, reason: loss.reason })
            .collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("keeps", self.leaves.keeps.word())?;
        if let Some(value) = &self.leaves.value {
            map.serialize_entry("value", value)?;
        }
        map.serialize_entry("lost", &lost)?;
        map.end()
    }
}

struct FlipEntry<'a> {
    inspection: &'a Inspection,
    flip: &'a Flip,
}

impl Serialize for FlipEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pair = self.inspection.pair(self.flip.pair);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", pair.kind.wire())?;
        map.serialize_entry("key", &pair.key)?;
        map.serialize_entry("winner", self.flip.clock.winner().name())?;
        map.serialize_entry("byMs", &self.flip.clock.margin_ms())?;
        map.serialize_entry("mixed", &self.flip.clock.mixed)?;
        map.serialize_entry("clockErrorMs", &self.flip.at_ms)?;
        map.end()
    }
}

struct FleetEntry<'a>(&'a Fleet);

impl Serialize for FleetEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fleet = self.0;
        let kinds: Vec<KindEntry<'_>> =
            fleet.kinds.iter().map(|(kind, of_kind)| KindEntry { kind, of_kind }).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("devices", &fleet.devices)?;
        map.serialize_entry("strategies", &ByStrategy(|at: usize| TotalsEntry::new(&fleet.totals[at])))?;
        map.serialize_entry("kinds", &kinds)?;
        map.end()
    }
}

struct KindEntry<'a> {
    kind: &'a Kind,
    of_kind: &'a OfKind,
}

impl Serialize for KindEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Cost {
            lost: usize,
            open: usize,
        }
        let of_kind = self.of_kind;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", self.kind.wire())?;
        map.serialize_entry("divergences", &of_kind.divergences)?;
        map.serialize_entry(
            "strategies",
            &ByStrategy(|at: usize| Cost { lost: of_kind.lost[at], open: of_kind.open[at] }),
        )?;
        map.serialize_entry("losesLeast", of_kind.loses_least().name())?;
        map.serialize_entry("losesLeastUnattended", &of_kind.loses_least_unattended().map(Strategy::name))?;
        map.end()
    }
}
