//! POSTs that were applied and answered as if they were not, servers that put things in their own words, and the person
//! who says what became of what cannot be told.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use unstick::domain::mutation::{Kind, Millis};
use unstick::sandbox::model::{FirstSync, Model};

use super::bench::{Bench, said, unstick};
use super::schemas::assert_described;

const OPENED: Millis = Millis(1_770_000_000_000);

/// A device that creates something of every kind, in step with a server on which this goes wrong.
fn creating(queue: &Value, rules: &[&str]) -> Bench {
    let model = Model::new(FirstSync::Positive, OPENED);
    let cursor = model.head().value();
    let device = json!({"sync": {"lastMutationAt": cursor}, "queue": queue, "resources": []});
    let faults = rules.iter().map(|rule| rule.parse().expect("a rule")).collect();
    Bench::with_faults(model, &device.to_string(), faults)
}

fn create(id: &str, kind: &str, data: &Value) -> Value {
    json!({"id": id, "type": "CREATE", "resource": kind, "data": data})
}

fn every_kind() -> Value {
    json!([
        create("q1", "COLLECTION", &json!({"name": " On the Way "})),
        create(
            "q2",
            "COLLECTION_BOOKMARK",
            &json!({"collectionId": "q1", "type": "ayah", "key": 36, "verseNumber": 58})
        ),
        create("q3", "BOOKMARK", &json!({"type": "ayah", "key": 2, "verseNumber": 255})),
        create("q4", "BOOKMARK", &json!({"type": "page", "key": 300})),
        create("q5", "NOTE", &json!({"body": "One Place\n", "ranges": ["1:1-1:2"]})),
        create("q6", "NOTE", &json!({"body": "Two Places", "ranges": ["1:1-1:2", "2:2-2:3"]})),
        create("q7", "NOTE", &json!({"body": "No Place", "ranges": []})),
        create("q8", "READING_SESSION", &json!({"chapterNumber": 9, "verseNumber": 1})),
    ])
}

/// How many resources of each kind were ever made.
fn made(bench: &Bench) -> BTreeMap<String, usize> {
    let writes = bench.server.with_model(|model| model.writes());
    let mut made = BTreeMap::new();
    for (kind, _) in writes.keys() {
        *made.entry(kind.wire().to_owned()).or_default() += 1;
    }
    made
}

fn journal(bench: &Bench) -> bool {
    bench.files().iter().any(|(name, _)| name.ends_with(".unstick-journal"))
}

#[test]
fn what_was_applied_and_refused_is_there_once_whatever_the_answer_was() {
    let expected: BTreeMap<String, usize> =
        [("BOOKMARK", 2), ("COLLECTION", 1), ("COLLECTION_BOOKMARK", 1), ("NOTE", 3), ("READING_SESSION", 1)]
            .map(|(kind, count)| (kind.to_owned(), count))
            .into();
    for status in ["302", "401", "403", "404", "409", "413", "422", "429", "500", "502-html"] {
        for (post, words) in [(1, ""), (1, "own-words+"), (2, "own-words+"), (3, "own-words+")] {
            let rule = format!("post:{post}={words}{status}:after");
            let bench = creating(&every_kind(), &[&rule]);
            let output = bench.run("push", &["--strategy", "client-wins", "--yes"]);
            if status == "401" {
                // There is no other token: the journal keeps the POST, and the next push looks it up.
                assert_eq!(output.status.code(), Some(3), "{rule}: {}", said(&output));
                assert!(
                    journal(&bench) && said(&output).contains("looks it up"),
                    "{rule}: {}",
                    said(&output)
                );
                bench.expect(0, "push", &["--strategy", "client-wins", "--yes"]);
            } else {
                assert_eq!(output.status.code(), Some(0), "{rule}: {}", said(&output));
            }
            assert_eq!(made(&bench), expected, "{rule}");
            assert_eq!(bench.device()["queue"], json!([]), "{rule}");
            assert!(!journal(&bench), "{rule}");
        }
    }
}

/// A collection whose name the server suffixed, behind an answer that was lost, with a link into it.
fn suffixed() -> Bench {
    let queue = json!([
        create("q1", "COLLECTION", &json!({"name": "On the way"})),
        create(
            "q2",
            "COLLECTION_BOOKMARK",
            &json!({"collectionId": "q1", "type": "ayah", "key": 36, "verseNumber": 58})
        ),
    ]);
    let bench = creating(&queue, &["post:1=suffix+409:after"]);
    let output = bench.run("push", &["--strategy", "client-wins", "--yes"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(4), "{text}");
    for part in [
        "device On the way | server On the way (2)",
        "--ask",
        "--arrived",
        "--not-arrived",
        "--discard",
        "there twice",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    bench
}

fn names(bench: &Bench) -> Vec<String> {
    let live = bench.server.with_model(|model| model.live(&Kind::Collection));
    let mut names: Vec<String> = live
        .iter()
        .filter(|(_, data)| data["isDefault"] != json!(true))
        .map(|(_, data)| data["name"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_person_says_that_it_arrived_and_the_push_goes_on_from_there() {
    let bench = suffixed();
    // Asked without a terminal, the questions come with the flags that answer them.
    let asked = bench.expect(4, "resume", &["--ask"]);
    assert!(asked.contains("device On the way | server On the way (2)"), "{asked}");
    assert!(asked.contains("--arrived q1 --yes") && asked.contains("--not-arrived q1 --yes"), "{asked}");
    let asked = bench.expect(4, "resume", &["--ask", "--format", "json"]);
    assert_described("doubt-1.json", &asked);
    let asked: Value = serde_json::from_str(&asked).expect("JSON");
    assert_eq!(asked["questions"][0]["queue"], json!(["q1"]));
    assert_eq!(asked["questions"][0]["candidates"][0]["data"]["name"], "On the way (2)");
    bench.expect(4, "resume", &["--yes"]);
    bench.expect(0, "resume", &["--arrived", "q1", "--yes"]);
    assert_eq!(names(&bench), ["On the way (2)"]);
    let links = bench.server.with_model(|model| model.live(&Kind::Link));
    assert_eq!((links.len(), bench.device()["queue"].clone(), journal(&bench)), (1, json!([]), false));
}

#[test]
fn a_person_says_that_it_did_not_arrive_and_it_is_sent_again() {
    let bench = suffixed();
    // Kept at once, sent later; what was said is not asked again.
    bench.expect(1, "resume", &["--not-arrived", "q1"]);
    assert_eq!(names(&bench), ["On the way (2)"]);
    bench.expect(0, "resume", &["--yes"]);
    assert_eq!(names(&bench), ["On the way", "On the way (2)"]);
    assert_eq!((bench.device()["queue"].clone(), journal(&bench)), (json!([]), false));
}

#[test]
fn an_answer_that_fits_nothing_is_refused_and_nothing_is_kept() {
    let bench = suffixed();
    for flags in [
        &["--arrived", "q2", "--yes"][..],
        &["--arrived", "q1=c-of-another", "--yes"],
        &["--not-arrived", "nothing", "--yes"],
        &["--arrived", "q1", "--not-arrived", "q1", "--yes"],
        &["--discard", "--arrived", "q1"],
    ] {
        bench.expect(2, "resume", flags);
    }
    bench.expect(4, "resume", &["--ask"]);
    let device = bench.device.to_str().expect("a path");
    let output = unstick(&["resume", device, "--arrived", "q1"]).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(2), "there is no server to look at: {}", said(&output));
}

#[test]
fn what_is_plainly_something_else_raises_no_doubt() {
    // Another device writes a note, a bookmark and a session; nothing of the POST was applied.
    for number in 1..=3 {
        let bench = creating(&every_kind(), &[&format!("post:{number}=race+502-html")]);
        bench.expect(0, "push", &["--strategy", "client-wins", "--yes"]);
    }
}

#[test]
fn of_what_the_device_sent_twice_a_person_says_which_arrived() {
    // One of the two is there; once it is said of one, the other is no question any more.
    for (answers, sent) in [
        (&["--arrived", "q1"][..], 1),
        (&["--not-arrived", "q1"], 1),
        (&["--not-arrived", "q1", "--not-arrived", "q2"], 2),
    ] {
        let bench = Bench::scenario("same-note-twice");
        bench.expect(4, "push", &["--strategy", "client-wins", "--yes"]);
        let before = made(&bench)["NOTE"];
        let asked = bench.expect(4, "resume", &["--ask"]);
        assert!(asked.contains("queue entry q1") && asked.contains("queue entry q2"), "{asked}");
        bench.expect(1, "resume", answers);
        assert_eq!(made(&bench)["NOTE"], before, "nothing is sent yet");
        bench.expect(0, "resume", &["--yes"]);
        assert_eq!(made(&bench)["NOTE"], before + sent, "{answers:?}");
        assert_eq!((bench.device()["queue"].clone(), journal(&bench)), (json!([]), false), "{answers:?}");
    }
}
