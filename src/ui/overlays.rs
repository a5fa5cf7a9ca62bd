//! What lies over the inspector: help and editor in the whole frame, menus, questions and errors as boxes.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::canvas::Canvas;
use super::field::FieldView;
use super::footer::grouped;
use super::theme::{Ink, look};
use super::{Target, pages};
use crate::app::{
    Action, App, Bench, Editor, Failure, Forecast, Form, HelpRow, HelpView, Menu, Overlay, Place, Question,
    TokenPrompt, fate, fields_decide,
};
use crate::domain::mutation::Side;
use crate::domain::preflight::Rule;
use crate::domain::strategy::Strategy;
use crate::domain::{naming, safe_text};

/// Draws the uppermost overlay, if it is a box.
pub fn boxes(canvas: &mut Canvas, app: &App) {
    match app.overlays().last() {
        Some(Overlay::Menu(menu)) => draw_menu(canvas, app, menu),
        Some(Overlay::Question(question)) => draw_question(canvas, app, question),
        Some(Overlay::Failure(failure)) => draw_failure(canvas, app, failure),
        Some(Overlay::Token(prompt)) => draw_token(canvas, app, prompt),
        Some(Overlay::Whole) => draw_whole(canvas, app),
        Some(
            Overlay::Help(_)
            | Overlay::Preview(_)
            | Overlay::Editor(_)
            | Overlay::Diff(_)
            | Overlay::Prompt { .. }
            | Overlay::Timeline(_)
            | Overlay::History(_)
            | Overlay::Comparison(_)
            | Overlay::Ledger(_)
            | Overlay::Why(_),
        )
        | None => {}
    }
}

/// A box in the middle of the frame for these rows of prose; answers the place inside.
fn place_box(canvas: &mut Canvas, app: &App, title: &str, ink: Ink, width: u16, height: u16) -> Rect {
    let frame = app.layout().inner();
    let width = (width + 4).min(frame.width);
    let height = (height + 2).min(frame.height);
    let area = Rect {
        x: frame.x + (frame.width - width) / 2,
        y: frame.y + (frame.height.saturating_sub(height)) / 2,
        width,
        height,
    };
    canvas.clear(area);
    canvas.border_in(area, Ink::Text);
    canvas.data(area.x + 2, area.y, area.width.saturating_sub(4), &format!(" {title} "), ink);
    canvas.region(area, Target::Overlay);
    Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    }
}

/// A paragraph in rows; answers the row behind it.
fn paragraph(canvas: &mut Canvas, area: Rect, y: u16, text: &str, ink: Ink) -> u16 {
    let style = canvas.style(ink);
    let mut next = y;
    for range in safe_text::wrap(text, usize::from(area.width)) {
        if next >= area.bottom() {
            break;
        }
        canvas.row(area.x, next, area.width, &text[range], |_| style);
        next += 1;
    }
    next
}

fn rows(text: &str, width: u16) -> u16 {
    u16::try_from(safe_text::wrap(text, usize::from(width)).len()).unwrap_or(u16::MAX)
}

fn draw_question(canvas: &mut Canvas, app: &App, question: &Question) {
    let (what, then) = question.words();
    let width = app.layout().inner().width.saturating_sub(6).min(64);
    let height = rows(&what, width) + rows(then, width) + 2;
    let area = place_box(canvas, app, question.title(), Ink::Conflict, width, height);
    // Whatever else has no room: how it is answered is told.
    let room = Rect { height: area.height.saturating_sub(1), ..area };
    let y = paragraph(canvas, room, area.y, &what, Ink::Strong);
    let y = paragraph(canvas, room, y, then, Ink::Dim);
    // A key that is not heard yet is not shown; its place is kept.
    let yes = if app.hears_yes() { ("y", "yes") } else { (" ", "   ") };
    answers(canvas, area, y + 1, &[yes, ("n", "no")]);
}

/// Which side stands for the marked resource, with what that comes to.
fn draw_whole(canvas: &mut Canvas, app: &App) {
    let Some((bench, (_, pair))) = app.bench().and_then(|bench| Some((bench, bench.pair()?))) else { return };
    let width = app.layout().inner().width.saturating_sub(6).min(64);
    let what = naming::label(&bench.inspection, pair);
    let area = place_box(canvas, app, "one side for the whole resource", Ink::Title, width, 6);
    canvas.data(area.x, area.y, area.width, &what, Ink::Strong);
    for (at, side) in [Side::Device, Side::Server].into_iter().enumerate() {
        let y = area.y + 2 + u16::try_from(at).unwrap_or(0);
        if y >= area.bottom() {
            return;
        }
        let look = look(side);
        let used = canvas.words(area.x, y, area.width, look.glyph, Ink::Key);
        let word = if fields_decide(pair) { look.name } else { fate(pair, side) };
        let x = area.x + used + 1;
        let used = canvas.words(x, y, area.right().saturating_sub(x), look.name, look.ink);
        let x = x + used + 1;
        if word != look.name {
            canvas.words(x, y, area.right().saturating_sub(x), &format!("· {word}"), Ink::Dim);
        }
        let action = if side == Side::Device { Action::WholeDevice } else { Action::WholeServer };
        canvas.region(Rect { y, height: 1, ..area }, Target::Act(action));
    }
    answers(canvas, area, area.y + 5, &[("Esc", "neither")]);
}

fn draw_failure(canvas: &mut Canvas, app: &App, failure: &Failure) {
    let width = app.layout().inner().width.saturating_sub(6).min(76);
    let id = failure.request_id.as_ref().map(|id| format!("request {id}"));
    let parts: Vec<(&str, Ink)> = [
        (failure.what.as_str(), Ink::Strong),
        (failure.where_.as_str(), Ink::Dim),
        (id.as_deref().unwrap_or(""), Ink::Dim),
        (failure.next.as_str(), Ink::Text),
    ]
    .into_iter()
    .filter(|(text, _)| !text.is_empty())
    .collect();
    let height = parts.iter().map(|(text, _)| rows(text, width)).sum::<u16>() + 3;
    let area = place_box(canvas, app, "!", Ink::Warning, width, height);
    let mut y = area.y;
    let last = parts.len().saturating_sub(1);
    for (at, (text, ink)) in parts.into_iter().enumerate() {
        // What to do next stands apart from what happened.
        if at == last {
            y += 1;
        }
        y = paragraph(canvas, Rect { height: area.height.saturating_sub(1), ..area }, y, text, ink);
    }
    answers(canvas, area, (y + 1).min(area.bottom() - 1), &[("Enter", "close")]);
}

/// What is typed is never shown: only how much it is.
fn draw_token(canvas: &mut Canvas, app: &App, prompt: &TokenPrompt) {
    let width = app.layout().inner().width.saturating_sub(6).min(76);
    let next = "Type or paste a fresh token of the same environment. It is not shown, and nothing is lost meanwhile.";
    let typed = match prompt.length() {
        0 => String::from("nothing typed yet"),
        1 => String::from("1 character typed"),
        length => format!("{} characters typed", grouped(length)),
    };
    let height = rows(&prompt.why.what, width) + rows(next, width) + 5;
    let area = place_box(canvas, app, "token", Ink::Warning, width, height);
    let y = paragraph(canvas, area, area.y, &prompt.why.what, Ink::Strong);
    let y = paragraph(canvas, area, y + 1, next, Ink::Text);
    let used = canvas.words(area.x, y + 1, 2, "› ", Ink::Key);
    canvas.words(area.x + used, y + 1, area.width.saturating_sub(used), &typed, Ink::Dim);
    answers(canvas, area, y + 3, &[("Enter", "go on with it"), ("Esc", "without")]);
}

fn answers(canvas: &mut Canvas, area: Rect, y: u16, keys: &[(&str, &str)]) {
    let y = y.min(area.bottom().saturating_sub(1));
    let mut x = area.x;
    for (key, word) in keys {
        x += canvas.words(x, y, area.right().saturating_sub(x), key, Ink::Key);
        x += 1 + canvas.words(x + 1, y, area.right().saturating_sub(x + 1), word, Ink::Text);
        x += 3;
    }
}

/// What a rule does, in one line.
const fn rule_words(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::ServerWins => "The server's state stands; nothing of a divergence is pushed.",
        Strategy::ClientWins => "The device's mutations are sent as they were queued.",
        Strategy::LastWriteWins => "The newer side stands; a tie goes to the server.",
        Strategy::Merge => "Field by field; what conflicts stays open.",
    }
}

fn draw_menu(canvas: &mut Canvas, app: &App, menu: &Menu) {
    let width = app.layout().inner().width.saturating_sub(6).min(70);
    let title = format!("a strategy for {}", menu.scope.name());
    let area = place_box(canvas, app, &title, Ink::Title, width, 9);
    let open = match menu.open {
        0 => String::from("Everything is resolved already"),
        1 => String::from("1 resource is open"),
        open => format!("{} resources are open", grouped(open)),
    };
    // On a low screen the strategies need the rows.
    let top = if area.height >= 6 { area.y + 2 } else { area.y };
    if top > area.y {
        canvas.words(area.x, area.y, area.width, &open, Ink::Text);
    }
    let rows = usize::from(area.bottom().saturating_sub(top)).max(1);
    let first = (menu.selection.cursor() + 1).saturating_sub(rows);
    let shown = Strategy::ALL.into_iter().enumerate().skip(first);
    for (y, (at, strategy)) in (top..area.bottom()).zip(shown) {
        let line = Rect { y, height: 1, ..area };
        canvas.region(line, Target::Entry(at));
        canvas.words(line.x + 2, y, 1, &(at + 1).to_string(), Ink::Key);
        canvas.words(line.x + 4, y, 15, strategy.name(), Ink::Text);
        let parts = match menu.forecasts.map(|forecasts| forecasts[at]) {
            Some(forecast) => forecast_words(forecast, line.width < 52),
            None => [(String::from("…"), Ink::Dim), (String::new(), Ink::Dim)],
        };
        let mut x = line.x + 21;
        for (text, ink) in parts {
            x += canvas.words(x, y, line.right().saturating_sub(x + 1), &text, ink);
        }
        if at == menu.selection.cursor() {
            canvas.lay(line, canvas.theme().marked(true));
            let style = canvas.style(Ink::Strong).patch(canvas.theme().marked(true));
            canvas.words_in(line.x, y, 1, "▸", style);
        }
    }
    let rule = Strategy::ALL.get(menu.selection.cursor()).map_or("", |strategy| rule_words(*strategy));
    for (y, text) in (area.y + 7..area.bottom()).zip([rule, "Choices made by hand are kept. u undoes."]) {
        canvas.words(area.x, y, area.width, text, Ink::Dim);
    }
}

/// What a rule would leave open and lose.
fn forecast_words(forecast: Forecast, short: bool) -> [(String, Ink); 2] {
    let Forecast { open, lost } = forecast;
    let open = match open {
        0 => (String::from("none open"), Ink::Good),
        open => (format!("{} open", grouped(open)), Ink::Conflict),
    };
    let lost = match (lost, short) {
        (0, _) => (String::from(" · nothing lost"), Ink::Good),
        (1, false) => (String::from(" · 1 change lost"), Ink::Warning),
        (lost, false) => (format!(" · {} changes lost", grouped(lost)), Ink::Warning),
        (lost, true) => (format!(" · {} lost", grouped(lost)), Ink::Warning),
    };
    [open, lost]
}

/// The keys of a place, with reasons for those that do not apply.
pub fn help(canvas: &mut Canvas, app: &App, help: &HelpView) {
    let title = format!("keys {}", place_words(help.of));
    pages::frame(canvas, app, &title);
    let inner = app.layout().inner();
    canvas.region(inner, Target::Overlay);
    let x = inner.x + 1;
    if help.searching || !help.search.text().is_empty() {
        let used = canvas.words(x, inner.y, 2, "/ ", Ink::Key);
        let caret = if help.searching { help.search.caret() } else { usize::MAX };
        typed_line(canvas, x + used, inner.y, inner.width.saturating_sub(4), help.search.text(), caret);
    } else {
        canvas.words(x, inner.y, inner.width.saturating_sub(2), "what does not apply now says why", Ink::Dim);
    }
    let rows = help.rows(app.layout().wide);
    let keys: u16 = if inner.width >= 60 { 12 } else { 8 };
    for (y, row) in (inner.y + 1..inner.bottom()).zip(rows.get(help.scroll.visible()).unwrap_or_default()) {
        match row {
            HelpRow::Heading(group) => {
                canvas.words(x, y, inner.width.saturating_sub(2), group.name(), Ink::Strong);
            }
            HelpRow::Reason(reason) => {
                let start = x + 2 + keys;
                let room = inner.right().saturating_sub(start + 1);
                canvas.words(start, y, room, &format!("— {reason}"), Ink::Warning);
            }
            HelpRow::Key(binding, reason) => {
                let applies =
                    help.actions.iter().any(|(b, reason)| b.action == binding.action && reason.is_none());
                let (key_ink, ink) = if applies { (Ink::Key, Ink::Text) } else { (Ink::Dim, Ink::Dim) };
                canvas.words(x + 1, y, keys, &binding.keys_shown(), key_ink);
                let start = x + 2 + keys;
                let right = inner.right().saturating_sub(1);
                match reason {
                    Some(reason) => {
                        let used = canvas.words(start, y, right.saturating_sub(start), binding.help, ink);
                        let at = start + used;
                        canvas.words(at, y, right.saturating_sub(at), " — ", Ink::Dim);
                        canvas.words(at + 3, y, right.saturating_sub(at + 3), reason, Ink::Warning);
                    }
                    None => {
                        canvas.words(start, y, right.saturating_sub(start), binding.help, ink);
                    }
                }
            }
        }
    }
    if rows.is_empty() {
        canvas.words(x, inner.y + 2, inner.width.saturating_sub(2), "no key matches", Ink::Dim);
    }
    let area = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    canvas.scrollbar(app.layout().frame.right() - 1, area, &help.scroll.visible(), help.scroll.len());
}

const fn place_words(place: Place) -> &'static str {
    match place {
        Place::Connecting => "while pulling",
        Place::List => "in the list",
        Place::Fields => "on the fields",
        Place::Diff => "in the comparison",
        Place::Preview => "in the preview",
        Place::Editor => "in the editor",
        Place::Prompt => "in the filter",
        Place::Menu => "in the menu",
        Place::Question => "on a question",
        Place::Failure => "on an error",
        Place::Token => "while a token is asked for",
        Place::Help | Place::Search => "in the help",
        Place::Why => "in the diagnosis",
        Place::Timeline => "in the exchange",
        Place::Log => "in the conflict log",
        Place::Comparison => "beside the strategies",
        Place::Ledger => "in the ledger",
        Place::Whole => "on the whole resource",
        Place::Pushing => "while sending",
        Place::Ended => "after the push",
    }
}

/// A field being edited.
pub fn editor(canvas: &mut Canvas, app: &App, editor: &Editor) {
    let form = match editor.form {
        Form::Text => "text",
        Form::Lines => "one element a line",
        Form::Position => "chapter:verse",
        Form::Json => "JSON",
    };
    let changed = if editor.changed() { " · changed" } else { "" };
    pages::frame(canvas, app, &format!("edit {} · {form}{changed}", editor.label));
    let inner = app.layout().inner();
    let width = inner.width.saturating_sub(2);
    if let Some(complaint) = &editor.complaint {
        canvas.data(inner.x + 1, inner.y, width, complaint, Ink::Warning);
    } else {
        let text = editor.draft.text();
        let (points, units) = (text.chars().count(), text.encode_utf16().count());
        let length = editor.rule.and_then(Rule::length);
        let fits = length.is_none_or(|length| length.contains(&points) && length.contains(&units));
        let mut counted = crate::app::count(points, "character");
        if !fits && units != points {
            counted = format!("{counted} ({} in UTF-16)", grouped(units));
        }
        let used =
            canvas.words(inner.x + 1, inner.y, width, &counted, if fits { Ink::Good } else { Ink::Warning });
        let rule = editor.rule.map(|rule| format!(" · {}", rule.words())).unwrap_or_default();
        let told = canvas.words(inner.x + 1 + used, inner.y, width.saturating_sub(used), &rule, Ink::Text);
        let x = inner.x + 1 + used + told;
        let keys = " · ^Z takes back, ^Y does again · E on the field opens $EDITOR";
        canvas.words(x, inner.y, inner.right().saturating_sub(x + 1), keys, Ink::Dim);
    }
    let [area, sides] = app.layout().editor();
    if let (Some(bench), true) = (app.bench(), sides.width > 0) {
        beside(canvas, bench, editor, sides);
    }
    let width = area.width.saturating_sub(2);
    let text = editor.draft.text();
    let rows = editor.draft.rows();
    let (caret_row, caret_column) = editor.draft.position(&rows);
    let style = canvas.style(Ink::Text);
    let visible = editor.scroll.visible();
    for (y, at) in (area.y..area.bottom()).zip(visible.clone()) {
        let Some(range) = rows.get(at) else { break };
        canvas.row(area.x + 1, y, width, &text[range.clone()], |_| style);
        if at == caret_row {
            let x = area.x + 1 + u16::try_from(caret_column).unwrap_or(u16::MAX).min(width);
            let caret = canvas.style(Ink::Text).add_modifier(Modifier::REVERSED);
            canvas.lay(Rect::new(x, y, 1, 1), caret);
        }
    }
    let edge = if sides.width > 0 { sides.x } else { app.layout().frame.right() - 1 };
    canvas.scrollbar(edge, area, &visible, rows.len());
}

/// What both sides say, beside the text that is to take their place.
fn beside(canvas: &mut Canvas, bench: &Bench, editor: &Editor, area: Rect) {
    for y in area.y..area.bottom() {
        canvas.joint(area.x, y, "│");
    }
    let pair = bench.inspection.pair(editor.unit.pair);
    if let Some(field) = bench.field() {
        let view = FieldView { bench, pair, field, marked: true, wide: false };
        view.stacked(canvas, Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area });
    }
}

/// A line being typed, with its caret; answers the columns it took. No caret where it is beyond the text.
pub fn typed_line(canvas: &mut Canvas, x: u16, y: u16, room: u16, text: &str, caret: usize) -> u16 {
    // The end of a long text is what is being typed.
    let mut start = 0;
    for cell in safe_text::cells(text) {
        if safe_text::width(&text[start..]) < usize::from(room) {
            break;
        }
        start = cell.source.end;
    }
    let style = canvas.style(Ink::Text);
    let used = canvas.row(x, y, room, &text[start..], |_| style);
    if let Some(before) = text.get(start..caret) {
        let at = u16::try_from(safe_text::width(before)).unwrap_or(u16::MAX).min(room);
        let style = style.add_modifier(Modifier::REVERSED);
        canvas.lay(Rect::new(x.saturating_add(at), y, 1, 1), style);
    }
    used
}
