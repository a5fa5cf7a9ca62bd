//! Files that are no files: a pipe may never say anything, and a device never ends. A pipe is read with a deadline, a
//! device is refused.

use std::fs::{File, FileType, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

/// How long a pipe may be silent.
const SILENCE: Duration = Duration::from_secs(10);
/// How much is read of a pipe at once, bytes.
const CHUNK: usize = 64 * 1024;

/// The file at `path`, to be read, and what the file system knows of it.
///
/// # Errors
/// A file that cannot be opened, and one that is a device.
pub fn open(path: &Path) -> io::Result<(Box<dyn Read>, Option<Metadata>)> {
    // Opening a pipe waits for who writes to it; so what it is comes first.
    let found = path.metadata()?;
    if is_device(found.file_type()) {
        return Err(io::Error::other("it is a device and no file; standard input is called -"));
    }
    if is_pipe(found.file_type()) {
        let path = path.to_owned();
        return Ok((Box::new(Patient::new(move || File::open(path), SILENCE)), None));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    Ok((Box::new(file), Some(metadata)))
}

#[cfg(unix)]
fn is_device(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    kind.is_char_device() || kind.is_block_device() || kind.is_socket()
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
const fn is_device(_: FileType) -> bool {
    false
}

#[cfg(not(unix))]
const fn is_pipe(_: FileType) -> bool {
    false
}

/// Reads on a thread of its own, which is left where it is when nothing comes.
struct Patient {
    chunks: Receiver<io::Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
    silence: Duration,
}

impl Patient {
    fn new<R: Read>(open: impl FnOnce() -> io::Result<R> + Send + 'static, silence: Duration) -> Self {
        let (send, chunks) = mpsc::sync_channel(4);
        std::thread::spawn(move || {
            let mut reader = match open() {
                Ok(reader) => reader,
                Err(error) => return drop(send.send(Err(error))),
            };
            loop {
                let mut chunk = vec![0; CHUNK];
                let read = reader.read(&mut chunk).map(|length| {
                    chunk.truncate(length);
                    chunk
                });
                let over = !matches!(&read, Ok(chunk) if !chunk.is_empty());
                // Nobody listens any more where the time was over.
                if send.send(read).is_err() || over {
                    return;
                }
            }
        });
        Self { chunks, current: io::Cursor::default(), silence }
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.current.read(buffer)?;
        if length > 0 || buffer.is_empty() {
            return Ok(length);
        }
        match self.chunks.recv_timeout(self.silence) {
            Ok(chunk) => {
                self.current = io::Cursor::new(chunk?);
                self.current.read(buffer)
            }
            Err(RecvTimeoutError::Disconnected) => Ok(0),
            Err(RecvTimeoutError::Timeout) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("it is a pipe, and nothing came for {} s", self.silence.as_secs_f32()),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe into which nobody writes.
    struct Silent;

    impl Read for Silent {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            loop {
                std::thread::park();
            }
        }
    }

    #[test]
    fn a_silent_pipe_is_given_up_and_a_whole_one_is_read() {
        let silence = Duration::from_millis(20);
        let mut text = String::new();
        let error = Patient::new(|| Ok(Silent), silence).read_to_string(&mut text).expect_err("silence");
        assert_eq!(error.to_string(), "it is a pipe, and nothing came for 0.02 s");
        let many = vec![b'x'; 3 * CHUNK + 1];
        let whole = many.clone();
        let mut pipe = Patient::new(move || Ok(io::Cursor::new(many)), Duration::from_mins(1));
        let mut read = Vec::new();
        pipe.read_to_end(&mut read).expect("it is read");
        assert_eq!(read, whole);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_refused() {
        let error = open(Path::new("/dev/zero")).err().expect("a device");
        assert!(error.to_string().contains("is a device"), "{error}");
    }
}
