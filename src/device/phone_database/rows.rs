//! The rows of the phone's tables as they are, whatever stands in them: SQLite lets any value stand in any column.

use std::collections::HashSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::places::Verse;
use super::schema::{Foreign, Schema};

/// A row that cannot be read as what it should be: which, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) local_id: String,
    pub(super) what: String,
    /// Whether it has a mark of something that waits.
    pub(super) pending: bool,
}

/// What is read of one table.
pub(super) type Read<T> = (Vec<T>, Vec<Odd>);

/// Where a bookmark stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Verse(Verse),
    Page(i64),
}

/// `pending_op` of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PendingOp {
    Created,
    Modified,
    Deleted,
}

pub(super) struct Bookmark {
    pub(super) local_id: i64,
    pub(super) remote_id: Option<String>,
    /// What stands in the row where it is no place of the phone's.
    pub(super) place: Result<Place, String>,
    pub(super) is_reading: bool,
    pub(super) deleted: bool,
    pub(super) op: Option<PendingOp>,
    pub(super) version: i64,
    pub(super) reading_op: Option<PendingOp>,
    pub(super) reading_version: i64,
    /// Of Favorites, before Favorites was a collection (0.1.10 to 0.1.16).
    pub(super) default_op: Option<PendingOp>,
    pub(super) created_at: Option<i64>,
    pub(super) modified_at: Option<i64>,
    pub(super) own_modified_at: Option<i64>,
    pub(super) reading_modified_at: Option<i64>,
}

pub(super) struct Collection {
    pub(super) local_id: i64,
    pub(super) remote_id: Option<String>,
    pub(super) name: String,
    pub(super) deleted: bool,
    pub(super) is_edited: bool,
    pub(super) is_default: bool,
    pub(super) is_system: bool,
    pub(super) version: i64,
    pub(super) created_at: Option<i64>,
    pub(super) modified_at: Option<i64>,
}

pub(super) struct Link {
    pub(super) local_id: i64,
    pub(super) bookmark: i64,
    pub(super) collection: i64,
    pub(super) is_active: bool,
    pub(super) op: Option<PendingOp>,
    pub(super) version: i64,
    pub(super) synced_bookmark: Option<String>,
    pub(super) synced_collection: Option<String>,
    pub(super) created_at: Option<i64>,
    pub(super) modified_at: Option<i64>,
}

pub(super) struct Note {
    pub(super) local_id: i64,
    pub(super) remote_id: Option<String>,
    pub(super) body: String,
    pub(super) start: Verse,
    pub(super) end: Verse,
    pub(super) deleted: bool,
    pub(super) is_edited: bool,
    pub(super) version: i64,
    pub(super) created_at: Option<i64>,
    pub(super) modified_at: Option<i64>,
}

pub(super) struct Session {
    pub(super) local_id: i64,
    pub(super) remote_id: Option<String>,
    pub(super) at: Verse,
    pub(super) deleted: bool,
    pub(super) is_edited: bool,
    pub(super) version: i64,
    pub(super) created_at: Option<i64>,
    pub(super) modified_at: Option<i64>,
}

/// The tables.
pub(super) struct Tables {
    pub(super) bookmarks: Read<Bookmark>,
    pub(super) collections: Read<Collection>,
    pub(super) links: Read<Link>,
    pub(super) notes: Read<Note>,
    pub(super) sessions: Read<Session>,
}

impl Tables {
    pub(super) fn read(connection: &Connection, schema: &Schema) -> Result<Self, Foreign> {
        let table = Table { connection, schema };
        Ok(Self {
            bookmarks: table.read(
                "bookmark",
                &[
                    "remote_id",
                    "bookmark_type",
                    "sura",
                    "ayah",
                    "page",
                    "ayah_id",
                    "is_reading",
                    "deleted",
                    "bookmark_pending_op",
                    "bookmark_pending_version",
                    "reading_pending_op",
                    "reading_pending_version",
                    "default_pending_op",
                    "created_at",
                    "modified_at",
                    "bookmark_modified_at",
                    "reading_modified_at",
                ],
                |row| {
                    let (op, reading_op) = (row.op(9)?, row.op(11)?);
                    Ok(Bookmark {
                        local_id: row.local_id()?,
                        remote_id: row.text(1)?,
                        place: row.place(),
                        is_reading: row.flag(7)?,
                        deleted: row.flag(8)?,
                        op,
                        version: row.number(10)?.unwrap_or(0),
                        reading_op,
                        reading_version: row.number(12)?.unwrap_or(0),
                        default_op: row.op(13)?,
                        created_at: row.number(14)?,
                        modified_at: row.number(15)?,
                        own_modified_at: row.number(16)?,
                        reading_modified_at: row.number(17)?,
                    })
                },
            )?,
            collections: table.read(
                "collection",
                &[
                    "remote_id",
                    "name",
                    "deleted",
                    "is_edited",
                    "is_default",
                    "is_system",
                    "pending_version",
                    "created_at",
                    "modified_at",
                ],
                |row| {
                    Ok(Collection {
                        local_id: row.local_id()?,
                        remote_id: row.text(1)?,
                        name: required(row.text(2)?, "name")?,
                        deleted: row.flag(3)?,
                        is_edited: row.flag(4)?,
                        is_default: row.flag(5)?,
                        is_system: row.flag(6)?,
                        version: row.number(7)?.unwrap_or(0),
                        created_at: row.number(8)?,
                        modified_at: row.number(9)?,
                    })
                },
            )?,
            links: table.read(
                "bookmark_collection",
                &[
                    "bookmark_local_id",
                    "collection_local_id",
                    "is_active",
                    "pending_op",
                    "pending_version",
                    "last_synced_bookmark_remote_id",
                    "last_synced_collection_remote_id",
                    "created_at",
                    "modified_at",
                ],
                |row| {
                    Ok(Link {
                        local_id: row.local_id()?,
                        bookmark: required(row.number(1)?, "bookmark_local_id")?,
                        collection: required(row.number(2)?, "collection_local_id")?,
                        is_active: row.flag(3)?,
                        op: row.op(4)?,
                        version: row.number(5)?.unwrap_or(0),
                        synced_bookmark: row.text(6)?,
                        synced_collection: row.text(7)?,
                        created_at: row.number(8)?,
                        modified_at: row.number(9)?,
                    })
                },
            )?,
            notes: table.read(
                "note",
                &[
                    "remote_id",
                    "note",
                    "start_sura",
                    "start_ayah",
                    "end_sura",
                    "end_ayah",
                    "start_ayah_id",
                    "end_ayah_id",
                    "deleted",
                    "is_edited",
                    "pending_version",
                    "created_at",
                    "modified_at",
                ],
                |row| {
                    Ok(Note {
                        local_id: row.local_id()?,
                        remote_id: row.text(1)?,
                        body: required(row.text(2)?, "note")?,
                        start: row.verse(3, 4, 7, "start")?,
                        end: row.verse(5, 6, 8, "end")?,
                        deleted: row.flag(9)?,
                        is_edited: row.flag(10)?,
                        version: row.number(11)?.unwrap_or(0),
                        created_at: row.number(12)?,
                        modified_at: row.number(13)?,
                    })
                },
            )?,
            sessions: table.read(
                "reading_session",
                &[
                    "remote_id",
                    "chapter_number",
                    "verse_number",
                    "deleted",
                    "is_edited",
                    "pending_version",
                    "created_at",
                    "modified_at",
                ],
                |row| {
                    let (sura, ayah) = (row.number(2)?, row.number(3)?);
                    let at = sura.zip(ayah).map(|(sura, ayah)| Verse { sura, ayah });
                    Ok(Session {
                        local_id: row.local_id()?,
                        remote_id: row.text(1)?,
                        at: required(at, "position")?,
                        deleted: row.flag(4)?,
                        is_edited: row.flag(5)?,
                        version: row.number(6)?.unwrap_or(0),
                        created_at: row.number(7)?,
                        modified_at: row.number(8)?,
                    })
                },
            )?,
        })
    }
}

fn required<T>(value: Option<T>, name: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("its {name} is missing"))
}

struct Table<'a> {
    connection: &'a Connection,
    schema: &'a Schema,
}

impl Table<'_> {
    /// Reads a table by the row's number: no index is trusted.
    fn read<T>(
        &self,
        table: &'static str,
        columns: &[&'static str],
        of: impl Fn(&Cells<'_>) -> Result<T, String>,
    ) -> Result<Read<T>, Foreign> {
        let list: Vec<&str> = columns.iter().map(|column| self.schema.column(table, column)).collect();
        let sql = format!("SELECT local_id, {} FROM main.{table} NOT INDEXED", list.join(", "));
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let (mut read, mut odd, mut numbers) = (Vec::new(), Vec::new(), HashSet::new());
        while let Some(row) = rows.next()? {
            let cells = Cells { row, columns };
            // The column is the table's key; where it is not, two rows would pass for one.
            let its_own = cells.number(0).ok().flatten().is_none_or(|number| numbers.insert(number));
            let answer =
                if its_own { of(&cells) } else { Err(String::from("its local_id is that of another row")) };
            match answer {
                Ok(row) => read.push(row),
                Err(what) => {
                    odd.push(Odd { local_id: cells.name(), what, pending: cells.looks_pending() });
                }
            }
        }
        Ok((read, odd))
    }
}

/// The cells of a row. An error says what stands where something else should, never what a person wrote.
struct Cells<'a> {
    row: &'a Row<'a>,
    columns: &'a [&'static str],
}

impl Cells<'_> {
    fn value(&self, at: usize) -> ValueRef<'_> {
        self.row.get_ref(at).unwrap_or(ValueRef::Null)
    }

    fn wrong(&self, at: usize) -> String {
        let column = at.checked_sub(1).and_then(|at| self.columns.get(at)).copied().unwrap_or("local_id");
        let found = match self.value(at) {
            ValueRef::Null => "nothing",
            ValueRef::Integer(_) => "a number",
            ValueRef::Real(_) => "a broken number",
            ValueRef::Text(text) if std::str::from_utf8(text).is_err() => "text that is not UTF-8",
            ValueRef::Text(_) => "a text",
            ValueRef::Blob(_) => "bytes",
        };
        format!("its {column} holds {found}")
    }

    /// The row's number, as it can be told.
    fn name(&self) -> String {
        match self.value(0) {
            ValueRef::Integer(number) => number.to_string(),
            _ => String::from("without a number"),
        }
    }

    fn local_id(&self) -> Result<i64, String> {
        self.number(0)?.ok_or_else(|| self.wrong(0))
    }

    fn number(&self, at: usize) -> Result<Option<i64>, String> {
        match self.value(at) {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => Err(self.wrong(at)),
        }
    }

    fn flag(&self, at: usize) -> Result<bool, String> {
        self.number(at).map(|number| number.is_some_and(|number| number != 0))
    }

    fn text(&self, at: usize) -> Result<Option<String>, String> {
        match self.value(at) {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => {
                std::str::from_utf8(bytes).map(|text| Some(text.to_owned())).map_err(|_| self.wrong(at))
            }
            ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => Err(self.wrong(at)),
        }
    }

    fn op(&self, at: usize) -> Result<Option<PendingOp>, String> {
        match self.text(at)?.as_deref() {
            None => Ok(None),
            Some("CREATED") => Ok(Some(PendingOp::Created)),
            Some("MODIFIED") => Ok(Some(PendingOp::Modified)),
            Some("DELETED") => Ok(Some(PendingOp::Deleted)),
            Some(_) => Err(format!("its {} is none that the phone knows", self.columns[at - 1])),
        }
    }

    fn verse(&self, sura: usize, ayah: usize, number: usize, name: &str) -> Result<Verse, String> {
        let both = self.number(sura)?.zip(self.number(ayah)?).map(|(sura, ayah)| Verse { sura, ayah });
        let verse = both.or(self.number(number)?.and_then(Verse::of_number));
        required(verse, name)
    }

    /// Where a bookmark stands.
    fn place(&self) -> Result<Place, String> {
        let kind = self.text(2)?;
        match kind.as_deref() {
            Some("PAGE") => {
                self.number(5)?.map(Place::Page).ok_or_else(|| String::from("a page without its number"))
            }
            Some("AYAH") | None => self
                .verse(3, 4, 6, "verse")
                .map(Place::Verse)
                .map_err(|_| String::from("a verse without sura and ayah")),
            Some(_) => Err(String::from("a type of bookmark that the phone does not know")),
        }
    }

    /// Whether a mark of something that waits stands in the row, as far as it can be read.
    fn looks_pending(&self) -> bool {
        let marks = ["pending_op", "bookmark_pending_op", "reading_pending_op", "default_pending_op"];
        let flags = ["is_edited", "deleted"];
        self.columns.iter().enumerate().any(|(at, column)| match self.value(at + 1) {
            ValueRef::Null => *column == "remote_id",
            ValueRef::Integer(number) => flags.contains(column) && number != 0,
            ValueRef::Text(_) => marks.contains(column),
            ValueRef::Real(_) | ValueRef::Blob(_) => false,
        })
    }
}
