//! The whole device against the whole account: what one side has and the other has not, and what differs. Nothing of it waits to be
//! sent; it is what a sync that passes leaves behind unseen (PROTOCOL A10, silent divergence).

use std::collections::HashSet;

use indexmap::IndexMap;

use super::device::{Device, SyncStatus};
use super::field::{self, FieldPath, FieldShape, Verdict};
use super::identity::{self, FAVORITES};
use super::mutation::{Kind, Op, ResourceId, ServerMutation};
use super::phone::FIRST_PAGE;
use super::window::Window;

/// How one resource differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The server has it, the device does not.
    NotOnDevice {
        /// It stands behind the first page of a pull from 0: a phone that signed in reads no further, and never asks again.
        beyond_first_page: bool,
    },
    /// The device has it as synced, the server does not.
    NotOnServer,
    /// Both have it, and these fields differ.
    Differs(Vec<FieldPath>),
}

/// One resource that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: Kind,
    /// The server's id of it.
    pub id: ResourceId,
    /// How it differs.
    pub how: Difference,
}

/// What was compared, and what is not the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Resources that the device holds as synced.
    pub device: usize,
    /// Resources that the server holds.
    pub server: usize,
    /// Rows of the device that wait to be sent, which are not compared.
    pub waiting: usize,
    /// What is not the same: what the device lacks first.
    pub findings: Vec<Finding>,
}

impl Audit {
    /// Compares a device with everything that the server holds. `None` where the device lists no resources.
    pub fn of(device: &Device, everything: &Window) -> Option<Self> {
        let rows = device.known.as_ref()?;
        let favorites = favorites(device, everything);
        let name =
            |kind: &Kind, id: &ResourceId| (kind.clone(), under_one_name(kind, id, favorites.as_deref()));
        let mut served: IndexMap<(Kind, String), (usize, &ServerMutation)> = IndexMap::new();
        let visible = |kind: &Kind| !everything.not_visible.contains(kind);
        for (at, mutation) in everything.mutations.iter().enumerate() {
            let Some(id) = identity::id_of(mutation) else { continue };
            if mutation.op == Op::Delete {
                served.shift_remove(&name(&mutation.kind, &id));
            } else {
                served.insert(name(&mutation.kind, &id), (at, mutation));
            }
        }
        let mut audit = Self { server: served.len(), ..Self::default() };
        let mut seen: HashSet<(Kind, String)> = HashSet::new();
        let (mut lacks, mut others) = (Vec::new(), Vec::new());
        for row in rows.iter().filter(|row| visible(&row.kind)) {
            let key = name(&row.kind, &row.id);
            let there = served.get(&key);
            seen.insert(key);
            if row.status != SyncStatus::Synced {
                audit.waiting += 1;
                continue;
            }
            audit.device += 1;
            let how = match there {
                None => Some(Difference::NotOnServer),
                // A link is there or it is not.
                Some(_) if row.kind == Kind::Link => None,
                Some((_, mutation)) => {
                    let own = row.data.members();
                    let fields = field::compare(&row.kind, &IndexMap::new(), &own, &mutation.data.members());
                    // What the device never had of it (a note's source, say) is no difference of what it has.
                    let differs = fields.into_iter().filter(|field| {
                        field.verdict == Verdict::Conflict
                            && field.shape != FieldShape::Bookkeeping
                            && field.device.is_some()
                            && field.server.is_some()
                    });
                    let paths: Vec<FieldPath> = differs.map(|field| field.path).collect();
                    (!paths.is_empty()).then_some(Difference::Differs(paths))
                }
            };
            others.extend(how.map(|how| Finding { kind: row.kind.clone(), id: row.id.clone(), how }));
        }
        for (key, (at, mutation)) in &served {
            if seen.contains(key) {
                continue;
            }
            let Some(id) = identity::id_of(mutation) else { continue };
            let how = Difference::NotOnDevice { beyond_first_page: *at >= FIRST_PAGE };
            lacks.push(Finding { kind: mutation.kind.clone(), id, how });
        }
        lacks.extend(others);
        audit.findings = lacks;
        Some(audit)
    }
}

/// The id of the collection of the favourites, where one side tells it.
fn favorites(device: &Device, everything: &Window) -> Option<String> {
    let rows = device.known.iter().flatten().map(|row| (&row.kind, Some(&row.id), &row.data));
    let feed = everything.mutations.iter().map(|m| (&m.kind, m.resource_id.as_ref(), &m.data));
    let mut collections = rows.chain(feed).filter(|(kind, ..)| **kind == Kind::Collection);
    collections.find_map(|(kind, id, data)| {
        let is_default = identity::Facts::of(kind, data, false).is_default;
        id.filter(|id| is_default && id.as_str() != FAVORITES).map(ToString::to_string)
    })
}

/// An id with Favorites under one of its two names (PROTOCOL D5).
fn under_one_name(kind: &Kind, id: &ResourceId, favorites: Option<&str>) -> String {
    let id = id.as_str();
    match (kind, favorites) {
        (Kind::Collection, Some(favorites)) if id == favorites => FAVORITES.to_owned(),
        (Kind::Link, Some(favorites)) => {
            match id.strip_prefix(favorites).filter(|rest| rest.starts_with('-')) {
                Some(rest) => format!("{FAVORITES}{rest}"),
                None => id.to_owned(),
            }
        }
        (_, _) => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::inspection;

    fn audit(device: &str, feed: &str) -> Audit {
        let inspection = inspection(device, feed);
        Audit::of(&inspection.device, &inspection.window).expect("the device lists its resources")
    }

    #[test]
    fn each_side_is_told_what_it_lacks_and_what_differs() {
        let device = r#"{"queue":[],"resources":[
          {"id":"n1","resource":"NOTE","data":{"body":"the same","ranges":["1:1-1:1"]},"syncStatus":"synced"},
          {"id":"n2","resource":"NOTE","data":{"body":"older text","ranges":["1:1-1:1"]},"syncStatus":"synced"},
          {"id":"n3","resource":"NOTE","data":{"body":"gone on the web"},"syncStatus":"synced"},
          {"id":"n4","resource":"NOTE","data":{"body":"waits"},"syncStatus":"pending_update"},
          {"id":"__default__-b1","resource":"COLLECTION_BOOKMARK","data":{"collectionId":"__default__","bookmarkId":"b1"},"syncStatus":"synced"}]}"#;
        let feed = r#"[
          {"type":"CREATE","resource":"COLLECTION","resourceId":"c1","timestamp":1,"data":{"name":"Favorites","isDefault":true}},
          {"type":"CREATE","resource":"NOTE","resourceId":"n1","timestamp":2,"data":{"body":"the same","ranges":["1:1-1:1"],"source":"web"}},
          {"type":"UPDATE","resource":"NOTE","resourceId":"n2","timestamp":3,"data":{"body":"newer text","ranges":["1:1-1:1"]}},
          {"type":"DELETE","resource":"NOTE","resourceId":"n3","timestamp":4},
          {"type":"UPDATE","resource":"NOTE","resourceId":"n4","timestamp":5,"data":{"body":"other"}},
          {"type":"CREATE","resource":"COLLECTION_BOOKMARK","timestamp":6,"data":{"collectionId":"c1","bookmarkId":"b1"}},
          {"type":"CREATE","resource":"NOTE","resourceId":"n9","timestamp":7,"data":{"body":"only there"}}]"#;
        let audit = audit(device, feed);
        let told: Vec<(String, &Difference)> =
            audit.findings.iter().map(|finding| (finding.id.to_string(), &finding.how)).collect();
        let body = Difference::Differs(vec![FieldPath::from_text("/body")]);
        assert_eq!(
            told,
            [
                (String::from("c1"), &Difference::NotOnDevice { beyond_first_page: false }),
                (String::from("n9"), &Difference::NotOnDevice { beyond_first_page: false }),
                (String::from("n2"), &body),
                (String::from("n3"), &Difference::NotOnServer),
            ]
        );
        assert_eq!((audit.device, audit.server, audit.waiting), (4, 6, 1));
    }

    #[test]
    fn what_the_first_page_lost_is_named_as_such() {
        let notes: Vec<String> = (0..120)
            .map(|at| {
                format!(r#"{{"type":"CREATE","resource":"NOTE","resourceId":"n{at}","timestamp":{at},"data":{{"body":"note"}}}}"#)
            })
            .collect();
        let audit = audit(r#"{"queue":[],"resources":[]}"#, &format!("[{}]", notes.join(",")));
        let beyond = |finding: &&Finding| finding.how == Difference::NotOnDevice { beyond_first_page: true };
        assert_eq!((audit.findings.len(), audit.findings.iter().filter(beyond).count()), (120, 20));
    }
}
