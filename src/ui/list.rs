//! The list: what the device queued and what the server did, one resource a line, and between them what is to be
//! done. Only the visible rows are looked at.

use ratatui::layout::Rect;

use super::Target;
use super::canvas::Canvas;
use super::footer::grouped;
use super::theme::{Ink, look};
use super::value::short;
use crate::app::{self, App, Bench, Focus, Standing};
use crate::domain::diagnosis;
use crate::domain::inspect::{Pair, PairId, Status};
use crate::domain::json::Json;
use crate::domain::mutation::{Kind, Op, Side};
use crate::domain::{naming, safe_text};

/// Columns between the two sides: a border, the glyph with its mark, a border.
const GUTTER: u16 = 5;

/// The glyph of what is to be done; the word is [`Status::word`].
pub const fn glyph(status: Status) -> &'static str {
    match status {
        Status::Diverged => "≠",
        Status::Converged => "=",
        Status::Push => "→",
        Status::Apply => "←",
        Status::Blocked => "⊘",
    }
}

/// The colour of what is to be done.
pub const fn ink(status: Status, settled: bool) -> Ink {
    match (status, settled) {
        (Status::Diverged, false) => Ink::Conflict,
        (Status::Diverged, true) => Ink::Good,
        (Status::Converged, _) => Ink::Dim,
        (Status::Push, _) => look(Side::Device).ink,
        (Status::Apply, _) => look(Side::Server).ink,
        (Status::Blocked, _) => Ink::Warning,
    }
}

/// The glyph of where a resource stands under the choices made.
pub const fn standing_glyph(standing: Standing) -> &'static str {
    match standing {
        Standing::Found(status) => glyph(status),
        Standing::Dropped => "✗",
        Standing::Reopened => "○",
    }
}

/// Its colour.
pub const fn standing_ink(standing: Standing, settled: bool) -> Ink {
    match standing {
        Standing::Found(status) => ink(status, settled),
        Standing::Dropped => Ink::Warning,
        Standing::Reopened => Ink::Conflict,
    }
}

/// A kind as the list writes it; the whole word stands in the detail.
pub fn short_kind(kind: &Kind) -> &str {
    match kind {
        Kind::Link => "LINK",
        Kind::ReadingSession => "SESSION",
        Kind::Bookmark | Kind::Collection | Kind::Note | Kind::Other(_) => kind.wire(),
    }
}

/// The panes of the list on the screen.
struct Panes {
    device: Option<Rect>,
    gutter: u16,
    server: Option<Rect>,
}

impl Panes {
    fn of(app: &App) -> Self {
        let area = app.layout().list;
        if app.layout().both_sides {
            let left = (area.width - GUTTER) / 2;
            let device = Rect { width: left, ..area };
            let x = area.x + left + GUTTER;
            let server = Rect { x, width: area.right() - x, ..area };
            return Self { device: Some(device), gutter: area.x + left, server: Some(server) };
        }
        let side = Rect { width: area.width.saturating_sub(GUTTER - 1), ..area };
        match app.focus() {
            Focus::List(Side::Server) => {
                let server = Rect { x: area.x + GUTTER - 1, ..side };
                Self { device: None, gutter: area.x.saturating_sub(1), server: Some(server) }
            }
            Focus::List(Side::Device) | Focus::Fields => {
                Self { device: Some(side), gutter: area.x + side.width, server: None }
            }
        }
    }
}

impl Panes {
    /// The columns of the borders between the sides.
    fn joints(&self) -> Vec<u16> {
        let (left, right) = (self.gutter, self.gutter + GUTTER - 1);
        match (self.device, self.server) {
            (Some(_), Some(_)) => vec![left, right],
            (Some(_), None) => vec![left],
            (None, Some(_)) => vec![right],
            (None, None) => Vec::new(),
        }
    }
}

/// The columns of the borders between the sides.
pub fn joints(app: &App) -> Vec<u16> {
    Panes::of(app).joints()
}

/// Draws the list with its part of the frame.
pub fn draw(canvas: &mut Canvas, app: &App, bench: &Bench) {
    let layout = app.layout();
    let panes = Panes::of(app);
    frame(canvas, app, bench, &panes);
    canvas.region(layout.list, Target::List);
    let visible = bench.selection.visible();
    canvas.scrollbar(layout.frame.right() - 1, layout.list, &visible, bench.rows.len());
    if bench.rows.is_empty() {
        let words = if bench.query.is_empty() {
            ["nothing is queued", "nothing is new"]
        } else {
            ["no resource matches", "Esc clears the filter"]
        };
        let y = layout.list.y + layout.list.height / 2;
        for (pane, text) in [panes.device, panes.server].into_iter().zip(words) {
            if let Some(pane) = pane {
                canvas.words(pane.x + 2, y, pane.width.saturating_sub(3), text, Ink::Dim);
            }
        }
        return;
    }
    let focused = matches!(app.focus(), Focus::List(_));
    for (y, row) in (layout.list.y..layout.list.bottom()).zip(visible) {
        let Some(&id) = bench.rows.get(row) else { continue };
        let line = Rect { y, height: 1, ..layout.list };
        canvas.region(line, Target::Row(row));
        draw_row(canvas, app, bench, &panes, id, y);
        if row == bench.selection.cursor() {
            canvas.lay(line, canvas.theme().marked(focused));
            let x = panes.device.or(panes.server).map_or(line.x, |pane| pane.x);
            canvas.words_in(x, y, 1, "▸", canvas.style(Ink::Strong).patch(canvas.theme().marked(focused)));
        }
    }
}

fn frame(canvas: &mut Canvas, app: &App, bench: &Bench, panes: &Panes) {
    let layout = app.layout();
    canvas.border(layout.frame);
    let (top, bottom) = (layout.frame.y, layout.list.bottom());
    let focused = matches!(app.focus(), Focus::List(_));
    for x in panes.joints() {
        canvas.joint(x, top, "┬");
        for y in layout.list.y..bottom {
            canvas.joint(x, y, "│");
        }
        canvas.joint(x, bottom, "┴");
    }
    for (pane, side) in [(panes.device, Side::Device), (panes.server, Side::Server)] {
        let Some(pane) = pane else { continue };
        let (name, count) = match side {
            Side::Device => ("Device queue", bench.inspection.summary.queued),
            Side::Server => ("Server since the cursor", bench.inspection.summary.window),
        };
        let name = if pane.width < 34 && side == Side::Server { "Server" } else { name };
        let mut x = pane.x + canvas.words(pane.x, top, pane.width, " ", Ink::Text);
        let style =
            canvas.style(look(side).ink).patch(canvas.style(if focused { Ink::Title } else { Ink::Text }));
        x += canvas.words_in(x, top, pane.right().saturating_sub(x), name, style);
        x += canvas.words(x, top, pane.right().saturating_sub(x), &format!(" {} ", grouped(count)), Ink::Dim);
        if !layout.both_sides {
            let other = look(side.other()).name;
            canvas.words(x, top, pane.right().saturating_sub(x), &format!("· Tab: {other} "), Ink::Dim);
        }
    }
}

fn draw_row(canvas: &mut Canvas, app: &App, bench: &Bench, panes: &Panes, id: PairId, y: u16) {
    let pair = bench.inspection.pair(id);
    let settled = pair.status == Status::Diverged && bench.resolution.settles(id, pair);
    let glyph_x = panes.gutter + 2;
    let standing = app::standing(&bench.inspection, &bench.resolution, id);
    canvas.words(glyph_x, y, 1, standing_glyph(standing), standing_ink(standing, settled));
    if bench.is_refused(id) {
        canvas.words(glyph_x + 1, y, 1, "!", Ink::Warning);
    } else if settled {
        canvas.words(glyph_x + 1, y, 1, "✓", Ink::Good);
    }
    for (pane, side) in [(panes.device, Side::Device), (panes.server, Side::Server)] {
        let Some(pane) = pane else { continue };
        // A side that says nothing is named only where the other is not on the screen.
        let alone = panes.device.is_none() || panes.server.is_none();
        let first = side == Side::Device || pair.device.is_empty() || alone;
        let pane = Rect { y, height: 1, ..pane };
        draw_side(canvas, app, bench, pair, (side, first), pane, standing == Standing::Dropped);
    }
}

fn draw_side(
    canvas: &mut Canvas,
    app: &App,
    bench: &Bench,
    pair: &Pair,
    (side, named): (Side, bool),
    pane: Rect,
    dropped: bool,
) {
    let speaks = pair.shape.op(side).is_some() || (side == Side::Device && !pair.device.is_empty());
    let quiet = pair.status == Status::Converged;
    let plain = if quiet { Ink::Dim } else { Ink::Text };
    let right = pane.right().saturating_sub(1);
    let mut x = pane.x + 2;
    let alone = !app.layout().both_sides;
    // What the row is called, and that again where it had to be cut.
    let (mut named_as, mut cut) = (String::new(), None);
    if !speaks && !alone {
        return;
    }
    if named {
        let label = label_width(pane.width).min(right.saturating_sub(x));
        let strong = if quiet { Ink::Dim } else { Ink::Strong };
        let used = canvas.data(x, pane.y, label, short_kind(&pair.kind), strong);
        let room = label.saturating_sub(used + 1);
        if pair.kind != Kind::Collection {
            let title = naming::title(&bench.inspection, pair);
            if room > 1 {
                canvas.data(x + used + 1, pane.y, room, &title, plain);
            }
            cut = (safe_text::width(&title) > usize::from(room)).then_some(title.clone());
            named_as = title;
        }
        x += label + 1;
    }
    if !speaks {
        canvas.words(x, pane.y, right.saturating_sub(x), "·", Ink::Dim);
        return;
    }
    let dropped = dropped && side == Side::Device;
    let op = if dropped { String::from("✗ dropped") } else { operation(pair, side) };
    let style = if dropped {
        Ink::Warning
    } else if quiet {
        Ink::Dim
    } else {
        look(side).ink
    };
    let used = canvas.words(x, pane.y, right.saturating_sub(x), &op, style);
    x += used.max(6) + 2;
    let right =
        if side == Side::Server { right.saturating_sub(when(canvas, app, bench, pair, pane)) } else { right };
    if pair.echo && side == Side::Server {
        let room = right.saturating_sub(x);
        canvas.words(x, pane.y, room, if room < 19 { "echo" } else { "echo of this device" }, Ink::Dim);
        return;
    }
    // A link says nothing but what it joins, and a session nothing but its place.
    let excerpt = match naming::excerpt(&bench.inspection, pair, side) {
        excerpt if excerpt.is_empty() => cut.unwrap_or_default(),
        excerpt if excerpt == named_as => String::new(),
        excerpt => excerpt,
    };
    canvas.data(x, pane.y, right.saturating_sub(x), short(&excerpt), plain);
}

/// Columns for kind and title.
const fn label_width(pane: u16) -> u16 {
    match pane {
        0..=30 => 13,
        31..=44 => 15,
        45..=60 => 19,
        _ => 24,
    }
}

/// `UPDATE`, `DELETE+CREATE`, `UPDATE ×3`.
fn operation(pair: &Pair, side: Side) -> String {
    let entries = match side {
        Side::Device => pair.device.len(),
        Side::Server => pair.server.len(),
    };
    let last = pair.shape.op(side).map_or("(nothing)", Op::wire);
    match (side, pair.shape.before) {
        (Side::Device, Some(before)) => format!("{}+{last}", before.wire()),
        _ if entries > 1 => format!("{last} ×{entries}"),
        _ => last.to_owned(),
    }
}

/// Whence and when the server's last word came, flush right. Answers the columns it took.
fn when(canvas: &mut Canvas, app: &App, bench: &Bench, pair: &Pair, pane: Rect) -> u16 {
    let Some(server) = bench.inspection.primary(pair) else { return 0 };
    let ago = diagnosis::ago(server.timestamp, app.now());
    if pane.width < 40 {
        return 0;
    }
    let members = server.data.members();
    let source = members.get("source").and_then(Json::as_str).filter(|_| pane.width >= 46);
    let width = u16::try_from(ago.chars().count()).unwrap_or(0);
    let mut x = pane.right().saturating_sub(width + 1);
    canvas.words(x, pane.y, width, &ago, Ink::Dim);
    let Some(source) = source else { return width + 2 };
    let columns = u16::try_from(crate::domain::safe_text::width(source).min(12)).unwrap_or(12);
    x = x.saturating_sub(columns + 3);
    let used = canvas.data(x, pane.y, columns, source, Ink::Dim);
    canvas.words(x + used, pane.y, 3, " · ", Ink::Dim);
    width + columns + 5
}
