//! Two resources that cannot both stand as the two sides want them: one name for two collections, one reading place
//! for two bookmarks. Found across the pairs once each is judged; decided on the device's pair.

use std::collections::{HashMap, HashSet};

use super::{Inspection, Pair, PairId, Status};
use crate::domain::device::SyncStatus;
use crate::domain::field::{Against, Base, Choice, Contest, Field, FieldPath, FieldShape, Verdict};
use crate::domain::identity::{self, Facts, Place};
use crate::domain::json::Json;
use crate::domain::lookalike::{self, Likeness};
use crate::domain::mutation::{Kind, Op, Payload, QueueId, ResourceId, ServerMutation};
use crate::domain::squash::Intent;

/// The other resource of a contest.
#[derive(Clone, Debug)]
pub struct Rival {
    /// What the two contend for.
    pub contest: Contest,
    /// Whether it is decided on the pair that has this, which is the device's. The other's points back to it.
    pub decides: bool,
    /// The other's pair; `None` where only the device's row tells of it.
    pub other: Option<PairId>,
    /// The other's key.
    pub key: String,
    /// The other's id on the server.
    pub id: Option<ResourceId>,
    /// The other's mutation, as a position in the window.
    pub at: Option<usize>,
    /// The field that they contend for.
    pub path: FieldPath,
    /// The question what the server's collection is to be called where the device's keeps the name.
    pub other_name: FieldPath,
    /// What the server's resource has: the name, or that it is the reading place.
    pub holds: Json,
    /// What tells a person what it has: the name, or the reading place's place.
    pub shown: Json,
    /// What the server's collection was called before, where that is recorded and free.
    pub earlier: Option<Json>,
    /// Why the two cannot be made one.
    pub apart: Option<&'static str>,
}

/// A collection as the server has it.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Its mutation, as a position in the window; `None` where the device's row tells of it.
    pub at: Option<usize>,
    /// Whether only a queue entry of the collection's own recorded the name, which goes with the entry.
    pub recorded: bool,
}

/// A collection whose name looks like that of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookAlike {
    /// The collection.
    pub pair: PairId,
    /// The other's pair; `None` where only the device's row tells of it.
    pub other: Option<PairId>,
    /// The other's key.
    pub key: String,
    /// In what the two names differ.
    pub likeness: Likeness,
}

impl LookAlike {
    /// What to know, without the names.
    pub fn words(&self) -> String {
        let key = self.key.split_once(':').map_or(self.key.as_str(), |(_, id)| id);
        format!(
            "its name looks like that of another collection, {key}: the two differ only in {}",
            self.likeness.words()
        )
    }
}

/// A link of a collection as the server has it, or is about to have it.
#[derive(Clone, Debug)]
pub struct Linked {
    /// Its id.
    pub id: ResourceId,
    /// The members by which it is made again under another collection; `None` where its place is not known.
    pub place: Option<Payload>,
}

impl Pair {
    /// The contest that is decided on this pair.
    pub fn contest(&self) -> Option<&Rival> {
        self.rival.as_deref().filter(|rival| rival.decides)
    }

    /// Whether a field of this pair is what a contest is about.
    pub fn contends_for(&self, path: &FieldPath) -> bool {
        let asks = |rival: &Rival| rival.contest == Contest::NameTaken && rival.other_name == *path;
        self.contest().is_some_and(|rival| rival.path == *path || asks(rival))
    }

    /// The contest for a name that is decided on this pair.
    pub fn name_contest(&self) -> Option<&Rival> {
        self.contest().filter(|rival| rival.contest == Contest::NameTaken)
    }
}

impl Rival {
    /// What stands against each other, in a sentence. Raw text; whoever shows it makes it safe first.
    pub fn words(&self) -> String {
        let key = self.key.split_once(':').map_or(self.key.as_str(), |(_, id)| id);
        match (self.contest, self.decides) {
            (Contest::NameTaken, true) => {
                format!("The server has another collection of this name, {key}: two cannot both keep it")
            }
            (Contest::NameTaken, false) => {
                format!("The device gives this name to another collection, {key}; it is decided there")
            }
            (Contest::ReadingPlace, true) => {
                let place = self.shown.as_str().unwrap_or(key);
                format!("The server's reading place is {place} ({key}): there is only one")
            }
            (Contest::ReadingPlace, false) => {
                format!("The device sets another reading place, {key}; it is decided there")
            }
        }
    }

    /// What a choice on one of its fields comes to; `None` where the choice says it itself.
    pub fn meaning(&self, path: &FieldPath, choice: &Choice) -> Option<&'static str> {
        let asks_other = self.contest == Contest::NameTaken && self.other_name == *path;
        if *path != self.path && !asks_other {
            return None;
        }
        Some(match (self.contest, asks_other, choice) {
            (Contest::ReadingPlace, _, Choice::Device) => "the device's place is the reading place",
            (Contest::ReadingPlace, _, Choice::Server) => "the server's stays the reading place",
            (Contest::ReadingPlace, _, Choice::Both | Choice::Edited(_)) => return None,
            (Contest::NameTaken, true, Choice::Device) => {
                "the server's collection gets its earlier name back"
            }
            (Contest::NameTaken, true, Choice::Server) => "the server's collection keeps the name",
            (Contest::NameTaken, true, Choice::Edited(_)) => "the server's collection gets another name",
            (Contest::NameTaken, true, Choice::Both) => return None,
            (Contest::NameTaken, false, Choice::Device) => "the device's collection gets the name",
            (Contest::NameTaken, false, Choice::Server) => "the rename is given up",
            (Contest::NameTaken, false, Choice::Edited(_)) => "the device's collection gets another name",
            (Contest::NameTaken, false, Choice::Both) => "the two become one, with the links of both",
        })
    }

    /// The fields of the pair, with what stands against the contested one and what else is asked.
    pub(super) fn complete(&self, fields: &mut Vec<Field>) {
        let Some(at) = fields.iter().position(|field| field.path == self.path) else { return };
        fields[at].verdict = Verdict::Conflict;
        fields[at].against = Some(Box::new(Against {
            contest: self.contest,
            key: self.key.clone(),
            holds: self.shown.clone(),
            apart: self.apart,
        }));
        match self.contest {
            Contest::ReadingPlace => {}
            Contest::NameTaken => fields.insert(
                at + 1,
                Field {
                    path: self.other_name.clone(),
                    shape: FieldShape::Plain,
                    verdict: Verdict::ServerOnly,
                    base: self.earlier.clone().map_or(Base::Absent, Base::Recorded),
                    device: None,
                    server: Some(self.holds.clone()),
                    against: None,
                },
            ),
        }
    }
}

/// Which bookmark the device's queue leaves as the reading place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    /// Whether any queue entry sets one.
    set: bool,
    /// Where the queue ends.
    last: Option<PairId>,
}

impl Inspection {
    /// Goes through the queue: each reading place replaces the one before.
    pub(super) fn reading_of_queue(&self) -> Reading {
        let mut reading = Reading::default();
        for (position, entry) in self.device.queue.iter().enumerate() {
            if entry.kind != Kind::Bookmark {
                continue;
            }
            let pair = self.of_queue[position];
            match (entry.op, reading_flag(&entry.data)) {
                (Op::Create | Op::Update, Some(true)) => reading = Reading { set: true, last: Some(pair) },
                (Op::Delete, _) | (_, Some(false)) if reading.last == Some(pair) => reading.last = None,
                (Op::Create | Op::Update | Op::Delete, _) => {}
            }
        }
        reading
    }

    /// A reading place that the device itself has replaced since is none.
    pub(super) fn without_replaced_reading(&self, pair: &Pair, intents: &mut [Intent]) {
        let replaced = pair.device.first().is_some_and(|first| self.replaces_reading(*first));
        for intent in intents.iter_mut().filter(|intent| replaced && intent.op != Op::Delete) {
            if let Some(data) = self.replaced_reading(&intent.data) {
                intent.data = data;
            }
        }
    }

    /// Whether the queue sets another reading place than the one that this entry may set, or none.
    fn replaces_reading(&self, position: usize) -> bool {
        let bookmark = self.device.queue[position].kind == Kind::Bookmark;
        self.reading.set && bookmark && self.reading.last != Some(self.of_queue[position])
    }

    /// `data` without the reading place that it sets; `None` where it sets none.
    fn replaced_reading(&self, data: &Payload) -> Option<Payload> {
        if reading_flag(data) != Some(true) {
            return None;
        }
        let mut members = data.members();
        match self.reading.last {
            // The one that comes last takes it from this.
            Some(_) => members.shift_remove("isReading"),
            None => members.insert(String::from("isReading"), Json::Bool(false)),
        };
        Some(Payload::from_members(&members))
    }

    /// The queue entries that set a reading place which the queue itself replaces, with what is left of them.
    pub(crate) fn replaced_readings(&self) -> Vec<(QueueId, Payload)> {
        if !self.reading.set {
            return Vec::new();
        }
        let queue = self.device.queue.iter().enumerate();
        // Where a later entry of the same bookmark speaks of it, that one counts.
        let last_word = |position: usize| {
            let pair = self.pair(self.of_queue[position]);
            let speaks = |at: &&usize| reading_flag(&self.device.queue[**at].data).is_some();
            pair.device.iter().rfind(speaks) == Some(&position)
        };
        let replaced = queue.filter(|(position, _)| self.replaces_reading(*position) && last_word(*position));
        replaced
            .filter_map(|(_, entry)| Some((entry.id.clone(), self.replaced_reading(&entry.data)?)))
            .collect()
    }

    /// The pair whose bookmark the device's queue leaves as the reading place.
    pub const fn reading_place(&self) -> Option<PairId> {
        self.reading.last
    }

    /// Whether the reading place is, or is about to be, another bookmark than this pair's.
    pub(crate) fn reads_elsewhere(&self, id: PairId) -> bool {
        self.reading.set && self.reading.last != Some(id)
            || self.server_reading().is_some_and(|at| !self.pair(id).server.contains(&at))
    }

    /// The bookmark that the server has as the reading place since the cursor, as a position in the window.
    fn server_reading(&self) -> Option<usize> {
        let window = self.window.mutations.iter().enumerate();
        let reads = window.filter(|(_, m)| {
            m.kind == Kind::Bookmark && m.op != Op::Delete && reading_flag(&m.data) == Some(true)
        });
        reads.max_by_key(|(_, m)| (m.timestamp, m.resource_id.clone())).map(|(at, _)| at)
    }

    /// Finds what cannot stand beside each other, and opens it.
    pub(super) fn find_rivals(&mut self) {
        let mut found: Vec<(PairId, Rival)> = Vec::new();
        found.extend(self.reading_rival());
        found.extend(self.name_rivals());
        for (id, rival) in found {
            let pair = &mut self.pairs[id.index()];
            pair.status = Status::Diverged;
            if !pair.open.contains(&rival.path) {
                pair.open.push(rival.path.clone());
            }
            let key = pair.key.clone();
            let (first, at) = (pair.device.first().copied(), rival.at);
            if let Some(other) = rival.other {
                let back = Rival { decides: false, other: Some(id), key, id: None, at, ..rival.clone() };
                self.pairs[other.index()].rival.get_or_insert_with(|| Box::new(back));
            }
            debug_assert!(first.is_some(), "the device's pair decides");
            self.pairs[id.index()].rival = Some(Box::new(rival));
        }
    }

    fn contends(&self, pair: &Pair, path: &FieldPath) -> bool {
        let verdict = || self.details(pair).field(path).map(|field| field.verdict);
        let sets = match pair.status {
            Status::Push | Status::Diverged | Status::Converged => true,
            Status::Apply | Status::Blocked => false,
        };
        sets && match verdict() {
            Some(Verdict::DeviceOnly | Verdict::Conflict) => true,
            // Of what only the device speaks all is sent, changed or not.
            Some(Verdict::Equal) => pair.server.is_empty(),
            Some(Verdict::ServerOnly | Verdict::SameChange) | None => false,
        }
    }

    fn reading_rival(&self) -> Option<(PairId, Rival)> {
        let id = self.reading.last?;
        let pair = self.pair(id);
        let at = self.server_reading().filter(|at| !pair.server.contains(at))?;
        let (other, rival) = self.pair_of_window(at)?;
        let mutation = &self.window.mutations[at];
        let came_back = |(at, position): (usize, &usize)| {
            let entry = &self.device.queue[*position];
            let done = at < rival.done || same_stamp(&entry.data, &mutation.data);
            done && reading_flag(&entry.data) == Some(true)
        };
        let echo = rival.echo && !rival.device.is_empty();
        let own = echo || rival.device.iter().enumerate().any(came_back);
        let known = mutation.resource_id.as_ref().and_then(|id| self.known(&Kind::Bookmark, id));
        let known = known.filter(|row| row.status == SyncStatus::Synced);
        // The device moved on from what it knew; what a push took over meanwhile is news all the same.
        let before = known.filter(|row| row.server_timestamp.is_none_or(|at| at <= mutation.timestamp));
        let was_so = before.is_some_and(|row| reading_flag(&row.data) == Some(true));
        if own || was_so || !self.contends(pair, &FieldPath::reading()) {
            return None;
        }
        let place = Facts::of(&Kind::Bookmark, &mutation.data, false).place;
        let place = place.or_else(|| Facts::of(&Kind::Bookmark, &known?.data, false).place);
        let shown = place.map_or(Json::Null, |place| Json::string(place.to_string()));
        let contest = Contest::ReadingPlace;
        let path = FieldPath::reading();
        let found = Rival { shown, ..self.rival(contest, Some(other), Some(at), path, Json::Bool(true)) };
        Some((id, found))
    }

    fn rival(
        &self,
        contest: Contest,
        other: Option<PairId>,
        at: Option<usize>,
        path: FieldPath,
        holds: Json,
    ) -> Rival {
        Rival {
            contest,
            decides: true,
            other,
            key: other.map(|id| self.pair(id).key.clone()).unwrap_or_default(),
            id: at.and_then(|at| self.window.mutations[at].resource_id.clone()),
            at,
            path,
            other_name: FieldPath::other_name(),
            shown: holds.clone(),
            holds,
            earlier: None,
            apart: Some("only two collections can be made one"),
        }
    }

    fn name_rivals(&self) -> Vec<(PairId, Rival)> {
        if self.window.not_visible.contains(&Kind::Collection) {
            return Vec::new();
        }
        let wants: Vec<(PairId, ResourceId, String)> = self
            .ids()
            .filter(|(_, pair)| pair.kind == Kind::Collection && !pair.device.is_empty())
            .filter_map(|(id, pair)| Some((id, self.servers_id(pair)?, self.name_wanted(pair)?)))
            .collect();
        if wants.is_empty() {
            return Vec::new();
        }
        let named = self.names_on_server();
        let mut by_name: HashMap<&str, Vec<&Named>> = HashMap::new();
        for collection in named.iter().filter(|named| !named.recorded) {
            by_name.entry(&collection.name).or_default().push(collection);
        }
        let of_id: HashMap<&ResourceId, &str> =
            wants.iter().map(|(_, id, name)| (id, name.as_str())).collect();
        let deleted: HashSet<ResourceId> = self
            .ids()
            .filter(|(_, pair)| pair.kind == Kind::Collection && pair.shape.device == Some(Op::Delete))
            .flat_map(|(_, pair)| self.queued(pair).filter_map(|m| m.resource_id.clone()).collect::<Vec<_>>())
            .collect();
        let mut found = Vec::new();
        for (pair, id, name) in &wants {
            let holders = by_name.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
            // Whoever the device itself renames or deletes gives the name up first.
            let stays = |other: &&&Named| {
                let renamed = of_id.get(&other.id).is_some_and(|wanted| *wanted != name);
                other.id != *id && !renamed && !deleted.contains(&other.id)
            };
            let first = |holder: &&&Named| (holder.at.is_none(), holder.id.clone());
            let Some(holder) = holders.iter().filter(stays).min_by_key(first) else { continue };
            if self.pair(*pair).open.iter().any(FieldPath::is_existence)
                || !self.contends(self.pair(*pair), &FieldPath::name())
            {
                continue;
            }
            let other = holder.at.and_then(|at| self.pair_of_window(at)).map(|(other, _)| other);
            let holds = Json::string(name.as_str());
            let rival = self.rival(Contest::NameTaken, other, holder.at, FieldPath::name(), holds);
            let key = if rival.key.is_empty() { format!("id:{}", holder.id) } else { rival.key.clone() };
            let earlier = self.earlier_name(&holder.id).filter(|earlier| {
                earlier != name
                    && !by_name.contains_key(earlier.as_str())
                    && !wants.iter().any(|(_, _, wanted)| wanted == earlier)
            });
            let apart = self.joinable(self.pair(*pair), id).err();
            let earlier = earlier.map(Json::string);
            found.push((*pair, Rival { key, id: Some(holder.id.clone()), earlier, apart, ..rival }));
        }
        found
    }

    /// Names that the device gives and that look like others: a caution on both.
    pub(super) fn find_look_alikes(&self) -> Vec<LookAlike> {
        let given: Vec<(PairId, String)> = self
            .ids()
            .filter(|(_, pair)| pair.kind == Kind::Collection && !pair.device.is_empty())
            .filter(|(_, pair)| pair.status != Status::Converged)
            .filter_map(|(id, pair)| {
                let last = self.squashed(pair).intents.pop().filter(|last| last.op != Op::Delete)?;
                Some((id, Facts::of(&Kind::Collection, &last.data, false).name?.into_owned()))
            })
            .collect();
        if given.is_empty() {
            return Vec::new();
        }
        // A name that the device changes or takes away is no name to be mistaken for.
        let of_device: HashSet<PairId> = given.iter().map(|(id, _)| *id).collect();
        let renamed: HashSet<ResourceId> = self
            .ids()
            .filter(|(_, pair)| pair.kind == Kind::Collection && !pair.device.is_empty())
            .filter(|(id, pair)| pair.shape.device == Some(Op::Delete) || of_device.contains(id))
            .filter_map(|(_, pair)| self.servers_id(pair))
            .collect();
        let mut bearers: HashMap<String, Vec<(Option<PairId>, String, String)>> = HashMap::new();
        for (id, name) in &given {
            let key = self.pair(*id).key.clone();
            bearers.entry(lookalike::skeleton(name)).or_default().push((Some(*id), key, name.clone()));
        }
        for named in self.names_on_server().into_iter().filter(|named| !renamed.contains(&named.id)) {
            let pair = named.at.and_then(|at| self.pair_of_window(at)).map(|(id, _)| id);
            let key = pair.map_or_else(|| format!("id:{}", named.id), |id| self.pair(id).key.clone());
            bearers.entry(lookalike::skeleton(&named.name)).or_default().push((pair, key, named.name));
        }
        let mut found = Vec::new();
        for (id, name) in &given {
            let alike = bearers.get(&lookalike::skeleton(name)).map(Vec::as_slice).unwrap_or_default();
            for (other, key, named) in alike.iter().filter(|(other, ..)| *other != Some(*id)) {
                let Some(likeness) = lookalike::likeness(name, named) else { continue };
                found.push(LookAlike { pair: *id, other: *other, key: key.clone(), likeness });
                if let Some(other) = other.filter(|other| !of_device.contains(other)) {
                    let key = self.pair(*id).key.clone();
                    found.push(LookAlike { pair: other, other: Some(*id), key, likeness });
                }
            }
        }
        found
    }

    /// The look-alikes of a pair's name.
    pub fn look_alikes_of(&self, id: PairId) -> impl Iterator<Item = &LookAlike> {
        self.look_alikes.iter().filter(move |found| found.pair == id)
    }

    /// Every living collection of the server's that is known here, as the window and below it the synced rows name it.
    pub fn names_on_server(&self) -> Vec<Named> {
        let mut told: HashSet<&ResourceId> = HashSet::new();
        let mut named = Vec::new();
        let window = self.window.mutations.iter().enumerate().rev();
        for (at, mutation) in window.filter(|(_, m)| m.kind == Kind::Collection) {
            let Some(id) = mutation.resource_id.as_ref() else { continue };
            let name = Facts::of(&Kind::Collection, &mutation.data, false).name;
            if mutation.op == Op::Delete {
                told.insert(id);
            } else if let Some(name) = name
                && told.insert(id)
            {
                named.push(Named { id: id.clone(), name: name.into_owned(), at: Some(at), recorded: false });
            }
        }
        for row in self.device.known.iter().flatten() {
            if row.kind == Kind::Collection
                && row.status == SyncStatus::Synced
                && let Some(name) = Facts::of(&Kind::Collection, &row.data, false).name
                && told.insert(&row.id)
            {
                named.push(Named { id: row.id.clone(), name: name.into_owned(), at: None, recorded: false });
            }
        }
        // What the device has changed, as it was before.
        for (_, pair) in
            self.ids().filter(|(_, pair)| pair.kind == Kind::Collection && !pair.device.is_empty())
        {
            let Some(id) = self.queued(pair).find_map(|m| m.resource_id.as_ref()) else { continue };
            let base = self.base(pair);
            if let Some(name) = base.get("name").and_then(Json::as_str)
                && told.insert(id)
            {
                named.push(Named { id: id.clone(), name: name.to_owned(), at: None, recorded: true });
            }
        }
        named
    }

    /// The id by which the server knows a pair's resource; the queue id of a creation is none.
    pub fn servers_id(&self, pair: &Pair) -> Option<ResourceId> {
        let own = |id: &ResourceId| {
            self.queued(pair).any(|m| m.id.as_str() == id.as_str() && m.resource_id.is_none())
        };
        let queued = self.queued(pair).filter_map(|m| m.resource_id.as_ref()).find(|id| !own(id));
        let served = || self.served(pair).filter_map(|m| m.resource_id.as_ref()).next_back();
        queued.or_else(served).cloned()
    }

    /// The name that the device gives a collection at the end of its queue.
    fn name_wanted(&self, pair: &Pair) -> Option<String> {
        let squashed = self.squashed(pair);
        let last = squashed.intents.last().filter(|last| last.op != Op::Delete)?;
        // A collection that is made anew after a deletion gets its id from the server, which knows it by its name.
        (squashed.intents.len() == 1).then_some(())?;
        let name = Facts::of(&Kind::Collection, &last.data, false).name?;
        (!name.is_empty()).then(|| name.into_owned())
    }

    fn earlier_name(&self, id: &ResourceId) -> Option<String> {
        let row = self.known(&Kind::Collection, id).filter(|row| row.status == SyncStatus::Synced)?;
        Some(Facts::of(&Kind::Collection, &row.data, false).name?.into_owned())
            .filter(|name| !name.is_empty())
    }

    fn pair_of_window(&self, at: usize) -> Option<(PairId, &Pair)> {
        let id = (*self.of_window.get(at)?)?;
        Some((id, self.pair(id)))
    }

    /// Whether a collection can go and all its links can be made again under another.
    fn joinable(&self, pair: &Pair, id: &ResourceId) -> Result<(), &'static str> {
        if self.device.known.is_none() {
            return Err(
                "the file lists no resources, so that it is not known which links would have to move",
            );
        }
        let row = self.known(&Kind::Collection, id).map(|row| &row.data);
        let served = self.served(pair).map(|m| &m.data);
        let queued = self.queued(pair).map(|m| &m.data);
        let own = |data: &Payload| {
            let members = data.members();
            ["isDefault", "isSystem"].iter().any(|name| members.get(*name) == Some(&Json::Bool(true)))
        };
        if row.into_iter().chain(served).chain(queued).any(own) {
            return Err("a collection of the system cannot be given up");
        }
        let whole = self.links_of(id).iter().all(|link| link.place.is_some());
        if whole {
            Ok(())
        } else {
            Err("the place of one of its links is not known, so that it could not move")
        }
    }

    /// The links that a collection has on the server: the device's rows and the window, without what either side
    /// deletes.
    pub fn links_of(&self, collection: &ResourceId) -> Vec<Linked> {
        let mut links: Vec<(ResourceId, &Payload)> = Vec::new();
        let mut gone: Vec<ResourceId> = Vec::new();
        for mutation in self.window.mutations.iter().filter(|m| m.kind == Kind::Link) {
            let Some(id) = identity::id_of(mutation).filter(|_| is_in(mutation, collection)) else {
                continue;
            };
            if mutation.op == Op::Delete { gone.push(id) } else { links.push((id, &mutation.data)) }
        }
        for entry in self.device.queue.iter().filter(|m| m.kind == Kind::Link && m.op == Op::Delete) {
            let id = entry.resource_id.clone();
            gone.extend(id.or_else(|| identity::link_id(&entry.data).map(ResourceId::from)));
        }
        let prefix = format!("{collection}-");
        for row in self.device.known.iter().flatten().filter(|row| row.kind == Kind::Link) {
            let named = Facts::of(&Kind::Link, &row.data, false).collection;
            let is_in =
                named.map_or_else(|| row.id.as_str().starts_with(&prefix), |id| *id == *collection.as_str());
            let pending = row.status == SyncStatus::PendingCreate;
            if is_in && !pending && !links.iter().any(|(id, _)| *id == row.id) {
                links.push((row.id.clone(), &row.data));
            }
        }
        links.retain(|(id, _)| !gone.contains(id));
        links
            .into_iter()
            .map(|(id, data)| Linked { place: self.link_place(&id, data, &prefix), id })
            .collect()
    }

    /// The members of a link that say where it is.
    fn link_place(&self, id: &ResourceId, data: &Payload, prefix: &str) -> Option<Payload> {
        let facts = Facts::of(&Kind::Link, data, false);
        let members = if facts.place.is_some() {
            data.members()
        } else {
            let bookmark = facts.bookmark.as_deref().or_else(|| id.as_str().strip_prefix(prefix))?;
            let bookmark = ResourceId::from(bookmark);
            let served =
                self.window.mutations.iter().filter(|m| m.kind == Kind::Bookmark && m.op != Op::Delete);
            let mut served = served.filter(|m| m.resource_id.as_ref() == Some(&bookmark)).map(|m| &m.data);
            let row = || self.known(&Kind::Bookmark, &bookmark).map(|row| &row.data);
            let data = served.next_back().or_else(row)?;
            Facts::of(&Kind::Bookmark, data, false).place?;
            data.members()
        };
        let mut place = indexmap::IndexMap::new();
        let page = matches!(
            Facts::of(&Kind::Link, &Payload::from_members(&members), false).place,
            Some(Place::Page(_))
        );
        let word = if page { "page" } else { "ayah" };
        place.insert(String::from("type"), Json::string(word));
        for name in ["key", "verseNumber", "mushaf"] {
            if let Some(value) = members.get(name) {
                place.insert(name.to_owned(), value.clone());
            }
        }
        Some(Payload::from_members(&place))
    }
}

fn is_in(link: &ServerMutation, collection: &ResourceId) -> bool {
    Facts::of(&Kind::Link, &link.data, false).collection.is_some_and(|id| *id == *collection.as_str())
}

/// What `data` says of the reading place; `None` where it leaves it alone.
pub(crate) fn reading_flag(data: &Payload) -> Option<bool> {
    let text = data.as_str()?;
    // Most bookmarks say nothing of it; an escaped name is read as any other.
    if !text.contains("isReading") && !text.contains('\\') {
        return None;
    }
    match data.members().get("isReading")? {
        Json::Bool(flag) => Some(*flag),
        Json::Null => Some(false),
        Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) | Json::Opaque(_) => None,
    }
}

fn same_stamp(one: &Payload, other: &Payload) -> bool {
    use crate::domain::mutation::Millis;
    let stamp = |data: &Payload| data.members().get("clientUpdatedAt").and_then(Millis::from_json);
    stamp(one).is_some_and(|own| stamp(other) == Some(own))
}

#[cfg(test)]
mod tests;
