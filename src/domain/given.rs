//! The ids that the server has given to what a push brought there, by the names that the device's queue uses.

use std::collections::{HashMap, HashSet};

use super::mutation::{Kind, ResourceId};

/// Ids that were acknowledged and that the device file does not have yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Links refer to these by name: a queue id, or an id that was given up.
    collections: HashMap<String, ResourceId>,
    own: HashSet<(Kind, ResourceId)>,
}

impl Given {
    /// The server calls what the queue calls `names` by this id.
    pub fn insert<'a>(&mut self, kind: &Kind, names: impl IntoIterator<Item = &'a str>, id: &ResourceId) {
        if *kind == Kind::Collection {
            self.collections.extend(names.into_iter().map(|name| (name.to_owned(), id.clone())));
        }
        self.own.insert((kind.clone(), id.clone()));
    }

    /// The id of a collection.
    pub fn collection(&self, name: &str) -> Option<&ResourceId> {
        self.collections.get(name)
    }

    /// Every collection's name and id.
    pub fn collections(&self) -> impl Iterator<Item = (&str, &ResourceId)> {
        self.collections.iter().map(|(name, id)| (name.as_str(), id))
    }

    /// Whether a resource is known to be the answer to something that left the queue.
    pub fn holds(&self, kind: &Kind, id: &ResourceId) -> bool {
        // A set of pairs can only be asked with a pair; it is empty but in the midst of a push.
        !self.own.is_empty() && self.own.contains(&(kind.clone(), id.clone()))
    }

    /// The server does not know this resource, whatever it acknowledged.
    pub fn forget(&mut self, kind: &Kind, id: &ResourceId) {
        self.own.remove(&(kind.clone(), id.clone()));
        if *kind == Kind::Collection {
            self.collections.retain(|_, given| given != id);
        }
    }
}
