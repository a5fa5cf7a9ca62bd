//! One device file against one server, or against a recorded pull: what the screen and the headless commands share.
//! It reads, pulls, inspects, pushes under lock, backup and journal, and writes the file back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::aside;
use crate::conflict_log::ConflictLog;
use crate::device::DeviceFile;
use crate::device::phone_database::Said;
use crate::device::source::Source;
use crate::device::write_back::{LeftOut, replace, rewritten};
use crate::domain::answer::Refusal;
use crate::domain::choices;
use crate::domain::device::Device;
use crate::domain::inspect::{Inspection, inspect};
use crate::domain::meanwhile::{self, Together};
use crate::domain::mutation::{Cursor, Millis, QueueId, ResourceId};
use crate::domain::phone::Forecast;
use crate::domain::push::{
    Do, End, Got, Note, Options, Outcome, Planned, Posted, PullFault, Push, Quarantined, Record,
};
use crate::domain::window::{PullStep, Window};
use crate::durable::{self, Room};
use crate::error::InputError;
use crate::interruption::Interruption;
use crate::journal::{
    DeviceLock, Journal, backup, forget_begun, forget_choices, forget_draft, forget_result, keep_begun,
    keep_choices, set_aside,
};
use crate::server::{Client, Failure, PullError, Recording, Token, jittered, pull};
use crate::unwritten::Unwritten;

/// What tells the time: the system, or a moment that is fixed for tests and demonstrations.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// Always this moment (`--now`).
    Fixed(Millis),
}

impl Clock {
    /// The time, ms since 1970.
    pub fn now(self) -> Millis {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
                Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Fixed(moment) => moment,
        }
    }
}

/// What stands for the server.
#[derive(Clone)]
pub enum Server {
    /// A server that is asked.
    Live(Client),
    /// A recorded pull; nothing can be sent.
    Recorded(Arc<Window>),
}

impl Server {
    /// A short name.
    pub fn label(&self) -> String {
        match self {
            Self::Live(client) => client.endpoint().label(),
            Self::Recorded(_) => String::from("recorded"),
        }
    }
}

/// One device file and what it is held against.
#[derive(Clone)]
pub struct Session {
    file: Arc<DeviceFile>,
    device: Arc<Device>,
    server: Server,
    clock: Clock,
    interrupted: Option<Interruption>,
    log: ConflictLog,
}

/// What a push came to, in the machine's terms and on the disk.
#[derive(Debug)]
pub struct Pushed {
    /// How it ended and what it left.
    pub outcome: Outcome,
    /// The copy of the device file from before. `None` where nothing was sent and the file stays as it was.
    pub backup: Option<PathBuf>,
    /// Whether the device file was written back; where not, why.
    pub written: Result<(), Unwritten>,
    /// The file is written, and its journal could not be removed.
    pub leftover: Option<InputError>,
    /// What the file has no place for.
    pub left_out: Vec<LeftOut>,
    /// The phone's next sync on what the server holds by now, where the file is a phone's database; also `None` where that
    /// could not be pulled.
    pub recovery: Option<Forecast>,
}

/// Who watches a push.
pub trait Watch: Send {
    /// Something happened.
    fn note(&mut self, note: Note);
    /// Whether the person wants no further POST.
    fn cancelled(&self) -> bool;
    /// A token in the place of the one that the server takes no longer; `None` where there is none.
    fn fresh_token(&mut self, _refusal: &Refusal) -> impl Future<Output = Option<Token>> + Send {
        std::future::ready(None)
    }
}

impl Session {
    /// A session on a file that was read. Looks whether an earlier push of it did not end; what the server had
    /// acknowledged by then is taken out of the queue.
    ///
    /// # Errors
    /// A journal that does not belong to the file as it is, that cannot be read, or of a push to another server.
    pub fn new(file: DeviceFile, server: Server, clock: Clock) -> Result<Self, InputError> {
        let mut device = file.shared();
        let interrupted = match &server {
            Server::Live(client) => Interruption::wherever(&file, Some(client.endpoint().url()))?,
            Server::Recorded(_) => Interruption::here(&file)?,
        };
        if let Some(interruption) = &interrupted {
            if let Server::Live(client) = &server {
                interruption.check_server(&file, client.endpoint().url())?;
            }
            device = Arc::new(interruption.device(&device));
        }
        Ok(Self { file: Arc::new(file), device, server, clock, interrupted, log: ConflictLog::default() })
    }

    /// Reads the device file again if it is no longer what was read. Answers whether it was.
    ///
    /// # Errors
    /// A file that is gone or cannot be read as one any more. The session stands on what it had.
    pub fn read_again(&mut self) -> Result<bool, InputError> {
        let Some(path) = self.file.path() else { return Ok(false) };
        let same = || std::fs::read(path).is_ok_and(|bytes| bytes == self.file.text().as_bytes());
        if self.file.database().is_none() && same() {
            return Ok(false);
        }
        let Some(file) = self.file.again()? else { return Ok(false) };
        let changed = file.text() != self.file.text();
        if changed {
            *self = Self::new(file, self.server.clone(), self.clock)?.remembering(self.log.clone());
        }
        Ok(changed)
    }

    /// The same session, which leaves what it sees in this log.
    #[must_use]
    pub fn remembering(self, log: ConflictLog) -> Self {
        Self { log, ..self }
    }

    /// The same session, which pulls everything that the server holds and leaves nothing in the log: nothing of it is a conflict.
    #[must_use]
    pub fn from_the_beginning(self) -> Self {
        let mut device = Device::clone(self.device.phone.as_ref().unwrap_or(&self.device));
        device.sync.cursor = Some(Cursor::ZERO);
        Self { device: Arc::new(device), log: ConflictLog::default(), ..self }
    }

    /// The log in which the session leaves what it sees.
    pub const fn log(&self) -> &ConflictLog {
        &self.log
    }

    /// The device as its file tells of it, without what an interrupted push has sent.
    pub const fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// The device file.
    pub fn file(&self) -> &DeviceFile {
        &self.file
    }

    /// What stands for the server.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// An earlier push of this file that did not end.
    pub const fn interrupted(&self) -> Option<&Interruption> {
        self.interrupted.as_ref()
    }

    /// Keeps what a person has said of entries in doubt, in the journal of the push that broke off, and stands on it from
    /// now on.
    ///
    /// # Errors
    /// No such push, a file that is held by another unstick, or a journal that cannot be written. Nothing was kept then.
    pub fn settle(&mut self, told: &[Record]) -> Result<(), InputError> {
        let Some(path) = self.file.path().map(Path::to_owned) else { return Ok(()) };
        let lock = DeviceLock::acquire(&path)?;
        let Some(unfinished) = Journal::<Record>::unfinished(lock.device())? else {
            return Err(self.cannot_push("has no push that broke off", "Nothing was kept"));
        };
        let mut journal = unfinished.resume(&lock)?;
        for record in told {
            journal.append(record)?;
        }
        drop((journal, lock));
        let file = DeviceFile::clone(&self.file);
        *self = Self::new(file, self.server.clone(), self.clock)?.remembering(self.log.clone());
        Ok(())
    }

    /// Speaks to the server with another token from now on. Against a recorded pull there is nothing to do.
    ///
    /// # Errors
    /// A client that cannot be set up.
    pub fn use_token(&mut self, token: &Token) -> Result<(), InputError> {
        if let Server::Live(client) = &self.server {
            self.server = Server::Live(client.with_token(token)?);
        }
        Ok(())
    }

    /// What tells the time.
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// The window since the device's cursor.
    pub async fn pull(&self, on_step: impl FnMut(PullStep) + Send) -> Result<Window, PullError> {
        match &self.server {
            Server::Live(client) => pull(client, self.device.sync.cursor, on_step).await,
            Server::Recorded(window) => Ok(Window::clone(window)),
        }
    }

    /// Both sides, put together.
    pub fn inspect(&self, window: Window) -> Inspection {
        inspect(Arc::clone(&self.device), Arc::new(window))
    }

    /// Pulls and inspects.
    pub async fn look(&self, on_step: impl FnMut(PullStep) + Send) -> Result<Inspection, PullError> {
        let begun = Instant::now();
        let window = self.pull(on_step).await?;
        let session = self.clone();
        // A large inspection takes a while; keys must not wait for it.
        let task = tokio::task::spawn_blocking(move || {
            let inspection = session.inspect(window);
            let now = session.clock.now();
            session.log.inspected(&inspection, &session.server.label(), now, begun.elapsed());
            inspection
        });
        Ok(aside::answer(task).await)
    }

    /// Retries the sync: what was planned is sent, and the device file written back.
    ///
    /// # Errors
    /// When nothing could be begun: the file has no place to write to, is held by another unstick, changed since it
    /// was read, or is held against a recorded pull. Nothing was sent then.
    pub async fn push(
        &mut self,
        planned: Planned,
        options: Options,
        watch: &mut impl Watch,
    ) -> Result<Pushed, InputError> {
        let Server::Live(mut client) = self.server.clone() else {
            return Err(self.cannot_push(
                "is held against a recorded pull, which takes nothing",
                "Give --server instead of --pull",
            ));
        };
        let Some(path) = self.file.path().map(Path::to_owned) else {
            return Err(
                self.cannot_push("has no place to write to", "Save the export as a file and open that")
            );
        };
        self.file.settled()?;
        let lock = DeviceLock::acquire(&path)?;
        let more = larger_by(&planned.inspection().window);
        let chosen = choices::keep(planned.inspection(), planned.resolution()).to_string();
        let clock = self.clock;
        let mut watch = self.log.watch(planned.inspection(), planned.resolution(), watch);
        // The phone itself goes on with its own rows, whatever is pushed from here.
        let phone = self.device.phone.clone();
        let machine = Push::new(planned, options, clock.now()).with_user(client.user());
        let (mut journal, copy, room) =
            self.begin(&lock, &chosen, &machine.begun(client.endpoint().url()), more)?;
        let mut outcome = drive(&mut client, machine, &mut journal, clock, &mut watch).await;
        self.server = Server::Live(client);
        watch.pushed(&outcome, &self.server.label(), clock.now());
        let (end, head) = (outcome.end.word(), outcome.head.value());
        tracing::info!(end, posts = outcome.posts, sent = outcome.sent.len(), head, "the push has ended");
        let mut rewritten = rewritten(&self.file, &outcome.device);
        let settled = outcome.device.is_settled();
        let idle = outcome.posts == 0 && rewritten.text == self.file.text();
        room.give_back();
        let mut interfered = None;
        match self.put_together(&outcome) {
            Ok(None) => {}
            Ok(Some((found, together))) => {
                // What is about to be replaced is in no backup yet.
                match backup(&lock, Clock::System.now()) {
                    Ok(copy) => tracing::info!(?copy, "what the application wrote meanwhile is in a backup"),
                    Err(error) => interfered = Some(error.to_string()),
                }
                if interfered.is_none() {
                    rewritten = crate::device::write_back::rewritten(&found, &together.device);
                    self.file = Arc::new(found);
                    take_in(&mut outcome, together);
                }
            }
            Err(why) => interfered = Some(why),
        }
        if let Some(why) = interfered {
            // Whoever puts this in the file's place goes on from there.
            let announced = journal.writing_back(&rewritten.text);
            tracing::error!(why, ?announced, "the device file is not written back");
            let result = set_aside(&lock, &rewritten.text);
            let written = Err(Unwritten { why, result, ask: true });
            let backup = copy.kept(false);
            let (leftover, left_out) = (None, rewritten.left_out);
            let recovery = self.recovery(phone.as_deref()).await;
            return Ok(Pushed { outcome, backup, written, leftover, left_out, recovery });
        }
        let (written, leftover) = match self.write_back(&rewritten.text, journal, &outcome.device, &lock) {
            Ok(leftover) => (Ok(()), leftover),
            Err(unwritten) => (Err(unwritten), None),
        };
        let backup = copy.kept(idle && written.is_ok());
        if written.is_ok() && settled {
            forget_choices(&lock);
            if matches!(outcome.end, End::Done) {
                // What stays is settled by now, and the next start says so.
                let _ = forget_draft(&path);
            }
        }
        let recovery = self.recovery(phone.as_deref()).await;
        Ok(Pushed { outcome, backup, written, leftover, left_out: rewritten.left_out, recovery })
    }

    /// The next sync of a phone on what the server holds by now.
    async fn recovery(&self, phone: Option<&Device>) -> Option<Forecast> {
        let (Some(phone), Server::Live(client)) = (phone, &self.server) else { return None };
        let window = pull_since(client, phone.sync.cursor.unwrap_or(Cursor::ZERO)).await.ok()?;
        Some(Forecast::of(phone, &window))
    }

    /// The backup, what was chosen and the journal, all on the disk before the first byte is sent.
    fn begin(
        &mut self,
        lock: &DeviceLock,
        chosen: &str,
        begun: &Record,
        more: usize,
    ) -> Result<(Journal<Record>, Copy, Room), InputError> {
        let may_not = |what: &'static str, next: &'static str| {
            let path = lock.device().to_owned();
            move |source: std::io::Error| InputError::Io { what, path, source, next }
        };
        durable::can_replace(lock.device()).map_err(may_not(
            "will not be able to write back",
            match self.interrupted {
                None => "Nothing was sent. Copy the file to a folder of yours, as one that you may change, and open that",
                Some(_) => {
                    "Nothing was sent. A push of this file broke off: see to it that you may write the file itself, no copy of it, and keep the app from syncing until it is written"
                }
            },
        ))?;
        let room = durable::reserve(lock.device(), self.file.text().as_bytes(), more).map_err(may_not(
            "finds no room to write back",
            "Nothing was sent. Make room on the disk for three times the file, or copy it to a disk that has it",
        ))?;
        let on_disk = std::fs::read(lock.device()).map_err(|source| InputError::Io {
            what: "cannot read",
            path: lock.device().to_owned(),
            source,
            next: "Nothing was sent. Check that the file is still there",
        })?;
        if on_disk != self.file.text().as_bytes() {
            return Err(self.cannot_push(
                "was changed by another program since it was read",
                "Nothing was sent. Open it again to see what it holds now",
            ));
        }
        // Whoever goes on must know what was chosen, so that comes first.
        keep_choices(lock, chosen)?;
        let goes_on = self.interrupted.as_ref().is_some_and(Interruption::is_written_to);
        let (mut journal, copy) = if let Some(unfinished) = Journal::<Record>::unfinished(lock.device())? {
            let copy = Copy { path: unfinished.backup.clone(), fresh: false };
            let mut journal = unfinished.resume(lock)?;
            if goes_on {
                self.write_together(lock, &mut journal)?;
            }
            (journal, copy)
        } else {
            // The backup's name tells the real time, also where a test fixes the clock.
            let copy = Copy { path: backup(lock, Clock::System.now())?, fresh: true };
            let journal = Journal::begin(lock, self.file.text(), &copy.path)?;
            if let Server::Live(client) = &self.server {
                keep_begun(lock, self.file.text(), &self.file.device().queue, client.endpoint().url());
            }
            (journal, copy)
        };
        tracing::info!(backup = ?copy.path, bytes = on_disk.len(), "the device file as it was is in the backup");
        journal.append(begun)?;
        Ok((journal, copy, room))
    }

    /// The application wrote since the push broke off: the file becomes what both make of it, before anything is sent,
    /// so that what is acknowledged from here on is known by what the file then holds.
    fn write_together(&mut self, lock: &DeviceLock, journal: &mut Journal<Record>) -> Result<(), InputError> {
        backup(lock, Clock::System.now())?;
        let text = rewritten(&self.file, &self.device).text;
        if text != self.file.text() {
            journal.writing_back(&text)?;
            self.file = Arc::new(replace(&self.file, text)?);
        }
        let copy = backup(lock, Clock::System.now())?;
        journal.goes_on(self.file.text(), &copy)
    }

    /// What the file holds by now and what it is to hold, where the application wrote to it during the push.
    fn put_together(&self, outcome: &Outcome) -> Result<Option<(DeviceFile, Together)>, String> {
        let Some(found) = self.found()? else { return Ok(None) };
        let mut ids = self.interrupted.as_ref().map(Interruption::ids).unwrap_or_default();
        for sent in &outcome.sent {
            if let Some(id) = sent.resource_id.as_deref().map(ResourceId::from) {
                ids.extend(sent.ids.iter().map(|name| (name.clone(), id.clone())));
            }
        }
        let dropped = outcome.dropped.iter().flat_map(|left| &left.ids).cloned().collect();
        let was = self.file.device();
        let push = meanwhile::Push { was, left: &outcome.device, ids: &ids, dropped: &dropped };
        match meanwhile::together(push, found.device()) {
            Ok(together) => Ok(Some((found, together))),
            Err(untold) => {
                let names: Vec<&str> = untold.iter().map(QueueId::as_str).collect();
                Err(format!(
                    "The app wrote to the device file meanwhile, and of {} it cannot be told what shall become of it",
                    names.join(", ")
                ))
            }
        }
    }

    /// The file, where it holds something else than what was read. An application may be in the midst of writing it.
    fn found(&self) -> Result<Option<DeviceFile>, String> {
        let Some(path) = self.file.path() else { return Ok(None) };
        let mut tries = 0;
        loop {
            // What cannot be read at all is told by whoever writes it.
            let Ok(bytes) = std::fs::read(path) else { return Ok(None) };
            if bytes == self.file.text().as_bytes() {
                return Ok(None);
            }
            match self.file.as_it_is() {
                Ok(found) => return Ok(Some(found)),
                Err(_) if tries < HALF_WRITTEN => tries += 1,
                Err(error) => return Err(format!("The app wrote to the device file meanwhile: {error}")),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Writes the file and closes the journal. While something is in doubt the journal stays: the next start must
    /// know of it.
    fn write_back(
        &mut self,
        text: &str,
        mut journal: Journal<Record>,
        now: &Device,
        lock: &DeviceLock,
    ) -> Result<Option<InputError>, Unwritten> {
        if text != self.file.text() {
            let bytes = text.len();
            let written = journal.writing_back(text).and_then(|()| replace(&self.file, text.to_owned()));
            let file = written.map_err(|error| {
                tracing::error!(%error, "the device file is not written back");
                let result = set_aside(lock, text);
                Unwritten { why: error.to_string(), result, ask: false }
            })?;
            tracing::info!(device = file.name(), bytes, "the device file is written back");
            self.file = Arc::new(file);
        }
        forget_result(lock);
        let mut leftover = None;
        if now.is_settled() {
            // The file is as it should be; a journal that stays is found to be done with at the next start.
            leftover = journal.finish().err();
            if leftover.is_none() {
                forget_begun(lock);
            }
            self.interrupted = None;
        }
        let Device { in_doubt, not_it, given, .. } = now.clone();
        self.device = Arc::new(Device { in_doubt, not_it, given, ..self.file.device().clone() });
        Ok(leftover)
    }

    fn cannot_push(&self, reason: &str, next: &str) -> InputError {
        InputError::Unsupported {
            file: self.file.name().to_owned(),
            reason: reason.to_owned(),
            next: next.to_owned(),
        }
    }
}

/// How often a file is read again that cannot be read as a device file.
const HALF_WRITTEN: u32 = 20;

/// What the application wrote meanwhile waits, and the outcome says so.
fn take_in(outcome: &mut Outcome, together: Together) {
    let Together { device, news } = together;
    outcome.cursor_moved &= device.sync.cursor == Some(outcome.head);
    outcome.device = device;
    if news.is_empty() {
        return;
    }
    if matches!(outcome.end, End::Done) {
        outcome.end = End::Left;
    }
    let message = String::from("the app wrote it while the sync was retried; it is sent the next time");
    outcome.held.extend(news.into_iter().map(|id| Quarantined { ids: vec![id], message: message.clone() }));
}

/// By how many bytes what is written back may be longer than what was read: what others wrote comes into it, and ids
/// and times of what was sent.
fn larger_by(window: &Window) -> usize {
    const ROW: usize = 256;
    const SPARE: usize = 64 << 10;
    let rows = window.mutations.iter();
    SPARE + rows.map(|row| ROW + row.data.as_str().map_or(0, str::len)).sum::<usize>()
}

/// The backup that a push stands on.
struct Copy {
    path: PathBuf,
    /// Made by this push, and not by one that was interrupted.
    fresh: bool,
}

impl Copy {
    /// Where it lies. The copy of a push that was `idle` (it sent nothing and left the file as it was) says nothing that the
    /// file does not say, and goes.
    fn kept(self, idle: bool) -> Option<PathBuf> {
        let gone = idle && self.fresh && std::fs::remove_file(&self.path).is_ok();
        (!gone).then_some(self.path)
    }
}

/// Does what the machine says until it has an outcome.
async fn drive(
    client: &mut Client,
    mut machine: Push,
    journal: &mut Journal<Record>,
    clock: Clock,
    watch: &mut impl Watch,
) -> Outcome {
    let mut step = machine.start();
    loop {
        if let Do::Wait { ms } = &mut step {
            *ms = jittered(*ms);
        }
        for mut note in machine.notes() {
            if let (Note::Waiting { ms: told, .. }, Do::Wait { ms }) = (&mut note, &step) {
                // What is told is how long it really takes.
                *told = *ms;
            }
            watch.note(note);
        }
        let got = match step {
            Do::Finish(outcome) => return *outcome,
            _ if watch.cancelled() => Got::Cancelled,
            // Without a journal nothing more may be sent.
            Do::Journal(record) => match journal.append(&record) {
                Ok(()) => {
                    tracing::debug!(?record, "in the journal");
                    Got::Journaled
                }
                Err(error) => {
                    tracing::error!(%error, "not in the journal");
                    Got::NotJournaled(error.to_string())
                }
            },
            Do::Post { head, mutations } => Got::Posted(posted(client.post(head, &mutations).await)),
            Do::Pull { since } => Got::Pulled(pull_since(client, since).await),
            Do::Authorize(refusal) => {
                let fresh = authorize(client, &refusal, watch).await;
                machine.token_of(client.user());
                Got::Authorized(fresh)
            }
            Do::Wait { ms } => {
                wait(ms, watch).await;
                Got::Waited
            }
        };
        step = machine.got(got, clock.now());
    }
}

/// Whether there is a token that requests can carry from now on.
async fn authorize(client: &mut Client, refusal: &Refusal, watch: &mut impl Watch) -> bool {
    let Some(token) = watch.fresh_token(refusal).await else { return false };
    let fresh = client.with_token(&token);
    fresh.map(|fresh| *client = fresh).is_ok()
}

fn posted(answer: Result<crate::domain::answer::PostAnswer, Failure>) -> Posted {
    match answer {
        Ok(answer) => Posted::Answer(answer),
        Err(Failure::Refused(refusal)) => Posted::Refused(refusal),
        Err(Failure::NotSent(reason)) => Posted::NotSent(reason),
        Err(Failure::Lost(lost)) => Posted::Lost(lost.to_string()),
    }
}

async fn pull_since(client: &Client, since: Cursor) -> Result<Window, PullFault> {
    pull(client, Some(since), |_| {}).await.map_err(|error| match error.failure() {
        Some(Failure::Refused(refusal)) => PullFault::Refused(refusal.clone()),
        Some(Failure::NotSent(_) | Failure::Lost(_)) | None => PullFault::Failed(error.to_string()),
    })
}

/// Waits `ms`, in short stretches, so that the person can stop it.
async fn wait(ms: u64, watch: &impl Watch) {
    let mut left = ms;
    while left > 0 && !watch.cancelled() {
        let stretch = left.min(100);
        tokio::time::sleep(Duration::from_millis(stretch)).await;
        left -= stretch;
    }
}

/// A device file and a recorded pull, read side by side.
pub fn load((device, said): (&Path, &Said), pull: &Path) -> Result<(DeviceFile, Window), InputError> {
    let name = pull.display().to_string();
    let (file, recording) = std::thread::scope(|scope| {
        let recording =
            scope.spawn(|| Source::read(pull).and_then(|source| Recording::read(source.text, &name)));
        let file = DeviceFile::read_as(device, said);
        match recording.join() {
            Ok(recording) => (file, recording),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    let file = file?;
    let window = recording?.window(&name, file.device().sync.cursor)?;
    Ok((file, window))
}
