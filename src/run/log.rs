//! `unstick log`: what the conflict log comes to, or its rows.

use std::io::{self, Write};
use std::path::Path;

use super::{Failed, written};
use crate::conflict_log::ask::{Ask, Form, RowFormat, SummaryFormat};
use crate::conflict_log::event::Event;
use crate::conflict_log::local::{Local, LogError};
use crate::conflict_log::summary::{Filter, Summary};
use crate::domain::mutation::Millis;
use crate::exit::ExitCode;
use crate::report::log::{self, Report};
use crate::report::style::Style;

/// Answers from the log at `path`. A log that is not there is an empty one.
pub(super) fn answer(ask: &Ask, path: Option<&Path>, style: Style, now: Millis) -> Result<ExitCode, Failed> {
    let filter = ask.filter(now);
    let path = path.ok_or(LogError::NoFolder)?;
    let local = if path.exists() { Some(Local::existing(path)?) } else { None };
    match ask.form {
        Form::Summary { format, percent } => {
            let summary = match &local {
                Some(local) => local.summary(&filter, percent)?,
                None => Summary::default(),
            };
            let of = format!("Conflict log {}", path.display());
            written(summarize(Report { summary: &summary, filter: &filter, of: &of }, format, style))
        }
        Form::Rows(format) => rows(local.as_ref(), &filter, format),
    }
}

fn summarize(report: Report<'_>, format: SummaryFormat, style: Style) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        SummaryFormat::Human => report.write_human(&mut out, style),
        SummaryFormat::Json => report.write_json(&mut out),
        SummaryFormat::Csv => report.write_csv(&mut out),
    }
}

fn rows(local: Option<&Local>, filter: &Filter, format: RowFormat) -> Result<ExitCode, Failed> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let write = match format {
        RowFormat::Jsonl => log::write_event_json,
        RowFormat::Csv => log::write_event_csv,
    };
    let begun = match format {
        RowFormat::Jsonl => Ok(()),
        RowFormat::Csv => log::write_columns(&mut out),
    };
    let all = match (begun, local) {
        (Ok(()), Some(local)) => local.each(filter, |event: Event| write(&mut out, &event))?,
        (begun, _) => begun,
    };
    written(all.and_then(|()| out.flush()))
}
