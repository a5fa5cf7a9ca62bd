//! A phone's data folder for a scenario: the database as the app would hold it, and the preferences beside it (PROTOCOL B). Made of a
//! device as its file tells of it, so that the story is told once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use crate::device::phone_database::PREFERENCES_FILE;
use crate::domain::device::Device;
use crate::domain::json::Json;
use crate::domain::mutation::{Cursor, Kind, Millis, Op, Payload};

/// The app's tables.
const TABLES: &str = include_str!("../../assets/phone.sql");
const CURSOR: &str = "com.quran.sync.last_modified_date";

/// Writes the phone's files into `folder`. Answers where the database is.
///
/// # Errors
/// A folder that cannot be written to.
pub fn written(folder: &Path, device: &Device) -> io::Result<PathBuf> {
    let path = folder.join("quran.db");
    database(&path, device).map_err(io::Error::other)?;
    let cursor = device.sync.cursor.map_or(0, Cursor::value);
    fs::write(folder.join(PREFERENCES_FILE), preferences(cursor))?;
    Ok(path)
}

/// The preferences with this cursor: one entry of a protobuf map.
fn preferences(cursor: i64) -> Vec<u8> {
    let value = [vec![0x20], varint(cursor.cast_unsigned())].concat();
    let entry = [field(1, CURSOR.as_bytes()), field(2, &value)].concat();
    field(1, &entry)
}

/// A field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![(number << 3) | 2], varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low & 0x7F);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// One row on its way into a table.
struct Row<'a> {
    kind: &'a Kind,
    /// The server's id.
    id: Option<&'a str>,
    data: &'a Payload,
    at: i64,
    /// What waits, where something does.
    op: Option<Op>,
}

fn database(path: &Path, device: &Device) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(TABLES)?;
    let rows = connection.transaction()?;
    for known in device.known.iter().flatten() {
        let waits = device.queue.iter().rfind(|entry| entry.resource_id.as_ref() == Some(&known.id));
        let local = device.queue.iter().any(|entry| entry.id.as_str() == known.id.as_str());
        if !local {
            let (data, op) = match waits {
                Some(entry) if entry.op != Op::Delete => (&entry.data, Some(entry.op)),
                Some(entry) => (&known.data, Some(entry.op)),
                None => (&known.data, None),
            };
            let at =
                waits.and_then(|entry| entry.created_at).or(known.local_updated_at).unwrap_or(Millis(0)).0;
            insert(&rows, &Row { kind: &known.kind, id: Some(known.id.as_str()), data, at, op })?;
        }
    }
    let made = device.queue.iter().filter(|entry| entry.op == Op::Create && entry.resource_id.is_none());
    for entry in made {
        let at = entry.created_at.unwrap_or(Millis(0)).0;
        insert(&rows, &Row { kind: &entry.kind, id: None, data: &entry.data, at, op: Some(Op::Create) })?;
    }
    rows.commit()
}

/// Links are left out: the scenarios of phones hold none.
fn insert(rows: &Connection, row: &Row<'_>) -> rusqlite::Result<usize> {
    let members = row.data.members();
    let text = |name: &str| members.get(name).and_then(Json::as_str);
    let number = |name: &str| members.get(name).and_then(Json::as_i64);
    let flag = |name: &str| members.get(name) == Some(&Json::Bool(true));
    let (id, at) = (row.id, row.at);
    let deleted = row.op == Some(Op::Delete);
    let edited = row.op.is_some() && row.id.is_some();
    let version = i64::from(row.op.is_some());
    match row.kind {
        Kind::Bookmark => {
            let reading = flag("isReading");
            let page = text("type") == Some("page");
            let (sura, ayah) = (number("key").filter(|_| !page), number("verseNumber").filter(|_| !page));
            rows.execute(
                "INSERT INTO bookmark(remote_id, bookmark_type, sura, ayah, page, is_reading, deleted, bookmark_pending_op, \
                 reading_pending_op, reading_pending_version, created_at, modified_at, bookmark_modified_at, \
                 reading_modified_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?11, ?11)",
                params![
                    id,
                    if page { "PAGE" } else { "AYAH" },
                    sura,
                    ayah,
                    number("key").filter(|_| page),
                    reading,
                    deleted,
                    deleted.then_some("DELETED"),
                    (row.op.is_some() && !deleted).then_some("CREATED"),
                    version,
                    at,
                ],
            )
        }
        Kind::Collection => rows.execute(
            "INSERT INTO collection(remote_id, name, created_at, modified_at, deleted, is_edited, is_default, is_system, \
             pending_version) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![id, text("name").unwrap_or_default(), at, deleted, edited, flag("isDefault"), flag("isSystem"), version],
        ),
        Kind::Note => {
            let range = match members.get("ranges") {
                Some(Json::Array(ranges)) => ranges.first().and_then(Json::as_str).unwrap_or("1:1-1:1"),
                Some(_) | None => "1:1-1:1",
            };
            let places: Vec<i64> = range.split([':', '-']).filter_map(|part| part.parse().ok()).collect();
            let [sura, ayah, end_sura, end_ayah] = places.try_into().unwrap_or([1, 1, 1, 1]);
            rows.execute(
                "INSERT INTO note(remote_id, note, start_sura, start_ayah, end_sura, end_ayah, created_at, modified_at, \
                 deleted, is_edited, pending_version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10)",
                params![id, text("body").unwrap_or_default(), sura, ayah, end_sura, end_ayah, at, deleted, edited, version],
            )
        }
        Kind::ReadingSession => rows.execute(
            "INSERT INTO reading_session(remote_id, chapter_number, verse_number, is_edited, created_at, modified_at, \
             deleted, pending_version) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)",
            params![id, number("chapterNumber"), number("verseNumber"), edited, at, deleted, version],
        ),
        Kind::Link | Kind::Other(_) => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceFile;
    use crate::sandbox::scenario::Scenario;

    /// How many rows wait for an id: those of a phone have none that it tells.
    fn device_made(device: &Device) -> usize {
        device.queue.iter().filter(|entry| entry.op == Op::Create && entry.resource_id.is_none()).count()
    }

    #[test]
    fn a_phone_of_a_scenario_is_read_as_the_device_that_it_was_made_of() {
        let opened = Scenario::by_name("phone-stuck").expect("a scenario").open(Millis(1_790_000_000_000));
        let file = DeviceFile::from_text("phone.json", opened.device_file()).expect("a device file");
        let folder = tempfile::tempdir().expect("a folder");
        let path = written(folder.path(), file.device()).expect("written");
        let phone = DeviceFile::read(&path).expect("a phone's database");
        assert_eq!(phone.device().sync.cursor, file.device().sync.cursor);
        let told = |device: &Device| {
            let mut queue: Vec<String> = device
                .queue
                .iter()
                .map(|entry| format!("{:?} {:?} {:?}", entry.op, entry.kind, entry.resource_id))
                .collect();
            queue.sort();
            queue
        };
        assert_eq!(told(phone.device()), told(file.device()));
        let rows = |device: &Device| device.known.as_ref().map(Vec::len);
        let made = device_made(file.device());
        assert_eq!(rows(phone.device()).map(|rows| rows + made), rows(file.device()));
    }
}
