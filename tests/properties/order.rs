//! The order of members, of unrelated mutations and the boundaries of pages change nothing.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;
use unstick::domain::answer::{ResponseHead, read_page};
use unstick::domain::inspect::{Inspection, Pair, PairId};
use unstick::domain::json::{Json, Text};
use unstick::domain::mutation::{Cursor, Kind, Millis, ServerMutation};
use unstick::domain::plan::{Plan, plan};
use unstick::domain::resolution::Resolution;
use unstick::domain::settle::Item;
use unstick::domain::strategy::{Strategy as Rule, choices_for_all};
use unstick::domain::window::{PullPath, Window, assemble};

use super::worlds::{Entry, Members, World, cases, world};

/// JSON text that is the same for the same value: members in the order of their names.
pub fn canonical(value: &Json) -> String {
    match value {
        Json::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Json::Object(members) => {
            let mut members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name:?}:{}", canonical(value))).collect();
            members.sort_unstable();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_text(),
    }
}

/// Everything that an inspection and the plans of the four strategies say, whatever the order.
fn told(world: &World) -> BTreeSet<String> {
    let inspection = world.inspection();
    let names = Names { world, inspection: &inspection };
    let mut told: BTreeSet<String> = inspection.pairs.iter().map(|pair| names.pair(pair)).collect();
    for (what, positions) in [("ignored", &inspection.ignored), ("unidentified", &inspection.unidentified)] {
        told.insert(format!("{what} {:?}", names.server(positions).into_iter().collect::<BTreeSet<_>>()));
    }
    told.insert(format!("{:?}", inspection.summary));
    for rule in Rule::ALL {
        let mut resolution = Resolution::default();
        let choices = choices_for_all(&inspection, &resolution, rule, |_| true);
        resolution.choose(rule.name(), choices);
        let plan = plan(&inspection, &resolution, Millis(7));
        told.extend(names.plan(&plan).into_iter().map(|line| format!("{rule}: {line}")));
    }
    told
}

struct Names<'a> {
    world: &'a World,
    inspection: &'a Inspection,
}

impl Names<'_> {
    fn device(&self, positions: &[usize]) -> Vec<&str> {
        positions.iter().map(|at| self.world.queue[*at].name.as_str()).collect()
    }

    fn server(&self, positions: &[usize]) -> Vec<&str> {
        positions.iter().map(|at| self.world.feed[*at].name.as_str()).collect()
    }

    fn id(&self, id: PairId) -> String {
        let pair = self.inspection.pair(id);
        format!("{} {:?} {:?}", pair.kind.wire(), self.device(&pair.device), self.server(&pair.server))
    }

    fn pair(&self, pair: &Pair) -> String {
        let open: BTreeSet<&str> = pair.open.iter().map(unstick::domain::field::FieldPath::as_str).collect();
        let details = self.inspection.details(pair);
        let fields: BTreeSet<String> = details
            .fields
            .iter()
            .map(|field| {
                let value = |value: Option<&Json>| value.map(canonical);
                format!(
                    "{} {} {:?} {:?}",
                    field.path,
                    field.verdict.word(),
                    value(field.device.as_ref()),
                    value(field.server.as_ref())
                )
            })
            .collect();
        let blocked = pair.blocked.map(unstick::domain::inspect::Blocked::reason);
        format!(
            "{} {} {} {} {:?} {:?} {blocked:?} {open:?} {fields:?}",
            pair.kind.wire(),
            pair.status.word(),
            pair.shape,
            pair.echo,
            self.device(&pair.device),
            self.server(&pair.server),
        )
    }

    fn plan(&self, plan: &Plan) -> Vec<String> {
        let item = |item: &Item| {
            let wire = &item.wire;
            let data = canonical(&Json::Object(wire.data.members()));
            format!(
                "{} {} {:?} {data} {:?}",
                self.id(item.pair),
                wire.op.word(),
                wire.resource_id,
                item.parent
            )
        };
        let mut lines: Vec<String> = plan.items().map(|i| format!("push {}", item(i))).collect();
        lines.extend(self.server(&plan.apply).iter().map(|name| format!("apply {name}")));
        lines.extend(plan.drop.iter().map(|left| format!("drop {} {}", self.id(left.pair), left.reason)));
        lines.extend(plan.hold.iter().map(|left| format!("hold {} {}", self.id(left.pair), left.reason)));
        lines.extend(plan.open.iter().map(|unit| format!("open {} {}", self.id(unit.pair), unit.path)));
        lines.extend(plan.ledger.iter().map(|loss| {
            let value = canonical(&loss.value);
            format!("lost {} {} {} {value} {}", self.id(loss.pair), loss.path, loss.side.name(), loss.reason)
        }));
        lines.push(format!("moves cursor {}", plan.moves_cursor));
        lines
    }
}

/// The same entries in the order of `keys`, but those that belong together in the order that they had.
fn reordered(entries: &[Entry], keys: &[u32], groups: &[Vec<usize>]) -> Vec<Entry> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|at| keys.get(*at).copied().unwrap_or_default());
    for group in groups {
        let slots: Vec<usize> = (0..order.len()).filter(|slot| group.contains(&order[*slot])).collect();
        let mut members = group.clone();
        members.sort_unstable();
        for (slot, member) in slots.into_iter().zip(members) {
            order[slot] = member;
        }
    }
    order.into_iter().map(|at| entries[at].clone()).collect()
}

fn with_reversed_members(entry: &Entry) -> Entry {
    let reversed = |members: &Option<Members>| {
        members.clone().map(|mut list| {
            list.reverse();
            list
        })
    };
    Entry { data: reversed(&entry.data), base: reversed(&entry.base), ..entry.clone() }
}

/// Of reading places the last one counts, and of collections that want one name the first one gets it.
fn in_a_row(world: &World, pair: &Pair) -> bool {
    let reads = |entry: &Entry| {
        entry.data.as_ref().is_some_and(|data| data.iter().any(|(name, _)| *name == "isReading"))
    };
    let mut entries = pair.device.iter().map(|at| &world.queue[*at]);
    pair.kind == Kind::Collection || pair.kind == Kind::Bookmark && entries.any(reads)
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_order_of_members_changes_nothing(world in world()) {
        let mut other = world.clone();
        other.queue = world.queue.iter().map(with_reversed_members).collect();
        other.feed = world.feed.iter().map(with_reversed_members).collect();
        for row in other.rows.iter_mut().flatten() {
            row.data.reverse();
        }
        prop_assert_eq!(told(&world), told(&other));
    }

    #[test]
    fn the_order_of_unrelated_entries_changes_nothing(
        world in world(),
        keys in prop::collection::vec(any::<u32>(), 10),
    ) {
        let inspection = world.inspection();
        let mut together: Vec<Vec<usize>> =
            inspection.pairs.iter().filter(|pair| !in_a_row(&world, pair)).map(|pair| pair.device.clone()).collect();
        let related = inspection.pairs.iter().filter(|pair| in_a_row(&world, pair));
        together.push(related.flat_map(|pair| pair.device.clone()).collect());
        let queue = reordered(&world.queue, &keys, &together);
        let other = World { queue, ..world.clone() };
        prop_assert_eq!(told(&world), told(&other));
    }

    #[test]
    fn the_order_of_unrelated_server_mutations_changes_nothing(
        world in world(),
        keys in prop::collection::vec(any::<u32>(), 10),
    ) {
        let inspection = world.inspection();
        let together: Vec<Vec<usize>> = inspection.pairs.iter().map(|pair| pair.server.clone()).collect();
        let feed = reordered(&world.feed, &keys, &together);
        let other = World { feed, ..world.clone() };
        prop_assert_eq!(told(&world), told(&other));
    }

    #[test]
    fn the_boundaries_of_pages_change_nothing(world in world(), limit in 1_usize..9) {
        let window = world.window();
        let whole = paged(&window, window.mutations.len().max(1));
        let cut = paged(&window, limit);
        prop_assert_eq!(mutations(&cut), mutations(&whole));
        prop_assert_eq!(cut.unreadable.len(), 0);
    }
}

/// The window as a pull puts it together from pages of `limit`.
fn paged(window: &Window, limit: usize) -> Window {
    let mut chunks: Vec<&[ServerMutation]> = window.mutations.chunks(limit).collect();
    if chunks.is_empty() {
        chunks.push(&[]);
    }
    let count = chunks.len();
    let pages = chunks.into_iter().enumerate().map(|(at, chunk)| {
        let mutations: Vec<String> =
            chunk.iter().map(|m| serde_json::to_string(m).expect("it serialises")).collect();
        let number = u32::try_from(at + 1).expect("few pages");
        let body = format!(
            "{{\"success\":true,\"data\":{{\"lastMutationAt\":{},\"page\":{number},\"limit\":{limit},\"hasMore\":{},\"mutations\":[{}]}}}}",
            window.head,
            json!(at + 1 < count),
            mutations.join(",")
        );
        read_page(&ResponseHead::ok(), &Text::new(body), number).expect("a page")
    });
    assemble(PullPath::SinceCursor, Cursor::ZERO, window.head, pages.collect())
}

fn mutations(window: &Window) -> Vec<String> {
    window.mutations.iter().map(|m| serde_json::to_string(m).expect("it serialises")).collect()
}
