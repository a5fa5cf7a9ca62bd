//! Good answers: a page of the feed (GET, PROTOCOL A2) and the acknowledgements of a POST (PROTOCOL A3).

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::ack::Acknowledgement;
use super::super::json::Text;
use super::super::mutation::{Cursor, ServerMutation};
use super::super::phone::Feed;
use super::super::window::Unreadable;
use super::entry::{EntryReader, Misfit, TWICE, found_type, whole_number};
use super::refusal::description;
use super::{Refusal, ResponseHead};

/// One page of the server's feed.
#[derive(Clone, Debug)]
pub struct Page {
    /// `lastMutationAt`: the server's head when it made this page.
    pub head: Cursor,
    /// `X-Mutation-At`, which should say the same (PROTOCOL D16).
    pub header_head: Option<Cursor>,
    /// The mutations that could be read, in the order of the page; none on a `metadataOnly` answer.
    pub mutations: Vec<ServerMutation>,
    /// The entries that could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Whether there was a list of mutations, be it empty. A `metadataOnly` answer has none.
    pub listed: bool,
    /// What the phone's own decoder makes of the page, as far as that is something else.
    pub phone: Feed,
    /// The page's number, where the server says it.
    pub page: Option<u64>,
    /// Its size, where the server says it; may be smaller than what was asked for.
    pub limit: Option<u64>,
    /// How many mutations all pages hold, where the server says it.
    pub total: Option<u64>,
    /// Whether there are more pages, where the server says it.
    pub has_more: Option<bool>,
    /// Size of the body.
    pub bytes: usize,
    /// What a person should know about the page.
    pub warnings: Vec<String>,
}

impl Page {
    /// How many entries the page held, readable or not.
    pub fn entries(&self) -> usize {
        self.mutations.len() + self.unreadable.len()
    }
}

/// The answer to an accepted POST.
#[derive(Clone, Debug)]
pub struct PostAnswer {
    /// The new head; the next POST carries it (PROTOCOL A3).
    pub head: Cursor,
    /// `X-Mutation-At`, which should say the same.
    pub header_head: Option<Cursor>,
    /// One per mutation sent, by position; [`crate::domain::ack::check`] compares them with what was sent.
    pub acknowledgements: Vec<Result<Acknowledgement, Unreadable>>,
    /// What a person should know about the answer.
    pub warnings: Vec<String>,
}

/// Why an answer is not a good one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is a refusal.
    #[error(transparent)]
    Refused(Refusal),
    /// It is none that the protocol knows.
    #[error(transparent)]
    Garbage(Garbage),
}

impl From<Garbage> for AnswerError {
    fn from(garbage: Garbage) -> Self {
        Self::Garbage(garbage)
    }
}

/// An answer that the protocol does not know. Holds no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Garbage {
    /// The body is not JSON.
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser expected.
        reason: String,
        /// Content type, size and, of an HTML page, the title.
        description: String,
    },
    /// Something stands where it should not.
    Shape {
        /// JSON pointer; empty for the whole body.
        pointer: String,
        /// What was found, by type.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The status says yes, but not that this is the whole answer: 206 for instance.
    Status(u16),
}

impl Garbage {
    /// A place of the body that is not as the protocol has it.
    fn shape(pointer: &str, found: Option<&RawValue>, expected: &'static str) -> Self {
        Self::Shape { pointer: pointer.to_owned(), found: found_type(found).to_owned(), expected }
    }

    /// A syntax error in a body of which `description` says what it is.
    pub(crate) fn syntax(error: &serde_json::Error, description: String) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
        Self::Syntax { line, column, reason, description }
    }
}

impl fmt::Display for Garbage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { line, column, reason, description } => {
                write!(f, "the answer is not JSON ({description}): {reason} at line {line}, column {column}")
            }
            Self::Status(status) => {
                write!(f, "the answer has the status {status}, and only 200 stands for a whole answer")
            }
            Self::Shape { pointer, found, expected } if pointer.is_empty() => {
                write!(f, "the answer holds {found} where {expected} was expected")
            }
            Self::Shape { pointer, found, expected } => {
                write!(f, "the answer holds {found} at {pointer}, where {expected} was expected")
            }
        }
    }
}

impl std::error::Error for Garbage {}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    success: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<Data<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow)]
    last_mutation_at: Option<&'a RawValue>,
    #[serde(borrow)]
    mutations: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    page: Option<&'a RawValue>,
    #[serde(borrow)]
    limit: Option<&'a RawValue>,
    #[serde(borrow)]
    total: Option<&'a RawValue>,
    #[serde(borrow)]
    has_more: Option<&'a RawValue>,
    /// Whether the answer says plainly that it is a good one.
    #[serde(skip)]
    success: bool,
}

/// Reads a GET's answer as page `number`. A refusal of any shape, `success: false` included, is an error, and so
/// is an answer without a head; a bad entry is only itself unreadable.
pub fn read_page(head: &ResponseHead, body: &Text, number: u32) -> Result<Page, AnswerError> {
    let data = read_data(head, body.as_str())?;
    let mut warnings = Vec::new();
    let cursor = read_head(&data)?;
    let header_head = header_head(head, cursor, number, &mut warnings);
    let entries = data.mutations.as_deref().unwrap_or_default();

    let mut reader = EntryReader::new(body);
    let mut mutations = Vec::with_capacity(entries.len());
    let mut unreadable = Vec::new();
    for (at, &raw) in entries.iter().enumerate() {
        match reader.read_mutation(raw) {
            Ok(mutation) => mutations.push(mutation),
            Err(misfit) => unreadable.push(at_entry(at, number, misfit)),
        }
    }
    if reader.fractions > 0 {
        warnings.push(format!(
            "page {number}: {} timestamps have fractions of a millisecond, which were cut off; the phone cannot read such numbers",
            reader.fractions
        ));
    }
    let odd = is_odd(&data);
    let mut count = |name: &str, raw: Option<&RawValue>| {
        let value = raw.and_then(whole_number).and_then(|n| u64::try_from(n).ok());
        if raw.is_some() && value.is_none() {
            warnings.push(format!("page {number}: {name} is not a count and is ignored"));
        }
        value
    };
    Ok(Page {
        head: cursor,
        header_head,
        phone: if odd || reader.odd || !unreadable.is_empty() {
            Feed::of_answer(body, number)
        } else {
            Feed::default()
        },
        mutations,
        unreadable,
        listed: data.mutations.is_some(),
        page: count("page", data.page),
        limit: count("limit", data.limit),
        total: count("total", data.total),
        has_more: match data.has_more.map(RawValue::get) {
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => {
                warnings.push(format!("page {number}: hasMore is neither true nor false and is ignored"));
                None
            }
            None => None,
        },
        bytes: body.as_str().len(),
        warnings,
    })
}

/// Reads the answer to a POST. It says that the POST was accepted as soon as there is a head; entries that cannot
/// be read are errors of their own.
pub fn read_post(head: &ResponseHead, body: &Text) -> Result<PostAnswer, AnswerError> {
    let data = read_data(head, body.as_str())?;
    let mut warnings = Vec::new();
    let cursor = read_head(&data)?;
    let header_head = header_head(head, cursor, 1, &mut warnings);
    let entries = data.mutations.as_deref().unwrap_or_default();
    let mut reader = EntryReader::new(body);
    let acknowledgements = entries
        .iter()
        .enumerate()
        .map(|(at, &raw)| reader.read(raw).map_err(|misfit| at_entry(at, 1, misfit)))
        .collect();
    Ok(PostAnswer { head: cursor, header_head, acknowledgements, warnings })
}

/// Whether the phone may read what stands around the entries in another way.
fn is_odd(data: &Data) -> bool {
    let digits = |raw: &RawValue| raw.get().len() < 10 && raw.get().bytes().all(|b| b.is_ascii_digit());
    let counts = [data.page, data.limit, data.total];
    !data.success
        || data.mutations.is_none()
        || data.last_mutation_at.is_none_or(|raw| raw.get().parse::<i64>().is_err())
        || counts.into_iter().flatten().any(|raw| !digits(raw))
        || data.has_more.is_some_and(|raw| !matches!(raw.get(), "true" | "false"))
}

fn at_entry(at: usize, page: u32, misfit: Misfit) -> Unreadable {
    let Misfit { member, found, expected } = misfit;
    Unreadable { pointer: format!("/data/mutations/{at}{member}"), page, found, expected }
}

/// The `data` of a good answer, its entries still text: one pass over the body.
fn read_data<'a>(head: &ResponseHead, body: &'a str) -> Result<Data<'a>, AnswerError> {
    let refused = || AnswerError::Refused(Refusal::read(head, body));
    match head.status {
        200 | 201 => {}
        // Part of an answer, an answer to come, an answer that something on the way changed.
        202..=299 => return Err(Garbage::Status(head.status).into()),
        _ => return Err(refused()),
    }
    match serde_json::from_str::<Envelope>(body) {
        Ok(Envelope { success: Some(success), .. }) if success.get() == "false" => Err(refused()),
        Ok(Envelope { success, data: Some(data), .. }) => {
            Ok(Data { success: success.is_some_and(|raw| raw.get() == "true"), ..data })
        }
        Ok(Envelope { error: None, message: None, .. }) => {
            Err(Garbage::shape("/data", None, "an object").into())
        }
        Ok(_) => Err(refused()),
        Err(error) if error.is_data() => Err(misfit(head, body)),
        Err(error) => Err(Garbage::syntax(&error, description(head, body)).into()),
    }
}

/// What in a body of valid JSON is not as an answer should be.
fn misfit(head: &ResponseHead, body: &str) -> AnswerError {
    #[derive(Deserialize)]
    struct Loose<'a> {
        #[serde(borrow)]
        success: Option<&'a RawValue>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct LooseData<'a> {
        #[serde(borrow)]
        mutations: Option<&'a RawValue>,
    }
    let twice = |pointer: &str| Garbage::Shape {
        pointer: pointer.to_owned(),
        found: String::from(TWICE),
        expected: "each member once",
    };
    let whole = match serde_json::from_str::<&RawValue>(body) {
        Ok(whole) => whole,
        Err(error) => return Garbage::syntax(&error, description(head, body)).into(),
    };
    if !whole.get().starts_with('{') {
        return Garbage::shape("", Some(whole), "an object with success and data").into();
    }
    let Ok(outer) = serde_json::from_str::<Loose>(body) else { return twice("").into() };
    if outer.success.is_some_and(|success| success.get() == "false") {
        return AnswerError::Refused(Refusal::read(head, body));
    }
    let Some(data) = outer.data.filter(|data| data.get().starts_with('{')) else {
        return Garbage::shape("/data", outer.data, "an object").into();
    };
    match serde_json::from_str::<LooseData>(data.get()) {
        Ok(LooseData { mutations: Some(list) }) if !list.get().starts_with('[') => {
            Garbage::shape("/data/mutations", Some(list), "an array").into()
        }
        Ok(_) | Err(_) => twice("/data").into(),
    }
}

fn read_head(data: &Data) -> Result<Cursor, Garbage> {
    let value = data.last_mutation_at.and_then(whole_number).map(Cursor::read);
    value.ok_or_else(|| {
        Garbage::shape(
            "/data/lastMutationAt",
            data.last_mutation_at,
            "a whole number of ms, the server's head",
        )
    })
}

/// `X-Mutation-At`, compared with the body, which goes before it (PROTOCOL D16).
fn header_head(head: &ResponseHead, body: Cursor, page: u32, warnings: &mut Vec<String>) -> Option<Cursor> {
    let header = head.mutation_at.as_deref()?;
    let value = serde_json::from_str::<&RawValue>(header).ok().and_then(whole_number).map(Cursor::read);
    match value {
        None => {
            warnings.push(format!("page {page}: the header X-Mutation-At is not a number and is ignored"));
        }
        Some(value) if value != body => warnings.push(format!(
            "page {page}: the header X-Mutation-At says {value}, the body says {body}; the body is used"
        )),
        Some(_) => {}
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Result<Page, AnswerError> {
        read_page(&ResponseHead::ok(), &Text::new(body.to_owned()), 1)
    }

    fn garbage(body: &str) -> Garbage {
        match page(body) {
            Err(AnswerError::Garbage(garbage)) => garbage,
            other => panic!("{body}: {other:?}"),
        }
    }

    fn shape_of(body: &str) -> (String, String) {
        match garbage(body) {
            Garbage::Shape { pointer, found, .. } => (pointer, found),
            Garbage::Syntax { .. } | Garbage::Status(_) => panic!("{body}: a syntax error"),
        }
    }

    #[test]
    fn a_bad_entry_is_one_bad_entry() {
        let page = page(
            r#"{"success":true,"requestId":"r","data":{"lastMutationAt":9.0,"hasMore":true,"total":4,"limit":4,"page":1,"x":1,
            "mutations":[{"type":"DELETE","resource":"NOTE","resourceId":"n1","data":{},"timestamp":8},
                         {"type":"DELETE","resource":"NOTE","resourceId":"n2"},
                         7,
                         {"type":"CREATE","resource":"HIGHLIGHT","resourceId":"h1","data":{"a":1},"timestamp":9}]}}"#,
        )
        .expect("a page");
        assert_eq!(page.head, Cursor::read(9));
        assert_eq!(
            (page.page, page.limit, page.total, page.has_more),
            (Some(1), Some(4), Some(4), Some(true))
        );
        assert_eq!(page.entries(), 4);
        let kinds: Vec<_> = page.mutations.iter().map(|m| m.kind.wire()).collect();
        assert_eq!(kinds, ["NOTE", "HIGHLIGHT"]);
        let pointers: Vec<_> = page.unreadable.iter().map(|entry| entry.pointer.as_str()).collect();
        assert_eq!(pointers, ["/data/mutations/1/timestamp", "/data/mutations/2"]);
        assert!(page.warnings.is_empty(), "{:?}", page.warnings);
    }

    #[test]
    fn a_page_may_lack_everything_but_the_head() {
        let page = page(r#"{"data":{"lastMutationAt":-1,"mutations":null,"total":null}}"#).expect("a page");
        assert_eq!(page.head, Cursor::FIRST_SYNC);
        assert_eq!((page.entries(), page.total, page.has_more), (0, None, None));
    }

    #[test]
    fn what_is_wrong_with_a_body_is_told_by_pointer_and_type() {
        for (body, pointer, found) in [
            ("[]", "", "an array"),
            ("\"secret\"", "", "a string"),
            ("{}", "/data", "nothing"),
            (r#"{"success":true,"data":"secret"}"#, "/data", "a string"),
            (r#"{"success":true,"data":[]}"#, "/data", "an array"),
            (r#"{"data":{}}"#, "/data/lastMutationAt", "nothing"),
            (r#"{"data":{"lastMutationAt":"5"}}"#, "/data/lastMutationAt", "a string"),
            (r#"{"data":{"lastMutationAt":5.5}}"#, "/data/lastMutationAt", "a number"),
            (r#"{"data":{"lastMutationAt":1e30}}"#, "/data/lastMutationAt", "a number"),
            (r#"{"data":{"lastMutationAt":5,"mutations":{}}}"#, "/data/mutations", "an object"),
            (r#"{"data":{"lastMutationAt":5,"lastMutationAt":6}}"#, "/data", TWICE),
            (r#"{"data":{"lastMutationAt":5},"data":{}}"#, "", TWICE),
        ] {
            assert_eq!(shape_of(body), (pointer.to_owned(), found.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_body_that_is_not_json_is_described_and_not_quoted() {
        for body in ["", "secret", "{\"data\":", "<title>Wi-Fi login</title>secret", "{\"data\":{}} secret"] {
            let text = garbage(body).to_string();
            assert!(text.starts_with("the answer is not JSON (") && !text.contains("secret"), "{text}");
        }
        assert!(garbage("<title>Wi-Fi login</title>").to_string().contains("“Wi-Fi login”"));
    }

    #[test]
    fn a_good_status_with_an_error_inside_is_a_refusal() {
        for body in [
            r#"{"success":false,"data":{"lastMutationAt":5}}"#,
            r#"{"success":false,"data":"x"}"#,
            r#"{"error":{"code":"X","message":"y"}}"#,
            r#"{"message":"y","type":"x"}"#,
        ] {
            assert!(matches!(page(body), Err(AnswerError::Refused(_))), "{body}");
        }
    }

    #[test]
    fn part_of_an_answer_is_no_answer() {
        let body = Text::new(String::from(r#"{"data":{"lastMutationAt":5,"mutations":[]}}"#));
        for status in [202, 203, 204, 206, 299] {
            let head = ResponseHead { status, ..ResponseHead::ok() };
            let garbage = AnswerError::Garbage(Garbage::Status(status));
            assert_eq!(read_page(&head, &body, 1).err(), Some(garbage.clone()));
            assert_eq!(read_post(&head, &body).err(), Some(garbage));
        }
        let created = ResponseHead { status: 201, ..ResponseHead::ok() };
        assert!(read_post(&created, &body).is_ok());
    }

    #[test]
    fn the_header_is_compared_with_the_body() {
        let with = |header: &str| {
            let head = ResponseHead { mutation_at: Some(header.to_owned()), ..ResponseHead::ok() };
            read_page(&head, &Text::new(String::from(r#"{"data":{"lastMutationAt":5}}"#)), 2).expect("a page")
        };
        assert!(with("5").warnings.is_empty());
        assert_eq!(with("5").header_head, Some(Cursor::read(5)));
        assert_eq!(
            with("6").warnings,
            ["page 2: the header X-Mutation-At says 6, the body says 5; the body is used"]
        );
        assert_eq!(with("6").head, Cursor::read(5));
        assert_eq!(with("soon").header_head, None);
    }

    #[test]
    fn odd_page_facts_are_ignored_with_a_warning() {
        let page = page(
            r#"{"data":{"lastMutationAt":5,"page":"1","limit":-1,"total":1.5,"hasMore":"yes",
                "mutations":[{"type":"DELETE","resource":"NOTE","timestamp":1.25}]}}"#,
        )
        .expect("a page");
        assert_eq!((page.page, page.limit, page.total, page.has_more), (None, None, None, None));
        assert_eq!(page.warnings.len(), 5);
    }

    #[test]
    fn a_post_answer_is_accepted_as_soon_as_it_has_a_head() {
        let body = r#"{"success":true,"data":{"lastMutationAt":9,"mutations":[
            {"type":"CREATE","resource":"NOTE","resourceId":"n1","timestamp":9},{"type":"CREATE"}]}}"#;
        let answer = read_post(&ResponseHead::ok(), &Text::new(body.to_owned())).expect("an answer");
        assert_eq!(answer.head, Cursor::read(9));
        assert!(answer.acknowledgements[0].is_ok());
        let entry = answer.acknowledgements[1].as_ref().expect_err("no resource");
        assert_eq!(entry.pointer, "/data/mutations/1/resource");
    }
}
