//! Where the phone keeps its cursor: a Jetpack Preferences DataStore file, which is a protobuf map (PROTOCOL B). Of protobuf
//! only what such a file can hold is read here: a crate and a compiled schema would be more than these lines.

use std::path::Path;

use crate::error::InputError;

/// How the file is called, on Android and on iOS.
pub const FILE_NAME: &str = "quran_mobile_sync_settings.preferences_pb";

const CURSOR: &str = "com.quran.sync.last_modified_date";
const RESET: &str = "com.quran.sync.reset_in_progress";
/// The largest file that is read, bytes; a real one has a few hundred.
const LIMIT: u64 = 1024 * 1024;

/// What the phone remembers of its sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The cursor, ms; a missing one is 0 to the phone's client.
    pub cursor: i64,
    /// A sign-out was begun and not finished: the phone does not sync until it is (PROTOCOL A10, S-X2).
    pub reset_in_progress: bool,
}

impl Preferences {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// A file that cannot be read or that is none of these; what to pass instead is said.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let cannot = |source| InputError::Io {
            what: "cannot read the preferences",
            path: path.to_owned(),
            source,
            next: "Check the path, or pass the cursor itself with --cursor N",
        };
        let metadata = std::fs::metadata(path).map_err(cannot)?;
        let odd = |reason: &str| InputError::Unsupported {
            file: path.display().to_string(),
            reason: reason.to_owned(),
            next: format!(
                "Pass the phone's {FILE_NAME} with --prefs FILE, or the cursor itself with --cursor N"
            ),
        };
        if !metadata.is_file() || metadata.len() > LIMIT {
            return Err(odd("is no preferences file of the phone"));
        }
        let bytes = std::fs::read(path).map_err(cannot)?;
        Self::parse(&bytes)
            .map_err(|Garbled| odd("is no preferences file of the phone: its bytes are no protobuf map"))
    }

    fn parse(bytes: &[u8]) -> Result<Self, Garbled> {
        let mut preferences = Self::default();
        let mut file = Wire(bytes);
        while let Some(field) = file.next()? {
            let (1, Value::Bytes(entry)) = field else { return Err(Garbled) };
            let (mut name, mut value) = (None, None);
            let mut entry = Wire(entry);
            while let Some(field) = entry.next()? {
                match field {
                    (1, Value::Bytes(text)) => name = Some(std::str::from_utf8(text).map_err(|_| Garbled)?),
                    (2, Value::Bytes(bytes)) => value = Some(scalar(bytes)?),
                    (_, _) => return Err(Garbled),
                }
            }
            match (name.ok_or(Garbled)?, value.ok_or(Garbled)?) {
                (CURSOR, Some(number)) => preferences.cursor = number,
                (RESET, Some(number)) => preferences.reset_in_progress = number != 0,
                (_, _) => {}
            }
        }
        Ok(preferences)
    }
}

/// Bytes that are no such map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Garbled;

/// A whole number or a flag; `None` for what is neither.
fn scalar(bytes: &[u8]) -> Result<Option<i64>, Garbled> {
    let mut wire = Wire(bytes);
    let mut number = None;
    while let Some(field) = wire.next()? {
        number = match field {
            // bool 1, int32 3, int64 4.
            (1 | 3 | 4, Value::Number(value)) => Some(value),
            (_, _) => None,
        };
    }
    Ok(number)
}

/// A field's value on the wire.
enum Value<'a> {
    Number(i64),
    Fixed,
    Bytes(&'a [u8]),
}

/// Protobuf's wire format.
struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    /// The next field; `None` at the end.
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, Garbled> {
        if self.0.is_empty() {
            return Ok(None);
        }
        self.field().map(Some).ok_or(Garbled)
    }

    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?.cast_signed()),
            1 => self.skip(8)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Value::Bytes(bytes)
            }
            5 => self.skip(4)?,
            _ => return None,
        };
        Some((tag >> 3, value))
    }

    fn skip(&mut self, bytes: usize) -> Option<Value<'a>> {
        self.0 = self.0.get(bytes..)?;
        Some(Value::Fixed)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7F).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("../../../tests/fixtures/device/device-sample.preferences_pb");

    #[test]
    fn the_cursor_of_the_sample_is_read() {
        let expected = Preferences { cursor: 1_769_900_000_000, reset_in_progress: false };
        assert_eq!(Preferences::parse(SAMPLE), Ok(expected));
        assert_eq!(Preferences::parse(b""), Ok(Preferences::default()));
    }

    #[test]
    fn no_bytes_are_too_odd() {
        // Each beginning of the file, and the file with each byte changed, is read or refused.
        for end in 0..SAMPLE.len() {
            let _ = Preferences::parse(&SAMPLE[..end]);
        }
        for at in 0..SAMPLE.len() {
            for flip in [1, 0x80, 0xFF] {
                let mut bytes = SAMPLE.to_vec();
                bytes[at] ^= flip;
                let _ = Preferences::parse(&bytes);
            }
        }
        for text in [&b"{\"cursor\": 1}"[..], b"cursor=1", &[0xFF; 64], &[0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]]
        {
            assert_eq!(Preferences::parse(text), Err(Garbled));
        }
    }
}
