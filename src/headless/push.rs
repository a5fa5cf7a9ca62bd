//! Retrying the sync without a screen: what happens goes to standard error as it happens, what came of it to standard
//! output and, where it is wanted, into a report.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Format, finish, warnings};
use crate::app::{Told, ended, push_step};
use crate::domain::again::{Again, UNNAMED};
use crate::domain::answer::Refusal;
use crate::domain::device::Device;
use crate::domain::inspect::Inspection;
use crate::domain::push::{Note, Options, Planned};
use crate::domain::resolution::{Resolution, Unit};
use crate::domain::safe_text::visible_line;
use crate::error::InputError;
use crate::exit::ExitCode;
use crate::report::account::{Account, Failed, Files, Subject};
use crate::report::outcome;
use crate::report_file::{ReportFile, Wanted};
use crate::runtime;
use crate::server::Token;
use crate::session::{Pushed, Server, Session, Watch};
use crate::tokens::Tokens;

/// What retrying the sync is told to, and about which device.
pub struct Telling {
    format: Format,
    report: Option<ReportFile>,
    strict: bool,
    subject: Subject,
    again: Again,
}

impl Telling {
    /// Looks at the report's file before anything is sent.
    ///
    /// # Errors
    /// A report that could not be written.
    pub fn new(session: &Session, format: Format, report: Option<&Wanted>) -> Result<Self, InputError> {
        let device = session.file().path().unwrap_or(Path::new(""));
        let report = report.map(|wanted| ReportFile::prepare(wanted, device)).transpose()?;
        Ok(Self { format, report, strict: false, subject: subject(session), again: UNNAMED.clone() })
    }

    /// How the device and the server were named, for the commands that are proposed.
    #[must_use]
    pub fn again(self, again: Again) -> Self {
        Self { again, ..self }
    }

    /// What was lost beyond the plan is no success.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Nothing could be sent: the report says why.
    pub fn failed(&self, what: String, next: String, request_id: Option<String>, exit: ExitCode) {
        let failed = Failed { what, next, request_id };
        self.report(&Account::failed(self.subject.clone(), failed, exit));
    }

    /// A report that cannot be written any more changes nothing about what was done; it is said, and the caller goes
    /// on. Answers where it lies.
    fn report(&self, account: &Account) -> Option<&Path> {
        let report = self.report.as_ref()?;
        match report.write(account) {
            Ok(()) => Some(report.path()),
            Err(error) => {
                eprintln!("error: {}", visible_line(&error.to_string()));
                None
            }
        }
    }
}

/// What a report says of a session's device, as it is now.
pub fn subject(session: &Session) -> Subject {
    let device: &Device = session.device();
    let file = session.file().path().unwrap_or(Path::new("")).to_owned();
    let server = match session.server() {
        Server::Live(client) => client.endpoint().url().to_owned(),
        Server::Recorded(_) => String::from("a recorded pull"),
    };
    Subject::new(device, file, server, session.clock().now(), warnings(session))
}

/// What a push of `before` came to.
pub fn account(
    subject: Subject,
    before: &Inspection,
    pushed: &Pushed,
    reopened: &[Unit],
    exit: ExitCode,
) -> Account {
    let files = Files {
        backup: pushed.backup.clone(),
        not_written: pushed.written.as_ref().err().cloned(),
        left_out: pushed.left_out.iter().map(|part| part.words().to_owned()).collect(),
    };
    let told = (files, pushed.recovery.clone());
    Account::of(subject, before, &pushed.outcome, reopened, told, exit)
}

/// Retries the sync with what `resolution` settles. `reopened` are choices that were not made.
///
/// # Errors
/// When nothing could be begun, or standard output cannot be written to.
pub async fn push(
    mut session: Session,
    inspection: Inspection,
    (resolution, reopened): (Resolution, &[Unit]),
    options: Options,
    telling: Telling,
    tokens: Tokens,
) -> Result<ExitCode, InputError> {
    let mut watch = Lines { stop: Arc::default(), tokens };
    let (stop, over) = (Arc::clone(&watch.stop), Arc::clone(&watch.stop));
    // It listens to the end of the program: once somebody listens, the system no longer ends it.
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        if !stop.swap(true, Ordering::Relaxed) {
            eprintln!("stopping after the POST that is under way; Ctrl-C once more ends the program at once");
            if tokio::signal::ctrl_c().await.is_err() {
                return;
            }
        }
        // Each record of the journal is whole and on the disk, and files are replaced whole or not at all.
        eprintln!(
            "ended at once. Where it stood is in the journal: see it with `unstick resume`, and go on from there"
        );
        std::process::exit(i32::from(ExitCode::Unknown.code()));
    });
    for unit in reopened {
        eprintln!("! {}", visible_line(&super::resume::reopened(&inspection, unit)));
    }
    let before = Arc::new(inspection);
    let planned = Planned::new(Arc::clone(&before), resolution, session.clock().now());
    let pushed = session.push(planned, options, &mut watch).await;
    // What is left is writing and telling: one Ctrl-C is enough.
    over.store(true, Ordering::Relaxed);
    let pushed = pushed.inspect_err(|error| {
        telling.failed(error.to_string(), String::new(), None, ExitCode::BadInput);
    })?;
    let exit = match ExitCode::after(&pushed.outcome.end, pushed.written.is_ok()) {
        // A choice that was not made because its values changed is open, whatever was sent.
        ExitCode::Done if !reopened.is_empty() => ExitCode::Open,
        ExitCode::Done if telling.strict && !pushed.outcome.beyond.is_empty() => ExitCode::Open,
        exit => exit,
    };
    let account = account(telling.subject.clone(), &before, &pushed, reopened, exit);
    let report = telling.report(&account).map(Path::to_owned);
    let mut out = io::stdout().lock();
    let written = match (telling.format, &account.result) {
        (Format::Json, Ok(ended)) => outcome::write_json(&account, ended, report.as_deref(), &mut out),
        (Format::Json, Err(_)) => Ok(()),
        (Format::Human, _) => {
            let (page, _) = ended(&runtime::push_end(&session, pushed, report), &Told::Paper(&telling.again));
            page.paragraphs().try_for_each(|text| writeln!(out, "{}", visible_line(text)))
        }
    };
    finish(written, exit)
}

struct Lines {
    stop: Arc<AtomicBool>,
    tokens: Tokens,
}

impl Watch for Lines {
    fn note(&mut self, note: Note) {
        let step = push_step(&note);
        eprintln!("{} {}", step.mark, visible_line(&step.text));
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    async fn fresh_token(&mut self, _refusal: &Refusal) -> Option<Token> {
        let token = self.tokens.fresh().await;
        eprintln!(
            "· {}",
            if token.is_some() { "goes on with a fresh token" } else { "there is no fresh token" }
        );
        token
    }
}
