//! The report as Markdown, to be pasted into a ticket. Nothing that people or servers wrote is taken for markup:
//! short texts stand in code spans, long ones in fences that are longer than any within.

use std::io::{self, Write};

use super::account::{Ended, Failed};
use super::human::count;
use super::push::{Report, by, recorded};
use super::redact::{Value, Values};
use crate::domain::bidi;
use crate::domain::field::FieldPath;
use crate::domain::json::Json;
use crate::domain::ledger::{self, Line};
use crate::domain::mutation::{Kind, QueueId, ResourceId};
use crate::domain::push::{Answer, Carried, Decision, Difference, Exchange, Quarantined};
use crate::domain::settle::Loss;
use crate::domain::{naming, safe_text};

/// Texts longer than this stand in a block of their own, characters.
const SHORT: usize = 80;

/// Writes the report.
pub(super) fn write(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut page = Page { values: report.values, text: String::new() };
    page.report(report);
    out.write_all(page.text.as_bytes())
}

struct Page<'a> {
    values: &'a Values,
    text: String,
}

impl Page<'_> {
    fn report(&mut self, report: &Report<'_>) {
        let subject = &report.account.subject;
        let device = report.device();
        self.line(&format!("# Sync of {}", code(device.name())));
        self.line("");
        let none = || String::from("none");
        let id = |id: &Option<String>| id.as_deref().map_or_else(none, code);
        self.item(&format!("device: {}, user: {}", id(&device.id), id(&device.user)));
        self.item(&format!("device file: {}", code(&subject.file.display().to_string())));
        self.item(&format!("server: {}", code(&subject.server)));
        self.item(&format!("began: {}", subject.began.to_iso()));
        let cursor = subject.cursor.map_or_else(none, |cursor| cursor.to_string());
        self.item(&format!("cursor before: {cursor}, queued: {}", subject.queued));
        self.item(&format!(
            "exit code: {}, unstick {}",
            report.account.exit.code(),
            env!("CARGO_PKG_VERSION")
        ));
        if self.values.are_redacted() {
            self.item(
                "values are replaced by their length and a hash; equal values have equal hashes within this report, and no other report has the same",
            );
        }
        for warning in &subject.warnings {
            self.item(&format!("to mind: {}", code(warning)));
        }
        match &report.account.result {
            Err(failed) => self.failed(failed),
            Ok(ended) => self.ended(report, ended),
        }
    }

    fn failed(&mut self, failed: &Failed) {
        self.heading("Nothing was sent");
        let what = self.values.text(&failed.what);
        self.item(&code(&what));
        if let Some(id) = &failed.request_id {
            self.item(&format!("request: {}", code(id)));
        }
        self.item(&format!("next: {}", code(&failed.next)));
    }

    fn ended(&mut self, report: &Report<'_>, ended: &Ended) {
        self.heading("Why it was stuck");
        if ended.causes.is_empty() {
            self.item("nothing stood against a sync");
        }
        for cause in report.causes(ended) {
            let stays = if cause.stays { "stays after a push: " } else { "" };
            let rules = cause.rules().map(code).collect::<Vec<_>>().join(", ");
            self.item(&format!("{stays}{}; to do: {} ({rules})", code(&cause.evidence), cause.next));
        }
        self.heading("Outcome");
        self.outcome(ended);
        if ended.course.decisions().len() > 0 {
            self.heading("Choices");
            for decision in ended.course.decisions() {
                self.decision(decision);
            }
        }
        self.heading("What was sent and answered");
        if ended.course.exchanges.is_empty() {
            self.item("nothing");
        }
        for exchange in &ended.course.exchanges {
            self.exchange(ended, exchange);
        }
        if !ended.beyond.is_empty() {
            self.heading("What was lost beyond the preview: the server changed meanwhile");
            for line in ledger::lines(&ended.beyond) {
                self.lost(&line, &ended.beyond);
            }
        }
        self.heading("What was lost");
        if ended.ledger.is_empty() {
            self.item("nothing");
        }
        for line in ledger::lines(&ended.ledger) {
            self.lost(&line, &ended.ledger);
        }
        self.rest(ended);
    }

    fn outcome(&mut self, ended: &Ended) {
        let (posts, pulls) = (count(ended.posts as usize, "POST"), count(ended.pulls as usize, "pull"));
        self.item(&format!("{}, in {posts} and {pulls}", code(ended.end)));
        if let Some(why) = &ended.why {
            let why = self.values.text(why);
            self.item(&format!("why: {}", code(&why)));
        }
        if let Some(id) = &ended.request_id {
            self.item(&format!("request: {}", code(id)));
        }
        let (before, head) = (ended.head_before, ended.head);
        let moved = if ended.cursor_moved { "moved to it" } else { "stays where it was" };
        self.item(&format!("head before: {before}, head now: {head}; the device's cursor {moved}"));
        self.item(&format!(
            "acknowledged: {}, taken over from the server: {}",
            ended.sent.len(),
            ended.applied
        ));
        match ended.files.backup() {
            Some(path) => self.item(&format!("backup: {}", code(&path))),
            None => self.item("backup: none, since nothing was sent and the device file stays as it was"),
        }
        if let Some(why) = &ended.files.not_written {
            self.item(&format!("the device file was not written back: {}", code(&why.to_string())));
        }
        for text in &ended.files.left_out {
            self.item(&format!("left out of the device file: {}", code(text)));
        }
    }

    fn decision(&mut self, decision: &Decision) {
        let Decision { kind, key, path, choice, .. } = decision;
        let label = self.label(kind, key, &decision.title);
        self.item(&format!("{label}, {}: {} by {}", code(&path.label()), code(choice), by(decision.by)));
        if let Some(why) = decision.reopened {
            self.inner(&format!("no longer stands: {why}"));
        }
        let values = [
            ("base", recorded(&decision.base)),
            ("device", decision.device.as_ref()),
            ("server", decision.server.as_ref()),
            ("result", decision.result.as_ref()),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                self.value(name, &self.values.field(path, value));
            }
        }
    }

    fn exchange(&mut self, ended: &Ended, exchange: &Exchange) {
        let Exchange { post, head, mutations, answer } = exchange;
        self.line(&format!("### POST {post}, `lastMutationAt={head}`\n"));
        let ids = match answer {
            Answer::Acknowledged { resource_ids, .. } => resource_ids.as_slice(),
            Answer::Awaited
            | Answer::Doubtful(_)
            | Answer::Refused(_)
            | Answer::NotSent(_)
            | Answer::Lost(_) => &[],
        };
        for (at, Carried { queue, wire }) in mutations.iter().enumerate() {
            let own = wire.resource_id.as_ref().map(ResourceId::as_str);
            let became = match ids.get(at).and_then(Option::as_deref).filter(|id| Some(*id) != own) {
                Some(id) => format!(", became {}", code(id)),
                None => String::new(),
            };
            let own = own.map(|id| format!(", id {}", code(id))).unwrap_or_default();
            let label = self.called(ended, queue).unwrap_or_else(|| code(wire.kind.wire()));
            self.item(&format!("{} {label}, from {}{own}{became}", wire.op.wire(), names(queue)));
            for (name, value) in wire.data.members() {
                self.value(&code(&name), &self.values.value(&value));
            }
        }
        let answer = self.answer(answer);
        self.line(&format!("\nAnswer: {answer}\n"));
    }

    fn answer(&self, answer: &Answer) -> String {
        match answer {
            Answer::Awaited => String::from("none was waited for"),
            Answer::Acknowledged { head, .. } => format!("200, acknowledged, new head {head}"),
            Answer::Doubtful(why) => format!("200, but {}", code(why)),
            Answer::Refused(refusal) => {
                let words = code(&self.values.text(&refusal.message));
                let named = refusal.mutation_index.map(|at| format!(", names mutation[{at}]"));
                let request = refusal.request_id.as_deref().map(|id| format!(", request {}", code(id)));
                let own = refusal.code.as_deref().map(|own| format!(" {}", code(own)));
                let [own, named, request] = [own, named, request].map(Option::unwrap_or_default);
                format!("{}{own}: {words}{named}{request}", refusal.status)
            }
            Answer::NotSent(why) => format!("it never left: {}", code(&self.values.text(why))),
            Answer::Lost(why) => format!("none that could be used: {}", code(&self.values.text(why))),
        }
    }

    fn lost(&mut self, line: &Line, ledger: &[Loss]) {
        let Some(loss) = ledger.get(line.at) else { return };
        let label = self.label(&loss.kind, &loss.key, &loss.title);
        self.item(&format!("{label}: {}, {}, {}", loss.side.name(), code(&loss.what()), loss.reason));
        for loss in line.all(ledger).filter(|loss| !loss.path.is_existence()) {
            self.value(&code(&loss.path.label()), &self.values.field(&loss.path, &loss.value));
        }
    }

    /// What the resource is called; where that would give a text away, its kind and key.
    fn label(&self, kind: &Kind, key: &str, title: &str) -> String {
        match self.values {
            Values::Plain => code(&naming::labelled(kind, title)),
            Values::Redacted(_) => format!("{} {}", code(kind.wire()), code(&self.values.key(key))),
        }
    }

    /// What the resource of these queue entries is called; `None` where that would give a text away.
    fn called(&self, ended: &Ended, ids: &[QueueId]) -> Option<String> {
        match self.values {
            Values::Plain => ids.iter().find_map(|id| ended.labels.get(id)).map(|label| code(label)),
            Values::Redacted(_) => None,
        }
    }

    /// Queue entries with what their resource is called.
    fn entries(&self, ended: &Ended, ids: &[QueueId]) -> String {
        let label = self.called(ended, ids).map(|label| format!("{label}, "));
        format!("{}{}", label.unwrap_or_default(), names(ids))
    }

    fn one_by_one(&mut self, heading: &str, ended: &Ended, ids: &[QueueId]) {
        if !ids.is_empty() {
            self.heading(heading);
        }
        for id in ids {
            let entry = self.entries(ended, std::slice::from_ref(id));
            self.item(&entry);
        }
    }

    fn rest(&mut self, ended: &Ended) {
        if let Some(forecast) = &ended.recovery {
            self.heading("Will the phone recover?");
            for line in forecast.told() {
                self.item(&line);
            }
        }
        self.left("Set aside, because the server refuses it", ended, &ended.quarantined, true);
        self.left("Still in the queue", ended, &ended.held, false);
        self.left("Left the queue unsent", ended, &ended.dropped, false);
        self.one_by_one("In doubt", ended, &ended.in_doubt);
        self.one_by_one("Arrived although the answer was lost", ended, &ended.arrived);
        if !ended.open.is_empty() {
            self.heading("Waits for a choice");
            for (kind, key, path) in &ended.open {
                let unit = self.unit(kind, key, path);
                self.item(&unit);
            }
        }
        if !ended.differences.is_empty() {
            self.heading("The server holds something else than it acknowledged");
            for Difference { ids, kind, resource_id, path, what, sent, holds } in &ended.differences {
                let (kind, id) = (code(kind.wire()), code(resource_id.as_str()));
                let label = self.called(ended, ids).unwrap_or(kind);
                self.item(&format!("{label}, {}, id {id}, from {}: {what}", code(&path.label()), names(ids)));
                for (name, value) in [("sent", sent), ("server", holds)] {
                    if let Some(value) = value {
                        self.value(name, &self.values.field(path, value));
                    }
                }
            }
        }
    }

    /// Queue entries and reasons; the server's words where `quoted`.
    fn left(&mut self, heading: &str, ended: &Ended, all: &[Quarantined], quoted: bool) {
        if all.is_empty() {
            return;
        }
        self.heading(heading);
        for Quarantined { ids, message } in all {
            let message = if quoted { self.values.text(message) } else { message.into() };
            let entries = self.entries(ended, ids);
            self.item(&format!("{entries}: {}", code(&message)));
        }
    }

    fn unit(&self, kind: &Kind, key: &str, path: &FieldPath) -> String {
        format!("{} {}, {}", code(kind.wire()), code(&self.values.key(key)), code(&path.label()))
    }

    fn value(&mut self, name: &str, value: &Value<'_>) {
        let text = match value {
            Value::Marked(mark) => return self.inner(&format!("{name}: {}", mark.words())),
            Value::Plain(Json::String(text)) => text.clone(),
            Value::Plain(other) => naming::position_words(other).unwrap_or_else(|| other.to_text()),
        };
        if text.contains('\n') || text.chars().count() > SHORT {
            self.inner(&format!("{name}:"));
            self.block(&text);
        } else {
            self.inner(&format!("{name}: {}", code(&text)));
        }
    }

    fn block(&mut self, text: &str) {
        let text = safe_text::visible(text);
        let fence = "`".repeat(longest_run(&text).max(2) + 1);
        self.line("");
        self.line(&format!("    {fence}text"));
        for line in text.split('\n') {
            self.line(&format!("    {line}"));
        }
        self.line(&format!("    {fence}"));
        self.line("");
    }

    fn heading(&mut self, text: &str) {
        self.line(&format!("\n## {text}\n"));
    }

    fn item(&mut self, text: &str) {
        self.line(&format!("- {text}"));
    }

    fn inner(&mut self, text: &str) {
        self.line(&format!("  - {text}"));
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }
}

/// Queue entries by their ids.
fn names(ids: &[QueueId]) -> String {
    ids.iter().map(|id| code(id.as_str())).collect::<Vec<_>>().join(", ")
}

/// A text that is shown as it is, on one line.
fn code(text: &str) -> String {
    let text = safe_text::visible_line(text);
    if text.is_empty() {
        return String::from("(empty)");
    }
    let ticks = "`".repeat(longest_run(&text) + 1);
    // A space is taken off at both ends where it stands at both; and a tick must not touch the fence.
    let padded = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let span = if padded { format!("{ticks} {text} {ticks}") } else { format!("{ticks}{text}{ticks}") };
    // Around the span and not in it, so that what is copied from it is what was shown.
    bidi::kept_apart(span.into()).into_owned()
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_written_becomes_markup() {
        for (text, shown) in [
            ("q1", "`q1`"),
            ("a`b", "``a`b``"),
            ("`a``", "``` `a`` ```"),
            ("# no heading | [no](link)", "`# no heading | [no](link)`"),
            ("", "(empty)"),
            ("one\ntwo\u{1b}", "`one⏎two␛`"),
        ] {
            assert_eq!(code(text), shown);
        }
        let mut page = Page { values: &Values::Plain, text: String::new() };
        page.value("device", &Value::Plain(&Json::string("one\n```\n# two")));
        let expected = "  - device:\n\n    ````text\n    one\n    ```\n    # two\n    ````\n\n";
        assert_eq!(page.text, expected);
    }
}
