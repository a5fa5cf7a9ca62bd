//! Rows on their way to the log. They are written by a thread of their own: whoever inspects or pushes never waits
//! for the disk or for another process, and a log that cannot be written is told of once, at the end.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::event::{DEMO, Event};
use super::local::{Local, LogError};
use super::observe::{self, Decided, Scene};
use crate::domain::answer::Refusal;
use crate::domain::inspect::Inspection;
use crate::domain::mutation::Millis;
use crate::domain::push::{Note, Outcome};
use crate::domain::resolution::Resolution;
use crate::server::Token;
use crate::session::Watch;

/// How long the end of a command waits for the last rows.
const LAST_ROWS: Duration = Duration::from_secs(10);

/// Where a session leaves what it sees; off by default. Clones are the same log.
#[derive(Clone, Default)]
pub struct ConflictLog(Option<Arc<Writer>>);

struct Writer {
    path: PathBuf,
    demo: bool,
    /// Told whenever rows were added.
    written: Arc<Notify>,
    /// How many rows are on their way.
    on_their_way: Arc<AtomicUsize>,
    thread: Mutex<Option<Thread>>,
}

struct Thread {
    rows: Sender<Vec<Event>>,
    ended: Receiver<Result<(), LogError>>,
}

impl ConflictLog {
    /// The log at `path`. Nothing is made before there is something to write.
    pub fn at(path: PathBuf) -> Self {
        Self(Some(Arc::new(Writer::new(path, false))))
    }

    /// Where it lies, and whether all in it is marked as a demo's; `None` where it is off.
    pub(super) fn place(&self) -> Option<(&Path, bool)> {
        self.0.as_ref().map(|writer| (writer.path.as_path(), writer.demo))
    }

    /// Whether all that was left here lies in the log by now.
    pub(super) fn is_written(&self) -> bool {
        self.0.as_ref().is_none_or(|writer| writer.on_their_way.load(Ordering::SeqCst) == 0)
    }

    /// Is told whenever rows were added.
    pub fn written(&self) -> Arc<Notify> {
        self.0.as_ref().map(|writer| Arc::clone(&writer.written)).unwrap_or_default()
    }

    /// A log of its own at the same place, in which all is marked as a demo's.
    #[must_use]
    pub fn of_demo(&self) -> Self {
        Self(self.0.as_ref().map(|writer| Arc::new(Writer::new(writer.path.clone(), true))))
    }

    /// Remembers an inspection, if it has a divergence. `server` is the server's short name.
    pub fn inspected(&self, inspection: &Inspection, server: &str, at: Millis, took: Duration) {
        if let Some(writer) = &self.0 {
            writer.send(observe::inspected(inspection, writer.scene(server, at), took));
        }
    }

    /// A watch that looks on at a push for the log as well.
    pub fn watch<'w, W: Watch>(
        &self,
        inspection: &Inspection,
        resolution: &Resolution,
        watch: &'w mut W,
    ) -> Watched<'w, W> {
        let writer = self.0.clone();
        let decided = writer.map(|writer| (writer, Decided::of(inspection, resolution)));
        Watched { watch, decided, refused: 0, begun: Instant::now() }
    }

    /// Waits until all rows are written. Answers why they could not be, where that is so.
    pub fn close(&self) -> Result<(), LogError> {
        let Some(writer) = &self.0 else { return Ok(()) };
        let thread = writer.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        match thread {
            None => Ok(()),
            Some(Thread { rows, ended }) => {
                // Without a sender the thread ends once it has written all.
                drop(rows);
                ended
                    .recv_timeout(LAST_ROWS)
                    .unwrap_or_else(|_| Err(LogError::Slow { path: writer.path.clone() }))
            }
        }
    }
}

impl Writer {
    fn new(path: PathBuf, demo: bool) -> Self {
        Self { path, demo, written: Arc::default(), on_their_way: Arc::default(), thread: Mutex::default() }
    }

    fn scene<'a>(&self, server: &'a str, at: Millis) -> Scene<'a> {
        Scene { server: if self.demo { DEMO } else { server }, at }
    }

    fn send(&self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = thread.get_or_insert_with(|| {
            Thread::start(self.path.clone(), Arc::clone(&self.written), Arc::clone(&self.on_their_way))
        });
        let count = events.len();
        self.on_their_way.fetch_add(count, Ordering::SeqCst);
        // A thread that gave up has left its reason for the end.
        if thread.rows.send(events).is_err() {
            self.on_their_way.fetch_sub(count, Ordering::SeqCst);
        }
    }
}

impl Thread {
    fn start(path: PathBuf, told: Arc<Notify>, on_their_way: Arc<AtomicUsize>) -> Self {
        let (rows, received) = channel::<Vec<Event>>();
        let (end, ended) = channel();
        std::thread::spawn(move || {
            let written = write(&path, &received, &told, &on_their_way);
            // Nobody waits where the program was left in haste.
            let _ = end.send(written);
        });
        Self { rows, ended }
    }
}

fn write(
    path: &Path,
    received: &Receiver<Vec<Event>>,
    told: &Notify,
    on_their_way: &AtomicUsize,
) -> Result<(), LogError> {
    let mut log = None;
    while let Ok(events) = received.recv() {
        let log = match &mut log {
            Some(log) => log,
            None => log.insert(Local::open(path)?),
        };
        log.append(&events)?;
        on_their_way.fetch_sub(events.len(), Ordering::SeqCst);
        told.notify_one();
    }
    Ok(())
}

/// Looks on at a push for the log, and hands everything on to who watches it.
pub struct Watched<'w, W> {
    watch: &'w mut W,
    decided: Option<(Arc<Writer>, Decided)>,
    refused: u32,
    begun: Instant,
}

impl<W: Watch> Watch for Watched<'_, W> {
    fn note(&mut self, note: Note) {
        if let Note::Refused { status: 409, .. } = &note {
            self.refused += 1;
        }
        self.watch.note(note);
    }

    fn cancelled(&self) -> bool {
        self.watch.cancelled()
    }

    fn fresh_token(&mut self, refusal: &Refusal) -> impl Future<Output = Option<Token>> + Send {
        self.watch.fresh_token(refusal)
    }
}

impl<W> Watched<'_, W> {
    /// Remembers what the push came to.
    pub fn pushed(self, outcome: &Outcome, server: &str, at: Millis) {
        if let Some((writer, decided)) = self.decided {
            let scene = writer.scene(server, at);
            writer.send(decided.pushed(outcome, self.refused, scene, self.begun.elapsed()));
        }
    }
}
