//! The plan as a report: `unstick.plan/1` (DESIGN §6, schema in `assets/schemas/plan-1.json`), and for people.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::entries::{Each, LeftEntry, LossEntry, UnitEntry};
use super::redact::Values;
use super::style::Style;
use super::why::ForecastEntry;
use super::{human, lines};
use crate::domain::again::Again;
use crate::domain::field::{self, FieldPath};
use crate::domain::inspect::Inspection;
use crate::domain::json::Json;
use crate::domain::ledger;
use crate::domain::mutation::{Cursor, Payload, ServerMutation, WireMutation};
use crate::domain::plan::{Batch, Left, Plan, Warning};
use crate::domain::preflight::Rule;
use crate::domain::resolution::Unit;
use crate::domain::settle::Item;
use crate::domain::strategy::Strategy;
use crate::exit::ExitCode;

/// The `schema` of the JSON form.
pub const SCHEMA: &str = "unstick.plan/1";

/// A plan and what is said beside it.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What the plan was made of.
    pub inspection: &'a Inspection,
    /// What retrying the sync would do.
    pub plan: &'a Plan,
    /// What decided.
    pub by: By<'a>,
    /// Fields whose choice was not made, since they hold something else than what the person saw.
    pub reopened: &'a [Unit],
    /// What was odd in the device file.
    pub warnings: &'a [String],
    /// How the device was named, for the commands that are proposed.
    pub again: &'a Again,
}

/// What decided the divergences of a plan.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// A strategy.
    Strategy(Strategy),
    /// A choices file, by its name.
    Choices(&'a str),
}

impl Report<'_> {
    /// Writes the JSON form.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        lines::write(out, self)
    }

    /// Writes the form for people.
    pub fn write_human(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        human::plan::write(self, out, style)
    }

    /// Whether anything would remain after the push or waits for a second look, as the exit code of `plan`.
    pub fn exit_code(&self) -> ExitCode {
        let left = !self.plan.open.is_empty() || !self.plan.hold.is_empty() || !self.plan.moves_cursor;
        let done = !left && self.reopened.is_empty();
        if done { ExitCode::Done } else { ExitCode::Open }
    }

    /// What was odd: in the device file, then in the server's answers.
    pub(super) fn all_warnings(&self) -> Vec<String> {
        let told = self.warnings.iter().chain(&self.inspection.window.warnings).cloned();
        told.chain(self.inspection.warnings()).collect()
    }

    pub(super) fn applied(&self) -> impl ExactSizeIterator<Item = &ServerMutation> {
        self.plan.apply.iter().map(|position| &self.inspection.window.mutations[*position])
    }
}

/// The mutation as it would be sent, as far as it is known: a link to a collection that this push creates bears the
/// collection's queue id until the acknowledgement gives the real one.
pub(super) fn wire(item: &Item) -> Cow<'_, WireMutation> {
    let Some(parent) = &item.parent else { return Cow::Borrowed(&item.wire) };
    let mut data = item.wire.data.members();
    let path = FieldPath::from_text("/collectionId");
    field::set_member(&item.wire.kind, &mut data, &path, &Json::string(parent.as_str()));
    Cow::Owned(WireMutation { data: Payload::from_members(&data), ..item.wire.clone() })
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plan = self.plan;
        let strategy = match self.by {
            By::Strategy(strategy) => Some(strategy.name()),
            By::Choices(_) => None,
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("strategy", &strategy)?;
        map.serialize_entry("batches", &Each(|| plan.batches.iter().map(BatchEntry::new)))?;
        map.serialize_entry("apply", &Each(|| self.applied()))?;
        map.serialize_entry("drop", &Each(|| plan.drop.iter().map(left)))?;
        map.serialize_entry("hold", &Each(|| plan.hold.iter().map(left)))?;
        map.serialize_entry("open", &Each(|| plan.open.iter().map(|unit| self.unit(unit))))?;
        let lost = ledger::lines(&plan.ledger);
        map.serialize_entry(
            "ledger",
            &Each(|| lost.iter().map(|line| LossEntry::new(line, &plan.ledger, &Values::Plain))),
        )?;
        map.serialize_entry("head", &plan.head)?;
        map.serialize_entry("movesCursor", &plan.moves_cursor)?;
        map.serialize_entry("reopened", &Each(|| self.reopened.iter().map(|unit| self.unit(unit))))?;
        map.serialize_entry("cautions", &Each(|| plan.warnings.iter().map(|warning| self.caution(warning))))?;
        if let Some(forecast) = &plan.recovery {
            map.serialize_entry("recovery", &ForecastEntry(forecast))?;
        }
        map.serialize_entry("warnings", &self.all_warnings())?;
        map.end()
    }
}

impl<'a> Report<'a> {
    fn unit(&self, unit: &'a Unit) -> UnitEntry<'a> {
        UnitEntry::new(self.inspection, unit.pair, &unit.path)
    }

    fn caution(&self, warning: &'a Warning) -> CautionEntry<'a> {
        let pair = warning.pair.map(|pair| self.inspection.pair(pair));
        CautionEntry {
            kind: pair.map(|pair| pair.kind.wire()),
            key: pair.map(|pair| pair.key.as_str()),
            path: warning.path.as_ref(),
            rule: warning.rule.map(Rule::name),
            text: &warning.text,
        }
    }
}

#[derive(Serialize)]
struct CautionEntry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a FieldPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchEntry<'a> {
    phase: &'static str,
    last_mutation_at: Option<Cursor>,
    mutations: Vec<Cow<'a, WireMutation>>,
}

impl<'a> BatchEntry<'a> {
    fn new(batch: &'a Batch) -> Self {
        Self {
            phase: batch.phase.name(),
            last_mutation_at: batch.last_mutation_at,
            mutations: batch.items.iter().map(wire).collect(),
        }
    }
}

fn left(left: &Left) -> LeftEntry<'_> {
    LeftEntry { device: &left.device, reason: &left.reason }
}
