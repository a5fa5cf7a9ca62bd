//! Whether a file is still the one it was.

use serde::{Deserialize, Serialize};

/// The mark of a text: its FNV-1a hash of 64 bits and its length. Tells an edited file from the one that was read;
/// it is no proof against somebody who wants two files to look alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The mark of these bytes, the same on every machine and in every version.
    pub fn of(bytes: &[u8]) -> Self {
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(format!("fnv1a64-{hash:016x}-{}", bytes.len()))
    }

    /// The mark as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference vectors of the hash's authors.
    #[test]
    fn the_hash_is_the_published_one() {
        for (bytes, mark) in [
            (&b""[..], "fnv1a64-cbf29ce484222325-0"),
            (b"a", "fnv1a64-af63dc4c8601ec8c-1"),
            (b"foobar", "fnv1a64-85944171f73967e8-6"),
        ] {
            assert_eq!(Fingerprint::of(bytes), Fingerprint(mark.into()));
        }
    }
}
