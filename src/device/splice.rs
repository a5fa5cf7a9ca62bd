//! Changes to JSON text that leave every other byte where it was: items of arrays and members of objects are
//! replaced, removed and added, in the style of their neighbours.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

use crate::domain::json::{Json, Members};

/// A stretch of the text and what comes in its place.
pub(super) type Splice = (Range<usize>, String);

/// `text` with all of `splices`, which do not overlap.
pub(super) fn spliced(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|(range, _)| range.start);
    let added: usize = splices.iter().map(|(_, with)| with.len()).sum();
    let mut result = String::with_capacity(text.len() + added);
    let mut kept_to = 0;
    for (range, with) in splices {
        result.push_str(&text[kept_to..range.start]);
        result.push_str(&with);
        kept_to = range.end;
    }
    result.push_str(&text[kept_to..]);
    result
}

/// The items of one array, or the members of one object, and what becomes of them.
pub(super) struct Items<'t> {
    text: &'t str,
    /// Between the brackets.
    inside: Range<usize>,
    list: Vec<Item<'t>>,
    replaced: Vec<Splice>,
    added: Vec<String>,
}

struct Item<'t> {
    /// Empty in an array.
    name: Cow<'t, str>,
    /// From the name's quote, or the value's first byte, to the value's end.
    whole: Range<usize>,
    value: &'t str,
    removed: bool,
}

impl<'t> Items<'t> {
    /// The array `value`, which is a stretch of `text`; `None` where it is something else.
    pub(super) fn of_array(text: &'t str, value: &'t str) -> Option<Self> {
        let items: Vec<&RawValue> = serde_json::from_str(value).ok()?;
        Self::new(text, value, items.into_iter().map(|item| (Cow::Borrowed(""), item)))
    }

    /// The object `value`, which is a stretch of `text`; `None` where it is something else.
    pub(super) fn of_object(text: &'t str, value: &'t str) -> Option<Self> {
        let members: Members = serde_json::from_str(value).ok()?;
        Self::new(text, value, members.list.into_iter())
    }

    fn new(
        text: &'t str,
        value: &'t str,
        list: impl Iterator<Item = (Cow<'t, str>, &'t RawValue)>,
    ) -> Option<Self> {
        let Range { start, end } = place(text, value)?;
        let inside = start + 1..end.checked_sub(1)?;
        let mut items: Vec<Item> = Vec::with_capacity(list.size_hint().0);
        let mut before = inside.start;
        for (name, value) in list {
            let end = place(text, value.get())?.end;
            let gap = text.get(before..end)?.trim_start_matches([',', ' ', '\t', '\n', '\r']);
            items.push(Item { name, whole: end - gap.len()..end, value: value.get(), removed: false });
            before = end;
        }
        Some(Self { text, inside, list: items, replaced: Vec::new(), added: Vec::new() })
    }

    /// The values' text, in the order of the document.
    pub(super) fn values(&self) -> impl Iterator<Item = &'t str> {
        self.list.iter().map(|item| item.value)
    }

    /// The text of a member's value.
    pub(super) fn member(&self, name: &str) -> Option<&'t str> {
        self.list.iter().find(|item| item.name == name).map(|item| item.value)
    }

    /// Takes the item at `index` out, with its comma.
    pub(super) fn remove(&mut self, index: usize) {
        if let Some(item) = self.list.get_mut(index) {
            item.removed = true;
        }
    }

    /// Adds an item behind the last.
    pub(super) fn add(&mut self, item: String) {
        self.added.push(item);
    }

    /// Gives a member a value, adding the member where it is missing; `None` takes it out.
    pub(super) fn set(&mut self, name: &str, value: Option<String>) {
        let found = self.list.iter_mut().find(|item| item.name == name);
        match (found, value) {
            (Some(item), Some(value)) => {
                self.replaced.push((item.whole.end - item.value.len()..item.whole.end, value));
            }
            (Some(item), None) => item.removed = true,
            (None, Some(value)) => {
                let colon = self.colon();
                self.added.push(format!("{}{colon}{value}", Json::string(name).to_text()));
            }
            (None, None) => {}
        }
    }

    /// What all of that does to the text.
    pub(super) fn into_splices(self) -> Vec<Splice> {
        let Some(first_kept) = self.list.iter().position(|item| !item.removed) else {
            return self.refilled();
        };
        let mut splices = Vec::new();
        if let (Some(first), Some(kept)) = (self.list.first(), self.list.get(first_kept))
            && first_kept > 0
        {
            splices.push((first.whole.start..kept.whole.start, String::new()));
        }
        for pair in self.list.get(first_kept..).unwrap_or_default().windows(2) {
            if let [before, item] = pair
                && item.removed
            {
                splices.push((before.whole.end..item.whole.end, String::new()));
            }
        }
        if let Some(last) = self.list.last()
            && !self.added.is_empty()
        {
            let comma = self.comma();
            let added = self.added.iter().flat_map(|item| [comma.as_str(), item.as_str()]).collect();
            splices.push((last.whole.end..last.whole.end, added));
        }
        splices.extend(self.replaced);
        splices
    }

    /// Nothing of what was there stays.
    fn refilled(self) -> Vec<Splice> {
        let inside = self.inside.clone();
        let (lead, trail) = match (self.list.first(), self.list.last(), self.added.is_empty()) {
            (Some(first), Some(last), false) => {
                (&self.text[inside.start..first.whole.start], &self.text[last.whole.end..inside.end])
            }
            (None, None, true) => return Vec::new(),
            _ => ("", ""),
        };
        vec![(inside, format!("{lead}{}{trail}", self.added.join(&self.comma())))]
    }

    /// What stands between two items here.
    fn comma(&self) -> String {
        match self.list.as_slice() {
            [.., before, last] => self.text[before.whole.end..last.whole.start].to_owned(),
            [only] => format!(",{}", &self.text[self.inside.start..only.whole.start]),
            [] => String::from(","),
        }
    }

    /// What stands between a name and its value here.
    fn colon(&self) -> &'t str {
        let Some(item) = self.list.first() else { return ":" };
        let named = &self.text[item.whole.start..item.whole.end - item.value.len()];
        let name = named.trim_end().strip_suffix(':').unwrap_or(named).trim_end();
        &named[name.len()..]
    }
}

/// Where `part`, a stretch of `text`, stands in it.
fn place(text: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (text.get(start..end)? == part).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, edit: impl FnOnce(&mut Items<'_>)) -> String {
        let value = text.trim();
        let mut items =
            Items::of_array(text, value).or_else(|| Items::of_object(text, value)).expect("a list");
        edit(&mut items);
        spliced(text, items.into_splices())
    }

    #[test]
    fn items_go_with_their_commas() {
        let text = " [ 1 , [2],\n3 ]\n";
        for (gone, left) in [
            (&[][..], " [ 1 , [2],\n3 ]\n"),
            (&[0][..], " [ [2],\n3 ]\n"),
            (&[1][..], " [ 1,\n3 ]\n"),
            (&[2][..], " [ 1 , [2] ]\n"),
            (&[0, 1][..], " [ 3 ]\n"),
            (&[0, 2][..], " [ [2] ]\n"),
            (&[1, 2][..], " [ 1 ]\n"),
            (&[0, 1, 2][..], " []\n"),
        ] {
            assert_eq!(edited(text, |items| gone.iter().for_each(|at| items.remove(*at))), left, "{gone:?}");
        }
    }

    #[test]
    fn items_are_added_in_the_style_of_the_list() {
        for (text, more) in [
            ("[]", "[8,9]"),
            ("[ 1 ]", "[ 1, 8, 9 ]"),
            ("[1,2]", "[1,2,8,9]"),
            ("[\n  1,\n  2\n]", "[\n  1,\n  2,\n  8,\n  9\n]"),
        ] {
            assert_eq!(edited(text, |items| ["8", "9"].iter().for_each(|n| items.add((*n).into()))), more);
        }
    }

    #[test]
    fn removing_and_adding_go_together() {
        let all = |items: &mut Items<'_>| (0..2).for_each(|at| items.remove(at));
        assert_eq!(edited("[\n 1,\n 2\n]", |items| (all(items), items.add("3".into())).1), "[\n 3\n]");
        let last = |items: &mut Items<'_>| (items.remove(1), items.add("3".into())).1;
        assert_eq!(edited("[1, 2]", last), "[1, 3]");
    }

    #[test]
    fn members_are_set_in_the_style_of_the_object() {
        let text = r#"{ "a" : 1, "b\n" : [ 2 ] }"#;
        assert_eq!(edited(text, |o| o.set("a", Some("3".into()))), r#"{ "a" : 3, "b\n" : [ 2 ] }"#);
        assert_eq!(edited(text, |o| o.set("b\n", None)), r#"{ "a" : 1 }"#);
        assert_eq!(edited(text, |o| o.set("a", None)), r#"{ "b\n" : [ 2 ] }"#);
        assert_eq!(
            edited(text, |o| o.set("c\"", Some("3".into()))),
            r#"{ "a" : 1, "b\n" : [ 2 ], "c\"" : 3 }"#
        );
        assert_eq!(edited("{}", |o| o.set("c", Some("3".into()))), r#"{"c":3}"#);
        assert_eq!(edited("{}", |o| o.set("c", None)), "{}");
    }
}
