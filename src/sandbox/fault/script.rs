//! Which request meets which fault.

use std::num::NonZeroU64;

use super::super::ids::mixed;
use super::{Fault, Faults};

/// All rules of a sandbox, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    rules: Vec<Rule>,
}

/// Some requests, and what happens to each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(super) requests: Requests,
    pub(super) which: Which,
    /// Each request meets one of these, drawn with the seed, and of that one everything.
    pub(super) one_of: Vec<Vec<Fault>>,
    pub(super) seed: u64,
}

/// Of which requests a rule speaks; their numbers count these only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requests {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// All of them.
    Any,
}

/// Which of those requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Each.
    All,
    /// The first of these numbers up to the last, both included; without a last one there is no end.
    Numbers(NonZeroU64, Option<NonZeroU64>),
    /// So many in a hundred, 0 to 100, drawn with the seed.
    Percent(u8),
}

/// A request, as far as a script cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its number among all requests, from 1.
    pub number: u64,
    /// Its method.
    pub method: Method,
    /// Its number among those of its method, from 1.
    pub of_method: u64,
}

/// The methods that a rule can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// Any other.
    Other,
}

impl Script {
    /// Whether there is no rule.
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Everything that goes wrong with this request: what every rule says of it, one after the other.
    pub fn faults(&self, asked: Asked) -> Faults {
        let rules = (0..).zip(&self.rules);
        rules.flat_map(|(place, rule)| rule.faults(place, asked)).copied().collect()
    }
}

impl FromIterator<Rule> for Script {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self { rules: rules.into_iter().collect() }
    }
}

impl Rule {
    /// What the rule, which is the script's number `place`, does to this request.
    fn faults(&self, place: u64, asked: Asked) -> &[Fault] {
        let number = match (self.requests, asked.method) {
            (Requests::Any, Method::Get | Method::Post | Method::Other) => asked.number,
            (Requests::Get, Method::Get) | (Requests::Post, Method::Post) => asked.of_method,
            (Requests::Get, Method::Post | Method::Other) | (Requests::Post, Method::Get | Method::Other) => {
                return &[];
            }
        };
        // Two rules of one seed must not draw alike, nor the two draws of one rule.
        let draw = |what: u64, of: u64| {
            mixed(self.seed ^ mixed(place.wrapping_mul(2).wrapping_add(what) ^ mixed(number))) % of.max(1)
        };
        let meets = match self.which {
            Which::All => true,
            Which::Numbers(first, last) => {
                first.get() <= number && last.is_none_or(|last| number <= last.get())
            }
            Which::Percent(percent) => draw(0, 100) < u64::from(percent),
        };
        if !meets {
            return &[];
        }
        let drawn = usize::try_from(draw(1, self.one_of.len() as u64)).unwrap_or(0);
        self.one_of.get(drawn).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::fault::{Loss, Write};

    fn script(rules: &[&str]) -> Script {
        rules.iter().map(|rule| rule.parse::<Rule>().unwrap_or_else(|e| panic!("{e}"))).collect()
    }

    /// What the POSTs 1 to `count` meet, with a GET before each.
    fn posts(rules: &[&str], count: u64) -> Vec<Faults> {
        let script = script(rules);
        let post = |n| Asked { number: 2 * n, method: Method::Post, of_method: n };
        (1..=count).map(|n| script.faults(post(n))).collect()
    }

    fn struck(rules: &[&str], count: u64) -> Vec<u64> {
        (1..).zip(posts(rules, count)).filter(|(_, faults)| !faults.is_empty()).map(|(n, _)| n).collect()
    }

    #[test]
    fn numbers_count_the_requests_that_the_rule_speaks_of() {
        assert_eq!(struck(&["post:2=500"], 5), [2]);
        assert_eq!(struck(&["any:2=500"], 5), [1]);
        assert_eq!(struck(&["post:2-4=500"], 5), [2, 3, 4]);
        assert_eq!(struck(&["post:3-=500"], 5), [3, 4, 5]);
        assert_eq!(struck(&["post:*=500"], 3), [1, 2, 3]);
        assert!(struck(&["get:*=500"], 3).is_empty());
    }

    #[test]
    fn another_method_meets_only_what_any_request_meets() {
        let script = script(&["any:*=race", "get:*=500", "post:*=500"]);
        let asked = Asked { number: 1, method: Method::Other, of_method: 1 };
        assert_eq!(script.faults(asked).iter().collect::<Vec<_>>(), [Fault::Write(Write::Another)]);
    }

    #[test]
    fn a_share_is_drawn_alike_every_time_and_otherwise_with_another_seed() {
        let of = |seed: u64| struck(&[&format!("post:5%=500@seed={seed}")], 10_000);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        for seed in 0..20 {
            assert!((400..=600).contains(&of(seed).len()), "{} of 10,000", of(seed).len());
        }
        assert!(struck(&["post:0%=500"], 100).is_empty());
        assert_eq!(struck(&["post:100%=500"], 100).len(), 100);
    }

    #[test]
    fn two_rules_of_one_seed_draw_apart() {
        let both = posts(&["post:50%=race", "post:50%=500"], 1000);
        let (two, none) =
            (both.iter().filter(|f| f.iter().count() == 2), both.iter().filter(|f| f.is_empty()));
        assert!((150..350).contains(&two.count()) && (150..350).contains(&none.count()));
    }

    #[test]
    fn of_several_faults_one_is_drawn_and_all_get_their_turn() {
        let drawn = posts(&["post:*=race,timeout-after,race+timeout-after"], 300);
        let count = |race: bool, loss: bool| {
            drawn
                .iter()
                .filter(|f| (f.writes().count() == 1, f.loss() == Some(Loss::Silence)) == (race, loss))
                .count()
        };
        let counts = [count(true, false), count(false, true), count(true, true)];
        assert_eq!(counts.iter().sum::<usize>(), 300);
        assert!(counts.iter().all(|n| (60..140).contains(n)), "{counts:?}");
    }

    #[test]
    fn rules_add_up_and_what_excludes_another_stands_first() {
        let met =
            posts(&["post:1=race+429:3", "post:*=slow:20+truncated", "post:1=500+slow:5+timeout-after"], 1);
        let [faults] = &*met else { panic!("one POST") };
        assert_eq!(faults.writes().count(), 1);
        assert_eq!(faults.delay().as_millis(), 25);
        assert!(matches!(faults.instead(), Some(super::super::Instead::RateLimited(_))));
        assert_eq!(faults.loss(), Some(Loss::Truncated));
    }
}
