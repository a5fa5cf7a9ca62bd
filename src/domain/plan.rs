//! What retrying the sync would do: push, apply, drop, hold, and the loss ledger. Nothing is sent here.

mod names;

use std::collections::{HashMap, HashSet};

use super::field::{FieldPath, Verdict};
use super::identity::{FAVORITES, Facts};
use super::inspect::{Inspection, PairId};
use super::json::Json;
use super::ledger;
use super::mutation::{Cursor, Kind, Millis, Op, Payload, QueueId, ResourceId, Side};
use super::phone::{self, Forecast};
use super::preflight::{self, Rule};
use super::resolution::{Resolution, Unit};
use super::settle::{self, Item, Loss, Outcome, Settled};
use super::window::PullPath;

/// How many mutations a POST may carry (PROTOCOL A3).
pub const MAX_BATCH: usize = 100;

/// The order of a push (PROTOCOL A11, DESIGN §4): what others refer to goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Links that are deleted, before the collections they belong to.
    LinkDeletes,
    /// Bookmarks and collections.
    BookmarksAndCollections,
    /// Links that are created, once their collections have ids.
    Links,
    /// Notes and reading sessions.
    NotesAndSessions,
    /// Kinds that this version does not know.
    Unknown,
    /// Collections that were joined with another: only once their links stand there.
    JoinedCollections,
}

impl Phase {
    /// The phases in order.
    pub const ALL: [Self; 6] = [
        Self::LinkDeletes,
        Self::BookmarksAndCollections,
        Self::Links,
        Self::NotesAndSessions,
        Self::Unknown,
        Self::JoinedCollections,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinkDeletes => "link-deletes",
            Self::BookmarksAndCollections => "bookmarks-and-collections",
            Self::Links => "links",
            Self::NotesAndSessions => "notes-and-sessions",
            Self::Unknown => "unknown-kinds",
            Self::JoinedCollections => "joined-collections",
        }
    }

    /// What it sends, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::LinkDeletes => "links that are removed",
            Self::BookmarksAndCollections => "bookmarks and collections",
            Self::Links => "links that are added",
            Self::NotesAndSessions => "notes and reading sessions",
            Self::Unknown => "kinds that unstick does not know",
            Self::JoinedCollections => "collections that were joined with another",
        }
    }

    /// The phase of a mutation.
    pub const fn of(kind: &Kind, op: Op) -> Self {
        match (kind, op) {
            (Kind::Link, Op::Delete) => Self::LinkDeletes,
            (Kind::Bookmark | Kind::Collection, _) => Self::BookmarksAndCollections,
            (Kind::Link, Op::Create | Op::Update) => Self::Links,
            (Kind::Note | Kind::ReadingSession, _) => Self::NotesAndSessions,
            (Kind::Other(_), _) => Self::Unknown,
        }
    }

    /// The phase of what a plan sends.
    fn of_item(inspection: &Inspection, item: &Item) -> Self {
        let joins = inspection.pair(item.pair).name_contest().is_some();
        match (&item.wire.kind, item.wire.op) {
            (Kind::Collection, Op::Delete) if joins => Self::JoinedCollections,
            (kind, op) => Self::of(kind, op),
        }
    }
}

/// One POST.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Which phase it belongs to.
    pub phase: Phase,
    /// The head it carries; known for the first only, later ones carry what the answer before them gives.
    pub last_mutation_at: Option<Cursor>,
    /// At most [`MAX_BATCH`] mutations.
    pub items: Vec<Item>,
}

/// Queue entries that stay out of the push, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The queue entries.
    pub device: Vec<QueueId>,
    /// Why.
    pub reason: String,
    /// Their pair.
    pub pair: PairId,
}

/// Something that a person should know before the plan is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The pair it is about; `None` where it is about the whole.
    pub pair: Option<PairId>,
    /// The field it is about, where it is about one.
    pub path: Option<FieldPath>,
    /// The documented rule that the server would refuse it by, where there is one.
    pub rule: Option<Rule>,
    /// What to know, without what people wrote.
    pub text: String,
}

/// What retrying the sync would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The POSTs in order.
    pub batches: Vec<Batch>,
    /// Positions in the window of what the device takes over, oldest first.
    pub apply: Vec<usize>,
    /// Queue entries that leave the queue unsent.
    pub drop: Vec<Left>,
    /// Queue entries that stay in the queue.
    pub hold: Vec<Left>,
    /// Fields that wait for a person.
    pub open: Vec<Unit>,
    /// Every changed value that is not in the result.
    pub ledger: Vec<Loss>,
    /// What a person should know before saying yes.
    pub warnings: Vec<Warning>,
    /// The head this plan was made for.
    pub head: Cursor,
    /// Whether the device's cursor may move to the head afterwards: only when nothing is open, every entry of the
    /// window was understood and every kind was visible, since the next pull would not show them again (DESIGN §5).
    pub moves_cursor: bool,
    /// The phone's next sync once this is pushed, where the device is a phone whose own database was read.
    pub recovery: Option<Forecast>,
}

impl Plan {
    /// How many things one side would lose: the lines of the ledger, not each value.
    pub fn lost(&self, side: Side) -> usize {
        ledger::count(&self.ledger, side)
    }

    /// How many things would be lost, of either side.
    pub fn all_lost(&self) -> usize {
        ledger::lines(&self.ledger).len()
    }

    /// How many mutations would be sent.
    pub fn pushed(&self) -> usize {
        self.batches.iter().map(|batch| batch.items.len()).sum()
    }

    /// Every mutation that would be sent, in order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.batches.iter().flat_map(|batch| &batch.items)
    }
}

/// What retrying the sync would do under the choices made. `now` stamps results that a person put together.
pub fn plan(inspection: &Inspection, resolution: &Resolution, now: Millis) -> Plan {
    let mut plan = Plan {
        batches: Vec::new(),
        apply: Vec::new(),
        drop: Vec::new(),
        hold: Vec::new(),
        open: Vec::new(),
        ledger: Vec::new(),
        warnings: Vec::new(),
        head: inspection.window.head,
        moves_cursor: true,
        recovery: None,
    };
    let mut items: Vec<(Phase, Item)> = Vec::new();
    let mut collections: HashMap<PairId, Parent> = HashMap::new();
    let mut links: Vec<(PairId, Outcome)> = Vec::new();
    // What contends with something undecided waits with it: taken over, it would be news no more.
    let waiting: HashSet<PairId> = inspection
        .ids()
        .filter(|(id, pair)| pair.contest().is_some() && !resolution.settles(*id, pair))
        .filter_map(|(_, pair)| pair.contest()?.other)
        .collect();
    let mut outcomes: Vec<(PairId, Outcome)> = Vec::with_capacity(inspection.pairs.len());
    for (id, pair) in inspection.ids() {
        let outcome = if !waiting.contains(&id) {
            settle::settle(inspection, resolution, id, now)
        } else if pair.device.is_empty() {
            Outcome::Settled(Settled::default())
        } else {
            Outcome::Held(String::from("waits for the choice on what stands against it"))
        };
        outcomes.push((id, outcome));
    }
    names::hold_what_has_no_name(inspection, &mut outcomes);
    for (id, outcome) in outcomes {
        match &inspection.pair(id).kind {
            Kind::Collection => {
                collections.insert(id, Parent::of(inspection, id, &outcome));
                plan.take(inspection, id, outcome, &mut items);
            }
            Kind::Link => links.push((id, outcome)),
            Kind::Bookmark | Kind::Note | Kind::ReadingSession | Kind::Other(_) => {
                plan.take(inspection, id, outcome, &mut items);
            }
        }
    }
    for (id, mut outcome) in links {
        if let Outcome::Settled(settled) = &mut outcome {
            let held = settled
                .push
                .iter_mut()
                .find_map(|item| wait_for_parent(inspection, &collections, item).err());
            if let Some(reason) = held {
                outcome = Outcome::Held(reason);
            }
        }
        plan.take(inspection, id, outcome, &mut items);
    }
    plan.apply.sort_unstable();
    let window = &inspection.window;
    let all_seen =
        window.unreadable.is_empty() && window.not_visible.is_empty() && inspection.unidentified.is_empty();
    plan.moves_cursor = plan.open.is_empty() && all_seen;
    plan.warnings = warnings(inspection, items.iter().map(|(_, item)| item));
    let mut items = in_order(inspection, items);
    plan.warnings.extend(names::free_first(inspection, &mut items));
    plan.batches = batches(items, inspection.window.head);
    let phone = inspection.device.phone.as_deref();
    // What the server wrote before the window is not known here.
    let phone = phone.filter(|phone| phone.sync.cursor.unwrap_or(Cursor::ZERO) == inspection.window.since);
    plan.recovery = phone.map(|phone| Forecast::after(phone, inspection, &plan));
    let stays = plan.recovery.as_ref().filter(|forecast| forecast.verdict != phone::Verdict::ByItself);
    if let Some(forecast) = stays {
        let text = forecast.told().join(" ");
        plan.warnings.insert(0, Warning { pair: None, path: None, rule: None, text });
    }
    plan
}

/// What might surprise a person about sending `items`.
fn warnings<'a>(inspection: &Inspection, items: impl Iterator<Item = &'a Item> + Clone) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if inspection.window.path == PullPath::CursorAhead {
        let text = "this server never gave the device's cursor: make sure that it is the right server and the right account before anything is sent";
        warnings.push(Warning { pair: None, path: None, rule: None, text: text.to_owned() });
    }
    warnings.extend(look_alikes(inspection, items.clone()));
    let mut notes: HashMap<[Option<String>; 2], &QueueId> = HashMap::new();
    for item in items {
        let wire = &item.wire;
        warnings.extend(preflight::of_wire(wire).into_iter().map(|problem| Warning {
            pair: Some(item.pair),
            path: Some(problem.path),
            rule: Some(problem.rule),
            text: format!("the server will refuse it: {}", problem.what),
        }));
        let mut warn = |path: Option<FieldPath>, text: String| {
            warnings.push(Warning { pair: Some(item.pair), path, rule: None, text });
        };
        let Some(first) = item.members.first() else { continue };
        if wire.kind == Kind::Note && wire.op == Op::Create {
            // Two identical notes cannot be told apart when an answer is lost (PROTOCOL D23).
            let members = wire.data.members();
            let content = ["body", "ranges"].map(|name| members.get(name).map(Json::to_text));
            if let Some(twin) = notes.insert(content, first) {
                warn(None, format!("queue entries {twin} and {first} are the same note; both will be made"));
            }
        }
        if wire.kind == Kind::Note && wire.op == Op::Update {
            let details = inspection.details(inspection.pair(item.pair));
            let ranges_path = FieldPath::from_text("/ranges");
            let ranges = details.field(&ranges_path);
            if ranges.is_some_and(|field| field.verdict != Verdict::Equal) {
                // PROTOCOL D13.
                warn(
                    Some(ranges_path),
                    String::from("a server may ignore new ranges of a note; unstick looks afterwards"),
                );
            }
        }
    }
    warnings
}

/// Names that are sent and look like others, and those others.
fn look_alikes<'a>(
    inspection: &Inspection,
    items: impl Iterator<Item = &'a Item>,
) -> impl Iterator<Item = Warning> {
    let sent: HashSet<PairId> = items
        .filter(|item| item.wire.kind == Kind::Collection && item.wire.op != Op::Delete)
        .map(|item| item.pair)
        .collect();
    let found = inspection.look_alikes.iter();
    let told = found.filter(move |found| {
        sent.contains(&found.pair) || found.other.is_some_and(|other| sent.contains(&other))
    });
    told.map(|found| Warning {
        pair: Some(found.pair),
        path: Some(FieldPath::name()),
        rule: None,
        text: found.words(),
    })
}

impl Plan {
    fn take(
        &mut self,
        inspection: &Inspection,
        id: PairId,
        outcome: Outcome,
        items: &mut Vec<(Phase, Item)>,
    ) {
        let pair = inspection.pair(id);
        let all = || inspection.queued(pair).map(|m| m.id.clone()).collect::<Vec<_>>();
        match outcome {
            Outcome::Open(paths) => {
                if !pair.device.is_empty() {
                    self.hold.push(Left {
                        device: all(),
                        reason: String::from("waits for a choice"),
                        pair: id,
                    });
                }
                self.open.extend(paths.into_iter().map(|path| Unit { pair: id, path }));
            }
            Outcome::Held(reason) => self.hold.push(Left { device: all(), reason, pair: id }),
            Outcome::Settled(settled) => {
                items.extend(settled.push.into_iter().map(|item| (Phase::of_item(inspection, &item), item)));
                self.apply.extend(settled.apply);
                if let Some((device, reason)) = settled.drop {
                    self.drop.push(Left { device, reason: reason.to_owned(), pair: id });
                }
                self.ledger.extend(settled.losses);
            }
        }
    }
}

/// What becomes of a collection that links refer to.
enum Parent {
    /// It is there, or will stay there.
    Stands,
    /// It is made by this push; links wait for its id under this name.
    Made(String),
    /// It becomes one with another, where its links go.
    Joined(ResourceId),
    /// Its own fate is open, or it cannot be sent.
    Waits,
    /// It is deleted.
    Gone,
}

impl Parent {
    fn of(inspection: &Inspection, id: PairId, outcome: &Outcome) -> Self {
        let pair = inspection.pair(id);
        let Outcome::Settled(settled) = outcome else { return Self::Waits };
        match settled.push.last() {
            Some(item) if item.wire.op == Op::Create => {
                item.names.first().map_or(Self::Stands, |name| Self::Made(name.clone()))
            }
            Some(item) if Phase::of_item(inspection, item) == Phase::JoinedCollections => {
                let into = pair.name_contest().and_then(|rival| rival.id.clone());
                into.map_or(Self::Gone, Self::Joined)
            }
            Some(item) if item.wire.op == Op::Delete => Self::Gone,
            Some(_) => Self::Stands,
            None => {
                if let Some(id) = inspection.became(pair).filter(|_| pair.twin.is_some()) {
                    return Self::Joined(id);
                }
                let deleted = inspection.primary(pair).is_some_and(|m| m.op == Op::Delete);
                // What has an id on the server is there, whatever is given up.
                let nothing_left = inspection.servers_id(pair).is_none() && settled.drop.is_some();
                if deleted || nothing_left { Self::Gone } else { Self::Stands }
            }
        }
    }
}

/// What becomes of a link under the choices made on its collection: why it has to stay in the queue, where it has to.
/// `None` for what is no link, and for a link that the device does not make.
pub fn waits_for_parent(
    inspection: &Inspection,
    resolution: &Resolution,
    id: PairId,
) -> Option<Result<(), String>> {
    let pair = inspection.pair(id);
    let creates = pair.shape.device.is_some_and(|op| op != Op::Delete);
    if pair.kind != Kind::Link || !creates {
        return None;
    }
    let now = Millis(0);
    let Outcome::Settled(mut settled) = settle::settle(inspection, resolution, id, now) else { return None };
    let mut collections = HashMap::new();
    for item in &settled.push {
        let named = Facts::of(&Kind::Link, &item.wire.data, false).collection;
        if let Some(parent) = named.and_then(|name| inspection.collection(&name)) {
            let outcome = settle::settle(inspection, resolution, parent, now);
            collections.insert(parent, Parent::of(inspection, parent, &outcome));
        }
    }
    let mut items = settled.push.iter_mut();
    Some(items.try_for_each(|item| wait_for_parent(inspection, &collections, item)))
}

/// Says under which name a link's collection must be awaited, or why the link has to stay.
fn wait_for_parent(
    inspection: &Inspection,
    collections: &HashMap<PairId, Parent>,
    item: &mut Item,
) -> Result<(), String> {
    if item.wire.op == Op::Delete {
        return Ok(());
    }
    let Some(collection) = Facts::of(&Kind::Link, &item.wire.data, false).collection else { return Ok(()) };
    if &*collection == FAVORITES {
        return Ok(());
    }
    match inspection.collection(&collection).and_then(|id| collections.get(&id)) {
        None | Some(Parent::Stands) => Ok(()),
        Some(Parent::Made(name)) => {
            item.parent = Some(name.clone());
            Ok(())
        }
        Some(Parent::Joined(id)) => {
            let mut data = item.wire.data.members();
            data.insert(String::from("collectionId"), Json::string(id.as_str()));
            item.wire.data = Payload::from_members(&data);
            Ok(())
        }
        Some(Parent::Waits) => Err(String::from("waits for its collection, whose fate is open")),
        Some(Parent::Gone) => {
            Err(String::from("its collection is deleted; drop it or bring the collection back"))
        }
    }
}

/// Phases in order. Of the bookmarks that one comes last which the device wants to be the reading place: the last
/// to be sent is it (PROTOCOL D22).
fn in_order(inspection: &Inspection, mut items: Vec<(Phase, Item)>) -> Vec<(Phase, Item)> {
    let rank = |item: &Item| match item.wire.kind {
        Kind::Bookmark if inspection.reading_place() == Some(item.pair) => 1,
        Kind::Bookmark | Kind::Note => 0,
        Kind::Collection | Kind::ReadingSession | Kind::Link | Kind::Other(_) => 2,
    };
    items.sort_by_key(|(phase, item)| (*phase, rank(item)));
    items
}

/// Each phase cut into POSTs of at most [`MAX_BATCH`].
fn batches(items: Vec<(Phase, Item)>, head: Cursor) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for (phase, item) in items {
        match batches.last_mut() {
            Some(batch) if batch.phase == phase && batch.items.len() < MAX_BATCH => batch.items.push(item),
            _ => {
                let last_mutation_at = batches.is_empty().then_some(head);
                batches.push(Batch { phase, last_mutation_at, items: vec![item] });
            }
        }
    }
    batches
}

/// How many mutations the phone itself would put into one POST of each phase: it does not cut (PROTOCOL D8).
pub fn phase_sizes(inspection: &Inspection) -> Vec<(Phase, usize)> {
    let mut sizes: Vec<(Phase, usize)> = Phase::ALL.map(|phase| (phase, 0)).to_vec();
    for pair in &inspection.pairs {
        for intent in inspection.squashed(pair).intents {
            let phase = Phase::of(&pair.kind, intent.op);
            if let Some((_, count)) = sizes.iter_mut().find(|(p, _)| *p == phase) {
                *count += 1;
            }
        }
    }
    sizes
}
