//! What the phone's client does with a conflict (the tables of PROTOCOL A9).

use std::collections::HashSet;

use super::Step;
use super::abort::{Abort, AbortId};
use super::detect::Conflict;
use super::pending::Pending;
use super::pulled::Pulled;
use crate::domain::mutation::{Kind, Op, ResourceId};

/// What is sent and what is taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Of the device's.
    pub push: Vec<Step>,
    /// Of the server's.
    pub persist: Vec<Step>,
}

/// Resolves every conflict; `aborts` says which of them the client throws on.
pub(super) fn resolve(
    kind: &Kind,
    pending: &[Pending],
    pulled: &[Pulled],
    conflicts: &[Conflict],
    aborts: &mut Vec<Abort>,
) -> Resolved {
    let mut all = Resolved::default();
    for conflict in conflicts {
        let sides = Sides {
            device: conflict.device.iter().map(|index| &pending[*index]).collect(),
            server: conflict.server.iter().map(|index| &pulled[*index]).collect(),
        };
        match sides.resolve(kind) {
            Ok(resolved) => {
                all.push.extend(resolved.push);
                all.persist.extend(resolved.persist);
            }
            Err(id) => aborts.push(sides.abort(id, kind)),
        }
    }
    all
}

struct Sides<'a, 'p> {
    device: Vec<&'p Pending<'a>>,
    server: Vec<&'p Pulled<'a>>,
}

impl Sides<'_, '_> {
    fn resolve(&self, kind: &Kind) -> Result<Resolved, AbortId> {
        match kind {
            Kind::Bookmark => self.bookmark(),
            Kind::Collection | Kind::Link | Kind::Note => {
                Ok(self.delete_over_echo().unwrap_or_else(|| self.server_wins()))
            }
            Kind::ReadingSession => Ok(self.session()),
            Kind::Other(_) => Ok(Resolved::default()),
        }
    }

    /// A deletion whose own creation the pull brings back is sent, and the creation is dropped. Whatever else the
    /// device wants here is sent too, unless a mutation that is kept speaks of its id.
    fn delete_over_echo(&self) -> Option<Resolved> {
        let created: HashSet<&ResourceId> =
            self.server.iter().filter(|m| m.op == Op::Create).map(|m| &m.id).collect();
        let deletions = self.device.iter().filter(|m| m.op == Op::Delete).filter_map(|m| m.id.as_ref());
        let deleted: HashSet<&ResourceId> = deletions.filter(|id| created.contains(id)).collect();
        if deleted.is_empty() {
            return None;
        }
        let kept = self.server.iter().filter(|m| m.op != Op::Create || !deleted.contains(&m.id));
        let persist: Vec<Step> = kept.map(|m| m.step()).collect();
        let covered: HashSet<&ResourceId> = persist.iter().filter_map(|step| step.id.as_ref()).collect();
        let push = self.device.iter().filter(|m| match &m.id {
            Some(id) => !covered.contains(id),
            None => m.op != Op::Delete,
        });
        Some(Resolved { push: push.map(|m| m.step()).collect(), persist })
    }

    fn server_wins(&self) -> Resolved {
        Resolved { push: Vec::new(), persist: self.server.iter().map(|m| m.step()).collect() }
    }

    /// A replayed creation is the server's; else the last write wins, and a tie goes to the server.
    fn session(&self) -> Resolved {
        if let Some(resolved) = self.delete_over_echo() {
            return resolved;
        }
        if let ([device], [server]) = (&self.device[..], &self.server[..])
            && device.op == Op::Create
            && server.op == Op::Create
            && device.id.is_none()
            && device.key == server.key
        {
            return self.server_wins();
        }
        // Of two equally new ones the first counts.
        let device = self.device.iter().rev().max_by_key(|m| m.modified);
        let server = self.server.iter().rev().max_by_key(|m| m.modified);
        match (device, server) {
            (Some(device), server) if device.modified > server.map(|m| m.modified) => {
                Resolved { push: vec![device.step()], persist: Vec::new() }
            }
            (_, server) => Resolved { push: Vec::new(), persist: server.iter().map(|m| m.step()).collect() },
        }
    }

    fn bookmark(&self) -> Result<Resolved, AbortId> {
        let device = shape(self.device.iter().map(|m| m.op));
        let server = shape(self.server.iter().map(|m| m.op));
        if (device, server) == (CREATE, DELETE) {
            return Err(AbortId::R1);
        }
        if let Some(resolved) = self.delete_over_echo() {
            return Ok(resolved);
        }
        match (device, server) {
            (DELETE, CREATE) => Err(AbortId::R2),
            (CREATE, CREATE) => Ok(self.reading_place().unwrap_or_else(|| self.server_wins())),
            (DELETE, DELETE | DELETE_AND_CREATE) | (DELETE_AND_CREATE, DELETE_AND_CREATE) => {
                Ok(self.server_wins())
            }
            (DELETE_AND_CREATE, DELETE) => {
                let created = self.device.iter().filter(|m| m.op == Op::Create);
                Ok(Resolved { push: created.map(|m| m.step()).collect(), ..self.server_wins() })
            }
            _ => Err(AbortId::R3),
        }
    }

    /// Two creations that differ in whether this is the reading place: the newer one wins.
    fn reading_place(&self) -> Option<Resolved> {
        let (device, server) = (self.device.first()?, self.server.first()?);
        let newer = device.modified > Some(server.modified);
        if device.reading == server.reading || !newer {
            return None;
        }
        if device.key == server.key {
            let id = device.id.clone().or_else(|| Some(server.id.clone()));
            let update = Step { op: Op::Update, id, ..device.step() };
            return Some(Resolved { push: vec![update], persist: Vec::new() });
        }
        // The id belongs to a bookmark that has moved on: this one is made anew.
        let creation = Step { id: None, ..device.step() };
        Some(Resolved { push: vec![creation], persist: vec![server.step()] })
    }

    fn abort(&self, id: AbortId, kind: &Kind) -> Abort {
        let keys = self.device.iter().map(|m| &m.key).chain(self.server.iter().map(|m| &m.key));
        Abort {
            id,
            kind: Some(kind.clone()),
            place: keys.flatten().find_map(super::Key::place),
            device: self.device.iter().map(|m| m.at).collect(),
            server: self.server.iter().map(|m| m.at).collect(),
            detail: None,
        }
    }
}

/// How many creations and deletions one side has.
type Shape = (usize, usize);
const CREATE: Shape = (1, 0);
const DELETE: Shape = (0, 1);
const DELETE_AND_CREATE: Shape = (1, 1);

fn shape(ops: impl Iterator<Item = Op>) -> Shape {
    ops.fold((0, 0), |(created, deleted), op| match op {
        Op::Create | Op::Update => (created + 1, deleted),
        Op::Delete => (created, deleted + 1),
    })
}

impl Pending<'_> {
    pub(super) fn step(&self) -> Step {
        Step { at: self.at, op: self.op, id: self.id.clone() }
    }
}

impl Pulled<'_> {
    pub(super) fn step(&self) -> Step {
        Step { at: self.at, op: self.op, id: Some(self.id.clone()) }
    }
}
