//! Small parts that several reports share.

use std::borrow::Cow;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::redact::{Value, Values};
use crate::domain::device::Identity;
use crate::domain::field::FieldPath;
use crate::domain::identity;
use crate::domain::inspect::{Blocked, Inspection, Pair, PairId};
use crate::domain::ledger::Line;
use crate::domain::mutation::{QueueId, ServerMutation};
use crate::domain::settle::Loss;

/// Who the device is; what is not known is left out.
pub(super) struct DeviceEntry<'a>(pub(super) &'a Identity);

impl Serialize for DeviceEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Identity { id, label, user } = self.0;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in [("id", id), ("label", label), ("user", user)] {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

/// The id of what a server mutation speaks of: a link without one is `collectionId-bookmarkId` (DESIGN §6).
pub(super) fn server_id(mutation: &ServerMutation) -> Option<String> {
    let given = mutation.resource_id.as_ref().map(ToString::to_string);
    given.or_else(|| identity::link_id(&mutation.data))
}

/// The server's resource that may be what this pair's creation became, where that cannot be told.
pub(super) fn twin(inspection: &Inspection, pair: &Pair) -> Option<String> {
    inspection.window.mutations.get(pair.twin?).and_then(server_id)
}

/// The pair that another one waits for.
pub(super) fn blocker<'a>(inspection: &'a Inspection, pair: &Pair) -> Option<&'a Pair> {
    match pair.blocked? {
        Blocked::Parent(parent) => Some(inspection.pair(parent)),
        Blocked::Retention | Blocked::NoParent | Blocked::NoServerId | Blocked::NotVisible => None,
    }
}

/// One field of one pair, by the names that choices files use.
#[derive(Serialize)]
pub(super) struct UnitEntry<'a> {
    pub(super) kind: &'a str,
    pub(super) key: &'a str,
    pub(super) path: &'a FieldPath,
}

impl<'a> UnitEntry<'a> {
    pub(super) fn new(inspection: &'a Inspection, pair: PairId, path: &'a FieldPath) -> Self {
        let pair = inspection.pair(pair);
        Self { kind: pair.kind.wire(), key: &pair.key, path }
    }
}

/// Queue entries that a plan does not send, and why.
#[derive(Serialize)]
pub(super) struct LeftEntry<'a> {
    pub(super) device: &'a [QueueId],
    pub(super) reason: &'a str,
}

/// A line of the loss ledger, and what went with it.
#[derive(Serialize)]
pub(super) struct LossEntry<'a> {
    kind: &'a str,
    key: Cow<'a, str>,
    path: &'a FieldPath,
    side: &'static str,
    value: Value<'a>,
    reason: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    under: Vec<UnderEntry<'a>>,
}

#[derive(Serialize)]
struct UnderEntry<'a> {
    path: &'a FieldPath,
    value: Value<'a>,
}

impl<'a> LossEntry<'a> {
    pub(super) fn new(line: &Line, ledger: &'a [Loss], values: &Values) -> Self {
        let loss = &ledger[line.at];
        let under = line.under.iter().map(|at| &ledger[*at]);
        Self {
            kind: loss.kind.wire(),
            key: values.key(&loss.key),
            path: &loss.path,
            side: loss.side.name(),
            value: values.field(&loss.path, &loss.value),
            reason: loss.reason,
            under: under
                .map(|loss| UnderEntry { path: &loss.path, value: values.field(&loss.path, &loss.value) })
                .collect(),
        }
    }
}

/// A list that is made while it is written.
pub(super) struct Each<F>(pub(super) F);

impl<F: Fn() -> I, I: Iterator<Item = T>, T: Serialize> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}
