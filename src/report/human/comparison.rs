//! The four strategies side by side for people: a table of what each costs, then what each would leave.

use std::io::{self, Write};

use super::table::Table;
use super::{count, name, shown, value};
use crate::domain::compare::{
    CLOCK_ERRORS_MS, Comparison, Fleet, Flip, Keeps, Leaves, Line, OfKind, Totals, place,
};
use crate::domain::duration::duration;
use crate::domain::field::FieldPath;
use crate::domain::inspect::Inspection;
use crate::domain::json::Json;
use crate::domain::settle::Loss;
use crate::domain::strategy::Strategy;
use crate::report::comparison::{OfDevice, Report};
use crate::report::style::Style;

/// Writes the report.
pub(in crate::report) fn write(report: &Report<'_>, out: &mut impl Write, style: Style) -> io::Result<()> {
    let out = &mut io::BufWriter::new(out);
    for device in report.devices {
        write_device(device, out, style)?;
    }
    if report.devices.len() > 1 {
        let devices = count(report.fleet.devices, "device");
        writeln!(out, "{}", style.heading(format!("{devices} together")))?;
        write_totals(&report.fleet.totals, out)?;
        writeln!(out)?;
    }
    write_kinds(report.fleet, out, style)?;
    write_next(report, out, style)?;
    out.flush()
}

fn write_device(device: &OfDevice<'_>, out: &mut impl Write, style: Style) -> io::Result<()> {
    let OfDevice { file, inspection, comparison, .. } = *device;
    let name = inspection.device.identity.name();
    let (name, file) = (shown(name), shown(file));
    writeln!(out, "{}", style.heading(format!("The four strategies on {name} ({file})")))?;
    writeln!(
        out,
        "  {} queued on the device, {} in the server's window, {} diverged. Nothing was sent.",
        inspection.summary.queued, inspection.summary.window, inspection.summary.diverged
    )?;
    for warning in device.all_warnings() {
        writeln!(out, "  {}", shown(&warning))?;
    }
    writeln!(out)?;
    write_totals(&comparison.columns.each_ref().map(|column| column.totals), out)?;
    if !comparison.rows.is_empty() {
        writeln!(out, "\n{}", style.heading("What each would leave"))?;
    }
    for row in &comparison.rows {
        let pair = inspection.pair(row.pair);
        writeln!(out, "\n  {}: {}", style.heading(super::name(inspection, pair)), pair.shape)?;
        if row.lines.is_empty() {
            writeln!(out, "    {}", comparison.alike(row.pair))?;
        }
        for line in &row.lines {
            write_line(comparison, line, out, style)?;
        }
    }
    write_flips(inspection, comparison, out, style)?;
    writeln!(out)
}

fn write_totals(totals: &[Totals; 4], out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new(std::iter::once("").chain(Strategy::ALL.map(Strategy::name)));
    let mut row = |what: &str, of: fn(&Totals) -> usize| {
        table.row(std::iter::once(what.to_owned()).chain(totals.iter().map(|total| of(total).to_string())));
    };
    row("mutations pushed", |total| total.pushed);
    row("server mutations applied", |total| total.applied);
    row("device changes lost", |total| total.lost_device);
    row("server changes lost", |total| total.lost_server);
    row("fields left open", |total| total.open);
    row("mutations left in the queue", |total| total.held);
    row("requests needed", Totals::requests);
    table.write(out)
}

/// What each strategy leaves of a field; strategies that leave the same are told together.
fn write_line(comparison: &Comparison, line: &Line, out: &mut impl Write, style: Style) -> io::Result<()> {
    writeln!(out, "    {}", shown(&line.path.label()))?;
    let mut told = [false; 4];
    for strategy in Strategy::ALL {
        let at = place(strategy);
        if told[at] {
            continue;
        }
        let leaves = &line.leaves[at];
        let lost = comparison.lost(strategy, leaves);
        let alike: Vec<&str> = Strategy::ALL
            .into_iter()
            .filter(|other| {
                let theirs = &line.leaves[place(*other)];
                theirs.keeps == leaves.keeps
                    && theirs.value == leaves.value
                    && comparison.lost(*other, theirs) == lost
            })
            .map(|other| {
                told[place(other)] = true;
                other.name()
            })
            .collect();
        writeln!(out, "      {}: {}", alike.join(", "), kept(&line.path, leaves))?;
        for (at, loss) in leaves.lost.clone().zip(lost) {
            write_loss(loss, comparison.column(strategy).is_line(at), out, style)?;
        }
    }
    Ok(())
}

fn kept(path: &FieldPath, leaves: &Leaves) -> String {
    let shown = |value: &Json| value::lines(value).join(" / ");
    match (leaves.keeps, &leaves.value) {
        (Keeps::Open, _) => String::from("open, waits for a person"),
        (Keeps::Gone, _) => String::from("nothing, the resource is deleted"),
        (Keeps::Device | Keeps::Server, Some(Json::String(op))) if path.is_existence() => {
            format!("{}, {}", leaves.keeps.word(), if op == "DELETE" { "deleted" } else { "it stays" })
        }
        (Keeps::Server, None) if path.is_existence() => String::from("server, it is not sent"),
        (keeps, Some(value)) => format!("{}, {}", keeps.word(), shown(value)),
        (keeps, None) => format!("{}, which says nothing here", keeps.word()),
    }
}

/// A line of the ledger, or what goes with one.
fn write_loss(loss: &Loss, is_line: bool, out: &mut impl Write, style: Style) -> io::Result<()> {
    let text = if loss.path.is_existence() { loss.words() } else { value::lines(&loss.value).join(" / ") };
    let how = if is_line { "lost" } else { "with it" };
    writeln!(out, "        {how}, {}: {}", style.side(loss.side, loss.side.name()), style.struck(text))
}

fn write_flips(
    inspection: &Inspection,
    comparison: &Comparison,
    out: &mut impl Write,
    style: Style,
) -> io::Result<()> {
    if comparison.flips.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style.heading("How much last-write-wins hangs on the device's clock"))?;
    for flip in &comparison.flips {
        writeln!(out, "  {}", flip_words(inspection, flip))?;
    }
    let winners = comparison.flips.len();
    let turned: Vec<String> = CLOCK_ERRORS_MS
        .into_iter()
        .map(|ms| format!("{} at {}", comparison.flipped_within(ms), duration(ms.unsigned_abs())))
        .collect();
    writeln!(
        out,
        "  Of {}, so many flip when the clock is wrong by up to this, fast or slow: {}",
        count(winners, "winner"),
        turned.join(", ")
    )
}

fn flip_words(inspection: &Inspection, flip: &Flip) -> String {
    let margin = match flip.clock.margin_ms() {
        0 => String::from("both at the same time, the server stands"),
        ms => format!("{} newer by {}", flip.clock.winner().name(), duration(ms)),
    };
    let mixed = if flip.clock.mixed { "; two different clocks" } else { "" };
    format!(
        "{}: {margin}; flips if the device's clock is {} s {}{mixed}",
        name(inspection, inspection.pair(flip.pair)),
        flip.seconds(),
        flip.direction()
    )
}

fn write_kinds(fleet: &Fleet, out: &mut impl Write, style: Style) -> io::Result<()> {
    if fleet.kinds.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", style.heading("Kind by kind, the strategy that loses least"))?;
    for (kind, of_kind) in &fleet.kinds {
        let kind = shown(kind.wire());
        let divergences = count(of_kind.divergences, "divergence");
        let least = of_kind.loses_least();
        write!(out, "  {kind}, {divergences}: {}", cost(of_kind, least))?;
        match of_kind.loses_least_unattended() {
            Some(strategy) if strategy != least => {
                writeln!(out, "; where nobody is there to ask: {}", cost(of_kind, strategy))?;
            }
            Some(_) => writeln!(out)?,
            None => writeln!(out, "; none of the four decides all of them")?,
        }
    }
    writeln!(out)
}

/// `merge loses nothing and leaves 2 fields open`.
fn cost(of_kind: &OfKind, strategy: Strategy) -> String {
    let at = place(strategy);
    let lost = match of_kind.lost[at] {
        0 => String::from("nothing"),
        lost => count(lost, "change"),
    };
    match of_kind.open[at] {
        0 => format!("{strategy} loses {lost}"),
        open => format!("{strategy} loses {lost} and leaves {} open", count(open, "field")),
    }
}

fn write_next(report: &Report<'_>, out: &mut impl Write, style: Style) -> io::Result<()> {
    writeln!(out, "{}", style.heading("Next"))?;
    if report.devices.iter().all(|device| device.comparison.rows.is_empty()) {
        return writeln!(out, "  Nothing diverges: the four strategies do the same.");
    }
    let mut diverging = report.devices.iter().filter(|device| !device.comparison.rows.is_empty());
    let Some(device) = diverging.next() else { return Ok(()) };
    let which = if diverging.next().is_some() { ", for the first of these devices" } else { "" };
    writeln!(out, "  See one of them in full, with all that it would lose{which}:")?;
    writeln!(out, "    {}", device.again.command("plan", &["--strategy", "merge"]))?;
    writeln!(out, "  See the same side by side on the screen, and choose field by field:")?;
    writeln!(out, "    {}", device.again.command("open", &[]))
}
