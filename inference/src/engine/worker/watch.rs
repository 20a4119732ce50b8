//! When the worker wakes: once a hop, just after the block that completes the hop. A wake-up costs as much as the
//! networks of a hop, so needless ones are avoided.

use std::time::Duration;

/// Looking instead of being woken keeps system calls out of the audio callback (waking a thread costs it 11 µs).
/// Between this and [`IDLE_POLL`], a quarter of a block, the worker waits for a block that is late: with blocks longer
/// than the margin it has a block's time for a hop.
const POLL: Duration = Duration::from_micros(500);
/// While no input comes; still within the margin for the first hop after the pause.
const IDLE_POLL: Duration = Duration::from_millis(2);
const IDLE_AFTER: Duration = Duration::from_secs(1);
/// A host's blocks come this unevenly. A block that is no later is there at the first look.
const UNEVEN: Duration = Duration::from_micros(250);

/// What the worker waits for.
pub(super) struct Watch {
    /// Time since the newest block came.
    pub since_block: Duration,
    /// Length of a block.
    pub block: Duration,
    /// Of the sound that a hop still needs, in whole blocks.
    pub missing: Duration,
}

impl Watch {
    /// Time until the next look.
    pub fn next_look(&self) -> Duration {
        let due = self.missing + UNEVEN;
        if self.since_block > IDLE_AFTER {
            IDLE_POLL
        } else if self.since_block < due {
            due - self.since_block
        } else {
            (self.block / 4).clamp(POLL, IDLE_POLL)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Looks until input comes, for `n_hops` hops of three blocks of `block`, the blocks `late` by turns.
    fn looks(n_hops: u32, block: Duration, late: &[Duration]) -> (u32, Duration) {
        let came = |i: u32| block * i + late[i as usize % late.len()];
        let (mut now, mut n_looks, mut worst) = (Duration::ZERO, 0, Duration::ZERO);
        for hop in 0..n_hops {
            let last = 3 * hop + 2;
            while now < came(last) {
                let newest = (0..last).rev().find(|i| came(*i) <= now).unwrap_or(0);
                let missing = block * (last - newest);
                now += Watch { since_block: now.saturating_sub(came(newest)), block, missing }.next_look();
                n_looks += 1;
            }
            worst = worst.max(now - came(last));
        }
        (n_looks, worst)
    }

    #[test]
    fn one_look_a_hop_is_enough_for_an_even_host() {
        assert_eq!(looks(100, MS, &[Duration::ZERO]), (100, UNEVEN));
        let (n_looks, worst) = looks(100, MS, &[Duration::ZERO, MS / 10, MS / 5]);
        assert_eq!(n_looks, 100);
        assert!(worst <= 2 * UNEVEN, "{worst:?}");
    }

    #[test]
    fn an_uneven_host_is_not_kept_waiting() {
        let (n_looks, worst) = looks(100, MS, &[Duration::ZERO, 3 * MS / 2, MS / 2, MS / 4, MS]);
        assert!(n_looks <= 250, "{n_looks}");
        assert!(worst <= MS + UNEVEN, "{worst:?}");
    }

    #[test]
    fn silence_from_the_host_is_watched_seldom() {
        let watch = |since_block| Watch { since_block, block: MS, missing: 4 * MS }.next_look();
        assert_eq!(watch(MS), 3 * MS + UNEVEN);
        assert_eq!(watch(5 * MS), POLL);
        assert_eq!(watch(1001 * MS), IDLE_POLL);
        assert_eq!(Watch { since_block: 40 * MS, block: 20 * MS, missing: MS }.next_look(), IDLE_POLL);
    }
}
