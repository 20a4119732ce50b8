//! Brings a source to an instrument: by whole octaves into its range, by level onto its loudness.

use crate::config::FRAME_RATE;

/// The octave follows every note during the first tenth of a second, then only a line that leaves the range.
const SETTLING_HOPS: f32 = 0.1 * FRAME_RATE;
/// How far the line may leave the range before the octave changes, octaves.
const TOLERANCE: f32 = 0.25;
/// The line's mean pitch is taken over about this long, hops.
const PITCH_MEMORY: f32 = 0.5 * FRAME_RATE;

/// Octave that a source is moved by. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct OctaveFit {
    /// Mean of log2 f0.
    mean: f32,
    n_hops: f32,
    octaves: f32,
}

impl OctaveFit {
    /// Takes in one voiced hop and returns the octaves to move by. `range_hz`: playable range of the instrument.
    pub fn hop(&mut self, f0_hz: f32, range_hz: [f32; 2]) -> f32 {
        self.n_hops += 1.0;
        self.mean += (f0_hz.log2() - self.mean) / self.n_hops.min(PITCH_MEMORY);
        let [low, high] = range_hz.map(f32::log2);
        let played = self.mean + self.octaves;
        let settled = self.n_hops > SETTLING_HOPS;
        if !settled || played < low - TOLERANCE || played > high + TOLERANCE {
            self.octaves = Self::needed(self.mean, low, high);
        }
        self.octaves
    }

    /// Fewest octaves that bring `mean` between `low` and `high`, or nearest to their middle.
    fn needed(mean: f32, low: f32, high: f32) -> f32 {
        if mean < low {
            let up = (low - mean).ceil();
            if mean + up <= high { up } else { ((low + high) / 2.0 - mean).round() }
        } else if mean > high {
            let down = (mean - high).ceil();
            if mean - down >= low { -down } else { ((low + high) / 2.0 - mean).round() }
        } else {
            0.0
        }
    }
}

/// Share of hops that are softer than the tracked level.
const QUANTILE: f32 = 0.8;
/// Step of the tracker per hop, dB: at first, and at last.
const STEP_DB: (f32, f32) = (1.0, 0.01);
/// The step is halved after this many hops.
const STEP_HALVED: f32 = 25.0;
/// Level that a source is supposed to have before it is heard, dB.
const EXPECTED_DB: f32 = -25.0;

/// Level that a source is moved by: its 80th percentile onto the instrument's. Realtime-safe.
#[derive(Clone, Copy, Debug)]
pub struct LoudnessFit {
    level_db: f32,
    n_hops: f32,
}

impl Default for LoudnessFit {
    fn default() -> Self {
        Self { level_db: EXPECTED_DB, n_hops: 0.0 }
    }
}

impl LoudnessFit {
    /// Takes in one voiced hop and returns the source's tracked level, dB.
    pub fn hop(&mut self, loudness_db: f32) -> f32 {
        self.n_hops += 1.0;
        let step = (STEP_DB.0 / (1.0 + self.n_hops / STEP_HALVED)).max(STEP_DB.1);
        self.level_db += step * if loudness_db > self.level_db { QUANTILE } else { QUANTILE - 1.0 };
        self.level_db
    }

    /// The source's tracked level, dB.
    pub fn level_db(&self) -> f32 {
        self.level_db
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUMPET: [f32; 2] = [175.0, 930.0];

    #[test]
    fn a_whistle_and_a_bass_land_in_range() {
        for hz in [40.0, 82.0, 300.0, 1500.0, 3900.0] {
            let mut fit = OctaveFit::default();
            let played = hz * fit.hop(hz, TRUMPET).exp2();
            assert!((TRUMPET[0]..=TRUMPET[1]).contains(&played), "{hz} Hz played as {played}");
        }
    }

    #[test]
    fn the_octave_stays_within_a_melody() {
        let mut fit = OctaveFit::default();
        let octaves: Vec<f32> = (0..1000).map(|i| fit.hop(700.0 + 350.0 * (i as f32 * 0.02).sin(), TRUMPET)).collect();
        assert!(octaves[30..].windows(2).all(|w| w[0] == w[1]));
    }

    #[test]
    fn loudness_settles_on_the_sources_upper_level() {
        let mut fit = LoudnessFit::default();
        for i in 0..5000 {
            fit.hop(-50.0 + (i % 10) as f32);
        }
        assert!((fit.level_db() + 42.0).abs() < 1.5, "{}", fit.level_db());
    }
}
