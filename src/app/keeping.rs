//! Choices that outlive the session: when they are to be kept, what an earlier session left, and what is said of it.

use std::path::PathBuf;
use std::sync::Arc;

use super::overlay::{Overlay, Question};
use super::{App, Drafted, Effect, Failure, Phase, Tone, story};
use crate::domain::diagnosis;
use crate::domain::mutation::Millis;
use crate::domain::resolution::{Resolution, Unit};

/// What an earlier session chose and did not send.
#[derive(Debug)]
pub enum Earlier {
    /// Choices, on both sides as they are now.
    Found(Found),
    /// What lies there is no draft.
    Damaged {
        /// What is wrong with it.
        what: String,
        /// Where it was moved to; `None` where it could not be moved and is left alone.
        aside: Option<PathBuf>,
    },
}

/// The choices of an earlier session, on both sides as they are now.
#[derive(Debug)]
pub struct Found {
    /// Those that still stand.
    pub resolution: Resolution,
    /// Fields whose choice was taken back, since they hold something else by now.
    pub reopened: Vec<Unit>,
    /// Choices on what has been sent or agrees by now.
    pub passed: usize,
    /// When the last of them was made.
    pub at: Millis,
    /// The server that they were made against, where it is another one now.
    pub elsewhere: Option<String>,
}

/// What is kept of the choices, and what is to be said of it.
#[derive(Default)]
pub(super) struct Keeping {
    /// How many acts there were when choices were kept last; `None`: they are to be kept whatever they are.
    acts: Option<(usize, usize)>,
    /// Everything chosen was sent.
    done: bool,
    /// What an earlier session left, while the person is asked.
    offered: Option<Found>,
    /// Why choices are not kept.
    not: Option<String>,
    /// Waits for the inspector to be there.
    notice: Option<Failure>,
    /// The device file changed on the disk since the inspection before.
    read_again: bool,
}

impl Keeping {
    /// Other choices took the place of those that were there; `known`: the person chose them. A first look knows of
    /// none, and what may lie beside the file stays.
    pub(super) const fn other(&mut self, known: bool) {
        self.acts = if known { None } else { Some((0, 0)) };
    }

    /// All that was chosen has been sent.
    pub(super) const fn done(&mut self) {
        self.done = true;
    }

    pub(super) fn read_again(&mut self) -> bool {
        std::mem::take(&mut self.read_again)
    }
}

impl App {
    /// Keeps the choices, if a person acted since they were kept.
    pub(super) fn keep(&mut self) -> Option<Effect> {
        let bench = self.bench.as_ref()?;
        let acts = bench.resolution.acts();
        if self.keeping.acts == Some(acts) || self.keeping.offered.is_some() {
            return None;
        }
        self.keeping.acts = Some(acts);
        let done = std::mem::take(&mut self.keeping.done);
        let chosen = if done { Resolution::default() } else { bench.resolution.without_history() };
        Some(Effect::Keep { inspection: Arc::clone(&bench.inspection), chosen })
    }

    /// Whether choices outlive the session; where not, why not.
    pub(super) const fn are_kept(&self) -> Result<(), &'static str> {
        if self.start.fleeting {
            Err("A demo keeps nothing: its device file goes with it.")
        } else if self.keeping.not.is_some() {
            Err("Choices are not kept here; C saves them as a file for `--choices`.")
        } else {
            Ok(())
        }
    }

    /// The first look at a device on which an earlier session left choices.
    pub(super) fn drafted(&mut self, drafted: Drafted) -> Vec<Effect> {
        let Drafted { inspection, earlier } = drafted;
        if self.bench.is_some() {
            return self.inspected(Arc::new(inspection));
        }
        let found = match earlier {
            Earlier::Found(found) => found,
            Earlier::Damaged { what, aside } => {
                let next = match aside {
                    Some(path) => format!(
                        "It was moved to {}, with whatever is still in it. Choose anew; what you choose is kept.",
                        self.told(&path).display()
                    ),
                    None => String::from(
                        "It could not be moved away. Look at it before you choose: what is chosen takes its place.",
                    ),
                };
                let what = format!(
                    "What an earlier session chose was kept beside the device file, but cannot be used: {what}."
                );
                self.keeping.notice = Some(Failure { what, where_: String::new(), next, request_id: None });
                return self.install(Arc::new(inspection), Resolution::default(), &[]);
            }
        };
        let effects = self.install(Arc::new(inspection), Resolution::default(), &[]);
        let made = found.resolution.iter().count();
        let from = from(found.at, self.start.now);
        if made == 0 && found.reopened.is_empty() {
            self.status =
                Some((Tone::Note, format!("what an earlier session chose {from} is settled by now")));
            self.keeping.other(true);
            return effects;
        }
        let what = told(&found, made, &from);
        if made == 0 {
            self.adopt(found);
            let next = String::from("The first of them is marked.");
            self.overlays.push(Overlay::Failure(Failure {
                what,
                where_: String::new(),
                next,
                request_id: None,
            }));
            return effects;
        }
        self.keeping.offered = Some(found);
        self.overlays.push(Overlay::Question(Question::Earlier { what }));
        effects
    }

    /// The person goes on with what an earlier session chose.
    pub(super) fn go_on_with_draft(&mut self) -> Vec<Effect> {
        let Some(found) = self.keeping.offered.take() else { return Vec::new() };
        let (made, again) = (found.resolution.iter().count(), found.reopened.len());
        self.adopt(found);
        let again = match again {
            0 => String::new(),
            again => format!(", {} open again: the first of them is marked", story::count(again, "field")),
        };
        self.done(format!("{} made again{again} · u takes them back", story::count(made, "choice")))
    }

    /// The person starts anew. What is kept stays until something is chosen; redo brings it back until then.
    pub(super) fn start_anew(&mut self) -> Vec<Effect> {
        let Some(found) = self.keeping.offered.take() else { return Vec::new() };
        let made = story::count(found.resolution.iter().count(), "choice");
        self.adopt(found);
        if let Some(bench) = &mut self.bench {
            bench.resolution.undo();
            bench.chosen();
            self.keeping.acts = Some(bench.resolution.acts());
        }
        self.done(format!("started anew · U brings the {made} back, until you choose something else"))
    }

    fn adopt(&mut self, found: Found) {
        let Some(bench) = &mut self.bench else { return };
        bench.resolution = found.resolution;
        bench.chosen();
        if let Some(first) = found.reopened.first() {
            bench.go_to(first);
        }
    }

    /// The device file was read again.
    pub(super) fn device_read(&mut self, warnings: Vec<String>) -> Vec<Effect> {
        self.start.warnings = warnings;
        self.keeping.read_again = true;
        Vec::new()
    }

    /// Choices are not kept, or no longer.
    pub(super) fn not_kept(&mut self, why: String) -> Vec<Effect> {
        self.keeping.not = Some(why.clone());
        self.keeping.notice = Some(Failure {
            what: why,
            where_: String::new(),
            next: String::from("C saves what is chosen as a file that `unstick push --choices` takes."),
            request_id: None,
        });
        if matches!(self.phase, Phase::Inspecting) {
            self.tell_notice();
        }
        Vec::new()
    }

    /// Says what waited for the inspector.
    pub(super) fn tell_notice(&mut self) {
        self.overlays.extend(self.keeping.notice.take().map(Overlay::Failure));
    }

    pub(super) fn save_choices(&self) -> Vec<Effect> {
        let Some(bench) = &self.bench else { return Vec::new() };
        vec![Effect::SaveChoices {
            inspection: Arc::clone(&bench.inspection),
            chosen: bench.resolution.without_history(),
        }]
    }

    /// Choices were saved as a file, or not.
    pub(super) fn saved(&mut self, saved: Result<PathBuf, Failure>) -> Vec<Effect> {
        match saved {
            Ok(path) => {
                let path = self.told(&path).display().to_string();
                self.done(format!(
                    "the choices are in {path} · `unstick plan` and `push` take them with --choices"
                ))
            }
            Err(failure) => {
                self.overlays.push(Overlay::Failure(failure));
                Vec::new()
            }
        }
    }
}

/// What an earlier session left, in sentences.
fn told(found: &Found, made: usize, from: &str) -> String {
    let mut told = match made {
        0 => format!("None of the choices of an earlier session ({from}) stands as it was."),
        1 => format!("1 choice of an earlier session is kept ({from})."),
        made => format!("{made} choices of an earlier session are kept ({from})."),
    };
    match found.reopened.len() {
        0 => {}
        1 => told.push_str(" 1 more is open again, as its values changed meanwhile."),
        again => told.extend([format!(" {again} more are open again, as their values changed meanwhile.")]),
    }
    match found.passed {
        0 => {}
        1 => told.push_str(" 1 is settled by now."),
        passed => told.extend([format!(" {passed} are settled by now.")]),
    }
    if let Some(server) = &found.elsewhere {
        told.extend([format!(" They were made against {server}.")]);
    }
    told
}

/// From when something is, so that a person knows whether it is theirs.
fn from(at: Millis, now: Millis) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.0).map_or_else(
        |_| String::from("an unknown time"),
        |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    );
    format!("from {moment}, {}", diagnosis::ago(at, now))
}
