//! Laws that hold for every input.

#[path = "properties/bytes.rs"]
mod bytes;
#[path = "properties/case_files.rs"]
mod case_files;
#[path = "properties/contests.rs"]
mod contests;
#[path = "properties/doubt.rs"]
mod doubt;
#[path = "properties/echoes.rs"]
mod echoes;
#[path = "properties/fields.rs"]
mod fields;
#[path = "properties/forever.rs"]
mod forever;
#[path = "properties/order.rs"]
mod order;
#[path = "properties/pages.rs"]
mod pages;
#[path = "properties/phone.rs"]
mod phone;
#[path = "properties/plans.rs"]
mod plans;
#[path = "properties/push.rs"]
mod push;
#[path = "properties/resolutions.rs"]
mod resolutions;
#[path = "support/rng.rs"]
mod rng;
#[path = "properties/sides.rs"]
mod sides;
#[path = "properties/squashing.rs"]
mod squashing;
#[path = "properties/told.rs"]
mod told;
#[path = "properties/words.rs"]
mod words;
#[path = "properties/worlds.rs"]
mod worlds;
