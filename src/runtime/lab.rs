//! The simulation's screen: keys in, charts out, the simulating itself off the screen's task.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event as Raw;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::input::Typed;
use super::signals::{self, Signals};
use super::{Heard, Terminal};
use crate::lab::{Event, Lab, Run, Wish};
use crate::simulate::{Progress, Settings, simulate};
use crate::ui::{Regions, Theme, draw_lab};

/// How often it is looked how far a simulation is.
const TICK: Duration = Duration::from_millis(100);

/// A simulation under way.
struct UnderWay {
    run: Run,
    progress: Arc<Progress>,
}

/// Runs the screen until the person leaves.
pub async fn run(settings: Settings, threads: usize, theme: Theme) -> io::Result<()> {
    let mut signals = Signals::listen()?;
    let size = crossterm::terminal::size()?;
    let mut terminal = Terminal::take(None, false)?;
    let (events, mut answers) = unbounded_channel();
    let mut tick = tokio::time::interval(TICK);
    let (mut lab, first) = Lab::new(settings, size);
    let mut under_way = Some(first).and_then(|wish| begin(wish, threads, &events));
    loop {
        terminal.frame(|area, buffer| {
            draw_lab(&lab, theme, area, buffer);
            Regions::default()
        })?;
        let event = tokio::select! {
            biased;
            heard = terminal.hear(&mut signals) => match heard? {
                Heard::End => Event::Term,
                Heard::Typed(Typed::Key(key) | Typed::Burst { key, .. }) => Event::Key(key),
                Heard::Typed(Typed::Other(Raw::Resize(width, height))) => Event::Resize(width, height),
                Heard::Typed(Typed::Other(_)) | Heard::GoOn => continue,
            },
            Some(event) = answers.recv() => event,
            _ = tick.tick(), if under_way.is_some() => match &under_way {
                Some(now) => Event::Progress(now.run, now.progress.runs()),
                None => continue,
            },
        };
        match lab.update(event) {
            None => {}
            Some(Wish::Suspend) => terminal.lend(signals::suspend)?,
            Some(wish) => {
                if let Some(before) = under_way.take() {
                    before.progress.stop();
                }
                if wish == Wish::Quit {
                    return Ok(());
                }
                under_way = begin(wish, threads, &events);
            }
        }
        if lab.under_way.is_none() {
            under_way = None;
        }
    }
}

fn begin(wish: Wish, threads: usize, events: &UnboundedSender<Event>) -> Option<UnderWay> {
    let Wish::Simulate(run, settings) = wish else { return None };
    let progress = Arc::new(Progress::default());
    let (watched, events) = (Arc::clone(&progress), events.clone());
    // What the screen asks for was checked as it was turned.
    let work = tokio::task::spawn_blocking(move || simulate(&settings, threads, &watched).ok().flatten());
    tokio::spawn(async move {
        let simulation = work.await.ok().flatten().map(Box::new);
        // Nobody listens any more when the program ends.
        let _ = events.send(Event::Done(run, simulation));
    });
    Some(UnderWay { run, progress })
}
