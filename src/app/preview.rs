//! What retrying the sync would do, as entries to look through: what is lost first, then what is sent.

use std::fmt::Write as _;
use std::ops::Range;

use indexmap::IndexMap;

use super::selection::{Scroll, Selection};
use super::story::count;
use super::task::Job;
use crate::domain::field::FieldPath;
use crate::domain::inspect::{Inspection, PairId};
use crate::domain::plan::Plan;
use crate::domain::push::Planned;
use crate::domain::resolution::Unit;
use crate::domain::{ledger, naming, safe_text};

/// Of a marked entry no more than this is shown in full, bytes.
const SHOWN: usize = 64 * 1024;
/// Of the resources that a warning is about no more than this are named.
const NAMED: usize = 200;

/// A plan on the screen.
#[derive(Default)]
pub struct Preview {
    /// The job that makes the plan, while it is under way.
    pub job: Option<Job>,
    /// The plan.
    pub plan: Option<Box<Planned>>,
    /// The entries.
    pub entries: Vec<Entry>,
    /// Which warnings stand on one line, as they say the same: positions in the plan.
    pub alike: Vec<Vec<usize>>,
    /// Which entry is marked, and which are visible.
    pub selection: Selection,
    /// How far the marked entry is scrolled, rows.
    pub full: Scroll,
    /// Whether keys scroll the marked entry rather than move the mark.
    pub in_full: bool,
    /// The resource of each server mutation that is taken over, by its position in `plan.apply`.
    takers: Vec<Option<PairId>>,
    shown: Option<Shown>,
}

/// The marked entry in full, broken into rows.
struct Shown {
    entry: Entry,
    width: usize,
    text: String,
    rows: Vec<Range<usize>>,
}

/// A part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What might surprise.
    Mind,
    /// The loss ledger.
    Lost,
    /// What waits for a person.
    Open,
    /// What stays in the queue.
    Held,
    /// The requests.
    Sent,
    /// What the device takes over.
    Applied,
    /// What leaves the queue unsent.
    Dropped,
}

impl Section {
    /// In the order shown.
    pub const ALL: [Self; 7] =
        [Self::Mind, Self::Lost, Self::Open, Self::Held, Self::Sent, Self::Applied, Self::Dropped];

    /// The heading.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mind => "mind this",
            Self::Lost => "lost",
            Self::Open => "open",
            Self::Held => "stays in the queue",
            Self::Sent => "sent",
            Self::Applied => "taken over by the device",
            Self::Dropped => "leaves the queue unsent",
        }
    }

    /// What the heading means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Mind => "before y sends it",
            Self::Lost => "one side had changed it and it is not in the result",
            Self::Open => "waits for a choice; nothing of it is sent",
            Self::Held => "cannot be sent now",
            Self::Sent => "the exact requests, in this order",
            Self::Applied => "the server's mutations",
            Self::Dropped => "already there, or given up",
        }
    }

    /// How many entries it has in a plan.
    pub fn count(self, plan: &Plan) -> usize {
        match self {
            Self::Mind => plan.warnings.len(),
            Self::Lost => plan.all_lost(),
            Self::Open => plan.open.len(),
            Self::Held => plan.hold.len(),
            Self::Sent => plan.pushed(),
            Self::Applied => plan.apply.len(),
            Self::Dropped => plan.drop.len(),
        }
    }
}

/// A row of the preview; numbers are positions in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A section begins.
    Heading(Section),
    /// Warnings that say the same, by their position in [`Preview::alike`].
    Mind(usize),
    /// A lost value, or one that goes with the line above it.
    Loss {
        /// Its position in the ledger.
        at: usize,
        /// Whether it belongs to the line above.
        under: bool,
    },
    /// A field that waits.
    Open(usize),
    /// Queue entries that stay.
    Held(usize),
    /// A POST.
    Post(usize),
    /// A mutation of a POST.
    Item(usize, usize),
    /// A server mutation, by its position in `plan.apply`.
    Applied(usize),
    /// Queue entries that leave.
    Dropped(usize),
}

impl Preview {
    /// Takes the plan that was waited for.
    pub fn fill(&mut self, plan: Box<Planned>) {
        self.alike = alike(&plan);
        self.entries = entries(&plan, self.alike.len());
        self.selection.set_len(self.entries.len());
        self.plan = Some(plan);
        self.job = None;
        // On the first entry, not on its heading.
        self.selection.go(1);
    }

    /// The marked entry.
    pub fn marked(&self) -> Option<Entry> {
        self.entries.get(self.selection.cursor()).copied()
    }

    /// The resource and field that the marked entry is about.
    pub fn place(&self, inspection: &Inspection) -> Option<Unit> {
        let plan = self.plan.as_ref()?;
        let whole = |pair: PairId| Unit { pair, path: FieldPath::existence() };
        Some(match self.marked()? {
            Entry::Heading(_) | Entry::Post(_) => return None,
            Entry::Mind(at) => {
                let mut warnings = self.alike.get(at)?.iter().filter_map(|at| plan.warnings.get(*at));
                let warning = warnings.next()?;
                Unit { pair: warning.pair?, path: warning.path.clone().unwrap_or_else(FieldPath::existence) }
            }
            Entry::Loss { at, .. } => {
                let loss = plan.ledger.get(at)?;
                Unit { pair: loss.pair, path: loss.path.clone() }
            }
            Entry::Open(at) => plan.open.get(at)?.clone(),
            Entry::Held(at) => whole(plan.hold.get(at)?.pair),
            Entry::Dropped(at) => whole(plan.drop.get(at)?.pair),
            Entry::Item(post, item) => whole(plan.batches.get(post)?.items.get(item)?.pair),
            Entry::Applied(at) => {
                let position = plan.apply.get(at)?;
                whole(inspection.ids().find(|(_, pair)| pair.server.contains(position))?.0)
            }
        })
    }

    /// The resource of a server mutation that is taken over, by its position in `plan.apply`.
    pub fn taker(&self, at: usize) -> Option<PairId> {
        self.takers.get(at).copied().flatten()
    }

    /// Marks the next (or the previous) section.
    pub fn next_section(&mut self, forward: bool) -> bool {
        let here = self.selection.cursor();
        let heads = |at: &usize| matches!(self.entries.get(*at), Some(Entry::Heading(_)));
        let found =
            if forward { (here + 1..self.entries.len()).find(heads) } else { (0..here).rev().find(heads) };
        let Some(at) = found else { return false };
        self.selection.go(at);
        self.full.go(0);
        true
    }

    /// Fits the entries, and the marked one in full, into so many rows and columns.
    pub fn fit(&mut self, inspection: &Inspection, height: usize, full: (usize, usize)) {
        self.selection.set_height(height);
        let (Some(plan), Some(entry)) = (&self.plan, self.marked()) else {
            self.shown = None;
            return;
        };
        if self.takers.len() != plan.apply.len() {
            self.takers = takers(inspection, plan);
        }
        let (width, rows) = full;
        let known = self.shown.as_ref().is_some_and(|shown| shown.entry == entry && shown.width == width);
        if !known {
            let text = in_full(plan, &self.alike, inspection, entry);
            let rows = safe_text::wrap(&text, width.max(1));
            self.shown = Some(Shown { entry, width, text, rows });
        }
        self.full.fit(self.shown.as_ref().map_or(0, |shown| shown.rows.len()), rows);
    }

    /// The rows of the marked entry in full that are visible: a request as it leaves, a value, a reason.
    pub fn full_rows(&self) -> impl Iterator<Item = &str> {
        self.shown.iter().flat_map(|shown| {
            let rows = shown.rows.get(self.full.visible()).unwrap_or_default();
            rows.iter().filter_map(|row| shown.text.get(row.clone()))
        })
    }
}

fn in_full(plan: &Plan, alike: &[Vec<usize>], inspection: &Inspection, entry: Entry) -> String {
    let mut text = full(plan, alike, inspection, entry).unwrap_or_default();
    if text.len() > SHOWN {
        let cut = (0..=SHOWN).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let more = text.len() - cut;
        text.truncate(cut);
        // Writing to a string cannot fail.
        let _ = write!(text, "\n… {more} bytes more");
    }
    text
}

/// Which resource each server mutation of `plan.apply` is about.
fn takers(inspection: &Inspection, plan: &Plan) -> Vec<Option<PairId>> {
    let mut pairs = vec![None; inspection.window.mutations.len()];
    for (id, pair) in inspection.ids() {
        for position in &pair.server {
            if let Some(slot) = pairs.get_mut(*position) {
                *slot = Some(id);
            }
        }
    }
    plan.apply.iter().map(|position| pairs.get(*position).copied().flatten()).collect()
}

/// Warnings that say the same, together, in the order of the first of each.
fn alike(plan: &Plan) -> Vec<Vec<usize>> {
    let mut alike: IndexMap<&str, Vec<usize>> = IndexMap::new();
    for (at, warning) in plan.warnings.iter().enumerate() {
        alike.entry(&warning.text).or_default().push(at);
    }
    alike.into_values().collect()
}

fn entries(plan: &Plan, warnings: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    for section in Section::ALL {
        if section.count(plan) == 0 {
            continue;
        }
        entries.push(Entry::Heading(section));
        match section {
            Section::Mind => entries.extend((0..warnings).map(Entry::Mind)),
            Section::Lost => {
                for line in ledger::lines(&plan.ledger) {
                    entries.push(Entry::Loss { at: line.at, under: false });
                    entries.extend(line.under.into_iter().map(|at| Entry::Loss { at, under: true }));
                }
            }
            Section::Open => entries.extend((0..plan.open.len()).map(Entry::Open)),
            Section::Held => entries.extend((0..plan.hold.len()).map(Entry::Held)),
            Section::Sent => {
                for (post, batch) in plan.batches.iter().enumerate() {
                    entries.push(Entry::Post(post));
                    entries.extend((0..batch.items.len()).map(|item| Entry::Item(post, item)));
                }
            }
            Section::Applied => entries.extend((0..plan.apply.len()).map(Entry::Applied)),
            Section::Dropped => entries.extend((0..plan.drop.len()).map(Entry::Dropped)),
        }
    }
    entries
}

/// The request line of a POST. Later heads come with the answer before.
pub fn request_line(plan: &Plan, post: usize) -> String {
    let head = plan.batches.get(post).and_then(|batch| batch.last_mutation_at);
    let head = head.map_or_else(|| String::from("{head of the answer before}"), |head| head.to_string());
    format!("POST /v1/sync?lastMutationAt={head}")
}

fn full(plan: &Plan, alike: &[Vec<usize>], inspection: &Inspection, entry: Entry) -> Option<String> {
    Some(match entry {
        Entry::Heading(section) => format!("{}: {}", section.name(), section.meaning()),
        Entry::Mind(at) => {
            let warnings = alike.get(at)?.iter().filter_map(|at| plan.warnings.get(*at));
            let text = warnings.clone().next()?.text.clone();
            let named: Vec<String> = warnings
                .filter_map(|warning| warning.pair)
                .take(NAMED)
                .map(|id| naming::label(inspection, inspection.pair(id)))
                .collect();
            format!("{text}\n{}", named.join(", "))
        }
        Entry::Loss { at, .. } => {
            let loss = plan.ledger.get(at)?;
            format!("{} · {}\n{}", loss.side.name(), loss.reason, loss.words())
        }
        Entry::Open(at) => {
            let unit = plan.open.get(at)?;
            format!("{} waits for a choice; Enter goes there", unit.path.label())
        }
        Entry::Held(at) | Entry::Dropped(at) => {
            let left = if matches!(entry, Entry::Held(_)) { &plan.hold } else { &plan.drop };
            let left = left.get(at)?;
            let ids: Vec<&str> = left.device.iter().map(crate::domain::mutation::QueueId::as_str).collect();
            format!("queue entries {}\n{}", ids.join(", "), left.reason)
        }
        Entry::Post(post) => {
            let batch = plan.batches.get(post)?;
            format!(
                "{}\n{}, {}{}",
                request_line(plan, post),
                count(batch.items.len(), "mutation"),
                batch.phase.words(),
                if batch.last_mutation_at.is_some() {
                    ""
                } else {
                    "; its head is what the POST before is answered"
                }
            )
        }
        Entry::Item(post, item) => {
            let item = plan.batches.get(post)?.items.get(item)?;
            let wire = serde_json::to_string(&item.wire).ok()?;
            match &item.parent {
                Some(local) => format!(
                    "{wire}\n\ncollectionId {local} is a name of the device's own: the id that the POST before is answered takes its place."
                ),
                None => wire,
            }
        }
        Entry::Applied(at) => {
            serde_json::to_string(inspection.window.mutations.get(*plan.apply.get(at)?)?).ok()?
        }
    })
}
