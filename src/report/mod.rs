//! Headless output: an inspection or a plan for people ([`inspection::Report::write_human`]) and for programs
//! (`write_json`), written piece by piece. Knows the domain; must not know files, servers or the screen.
//!
//! Every text of a file or of the server passes through [`crate::domain::safe_text`] on its way out; JSON keeps
//! its meaning, what could steer a terminal is escaped in it.

pub mod inspection;
pub mod plan;
pub mod style;

mod entries;
mod human;
mod lines;
