//! What the program answers to its caller (DESIGN §6).

use crate::domain::push::End;

/// The exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Nothing is open.
    Done = 0,
    /// Divergences or quarantined mutations remain.
    Open = 1,
    /// Bad arguments or bad input.
    BadInput = 2,
    /// The server refused or cannot be reached.
    Refused = 3,
    /// It cannot be told what the server did.
    Unknown = 4,
    /// The server has taken in what was sent, and the device file could not be written back.
    NotWritten = 5,
}

impl ExitCode {
    /// What a push that ended so answers.
    pub const fn of(end: &End) -> Self {
        match end {
            End::Done => Self::Done,
            End::Left | End::Reopened(_) | End::HeadKeepsMoving | End::NotJournaled(_) | End::Cancelled => {
                Self::Open
            }
            End::FirstSync(_) | End::OtherAccount(_) | End::Refused(_) | End::Unreachable(_) => Self::Refused,
            End::Unknown { .. } => Self::Unknown,
        }
    }

    /// What a push that ended so answers where the device file is written back, or is not. That it is not comes first:
    /// an application that syncs with the file as it is sends everything again.
    pub const fn after(end: &End, written: bool) -> Self {
        if written { Self::of(end) } else { Self::NotWritten }
    }

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}
