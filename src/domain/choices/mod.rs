//! The choices file: choices as a person wrote them down or as the screen kept them, made again on an inspection.
//!
//! ```json
//! {"schema": "unstick.choices/1", "choices": [
//!   {"kind": "NOTE", "key": "id:n1", "path": "/body", "choice": {"edit": "…"}, "saw": "85944171f73967e8"},
//!   {"kind": "NOTE", "key": "id:n2", "path": "", "choice": "bring-back"},
//!   {"kind": "COLLECTION", "key": "id:c1", "choice": "server"}]}
//! ```
//!
//! `kind`, `key` and `path` are those of the inspection (DESIGN §6); `""` is the resource's existence. Without a
//! path a choice stands for every open field of the resource. `saw` is the [`Digest`] of what the person saw: a
//! choice whose fields hold something else by now is not made, its fields are open again (DESIGN §5). `queue` names
//! the resource's queue entries; a draft and a push that broke off keep them, so that a choice finds its resource under
//! whatever key it has by then, and with `both` what it came to, so that it is recognised where it arrived (`result`), and which
//! strategy made it (`by`); where a person gives such a file to `--choices`, it is by hand.

mod entry;

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use self::entry::{Entry, Word};
use super::digest::Digest;
use super::field::{Choice, Field, FieldPath, FieldShape};
use super::inspect::{Details, Inspection, Pair, PairId, Status};
use super::json::Json;
use super::mutation::{Kind, Op, Side};
use super::resolution::{By, Chosen, Resolution, Unit};
use super::safe_text;

/// The `schema` of a choices file.
pub const SCHEMA: &str = "unstick.choices/1";

/// How much of an id an error shows, columns.
const NAMED_COLUMNS: usize = 60;

/// A choices file, made on an inspection.
#[derive(Debug)]
pub struct Replayed {
    /// The choices: each by hand, or by who made it where that was kept ([`resume`]).
    pub resolution: Resolution,
    /// Fields whose choice was not made, since they hold something else than what the person saw.
    pub reopened: Vec<Unit>,
    /// Choices that were not made since what they were about has been sent, or since the sides agree on it by now.
    pub passed: usize,
}

/// A text that is no choices file, or that does not fit the inspection.
#[derive(Debug)]
pub enum BadChoices {
    /// It is not JSON.
    NotJson {
        /// The file's name.
        file: String,
        /// Why not.
        error: serde_json::Error,
    },
    /// Something stands where it should not.
    Misfit {
        /// The file's name.
        file: String,
        /// JSON pointer to the place; `(the whole document)` at the top.
        pointer: String,
        /// What was found; ids are named, payloads never.
        found: String,
        /// What was expected.
        expected: String,
    },
}

/// Makes the choices of `text` on `inspection`. `file` is its name for messages.
///
/// # Errors
/// [`BadChoices`] with the place: text that is not a choices file, a pair or a field that the inspection does not
/// have, a choice that cannot be made there (with the reason), two choices for one field.
pub fn read(file: &str, text: &str, inspection: &Inspection) -> Result<Replayed, BadChoices> {
    replay(file, text, inspection, false)
}

/// Makes the choices of an interrupted push again. What it had sent is no longer there to be chosen; such choices are
/// passed over.
///
/// # Errors
/// As [`read`], but for pairs and fields that the inspection no longer has.
pub fn resume(file: &str, text: &str, inspection: &Inspection) -> Result<Replayed, BadChoices> {
    replay(file, text, inspection, true)
}

fn replay(
    file: &str,
    text: &str,
    inspection: &Inspection,
    partly_done: bool,
) -> Result<Replayed, BadChoices> {
    let pairs = inspection.ids().map(|(id, pair)| ((&pair.kind, pair.key.as_str()), id)).collect();
    let queue = inspection.device.queue.iter().enumerate();
    let queue = queue.map(|(at, entry)| (entry.id.as_str(), inspection.pair_of_queued(at))).collect();
    let mut replay = Replay {
        inspection,
        partly_done,
        pairs,
        queue,
        at: HashMap::new(),
        chosen: Vec::new(),
        reopened: Vec::new(),
        passed: 0,
    };
    for (index, entry) in entry::read(file, text)?.into_iter().enumerate() {
        replay.take(index, entry).map_err(|misfit| misfit.in_file(file))?;
    }
    let mut resolution = Resolution::default();
    resolution.choose(format!("choices of {file}"), replay.chosen);
    let still_there = replay.reopened.iter().filter(|unit| {
        let pair = inspection.pair(unit.pair);
        let decidable = !pair.device.is_empty() && pair.status != Status::Converged;
        decidable && inspection.details(pair).field(&unit.path).is_some()
    });
    resolution.reopen(still_there.cloned());
    Ok(Replayed { resolution, reopened: replay.reopened, passed: replay.passed })
}

/// What stands where it should not.
struct Misfit {
    pointer: String,
    found: String,
    expected: String,
}

impl Misfit {
    fn new(pointer: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), found: found.into(), expected: expected.into() }
    }

    fn in_file(self, file: &str) -> BadChoices {
        let Self { pointer, found, expected } = self;
        BadChoices::Misfit { file: file.to_owned(), pointer, found, expected }
    }
}

struct Replay<'a> {
    inspection: &'a Inspection,
    partly_done: bool,
    pairs: HashMap<(&'a Kind, &'a str), PairId>,
    queue: HashMap<&'a str, PairId>,
    /// Which entry chose a field.
    at: HashMap<Unit, usize>,
    chosen: Vec<(Unit, Option<Chosen>)>,
    reopened: Vec<Unit>,
    passed: usize,
}

impl Replay<'_> {
    fn take(&mut self, index: usize, entry: Entry) -> Result<(), Misfit> {
        let Entry { kind, key, path, word, saw: known, queue, result, by } = entry;
        let place = |member: &str| format!("/choices/{index}/{member}");
        if self.partly_done {
            let Some(id) = self.left_of(&kind, &key, &queue) else {
                self.passed += 1;
                return Ok(());
            };
            let by = by.map_or(By::Hand, By::Strategy);
            let kept = Kept { path, word, known, result, by };
            self.take_again(index, id, &kept);
            return Ok(());
        }
        let Some(&id) = self.pairs.get(&(&kind, key.as_str())) else {
            let found = format!("no {} with the key {}", named(kind.wire()), named(&key));
            return Err(Misfit::new(place("key"), found, "a kind and a key that `unstick inspect` lists"));
        };
        let pair = self.inspection.pair(id);
        let details = self.inspection.details(pair);
        let paths = match path {
            Some(path) => vec![path],
            None if pair.open.is_empty() => {
                let found = format!("a choice for {}, of which no field is open", named(&key));
                return Err(Misfit::new(format!("/choices/{index}"), found, "a path"));
            }
            None => pair.open.clone(),
        };
        let mut fields = Vec::with_capacity(paths.len());
        for path in &paths {
            fields.push(details.field(path).ok_or_else(|| {
                let known: Vec<String> =
                    details.fields.iter().map(|f| format!("{:?}", f.path.as_str())).collect();
                let found = format!("no field {} in {}", named(path.as_str()), named(&key));
                Misfit::new(place("path"), found, format!("one of {}", known.join(", ")))
            })?);
        }
        for path in &paths {
            let unit = Unit { pair: id, path: path.clone() };
            if let Some(first) = self.at.insert(unit, index) {
                let found = format!("a second choice for {} of {}", named(path.as_str()), named(&key));
                let expected = format!("one choice for each field; the first is at /choices/{first}");
                return Err(Misfit::new(format!("/choices/{index}"), found, expected));
            }
        }
        let units = paths.into_iter().map(|path| Unit { pair: id, path });
        if known.is_some_and(|known| known != saw(&details, &fields).to_string()) {
            self.reopened.extend(units);
            return Ok(());
        }
        for (unit, field) in units.zip(fields) {
            let choice = choice(&word, pair, field).map_err(|reason| {
                let field_name = named(field.path.as_str());
                let found = format!("{:?} for {field_name} of {}: {reason}", word.name(), named(&key));
                Misfit::new(place("choice"), found, expected_choices(pair, field))
            })?;
            self.chosen.push((unit, Some(Chosen { choice, by: By::Hand })));
        }
        Ok(())
    }
}

/// What is left of a push that broke off.
impl Replay<'_> {
    /// The pair that a choice was about: by its queue entries, else by its key. `None` where it was sent, or where
    /// the sides agree by now.
    fn left_of(&self, kind: &Kind, key: &str, queue: &[String]) -> Option<PairId> {
        let by_queue = || queue.iter().find_map(|id| self.queue.get(id.as_str())).copied();
        let by_key = || self.pairs.get(&(kind, key)).copied();
        let id = if queue.is_empty() { by_key() } else { by_queue() }?;
        let pair = self.inspection.pair(id);
        let is_left = pair.kind == *kind && !pair.device.is_empty() && pair.status != Status::Converged;
        is_left.then_some(id)
    }

    /// A choice whose values are no longer what the person saw, or that can no longer be made, is open again; unless
    /// the server holds what it came to: then it arrived.
    fn take_again(&mut self, index: usize, id: PairId, kept: &Kept) {
        let pair = self.inspection.pair(id);
        let details = self.inspection.details(pair);
        let paths = kept.path.clone().map_or_else(|| pair.open.clone(), |path| vec![path]);
        let fields: Vec<&Field> = paths.iter().filter_map(|path| details.field(path)).collect();
        let changed = fields.len() < paths.len()
            || kept.known.as_ref().is_some_and(|known| *known != saw(&details, &fields).to_string());
        for path in paths {
            let unit = Unit { pair: id, path };
            if self.at.insert(unit.clone(), index).is_some() {
                continue;
            }
            let field = details.field(&unit.path);
            // Where nothing changed nothing arrived: a choice that comes to what the server holds stays what it is.
            let same = field.filter(|_| !changed).and_then(|field| choice(&kept.word, pair, field).ok());
            let made = same.or_else(|| kept.arrived(field?));
            match made {
                Some(choice) => self.chosen.push((unit, Some(Chosen { choice, by: kept.by }))),
                None => self.reopened.push(unit),
            }
        }
    }
}

/// A choice as a push that broke off kept it.
struct Kept {
    path: Option<FieldPath>,
    word: Word,
    known: Option<String>,
    result: Option<Json>,
    by: By,
}

impl Kept {
    /// The choice as it stands where the server holds by now what it came to.
    fn arrived(&self, field: &Field) -> Option<Choice> {
        let result = match &self.word {
            Word::Edit(value) => value,
            Word::Side(Side::Device) => field.device.as_ref()?,
            Word::Both => self.result.as_ref()?,
            Word::Side(Side::Server) | Word::KeepDeleted | Word::BringBack => return None,
        };
        let is_there = field.shape != FieldShape::Existence && field.server.as_ref() == Some(result);
        is_there.then(|| Choice::Edited(result.clone()))
    }
}

/// What a person saw who chose on `fields`. Whoever decides whether the resource exists decides over all of it.
pub fn saw(details: &Details, fields: &[&Field]) -> Digest {
    if fields.iter().any(|field| field.path.is_existence()) {
        Digest::of(&details.fields)
    } else {
        Digest::of(fields.iter().copied())
    }
}

/// An id in quotes, shortened, with nothing in it that could steer a terminal.
fn named(id: &str) -> String {
    format!("\"{}\"", safe_text::clip(id, NAMED_COLUMNS))
}

/// What `word` chooses on a field, or why it cannot be chosen there.
fn choice(word: &Word, pair: &Pair, field: &Field) -> Result<Choice, &'static str> {
    let corrects = matches!(word, Word::Edit(_)) && pair.is_correctable(field);
    if let (Some(reason), false) = (undecidable(pair, field), corrects) {
        return Err(reason);
    }
    let deleter = || match (field.shape, deleter(pair)) {
        (FieldShape::Existence, Some(side)) => Ok(side),
        (FieldShape::Existence, None) => Err("no side, or both sides, deleted it"),
        (_, _) => Err("it says whether the resource exists; its path is \"\""),
    };
    let deletion = pair.deletion().filter(|_| field.shape == FieldShape::Existence);
    let choice = match word {
        Word::KeepDeleted if let Some(deletion) = deletion => return Ok(deletion),
        Word::Edit(value) if deletion == Some(Choice::Edited(value.clone())) => {
            return Ok(Choice::Edited(value.clone()));
        }
        Word::Side(side) => Choice::from(*side),
        Word::Both => Choice::Both,
        Word::KeepDeleted => Choice::from(deleter()?),
        Word::BringBack => Choice::from(deleter()?.other()),
        Word::Edit(value) => {
            if let Some(reason) = unfit(field.shape, value) {
                return Err(reason);
            }
            Choice::Edited(value.clone())
        }
    };
    field.unavailable(&choice).map_or(Ok(choice), Err)
}

/// Why nothing can be chosen on a field at all.
fn undecidable(pair: &Pair, field: &Field) -> Option<&'static str> {
    if pair.device.is_empty() {
        return Some("only the server speaks of the resource, and the device takes it over");
    }
    if pair.server.is_empty() && field.shape != FieldShape::Existence && !pair.contends_for(&field.path) {
        return Some("only the device speaks of the resource, and it is sent as it was queued");
    }
    None
}

/// Why an edited value cannot stand in a field.
fn unfit(shape: FieldShape, value: &Json) -> Option<&'static str> {
    match (shape, value) {
        (FieldShape::Text, Json::String(_))
        | (FieldShape::Set, Json::Array(_))
        | (FieldShape::Position, Json::Object(_))
        | (FieldShape::Existence | FieldShape::Plain | FieldShape::Bookkeeping, _) => None,
        (FieldShape::Text, _) => Some("the edited value is not a string"),
        (FieldShape::Set, _) => Some("the edited value is not an array"),
        (FieldShape::Position, _) => Some("the edited value is not an object"),
    }
}

/// The side that deleted the resource, where one alone did.
fn deleter(pair: &Pair) -> Option<Side> {
    let deletes = |side| pair.shape.op(side) == Some(Op::Delete);
    match (deletes(Side::Device), deletes(Side::Server)) {
        (true, false) => Some(Side::Device),
        (false, true) => Some(Side::Server),
        (true, true) | (false, false) => None,
    }
}

/// The words that a choices file may say of a field; `edit` stands for an edited value.
pub fn offered(pair: &Pair, field: &Field) -> Vec<&'static str> {
    if undecidable(pair, field).is_some() {
        return if pair.is_correctable(field) { vec![EDIT] } else { Vec::new() };
    }
    if field.shape == FieldShape::Existence && pair.contradiction.is_some() {
        let deletion = pair.deletion().map(|_| KEEP_DELETED);
        return [Side::Device.name(), Side::Server.name()].into_iter().chain(deletion).collect();
    }
    if field.shape == FieldShape::Existence && deleter(pair).is_some() {
        return vec![KEEP_DELETED, BRING_BACK];
    }
    let words = [
        (Choice::Device, Side::Device.name()),
        (Choice::Server, Side::Server.name()),
        (Choice::Both, BOTH),
        (Choice::Edited(Json::Null), EDIT),
    ];
    words
        .into_iter()
        .filter(|(choice, _)| field.unavailable(choice).is_none())
        .map(|(_, word)| word)
        .collect()
}

fn expected_choices(pair: &Pair, field: &Field) -> String {
    match offered(pair, field).as_slice() {
        [] => String::from("no choice"),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

const BOTH: &str = "both";
const KEEP_DELETED: &str = "keep-deleted";
const BRING_BACK: &str = "bring-back";
const EDIT: &str = "edit";

/// A choices file, ready to be written.
#[derive(Clone, Debug, Serialize)]
pub struct Export {
    schema: &'static str,
    choices: Vec<ExportedChoice>,
}

#[derive(Clone, Debug, Serialize)]
struct ExportedChoice {
    kind: String,
    key: String,
    path: FieldPath,
    choice: ExportedWord,
    saw: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum ExportedWord {
    Word(&'static str),
    Edit { edit: Json },
}

/// Every choice of `resolution`, bound to what `inspection` shows; those of a strategy as if made by hand. Reading
/// it back on the same inspection makes the same choices.
pub fn export(inspection: &Inspection, resolution: &Resolution) -> Export {
    export_with(inspection, resolution, false)
}

/// As [`export`], with the queue entries that each choice is about, with what both sides together came to, and with
/// who made it: while a push is under way a resource may get another key, and the server what was chosen.
pub fn keep(inspection: &Inspection, resolution: &Resolution) -> Export {
    export_with(inspection, resolution, true)
}

fn export_with(inspection: &Inspection, resolution: &Resolution, kept: bool) -> Export {
    let mut choices = Vec::new();
    let mut last: Option<(PairId, Details)> = None;
    for (unit, chosen) in resolution.iter() {
        let pair = inspection.pair(unit.pair);
        let details = match last.take() {
            Some((id, details)) if id == unit.pair => details,
            Some(_) | None => inspection.details(pair),
        };
        if let Some(field) = details.field(&unit.path) {
            choices.push(ExportedChoice {
                kind: pair.kind.wire().to_owned(),
                key: pair.key.clone(),
                path: unit.path.clone(),
                choice: exported(pair, field, &chosen.choice),
                saw: saw(&details, &[field]),
                queue: kept.then(|| inspection.queued(pair).map(|m| m.id.to_string()).collect()),
                result: field.result(&chosen.choice).filter(|_| kept && chosen.choice == Choice::Both),
                by: match chosen.by {
                    By::Strategy(strategy) if kept => Some(strategy.name()),
                    By::Strategy(_) | By::Hand => None,
                },
            });
        }
        last = Some((unit.pair, details));
    }
    Export { schema: SCHEMA, choices }
}

fn exported(pair: &Pair, field: &Field, choice: &Choice) -> ExportedWord {
    match choice {
        Choice::Edited(value) => ExportedWord::Edit { edit: value.clone() },
        Choice::Device | Choice::Server | Choice::Both => ExportedWord::Word(word(pair, field, choice)),
    }
}

/// The word for a choice on a field; `edit` for a value that a person wrote.
pub fn word(pair: &Pair, field: &Field, choice: &Choice) -> &'static str {
    let deleter = deleter(pair).filter(|_| field.shape == FieldShape::Existence);
    let of = |side: Side| match deleter {
        None => side.name(),
        Some(deleter) if deleter == side => KEEP_DELETED,
        Some(_) => BRING_BACK,
    };
    match choice {
        Choice::Device => of(Side::Device),
        Choice::Server => of(Side::Server),
        Choice::Both => BOTH,
        Choice::Edited(_) => EDIT,
    }
}

/// The file's text.
impl fmt::Display for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?;
        writeln!(f, "{text}")
    }
}

impl Export {
    /// How many choices it holds.
    pub fn len(&self) -> usize {
        self.choices.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty()
    }
}

#[cfg(test)]
mod tests;
