//! The four strategies side by side: what each costs, what each would leave of each divergence, and the ledger behind
//! every cell.

use super::App;
use super::Effect;
use super::overlay::Overlay;
use super::page::{Page, Rank};
use super::preview::request_line;
use super::scope::Scope;
use super::selection::Selection;
use super::story;
use super::task::{Job, LIGHT_PAIRS, Task};
use super::words::one_line;
use crate::domain::compare::{CLOCK_ERRORS_MS, Comparison, Flip, Keeps, Leaves, Line, Totals, place};
use crate::domain::duration::duration;
use crate::domain::inspect::{Inspection, PairId};
use crate::domain::json::Json;
use crate::domain::mutation::{Kind, Side};
use crate::domain::plan::Plan;
use crate::domain::settle::Loss;
use crate::domain::strategy::Strategy;
use crate::domain::{ledger, naming};

use std::sync::Arc;

/// How wrong a clock may be for the row that tells how many winners it would turn, ms.
pub const CLOCK_ERROR_MS: i64 = 60_000;
/// More entries of a ledger than this are not listed.
const LISTED: usize = 1000;

/// The comparison on the screen.
#[derive(Default)]
pub struct Comparing {
    /// The job that compares, while it is under way.
    pub job: Option<Job>,
    /// What it came to.
    pub comparison: Option<Box<Comparison>>,
    /// The rows.
    pub rows: Vec<CompareRow>,
    /// Which row is marked, and which are visible.
    pub selection: Selection,
    /// Which column is marked, a position in [`Strategy::ALL`].
    pub column: usize,
    /// The ledger behind the marked cell.
    pub behind: Page,
    shown: Option<(usize, usize)>,
}

/// A row of the comparison; numbers are positions in [`Comparison::rows`] and in the lines of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareRow {
    /// How much of something each strategy costs.
    Cost(Cost),
    /// A divergence begins.
    Pair(usize),
    /// What is left of a field.
    Kept(usize, usize),
    /// What is lost with it.
    Lost(usize, usize),
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Mutations pushed.
    Pushed,
    /// Server mutations applied.
    Applied,
    /// Values of one side that are lost.
    Lost(Side),
    /// Fields left open.
    Open,
    /// Requests needed.
    Requests,
    /// Winners that a wrong clock would turn.
    Turned,
}

impl Cost {
    /// In the order shown.
    pub const ALL: [Self; 7] = [
        Self::Pushed,
        Self::Applied,
        Self::Lost(Side::Device),
        Self::Lost(Side::Server),
        Self::Open,
        Self::Requests,
        Self::Turned,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pushed => "mutations pushed",
            Self::Applied => "server mutations applied",
            Self::Lost(Side::Device) => "device changes lost",
            Self::Lost(Side::Server) => "server changes lost",
            Self::Open => "fields left open",
            Self::Requests => "requests needed",
            Self::Turned => "turned by a clock 60 s off",
        }
    }

    /// The same in 14 columns.
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Applied => "server applied",
            Self::Lost(Side::Device) => "device lost",
            Self::Lost(Side::Server) => "server lost",
            Self::Open => "left open",
            Self::Requests => "requests",
            Self::Turned => "turned by 60 s",
        }
    }

    /// How much of it a strategy costs; `None` where it has nothing to do with the strategy.
    pub fn of(self, comparison: &Comparison, strategy: Strategy) -> Option<usize> {
        let totals: &Totals = &comparison.column(strategy).totals;
        match self {
            Self::Pushed => Some(totals.pushed),
            Self::Applied => Some(totals.applied),
            Self::Lost(Side::Device) => Some(totals.lost_device),
            Self::Lost(Side::Server) => Some(totals.lost_server),
            Self::Open => Some(totals.open),
            Self::Requests => Some(totals.requests()),
            Self::Turned => {
                (strategy == Strategy::LastWriteWins).then(|| comparison.flipped_within(CLOCK_ERROR_MS))
            }
        }
    }
}

impl Comparing {
    /// Takes the comparison that was waited for.
    pub fn fill(&mut self, comparison: Box<Comparison>) {
        self.rows = Cost::ALL.map(CompareRow::Cost).to_vec();
        for (at, row) in comparison.rows.iter().enumerate() {
            self.rows.push(CompareRow::Pair(at));
            for (line, of_line) in row.lines.iter().enumerate() {
                self.rows.push(CompareRow::Kept(at, line));
                if of_line.leaves.iter().any(|leaves| !leaves.lost.is_empty()) {
                    self.rows.push(CompareRow::Lost(at, line));
                }
            }
        }
        self.selection.set_len(self.rows.len());
        self.comparison = Some(comparison);
        self.job = None;
        self.shown = None;
    }

    /// Whether it takes longer than a frame to let go of it.
    pub(super) fn is_large(&self) -> bool {
        self.comparison.as_ref().is_some_and(|comparison| {
            let plan = &comparison.column(Strategy::ClientWins).plan;
            plan.pushed() + plan.apply.len() + self.rows.len() > LIGHT_PAIRS
        })
    }

    /// The marked row.
    pub fn marked(&self) -> Option<CompareRow> {
        self.rows.get(self.selection.cursor()).copied()
    }

    /// The marked column.
    pub fn strategy(&self) -> Strategy {
        Strategy::ALL.get(self.column).copied().unwrap_or(Strategy::ServerWins)
    }

    /// The divergence that the marked row belongs to.
    pub fn pair(&self) -> Option<PairId> {
        let comparison = self.comparison.as_ref()?;
        match self.marked()? {
            CompareRow::Cost(_) => None,
            CompareRow::Pair(at) | CompareRow::Kept(at, _) | CompareRow::Lost(at, _) => {
                comparison.rows.get(at).map(|row| row.pair)
            }
        }
    }

    /// Marks the next column, or the previous one.
    pub fn step(&mut self, right: bool) {
        let last = Strategy::ALL.len() - 1;
        self.column = if right { (self.column + 1).min(last) } else { self.column.saturating_sub(1) };
    }

    /// Marks the next divergence, or the previous one. Answers whether there is one.
    pub fn next_pair(&mut self, forward: bool) -> bool {
        let here = self.selection.cursor();
        let begins = |at: &usize| matches!(self.rows.get(*at), Some(CompareRow::Pair(_)));
        let found =
            if forward { (here + 1..self.rows.len()).find(begins) } else { (0..here).rev().find(begins) };
        let Some(at) = found else { return false };
        self.selection.go(at);
        true
    }

    /// Fits the rows, and the ledger behind the marked cell, into so many rows and columns.
    pub fn fit(&mut self, inspection: &Inspection, height: usize, behind: (usize, usize)) {
        self.selection.set_height(height);
        let cell = (self.selection.cursor(), self.column);
        if self.shown != Some(cell) {
            self.behind = self.ledger(inspection);
            self.shown = Some(cell);
        }
        self.behind.fit(behind.0, behind.1);
    }

    /// The ledger behind the marked cell: everything that its number or its word stands for.
    pub fn ledger(&self, inspection: &Inspection) -> Page {
        let mut page = Page::default();
        let (Some(comparison), Some(row)) = (&self.comparison, self.marked()) else { return page };
        let strategy = self.strategy();
        match row {
            CompareRow::Cost(cost) => {
                let amount = cost.of(comparison, strategy);
                let amount = amount.map_or_else(|| String::from("-"), |amount| amount.to_string());
                page.push(Rank::Title, format!("{strategy} · {}: {amount}", cost.name()));
                list_cost(&mut page, inspection, comparison, strategy, cost);
            }
            CompareRow::Pair(at) => {
                let Some(row) = comparison.rows.get(at) else { return page };
                page.push(Rank::Title, format!("{strategy} · {}", title(inspection, row.pair)));
                if row.lines.is_empty() {
                    page.push(Rank::Text, comparison.alike(row.pair));
                }
                for line in &row.lines {
                    told(&mut page, inspection, comparison, strategy, line);
                }
                if strategy == Strategy::LastWriteWins {
                    let undecided = match row.clock {
                        None => "the device tells no time for it",
                        Some(_) => "no clock decides it",
                    };
                    page.push(Rank::Text, row.flip.as_ref().map_or_else(|| undecided.to_owned(), hangs_on));
                }
            }
            CompareRow::Kept(at, line) | CompareRow::Lost(at, line) => {
                let Some(row) = comparison.rows.get(at) else { return page };
                page.push(Rank::Title, format!("{strategy} · {}", title(inspection, row.pair)));
                if let Some(line) = row.lines.get(line) {
                    told(&mut page, inspection, comparison, strategy, line);
                }
            }
        }
        page
    }
}

/// What becomes of the field, and what goes with it.
fn told(page: &mut Page, inspection: &Inspection, comparison: &Comparison, strategy: Strategy, line: &Line) {
    let leaves = &line.leaves[place(strategy)];
    let side = match leaves.keeps {
        Keeps::Open | Keeps::Gone => String::new(),
        Keeps::Device | Keeps::Server | Keeps::Both | Keeps::Edited => format!(", {}", leaves.keeps.word()),
    };
    let kept = format!("{}{side}: {}", line.path.label(), kept_words(line, leaves));
    page.item(Rank::Item, mark(leaves.keeps), kept);
    for loss in comparison.lost(strategy, leaves) {
        // What another resource loses by this is told with its name.
        let of = (loss.pair != loss.by).then(|| title(inspection, loss.pair));
        lost(page, loss, of);
    }
}

/// A line of the ledger, and what goes with it.
fn lost_line(page: &mut Page, ledger: &[Loss], line: &ledger::Line, of: Option<String>) {
    let Some(loss) = ledger.get(line.at) else { return };
    lost(page, loss, of);
    for loss in line.under.iter().filter_map(|at| ledger.get(*at)) {
        page.push(Rank::Lost, format!("{}: {}", loss.what(), loss_words(loss)));
    }
}

fn lost(page: &mut Page, loss: &Loss, of: Option<String>) {
    let of = of.map(|of| format!(" {of}:")).unwrap_or_default();
    page.item(Rank::Item, '✗', format!("{}{of} {}, {}", loss.side.name(), loss.what(), loss.reason));
    if !loss.path.is_existence() {
        page.push(Rank::Lost, loss_words(loss));
    }
}

/// The glyph of whose value stands: the key that chooses it.
pub const fn mark(keeps: Keeps) -> char {
    match keeps {
        Keeps::Open => '?',
        Keeps::Device => 'd',
        Keeps::Server => 's',
        Keeps::Both => 'b',
        Keeps::Edited => 'e',
        Keeps::Gone => '✗',
    }
}

/// What is left of a field, in words.
pub fn kept_words(line: &Line, leaves: &Leaves) -> String {
    let deleted = |value: &Option<Json>| value.as_ref().and_then(Json::as_str) == Some("DELETE");
    match leaves.keeps {
        Keeps::Open => String::from("waits for a person"),
        Keeps::Gone => String::from("gone with the resource"),
        Keeps::Device | Keeps::Server if line.path.is_existence() && deleted(&leaves.value) => {
            String::from("deleted")
        }
        Keeps::Server if line.path.is_existence() && leaves.value.is_none() => String::from("not sent"),
        Keeps::Device | Keeps::Server if line.path.is_existence() => {
            let other = if leaves.keeps == Keeps::Device { &line.server } else { &line.device };
            String::from(if deleted(other) { "it stays" } else { "sent" })
        }
        Keeps::Device | Keeps::Server | Keeps::Both | Keeps::Edited => one_line(leaves.value.as_ref()),
    }
}

/// A lost value, in words.
pub fn loss_words(loss: &Loss) -> String {
    if loss.path.is_existence() { loss.words() } else { one_line(Some(&loss.value)) }
}

/// How much a winner hangs on the clock.
pub fn hangs_on(flip: &Flip) -> String {
    let mixed = if flip.clock.mixed { ", by two different clocks" } else { "" };
    let margin = match flip.clock.margin_ms() {
        0 => String::from("both at the same time, the server stands"),
        ms => format!("{} newer by {}", flip.clock.winner().name(), duration(ms)),
    };
    format!("{margin}{mixed}; flips if the device's clock is {} s {}", flip.seconds(), flip.direction())
}

/// How many winners of last-write-wins each error of the clock would turn.
fn sensitivity(comparison: &Comparison) -> String {
    let turned = CLOCK_ERRORS_MS
        .map(|ms| format!("{} at {}", comparison.flipped_within(ms), duration(ms.unsigned_abs())))
        .join(", ");
    let winners = story::count(comparison.flips.len(), "winner");
    format!("of {winners}, so many flip when the clock is wrong by up to this, fast or slow: {turned}")
}

fn title(inspection: &Inspection, pair: PairId) -> String {
    naming::label(inspection, inspection.pair(pair))
}

fn list_cost(
    page: &mut Page,
    inspection: &Inspection,
    comparison: &Comparison,
    strategy: Strategy,
    cost: Cost,
) {
    let plan: &Plan = &comparison.column(strategy).plan;
    let all = match cost {
        Cost::Pushed => {
            for item in plan.items().take(LISTED) {
                page.item(
                    Rank::Item,
                    '→',
                    format!("{} {}", item.wire.op.wire(), title(inspection, item.pair)),
                );
            }
            plan.pushed()
        }
        Cost::Applied => {
            let applied = plan.apply.iter().filter_map(|at| inspection.window.mutations.get(*at));
            for mutation in applied.take(LISTED) {
                let label = naming::served_label(inspection, mutation);
                page.item(Rank::Item, '←', format!("{} {label}", mutation.op.wire()));
            }
            plan.apply.len()
        }
        Cost::Lost(side) => {
            let lines = ledger::lines(&plan.ledger);
            for line in lines.iter().filter(|line| plan.ledger[line.at].side == side).take(LISTED) {
                lost_line(page, &plan.ledger, line, Some(title(inspection, plan.ledger[line.at].pair)));
            }
            cost.of(comparison, strategy).unwrap_or(0)
        }
        Cost::Open => {
            for unit in plan.open.iter().take(LISTED) {
                let title = title(inspection, unit.pair);
                page.item(Rank::Item, '?', format!("{title}: {}", unit.path.label()));
            }
            plan.open.len()
        }
        Cost::Requests => {
            for (post, batch) in plan.batches.iter().enumerate().take(LISTED) {
                let mutations = story::count(batch.items.len(), "mutation");
                let line = request_line(plan, post);
                page.item(Rank::Item, '→', format!("{line}: {mutations}, {}", batch.phase.words()));
            }
            if !plan.batches.is_empty() {
                page.item(Rank::Item, '←', "GET what the server made of it");
            }
            plan.batches.len()
        }
        Cost::Turned if strategy == Strategy::LastWriteWins => {
            page.push(Rank::Text, sensitivity(comparison));
            for flip in comparison.flips.iter().take(LISTED) {
                page.item(Rank::Item, '±', format!("{}: {}", title(inspection, flip.pair), hangs_on(flip)));
            }
            comparison.flips.len()
        }
        Cost::Turned => {
            page.push(Rank::Text, "only last-write-wins looks at clocks");
            0
        }
    };
    if all > LISTED {
        page.push(Rank::Text, format!("… {} more", all - LISTED));
    }
}

impl App {
    /// Opens the comparison and begins it.
    pub(super) fn open_comparison(&mut self) -> Vec<Effect> {
        let Some(bench) = &self.bench else { return Vec::new() };
        let task = Task::Compare {
            inspection: Arc::clone(&bench.inspection),
            resolution: bench.resolution.clone(),
            now: self.start.now,
        };
        self.overlays.push(Overlay::Comparison(Box::default()));
        self.begin(task, |app, job| {
            if let Some(Overlay::Comparison(comparing)) = app.overlays.last_mut() {
                comparing.job = Some(job);
            }
        })
    }

    /// The comparison, where it is the uppermost.
    pub fn comparing(&self) -> Option<&Comparing> {
        if let Some(Overlay::Comparison(comparing)) = self.overlays.last() { Some(comparing) } else { None }
    }

    /// The ledger behind the marked cell, on the whole screen.
    pub(super) fn open_ledger(&mut self) -> Vec<Effect> {
        if let (Some(comparing), Some(bench)) = (self.comparing(), &self.bench) {
            let page = comparing.ledger(&bench.inspection);
            self.overlays.push(Overlay::Ledger(page));
        }
        Vec::new()
    }

    /// Applies the marked column to all that is open, or to the marked resource's kind.
    pub(super) fn apply_column(&mut self, kind: bool) -> Vec<Effect> {
        let Some(comparing) = self.comparing() else { return Vec::new() };
        let strategy = comparing.strategy();
        let of_pair = comparing.pair();
        let scope = if kind {
            let pair = self.bench.as_ref().zip(of_pair).map(|(bench, id)| bench.inspection.pair(id));
            let Some(kind) = pair.map(|pair| Kind::clone(&pair.kind)) else { return Vec::new() };
            Scope::Kind(kind)
        } else {
            Scope::All
        };
        self.close();
        self.rule_on(strategy, scope)
    }
}
