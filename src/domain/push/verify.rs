//! The look afterwards: what the server holds once everything is sent, against what it acknowledged. It also does
//! things of its own accord, or leaves things undone (PROTOCOL D13, D20, D22).

use std::collections::HashMap;

use indexmap::IndexMap;

use super::super::ack::Acked;
use super::super::field::{self, FieldPath, Verdict};
use super::super::identity;
use super::super::json::Json;
use super::super::mutation::{Cursor, Kind, Op, QueueId, ResourceId, ServerMutation};
use super::super::settle::Item;
use super::super::window::Window;

/// A place where the server, pulled after the push, holds something else than what it acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The queue entries that were sent.
    pub ids: Vec<QueueId>,
    /// The kind of the resource.
    pub kind: Kind,
    /// Its id on the server.
    pub resource_id: ResourceId,
    /// The field; the existence of the resource where a deletion did not happen.
    pub path: FieldPath,
    /// What it means, without the values.
    pub what: &'static str,
    /// The value that was sent.
    pub sent: Option<Json>,
    /// The value that the server holds.
    pub holds: Option<Json>,
}

/// What the look afterwards found.
#[derive(Debug, Default)]
pub(super) struct Verified {
    /// Where the server holds something else than what it acknowledged.
    pub(super) differences: Vec<Difference>,
    /// Resources that it acknowledged under ids that it does not know.
    pub(super) unknown: Vec<(Kind, ResourceId)>,
}

/// Holds `window`, pulled since `since`, against what was `promised`.
pub(super) fn verify(promised: &[(Item, Acked)], window: &Window, since: Cursor) -> Verified {
    let mut verified = Verified::default();
    let by_id = by_id(window);
    // A later item of the push may rightly have gone over an earlier one.
    let mut last: HashMap<(&Kind, ResourceId), &(Item, Acked)> = HashMap::new();
    for promise in promised {
        let (item, acked) = promise;
        if let Some(id) = acked.resource_id.clone().or_else(|| item.wire.resource_id.clone()) {
            last.insert((&item.wire.kind, id), promise);
        }
    }
    for ((kind, id), (item, acked)) in last {
        if window.not_visible.contains(kind) {
            // A token that came later does not see it: nothing can be said.
            continue;
        }
        let (is, mut differ) = (by_id.get(&(kind, id.clone())), |path, what, values: [Option<Json>; 2]| {
            let [sent, holds] = values;
            let (ids, kind, resource_id) = (item.members.clone(), kind.clone(), id.clone());
            verified.differences.push(Difference { ids, kind, resource_id, path, what, sent, holds });
        });
        let Some(now) = is else {
            // A link may be acknowledged under another name of its collection (PROTOCOL D5).
            if item.wire.op == Op::Create && *kind != Kind::Link && window.since <= since.max(Cursor::ZERO) {
                let what = "the server acknowledged it under an id that it does not know";
                differ(FieldPath::existence(), what, [None, None]);
                verified.unknown.push((kind.clone(), id));
            }
            continue;
        };
        let somebody_wrote = acked.timestamp.is_some_and(|at| now.timestamp > at);
        if somebody_wrote && now.op != Op::Delete && item.wire.op != Op::Delete {
            // That is news, not a broken promise.
            continue;
        }
        match (item.wire.op, now.op) {
            (Op::Create | Op::Update | Op::Delete, Op::Delete) => {}
            (Op::Delete, Op::Create | Op::Update) => {
                differ(FieldPath::existence(), still_there(now), [None, None]);
            }
            (Op::Create | Op::Update, Op::Create | Op::Update) => {
                let none = IndexMap::new();
                for field in field::compare(kind, &none, &item.wire.data.members(), &now.data.members()) {
                    if field.verdict == Verdict::Conflict {
                        let what = another_value(kind, &field.path);
                        differ(field.path, what, [field.device, field.server]);
                    }
                }
            }
        }
    }
    verified.differences.sort_by(|a, b| a.ids.cmp(&b.ids).then_with(|| a.path.cmp(&b.path)));
    verified
}

fn by_id(window: &Window) -> HashMap<(&Kind, ResourceId), &ServerMutation> {
    let mutations = window.mutations.iter();
    mutations.filter_map(|mutation| Some(((&mutation.kind, identity::id_of(mutation)?), mutation))).collect()
}

/// Why a resource whose deletion was acknowledged is still there. A bookmark is only deleted where nothing else
/// refers to it (PROTOCOL A7, D20).
fn still_there(now: &ServerMutation) -> &'static str {
    let reading = now.data.members().get("isReading") == Some(&Json::Bool(true));
    match now.kind {
        Kind::Bookmark if !reading => {
            "the server acknowledged the deletion and only took the reading mark off: the bookmark is still there"
        }
        Kind::Bookmark
        | Kind::Collection
        | Kind::Link
        | Kind::Note
        | Kind::ReadingSession
        | Kind::Other(_) => "the server acknowledged the deletion and still holds the resource",
    }
}

/// A server may take a note's text and leave its ranges alone (PROTOCOL D13).
fn another_value(kind: &Kind, path: &FieldPath) -> &'static str {
    if *kind == Kind::Note && path.as_str() == "/ranges" {
        "the server acknowledged the new ranges and kept other ones: it does not change the ranges of a note"
    } else {
        "the server acknowledged the value and holds another"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::{ResponseHead, read_page};
    use crate::domain::inspect::PairId;
    use crate::domain::json::Text;
    use crate::domain::mutation::{Millis, Payload, WireMutation};
    use crate::domain::window::{PullPath, assemble};

    const SINCE: Cursor = Cursor::read(1_770_000_000_000);

    fn data(text: &str) -> Payload {
        if text.is_empty() { Payload::ABSENT } else { Payload::new(Text::new(text.into())) }
    }

    /// What is told of one acknowledged mutation of `r1`, where the server holds `now` afterwards.
    fn told(kind: &Kind, op: Op, sent: &str, now: &str) -> Vec<(String, &'static str)> {
        let wire = WireMutation { kind: kind.clone(), op, resource_id: Some("r1".into()), data: data(sent) };
        let item = Item {
            pair: PairId(0),
            members: vec!["q1".into()],
            wire,
            parent: None,
            names: Vec::new(),
            sake: Vec::new(),
        };
        let acked = Acked { resource_id: Some("r1".into()), timestamp: Some(Millis(1_770_000_005_000)) };
        let body = format!(
            r#"{{"success":true,"data":{{"lastMutationAt":1770000009000,"mutations":[{now}],"hasMore":false}}}}"#
        );
        let page = read_page(&ResponseHead::ok(), &Text::new(body), 1).expect("a page");
        let window = assemble(PullPath::SinceCursor, SINCE, Cursor::read(1_770_000_009_000), vec![page]);
        let differences = verify(&[(item, acked)], &window, SINCE).differences;
        differences.into_iter().map(|found| (found.path.as_str().to_owned(), found.what)).collect()
    }

    fn holds(kind: &str, op: &str, at: i64, data: &str) -> String {
        format!(r#"{{"type":"{op}","resource":"{kind}","resourceId":"r1","timestamp":{at},"data":{data}}}"#)
    }

    const ACKED: i64 = 1_770_000_005_000;

    #[test]
    fn a_note_whose_ranges_stayed_is_told_as_such() {
        let sent = r#"{"body":"the text","ranges":["1:1-1:7"]}"#;
        let told = |now| told(&Kind::Note, Op::Update, sent, &holds("NOTE", "UPDATE", ACKED, now));
        assert_eq!(told(sent), []);
        let [(path, what)] = &told(r#"{"body":"the text","ranges":["1:1-1:2"]}"#)[..] else { panic!("one") };
        assert!(path == "/ranges" && what.contains("does not change the ranges of a note"), "{path}: {what}");
        let [(path, what)] = &told(r#"{"body":"another","ranges":["1:1-1:7"]}"#)[..] else { panic!("one") };
        assert!(path == "/body" && what.contains("holds another"), "{path}: {what}");
    }

    #[test]
    fn a_bookmark_that_only_lost_its_mark_is_told_as_such() {
        let told = |kind: &Kind, now: &str| told(kind, Op::Delete, "", now);
        let bookmark = r#"{"type":"ayah","key":18,"verseNumber":10,"isReading":false}"#;
        let [(path, what)] = &told(&Kind::Bookmark, &holds("BOOKMARK", "UPDATE", ACKED, bookmark))[..] else {
            panic!("one")
        };
        assert!(path.is_empty() && what.contains("only took the reading mark off"), "{path}: {what}");
        for (kind, now) in [
            (Kind::Bookmark, holds("BOOKMARK", "UPDATE", ACKED, &bookmark.replace("false", "true"))),
            (Kind::Note, holds("NOTE", "UPDATE", ACKED, r#"{"body":"x"}"#)),
        ] {
            let [(_, what)] = &told(&kind, &now)[..] else { panic!("one") };
            assert!(what.contains("still holds the resource"), "{what}");
        }
        assert_eq!(told(&Kind::Bookmark, &holds("BOOKMARK", "DELETE", ACKED, "{}")), []);
    }

    #[test]
    fn what_somebody_wrote_afterwards_is_no_difference() {
        let told = |at| {
            told(
                &Kind::Note,
                Op::Update,
                r#"{"body":"ours"}"#,
                &holds("NOTE", "UPDATE", at, r#"{"body":"theirs"}"#),
            )
        };
        assert_eq!(told(ACKED + 1), []);
        assert_eq!(told(ACKED).len(), 1);
    }
}
