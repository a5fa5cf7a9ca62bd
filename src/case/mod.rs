//! A case (`unstick.case/1`): a stuck device, what the server held, what was decided and what came of it, in one
//! file. Opened again it shows the same, without the server; planned again it tells whether a rule changed since.
//!
//! ```json
//! {"schema": "unstick.case/1", "now": 1790000000000, "redacted": false,
//!  "device": {"sync": {}, "queue": [], "resources": []}, "inDoubt": {},
//!  "pull": {"path": "since-cursor", "notVisible": [], "pages": [{"request": {"mutationsSince": 100}, "body": {}}]},
//!  "decision": {"strategy": "merge"},
//!  "outcome": {"inspection": {}, "plan": {}}}
//! ```
//!
//! `device` is a device file and `pull` a recorded pull, as DESIGN §3 has them. `decision` is a strategy, or a
//! choices file under `choices`, or `null`, and then there is no plan.

pub mod redact;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::device::DeviceFile;
use crate::domain::choices;
use crate::domain::inspect::Inspection;
use crate::domain::json::Json;
use crate::domain::mutation::{Cursor, Kind, Millis};
use crate::domain::resolution::Resolution;
use crate::domain::strategy::{self, Strategy};
use crate::domain::window::{PullPath, Window};
use crate::error::InputError;
use crate::server::Recording;

pub use write::{Decision, NewCase};

/// The `schema` of a case.
pub const SCHEMA: &str = "unstick.case/1";
/// How many differences are told one by one.
const TOLD: usize = 20;
/// Where in a file its `schema` stands, bytes.
pub const BEGINNING: usize = 256;

/// A case that was read.
#[derive(Debug)]
pub struct Case {
    /// The device, with what an interrupted push had left in doubt.
    pub file: DeviceFile,
    /// What the server held.
    pub window: Arc<Window>,
    /// What was decided.
    pub decision: Option<Decided>,
    /// When: every age and every stamp in the future is told from here.
    pub now: Millis,
    outcome: Json,
}

/// What a case says was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// A rule.
    Strategy(Strategy),
    /// Choices, as the text of a choices file.
    Choices(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    now: i64,
    #[serde(borrow)]
    device: &'a RawValue,
    #[serde(default)]
    in_doubt: BTreeMap<String, i64>,
    #[serde(borrow)]
    pull: &'a RawValue,
    #[serde(borrow)]
    decision: Option<DecisionMember<'a>>,
    outcome: Json,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum DecisionMember<'a> {
    Strategy(String),
    #[serde(borrow)]
    Choices(&'a RawValue),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pull {
    path: String,
    #[serde(default)]
    not_visible: Vec<String>,
}

/// Whether the first bytes of a file are those of a case as it is written here.
pub fn begins_like_one(bytes: &[u8]) -> bool {
    bytes.windows(SCHEMA.len()).take(BEGINNING).any(|window| window == SCHEMA.as_bytes())
}

/// Whether a text says that it is a case. Any other text is looked at no further.
fn says_so(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Schema<'a> {
        #[serde(borrow)]
        schema: Option<&'a RawValue>,
    }
    text.trim_start().starts_with('{')
        && serde_json::from_str::<Schema>(text)
            .is_ok_and(|document| document.schema.is_some_and(|schema| schema.get() == format!("{SCHEMA:?}")))
}

impl Case {
    /// The case that `text` is; `None` where it is something else. `name` is the file's, for messages.
    ///
    /// # Errors
    /// A case that is not whole, or whose device file, pull or strategy cannot be read.
    pub fn read(name: &str, text: &str) -> Result<Option<Self>, InputError> {
        if !says_so(text) {
            return Ok(None);
        }
        let syntax = |error: serde_json::Error| InputError::syntax(name, &error);
        let document: Document = serde_json::from_str(text).map_err(syntax)?;
        let in_doubt = document.in_doubt.iter().map(|(id, head)| (id.as_str().into(), Cursor::read(*head)));
        let file =
            DeviceFile::from_text(name, document.device.get().to_owned())?.in_doubt(in_doubt.collect());
        let pull: Pull = serde_json::from_str(document.pull.get()).map_err(syntax)?;
        let recording = Recording::read(document.pull.get().to_owned(), name)?;
        let mut window = recording.window(name, file.device().sync.cursor)?;
        window.path = PullPath::from_name(&pull.path).unwrap_or(window.path);
        window.not_visible = pull.not_visible.iter().map(|word| Kind::from_wire(word)).collect();
        let decision = document.decision.map(|decision| match decision {
            DecisionMember::Choices(text) => Ok(Decided::Choices(text.get().to_owned())),
            DecisionMember::Strategy(word) => {
                Strategy::from_name(&word).map(Decided::Strategy).ok_or_else(|| InputError::Shape {
                    file: name.to_owned(),
                    pointer: String::from("/decision/strategy"),
                    found: String::from("an unknown word"),
                    expected: Strategy::ALL.map(Strategy::name).join(", "),
                })
            }
        });
        Ok(Some(Self {
            file,
            window: Arc::new(window),
            decision: decision.transpose()?,
            now: Millis(document.now),
            outcome: document.outcome,
        }))
    }

    /// The choices that were decided, on the case's own inspection.
    ///
    /// # Errors
    /// Recorded choices that no longer fit.
    pub fn choices(&self, name: &str, inspection: &Inspection) -> Result<Option<Resolution>, InputError> {
        self.decision.as_ref().map(|decided| decided.resolution(name, inspection)).transpose()
    }

    /// Where the tool says something else of this case than it recorded, as JSON pointers into the outcome; empty
    /// where it says the same.
    ///
    /// # Errors
    /// Recorded choices that no longer fit.
    pub fn changes(&self, name: &str, inspection: &Inspection) -> Result<Vec<String>, InputError> {
        let resolution =
            self.decision.as_ref().map(|decided| decided.resolution(name, inspection)).transpose()?;
        let now = write::outcome(inspection, self.decision.as_ref().zip(resolution.as_ref()), self.now)
            .map_err(|error| InputError::syntax(name, &error))?;
        Ok(changes(&self.outcome, &now))
    }
}

impl Decided {
    /// The choices that this comes to on an inspection.
    fn resolution(&self, name: &str, inspection: &Inspection) -> Result<Resolution, InputError> {
        match self {
            Self::Strategy(strategy) => {
                let mut resolution = Resolution::default();
                let choices = strategy::choices_for_all(inspection, &resolution, *strategy, |_| true);
                resolution.choose(strategy.name(), choices);
                Ok(resolution)
            }
            Self::Choices(text) => Ok(choices::read(name, text, inspection)?.resolution),
        }
    }
}

fn changes(before: &Json, now: &Json) -> Vec<String> {
    let mut found = Vec::new();
    differ(String::new(), before, now, &mut found);
    let more = found.len().saturating_sub(TOLD);
    found.truncate(TOLD);
    if more > 0 {
        found.push(format!("and {more} more"));
    }
    found
}

fn differ(pointer: String, before: &Json, now: &Json, found: &mut Vec<String>) {
    let at = |part: &str| format!("{pointer}/{}", part.replace('~', "~0").replace('/', "~1"));
    match (before, now) {
        (Json::Object(before), Json::Object(now)) => {
            for (name, value) in before {
                differ(at(name), value, now.get(name).unwrap_or(&Json::Null), found);
            }
            found.extend(now.keys().filter(|name| !before.contains_key(*name)).map(|name| at(name)));
        }
        (Json::Array(before), Json::Array(now)) if before.len() == now.len() => {
            for (index, (before, now)) in before.iter().zip(now).enumerate() {
                differ(at(&index.to_string()), before, now, found);
            }
        }
        _ if before == now => {}
        _ => found.push(if pointer.is_empty() { String::from("(all of it)") } else { pointer }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_by_its_place() {
        let changes = |before: &str, now: &str| changes(&Json::parse(before), &Json::parse(now));
        let before = r#"{"a": [1, {"b": 2}], "c": "x", "d/e": null}"#;
        assert_eq!(changes(before, before), Vec::<String>::new());
        let now = r#"{"a": [1, {"b": 3}], "c": "x", "d/e": 1, "f": 0}"#;
        assert_eq!(changes(before, now), ["/a/1/b", "/d~1e", "/f"]);
        assert_eq!(changes("[1]", "[1,2]"), ["(all of it)"]);
        let many = |first: u32| format!("{:?}", (first..first + 40).collect::<Vec<_>>());
        let told = changes(&many(0), &many(1));
        assert_eq!((told.len(), told.last().map(String::as_str)), (TOLD + 1, Some("and 20 more")));
    }

    #[test]
    fn other_documents_are_no_cases() {
        for text in ["[]", "{}", r#"{"schema":"unstick.choices/1"}"#, "{", "", r#"{"schema":1,"queue":[]}"#] {
            assert!(Case::read("f", text).expect("no case, no error").is_none(), "{text}");
        }
    }

    #[test]
    fn a_case_that_is_not_whole_is_refused() {
        let error =
            Case::read("f.json", r#"{"schema":"unstick.case/1","now":1}"#).expect_err("a part is missing");
        assert!(error.to_string().contains("f.json"), "{error}");
        let text = r#"{"schema":"unstick.case/1","now":1,"device":{"queue":[]},"pull":{"path":"since-cursor","pages":[{"body":{"success":true,"data":{"lastMutationAt":1,"mutations":[]}}}]},"decision":{"strategy":"dice"},"outcome":{}}"#;
        let error = Case::read("f.json", text).expect_err("no such strategy").to_string();
        assert!(error.contains("/decision/strategy"), "{error}");
    }
}
