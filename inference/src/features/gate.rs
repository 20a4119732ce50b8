//! Silence in gives silence out: opens on level and voicing together, closes softly.

/// Opens above, closes below the threshold by this much, dB.
const HYSTERESIS_DB: f32 = 3.0;
/// Opens when the encoder is this sure of a pitch, and closes when it is less sure than the second value.
const VOICING: (f32, f32) = (0.6, 0.35);
/// Gain per hop while opening (added) and closing (multiplied): full after 8 ms, -60 dB after 130 ms.
const OPENING: f32 = 0.5;
const CLOSING: f32 = 0.81;
/// Gains below this are silence.
const SHUT: f32 = 1e-3;

/// Gate with hysteresis. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gate {
    open: bool,
    gain: f32,
}

impl Gate {
    /// `level_db`: input level; `threshold_db`: set by the player. Returns the gain from here on, exactly 0 when shut.
    pub fn hop(&mut self, level_db: f32, voicing: f32, threshold_db: f32) -> f32 {
        let side = if self.open { -HYSTERESIS_DB } else { HYSTERESIS_DB };
        let needed = if self.open { VOICING.1 } else { VOICING.0 };
        self.open = level_db > threshold_db + side && voicing > needed;
        self.gain = if self.open { (self.gain + OPENING).min(1.0) } else { self.gain * CLOSING };
        if self.gain < SHUT {
            self.gain = 0.0;
        }
        self.gain
    }

    /// True while the input counts as a note.
    pub fn is_open(&self) -> bool {
        self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_on_a_note_and_shuts_to_exact_silence() {
        let mut gate = Gate::default();
        assert_eq!(gate.hop(-20.0, 0.1, -60.0), 0.0, "hiss is no note");
        assert_eq!(gate.hop(-61.0, 1.0, -60.0), 0.0, "too soft");
        gate.hop(-20.0, 0.9, -60.0);
        assert_eq!(gate.hop(-20.0, 0.9, -60.0), 1.0);
        assert_eq!(gate.hop(-62.0, 0.4, -60.0), 1.0, "hysteresis holds it open");
        let closing: Vec<f32> = (0..40).map(|_| gate.hop(-100.0, 0.0, -60.0)).collect();
        assert!(closing[0] > 0.5, "no click");
        assert_eq!(closing[39], 0.0);
    }
}
