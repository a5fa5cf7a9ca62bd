//! Device files: read from a path or standard input, written back with every byte kept that the push did not
//! change. Knows files and JSON text; must not know the server, the screen or what a plan is.

pub mod json;
pub(crate) mod patient;
pub mod phone_database;
pub mod source;
pub mod write_back;

mod document;
mod members;
mod misfit;
mod rows;
mod splice;
mod warning;

pub use json::DeviceFile;
pub use warning::Warning;
