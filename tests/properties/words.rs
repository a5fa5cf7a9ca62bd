//! What is said of any world: each figure the same wherever it stands, each count in agreement with its noun, and no
//! key of the screen where there is no screen.

use proptest::prelude::*;
use unstick::domain::again::UNNAMED;
use unstick::domain::compare::compare;
use unstick::domain::inspect::Inspection;
use unstick::domain::json::Json;
use unstick::domain::ledger;
use unstick::domain::mutation::{Millis, Side};
use unstick::domain::plan::plan;
use unstick::domain::resolution::Resolution;
use unstick::domain::strategy::{self, Strategy};
use unstick::headless::{self, Decision, Format, Looked, Options};
use unstick::report::style::Style;

use super::worlds::{cases, world};

const NOW: Millis = Millis(1_790_000_000_000);
/// Nouns that are counted somewhere.
const NOUNS: [&str; 17] = [
    "mutation",
    "POST",
    "pull",
    "resource",
    "more resource",
    "field",
    "change",
    "value",
    "device",
    "divergence",
    "winner",
    "request",
    "server mutation",
    "note",
    "word",
    "queue entry",
    "entry",
];

fn options(format: Format) -> Options<'static> {
    Options { format, style: Style::PLAIN, all: true, now: NOW, again: &UNNAMED }
}

fn planned(inspection: &Inspection, strategy: Strategy, format: Format) -> String {
    let mut out = Vec::new();
    headless::plan(inspection, &[], Decision::Strategy(strategy), options(format), &mut out)
        .expect("memory takes everything");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// Everything that is told to people of an inspection.
fn told(inspection: &Inspection) -> Vec<String> {
    let mut texts: Vec<String> =
        Strategy::ALL.map(|strategy| planned(inspection, strategy, Format::Human)).to_vec();
    let mut out = Vec::new();
    headless::inspect(inspection, &[], options(Format::Human), &mut out).expect("memory takes everything");
    texts.push(String::from_utf8(out).expect("reports are UTF-8"));
    let mut out = Vec::new();
    let looked = Looked {
        file: String::from("device.json"),
        inspection: inspection.clone(),
        warnings: Vec::new(),
        again: UNNAMED.clone(),
    };
    headless::compare(&[looked], options(Format::Human), &mut out).expect("memory takes everything");
    texts.push(String::from_utf8(out).expect("reports are UTF-8"));
    texts
}

/// The first place where a count and its noun do not agree.
fn disagreement(text: &str) -> Option<String> {
    text.lines().find_map(disagreement_in)
}

fn disagreement_in(line: &str) -> Option<String> {
    let trimmed = |word: &'_ str| word.trim_matches([',', '.', ':', ';', '(', ')']).to_owned();
    let words: Vec<String> = line.split_whitespace().map(trimmed).collect();
    let plural = |noun: &str| match noun.strip_suffix("ry") {
        Some(stem) => format!("{stem}ries"),
        None => format!("{noun}s"),
    };
    // A number that ends a clause counts nothing.
    for (at, word) in line.split_whitespace().enumerate() {
        let Ok(number) = word.trim_start_matches('(').parse::<u64>() else { continue };
        for noun in NOUNS {
            let wrong = if number == 1 { plural(noun) } else { noun.to_owned() };
            let length = wrong.split(' ').count();
            if words.get(at + 1..at + 1 + length).unwrap_or_default().join(" ") == wrong {
                return Some(format!("{number} {wrong}"));
            }
        }
    }
    None
}

#[test]
fn a_wrong_count_is_seen() {
    assert_eq!(disagreement("it took 1 POSTs."), Some(String::from("1 POSTs")));
    assert_eq!(disagreement("2 queue entry"), Some(String::from("2 queue entry")));
    assert_eq!(disagreement("0 mutation, 1 field"), Some(String::from("0 mutation")));
    assert_eq!(disagreement("1 mutation in 2 POSTs, 0 values"), None);
}

proptest! {
    #![proptest_config(cases(96))]

    /// What `compare` calls lost under a strategy is what the plan's ledger lists under it, line by line, in the report
    /// for programs and in the one for people.
    #[test]
    fn compare_counts_the_lines_of_the_ledger(world in world()) {
        let inspection = world.inspection();
        let comparison = compare(&inspection, &Resolution::default(), NOW);
        for strategy in Strategy::ALL {
            let mut resolution = Resolution::default();
            resolution.choose(
                strategy.name(),
                strategy::choices_for_all(&inspection, &Resolution::default(), strategy, |_| true),
            );
            let plan = plan(&inspection, &resolution, NOW);
            let totals = comparison.column(strategy).totals;
            for (side, counted) in [(Side::Device, totals.lost_device), (Side::Server, totals.lost_server)] {
                prop_assert_eq!(ledger::count(&plan.ledger, side), counted, "{} {}", strategy, side.name());
            }
            // As this program reads JSON: a world's numbers go beyond what others hold.
            let json = Json::parse(&planned(&inspection, strategy, Format::Json));
            let listed = match json.as_object().and_then(|members| members.get("ledger")) {
                Some(Json::Array(lines)) => Some(lines.len()),
                _ => None,
            };
            prop_assert_eq!(listed, Some(totals.lost()));
            let human = planned(&inspection, strategy, Format::Human);
            let said = match totals.lost() {
                0 => String::from("Would be lost: nothing\n"),
                1 => String::from("Would be lost: 1 change\n"),
                many => format!("Would be lost: {many} changes\n"),
            };
            prop_assert!(human.contains(&said), "{said}");
        }
    }

    /// Every loss is a line or stands under one, and a line is never under another.
    #[test]
    fn every_loss_stands_in_the_ledger_once(world in world()) {
        let inspection = world.inspection();
        for strategy in Strategy::ALL {
            let mut resolution = Resolution::default();
            resolution.choose(
                strategy.name(),
                strategy::choices_for_all(&inspection, &Resolution::default(), strategy, |_| true),
            );
            let plan = plan(&inspection, &resolution, NOW);
            let lines = ledger::lines(&plan.ledger);
            let mut seen: Vec<usize> =
                lines.iter().flat_map(|line| std::iter::once(line.at).chain(line.under.iter().copied())).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..plan.ledger.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn counts_agree_with_their_nouns(world in world()) {
        for text in told(&world.inspection()) {
            prop_assert_eq!(disagreement(&text), None, "{}", text);
        }
    }

    /// Without a screen there are no keys to name.
    #[test]
    fn no_key_is_named_where_there_is_no_screen(world in world()) {
        for text in told(&world.inspection()) {
            for key in ["Enter ", "Esc ", " p previews", "; s drops", " · u undoes", "f fixes"] {
                prop_assert!(!text.contains(key), "{key}: {text}");
            }
        }
    }
}
