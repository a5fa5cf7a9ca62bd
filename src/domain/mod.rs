//! What the tool knows about a stuck sync, and nothing of how it is read, sent or drawn: no I/O, no clock,
//! no async, no screen.

pub mod ack;
pub mod again;
pub mod answer;
pub mod bidi;
pub mod choices;
pub mod compare;
pub mod device;
pub mod diagnosis;
pub mod digest;
pub mod duration;
pub mod echo;
pub mod field;
pub mod fold;
pub mod given;
pub mod identity;
pub mod inspect;
pub mod json;
pub mod ledger;
pub mod lookalike;
pub mod mutation;
pub mod naming;
pub mod phone;
pub mod plan;
pub mod preflight;
pub mod push;
pub mod rebase;
pub mod resolution;
pub mod safe_text;
pub mod settle;
pub mod squash;
pub mod stamp;
pub mod strategy;
pub mod text;
pub mod window;
pub mod words;
