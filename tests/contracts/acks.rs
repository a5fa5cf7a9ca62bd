//! Every acknowledgement of `ack.json` that is checked against the request alone: it is accepted with its ids, or
//! refused for the reason that the case names.

use serde_json::{Value, json};
use unstick::domain::ack::{self, Doubt};
use unstick::domain::answer::{PostAnswer, ResponseHead, read_post};
use unstick::domain::json::Text;
use unstick::domain::mutation::{Kind, Op, Payload, ResourceId, WireMutation};

fn sent(mutation: &Value) -> WireMutation {
    let word = |name: &str| mutation[name].as_str().expect("a word");
    WireMutation {
        op: Op::from_wire(word("type")).expect("an operation"),
        kind: Kind::from_wire(word("resource")),
        resource_id: mutation["resourceId"].as_str().map(Into::into),
        data: mutation.get("data").map_or(Payload::ABSENT, |data| Payload::new(Text::new(data.to_string()))),
    }
}

fn answer(mutations: &Value) -> PostAnswer {
    let body = json!({"success": true, "data": {"lastMutationAt": 1, "mutations": mutations}});
    read_post(&ResponseHead::ok(), &Text::new(body.to_string())).expect("an accepted POST")
}

/// The case's words for a doubt.
fn words(doubt: &Doubt) -> &'static str {
    match doubt {
        Doubt::Count { .. } => "ACK count mismatch",
        Doubt::Unreadable(_) | Doubt::NotPlain => "unreadable ACK",
        Doubt::Kind => "ACK resource mismatch",
        Doubt::Op => "ACK type mismatch",
        Doubt::MissingId => "ACK without resourceId",
        Doubt::IdDiffers => "ACK resourceId mismatch",
        Doubt::SentWithoutId => "sent without resourceId",
        Doubt::AliasesDisagree => "bookmark id aliases disagree in response",
        Doubt::CollectionDiffers => "ACK collectionId mismatch",
        Doubt::BookmarkDiffers => "ACK bookmarkId mismatch",
        Doubt::KeyDiffers => "ACK key mismatch",
        Doubt::VerseDiffers => "ACK verseNumber mismatch",
        Doubt::CompositeDiffers => "create ACK composite id mismatch",
        Doubt::Unverifiable => "create ACK id cannot be verified",
        Doubt::OfAnother => "ACK order mismatch",
    }
}

#[test]
fn acknowledgements_are_accepted_or_refused_for_the_named_reason() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/cases/ack.json")).expect("the cases are JSON");
    let of_a_response = cases.iter().filter(|case| case["scope"] == "response");
    for case in of_a_response {
        let name = case["name"].as_str().expect("a name");
        let request: Vec<_> = case["request"].as_array().expect("a request").iter().map(sent).collect();
        let answer = answer(&case["response"]);
        let expect = &case["expect"];
        match ack::check(&request, &answer.acknowledgements) {
            Ok(acked) => {
                let ids: Vec<_> =
                    acked.iter().map(|a| a.resource_id.as_ref().map(ResourceId::as_str)).collect();
                assert_eq!(json!(ids), expect["resourceIds"], "{name}");
            }
            Err(error) => assert_eq!(Some(words(&error.doubt)), expect["throws"].as_str(), "{name}"),
        }
    }
}
