//! How long the conflict log takes to answer when it holds a million rows, of 200 devices over two years.
//!
//! `cargo bench --bench log [-- ROWS]`. The log lies in a temporary folder.

use std::time::{Duration, Instant};

use unstick::conflict_log::event::{Event, What, stable_id};
use unstick::conflict_log::local::Local;
use unstick::conflict_log::summary::Filter;

const RUNS: usize = 9;
const BATCH: u64 = 10_000;
const DAYS: u64 = 730;
const DAY_MS: u64 = 86_400_000;
/// The most that an answer may take.
const LIMIT: Duration = Duration::from_millis(300);

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let rows: u64 = arguments.next().map_or(1_000_000, |count| count.parse().expect("a count"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("log.sqlite3");
    let mut log = Local::open(&path).expect("a log");
    let begun = Instant::now();
    for first in (0..rows).step_by(BATCH as usize) {
        let events: Vec<Event> = (first..rows.min(first + BATCH)).map(|row| event(row, rows)).collect();
        log.append(&events).expect("written");
    }
    let bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
    println!("{rows} rows written in {:.1} s, {} MB", begun.elapsed().as_secs_f64(), bytes / 1_000_000);
    drop(log);

    let since = (DAYS / 2) as i64;
    let all = Filter { since: None, device: None, demos: false };
    let questions = [
        ("everything", all.clone()),
        ("the second year", Filter { since: Some(since), ..all.clone() }),
        ("one device", Filter { device: Some(String::from("device-7")), ..all.clone() }),
        (
            "one device in the second year",
            Filter { since: Some(since), device: Some(String::from("device-7")), ..all },
        ),
    ];
    let mut slow = false;
    for (name, filter) in questions {
        let mut times: Vec<Duration> = (0..RUNS)
            .map(|_| {
                let begun = Instant::now();
                let summary =
                    Local::existing(&path).and_then(|log| log.summary(&filter, 80)).expect("an answer");
                assert!(summary.conflicts > 0 && summary.median_ms.is_some() && summary.advice.is_some());
                begun.elapsed()
            })
            .collect();
        times.sort_unstable();
        let (median, worst) = (times[RUNS / 2], times[RUNS - 1]);
        println!("{name}: {} ms in the median, {} ms at most", median.as_millis(), worst.as_millis());
        slow |= median > LIMIT;
    }
    assert!(!slow, "an answer takes more than {} ms", LIMIT.as_millis());
}

/// Conflicts and, for four of five of them, what settled them; a push now and then.
fn event(row: u64, rows: u64) -> Event {
    // Well spread, and the same in every run.
    let chance = |salt: u64| (row / 2).wrapping_add(salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    let id = |row: u64| stable_id(&["row", &row.to_string()]);
    let kinds = ["NOTE", "BOOKMARK", "COLLECTION", "COLLECTION_BOOKMARK", "READING_SESSION"];
    let at = (row / 2) * (DAYS * DAY_MS) / (rows / 2).max(1);
    let event = Event {
        id: id(row),
        at: at as i64,
        device: format!("device-{}", chance(1) % 200),
        server: String::from("pre-live"),
        kind: Some(kinds[chance(2) as usize % kinds.len()].to_owned()),
        shape: Some(String::from(if chance(3).is_multiple_of(7) {
            "update/delete"
        } else {
            "update/update"
        })),
        ..Event::default()
    };
    match (row % 2, row % 10) {
        (0, _) => Event {
            what: What::Conflict,
            causes: Some(String::from("another-device-synced concurrent-mutations")),
            gap_ms: Some((chance(4) % (10 * DAY_MS)) as i64),
            ..event
        },
        (_, 9) => {
            Event { what: What::Push, posts: Some(3), refused: Some(i64::from(chance(5) % 5 == 0)), ..event }
        }
        (_, _) => Event {
            what: What::Resolution,
            at: event.at + (chance(6) % DAY_MS) as i64,
            conflict: Some(id(row - 1)),
            choice: Some(String::from(if chance(7).is_multiple_of(3) { "server" } else { "device" })),
            strategy: Some(String::from("hand")),
            ..event
        },
    }
}
