//! A device's new state, put into the text that the device was read from. Whatever the push did not change stays
//! byte for byte: unknown members, untouched rows, their order and their writing.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;

use super::json::{DeviceFile, document};
use super::misfit::At;
use super::rows::Rows;
use super::source::Source;
use super::splice::{Items, Splice, spliced};
use super::warning::Warnings;
use crate::domain::device::{Device, Known, SyncState};
use crate::domain::json::Json;
use crate::domain::mutation::{Kind, Millis, Payload, QueueId, Queued, ResourceId};
use crate::durable;
use crate::error::InputError;

/// The text of a device file with a new state in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The whole text.
    pub text: String,
    /// What the file has no place for, and a person must be told of.
    pub left_out: Vec<LeftOut>,
}

/// A part of a device that a bare array of queued mutations has no place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// The cursor and whatever else `sync` holds.
    Sync,
    /// The known resources.
    Resources,
}

impl LeftOut {
    /// What is missing from the file, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Sync => "the new cursor: the file is a bare list of mutations and has no place for it",
            Self::Resources => {
                "the device's resources: the file is a bare list of mutations and has no place for them"
            }
        }
    }
}

/// The text of `file` with the state that `now` has. Queue entries that are gone are taken out, changed members of
/// entries and resources are set, new ones stand behind the last, and `pendingMutationCount`, where the file has it,
/// follows the queue. A queue entry is told by its id, a resource by its kind and id.
///
/// Without a change this is the text that was read. A device that knows of no resources leaves those of the file
/// alone.
pub fn rewritten(file: &DeviceFile, now: &Device) -> Rewritten {
    let editor = Editor { file, was: file.device(), now, splices: Vec::new(), left_out: Vec::new() };
    editor.rewritten()
}

struct Editor<'a> {
    file: &'a DeviceFile,
    was: &'a Device,
    now: &'a Device,
    splices: Vec<Splice>,
    left_out: Vec<LeftOut>,
}

/// Members and their values as JSON text; `None` is a member that is not there.
type Members = Vec<(&'static str, Option<String>)>;

impl<'a> Editor<'a> {
    fn rewritten(mut self) -> Rewritten {
        let text = self.file.text();
        let value = document(text).trim_matches([' ', '\t', '\n', '\r']);
        if let Some(queue) = Items::of_array(text, value) {
            self.queue(queue);
            if self.now.sync != self.was.sync {
                self.left_out.push(LeftOut::Sync);
            }
            if self.now.known.is_some() {
                self.left_out.push(LeftOut::Resources);
            }
        } else if let Some(document) = Items::of_object(text, value) {
            self.object(document);
        }
        Rewritten { text: spliced(text, self.splices), left_out: self.left_out }
    }

    /// Sections that the file lacks are added where there is something to store in them.
    fn object(&mut self, mut document: Items<'a>) {
        let text = self.file.text();
        match document.member("queue").and_then(|value| Items::of_array(text, value)) {
            Some(queue) => self.queue(queue),
            None if self.now.queue.is_empty() => {}
            None => document.set("queue", Some(array_text(self.now.queue.iter().map(queued_members)))),
        }
        match document.member("sync").and_then(|value| Items::of_object(text, value)) {
            Some(sync) => self.sync(sync),
            None if self.now.sync == self.was.sync => {}
            None => document.set("sync", Some(object_text(sync_members(&self.now.sync)))),
        }
        if let Some(known) = &self.now.known {
            match document.member("resources").and_then(|value| Items::of_array(text, value)) {
                Some(resources) => self.resources(resources, known),
                None => document.set("resources", Some(array_text(known.iter().map(known_members)))),
            }
        }
        self.splices.extend(document.into_splices());
    }

    fn queue(&mut self, mut queue: Items<'a>) {
        let mut now: HashMap<&QueueId, &Queued> =
            self.now.queue.iter().map(|entry| (&entry.id, entry)).collect();
        let entries: Vec<&str> = queue.values().collect();
        for (index, (was, value)) in self.was.queue.iter().zip(entries).enumerate() {
            match now.remove(&was.id) {
                None => queue.remove(index),
                Some(now) if now == was => {}
                Some(now) => self.row(value, queued_members(was), queued_members(now)),
            }
        }
        for entry in self.now.queue.iter().filter(|entry| now.contains_key(&entry.id)) {
            queue.add(object_text(queued_members(entry)));
        }
        self.splices.extend(queue.into_splices());
    }

    /// Rows that could not be read stay. Of rows that repeat a resource the first counts, as it does in reading.
    fn resources(&mut self, mut resources: Items<'a>, known: &[Known]) {
        let now: HashMap<_, &Known> = known.iter().map(|known| (key(known), known)).collect();
        let mut seen = HashSet::new();
        let rows: Vec<&str> = resources.values().collect();
        for (index, value) in rows.into_iter().enumerate() {
            let Some(was) = self.known(value) else { continue };
            match now.get(&key(&was)) {
                None => resources.remove(index),
                Some(now) => {
                    if seen.insert(key(now)) && **now != was {
                        self.row(value, known_members(&was), known_members(now));
                    }
                }
            }
        }
        for known in known.iter().filter(|known| !seen.contains(&key(known))) {
            resources.add(object_text(known_members(known)));
        }
        self.splices.extend(resources.into_splices());
    }

    fn known(&self, value: &str) -> Option<Known> {
        let (mut warnings, mut retention) = (Warnings::default(), HashSet::new());
        let mut rows =
            Rows { text: self.file.shared_text(), warnings: &mut warnings, retention: &mut retention };
        rows.known(At::DOCUMENT, value).ok()
    }

    fn row(&mut self, value: &'a str, was: Members, now: Members) {
        let Some(mut row) = Items::of_object(self.file.text(), value) else { return };
        for ((name, was), (_, now)) in was.into_iter().zip(now) {
            if was != now {
                row.set(name, now);
            }
        }
        self.splices.extend(row.into_splices());
    }

    fn sync(&mut self, mut sync: Items<'a>) {
        for ((name, was), (_, now)) in
            sync_members(&self.was.sync).into_iter().zip(sync_members(&self.now.sync))
        {
            if was != now {
                sync.set(name, now);
            }
        }
        let (was, now) = (self.was, self.now);
        let recounted =
            was.queue.len() != now.queue.len() || was.sync.pending_count != now.sync.pending_count;
        if recounted && sync.member("pendingMutationCount").is_some() {
            sync.set("pendingMutationCount", Some(now.queue.len().to_string()));
        }
        self.splices.extend(sync.into_splices());
    }
}

fn sync_members(sync: &SyncState) -> Members {
    vec![
        ("lastMutationAt", sync.cursor.map(|cursor| cursor.to_string())),
        ("lastSyncAttempt", sync.last_attempt.map(time)),
        ("lastSuccessfulSync", sync.last_success.map(time)),
    ]
}

fn queued_members(queued: &Queued) -> Members {
    vec![
        ("id", Some(string(queued.id.as_str()))),
        ("type", Some(string(queued.op.wire()))),
        ("resource", Some(string(queued.kind.wire()))),
        ("resourceId", queued.resource_id.as_ref().map(|id| string(id.as_str()))),
        ("data", object(&queued.data)),
        ("base", object(&queued.base)),
        ("createdAt", queued.created_at.map(time)),
        ("retryCount", Some(queued.retry_count.to_string())),
        ("lastError", queued.last_error.as_deref().map(string)),
    ]
}

fn known_members(known: &Known) -> Members {
    vec![
        ("id", Some(string(known.id.as_str()))),
        ("resource", Some(string(known.kind.wire()))),
        ("data", object(&known.data)),
        ("syncStatus", Some(string(known.status.word()))),
        ("localUpdatedAt", known.local_updated_at.map(time)),
        ("serverTimestamp", known.server_timestamp.map(time)),
    ]
}

/// A resource of another kind may have the same id.
fn key(known: &Known) -> (&Kind, &ResourceId) {
    (&known.kind, &known.id)
}

fn string(text: &str) -> String {
    Json::string(text).to_text()
}

/// A number of ms, unless it would be read as seconds (PROTOCOL A6).
fn time(time: Millis) -> String {
    let number = Json::Number(time.0.into());
    if Millis::from_json(&number) == Some(time) { number.to_text() } else { string(&time.to_iso()) }
}

fn object(payload: &Payload) -> Option<String> {
    payload.as_str().map(str::to_owned)
}

fn object_text(members: Members) -> String {
    let members: Vec<String> = members
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{}:{}", string(name), value?)))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn array_text(rows: impl Iterator<Item = Members>) -> String {
    format!("[{}]", rows.map(object_text).collect::<Vec<_>>().join(","))
}

/// Puts `text` in the place of the file that `file` was read from, at once or not at all, and reads it again from
/// memory: what is written can be opened. Refused where another program changed the file meanwhile, where there is
/// no file (standard input), and where it is write-protected.
///
/// A symbolic link stays one; what it points to is replaced.
pub fn replace(file: &DeviceFile, text: String) -> Result<DeviceFile, InputError> {
    let refused = |reason: &str, next: &str| InputError::Unsupported {
        file: file.name().to_owned(),
        reason: reason.to_owned(),
        next: next.to_owned(),
    };
    let Some(path) = file.path() else {
        return Err(refused("has no place to write to", "Save the export as a file and open that"));
    };
    let cannot_write = |source: io::Error| InputError::Io {
        what: "cannot write",
        path: path.to_owned(),
        source,
        next: "The file is as it was. Check that you may write to its folder and that the disk is not full",
    };
    let source = Source { name: file.name().to_owned(), path: Some(path.to_owned()), text };
    let written = DeviceFile::from_source(source)?.in_the_place_of(file);
    let target = fs::canonicalize(path).map_err(cannot_write)?;
    let metadata = fs::metadata(&target).map_err(cannot_write)?;
    if !metadata.is_file() || metadata.permissions().readonly() {
        return Err(refused("cannot be written to", "Copy it to a file that may be changed and open that"));
    }
    if fs::read(&target).map_err(cannot_write)? != file.text().as_bytes() {
        let next = "Nothing was written. Open it again to see what it holds now";
        return Err(refused("was changed by another program since it was read", next));
    }
    durable::replace(&target, written.text().as_bytes()).map_err(cannot_write)?;
    Ok(written)
}

#[cfg(test)]
mod tests;
