//! 1,000 devices for 30 days under four strategies: `cargo bench --bench simulate`. On two cores it is to take less than
//! 5 s; a third of it is one interval, as `unstick simulate --interval 4h` runs it.

use std::time::{Duration, Instant};

use unstick::simulate::{Progress, Settings, cores, simulate};

const LIMIT: Duration = Duration::from_secs(5);

fn main() {
    let settings = Settings::default();
    assert_eq!((settings.devices, settings.days), (1000, 30));
    let threads = cores();
    let begun = Instant::now();
    let simulation =
        simulate(&settings, threads, &Progress::default()).expect("the default can be simulated");
    let took = begun.elapsed();
    let edits: u64 =
        simulation.iter().flat_map(|s| &s.rows).flat_map(|row| &row.strategies).map(|t| t.edits).sum();
    println!(
        "{} devices, {} users, {} days, {} intervals, {edits} edits in all, {threads} threads: {:.2} s",
        settings.devices,
        settings.users,
        settings.days,
        settings.intervals.len(),
        took.as_secs_f64()
    );
    assert!(took < LIMIT || threads < 2, "it took longer than {LIMIT:?}");
}
