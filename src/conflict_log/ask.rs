//! A question to the log, as it was typed.

use super::event::day;
use super::summary::Filter;
use crate::domain::mutation::Millis;
use crate::report::TableFormat;

/// A question to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// From when on.
    pub since: Option<Since>,
    /// Of this device only.
    pub device: Option<String>,
    /// What happened in demos, instead of what happened to real devices.
    pub demos: bool,
    /// Of the team's log instead of the one on this machine.
    pub team: bool,
    /// What is to be written.
    pub form: Form,
}

/// What is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What the log comes to.
    Summary {
        /// For whom.
        format: TableFormat,
        /// The share of the conflicts that an interval between syncs shall avoid.
        percent: u8,
    },
    /// Every row.
    Rows(RowFormat),
    /// What is left after all from before a day was let go of.
    Prune {
        /// The first day that stays.
        before: Since,
    },
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFormat {
    /// A JSON object a line.
    Jsonl,
    /// Comma-separated values, the first line names the columns.
    Csv,
}

impl RowFormat {
    /// The two, in the order in which help lists them.
    pub const ALL: [Self; 2] = [Self::Jsonl, Self::Csv];

    /// The word in arguments.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// The first day that is looked at; days are those of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So many days before today.
    DaysAgo(u32),
    /// A day, in days since 1970.
    Day(i64),
}

impl Since {
    /// Reads `30d`, `4w` or `2026-05-01`.
    ///
    /// # Errors
    /// What else would have been understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let count = |unit, days: u32| {
            let number = text.strip_suffix(unit).and_then(|number| number.parse::<u32>().ok());
            number.and_then(|number| number.checked_mul(days)).map(Self::DaysAgo)
        };
        let date = || {
            let date: jiff::civil::Date = text.parse().ok()?;
            let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            Some(Self::Day(day(midnight.timestamp().as_millisecond())))
        };
        let known = count('d', 1).or_else(|| count('w', 7)).or_else(date);
        known.ok_or_else(|| {
            String::from("expected days or weeks such as 30d or 4w, or a day such as 2026-05-01")
        })
    }

    /// The day, in days since 1970.
    pub fn day(self, now: Millis) -> i64 {
        match self {
            Self::DaysAgo(days) => day(now.0) - i64::from(days),
            Self::Day(day) => day,
        }
    }
}

impl Ask {
    /// The part of the log that is asked for.
    pub fn filter(&self, now: Millis) -> Filter {
        Filter {
            since: self.since.map(|since| since.day(now)),
            device: self.device.clone(),
            demos: self.demos,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_weeks_and_dates_are_read() {
        let now = Millis(100 * 86_400_000 + 5);
        let since = |text: &str| Since::parse(text).map(|since| since.day(now));
        assert_eq!(since("30d"), Ok(70));
        assert_eq!(since("2w"), Ok(86));
        assert_eq!(since("1970-01-11"), Ok(10));
        for text in ["", "d", "-3d", "yesterday", "2026-13-01", "9999999999d", "5000000000w"] {
            assert!(since(text).is_err_and(|words| words.contains("30d")), "{text}");
        }
    }
}
