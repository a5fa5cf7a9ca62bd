//! Folders for temporary files that name their process, so that what a killed one left can be told and removed.

use std::path::Path;
use std::{fs, io, process};

use tempfile::TempDir;

/// A private folder of this process under this prefix.
///
/// # Errors
/// A folder for temporary files that cannot be written to.
pub fn folder(prefix: &str) -> io::Result<TempDir> {
    let name = format!("{prefix}{}-", process::id());
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.prefix(&name).tempdir()
}

/// Removes what processes left that were killed: folders of this user under `prefix` whose process is gone, as far as
/// `may_go` says so of one.
pub fn sweep(temporary: &Path, prefix: &str, may_go: impl Fn(&Path) -> bool) {
    let Ok(entries) = fs::read_dir(temporary) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(prefix)?.split_once('-')?.0.parse().ok());
        // A link is none of ours, whatever it is called.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if pid.is_some_and(is_gone) && is_folder && may_go(&entry.path()) {
            // Somebody else's is refused by the system.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(unix)]
fn is_gone(pid: i32) -> bool {
    let Some(pid) = rustix::process::Pid::from_raw(pid) else { return false };
    rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
}

#[cfg(not(unix))]
const fn is_gone(_: i32) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_swept_and_what_a_living_one_uses_stays() {
        let temporary = tempfile::tempdir().expect("a folder");
        let mut child = process::Command::new("true").spawn().expect("it runs");
        let gone = child.id();
        child.wait().expect("it ended");
        let named = |prefix: &str, pid| temporary.path().join(format!("{prefix}{pid}-x"));
        let folders = [
            (named("unstick-edit-", gone), false),
            (named("unstick-edit-", process::id()), true),
            (named("unstick-other-", gone), true),
        ];
        for (folder, _) in &folders {
            fs::create_dir(folder).expect("made");
            fs::write(folder.join("text.txt"), "private").expect("written");
        }
        sweep(temporary.path(), "unstick-edit-", |_| true);
        for (folder, stays) in folders {
            assert_eq!(folder.exists(), stays, "{}", folder.display());
        }
    }
}
