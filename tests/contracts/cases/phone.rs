//! The model of the phone's client, stage by stage.

use serde_json::{Value, json};
use unstick::domain::phone::{Abort, AbortId, Conflict, Detection, Pending, Phone, Pulled, Step, detect};

use super::case::{self, Case, Stage};

#[test]
fn the_phone_does_what_every_case_says() {
    let wrong: Vec<String> = case::all()
        .iter()
        .flat_map(|case| {
            let differences = Run::of(case).differences();
            differences.into_iter().map(move |difference| format!("{}: {difference}", case.name))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// A case and what the model makes of it.
struct Run<'a> {
    case: &'a Case,
    pending: Vec<Pending<'a>>,
    pulled: Vec<Pulled<'a>>,
    detection: Detection,
    push: Vec<Step>,
    persist: Vec<Step>,
    aborts: Vec<Abort>,
}

impl<'a> Run<'a> {
    fn of(case: &'a Case) -> Self {
        let phone = Phone::new(&case.device, &case.window);
        let (mut pending, mut aborts) = phone.queued(&case.kind);
        let (mut pulled, mut pull_aborts) = phone.pulled(&case.kind);
        match case.stage {
            Stage::Detect | Stage::Resolve => {}
            Stage::PrepareQueue | Stage::PreparePull | Stage::Plan => {
                let more;
                (pending, more) = phone.prepared_queue(&case.kind, pending);
                aborts.extend(more);
                pulled = phone.prepared_pull(&case.kind, &pending, pulled);
            }
        }
        aborts.append(&mut pull_aborts);
        let detection = detect(&case.kind, &pending, &pulled);
        let conflicts = match &case.groups {
            Some(groups) => given(groups, case, &pending, &pulled),
            None => detection.conflicts.clone(),
        };
        let (resolved, more) = phone.resolve(&case.kind, &pending, &pulled, &conflicts);
        aborts.extend(more);
        let mut push: Vec<Step> = detection.device_only.iter().map(|i| device_step(&pending[*i])).collect();
        let mut persist: Vec<Step> = detection.server_only.iter().map(|i| server_step(&pulled[*i])).collect();
        push.extend(resolved.push);
        persist.extend(resolved.persist);
        if case.stage == Stage::Plan {
            // The whole of it in one call is the same.
            match phone.plan(&case.kind) {
                Ok(plan) => assert!(
                    aborts.is_empty() && plan.push == push && plan.persist == persist,
                    "{}",
                    case.name
                ),
                Err(abort) => assert_eq!(Some(&*abort), aborts.first(), "{}", case.name),
            }
        }
        Run { case, pending, pulled, detection, push, persist, aborts }
    }

    fn differences(&self) -> Vec<String> {
        let expect = &self.case.expect;
        let mut wrong = Vec::new();
        let mut check = |what: &str, found: Value, expected: &Value| {
            if found != *expected {
                wrong.push(format!("{what}: found {found}, expected {expected}"));
            }
        };
        let resolution = &expect["sdkResolution"];
        if let Some(words) = resolution["throws"].as_str() {
            let found = self.aborts.first().map(|abort| abort.id);
            let ids = thrown(words);
            if !found.is_some_and(|id| ids.contains(&id)) {
                check(
                    "throws",
                    json!(found.map(AbortId::name)),
                    &json!(ids.iter().map(|id| id.name()).collect::<Vec<_>>()),
                );
            }
            return wrong;
        }
        check(
            "aborts",
            json!(self.aborts.iter().map(|abort| abort.id.name()).collect::<Vec<_>>()),
            &json!([]),
        );
        if let Some(steps) = expect.get("preprocessedLocal") {
            let found = self.pending.iter().map(|p| self.pushed(&device_step(p)));
            check("preprocessedLocal", found.collect(), steps);
        }
        if let Some(steps) = expect.get("preprocessedRemote") {
            let found = self.pulled.iter().map(|p| persisted(&server_step(p)));
            check("preprocessedRemote", found.collect(), steps);
        }
        if let Some(conflicts) = expect.get("conflicts") {
            let found = self.detection.conflicts.iter().map(|c| {
                json!([
                    c.device.iter().map(|i| self.local_id(self.pending[*i].at)).collect::<Vec<_>>(),
                    c.server.iter().map(|i| self.pulled[*i].id.as_str()).collect::<Vec<_>>()
                ])
            });
            check("conflicts", found.collect(), conflicts);
        }
        if let Some(alone) = expect.get("nonConflictingLocal") {
            let found = self.detection.device_only.iter().map(|i| json!(self.local_id(self.pending[*i].at)));
            check("nonConflictingLocal", found.collect(), alone);
        }
        if let Some(alone) = expect.get("nonConflictingRemote") {
            let found = self.detection.server_only.iter().map(|i| json!(self.pulled[*i].id));
            check("nonConflictingRemote", found.collect(), alone);
        }
        if let Some(push) = resolution.get("push") {
            check("push", self.push.iter().map(|step| self.pushed(step)).collect(), push);
        }
        if let Some(persist) = resolution.get("persist") {
            check("persist", self.persist.iter().map(persisted).collect(), persist);
        }
        if let Some(times) = expect["remoteModifiedAt"].as_object() {
            for (id, time) in times {
                let found = self.pulled.iter().find(|p| p.id.as_str() == id).map(|p| p.modified);
                check("remoteModifiedAt", json!(found), time);
            }
        }
        wrong
    }

    fn local_id(&self, at: usize) -> &str {
        self.case.device.queue[at].id.as_str()
    }

    fn pushed(&self, step: &Step) -> Value {
        json!({"localId": self.local_id(step.at), "type": step.op.wire(), "resourceId": step.id})
    }
}

fn persisted(step: &Step) -> Value {
    json!({"resourceId": step.id, "type": step.op.wire()})
}

fn device_step(pending: &Pending) -> Step {
    Step { at: pending.at, op: pending.op, id: pending.id.clone() }
}

fn server_step(pulled: &Pulled) -> Step {
    Step { at: pulled.at, op: pulled.op, id: Some(pulled.id.clone()) }
}

/// The conflicts that a case hands to the resolver.
fn given(groups: &Value, case: &Case, pending: &[Pending], pulled: &[Pulled]) -> Vec<Conflict> {
    let side = |ids: &Value, find: &dyn Fn(&str) -> Option<usize>| {
        let ids = ids.as_array().expect("ids").iter().filter_map(Value::as_str);
        ids.map(|id| find(id).unwrap_or_else(|| panic!("{}: no {id}", case.name))).collect()
    };
    let groups = groups.as_array().expect("groups").iter();
    groups
        .map(|group| Conflict {
            device: side(&group[0], &|id| {
                pending.iter().position(|p| case.device.queue[p.at].id.as_str() == id)
            }),
            server: side(&group[1], &|id| pulled.iter().position(|p| p.id.as_str() == id)),
        })
        .collect()
}

/// The rows of PROTOCOL A10 that a case's words for what the client throws mean.
pub fn thrown(words: &str) -> &'static [AbortId] {
    const TABLE: [(&str, &[AbortId]); 12] = [
        ("exceeds 2", &[AbortId::L1]),
        ("2 deletions for one bookmark key", &[AbortId::L2]),
        ("2 creations for one bookmark key", &[AbortId::L4, AbortId::L5]),
        ("creation followed by deletion", &[AbortId::L6]),
        ("deletion without remote id", &[AbortId::L3, AbortId::L7]),
        ("Missing resourceId for remote", &[AbortId::G1]),
        ("illogical: local creation vs remote deletion", &[AbortId::R1]),
        ("illogical: local deletion vs remote creation", &[AbortId::R2]),
        ("unexpected", &[AbortId::R3]),
        ("not a JsonPrimitive", &[AbortId::G3]),
        ("decoding error", &[AbortId::G2]),
        ("Missing local remote id for non-create", &[AbortId::K1]),
    ];
    let found = TABLE.iter().find(|(part, _)| words.to_lowercase().contains(&part.to_lowercase()));
    found.map_or_else(|| panic!("no row of PROTOCOL A10 for {words:?}"), |(_, ids)| *ids)
}
