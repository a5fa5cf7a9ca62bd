//! The rows above the frame: who is stuck, how far apart the sides are, why, and how far the resolution got.

use super::canvas::Canvas;
use super::footer::grouped;
use super::theme::Ink;
use crate::app::{App, ExitCode, Phase, Source};
use crate::domain::diagnosis::OutOfSync;
use crate::domain::safe_text;
use crate::domain::window::PullPath;

/// Draws the header into its one to three rows.
pub fn draw(canvas: &mut Canvas, app: &App) {
    let area = app.layout().header;
    let width = area.width.saturating_sub(1);
    match area.height {
        0 => {}
        1 => {
            let used = badge(canvas, app, width, area.y);
            who(canvas, app, area.y, width.saturating_sub(used));
        }
        2 if app.layout().wide => {
            let used = badge(canvas, app, width, area.y);
            let right = width.saturating_sub(used);
            let left = who(canvas, app, area.y, right / 2);
            gap(canvas, app, left + 3, right, area.y, true);
            let used = progress(canvas, app, width, area.y + 1);
            why(canvas, app, area.y + 1, width.saturating_sub(used + 1));
        }
        rows => {
            let used = badge(canvas, app, width, area.y);
            who(canvas, app, area.y, width.saturating_sub(used));
            let used = progress(canvas, app, width, area.y + 1);
            gap(canvas, app, 1, width.saturating_sub(used + 1), area.y + 1, false);
            if rows > 2 {
                why(canvas, app, area.y + 2, width);
            }
        }
    }
}

/// The device, its user, the environment. Answers the column behind them.
fn who(canvas: &mut Canvas, app: &App, y: u16, right: u16) -> u16 {
    let identity = &app.device().identity;
    let mut x = 1 + canvas.words(1, y, right.saturating_sub(1), "unstick", Ink::Dim);
    let mut part = |canvas: &mut Canvas, lead: &str, text: &str, ink: Ink| {
        if x + 4 < right {
            x += canvas.words(x, y, right - x, lead, Ink::Dim);
            x += canvas.data(x, y, right.saturating_sub(x), text, ink);
        }
    };
    part(canvas, "  ", identity.name(), Ink::Strong);
    if let Some(user) = &identity.user {
        part(canvas, " · ", user, Ink::Text);
    }
    match app.source() {
        Source::Live { environment, production: true, .. } => part(canvas, " · ", environment, Ink::Alarm),
        Source::Live { environment, production: false, .. } => part(canvas, " · ", environment, Ink::Text),
        Source::Recorded { file } => part(canvas, " · recorded pull ", file, Ink::Text),
    }
    x
}

/// How far apart the sides are: `cursor 100 ── 3 behind ──▸ head 200`, on the right where there is room.
fn gap(canvas: &mut Canvas, app: &App, left: u16, right: u16, y: u16, flush: bool) {
    // A push writes beside a phone's database; the phone itself is still where it was.
    let phone = app.device().phone.as_deref().filter(|_| matches!(app.phase(), Phase::Ended(_)));
    let cursor = phone.unwrap_or(app.device()).sync.cursor;
    let Some(head) = app.head() else {
        let text = cursor.map_or_else(|| String::from("no cursor"), |cursor| format!("cursor {cursor}"));
        canvas.words(left, y, right.saturating_sub(left), &text, Ink::Text);
        return;
    };
    // After a push the window tells how it was before.
    let bench = app.bench().filter(|_| !matches!(app.phase(), Phase::Ended(_)));
    let behind = bench.map(|bench| bench.inspection.window.mutations.len());
    let path = bench.map_or(PullPath::SinceCursor, |bench| bench.inspection.window.path);
    let text = match (cursor, path, behind) {
        (None, ..) => format!("no cursor ──▸ head {head}"),
        (Some(cursor), PullPath::CursorAhead, _) => format!("cursor {cursor} is ahead of head {head}"),
        (Some(cursor), _, _) if cursor == head => format!("in step: cursor and head {head}"),
        (Some(cursor), _, Some(behind)) => {
            format!("cursor {cursor} ── {} behind ──▸ head {head}", grouped(behind))
        }
        (Some(cursor), _, None) => format!("cursor {cursor} ────▸ head {head}"),
    };
    let medium = match (cursor, behind) {
        (Some(cursor), Some(behind)) if cursor != head => {
            format!("{cursor} ── {} behind ──▸ {head}", grouped(behind))
        }
        _ => text.clone(),
    };
    let short = match cursor {
        Some(cursor) => format!("{cursor} ──▸ {head}"),
        None => format!("? ──▸ {head}"),
    };
    let room = right.saturating_sub(left);
    let fits = |text: &str| text.chars().count() <= usize::from(room);
    let text = [text, medium].into_iter().find(|text| fits(text)).unwrap_or(short);
    if !fits(&text) {
        return;
    }
    let width = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
    let x = if flush { right.saturating_sub(width + 4).max(left) } else { left };
    canvas.words(x, y, room, &text, Ink::Text);
}

/// What the server would answer to the device. Answers the columns it took at the right end.
fn badge(canvas: &mut Canvas, app: &App, right: u16, y: u16) -> u16 {
    let ended = matches!(app.phase(), Phase::Ended(_));
    let in_step = app.device().sync.cursor == app.head();
    let caught = app.stuck().is_some();
    let phone_stops = matches!(app.phase(), Phase::Ended(ended) if ended.phone_stops);
    let (text, ink) = match app.bench().map(|bench| &bench.out_of_sync) {
        _ if phone_stops => (" phone still stops ", Ink::Warning),
        // Its own database has still to pull what was pushed from here.
        _ if ended && app.device().phone.is_some() => (" phone recovers ", Ink::Good),
        _ if ended && in_step => (" in step ", Ink::Good),
        Some(OutOfSync::Caught) => (" 409 OutOfSyncError ", Ink::Alarm),
        Some(OutOfSync::Foreseen) => (" 409 foreseen ", Ink::Alarm),
        None if caught => (" 409 OutOfSyncError ", Ink::Alarm),
        Some(OutOfSync::No) if app.bench().is_some_and(|bench| !bench.refused.is_empty()) => {
            (" 422 foreseen ", Ink::Alarm)
        }
        Some(OutOfSync::No) => (" in step ", Ink::Good),
        None => return 0,
    };
    // On a narrow screen the number says it.
    let narrow = app.layout().area.width < 60 && ink == Ink::Alarm;
    let text = if narrow { text.split_at_checked(5).map_or(text, |(number, _)| number) } else { text };
    let width = u16::try_from(text.chars().count()).unwrap_or(0);
    canvas.words(right.saturating_sub(width), y, width, text, ink);
    width + 1
}

/// The cause that explains most, and how many more there are.
fn why(canvas: &mut Canvas, app: &App, y: u16, right: u16) {
    let (lead, text, ink) = match (app.bench(), app.phase()) {
        (None, Phase::Connecting(connecting)) => match &connecting.failed {
            Some(failure) => ("Stopped: ", failure.what.as_str(), Ink::Warning),
            None => ("", "asking the server …", Ink::Dim),
        },
        (Some(_), Phase::Ended(ended)) if ended.phone_stops => {
            ("", "The phone's own next sync still stops: what to do stands below.", Ink::Warning)
        }
        (Some(_), Phase::Ended(ended)) if ended.exit == ExitCode::Done => {
            ("", "Nothing stands against the device's next sync.", Ink::Good)
        }
        (Some(bench), _) => match bench.causes.first() {
            Some(cause) if cause.stays => ("Stuck even after a push: ", cause.evidence.as_str(), Ink::Text),
            Some(cause) => ("Why stuck: ", cause.evidence.as_str(), Ink::Text),
            None if bench.out_of_sync == OutOfSync::No => ("", "Nothing stands against a sync.", Ink::Good),
            None => ("Why stuck: ", "…", Ink::Dim),
        },
        (None, Phase::Inspecting | Phase::Pushing(_) | Phase::Ended(_)) => return,
    };
    let more = match app.phase() {
        Phase::Inspecting => app.bench().map_or(0, |bench| bench.causes.len().saturating_sub(1)),
        Phase::Connecting(_) | Phase::Pushing(_) | Phase::Ended(_) => 0,
    };
    let lead = match lead {
        "Why stuck: " if right < 60 => "Why: ",
        "Stuck even after a push: " if right < 76 => "Stays: ",
        lead => lead,
    };
    let inspecting = matches!(app.phase(), Phase::Inspecting) && app.bench().is_some();
    let cut = safe_text::width(lead) + safe_text::width(text) + 2 > usize::from(right);
    let more = match more {
        0 if cut && inspecting => String::from("  w: all of it"),
        0 => String::new(),
        more => format!("  +{more} more: w"),
    };
    let tail = u16::try_from(more.chars().count()).unwrap_or(0);
    let room = right.saturating_sub(tail + 1);
    let mut x = 1 + canvas.words(1, y, room, lead, Ink::Strong);
    x += canvas.data(x, y, room.saturating_sub(x), text, ink);
    canvas.words(x, y, right.saturating_sub(x), &more, Ink::Dim);
}

/// How many healthy mutations are given up: they would go through. Answers the columns it took at the right end.
fn dropped(canvas: &mut Canvas, count: usize, right: u16, y: u16) -> u16 {
    if count == 0 {
        return 0;
    }
    let text = if right >= 59 {
        format!("✗ {} dropped", grouped(count))
    } else {
        format!("✗{}", grouped(count))
    };
    let width = u16::try_from(safe_text::width(&text)).unwrap_or(0);
    canvas.words(right.saturating_sub(width), y, width, &text, Ink::Warning);
    width + 2
}

/// How far the resolution got: `2 of 5 resolved ▓▓▓▓░░░░░░`. Answers the columns it took at the right end.
fn progress(canvas: &mut Canvas, app: &App, right: u16, y: u16) -> u16 {
    let Some(bench) = app.bench().filter(|_| !matches!(app.phase(), Phase::Ended(_))) else { return 0 };
    let progress = bench.progress;
    let taken = dropped(canvas, bench.dropped.len(), right, y);
    let right = right.saturating_sub(taken);
    if progress.diverged == 0 {
        return taken;
    }
    let (text, cells) = if right >= 59 {
        (
            format!("{} of {} resolved ", progress.resolved, progress.diverged),
            if right >= 70 { 10 } else { 5 },
        )
    } else {
        (format!("{}/{} ", progress.resolved, progress.diverged), 5)
    };
    let width = u16::try_from(safe_text::width(&text) + cells).unwrap_or(0);
    let ink = if progress.open() == 0 { Ink::Good } else { Ink::Conflict };
    let x = right.saturating_sub(width);
    let used = canvas.words(x, y, width, &text, if progress.open() == 0 { Ink::Good } else { Ink::Text });
    bar(canvas, x + used, y, cells, (progress.resolved, progress.diverged), ink);
    width + taken
}

/// A bar of `cells` columns. It is full only when everything is done, and empty only when nothing is.
pub fn bar(canvas: &mut Canvas, x: u16, y: u16, cells: usize, (done, all): (usize, usize), ink: Ink) {
    let full = if done >= all {
        cells
    } else {
        (done * cells / all.max(1)).clamp(usize::from(done > 0), cells.saturating_sub(1))
    };
    let room = u16::try_from(cells).unwrap_or(0);
    let used = canvas.words(x, y, room, &"▓".repeat(full), ink);
    canvas.words(x + used, y, room - used, &"░".repeat(cells - full), Ink::Dim);
}
