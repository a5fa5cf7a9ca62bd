//! What the server keeps of a resource, and how resources are found again.

use serde_json::{Map, Value};

use crate::domain::mutation::{Kind, Millis, Op, ResourceId};

/// Which resource. A link has no id of its own: it is the pair of the two it joins (PROTOCOL D4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// A resource with an id.
    Single(Kind, ResourceId),
    /// A bookmark's membership in a collection. The Favorites are always [`FAVORITES`] here.
    Link { collection: ResourceId, bookmark: ResourceId },
}

/// The id by which the Favorites collection is known to everybody (PROTOCOL A7).
pub(super) const FAVORITES: &str = "__default__";

impl Key {
    pub(super) const fn kind(&self) -> &Kind {
        match self {
            Self::Single(kind, _) => kind,
            Self::Link { .. } => &Kind::Link,
        }
    }
}

/// The latest state of a resource; a deleted one stays as a tombstone without members.
#[derive(Clone, PartialEq)]
pub(super) struct Entry {
    /// What was done last.
    pub op: Op,
    /// The members in the server's words.
    pub members: Map<String, Value>,
    /// When it was done, ms; no two entries have the same.
    pub at: Millis,
    /// How many mutations named this resource and were applied.
    pub writes: u32,
}

impl Entry {
    pub(super) fn is_live(&self) -> bool {
        self.op != Op::Delete
    }
}

/// Something by which live resources are found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Facet {
    /// Bookmarks at a place: type, key, verse. The mushaf does not tell places apart (PROTOCOL A8).
    Place(String, i64, Option<i64>),
    /// Collections of a name.
    Name(String),
    /// Collections that are the Favorites.
    Favorites,
    /// Collections that hold this bookmark.
    Holding(ResourceId),
}

/// The place that a bookmark's or a link's members name; `type` is the name under which its type is stored.
pub(super) fn place(members: &Map<String, Value>, r#type: &str) -> Option<Facet> {
    let word = members.get(r#type)?.as_str()?.to_owned();
    Some(Facet::Place(
        word,
        members.get("key")?.as_i64()?,
        members.get("verseNumber").and_then(Value::as_i64),
    ))
}

/// By what the resource is found while it has these members, and the id that is found.
pub(super) fn facets(key: &Key, members: &Map<String, Value>) -> Vec<(Facet, ResourceId)> {
    match key {
        Key::Single(Kind::Bookmark, id) => {
            place(members, "bookmarkType").map(|place| (place, id.clone())).into_iter().collect()
        }
        Key::Single(Kind::Collection, id) => {
            let name = members.get("name").and_then(Value::as_str).map(|name| Facet::Name(name.to_owned()));
            let favorites =
                (members.get("isDefault") == Some(&Value::Bool(true))).then_some(Facet::Favorites);
            name.into_iter().chain(favorites).map(|facet| (facet, id.clone())).collect()
        }
        Key::Link { collection, bookmark } => vec![(Facet::Holding(bookmark.clone()), collection.clone())],
        Key::Single(Kind::Link | Kind::Note | Kind::ReadingSession | Kind::Other(_), _) => Vec::new(),
    }
}
