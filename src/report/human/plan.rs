//! A plan for people: what is sent POST by POST, applied, dropped, held, open, what is lost, what to do next.

use std::collections::HashMap;
use std::io::{self, Write};

use super::inspection::{write_value, write_warnings};
use super::{count, ids, labelled, name, shown, value};
use crate::domain::inspect::Pair;
use crate::domain::mutation::{ServerMutation, WireMutation};
use crate::domain::plan::{Left, Warning};
use crate::domain::resolution::Unit;
use crate::domain::{ledger, naming};
use crate::report::plan::{By, Report, wire};
use crate::report::style::Style;

/// Writes the report.
pub(in crate::report) fn write(report: &Report<'_>, out: &mut impl Write, style: Style) -> io::Result<()> {
    let mut writer = Writer { report, out: io::BufWriter::new(out), style };
    writer.all()?;
    writer.out.flush()
}

struct Writer<'a, W: Write> {
    report: &'a Report<'a>,
    out: io::BufWriter<W>,
    style: Style,
}

impl<W: Write> Writer<'_, W> {
    fn all(&mut self) -> io::Result<()> {
        let plan = self.report.plan;
        let device = self.report.inspection.device.identity.name();
        let by = match self.report.by {
            By::Strategy(strategy) => format!("with strategy {strategy}"),
            By::Choices(file) => format!("with the choices of {}", shown(file)),
        };
        let title = format!("Plan for {} {by}", shown(device));
        writeln!(self.out, "{}", self.style.heading(title))?;
        writeln!(self.out, "  Nothing was sent.")?;
        write_warnings(&self.report.all_warnings(), &mut self.out, self.style)?;
        self.cautions()?;
        self.sent()?;
        self.applied()?;
        self.left("To drop from the queue", &plan.drop)?;
        self.left("Stays in the queue", &plan.hold)?;
        self.units("Open", "", &plan.open)?;
        self.units("Reopened", ", chosen on values that are no longer there", self.report.reopened)?;
        self.ledger()?;
        self.next()
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "\n{}", self.style.heading(text))
    }

    fn cautions(&mut self) -> io::Result<()> {
        let cautions = &self.report.plan.warnings;
        if cautions.is_empty() {
            return Ok(());
        }
        self.heading("Look at this before it is sent")?;
        for Warning { pair, path, rule, text } in cautions {
            let name =
                pair.map(|pair| self.name(self.report.inspection.pair(pair)) + ": ").unwrap_or_default();
            let path = path.as_ref().map(|path| format!("{}: ", shown(&path.label())));
            let path = path.unwrap_or_default();
            let rule = rule.map(|rule| format!(" [{}]", rule.name())).unwrap_or_default();
            writeln!(self.out, "  {name}{path}{}{rule}", shown(text))?;
        }
        Ok(())
    }

    fn sent(&mut self) -> io::Result<()> {
        let plan = self.report.plan;
        let posts = count(plan.batches.len(), "POST");
        self.heading(&format!("To send: {} in {posts}", count(plan.pushed(), "mutation")))?;
        for (at, batch) in plan.batches.iter().enumerate() {
            let head = match batch.last_mutation_at {
                Some(head) => format!("lastMutationAt {head}"),
                None => format!("lastMutationAt as POST {at} answers"),
            };
            writeln!(self.out, "  POST {}, {}, {head}", at + 1, batch.phase.words())?;
            for item in &batch.items {
                let pair = self.report.inspection.pair(item.pair);
                let name = name(self.report.inspection, pair);
                let wire = wire(item);
                let op = wire.op.wire();
                if !item.members.is_empty() {
                    writeln!(self.out, "    {op} {name}, from {}", ids(&item.members))?;
                } else if wire.kind == pair.kind {
                    writeln!(self.out, "    {op} {name}, for {}", ids(&item.sake))?;
                } else {
                    let kind = shown(wire.kind.wire());
                    writeln!(self.out, "    {op} {kind}, for {} of {name}", ids(&item.sake))?;
                }
                self.request(&wire)?;
            }
        }
        Ok(())
    }

    /// What the request says besides what it does and to which kind.
    fn request(&mut self, wire: &WireMutation) -> io::Result<()> {
        if let Some(id) = &wire.resource_id {
            writeln!(self.out, "      resourceId: {}", shown(id.as_str()))?;
        }
        for (name, value) in wire.data.members() {
            write_value(shown(&name), &value::lines(&value), &mut self.out)?;
        }
        Ok(())
    }

    fn applied(&mut self) -> io::Result<()> {
        let applied: Vec<&ServerMutation> = self.report.applied().collect();
        if applied.is_empty() {
            return Ok(());
        }
        self.heading(&format!("To apply to the device: {}", count(applied.len(), "server mutation")))?;
        let mut pairs: HashMap<usize, &Pair> = HashMap::new();
        for pair in &self.report.inspection.pairs {
            pairs.extend(pair.server.iter().map(|position| (*position, pair)));
        }
        for (position, mutation) in self.report.plan.apply.iter().zip(applied) {
            let label = match pairs.get(position) {
                Some(pair) => naming::label(self.report.inspection, pair),
                None => naming::served_label(self.report.inspection, mutation),
            };
            let (label, at) = (labelled(&label), mutation.timestamp.to_iso());
            writeln!(self.out, "  {} {label}, of {at}", mutation.op.wire())?;
        }
        Ok(())
    }

    fn left(&mut self, what: &str, all: &[Left]) -> io::Result<()> {
        if all.is_empty() {
            return Ok(());
        }
        let number = all.iter().map(|left| left.device.len()).sum();
        self.heading(&format!("{what}: {}", count(number, "mutation")))?;
        for left in all {
            let name = self.name(self.report.inspection.pair(left.pair));
            let reason = shown(&left.reason);
            writeln!(self.out, "  {} of {name}: {reason}", ids(&left.device))?;
        }
        Ok(())
    }

    fn units(&mut self, what: &str, why: &str, units: &[Unit]) -> io::Result<()> {
        if units.is_empty() {
            return Ok(());
        }
        self.heading(&format!("{what}: {}{why}", count(units.len(), "field")))?;
        for unit in units {
            let name = self.name(self.report.inspection.pair(unit.pair));
            writeln!(self.out, "  {name}: {}", shown(&unit.path.label()))?;
        }
        Ok(())
    }

    fn ledger(&mut self) -> io::Result<()> {
        let ledger = &self.report.plan.ledger;
        if ledger.is_empty() {
            return self.heading("Would be lost: nothing");
        }
        let lines = ledger::lines(ledger);
        self.heading(&format!("Would be lost: {}", count(lines.len(), "change")))?;
        for line in &lines {
            let Some(loss) = ledger.get(line.at) else { continue };
            let label = loss.label();
            let name = labelled(&label);
            let (what, whose) = (loss.what(), self.style.side(loss.side, loss.side.name()));
            writeln!(self.out, "  {name}: {whose}, {}, {}", shown(&what), loss.reason)?;
            for loss in line.all(ledger).filter(|loss| !loss.path.is_existence()) {
                let label = loss.path.label();
                write_value(shown(&label), &value::lines(&loss.value), &mut self.out)?;
            }
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<()> {
        let Report { plan, inspection, by, .. } = *self.report;
        self.heading("Next")?;
        let again = self.report.again;
        if !plan.open.is_empty() {
            let (fields, wait) =
                (count(plan.open.len(), "field"), if plan.open.len() == 1 { "waits" } else { "wait" });
            writeln!(
                self.out,
                "  {fields} {wait} for a choice: make it on the screen, or in a file for --choices."
            )?;
            writeln!(self.out, "    {}", again.command("open", &[]))?;
        }
        let by = match by {
            By::Strategy(strategy) => ["--strategy", strategy.name()],
            By::Choices(file) => ["--choices", file],
        };
        if plan.pushed() + plan.apply.len() + plan.drop.len() == 0 {
            writeln!(self.out, "  There is nothing to send and nothing to apply.")?;
        } else if again.is_live() {
            writeln!(self.out, "  Do what stands here:")?;
            writeln!(self.out, "    {}", again.command("push", &[by[0], by[1], "--yes"]))?;
        } else {
            writeln!(
                self.out,
                "  This was planned on a recording. To do what stands here, unstick push needs the server itself (--server)."
            )?;
        }
        if plan.moves_cursor {
            return writeln!(self.out, "  The device's cursor then moves to the new head.");
        }
        let why = if !inspection.window.not_visible.is_empty() {
            "the token does not see every kind, and the next pull must show the others"
        } else if plan.open.is_empty() {
            "entries of the server's feed could not be read or name no resource"
        } else {
            "the next pull must show again what is open"
        };
        match inspection.device.sync.cursor {
            Some(cursor) => writeln!(self.out, "  The device's cursor then stays at {cursor}: {why}."),
            None => writeln!(self.out, "  The device then still has no cursor: {why}."),
        }
    }

    fn name(&self, pair: &Pair) -> String {
        name(self.report.inspection, pair)
    }
}
