//! Match Level: makes an instrument as loud as its source. Both are measured over the same notes; the gain is their
//! ratio.

use crate::config::FRAME_RATE;

/// Hops over which source and instrument are compared: 0.5 s. With 2 s, a swell that the instrument plays less wide
/// left it up to 3 dB off; with less, the levels of single notes would be smoothed away.
const MEMORY: f32 = 0.5 * FRAME_RATE;
/// Weight of the expected ratio at the beginning, in hops: an instrument has not yet spoken in its first hops.
const EXPECTED_HOPS: f32 = 3.0;
/// Lowest mean square that is told apart from silence.
const SILENT: f32 = 1e-12;

/// The source in one hop of a note.
#[derive(Clone, Copy, Debug)]
pub struct SourcePower {
    /// K-weighted mean square of the hop.
    pub now: f32,
    /// Expected mean square of the source's loud notes.
    pub loud: f32,
}

/// Follows one instrument. Realtime-safe.
#[derive(Clone, Copy, Debug)]
pub struct LevelMatch {
    /// K-weighted mean squares of source and instrument over the same hops.
    source: f32,
    instrument: f32,
    n_hops: f32,
    /// Expected K-weighted mean square of the instrument's loud notes.
    loud: f32,
    gain: f32,
}

impl LevelMatch {
    /// `loud`: K-weighted mean square of the instrument's loud notes.
    pub fn new(loud: f32) -> Self {
        Self { source: 0.0, instrument: 0.0, n_hops: 0.0, loud: loud.max(SILENT), gain: 1.0 }
    }

    /// Takes in one hop of a note: the source, and the K-weighted mean square of the instrument.
    pub fn hop(&mut self, source: SourcePower, instrument: f32) {
        // NaN would stay in the means for ever.
        if !(source.now.is_finite() && source.loud.is_finite() && instrument.is_finite()) {
            return;
        }
        self.n_hops = (self.n_hops + 1.0).min(MEMORY);
        self.source += (source.now - self.source) / self.n_hops;
        self.instrument += (instrument - self.instrument) / self.n_hops;
        let measured = (self.source.max(SILENT) / self.instrument.max(SILENT)).ln();
        let expected = (source.loud.max(SILENT) / self.loud).ln();
        // The expectation is forgotten as fast as the measurements.
        let weight = EXPECTED_HOPS * (1.0 - self.n_hops / MEMORY);
        // An instrument that has not yet spoken measures too soft, so the expectation limits the gain upwards. An
        // instrument that measures too loud is too loud: the source is softer than expected.
        let ratio = measured.min((self.n_hops * measured + weight * expected) / (self.n_hops + weight));
        self.gain = (0.5 * ratio).exp();
    }

    /// Gain that brings the instrument to the source's loudness, linear.
    pub fn gain(&self) -> f32 {
        self.gain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power(db: f32) -> f32 {
        10f32.powf(db / 10.0)
    }

    /// Gain in dB after each hop, if source and instrument have these levels and others were expected.
    fn gains_db(n_hops: usize, source_db: f32, instrument_db: f32, expected_db: f32) -> Vec<f32> {
        let mut level = LevelMatch::new(power(expected_db));
        (0..n_hops)
            .map(|_| {
                level.hop(SourcePower { now: power(source_db), loud: power(-25.0) }, power(instrument_db));
                20.0 * level.gain().log10()
            })
            .collect()
    }

    #[test]
    fn the_instrument_becomes_as_loud_as_the_source() {
        for (source_db, instrument_db) in [(-35.0, -20.0), (-20.0, -26.0), (-14.0, -14.0), (-60.0, -20.0)] {
            let gains = gains_db(125, source_db, instrument_db, instrument_db + 6.0);
            let wanted = source_db - instrument_db;
            assert!((gains[20] - wanted).abs() < 2.0, "{} after 80 ms", gains[20]);
            assert!((gains[124] - wanted).abs() < 0.1, "{} after half a second", gains[124]);
        }
    }

    /// An attack that is late is not answered by a burst.
    #[test]
    fn an_instrument_that_has_not_yet_spoken_is_hardly_turned_up() {
        let gains = gains_db(3, -25.0, -60.0, -20.0);
        assert!(gains[0] < 6.0, "{gains:?}");
    }

    #[test]
    fn silence_and_nonsense_leave_a_gain_that_is_finite() {
        let mut level = LevelMatch::new(f32::NAN);
        level.hop(SourcePower { now: f32::NAN, loud: 1.0 }, 0.0);
        assert_eq!(level.gain(), 1.0);
        assert!(gains_db(1000, -200.0, -20.0, -20.0)[999] >= -100.1);
        assert!(gains_db(1000, -20.0, -200.0, -20.0)[999] <= 100.1);
    }
}
