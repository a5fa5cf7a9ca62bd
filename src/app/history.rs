//! The conflict log on the screen: what is asked of it, what it said, and where each chart stands.

use ratatui::layout::Rect;

use super::effect::Effect;
use super::overlay::Overlay;
use super::selection::Scroll;
use super::task::Job;
use super::{App, Place};
use crate::conflict_log::event::day;
use crate::conflict_log::summary::Summary;
use crate::domain::duration::duration;

/// From this many columns on two charts stand side by side.
const TWO: u16 = 70;
/// From this many columns on three lists do.
const THREE: u16 = 110;
/// From this many rows on everything is on one page.
const ONE_PAGE: u16 = 26;
/// Rows that a chart should have where charts stand one over the other.
const TALL: u16 = 9;
/// Rows that a list should have.
const LIST: u16 = 7;

/// How far back can be looked, in days; `None` is to the beginning.
const SPANS: [Option<u32>; 4] = [None, Some(90), Some(30), Some(7)];
/// The shares of the conflicts that an interval may be asked for, percent.
const SHARES: [u8; 5] = [80, 90, 95, 100, 50];

/// The conflict log on the screen.
#[derive(Default)]
pub struct History {
    span: usize,
    share: usize,
    /// Whether it is the team's.
    pub team: bool,
    /// The answer that is waited for.
    pub job: Option<Job>,
    /// What the log said last.
    pub said: Option<Said>,
    /// Which page of the charts is shown.
    pub page: Scroll,
}

/// What came of a look into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// This session keeps none.
    Off,
    /// It holds nothing of what was asked for.
    Empty,
    /// It holds this.
    Told {
        /// What it comes to.
        summary: Box<Summary>,
        /// Whether it tells of demos.
        demos: bool,
    },
    /// It could not be read, and why.
    Failed(String),
}

impl Said {
    /// What a log that could be read says.
    pub fn of(summary: Summary, demos: bool) -> Self {
        if summary.conflicts == 0 && summary.inspections == 0 && summary.pushes == 0 {
            Self::Empty
        } else {
            Self::Told { summary: Box::new(summary), demos }
        }
    }
}

/// A chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Conflicts by day.
    Days,
    /// What syncing more often would have avoided.
    Intervals,
    /// By the kind of the resource.
    Kinds,
    /// By cause.
    Causes,
    /// What was chosen.
    Choices,
    /// Who or what chose it.
    Strategies,
    /// By what each side did.
    Shapes,
    /// By device.
    Devices,
}

impl Part {
    /// In the order shown.
    pub const ALL: [Self; 8] = [
        Self::Days,
        Self::Intervals,
        Self::Kinds,
        Self::Causes,
        Self::Devices,
        Self::Choices,
        Self::Strategies,
        Self::Shapes,
    ];
}

impl History {
    /// How far back is looked, in days.
    pub const fn days(&self) -> Option<u32> {
        SPANS[self.span % SPANS.len()]
    }

    /// The share of the conflicts that an interval shall avoid, percent.
    pub const fn percent(&self) -> u8 {
        SHARES[self.share % SHARES.len()]
    }

    pub(super) const fn next_span(&mut self) {
        self.span = (self.span + 1) % SPANS.len();
    }

    pub(super) const fn next_share(&mut self) {
        self.share = (self.share + 1) % SHARES.len();
    }

    pub(super) fn other_log(&mut self) {
        self.team = !self.team;
        // One log's numbers never stand under the other's name.
        self.said = None;
    }

    /// In place of charts: why there are none.
    pub fn sentence(&self) -> Option<String> {
        Some(match &self.said {
            None => String::from("The log is being read …"),
            Some(Said::Off) => String::from(
                "No conflict log is kept in this session: it is switched off (--no-log, or conflicts = false in the \
                 configuration), has no folder to lie in, or a case is replayed. What was kept before is told by \
                 unstick log.",
            ),
            Some(Said::Empty) => match self.days() {
                None if self.team => String::from("The team's log holds nothing yet."),
                None => String::from(
                    "Nothing was logged yet. Every inspection with a divergence and every push is, from now on.",
                ),
                Some(days) => {
                    format!("Nothing was logged in the last {days} days. t looks further back.")
                }
            },
            Some(Said::Failed(why)) => why.clone(),
            Some(Said::Told { .. }) => return None,
        })
    }

    /// The totals, the most important first.
    pub fn totals(summary: &Summary) -> Vec<String> {
        let Summary { conflicts, resolved, median_ms, inspections, caught, pushes, posts, refused, .. } =
            *summary;
        let count = |number: u64, one: &str| super::count(usize::try_from(number).unwrap_or(usize::MAX), one);
        let mut totals = vec![format!("{}, {resolved} settled", count(conflicts, "conflict"))];
        if let Some(share) = share(refused, posts) {
            totals.push(format!("409 rate: {share} ({refused} of {})", count(posts, "POST")));
        }
        if let Some(median) = median_ms {
            totals.push(format!("median to settle: {}", duration(median.unsigned_abs())));
        }
        let pushes = if pushes == 1 { String::from("1 push") } else { format!("{pushes} pushes") };
        totals.push(pushes);
        totals.push(format!("{} with a divergence, {caught} after a 409", count(inspections, "inspection")));
        totals
    }

    /// The interval for the wanted share, in a sentence.
    pub fn advice(summary: &Summary) -> Option<String> {
        let advice = summary.advice?;
        let percent = advice.percent;
        Some(if advice.every_ms < 1000 {
            format!("No interval avoids {percent} %: too many were written within a second.")
        } else {
            let every = duration(advice.every_ms.unsigned_abs() / 1000 * 1000);
            format!("To avoid {percent} %: a sync at least every {every}.")
        })
    }

    /// Fits the charts into an area.
    pub fn fit(&mut self, area: Rect) {
        let pages = if self.sentence().is_some() { 1 } else { pages(area).len() };
        self.page.fit(pages, 1);
    }

    /// How many pages the charts take; none of them is empty.
    pub fn pages(&self) -> usize {
        self.page.len()
    }
}

/// `25.0 %`, where there is something to take a share of.
pub fn share(part: u64, all: u64) -> Option<String> {
    (all > 0).then(|| format!("{:.1} %", part as f64 * 100.0 / all as f64))
}

/// Where each chart stands, page by page.
pub fn pages(area: Rect) -> Vec<Vec<(Part, Rect)>> {
    let [charts, lists] = [&Part::ALL[..2], &Part::ALL[2..]];
    if area.width < TWO {
        let together = usize::from(area.height / TALL).max(1);
        return Part::ALL.chunks(together).map(|parts| grid(area, parts, 1)).collect();
    }
    let columns = if area.width < THREE { 2 } else { 3 };
    if area.height < ONE_PAGE {
        let together = usize::from(columns * (area.height / LIST).max(1));
        let lists = lists.chunks(together).map(|parts| grid(area, parts, columns));
        return std::iter::once(grid(area, charts, 2)).chain(lists).collect();
    }
    let top = Rect { height: area.height * 9 / 20, ..area };
    let rest = Rect { y: top.bottom() + 1, height: area.height - top.height - 1, ..area };
    let mut page = grid(top, charts, 2);
    page.extend(grid(rest, lists, columns));
    vec![page]
}

/// Parts in columns, row by row, with a row and two columns between them.
fn grid(area: Rect, parts: &[Part], columns: u16) -> Vec<(Part, Rect)> {
    let rows = u16::try_from(parts.len()).unwrap_or(u16::MAX).div_ceil(columns).max(1);
    let height = (area.height + 1) / rows;
    let width = (area.width + 2) / columns;
    (0..)
        .zip(parts)
        .map(|(at, part)| {
            let (x, y) = (area.x + at % columns * width, area.y + at / columns * height);
            let place = Rect::new(x, y, width.saturating_sub(2), height.saturating_sub(1));
            (*part, place.intersection(area))
        })
        .collect()
}

impl App {
    /// Opens the log and asks it.
    pub(super) fn open_history(&mut self) -> Vec<Effect> {
        self.overlays.push(Overlay::History(Box::default()));
        self.ask_history()
    }

    /// The log, where it is the uppermost.
    pub fn history(&self) -> Option<&History> {
        if let Some(Overlay::History(history)) = self.overlays.last() { Some(history) } else { None }
    }

    /// Asks for something else.
    pub(super) fn ask_otherwise(&mut self, change: impl FnOnce(&mut History)) -> Vec<Effect> {
        if let Some(Overlay::History(history)) = self.overlays.last_mut() {
            change(history);
        }
        self.ask_history()
    }

    fn ask_history(&mut self) -> Vec<Effect> {
        self.jobs += 1;
        let job = Job(self.jobs);
        let today = day(self.start.now.0);
        let Some(Overlay::History(history)) = self.overlays.last_mut() else { return Vec::new() };
        history.job = Some(job);
        // As `--since 30d`: the day itself counts as well.
        let since = history.days().map(|days| today - i64::from(days));
        vec![Effect::History { job, team: history.team, since, percent: history.percent() }]
    }

    /// What the log said; an answer that is no longer waited for is dropped.
    pub(super) fn told_history(&mut self, job: Job, said: Said) -> Vec<Effect> {
        for overlay in &mut self.overlays {
            if let Overlay::History(history) = overlay
                && history.job == Some(job)
            {
                history.job = None;
                history.said = Some(said);
                break;
            }
        }
        Vec::new()
    }

    /// To the next page of the charts, or the previous one.
    pub(super) fn turn(&mut self, forward: bool) -> Vec<Effect> {
        let Some(Overlay::History(history)) = self.overlays.last_mut() else { return Vec::new() };
        let (here, last) = (history.page.offset(), history.pages().saturating_sub(1));
        let to = if forward { (here + 1).min(last) } else { here.saturating_sub(1) };
        history.page.go(to);
        match (to == here, last, forward) {
            (true, 0, _) => self.refuse("all charts are in view"),
            (true, _, true) => self.refuse("these are the last charts"),
            (true, _, false) => self.refuse("these are the first charts"),
            (false, ..) => Vec::new(),
        }
    }

    /// Whether sections are charts here.
    pub(super) fn turns(&self) -> bool {
        self.place() == Place::Log
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chart_has_its_place_once_and_none_lies_over_another() {
        for width in 0..170 {
            for height in 0..60 {
                let area = Rect::new(1, 3, width, height);
                let pages = pages(area);
                let mut parts: Vec<Part> = pages.iter().flatten().map(|(part, _)| *part).collect();
                parts.dedup();
                assert_eq!(parts, Part::ALL, "{width}x{height}");
                for page in &pages {
                    assert!(!page.is_empty());
                    for (at, (_, place)) in page.iter().enumerate() {
                        assert!(place.is_empty() || place.union(area) == area, "{width}x{height}");
                        for (_, other) in &page[at + 1..] {
                            assert!(place.intersection(*other).is_empty(), "{width}x{height}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn shares_are_of_something() {
        assert_eq!(share(1, 0), None);
        assert_eq!(share(1, 3).as_deref(), Some("33.3 %"));
    }
}
