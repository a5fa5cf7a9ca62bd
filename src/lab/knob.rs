//! What of the settings a person can turn on the screen, and by how much at once.

use crate::simulate::{Act, Settings, Thousandths};

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knob {
    /// Devices in all.
    Devices,
    /// Users.
    Users,
    /// Days.
    Days,
    /// Edits a day and device.
    Edits,
    /// Hours offline a day.
    Offline,
    /// How wrong a clock is at most.
    Skew,
    /// Resources that a user begins with.
    Resources,
    /// Whether the app records bases.
    Bases,
    /// Chance's seed.
    Seed,
    /// How often something is edited, as a weight.
    Weight(Act),
}

/// A weight is turned no further.
const MAX_WEIGHT: u32 = 1000;

impl Knob {
    /// In the order shown.
    pub const ALL: [Self; 16] = [
        Self::Devices,
        Self::Users,
        Self::Days,
        Self::Edits,
        Self::Offline,
        Self::Skew,
        Self::Resources,
        Self::Bases,
        Self::Seed,
        Self::Weight(Act::NoteText),
        Self::Weight(Act::NoteRanges),
        Self::Weight(Act::CollectionName),
        Self::Weight(Act::Position),
        Self::Weight(Act::NewNote),
        Self::Weight(Act::NewBookmark),
        Self::Weight(Act::DeleteNote),
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Users => "users",
            Self::Days => "days",
            Self::Edits => "edits a day and device",
            Self::Offline => "hours offline a day",
            Self::Skew => "clock error up to, s",
            Self::Resources => "resources of each kind",
            Self::Bases => "the app records bases",
            Self::Seed => "seed",
            Self::Weight(act) => act.name(),
        }
    }

    /// Its value.
    pub fn value(self, settings: &Settings) -> String {
        match self {
            Self::Devices => settings.devices.to_string(),
            Self::Users => settings.users.to_string(),
            Self::Days => settings.days.to_string(),
            Self::Edits => settings.edits_per_day.to_string(),
            Self::Offline => settings.offline_hours.to_string(),
            Self::Skew => settings.skew_s.to_string(),
            Self::Resources => settings.resources.to_string(),
            Self::Bases => String::from(if settings.bases { "yes" } else { "no" }),
            Self::Seed => settings.seed.to_string(),
            Self::Weight(act) => settings.mix.weight(act).to_string(),
        }
    }

    /// Turns it one step. Answers whether it changed: nothing is turned to where it cannot be simulated.
    pub fn turn(self, settings: &mut Settings, more: bool) -> bool {
        let mut turned = settings.clone();
        match self {
            Self::Devices => turned.devices = stepped(turned.devices, more, &[1, 2, 5]),
            Self::Users => turned.users = stepped(turned.users, more, &[1, 2, 5]),
            Self::Days => turned.days = stepped(turned.days, more, &[1, 2, 3, 7]),
            Self::Edits => turned.edits_per_day = thousandths(turned.edits_per_day, more, 500),
            Self::Offline => turned.offline_hours = thousandths(turned.offline_hours, more, 1000),
            Self::Skew if turned.skew_s == 0 && more => turned.skew_s = 1,
            Self::Skew if turned.skew_s == 1 && !more => turned.skew_s = 0,
            Self::Skew => turned.skew_s = stepped(turned.skew_s, more, &[1, 2, 5]),
            Self::Resources => turned.resources = stepped(turned.resources, more, &[1, 2, 5]),
            Self::Bases => turned.bases = more,
            Self::Seed if more => turned.seed = turned.seed.saturating_add(1),
            Self::Seed => turned.seed = turned.seed.saturating_sub(1),
            Self::Weight(act) => {
                let weight = turned.mix.weight(act);
                let weight = if more { weight.saturating_add(5) } else { weight.saturating_sub(5) };
                turned.mix = turned.mix.with(act, weight.min(MAX_WEIGHT));
            }
        }
        let changed = turned != *settings && turned.check().is_ok();
        if changed {
            *settings = turned;
        }
        changed
    }
}

/// The next of the round numbers that these digits make, 1, 2, 5, 10, 20, …
fn stepped(value: u32, more: bool, digits: &[u32]) -> u32 {
    let rounds =
        (0..9).flat_map(|power| digits.iter().map(move |digit| digit.saturating_mul(10_u32.pow(power))));
    if more {
        rounds.filter(|round| *round > value).min().unwrap_or(value)
    } else {
        rounds.filter(|round| *round < value).max().unwrap_or(value)
    }
}

fn thousandths(value: Thousandths, more: bool, step: u32) -> Thousandths {
    Thousandths(if more { value.0.saturating_add(step) } else { value.0.saturating_sub(step) })
}
