//! A client's time as the phone reads it in a pull (PROTOCOL A6): one form of ISO 8601 and no other. What it cannot
//! read gives way to the server's time, so a lenient reader would let the other side win.

use crate::domain::mutation::Millis;

/// Seconds of the first and the last moment that the client's clock type holds.
const FIRST: i128 = -31_557_014_167_219_200;
const LAST: i128 = 31_556_889_864_403_199;

/// The moment, cut to ms; one that 64 bits of ms do not hold is the last or the first that they do.
pub(super) fn read(text: &str) -> Option<Millis> {
    // The form is ASCII; whatever else stands in it, it is not one.
    let bytes = text.is_ascii().then_some(text.as_bytes())?;
    let (year, rest) = year(bytes)?;
    // `-MM-DDTHH:MM:SS` and at least a zone.
    let (clock, rest) = rest.split_at_checked(15)?;
    for (at, signs) in [(0, "-"), (3, "-"), (6, "Tt"), (9, ":"), (12, ":")] {
        signs.as_bytes().contains(&clock[at]).then_some(())?;
    }
    let [month, day, hour, minute, second] = [1, 4, 7, 10, 13].map(|at| pair(clock, at));
    let (month, day) = (month?, day?);
    let (hour, minute, second) = (hour?, minute?, second?);
    let (ms, zone) = fraction(rest)?;
    let offset = offset(zone)?;
    let fits = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 59;
    let seconds = days_before(year, month, day) * 86_400 + i128::from(hour * 3600 + minute * 60 + second)
        - i128::from(offset);
    if !fits || !(FIRST..=LAST).contains(&seconds) {
        return None;
    }
    let all = seconds * 1000 + i128::from(ms);
    Some(Millis(i64::try_from(all).unwrap_or(if all < 0 { i64::MIN } else { i64::MAX })))
}

/// Four digits, or a sign and up to ten; `+` only before more than four.
fn year(bytes: &[u8]) -> Option<(i128, &[u8])> {
    let (sign, bytes) = match bytes.split_first()? {
        (sign @ (b'+' | b'-'), rest) => (Some(*sign), rest),
        _ => (None, bytes),
    };
    let length = bytes.iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(length);
    let fits = match (sign, length) {
        (None | Some(b'-'), 4) | (Some(_), 5..=9) => true,
        (Some(_), 10) => digits[0] < b'2',
        (Some(_) | None, _) => false,
    };
    let year = digits.iter().fold(0, |year, digit| year * 10 + i128::from(digit - b'0'));
    fits.then_some((if sign == Some(b'-') { -year } else { year }, rest))
}

/// Two digits.
fn pair(bytes: &[u8], at: usize) -> Option<i64> {
    let digit = |at: usize| {
        let digit = bytes.get(at)?;
        digit.is_ascii_digit().then(|| i64::from(digit - b'0'))
    };
    Some(digit(at)? * 10 + digit(at + 1)?)
}

/// Up to nine digits behind a point, in ms, and what follows them.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(fraction) = bytes.strip_prefix(b".") else { return Some((0, bytes)) };
    let length = fraction.iter().position(|b| !b.is_ascii_digit()).unwrap_or(fraction.len());
    let (digits, rest) = fraction.split_at(length);
    let digit = |at: usize| digits.get(at).map_or(0, |digit| i64::from(digit - b'0'));
    (1..=9).contains(&length).then(|| (digit(0) * 100 + digit(1) * 10 + digit(2), rest))
}

/// Seconds east of Greenwich: `Z`, or hours and perhaps minutes and seconds with colons, at most 18 hours.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = zone.split_first()?;
    let sign = match sign {
        b'Z' | b'z' => return rest.is_empty().then_some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let colons = [2, 5].iter().all(|at| rest.get(*at).is_none_or(|b| *b == b':'));
    if !matches!(rest.len(), 2 | 5 | 8) || !colons {
        return None;
    }
    let part = |at: usize| if at < rest.len() { pair(rest, at) } else { Some(0) };
    let (hours, minutes, seconds) = (part(0)?, part(3)?, part(6)?);
    let all = hours * 3600 + minutes * 60 + seconds;
    (minutes <= 59 && seconds <= 59 && all <= 18 * 3600).then_some(sign * all)
}

const fn is_leap(year: i128) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_of(year: i128, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970, in the calendar of today carried to all years.
const fn days_before(year: i128, month: i64, day: i64) -> i128 {
    // Years begin in March here, so that the leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = ((153 * month + 2) / 5 + day - 1) as i128;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_of_time_is_read() {
        let ms = |text: &str| read(text).map(|time| time.0);
        for (text, found) in [
            ("2026-02-02T00:00:00Z", 1_769_990_400_000),
            ("2026-02-02t00:00:00.5z", 1_769_990_400_500),
            ("2026-02-02T03:00:00.001999999+03:00", 1_769_990_400_001),
            ("2026-02-01T06:00:00-18", 1_769_990_400_000),
            ("2026-02-02T00:00:01+00:00:01", 1_769_990_400_000),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
            ("+10000-01-01T00:00:00Z", 253_402_300_800_000),
            ("-0001-01-01T00:00:00Z", -62_198_755_200_000),
        ] {
            assert_eq!(ms(text), Some(found), "{text}");
        }
    }

    #[test]
    fn any_other_is_not() {
        for text in [
            "",
            "soon",
            "1769990400000",
            "2026-02-02",
            "2026-02-02T00:00Z",
            "2026-02-02 00:00:00Z",
            "20260202T000000Z",
            "2026-02-02T00:00:00",
            "2026-02-02T00:00:00+0000",
            "2026-02-02T00:00:00,5Z",
            "2026-02-02T00:00:00.Z",
            "2026-02-02T00:00:00.1234567891Z",
            "2026-02-02T00:00:60Z",
            "2026-02-02T24:00:00Z",
            "2026-02-30T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-02-02T00:00:00Z[UTC]",
            "2026-02-02T00:00:00+19:00",
            "2026-02-02T00:00:00+18:01",
            "2026-02-02T00:00:00+3:00",
            "10000-01-01T00:00:00Z",
            "+2026-01-01T00:00:00Z",
            "+2000000000-01-01T00:00:00Z",
            "2026-02-02T00:00:00Z ",
            "\u{0662}026-02-02T00:00:00Z",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
