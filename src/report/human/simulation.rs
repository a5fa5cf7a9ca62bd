//! A simulation for people: what was simulated, a table for each interval, and what the columns mean.

use std::io::{self, Write};

use super::count;
use super::table::Table;
use crate::domain::duration::duration;
use crate::domain::strategy::Strategy;
use crate::report::simulation::Report;
use crate::report::style::Style;
use crate::simulate::{Settings, Tally};

/// Writes the report.
pub(in crate::report) fn write(report: &Report<'_>, out: &mut impl Write, style: Style) -> io::Result<()> {
    let out = &mut io::BufWriter::new(out);
    let simulation = report.simulation;
    write_settings(&simulation.settings, out, style)?;
    for row in &simulation.rows {
        writeln!(out, "\n{}", style.heading(format!("A sync every {}", row.interval)))?;
        let of = |what: fn(&Tally) -> u64| from_to(row.strategies.each_ref().map(what));
        let (edits, syncs, pushes) = (of(|t| t.edits), of(|t| t.syncs), of(|t| t.pushes));
        writeln!(out, "  {edits} edits made, {syncs} syncs, of which {pushes} had something to send")?;
        let mut table = Table::new([
            "", "409s", "diverged", "lost", "asked", "turned", "extra", "median", "95 %", "longest",
        ]);
        for (strategy, tally) in Strategy::ALL.into_iter().zip(&row.strategies) {
            table.row(cells(strategy, tally));
        }
        table.write(out)?;
    }
    writeln!(out, "\n{}", style.heading("The columns"))?;
    for (name, meaning) in MEANINGS {
        writeln!(out, "  {name:<9} {meaning}")?;
    }
    out.flush()
}

const MEANINGS: [(&str, &str); 9] = [
    ("409s", "refused POSTs, in 100 syncs that had something to send"),
    ("diverged", "resources that both sides had changed, in 1,000 edits"),
    ("lost", "values that somebody wrote and that are in no result, in 1,000 edits"),
    ("asked", "fields that a person was asked about, in 1,000 edits; merge only, and answered at once:"),
    ("", "both stay where they can be joined, else the newer one; an edit goes before a deletion"),
    ("turned", "divergences in which a wrong clock made the older edit the winner, in all"),
    ("extra", "requests that only a 409 made necessary, in 100 syncs that had something to send"),
    ("median", "half the stretches from an edit until all devices agree are no longer than this"),
    ("95 %", "the same for 95 of 100; longest is the longest of all"),
];

/// What all strategies have in common: `334`, or `334 to 348` where a strategy lets notes live that others let die.
fn from_to(counts: [u64; 4]) -> String {
    let (least, most) = (counts.iter().min().unwrap_or(&0), counts.iter().max().unwrap_or(&0));
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

fn cells(strategy: Strategy, tally: &Tally) -> Vec<String> {
    let apart = |percent: usize| {
        let seconds = tally.apart_percentile_s(percent);
        seconds.map_or_else(|| String::from("-"), |seconds| duration(u64::from(seconds) * 1000))
    };
    vec![
        strategy.name().to_owned(),
        format!("{:.1}", tally.conflicts_per_100_pushes()),
        format!("{:.1}", tally.divergences_per_1000_edits()),
        format!("{:.1}", tally.lost_per_1000_edits()),
        format!("{:.1}", tally.asked_per_1000_edits()),
        tally.turned.to_string(),
        format!("{:.1}", tally.extra_per_100_pushes()),
        apart(50),
        apart(95),
        apart(100),
    ]
}

fn write_settings(settings: &Settings, out: &mut impl Write, style: Style) -> io::Result<()> {
    let Settings {
        devices,
        users,
        days,
        edits_per_day,
        offline_hours,
        skew_s,
        resources,
        mix,
        bases,
        seed,
        ..
    } = settings;
    let (devices, users) = (count(*devices as usize, "device"), count(*users as usize, "user"));
    let days = count(*days as usize, "day");
    writeln!(out, "{}", style.heading(format!("Simulation: {devices} of {users}, {days}")))?;
    writeln!(
        out,
        "  {edits_per_day} edits a day and device, offline {offline_hours} h a day, clocks wrong by up to {skew_s} s"
    )?;
    writeln!(out, "  each user begins with {resources} notes, collections and reading sessions each")?;
    writeln!(out, "  edits: {mix}")?;
    let base = if *bases { "records" } else { "does not record" };
    writeln!(out, "  the app {base} with an edit what both sides last agreed on")?;
    writeln!(out, "  seed {seed}: the same edits under every strategy, and the same numbers every time")
}
