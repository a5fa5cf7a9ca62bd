//! The facts of `tests/fixtures/cases`, run against the domain.

#[path = "contracts/acks.rs"]
mod acks;
#[path = "contracts/answers.rs"]
mod answers;
#[path = "contracts/both_sides.rs"]
mod both_sides;
#[path = "contracts/cases.rs"]
mod cases;
#[path = "contracts/client_differences.rs"]
mod client_differences;
#[path = "contracts/client_observed.rs"]
mod client_observed;
#[path = "contracts/comparisons.rs"]
mod comparisons;
#[path = "contracts/device_file.rs"]
mod device_file;
#[path = "contracts/layers.rs"]
mod layers;
#[path = "contracts/log.rs"]
mod log;
#[path = "contracts/phone_database.rs"]
mod phone_database;
#[path = "contracts/readme.rs"]
mod readme;
#[path = "contracts/reports.rs"]
mod reports;
#[path = "support/schemas.rs"]
mod schemas;
#[path = "contracts/simulations.rs"]
mod simulations;
