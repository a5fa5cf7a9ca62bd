//! Device files and the recorded pulls that go with them: nothing that either side says is lost on the way.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use unstick::device::DeviceFile;
use unstick::domain::inspect::{Inspection, Status, inspect};
use unstick::domain::mutation::{Cursor, Kind};
use unstick::server::recorded;

#[path = "../../benches/support/mod.rs"]
mod support;

fn inspected(name: &str) -> Inspection {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let file =
        DeviceFile::read(&folder.join(format!("{name}.json"))).unwrap_or_else(|error| panic!("{error}"));
    let pull = fs::read_to_string(folder.join(format!("{name}.pull.json"))).expect("a recorded pull");
    of(&file, pull)
}

fn of(file: &DeviceFile, pull: String) -> Inspection {
    let device = file.shared();
    let window = recorded(pull, "pull.json", device.sync.cursor).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(window.unreadable, []);
    assert_eq!(window.warnings, [""; 0]);
    inspect(device, Arc::new(window))
}

/// Every queue entry is in one pair, every server mutation in one pair or among those that are left out.
fn nothing_is_lost(inspection: &Inspection) {
    let mut queued: Vec<usize> = inspection.pairs.iter().flat_map(|pair| pair.device.clone()).collect();
    queued.sort_unstable();
    assert_eq!(queued, (0..inspection.device.queue.len()).collect::<Vec<_>>());

    let paired = inspection.pairs.iter().flat_map(|pair| pair.server.clone());
    let mut served: Vec<usize> =
        paired.chain(inspection.ignored.clone()).chain(inspection.unidentified.clone()).collect();
    served.sort_unstable();
    assert_eq!(served, (0..inspection.window.mutations.len()).collect::<Vec<_>>());
}

#[test]
fn the_sample_phone_and_its_pull() {
    let inspection = inspected("device-sample");
    nothing_is_lost(&inspection);
    assert_eq!((inspection.device.queue.len(), inspection.window.mutations.len()), (23, 12));
    assert_eq!(inspection.window.head, Cursor::read(1_770_050_000_012));
}

#[test]
fn every_kind_and_its_pull() {
    let inspection = inspected("every-kind");
    nothing_is_lost(&inspection);
    assert_eq!((inspection.device.queue.len(), inspection.window.mutations.len()), (19, 17));
    let times: Vec<i64> = inspection.window.mutations.iter().map(|mutation| mutation.timestamp.0).collect();
    assert_eq!(times, (1_770_050_000_001..=1_770_050_000_017).collect::<Vec<_>>());
    let unknown =
        inspection.window.mutations.iter().filter(|mutation| matches!(mutation.kind, Kind::Other(_)));
    assert_eq!(unknown.count(), 2);
}

#[test]
fn the_benches_pull_goes_with_its_device_file() {
    const COUNT: usize = 2000;
    let file =
        DeviceFile::from_text("bench", support::device_file(COUNT)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(file.warnings(), []);
    let (text, pull) = (file.text().len(), support::recorded_pull(COUNT));
    assert!((250..400).contains(&(text / COUNT)) && (250..400).contains(&(pull.len() / COUNT)));
    let inspection = of(&file, pull);
    nothing_is_lost(&inspection);
    let both = inspection.pairs.iter().filter(|pair| !pair.device.is_empty() && !pair.server.is_empty());
    assert_eq!(both.count(), COUNT / 5);
    let diverged = inspection.pairs.iter().filter(|pair| pair.status == Status::Diverged);
    assert_eq!(diverged.count(), COUNT / 20);
}
