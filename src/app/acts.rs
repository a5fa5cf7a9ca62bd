//! What each action does.

use std::sync::Arc;

use super::action::Action;
use super::diff_view::DiffView;
use super::overlay::{HelpView, Overlay, Question};
use super::preview::Preview;
use super::selection::{Scroll, Selection};
use super::{
    App, Busy, Connecting, Draft, Effect, Focus, History, Phase, Place, Pushing, Task, Timeline, TokenPrompt,
    Tone, story, timeline,
};
use crate::domain::field::Choice;
use crate::domain::mutation::Side;
use crate::domain::naming;
use crate::domain::push::Planned;
use crate::domain::resolution::Unit;
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
            Action::Right => self.right(),
            Action::NextPane => self.next_pane(true),
            Action::PreviousPane => self.next_pane(false),
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::NextOpen => self.next_open(true),
            Action::PreviousOpen => self.next_open(false),
            Action::NextChange => self.next_change(true),
            Action::PreviousChange => self.next_change(false),
            Action::NextSection if self.turns() => self.turn(true),
            Action::PreviousSection if self.turns() => self.turn(false),
            Action::NextSection => self.next_section(true),
            Action::PreviousSection => self.next_section(false),
            Action::Device => self.choose(Choice::Device),
            Action::Server => self.choose(Choice::Server),
            Action::Both => {
                let choice = super::choose::third(self.bench());
                self.choose(choice)
            }
            Action::Edit => {
                self.open_editor();
                Vec::new()
            }
            Action::Fix => self.fix(),
            Action::EditOutside => self.edit_outside(),
            Action::Clear => self.clear(),
            Action::Whole => {
                self.overlays.push(Overlay::Whole);
                Vec::new()
            }
            Action::Compare => self.open_comparison(),
            Action::ApplyAll => self.apply_column(false),
            Action::ApplyKind => self.apply_column(true),
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
            Action::Timeline => {
                let timeline = Timeline::of(self);
                self.overlays.push(Overlay::Timeline(timeline));
                Vec::new()
            }
            Action::History => self.open_history(),
            Action::HistorySpan => self.ask_otherwise(History::next_span),
            Action::HistoryShare => self.ask_otherwise(History::next_share),
            Action::HistoryTeam => self.ask_otherwise(History::other_log),
            Action::Preview => self.preview_plan(),
            Action::Confirm => self.push(),
            Action::Unfold => self.unfold(false),
            Action::UnfoldAll => self.unfold(true),
            // What the push left is held against what the server holds by now.
            Action::Reload | Action::GoOn => self.reload(),
            Action::GiveToken => self.give_token(),
            Action::NoToken => self.no_token(),
            Action::Copy => self.copy(),
            Action::SaveChoices => self.save_choices(),
            Action::Report => vec![Effect::Report { redact: false }],
            Action::ReportRedacted => vec![Effect::Report { redact: true }],
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
            (Some(Overlay::Timeline(timeline)), ..) => motion.select(&mut timeline.selection),
            (Some(Overlay::History(history)), ..) => motion.scroll(&mut history.page),
            (Some(Overlay::Comparison(comparing)), ..) => motion.select(&mut comparing.selection),
            (Some(Overlay::Why(page) | Overlay::Ledger(page)), ..) => motion.scroll(&mut page.scroll),
            (None, Phase::Ended(ended), _) => motion.scroll(&mut ended.page.scroll),
            (None, Phase::Pushing(pushing), _) => motion.scroll(&mut pushing.scroll),
            (
                Some(
                    Overlay::Editor(_)
                    | Overlay::Prompt { .. }
                    | Overlay::Question(_)
                    | Overlay::Failure(_)
                    | Overlay::Token(_)
                    | Overlay::Whole,
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

    fn right(&mut self) -> Vec<Effect> {
        if let Some(Overlay::Comparison(comparing)) = self.overlays.last_mut() {
            comparing.step(true);
            return Vec::new();
        }
        self.pane(true)
    }

    fn left(&mut self) -> Vec<Effect> {
        if let Some(Overlay::Comparison(comparing)) = self.overlays.last_mut() {
            comparing.step(false);
            return Vec::new();
        }
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
        if let (Some(preview), Some(bench)) = (self.preview(), &self.bench) {
            let Some(unit) = preview.place(&bench.inspection) else { return Vec::new() };
            self.close_all();
            return self.show(&unit);
        }
        if self.comparing().is_some() {
            return self.open_ledger();
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

    /// To what the server would refuse, with the editor open on it.
    fn fix(&mut self) -> Vec<Effect> {
        let marked = self.preview().zip(self.bench.as_ref());
        let marked = marked.and_then(|(preview, bench)| preview.place(&bench.inspection));
        let Some(bench) = &self.bench else { return Vec::new() };
        let of_mark = bench.refused.iter().find(|refused| Some(&refused.unit) == marked.as_ref());
        let Some(refused) = of_mark.or_else(|| bench.next_refused()) else { return Vec::new() };
        let (unit, what) = (refused.unit.clone(), refused.problem.what.clone());
        self.close_all();
        let effects = self.show(&unit);
        let there = self.bench.as_ref().and_then(|bench| bench.field()).is_some_and(|f| f.path == unit.path);
        if !there {
            // What is missing altogether has no field.
            self.refuse(format!("{what} · it cannot be written here: s on `resource` drops it"));
            return effects;
        }
        match super::available::edit(self) {
            Ok(()) => self.open_editor(),
            Err(reason) => {
                self.refuse(format!("{what} · {reason}"));
            }
        }
        effects
    }

    /// Goes to a field of a resource, also where a filter hides it.
    pub(super) fn show(&mut self, unit: &Unit) -> Vec<Effect> {
        let hidden = self.bench.as_ref().is_some_and(|bench| bench.rows.binary_search(&unit.pair).is_err());
        let mut effects = Vec::new();
        if let (true, Some(bench)) = (hidden, &mut self.bench) {
            bench.query = super::Query::default();
            effects = self.refilter();
        }
        if let Some(bench) = &mut self.bench {
            bench.go_to(unit);
            self.focus = Focus::Fields;
        }
        effects
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
        let Some(around) = bench.next_open(forward) else {
            return if bench.query.is_empty() {
                self.refuse("this is the only open field")
            } else {
                self.refuse("nothing else is open among these rows; Esc shows all")
            };
        };
        let (Some((_, pair)), Some(field)) = (bench.pair(), bench.field()) else { return Vec::new() };
        let around = match (around, forward) {
            (false, _) => "",
            (true, true) => "from the top again: ",
            (true, false) => "from the bottom again: ",
        };
        let waits = if bench.problem(field).is_some() { "will be refused" } else { "waits for a choice" };
        let whose =
            if field.path.is_existence() { String::new() } else { format!("{} of ", field.path.label()) };
        let resource = naming::label(&bench.inspection, pair);
        self.status = Some((Tone::Note, format!("{around}{whose}{resource} {waits}")));
        Vec::new()
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
        if let Some(Overlay::Comparison(comparing)) = self.overlays.last_mut() {
            if !comparing.next_pair(forward) {
                let which = if forward { "no divergence follows" } else { "no divergence stands above" };
                return self.refuse(which);
            }
            return Vec::new();
        }
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
        if let Some(page) = self.why_page() {
            self.overlays.push(Overlay::Why(page));
        }
        Vec::new()
    }

    /// The page as far as it is known by now.
    pub(super) fn why_page(&self) -> Option<super::page::Page> {
        let bench = self.bench.as_ref()?;
        let causes = self.diagnosing.is_none().then_some(bench.causes.as_slice());
        Some(story::why(&bench.inspection, causes, &self.start.warnings, self.stuck, &self.pull))
    }

    pub(super) fn preview_plan(&mut self) -> Vec<Effect> {
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

    /// Sends what was previewed; only the preview holds a plan.
    fn push(&mut self) -> Vec<Effect> {
        let shown = self.overlays.iter_mut().find_map(|overlay| match overlay {
            Overlay::Preview(preview) => preview.plan.take(),
            _ => None,
        });
        match shown {
            Some(shown) => self.send(Arc::from(shown), false, false),
            None => Vec::new(),
        }
    }

    /// Sends the plan of which nothing could be sent before a person agreed.
    pub(super) fn push_agreed(&mut self, retry_first_sync: bool, accept_other_account: bool) -> Vec<Effect> {
        match self.unsent.take() {
            Some(shown) => self.send(shown, retry_first_sync, accept_other_account),
            // What is left is another plan than the one that was shown.
            None => self.preview_plan(),
        }
    }

    fn send(
        &mut self,
        shown: Arc<Planned>,
        retry_first_sync: bool,
        accept_other_account: bool,
    ) -> Vec<Effect> {
        self.close_all();
        self.phase = Phase::Pushing(Pushing {
            planned: shown.pushed(),
            shown: Some(Arc::clone(&shown)),
            since: Some(self.start.now),
            ..Pushing::default()
        });
        vec![Effect::Push { planned: shown, retry_first_sync, accept_other_account }]
    }

    fn stop(&mut self) -> Vec<Effect> {
        if let Phase::Pushing(pushing) = &mut self.phase {
            pushing.stopping = true;
        }
        let says = match self.pushing().and_then(Pushing::busy) {
            Some(Busy::Waiting { .. }) => "stops now: nothing is under way",
            Some(Busy::Asking { post: Some(_), .. }) => "stops after the POST that is under way",
            Some(Busy::Asking { post: None, .. }) => "stops after the pull that is under way",
            None => "stops before anything more is sent",
        };
        self.done(says);
        vec![Effect::CancelPush]
    }

    fn reload(&mut self) -> Vec<Effect> {
        timeline::keep(self);
        self.stuck = super::recorded(self.device());
        self.pull.clear();
        self.pull_since = Some(self.now());
        timeline::anew(self);
        self.reloading = self.bench.is_some();
        self.close_all();
        self.phase = Phase::Connecting(Connecting::default());
        vec![Effect::Pull]
    }

    fn give_token(&mut self) -> Vec<Effect> {
        let Some(token) = self.token().and_then(TokenPrompt::token) else {
            return self.refuse("a token is more than blanks");
        };
        self.close();
        self.done("goes on with the fresh token");
        vec![Effect::Token(Some(token))]
    }

    /// A push that waits is told; a pull is over.
    fn no_token(&mut self) -> Vec<Effect> {
        let Some(Overlay::Token(prompt)) = self.overlays.pop_if(|top| top.place() == Place::Token) else {
            return Vec::new();
        };
        match self.phase {
            Phase::Pushing(_) => vec![Effect::Token(None)],
            Phase::Connecting(_) | Phase::Inspecting | Phase::Ended(_) => self.failed(prompt.why),
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
}
