//! A text in the person's own editor, by way of a file in a private folder that is removed afterwards.

use std::fs;
use std::io::{self, Write as _};
use std::process::Command;

use tempfile::TempDir;

use super::signals;
use crate::child;
use crate::durable;
use crate::left_over;

/// How the folder of a text that is edited begins; the process behind it follows.
const PREFIX: &str = "unstick-edit-";

/// Runs `$VISUAL`, else `$EDITOR`, else `vi` on a private copy of `text`. Answers what was saved.
///
/// The terminal must have been given back before, and the caller's event stream dropped.
pub fn edit(text: &str) -> io::Result<String> {
    let folder = private_folder()?;
    let file = folder.path().join("text.txt");
    durable::private().write(true).create_new(true).open(&file)?.write_all(text.as_bytes())?;
    let command = ["VISUAL", "EDITOR"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.trim().is_empty())
        .unwrap_or_else(|| String::from("vi"));
    // The variable may hold arguments (`code --wait`), as a shell would read them.
    let script = format!("{command} \"$1\"");
    signals::outlive_keys()?;
    let mut shell = Command::new("sh");
    let status =
        child::without_secrets(&mut shell).args(["-c", script.as_str(), "sh"]).arg(&file).status()?;
    if !status.success() {
        return Err(io::Error::other(format!("the editor ended with {status}")));
    }
    fs::read_to_string(&file)
        .map_err(|error| io::Error::other(format!("what the editor saved cannot be read ({error})")))
}

/// A folder that only its owner can enter, so that what an editor leaves beside the text is private as well.
fn private_folder() -> io::Result<TempDir> {
    left_over::folder(PREFIX)
}

/// Removes the texts that killed runs left in the folder for temporary files.
pub fn sweep() {
    left_over::sweep(&std::env::temp_dir(), PREFIX, |_| true);
}
