//! What the system tells this process.

use std::io;

use rustix::process::{Signal, kill_current_process_group};
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

/// What was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// To end, or the terminal is gone.
    End,
    /// To go on after a stop: others may have written to the terminal.
    GoOn,
}

/// The signals that are listened to.
pub struct Signals {
    term: Listener,
    hangup: Listener,
    resumed: Listener,
}

impl Signals {
    /// Listens from now on.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            resumed: signal(SignalKind::from_raw(Signal::CONT.as_raw()))?,
        })
    }

    /// The next.
    pub async fn next(&mut self) -> Told {
        tokio::select! {
            biased;
            _ = self.term.recv() => Told::End,
            _ = self.hangup.recv() => Told::End,
            _ = self.resumed.recv() => Told::GoOn,
        }
    }
}

/// Makes the keys that end a program (Ctrl-C, Ctrl-\) end only the one that has the terminal: this process hears
/// them and goes on, a program that it starts has the system's own rule again.
pub fn outlive_keys() -> io::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::quit()] {
        drop(signal(kind)?);
    }
    Ok(())
}

/// Stops until the shell continues, and all that was started together with this process, as Ctrl-Z on a terminal does:
/// a shell gets the terminal back only when the whole job stands.
pub fn suspend() {
    // If it cannot be stopped, it simply goes on.
    let _ = kill_current_process_group(Signal::TSTP);
}
