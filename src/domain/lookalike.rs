//! Names that a person cannot tell apart, although they are not the same.

use unicode_normalization::UnicodeNormalization;

/// In what two names differ that look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Likeness {
    /// The same letters, put together of other characters.
    Composition,
    /// Characters that cannot be seen.
    Invisible,
    /// White space at the ends, or another kind of it between the words.
    Spaces,
    /// Capital and small letters.
    Case,
}

impl Likeness {
    /// In what they differ, behind "differ only in".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Composition => "how their letters are composed",
            Self::Invisible => "characters that cannot be seen",
            Self::Spaces => "spaces",
            Self::Case => "capital letters",
        }
    }
}

/// What is left of a name when nothing counts that a person would not see, or would take for the same.
pub fn skeleton(name: &str) -> String {
    folded(name, Likeness::Case)
}

/// In what two names differ; `None` where they are the same, or do not look alike. Of several the last.
pub fn likeness(one: &str, other: &str) -> Option<Likeness> {
    if one == other {
        return None;
    }
    let steps = [Likeness::Composition, Likeness::Invisible, Likeness::Spaces, Likeness::Case];
    steps.into_iter().find(|step| folded(one, *step) == folded(other, *step))
}

/// A name without the differences up to this one.
fn folded(name: &str, upto: Likeness) -> String {
    let mut text: String = name.nfc().collect();
    if upto == Likeness::Composition {
        return text;
    }
    text = text.chars().filter(|c| !is_invisible(*c)).nfc().collect();
    if upto == Likeness::Invisible {
        return text;
    }
    text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if upto == Likeness::Spaces {
        return text;
    }
    text.chars().flat_map(char::to_lowercase).nfc().collect()
}

/// Characters without a width of their own that are no marks on a letter: joiners, directions, fillers, controls.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{8}' | '\u{E}'..='\u{1F}' | '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{AD}' | '\u{34F}' | '\u{61C}'
        | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_told_by_what_they_differ_in() {
        use Likeness::*;
        for (one, other, expected) in [
            ("Duas", "Duas", None),
            ("Duas", "Dua", None),
            ("Caf\u{e9}", "Cafe\u{301}", Some(Composition)),
            ("\u{622}يات", "\u{627}\u{653}يات", Some(Composition)),
            ("Duas", "Du\u{200b}as", Some(Invisible)),
            ("Duas", "\u{202b}Duas\u{202c}", Some(Invisible)),
            ("Duas", "Duas ", Some(Spaces)),
            ("My duas", "My\u{a0}duas", Some(Spaces)),
            ("Duas", "duas", Some(Case)),
            ("Duas", " DUAS\u{200f}", Some(Case)),
            ("صبر", "صَبر", None),
            ("أذكار", "اذكار", None),
        ] {
            assert_eq!(likeness(one, other), expected, "{one:?} {other:?}");
            assert_eq!(likeness(other, one), expected, "{other:?} {one:?}");
            let same = skeleton(one) == skeleton(other);
            assert_eq!(same, expected.is_some() || one == other, "{one:?} {other:?}");
        }
    }
}
