//! The simulation's screen: the settings, a measure against the time between two syncs, the same measure strategy by
//! strategy, and how long it took until all agreed.

use ratatui::buffer::Buffer;
use ratatui::layout::{Direction, Rect};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Bar, BarChart, BarGroup, Chart, Dataset, GraphType, Sparkline};

use super::canvas::Canvas;
use super::footer::grouped;
use super::header::bar;
use super::theme::{Ink, Theme};
use crate::domain::mutation::Side;
use crate::domain::strategy::Strategy;
use crate::lab::{KEYS, Knob, Lab, Metric, View, span, stretches};
use crate::simulate::{Simulation, Tally};

/// From this many columns on the settings stand beside the charts.
const WIDE: u16 = 100;
/// Columns of the settings.
const SETTINGS: u16 = 36;
/// Below this many columns or rows nothing but a line is shown.
const SMALLEST: (u16, u16) = (40, 10);

/// Draws the whole screen.
pub fn draw(lab: &Lab, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut canvas = Canvas::new(buffer, area, theme);
    canvas.clear(area);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        canvas.words(area.x, area.y, area.width, "the simulation needs 40x10", Ink::Text);
    } else {
        heading(&mut canvas, lab, Rect { height: 1, ..area });
        let body = Rect { y: area.y + 1, height: area.height - 3, ..area };
        let charts = if area.width >= WIDE {
            settings(&mut canvas, lab, Rect { width: SETTINGS, ..body });
            Rect { x: body.x + SETTINGS, width: body.width - SETTINGS, ..body }
        } else {
            one_setting(&mut canvas, lab, Rect { height: 1, ..body });
            Rect { y: body.y + 1, height: body.height - 1, ..body }
        };
        if lab.help.is_some() {
            help(&mut canvas, lab, charts);
        } else if let Some(simulation) = &lab.simulation {
            parts(&mut canvas, lab, simulation, charts);
        } else {
            canvas.border(charts);
            canvas.words(
                charts.x + 2,
                charts.y + 1,
                charts.width.saturating_sub(4),
                "simulating …",
                Ink::Dim,
            );
        }
        let last = Rect { y: area.bottom() - 2, height: 2, ..area };
        progress(&mut canvas, lab, last);
        footer(&mut canvas, Rect { y: last.y + 1, height: 1, ..last });
    }
    canvas.finish();
}

/// What the charts are of.
fn heading(canvas: &mut Canvas, lab: &Lab, line: Rect) {
    let used = canvas.words(line.x + 1, line.y, line.width, "unstick simulate", Ink::Title);
    let of = lab.simulation.as_ref().map_or(&lab.settings, |simulation| &simulation.settings);
    let text = format!(
        " · {} devices, {} users, {} days, seed {}",
        grouped(of.devices as usize),
        grouped(of.users as usize),
        of.days,
        of.seed
    );
    let x = line.x + 1 + used;
    canvas.words(x, line.y, line.right().saturating_sub(x), &text, Ink::Text);
}

fn settings(canvas: &mut Canvas, lab: &Lab, area: Rect) {
    canvas.border(area);
    canvas.words(area.x + 2, area.y, area.width.saturating_sub(4), " settings ", Ink::Title);
    for (at, knob) in Knob::ALL.into_iter().enumerate() {
        let y = area.y + 1 + u16::try_from(at).unwrap_or(0);
        if y >= area.bottom() - 1 {
            return;
        }
        let marked = at == lab.knob;
        setting(canvas, lab, knob, marked, Rect { x: area.x + 1, y, width: area.width - 2, height: 1 });
    }
    let y = area.y + 2 + u16::try_from(Knob::ALL.len()).unwrap_or(0);
    let intervals: Vec<String> = lab.settings.intervals.iter().map(ToString::to_string).collect();
    let lines = [String::from("syncs every (--interval)"), format!("  {}", intervals.join(" "))];
    for (y, line) in (y..area.bottom() - 1).zip(lines) {
        canvas.words(area.x + 2, y, area.width.saturating_sub(4), &line, Ink::Dim);
    }
}

fn setting(canvas: &mut Canvas, lab: &Lab, knob: Knob, marked: bool, line: Rect) {
    let value = knob.value(&lab.settings);
    let ink = if marked { Ink::Strong } else { Ink::Text };
    canvas.words(line.x, line.y, 1, if marked { "▸" } else { " " }, Ink::Strong);
    canvas.words(line.x + 1, line.y, line.width.saturating_sub(12), knob.name(), ink);
    let shown = if marked { format!("‹ {value} ›") } else { value };
    let width = u16::try_from(shown.chars().count()).unwrap_or(0).min(line.width);
    canvas.words(line.right().saturating_sub(width + 1), line.y, width, &shown, ink);
    if marked {
        canvas.lay(line, canvas.theme().marked(true));
    }
}

/// Where there is no room for all of them: the marked one.
fn one_setting(canvas: &mut Canvas, lab: &Lab, line: Rect) {
    setting(canvas, lab, lab.knob(), true, Rect { x: line.x + 1, width: line.width - 2, ..line });
}

/// All three charts; where there is no room for all, the one that was looked at last.
fn parts(canvas: &mut Canvas, lab: &Lab, simulation: &Simulation, area: Rect) {
    if area.height < 18 {
        return match lab.view {
            View::Chart => chart(canvas, lab, simulation, area),
            View::Bars => bars(canvas, lab, area),
            View::Stretches => sparkline(canvas, lab, area),
        };
    }
    let below = (area.height * 2 / 5).max(9);
    chart(canvas, lab, simulation, Rect { height: area.height - below, ..area });
    let below = Rect { y: area.bottom() - below, height: below, ..area };
    if area.width < 70 {
        return match lab.view {
            View::Chart | View::Bars => bars(canvas, lab, below),
            View::Stretches => sparkline(canvas, lab, below),
        };
    }
    let left = Rect { width: below.width / 2, ..below };
    bars(canvas, lab, left);
    sparkline(canvas, lab, Rect { x: left.right(), width: below.width - left.width, ..below });
}

/// How a strategy looks in every chart: its ink, and its letter for eyes that do not tell colours apart.
const fn look_of(strategy: Strategy) -> (Ink, char) {
    match strategy {
        Strategy::ServerWins => (Ink::Side(Side::Server), 's'),
        Strategy::ClientWins => (Ink::Side(Side::Device), 'c'),
        Strategy::LastWriteWins => (Ink::Conflict, 'l'),
        Strategy::Merge => (Ink::Good, 'm'),
    }
}

/// The measure against the time between two syncs.
fn chart(canvas: &mut Canvas, lab: &Lab, simulation: &Simulation, area: Rect) {
    let metric = lab.metric();
    canvas.border(area);
    let title = format!(" ↑ {}, {} ", metric.name(), metric.unit());
    canvas.words(area.x + 2, area.y, area.width.saturating_sub(4), &title, Ink::Title);
    let below = " time between two syncs → ";
    let width = u16::try_from(below.chars().count()).unwrap_or(0);
    let x = area.right().saturating_sub(width + 2);
    canvas.words(x, area.bottom().saturating_sub(1), width, below, Ink::Title);
    let mut area = inside(area);
    let rows = legend(canvas, area);
    area = Rect { y: area.y + rows, height: area.height.saturating_sub(rows), ..area };
    // The letters of an interval stand side by side, so that equal values do not hide each other.
    let column = (simulation.rows.len() + 1) as f64 / f64::from(area.width.saturating_sub(10).max(1));
    let points_of = |at: usize, shift: f64| -> Vec<(f64, f64)> {
        let rows = simulation.rows.iter().enumerate();
        rows.map(|(x, row)| (x as f64 + shift, metric.of(&row.strategies[at]))).collect()
    };
    let lines: Vec<_> = (0..Strategy::ALL.len()).map(|at| points_of(at, 0.0)).collect();
    let letters: Vec<_> =
        (0..Strategy::ALL.len()).map(|at| points_of(at, (at as f64 - 1.5) * 1.1 * column)).collect();
    let top = round_up(lines.iter().flatten().map(|(_, y)| *y).fold(0.0, f64::max));
    let dataset = |(strategy, points), marker, sort| {
        let style = canvas.style(look_of(strategy).0);
        Dataset::default().data(points).marker(marker).graph_type(sort).style(style)
    };
    let lines = Strategy::ALL.into_iter().zip(lines.iter().map(Vec::as_slice));
    let letters = Strategy::ALL.into_iter().zip(letters.iter().map(Vec::as_slice));
    let mut datasets: Vec<_> = lines.map(|line| dataset(line, Marker::Braille, GraphType::Line)).collect();
    datasets.extend(
        letters.map(|points| dataset(points, Marker::Custom(look_of(points.0).1), GraphType::Scatter)),
    );
    let dim = canvas.style(Ink::Dim);
    let x = Axis::default()
        .bounds([-1.0, simulation.rows.len() as f64])
        .labels(labels(simulation, area.width))
        .style(dim);
    let marks = [0.0, top / 2.0, top].map(mark);
    let y = Axis::default().bounds([0.0, top]).labels(marks).style(dim);
    canvas.widget(area, Chart::new(datasets).x_axis(x).y_axis(y).style(canvas.style(Ink::Text)));
}

/// The intervals, with nothing at either end of the axis; only every second where there is no room for all.
fn labels(simulation: &Simulation, width: u16) -> Vec<String> {
    let count = simulation.rows.len();
    let step = if usize::from(width) / (count + 1) < 6 { 2 } else { 1 };
    let names = simulation
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| if at % step == 0 { row.interval.to_string() } else { String::new() });
    std::iter::once(String::new()).chain(names).chain(std::iter::once(String::new())).collect()
}

/// Which letter is which strategy, in a row or two. Answers how many.
fn legend(canvas: &mut Canvas, area: Rect) -> u16 {
    let (mut x, mut y) = (area.x + 1, area.y);
    for strategy in Strategy::ALL {
        let (ink, letter) = look_of(strategy);
        let text = format!("{letter} {strategy}");
        let width = u16::try_from(text.chars().count()).unwrap_or(0);
        if x + width > area.right() {
            (x, y) = (area.x + 1, y + 1);
        }
        canvas.words(x, y, area.right().saturating_sub(x), &text, ink);
        x += width + 2;
    }
    y + 1 - area.y
}

/// The measure strategy by strategy, at one interval.
fn bars(canvas: &mut Canvas, lab: &Lab, area: Rect) {
    canvas.border(area);
    let Some((interval, tallies)) = lab.shown() else { return };
    let metric = lab.metric();
    let title = format!(" every {interval}: {} ", metric.name());
    canvas.words(area.x + 2, area.y, area.width.saturating_sub(4), &title, Ink::Title);
    let inner = inside(area);
    canvas.words(inner.x + 1, inner.y, inner.width.saturating_sub(2), metric.unit(), Ink::Dim);
    let inner = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let values = tallies.each_ref().map(|tally| metric.of(tally));
    let most = round_up(values.iter().copied().fold(0.0, f64::max));
    let bars: Vec<Bar<'_>> = Strategy::ALL
        .into_iter()
        .zip(values)
        .map(|(strategy, value)| {
            let (ink, letter) = look_of(strategy);
            let style = canvas.style(ink);
            let name = format!("{letter} {strategy}");
            Bar::with_label(Line::styled(name, canvas.style(Ink::Text)), scaled(value))
                .text_value(number(value))
                .style(style)
                .value_style(style.add_modifier(ratatui::style::Modifier::REVERSED))
        })
        .collect();
    // Bars lie on their side: names of strategies are long, and a row is enough for a bar.
    let thick = (inner.height / 4).clamp(1, 3);
    let gap = u16::from(inner.height >= 4 * thick + 3);
    let widget = BarChart::default()
        .data(BarGroup::default().bars(&bars))
        .direction(Direction::Horizontal)
        .bar_width(thick)
        .bar_gap(gap)
        .max(scaled(most).max(1));
    canvas.widget(inner, widget);
}

/// How long it took until all agreed: how many stretches were how long.
fn sparkline(canvas: &mut Canvas, lab: &Lab, area: Rect) {
    canvas.border(area);
    let Some((interval, tallies)) = lab.shown() else { return };
    let strategy = Strategy::ALL.get(lab.strategy).copied().unwrap_or(Strategy::ServerWins);
    let tally: &Tally = &tallies[crate::domain::compare::place(strategy)];
    let title = format!(" {strategy}, every {interval}: until all agree ");
    canvas.words(area.x + 2, area.y, area.width.saturating_sub(4), &title, Ink::Title);
    let inner = inside(area);
    let plot = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let (counts, longest) = stretches(tally, usize::from(plot.width));
    let most = counts.iter().copied().max().unwrap_or(0);
    let count = grouped(tally.apart_s.len());
    let words = format!("{count} stretches, tallest column {}", grouped(most as usize));
    canvas.words(plot.x, plot.y, plot.width, &words, Ink::Dim);
    let bars = Rect { y: plot.y + 1, height: plot.height.saturating_sub(3), ..plot };
    canvas.widget(bars, Sparkline::default().data(&counts).style(canvas.style(look_of(strategy).0)));
    let y = bars.bottom();
    canvas.line(plot.x, y, plot.width, ["0", "┤"]);
    let end = span(longest);
    let width = u16::try_from(end.chars().count()).unwrap_or(0);
    canvas.words(plot.x, y + 1, plot.width, "how long, from 0 to", Ink::Dim);
    canvas.words(plot.right().saturating_sub(width), y + 1, width, &end, Ink::Text);
}

const fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}

/// Bars are whole numbers: thousandths of the measure.
fn scaled(value: f64) -> u64 {
    (value * 1000.0).round().max(0.0) as u64
}

/// The next round number that is not below.
fn round_up(value: f64) -> f64 {
    let mut power = 0.01;
    while power < 1e12 {
        for digit in [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0] {
            if value <= digit * power {
                return digit * power;
            }
        }
        power *= 10.0;
    }
    value
}

/// A mark of an axis, which is a round number or half of one: without zeros at its end.
fn mark(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn progress(canvas: &mut Canvas, lab: &Lab, area: Rect) {
    let (x, y) = (area.x + 1, area.y);
    if let Some(now) = lab.under_way {
        let percent = usize::try_from(now.done.min(now.of) * 100 / now.of.max(1)).unwrap_or(0);
        bar(canvas, x, y, 20, (percent, 100), Ink::Good);
        let text = format!("simulating, {percent} % · Esc stops");
        canvas.words(x + 21, y, area.width.saturating_sub(22), &text, Ink::Text);
    } else if let Some(status) = &lab.status {
        canvas.words(x, y, area.width.saturating_sub(2), status, Ink::Text);
    } else if lab.is_stale() {
        let text = "the charts are of other settings; r simulates with these";
        canvas.words(x, y, area.width.saturating_sub(2), text, Ink::Warning);
    }
}

fn footer(canvas: &mut Canvas, line: Rect) {
    let mut x = line.x + 1;
    for bound in KEYS.iter().filter(|bound| !bound.label.is_empty()) {
        let key = bound.shown.split(' ').next().unwrap_or_default();
        let width = u16::try_from(key.chars().count() + bound.label.len() + 3).unwrap_or(u16::MAX);
        if x.saturating_add(width) > line.right() {
            return;
        }
        x += canvas.words(x, line.y, line.right() - x, key, Ink::Key) + 1;
        x += canvas.words(x, line.y, line.right() - x, bound.label, Ink::Text) + 2;
    }
}

/// Keys and measures, from the line on that was scrolled to.
fn help(canvas: &mut Canvas, lab: &Lab, area: Rect) {
    canvas.border(area);
    canvas.words(
        area.x + 2,
        area.y,
        area.width.saturating_sub(4),
        " keys and measures · j k scroll ",
        Ink::Title,
    );
    let inner = inside(area);
    let room = inner.width.saturating_sub(2);
    let rows = help_lines().skip(lab.help.unwrap_or(0));
    for (y, (text, ink)) in (inner.y..inner.bottom()).zip(rows) {
        canvas.words(inner.x + 1, y, room, &text, ink);
    }
}

fn help_lines() -> impl Iterator<Item = (String, Ink)> {
    let keys = KEYS.iter().map(|bound| (format!("{:<8} {}", bound.shown, bound.help), Ink::Text));
    let measures = Metric::ALL.into_iter().flat_map(|metric| {
        let name = format!("{}, {}", metric.name(), metric.unit());
        [(name, Ink::Strong), (format!("  {}", metric.meaning()), Ink::Text)]
    });
    keys.chain(std::iter::once((String::new(), Ink::Text))).chain(measures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::tests::done;

    fn picture(lab: &Lab) -> String {
        let area = Rect::new(0, 0, lab.size.0, lab.size.1);
        let mut buffer = Buffer::empty(area);
        draw(lab, Theme::Plain, area, &mut buffer);
        (0..area.height)
            .map(|y| {
                let row: String = (0..area.width).map(|x| buffer[(x, y)].symbol()).collect();
                row.trim_end().to_owned() + "\n"
            })
            .collect()
    }

    #[test]
    fn every_chart_names_its_axes_and_units() {
        for size in [(160, 50), (120, 36)] {
            let text = picture(&done(size));
            for word in [
                "↑ changes lost, in 1,000 edits",
                "time between two syncs →",
                "30m",
                "4h",
                "1d",
                "every 30m: changes lost",
                "server-wins, every 30m: until all",
                "how long, from 0 to",
                "tallest column",
                "s server-wins",
                "c client-wins",
                "l last-write-wins",
                "m merge",
            ] {
                assert!(text.contains(word), "{size:?}: {word}\n{text}");
            }
        }
    }

    #[test]
    fn pictures() {
        for size in [(160, 50), (120, 36), (80, 24), (50, 16)] {
            let mut settings = insta::Settings::clone_current();
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.set_snapshot_path("snapshots");
            let name = format!("simulation-{}x{}", size.0, size.1);
            settings.bind(|| insta::assert_snapshot!(name, picture(&done(size))));
        }
    }

    #[test]
    fn every_size_and_state_is_drawn() {
        let mut lab = done((80, 24));
        let simulation = lab.simulation.take();
        for width in (0..170).step_by(7) {
            for height in (0..60).step_by(3) {
                lab.size = (width, height);
                lab.metric = usize::from(height) % Metric::ALL.len();
                for help in [Some(0), Some(100), None] {
                    lab.help = help;
                    lab.view = [View::Chart, View::Bars, View::Stretches][usize::from(width) % 3];
                    lab.simulation.clone_from(&simulation);
                    picture(&lab);
                    lab.simulation = None;
                    picture(&lab);
                }
            }
        }
    }

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, round) in [(0.0, 0.01), (0.29, 0.3), (1.0, 1.0), (14.9, 15.0), (153.0, 200.0)] {
            assert!((round_up(value) - round).abs() < 1e-9, "{value}");
        }
        assert_eq!([0.0, 0.005, 7.5, 15.0, 200.0].map(mark), ["0", "0.005", "7.5", "15", "200"]);
    }
}
