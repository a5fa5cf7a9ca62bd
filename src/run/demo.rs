//! The stories: picked from a list or named, told on the screen, by themselves and recorded where that is wanted.

use std::io::{self, Write};
use std::path::Path;

use super::{Failed, Named, finish, on_terminal, open, terminal_size, written};
use crate::app::{Autoplay, Offered, Picker};
use crate::conflict_log;
use crate::demo;
use crate::error::InputError;
use crate::exit::ExitCode;
use crate::runtime::{self, Cast, Left, Look, Play, Signals};
use crate::sandbox::scenario::Scenario;
use crate::session::{Clock, Server, Session};

/// What a script does with a scenario.
const WITHOUT_SCREEN: &str = "Run it in a terminal. `unstick demo --list` tells what there is, \
    and `unstick sandbox --scenario NAME` serves it to a client of yours without a screen";

/// What there is, and what it teaches.
pub(super) fn list() -> Result<ExitCode, Failed> {
    let mut out = io::stdout().lock();
    let mut list = Scenario::list().iter();
    written(list.try_for_each(|s| writeln!(out, "{:<16} {}\n{:<16} {}", s.name, s.title, "", s.teaches)))
}

/// Tells the named scenario, or offers them all.
pub(super) async fn run(
    scenario: Option<&str>,
    (auto, record): (bool, Option<&Path>),
    clock: Clock,
    look: Look,
) -> Result<ExitCode, Failed> {
    let size = terminal_size(WITHOUT_SCREEN)?;
    let first = || Scenario::list().first();
    let named = match scenario {
        Some(name) => Scenario::by_name(name),
        // Nobody is there to pick one for a show.
        None => first().filter(|_| auto || record.is_some()),
    };
    let Some(named) = named else { return pick(size, clock, look).await };
    let mut signals = Signals::listen().map_err(on_terminal)?;
    let left = tell(named, (auto, record), clock, look, &mut signals).await?;
    Ok(left.code)
}

/// Offers the scenarios until the person leaves. Answers as the last one that was looked at.
async fn pick(size: (u16, u16), clock: Clock, look: Look) -> Result<ExitCode, Failed> {
    let offered = Scenario::list().iter().map(|scenario| Offered {
        name: scenario.name.to_owned(),
        title: scenario.title.clone(),
        teaches: scenario.teaches.clone(),
    });
    let mut picker = Picker::new(offered.collect(), size);
    // One listener for all of it: who ends the program between two screens is heard as well.
    let mut signals = Signals::listen().map_err(on_terminal)?;
    let mut code = ExitCode::Done;
    while let Some(at) = runtime::pick(&mut picker, look.theme, &mut signals).await.map_err(on_terminal)? {
        let Some(scenario) = Scenario::list().get(at) else { break };
        let left = tell(scenario, (false, None), clock, look, &mut signals).await?;
        code = left.code;
        if left.told {
            break;
        }
    }
    Ok(code)
}

/// One scenario, until the person leaves it; its files go with it.
async fn tell(
    scenario: &Scenario,
    (auto, record): (bool, Option<&Path>),
    clock: Clock,
    look: Look,
    signals: &mut Signals,
) -> Result<Left, Failed> {
    let demo = demo::start(scenario, clock).await?;
    let log = conflict_log::of_this_process().of_demo();
    let session = Session::new(demo.file, Server::Live(demo.client), clock)?.remembering(log.clone());
    let cast = record.map(recording).transpose()?;
    let play = Play { auto: auto.then(Autoplay::default), cast: cast.clone() };
    let named = Named { server: Some(String::from("sandbox")), others: scenario.others(), fleeting: true };
    let left = open(session, look, named, play, signals).await;
    finish(&log);
    demo.sandbox.shutdown().await;
    if let (Some(cast), Some(path)) = (cast, record) {
        cast.finish().map_err(not_recorded(path))?;
    }
    // Kept until here: nothing writes there any more.
    drop(demo.folder);
    Ok(left?)
}

fn recording(path: &Path) -> Result<Cast, InputError> {
    let size = crossterm::terminal::size().map_err(not_recorded(path))?;
    Cast::new(path, size).map_err(not_recorded(path))
}

fn not_recorded(path: &Path) -> impl Fn(io::Error) -> InputError {
    move |source| InputError::Io {
        what: "cannot record to",
        path: path.to_owned(),
        source,
        next: "Give --record a file that is not there yet, in a folder that you may write to",
    }
}
