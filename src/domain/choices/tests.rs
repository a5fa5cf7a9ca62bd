use super::*;
use crate::domain::strategy::{self, Strategy};
use crate::error::InputError;
use crate::testing::inspection;

const QUEUE: &str = r#"[
  {"id":"q1","type":"UPDATE","resource":"NOTE","resourceId":"n1",
   "data":{"body":"device words","ranges":["2:255-2:255"],"clientUpdatedAt":"2026-05-19T10:16:30.000Z"}},
  {"id":"q2","type":"UPDATE","resource":"NOTE","resourceId":"n2","data":{"body":"edited here"}},
  {"id":"q3","type":"DELETE","resource":"COLLECTION","resourceId":"c1"},
  {"id":"q4","type":"CREATE","resource":"COLLECTION","data":{"name":"New"}}
]"#;
const FEED: &str = r#"[
  {"type":"UPDATE","resource":"NOTE","resourceId":"n1","timestamp":150,
   "data":{"body":"server words","ranges":["2:255-2:256"]}},
  {"type":"DELETE","resource":"NOTE","resourceId":"n2","timestamp":160},
  {"type":"UPDATE","resource":"COLLECTION","resourceId":"c1","data":{"name":"Renamed"},"timestamp":170},
  {"type":"CREATE","resource":"NOTE","resourceId":"n9","data":{"body":"only here"},"timestamp":180}
]"#;

fn sides() -> Inspection {
    inspection(QUEUE, FEED)
}

fn file(choices: &str) -> String {
    format!(r#"{{"schema":"unstick.choices/1","choices":[{choices}]}}"#)
}

/// What was chosen, as `key path choice`.
fn chosen(inspection: &Inspection, resolution: &Resolution) -> Vec<String> {
    let line = |unit: &Unit, chosen: &Chosen| {
        let value = match &chosen.choice {
            Choice::Edited(value) => format!(" {}", value.to_text()),
            Choice::Device | Choice::Server | Choice::Both => String::new(),
        };
        assert_eq!(chosen.by, By::Hand);
        format!("{} {}: {}{value}", inspection.pair(unit.pair).key, unit.path, chosen.choice.word())
    };
    resolution.iter().map(|(unit, chosen)| line(unit, chosen)).collect()
}

fn made(choices: &str) -> Vec<String> {
    let inspection = sides();
    let replayed = read("choices.json", &file(choices), &inspection).unwrap_or_else(|bad| panic!("{bad:?}"));
    assert_eq!(replayed.reopened, []);
    chosen(&inspection, &replayed.resolution)
}

fn refused(text: &str) -> String {
    let error = InputError::from(read("choices.json", text, &sides()).expect_err("a bad file")).to_string();
    let words = error.strip_prefix("choices.json, at ").unwrap_or(&error);
    words.trim_end_matches(" Nothing was written; correct the file or export it again.").to_owned()
}

#[test]
fn a_choice_is_made_on_the_field_that_it_names() {
    let notes = r#"{"kind":"NOTE","key":"id:n1","path":"/body","choice":{"edit":"both words"}},
                   {"kind":"NOTE","key":"id:n1","path":"/ranges","choice":"both"}"#;
    assert_eq!(made(notes), ["id:n1 /body: edited \"both words\"", "id:n1 /ranges: both"]);
}

#[test]
fn without_a_path_a_choice_stands_for_every_open_field() {
    let note = r#"{"kind":"NOTE","key":"id:n1","choice":"server"}"#;
    assert_eq!(made(note), ["id:n1 /body: server", "id:n1 /ranges: server"]);
    assert_eq!(made(r#"{"kind":"NOTE","key":"id:n2","choice":"device"}"#), ["id:n2 : device"]);
}

#[test]
fn keep_deleted_and_bring_back_mean_the_side_that_deleted_and_the_other() {
    for (key, kind, word, expected) in [
        ("n2", "NOTE", "keep-deleted", "server"),
        ("n2", "NOTE", "bring-back", "device"),
        ("c1", "COLLECTION", "keep-deleted", "device"),
        ("c1", "COLLECTION", "bring-back", "server"),
    ] {
        let choice = format!(r#"{{"kind":"{kind}","key":"id:{key}","path":"","choice":"{word}"}}"#);
        assert_eq!(made(&choice), [format!("id:{key} : {expected}")], "{word}");
    }
}

#[test]
fn what_only_the_device_has_can_be_given_up() {
    let choice = r#"{"kind":"COLLECTION","key":"queue:q4","path":"","choice":"server"}"#;
    assert_eq!(made(choice), ["queue:q4 : server"]);
}

#[test]
fn a_file_of_another_form_is_refused_with_the_place() {
    for (text, expected) in [
        (
            "[]",
            "(the whole document): found an array, expected an object with no members but schema, choices.",
        ),
        (r#"{"choices":[]}"#, "/schema: found nothing, expected a string."),
        (
            r#"{"schema":"unstick.choices/2","choices":[]}"#,
            r#"/schema: found "unstick.choices/2", expected "unstick.choices/1"."#,
        ),
        (r#"{"schema":"unstick.choices/1"}"#, "/choices: found nothing, expected an array."),
        (r#"{"schema":"unstick.choices/1","choices":{}}"#, "/choices: found an object, expected an array."),
    ] {
        assert_eq!(refused(text), expected);
    }
    let cut = refused(r#"{"schema":"#);
    assert!(cut.starts_with("choices.json is not valid JSON at line 1"), "{cut}");
}

#[test]
fn a_choice_that_cannot_be_made_is_refused_with_the_place_and_the_reason() {
    for (choice, expected) in [
        (
            r#"{"kind":"NOTE","key":"id:n7","choice":"device"}"#,
            r#"/choices/0/key: found no "NOTE" with the key "id:n7", expected a kind and a key that `unstick inspect` lists."#,
        ),
        (
            r#"{"kind":"NOTE","key":"id:n1","path":"/bdoy","choice":"device"}"#,
            r#"/choices/0/path: found no field "/bdoy" in "id:n1", expected one of "", "/body", "/ranges", "/clientUpdatedAt"."#,
        ),
        (
            r#"{"kind":"NOTE","key":"id:n1","pth":"/body","choice":"device"}"#,
            r#"/choices/0: found the member "pth", expected an object with no members but kind, key, path, choice, saw, queue, result, by."#,
        ),
        (
            r#"{"kind":"NOTE","key":"id:n1","path":null,"choice":"device"}"#,
            "/choices/0/path: found null, expected a string.",
        ),
        (
            r#"{"kind":"NOTE","key":"id:n1","key":"id:n2","choice":"device"}"#,
            r#"/choices/0: found the member "key" twice, expected each member once."#,
        ),
        (
            r#"{"kind":"NOTE","key":"id:n1","choice":"local"}"#,
            r#"/choices/0/choice: found "local", expected device, server, both, keep-deleted, bring-back, or an object with the one member edit."#,
        ),
        (
            r#"{"kind":"NOTE","key":"id:n2","choice":"both"}"#,
            r#"/choices/0/choice: found "both" for "" of "id:n2": a resource exists or it does not, expected keep-deleted or bring-back."#,
        ),
        (
            r#"{"kind":"NOTE","key":"id:n1","path":"/body","choice":"keep-deleted"}"#,
            r#"/choices/0/choice: found "keep-deleted" for "/body" of "id:n1": it says whether the resource exists; its path is "", expected device, server, both or edit."#,
        ),
        (
            r#"{"kind":"NOTE","key":"id:n1","path":"/body","choice":{"edit":5}}"#,
            r#"/choices/0/choice: found "edit" for "/body" of "id:n1": the edited value is not a string, expected device, server, both or edit."#,
        ),
        (
            r#"{"kind":"NOTE","key":"id:n1","path":"/clientUpdatedAt","choice":"device"}"#,
            r#"/choices/0/choice: found "device" for "/clientUpdatedAt" of "id:n1": bookkeeping follows the values; there is nothing to choose, expected no choice."#,
        ),
        (
            r#"{"kind":"NOTE","key":"id:n9","path":"/body","choice":"device"}"#,
            r#"/choices/0/choice: found "device" for "/body" of "id:n9": only the server speaks of the resource, and the device takes it over, expected no choice."#,
        ),
        (
            r#"{"kind":"COLLECTION","key":"queue:q4","path":"/name","choice":"server"}"#,
            r#"/choices/0/choice: found "server" for "/name" of "queue:q4": only the device speaks of the resource, and it is sent as it was queued, expected edit."#,
        ),
        (
            r#"{"kind":"COLLECTION","key":"queue:q4","choice":"server"}"#,
            r#"/choices/0: found a choice for "queue:q4", of which no field is open, expected a path."#,
        ),
    ] {
        assert_eq!(refused(&file(choice)), expected);
    }
}

#[test]
fn two_choices_for_one_field_are_refused() {
    let text = file(
        r#"{"kind":"NOTE","key":"id:n1","path":"/body","choice":"device"},
           {"kind":"NOTE","key":"id:n1","choice":"server"}"#,
    );
    assert_eq!(
        refused(&text),
        r#"/choices/1: found a second choice for "/body" of "id:n1", expected one choice for each field; the first is at /choices/0."#
    );
}

#[test]
fn errors_hold_no_value_and_nothing_that_steers_a_terminal() {
    let choice = r#"{"kind":"NOTE","key":"id:\u001b[2J\u202e","choice":{"edit":"a secret"}}"#;
    let error = refused(&file(choice));
    assert!(error.contains("id:␛[2J<202E>") && !error.contains("secret"), "{error}");
}

#[test]
fn a_choice_whose_field_changed_since_is_reopened() {
    let before = sides();
    let text = file(
        r#"{"kind":"NOTE","key":"id:n1","path":"/body","choice":"device"},
           {"kind":"NOTE","key":"id:n1","path":"/ranges","choice":"both"}"#,
    );
    let replayed = read("choices.json", &text, &before).expect("a choices file");
    let kept = export(&before, &replayed.resolution).to_string();

    let after = inspection(QUEUE, &FEED.replace("server words", "newer server words"));
    let replayed = read("choices.json", &kept, &after).expect("a choices file");
    assert_eq!(chosen(&after, &replayed.resolution), ["id:n1 /ranges: both"]);
    let reopened: Vec<&str> = replayed.reopened.iter().map(|unit| unit.path.as_str()).collect();
    assert_eq!(reopened, ["/body"]);
}

#[test]
fn a_deletion_is_bound_to_all_that_it_would_delete() {
    let before = sides();
    let text = file(r#"{"kind":"COLLECTION","key":"id:c1","path":"","choice":"keep-deleted"}"#);
    let replayed = read("choices.json", &text, &before).expect("a choices file");
    let kept = export(&before, &replayed.resolution).to_string();
    let after = inspection(QUEUE, &FEED.replace("Renamed", "Renamed again"));
    let replayed = read("choices.json", &kept, &after).expect("a choices file");
    assert!(replayed.resolution.is_empty());
    assert_eq!(replayed.reopened.len(), 1);
}

#[test]
fn what_is_exported_makes_the_same_choices_again() {
    let inspection = sides();
    for strategy in Strategy::ALL {
        let mut resolution = Resolution::default();
        let choices = strategy::choices_for_all(&inspection, &resolution, strategy, |_| true);
        resolution.choose(strategy.name(), choices);
        let text = export(&inspection, &resolution).to_string();
        let replayed = read("choices.json", &text, &inspection).unwrap_or_else(|bad| panic!("{bad:?}"));
        assert_eq!(replayed.reopened, [], "{strategy}");
        let plain = |resolution: &Resolution| -> Vec<(Unit, Choice)> {
            resolution.iter().map(|(unit, chosen)| (unit.clone(), chosen.choice.clone())).collect()
        };
        assert_eq!(plain(&replayed.resolution), plain(&resolution), "{strategy}");
    }
}

#[test]
fn a_value_that_only_the_device_has_can_be_corrected_and_is_sent_so() {
    let inspection = sides();
    let edit = |value: &str| {
        file(&format!(
            r#"{{"kind":"COLLECTION","key":"queue:q4","path":"/name","choice":{{"edit":{value}}}}}"#
        ))
    };
    let replayed = read("choices.json", &edit("\"Corrected\""), &inspection).expect("it can be edited");
    let plan =
        crate::domain::plan::plan(&inspection, &replayed.resolution, crate::domain::mutation::Millis(0));
    let sent =
        plan.items().find(|item| item.members.iter().any(|id| id.as_str() == "q4")).expect("it is sent");
    let name = sent.wire.data.members().get("name").cloned();
    assert_eq!(name, Some(Json::string("Corrected")));
    let loss = plan.ledger.iter().find(|loss| loss.key == "queue:q4").expect("what it replaces is told");
    assert_eq!(
        (loss.side, loss.path.as_str(), loss.reason),
        (Side::Device, "/name", "replaced by an edited value")
    );
}

#[test]
fn every_offered_word_can_be_chosen() {
    let inspection = sides();
    for (_, pair) in inspection.ids() {
        for field in &inspection.details(pair).fields {
            for word in offered(pair, field) {
                let value = match field.shape {
                    FieldShape::Text => r#"{"edit":"x"}"#,
                    FieldShape::Set => r#"{"edit":[]}"#,
                    FieldShape::Existence
                    | FieldShape::Position
                    | FieldShape::Plain
                    | FieldShape::Bookkeeping => r#"{"edit":{}}"#,
                };
                let word = if word == EDIT { value.to_owned() } else { format!("\"{word}\"") };
                let text = file(&format!(
                    r#"{{"kind":"{}","key":"{}","path":"{}","choice":{word}}}"#,
                    pair.kind.wire(),
                    pair.key,
                    field.path
                ));
                read("choices.json", &text, &inspection).unwrap_or_else(|bad| panic!("{bad:?}"));
            }
        }
    }
}
