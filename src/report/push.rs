//! What was done to a device, for the ticket: `unstick.report/1` (schema in `assets/schemas/report-1.json`), and as
//! Markdown. Values are people's; where they must not leave the house, marks stand in their place
//! ([`super::redact`]).

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::account::{Account, Ended, Failed};
use super::entries::{DeviceEntry, Each};
use super::redact::{Data, Value, Values};
use super::{lines, markdown, outcome};
use crate::domain::device::Identity;
use crate::domain::diagnosis::Cause;
use crate::domain::field::{Base, FieldPath};
use crate::domain::json::Json;
use crate::domain::mutation::{Cursor, QueueId, ResourceId};
use crate::domain::push::{Answer, Carried, Decision, Exchange};
use crate::domain::resolution::By;

/// The `schema` of the JSON form.
pub const SCHEMA: &str = "unstick.report/1";

/// An account as it is written for a ticket.
pub struct Report<'a> {
    /// What came of the push.
    pub account: &'a Account,
    /// How people's values are written.
    pub values: &'a Values,
}

impl Report<'_> {
    /// Writes the JSON form.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        lines::write(out, self)
    }

    /// Writes the Markdown form.
    pub fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        markdown::write(self, out)
    }

    /// Who the device is. Its name is a person's word.
    pub(super) fn device(&self) -> Identity {
        let device = &self.account.subject.device;
        let label = device.label.as_deref().map(|label| self.values.text(label).into_owned());
        Identity { label, ..device.clone() }
    }

    /// Why the device was stuck.
    pub(super) fn causes<'a>(&'a self, ended: &'a Ended) -> impl Iterator<Item = Cause> + 'a {
        ended.causes.iter().map(|cause| {
            let evidence = self.values.sentence(&cause.evidence).into_owned();
            Cause { evidence, ..cause.clone() }
        })
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Account { subject, result, exit } = self.account;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("unstick", env!("CARGO_PKG_VERSION"))?;
        map.serialize_entry("began", &subject.began.to_iso())?;
        map.serialize_entry("redacted", &self.values.are_redacted())?;
        map.serialize_entry("device", &DeviceEntry(&self.device()))?;
        map.serialize_entry("file", &subject.file.display().to_string())?;
        map.serialize_entry("server", &subject.server)?;
        map.serialize_entry("cursor", &subject.cursor)?;
        map.serialize_entry("queued", &subject.queued)?;
        map.serialize_entry("exitCode", &exit.code())?;
        map.serialize_entry("warnings", &subject.warnings)?;
        match result {
            Err(failed) => map.serialize_entry("failure", &FailureEntry { failed, values: self.values })?,
            Ok(ended) => {
                map.serialize_entry("headBefore", &ended.head_before)?;
                map.serialize_entry("causes", &Each(|| self.causes(ended)))?;
                let decisions = || ended.course.decisions().map(|d| DecisionEntry::new(d, self.values));
                map.serialize_entry("choices", &Each(decisions))?;
                let exchanges = || ended.course.exchanges.iter().map(|e| ExchangeEntry::new(e, self.values));
                map.serialize_entry("requests", &Each(exchanges))?;
                outcome::members(&mut map, ended, self.values)?;
                map.serialize_entry("backup", &ended.files.backup())?;
                let not_written = ended.files.not_written.as_ref();
                map.serialize_entry("notWritten", &not_written.map(|unwritten| &unwritten.why))?;
                map.serialize_entry("result", &not_written.map(|unwritten| unwritten.result.path()))?;
                map.serialize_entry("leftOut", &ended.files.left_out)?;
            }
        }
        map.end()
    }
}

struct FailureEntry<'a> {
    failed: &'a Failed,
    values: &'a Values,
}

impl Serialize for FailureEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("what", &self.values.text(&self.failed.what))?;
        map.serialize_entry("next", &self.failed.next)?;
        map.serialize_entry("requestId", &self.failed.request_id)?;
        map.end()
    }
}

/// Who made a choice, in reports.
pub(super) const fn by(by: By) -> &'static str {
    match by {
        By::Hand => "hand",
        By::Strategy(strategy) => strategy.name(),
    }
}

/// What both sides last agreed on, where it is recorded.
pub(super) const fn recorded(base: &Base) -> Option<&Json> {
    match base {
        Base::Absent => None,
        Base::Recorded(value) => Some(value),
    }
}

#[derive(Serialize)]
struct DecisionEntry<'a> {
    kind: &'a str,
    key: Cow<'a, str>,
    title: Cow<'a, str>,
    path: &'a FieldPath,
    choice: &'static str,
    by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reopened: Option<&'static str>,
}

impl<'a> DecisionEntry<'a> {
    fn new(decision: &'a Decision, values: &Values) -> Self {
        let value = |value: Option<&'a Json>| value.map(|value| values.field(&decision.path, value));
        Self {
            kind: decision.kind.wire(),
            key: values.key(&decision.key),
            title: values.text(&decision.title),
            path: &decision.path,
            choice: decision.choice,
            by: by(decision.by),
            base: value(recorded(&decision.base)),
            device: value(decision.device.as_ref()),
            server: value(decision.server.as_ref()),
            result: value(decision.result.as_ref()),
            reopened: decision.reopened,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExchangeEntry<'a> {
    post: u32,
    last_mutation_at: Cursor,
    mutations: Vec<CarriedEntry<'a>>,
    answer: AnswerEntry<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CarriedEntry<'a> {
    device: &'a [QueueId],
    #[serde(rename = "type")]
    op: &'static str,
    resource: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data<'a>>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerEntry<'a> {
    word: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_mutation_at: Option<Cursor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_ids: Option<&'a [Option<String>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutation_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl<'a> ExchangeEntry<'a> {
    fn new(exchange: &'a Exchange, values: &'a Values) -> Self {
        let carried = |carried: &'a Carried| CarriedEntry {
            device: &carried.queue,
            op: carried.wire.op.wire(),
            resource: carried.wire.kind.wire(),
            resource_id: carried.wire.resource_id.as_ref().map(ResourceId::as_str),
            data: values.data(&carried.wire.data),
        };
        Self {
            post: exchange.post,
            last_mutation_at: exchange.head,
            mutations: exchange.mutations.iter().map(carried).collect(),
            answer: AnswerEntry::new(&exchange.answer, values),
        }
    }
}

impl<'a> AnswerEntry<'a> {
    fn new(answer: &'a Answer, values: &Values) -> Self {
        let entry = Self { word: answer.word(), ..Self::default() };
        match answer {
            Answer::Awaited => entry,
            Answer::Acknowledged { head, resource_ids } => Self {
                status: Some(200),
                last_mutation_at: Some(*head),
                resource_ids: Some(resource_ids),
                ..entry
            },
            Answer::Doubtful(why) => Self { status: Some(200), message: Some(why.into()), ..entry },
            Answer::Refused(refusal) => Self {
                status: Some(refusal.status),
                code: refusal.code.as_deref(),
                message: Some(values.text(&refusal.message)),
                mutation_index: refusal.mutation_index,
                request_id: refusal.request_id.as_deref(),
                ..entry
            },
            Answer::NotSent(why) | Answer::Lost(why) => Self { message: Some(values.text(why)), ..entry },
        }
    }
}
