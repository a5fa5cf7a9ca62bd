//! The question of a `GET /v1/sync` (PROTOCOL A2).

use super::refusal::{Reason, Refusal};
use crate::domain::mutation::{Cursor, Kind};

/// What a pull asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// `mutationsSince`: only what was written after it, ms.
    pub since: Cursor,
    /// `resources`: only these kinds; `None` is every kind that the token may see.
    pub resources: Option<Vec<Kind>>,
    /// `metadataOnly`: the head alone.
    pub metadata_only: bool,
    /// `limit`: entries a page, 1 to 1000.
    pub limit: u64,
    /// `page`: from 1.
    pub page: u64,
}

impl Query {
    /// Everything since `since`, in pages of the default 100.
    pub const fn since(since: Cursor) -> Self {
        Self { since, resources: None, metadata_only: false, limit: 100, page: 1 }
    }

    /// Reads the decoded parameters of a request; parameters of other names are ignored.
    ///
    /// # Errors
    /// [`Reason::Malformed`] where a value cannot be read or `mutationsSince` is missing,
    /// [`Reason::Unprocessable`] where it can be read and is out of bounds.
    pub fn read(parameters: &[(String, String)]) -> Result<Self, Refusal> {
        let mut since = None;
        let mut query = Self::since(Cursor::ZERO);
        for (name, text) in parameters {
            let malformed = || Refusal::new(Reason::Malformed, format!("\"{name}\" cannot be read"));
            match name.as_str() {
                "mutationsSince" => since = Some(cursor(text).ok_or_else(malformed)?),
                "resources" => query.resources = Some(kinds(text)?),
                "metadataOnly" => query.metadata_only = text.parse().map_err(|_| malformed())?,
                "limit" => query.limit = text.parse().map_err(|_| malformed())?,
                "page" => query.page = text.parse().map_err(|_| malformed())?,
                _ => {}
            }
        }
        query.since =
            since.ok_or_else(|| Refusal::new(Reason::Malformed, "\"mutationsSince\" is required"))?;
        query.check()?;
        Ok(query)
    }

    /// Whether the page and its size are within the bounds of PROTOCOL A2.
    ///
    /// # Errors
    /// [`Reason::Unprocessable`] where they are not.
    pub fn check(&self) -> Result<(), Refusal> {
        let out_of_bounds = |message| Err(Refusal::new(Reason::Unprocessable, message));
        match (self.limit, self.page) {
            (0 | 1001.., _) => out_of_bounds("\"limit\" must be between 1 and 1000"),
            (_, 0) => out_of_bounds("\"page\" must be greater than or equal to 1"),
            _ => Ok(()),
        }
    }
}

/// A cursor as a query writes it: ms, also as a fractional number without a fraction (PROTOCOL A6).
pub(super) fn cursor(text: &str) -> Option<Cursor> {
    let whole = text.split_once('.').map_or(Some(text), |(whole, fraction)| {
        (!fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0')).then_some(whole)
    })?;
    whole.parse().ok().map(Cursor::read)
}

fn kinds(list: &str) -> Result<Vec<Kind>, Refusal> {
    let kind = |word: &str| match Kind::from_wire(word.trim()) {
        Kind::Other(word) => {
            Err(Refusal::new(Reason::Unprocessable, format!("Invalid resource: \"{word}\"")))
        }
        known @ (Kind::Bookmark | Kind::Collection | Kind::Link | Kind::Note | Kind::ReadingSession) => {
            Ok(known)
        }
    };
    list.split(',').map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parameters: &[(&str, &str)]) -> Result<Query, Reason> {
        let owned: Vec<_> = parameters.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Query::read(&owned).map_err(|refusal| refusal.reason)
    }

    #[test]
    fn the_defaults_are_those_of_the_protocol() {
        assert_eq!(read(&[("mutationsSince", "0")]), Ok(Query::since(Cursor::ZERO)));
        assert_eq!(read(&[("mutationsSince", "-1")]).map(|q| q.since), Ok(Cursor::FIRST_SYNC));
        assert_eq!(read(&[("mutationsSince", "17.0")]).map(|q| q.since), Ok(Cursor::read(17)));
    }

    #[test]
    fn mutations_since_is_required_even_with_metadata_only() {
        assert_eq!(read(&[("metadataOnly", "true")]), Err(Reason::Malformed));
    }

    #[test]
    fn what_cannot_be_read_is_400_and_what_is_out_of_bounds_422() {
        for (name, value, reason) in [
            ("mutationsSince", "yesterday", Reason::Malformed),
            ("mutationsSince", "1.5", Reason::Malformed),
            ("metadataOnly", "perhaps", Reason::Malformed),
            ("limit", "ten", Reason::Malformed),
            ("page", "-1", Reason::Malformed),
            ("limit", "0", Reason::Unprocessable),
            ("limit", "1001", Reason::Unprocessable),
            ("page", "0", Reason::Unprocessable),
            ("resources", "NOTE,SONG", Reason::Unprocessable),
        ] {
            assert_eq!(read(&[("mutationsSince", "0"), (name, value)]), Err(reason), "{name}={value}");
        }
    }
}
