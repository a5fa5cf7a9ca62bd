//! Keys that nobody meant for this window: pasted text without brackets, sequences that a slow line splits, keys while
//! nothing is drawn. Nothing of it sends, and nothing of it settles more than a field.

use tempfile::TempDir;
use tokio::runtime::Runtime;
use unstick::sandbox::http::{Options, Running, Sandbox};
use unstick::sandbox::scenario::Scenario;

use super::terminal::Terminal;

const ESCAPE: &str = "\u{1b}";

/// A stuck tablet on a terminal, and the server that it is held against.
struct Stuck {
    terminal: Terminal,
    server: Running,
    device: String,
    _folder: TempDir,
    _runtime: Runtime,
}

impl Stuck {
    fn open() -> Self {
        let now = unstick::session::Clock::System.now();
        let opened = Scenario::by_name("tablet-behind").expect("a scenario").open(now);
        let folder = tempfile::tempdir().expect("a folder");
        let device = folder.path().join("tablet.json");
        std::fs::write(&device, opened.device_file()).expect("written");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let server = runtime.block_on(Sandbox::start(opened.model, Options::default())).expect("it starts");
        let device = device.to_string_lossy().into_owned();
        let url = server.url();
        let arguments = ["open", &device, "--server", &url];
        let mut terminal = Terminal::run_with(&arguments, 120, 36, &[("UNSTICK_TOKEN", "any")]);
        terminal.see("0 of 2 resolved");
        Self { terminal, server, device, _folder: folder, _runtime: runtime }
    }

    fn posts(&self) -> usize {
        self.server.log().iter().filter(|request| request.method == "POST").count()
    }

    /// Nothing was sent, and nothing was settled.
    fn untouched(mut self) {
        self.terminal.see("0 of 2 resolved");
        assert_eq!(self.posts(), 0);
        let file = std::fs::read_to_string(&self.device).expect("the file");
        let file: serde_json::Value = serde_json::from_str(&file).expect("JSON");
        assert!(file["queue"].as_array().is_some_and(|queue| !queue.is_empty()));
    }
}

/// Long enough for whatever a key set going, and for what confirms to be heard.
const PERSON_MS: u64 = 500;

#[test]
fn text_in_the_wrong_window_sends_nothing() {
    for text in ["copy", "2copy", "1py", "2p\ry", "A\rpy", "vapy"] {
        let mut stuck = Stuck::open();
        // It was all heard when the key after it is.
        stuck.terminal.slowly(&[text, "", "z"], PERSON_MS).see("0 of 2 resolved");
        stuck.terminal.slowly(&[ESCAPE, ESCAPE, "z"], PERSON_MS).see("no key of this screen");
        stuck.untouched();
    }
}

#[test]
fn text_that_comes_in_pieces_sends_nothing() {
    for pieces in [["2co", "py"], ["co", "2copy"], ["A\r", "py"]] {
        let mut stuck = Stuck::open();
        stuck.terminal.slowly(&pieces, 5);
        stuck.terminal.slowly(&["", ESCAPE, "z"], PERSON_MS).see("no key of this screen");
        stuck.untouched();
    }
}

#[test]
fn a_sequence_that_a_slow_line_splits_is_no_keys() {
    let mut stuck = Stuck::open();
    for sequence in ["[1~", "[4~", "[24~", "[1;2C", "OS", "[<0;12;4M", "[<35;41;2m", "[M !\""] {
        for gap in [1, 30, 150] {
            stuck.terminal.slowly(&[ESCAPE, sequence], gap);
            stuck.terminal.slowly(&[""], PERSON_MS);
        }
        let pieces: Vec<String> = sequence.chars().map(String::from).collect();
        let mut pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        pieces.insert(0, ESCAPE);
        stuck.terminal.slowly(&pieces, 25);
    }
    stuck.terminal.slowly(&["", "z"], PERSON_MS).see("no key of this screen");
    stuck.untouched();
}

#[test]
fn nothing_acts_on_a_terminal_that_shows_nothing() {
    for (columns, rows) in [(0, 0), (10, 3)] {
        let mut stuck = Stuck::open();
        stuck.terminal.squeeze(columns, rows);
        stuck.terminal.slowly(&["", "2", "p", "y", "y", "2copy"], PERSON_MS);
        stuck.terminal.resize(119, 36).slowly(&["", "z"], PERSON_MS).see("no key of this screen");
        stuck.untouched();
    }
}

#[test]
fn a_person_who_reads_still_sends() {
    let mut stuck = Stuck::open();
    stuck.terminal.keys("2").see("client-wins");
    stuck.terminal.slowly(&["p", "y"], PERSON_MS).see("The sync went through");
    assert!(stuck.posts() > 0);
    stuck.terminal.keys("q").end();
}

#[test]
fn who_confirms_faster_than_anybody_reads_is_asked_to_read() {
    let mut stuck = Stuck::open();
    stuck.terminal.keys("2").see("client-wins");
    stuck.terminal.slowly(&["p", "y"], 60).see("read it first").see("y send it");
    assert_eq!(stuck.posts(), 0);
    stuck.terminal.keys("y").see("The sync went through");
}
