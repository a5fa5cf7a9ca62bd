//! Which parts of the screen there are at a size, and where. The state machine needs it to know how much can be
//! seen at once; the drawing draws into it.

use ratatui::layout::Rect;

/// Below this many columns the detail stacks.
pub const WIDE: u16 = 100;
/// Below this many columns one side is shown at a time.
pub const BOTH_SIDES: u16 = 60;
/// Below this many columns or rows nothing but a line is shown.
pub const SMALLEST: (u16, u16) = (20, 6);

/// The parts of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Everything.
    pub area: Rect,
    /// Who, where, how far apart: one to three rows.
    pub header: Rect,
    /// The frame around list and fields, or around what lies over them; its border included.
    pub frame: Rect,
    /// The rows of the list.
    pub list: Rect,
    /// The rows of the fields; where only one pane is shown the same place as the list.
    pub fields: Rect,
    /// What the last act did; no row where the screen is low.
    pub status: Rect,
    /// Whether both sides of the list are shown, rather than one at a time.
    pub both_sides: bool,
    /// Whether list and fields are shown, rather than one at a time.
    pub both_panes: bool,
    /// Whether the sides of a field stand side by side, rather than one over the other.
    pub wide: bool,
}

impl Layout {
    /// The parts at this size. `pairs` is how many rows the list would like to have.
    pub fn new(width: u16, height: u16, pairs: usize) -> Self {
        let area = Rect::new(0, 0, width, height);
        if width < SMALLEST.0 || height < SMALLEST.1 {
            return Self { area, ..Self::default() };
        }
        let wide = width >= WIDE;
        let header = match (wide, height) {
            (_, ..=8) => 1,
            (true, _) | (false, 9..=13) => 2,
            (false, _) => 3,
        };
        let status = u16::from(height >= 9);
        let frame = Rect::new(0, header, width, height - header - status);
        let both_sides = width >= BOTH_SIDES;
        let inner = Rect::new(1, frame.y + 1, width - 2, frame.height - 2);
        let both_panes = both_sides && inner.height >= 9;
        let mut layout = Self {
            area,
            header: Rect::new(0, 0, width, header),
            frame,
            list: inner,
            fields: inner,
            status: Rect::new(0, height - status, width, status),
            both_sides,
            both_panes,
            wide,
        };
        if both_panes {
            // One row is the border between the two.
            let rows = inner.height - 1;
            let most = if wide { rows * 45 / 100 } else { rows * 38 / 100 };
            let wanted = u16::try_from(pairs).unwrap_or(u16::MAX).max(4);
            layout.list.height = wanted.min(most.max(4));
            layout.fields.y = layout.list.bottom() + 1;
            layout.fields.height = rows - layout.list.height;
        }
        layout
    }

    /// Whether the screen is too small for any of this.
    pub const fn too_small(&self) -> bool {
        self.frame.height == 0
    }

    /// The place inside the frame, for what lies over the inspector.
    pub const fn inner(&self) -> Rect {
        let Rect { x, y, width, height } = self.frame;
        Rect { x: x + 1, y: y + 1, width: width.saturating_sub(2), height: height.saturating_sub(2) }
    }

    /// Inside the frame: the totals of a preview, its entries, and the marked entry in full.
    pub fn preview(&self) -> [Rect; 3] {
        let inner = self.inner();
        let totals = match inner.height {
            ..=7 => 1,
            8..=15 => 2,
            _ => 3,
        };
        let full = if inner.height < 8 { 0 } else { (inner.height / 3).max(3) };
        let entries = inner.height.saturating_sub(totals + full + u16::from(full > 0));
        [
            Rect { height: totals.min(inner.height), ..inner },
            Rect { y: inner.y + totals, height: entries, ..inner },
            Rect { y: inner.bottom() - full, height: full, ..inner },
        ]
    }

    /// Inside the frame: the names of the lanes, the steps, and what the marked step means.
    pub fn timeline(&self) -> [Rect; 3] {
        let inner = self.inner();
        let below = if inner.height < 8 { 0 } else { 3 };
        let steps = inner.height.saturating_sub(1 + below);
        let means = Rect { y: inner.bottom() - below, height: below, ..inner };
        [
            Rect { height: inner.height.min(1), ..inner },
            Rect { y: inner.y + inner.height.min(1), height: steps, ..inner },
            Rect { x: means.x + 1, width: means.width.saturating_sub(2), ..means },
        ]
    }

    /// Inside the frame: the totals of the conflict log, and its charts.
    pub fn history(&self) -> [Rect; 2] {
        let inner = self.inner();
        let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
        let totals = match (inner.width, inner.height) {
            (_, ..=7) => 1,
            (0..70, _) | (_, 8..=15) => 2,
            (70..120, _) => 3,
            (120.., _) => 2,
        };
        let totals = totals.min(inner.height);
        let rest = inner.height - totals;
        let gap = rest.min(1);
        [Rect { height: totals, ..inner }, Rect { y: inner.y + totals + gap, height: rest - gap, ..inner }]
    }

    /// Inside the frame: the names of the strategies, their rows, and what stands behind the marked cell.
    pub fn comparison(&self) -> [Rect; 3] {
        let inner = self.inner();
        let behind = if inner.height < 10 { 0 } else { (inner.height / 4).max(3) };
        let rows = inner.height.saturating_sub(1 + behind + u16::from(behind > 0));
        [
            Rect { height: inner.height.min(1), ..inner },
            Rect { y: inner.y + inner.height.min(1), height: rows, ..inner },
            Rect { y: inner.bottom() - behind, height: behind, ..inner },
        ]
    }

    /// The text of the editor inside the frame, and beside it, where there is room, what both sides say.
    pub fn editor(&self) -> [Rect; 2] {
        let below = self.diff();
        let sides = if self.wide { below.width * 2 / 5 } else { 0 };
        let text = Rect { width: below.width - sides, ..below };
        [text, Rect { x: text.right(), width: sides, ..below }]
    }

    /// A comparison inside the frame: everything but the row of headings.
    pub fn diff(&self) -> Rect {
        let inner = self.inner();
        Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner }
    }

    /// Columns for one side of a comparison, and whether the sides stand side by side.
    pub fn diff_columns(&self) -> (usize, bool) {
        let inner = usize::from(self.inner().width);
        // A glyph in front of each side, a border between the two, a column free at the end.
        if self.area.width >= 72 {
            ((inner.saturating_sub(1) / 2).saturating_sub(3), true)
        } else {
            (inner.saturating_sub(3).max(1), false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fit_at_every_size() {
        for width in 0..170 {
            for height in 0..60 {
                for pairs in [0, 1, 5, 100_000] {
                    let layout = Layout::new(width, height, pairs);
                    let inside = |part: Rect| part.union(layout.area) == layout.area || part.area() == 0;
                    for part in [layout.header, layout.frame, layout.list, layout.fields, layout.status] {
                        assert!(inside(part), "{width}x{height}: {layout:?}");
                    }
                    for part in layout
                        .preview()
                        .into_iter()
                        .chain(layout.timeline())
                        .chain(layout.history())
                        .chain(layout.comparison())
                        .chain(layout.editor())
                        .chain([layout.diff()])
                    {
                        assert!(inside(part), "{width}x{height}: {layout:?}");
                    }
                    if !layout.too_small() {
                        assert!(layout.list.height > 0 && layout.fields.height > 0, "{width}x{height}");
                        assert!(layout.diff_columns().0 > 0, "{width}x{height}");
                    }
                }
            }
        }
    }
}
