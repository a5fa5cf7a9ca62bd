//! The arguments of `unstick log`.

#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, which have no markup")]

use clap::{Args, Subcommand};

use super::arguments::{one_of, table_format};
use crate::conflict_log::ask::{Ask, Form, RowFormat, Since};
use crate::report::TableFormat;

/// Write how often conflicts happen, where, and what becomes of them
///
/// Answers from the conflict log on this machine, which every inspection with a divergence and every push adds to:
/// ids, kinds, causes, counts, sides and times, never what people wrote. --no-log, or conflicts = false under [log]
/// in the configuration, leaves it alone. It lies in the platform's folder for data (on Linux
/// ~/.local/share/unstick), or in UNSTICK_DATA_DIR.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  unstick log --since 30d
  unstick log --device tablet-b --avoid 95
  unstick log --team --since 4w
  unstick log export --format csv > conflicts.csv
  unstick log prune --before 400d")]
pub(super) struct Log {
    #[command(flatten)]
    range: Range,
    /// For people, programs or spreadsheets
    #[arg(long, default_value = "human", value_parser = table_format())]
    format: TableFormat,
    /// Say how often a device would have had to sync to avoid this share of the conflicts
    #[arg(long, value_name = "PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..=100))]
    avoid: u8,
    #[command(subcommand)]
    command: Option<Sub>,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Write every row, for a team's own warehouse
    #[command(after_help = "Example:\n  unstick log export --since 7d --format jsonl | jq .kind")]
    Export {
        #[command(flatten)]
        range: Range,
        /// A JSON object a line, or comma-separated values
        #[arg(long, default_value = "jsonl", value_parser = one_of(RowFormat::ALL, RowFormat::name))]
        format: RowFormat,
    },
    /// Let go of old rows of the log on this machine
    ///
    /// Removes what is from before a day, demos as well, and makes the file smaller. The team's log is never touched;
    /// where there is one, rows that were not sent to it yet are sent first, and nothing is removed where that fails.
    /// keep_days under [log] in the configuration does the same by itself.
    #[command(
        after_help = "Examples:\n  unstick log prune --before 2026-01-01\n  unstick log prune --before 400d"
    )]
    Prune {
        /// The first day that stays: days or weeks ago such as 400d or 52w, or a day such as 2026-01-01 (UTC)
        #[arg(long, value_name = "DAY", value_parser = Since::parse)]
        before: Since,
    },
}

#[derive(Args, Debug, Default)]
struct Range {
    /// From this day on: days or weeks ago such as 30d or 4w, or a day such as 2026-05-01 (UTC)
    #[arg(long, value_name = "DAY", value_parser = Since::parse)]
    since: Option<Since>,
    /// Of this device only
    #[arg(long, value_name = "ID", conflicts_with = "demo")]
    device: Option<String>,
    /// What happened in demos, which is kept apart
    #[arg(long)]
    demo: bool,
    /// Of the whole team: from the PostgreSQL of UNSTICK_LOG_URL, or of url under [log] in the configuration
    #[arg(long, conflicts_with = "demo")]
    team: bool,
}

impl Log {
    /// The question.
    pub(super) fn ask(self) -> Ask {
        let (range, form) = match self.command {
            None => (self.range, Form::Summary { format: self.format, percent: self.avoid }),
            Some(Sub::Export { range, format }) => (range, Form::Rows(format)),
            Some(Sub::Prune { before }) => (Range::default(), Form::Prune { before }),
        };
        Ask { since: range.since, device: range.device, demos: range.demo, team: range.team, form }
    }
}
