//! What a phone's database has waiting, as its client would send it (PROTOCOL B): the mutations in the order of its phases, what
//! looks as if it waited and is never sent, and the resources that both sides agreed on.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::rows::{Bookmark, Collection, Link, Note, Odd, PendingOp, Place, Session, Tables};
use super::schema::Generation;

/// Numbers below this are seconds, not ms (PROTOCOL A6).
const SECONDS_BELOW: u64 = 1_000_000_000_000;
/// The collection that a mark of Favorites stands for where Favorites is no collection (PROTOCOL B).
const FAVORITES: &str = "__default__";

/// A mutation that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The table.
    pub table: &'static str,
    /// The row.
    pub local_id: i64,
    /// The POST of a sync that would carry it: 0 link deletions, 1 bookmarks and collections, 2 links, 3 notes and sessions
    /// (PROTOCOL A11).
    pub phase: u8,
    /// `pending_version`: for a creation, one more than the attempts made where the person wrote once.
    pub version: i64,
    /// When it was made, ms.
    pub at: Option<i64>,
    /// Made by the client to keep its own number of rows, and not because a person deleted something (PROTOCOL D21).
    pub retention: bool,
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub op: &'static str,
    /// The kind on the wire.
    pub resource: &'static str,
    /// The server's id.
    pub resource_id: Option<String>,
    /// The data, as the client would send it.
    pub data: Option<Value>,
}

/// A row that looks as if it waited, and why it is never sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSent {
    /// The table.
    pub table: &'static str,
    /// The row.
    pub local_id: String,
    /// Why.
    pub why: String,
}

/// A resource that has the server's id.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) id: String,
    pub(super) resource: &'static str,
    pub(super) data: Value,
    pub(super) status: &'static str,
    pub(super) at: Option<i64>,
}

/// A row that was deleted before the server acknowledged it.
#[derive(Clone, Debug)]
pub(super) struct Buried {
    pub(super) resource: &'static str,
    pub(super) data: Value,
    pub(super) at: Option<i64>,
}

/// A row that is a resource of its own, and what it wants.
struct Entity<'a> {
    table: &'static str,
    resource: &'static str,
    /// The kind in a sentence.
    noun: &'static str,
    phase: u8,
    local_id: i64,
    remote_id: Option<&'a str>,
    deleted: bool,
    version: i64,
    created: Option<i64>,
    modified: Option<i64>,
    /// What waits, where something does.
    op: Option<&'static str>,
    retention: bool,
    data: Value,
}

/// What a database comes to.
pub(super) struct Contents {
    pub(super) pending: Vec<Pending>,
    pub(super) not_sent: Vec<NotSent>,
    pub(super) held: Vec<Held>,
    pub(super) buried: Vec<Buried>,
    /// Rows that cannot be read and wait for nothing.
    pub(super) odd: Vec<NotSent>,
}

/// ms, also of what was stored as seconds.
fn ms(time: Option<i64>) -> Option<i64> {
    time.map(|time| if time.unsigned_abs() < SECONDS_BELOW { time.saturating_mul(1000) } else { time })
}

/// As the client writes a time: without a fraction where there is none.
fn iso(time: Option<i64>) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(ms(time)?).ok()?;
    let form =
        if time.as_millisecond() % 1000 == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.3fZ" };
    Some(time.strftime(form).to_string())
}

/// `data` with the client's times: the creation's where it creates.
fn stamped(data: Value, op: &str, created: Option<i64>, updated: Option<i64>) -> Value {
    let Value::Object(mut members) = data else { return data };
    if op == "CREATE" {
        members.extend(iso(created).map(|time| (String::from("clientCreatedAt"), Value::from(time))));
    }
    members.extend(iso(updated).map(|time| (String::from("clientUpdatedAt"), Value::from(time))));
    Value::Object(members)
}

fn location(place: Place) -> Map<String, Value> {
    let value = match place {
        Place::Verse(verse) => json!({"type": "ayah", "key": verse.sura, "verseNumber": verse.ayah}),
        Place::Page(page) => json!({"type": "page", "key": page}),
    };
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn status(op: Option<&str>) -> &'static str {
    match op {
        None => "synced",
        Some("DELETE") => "pending_delete",
        Some(_) => "pending_update",
    }
}

impl Contents {
    pub(super) fn of(tables: &Tables, generation: Generation) -> Self {
        let mut contents = Self {
            pending: Vec::new(),
            not_sent: Vec::new(),
            held: Vec::new(),
            buried: Vec::new(),
            odd: Vec::new(),
        };
        let bookmarks: HashMap<i64, &Bookmark> =
            tables.bookmarks.0.iter().map(|row| (row.local_id, row)).collect();
        let collections: HashMap<i64, &Collection> =
            tables.collections.0.iter().map(|row| (row.local_id, row)).collect();
        let (deletions, creations) = contents.links(&tables.links.0, &bookmarks, &collections);
        contents.pending.extend(deletions);
        contents.bookmarks(&tables.bookmarks.0);
        contents.collections(&tables.collections.0);
        contents.pending.extend(creations);
        if generation == Generation::V0_1_10 {
            contents.favorites(&tables.bookmarks.0);
        }
        contents.notes(&tables.notes.0);
        contents.sessions(&tables.sessions.0);
        contents.unreadable("bookmark", &tables.bookmarks.1);
        contents.unreadable("collection", &tables.collections.1);
        contents.unreadable("bookmark_collection", &tables.links.1);
        contents.unreadable("note", &tables.notes.1);
        contents.unreadable("reading_session", &tables.sessions.1);
        contents
    }

    fn unreadable(&mut self, table: &'static str, odd: &[Odd]) {
        for Odd { local_id, what, pending } in odd {
            let list = if *pending { &mut self.not_sent } else { &mut self.odd };
            list.push(NotSent { table, local_id: local_id.clone(), why: what.clone() });
        }
    }

    fn zombie(&mut self, table: &'static str, local_id: i64, why: impl Into<String>) {
        self.not_sent.push(NotSent { table, local_id: local_id.to_string(), why: why.into() });
    }

    fn bookmarks(&mut self, rows: &[Bookmark]) {
        const TABLE: &str = "bookmark";
        let mut waiting: Vec<(u8, Option<i64>, Pending)> = Vec::new();
        for row in rows {
            let entity = row.op.is_some_and(|op| op != PendingOp::Deleted || row.remote_id.is_some());
            let reading = row.reading_op.is_some() && !row.deleted;
            let op = (entity || reading).then(|| {
                if row.deleted || row.op == Some(PendingOp::Deleted) {
                    "DELETE"
                } else if row.reading_op.is_some() || row.op != Some(PendingOp::Modified) {
                    "CREATE"
                } else {
                    "UPDATE"
                }
            });
            let place = match (&row.place, op) {
                (Ok(place), _) => Some(*place),
                // A deletion needs no place.
                (Err(_), Some("DELETE")) => None,
                (Err(what), Some(_)) => {
                    self.zombie(TABLE, row.local_id, format!("{what}: the phone's sync ends on it (S-L9)"));
                    continue;
                }
                (Err(what), None) => {
                    self.odd.push(NotSent {
                        table: TABLE,
                        local_id: row.local_id.to_string(),
                        why: what.clone(),
                    });
                    continue;
                }
            };
            let data = place.map(|place| {
                let mut data = location(place);
                data.insert(String::from("isReading"), row.is_reading.into());
                data.insert(String::from("mushaf"), 1.into());
                Value::Object(data)
            });
            let changed = row.reading_modified_at.or(row.own_modified_at).or(row.modified_at);
            match op {
                Some(op) => {
                    let at = if op == "DELETE" { row.modified_at } else { changed };
                    let facet = u8::from(!entity);
                    waiting.push((
                        facet,
                        ms(at),
                        Pending {
                            table: TABLE,
                            local_id: row.local_id,
                            phase: 1,
                            version: if entity { row.version } else { row.reading_version },
                            at: ms(row.modified_at),
                            retention: false,
                            op,
                            resource: "BOOKMARK",
                            resource_id: row.remote_id.clone(),
                            data: data
                                .clone()
                                .filter(|_| op != "DELETE")
                                .map(|data| stamped(data, op, row.created_at, changed)),
                        },
                    ));
                }
                None if row.op.is_some() || (row.reading_op.is_some() && row.deleted) => {
                    self.zombie(
                        TABLE,
                        row.local_id,
                        "the deletion of a bookmark that the server never acknowledged: it has no id there, and the row stays for ever",
                    );
                }
                None => {}
            }
            if let (Some(id), Some(data)) = (&row.remote_id, data) {
                self.held.push(Held {
                    id: id.clone(),
                    resource: "BOOKMARK",
                    data,
                    status: status(op),
                    at: ms(row.modified_at),
                });
            }
        }
        waiting.sort_by_key(|(facet, _, _)| *facet);
        waiting.sort_by_key(|(_, at, _)| Reverse(*at));
        self.pending.extend(waiting.into_iter().map(|(_, _, pending)| pending));
    }

    /// What becomes of a row that is a resource of its own: it waits, is never sent, is deleted and unknown to the server, or
    /// is what both sides agreed on. Answers what waits.
    fn entity(&mut self, of: Entity<'_>) -> Option<Pending> {
        let Entity {
            table,
            resource,
            noun,
            phase,
            local_id,
            remote_id,
            deleted,
            version,
            created,
            modified,
            op,
            retention,
            data,
        } = of;
        let nameless = remote_id.is_none();
        let pending = match op {
            Some("DELETE") if nameless => {
                let why = if resource == "READING_SESSION" {
                    format!("the deletion of a {noun} that the server never acknowledged: it has no id there")
                } else {
                    format!(
                        "deletes a {noun} that has no id on the server: the phone's sync ends on it (S-L7)"
                    )
                };
                self.zombie(table, local_id, why);
                None
            }
            Some(op) => Some(Pending {
                table,
                local_id,
                phase,
                version,
                at: ms(modified),
                retention,
                op,
                resource,
                resource_id: remote_id.map(str::to_owned),
                data: (op != "DELETE").then(|| stamped(data.clone(), op, created, modified)),
            }),
            None => {
                if deleted {
                    let why = format!(
                        "the deletion of a {noun} that the server never acknowledged: it has no id there, and the row stays for ever"
                    );
                    self.zombie(table, local_id, why);
                }
                None
            }
        };
        let at = ms(modified);
        match remote_id {
            Some(id) => self.held.push(Held { id: id.to_owned(), resource, data, status: status(op), at }),
            None if deleted => self.buried.push(Buried { resource, data, at }),
            None => {}
        }
        pending
    }

    fn collections(&mut self, rows: &[Collection]) {
        let mut waiting: Vec<(Option<i64>, Pending)> = Vec::new();
        for row in rows {
            let made = row.remote_id.is_none() && !row.deleted && row.version > 0;
            let waits = made || (row.remote_id.is_some() && row.deleted) || row.is_edited;
            let op = waits.then_some(match (row.deleted, &row.remote_id) {
                (true, _) => "DELETE",
                (false, None) => "CREATE",
                (false, Some(_)) => "UPDATE",
            });
            let entity = Entity {
                table: "collection",
                resource: "COLLECTION",
                noun: "collection",
                phase: 1,
                local_id: row.local_id,
                remote_id: row.remote_id.as_deref(),
                deleted: row.deleted,
                version: row.version,
                created: row.created_at,
                modified: row.modified_at,
                op,
                retention: false,
                data: json!({"name": row.name, "isDefault": row.is_default, "isSystem": row.is_system}),
            };
            waiting.extend(self.entity(entity).map(|pending| (row.created_at, pending)));
        }
        waiting.sort_by_key(|(created, _)| Reverse(*created));
        self.pending.extend(waiting.into_iter().map(|(_, pending)| pending));
    }

    /// The deletions and the creations of links, in the order in which the client sends them.
    fn links(
        &mut self,
        rows: &[Link],
        bookmarks: &HashMap<i64, &Bookmark>,
        collections: &HashMap<i64, &Collection>,
    ) -> (Vec<Pending>, Vec<Pending>) {
        const TABLE: &str = "bookmark_collection";
        let mut waiting: Vec<&Link> = Vec::new();
        waiting.extend(rows);
        waiting.sort_by_key(|row| Reverse(row.modified_at));
        let (mut deletions, mut creations) = (Vec::new(), Vec::new());
        for row in waiting {
            let (bookmark, collection) = (bookmarks.get(&row.bookmark), collections.get(&row.collection));
            let synced = row.synced_collection.as_deref().zip(row.synced_bookmark.as_deref());
            let pending = |op, resource_id, data, phase| Pending {
                table: TABLE,
                local_id: row.local_id,
                phase,
                version: row.version,
                at: ms(row.modified_at),
                retention: false,
                op,
                resource: "COLLECTION_BOOKMARK",
                resource_id,
                data: Some(data),
            };
            if let Some((collection, bookmark)) = synced {
                let mut data = json!({"collectionId": collection, "bookmarkId": bookmark});
                if let (Value::Object(members), Some(Ok(place))) =
                    (&mut data, bookmarks.get(&row.bookmark).map(|row| &row.place))
                {
                    members.extend(location(*place));
                }
                let status = match row.op {
                    Some(PendingOp::Deleted) => "pending_delete",
                    Some(PendingOp::Created | PendingOp::Modified) => "pending_update",
                    None => "synced",
                };
                self.held.push(Held {
                    id: format!("{collection}-{bookmark}"),
                    resource: "COLLECTION_BOOKMARK",
                    data,
                    status,
                    at: ms(row.modified_at),
                });
            }
            match row.op {
                None => {}
                Some(PendingOp::Deleted) => match synced {
                    Some((collection, bookmark)) => deletions.push(pending(
                        "DELETE",
                        Some(format!("{collection}-{bookmark}")),
                        json!({"collectionId": collection, "bookmarkId": bookmark}),
                        0,
                    )),
                    None => self.zombie(
                        TABLE,
                        row.local_id,
                        "takes a bookmark out of a collection in which the server never had it: the row stays for ever",
                    ),
                },
                Some(PendingOp::Created | PendingOp::Modified) if !row.is_active => {
                    self.zombie(TABLE, row.local_id, "is not active: it is never sent");
                }
                Some(PendingOp::Created | PendingOp::Modified) => {
                    let Some(collection) = collection.filter(|collection| !collection.deleted) else {
                        self.zombie(TABLE, row.local_id, "its collection is deleted or is not there");
                        continue;
                    };
                    let Some(remote) = &collection.remote_id else {
                        let why = format!("waits: its collection (collection {}) has no id on the server yet", row.collection);
                        self.zombie(TABLE, row.local_id, why);
                        continue;
                    };
                    let Some(bookmark) = bookmark else {
                        self.zombie(TABLE, row.local_id, "its bookmark is not there");
                        continue;
                    };
                    let place = match &bookmark.place {
                        Ok(place) => *place,
                        Err(what) => {
                            self.zombie(TABLE, row.local_id, format!("its bookmark is {what} (S-L9)"));
                            continue;
                        }
                    };
                    let mut data = Map::from_iter([(String::from("collectionId"), remote.as_str().into())]);
                    data.extend(location(place));
                    data.insert(String::from("mushaf"), 1.into());
                    let id = bookmark.remote_id.as_ref().map(|bookmark| format!("{remote}-{bookmark}"));
                    let data = stamped(Value::Object(data), "CREATE", row.created_at, row.modified_at);
                    creations.push(pending("CREATE", id, data, 2));
                }
            }
        }
        (deletions, creations)
    }

    /// Favorites as a mark of the bookmark (0.1.10 to 0.1.16).
    fn favorites(&mut self, rows: &[Bookmark]) {
        for row in rows {
            let (Some(op), Ok(place)) = (row.default_op, &row.place) else { continue };
            let deletes = op == PendingOp::Deleted;
            let mut data = Map::from_iter([(String::from("collectionId"), FAVORITES.into())]);
            if let (true, Some(id)) = (deletes, &row.remote_id) {
                data.insert(String::from("bookmarkId"), id.as_str().into());
            }
            data.extend(location(*place));
            let data = if deletes {
                Value::Object(data)
            } else {
                data.insert(String::from("mushaf"), 1.into());
                stamped(Value::Object(data), "CREATE", row.created_at, row.modified_at)
            };
            let pending = Pending {
                table: "bookmark",
                local_id: row.local_id,
                phase: if deletes { 0 } else { 2 },
                version: row.version,
                at: ms(row.modified_at),
                retention: false,
                op: if deletes { "DELETE" } else { "CREATE" },
                resource: "COLLECTION_BOOKMARK",
                resource_id: row.remote_id.as_ref().map(|id| format!("{FAVORITES}-{id}")),
                data: Some(data),
            };
            if deletes {
                self.pending.insert(0, pending);
            } else {
                self.pending.push(pending);
            }
        }
    }

    fn notes(&mut self, rows: &[Note]) {
        let mut waiting: Vec<(Option<i64>, Pending)> = Vec::new();
        for row in rows {
            let waits = match &row.remote_id {
                None => !row.deleted || row.is_edited,
                Some(_) => row.deleted || row.is_edited,
            };
            let op = waits.then_some(match (row.deleted, &row.remote_id) {
                (true, _) => "DELETE",
                (false, None) => "CREATE",
                (false, Some(_)) => "UPDATE",
            });
            let entity = Entity {
                table: "note",
                resource: "NOTE",
                noun: "note",
                phase: 3,
                local_id: row.local_id,
                remote_id: row.remote_id.as_deref(),
                deleted: row.deleted,
                version: row.version,
                created: row.created_at,
                modified: row.modified_at,
                op,
                retention: false,
                data: json!({"body": row.body, "ranges": [format!("{}-{}", row.start, row.end)]}),
            };
            waiting.extend(self.entity(entity).map(|pending| (row.created_at, pending)));
        }
        waiting.sort_by_key(|(created, _)| Reverse(*created));
        self.pending.extend(waiting.into_iter().map(|(_, pending)| pending));
    }

    fn sessions(&mut self, rows: &[Session]) {
        let mut waiting: Vec<(Option<i64>, i64, Pending)> = Vec::new();
        for row in rows {
            let waits = match &row.remote_id {
                None => !row.deleted || row.is_edited,
                Some(_) => row.deleted || row.is_edited,
            };
            let op = waits.then_some(if row.deleted {
                "DELETE"
            } else if row.is_edited {
                "UPDATE"
            } else {
                "CREATE"
            });
            // A person's deletion moves the time; the client's own, to keep 20 rows, does not, and while it applies a pull
            // it does not count either (PROTOCOL A10, silent divergence).
            let retention = op == Some("DELETE")
                && row.remote_id.is_some()
                && (row.version == 0 || row.modified_at == row.created_at);
            let entity = Entity {
                table: "reading_session",
                resource: "READING_SESSION",
                noun: "reading session",
                phase: 3,
                local_id: row.local_id,
                remote_id: row.remote_id.as_deref(),
                deleted: row.deleted,
                version: row.version,
                created: row.created_at,
                modified: row.modified_at,
                op,
                retention,
                data: json!({"chapterNumber": row.at.sura, "verseNumber": row.at.ayah}),
            };
            let pending = self.entity(entity);
            waiting.extend(pending.map(|pending| (row.modified_at, row.local_id, pending)));
        }
        waiting.sort_by_key(|(at, local, _)| (Reverse(*at), Reverse(*local)));
        self.pending.extend(waiting.into_iter().map(|(_, _, pending)| pending));
    }
}
