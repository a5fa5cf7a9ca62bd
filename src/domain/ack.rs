//! Acknowledgements: whether the answer to a POST says of every mutation sent, by position, that it was done, and
//! under which id (PROTOCOL A3; A10 S-K1 and S-K2). The answer is a 200, so the write was made; what is in doubt
//! is which of the mutations it was made for.

use std::collections::HashSet;
use std::fmt;

use indexmap::IndexMap;

use super::json::Json;
use super::mutation::{Kind, Millis, Op, Payload, ResourceId, WireMutation};
use super::window::Unreadable;
use super::words::count_were;

/// One entry of a POST's answer.
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    /// What was done.
    pub op: Op,
    /// To a resource of which kind.
    pub kind: Kind,
    /// The resource; links may come without, or as `collectionId-bookmarkId`.
    pub resource_id: Option<ResourceId>,
    /// The resource's state as the server tells it.
    pub data: Payload,
    /// When the server did it.
    pub timestamp: Option<Millis>,
}

/// A mutation that the server acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acked {
    /// The resource's id, for a link the composite; `None` only for a link that was deleted by its place alone.
    pub resource_id: Option<ResourceId>,
    /// When the server did it.
    pub timestamp: Option<Millis>,
}

/// An acknowledgement that cannot be matched with what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckError {
    /// The position in the POST of the mutation that is in doubt, from 0; `None`: all of them are.
    pub index: Option<usize>,
    /// What does not match.
    pub doubt: Doubt,
}

/// What does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The answer does not hold as many entries as were sent.
    Count {
        /// Mutations sent.
        sent: usize,
        /// Entries in the answer.
        acknowledged: usize,
    },
    /// The entry cannot be understood.
    Unreadable(Unreadable),
    /// Another resource kind.
    Kind,
    /// Another operation, as when the server merges a CREATE into what it has and answers UPDATE.
    Op,
    /// No id, where there must be one.
    MissingId,
    /// Another id than the one sent.
    IdDiffers,
    /// An UPDATE or DELETE was sent without an id, so that the id in the answer proves nothing.
    SentWithoutId,
    /// A link's `bookmarkId` and `bookmark_id` are not the same.
    AliasesDisagree,
    /// A link of another collection.
    CollectionDiffers,
    /// A link of another bookmark.
    BookmarkDiffers,
    /// A link to another sura or page.
    KeyDiffers,
    /// A link to another verse.
    VerseDiffers,
    /// A link's composite id is not made of the ids beside it.
    CompositeDiffers,
    /// A link's composite id of which no half is known.
    Unverifiable,
    /// A link's member is not a plain value.
    NotPlain,
    /// What was created is what another mutation of the same POST was to create: the order is not the one sent.
    OfAnother,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Count { sent, acknowledged } => {
                return write!(f, "{} sent and {acknowledged} acknowledged", count_were(*sent, "mutation"));
            }
            Self::Unreadable(Unreadable { pointer, found, expected, .. }) => {
                return write!(f, "{found} at {pointer}, where {expected} was expected");
            }
            Self::Kind => "it is of another resource kind",
            Self::Op => "it is another operation",
            Self::MissingId => "it has no resourceId",
            Self::IdDiffers => "its resourceId is not the one sent",
            Self::SentWithoutId => "the mutation was sent without a resourceId",
            Self::AliasesDisagree => "bookmarkId and bookmark_id differ",
            Self::CollectionDiffers => "its collectionId is not the one sent",
            Self::BookmarkDiffers => "its bookmarkId is not the one sent",
            Self::KeyDiffers => "its key is not the one sent",
            Self::VerseDiffers => "its verseNumber is not the one sent",
            Self::CompositeDiffers => "its composite resourceId does not fit its collection and bookmark",
            Self::Unverifiable => "its composite resourceId cannot be verified",
            Self::NotPlain => "a member that should be a plain value is not",
            Self::OfAnother => "it tells of another mutation of the POST",
        };
        f.write_str(words)
    }
}

impl fmt::Display for AckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server accepted the POST, but its acknowledgement ")?;
        if let Some(index) = self.index {
            write!(f, "of mutation[{index}] ")?;
        }
        write!(
            f,
            "does not match: {}. Pull and look which of them arrived; nothing is sent twice.",
            self.doubt
        )
    }
}

impl std::error::Error for AckError {}

/// Compares the acknowledgements with the mutations sent. One result per mutation, in the order sent, or the first
/// mutation that is in doubt.
pub fn check(
    sent: &[WireMutation],
    acknowledged: &[Result<Acknowledgement, Unreadable>],
) -> Result<Vec<Acked>, AckError> {
    if sent.len() != acknowledged.len() {
        let doubt = Doubt::Count { sent: sent.len(), acknowledged: acknowledged.len() };
        return Err(AckError { index: None, doubt });
    }
    let creations: Vec<Option<String>> = sent.iter().map(|m| created(m.op, &m.kind, &m.data)).collect();
    let all: HashSet<&String> = creations.iter().flatten().collect();
    let pairs = sent.iter().zip(&creations).zip(acknowledged).enumerate();
    pairs
        .map(|(index, ((sent, creation), answer))| {
            let answer = answer.as_ref().map_err(|entry| Doubt::Unreadable(entry.clone()));
            let acked = answer.and_then(|answer| {
                let acked = check_one(sent, answer)?;
                let told = created(answer.op, &answer.kind, &answer.data);
                let of_another = told != *creation && told.is_some_and(|told| all.contains(&told));
                if of_another { Err(Doubt::OfAnother) } else { Ok(acked) }
            });
            acked.map_err(|doubt| AckError { index: Some(index), doubt })
        })
        .collect()
}

/// What a creation is known by until its id is: the members in which it differs from others of its kind. Links are
/// told apart by their ids.
fn created(op: Op, kind: &Kind, data: &Payload) -> Option<String> {
    let names: &[&str] = match (op, kind) {
        (Op::Create, Kind::Note) => &["body"],
        (Op::Create, Kind::Collection) => &["name"],
        (Op::Create, Kind::Bookmark) => &["key", "verseNumber"],
        (Op::Create, Kind::ReadingSession) => &["chapterNumber", "verseNumber"],
        (Op::Create | Op::Update | Op::Delete, _) => return None,
    };
    let members = data.members();
    let known = names.iter().filter_map(|name| members.get(*name)).map(Json::to_text);
    let known: Vec<_> = known.collect();
    (!known.is_empty()).then(|| format!("{} {}", kind.wire(), known.join(" ")))
}

fn check_one(sent: &WireMutation, answer: &Acknowledgement) -> Result<Acked, Doubt> {
    if sent.kind != answer.kind {
        return Err(Doubt::Kind);
    }
    if sent.op != answer.op {
        return Err(Doubt::Op);
    }
    let resource_id = match sent.kind {
        Kind::Link => link_id(sent, answer)?,
        Kind::Bookmark | Kind::Collection | Kind::Note | Kind::ReadingSession | Kind::Other(_) => {
            Some(plain_id(sent, answer)?)
        }
    };
    Ok(Acked { resource_id, timestamp: answer.timestamp })
}

fn plain_id(sent: &WireMutation, answer: &Acknowledgement) -> Result<ResourceId, Doubt> {
    let id = answer.resource_id.clone().ok_or(Doubt::MissingId)?;
    match &sent.resource_id {
        Some(expected) if *expected == id => Ok(id),
        Some(_) => Err(Doubt::IdDiffers),
        None if sent.op == Op::Create => Ok(id),
        None => Err(Doubt::SentWithoutId),
    }
}

/// A link has no id of its own: it is known by collection and bookmark, and the composite of the two is made, not
/// split, because ids may hold `-` (PROTOCOL D4).
fn link_id(sent: &WireMutation, answer: &Acknowledgement) -> Result<Option<ResourceId>, Doubt> {
    let asked = Relation::read(&sent.data)?;
    let told = Relation::read(&answer.data)?;
    asked.agrees_with(&told)?;
    if let Some(id) = &answer.resource_id {
        told.fits(id)?;
    }
    let known = || composite_of(&asked, &told, [sent.resource_id.as_ref(), answer.resource_id.as_ref()]);
    match (&sent.resource_id, &answer.resource_id) {
        (Some(expected), Some(id)) if expected == id => Ok(Some(id.clone())),
        (Some(_), Some(_)) => Err(Doubt::IdDiffers),
        (Some(expected), None) => match known().filter(|_| sent.op == Op::Create) {
            Some(id) if id == *expected => Ok(Some(id)),
            Some(_) => Err(Doubt::IdDiffers),
            None => Err(Doubt::MissingId),
        },
        (None, Some(id)) => match known() {
            Some(expected) if expected == *id => Ok(Some(expected)),
            Some(_) => Err(Doubt::CompositeDiffers),
            None => Err(Doubt::Unverifiable),
        },
        (None, None) => match known() {
            None if sent.op == Op::Create => Err(Doubt::MissingId),
            known => Ok(known),
        },
    }
}

/// What a link's data says of the two that it links. Blank ids say nothing, except that an id given under two
/// names, or on both sides, must be given alike.
struct Relation {
    collection: Option<String>,
    bookmark: Option<Plain>,
    key: Option<i64>,
    verse: Option<i64>,
}

/// A plain value as text; `None` is `null`.
type Plain = Option<String>;

impl Relation {
    fn read(data: &Payload) -> Result<Self, Doubt> {
        let members = data.members();
        let camel = plain(&members, "bookmarkId")?;
        let snake = plain(&members, "bookmark_id")?;
        if camel.is_some() && snake.is_some() && camel != snake {
            return Err(Doubt::AliasesDisagree);
        }
        let whole = |name| Ok(plain(&members, name)?.flatten().and_then(|text| text.parse().ok()));
        Ok(Self {
            collection: plain(&members, "collectionId")?.flatten().filter(|id| !id.trim().is_empty()),
            bookmark: camel.or(snake),
            key: whole("key")?,
            verse: whole("verseNumber")?,
        })
    }

    fn bookmark(&self) -> Option<&str> {
        self.bookmark.as_ref()?.as_deref().filter(|id| !id.trim().is_empty())
    }

    fn agrees_with(&self, told: &Self) -> Result<(), Doubt> {
        fn differ<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
            matches!((a, b), (Some(a), Some(b)) if a != b)
        }
        if differ(self.collection.as_ref(), told.collection.as_ref()) {
            return Err(Doubt::CollectionDiffers);
        }
        if differ(self.bookmark.as_ref(), told.bookmark.as_ref()) {
            return Err(Doubt::BookmarkDiffers);
        }
        if differ(self.key.as_ref(), told.key.as_ref()) {
            return Err(Doubt::KeyDiffers);
        }
        if differ(self.verse.as_ref(), told.verse.as_ref()) {
            return Err(Doubt::VerseDiffers);
        }
        Ok(())
    }

    /// Whether a composite id is made of what stands beside it.
    fn fits(&self, id: &ResourceId) -> Result<(), Doubt> {
        let fits = match (self.collection.as_deref(), self.bookmark()) {
            (Some(collection), Some(bookmark)) => id.as_str() == composite(collection, bookmark),
            (Some(collection), None) => bookmark_half(id, collection).is_some(),
            (None, Some(bookmark)) => collection_half(id, bookmark).is_some(),
            (None, None) => true,
        };
        if fits { Ok(()) } else { Err(Doubt::CompositeDiffers) }
    }
}

/// The composite id, from what both sides say and, where a half is missing, from a composite with a known half.
fn composite_of(asked: &Relation, told: &Relation, ids: [Option<&ResourceId>; 2]) -> Option<ResourceId> {
    let ids = || ids.into_iter().flatten();
    let bookmark = told.bookmark().or(asked.bookmark());
    let collection = asked
        .collection
        .as_deref()
        .or(told.collection.as_deref())
        .or_else(|| ids().find_map(|id| collection_half(id, bookmark?)))?;
    let bookmark = bookmark.or_else(|| ids().find_map(|id| bookmark_half(id, collection)))?;
    Some(composite(collection, bookmark).into())
}

fn composite(collection: &str, bookmark: &str) -> String {
    format!("{collection}-{bookmark}")
}

fn bookmark_half<'a>(id: &'a ResourceId, collection: &str) -> Option<&'a str> {
    id.as_str().strip_prefix(collection)?.strip_prefix('-').filter(|half| !half.is_empty())
}

fn collection_half<'a>(id: &'a ResourceId, bookmark: &str) -> Option<&'a str> {
    id.as_str().strip_suffix(bookmark)?.strip_suffix('-').filter(|half| !half.is_empty())
}

/// A member as text, whatever plain value it is; the outer `None` is an absent member.
fn plain(members: &IndexMap<String, Json>, name: &str) -> Result<Option<Plain>, Doubt> {
    match members.get(name) {
        None => Ok(None),
        Some(Json::Null) => Ok(Some(None)),
        Some(Json::String(text)) => Ok(Some(Some(text.clone()))),
        Some(Json::Number(number)) => {
            Ok(Some(Some(number.as_i64().map_or_else(|| number.as_str().to_owned(), |n| n.to_string()))))
        }
        Some(Json::Bool(value)) => Ok(Some(Some(value.to_string()))),
        Some(Json::Array(_) | Json::Object(_) | Json::Opaque(_)) => Err(Doubt::NotPlain),
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::Text;
    use super::*;

    fn data(text: &str) -> Payload {
        Payload::new(Text::new(text.to_owned()))
    }

    fn sent(op: Op, kind: Kind, id: Option<&str>, members: &str) -> WireMutation {
        WireMutation { op, kind, resource_id: id.map(ResourceId::from), data: data(members) }
    }

    fn answer(of: &WireMutation, id: Option<&str>, members: &str) -> Acknowledgement {
        let (op, kind) = (of.op, of.kind.clone());
        let resource_id = id.map(ResourceId::from);
        Acknowledgement { op, kind, resource_id, data: data(members), timestamp: Some(Millis(7)) }
    }

    fn doubt(sent: &WireMutation, id: Option<&str>, members: &str) -> Option<Doubt> {
        check(std::slice::from_ref(sent), &[Ok(answer(sent, id, members))]).err().map(|error| error.doubt)
    }

    #[test]
    fn entries_that_changed_places_are_told_by_what_they_say() {
        let notes =
            ["one", "two"].map(|body| sent(Op::Create, Kind::Note, None, &format!(r#"{{"body":"{body}"}}"#)));
        let told = |of: &WireMutation, id| Ok(answer(of, Some(id), of.data.as_str().expect("there")));
        let [one, two] = &notes;
        assert!(check(&notes, &[told(one, "n1"), told(two, "n2")]).is_ok());
        let error = check(&notes, &[told(two, "n2"), told(one, "n1")]).expect_err("the other order");
        assert_eq!((error.index, error.doubt), (Some(0), Doubt::OfAnother));
        let trimmed = Ok(answer(two, Some("n2"), r#"{"body":"tw"}"#));
        assert!(check(&notes, &[told(one, "n1"), trimmed]).is_ok(), "a server may put it in other words");
        let alike = [one.clone(), one.clone()];
        assert!(check(&alike, &[told(one, "n2"), told(one, "n1")]).is_ok(), "then either is right");
    }

    #[test]
    fn the_mutation_in_doubt_is_named_by_position() {
        let first = sent(Op::Create, Kind::Note, None, "{}");
        let second = sent(Op::Update, Kind::Note, Some("n2"), "{}");
        let answers = [Ok(answer(&first, Some("n1"), "{}")), Ok(answer(&second, Some("n3"), "{}"))];
        let error = check(&[first.clone(), second], &answers).expect_err("the second differs");
        assert_eq!(error, AckError { index: Some(1), doubt: Doubt::IdDiffers });
        assert!(error.to_string().contains("mutation[1]"));
        let acked = check(&[first], &answers[..1]).expect("the first matches");
        assert_eq!(acked, [Acked { resource_id: Some("n1".into()), timestamp: Some(Millis(7)) }]);
    }

    #[test]
    fn an_unreadable_entry_puts_its_mutation_in_doubt() {
        let note = sent(Op::Create, Kind::Note, None, "{}");
        let entry =
            Unreadable { pointer: String::new(), page: 1, found: String::from("nothing"), expected: "an id" };
        let error = check(&[note], &[Err(entry)]).expect_err("unreadable");
        assert_eq!(error.index, Some(0));
        assert!(matches!(error.doubt, Doubt::Unreadable(_)));
    }

    #[test]
    fn link_ids_with_dashes_are_never_split_without_a_known_half() {
        let by_place = sent(Op::Create, Kind::Link, None, r#"{"collectionId":"a-b","key":2}"#);
        assert_eq!(doubt(&by_place, Some("a-b-c-d"), "{}"), None);
        assert_eq!(doubt(&by_place, Some("a-bc"), "{}"), Some(Doubt::Unverifiable));
        assert_eq!(doubt(&by_place, Some("a-b-"), "{}"), Some(Doubt::Unverifiable));
        assert_eq!(doubt(&by_place, Some("a-b-c"), r#"{"bookmarkId":"d"}"#), Some(Doubt::CompositeDiffers));
        assert_eq!(doubt(&by_place, None, "{}"), Some(Doubt::MissingId));
    }

    #[test]
    fn a_link_deleted_without_an_id_may_be_acknowledged_without_one() {
        let by_ids = sent(Op::Delete, Kind::Link, None, r#"{"collectionId":"c","bookmarkId":"b"}"#);
        let acked =
            check(std::slice::from_ref(&by_ids), &[Ok(answer(&by_ids, None, "{}"))]).expect("a match");
        assert_eq!(acked[0].resource_id, Some("c-b".into()));
        let by_place = sent(Op::Delete, Kind::Link, None, r#"{"collectionId":"c","key":2,"verseNumber":5}"#);
        assert_eq!(doubt(&by_place, None, "{}"), None);
        let by_composite = sent(Op::Delete, Kind::Link, Some("c-b"), "{}");
        assert_eq!(doubt(&by_composite, None, "{}"), Some(Doubt::MissingId));
    }

    #[test]
    fn every_member_of_a_link_must_agree_where_both_sides_have_it() {
        let link = sent(
            Op::Create,
            Kind::Link,
            None,
            r#"{"collectionId":"c","bookmarkId":"b","key":2,"verseNumber":5}"#,
        );
        for (members, expected) in [
            (r#"{"collectionId":"c","bookmark_id":"b","key":"2","verseNumber":5.0}"#, None),
            (r#"{"collectionId":"x"}"#, Some(Doubt::CollectionDiffers)),
            (r#"{"bookmark_id":"x"}"#, Some(Doubt::BookmarkDiffers)),
            (r#"{"key":3}"#, Some(Doubt::KeyDiffers)),
            (r#"{"verseNumber":6}"#, Some(Doubt::VerseDiffers)),
            (r#"{"collectionId":["c"]}"#, Some(Doubt::NotPlain)),
        ] {
            assert_eq!(doubt(&link, None, members), expected, "{members}");
        }
    }
}
