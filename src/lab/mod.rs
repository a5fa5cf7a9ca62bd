//! The screen of the simulation as a state machine: keys and results in, wishes out. No I/O, no clock, no drawing, no
//! simulating.

mod keys;
mod knob;
mod metric;
#[cfg(test)]
pub(crate) mod tests;

use crossterm::event::{KeyEvent, KeyEventKind};

pub use keys::{Act, Bound, KEYS, markdown};
pub use knob::Knob;
pub use metric::{Metric, span, stretches};

use crate::domain::strategy::Strategy;
use crate::simulate::{Interval, Settings, Simulation, Tally};

/// A simulation that was begun, for its answer to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run(pub u32);

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A key.
    Key(KeyEvent),
    /// The terminal has this size now, in columns and rows.
    Resize(u16, u16),
    /// So many of [`Settings::runs`] are done.
    Progress(Run, u64),
    /// The simulation is done; without one it was stopped.
    Done(Run, Option<Box<Simulation>>),
    /// SIGTERM or SIGHUP.
    Term,
}

/// How far a simulation is that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// Which.
    pub run: Run,
    /// How many of its users were played through, each for every interval and strategy.
    pub done: u64,
    /// Of how many.
    pub of: u64,
}

/// What is to be done outside.
#[derive(Debug, PartialEq, Eq)]
pub enum Wish {
    /// Simulate this, and give up what is under way.
    Simulate(Run, Box<Settings>),
    /// Give up what is under way.
    Stop,
    /// Give the terminal to the shell until it continues this process.
    Suspend,
    /// Leave.
    Quit,
}

/// The charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// A measure against the time between two syncs.
    Chart,
    /// The strategies side by side at one interval.
    Bars,
    /// How long it took until all agreed.
    Stretches,
}

/// The whole state of the screen.
#[derive(Debug)]
pub struct Lab {
    /// What would be simulated next.
    pub settings: Settings,
    /// Which of it is marked, a position in [`Knob::ALL`].
    pub knob: usize,
    /// What the charts show, a position in [`Metric::ALL`].
    pub metric: usize,
    /// Which interval the bars show, a position in the simulation's rows.
    pub row: usize,
    /// Which strategy the sparkline shows, a position in [`Strategy::ALL`].
    pub strategy: usize,
    /// What is under way.
    pub under_way: Option<UnderWay>,
    /// What the last simulation came to.
    pub simulation: Option<Box<Simulation>>,
    /// Whether the keys are shown, and from which line on.
    pub help: Option<usize>,
    /// Which chart was looked at last, for where there is no room for all.
    pub view: View,
    /// How the last key went, where that has to be said.
    pub status: Option<String>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    runs: u32,
}

impl Lab {
    /// The screen at the beginning, and the simulation that it begins with.
    pub fn new(settings: Settings, size: (u16, u16)) -> (Self, Wish) {
        let mut lab = Self {
            settings,
            knob: 0,
            metric: 0,
            row: 0,
            strategy: 0,
            under_way: None,
            simulation: None,
            help: None,
            view: View::Chart,
            status: None,
            size,
            runs: 0,
        };
        let wish = lab.begin();
        (lab, wish)
    }

    /// Takes one event; answers what is to be done outside.
    pub fn update(&mut self, event: Event) -> Option<Wish> {
        match event {
            Event::Key(key) if key.kind == KeyEventKind::Release => None,
            Event::Key(key) => self.key(&key),
            Event::Resize(width, height) => {
                self.size = (width, height);
                None
            }
            Event::Progress(run, done) => {
                if let Some(now) = self.under_way.as_mut().filter(|now| now.run == run) {
                    now.done = done;
                }
                None
            }
            Event::Done(run, simulation) => {
                if self.under_way.is_some_and(|now| now.run == run) {
                    self.under_way = None;
                    if simulation.is_some() {
                        self.simulation = simulation;
                    }
                    let rows = self.simulation.as_ref().map_or(0, |simulation| simulation.rows.len());
                    self.row = self.row.min(rows.saturating_sub(1));
                }
                None
            }
            Event::Term => Some(Wish::Quit),
        }
    }

    fn key(&mut self, key: &KeyEvent) -> Option<Wish> {
        self.status = None;
        let Some(act) = keys::act(key) else {
            self.status = Some(String::from("no key of this screen; ? shows them"));
            return None;
        };
        if let Some(line) = self.help {
            match act {
                Act::Up => self.help = Some(line.saturating_sub(1)),
                Act::Down => self.help = Some((line + 1).min(KEYS.len() + 2 * Metric::ALL.len())),
                Act::Quit | Act::Suspend => {}
                Act::Less
                | Act::More
                | Act::Simulate
                | Act::Stop
                | Act::NextMetric
                | Act::PreviousMetric
                | Act::NextInterval
                | Act::NextStrategy
                | Act::Help => self.help = None,
            }
            if !matches!(act, Act::Quit | Act::Suspend) {
                return None;
            }
        }
        self.view = match act {
            Act::NextMetric | Act::PreviousMetric | Act::Simulate => View::Chart,
            Act::NextInterval => View::Bars,
            Act::NextStrategy => View::Stretches,
            Act::Up
            | Act::Down
            | Act::Less
            | Act::More
            | Act::Stop
            | Act::Suspend
            | Act::Help
            | Act::Quit => self.view,
        };
        match act {
            Act::Up => self.knob = self.knob.saturating_sub(1),
            Act::Down => self.knob = (self.knob + 1).min(Knob::ALL.len() - 1),
            Act::Less => self.turn(false),
            Act::More => self.turn(true),
            Act::NextMetric => self.metric = (self.metric + 1) % Metric::ALL.len(),
            Act::PreviousMetric => self.metric = (self.metric + Metric::ALL.len() - 1) % Metric::ALL.len(),
            Act::NextInterval => {
                let rows = self.simulation.as_ref().map_or(0, |simulation| simulation.rows.len());
                self.row = (self.row + 1) % rows.max(1);
            }
            Act::NextStrategy => self.strategy = (self.strategy + 1) % Strategy::ALL.len(),
            Act::Suspend => return Some(Wish::Suspend),
            Act::Simulate => return Some(self.begin()),
            Act::Stop => {
                if self.under_way.take().is_none() {
                    self.status = Some(String::from("nothing is under way; q leaves"));
                    return None;
                }
                self.status = Some(String::from("stopped; r simulates again"));
                return Some(Wish::Stop);
            }
            Act::Help => self.help = Some(0),
            Act::Quit => return Some(Wish::Quit),
        }
        None
    }

    fn turn(&mut self, more: bool) {
        let changed = self.knob().turn(&mut self.settings, more);
        self.status = Some(match changed {
            true if self.is_stale() => String::from("r simulates with this"),
            true => String::new(),
            false => format!("{} goes no further", self.knob().name()),
        });
    }

    fn begin(&mut self) -> Wish {
        self.runs += 1;
        let run = Run(self.runs);
        self.under_way = Some(UnderWay { run, done: 0, of: self.settings.runs() });
        Wish::Simulate(run, Box::new(self.settings.clone()))
    }

    /// What is marked.
    pub fn knob(&self) -> Knob {
        Knob::ALL.get(self.knob).copied().unwrap_or(Knob::Devices)
    }

    /// What the charts show.
    pub fn metric(&self) -> Metric {
        Metric::ALL.get(self.metric).copied().unwrap_or(Metric::Conflicts)
    }

    /// Whether what is shown was simulated with other settings.
    pub fn is_stale(&self) -> bool {
        self.simulation.as_ref().is_some_and(|simulation| simulation.settings != self.settings)
    }

    /// The interval that the bars show, with its tallies.
    pub fn shown(&self) -> Option<(Interval, &[Tally; 4])> {
        let row = self.simulation.as_ref()?.rows.get(self.row)?;
        Some((row.interval, &row.strategies))
    }
}
