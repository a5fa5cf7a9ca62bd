//! Text in two directions, where it stands in a line with others.
//!
//! A terminal that reorders takes a line for one text: two right-to-left texts with nothing between them but spaces,
//! bars or digits change places. A mark at the edges of each keeps it where it is: between two marks a text is still
//! read in its own direction, and nothing of it goes beyond them (Unicode's bidirectional algorithm, rules W7, N1, L2:
//! a strong left-to-right character at the line's own level ends every run).
//!
//! Only marks of the program's own are ever written. Those in data are shown, as [`super::safe_text`] has it.

use std::borrow::Cow;

/// LEFT-TO-RIGHT MARK: takes no column, is not drawn, and counts as a letter that is read from left to right. It is
/// older than the isolates and known to terminals that know nothing of them.
pub const MARK: char = '\u{200E}';

/// Whether a terminal might reorder what stands beside `c`: right-to-left letters and Arabic digits, with all that
/// Unicode keeps for more of them.
pub const fn turns(c: char) -> bool {
    matches!(c,
        '\u{0590}'..='\u{08FF}' | '\u{200F}' | '\u{202B}' | '\u{202E}' | '\u{2067}' | '\u{FB1D}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFF}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// A text that may stand in a line with others: between two marks where a terminal might reorder it, else as it is.
pub fn kept_apart(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains(turns) { Cow::Owned(format!("{MARK}{text}{MARK}")) } else { text }
}

#[cfg(test)]
mod tests {
    use unicode_bidi::{BidiClass, bidi_class};

    use super::*;

    #[test]
    fn whatever_may_be_reordered_is_known() {
        for c in '\0'..=char::MAX {
            let class = bidi_class(c);
            let reorders = matches!(
                class,
                BidiClass::R
                    | BidiClass::AL
                    | BidiClass::AN
                    | BidiClass::RLE
                    | BidiClass::RLO
                    | BidiClass::RLI
            );
            assert!(turns(c) || !reorders, "U+{:04X} {class:?}", u32::from(c));
        }
        assert!(!turns('a') && !turns('é') && !turns('漢') && !turns('▌') && !turns(MARK));
    }

    #[test]
    fn a_text_is_kept_apart_only_where_it_needs_to_be() {
        assert_eq!(kept_apart("Ramadan 2:255".into()), "Ramadan 2:255");
        assert_eq!(kept_apart("".into()), "");
        assert_eq!(kept_apart("صبر 12".into()), "\u{200E}صبر 12\u{200E}");
        assert_eq!(kept_apart("note ٣".into()), "\u{200E}note ٣\u{200E}");
    }
}
