//! Which version of the app made a database, told by its columns (PROTOCOL B): there are no migrations, and `user_version` is 1
//! in all of them. Columns and tables that are newer are passed over.

use std::collections::HashSet;

use rusqlite::Connection;

/// The tables that hold what a person made, in the order in which they are read.
pub(super) const TABLES: [&str; 5] =
    ["bookmark", "collection", "bookmark_collection", "note", "reading_session"];

/// The versions of the phone's client whose databases are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// 0.1.10 to 0.1.16: one number for a verse, Favorites as a mark of the bookmark.
    V0_1_10,
    /// 0.1.17: one number for a verse, Favorites as a collection.
    V0_1_17,
    /// 0.1.18 and those after it that only add.
    V0_1_18,
}

impl Generation {
    /// As it is told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V0_1_10 => "0.1.10 to 0.1.16",
            Self::V0_1_17 => "0.1.17",
            Self::V0_1_18 => "0.1.18 or newer",
        }
    }
}

/// What a database holds, by its schema.
pub(super) struct Schema {
    /// Who made it.
    pub(super) generation: Generation,
    columns: HashSet<(&'static str, String)>,
}

/// Why a database is not read.
#[derive(Debug)]
pub(super) enum Foreign {
    /// It has no tables at all.
    Empty,
    /// The same, and the log in which they would stand is not there.
    EmptyWithoutLog,
    /// It has none of the tables.
    NotThePhones,
    /// It is of a version before all that are understood.
    TooOld,
    /// A table is something else, such as a view.
    NoTable(&'static str),
    /// A table lacks what every version has.
    Lacks(&'static str, &'static str),
    /// It cannot be read.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Foreign {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Schema {
    /// Looks at the schema. Nothing of the database's own is run: only `sqlite_schema` is read, and the columns of what it
    /// calls tables.
    pub(super) fn of(connection: &Connection) -> Result<Self, Foreign> {
        let mut objects: Vec<(String, String, Option<String>)> = Vec::new();
        let mut list = connection.prepare("SELECT name, type, sql FROM sqlite_schema")?;
        let mut rows = list.query([])?;
        while let Some(row) = rows.next()? {
            // What is no text is no name of ours.
            if let (Ok(name), Ok(kind)) = (row.get(0), row.get(1)) {
                objects.push((name, kind, row.get(2).ok()));
            }
        }
        let is_there = |name: &str| objects.iter().any(|(known, kind, _)| known == name && kind != "index");
        if is_there("ayah_bookmark") || is_there("reading_bookmark") {
            return Err(Foreign::TooOld);
        }
        // Android and SQLite itself put tables of theirs into a database that nobody wrote to.
        if objects.iter().all(|(name, _, _)| name == "android_metadata" || name.starts_with("sqlite_")) {
            return Err(Foreign::Empty);
        }
        if !TABLES.into_iter().any(is_there) {
            return Err(Foreign::NotThePhones);
        }
        let mut columns = HashSet::new();
        for table in TABLES {
            let found = objects.iter().find(|(name, kind, _)| name == table && kind != "index");
            let Some((_, kind, sql)) = found else { return Err(Foreign::Lacks(table, "the whole table")) };
            let is_virtual = sql
                .as_deref()
                .is_some_and(|sql| sql.trim_start().to_ascii_uppercase().starts_with("CREATE VIRTUAL"));
            if kind != "table" || is_virtual {
                return Err(Foreign::NoTable(table));
            }
            // The pragma itself: its table-valued form could be shadowed by a table of that name.
            let mut info = connection.prepare(&format!("PRAGMA table_xinfo({table})"))?;
            let mut rows = info.query([])?;
            while let Some(row) = rows.next()? {
                // A generated column would run an expression of the database's own.
                if let (Ok(name), Ok(0)) = (row.get::<_, String>("name"), row.get::<_, i64>("hidden")) {
                    columns.insert((table, name));
                }
            }
        }
        let mut schema = Self { generation: Generation::V0_1_18, columns };
        schema.generation = if schema.has("bookmark", "default_pending_op") {
            Generation::V0_1_10
        } else if schema.has("bookmark", "sura") {
            Generation::V0_1_18
        } else {
            Generation::V0_1_17
        };
        let everywhere = [
            ("local_id", &TABLES[..]),
            ("remote_id", &["bookmark", "collection", "note", "reading_session"]),
        ];
        for (column, tables) in everywhere {
            for table in tables {
                if !schema.has(table, column) {
                    return Err(Foreign::Lacks(table, column));
                }
            }
        }
        Ok(schema)
    }

    /// Whether a table has a column.
    pub(super) fn has(&self, table: &str, column: &str) -> bool {
        self.columns.iter().any(|(known, name)| *known == table && name == column)
    }

    /// The column where the table has it, else `NULL`: for a `SELECT`.
    pub(super) fn column(&self, table: &str, column: &'static str) -> &'static str {
        if self.has(table, column) { column } else { "NULL" }
    }
}
