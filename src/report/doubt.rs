//! What is in doubt after a POST without a good answer, for programs: `unstick.doubt/1` (schema in
//! `assets/schemas/doubt-1.json`).

use std::io::{self, Write};

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::lines;
use crate::domain::identity;
use crate::domain::inspect::Inspection;
use crate::domain::mutation::ServerMutation;
use crate::domain::push::{Question, questions};

const SCHEMA: &str = "unstick.doubt/1";

/// Writes each question with what was sent and what may be it.
pub fn write_json(inspection: &Inspection, out: &mut impl Write) -> io::Result<()> {
    lines::write(out, &Doubt(inspection))
}

struct Doubt<'a>(&'a Inspection);

struct Asked<'a>(&'a Inspection, &'a Question);

struct Candidate<'a>(&'a ServerMutation);

impl Serialize for Doubt<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let open = questions(self.0);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("questions", &open.iter().map(|q| Asked(self.0, q)).collect::<Vec<_>>())?;
        map.end()
    }
}

impl Serialize for Asked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(inspection, question) = self;
        let pair = inspection.pair(question.pair);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", pair.kind.wire())?;
        map.serialize_entry("key", &pair.key)?;
        map.serialize_entry("queue", &question.queue.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        map.serialize_entry("sent", &question.sent(inspection))?;
        let seen = question.candidates.iter().map(|at| Candidate(&inspection.window.mutations[*at]));
        map.serialize_entry("candidates", &seen.collect::<Vec<_>>())?;
        map.end()
    }
}

impl Serialize for Candidate<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("resourceId", &identity::id_of(self.0).map(|id| id.to_string()))?;
        map.serialize_entry("type", self.0.op.wire())?;
        map.serialize_entry("timestamp", &self.0.timestamp.0)?;
        map.serialize_entry("data", &self.0.data.members())?;
        map.end()
    }
}
