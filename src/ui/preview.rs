//! What retrying the sync would do: totals, what is lost, what is sent, and the marked entry in full.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::footer::grouped;
use super::theme::{Ink, look};
use super::value::short;
use super::{Target, pages};
use crate::app::{App, Bench, Entry, Preview, Section, request_line};
use crate::domain::json::Json;
use crate::domain::mutation::{Op, Payload, QueueId, Side};
use crate::domain::naming;
use crate::domain::plan::{Left, Plan};

/// Draws the preview in the frame.
pub fn draw(canvas: &mut Canvas, app: &App, bench: &Bench, preview: &Preview) {
    pages::frame(canvas, app, "what a retry would do · nothing is sent yet");
    let [totals, entries, full] = app.layout().preview();
    let Some(plan) = &preview.plan else {
        canvas.words(totals.x + 2, totals.y, totals.width, "working it out …", Ink::Dim);
        return;
    };
    total(canvas, app, plan, totals);
    canvas.region(entries, Target::Overlay);
    for (y, at) in (entries.y..entries.bottom()).zip(preview.selection.visible()) {
        let Some(entry) = preview.entries.get(at) else { continue };
        let line = Rect { y, height: 1, ..entries };
        canvas.region(line, Target::Entry(at));
        draw_entry(canvas, bench, preview, plan, *entry, line);
        if at == preview.selection.cursor() {
            let style = canvas.theme().marked(!preview.in_full);
            canvas.lay(line, style);
            canvas.words_in(line.x, y, 1, "▸", canvas.style(Ink::Strong).patch(style));
        }
    }
    if preview.entries.is_empty() {
        canvas.words(entries.x + 2, entries.y, entries.width, "there is nothing to do", Ink::Dim);
    }
    let edge = app.layout().frame.right() - 1;
    canvas.scrollbar(edge, entries, &preview.selection.visible(), preview.entries.len());
    if full.height == 0 {
        return;
    }
    let y = full.y - 1;
    canvas.line(app.layout().frame.x, y, app.layout().frame.width, ["├", "┤"]);
    let title = match preview.marked() {
        Some(Entry::Item(..) | Entry::Applied(_)) => " in wire form ",
        Some(Entry::Loss { .. }) => " the lost value ",
        Some(
            Entry::Heading(_)
            | Entry::Mind(_)
            | Entry::Open(_)
            | Entry::Held(_)
            | Entry::Post(_)
            | Entry::Dropped(_),
        )
        | None => " in full ",
    };
    let ink = if preview.in_full { Ink::Title } else { Ink::Dim };
    let used = canvas.words(full.x + 1, y, full.width, title, ink);
    if preview.full.len() > preview.full.height() {
        canvas.words(
            full.x + 1 + used,
            y,
            full.width.saturating_sub(used + 2),
            "· Tab scrolls it ",
            Ink::Dim,
        );
    }
    canvas.region(full, Target::Overlay);
    let style = canvas.style(Ink::Text);
    for (y, row) in (full.y..full.bottom()).zip(preview.full_rows()) {
        canvas.row(full.x + 1, y, full.width.saturating_sub(2), row, |_| style);
    }
    canvas.scrollbar(edge, full, &preview.full.visible(), preview.full.len());
}

fn total(canvas: &mut Canvas, app: &App, plan: &Plan, area: Rect) {
    let posts = plan.batches.len();
    let mut parts = vec![(
        Ink::Strong,
        format!("{} sent in {posts} {}", grouped(plan.pushed()), if posts == 1 { "POST" } else { "POSTs" }),
    )];
    let mut part = |section: Section, word: &str, ink: Ink| {
        let count = section.count(plan);
        let ink = if count == 0 { Ink::Dim } else { ink };
        parts.push((ink, format!("{} {word}", grouped(count))));
    };
    let lost = if plan.all_lost() == 1 { "change lost" } else { "changes lost" };
    part(Section::Lost, lost, Ink::Warning);
    part(Section::Open, "open", Ink::Conflict);
    part(Section::Held, "held", Ink::Warning);
    part(Section::Applied, "applied", Ink::Text);
    part(Section::Dropped, "dropped", Ink::Text);
    let mut x = area.x + 2;
    for (at, (ink, text)) in parts.iter().enumerate() {
        if at > 0 {
            x += canvas.words(x, area.y, area.right().saturating_sub(x), " · ", Ink::Dim);
        }
        x += canvas.words(x, area.y, area.right().saturating_sub(x), text, *ink);
    }
    if area.height < 2 {
        return;
    }
    let (text, ink) = if let Some(reason) = app.read_only() {
        (reason.to_owned(), Ink::Warning)
    } else if plan.moves_cursor {
        let does = if plan.pushed() > 0 { "sends it" } else { "applies it" };
        (format!("y {does}; then the device's cursor moves to the head (now {}).", plan.head), Ink::Good)
    } else {
        (
            match app.bench() {
                Some(bench) if !bench.inspection.window.not_visible.is_empty() => String::from(
                    "The token does not see every kind: the cursor stays where it is; y sends the rest.",
                ),
                Some(_) | None => {
                    String::from("What is open stays open and the cursor where it is; y sends the rest.")
                }
            },
            Ink::Conflict,
        )
    };
    canvas.data(area.x + 2, area.y + 1, area.width.saturating_sub(3), &text, ink);
}

fn draw_entry(canvas: &mut Canvas, bench: &Bench, preview: &Preview, plan: &Plan, entry: Entry, line: Rect) {
    let (x, y) = (line.x + 2, line.y);
    let right = line.right().saturating_sub(1);
    let inspection = &bench.inspection;
    // Kind and title of a pair, in columns of their own.
    let name = |canvas: &mut Canvas, x: u16, pair| {
        let pair = inspection.pair(pair);
        let room = (line.width / 4).clamp(12, 28);
        let used = canvas.data(x, y, room, naming::kind_word(&pair.kind), Ink::Strong);
        if used + 2 < room {
            canvas.data(x + used + 1, y, room - used - 1, &naming::title(inspection, pair), Ink::Text);
        }
        x + room + 1
    };
    match entry {
        Entry::Heading(section) => {
            let ink = match section {
                Section::Mind | Section::Lost | Section::Held => Ink::Warning,
                Section::Open => Ink::Conflict,
                Section::Sent | Section::Applied | Section::Dropped => Ink::Key,
            };
            let count = grouped(section.count(plan));
            let used =
                canvas.words(x - 1, y, right.saturating_sub(x), &format!("{} {count}", section.name()), ink);
            let x = x + used + 1;
            canvas.words(x, y, right.saturating_sub(x), section.meaning(), Ink::Dim);
        }
        Entry::Mind(at) => {
            let Some(alike) = preview.alike.get(at) else { return };
            let Some(warning) = alike.first().and_then(|at| plan.warnings.get(*at)) else { return };
            let x = match (warning.pair, alike.len()) {
                (Some(pair), 1) => name(canvas, x, pair),
                (None, 1) => x,
                (_, many) => {
                    let text = format!("{} resources: ", grouped(many));
                    x + canvas.words(x, y, right.saturating_sub(x), &text, Ink::Strong)
                }
            };
            canvas.data(x, y, right.saturating_sub(x), &warning.text, Ink::Text);
        }
        Entry::Loss { at, under } => {
            let Some(loss) = plan.ledger.get(at) else { return };
            // What goes with a line stands under it, and has no name of its own.
            let room = (line.width / 4).clamp(12, 28);
            if !under {
                let used = canvas.data(x, y, room, naming::kind_word(&loss.kind), Ink::Strong);
                canvas.data(x + used + 1, y, room.saturating_sub(used + 1), &loss.title, Ink::Text);
            }
            let x = x + room + 1;
            let side = look(loss.side);
            if !under {
                canvas.words(x, y, 7, side.name, side.ink);
            }
            let x = x + if under { 10 } else { 8 };
            let used = canvas.data(x, y, 22, &loss.what(), Ink::Text);
            let x = x + used.max(9) + 1;
            let text = if loss.path.is_existence() { String::new() } else { loss.words() };
            canvas.data(x, y, right.saturating_sub(x), short(&text), Ink::Dim);
        }
        Entry::Open(at) => {
            let Some(unit) = plan.open.get(at) else { return };
            let x = name(canvas, x, unit.pair);
            canvas.data(x, y, right.saturating_sub(x), &unit.path.label(), Ink::Conflict);
        }
        Entry::Held(at) => left(canvas, plan.hold.get(at), x, y, right, name),
        Entry::Dropped(at) => left(canvas, plan.drop.get(at), x, y, right, name),
        Entry::Post(post) => {
            let items = match plan.batches.get(post).map_or(0, |batch| batch.items.len()) {
                1 => String::from("1 mutation"),
                items => format!("{items} mutations"),
            };
            let used = canvas.words(x, y, right.saturating_sub(x), &request_line(plan, post), Ink::Text);
            let phase = plan.batches.get(post).map_or("", |batch| batch.phase.words());
            let x = x + used + 2;
            canvas.words(x, y, right.saturating_sub(x), &format!("{items} · {phase}"), Ink::Dim);
        }
        Entry::Item(post, item) => {
            let Some(item) = plan.batches.get(post).and_then(|batch| batch.items.get(item)) else { return };
            let ink = if item.wire.op == Op::Delete { Ink::Warning } else { look(Side::Device).ink };
            canvas.words(x + 2, y, 6, item.wire.op.wire(), ink);
            let x = if inspection.pair(item.pair).kind == item.wire.kind {
                name(canvas, x + 10, item.pair)
            } else {
                let room = (line.width / 4).clamp(12, 28);
                canvas.data(x + 10, y, room, naming::kind_word(&item.wire.kind), Ink::Strong);
                x + 10 + room + 1
            };
            canvas.data(x, y, right.saturating_sub(x), &one_line_of(&item.wire.data), Ink::Dim);
        }
        Entry::Applied(at) => {
            let Some(mutation) = plan.apply.get(at).and_then(|at| inspection.window.mutations.get(*at))
            else {
                return;
            };
            canvas.words(x + 2, y, 6, mutation.op.wire(), look(Side::Server).ink);
            let x = if let Some(pair) = preview.taker(at) {
                name(canvas, x + 10, pair)
            } else {
                let label = naming::served_label(inspection, mutation);
                x + 11 + canvas.data(x + 10, y, 28, &label, Ink::Strong)
            };
            canvas.data(x, y, right.saturating_sub(x), &one_line_of(&mutation.data), Ink::Dim);
        }
    }
}

/// Data without the white space of the file it came from; the marked entry in full shows it as it is sent.
fn one_line_of(data: &Payload) -> String {
    let text = data.as_str().map(|text| Json::parse(text).to_text()).unwrap_or_default();
    short(&text).to_owned()
}

fn left(
    canvas: &mut Canvas,
    left: Option<&Left>,
    x: u16,
    y: u16,
    right: u16,
    name: impl Fn(&mut Canvas, u16, crate::domain::inspect::PairId) -> u16,
) {
    let Some(left) = left else { return };
    let x = name(canvas, x, left.pair);
    let ids: Vec<&str> = left.device.iter().take(3).map(QueueId::as_str).collect();
    let more = if left.device.len() > 3 { " …" } else { "" };
    let used = canvas.data(x, y, 20, &format!("{}{more}", ids.join(" ")), Ink::Text);
    let x = x + used + 2;
    canvas.data(x, y, right.saturating_sub(x), &left.reason, Ink::Dim);
}
