//! What a person works on: both sides put together, what was chosen, which rows are shown and which field is marked.

use std::sync::Arc;

use super::choose;
use super::filter::Query;
use super::refused::{self, Refused};
use super::selection::Selection;
use super::task::{Job, Task};
use crate::domain::diagnosis::{self, Cause, OutOfSync};
use crate::domain::field::{Choice, Field, FieldPath, FieldShape, Verdict};
use crate::domain::inspect::{Details, Inspection, Pair, PairId, Status};
use crate::domain::json::Json;
use crate::domain::preflight::Problem;
use crate::domain::resolution::{By, Chosen, Progress, Resolution, Unit};
use crate::domain::settle;
use crate::domain::strategy::{self, Clock};
use crate::domain::text::TextDiff;

/// An inspection on the screen.
pub struct Bench {
    /// Both sides put together.
    pub inspection: Arc<Inspection>,
    /// What was chosen.
    pub resolution: Resolution,
    /// Why the device is stuck; empty until that is known.
    pub causes: Vec<Cause>,
    /// Whether the device's next sync would be answered 409.
    pub out_of_sync: OutOfSync,
    /// How far the resolution got.
    pub progress: Progress,
    /// Resources of which the server would refuse something as it is queued; empty until that is known.
    pub suspects: Vec<PairId>,
    /// What the server would refuse under the choices made.
    pub refused: Vec<Refused>,
    /// Resources whose queued mutations are given up by choice, though nothing stood against sending them.
    pub dropped: Vec<PairId>,
    /// What the list shows.
    pub query: Query,
    /// The pairs that match, by which a row is found.
    pub rows: Vec<PairId>,
    /// Which row is marked, and which are visible.
    pub selection: Selection,
    /// The marked row's resource.
    pub focused: Option<Focused>,
    /// The marked field's two texts compared.
    pub compared: Option<Compared>,
}

/// The resource of the marked row.
pub struct Focused {
    /// Which.
    pub id: PairId,
    /// Its fields.
    pub details: Details,
    /// The fields that are shown, in order, as positions in `details.fields`.
    pub order: Vec<usize>,
    /// Which of those is marked.
    pub marked: usize,
    /// When each side wrote, where both did.
    pub clock: Option<Clock>,
}

/// Two texts of a field, and what comparing them came to.
pub struct Compared {
    /// Which field.
    pub unit: Unit,
    /// The device's text.
    pub device: Option<Arc<str>>,
    /// The server's text.
    pub server: Option<Arc<str>>,
    /// The job under way.
    pub job: Option<Job>,
    /// Its answer.
    pub diff: Option<TextDiff>,
}

impl Bench {
    /// A fresh inspection, all of its pairs in the list.
    pub fn new(inspection: Arc<Inspection>) -> Self {
        let rows: Vec<PairId> = inspection.ids().map(|(id, _)| id).collect();
        let mut bench = Self {
            resolution: Resolution::default(),
            causes: Vec::new(),
            out_of_sync: diagnosis::out_of_sync(&inspection),
            progress: Progress::default(),
            suspects: Vec::new(),
            refused: Vec::new(),
            dropped: Vec::new(),
            query: Query::default(),
            rows,
            selection: Selection::default(),
            focused: None,
            compared: None,
            inspection,
        };
        bench.selection.set_len(bench.rows.len());
        bench.chosen();
        let first = bench.rows.iter().position(|id| bench.inspection.pair(*id).status == Status::Diverged);
        bench.go(first.unwrap_or(0));
        bench
    }

    /// The pair of the marked row.
    pub fn pair(&self) -> Option<(PairId, &Pair)> {
        let id = *self.rows.get(self.selection.cursor())?;
        Some((id, self.inspection.pair(id)))
    }

    /// The marked field.
    pub fn field(&self) -> Option<&Field> {
        self.focused.as_ref()?.field()
    }

    /// The marked field as a unit of choice.
    pub fn unit(&self) -> Option<Unit> {
        Some(Unit { pair: self.focused.as_ref()?.id, path: self.field()?.path.clone() })
    }

    /// The choice that stands on a field of the marked resource.
    pub fn choice(&self, field: &Field) -> Option<&Chosen> {
        self.resolution.get(self.focused.as_ref()?.id, &field.path)
    }

    /// How many choices were made by hand.
    pub fn by_hand(&self) -> usize {
        self.resolution.iter().filter(|(_, chosen)| chosen.by == By::Hand).count()
    }

    /// Why the server would refuse what is to be sent in a field of the marked resource.
    pub fn problem(&self, field: &Field) -> Option<&Problem> {
        let id = self.focused.as_ref()?.id;
        let here = |refused: &&Refused| refused.unit.pair == id && refused.unit.path == field.path;
        self.refused.iter().find(here).map(|refused| &refused.problem)
    }

    /// Whether the server would refuse something of a pair.
    pub fn is_refused(&self, id: PairId) -> bool {
        self.refused.binary_search_by_key(&id, |refused| refused.unit.pair).is_ok()
    }

    /// The value that would be refused next: the marked one, else the first after it, else the first of all.
    pub fn next_refused(&self) -> Option<&Refused> {
        let here = self.unit();
        let from =
            here.map_or(0, |unit| self.refused.partition_point(|refused| refused.unit.pair < unit.pair));
        let marked = || self.refused.iter().find(|refused| Some(&refused.unit) == self.unit().as_ref());
        marked().or_else(|| self.refused.get(from)).or_else(|| self.refused.first())
    }

    /// Marks a row.
    pub fn go(&mut self, row: usize) {
        self.selection.go(row);
        self.refocus();
    }

    /// Moves the mark by so many rows.
    pub fn by(&mut self, steps: isize) {
        self.selection.by(steps);
        self.refocus();
    }

    /// Looks at the marked row's resource, if another one was looked at before.
    pub fn refocus(&mut self) {
        let Some(&id) = self.rows.get(self.selection.cursor()) else {
            self.focused = None;
            return;
        };
        if self.focused.as_ref().is_none_or(|focused| focused.id != id) {
            self.focused = Some(Focused::new(&self.inspection, &self.resolution, &self.refused, id));
        }
    }

    /// The list shows these pairs now. The mark stays on its pair, or goes to the one that follows it.
    pub fn show(&mut self, rows: Vec<PairId>) {
        let marked = self.pair().map(|(id, _)| id);
        let at = marked.map_or(0, |id| rows.partition_point(|row| *row < id));
        self.rows = rows;
        self.selection.set_len(self.rows.len());
        self.go(at);
    }

    /// Something was chosen.
    pub fn chosen(&mut self) {
        self.progress = self.resolution.progress(&self.inspection);
        let mut chosen: Vec<PairId> = self.resolution.iter().map(|(unit, _)| unit.pair).collect();
        chosen.dedup();
        chosen.retain(|id| settle::is_dropped(&self.inspection, &self.resolution, *id));
        self.dropped = chosen;
        self.refused = refused::refused(&self.inspection, &self.resolution, &self.suspects);
    }

    /// Marks the next (or the previous) field that waits for a person: to be chosen, or since the server would refuse
    /// it. First in the marked resource, then in the
    /// rows after it, and from the other end. Answers whether there is one, and whether the search went around.
    pub fn next_open(&mut self, forward: bool) -> Option<bool> {
        if let Some(focused) = &mut self.focused
            && let Some(marked) =
                focused.next_open(&self.inspection, &self.resolution, &self.refused, forward)
        {
            focused.marked = marked;
            return Some(false);
        }
        let len = self.rows.len();
        let here = self.selection.cursor();
        let is_open = |row: &usize| {
            let id = self.rows[*row];
            let pair = self.inspection.pair(id);
            (pair.status == Status::Diverged && !self.resolution.settles(id, pair)) || self.is_refused(id)
        };
        let (ahead, behind) = ((here + 1).min(len)..len, 0..here.min(len));
        let (row, around) = if forward {
            let ahead = ahead.clone().find(is_open).map(|row| (row, false));
            ahead.or_else(|| behind.clone().find(is_open).map(|row| (row, true)))
        } else {
            let behind = behind.rev().find(is_open).map(|row| (row, false));
            behind.or_else(|| ahead.rev().find(is_open).map(|row| (row, true)))
        }?;
        self.go(row);
        if let Some(focused) = &mut self.focused {
            focused.mark_open(&self.inspection, &self.resolution, &self.refused, forward);
        }
        Some(around)
    }

    /// Marks a field of a pair, if the pair is in the list.
    pub fn go_to(&mut self, unit: &Unit) {
        if let Ok(row) = self.rows.binary_search(&unit.pair) {
            self.go(row);
            if let Some(focused) = &mut self.focused {
                focused.mark(&unit.path);
            }
        }
    }

    /// The comparison that the marked field needs, where it is not there or under way.
    pub fn to_compare(&mut self, job: Job) -> Option<Task> {
        let unit = self.unit()?;
        if self.compared.as_ref().is_some_and(|compared| compared.unit == unit) {
            return None;
        }
        let field = self.field()?;
        if !comparable(field) {
            self.compared = None;
            return None;
        }
        let text = |value: Option<&Json>| value.map(|value| Arc::from(as_text(value)));
        let (device, server) = (text(field.device.as_ref()), text(field.server.as_ref()));
        let task = Task::Diff { device: device.clone(), server: server.clone() };
        self.compared = Some(Compared { unit, device, server, job: Some(job), diff: None });
        Some(task)
    }
}

impl Focused {
    fn new(inspection: &Inspection, resolution: &Resolution, refused: &[Refused], id: PairId) -> Self {
        let pair = inspection.pair(id);
        let details = inspection.details(pair);
        let order = order(pair, &details);
        let clock = strategy::clock(inspection, pair);
        let mut focused = Self { id, details, order, marked: 0, clock };
        focused.mark_open(inspection, resolution, refused, true);
        focused
    }

    /// The marked field.
    pub fn field(&self) -> Option<&Field> {
        self.shown(self.marked)
    }

    /// A field by its position in the order shown.
    pub fn shown(&self, at: usize) -> Option<&Field> {
        self.details.fields.get(*self.order.get(at)?)
    }

    /// The fields in the order shown.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = &Field> + ExactSizeIterator {
        self.order.iter().map(|at| &self.details.fields[*at])
    }

    /// Marks a field by its path.
    pub fn mark(&mut self, path: &FieldPath) {
        let at = self.fields().position(|field| field.path == *path);
        self.marked = at.unwrap_or(self.marked);
    }

    /// Moves the mark by so many fields.
    pub fn by(&mut self, steps: isize) {
        let last = self.order.len().saturating_sub(1);
        self.marked = self.marked.saturating_add_signed(steps).min(last);
    }

    fn mark_open(
        &mut self,
        inspection: &Inspection,
        resolution: &Resolution,
        refused: &[Refused],
        first: bool,
    ) {
        let waits = self.waiting(inspection, resolution, refused);
        let at = if first { waits.first() } else { waits.last() };
        self.marked = at.copied().unwrap_or(0);
    }

    fn next_open(
        &self,
        inspection: &Inspection,
        resolution: &Resolution,
        refused: &[Refused],
        forward: bool,
    ) -> Option<usize> {
        let waits = self.waiting(inspection, resolution, refused);
        if forward {
            waits.into_iter().find(|at| *at > self.marked)
        } else {
            waits.into_iter().rev().find(|at| *at < self.marked)
        }
    }

    /// The fields that wait for a person, in the order shown: those to be chosen, those that would be refused.
    fn waiting(&self, inspection: &Inspection, resolution: &Resolution, refused: &[Refused]) -> Vec<usize> {
        let open: Vec<&FieldPath> = resolution.open(self.id, inspection.pair(self.id)).collect();
        let refused = refused.iter().filter(|refused| refused.unit.pair == self.id);
        let refused: Vec<&FieldPath> = refused.map(|refused| &refused.unit.path).collect();
        let waits = |field: &Field| open.contains(&&field.path) || refused.contains(&&field.path);
        self.fields().enumerate().filter(|(_, field)| waits(field)).map(|(at, _)| at).collect()
    }
}

/// Which fields are shown and in which order: what decides first, then conflicts, what one side changed, what is
/// equal, and at the end the bookkeeping. The existence is shown only where it is what has to be decided.
fn order(pair: &Pair, details: &Details) -> Vec<usize> {
    let rank = |field: &Field| match (field.shape, field.verdict) {
        (FieldShape::Existence, _) => 0,
        (FieldShape::Bookkeeping, _) => 4,
        (_, Verdict::Conflict) => 1,
        (_, Verdict::DeviceOnly | Verdict::ServerOnly | Verdict::SameChange) => 2,
        (_, Verdict::Equal) => 3,
    };
    let hidden = |field: &Field| {
        field.shape == FieldShape::Existence
            && (choose::fields_decide(pair) || pair.status == Status::Converged)
    };
    let shown = details.fields.iter().enumerate().filter(|(_, field)| !hidden(field));
    let mut order: Vec<usize> = shown.map(|(at, _)| at).collect();
    order.sort_by_key(|at| rank(&details.fields[*at]));
    order
}

/// Whether there are two texts to compare.
fn comparable(field: &Field) -> bool {
    field.shape != FieldShape::Existence
        && field.shape != FieldShape::Bookkeeping
        && field.device.is_some()
        && field.server.is_some()
        && field.verdict != Verdict::Equal
}

/// A value as a person compares it: a text as it is, a list line by line, anything else as JSON.
pub fn as_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(as_text).collect::<Vec<_>>().join("\n"),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) | Json::Opaque(_) => value.to_text(),
    }
}

/// The choice and the value that stand on a field: what was chosen, else what settles it without a person.
pub fn outcome(field: &Field, chosen: Option<&Chosen>) -> Option<(Choice, Option<Json>)> {
    let choice = chosen.map(|chosen| chosen.choice.clone()).or_else(|| field.settled())?;
    let value = field.result(&choice);
    Some((choice, value))
}
