//! A case as it is made and written.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::redact::StandIns;
use super::{Case, Decided, SCHEMA};
use crate::domain::again::UNNAMED;
use crate::domain::choices;
use crate::domain::device::{Device, Known, SyncState, Tombstone};
use crate::domain::diagnosis;
use crate::domain::field::Choice;
use crate::domain::inspect::{Inspection, inspect};
use crate::domain::json::Json;
use crate::domain::mutation::{Cursor, Kind, Millis, Payload, Queued, ServerMutation};
use crate::domain::plan;
use crate::domain::resolution::{By, Chosen, Resolution, Unit};
use crate::domain::strategy;
use crate::domain::window::Window;
use crate::error::InputError;
use crate::report::{inspection as inspected, lines, plan as planned};

/// Numbers below this are read as seconds (PROTOCOL A6), so such a moment is written as text.
const SECONDS_BELOW: i64 = 1_000_000_000_000;

/// A case that is ready to be written.
pub struct NewCase {
    device: Arc<Device>,
    window: Arc<Window>,
    decision: Option<Decided>,
    outcome: Json,
    now: Millis,
    redacted: bool,
}

/// What a person or a rule decided of an inspection.
pub enum Decision<'a> {
    /// A rule.
    Strategy(strategy::Strategy),
    /// Choices that were made.
    Choices(&'a Resolution),
}

impl NewCase {
    /// The case of `inspection`, with stand-ins for what people wrote where there are `stand_ins`. The outcome is
    /// that of the case as it will be read again.
    ///
    /// # Errors
    /// A device that its own file cannot tell of; there should be none.
    pub fn of<R: FnMut() -> u64>(
        inspection: &Inspection,
        decision: Option<&Decision<'_>>,
        now: Millis,
        mut stand_ins: Option<StandIns<R>>,
    ) -> Result<Self, InputError> {
        let redacted = stand_ins.is_some();
        let (device, window) = match &mut stand_ins {
            Some(stand_ins) => {
                stand_ins.learn(&inspection.device, &inspection.window);
                (
                    Arc::new(stand_ins.device(&inspection.device)),
                    Arc::new(stand_ins.window(&inspection.window)),
                )
            }
            None => (Arc::clone(&inspection.device), Arc::clone(&inspection.window)),
        };
        let mut case = Self { device, window, decision: None, outcome: Json::Null, now, redacted };
        let name = "the new case";
        let text = serde_json::to_string(&case).map_err(|error| InputError::syntax(name, &error))?;
        let Some(read) = Case::read(name, &text)? else { return Ok(case) };
        let again = inspect(read.file.shared(), read.window);
        let (decision, resolution) = match decision {
            None => (None, None),
            Some(Decision::Strategy(strategy)) => {
                let decided = Decided::Strategy(*strategy);
                let resolution = decided.resolution(name, &again)?;
                (Some(decided), Some(resolution))
            }
            Some(Decision::Choices(resolution)) => {
                let mut edited = |value: &Json| match &mut stand_ins {
                    Some(stand_ins) => stand_ins.value(value),
                    None => value.clone(),
                };
                let resolution = carried(inspection, &again, resolution, &mut edited);
                let text = choices::export(&again, &resolution).to_string();
                (Some(Decided::Choices(text)), Some(resolution))
            }
        };
        case.outcome = outcome(&again, decision.as_ref().zip(resolution.as_ref()), now)
            .map_err(|error| InputError::syntax(name, &error))?;
        case.decision = decision;
        Ok(case)
    }

    /// Writes the case.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        lines::write(out, self)
    }
}

/// The same choices on the same inspection as it was read again.
fn carried(
    from: &Inspection,
    to: &Inspection,
    resolution: &Resolution,
    edited: &mut impl FnMut(&Json) -> Json,
) -> Resolution {
    let same = |unit: &Unit| {
        to.pairs.get(unit.pair.index()).is_some_and(|pair| {
            let before = from.pair(unit.pair);
            pair.kind == before.kind && pair.device == before.device && pair.server == before.server
        })
    };
    let choices = resolution.iter().filter(|(unit, _)| same(unit)).map(|(unit, chosen)| {
        let choice = match &chosen.choice {
            Choice::Edited(value) => Choice::Edited(edited(value)),
            choice @ (Choice::Device | Choice::Server | Choice::Both) => choice.clone(),
        };
        (unit.clone(), Some(Chosen { choice, by: By::Hand }))
    });
    let mut carried = Resolution::default();
    carried.choose("the choices of the case", choices.collect::<Vec<_>>());
    carried
}

/// What the tool says of both sides: the inspection and, where something was decided, the plan.
pub(super) fn outcome(
    inspection: &Inspection,
    decided: Option<(&Decided, &Resolution)>,
    now: Millis,
) -> Result<Json, serde_json::Error> {
    #[derive(Serialize)]
    struct Outcome<'a> {
        inspection: inspected::Report<'a>,
        plan: Option<planned::Report<'a>>,
    }
    let causes = diagnosis::diagnose(inspection, now);
    let plan = decided.map(|(_, resolution)| plan::plan(inspection, resolution, now));
    let report = decided.zip(plan.as_ref()).map(|((decided, _), plan)| {
        let by = match decided {
            Decided::Strategy(strategy) => planned::By::Strategy(*strategy),
            Decided::Choices(_) => planned::By::Choices("the case"),
        };
        planned::Report { inspection, plan, by, reopened: &[], warnings: &[], again: &UNNAMED }
    });
    let inspected = inspected::Report { inspection, causes: &causes, warnings: &[], now, again: &UNNAMED };
    serde_json::to_string(&Outcome { inspection: inspected, plan: report }).map(|text| Json::parse(&text))
}

impl Serialize for NewCase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { device, window, .. } = self;
        let in_doubt: BTreeMap<&str, Cursor> =
            device.in_doubt.iter().map(|(id, head)| (id.as_str(), *head)).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("now", &self.now)?;
        map.serialize_entry("redacted", &self.redacted)?;
        map.serialize_entry("device", &DeviceDocument(device))?;
        map.serialize_entry("inDoubt", &in_doubt)?;
        map.serialize_entry("pull", &PullDocument(window))?;
        map.serialize_entry("decision", &self.decision)?;
        map.serialize_entry("outcome", &self.outcome)?;
        map.end()
    }
}

impl Serialize for Decided {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Strategy(strategy) => map.serialize_entry("strategy", strategy.name())?,
            Self::Choices(text) => map.serialize_entry("choices", &raw::<S::Error>(text)?)?,
        }
        map.end()
    }
}

fn raw<E: serde::ser::Error>(text: &str) -> Result<Box<RawValue>, E> {
    RawValue::from_string(text.trim().to_owned()).map_err(E::custom)
}

/// A device as a device file (DESIGN §3).
struct DeviceDocument<'a>(&'a Device);

impl Serialize for DeviceDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Device {
            identity,
            sync,
            queue,
            known,
            retention,
            tombstones,
            phone,
            in_doubt: _,
            not_it: _,
            recognised: _,
            given: _,
        } = self.0;
        let names = [("id", &identity.id), ("label", &identity.label), ("user", &identity.user)];
        let names = names.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("device", &names.collect::<indexmap::IndexMap<_, _>>())?;
        map.serialize_entry("sync", &SyncMembers(sync))?;
        if phone.is_some() {
            // What else is said of the database is nobody's business.
            map.serialize_entry("phone", &indexmap::IndexMap::<String, String>::new())?;
        }
        let row = |entry| QueuedRow(entry, retention.contains(&entry.id));
        map.serialize_entry("queue", &queue.iter().map(row).collect::<Vec<_>>())?;
        if let Some(known) = known {
            map.serialize_entry("resources", &known.iter().map(KnownRow).collect::<Vec<_>>())?;
        }
        if !tombstones.is_empty() {
            map.serialize_entry("tombstones", &tombstones.iter().map(TombstoneRow).collect::<Vec<_>>())?;
        }
        map.end()
    }
}

struct SyncMembers<'a>(&'a SyncState);

impl Serialize for SyncMembers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        optional(&mut map, "lastMutationAt", self.0.cursor)?;
        optional(&mut map, "lastSyncAttempt", self.0.last_attempt.map(Moment))?;
        optional(&mut map, "lastSuccessfulSync", self.0.last_success.map(Moment))?;
        optional(&mut map, "pendingMutationCount", self.0.pending_count)?;
        map.end()
    }
}

/// An entry, and whether it is the client's own deletion.
struct QueuedRow<'a>(&'a Queued, bool);

impl Serialize for QueuedRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(entry, retention) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &entry.id)?;
        map.serialize_entry("type", entry.op.wire())?;
        map.serialize_entry("resource", entry.kind.wire())?;
        optional(&mut map, "resourceId", entry.resource_id.as_ref())?;
        payload(&mut map, "data", &entry.data)?;
        payload(&mut map, "base", &entry.base)?;
        optional(&mut map, "createdAt", entry.created_at.map(Moment))?;
        map.serialize_entry("retryCount", &entry.retry_count)?;
        optional(&mut map, "retention", retention.then_some(true))?;
        optional(&mut map, "lastError", entry.last_error.as_ref())?;
        map.end()
    }
}

struct KnownRow<'a>(&'a Known);

impl Serialize for KnownRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &row.id)?;
        map.serialize_entry("resource", row.kind.wire())?;
        payload(&mut map, "data", &row.data)?;
        map.serialize_entry("syncStatus", row.status.word())?;
        optional(&mut map, "localUpdatedAt", row.local_updated_at.map(Moment))?;
        optional(&mut map, "serverTimestamp", row.server_timestamp.map(Moment))?;
        map.end()
    }
}

struct TombstoneRow<'a>(&'a Tombstone);

impl Serialize for TombstoneRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("resource", row.kind.wire())?;
        payload(&mut map, "data", &row.data)?;
        optional(&mut map, "localUpdatedAt", row.deleted_at.map(Moment))?;
        map.end()
    }
}

/// A moment in the form in which it is read as the same again.
struct Moment(Millis);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.0 {
            0 => serializer.serialize_i64(0),
            ms if ms.saturating_abs() < SECONDS_BELOW => serializer.serialize_str(&self.0.to_iso()),
            ms => serializer.serialize_i64(ms),
        }
    }
}

fn optional<M: SerializeMap>(map: &mut M, name: &str, value: Option<impl Serialize>) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, &value))
}

fn payload<M: SerializeMap>(map: &mut M, name: &str, data: &Payload) -> Result<(), M::Error> {
    data.as_str().map_or(Ok(()), |text| map.serialize_entry(name, &raw::<M::Error>(text)?))
}

/// A window as a recorded pull of one page (DESIGN §3), with what only the pull knew.
struct PullDocument<'a>(&'a Window);

impl Serialize for PullDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Window { path, since, not_visible, .. } = self.0;
        let page = Page { request: Request { mutations_since: *since }, body: Body::of(self.0) };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", path.name())?;
        map.serialize_entry("notVisible", &not_visible.iter().map(Kind::wire).collect::<Vec<_>>())?;
        map.serialize_entry("pages", &[page])?;
        map.end()
    }
}

#[derive(Serialize)]
struct Page<'a> {
    request: Request,
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    mutations_since: Cursor,
}

#[derive(Serialize)]
struct Body<'a> {
    success: bool,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    last_mutation_at: Cursor,
    mutations: Vec<Entry<'a>>,
}

/// An entry of the feed; what could not be read is written as something that cannot be read.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Mutation(&'a ServerMutation),
    Unreadable { unreadable: &'a str },
}

impl<'a> Body<'a> {
    fn of(window: &'a Window) -> Self {
        let readable = window.mutations.iter().map(Entry::Mutation);
        let unreadable =
            window.unreadable.iter().map(|entry| Entry::Unreadable { unreadable: &entry.pointer });
        let data = Data { last_mutation_at: window.head, mutations: readable.chain(unreadable).collect() };
        Self { success: true, data }
    }
}
