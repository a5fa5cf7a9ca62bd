//! The keys that apply now, in the lower border of the frame, and what the last act did, below it.

use ratatui::layout::Rect;

use super::Target;
use super::canvas::Canvas;
use super::theme::Ink;
use crate::app::{Action, App, BINDINGS, Binding, Overlay, Place, Tone, WORDS};
use crate::domain::safe_text;
pub use crate::domain::words::grouped;

/// Draws footer and status line.
pub fn draw(canvas: &mut Canvas, app: &App) {
    keys(canvas, app);
    status(canvas, app);
}

fn key_width(binding: &Binding) -> u16 {
    let key = binding.keys.first().map_or(0, |key| key.label().chars().count());
    u16::try_from(key).unwrap_or(u16::MAX)
}

fn width_of(app: &App, binding: &Binding) -> u16 {
    let label = u16::try_from(app.label(binding).chars().count()).unwrap_or(u16::MAX);
    if names_its_keys(binding) { label } else { label.saturating_add(key_width(binding) + 1) }
}

/// A label such as `1-4 strategy` stands for more keys than its own.
fn names_its_keys(binding: &Binding) -> bool {
    matches!(binding.action, Action::Rule(_))
}

fn keys(canvas: &mut Canvas, app: &App) {
    let frame = app.layout().frame;
    let place = app.place();
    let y = frame.bottom().saturating_sub(1);
    let listed = |binding: &&Binding| !binding.label.is_empty() && binding.places.contains(&place);
    // On a narrow screen what decides needs the room; the help names the way out.
    let narrow = frame.width < 60;
    let over =
        !matches!(place, Place::List | Place::Fields | Place::Connecting | Place::Pushing | Place::Ended);
    let fixed = |binding: &Binding| match binding.action {
        Action::Help => true,
        Action::Quit => !narrow,
        // Whoever is somewhere else wants to know the way back.
        Action::Back => over,
        _ => false,
    };
    // Where there is hardly any room the keys stand for themselves.
    let bare = frame.width < 40;
    let width_of = |binding: &Binding| if bare { key_width(binding) } else { width_of(app, binding) };
    let mut room = frame.width.saturating_sub(4);
    let ends: Vec<&Binding> = BINDINGS.iter().filter(|b| listed(b) && fixed(b)).collect();
    for binding in &ends {
        room = room.saturating_sub(width_of(binding) + 2);
    }
    let mut chosen: Vec<&Binding> = Vec::new();
    let heard = |binding: &Binding| (binding.available)(app).is_ok();
    let shown = |b: &&Binding| listed(b) && !fixed(b) && (heard(b) || app.waits_to_be_read(b));
    for binding in BINDINGS.iter().filter(|binding| shown(binding)) {
        let width = width_of(binding) + 2;
        if width <= room {
            room -= width;
            chosen.push(binding);
        }
    }
    let mut x = frame.x + 2;
    let right = frame.right().saturating_sub(1);
    for binding in chosen.into_iter().chain(ends) {
        if x + width_of(binding) + 1 > right {
            break;
        }
        if app.waits_to_be_read(binding) {
            // Its place is kept: nothing moves when it is heard.
            x += width_of(binding) + 2;
            continue;
        }
        let start = x - 1;
        x = canvas.words(x - 1, y, 1, " ", Ink::Text) + x - 1;
        if bare {
            let key = binding.keys.first().map_or_else(String::new, |key| key.label());
            x += canvas.words(x, y, right - x, &key, Ink::Key);
        } else if names_its_keys(binding) {
            let (keys, label) = app.label(binding).split_once(' ').unwrap_or(("", binding.label));
            x += canvas.words(x, y, right - x, keys, Ink::Key);
            x += canvas.words(x, y, right.saturating_sub(x), " ", Ink::Text);
            x += canvas.words(x, y, right.saturating_sub(x), label, Ink::Text);
        } else {
            let key = binding.keys.first().map_or_else(String::new, |key| key.label());
            x += canvas.words(x, y, right - x, &key, Ink::Key);
            x += canvas.words(x, y, right.saturating_sub(x), " ", Ink::Text);
            x += canvas.words(x, y, right.saturating_sub(x), app.label(binding), Ink::Text);
        }
        canvas.words(x, y, right.saturating_sub(x), " ", Ink::Text);
        canvas.region(Rect::new(start, y, x - start, 1), Target::Act(binding.action));
        x += 2;
    }
}

fn status(canvas: &mut Canvas, app: &App) {
    let area = app.layout().status;
    if area.height == 0 {
        return;
    }
    if let Some(Overlay::Prompt { draft, .. }) = app.overlays().last() {
        return prompt(canvas, area, draft.text(), draft.caret());
    }
    let told = app.status().map_or(0, |(_, text)| safe_text::width(text) + 4);
    // On a narrow screen what was done is worth more than where the mark stands.
    if let Some(playing) = app.plays() {
        return caption(canvas, app, area, &playing);
    }
    let tail = Some(position(app))
        .filter(|tail| area.width >= 60 || told + tail.chars().count() < usize::from(area.width));
    let tail = tail.unwrap_or_default();
    let tail_width = u16::try_from(tail.chars().count()).unwrap_or(0);
    let room = area.width.saturating_sub(tail_width + 2);
    match app.status() {
        Some((Tone::Note, text)) => {
            canvas.data(1, area.y, room.saturating_sub(1), text, Ink::Text);
        }
        Some((Tone::Done, text)) => {
            canvas.words(1, area.y, room, "✓", Ink::Good);
            canvas.data(3, area.y, room.saturating_sub(3), text, Ink::Text);
        }
        Some((Tone::Refused, text)) => {
            canvas.words(1, area.y, room, "!", Ink::Warning);
            canvas.data(3, area.y, room.saturating_sub(3), text, Ink::Warning);
        }
        None => hint(canvas, app, area, room),
    }
    canvas.words(area.right().saturating_sub(tail_width + 1), area.y, tail_width, &tail, Ink::Dim);
}

/// The key that a demo is about to press, where everybody in the room looks for it; what was done stands before it.
fn caption(canvas: &mut Canvas, app: &App, area: Rect, playing: &str) {
    let text = format!(" ▶ {playing} ");
    let width = u16::try_from(safe_text::width(&text)).unwrap_or(u16::MAX).min(area.width);
    let x = area.right().saturating_sub(width);
    if let Some((_, done)) = app.status() {
        canvas.data(1, area.y, x.saturating_sub(2), done, Ink::Dim);
    }
    canvas.words(x, area.y, width, &text, Ink::Good);
}

/// What is worth knowing while nothing was done.
fn hint(canvas: &mut Canvas, app: &App, area: Rect, room: u16) {
    let Some(bench) = app.bench() else { return };
    if !matches!(app.place(), Place::List | Place::Fields) {
        return;
    }
    let mut x = 1;
    if !bench.query.is_empty() {
        x += canvas.words(x, area.y, room, "filter ", Ink::Dim);
        if bench.query.open_only {
            x += canvas.words(x, area.y, room.saturating_sub(x), "open ", Ink::Text);
        }
        x += canvas.data(x, area.y, room.saturating_sub(x), &bench.query.text, Ink::Text);
        canvas.words(x, area.y, room.saturating_sub(x), " · Esc clears it", Ink::Dim);
    }
}

/// Where the mark stands.
fn position(app: &App) -> String {
    match (app.place(), app.bench()) {
        (Place::List | Place::Fields, Some(bench)) if !bench.rows.is_empty() => {
            let all = bench.inspection.pairs.len();
            let of = if bench.rows.len() == all {
                grouped(all)
            } else {
                format!("{} matching, {} in all", grouped(bench.rows.len()), grouped(all))
            };
            format!("{} of {of}", grouped(bench.selection.cursor() + 1))
        }
        _ => String::new(),
    }
}

fn prompt(canvas: &mut Canvas, area: Rect, text: &str, caret: usize) {
    let mut x = 1 + canvas.words(1, area.y, 2, "/ ", Ink::Key);
    x += super::overlays::typed_line(canvas, x, area.y, area.width.saturating_sub(x + 1), text, caret);
    x += 2;
    for word in WORDS.split(' ') {
        let width = u16::try_from(word.chars().count()).unwrap_or(u16::MAX);
        if x + width >= area.right() {
            break;
        }
        x += canvas.words(x, area.y, width, word, Ink::Dim) + 1;
    }
}
