//! A note's ranges as the phone reads them (PROTOCOL A7): `2:255` or `2:255-2:257`, in the digits of any script.

use std::borrow::Cow;

use crate::domain::identity::Place;

/// Zero of each script whose digits the phone takes.
const ZEROS: [u32; 37] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// The one range of a note as the phone compares it, `2:255` and `2:255-2:255` being the same; `None` unless
/// exactly one of `ranges` can be read.
pub(super) fn only_range(ranges: &[Cow<str>]) -> Option<(Place, Place)> {
    let mut read = ranges.iter().filter_map(|range| range_of(range));
    read.next().filter(|_| read.next().is_none())
}

/// Whether the phone can read any of the ranges; a note without one does not exist for it.
pub(super) fn has_range(ranges: &[Cow<str>]) -> bool {
    ranges.iter().any(|range| range_of(range).is_some())
}

fn range_of(text: &str) -> Option<(Place, Place)> {
    let verse = |text: &str| {
        let (chapter, verse) = text.trim_matches(is_blank).split_once(':')?;
        Some(Place::Verse(number(chapter)?, number(verse)?))
    };
    match text.trim_matches(is_blank).split_once('-') {
        Some((from, to)) => verse(from).zip(verse(to)),
        None => verse(text).map(|verse| (verse, verse)),
    }
}

/// A number of 32 bits with or without a sign.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut number: i32 = 0;
    for c in digits.chars() {
        number = number.checked_mul(10)?.checked_add(sign * digit(c)?)?;
    }
    (!digits.is_empty()).then_some(i64::from(number))
}

fn digit(c: char) -> Option<i32> {
    let code = u32::from(c);
    let script = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    i32::try_from(code - ZEROS[script]).ok().filter(|digit| *digit < 10)
}

/// What the client trims. The next line (U+0085) is not of it, the separators below the space are.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, '\u{1c}'..='\u{1f}') || (c.is_whitespace() && c != '\u{85}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_compared_by_what_they_cover() {
        let ranges = |list: &[&'static str]| list.iter().map(|r| Cow::Borrowed(*r)).collect::<Vec<_>>();
        assert!(only_range(&ranges(&["2:255"])) == only_range(&ranges(&[" 2:255 - 2:255 ", "bad"])));
        assert!(only_range(&ranges(&["1:1", "1:2"])).is_none());
        assert!(!has_range(&ranges(&["bad", "1", ""])));
    }

    #[test]
    fn digits_of_every_script_make_a_range_and_what_does_not_fit_makes_none() {
        let ayah = Some((Place::Verse(2, 255), Place::Verse(2, 255)));
        for text in ["2:255", "+2:255", "\u{0662}:\u{0662}\u{0665}\u{0665}", "\u{1f}2:255", "\u{ff12}:255"] {
            assert_eq!(range_of(text), ayah, "{text}");
        }
        for text in
            ["99999999999:1", "2147483648:1", "2: 5", "2:+", ":", "2:255-", "2:5:6", "\u{1d7d0}:5", "2:٢e"]
        {
            assert!(range_of(text).is_none(), "{text}");
        }
        assert!(range_of("2147483647:1").is_some(), "{}", i32::MAX);
    }
}
