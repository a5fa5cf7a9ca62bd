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

use super::Progress;
use super::history::History;
use super::phone::{Directory, Phone, START, Waiting, payload};
use super::tally::Tally;
use crate::domain::field::{Choice, Field, FieldPath};
use crate::domain::inspect::{Inspection, PairId, Status, inspect};
use crate::domain::ledger;
use crate::domain::mutation::{Cursor, Kind, Millis, Op, ResourceId, ServerMutation, Side, WireMutation};
use crate::domain::phone::Feed;
use crate::domain::plan::{self, MAX_BATCH, Phase, Plan};
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
pub(super) fn play(beginning: &Beginning, history: &History, rules: Rules, progress: &Progress) -> Tally {
    let mut world = World::new(beginning, history, rules);
    world.play(history, progress);
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
    pub(super) fn play(&mut self, history: &History, progress: &Progress) {
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
            if at >= history.end || progress.is_stopped() {
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
            if self.agree() || progress.is_stopped() {
                break;
            }
            self.sync(number, at);
            last.push(Reverse((online(number).next_sync(at + 1, interval), number)));
        }
        self.tally.never_agreed += u64::from(self.apart_since.is_some());
    }

    /// What a person does on a device.
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
                let phone = &mut self.phones[number];
                phone.take_over_feed(feed(&self.model, phone.cursor));
                phone.cursor = self.model.head();
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
        if !self.is_refused(number, at) {
            return self.post_queue(number, at);
        }
        self.tally.conflicts += 1;
        let (posts, pages) = self.recover(number, at);
        // Without a 409 the sync would have been the POSTs alone, or one pull where nothing is left to send.
        self.tally.extra += 1 + pages - u64::from(posts == 0);
        1 + pages + posts
    }

    /// Whether the server refuses what this device POSTs with its own cursor. The model looks at the head before it looks
    /// at what is stored, so the answer is the same for every mutation that is well formed, and for none.
    fn is_refused(&mut self, number: usize, at: i64) -> bool {
        let cursor = self.phones[number].cursor;
        let posted = self.model.post(Millis(START.0 + at), Caller::with_all_scopes(APP), cursor, &[]);
        posted.is_err_and(|refusal| refusal.reason == Reason::OutOfSync)
    }

    /// Pulls, decides, and sends what is left to send. Answers POSTs and pulled pages.
    fn recover(&mut self, number: usize, at: i64) -> (u64, u64) {
        let phone = &mut self.phones[number];
        let since = phone.cursor;
        let feed = feed(&self.model, since);
        let pages = (feed.len() as u64).div_ceil(PAGE).max(1);
        // What nothing that waits is about is taken over as it is; the rest is what has to be decided.
        let about: Vec<ServerMutation> =
            feed.iter().filter(|entry| phone.waits_for(entry)).filter_map(served).collect();
        if about.is_empty() {
            phone.take_over_feed(feed);
            phone.cursor = self.model.head();
            return (self.post_queue(number, at), pages);
        }
        let inspection = self.inspect(number, self.window(since, about));
        let resolution = self.decide(number, &inspection);
        let plan = plan::plan(&inspection, &resolution, self.phones[number].clock(at));
        self.tally.divergences += inspection.summary.diverged as u64;
        self.count_losses(number, &inspection, &plan);
        self.phones[number].take_over_feed(feed);
        let posts = self.post_plan(number, at, &inspection, &plan);
        self.settle(number, &inspection, &plan);
        (posts, pages)
    }

    const fn window(&self, since: Cursor, mutations: Vec<ServerMutation>) -> Window {
        Window {
            path: PullPath::SinceCursor,
            since,
            head: self.model.head(),
            mutations,
            unreadable: Vec::new(),
            phone: Feed::NONE,
            warnings: Vec::new(),
            not_visible: Vec::new(),
        }
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
        for line in ledger::lines(&plan.ledger) {
            let loss = &plan.ledger[line.at];
            let id = inspection.queued(inspection.pair(loss.pair)).find_map(|m| m.resource_id.as_ref());
            // A resource that is lost with all it says counts where somebody had written some of that.
            let written = if loss.path.is_existence() && !line.under.is_empty() {
                line.all(&plan.ledger).skip(1).any(|loss| phone.was_written(loss, id))
            } else {
                phone.was_written(loss, id)
            };
            if written {
                match loss.side {
                    Side::Device => self.tally.lost_device += 1,
                    Side::Server => self.tally.lost_server += 1,
                }
            }
        }
    }

    /// POSTs what is queued as it is, in the phases of a push. Answers how many POSTs it took.
    fn post_queue(&mut self, number: usize, at: i64) -> u64 {
        let mut queue = std::mem::take(&mut self.phones[number].queue);
        let phase = |waiting: &Waiting| Phase::of(&waiting.kind, waiting.op);
        queue.sort_by_key(phase);
        let mut posts = 0;
        while let Some(first) = queue.first().map(phase) {
            let of_phase = queue.partition_point(|waiting| phase(waiting) <= first);
            let batch = queue.drain(..of_phase.min(MAX_BATCH));
            let mutations: Vec<Value> = batch.map(Waiting::into_wire).collect();
            posts += 1;
            if let Some(acknowledgements) = self.post(number, at, &mutations) {
                self.phones[number].take_over_feed(acknowledgements);
            }
        }
        posts
    }

    /// POSTs what a plan says. Answers how many POSTs it took.
    fn post_plan(&mut self, number: usize, at: i64, inspection: &Inspection, plan: &Plan) -> u64 {
        self.phones[number].cursor = plan.head;
        for batch in &plan.batches {
            let mutations: Vec<Value> = batch.items.iter().map(|item| wire(&item.wire)).collect();
            if let Some(acknowledgements) = self.post(number, at, &mutations) {
                self.learn_ids(inspection, &batch.items, &acknowledgements);
                self.phones[number].take_over_feed(acknowledgements);
            }
        }
        plan.batches.len() as u64
    }

    /// One POST with the device's cursor, which moves to the head that is answered. Answers the acknowledgements.
    fn post(&mut self, number: usize, at: i64, mutations: &[Value]) -> Option<Vec<Value>> {
        let phone = &mut self.phones[number];
        let posted =
            self.model.post(Millis(START.0 + at), Caller::with_all_scopes(APP), phone.cursor, mutations);
        if let Ok(applied) = posted {
            phone.cursor = applied.head;
            Some(applied.mutations)
        } else {
            self.tally.refused += 1;
            None
        }
    }

    /// What was brought back has another id from now on.
    fn learn_ids(&mut self, inspection: &Inspection, items: &[Item], acknowledgements: &[Value]) {
        for (item, acknowledgement) in items.iter().zip(acknowledgements) {
            let mut queued = inspection.queued(inspection.pair(item.pair));
            let old = queued.find_map(|queued| queued.resource_id.as_ref());
            let new = acknowledgement.get("resourceId").and_then(Value::as_str);
            if let (Op::Create, Some(old), Some(new)) = (item.wire.op, old, new) {
                self.directory.rename(old, &new.into());
            }
        }
    }

    /// After the POSTs: what is dealt with leaves the queue.
    fn settle(&mut self, number: usize, inspection: &Inspection, plan: &Plan) {
        let phone = &mut self.phones[number];
        let held = |waiting: &Waiting| plan.hold.iter().any(|left| left.device.contains(&waiting.queue_id()));
        phone.queue.retain(held);
        if !plan.moves_cursor {
            phone.cursor = inspection.window.since;
        }
    }
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
    let contested = pair.contends_for(path);
    let joins = !contested
        && details
            .field(path)
            .is_some_and(|field| field.unavailable(&Choice::Both).is_none() && !long(field));
    if joins {
        return Choice::Both;
    }
    strategy::clock(inspection, pair).map_or(Choice::Device, |clock| clock.winner().into())
}

/// What the server's feed holds since a cursor, all pages, as it is answered.
fn feed(model: &Model, since: Cursor) -> Vec<Value> {
    let mut feed = Vec::new();
    let mut query = Query { limit: PAGE, ..Query::since(since) };
    while let Ok(page) = model.get(&query, Scopes::ALL) {
        let Some(list) = page.list else { break };
        feed.extend(list.mutations);
        if !list.has_more {
            break;
        }
        query.page += 1;
    }
    feed
}

/// An entry of the feed.
fn served(value: &Value) -> Option<ServerMutation> {
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    Some(ServerMutation {
        op: Op::from_wire(word("type")?)?,
        kind: Kind::from_wire(word("resource")?),
        resource_id: word("resourceId").map(ResourceId::from),
        data: payload(value.get("data").and_then(Value::as_object)),
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
