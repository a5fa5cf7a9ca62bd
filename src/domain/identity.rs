//! Which mutations speak of the same resource (PROTOCOL A8): by the server's id, by place, by name, or as the
//! replay of a creation whose answer the device never got.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::device::{Device, Known, SyncStatus};
use super::json::{Json, string};
use super::mutation::{Kind, Millis, Op, Payload, Queued, ResourceId, ServerMutation};
use super::window::Window;

/// The id that always means Favorites, whatever the collection's real id is (PROTOCOL D5).
pub const FAVORITES: &str = "__default__";

/// Everything both sides say about one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The kind of all its mutations.
    pub kind: Kind,
    /// Positions in the device's queue, in order.
    pub device: Vec<usize>,
    /// Positions in the window, in order.
    pub server: Vec<usize>,
    /// A server mutation that may be the replay of this creation, where several queued ones look the same.
    pub twin: Option<usize>,
}

/// The answer of [`group`].
#[derive(Clone, Debug, Default)]
pub struct Grouping {
    /// Every queued mutation and every server mutation that concerns the device, each exactly once; in queue
    /// order, then those that only the server speaks of.
    pub groups: Vec<Group>,
    /// Server deletions of resources that this device never had: nothing to do (PROTOCOL A8).
    pub ignored: Vec<usize>,
    /// Server mutations without the id that their kind needs (PROTOCOL A10 S-G1): they cannot be applied.
    pub unidentified: Vec<usize>,
}

/// A place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Chapter and verse.
    Verse(i64, i64),
    /// A page of a printed edition.
    Page(i64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Verse(chapter, verse) => write!(f, "{chapter}:{verse}"),
            Self::Page(page) => write!(f, "page {page}"),
        }
    }
}

/// What of a payload tells which resource it is. Read without building the payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Where a bookmark, a link or a session stands.
    pub place: Option<Place>,
    /// A collection's name.
    pub name: Option<Cow<'a, str>>,
    /// A link's collection.
    pub collection: Option<Cow<'a, str>>,
    /// A link's bookmark.
    pub bookmark: Option<Cow<'a, str>>,
    /// Whether a collection is Favorites.
    pub is_default: bool,
    /// A note's body and its ranges.
    pub note: Option<NoteFacts<'a>>,
    /// All that a kind which this version does not know says, but for its client times.
    pub content: Option<String>,
}

/// What tells one note from another where neither has an id: the whole of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteFacts<'a> {
    /// The only range, or all of them in order.
    pub ranges: Cow<'a, str>,
    /// Whether there is exactly one.
    pub one_range: bool,
    /// What was written.
    pub body: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawFacts<'a> {
    #[serde(borrow, rename = "type")]
    place_type: Option<&'a RawValue>,
    #[serde(borrow)]
    bookmark_type: Option<&'a RawValue>,
    #[serde(borrow)]
    key: Option<&'a RawValue>,
    #[serde(borrow)]
    verse_number: Option<&'a RawValue>,
    #[serde(borrow)]
    chapter_number: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    collection_id: Option<&'a RawValue>,
    #[serde(borrow)]
    bookmark_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "bookmark_id")]
    bookmark_id_alias: Option<&'a RawValue>,
    #[serde(borrow)]
    is_default: Option<&'a RawValue>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    ranges: Option<&'a RawValue>,
}

/// A whole number, also when written as text: the phone reads any scalar (PROTOCOL A10 S-G3).
fn whole(raw: Option<&RawValue>) -> Option<i64> {
    let text = raw?.get().trim_matches('"');
    text.parse().ok().or_else(|| Json::parse(text).as_i64())
}

fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    string(raw?.get())
}

impl<'a> Facts<'a> {
    /// The facts of `data`, as far as `kind` has any. `replay` asks for those that only a replay needs.
    pub fn of(kind: &Kind, data: &'a Payload, replay: bool) -> Self {
        let needed = match kind {
            Kind::Bookmark | Kind::Collection | Kind::Link => true,
            Kind::Note | Kind::ReadingSession | Kind::Other(_) => replay,
        };
        let (true, Some(data)) = (needed, data.as_str()) else { return Self::default() };
        if let Kind::Other(_) = kind {
            return Self { content: content(data), ..Self::default() };
        }
        let Ok(raw) = serde_json::from_str::<RawFacts>(data) else { return Self::default() };
        let mut facts = Self::default();
        match kind {
            Kind::Bookmark => facts.place = bookmark_place(&raw),
            Kind::Collection => {
                facts.name = text(raw.name);
                facts.is_default = raw.is_default.is_some_and(|flag| flag.get() == "true");
            }
            Kind::Link => {
                facts.place = bookmark_place(&raw);
                facts.collection = text(raw.collection_id);
                facts.bookmark = text(raw.bookmark_id).or_else(|| text(raw.bookmark_id_alias));
            }
            Kind::Note => {
                let ranges = match raw.ranges {
                    Some(ranges) => serde_json::from_str::<Vec<&RawValue>>(ranges.get()).ok(),
                    None => Some(Vec::new()),
                };
                let ranges: Option<Vec<_>> =
                    ranges.and_then(|ranges| ranges.into_iter().map(|range| string(range.get())).collect());
                if let (Some(body), Some(mut ranges)) = (text(raw.body), ranges) {
                    let one_range = ranges.len() == 1;
                    ranges.sort_unstable();
                    ranges.dedup();
                    let ranges = if one_range { ranges.remove(0) } else { ranges.join(" ").into() };
                    facts.note = Some(NoteFacts { ranges, one_range, body });
                }
            }
            Kind::ReadingSession => facts.place = verse(whole(raw.chapter_number), whole(raw.verse_number)),
            Kind::Other(_) => {}
        }
        facts
    }

    /// What these say, and where they say nothing what `other` says.
    fn or(self, other: Self) -> Self {
        Self {
            place: self.place.or(other.place),
            name: self.name.or(other.name),
            collection: self.collection.or(other.collection),
            bookmark: self.bookmark.or(other.bookmark),
            is_default: self.is_default || other.is_default,
            note: self.note.or(other.note),
            content: self.content.or(other.content),
        }
    }

    /// The same facts, of a payload that need not last.
    fn into_owned(self) -> Facts<'static> {
        let owned = |text: Option<Cow<'a, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Facts {
            place: self.place,
            name: owned(self.name),
            collection: owned(self.collection),
            bookmark: owned(self.bookmark),
            is_default: self.is_default,
            note: self.note.map(|note| NoteFacts {
                ranges: Cow::Owned(note.ranges.into_owned()),
                one_range: note.one_range,
                body: Cow::Owned(note.body.into_owned()),
            }),
            content: self.content,
        }
    }
}

/// All of an object but for its client times, in one order; `None` where nothing is left.
fn content(data: &str) -> Option<String> {
    let Json::Object(mut members) = Json::parse(data) else { return None };
    members.retain(|name, _| !matches!(name.as_str(), "clientCreatedAt" | "clientUpdatedAt"));
    members.sort_unstable_keys();
    (!members.is_empty()).then(|| serde_json::to_string(&members).unwrap_or_default())
}

/// When what `data` describes was made, by its author's clock.
pub(super) fn made_at(data: &Payload) -> Option<Millis> {
    data.as_str().filter(|text| text.contains("clientCreatedAt"))?;
    data.members().get("clientCreatedAt").and_then(Millis::from_json)
}

/// Where the entries stand that name a creation by its queue id, by that id.
fn later_entries<'a>(queue: &'a [Queued], positions: &Positions) -> HashMap<&'a str, Vec<usize>> {
    let mut later: HashMap<&str, Vec<usize>> = HashMap::new();
    for &at in &positions.queue {
        if queue[at].op != Op::Create
            && let Some(id) = &queue[at].resource_id
        {
            later.entry(id.as_str()).or_default().push(at);
        }
    }
    later
}

fn verse(chapter: Option<i64>, verse: Option<i64>) -> Option<Place> {
    match (chapter?, verse?) {
        (chapter, verse) if chapter > 0 && verse > 0 => Some(Place::Verse(chapter, verse)),
        // A server DELETE may carry a zeroed position; it is no place.
        _ => None,
    }
}

fn bookmark_place(raw: &RawFacts) -> Option<Place> {
    let kind = raw.place_type.or(raw.bookmark_type).map(RawValue::get);
    // `bookmarkType` is a string or an object {type} (PROTOCOL D10).
    let is = |word: &str| kind.is_some_and(|raw| raw.contains(&format!("\"{word}\"")));
    if is("page") {
        return whole(raw.key).filter(|page| *page > 0).map(Place::Page);
    }
    if kind.is_some() && !is("ayah") {
        return None;
    }
    verse(whole(raw.key), whole(raw.verse_number))
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key<'a> {
    Id(Cow<'a, str>),
    Place(Place),
    Name(Cow<'a, str>),
    Link(Cow<'a, str>, Place),
    Note(Cow<'a, str>, Cow<'a, str>),
    /// A note with no range or with several, which the phone does not recognise (PROTOCOL A8).
    UnusualNote(Cow<'a, str>, Cow<'a, str>),
    /// All that a resource of a kind that this version does not know says, but for its client times.
    Content(String),
}

/// From how many mutations of a kind on it is worth a thread to read them.
const LONG: usize = 2_000;

/// The kinds in the order in which they can be grouped: links need to know what became of their collections.
const ORDER: [Kind; 5] = [Kind::Collection, Kind::Bookmark, Kind::Note, Kind::ReadingSession, Kind::Link];

/// Puts together what speaks of the same resource. Total: every queued mutation is in exactly one group, every
/// server mutation in one group, in `ignored` or in `unidentified`.
pub fn group(device: &Device, window: &Window) -> Grouping {
    let mut matcher = Matcher::new(device, window);
    let mut kinds: IndexMap<&Kind, Positions> =
        ORDER.iter().map(|kind| (kind, Positions::default())).collect();
    for (position, mutation) in device.queue.iter().enumerate() {
        kinds.entry(&mutation.kind).or_default().queue.push(position);
    }
    for (position, mutation) in window.mutations.iter().enumerate() {
        kinds.entry(&mutation.kind).or_default().window.push(position);
    }
    for (kind, positions) in &kinds {
        matcher.match_kind(kind, positions);
    }
    matcher.finish()
}

/// Where the mutations of one kind stand, so that each kind is gone through without the others.
#[derive(Default)]
struct Positions {
    queue: Vec<usize>,
    window: Vec<usize>,
}

struct Matcher<'a> {
    device: &'a Device,
    window: &'a Window,
    /// Union-find over queue positions.
    parent: Vec<usize>,
    /// For each server position the queue position it belongs to, if any.
    attached: Vec<Option<usize>>,
    twins: HashMap<usize, usize>,
    known: HashMap<(&'a Kind, &'a str), &'a Known>,
    /// Where bookmarks stand, by their server id: from the device's rows and from the window.
    places: HashMap<&'a str, Place>,
    favorites: Option<&'a str>,
    /// What a queued collection is called on the server, where it is known to have arrived.
    arrived: HashMap<&'a str, &'a str>,
    /// Queue ids of creations, by which later entries name what has no id on the server yet.
    local: HashSet<&'a str>,
    /// Creations that came back, as positions in the queue: each comes back once.
    replayed: HashSet<usize>,
    /// Collections that queued links go into.
    linked: HashSet<Cow<'a, str>>,
    /// What deletions name.
    deleted: HashSet<&'a str>,
}

impl<'a> Matcher<'a> {
    fn new(device: &'a Device, window: &'a Window) -> Self {
        let deletions = device.queue.iter().filter(|m| m.op == Op::Delete);
        let mut matcher = Self {
            device,
            window,
            parent: (0..device.queue.len()).collect(),
            attached: vec![None; window.mutations.len()],
            twins: HashMap::new(),
            known: HashMap::new(),
            places: HashMap::new(),
            favorites: None,
            arrived: device.given.collections().map(|(name, id)| (name, id.as_str())).collect(),
            local: device.queue.iter().filter(|m| is_nameless_creation(m)).map(|m| m.id.as_str()).collect(),
            replayed: HashSet::new(),
            deleted: deletions.filter_map(|m| m.resource_id.as_ref()).map(ResourceId::as_str).collect(),
            linked: device
                .queue
                .iter()
                .filter(|m| m.kind == Kind::Link && m.op != Op::Delete)
                .filter_map(|m| Facts::of(&m.kind, &m.data, false).collection)
                .collect(),
        };
        let rows = device.known.iter().flatten().map(|row| (&row.kind, Some(&row.id), &row.data));
        let feed = window.mutations.iter().map(|m| (&m.kind, m.resource_id.as_ref(), &m.data));
        let links = device.queue.iter().any(|m| m.kind == Kind::Link);
        for (kind, id, data) in rows.chain(feed) {
            let Some(id) = id else { continue };
            match kind {
                Kind::Bookmark if links => {
                    if let Some(place) = Facts::of(kind, data, false).place {
                        matcher.places.insert(id.as_str(), place);
                    }
                }
                Kind::Collection if Facts::of(kind, data, false).is_default => {
                    matcher.favorites = Some(id.as_str());
                }
                Kind::Bookmark
                | Kind::Collection
                | Kind::Link
                | Kind::Note
                | Kind::ReadingSession
                | Kind::Other(_) => {}
            }
        }
        for row in device.known.iter().flatten() {
            matcher.known.insert((&row.kind, row.id.as_str()), row);
        }
        matcher
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    fn union(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }

    fn match_kind(&mut self, kind: &Kind, positions: &Positions) {
        // What the device says, by every key it can be recognised by.
        let mut queued: HashMap<Key<'a>, Vec<usize>> = HashMap::new();
        let (device_keys, server_keys) = self.keys_of(positions);
        for (&position, keys) in positions.queue.iter().zip(device_keys) {
            for key in keys {
                queued.entry(key).or_default().push(position);
            }
        }
        for (key, same) in queued.iter().filter(|(_, same)| same.len() > 1) {
            if self.is_one(kind, key, same) {
                for entry in same {
                    self.union(same[0], *entry);
                }
            }
        }
        let mut ambiguous: HashMap<Key<'a>, usize> = HashMap::new();
        for (&position, keys) in positions.window.iter().zip(server_keys) {
            let mutation = &self.window.mutations[position];
            let (replayed, told): (Vec<Key<'a>>, Vec<Key<'a>>) =
                keys.into_iter().partition(|key| is_replay(kind, key));
            for key in told {
                let Some(same) = queued.get_mut(&key) else { continue };
                let same = match (&key, &mutation.resource_id) {
                    // Two ids are two collections that cannot both keep the name; a creation without one is recognised
                    // by it (PROTOCOL A8).
                    (Key::Name(_), Some(id)) => {
                        let is_it = |entry: &usize| self.servers_id(*entry).is_none_or(|own| own == id);
                        same.iter().copied().filter(is_it).collect()
                    }
                    (Key::Id(_), _) => std::mem::take(same),
                    (_, _) if self.are_several(same) => continue,
                    (_, _) => std::mem::take(same),
                };
                let Some(first) = same.first().copied() else { continue };
                // What the server holds to be one is one from here on.
                for entry in same {
                    self.union(first, entry);
                }
                if let Some(entries) = queued.get_mut(&key)
                    && entries.is_empty()
                {
                    entries.push(first);
                }
                if let Some(other) = self.attached[position].replace(first) {
                    self.union(other, first);
                }
            }
            if let Some(entry) = self.attached[position] {
                self.find_creation(entry, &replayed, &queued, position, positions);
            } else {
                for key in replayed {
                    let same = queued.get(&key).map(Vec::as_slice).unwrap_or_default();
                    match *self.candidates(same, &key, mutation) {
                        [] => {}
                        // A creation comes back once.
                        [only] => {
                            self.attached[position] = Some(only);
                            self.replayed.insert(only);
                            break;
                        }
                        // Several candidates: which one came back cannot be told, so none is matched (PROTOCOL A8).
                        _ => {
                            ambiguous.insert(key, position);
                        }
                    }
                }
            }
            if *kind == Kind::Collection
                && let (Some(entry), Some(id)) = (self.attached[position], &mutation.resource_id)
                && mutation.op != Op::Delete
            {
                self.arrived.insert(self.device.queue[entry].id.as_str(), id.as_str());
            }
        }
        self.find_twins_by_stamps(positions);
        for (key, position) in ambiguous.into_iter().filter(|(_, at)| self.attached[*at].is_none()) {
            for candidate in queued.remove(&key).into_iter().flatten() {
                let entry = &self.device.queue[candidate].id;
                let id = self.window.mutations[position].resource_id.as_ref();
                if !self.replayed.contains(&candidate) && !self.device.is_not(entry, id) {
                    self.twins.insert(candidate, position);
                }
            }
        }
    }

    /// The device may have learnt the id of what it made although the creation is still in its queue: `entry` names that
    /// id. What the server has is then what the creation, or the creation with entries like this one after it, left.
    fn find_creation(
        &mut self,
        entry: usize,
        replayed: &[Key<'a>],
        queued: &HashMap<Key<'a>, Vec<usize>>,
        position: usize,
        positions: &Positions,
    ) {
        let mutation = &self.window.mutations[position];
        let Some(id) = mutation.resource_id.as_ref().filter(|_| self.may_be_new(mutation)) else { return };
        let root = self.root(entry);
        let made = made_at(&mutation.data);
        let mut creation = None;
        for key in replayed {
            let same = queued.get(key).map(Vec::as_slice).unwrap_or_default();
            if let [only] = *self.candidates(same, key, mutation) {
                let stamped = made.is_some() && made_at(&self.device.queue[only].data) == made;
                creation = Some(only).filter(|_| stamped || mutation.op == Op::Create);
            }
        }
        if creation.is_none() && made.is_some() {
            let made_then = |at: &&usize| {
                let entry = &self.device.queue[**at];
                is_nameless_creation(entry) && entry.maybe_sent() && made_at(&entry.data) == made
            };
            let mut creations = positions.queue.iter().filter(made_then);
            creation = creations.next().filter(|_| creations.next().is_none()).copied();
            creation = creation.filter(|creation| !self.replayed.contains(creation));
        }
        if creation.is_none() && mutation.op == Op::Create && !replayed.is_empty() {
            let naming = |at: &&usize| self.device.queue[**at].resource_id.as_ref() == Some(id);
            let later: Vec<usize> = positions.queue.iter().filter(naming).copied().collect();
            let sent = |at: &&usize| {
                let entry = &self.device.queue[**at];
                is_nameless_creation(entry) && entry.maybe_sent()
            };
            let mut creations = positions.queue.iter().filter(sent).filter(|at| {
                // What the later entries say by themselves tells nothing of a creation.
                let (creation, first) = (&self.device.queue[**at], &self.device.queue[later[0]]);
                let alone = self.later_keys(first, &later[1..]);
                let told = |key: &Key| {
                    replayed.contains(key)
                        && !alone.contains(key)
                        && !self.keys_by_content(&first.kind, &first.data).contains(key)
                };
                !self.replayed.contains(at) && self.later_keys(creation, &later).iter().any(told)
            });
            // Where several would do, none is told apart.
            creation = creations.next().filter(|_| creations.next().is_none()).copied();
        }
        if let Some(creation) = creation
            && self.root(creation) != root
        {
            self.union(creation, entry);
            self.replayed.insert(creation);
        }
    }

    /// The creations among `same` that may have come back as `mutation`. Where the client's times single one out it is
    /// that one.
    fn candidates(&self, same: &[usize], key: &Key, mutation: &ServerMutation) -> Box<[usize]> {
        let open = || same.iter().copied().filter(|entry| !self.replayed.contains(entry));
        if !open().any(|entry| self.may_be(entry, key, mutation)) {
            return Box::default();
        }
        let made = made_at(&mutation.data);
        let its_own = |entry: &usize| {
            made.is_some()
                && made_at(&self.device.queue[*entry].data) == made
                && self.may_be(*entry, key, mutation)
        };
        let by_stamp: Box<[usize]> = open().filter(its_own).collect();
        if by_stamp.len() == 1 {
            return by_stamp;
        }
        // What was tried may have come back; what was not can only look like it.
        let sent: Box<[usize]> = open().filter(|entry| self.was_sent(*entry)).collect();
        let all: Box<[usize]> = if sent.is_empty() { open().collect() } else { sent };
        if all.len() < 2 {
            return all;
        }
        // What the queue deletes again it does not want; whichever of the two came back, the last one stands.
        let wanted: Box<[usize]> =
            all.iter().copied().filter(|entry| !self.is_deleted_again(*entry)).collect();
        match (wanted.len(), all.last()) {
            (0, Some(last)) => Box::new([*last]),
            (1, _) => wanted,
            (_, _) => all,
        }
    }

    /// Whether a POST may have carried the entry.
    fn was_sent(&self, entry: usize) -> bool {
        let entry = &self.device.queue[entry];
        entry.maybe_sent() || self.device.in_doubt.contains_key(&entry.id)
    }

    /// Whether a later entry deletes what this one creates.
    fn is_deleted_again(&self, entry: usize) -> bool {
        self.deleted.contains(self.device.queue[entry].id.as_str())
    }

    /// Creations that were sent, and what the server has that was made in the same millisecond by its author's clock: it
    /// may be that one, changed since by somebody. Nothing but a person can tell.
    fn find_twins_by_stamps(&mut self, positions: &Positions) {
        let told = |data: &Payload| made_at(data).filter(|made| made.0.rem_euclid(1000) != 0);
        let mut served: HashMap<Millis, usize> = HashMap::new();
        for &at in &positions.window {
            let mutation = &self.window.mutations[at];
            if mutation.op != Op::Delete
                && self.attached[at].is_none()
                && self.may_be_new(mutation)
                && let Some(made) = told(&mutation.data)
            {
                served.insert(made, at);
            }
        }
        if served.is_empty() {
            return;
        }
        let attached: HashSet<usize> =
            self.attached.clone().into_iter().flatten().map(|entry| self.root(entry)).collect();
        for &at in &positions.queue {
            let entry = &self.device.queue[at];
            let sent = entry.maybe_sent() && !self.device.in_doubt.contains_key(&entry.id);
            if is_nameless_creation(entry)
                && sent
                && !attached.contains(&self.root(at))
                && let Some(twin) = told(&entry.data).and_then(|made| served.get(&made))
                && !self.device.is_not(&entry.id, self.window.mutations[*twin].resource_id.as_ref())
            {
                self.twins.insert(at, *twin);
            }
        }
    }

    /// Whether the device does not know the resource as another one yet.
    fn may_be_new(&self, mutation: &ServerMutation) -> bool {
        let Some(id) = &mutation.resource_id else { return false };
        let row = self.known.get(&(&mutation.kind, id.as_str()));
        row.is_none_or(|row| row.status == SyncStatus::PendingCreate)
            && !self.device.given.holds(&mutation.kind, id)
    }

    /// Whether the server's creation may be this queue entry's, which says the same. Of an entry whose POST is in doubt
    /// it is known when that was; only then is the content enough for a note that the phone would not recognise.
    fn may_be(&self, entry: usize, key: &Key, creation: &ServerMutation) -> bool {
        let queued = &self.device.queue[entry];
        if self.device.is_not(&queued.id, creation.resource_id.as_ref()) {
            return false;
        }
        let after = self.device.in_doubt.get(&queued.id).is_some_and(|head| creation.is_after(*head));
        if creation.op == Op::Update {
            // The feed tells the latest of a resource: what was made and then changed is an update (PROTOCOL A2).
            let made = (made_at(&queued.data), made_at(&creation.data));
            let its_own = match made {
                (Some(device), Some(server)) => device == server,
                (None, _) | (_, None) => queued.maybe_sent() || after,
            };
            if !its_own {
                return false;
            }
        }
        // What was there before its POST was recognised before it, or was not it.
        match key {
            // So is what may be alike by chance, unless it was sent.
            Key::UnusualNote(..) | Key::Content(_) => after || queued.maybe_sent(),
            Key::Id(_) | Key::Place(_) | Key::Name(_) | Key::Link(..) | Key::Note(..) => true,
        }
    }

    /// Whether queue entries that share this key are one resource without the server's word.
    fn is_one(&self, kind: &Kind, key: &Key, same: &[usize]) -> bool {
        match key {
            Key::Id(_) | Key::Link(..) => true,
            Key::Place(_) => *kind == Kind::Bookmark && !self.are_several(same),
            // A name may be given twice, but what is deleted and made again under its name is one.
            Key::Name(_) => self.is_made_again(same) && !self.differ(same),
            Key::Note(..) | Key::UnusualNote(..) | Key::Content(_) => false,
        }
    }

    /// Two of the server's ids are two of its resources, even at one place: editions of the text differ.
    fn are_several(&self, same: &[usize]) -> bool {
        let mut there: Option<&ResourceId> = None;
        let mut several = false;
        for entry in same.iter().map(|entry| &self.device.queue[*entry]) {
            let id = entry.resource_id.as_ref().filter(|id| !self.local.contains(id.as_str()));
            several |= id.is_some_and(|id| there.is_some_and(|there| there != id));
            // After a deletion there may be another one in its place.
            there = id.or(there).filter(|id| !self.deleted.contains(id.as_str()));
        }
        several && !self.is_made_again(same)
    }

    /// The id by which the server knows what a queue entry is about; the queue id of a creation is none.
    fn servers_id(&self, entry: usize) -> Option<&ResourceId> {
        self.device.queue[entry].resource_id.as_ref().filter(|id| !self.local.contains(id.as_str()))
    }

    /// Whether two of these have different ids on the server.
    fn differ(&self, same: &[usize]) -> bool {
        let mut ids = same.iter().filter_map(|entry| self.servers_id(*entry));
        let first = ids.next();
        ids.any(|id| Some(id) != first)
    }

    /// A deletion and something else, in whichever order the two were queued.
    fn is_made_again(&self, same: &[usize]) -> bool {
        let deletes = |entry: &usize| self.device.queue[*entry].op == Op::Delete;
        matches!(same, [one, other] if deletes(one) != deletes(other))
    }

    /// The keys of one kind's mutations, those of a long window read beside those of the queue.
    fn keys_of(&self, positions: &Positions) -> (Vec<Vec<Key<'a>>>, Vec<Vec<Key<'a>>>) {
        let (device, window) = (self.device, self.window);
        let later = later_entries(&device.queue, positions);
        let queue = || {
            let keys = |at: &usize| {
                let mut keys = self.device_keys(&device.queue[*at]);
                if let Some(later) = later.get(device.queue[*at].id.as_str()) {
                    keys.extend(self.later_keys(&device.queue[*at], later));
                    let mut seen = HashSet::new();
                    keys.retain(|key| seen.insert(key.clone()));
                }
                keys
            };
            positions.queue.iter().map(keys).collect()
        };
        let replays = positions.queue.iter().any(|at| is_nameless_creation(&device.queue[*at]));
        let served =
            || positions.window.iter().map(|at| self.server_keys(&window.mutations[*at], replays)).collect();
        if positions.window.len() < LONG {
            return (queue(), served());
        }
        std::thread::scope(|scope| {
            let served = scope.spawn(served);
            let queue = queue();
            match served.join() {
                Ok(served) => (queue, served),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    fn device_keys(&self, mutation: &'a Queued) -> Vec<Key<'a>> {
        let replay = is_nameless_creation(mutation);
        let mut facts = Facts::of(&mutation.kind, &mutation.data, replay);
        let row = mutation.resource_id.as_ref().and_then(|id| self.row(&mutation.kind, id));
        if let (Op::Delete, Some(row)) = (mutation.op, row) {
            // A DELETE usually carries no data; the device's row tells what it was (PROTOCOL D15).
            facts = facts.or(Facts::of(&mutation.kind, &row.data, false));
        }
        let mut keys = self.keys(&mutation.kind, mutation.resource_id.as_ref(), facts, replay);
        if replay {
            // A later entry refers to this creation by its queue id until the server gives an id.
            keys.push(Key::Id(mutation.id.as_str().into()));
        }
        keys
    }

    fn server_keys(&self, mutation: &'a ServerMutation, replays: bool) -> Vec<Key<'a>> {
        let id = mutation.resource_id.as_ref();
        let row = id.and_then(|id| self.row(&mutation.kind, id));
        // The answer to something that left the queue is no replay of what is still in it.
        let replay = replays && mutation.op != Op::Delete && self.may_be_new(mutation);
        let mut facts = Facts::of(&mutation.kind, &mutation.data, replay);
        if let (Op::Delete, Some(row)) = (mutation.op, row) {
            // A name is no fact of a DELETE: the resource may have had another one when it was deleted.
            facts = facts.or(Facts { name: None, ..Facts::of(&mutation.kind, &row.data, false) });
        }
        if id.is_some_and(|id| self.device.given.holds(&mutation.kind, id)) {
            // Nor is it what waits behind it under the same name.
            facts.name = None;
        }
        self.keys(&mutation.kind, id, facts, replay)
    }

    /// What the device's row of the resource says.
    fn row(&self, kind: &'a Kind, id: &'a ResourceId) -> Option<&'a Known> {
        self.known.get(&(kind, id.as_str())).copied()
    }

    fn keys(&self, kind: &Kind, id: Option<&'a ResourceId>, facts: Facts<'a>, replay: bool) -> Vec<Key<'a>> {
        let mut keys: Vec<Key<'a>> = id
            .filter(|id| !id.as_str().is_empty())
            .map(|id| Key::Id(self.canonical(kind, id.as_str())))
            .into_iter()
            .collect();
        match kind {
            Kind::Bookmark => keys.extend(facts.place.map(Key::Place)),
            Kind::Collection => keys.extend(facts.name.map(Key::Name)),
            Kind::Link => {
                let collection = facts.collection.map(|id| self.collection(id));
                let place = facts.place.or_else(|| self.places.get(facts.bookmark.as_deref()?).copied());
                if let (Some(collection), Some(bookmark)) = (&collection, &facts.bookmark) {
                    keys.push(Key::Id(format!("{collection}-{bookmark}").into()));
                }
                if let (Some(collection), Some(place)) = (collection, place) {
                    keys.push(Key::Link(collection, place));
                }
            }
            Kind::Note if replay => keys.extend(facts.note.map(|note| {
                let key = if note.one_range { Key::Note } else { Key::UnusualNote };
                key(note.ranges, note.body)
            })),
            Kind::ReadingSession if replay => keys.extend(facts.place.map(Key::Place)),
            Kind::Other(_) if replay => keys.extend(facts.content.map(Key::Content)),
            Kind::Note | Kind::ReadingSession | Kind::Other(_) => {}
        }
        keys.dedup();
        keys
    }

    /// What a creation is recognised by once entries that name it by its queue id came after it: the server may have
    /// any of the states in between.
    fn later_keys(&self, creation: &Queued, later: &[usize]) -> Vec<Key<'a>> {
        let mut keys: Vec<Key<'a>> = Vec::new();
        let mut members = creation.data.members();
        for entry in later.iter().map(|at| &self.device.queue[*at]) {
            if entry.op == Op::Delete {
                break;
            }
            members.extend(entry.data.members());
            keys.extend(self.keys_by_content(&creation.kind, &Payload::from_members(&members)));
        }
        keys
    }

    /// What a state is recognised by without an id.
    fn keys_by_content(&self, kind: &Kind, state: &Payload) -> Vec<Key<'a>> {
        let facts = Facts::of(kind, state, true).into_owned();
        self.keys(kind, None, facts, true).into_iter().filter(|key| is_replay(kind, key)).collect()
    }

    /// A link's composite id with Favorites under its one name; ids may contain `-`, so it is never split.
    fn canonical(&self, kind: &Kind, id: &'a str) -> Cow<'a, str> {
        match (&self.favorites, kind) {
            (Some(favorites), Kind::Link) => match id.strip_prefix(favorites) {
                Some(rest) if rest.starts_with('-') => format!("{FAVORITES}{rest}").into(),
                _ => id.into(),
            },
            _ => id.into(),
        }
    }

    fn collection(&self, id: Cow<'a, str>) -> Cow<'a, str> {
        let id = self.arrived.get(&*id).copied().map_or(id, Cow::Borrowed);
        if self.favorites == Some(&*id) { FAVORITES.into() } else { id }
    }

    fn finish(mut self) -> Grouping {
        let mut grouping = Grouping::default();
        let mut of_root: HashMap<usize, usize> = HashMap::new();
        for position in 0..self.device.queue.len() {
            let root = self.root(position);
            let at = *of_root.entry(root).or_insert_with(|| {
                let kind = self.device.queue[position].kind.clone();
                grouping.groups.push(Group { kind, device: Vec::new(), server: Vec::new(), twin: None });
                grouping.groups.len() - 1
            });
            grouping.groups[at].device.push(position);
            if let Some(twin) = self.twins.get(&position) {
                grouping.groups[at].twin = Some(*twin);
            }
        }
        for (position, mutation) in self.window.mutations.iter().enumerate() {
            if needs_id(&mutation.kind)
                && mutation.resource_id.as_ref().is_none_or(|id| id.as_str().trim().is_empty())
            {
                grouping.unidentified.push(position);
                continue;
            }
            if let Some(entry) = self.attached[position] {
                let root = self.root(entry);
                if let Some(at) = of_root.get(&root) {
                    grouping.groups[*at].server.push(position);
                    continue;
                }
            }
            if self.is_unknown_delete(mutation) {
                grouping.ignored.push(position);
            } else {
                let kind = mutation.kind.clone();
                grouping.groups.push(Group { kind, device: Vec::new(), server: vec![position], twin: None });
            }
        }
        grouping
    }

    /// The phone drops a server deletion of a resource it never had, except for sessions (PROTOCOL A8). Without a
    /// list of resources nobody knows what the device has.
    fn is_unknown_delete(&self, mutation: &ServerMutation) -> bool {
        if mutation.op != Op::Delete || self.device.known.is_none() {
            return false;
        }
        let knows = |id: &str| self.known.contains_key(&(&mutation.kind, id));
        let id = mutation.resource_id.as_ref().map(|id| Cow::Borrowed(id.as_str()));
        match &mutation.kind {
            Kind::ReadingSession | Kind::Other(_) => false,
            Kind::Link => {
                let id = id.or_else(|| link_id(&mutation.data).map(Cow::Owned));
                id.is_some_and(|id| !knows(&id) && !self.in_other_words(&id).is_some_and(|id| knows(&id)))
            }
            // The phone never had it, but its link would go into what is no more.
            Kind::Collection => id.is_some_and(|id| !knows(&id) && !self.linked.contains(&id)),
            Kind::Bookmark | Kind::Note => id.is_some_and(|id| !knows(&id)),
        }
    }

    /// The id of a link in Favorites as it is written under the collection's other name (PROTOCOL D5).
    fn in_other_words(&self, id: &str) -> Option<String> {
        let favorites = self.favorites?;
        let under = |one: &str, other: &str| {
            let rest = id.strip_prefix(one).filter(|rest| rest.starts_with('-'))?;
            Some(format!("{other}{rest}"))
        };
        under(favorites, FAVORITES).or_else(|| under(FAVORITES, favorites))
    }
}

/// Links have no id of their own on the wire (PROTOCOL A2).
const fn needs_id(kind: &Kind) -> bool {
    match kind {
        Kind::Bookmark | Kind::Collection | Kind::Note | Kind::ReadingSession => true,
        Kind::Link | Kind::Other(_) => false,
    }
}

/// Whether it makes what the server has given no id yet.
fn is_nameless_creation(mutation: &Queued) -> bool {
    mutation.op == Op::Create && mutation.resource_id.is_none()
}

/// Whether the key recognises a creation by its content alone, as one whose answer the device never got.
const fn is_replay(kind: &Kind, key: &Key) -> bool {
    match key {
        Key::Note(..) | Key::UnusualNote(..) | Key::Content(_) => true,
        Key::Place(_) => matches!(kind, Kind::ReadingSession),
        Key::Id(_) | Key::Name(_) | Key::Link(..) => false,
    }
}

/// The server's id of what a mutation speaks of; for a link the composite.
pub fn id_of(mutation: &ServerMutation) -> Option<ResourceId> {
    mutation.resource_id.clone().or_else(|| link_id(&mutation.data).map(ResourceId::from))
}

/// A link's id as it is written where it has none: `collectionId-bookmarkId`.
pub fn link_id(data: &Payload) -> Option<String> {
    let facts = Facts::of(&Kind::Link, data, false);
    Some(format!("{}-{}", facts.collection?, facts.bookmark?))
}

#[cfg(test)]
mod tests {
    use crate::testing::inspection;

    #[test]
    fn a_deletion_of_a_link_in_favorites_is_known_under_both_names_of_the_collection() {
        let device = |row: &str| {
            format!(
                r#"{{"queue":[],"resources":[
                  {{"id":"c7","resource":"COLLECTION","data":{{"name":"Favorites","isDefault":true}},"syncStatus":"synced"}},
                  {{"id":"{row}","resource":"COLLECTION_BOOKMARK","data":{{}},"syncStatus":"synced"}}]}}"#
            )
        };
        let deletion = |collection: &str| {
            format!(
                r#"[{{"type":"DELETE","resource":"COLLECTION_BOOKMARK","timestamp":150,
                  "data":{{"collectionId":"{collection}","bookmarkId":"b-1"}}}}]"#
            )
        };
        for (row, collection, ignored) in [
            ("c7-b-1", "c7", 0),
            ("c7-b-1", "__default__", 0),
            ("__default__-b-1", "c7", 0),
            ("c7-b-2", "__default__", 1),
            ("c8-b-1", "__default__", 1),
        ] {
            let inspection = inspection(&device(row), &deletion(collection));
            assert_eq!(inspection.ignored.len(), ignored, "{row} {collection}");
        }
    }

    #[test]
    fn a_link_does_not_go_into_a_collection_that_the_server_deleted() {
        let queue = r#"[{"id":"q0","type":"CREATE","resource":"COLLECTION_BOOKMARK",
          "data":{"collectionId":"c2","type":"ayah","key":2,"verseNumber":3}}]"#;
        let deletion = |id: &str| {
            format!(r#"[{{"type":"DELETE","resource":"COLLECTION","resourceId":"{id}","timestamp":150}}]"#)
        };
        // Whether the file lists its resources, and whether the collection is among them.
        for rows in ["", r#","resources":[]"#] {
            let device = format!(r#"{{"queue":{queue}{rows}}}"#);
            let blocked = inspection(&device, &deletion("c2"));
            assert_eq!((blocked.summary.push, blocked.summary.blocked), (0, 1), "{rows}");
            assert_eq!(inspection(&device, &deletion("c3")).summary.push, 1, "{rows}");
        }
    }
}
