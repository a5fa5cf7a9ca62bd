//! The three requests of the sync API, as URL and body (PROTOCOL A2, A3).

use reqwest::Url;
use serde::Serialize;

use crate::domain::mutation::{Cursor, WireMutation};

/// How many mutations a page may hold at most.
pub const PAGE_LIMIT: u32 = 1000;

pub(super) fn page_url(sync: &Url, since: Cursor, page: u32) -> Url {
    with_query(
        sync,
        &[
            ("mutationsSince", &since.to_string()),
            ("limit", &PAGE_LIMIT.to_string()),
            ("page", &page.to_string()),
        ],
    )
}

/// `mutationsSince` is required even where it means nothing.
pub(super) fn head_url(sync: &Url) -> Url {
    with_query(sync, &[("mutationsSince", "0"), ("metadataOnly", "true")])
}

pub(super) fn post_url(sync: &Url, head: Cursor) -> Url {
    with_query(sync, &[("lastMutationAt", &head.to_string())])
}

/// The body of a POST, byte for byte as it is sent. An error means that a payload is not JSON.
pub fn post_body(mutations: &[WireMutation]) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        mutations: &'a [WireMutation],
    }
    serde_json::to_string(&Body { mutations })
}

fn with_query(sync: &Url, pairs: &[(&str, &str)]) -> Url {
    let mut url = sync.clone();
    url.query_pairs_mut().extend_pairs(pairs);
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::Text;
    use crate::domain::mutation::{Kind, Op, Payload};

    #[test]
    fn requests_are_in_the_form_of_the_protocol() {
        let sync = Url::parse("https://h.example/auth/v1/sync").expect("a URL");
        let query = |url: Url| url.query().map(str::to_owned).unwrap_or_default();
        assert_eq!(query(page_url(&sync, Cursor::read(100), 2)), "mutationsSince=100&limit=1000&page=2");
        assert_eq!(query(head_url(&sync)), "mutationsSince=0&metadataOnly=true");
        assert_eq!(query(post_url(&sync, Cursor::FIRST_SYNC)), "lastMutationAt=-1");
    }

    #[test]
    fn a_body_holds_the_payloads_byte_for_byte() {
        let data = Payload::new(Text::new(String::from(r#"{"body": "\u0635"}"#)));
        let create = WireMutation { op: Op::Create, kind: Kind::Note, resource_id: None, data };
        let delete = WireMutation {
            op: Op::Delete,
            kind: Kind::Note,
            resource_id: Some("n/1".into()),
            data: Payload::ABSENT,
        };
        assert_eq!(
            post_body(&[create, delete]).expect("JSON"),
            r#"{"mutations":[{"type":"CREATE","resource":"NOTE","data":{"body": "\u0635"}},{"type":"DELETE","resource":"NOTE","resourceId":"n/1"}]}"#
        );
    }
}
