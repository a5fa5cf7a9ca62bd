//! What faults do to the server itself and to what it answers: other devices write, acknowledgements go wrong.

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use super::fault::{Bend, Words, Write};
use super::model::{Applied, Model};
use crate::domain::mutation::{Kind, Millis, ResourceId};

/// The client id of who writes in a race.
const SOMEBODY: &str = "another-device";
/// By how much an unseen write moves the head, ms.
const JUMP: i64 = 60_000;

/// Somebody writes before request `number`, whose POST has these mutations.
pub(super) fn write(model: &mut Model, write: Write, now: Millis, number: u64, pushed: &[Value]) {
    match write {
        Write::Another => add(model, now, number),
        Write::Same => {
            let change = pushed.iter().find_map(|mutation| change(model, mutation, now, number));
            let changed = change.is_some_and(|change| wrote(model, now, &change));
            if !changed {
                add(model, now, number);
            }
        }
        Write::Unseen => model.jump(now, JUMP),
    }
}

fn add(model: &mut Model, now: Millis, number: u64) {
    let at = now.to_iso();
    let (sura, verse) = (number % 114 + 1, number % 6 + 1);
    let (resource, mut data) = match number % 3 {
        0 => ("READING_SESSION", json!({ "chapterNumber": sura, "verseNumber": verse })),
        1 => ("BOOKMARK", json!({ "type": "page", "key": number % 604 + 1, "mushaf": 1 })),
        _ => ("NOTE", {
            let range = format!("{sura}:1-{sura}:1");
            json!({ "body": format!("Written on another device ({number})"), "ranges": [range] })
        }),
    };
    for name in ["clientCreatedAt", "clientUpdatedAt"] {
        data[name] = at.as_str().into();
    }
    wrote(model, now, &json!({ "type": "CREATE", "resource": resource, "data": data }));
}

/// What another device does to the live resource that a pushed mutation names.
fn change(model: &Model, pushed: &Value, now: Millis, number: u64) -> Option<Value> {
    let kind = Kind::from_wire(pushed.get("resource")?.as_str()?);
    let id = pushed.get("resourceId")?.as_str()?;
    model.state(&kind, &ResourceId::from(id))?;
    let at = now.to_iso();
    let update =
        |data: Value| json!({ "type": "UPDATE", "resource": kind.wire(), "resourceId": id, "data": data });
    Some(match kind {
        Kind::Note => {
            update(json!({ "body": format!("Changed on another device ({number})"), "clientUpdatedAt": at }))
        }
        Kind::Collection => {
            update(json!({ "name": format!("Renamed on another device ({number})"), "clientUpdatedAt": at }))
        }
        Kind::ReadingSession => {
            update(json!({ "chapterNumber": number % 114 + 1, "verseNumber": 1, "clientUpdatedAt": at }))
        }
        Kind::Bookmark | Kind::Link => {
            json!({ "type": "DELETE", "resource": kind.wire(), "resourceId": id })
        }
        Kind::Other(_) => return None,
    })
}

/// Whether the server took it.
fn wrote(model: &mut Model, now: Millis, mutation: &Value) -> bool {
    model.other_device_writes(now, SOMEBODY, std::slice::from_ref(mutation)).is_ok()
}

/// Puts what a pushed mutation creates in other words.
pub(super) fn put(words: Words, mutation: &mut Value) {
    if mutation["type"] != "CREATE" {
        return;
    }
    let collection = mutation["resource"] == "COLLECTION";
    let Some(data) = mutation["data"].as_object_mut() else { return };
    match words {
        Words::Own => {
            data.retain(|name, _| !matches!(name.as_str(), "clientCreatedAt" | "clientUpdatedAt"));
            for name in ["name", "body"] {
                if let Some(Value::String(text)) = data.get_mut(name) {
                    *text = text.trim().nfc().collect::<String>().to_lowercase();
                }
            }
        }
        Words::Suffix => {
            if let (true, Some(Value::String(name))) = (collection, data.get_mut("name")) {
                name.push_str(" (2)");
            }
        }
    }
}

/// Makes an acknowledgement wrong. What has no entry to be wrong in stays as it is.
pub(super) fn bend(applied: &mut Applied, bend: Bend) {
    let entries = &mut applied.mutations;
    match bend {
        Bend::Count => {
            entries.pop();
        }
        Bend::Type => {
            if let Some(entry) = entries.first_mut() {
                let other = if entry["type"] == "UPDATE" { "CREATE" } else { "UPDATE" };
                entry["type"] = other.into();
            }
        }
        Bend::Id => {
            if let Some(entry) = entries.first_mut() {
                let wrong = format!("{}-wrong", entry["resourceId"].as_str().unwrap_or_default());
                entry["resourceId"] = wrong.into();
            }
        }
        Bend::Order => entries.reverse(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mutation::Cursor;
    use crate::sandbox::model::{Caller, FirstSync};
    use crate::sandbox::query::Query;
    use crate::sandbox::scopes::Scopes;

    const NOW: Millis = Millis(1_770_000_000_000);

    /// A server that holds one live resource of each kind, with its id.
    fn server() -> (Model, Vec<(Kind, ResourceId)>) {
        let mut model = Model::new(FirstSync::Positive, NOW);
        let create = |resource, data| json!({ "type": "CREATE", "resource": resource, "data": data });
        let all = [
            create("NOTE", json!({ "body": "first words" })),
            create("COLLECTION", json!({ "name": "first name" })),
            create("BOOKMARK", json!({ "type": "page", "key": 600 })),
            create("READING_SESSION", json!({ "chapterNumber": 114, "verseNumber": 6 })),
            create(
                "COLLECTION_BOOKMARK",
                json!({ "collectionId": "__default__", "type": "page", "key": 601 }),
            ),
        ];
        model.other_device_writes(NOW, "phone-a", &all).expect("a good history");
        let newest = |kind: Kind| {
            let live = model.live(&kind).into_iter().map(|(id, _)| id);
            let newest = live.max_by_key(|id| model.written_at(&kind, id)).expect("one of each kind");
            (kind, newest)
        };
        let ids = Kind::KNOWN.map(newest).to_vec();
        (model, ids)
    }

    #[test]
    fn a_race_always_moves_the_head_and_shows() {
        let (mut model, _) = server();
        for number in 0..250 {
            let before = model.head();
            write(&mut model, Write::Another, NOW, number, &[]);
            let shown = model.get(&Query::since(before), Scopes::ALL).expect("a page").list.expect("a list");
            assert_eq!(shown.total, 1, "request {number}");
        }
    }

    #[test]
    fn a_race_for_the_same_changes_what_the_post_names() {
        for at in 0..5 {
            let (mut model, ids) = server();
            let (kind, id) = &ids[at];
            let before = (model.state(kind, id), model.written_at(kind, id));
            let pushed = [
                json!({ "resource": kind.wire(), "resourceId": "gone" }),
                json!({}),
                Value::Null,
                json!({ "resource": kind.wire(), "resourceId": id.as_str() }),
            ];
            write(&mut model, Write::Same, NOW, 7, &pushed);
            assert_ne!(before.0, model.state(kind, id), "{}", kind.wire());
            assert!(before.1 < model.written_at(kind, id), "{}", kind.wire());
        }
    }

    #[test]
    fn a_race_for_the_same_without_the_same_is_a_race() {
        let (mut model, _) = server();
        let before = model.writes().len();
        write(&mut model, Write::Same, NOW, 2, &[json!({ "resource": "NOTE", "type": "CREATE" })]);
        assert_eq!(model.writes().len(), before + 1);
    }

    #[test]
    fn an_unseen_write_moves_the_head_and_shows_nothing() {
        let (mut model, _) = server();
        let before = model.head();
        write(&mut model, Write::Unseen, NOW, 1, &[]);
        assert_eq!(model.head(), Cursor::read(before.value() + JUMP));
        let shown = model.get(&Query::since(before), Scopes::ALL).expect("a page").list.expect("a list");
        assert_eq!(shown.total, 0);
    }

    #[test]
    fn each_bend_makes_an_acknowledgement_wrong_in_its_own_way() {
        let (mut model, _) = server();
        let notes = ["one note", "two notes"]
            .map(|body| json!({ "type": "CREATE", "resource": "NOTE", "data": { "body": body } }));
        let head = model.head();
        let good = model.post(NOW, Caller::with_all_scopes("t"), head, &notes).expect("applied");
        let bent = |how| {
            let mut applied = good.clone();
            bend(&mut applied, how);
            applied.mutations
        };
        let [one, two] = &*good.mutations else { panic!("two entries") };
        assert_eq!(bent(Bend::Count), std::slice::from_ref(one));
        assert_eq!(bent(Bend::Order), [two.clone(), one.clone()]);
        let of_type = bent(Bend::Type);
        assert_eq!((&of_type[0]["type"], &of_type[1]), (&json!("UPDATE"), two));
        let of_id = bent(Bend::Id);
        assert!(of_id[0]["resourceId"] != one["resourceId"] && of_id[1] == *two);
        let mut empty = Applied { mutations: Vec::new(), ..good };
        for how in [Bend::Count, Bend::Order, Bend::Type, Bend::Id] {
            bend(&mut empty, how);
        }
    }
}
