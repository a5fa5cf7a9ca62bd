//! What the charts show, with its unit.

use crate::simulate::Tally;

/// A measure of a strategy at an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// 409s, among the syncs that can meet one.
    Conflicts,
    /// 409s, among all syncs.
    ConflictsOfAll,
    /// Divergences.
    Divergences,
    /// Values lost.
    Lost,
    /// Fields that a person is asked about.
    Asked,
    /// Requests that a 409 made necessary.
    Extra,
    /// How long until all agree.
    Apart,
    /// Winners that a wrong clock turned.
    Turned,
}

impl Metric {
    /// In the order shown.
    pub const ALL: [Self; 8] = [
        Self::Lost,
        Self::Conflicts,
        Self::ConflictsOfAll,
        Self::Divergences,
        Self::Asked,
        Self::Extra,
        Self::Apart,
        Self::Turned,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conflicts => "409s",
            Self::ConflictsOfAll => "409s among all syncs",
            Self::Divergences => "divergences",
            Self::Lost => "changes lost",
            Self::Asked => "fields a person is asked about",
            Self::Extra => "extra requests after a 409",
            Self::Apart => "until all agree, median",
            Self::Turned => "winners a clock turned",
        }
    }

    /// What one of it is.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Conflicts | Self::Extra => "in 100 syncs with something to send",
            Self::ConflictsOfAll => "in 100 syncs",
            Self::Divergences | Self::Lost | Self::Asked | Self::Turned => "in 1,000 edits",
            Self::Apart => "hours",
        }
    }

    /// What it means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Conflicts => "POSTs that the server refused",
            Self::ConflictsOfAll => "the same; most syncs only pull",
            Self::Divergences => "resources that both sides had changed",
            Self::Lost => "written by somebody and in no result",
            Self::Asked => "merge: keeps both, else the newer; at once",
            Self::Extra => "the refused POST, the pull after it",
            Self::Apart => "from an edit until every device has it all",
            Self::Turned => "last-write-wins: the older edit won by it",
        }
    }

    /// How much of it there is.
    pub fn of(self, tally: &Tally) -> f64 {
        match self {
            Self::Conflicts => tally.conflicts_per_100_pushes(),
            Self::ConflictsOfAll => tally.conflicts_per_100_syncs(),
            Self::Divergences => tally.divergences_per_1000_edits(),
            Self::Lost => tally.lost_per_1000_edits(),
            Self::Asked => tally.asked_per_1000_edits(),
            Self::Extra => tally.extra_per_100_pushes(),
            Self::Apart => tally.apart_percentile_s(50).map_or(0.0, |seconds| f64::from(seconds) / 3600.0),
            Self::Turned => tally.turned_per_1000_edits(),
        }
    }
}

/// How many of the stretches until all agree lie in each of `columns` equal parts, the last of which ends at the longest
/// stretch; and how long that is, s.
pub fn stretches(tally: &Tally, columns: usize) -> (Vec<u64>, u32) {
    let mut counts = vec![0; columns.max(1)];
    let longest = tally.apart_s.iter().copied().max().unwrap_or(0);
    for seconds in &tally.apart_s {
        let at = u64::from(*seconds) * counts.len() as u64 / (u64::from(longest) + 1);
        if let Some(count) = counts.get_mut(usize::try_from(at).unwrap_or(0)) {
            *count += 1;
        }
    }
    (counts, longest)
}

/// A stretch of time in its largest unit: `45 s`, `43 min`, `36 h`, `12 d`.
pub fn span(seconds: u32) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=259_199 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
