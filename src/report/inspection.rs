//! The inspection as a report: `unstick.inspection/1` (DESIGN §6, schema in `assets/schemas/inspection-1.json`),
//! and for people.

use std::io::{self, Write};

use indexmap::IndexMap;
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use super::entries::{DeviceEntry, blocker, server_id, twin};
use super::style::Style;
use super::{human, lines};
use crate::domain::again::Again;
use crate::domain::choices;
use crate::domain::diagnosis::Cause;
use crate::domain::field::{Base, Field, FieldPath, FieldShape};
use crate::domain::inspect::{Details, Inspection, LookAlike, Pair, Rival, Status};
use crate::domain::json::Json;
use crate::domain::mutation::{Kind, Millis, Op, Side};
use crate::domain::naming;
use crate::domain::strategy::{self, Clock};
use crate::exit::ExitCode;

/// The `schema` of the JSON form.
pub const SCHEMA: &str = "unstick.inspection/1";

/// An inspection and what is said beside it.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Both sides, put together.
    pub inspection: &'a Inspection,
    /// Why the device is stuck, most telling first.
    pub causes: &'a [Cause],
    /// What was odd in the device file.
    pub warnings: &'a [String],
    /// The time, to mark stamps that lie in the future.
    pub now: Millis,
    /// How the device was named, for the commands that are proposed.
    pub again: &'a Again,
}

impl Report<'_> {
    /// Writes the JSON form, pair by pair.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        lines::write(out, self)
    }

    /// Writes the form for people: causes, summary, then the open pairs; `all` adds the rest.
    pub fn write_human(&self, out: &mut impl Write, style: Style, all: bool) -> io::Result<()> {
        human::inspection::write(self, out, style, all)
    }

    /// Whether anything waits for a person, as the exit code of `inspect`: a divergence, a mutation that cannot be
    /// sent, an entry of the server's feed that cannot be understood.
    pub fn exit_code(&self) -> ExitCode {
        let Inspection { summary, unidentified, window, .. } = self.inspection;
        let clear = summary.diverged == 0
            && summary.blocked == 0
            && unidentified.is_empty()
            && window.unreadable.is_empty();
        if clear { ExitCode::Done } else { ExitCode::Open }
    }

    /// What was odd: in the device file, then in the server's answers.
    pub(super) fn all_warnings(&self) -> Vec<String> {
        let told = self.warnings.iter().chain(&self.inspection.window.warnings).cloned();
        told.chain(self.inspection.warnings()).collect()
    }
}

/// Whether a pair waits for a person.
pub(super) const fn is_open(pair: &Pair) -> bool {
    match pair.status {
        Status::Diverged | Status::Blocked => true,
        Status::Converged | Status::Push | Status::Apply => false,
    }
}

/// The fields of a pair that say something. Whether the resource exists does so where a side deleted it or where
/// that is to be chosen; else the pair's shape tells all of it.
pub(super) fn told<'a>(pair: &Pair, details: &'a Details) -> impl Iterator<Item = &'a Field> {
    let deleted = [Side::Device, Side::Server].iter().any(|side| pair.shape.op(*side) == Some(Op::Delete));
    let existence = deleted || pair.open.iter().any(FieldPath::is_existence);
    details.fields.iter().filter(move |field| existence || field.shape != FieldShape::Existence)
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Inspection { device, window, pairs, ignored, unidentified, summary, .. } = self.inspection;
        let entries = |positions: &[usize]| -> Vec<FeedEntry> {
            let mutations = positions.iter().filter_map(|position| window.mutations.get(*position));
            mutations.map(|m| FeedEntry { kind: m.kind.wire().to_owned(), server: server_id(m) }).collect()
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("device", &DeviceEntry(&device.identity))?;
        map.serialize_entry("cursor", &device.sync.cursor)?;
        map.serialize_entry("head", &window.head)?;
        map.serialize_entry("windowTotal", &(window.mutations.len() + window.unreadable.len()))?;
        map.serialize_entry("causes", self.causes)?;
        map.serialize_entry("summary", summary)?;
        map.serialize_entry("pairs", &Pairs { report: self, pairs })?;
        map.serialize_entry("pull", window.path.name())?;
        map.serialize_entry("warnings", &self.all_warnings())?;
        map.serialize_entry("ignored", &entries(ignored))?;
        map.serialize_entry("unidentified", &entries(unidentified))?;
        map.serialize_entry("unreadable", &window.unreadable)?;
        map.serialize_entry("notVisible", &window.not_visible.iter().map(Kind::wire).collect::<Vec<_>>())?;
        map.end()
    }
}

/// An entry of the feed that belongs to no pair.
#[derive(Serialize)]
struct FeedEntry {
    kind: String,
    server: Option<String>,
}

struct Pairs<'a> {
    report: &'a Report<'a>,
    pairs: &'a [Pair],
}

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.pairs.iter().map(|pair| PairEntry { report: self.report, pair }))
    }
}

struct PairEntry<'a> {
    report: &'a Report<'a>,
    pair: &'a Pair,
}

impl Serialize for PairEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { report: Report { inspection, now, .. }, pair } = *self;
        let details = inspection.details(pair);
        let device: Vec<&str> = inspection.queued(pair).map(|m| m.id.as_str()).collect();
        let server: Vec<String> =
            inspection.served(pair).map(|m| server_id(m).unwrap_or_else(|| pair.key.clone())).collect();
        let fields: Vec<FieldEntry> =
            told(pair, &details).map(|field| FieldEntry { pair, details: &details, field }).collect();
        let open: Vec<&Field> = pair.open.iter().filter_map(|path| details.field(path)).collect();

        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", pair.kind.wire())?;
        map.serialize_entry("key", &pair.key)?;
        map.serialize_entry("status", pair.status.word())?;
        map.serialize_entry("shape", &pair.shape.to_string())?;
        map.serialize_entry("echo", &pair.echo)?;
        map.serialize_entry("device", &device)?;
        map.serialize_entry("server", &server)?;
        map.serialize_entry("blockedBy", &blocker(inspection, pair).map(|parent| &parent.key))?;
        map.serialize_entry("fields", &fields)?;
        map.serialize_entry("title", &naming::title(inspection, pair))?;
        if let Some(rival) = &pair.rival {
            map.serialize_entry("divergence", rival.contest.word())?;
            map.serialize_entry("rival", &RivalEntry { kind: &pair.kind, rival })?;
        }
        if pair.kind == Kind::Collection {
            let all = inspection.look_alikes.iter();
            let alike = all.filter(|found| inspection.pair(found.pair).key == pair.key);
            let alike: Vec<AlikeEntry> = alike.map(AlikeEntry::new).collect();
            if !alike.is_empty() {
                map.serialize_entry("looksLike", &alike)?;
            }
        }
        if let Some(twin) = twin(inspection, pair) {
            map.serialize_entry("twin", &twin)?;
        }
        if let Some(contradiction) = pair.contradiction {
            map.serialize_entry("contradiction", contradiction.reason())?;
        }
        if let Some(blocked) = pair.blocked {
            map.serialize_entry("blockedReason", blocked.reason())?;
        }
        if pair.status == Status::Diverged {
            map.serialize_entry("saw", &choices::saw(&details, &open))?;
            map.serialize_entry(
                "clock",
                &strategy::clock(inspection, pair).map(|clock| ClockEntry { clock, now: *now }),
            )?;
        }
        map.end()
    }
}

struct FieldEntry<'a> {
    pair: &'a Pair,
    details: &'a Details,
    field: &'a Field,
}

impl Serialize for FieldEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { pair, details, field } = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &field.path)?;
        map.serialize_entry("verdict", field.verdict.word())?;
        map.serialize_entry("base", &BaseEntry(&field.base))?;
        for side in [Side::Device, Side::Server] {
            if let Some(value) = field.value(side) {
                map.serialize_entry(side.name(), value)?;
            }
        }
        let misread = |side: &Side| field.misread(*side).map(|why| (side.name(), why.to_string()));
        let misread: IndexMap<&str, String> =
            [Side::Device, Side::Server].iter().filter_map(misread).collect();
        if !misread.is_empty() {
            map.serialize_entry("misread", &misread)?;
        }
        if let Some(other) = &field.against {
            let against = Against { contest: other.contest.word(), key: &other.key, holds: &other.holds };
            map.serialize_entry("against", &against)?;
        }
        if pair.open.contains(&field.path) || pair.contends_for(&field.path) {
            map.serialize_entry("choices", &choices::offered(pair, field))?;
            map.serialize_entry("saw", &choices::saw(details, &[field]))?;
        }
        map.end()
    }
}

/// The other resource of a contest; `decides` on the one where it is chosen.
struct RivalEntry<'a> {
    kind: &'a Kind,
    rival: &'a Rival,
}

impl Serialize for RivalEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { kind, rival } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", kind.wire())?;
        map.serialize_entry("key", &rival.key)?;
        map.serialize_entry("path", &rival.path)?;
        map.serialize_entry("decides", &rival.decides)?;
        map.end()
    }
}

/// Another collection whose name looks the same.
#[derive(Serialize)]
struct AlikeEntry<'a> {
    key: &'a str,
    #[serde(rename = "differsIn")]
    differs_in: &'static str,
}

impl<'a> AlikeEntry<'a> {
    fn new(found: &'a LookAlike) -> Self {
        Self { key: &found.key, differs_in: found.likeness.words() }
    }
}

/// What a value cannot stand beside.
#[derive(Serialize)]
struct Against<'a> {
    contest: &'static str,
    key: &'a str,
    holds: &'a Json,
}

struct BaseEntry<'a>(&'a Base);

impl Serialize for BaseEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Base::Absent => {
                let mut base = serializer.serialize_struct("base", 1)?;
                base.serialize_field("state", "absent")?;
                base.end()
            }
            Base::Recorded(value) => {
                let mut base = serializer.serialize_struct("base", 2)?;
                base.serialize_field("state", "recorded")?;
                base.serialize_field("value", value)?;
                base.end()
            }
        }
    }
}

struct ClockEntry {
    clock: Clock,
    now: Millis,
}

impl Serialize for ClockEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { clock, now } = self;
        let ahead: Vec<&str> = [(Side::Device, clock.device), (Side::Server, clock.server)]
            .into_iter()
            .filter(|(_, stamp)| stamp > now)
            .map(|(side, _)| side.name())
            .collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("device", &clock.device.to_iso())?;
        map.serialize_entry("server", &clock.server.to_iso())?;
        map.serialize_entry("mixed", &clock.mixed)?;
        map.serialize_entry("winner", clock.winner().name())?;
        map.serialize_entry("byMs", &clock.margin_ms())?;
        map.serialize_entry("inTheFuture", &ahead)?;
        map.end()
    }
}
