//! A text in the person's own editor, by way of a private file that is removed afterwards.

use std::io::{self, Write as _};
use std::process::Command;

use super::signals;

/// Runs `$VISUAL`, else `$EDITOR`, else `vi` on a private copy of `text`. Answers what was saved.
///
/// The terminal must have been given back before, and the caller's event stream dropped.
pub fn edit(text: &str) -> io::Result<String> {
    // tempfile creates it with mode 0600: the text is private.
    let mut file = tempfile::Builder::new().prefix("unstick-").suffix(".txt").tempfile()?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    let command = ["VISUAL", "EDITOR"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.trim().is_empty())
        .unwrap_or_else(|| String::from("vi"));
    // The variable may hold arguments (`code --wait`), as a shell would read them.
    let script = format!("{command} \"$1\"");
    signals::outlive_keys()?;
    let status = Command::new("sh").args(["-c", script.as_str(), "sh"]).arg(file.path()).status()?;
    if !status.success() {
        return Err(io::Error::other(format!("the editor ended with {status}")));
    }
    std::fs::read_to_string(file.path())
        .map_err(|error| io::Error::other(format!("what the editor saved cannot be read ({error})")))
}
