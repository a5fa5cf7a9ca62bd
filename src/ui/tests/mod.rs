//! Pictures of the screen at four sizes, and what must hold of every picture.

mod always;
mod picker;
mod pictures;
mod reordering;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::domain::bidi;

/// The sizes that the screen is designed for.
const SIZES: [(u16, u16); 4] = [(160, 50), (120, 36), (80, 24), (50, 16)];

/// The buffer of a frame.
fn frame(app: &App, theme: Theme) -> Buffer {
    let area = app.layout().area;
    let mut buffer = Buffer::empty(area);
    draw(app, theme, area, &mut buffer);
    buffer
}

/// The cells of a row that are drawn: what a wide character covers is left out.
fn cells(buffer: &Buffer, y: u16) -> impl Iterator<Item = (u16, &Cell)> {
    let mut covered = 0;
    (0..buffer.area.width).map(move |x| (x, &buffer[(x, y)])).filter(move |(_, cell)| {
        let drawn = covered == 0;
        covered = if drawn { cell.symbol().width().saturating_sub(1) } else { covered - 1 };
        drawn
    })
}

/// A row's text, without the marks that keep right-to-left texts in their columns: nobody sees them.
fn row(buffer: &Buffer, y: u16) -> String {
    cells(buffer, y).map(|(_, cell)| cell.symbol()).collect::<String>().replace(bidi::MARK, "")
}

/// The whole text.
fn text(buffer: &Buffer) -> String {
    (0..buffer.area.height).map(|y| row(buffer, y).trim_end().to_owned() + "\n").collect()
}

/// A letter for the style of a cell in the dark theme.
fn letter(cell: &Cell) -> char {
    match (cell.fg, cell.bg) {
        (_, Color::Indexed(24)) => 'D',
        (_, Color::Indexed(94)) => 'S',
        (_, Color::Indexed(213)) => 'A',
        (Color::Indexed(75), _) => 'd',
        (Color::Indexed(214), _) => 's',
        (Color::Indexed(213), _) => 'c',
        (Color::Indexed(203), _) => 'r',
        (Color::Indexed(114), _) => 'g',
        (Color::Indexed(221), _) => 'w',
        (Color::Indexed(159), _) => 'k',
        (Color::Indexed(_), _) => '-',
        _ if cell.modifier.contains(Modifier::REVERSED) => 'R',
        _ if cell.modifier.contains(Modifier::BOLD) => 'b',
        _ => ' ',
    }
}

/// Text and style layer. The style of each column is a letter below it: d device, s server, D and S words that only
/// that side has, c conflict, r refused, g good, w warning, k key, A alarm, b bold, R reversed, - dim; a row that is marked has
/// `>` in front of it, `)` where another pane has the keys.
fn picture(app: &App) -> String {
    let buffer = frame(app, Theme::Dark);
    let mut picture = text(&buffer);
    picture.push('\n');
    for y in 0..buffer.area.height {
        let grounds: Vec<Color> = cells(&buffer, y).map(|(_, cell)| cell.bg).collect();
        let mark = if grounds.contains(&Color::Indexed(237)) {
            '>'
        } else if grounds.contains(&Color::Indexed(235)) {
            ')'
        } else {
            ' '
        };
        let letters: String = cells(&buffer, y).map(|(_, cell)| letter(cell)).collect();
        picture.push_str(format!("{mark}{letters}").trim_end());
        picture.push('\n');
    }
    picture
}
