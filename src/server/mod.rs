//! The sync API over HTTP: where it is, how it is spoken to, and how the server's window is pulled. Meaning is
//! read in [`crate::domain::answer`]; what to do about it is decided elsewhere.

pub mod client;
pub mod endpoint;
mod mask;
mod patience;
pub mod pull;
pub mod recorded;
pub mod token;
pub mod wire;

pub use client::{Client, Failure, Lost, Timeouts};
pub use endpoint::Endpoint;
pub(crate) use patience::jittered;
pub use pull::{PullError, pull};
pub use recorded::{Recording, recorded};
pub use token::Token;
