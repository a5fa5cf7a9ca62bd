//! The phone's own database: the sample gives what its description says, of older versions what they hold, and whatever is
//! odd or hostile an error of its own or one odd row.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};
use unstick::device::DeviceFile;
use unstick::device::phone_database::{Generation, PhoneDatabase, Said};
use unstick::domain::mutation::Cursor;
use unstick::domain::phone::Phone;

fn fixture(name: &str) -> PathBuf {
    Path::new("tests/fixtures/device").join(name)
}

fn read(path: &Path) -> PhoneDatabase {
    PhoneDatabase::read(path, &Said::default()).expect("a phone's database")
}

/// A copy of the sample in a folder of its own, changed by `sql`.
fn changed(folder: &Path, sql: &str) -> PathBuf {
    let path = folder.join("quran.db");
    std::fs::copy(fixture("device-sample.sqlite"), &path).expect("copied");
    let connection = Connection::open(&path).expect("opened");
    connection.pragma_update(None, "ignore_check_constraints", true).expect("set");
    connection.pragma_update(None, "foreign_keys", false).expect("set");
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    path
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn the_sample_gives_its_23_mutations_in_their_order_and_phases() {
    let text = std::fs::read_to_string(fixture("device-sample.expected.json")).expect("readable");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let database = read(&fixture("device-sample.sqlite"));
    assert_eq!(database.generation, Generation::V0_1_18);
    let told: Vec<Value> = database
        .pending
        .iter()
        .map(|pending| {
            let mut mutation = json!({"type": pending.op, "resource": pending.resource});
            if let Some(id) = &pending.resource_id {
                mutation["resourceId"] = id.as_str().into();
            }
            if let Some(data) = &pending.data {
                mutation["data"] = data.clone();
            }
            json!({"table": pending.table, "localId": pending.local_id.to_string(), "phase": pending.phase,
                "pendingVersion": pending.version, "modifiedAt": pending.at, "mutation": mutation})
        })
        .collect();
    let mut wanted = expected["pending"].as_array().expect("a list").clone();
    assert_eq!(wanted.len(), 23);
    for entry in &mut wanted {
        entry.as_object_mut().expect("an object").remove("facet");
    }
    assert_eq!(told, wanted);
    let left: Vec<(&str, &str)> =
        database.not_sent.iter().map(|left| (left.table, left.local_id.as_str())).collect();
    let mut left_wanted: Vec<(&str, &str)> = expected["pendingButNotSent"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| (entry["table"].as_str().expect("a table"), entry["localId"].as_str().expect("an id")))
        .collect();
    let mut left = left;
    left.sort_unstable();
    left_wanted.sort_unstable();
    assert_eq!(left, left_wanted);
    // The client's own deletions are told apart from the person's.
    let retention: Vec<i64> =
        database.pending.iter().filter(|pending| pending.retention).map(|pending| pending.local_id).collect();
    assert_eq!(retention, [3, 2, 1]);
}

#[test]
fn it_is_read_as_a_device_file_and_nothing_of_it_changes() {
    let folder = folder();
    let path = changed(folder.path(), "");
    std::fs::copy(
        fixture("device-sample.preferences_pb"),
        folder.path().join("quran_mobile_sync_settings.preferences_pb"),
    )
    .expect("copied");
    let before = std::fs::read(&path).expect("readable");
    let file = DeviceFile::read(&path).expect("a device file");
    assert_eq!(file.device().sync.cursor.map(Cursor::value), Some(1_769_900_000_000));
    assert_eq!((file.device().queue.len(), file.device().retention.len()), (23, 3));
    // The seven bookmarks, links, collections, notes and sessions that have the server's id.
    let known = file.device().known.as_ref().expect("a list");
    assert!(known.iter().any(|row| row.id.as_str() == "slubp2n5z8t5h4fz0comix8j"));
    assert_eq!(file.database(), Some(path.as_path()));
    assert_eq!(std::fs::read(&path).expect("readable"), before);
    let names: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(names.len(), 2, "nothing is made beside it");
    // What a person says goes before what lies there.
    let said = Said { cursor: Some(7), ..Said::default() };
    let file = DeviceFile::read_as(&path, &said).expect("a device file");
    assert_eq!(file.device().sync.cursor.map(Cursor::value), Some(7));
}

#[test]
fn it_is_found_in_the_folders_of_both_systems() {
    let settings = "quran_mobile_sync_settings.preferences_pb";
    for (database, preferences) in [
        ("quran.db", settings.to_owned()),
        ("databases/quran.db", format!("files/datastore/{settings}")),
        ("Library/Application Support/quran.db", format!("Library/Application Support/{settings}")),
    ] {
        let folder = folder();
        for (name, sample) in
            [(database, "device-sample.sqlite"), (preferences.as_str(), "device-sample.preferences_pb")]
        {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::copy(fixture(sample), path).expect("copied");
        }
        let file = DeviceFile::read(folder.path()).expect("a device file");
        assert_eq!(file.device().queue.len(), 23, "{database}");
        assert_eq!(file.device().sync.cursor.map(Cursor::value), Some(1_769_900_000_000), "{database}");
    }
    let error = DeviceFile::read(folder().path()).expect_err("an empty folder").to_string();
    assert!(error.contains("quran.db") && error.contains("databases/"), "{error}");
}

#[test]
fn it_is_found_where_a_backup_unpacks_it_and_of_several_one_is_to_be_named() {
    let folder = folder();
    let app = |name: &str| folder.path().join("apps").join(name);
    let put = |file: PathBuf, sample: &str| {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::copy(fixture(sample), file).expect("copied");
    };
    put(app("one").join("db/quran.db"), "device-sample.sqlite");
    put(
        app("one").join("f/datastore/quran_mobile_sync_settings.preferences_pb"),
        "device-sample.preferences_pb",
    );
    let file = DeviceFile::read(folder.path()).expect("a device file");
    assert_eq!(file.device().queue.len(), 23);
    assert_eq!(file.device().sync.cursor.map(Cursor::value), Some(1_769_900_000_000));
    put(app("two").join("db/quran.db"), "device-sample.sqlite");
    let error = DeviceFile::read(folder.path()).expect_err("two phones").to_string();
    assert!(error.contains("2 databases") && error.contains("one/db/quran.db"), "{error}");
}

#[test]
fn what_stands_in_the_write_ahead_log_is_read() {
    let folder = folder();
    let path = changed(folder.path(), "");
    let writer = Connection::open(&path).expect("opened");
    writer.pragma_update(None, "journal_mode", "wal").expect("set");
    writer
        .execute_batch("INSERT INTO note(note, start_sura, start_ayah, end_sura, end_ayah, pending_version) VALUES ('only in the log', 2, 3, 2, 3, 1)")
        .expect("written");
    // The app has it open still.
    assert_eq!(read(&path).pending.len(), 24);
    drop(writer);
}

#[test]
fn a_database_that_is_none_gets_its_own_words() {
    let refused = |make: &dyn Fn(&Path)| {
        let folder = folder();
        let path = folder.path().join("quran.db");
        make(&path);
        let error = DeviceFile::read(&path).expect_err("no phone's database").to_string();
        assert!(!error.contains("panicked"), "{error}");
        error
    };
    let sample = std::fs::read(fixture("device-sample.sqlite")).expect("readable");
    let of = |sql: &'static str| {
        refused(&move |path: &Path| {
            Connection::open(path).expect("opened").execute_batch(sql).expect("made");
        })
    };
    let cases: [(&str, String, &str); 11] = [
        ("never written to", of("CREATE TABLE android_metadata(locale TEXT)"), "without any table"),
        (
            "without the log that holds it all",
            refused(&|path| {
                let writer = Connection::open(path).expect("opened");
                writer.pragma_update(None, "journal_mode", "wal").expect("set");
                writer.execute_batch("CREATE TABLE bookmark(local_id)").expect("made");
                let alone = std::fs::read(path).expect("readable");
                drop(writer);
                std::fs::write(path, alone).expect("written");
            }),
            "holds nothing yet",
        ),
        ("empty", refused(&|path| std::fs::write(path, b"").expect("written")), "is empty"),
        ("encrypted", refused(&|path| std::fs::write(path, [0xA5; 4096]).expect("written")), "encrypted"),
        ("cut off", refused(&|path| std::fs::write(path, &sample[..50_000]).expect("written")), "cut off"),
        (
            "cut in its header",
            refused(&|path| std::fs::write(path, &sample[..40]).expect("written")),
            "cut off",
        ),
        ("of something else", of("CREATE TABLE photos(id)"), "something else"),
        ("too old", of("CREATE TABLE ayah_bookmark(id); CREATE TABLE bookmark(id)"), "before 0.1.10"),
        ("lacking a table", of("CREATE TABLE bookmark(local_id, remote_id)"), "lacks"),
        (
            "a view in the place of a table",
            of(
                "CREATE TABLE bookmark(local_id, remote_id); CREATE TABLE n(local_id, remote_id); CREATE TABLE collection(local_id, remote_id); CREATE TABLE bookmark_collection(local_id); CREATE VIEW note AS SELECT * FROM n; CREATE TABLE reading_session(local_id, remote_id)",
            ),
            "such as a view",
        ),
        (
            "damaged",
            refused(&|path| {
                let mut bytes = sample.clone();
                let size = bytes.len();
                bytes[4096..size].fill(0x5A);
                std::fs::write(path, bytes).expect("written");
            }),
            "damaged",
        ),
    ];
    for (what, error, word) in &cases {
        assert!(error.contains(word), "{what}: {error}");
        // Every one of them says what to do.
        assert!(error.split(". ").count() > 1, "{what}: {error}");
    }
}

#[test]
fn a_hostile_database_runs_nothing_of_its_own_and_an_odd_row_is_one_odd_row() {
    let folder = folder();
    let path = changed(
        folder.path(),
        "CREATE TABLE seen(what);
         CREATE TRIGGER noticed AFTER UPDATE ON note BEGIN INSERT INTO seen VALUES ('update'); END;
         CREATE VIEW pragma_table_xinfo AS SELECT 'x' AS name, 0 AS hidden;
         UPDATE note SET note = CAST(X'FFFE41' AS TEXT) WHERE local_id = 4;
         UPDATE note SET created_at = 'yesterday' WHERE local_id = 6;
         UPDATE bookmark SET sura = NULL WHERE local_id = 6;
         UPDATE collection SET name = zeroblob(5000000) WHERE local_id = 10;
         UPDATE bookmark_collection SET bookmark_local_id = 999 WHERE local_id = 6;
         UPDATE reading_session SET verse_number = 1.5 WHERE local_id = 24;",
    );
    let database = read(&path);
    let told: Vec<String> = database
        .not_sent
        .iter()
        .map(|left| format!("{} {}: {}", left.table, left.local_id, left.why))
        .collect();
    for (row, why) in [
        ("note 4", "not UTF-8"),
        ("note 6", "created_at holds a text"),
        ("bookmark_collection 7", "a verse without sura and ayah"),
        ("collection 10", "name holds bytes"),
        ("bookmark_collection 6", "its bookmark is not there"),
        ("reading_session 24", "verse_number holds a broken number"),
    ] {
        assert!(
            told.iter().any(|told| told.starts_with(row) && told.contains(why)),
            "{row} {why}: {told:#?}"
        );
    }
    assert_eq!(database.pending.len(), 23 - 6);
    assert!(DeviceFile::read(&path).is_ok());
}

#[test]
fn a_database_whose_log_is_missing_says_so() {
    let folder = folder();
    let path = changed(folder.path(), "");
    let said = |path: &Path| read(path).notes.iter().any(|note| note.contains("quran.db-wal"));
    assert!(!said(&path), "it has no log");
    // The last one to close it puts the log in and removes it.
    let writer = Connection::open(&path).expect("opened");
    writer.pragma_update(None, "journal_mode", "wal").expect("set");
    writer.execute_batch("UPDATE note SET deleted = deleted").expect("written");
    assert!(!said(&path), "its log is there");
    drop(writer);
    assert!(said(&path));
    assert_eq!(read(&path).pending.len(), 23);
}

/// A journal as SQLite leaves one of a transaction over several databases: it ends with the name of another journal.
fn journal_that_names(other: &Path, database: &[u8]) -> Vec<u8> {
    const MAGIC: [u8; 8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7];
    let page = u32::from(u16::from_be_bytes([database[16], database[17]]));
    let pages = u32::try_from(database.len()).expect("a small database") / page;
    let name = other.to_str().expect("a path").as_bytes();
    let sum: u32 = name.iter().map(|byte| u32::from(*byte)).sum();
    let mut journal = MAGIC.to_vec();
    for number in [0, 1, pages, 512, page] {
        journal.extend(u32::to_be_bytes(number));
    }
    journal.resize(512, 0);
    journal.extend(u32::to_be_bytes(0x4000_0000 / page + 1));
    journal.extend(name);
    journal.extend(u32::to_be_bytes(u32::try_from(name.len()).expect("a short name")));
    journal.extend(u32::to_be_bytes(sum));
    journal.extend(MAGIC);
    journal
}

#[test]
fn a_journal_that_names_another_file_removes_nothing() {
    let folder = folder();
    let path = changed(folder.path(), "");
    // As SQLite calls such a journal.
    let other = folder.path().join("precious-mj012345901");
    let journal = folder.path().join("quran.db-journal");
    let bytes = journal_that_names(&other, &std::fs::read(&path).expect("readable"));
    std::fs::write(&other, "precious").expect("written");
    std::fs::write(&journal, &bytes).expect("written");
    // Older versions of SQLite removed the file (seen with 3.40): the library that is built in must not.
    let file = DeviceFile::read(&path).expect("a device file");
    assert_eq!(file.device().queue.len(), 23);
    assert_eq!(std::fs::read_to_string(&other).expect("it is still there"), "precious");
    assert!(journal.exists(), "the phone's own files stay as they are");
}

/// The tables without their rules, so that anything may stand in them.
const WITHOUT_RULES: &str = "
    CREATE TABLE b AS SELECT * FROM bookmark; DROP TABLE bookmark; ALTER TABLE b RENAME TO bookmark;
    CREATE TABLE c AS SELECT * FROM collection; DROP TABLE collection; ALTER TABLE c RENAME TO collection;
    CREATE TABLE l AS SELECT * FROM bookmark_collection; DROP TABLE bookmark_collection; ALTER TABLE l RENAME TO bookmark_collection;
    CREATE TABLE n AS SELECT * FROM note; DROP TABLE note; ALTER TABLE n RENAME TO note;
    CREATE TABLE s AS SELECT * FROM reading_session; DROP TABLE reading_session; ALTER TABLE s RENAME TO reading_session;";

#[test]
fn whatever_stands_in_a_column_is_read_or_told() {
    let folder = folder();
    let path = changed(folder.path(), WITHOUT_RULES);
    let clean = std::fs::read(&path).expect("readable");
    let window = super::client_observed::window(
        r#"{"type":"CREATE","resource":"NOTE","resourceId":"web","data":{"body":"from the web","ranges":["1:1-1:1"]},"timestamp":1770000000000}"#,
    );
    for table in ["bookmark", "collection", "bookmark_collection", "note", "reading_session"] {
        let columns: Vec<String> = {
            let connection = Connection::open(&path).expect("opened");
            let list = connection.prepare(&format!("SELECT * FROM {table}")).expect("prepared");
            list.column_names().map(str::to_owned).collect()
        };
        for column in columns {
            for value in [
                "NULL",
                "'a text'",
                "9e999",
                "X'FF00'",
                "CAST(X'FFFE41' AS TEXT)",
                "9223372036854775807",
                "-9223372036854775807 - 1",
            ] {
                std::fs::write(&path, &clean).expect("written");
                let connection = Connection::open(&path).expect("opened");
                connection.execute(&format!("UPDATE {table} SET {column} = {value}"), []).expect("changed");
                drop(connection);
                let file = DeviceFile::read(&path)
                    .unwrap_or_else(|error| panic!("{table}.{column} = {value}: {error}"));
                let _ = unstick::domain::inspect::inspect(
                    std::sync::Arc::new(file.device().clone()),
                    std::sync::Arc::new(window.clone()),
                );
                let _ = Phone::new(file.device(), &window).cycle();
            }
        }
    }
}

#[test]
fn no_bytes_of_a_database_end_the_program() {
    let folder = folder();
    let path = folder.path().join("quran.db");
    let sample = std::fs::read(fixture("device-sample.sqlite")).expect("readable");
    let mut read = 0;
    // Each byte of the header, then some of each page: its own header first.
    let pages = (0..sample.len())
        .step_by(4096)
        .flat_map(|page| (0..12).chain([100, 1000, 4000]).map(move |at| page + at));
    for at in (0..100).chain(pages).filter(|at| *at < sample.len()) {
        let mut bytes = sample.clone();
        bytes[at] ^= 0xFF;
        std::fs::write(&path, &bytes).expect("written");
        read += usize::from(DeviceFile::read(&path).is_ok());
    }
    assert!(read > 0, "some changes are harmless");
}

#[test]
fn what_a_schema_says_of_itself_is_not_believed() {
    // The schema is written by hand: a table that is a view, a column that is computed, a virtual table with a comment before it.
    for (sql, refused) in [
        (
            "UPDATE sqlite_schema SET sql = 'CREATE VIEW note AS SELECT 1 AS local_id, 2 AS remote_id' WHERE name = 'note'",
            true,
        ),
        (
            "UPDATE sqlite_schema SET sql = '/* */ CREATE VIRTUAL TABLE note USING fts3(local_id, remote_id)' WHERE name = 'note'",
            true,
        ),
        ("UPDATE sqlite_schema SET sql = 'nonsense' WHERE name = 'note'", true),
        ("UPDATE sqlite_schema SET rootpage = 999999 WHERE name = 'note'", true),
        (
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'collection') WHERE name = 'note'",
            false,
        ),
        ("UPDATE sqlite_schema SET name = CAST(X'FF' AS TEXT), tbl_name = X'00' WHERE name = 'note'", true),
        (
            "ALTER TABLE note ADD COLUMN computed TEXT GENERATED ALWAYS AS (printf('%.*c', 1000000000, 'x')) VIRTUAL",
            false,
        ),
        (
            "CREATE TABLE x(y REFERENCES z(w)); CREATE TABLE z(w REFERENCES x(y)); CREATE INDEX odd ON note(abs(-9223372036854775808 + local_id - local_id)) WHERE 0",
            false,
        ),
    ] {
        let folder = folder();
        let path = folder.path().join("quran.db");
        std::fs::copy(fixture("device-sample.sqlite"), &path).expect("copied");
        let connection = Connection::open(&path).expect("opened");
        connection.execute_batch("PRAGMA writable_schema = 1").expect("set");
        connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        drop(connection);
        let answer = DeviceFile::read(&path);
        assert_eq!(answer.is_err(), refused, "{sql}: {answer:?}");
        if let Err(error) = answer {
            assert!(error.to_string().split(". ").count() > 1, "{sql}: {error}");
        }
    }
}

#[test]
fn a_preferences_file_that_is_none_says_what_to_pass_instead() {
    let folder = folder();
    let path = changed(folder.path(), "");
    let file = folder.path().join("prefs");
    for bytes in [&b"{}"[..], b"not a protobuf", &[0xFF; 100]] {
        std::fs::write(&file, bytes).expect("written");
        let said = Said { preferences: Some(file.clone()), cursor: None };
        let error = DeviceFile::read_as(&path, &said).expect_err("no preferences").to_string();
        assert!(error.contains("--prefs") && error.contains("--cursor"), "{error}");
    }
    // Without one the cursor is lost, and that is said.
    let file = DeviceFile::read(&path).expect("a device file");
    assert_eq!(file.device().sync.cursor, None);
    assert!(file.warnings().iter().any(|warning| warning.message.contains("--prefs")));
}

#[test]
fn older_and_newer_versions_are_told_by_their_columns() {
    let older = "
        DROP INDEX bookmark_ayah_identity_idx; DROP INDEX note_start_ayah_idx; DROP INDEX note_end_ayah_idx;
        CREATE TABLE b AS SELECT local_id, remote_id, bookmark_type, page,
            CASE WHEN local_id = 1 THEN 262 WHEN sura IS NULL THEN NULL ELSE 1 END AS ayah_id,
            is_reading, deleted, bookmark_pending_op, bookmark_pending_version, reading_pending_op, reading_pending_version,
            created_at, modified_at, bookmark_modified_at, reading_modified_at FROM bookmark;
        DROP TABLE bookmark; ALTER TABLE b RENAME TO bookmark;
        CREATE TABLE n AS SELECT local_id, remote_id, note, 262 AS start_ayah_id, 264 AS end_ayah_id, created_at, modified_at,
            deleted, is_edited, pending_version FROM note;
        DROP TABLE note; ALTER TABLE n RENAME TO note;";
    let oldest = format!(
        "{older} ALTER TABLE bookmark ADD COLUMN default_pending_op TEXT;
         UPDATE bookmark SET default_pending_op = 'CREATED' WHERE local_id = 1;"
    );
    let newer = "ALTER TABLE note ADD COLUMN colour TEXT; CREATE TABLE import_history(id INTEGER); CREATE TABLE android_metadata2(x);";
    for (sql, generation) in
        [(older, Generation::V0_1_17), (oldest.as_str(), Generation::V0_1_10), (newer, Generation::V0_1_18)]
    {
        let folder = folder();
        let database = read(&changed(folder.path(), sql));
        assert_eq!(database.generation, generation);
        let note = database.pending.iter().find(|pending| pending.table == "note" && pending.local_id == 4);
        let ranges = &note.and_then(|note| note.data.as_ref()).expect("its data")["ranges"];
        assert_eq!(ranges[0], "2:255-2:257", "{}", generation.name());
        let favorites = database
            .pending
            .iter()
            .filter(|pending| pending.table == "bookmark" && pending.resource == "COLLECTION_BOOKMARK");
        assert_eq!(favorites.count(), usize::from(generation == Generation::V0_1_10));
    }
}

/// What ends the sync of a phone whose database is the sample changed by `sql`, given this entry of a feed: the rules of
/// PROTOCOL A10 S-A.
fn ends(sql: &str, entry: &str) -> Vec<&'static str> {
    let folder = folder();
    let file = DeviceFile::read(&changed(folder.path(), sql)).expect("a device file");
    let window = super::client_observed::window(entry);
    let aborts = Phone::new(file.device(), &window).cycle().aborts;
    aborts.iter().map(|abort| abort.id.name()).filter(|name| name.starts_with("S-A")).collect()
}

#[test]
fn tombstones_that_nobody_sends_decide_what_a_pull_does() {
    // A page that was opened twice before the first sync: its session has an id by now, and the first one's tombstone is there.
    let tombstone = "INSERT INTO reading_session(chapter_number, verse_number, deleted, pending_version) VALUES (2, 99, 1, 2);";
    let synced =
        "INSERT INTO reading_session(remote_id, chapter_number, verse_number) VALUES ('echoed', 2, 99);";
    let echo = r#"{"type":"CREATE","resource":"READING_SESSION","resourceId":"echoed","data":{"chapterNumber":2,"verseNumber":99},"timestamp":1770000000000}"#;
    assert_eq!(ends(synced, echo), [""; 0]);
    assert_eq!(ends(&format!("{synced}{tombstone}"), echo), ["S-A1"]);
    assert_eq!(ends(&format!("{synced}{tombstone}{tombstone}"), echo), ["S-A2"]);

    let deleted = "INSERT INTO collection(name, deleted, pending_version) VALUES ('Twice deleted', 1, 2);";
    let made = r#"{"type":"CREATE","resource":"COLLECTION","resourceId":"web","data":{"name":"Twice deleted"},"timestamp":1770000000000}"#;
    assert_eq!(ends(deleted, made), [""; 0]);
    assert_eq!(ends(&deleted.repeat(2), made), ["S-A4"]);
}

#[test]
fn there_is_one_collection_of_the_favourites() {
    let favourites = r#"{"type":"UPDATE","resource":"COLLECTION","resourceId":"web","data":{"name":"المفضلة","isDefault":true},"timestamp":1770000000000}"#;
    assert_eq!(ends("", favourites), ["S-A6"]);
    // While it has no id it takes the first that a pull brings.
    assert_eq!(ends("UPDATE collection SET remote_id = NULL WHERE local_id = 1", favourites), [""; 0]);
}
