//! What a command was given to look at: a device file and what it is held against, or a case, which is both.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::Failed;
use crate::case::{self, Case};
use crate::cli::{self, Against, DevicePath};
use crate::device::source::Source;
use crate::domain::inspect::Inspection;
use crate::domain::safe_text::visible_line;
use crate::error::InputError;
use crate::exit::ExitCode;
use crate::session::{Clock, Server, Session};
use crate::tokens::Tokens;

/// A device file and what it is held against; also the case that it is, if it is one.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) tokens: Tokens,
    pub(super) case: Option<Case>,
}

/// Opens what `unstick command` was given.
pub(super) fn opened(
    command: &str,
    device: &DevicePath,
    against: Against,
    clock: Clock,
) -> Result<Opened, Failed> {
    let unsaid = matches!(against, Against::Unsaid);
    if unsaid || begins_like_a_case(device) {
        let source = Source::read(device)?;
        return match Case::read(&source.name, &source.text)? {
            Some(case) => {
                let clock = match clock {
                    Clock::System => Clock::Fixed(case.now),
                    Clock::Fixed(now) => Clock::Fixed(now),
                };
                let session =
                    Session::new(case.file.clone(), Server::Recorded(Arc::clone(&case.window)), clock)?;
                Ok(Opened { session, tokens: Tokens::default(), case: Some(case) })
            }
            None => Err(cli::no_server(command).into()),
        };
    }
    let mut tokens = Tokens::of(&against);
    let session = super::session(device, against, clock, &mut tokens)?;
    Ok(Opened { session, tokens, case: None })
}

/// A look at the first bytes. What cannot be read is said by whoever reads it in earnest.
fn begins_like_a_case(device: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = std::fs::metadata(device).is_ok_and(|metadata| metadata.is_file())
        && std::fs::File::open(device)
            .and_then(|file| file.take(case::BEGINNING as u64).read_to_end(&mut bytes))
            .is_ok();
    read && case::begins_like_one(&bytes)
}

/// Says whether the tool says of a case what the case recorded.
pub(super) fn told_anew(case: &Case, file: &Path, inspection: &Inspection) -> Result<ExitCode, Failed> {
    let changes = case.changes(&file.display().to_string(), inspection)?;
    if changes.is_empty() {
        eprintln!("The case recorded the same.");
        return Ok(ExitCode::Done);
    }
    eprintln!("A rule changed: the case recorded something else at {}", visible_line(&changes.join(", ")));
    Ok(ExitCode::Open)
}

pub(super) fn undecided(file: &str) -> InputError {
    InputError::Unsupported {
        file: file.to_owned(),
        reason: String::from("is a case in which nothing was decided"),
        next: String::from("Give --strategy or --choices, or look at it with `unstick inspect`"),
    }
}
