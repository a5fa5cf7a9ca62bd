//! What the server is documented to refuse (PROTOCOL A7, A10 S-P2): found before anything is sent.

use std::ops::RangeInclusive;

use indexmap::IndexMap;

use super::field::{self, FieldPath};
use super::json::Json;
use super::mutation::{Kind, Op, Payload, WireMutation};

/// Length of a note's body, characters.
pub const NOTE_LENGTH: RangeInclusive<usize> = 6..=10_000;
/// Length of a collection's name, characters.
pub const NAME_LENGTH: RangeInclusive<usize> = 1..=255;
/// The chapters there are.
const CHAPTERS: RangeInclusive<u64> = 1..=114;
/// The verses of the longest chapter; those of the others are not counted.
const VERSES: RangeInclusive<u64> = 1..=286;
/// The mushafs that the server knows (PROTOCOL A7).
const MUSHAFS: [u64; 9] = [1, 2, 3, 4, 5, 6, 7, 11, 19];

/// A documented rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// How long a note may be.
    NoteLength,
    /// How long a collection's name may be.
    NameLength,
    /// How the ranges of a note are written.
    Ranges,
    /// Which places there are.
    Place,
    /// Which mushafs there are.
    Mushaf,
    /// What a creation cannot do without.
    Required,
    /// What is changed or deleted is named by its id.
    Id,
}

impl Rule {
    /// The rule in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoteLength => "note-length",
            Self::NameLength => "name-length",
            Self::Ranges => "ranges",
            Self::Place => "place",
            Self::Mushaf => "mushaf",
            Self::Required => "required",
            Self::Id => "id",
        }
    }

    /// What the server takes.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoteLength => "the server takes 6 to 10,000 characters",
            Self::NameLength => "the server takes 1 to 255 characters",
            Self::Ranges => "the server takes ranges such as 2:255-2:256",
            Self::Place => "the server takes chapters 1 to 114 and verses from 1",
            Self::Mushaf => "the server knows the mushafs 1 to 7, 11 and 19",
            Self::Required => "the server takes no creation without it",
            Self::Id => "the server is told by an id what to change",
        }
    }

    /// How many characters the server takes, where it counts them.
    pub const fn length(self) -> Option<RangeInclusive<usize>> {
        match self {
            Self::NoteLength => Some(NOTE_LENGTH),
            Self::NameLength => Some(NAME_LENGTH),
            Self::Ranges | Self::Place | Self::Mushaf | Self::Required | Self::Id => None,
        }
    }

    /// The rule that a field's value has to follow.
    pub fn of(kind: &Kind, path: &FieldPath) -> Option<Self> {
        if field::position(kind) == Some(path.as_str()) {
            return Some(Self::Place);
        }
        Self::of_member(kind, path.as_str().strip_prefix('/')?)
    }

    fn of_member(kind: &Kind, name: &str) -> Option<Self> {
        match (kind, name) {
            (Kind::Note, "body") => Some(Self::NoteLength),
            (Kind::Note, "ranges") => Some(Self::Ranges),
            (Kind::Collection, "name") => Some(Self::NameLength),
            (Kind::Bookmark | Kind::Link, "mushaf" | "mushafId") => Some(Self::Mushaf),
            _ => None,
        }
    }

    /// What is wrong with a value, without its content.
    fn complaint(self, value: &Json) -> Option<String> {
        match (self, value) {
            (Self::NoteLength, Json::String(text)) => outside(text, &NOTE_LENGTH),
            (Self::NameLength, Json::String(text)) => outside(text, &NAME_LENGTH),
            (Self::NoteLength | Self::NameLength, other) => {
                Some(format!("is {}, not text", other.type_name()))
            }
            (Self::Ranges, Json::Array(ranges)) => {
                let bad = ranges.iter().filter(|range| !range.as_str().is_some_and(is_range)).count();
                let of = ranges.len();
                (bad > 0).then(|| match (bad, of) {
                    (1, 1) => String::from("has an entry that is no such range"),
                    (1, _) => format!("has 1 of {of} entries that is no such range"),
                    (_, _) => format!("has {bad} of {of} entries that are no such range"),
                })
            }
            (Self::Ranges, other) => Some(format!("is {}, not a list", other.type_name())),
            (Self::Place, Json::Object(place)) => no_place(place),
            (Self::Place, other) => Some(format!("is {}, not a place", other.type_name())),
            (Self::Mushaf, value) => {
                let known = whole(value).is_some_and(|number| MUSHAFS.contains(&number));
                (!known).then(|| String::from("is none that exists"))
            }
            (Self::Required | Self::Id, _) => None,
        }
    }
}

/// One thing that the server would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub path: FieldPath,
    /// Which rule it breaks.
    pub rule: Rule,
    /// What is wrong, without the content.
    pub what: String,
}

impl Problem {
    fn new(path: FieldPath, rule: Rule, complaint: &str) -> Self {
        let what = format!("{} {complaint}; {}", path.label(), rule.words());
        Self { path, rule, what }
    }
}

/// What the server would refuse of one value.
pub fn problem(kind: &Kind, path: &FieldPath, value: &Json) -> Option<Problem> {
    let rule = Rule::of(kind, path)?;
    rule.complaint(value).map(|complaint| Problem::new(path.clone(), rule, &complaint))
}

/// What the server would refuse of a mutation as it would be sent.
pub fn of_wire(wire: &WireMutation) -> Vec<Problem> {
    let mut problems = problems(&wire.kind, wire.op, &wire.data);
    let named = wire.resource_id.as_ref().is_some_and(|id| !id.as_str().trim().is_empty());
    if wire.op != Op::Create && !named && wire.kind != Kind::Link {
        problems.push(Problem::new(FieldPath::existence(), Rule::Id, "has no id"));
    }
    problems
}

/// What the server would refuse of the data of one mutation.
pub fn problems(kind: &Kind, op: Op, data: &Payload) -> Vec<Problem> {
    if op == Op::Delete {
        return Vec::new();
    }
    let members = data.members();
    let mut problems = Vec::new();
    let mut found = |path: &str, rule: Rule, complaint: &str| {
        problems.push(Problem::new(FieldPath::from_text(path), rule, complaint));
    };
    let mut place = IndexMap::new();
    for (name, value) in &members {
        if field::in_position(kind, name) {
            place.insert(name.clone(), value.clone());
        } else if let Some(rule) = Rule::of_member(kind, name)
            && let Some(complaint) = rule.complaint(value)
        {
            // Of two names for one thing a field has the first (PROTOCOL D10).
            let name = if rule == Rule::Mushaf { "mushaf" } else { name };
            found(&format!("/{name}"), rule, &complaint);
        }
    }
    if let (Some(path), false) = (field::position(kind), place.is_empty())
        && let Some(complaint) = no_place(&place)
    {
        found(path, Rule::Place, &complaint);
    }
    if op == Op::Create {
        let lacks = |name: &str| !members.contains_key(name);
        let nowhere = || field::position(kind).filter(|_| place.is_empty());
        let missing = match kind {
            Kind::Note => [lacks("body").then_some("/body"), None],
            Kind::Collection => [lacks("name").then_some("/name"), None],
            // A creation takes no bookmarkId: it must say where its bookmark stands (PROTOCOL A7).
            Kind::Link => [lacks("collectionId").then_some("/collectionId"), nowhere()],
            Kind::Bookmark | Kind::ReadingSession => [nowhere(), None],
            Kind::Other(_) => [None, None],
        };
        for path in missing.into_iter().flatten() {
            found(path, Rule::Required, "is missing");
        }
    }
    problems
}

/// The documentation does not say what it counts as a character, so at the edge both counts must fit: code points
/// and UTF-16 units (PROTOCOL D13).
fn outside(text: &str, allowed: &RangeInclusive<usize>) -> Option<String> {
    let (points, units) = (text.chars().count(), text.encode_utf16().count());
    let wrong = [points, units].into_iter().find(|count| !allowed.contains(count))?;
    Some(if wrong == 1 { String::from("has 1 character") } else { format!("has {wrong} characters") })
}

/// A whole number, also when it is written `12.0` (PROTOCOL A6).
fn whole(value: &Json) -> Option<u64> {
    let Json::Number(number) = value else { return None };
    let text = number.as_str();
    text.parse()
        .ok()
        .or_else(|| text.split_once('.').filter(|(_, rest)| rest.bytes().all(|b| b == b'0'))?.0.parse().ok())
}

/// Why there is no such place. Whoever names a verse names a chapter; else the key is a page, a chapter or a juz.
fn no_place(place: &IndexMap<String, Json>) -> Option<String> {
    let number = |name: &str| place.get(name).map(whole);
    let chapter = number("chapterNumber").or_else(|| number("key"));
    let verse = number("verseNumber");
    let fits = |number: Option<Option<u64>>, allowed: &RangeInclusive<u64>| match number {
        None => true,
        Some(number) => number.is_some_and(|number| allowed.contains(&number)),
    };
    let chapters = if verse.is_some() || place.contains_key("chapterNumber") { CHAPTERS } else { 1..=1000 };
    (!fits(chapter, &chapters) || !fits(verse, &VERSES)).then(|| String::from("is none that exists"))
}

/// `s:a-s:a` (PROTOCOL A7), the end not before the start.
fn is_range(text: &str) -> bool {
    let verse = |text: &str| {
        let (chapter, verse) = text.split_once(':')?;
        let number = |digits: &str, allowed: RangeInclusive<u64>| {
            digits.parse().ok().filter(|number| allowed.contains(number))
        };
        Some((number(chapter, CHAPTERS)?, number(verse, VERSES)?))
    };
    text.split_once('-').is_some_and(|(from, to)| match (verse(from), verse(to)) {
        (Some(from), Some(to)) => from <= to,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::Text;
    use crate::domain::mutation::ResourceId;

    fn payload(data: &str) -> Payload {
        Payload::new(Text::new(data.into()))
    }

    fn rules(kind: &Kind, op: Op, data: &str) -> Vec<(String, &'static str)> {
        let problems = problems(kind, op, &payload(data));
        problems.into_iter().map(|problem| (problem.path.as_str().to_owned(), problem.rule.name())).collect()
    }

    #[test]
    fn lengths_are_counted_in_code_points_and_in_utf16_units() {
        let note = |body: &str| {
            rules(&Kind::Note, Op::Create, &format!(r#"{{"body":"{body}","ranges":["1:1-1:7"]}}"#)).len()
        };
        assert_eq!(note("آمين"), 1);
        assert_eq!(note("123456"), 0);
        assert_eq!(note(&"ا".repeat(10_000)), 0);
        assert_eq!(note(&"ا".repeat(10_001)), 1);
        assert_eq!(note(&"🤲".repeat(5_001)), 1, "more than 10,000 UTF-16 units");
        assert_eq!(rules(&Kind::Collection, Op::Create, r#"{"name":""}"#), [("/name".into(), "name-length")]);
        assert_eq!(rules(&Kind::Collection, Op::Create, r#"{"name":"Ramadan"}"#), []);
    }

    #[test]
    fn every_documented_rule_is_checked_where_it_stands() {
        for (kind, op, data, expected) in [
            (
                Kind::Note,
                Op::Update,
                r#"{"ranges":["1:1", "0:1-1:1", "1:1-1:2"]}"#,
                vec![("/ranges", "ranges")],
            ),
            (Kind::Note, Op::Update, r#"{"ranges":["115:1-115:2"]}"#, vec![("/ranges", "ranges")]),
            (Kind::Note, Op::Update, r#"{"ranges":["2:5-2:4"]}"#, vec![("/ranges", "ranges")]),
            (Kind::Note, Op::Update, r#"{"ranges":7}"#, vec![("/ranges", "ranges")]),
            (Kind::Note, Op::Create, r#"{"ranges":["2:1-2:1"]}"#, vec![("/body", "required")]),
            (Kind::Note, Op::Update, r#"{"body":null}"#, vec![("/body", "note-length")]),
            (Kind::Note, Op::Delete, r#"{"body":""}"#, vec![]),
            (
                Kind::Bookmark,
                Op::Create,
                r#"{"type":"ayah","key":115,"verseNumber":1}"#,
                vec![("/key+verseNumber", "place")],
            ),
            (
                Kind::Bookmark,
                Op::Create,
                r#"{"type":"ayah","key":2,"verseNumber":0}"#,
                vec![("/key+verseNumber", "place")],
            ),
            (Kind::Bookmark, Op::Create, r#"{"type":"page","key":600,"mushaf":1}"#, vec![]),
            (
                Kind::Bookmark,
                Op::Create,
                r#"{"type":"page","key":600.0,"mushafId":8}"#,
                vec![("/mushaf", "mushaf")],
            ),
            (Kind::Bookmark, Op::Create, r#"{"type":"page"}"#, vec![("/key+verseNumber", "required")]),
            (
                Kind::ReadingSession,
                Op::Update,
                r#"{"chapterNumber":200,"verseNumber":1}"#,
                vec![("/chapterNumber+verseNumber", "place")],
            ),
            (Kind::ReadingSession, Op::Create, r#"{"chapterNumber":18,"verseNumber":10}"#, vec![]),
            (Kind::Link, Op::Create, r#"{"key":2,"verseNumber":255}"#, vec![("/collectionId", "required")]),
            (
                Kind::Link,
                Op::Create,
                r#"{"collectionId":"c1","bookmarkId":"b1"}"#,
                vec![("/key+verseNumber", "required")],
            ),
            (Kind::Other("TAG".into()), Op::Create, r#"{"body":""}"#, vec![]),
        ] {
            let expected: Vec<(String, &str)> =
                expected.into_iter().map(|(p, r)| (p.to_owned(), r)).collect();
            assert_eq!(rules(&kind, op, data), expected, "{data}");
        }
    }

    #[test]
    fn what_is_changed_or_deleted_needs_an_id() {
        let wire = |kind: Kind, op: Op, id: Option<&str>| WireMutation {
            op,
            kind,
            resource_id: id.map(ResourceId::from),
            data: Payload::ABSENT,
        };
        let missing = |wire: &WireMutation| of_wire(wire).iter().any(|problem| problem.rule == Rule::Id);
        assert!(missing(&wire(Kind::Note, Op::Update, None)));
        assert!(missing(&wire(Kind::Note, Op::Delete, Some(" "))));
        assert!(!missing(&wire(Kind::Note, Op::Delete, Some("n1"))));
        assert!(!missing(&wire(Kind::Link, Op::Delete, None)));
        assert!(!missing(&wire(Kind::Note, Op::Create, None)));
    }

    #[test]
    fn a_problem_names_field_count_and_rule_but_no_content() {
        let problem =
            problem(&Kind::Note, &FieldPath::from_text("/body"), &Json::string("abc")).expect("too short");
        assert_eq!(problem.what, "body has 3 characters; the server takes 6 to 10,000 characters");
    }
}
