//! One user's devices and their server, from the first edit until all agree again, under one strategy and one time
//! between syncs. The server is the sandbox's model; what a device sends after a 409 is what `inspect`, `strategy` and
//! `plan` say.
//!
//! A sync is what an app does: where something is queued it is `POST`ed with the device's own cursor; on 409 the device
//! pulls, decides by the strategy, and `POST`s what is left to send. Where nothing is queued it pulls. A sync takes no time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::history::History;
use super::phone::{Directory, Phone, START, payload};
use super::tally::Tally;
use crate::domain::field::{Choice, Field, FieldPath};
use crate::domain::inspect::{Inspection, PairId, Status, inspect};
use crate::domain::mutation::{
    Cursor, Kind, Millis, Op, QueueId, ResourceId, ServerMutation, Side, WireMutation,
};
use crate::domain::plan::{self, Plan};
use crate::domain::resolution::{By, Chosen, Resolution, Unit};
use crate::domain::settle::Item;
use crate::domain::strategy::{self, Strategy};
use crate::domain::window::{PullPath, Window};
use crate::sandbox::model::{Caller, FirstSync, Model};
use crate::sandbox::query::Query;
use crate::sandbox::refusal::Reason;
use crate::sandbox::scopes::Scopes;

/// `x-client-id`: all devices run the same app.
const APP: &str = "app";
/// Entries a page, the most that the protocol allows (PROTOCOL A2).
const PAGE: u64 = 1000;
/// A text that grew longer than this is not joined any further, characters; a note holds 10,000 (PROTOCOL A7).
const LONG: usize = 4000;
/// After the last edit every device syncs until all agree, at most so often.
const LAST_SYNCS: i64 = 50;

/// What a user has at the start, the same for every user: server, devices' rows, and what is called what.
#[derive(Clone, Debug)]
pub(super) struct Beginning {
    model: Model,
    rows: HashMap<(Kind, ResourceId), super::phone::Row>,
    directory: Directory,
}

impl Beginning {
    /// So many notes, collections and reading sessions.
    pub(super) fn new(resources: u32) -> Self {
        let mut model = Model::new(FirstSync::Positive, Millis(START.0 - 1_000_000));
        let mut directory = Directory::default();
        let numbers = || 0..resources;
        let sets = [
            (Kind::Note, &mut directory.notes),
            (Kind::Collection, &mut directory.collections),
            (Kind::ReadingSession, &mut directory.sessions),
        ];
        for (kind, ids) in sets {
            for number in numbers() {
                let id = format!("{}-{number}", kind.wire().to_lowercase());
                let data = match kind {
                    Kind::Note => {
                        json!({ "body": format!("first text of note {number}"), "ranges": ["1:1-1:7"] })
                    }
                    Kind::Collection => json!({ "name": format!("collection {number}") }),
                    _ => json!({ "chapterNumber": 1, "verseNumber": 1 }),
                };
                let made =
                    json!({ "type": "CREATE", "resource": kind.wire(), "resourceId": id, "data": data });
                let written = model.other_device_writes(Millis(START.0 - 1_000_000), APP, &[made]);
                debug_assert!(written.is_ok(), "what a user begins with is well formed");
                ids.push(id.as_str().into());
            }
        }
        let mut rows = HashMap::new();
        for kind in Kind::KNOWN {
            for (id, data) in model.live(&kind) {
                if let Value::Object(seen) = data {
                    rows.insert((kind.clone(), id), super::phone::Row::synced(seen));
                }
            }
        }
        Self { model, rows, directory }
    }
}

/// What the rules of a run are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub strategy: Strategy,
    /// Between two syncs of a device, ms.
    pub interval: i64,
    /// Whether edits record their base.
    pub bases: bool,
}

/// One user's devices and server.
#[derive(Clone, Debug)]
pub(super) struct World {
    rules: Rules,
    pub(super) model: Model,
    pub(super) phones: Vec<Phone>,
    directory: Directory,
    /// Since when not all agree, ms.
    apart_since: Option<i64>,
    pub(super) tally: Tally,
}

/// Plays a history to its end.
pub(super) fn play(beginning: &Beginning, history: &History, rules: Rules) -> Tally {
    let mut world = World::new(beginning, history, rules);
    world.play(history);
    world.tally
}

impl World {
    pub(super) fn new(beginning: &Beginning, history: &History, rules: Rules) -> Self {
        let phone = |(number, habits): (usize, &super::history::Habits)| Phone {
            number: number as u16,
            clock_error: habits.clock_error,
            cursor: beginning.model.head(),
            queue: Vec::new(),
            rows: beginning.rows.clone(),
        };
        Self {
            rules,
            model: beginning.model.clone(),
            phones: history.devices.iter().enumerate().map(phone).collect(),
            directory: beginning.directory.clone(),
            apart_since: None,
            tally: Tally::default(),
        }
    }

    /// Edits and syncs in the order of time; at the same moment the edit comes first.
    pub(super) fn play(&mut self, history: &History) {
        let interval = self.rules.interval;
        let mut syncs: BinaryHeap<Reverse<(i64, usize)>> = history
            .devices
            .iter()
            .enumerate()
            .map(|(number, habits)| Reverse((habits.next_sync(0, interval), number)))
            .collect();
        let mut edits = history.edits.iter().peekable();
        while let Some(Reverse((at, number))) = syncs.pop() {
            while let Some(edit) = edits.next_if(|edit| edit.at <= at) {
                self.edit(edit);
            }
            if at >= history.end {
                break;
            }
            self.sync(number, at);
            syncs.push(Reverse((history.devices[number].next_sync(at + 1, interval), number)));
        }
        for edit in edits {
            self.edit(edit);
        }
        // Online from now on, so that what is still apart comes together.
        let online =
            |number: usize| super::history::Habits { offline: Vec::new(), ..history.devices[number].clone() };
        let mut last: BinaryHeap<Reverse<(i64, usize)>> = (0..self.phones.len())
            .map(|number| Reverse((online(number).next_sync(history.end, interval), number)))
            .collect();
        let until = history.end + interval * LAST_SYNCS;
        while let Some(Reverse((at, number))) = last.pop().filter(|Reverse((at, _))| *at < until) {
            if self.agree() {
                break;
            }
            self.sync(number, at);
            last.push(Reverse((online(number).next_sync(at + 1, interval), number)));
        }
    }

    pub(super) fn edit(&mut self, edit: &super::history::Edit) {
        let Some(phone) = self.phones.get_mut(usize::from(edit.device)) else { return };
        if phone.edit(edit, &self.directory, self.rules.bases) {
            self.tally.edits += 1;
            self.apart_since.get_or_insert(edit.at);
        } else {
            self.tally.impossible += 1;
        }
    }

    /// Whether nothing is queued anywhere and every device stands at the head.
    pub(super) fn agree(&self) -> bool {
        let head = self.model.head();
        self.phones.iter().all(|phone| phone.queue.is_empty() && phone.cursor == head)
    }

    /// One sync of one device at a moment.
    pub(super) fn sync(&mut self, number: usize, at: i64) {
        self.tally.syncs += 1;
        if self.phones[number].queue.is_empty() {
            self.tally.requests += 1;
            if self.phones[number].cursor != self.model.head() {
                let window = self.pull(self.phones[number].cursor);
                self.take_over_all(number, &window);
            }
        } else {
            self.tally.pushes += 1;
            let posts = self.push(number, at);
            self.tally.requests += posts;
        }
        if let Some(since) = self.apart_since
            && self.agree()
        {
            self.tally.apart_s.push(u32::try_from((at - since) / 1000).unwrap_or(u32::MAX));
            self.apart_since = None;
        }
    }

    /// Sends what is queued. Answers how many requests it took.
    fn push(&mut self, number: usize, at: i64) -> u64 {
        let now = self.phones[number].clock(at);
        let unseen = Window {
            path: PullPath::SinceCursor,
            since: self.phones[number].cursor,
            head: self.phones[number].cursor,
            mutations: Vec::new(),
            unreadable: Vec::new(),
            warnings: Vec::new(),
            not_visible: Vec::new(),
        };
        let inspection = self.inspect(number, unseen);
        let plan = plan::plan(&inspection, &Resolution::default(), now);
        match self.post_all(number, at, &plan) {
            Posted::All(posts) => {
                self.settle(number, &inspection, &plan);
                posts
            }
            Posted::OutOfSync => {
                self.tally.conflicts += 1;
                let (posts, pages) = self.recover(number, at, now);
                // Without a 409 the sync would have been the POSTs alone, or one pull where nothing is left to send.
                self.tally.extra += 1 + pages - u64::from(posts == 0);
                1 + pages + posts
            }
        }
    }

    /// Pulls, decides, and sends what is left to send. Answers POSTs and pulled pages.
    fn recover(&mut self, number: usize, at: i64, now: Millis) -> (u64, u64) {
        let since = self.phones[number].cursor;
        let window = self.pull(since);
        let pages = (window.mutations.len() as u64).div_ceil(PAGE).max(1);
        let inspection = self.inspect(number, window);
        let resolution = self.decide(number, &inspection);
        let plan = plan::plan(&inspection, &resolution, now);
        self.tally.divergences += inspection.summary.diverged as u64;
        self.count_losses(number, &inspection, &plan);
        let posts = match self.post_all(number, at, &plan) {
            Posted::All(posts) => posts,
            // Nobody writes between a pull and the POST after it.
            Posted::OutOfSync => 0,
        };
        self.settle(number, &inspection, &plan);
        (posts, pages)
    }

    fn inspect(&self, number: usize, window: Window) -> Inspection {
        inspect(Arc::new(self.phones[number].device()), Arc::new(window))
    }

    fn decide(&mut self, number: usize, inspection: &Inspection) -> Resolution {
        let mut resolution = Resolution::default();
        if inspection.summary.diverged == 0 {
            return resolution;
        }
        let strategy = self.rules.strategy;
        let choices = strategy::choices_for_all(inspection, &resolution, strategy, |_| true);
        resolution.choose(strategy.name(), choices);
        match strategy {
            Strategy::ServerWins | Strategy::ClientWins => {}
            Strategy::LastWriteWins => self.tally.turned += self.turned(number, inspection),
            Strategy::Merge => {
                let answers = answers(inspection);
                self.tally.asked += answers.len() as u64;
                resolution.choose("a person", answers);
            }
        }
        resolution
    }

    /// In how many divergences the clocks name another winner than the real times would.
    fn turned(&self, number: usize, inspection: &Inspection) -> u64 {
        // A stamp's milliseconds are the number of the device that made it.
        let real = |stamp: Millis| {
            let writer = usize::try_from(stamp.0.rem_euclid(1000)).unwrap_or(0);
            let error = self.phones.get(writer).map_or(0, |phone| phone.clock_error);
            Millis(stamp.0 - error)
        };
        let own_error = self.phones[number].clock_error;
        let diverged = inspection.pairs.iter().filter(|pair| pair.status == Status::Diverged);
        let turned = diverged.filter_map(|pair| strategy::clock(inspection, pair)).filter(|clock| {
            let device = Millis(clock.device.0 - own_error);
            let server = if clock.mixed { clock.server } else { real(clock.server) };
            strategy::Clock { device, server, mixed: clock.mixed }.winner() != clock.winner()
        });
        turned.count() as u64
    }

    fn count_losses(&mut self, number: usize, inspection: &Inspection, plan: &Plan) {
        let phone = &self.phones[number];
        for loss in &plan.ledger {
            let id = inspection.queued(inspection.pair(loss.pair)).find_map(|m| m.resource_id.as_ref());
            if phone.was_written(loss, id) {
                match loss.side {
                    Side::Device => self.tally.lost_device += 1,
                    Side::Server => self.tally.lost_server += 1,
                }
            }
        }
    }

    /// The server's mutations since a cursor, all pages.
    fn pull(&self, since: Cursor) -> Window {
        let mut window = Window {
            path: PullPath::SinceCursor,
            since,
            head: self.model.head(),
            mutations: Vec::new(),
            unreadable: Vec::new(),
            warnings: Vec::new(),
            not_visible: Vec::new(),
        };
        let mut query = Query { limit: PAGE, ..Query::since(since) };
        while let Ok(page) = self.model.get(&query, Scopes::ALL) {
            let Some(list) = page.list else { break };
            window.mutations.extend(list.mutations.iter().filter_map(served));
            if !list.has_more {
                break;
            }
            query.page += 1;
        }
        window
    }

    fn take_over_all(&mut self, number: usize, window: &Window) {
        for mutation in &window.mutations {
            let Some(id) = &mutation.resource_id else { continue };
            let state = self.state(&mutation.kind, id);
            self.phones[number].take_over(&mutation.kind, id, state);
        }
        self.phones[number].cursor = window.head;
    }

    fn state(&self, kind: &Kind, id: &ResourceId) -> Option<Map<String, Value>> {
        match self.model.state(kind, id) {
            Some(Value::Object(members)) => Some(members),
            Some(_) | None => None,
        }
    }

    /// POSTs a plan, each batch with the head that the one before gave.
    fn post_all(&mut self, number: usize, at: i64, plan: &Plan) -> Posted {
        let now = Millis(START.0 + at);
        let mut head = plan.head;
        let mut posts = 0;
        for batch in &plan.batches {
            let mutations: Vec<Value> = batch.items.iter().map(|item| wire(&item.wire)).collect();
            match self.model.post(now, Caller::with_all_scopes(APP), head, &mutations) {
                Ok(applied) => {
                    posts += 1;
                    head = applied.head;
                    self.acknowledged(number, &batch.items, &applied.mutations);
                }
                Err(refusal) if refusal.reason == Reason::OutOfSync => return Posted::OutOfSync,
                Err(_) => {
                    posts += 1;
                    self.tally.refused += 1;
                }
            }
        }
        self.phones[number].cursor = head;
        Posted::All(posts)
    }

    /// What was brought back has another id from now on.
    fn acknowledged(&mut self, number: usize, items: &[Item], acknowledgements: &[Value]) {
        for (item, acknowledgement) in items.iter().zip(acknowledgements) {
            let Some(id) = acknowledgement.get("resourceId").and_then(Value::as_str) else { continue };
            let id = ResourceId::from(id);
            let kind = &item.wire.kind;
            let state = self.state(kind, &id);
            self.phones[number].take_over(kind, &id, state);
            if item.wire.op == Op::Create {
                item.names.iter().for_each(|name| self.directory.rename(name, &id));
            }
        }
    }

    /// After the POSTs: the device takes over what the server holds, and what is dealt with leaves the queue.
    fn settle(&mut self, number: usize, inspection: &Inspection, plan: &Plan) {
        for mutation in &inspection.window.mutations {
            let Some(id) = &mutation.resource_id else { continue };
            let state = self.state(&mutation.kind, id);
            self.phones[number].take_over(&mutation.kind, id, state);
        }
        let left = |id: &QueueId| plan.hold.iter().any(|left| left.device.contains(id));
        let phone = &mut self.phones[number];
        phone.queue.retain(|queued| left(&queued.id));
        if !plan.moves_cursor {
            phone.cursor = inspection.window.since;
        }
    }
}

enum Posted {
    /// In so many POSTs.
    All(u64),
    /// The first was refused with 409.
    OutOfSync,
}

/// What a person answers where merge leaves something open: both texts and both sets stay; of two values that cannot
/// be joined the newer one; an edit goes before a deletion.
fn answers(inspection: &Inspection) -> Vec<(Unit, Option<Chosen>)> {
    let diverged = inspection.ids().filter(|(_, pair)| pair.status == Status::Diverged);
    let open = diverged.flat_map(|(id, pair)| pair.open.iter().map(move |path| (id, path)));
    open.map(|(id, path)| {
        let chosen = Chosen { choice: answer(inspection, id, path), by: By::Hand };
        (Unit { pair: id, path: path.clone() }, Some(chosen))
    })
    .collect()
}

fn answer(inspection: &Inspection, id: PairId, path: &FieldPath) -> Choice {
    let pair = inspection.pair(id);
    if path.is_existence() {
        let deleted = pair.shape.op(Side::Device) == Some(Op::Delete);
        return if deleted { Choice::Server } else { Choice::Device };
    }
    let details = inspection.details(pair);
    let long = |field: &Field| {
        let length = |side| field.value(side).and_then(|value| value.as_str()).map_or(0, str::len);
        length(Side::Device) + length(Side::Server) > LONG
    };
    let joins =
        details.field(path).is_some_and(|field| field.unavailable(&Choice::Both).is_none() && !long(field));
    if joins {
        return Choice::Both;
    }
    strategy::clock(inspection, pair).map_or(Choice::Device, |clock| clock.winner().into())
}

/// An entry of the feed.
fn served(value: &Value) -> Option<ServerMutation> {
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    Some(ServerMutation {
        op: Op::from_wire(word("type")?)?,
        kind: Kind::from_wire(word("resource")?),
        resource_id: word("resourceId").map(ResourceId::from),
        data: value.get("data").map(payload).unwrap_or_default(),
        timestamp: Millis(value.get("timestamp")?.as_i64()?),
    })
}

/// A mutation as a POST carries it.
fn wire(mutation: &WireMutation) -> Value {
    let mut wire = Map::new();
    wire.insert("type".to_owned(), mutation.op.wire().into());
    wire.insert("resource".to_owned(), mutation.kind.wire().into());
    if let Some(id) = &mutation.resource_id {
        wire.insert("resourceId".to_owned(), id.as_str().into());
    }
    if let Some(data) = mutation.data.as_str().and_then(|text| serde_json::from_str(text).ok()) {
        wire.insert("data".to_owned(), data);
    }
    Value::Object(wire)
}

#[cfg(test)]
mod tests;
