//! How long it takes to load and inspect 100,000 queued against 100,000 server mutations (about 60 MB of JSON, 20%
//! paired, 5% diverged), and how much memory that needs.
//!
//! `cargo bench --bench inspect [-- COUNT]`. Each run is a process of its own, so that the peak is that of one load
//! and one inspection; the files lie in a temporary folder.

mod support;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use unstick::device::phone_database::Said;
use unstick::domain::inspect::inspect;

const RUNS: usize = 9;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.as_slice() {
        [one, device, pull] if one == "one" => run_once(Path::new(device), Path::new(pull)),
        [count] => run_all(count.parse().expect("a count")),
        [] => run_all(100_000),
        _ => panic!("usage: cargo bench --bench inspect [-- COUNT]"),
    }
}

fn run_all(count: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (device, pull) = (folder.path().join("device.json"), folder.path().join("pull.json"));
    std::fs::write(&device, support::device_file(count)).expect("the device file is written");
    std::fs::write(&pull, support::recorded_pull(count)).expect("the pull is written");
    let program = std::env::current_exe().expect("this program");
    let mut lines: Vec<(u128, u64, String)> = (0..RUNS)
        .map(|_| {
            let output = Command::new(&program).arg("one").arg(&device).arg(&pull).output().expect("it runs");
            let line = String::from_utf8(output.stdout).expect("text");
            let number =
                |at: usize| line.split(' ').nth(at).and_then(|n| n.parse::<u64>().ok()).expect("a number");
            (u128::from(number(0)), number(1), line.clone())
        })
        .collect();
    lines.sort_unstable();
    let (ms, _, line) = &lines[RUNS / 2];
    let peak = lines.iter().map(|(_, peak, _)| peak).max().expect("runs");
    println!(
        "load + inspect: median {ms} ms of {RUNS} runs, from {} to {} ms; peak {peak} MiB",
        lines[0].0,
        lines[RUNS - 1].0
    );
    println!("median run: {}", line.trim_end());
}

/// Prints milliseconds and peak MiB, then what took how long.
fn run_once(device: &Path, pull: &Path) {
    let begun = Instant::now();
    let (file, window) = unstick::session::load((device, &Said::default()), pull).expect("good input");
    let loaded = begun.elapsed();
    let device = file.shared();
    let inspection = inspect(device, Arc::new(window));
    let total = begun.elapsed();
    let summary = inspection.summary;
    println!(
        "{} {} (load {} ms, inspect {} ms; {summary:?})",
        total.as_millis(),
        peak_mib(),
        loaded.as_millis(),
        total.saturating_sub(loaded).as_millis()
    );
}

/// The highest resident size of this process, MiB; 0 where the system does not tell.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
