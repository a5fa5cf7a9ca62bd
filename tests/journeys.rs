//! The real binary without a screen, from the command line to the device file and the exit code.

#[path = "journeys/bench.rs"]
mod bench;

#[path = "journeys/bad_input.rs"]
mod bad_input;
#[path = "journeys/beyond.rs"]
mod beyond;
#[path = "journeys/cases.rs"]
mod cases;
#[path = "journeys/conflict_log.rs"]
mod conflict_log;
#[path = "journeys/disk.rs"]
mod disk;
#[path = "journeys/doubt.rs"]
mod doubt;
#[path = "journeys/fixing.rs"]
mod fixing;
#[path = "journeys/headless.rs"]
mod headless;
#[path = "journeys/hostile.rs"]
mod hostile;
#[path = "journeys/killed.rs"]
mod killed;
#[path = "journeys/other_account.rs"]
mod other_account;
#[path = "journeys/phone.rs"]
mod phone;
#[path = "journeys/phone_database.rs"]
mod phone_database;
#[path = "journeys/recovery.rs"]
mod recovery;
#[path = "journeys/report.rs"]
mod report;
#[path = "support/rng.rs"]
mod rng;
#[path = "support/schemas.rs"]
mod schemas;
#[path = "journeys/secrets.rs"]
mod secrets;
#[path = "journeys/team_log.rs"]
mod team_log;
#[path = "journeys/visible.rs"]
mod visible;
#[path = "journeys/why.rs"]
mod why;
