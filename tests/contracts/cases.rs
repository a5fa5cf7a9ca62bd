//! Every case of `tests/fixtures/cases` about what the phone's client groups, resolves and refuses, run against
//! the model of that client and against the inspection. What is not checked is named in [`inventory`], with the
//! reason.

#[path = "cases/case.rs"]
pub mod case;
#[path = "cases/grouping.rs"]
mod grouping;
#[path = "cases/inventory.rs"]
mod inventory;
#[path = "cases/losses.rs"]
mod losses;
#[path = "cases/persistence.rs"]
mod persistence;
#[path = "cases/phone.rs"]
pub mod phone;
#[path = "cases/sample.rs"]
mod sample;
#[path = "cases/wire.rs"]
mod wire;
