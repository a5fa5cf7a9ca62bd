//! The four strategies side by side: what each costs, what each would leave, what it would lose struck through, and the
//! ledger behind the marked cell.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::canvas::Canvas;
use super::footer::grouped;
use super::theme::{Ink, look};
use super::value::short;
use super::{Target, pages};
use crate::app::{App, Bench, CompareRow, Comparing, Cost, hangs_on, kept_words, loss_words, mark};
use crate::domain::compare::{Comparison, Keeps};
use crate::domain::mutation::Side;
use crate::domain::naming;
use crate::domain::strategy::Strategy;

/// Below this many columns one strategy is shown at a time.
const ALL_FOUR: u16 = 70;

/// Below this many columns the labels are short ones, in so many columns.
const SHORT: u16 = 100;
const SHORT_LABEL: u16 = 18;

/// The places of the labels and of each strategy that is shown.
struct Columns {
    label: u16,
    /// Position in [`Strategy::ALL`], x, width.
    shown: Vec<(usize, u16, u16)>,
}

impl Columns {
    fn of(area: Rect, marked: usize) -> Self {
        let label = match area.width {
            ..SHORT => SHORT_LABEL.min(area.width * 2 / 5),
            SHORT.. => (area.width * 3 / 10).min(34),
        };
        let rest = area.width.saturating_sub(label + 1);
        let shown = if area.width < ALL_FOUR {
            vec![(marked, area.x + label, rest)]
        } else {
            let width = rest / 4;
            (0..4u16).map(|at| (usize::from(at), area.x + label + at * width, width)).collect()
        };
        Self { label, shown }
    }
}

/// Draws the comparison in the frame.
pub fn draw(canvas: &mut Canvas, app: &App, bench: &Bench, comparing: &Comparing) {
    pages::frame(canvas, app, &over(bench));
    let [head, rows, behind] = app.layout().comparison();
    let Some(comparison) = &comparing.comparison else {
        canvas.words(head.x + 2, head.y, head.width, "comparing …", Ink::Dim);
        return;
    };
    let columns = Columns::of(rows, comparing.column);
    heading(canvas, head, &columns, comparing.column);
    canvas.region(rows, Target::Overlay);
    for (y, at) in (rows.y..rows.bottom()).zip(comparing.selection.visible()) {
        let Some(row) = comparing.rows.get(at) else { continue };
        let line = Rect { y, height: 1, ..rows };
        let marked = at == comparing.selection.cursor();
        draw_row(canvas, bench, comparison, *row, line, &columns);
        canvas.region(line, Target::Entry(at));
        for (column, x, width) in &columns.shown {
            canvas.region(Rect { x: *x, width: *width, ..line }, Target::Cell { row: at, column: *column });
        }
        if marked {
            let style = canvas.theme().marked(false);
            canvas.lay(line, style);
            canvas.words_in(line.x, y, 1, "▸", canvas.style(Ink::Strong).patch(style));
            let cell = columns.shown.iter().find(|(column, ..)| *column == comparing.column);
            if let Some((_, x, width)) = cell {
                let cell = Rect { x: *x, width: width.saturating_sub(1), ..line };
                canvas.lay(cell, canvas.theme().marked(true).add_modifier(Modifier::BOLD));
            }
        }
    }
    let edge = app.layout().frame.right() - 1;
    canvas.scrollbar(edge, rows, &comparing.selection.visible(), comparing.rows.len());
    if behind.height == 0 {
        return;
    }
    canvas.line(app.layout().frame.x, behind.y - 1, app.layout().frame.width, ["├", "┤"]);
    canvas.words(
        behind.x + 1,
        behind.y - 1,
        behind.width,
        " the ledger behind this cell · Enter opens it ",
        Ink::Dim,
    );
    canvas.region(behind, Target::Overlay);
    pages::prose(canvas, behind, &comparing.behind);
}

/// The strategies stand on what a person chose, which no column goes over.
fn over(bench: &Bench) -> String {
    match bench.by_hand() {
        0 => String::from("the four strategies · nothing is applied yet"),
        1 => String::from("the four strategies over 1 choice by hand · nothing is applied yet"),
        choices => format!("the four strategies over {choices} choices by hand · nothing is applied yet"),
    }
}

fn heading(canvas: &mut Canvas, head: Rect, columns: &Columns, marked: usize) {
    for (at, x, width) in &columns.shown {
        let Some(strategy) = Strategy::ALL.get(*at) else { continue };
        let ink = if *at == marked { Ink::Title } else { Ink::Text };
        let used = canvas.words(*x, head.y, width.saturating_sub(1), &format!("{}", at + 1), Ink::Key);
        let room = width.saturating_sub(used + 2);
        let name = strategy.name();
        // `3 last-write` stands where the whole of it does not.
        let fits = name.len() <= usize::from(room);
        let name = if fits { name } else { name.strip_suffix("-wins").unwrap_or(name) };
        canvas.words(x + used + 1, head.y, room, name, ink);
        canvas.region(Rect { x: *x, width: *width, ..head }, Target::Cell { row: usize::MAX, column: *at });
    }
}

fn draw_row(
    canvas: &mut Canvas,
    bench: &Bench,
    comparison: &Comparison,
    row: CompareRow,
    line: Rect,
    columns: &Columns,
) {
    let (x, y) = (line.x + 1, line.y);
    let room = columns.label.saturating_sub(2);
    let label = |canvas: &mut Canvas, indent: u16, text: &str, ink: Ink| {
        canvas.data(x + indent, y, room.saturating_sub(indent), text, ink);
    };
    match row {
        CompareRow::Cost(cost) => {
            let name = if cost.name().len() > usize::from(room) { cost.short_name() } else { cost.name() };
            label(canvas, 0, name, Ink::Text);
            for (at, x, width) in &columns.shown {
                let Some(strategy) = Strategy::ALL.get(*at) else { continue };
                let (text, ink) = match cost.of(comparison, *strategy) {
                    None => (String::from("·"), Ink::Dim),
                    Some(0) => (String::from("0"), Ink::Dim),
                    Some(amount) => (grouped(amount), ink_of(cost)),
                };
                canvas.words(*x, y, width.saturating_sub(1), &text, ink);
            }
        }
        CompareRow::Pair(at) => {
            let Some(of_row) = comparison.rows.get(at) else { return };
            let pair = bench.inspection.pair(of_row.pair);
            let title = naming::label(&bench.inspection, pair);
            label(canvas, 0, &title, Ink::Strong);
            if of_row.lines.is_empty()
                && let Some((_, x, _)) = columns.shown.first()
            {
                let room = line.right().saturating_sub(*x);
                canvas.words(*x, y, room, comparison.alike(of_row.pair), Ink::Dim);
            }
            for (at, x, width) in columns.shown.iter().filter(|_| !of_row.lines.is_empty()) {
                let flips = Strategy::ALL.get(*at) == Some(&Strategy::LastWriteWins);
                if let Some(flip) = of_row.flip.as_ref().filter(|_| flips) {
                    let text = match width {
                        ..20 => format!("{} s {}", flip.seconds(), flip.direction()),
                        20..60 => format!("flips: {} s {}", flip.seconds(), flip.direction()),
                        60.. => hangs_on(flip),
                    };
                    canvas.words(*x, y, width.saturating_sub(1), &text, Ink::Dim);
                }
            }
        }
        CompareRow::Kept(at, field) => {
            let Some(of_line) = comparison.rows.get(at).and_then(|row| row.lines.get(field)) else { return };
            label(canvas, 1, &of_line.path.label(), Ink::Text);
            for (at, x, width) in &columns.shown {
                let Some(leaves) = of_line.leaves.get(*at) else { continue };
                let ink = match leaves.keeps {
                    Keeps::Open => Ink::Conflict,
                    Keeps::Device => look(Side::Device).ink,
                    Keeps::Server => look(Side::Server).ink,
                    Keeps::Both | Keeps::Edited => Ink::Good,
                    Keeps::Gone => Ink::Warning,
                };
                canvas.words(*x, y, 1, mark(leaves.keeps).encode_utf8(&mut [0; 4]), ink);
                let text = match leaves.keeps {
                    Keeps::Open | Keeps::Gone => leaves.keeps.word().to_owned(),
                    Keeps::Device | Keeps::Server | Keeps::Both | Keeps::Edited => {
                        kept_words(of_line, leaves)
                    }
                };
                canvas.data(x + 2, y, width.saturating_sub(3), short(&text), ink);
            }
        }
        CompareRow::Lost(at, field) => {
            let Some(of_line) = comparison.rows.get(at).and_then(|row| row.lines.get(field)) else { return };
            label(canvas, 2, "lost", Ink::Dim);
            for (at, x, width) in &columns.shown {
                let (Some(leaves), Some(strategy)) = (of_line.leaves.get(*at), Strategy::ALL.get(*at)) else {
                    continue;
                };
                let losses = comparison.lost(*strategy, leaves);
                let Some(loss) = losses.first() else { continue };
                let side = look(loss.side);
                canvas.words(*x, y, 1, side.glyph, side.ink);
                let struck = canvas.style(side.ink).add_modifier(Modifier::CROSSED_OUT);
                let text = loss_words(loss);
                let more = if losses.len() > 1 { format!(" +{}", losses.len() - 1) } else { String::new() };
                let room = width.saturating_sub(3).saturating_sub(u16::try_from(more.len()).unwrap_or(0));
                let used = canvas.styled(x + 2, y, room, short(&text), |_| struck);
                canvas.words(x + 2 + used, y, width.saturating_sub(3 + used), &more, Ink::Dim);
            }
        }
    }
}

const fn ink_of(cost: Cost) -> Ink {
    match cost {
        Cost::Pushed | Cost::Applied | Cost::Requests => Ink::Strong,
        Cost::Lost(_) | Cost::Turned => Ink::Warning,
        Cost::Open => Ink::Conflict,
    }
}
