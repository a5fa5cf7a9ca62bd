//! A short name for what a person saw when they chose: the values of fields, as 16 hexadecimal digits. It finds
//! changes that happened since; it protects nothing, and whoever wants to forge one can.
//!
//! The algorithm, so that other programs can compute it: FNV-1a, 64 bits, over the UTF-8 bytes of a canonical
//! text. The text is a JSON array with one `[path, base, device, server]` for each field, in the order of the
//! fields; the last three are `[]` where there is no value, else `[value]`; where the value cannot stand beside what
//! another resource has on the server, that one's `key` and what it holds follow. No spaces; the members of an object
//! sorted by their names' bytes; a string as `serde_json` escapes it; a number as digits without zeros at either
//! end, `e`, and the power of ten behind the last digit (`-1.50` is `-15e-1`, zero is `0e0`), so that equal values
//! have equal texts; a value that cannot be read exactly as `?` and its text.

use std::fmt;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use super::field::{Base, Field};
use super::json::Json;

const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// What some fields held on both sides and in the base, as a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// The digest of `fields`, in this order.
    pub fn of<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        let mut text = String::from("[");
        for (at, field) in fields.into_iter().enumerate() {
            let base = match &field.base {
                Base::Absent => None,
                Base::Recorded(value) => Some(value),
            };
            text.push_str(if at == 0 { "[" } else { ",[" });
            write_string(&mut text, field.path.as_str());
            for value in [base, field.device.as_ref(), field.server.as_ref()] {
                text.push_str(",[");
                if let Some(value) = value {
                    write_value(&mut text, value);
                }
                text.push(']');
            }
            if let Some(other) = &field.against {
                text.push(',');
                write_string(&mut text, &other.key);
                text.push(',');
                write_value(&mut text, &other.holds);
            }
            text.push(']');
        }
        text.push(']');
        Self(fnv1a(text.as_bytes()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One text for all values that are equal, as the algorithm above writes values.
pub fn canonical(value: &Json) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

fn write_value(text: &mut String, value: &Json) {
    match value {
        Json::Null => text.push_str("null"),
        Json::Bool(true) => text.push_str("true"),
        Json::Bool(false) => text.push_str("false"),
        Json::Number(number) => text.push_str(&number.canonical()),
        Json::String(string) => write_string(text, string),
        Json::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_value(text, item);
            }
            text.push(']');
        }
        Json::Object(members) => write_object(text, members),
        Json::Opaque(original) => {
            text.push('?');
            text.push_str(original);
        }
    }
}

fn write_object(text: &mut String, members: &IndexMap<String, Json>) {
    let mut sorted: Vec<(&String, &Json)> = members.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    text.push('{');
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        write_string(text, name);
        text.push(':');
        write_value(text, value);
    }
    text.push('}');
}

fn write_string(text: &mut String, string: &str) {
    text.push_str(&Json::string(string).to_text());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::compare;
    use crate::domain::mutation::Kind;

    fn digest(base: &str, device: &str, server: &str) -> String {
        let members = |text: &str| Json::parse(text).as_object().cloned().expect("an object");
        let kind = Kind::Other("X".into());
        Digest::of(&compare(&kind, &members(base), &members(device), &members(server))).to_string()
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    /// Choices files keep digests: this one must stay what it is.
    #[test]
    fn a_digest_stays_the_same_from_version_to_version() {
        let text = br#"[["/a",[],[{"n":-15e-1,"s":"\u0001\u00e9"}],[[null,true]]]]"#;
        let text = String::from_utf8_lossy(text).replace("\\u00e9", "é");
        let expected = format!("{:016x}", fnv1a(text.as_bytes()));
        assert_eq!(digest("{}", r#"{"a":{"s":"\u0001é","n":-1.50}}"#, r#"{"a":[null,true]}"#), expected);
    }

    #[test]
    fn equal_values_have_equal_digests_and_different_ones_differ() {
        let one = digest("{}", r#"{"a":{"x":1,"y":[2]}}"#, r#"{"a":1}"#);
        assert_eq!(one, digest("{}", r#"{"a":{"y":[2.0],"x":10e-1}}"#, r#"{"a":1.0}"#));
        let others = [
            digest("{}", r#"{"a":{"x":1,"y":[3]}}"#, r#"{"a":1}"#),
            digest(r#"{"a":null}"#, r#"{"a":{"x":1,"y":[2]}}"#, r#"{"a":1}"#),
            digest("{}", r#"{"a":1}"#, r#"{"a":{"x":1,"y":[2]}}"#),
            digest("{}", r#"{"a":{"x":1,"y":[2]}}"#, "{}"),
            digest("{}", r#"{"b":{"x":1,"y":[2]}}"#, r#"{"b":1}"#),
        ];
        assert!(!others.contains(&one));
        assert_ne!(digest("{}", r#"{"a":null}"#, "{}"), digest("{}", "{}", r#"{"a":null}"#));
    }
}
