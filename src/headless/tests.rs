use super::*;
use crate::domain::again::UNNAMED;
use crate::testing;

const DEVICE: &str = r#"{
  "device": {"id": "tablet-b", "label": "Tablet B", "user": "u-1"},
  "sync": {"lastMutationAt": 100, "pendingMutationCount": 7},
  "queue": [
    {"id": "q1", "type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "retryCount": 3,
     "lastError": "409 OutOfSyncError", "createdAt": 1779185790000,
     "data": {"body": "Patience and prayer, said the teacher.\nAsk about the second verse.",
              "ranges": ["2:153-2:153", "2:255-2:255"], "clientUpdatedAt": "2026-05-19T10:16:30.000Z"}},
    {"id": "q2", "type": "UPDATE", "resource": "COLLECTION", "resourceId": "c1",
     "data": {"name": "Ramadan", "clientUpdatedAt": "2026-05-19T10:10:00.000Z"}, "base": {"name": "Old"}},
    {"id": "q3", "type": "CREATE", "resource": "BOOKMARK",
     "data": {"type": "ayah", "key": 18, "verseNumber": 10, "isReading": false, "mushaf": 1}},
    {"id": "q4", "type": "CREATE", "resource": "NOTE",
     "data": {"body": "\u001b[2Jhostile \u202etext", "ranges": ["36:58-36:58"]}},
    {"id": "q5", "type": "CREATE", "resource": "COLLECTION", "data": {"name": "Travel"}},
    {"id": "q6", "type": "CREATE", "resource": "COLLECTION_BOOKMARK",
     "data": {"collectionId": "q5", "type": "ayah", "key": 36, "verseNumber": 58, "mushaf": 1}},
    {"id": "q7", "type": "CREATE", "resource": "COLLECTION_BOOKMARK",
     "data": {"collectionId": "c1", "type": "ayah", "key": 2, "verseNumber": 255, "mushaf": 1}},
    {"id": "q8", "type": "UPDATE", "resource": "READING_SESSION", "resourceId": "s1",
     "data": {"chapterNumber": 2, "verseNumber": 121}}
  ]
}"#;
const FEED: &str = r#"[
  {"type": "UPDATE", "resource": "NOTE", "resourceId": "n1", "timestamp": 1779185640000,
   "data": {"body": "Patience and gratitude, said the teacher.\nAsk about the second verse.",
            "ranges": ["2:255-2:255"], "clientUpdatedAt": "2026-05-19T10:14:00.000Z"}},
  {"type": "DELETE", "resource": "COLLECTION", "resourceId": "c1", "timestamp": 1779185650000},
  {"type": "CREATE", "resource": "BOOKMARK", "resourceId": "b1", "timestamp": 1779185660000,
   "data": {"bookmarkType": "ayah", "key": 18, "verseNumber": 10, "isReading": null}},
  {"type": "UPDATE", "resource": "READING_SESSION", "resourceId": "s1", "timestamp": 1779185670000,
   "data": {"chapterNumber": 3, "verseNumber": 8}},
  {"type": "CREATE", "resource": "COLLECTION_BOOKMARK", "timestamp": 1779185680000,
   "data": {"collectionId": "c9", "bookmarkId": "b9"}},
  {"type": "CREATE", "resource": "NOTE", "timestamp": 1779185690000, "data": {"body": "no id"}}
]"#;
const NOW: Millis = Millis(1_779_185_900_000);

fn options(format: Format) -> Options<'static> {
    Options { format, style: Style::PLAIN, all: false, now: NOW, again: &UNNAMED }
}

fn sides() -> Inspection {
    testing::inspection(DEVICE, FEED)
}

fn warnings() -> Vec<String> {
    vec![String::from("at /sync/pendingMutationCount: the device counted 7, the queue holds 8")]
}

fn inspected(options: Options) -> (String, ExitCode) {
    let mut out = Vec::new();
    let code = inspect(&sides(), &warnings(), options, &mut out).expect("memory takes everything");
    (String::from_utf8(out).expect("reports are UTF-8"), code)
}

fn planned(decision: Decision<'_>, options: Options) -> (String, ExitCode) {
    let mut out = Vec::new();
    let code = plan(&sides(), &warnings(), decision, options, &mut out).unwrap_or_else(|e| panic!("{e}"));
    (String::from_utf8(out).expect("reports are UTF-8"), code)
}

#[test]
fn an_inspection_for_people() {
    let (text, code) = inspected(options(Format::Human));
    assert_eq!(code, ExitCode::Open);
    insta::assert_snapshot!(text);
}

#[test]
fn an_inspection_for_people_with_all_pairs() {
    let (text, _) = inspected(Options { all: true, ..options(Format::Human) });
    insta::assert_snapshot!(text);
}

#[test]
fn an_inspection_for_people_in_colour() {
    let (text, _) = inspected(Options { style: Style::COLORED, ..options(Format::Human) });
    insta::assert_snapshot!(text.replace('\u{1b}', "ESC"));
}

#[test]
fn an_inspection_for_programs() {
    let (text, code) = inspected(options(Format::Json));
    assert_eq!(code, ExitCode::Open);
    insta::assert_snapshot!(text);
}

#[test]
fn a_plan_for_people() {
    let (text, code) = planned(Decision::Strategy(Strategy::ClientWins), options(Format::Human));
    assert_eq!(code, ExitCode::Open);
    insta::assert_snapshot!(text);
}

#[test]
fn a_plan_that_leaves_something_open_for_people() {
    let (text, code) = planned(Decision::Strategy(Strategy::Merge), options(Format::Human));
    assert_eq!(code, ExitCode::Open);
    insta::assert_snapshot!(text);
}

#[test]
fn a_plan_for_programs() {
    let (text, _) = planned(Decision::Strategy(Strategy::ClientWins), options(Format::Json));
    insta::assert_snapshot!(text);
}

#[test]
fn choices_that_no_longer_fit_are_told_and_not_made() {
    let text = r#"{"schema": "unstick.choices/1", "choices": [
        {"kind": "NOTE", "key": "id:n1", "path": "/body", "choice": "device", "saw": "0000000000000000"},
        {"kind": "NOTE", "key": "id:n1", "path": "/ranges", "choice": "server"}]}"#;
    let decision = Decision::Choices { file: "choices.json", text };
    let (json, code) = planned(decision, options(Format::Json));
    assert_eq!(code, ExitCode::Open);
    assert!(
        json.contains("\"reopened\": [\n    {\"kind\": \"NOTE\", \"key\": \"id:n1\", \"path\": \"/body\"}\n"),
        "{json}"
    );
    let (human, _) = planned(decision, options(Format::Human));
    assert!(human.starts_with("Plan for Tablet B with the choices of choices.json\n"), "{human}");
    let told = "Reopened: 1 field, chosen on values that are no longer there\n  NOTE 2:153 +1: body\n";
    assert!(human.contains(told), "{human}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for format in Format::ALL {
        let code = inspect(&sides(), &[], options(format), &mut Closed).expect("the exit code stands");
        assert_eq!(code, ExitCode::Open);
    }
}

/// Whatever the texts of the two sides are, a terminal that reorders moves nothing out of its own text, in no line.
mod reordering {
    use proptest::prelude::*;

    use super::*;
    use crate::app::tests::sample;
    use crate::domain::bidi;
    use crate::testing::reordering::{Moves, bases, both, moved, order, side, texts};

    fn told(device: &[String], server: &[String], format: Format) -> String {
        let (device, pull) = both(device, server);
        let inspection = sample::inspection(&device, &pull);
        let options = Options { all: true, ..options(format) };
        let mut out = Vec::new();
        inspect(&inspection, &[], options, &mut out).expect("memory takes everything");
        for strategy in crate::domain::strategy::Strategy::ALL {
            plan(&inspection, &[], Decision::Strategy(strategy), options, &mut out).expect("a plan");
        }
        let looked = Looked {
            file: String::from("tablet.json"),
            inspection,
            warnings: Vec::new(),
            again: UNNAMED.clone(),
        };
        compare(&[looked], options, &mut out).expect("memory takes everything");
        String::from_utf8(out).expect("reports are UTF-8")
    }

    fn in_their_places(text: &str) -> Result<(), String> {
        for line in text.lines().filter(|line| line.contains(bidi::turns)) {
            let cells: Vec<String> = line.chars().map(String::from).collect();
            let symbols: Vec<&str> = cells.iter().map(String::as_str).collect();
            let marks: Vec<usize> =
                (0..symbols.len()).filter(|at| symbols[*at] == bidi::MARK.to_string()).collect();
            // A value is the last in its line, behind its label, or all of a line that is set in by eight blanks.
            let label = line.split_once(": ").map_or(0, |(label, _)| label.chars().count() + 1);
            let value = line.starts_with("        ");
            let last = if value { 7 } else { label.max(marks.last().copied().unwrap_or(0)) };
            for base in bases().into_iter().filter(|base| base.is_some() || !value) {
                let order = order(&symbols, base, Moves::Characters);
                for stretch in moved(&order) {
                    let between = marks.windows(2).any(|two| two[0] < stretch.start && stretch.end <= two[1]);
                    if !between && stretch.start <= last {
                        return Err(format!("{base:?} {stretch:?} of {line}"));
                    }
                }
                let sides = |order: &[usize]| {
                    let mut sides: Vec<_> = order.iter().filter_map(|at| side(symbols[*at])).collect();
                    sides.dedup();
                    sides
                };
                let logical: Vec<usize> = (0..symbols.len()).collect();
                if sides(&logical) != sides(&order) {
                    return Err(format!("{base:?}: the sides change places in {line}"));
                }
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_text_of_every_report_stays_in_its_place((device, server) in texts()) {
            in_their_places(&told(&device, &server, Format::Human)).map_err(TestCaseError::fail)?;
            let json = told(&device, &server, Format::Json);
            prop_assert!(!json.contains(bidi::MARK), "programs read no marks");
        }
    }

    #[test]
    fn without_the_marks_texts_leave_their_places() {
        let texts = |text: &str| vec![text.to_owned(); 5];
        let text = told(&texts("ابت"), &texts("صضط"), Format::Human);
        assert_eq!(in_their_places(&text), Ok(()));
        assert!(in_their_places(&text.replace(bidi::MARK, "")).is_err());
    }
}
