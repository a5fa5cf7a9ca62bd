//! Small readers that say what they found where they expected something else. The caller decides whether that
//! is an error or a warning. None of their words holds a payload.

use std::borrow::Cow;
use std::fmt;

use super::members::type_name;
use crate::domain::json::{Json, Members, string};

/// Members with such names would turn into something else on their way through `serde_json`.
const PRIVATE_PREFIX: &str = "$serde_json::private::";
/// How much of an id a message shows, characters.
const NAMED_CHARACTERS: usize = 60;

/// A place in a device file. Its `Display` is the JSON pointer.
#[derive(Clone, Copy, Default)]
pub(super) struct At<'a> {
    section: Option<&'a str>,
    row: Option<usize>,
    member: Option<&'a str>,
}

impl<'a> At<'a> {
    pub(super) const DOCUMENT: Self = Self { section: None, row: None, member: None };

    /// A member of the document.
    pub(super) const fn section(name: &'a str) -> Self {
        Self { section: Some(name), row: None, member: None }
    }

    /// The row at `index`, from 0.
    pub(super) const fn row(self, index: usize) -> Self {
        Self { row: Some(index), ..self }
    }

    /// A member of the section or row. `name` has nothing that a JSON pointer would escape.
    pub(super) const fn member(self, name: &'a str) -> Self {
        Self { member: Some(name), ..self }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { section: None, row: None, member: None } => f.write_str("(the whole document)"),
            Self { section, row, member } => {
                section.map_or(Ok(()), |name| write!(f, "/{name}"))?;
                row.map_or(Ok(()), |index| write!(f, "/{index}"))?;
                member.map_or(Ok(()), |name| write!(f, "/{name}"))
            }
        }
    }
}

/// What stands where it should not.
#[derive(Debug)]
pub(super) struct Misfit {
    /// JSON pointer to the place.
    pub(super) pointer: String,
    /// What was found, by type; ids are named, payloads never.
    pub(super) found: String,
    /// What was expected.
    pub(super) expected: &'static str,
}

impl Misfit {
    pub(super) fn new(at: At<'_>, found: impl Into<String>, expected: &'static str) -> Self {
        Self { pointer: at.to_string(), found: found.into(), expected }
    }
}

/// `null` in an optional member is the same as none.
pub(super) fn present(text: &str) -> Option<&str> {
    (text != "null").then_some(text)
}

/// The members of an object, each there once.
pub(super) fn object<'t>(at: At<'_>, text: &'t str) -> Result<Members<'t>, Misfit> {
    if !text.starts_with('{') {
        return Err(Misfit::new(at, type_name(text), "an object"));
    }
    let members = serde_json::from_str(text)
        .map_err(|_| Misfit::new(at, "a member whose name is not Unicode", "an object"))?;
    unambiguous(at, members)
}

/// `members`, unless one is there twice (most readers would silently keep the last) or has a name that
/// `serde_json` keeps to itself.
pub(super) fn unambiguous<'t>(at: At<'_>, members: Members<'t>) -> Result<Members<'t>, Misfit> {
    if let Some(name) = &members.repeated {
        return Err(Misfit::new(at, format!("the member {} twice", named(name)), "each member once"));
    }
    if members.list.iter().any(|(name, _)| name.starts_with(PRIVATE_PREFIX)) {
        let found = format!("a member whose name begins with {PRIVATE_PREFIX}");
        return Err(Misfit::new(at, found, "members of a device file"));
    }
    Ok(members)
}

/// A string that must be there and hold something.
pub(super) fn required<'t>(
    at: At<'_>,
    text: Option<&'t str>,
    expected: &'static str,
) -> Result<Cow<'t, str>, Misfit> {
    let text = text.ok_or_else(|| Misfit::new(at, "nothing", expected))?;
    match string(text) {
        Some(string) if string.is_empty() => Err(Misfit::new(at, "an empty string", expected)),
        Some(string) => Ok(string),
        None => Err(Misfit::new(at, string_type_name(text), expected)),
    }
}

/// A string that may be missing.
pub(super) fn optional<'t>(at: At<'_>, text: Option<&'t str>) -> Result<Option<Cow<'t, str>>, Misfit> {
    let read = |text| string(text).ok_or_else(|| Misfit::new(at, string_type_name(text), "a string"));
    text.and_then(present).map(read).transpose()
}

/// A number without a fraction, also when written `1769986347987.0` (PROTOCOL A6).
pub(super) fn whole(at: At<'_>, text: &str) -> Result<i64, Misfit> {
    text.parse().ok().or_else(|| Json::parse(text).as_i64()).ok_or_else(|| {
        let found = match type_name(text) {
            "a number" => "a number with a fraction or beyond 64 bits",
            other => other,
        };
        Misfit::new(at, found, "a whole number")
    })
}

/// A number of things.
pub(super) fn count(at: At<'_>, text: &str) -> Result<u64, Misfit> {
    whole(at, text).and_then(|count| {
        u64::try_from(count).map_err(|_| Misfit::new(at, "a number below 0", "a whole number"))
    })
}

/// An id for a message: quoted, shortened, and with nothing in it that could steer a terminal.
pub(super) fn named(id: &str) -> String {
    match id.char_indices().nth(NAMED_CHARACTERS) {
        Some((end, _)) => format!("{:?}…", id.get(..end).unwrap_or_default()),
        None => format!("{id:?}"),
    }
}

fn string_type_name(text: &str) -> &'static str {
    match type_name(text) {
        "a string" => "a string that is not Unicode",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_json_pointers() {
        let queue = At::section("queue");
        for (at, pointer) in [
            (At::DOCUMENT, "(the whole document)"),
            (queue, "/queue"),
            (queue.row(3).member("id"), "/queue/3/id"),
            (At::DOCUMENT.row(0), "/0"),
            (At::section("sync").member("lastMutationAt"), "/sync/lastMutationAt"),
        ] {
            assert_eq!(at.to_string(), pointer);
        }
    }

    #[test]
    fn ids_in_messages_are_short_and_harmless() {
        assert_eq!(named("n/1 - 🌙"), r#""n/1 - 🌙""#);
        assert_eq!(named("a\u{1b}[2J\u{202e}b"), r#""a\u{1b}[2J\u{202e}b""#);
        assert_eq!(named(&"ن".repeat(1000)).chars().count(), NAMED_CHARACTERS + 3);
    }

    #[test]
    fn strings_are_required_or_optional() {
        let found = |text| required(At::DOCUMENT, text, "an id").map_err(|misfit| misfit.found);
        assert_eq!(found(Some(r#""q1""#)).as_deref(), Ok("q1"));
        for (text, expected) in [
            (None, "nothing"),
            (Some("null"), "null"),
            (Some("1"), "a number"),
            (Some(r#""""#), "an empty string"),
            (Some(r#""\ud800""#), "a string that is not Unicode"),
        ] {
            assert_eq!(found(text), Err(expected.to_owned()));
        }
        assert!(matches!(optional(At::DOCUMENT, Some("null")), Ok(None)));
        assert!(matches!(optional(At::DOCUMENT, None), Ok(None)));
        assert!(optional(At::DOCUMENT, Some("{}")).is_err());
    }

    #[test]
    fn whole_numbers_may_be_written_with_a_zero_fraction() {
        assert!(matches!(whole(At::DOCUMENT, "1769986347987.0"), Ok(1_769_986_347_987)));
        assert!(matches!(whole(At::DOCUMENT, "-1"), Ok(-1)));
        for other in ["1.5", "9223372036854775808", "1e400", r#""1""#, "true", "{}"] {
            assert!(whole(At::DOCUMENT, other).is_err(), "{other}");
        }
        assert!(matches!(count(At::DOCUMENT, "3"), Ok(3)));
        assert!(count(At::DOCUMENT, "-1").is_err());
    }
}
