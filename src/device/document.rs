//! The object that a device file is. Its long lists are taken apart in the pass that finds them, since a file of a
//! hundred thousand entries is felt each time that it is gone over.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::misfit::{At, Misfit};
use crate::domain::json::{Members, Name};

/// The members of a device file.
pub(super) struct Document<'a> {
    /// All but the lists; also whether any member stands there twice.
    pub(super) members: Members<'a>,
    /// `queue`, where it is there.
    pub(super) queue: Option<List<'a>>,
    /// `resources`, where it is there.
    pub(super) resources: Option<List<'a>>,
    /// `tombstones`, where it is there.
    pub(super) tombstones: Option<List<'a>>,
}

/// What should be a list.
pub(super) enum List<'a> {
    /// Its rows, as text.
    Rows(Vec<&'a RawValue>),
    /// What stands there instead.
    Other(&'static str),
}

impl<'a> List<'a> {
    /// The rows.
    pub(super) fn rows(self, at: At<'_>) -> Result<Vec<&'a RawValue>, Misfit> {
        match self {
            Self::Rows(rows) => Ok(rows),
            Self::Other(found) => Err(Misfit::new(at, found, "an array")),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Document<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DocumentVisitor;
        impl<'de> Visitor<'de> for DocumentVisitor {
            type Value = Document<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut queue, mut resources, mut tombstones) = (None, None, None);
                let (mut list, mut twice) = (Vec::new(), None);
                while let Some(Name(name)) = map.next_key()? {
                    let slot = match &*name {
                        "queue" => &mut queue,
                        "resources" => &mut resources,
                        "tombstones" => &mut tombstones,
                        _ => {
                            list.push((name, map.next_value()?));
                            continue;
                        }
                    };
                    if slot.replace(map.next_value()?).is_some() {
                        twice = Some(name.into_owned());
                    }
                }
                let mut members = Members::of(list);
                members.repeated = twice.or(members.repeated);
                Ok(Document { members, queue, resources, tombstones })
            }
        }
        deserializer.deserialize_map(DocumentVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for List<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor;
        impl<'de> Visitor<'de> for ListVisitor {
            type Value = List<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = items.next_element()? {
                    rows.push(row);
                }
                Ok(List::Rows(rows))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(List::Other("an object"))
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(List::Other("null"))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(List::Other("a boolean"))
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
                Ok(List::Other("a string"))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(List::Other("a number"))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
                Ok(List::Other("a number"))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(List::Other("a number"))
            }
        }
        deserializer.deserialize_any(ListVisitor)
    }
}
