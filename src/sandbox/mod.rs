//! An embedded sync server: the protocol as a pure model, real HTTP over it, and scenarios to open it with.
//!
//! It is a strict server of its own and knows nothing of the inspector, so that a client that works against it
//! has been told about every mistake. Where the protocol leaves the real server's behaviour open (PROTOCOL
//! `[?]`), the model makes a choice and says so: see [`model`].

mod apply;
mod connection;
pub mod exact;
pub mod fault;
mod form;
pub mod http;
mod ids;
mod meddle;
pub mod model;
pub mod phone;
pub mod query;
pub mod refusal;
mod resource;
pub mod scenario;
pub mod scopes;
mod store;
