//! What each action does.

use std::sync::Arc;

use super::action::{Action, Place};
use super::choose;
use super::diff_view::DiffView;
use super::edit::{self, Editor};
use super::event::{Pointer, Target};
use super::overlay::{HelpView, Menu, Overlay, Question};
use super::preview::Preview;
use super::selection::{Scroll, Selection};
use super::{App, Connecting, Draft, EditJob, Effect, Focus, Phase, Pushing, Scope, Task, story};
use crate::domain::field::Choice;
use crate::domain::inspect::Status;
use crate::domain::mutation::Side;
use crate::domain::naming;
use crate::domain::resolution::{By, Chosen};
use crate::domain::strategy::Strategy;

/// How far a key moves.
#[derive(Clone, Copy)]
enum Motion {
    By(isize),
    Pages(isize),
    Halves(isize),
    Top,
    Bottom,
}

impl Motion {
    /// Where it leads from `at`, in a view of `height` rows.
    fn lead(self, at: usize, height: usize) -> usize {
        let height = isize::try_from(height).unwrap_or(isize::MAX);
        match self {
            Self::By(steps) => at.saturating_add_signed(steps),
            Self::Pages(pages) => at.saturating_add_signed(pages.saturating_mul((height - 1).max(1))),
            Self::Halves(halves) => at.saturating_add_signed(halves.saturating_mul((height / 2).max(1))),
            Self::Top => 0,
            Self::Bottom => usize::MAX,
        }
    }

    fn scroll(self, scroll: &mut Scroll) {
        scroll.go(self.lead(scroll.offset(), scroll.height()));
    }

    fn select(self, selection: &mut Selection) {
        selection.go(self.lead(selection.cursor(), selection.height()));
    }
}

impl App {
    /// Does an action that applies.
    pub(super) fn perform(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Up => self.go(Motion::By(-1)),
            Action::Down => self.go(Motion::By(1)),
            Action::PageUp => self.go(Motion::Pages(-1)),
            Action::PageDown => self.go(Motion::Pages(1)),
            Action::HalfUp => self.go(Motion::Halves(-1)),
            Action::HalfDown => self.go(Motion::Halves(1)),
            Action::Top => self.go(Motion::Top),
            Action::Bottom => self.go(Motion::Bottom),
            Action::Left => self.left(),
            Action::Right => self.pane(true),
            Action::NextPane => self.next_pane(true),
            Action::PreviousPane => self.next_pane(false),
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::NextOpen => self.next_open(true),
            Action::PreviousOpen => self.next_open(false),
            Action::NextChange => self.next_change(true),
            Action::PreviousChange => self.next_change(false),
            Action::NextSection => self.next_section(true),
            Action::PreviousSection => self.next_section(false),
            Action::Device => self.choose(Choice::Device),
            Action::Server => self.choose(Choice::Server),
            Action::Both => self.choose(Choice::Both),
            Action::Edit => {
                self.open_editor();
                Vec::new()
            }
            Action::EditOutside => self.edit_outside(),
            Action::Clear => self.clear(),
            Action::WholeDevice => self.whole(Side::Device),
            Action::WholeServer => self.whole(Side::Server),
            Action::KindMenu => self.open_menu(true),
            Action::AllMenu => self.open_menu(false),
            Action::Rule(strategy) => self.rule(strategy),
            Action::Undo => self.undo(),
            Action::Redo => self.redo(),
            Action::Filter => self.open_prompt(),
            Action::OpenOnly => self.open_only(),
            Action::Why => self.why(),
            Action::Preview => self.preview_plan(),
            Action::Confirm => self.push(false),
            Action::Unfold => self.unfold(false),
            Action::UnfoldAll => self.unfold(true),
            // What the push left is held against what the server holds by now.
            Action::Reload | Action::GoOn => self.reload(),
            Action::CopyId => self.copy_id(),
            Action::Stop => self.stop(),
            Action::Accept => self.accept(),
            Action::Save => self.save(),
            Action::Yes => self.answer(true),
            Action::No => self.answer(false),
            Action::Search => {
                if let Some(Overlay::Help(help)) = self.overlays.last_mut() {
                    help.searching = true;
                }
                Vec::new()
            }
            Action::Help => {
                self.overlays.push(Overlay::Help(HelpView::of(self)));
                Vec::new()
            }
            Action::Suspend => vec![Effect::Suspend],
            Action::Quit => match self.overlays.last() {
                Some(Overlay::Question(question)) if super::available::is_about_leaving(question) => {
                    self.answer(true)
                }
                _ => self.quit(),
            },
        }
    }

    fn go(&mut self, motion: Motion) -> Vec<Effect> {
        match (self.overlays.last_mut(), &mut self.phase, self.focus) {
            (Some(Overlay::Help(help)), ..) => motion.scroll(&mut help.scroll),
            (Some(Overlay::Preview(preview)), ..) if preview.in_full => motion.scroll(&mut preview.full),
            (Some(Overlay::Preview(preview)), ..) => {
                motion.select(&mut preview.selection);
                preview.full.go(0);
            }
            (Some(Overlay::Diff(view)), ..) => motion.scroll(&mut view.scroll),
            (Some(Overlay::Menu(menu)), ..) => motion.select(&mut menu.selection),
            (Some(Overlay::Why(page)), ..) => motion.scroll(&mut page.scroll),
            (None, Phase::Ended(ended), _) => motion.scroll(&mut ended.page.scroll),
            (None, Phase::Pushing(pushing), _) => motion.scroll(&mut pushing.scroll),
            (
                Some(
                    Overlay::Editor(_) | Overlay::Prompt { .. } | Overlay::Question(_) | Overlay::Failure(_),
                ),
                ..,
            )
            | (None, Phase::Connecting(_), _) => {}
            (None, Phase::Inspecting, focus) => {
                let Some(bench) = &mut self.bench else { return Vec::new() };
                match focus {
                    Focus::List(_) => {
                        let to = motion.lead(bench.selection.cursor(), bench.selection.height());
                        bench.go(to);
                    }
                    Focus::Fields => {
                        if let Some(focused) = &mut bench.focused {
                            let to = motion.lead(focused.marked, usize::from(self.layout.fields.height));
                            focused.marked = to.min(focused.order.len().saturating_sub(1));
                        }
                    }
                }
            }
        }
        Vec::new()
    }

    fn left(&mut self) -> Vec<Effect> {
        if self.overlays.last().is_some() { self.back() } else { self.pane(false) }
    }

    /// To the pane on the right, or on the left; nowhere beyond the last.
    fn pane(&mut self, right: bool) -> Vec<Effect> {
        self.focus = match (self.focus, right, self.layout.both_sides) {
            (Focus::List(Side::Device), true, false) | (Focus::Fields, false, false) => {
                Focus::List(Side::Server)
            }
            (Focus::List(_) | Focus::Fields, true, _) => Focus::Fields,
            (Focus::List(_) | Focus::Fields, false, _) => Focus::List(Side::Device),
        };
        Vec::new()
    }

    fn next_pane(&mut self, forward: bool) -> Vec<Effect> {
        if let Some(Overlay::Preview(preview)) = self.overlays.last_mut() {
            preview.in_full = !preview.in_full;
            return Vec::new();
        }
        self.focus = match (self.focus, forward, self.layout.both_sides) {
            (Focus::List(Side::Device), true, false) | (Focus::Fields, false, false) => {
                Focus::List(Side::Server)
            }
            (Focus::List(Side::Server), false, false)
            | (Focus::Fields, true, _)
            | (Focus::Fields, false, true) => Focus::List(Side::Device),
            (Focus::List(_), _, _) => Focus::Fields,
        };
        Vec::new()
    }

    fn open(&mut self) -> Vec<Effect> {
        if let Some(Overlay::Menu(menu)) = self.overlays.last() {
            let rule = Strategy::ALL.get(menu.selection.cursor()).copied();
            return rule.map_or_else(Vec::new, |rule| self.rule(rule));
        }
        if matches!(self.focus, Focus::List(_)) {
            self.focus = Focus::Fields;
            return Vec::new();
        }
        let Some(bench) = &self.bench else { return Vec::new() };
        let (Some(field), Some(unit)) = (bench.field(), bench.unit()) else { return Vec::new() };
        let label = field.path.label();
        let Some(compared) = bench.compared.as_ref().filter(|compared| compared.unit == unit) else {
            return self.refuse(format!("{label} has no two values to compare"));
        };
        let (Some(diff), Some(device), Some(server)) = (&compared.diff, &compared.device, &compared.server)
        else {
            return self.refuse(format!("{label} is still being compared"));
        };
        self.overlays.push(Overlay::Diff(Box::new(DiffView {
            unit,
            label,
            device: Arc::clone(device),
            server: Arc::clone(server),
            diff: diff.clone(),
            rows: Vec::new(),
            scroll: Scroll::default(),
            columns: (0, false),
        })));
        Vec::new()
    }

    fn back(&mut self) -> Vec<Effect> {
        match self.overlays.last_mut() {
            Some(Overlay::Editor(editor)) if editor.changed() => {
                self.overlays.push(Overlay::Question(Question::Discard));
            }
            Some(Overlay::Help(help)) if help.searching || !help.search.text().is_empty() => {
                help.searching = false;
                help.search = Draft::line(String::new());
            }
            Some(Overlay::Prompt { before, .. }) => {
                let before = before.clone();
                self.close();
                if let Some(bench) = &mut self.bench {
                    bench.query = before;
                }
                return self.refilter();
            }
            Some(_) => {
                self.close();
            }
            None if self.focus == Focus::Fields => self.focus = Focus::List(Side::Device),
            None => {
                let Some(bench) = &mut self.bench else { return Vec::new() };
                bench.query = super::Query::default();
                let effects = self.refilter();
                self.done("the filter is off");
                return effects;
            }
        }
        Vec::new()
    }

    fn next_open(&mut self, forward: bool) -> Vec<Effect> {
        let Some(bench) = &mut self.bench else { return Vec::new() };
        match bench.next_open(forward) {
            Some(false) => Vec::new(),
            Some(true) if forward => self.done("from the top again"),
            Some(true) => self.done("from the bottom again"),
            None if bench.query.is_empty() => self.refuse("this is the only open field"),
            None => self.refuse("nothing else is open among these rows; Esc shows all"),
        }
    }

    fn next_change(&mut self, forward: bool) -> Vec<Effect> {
        if let Some(Overlay::Diff(view)) = self.overlays.last_mut()
            && !view.next_change(forward)
        {
            return self.refuse(if forward { "this is the last change" } else { "this is the first change" });
        }
        Vec::new()
    }

    fn next_section(&mut self, forward: bool) -> Vec<Effect> {
        if let Some(Overlay::Preview(preview)) = self.overlays.last_mut()
            && !preview.next_section(forward)
        {
            return self.refuse(if forward { "this is the last part" } else { "this is the first part" });
        }
        Vec::new()
    }

    fn unfold(&mut self, all: bool) -> Vec<Effect> {
        if let Some(Overlay::Diff(view)) = self.overlays.last_mut()
            && !view.unfold(all)
        {
            return self.refuse(if all { "nothing is folded away" } else { "no fold is in view" });
        }
        Vec::new()
    }

    /// A choice by hand on the marked field.
    pub(super) fn choose(&mut self, choice: Choice) -> Vec<Effect> {
        let Some(bench) = &mut self.bench else { return Vec::new() };
        let (Some((id, pair)), Some(field), Some(unit)) = (bench.pair(), bench.field(), bench.unit()) else {
            return Vec::new();
        };
        let word = choose::word(pair, field, &choice);
        let label = field.path.label();
        let title = naming::title(&bench.inspection, pair);
        let warning = preflight(pair, field, &choice);
        let name = format!("{word} for {label} of {} {title}", choose::noun(&pair.kind));
        let chosen = Chosen { choice, by: By::Hand };
        if bench.resolution.choose(name, [(unit, Some(chosen))]) == 0 {
            return self.refuse(format!("{word} is chosen for {label} already"));
        }
        bench.chosen();
        let settled = bench.inspection.pair(id).status == Status::Diverged
            && bench.resolution.settles(id, bench.inspection.pair(id));
        if let Some(warning) = warning {
            return self.refuse(format!(
                "{word} chosen for {label}, but the server will refuse it: {warning} · u undoes"
            ));
        }
        let then = match (settled, bench.progress.open()) {
            (true, 0) => " · everything is resolved: p previews",
            (true, _) => " · resource resolved: n next",
            (false, _) => "",
        };
        self.done(format!("{word} chosen for {label} · u undoes{then}"))
    }

    fn clear(&mut self) -> Vec<Effect> {
        let Some(bench) = &mut self.bench else { return Vec::new() };
        let (Some(unit), Some(field)) = (bench.unit(), bench.field()) else { return Vec::new() };
        let label = field.path.label();
        bench.resolution.choose(format!("choice on {label} taken back"), [(unit, None)]);
        bench.chosen();
        self.done(format!("the choice on {label} is taken back · u undoes"))
    }

    fn whole(&mut self, side: Side) -> Vec<Effect> {
        let Some(bench) = &mut self.bench else { return Vec::new() };
        let Some((id, pair)) = bench.pair() else { return Vec::new() };
        let choices = choose::whole(&bench.inspection, id, side);
        let word = if choose::fields_decide(pair) { side.name() } else { choose::fate(pair, side) };
        let name =
            format!("{word} for {} {}", choose::noun(&pair.kind), naming::title(&bench.inspection, pair));
        let made = bench.resolution.choose(name, choices);
        if made == 0 {
            return self.refuse(format!("{word} is chosen for the whole resource already"));
        }
        bench.chosen();
        let then =
            if bench.progress.open() == 0 { " · everything is resolved: p previews" } else { " · n next" };
        self.done(format!(
            "{word} chosen for the whole resource ({}) · u undoes{then}",
            story::count(made, "field")
        ))
    }

    fn open_menu(&mut self, kind: bool) -> Vec<Effect> {
        let Some(bench) = &self.bench else { return Vec::new() };
        let scope = match bench.pair() {
            Some((_, pair)) if kind => Scope::Kind(pair.kind.clone()),
            _ => Scope::All,
        };
        let open = scope.open(&bench.inspection, &bench.resolution);
        let mut selection = Selection::default();
        selection.set_len(Strategy::ALL.len());
        let task = Task::Forecast {
            inspection: Arc::clone(&bench.inspection),
            resolution: bench.resolution.clone(),
            scope: scope.clone(),
            now: self.start.now,
        };
        self.overlays.push(Overlay::Menu(Menu { scope, open, job: None, forecasts: None, selection }));
        self.begin(task, |app, job| {
            if let Some(Overlay::Menu(menu)) = app.overlays.last_mut() {
                menu.job = Some(job);
            }
        })
    }

    fn rule(&mut self, strategy: Strategy) -> Vec<Effect> {
        let scope = match self.overlays.pop_if(|top| top.place() == Place::Menu) {
            Some(Overlay::Menu(menu)) => menu.scope,
            _ => Scope::All,
        };
        let Some(bench) = &self.bench else { return Vec::new() };
        let task = Task::Strategy {
            inspection: Arc::clone(&bench.inspection),
            resolution: bench.resolution.clone(),
            strategy,
            scope,
        };
        self.done(format!("applying {} …", strategy.name()));
        self.begin(task, |app, job| app.ruling = Some((job, strategy)))
    }

    fn undo(&mut self) -> Vec<Effect> {
        let Some(bench) = &mut self.bench else { return Vec::new() };
        let Some(name) = bench.resolution.undo() else { return Vec::new() };
        bench.chosen();
        self.reopened(format!("taken back: {name} · U does it again"))
    }

    fn redo(&mut self) -> Vec<Effect> {
        let Some(bench) = &mut self.bench else { return Vec::new() };
        let Some(name) = bench.resolution.redo() else { return Vec::new() };
        bench.chosen();
        self.reopened(format!("done again: {name}"))
    }

    /// Rows that show only what is open may have to show more.
    fn reopened(&mut self, text: String) -> Vec<Effect> {
        let open_only = self.bench.as_ref().is_some_and(|bench| bench.query.open_only);
        let effects = if open_only { self.refilter() } else { Vec::new() };
        self.done(text);
        effects
    }

    fn open_prompt(&mut self) -> Vec<Effect> {
        let Some(bench) = &self.bench else { return Vec::new() };
        let before = bench.query.clone();
        self.focus = Focus::List(Side::Device);
        self.overlays.push(Overlay::Prompt { draft: Draft::line(before.text.clone()), before });
        Vec::new()
    }

    fn open_only(&mut self) -> Vec<Effect> {
        let Some(bench) = &mut self.bench else { return Vec::new() };
        bench.query.open_only = !bench.query.open_only;
        let text = if bench.query.open_only {
            "only what is open · o shows everything"
        } else {
            "everything is shown"
        };
        let effects = self.refilter();
        self.done(text);
        effects
    }

    fn why(&mut self) -> Vec<Effect> {
        let Some(bench) = &self.bench else { return Vec::new() };
        let page = story::why(&bench.inspection, &bench.causes, &self.start.warnings, &self.pull);
        self.overlays.push(Overlay::Why(page));
        Vec::new()
    }

    fn preview_plan(&mut self) -> Vec<Effect> {
        let Some(bench) = &self.bench else { return Vec::new() };
        let task = Task::Plan {
            inspection: Arc::clone(&bench.inspection),
            resolution: bench.resolution.clone(),
            now: self.start.now,
        };
        self.overlays.push(Overlay::Preview(Preview::default()));
        self.begin(task, |app, job| {
            if let Some(Overlay::Preview(preview)) = app.overlays.last_mut() {
                preview.job = Some(job);
            }
        })
    }

    /// Sends what was previewed.
    pub(super) fn push(&mut self, retry_first_sync: bool) -> Vec<Effect> {
        let planned =
            self.preview().and_then(|preview| preview.plan.as_ref()).map_or(0, |plan| plan.pushed());
        let Some(bench) = &self.bench else { return Vec::new() };
        let effect = Effect::Push {
            inspection: Arc::clone(&bench.inspection),
            resolution: bench.resolution.clone(),
            retry_first_sync,
        };
        self.close_all();
        self.phase = Phase::Pushing(Pushing { planned, ..Pushing::default() });
        vec![effect]
    }

    fn stop(&mut self) -> Vec<Effect> {
        if let Phase::Pushing(pushing) = &mut self.phase {
            pushing.stopping = true;
        }
        self.done("stops after the POST that is under way");
        vec![Effect::CancelPush]
    }

    fn reload(&mut self) -> Vec<Effect> {
        self.pull.clear();
        self.reloading = self.bench.is_some();
        self.close_all();
        self.phase = Phase::Connecting(Connecting::default());
        vec![Effect::Pull]
    }

    fn copy_id(&mut self) -> Vec<Effect> {
        let Some(bench) = &self.bench else { return Vec::new() };
        let Some((_, pair)) = bench.pair() else { return Vec::new() };
        let queued = || bench.inspection.queued(pair);
        let id = queued()
            .find_map(|m| m.resource_id.as_ref().map(ToString::to_string))
            .or_else(|| {
                bench.inspection.served(pair).find_map(|m| m.resource_id.as_ref().map(ToString::to_string))
            })
            .or_else(|| queued().next().map(|m| m.id.to_string()));
        match id {
            Some(id) => vec![Effect::Copy(id)],
            None => self.refuse("neither side gave it an id"),
        }
    }

    fn accept(&mut self) -> Vec<Effect> {
        match self.overlays.last_mut() {
            Some(Overlay::Help(help)) => help.searching = false,
            Some(Overlay::Prompt { .. }) => {
                self.close();
            }
            _ => {}
        }
        Vec::new()
    }

    /// Opens the editor on the marked field.
    pub(super) fn open_editor(&mut self) {
        let Some(bench) = &self.bench else { return };
        let (Some(field), Some(unit)) = (bench.field(), bench.unit()) else { return };
        let (form, text) = edit::text_of(field, bench.choice(field).map(|chosen| &chosen.choice));
        let editor = Editor {
            unit,
            label: field.path.label(),
            form,
            draft: Draft::new(text.clone()),
            before: text,
            complaint: None,
            scroll: Scroll::default(),
        };
        self.overlays.push(Overlay::Editor(Box::new(editor)));
    }

    fn edit_outside(&mut self) -> Vec<Effect> {
        let Some(bench) = &self.bench else { return Vec::new() };
        let (Some(field), Some(unit)) = (bench.field(), bench.unit()) else { return Vec::new() };
        let (form, text) = edit::text_of(field, bench.choice(field).map(|chosen| &chosen.choice));
        self.jobs += 1;
        let job = EditJob(self.jobs);
        self.editing = Some((job, unit, form));
        vec![Effect::Editor { job, text }]
    }

    fn save(&mut self) -> Vec<Effect> {
        let Some(Overlay::Editor(editor)) = self.overlays.last_mut() else { return Vec::new() };
        let Some(field) = self.bench.as_ref().and_then(|bench| bench.field()) else { return Vec::new() };
        if !editor.changed() {
            self.close();
            return self.done("nothing was changed");
        }
        match edit::choice_of(field, editor.form, editor.draft.text()) {
            Ok(choice) => {
                self.close();
                self.choose(choice)
            }
            Err(complaint) => {
                editor.complaint = Some(complaint);
                Vec::new()
            }
        }
    }

    /// The mouse, on something that was drawn.
    pub(super) fn pointer(&mut self, pointer: Pointer) -> Vec<Effect> {
        match pointer {
            Pointer::Click(Target::Act(action)) => return self.act(action),
            Pointer::Click(Target::Row(row)) if self.overlays.is_empty() => {
                if matches!(self.focus, Focus::Fields) {
                    self.focus = Focus::List(Side::Device);
                }
                if let Some(bench) = &mut self.bench {
                    bench.go(row);
                }
            }
            Pointer::Click(Target::Field(at)) if self.overlays.is_empty() => {
                self.focus = Focus::Fields;
                if let Some(focused) = self.bench.as_mut().and_then(|bench| bench.focused.as_mut()) {
                    focused.marked = at.min(focused.order.len().saturating_sub(1));
                }
            }
            Pointer::Click(Target::Entry(at)) => match self.overlays.last_mut() {
                Some(Overlay::Preview(preview)) => preview.selection.go(at),
                Some(Overlay::Menu(menu)) if menu.selection.cursor() == at => return self.act(Action::Open),
                Some(Overlay::Menu(menu)) => menu.selection.go(at),
                _ => {}
            },
            Pointer::Click(_) => {}
            Pointer::Wheel(Target::Row(_) | Target::List, steps) if self.overlays.is_empty() => {
                if let Some(bench) = &mut self.bench {
                    bench.selection.scroll_by(isize::from(steps) * 3);
                    bench.refocus();
                }
            }
            Pointer::Wheel(_, steps) => return self.go(Motion::By(isize::from(steps))),
        }
        Vec::new()
    }
}

/// Why the server would refuse an edited value (PROTOCOL A7), where that is known.
fn preflight(
    pair: &crate::domain::inspect::Pair,
    field: &crate::domain::field::Field,
    choice: &Choice,
) -> Option<String> {
    use crate::domain::{field, mutation, preflight};
    let Choice::Edited(value) = choice else { return None };
    let mut members = indexmap::IndexMap::new();
    field::set_member(&pair.kind, &mut members, &field.path, value);
    let data = mutation::Payload::from_members(&members);
    let problems = preflight::problems(&pair.kind, mutation::Op::Update, &data);
    problems.into_iter().next().map(|problem| problem.what)
}
