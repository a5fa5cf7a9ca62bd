//! Laws that hold for every input.

#[path = "properties/push.rs"]
mod push;
