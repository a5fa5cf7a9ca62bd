//! Choices carried over to a newer inspection: kept where base, device and server are what the person saw,
//! reopened where they are not.

use std::collections::HashMap;

use super::field::{Choice, FieldPath};
use super::inspect::{Details, Inspection, PairId, Status};
use super::mutation::{Kind, Op, Payload, ResourceId};
use super::resolution::{By, Chosen, Resolution, Unit};
use super::strategy::{self, Strategy};

/// A choice that was bound to what is no longer so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reopened {
    /// The pair in the new inspection.
    pub pair: PairId,
    /// The field.
    pub path: FieldPath,
    /// The choice that was taken back.
    pub was: Chosen,
    /// What changed under it.
    pub why: &'static str,
}

/// The answer of [`carry`].
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// The choices that still stand, on the new inspection.
    pub resolution: Resolution,
    /// The choices that do not.
    pub reopened: Vec<Reopened>,
}

/// Carries choices from `old` to `new`. Choices by hand stay where what they were bound to is unchanged. Strategies
/// are rules: they are applied anew to the pairs they decided, and `rule`, where given, to every divergence.
pub fn carry(old: &Inspection, resolution: &Resolution, new: &Inspection, rule: Option<Strategy>) -> Carried {
    let places = Places::of(new);
    let mut carried = Carried::default();
    let mut kept: Vec<(Unit, Option<Chosen>)> = Vec::new();
    let mut rules: Vec<(PairId, Strategy)> = Vec::new();
    // By the pair in the new inspection.
    let mut details: HashMap<PairId, (Details, Option<Details>)> = HashMap::new();
    for (unit, chosen) in resolution.iter() {
        let Some(pair) = places.find(old, unit.pair) else { continue };
        if let By::Strategy(strategy) = chosen.by {
            if rules.last() != Some(&(pair, strategy)) {
                rules.push((pair, strategy));
            }
            continue;
        }
        let (before, after) = details.entry(pair).or_insert_with(|| {
            let open = new.pair(pair).status != Status::Converged;
            (old.details(old.pair(unit.pair)), open.then(|| new.details(new.pair(pair))))
        });
        // The sides agree by now: there is nothing left to choose.
        let Some(after) = after else { continue };
        if unit.path == FieldPath::other_name() && after.field(&unit.path).is_none() {
            // Nothing stands against the name any more, so that nothing else needs another.
            continue;
        }
        let why = if new.is_in_doubt(new.pair(pair)) && !old.is_in_doubt(old.pair(unit.pair)) {
            Some("it was sent, its answer was lost, and it may have arrived")
        } else if unit.path.is_existence() {
            existence_changed(old, unit.pair, before, new, pair, after)
        } else {
            field_changed(before, after, &unit.path, &chosen.choice)
        };
        if let Some(choice) = arrived(before, after, &unit.path, &chosen.choice) {
            kept.push((Unit { pair, path: unit.path.clone() }, Some(Chosen { choice, by: chosen.by })));
            continue;
        }
        match why {
            None => kept.push((Unit { pair, path: unit.path.clone() }, Some(chosen.clone()))),
            Some(why) => {
                carried.reopened.push(Reopened { pair, path: unit.path.clone(), was: chosen.clone(), why });
            }
        }
    }
    carried.resolution.choose("choices carried over", kept);
    let still_there = carried.reopened.iter().filter(|reopened| {
        let after = details.get(&reopened.pair).and_then(|(_, after)| after.as_ref());
        after.is_some_and(|after| after.field(&reopened.path).is_some())
    });
    let open_again: Vec<Unit> =
        still_there.map(|reopened| Unit { pair: reopened.pair, path: reopened.path.clone() }).collect();
    carried.resolution.reopen(open_again);
    for (pair, strategy) in rules {
        let choices = strategy::choices(new, &carried.resolution, strategy, pair);
        carried.resolution.choose(strategy.name(), choices);
    }
    if let Some(rule) = rule {
        let choices = strategy::choices_for_all(new, &carried.resolution, rule, |_| true);
        carried.resolution.choose(rule.name(), choices);
    }
    carried
}

/// Where a pair of the old inspection stands in the new one: by its queue entries, else by its server ids.
struct Places<'a> {
    queue: HashMap<&'a str, PairId>,
    server: HashMap<(&'a Kind, &'a ResourceId), PairId>,
}

impl<'a> Places<'a> {
    fn of(new: &'a Inspection) -> Self {
        let mut places = Self { queue: HashMap::new(), server: HashMap::new() };
        for (position, mutation) in new.device.queue.iter().enumerate() {
            places.queue.insert(mutation.id.as_str(), new.pair_of_queued(position));
        }
        for (id, pair) in new.ids() {
            for mutation in new.served(pair) {
                if let Some(resource) = &mutation.resource_id {
                    places.server.insert((&mutation.kind, resource), id);
                }
            }
        }
        places
    }

    fn find(&self, old: &Inspection, id: PairId) -> Option<PairId> {
        let pair = old.pair(id);
        let by_queue = old.queued(pair).find_map(|m| self.queue.get(m.id.as_str()).copied());
        if by_queue.is_some() || !pair.device.is_empty() {
            // A pair whose queue entries are gone has been sent.
            return by_queue;
        }
        old.served(pair).find_map(|m| self.server.get(&(&m.kind, m.resource_id.as_ref()?)).copied())
    }
}

/// The choice as it stands where the server holds by now what it came to: it was sent, and its answer lost.
fn arrived(before: &Details, after: &Details, path: &FieldPath, choice: &Choice) -> Option<Choice> {
    let (before, after) = (before.field(path)?, after.field(path)?);
    let result = before.result(choice)?;
    // Where the server holds what it held, nothing arrived: a choice that comes to the same stays what it is.
    let is_there = !path.is_existence()
        && before.device == after.device
        && before.server != after.server
        && after.server.as_ref() == Some(&result);
    is_there.then(|| match choice {
        Choice::Device | Choice::Server => choice.clone(),
        Choice::Both | Choice::Edited(_) => Choice::Edited(result),
    })
}

fn field_changed(
    before: &Details,
    after: &Details,
    path: &FieldPath,
    choice: &Choice,
) -> Option<&'static str> {
    let (Some(before), Some(after)) = (before.field(path), after.field(path)) else {
        return Some("the field is no longer part of the difference");
    };
    if before.server != after.server {
        Some("the server's value changed")
    } else if before.device != after.device {
        Some("the device's value changed")
    } else if before.against != after.against && !(after.against.is_none() && is_own(choice)) {
        Some("what stands against it on the server changed")
    } else if before.base != after.base {
        Some("the base changed")
    } else {
        None
    }
}

/// Whether what was chosen stands by itself, whatever the server has beside it.
const fn is_own(choice: &Choice) -> bool {
    match choice {
        Choice::Device | Choice::Edited(_) => true,
        Choice::Server | Choice::Both => false,
    }
}

fn existence_changed(
    old: &Inspection,
    old_id: PairId,
    before: &Details,
    new: &Inspection,
    new_id: PairId,
    after: &Details,
) -> Option<&'static str> {
    let intents = |details: &Details| -> Vec<(Op, Payload)> {
        details.intents.iter().map(|intent| (intent.op, intent.data.clone())).collect()
    };
    let server = |inspection: &Inspection, id: PairId| {
        inspection.primary(inspection.pair(id)).map(|m| (m.op, m.data.members()))
    };
    if server(old, old_id) != server(new, new_id) {
        Some("what the server did changed")
    } else if intents(before) != intents(after) {
        Some("what the device did changed")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mutation::Millis;
    use crate::domain::plan;
    use crate::testing::inspection;

    const QUEUE: &str = r#"{"queue":[
      {"id":"q1","type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{"body":"device"},"base":{"body":"base"}},
      {"id":"q2","type":"CREATE","resource":"NOTE","data":{"body":"only on the device","ranges":["1:1-1:1"]}}]}"#;

    fn feed(ranges: &str) -> String {
        format!(
            r#"[{{"type":"UPDATE","resource":"NOTE","resourceId":"n1","timestamp":150,"data":{{"body":"base","ranges":["{ranges}"]}}}}]"#
        )
    }

    fn chosen(inspection: &Inspection, path: &str, choice: &Choice) -> Resolution {
        let mut resolution = Resolution::default();
        let unit = Unit { pair: inspection.pair_of_queued(0), path: FieldPath::from_text(path) };
        resolution.choose("by hand", [(unit, Some(Chosen { choice: choice.clone(), by: By::Hand }))]);
        resolution
    }

    #[test]
    fn what_was_given_up_on_other_values_is_asked_again_and_not_sent() {
        let before = inspection(QUEUE, &feed("2:1-2:1"));
        let after = inspection(QUEUE, &feed("2:1-2:9"));
        let given_up = chosen(&before, "", &Choice::Server);
        let same = carry(&before, &given_up, &before, None);
        assert_eq!(plan::plan(&before, &same.resolution, Millis(0)).pushed(), 1, "q2 alone");

        // Nothing diverges: without the person's choice q1 would simply be sent.
        let carried = carry(&before, &given_up, &after, None);
        assert_eq!(carried.reopened.len(), 1);
        let plan = plan::plan(&after, &carried.resolution, Millis(0));
        assert_eq!((plan.pushed(), plan.open.len(), plan.moves_cursor), (1, 1, false));
        assert_eq!(plan.hold[0].device, ["q1".into()]);
        let mut again = carried.resolution;
        again
            .choose("again", [(plan.open[0].clone(), Some(Chosen { choice: Choice::Server, by: By::Hand }))]);
        assert!(plan::plan(&after, &again, Millis(0)).open.is_empty());
    }

    #[test]
    fn what_was_chosen_and_is_there_by_now_is_not_asked_again() {
        let text = |body: &str| {
            format!(
                r#"[{{"type":"UPDATE","resource":"NOTE","resourceId":"n1","timestamp":150,"data":{{"body":"{body}"}}}}]"#
            )
        };
        let (before, after) = (inspection(QUEUE, &text("server")), inspection(QUEUE, &text("both words")));
        let edited = Choice::Edited(crate::domain::json::Json::string("both words"));
        let carried = carry(&before, &chosen(&before, "/body", &edited), &after, None);
        assert_eq!(carried.reopened, []);
        let plan = plan::plan(&after, &carried.resolution, Millis(0));
        assert_eq!((plan.pushed(), plan.open.len()), (1, 0));
        assert_eq!(plan.drop[0].device, ["q1".into()]);
        // Another edit is no answer.
        let carried = carry(&before, &chosen(&before, "/body", &Choice::Device), &after, None);
        assert_eq!(carried.reopened.len(), 1);
    }
}
