//! The four strategies on one inspection, side by side: what each would push, take over, lose and leave open, what
//! it would leave of each divergence, and how much the winners of last-write-wins hang on the device's clock.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use serde::Serialize;

use super::field::{Choice, Field, FieldPath, FieldShape, Verdict};
use super::inspect::{Inspection, Pair, PairId, Status};
use super::json::Json;
use super::ledger;
use super::mutation::{Kind, Millis, Op, Side};
use super::plan::{self, Plan};
use super::resolution::{By, Resolution};
use super::settle::Loss;
use super::strategy::{self, Clock, Strategy};

/// Errors of a device's clock at which the winners that flip are counted, ms.
pub const CLOCK_ERRORS_MS: [i64; 6] = [1_000, 10_000, 60_000, 300_000, 3_600_000, 86_400_000];

/// The four strategies on one inspection.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// One for each strategy, in the order of [`Strategy::ALL`].
    pub columns: [Column; 4],
    /// One for each divergence, in the order of the pairs.
    pub rows: Vec<Row>,
    /// The divergences that last-write-wins decides, those that the smallest error of a clock turns first.
    pub flips: Vec<Flip>,
}

/// One strategy on the whole inspection.
#[derive(Clone, Debug)]
pub struct Column {
    /// Which.
    pub strategy: Strategy,
    /// What retrying the sync would do under it; its ledger holds the lost values.
    pub plan: Plan,
    /// How much of everything.
    pub totals: Totals,
    /// Of each entry of the ledger whether it is a line, and not under one.
    lines: Vec<bool>,
}

impl Column {
    fn new(strategy: Strategy, plan: Plan) -> Self {
        let mut lines = vec![false; plan.ledger.len()];
        for line in ledger::lines(&plan.ledger) {
            lines[line.at] = true;
        }
        Self { strategy, totals: Totals::of(&plan), plan, lines }
    }

    /// Whether an entry of the ledger is a line of its own, by its position; what stands under one is not counted.
    pub fn is_line(&self, at: usize) -> bool {
        self.lines.get(at).copied().unwrap_or(false)
    }
}

/// What a strategy costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Mutations that are sent.
    pub pushed: usize,
    /// Server mutations that the device takes over.
    pub applied: usize,
    /// Things of the device that are not in the result: the lines of its ledger.
    pub lost_device: usize,
    /// Things of the server that are not in the result.
    pub lost_server: usize,
    /// Fields that wait for a person.
    pub open: usize,
    /// Queue entries that stay on the device.
    pub held: usize,
    /// POSTs that are needed.
    pub posts: usize,
    /// Pulls after them, to see what the server made of it.
    pub pulls: usize,
}

impl Totals {
    fn of(plan: &Plan) -> Self {
        let posts = plan.batches.len();
        Self {
            pushed: plan.pushed(),
            applied: plan.apply.len(),
            lost_device: plan.lost(Side::Device),
            lost_server: plan.lost(Side::Server),
            open: plan.open.len(),
            held: plan.hold.iter().map(|left| left.device.len()).sum(),
            posts,
            pulls: usize::from(posts > 0),
        }
    }

    /// Things that are not in the result, of either side.
    pub const fn lost(&self) -> usize {
        self.lost_device + self.lost_server
    }

    /// Requests that are needed, of either sort.
    pub const fn requests(&self) -> usize {
        self.posts + self.pulls
    }

    fn add(&mut self, other: &Self) {
        self.pushed += other.pushed;
        self.applied += other.applied;
        self.lost_device += other.lost_device;
        self.lost_server += other.lost_server;
        self.open += other.open;
        self.held += other.held;
        self.posts += other.posts;
        self.pulls += other.pulls;
    }
}

/// One divergence under every strategy.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which.
    pub pair: PairId,
    /// When each side wrote, where the device tells it.
    pub clock: Option<Clock>,
    /// How much that hangs on the device's clock, where last-write-wins decides it.
    pub flip: Option<Flip>,
    /// The fields in which the strategies may differ.
    pub lines: Vec<Line>,
}

/// One field of a divergence under every strategy.
#[derive(Clone, Debug)]
pub struct Line {
    /// Which.
    pub path: FieldPath,
    /// What the device says.
    pub device: Option<Json>,
    /// What the server says.
    pub server: Option<Json>,
    /// What each strategy would leave, in the order of [`Strategy::ALL`].
    pub leaves: [Leaves; 4],
}

/// What a strategy would leave of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaves {
    /// Whose value.
    pub keeps: Keeps,
    /// The value; `None` where there is none or it is not decided.
    pub value: Option<Json>,
    /// What is lost with it, as positions in the ledger of the strategy's plan.
    pub lost: Range<usize>,
}

/// Whose value a strategy would leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Keeps {
    /// Nobody's yet: it waits for a person.
    Open,
    /// The device's.
    Device,
    /// The server's.
    Server,
    /// Both, put together.
    Both,
    /// A value that a person wrote before.
    Edited,
    /// None: the resource is gone.
    Gone,
}

impl Keeps {
    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Device => "device",
            Self::Server => "server",
            Self::Both => "both",
            Self::Edited => "edited",
            Self::Gone => "gone",
        }
    }

    const fn of(choice: &Choice) -> Self {
        match choice {
            Choice::Device => Self::Device,
            Choice::Server => Self::Server,
            Choice::Both => Self::Both,
            Choice::Edited(_) => Self::Edited,
        }
    }
}

/// A winner of last-write-wins, and the error of the device's clock that would make it the loser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flip {
    /// Which divergence.
    pub pair: PairId,
    /// When each side wrote.
    pub clock: Clock,
    /// The smallest error of the device's clock that turns the winner, ms: positive where the clock would be fast.
    pub at_ms: i64,
}

impl Flip {
    /// A tie goes to the server, so a device that won loses as soon as its clock was fast by the margin; a server
    /// that won loses when the clock was slow by more than that.
    fn new(pair: PairId, clock: Clock) -> Self {
        let margin = i64::try_from(clock.margin_ms()).unwrap_or(i64::MAX);
        let at_ms = match clock.winner() {
            Side::Device => margin,
            Side::Server => margin.saturating_add(1).saturating_neg(),
        };
        Self { pair, clock, at_ms }
    }

    /// Whether the winner would be another if the device's clock was wrong by `error_ms`, positive for fast.
    pub const fn flips_at(&self, error_ms: i64) -> bool {
        if self.at_ms > 0 { error_ms >= self.at_ms } else { error_ms <= self.at_ms }
    }

    /// The seconds of error that are enough, rounded up.
    pub const fn seconds(&self) -> u64 {
        self.at_ms.unsigned_abs().div_ceil(1000)
    }

    /// `fast` or `slow`: how the clock would be wrong.
    pub const fn direction(&self) -> &'static str {
        if self.at_ms > 0 { "fast" } else { "slow" }
    }
}

/// Puts the four strategies side by side, each on top of the choices that a person made by hand. `now` stamps results
/// that are put together.
pub fn compare(inspection: &Inspection, by_hand: &Resolution, now: Millis) -> Comparison {
    let decided = Strategy::ALL.map(|rule| {
        let mut resolution = by_hand.clone();
        let choices = strategy::choices_for_all(inspection, by_hand, rule, |_| true);
        resolution.choose(rule.name(), choices);
        let plan = plan::plan(inspection, &resolution, now);
        (rule, resolution, plan)
    });
    let ledgers = decided.each_ref().map(|(_, _, plan)| by_pair(&plan.ledger));
    let diverged = inspection.ids().filter(|(_, pair)| pair.status == Status::Diverged);
    // What a person chose does not hang on a clock.
    let (_, newest, _) = &decided[place(Strategy::LastWriteWins)];
    let by_clock: HashSet<PairId> = newest
        .iter()
        .filter(|(_, chosen)| chosen.by == By::Strategy(Strategy::LastWriteWins))
        .map(|(unit, _)| unit.pair)
        .collect();
    let rows: Vec<Row> = diverged
        .map(|(id, pair)| {
            let losses: [&[Loss]; 4] = std::array::from_fn(|at| {
                let (_, _, plan) = &decided[at];
                ledgers[at].get(&id).map_or(&[][..], |range| &plan.ledger[range.clone()])
            });
            let starts = ledgers.each_ref().map(|ledger| ledger.get(&id).map_or(0, |range| range.start));
            let views: [View<'_>; 4] = std::array::from_fn(|at| View {
                resolution: &decided[at].1,
                losses: losses[at],
                start: starts[at],
            });
            row(inspection, id, pair, &views, by_clock.contains(&id))
        })
        .collect();
    let mut flips: Vec<Flip> = rows.iter().filter_map(|row| row.flip).collect();
    flips.sort_by_key(|flip| (flip.at_ms.unsigned_abs(), flip.pair));
    let columns = decided.map(|(strategy, _, plan)| Column::new(strategy, plan));
    Comparison { columns, rows, flips }
}

impl Comparison {
    /// The column of a strategy.
    pub const fn column(&self, strategy: Strategy) -> &Column {
        &self.columns[place(strategy)]
    }

    /// What a strategy loses with one field.
    pub fn lost(&self, strategy: Strategy, leaves: &Leaves) -> &[Loss] {
        self.column(strategy).plan.ledger.get(leaves.lost.clone()).unwrap_or_default()
    }

    /// What a strategy loses with one divergence.
    pub fn lost_with(&self, strategy: Strategy, pair: PairId) -> impl Iterator<Item = &Loss> {
        self.column(strategy).plan.ledger.iter().filter(move |loss| loss.by == pair)
    }

    /// Whether a strategy leaves something of the divergence to a person.
    pub fn waits(&self, strategy: Strategy, pair: PairId) -> bool {
        self.column(strategy).plan.open.iter().any(|unit| unit.pair == pair)
    }

    /// What the four leave alike of a divergence in which no field tells them apart.
    pub fn alike(&self, pair: PairId) -> &'static str {
        if Strategy::ALL.into_iter().all(|strategy| self.waits(strategy, pair)) {
            "waits for a person under each of the four"
        } else {
            "the same under each of the four"
        }
    }

    /// How many winners of last-write-wins would be others if the device's clock was wrong by up to this, fast or
    /// slow.
    pub fn flipped_within(&self, error_ms: i64) -> usize {
        self.flipped(error_ms) + self.flipped(-error_ms)
    }

    /// How many winners of last-write-wins would be others if the device's clock was wrong by `error_ms`.
    pub fn flipped(&self, error_ms: i64) -> usize {
        self.flips.iter().filter(|flip| flip.flips_at(error_ms)).count()
    }
}

/// The position in [`Strategy::ALL`].
pub const fn place(strategy: Strategy) -> usize {
    match strategy {
        Strategy::ServerWins => 0,
        Strategy::ClientWins => 1,
        Strategy::LastWriteWins => 2,
        Strategy::Merge => 3,
    }
}

/// A plan writes the losses of a pair one after the other.
fn by_pair(ledger: &[Loss]) -> HashMap<PairId, Range<usize>> {
    let mut ranges: HashMap<PairId, Range<usize>> = HashMap::new();
    for (at, loss) in ledger.iter().enumerate() {
        ranges.entry(loss.by).and_modify(|range| range.end = at + 1).or_insert(at..at + 1);
    }
    ranges
}

/// One strategy's word on one pair.
struct View<'a> {
    resolution: &'a Resolution,
    losses: &'a [Loss],
    /// Where `losses` begin in the ledger.
    start: usize,
}

impl View<'_> {
    fn lost(&self, path: &FieldPath) -> Range<usize> {
        // The losses of a field stand together as well.
        let first = self.losses.iter().position(|loss| loss.path == *path).unwrap_or(0);
        let count = self.losses.iter().skip(first).take_while(|loss| loss.path == *path).count();
        self.start + first..self.start + first + count
    }

    fn leaves(&self, id: PairId, pair: &Pair, field: &Field) -> Leaves {
        let (keeps, value) = self.kept(id, pair, field);
        Leaves { keeps, value, lost: self.lost(&field.path) }
    }

    fn kept(&self, id: PairId, pair: &Pair, field: &Field) -> (Keeps, Option<Json>) {
        let existence = FieldPath::existence();
        let fate = self.resolution.get(id, &existence).map(|chosen| &chosen.choice);
        if pair.open.contains(&existence) || fate == Some(&Choice::Server) {
            let side = match fate {
                None => return (Keeps::Open, None),
                Some(Choice::Server) => Side::Server,
                Some(Choice::Device | Choice::Both | Choice::Edited(_)) => Side::Device,
            };
            return if field.shape != FieldShape::Existence && pair.shape.op(side) == Some(Op::Delete) {
                (Keeps::Gone, None)
            } else {
                (Keeps::of(&Choice::from(side)), field.value(side).cloned())
            };
        }
        let chosen = self.resolution.get(id, &field.path).map(|chosen| chosen.choice.clone());
        match chosen.or_else(|| field.settled()) {
            None => (Keeps::Open, None),
            Some(choice) => (Keeps::of(&choice), field.result(&choice)),
        }
    }
}

fn row(inspection: &Inspection, id: PairId, pair: &Pair, views: &[View<'_>; 4], by_clock: bool) -> Row {
    let whole = pair.open.iter().any(FieldPath::is_existence);
    let told = |field: &&Field| {
        let differs = match field.verdict {
            Verdict::Conflict | Verdict::DeviceOnly | Verdict::ServerOnly => true,
            Verdict::Equal | Verdict::SameChange => false,
        };
        let decided = match field.shape {
            FieldShape::Existence => whole,
            FieldShape::Bookkeeping => false,
            FieldShape::Text | FieldShape::Set | FieldShape::Position | FieldShape::Plain => {
                !whole && differs
            }
        };
        decided || views.iter().any(|view| view.losses.iter().any(|loss| loss.path == field.path))
    };
    let details = inspection.details(pair);
    let lines = details.fields.iter().filter(told).map(|field| Line {
        path: field.path.clone(),
        device: field.device.clone(),
        server: field.server.clone(),
        leaves: views.each_ref().map(|view| view.leaves(id, pair, field)),
    });
    // What all four leave alike, losing nothing, tells nothing of them.
    let differ = |line: &Line| {
        let [first, rest @ ..] = &line.leaves;
        !first.lost.is_empty()
            || rest.iter().any(|other| {
                other.keeps != first.keeps || other.value != first.value || !other.lost.is_empty()
            })
    };
    let clock = strategy::clock(inspection, pair);
    let flip = clock.filter(|_| by_clock).map(|clock| Flip::new(id, clock));
    Row { pair: id, clock, flip, lines: lines.filter(differ).collect() }
}

/// Several devices together.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// How many devices.
    pub devices: usize,
    /// What each strategy costs on all of them, in the order of [`Strategy::ALL`].
    pub totals: [Totals; 4],
    /// Kind by kind, where anything diverges.
    pub kinds: BTreeMap<Kind, OfKind>,
}

/// The divergences of one kind under every strategy, in the order of [`Strategy::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfKind {
    /// How many resources diverge.
    pub divergences: usize,
    /// Things that are lost.
    pub lost: [usize; 4],
    /// Fields that are left open.
    pub open: [usize; 4],
}

impl OfKind {
    /// The strategy that loses least; of several that one that leaves least open.
    pub fn loses_least(&self) -> Strategy {
        let cost = |strategy: &Strategy| (self.lost[place(*strategy)], self.open[place(*strategy)]);
        Strategy::ALL.into_iter().min_by_key(cost).unwrap_or(Strategy::Merge)
    }

    /// The strategy that loses least of those that leave nothing open.
    pub fn loses_least_unattended(&self) -> Option<Strategy> {
        let closed = Strategy::ALL.into_iter().filter(|strategy| self.open[place(*strategy)] == 0);
        closed.min_by_key(|strategy| self.lost[place(*strategy)])
    }
}

impl Fleet {
    /// Counts one more device.
    pub fn add(&mut self, inspection: &Inspection, comparison: &Comparison) {
        self.devices += 1;
        for (total, column) in self.totals.iter_mut().zip(&comparison.columns) {
            total.add(&column.totals);
        }
        for row in &comparison.rows {
            self.kinds.entry(inspection.pair(row.pair).kind.clone()).or_default().divergences += 1;
        }
        for (at, column) in comparison.columns.iter().enumerate() {
            for line in ledger::lines(&column.plan.ledger) {
                let kind = column.plan.ledger[line.at].kind.clone();
                self.kinds.entry(kind).or_default().lost[at] += 1;
            }
            for unit in &column.plan.open {
                let kind = inspection.pair(unit.pair).kind.clone();
                self.kinds.entry(kind).or_default().open[at] += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::inspection;

    const NOW: Millis = Millis(1_779_185_900_000);
    const DEVICE: &str = r#"{"sync": {"lastMutationAt": 100}, "queue": [
        {"id": "q1", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1",
         "data": {"body": "device text", "ranges": ["2:1-2:1"], "clientUpdatedAt": "2026-05-19T10:00:30.000Z"}},
        {"id": "q2", "type": "UPDATE", "resource": "NOTE", "resourceId": "n2", "createdAt": 1779184800000,
         "data": {"body": "device edits", "clientUpdatedAt": "2026-05-19T10:00:00.000Z"}},
        {"id": "q3", "type": "UPDATE", "resource": "READING_SESSION", "resourceId": "s1",
         "data": {"chapterNumber": 2, "verseNumber": 3}},
        {"id": "q4", "type": "CREATE", "resource": "NOTE", "data": {"body": "only here", "ranges": ["3:1-3:1"]}}]}"#;
    const FEED: &str = r#"[
        {"type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "timestamp": 1779184860000,
         "data": {"body": "server text", "ranges": ["2:1-2:1"], "clientUpdatedAt": "2026-05-19T10:00:28.500Z"}},
        {"type": "DELETE", "resource": "NOTE", "resourceId": "n2", "timestamp": 1779184861000},
        {"type": "UPDATE", "resource": "READING_SESSION", "resourceId": "s1", "timestamp": 1779184862000,
         "data": {"chapterNumber": 9, "verseNumber": 1}},
        {"type": "CREATE", "resource": "NOTE", "resourceId": "n9", "timestamp": 1779184863000,
         "data": {"body": "only there", "ranges": ["4:1-4:1"]}}]"#;

    fn compared() -> (Inspection, Comparison) {
        let inspection = inspection(DEVICE, FEED);
        let comparison = compare(&inspection, &Resolution::default(), NOW);
        (inspection, comparison)
    }

    /// Counted by hand: three divergences (two texts, an edit against a deletion, two positions), one creation of the
    /// device's own and one of the server's.
    #[test]
    fn the_totals_are_those_counted_by_hand() {
        let (_, comparison) = compared();
        let totals = comparison.columns.each_ref().map(|column| column.totals);
        let expected = [
            // The creation goes; everything of the server's is taken over; three things of the device are given up.
            Totals { pushed: 1, applied: 4, lost_device: 3, posts: 1, pulls: 1, ..Totals::default() },
            // All four go (the note's update, the note brought back, the position, the creation); two of the server
            // and its deletion are gone over.
            Totals { pushed: 4, applied: 4, lost_server: 3, posts: 1, pulls: 1, ..Totals::default() },
            // The note's text is newer on the device; the deletion is newer on the server; the session tells no time.
            Totals {
                pushed: 2,
                applied: 3,
                lost_device: 1,
                lost_server: 1,
                open: 1,
                held: 1,
                posts: 1,
                pulls: 1,
            },
            // Without a base nothing of the three settles itself.
            Totals { pushed: 1, applied: 1, open: 3, held: 3, posts: 1, pulls: 1, ..Totals::default() },
        ];
        assert_eq!(totals, expected);
        assert_eq!(totals[0].requests(), 2);
        assert_eq!(totals.map(|total| total.lost()), [3, 3, 2, 0]);
    }

    #[test]
    fn each_divergence_tells_what_is_left_and_what_is_lost() {
        let (inspection, comparison) = compared();
        assert_eq!(comparison.rows.len(), 3);
        let text = &comparison.rows[0];
        assert_eq!(text.lines.len(), 1, "the ranges are equal");
        let keeps = text.lines[0].leaves.each_ref().map(|leaves| leaves.keeps);
        assert_eq!(keeps, [Keeps::Server, Keeps::Device, Keeps::Device, Keeps::Open]);
        let lost = |strategy: Strategy, line: &Line| {
            let lost = comparison.lost(strategy, &line.leaves[place(strategy)]);
            lost.iter().map(|loss| (loss.side, loss.value.to_text())).collect::<Vec<_>>()
        };
        let line = &text.lines[0];
        assert_eq!(lost(Strategy::ServerWins, line), [(Side::Device, String::from("\"device text\""))]);
        assert_eq!(lost(Strategy::LastWriteWins, line), [(Side::Server, String::from("\"server text\""))]);
        assert_eq!(lost(Strategy::Merge, line), []);

        let deleted = &comparison.rows[1];
        let paths: Vec<&str> = deleted.lines.iter().map(|line| line.path.as_str()).collect();
        assert_eq!(paths, ["", "/body"]);
        let keeps = deleted.lines[1].leaves.each_ref().map(|leaves| leaves.keeps);
        assert_eq!(keeps, [Keeps::Gone, Keeps::Device, Keeps::Gone, Keeps::Open]);
        assert_eq!(
            lost(Strategy::ServerWins, &deleted.lines[1]),
            [(Side::Device, String::from("\"device edits\""))]
        );
        assert_eq!(
            lost(Strategy::ClientWins, &deleted.lines[0]),
            [(Side::Server, String::from("\"DELETE\""))]
        );
        let pair = deleted.pair;
        let with: Vec<&str> =
            comparison.lost_with(Strategy::ServerWins, pair).map(|loss| loss.path.as_str()).collect();
        assert_eq!(with, ["", "/body"], "the note as a whole, and what it said");
        assert_eq!(inspection.pair(pair).key, "id:n2");
    }

    /// The note's text is 1.5 s newer on the device: a clock that is 1.5 s fast makes it a tie, which the server wins.
    /// The deletion is 61 s newer than the edit: a clock that was 61.001 s slow makes the edit the newer.
    #[test]
    fn winners_flip_at_the_counted_seconds() {
        let (_, comparison) = compared();
        let at: Vec<i64> = comparison.flips.iter().map(|flip| flip.at_ms).collect();
        assert_eq!(at, [1_500, -61_001]);
        assert_eq!((comparison.flips[0].seconds(), comparison.flips[0].direction()), (2, "fast"));
        assert_eq!((comparison.flips[1].seconds(), comparison.flips[1].direction()), (62, "slow"));
        for (error_ms, flipped) in
            [(0, 0), (1_499, 0), (1_500, 1), (60_000, 1), (-1_500, 0), (-61_000, 0), (-61_001, 1)]
        {
            assert_eq!(comparison.flipped(error_ms), flipped, "{error_ms} ms");
        }
    }

    #[test]
    fn a_divergence_that_is_the_same_under_each_says_so() {
        let (_, comparison) = compared();
        let session = comparison.rows[2].pair;
        let waiting = Strategy::ALL.map(|strategy| comparison.waits(strategy, session));
        assert_eq!(waiting, [false, false, true, true]);
        assert_eq!(comparison.alike(session), "the same under each of the four");
    }

    /// What [`Flip::flips_at`] says is what the strategy would decide on the corrected stamp.
    #[test]
    fn a_flip_is_what_the_clock_itself_would_say() {
        for server in [-2_000_i64, -1, 0, 1, 2_000] {
            let clock = Clock { device: Millis(0), server: Millis(server), mixed: false };
            let flip = Flip::new(PairId(0), clock);
            for error in -3_000..3_000 {
                let corrected = Clock { device: Millis(-error), ..clock };
                assert_eq!(
                    flip.flips_at(error),
                    corrected.winner() != clock.winner(),
                    "server {server}, error {error}"
                );
            }
        }
    }

    #[test]
    fn choices_by_hand_stand_in_every_column() {
        let inspection = inspection(DEVICE, FEED);
        let mut by_hand = Resolution::default();
        let unit = super::super::resolution::Unit { pair: PairId(0), path: FieldPath::from_text("/body") };
        let chosen = super::super::resolution::Chosen {
            choice: Choice::Edited(Json::string("by hand")),
            by: super::super::resolution::By::Hand,
        };
        by_hand.choose("edit", [(unit, Some(chosen))]);
        let comparison = compare(&inspection, &by_hand, NOW);
        assert_eq!(comparison.flips.len(), 1, "what was chosen by hand does not hang on a clock");
        for leaves in &comparison.rows[0].lines[0].leaves {
            assert_eq!((leaves.keeps, leaves.lost.len()), (Keeps::Edited, 2));
            assert_eq!(leaves.value, Some(Json::string("by hand")));
        }
    }

    #[test]
    fn a_fleet_adds_up_and_names_the_strategy_that_loses_least() {
        let (inspection, comparison) = compared();
        let mut fleet = Fleet::default();
        fleet.add(&inspection, &comparison);
        fleet.add(&inspection, &comparison);
        assert_eq!(fleet.devices, 2);
        assert_eq!(fleet.totals[1].pushed, 8);
        let notes = fleet.kinds[&Kind::Note];
        let expected = OfKind { divergences: 4, lost: [4, 4, 4, 0], open: [0, 0, 0, 4] };
        assert_eq!(notes, expected);
        assert_eq!(notes.loses_least(), Strategy::Merge);
        assert_eq!(notes.loses_least_unattended(), Some(Strategy::ServerWins));
        let sessions = fleet.kinds[&Kind::ReadingSession];
        assert_eq!(sessions.loses_least_unattended(), Some(Strategy::ServerWins));
        assert_eq!(sessions.open, [0, 0, 2, 2]);
    }

    #[test]
    fn nothing_that_diverges_makes_four_equal_columns() {
        let inspection = inspection(r#"{"sync": {"lastMutationAt": 100}, "queue": []}"#, "[]");
        let comparison = compare(&inspection, &Resolution::default(), NOW);
        assert!(comparison.rows.is_empty() && comparison.flips.is_empty());
        assert!(comparison.columns.iter().all(|column| column.totals == Totals::default()));
    }
}
