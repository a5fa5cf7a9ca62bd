//! What `/` understands: words that must all be there, some of which ask for a state or a kind.

use crate::domain::inspect::{Inspection, Pair, PairId, Status};
use crate::domain::mutation::{Kind, Side};
use crate::domain::naming;
use crate::domain::resolution::Resolution;

/// What the list is to show.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// As it was typed.
    pub text: String,
    /// Only what waits for a person.
    pub open_only: bool,
}

/// The words that ask for a state or a kind, for the prompt.
pub const WORDS: &str = "open settled diverged push apply converged blocked echo · note bookmark …";

enum Term {
    Open,
    Settled,
    Status(Status),
    Echo,
    Kind(Kind),
    Words(String),
}

impl Query {
    /// Whether it asks for nothing: every pair is shown.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && !self.open_only
    }

    fn terms(&self) -> Vec<Term> {
        let words = self.text.split_whitespace().map(term);
        self.open_only.then_some(Term::Open).into_iter().chain(words).collect()
    }
}

/// A word in quotes is always text.
fn term(word: &str) -> Term {
    match word.to_lowercase().as_str() {
        "open" => Term::Open,
        "settled" | "resolved" => Term::Settled,
        "diverged" => Term::Status(Status::Diverged),
        "push" => Term::Status(Status::Push),
        "apply" => Term::Status(Status::Apply),
        "converged" => Term::Status(Status::Converged),
        "blocked" => Term::Status(Status::Blocked),
        "echo" => Term::Echo,
        "note" | "notes" => Term::Kind(Kind::Note),
        "bookmark" | "bookmarks" => Term::Kind(Kind::Bookmark),
        "collection" | "collections" => Term::Kind(Kind::Collection),
        "link" | "links" | "collection_bookmark" => Term::Kind(Kind::Link),
        "session" | "sessions" | "reading_session" => Term::Kind(Kind::ReadingSession),
        other => Term::Words(folded(other.trim_matches('"'))),
    }
}

/// The pairs that the query asks for, in the order of the inspection.
pub fn rows(inspection: &Inspection, resolution: &Resolution, query: &Query) -> Vec<PairId> {
    let terms = query.terms();
    inspection
        .ids()
        .filter(|(id, pair)| {
            let mut text = None;
            terms.iter().all(|term| match term {
                Term::Open => pair.status == Status::Diverged && !resolution.settles(*id, pair),
                Term::Settled => pair.status == Status::Diverged && resolution.settles(*id, pair),
                Term::Status(status) => pair.status == *status,
                Term::Echo => pair.echo,
                Term::Kind(kind) => pair.kind == *kind,
                Term::Words(words) => {
                    text.get_or_insert_with(|| searchable(inspection, pair)).contains(words)
                }
            })
        })
        .map(|(id, _)| id)
        .collect()
}

fn searchable(inspection: &Inspection, pair: &Pair) -> String {
    let mut text = format!("{} {} {}", pair.kind.wire(), pair.key, naming::label(inspection, pair));
    if let Some(sura) = naming::sura(inspection, pair) {
        text.push('\n');
        text.push_str(sura);
    }
    for side in [Side::Device, Side::Server] {
        text.push('\n');
        text.push_str(&naming::excerpt(inspection, pair, side));
    }
    for queued in inspection.queued(pair) {
        text.push('\n');
        text.push_str(queued.id.as_str());
    }
    folded(&text)
}

/// Lower case, and Arabic without the marks that people do not type.
fn folded(text: &str) -> String {
    text.chars()
        .filter(|c| {
            !matches!(c, '\u{610}'..='\u{61A}' | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{6D6}'..='\u{6ED}')
        })
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arabic_is_found_without_its_marks() {
        assert!(folded("فَصَبْرٌ جَمِيلٌ").contains(&folded("صبر")));
        assert!(folded("RAMADAN").contains("ramadan"));
    }

    #[test]
    fn words_of_state_and_kind_are_told_from_text() {
        assert!(matches!(term("Open"), Term::Open));
        assert!(matches!(term("notes"), Term::Kind(Kind::Note)));
        assert!(matches!(term("\"open\""), Term::Words(words) if words == "open"));
    }
}
