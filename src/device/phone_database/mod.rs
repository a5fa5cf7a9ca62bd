//! The phone's own database as a device file: `quran.db` (PROTOCOL B), or the folder of the app in which it lies. It is only ever
//! read, from a private copy, and comes out as the JSON that an export of the phone would be (DESIGN §3): whatever reads a device
//! file reads a phone. Nothing is written to it; what a push makes of the device lies beside it as a device file of its own
//! ([`EXPORT_SUFFIX`]).

mod copy;
mod export;
mod pending;
mod places;
mod preferences;
mod rows;
mod schema;

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use self::copy::Copy;
pub use self::export::Export;
use self::pending::{Buried, Contents, Held};
pub use self::pending::{NotSent, Pending};
pub use self::preferences::{FILE_NAME as PREFERENCES_FILE, Preferences};
use self::rows::Tables;
pub use self::schema::Generation;
use self::schema::{Foreign, Schema};
use crate::error::InputError;

/// What follows the database's name in the name of the device file that stands for it.
pub const EXPORT_SUFFIX: &str = ".unstick.json";

/// What to do about a copy that is no good.
const AGAIN: &str =
    "Copy it from the phone again, with the app closed, together with the files -wal and -shm beside it";
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The version of the file's format that goes with a write-ahead log.
const WRITES_TO_LOG: u8 = 2;
/// How the database is called in the app.
const DATABASE_NAME: &str = "quran.db";
/// Where it lies in a folder that was taken from a phone: the app's own folder (Android, iOS), or one with the files side by
/// side.
const IN_FOLDER: [&str; 4] = [
    DATABASE_NAME,
    "databases/quran.db",
    "Library/Application Support/quran.db",
    "AppData/Library/Application Support/quran.db",
];
/// Where the preferences lie, from the folder in which the database lies: as the systems keep them, and as a backup of Android
/// unpacks.
const FROM_DATABASE: [&str; 5] = ["", "../files/datastore", "datastore", "..", "../f/datastore"];
/// How deep below a folder the database is looked for where the app does not keep it, and in how many places.
const DEPTH: usize = 6;
const PLACES: usize = 10_000;
/// The largest database that is read, bytes.
const LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// What a person says of a phone's sync, where its own files do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The preferences file (`--prefs`).
    pub preferences: Option<PathBuf>,
    /// The cursor (`--cursor`).
    pub cursor: Option<i64>,
}

/// A phone's database, read.
#[derive(Debug)]
pub struct PhoneDatabase {
    /// The file.
    pub path: PathBuf,
    /// Which version of the app made it.
    pub generation: Generation,
    /// What waits, in the order in which the phone would send it.
    pub pending: Vec<Pending>,
    /// What looks as if it waited and is never sent.
    pub not_sent: Vec<NotSent>,
    /// What a person should know of it.
    pub notes: Vec<String>,
    cursor: Option<i64>,
    held: Vec<Held>,
    buried: Vec<Buried>,
}

/// The phone's database at `path`: a database file, or a folder that holds one. `None` where it is neither.
///
/// # Errors
/// A folder that holds several, of which one is to be named.
pub fn found(path: &Path) -> Result<Option<PathBuf>, InputError> {
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(None) };
    if !metadata.is_dir() {
        let is_one = metadata.is_file() && (is_database(path) || path.ends_with(DATABASE_NAME));
        return Ok(is_one.then(|| path.to_owned()));
    }
    if let Some(file) = IN_FOLDER.iter().map(|name| path.join(name)).find(|file| file.is_file()) {
        return Ok(Some(file));
    }
    let mut files = below(path);
    match files.len() {
        0 | 1 => Ok(files.pop()),
        count => Err(InputError::Unsupported {
            file: path.display().to_string(),
            reason: format!(
                "holds {count} databases of phones, such as {} and {}",
                files[0].display(),
                files[1].display()
            ),
            next: String::from("Give the one that is meant"),
        }),
    }
}

/// The databases below a folder, the nearest first. Links are not followed.
fn below(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut level, mut left) = (Vec::new(), vec![folder.to_owned()], PLACES);
    for _ in 0..DEPTH {
        let mut deeper = Vec::new();
        for entry in level.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten() {
            if left == 0 {
                break;
            }
            left -= 1;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => deeper.push(entry.path()),
                Ok(kind) if kind.is_file() && entry.file_name() == DATABASE_NAME => files.push(entry.path()),
                Ok(_) | Err(_) => {}
            }
        }
        level = deeper;
    }
    files.sort_by_key(|file| (file.components().count(), file.clone()));
    files
}

fn is_database(path: &Path) -> bool {
    let mut bytes = [0; MAGIC.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).is_ok() && &bytes == MAGIC
}

/// Why a folder is no phone's.
pub fn nothing_in(folder: &Path) -> InputError {
    InputError::Unsupported {
        file: folder.display().to_string(),
        reason: format!("is a folder without the phone's database ({DATABASE_NAME})"),
        next: format!(
            "Give {DATABASE_NAME} itself, or the app's folder that holds databases/{DATABASE_NAME} (Android) or Library/Application Support/{DATABASE_NAME} (iOS)"
        ),
    }
}

impl PhoneDatabase {
    /// Reads the database at `path`. Its cursor comes from what was `said`, else from the preferences file that lies where the
    /// app keeps it.
    ///
    /// # Errors
    /// A file that is no database of this app, with what it is instead.
    pub fn read(path: &Path, said: &Said) -> Result<Self, InputError> {
        let lacks_log = looked_at(path)? && !copy::has_log(path);
        let mut notes = Vec::new();
        if lacks_log {
            notes.push(String::from(
                "it is one that writes to a file -wal first, and none lies beside it: unless the app was closed when it was copied, what the app wrote last is missing here; copy quran.db-wal too where the phone has one",
            ));
        }
        let cursor = cursor(path, said, &mut notes)?;
        let copy = Copy::of(path)?;
        let refused = |foreign: Foreign| match foreign {
            Foreign::Empty if lacks_log => told(path, Foreign::EmptyWithoutLog),
            foreign => told(path, foreign),
        };
        let connection = open(&copy.path()).map_err(|error| refused(error.into()))?;
        let schema = Schema::of(&connection).map_err(refused)?;
        let tables = Tables::read(&connection, &schema).map_err(refused)?;
        let Contents { pending, not_sent, held, buried, odd } = Contents::of(&tables, schema.generation);
        if let Some(first) = odd.first() {
            notes.push(format!(
                "{} of the database cannot be read and is passed over, the first in {} {}: {}",
                if odd.len() == 1 { String::from("1 row") } else { format!("{} rows", odd.len()) },
                first.table,
                first.local_id,
                first.why
            ));
        }
        let path = path.to_owned();
        Ok(Self { path, generation: schema.generation, pending, not_sent, notes, cursor, held, buried })
    }

    /// Where the device file lies that stands for it once something is written.
    pub fn export_path(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(EXPORT_SUFFIX);
        PathBuf::from(name)
    }

    /// The device file that an export of this phone would be.
    pub fn export(&self) -> Export {
        let queue: Vec<export::Entry<'_>> = self.pending.iter().map(export::Entry::of).collect();
        let resources: Vec<export::Resource<'_>> = self.held.iter().map(export::Resource::of).collect();
        // Not of the cursor, which may be said in one way or another.
        let state = digest(&serde_json::to_vec(&(&queue, &resources)).unwrap_or_default());
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let document = export::Document {
            device: export::Device { label: name.as_deref().unwrap_or(DATABASE_NAME) },
            phone: export::Phone {
                database: name.as_deref(),
                made_by: self.generation.name(),
                state: &state,
            },
            sync: export::Sync { pending: queue.len(), cursor: self.cursor },
            queue,
            resources,
            tombstones: self.buried.iter().map(export::Tombstone::of).collect(),
        };
        let text = serde_json::to_string_pretty(&document).unwrap_or_default();
        Export { text, state }
    }
}

/// What tells one state of a database from another.
fn digest(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut text = String::new();
    for byte in digest.as_ref().iter().take(16) {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What can be told of the file before SQLite sees it: whether it is one that is written to by way of a write-ahead log.
fn looked_at(path: &Path) -> Result<bool, InputError> {
    let cannot = |source| InputError::Io {
        what: "cannot read",
        path: path.to_owned(),
        source,
        next: "Check the path and that you may read the file",
    };
    let odd = |reason: String, next: &str| InputError::Unsupported {
        file: path.display().to_string(),
        reason,
        next: next.to_owned(),
    };
    let mut file = File::open(path).map_err(cannot)?;
    let size = file.metadata().map_err(cannot)?.len();
    if size == 0 {
        return Err(odd(
            String::from("is empty: a database that was never written, or a copy that failed"),
            AGAIN,
        ));
    }
    if size > LIMIT {
        return Err(InputError::TooLarge { file: path.display().to_string(), bytes: size, limit: LIMIT });
    }
    let mut header = [0; 100];
    let whole = file.read_exact(&mut header).is_ok();
    if !header.starts_with(MAGIC) {
        return Err(odd(
            String::from(
                "is called as the phone's database and is none: it is encrypted, or damaged from its first byte on",
            ),
            "An encrypted copy cannot be read; take the file from the app's own folder, not from an encrypted backup",
        ));
    }
    let page = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        page => page,
    };
    let pages = u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]));
    // Only where the header says that its count of pages is its own.
    let counted = header[24..28] == header[92..96];
    if !whole || (counted && page.saturating_mul(pages) > size) {
        let expected = page.saturating_mul(pages).max(100);
        return Err(odd(format!("is cut off: it has {size} of its {expected} bytes"), AGAIN));
    }
    Ok(header[18] == WRITES_TO_LOG || header[19] == WRITES_TO_LOG)
}

/// Opens the copy so that nothing of the database's own is run: no triggers, views or functions of a schema that somebody
/// else wrote.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    // The copy may be written to: a write-ahead log or a journal beside it is taken in.
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW,
    )?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// What is wrong with a database, and what to do.
fn told(path: &Path, foreign: Foreign) -> InputError {
    let (reason, next) = match foreign {
        Foreign::NotThePhones => (
            String::from(
                "is a SQLite database of something else: it has none of the tables of this app's phones",
            ),
            format!("Give the app's {DATABASE_NAME}, or the folder that it lies in"),
        ),
        Foreign::Empty => (
            String::from("is a database without any table: the app never wrote to it"),
            format!("Look for the {DATABASE_NAME} that the app uses, or copy it from the phone again"),
        ),
        Foreign::EmptyWithoutLog => (
            format!(
                "holds nothing yet: all that the app wrote stands in {DATABASE_NAME}-wal, which is not beside it"
            ),
            AGAIN.to_owned(),
        ),
        Foreign::TooOld => (
            String::from("was made by a version of the app before 0.1.10, whose tables are others"),
            String::from("Let the app be updated and opened once, and copy the database again"),
        ),
        Foreign::NoTable(table) => (
            format!("has something else in the place of the table {table}, such as a view"),
            String::from("It was not made by the app; copy the database from the phone again"),
        ),
        Foreign::Lacks(table, what) => (
            format!("lacks {what} of the table {table}, which every version of the app has"),
            String::from("Copy the database from the phone again; if it stays so, it is damaged"),
        ),
        Foreign::Sqlite(error) => match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => (
                String::from("is no SQLite database behind its first bytes: it is encrypted or damaged"),
                AGAIN.to_owned(),
            ),
            Some(ErrorCode::DatabaseCorrupt) => {
                (String::from("is damaged: SQLite finds its pages malformed"), AGAIN.to_owned())
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
                String::from("is held by another program"),
                String::from("Close the app or the program that has it open, and try again"),
            ),
            Some(ErrorCode::OutOfMemory | ErrorCode::TooBig) => {
                (String::from("holds a value that is too large to be read"), AGAIN.to_owned())
            }
            Some(ErrorCode::DiskFull) => (
                String::from("cannot be copied whole: the folder for temporary files is full"),
                String::from("Make room there or set TMPDIR to another folder"),
            ),
            // SQLite's own words may hold the schema's; its code tells enough.
            Some(_) | None => (
                format!(
                    "cannot be read as the app's database (SQLite answers {})",
                    error.sqlite_error().map_or(0, |error| error.extended_code)
                ),
                AGAIN.to_owned(),
            ),
        },
    };
    InputError::Unsupported { file: path.display().to_string(), reason, next }
}

/// The cursor, from what was said, else from the file where the phone keeps it.
fn cursor(path: &Path, said: &Said, notes: &mut Vec<String>) -> Result<Option<i64>, InputError> {
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let beside = || {
        let names = FROM_DATABASE.iter().map(|way| folder.join(way).join(PREFERENCES_FILE));
        let sample = path.with_extension("preferences_pb");
        names.chain([sample]).find(|file| file.is_file())
    };
    let preferences = match (&said.preferences, said.cursor) {
        (Some(file), _) => Some(Preferences::read(file)?),
        (None, Some(_)) => None,
        (None, None) => beside().map(|file| Preferences::read(&file)).transpose()?,
    };
    if preferences.is_some_and(|preferences| preferences.reset_in_progress) {
        notes.push(String::from(
            "a sign-out was begun on this phone and never finished: until it is, the phone does not sync and shows no error (S-X2)",
        ));
    }
    if said.cursor.is_none() && preferences.is_none() {
        notes.push(format!(
            "no {PREFERENCES_FILE} lies beside the database, so the phone's cursor is not known and everything is pulled from 0; pass it with --prefs FILE or --cursor N"
        ));
    }
    Ok(said.cursor.or(preferences.map(|preferences| preferences.cursor)))
}
