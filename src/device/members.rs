//! JSON values by their first byte, and the types that the protocol gives to the payload members it names.

/// What a value is, as a word for a message: never its content. `text` is valid JSON.
pub(super) fn type_name(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'n') => "null",
        Some(b't' | b'f') => "a boolean",
        Some(b'"') => "a string",
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        _ => "a number",
    }
}

/// What a known payload member should be (PROTOCOL A7), where `value` is something else. A client that trusts
/// these types stops there for ever (PROTOCOL A10, S-G3). `null` says that there is no value, and is no finding.
pub(super) fn wrong_type(member: &str, value: &str) -> Option<&'static str> {
    let (types, expected): (&[&str], _) = match member {
        "key" | "verseNumber" | "chapterNumber" | "mushaf" | "mushafId" => (&["a number"], "a number"),
        "body" | "name" | "type" | "collectionId" | "bookmarkId" | "bookmark_id" | "bookmarkGroup"
        | "slug" | "source" => (&["a string"], "a string"),
        "isReading" | "isInDefaultCollection" | "isDefault" | "isSystem" | "isPrivate" => {
            (&["a boolean"], "a boolean")
        }
        "ranges" | "attachedEntities" => (&["an array"], "an array"),
        "bookmarkType" => (&["a string", "an object"], "a string or an object"),
        "clientCreatedAt" | "clientUpdatedAt" => (&["a string", "a number"], "an ISO 8601 time or ms"),
        _ => return None,
    };
    let found = type_name(value);
    (found != "null" && !types.contains(&found)).then_some(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_members_have_types() {
        for (member, value) in [
            ("body", "1"),
            ("ranges", r#""1:1-1:1""#),
            ("key", "{}"),
            ("isReading", "[]"),
            ("isReading", r#""true""#),
            ("clientUpdatedAt", "true"),
        ] {
            assert!(wrong_type(member, value).is_some(), "{member}");
        }
        for (member, value) in [
            ("body", r#""""#),
            ("ranges", "[]"),
            ("key", "1e400"),
            ("isReading", "null"),
            ("bookmarkType", "{}"),
            ("clientUpdatedAt", "1769990400000"),
            ("somethingNew", "{}"),
        ] {
            assert_eq!(wrong_type(member, value), None, "{member}");
        }
    }
}
