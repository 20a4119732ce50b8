//! Detects a recording that is soft as a whole: its notes are below the gate's threshold, but far above its noise.

use super::Pitch;
use crate::config::FRAME_RATE;

/// Certainty that a note must have, and its distance above the noise floor, dB.
const CERTAINTY: f32 = 0.75;
const ABOVE_NOISE_DB: f32 = 12.0;
/// Softer notes come from another source, dBFS.
const SOFTEST_DB: f32 = -78.0;
/// Hops of such notes after which the source is known to be soft: 80 ms.
const NEEDED_HOPS: f32 = 0.08 * FRAME_RATE;
/// Hops of other sound that cancel one such hop.
const OTHER_HOPS: f32 = 16.0;

/// Counts hops of notes below the gate's threshold. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftSourceDetector {
    n_hops: f32,
}

impl SoftSourceDetector {
    /// Reads one hop, its level and that of the noise floor, dBFS. True if the hop is such a note, and there were
    /// enough.
    pub fn hop(&mut self, heard: Pitch, level_db: f32, noise_floor_db: f32) -> bool {
        let is_note = heard.certainty > CERTAINTY && level_db > (noise_floor_db + ABOVE_NOISE_DB).max(SOFTEST_DB);
        self.n_hops = if is_note { self.n_hops + 1.0 } else { (self.n_hops - 1.0 / OTHER_HOPS).max(0.0) };
        is_note && self.n_hops > NEEDED_HOPS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(soft: &mut SoftSourceDetector, n_hops: usize, certainty: f32, level_db: f32) -> bool {
        (0..n_hops).any(|_| soft.hop(Pitch { f0_hz: 220.0, certainty, lower: 0.0 }, level_db, -90.0))
    }

    #[test]
    fn notes_far_above_the_noise_are_the_source_and_others_are_not() {
        let mut soft = SoftSourceDetector::default();
        assert!(!hear(&mut soft, 500, 0.3, -60.0), "hiss");
        assert!(!hear(&mut soft, 500, 0.9, -79.0), "too soft");
        assert!(!hear(&mut soft, 10, 0.9, -60.0), "too short");
        assert!(!hear(&mut soft, 500, 0.0, -60.0) && !hear(&mut soft, 10, 0.9, -60.0), "and forgotten");
        assert!(hear(&mut soft, 20, 0.9, -60.0));
    }
}
