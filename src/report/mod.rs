//! Headless output: an inspection or a plan for people ([`inspection::Report::write_human`]) and for programs
//! (`write_json`), written piece by piece; what came of a push for programs ([`outcome`]) and for a ticket
//! ([`push`]). Knows the domain; must not know files, servers or the screen.
//!
//! Every text of a file or of the server passes through [`crate::domain::safe_text`] on its way out; JSON keeps
//! its meaning, what could steer a terminal is escaped in it.

pub mod account;
pub mod audit;
pub mod comparison;
pub mod doubt;
pub mod inspection;
pub mod log;
pub mod outcome;
pub mod plan;
pub mod push;
pub mod redact;
pub mod simulation;
pub mod style;
pub mod why;

pub(crate) mod lines;

mod entries;
mod human;
mod markdown;
mod table_format;

pub use table_format::TableFormat;
