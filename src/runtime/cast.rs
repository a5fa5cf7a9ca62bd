//! What is drawn, also written to a file as an asciicast v2 (`demo --record`): a line for each frame, with the
//! seconds since the beginning.

use std::fs::File;
use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::json;

use crate::durable;

/// A recording under way.
#[derive(Clone)]
pub struct Cast(Arc<Mutex<Inner>>);

struct Inner {
    file: BufWriter<File>,
    begun: Instant,
    frame: Vec<u8>,
    failed: Option<io::Error>,
}

impl Cast {
    /// A recording in a new file, of a terminal of this size.
    ///
    /// # Errors
    /// A file that is there already or cannot be made.
    pub fn new(path: &Path, (width, height): (u16, u16)) -> io::Result<Self> {
        let mut file = BufWriter::new(durable::private().write(true).create_new(true).open(path)?);
        writeln!(file, "{}", json!({"version": 2, "width": width, "height": height}))?;
        // A player begins with a cursor that the program hides.
        writeln!(file, "{}", json!([0.0, "o", "\u{1b}[?25l"]))?;
        Ok(Self(Arc::new(Mutex::new(Inner { file, begun: Instant::now(), frame: Vec::new(), failed: None }))))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// What went wrong first, also earlier: a recording must not stop what it records.
    pub fn finish(&self) -> io::Result<()> {
        self.with(|inner| {
            inner.end_frame();
            match inner.failed.take() {
                Some(error) => Err(error),
                None => inner.file.flush(),
            }
        })
    }
}

impl Inner {
    fn end_frame(&mut self) {
        if self.frame.is_empty() {
            return;
        }
        let seconds = (self.begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        let line = json!([seconds, "o", String::from_utf8_lossy(&self.frame)]);
        self.frame.clear();
        if let Err(error) = writeln!(self.file, "{line}") {
            self.failed.get_or_insert(error);
        }
    }
}

/// The terminal, and the recording where there is one.
pub struct Output {
    out: Stdout,
    cast: Option<Cast>,
}

impl Output {
    /// The terminal's output.
    pub fn new(cast: Option<Cast>) -> Self {
        Self { out: io::stdout(), cast }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        if let Some(cast) = &self.cast {
            cast.with(|inner| inner.frame.extend_from_slice(bytes.get(..written).unwrap_or(bytes)));
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(cast) = &self.cast {
            cast.with(Inner::end_frame);
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_a_header_and_a_line_a_frame() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("demo.cast");
        let cast = Cast::new(&path, (120, 36)).expect("a recording");
        for frame in ["\u{1b}[1mصبر\u{1b}[0m", "second"] {
            cast.with(|inner| inner.frame.extend_from_slice(frame.as_bytes()));
            cast.with(Inner::end_frame);
        }
        cast.with(Inner::end_frame);
        cast.finish().expect("it is written");
        let text = std::fs::read_to_string(&path).expect("the recording");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "a recording shows notes");
        }
        assert_eq!(lines[0], json!({"version": 2, "width": 120, "height": 36}));
        assert_eq!(lines.len(), 4);
        assert_eq!((&lines[2][1], &lines[2][2]), (&json!("o"), &json!("\u{1b}[1mصبر\u{1b}[0m")));
        assert!(lines[2][0].as_f64() <= lines[3][0].as_f64());
        assert!(Cast::new(&path, (1, 1)).is_err(), "nothing is overwritten");
    }
}
