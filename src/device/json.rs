//! A device file (DESIGN §3): its text, and the device that it tells of.
//!
//! Rows are read one by one and payloads stay stretches of the text, so that one odd row is one odd row and what
//! nobody changed can be written back byte for byte. What would make a push wrong is an error; what is merely
//! odd is a warning.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::document::Document;
use super::members::type_name;
use super::misfit::{At, Misfit, count, named, object, optional, present, unambiguous, whole};
use super::phone_database::{self, Export, PhoneDatabase, Said};
use super::rows::Rows;
use super::source::Source;
use super::warning::{Warning, Warnings};
use crate::domain::device::{Device, Identity, Known, SyncState, Tombstone};
use crate::domain::given::Given;
use crate::domain::json::Text;
use crate::domain::mutation::{Cursor, QueueId, Queued};
use crate::durable;
use crate::error::InputError;

const BYTE_ORDER_MARK: char = '\u{feff}';
const EXPECTED_DOCUMENT: &str =
    "a device file: an object with queue, resources or sync, or an array of queued mutations";

/// A device file that was read and understood. It never changes: what a push makes of the device is a new
/// [`Device`], and [`rewritten`](super::write_back::rewritten) puts that into the text.
#[derive(Clone, Debug)]
pub struct DeviceFile {
    device: Arc<Device>,
    warnings: Vec<Warning>,
    name: String,
    path: Option<PathBuf>,
    text: Text,
    phone: Option<Arc<Phone>>,
}

/// The phone's database that a device file stands for.
#[derive(Clone, Debug)]
struct Phone {
    database: PathBuf,
    said: Said,
}

impl DeviceFile {
    /// Reads the file at `path`, or standard input where `path` is `-`. What it is, is told by its content: a device file,
    /// a phone's database, or the folder of one.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        Self::read_as(path, &Said::default())
    }

    /// The same, with what is `said` of a phone's sync.
    pub fn read_as(path: &Path, said: &Said) -> Result<Self, InputError> {
        if let Some(database) = phone_database::found(path)? {
            return Self::of_phone(&PhoneDatabase::read(&database, said)?, said);
        }
        if path.is_dir() {
            return Err(phone_database::nothing_in(path));
        }
        Source::read(path).and_then(Self::from_source)
    }

    /// The device file that stands for a phone's database. Where an earlier push left one of the same state of the database,
    /// that one: it knows what the server has by now.
    fn of_phone(database: &PhoneDatabase, said: &Said) -> Result<Self, InputError> {
        let path = database.export_path();
        let Export { text: export, state } = database.export();
        let earlier = std::fs::read_to_string(&path).ok();
        let earlier = earlier.filter(|text| Export::state_in(text).as_ref() == Some(&state));
        let name = database.path.display().to_string();
        let read = |text| Self::from_source(Source { name: name.clone(), path: Some(path.clone()), text });
        let mut file = read(export)?;
        let goes_on = earlier.is_some();
        if let Some(earlier) = earlier {
            // The phone itself still has the rows of its database.
            let rows = file.device.phone.clone();
            file = read(earlier)?;
            Arc::make_mut(&mut file.device).phone = rows;
        }
        let mut told = |what: String| {
            file.warnings.push(Warning {
                pointer: String::from("the phone's database"),
                message: what,
                more: 0,
            });
        };
        told(format!(
            "it is only read, and made by version {} of the app's sync; what a push makes of this device lies in {}",
            database.generation.name(),
            path.display()
        ));
        if goes_on {
            told(String::from("an earlier push of this state of it is gone on from"));
        }
        for note in &database.notes {
            told(note.clone());
        }
        for left in &database.not_sent {
            told(format!(
                "{} {} looks as if it waited and is never sent: {}",
                left.table, left.local_id, left.why
            ));
        }
        file.phone = Some(Arc::new(Phone { database: database.path.clone(), said: said.clone() }));
        Ok(file)
    }

    /// The phone's database that this file stands for.
    pub fn database(&self) -> Option<&Path> {
        self.phone.as_deref().map(|phone| phone.database.as_path())
    }

    /// The same text for the same phone's database.
    pub(super) fn in_the_place_of(mut self, earlier: &Self) -> Self {
        self.phone.clone_from(&earlier.phone);
        self
    }

    /// Puts the device file that stands for a phone's database on the disk, where it is not there as it was read. Other device
    /// files are there.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn settled(&self) -> Result<(), InputError> {
        let (Some(_), Some(path)) = (&self.phone, &self.path) else { return Ok(()) };
        if std::fs::read(path).is_ok_and(|bytes| bytes == self.text().as_bytes()) {
            return Ok(());
        }
        durable::replace_private(path, self.text().as_bytes()).map_err(|source| InputError::Io {
            what: "cannot write the device file that stands for the database,",
            path: path.clone(),
            source,
            next: "Nothing was sent, and the database is as it was. Copy it to a folder that you may write to and open it there",
        })
    }

    /// Reads again what this was read from; `None` where that cannot be read again.
    ///
    /// # Errors
    /// As [`DeviceFile::read`].
    pub fn again(&self) -> Result<Option<Self>, InputError> {
        match (&self.phone, &self.path) {
            (Some(phone), _) => Self::read_as(&phone.database, &phone.said).map(Some),
            (None, Some(path)) => Self::read(path).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// What the file holds now; of a phone's database the file that stands for it.
    ///
    /// # Errors
    /// As [`DeviceFile::read`].
    pub fn as_it_is(&self) -> Result<Self, InputError> {
        let Some(path) = &self.path else { return Ok(self.clone()) };
        let source = Source { name: self.name.clone(), ..Source::read(path)? };
        Ok(Self::from_source(source)?.in_the_place_of(self))
    }

    /// Reads a text that messages call `name`. It has no place to be written back to.
    pub fn from_text(name: &str, text: String) -> Result<Self, InputError> {
        Self::from_source(Source { name: name.to_owned(), path: None, text })
    }

    pub(super) fn from_source(source: Source) -> Result<Self, InputError> {
        let text = Text::new(source.text);
        let mut warnings = Warnings::default();
        let retention = HashSet::new();
        let reader = Reader { file: &source.name, text: &text, warnings: &mut warnings, retention };
        let device = reader.read()?;
        Ok(Self {
            device: Arc::new(device),
            warnings: warnings.into_list(),
            name: source.name,
            path: source.path,
            text,
            phone: None,
        })
    }

    /// The device as the file tells of it.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The same, to be kept without a copy.
    pub fn shared(&self) -> Arc<Device> {
        Arc::clone(&self.device)
    }

    /// The same, with the queue entries of a POST whose answer nobody saw, each with the head that the POST carried.
    #[must_use]
    pub fn in_doubt(mut self, entries: HashMap<QueueId, Cursor>) -> Self {
        Arc::make_mut(&mut self.device).in_doubt = entries;
        self
    }

    /// What is odd in the file and did not stop it from being read.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// How messages call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the file lies; `None` for standard input.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The text as it was read, a byte order mark included.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// The text as payloads share it.
    pub(super) fn shared_text(&self) -> &Text {
        &self.text
    }
}

/// The JSON of a file's text: all of it behind the byte order mark, where there is one.
pub(super) fn document(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

struct Reader<'a> {
    file: &'a str,
    text: &'a Text,
    warnings: &'a mut Warnings,
    retention: HashSet<QueueId>,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Device, InputError> {
        let text = document(self.text.as_str());
        let device = match text.trim_ascii_start().as_bytes().first() {
            Some(b'[') => {
                let rows: Vec<&RawValue> = self.parsed(text)?;
                self.queue(At::DOCUMENT, &rows).map(|queue| Device { queue, ..Device::default() })
            }
            Some(b'{') => {
                let document: Document = self.parsed(text)?;
                self.object(document)
            }
            _ => {
                let value: &RawValue = self.parsed(text)?;
                Err(Misfit::new(At::DOCUMENT, type_name(value.get()), EXPECTED_DOCUMENT))
            }
        };
        let retention = std::mem::take(&mut self.retention);
        device.map(|device| Device { retention, ..device }).map_err(|misfit| InputError::Shape {
            file: self.file.to_owned(),
            pointer: misfit.pointer,
            found: misfit.found,
            expected: misfit.expected.to_owned(),
        })
    }

    fn parsed<'t, T: Deserialize<'t>>(&self, text: &'t str) -> Result<T, InputError> {
        serde_json::from_str(text).map_err(|error| InputError::syntax(self.file, &error))
    }

    fn object(&mut self, document: Document<'_>) -> Result<Device, Misfit> {
        let Document { members, queue, resources, tombstones } = document;
        let members = unambiguous(At::DOCUMENT, members)?;
        let queue = queue.map(|list| list.rows(At::section("queue"))).transpose()?;
        let resources = resources.map(|list| list.rows(At::section("resources"))).transpose()?;
        let tombstones = tombstones.map(|list| list.rows(At::section("tombstones"))).transpose()?;
        let (mut identity, mut sync, mut phone) = (None, None, false);
        for (name, value) in &members.list {
            match &**name {
                "device" => identity = present(value.get()),
                "sync" => sync = Some(value.get()),
                "phone" => phone = present(value.get()).is_some(),
                _ => {}
            }
        }
        if sync.is_none() && queue.is_none() && resources.is_none() {
            let answer = members.list.iter().any(|(name, _)| name == "success");
            let case = members.list.iter().any(|(name, _)| name == "outcome");
            let found = match (answer, case) {
                (true, _) => "a server's answer",
                (false, true) => "a case, which is only replayed (open, inspect, plan)",
                (false, false) => "an object with none of these",
            };
            return Err(Misfit::new(At::DOCUMENT, found, EXPECTED_DOCUMENT));
        }
        let device = Device {
            in_doubt: HashMap::new(),
            not_it: HashMap::new(),
            recognised: Vec::new(),
            retention: HashSet::new(),
            given: Given::default(),
            identity: identity.map_or_else(Identity::default, |text| self.identity(text)),
            sync: sync.and_then(present).map_or_else(|| Ok(SyncState::default()), |text| self.sync(text))?,
            queue: self.queue(At::section("queue"), &queue.unwrap_or_default())?,
            known: resources.map(|rows| self.resources(&rows)),
            phone: None,
            tombstones: self.tombstones(&tombstones.unwrap_or_default()),
        };
        if let Some(count) = device.sync.pending_count
            && count != device.queue.len() as u64
        {
            let message = format!("the device counted {count}, the queue holds {}", device.queue.len());
            self.warnings.add(At::section("sync").member("pendingMutationCount"), message);
        }
        let rows = phone.then(|| Arc::new(device.clone()));
        Ok(Device { phone: rows, ..device })
    }

    /// Who the device is decides nothing, so whatever is odd here is only not shown.
    fn identity(&mut self, text: &str) -> Identity {
        let mut identity = Identity::default();
        let at = At::section("device");
        let members = match object(at, text) {
            Ok(members) => members,
            Err(misfit) => {
                self.warnings.misfit(misfit, "not shown");
                return identity;
            }
        };
        for (name, value) in &members.list {
            let (slot, at) = match &**name {
                "id" => (&mut identity.id, at.member("id")),
                "label" => (&mut identity.label, at.member("label")),
                "user" => (&mut identity.user, at.member("user")),
                _ => continue,
            };
            match optional(at, Some(value.get())) {
                Ok(text) => *slot = text.filter(|text| !text.is_empty()).map(Cow::into_owned),
                Err(misfit) => self.warnings.misfit(misfit, "not shown"),
            }
        }
        identity
    }

    /// The cursor must be right; a wrong one would overwrite or hide what the server holds.
    fn sync(&mut self, text: &str) -> Result<SyncState, Misfit> {
        let at = At::section("sync");
        let mut sync = SyncState::default();
        for (name, value) in &object(at, text)?.list {
            let value = present(value.get());
            match &**name {
                "lastMutationAt" => {
                    let cursor = value.map(|text| whole(at.member("lastMutationAt"), text)).transpose()?;
                    sync.cursor = cursor.map(Cursor::read);
                }
                "lastSyncAttempt" => {
                    sync.last_attempt = self.rows().time(at.member("lastSyncAttempt"), value);
                }
                "lastSuccessfulSync" => {
                    sync.last_success = self.rows().time(at.member("lastSuccessfulSync"), value);
                }
                "pendingMutationCount" => {
                    let at = at.member("pendingMutationCount");
                    match value.map(|text| count(at, text)).transpose() {
                        Ok(count) => sync.pending_count = count,
                        Err(misfit) => self.warnings.misfit(misfit, "not used"),
                    }
                }
                _ => {}
            }
        }
        Ok(sync)
    }

    fn queue(&mut self, at: At<'_>, rows: &[&RawValue]) -> Result<Vec<Queued>, Misfit> {
        if rows.is_empty() {
            self.warnings.add(at, "the queue is empty: nothing waits to be sent");
        }
        let mut queue = Vec::with_capacity(rows.len());
        let mut first: HashMap<QueueId, usize> = HashMap::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let queued = self.rows().queued(at.row(index), row.get())?;
            match first.entry(queued.id.clone()) {
                Entry::Vacant(entry) => entry.insert(index),
                Entry::Occupied(entry) => {
                    let found =
                        format!("{}, the id of {}", named(entry.key().as_str()), at.row(*entry.get()));
                    return Err(Misfit::new(at.row(index).member("id"), found, "an id of its own"));
                }
            };
            queue.push(queued);
        }
        Ok(queue)
    }

    /// Resources that cannot be read, or that stand there again, stay in the file and are not used.
    fn resources(&mut self, rows: &[&RawValue]) -> Vec<Known> {
        let mut known = Vec::with_capacity(rows.len());
        let mut seen = HashSet::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let at = At::section("resources").row(index);
            match self.rows().known(at, row.get()) {
                Ok(resource) if seen.insert((resource.kind.clone(), resource.id.clone())) => {
                    known.push(resource);
                }
                Ok(_) => self.warnings.add(at, "the resource stands in the list again; the first is used"),
                Err(misfit) => self.warnings.misfit(misfit, "the resource is kept in the file and not used"),
            }
        }
        known
    }

    /// Deleted rows decide nothing of what is sent, so an odd one is only not used.
    fn tombstones(&mut self, rows: &[&RawValue]) -> Vec<Tombstone> {
        let mut tombstones = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            match self.rows().tombstone(At::section("tombstones").row(index), row.get()) {
                Ok(tombstone) => tombstones.push(tombstone),
                Err(misfit) => self.warnings.misfit(misfit, "the deleted row is not used"),
            }
        }
        tombstones
    }

    fn rows(&mut self) -> Rows<'_> {
        Rows { text: self.text, warnings: self.warnings, retention: &mut self.retention }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::device::SyncStatus;
    use crate::domain::json::Json;
    use crate::domain::mutation::{Kind, Millis, Op, ResourceId};

    fn read(text: &str) -> Result<DeviceFile, InputError> {
        DeviceFile::from_text("queue.json", text.to_owned())
    }

    /// A bare queue of one entry that lacks nothing, with `members` added.
    fn entry(members: &str) -> String {
        format!(r#"[{{"id":"q1","type":"UPDATE","resource":"NOTE"{members}}}]"#)
    }

    fn warnings(text: &str) -> Vec<String> {
        read(text).expect("readable").warnings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_example_of_the_design_is_read_whole() {
        let file = read(
            r#"{ "device": {"id": "tablet-b", "label": "Tablet B", "user": "u-1"},
  "sync":   {"lastMutationAt": 100, "lastSyncAttempt": 0, "lastSuccessfulSync": 0, "pendingMutationCount": 1},
  "queue":  [ {"id": "q1", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1",
               "data": {"body": "…", "clientUpdatedAt": "2026-05-19T10:16:30.000Z"},
               "base": {"body": "…"}, "createdAt": 1769990400000, "retryCount": 3, "lastError": "…"} ],
  "resources": [ {"id": "n1", "resource": "NOTE", "data": {}, "syncStatus": "synced", "localUpdatedAt": 0, "serverTimestamp": 0} ] }"#,
        )
        .expect("a device file");
        assert_eq!(file.warnings(), []);
        let device = file.device();
        assert_eq!(device.identity.name(), "Tablet B");
        assert_eq!(device.sync.cursor, Some(Cursor::read(100)));
        assert_eq!(device.sync.last_attempt, Some(Millis(0)));
        assert_eq!(device.sync.pending_count, Some(1));
        let queued = &device.queue[0];
        assert_eq!((queued.id.as_str(), queued.op, &queued.kind), ("q1", Op::Update, &Kind::Note));
        assert_eq!(queued.data.members()["body"], Json::string("…"));
        assert_eq!(queued.base.as_str(), Some(r#"{"body": "…"}"#));
        assert_eq!((queued.created_at, queued.retry_count), (Some(Millis(1_769_990_400_000)), 3));
        assert_eq!(queued.last_error.as_deref(), Some("…"));
        let known = &device.known.as_ref().expect("resources")[0];
        assert_eq!((known.id.as_str(), known.status), ("n1", SyncStatus::Synced));
    }

    #[test]
    fn what_a_file_is_is_told_by_its_content() {
        for text in [
            r#"{"queue":[]}"#,
            r#"{"resources":[]}"#,
            r#"{"sync":null}"#,
            "[]",
            "\u{feff}[]",
            " \n{\"device\":{},\"queue\":[]}\n",
        ] {
            let file = read(text).expect(text);
            assert_eq!(file.text(), text);
            assert!(file.device().queue.is_empty());
            assert!(file.warnings()[0].message.contains("the queue is empty"), "{text}");
        }
        assert!(read(r#"{"queue":[]}"#).expect("a queue").device().known.is_none());
        assert!(read(r#"{"resources":[]}"#).expect("resources").device().known.is_some());
    }

    #[test]
    fn what_would_make_a_push_wrong_is_an_error() {
        let nine = |digits: &str| format!(r#"{{"sync":{{"lastMutationAt":{digits}}}}}"#);
        for (text, pointer, found) in [
            ("{}", "(the whole document)", "an object with none of these"),
            (r#"{"device":{"id":"d"}}"#, "(the whole document)", "an object with none of these"),
            (r#"{"success":true,"data":{}}"#, "(the whole document)", "a server's answer"),
            (r#""queue""#, "(the whole document)", "a string"),
            (r#"{"queue":[],"queue":[]}"#, "(the whole document)", r#"the member "queue" twice"#),
            (r#"{"queue":{}}"#, "/queue", "an object"),
            (r#"{"queue":null}"#, "/queue", "null"),
            (r#"{"queue":[],"resources":"none"}"#, "/resources", "a string"),
            (r#"{"queue":[],"sync":[]}"#, "/sync", "an array"),
            (&nine(r#""100""#), "/sync/lastMutationAt", "a string"),
            (&nine("1.5"), "/sync/lastMutationAt", "a number with a fraction or beyond 64 bits"),
            (
                &nine("9223372036854775808"),
                "/sync/lastMutationAt",
                "a number with a fraction or beyond 64 bits",
            ),
            (
                r#"{"sync":{"lastMutationAt":1,"lastMutationAt":2}}"#,
                "/sync",
                r#"the member "lastMutationAt" twice"#,
            ),
            ("[[]]", "/0", "an array"),
            (r#"{"queue":[null]}"#, "/queue/0", "null"),
            (r#"[{"type":"UPDATE","resource":"NOTE"}]"#, "/0/id", "nothing"),
            (r#"[{"id":"","type":"UPDATE","resource":"NOTE"}]"#, "/0/id", "an empty string"),
            (r#"[{"id":7,"type":"UPDATE","resource":"NOTE"}]"#, "/0/id", "a number"),
            (r#"[{"id":"q1","resource":"NOTE"}]"#, "/0/type", "nothing"),
            (r#"[{"id":"q1","type":"PATCH","resource":"NOTE"}]"#, "/0/type", r#""PATCH""#),
            (r#"[{"id":"q1","type":"UPDATE"}]"#, "/0/resource", "nothing"),
            (&entry(r#","resourceId":7"#), "/0/resourceId", "a number"),
            (&entry(r#","data":"text""#), "/0/data", "a string"),
            (&entry(r#","base":[]"#), "/0/base", "an array"),
            (&entry(r#","id":"q2""#), "/0", r#"the member "id" twice"#),
            (&entry(r#","data":{"body":"a","body":"b"}"#), "/0/data", r#"the member "body" twice"#),
            (
                &entry(r#","data":{"\u0024serde_json::private::RawValue":"1"}"#),
                "/0/data",
                "a member whose name begins with $serde_json::private::",
            ),
            (&entry(r#","\ud800":1"#), "/0", "a member whose name is not Unicode"),
            (
                r#"[{"id":"q1","type":"UPDATE","resource":"NOTE"},{"id":"q1","type":"DELETE","resource":"NOTE"}]"#,
                "/1/id",
                r#""q1", the id of /0"#,
            ),
        ] {
            match read(text) {
                Err(InputError::Shape { file, pointer: at, found: what, .. }) => {
                    assert_eq!((&*file, &*at, &*what), ("queue.json", pointer, found), "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_not_json_is_located_and_never_quoted() {
        let cut = r#"[{"id":"q1","data":{"body":"صبر جميل"#;
        for (text, line, column) in
            [("", 1, 1), ("\n[1,]", 2, 4), ("[1] x", 1, 5), (cut, 1, cut.len()), ("[01]", 1, 3)]
        {
            match read(text) {
                Err(InputError::Syntax { line: l, column: c, reason, .. }) => {
                    assert_eq!((l, c), (line, column), "{text}: {reason}");
                    assert!(!reason.contains("صبر") && !reason.contains("line"), "{reason}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_only_odd_is_a_warning() {
        for (text, warning) in [
            (
                entry(r#","createdAt":"yesterday""#),
                "at /0/createdAt: found a string, expected an ISO 8601 time or a whole number of ms; taken as unknown",
            ),
            (entry(r#","createdAt":1769990400"#), "at /0/createdAt: a time below 1e12 is read as seconds"),
            (
                entry(r#","retryCount":"3""#),
                "at /0/retryCount: found a string, expected a whole number; taken as tried once",
            ),
            (
                entry(r#","lastError":{"code":"OutOfSyncError"}"#),
                "at /0/lastError: found an object, expected a string; kept as its JSON text",
            ),
            (entry(r#","resourceId":"""#), "at /0/resourceId: found an empty string; taken as no id"),
            (entry(r#","data":{"body":1}"#), "at /0/data: body is a number, expected a string"),
            (entry(r#","data":{"ranges":"1:1-1:1"}"#), "at /0/data: ranges is a string, expected an array"),
            (entry(r#","data":{"key":{}}"#), "at /0/data: key is an object, expected a number"),
            (
                entry(r#","data":{"\ud800":1}"#),
                "at /0/data: a member's name is not Unicode; sent as it is, never compared",
            ),
            (
                r#"{"sync":{"pendingMutationCount":2},"queue":[{"id":"q1","type":"DELETE","resource":"NOTE"}]}"#.into(),
                "at /sync/pendingMutationCount: the device counted 2, the queue holds 1",
            ),
        ] {
            assert_eq!(warnings(&text), [warning], "{text}");
        }
    }

    #[test]
    fn evidence_that_cannot_be_read_still_says_that_a_mutation_was_tried() {
        for members in [r#","retryCount":{}"#, r#","retryCount":1.5"#, r#","lastError":[]"#] {
            let file = read(&entry(members)).expect("readable");
            assert!(file.device().queue[0].maybe_sent(), "{members}");
        }
        assert!(
            !read(&entry(r#","retryCount":null,"lastError":null"#)).expect("readable").device().queue[0]
                .maybe_sent()
        );
    }

    #[test]
    fn equal_warnings_are_counted() {
        let rows: Vec<String> = (0..1000)
            .map(|n| format!(r#"{{"id":"q{n}","type":"DELETE","resource":"NOTE","createdAt":true}}"#))
            .collect();
        let file = read(&format!("[{}]", rows.join(","))).expect("readable");
        assert_eq!(file.warnings().len(), 1);
        assert_eq!((&*file.warnings()[0].pointer, file.warnings()[0].more), ("/0/createdAt", 999));
    }

    #[test]
    fn a_resource_that_cannot_be_read_is_not_used() {
        let good = r#"{"id":"n1","resource":"NOTE","data":{"body":"a"},"syncStatus":"synced"}"#;
        for bad in [
            "7",
            r#"{"resource":"NOTE","syncStatus":"synced"}"#,
            r#"{"id":"n2","resource":"NOTE","syncStatus":"unsure"}"#,
            r#"{"id":"n2","resource":"NOTE"}"#,
            r#"{"id":"n2","resource":"NOTE","syncStatus":"synced","data":[]}"#,
            r#"{"id":"n2","resource":"NOTE","syncStatus":"synced","syncStatus":"synced"}"#,
            good,
        ] {
            let file = read(&format!(r#"{{"queue":[],"resources":[{good},{bad}]}}"#)).expect("readable");
            let known = file.device().known.as_ref().expect("resources");
            assert_eq!(known.len(), 1, "{bad}");
            assert_eq!(file.warnings().len(), 2, "{bad}");
            assert!(file.warnings()[1].pointer.starts_with("/resources/1"), "{bad}");
        }
    }

    #[test]
    fn deep_and_huge_values_are_carried_as_text() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for value in [&deep(1_000), "1e400", "123456789012345678901234567890", r#""\ud800""#] {
            let text = entry(&format!(r#","data":{{"new":{value}}}"#));
            let file = read(&text).expect("readable");
            assert_eq!(file.warnings(), []);
            let members = file.device().queue[0].data.members();
            assert!(members["new"].to_text() == value);
        }
        read(&entry(&format!(r#","data":{{"new":{}}}"#, deep(1_000_000)))).expect("readable");
        assert!(matches!(read(&deep(1_000_000)), Err(InputError::Shape { .. })));
        assert!(matches!(read(&"[".repeat(1_000_000)), Err(InputError::Syntax { .. })));
        assert!(matches!(read(&r#"{"queue":"#.repeat(1_000_000)), Err(InputError::Syntax { .. })));
    }

    #[test]
    fn odd_ids_are_ids() {
        for id in ["n/1", "a-b", "a b", "🌙", "~0~1", "\u{202e}id"] {
            let file = read(&entry(&format!(r#","resourceId":"{id}""#))).expect("readable");
            assert_eq!(file.device().queue[0].resource_id.as_ref().map(ResourceId::as_str), Some(id));
        }
    }
}
