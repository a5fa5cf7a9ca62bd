//! JSON text as `serde_json::Value`, exactly: what `serde_json` itself would read as something else is refused.

use serde_json::{Map, Number, Value};

use crate::domain::json::Json;

/// The value of `text`. Unlike `serde_json::from_str` it keeps members named `$serde_json::private::…` as
/// the members they are. `None` where the value has no exact form here: not JSON, a member twice, a lone surrogate,
/// nested too deep, a number beyond f64.
pub fn value(text: &str) -> Option<Value> {
    serde_json::from_str::<&serde_json::value::RawValue>(text).ok()?;
    of(Json::parse(text))
}

/// The same of a value that was read already.
pub fn of(json: Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Number(number.as_str().parse::<Number>().ok()?),
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::Array(items.into_iter().map(of).collect::<Option<_>>()?),
        Json::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| Some((name, of(value)?)))
                .collect::<Option<Map<_, _>>>()?,
        ),
        Json::Opaque(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_stays_a_key() {
        let text = r#"{"$serde_json::private::RawValue":"{\"a\":1}"}"#;
        let read = value(text).expect("it is JSON");
        assert_eq!(read["$serde_json::private::RawValue"], "{\"a\":1}");
        assert_ne!(read, serde_json::from_str::<Value>(text).expect("serde_json reads something else"));
    }

    #[test]
    fn what_has_no_exact_form_is_refused() {
        for text in [r#"{"a":1,"a":2}"#, r#""\ud800""#, "1e400", "[1", "", "{} {}"] {
            assert_eq!(value(text), None, "{text}");
        }
        assert_eq!(value(" [1, 2.5, null] "), Some(serde_json::json!([1, 2.5, null])));
    }
}
