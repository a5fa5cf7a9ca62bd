//! The real binary in a real pseudo-terminal. `UNSTICK_BIN` names another build of it than the tests' own.

#[path = "pty/terminal.rs"]
mod terminal;

#[path = "pty/demo.rs"]
mod demo;
#[path = "pty/drafts.rs"]
mod drafts;
#[path = "pty/lent.rs"]
mod lent;
#[path = "pty/monkey.rs"]
mod monkey;
#[path = "support/rng.rs"]
mod rng;
#[path = "pty/secrets.rs"]
mod secrets;
#[path = "pty/simulate.rs"]
mod simulate;
#[path = "pty/unmeant.rs"]
mod unmeant;
