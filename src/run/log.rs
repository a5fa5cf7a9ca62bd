//! `unstick log`: what the conflict log comes to, or its rows.

use std::io::{self, Write};
use std::time::Duration;

use super::{Failed, written};
use crate::app::count;
use crate::conflict_log::Settings;
use crate::conflict_log::ask::{Ask, Form, RowFormat};
use crate::conflict_log::event::{Event, date};
use crate::conflict_log::local::{Local, LogError, Pruned};
use crate::conflict_log::summary::{Filter, Summary};
use crate::conflict_log::team::{self, Team, TeamError, TeamUrl};
use crate::domain::mutation::Millis;
use crate::domain::safe_text::visible_line;
use crate::error::InputError;
use crate::exit::ExitCode;
use crate::report::TableFormat;
use crate::report::log::{self, Report};
use crate::report::style::Style;

/// How long it is waited for the team's log before it is asked.
const SENDING: Duration = Duration::from_secs(30);

/// A log to be asked.
enum Log {
    /// The one on this machine, at this place; `None` where nothing was logged yet.
    Local(String, Option<Local>),
    Team(String, Box<Team>),
}

/// Answers a question.
pub(super) async fn answer(
    ask: &Ask,
    settings: &Settings,
    style: Style,
    now: Millis,
) -> Result<ExitCode, Failed> {
    if let Form::Prune { before } = ask.form {
        return prune(before.day(now), settings).await;
    }
    let log = if ask.team { Log::team(settings).await? } else { Log::local(settings)? };
    let filter = ask.filter(now);
    match ask.form {
        Form::Summary { format, percent } => {
            let (of, summary) = log.summary(&filter, percent).await?;
            written(summarize(Report { summary: &summary, filter: &filter, of: &of }, format, style))
        }
        Form::Rows(format) => written(log.rows(&filter, format).await?),
        // Answered above.
        Form::Prune { .. } => Ok(ExitCode::Done),
    }
}

/// Lets go of what is from before a day. Rows that wait for the team's log are sent first.
async fn prune(before: i64, settings: &Settings) -> Result<ExitCode, Failed> {
    let path = settings.path.as_deref().ok_or(LogError::NoFolder)?;
    let shown = path.display().to_string();
    let shown = visible_line(&shown);
    let day = date(before);
    if !path.exists() {
        return written(writeln!(io::stdout(), "there is no conflict log at {shown} yet"));
    }
    if let Some(url) = &settings.team {
        team::ship(path, url, SENDING).await.map_err(Failed::Unsent)?;
    }
    let mut log = Local::existing(path)?;
    match log.prune(before, settings.team.as_ref().map(TeamUrl::name))? {
        Pruned::Gone { rows, left } => {
            log.shrink();
            let rows = count(rows, "row");
            let said = format!("{rows} from before {day} (UTC) removed from {shown}; {left} left");
            written(writeln!(io::stdout(), "{said}"))
        }
        Pruned::Unsent(rows) => Err(InputError::Unsupported {
            file: path.display().to_string(),
            reason: format!("holds {} that came meanwhile and wait for the team's log", count(rows, "row")),
            next: String::from("What waits was not removed; try again"),
        }
        .into()),
    }
}

impl Log {
    fn local(settings: &Settings) -> Result<Self, Failed> {
        let path = settings.path.as_deref().ok_or(LogError::NoFolder)?;
        let local = if path.exists() { Some(Local::existing(path)?) } else { None };
        Ok(Self::Local(path.display().to_string(), local))
    }

    /// What waits on this machine is sent first, so that the answer holds it.
    async fn team(settings: &Settings) -> Result<Self, Failed> {
        let url: &TeamUrl = settings.team.as_ref().ok_or_else(|| InputError::Unsupported {
            file: String::from("unstick log"),
            reason: String::from("was not told where the team's log is"),
            next: String::from(
                "Set UNSTICK_LOG_URL, or url under [log] in the configuration, to postgres://USER:PASSWORD@HOST/DATABASE",
            ),
        })?;
        if let Some(path) = settings.path.as_deref().filter(|_| settings.on) {
            team::ship(path, url, SENDING).await?;
        }
        let reached = tokio::time::timeout(SENDING, Team::connect(url)).await;
        let late = |_| TeamError::Late { name: url.name().to_owned() };
        Ok(Self::Team(url.name().to_owned(), Box::new(reached.map_err(late)??)))
    }

    async fn summary(&self, filter: &Filter, percent: u8) -> Result<(String, Summary), Failed> {
        Ok(match self {
            Self::Local(path, log) => {
                let summary = log.as_ref().map(|log| log.summary(filter, percent)).transpose()?;
                (format!("Conflict log {path}"), summary.unwrap_or_default())
            }
            Self::Team(name, team) => {
                (format!("The team's conflict log {name}"), team.summary(filter, percent).await?)
            }
        })
    }

    async fn rows(&self, filter: &Filter, format: RowFormat) -> Result<io::Result<()>, Failed> {
        let mut out = io::BufWriter::new(io::stdout());
        let write = match format {
            RowFormat::Jsonl => log::write_event_json,
            RowFormat::Csv => {
                if let Err(error) = log::write_columns(&mut out) {
                    return Ok(Err(error));
                }
                log::write_event_csv
            }
        };
        let take = |event: Event| write(&mut out, &event);
        let all = match self {
            Self::Local(_, None) => Ok(()),
            Self::Local(_, Some(log)) => log.each(filter, take)?,
            Self::Team(_, team) => team.each(filter, take).await?,
        };
        Ok(all.and_then(|()| out.flush()))
    }
}

fn summarize(report: Report<'_>, format: TableFormat, style: Style) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        TableFormat::Human => report.write_human(&mut out, style),
        TableFormat::Json => report.write_json(&mut out),
        TableFormat::Csv => report.write_csv(&mut out),
    }
}
