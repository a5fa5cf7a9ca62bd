//! Real HTTP over the loopback interface.

#[path = "http/sandbox.rs"]
mod sandbox;
