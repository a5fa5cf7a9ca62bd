//! Rows on their way to the log. They are written by a thread of their own: whoever inspects or pushes never waits
//! for the disk or for another process, and a log that cannot be written is told of once, at the end.

use std::num::NonZeroU32;
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

/// How far back a log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// How many days before today stay.
    pub days: NonZeroU32,
    /// The team's log, to which rows go before they are let go of.
    pub team: Option<String>,
}

/// How long the end of a command waits for the last rows.
const LAST_ROWS: Duration = Duration::from_secs(10);

/// Where a session leaves what it sees; off by default. Clones are the same log.
#[derive(Clone, Default)]
pub struct ConflictLog(Option<Arc<Writer>>);

struct Writer {
    demo: bool,
    desk: Arc<Desk>,
    thread: Mutex<Option<Thread>>,
}

/// What a writer shares with its thread.
struct Desk {
    path: PathBuf,
    keep: Option<Keep>,
    /// Told whenever rows were added.
    written: Arc<Notify>,
    /// How many rows are on their way.
    on_their_way: AtomicUsize,
}

struct Thread {
    rows: Sender<Vec<Event>>,
    ended: Receiver<Result<(), LogError>>,
}

impl ConflictLog {
    /// The log at `path`. Nothing is made before there is something to write.
    pub fn at(path: PathBuf) -> Self {
        Self::keeping(path, None)
    }

    /// The same, for which what is old is let go of as new rows come.
    pub fn keeping(path: PathBuf, keep: Option<Keep>) -> Self {
        Self(Some(Arc::new(Writer::new(path, false, keep))))
    }

    /// Where it lies, and whether all in it is marked as a demo's; `None` where it is off.
    pub(super) fn place(&self) -> Option<(&Path, bool)> {
        self.0.as_ref().map(|writer| (writer.desk.path.as_path(), writer.demo))
    }

    /// Whether all that was left here lies in the log by now.
    pub(super) fn is_written(&self) -> bool {
        self.0.as_ref().is_none_or(|writer| writer.desk.on_their_way.load(Ordering::SeqCst) == 0)
    }

    /// Is told whenever rows were added.
    pub fn written(&self) -> Arc<Notify> {
        self.0.as_ref().map(|writer| Arc::clone(&writer.desk.written)).unwrap_or_default()
    }

    /// A log of its own at the same place, in which all is marked as a demo's.
    #[must_use]
    pub fn of_demo(&self) -> Self {
        Self(
            self.0.as_ref().map(|writer| {
                Arc::new(Writer::new(writer.desk.path.clone(), true, writer.desk.keep.clone()))
            }),
        )
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
                    .unwrap_or_else(|_| Err(LogError::Slow { path: writer.desk.path.clone() }))
            }
        }
    }
}

impl Writer {
    fn new(path: PathBuf, demo: bool, keep: Option<Keep>) -> Self {
        let desk = Desk { path, keep, written: Arc::default(), on_their_way: AtomicUsize::new(0) };
        Self { demo, desk: Arc::new(desk), thread: Mutex::default() }
    }

    fn scene<'a>(&self, server: &'a str, at: Millis) -> Scene<'a> {
        Scene { server: if self.demo { DEMO } else { server }, at }
    }

    fn send(&self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = thread.get_or_insert_with(|| Thread::start(Arc::clone(&self.desk)));
        let count = events.len();
        self.desk.on_their_way.fetch_add(count, Ordering::SeqCst);
        // A thread that gave up has left its reason for the end.
        if thread.rows.send(events).is_err() {
            self.desk.on_their_way.fetch_sub(count, Ordering::SeqCst);
        }
    }
}

impl Thread {
    fn start(desk: Arc<Desk>) -> Self {
        let (rows, received) = channel::<Vec<Event>>();
        let (end, ended) = channel();
        std::thread::spawn(move || {
            let written = desk.write(&received);
            // Nobody waits where the program was left in haste.
            let _ = end.send(written);
        });
        Self { rows, ended }
    }
}

impl Desk {
    fn write(&self, received: &Receiver<Vec<Event>>) -> Result<(), LogError> {
        let mut log = None;
        while let Ok(events) = received.recv() {
            let log = match &mut log {
                Some(log) => log,
                None => log.insert(Local::open(&self.path)?),
            };
            log.append(&events)?;
            self.on_their_way.fetch_sub(events.len(), Ordering::SeqCst);
            self.written.notify_one();
            if let (Some(keep), Some(event)) = (&self.keep, events.first()) {
                let before = event.day() - i64::from(keep.days.get());
                if log.holds_before(before)? {
                    // What waits for the team's log stays until the next time.
                    log.prune_some(before, keep.team.as_deref())?;
                }
            }
        }
        Ok(())
    }
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
