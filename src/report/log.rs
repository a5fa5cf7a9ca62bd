//! What the conflict log comes to, for people, for programs (`unstick.log/1`, schema in `assets/schemas/log-1.json`)
//! and for spreadsheets; and its rows.

use std::fmt;
use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::human::count;
use super::human::shown;
use super::lines;
use super::style::Style;
use crate::conflict_log::event::{COLUMNS, Cell, Event, date};
use crate::conflict_log::summary::{Count, Filter, Summary};
use crate::domain::safe_text::{visible_json, visible_line};

/// The `schema` of the JSON form.
pub const SCHEMA: &str = "unstick.log/1";

/// How many entries of a list people see.
const SHOWN: usize = 30;

/// A summary and what it is of.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What the log comes to.
    pub summary: &'a Summary,
    /// Which part of it.
    pub filter: &'a Filter,
    /// Which log, in a few words.
    pub of: &'a str,
}

impl Report<'_> {
    /// Writes the form for people.
    pub fn write_human(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        let out = &mut io::BufWriter::new(out);
        let Summary { conflicts, resolved, median_ms, inspections, caught, pushes, posts, refused, .. } =
            *self.summary;
        let title = format!("{}: {}", shown(self.of), self.scope());
        writeln!(out, "{}", style.heading(title))?;
        writeln!(out, "  {}, {resolved} of them settled", count_of(conflicts, "conflict"))?;
        writeln!(
            out,
            "  {} with a divergence, {caught} of a device that was answered 409",
            count_of(inspections, "inspection")
        )?;
        let word = if pushes == 1 { "push" } else { "pushes" };
        writeln!(
            out,
            "  {pushes} {word} with {}, {refused} answered 409{}",
            count_of(posts, "POST"),
            share(refused, posts)
        )?;
        if let Some(median) = median_ms {
            writeln!(
                out,
                "  Half of the settled ones took no longer than {} from the first inspection that showed them to the push",
                Span(median)
            )?;
        }
        let days: Vec<Count> =
            self.summary.days.iter().map(|(day, count)| Count { value: date(*day), count: *count }).collect();
        write_list(out, style, "Conflicts by day (UTC)", &days, true)?;
        write_list(out, style, "By device", &self.summary.devices, false)?;
        write_list(out, style, "By kind", &self.summary.kinds, false)?;
        write_list(out, style, "By what was done (device/server)", &self.summary.shapes, false)?;
        write_list(
            out,
            style,
            "By cause (one counts under each cause of its inspection)",
            &self.summary.causes,
            false,
        )?;
        write_list(out, style, "What was chosen of the settled ones", &self.summary.choices, false)?;
        write_list(out, style, "Who or what chose", &self.summary.strategies, false)?;
        self.write_intervals(out, style)?;
        out.flush()
    }

    fn write_intervals(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        let gaps = self.summary.gaps;
        if gaps == 0 {
            return Ok(());
        }
        writeln!(out, "\n{}", style.heading("What more frequent syncs would have avoided"))?;
        for interval in &self.summary.intervals {
            let (every, avoided) = (Span(interval.every_ms).to_string(), interval.avoided);
            writeln!(out, "  a sync every {every:<7} {avoided} of {gaps}{}", share(avoided, gaps))?;
        }
        if let Some(advice) = self.summary.advice {
            let percent = advice.percent;
            if advice.every_ms < 1000 {
                writeln!(
                    out,
                    "  No interval would have avoided {percent} %: too many were written within a second."
                )?;
            } else {
                writeln!(
                    out,
                    "  To avoid {percent} %: a sync at least every {}.",
                    Span(advice.every_ms / 1000 * 1000)
                )?;
            }
        }
        writeln!(
            out,
            "  Counted as avoided: the device's first edit and the server's write lie at least that far apart, so that"
        )?;
        writeln!(
            out,
            "  a sync falls between them and the later one is made on top of the earlier one. It is the most that can"
        )?;
        writeln!(
            out,
            "  be hoped for: a device that is offline cannot sync, and two clocks are held against each other."
        )
    }

    fn scope(&self) -> String {
        let Filter { since, device, demos } = self.filter;
        let mut words = Vec::new();
        if *demos {
            words.push(String::from("demos"));
        }
        if let Some(device) = device {
            words.push(format!("device {}", shown(device)));
        }
        words.push(
            since.map_or_else(|| String::from("all that it holds"), |day| format!("since {}", date(day))),
        );
        words.join(", ")
    }

    /// Writes the JSON form.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        lines::write(out, self)
    }

    /// Writes one table: what is counted, its value, the count.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        let out = &mut io::BufWriter::new(out);
        let summary = self.summary;
        writeln!(out, "of,value,count")?;
        let totals = [
            ("conflicts", summary.conflicts),
            ("resolved", summary.resolved),
            ("inspections", summary.inspections),
            ("inspectionsAfter409", summary.caught),
            ("pushes", summary.pushes),
            ("posts", summary.posts),
            ("posts409", summary.refused),
            ("conflictsWithGap", summary.gaps),
        ];
        for (name, count) in totals {
            write_row(out, &[Cell::Text("total"), Cell::Text(name), number(count)])?;
        }
        if let Some(median) = summary.median_ms {
            write_row(out, &[Cell::Text("total"), Cell::Text("medianToResolveMs"), Cell::Number(median)])?;
        }
        for (day, count) in &summary.days {
            write_row(out, &[Cell::Text("day"), Cell::Text(&date(*day)), number(*count)])?;
        }
        for (of, counts) in self.lists() {
            for Count { value, count } in counts {
                write_row(out, &[Cell::Text(of), Cell::Text(value), number(*count)])?;
            }
        }
        for interval in &summary.intervals {
            let every = interval.every_ms.to_string();
            write_row(
                out,
                &[Cell::Text("avoidedByIntervalMs"), Cell::Text(&every), number(interval.avoided)],
            )?;
        }
        if let Some(advice) = summary.advice {
            let percent = advice.percent.to_string();
            let row =
                [Cell::Text("intervalMsForPercent"), Cell::Text(&percent), Cell::Number(advice.every_ms)];
            write_row(out, &row)?;
        }
        out.flush()
    }

    fn lists(&self) -> [(&'static str, &[Count]); 6] {
        let summary = self.summary;
        [
            ("device", &summary.devices),
            ("kind", &summary.kinds),
            ("shape", &summary.shapes),
            ("cause", &summary.causes),
            ("choice", &summary.choices),
            ("strategy", &summary.strategies),
        ]
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let summary = self.summary;
        let per = |count: u64, of: u64| (of > 0).then(|| count as f64 / of as f64);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("log", self.of)?;
        map.serialize_entry("since", &self.filter.since.map(date))?;
        map.serialize_entry("device", &self.filter.device)?;
        map.serialize_entry("demos", &self.filter.demos)?;
        map.serialize_entry("conflicts", &summary.conflicts)?;
        map.serialize_entry("resolved", &summary.resolved)?;
        map.serialize_entry("medianToResolveMs", &summary.median_ms)?;
        map.serialize_entry("inspections", &summary.inspections)?;
        map.serialize_entry("inspectionsAfter409", &summary.caught)?;
        map.serialize_entry("pushes", &summary.pushes)?;
        map.serialize_entry("posts", &summary.posts)?;
        map.serialize_entry("posts409", &summary.refused)?;
        map.serialize_entry("rate409", &per(summary.refused, summary.posts))?;
        let days: Vec<Counted> =
            summary.days.iter().map(|(day, count)| Counted { value: date(*day), count: *count }).collect();
        map.serialize_entry("byDay", &days)?;
        let names = ["byDevice", "byKind", "byShape", "byCause", "byChoice", "byStrategy"];
        for (name, (_, counts)) in names.into_iter().zip(self.lists()) {
            let counts: Vec<Counted> = counts
                .iter()
                .map(|count| Counted { value: count.value.clone(), count: count.count })
                .collect();
            map.serialize_entry(name, &counts)?;
        }
        map.serialize_entry("conflictsWithGap", &summary.gaps)?;
        let intervals: Vec<OfInterval> = summary
            .intervals
            .iter()
            .map(|interval| OfInterval {
                every_ms: interval.every_ms,
                avoided: interval.avoided,
                share: per(interval.avoided, summary.gaps),
            })
            .collect();
        map.serialize_entry("avoidedByInterval", &intervals)?;
        let advice =
            summary.advice.map(|advice| Wanted { percent: advice.percent, every_ms: advice.every_ms });
        map.serialize_entry("interval", &advice)?;
        map.end()
    }
}

#[derive(Serialize)]
struct Counted {
    value: String,
    count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfInterval {
    every_ms: i64,
    avoided: u64,
    share: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    percent: u8,
    every_ms: i64,
}

/// Writes the names of a row's columns.
pub fn write_columns(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))
}

/// Writes a row as comma-separated values.
pub fn write_event_csv(out: &mut impl Write, event: &Event) -> io::Result<()> {
    write_row(out, &event.cells())
}

/// Writes a row as a JSON object on a line.
pub fn write_event_json(out: &mut impl Write, event: &Event) -> io::Result<()> {
    let line = serde_json::to_string(event)?;
    writeln!(out, "{}", visible_json(&line))
}

/// A line of comma-separated values (RFC 4180).
fn write_row(out: &mut impl Write, cells: &[Cell<'_>]) -> io::Result<()> {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        match cell {
            Cell::Empty => {}
            Cell::Number(number) => write!(out, "{number}")?,
            Cell::Text(text) => {
                let text = visible_line(text);
                if text.contains([',', '"', ' ']) {
                    write!(out, "\"{}\"", text.replace('"', "\"\""))?;
                } else {
                    out.write_all(text.as_bytes())?;
                }
            }
        }
    }
    out.write_all(b"\n")
}

fn number(count: u64) -> Cell<'static> {
    Cell::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

fn write_list(
    out: &mut impl Write,
    style: Style,
    title: &str,
    counts: &[Count],
    newest: bool,
) -> io::Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style.heading(title))?;
    let hidden = counts.len().saturating_sub(SHOWN);
    // Of days the last ones are looked at, of anything else the most frequent ones.
    let shown = if newest { &counts[hidden..] } else { &counts[..counts.len() - hidden] };
    if newest && hidden > 0 {
        writeln!(out, "  {hidden} earlier: see --format json")?;
    }
    let width = shown.iter().map(|count| count.count.to_string().len()).max().unwrap_or_default();
    for Count { value, count } in shown {
        writeln!(out, "  {count:>width$}  {}", super::human::shown(value))?;
    }
    if !newest && hidden > 0 {
        writeln!(out, "  {hidden} more: see --format json")?;
    }
    Ok(())
}

fn count_of(number: u64, one: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), one)
}

/// ` (14.1 %)`; nothing where there is nothing to take a share of.
fn share(part: u64, all: u64) -> String {
    if all == 0 { String::new() } else { format!(" ({:.1} %)", part as f64 * 100.0 / all as f64) }
}

/// A length of time in its two largest units: `45 s`, `2 h 5 min`, `3 d`.
struct Span(i64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        let (large, unit, small, smaller) = match seconds {
            ..60 => return write!(f, "{seconds} s"),
            60..3600 => (seconds / 60, "min", seconds % 60, "s"),
            3600..86_400 => (seconds / 3600, "h", seconds % 3600 / 60, "min"),
            86_400.. => (seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
        };
        write!(f, "{large} {unit}")?;
        if small > 0 { write!(f, " {small} {smaller}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_days_are_written_as_people_say_them() {
        let spans =
            [0, 59_999, 60_000, 95_000, 7_500_000, 86_400_000, 93_600_000].map(|ms| Span(ms).to_string());
        assert_eq!(spans, ["0 s", "59 s", "1 min", "1 min 35 s", "2 h 5 min", "1 d", "1 d 2 h"]);
        assert_eq!(
            (date(0), date(-1), date(20_600)),
            ("1970-01-01".into(), "1969-12-31".into(), "2026-05-27".into())
        );
        assert!(date(i64::MAX).starts_with("day "));
    }

    #[test]
    fn a_value_with_a_comma_or_a_quote_stays_one_value() {
        let mut line = Vec::new();
        let cells = [Cell::Text("a,\"b\""), Cell::Empty, Cell::Number(-3), Cell::Text("\u{1b}[31m")];
        write_row(&mut line, &cells).expect("memory takes everything");
        assert_eq!(String::from_utf8_lossy(&line), "\"a,\"\"b\"\"\",,-3,␛[31m\n");
    }
}
