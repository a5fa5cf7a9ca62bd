//! Choices and what leads to them: for a field, a resource, a kind or everything; by key, by rule, by hand.

use std::sync::Arc;

use super::action::{Action, Binding, Place};
use super::choose;
use super::edit::{self, Editor, Form};
use super::overlay::{Deed, Menu, Overlay, Question};
use super::selection::{Scroll, Selection};
use super::{App, Bench, Draft, EditJob, Effect, Focus, Scope, Task, Tone, story};
use crate::domain::field::{Choice, Field, FieldPath, FieldShape};
use crate::domain::inspect::{Pair, Status};
use crate::domain::mutation::Side;
use crate::domain::naming;
use crate::domain::preflight::{self, Rule};
use crate::domain::resolution::{By, Chosen, Unit};
use crate::domain::strategy::Strategy;

/// What is said of a mutation that would go through.
const HEALTHY: &str = "Nothing stands against sending it.";

impl App {
    /// A choice by hand on the marked field. Where that field is not on the screen it is shown instead.
    pub(super) fn choose(&mut self, choice: Choice) -> Vec<Effect> {
        let shows = self.shows_field();
        let Some(bench) = &mut self.bench else { return Vec::new() };
        let (Some((id, pair)), Some(field), Some(unit)) = (bench.pair(), bench.field(), bench.unit()) else {
            return Vec::new();
        };
        if !shows {
            return self.show_first();
        }
        let word = choose::word(pair, field, &choice);
        let label = field.path.label();
        let title = naming::title(&bench.inspection, pair);
        let warning = problem(pair, field, &choice);
        let name = format!("{word} for {label} of {} {title}", choose::noun(&pair.kind));
        let choices = vec![(unit, Some(Chosen { choice, by: By::Hand }))];
        if let Some(question) = self.drops(choices.iter().map(|(unit, chosen)| (unit, chosen.as_ref()))) {
            return self.ask(question, Deed::Choose(name, choices));
        }
        let Some(bench) = &mut self.bench else { return Vec::new() };
        if bench.resolution.choose(name, choices) == 0 {
            return self.refuse(format!("{word} is chosen for {label} already"));
        }
        bench.chosen();
        let settled = bench.inspection.pair(id).status == Status::Diverged
            && bench.resolution.settles(id, bench.inspection.pair(id));
        if let Some(warning) = warning {
            return self.refuse(format!(
                "{word} chosen, but the server will refuse it: {warning} · f fixes it, u undoes"
            ));
        }
        let then = match (settled, bench.progress.open()) {
            (true, 0) => " · everything is resolved: p previews",
            (true, _) => " · resource resolved: n next",
            (false, _) => "",
        };
        self.done(format!("{word} chosen for {label} · u undoes{then}"))
    }

    /// Whether the marked field is on the screen.
    fn shows_field(&self) -> bool {
        self.layout.both_panes || self.focus == Focus::Fields || !self.overlays.is_empty()
    }

    /// Shows the marked field in the place of choosing on it unseen.
    fn show_first(&mut self) -> Vec<Effect> {
        self.focus = Focus::Fields;
        let label = self.bench.as_ref().and_then(Bench::field).map_or_else(String::new, |f| f.path.label());
        self.status = Some((Tone::Note, format!("{label}: nothing was done yet; the key once more does it")));
        Vec::new()
    }

    /// Asks before an act gives up what nothing stands against.
    fn ask(&mut self, (what, why): (String, &'static str), deed: Deed) -> Vec<Effect> {
        self.overlays.push(Overlay::Question(Question::Drop { what, why, deed }));
        Vec::new()
    }

    /// What the device queued, no divergence is about and these choices would give up, in words, and how it stands;
    /// `None` where they give up nothing of the kind that is not given up already.
    fn drops<'a>(
        &self,
        choices: impl Iterator<Item = (&'a Unit, Option<&'a Chosen>)>,
    ) -> Option<(String, &'static str)> {
        let bench = self.bench.as_ref()?;
        let (mut what, mut count, mut why) = (None, 0_usize, HEALTHY);
        for (unit, chosen) in choices {
            let pair = bench.inspection.pair(unit.pair);
            let is_server = |chosen: Option<&Chosen>| chosen.is_some_and(|c| c.choice == Choice::Server);
            let healthy = matches!(pair.status, Status::Push | Status::Blocked) && !pair.device.is_empty();
            if !healthy || !is_server(chosen) || is_server(bench.resolution.get(unit.pair, &unit.path)) {
                continue;
            }
            count += 1;
            why = match pair.status {
                _ if bench.is_refused(unit.pair) => "The server would refuse it as it is; f would fix it.",
                Status::Blocked => "It cannot be sent as things are, but it can wait in the queue.",
                Status::Push | Status::Converged | Status::Apply | Status::Diverged => HEALTHY,
            };
            let (noun, title) = (choose::noun(&pair.kind), naming::title(&bench.inspection, pair));
            what = Some(if unit.path.is_existence() {
                let op = pair.shape.device.map_or("mutation", crate::domain::mutation::Op::wire);
                format!("the {op} of {noun} {title}")
            } else {
                format!("the device's {} of {noun} {title}", unit.path.label())
            });
        }
        let what = if count > 1 { Some(format!("{count} changes of the device's")) } else { what };
        what.map(|what| (what, if count > 1 { HEALTHY } else { why }))
    }

    /// Does what was asked about and shall be.
    pub(super) fn agreed(&mut self, deed: Deed) -> Vec<Effect> {
        match deed {
            Deed::Choose(name, choices) => {
                let Some(bench) = &mut self.bench else { return Vec::new() };
                let text = format!("{name} · it will not be sent · u undoes");
                bench.resolution.choose(name, choices);
                bench.chosen();
                self.done(text)
            }
            Deed::Undo => self.take_back(),
            Deed::Redo => self.do_again(),
        }
    }

    pub(super) fn clear(&mut self) -> Vec<Effect> {
        if !self.shows_field() {
            return self.show_first();
        }
        let Some(bench) = &mut self.bench else { return Vec::new() };
        let (Some(unit), Some(field)) = (bench.unit(), bench.field()) else { return Vec::new() };
        let label = field.path.label();
        bench.resolution.choose(format!("choice on {label} taken back"), [(unit, None)]);
        bench.chosen();
        self.done(format!("the choice on {label} is taken back · u undoes"))
    }

    pub(super) fn whole(&mut self, side: Side) -> Vec<Effect> {
        self.overlays.pop_if(|top| top.place() == Place::Whole);
        let Some(bench) = &mut self.bench else { return Vec::new() };
        let Some((id, pair)) = bench.pair() else { return Vec::new() };
        let choices = choose::whole(&bench.inspection, id, side);
        let word = if choose::fields_decide(pair) { side.name() } else { choose::fate(pair, side) };
        let name =
            format!("{word} for {} {}", choose::noun(&pair.kind), naming::title(&bench.inspection, pair));
        if let Some(question) = self.drops(choices.iter().map(|(unit, chosen)| (unit, chosen.as_ref()))) {
            return self.ask(question, Deed::Choose(name, choices));
        }
        let Some(bench) = &mut self.bench else { return Vec::new() };
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

    /// What an action is called in the footer here: on a resource's existence what becomes of it.
    pub fn label(&self, binding: &Binding) -> &'static str {
        let Some(bench) = &self.bench else { return binding.label };
        let (Some((_, pair)), Some(field)) = (bench.pair(), bench.field()) else { return binding.label };
        let of_whole =
            |side| if choose::fields_decide(pair) { binding.label } else { choose::fate(pair, side) };
        let choice = match binding.action {
            Action::WholeDevice => return of_whole(Side::Device),
            Action::WholeServer => return of_whole(Side::Server),
            Action::Device => Choice::Device,
            Action::Server => Choice::Server,
            Action::Both => choose::third_on(pair, field),
            _ => return binding.label,
        };
        let healthy = matches!(pair.status, Status::Push | Status::Blocked) && !pair.device.is_empty();
        // On a narrow screen there is room for one word each.
        match choose::word(pair, field, &choice) {
            _ if healthy && choice == Choice::Server => "drop",
            word if self.layout.wide || healthy && choice == Choice::Device => word,
            _ => binding.label,
        }
    }

    pub(super) fn open_menu(&mut self, kind: bool) -> Vec<Effect> {
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

    pub(super) fn rule(&mut self, strategy: Strategy) -> Vec<Effect> {
        let scope = match self.overlays.pop_if(|top| top.place() == Place::Menu) {
            Some(Overlay::Menu(menu)) => menu.scope,
            _ => Scope::All,
        };
        if matches!(self.overlays.last(), Some(Overlay::Comparison(_))) {
            self.close();
        }
        self.rule_on(strategy, scope)
    }

    /// Applies a rule to what a scope holds.
    pub(super) fn rule_on(&mut self, strategy: Strategy, scope: Scope) -> Vec<Effect> {
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

    pub(super) fn undo(&mut self) -> Vec<Effect> {
        let back = self.bench.as_ref().and_then(|bench| self.drops(bench.resolution.undoes()));
        match back {
            Some(question) => self.ask(question, Deed::Undo),
            None => self.take_back(),
        }
    }

    fn take_back(&mut self) -> Vec<Effect> {
        let Some(bench) = &mut self.bench else { return Vec::new() };
        let Some(name) = bench.resolution.undo() else { return Vec::new() };
        bench.chosen();
        self.reopened(format!("taken back: {name} · U does it again"))
    }

    pub(super) fn redo(&mut self) -> Vec<Effect> {
        let again = self.bench.as_ref().and_then(|bench| self.drops(bench.resolution.redoes()));
        match again {
            Some(question) => self.ask(question, Deed::Redo),
            None => self.do_again(),
        }
    }

    fn do_again(&mut self) -> Vec<Effect> {
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

    /// Opens the editor on the marked field.
    pub(super) fn open_editor(&mut self) {
        let Some(bench) = &self.bench else { return };
        let (Some(field), Some(unit)) = (bench.field(), bench.unit()) else { return };
        let rule = Rule::of(&bench.inspection.pair(unit.pair).kind, &unit.path);
        let (form, text) = edit::text_of(field, bench.choice(field).map(|chosen| &chosen.choice));
        let editor = Editor {
            unit,
            label: field.path.label(),
            form,
            draft: Draft::new(text.clone()),
            before: text,
            rule,
            insisted: None,
            complaint: None,
            scroll: Scroll::default(),
        };
        self.overlays.push(Overlay::Editor(Box::new(editor)));
    }

    pub(super) fn edit_outside(&mut self) -> Vec<Effect> {
        let Some(bench) = &self.bench else { return Vec::new() };
        let (Some(field), Some(unit)) = (bench.field(), bench.unit()) else { return Vec::new() };
        let (form, text) = edit::text_of(field, bench.choice(field).map(|chosen| &chosen.choice));
        self.jobs += 1;
        let job = EditJob(self.jobs);
        self.editing = Some((job, unit, form));
        vec![Effect::Editor { job, text }]
    }

    pub(super) fn save(&mut self) -> Vec<Effect> {
        let Some(Overlay::Editor(editor)) = self.overlays.last() else { return Vec::new() };
        if !editor.changed() {
            self.close();
            return self.done("nothing was changed");
        }
        let (unit, form, text) = (editor.unit.clone(), editor.form, editor.draft.text().to_owned());
        let insists = editor.insisted.as_ref() == Some(&text);
        match self.written(&unit, form, &text, insists) {
            Ok(choice) => {
                self.close();
                self.choose(choice)
            }
            Err(unsaved) => self.complain(unsaved, text),
        }
    }

    /// Says in the editor why its text was not taken.
    pub(super) fn complain(&mut self, unsaved: Unsaved, text: String) -> Vec<Effect> {
        let Some(Overlay::Editor(editor)) = self.overlays.last_mut() else { return Vec::new() };
        match unsaved {
            Unsaved::Unreadable(what) => {
                editor.complaint = Some(what);
                self.refuse("not saved yet")
            }
            Unsaved::Refused(what) => {
                editor.complaint = Some(what);
                editor.insisted = Some(text);
                self.refuse("not saved yet: the server would refuse it · ^S once more takes it all the same")
            }
        }
    }

    /// The choice that a text stands for; else what is wrong with it. What the server is documented to refuse is
    /// taken only from whoever insists: the documentation may be behind the server.
    pub(super) fn written(
        &self,
        unit: &Unit,
        form: Form,
        text: &str,
        insists: bool,
    ) -> Result<Choice, Unsaved> {
        let gone =
            || Unsaved::Unreadable(String::from("the field is no longer there; Esc leaves the editor"));
        let bench = self.bench.as_ref().ok_or_else(gone)?;
        let field = bench.field().filter(|field| field.path == unit.path).ok_or_else(gone)?;
        let choice = edit::choice_of(field, form, text).map_err(Unsaved::Unreadable)?;
        match problem(bench.inspection.pair(unit.pair), field, &choice) {
            Some(what) if !insists => Err(Unsaved::Refused(what)),
            Some(_) | None => Ok(choice),
        }
    }
}

/// Why a text was not taken as a value.
pub(super) enum Unsaved {
    /// It does not say a value.
    Unreadable(String),
    /// The server is documented to refuse the value.
    Refused(String),
}

/// Why the server would refuse the value that a choice leaves (PROTOCOL A7), where that is known. What is its own it
/// takes.
pub(super) fn problem(pair: &Pair, field: &Field, choice: &Choice) -> Option<String> {
    if matches!(choice, Choice::Server) || field.shape == FieldShape::Existence {
        return None;
    }
    let value = field.result(choice)?;
    let path = if field.path == FieldPath::other_name() { FieldPath::name() } else { field.path.clone() };
    preflight::problem(&pair.kind, &path, &value).map(|problem| problem.what)
}
