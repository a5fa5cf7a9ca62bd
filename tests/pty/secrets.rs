//! A token that runs out on the screen: the prompt takes a fresh one, and shows and keeps none of it.

use unstick::domain::mutation::Millis;
use unstick::sandbox::http::{Options, Sandbox};
use unstick::sandbox::scenario::Scenario;

use super::terminal::Terminal;

const OLD: &str = "hunter2-that-ran-out";
const TYPED: &str = "hunter2-typed-blind";
const PASTED: &str = "hunter2-pasted-blind";

#[test]
fn a_fresh_token_is_typed_blind_and_is_nowhere_afterwards() {
    let now = unstick::session::Clock::System.now();
    let mut opened = Scenario::by_name("tablet-behind").expect("a scenario").open(now);
    assert!(opened.attempt(Millis(now.0)).is_err(), "the device is stuck");
    let folder = tempfile::tempdir().expect("a folder");
    let device = folder.path().join("tablet.json");
    std::fs::write(&device, opened.device_file()).expect("written");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let faults = ["get:1=401", "post:2=401"].map(|rule| rule.parse().expect("a rule")).into_iter().collect();
    let options = Options { faults, ..Options::default() };
    let sandbox = runtime.block_on(Sandbox::start(opened.model, options)).expect("the sandbox starts");
    let log = folder.path().join("unstick.log");
    let (device, log) = (device.to_string_lossy().into_owned(), log.to_string_lossy().into_owned());

    let url = sandbox.url();
    let arguments = ["open", &device, "--server", &url, "--log", &log];
    let mut terminal = Terminal::run_with(&arguments, 120, 36, &[("UNSTICK_TOKEN", OLD)]);
    terminal.see("401").see("nothing typed yet");
    terminal.keys(TYPED).see(&format!("{} characters typed", TYPED.len())).keys("\r");
    terminal.see("0 of 2 resolved").keys("2").see("client-wins");
    terminal.keys("p").see("nothing is sent yet").see("y send it").keys("y");
    terminal.see("nothing typed yet").keys(&format!("\u{1b}[200~{PASTED}\u{1b}[201~"));
    terminal.see(&format!("{} characters typed", PASTED.len())).keys("\r");
    terminal.see("The sync went through").keys("w").see("the report is in").keys("q");
    assert!(terminal.end().success(), "nothing is open");

    let log = std::fs::read_to_string(log).expect("the log");
    assert!(log.contains("status=401") && log.contains("end=\"done\""), "{log}");
    let raw = String::from_utf8_lossy(terminal.raw()).into_owned();
    let mut files: Vec<(String, String)> = vec![(String::from("the screen"), raw)];
    for entry in std::fs::read_dir(folder.path()).expect("the folder") {
        let path = entry.expect("an entry").path();
        let content = std::fs::read(&path).expect("a file");
        files.push((path.display().to_string(), String::from_utf8_lossy(&content).into_owned()));
    }
    for part in ["unstick.log", ".backup-", ".report-"] {
        assert!(files.iter().any(|(name, _)| name.contains(part)), "{part}");
    }
    for (name, content) in files {
        assert!(!content.contains("hunter2") && !content.contains("blind"), "{name}");
    }
    drop(runtime.enter());
}
