//! The loss ledger by weight: one line for each thing that somebody would miss, and under it what went with it. A
//! lost resource is one line, a lost deletion is one, and so is each text, name, list or place; flags, kinds and
//! bookkeeping stand under the line they belong to. Whoever counts losses counts these lines.

use super::json::Json;
use super::mutation::{Kind, Op, Side};
use super::naming;
use super::settle::Loss;

/// One line of the ledger; positions in the list of losses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What is lost.
    pub at: usize,
    /// What went with it.
    pub under: Vec<usize>,
}

impl Line {
    /// All the losses of the line, the line's own first.
    pub fn all<'l>(&self, ledger: &'l [Loss]) -> impl Iterator<Item = &'l Loss> {
        std::iter::once(&self.at).chain(&self.under).filter_map(|at| ledger.get(*at))
    }
}

/// The lines of a ledger, in its order: resource by resource, and in each the device's before the server's.
pub fn lines(ledger: &[Loss]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for run in ledger.chunk_by(|one, next| one.by == next.by) {
        let all = start..start + run.len();
        start += run.len();
        // What goes over another resource stands among what is lost of the one for whose sake it goes.
        let mut seen: Vec<(&Kind, &str)> = Vec::new();
        for loss in run {
            let resource = (&loss.kind, loss.key.as_str());
            if seen.contains(&resource) {
                continue;
            }
            seen.push(resource);
            for side in [Side::Device, Side::Server] {
                let of_it = all.clone().filter(|at| {
                    let other = &ledger[*at];
                    other.side == side && (&other.kind, other.key.as_str()) == resource
                });
                lines_of(ledger, of_it, &mut lines);
            }
        }
    }
    lines
}

/// How many lines a side has.
pub fn count(ledger: &[Loss], side: Side) -> usize {
    lines(ledger).iter().filter(|line| ledger[line.at].side == side).count()
}

fn lines_of(ledger: &[Loss], losses: impl Iterator<Item = usize>, lines: &mut Vec<Line>) {
    let (mut whole, mut content, mut details) = (None, Vec::new(), Vec::new());
    for at in losses {
        match Weight::of(&ledger[at]) {
            Weight::Deletion => lines.push(Line { at, under: Vec::new() }),
            Weight::Whole if whole.is_none() => whole = Some(at),
            Weight::Content => content.push(at),
            Weight::Whole | Weight::Detail => details.push(at),
        }
    }
    if let Some(at) = whole {
        content.extend(details);
        lines.push(Line { at, under: content });
        return;
    }
    if content.is_empty() && !details.is_empty() {
        content.push(details.remove(0));
    }
    let first = lines.len();
    lines.extend(content.into_iter().map(|at| Line { at, under: Vec::new() }));
    if let Some(line) = lines.get_mut(first) {
        line.under = details;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Deletion,
    Whole,
    Content,
    Detail,
}

impl Weight {
    fn of(loss: &Loss) -> Self {
        if loss.path.is_existence() {
            let deletes = loss.value.as_str() == Some(Op::Delete.wire());
            return if deletes { Self::Deletion } else { Self::Whole };
        }
        Self::of_value(&loss.kind, loss.path.as_str(), &loss.value)
    }

    fn of_value(kind: &Kind, path: &str, value: &Json) -> Self {
        let flag = matches!(
            path,
            "/type" | "/bookmarkType" | "/mushaf" | "/mushafId" | "/isDefault" | "/source" | "/slug"
        );
        // What the server adds by itself holds nothing: no attached entities, for instance.
        let empty = match value {
            Json::Null => true,
            Json::Array(items) => items.is_empty(),
            Json::Object(members) => members.is_empty(),
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Opaque(_) => false,
        };
        let own = matches!(path, "/body" | "/ranges" | "/name" | "/isReading" | "/collectionId");
        match (kind, value) {
            _ if own => Self::Content,
            (Kind::Bookmark | Kind::Collection | Kind::Link | Kind::Note | Kind::ReadingSession, _)
                if empty =>
            {
                Self::Detail
            }
            (Kind::Bookmark | Kind::Collection | Kind::Link | Kind::Note | Kind::ReadingSession, _)
                if flag =>
            {
                Self::Detail
            }
            // What somebody wrote may stand in any member that this version does not know, but not in a switch.
            (
                Kind::Bookmark | Kind::Collection | Kind::Link | Kind::Note | Kind::ReadingSession,
                Json::Bool(_),
            ) => Self::Detail,
            (
                Kind::Bookmark
                | Kind::Collection
                | Kind::Link
                | Kind::Note
                | Kind::ReadingSession
                | Kind::Other(_),
                _,
            ) => Self::Content,
        }
    }
}

/// Whether a field holds what somebody would miss, and not a flag, a kind or something that follows from the rest.
pub fn is_content(kind: &Kind, path: &str, value: &Json) -> bool {
    Weight::of_value(kind, path, value) == Weight::Content
}

impl Loss {
    /// What is lost: `whole note`, `deletion`, or the field's name.
    pub fn what(&self) -> String {
        match Weight::of(self) {
            Weight::Deletion => String::from("deletion"),
            Weight::Whole => format!("whole {}", naming::noun(&self.kind)),
            Weight::Content | Weight::Detail => self.path.label(),
        }
    }

    /// The lost value as a person reads it.
    pub fn words(&self) -> String {
        match Weight::of(self) {
            Weight::Deletion => String::from("the deletion"),
            Weight::Whole => format!("the {} as a whole", naming::noun(&self.kind)),
            Weight::Content | Weight::Detail => naming::value_words(&self.value),
        }
    }

    /// What the resource is called.
    pub fn label(&self) -> String {
        naming::labelled(&self.kind, &self.title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::FieldPath;
    use crate::testing::inspection;

    fn ledger(kind: &Kind, losses: &[(&str, Side, &str)]) -> Vec<Loss> {
        let any = inspection(r#"{"queue": [{"id": "q", "type": "DELETE", "resource": "NOTE"}]}"#, "[]");
        let pair = any.ids().next().expect("one pair").0;
        let loss = |(path, side, value): &(&str, Side, &str)| Loss {
            pair,
            kind: kind.clone(),
            key: String::from("id:x"),
            title: String::from("x"),
            path: FieldPath::from_text(path),
            side: *side,
            value: Json::parse(value),
            reason: "chosen",
            by: pair,
        };
        losses.iter().map(loss).collect()
    }

    fn told(kind: &Kind, losses: &[(&str, Side, &str)]) -> Vec<(String, usize)> {
        let ledger = ledger(kind, losses);
        lines(&ledger).iter().map(|line| (ledger[line.at].what(), line.under.len())).collect()
    }

    #[test]
    fn a_lost_resource_is_one_line_whatever_it_held() {
        let (device, server) = (Side::Device, Side::Server);
        let whole = [
            ("", device, r#""CREATE""#),
            ("/body", device, r#""a""#),
            ("/ranges", device, r#"["1:1-1:1"]"#),
            ("/source", device, r#""web""#),
        ];
        assert_eq!(told(&Kind::Note, &whole), [("whole note".into(), 3)]);
        assert_eq!(told(&Kind::Note, &[("", device, r#""DELETE""#)]), [("deletion".into(), 0)]);
        let fields = [
            ("/type", device, r#""page""#),
            ("/key+verseNumber", device, r#"{"key":2}"#),
            ("/isReading", server, "true"),
            ("/mushaf", server, "1"),
        ];
        let lines = told(&Kind::Bookmark, &fields);
        assert_eq!(lines, [("position".into(), 1), ("isReading".into(), 1)]);
        // Nothing is lost without a line.
        assert_eq!(told(&Kind::Bookmark, &[("/mushaf", server, "1")]), [("mushaf".into(), 0)]);
        assert_eq!(told(&Kind::Other("TAG".into()), &[("/on", device, "true")]), [("on".into(), 0)]);
    }

    #[test]
    fn every_loss_stands_on_one_line_or_under_one() {
        let losses = [
            ("", Side::Device, r#""UPDATE""#),
            ("", Side::Server, r#""DELETE""#),
            ("/name", Side::Device, r#""a""#),
            ("/name", Side::Server, r#""b""#),
            ("/isDefault", Side::Server, "true"),
        ];
        let ledger = ledger(&Kind::Collection, &losses);
        let lines = lines(&ledger);
        let mut seen: Vec<usize> =
            lines.iter().flat_map(|line| std::iter::once(line.at).chain(line.under.clone())).collect();
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        assert_eq!((count(&ledger, Side::Device), count(&ledger, Side::Server)), (1, 2));
        assert!(lines.iter().all(|line| line.all(&ledger).all(|l| l.side == ledger[line.at].side)));
    }
}
