//! The report's file: looked at before anything is sent, written when all is known. Only its owner can read it.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::mutation::Millis;
use crate::durable;
use crate::error::InputError;
use crate::journal::stamp;
use crate::report::account::Account;
use crate::report::push::Report;
use crate::report::redact::Values;

/// The form of a report, which the file's ending says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `.md` or `.markdown`: for people.
    Markdown,
    /// `.json`: for programs.
    Json,
}

impl Form {
    /// The form that the file's ending says; `None` where it is none of them.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "md" | "markdown" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A report that is wanted (`--report`, `--redact`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where.
    pub path: PathBuf,
    /// In which form.
    pub form: Form,
    /// Whether marks stand in the place of people's values.
    pub redact: bool,
    /// Whether a file that is there already may be replaced.
    pub force: bool,
}

impl Wanted {
    /// Markdown beside the device file, named after the moment.
    pub fn beside(device: &Path, now: Millis, redact: bool) -> Self {
        let without = if redact { "-without-values" } else { "" };
        let path = durable::beside(device, &format!(".report-{}{without}.md", stamp(now)));
        Self { path, form: Form::Markdown, redact, force: true }
    }
}

/// A file that can be written.
pub struct ReportFile {
    path: PathBuf,
    form: Form,
    values: Values,
}

impl ReportFile {
    /// Makes sure that the report can be written, before there is anything to report. Leaves nothing behind.
    ///
    /// # Errors
    /// A folder or a file that cannot be written to, or the device file itself.
    pub fn prepare(wanted: &Wanted, device: &Path) -> Result<Self, InputError> {
        let cannot = |source: io::Error| cannot_write(&wanted.path, source);
        let path = match fs::canonicalize(&wanted.path) {
            Ok(path) => {
                OpenOptions::new().write(true).open(&path).map_err(cannot)?;
                path
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => wanted.path.clone(),
            Err(error) => return Err(cannot(error)),
        };
        if fs::canonicalize(device).is_ok_and(|device| device == path) {
            return Err(InputError::Unsupported {
                file: wanted.path.display().to_string(),
                reason: String::from("is the device file"),
                next: String::from("Nothing was sent. Give --report another file"),
            });
        }
        if !wanted.force && fs::metadata(&path).is_ok_and(|there| there.len() > 0) {
            return Err(InputError::Unsupported {
                file: wanted.path.display().to_string(),
                reason: String::from("is there already"),
                next: String::from(
                    "Nothing was sent. Give --report another file, or add --force to replace it",
                ),
            });
        }
        durable::can_make(&path).map_err(cannot)?;
        let values = if wanted.redact { Values::redacted().map_err(cannot)? } else { Values::Plain };
        Ok(Self { path, form: wanted.form, values })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the report, whole or not at all.
    ///
    /// # Errors
    /// A file that can no longer be written to.
    pub fn write(&self, account: &Account) -> Result<(), InputError> {
        let mut text = Vec::new();
        let report = Report { account, values: &self.values };
        let written = match self.form {
            Form::Markdown => report.write_markdown(&mut text),
            Form::Json => report.write_json(&mut text),
        };
        written.and_then(|()| durable::replace_private(&self.path, &text)).map_err(|source| InputError::Io {
            what: "cannot write the report",
            path: self.path.clone(),
            source,
            next: "What was done stays done. Check that you may write there and that the disk is not full",
        })
    }
}

fn cannot_write(path: &Path, source: io::Error) -> InputError {
    InputError::Io {
        what: "cannot write the report",
        path: path.to_owned(),
        source,
        next: "Nothing was sent. Check --report: that the folder is there and that you may write to it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(path: PathBuf) -> Wanted {
        Wanted { path, form: Form::Json, redact: false, force: false }
    }

    #[test]
    fn the_ending_says_the_form() {
        for (name, form) in [
            ("a.md", Some(Form::Markdown)),
            ("a.b.MarkDown", Some(Form::Markdown)),
            ("a.JSON", Some(Form::Json)),
            ("a.txt", None),
            ("json", None),
            (".md", None),
        ] {
            assert_eq!(Form::of(Path::new(name)), form, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_told_beforehand_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let device = folder.path().join("device.json");
        fs::write(&device, "[]").expect("written");
        for bad in [folder.path().join("none/report.json"), folder.path().to_owned(), device.clone()] {
            let error = ReportFile::prepare(&wanted(bad.clone()), &device).err().map(|e| e.to_string());
            let error = error.unwrap_or_else(|| panic!("{}", bad.display()));
            assert!(error.contains("Nothing was sent") && error.contains("--report"), "{error}");
        }
        let there = folder.path().join("there.json");
        fs::write(&there, "somebody's").expect("written");
        let error = ReportFile::prepare(&wanted(there.clone()), &device).err().map(|e| e.to_string());
        assert!(error.is_some_and(|error| error.contains("--force")));
        assert!(ReportFile::prepare(&Wanted { force: true, ..wanted(there.clone()) }, &device).is_ok());
        assert_eq!(fs::read(&there).expect("there"), b"somebody's");
        fs::remove_file(there).expect("removed");
        assert!(ReportFile::prepare(&wanted(folder.path().join("report.json")), &device).is_ok());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
