//! What the world answers: tasks, pulls, editors, pushes.

use std::path::Path;
use std::sync::Arc;

use super::edit;
use super::overlay::{Overlay, Question};
use super::page::Rank;
use super::story;
use super::task::LIGHT_PAIRS;
use super::timeline;
use super::{
    Answer, App, Bench, Connecting, Effect, Ended, Failure, Focus, Job, Phase, Place, PushEnd, Recall, Stuck,
    Task, TokenPrompt, Tone,
};
use crate::domain::inspect::Inspection;
use crate::domain::mutation::Side;
use crate::domain::push::{self, Planned};
use crate::domain::rebase::Reopened;
use crate::domain::resolution::{By, Chosen, Resolution, Unit};
use crate::domain::window::PullStep;

impl App {
    pub(super) fn computed(&mut self, job: Job, answer: Answer) -> Vec<Effect> {
        match answer {
            Answer::Diff(diff) => {
                let compared = self.bench.as_mut().and_then(|bench| bench.compared.as_mut());
                if let Some(compared) = compared.filter(|compared| compared.job == Some(job)) {
                    compared.job = None;
                    compared.diff = Some(diff);
                }
            }
            Answer::Causes(causes, suspects) => {
                if let (true, Some(bench)) = (self.diagnosing == Some(job), &mut self.bench) {
                    self.diagnosing = None;
                    bench.causes = causes;
                    bench.suspects = suspects;
                    bench.chosen();
                    let untouched = bench.selection.cursor() == 0 && bench.progress.open() == 0;
                    if let (true, Some(refused)) = (untouched, bench.refused.first()) {
                        let unit = refused.unit.clone();
                        bench.go_to(&unit);
                    }
                    self.tell_refused();
                    let page = self.why_page();
                    if let (Some(Overlay::Why(open)), Some(page)) = (self.overlays.last_mut(), page) {
                        *open = page;
                    }
                }
            }
            Answer::Rows(rows) => {
                if let (true, Some(bench)) = (self.filtering == Some(job), &mut self.bench) {
                    self.filtering = None;
                    bench.show(rows);
                }
            }
            Answer::Choices(choices) => return self.ruled(job, choices),
            Answer::Forecasts(forecasts) => {
                for overlay in &mut self.overlays {
                    if let Overlay::Menu(menu) = overlay
                        && menu.job == Some(job)
                    {
                        menu.forecasts = Some(forecasts);
                    }
                }
            }
            Answer::Plan(plan) => {
                for overlay in &mut self.overlays {
                    if let Overlay::Preview(preview) = overlay
                        && preview.job == Some(job)
                    {
                        preview.fill(plan);
                        break;
                    }
                }
            }
            Answer::Comparison(comparison) => {
                for overlay in &mut self.overlays {
                    if let Overlay::Comparison(comparing) = overlay
                        && comparing.job == Some(job)
                    {
                        comparing.fill(comparison);
                        break;
                    }
                }
            }
            Answer::Carried(carried, inspection) => {
                if self.carrying == Some(job) {
                    self.carrying = None;
                    return self.install(inspection, carried.resolution, &carried.reopened);
                }
            }
            Answer::Forgotten => {}
        }
        Vec::new()
    }

    /// Says that something would be refused, where there is nothing else to choose.
    fn tell_refused(&mut self) {
        let Some(bench) = &self.bench else { return };
        let (refused, open) = (bench.refused.len(), bench.progress.open());
        if refused > 0 && open == 0 && matches!(self.phase, Phase::Inspecting | Phase::Connecting(_)) {
            let text = match refused {
                1 => String::from("the server will refuse 1 value as it is: f goes there to fix it"),
                many => format!("the server will refuse {many} values as they are: f goes there to fix them"),
            };
            self.status = Some((Tone::Refused, text));
        }
    }

    fn ruled(&mut self, job: Job, mut choices: Vec<(Unit, Option<Chosen>)>) -> Vec<Effect> {
        let Some((_, strategy)) = self.ruling.filter(|(waits, _)| *waits == job) else { return Vec::new() };
        self.ruling = None;
        let Some(bench) = &mut self.bench else { return Vec::new() };
        // A choice made by hand while the rule was computed stands as well.
        choices.retain(|(unit, _)| {
            bench.resolution.get(unit.pair, &unit.path).is_none_or(|chosen| chosen.by != By::Hand)
        });
        let made = bench.resolution.choose(strategy.name(), choices);
        bench.chosen();
        let open = bench.progress.open();
        let left = match open {
            0 => String::from("everything is resolved: p previews"),
            open => format!("{} left open", story::count(open, "resource")),
        };
        let by_hand = match bench.by_hand() {
            0 => String::new(),
            kept => format!(", {} by hand kept", story::count(kept, "choice")),
        };
        if made == 0 {
            return self.refuse(format!("{} changes nothing{by_hand}; {left}", strategy.name()));
        }
        self.done(format!(
            "{}: {}{by_hand}, {left} · u undoes",
            strategy.name(),
            story::count(made, "choice")
        ))
    }

    pub(super) fn inspected(&mut self, inspection: Arc<Inspection>) -> Vec<Effect> {
        let old = self.bench.as_ref().filter(|bench| self.reloading && !bench.resolution.is_empty());
        self.reloading = false;
        match old {
            Some(bench) => {
                let task = Task::Carry {
                    old: Arc::clone(&bench.inspection),
                    resolution: bench.resolution.clone(),
                    new: inspection,
                };
                self.begin(task, |app, job| app.carrying = Some(job))
            }
            None => self.install(inspection, Resolution::default(), &[]),
        }
    }

    /// The first look at a device of which an earlier push broke off: it begins where that stood.
    pub(super) fn recalled(&mut self, recall: Recall) -> Vec<Effect> {
        let Recall { inspection, resolution, reopened, told } = recall;
        if self.bench.is_some() {
            return self.inspected(Arc::new(inspection));
        }
        let effects = self.install(Arc::new(inspection), resolution, &[]);
        let Some(bench) = &mut self.bench else { return effects };
        let made = story::count(bench.resolution.iter().count(), "choice");
        let next = match reopened.first() {
            None => format!("Made again: {made}. p previews what is left to send."),
            Some(first) => {
                bench.go_to(first);
                format!(
                    "Made again: {made}; open again, since the values changed: {}. The first of those is marked.",
                    reopened.len()
                )
            }
        };
        let what = told.iter().map(|text| story::sentence(text)).collect::<Vec<_>>().join(" ");
        self.overlays.push(Overlay::Failure(Failure { what, where_: String::new(), next, request_id: None }));
        effects
    }

    /// A newer inspection, and the choices that stand on it, take the place of what was there.
    pub(super) fn install(
        &mut self,
        inspection: Arc<Inspection>,
        resolution: Resolution,
        reopened: &[Reopened],
    ) -> Vec<Effect> {
        self.before.learn(&inspection, self.start.now);
        let effects = self.take(inspection, resolution);
        self.phase = Phase::Inspecting;
        self.close_all();
        self.focus = Focus::List(Side::Device);
        let Some(bench) = &mut self.bench else { return effects };
        let kept = bench.resolution.iter().count();
        let read_again = self.keeping.read_again();
        if let Some(first) = reopened.first() {
            bench.go_to(&Unit { pair: first.pair, path: first.path.clone() });
            let what = format!(
                "{} changed meanwhile: {} reopened, {} kept.",
                if read_again { "The device file or the server" } else { "The server" },
                if reopened.len() == 1 {
                    String::from("1 choice was")
                } else {
                    format!("{} choices were", reopened.len())
                },
                kept
            );
            self.overlays.push(Overlay::Failure(Failure {
                what,
                where_: String::new(),
                next: format!(
                    "The first one is marked ({}). Look at it again; n goes on to the next.",
                    first.why
                ),
                request_id: None,
            }));
            return effects;
        }
        let open = bench.progress.open();
        self.status = Some((
            Tone::Note,
            match (bench.inspection.pairs.is_empty(), open) {
                (true, _) => String::from("nothing is queued and nothing is new: the device is in step"),
                (false, 0) if bench.progress.diverged > 0 => {
                    String::from("everything is resolved: p previews what a retry would do")
                }
                (false, 0) => String::from("nothing diverges: p previews what a retry would do"),
                (false, 1) => String::from("1 resource diverges: choose with d, s, b or e"),
                (false, open) => format!("{open} resources diverge: choose with d, s, b or e; n next"),
            },
        ));
        if read_again {
            let kept = story::count(kept, "choice");
            self.status = Some((
                Tone::Note,
                format!(
                    "the device file changed on the disk and was read again; {kept} kept, all still stand"
                ),
            ));
        }
        self.tell_refused();
        self.tell_notice();
        effects
    }

    /// What was shown is no longer what would be sent: it is shown again, and nothing more leaves before that.
    fn changed_meanwhile(&mut self, mut effects: Vec<Effect>, sent: usize) -> Vec<Effect> {
        let open = self.bench.as_ref().map_or(0, |bench| bench.progress.open());
        let next = if open == 0 {
            effects.extend(self.preview_plan());
            String::from(
                "The preview behind this shows what a retry would do now. Look at it again; y sends it.",
            )
        } else {
            format!("{} to be decided; then p previews again.", story::count(open, "resource"))
        };
        let so_far = match sent {
            0 => String::from("Nothing was sent."),
            sent => format!("{} acknowledged before that.", story::count(sent, "mutation")),
        };
        self.overlays.push(Overlay::Failure(Failure {
            what: format!(
                "The server changed after the preview, so the plan is no longer the one shown. {so_far}"
            ),
            where_: String::new(),
            next,
            request_id: None,
        }));
        effects
    }

    /// Puts an inspection on the bench.
    fn take(&mut self, inspection: Arc<Inspection>, resolution: Resolution) -> Vec<Effect> {
        let mut bench = Bench::new(Arc::clone(&inspection));
        bench.resolution = resolution;
        bench.chosen();
        self.keeping.other(self.bench.is_some() || !bench.resolution.is_empty());
        let before = self.bench.replace(bench);
        if let Some(before) = before.filter(|before| before.rows.len() > LIGHT_PAIRS) {
            self.useless.push(Box::new((before.inspection, before.resolution, before.rows)));
        }
        (self.filtering, self.ruling, self.editing, self.carrying) = (None, None, None, None);
        let task = Task::Diagnose { inspection, now: self.start.now };
        self.begin(task, |app, job| app.diagnosing = Some(job))
    }

    /// A step of the pull. The first head that is seen tells whether the device would be refused.
    pub(super) fn pulled(&mut self, step: PullStep) {
        self.pull.push(step);
        self.pull_since = Some(self.now());
        let head = match step {
            PullStep::Head(head) | PullStep::Page { head, .. } => head,
            PullStep::AskedHead
            | PullStep::Path(_)
            | PullStep::AskedPage { .. }
            | PullStep::HeadMoved { .. }
            | PullStep::NotWhole { .. }
            | PullStep::CaughtUp { .. }
            | PullStep::HeadStable(_)
            | PullStep::Waiting { .. } => return,
        };
        if let (Some(cursor), None) = (self.device().sync.cursor, self.stuck)
            && cursor != head
        {
            self.stuck = Some(Stuck::Foreseen { cursor, head });
        }
    }

    pub(super) fn failed(&mut self, failure: Failure) -> Vec<Effect> {
        self.reloading = false;
        self.phase = match self.bench {
            // What was there before is still there.
            Some(_) => Phase::Inspecting,
            None => Phase::Connecting(Connecting { failed: Some(failure.clone()) }),
        };
        self.overlays.push(Overlay::Failure(failure));
        Vec::new()
    }

    /// Whoever waits for a token goes on when it is there; a question about leaving stays in front.
    pub(super) fn token_wanted(&mut self, why: Failure) -> Vec<Effect> {
        self.overlays.retain(|overlay| overlay.place() != Place::Token);
        let prompt = Overlay::Token(TokenPrompt::new(why));
        let front = self.overlays.last().is_some_and(|top| top.place() == Place::Question);
        let at = self.overlays.len() - usize::from(front);
        self.overlays.insert(at, prompt);
        Vec::new()
    }

    pub(super) fn edited(&mut self, job: super::EditJob, text: Result<String, String>) -> Vec<Effect> {
        let Some((_, unit, form)) = self.editing.take_if(|(waits, ..)| *waits == job) else {
            return Vec::new();
        };
        let mut text = match text {
            Ok(text) => text,
            Err(why) => return self.refuse(format!("{why}: nothing changed")),
        };
        let Some(bench) = &mut self.bench else { return Vec::new() };
        bench.go_to(&unit);
        let Some(field) = bench.field() else { return Vec::new() };
        let (_, before) = edit::text_of(field, bench.choice(field).map(|chosen| &chosen.choice));
        // Editors end a file with a line end.
        if text.ends_with('\n') && !before.ends_with('\n') {
            text.pop();
        }
        if text == before {
            return self.refuse("nothing was changed");
        }
        // A text that this editor does not take is not argued about.
        let insists = text.len() > super::draft::LONGEST;
        match self.written(&unit, form, &text, insists) {
            Ok(choice) => self.choose(choice),
            Err(unsaved) => {
                // Nothing that was typed is thrown away.
                self.open_editor();
                if let Some(Overlay::Editor(editor)) = self.overlays.last_mut() {
                    editor.draft = super::Draft::new(text.clone());
                }
                self.complain(unsaved, text)
            }
        }
    }

    pub(super) fn pushed(&mut self, note: push::Note) {
        if let Phase::Pushing(pushing) = &mut self.phase {
            pushing.take(note, self.start.now);
        }
    }

    /// The report's place is told among the other files.
    pub(super) fn reported(&mut self, path: &Path) -> Vec<Effect> {
        let path = self.told(path);
        if let Phase::Ended(ended) = &mut self.phase {
            ended.page.push(Rank::Item, story::lies("report", path));
        }
        self.done(format!("the report is in {}", path.display()))
    }

    /// A path as it is told.
    pub(super) fn told<'a>(&self, path: &'a Path) -> &'a Path {
        let name = path.file_name().map(Path::new).filter(|_| self.start.recorded);
        name.unwrap_or(path)
    }

    pub(super) fn push_ended(&mut self, mut end: PushEnd) -> Vec<Effect> {
        for path in [&mut end.written, &mut end.backup, &mut end.report].into_iter().flatten() {
            *path = self.told(path).to_owned();
        }
        if let Some(unwritten) = &mut end.unwritten {
            unwritten.result = unwritten.result.told(self.told(unwritten.result.path()).to_owned());
        }
        let (page, exit) = story::ended(&end, &story::Told::Screen);
        let phone_stops = end.phone_stops();
        if matches!(
            end.outcome.end,
            push::End::Reopened(_) | push::End::FirstSync(_) | push::End::OtherAccount(_)
        ) {
            timeline::keep(self);
        }
        let (notes, leaving, shown) = match std::mem::replace(&mut self.phase, Phase::Inspecting) {
            Phase::Pushing(pushing) => (pushing.notes, pushing.leaving, pushing.shown),
            Phase::Connecting(_) | Phase::Inspecting | Phase::Ended(_) => (Vec::new(), false, None),
        };
        if leaving {
            return vec![Effect::Quit(exit)];
        }
        let PushEnd { outcome, failure, .. } = end;
        let (device, head) = (outcome.device, outcome.head);
        if let push::End::Reopened(reopened) = &outcome.end {
            let effects = self.install(outcome.inspection, outcome.resolution, reopened);
            return if reopened.is_empty() {
                self.changed_meanwhile(effects, outcome.sent.len())
            } else {
                effects
            };
        }
        let untouched = |shown: &Arc<Planned>| {
            outcome.sent.is_empty() && Arc::ptr_eq(shown.inspection(), &outcome.inspection)
        };
        self.unsent = shown.filter(untouched);
        let effects = self.take(outcome.inspection, outcome.resolution);
        self.close_all();
        if matches!(outcome.end, push::End::Done) {
            self.keeping.done();
        }
        match outcome.end {
            push::End::OtherAccount(why) => {
                self.overlays.push(Overlay::Question(Question::OtherAccount { why }));
            }
            push::End::FirstSync(_) => self.overlays.push(Overlay::Question(Question::FirstSync)),
            push::End::Done
            | push::End::Left
            | push::End::Reopened(_)
            | push::End::Refused(_)
            | push::End::Unreachable(_)
            | push::End::Unknown { .. }
            | push::End::HeadKeepsMoving
            | push::End::NotJournaled(_)
            | push::End::Cancelled => {
                self.phase = Phase::Ended(Box::new(Ended { page, exit, notes, device, head, phone_stops }));
            }
        }
        self.overlays.extend(failure.map(Overlay::Failure));
        effects
    }
}
