//! What the server is documented to refuse (PROTOCOL A7, A10 S-P2): found before anything is sent.

use super::field::FieldPath;
use super::json::Json;
use super::mutation::{Kind, Op, Payload};

/// Length of a note's body, characters.
pub const NOTE_LENGTH: std::ops::RangeInclusive<usize> = 6..=10_000;
/// Length of a collection's name, characters.
pub const NAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=255;

/// One thing that the server would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub path: FieldPath,
    /// What is wrong, without the content.
    pub what: String,
}

/// What the server would refuse of one mutation.
pub fn problems(kind: &Kind, op: Op, data: &Payload) -> Vec<Problem> {
    if op == Op::Delete {
        return Vec::new();
    }
    let members = data.members();
    let mut problems = Vec::new();
    let mut add =
        |path: &str, what: String| problems.push(Problem { path: FieldPath::from_text(path), what });
    match kind {
        Kind::Note => {
            match members.get("body") {
                Some(Json::String(body)) => {
                    if let Some(what) = outside(body, &NOTE_LENGTH) {
                        add("/body", format!("the note's body has {what}"));
                    }
                }
                Some(other) => add("/body", format!("the note's body is {}, not text", other.type_name())),
                None if op == Op::Create => add("/body", String::from("the note has no body")),
                None => {}
            }
            match members.get("ranges") {
                Some(Json::Array(ranges)) => {
                    let bad = ranges.iter().filter(|range| !range.as_str().is_some_and(is_range)).count();
                    if bad > 0 {
                        add(
                            "/ranges",
                            format!(
                                "{bad} of {} ranges are not of the form chapter:verse-chapter:verse",
                                ranges.len()
                            ),
                        );
                    }
                }
                Some(other) => add("/ranges", format!("the ranges are {}, not a list", other.type_name())),
                None => {}
            }
        }
        Kind::Collection => match members.get("name") {
            Some(Json::String(name)) => {
                if let Some(what) = outside(name, &NAME_LENGTH) {
                    add("/name", format!("the collection's name has {what}"));
                }
            }
            Some(other) => add("/name", format!("the collection's name is {}, not text", other.type_name())),
            None if op == Op::Create => add("/name", String::from("the collection has no name")),
            None => {}
        },
        Kind::Link if op == Op::Create => {
            if !members.contains_key("collectionId") {
                add("/collectionId", String::from("the link names no collection"));
            }
            // A creation takes no bookmarkId (PROTOCOL A7).
            if !members.contains_key("key") {
                add("/key+verseNumber", String::from("the link does not say where its bookmark stands"));
            }
        }
        Kind::Bookmark | Kind::Link | Kind::ReadingSession | Kind::Other(_) => {}
    }
    problems
}

/// The documentation does not say what it counts as a character, so at the edge both counts must fit: code points
/// and UTF-16 units (PROTOCOL D13).
fn outside(text: &str, allowed: &std::ops::RangeInclusive<usize>) -> Option<String> {
    let (points, units) = (text.chars().count(), text.encode_utf16().count());
    let wrong = [points, units].into_iter().find(|count| !allowed.contains(count))?;
    Some(format!("{wrong} characters; the server takes {} to {}", allowed.start(), allowed.end()))
}

/// `s:a-s:a` (PROTOCOL A7).
fn is_range(text: &str) -> bool {
    let verse = |text: &str| {
        text.split_once(':').is_some_and(|(chapter, verse)| {
            [chapter, verse].iter().all(|part| part.parse::<u16>().is_ok_and(|number| number > 0))
        })
    };
    text.split_once('-').is_some_and(|(from, to)| verse(from) && verse(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::Text;

    fn count(kind: &Kind, data: &str) -> usize {
        problems(kind, Op::Create, &Payload::new(Text::new(data.into()))).len()
    }

    #[test]
    fn documented_limits_are_checked() {
        let note = |body: &str| count(&Kind::Note, &format!(r#"{{"body":"{body}","ranges":["1:1-1:7"]}}"#));
        assert_eq!(note("آمين"), 1);
        assert_eq!(note("123456"), 0);
        assert_eq!(note(&"ا".repeat(10_000)), 0);
        assert_eq!(note(&"ا".repeat(10_001)), 1);
        assert_eq!(note(&"🤲".repeat(5_001)), 1, "more than 10,000 UTF-16 units");
        assert_eq!(count(&Kind::Note, r#"{"body":"long enough","ranges":["1:1", "0:1-1:1", "1:1-1:2"]}"#), 1);
        assert_eq!(count(&Kind::Collection, r#"{"name":""}"#), 1);
        assert_eq!(count(&Kind::Link, r#"{"bookmarkId":"b1"}"#), 2);
        assert_eq!(count(&Kind::Link, r#"{"collectionId":"c1","key":2,"verseNumber":255}"#), 0);
        assert_eq!(count(&Kind::Collection, r#"{"name":"Ramadan"}"#), 0);
    }
}
