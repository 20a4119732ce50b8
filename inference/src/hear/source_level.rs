//! How loud the loud notes of a source are.

use crate::config::FRAME_RATE;

/// Share of hops that are softer than the tracked level.
const QUANTILE: f32 = 0.8;
/// Step of the tracker per hop, dB: at first, and at last.
const STEP_DB: (f32, f32) = (1.0, 0.01);
/// The step is halved after this many hops.
const STEP_HALVED: f32 = 25.0;

/// The way down is slow for a percentile that lies high, and a soft source would wait for seconds; at first it goes as
/// fast as this, half of it after so many hops.
const HASTE: f32 = 0.5;
const HASTE_HALVED: f32 = 100.0;

/// Loud notes are hardly ever louder than their 80th percentile by more than this, dB. What is was not what was taken for
/// loud notes, and the level follows by this share of the rest in each hop.
const SURPRISE_DB: f32 = 12.0;
const CATCHING_UP: f32 = 0.05;

/// Level that a source is moved by: its 80th percentile onto the instrument's. Realtime-safe.
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
    /// Level that a source is supposed to have before it is heard, dB.
    pub const EXPECTED_DB: f32 = -25.0;
    /// Voiced hops after which a source is known.
    pub const FIRST_HOPS: f32 = 0.5 * FRAME_RATE;

    /// Takes in one voiced hop and returns the source's tracked level, dB.
    pub fn hop(&mut self, loudness_db: f32) -> f32 {
        self.n_hops += 1.0;
        let step = (STEP_DB.0 / (1.0 + self.n_hops / STEP_HALVED)).max(STEP_DB.1);
        let down = (HASTE / (1.0 + self.n_hops / HASTE_HALVED)).max(1.0 - QUANTILE);
        self.level_db += step * if loudness_db > self.level_db { QUANTILE } else { -down };
        self.level_db += CATCHING_UP * (loudness_db - self.level_db - SURPRISE_DB).max(0.0);
        self.level_db
    }

    /// Takes the source for as soft as `level_db` from now on, unless it was heard for longer than [`Self::FIRST_HOPS`].
    pub fn begin_at(&mut self, level_db: f32) {
        if self.is_new() {
            self.level_db = self.level_db.min(level_db);
        }
    }

    /// Hardly any of the source was heard: less than half a second.
    pub fn is_new(&self) -> bool {
        self.n_hops < Self::FIRST_HOPS
    }

    /// The source's tracked level, dB.
    pub fn level_db(&self) -> f32 {
        self.level_db
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_soft_source_is_met_within_a_second_or_so() {
        let mut fit = SourceLevel::default();
        (0..250).for_each(|_| _ = fit.hop(-45.0));
        assert!(fit.level_db() < -42.0, "{}", fit.level_db());
    }

    #[test]
    fn what_was_not_the_source_is_soon_forgotten() {
        let mut fit = SourceLevel::default();
        (0..2500).for_each(|_| _ = fit.hop(-70.0));
        (0..125).for_each(|_| _ = fit.hop(-22.0));
        assert!(fit.level_db() > -35.0, "{}", fit.level_db());
    }

    #[test]
    fn loudness_settles_on_the_sources_upper_level() {
        let mut fit = SourceLevel::default();
        for i in 0..5000 {
            fit.hop(-50.0 + (i % 10) as f32);
        }
        assert!((fit.level_db() + 42.0).abs() < 1.5, "{}", fit.level_db());
    }
}
