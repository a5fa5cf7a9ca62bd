//! The journal of one push: append-only lines of JSON beside the device file, each on the disk before the step that
//! it announces is taken. It is there exactly while a push is under way, so that one that is found tells of a crash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::fingerprint::Fingerprint;
use super::lock::DeviceLock;
use crate::durable;
use crate::error::InputError;

const SCHEMA: &str = "unstick.journal/1";
pub(super) const SUFFIX: &str = ".unstick-journal";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    schema: String,
    /// Of the program that began the push.
    version: String,
    /// The device file that the push was begun for.
    device: Fingerprint,
    /// The backup's name, in the same folder.
    backup: String,
    /// The device file's name when the push began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line<T> {
    Record(T),
    /// The device file is about to become this one.
    WriteBack(Fingerprint),
    /// The device file is this one from here on, of which a copy has this name: the application had written to the one
    /// before.
    Goes(Fingerprint, String),
}

/// The journal of a push that is under way, written to by the holder of the device file's lock.
///
/// A record holds ids, counts and heads, never a payload: the journal lies unencrypted beside the file for as long
/// as nobody goes on with the push.
#[derive(Debug)]
pub struct Journal<T> {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    /// Whether something may stand behind them.
    torn: bool,
    records: PhantomData<fn(T)>,
}

/// What a push that did not end has left.
#[derive(Debug)]
pub struct Unfinished<T> {
    /// Its records, in order. A last line that was cut off announces a step that was not taken, and is not here.
    pub records: Vec<T>,
    /// Whether the device file is still the one that the push was begun for.
    pub device_file: DeviceFileNow,
    /// The copy of the device file from before the push.
    pub backup: PathBuf,
    /// The copy of the device file as the last records knew it.
    pub known: PathBuf,
    /// The file that it began with, where that has another name by now.
    pub began_with: Option<PathBuf>,
    /// The version of unstick that began it.
    pub version: String,
    path: PathBuf,
    length: u64,
}

/// A device file, as the journal of an unfinished push knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceFileNow {
    /// The one that the push was begun for.
    AsBegun,
    /// One that the push has written back.
    AsWrittenBack,
    /// Neither: somebody else changed it since.
    Changed,
}

impl<T: Serialize> Journal<T> {
    /// Begins the journal of a push for the device file with this `text`, of which `backup` is a copy. Refused where
    /// an earlier push did not end: its journal is what it can be finished from.
    pub fn begin(lock: &DeviceLock, text: &str, backup: &Path) -> Result<Self, InputError> {
        let path = durable::beside(lock.device(), SUFFIX);
        if whole_lines(&path)?.is_some() {
            return Err(InputError::Unsupported {
                file: path.display().to_string(),
                reason: "tells of a push that did not end".into(),
                next: "Nothing was sent. Open the device file to see where that push stood and to go on from there".into(),
            });
        }
        let header = Header {
            schema: SCHEMA.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            device: Fingerprint::of(text.as_bytes()),
            backup: backup.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            file: Some(lock.device().to_owned()),
        };
        let line = line(&header).map_err(|error| cannot_write(&path, error))?;
        durable::replace(&path, &line).map_err(|error| cannot_write(&path, error))?;
        Self::at(path, line.len() as u64)
    }

    /// Adds a record. When this returns, it is on the disk.
    pub fn append(&mut self, record: &T) -> Result<(), InputError> {
        self.add(&Line::Record(record))
    }

    /// Announces that `text` is about to take the device file's place, so that a crash right behind the write is not
    /// taken for a change by somebody else.
    pub fn writing_back(&mut self, text: &str) -> Result<(), InputError> {
        self.add::<&T>(&Line::WriteBack(Fingerprint::of(text.as_bytes())))
    }

    /// The push goes on on this device file, of which `copy` is a copy.
    pub fn goes_on(&mut self, text: &str, copy: &Path) -> Result<(), InputError> {
        let copy = copy.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.add::<&T>(&Line::Goes(Fingerprint::of(text.as_bytes()), copy))
    }

    /// The push has ended: the journal goes.
    pub fn finish(self) -> Result<(), InputError> {
        let removed = fs::remove_file(&self.path).and_then(|()| durable::sync_folder(&self.path));
        removed.map_err(|source| InputError::Io {
            what: "cannot remove",
            path: self.path,
            source,
            next: "The push itself has ended. Remove the file by hand",
        })
    }

    fn at(path: PathBuf, length: u64) -> Result<Self, InputError> {
        let file = OpenOptions::new().append(true).open(&path).map_err(|error| cannot_write(&path, error))?;
        Ok(Self { path, file, length, torn: true, records: PhantomData })
    }

    fn add<R: Serialize>(&mut self, record: &Line<R>) -> Result<(), InputError> {
        self.write(record).map_err(|error| cannot_write(&self.path, error))
    }

    /// What a failed write has left is cut off first; else this line would stand on the same one.
    fn write<R: Serialize>(&mut self, record: &Line<R>) -> io::Result<()> {
        let line = line(record)?;
        if self.torn {
            self.file.set_len(self.length)?;
        }
        self.torn = true;
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.torn = false;
        self.length += line.len() as u64;
        Ok(())
    }
}

impl<T: DeserializeOwned> Journal<T> {
    /// What an earlier push of the device file at `device` has left; `None` where it ended, or never began.
    pub fn unfinished(device: &Path) -> Result<Option<Unfinished<T>>, InputError> {
        let cannot_read = |source: io::Error| InputError::Io {
            what: "cannot read",
            path: device.to_owned(),
            source,
            next: "Check the path and that you may read the file",
        };
        let device = fs::canonicalize(device).map_err(cannot_read)?;
        let path = durable::beside(&device, SUFFIX);
        let Some(text) = whole_lines(&path)? else { return Ok(None) };
        let now = Fingerprint::of(&fs::read(&device).map_err(cannot_read)?);
        let mut unfinished = unfinished(path, &text, &now)?;
        unfinished.began_with = unfinished.began_with.filter(|file| *file != device);
        Ok(Some(unfinished))
    }
}

impl<T: Serialize> Unfinished<T> {
    /// The same journal, to go on with: further records come behind those that are there.
    pub fn resume(self, lock: &DeviceLock) -> Result<Journal<T>, InputError> {
        debug_assert_eq!(self.path, durable::beside(lock.device(), SUFFIX));
        Journal::at(self.path, self.length)
    }
}

fn unfinished<T: DeserializeOwned>(
    path: PathBuf,
    text: &[u8],
    now: &Fingerprint,
) -> Result<Unfinished<T>, InputError> {
    let unreadable = |number: usize| {
        InputError::Unsupported {
        file: path.display().to_string(),
        reason: format!("tells of a push that did not end, but its line {number} cannot be read"),
        next: "Nothing was sent. Open the device file with the version of unstick that wrote it, or move the journal away \
               to go without: what has arrived is then recognised by its content alone"
            .into(),
    }
    };
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
    let (_, first) = lines.next().ok_or_else(|| unreadable(1))?;
    let header: Header = serde_json::from_slice(first).map_err(|_| unreadable(1))?;
    if header.schema != SCHEMA {
        return Err(unreadable(1));
    }
    let mut length = first.len() as u64;
    let (mut records, mut written_back) = (Vec::new(), false);
    let (mut device, mut known) = (header.device, header.backup.clone());
    while let Some((index, line)) = lines.next() {
        match serde_json::from_slice(line) {
            Ok(Line::Record(record)) => records.push(record),
            Ok(Line::WriteBack(fingerprint)) => written_back |= fingerprint == *now,
            Ok(Line::Goes(fingerprint, copy)) => (device, known) = (fingerprint, copy),
            // The end of the last line can reach the disk before its middle does.
            Err(error) if lines.peek().is_none() && error.classify() != Category::Data => break,
            Err(_) => return Err(unreadable(index + 1)),
        }
        length += line.len() as u64;
    }
    let device_file = match (written_back, device == *now) {
        (true, _) => DeviceFileNow::AsWrittenBack,
        (false, true) => DeviceFileNow::AsBegun,
        (false, false) => DeviceFileNow::Changed,
    };
    let (backup, known) = (path.with_file_name(header.backup), path.with_file_name(known));
    let began_with = header.file;
    Ok(Unfinished { records, device_file, backup, known, began_with, version: header.version, path, length })
}

/// Whether a journal lies beside the device file.
pub(super) fn exists(device: &Path) -> bool {
    fs::symlink_metadata(durable::beside(device, SUFFIX)).is_ok()
}

/// The journal's text up to its last line end; `None` where that leaves nothing, or there is no journal.
fn whole_lines(path: &Path) -> Result<Option<Vec<u8>>, InputError> {
    let mut text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(InputError::Io {
                what: "cannot read",
                path: path.to_owned(),
                source,
                next: "It tells where an earlier push stood. Check that you may read it",
            });
        }
    };
    text.truncate(text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
    Ok((!text.is_empty()).then_some(text))
}

fn line(content: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(content)?;
    line.push(b'\n');
    Ok(line)
}

fn cannot_write(path: &Path, source: io::Error) -> InputError {
    InputError::Io {
        what: "cannot write",
        path: path.to_owned(),
        source,
        next: "Nothing further was sent. Check that the disk is not full, then open the device file again to go on",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Step {
        post: u32,
        entries: Vec<String>,
    }

    fn step(post: u32) -> Step {
        Step { post, entries: vec!["q/1\n".into(), "🌙".into()] }
    }

    struct Place {
        _folder: tempfile::TempDir,
        device: PathBuf,
        journal: PathBuf,
        lock: DeviceLock,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let device = folder.path().join("device.json");
        fs::write(&device, "[]").expect("written");
        let lock = DeviceLock::acquire(&device).expect("locked");
        let journal = durable::beside(lock.device(), SUFFIX);
        Place { _folder: folder, device, journal, lock }
    }

    fn begin(place: &Place) -> Result<Journal<Step>, InputError> {
        Journal::begin(&place.lock, "[]", Path::new("/elsewhere/device.json.backup-1"))
    }

    fn unfinished(place: &Place) -> Option<Unfinished<Step>> {
        Journal::unfinished(&place.device).expect("readable")
    }

    #[test]
    fn a_push_that_ended_leaves_nothing() {
        let place = place();
        assert!(unfinished(&place).is_none());
        let mut journal = begin(&place).expect("begun");
        journal.append(&step(1)).expect("on the disk");
        journal.finish().expect("removed");
        assert!(unfinished(&place).is_none());
        assert!(!place.journal.exists());
    }

    #[test]
    fn a_crash_leaves_what_was_appended() {
        let place = place();
        let mut journal = begin(&place).expect("begun");
        journal.append(&step(1)).expect("on the disk");
        journal.append(&step(2)).expect("on the disk");
        let left = unfinished(&place).expect("left behind");
        assert_eq!(left.records, [step(1), step(2)]);
        assert_eq!(left.device_file, DeviceFileNow::AsBegun);
        assert_eq!(left.backup, place.lock.device().with_file_name("device.json.backup-1"));
        assert_eq!(left.version, env!("CARGO_PKG_VERSION"));
        let error = begin(&place).expect_err("one push at a time").to_string();
        assert!(error.contains("did not end") && error.contains("go on from there"), "{error}");
    }

    #[test]
    fn a_crash_at_any_byte_loses_only_the_line_that_was_being_written() {
        let place = place();
        let mut journal = begin(&place).expect("begun");
        let mut ends = vec![fs::metadata(&place.journal).expect("there").len()];
        for post in 1..=3 {
            journal.append(&step(post)).expect("on the disk");
            ends.push(fs::metadata(&place.journal).expect("there").len());
        }
        let whole = fs::read(&place.journal).expect("readable");
        for cut in 0..=whole.len() {
            fs::write(&place.journal, &whole[..cut]).expect("written");
            let lines = ends.iter().filter(|end| **end <= cut as u64).count();
            let Some(left) = unfinished(&place) else {
                assert_eq!(lines, 0, "cut at {cut}");
                begin(&place).expect("a push that never began stops none");
                continue;
            };
            let mut expected: Vec<Step> = (1..).take(lines - 1).map(step).collect();
            assert_eq!(left.records, expected, "cut at {cut}");

            left.resume(&place.lock).expect("resumed").append(&step(9)).expect("on the disk");
            expected.push(step(9));
            assert_eq!(unfinished(&place).expect("left behind").records, expected, "resumed at {cut}");
        }
    }

    #[test]
    fn several_crashes_may_follow_each_other() {
        let place = place();
        drop(begin(&place).expect("begun"));
        let mut expected = Vec::new();
        for crash in 0..20_u32 {
            let left = unfinished(&place).expect("left behind");
            assert_eq!(left.records, expected);
            let mut journal = left.resume(&place.lock).expect("resumed");
            journal.append(&step(crash)).expect("on the disk");
            expected.push(step(crash));
            let torn = serde_json::to_vec(&Line::Record(step(99))).expect("a line");
            journal.file.write_all(&torn[..torn.len() - crash as usize]).expect("written");
        }
    }

    #[test]
    fn a_line_whose_middle_never_reached_the_disk_is_torn() {
        let place = place();
        begin(&place).expect("begun").append(&step(1)).expect("on the disk");
        let mut text = fs::read(&place.journal).expect("readable");
        text.extend(b"{\"record\":\0\0\0\0}\n");
        fs::write(&place.journal, text).expect("written");
        assert_eq!(unfinished(&place).expect("left behind").records, [step(1)]);
    }

    #[test]
    fn what_was_on_the_disk_and_cannot_be_read_is_an_error_and_stays() {
        for damage in
            ["{\"record\":\0}\n{\"record\":{\"post\":1,\"entries\":[]}}\n", "{\"record\":{\"newer\":1}}\n"]
        {
            let place = place();
            drop(begin(&place).expect("begun"));
            let mut text = fs::read_to_string(&place.journal).expect("readable");
            text.push_str(damage);
            fs::write(&place.journal, &text).expect("written");
            let error = Journal::<Step>::unfinished(&place.device).expect_err("unreadable").to_string();
            assert!(error.contains("line 2") && error.contains("move the journal away"), "{error}");
            begin(&place).expect_err("nothing is written over it");
            assert_eq!(fs::read_to_string(&place.journal).expect("readable"), text);
        }
        let place = place();
        fs::write(&place.journal, "{\"schema\":\"unstick.journal/2\"}\n").expect("written");
        Journal::<Step>::unfinished(&place.device).expect_err("another schema");
    }

    #[test]
    fn whose_the_device_file_is_now_is_told() {
        let place = place();
        let mut journal = begin(&place).expect("begun");
        let now = || unfinished(&place).expect("left behind").device_file;
        journal.writing_back("[ ]").expect("on the disk");
        assert_eq!(now(), DeviceFileNow::AsBegun);
        fs::write(&place.device, "[ ]").expect("written");
        assert_eq!(now(), DeviceFileNow::AsWrittenBack);
        fs::write(&place.device, "[  ]").expect("written");
        assert_eq!(now(), DeviceFileNow::Changed);
    }

    #[cfg(unix)]
    #[test]
    fn a_journal_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let place = place();
        drop(begin(&place).expect("begun"));
        assert_eq!(fs::metadata(&place.journal).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_that_says_what_to_do() {
        let place = place();
        let mut journal = begin(&place).expect("begun");
        journal.file = OpenOptions::new().append(true).open("/dev/full").expect("a full disk");
        journal.torn = false;
        let error = journal.append(&step(1)).expect_err("a full disk").to_string();
        assert!(error.contains("Nothing further was sent"), "{error}");
        assert!(journal.torn);
    }
}
