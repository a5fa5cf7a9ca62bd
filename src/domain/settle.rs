//! What one pair comes to under the choices made: what is pushed, applied, dropped and lost.

use indexmap::IndexMap;

use super::field::{self, Choice, Contest, Field, FieldPath, FieldShape, Verdict};
use super::identity::{FAVORITES, Facts};
use super::inspect::rivals::reading_flag;
use super::inspect::{self, Details, Inspection, Pair, PairId, Rival, Status};
use super::json::Json;
use super::mutation::{Kind, Millis, Op, Payload, QueueId, ResourceId, Side, WireMutation};
use super::naming;
use super::resolution::{Chosen, Resolution};
use super::squash::{Contradiction, Intent};

/// What a pair comes to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Fields wait for a person; nothing of the pair is sent or applied.
    Open(Vec<FieldPath>),
    /// Nothing waits for a person, but it cannot be sent.
    Held(String),
    /// Decided.
    Settled(Settled),
}

/// A decided pair.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// What is sent, in order.
    pub push: Vec<Item>,
    /// Positions in the window of what the device takes over.
    pub apply: Vec<usize>,
    /// Queue entries that leave the queue without being sent, and why.
    pub drop: Option<(Vec<QueueId>, &'static str)>,
    /// Values that are not in the result.
    pub losses: Vec<Loss>,
}

/// One mutation of a POST and what it stands for.
#[derive(Clone, Debug)]
pub struct Item {
    /// The pair it settles.
    pub pair: PairId,
    /// The queue entries that are done once it is acknowledged.
    pub members: Vec<QueueId>,
    /// What is sent.
    pub wire: WireMutation,
    /// The queued collection creation whose acknowledged id must replace `collectionId` before it is sent.
    pub parent: Option<String>,
    /// Names under which links may refer to the collection that this creates.
    pub names: Vec<String>,
    /// The queue entries for whose sake it is sent, where it settles none: without it they cannot be sent either.
    pub sake: Vec<QueueId>,
}

/// A value that one side had changed and that is not in the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The pair, in the inspection that this was planned on.
    pub pair: PairId,
    /// The kind of its resource.
    pub kind: Kind,
    /// The pair's key, which outlives the inspection.
    pub key: String,
    /// What a person calls the resource; its label begins with the kind.
    pub title: String,
    /// The field; the existence of the resource when an operation is lost.
    pub path: FieldPath,
    /// The side whose value is lost.
    pub side: Side,
    /// The value.
    pub value: Json,
    /// Why it is lost.
    pub reason: &'static str,
    /// The pair on which it was decided; another one where two resources contend.
    pub by: PairId,
}

/// What `id` comes to. `now` stamps a result that a person put together, as the user's action time.
pub fn settle(inspection: &Inspection, resolution: &Resolution, id: PairId, now: Millis) -> Outcome {
    let pair = inspection.pair(id);
    let open: Vec<FieldPath> = resolution.open(id, pair).cloned().collect();
    if !open.is_empty() {
        return Outcome::Open(open);
    }
    if pair.device.is_empty() {
        // Most of a long window: the device takes over what the server says, whatever it is.
        return Outcome::Settled(Settled { apply: pair.server.clone(), ..Settled::default() });
    }
    let details = inspection.details(pair);
    let existence = resolution.get(id, &FieldPath::existence()).map(|chosen| &chosen.choice);
    let gives_up = matches!(existence, Some(Choice::Server));
    if let (Some(blocked), false) = (pair.blocked, gives_up) {
        // A parent's fate may have been settled meanwhile; the plan looks at that.
        let chosen = blocked == inspect::Blocked::Retention && matches!(existence, Some(Choice::Device));
        if !matches!(blocked, inspect::Blocked::Parent(_)) && !chosen {
            return Outcome::Held(blocked.reason().to_owned());
        }
    }
    let settling = Settling { inspection, resolution, id, pair, details: &details, now };
    let contest = pair.contest();
    let joined = contest.filter(|rival| settling.joins(rival)).and_then(|rival| rival.id.as_ref());
    let mut settled = match (details.intents.last(), pair.server.is_empty()) {
        (Some(last), _) if existence.is_some_and(|choice| pair.is_deletion(choice)) => settling.delete(last),
        (None, _) => Settled { apply: pair.server.clone(), ..Settled::default() },
        (Some(last), _) if gives_up => settling.give_up(last),
        (Some(last), _) if joined.is_some() => settling.join(last, joined),
        (Some(last), true) if contest.is_some() => settling.beside(last),
        (Some(_), true) => settling.push_all(),
        (Some(last), false) => settling.both(last, existence),
    };
    if let Some(rival) = contest.filter(|_| !gives_up && joined.is_none()) {
        settling.go_over(rival, &mut settled);
    }
    let changes = !gives_up && !existence.is_some_and(|choice| pair.is_deletion(choice));
    if pair.contradiction == Some(Contradiction::ChangedAfterDeletion) && changes {
        let deletion = Json::string(Op::Delete.wire());
        let reason = "the queue changes it after the deletion, and that was chosen";
        settled.losses.push(settling.loss(FieldPath::existence(), Side::Device, deletion, reason));
    }
    if !details.cancelled.is_empty() {
        let cancelled = settling.ids(&details.cancelled);
        if let Some(last) = settled.push.last_mut() {
            // They leave with the rest: left behind, the deletion would soon mean what was just made.
            last.members.extend(cancelled);
            return Outcome::Settled(settled);
        }
        let (ids, _) = settled
            .drop
            .get_or_insert((Vec::new(), "made and deleted on the device before it reached the server"));
        ids.extend(cancelled);
    }
    Outcome::Settled(settled)
}

/// Whether what the device queued for a resource is given up by choice, though nothing of the server's stood against
/// sending it.
pub fn is_dropped(inspection: &Inspection, resolution: &Resolution, id: PairId) -> bool {
    let pair = inspection.pair(id);
    let healthy = matches!(pair.status, Status::Push | Status::Blocked) && !pair.device.is_empty();
    let mut of_server = resolution.of(id).filter(|(_, chosen)| chosen.choice == Choice::Server).peekable();
    if !healthy || of_server.peek().is_none() {
        return false;
    }
    // Where both sides live, the fields decide, and what is left of the mutation may still be sent.
    of_server.any(|(unit, _)| unit.path.is_existence())
        || match settle(inspection, resolution, id, Millis(0)) {
            Outcome::Settled(settled) => settled.push.is_empty() && settled.drop.is_some(),
            Outcome::Open(_) | Outcome::Held(_) => false,
        }
}

/// Whether a value of the device's is lost when what it queued for the resource is not sent.
pub fn is_lost_unsent(pair: &Pair, field: &Field) -> bool {
    let told = !matches!(field.shape, FieldShape::Existence | FieldShape::Bookkeeping);
    let gone = pair.shape.server.is_none_or(|op| op == Op::Delete);
    told && field.device.is_some()
        && (field.changed_by(Side::Device) || gone && !field.unchanged_by(Side::Device))
}

struct Settling<'a> {
    inspection: &'a Inspection,
    resolution: &'a Resolution,
    id: PairId,
    pair: &'a Pair,
    details: &'a Details,
    now: Millis,
}

impl Settling<'_> {
    fn ids(&self, positions: &[usize]) -> Vec<QueueId> {
        positions.iter().map(|p| self.inspection.device.queue[*p].id.clone()).collect()
    }

    /// The queue entries that are done once the pair is: those that came back, and those behind them.
    fn members(&self) -> Vec<QueueId> {
        let wanted = self.details.intents.iter().flat_map(|intent| &intent.members);
        let positions: Vec<usize> = self.details.done.iter().chain(wanted).copied().collect();
        self.ids(&positions)
    }

    /// Everything the device wants is sent as it was queued, but for what a person corrected.
    fn push_all(&self) -> Settled {
        let mut settled = Settled::default();
        let last = self.details.intents.len().saturating_sub(1);
        for (at, intent) in self.details.intents.iter().enumerate() {
            let queued = self.as_queued(intent);
            let wire = if at == last { self.corrected(queued, &mut settled.losses) } else { queued };
            // What came back is done with the first of what follows it.
            let done: &[usize] = if at == 0 { &self.details.done } else { &[] };
            let members: Vec<usize> = done.iter().chain(&intent.members).copied().collect();
            settled.push.push(self.item_for(self.ids(&members), wire, intent));
        }
        settled
    }

    /// Only the device speaks of it, and something else of the server's stands against one of its values.
    fn beside(&self, last: &Intent) -> Settled {
        let mut settled = Settled::default();
        let Some((_, before)) = self.details.intents.split_last() else { return settled };
        let item = |intent: &Intent, wire| self.item_for(self.ids(&intent.members), wire, intent);
        settled.push.extend(before.iter().map(|intent| item(intent, self.as_queued(intent))));
        let wire = self.contested(self.as_queued(last), &mut settled.losses);
        let wire = self.corrected(wire, &mut settled.losses);
        let contested = self.details.fields.iter().find(|field| field.against.is_some());
        let gave_up = contested.is_some_and(|field| self.choice(field) == Some(Choice::Server));
        // What is left of an update may be nothing.
        let left = wire.data.members();
        let says = |name: &String| !matches!(name.as_str(), "clientCreatedAt" | "clientUpdatedAt");
        let known = wire.resource_id.is_some() || last.op == Op::Update;
        let same = |name: &String| {
            let path = self.details.fields.iter().find(|f| f.path.as_str().trim_start_matches('/') == name);
            path.is_some_and(|field| field.verdict == Verdict::Equal)
        };
        if gave_up && known && left.keys().filter(|name| says(name)).all(same) {
            settled.drop = Some((self.ids(&last.members), "the server's side was chosen"));
        } else {
            settled.push.push(item(last, wire));
        }
        settled
    }

    /// What is sent without the contested value, where the server's stands.
    fn contested(&self, mut wire: WireMutation, losses: &mut Vec<Loss>) -> WireMutation {
        for field in self.details.fields.iter().filter(|field| field.against.is_some()) {
            if self.choice(field) != Some(Choice::Server) {
                continue;
            }
            let mut data = wire.data.members();
            if data.shift_remove(field.path.as_str().trim_start_matches('/')).is_some() {
                wire.data = self.restamped(data);
            }
            if let Some(value) = &field.device {
                let reason = "the server's value was chosen";
                losses.push(self.loss(field.path.clone(), Side::Device, value.clone(), reason));
            }
        }
        wire
    }

    fn choice(&self, field: &Field) -> Option<Choice> {
        self.resolution.get(self.id, &field.path).map(|chosen| chosen.choice.clone())
    }

    /// Whether the two collections of a contested name become one.
    fn joins(&self, rival: &Rival) -> bool {
        let chosen = self.resolution.get(self.id, &rival.path);
        rival.apart.is_none() && chosen.is_some_and(|chosen| chosen.choice == Choice::Both)
    }

    /// The device's collection goes into the server's of the same name: its links are made there, then it is deleted.
    fn join(&self, last: &Intent, into: Option<&ResourceId>) -> Settled {
        let mut settled = Settled { apply: self.pair.server.clone(), ..Settled::default() };
        let (Some(id), Some(into)) = (self.inspection.servers_id(self.pair), into) else { return settled };
        for link in self.inspection.links_of(&id) {
            let Some(place) = link.place else { continue };
            let mut data = IndexMap::new();
            data.insert(String::from("collectionId"), Json::string(into.as_str()));
            data.extend(place.members());
            let data = Payload::from_members(&data);
            let wire = WireMutation { op: Op::Create, kind: Kind::Link, resource_id: None, data };
            settled.push.push(self.for_the_sake_of(self.id, wire));
        }
        let wire = WireMutation {
            op: Op::Delete,
            kind: Kind::Collection,
            resource_id: Some(id),
            data: Payload::ABSENT,
        };
        settled.push.push(self.item_for(self.members(), wire, last));
        let reason = "joined with the collection of the same name";
        for field in &self.details.fields {
            let counts = !matches!(field.shape, FieldShape::Existence | FieldShape::Bookkeeping)
                && field.against.is_none()
                && self.pair.contest().is_none_or(|rival| rival.other_name != field.path);
            for side in [Side::Device, Side::Server] {
                let changed = counts && field.changed_by(side);
                if let Some(value) = field.value(side).filter(|_| changed) {
                    settled.losses.push(self.loss(field.path.clone(), side, value.clone(), reason));
                }
            }
            if let (Some(_), Some(name)) = (&field.against, &field.server) {
                settled.losses.push(self.loss(field.path.clone(), Side::Server, name.clone(), reason));
            }
        }
        let was = self.pair.shape.device.unwrap_or(Op::Update);
        settled.losses.push(self.loss(
            FieldPath::existence(),
            Side::Device,
            Json::string(was.wire()),
            reason,
        ));
        settled
    }

    /// What the server has in a contest and loses by what is sent.
    fn go_over(&self, rival: &Rival, settled: &mut Settled) {
        let title = match rival.other {
            Some(other) => naming::title(self.inspection, self.inspection.pair(other)),
            None => naming::title_of_row(self.inspection, &self.pair.kind, &rival.key),
        };
        let lost = |reason| Loss {
            pair: rival.other.unwrap_or(self.id),
            kind: self.pair.kind.clone(),
            key: rival.key.clone(),
            title: title.clone(),
            path: rival.path.clone(),
            side: Side::Server,
            value: rival.holds.clone(),
            reason,
            by: self.id,
        };
        match rival.contest {
            Contest::ReadingPlace => {
                let reads = |item: &Item| reading_flag(&item.wire.data) == Some(true);
                if settled.push.iter().any(reads) {
                    let displaced = lost("there is one reading place, and it was set elsewhere");
                    lose_beside(&mut settled.losses, displaced);
                }
            }
            Contest::NameTaken if self.resolution.renames_other(self.id, rival) => {
                let other = self.details.field(&rival.other_name);
                let name = other.and_then(|field| field.result(&self.choice(field)?));
                let (Some(name), Some(id)) = (name, &rival.id) else { return };
                let mut data = IndexMap::new();
                data.insert(String::from("name"), name);
                let wire = WireMutation {
                    op: Op::Update,
                    kind: Kind::Collection,
                    resource_id: Some(id.clone()),
                    data: self.restamped(data),
                };
                // The name must be free before the other gets it.
                let pair = rival.other.unwrap_or(self.id);
                settled.push.insert(0, self.for_the_sake_of(pair, wire));
                lose_beside(&mut settled.losses, lost("its name was given to another collection"));
            }
            Contest::NameTaken => {}
        }
    }

    fn for_the_sake_of(&self, pair: PairId, wire: WireMutation) -> Item {
        Item { pair, members: Vec::new(), wire, parent: None, names: Vec::new(), sake: self.members() }
    }

    /// Members that a person put together, stamped with the moment of choosing.
    fn restamped(&self, mut data: IndexMap<String, Json>) -> Payload {
        data.insert(String::from("clientUpdatedAt"), Json::string(self.now.to_iso()));
        Payload::from_members(&data)
    }

    /// The person (or a strategy) decided that the server's state stands as it is.
    fn give_up(&self, last: &Intent) -> Settled {
        let losses = if self.twin_holds_it(last) {
            Vec::new()
        } else {
            self.device_losses(last, "the server's side was chosen")
        };
        let reason = if self.pair.twin.is_some() {
            "the same one is already on the server"
        } else if self.pair.server.is_empty() {
            "dropped by choice"
        } else {
            "the server's side was chosen"
        };
        Settled {
            push: Vec::new(),
            apply: self.pair.server.clone(),
            drop: Some((self.members(), reason)),
            losses,
        }
    }

    /// The deletion counts, and what the queue says after it does not.
    fn delete(&self, last: &Intent) -> Settled {
        let server = self.inspection.primary(self.pair);
        let reason = "the deletion was chosen";
        let op = Json::string(last.op.wire());
        let mut losses = vec![self.loss(FieldPath::existence(), Side::Device, op, reason)];
        losses.extend(self.losses_where(Side::Device, reason, |field| field.device.is_some()));
        let mut settled = Settled { apply: self.pair.server.clone(), ..Settled::default() };
        let id = last.resource_id.clone().or_else(|| server.and_then(|m| m.resource_id.clone()));
        let gone = server.is_some_and(|m| m.op == Op::Delete);
        let nameless = id.is_none() && self.pair.kind != Kind::Link;
        if gone || nameless {
            settled.drop = Some((self.members(), reason));
        } else {
            losses.extend(server.into_iter().flat_map(|m| self.server_losses(m.op, reason)));
            let wire = WireMutation {
                op: Op::Delete,
                kind: self.pair.kind.clone(),
                resource_id: id,
                data: last.data.clone(),
            };
            settled.push.push(self.item_for(self.members(), for_wire(self.inspection, wire), last));
            settled.apply.clear();
        }
        // What is said of one field stands together.
        let order: Vec<FieldPath> = losses.iter().map(|loss| loss.path.clone()).collect();
        losses.sort_by_key(|loss| order.iter().position(|path| *path == loss.path));
        settled.losses = losses;
        settled
    }

    /// Whether what may be this creation's replay says all that the device says.
    fn twin_holds_it(&self, last: &Intent) -> bool {
        let twin = self.pair.twin.and_then(|position| self.inspection.window.mutations.get(position));
        twin.is_some_and(|twin| {
            let (wants, holds) = (last.data.members(), twin.data.members());
            let fields = field::compare(&self.pair.kind, &IndexMap::new(), &wants, &holds);
            fields.iter().all(|f| {
                f.shape == FieldShape::Bookkeeping
                    || matches!(f.verdict, Verdict::Equal | Verdict::ServerOnly)
            })
        })
    }

    fn both(&self, last: &Intent, existence: Option<&Choice>) -> Settled {
        let server = self.inspection.primary(self.pair);
        let server_op = server.map_or(Op::Delete, |m| m.op);
        match (last.op, server_op) {
            (Op::Delete, Op::Delete) => self.agreed("deleted on both sides"),
            (Op::Delete, Op::Create | Op::Update) => {
                // Keep deleted: the deletion is sent, what the server wrote meanwhile goes.
                let losses = if self.pair.status == Status::Push {
                    Vec::new()
                } else {
                    self.server_losses(server_op, "the deletion was chosen")
                };
                let mut settled = Settled { losses, ..Settled::default() };
                let id = last.resource_id.clone().or_else(|| server.and_then(|m| m.resource_id.clone()));
                let wire = WireMutation { resource_id: id, ..self.as_queued(last) };
                settled.push.push(self.item_for(self.members(), wire, last));
                settled
            }
            (Op::Create | Op::Update, Op::Delete)
                if self.details.intents.len() > 1
                    || (last.op == Op::Create && self.pair.done > 0 && existence.is_none()) =>
            {
                // The server has deleted already; only the new creation is left to send.
                let mut settled = Settled { apply: self.pair.server.clone(), ..Settled::default() };
                let wire = self.contested(self.as_queued(last), &mut settled.losses);
                let wire = self.corrected(wire, &mut settled.losses);
                settled.push.push(self.item_for(self.members(), wire, last));
                settled
            }
            (Op::Create | Op::Update, Op::Delete) => {
                debug_assert!(existence.is_some(), "an edit against a delete is open until somebody chooses");
                self.bring_back(last)
            }
            (Op::Create | Op::Update, Op::Create | Op::Update)
                if inspect::is_made_anew(self.pair, &self.details.intents) =>
            {
                let losses = if existence.is_some() {
                    self.server_losses(server_op, "the deletion was chosen")
                } else {
                    Vec::new()
                };
                let mut settled = self.push_all();
                settled.losses.extend(losses);
                settled
            }
            (Op::Create | Op::Update, Op::Create | Op::Update) => self.by_field(last),
        }
    }

    /// What is sent with the values in it that a person wrote in the place of the device's, stamped with the moment of
    /// choosing; what they replace goes into the ledger.
    fn corrected(&self, mut wire: WireMutation, losses: &mut Vec<Loss>) -> WireMutation {
        let written = self.details.fields.iter().filter(|field| self.pair.is_correctable(field));
        let written = written.filter_map(|field| match self.resolution.get(self.id, &field.path) {
            Some(Chosen { choice: Choice::Edited(value), .. }) if field.device.as_ref() != Some(value) => {
                Some((field, value))
            }
            _ => None,
        });
        let mut data = None;
        for (field, value) in written {
            let data = data.get_or_insert_with(|| wire.data.members());
            field::set_member(&wire.kind, data, &field.path, value);
            if let Some(device) = &field.device {
                let reason = "replaced by an edited value";
                losses.push(self.loss(field.path.clone(), Side::Device, device.clone(), reason));
            }
        }
        if let Some(mut data) = data {
            data.insert(String::from("clientUpdatedAt"), Json::string(self.now.to_iso()));
            wire.data = Payload::from_members(&data);
        }
        wire
    }

    fn agreed(&self, reason: &'static str) -> Settled {
        Settled {
            apply: self.pair.server.clone(),
            drop: Some((self.members(), reason)),
            ..Settled::default()
        }
    }

    /// A creation without the old id, of all the device knows: its row under what it wanted to change.
    fn bring_back(&self, last: &Intent) -> Settled {
        let mut data = self.inspection.base(self.pair);
        let (kind, wanted) = (&self.pair.kind, last.data.members());
        // Of a position that the device sets anew nothing of the old one is left.
        let moves = wanted.keys().any(|name| field::in_position(kind, name));
        data.retain(|name, _| pushable(kind, name) && !(moves && field::in_position(kind, name)));
        if self.inspection.reads_elsewhere(self.id) {
            // That it was the reading place once takes it from no other.
            data.shift_remove("isReading");
        }
        data.extend(wanted);
        let wire = WireMutation {
            op: Op::Create,
            kind: self.pair.kind.clone(),
            resource_id: None,
            data: Payload::from_members(&data),
        };
        let mut losses = vec![self.loss(
            FieldPath::existence(),
            Side::Server,
            Json::string(Op::Delete.wire()),
            "brought back by choice",
        )];
        let wire = self.contested(for_wire(self.inspection, wire), &mut losses);
        let wire = self.corrected(wire, &mut losses);
        let mut item = self.item_for(self.members(), wire, last);
        if self.pair.kind == Kind::Collection {
            item.names.extend(last.resource_id.iter().map(ToString::to_string));
        }
        Settled { push: vec![item], apply: self.pair.server.clone(), drop: None, losses }
    }

    /// Both sides live: the result is put together field by field.
    fn by_field(&self, last: &Intent) -> Settled {
        let mut settled = Settled { apply: self.pair.server.clone(), ..Settled::default() };
        let mut data = last.data.members();
        let (mut sends, mut as_queued) = (false, self.details.intents.len() == 1);
        let mut moved = false;
        for field in &self.details.fields {
            if field.shape == FieldShape::Existence {
                continue;
            }
            if field.shape == FieldShape::Bookkeeping || self.is_other_name(field) {
                continue;
            }
            if field.against.is_some() && self.choice(field) == Some(Choice::Server) {
                // The device's value goes; what the server has stands without being sent.
                self.losses_of(field, &Choice::Server, field.server.as_ref(), &mut settled.losses);
                data.shift_remove(field.path.as_str().trim_start_matches('/'));
                as_queued = false;
                continue;
            }
            let settled_by = if self.pair.kind == Kind::Link {
                // A link is there or it is not; what else it says is the server's.
                Some((Choice::Server, field.server.clone()))
            } else {
                self.result(field)
            };
            let Some((choice, result)) = settled_by else { continue };
            self.losses_of(field, &choice, result.as_ref(), &mut settled.losses);
            let differs = result != field.server && field.verdict != Verdict::Equal;
            // What the device's data leaves out of an object would be gone once the object is set.
            let left_out = field.device.is_none() && !differs && !field.path.is_nested();
            let kept = result == field.device || left_out;
            if differs {
                sends = true;
                moved |= field.shape == FieldShape::Position && field.server.is_some();
            }
            // An equal value is sent as the device wrote it; the server knows it already.
            if !kept && field.verdict != Verdict::Equal {
                as_queued = false;
                if let Some(result) = &result {
                    field::set_member(&self.pair.kind, &mut data, &field.path, result);
                }
            }
        }
        if !sends || self.pair.kind == Kind::Link {
            let reason = if self.pair.status == Status::Converged {
                "already on the server"
            } else {
                "the server's side was chosen"
            };
            settled.drop = Some((self.members(), reason));
            return settled;
        }
        let server_id = self.inspection.primary(self.pair).and_then(|m| m.resource_id.clone());
        let wire = if moved && self.pair.kind == Kind::Bookmark {
            // A bookmark does not move: another place is another bookmark (PROTOCOL A9).
            WireMutation {
                op: Op::Create,
                kind: Kind::Bookmark,
                resource_id: None,
                data: self.stamped(data, as_queued, last),
            }
        } else {
            WireMutation {
                op: Op::Update,
                kind: self.pair.kind.clone(),
                resource_id: last.resource_id.clone().or(server_id),
                data: self.stamped(data, as_queued, last),
            }
        };
        settled.push.push(self.item_for(self.members(), for_wire_update(self.inspection, wire), last));
        settled
    }

    fn is_other_name(&self, field: &Field) -> bool {
        self.pair.name_contest().is_some_and(|rival| rival.other_name == field.path)
    }

    /// The device's data untouched where all of it survives; else the result, stamped with the moment of choosing.
    fn stamped(&self, mut data: IndexMap<String, Json>, as_queued: bool, last: &Intent) -> Payload {
        if as_queued {
            return last.data.clone();
        }
        data.insert(String::from("clientUpdatedAt"), Json::string(self.now.to_iso()));
        data.shift_remove("clientCreatedAt");
        Payload::from_members(&data)
    }

    /// The choice that stands on a field and the value it leaves; `None` where nothing has to be decided.
    fn result(&self, field: &Field) -> Option<(Choice, Option<Json>)> {
        // Of a queue that contradicts itself what became of the resource was chosen, and with it its fields. Where the
        // server's collection gets another name the device's has its own without being asked.
        let whole =
            || (self.pair.contradiction.is_some() || field.against.is_some()).then_some(Choice::Device);
        let choice = self.choice(field).or_else(|| field.settled()).or_else(whole)?;
        let result = field.result(&choice);
        Some((choice, result))
    }

    fn losses_of(&self, field: &Field, choice: &Choice, result: Option<&Json>, losses: &mut Vec<Loss>) {
        if *choice == Choice::Both {
            return;
        }
        for side in [Side::Device, Side::Server] {
            let Some(value) = field.value(side) else { continue };
            if field.changed_by(side) && result != Some(value) {
                let reason = match choice {
                    Choice::Device => "the device's value was chosen",
                    Choice::Server => "the server's value was chosen",
                    Choice::Edited(_) => "replaced by an edited value",
                    Choice::Both => continue,
                };
                losses.push(self.loss(field.path.clone(), side, value.clone(), reason));
            }
        }
    }

    /// What the device wanted, where none of it survives.
    fn device_losses(&self, last: &Intent, reason: &'static str) -> Vec<Loss> {
        if last.op == Op::Delete {
            return vec![self.loss(
                FieldPath::existence(),
                Side::Device,
                Json::string(Op::Delete.wire()),
                reason,
            )];
        }
        // A server that does not have the resource holds nothing of it, so that it would keep quiet about a member
        // says nothing either.
        let gone = self.inspection.primary(self.pair).is_none_or(|m| m.op == Op::Delete);
        // What stays behind on the server without the device's changes is not lost as a whole.
        let deleted = self.inspection.primary(self.pair).is_some_and(|m| m.op == Op::Delete);
        let fields = self.losses_where(Side::Device, reason, |field| {
            field.changed_by(Side::Device) || gone && !field.unchanged_by(Side::Device)
        });
        let whole = deleted || gone && (last.op == Op::Create || fields.is_empty());
        let whole = whole
            .then(|| self.loss(FieldPath::existence(), Side::Device, Json::string(last.op.wire()), reason));
        whole.into_iter().chain(fields).collect()
    }

    /// What the server wrote, where the device's deletion goes over it.
    fn server_losses(&self, server_op: Op, reason: &'static str) -> Vec<Loss> {
        let whole = self.loss(FieldPath::existence(), Side::Server, Json::string(server_op.wire()), reason);
        let fields = self.losses_where(Side::Server, reason, |field| field.changed_by(Side::Server));
        std::iter::once(whole).chain(fields).collect()
    }

    /// The values of one side in the fields that `lost` names.
    fn losses_where(&self, side: Side, reason: &'static str, lost: impl Fn(&Field) -> bool) -> Vec<Loss> {
        let told = |field: &&Field| !matches!(field.shape, FieldShape::Existence | FieldShape::Bookkeeping);
        let fields = self.details.fields.iter().filter(told).filter(|field| lost(field));
        fields.filter_map(|f| Some(self.loss(f.path.clone(), side, f.value(side)?.clone(), reason))).collect()
    }

    fn loss(&self, path: FieldPath, side: Side, value: Json, reason: &'static str) -> Loss {
        Loss {
            pair: self.id,
            kind: self.pair.kind.clone(),
            key: self.pair.key.clone(),
            title: naming::title(self.inspection, self.pair),
            path,
            side,
            value,
            reason,
            by: self.id,
        }
    }

    fn as_queued(&self, intent: &Intent) -> WireMutation {
        let wire = WireMutation {
            op: intent.op,
            kind: self.pair.kind.clone(),
            resource_id: intent.resource_id.clone(),
            data: intent.data.clone(),
        };
        for_wire(self.inspection, wire)
    }

    fn item_for(&self, members: Vec<QueueId>, wire: WireMutation, intent: &Intent) -> Item {
        // Links refer to collections alone.
        let names = if wire.op == Op::Create && wire.kind == Kind::Collection {
            let own = self.ids(&intent.members).into_iter().map(|id| id.to_string());
            own.chain(intent.former_id.iter().map(ToString::to_string)).collect()
        } else {
            Vec::new()
        };
        Item { pair: self.id, members, wire, parent: None, names, sake: Vec::new() }
    }
}

/// The losses of one field stand together.
fn lose_beside(losses: &mut Vec<Loss>, loss: Loss) {
    let at = losses.iter().rposition(|other| other.path == loss.path).map_or(losses.len(), |at| at + 1);
    losses.insert(at, loss);
}

/// The form that the server takes: what the phone sends, and nothing it is known to refuse.
fn for_wire(inspection: &Inspection, mut wire: WireMutation) -> WireMutation {
    if wire.kind == Kind::Bookmark && wire.op == Op::Update {
        // The phone sends every bookmark update as a CREATE with its id (PROTOCOL D12).
        wire.op = Op::Create;
    }
    for_wire_update(inspection, wire)
}

fn for_wire_update(inspection: &Inspection, mut wire: WireMutation) -> WireMutation {
    let before = wire.data.members();
    let mut data = before.clone();
    match (&wire.kind, wire.op) {
        (Kind::Other(_), _) | (_, Op::Create) => {}
        // The phone tells when something was made only as it makes it, and no client time of a deletion
        // (PROTOCOL A6).
        (_, Op::Update) => {
            data.shift_remove("clientCreatedAt");
        }
        (Kind::Link, Op::Delete) => {
            let named = ["bookmarkId", "bookmark_id"].iter().any(|name| data.contains_key(*name));
            data.retain(|name, _| match name.as_str() {
                "collectionId" | "bookmarkId" | "bookmark_id" => true,
                "clientCreatedAt" | "clientUpdatedAt" => false,
                // Where the bookmark has no id the place stands for it (PROTOCOL A7).
                _ => !named,
            });
        }
        // What is deleted is named by its id alone.
        (Kind::Bookmark | Kind::Collection | Kind::Note | Kind::ReadingSession, Op::Delete) => data.clear(),
    }
    if wire.kind == Kind::Link {
        // Links are identified by what they join (PROTOCOL D4); a creation with a bookmarkId is refused (A10 S-P2).
        if data.contains_key("collectionId") {
            wire.resource_id = None;
        }
        if wire.op != Op::Delete && data.contains_key("key") {
            data.shift_remove("bookmarkId");
            data.shift_remove("bookmark_id");
        }
        if let Some(id) = Facts::of(&Kind::Link, &wire.data, false).collection
            && let Some(real) = arrived(inspection, &id)
        {
            data.insert(String::from("collectionId"), Json::string(real.as_str()));
        }
    }
    for name in ["clientCreatedAt", "clientUpdatedAt"] {
        // Client times are written as ISO text (PROTOCOL D11).
        if let Some(Json::Number(_)) = data.get(name)
            && let Some(time) = Millis::from_json(&data[name])
        {
            data.insert(String::from(name), Json::string(time.to_iso()));
        }
    }
    // What needs no change is sent byte for byte.
    if data.is_empty() && !before.is_empty() {
        wire.data = Payload::ABSENT;
    } else if data != before {
        wire.data = Payload::from_members(&data);
    }
    wire
}

/// The server's id of a queued collection that is known to have arrived there.
fn arrived(inspection: &Inspection, collection: &str) -> Option<ResourceId> {
    if collection == FAVORITES {
        return None;
    }
    if let Some(id) = inspection.device.given.collection(collection) {
        return Some(id.clone());
    }
    let pair = inspection.pair(inspection.collection(collection)?);
    let server = inspection.primary(pair).filter(|m| m.op != Op::Delete)?;
    let id = server.resource_id.clone()?;
    let queued = inspection.queued(pair).any(|m| m.id.as_str() == collection);
    (queued && id.as_str() != collection).then_some(id)
}

/// The members that a request may carry (PROTOCOL A7); the feed returns more.
fn pushable(kind: &Kind, name: &str) -> bool {
    let names: &[&str] = match kind {
        Kind::Bookmark => &["type", "key", "verseNumber", "isReading", "mushaf", "mushafId"],
        Kind::Collection => &["name"],
        Kind::Link => &["collectionId", "type", "key", "verseNumber", "mushaf"],
        Kind::Note => &["body", "ranges"],
        Kind::ReadingSession => &["chapterNumber", "verseNumber"],
        Kind::Other(_) => return true,
    };
    names.contains(&name)
}
