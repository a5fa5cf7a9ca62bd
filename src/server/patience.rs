//! How long to wait before something is tried again, so that clients that failed together do not come back together.

use std::hash::{BuildHasher as _, RandomState};

/// `ms` and up to a quarter more, at random.
pub fn jittered(ms: u64) -> u64 {
    // Every RandomState has keys of its own; nothing more is asked of this chance.
    let chance = RandomState::new().hash_one(ms);
    ms.saturating_add(chance % (ms / 4).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_wait_is_never_shorter_and_at_most_a_quarter_longer() {
        for ms in [0, 1, 3, 4, 200, 120_000, u64::MAX] {
            for _ in 0..100 {
                let longer = jittered(ms) - ms;
                assert!(longer <= ms / 4, "{ms} + {longer}");
            }
        }
    }

    #[test]
    fn those_who_wait_together_come_back_apart() {
        let waits: BTreeSet<u64> = (0..100).map(|_| jittered(10_000)).collect();
        assert!(waits.len() > 50, "{} of 100", waits.len());
    }
}
