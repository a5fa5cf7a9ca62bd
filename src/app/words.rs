//! A value on one line, as people write it.

use indexmap::IndexMap;

use crate::domain::json::Json;

/// A value on one line: a text as it is, anything else as JSON; `—` where the side says nothing of it.
pub fn one_line(value: Option<&Json>) -> String {
    match value {
        None => String::from("—"),
        Some(Json::String(text)) if text.is_empty() => String::from("\"\""),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(items)) if items.iter().all(|item| item.as_str().is_some()) && !items.is_empty() => {
            items.iter().filter_map(Json::as_str).map(short_range).collect::<Vec<_>>().join("  ")
        }
        Some(Json::Object(members)) if is_place(members) => place(members),
        Some(value) => value.to_text(),
    }
}

/// `2:255-2:255` is one verse: `2:255`.
fn short_range(range: &str) -> &str {
    match range.split_once('-') {
        Some((from, to)) if from == to => from,
        _ => range,
    }
}

/// A coupled position is written as people write it: `18:10`.
fn is_place(members: &IndexMap<String, Json>) -> bool {
    !members.is_empty()
        && members.iter().all(|(name, value)| {
            matches!(name.as_str(), "key" | "verseNumber" | "chapterNumber")
                && matches!(value, Json::Number(_))
        })
}

fn place(members: &IndexMap<String, Json>) -> String {
    let number = |names: [&str; 2]| {
        names.iter().find_map(|name| match members.get(*name) {
            Some(Json::Number(number)) => Some(number.as_str().to_owned()),
            _ => None,
        })
    };
    let parts = [number(["key", "chapterNumber"]), number(["verseNumber", "verseNumber"])];
    parts.into_iter().flatten().collect::<Vec<_>>().join(":")
}
