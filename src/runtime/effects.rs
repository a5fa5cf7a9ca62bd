//! What the app asks of the world, done off the screen's task; what came of it returns as events.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::{Drafted, Effect, Event, ExitCode, Failure, PushEnd, Recall};
use crate::aside;
use crate::conflict_log;
use crate::device::write_back::LeftOut;
use crate::domain::answer::Refusal;
use crate::domain::inspect::Inspection;
use crate::domain::mutation::Cursor;
use crate::domain::push::{Note, Options};
use crate::drafts::{Drafts, Seeker, save_choices};
use crate::error::InputError;
use crate::headless::push::{account, subject};
use crate::interruption::{Interruption, Recalled};
use crate::report::account::Account;
use crate::report_file::{self, ReportFile};
use crate::server::{PullError, Token};
use crate::session::{Clock, Pushed, Server, Session, Watch};
use crate::tokens::is_about_the_token;

/// How long two texts are compared before the comparison becomes coarser.
const COMPARING: Duration = Duration::from_millis(200);
/// How long leaving waits for a POST that is under way, so that its answer is not lost.
const LAST_ANSWER: Duration = Duration::from_secs(5);

/// The work that is under way.
pub struct Effects {
    session: Session,
    events: UnboundedSender<Event>,
    cancel: Arc<AtomicBool>,
    /// The push that waits for a token.
    wanted: Wanted,
    /// Gives the session back with the device file as it was written, and what came of the push.
    push: Option<JoinHandle<(Session, Option<Account>)>>,
    /// What came of the last push that ended.
    account: Option<Account>,
    drafts: Drafts,
    /// Whether what an earlier session chose was looked for.
    sought: Arc<AtomicBool>,
}

impl Effects {
    /// Effects on one device, whose answers go to `events`.
    pub fn new(session: Session, events: UnboundedSender<Event>) -> Self {
        let failed = events.clone();
        let failed = move |why| send(&failed, Event::NotKept(why));
        let (drafts, why) = Drafts::open(session.file().path(), address(&session), session.clock(), failed);
        if let Some(why) = why {
            send(&events, Event::NotKept(why));
        }
        Self {
            session,
            events,
            cancel: Arc::default(),
            wanted: Wanted::default(),
            push: None,
            account: None,
            drafts,
            sought: Arc::default(),
        }
    }

    /// Begins an effect that needs no terminal.
    pub async fn run(&mut self, effect: Effect) {
        match effect {
            Effect::Pull => {
                let _ = self.session().await;
                match self.session.read_again() {
                    Ok(false) => {}
                    Ok(true) => {
                        send(&self.events, Event::DeviceRead(crate::headless::warnings(&self.session)));
                    }
                    Err(error) => {
                        let failure = input_failure(&self.session, &error);
                        return send(&self.events, Event::PullFailed(failure));
                    }
                }
                self.pull();
            }
            Effect::Keep { inspection, chosen } => self.drafts.keep(inspection, chosen),
            Effect::SaveChoices { inspection, chosen } => {
                let (session, events) = (self.session().await.clone(), self.events.clone());
                tokio::task::spawn_blocking(move || {
                    let saved =
                        save_choices(session.file().path(), &inspection, &chosen, Clock::System.now());
                    send(&events, Event::Saved(saved.map_err(|error| input_failure(&session, &error))));
                });
            }
            Effect::Compute { job, task } => {
                let events = self.events.clone();
                tokio::task::spawn_blocking(move || {
                    let answer = task.run(Some(Instant::now() + COMPARING));
                    send(&events, Event::Computed { job, answer });
                });
            }
            Effect::Push { planned, retry_first_sync, accept_other_account } => {
                self.cancel.store(false, Ordering::Relaxed);
                let mut session = self.session().await.clone();
                let (events, cancel) = (self.events.clone(), Arc::clone(&self.cancel));
                let where_ = address(&session);
                let mut watch = Screen { events, cancel, wanted: self.wanted.clone(), where_ };
                let options =
                    Options { ask: true, retry_first_sync, accept_other_account, ..Options::default() };
                self.push = Some(tokio::spawn(async move {
                    let (subject, before) = (subject(&session), Arc::clone(planned.inspection()));
                    let pushed = session.push(Arc::unwrap_or_clone(planned), options, &mut watch).await;
                    let account = pushed.as_ref().ok().map(|pushed| {
                        let exit = ExitCode::after(&pushed.outcome.end, pushed.written.is_ok());
                        account(subject, &before, pushed, &[], exit)
                    });
                    send(&watch.events, push_event(&session, pushed));
                    (session, account)
                }));
            }
            Effect::CancelPush => {
                self.cancel.store(true, Ordering::Relaxed);
                self.wanted.give(None);
            }
            Effect::Token(None) => self.wanted.give(None),
            Effect::Token(Some(text)) => self.token(&text).await,
            Effect::Report { redact } => {
                let _ = self.session().await;
                let written = self.report(redact).map_err(|error| input_failure(&self.session, &error));
                send(&self.events, Event::Reported(written));
            }
            Effect::History { job, team, since, percent } => {
                let (log, events) = (self.session().await.log().clone(), self.events.clone());
                tokio::spawn(async move {
                    let said = if team {
                        conflict_log::team_said(since, percent).await
                    } else {
                        log.said(since, percent).await
                    };
                    send(&events, Event::History { job, said });
                });
            }
            // These need the terminal; its owner does them.
            Effect::Editor { .. } | Effect::Copy(_) | Effect::Suspend | Effect::Quit(_) => {}
        }
    }

    /// Before the program ends: no further POST, and the answer of the one that is under way, if it comes soon.
    pub async fn settle(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
        self.wanted.give(None);
        if let Some(push) = self.push.take() {
            // What is still open then stands in the journal, and the next start looks it up.
            let _ = tokio::time::timeout(LAST_ANSWER, push).await;
        }
    }

    fn pull(&self) {
        let (session, events) = (self.session.clone(), self.events.clone());
        let earlier = self.drafts.seeker().map(|seeker| (seeker, Arc::clone(&self.sought)));
        tokio::spawn(async move { pull(&session, &events, earlier).await });
    }

    /// Goes on with a token that a person typed.
    async fn token(&mut self, text: &SecretString) {
        let token = match Token::read(text, "what was typed") {
            Ok(token) => token,
            Err(error) => {
                let failure = input_failure(&self.session, &error);
                return send(&self.events, Event::TokenWanted(failure));
            }
        };
        if self.wanted.is_there() {
            return self.wanted.give(Some(token));
        }
        let _ = self.session().await;
        match self.session.use_token(&token) {
            Ok(()) => {
                self.pull();
            }
            Err(error) => send(&self.events, Event::PullFailed(input_failure(&self.session, &error))),
        }
    }

    /// Writes what came of the last push beside the device file. Answers where.
    fn report(&self, redact: bool) -> Result<PathBuf, InputError> {
        let device = self.session.file().path();
        let (Some(device), Some(account)) = (device, &self.account) else {
            return Err(InputError::Unsupported {
                file: String::from("unstick"),
                reason: String::from("has nothing to report yet"),
                next: String::from("Retry the sync first"),
            });
        };
        let file =
            ReportFile::prepare(&report_file::Wanted::beside(device, Clock::System.now(), redact), device)?;
        file.write(account)?;
        Ok(file.path().to_owned())
    }

    /// The session as the last push left it.
    async fn session(&mut self) -> &Session {
        if let Some(push) = self.push.take() {
            let (session, account) = aside::answer(push).await;
            self.session = session;
            self.account = account.or(self.account.take());
        }
        &self.session
    }
}

/// Who waits for a token, if anybody does.
#[derive(Clone, Default)]
struct Wanted(Arc<Mutex<Option<oneshot::Sender<Option<Token>>>>>);

impl Wanted {
    /// Waits from now on.
    fn wait(&self) -> oneshot::Receiver<Option<Token>> {
        let (sender, receiver) = oneshot::channel();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    fn is_there(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Gives the answer to whoever waits.
    fn give(&self, token: Option<Token>) {
        if let Some(sender) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Who has gone meanwhile needs none.
            let _ = sender.send(token);
        }
    }
}

struct Screen {
    events: UnboundedSender<Event>,
    cancel: Arc<AtomicBool>,
    wanted: Wanted,
    where_: String,
}

impl Watch for Screen {
    fn note(&mut self, note: Note) {
        send(&self.events, Event::Push(note));
    }

    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    async fn fresh_token(&mut self, refusal: &Refusal) -> Option<Token> {
        let answer = self.wanted.wait();
        if self.cancelled() {
            // Nobody is there any more to type one.
            self.wanted.give(None);
        }
        send(
            &self.events,
            Event::TokenWanted(Failure {
                what: refusal.to_string(),
                where_: self.where_.clone(),
                next: refusal.next_step(),
                request_id: None,
            }),
        );
        answer.await.ok().flatten()
    }
}

fn send(events: &UnboundedSender<Event>, event: Event) {
    // Nobody listens any more when the program ends.
    let _ = events.send(event);
}

async fn pull(
    session: &Session,
    events: &UnboundedSender<Event>,
    earlier: Option<(Seeker, Arc<AtomicBool>)>,
) {
    let looked = session.look(|step| send(events, Event::Pull(step))).await;
    send(
        events,
        match looked {
            Ok(inspection) => match session.interrupted().cloned() {
                None => look_for_draft(inspection, earlier, session.clock()).await,
                Some(interruption) => recall(&interruption, inspection).await,
            },
            Err(error) if is_about_the_token(&error) => Event::TokenWanted(pull_failure(session, &error)),
            Err(error) => Event::PullFailed(pull_failure(session, &error)),
        },
    );
}

/// What an earlier session chose; it is looked for once.
async fn look_for_draft(
    inspection: Inspection,
    earlier: Option<(Seeker, Arc<AtomicBool>)>,
    clock: Clock,
) -> Event {
    let Some((seeker, _)) = earlier.filter(|(_, sought)| !sought.swap(true, Ordering::Relaxed)) else {
        return Event::Inspected(Box::new(inspection));
    };
    let task = tokio::task::spawn_blocking(move || (seeker.find(&inspection, clock.now()), inspection));
    match aside::answer(task).await {
        (None, inspection) => Event::Inspected(Box::new(inspection)),
        (Some(earlier), inspection) => Event::Drafted(Box::new(Drafted { inspection, earlier })),
    }
}

/// What was chosen for the push that broke off, on both sides as they are now.
async fn recall(interruption: &Interruption, inspection: Inspection) -> Event {
    let mut told = interruption.told();
    let interruption = interruption.clone();
    let task = tokio::task::spawn_blocking(move || (interruption.recall(&inspection), inspection));
    let (recalled, inspection) = aside::answer(task).await;
    let Recalled { resolution, reopened } = recalled.unwrap_or_else(|error| {
        told.push(error.to_string());
        Recalled::default()
    });
    Event::Recalled(Box::new(Recall { inspection, resolution, reopened, told }))
}

fn pull_failure(session: &Session, error: &PullError) -> Failure {
    let refusal = error.failure().and_then(|failure| failure.refusal());
    Failure {
        what: error.to_string(),
        where_: address(session),
        next: error.next_step(),
        request_id: refusal.and_then(|refusal| refusal.request_id.clone()),
    }
}

fn address(session: &Session) -> String {
    match session.server() {
        Server::Live(client) => client.endpoint().url().to_owned(),
        Server::Recorded(_) => session.file().name().to_owned(),
    }
}

fn push_event(session: &Session, pushed: Result<Pushed, InputError>) -> Event {
    match pushed {
        Ok(pushed) => Event::PushEnded(Box::new(push_end(session, pushed, None))),
        Err(error) => Event::PushFailed(input_failure(session, &error)),
    }
}

/// What a push came to, in the app's terms.
pub fn push_end(session: &Session, pushed: Pushed, report: Option<PathBuf>) -> PushEnd {
    let Pushed { outcome, backup, written, leftover, left_out, recovery } = pushed;
    let left_out = left_out.into_iter().map(|part| without_place(part, outcome.head)).collect();
    let path = session.file().path().map(ToOwned::to_owned);
    let failure = leftover.map(|error| input_failure(session, &error));
    let (is_written, unwritten) = (written.is_ok(), written.err());
    let written = path.filter(|_| is_written);
    PushEnd { outcome, written, unwritten, backup, report, left_out, recovery, failure }
}

/// A bare list of queued mutations has nowhere to put what else a sync changes.
fn without_place(part: LeftOut, head: Cursor) -> String {
    match part {
        LeftOut::Sync => format!(
            "The cursor: the file is a bare list of queued mutations. Where the device keeps its cursor it must become {head}; \
             otherwise its next sync ends in a 409 again."
        ),
        LeftOut::Resources => {
            String::from("The server's changes: the device pulls them itself on its next sync.")
        }
    }
}

/// An input error says what, where and what next in one sentence each, the last one being the next step.
fn input_failure(session: &Session, error: &InputError) -> Failure {
    Failure {
        what: error.to_string(),
        where_: session.file().name().to_owned(),
        next: String::new(),
        request_id: None,
    }
}
