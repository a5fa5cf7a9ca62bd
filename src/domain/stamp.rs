//! The client's own times, `clientCreatedAt` and `clientUpdatedAt`: what can be read of them, and why the rest cannot.
//! What cannot be read decides nothing and is said aloud: another clock in its place is another question.

use std::fmt;

use super::json::Json;
use super::mutation::{Millis, Payload};

/// The members that hold a client's times (PROTOCOL A6).
pub const NAMES: [&str; 2] = ["clientCreatedAt", "clientUpdatedAt"];

/// No app wrote before this, and none writes after [`END`]: 2000-01-01 and 2100-01-01, ms. Outside lie clocks that were
/// never set, years of other calendars, and seconds or microseconds taken for milliseconds.
const START: i64 = 946_684_800_000;
const END: i64 = 4_102_444_800_000;

/// Why a client's time cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Misread {
    /// It tells no time zone, so that it may be any of 27 hours.
    NoZone,
    /// It is a day without a time.
    NoTimeOfDay,
    /// A number written as text: seconds or milliseconds, nobody says.
    NumberAsText,
    /// It lies outside 2000 to 2099.
    OutOfRange,
    /// It is no time at all.
    NoTime,
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoZone => "has no time zone",
            Self::NoTimeOfDay => "has no time of day",
            Self::NumberAsText => "is a number written as text",
            Self::OutOfRange => "is not between the years 2000 and 2099",
            Self::NoTime => "is not a time",
        })
    }
}

/// A client's time: ISO 8601 with a zone, or a number of ms (PROTOCOL A6; numbers below 1e12 are seconds). `None` where
/// none is told.
pub fn read(value: Option<&Json>) -> Result<Option<Millis>, Misread> {
    match value {
        None | Some(Json::Null) => Ok(None),
        Some(value) => match Millis::from_json(value) {
            Some(time) if (START..END).contains(&time.0) => Ok(Some(time)),
            Some(_) => Err(Misread::OutOfRange),
            None => Err(why(value)),
        },
    }
}

/// The time that a client gave, where it can be read.
pub fn told(value: Option<&Json>) -> Option<Millis> {
    read(value).ok().flatten()
}

fn why(value: &Json) -> Misread {
    let Some(text) = value.as_str().map(str::trim) else { return Misread::NoTime };
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        Misread::NumberAsText
    } else if text.parse::<jiff::civil::DateTime>().is_ok() {
        if text.contains([':', 'T', 't']) { Misread::NoZone } else { Misread::NoTimeOfDay }
    } else {
        Misread::NoTime
    }
}

/// The client times of `data` that cannot be read: the member, what stands there, and why it tells nothing.
pub fn misread(data: &Payload) -> Vec<(&'static str, Json, Misread)> {
    if data.as_str().is_none_or(are_plain) {
        return Vec::new();
    }
    let members = data.members();
    let misread = |name: &&'static str| {
        let value = members.get(*name)?;
        read(Some(value)).err().map(|why| (*name, value.clone(), why))
    };
    NAMES.iter().filter_map(misread).collect()
}

/// Whether every client time in the object's text is written as a phone writes it, so that nobody need parse it.
fn are_plain(text: &str) -> bool {
    text.match_indices("\"client").all(|(at, _)| {
        let rest = &text[at + 1..];
        let Some(name) = NAMES.iter().find(|name| rest.starts_with(**name)) else { return true };
        let Some(value) = rest[name.len()..].strip_prefix("\":") else { return false };
        let value = value.trim_start().as_bytes();
        // "2026-05-19T10:16:30.000Z": what looks like it but is none is found out by whoever compares times.
        value.len() > 25
            && value.starts_with(b"\"20")
            && value[25] == b'"'
            && value[24] == b'Z'
            && value[11] == b'T'
            && [5, 8].iter().all(|at| value[*at] == b'-')
            && value[20] == b'.'
            && [14, 17].iter().all(|at| value[*at] == b':')
            && [3, 4, 7, 10, 13, 15, 16, 18, 19, 21, 22, 23].iter().all(|at| value[*at].is_ascii_digit())
            && matches!(&value[6..8], [b'0', b'1'..=b'9'] | [b'1', b'0'..=b'2'])
            // A month may have 30 days or 31: those are parsed.
            && matches!(&value[9..11], [b'0', b'1'..=b'9'] | [b'1' | b'2', _])
            && matches!(&value[12..14], [b'0' | b'1', _] | [b'2', b'0'..=b'3'])
            && value[15] <= b'5'
            && value[18] <= b'5'
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::Text;

    #[test]
    fn a_time_that_cannot_be_read_says_why() {
        for (text, expected) in [
            (r#""2026-05-19T10:16:30.000Z""#, Ok(true)),
            (r#""2026-05-19T10:16:30+03:00""#, Ok(true)),
            ("1769990400000", Ok(true)),
            ("1769990400000.0", Ok(true)),
            // PROTOCOL A6: below 1e12 they are seconds.
            ("1769990400", Ok(true)),
            ("null", Ok(false)),
            (r#""2026-05-19T10:16:30""#, Err(Misread::NoZone)),
            (r#""2026-05-19 10:16""#, Err(Misread::NoZone)),
            (r#""2026-05-19""#, Err(Misread::NoTimeOfDay)),
            (r#""1769990400""#, Err(Misread::NumberAsText)),
            (r#""1769990400000""#, Err(Misread::NumberAsText)),
            (r#""1447-11-02T10:16:30Z""#, Err(Misread::OutOfRange)),
            (r#""2569-05-19T10:16:30Z""#, Err(Misread::OutOfRange)),
            (r#""1970-01-01T00:00:00Z""#, Err(Misread::OutOfRange)),
            (r#""2100-01-01T00:00:00Z""#, Err(Misread::OutOfRange)),
            ("0", Err(Misread::OutOfRange)),
            ("1769990400000000", Err(Misread::OutOfRange)),
            (r#""yesterday""#, Err(Misread::NoTime)),
            (r#""""#, Err(Misread::NoTime)),
            ("true", Err(Misread::NoTime)),
            ("{}", Err(Misread::NoTime)),
            ("1e400", Err(Misread::NoTime)),
            (r#""2026-02-30T10:16:30.000Z""#, Err(Misread::NoTime)),
            (r#""2026-13-10T10:16:30.000Z""#, Err(Misread::NoTime)),
            (r#""2026-12-10T24:16:30.000Z""#, Err(Misread::NoTime)),
            (r#""2026-12-10T23:16:30.000Z""#, Ok(true)),
        ] {
            let value = Json::parse(text);
            assert_eq!(read(Some(&value)).map(|time| time.is_some()), expected, "{text}");
            for spaces in ["", " "] {
                let data = format!(r#"{{"body":"x","clientUpdatedAt":{spaces}{text},"clientish":1}}"#);
                let found = misread(&Payload::new(Text::new(data)));
                let why = found.iter().map(|(name, _, why)| (*name, *why)).collect::<Vec<_>>();
                let expected: Vec<_> =
                    expected.err().map(|why| ("clientUpdatedAt", why)).into_iter().collect();
                assert_eq!(why, expected, "{text}");
            }
        }
        assert_eq!(read(None), Ok(None));
    }
}
