//! A value on one line, as people write it.

use crate::domain::json::Json;
use crate::domain::naming;

/// A value on one line: a text as it is, a position as `2:255`, anything else as JSON; `—` where the side says
/// nothing of it.
pub fn one_line(value: Option<&Json>) -> String {
    match value {
        None => String::from("—"),
        Some(Json::String(text)) if text.is_empty() => String::from("\"\""),
        Some(value) => naming::value_words(value),
    }
}
