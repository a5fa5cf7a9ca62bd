//! unstick opens a device whose sync is stuck on `409 OutOfSyncError`, shows both sides, lets a person
//! choose field by field what survives, and retries the sync.
//!
//! The data's way:
//!
//! ```text
//! device file ─┐
//!              ├─> inspect ──> Inspection ──> choices / strategy ──> Plan ──> push ──> Outcome ──> device file
//! server ──────┘    (pure)       (pure)            (pure)           (pure)   (I/O)       (409? rebase, ask again)
//! ```
//!
//! [`domain`] is pure: no I/O, no clock, no async, no screen. [`device`] and [`server`] read the two sides,
//! [`app`] turns events into effects, [`ui`] draws, [`runtime`] is the only owner of the terminal. [`session`] is one
//! device and its server: it carries out what the domain asks for, with or without a screen.
//!
//! Beside that way: [`sandbox`] is a server after the protocol's rules, [`simulate`] plays weeks of syncs through its
//! model ([`lab`] is what its screen shows), [`conflict_log`] keeps what was seen, [`report`] and [`case`] tell others.

pub mod app;
mod aside;
pub mod case;
mod child;
pub mod cli;
pub mod config;
pub mod conflict_log;
pub mod demo;
pub mod device;
pub mod domain;
pub mod drafts;
mod durable;
pub mod error;
pub mod exit;
pub mod headless;
pub mod interruption;
pub mod journal;
pub mod lab;
mod left_over;
pub mod log_file;
pub mod report;
pub mod report_file;
pub mod run;
pub mod runtime;
pub mod sandbox;
pub mod server;
pub mod session;
pub mod simulate;
#[cfg(test)]
mod testing;
pub mod tokens;
pub mod ui;
pub mod unwritten;
