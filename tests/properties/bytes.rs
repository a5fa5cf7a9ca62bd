//! Whatever bytes come: nothing panics, nothing grows beyond what was given, and every complaint can be shown.
//!
//! Random bytes seldom get past the first brace, so most inputs are good ones that were damaged: bytes flipped, pieces
//! cut out, doubled and put elsewhere, values of the document in the place of others, brackets without an end.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;
use unstick::config::Config;
use unstick::device::DeviceFile;
use unstick::domain::again::UNNAMED;
use unstick::domain::answer::{Refusal, ResponseHead, read_page, read_post};
use unstick::domain::choices;
use unstick::domain::diagnosis::diagnose;
use unstick::domain::inspect::{Inspection, inspect};
use unstick::domain::json::Text;
use unstick::domain::mutation::{Cursor, Millis};
use unstick::domain::plan::plan;
use unstick::domain::push::Record;
use unstick::domain::resolution::Resolution;
use unstick::domain::safe_text::visible_line;
use unstick::domain::strategy::{self, Strategy as Rule};
use unstick::error::InputError;
use unstick::headless::{self, Format, Options};
use unstick::journal::Journal;
use unstick::report::style::Style;
use unstick::server::{Recording, recorded};
use unstick::session::{Clock, Server, Session};

use super::worlds::cases;

const NOW: Millis = Millis(1_770_060_000_000);

/// How many bytes of a report or a complaint one byte of input may become: an escape sequence is six, and a value
/// stands in an inspection at most as device's, server's and base's, under a path.
const GROWTH: usize = 60;
/// What is written whatever the input is.
const FIXED: usize = 20_000;

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// One damage. Places are shares of the whole, so that they mean something in any input.
#[derive(Clone, Debug)]
enum Damage {
    Flip(f64, u8),
    Cut(f64, f64),
    Double(f64, f64),
    Splice(f64, f64, f64),
    Insert(f64, Vec<u8>),
    Nest(f64, u8, u16),
    /// The value at one place of the document in the place of another.
    Swap(u16, u16),
}

fn damage() -> impl Strategy<Value = Damage> {
    let share = || 0.0..1.0f64;
    let odd = prop::sample::select(vec![
        &b"null"[..],
        b"1e400",
        b"-0",
        b"\"\\ud800\"",
        b"\"\\u0000\"",
        b"{}",
        b"[]",
        b"true",
        b"99999999999999999999",
        b"\xff",
        b"\x1b[2J",
        "\u{202e}".as_bytes(),
        "\u{feff}".as_bytes(),
        b"\"",
        b"\\",
        b",",
        b":",
        b"\n",
        b"# ",
        b"=",
    ]);
    prop_oneof![
        3 => (share(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        2 => (share(), share()).prop_map(|(from, to)| Damage::Cut(from, to)),
        1 => (share(), share()).prop_map(|(from, to)| Damage::Double(from, to)),
        1 => (share(), share(), share()).prop_map(|(from, to, at)| Damage::Splice(from, to, at)),
        2 => (share(), odd).prop_map(|(at, odd)| Damage::Insert(at, odd.to_vec())),
        1 => (share(), prop::collection::vec(any::<u8>(), 0..16)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (share(), prop::sample::select(b"[{\"".to_vec()), 0..2000u16).prop_map(|(at, open, deep)| Damage::Nest(at, open, deep)),
        6 => (any::<u16>(), any::<u16>()).prop_map(|(from, to)| Damage::Swap(from, to)),
    ]
}

impl Damage {
    fn done_to(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let place = |share: f64| ((share * bytes.len() as f64) as usize).min(bytes.len());
        // Short pieces, so that most of the document stays what it was.
        let piece = |from: f64, length: f64| {
            let start = place(from);
            start..(start + (length * 400.0) as usize).min(bytes.len())
        };
        match self {
            Self::Flip(at, byte) => {
                let at = place(*at);
                if let Some(found) = bytes.get_mut(at) {
                    *found = *byte;
                }
            }
            Self::Cut(from, length) => {
                let piece = piece(*from, *length);
                bytes.drain(piece);
            }
            Self::Double(from, length) => {
                let piece = piece(*from, *length);
                let (end, copy) = (piece.end, bytes[piece].to_vec());
                bytes.splice(end..end, copy);
            }
            Self::Splice(from, length, at) => {
                let (copy, at) = (bytes[piece(*from, *length)].to_vec(), place(*at));
                bytes.splice(at..at, copy);
            }
            Self::Insert(at, new) => {
                let at = place(*at);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Nest(at, open, deep) => {
                let (at, close) = (place(*at), if *open == b'[' { b']' } else { b'}' });
                let all = [vec![*open; usize::from(*deep)], vec![close; usize::from(*deep)]].concat();
                bytes.splice(at..at, all);
            }
            Self::Swap(from, to) => {
                let Ok(mut document) = serde_json::from_slice::<Value>(&bytes) else { return bytes };
                let mut pointers = Vec::new();
                list(&document, String::new(), &mut pointers);
                let at = |number: &u16| pointers[usize::from(*number) % pointers.len()].clone();
                let value = document.pointer(&at(from)).cloned().unwrap_or_default();
                if let Some(place) = document.pointer_mut(&at(to)) {
                    *place = value;
                }
                return document.to_string().into_bytes();
            }
        }
        bytes
    }
}

fn list(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                list(value, format!("{pointer}/{name}"), pointers);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                list(value, format!("{pointer}/{at}"), pointers);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    pointers.push(pointer);
}

/// One of these, damaged up to five times; or bytes that were never anything.
fn damaged(originals: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let damaged = (prop::sample::select(originals), prop::collection::vec(damage(), 0..5))
        .prop_map(|(original, damages)| damages.iter().fold(original, |bytes, damage| damage.done_to(bytes)));
    prop_oneof![9 => damaged, 1 => prop::collection::vec(any::<u8>(), 0..400)]
}

fn texts(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| fixture(name)).collect()
}

fn devices() -> Vec<Vec<u8>> {
    texts(&[
        "device-sample.json",
        "every-kind.json",
        "bare-queue.json",
        "odd-ids.json",
        "broken/odd-but-readable.json",
        "broken/duplicate-members.json",
    ])
}

fn pulls() -> Vec<Vec<u8>> {
    texts(&["device-sample.pull.json", "every-kind.pull.json", "device/device-sample.pull.json"])
}

/// A complaint that a person can be shown: of a bounded length, and without a character that acts.
fn printable(error: &impl std::fmt::Display) -> Result<(), TestCaseError> {
    let text = error.to_string();
    let shown = visible_line(&text);
    prop_assert!(text.len() < 4000, "{} bytes: {}", text.len(), &shown[..shown.floor_char_boundary(300)]);
    prop_assert!(!text.trim().is_empty());
    prop_assert!(
        !shown.contains(|c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}')),
        "{shown}"
    );
    Ok(())
}

/// Everything that is made of an inspection, none of it larger than the input allows.
fn look_through(inspection: &Inspection, input: usize) -> Result<(), TestCaseError> {
    let (device, window) = (&inspection.device, &inspection.window);
    prop_assert!(inspection.pairs.len() <= device.queue.len() + window.mutations.len());
    diagnose(inspection, NOW);
    for format in Format::ALL {
        for all in [false, true] {
            let mut out = Vec::new();
            let options = Options { format, style: Style::PLAIN, all, now: NOW, again: &UNNAMED };
            headless::inspect(inspection, &[], options, &mut out).expect("memory takes everything");
            prop_assert!(out.len() <= GROWTH * input + FIXED, "{} of {input}", out.len());
        }
    }
    for rule in Rule::ALL {
        let mut resolution = Resolution::default();
        let choices = strategy::choices_for_all(inspection, &resolution, rule, |_| true);
        resolution.choose(rule.name(), choices);
        let plan = plan(inspection, &resolution, NOW);
        prop_assert!(plan.pushed() <= device.queue.len() * 2);
        let text = choices::export(inspection, &resolution).to_string();
        prop_assert!(text.len() <= GROWTH * input + FIXED);
        let again = choices::read("choices.json", &text, inspection);
        prop_assert!(again.is_ok_and(|again| again.reopened.is_empty()), "what was exported is read");
    }
    Ok(())
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn any_device_file(bytes in damaged(devices()), pull in prop::sample::select(pulls())) {
        let input = bytes.len() + pull.len();
        match DeviceFile::from_text("device.json", text_of(&bytes)) {
            Err(error) => printable(&error)?,
            Ok(file) => {
                for warning in file.warnings() {
                    printable(warning)?;
                }
                let device = file.shared();
                prop_assert!(device.queue.len() <= bytes.len());
                let window = recorded(text_of(&pull), "pull.json", device.sync.cursor).expect("a good pull");
                look_through(&inspect(device, Arc::new(window)), input)?;
            }
        }
    }

    #[test]
    fn any_recorded_pull(bytes in damaged(pulls()), device in prop::sample::select(devices())) {
        let Ok(file) = DeviceFile::from_text("device.json", text_of(&device)) else { return Ok(()) };
        match Recording::read(text_of(&bytes), "pull.json").and_then(|r| r.window("pull.json", Some(Cursor::read(100)))) {
            Err(error) => printable(&error)?,
            Ok(window) => {
                prop_assert!(window.mutations.len() + window.unreadable.len() <= bytes.len());
                for warning in &window.warnings {
                    printable(warning)?;
                }
                look_through(&inspect(file.shared(), Arc::new(window)), bytes.len() + device.len())?;
            }
        }
    }

    #[test]
    fn any_answer(bytes in damaged(answers()), status in prop::sample::select(vec![200, 201, 204, 302, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503, 599, 0, 999]), header in ".{0,40}") {
        let text = text_of(&bytes);
        let head = ResponseHead {
            status,
            content_type: Some(header.clone()),
            request_id: Some(header.clone()),
            retry_after: Some(header.clone()),
            mutation_at: Some(header.clone()),
            redirect_host: (status == 302).then_some(header),
        };
        let refusal = Refusal::read(&head, &text);
        printable(&refusal)?;
        printable(&refusal.next_step())?;
        if let Some(after) = refusal.retry_after {
            after.wait(NOW);
        }
        match read_page(&head, &Text::new(text.clone()), 1) {
            Ok(page) => prop_assert!(page.entries() <= bytes.len()),
            Err(error) => printable(&error)?,
        }
        match read_post(&head, &Text::new(text)) {
            Ok(answer) => prop_assert!(answer.acknowledgements.len() <= bytes.len()),
            Err(error) => printable(&error)?,
        }
    }

    #[test]
    fn any_choices_file(bytes in damaged(choices_files())) {
        let inspection = sample();
        for read in [choices::read, choices::resume] {
            match read("choices.json", &text_of(&bytes), &inspection) {
                Ok(replayed) => {
                    let made = replayed.resolution.iter().count() + replayed.reopened.len();
                    // A choice without a path stands for every open field of its pair.
                    let fields: usize = inspection.pairs.iter().map(|pair| pair.open.len().max(1)).sum();
                    prop_assert!(made <= bytes.len() + fields);
                    plan(&inspection, &replayed.resolution, NOW);
                }
                Err(error) => printable(&InputError::from(error))?,
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn any_journal(bytes in damaged(journals())) {
        let folder = tempfile::tempdir().expect("a folder");
        let device = folder.path().join("device.json");
        fs::write(&device, fixture("every-kind.json")).expect("written");
        fs::write(folder.path().join("device.json.unstick-journal"), &bytes).expect("written");
        match Journal::<Record>::unfinished(&device) {
            Ok(Some(unfinished)) => prop_assert!(unfinished.records.len() <= bytes.len()),
            Ok(None) => {}
            Err(error) => printable(&error)?,
        }
        let file = DeviceFile::read(&device).expect("a device file");
        let window = recorded(text_of(&fixture("every-kind.pull.json")), "pull.json", None).expect("a good pull");
        match Session::new(file, Server::Recorded(Arc::new(window)), Clock::Fixed(NOW)) {
            Ok(session) => prop_assert!(session.device().queue.len() <= 100),
            Err(error) => printable(&error)?,
        }
        // Whatever it was, it is still there for whoever can read it.
        prop_assert_eq!(fs::read(folder.path().join("device.json.unstick-journal")).expect("there"), bytes);
    }

    #[test]
    fn any_configuration(bytes in damaged(configurations())) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        fs::write(&path, &bytes).expect("written");
        if let Err(error) = Config::read(Some(&path)) {
            printable(&error)?;
        }
    }

    /// Bytes that are no text at all.
    #[test]
    fn any_bytes_on_the_disk(bytes in damaged(devices())) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("device.json");
        fs::write(&path, &bytes).expect("written");
        if let Err(error) = DeviceFile::read(&path) {
            printable(&error)?;
        }
        prop_assert_eq!(fs::read(&path).expect("there"), bytes);
    }
}

/// Brackets within brackets, at every place of every form, as deep as a file can hold.
#[test]
fn any_depth() {
    for depth in [100, 1000, 20_000] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let device = format!(
                r#"{{"sync":{{"lastMutationAt":1}},"queue":[{{"id":"q","type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{{"body":{deep},"x":{deep}}},"base":{{"x":{deep}}}}}],"resources":[],"more":{deep}}}"#
            );
            let pull = format!(
                r#"{{"success":true,"data":{{"lastMutationAt":9,"mutations":[{{"type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{{"x":{deep}}},"timestamp":9,"more":{deep}}}]}}}}"#
            );
            let input = device.len() + pull.len();
            let file = DeviceFile::from_text("device.json", device).unwrap_or_else(|error| panic!("{error}"));
            let window = recorded(pull.clone(), "pull.json", file.device().sync.cursor);
            let window = window.unwrap_or_else(|error| panic!("{error}"));
            // Comparing takes as long as the text is, for each of the 64 levels that are descended into: this deep it
            // is enough that both are read.
            if depth <= 1000 {
                look_through(&inspect(file.shared(), Arc::new(window)), input).expect("bounded");
            }
            for whole in [deep.clone(), format!(r#"{{"error":{deep}}}"#), format!(r#"{{"data":{deep}}}"#)] {
                assert!(DeviceFile::from_text("device.json", whole.clone()).is_err());
                assert!(
                    Recording::read(whole.clone(), "pull.json").and_then(|r| r.window("p", None)).is_err()
                );
                let head = ResponseHead { status: 422, ..ResponseHead::default() };
                printable(&Refusal::read(&head, &whole)).expect("printable");
                assert!(read_page(&ResponseHead::ok(), &Text::new(whole.clone()), 1).is_err());
                assert!(read_post(&ResponseHead::ok(), &Text::new(whole.clone())).is_err());
                assert!(choices::read("choices.json", &whole, &sample()).is_err());
            }
        }
    }
}

/// An inspection to choose on.
fn sample() -> Inspection {
    let text = |name: &str| text_of(&fixture(name));
    let file =
        DeviceFile::from_text("device.json", text("every-kind.json")).unwrap_or_else(|e| panic!("{e}"));
    let device = file.shared();
    let window = recorded(text("every-kind.pull.json"), "pull.json", device.sync.cursor);
    inspect(device, Arc::new(window.unwrap_or_else(|error| panic!("{error}"))))
}

/// Answers of every kind: pages, acknowledgements, refusals in their three shapes, a gateway's page.
fn answers() -> Vec<Vec<u8>> {
    let mut answers = pulls();
    for text in [
        r#"{"success":true,"data":{"lastMutationAt":300,"mutations":[{"type":"CREATE","resource":"NOTE","resourceId":"n9","data":{"body":"text"},"timestamp":300},{"type":"DELETE","resource":"COLLECTION_BOOKMARK","resourceId":"c1-b1","timestamp":300}]}}"#,
        r#"{"success":false,"error":{"code":"OutOfSyncError","message":"Use lastMutationAt=-1 for the first sync"}}"#,
        r#"{"message":"Invalid data at mutation[3]","type":"unprocessable_entity","success":false}"#,
        r#"{"message":"m","type":"Conflict","success":false,"requestId":"r","details":{"success":false,"error":{"code":"ValidationError","message":"at mutation[0]","details":{}}}}"#,
        "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
        "",
    ] {
        answers.push(text.as_bytes().to_vec());
    }
    answers
}

fn choices_files() -> Vec<Vec<u8>> {
    let inspection = sample();
    let made = |rule: Rule| {
        let mut resolution = Resolution::default();
        let choices = strategy::choices_for_all(&inspection, &resolution, rule, |_| true);
        resolution.choose(rule.name(), choices);
        choices::export(&inspection, &resolution).to_string().into_bytes()
    };
    let by_hand = r#"{"schema":"unstick.choices/1","choices":[
        {"kind":"NOTE","key":"id:n1","path":"/body","choice":{"edit":"new"},"saw":"0123456789abcdef"},
        {"kind":"COLLECTION","key":"id:c1","choice":"bring-back"},{"kind":"NOTE","key":"id:n1","path":"","choice":"both"}]}"#;
    vec![made(Rule::ClientWins), made(Rule::ServerWins), by_hand.as_bytes().to_vec()]
}

/// A journal as a push writes it, of the device file that lies beside it.
fn journals() -> Vec<Vec<u8>> {
    let mark = unstick::journal::Fingerprint::of(&fixture("every-kind.json"));
    let mark = serde_json::to_string(&mark).expect("JSON");
    let journal = format!(
        r#"{{"schema":"unstick.journal/1","version":"0.1.0","device":{mark},"backup":"device.json.backup-20260202T000000Z"}}
{{"record":{{"step":"begun","rule":"client-wins"}}}}
{{"record":{{"step":"sending","post":1,"head":100,"entries":[["q1"],["q2","q3"]]}}}}
{{"record":{{"step":"acknowledged","post":1,"head":200,"entries":[{{"queue":["q1"],"resourceId":"n1"}},{{"queue":["q2","q3"]}}]}}}}
{{"record":{{"step":"sending","post":2,"head":200,"entries":[["q4"]]}}}}
{{"record":{{"step":"not-applied","post":2,"status":409}}}}
{{"writeBack":{mark}}}
"#
    );
    vec![journal.into_bytes()]
}

fn configurations() -> Vec<Vec<u8>> {
    let text = "server = \"https://sync.example\"\nclient_id = \"app\"\ntoken_file = \"token\"\ncolor = \"never\"\n[log]\nfile = \"/var/log/unstick.log\"\n";
    vec![text.as_bytes().to_vec(), include_bytes!("../../assets/config.toml").to_vec()]
}
