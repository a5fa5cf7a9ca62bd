//! The conflict log in charts: by day, what syncing more often would have avoided, and who, what, why. Every number is
//! written beside its bar, so that nothing is told by colour or length alone.

use ratatui::layout::{Direction, Rect};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Bar, BarChart, BarGroup, Chart, Dataset, GraphType};

use super::canvas::Canvas;
use super::footer::grouped;
use super::pages::frame;
use super::theme::{Ink, look};
use super::{Target, pages};
use crate::app::{self, App, History, Page, Part, Rank, Said, share, words_rows};
use crate::conflict_log::event::{date, day};
use crate::conflict_log::summary::{Count, INTERVALS, Summary};
use crate::domain::duration::duration;
use crate::domain::mutation::Side;
use crate::domain::safe_text;

/// Draws the view into the frame.
pub fn draw(canvas: &mut Canvas, app: &App, history: &History) {
    frame(canvas, app, &title(history));
    let [totals, charts] = app.layout().history();
    canvas.region(app.layout().inner(), Target::Overlay);
    let Some(Said::Told { summary, .. }) = &history.said else {
        return sentence(canvas, app, history.sentence().as_deref().unwrap_or_default());
    };
    let told = words_rows(&History::totals(summary).join(" · "), totals.width);
    for (y, row) in (totals.y..totals.bottom()).zip(told) {
        canvas.words(totals.x, y, totals.width, &row, Ink::Strong);
    }
    let today = day(app.now().0);
    let pages = app::pages(charts);
    for (part, place) in pages.get(history.page.offset()).into_iter().flatten() {
        match part {
            Part::Days => days(canvas, *place, summary, (first_day(history, summary, today), today)),
            Part::Intervals => intervals(canvas, *place, summary),
            Part::Kinds => list(canvas, *place, "by kind", (&summary.kinds, summary.conflicts), |_| None),
            Part::Causes => {
                list(
                    canvas,
                    *place,
                    "by cause; one may have more",
                    (&summary.causes, summary.conflicts),
                    |_| None,
                );
            }
            Part::Choices => {
                let of = (&summary.choices[..], summary.resolved);
                list(canvas, *place, "what was chosen of the settled", of, side_of);
            }
            Part::Strategies => {
                let of = (&summary.strategies[..], summary.resolved);
                list(canvas, *place, "who or what chose it", of, |_| None);
            }
            Part::Shapes => {
                let of = (&summary.shapes[..], summary.conflicts);
                list(canvas, *place, "what was done: device/server", of, |_| None);
            }
            Part::Devices => {
                list(canvas, *place, "by device", (&summary.devices, summary.conflicts), |_| None);
            }
        }
    }
}

fn title(history: &History) -> String {
    let demos = matches!(history.said, Some(Said::Told { demos: true, .. }));
    let of = if demos { " of demos" } else { "" };
    let whose = if history.team { "the team's " } else { "" };
    let days = history.days().map_or_else(|| String::from("all of it"), |days| format!("last {days} days"));
    let pages = match history.pages() {
        0 | 1 => String::new(),
        pages => format!(" · {} of {pages}", history.page.offset() + 1),
    };
    let reading = if history.job.is_some() { " …" } else { "" };
    format!("{whose}conflict log{of} · {days}{pages}{reading}")
}

fn sentence(canvas: &mut Canvas, app: &App, text: &str) {
    let inner = app.layout().inner();
    let mut page = Page::default();
    page.push(Rank::Text, text);
    page.fit(usize::from(inner.width.saturating_sub(2)), usize::from(inner.height));
    pages::prose(canvas, inner, &page);
}

/// Which side a choice names.
fn side_of(choice: &str) -> Option<Side> {
    [Side::Device, Side::Server].into_iter().find(|side| side.name() == choice)
}

fn first_day(history: &History, summary: &Summary, today: i64) -> i64 {
    let first = summary.days.first().map_or(today, |(day, _)| *day);
    history.days().map_or(first, |days| (today - i64::from(days)).min(first))
}

/// Conflicts by day, those without any as well.
fn days(canvas: &mut Canvas, area: Rect, summary: &Summary, (from, today): (i64, i64)) {
    let last = summary.days.last().map_or(today, |(day, _)| today.max(*day));
    let most_digits = 6;
    let plot = Rect {
        x: area.x + most_digits + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(most_digits + 1),
        height: area.height.saturating_sub(3),
    };
    let all = last.abs_diff(from).saturating_add(1);
    let columns = u64::from(plot.width.max(1));
    let each = all.div_ceil(columns);
    let mut counts = vec![0_u64; usize::try_from(all.div_ceil(each)).unwrap_or(1)];
    for (day, count) in &summary.days {
        let at = usize::try_from(day.abs_diff(from) / each).unwrap_or(usize::MAX);
        if let Some(sum) = counts.get_mut(at) {
            *sum = sum.saturating_add(*count);
        }
    }
    let title = match each {
        1 => String::from("conflicts a day (UTC)"),
        each => format!("conflicts in {} days a column (UTC)", grouped_u64(each)),
    };
    canvas.words(area.x, area.y, area.width, &title, Ink::Title);
    if plot.is_empty() {
        return;
    }
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    for (y, label) in [(plot.y, grouped_u64(most)), (plot.bottom() - 1, String::from("0"))] {
        if y > plot.y || label != "0" {
            right(canvas, area.x, y, most_digits, &label);
        }
    }
    for y in plot.y..plot.bottom() {
        canvas.joint(plot.x - 1, y, "│");
    }
    let bars = u16::try_from(counts.len()).unwrap_or(u16::MAX).max(1);
    let room = plot.width / bars;
    // Where there is room, a column between two.
    let (width, gap) = if room >= 3 { ((room - 1).min(9), 1) } else { (room.max(1), 0) };
    let style = canvas.style(Ink::Conflict);
    let bars: Vec<Bar<'_>> =
        counts.iter().map(|count| Bar::default().value(*count).text_value("").style(style)).collect();
    let chart =
        BarChart::default().data(BarGroup::default().bars(&bars)).bar_width(width).bar_gap(gap).max(most);
    canvas.widget(plot, chart);
    canvas.line(plot.x - 1, plot.bottom(), plot.width + 1, ["└", "─"]);
    let used = u16::try_from(counts.len()).unwrap_or(u16::MAX).saturating_mul(width + gap).min(plot.width);
    let (begin, end) = (date(from), date(last));
    let y = plot.bottom() + 1;
    if y < area.bottom() {
        canvas.words(plot.x, y, plot.width, &begin, Ink::Dim);
        let (x, length) = (plot.x + used.max(24).min(plot.width), columns_of(&end));
        if from != last && plot.width >= 22 {
            canvas.words(x.saturating_sub(length), y, length, &end, Ink::Dim);
        }
    }
}

/// What syncing more often would have avoided.
fn intervals(canvas: &mut Canvas, area: Rect, summary: &Summary) {
    // Of a chart that is low ratatui leaves the titles of the axes out, so both stand here.
    let title = "% avoided with a sync every …";
    canvas.words(area.x, area.y, area.width, title, Ink::Title);
    if summary.gaps == 0 {
        canvas.words(area.x, area.y + 1, area.width, "of no conflict both times are known", Ink::Dim);
        return;
    }
    let told = format!(
        "{} Of {} whose two times are known.",
        History::advice(summary).unwrap_or_default(),
        app::count(usize::try_from(summary.gaps).unwrap_or(usize::MAX), "conflict")
    );
    let rows = words_rows(&told, area.width);
    let below = u16::try_from(rows.len()).unwrap_or(u16::MAX).min(area.height / 3).max(1);
    let plot = Rect { y: area.y + 1, height: area.height.saturating_sub(1 + below), ..area };
    let points: Vec<(f64, f64)> = (0_u32..)
        .zip(&summary.intervals)
        .map(|(at, interval)| (f64::from(at), interval.avoided as f64 * 100.0 / summary.gaps as f64))
        .collect();
    let step = if area.width >= 48 { 2 } else { 5 };
    let labels = INTERVALS.iter().step_by(step).map(|every| duration(every.unsigned_abs()));
    let labels: Vec<Line<'_>> = labels.map(Line::from).collect();
    let dim = canvas.style(Ink::Dim);
    let x = Axis::default().bounds([0.0, INTERVALS.len().saturating_sub(1) as f64]).labels(labels).style(dim);
    let y = Axis::default().bounds([0.0, 100.0]).labels(["0", "50", "100"]).style(dim);
    let line = Dataset::default()
        .data(&points)
        .marker(Marker::Braille)
        .graph_type(GraphType::Line)
        .style(canvas.style(Ink::Good));
    canvas.widget(plot, Chart::new(vec![line]).x_axis(x).y_axis(y).style(canvas.style(Ink::Text)));
    for (y, row) in (plot.bottom()..area.bottom()).zip(rows) {
        canvas.words(area.x, y, area.width, &row, Ink::Text);
    }
}

/// Values, the most frequent first: name, bar, how often, which share of `of`.
fn list(
    canvas: &mut Canvas,
    area: Rect,
    title: &str,
    (counts, of): (&[Count], u64),
    side: impl Fn(&str) -> Option<Side>,
) {
    canvas.words(area.x, area.y, area.width, title, Ink::Title);
    let rows = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let room = usize::from(rows.height);
    let shown = if counts.len() > room { room.saturating_sub(1) } else { counts.len() };
    if counts.is_empty() {
        canvas.words(rows.x, rows.y, rows.width, "none yet", Ink::Dim);
    }
    let counts_shown = &counts[..shown];
    let numbers: Vec<String> = counts_shown
        .iter()
        .map(|count| {
            let share = share(count.count, of).unwrap_or_default();
            format!("{} {share:>7}", grouped_u64(count.count))
        })
        .collect();
    let numbers_width = numbers.iter().map(|number| columns_of(number)).max().unwrap_or_default();
    let glyph = |value: &str| if side(value).is_some() { 2 } else { 0 };
    let names =
        counts_shown.iter().map(|count| safe_text::width(&count.value) + glyph(&count.value) + 1).max();
    let names = u16::try_from(names.unwrap_or_default()).unwrap_or(u16::MAX);
    // A bar needs some columns; names may have the rest.
    let least = if area.width < 45 { 5 } else { 14 };
    let names = names.min(area.width.saturating_sub(numbers_width + least).max(area.width / 3));
    let bar =
        Rect { x: rows.x + names + 1, width: rows.width.saturating_sub(names + numbers_width + 2), ..rows };
    let most = counts.first().map_or(1, |count| count.count).max(1);
    let mut bars = Vec::new();
    for ((y, count), number) in (rows.y..rows.bottom()).zip(counts_shown).zip(&numbers) {
        let (glyph, ink) = match side(&count.value).map(look) {
            Some(look) => (look.glyph, look.ink),
            None => ("", Ink::Text),
        };
        let used = if glyph.is_empty() { 0 } else { canvas.words(rows.x, y, 1, glyph, ink) + 1 };
        canvas.data(rows.x + used, y, names.saturating_sub(used), &count.value, ink);
        right(canvas, rows.right().saturating_sub(numbers_width), y, numbers_width, number);
        let bar_ink = if glyph.is_empty() { Ink::Conflict } else { ink };
        bars.push(Bar::default().value(count.count).text_value("").style(canvas.style(bar_ink)));
    }
    let chart = BarChart::default()
        .direction(Direction::Horizontal)
        .data(BarGroup::default().bars(&bars))
        .bar_width(1)
        .bar_gap(0)
        .max(most);
    canvas.widget(Rect { height: u16::try_from(shown).unwrap_or(u16::MAX).min(bar.height), ..bar }, chart);
    if shown < counts.len() && room > 0 {
        let more = format!("{} more: unstick log", grouped(counts.len() - shown));
        canvas.words(rows.x, rows.bottom() - 1, rows.width, &more, Ink::Dim);
    }
}

/// Words that end at the last of `room` columns.
fn right(canvas: &mut Canvas, x: u16, y: u16, room: u16, text: &str) {
    let width = columns_of(text).min(room);
    canvas.words(x + room - width, y, width, text, Ink::Text);
}

fn columns_of(text: &str) -> u16 {
    u16::try_from(text.chars().count()).unwrap_or(u16::MAX)
}

fn grouped_u64(number: u64) -> String {
    grouped(usize::try_from(number).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;

    use super::*;
    use crate::app::tests::history::{summary, told};
    use crate::app::tests::play;
    use crate::ui::{Theme, draw};

    fn picture(app: &App, theme: Theme) -> String {
        let area = app.layout().area;
        let mut buffer = Buffer::empty(area);
        draw(app, theme, area, &mut buffer);
        let rows = (0..area.height)
            .map(|y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>() + "\n");
        rows.collect()
    }

    /// Everything that all pages show.
    fn pictures(size: (u16, u16), theme: Theme) -> String {
        let mut app = told(size, Said::of(summary(), false));
        let pages = app.history().map_or(0, History::pages);
        let mut all = picture(&app, theme);
        for _ in 1..pages {
            play(&mut app, "n");
            all.push_str(&picture(&app, theme));
        }
        all
    }

    #[test]
    fn every_chart_names_its_axes_and_units_at_every_size_also_without_colour() {
        for size in [(160, 50), (120, 36), (80, 24), (50, 16)] {
            let all = pictures(size, Theme::Plain);
            assert_eq!(all, pictures(size, Theme::Dark), "colour tells nothing that words do not");
            // Sentences go on in the next row.
            let all = all.replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
            for words in [
                "64 conflicts, 48 settled",
                "409 rate: 15.0 % (6 of 40 POSTs)",
                "median to settle: 2 h 5 min",
                "(UTC)",
                "% avoided with a sync every …",
                "1 min",
                "7 d",
                "To avoid 80 %: a sync at least",
                "27 min.",
                "Of 58",
                "by kind",
                "57.8 %",
                "concurrent-mutations",
                "d device",
                "47.9 %",
                "by device",
                "who or what chose it",
                "hand",
                "what was done: device/server",
                "update/delete",
                "tablet-b",
            ] {
                assert!(all.contains(words), "{size:?}: {words}\n{all}");
            }
        }
    }

    #[test]
    fn whose_log_it_is_stands_above_it() {
        let mut app = told((120, 36), Said::of(summary(), false));
        assert!(!picture(&app, Theme::Plain).contains("the team's conflict log"));
        play(&mut app, "T");
        let asked = picture(&app, Theme::Plain);
        assert!(asked.contains("the team's conflict log") && asked.contains("being read"), "{asked}");
        assert!(!asked.contains("64 conflicts"), "{asked}");
    }

    #[test]
    fn a_bar_is_as_long_as_its_count() {
        let app = told((160, 50), Said::of(summary(), false));
        let all = picture(&app, Theme::Plain);
        let bar = |name: &str| {
            let line = all.lines().find(|line| line.contains(name)).expect("a row");
            let (_, rest) = line.split_once(name).expect("a row");
            rest.chars().skip_while(|c| *c == ' ').take_while(|c| "█▏▎▍▌▋▊▉".contains(*c)).count()
        };
        assert!(bar("NOTE") > bar("COLLECTION") && bar("COLLECTION") > bar("BOOKMARK"), "{all}");
    }

    #[test]
    fn days_from_any_time_are_drawn() {
        for days in [vec![(i64::MIN, 1), (i64::MAX, 2)], vec![(0, u64::MAX), (1, 7)], vec![(1_000_000, 3)]] {
            for size in [(160, 50), (80, 24), (50, 16), (24, 8)] {
                let odd = Summary { days: days.clone(), ..summary() };
                picture(&told(size, Said::of(odd, true)), Theme::Dark);
            }
        }
    }
}
