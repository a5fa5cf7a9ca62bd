//! What `inspect` and `plan` write: the documented form (DESIGN §6) and the schemas in `assets/schemas`, on real input.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use unstick::device::DeviceFile;
use unstick::domain::again::UNNAMED;
use unstick::domain::choices;
use unstick::domain::inspect::{Inspection, inspect};
use unstick::domain::mutation::Millis;
use unstick::domain::strategy::Strategy;
use unstick::exit::ExitCode;
use unstick::headless::{self, Decision, Format, Options};
use unstick::report::style::Style;
use unstick::server::recorded;

use crate::schemas::{assert_described, parsed, problems, schema};

pub const FIXTURES: [&str; 2] = ["device-sample", "every-kind"];
const NOW: Millis = Millis(1_770_060_000_000);

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub fn inspection(device: &str, pull: &str) -> Inspection {
    let file = DeviceFile::from_text("device.json", device.to_owned()).unwrap_or_else(|e| panic!("{e}"));
    let device = file.shared();
    let window = recorded(pull.to_owned(), "pull.json", device.sync.cursor).unwrap_or_else(|e| panic!("{e}"));
    inspect(device, Arc::new(window))
}

pub fn of_fixture(name: &str) -> Inspection {
    inspection(&fixture(&format!("{name}.json")), &fixture(&format!("{name}.pull.json")))
}

pub const fn options(format: Format) -> Options<'static> {
    Options { format, style: Style::PLAIN, all: true, now: NOW, again: &UNNAMED }
}

fn inspected(inspection: &Inspection, format: Format) -> (String, ExitCode) {
    let mut out = Vec::new();
    let code =
        headless::inspect(inspection, &[], options(format), &mut out).expect("memory takes everything");
    (String::from_utf8(out).expect("reports are UTF-8"), code)
}

pub fn planned(inspection: &Inspection, decision: Decision<'_>, format: Format) -> (String, ExitCode) {
    let mut out = Vec::new();
    let code = headless::plan(inspection, &[], decision, options(format), &mut out)
        .unwrap_or_else(|error| panic!("{error}"));
    (String::from_utf8(out).expect("reports are UTF-8"), code)
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().map(|members| members.keys().map(String::as_str).collect()).unwrap_or_default()
}

#[test]
fn inspections_are_what_their_schema_says() {
    for name in FIXTURES {
        assert_described("inspection-1.json", &inspected(&of_fixture(name), Format::Json).0);
    }
}

#[test]
fn plans_are_what_their_schema_says() {
    for name in FIXTURES {
        let inspection = of_fixture(name);
        for strategy in Strategy::ALL {
            let (plan, _) = planned(&inspection, Decision::Strategy(strategy), Format::Json);
            assert_described("plan-1.json", &plan);
            assert_eq!(parsed(&plan)["strategy"], strategy.name());
        }
    }
}

#[test]
fn device_files_are_what_their_schema_says() {
    let schema = schema("device-file-1.json");
    for name in ["device-sample.json", "every-kind.json", "bare-queue.json", "odd-ids.json"] {
        assert_eq!(problems(&schema, &parsed(&fixture(name))), [""; 0], "{name}");
    }
    for broken in ["missing-id.json", "missing-type.json", "queue-as-object.json", "something-else.json"] {
        assert_ne!(problems(&schema, &parsed(&fixture(&format!("broken/{broken}")))), [""; 0], "{broken}");
    }
}

#[test]
fn the_documented_members_come_first_and_in_the_documented_order() {
    let inspection = inspected(&of_fixture("every-kind"), Format::Json).0;
    let inspection = parsed(&inspection);
    let documented = ["schema", "device", "cursor", "head", "windowTotal", "causes", "summary", "pairs"];
    assert_eq!(names(&inspection)[..documented.len()], documented);
    for pair in inspection["pairs"].as_array().expect("pairs") {
        let documented =
            ["kind", "key", "status", "shape", "echo", "device", "server", "blockedBy", "fields"];
        assert_eq!(names(pair)[..documented.len()], documented);
        for field in pair["fields"].as_array().expect("fields") {
            assert_eq!(names(field)[..3], ["path", "verdict", "base"]);
        }
    }
    let inspection = of_fixture("every-kind");
    let plan = parsed(&planned(&inspection, Decision::Strategy(Strategy::Merge), Format::Json).0);
    let documented = ["schema", "strategy", "batches", "apply", "drop", "hold", "open", "ledger"];
    assert_eq!(names(&plan)[..documented.len()], documented);
}

/// The example of DESIGN §6.
#[test]
fn a_note_that_both_sides_changed() {
    let device = r#"{"device": {"id": "tablet-b"}, "sync": {"lastMutationAt": 100},
        "queue": [{"id": "q1", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "data": {"body": "صبر وصلاة"}}]}"#;
    let pull = r#"{"success": true, "data": {"lastMutationAt": 200, "mutations": [
        {"type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "data": {"body": "صبر جميل"}, "timestamp": 150}]}}"#;
    let (text, code) = inspected(&inspection(device, pull), Format::Json);
    assert_eq!(code, ExitCode::Open);
    let mut report = parsed(&text);
    assert_eq!(report["cursor"], 100);
    assert_eq!(report["head"], 200);
    assert_eq!(report["windowTotal"], 1);
    assert_eq!(
        report["summary"],
        json!({"queued": 1, "window": 1, "converged": 0, "push": 0, "apply": 0, "diverged": 1, "blocked": 0})
    );
    let pair = report["pairs"][0].as_object_mut().expect("a pair");
    for more in ["title", "saw", "clock"] {
        assert!(pair.remove(more).is_some(), "{more}");
    }
    let field = pair["fields"][0].as_object_mut().expect("a field");
    assert_eq!(field.remove("choices"), Some(json!(["device", "server", "both", "edit"])));
    assert!(field.remove("saw").is_some());
    assert_eq!(
        report["pairs"],
        json!([{"kind": "NOTE", "key": "id:n1", "status": "diverged", "shape": "update/update", "echo": false,
            "device": ["q1"], "server": ["n1"], "blockedBy": null,
            "fields": [{"path": "/body", "verdict": "conflict", "base": {"state": "absent"},
                        "device": "صبر وصلاة", "server": "صبر جميل"}]}])
    );
}

#[test]
fn a_side_that_does_not_hold_a_field_is_left_out() {
    let device = r#"{"sync": {"lastMutationAt": 100}, "queue": [
        {"id": "q1", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "data": {"body": null, "mine": ""}, "base": {"body": "was"}}]}"#;
    let pull = r#"{"success": true, "data": {"lastMutationAt": 200, "mutations": [
        {"type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "data": {"body": "is", "source": "web"}, "timestamp": 150}]}}"#;
    let report = parsed(&inspected(&inspection(device, pull), Format::Json).0);
    let of = |path: &str| -> Value {
        let fields = report["pairs"][0]["fields"].as_array().expect("fields");
        fields.iter().find(|field| field["path"] == path).cloned().unwrap_or_else(|| panic!("{path}"))
    };
    assert_eq!(of("/body")["base"], json!({"state": "recorded", "value": "was"}));
    assert_eq!(of("/body")["device"], Value::Null);
    assert!(names(&of("/body")).contains(&"device"), "null is a value");
    assert_eq!(of("/mine").get("server"), None);
    assert_eq!(of("/source").get("device"), None);
}

/// A program reads the inspection, decides, and hands its choices back.
#[test]
fn choices_made_from_the_report_settle_everything() {
    for name in FIXTURES {
        let inspection = of_fixture(name);
        let report = parsed(&inspected(&inspection, Format::Json).0);
        let mut choices = Vec::new();
        for pair in report["pairs"].as_array().expect("pairs") {
            for field in pair["fields"].as_array().expect("fields").iter().filter(|f| f.get("saw").is_some())
            {
                choices.push(json!({"kind": pair["kind"], "key": pair["key"], "path": field["path"],
                    "choice": field["choices"][0], "saw": field["saw"]}));
            }
        }
        assert!(!choices.is_empty(), "{name} diverges");
        let text = json!({"schema": "unstick.choices/1", "choices": choices}).to_string();
        assert_described("choices-1.json", &text);
        let decision = Decision::Choices { file: "choices.json", text: &text };
        let plan = parsed(&planned(&inspection, decision, Format::Json).0);
        assert_eq!(plan["strategy"], Value::Null);
        assert_eq!(plan["open"], json!([]), "{name}");
        assert_eq!(plan["reopened"], json!([]), "{name}");
    }
}

#[test]
fn what_a_strategy_chose_can_be_written_down_and_made_again() {
    for name in FIXTURES {
        let inspection = of_fixture(name);
        let decided = headless::decide(&inspection, Decision::Strategy(Strategy::LastWriteWins))
            .unwrap_or_else(|error| panic!("{error}"));
        let text = choices::export(&inspection, &decided.resolution).to_string();
        assert_described("choices-1.json", &text);
        let again = planned(&inspection, Decision::Choices { file: "c.json", text: &text }, Format::Json).0;
        let first = planned(&inspection, Decision::Strategy(Strategy::LastWriteWins), Format::Json).0;
        assert_eq!(parsed(&again)["batches"], parsed(&first)["batches"], "{name}");
        assert_eq!(parsed(&again)["ledger"], parsed(&first)["ledger"], "{name}");
    }
}

#[test]
fn nothing_to_do_is_0() {
    let device = r#"{"sync": {"lastMutationAt": 200}, "queue": []}"#;
    let pull = r#"{"success": true, "data": {"lastMutationAt": 200, "mutations": []}}"#;
    let inspection = inspection(device, pull);
    for format in Format::ALL {
        assert_eq!(inspected(&inspection, format).1, ExitCode::Done);
        let plan = planned(&inspection, Decision::Strategy(Strategy::Merge), format);
        assert_eq!(plan.1, ExitCode::Done);
    }
}

/// Whatever either side calls its things, nothing of it acts on a terminal, and JSON keeps its meaning.
#[test]
fn hostile_text_comes_out_harmless_everywhere() {
    let bad = r"\u001b]0;x\u0007\u009b2J\u202eevil\u2066\u200b\ufeff\r\b";
    let plain: String = parsed(&format!("\"{bad}\"")).as_str().expect("a string").to_owned();
    let device = format!(
        r#"{{"device": {{"id": "i{bad}", "label": "l{bad}", "user": "u{bad}"}}, "sync": {{"lastMutationAt": 100}}, "queue": [
        {{"id": "q1{bad}", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1{bad}",
          "data": {{"body": "device {bad}", "ranges": ["{bad}"], "x{bad}": {{"y{bad}": "{bad}"}}}}, "lastError": "{bad}"}},
        {{"id": "q2{bad}", "type": "UPDATE", "resource": "KIND{bad}", "resourceId": "k1{bad}", "data": {{"a": "{bad}"}}}},
        {{"id": "q3{bad}", "type": "UPDATE", "resource": "COLLECTION", "resourceId": "c1{bad}", "data": {{"name": "{bad}"}}}},
        {{"id": "q4{bad}", "type": "CREATE", "resource": "COLLECTION_BOOKMARK",
          "data": {{"collectionId": "c1{bad}", "type": "ayah", "key": 2, "verseNumber": 3}}}}]}}"#
    );
    let pull = format!(
        r#"{{"success": true, "data": {{"lastMutationAt": 200, "mutations": [
        {{"type": "UPDATE", "resource": "NOTE", "resourceId": "n1{bad}", "timestamp": 150,
          "data": {{"body": "server {bad}", "ranges": ["{bad}x"], "x{bad}": {{"y{bad}": "{bad}z"}}}}}},
        {{"type": "UPDATE", "resource": "KIND{bad}", "resourceId": "k1{bad}", "data": {{"a": "z{bad}"}}, "timestamp": 151}},
        {{"type": "DELETE", "resource": "COLLECTION", "resourceId": "c1{bad}", "timestamp": 152}},
        {{"type": "CREATE", "resource": "NOTE", "resourceId": "n2{bad}", "data": {{"body": "{bad}"}}, "timestamp": 153}}]}}}}"#
    );
    let inspection = inspection(&device, &pull);
    let decisions = Strategy::ALL.map(Decision::Strategy);
    let mut texts: Vec<String> = Vec::new();
    for format in Format::ALL {
        texts.push(inspected(&inspection, format).0);
        texts.extend(decisions.map(|decision| planned(&inspection, decision, format).0));
    }
    for text in &texts {
        let acts = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        assert!(!text.contains(acts), "{text}");
        assert!(text.contains("evil"), "{text}");
    }
    let report = parsed(&inspected(&inspection, Format::Json).0);
    assert_eq!(report["device"]["label"], format!("l{plain}"));
    assert_eq!(report["pairs"][0]["fields"][0]["device"], format!("device {plain}"));
}

#[test]
fn the_sample_phone_as_people_read_it() {
    let inspection = of_fixture("device-sample");
    let options = Options { all: false, ..options(Format::Human) };
    let mut out = Vec::new();
    headless::inspect(&inspection, &[], options, &mut out).expect("memory takes everything");
    insta::assert_snapshot!("device-sample.inspect", String::from_utf8_lossy(&out));
    let plan = planned(&inspection, Decision::Strategy(Strategy::Merge), Format::Human).0;
    insta::assert_snapshot!("device-sample.plan", plan);
}
