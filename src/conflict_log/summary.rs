//! What a log comes to: counts, rates, and how often a device would have had to sync. Knows no database; both
//! kinds hand in counts by name.

use std::collections::BTreeMap;

use super::event::{Event, What};

/// Which part of a log is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// From this day on, in days since 1970 UTC; `None` is from the beginning.
    pub since: Option<i64>,
    /// Of this device only.
    pub device: Option<String>,
    /// What happened in demos, instead of what happened to real devices.
    pub demos: bool,
}

/// The intervals between syncs that are looked at, ms, shortest first.
pub const INTERVALS: [i64; 11] = [
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
    12 * HOUR,
    24 * HOUR,
    3 * 24 * HOUR,
    7 * 24 * HOUR,
];
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// How many of [`INTERVALS`] a gap is at least as long as.
pub fn gap_class(gap_ms: i64) -> usize {
    INTERVALS.iter().filter(|interval| gap_ms >= **interval).count()
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// Rows of a kind; the value is the word of [`What`].
    What,
    /// Conflicts by day; the value is the day's number.
    Day,
    /// Conflicts by device.
    Device,
    /// Conflicts by the kind of the resource.
    Kind,
    /// Conflicts by what each side did.
    Shape,
    /// Conflicts by cause; one counts under each cause of its inspection.
    Cause,
    /// Conflicts by [`gap_class`].
    Gap,
    /// Settled conflicts by what was chosen.
    Choice,
    /// Settled conflicts by who or what chose.
    Strategy,
    /// Sums over rows: `posts`, `refused` and `caught`; `timed` counts the resolutions that tell how long they took.
    Sum,
}

impl Of {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::What,
        Self::Day,
        Self::Device,
        Self::Kind,
        Self::Shape,
        Self::Cause,
        Self::Gap,
        Self::Choice,
        Self::Strategy,
        Self::Sum,
    ];

    /// The word in databases and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::What => "what",
            Self::Day => "day",
            Self::Device => "device",
            Self::Kind => "kind",
            Self::Shape => "shape",
            Self::Cause => "cause",
            Self::Gap => "gap",
            Self::Choice => "choice",
            Self::Strategy => "strategy",
            Self::Sum => "sum",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.word() == word)
    }
}

/// Counts by what is counted and its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Of, BTreeMap<String, u64>>);

impl Counts {
    /// Adds `count` to a value.
    pub fn add(&mut self, of: Of, value: &str, count: u64) {
        let values = self.0.entry(of).or_default();
        match values.get_mut(value) {
            Some(sum) => *sum += count,
            None => {
                values.insert(value.to_owned(), count);
            }
        }
    }

    /// Adds what one row tells. Days are left to whoever keeps the rows apart by day.
    pub fn count(&mut self, event: &Event) {
        self.add(Of::What, event.what.word(), 1);
        match event.what {
            What::Inspection => self.sum("caught", event.caught),
            What::Conflict => {
                self.add(Of::Device, &event.device, 1);
                self.add_word(Of::Kind, event.kind.as_deref());
                self.add_word(Of::Shape, event.shape.as_deref());
                for cause in event.causes.iter().flat_map(|causes| causes.split(' ')) {
                    self.add_word(Of::Cause, Some(cause).filter(|cause| !cause.is_empty()));
                }
                if let Some(gap) = event.gap_ms {
                    self.add(Of::Gap, &gap_class(gap).to_string(), 1);
                }
            }
            What::Push => {
                self.sum("posts", event.posts);
                self.sum("refused", event.refused);
            }
            What::Resolution => {
                self.add_word(Of::Choice, event.choice.as_deref());
                self.add_word(Of::Strategy, event.strategy.as_deref());
                self.sum("timed", event.took_ms.map(|_| 1));
            }
        }
    }

    fn add_word(&mut self, of: Of, word: Option<&str>) {
        if let Some(word) = word {
            self.add(of, word, 1);
        }
    }

    fn sum(&mut self, name: &str, more: Option<i64>) {
        match more.and_then(|more| u64::try_from(more).ok()) {
            None | Some(0) => {}
            Some(more) => self.add(Of::Sum, name, more),
        }
    }

    /// The count of a value.
    pub fn get(&self, of: Of, value: &str) -> u64 {
        self.0.get(&of).and_then(|values| values.get(value)).copied().unwrap_or_default()
    }

    /// How many rows there are of a kind.
    pub fn rows(&self, what: What) -> u64 {
        self.get(Of::What, what.word())
    }

    /// How many conflicts tell how far apart the two writes were.
    pub fn gaps(&self) -> u64 {
        self.values(Of::Gap).map(|(_, count)| count).sum()
    }

    /// Every count.
    pub fn iter(&self) -> impl Iterator<Item = (Of, &str, u64)> {
        self.0.iter().flat_map(|(of, values)| values.iter().map(|(value, n)| (*of, value.as_str(), *n)))
    }

    fn values(&self, of: Of) -> impl Iterator<Item = (&str, u64)> {
        self.0.get(&of).into_iter().flatten().map(|(value, count)| (value.as_str(), *count))
    }

    /// Values with their counts, the most frequent first.
    fn ranked(&self, of: Of) -> Vec<Count> {
        let mut counts: Vec<Count> = self.values(of).map(Count::from).collect();
        counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        counts
    }
}

/// A value and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The value.
    pub value: String,
    /// How often.
    pub count: u64,
}

impl From<(&str, u64)> for Count {
    fn from((value, count): (&str, u64)) -> Self {
        Self { value: value.to_owned(), count }
    }
}

/// How many conflicts a device that syncs at this interval would not have had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Between two syncs, ms.
    pub every_ms: i64,
    /// Conflicts whose two writes lie at least that far apart.
    pub avoided: u64,
}

/// The longest interval that would have avoided a share of the conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The share, percent.
    pub percent: u8,
    /// Between two syncs, ms.
    pub every_ms: i64,
}

/// What a log comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Conflicts that were seen.
    pub conflicts: u64,
    /// Conflicts that a push settled.
    pub resolved: u64,
    /// From the first inspection that showed a conflict to the push that settled it, ms.
    pub median_ms: Option<i64>,
    /// Inspections with a divergence.
    pub inspections: u64,
    /// Of those, the ones of a device that had recorded a 409.
    pub caught: u64,
    /// Retried syncs.
    pub pushes: u64,
    /// POSTs that they sent.
    pub posts: u64,
    /// POSTs that were answered 409.
    pub refused: u64,
    /// Conflicts by day, days since 1970 UTC, oldest first.
    pub days: Vec<(i64, u64)>,
    /// Conflicts by device.
    pub devices: Vec<Count>,
    /// Conflicts by the kind of the resource.
    pub kinds: Vec<Count>,
    /// Conflicts by what each side did.
    pub shapes: Vec<Count>,
    /// Conflicts by cause; one counts under each cause of its inspection.
    pub causes: Vec<Count>,
    /// Settled conflicts by what was chosen.
    pub choices: Vec<Count>,
    /// Settled conflicts by who or what chose.
    pub strategies: Vec<Count>,
    /// Conflicts of which it is known how far apart the two writes were.
    pub gaps: u64,
    /// What each interval would have avoided, of [`Summary::gaps`].
    pub intervals: Vec<Interval>,
    /// The interval for the share that was asked for.
    pub advice: Option<Advice>,
}

impl Summary {
    /// Puts counts together with the two values that need an order.
    pub fn new(counts: &Counts, median_ms: Option<i64>, advice: Option<Advice>) -> Self {
        let mut days: Vec<(i64, u64)> =
            counts.values(Of::Day).filter_map(|(day, count)| Some((day.parse().ok()?, count))).collect();
        days.sort_unstable();
        let avoided = |at: usize| {
            let long = counts.values(Of::Gap).filter(|(class, _)| class.parse().is_ok_and(|c: usize| c > at));
            long.map(|(_, count)| count).sum()
        };
        let intervals = INTERVALS.iter().enumerate();
        Self {
            conflicts: counts.rows(What::Conflict),
            resolved: counts.rows(What::Resolution),
            median_ms,
            inspections: counts.rows(What::Inspection),
            caught: counts.get(Of::Sum, "caught"),
            pushes: counts.rows(What::Push),
            posts: counts.get(Of::Sum, "posts"),
            refused: counts.get(Of::Sum, "refused"),
            days,
            devices: counts.ranked(Of::Device),
            kinds: counts.ranked(Of::Kind),
            shapes: counts.ranked(Of::Shape),
            causes: counts.ranked(Of::Cause),
            choices: counts.ranked(Of::Choice),
            strategies: counts.ranked(Of::Strategy),
            gaps: counts.gaps(),
            intervals: intervals
                .map(|(at, every)| Interval { every_ms: *every, avoided: avoided(at) })
                .collect(),
            advice,
        }
    }
}

/// The position, in ascending order, of the median of `count` values: of two in the middle the lower one.
pub const fn median_at(count: u64) -> Option<u64> {
    match count {
        0 => None,
        _ => Some((count - 1) / 2),
    }
}

/// The position, in ascending order, of the longest gap that at least `percent` of `count` gaps reach.
pub const fn share_at(count: u64, percent: u8) -> Option<u64> {
    match count {
        0 => None,
        // All that come before it may be missed.
        _ => Some(min(count * (100 - percent as u64) / 100, count - 1)),
    }
}

const fn min(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_avoids_the_conflicts_whose_writes_lie_further_apart() {
        let mut counts = Counts::default();
        for gap in [10_000, MINUTE, 6 * MINUTE, 2 * HOUR, 30 * 24 * HOUR] {
            counts.add(Of::Gap, &gap_class(gap).to_string(), 1);
        }
        let summary = Summary::new(&counts, None, None);
        let avoided: Vec<u64> = summary.intervals.iter().map(|interval| interval.avoided).collect();
        // 1 min, 5 min, 15 min, 30 min, 1 h, 2 h, 4 h, 12 h, 1 d, 3 d, 7 d.
        assert_eq!(avoided, [4, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1]);
        assert_eq!(summary.gaps, 5);
    }

    #[test]
    fn the_share_counts_the_gap_itself_as_avoided() {
        // Of the gaps 1..=10, those from 3 on are eight: 80 percent.
        assert_eq!(share_at(10, 80), Some(2));
        assert_eq!(share_at(10, 100), Some(0));
        assert_eq!(share_at(10, 0), Some(9));
        // Two of three are less than 80 percent, so it has to be all three.
        assert_eq!(share_at(3, 80), Some(0));
        assert_eq!((share_at(0, 80), median_at(0)), (None, None));
        assert_eq!([1, 2, 3, 4].map(median_at), [Some(0), Some(0), Some(1), Some(1)]);
    }

    #[test]
    fn the_words_are_read_as_they_are_written() {
        for of in Of::ALL {
            assert_eq!(Of::from_word(of.word()), Some(of));
        }
    }
}
