//! What the phone's real client was observed to do, line by line, against the model of it. Nobody chose the cases;
//! any file of this form may stand in the fixture's place. An entry of the feed goes the whole way: it is read as a
//! part of an answer of the server, byte for byte as it stands in the line.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use unstick::domain::answer::{ResponseHead, read_page};
use unstick::domain::device::{Device, Known, SyncState, SyncStatus};
use unstick::domain::json::Text;
use unstick::domain::mutation::{Cursor, Kind, Millis, Op, Payload, Queued};
use unstick::domain::phone::{Conflict, KindPlan, Phone, Step};
use unstick::domain::window::{PullPath, Window, assemble};

/// The lines that the model does not agree with, by name, each with the reason. A name that agrees after all fails,
/// so that none outlives its reason.
const EXPLAINED: [(&str, &str); 0] = [];

#[test]
fn the_model_agrees_with_every_observed_line() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases/client-observed.jsonl");
    let text = fs::read_to_string(path).expect("the fixture");
    let explained: BTreeMap<&str, &str> = EXPLAINED.into();
    let mut lines = 0;
    let mut differing: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut stale = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        lines += 1;
        let line: Line = serde_json::from_str(line).expect("a line of the form");
        let mut differences = line.writings().into_iter().map(|feed| line.difference(&feed));
        let difference = differences.next().flatten().filter(|_| differences.all(|other| other.is_some()));
        match (difference, explained.contains_key(line.name)) {
            (Some((class, detail)), false) => {
                differing.entry(class).or_default().push(format!("{}: {detail}", line.name));
            }
            (None, true) => stale.push(line.name.to_owned()),
            (Some(_), true) | (None, false) => {}
        }
    }
    assert!(lines > 0, "the fixture holds no line");
    assert!(stale.is_empty(), "they agree, and are explained all the same: {stale:?}");
    let total: usize = differing.values().map(Vec::len).sum();
    let classes: Vec<String> = differing
        .iter()
        .map(|(class, lines)| format!("{} {class}\n    {}", lines.len(), lines.join("\n    ")))
        .collect();
    assert!(differing.is_empty(), "{total} of {lines} lines differ:\n{}", classes.join("\n"));
}

#[derive(Deserialize)]
struct Line<'a> {
    name: &'a str,
    kind: &'a str,
    #[serde(borrow)]
    device: Rows<'a>,
    local: Vec<Entry<'a>>,
    /// As they stand, because how a number is written decides what the client reads.
    remote: Vec<&'a RawValue>,
    expect: Expect,
}

#[derive(Deserialize)]
struct Rows<'a> {
    #[serde(borrow)]
    rows: Vec<Row<'a>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    resource: String,
    id: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    local_id: String,
    #[serde(rename = "type")]
    op: String,
    resource: String,
    resource_id: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    timestamp: i64,
}

#[derive(Deserialize)]
struct Expect {
    #[serde(default)]
    aborts: bool,
    #[serde(default)]
    conflicts: Vec<(Vec<String>, Vec<String>)>,
    #[serde(default)]
    push: Vec<(String, String, Option<String>)>,
    #[serde(default)]
    persist: Vec<(String, String)>,
}

impl Line<'_> {
    /// The feed as it stands in the line, and then as the client may have been given it: the program that wrote the
    /// lines writes the number `5e0` as `5.0`, which the client reads otherwise, so that `5.0` does not tell which of
    /// the two it was. (The minimal cases of `client-differences.json` tell the two apart.)
    fn writings(&self) -> Vec<String> {
        let entries: Vec<&str> = self.remote.iter().map(|entry| entry.get()).collect();
        let mut writings = vec![entries.join(",\n")];
        let points: Vec<usize> = writings[0]
            .match_indices(".0")
            .map(|(at, _)| at)
            .filter(|at| {
                let rest = &writings[0][at + 2..];
                rest.is_empty() || rest.starts_with([',', '}', ']', '\n'])
            })
            .collect();
        for at in points.into_iter().take(8) {
            let others = writings.iter().map(|text| format!("{}e{}", &text[..at], &text[at + 1..]));
            // `.0` and `e0` are of one length, so that the places stay.
            let others: Vec<String> = others.collect();
            writings.extend(others);
        }
        writings
    }

    /// The class and the words of what the model does otherwise.
    fn difference(&self, feed: &str) -> Option<(String, String)> {
        let (device, window) = (self.device(), window(feed));
        let phone = Phone::new(&device, &window);
        let profile = self.name.rsplit_once('-').map_or(self.name, |(profile, _)| profile);
        let class = |what: &str| format!("{profile}: {what}");
        let kind = Kind::from_wire(self.kind);
        let plan = match (phone.plan(&kind), self.expect.aborts) {
            (Ok(plan), false) => plan,
            (Err(_), true) => return None,
            (Ok(_), true) => return Some((class("goes on where the client aborts"), String::new())),
            (Err(abort), false) => {
                return Some((class("aborts where the client goes on"), abort.id.to_string()));
            }
        };
        let found = Answer::of(&phone, &kind, &device, &plan);
        let expected = Answer::observed(&self.expect);
        let parts = [
            ("conflicts", found.conflicts == expected.conflicts),
            ("push", found.push == expected.push),
            ("persist", found.persist == expected.persist),
        ];
        let wrong: Vec<&str> = parts.iter().filter(|(_, same)| !same).map(|(part, _)| *part).collect();
        (!wrong.is_empty())
            .then(|| (class(&wrong.join(", ")), format!("found {found:?}, expected {expected:?}")))
    }

    fn device(&self) -> Device {
        let known = self.device.rows.iter().map(|row| Known {
            id: row.id.as_str().into(),
            kind: Kind::from_wire(&row.resource),
            data: payload(row.data),
            status: SyncStatus::Synced,
            local_updated_at: None,
            server_timestamp: None,
        });
        let queue = self.local.iter().map(|entry| Queued {
            id: entry.local_id.as_str().into(),
            op: Op::from_wire(&entry.op).expect("an operation"),
            kind: Kind::from_wire(&entry.resource),
            resource_id: entry.resource_id.as_deref().map(Into::into),
            data: payload(entry.data),
            base: Payload::ABSENT,
            created_at: Some(Millis(entry.timestamp)),
            retry_count: 0,
            last_error: None,
        });
        Device {
            sync: SyncState { cursor: Some(Cursor::ZERO), ..SyncState::default() },
            queue: queue.collect(),
            known: Some(known.collect()),
            ..Device::default()
        }
    }
}

/// The window of an answer that holds these entries.
pub fn window(entries: &str) -> Window {
    let body = format!(
        r#"{{"success":true,"data":{{"lastMutationAt":1,"mutations":[{entries}],"hasMore":false}}}}"#
    );
    let page = read_page(&ResponseHead::ok(), &Text::new(body), 1).expect("a page");
    assemble(PullPath::SinceCursor, Cursor::ZERO, Cursor::read(1), vec![page])
}

fn payload(data: Option<&RawValue>) -> Payload {
    data.map_or(Payload::ABSENT, |data| Payload::new(Text::new(data.get().to_owned())))
}

/// What is compared: sets of conflicts, sorted lists of the rest, because a step may be there twice.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub conflicts: BTreeSet<(BTreeSet<String>, BTreeSet<String>)>,
    pub push: Vec<(String, String, Option<String>)>,
    pub persist: Vec<(String, String)>,
}

/// The id that the client gives each entry of the feed, by its position.
pub fn ids_in_feed(phone: &Phone, kind: &Kind) -> HashMap<usize, String> {
    phone.pulled(kind).0.iter().map(|pulled| (pulled.at, pulled.id.to_string())).collect()
}

impl Answer {
    pub fn of(phone: &Phone, kind: &Kind, device: &Device, plan: &KindPlan) -> Self {
        let ids = ids_in_feed(phone, kind);
        let local_id = |at: usize| device.queue[at].id.to_string();
        let server_id = |at: &usize| ids[at].clone();
        let conflict = |conflict: &Conflict| {
            (
                conflict.device.iter().map(|at| local_id(*at)).collect(),
                conflict.server.iter().map(server_id).collect(),
            )
        };
        let id = |step: &Step| step.id.as_ref().map(ToString::to_string);
        let push = plan.push.iter().map(|step| (local_id(step.at), step.op.wire().to_owned(), id(step)));
        let persist =
            plan.persist.iter().map(|step| (id(step).unwrap_or_default(), step.op.wire().to_owned()));
        Self {
            conflicts: plan.conflicts.iter().map(conflict).collect(),
            push: sorted(push.collect()),
            persist: sorted(persist.collect()),
        }
    }

    fn observed(expect: &Expect) -> Self {
        let sets = |(device, server): &(Vec<String>, Vec<String>)| {
            (device.iter().cloned().collect(), server.iter().cloned().collect())
        };
        Self {
            conflicts: expect.conflicts.iter().map(sets).collect(),
            push: sorted(expect.push.clone()),
            persist: sorted(expect.persist.clone()),
        }
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}
