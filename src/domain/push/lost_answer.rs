//! What becomes of a POST that was answered with anything but a good 200. Its answer may have been lost behind the
//! server, a gateway may have tried it twice and handed on the second answer, a proxy may have made one up: whatever
//! the answer was, the next pull decides. If the head is what the POST carried, it was not applied. If the head moved,
//! each entry is recognised, provably absent, or in doubt; only what is provably absent is sent again. Until such a
//! pull the journal keeps the POST.

use std::collections::HashSet;

use super::super::answer::{Class, Refusal};
use super::super::identity;
use super::super::inspect::{Blocked, PairId};
use super::super::mutation::{Cursor, Op, QueueId};
use super::super::settle::Item;
use super::super::window::Window;
use super::{
    After, Answer, Awaiting, Do, End, MAX_ROUNDS, MAX_TOKENS, MAX_TRIES, Note, PullFault, Push, Record, Said,
    Why, questions,
};

/// How a POST that may have been applied was refused; `None` where no answer came.
pub(super) struct Unanswered(pub(super) Option<Refusal>);

/// Whether a refusal says nothing of the POST: a gateway that failed does not know what stood behind it, nor does a 409
/// without a reason.
fn tells_nothing(refusal: &Refusal) -> bool {
    match refusal.class {
        Class::Server | Class::Rejected => true,
        Class::ConflictOther => refusal.code.is_none(),
        Class::BadRequest
        | Class::Unauthorized
        | Class::Forbidden
        | Class::NotFound
        | Class::OutOfSync
        | Class::Validation
        | Class::RateLimited
        | Class::Other => false,
    }
}

impl Push {
    /// The POST was refused. It is looked up before anything else is made of that.
    pub(super) fn refused(&mut self, refusal: Refusal) -> Do {
        self.course.answered(Answer::Refused(refusal.clone()));
        self.notes.push(Note::Refused {
            post: self.posts,
            status: refusal.status,
            code: refusal.code.clone(),
        });
        self.unanswered = Some(Unanswered(Some(refusal.clone())));
        self.why = Why::LostAnswer;
        match refusal.class {
            Class::OutOfSync => {
                self.rounds += 1;
                if self.rounds > 1 {
                    // Several that write at once shall not meet again. The pause comes before the pull, so that
                    // the POST follows close upon it.
                    return self.pause(50 << self.rounds.min(5), "others are writing", After::PullAgain);
                }
            }
            Class::Unauthorized => {
                self.tokens += 1;
                if self.tokens > MAX_TOKENS {
                    return self.end_early(End::Refused(refusal));
                }
                self.awaiting = Awaiting::TokenToPost(refusal.clone());
                return Do::Authorize(refusal);
            }
            Class::RateLimited => {
                self.tries += 1;
                if let Some(ms) = self.asked_to_wait(&refusal).filter(|_| self.tries <= MAX_TRIES) {
                    return self.pause(ms, "the server asks to wait", After::PullAgain);
                }
            }
            Class::Server
            | Class::Rejected
            | Class::ConflictOther
            | Class::Validation
            | Class::NotFound
            | Class::BadRequest
            | Class::Forbidden
            | Class::Other => {
                if tells_nothing(&refusal) {
                    self.tries += 1;
                }
            }
        }
        self.pull(Why::LostAnswer)
    }

    /// Whether the POST that flies was refused for its token: a pull that is answered does not make that token good.
    pub(super) fn was_unauthorized(&self) -> bool {
        let refusal = self.unanswered.as_ref().and_then(|unanswered| unanswered.0.as_ref());
        refusal.is_some_and(|refusal| refusal.class == Class::Unauthorized)
    }

    /// The head is what the POST carried: it was not applied, and the answer is what it seemed to be.
    pub(super) fn head_stayed(&mut self) -> Do {
        let refusal = self.unanswered.as_ref().and_then(|unanswered| unanswered.0.as_ref());
        let status = refusal.map_or(0, |refusal| refusal.status);
        self.awaiting = Awaiting::Journal(After::NotApplied);
        Do::Journal(Record::NotApplied { post: self.posts, status })
    }

    /// Goes on after a POST of which the journal says that it was not applied.
    pub(super) fn not_applied(&mut self) -> Do {
        let Some(refusal) = self.unanswered.take().and_then(|unanswered| unanswered.0) else {
            self.requeue();
            return self.again();
        };
        if tells_nothing(&refusal) {
            self.told_nothing = Some(refusal);
            self.requeue();
            return self.again();
        }
        match refusal.class {
            Class::OutOfSync if refusal.first_sync => {
                if self.options.retry_first_sync && !self.first_sync_tried {
                    self.first_sync_tried = true;
                    self.head = Cursor::FIRST_SYNC;
                    self.requeue();
                    return self.next_chunk();
                }
                self.end_early(End::FirstSync(refusal))
            }
            Class::OutOfSync if self.rounds > MAX_ROUNDS => self.end_early(End::HeadKeepsMoving),
            Class::OutOfSync | Class::Unauthorized => {
                self.requeue();
                self.again()
            }
            Class::Validation | Class::NotFound => self.isolate(&refusal),
            Class::RateLimited if self.tries > MAX_TRIES || self.asked_to_wait(&refusal).is_none() => {
                self.end_early(End::Refused(refusal))
            }
            Class::RateLimited => {
                self.requeue();
                self.next_chunk()
            }
            Class::Server
            | Class::Rejected
            | Class::BadRequest
            | Class::Forbidden
            | Class::ConflictOther
            | Class::Other => self.end_early(End::Refused(refusal)),
        }
    }

    /// Whether the push ends although it is known by now what became of the POST: nothing of it arrived, so that the
    /// refusal is what it seems, or the head moves on every attempt.
    pub(super) fn gives_up(&mut self, unanswered: Option<Unanswered>, arrived: bool) -> Option<End> {
        let refusal = unanswered?.0?;
        if refusal.class == Class::OutOfSync {
            return (self.rounds > MAX_ROUNDS).then_some(End::HeadKeepsMoving);
        }
        if tells_nothing(&refusal) {
            self.told_nothing = Some(refusal);
            return None;
        }
        self.rounds += 1;
        let ends = match refusal.class {
            Class::BadRequest | Class::Forbidden | Class::ConflictOther | Class::Other => !arrived,
            Class::RateLimited => self.tries > MAX_TRIES || self.asked_to_wait(&refusal).is_none(),
            Class::Server
            | Class::Rejected
            | Class::Unauthorized
            | Class::NotFound
            | Class::OutOfSync
            | Class::Validation => false,
        };
        (ends || self.rounds > MAX_ROUNDS).then_some(End::Refused(refusal))
    }

    /// Ends without the pull that would tell what became of the POST, which stays in doubt.
    pub(super) fn cannot_look_up(&mut self, fault: PullFault) -> Do {
        let told = self.unanswered.as_ref().and_then(|unanswered| unanswered.0.clone());
        match (told.filter(|refusal| !tells_nothing(refusal)), fault) {
            (Some(refusal), PullFault::Refused(pull)) if refusal.class == Class::OutOfSync => {
                self.end_early(End::Refused(pull))
            }
            (Some(refusal), PullFault::Failed(reason)) if refusal.class == Class::OutOfSync => {
                self.end_early(End::Unreachable(reason))
            }
            (Some(refusal), PullFault::Refused(_) | PullFault::Failed(_)) => {
                self.end_early(End::Refused(refusal))
            }
            (None, fault) => {
                let reason = match fault {
                    PullFault::Refused(refusal) => refusal.to_string(),
                    PullFault::Failed(reason) => reason,
                };
                self.nobody_knows(format!(
                    "an answer was lost and the pull that would tell failed too: {reason}"
                ))
            }
        }
    }

    /// The person stops it, or the journal: it ends as `end`. What was refused in so many words stays in doubt without a word: the next push looks it up.
    pub(super) fn cancelled(&mut self, end: End) -> Do {
        if self.is_told_nothing() {
            let why = "an answer was lost, and it was stopped before that was looked up";
            return self.nobody_knows(why.to_owned());
        }
        self.end_early(end)
    }

    /// Whether a POST is in doubt of which no answer says in so many words that it was not applied.
    pub(super) fn is_told_nothing(&self) -> bool {
        let told = self.unanswered.as_ref().map(|unanswered| unanswered.0.as_ref());
        told.is_some_and(|refusal| refusal.is_none_or(tells_nothing))
    }

    pub(super) fn nobody_knows(&mut self, why: String) -> Do {
        let in_doubt = self.flying_ids();
        self.fold.doubt(&in_doubt, self.head);
        self.end_early(End::Unknown { in_doubt, why })
    }

    /// Whoever chose to send what is in doubt has said that it did not arrive: the journal keeps that, since the choice
    /// is good for one POST and not for the next. `None` where all of it is kept.
    pub(super) fn said_not_arrived(&mut self) -> Option<Do> {
        let sends: HashSet<PairId> = self.chunks.iter().flatten().map(|item| item.pair).collect();
        let told = questions(&self.inspection).into_iter().find(|question| {
            let kept = || question.queue.iter().all(|id| !self.fold.in_doubt().contains_key(id));
            sends.contains(&question.pair) && !kept()
        })?;
        for id in told.ids(&self.inspection) {
            self.fold.is_not(&told.queue, &id);
        }
        self.said.extend(told.queue.iter().cloned());
        self.fold.settled(&told.queue);
        self.awaiting = Awaiting::Journal(After::Begin);
        Some(Do::Journal(told.answered(&self.inspection, Said::NotArrived)))
    }

    /// Remembers what a pull has shown.
    pub(super) fn see(&mut self, window: &Window) {
        let seen = window.mutations.iter().filter_map(|m| Some((m.kind.clone(), identity::id_of(m)?)));
        self.seen.extend(seen);
    }

    /// What was there before the POST that flies is not what it has made, though somebody has changed it since.
    pub(super) fn was_there_before(&mut self, newer: &Window) {
        for item in self.flying.iter().filter(|item| item.wire.op == Op::Create) {
            let of_kind = newer.mutations.iter().filter(|mutation| mutation.kind == item.wire.kind);
            let before = of_kind.filter_map(|m| Some((m.kind.clone(), identity::id_of(m)?)));
            for (_, id) in before.filter(|seen| self.seen.contains(seen)) {
                self.fold.is_not(&item.members, &id);
            }
        }
    }

    /// After a lost answer: which of its mutations arrived? `None` when that is clear for each.
    pub(super) fn look_up(&mut self, flying: &[Item]) -> Option<End> {
        let to_send: HashSet<&QueueId> = self.plan.items().flat_map(|item| &item.members).collect();
        let open: HashSet<PairId> = self.plan.open.iter().map(|unit| unit.pair).collect();
        let mut in_doubt = Vec::new();
        for item in flying {
            let Some(first) = item.members.first() else { continue };
            let position = self.inspection.device.queue.iter().position(|m| m.id == *first);
            let Some(position) = position else {
                // It was recognised in the server's words, and is out of the queue.
                self.arrived.extend(item.members.iter().cloned());
                continue;
            };
            let id = self.inspection.pair_of_queued(position);
            let pair = self.inspection.pair(id);
            if self.inspection.is_in_doubt(pair) || pair.blocked == Some(Blocked::NotVisible) {
                in_doubt.extend(item.members.iter().cloned());
            } else if !to_send.contains(first) && !open.contains(&id) {
                self.arrived.extend(item.members.iter().cloned());
            }
        }
        (!in_doubt.is_empty()).then(|| End::Unknown {
            in_doubt,
            why: String::from("an answer was lost, the head moved, and something was created that may be this or may be another's"),
        })
    }

    /// Whatever the server has nothing of did not arrive. What it may have stays in doubt, also where it was recognised:
    /// by what it says it is only recognised as long as that is known.
    pub(super) fn settle_doubts(&mut self) {
        let inspection = &self.inspection;
        let mut still: HashSet<QueueId> = HashSet::new();
        for (position, entry) in inspection.device.queue.iter().enumerate() {
            let pair = inspection.pair(inspection.pair_of_queued(position));
            let created = entry.op == Op::Create && !pair.server.is_empty();
            let hidden = pair.blocked == Some(Blocked::NotVisible);
            if hidden || created || inspection.is_in_doubt(pair) {
                still.insert(entry.id.clone());
            }
        }
        self.fold.keep_in_doubt(|id| still.contains(id), |id| self.said.contains(id));
    }
}
