//! What is simulated, and what of it can be.

use std::fmt;
use std::str::FromStr;

use crate::domain::strategy::Strategy;

/// One thousandth of an edit a day and of an hour: fractions without rounding differences between machines.
const MILLI: f64 = 1000.0;

/// What is simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Devices in all, shared out evenly among the users.
    pub devices: u32,
    /// Users; the devices of one share their data.
    pub users: u32,
    /// Days.
    pub days: u32,
    /// Edits that a device makes a day.
    pub edits_per_day: Thousandths,
    /// Hours a day that a device is offline, in one stretch.
    pub offline_hours: Thousandths,
    /// How wrong a device's clock is at most, s, fast or slow.
    pub skew_s: u32,
    /// How many notes, collections and reading sessions a user has at the start, of each.
    pub resources: u32,
    /// What is edited how often.
    pub mix: Mix,
    /// Whether the app records with each edit what both sides last agreed on.
    pub bases: bool,
    /// The times between two syncs of a device that are tried.
    pub intervals: Vec<Interval>,
    /// Chance's seed.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            devices: 1000,
            users: 500,
            days: 30,
            edits_per_day: Thousandths(2000),
            offline_hours: Thousandths(8000),
            skew_s: 60,
            resources: 10,
            mix: Mix::default(),
            bases: false,
            intervals: vec![Interval(1800), Interval(4 * 3600), Interval(86_400)],
            seed: 1,
        }
    }
}

/// Most devices of one user: a stamp's milliseconds tell whose it is.
pub const MAX_DEVICES_OF_USER: u32 = 1000;
/// Most devices in all.
pub const MAX_DEVICES: u32 = 100_000;
/// Most days.
pub const MAX_DAYS: u32 = 366;
/// Most edits of a device a day.
const MAX_EDITS: Thousandths = Thousandths(1_000_000);
/// Shortest time between two syncs, s.
const MIN_INTERVAL: u32 = 60;
/// Most edits in all, at all intervals together: it takes minutes.
const MAX_EDITS_IN_ALL: u64 = 20_000_000;
/// Most syncs in all: minutes as well.
const MAX_SYNCS_IN_ALL: u64 = 1_000_000_000;
/// Most resources that the devices of one user hold, each counted on every device: that much memory a thread.
const MAX_ROWS_OF_USER: u64 = 1_000_000;

impl Settings {
    /// Why this cannot be simulated.
    ///
    /// # Errors
    /// A sentence that names the setting and its bounds.
    pub fn check(&self) -> Result<(), String> {
        let within = |what: &str, value: u32, min: u32, max: u32| {
            if (min..=max).contains(&value) {
                Ok(())
            } else {
                Err(format!("{what} must be between {min} and {max}, not {value}"))
            }
        };
        within("devices", self.devices, 1, MAX_DEVICES)?;
        within("users", self.users, 1, self.devices)?;
        within("devices of one user", self.devices.div_ceil(self.users), 1, MAX_DEVICES_OF_USER)?;
        within("days", self.days, 1, MAX_DAYS)?;
        within("resources", self.resources, 1, 1000)?;
        within("the skew in seconds", self.skew_s, 0, 30 * 86_400)?;
        if self.edits_per_day > MAX_EDITS {
            return Err(format!("edits a day must be at most {MAX_EDITS}, not {}", self.edits_per_day));
        }
        if self.offline_hours >= Thousandths(24_000) {
            let hours = self.offline_hours;
            return Err(format!(
                "offline hours a day must be fewer than 24, not {hours}: such a device never syncs"
            ));
        }
        if self.mix.total() == 0 {
            return Err(String::from("the mix must have at least one weight above 0"));
        }
        if self.intervals.is_empty() || self.intervals.len() > 12 {
            return Err(String::from("between 1 and 12 intervals can be tried at once"));
        }
        for interval in &self.intervals {
            within("an interval in seconds", interval.0, MIN_INTERVAL, MAX_DAYS * 86_400)?;
        }
        self.check_size()
    }

    /// Each of the settings may be small enough, and all of them together too much.
    fn check_size(&self) -> Result<(), String> {
        let edits =
            |devices: u32| u64::from(devices) * u64::from(self.days) * u64::from(self.edits_per_day.0) / 1000;
        let at_most = |what: &str, count: u64, most: u64| {
            if count <= most { Ok(()) } else { Err(format!("{what} must be at most {most}, not {count}")) }
        };
        let of_user = self.devices.div_ceil(self.users);
        let rows = u64::from(of_user) * (edits(of_user) + 3 * u64::from(self.resources));
        at_most("edits and resources of one user, on each of the user's devices,", rows, MAX_ROWS_OF_USER)?;
        let at_all_intervals = edits(self.devices) * self.intervals.len() as u64;
        at_most("edits in all, at all intervals together,", at_all_intervals, MAX_EDITS_IN_ALL)?;
        let days = u64::from(self.devices) * u64::from(self.days);
        let syncs = self.intervals.iter().map(|interval| days * 86_400 / u64::from(interval.0)).sum();
        at_most("syncs in all", syncs, MAX_SYNCS_IN_ALL)
    }

    /// How often the edits of a user are played: for each user, interval and strategy once.
    pub fn runs(&self) -> u64 {
        u64::from(self.users) * self.intervals.len() as u64 * Strategy::ALL.len() as u64
    }

    /// How many devices a user has: the first ones have one more where it does not come out even.
    pub(super) const fn devices_of(&self, user: u32) -> u32 {
        let more = if user < self.devices % self.users { 1 } else { 0 };
        self.devices / self.users + more
    }
}

/// A number with three decimal places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thousandths(pub u32);

impl Thousandths {
    /// The number.
    pub fn value(self) -> f64 {
        f64::from(self.0) / MILLI
    }
}

impl fmt::Display for Thousandths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value())
    }
}

impl FromStr for Thousandths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number: f64 = text.parse().map_err(|_| String::from("expected a number such as 4 or 0.5"))?;
        if !(0.0..=1_000_000.0).contains(&number) {
            return Err(String::from("expected a number from 0 to 1000000"));
        }
        Ok(Self((number * MILLI).round() as u32))
    }
}

/// A time between two syncs, s; written `30m`, `4h`, `1d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(pub u32);

const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit =
            UNITS.into_iter().find(|(_, seconds)| self.0 >= *seconds && self.0.is_multiple_of(*seconds));
        let (name, seconds) = unit.unwrap_or(('s', 1));
        write!(f, "{}{name}", self.0 / seconds)
    }
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || String::from("expected a time such as 30m, 4h or 1d");
        let number_of = |(unit, seconds)| Some((text.strip_suffix(unit)?, seconds));
        let (number, seconds): (&str, u32) = UNITS.into_iter().find_map(number_of).ok_or_else(wrong)?;
        let number: u32 = number.parse().map_err(|_| wrong())?;
        number.checked_mul(seconds).map(Self).ok_or_else(wrong)
    }
}

/// What an edit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Act {
    /// A note's text is written anew.
    NoteText,
    /// A note is put to other verses.
    NoteRanges,
    /// A collection is renamed.
    CollectionName,
    /// A reading session goes on.
    Position,
    /// A note is made.
    NewNote,
    /// A bookmark is made.
    NewBookmark,
    /// A note is deleted.
    DeleteNote,
}

impl Act {
    /// All, in the order of the mix.
    pub const ALL: [Self; 7] = [
        Self::NoteText,
        Self::NoteRanges,
        Self::CollectionName,
        Self::Position,
        Self::NewNote,
        Self::NewBookmark,
        Self::DeleteNote,
    ];

    /// The name in `--mix`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoteText => "note-text",
            Self::NoteRanges => "note-ranges",
            Self::CollectionName => "collection-name",
            Self::Position => "position",
            Self::NewNote => "new-note",
            Self::NewBookmark => "new-bookmark",
            Self::DeleteNote => "delete-note",
        }
    }
}

/// How often each act is done, as weights; written `note-text=30,position=25`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    weights: [u32; Act::ALL.len()],
}

impl Default for Mix {
    fn default() -> Self {
        Self { weights: [30, 5, 5, 25, 15, 17, 3] }
    }
}

impl Mix {
    /// Only one act.
    #[cfg(test)]
    pub(super) fn only(act: Act) -> Self {
        Self { weights: Act::ALL.map(|other| u32::from(other == act)) }
    }

    /// Each act with its weight.
    pub fn weights(&self) -> impl Iterator<Item = (Act, u32)> {
        Act::ALL.into_iter().zip(self.weights)
    }

    /// The weight of an act.
    pub const fn weight(&self, act: Act) -> u32 {
        self.weights[act as usize]
    }

    /// The same mix with another weight for an act.
    #[must_use]
    pub const fn with(mut self, act: Act, weight: u32) -> Self {
        self.weights[act as usize] = weight;
        self
    }

    pub(super) fn total(&self) -> u64 {
        self.weights.iter().map(|weight| u64::from(*weight)).sum()
    }

    /// The act at a place below [`Mix::total`].
    pub(super) fn act(&self, mut at: u64) -> Act {
        for (act, weight) in self.weights() {
            match at.checked_sub(u64::from(weight)) {
                Some(rest) => at = rest,
                None => return act,
            }
        }
        Act::NoteText
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.weights().filter(|(_, weight)| *weight > 0);
        let words: Vec<String> = named.map(|(act, weight)| format!("{}={weight}", act.name())).collect();
        f.write_str(&words.join(","))
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut weights = [0; Act::ALL.len()];
        for part in text.split(',') {
            let names = || Act::ALL.map(Act::name).join(", ");
            let (name, weight) = part
                .split_once('=')
                .ok_or_else(|| format!("expected NAME=WEIGHT, with a name of {}", names()))?;
            let at = Act::ALL
                .iter()
                .position(|act| act.name() == name.trim())
                .ok_or_else(|| format!("there is no {name:?}; the names are {}", names()))?;
            weights[at] = weight
                .trim()
                .parse::<u32>()
                .ok()
                .filter(|weight| *weight <= 1_000_000)
                .ok_or_else(|| format!("the weight of {name} must be a whole number up to 1000000"))?;
        }
        Ok(Self { weights })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["30m", "4h", "1d", "90s", "36h"] {
            assert_eq!(text.parse::<Interval>().map(|interval| interval.to_string()), Ok(text.to_owned()));
        }
        let mix = Mix::default();
        assert_eq!(mix.to_string().parse(), Ok(mix));
        for (act, weight) in mix.weights() {
            assert_eq!(mix.weight(act), weight);
            assert_eq!(mix.with(act, 7).weight(act), 7);
        }
        assert_eq!("0.5".parse(), Ok(Thousandths(500)));
        for wrong in ["", "m", "5", "30mm", "-1h", "1.5h", "9999999999d"] {
            assert!(wrong.parse::<Interval>().is_err(), "{wrong}");
        }
        for wrong in ["", "note-text", "song=1", "position=-1", "position=x"] {
            assert!(wrong.parse::<Mix>().is_err(), "{wrong}");
        }
        for wrong in ["-1", "NaN", "inf", "x"] {
            assert!(wrong.parse::<Thousandths>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_weight_gets_its_share() {
        let mix: Mix = "position=2,new-note=1".parse().expect("a mix");
        let acts: Vec<Act> = (0..mix.total()).map(|at| mix.act(at)).collect();
        assert_eq!(acts, [Act::Position, Act::Position, Act::NewNote]);
    }

    #[test]
    fn what_cannot_be_simulated_is_told() {
        let with = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.check()
        };
        assert_eq!(with(|_| {}), Ok(()));
        for (change, word) in [
            ((|s| s.devices = 0) as fn(&mut Settings), "devices"),
            (|s| s.users = 1001, "users"),
            (|s| (s.devices, s.users) = (1001, 1), "of one user"),
            (|s| s.days = 0, "days"),
            (|s| s.offline_hours = Thousandths(24_000), "offline"),
            (|s| s.edits_per_day = Thousandths(1_000_001), "edits"),
            (|s| s.mix = Mix { weights: [0; 7] }, "mix"),
            (|s| s.intervals.clear(), "intervals"),
            (|s| s.intervals = vec![Interval(1)], "interval"),
            (|s| s.resources = 0, "resources"),
            (|s| (s.devices, s.users, s.days) = (1000, 1, 366), "of one user"),
            (|s| (s.devices, s.users, s.days) = (100_000, 50_000, 366), "edits in all"),
            (|s| (s.devices, s.users, s.intervals) = (100_000, 100_000, vec![Interval(60)]), "syncs in all"),
        ] {
            assert!(with(change).is_err_and(|reason| reason.contains(word)), "{word}");
        }
    }

    /// Nothing overflows on the way to the sentence.
    #[test]
    fn the_largest_numbers_are_refused_too() {
        let max = u32::MAX;
        for users in [1, max] {
            let settings = Settings {
                devices: max,
                users,
                days: max,
                edits_per_day: Thousandths(max),
                offline_hours: Thousandths(max),
                skew_s: max,
                resources: max,
                intervals: vec![Interval(max); 12],
                ..Settings::default()
            };
            assert!(settings.check().is_err());
        }
    }

    #[test]
    fn devices_are_shared_out() {
        let settings = Settings { devices: 7, users: 3, ..Settings::default() };
        assert_eq!([0, 1, 2].map(|user| settings.devices_of(user)), [3, 2, 2]);
    }
}
