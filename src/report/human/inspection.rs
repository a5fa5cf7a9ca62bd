//! An inspection for people: causes, summary, the open pairs, and what to do next.

use std::io::{self, Write};

use super::{count, difference, either, ids, name, shown, value};
use crate::domain::choices;
use crate::domain::diagnosis::{Cause, hidden_kinds};
use crate::domain::duration::duration;
use crate::domain::field::{Base, Choice, Field, FieldShape, Verdict};
use crate::domain::inspect::{Inspection, Pair, Shape, Status};
use crate::domain::json::Json;
use crate::domain::mutation::{Millis, Op, Side};
use crate::domain::naming;
use crate::domain::strategy::{self, Clock};
use crate::domain::window::PullPath;
use crate::domain::words::sentence;
use crate::report::entries::{blocker, server_id, twin};
use crate::report::inspection::{Report, is_open, told};
use crate::report::style::Style;

/// Writes the report; `all` adds the pairs that nobody has to look at.
pub(in crate::report) fn write(
    report: &Report<'_>,
    out: &mut impl Write,
    style: Style,
    all: bool,
) -> io::Result<()> {
    let out = &mut io::BufWriter::new(out);
    let pairs = &report.inspection.pairs;
    write_causes(report, out, style)?;
    write_summary(report, out, style)?;
    write_warnings(&report.all_warnings(), out, style)?;
    let open = pairs.iter().filter(|pair| is_open(pair)).count();
    if open > 0 {
        writeln!(
            out,
            "\n{}",
            style.heading(format_args!("Open: {open} of {}", count(pairs.len(), "resource")))
        )?;
        writeln!(out, "  What stands on one side only is in [brackets].")?;
        for pair in pairs.iter().filter(|pair| is_open(pair)) {
            write_pair(report, pair, out, style, all)?;
        }
    }
    let rest = pairs.len() - open;
    if all && rest > 0 {
        writeln!(
            out,
            "\n{}",
            style.heading(format_args!("The rest: {rest} of {}", count(pairs.len(), "resource")))
        )?;
        for pair in pairs.iter().filter(|pair| !is_open(pair)) {
            write_pair(report, pair, out, style, all)?;
        }
    }
    write_next(report, out, style, all)?;
    out.flush()
}

fn write_causes(report: &Report<'_>, out: &mut impl Write, style: Style) -> io::Result<()> {
    let name = report.inspection.device.identity.name();
    let device = shown(name);
    if report.causes.is_empty() {
        return writeln!(
            out,
            "{}",
            style.heading(format_args!("No reason found why {device} would be stuck"))
        );
    }
    // They come sorted: what a push does not cure first.
    let staying = report.causes.iter().take_while(|cause| cause.stays).count();
    let (stay, settled) = report.causes.split_at(staying);
    if !stay.is_empty() {
        let heading = format!("What still blocks {device} once everything is pushed");
        writeln!(out, "{}", style.heading(heading))?;
        stay.iter().try_for_each(|cause| write_cause(cause, out, style))?;
    }
    if !settled.is_empty() {
        let heading = if stay.is_empty() {
            format!("Why {device} is stuck")
        } else {
            writeln!(out)?;
            String::from("What else keeps it from syncing, and a push settles")
        };
        writeln!(out, "{}", style.heading(heading))?;
        settled.iter().try_for_each(|cause| write_cause(cause, out, style))?;
    }
    Ok(())
}

/// What is the matter, what to do about it, and by which rules it is known.
fn write_cause(cause: &Cause, out: &mut impl Write, style: Style) -> io::Result<()> {
    let evidence = sentence(&cause.evidence);
    let rules: Vec<&str> = cause.rules().collect();
    let rules = format!("[{}]", shown(&rules.join(", ")));
    let evidence = shown(&evidence);
    if cause.stays {
        writeln!(out, "  {}", style.conflict(evidence))?;
    } else {
        writeln!(out, "  {evidence}")?;
    }
    writeln!(out, "    {} {}", shown(&sentence(&cause.next)), style.quiet(rules))
}

fn write_summary(report: &Report<'_>, out: &mut impl Write, style: Style) -> io::Result<()> {
    let Inspection { device, window, summary, ignored, unidentified, .. } = report.inspection;
    writeln!(out, "\n{}", style.heading("Summary"))?;
    let identity = &device.identity;
    let who = [("device", &identity.id), ("user", &identity.user)]
        .into_iter()
        .filter_map(|(word, id)| Some(format!("{word} {}", shown(id.as_deref()?))))
        .collect::<Vec<_>>();
    if !who.is_empty() {
        writeln!(out, "  {}", who.join(", "))?;
    }
    match device.sync.cursor {
        Some(cursor) => write!(out, "  device cursor {cursor}, ")?,
        None => write!(out, "  device cursor lost, ")?,
    }
    writeln!(out, "server head {}{}", window.head, pulled(window.path))?;
    let (queued, wait) =
        (count(summary.queued, "mutation"), if summary.queued == 1 { "waits" } else { "wait" });
    let served = count(window.mutations.len(), "mutation");
    writeln!(out, "  {queued} {wait} on the device; the server has {served} that it has not seen")?;
    let resources = count(report.inspection.pairs.len(), "resource");
    writeln!(
        out,
        "  {resources}: {} diverged (both sides changed it), {} to push, {} to apply, {} converged (nothing to do), {} blocked (cannot be sent)",
        summary.diverged, summary.push, summary.apply, summary.converged, summary.blocked
    )?;
    let also = [
        (
            ignored.len(),
            ["server deletion", "server deletions"],
            "of resources that the device never had: nothing to do",
        ),
        (
            unidentified.len(),
            ["server mutation names", "server mutations name"],
            "no resource and cannot be applied",
        ),
        (window.unreadable.len(), ["entry", "entries"], "of the server's feed cannot be read"),
    ];
    for (number, [one, many], what) in also {
        match number {
            0 => {}
            1 => writeln!(out, "  1 {one} {what}")?,
            _ => writeln!(out, "  {number} {many} {what}")?,
        }
    }
    if !window.not_visible.is_empty() {
        let kinds = hidden_kinds(&window.not_visible);
        writeln!(out, "  not visible with this token, so nothing is known of them: {kinds}")?;
    }
    Ok(())
}

const fn pulled(path: PullPath) -> &'static str {
    match path {
        PullPath::SinceCursor => "",
        PullPath::FirstSync => "; the account has no sync history",
        PullPath::LostCursor | PullPath::CursorAhead | PullPath::RefusedSince => {
            "; everything was pulled from 0"
        }
    }
}

pub(in crate::report) fn write_warnings(
    warnings: &[String],
    out: &mut impl Write,
    style: Style,
) -> io::Result<()> {
    if !warnings.is_empty() {
        writeln!(out, "\n{}", style.heading("Warnings"))?;
    }
    warnings.iter().try_for_each(|warning| writeln!(out, "  {}", shown(warning)))
}

fn write_pair(
    report: &Report<'_>,
    pair: &Pair,
    out: &mut impl Write,
    style: Style,
    all: bool,
) -> io::Result<()> {
    let inspection = report.inspection;
    let details = inspection.details(pair);
    let status = match pair.status {
        Status::Diverged | Status::Blocked => style.conflict(pair.status.word()),
        Status::Converged | Status::Push | Status::Apply => style.quiet(pair.status.word()),
    };
    let sura = naming::sura(inspection, pair).map(|name| format!(" ({name})")).unwrap_or_default();
    let heading = style.heading(name(inspection, pair));
    writeln!(out, "\n  {heading}{sura}: {status}, {}", in_words(pair.shape))?;
    write_members(inspection, pair, out, style)?;
    if let Some(blocked) = pair.blocked {
        let parent = blocker(inspection, pair).map(|parent| format!(": {}", name(inspection, parent)));
        writeln!(out, "    {}{}", blocked.reason(), parent.unwrap_or_default())?;
    }
    if let Some(contradiction) = pair.contradiction {
        writeln!(out, "    {}: what is meant is for a person to say", contradiction.reason())?;
    }
    if let Some(twin) = twin(inspection, pair) {
        let twin = shown(&twin).into_owned();
        writeln!(out, "    may be on the server already as {twin}, but several queue entries look like it")?;
    }
    if let Some(rival) = &pair.rival {
        writeln!(out, "    {}: {}", style.conflict(rival.contest.word()), shown(&rival.words()))?;
    }
    if pair.status == Status::Diverged
        && let Some(clock) = strategy::clock(inspection, pair)
    {
        writeln!(out, "    {}", clock_words(clock, report.now))?;
    }
    for field in told(pair, &details).filter(|field| all || says_something(pair, field)) {
        write_field(pair, field, out, style)?;
    }
    Ok(())
}

/// `device update, server delete`.
fn in_words(shape: Shape) -> String {
    let op = |op: Option<Op>| op.map_or("nothing", Op::word);
    let before = shape.before.map(|before| format!("{} then ", before.word())).unwrap_or_default();
    format!("device {before}{}, server {}", op(shape.device), op(shape.server))
}

fn write_members(inspection: &Inspection, pair: &Pair, out: &mut impl Write, style: Style) -> io::Result<()> {
    let mut sides = Vec::new();
    if !pair.device.is_empty() {
        let queued = ids(inspection.queued(pair).map(|m| &m.id));
        sides.push(style.side(Side::Device, format!("device {queued}")).to_string());
    }
    if !pair.server.is_empty() {
        let served = ids(inspection.served(pair).map(|m| server_id(m).unwrap_or_else(|| pair.key.clone())));
        let echo = if pair.echo { ", this device's own write coming back" } else { "" };
        sides.push(style.side(Side::Server, format!("server {served}{echo}")).to_string());
    }
    writeln!(out, "    {}", sides.join("; "))
}

fn clock_words(clock: Clock, now: Millis) -> String {
    let stamp = |side: Side, at: Millis| {
        let ahead = if at > now { " (in the future)" } else { "" };
        format!("{} {}{ahead}", side.name(), at.to_iso())
    };
    let margin = match clock.margin_ms() {
        0 => String::from("the same time"),
        ms => format!("{} newer by {}", clock.winner().name(), duration(ms)),
    };
    let mixed = if clock.mixed { "; mixed-clock: two different clocks" } else { "" };
    format!(
        "written: {}, {}; {margin}; {}{mixed}",
        stamp(Side::Device, clock.device),
        stamp(Side::Server, clock.server),
        clock.sensitivity()
    )
}

/// Whether a field is worth a person's time where not everything is asked for.
fn says_something(pair: &Pair, field: &Field) -> bool {
    pair.open.contains(&field.path)
        || match (field.shape, field.verdict) {
            (FieldShape::Bookkeeping, _) => {
                [Side::Device, Side::Server].iter().any(|side| field.misread(*side).is_some())
            }
            (_, Verdict::Equal) => false,
            (_, Verdict::DeviceOnly | Verdict::ServerOnly | Verdict::SameChange | Verdict::Conflict) => true,
        }
}

fn write_field(pair: &Pair, field: &Field, out: &mut impl Write, style: Style) -> io::Result<()> {
    let label = field.path.label();
    let label = shown(&label);
    let base = match (&field.base, field.verdict) {
        (_, Verdict::Conflict) if field.against.is_some() => "",
        (Base::Absent, Verdict::Conflict) if field.shape != FieldShape::Existence => ", no base recorded",
        (Base::Recorded(_), Verdict::Conflict) if field.settled().is_some() => {
            ", both fit together by the base"
        }
        (Base::Absent | Base::Recorded(_), _) => "",
    };
    let verdict = match field.verdict {
        Verdict::Conflict => style.conflict(field.verdict.word()),
        Verdict::Equal | Verdict::DeviceOnly | Verdict::ServerOnly | Verdict::SameChange => {
            style.quiet(field.verdict.word())
        }
    };
    writeln!(out, "    {label}: {verdict}{base}{}", misread(field))?;
    if let Base::Recorded(base) = &field.base {
        write_value("base", &value::lines(base), out)?;
    }
    for (side, lines) in difference::sides(field, style) {
        write_value(style.side(side, side.name()), &lines, out)?;
    }
    if pair.open.contains(&field.path) || pair.contends_for(&field.path) {
        let words = choices::offered(pair, field);
        writeln!(out, "      choose: {}", either(&words))?;
        for word in words {
            let choice = match word {
                "device" => Choice::Device,
                "server" => Choice::Server,
                "both" => Choice::Both,
                _ => Choice::Edited(Json::Null),
            };
            if let Some(meaning) = pair.contest().and_then(|rival| rival.meaning(&field.path, &choice)) {
                writeln!(out, "        {word}: {meaning}")?;
            }
        }
    }
    Ok(())
}

/// Why a client's time of either side tells nothing.
fn misread(field: &Field) -> String {
    let told = [Side::Device, Side::Server].into_iter().filter_map(|side| {
        let why = field.misread(side)?;
        Some(format!(", the {}'s {why}", side.name()))
    });
    told.collect()
}

/// `device: text`, or the lines of the text below.
pub(super) fn write_value(
    label: impl std::fmt::Display,
    lines: &[String],
    out: &mut impl Write,
) -> io::Result<()> {
    match lines {
        [one] => writeln!(out, "      {label}: {one}"),
        lines => {
            writeln!(out, "      {label}:")?;
            lines.iter().try_for_each(|line| writeln!(out, "        {line}"))
        }
    }
}

fn write_next(report: &Report<'_>, out: &mut impl Write, style: Style, all: bool) -> io::Result<()> {
    let summary = &report.inspection.summary;
    writeln!(out, "\n{}", style.heading("Next"))?;
    let again = report.again;
    if summary.diverged > 0 {
        writeln!(out, "  Choose field by field on the screen:")?;
        writeln!(out, "    {}", again.command("open", &[]))?;
        writeln!(
            out,
            "  Or see what a rule would send, keep and lose (merge, server-wins, client-wins, last-write-wins):"
        )?;
        writeln!(out, "    {}", again.command("plan", &["--strategy", "merge"]))?;
    } else if summary.push + summary.apply > 0 {
        writeln!(out, "  Nothing needs a choice. See what retrying the sync would do:")?;
        writeln!(out, "    {}", again.command("plan", &["--strategy", "merge"]))?;
    } else {
        writeln!(out, "  Nothing needs a choice.")?;
    }
    let rest = summary.converged + summary.push + summary.apply;
    if !all && rest > 0 {
        let (pairs, need) = if rest == 1 {
            (String::from("1 more resource"), "needs")
        } else {
            (count(rest, "more resource"), "need")
        };
        writeln!(out, "  See {pairs} that {need} no choice:")?;
        writeln!(out, "    {}", again.command("inspect", &["--all"]))?;
    }
    Ok(())
}
