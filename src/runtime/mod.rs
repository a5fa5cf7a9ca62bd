//! The only owner of the terminal: waits for signals, keys and the answers of effects, lets the app decide, draws.

mod cast;
mod editor;
mod effects;
mod guard;
mod input;
pub mod lab;
mod pick;
mod signals;

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossterm::event::{EventStream, KeyEvent};
use futures_util::StreamExt as _;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc;

use crate::app::{App, Autoplay, Effect, Event, ExitCode, Start};
use crate::session::Session;
use crate::ui::{self, Regions, Theme};
pub use cast::Cast;
use cast::Output;
pub use editor::sweep;
use effects::Effects;
pub use effects::push_end;
use guard::{Guard, Screen};
use input::{Input, Typed};
pub use pick::pick;
pub use signals::Signals;
use signals::Told;

/// How often "4 min ago" is looked at again.
const TICK: Duration = Duration::from_secs(1);
/// How long answers that are already there are taken in before a frame is drawn.
const GATHER: Duration = Duration::from_millis(4);

/// How long the terminal is asked whether more has come, ms: crossterm hands over one event at a time, by a thread.
const GRACE_MS: u64 = 5;
/// How many events are taken in before what they do is looked at.
const READ_AT_ONCE: usize = 1_024;

/// Who presses the keys besides the person, and what is kept of the show.
#[derive(Default)]
pub struct Play {
    /// The story that plays by itself.
    pub auto: Option<Autoplay>,
    /// The recording.
    pub cast: Option<Cast>,
}

/// How the screen looks on this terminal.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The colours.
    pub theme: Theme,
    /// Whether the terminal may reorder right-to-left text: it is then not asked to leave that.
    pub reorder: bool,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// What the program answers.
    pub code: ExitCode,
    /// The process was told to end, or the terminal is gone: nothing more may be asked.
    pub told: bool,
}

/// Runs the screen for one device until the person leaves.
pub async fn run(
    session: Session,
    start: Start,
    Look { theme, reorder }: Look,
    mut play: Play,
    signals: &mut Signals,
) -> io::Result<Left> {
    // Keys are listened to before the first frame: what comes early must not be lost.
    let mut terminal = Terminal::take(play.cast.take(), reorder)?;
    let mut due: Option<(tokio::time::Instant, KeyEvent)> = None;
    let (events, mut answers) = mpsc::unbounded_channel();
    let clock = session.clock();
    let announced = events.clone();
    let mut effects = Effects::new(session, events);
    let mut tick = tokio::time::interval(TICK);
    let mut app = App::new(start);
    terminal.draw(&mut app, theme)?;
    effects.run(Effect::Pull).await;
    loop {
        if let (None, Some(auto)) = (&due, &mut play.auto) {
            due = auto
                .next(&app)
                .map(|(ms, key)| (tokio::time::Instant::now() + Duration::from_millis(ms), key));
            if let Some((_, key)) = due {
                // Whoever watches sees which key it will be.
                let _ = announced.send(Event::Plays(key));
            }
        }
        // More keys are heard once what they confirm was there to be read.
        let look = terminal.later(app.looks_again());
        let event = tokio::select! {
            biased;
            heard = terminal.hear(signals) => match heard? {
                Heard::End => Event::Term,
                Heard::GoOn => {
                    terminal.draw(&mut app, theme)?;
                    continue;
                }
                Heard::Typed(typed) => match from_terminal(typed, &terminal.regions) {
                    Some(event) => {
                        if matches!(event, Event::Key(_) | Event::Burst { .. } | Event::Pointer(_)) {
                            // Whoever takes the keys has them.
                            (play.auto, due) = (None, None);
                        }
                        event
                    }
                    None => continue,
                },
            },
            Some(event) = answers.recv() => event,
            Some(key) = pressed(&mut due) => Event::Key(key),
            () = look => Event::Shown(terminal.now()),
            _ = tick.tick() => Event::Tick(clock.now()),
        };
        let told = matches!(event, Event::Term);
        let mut wanted: VecDeque<Effect> = app.update(event).into();
        let begun = Instant::now();
        while let (true, Ok(event)) = (begun.elapsed() < GATHER, answers.try_recv()) {
            wanted.extend(app.update(event));
        }
        while let Some(effect) = wanted.pop_front() {
            match effect {
                Effect::Quit(code) => {
                    effects.settle().await;
                    return Ok(Left { code, told });
                }
                Effect::Editor { job, text } => {
                    let edited = terminal.lend(|| editor::edit(&text))?;
                    let text = edited.map_err(|error| error.to_string());
                    wanted.extend(app.update(Event::Edited { job, text }));
                }
                Effect::Suspend => terminal.lend(signals::suspend)?,
                Effect::Copy(text) => {
                    let copied = copy(&text).map_err(|error| error.to_string());
                    wanted.extend(app.update(Event::Copied(copied)));
                }
                effect @ (Effect::Pull
                | Effect::Compute { .. }
                | Effect::Push { .. }
                | Effect::Report { .. }
                | Effect::History { .. }
                | Effect::Token(_)
                | Effect::Keep { .. }
                | Effect::SaveChoices { .. }
                | Effect::CancelPush) => {
                    effects.run(effect).await;
                }
            }
        }
        terminal.draw(&mut app, theme)?;
    }
}

/// What comes from outside.
enum Heard {
    /// A key, the mouse, a paste, another size.
    Typed(Typed),
    /// The process goes on after a stop: what was on the screen is gone.
    GoOn,
    /// The process was told to end, or the terminal is gone.
    End,
}

/// The screen, the keys and the guard, which come and go together.
struct Terminal {
    screen: Screen,
    /// Dropped while another program has the terminal, since it would eat that program's keys.
    keys: Option<EventStream>,
    /// Keys and sequences on their way.
    input: Input,
    /// Until when the terminal is asked whether more has come, before what has come is taken for all, ms.
    grace: Option<u64>,
    /// When it was taken.
    begun: Instant,
    /// When the last frame stood on it, ms.
    drawn: u64,
    /// What the last frame shows where, for the mouse.
    regions: Regions,
    guard: Guard,
    cast: Option<Cast>,
}

/// Keys that one screen had read and did not hear: the next one does, as crossterm's own reader keeps what it read.
fn left() -> MutexGuard<'static, Option<(Instant, Input)>> {
    static LEFT: Mutex<Option<(Instant, Input)>> = Mutex::new(None);
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Terminal {
    fn drop(&mut self) {
        *left() = Some((self.begun, std::mem::take(&mut self.input)));
    }
}

impl Terminal {
    fn take(cast: Option<Cast>, reorder: bool) -> io::Result<Self> {
        let guard = Guard::take(reorder)?;
        let keys = Some(EventStream::new());
        let screen = Screen::new(CrosstermBackend::new(Output::new(cast.clone())))?;
        let (begun, input) = left().take().unwrap_or_else(|| (Instant::now(), Input::default()));
        Ok(Self {
            screen,
            keys,
            input,
            grace: None,
            begun,
            drawn: 0,
            regions: Regions::default(),
            guard,
            cast,
        })
    }

    /// Takes the terminal back, whatever was written to it meanwhile.
    fn hold(&mut self) -> io::Result<()> {
        self.guard.hold()?;
        self.screen = Screen::new(CrosstermBackend::new(Output::new(self.cast.clone())))?;
        Ok(())
    }

    /// Lets `program` have the terminal.
    fn lend<T>(&mut self, program: impl FnOnce() -> T) -> io::Result<T> {
        self.keys = None;
        self.guard.release();
        let answer = program();
        self.hold()?;
        self.keys = Some(EventStream::new());
        Ok(answer)
    }

    /// The next thing from outside. Signals come first; a terminal that was stopped is held again. May be given up
    /// and called again: nothing is lost.
    async fn hear(&mut self, signals: &mut Signals) -> io::Result<Heard> {
        loop {
            // While a frame was drawn more may have come, which is not known before the terminal was asked.
            let grace = self.now() + GRACE_MS;
            let grace = *self.grace.get_or_insert(grace);
            let due = self.input.due().map(|due| self.begun + Duration::from_millis(due.max(grace)));
            let ready = self.input.is_ready();
            let keys = self.keys.as_mut();
            let event = async {
                if let Some(keys) = keys { keys.next().await } else { std::future::pending().await }
            };
            let event = tokio::select! {
                biased;
                told = signals.next() => return match told {
                    Told::End => Ok(Heard::End),
                    Told::GoOn => self.hold().map(|()| Heard::GoOn),
                },
                () = std::future::ready(()), if ready => None,
                event = event => Some(event),
                () = at(due) => None,
            };
            match event {
                None if ready => {
                    if let Some(typed) = self.input.next() {
                        return Ok(Heard::Typed(typed));
                    }
                }
                None => {
                    self.grace = None;
                    self.input.wait(self.now());
                }
                Some(Some(Ok(event))) => {
                    self.grace = None;
                    let now = self.now();
                    self.input.take(event, now);
                    // What was read together came together, however long it takes to be handed over.
                    let mut left = READ_AT_ONCE;
                    while left > 0 && crossterm::event::poll(Duration::from_millis(1))? {
                        self.input.take(crossterm::event::read()?, now);
                        left -= 1;
                    }
                }
                // A terminal that can no longer be read is gone, as on a hangup.
                Some(Some(Err(_)) | None) => return Ok(Heard::End),
            }
        }
    }

    /// The time on a clock that only goes forward, ms.
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// So many ms after the last frame; never, where none are given.
    fn later(&self, ms: Option<u64>) -> impl Future<Output = ()> + use<> {
        at(ms.map(|ms| self.begun + Duration::from_millis(self.drawn + ms)))
    }

    fn draw(&mut self, app: &mut App, theme: Theme) -> io::Result<()> {
        let mut size = Rect::default();
        self.frame(|area, buffer| {
            size = area;
            ui::draw(app, theme, area, buffer)
        })?;
        if size != app.layout().area {
            // The terminal's word of it is still on its way.
            app.update(Event::Resize { width: size.width, height: size.height });
            self.frame(|area, buffer| ui::draw(app, theme, area, buffer))?;
        }
        self.drawn = self.now();
        app.update(Event::Shown(self.drawn));
        Ok(())
    }

    fn frame(&mut self, draw: impl FnOnce(Rect, &mut Buffer) -> Regions) -> io::Result<()> {
        let mut regions = Regions::default();
        self.screen.draw(|frame| regions = draw(frame.area(), frame.buffer_mut()))?;
        self.regions = regions;
        Ok(())
    }
}

/// That moment; never, where there is none.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

/// The key that is due, when it is; never, while there is none.
async fn pressed(due: &mut Option<(tokio::time::Instant, KeyEvent)>) -> Option<KeyEvent> {
    let Some((at, key)) = *due else { return std::future::pending().await };
    tokio::time::sleep_until(at).await;
    *due = None;
    Some(key)
}

fn from_terminal(typed: Typed, regions: &Regions) -> Option<Event> {
    use crossterm::event::Event as Raw;
    match typed {
        Typed::Key(key) => Some(Event::Key(key)),
        Typed::Burst { key, first } => Some(Event::Burst { key, first }),
        Typed::Other(Raw::Paste(text)) => Some(Event::Paste(text)),
        Typed::Other(Raw::Resize(width, height)) => Some(Event::Resize { width, height }),
        Typed::Other(Raw::Mouse(mouse)) => regions.event(mouse),
        Typed::Other(Raw::Key(_) | Raw::FocusGained | Raw::FocusLost) => None,
    }
}

/// Puts text on the clipboard of the terminal that the person sits at, also over SSH (OSC 52).
fn copy(text: &str) -> io::Result<()> {
    crossterm::execute!(io::stdout(), crossterm::clipboard::CopyToClipboard::to_clipboard_from(text))
}
