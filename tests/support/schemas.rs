//! What the program writes, held against the schemas in `assets/schemas`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use unstick::domain::json::Json;

/// The document; what `serde_json` cannot represent (`1e400`, half a surrogate pair, a member twice) as its text.
pub fn parsed(text: &str) -> Value {
    fn value(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Number(number) => {
                serde_json::from_str(number.as_str()).unwrap_or_else(|_| json!(number.as_str()))
            }
            Json::String(text) => json!(text),
            Json::Array(items) => items.iter().map(value).collect(),
            Json::Object(members) => members.iter().map(|(name, json)| (name.clone(), value(json))).collect(),
            Json::Opaque(text) => json!(text),
        }
    }
    let checked: &serde_json::value::RawValue = serde_json::from_str(text).expect("a JSON document");
    value(&Json::parse(checked.get()))
}

/// A schema that allows no member that it does not describe. Readers must expect more; what is written must not
/// go beyond it.
fn closed(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(closed);
            if members.get("properties").is_some_and(Value::is_object) {
                members.entry("additionalProperties").or_insert(Value::Bool(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(closed),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A schema of `assets/schemas`.
pub fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/schemas").join(name);
    parsed(&fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// What of a document the schema does not allow.
pub fn problems(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap_or_else(|error| panic!("{error}"));
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The schema allows the document, and describes every member of it.
pub fn assert_described(name: &str, document: &str) {
    let mut schema = schema(name);
    closed(&mut schema);
    assert_eq!(problems(&schema, &parsed(document)), [""; 0], "{name}");
}
