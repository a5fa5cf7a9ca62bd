//! What was chosen so far: choices by hand and by strategy, undo and redo, and what is still open.

use std::collections::{BTreeMap, BTreeSet};

use super::field::{Choice, FieldPath};
use super::inspect::{Inspection, Pair, PairId, Rival, Status};
use super::strategy::Strategy;

/// One field of one pair.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unit {
    /// The pair.
    pub pair: PairId,
    /// The field.
    pub path: FieldPath,
}

/// Who made a choice. A strategy is a rule and is applied anew to a newer inspection; a choice by hand is bound to
/// what the person saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A person, on this field.
    Hand,
    /// A strategy.
    Strategy(Strategy),
}

/// A choice and who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// What survives.
    pub choice: Choice,
    /// Who said so.
    pub by: By,
}

/// A change of one choice, kept so that it can be undone exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    unit: Unit,
    before: Option<Chosen>,
    after: Option<Chosen>,
}

/// One act of a person: any number of choices that are undone together.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Act {
    label: String,
    changes: Vec<Change>,
}

/// Everything chosen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    choices: BTreeMap<Unit, Chosen>,
    /// Choices that were taken back because what they were made on changed.
    reopened: BTreeSet<Unit>,
    done: Vec<Act>,
    undone: Vec<Act>,
}

impl Resolution {
    /// The choice on a field, if one was made.
    pub fn get(&self, pair: PairId, path: &FieldPath) -> Option<&Chosen> {
        self.choices.get(&Unit { pair, path: path.clone() })
    }

    /// Every choice in the order of the pairs.
    pub fn iter(&self) -> impl Iterator<Item = (&Unit, &Chosen)> {
        self.choices.iter()
    }

    /// Whether nothing was chosen.
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty()
    }

    /// Makes (or, with `None`, takes back) choices as one act. Answers how many choices it changed; an act that
    /// changes nothing is not kept.
    pub fn choose(
        &mut self,
        label: impl Into<String>,
        choices: impl IntoIterator<Item = (Unit, Option<Chosen>)>,
    ) -> usize {
        let mut changes = Vec::new();
        for (unit, after) in choices {
            let before = self.set(&unit, after.clone());
            if before != after {
                changes.push(Change { unit, before, after });
            }
        }
        let count = changes.len();
        if count > 0 {
            self.done.push(Act { label: label.into(), changes });
            self.undone.clear();
        }
        count
    }

    /// Takes the last act back. Answers what it was.
    pub fn undo(&mut self) -> Option<String> {
        let act = self.done.pop()?;
        for change in act.changes.iter().rev() {
            self.set(&change.unit, change.before.clone());
        }
        let label = act.label.clone();
        self.undone.push(act);
        Some(label)
    }

    /// Does the last undone act again. Answers what it was.
    pub fn redo(&mut self) -> Option<String> {
        let act = self.undone.pop()?;
        for change in &act.changes {
            self.set(&change.unit, change.after.clone());
        }
        let label = act.label.clone();
        self.done.push(act);
        Some(label)
    }

    /// The choices alone, without what was done and undone before: all that has to outlive the program.
    #[must_use]
    pub fn without_history(&self) -> Self {
        Self { choices: self.choices.clone(), ..Self::default() }
    }

    /// How many acts stand and how many are taken back: another answer after every act.
    pub const fn acts(&self) -> (usize, usize) {
        (self.done.len(), self.undone.len())
    }

    /// What [`Resolution::undo`] would take back.
    pub fn undoable(&self) -> Option<&str> {
        self.done.last().map(|act| act.label.as_str())
    }

    /// What [`Resolution::redo`] would do again.
    pub fn redoable(&self) -> Option<&str> {
        self.undone.last().map(|act| act.label.as_str())
    }

    /// What [`Resolution::undo`] would leave on each field it changes.
    pub fn undoes(&self) -> impl Iterator<Item = (&Unit, Option<&Chosen>)> {
        let changes = self.done.last().map_or(&[][..], |act| &act.changes);
        changes.iter().map(|change| (&change.unit, change.before.as_ref()))
    }

    /// What [`Resolution::redo`] would leave on each field it changes.
    pub fn redoes(&self) -> impl Iterator<Item = (&Unit, Option<&Chosen>)> {
        let changes = self.undone.last().map_or(&[][..], |act| &act.changes);
        changes.iter().map(|change| (&change.unit, change.after.as_ref()))
    }

    /// The choices on the fields of one pair.
    pub fn of(&self, pair: PairId) -> impl Iterator<Item = (&Unit, &Chosen)> {
        let first = Unit { pair, path: FieldPath::existence() };
        self.choices.range(first..).take_while(move |(unit, _)| unit.pair == pair)
    }

    /// These were chosen on values that are no longer there: they wait for a person until they are chosen again, also
    /// where the two sides could be put together without one.
    pub fn reopen(&mut self, units: impl IntoIterator<Item = Unit>) {
        self.reopened.extend(units);
    }

    /// The fields of a pair that wait for a person.
    pub fn open<'a>(&'a self, id: PairId, pair: &'a Pair) -> impl Iterator<Item = &'a FieldPath> {
        // What became of the resource decides over its fields.
        let dropped =
            self.get(id, &FieldPath::existence()).is_some_and(|chosen| chosen.choice == Choice::Server);
        let again = self.reopened.iter().filter(move |unit| unit.pair == id).map(|unit| &unit.path);
        let again = again.filter(|path| !pair.open.contains(path));
        let contest = pair.name_contest();
        // Once the server's collection has another name this one's stands.
        let renames = contest.is_some_and(|rival| self.renames_other(id, rival));
        let waits = move |path: &&FieldPath| {
            self.get(id, path).is_none() && !(renames && contest.is_some_and(|rival| rival.path == **path))
        };
        // Where this one keeps the name the server's needs another.
        let other =
            contest.filter(|rival| !renames && self.keeps_name(id, rival)).map(|rival| &rival.other_name);
        let open = pair.open.iter().chain(again).filter(waits);
        open.chain(other).filter(move |_| !dropped)
    }

    /// Whether the server's collection of a contested name gets another one.
    pub fn renames_other(&self, id: PairId, rival: &Rival) -> bool {
        match self.get(id, &rival.other_name).map(|chosen| &chosen.choice) {
            Some(Choice::Device) => rival.earlier.is_some(),
            Some(Choice::Edited(name)) => *name != rival.holds,
            Some(Choice::Server | Choice::Both) | None => false,
        }
    }

    /// Whether the device's collection keeps a contested name by choice.
    fn keeps_name(&self, id: PairId, rival: &Rival) -> bool {
        match self.get(id, &rival.path).map(|chosen| &chosen.choice) {
            Some(Choice::Device) => true,
            Some(Choice::Edited(name)) => *name == rival.holds,
            Some(Choice::Server | Choice::Both) | None => false,
        }
    }

    /// Whether every field of the pair that needs a choice has one.
    pub fn settles(&self, id: PairId, pair: &Pair) -> bool {
        self.open(id, pair).next().is_none()
    }

    /// How far the resolution got.
    pub fn progress(&self, inspection: &Inspection) -> Progress {
        let mut progress = Progress::default();
        let again: BTreeSet<PairId> = self.reopened.iter().map(|unit| unit.pair).collect();
        let waits = |id, pair: &Pair| pair.status == Status::Diverged || again.contains(&id);
        for (id, pair) in inspection.ids().filter(|(id, pair)| waits(*id, pair)) {
            progress.diverged += 1;
            progress.resolved += usize::from(self.settles(id, pair));
        }
        progress
    }

    fn set(&mut self, unit: &Unit, chosen: Option<Chosen>) -> Option<Chosen> {
        match chosen {
            Some(chosen) => self.choices.insert(unit.clone(), chosen),
            None => self.choices.remove(unit),
        }
    }
}

/// How many divergences there are and how many of them are resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Pairs that diverge.
    pub diverged: usize,
    /// Of those, the ones whose every open field has a choice.
    pub resolved: usize,
}

impl Progress {
    /// Divergences that wait for a person.
    pub const fn open(self) -> usize {
        self.diverged - self.resolved
    }
}
