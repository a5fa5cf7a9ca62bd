//! Will the phone recover? The client's model on the phone's own rows, in front of the server as it is or as it will be after a
//! push (PROTOCOL A10, "Recovery modes"): pushing alone does not change what the phone's client stumbles over on its own rows.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::abort::{Abort, AbortId, Recovery};
use super::{Feed, Loss, Phone};
use crate::domain::device::Device;
use crate::domain::identity;
use crate::domain::inspect::Inspection;
use crate::domain::mutation::{Kind, Millis, Op, Payload, ResourceId, ServerMutation};
use crate::domain::plan::Plan;
use crate::domain::preflight;
use crate::domain::window::Window;

/// What gets the phone going again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Its next sync goes through.
    ByItself,
    /// Something has to be changed on the server: a resource written anew, or two told apart.
    OnTheServer,
    /// The user has to do something in the app.
    InTheApp,
    /// It needs a repaired copy of its database; or the user signs out and in again, once everything is pushed.
    RepairedDatabase,
    /// The server's answer itself is wrong.
    ServerFix,
}

impl Verdict {
    /// All, from the best to the worst.
    pub const ALL: [Self; 5] =
        [Self::ByItself, Self::OnTheServer, Self::InTheApp, Self::RepairedDatabase, Self::ServerFix];

    /// The word in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ByItself => "by-itself",
            Self::OnTheServer => "on-the-server",
            Self::InTheApp => "in-the-app",
            Self::RepairedDatabase => "repaired-database",
            Self::ServerFix => "server-fix",
        }
    }

    /// The verdict as a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ByItself => "The phone recovers by itself: its next sync goes through.",
            Self::OnTheServer => {
                "The phone does not recover yet: something has to be changed on the server first."
            }
            Self::InTheApp => {
                "The phone does not recover by itself: the user has to correct something in the app."
            }
            Self::RepairedDatabase => {
                "The phone does not recover by itself: it needs a repaired copy of its database, or the user signs out and in once everything that waits is pushed."
            }
            Self::ServerFix => {
                "The phone does not recover: the server's own answer is wrong and has to be corrected."
            }
        }
    }

    const fn of(recovery: Recovery) -> Self {
        match recovery {
            Recovery::PushOnly | Recovery::Apart => Self::OnTheServer,
            Recovery::UserAction => Self::InTheApp,
            Recovery::RepairedDatabase => Self::RepairedDatabase,
            Recovery::ServerFix => Self::ServerFix,
        }
    }
}

/// What the phone's next sync comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// What gets it going again.
    pub verdict: Verdict,
    /// Where it stops: the rules of PROTOCOL A10, the first first, each with how often.
    pub stops: Vec<(AbortId, usize)>,
    /// What it goes on without although its sync passes, and how often.
    pub loses: BTreeMap<&'static str, usize>,
}

impl Forecast {
    /// Of this device in front of this feed, as the phone reads it: the first page alone.
    pub fn of(device: &Device, window: &Window) -> Self {
        let cycle = Phone::with_first_page(device, window).cycle();
        let mut stops: IndexMap<AbortId, usize> = IndexMap::new();
        for Abort { id, .. } in &cycle.aborts {
            *stops.entry(*id).or_default() += 1;
        }
        let verdicts = stops.keys().map(|id| Verdict::of(id.recovery()));
        let mut loses: BTreeMap<&'static str, usize> = BTreeMap::new();
        for lost in &cycle.lost {
            *loses.entry(words(lost.why)).or_default() += 1;
        }
        Self {
            verdict: verdicts.max().unwrap_or(Verdict::ByItself),
            stops: stops.into_iter().collect(),
            loses,
        }
    }

    /// The same, once `plan` is pushed: the server holds what it sends, and the phone's rows are as they are.
    pub fn after(phone: &Device, inspection: &Inspection, plan: &Plan) -> Self {
        Self::of(phone, &pushed(inspection, plan))
    }

    /// The forecast in sentences, the verdict first. Names rules and counts, nothing that people wrote.
    pub fn told(&self) -> Vec<String> {
        let mut told = vec![self.verdict.sentence().to_owned()];
        for (id, count) in &self.stops {
            let times = if *count > 1 { format!(", {count} times") } else { String::new() };
            told.push(format!("It stops at {id}{times}: {}.", id.recovery().words()));
        }
        for (why, count) in &self.loses {
            told.push(format!("It goes on without {count} that {why}."));
        }
        told
    }
}

/// Why it goes on without something, behind "that".
const fn words(why: Loss) -> &'static str {
    match why {
        Loss::BeyondFirstPage => "stand behind the first 100 changes of its pull, which is all that it reads",
        Loss::Unusable => "have no place, name or text that it can use",
        Loss::PlaceTaken => "stand where it has another reading session",
        Loss::NameTaken => "have a name that another of its collections has",
        Loss::RangesCut => "have several ranges, of which it keeps the first",
        Loss::Retired => "are too many reading sessions: it deletes the oldest, on the web as well",
    }
}

/// The server's feed since the device's cursor, once the plan is pushed: each resource once, as it stands then.
fn pushed(inspection: &Inspection, plan: &Plan) -> Window {
    let mut feed: IndexMap<(Kind, String), ServerMutation> = IndexMap::new();
    for mutation in inspection.window.as_phone() {
        let id = identity::id_of(mutation).map_or_else(|| format!("#{}", feed.len()), |id| id.to_string());
        feed.insert((mutation.kind.clone(), id), mutation.clone());
    }
    let mut now = inspection.window.head.value();
    // What the server is documented to refuse does not get there.
    let taken = plan.items().map(|item| &item.wire);
    let taken = taken.filter(|wire| preflight::problems(&wire.kind, wire.op, &wire.data).is_empty());
    for (number, wire) in taken.enumerate() {
        now += 1;
        let named = wire.resource_id.as_ref().map(ToString::to_string);
        let id = named.or_else(|| identity::link_id(&wire.data)).unwrap_or_else(|| format!("new-{number}"));
        let key = (wire.kind.clone(), id.clone());
        // What was written last stands last.
        let before = feed.shift_remove(&key);
        let data = if wire.op == Op::Delete && wire.kind != Kind::Link {
            Payload::ABSENT
        } else {
            let mut members = before.map(|before| before.data.members()).unwrap_or_default();
            members.extend(wire.data.members());
            Payload::from_members(&members)
        };
        let resource_id = Some(ResourceId::from(id));
        let mutation = ServerMutation {
            op: wire.op,
            kind: wire.kind.clone(),
            resource_id,
            data,
            timestamp: Millis(now),
        };
        feed.insert(key, mutation);
    }
    let window = Window::clone(&inspection.window);
    // What it cannot decode stays; the rest is in its reading already.
    let phone = Feed { refused: window.phone.refused, otherwise: None };
    Window { mutations: feed.into_values().collect(), phone, ..window }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan;
    use crate::domain::resolution::Resolution;
    use crate::domain::strategy::{self, Strategy};
    use crate::testing::inspection;

    fn after(device: &str, feed: &str) -> (Verdict, Verdict) {
        let inspection = inspection(device, feed);
        let mut resolution = Resolution::default();
        let choices = strategy::choices_for_all(&inspection, &resolution, Strategy::ClientWins, |_| true);
        resolution.choose("client-wins", choices);
        let plan = plan::plan(&inspection, &resolution, Millis(1_000));
        let now = Forecast::of(&inspection.device, &inspection.window);
        (now.verdict, Forecast::after(&inspection.device, &inspection, &plan).verdict)
    }

    #[test]
    fn pushing_alone_cures_what_only_the_feed_caused_and_nothing_else() {
        let behind = r#"{"queue":[{"id":"q1","type":"UPDATE","resource":"NOTE","resourceId":"n1",
          "data":{"body":"long enough","ranges":["1:1-1:1"]}}]}"#;
        assert_eq!(after(behind, "[]"), (Verdict::ByItself, Verdict::ByItself));
        // A note that is too short is refused at each try, whatever is pushed from here.
        let short = r#"{"queue":[{"id":"q1","type":"CREATE","resource":"NOTE","data":{"body":"kurz","ranges":["1:1-1:1"]}}]}"#;
        assert_eq!(after(short, "[]").1, Verdict::InTheApp);
        // The reading place that was deleted elsewhere: pushing makes it anew, and the phone stops all the same.
        let reading = r#"{"queue":[{"id":"q1","type":"CREATE","resource":"BOOKMARK","resourceId":"b1",
          "data":{"type":"ayah","key":18,"verseNumber":10,"isReading":true,"mushaf":1}}],
          "resources":[{"id":"b1","resource":"BOOKMARK","data":{"type":"ayah","key":18,"verseNumber":10},"syncStatus":"pending_update"}]}"#;
        let deleted = r#"[{"type":"DELETE","resource":"BOOKMARK","resourceId":"b1","timestamp":150}]"#;
        let (now, then) = after(reading, deleted);
        assert_eq!(now, Verdict::RepairedDatabase);
        assert!(then > Verdict::ByItself, "{then:?}");
    }

    #[test]
    fn what_is_pushed_is_in_the_feed_also_where_the_phone_reads_it_in_its_own_way() {
        let device = r#"{"queue":[{"id":"q1","type":"CREATE","resource":"NOTE",
          "data":{"body":"long enough","ranges":["1:1-1:1"]}}]}"#;
        // Only the phone reads a time in quotes.
        let feed = r#"[{"type":"DELETE","resource":"NOTE","resourceId":"n9","timestamp":"150"}]"#;
        let inspection = inspection(device, feed);
        assert_eq!((inspection.window.mutations.len(), inspection.window.as_phone().len()), (0, 1));
        let plan = plan::plan(&inspection, &Resolution::default(), Millis(1_000));
        assert_eq!(plan.items().count(), 1);
        assert_eq!(pushed(&inspection, &plan).as_phone().len(), 2);
    }

    #[test]
    fn each_verdict_has_its_word_and_the_worst_counts() {
        let words: std::collections::BTreeSet<&str> =
            Verdict::ALL.iter().map(|verdict| verdict.word()).collect();
        assert_eq!(words.len(), Verdict::ALL.len());
        assert!(Verdict::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        let both = r#"{"queue":[
          {"id":"q1","type":"CREATE","resource":"NOTE","data":{"body":"kurz","ranges":["1:1-1:1"]}},
          {"id":"q2","type":"DELETE","resource":"NOTE"}]}"#;
        let forecast = Forecast::of(&inspection(both, "[]").device, &inspection(both, "[]").window);
        assert_eq!(forecast.verdict, Verdict::RepairedDatabase, "{forecast:?}");
        assert!(forecast.told().len() > 2);
    }
}
