//! Values as a person reads them, on one line or several, and with nothing in them that could steer a terminal.

use crate::domain::json::Json;
use crate::domain::{naming, safe_text};

/// A value as lines; at least one.
pub(super) fn lines(value: &Json) -> Vec<String> {
    match value {
        Json::String(text) if text.is_empty() => vec![String::from("(empty text)")],
        Json::String(text) => safe_text::visible(text).split('\n').map(str::to_owned).collect(),
        Json::Array(items) if items.is_empty() => vec![String::from("(empty list)")],
        Json::Array(items) if items.iter().all(|item| item.as_str().is_some()) => {
            vec![items.iter().map(item).collect::<Vec<_>>().join(", ")]
        }
        other => vec![naming::position_words(other).unwrap_or_else(|| item(other))],
    }
}

/// A value on one line, as an element among others.
pub(super) fn item(value: &Json) -> String {
    match value {
        Json::String(text) => safe_text::visible_line(text).into_owned(),
        other => safe_text::visible_line(&other.to_text()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_people_write_them() {
        for (json, expected) in [
            (r#""""#, "(empty text)"),
            ("null", "null"),
            ("[]", "(empty list)"),
            (r#"["2:255-2:255","3:1-3:2"]"#, "2:255-2:255, 3:1-3:2"),
            (r#"{"key":2,"verseNumber":255}"#, "2:255"),
            (r#"{"key":42}"#, "42"),
            (r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            ("[1,2]", "[1,2]"),
            (r#""\u001b[2J\u202e""#, "␛[2J<202E>"),
        ] {
            assert_eq!(lines(&Json::parse(json)), [expected], "{json}");
        }
        assert_eq!(lines(&Json::string("one\ntwo")), ["one", "two"]);
    }
}
