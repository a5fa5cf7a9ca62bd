//! A device file in a folder of its own, a sandbox to hold it against, and the binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use unstick::domain::mutation::Millis;
use unstick::sandbox::fault::Script;
use unstick::sandbox::http::{Clock, Options, Running, Sandbox};
use unstick::sandbox::model::Model;
use unstick::sandbox::scenario::Scenario;

/// A token that is found again wherever it should not be.
pub const TOKEN: &str = "scopes:sync,bookmark,collection,note,reading_session,t0k3n-that-must-not-show";

/// One device and one server.
pub struct Bench {
    pub folder: TempDir,
    pub device: PathBuf,
    /// Where the conflict log lies.
    pub data: TempDir,
    pub server: Running,
    runtime: Runtime,
}

/// Now, ms.
pub fn now() -> Millis {
    unstick::session::Clock::System.now()
}

/// The binary, with nothing of this environment that could change what it does.
pub fn unstick(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unstick"));
    for name in ["UNSTICK_CLIENT_ID", "NO_COLOR", "XDG_CONFIG_HOME"] {
        command.env_remove(name);
    }
    // Nobody's own conflict log is added to, and none but a test's own is.
    command.env_remove("UNSTICK_LOG_URL").env("UNSTICK_DATA_DIR", env!("CARGO_TARGET_TMPDIR"));
    command.env("UNSTICK_TOKEN", TOKEN).args(arguments);
    command
}

/// What a run said, for messages.
pub fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl Bench {
    /// A scenario whose device has tried to sync and was refused.
    pub fn scenario(name: &str) -> Self {
        let mut opened = Scenario::by_name(name).expect("a scenario").open(now());
        assert!(opened.attempt(now()).is_err(), "the device is stuck");
        let text = opened.device_file();
        Self::new(opened.model, &text)
    }

    /// The same, with a server on which these things go wrong.
    pub fn faulty(name: &str, rules: &[&str]) -> Self {
        Self::faulty_at(name, rules, Options::default().clock)
    }

    /// The same, with a clock of one's own.
    pub fn faulty_at(name: &str, rules: &[&str], clock: Clock) -> Self {
        let mut opened = Scenario::by_name(name).expect("a scenario").open(now());
        assert!(opened.attempt(now()).is_err(), "the device is stuck");
        let text = opened.device_file();
        let faults = rules.iter().map(|rule| rule.parse().expect("a rule")).collect();
        Self::with(opened.model, &text, Options { faults, clock, ..Options::default() })
    }

    /// A server and a device file with this text.
    pub fn new(model: Model, text: &str) -> Self {
        Self::with(model, text, Options::default())
    }

    /// The same, with a server that does not always do as it should.
    pub fn with_faults(model: Model, text: &str, faults: Script) -> Self {
        Self::with(model, text, Options { faults, ..Options::default() })
    }

    fn with(model: Model, text: &str, options: Options) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = tempfile::tempdir().expect("a folder");
        let device = folder.path().join("device.json");
        std::fs::write(&device, text).expect("the device file is written");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let server = runtime.block_on(Sandbox::start(model, options)).expect("the sandbox starts");
        Self { folder, device, data, server, runtime }
    }

    /// Runs a command on the device against the server.
    pub fn run(&self, command: &str, more: &[&str]) -> Output {
        self.command(command, more).output().expect("the binary runs")
    }

    /// The same, not run yet.
    pub fn command(&self, command: &str, more: &[&str]) -> Command {
        let url = self.server.url();
        let device = self.device.to_str().expect("a path").to_owned();
        let mut arguments = vec![command, device.as_str(), "--server", url.as_str()];
        arguments.extend(more);
        let mut command = unstick(&arguments);
        command.env("UNSTICK_DATA_DIR", self.data.path());
        command
    }

    /// The exit code of a command on the device, with what it said where it is another than `expected`.
    pub fn expect(&self, expected: i32, command: &str, more: &[&str]) -> String {
        let output = self.run(command, more);
        assert_eq!(output.status.code(), Some(expected), "{command} {more:?}: {}", said(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    /// The device file as it is now.
    pub fn device(&self) -> Value {
        serde_json::from_str(&self.text()).expect("the device file is JSON")
    }

    /// Its text.
    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.device).expect("the device file is there")
    }

    /// How many requests of this method the server answered.
    pub fn requests(&self, method: &str) -> usize {
        self.server.log().iter().filter(|request| request.method == method).count()
    }

    /// Every file of the folder and its content.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        files(self.folder.path())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The sandbox's tasks end with their runtime.
        let _guard = self.runtime.enter();
    }
}

/// Every file of a folder and its content.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap_or_default())
        })
        .collect();
    files.sort();
    files
}
