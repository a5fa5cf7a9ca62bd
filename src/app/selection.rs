//! A cursor in a list of which a part is visible. Always within the list, always visible.

use std::ops::Range;

/// Where the cursor stands and which part is visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    cursor: usize,
    scroll: usize,
    len: usize,
    height: usize,
}

impl Selection {
    /// The cursor's position; 0 in an empty list.
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    /// How many entries the list has.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the list has none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many entries can be seen at once; at least 1.
    pub fn height(&self) -> usize {
        self.height.max(1)
    }

    /// The entries that can be seen.
    pub fn visible(&self) -> Range<usize> {
        self.scroll..self.len.min(self.scroll + self.height())
    }

    /// The list has this many entries now.
    pub fn set_len(&mut self, len: usize) {
        self.len = len;
        self.clamp();
    }

    /// This many entries can be seen now.
    pub fn set_height(&mut self, height: usize) {
        if self.height == 0 {
            // Nothing was visible so far: begin at the top, as far as the cursor lets.
            self.scroll = 0;
        }
        self.height = height;
        self.clamp();
    }

    /// Puts the cursor on an entry, or on the last one.
    pub fn go(&mut self, to: usize) {
        self.cursor = to;
        self.clamp();
    }

    /// Moves the cursor by so many entries.
    pub fn by(&mut self, steps: isize) {
        self.go(self.cursor.saturating_add_signed(steps));
    }

    /// Scrolls by so many entries; the cursor follows only where it would leave the view.
    pub fn scroll_by(&mut self, steps: isize) {
        let last = self.len.saturating_sub(self.height());
        self.scroll = self.scroll.saturating_add_signed(steps).min(last);
        self.cursor = self.cursor.clamp(self.scroll, (self.scroll + self.height()).saturating_sub(1));
        self.clamp();
    }

    fn clamp(&mut self) {
        let height = self.height();
        self.cursor = self.cursor.min(self.len.saturating_sub(1));
        let last = self.len.saturating_sub(height);
        self.scroll = self.scroll.max((self.cursor + 1).saturating_sub(height)).min(self.cursor).min(last);
    }
}

/// A view that is scrolled without a cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    offset: usize,
    len: usize,
    height: usize,
}

impl Scroll {
    /// The rows that can be seen.
    pub fn visible(&self) -> Range<usize> {
        self.offset..self.len.min(self.offset + self.height.max(1))
    }

    /// The first row that can be seen.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// How many rows there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many rows can be seen at once; at least 1.
    pub fn height(&self) -> usize {
        self.height.max(1)
    }

    /// So many rows, of which so many can be seen.
    pub fn fit(&mut self, len: usize, height: usize) {
        (self.len, self.height) = (len, height);
        self.go(self.offset);
    }

    /// Scrolls by so many rows.
    pub fn by(&mut self, steps: isize) {
        self.go(self.offset.saturating_add_signed(steps));
    }

    /// Scrolls so that `row` is the first one, as far as there are rows below it.
    pub fn go(&mut self, row: usize) {
        self.offset = row.min(self.len.saturating_sub(self.height()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Len(usize),
        Height(usize),
        Go(usize),
        By(isize),
        Scroll(isize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..40usize).prop_map(Step::Len),
            (0..12usize).prop_map(Step::Height),
            any::<usize>().prop_map(Step::Go),
            any::<isize>().prop_map(Step::By),
            (-9..9isize).prop_map(Step::Scroll),
        ];
        prop::collection::vec(step, 0..30)
    }

    proptest! {
        #[test]
        fn the_cursor_is_in_the_list_and_visible_whatever_happens(steps in steps()) {
            let mut selection = Selection::default();
            for step in steps {
                match step {
                    Step::Len(len) => selection.set_len(len),
                    Step::Height(height) => selection.set_height(height),
                    Step::Go(to) => selection.go(to),
                    Step::By(by) => selection.by(by),
                    Step::Scroll(by) => selection.scroll_by(by),
                }
                let visible = selection.visible();
                prop_assert!(visible.len() <= selection.height());
                prop_assert!(visible.end <= selection.len());
                if selection.is_empty() {
                    prop_assert_eq!(selection.cursor(), 0);
                } else {
                    prop_assert!(visible.contains(&selection.cursor()));
                    prop_assert_eq!(visible.len(), selection.height().min(selection.len()));
                }
            }
        }
    }
}
