//! Level of the loud notes of a source.

use crate::config::FRAME_RATE;

/// Share of hops below the tracked level.
const QUANTILE: f32 = 0.8;
/// Step of the tracker per hop, dB: first, and smallest.
const STEP_DB: (f32, f32) = (1.0, 0.01);
/// Hops after which the step is halved.
const STEP_HALVING_HOPS: f32 = 25.0;

/// Weight of a step down at the beginning, and the hops after which it is halved. A tracker of a high percentile steps
/// down slowly, and with the final weight a soft source would wait for seconds.
const FIRST_DOWN: f32 = 0.5;
const DOWN_HALVING_HOPS: f32 = 100.0;

/// Loud notes hardly ever exceed their 80th percentile by more than this, dB. If they do, the tracked level was that of
/// another sound, and in each hop it moves by this share of the rest.
const OUTLIER_DB: f32 = 12.0;
const OUTLIER_SHARE: f32 = 0.05;

/// Tracks the 80th percentile of a source's level, which Level Fit moves to that of the instrument. Realtime-safe.
#[derive(Clone, Copy, Debug)]
pub struct SourceLevel {
    level_db: f32,
    n_hops: f32,
}

impl Default for SourceLevel {
    fn default() -> Self {
        Self { level_db: Self::EXPECTED_DB, n_hops: 0.0 }
    }
}

impl SourceLevel {
    /// Level that is assumed before the source is heard, dB.
    pub const EXPECTED_DB: f32 = -25.0;
    /// Voiced hops after which the level is known: half a second.
    pub const FIRST_HOPS: f32 = 0.5 * FRAME_RATE;

    /// Reads one voiced hop. Returns the tracked level, dB.
    pub fn hop(&mut self, loudness_db: f32) -> f32 {
        self.n_hops += 1.0;
        let step = (STEP_DB.0 / (1.0 + self.n_hops / STEP_HALVING_HOPS)).max(STEP_DB.1);
        let down = (FIRST_DOWN / (1.0 + self.n_hops / DOWN_HALVING_HOPS)).max(1.0 - QUANTILE);
        self.level_db += step * if loudness_db > self.level_db { QUANTILE } else { -down };
        self.level_db += OUTLIER_SHARE * (loudness_db - self.level_db - OUTLIER_DB).max(0.0);
        self.level_db
    }

    /// Lowers the tracked level to `level_db`, unless the source was heard for longer than [`Self::FIRST_HOPS`].
    pub fn lower_to(&mut self, level_db: f32) {
        if self.is_new() {
            self.level_db = self.level_db.min(level_db);
        }
    }

    /// True if less than [`Self::FIRST_HOPS`] of the source were heard.
    pub fn is_new(&self) -> bool {
        self.n_hops < Self::FIRST_HOPS
    }

    /// The tracked level, dB.
    pub fn level_db(&self) -> f32 {
        self.level_db
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_soft_source_is_tracked_within_a_second() {
        let mut fit = SourceLevel::default();
        (0..250).for_each(|_| _ = fit.hop(-45.0));
        assert!(fit.level_db() < -42.0, "{}", fit.level_db());
    }

    #[test]
    fn another_sound_than_the_source_is_soon_forgotten() {
        let mut fit = SourceLevel::default();
        (0..2500).for_each(|_| _ = fit.hop(-70.0));
        (0..125).for_each(|_| _ = fit.hop(-22.0));
        assert!(fit.level_db() > -35.0, "{}", fit.level_db());
    }

    #[test]
    fn the_level_settles_at_the_80th_percentile() {
        let mut fit = SourceLevel::default();
        for i in 0..5000 {
            fit.hop(-50.0 + (i % 10) as f32);
        }
        assert!((fit.level_db() + 42.0).abs() < 1.5, "{}", fit.level_db());
    }
}
