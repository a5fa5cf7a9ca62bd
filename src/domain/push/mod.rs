//! Retrying the sync, without the I/O: a machine that says what to do next ([`Do`]) and is told what came of it
//! ([`Got`]). Whoever drives it posts, pulls, waits and writes; everything that must be right is decided here.
//!
//! A POST whose answer was lost is never repeated blindly: the server is pulled, what arrived is recognised by the
//! identity rules, and only what is missing is sent. A head that moved is never just swapped: both sides are
//! inspected again and the choices carried over (DESIGN §5).

mod account;
mod course;
mod interrupted;
mod lost_answer;
mod planned;
mod question;
mod record;
mod verify;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use account::Account;
pub use course::{Answer, Carried, Course, Decision, Exchange};
pub use interrupted::Interrupted;
use lost_answer::Unanswered;
pub use planned::Planned;
use planned::Shown;
pub use question::{Question, Said, questions};
pub use record::{Acknowledged, Record};
pub use verify::Difference;
use verify::Verified;

use super::ack::{self, Acked};
use super::answer::{Class, PostAnswer, Refusal};
use super::device::Device;
use super::fold::{self, Fold, Written};
use super::inspect::{self, Inspection, PairId};
use super::json::Json;
use super::mutation::{Cursor, Kind, Millis, Op, Payload, QueueId, ResourceId, WireMutation};
use super::plan::{self, Plan};
use super::rebase::{self, Reopened};
use super::resolution::Resolution;
use super::settle::{Item, Loss};
use super::strategy::Strategy;
use super::window::{PullPath, Window};

/// How often the head may move under a push before it gives up.
const MAX_ROUNDS: u32 = 8;
/// How often one step is tried again after a fault.
const MAX_TRIES: u32 = 5;
/// How many fresh tokens in a row may be refused as well.
const MAX_TOKENS: u32 = 3;
/// The longest wait that a server may ask for and get, ms.
const MAX_WAIT_MS: u64 = 120_000;

/// How a push is to behave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Send nothing while anything is open or held.
    pub all_or_nothing: bool,
    /// On a first-sync 409 send once more with -1 (PROTOCOL D1). Only a person may say so.
    pub retry_first_sync: bool,
    /// A person says that the data is to go to this account, whoever's it is.
    pub accept_other_account: bool,
    /// The strategy that decides every divergence, also new ones; `None` where a person chooses.
    pub rule: Option<Strategy>,
    /// Stop and show when the server's changes open something new; else go on and leave it open.
    pub ask: bool,
}

/// What is to be done next.
#[derive(Debug)]
pub enum Do {
    /// Make the record durable, then report [`Got::Journaled`].
    Journal(Record),
    /// POST these mutations with this head, then report [`Got::Posted`].
    Post {
        /// `lastMutationAt` of the request.
        head: Cursor,
        /// At most 100.
        mutations: Vec<WireMutation>,
    },
    /// Pull everything since this head, all pages, then report [`Got::Pulled`].
    Pull {
        /// `mutationsSince` of the request.
        since: Cursor,
    },
    /// Ask for a fresh token, since the server no longer takes this one, then report [`Got::Authorized`].
    Authorize(Refusal),
    /// Wait, with some jitter, then report [`Got::Waited`].
    Wait {
        /// How long, ms.
        ms: u64,
    },
    /// The push has ended: write the device back, close the journal, tell the person.
    Finish(Box<Outcome>),
}

/// What came of it.
#[derive(Debug)]
pub enum Got {
    /// The record is on the disk.
    Journaled,
    /// The record cannot be written, for this reason: nothing more may be sent.
    NotJournaled(String),
    /// The answer to a POST.
    Posted(Posted),
    /// The answer to a pull.
    Pulled(Result<Window, PullFault>),
    /// Whether there is a fresh token; requests carry it from now on.
    Authorized(bool),
    /// The time is over.
    Waited,
    /// The person wants no further POST.
    Cancelled,
}

/// How a POST was answered.
#[derive(Debug)]
pub enum Posted {
    /// With acknowledgements.
    Answer(PostAnswer),
    /// With a refusal.
    Refused(Refusal),
    /// It surely never left, for this reason.
    NotSent(String),
    /// It left, and no usable answer came: it may have been applied.
    Lost(String),
}

/// How a pull failed.
#[derive(Debug)]
pub enum PullFault {
    /// The server said no.
    Refused(Refusal),
    /// No usable answer, for this reason.
    Failed(String),
}

/// The queue entries of what was acknowledged or recognised.
fn names(of: &Acknowledged) -> impl Iterator<Item = QueueId> {
    of.queue.iter().map(|id| id.as_str().into())
}

/// What happened, for the person who watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A POST leaves.
    Sending {
        /// Its number, from 1.
        post: u32,
        /// How many mutations it carries.
        mutations: usize,
        /// The head it carries.
        head: Cursor,
    },
    /// It was acknowledged.
    Acknowledged {
        /// Its number.
        post: u32,
        /// How many mutations.
        mutations: usize,
        /// The new head.
        head: Cursor,
    },
    /// It was refused.
    Refused {
        /// Its number.
        post: u32,
        /// The HTTP status.
        status: u16,
        /// The server's code, where it gave one.
        code: Option<String>,
    },
    /// No usable answer came.
    Lost {
        /// Its number.
        post: u32,
    },
    /// The server is asked what it holds.
    Pulling {
        /// Since which head.
        since: Cursor,
    },
    /// It answered.
    Pulled {
        /// The head.
        head: Cursor,
        /// How many mutations are new.
        new: usize,
    },
    /// A pause.
    Waiting {
        /// How long, ms.
        ms: u64,
        /// Why.
        why: &'static str,
    },
    /// Queue entries that the server refuses were set aside.
    Quarantined {
        /// The queue entries.
        ids: Vec<QueueId>,
        /// The server's message.
        message: String,
    },
}

/// A queue entry that was set aside, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The queue entries.
    pub ids: Vec<QueueId>,
    /// The server's message, or whose fate it shares.
    pub message: String,
}

/// How a push ended.
#[derive(Debug)]
pub enum End {
    /// Everything is sent; nothing is open.
    Done,
    /// What was settled is sent; something is open, held or quarantined.
    Left,
    /// The server's changes touched what was chosen: look again.
    Reopened(Vec<Reopened>),
    /// The server takes this for the account's first sync and wants -1.
    FirstSync(Refusal),
    /// The device's data seems to be another account's, for this reason; nothing was created.
    OtherAccount(String),
    /// The server said no.
    Refused(Refusal),
    /// The server cannot be reached; nothing is in doubt.
    Unreachable(String),
    /// It cannot be told whether these queue entries were applied.
    Unknown {
        /// The queue entries in doubt.
        in_doubt: Vec<QueueId>,
        /// Why it cannot be told.
        why: String,
    },
    /// The head moved on every attempt.
    HeadKeepsMoving,
    /// The journal can no longer be written, for this reason, and nothing is sent without it.
    NotJournaled(String),
    /// The person stopped it between POSTs.
    Cancelled,
}

impl End {
    /// The word in reports.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Left => "left",
            Self::Reopened(_) => "reopened",
            Self::FirstSync(_) => "first-sync",
            Self::OtherAccount(_) => "other-account",
            Self::Refused(_) => "refused",
            Self::Unreachable(_) => "unreachable",
            Self::Unknown { .. } => "unknown",
            Self::HeadKeepsMoving => "head-keeps-moving",
            Self::NotJournaled(_) => "not-journaled",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One mutation that the server acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The queue entries that are done.
    pub ids: Vec<QueueId>,
    /// What was done.
    pub op: Op,
    /// To which kind.
    pub kind: Kind,
    /// The resource's id on the server.
    pub resource_id: Option<String>,
}

/// What a push came to.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// The device as it is to be written back.
    pub device: Device,
    /// The server's head as it was last seen.
    pub head: Cursor,
    /// Whether the device's cursor moved to that head.
    pub cursor_moved: bool,
    /// What the server acknowledged.
    pub sent: Vec<Sent>,
    /// What it refuses.
    pub quarantined: Vec<Quarantined>,
    /// What was recognised as arrived although its answer was lost.
    pub arrived: Vec<QueueId>,
    /// What stays in the queue because of an open choice or a parent: queue entries and reason.
    pub held: Vec<Quarantined>,
    /// What left the queue unsent, and why.
    pub dropped: Vec<Quarantined>,
    /// Every changed value that is not in the result.
    pub ledger: Vec<Loss>,
    /// What of the ledger the plan that the push began with did not say: the server changed meanwhile, and the rule
    /// went over that too.
    pub beyond: Vec<Loss>,
    /// Where the server holds something else than what it acknowledged.
    pub differences: Vec<Difference>,
    /// How many mutations of others the device took over, as the plan counted them: those among them that its own then went
    /// over, not the deletion of what it made anew.
    pub applied: usize,
    /// Every POST with its answer, and what was decided.
    pub course: Course,
    /// Both sides as they stand, to go on from.
    pub inspection: Arc<Inspection>,
    /// The choices that still stand.
    pub resolution: Resolution,
    /// POSTs that left.
    pub posts: u32,
    /// Pulls that were needed.
    pub pulls: u32,
}

enum Awaiting {
    Nothing,
    Journal(After),
    Answer,
    Pull(Why),
    Pause(After),
    /// A fresh token, for a POST.
    TokenToPost(Refusal),
    /// A fresh token, for a pull.
    TokenToPull(Why, Refusal),
}

#[derive(Clone, Copy)]
enum After {
    Post,
    Next,
    PullAgain,
    /// The POST that flew was not applied.
    NotApplied,
    /// Something of what was known before is in the journal.
    Begin,
    /// Nothing is left to send.
    Finish,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// What became of a POST that was not answered with a good 200?
    LostAnswer,
    /// Does the account hold anything that the device names?
    Account,
    /// Everything is sent: what does the server hold now? It also does things of its own accord (PROTOCOL D13, D20,
    /// D22), which the device would never see once its cursor has moved past them.
    Verify,
}

/// The machine.
pub struct Push {
    options: Options,
    inspection: Arc<Inspection>,
    resolution: Resolution,
    plan: Plan,
    account: Account,
    /// The user of the token, where it is another one than the file's.
    other_user: Option<String>,
    /// What the first plan said.
    shown: Shown,
    /// When was chosen what is put together: a retry sends the same bytes.
    stamp: Millis,
    fold: Fold,
    chunks: VecDeque<Vec<Item>>,
    flying: Vec<Item>,
    head: Cursor,
    posts: u32,
    pulls: u32,
    /// How often in a row the head had moved.
    rounds: u32,
    /// Faults in a row.
    tries: u32,
    /// Why the last answer was lost, and how the server refused, where it told nothing else.
    lost: String,
    told_nothing: Option<Refusal>,
    /// The POST that flies was answered with anything but a good 200: until a pull tells it may have been applied.
    unanswered: Option<Unanswered>,
    /// What pulls have shown so far: what was there before a POST is not its work.
    seen: HashSet<(Kind, ResourceId)>,
    /// Queue entries of which a person has said what they did not become.
    said: HashSet<QueueId>,
    first_sync_tried: bool,
    /// Tokens that were refused in a row.
    tokens: u32,
    set_aside: HashSet<QueueId>,
    quarantined: Vec<Quarantined>,
    arrived: Vec<QueueId>,
    sent: Vec<Sent>,
    /// What the server acknowledged, to be held against what it says afterwards.
    promised: Vec<(Item, Acked)>,
    /// Which mutations of the server the device took over.
    taken_over: HashSet<Written>,
    dropped: Vec<Quarantined>,
    ledger: Vec<Loss>,
    verified: bool,
    verify_since: Cursor,
    differences: Vec<Difference>,
    course: Course,
    notes: Vec<Note>,
    awaiting: Awaiting,
    why: Why,
    now: Millis,
}

impl Push {
    /// A push of what was planned, and shown where somebody looks. The first step is [`Push::start`].
    pub fn new(planned: Planned, options: Options, now: Millis) -> Self {
        let Planned { inspection, resolution, plan, stamp } = planned;
        let mut push = Self {
            account: if options.accept_other_account {
                Account::Own
            } else {
                Account::of(&inspection, &plan)
            },
            other_user: None,
            shown: Shown::of(&plan),
            stamp,
            options,
            fold: Fold::new(&inspection),
            head: inspection.window.head,
            verify_since: inspection.window.head,
            plan,
            inspection: Arc::clone(&inspection),
            resolution,
            chunks: VecDeque::new(),
            flying: Vec::new(),
            posts: 0,
            pulls: 0,
            rounds: 0,
            tries: 0,
            lost: String::new(),
            told_nothing: None,
            unanswered: None,
            seen: HashSet::new(),
            said: inspection.device.not_it.keys().cloned().collect(),
            first_sync_tried: false,
            tokens: 0,
            set_aside: HashSet::new(),
            quarantined: Vec::new(),
            arrived: Vec::new(),
            sent: Vec::new(),
            promised: Vec::new(),
            taken_over: HashSet::new(),
            dropped: Vec::new(),
            ledger: Vec::new(),
            verified: false,
            differences: Vec::new(),
            course: Course::default(),
            notes: Vec::new(),
            awaiting: Awaiting::Nothing,
            why: Why::LostAnswer,
            now,
        };
        push.course.decided(&push.inspection, &push.resolution);
        push.load_chunks();
        push.see(&inspection.window);
        push.arrived = inspection.device.recognised.iter().flat_map(names).collect();
        push.settle_doubts();
        push
    }

    /// What the journal is to say of this push before its first step; `server` is where it goes.
    pub fn begun(&self, server: &str) -> Record {
        let in_doubt = self.fold.in_doubt().keys().map(ToString::to_string).collect::<BTreeSet<_>>();
        Record::Begun {
            rule: self.options.rule.map(|rule| rule.name().to_owned()),
            all_or_nothing: self.options.all_or_nothing,
            retry_first_sync: self.options.retry_first_sync,
            server: Some(server.to_owned()),
            in_doubt: Some(in_doubt.into_iter().collect()),
            recognised: self.inspection.device.recognised.clone(),
        }
    }

    /// Whose token it is, where that can be read: a file of another user is not sent.
    #[must_use]
    pub fn with_user(mut self, token: Option<&str>) -> Self {
        self.token_of(token);
        self
    }

    /// The same of a token that takes the place of one that was refused, before [`Got::Authorized`] is told.
    pub fn token_of(&mut self, user: Option<&str>) {
        let file = self.inspection.device.identity.user.as_deref();
        let other = |(token, file): &(&str, &str)| token != file && !self.options.accept_other_account;
        self.other_user = user.zip(file).filter(other).map(|(token, _)| token.to_owned());
    }

    /// The first thing to do.
    pub fn start(&mut self) -> Do {
        if !self.chunks.is_empty() {
            if let Some(why) = self.of_another_user() {
                return self.end_early(End::OtherAccount(why));
            }
            if self.account == Account::Foreign {
                return self.foreign();
            }
        }
        let incomplete = !self.plan.open.is_empty() || !self.plan.hold.is_empty();
        if self.options.all_or_nothing && incomplete {
            return self.end_early(End::Left);
        }
        self.begin()
    }

    /// What the journal must know before the first POST, and then that.
    fn begin(&mut self) -> Do {
        let told = self.said_not_arrived();
        told.or_else(|| self.doubt_twins(After::Begin)).unwrap_or_else(|| self.next_chunk())
    }

    /// What happened since this was last asked.
    pub fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Takes in what came of the last step and says the next one. `now` is the caller's clock.
    pub fn got(&mut self, got: Got, now: Millis) -> Do {
        self.now = now;
        match (std::mem::replace(&mut self.awaiting, Awaiting::Nothing), got) {
            (_, Got::Cancelled) => self.cancelled(End::Cancelled),
            (_, Got::NotJournaled(why)) => self.cancelled(End::NotJournaled(why)),
            (Awaiting::Journal(after) | Awaiting::Pause(after), Got::Journaled | Got::Waited) => {
                match after {
                    After::Post => self.post(),
                    After::Next => self.next_chunk(),
                    After::PullAgain => self.pull(self.why),
                    After::NotApplied => self.not_applied(),
                    After::Begin => self.begin(),
                    After::Finish => self.finish(),
                }
            }
            (Awaiting::TokenToPost(_) | Awaiting::TokenToPull(..), Got::Authorized(true))
                if self.other_user.is_some() =>
            {
                // What another account holds says nothing of what arrived in this one.
                let why = self.of_another_user().unwrap_or_default();
                match self.why {
                    Why::LostAnswer if self.is_told_nothing() => {
                        self.nobody_knows(format!("an answer was lost, and {why}"))
                    }
                    Why::Verify => self.no_pull(Why::Verify, PullFault::Failed(why)),
                    Why::LostAnswer | Why::Account => self.end_early(End::OtherAccount(why)),
                }
            }
            (Awaiting::TokenToPost(_), Got::Authorized(true)) => self.pull(Why::LostAnswer),
            (Awaiting::TokenToPost(refusal), Got::Authorized(false)) => self.end_early(End::Refused(refusal)),
            (Awaiting::TokenToPull(why, _), Got::Authorized(true)) => self.pull(why),
            (Awaiting::TokenToPull(why, refusal), Got::Authorized(false)) => {
                self.no_pull(why, PullFault::Refused(refusal))
            }
            (Awaiting::Answer, Got::Posted(posted)) => self.answered(posted),
            (Awaiting::Pull(why), Got::Pulled(pulled)) => self.pulled(why, pulled),
            // The driver reported something that was not asked for; what was asked is still to be done.
            (
                Awaiting::Nothing
                | Awaiting::Journal(_)
                | Awaiting::Pause(_)
                | Awaiting::TokenToPost(_)
                | Awaiting::TokenToPull(..)
                | Awaiting::Answer
                | Awaiting::Pull(_),
                _,
            ) => self.nobody_knows(String::from("the steps of the push came out of order")),
        }
    }

    /// Why nothing may be sent with a token of another user.
    fn of_another_user(&mut self) -> Option<String> {
        let user = self.other_user.take()?;
        let file = self.inspection.device.identity.user.as_deref().unwrap_or("another");
        Some(format!("the token is of the user {user}, the device file of {file}"))
    }

    fn foreign(&mut self) -> Do {
        let why = "the account holds nothing of what the device names, so the device file seems to be another account's";
        self.end_early(End::OtherAccount(why.to_owned()))
    }

    fn load_chunks(&mut self) {
        let aside = &self.set_aside;
        let wanted = |item: &Item| !item.members.iter().chain(&item.sake).any(|id| aside.contains(id));
        self.chunks = std::mem::take(&mut self.plan.batches)
            .into_iter()
            .map(|batch| batch.items.into_iter().filter(wanted).collect::<Vec<_>>())
            .filter(|items| !items.is_empty())
            .collect();
    }

    fn next_chunk(&mut self) -> Do {
        if self.account == Account::Unclear && !self.chunks.is_empty() {
            return self.pull(Why::Account);
        }
        loop {
            let Some(chunk) = self.chunks.pop_front() else {
                let verify = !self.promised.is_empty() && !self.verified;
                if !verify {
                    return self.finish();
                }
                // Whatever went wrong before, the look afterwards has all its tries.
                self.tries = 0;
                return self.pull(Why::Verify);
            };
            let (ready, waiting): (Vec<Item>, Vec<Item>) = chunk.into_iter().partition(|item| {
                item.parent.as_ref().is_none_or(|name| self.fold.collection(name).is_some())
            });
            for item in waiting {
                self.set_aside(&item, "its collection was not accepted");
            }
            // What something refused was sent for is not sent without it.
            let aside = &self.set_aside;
            let ready: Vec<Item> = ready
                .into_iter()
                .filter(|item| !item.members.iter().chain(&item.sake).any(|id| aside.contains(id)))
                .collect();
            if ready.is_empty() {
                continue;
            }
            self.flying = ready.into_iter().map(|item| self.with_parent(item)).collect();
            self.posts += 1;
            self.awaiting = Awaiting::Journal(After::Post);
            let entries =
                self.flying.iter().map(|item| item.members.iter().map(ToString::to_string).collect());
            return Do::Journal(Record::Sending {
                post: self.posts,
                head: self.head.value(),
                entries: entries.collect(),
            });
        }
    }

    /// The item with its collection's acknowledged id in place of the queue's.
    fn with_parent(&self, mut item: Item) -> Item {
        if let Some(id) = item.parent.as_ref().and_then(|name| self.fold.collection(name)) {
            let (mut members, id) = (item.wire.data.members(), Json::string(id.as_str()));
            // One that names it already stays as it was shown, to the byte.
            if members.get("collectionId") != Some(&id) {
                members.insert(String::from("collectionId"), id);
                item.wire.data = Payload::from_members(&members);
            }
        }
        item
    }

    fn post(&mut self) -> Do {
        self.notes.push(Note::Sending { post: self.posts, mutations: self.flying.len(), head: self.head });
        self.course.sending(self.posts, self.head, &self.flying);
        self.awaiting = Awaiting::Answer;
        Do::Post { head: self.head, mutations: self.wire() }
    }

    fn answered(&mut self, posted: Posted) -> Do {
        match posted {
            Posted::Answer(answer) => match ack::check(&self.wire(), &answer.acknowledgements) {
                Ok(acked) => self.acknowledged(&acked, answer.head),
                Err(error) => {
                    let why = format!("the acknowledgement {error}");
                    self.course.answered(Answer::Doubtful(why.clone()));
                    self.nobody_knows(why)
                }
            },
            Posted::Refused(refusal) => self.refused(refusal),
            Posted::NotSent(why) => {
                self.course.answered(Answer::NotSent(why.clone()));
                self.tries += 1;
                if self.tries > MAX_TRIES {
                    return self.end_early(End::Unreachable(why));
                }
                self.requeue();
                self.pause(self.backoff(), "the server cannot be reached", After::Next)
            }
            Posted::Lost(why) => {
                self.course.answered(Answer::Lost(why.clone()));
                self.notes.push(Note::Lost { post: self.posts });
                self.lost = why;
                self.told_nothing = None;
                self.tries += 1;
                self.unanswered = Some(Unanswered(None));
                self.pull(Why::LostAnswer)
            }
        }
    }

    fn acknowledged(&mut self, acked: &[Acked], head: Cursor) -> Do {
        self.tries = 0;
        self.rounds = 0;
        self.tokens = 0;
        self.head = head;
        let items = std::mem::take(&mut self.flying);
        let resource_ids = acked.iter().map(|a| a.resource_id.as_ref().map(ToString::to_string)).collect();
        self.course.answered(Answer::Acknowledged { head, resource_ids });
        self.notes.push(Note::Acknowledged { post: self.posts, mutations: items.len(), head });
        let mut entries = Vec::with_capacity(items.len());
        for (item, acked) in items.iter().zip(acked) {
            let resource_id = acked.resource_id.as_ref().map(ToString::to_string);
            let queue = item.members.iter().map(ToString::to_string).collect();
            entries.push(Acknowledged { queue, resource_id: resource_id.clone() });
            let (op, kind) = (item.wire.op, item.wire.kind.clone());
            self.sent.push(Sent { ids: item.members.clone(), op, kind, resource_id });
        }
        let taken_over = self.fold.acknowledge(&self.inspection, &items, acked);
        // The deletion of what this push made anew is dealt with and not taken over, as the plan says.
        let planned = taken_over.into_iter().filter(|at| self.plan.apply.binary_search(at).is_ok());
        self.taken_over.extend(planned.map(|at| fold::written(&self.inspection.window.mutations[at])));
        let pairs: HashSet<PairId> = items.iter().map(|item| item.pair).collect();
        self.remember_losses(|loss| pairs.contains(&loss.pair) || pairs.contains(&loss.by));
        self.promised.extend(items.into_iter().zip(acked.iter().cloned()));
        self.verified = false;
        self.awaiting = Awaiting::Journal(After::Next);
        Do::Journal(Record::Acknowledged { post: self.posts, head: head.value(), entries })
    }

    /// How long to wait after this refusal, ms; `None` where the server wants more patience than there is.
    fn asked_to_wait(&self, refusal: &Refusal) -> Option<u64> {
        let asked = refusal.retry_after.map(|after| after.wait(self.now).as_millis());
        let ms = asked.map_or(Some(self.backoff()), |ms| u64::try_from(ms).ok())?;
        (ms <= MAX_WAIT_MS).then_some(ms)
    }

    /// Finds the mutation that the server refuses: the one it names, or by halving.
    fn isolate(&mut self, refusal: &Refusal) -> Do {
        let mut items = std::mem::take(&mut self.flying);
        let named = refusal.mutation_index.filter(|index| *index < items.len());
        match (named, items.len()) {
            (Some(index), _) => {
                let culprit = items.remove(index);
                self.quarantine(&culprit, refusal);
            }
            (None, 0 | 1) => {
                for culprit in items.drain(..) {
                    self.quarantine(&culprit, refusal);
                }
            }
            (None, count) => {
                let rest = items.split_off(count / 2);
                self.chunks.push_front(rest);
            }
        }
        if !items.is_empty() {
            self.chunks.push_front(items);
        }
        self.next_chunk()
    }

    fn quarantine(&mut self, item: &Item, refusal: &Refusal) {
        let message = refusal.to_string();
        self.fold.refuse(&item.members, &message);
        self.fold.refuse(&item.sake, &message);
        self.notes.push(Note::Quarantined { ids: item.members.clone(), message: message.clone() });
        self.set_aside(item, &message);
    }

    fn set_aside(&mut self, item: &Item, message: &str) {
        let ids: Vec<QueueId> = item.members.iter().chain(&item.sake).cloned().collect();
        self.set_aside.extend(ids.iter().cloned());
        self.quarantined.push(Quarantined { ids, message: message.to_owned() });
    }

    fn requeue(&mut self) {
        let items = std::mem::take(&mut self.flying);
        self.chunks.push_front(items);
    }

    fn pause(&mut self, ms: u64, why: &'static str, after: After) -> Do {
        self.notes.push(Note::Waiting { ms, why });
        self.awaiting = Awaiting::Pause(after);
        Do::Wait { ms }
    }

    /// 200, 500, 1250, 3125, 7812 ms: what the phone itself does (PROTOCOL A11).
    fn backoff(&self) -> u64 {
        let mut ms = 200;
        for _ in 1..self.tries.clamp(1, MAX_TRIES) {
            ms = ms * 5 / 2;
        }
        ms
    }

    fn pull(&mut self, why: Why) -> Do {
        self.why = why;
        self.pulls += 1;
        let since = match why {
            Why::Verify => self.verify_since,
            Why::Account => Cursor::ZERO,
            Why::LostAnswer => self.head,
        };
        self.notes.push(Note::Pulling { since });
        self.awaiting = Awaiting::Pull(why);
        Do::Pull { since }
    }

    fn pulled(&mut self, why: Why, pulled: Result<Window, PullFault>) -> Do {
        let newer = match pulled {
            Ok(window) => window,
            Err(PullFault::Refused(refusal))
                if refusal.class == Class::Unauthorized && self.tokens < MAX_TOKENS =>
            {
                self.tokens += 1;
                self.awaiting = Awaiting::TokenToPull(why, refusal.clone());
                return Do::Authorize(refusal);
            }
            Err(fault) => {
                self.tries += 1;
                let wait = match &fault {
                    PullFault::Refused(refusal) => {
                        let passing =
                            matches!(refusal.class, Class::Server | Class::RateLimited | Class::OutOfSync);
                        self.asked_to_wait(refusal).filter(|_| passing)
                    }
                    PullFault::Failed(_) => Some(self.backoff()),
                };
                if let Some(ms) = wait.filter(|_| self.tries <= MAX_TRIES) {
                    return self.pause(ms, "the pull failed", After::PullAgain);
                }
                return self.no_pull(why, fault);
            }
        };
        if !self.was_unauthorized() {
            self.tokens = 0;
        }
        self.notes.push(Note::Pulled { head: newer.head, new: newer.mutations.len() });
        if why == Why::Account {
            self.tries = 0;
            self.account = Account::by_all(&self.inspection, &newer);
            return if self.account == Account::Foreign { self.foreign() } else { self.next_chunk() };
        }
        if self.promised.is_empty() && why != Why::Verify {
            // Nothing that is to be verified is older.
            self.verify_since = newer.head;
        }
        if why == Why::LostAnswer && newer.head == self.head {
            return self.head_stayed();
        }
        self.look_again(why, newer)
    }

    /// Ends without the pull that was needed.
    fn no_pull(&mut self, why: Why, fault: PullFault) -> Do {
        match (why, fault) {
            // Everything is acknowledged. What the server did of its own accord was not seen, so the cursor must not
            // move past it: the next pull shows it.
            (Why::Verify, _) => {
                self.plan.moves_cursor = false;
                self.finish()
            }
            (Why::LostAnswer, fault) => self.cannot_look_up(fault),
            (Why::Account, PullFault::Refused(refusal)) => self.end_early(End::Refused(refusal)),
            (Why::Account, PullFault::Failed(reason)) => self.end_early(End::Unreachable(reason)),
        }
    }

    /// Inspects both sides as they are now and goes on from there.
    fn look_again(&mut self, why: Why, newer: Window) -> Do {
        let unanswered = self.unanswered.take();
        if why == Why::LostAnswer {
            self.fold.doubt(&self.flying_ids(), self.head);
            self.was_there_before(&newer);
        }
        self.see(&newer);
        let flying = std::mem::take(&mut self.flying);
        let held = self.held();
        let open_before = self.open_beside(&held);
        self.head = newer.head;
        if why == Why::Verify {
            self.verified = true;
            self.tries = 0;
            self.verify(&newer);
        }
        self.fold.extend(newer);
        let (device, window) = self.fold.parts();
        let new = Arc::new(inspect::inspect(device, window));
        let carried = rebase::carry(&self.inspection, &self.resolution, &new, self.options.rule);
        self.inspection = new;
        self.resolution = carried.resolution;
        self.course.decided(&self.inspection, &self.resolution);
        self.course.reopened(&self.inspection, &carried.reopened);
        self.fold = Fold::new(&self.inspection);
        self.plan = plan::plan(&self.inspection, &self.resolution, self.stamp);
        let arrived = self.arrived.len();
        if why == Why::LostAnswer
            && let Some(end) = self.look_up(&flying)
        {
            self.settle_doubts();
            return self.end_early(end);
        }
        self.settle_doubts();
        if let Some(end) = self.gives_up(unanswered, self.arrived.len() > arrived) {
            return self.end_early(end);
        }
        let reopened = carried.reopened;
        let asks = !reopened.is_empty() || self.open_beside(&held) > open_before || !self.was_shown();
        if self.options.ask && asks {
            return self.end_early(End::Reopened(reopened));
        }
        self.load_chunks();
        self.again()
    }

    /// The queue entries that the plan holds back.
    fn held(&self) -> HashSet<QueueId> {
        self.plan.hold.iter().flat_map(|left| left.device.iter().cloned()).collect()
    }

    /// How many fields wait for a person, beside those of entries that were `held` back before: a link whose collection this
    /// push deleted waits for another reason now, and that is no news.
    fn open_beside(&self, held: &HashSet<QueueId>) -> usize {
        let known =
            |pair| self.inspection.queued(self.inspection.pair(pair)).all(|entry| held.contains(&entry.id));
        self.plan.open.iter().filter(|unit| !known(unit.pair)).count()
    }

    /// Whether the plan, as it is by now, sends and loses nothing but what the first one said.
    fn was_shown(&self) -> bool {
        let aside = |item: &Item| item.members.iter().any(|id| self.set_aside.contains(id));
        self.plan.items().all(|item| aside(item) || self.shown.holds(item))
            && self.plan.ledger.iter().all(|loss| self.shown.tells_of(loss))
    }

    /// Holds what the server says now against what it acknowledged.
    fn verify(&mut self, window: &Window) {
        let Verified { differences, unknown } = verify::verify(&self.promised, window, self.verify_since);
        for (kind, id) in &unknown {
            self.fold.forget(kind, id);
        }
        self.differences = differences;
    }

    /// What was lost with pairs that are dealt with now.
    fn remember_losses(&mut self, dealt_with: impl Fn(&Loss) -> bool) {
        self.ledger.extend(self.plan.ledger.extract_if(.., |loss| dealt_with(loss)));
    }

    fn again(&mut self) -> Do {
        if self.tries > MAX_TRIES && !self.chunks.is_empty() {
            // What was lost has been looked up by now: nothing is in doubt.
            let lost = std::mem::take(&mut self.lost);
            let end = self.told_nothing.take().map_or(End::Unreachable(lost), End::Refused);
            return self.end_early(end);
        }
        if self.tries > 0 {
            return self.pause(self.backoff(), "before the next try", After::Next);
        }
        self.next_chunk()
    }

    /// How many of the server's mutations that were taken over others made: what this push wrote comes back as well.
    fn applied(&self) -> usize {
        let own = self.promised.iter().map(|(item, acked)| {
            let id = acked.resource_id.clone().or_else(|| item.wire.resource_id.clone());
            ((item.wire.kind.clone(), id), acked.timestamp)
        });
        let own: HashMap<_, _> = own.collect();
        let of_others = |(kind, id, at): &&Written| {
            let written = own.get(&(kind.clone(), id.clone()));
            written.is_none_or(|written| written.is_some_and(|written| written != *at))
        };
        self.taken_over.iter().filter(of_others).count()
    }

    fn wire(&self) -> Vec<WireMutation> {
        self.flying.iter().map(|item| item.wire.clone()).collect()
    }

    fn flying_ids(&self) -> Vec<QueueId> {
        self.flying.iter().flat_map(|item| item.members.iter().cloned()).collect()
    }

    fn finish(&mut self) -> Do {
        if let Some(step) = self.doubt_twins(After::Finish) {
            return step;
        }
        let unknown = self.open_twins();
        let left: HashSet<PairId> = {
            let unsent = self
                .plan
                .hold
                .iter()
                .map(|left| left.pair)
                .chain(self.plan.open.iter().map(|unit| unit.pair));
            let aside = self.inspection.device.queue.iter().enumerate();
            let aside = aside.filter(|(_, m)| self.set_aside.contains(&m.id));
            unsent.chain(aside.map(|(at, _)| self.inspection.pair_of_queued(at))).collect()
        };
        let (moved, taken_over) = self.fold.finish(&self.inspection, &self.plan, &left, self.head, self.now);
        self.taken_over.extend(taken_over);
        let clean = left.is_empty() && moved;
        self.remember_losses(|loss| !left.contains(&loss.by));
        let dropped =
            std::mem::take(&mut self.plan.drop).into_iter().filter(|drop| !left.contains(&drop.pair));
        self.dropped = dropped.map(|drop| Quarantined { ids: drop.device, message: drop.reason }).collect();
        self.look_at_the_end(moved);
        let end = match unknown {
            in_doubt if !in_doubt.is_empty() => End::Unknown {
                in_doubt,
                why: String::from(
                    "something on the server may be this or may be another's, and only a person can tell",
                ),
            },
            _ if clean => End::Done,
            _ => End::Left,
        };
        self.outcome(end, moved)
    }

    /// What the device itself sent before and never got an answer to, where several things look like it: it is in doubt
    /// from here on, and the journal keeps the question. `None` where that is so already.
    fn doubt_twins(&mut self, after: After) -> Option<Do> {
        let twins = self.open_twins();
        if twins.iter().all(|id| self.fold.in_doubt().contains_key(id)) {
            return None;
        }
        let since = self.inspection.window.since;
        self.fold.doubt(&twins, since);
        self.awaiting = Awaiting::Journal(after);
        let entries = twins.iter().map(ToString::to_string).collect();
        Some(Do::Journal(Record::Doubted { entries, head: since.value() }))
    }

    /// What stays in the queue because nobody can tell whether the server has it. A person who leaves it open knows,
    /// unless it was sent and its answer lost.
    fn open_twins(&self) -> Vec<QueueId> {
        let open: BTreeSet<PairId> = self.plan.open.iter().map(|unit| unit.pair).collect();
        let pairs = open.into_iter().map(|id| self.inspection.pair(id));
        let unknown = pairs
            .filter(|pair| self.inspection.is_in_doubt(pair) || (pair.twin.is_some() && !self.options.ask));
        unknown.flat_map(|pair| self.inspection.queued(pair).map(|m| m.id.clone())).collect()
    }

    /// Both sides as they stand after the push, with the choices that are still of use.
    fn look_at_the_end(&mut self, moved: bool) {
        let (device, mut window) = self.fold.parts();
        if moved {
            let window = Arc::make_mut(&mut window);
            window.clear();
            (window.since, window.head, window.path) = (self.head, self.head, PullPath::SinceCursor);
        }
        let now = Arc::new(inspect::inspect(device, window));
        self.resolution =
            rebase::carry(&self.inspection, &self.resolution, &now, self.options.rule).resolution;
        self.inspection = now;
    }

    fn end_early(&mut self, end: End) -> Do {
        self.outcome(end, false)
    }

    fn outcome(&mut self, end: End, cursor_moved: bool) -> Do {
        self.awaiting = Awaiting::Nothing;
        if self.unanswered.take().is_some() {
            // Nobody has looked what became of it: the next push does.
            self.fold.doubt(&self.flying_ids(), self.head);
        }
        for of in &self.inspection.device.recognised {
            let message = String::from("already on the server");
            self.dropped.push(Quarantined { ids: names(of).collect(), message });
        }
        let held = self
            .plan
            .hold
            .iter()
            .map(|left| Quarantined { ids: left.device.clone(), message: left.reason.clone() });
        Do::Finish(Box::new(Outcome {
            end,
            device: self.fold.device(),
            head: self.head,
            cursor_moved,
            sent: std::mem::take(&mut self.sent),
            quarantined: std::mem::take(&mut self.quarantined),
            arrived: std::mem::take(&mut self.arrived),
            held: held.collect(),
            dropped: std::mem::take(&mut self.dropped),
            beyond: self.ledger.iter().filter(|loss| !self.shown.tells_of(loss)).cloned().collect(),
            ledger: std::mem::take(&mut self.ledger),
            differences: std::mem::take(&mut self.differences),
            applied: self.applied(),
            course: std::mem::take(&mut self.course),
            inspection: Arc::clone(&self.inspection),
            resolution: self.resolution.clone(),
            posts: self.posts,
            pulls: self.pulls,
        }))
    }
}
