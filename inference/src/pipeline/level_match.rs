//! An instrument as loud as its source: both are measured, and the instrument is made so much louder or softer.

use crate::config::FRAME_RATE;

/// Hops over which source and instrument are compared: 2 s.
const MEMORY: f32 = 2.0 * FRAME_RATE;
/// What is expected of an instrument counts as much as so many hops that were heard: 60 ms.
const EXPECTED_HOPS: f32 = 15.0;
/// Softest mean square that is measured, and most that the level is moved by, linear.
const SILENT: f32 = 1e-10;
const MOST: f32 = 100.0;
/// Share of the way from hop to hop on which a loudest hop is forgotten, and what a note's mean is against it.
const FORGOTTEN: f32 = 0.002;
const OF_LOUDEST: f32 = 0.5;

/// How loud the source is. What was learned of it holds for every instrument. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct SourceLoudness {
    mean: f32,
    n_hops: f32,
    loudest: f32,
}

impl SourceLoudness {
    /// Takes in the weighted mean square of one hop of a note.
    pub fn hop(&mut self, power: f32) {
        self.n_hops = (self.n_hops + 1.0).min(MEMORY);
        self.mean += (power - self.mean) / self.n_hops;
        self.loudest = (self.loudest * (1.0 - FORGOTTEN)).max(power);
    }

    /// Weighted mean square of its notes: at the beginning, what its loudest moment lets expect.
    fn expected(&self) -> f32 {
        self.mean.max(OF_LOUDEST * self.loudest * EXPECTED_HOPS / (EXPECTED_HOPS + self.n_hops))
    }
}

/// Follows one instrument. Realtime-safe.
#[derive(Clone, Copy, Debug)]
pub struct LevelMatch {
    /// Weighted mean squares of source and instrument over the same hops.
    source: f32,
    instrument: f32,
    n_hops: f32,
    /// Weighted mean square that the instrument's loud notes are expected to have.
    expected: f32,
    gain: f32,
}

impl LevelMatch {
    /// `expected`: weighted mean square of the instrument's loud notes.
    pub fn new(expected: f32) -> Self {
        Self { source: 0.0, instrument: 0.0, n_hops: 0.0, expected: expected.max(SILENT), gain: 1.0 }
    }

    /// Takes in the weighted mean squares of one hop of a note, and the source as it is known.
    pub fn hop(&mut self, source: f32, instrument: f32, known: &SourceLoudness) {
        // What is no number would stay.
        if !(source.is_finite() && instrument.is_finite()) {
            return;
        }
        self.n_hops = (self.n_hops + 1.0).min(MEMORY);
        self.source += (source - self.source) / self.n_hops;
        self.instrument += (instrument - self.instrument) / self.n_hops;
        let source = self.source * self.n_hops + EXPECTED_HOPS * known.expected();
        let instrument = self.instrument * self.n_hops + EXPECTED_HOPS * self.expected;
        let gain = (source.max(SILENT) / instrument.max(SILENT)).sqrt();
        if gain.is_finite() {
            self.gain = gain.clamp(1.0 / MOST, MOST);
        }
    }

    /// What brings the instrument to the source's loudness, linear.
    pub fn gain(&self) -> f32 {
        self.gain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gain in dB after each hop of a source and an instrument of these levels.
    fn gains_db(source_db: f32, instrument_db: f32, expected_db: f32) -> Vec<f32> {
        let power = |db: f32| 10f32.powf(db / 10.0);
        let (mut known, mut level) = (SourceLoudness::default(), LevelMatch::new(power(expected_db)));
        (0..1000)
            .map(|_| {
                known.hop(power(source_db));
                level.hop(power(source_db), power(instrument_db), &known);
                20.0 * level.gain().log10()
            })
            .collect()
    }

    #[test]
    fn the_instrument_becomes_as_loud_as_the_source() {
        for (source_db, instrument_db) in [(-35.0, -20.0), (-20.0, -26.0), (-14.0, -14.0)] {
            let gains = gains_db(source_db, instrument_db, instrument_db + 3.0);
            let wanted = source_db - instrument_db;
            assert!(
                (gains[50] - wanted).abs() < 1.5 && (gains[999] - wanted).abs() < 0.2,
                "{} {}",
                gains[50],
                gains[999]
            );
        }
    }

    #[test]
    fn silence_and_nonsense_leave_a_gain_that_is_finite() {
        let mut level = LevelMatch::new(f32::NAN);
        level.hop(f32::NAN, 0.0, &SourceLoudness::default());
        assert_eq!(level.gain(), 1.0);
        assert!(gains_db(-200.0, -20.0, -20.0)[999] >= -40.0);
    }
}
