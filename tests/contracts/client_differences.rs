//! A minimal case of each thing that the phone's client once did otherwise than the model of it: the plan of a kind,
//! a whole sync, and what it makes of an answer as such.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use unstick::domain::device::{Device, Known, SyncState};
use unstick::domain::json::Text;
use unstick::domain::mutation::{Cursor, Kind};
use unstick::domain::phone::{Abort, AbortId, Feed, Look, Phone, Step};
use unstick::domain::window::Window;

use super::cases::case;
use super::client_observed::{Answer, ids_in_feed, window};

#[test]
fn the_model_agrees_with_every_minimal_case() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases/client-differences.json");
    let text = fs::read_to_string(path).expect("the fixture");
    let cases: Vec<Minimal> = serde_json::from_str(&text).expect("the cases are JSON");
    assert!(!cases.is_empty(), "the fixture holds no case");
    let wrong: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            let differences = match &*case.stage {
                "plan" => case.plan(),
                "engine" => case.engine(),
                "pull" => case.pull(),
                other => panic!("{}: stage {other}", case.name),
            };
            differences.into_iter().map(move |difference| format!("{}: {difference}", case.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[derive(Deserialize)]
struct Minimal<'a> {
    name: String,
    stage: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    device: Value,
    #[serde(default)]
    local: Vec<Value>,
    /// As they stand, because how a number is written decides what the client reads.
    #[serde(default, borrow)]
    remote: Vec<&'a RawValue>,
    #[serde(default)]
    response: Value,
    expect: Value,
}

impl Minimal<'_> {
    fn plan(&self) -> Vec<String> {
        let kind = Kind::from_wire(&self.kind);
        let (device, window) = (self.device(&kind), self.window());
        let phone = Phone::new(&device, &window);
        let plan = match (phone.plan(&kind), self.expect["sdkResolution"]["throws"].as_str()) {
            (Ok(plan), None) => plan,
            (Err(abort), throws) => return thrown(Some(&abort), throws),
            (Ok(_), throws) => return thrown(None, throws),
        };
        let found = Answer::of(&phone, &kind, &device, &plan);
        let ids = ids_in_feed(&phone, &kind);
        let expect = &self.expect;
        let resolution = &expect["sdkResolution"];
        let expected = Answer {
            conflicts: case::conflicts(expect).expect("conflicts").into_iter().collect(),
            push: sorted(&resolution["push"], |step| {
                (text(&step["localId"]), text(&step["type"]), step["resourceId"].as_str().map(str::to_owned))
            }),
            persist: sorted(&resolution["persist"], |step| (text(&step["resourceId"]), text(&step["type"]))),
        };
        let mut wrong = Vec::new();
        if found != expected {
            wrong.push(format!("found {found:?}, expected {expected:?}"));
        }
        let local: BTreeSet<String> =
            plan.device_only.iter().map(|at| device.queue[*at].id.to_string()).collect();
        let remote: BTreeSet<String> = plan.server_only.iter().map(|at| ids[at].clone()).collect();
        for (name, found) in [("nonConflictingLocal", local), ("nonConflictingRemote", remote)] {
            let expected = case::ids(expect, name).expect("ids");
            if found != expected {
                wrong.push(format!("{name}: found {found:?}, expected {expected:?}"));
            }
        }
        wrong
    }

    fn engine(&self) -> Vec<String> {
        let (device, window) = (self.device(&Kind::Link), self.window());
        let mut cycle = Phone::new(&device, &window).cycle();
        // The server of these cases takes whatever it is sent.
        cycle.aborts.retain(|abort| !matches!(abort.id, AbortId::P1 | AbortId::P2));
        if let throws @ Some(_) = self.expect["throws"].as_str() {
            return thrown(cycle.aborts.first(), throws);
        }
        let mut wrong = thrown(cycle.aborts.first(), None);
        let local_id = |step: &Step| device.queue[step.at].id.to_string();
        let step = |step: &Step| serde_json::json!({"localId": local_id(step), "type": step.op.wire(), "resourceId": step.id});
        let taken = |step: &Step| serde_json::json!({"resourceId": step.id, "type": step.op.wire()});
        let look = |look: &Look| {
            serde_json::json!({
                "resource": look.kind.wire(), "early": look.early,
                "push": look.plan.push.iter().map(step).collect::<Value>(),
                "persist": look.plan.persist.iter().map(taken).collect::<Value>(),
            })
        };
        // The client looks at all five kinds; the cases leave out those that nothing was there of.
        let asked: Vec<&str> = self.expect["plans"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|plan| plan["resource"].as_str())
            .collect();
        let looks = cycle.looks.iter().filter(|look| asked.contains(&look.kind.wire()));
        let found: Value = looks.map(look).collect();
        if found != self.expect["plans"] {
            wrong.push(format!("plans: found {found}, expected {}", self.expect["plans"]));
        }
        let post = |steps: &Vec<Step>| {
            let word = |step: &Step| format!("{} {}", step.op.wire(), device.queue[step.at].kind.wire());
            steps.iter().map(word).collect::<Vec<_>>()
        };
        let found: Value = cycle.posts.iter().map(post).collect();
        if found != self.expect["posts"] {
            wrong.push(format!("posts: found {found}, expected {}", self.expect["posts"]));
        }
        wrong
    }

    fn pull(&self) -> Vec<String> {
        let body = self.response["bodyText"].as_str().expect("a body");
        let refused = Feed::of_answer(&Text::new(body.to_owned()), 1).refused;
        let throws = self.expect.get("throws").is_some();
        match (refused.is_empty(), throws) {
            (true, true) => vec![String::from("decoded, and the client cannot")],
            (false, false) => vec![format!("refused at {}, and the client goes on", refused[0].what.pointer)],
            (true, false) | (false, true) => Vec::new(),
        }
    }

    fn device(&self, kind: &Kind) -> Device {
        let rows = case::rows(kind, &self.device);
        let known: Vec<Known> = rows
            .into_iter()
            .map(|row| {
                // Among the rows of links those that join nothing are bookmarks.
                let joins = row.data.members().contains_key("collectionId") || row.data.as_str().is_none();
                if *kind == Kind::Link && !joins { Known { kind: Kind::Bookmark, ..row } } else { row }
            })
            .collect();
        Device {
            sync: SyncState { cursor: Some(Cursor::ZERO), ..SyncState::default() },
            queue: self.local.iter().map(case::queued).collect(),
            known: Some(known),
            ..Device::default()
        }
    }

    fn window(&self) -> Window {
        let entries: Vec<&str> = self.remote.iter().map(|entry| entry.get()).collect();
        window(&entries.join(","))
    }
}

/// What is wrong with an abort, or with there being none; the cases' words mean rows of PROTOCOL A10.
fn thrown(found: Option<&Abort>, expected: Option<&str>) -> Vec<String> {
    let found = found.map(|abort| abort.id);
    let fits = match (found, expected) {
        (None, None) => true,
        (Some(id), Some(words)) => super::cases::phone::thrown(words).contains(&id),
        (Some(_), None) | (None, Some(_)) => false,
    };
    if fits { Vec::new() } else { vec![format!("throws: found {found:?}, expected {expected:?}")] }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn sorted<T: Ord>(list: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    let mut list: Vec<T> = list.as_array().expect("a list").iter().map(read).collect();
    list.sort();
    list
}
