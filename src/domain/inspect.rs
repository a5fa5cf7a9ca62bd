//! Both sides of a stuck sync put together: pairs, what stands between them, and what waits for a person.

pub(crate) mod rivals;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;

pub use self::rivals::{Linked, LookAlike, Named, Rival};
use super::arrival::{self, May};
use super::device::{Device, Known, SyncStatus};
use super::echo::Chain;
use super::field::{self, Base, Choice, Field, FieldPath, FieldShape, Verdict};
use super::fold;
use super::identity::{self, Facts, Group, Grouping};
use super::json::Json;
use super::mutation::{Kind, Millis, Op, Payload, Queued, ResourceId, ServerMutation, Side};
use super::push::Acknowledged;
use super::squash::{self, Contradiction, Intent, Squashed};
use super::stamp::{self, Misread};
use super::window::Window;

/// Fewer groups than this are not worth a thread.
const MIN_SHARE: usize = 4096;

/// A pair by its position in [`Inspection::pairs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PairId(pub u32);

impl PairId {
    /// The position in [`Inspection::pairs`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is to be done with a pair, as far as it is known before a person chose anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Both sides agree; nothing to send.
    Converged,
    /// The device has something that the server has not, and nothing stands against sending it.
    Push,
    /// The server has something that the device has not.
    Apply,
    /// The two sides cannot both stand as they are.
    Diverged,
    /// It cannot be sent as things are; see [`Pair::blocked`].
    Blocked,
}

impl Status {
    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Push => "push",
            Self::Apply => "apply",
            Self::Diverged => "diverged",
            Self::Blocked => "blocked",
        }
    }
}

/// Why a pair cannot be sent as things are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// It refers to a collection whose own fate is open, or that is gone.
    Parent(PairId),
    /// It refers to a collection that has no id on the server and is not in the queue.
    NoParent,
    /// It deletes a resource whose server id the device never learnt.
    NoServerId,
    /// The device's client deletes it to keep its own number of rows; no person did (PROTOCOL D21). It waits until somebody
    /// chooses it.
    Retention,
    /// The token does not see the kind: what the server holds of it is not known, and not missing (PROTOCOL D26).
    NotVisible,
}

impl Blocked {
    /// The reason in words.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Parent(_) => "waits for its collection, whose fate is open or which the server deleted",
            Self::Retention => {
                "the phone deletes it to keep its own list short, and nobody asked for that: it would be gone from the web as well; choose device to send it"
            }
            Self::NoParent => "its collection has no id on the server and is not in the queue",
            Self::NoServerId => "deletes a resource whose server id the device never learnt",
            Self::NotVisible => {
                "not visible: the token lacks a scope of this kind, so that it is not known what the server holds"
            }
        }
    }
}

/// Everything both sides say about one resource.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The kind of the resource.
    pub kind: Kind,
    /// A name for the resource that is unique among its kind and stable: `id:n1`, `at:2:255`, `queue:q4`.
    pub key: String,
    /// What is to be done.
    pub status: Status,
    /// What each side did.
    pub shape: Shape,
    /// Whether the server's mutation is this device's own earlier write coming back.
    pub echo: bool,
    /// Positions in the device's queue.
    pub device: Vec<usize>,
    /// How many of the first of them the server has already: a later state of the resource is what came back.
    pub done: usize,
    /// Why the rest of them cannot all be meant.
    pub contradiction: Option<Contradiction>,
    /// Positions in the window.
    pub server: Vec<usize>,
    /// Why it cannot be sent, where the status is [`Status::Blocked`].
    pub blocked: Option<Blocked>,
    /// The fields that wait for a person.
    pub open: Vec<FieldPath>,
    /// A server mutation that may be this creation's replay, where several queued ones look the same.
    pub twin: Option<usize>,
    /// Whether a client's time of either side cannot be read.
    pub misread: bool,
    /// Another resource that cannot stand beside this one as both sides want it.
    pub rival: Option<Box<Rival>>,
    /// Whether a deletion has nothing to delete: what it would delete was made by the same queue, and the server has
    /// nothing that could be it.
    pub never_arrived: bool,
}

impl Pair {
    /// What a person may say of a queue that deletes and then changes, besides each side: that the deletion counts.
    pub fn deletion(&self) -> Option<Choice> {
        let deletes = self.contradiction == Some(Contradiction::ChangedAfterDeletion);
        deletes.then(|| Choice::Edited(Json::string(Op::Delete.wire())))
    }

    /// Whether the choice says so.
    pub fn is_deletion(&self, choice: &Choice) -> bool {
        self.deletion().is_some_and(|deletion| deletion == *choice)
    }

    /// Whether a person may write a value in the place of one that the device alone speaks of, to be sent instead:
    /// what the server refuses is corrected that way.
    pub fn is_correctable(&self, field: &Field) -> bool {
        let sends = matches!(self.shape.device, Some(Op::Create | Op::Update));
        // A link is there or it is not.
        sends
            && self.kind != Kind::Link
            && field.device.is_some()
            && !matches!(field.shape, FieldShape::Existence | FieldShape::Bookkeeping)
    }
}

/// What each side did to the resource; printed `update/update`, `create/-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// What the device did first, where it did two things (a delete, then a create).
    pub before: Option<Op>,
    /// What the device did last.
    pub device: Option<Op>,
    /// What the server did.
    pub server: Option<Op>,
}

impl Shape {
    /// What one side did last.
    pub const fn op(self, side: Side) -> Option<Op> {
        match side {
            Side::Device => self.device,
            Side::Server => self.server,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            write!(f, "{}+", before.word())?;
        }
        write!(f, "{}/{}", self.device.map_or("-", Op::word), self.server.map_or("-", Op::word))
    }
}

/// How many of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Queued mutations.
    pub queued: usize,
    /// Mutations in the window.
    pub window: usize,
    /// Pairs that agree.
    pub converged: usize,
    /// Pairs to push.
    pub push: usize,
    /// Pairs to apply.
    pub apply: usize,
    /// Pairs that diverge.
    pub diverged: usize,
    /// Pairs that cannot be sent as things are.
    pub blocked: usize,
}

/// A device and a window, put together. Everything else (choices, plan, push) speaks of an inspection.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The device as its file tells of it.
    pub device: Arc<Device>,
    /// The server's mutations since the cursor.
    pub window: Arc<Window>,
    /// Every resource that either side speaks of: in queue order, then those of the server alone.
    pub pairs: Vec<Pair>,
    /// Server deletions of resources that this device never had, as positions in the window.
    pub ignored: Vec<usize>,
    /// Server mutations without the id that their kind needs, as positions in the window.
    pub unidentified: Vec<usize>,
    /// Collections whose names look like those of others.
    pub look_alikes: Vec<LookAlike>,
    /// How many of everything.
    pub summary: Summary,
    /// Positions in the window of what may be the answer to a POST that is in doubt, oldest first: of resources that
    /// nothing on the device was recognised in. Looked for only while something is in doubt.
    strangers: Vec<Stranger>,
    /// Kinds of which the server has something new that nothing on the device was recognised in.
    unrecognised: HashSet<Kind>,
    known: HashMap<(Kind, ResourceId), usize>,
    of_queue: Vec<PairId>,
    of_window: Vec<Option<PairId>>,
    collections: HashMap<Arc<str>, PairId>,
    reading: rivals::Reading,
}

/// Something on the server that nothing on the device was recognised in.
#[derive(Clone, Debug)]
struct Stranger {
    /// Its position in the window.
    at: usize,
    /// What it says.
    says: IndexMap<String, Json>,
}

/// The details of one pair, computed when they are looked at.
#[derive(Clone, Debug)]
pub struct Details {
    /// What the device wants, in order: nothing, one intent, or a delete and a create.
    pub intents: Vec<Intent>,
    /// Queue positions of what came back already, so that it gives no intent.
    pub done: Vec<usize>,
    /// Queue positions of creations and deletions that the server never saw and that cancel out.
    pub cancelled: Vec<usize>,
    /// Whether the resource exists, and then field by field; the existence is first.
    pub fields: Vec<Field>,
}

impl Details {
    /// A field by its path.
    pub fn field(&self, path: &FieldPath) -> Option<&Field> {
        self.fields.iter().find(|field| field.path == *path)
    }
}

/// Puts a device and a window together. What a POST in doubt has plainly brought there, in the server's own words, is
/// out of the queue then, as if it had been acknowledged.
pub fn inspect(device: Arc<Device>, window: Arc<Window>) -> Inspection {
    let mut inspection = put_together(device, window);
    while !inspection.device.in_doubt.is_empty() {
        let found = inspection.recognised();
        if found.is_empty() {
            break;
        }
        let mut device = fold::after(&inspection.device, &found);
        device.in_doubt.retain(|id, _| device.queue.iter().any(|entry| entry.id == *id));
        device.recognised.extend(found);
        inspection = put_together(Arc::new(device), inspection.window);
    }
    inspection
}

fn put_together(device: Arc<Device>, window: Arc<Window>) -> Inspection {
    let grouping = identity::group(&device, &window);
    let mut known = HashMap::new();
    for (position, row) in device.known.iter().flatten().enumerate() {
        known.insert((row.kind.clone(), row.id.clone()), position);
    }
    let mut of_queue = vec![PairId(0); device.queue.len()];
    for (at, group) in grouping.groups.iter().enumerate() {
        for position in &group.device {
            of_queue[*position] = PairId(u32::try_from(at).unwrap_or(u32::MAX));
        }
    }
    let mut of_window = vec![None; window.mutations.len()];
    for (at, group) in grouping.groups.iter().enumerate() {
        for position in &group.server {
            of_window[*position] = Some(PairId(u32::try_from(at).unwrap_or(u32::MAX)));
        }
    }
    let strangers =
        if device.in_doubt.is_empty() { Vec::new() } else { strangers(&device, &window, &grouping, &known) };
    let sent = device.queue.iter().any(|m| m.op == Op::Create && m.resource_id.is_none() && m.maybe_sent());
    let unrecognised = if sent { unrecognised(&device, &window, &grouping, &known) } else { HashSet::new() };
    let mut inspection = Inspection {
        summary: Summary { queued: device.queue.len(), window: window.mutations.len(), ..Summary::default() },
        strangers,
        unrecognised,
        device,
        window,
        pairs: Vec::new(),
        ignored: grouping.ignored,
        unidentified: grouping.unidentified,
        known,
        of_queue,
        of_window,
        collections: HashMap::new(),
        look_alikes: Vec::new(),
        reading: rivals::Reading::default(),
    };
    inspection.reading = inspection.reading_of_queue();
    inspection.pairs = inspection.pairs_of(grouping.groups);
    inspection.index_collections();
    inspection.find_rivals();
    inspection.look_alikes = inspection.find_look_alikes();
    inspection.block_not_visible();
    inspection.block_retention();
    inspection.block_dependants();
    inspection.count();
    inspection
}

impl Inspection {
    /// A pair by its id.
    pub fn pair(&self, id: PairId) -> &Pair {
        &self.pairs[id.index()]
    }

    /// Every pair with its id.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = (PairId, &Pair)> + ExactSizeIterator {
        self.pairs.iter().enumerate().map(|(at, pair)| (PairId(u32::try_from(at).unwrap_or(u32::MAX)), pair))
    }

    /// The pair that a queued mutation belongs to.
    pub fn pair_of_queued(&self, position: usize) -> PairId {
        self.of_queue[position]
    }

    /// The queued mutations of a pair, in order.
    pub fn queued<'a, 'p>(
        &'a self,
        pair: &'p Pair,
    ) -> impl DoubleEndedIterator<Item = &'a Queued> + Clone + use<'a, 'p> {
        pair.device.iter().map(|position| &self.device.queue[*position])
    }

    /// The server mutations of a pair, oldest first.
    pub fn served<'a, 'p>(
        &'a self,
        pair: &'p Pair,
    ) -> impl DoubleEndedIterator<Item = &'a ServerMutation> + Clone + use<'a, 'p> {
        pair.server.iter().map(|position| &self.window.mutations[*position])
    }

    /// The device's row of a resource.
    pub fn known(&self, kind: &Kind, id: &ResourceId) -> Option<&Known> {
        let position = self.known.get(&(kind.clone(), id.clone()))?;
        self.device.known.as_ref()?.get(*position)
    }

    /// The server mutation that stands for the resource: the living one that the device's own id means, else the
    /// newest living one, else the newest.
    pub fn primary(&self, pair: &Pair) -> Option<&ServerMutation> {
        let own: Option<&ResourceId> = self.queued(pair).rev().find_map(|m| m.resource_id.as_ref());
        let living = || self.served(pair).filter(|m| m.op != Op::Delete);
        living()
            .find(|m| own.is_some() && m.resource_id.as_ref() == own)
            .or_else(|| living().next_back())
            .or_else(|| self.served(pair).last())
    }

    /// What each side says of a pair, field by field.
    pub fn details(&self, pair: &Pair) -> Details {
        let Squashed { intents, cancelled, .. } = self.squashed(pair);
        let server = self.primary(pair);
        let mut existence = existence(pair, &intents, server);
        if self.is_in_doubt(pair) {
            // Whoever chose before the answer was lost saw something else.
            existence.server = Some(Json::string(Op::Create.wire()));
        }
        let mut fields = vec![existence];
        let device = intents.last().filter(|intent| intent.op != Op::Delete);
        let living = server.filter(|m| m.op != Op::Delete);
        let base = self.base(pair);
        let wants = device.map(|intent| intent.data.members()).unwrap_or_default();
        let holds = living.map(|m| m.data.members()).unwrap_or_default();
        fields.extend(field::compare(&pair.kind, &base, &wants, &holds));
        if let Some(rival) = pair.contest() {
            rival.complete(&mut fields);
        }
        let done = pair.device[..pair.done].to_vec();
        Details { intents, done, cancelled, fields }
    }

    /// What the device still wants of a pair: its queue entries behind those that came back, as intents.
    pub fn squashed(&self, pair: &Pair) -> Squashed {
        // The resource may still be named by the queue entry that made it.
        let server = if pair.done > 0 { self.primary(pair) } else { None };
        let there = server.filter(|m| m.op != Op::Delete).and_then(|m| m.resource_id.as_ref());
        let mut squashed = squash::squash_after(&self.device.queue, &pair.device, pair.done, there);
        if pair.never_arrived && squashed.intents.first().is_some_and(|first| first.op == Op::Delete) {
            squashed.cancelled.extend(squashed.intents.remove(0).members);
        }
        self.without_replaced_reading(pair, &mut squashed.intents);
        squashed
    }

    /// What both sides last agreed on: what came back of the device's own entries; else a synced row of the device,
    /// under what the queue entries recorded.
    pub fn base(&self, pair: &Pair) -> IndexMap<String, Json> {
        let recorded = self.recorded(pair);
        // Nothing comes back before the only entry.
        let Some(server) = self.primary(pair).filter(|_| pair.device.len() > 1) else { return recorded };
        self.with_chain(pair, &recorded, |chain| {
            if pair.done > 0 {
                return chain.agreed(pair.done, server);
            }
            let own = chain.came_back_below(server);
            recorded.clone().into_iter().chain(own).collect()
        })
    }

    /// A synced row of the device, under what the queue entries recorded; the first record of a field counts.
    fn recorded(&self, pair: &Pair) -> IndexMap<String, Json> {
        let own = self.queued(pair).find_map(|m| m.resource_id.as_ref());
        let served = || self.served(pair).find_map(|m| m.resource_id.as_ref());
        let row = own.and_then(|id| self.known(&pair.kind, id));
        let row = row.or_else(|| served().and_then(|id| self.known(&pair.kind, id)));
        let row = row.filter(|row| row.status == SyncStatus::Synced);
        let mut recorded = row.map(|row| row.data.members()).unwrap_or_default();
        for entry in self.queued(pair).rev() {
            recorded.extend(entry.base.members());
        }
        recorded
    }

    fn with_chain<T>(
        &self,
        pair: &Pair,
        recorded: &IndexMap<String, Json>,
        ask: impl FnOnce(Chain<'_>) -> T,
    ) -> T {
        let entries: Vec<&Queued> = self.queued(pair).collect();
        // What was there before the POST was not left by it.
        let in_doubt = |entry: &Queued| {
            let head = self.device.in_doubt.get(&entry.id);
            head.is_some_and(|head| self.served(pair).any(|mutation| mutation.is_after(*head)))
        };
        ask(Chain { kind: &pair.kind, entries: &entries, recorded, in_doubt: &in_doubt })
    }

    /// The pair of the collection that a link's `collectionId` names: a server id, or the queue id of a creation.
    pub fn collection(&self, id: &str) -> Option<PairId> {
        self.collections.get(id).copied()
    }

    /// How many fields wait for a person, before any choice.
    pub fn open_fields(&self) -> usize {
        self.pairs.iter().map(|pair| pair.open.len()).sum()
    }

    /// Each group is judged by itself, so a long list is judged on every core.
    fn pairs_of(&self, groups: Vec<Group>) -> Vec<Pair> {
        if groups.len() <= MIN_SHARE {
            return groups.into_iter().map(|group| self.pair_of(group)).collect();
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = groups.len().div_ceil(cores).max(MIN_SHARE);
        let mut shares: Vec<Vec<Group>> = Vec::new();
        let mut groups = groups.into_iter();
        while groups.len() > 0 {
            shares.push(groups.by_ref().take(share).collect());
        }
        let judge =
            |share: Vec<Group>| share.into_iter().map(|group| self.pair_of(group)).collect::<Vec<_>>();
        let Some(first) = shares.pop() else { return Vec::new() };
        std::thread::scope(|scope| {
            let others: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || judge(share))).collect();
            let last = judge(first);
            let mut pairs: Vec<Pair> = Vec::new();
            for other in others {
                match other.join() {
                    Ok(share) => pairs.extend(share),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            pairs.extend(last);
            pairs
        })
    }

    fn pair_of(&self, group: Group) -> Pair {
        let mut pair = Pair {
            key: self.key(&group),
            kind: group.kind,
            status: Status::Converged,
            shape: Shape { before: None, device: None, server: None },
            echo: false,
            device: group.device,
            done: 0,
            contradiction: None,
            server: group.server,
            blocked: None,
            open: Vec::new(),
            twin: group.twin,
            misread: false,
            rival: None,
            never_arrived: false,
        };
        let misread = self.misread(&pair).next().is_some();
        pair.misread = misread;
        let server = self.primary(&pair);
        if pair.device.len() > 1
            && let Some(server) = server
        {
            let recorded = self.recorded(&pair);
            pair.done = self.with_chain(&pair, &recorded, |chain| chain.came_back(server));
        }
        pair.never_arrived =
            pair.device.len() > 1 && server.is_none_or(|m| m.op == Op::Delete) && self.never_arrived(&pair);
        let Squashed { intents, contradiction, .. } = self.squashed(&pair);
        pair.contradiction = contradiction;
        pair.shape = Shape {
            before: (intents.len() > 1).then(|| intents[0].op),
            device: intents.last().map(|i| i.op),
            server: server.map(|m| m.op),
        };
        if contradiction.is_some() {
            pair.twin = pair.twin.or_else(|| self.may_have_arrived_as(&pair, intents.last()?));
            diverge(&mut pair, vec![FieldPath::existence()]);
            return pair;
        }
        match (intents.last(), server) {
            (None, None) => {}
            (None, Some(server)) => {
                let same = self.is_known_state(server);
                pair.echo = same;
                pair.status = if same { Status::Converged } else { Status::Apply };
            }
            (Some(_), None) if pair.twin.is_some() => diverge(&mut pair, vec![FieldPath::existence()]),
            (Some(last), None) => {
                if last.op == Op::Create {
                    pair.twin = self.may_have_arrived_as(&pair, last);
                }
                if pair.twin.is_some() {
                    diverge(&mut pair, vec![FieldPath::existence()]);
                    return pair;
                }
                pair.status = Status::Push;
                let nameless = last.op == Op::Delete && last.resource_id.is_none() && pair.kind != Kind::Link;
                if nameless {
                    pair.status = Status::Blocked;
                    pair.blocked = Some(Blocked::NoServerId);
                }
            }
            (Some(last), Some(server)) => {
                self.judge(&mut pair, &intents, last, server);
                if last.op != Op::Delete && server.op == Op::Delete {
                    // It may have been brought back.
                    pair.twin = self.may_have_arrived_as(&pair, last);
                }
            }
        }
        pair
    }

    /// A creation that was sent and never answered: the thing of its kind that the server has since, that nobody else is
    /// known to have made and that may be it, as [`arrival::may_be`] has it; the likest, and of those the newest.
    fn may_have_arrived_as(&self, pair: &Pair, wanted: &Intent) -> Option<usize> {
        if wanted.op == Op::Delete {
            return None;
        }
        let found = self.may_have_arrived(pair);
        found
            .into_iter()
            .max_by_key(|(at, may)| (*may, self.window.mutations[*at].timestamp))
            .map(|(at, _)| at)
    }

    /// What a pair is on the server, where it is there or a person takes it for what is there.
    pub fn became(&self, pair: &Pair) -> Option<ResourceId> {
        let gone = self.primary(pair).is_some_and(|mutation| mutation.op == Op::Delete);
        let there = self.servers_id(pair).filter(|_| !gone);
        there.or_else(|| identity::id_of(self.window.mutations.get(pair.twin?)?))
    }

    /// What on the server may be what a POST in doubt has created here, as positions in the window, oldest first.
    pub fn candidates(&self, pair: &Pair) -> Vec<usize> {
        let mut found: Vec<usize> = self.may_have_arrived(pair).into_iter().map(|(at, _)| at).collect();
        found.extend(pair.twin.filter(|twin| !found.contains(twin)));
        found
    }

    fn may_have_arrived(&self, pair: &Pair) -> Vec<(usize, May)> {
        let of_kind =
            self.strangers.iter().filter(|stranger| self.window.mutations[stranger.at].kind == pair.kind);
        self.compared(pair, of_kind.map(|stranger| (stranger.at, &stranger.says)))
    }

    /// What of the window is what a POST in doubt has created here, or may be.
    fn compared<'a>(
        &self,
        pair: &Pair,
        window: impl Iterator<Item = (usize, &'a IndexMap<String, Json>)>,
    ) -> Vec<(usize, May)> {
        let in_doubt = |at: &&usize| self.device.in_doubt.contains_key(&self.device.queue[**at].id);
        let flown: Vec<usize> = pair.device.iter().filter(in_doubt).copied().collect();
        let heads = flown.iter().filter_map(|at| self.device.in_doubt.get(&self.device.queue[*at].id));
        let Some(head) = heads.min() else { return Vec::new() };
        let Some(sent) = squash::squash(&self.device.queue, &flown).intents.pop() else { return Vec::new() };
        if sent.op == Op::Delete {
            return Vec::new();
        }
        let sent = sent.data.members();
        let own = sent.get("collectionId").and_then(Json::as_str);
        // A name of the queue's own says nothing to the server until it has given an id.
        let local = own.is_some_and(|own| self.device.queue.iter().any(|entry| entry.id.as_str() == own));
        let collection = |name: &str| match self.device.given.collection(name) {
            Some(id) => Some(id.to_string()),
            None => (!local).then(|| name.to_owned()),
        };
        let mut found = Vec::new();
        for (at, says) in window {
            let mutation = &self.window.mutations[at];
            let id = identity::id_of(mutation);
            let told = || flown.iter().any(|at| self.device.is_not(&self.device.queue[*at].id, id.as_ref()));
            if !mutation.is_after(*head) || told() {
                continue;
            }
            let may = arrival::may_be(&pair.kind, &sent, (mutation.op, says), collection);
            if may > May::IsNot {
                found.push((at, may));
            }
        }
        found
    }

    /// What a POST in doubt has plainly brought there, though perhaps not in the words that were sent: of each creation
    /// that is one thing, and each thing is that of one creation.
    fn recognised(&self) -> Vec<Acknowledged> {
        let mut found: Vec<(&Pair, usize)> = Vec::new();
        for pair in self.pairs.iter().filter(|pair| pair.contradiction.is_none()) {
            let flown = |at: &usize| self.device.in_doubt.contains_key(&self.device.queue[*at].id);
            if pair.device.is_empty() || !pair.device.iter().all(flown) {
                continue;
            }
            let made =
                self.queued(pair).next().is_some_and(|m| m.op == Op::Create && m.resource_id.is_none());
            // What the server has deleted may have been brought back.
            let gone = self.served(pair).all(|mutation| mutation.op == Op::Delete);
            let candidates = match pair.server.as_slice() {
                [at] if made && !gone => {
                    let says = self.window.mutations[*at].data.members();
                    self.compared(pair, std::iter::once((*at, &says)))
                }
                _ if gone => self.may_have_arrived(pair),
                _ => continue,
            };
            let mut plain = candidates.iter().filter(|(_, may)| *may == May::Is);
            if let (Some((at, _)), None) = (plain.next(), plain.next()) {
                found.push((pair, *at));
            }
        }
        let mut claims: HashMap<usize, usize> = HashMap::new();
        for (_, at) in &found {
            *claims.entry(*at).or_default() += 1;
        }
        let alone = found.iter().filter(|(_, at)| claims[at] == 1);
        let acknowledged = alone.map(|(pair, at)| Acknowledged {
            queue: self.queued(pair).map(|entry| entry.id.to_string()).collect(),
            resource_id: identity::id_of(&self.window.mutations[*at]).map(|id| id.to_string()),
        });
        acknowledged.collect()
    }

    /// The client times of a pair that cannot be read: whose, which, what stands there, and why it tells nothing.
    fn misread<'a>(
        &'a self,
        pair: &'a Pair,
    ) -> impl Iterator<Item = (Side, &'static str, Json, Misread)> + use<'a> {
        let device = self.queued(pair).map(|m| (Side::Device, &m.data));
        let server = self.served(pair).map(|m| (Side::Server, &m.data));
        device.chain(server).flat_map(|(side, data)| {
            stamp::misread(data).into_iter().map(move |(name, value, why)| (side, name, value, why))
        })
    }

    /// What a person should know of the two sides as they stand, without what people wrote.
    pub fn warnings(&self) -> Vec<String> {
        const SHOWN: usize = 5;
        let alike = self.look_alikes.iter().map(|found| {
            let pair = self.pair(found.pair);
            format!("{} {}: {}", pair.kind.wire(), pair.key, found.words())
        });
        let mut warnings: Vec<String> = alike.collect();
        let misread = || self.pairs.iter().filter(|pair| pair.misread);
        for pair in misread().take(SHOWN) {
            let told = self.misread(pair).map(|(side, name, value, why)| {
                format!("the {}'s {name} {} {why}", side.name(), short(&value))
            });
            let mut told: Vec<String> = told.collect();
            told.dedup();
            let told = told.join(", and ");
            warnings.push(format!("{} {}: {told}: no rule goes by it", pair.kind.wire(), pair.key));
        }
        let more = misread().count().saturating_sub(SHOWN);
        if more > 0 {
            let resources = if more == 1 { "resource has" } else { "resources have" };
            warnings.push(format!(
                "{more} more {resources} client times that cannot be read: no rule goes by them"
            ));
        }
        warnings
    }

    /// Whether a deletion names what the queue itself has made and the server does not have. A creation is recognised
    /// where it arrived, also with later entries upon it; only something of its kind that nobody recognised may be it
    /// all the same, unless a place tells.
    fn never_arrived(&self, pair: &Pair) -> bool {
        let mut entries = self.queued(pair);
        // What was there before has another history.
        let made = entries.next().filter(|first| first.op == Op::Create && first.resource_id.is_none());
        let own: HashSet<&str> = self.queued(pair).map(|entry| entry.id.as_str()).collect();
        let named_by_server =
            entries.any(|entry| entry.resource_id.as_ref().is_some_and(|id| !own.contains(id.as_str())));
        made.filter(|_| !named_by_server).is_some_and(|made| {
            Facts::of(&pair.kind, &made.data, false).place.is_some()
                || !self.unrecognised.contains(&pair.kind)
        })
    }

    /// Whether the server has something that may be what a POST in doubt has created here.
    pub fn is_in_doubt(&self, pair: &Pair) -> bool {
        let Some(twin) = pair.twin.and_then(|at| self.window.mutations.get(at)) else { return false };
        let mut heads = self.queued(pair).filter_map(|m| self.device.in_doubt.get(&m.id));
        heads.any(|head| twin.is_after(*head))
    }

    /// Both sides speak: do they agree, can they be put together, or must somebody choose?
    fn judge(&self, pair: &mut Pair, intents: &[Intent], last: &Intent, server: &ServerMutation) {
        match fate(pair, intents, Some(server)) {
            Verdict::Conflict => diverge(pair, vec![FieldPath::existence()]),
            Verdict::SameChange => pair.status = Status::Converged,
            Verdict::DeviceOnly if pair.done > 0 && self.is_changed_since(pair, server) => {
                diverge(pair, vec![FieldPath::existence()]);
            }
            Verdict::DeviceOnly => {
                pair.status = Status::Push;
                pair.echo = server.op == Op::Create;
            }
            Verdict::ServerOnly | Verdict::Equal => {
                let base = self.base(pair);
                let fields = field::compare(&pair.kind, &base, &last.data.members(), &server.data.members());
                let told = |verdict: Verdict| {
                    let mut shown = fields.iter().filter(|f| f.shape != FieldShape::Bookkeeping);
                    pair.kind != Kind::Link && shown.any(|f| f.verdict == verdict)
                };
                if told(Verdict::Conflict) {
                    let open =
                        fields.iter().filter(|f| f.settled().is_none()).map(|f| f.path.clone()).collect();
                    diverge(pair, open);
                } else if told(Verdict::DeviceOnly) {
                    pair.status = Status::Push;
                } else {
                    pair.status = Status::Converged;
                    pair.echo = pair.done > 0 || is_echo(last, &fields);
                }
            }
        }
    }

    /// Whether somebody else wrote on top of what came back.
    fn is_changed_since(&self, pair: &Pair, server: &ServerMutation) -> bool {
        let fields = field::compare(&pair.kind, &self.base(pair), &IndexMap::new(), &server.data.members());
        let told = |f: &Field| f.shape != FieldShape::Bookkeeping && f.verdict == Verdict::ServerOnly;
        server.op != Op::Delete && fields.iter().any(told)
    }

    /// Whether the device already holds what the server says: its own earlier write, or one it applied before.
    fn is_known_state(&self, server: &ServerMutation) -> bool {
        let Some(id) = identity::id_of(server) else { return false };
        let Some(row) = self.known(&server.kind, &id).filter(|row| row.status == SyncStatus::Synced) else {
            return false;
        };
        if server.op == Op::Delete {
            return false;
        }
        if row.server_timestamp == Some(server.timestamp) {
            return true;
        }
        let row = row.data.members();
        field::compare(&server.kind, &row, &IndexMap::new(), &server.data.members())
            .iter()
            .all(|f| f.verdict == Verdict::Equal || f.shape == FieldShape::Bookkeeping)
            && !row.is_empty()
    }

    fn key(&self, group: &Group) -> String {
        let queued = group.device.iter().map(|p| &self.device.queue[*p]);
        let served = group.server.iter().map(|p| &self.window.mutations[*p]);
        let own = queued.clone().find_map(|m| m.resource_id.as_ref());
        if let Some(id) = own.or_else(|| served.clone().find_map(|m| m.resource_id.as_ref())) {
            return format!("id:{id}");
        }
        let data: Vec<&Payload> = queued.clone().map(|m| &m.data).chain(served.map(|m| &m.data)).collect();
        if group.kind == Kind::Link
            && let Some(id) = data.iter().find_map(|data| identity::link_id(data))
        {
            return format!("id:{id}");
        }
        let facts = data.first().map(|data| Facts::of(&group.kind, data, false)).unwrap_or_default();
        match (&group.kind, facts.place, facts.collection) {
            (Kind::Bookmark, Some(place), _) => format!("at:{place}"),
            (Kind::Link, Some(place), Some(collection)) => format!("link:{collection}@{place}"),
            _ => match queued.clone().next() {
                Some(first) => format!("queue:{}", first.id),
                None => format!("window:{}", group.server.first().copied().unwrap_or_default()),
            },
        }
    }

    fn index_collections(&mut self) {
        let mut index: HashMap<Arc<str>, PairId> = HashMap::new();
        for (id, pair) in self.ids().filter(|(_, pair)| pair.kind == Kind::Collection) {
            let queued = self
                .queued(pair)
                .flat_map(|m| [Some(m.id.as_str()), m.resource_id.as_ref().map(ResourceId::as_str)]);
            let served = self.served(pair).map(|m| m.resource_id.as_ref().map(ResourceId::as_str));
            for name in queued.chain(served).flatten() {
                index.insert(name.into(), id);
            }
        }
        for (name, id) in self.device.given.collections() {
            if let Some(pair) = index.get(id.as_str()).copied() {
                index.insert(name.into(), pair);
            }
        }
        self.collections = index;
    }

    /// What is queued of a kind that the token does not see waits for another token.
    fn block_not_visible(&mut self) {
        let hidden = &self.window.not_visible;
        for pair in &mut self.pairs {
            let waits = matches!(pair.status, Status::Push | Status::Blocked);
            if waits && pair.server.is_empty() && hidden.contains(&pair.kind) {
                (pair.status, pair.blocked) = (Status::Blocked, Some(Blocked::NotVisible));
            }
        }
    }

    /// What the device's client deletes of its own accord waits.
    fn block_retention(&mut self) {
        if self.device.retention.is_empty() {
            return;
        }
        let device = Arc::clone(&self.device);
        let own = |at: &usize| device.retention.contains(&device.queue[*at].id);
        for pair in &mut self.pairs {
            if pair.status == Status::Push && pair.device.iter().all(own) {
                (pair.status, pair.blocked) = (Status::Blocked, Some(Blocked::Retention));
            }
        }
    }

    fn block_dependants(&mut self) {
        let mut blocked: Vec<(PairId, Blocked)> = Vec::new();
        for (id, pair) in self.ids() {
            let creates = pair.shape.device.is_some_and(|op| op != Op::Delete);
            if pair.kind == Kind::Link
                && pair.status == Status::Push
                && creates
                && let Some(reason) = self.parent_blocks(pair)
            {
                blocked.push((id, reason));
            }
        }
        for (id, reason) in blocked {
            let pair = &mut self.pairs[id.index()];
            pair.status = Status::Blocked;
            pair.blocked = Some(reason);
        }
    }

    fn parent_blocks(&self, link: &Pair) -> Option<Blocked> {
        let last = self.queued(link).last()?;
        let collection = Facts::of(&Kind::Link, &last.data, false).collection?;
        let Some(parent) = self.collection(&collection) else {
            let row = self.known(&Kind::Collection, &ResourceId::from(&*collection));
            return row.filter(|row| row.status == SyncStatus::PendingCreate).map(|_| Blocked::NoParent);
        };
        let pair = self.pair(parent);
        let gone = pair.shape.server == Some(Op::Delete) || pair.shape.device == Some(Op::Delete);
        let open = matches!(pair.status, Status::Diverged | Status::Blocked);
        (open || gone).then_some(Blocked::Parent(parent))
    }

    fn count(&mut self) {
        for pair in &self.pairs {
            let counter = match pair.status {
                Status::Converged => &mut self.summary.converged,
                Status::Push => &mut self.summary.push,
                Status::Apply => &mut self.summary.apply,
                Status::Diverged => &mut self.summary.diverged,
                Status::Blocked => &mut self.summary.blocked,
            };
            *counter += 1;
        }
    }
}

/// The kinds of what lives on the server, is not known to the device and was recognised in nothing that it queued.
fn unrecognised(
    device: &Device,
    window: &Window,
    grouping: &Grouping,
    known: &HashMap<(Kind, ResourceId), usize>,
) -> HashSet<Kind> {
    let strangers = not_recognised(device, window, grouping, known).map(|at| &window.mutations[at]);
    strangers.filter(|mutation| mutation.op != Op::Delete).map(|mutation| mutation.kind.clone()).collect()
}

/// What may be the work of a POST in doubt: of its kind, and newer than the head that it carried.
fn strangers(
    device: &Device,
    window: &Window,
    grouping: &Grouping,
    known: &HashMap<(Kind, ResourceId), usize>,
) -> Vec<Stranger> {
    let Some(oldest) = device.in_doubt.values().min() else { return Vec::new() };
    let in_doubt = device.queue.iter().filter(|entry| device.in_doubt.contains_key(&entry.id));
    let kinds: HashSet<&Kind> = in_doubt.map(|entry| &entry.kind).collect();
    let may_be = |at: &usize| {
        let mutation = &window.mutations[*at];
        kinds.contains(&mutation.kind) && mutation.is_after(*oldest)
    };
    let strangers = not_recognised(device, window, grouping, known).filter(may_be);
    strangers.map(|at| Stranger { at, says: window.mutations[at].data.members() }).collect()
}

/// What of the window is no resource that the device knows and was recognised in nothing that it queued.
fn not_recognised<'a>(
    device: &'a Device,
    window: &'a Window,
    grouping: &'a Grouping,
    known: &'a HashMap<(Kind, ResourceId), usize>,
) -> impl Iterator<Item = usize> + 'a {
    let of_device = grouping.groups.iter().filter(|group| !group.device.is_empty());
    let recognised: HashSet<usize> = of_device.flat_map(|group| group.server.iter().copied()).collect();
    let of_others = |mutation: &ServerMutation, id: ResourceId| {
        !device.given.holds(&mutation.kind, &id) && !known.contains_key(&(mutation.kind.clone(), id))
    };
    let is_stranger = move |at: &usize| {
        let mutation = &window.mutations[*at];
        !recognised.contains(at) && identity::id_of(mutation).is_none_or(|id| of_others(mutation, id))
    };
    (0..window.mutations.len()).filter(is_stranger)
}

/// A value that is no time, cut where it is long.
fn short(value: &Json) -> String {
    const LONG: usize = 40;
    let text = value.to_text();
    match text.char_indices().nth(LONG) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn diverge(pair: &mut Pair, open: Vec<FieldPath>) {
    pair.status = Status::Diverged;
    pair.open = open;
}

/// The existence of the resource as a field: what each side did, and whether somebody must choose.
fn existence(pair: &Pair, intents: &[Intent], server: Option<&ServerMutation>) -> Field {
    Field {
        path: FieldPath::existence(),
        shape: FieldShape::Existence,
        verdict: fate(pair, intents, server),
        base: Base::Absent,
        device: intents.last().map(|intent| Json::string(intent.op.wire())),
        server: server.map(|m| Json::string(m.op.wire())),
        against: None,
    }
}

/// The three-way rule on whether the resource exists. Operations are what changed, so no base is needed.
fn fate(pair: &Pair, intents: &[Intent], server: Option<&ServerMutation>) -> Verdict {
    if pair.contradiction.is_some() {
        return Verdict::Conflict;
    }
    let (Some(last), Some(server)) = (intents.last(), server) else {
        return match (intents.last(), server) {
            (Some(_), None) if pair.twin.is_some() => Verdict::Conflict,
            (Some(_), _) => Verdict::DeviceOnly,
            (None, Some(_)) => Verdict::ServerOnly,
            (None, None) => Verdict::Equal,
        };
    };
    match (last.op, server.op) {
        (Op::Delete, Op::Delete) => Verdict::SameChange,
        // The device deletes what it wrote itself.
        (Op::Delete, Op::Create | Op::Update) if pair.done > 0 => Verdict::DeviceOnly,
        // The device knows the id, so the creation is its own coming back; the deletion is newer (PROTOCOL A9).
        (Op::Delete, Op::Create)
            if pair.kind == Kind::Link
                || (last.resource_id.is_some() && last.resource_id == server.resource_id) =>
        {
            Verdict::DeviceOnly
        }
        (Op::Delete, Op::Create | Op::Update) => Verdict::Conflict,
        // A delete and a new creation: the server has done the first half.
        (Op::Create | Op::Update, Op::Delete) if intents.len() > 1 => Verdict::DeviceOnly,
        (Op::Create, Op::Delete) if pair.done > 0 => Verdict::DeviceOnly,
        (Op::Create | Op::Update, Op::Delete) => Verdict::Conflict,
        // What came back is deleted and made anew.
        (Op::Create | Op::Update, Op::Create | Op::Update) if is_made_anew(pair, intents) => {
            Verdict::DeviceOnly
        }
        (Op::Create | Op::Update, Op::Create | Op::Update) => Verdict::Equal,
    }
}

/// Whether the device deletes what came back and makes another in its place, which is another resource. At one place
/// there is one bookmark and one link, whatever becomes of it in between.
pub(super) fn is_made_anew(pair: &Pair, intents: &[Intent]) -> bool {
    let other = match pair.kind {
        Kind::Collection | Kind::Note | Kind::ReadingSession | Kind::Other(_) => true,
        Kind::Bookmark | Kind::Link => false,
    };
    other && pair.done > 0 && intents.len() > 1
}

/// The server's mutation is the device's own write when it bears the same client time, or when the device tried
/// to send it and nothing tells them apart.
fn is_echo(device: &Intent, fields: &[Field]) -> bool {
    let stamp = fields.iter().find(|field| field.path.as_str() == "/clientUpdatedAt");
    let time = |side: Side| stamp.and_then(|field| field.value(side)).and_then(Millis::from_json);
    match (time(Side::Device), time(Side::Server)) {
        (Some(own), Some(other)) => own == other,
        (None, _) | (_, None) => device.maybe_sent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::{ResponseHead, read_page};
    use crate::domain::json::Text;
    use crate::domain::mutation::Cursor;
    use crate::domain::window::{PullPath, assemble};

    const HEAD: Cursor = Cursor::read(1_770_000_000_000);

    /// A note that was sent with [`HEAD`] and never answered, and what the server has since.
    fn sent_and_seen(queued: &str, op: &str, seen: &str) -> Status {
        let note = Queued {
            id: "q1".into(),
            op: Op::Create,
            kind: Kind::Note,
            resource_id: None,
            data: Payload::new(Text::new(queued.into())),
            base: Payload::ABSENT,
            created_at: None,
            retry_count: 0,
            last_error: None,
        };
        let mut device = Device { queue: vec![note], ..Device::default() };
        device.in_doubt.insert("q1".into(), HEAD);
        let mutation = format!(
            r#"{{"type":"{op}","resource":"NOTE","resourceId":"n1","timestamp":1770000009000,"data":{seen}}}"#
        );
        let body = format!(
            r#"{{"success":true,"data":{{"lastMutationAt":1770000009000,"mutations":[{mutation}],"hasMore":false}}}}"#
        );
        let page = read_page(&ResponseHead::ok(), &Text::new(body), 1).expect("a page");
        let window = assemble(PullPath::SinceCursor, HEAD, Cursor::read(1_770_000_009_000), vec![page]);
        let inspection = inspect(Arc::new(device), Arc::new(window));
        inspection.pair(inspection.pair_of_queued(0)).status
    }

    #[test]
    fn what_was_made_at_another_time_is_not_what_is_in_doubt() {
        let wrote = r#"{"body":"as it was written","ranges":["1:1-1:2"],"clientCreatedAt":"2026-02-02T10:00:00.250Z"}"#;
        let seen = |op: &str, made: &str| {
            let made = if made.is_empty() { String::new() } else { format!(r#","clientCreatedAt":{made}"#) };
            let seen = format!(r#"{{"body":"another text","ranges":["1:1-1:2"]{made}}}"#);
            sent_and_seen(wrote, op, &seen)
        };
        for op in ["CREATE", "UPDATE"] {
            assert_eq!(seen(op, r#""2026-02-02T10:00:02.000Z""#), Status::Push);
            assert_eq!(seen(op, "1770026402000"), Status::Push);
            assert_eq!(seen(op, r#""2026-02-02T10:00:00.250Z""#), Status::Diverged);
        }
        // Changed since, it may be this one: the same moment, also where the server keeps no milliseconds; or nobody says.
        // Just made, it is another text.
        for made in [r#""2026-02-02T10:00:00Z""#, ""] {
            assert_eq!((seen("UPDATE", made), seen("CREATE", made)), (Status::Diverged, Status::Push));
        }
        let unstamped = |seen| sent_and_seen(r#"{"body":"as it was written"}"#, "CREATE", seen);
        assert_eq!(unstamped(r#"{"body":"x","clientCreatedAt":1}"#), Status::Push);
        assert_eq!(unstamped(r#"{"body":"as it was written (2)","clientCreatedAt":1}"#), Status::Diverged);
    }
}
