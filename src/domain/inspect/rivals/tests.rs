use super::*;
use crate::domain::mutation::Millis;
use crate::domain::plan::{Plan, plan};
use crate::domain::resolution::{By, Chosen, Resolution, Unit};
use crate::domain::strategy::{Strategy, choices_for_all};
use crate::testing::inspection;

const NOW: Millis = Millis(1_790_000_000_000);

const DUAS: &str = r#"{"sync":{"lastMutationAt":100},"queue":[
  {"id":"q1","type":"UPDATE","resource":"COLLECTION","resourceId":"c1","data":{"name":"Duas","clientUpdatedAt":"2026-02-02T00:00:05Z"}}],
  "resources":[
  {"id":"c1","resource":"COLLECTION","data":{"name":"Morning"},"syncStatus":"synced"},
  {"id":"c7","resource":"COLLECTION","data":{"name":"Evening"},"syncStatus":"synced"},
  {"id":"c1-b1","resource":"COLLECTION_BOOKMARK","data":{"collectionId":"c1","bookmarkId":"b1","type":"ayah","key":2,"verseNumber":255},"syncStatus":"synced"}]}"#;
const RENAMED: &str = r#"[{"type":"UPDATE","resource":"COLLECTION","resourceId":"c7","timestamp":150,
  "data":{"name":"Duas","clientUpdatedAt":"2026-02-02T00:00:01Z"}}]"#;

fn by_rule(inspection: &Inspection, rule: Strategy) -> Plan {
    let mut resolution = Resolution::default();
    resolution.choose("rule", choices_for_all(inspection, &resolution, rule, |_| true));
    plan(inspection, &resolution, NOW)
}

fn by_hand(inspection: &Inspection, choices: &[(&str, Choice)]) -> Plan {
    let mut resolution = Resolution::default();
    let pair = inspection.ids().find(|(_, pair)| pair.contest().is_some()).expect("a contest").0;
    let choices = choices.iter().map(|(path, choice)| {
        let chosen = Chosen { choice: choice.clone(), by: By::Hand };
        (Unit { pair, path: FieldPath::from_text(path) }, Some(chosen))
    });
    resolution.choose("by hand", choices);
    plan(inspection, &resolution, NOW)
}

fn sent(plan: &Plan) -> Vec<String> {
    let said = |item: &crate::domain::settle::Item| {
        let members = item.wire.data.members();
        let words = ["name", "collectionId", "key", "isReading"];
        let words: Vec<String> =
            words.iter().filter_map(|name| members.get(*name)).map(Json::to_text).collect();
        let id = item.wire.resource_id.as_ref().map_or("new", ResourceId::as_str);
        format!("{} {id} {}", item.wire.op.wire(), words.join(" "))
    };
    plan.items().map(said).collect()
}

fn lost(plan: &Plan) -> Vec<String> {
    let said = |loss: &crate::domain::settle::Loss| {
        format!("{} {} {} {}", loss.key, loss.path, loss.side.name(), loss.value.to_text())
    };
    plan.ledger.iter().map(said).collect()
}

fn open(plan: &Plan) -> Vec<&str> {
    plan.open.iter().map(|unit| unit.path.as_str()).collect()
}

#[test]
fn a_rename_onto_the_name_of_another_collection_is_a_divergence_of_its_own() {
    let inspection = inspection(DUAS, RENAMED);
    assert_eq!(inspection.pairs.len(), 2, "two ids are two collections");
    let pair = inspection.pair(inspection.pair_of_queued(0));
    assert_eq!((pair.status, pair.key.as_str()), (Status::Diverged, "id:c1"));
    assert_eq!(pair.open, [FieldPath::name()]);
    let rival = pair.contest().expect("a contest");
    assert_eq!((rival.contest, rival.key.as_str()), (Contest::NameTaken, "id:c7"));
    let other = inspection.pair(rival.other.expect("in the window"));
    assert_eq!(other.status, Status::Apply);
    assert!(other.rival.as_ref().is_some_and(|back| !back.decides && back.key == "id:c1"));
    // Undecided, neither is sent, and the server's is not taken over.
    let plan = plan(&inspection, &Resolution::default(), NOW);
    assert_eq!((plan.pushed(), plan.apply.len(), plan.moves_cursor), (0, 0, false));
    assert_eq!(open(&plan), ["/name"]);
}

#[test]
fn each_strategy_settles_a_taken_name_without_a_name_of_its_own() {
    let inspection = inspection(DUAS, RENAMED);
    let server = by_rule(&inspection, Strategy::ServerWins);
    assert_eq!((sent(&server).len(), open(&server).len(), server.apply.len()), (0, 0, 1));
    assert_eq!(lost(&server), [r#"id:c1 /name device "Duas""#]);
    // The server's gets the name back that it had; the device's rename goes behind it.
    for rule in [Strategy::ClientWins, Strategy::LastWriteWins] {
        let client = by_rule(&inspection, rule);
        assert_eq!(sent(&client), [r#"UPDATE c7 "Evening""#, r#"UPDATE c1 "Duas""#], "{rule}");
        assert_eq!(lost(&client), [r#"id:c7 /name server "Duas""#], "{rule}");
        assert_eq!(
            client.ledger[0].pair,
            inspection
                .pair(inspection.pair_of_queued(0))
                .rival
                .as_ref()
                .and_then(|r| r.other)
                .expect("its pair")
        );
    }
    assert_eq!(open(&by_rule(&inspection, Strategy::Merge)), ["/name"]);
}

#[test]
fn where_no_earlier_name_is_known_the_servers_waits_for_one() {
    let created = RENAMED.replace("UPDATE", "CREATE").replace("c7", "c9");
    let inspection = inspection(DUAS, &created);
    let plan = by_rule(&inspection, Strategy::ClientWins);
    assert_eq!((open(&plan), plan.pushed()), (vec!["/name@server"], 0));
    let plan = by_hand(&inspection, &[("/name@server", Choice::Edited(Json::string("Duas of Ali")))]);
    assert_eq!(sent(&plan), [r#"UPDATE c9 "Duas of Ali""#, r#"UPDATE c1 "Duas""#]);
    assert_eq!(open(&plan), Vec::<&str>::new());
    let plan = by_hand(&inspection, &[("/name", Choice::Edited(Json::string("My duas")))]);
    assert_eq!(sent(&plan), [r#"UPDATE c1 "My duas""#]);
    assert_eq!(lost(&plan), [r#"id:c1 /name device "Duas""#]);
    // An earlier name that somebody else has is no name to go back to.
    let taken = DUAS.replace(r#""Morning""#, r#""Evening""#);
    let inspection = crate::testing::inspection(&taken, RENAMED);
    assert_eq!(open(&by_rule(&inspection, Strategy::ClientWins)), ["/name@server"]);
}

#[test]
fn two_collections_are_made_one_with_all_their_links() {
    let inspection = inspection(DUAS, RENAMED);
    let plan = by_hand(&inspection, &[("/name", Choice::Both)]);
    assert_eq!(sent(&plan), [r#"CREATE new "c7" 2"#, "DELETE c1 "]);
    assert_eq!(plan.batches.last().map(|batch| batch.phase.name()), Some("joined-collections"));
    assert_eq!(lost(&plan), [r#"id:c1  device "UPDATE""#]);
    // Links that nobody listed would be lost.
    let bare = r#"{"sync":{"lastMutationAt":100},"queue":[
      {"id":"q1","type":"UPDATE","resource":"COLLECTION","resourceId":"c1","data":{"name":"Duas"}}]}"#;
    let inspection = crate::testing::inspection(bare, RENAMED);
    let pair = inspection.pair(inspection.pair_of_queued(0));
    let details = inspection.details(pair);
    let name = details.field(&FieldPath::name()).expect("a name");
    assert!(name.unavailable(&Choice::Both).is_some_and(|why| why.contains("lists no resources")));
}

#[test]
fn a_queued_link_follows_its_collection_into_the_other() {
    let device = DUAS.replace(
        r#"}],
  "resources""#,
        r#"},{"id":"q2","type":"CREATE","resource":"COLLECTION_BOOKMARK","data":{"collectionId":"c1","type":"ayah","key":18,"verseNumber":10}},
        {"id":"q3","type":"DELETE","resource":"COLLECTION_BOOKMARK","data":{"collectionId":"c1","bookmarkId":"b1"}}],
  "resources""#,
    );
    let inspection = inspection(&device, RENAMED);
    let plan = by_hand(&inspection, &[("/name", Choice::Both)]);
    assert_eq!(sent(&plan), [r#"DELETE new "c1""#, r#"CREATE new "c7" 18"#, "DELETE c1 "]);
}

#[test]
fn a_creation_without_an_id_is_recognised_by_its_name() {
    let device = r#"{"sync":{"lastMutationAt":100},"queue":[
      {"id":"q1","type":"CREATE","resource":"COLLECTION","data":{"name":"Duas"}}]}"#;
    let inspection = inspection(device, RENAMED);
    assert_eq!((inspection.pairs.len(), inspection.pairs[0].status), (1, Status::Converged));
}

#[test]
fn a_name_that_is_freed_is_no_conflict_and_is_freed_first() {
    let row = |id: &str, name: &str| {
        format!(r#"{{"id":"{id}","resource":"COLLECTION","data":{{"name":"{name}"}},"syncStatus":"synced"}}"#)
    };
    let rows = [row("c1", "A"), row("c2", "B"), row("c3", "C")].join(",");
    let renames = |all: &[(&str, &str)]| {
        let queue: Vec<String> = all
            .iter()
            .enumerate()
            .map(|(at, (id, name))| match *name {
                "" => format!(r#"{{"id":"q{at}","type":"DELETE","resource":"COLLECTION","resourceId":"{id}"}}"#),
                name => format!(
                    r#"{{"id":"q{at}","type":"UPDATE","resource":"COLLECTION","resourceId":"{id}","data":{{"name":"{name}"}}}}"#
                ),
            })
            .collect();
        format!(r#"{{"sync":{{"lastMutationAt":100}},"queue":[{}],"resources":[{rows}]}}"#, queue.join(","))
    };
    let served = |id: &str, name: &str| {
        format!(
            r#"[{{"type":"UPDATE","resource":"COLLECTION","resourceId":"{id}","timestamp":150,"data":{{"name":"{name}"}}}}]"#
        )
    };
    let plan_of = |queue: &[(&str, &str)], feed: &str| {
        let inspection = inspection(&renames(queue), feed);
        let contests = inspection.pairs.iter().filter(|pair| pair.contest().is_some()).count();
        let plan = by_rule(&inspection, Strategy::ClientWins);
        let ring = plan.warnings.iter().any(|warning| warning.text.contains("exchange their names"));
        (contests, sent(&plan), plan.hold.len(), ring)
    };
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    // Across the two sides: what the server's collection left is free.
    assert_eq!(plan_of(&[("c1", "B")], &served("c2", "A")), (0, texts(&[r#"UPDATE c1 "B""#]), 0, false));
    // A chain whose queue has it the wrong way round; a deletion frees a name as well.
    let chain = texts(&[r#"UPDATE c2 "D""#, r#"UPDATE c1 "B""#]);
    assert_eq!(plan_of(&[("c1", "B"), ("c2", "D")], "[]"), (0, chain, 0, false));
    let freed = texts(&["DELETE c2 ", r#"UPDATE c1 "B""#]);
    assert_eq!(plan_of(&[("c1", "B"), ("c2", "")], "[]"), (0, freed, 0, false));
    // Queue and window together: c2 left B for C, c3 leaves C for A once c1 is gone from there.
    let mixed = texts(&[r#"UPDATE c1 "B""#, r#"UPDATE c3 "A""#]);
    assert_eq!(plan_of(&[("c3", "A"), ("c1", "B")], &served("c2", "C")), (0, mixed, 0, false));
    // Rings of the device's own are its wish: sent as they are, with a caution.
    let swap = texts(&[r#"UPDATE c1 "B""#, r#"UPDATE c2 "A""#]);
    assert_eq!(plan_of(&[("c1", "B"), ("c2", "A")], "[]"), (0, swap, 0, true));
    let (_, ring, held, told) = plan_of(&[("c1", "B"), ("c2", "C"), ("c3", "A")], "[]");
    assert_eq!((ring.len(), held, told), (3, 0, true));
    // Two of the device's own want one name: the later one stays on the device.
    let (contests, sent, held, _) = plan_of(&[("c1", "X"), ("c2", "X")], "[]");
    assert_eq!((contests, sent, held), (0, texts(&[r#"UPDATE c1 "X""#]), 1));
}

#[test]
fn a_name_that_was_to_be_freed_and_is_not_holds_who_wanted_it() {
    let device = r#"{"sync":{"lastMutationAt":100},"queue":[
      {"id":"q1","type":"UPDATE","resource":"COLLECTION","resourceId":"c2","data":{"name":"D"}},
      {"id":"q2","type":"UPDATE","resource":"COLLECTION","resourceId":"c1","data":{"name":"B"}}],"resources":[
      {"id":"c1","resource":"COLLECTION","data":{"name":"A"},"syncStatus":"synced"},
      {"id":"c2","resource":"COLLECTION","data":{"name":"B"},"syncStatus":"synced"}]}"#;
    let inspection = inspection(device, "[]");
    let mut resolution = Resolution::default();
    let unit = Unit { pair: inspection.pair_of_queued(0), path: FieldPath::existence() };
    resolution.choose("drop", [(unit, Some(Chosen { choice: Choice::Server, by: By::Hand }))]);
    let plan = plan(&inspection, &resolution, NOW);
    assert_eq!(plan.pushed(), 0);
    assert_eq!(plan.hold.len(), 1);
    assert_eq!(plan.hold[0].device, ["q2".into()]);
    assert_eq!(lost(&plan), [r#"id:c2 /name device "D""#]);
}

#[test]
fn a_name_that_only_the_devices_row_tells_of_is_taken_as_well() {
    let device = DUAS.replace("Evening", "Duas");
    let inspection = inspection(&device, "[]");
    let pair = inspection.pair(inspection.pair_of_queued(0));
    let rival = pair.contest().expect("a contest");
    assert_eq!((rival.key.as_str(), rival.other), ("id:c7", None));
    assert_eq!(sent(&by_hand(&inspection, &[("/name@server", Choice::Edited(Json::string("x")))])).len(), 2);
}

const X: &str = r#"{"id":"q1","type":"CREATE","resource":"BOOKMARK","data":{"type":"ayah","key":2,"verseNumber":255,"isReading":true,"clientUpdatedAt":"2026-02-02T00:00:05Z"}}"#;

fn reading(queue: &str, feed: &str) -> Inspection {
    inspection(&format!(r#"{{"sync":{{"lastMutationAt":100}},"queue":[{queue}],"resources":[]}}"#), feed)
}

const Y: &str = r#"[{"type":"CREATE","resource":"BOOKMARK","resourceId":"b7","timestamp":150,
  "data":{"bookmarkType":"ayah","key":18,"verseNumber":10,"isReading":true,"clientUpdatedAt":"2026-02-02T00:00:01Z"}}]"#;

#[test]
fn two_reading_places_are_a_divergence_decided_by_the_strategies() {
    let inspection = reading(X, Y);
    let pair = inspection.pair(inspection.pair_of_queued(0));
    assert_eq!((pair.status, pair.open.as_slice()), (Status::Diverged, &[FieldPath::reading()][..]));
    let details = inspection.details(pair);
    let field = details.field(&FieldPath::reading()).expect("the flag");
    let against = field.against.as_ref().expect("what stands against it");
    assert_eq!((against.key.as_str(), &against.holds), ("id:b7", &Json::string("18:10")));

    let server = by_rule(&inspection, Strategy::ServerWins);
    assert_eq!((server.pushed(), server.apply.len(), open(&server).len()), (0, 1, 0));
    let place = r#"at:2:255 /key+verseNumber device {"key":2,"verseNumber":255}"#;
    let whole = r#"at:2:255  device "CREATE""#;
    assert_eq!(
        lost(&server),
        [whole, r#"at:2:255 /type device "ayah""#, "at:2:255 /isReading device true", place]
    );
    for rule in [Strategy::ClientWins, Strategy::LastWriteWins] {
        let client = by_rule(&inspection, rule);
        assert_eq!(sent(&client), ["CREATE new 2 true"], "{rule}");
        assert_eq!(lost(&client), ["id:b7 /isReading server true"], "{rule}");
        assert_eq!(client.apply.len(), 1, "{rule}");
    }
    let merge = by_rule(&inspection, Strategy::Merge);
    assert_eq!((open(&merge), merge.apply.len(), merge.moves_cursor), (vec!["/isReading"], 0, false));
    // By hand the bookmark may stay without the mark.
    let hand = by_hand(&inspection, &[("/isReading", Choice::Server)]);
    assert_eq!(sent(&hand), ["CREATE new 2"]);
    assert_eq!(lost(&hand), ["at:2:255 /isReading device true"]);
}

#[test]
fn of_several_reading_places_in_one_queue_the_last_counts() {
    let other = X.replace("q1", "q2").replace("255", "286");
    let inspection = reading(&format!("{X},{other}"), "[]");
    assert!(inspection.pairs.iter().all(|pair| pair.status == Status::Push));
    let plan = plan(&inspection, &Resolution::default(), NOW);
    assert_eq!(sent(&plan), ["CREATE new 2", "CREATE new 2 true"]);
    assert_eq!(lost(&plan), Vec::<String>::new());
    // One conflict, on the last.
    let inspection = reading(&format!("{X},{other}"), Y);
    let contests: Vec<usize> =
        inspection.ids().filter(|(_, pair)| pair.contest().is_some()).map(|(id, _)| id.index()).collect();
    assert_eq!((contests, inspection.summary.diverged), (vec![1], 1));
    let server = by_rule(&inspection, Strategy::ServerWins);
    assert_eq!(sent(&server), ["CREATE new 2"], "the earlier one does not take it either");
    // Set and taken off again: there is none.
    let off = other.replace("true", "false").replace("q2", "q3");
    let inspection = reading(&format!("{X},{other},{off}"), Y);
    assert!(inspection.pairs.iter().all(|pair| pair.contest().is_none()));
    let plan = by_rule(&inspection, Strategy::ClientWins);
    assert_eq!(sent(&plan), ["CREATE new 2 false", "CREATE new 2 false"]);
}

#[test]
fn the_same_reading_place_on_both_sides_is_no_contest() {
    let same = Y.replace("18,", "2,").replace(r#""verseNumber":10"#, r#""verseNumber":255"#);
    assert!(reading(X, &same).pairs.iter().all(|pair| pair.rival.is_none()));
    // Nor is one that the device knew before it moved on.
    let known = format!(
        r#"{{"sync":{{"lastMutationAt":100}},"queue":[{X}],"resources":[
          {{"id":"b7","resource":"BOOKMARK","data":{{"key":18,"verseNumber":10,"isReading":true}},"syncStatus":"synced"}}]}}"#
    );
    assert!(inspection(&known, Y).pairs.iter().all(|pair| pair.rival.is_none()));
}

#[test]
fn what_was_the_reading_place_once_takes_it_from_no_other_when_it_is_brought_back() {
    let device = r#"{"sync":{"lastMutationAt":100},"queue":[
      {"id":"q1","type":"UPDATE","resource":"BOOKMARK","resourceId":"b1","data":{"mushaf":4}}],"resources":[
      {"id":"b1","resource":"BOOKMARK","data":{"type":"ayah","key":2,"verseNumber":255,"isReading":true},"syncStatus":"synced"}]}"#;
    let feed = format!(
        r#"[{{"type":"DELETE","resource":"BOOKMARK","resourceId":"b1","timestamp":140}},{}"#,
        Y.trim_start_matches('[')
    );
    let inspection = inspection(device, &feed);
    assert_eq!(sent(&by_rule(&inspection, Strategy::ClientWins)), ["CREATE new 2"]);
}

#[test]
fn names_that_look_alike_are_a_caution_on_both() {
    for (given, words) in [
        (r"Caf\u0065\u0301", "how their letters are composed"),
        ("Caf\u{e9} ", "spaces"),
        ("Caf\u{200b}\u{e9}", "cannot be seen"),
        ("CAF\u{c9}", "capital letters"),
    ] {
        let device = format!(
            r#"{{"sync":{{"lastMutationAt":100}},"queue":[
              {{"id":"q1","type":"CREATE","resource":"COLLECTION","data":{{"name":"{given}"}}}}]}}"#
        );
        let feed = RENAMED.replace("Duas", "Caf\u{e9}");
        let inspection = inspection(&device, &feed);
        let told: Vec<(&str, &str)> = inspection
            .look_alikes
            .iter()
            .map(|found| (inspection.pair(found.pair).key.as_str(), found.likeness.words()))
            .collect();
        assert_eq!(told.len(), 2, "{given}");
        assert!(told.iter().all(|(_, told)| told.contains(words)), "{told:?}");
        assert_eq!(told.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["queue:q1", "id:c7"]);
        let plan = by_rule(&inspection, Strategy::Merge);
        assert_eq!((plan.pushed(), plan.warnings.len()), (1, 2), "{given}");
    }
    // The collection's own earlier name is none to be mistaken for.
    let device = DUAS.replace(r#"{"name":"Duas","#, r#"{"name":"morning","#);
    assert_eq!(inspection(&device, "[]").look_alikes, []);
}
