//! A scenario of the sandbox as a device that is stuck: the server on a free loopback port, the device file in a
//! folder of its own, the device's own attempt to sync behind it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use secrecy::SecretString;
use tempfile::TempDir;

use crate::device::DeviceFile;
use crate::device::phone_database::PREFERENCES_FILE;
use crate::error::InputError;
use crate::left_over;
use crate::sandbox::http::{Options, Running, Sandbox};
use crate::sandbox::phone;
use crate::sandbox::scenario::Scenario;
use crate::server::{Client, Endpoint, Token};
use crate::session::Clock;

/// A scenario that is running.
pub struct Demo {
    /// The server; it stops when this is dropped.
    pub sandbox: Running,
    /// Where the device file lies.
    pub folder: Folder,
    /// The device file.
    pub file: DeviceFile,
    /// The client that speaks to the server.
    pub client: Client,
}

/// Starts a scenario. The device tries to sync first, so that the 409 it carries is one that the server gave.
///
/// # Errors
/// When the port, the folder or the file cannot be had.
pub async fn start(scenario: &Scenario, clock: Clock) -> Result<Demo, InputError> {
    let now = clock.now();
    let mut opened = scenario.open(now);
    // What the server answered stands in the device file by now; a success would stand there as well.
    let _ = opened.attempt(now);
    sweep(&std::env::temp_dir());
    let folder = Folder::new().map_err(cannot("make a folder for"))?;
    let path = folder.0.path().join(format!("{}.json", scenario.name));
    let file = if scenario.is_phone() {
        let device = DeviceFile::from_text(scenario.name, opened.device_file())?;
        let path = phone::written(folder.0.path(), device.device()).map_err(cannot("write"))?;
        DeviceFile::read(&path)?
    } else {
        std::fs::write(&path, opened.device_file()).map_err(cannot("write"))?;
        DeviceFile::read(&path)?
    };
    let sandbox =
        Sandbox::start(opened.model, Options::default()).await.map_err(cannot("open a loopback port for"))?;
    let endpoint = Endpoint::parse(&sandbox.url())?;
    // The sandbox takes any token.
    let token = Token::read(&SecretString::from("demo"), "the demo")?;
    let client_id = file.device().identity.id.clone().unwrap_or_else(|| String::from("demo"));
    let client = Client::new(endpoint, &token, &client_id)?;
    Ok(Demo { sandbox, folder, file, client })
}

/// How the folder of a demo begins; the process behind it follows, so that what a killed one left can be told.
const PREFIX: &str = "unstick-demo-";

/// A demo's folder: it goes with the demo, unless somebody wrote something of their own into it.
pub struct Folder(TempDir);

impl Folder {
    fn new() -> io::Result<Self> {
        left_over::folder(PREFIX).map(Self)
    }

    /// Removes the folder. Answers where it is where it stays, since a report or saved choices lie in it.
    pub fn leave(self) -> Option<PathBuf> {
        if holds_only_its_own(self.0.path()) {
            // What cannot be removed now is swept by the next demo.
            let _ = self.0.close();
            None
        } else {
            Some(self.0.keep())
        }
    }
}

/// Whether nothing lies there but the device file and what is written beside it on the way: journal, draft, backup.
fn holds_only_its_own(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names = names.collect::<Vec<_>>().into_iter();
    names.all(|name| {
        if name == "quran.db" || name == PREFERENCES_FILE {
            return true;
        }
        let beside = name.split_once(".json").map(|(_, rest)| rest.to_owned());
        let hidden = name.starts_with('.');
        hidden
            || beside.is_some_and(|rest| {
                rest.is_empty() || rest.starts_with(".backup-") || rest.starts_with(".unstick-")
            })
    })
}

/// Removes what demos left that were killed: folders of this user under the demo's name whose process is gone.
fn sweep(temporary: &Path) {
    left_over::sweep(temporary, PREFIX, holds_only_its_own);
}

fn cannot(what: &'static str) -> impl Fn(io::Error) -> InputError {
    move |source| InputError::Io {
        what,
        path: PathBuf::from("the demo"),
        source,
        next: "Check the temporary folder (TMPDIR)",
    }
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    #[test]
    fn what_a_killed_demo_left_is_swept_and_nothing_else() {
        let temporary = tempfile::tempdir().expect("a folder");
        let mut child = process::Command::new("true").spawn().expect("it runs");
        let gone = child.id();
        child.wait().expect("it ends");
        let folder = |name: String, files: &[&str]| {
            let path = temporary.path().join(name);
            fs::create_dir(&path).expect("a folder");
            for file in files {
                fs::write(path.join(file), "{}").expect("a file");
            }
            path
        };
        let own = ["big-queue.json", "big-queue.json.unstick-lock", "big-queue.json.backup-20260101T000000Z"];
        let left = folder(format!("{PREFIX}{gone}-a"), &own);
        let with_a_report = folder(format!("{PREFIX}{gone}-b"), &["big-queue.json", "report.md"]);
        let running = folder(format!("{PREFIX}{}-c", process::id()), &own);
        let nobodys = folder(format!("{PREFIX}x"), &own);
        let other = folder(format!("other-{gone}-d"), &own);
        sweep(temporary.path());
        let there: Vec<bool> =
            [&left, &with_a_report, &running, &nobodys, &other].map(|path| path.exists()).into();
        assert_eq!(there, [false, true, true, true, true]);
    }

    #[test]
    fn a_demo_takes_its_folder_with_it_unless_somebody_wrote_there() {
        let folder = Folder::new().expect("a folder");
        let path = folder.0.path().to_owned();
        fs::write(path.join("first-sync.json"), "{}").expect("a file");
        assert_eq!((folder.leave(), path.exists()), (None, false));
        let folder = Folder::new().expect("a folder");
        let path = folder.0.path().to_owned();
        fs::write(path.join("first-sync.json.choices-20260101T000000Z.json"), "{}").expect("a file");
        assert_eq!(folder.leave(), Some(path.clone()));
        fs::remove_dir_all(path).expect("it goes");
    }
}
