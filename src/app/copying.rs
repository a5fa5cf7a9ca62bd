//! What goes to the clipboard: the value under the mark, or the resource's id; and what is said of it.

use super::bench::as_text;
use super::{App, Copying, Effect, Focus, Place, choose, outcome};
use crate::domain::mutation::Side;
use crate::domain::naming;
use crate::domain::resolution::Unit;

impl App {
    /// In the list the id is copied, as on a resource's existence; on a field its value: the result where it is
    /// settled, else the device's, and by the key once more the server's.
    pub(super) fn copy(&mut self) -> Vec<Effect> {
        let in_list = self.place() == Place::List && matches!(self.focus, Focus::List(_));
        let Some(bench) = &self.bench else { return Vec::new() };
        let Some((_, pair)) = bench.pair() else { return Vec::new() };
        let of = format!("{} {}", choose::noun(&pair.kind), naming::title(&bench.inspection, pair));
        let (field, unit) = match (bench.field(), bench.unit()) {
            (Some(field), Some(unit)) if !in_list && !field.path.is_existence() => (field, unit),
            _ => return self.copy_id(&of),
        };
        let label = field.path.label();
        let again = self.copying.as_ref().and_then(|copying| copying.then.as_ref());
        let again = again.filter(|(last, _)| *last == unit).map(|(_, side)| *side);
        let (device, server) = (field.value(Side::Device), field.value(Side::Server));
        let differ = device.is_some() && server.is_some() && device != server;
        let result = outcome(field, bench.choice(field)).and_then(|(_, value)| value);
        let (whose, value, then) = match (again, result) {
            (Some(side), _) => (side.name(), field.value(side).cloned(), None),
            (None, Some(value)) => ("result", Some(value), None),
            (None, None) if device.is_some() => {
                ("device", device.cloned(), differ.then_some((unit, Side::Server)))
            }
            (None, None) => ("server", server.cloned(), None),
        };
        let Some(value) = value else { return self.refuse(format!("{label} has no value to copy")) };
        let text = as_text(&value);
        let count = super::count(text.chars().count(), "character");
        let more = if then.is_some() { " · c once more copies the server's" } else { "" };
        let whose =
            if whose == "result" { String::from("the result") } else { format!("the {whose}'s value") };
        let what = format!("{whose} of {label} of {of} copied, {count}{more}");
        self.copying = Some(Copying { what, then });
        vec![Effect::Copy(text)]
    }

    fn copy_id(&mut self, of: &str) -> Vec<Effect> {
        let Some(bench) = &self.bench else { return Vec::new() };
        let Some((_, pair)) = bench.pair() else { return Vec::new() };
        let queued = || bench.inspection.queued(pair);
        let known = queued().find_map(|m| m.resource_id.as_ref().map(ToString::to_string)).or_else(|| {
            bench.inspection.served(pair).find_map(|m| m.resource_id.as_ref().map(ToString::to_string))
        });
        let entry = queued().next().map(|entry| entry.id.to_string());
        let (what, id) = match (known, entry) {
            (Some(id), _) => (format!("the id {id} of {of} copied"), id),
            (None, Some(entry)) => (format!("the queue id {entry} of {of} copied"), entry),
            (None, None) => return self.refuse("neither side gave it an id"),
        };
        self.copying = Some(Copying { what, then: None::<(Unit, Side)> });
        vec![Effect::Copy(id)]
    }

    /// The clipboard has it.
    pub(super) fn copied(&mut self) -> Vec<Effect> {
        let what =
            self.copying.as_ref().map_or_else(|| String::from("copied"), |copying| copying.what.clone());
        self.done(what)
    }
}
