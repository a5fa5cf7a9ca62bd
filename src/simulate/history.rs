//! What the people of one user do: which device edits what and when, when it is offline, how wrong its clock is. It
//! is the same for every strategy and every interval.

use std::ops::Range;

use super::chance::Chance;
use super::settings::{Act, Settings};

/// A day, ms.
pub(super) const DAY: i64 = 86_400_000;

/// What happens on the devices of one user. Times are ms since the start, in whole seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub devices: Vec<Habits>,
    /// By time.
    pub edits: Vec<Edit>,
    /// When it ends.
    pub end: i64,
}

/// What is particular to a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Habits {
    /// How far its clock is ahead, ms, in whole seconds; negative where it is behind.
    pub clock_error: i64,
    /// When it cannot sync, in order.
    pub offline: Vec<Range<i64>>,
    /// Where in the interval its syncs lie, in millionths of it.
    pub phase: u32,
}

/// One edit of a person.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edit {
    pub at: i64,
    pub device: u16,
    pub act: Act,
    /// Which of the user's resources; without meaning where something is made.
    pub which: u32,
    /// Its number among the user's edits, from 0: makes what it writes unlike everything else.
    pub number: u32,
}

impl History {
    /// The history of a user.
    pub(super) fn of_user(settings: &Settings, user: u32) -> Self {
        let mut chance = Chance::of_user(settings.seed, user);
        let skew = i64::from(settings.skew_s);
        let offline = i64::from(settings.offline_hours.0) * 3600;
        let mut history = Self { end: i64::from(settings.days) * DAY, ..Self::default() };
        for device in 0..settings.devices_of(user) {
            let clock_error = (chance.below(2 * skew.unsigned_abs() + 1) as i64 - skew) * 1000;
            let phase = chance.below(1_000_000) as u32;
            let mut habits = Habits { clock_error, offline: Vec::new(), phase };
            for day in 0..i64::from(settings.days) {
                let room = (DAY - offline).unsigned_abs() / 1000;
                let from = day * DAY + chance.below(room + 1) as i64 * 1000;
                if offline > 0 {
                    habits.offline.push(from..from + offline);
                }
                let whole = settings.edits_per_day.0 / 1000;
                let more = u64::from(settings.edits_per_day.0 % 1000) * 1000;
                for _ in 0..whole + u32::from(chance.happens(more)) {
                    history.edits.push(Edit {
                        at: day * DAY + chance.below(DAY.unsigned_abs() / 1000) as i64 * 1000,
                        device: device as u16,
                        act: settings.mix.act(chance.below(settings.mix.total())),
                        which: chance.below(u64::from(settings.resources)) as u32,
                        number: 0,
                    });
                }
            }
            history.devices.push(habits);
        }
        history.edits.sort_by_key(|edit| (edit.at, edit.device));
        for (number, edit) in history.edits.iter_mut().enumerate() {
            edit.number = number as u32;
        }
        history
    }
}

impl Habits {
    /// The first sync of this device at or after `from`, ms, where it syncs every `interval` ms and cannot while it
    /// is offline.
    pub(super) fn next_sync(&self, from: i64, interval: i64) -> i64 {
        let phase = interval * i64::from(self.phase) / 1_000_000 / 1000 * 1000;
        let after = |from: i64| phase + (from - phase).max(0).div_euclid(interval) * interval;
        let mut at = after(from);
        while at < from {
            at += interval;
        }
        let mut stretch = self.offline.partition_point(|stretch| stretch.end <= at);
        while let Some(offline) = self.offline.get(stretch).filter(|offline| offline.contains(&at)) {
            at = after(offline.end);
            while at < offline.end {
                at += interval;
            }
            stretch = self.offline.partition_point(|stretch| stretch.end <= at);
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::settings::{Mix, Thousandths};

    #[test]
    fn a_history_holds_what_the_settings_ask_for() {
        let settings = Settings {
            devices: 5,
            users: 2,
            days: 3,
            edits_per_day: Thousandths(4000),
            offline_hours: Thousandths(6000),
            skew_s: 10,
            mix: Mix::only(Act::Position),
            ..Settings::default()
        };
        let history = History::of_user(&settings, 0);
        assert_eq!(history.devices.len(), 3);
        assert_eq!(history.edits.len(), 3 * 3 * 4);
        assert!(history.edits.is_sorted_by_key(|edit| edit.at));
        assert!(history.edits.iter().all(|edit| edit.act == Act::Position && edit.at % 1000 == 0));
        for habits in &history.devices {
            assert!(habits.clock_error.abs() <= 10_000);
            let offline: i64 = habits.offline.iter().map(|stretch| stretch.end - stretch.start).sum();
            assert_eq!(offline, 3 * 6 * 3_600_000);
            assert!(habits.offline.iter().all(|stretch| stretch.start / DAY == (stretch.end - 1) / DAY));
        }
        assert_eq!(History::of_user(&settings, 1).edits.len(), 2 * 3 * 4);
    }

    #[test]
    fn a_half_edit_a_day_is_one_every_other_day() {
        let settings = Settings {
            devices: 1,
            users: 1,
            days: 300,
            edits_per_day: Thousandths(500),
            ..Settings::default()
        };
        let edits = History::of_user(&settings, 0).edits.len();
        assert!((120..180).contains(&edits), "{edits}");
    }

    #[test]
    fn a_device_syncs_at_its_times_unless_it_is_offline() {
        let minute = 60_000;
        let offline = std::iter::once(25 * minute..45 * minute).collect();
        let habits = Habits { clock_error: 0, offline, phase: 500_000 };
        let next = |from: i64| habits.next_sync(from * minute, 10 * minute) / minute;
        assert_eq!([0, 5, 6, 15, 24, 26, 45, 46].map(next), [5, 5, 15, 15, 45, 45, 45, 55]);
    }
}
