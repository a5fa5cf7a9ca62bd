//! One sync of the phone's client from its first look to its last POST (PROTOCOL A11): the deletions of links go first
//! and by themselves, then come bookmarks with collections, the rest of the links, and notes with reading sessions.

use std::collections::HashSet;

use super::abort::{Abort, AbortId};
use super::apply::{self, RowsOfQueue, Store};
use super::lost::{Loss, Lost};
use super::pending::Pending;
use super::pulled::Pulled;
use super::{KindPlan, Phone, Step, undecodable};
use crate::domain::mutation::{Kind, Op, ResourceId, ServerMutation};
use crate::domain::plan::{MAX_BATCH, Phase};
use crate::domain::preflight;

/// What one sync would do, as if each abort concerned only what it names.
#[derive(Clone, Debug, Default)]
pub struct Cycle {
    /// What it makes of each kind, in the order in which it looks.
    pub looks: Vec<Look>,
    /// What it sends, POST by POST; it sends no empty one.
    pub posts: Vec<Vec<Step>>,
    /// What ends it, in the order of its phases: the first is what stops it, the others wait behind it.
    pub aborts: Vec<Abort>,
    /// What it goes on without and never asks for again.
    pub lost: Vec<Lost>,
}

/// What the client makes of one kind at one time.
#[derive(Clone, Debug)]
pub struct Look {
    /// Which kind.
    pub kind: Kind,
    /// Whether it looks only at the deletions, before anything else.
    pub early: bool,
    /// What it would do.
    pub plan: KindPlan,
}

impl<'a> Phone<'a> {
    /// One whole sync.
    pub fn cycle(&self) -> Cycle {
        let mut cycle =
            Cycle { aborts: self.refused.iter().copied().map(undecodable).collect(), ..Cycle::default() };
        let (links, aborts) = self.pending(&Kind::Link);
        cycle.aborts.extend(aborts);
        let (pulled, aborts) = self.pulled(&Kind::Link);
        let deletions: Vec<Pending> = links.iter().filter(|link| link.op == Op::Delete).cloned().collect();
        // With a deletion waiting the client reads the links of the feed before anything else.
        let (first, second) = if deletions.is_empty() { (Vec::new(), aborts) } else { (aborts, Vec::new()) };
        cycle.aborts.extend(first);
        let sent = self.link_deletions(&mut cycle, &deletions, pulled.clone());
        let mut tables = Tables::of(self);
        let (first, last) = ([Kind::Bookmark, Kind::Collection], [Kind::Note, Kind::ReadingSession]);
        self.phase(&mut cycle, Phase::BookmarksAndCollections, &first, &mut tables);
        cycle.aborts.extend(second);
        self.other_links(&mut cycle, links, pulled, &sent);
        self.phase(&mut cycle, Phase::NotesAndSessions, &last, &mut tables);
        once_each(&mut cycle.aborts);
        self.passed_over(&mut cycle);
        cycle
    }

    /// The deletions of links, of which the client then sees nothing else; it takes nothing over. Answers what it sends.
    fn link_deletions(
        &self,
        cycle: &mut Cycle,
        deletions: &[Pending<'a>],
        pulled: Vec<Pulled<'a>>,
    ) -> Vec<Step> {
        let (mut plan, aborts) = self.planned(&Kind::Link, deletions, pulled);
        cycle.aborts.extend(aborts);
        plan.persist.clear();
        let sent = plan.push.clone();
        if !sent.is_empty() {
            cycle.looks.push(Look { kind: Kind::Link, early: true, plan });
            self.post(cycle, Phase::LinkDeletes, sent.clone());
        }
        sent
    }

    /// What is left of the links once the deletions in `sent` are gone, and their echoes with them: a creation of the
    /// same link, but not an update, which brings the link back.
    fn other_links(
        &self,
        cycle: &mut Cycle,
        mut links: Vec<Pending<'a>>,
        mut pulled: Vec<Pulled<'a>>,
        sent: &[Step],
    ) {
        let gone: HashSet<usize> = sent.iter().map(|step| step.at).collect();
        let echoes: HashSet<&ResourceId> = sent.iter().filter_map(|step| step.id.as_ref()).collect();
        links.retain(|link| !gone.contains(&link.at));
        pulled.retain(|entry| entry.op != Op::Create || !echoes.contains(&entry.id));
        let (plan, aborts) = self.planned(&Kind::Link, &links, pulled);
        cycle.aborts.extend(aborts);
        let push = plan.push.clone();
        cycle.looks.push(Look { kind: Kind::Link, early: false, plan });
        self.post(cycle, Phase::Links, push);
    }

    /// What the client does not get to see, and what it makes nothing of.
    fn passed_over(&self, cycle: &mut Cycle) {
        let lost = |kind: &Kind, at: usize, mutation: &ServerMutation, why| Lost {
            kind: kind.clone(),
            at: Some(at),
            id: mutation.resource_id.clone(),
            why,
        };
        let beyond = self.beyond.iter().zip(self.feed.len()..);
        let unseen = beyond.map(|(entry, at)| lost(&entry.kind, at, entry, Loss::BeyondFirstPage));
        let late = cycle.looks.iter().filter(|look| !look.early);
        let unusable = late.flat_map(|look| {
            let passed_over = look.plan.passed_over.iter();
            passed_over.map(|at| lost(&look.kind, *at, &self.feed[*at], Loss::Unusable))
        });
        let lost: Vec<Lost> = unseen.chain(unusable).collect();
        cycle.lost.extend(lost);
    }

    /// Kinds that are sent in one POST.
    fn phase(&self, cycle: &mut Cycle, phase: Phase, kinds: &[Kind], tables: &mut Tables) {
        let mut push = Vec::new();
        let first = cycle.looks.len();
        for kind in kinds {
            let (plan, aborts) = self.run(kind);
            cycle.aborts.extend(aborts);
            push.extend_from_slice(&plan.push);
            cycle.looks.push(Look { kind: kind.clone(), early: false, plan });
        }
        self.post(cycle, phase, push);
        for at in first..cycle.looks.len() {
            tables.apply(self, cycle, at);
        }
    }

    /// A POST: what the server would refuse of it, and what the client would of the answer.
    fn post(&self, cycle: &mut Cycle, phase: Phase, push: Vec<Step>) {
        if push.len() > MAX_BATCH {
            cycle.aborts.push(Abort {
                id: AbortId::P1,
                kind: None,
                place: None,
                device: push.iter().map(|step| step.at).collect(),
                server: Vec::new(),
                detail: Some(phase.words().to_owned()),
            });
        }
        for step in &push {
            let mutation = &self.device.queue[step.at];
            if let Some(problem) =
                preflight::problems(&mutation.kind, mutation.op, &mutation.data).into_iter().next()
            {
                let abort = Abort::of_device(AbortId::P2, &mutation.kind, None, vec![step.at]);
                cycle.aborts.push(Abort { detail: Some(problem.what), ..abort });
            }
        }
        // Looked at once the server has answered. A link is acknowledged by what it joins.
        let nameless = push.iter().filter(|step| step.op != Op::Create && step.id.is_none());
        cycle.aborts.extend(nameless.filter_map(|step| {
            let kind = &self.device.queue[step.at].kind;
            (*kind != Kind::Link).then(|| Abort::of_device(AbortId::K1, kind, None, vec![step.at]))
        }));
        if !push.is_empty() {
            cycle.posts.push(push);
        }
    }
}

/// A bookmark that cannot be read ends two plans, and is one reason all the same.
fn once_each(aborts: &mut Vec<Abort>) {
    let mut met = HashSet::new();
    aborts.retain(|abort| {
        let name = (abort.id, abort.kind.clone(), abort.device.clone(), abort.server.clone());
        // What cannot be decoded stands nowhere.
        abort.id == AbortId::G2 || met.insert(name)
    });
}

/// The phone's tables, and where the queue stands in them.
struct Tables {
    store: Store,
    rows: RowsOfQueue,
}

impl Tables {
    fn of(phone: &Phone) -> Self {
        let (store, rows) = Store::of(phone.device);
        Self { store, rows }
    }

    /// Writes what came of a look: first the mutations of the queue are settled, all of them whether they were sent or
    /// lost, then the server's are taken over (PROTOCOL A12).
    fn apply(&mut self, phone: &Phone, cycle: &mut Cycle, look: usize) {
        let Look { kind, plan, .. } = &cycle.looks[look];
        let conflicting = plan.conflicts.iter().flat_map(|conflict| &conflict.device);
        for at in plan.device_only.iter().chain(conflicting) {
            if let Some(row) = self.rows.get(at) {
                self.store.settle(kind, *row, phone.device.queue[*at].op);
            }
        }
        for step in &plan.persist {
            match self.store.take(kind, step.op, &phone.feed[step.at]) {
                Ok(outcome) => {
                    let cut = apply::has_more_ranges(kind, &phone.feed[step.at]).then_some(Loss::RangesCut);
                    let lost = |why| Lost { kind: kind.clone(), at: Some(step.at), id: step.id.clone(), why };
                    cycle.lost.extend(Loss::of(outcome).or(cut).map(lost));
                }
                Err(id) => {
                    let place = apply::place(kind, &phone.feed[step.at]);
                    let abort = Abort::of_server(id, kind, None, vec![step.at]);
                    cycle.aborts.push(Abort { place, ..abort });
                }
            }
        }
        if *kind == Kind::ReadingSession {
            let retired = self.store.retire();
            let id = |at| self.store.sessions.row(at)?.id.clone();
            cycle.lost.extend(retired.into_iter().map(|at| Lost {
                kind: kind.clone(),
                at: None,
                id: id(at),
                why: Loss::Retired,
            }));
        }
    }
}
