//! Detects hosts that render faster than realtime without saying so. A live host is never ahead of the clock. While a
//! host is ahead, the callback may wait for the worker that long.

use std::time::{Duration, Instant};

/// A live host's blocks come this unevenly: half of their own length, and so much.
const UNEVEN: Duration = Duration::from_millis(4);
/// Share by which the clocks of sound card and computer may differ.
const DRIFT: f64 = 1e-3;
/// Most that one block may wait: the worker is stuck, then.
const LONGEST: Duration = Duration::from_millis(500);
/// What a live host may have missed and make up for, s, or two of its blocks: so much lies in the buffers of a sound
/// card.
const MISSED_S: f64 = 0.05;

/// Sound that was asked for against time that has passed.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the last block came, and how long it was, s.
    last: Option<(Instant, f64)>,
    /// Sound ahead of the clock when it came, s; below 0 what a live host may still make up for.
    lead_s: f64,
}

impl Pace {
    /// A block of `block_s` seconds comes `now`. Returns the time that the host can spare. Realtime-safe.
    pub fn block(&mut self, now: Instant, block_s: f64) -> Duration {
        let mut longest_s = block_s;
        if let Some((before, played_s)) = self.last {
            let elapsed_s = now.duration_since(before).as_secs_f64();
            // This may be the first piece of one as long as the last.
            longest_s = longest_s.max(played_s);
            let missed_s = MISSED_S.max(2.0 * longest_s);
            self.lead_s = (self.lead_s + played_s - elapsed_s * (1.0 + DRIFT)).max(-missed_s);
        }
        self.last = Some((now, block_s));
        let spare_s = self.lead_s - 0.5 * longest_s - UNEVEN.as_secs_f64();
        Duration::from_secs_f64(spare_s.max(0.0)).min(LONGEST)
    }

    /// The block goes on with a piece of `piece_s` seconds. It comes at once, which says nothing of the host's clock.
    /// Realtime-safe.
    pub fn piece(&mut self, piece_s: f64) {
        if let Some((_, played_s)) = &mut self.last {
            *played_s += piece_s;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_host_has_no_time_to_spare() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let block_s = 256.0 / 48_000.0;
        for i in 0..200_000 {
            // Uneven, on a clock that is a little fast, with a stall now and then.
            let uneven_s = [0.0, 0.002, -0.002, 0.001][i % 4] + if i % 5000 == 0 { 0.003 } else { 0.0 };
            let at = start + Duration::from_secs_f64(0.01 + i as f64 * block_s * 0.9995 + uneven_s);
            assert_eq!(pace.block(at, block_s), Duration::ZERO, "block {i}");
        }
    }

    #[test]
    fn nor_has_one_whose_blocks_are_cut() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let block_s = 1024.0 / 48_000.0;
        for i in 0..2000 {
            // Automation cuts every other block into 16 pieces.
            let n_pieces = if i % 2 == 0 { 16 } else { 1 };
            let uneven_s = [0.0, 0.002, -0.002, 0.001][i % 4];
            let at = start + Duration::from_secs_f64(0.01 + i as f64 * block_s + uneven_s);
            let piece_s = block_s / f64::from(n_pieces);
            assert_eq!(pace.block(at, piece_s), Duration::ZERO, "block {i}");
            (1..n_pieces).for_each(|_| pace.piece(piece_s));
        }
    }

    #[test]
    fn nor_has_one_that_makes_up_for_a_late_block() {
        for block_s in [64.0 / 48_000.0, 1024.0 / 48_000.0, 4096.0 / 48_000.0] {
            let (mut pace, start) = (Pace::default(), Instant::now());
            let mut at = start;
            for i in 0..1000 {
                // The machine holds the host up; what it has missed comes at once, as from a sound card's buffers.
                let held_up_s = if i % 50 == 49 { MISSED_S.max(2.0 * block_s) } else { 0.0 };
                let due = start + Duration::from_secs_f64(i as f64 * block_s);
                at = at.max(due) + Duration::from_secs_f64(held_up_s);
                assert_eq!(pace.block(at, block_s), Duration::ZERO, "block {i} of {block_s} s");
            }
        }
    }

    #[test]
    fn one_that_renders_has() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let block_s = 1024.0 / 48_000.0;
        let spare: Vec<Duration> =
            (0..100).map(|i| pace.block(start + Duration::from_secs_f64(i as f64 * block_s * 0.1), block_s)).collect();
        assert_eq!(spare[0], Duration::ZERO);
        assert!(spare[1] > Duration::from_millis(3), "{:?}", spare[1]);
        assert_eq!(spare[99], LONGEST);
        // Back at its playing, it soon has none.
        let later = start + Duration::from_secs(10);
        assert_eq!(pace.block(later, block_s), Duration::ZERO);
        // And what it missed there does not count against it when it renders again.
        let again = |i: u32| later + Duration::from_secs_f64(f64::from(i) * block_s * 0.1);
        let spare: Vec<Duration> = (1..10).map(|i| pace.block(again(i), block_s)).collect();
        assert!(spare[8] > Duration::from_millis(100), "{:?}", spare[8]);
    }
}
