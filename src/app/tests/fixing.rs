//! What the server would refuse is found, gone to, and corrected in place.

use super::*;
use crate::domain::plan::{Plan, plan};

/// Three creations, two of which break a documented rule, on a server where nothing happened.
pub(crate) const POISON: &str = r#"{"device": {"label": "Tablet B"}, "sync": {"lastMutationAt": 200}, "queue": [
    {"id": "q1", "type": "CREATE", "resource": "NOTE", "retryCount": 3, "lastError": "422 ValidationError",
     "data": {"body": "abc", "ranges": ["2:1-2:1"]}},
    {"id": "q2", "type": "CREATE", "resource": "NOTE", "data": {"body": "a good note", "ranges": ["2:2-2:2"]}},
    {"id": "q3", "type": "CREATE", "resource": "COLLECTION", "data": {"name": ""}}]}"#;

fn poisoned() -> App {
    inspecting(POISON, EMPTY_PULL, (120, 36))
}

fn planned(app: &App) -> Plan {
    plan(&bench(app).inspection, &bench(app).resolution, sample::NOW)
}

fn refused(app: &App) -> Vec<&str> {
    bench(app).refused.iter().map(|refused| refused.unit.path.as_str()).collect()
}

#[test]
fn one_key_goes_to_the_value_with_the_editor_open_and_what_is_written_is_sent() {
    let mut app = poisoned();
    assert_eq!(refused(&app), ["/body", "/name"]);
    assert!(status(&app).contains("f goes there to fix"), "{}", status(&app));
    play(&mut app, "G f");
    assert_eq!(app.place(), Place::Editor);
    let Some(Overlay::Editor(editor)) = app.overlays().last() else { panic!("an editor") };
    assert_eq!((editor.unit.path.as_str(), editor.rule), ("/name", Some(Rule::NameLength)));
    type_text(&mut app, "Ramadan");
    play(&mut app, "^s f");
    type_text(&mut app, " def");
    play(&mut app, "^s");
    assert_eq!(refused(&app), [""; 0]);
    let plan = planned(&app);
    let sent: Vec<String> =
        plan.items().map(|item| item.wire.data.as_str().unwrap_or_default().to_owned()).collect();
    assert!(sent.iter().any(|data| data.contains("\"abc def\"")), "{sent:?}");
    assert!(sent.iter().any(|data| data.contains("\"Ramadan\"")), "{sent:?}");
    let ledger: Vec<(&str, Side, &Json)> =
        plan.ledger.iter().map(|loss| (loss.path.as_str(), loss.side, &loss.value)).collect();
    let (body, name) = (Json::string("abc"), Json::string(""));
    assert_eq!(ledger, [("/body", Side::Device, &body), ("/name", Side::Device, &name)]);
    play(&mut app, "u");
    assert_eq!(refused(&app), ["/body"]);
    play(&mut app, "u u");
    assert_eq!(planned(&app).ledger, []);
}

#[test]
fn what_would_be_refused_again_is_taken_only_from_whoever_insists() {
    let mut app = poisoned();
    play(&mut app, "f");
    type_text(&mut app, "d");
    play(&mut app, "^s");
    let complaint = |app: &App| match app.overlays().last() {
        Some(Overlay::Editor(editor)) => editor.complaint.clone(),
        _ => None,
    };
    assert!(complaint(&app).is_some_and(|text| text.starts_with("body has 4 characters")));
    type_text(&mut app, "e");
    assert_eq!(complaint(&app), None);
    play(&mut app, "^s");
    assert!(complaint(&app).is_some_and(|text| text.starts_with("body has 5 characters")));
    play(&mut app, "^s");
    assert_eq!(app.place(), Place::Fields);
    assert!(status(&app).contains("the server will refuse it"), "{}", status(&app));
    assert_eq!(refused(&app), ["/body", "/name"]);
}

#[test]
fn the_next_one_that_waits_may_be_one_that_would_be_refused() {
    let mut app = poisoned();
    play(&mut app, "n");
    assert_eq!(bench(&app).field().expect("a field").path.as_str(), "/name");
    play(&mut app, "n");
    assert_eq!(bench(&app).field().expect("a field").path.as_str(), "/body");
    // Whoever drops the resource has nothing to fix.
    play(&mut app, "a s y n");
    assert_eq!(refused(&app), ["/name"]);
}

#[test]
fn from_a_warning_of_the_preview_to_its_fix() {
    let mut app = poisoned();
    play(&mut app, "p j f");
    let Some(Overlay::Editor(editor)) = app.overlays().last() else { panic!("an editor") };
    assert_eq!(editor.unit.path.as_str(), "/name");
}

#[test]
fn what_is_missing_altogether_cannot_be_written_here() {
    let device = POISON.replace(r#""body": "abc", "#, "");
    let mut app = inspecting(&device, EMPTY_PULL, (120, 36));
    play(&mut app, "f");
    assert_eq!(app.place(), Place::Fields);
    assert!(status(&app).contains("body is missing"), "{}", status(&app));
}
