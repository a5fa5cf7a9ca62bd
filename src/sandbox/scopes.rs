//! What an access token may see and write (PROTOCOL A1).

use crate::domain::mutation::Kind;

/// The scopes of one access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u8);

const SYNC: u8 = 1;
const BOOKMARK: u8 = 2;
const COLLECTION: u8 = 4;
const NOTE: u8 = 8;
const READING_SESSION: u8 = 16;

const WORDS: [(&str, u8); 5] = [
    ("sync", SYNC),
    ("bookmark", BOOKMARK),
    ("collection", COLLECTION),
    ("note", NOTE),
    ("reading_session", READING_SESSION),
];

impl Scopes {
    /// Every scope there is.
    pub const ALL: Self = Self(SYNC | BOOKMARK | COLLECTION | NOTE | READING_SESSION);

    /// The scopes of `words`, separated by commas or spaces. Words that mean nothing to a sync are ignored.
    pub fn from_words(words: &str) -> Self {
        let words = words.split([',', ' ']);
        Self(
            words
                .filter_map(|word| WORDS.iter().find(|(known, _)| *known == word))
                .fold(0, |all, s| all | s.1),
        )
    }

    /// What a sandbox token stands for: `scopes:sync,note` has those two, any other token has all.
    pub fn of_token(token: &str) -> Self {
        token.strip_prefix("scopes:").map_or(Self::ALL, Self::from_words)
    }

    /// Whether the two sync calls are open at all.
    pub const fn may_sync(self) -> bool {
        self.0 & SYNC != 0
    }

    /// Whether resources of this kind are seen in a pull and taken in a push.
    pub const fn may_see(self, kind: &Kind) -> bool {
        let needed = match kind {
            Kind::Bookmark => BOOKMARK,
            Kind::Collection => COLLECTION,
            Kind::Link => BOOKMARK | COLLECTION,
            Kind::Note => NOTE,
            Kind::ReadingSession => READING_SESSION,
            Kind::Other(_) => return false,
        };
        self.0 & needed == needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_scopes_and_a_link_needs_two() {
        let scopes = Scopes::of_token("scopes:sync,bookmark,offline_access");
        assert!(scopes.may_sync() && scopes.may_see(&Kind::Bookmark));
        assert!(!scopes.may_see(&Kind::Link) && !scopes.may_see(&Kind::Note));
        assert!(Scopes::of_token("scopes:bookmark,collection").may_see(&Kind::Link));
        assert!(!Scopes::of_token("scopes:").may_sync());
        assert_eq!(Scopes::of_token("anything"), Scopes::ALL);
    }
}
