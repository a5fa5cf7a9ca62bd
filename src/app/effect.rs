//! What the app asks of the world. The runtime does it and answers with an [`super::Event`].

use crate::domain::inspect::Inspection;
use crate::domain::resolution::Resolution;
use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

use super::task::{Job, Task};
use crate::domain::push::Planned;
use crate::exit::ExitCode;

/// Something to be done outside.
pub enum Effect {
    /// Pull again since the device's cursor and inspect. Answered by [`super::Event::Inspected`] or
    /// [`super::Event::PullFailed`], with [`super::Event::Pull`] on the way.
    Pull,
    /// Do the work off the screen's task. Answered by [`super::Event::Computed`].
    Compute {
        /// To be named in the answer.
        job: Job,
        /// The work; its `run` does it.
        task: Task,
    },
    /// Open `$VISUAL` or `$EDITOR` on the text. Answered by [`super::Event::Edited`].
    Editor {
        /// To be named in the answer.
        job: EditJob,
        /// What the editor begins with.
        text: String,
    },
    /// Retry the sync. Answered by [`super::Event::PushEnded`], with [`super::Event::Push`] on the way.
    Push {
        /// The plan that the person saw.
        planned: Arc<Planned>,
        /// The person agreed to send -1 once more, as the server asked on a first sync (PROTOCOL D1).
        retry_first_sync: bool,
        /// The person said that it is to go to this account.
        accept_other_account: bool,
    },
    /// Use this token from now on: the push that waits for one goes on, else everything is pulled again. `None`: the
    /// push goes on without, which ends it. Answered by [`super::Event::TokenWanted`] where it cannot be a token.
    Token(Option<SecretString>),
    /// Stop the push after the POST that is under way. Answered by [`super::Event::PushEnded`].
    CancelPush,
    /// Write a report of the push that ended, beside the device file; without what people wrote where `redact`.
    /// Answered by [`super::Event::Reported`].
    Report {
        /// Whether marks stand in the place of values.
        redact: bool,
    },
    /// Ask the conflict log. Answered by [`super::Event::History`].
    History {
        /// To be named in the answer.
        job: Job,
        /// The team's log, rather than the one on this machine.
        team: bool,
        /// From this day on, in days since 1970 UTC.
        since: Option<i64>,
        /// The share of the conflicts that an interval shall avoid.
        percent: u8,
    },
    /// Keep these choices for the next session on this file, in the place of those before. Answered by nothing, or by
    /// [`super::Event::NotKept`].
    Keep {
        /// What they were made on.
        inspection: Arc<Inspection>,
        /// The choices, without what can be undone.
        chosen: Resolution,
    },
    /// Write the choices as the file that `--choices` takes. Answered by [`super::Event::Saved`].
    SaveChoices {
        /// What they were made on.
        inspection: Arc<Inspection>,
        /// The choices, without what can be undone.
        chosen: Resolution,
    },
    /// Put the text on the clipboard (OSC 52). Answered by [`super::Event::Copied`].
    Copy(String),
    /// Stop the process until it is continued (Ctrl-Z).
    Suspend,
    /// End the program.
    Quit(ExitCode),
}

/// An edit in an outside editor that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EditJob(pub u64);

/// Payloads are private: only the effect's name.
impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pull => "Pull",
            Self::Compute { task, .. } => task.name(),
            Self::Editor { .. } => "Editor",
            Self::Push { .. } => "Push",
            Self::Token(_) => "Token",
            Self::CancelPush => "CancelPush",
            Self::Report { .. } => "Report",
            Self::History { .. } => "History",
            Self::Keep { .. } => "Keep",
            Self::SaveChoices { .. } => "SaveChoices",
            Self::Copy(_) => "Copy",
            Self::Suspend => "Suspend",
            Self::Quit(_) => "Quit",
        })
    }
}
