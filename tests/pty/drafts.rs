//! Choices survive whatever ends the program, and the next one goes on with them.

use std::path::{Path, PathBuf};

use super::terminal::Terminal;

const DEVICE: &str = r#"{"device":{"id":"t"},"sync":{"lastMutationAt":100},"queue":[
  {"id":"q1","type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{"body":"written on the device"}},
  {"id":"q2","type":"UPDATE","resource":"COLLECTION","resourceId":"c1","data":{"name":"named on the device"}},
  {"id":"q3","type":"DELETE","resource":"NOTE","resourceId":"n3"}]}"#;

/// A device file, and recorded pulls of it.
struct Place {
    folder: tempfile::TempDir,
    device: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let device = folder.path().join("tablet.json");
        std::fs::write(&device, DEVICE).expect("written");
        Self { folder, device }
    }

    /// A pull whose collection is called so.
    fn pull(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{name}.pull.json"));
        let pull = format!(
            r#"{{"success":true,"data":{{"lastMutationAt":200,"page":1,"limit":1000,"hasMore":false,"mutations":[
            {{"type":"UPDATE","resource":"NOTE","resourceId":"n1","timestamp":150,"data":{{"body":"written on the web"}}}},
            {{"type":"UPDATE","resource":"COLLECTION","resourceId":"c1","timestamp":160,"data":{{"name":"{name}"}}}},
            {{"type":"UPDATE","resource":"NOTE","resourceId":"n3","timestamp":170,"data":{{"body":"still wanted"}}}}]}}}}"#
        );
        std::fs::write(&path, pull).expect("written");
        path
    }

    fn open(&self, pull: &Path) -> Terminal {
        let (device, pull) = (self.device.display().to_string(), pull.display().to_string());
        Terminal::run(&["open", &device, "--pull", &pull], 120, 36)
    }

    fn draft(&self) -> PathBuf {
        self.folder.path().join("tablet.json.unstick-draft")
    }

    /// Waits until the draft on the disk holds so many choices.
    fn holds(&self, choices: usize) {
        let begun = std::time::Instant::now();
        loop {
            let text = std::fs::read_to_string(self.draft()).unwrap_or_default();
            if text.matches("\"saw\"").count() == choices {
                return;
            }
            assert!(begun.elapsed().as_secs() < 30, "the draft holds {text}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

#[test]
fn a_hangup_and_a_kill_take_no_choice_away() {
    for signal in ["HUP", "TERM", "KILL"] {
        let place = Place::new();
        let pull = place.pull("named on the web");
        let mut terminal = place.open(&pull);
        terminal.see("0 of 3 resolved").keys("d").see("1 of 3 resolved").keys("1").see("3 of 3 resolved");
        if signal == "KILL" {
            place.holds(3);
        }
        terminal.ends_by(signal);
        let mut terminal = place.open(&pull);
        terminal.see("3 choices of an earlier session are kept").keys("y").see("3 of 3 resolved");
        // Who made them is known as well: the rule leaves what was chosen by hand.
        terminal.keys("2").see("1 choice by hand kept").keys("q").see("Choices are kept beside");
        terminal.keys("y").end();
        let text = std::fs::read_to_string(place.draft()).expect("the draft");
        assert_eq!(text.matches("\"by\": \"client-wins\"").count(), 2, "{signal}");
        let names = std::fs::read_dir(place.folder.path()).expect("a folder").count();
        assert_eq!(names, 3, "the device file, the pull and the draft: no lock stays");
    }
}

#[test]
fn against_another_head_what_changed_is_open_again() {
    let place = Place::new();
    let (before, after) = (place.pull("named on the web"), place.pull("named once more"));
    let mut terminal = place.open(&before);
    terminal.see("0 of 3 resolved").keys("2").see("3 of 3 resolved").ends_by("HUP");
    let mut terminal = place.open(&after);
    terminal.see("2 choices of an earlier session are kept").see("1 more is open again");
    terminal.keys("y").see("2 of 3 resolved").see("named once more").keys("q").see("2 choices were made");
}

#[test]
fn starting_anew_takes_nothing_away_until_something_is_chosen() {
    let place = Place::new();
    let pull = place.pull("named on the web");
    let mut terminal = place.open(&pull);
    terminal.see("0 of 3 resolved").keys("2").see("3 of 3 resolved").ends_by("HUP");
    let mut terminal = place.open(&pull);
    terminal.see("3 choices of an earlier session").keys("n").see("started anew").see("0 of 3 resolved");
    terminal.ends_by("HUP");
    place.holds(3);
    let mut terminal = place.open(&pull);
    terminal
        .see("3 choices of an earlier session")
        .keys("n")
        .see("started anew")
        .see("0 of 3 resolved")
        .keys("U")
        .see("3 of 3 resolved");
    terminal.ends_by("HUP");
    let mut terminal = place.open(&pull);
    terminal
        .see("3 choices of an earlier session")
        .keys("n")
        .see("started anew")
        .see("0 of 3 resolved")
        .keys("s")
        .see("1 of 3 resolved");
    terminal.ends_by("HUP");
    place.holds(1);
}

#[test]
fn what_is_no_draft_is_told_of_and_kept_aside() {
    for bytes in [
        &b"\xff\xfe"[..],
        b"",
        b"{}",
        b"{\"schema\":\"unstick.draft/1\",\"at\":1,\"server\":\"\",\"choices\":[[[[",
    ] {
        let place = Place::new();
        let pull = place.pull("named on the web");
        std::fs::write(place.draft(), bytes).expect("written");
        let mut terminal = place.open(&pull);
        terminal.see("What an earlier session chose").keys("\u{1b}").gone("What an earlier session chose");
        terminal.keys("d").see("1 of 3 resolved").ends_by("HUP");
        place.holds(1);
        let names =
            std::fs::read_dir(place.folder.path()).expect("a folder").map(|entry| entry.expect("an entry"));
        let aside = names.filter(|entry| entry.file_name().to_string_lossy().contains("-damaged-"));
        let aside: Vec<Vec<u8>> = aside.map(|entry| std::fs::read(entry.path()).expect("readable")).collect();
        assert_eq!(aside, [bytes]);
    }
}

#[test]
fn the_second_session_on_a_file_is_told_at_the_start() {
    let place = Place::new();
    let pull = place.pull("named on the web");
    let mut first = place.open(&pull);
    first.see("0 of 3 resolved");
    let mut second = place.open(&pull);
    second.see("Another unstick session").keys("\u{1b}").gone("Another unstick session");
    second.keys("2").see("3 of 3 resolved").keys("q").see("Choices are not kept here").keys("y").end();
    assert!(!place.draft().exists(), "the first one's place");
    first.keys("d").see("1 of 3 resolved").ends_by("HUP");
    place.holds(1);
}

#[test]
fn choices_saved_by_a_key_are_what_the_flag_takes() {
    let place = Place::new();
    let pull = place.pull("named on the web");
    let mut terminal = place.open(&pull);
    terminal.see("0 of 3 resolved").keys("2").see("3 of 3 resolved").keys("C").see("the choices are in");
    terminal.ends_by("HUP");
    let names = std::fs::read_dir(place.folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let saved: Vec<PathBuf> = names.filter(|path| path.to_string_lossy().contains(".choices-")).collect();
    let [saved] = saved.as_slice() else { panic!("{saved:?}") };
    let planned = std::process::Command::new(super::terminal::binary())
        .args(["plan", &place.device.display().to_string(), "--pull", &pull.display().to_string()])
        .args(["--choices", &saved.display().to_string(), "--format", "json"])
        .output()
        .expect("it runs");
    let plan = String::from_utf8(planned.stdout).expect("text");
    assert!(planned.status.success(), "nothing is open: {plan}");
    assert!(plan.contains("written on the device") && plan.contains("named on the device"));
}

#[test]
fn a_device_file_that_changed_is_read_again() {
    let place = Place::new();
    let pull = place.pull("named on the web");
    let mut terminal = place.open(&pull);
    terminal.see("0 of 3 resolved").keys("2").see("3 of 3 resolved");
    std::fs::write(&place.device, DEVICE.replace("named on the device", "named anew there"))
        .expect("written");
    terminal.keys("r").see("named anew there").see("3 of 3 resolved");
    terminal.ends_by("HUP");
    place.holds(3);
}

#[cfg(unix)]
#[test]
fn where_nothing_can_be_written_that_is_said_at_the_start() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let pull = place.pull("named on the web");
    let mode = |mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(place.folder.path(), mode).expect("a mode");
    };
    mode(0o500);
    // Root writes everywhere.
    let is_root = std::fs::write(place.folder.path().join("trial"), "").is_ok();
    let mut terminal = place.open(&pull);
    if !is_root {
        terminal.see("Choices are not kept here").keys("\u{1b}").gone("Copy it to a folder");
    }
    terminal.see("0 of 3 resolved").keys("d").see("1 of 3 resolved");
    mode(0o700);
}

#[test]
fn a_write_that_fails_after_one_that_went_through_is_told() {
    let place = Place::new();
    let pull = place.pull("named on the web");
    let mut terminal = place.open(&pull);
    terminal.see("0 of 3 resolved").keys("d").see("1 of 3 resolved");
    place.holds(1);
    std::fs::remove_dir_all(place.folder.path()).expect("the folder vanishes");
    terminal.keys("1").see("can no longer be kept");
    terminal.ends_by("TERM");
}
