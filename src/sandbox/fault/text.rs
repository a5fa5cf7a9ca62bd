//! Rules as text: what `--fault` takes, and the message where it cannot be read.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use super::{Bend, Fault, Gateway, Instead, Loss, Requests, RetryAfter, Rule, Which, Words, Write};

/// What `--fault` takes.
pub const GRAMMAR: &str = "\
A rule is  REQUESTS:WHICH=FAULT  with an optional  @seed=N  at its end.
  REQUESTS  get, post or any
  WHICH     *      each of them
            2      the second; numbers count the REQUESTS of the rule
            2-5    the second to the fifth
            2-     all from the second on
            5%     five in a hundred, drawn with the seed
  FAULT     race, race:same, head-jump                  somebody writes first
            401, 409-storm, 429, 429:SECONDS, 429:date:SECONDS, 500, 502-html, timeout-before
                                                        the server never sees the request
            ack-wrong-count, ack-wrong-type, ack-wrong-id, ack-wrong-order, page-shift
                                                        the answer, or what comes after it, is odd
            timeout-after, 500:after, 502-html:after, reset-mid-body, truncated
                                                        the server did it, the answer is lost
            302:after, 401:after, 403:after, 404:after, 409:after, 413:after, 422:after, 429:after
                                                        the server did it, a gateway tried it twice
            own-words, suffix                           the server trims and recases, or suffixes names
            slow:MS                                     the answer is late
  A+B is both, A,B is one of them, drawn with the seed; + binds closer.
Examples: post:2=timeout-after   get:1-3=500   post:*=race   any:5%=500,race+timeout-after@seed=7";

/// The seed of a rule that names none.
const SEED: u64 = 1;
/// The longest delay, ms: no client waits for more than ten minutes.
const MAX_MS: u32 = 600_000;
/// The farthest `Retry-After`, s: a day.
const MAX_SECONDS: u32 = 86_400;

/// The faults that are one word.
const WORDS: [(&str, Fault); 29] = [
    ("race", Fault::Write(Write::Another)),
    ("race:same", Fault::Write(Write::Same)),
    ("head-jump", Fault::Write(Write::Unseen)),
    ("401", Fault::Instead(Instead::Unauthorized)),
    ("409-storm", Fault::Instead(Instead::OutOfSync)),
    ("429", Fault::Instead(Instead::RateLimited(None))),
    ("500", Fault::Instead(Instead::Gateway(Gateway::InternalError))),
    ("502-html", Fault::Instead(Instead::Gateway(Gateway::Html))),
    ("timeout-before", Fault::Instead(Instead::Silence)),
    ("ack-wrong-count", Fault::Bend(Bend::Count)),
    ("ack-wrong-type", Fault::Bend(Bend::Type)),
    ("ack-wrong-id", Fault::Bend(Bend::Id)),
    ("ack-wrong-order", Fault::Bend(Bend::Order)),
    ("page-shift", Fault::PageShift),
    ("500:after", Fault::Loss(Loss::Gateway(Gateway::InternalError))),
    ("502-html:after", Fault::Loss(Loss::Gateway(Gateway::Html))),
    ("timeout-after", Fault::Loss(Loss::Silence)),
    ("reset-mid-body", Fault::Loss(Loss::Reset)),
    ("truncated", Fault::Loss(Loss::Truncated)),
    ("302:after", Fault::Loss(Loss::Refusal(302))),
    ("401:after", Fault::Loss(Loss::Refusal(401))),
    ("403:after", Fault::Loss(Loss::Refusal(403))),
    ("404:after", Fault::Loss(Loss::Refusal(404))),
    ("409:after", Fault::Loss(Loss::Refusal(409))),
    ("413:after", Fault::Loss(Loss::Refusal(413))),
    ("422:after", Fault::Loss(Loss::Refusal(422))),
    ("429:after", Fault::Loss(Loss::Refusal(429))),
    ("own-words", Fault::Words(Words::Own)),
    ("suffix", Fault::Words(Words::Suffix)),
];

/// Text that is no rule. Shown, it says what is wrong and then the whole grammar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} in the fault {rule:?} is not {expected}.\n\n{GRAMMAR}")]
pub struct BadRule {
    rule: String,
    found: String,
    expected: &'static str,
}

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(rule: &str) -> Result<Self, BadRule> {
        let not =
            |found: &str, expected| BadRule { rule: rule.to_owned(), found: found.to_owned(), expected };
        let text = rule.trim();
        let (text, seed) = match text.split_once("@seed=") {
            Some((text, seed)) => (text, whole(seed).ok_or_else(|| not(seed, "a seed, a whole number"))?),
            None => (text, SEED),
        };
        let (meeting, faults) = text.split_once('=').ok_or_else(|| not(text, "REQUESTS:WHICH=FAULT"))?;
        let (requests, which) = meeting.split_once(':').ok_or_else(|| not(meeting, "REQUESTS:WHICH"))?;
        let one_of = faults.split(',').map(|all| {
            let all = all.split('+').map(|word| fault(word).ok_or_else(|| not(word, "a fault")));
            all.collect::<Result<Vec<_>, _>>()
        });
        Ok(Self {
            requests: read_requests(requests).ok_or_else(|| not(requests, "get, post or any"))?,
            which: read_which(which).ok_or_else(|| not(which, "*, 2, 2-5, 2- or 5%"))?,
            one_of: one_of.collect::<Result<_, _>>()?,
            seed,
        })
    }
}

/// A whole number in digits alone: no sign, no blank.
fn whole<N: FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn read_requests(word: &str) -> Option<Requests> {
    [Requests::Get, Requests::Post, Requests::Any].into_iter().find(|requests| requests.to_string() == word)
}

fn read_which(text: &str) -> Option<Which> {
    if text == "*" {
        return Some(Which::All);
    }
    if let Some(percent) = text.strip_suffix('%') {
        return whole(percent).filter(|percent| *percent <= 100).map(Which::Percent);
    }
    let Some((first, last)) = text.split_once('-') else {
        let only = whole(text)?;
        return Some(Which::Numbers(only, Some(only)));
    };
    let first: NonZeroU64 = whole(first)?;
    if last.is_empty() {
        return Some(Which::Numbers(first, None));
    }
    let last = whole(last).filter(|last| first <= *last)?;
    Some(Which::Numbers(first, Some(last)))
}

fn fault(word: &str) -> Option<Fault> {
    if let Some((_, fault)) = WORDS.iter().find(|(known, _)| *known == word) {
        return Some(*fault);
    }
    let seconds = |text: &str| whole(text).filter(|seconds| *seconds <= MAX_SECONDS);
    match word.split_once(':')? {
        ("slow", ms) => whole(ms).filter(|ms| *ms <= MAX_MS).map(Fault::Slow),
        ("429", when) => {
            let after = match when.strip_prefix("date:") {
                Some(date) => RetryAfter::Date(seconds(date)?),
                None => RetryAfter::Seconds(seconds(when)?),
            };
            Some(Fault::Instead(Instead::RateLimited(Some(after))))
        }
        _ => None,
    }
}

/// As the script says it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slow(ms) => write!(f, "slow:{ms}"),
            Self::Instead(Instead::RateLimited(Some(RetryAfter::Seconds(seconds)))) => {
                write!(f, "429:{seconds}")
            }
            Self::Instead(Instead::RateLimited(Some(RetryAfter::Date(seconds)))) => {
                write!(f, "429:date:{seconds}")
            }
            Self::Write(_)
            | Self::Instead(
                Instead::OutOfSync
                | Instead::RateLimited(None)
                | Instead::Unauthorized
                | Instead::Gateway(_)
                | Instead::Silence,
            )
            | Self::Bend(_)
            | Self::PageShift
            | Self::Loss(_)
            | Self::Words(_) => {
                let word = WORDS.iter().find(|(_, fault)| fault == self);
                f.write_str(word.map_or("", |(word, _)| word))
            }
        }
    }
}

/// As the script says it.
impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Any => "any",
        })
    }
}

/// As the script says it.
impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Numbers(first, Some(last)) if first == last => write!(f, "{first}"),
            Self::Numbers(first, Some(last)) => write!(f, "{first}-{last}"),
            Self::Numbers(first, None) => write!(f, "{first}-"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// As the script says it; read again it is the same rule.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}=", self.requests, self.which)?;
        for (place, all) in self.one_of.iter().enumerate() {
            for (within, fault) in all.iter().enumerate() {
                let before = match (place, within) {
                    (0, 0) => "",
                    (_, 0) => ",",
                    _ => "+",
                };
                write!(f, "{before}{fault}")?;
            }
        }
        if self.seed == SEED { Ok(()) } else { write!(f, "@seed={}", self.seed) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_is_read_and_written_again() {
        let words = WORDS.iter().map(|(word, _)| format!("any:*={word}"));
        let rules = [
            "post:2=timeout-after",
            "get:1-3=500",
            "any:5%=502-html@seed=7",
            "post:*=race",
            "post:10-=429:3+slow:250",
            "any:100%=429:date:60,race+truncated,slow:0@seed=18446744073709551615",
        ];
        for text in rules.map(str::to_owned).into_iter().chain(words) {
            let rule: Rule = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(rule.to_string(), text);
        }
        assert_eq!(
            " any:*=race@seed=1 ".parse::<Rule>().map(|rule| rule.to_string()).as_deref(),
            Ok("any:*=race")
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_with_the_grammar() {
        for (text, found) in [
            ("", "\"\""),
            ("race", "\"race\""),
            ("post=race", "\"post\""),
            ("put:1=race", "\"put\""),
            ("POST:1=race", "\"POST\""),
            ("post:0=race", "\"0\""),
            ("post:=race", "\"\""),
            ("post:3-2=race", "\"3-2\""),
            ("post:-2=race", "\"-2\""),
            ("post:+2=race", "\"+2\""),
            ("post:101%=race", "\"101%\""),
            ("post:99999999999999999999=race", "\"99999999999999999999\""),
            ("post:1=", "\"\""),
            ("post:1=race+", "\"\""),
            ("post:1=race,storm", "\"storm\""),
            ("post:1=slow", "\"slow\""),
            ("post:1=slow:600001", "\"slow:600001\""),
            ("post:1=429:86401", "\"429:86401\""),
            ("post:1=429:date:", "\"429:date:\""),
            ("post:1=race@seed=", "\"\""),
            ("post:1=race@seed=x", "\"x\""),
        ] {
            let message = text.parse::<Rule>().expect_err(text).to_string();
            assert!(message.starts_with(&format!("{found} in the fault {text:?} is not ")), "{message}");
            assert!(message.ends_with(GRAMMAR), "{message}");
        }
    }

    #[test]
    fn the_grammar_names_every_fault_and_its_examples_are_rules() {
        let words = GRAMMAR.split([' ', ',', '\n']).collect::<Vec<_>>();
        for (word, _) in WORDS {
            assert!(words.contains(&word), "{word}");
        }
        let examples = GRAMMAR.split_once("Examples: ").expect("examples").1.split_whitespace();
        assert_eq!(examples.filter(|example| example.parse::<Rule>().is_ok()).count(), 4);
    }

    #[test]
    fn the_documentation_has_one_line_for_each_fault() {
        let text = include_str!("../../../assets/faults.md");
        let words = WORDS.map(|(word, _)| word).into_iter();
        for form in words.chain(["429:SECONDS", "429:date:SECONDS", "slow:MS"]) {
            let row = format!("| `{form}` | ");
            assert_eq!(text.lines().filter(|line| line.starts_with(&row)).count(), 1, "{form}");
        }
    }

    fn any_fault() -> impl Strategy<Value = Fault> {
        prop_oneof![
            (0..WORDS.len()).prop_map(|at| WORDS[at].1),
            (0..=MAX_MS).prop_map(Fault::Slow),
            (0..=MAX_SECONDS, any::<bool>()).prop_map(|(seconds, date)| {
                let after = if date { RetryAfter::Date(seconds) } else { RetryAfter::Seconds(seconds) };
                Fault::Instead(Instead::RateLimited(Some(after)))
            }),
        ]
    }

    fn any_rule() -> impl Strategy<Value = Rule> {
        let number = || (1..=u64::MAX).prop_filter_map("not zero", NonZeroU64::new);
        let which = prop_oneof![
            Just(Which::All),
            number().prop_map(|first| Which::Numbers(first, None)),
            (number(), number()).prop_map(|(a, b)| Which::Numbers(a.min(b), Some(a.max(b)))),
            (0..=100_u8).prop_map(Which::Percent),
        ];
        let requests = prop_oneof![Just(Requests::Get), Just(Requests::Post), Just(Requests::Any)];
        let faults = prop::collection::vec(prop::collection::vec(any_fault(), 1..4), 1..4);
        (requests, which, faults, any::<u64>()).prop_map(|(requests, which, one_of, seed)| Rule {
            requests,
            which,
            one_of,
            seed,
        })
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in ".{0,60}") {
            let _ = text.parse::<Rule>();
        }

        #[test]
        fn text_that_is_nearly_a_rule_is_never_too_odd(
            text in "(get|post|any|x)?:?([0-9]{0,25}|\\*|[0-9]{1,3}%)-?[0-9]{0,3}=?(race|429:|slow:|date:|[0-9]{0,12}|[+,@=]){0,5}(@seed=[0-9]{0,25})?"
        ) {
            let _ = text.parse::<Rule>();
        }

        #[test]
        fn a_rule_that_is_written_reads_the_same(rule in any_rule()) {
            prop_assert_eq!(rule.to_string().parse::<Rule>(), Ok(rule));
        }
    }
}
