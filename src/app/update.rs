//! Events in: keys go to their action, answers to whoever waits for them, and the views are fitted to the screen.

use std::sync::Arc;

use crossterm::event::{KeyEvent, KeyEventKind};

use super::action::{self, Action, Place};
use super::edit;
use super::overlay::{Overlay, Question};
use super::page::{Page, Rank};
use super::preview::Preview;
use super::story;
use super::task::LIGHT_PAIRS;
use super::{
    Answer, App, Bench, Connecting, Effect, Ended, Event, ExitCode, Failure, Focus, Job, Layout, Phase,
    PushEnd, Task, Tone,
};
use crate::domain::inspect::Inspection;
use crate::domain::push;
use crate::domain::rebase::Reopened;
use crate::domain::resolution::{By, Resolution};

impl App {
    /// Takes one event; answers what is to be done outside.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = match event {
            Event::Key(key) => self.key(&key),
            Event::Paste(text) => self.paste(&text),
            Event::Resize { width, height } => {
                (self.start.width, self.start.height) = (width, height);
                Vec::new()
            }
            Event::Pointer(pointer) => self.pointer(pointer),
            Event::Tick(now) => {
                self.start.now = now;
                Vec::new()
            }
            Event::Pull(note) => {
                self.pull.push(note);
                Vec::new()
            }
            Event::Inspected(inspection) => self.inspected(Arc::new(*inspection)),
            Event::PullFailed(failure) | Event::PushFailed(failure) => self.failed(failure),
            Event::Computed { job, answer } => self.computed(job, answer),
            Event::Edited { job, text } => self.edited(job, text),
            Event::Push(note) => {
                self.pushed(note);
                Vec::new()
            }
            Event::PushEnded(end) => self.push_ended(*end),
            Event::Copied(Ok(())) => self.done("copied"),
            Event::Copied(Err(reason)) => self.refuse(format!("not copied: {reason}")),
            Event::Term => return vec![Effect::Quit(self.exit_code())],
        };
        self.fit();
        effects.extend(self.compare());
        effects.extend(self.let_go());
        effects
    }

    /// What is no longer needed and large is dropped off the screen's task.
    fn let_go(&mut self) -> Option<Effect> {
        if self.useless.is_empty() {
            return None;
        }
        self.jobs += 1;
        let task = Task::Forget(Box::new(std::mem::take(&mut self.useless)));
        Some(Effect::Compute { job: Job(self.jobs), task })
    }

    /// Closes the uppermost overlay.
    pub(super) fn close(&mut self) {
        let closed = self.overlays.pop();
        self.discard(closed);
    }

    /// Closes every overlay.
    pub(super) fn close_all(&mut self) {
        let closed = std::mem::take(&mut self.overlays);
        self.discard(closed);
    }

    fn discard(&mut self, closed: impl IntoIterator<Item = Overlay>) {
        for overlay in closed {
            if let Overlay::Preview(Preview { plan: Some(plan), .. }) = overlay
                && plan.pushed() + plan.apply.len() + plan.ledger.len() > LIGHT_PAIRS
            {
                self.useless.push(plan);
            }
        }
    }

    /// Says in the status line what was done.
    pub(super) fn done(&mut self, text: impl Into<String>) -> Vec<Effect> {
        self.status = Some((Tone::Done, text.into()));
        Vec::new()
    }

    /// Says in the status line why something was not done.
    pub(super) fn refuse(&mut self, text: impl Into<String>) -> Vec<Effect> {
        self.status = Some((Tone::Refused, text.into()));
        Vec::new()
    }

    fn key(&mut self, key: &KeyEvent) -> Vec<Effect> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let place = self.place();
        if let Some(binding) = action::bound(place, key) {
            return self.act(binding.action);
        }
        if place.takes_text() { self.typed(key) } else { self.refuse("no key of this screen; ? shows them") }
    }

    /// Does an action, or says why it does not apply.
    pub(super) fn act(&mut self, wanted: Action) -> Vec<Effect> {
        let place = self.place();
        let binding = action::BINDINGS.iter().find(|b| b.action == wanted && b.places.contains(&place));
        let Some(binding) = binding else { return Vec::new() };
        match (binding.available)(self) {
            Ok(()) => {
                self.status = None;
                self.perform(wanted)
            }
            Err(reason) => self.refuse(reason),
        }
    }

    fn typed(&mut self, key: &KeyEvent) -> Vec<Effect> {
        match self.overlays.last_mut() {
            Some(Overlay::Editor(editor)) => {
                editor.draft.input(key);
                editor.complaint = None;
                Vec::new()
            }
            Some(Overlay::Prompt { draft, .. }) => {
                draft.input(key);
                self.prompted()
            }
            Some(Overlay::Help(help)) => {
                help.search.input(key);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn paste(&mut self, text: &str) -> Vec<Effect> {
        match self.overlays.last_mut() {
            Some(Overlay::Editor(editor)) => {
                editor.draft.insert(text);
                Vec::new()
            }
            Some(Overlay::Prompt { draft, .. }) => {
                draft.insert(text);
                self.prompted()
            }
            Some(Overlay::Help(help)) if help.searching => {
                help.search.insert(text);
                Vec::new()
            }
            _ => self.refuse("there is nothing here to paste into"),
        }
    }

    /// The prompt's text is the filter from now on.
    fn prompted(&mut self) -> Vec<Effect> {
        let Some(Overlay::Prompt { draft, .. }) = self.overlays.last() else { return Vec::new() };
        let text = draft.text().to_owned();
        let Some(bench) = &mut self.bench else { return Vec::new() };
        bench.query.text = text;
        self.refilter()
    }

    /// Shows what the filter asks for.
    pub(super) fn refilter(&mut self) -> Vec<Effect> {
        let Some(bench) = &mut self.bench else { return Vec::new() };
        if bench.query.is_empty() {
            self.filtering = None;
            let all = bench.inspection.ids().map(|(id, _)| id).collect();
            bench.show(all);
            return Vec::new();
        }
        let task = Task::Filter {
            inspection: Arc::clone(&bench.inspection),
            resolution: bench.resolution.clone(),
            query: bench.query.clone(),
        };
        self.begin(task, |app, job| app.filtering = Some(job))
    }

    /// Begins a task: small work is done at once, the rest outside. `wait` notes who waits for it.
    pub(super) fn begin(&mut self, task: Task, wait: impl FnOnce(&mut Self, Job)) -> Vec<Effect> {
        self.jobs += 1;
        let job = Job(self.jobs);
        wait(self, job);
        if task.is_light() {
            let answer = task.run(None);
            self.computed(job, answer)
        } else {
            vec![Effect::Compute { job, task }]
        }
    }

    fn computed(&mut self, job: Job, answer: Answer) -> Vec<Effect> {
        match answer {
            Answer::Diff(diff) => {
                let compared = self.bench.as_mut().and_then(|bench| bench.compared.as_mut());
                if let Some(compared) = compared.filter(|compared| compared.job == Some(job)) {
                    compared.job = None;
                    compared.diff = Some(diff);
                }
            }
            Answer::Causes(causes) => {
                if let (true, Some(bench)) = (self.diagnosing == Some(job), &mut self.bench) {
                    self.diagnosing = None;
                    bench.causes = causes;
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

    fn ruled(
        &mut self,
        job: Job,
        mut choices: Vec<(crate::domain::resolution::Unit, Option<crate::domain::resolution::Chosen>)>,
    ) -> Vec<Effect> {
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

    fn inspected(&mut self, inspection: Arc<Inspection>) -> Vec<Effect> {
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

    /// A newer inspection, and the choices that stand on it, take the place of what was there.
    fn install(
        &mut self,
        inspection: Arc<Inspection>,
        resolution: Resolution,
        reopened: &[Reopened],
    ) -> Vec<Effect> {
        let effects = self.take(inspection, resolution);
        self.phase = Phase::Inspecting;
        self.close_all();
        self.focus = Focus::List(crate::domain::mutation::Side::Device);
        let Some(bench) = &mut self.bench else { return effects };
        let kept = bench.resolution.iter().count();
        if let Some(first) = reopened.first() {
            bench.go_to(&crate::domain::resolution::Unit { pair: first.pair, path: first.path.clone() });
            let what = format!(
                "The server changed meanwhile: {} reopened, {} kept.",
                story::count(reopened.len(), "choice was").replace("choice wass", "choices were"),
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
        effects
    }

    /// Puts an inspection on the bench.
    fn take(&mut self, inspection: Arc<Inspection>, resolution: Resolution) -> Vec<Effect> {
        let mut bench = Bench::new(Arc::clone(&inspection));
        bench.resolution = resolution;
        bench.chosen();
        let before = self.bench.replace(bench);
        if let Some(before) = before.filter(|before| before.rows.len() > LIGHT_PAIRS) {
            self.useless.push(Box::new((before.inspection, before.resolution, before.rows)));
        }
        (self.filtering, self.ruling, self.editing, self.carrying) = (None, None, None, None);
        let task = Task::Diagnose { inspection, now: self.start.now };
        self.begin(task, |app, job| app.diagnosing = Some(job))
    }

    fn failed(&mut self, failure: Failure) -> Vec<Effect> {
        self.reloading = false;
        self.phase = match self.bench {
            // What was there before is still there.
            Some(_) => Phase::Inspecting,
            None => Phase::Connecting(Connecting { failed: Some(failure.clone()) }),
        };
        self.overlays.push(Overlay::Failure(failure));
        Vec::new()
    }

    fn edited(&mut self, job: super::EditJob, text: Option<String>) -> Vec<Effect> {
        let Some((_, unit, form)) = self.editing.take_if(|(waits, ..)| *waits == job) else {
            return Vec::new();
        };
        let Some(mut text) = text else { return self.refuse("left without saving; nothing changed") };
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
        match edit::choice_of(field, form, &text) {
            Ok(choice) => self.choose(choice),
            Err(complaint) => {
                // Nothing that was typed is thrown away.
                self.open_editor();
                if let Some(Overlay::Editor(editor)) = self.overlays.last_mut() {
                    editor.draft = super::Draft::new(text);
                    editor.complaint = Some(complaint);
                }
                Vec::new()
            }
        }
    }

    fn pushed(&mut self, note: push::Note) {
        if let Phase::Pushing(pushing) = &mut self.phase {
            if let push::Note::Acknowledged { mutations, .. } = &note {
                pushing.acknowledged += mutations;
            }
            pushing.notes.push(note);
        }
    }

    fn push_ended(&mut self, end: PushEnd) -> Vec<Effect> {
        let (page, exit) = story::ended(&end);
        let (notes, leaving) = match std::mem::replace(&mut self.phase, Phase::Inspecting) {
            Phase::Pushing(pushing) => (pushing.notes, pushing.leaving),
            Phase::Connecting(_) | Phase::Inspecting | Phase::Ended(_) => (Vec::new(), false),
        };
        if leaving {
            return vec![Effect::Quit(exit)];
        }
        let PushEnd { outcome, failure, .. } = end;
        let (device, head) = (outcome.device, outcome.head);
        if let push::End::Reopened(reopened) = &outcome.end {
            return self.install(outcome.inspection, outcome.resolution, reopened);
        }
        let effects = self.take(outcome.inspection, outcome.resolution);
        self.close_all();
        match outcome.end {
            push::End::FirstSync(_) => self.overlays.push(Overlay::Question(Question::FirstSync)),
            push::End::Done
            | push::End::Left
            | push::End::Reopened(_)
            | push::End::Refused(_)
            | push::End::Unreachable(_)
            | push::End::Unknown { .. }
            | push::End::HeadKeepsMoving
            | push::End::Cancelled => {
                self.phase = Phase::Ended(Box::new(Ended { page, exit, notes, device, head }));
            }
        }
        self.overlays.extend(failure.map(Overlay::Failure));
        effects
    }

    /// Fits every view to the screen.
    fn fit(&mut self) {
        let pairs = self.bench.as_ref().map_or(0, |bench| bench.inspection.pairs.len());
        self.layout = Layout::new(self.start.width, self.start.height, pairs);
        let layout = self.layout;
        let inner = layout.inner();
        let (width, height) = (usize::from(inner.width), usize::from(inner.height));
        if let Some(bench) = &mut self.bench {
            bench.selection.set_height(usize::from(layout.list.height));
        }
        match &mut self.phase {
            Phase::Pushing(pushing) => {
                let bar = 2;
                pushing.scroll.fit(pushing.notes.len(), height.saturating_sub(bar));
                pushing.scroll.go(usize::MAX);
            }
            Phase::Ended(ended) => ended.page.fit(width.saturating_sub(2), height),
            Phase::Connecting(_) | Phase::Inspecting => {}
        }
        for overlay in &mut self.overlays {
            match overlay {
                Overlay::Help(help) => {
                    help.scroll.fit(help.rows(layout.wide).len(), height.saturating_sub(1));
                }
                Overlay::Preview(preview) => {
                    let [_, entries, full] = layout.preview();
                    if let Some(bench) = &self.bench {
                        let full = (usize::from(full.width.saturating_sub(2)), usize::from(full.height));
                        preview.fit(&bench.inspection, usize::from(entries.height), full);
                    }
                }
                Overlay::Editor(editor) => {
                    let [area, _] = layout.editor();
                    editor.fit(usize::from(area.width.saturating_sub(2)), usize::from(area.height));
                }
                Overlay::Diff(view) => view.fit(layout.diff_columns(), usize::from(layout.diff().height)),
                Overlay::Menu(menu) => menu.selection.set_height(height),
                Overlay::Why(page) => page.fit(width.saturating_sub(2), height),
                Overlay::Prompt { .. } | Overlay::Question(_) | Overlay::Failure(_) => {}
            }
        }
    }

    /// Asks for the comparison that the marked field needs.
    fn compare(&mut self) -> Vec<Effect> {
        let job = Job(self.jobs + 1);
        let Some(task) = self.bench.as_mut().and_then(|bench| bench.to_compare(job)) else {
            return Vec::new();
        };
        self.jobs += 1;
        if task.is_light() {
            let answer = task.run(None);
            return self.computed(job, answer);
        }
        vec![Effect::Compute { job, task }]
    }

    /// What the screen shows in place of an inspection while there is none.
    pub fn connecting_page(&self) -> Page {
        let mut page = Page::default();
        let failed = matches!(&self.phase, Phase::Connecting(Connecting { failed: Some(_) }));
        page.push(
            Rank::Title,
            if failed {
                "The two sides could not be put together"
            } else {
                "Asking the server what it holds"
            },
        );
        for note in &self.pull {
            let step = story::step(note);
            page.item(Rank::Item, step.mark, step.text);
        }
        if let Phase::Connecting(Connecting { failed: Some(failure) }) = &self.phase {
            page.item(Rank::Warning, '✗', failure.what.clone());
            page.push(Rank::Text, failure.next.clone());
            page.push(Rank::Text, "r pulls again · q leaves");
        }
        page
    }

    /// Leaves, or asks first where something would be lost.
    pub(super) fn quit(&mut self) -> Vec<Effect> {
        let question = match &self.phase {
            Phase::Pushing(pushing) if pushing.leaving => Question::QuitUnknown,
            Phase::Pushing(_) => Question::QuitPushing,
            Phase::Inspecting | Phase::Connecting(_) => {
                let choices = self.bench.as_ref().map_or(0, |bench| bench.resolution.iter().count());
                let editing = self.overlays.iter().any(|overlay| match overlay {
                    Overlay::Editor(editor) => editor.changed(),
                    _ => false,
                });
                match choices + usize::from(editing) {
                    0 => return vec![Effect::Quit(self.exit_code())],
                    choices => Question::Quit { choices },
                }
            }
            Phase::Ended(_) => return vec![Effect::Quit(self.exit_code())],
        };
        self.overlays.push(Overlay::Question(question));
        Vec::new()
    }

    /// The answer to the uppermost question.
    pub(super) fn answer(&mut self, yes: bool) -> Vec<Effect> {
        let Some(Overlay::Question(question)) = self.overlays.pop_if(|top| top.place() == Place::Question)
        else {
            return Vec::new();
        };
        if !yes {
            return Vec::new();
        }
        match question {
            Question::Quit { .. } => vec![Effect::Quit(self.exit_code())],
            Question::QuitUnknown => vec![Effect::Quit(ExitCode::Unknown)],
            Question::QuitPushing => {
                if let Phase::Pushing(pushing) = &mut self.phase {
                    (pushing.stopping, pushing.leaving) = (true, true);
                    return vec![Effect::CancelPush];
                }
                // The push ended while the question stood.
                vec![Effect::Quit(self.exit_code())]
            }
            Question::Discard => {
                self.overlays.pop_if(|top| top.place() == Place::Editor);
                self.done("the changes were thrown away")
            }
            Question::FirstSync => self.push(true),
        }
    }
}
