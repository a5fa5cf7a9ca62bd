//! A table of words and numbers: the first column to the left, the others to the right, two blanks between.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::domain::bidi;

/// Rows of cells; the first row is the heading.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub(super) fn new<T: Into<String>>(headings: impl IntoIterator<Item = T>) -> Self {
        Self { rows: vec![headings.into_iter().map(Into::into).map(kept_apart).collect()] }
    }

    /// One more row.
    pub(super) fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).map(kept_apart).collect());
    }

    /// Writes the rows, each indented by two blanks.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::from("  ");
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let blanks = " ".repeat(width - cell.width());
                if at == 0 {
                    line.push_str(cell);
                    line.push_str(&blanks);
                } else {
                    line.push_str("  ");
                    line.push_str(&blanks);
                    line.push_str(cell);
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Where a terminal reorders, a cell stays in its column.
fn kept_apart(cell: String) -> String {
    bidi::kept_apart(cell.into()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_under_their_headings() {
        let mut table = Table::new(["", "صبر", "long heading"]);
        table.row(["pushed", "1", "20"]);
        table.row(["x"]);
        let mut out = Vec::new();
        table.write(&mut out).expect("memory takes everything");
        let text = String::from_utf8(out).expect("UTF-8");
        assert_eq!(text, "          \u{200E}صبر\u{200E}  long heading\n  pushed    1            20\n  x\n");
    }
}
