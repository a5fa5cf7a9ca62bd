//! Events in: keys go to their action, answers to whoever waits for them, and the views are fitted to the screen.

use std::sync::Arc;

use crossterm::event::{KeyEvent, KeyEventKind};

use super::action::{self, Action, Place};
use super::bindings::BINDINGS;
use super::overlay::{Overlay, Question};
use super::page::{Page, Rank};
use super::preview::Preview;
use super::story::{self, Step};
use super::task::LIGHT_PAIRS;
use super::timeline;
use super::{App, Connecting, Effect, Event, ExitCode, Job, Layout, Phase, Task, Tone};
use crate::domain::window::PullStep;

impl App {
    /// Takes one event; answers what is to be done outside.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = match event {
            Event::Shown(at) => {
                self.shown(at);
                return Vec::new();
            }
            Event::Key(key) | Event::Burst { key, .. } if self.layout.too_small() => self.blind_key(&key),
            Event::Paste(_) | Event::Pointer(_) if self.layout.too_small() => Vec::new(),
            Event::Key(key) if self.playing.take().is_some() => self.lone_key(&key),
            Event::Key(key) => self.lone_key(&key),
            Event::Burst { key, first } => self.burst_key(&key, first),
            Event::Paste(text) => self.paste(&text),
            Event::Resize { width, height } => {
                (self.start.width, self.start.height) = (width, height);
                Vec::new()
            }
            Event::Pointer(pointer) => self.click(pointer),
            Event::Plays(key) => {
                self.playing = Some(key);
                Vec::new()
            }
            Event::Tick(now) => {
                self.start.now = now;
                Vec::new()
            }
            Event::Pull(step) => {
                self.pulled(step);
                Vec::new()
            }
            Event::Inspected(inspection) => self.inspected(Arc::new(*inspection)),
            Event::Recalled(recall) => self.recalled(*recall),
            Event::Drafted(drafted) => self.drafted(*drafted),
            Event::DeviceRead(warnings) => self.device_read(warnings),
            Event::NotKept(why) => self.not_kept(why),
            Event::Saved(saved) => self.saved(saved),
            Event::PullFailed(failure) | Event::PushFailed(failure) => self.failed(failure),
            Event::TokenWanted(why) => self.token_wanted(why),
            Event::Computed { job, answer } => self.computed(job, answer),
            Event::Edited { job, text } => self.edited(job, text),
            Event::Push(note) => {
                self.pushed(note);
                Vec::new()
            }
            Event::PushEnded(end) => self.push_ended(*end),
            Event::Reported(Ok(path)) => self.reported(&path),
            Event::Reported(Err(failure)) => {
                self.overlays.push(Overlay::Failure(failure));
                Vec::new()
            }
            Event::History { job, said } => self.told_history(job, said),
            Event::Copied(Ok(())) => self.copied(),
            Event::Copied(Err(reason)) => self.refuse(format!("not copied: {reason}")),
            Event::Term => return vec![Effect::Quit(self.exit_code())],
        };
        self.follow();
        self.fit();
        effects.extend(self.compare());
        effects.extend(self.let_go());
        self.look();
        effects.extend(self.keep());
        effects
    }

    /// The exchange grows while it is looked at.
    fn follow(&mut self) {
        if let Some(at) = self.overlays.iter().position(|overlay| matches!(overlay, Overlay::Timeline(_)))
            && let Overlay::Timeline(mut timeline) = self.overlays.remove(at)
        {
            timeline.follow(self);
            self.overlays.insert(at, Overlay::Timeline(timeline));
        }
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
            match overlay {
                Overlay::Preview(Preview { plan: Some(plan), .. })
                    if plan.pushed() + plan.apply.len() + plan.ledger.len() > LIGHT_PAIRS =>
                {
                    self.useless.push(plan);
                }
                Overlay::Comparison(comparing) if comparing.is_large() => self.useless.push(comparing),
                Overlay::Preview(_)
                | Overlay::Comparison(_)
                | Overlay::Help(_)
                | Overlay::Editor(_)
                | Overlay::Diff(_)
                | Overlay::Prompt { .. }
                | Overlay::Menu(_)
                | Overlay::Question(_)
                | Overlay::Failure(_)
                | Overlay::Token(_)
                | Overlay::Timeline(_)
                | Overlay::History(_)
                | Overlay::Ledger(_)
                | Overlay::Whole
                | Overlay::Why(_) => {}
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

    pub(super) fn key(&mut self, key: &KeyEvent) -> Vec<Effect> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let place = self.place();
        if let Some(binding) = action::bound(place, key) {
            return self.act(binding.action);
        }
        match place {
            _ if place.takes_text() => self.typed(key),
            Place::Question => self.refuse("the question waits for y or n"),
            _ => self.refuse("no key of this screen; ? shows them"),
        }
    }

    /// Does an action, or says why it does not apply.
    pub(super) fn act(&mut self, wanted: Action) -> Vec<Effect> {
        let place = self.place();
        let binding = BINDINGS.iter().find(|b| b.action == wanted && b.places.contains(&place));
        let Some(binding) = binding else { return Vec::new() };
        if let Err(reason) = (binding.available)(self) {
            return self.refuse(reason);
        }
        if let Some(reason) = self.unmeant(wanted) {
            return self.refuse(reason);
        }
        self.status = None;
        self.perform(wanted)
    }

    fn typed(&mut self, key: &KeyEvent) -> Vec<Effect> {
        let heard = match self.overlays.last_mut() {
            Some(Overlay::Editor(editor)) => {
                (editor.complaint, editor.insisted) = (None, None);
                editor.draft.input(key)
            }
            Some(Overlay::Prompt { draft, .. }) => draft.input(key),
            Some(Overlay::Token(prompt)) => prompt.input(key),
            Some(Overlay::Help(help)) => help.search.input(key),
            _ => false,
        };
        if !heard {
            return self.refuse("this key means nothing while text is typed; Esc goes back");
        }
        self.status = None;
        if self.place() == Place::Prompt { self.prompted() } else { Vec::new() }
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
            Some(Overlay::Token(prompt)) => {
                prompt.insert(text);
                Vec::new()
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
                Overlay::Why(page) | Overlay::Ledger(page) => page.fit(width.saturating_sub(2), height),
                Overlay::Comparison(comparing) => {
                    let [_, rows, behind] = layout.comparison();
                    if let Some(bench) = &self.bench {
                        let behind =
                            (usize::from(behind.width.saturating_sub(2)), usize::from(behind.height));
                        comparing.fit(&bench.inspection, usize::from(rows.height), behind);
                    }
                }
                Overlay::Whole
                | Overlay::Prompt { .. }
                | Overlay::Question(_)
                | Overlay::Failure(_)
                | Overlay::Token(_) => {}
                Overlay::Timeline(timeline) => {
                    let [_, steps, _] = layout.timeline();
                    timeline.selection.set_height(timeline::steps_in(steps));
                }
                Overlay::History(history) => history.fit(layout.history()[1]),
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
        for Step { mark, text } in story::steps(self.stuck, &self.pull) {
            page.item(Rank::Item, mark, text);
        }
        if !failed && let Some(waits) = self.pull_waits() {
            page.push(Rank::Text, waits);
        }
        if let Phase::Connecting(Connecting { failed: Some(failure) }) = &self.phase {
            page.item(Rank::Item, '✗', failure.what.clone());
            page.push(Rank::Text, failure.next.clone());
            page.push(Rank::Text, "r pulls again · q leaves");
        }
        page
    }

    /// What the pull waits for, and how long still or already.
    fn pull_waits(&self) -> Option<String> {
        let since = self.pull_since?;
        let passed = u64::try_from(self.now().0.saturating_sub(since.0)).unwrap_or(0);
        match self.pull.last() {
            Some(PullStep::Waiting { ms, why }) => {
                let left = ms.saturating_sub(passed).div_ceil(1000);
                Some(format!("waits {left} s more: {why} · q leaves"))
            }
            Some(PullStep::AskedHead | PullStep::AskedPage { .. }) if passed >= 1000 => {
                Some(format!("waits for the answer, for {} s now · q leaves", passed / 1000))
            }
            Some(
                PullStep::AskedHead
                | PullStep::AskedPage { .. }
                | PullStep::Head(_)
                | PullStep::Page { .. }
                | PullStep::HeadMoved { .. }
                | PullStep::NotWhole { .. }
                | PullStep::CaughtUp { .. }
                | PullStep::HeadStable(_)
                | PullStep::Path(_),
            )
            | None => None,
        }
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
                    count => Question::Quit { choices, editing: count > choices, kept: self.are_kept() },
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
            return if matches!(question, Question::Earlier { .. }) { self.start_anew() } else { Vec::new() };
        }
        match question {
            Question::Earlier { .. } => self.go_on_with_draft(),
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
            Question::FirstSync => self.push_agreed(true, false),
            Question::OtherAccount { .. } => self.push_agreed(false, true),
            Question::Drop { deed, .. } => self.agreed(deed),
        }
    }
}
