//! The only owner of the terminal: waits for signals, keys and the answers of effects, lets the app decide, draws.

mod cast;
mod editor;
mod effects;
mod guard;
pub mod lab;
mod pick;
mod signals;

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{EventStream, KeyEvent, KeyEventKind};
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
use effects::Effects;
pub use effects::push_end;
use guard::{Guard, Screen};
pub use pick::pick;
pub use signals::Signals;
use signals::Told;

/// How often "4 min ago" is looked at again.
const TICK: Duration = Duration::from_secs(1);
/// How long answers that are already there are taken in before a frame is drawn.
const GATHER: Duration = Duration::from_millis(4);

/// Who presses the keys besides the person, and what is kept of the show.
#[derive(Default)]
pub struct Play {
    /// The story that plays by itself.
    pub auto: Option<Autoplay>,
    /// The recording.
    pub cast: Option<Cast>,
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
    theme: Theme,
    mut play: Play,
    signals: &mut Signals,
) -> io::Result<Left> {
    // Keys are listened to before the first frame: what comes early must not be lost.
    let mut terminal = Terminal::take(play.cast.take())?;
    let mut due: Option<(tokio::time::Instant, KeyEvent)> = None;
    let (events, mut answers) = mpsc::unbounded_channel();
    let clock = session.clock();
    let mut effects = Effects::new(session, events);
    let mut tick = tokio::time::interval(TICK);
    let mut app = App::new(start);
    terminal.draw(&app, theme)?;
    effects.run(Effect::Pull).await;
    loop {
        if let (None, Some(auto)) = (&due, &mut play.auto) {
            due = auto
                .next(&app)
                .map(|(ms, key)| (tokio::time::Instant::now() + Duration::from_millis(ms), key));
        }
        let event = tokio::select! {
            biased;
            heard = terminal.hear(signals) => match heard? {
                Heard::End => Event::Term,
                Heard::GoOn => {
                    terminal.draw(&app, theme)?;
                    continue;
                }
                Heard::Event(event) => match from_terminal(event, &terminal.regions) {
                    Some(event) => {
                        if matches!(event, Event::Key(_) | Event::Pointer(_)) {
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
        terminal.draw(&app, theme)?;
    }
}

/// What comes from outside.
enum Heard {
    /// A key, the mouse, a paste, another size.
    Event(crossterm::event::Event),
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
    /// What the last frame shows where, for the mouse.
    regions: Regions,
    guard: Guard,
    cast: Option<Cast>,
}

impl Terminal {
    fn take(cast: Option<Cast>) -> io::Result<Self> {
        let guard = Guard::take()?;
        let keys = Some(EventStream::new());
        let screen = Screen::new(CrosstermBackend::new(Output::new(cast.clone())))?;
        Ok(Self { screen, keys, regions: Regions::default(), guard, cast })
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
        let keys = self.keys.as_mut();
        let event =
            async { if let Some(keys) = keys { keys.next().await } else { std::future::pending().await } };
        tokio::select! {
            biased;
            told = signals.next() => match told {
                Told::End => Ok(Heard::End),
                Told::GoOn => self.hold().map(|()| Heard::GoOn),
            },
            event = event => Ok(match event {
                Some(Ok(event)) => Heard::Event(event),
                // A terminal that can no longer be read is gone, as on a hangup.
                Some(Err(_)) | None => Heard::End,
            }),
        }
    }

    fn draw(&mut self, app: &App, theme: Theme) -> io::Result<()> {
        self.frame(|area, buffer| ui::draw(app, theme, area, buffer))
    }

    fn frame(&mut self, draw: impl FnOnce(Rect, &mut Buffer) -> Regions) -> io::Result<()> {
        let mut regions = Regions::default();
        self.screen.draw(|frame| regions = draw(frame.area(), frame.buffer_mut()))?;
        self.regions = regions;
        Ok(())
    }
}

/// The key that is due, when it is; never, while there is none.
async fn pressed(due: &mut Option<(tokio::time::Instant, KeyEvent)>) -> Option<KeyEvent> {
    let Some((at, key)) = *due else { return std::future::pending().await };
    tokio::time::sleep_until(at).await;
    *due = None;
    Some(key)
}

fn from_terminal(event: crossterm::event::Event, regions: &Regions) -> Option<Event> {
    use crossterm::event::Event as Raw;
    match event {
        // Some terminals report releases as well.
        Raw::Key(key) if key.kind != KeyEventKind::Release => Some(Event::Key(key)),
        Raw::Paste(text) => Some(Event::Paste(text)),
        Raw::Resize(width, height) => Some(Event::Resize { width, height }),
        Raw::Mouse(mouse) => regions.event(mouse),
        Raw::Key(_) | Raw::FocusGained | Raw::FocusLost => None,
    }
}

/// Puts text on the clipboard of the terminal that the person sits at, also over SSH (OSC 52).
fn copy(text: &str) -> io::Result<()> {
    crossterm::execute!(io::stdout(), crossterm::clipboard::CopyToClipboard::to_clipboard_from(text))
}
