//! What each strategy costs over weeks: many devices, the same edits under every strategy, the protocol's real rules.
//!
//! ```text
//! Settings ──> History of a user ──> World (model, phones; once for each strategy and interval) ──> Tally
//! ```
//!
//! Users know nothing of each other, so each is played by itself, on any thread, with chance of its own; what was counted
//! is added up in the order of the users. So the same seed gives the same numbers on every machine.

mod chance;
mod history;
mod phone;
mod settings;
mod tally;
mod world;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

pub use settings::{Act, Interval, Mix, Settings, Thousandths};
pub use tally::Tally;

use crate::domain::strategy::Strategy;
use history::History;
use world::{Beginning, Rules, play};

/// What a simulation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// What was simulated.
    pub settings: Settings,
    /// One for each interval, in the order of the settings.
    pub rows: Vec<AtInterval>,
}

/// The four strategies at one interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtInterval {
    /// Between two syncs of a device.
    pub interval: Interval,
    /// In the order of [`Strategy::ALL`].
    pub strategies: [Tally; 4],
}

/// How far a simulation is, for whoever watches it from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    stopped: AtomicBool,
}

impl Progress {
    /// How many of [`Settings::runs`] are done.
    pub fn runs(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Nobody waits for the answer any more.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// More threads than this are never begun.
const MAX_THREADS: usize = 256;

/// Simulates on so many threads. `None` where it was stopped.
///
/// # Errors
/// [`Settings::check`].
pub fn simulate(
    settings: &Settings,
    threads: usize,
    progress: &Progress,
) -> Result<Option<Simulation>, String> {
    settings.check()?;
    let beginning = Beginning::new(settings.resources);
    let next = AtomicU32::new(0);
    let work = || {
        let mut played: Vec<(u32, Vec<[Tally; 4]>)> = Vec::new();
        loop {
            let user = next.fetch_add(1, Ordering::Relaxed);
            if user >= settings.users || progress.is_stopped() {
                return played;
            }
            played.push((user, play_user(settings, &beginning, user, progress)));
        }
    };
    let mut played: Vec<(u32, Vec<[Tally; 4]>)> = std::thread::scope(|scope| {
        let threads = threads.min(settings.users as usize).clamp(1, MAX_THREADS);
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut played = work();
        for other in others {
            match other.join() {
                Ok(more) => played.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        played
    });
    if progress.is_stopped() {
        return Ok(None);
    }
    played.sort_by_key(|(user, _)| *user);
    let mut rows: Vec<AtInterval> = settings
        .intervals
        .iter()
        .map(|interval| AtInterval { interval: *interval, strategies: Default::default() })
        .collect();
    for (_, of_user) in &played {
        for (row, tallies) in rows.iter_mut().zip(of_user) {
            for (total, tally) in row.strategies.iter_mut().zip(tallies) {
                total.add(tally);
            }
        }
    }
    for tally in rows.iter_mut().flat_map(|row| &mut row.strategies) {
        tally.apart_s.sort_unstable();
    }
    Ok(Some(Simulation { settings: settings.clone(), rows }))
}

/// How many threads a simulation is worth: one a core.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn play_user(settings: &Settings, beginning: &Beginning, user: u32, progress: &Progress) -> Vec<[Tally; 4]> {
    let history = History::of_user(settings, user);
    let at = |interval: &Interval| {
        Strategy::ALL.map(|strategy| {
            let rules = Rules { strategy, interval: i64::from(interval.0) * 1000, bases: settings.bases };
            let tally = play(beginning, &history, rules, progress);
            progress.done.fetch_add(1, Ordering::Relaxed);
            tally
        })
    };
    settings.intervals.iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Settings {
        Settings {
            devices: 23,
            users: 9,
            days: 4,
            edits_per_day: Thousandths(4000),
            resources: 4,
            intervals: vec![Interval(3600), Interval(43_200)],
            ..Settings::default()
        }
    }

    fn run(settings: &Settings, threads: usize) -> Simulation {
        simulate(settings, threads, &Progress::default())
            .expect("it can be simulated")
            .expect("nobody stopped it")
    }

    #[test]
    fn threads_change_nothing_and_the_seed_everything() {
        let settings = small();
        let one = run(&settings, 1);
        for threads in [2, 3, 8, usize::MAX] {
            assert_eq!(run(&settings, threads), one, "{threads} threads");
        }
        assert_ne!(run(&Settings { seed: 2, ..settings }, 1).rows, one.rows);
    }

    #[test]
    fn what_is_stopped_says_nothing() {
        let progress = Progress::default();
        progress.stop();
        assert_eq!(simulate(&small(), 2, &progress), Ok(None));
    }

    /// A single user is much work, too: it is given up within it.
    #[test]
    fn a_user_is_stopped_in_the_middle() {
        let settings = small();
        let (beginning, history) = (Beginning::new(settings.resources), History::of_user(&settings, 0));
        let rules = Rules { strategy: Strategy::Merge, interval: 3_600_000, bases: false };
        let progress = Progress::default();
        progress.stop();
        assert_eq!(play(&beginning, &history, rules, &progress).syncs, 0);
    }

    #[test]
    fn every_run_is_counted() {
        let progress = Progress::default();
        let settings = small();
        assert!(simulate(&settings, 3, &progress).is_ok());
        assert_eq!((progress.runs(), settings.runs()), (9 * 2 * 4, 9 * 2 * 4));
    }

    #[test]
    fn what_cannot_be_simulated_is_refused() {
        let settings = Settings { devices: 0, ..Settings::default() };
        assert!(simulate(&settings, 1, &Progress::default()).is_err());
    }

    /// The edits are the same under every strategy and at every interval, but for those of resources that are gone.
    #[test]
    fn every_strategy_sees_the_same_edits() {
        let simulation =
            run(&Settings { mix: "note-text=1,position=1".parse().expect("a mix"), ..small() }, 2);
        for tally in simulation.rows.iter().flat_map(|row| &row.strategies) {
            assert_eq!((tally.edits, tally.impossible, tally.refused), (23 * 4 * 4, 0, 0));
        }
        let everything = run(&small(), 2);
        for tally in everything.rows.iter().flat_map(|row| &row.strategies) {
            assert_eq!((tally.edits + tally.impossible, tally.refused), (23 * 4 * 4, 0));
        }
    }
}
