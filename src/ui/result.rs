//! What survives in a field, and where that is open what can be chosen.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::theme::{Ink, look};
use super::value::{one_line, short};
use crate::app::{self, Bench, Standing, outcome};
use crate::domain::field::{Choice, Field, FieldPath, FieldShape, Verdict};
use crate::domain::inspect::{Pair, Status};
use crate::domain::json::Json;
use crate::domain::mutation::Side;
use crate::domain::resolution::{By, Chosen};
use crate::domain::{safe_text, settle};

/// Whether a field of the marked resource waits for a person.
pub fn is_open(bench: &Bench, pair: &Pair, field: &Field) -> bool {
    let Some(focused) = &bench.focused else { return false };
    bench.resolution.open(focused.id, pair).any(|path| *path == field.path)
}

/// Draws the result into its column; `in_full`: with the choices there are, or with the value put together.
pub fn draw(canvas: &mut Canvas, bench: &Bench, pair: &Pair, field: &Field, area: Rect, in_full: bool) {
    let chosen = bench.choice(field);
    let options = options(bench, pair, field);
    if in_full && area.height == 1 && !options.is_empty() {
        // Where there is but a row, the choices say that it is open.
        let mut x = area.x + canvas.words(area.x, area.y, area.width, "○", Ink::Conflict) + 1;
        for Offer { key, word, ink } in options {
            x += canvas.words(x, area.y, area.right().saturating_sub(x), key, Ink::Key) + 1;
            x += canvas.words(x, area.y, area.right().saturating_sub(x), word, ink) + 2;
        }
        return;
    }
    let (text, ink) = words(bench, pair, field, chosen);
    let used = canvas.words(area.x, area.y, area.width, &text, ink);
    if let Some((Choice::Both | Choice::Edited(_), Some(value))) = outcome(field, chosen) {
        return put_together(canvas, area, used, &one_line(Some(&value)));
    }
    if in_full {
        for (y, Offer { key, word, ink }) in (area.y + 1..area.bottom()).zip(options) {
            canvas.words(area.x + 2, y, 1, key, Ink::Key);
            canvas.words(area.x + 4, y, area.width.saturating_sub(4), word, ink);
        }
    }
}

/// A value that neither side has, and that stands nowhere else on the screen.
fn put_together(canvas: &mut Canvas, area: Rect, used: u16, text: &str) {
    if area.height < 2 || area.width < 10 {
        let x = area.x + used + 1;
        canvas.data(x, area.y, area.right().saturating_sub(x), short(text), Ink::Good);
        return;
    }
    let room = area.width.saturating_sub(3);
    let style = canvas.style(Ink::Good);
    let text = start(text);
    let rows = safe_text::wrap(&text, usize::from(room));
    let cut = rows.len() > usize::from(area.height - 1);
    for (y, range) in (area.y + 1..area.bottom()).zip(rows) {
        canvas.row(area.x + 2, y, room, &text[range], |_| style);
    }
    if cut {
        canvas.words(area.x + 2 + room, area.bottom() - 1, 1, "…", Ink::Key);
    }
}

/// As much of a value as a column can show.
fn start(text: &str) -> String {
    text.chars().take(4000).collect()
}

/// Rows that the result takes in a column of this width, where it is a value that neither side has.
pub fn wants(bench: &Bench, field: &Field, width: u16) -> u16 {
    let Some((Choice::Both | Choice::Edited(_), Some(value))) = outcome(field, bench.choice(field)) else {
        return 0;
    };
    let rows = safe_text::wrap(&start(&one_line(Some(&value))), usize::from(width.saturating_sub(3).max(1)));
    u16::try_from(rows.len() + 1).unwrap_or(u16::MAX)
}

/// What is said of a field whose value the device would have sent with nothing against it, and that is given up.
fn given_up(bench: &Bench, pair: &Pair, field: &Field, chosen: Option<&Chosen>) -> Option<(String, Ink)> {
    let of_server = chosen.is_some_and(|chosen| chosen.choice == Choice::Server);
    let healthy = matches!(pair.status, Status::Push | Status::Blocked);
    let dropped =
        bench.focused.as_ref().is_some_and(|focused| bench.dropped.binary_search(&focused.id).is_ok());
    let lost = match field.shape {
        FieldShape::Existence if dropped => "✗ dropped, lost",
        _ if healthy && of_server || dropped && settle::is_lost_unsent(pair, field) => "✗ device's lost",
        _ if dropped => return Some((String::from("· not sent"), Ink::Dim)),
        FieldShape::Existence
        | FieldShape::Text
        | FieldShape::Set
        | FieldShape::Position
        | FieldShape::Plain
        | FieldShape::Bookkeeping => return None,
    };
    Some((lost.to_owned(), Ink::Warning))
}

fn words(bench: &Bench, pair: &Pair, field: &Field, chosen: Option<&Chosen>) -> (String, Ink) {
    if let Some(lost) = given_up(bench, pair, field, chosen) {
        return lost;
    }
    if bench.problem(field).is_some() && chosen.is_none() {
        return (String::from("! will be refused"), Ink::Warning);
    }
    let (device, server) = (look(Side::Device).ink, look(Side::Server).ink);
    if let Some(chosen) = chosen {
        let by = match chosen.by {
            By::Hand => String::new(),
            By::Strategy(strategy) => format!(" · {}", strategy.name()),
        };
        if bench.problem(field).is_some() {
            return (format!("! {}, refused", app::word(pair, field, &chosen.choice)), Ink::Warning);
        }
        let ink = match &chosen.choice {
            Choice::Device => device,
            Choice::Server => server,
            Choice::Both | Choice::Edited(_) => Ink::Good,
        };
        return (format!("● {}{by}", app::word(pair, field, &chosen.choice)), ink);
    }
    if is_open(bench, pair, field) {
        return (String::from("○ choose"), Ink::Conflict);
    }
    let standing =
        bench.focused.as_ref().map(|of| app::standing(&bench.inspection, &bench.resolution, of.id));
    let status = match standing {
        Some(Standing::Found(status)) => status,
        Some(Standing::Dropped | Standing::Reopened) | None => pair.status,
    };
    let (text, ink) = if field.shape == FieldShape::Existence {
        match status {
            Status::Apply => ("← taken over", server),
            Status::Blocked => ("⊘ stays in the queue", Ink::Warning),
            Status::Push | Status::Converged | Status::Diverged => {
                return (format!("→ {}", app::fate(pair, Side::Device)), device);
            }
        }
    } else if status == Status::Blocked || pair.open.iter().any(FieldPath::is_existence) {
        ("follows resource", Ink::Dim)
    } else if field.path == FieldPath::other_name() {
        ("← keeps the name", server)
    } else if pair.server.is_empty() {
        ("→ sent", device)
    } else if pair.device.is_empty() {
        ("← taken over", server)
    } else if let Some(why) = [Side::Device, Side::Server].iter().find_map(|side| field.misread(*side)) {
        return (format!("! a time that {why}"), Ink::Warning);
    } else if field.shape == FieldShape::Bookkeeping {
        ("· bookkeeping", Ink::Dim)
    } else {
        match field.verdict {
            Verdict::Equal => ("= equal", Ink::Dim),
            Verdict::SameChange => ("= same change", Ink::Dim),
            Verdict::DeviceOnly => ("→ device only", device),
            Verdict::ServerOnly => ("← server only", server),
            Verdict::Conflict => ("∪ both", Ink::Good),
        }
    };
    (text.to_owned(), ink)
}

/// A choice that a field has.
pub struct Offer {
    key: &'static str,
    word: &'static str,
    ink: Ink,
}

/// The choices that an open field has.
pub fn options(bench: &Bench, pair: &Pair, field: &Field) -> Vec<Offer> {
    if bench.problem(field).is_none() && !is_open(bench, pair, field) {
        return Vec::new();
    }
    let (device, server) = (look(Side::Device), look(Side::Server));
    let all = [
        (device.glyph, Choice::Device, device.ink),
        (server.glyph, Choice::Server, server.ink),
        ("b", app::third_on(pair, field), Ink::Text),
        ("e", Choice::Edited(Json::Null), Ink::Text),
    ];
    let can = all.into_iter().filter(|(_, choice, _)| app::refusal(pair, field, choice).is_none());
    can.map(|(key, choice, ink)| {
        let word = match &choice {
            choice @ Choice::Edited(_) if pair.is_deletion(choice) => app::word(pair, field, choice),
            Choice::Edited(_) => "edit",
            choice @ (Choice::Device | Choice::Server | Choice::Both) => app::word(pair, field, choice),
        };
        Offer { key, word, ink }
    })
    .collect()
}
