//! What a push came to, for programs: `unstick.outcome/1` (schema in `assets/schemas/outcome-1.json`).

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::account::{Account, Ended};
use super::entries::{DeviceEntry, Each, LeftEntry, LossEntry};
use super::lines;
use super::redact::{Value, Values};
use super::why::ForecastEntry;
use crate::domain::field::FieldPath;
use crate::domain::ledger;
use crate::domain::mutation::{Kind, QueueId};
use crate::domain::push::{Difference, Quarantined, Sent};

/// The `schema` of the JSON form.
pub const SCHEMA: &str = "unstick.outcome/1";

/// Writes what a push that had begun came to. `report` is the file that tells more, where one was written.
pub fn write_json(
    account: &Account,
    ended: &Ended,
    report: Option<&std::path::Path>,
    out: &mut impl Write,
) -> io::Result<()> {
    lines::write(out, &Outcome { account, ended, report, values: &Values::Plain })
}

struct Outcome<'a> {
    account: &'a Account,
    ended: &'a Ended,
    report: Option<&'a std::path::Path>,
    values: &'a Values,
}

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Account { subject, exit, .. } = self.account;
        let files = &self.ended.files;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("device", &DeviceEntry(&subject.device))?;
        map.serialize_entry("exitCode", &exit.code())?;
        members(&mut map, self.ended, self.values)?;
        map.serialize_entry(
            "file",
            &files.not_written.is_none().then(|| subject.file.display().to_string()),
        )?;
        map.serialize_entry("backup", &files.backup())?;
        map.serialize_entry("report", &self.report.map(|path| path.display().to_string()))?;
        let not_written = files.not_written.as_ref();
        map.serialize_entry("notWritten", &not_written.map(|unwritten| &unwritten.why))?;
        map.serialize_entry("result", &not_written.map(|unwritten| unwritten.result.path()))?;
        map.serialize_entry("warnings", &Each(|| subject.warnings.iter().chain(&files.left_out)))?;
        map.end()
    }
}

/// How the push ended and what it left, as members of the outcome and of the report.
pub(super) fn members<M: SerializeMap>(map: &mut M, ended: &Ended, values: &Values) -> Result<(), M::Error> {
    let ids = |ids: &[QueueId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    map.serialize_entry("end", ended.end)?;
    map.serialize_entry("syncEnd", ended.sync_end)?;
    map.serialize_entry("why", &ended.why.as_deref().map(|why| values.text(why)))?;
    map.serialize_entry("requestId", &ended.request_id)?;
    map.serialize_entry("head", &ended.head)?;
    map.serialize_entry("cursorMoved", &ended.cursor_moved)?;
    map.serialize_entry("posts", &ended.posts)?;
    map.serialize_entry("pulls", &ended.pulls)?;
    map.serialize_entry("sent", &Each(|| ended.sent.iter().map(SentEntry::new)))?;
    map.serialize_entry("arrived", &ids(&ended.arrived))?;
    map.serialize_entry("applied", &ended.applied)?;
    map.serialize_entry("inDoubt", &ids(&ended.in_doubt))?;
    let quarantined = || {
        ended
            .quarantined
            .iter()
            .map(|left| QuarantinedEntry { device: &left.ids, reason: values.text(&left.message) })
    };
    map.serialize_entry("quarantined", &Each(quarantined))?;
    map.serialize_entry("hold", &Each(|| ended.held.iter().map(left)))?;
    map.serialize_entry("drop", &Each(|| ended.dropped.iter().map(left)))?;
    map.serialize_entry("open", &Each(|| ended.open.iter().map(|unit| OpenEntry::new(unit, values))))?;
    let differences = || ended.differences.iter().map(|difference| DifferenceEntry::new(difference, values));
    map.serialize_entry("differences", &Each(differences))?;
    let (beyond, lost) = (ledger::lines(&ended.beyond), ledger::lines(&ended.ledger));
    let losses = || lost.iter().map(|line| LossEntry::new(line, &ended.ledger, values));
    let beyond = || beyond.iter().map(|line| LossEntry::new(line, &ended.beyond, values));
    if let Some(forecast) = &ended.recovery {
        map.serialize_entry("recovery", &ForecastEntry(forecast))?;
    }
    map.serialize_entry("lostBeyondPreview", &Each(beyond))?;
    map.serialize_entry("ledger", &Each(losses))
}

fn left(left: &Quarantined) -> LeftEntry<'_> {
    LeftEntry { device: &left.ids, reason: &left.message }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SentEntry<'a> {
    device: &'a [QueueId],
    #[serde(rename = "type")]
    op: &'static str,
    resource: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a str>,
}

impl<'a> SentEntry<'a> {
    fn new(sent: &'a Sent) -> Self {
        let Sent { ids, op, kind, resource_id } = sent;
        Self { device: ids, op: op.wire(), resource: kind.wire(), resource_id: resource_id.as_deref() }
    }
}

#[derive(Serialize)]
struct QuarantinedEntry<'a> {
    device: &'a [QueueId],
    reason: Cow<'a, str>,
}

#[derive(Serialize)]
struct OpenEntry<'a> {
    kind: &'a str,
    key: Cow<'a, str>,
    path: &'a FieldPath,
}

impl<'a> OpenEntry<'a> {
    fn new((kind, key, path): &'a (Kind, String, FieldPath), values: &Values) -> Self {
        Self { kind: kind.wire(), key: values.key(key), path }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DifferenceEntry<'a> {
    device: &'a [QueueId],
    kind: &'a str,
    resource_id: &'a str,
    path: &'a FieldPath,
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<Value<'a>>,
}

impl<'a> DifferenceEntry<'a> {
    fn new(difference: &'a Difference, values: &Values) -> Self {
        let Difference { ids, kind, resource_id, path, what, sent, holds } = difference;
        let value = |value: &'a Option<_>| value.as_ref().map(|value| values.field(path, value));
        Self {
            device: ids,
            kind: kind.wire(),
            resource_id: resource_id.as_str(),
            path,
            what,
            sent: value(sent),
            holds: value(holds),
        }
    }
}
