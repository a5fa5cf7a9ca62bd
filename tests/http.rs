//! Real HTTP over the loopback interface.

#[path = "http/canned.rs"]
mod canned;
#[path = "http/client.rs"]
mod client;
#[path = "http/faults.rs"]
mod faults;
#[path = "http/pull.rs"]
mod pull;
#[path = "http/retry.rs"]
mod retry;
#[path = "http/sandbox.rs"]
mod sandbox;
