//! One queue entry, one resource: the rows of a device file.

use std::collections::HashSet;

use super::members::{type_name, wrong_type};
use super::misfit::{At, Misfit, count, named, object, optional, present, required, unambiguous};
use super::warning::Warnings;
use crate::domain::device::{Known, SyncStatus, Tombstone};
use crate::domain::json::{Json, Members, Text, string};
use crate::domain::mutation::{Kind, Millis, Op, Payload, QueueId, Queued, ResourceId};

/// Numbers below this are seconds, not ms (PROTOCOL A6).
const SECONDS_BELOW: u64 = 1_000_000_000_000;

/// Reads rows of the document `text`, so that their payloads are stretches of it.
pub(super) struct Rows<'a> {
    pub(super) text: &'a Text,
    pub(super) warnings: &'a mut Warnings,
    /// The deletions that are marked as the client's own.
    pub(super) retention: &'a mut HashSet<QueueId>,
}

/// The members of a row, as far as the tool knows them, as text.
#[derive(Default)]
struct Row<'a> {
    id: Option<&'a str>,
    op: Option<&'a str>,
    kind: Option<&'a str>,
    resource_id: Option<&'a str>,
    data: Option<&'a str>,
    base: Option<&'a str>,
    created_at: Option<&'a str>,
    retry_count: Option<&'a str>,
    retention: Option<&'a str>,
    last_error: Option<&'a str>,
    sync_status: Option<&'a str>,
    local_updated_at: Option<&'a str>,
    server_timestamp: Option<&'a str>,
}

impl<'a> From<Members<'a>> for Row<'a> {
    fn from(members: Members<'a>) -> Self {
        let mut row = Self::default();
        for (name, value) in members.list {
            let slot = match &*name {
                "id" => &mut row.id,
                "type" => &mut row.op,
                "resource" => &mut row.kind,
                "resourceId" => &mut row.resource_id,
                "data" => &mut row.data,
                "base" => &mut row.base,
                "createdAt" => &mut row.created_at,
                "retryCount" => &mut row.retry_count,
                "retention" => &mut row.retention,
                "lastError" => &mut row.last_error,
                "syncStatus" => &mut row.sync_status,
                "localUpdatedAt" => &mut row.local_updated_at,
                "serverTimestamp" => &mut row.server_timestamp,
                _ => continue,
            };
            *slot = Some(value.get());
        }
        row
    }
}

impl Rows<'_> {
    /// A queue entry. Whatever decides what is sent must be there and be right.
    pub(super) fn queued(&mut self, at: At<'_>, text: &str) -> Result<Queued, Misfit> {
        let row = Row::from(object(at, text)?);
        let id = required(at.member("id"), row.id, "the queue entry's id, a string")?;
        let op = operation(at.member("type"), row.op)?;
        let kind = kind(at.member("resource"), row.kind)?;
        if row.retention == Some("true") && op == Op::Delete {
            self.retention.insert(QueueId::from(&*id));
        }
        Ok(Queued {
            id: QueueId::from(&*id),
            op,
            resource_id: self.resource_id(at.member("resourceId"), row.resource_id)?,
            data: self.payload(at.member("data"), row.data, &kind)?,
            base: self.payload(at.member("base"), row.base, &kind)?,
            kind,
            created_at: self.time(at.member("createdAt"), row.created_at),
            retry_count: self.retry_count(at.member("retryCount"), row.retry_count),
            last_error: self.last_error(at.member("lastError"), row.last_error),
        })
    }

    /// A known resource.
    pub(super) fn known(&mut self, at: At<'_>, text: &str) -> Result<Known, Misfit> {
        let row = Row::from(object(at, text)?);
        let id = required(at.member("id"), row.id, "the resource's id, a string")?;
        let kind = kind(at.member("resource"), row.kind)?;
        let status = sync_status(at.member("syncStatus"), row.sync_status)?;
        Ok(Known {
            id: ResourceId::from(&*id),
            data: self.payload(at.member("data"), row.data, &kind)?,
            kind,
            status,
            local_updated_at: self.time(at.member("localUpdatedAt"), row.local_updated_at),
            server_timestamp: self.time(at.member("serverTimestamp"), row.server_timestamp),
        })
    }

    /// A row that was deleted before the server acknowledged it.
    pub(super) fn tombstone(&mut self, at: At<'_>, text: &str) -> Result<Tombstone, Misfit> {
        let row = Row::from(object(at, text)?);
        let kind = kind(at.member("resource"), row.kind)?;
        Ok(Tombstone {
            data: self.payload(at.member("data"), row.data, &kind)?,
            kind,
            deleted_at: self.time(at.member("localUpdatedAt"), row.local_updated_at),
        })
    }

    /// A moment; the queue can do without, so another type is only odd.
    pub(super) fn time(&mut self, at: At<'_>, text: Option<&str>) -> Option<Millis> {
        let text = text.and_then(present)?;
        let value = Json::parse(text);
        let time = Millis::from_json(&value);
        match (value.as_i64(), time) {
            (_, None) => self.warnings.misfit(
                Misfit::new(at, type_name(text), "an ISO 8601 time or a whole number of ms"),
                "taken as unknown",
            ),
            (Some(number), _) if number != 0 && number.unsigned_abs() < SECONDS_BELOW => {
                self.warnings.add(at, "a time below 1e12 is read as seconds");
            }
            _ => {}
        }
        time
    }

    /// An empty id would make one resource of all that have one.
    fn resource_id(&mut self, at: At<'_>, text: Option<&str>) -> Result<Option<ResourceId>, Misfit> {
        let id = optional(at, text)?;
        if id.as_deref() == Some("") {
            self.warnings.add(at, "found an empty string; taken as no id");
            return Ok(None);
        }
        Ok(id.as_deref().map(ResourceId::from))
    }

    fn payload(&mut self, at: At<'_>, text: Option<&str>, kind: &Kind) -> Result<Payload, Misfit> {
        let Some(text) = text.and_then(present) else { return Ok(Payload::ABSENT) };
        if !text.starts_with('{') {
            return Err(Misfit::new(at, type_name(text), "an object"));
        }
        match serde_json::from_str::<Members>(text) {
            Ok(members) => self.member_types(at, &unambiguous(at, members)?, kind),
            Err(_) => self.warnings.add(at, "a member's name is not Unicode; sent as it is, never compared"),
        }
        Ok(Payload::new(self.text.part(text)))
    }

    fn member_types(&mut self, at: At<'_>, members: &Members<'_>, kind: &Kind) {
        if matches!(kind, Kind::Other(_)) {
            return;
        }
        for (name, value) in &members.list {
            if let Some(expected) = wrong_type(name, value.get()) {
                let message = format!("{name} is {}, expected {expected}", type_name(value.get()));
                self.warnings.add(at, message);
            }
        }
    }

    /// What cannot be read counts as tried once: a mutation that may have been sent must never be dropped as one
    /// that surely was not.
    fn retry_count(&mut self, at: At<'_>, text: Option<&str>) -> u32 {
        let Some(text) = text.and_then(present) else { return 0 };
        match count(at, text) {
            Ok(count) => u32::try_from(count).unwrap_or(u32::MAX),
            Err(misfit) => {
                self.warnings.misfit(misfit, "taken as tried once");
                1
            }
        }
    }

    /// Any answer is evidence, so another type is kept as its text.
    fn last_error(&mut self, at: At<'_>, text: Option<&str>) -> Option<String> {
        let text = text.and_then(present)?;
        let error = string(text).unwrap_or_else(|| {
            self.warnings.misfit(Misfit::new(at, type_name(text), "a string"), "kept as its JSON text");
            text.into()
        });
        Some(error.into_owned())
    }
}

fn operation(at: At<'_>, text: Option<&str>) -> Result<Op, Misfit> {
    let expected = "CREATE, UPDATE or DELETE";
    let word = required(at, text, expected)?;
    Op::from_wire(&word).ok_or_else(|| Misfit::new(at, named(&word), expected))
}

fn kind(at: At<'_>, text: Option<&str>) -> Result<Kind, Misfit> {
    required(at, text, "a resource kind, such as NOTE").map(|word| Kind::from_wire(&word))
}

fn sync_status(at: At<'_>, text: Option<&str>) -> Result<SyncStatus, Misfit> {
    let expected = "synced, pending_create, pending_update or pending_delete";
    let word = required(at, text, expected)?;
    SyncStatus::from_word(&word).ok_or_else(|| Misfit::new(at, named(&word), expected))
}
