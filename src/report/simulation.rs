//! A simulation as a report: `unstick.simulation/1` (schema in `assets/schemas/simulation-1.json`), CSV, and for people.

use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::style::Style;
use super::{human, lines};
use crate::domain::strategy::Strategy;
use crate::simulate::{Interval, Settings, Simulation, Tally};

/// The `schema` of the JSON form.
pub const SCHEMA: &str = "unstick.simulation/1";

/// The columns of the CSV form, each with how it is made of a tally.
type Column = (&'static str, fn(&Tally) -> String);

const COLUMNS: [Column; 22] = [
    ("edits", |t| t.edits.to_string()),
    ("impossible_edits", |t| t.impossible.to_string()),
    ("syncs", |t| t.syncs.to_string()),
    ("syncs_with_something_to_send", |t| t.pushes.to_string()),
    ("conflicts_409", |t| t.conflicts.to_string()),
    ("requests", |t| t.requests.to_string()),
    ("extra_requests", |t| t.extra.to_string()),
    ("divergences", |t| t.divergences.to_string()),
    ("device_values_lost", |t| t.lost_device.to_string()),
    ("server_values_lost", |t| t.lost_server.to_string()),
    ("fields_asked", |t| t.asked.to_string()),
    ("winners_turned_by_a_clock", |t| t.turned.to_string()),
    ("refused", |t| t.refused.to_string()),
    ("never_agreed", |t| t.never_agreed.to_string()),
    ("conflicts_409_per_100_syncs", |t| decimal(t.conflicts_per_100_syncs())),
    ("conflicts_409_per_100_syncs_with_something_to_send", |t| decimal(t.conflicts_per_100_pushes())),
    ("divergences_per_1000_edits", |t| decimal(t.divergences_per_1000_edits())),
    ("values_lost_per_1000_edits", |t| decimal(t.lost_per_1000_edits())),
    ("fields_asked_per_1000_edits", |t| decimal(t.asked_per_1000_edits())),
    ("until_all_agree_median_s", |t| percentile(t, 50)),
    ("until_all_agree_95_percent_s", |t| percentile(t, 95)),
    ("until_all_agree_longest_s", |t| percentile(t, 100)),
];

fn decimal(rate: f64) -> String {
    format!("{rate:.3}")
}

fn percentile(tally: &Tally, percent: usize) -> String {
    tally.apart_percentile_s(percent).map(|seconds| seconds.to_string()).unwrap_or_default()
}

/// A simulation, to be written.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// What it came to.
    pub simulation: &'a Simulation,
}

impl Report<'_> {
    /// Writes the JSON form.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        lines::write(out, self)
    }

    /// Writes the CSV form: a row for each interval and strategy.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        let mut out = io::BufWriter::new(out);
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        writeln!(out, "interval_s,strategy,{}", names.join(","))?;
        for row in &self.simulation.rows {
            for (strategy, tally) in Strategy::ALL.iter().zip(&row.strategies) {
                let cells: Vec<String> = COLUMNS.iter().map(|(_, cell)| cell(tally)).collect();
                writeln!(out, "{},{strategy},{}", row.interval.0, cells.join(","))?;
            }
        }
        out.flush()
    }

    /// Writes the form for people.
    pub fn write_human(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        human::simulation::write(self, out, style)
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Simulation { settings, rows } = self.simulation;
        let results: Vec<ResultEntry<'_>> = rows
            .iter()
            .flat_map(|row| {
                let each = Strategy::ALL.into_iter().zip(&row.strategies);
                each.map(|(strategy, tally)| ResultEntry { interval: row.interval, strategy, tally })
            })
            .collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("settings", &SettingsEntry(settings))?;
        map.serialize_entry("results", &results)?;
        map.end()
    }
}

struct SettingsEntry<'a>(&'a Settings);

impl Serialize for SettingsEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = self.0;
        let mix: serde_json::Map<String, serde_json::Value> =
            settings.mix.weights().map(|(act, weight)| (act.name().to_owned(), weight.into())).collect();
        let intervals: Vec<u32> = settings.intervals.iter().map(|interval| interval.0).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("devices", &settings.devices)?;
        map.serialize_entry("users", &settings.users)?;
        map.serialize_entry("days", &settings.days)?;
        map.serialize_entry("editsPerDay", &settings.edits_per_day.value())?;
        map.serialize_entry("offlineHours", &settings.offline_hours.value())?;
        map.serialize_entry("skewSeconds", &settings.skew_s)?;
        map.serialize_entry("resources", &settings.resources)?;
        map.serialize_entry("mix", &mix)?;
        map.serialize_entry("bases", &settings.bases)?;
        map.serialize_entry("intervalsSeconds", &intervals)?;
        map.serialize_entry("seed", &settings.seed)?;
        map.end()
    }
}

struct ResultEntry<'a> {
    interval: Interval,
    strategy: Strategy,
    tally: &'a Tally,
}

impl Serialize for ResultEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { interval, strategy, tally } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("intervalSeconds", &interval.0)?;
        map.serialize_entry("strategy", strategy.name())?;
        map.serialize_entry("edits", &tally.edits)?;
        map.serialize_entry("impossibleEdits", &tally.impossible)?;
        map.serialize_entry("syncs", &tally.syncs)?;
        map.serialize_entry("syncsWithSomethingToSend", &tally.pushes)?;
        map.serialize_entry("conflicts409", &tally.conflicts)?;
        map.serialize_entry("requests", &tally.requests)?;
        map.serialize_entry("extraRequests", &tally.extra)?;
        map.serialize_entry("divergences", &tally.divergences)?;
        map.serialize_entry("deviceValuesLost", &tally.lost_device)?;
        map.serialize_entry("serverValuesLost", &tally.lost_server)?;
        map.serialize_entry("fieldsAsked", &tally.asked)?;
        map.serialize_entry("winnersTurnedByAClock", &tally.turned)?;
        map.serialize_entry("refused", &tally.refused)?;
        map.serialize_entry("neverAgreed", &tally.never_agreed)?;
        map.serialize_entry("conflicts409Per100Syncs", &tally.conflicts_per_100_syncs())?;
        map.serialize_entry("conflicts409Per100SyncsWithSomethingToSend", &tally.conflicts_per_100_pushes())?;
        map.serialize_entry("divergencesPer1000Edits", &tally.divergences_per_1000_edits())?;
        map.serialize_entry("valuesLostPer1000Edits", &tally.lost_per_1000_edits())?;
        map.serialize_entry("fieldsAskedPer1000Edits", &tally.asked_per_1000_edits())?;
        map.serialize_entry("untilAllAgreeSeconds", &ApartEntry(tally))?;
        map.end()
    }
}

struct ApartEntry<'a>(&'a Tally);

impl Serialize for ApartEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("stretches", &self.0.apart_s.len())?;
        for (name, percent) in [("median", 50), ("percent95", 95), ("longest", 100)] {
            map.serialize_entry(name, &self.0.apart_percentile_s(percent))?;
        }
        map.end()
    }
}
