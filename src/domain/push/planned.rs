//! A plan bound to what it was made of: what a person saw is what is sent.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

use super::super::field::FieldPath;
use super::super::inspect::Inspection;
use super::super::mutation::{Kind, Millis, Op, QueueId, ResourceId, Side};
use super::super::plan::{self, Plan};
use super::super::resolution::Resolution;
use super::super::settle::{Item, Loss};

/// What retrying the sync would do, with both sides and the choices it was made of, and the moment that stamps what was
/// put together. Nothing but [`Planned::new`] makes one, so that a push cannot carry out another plan than this.
#[derive(Clone, Debug)]
pub struct Planned {
    pub(super) inspection: Arc<Inspection>,
    pub(super) resolution: Resolution,
    pub(super) plan: Plan,
    pub(super) stamp: Millis,
}

impl Planned {
    /// What `resolution` comes to on `inspection`. `stamp` is the time of choosing.
    pub fn new(inspection: Arc<Inspection>, resolution: Resolution, stamp: Millis) -> Self {
        let plan = plan::plan(&inspection, &resolution, stamp);
        Self { inspection, resolution, plan, stamp }
    }

    /// What the person saw of both sides.
    pub const fn inspection(&self) -> &Arc<Inspection> {
        &self.inspection
    }

    /// What was chosen.
    pub const fn resolution(&self) -> &Resolution {
        &self.resolution
    }
}

/// The plan can be looked at, not changed.
impl Deref for Planned {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.plan
    }
}

/// What the plan that was shown says of each mutation and of each lost value, to hold later plans against.
pub(super) struct Shown {
    sent: HashSet<SentKey>,
    lost: HashSet<LostKey>,
}

/// The queue entries, what is done to which resource, and its data byte for byte.
type SentKey = (Vec<QueueId>, Op, Kind, Option<ResourceId>, Option<String>);
/// The resource, the field, whose value, and the value.
type LostKey = (Kind, String, FieldPath, Side, String);

impl Shown {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { sent: plan.items().map(sent).collect(), lost: plan.ledger.iter().map(lost).collect() }
    }

    /// Whether the mutation was shown as it is.
    pub(super) fn holds(&self, item: &Item) -> bool {
        self.sent.contains(&sent(item))
    }

    /// Whether the loss was shown, with this value.
    pub(super) fn tells_of(&self, loss: &Loss) -> bool {
        self.lost.contains(&lost(loss))
    }
}

fn sent(item: &Item) -> SentKey {
    let wire = &item.wire;
    let data = if wire.kind == Kind::Link {
        // The name of its collection is replaced by the id that the server gave (DESIGN §4): the link is the same.
        let mut members = wire.data.members();
        members.shift_remove("collectionId");
        super::super::mutation::Payload::from_members(&members).as_str().map(str::to_owned)
    } else {
        wire.data.as_str().map(str::to_owned)
    };
    (item.members.clone(), wire.op, wire.kind.clone(), wire.resource_id.clone(), data)
}

fn lost(loss: &Loss) -> LostKey {
    (loss.kind.clone(), loss.key.clone(), loss.path.clone(), loss.side, loss.value.to_text())
}

#[cfg(test)]
mod tests {
    use super::super::{Do, End, Got, Options, Outcome, Posted, Push};
    use super::*;
    use crate::domain::answer::{Refusal, ResponseHead};
    use crate::domain::mutation::{Cursor, WireMutation};
    use crate::domain::strategy::{self, Strategy};
    use crate::domain::window::Window;
    use crate::testing::inspection;

    const QUEUE: &str = r#"{"queue":[
      {"id":"q1","type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{"body":"device","color":"red"}},
      {"id":"q2","type":"CREATE","resource":"NOTE","data":{"body":"new on the device","ranges":["1:1-1:1"]}}]}"#;

    fn feed(at: i64, body: &str) -> String {
        format!(
            r#"[{{"type":"UPDATE","resource":"NOTE","resourceId":"n1","timestamp":{at},"data":{{"body":"{body}"}}}}]"#
        )
    }

    fn planned(strategy: Strategy) -> Planned {
        let inspection = Arc::new(inspection(QUEUE, &feed(150, "seen")));
        let mut resolution = Resolution::default();
        let choices = strategy::choices_for_all(&inspection, &resolution, strategy, |_| true);
        resolution.choose(strategy.name(), choices);
        Planned::new(inspection, resolution, Millis(1_000))
    }

    /// The first POST is answered 409, and then the server has written `newer`; what was tried and how it ended.
    fn refused_once(
        planned: Planned,
        options: Options,
        newer: &str,
    ) -> (Vec<Vec<WireMutation>>, Option<Outcome>) {
        let mut push = Push::new(planned, options, Millis(2_000));
        let mut posts = Vec::new();
        let mut step = push.start();
        for at in 0..40 {
            let now = Millis(5_000 + at);
            let got = match step {
                Do::Journal(_) => Got::Journaled,
                Do::Wait { .. } => Got::Waited,
                Do::Authorize(_) => Got::Authorized(false),
                Do::Post { mutations, .. } => {
                    posts.push(mutations);
                    if posts.len() > 1 {
                        return (posts, None);
                    }
                    let head = ResponseHead { status: 409, ..ResponseHead::ok() };
                    Got::Posted(Posted::Refused(Refusal::read(
                        &head,
                        r#"{"success":false,"error":{"code":"OutOfSyncError","message":"stale"}}"#,
                    )))
                }
                Do::Pull { since } => {
                    let newer = inspection(QUEUE, newer);
                    let window = Window { since, head: Cursor::read(9_000), ..Window::clone(&newer.window) };
                    Got::Pulled(Ok(window))
                }
                Do::Finish(outcome) => return (posts, Some(*outcome)),
            };
            step = push.got(got, now);
        }
        panic!("it does not end")
    }

    #[test]
    fn a_retry_where_nothing_shown_changed_sends_the_same_bytes() {
        for strategy in Strategy::ALL {
            let planned = planned(strategy);
            let shown: Vec<WireMutation> = planned.items().map(|item| item.wire.clone()).collect();
            let options = Options { ask: true, accept_other_account: true, ..Options::default() };
            let (posts, _) = refused_once(planned, options, "[]");
            assert_eq!(posts, [shown.clone(), shown], "{}", strategy.name());
        }
    }

    #[test]
    fn what_a_rule_would_go_over_unseen_is_asked_on_the_screen_and_told_without_one() {
        let options = Options { accept_other_account: true, ..Options::default() };
        let (posts, outcome) = refused_once(
            planned(Strategy::ClientWins),
            Options { ask: true, ..options },
            &feed(8_000, "not seen"),
        );
        let outcome = outcome.expect("an end");
        assert_eq!(posts.len(), 1, "nothing leaves after it");
        assert!(matches!(outcome.end, End::Reopened(ref none) if none.is_empty()), "{:?}", outcome.end);

        let rule = Some(Strategy::ClientWins);
        let (posts, _) = refused_once(
            planned(Strategy::ClientWins),
            Options { rule, ..options },
            &feed(8_000, "not seen"),
        );
        assert_eq!(posts.len(), 2, "the rule goes on");
    }

    #[test]
    fn a_fresh_token_of_somebody_else_ends_the_push_before_anything_leaves_with_it() {
        let user = r#"{"device":{"user":"u-1"},"queue":[{"id":"q2","type":"CREATE","resource":"NOTE",
          "data":{"body":"private","ranges":["1:1-1:1"]}}]}"#;
        let unauthorized = || Refusal::read(&ResponseHead { status: 401, ..ResponseHead::ok() }, "{}");
        for (fresh, accept, goes_on) in [("u-1", false, true), ("u-2", false, false), ("u-2", true, true)] {
            for lost in [false, true] {
                let planned =
                    Planned::new(Arc::new(inspection(user, "[]")), Resolution::default(), Millis(1_000));
                let options = Options { accept_other_account: accept, ..Options::default() };
                let mut push = Push::new(planned, options, Millis(2_000)).with_user(Some("u-1"));
                let (mut step, mut posts, mut asked) = (push.start(), 0, false);
                let end = loop {
                    let got = match step {
                        Do::Journal(_) => Got::Journaled,
                        Do::Wait { .. } => Got::Waited,
                        Do::Authorize(_) => {
                            asked = true;
                            push.token_of(Some(fresh));
                            Got::Authorized(true)
                        }
                        // What is asked for with the fresh token tells that the push goes on.
                        Do::Post { .. } | Do::Pull { .. } if asked => break None,
                        Do::Post { .. } => {
                            posts += 1;
                            let answer = if lost {
                                Posted::Lost(String::from("timeout"))
                            } else {
                                Posted::Refused(unauthorized())
                            };
                            Got::Posted(answer)
                        }
                        Do::Pull { .. } => Got::Pulled(Err(super::super::PullFault::Refused(unauthorized()))),
                        Do::Finish(outcome) => break Some(outcome.end),
                    };
                    step = push.got(got, Millis(3_000));
                };
                assert!(asked && posts == 1, "{fresh} {lost}");
                match end {
                    None => assert!(goes_on, "{fresh} {lost}"),
                    Some(End::OtherAccount(_)) => assert!(!goes_on && !lost, "{fresh} {lost}"),
                    // Whether it arrived, another account cannot tell.
                    Some(End::Unknown { .. }) => assert!(!goes_on && lost, "{fresh} {lost}"),
                    Some(other) => panic!("{other:?}"),
                }
            }
        }
    }

    #[test]
    fn nothing_is_sent_without_a_journal_and_the_end_says_so() {
        // Before the first POST, and once its answer is there.
        for written in [0, 1] {
            let options = Options { accept_other_account: true, ..Options::default() };
            let mut push = Push::new(planned(Strategy::ClientWins), options, Millis(2_000));
            let (mut step, mut journaled, mut posts) = (push.start(), 0, 0);
            let end = loop {
                let got = match step {
                    Do::Journal(_) if journaled == written => Got::NotJournaled(String::from("no room")),
                    Do::Journal(_) => {
                        journaled += 1;
                        Got::Journaled
                    }
                    Do::Post { .. } => {
                        posts += 1;
                        Got::Posted(Posted::NotSent(String::from("no connection")))
                    }
                    Do::Wait { .. } => Got::Waited,
                    Do::Finish(outcome) => break outcome.end,
                    Do::Pull { .. } | Do::Authorize(_) => panic!("nothing is asked for"),
                };
                step = push.got(got, Millis(3_000));
            };
            assert!(matches!(&end, End::NotJournaled(why) if why == "no room"), "{end:?}");
            assert_eq!(posts, written);
        }
    }
}
