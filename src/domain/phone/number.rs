//! Numbers as the phone's JSON reader takes them (PROTOCOL A10 S-G2, S-G3): a scalar's content is scanned digit by
//! digit, whatever quotes stood around it; a point makes it no number, an exponent does not.

/// A whole number out of a scalar's content: `18`, ` 18 `, `18e0`; `None` for `18.0`, `+18` and for what does not fit.
pub(super) fn whole(content: &str) -> Option<i64> {
    let blank = |c: char| matches!(c, ' ' | '\n' | '\r' | '\t');
    let text = content.trim_start_matches(blank);
    let (number, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => text.split_at(text.find(|c: char| ends(c)).unwrap_or(text.len())),
    };
    scan(number).filter(|_| rest.chars().all(blank))
}

/// A whole number of 32 bits.
pub(super) fn small(content: &str) -> Option<i64> {
    whole(content).filter(|number| i32::try_from(*number).is_ok())
}

/// Whether a number ends before `c`: whitespace, a sign of JSON's own, a control character.
const fn ends(c: char) -> bool {
    c <= ' ' || matches!(c, ',' | ':' | '{' | '}' | '[' | ']' | '"' | '\\')
}

/// Signs may stand in odd places behind the exponent; the last one counts.
fn scan(number: &str) -> Option<i64> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (number, None),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, mantissa),
    };
    // `e5` has nothing to raise; `-e5` has a sign, which is enough for the client.
    if digits.is_empty() && (exponent.is_none() || !negative) {
        return None;
    }
    // Counted below zero, where there is room for one more.
    let mut value = 0_i64;
    for digit in digits.bytes() {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        value = value.wrapping_mul(10).wrapping_sub(digit);
        if value > 0 {
            return None;
        }
    }
    if let Some(exponent) = exponent {
        value = raised(value, exponent)?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

fn raised(value: i64, exponent: &str) -> Option<i64> {
    let mut positive = true;
    let mut power = 0_i64;
    for c in exponent.bytes() {
        match c {
            b'+' => positive = true,
            b'-' => positive = false,
            b'0'..=b'9' => power = power.wrapping_mul(10).wrapping_add(i64::from(c - b'0')),
            _ => return None,
        }
    }
    let power = power as f64;
    let raised = value as f64 * 10_f64.powf(if positive { power } else { -power });
    let whole = raised.fract() == 0.0 && raised <= i64::MAX as f64 && raised >= i64::MIN as f64;
    whole.then_some(raised as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_row_of_digits() {
        for (content, number) in [
            ("0", Some(0)),
            ("-7", Some(-7)),
            (" 2 ", Some(2)),
            ("2e0", Some(2)),
            ("1.5", None),
            ("15E1", Some(150)),
            ("150e-1", Some(15)),
            ("15e-1", None),
            ("2.0", None),
            ("+2", None),
            ("", None),
            ("-", None),
            ("e1", None),
            ("null", None),
            ("2 3", None),
            ("2,", None),
            ("\"2\"", Some(2)),
            ("\u{0662}", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1e30", None),
        ] {
            assert_eq!(whole(content), number, "{content}");
        }
        assert_eq!(small("2147483647"), Some(2_147_483_647));
        assert_eq!(small("2147483648"), None);
    }
}
