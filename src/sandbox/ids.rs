//! The ids that the sandbox gives out: 24 letters and digits like the real ones, from a seed and a counter.

use crate::domain::mutation::ResourceId;

/// A source of ids: the same seed gives the same ids in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ids {
    seed: u64,
    given: u64,
}

impl Ids {
    pub(super) const fn seeded(seed: u64) -> Self {
        Self { seed, given: 0 }
    }

    /// The next id.
    pub(super) fn next(&mut self) -> ResourceId {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        self.given = self.given.wrapping_add(1);
        let mut id = String::with_capacity(24);
        for part in 0..2_u64 {
            let mut bits = mixed(self.seed ^ mixed(self.given.wrapping_mul(2).wrapping_add(part)));
            for _ in 0..12 {
                id.push(char::from(DIGITS[(bits % 36) as usize]));
                bits /= 36;
            }
        }
        id.into()
    }
}

/// `SplitMix64`'s finisher: neighbouring counters become unlike numbers, and no two the same.
pub(super) const fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_gives_its_own_ids_and_none_twice() {
        let ids = |seed| {
            let mut source = Ids::seeded(seed);
            (0..10_000).map(|_| source.next()).collect::<Vec<_>>()
        };
        let of_one = ids(1);
        assert_eq!(of_one, ids(1));
        assert_eq!(of_one.iter().chain(&ids(2)).collect::<BTreeSet<_>>().len(), 20_000);
        assert!(of_one.iter().all(|id| id.as_str().len() == 24));
    }
}
