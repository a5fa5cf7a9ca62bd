//! What is counted, and the rates that follow from it.

/// What one strategy came to at one interval.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Edits that were made.
    pub edits: u64,
    /// Edits that could not be made, since the device no longer had the resource.
    pub impossible: u64,
    /// Syncs.
    pub syncs: u64,
    /// Of those, syncs that had something to send.
    pub pushes: u64,
    /// POSTs that were refused with 409.
    pub conflicts: u64,
    /// Requests of all syncs.
    pub requests: u64,
    /// Requests that only a 409 made necessary.
    pub extra: u64,
    /// Resources that diverged.
    pub divergences: u64,
    /// Values that somebody had written on the device and that were given up.
    pub lost_device: u64,
    /// Values that somebody had written elsewhere and that were gone over.
    pub lost_server: u64,
    /// Fields that a person was asked about.
    pub asked: u64,
    /// Divergences in which a wrong clock made the older edit the winner.
    pub turned: u64,
    /// POSTs that were refused for another reason; there should be none.
    pub refused: u64,
    /// Users whose devices did not agree in the end, however often they synced after the last edit; there should be none.
    pub never_agreed: u64,
    /// How long devices and server were apart, each stretch from the edit that began it until all agreed, s; in order.
    pub apart_s: Vec<u32>,
}

impl Tally {
    /// Counts another user in.
    pub(super) fn add(&mut self, other: &Self) {
        self.edits += other.edits;
        self.impossible += other.impossible;
        self.syncs += other.syncs;
        self.pushes += other.pushes;
        self.conflicts += other.conflicts;
        self.requests += other.requests;
        self.extra += other.extra;
        self.divergences += other.divergences;
        self.lost_device += other.lost_device;
        self.lost_server += other.lost_server;
        self.asked += other.asked;
        self.turned += other.turned;
        self.refused += other.refused;
        self.never_agreed += other.never_agreed;
        self.apart_s.extend(&other.apart_s);
    }

    /// Values that are lost, of either side.
    pub const fn lost(&self) -> u64 {
        self.lost_device + self.lost_server
    }

    /// 409s in 100 syncs.
    pub fn conflicts_per_100_syncs(&self) -> f64 {
        rate(self.conflicts, self.syncs, 100.0)
    }

    /// 409s in 100 syncs that had something to send.
    pub fn conflicts_per_100_pushes(&self) -> f64 {
        rate(self.conflicts, self.pushes, 100.0)
    }

    /// Divergences in 1,000 edits.
    pub fn divergences_per_1000_edits(&self) -> f64 {
        rate(self.divergences, self.edits, 1000.0)
    }

    /// Values lost in 1,000 edits.
    pub fn lost_per_1000_edits(&self) -> f64 {
        rate(self.lost(), self.edits, 1000.0)
    }

    /// Fields a person is asked about in 1,000 edits.
    pub fn asked_per_1000_edits(&self) -> f64 {
        rate(self.asked, self.edits, 1000.0)
    }

    /// Requests that a 409 made necessary, in 100 syncs that had something to send.
    pub fn extra_per_100_pushes(&self) -> f64 {
        rate(self.extra, self.pushes, 100.0)
    }

    /// Divergences in which a wrong clock made the older edit the winner, in 1,000 edits.
    pub fn turned_per_1000_edits(&self) -> f64 {
        rate(self.turned, self.edits, 1000.0)
    }

    /// How long it took until all agreed, s: the shortest stretch that at least this share (0 to 100) of all stretches
    /// is no longer than.
    pub fn apart_percentile_s(&self, percent: usize) -> Option<u32> {
        let no_longer = (self.apart_s.len() * percent.min(100)).div_ceil(100);
        self.apart_s.get(no_longer.saturating_sub(1)).copied()
    }
}

fn rate(of: u64, among: u64, per: f64) -> f64 {
    if among == 0 { 0.0 } else { of as f64 * per / among as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_shares_and_nothing_of_nothing_is_nothing() {
        let tally = Tally {
            edits: 2000,
            lost_device: 3,
            lost_server: 1,
            divergences: 6,
            asked: 8,
            turned: 1,
            syncs: 50,
            pushes: 20,
            conflicts: 5,
            extra: 9,
            ..Tally::default()
        };
        for (rate, expected) in [
            (tally.lost_per_1000_edits(), 2.0),
            (tally.divergences_per_1000_edits(), 3.0),
            (tally.asked_per_1000_edits(), 4.0),
            (tally.turned_per_1000_edits(), 0.5),
            (tally.conflicts_per_100_syncs(), 10.0),
            (tally.conflicts_per_100_pushes(), 25.0),
            (tally.extra_per_100_pushes(), 45.0),
            (Tally::default().conflicts_per_100_pushes(), 0.0),
            (Tally::default().lost_per_1000_edits(), 0.0),
        ] {
            assert!((rate - expected).abs() < 1e-9, "{rate} {expected}");
        }
    }

    #[test]
    fn percentiles_are_stretches_that_were_counted() {
        let tally = Tally { apart_s: (1..=100).collect(), ..Tally::default() };
        assert_eq!([0, 50, 95, 100].map(|p| tally.apart_percentile_s(p)), [1, 50, 95, 100].map(Some));
        assert_eq!(Tally::default().apart_percentile_s(50), None);
        assert_eq!(Tally { apart_s: vec![7], ..Tally::default() }.apart_percentile_s(95), Some(7));
    }
}
