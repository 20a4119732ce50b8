//! Silence in gives silence out: opens on level and a certain pitch together, closes softly.

/// Opens above, closes below the threshold by this much, dB.
const HYSTERESIS_DB: f32 = 3.0;
/// Opens when the pitch is this certain, and lets go when it is less certain than the second value.
const CERTAINTY: (f32, f32) = (0.65, 0.3);
/// A note that is still loud is held through this many uncertain hops: 24 ms, as long as a crack in a voice.
const HELD_HOPS: u32 = 6;
/// Gain per hop while opening (added) and closing (multiplied): full after 8 ms, -60 dB after 130 ms.
const OPENING: f32 = 0.5;
const CLOSING: f32 = 0.81;
/// Gains below this are silence.
const SHUT: f32 = 1e-3;

/// Gate with hysteresis. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gate {
    open: bool,
    n_uncertain: u32,
    gain: f32,
}

/// State of the gate after one hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateHop {
    /// Gain from here on, exactly 0 when shut.
    pub gain: f32,
    /// True if this hop is part of a note; while a note is held or fades, its last hop speaks for it.
    pub is_note: bool,
}

impl Gate {
    /// `level_db`: input level; `certainty`: of the pitch, 0 to 1; `threshold_db`: set by the player.
    pub fn hop(&mut self, level_db: f32, certainty: f32, threshold_db: f32) -> GateHop {
        let side = if self.open { -HYSTERESIS_DB } else { HYSTERESIS_DB };
        let needed = if self.open { CERTAINTY.1 } else { CERTAINTY.0 };
        let is_loud = level_db > threshold_db + side;
        let is_note = is_loud && certainty > needed;
        self.n_uncertain = if is_note { 0 } else { self.n_uncertain.saturating_add(1) };
        self.open = is_note || self.open && is_loud && self.n_uncertain <= HELD_HOPS;
        self.gain = if self.open { (self.gain + OPENING).min(1.0) } else { self.gain * CLOSING };
        if self.gain < SHUT {
            self.gain = 0.0;
        }
        GateHop { gain: self.gain, is_note }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_on_a_note_and_shuts_to_exact_silence() {
        let mut gate = Gate::default();
        assert_eq!(gate.hop(-20.0, 0.1, -60.0).gain, 0.0, "hiss is no note");
        assert_eq!(gate.hop(-61.0, 1.0, -60.0).gain, 0.0, "too soft");
        gate.hop(-20.0, 0.9, -60.0);
        assert_eq!(gate.hop(-20.0, 0.9, -60.0), GateHop { gain: 1.0, is_note: true });
        assert_eq!(gate.hop(-62.0, 0.4, -60.0).gain, 1.0, "hysteresis holds it open");
        let closing: Vec<f32> = (0..40).map(|_| gate.hop(-100.0, 0.0, -60.0).gain).collect();
        assert!((0.5..1.0).contains(&closing[0]), "no click, no delay");
        assert_eq!(closing[39], 0.0);
    }

    #[test]
    fn a_crack_is_bridged_and_a_consonant_is_not() {
        let mut gate = Gate::default();
        (0..5).for_each(|_| _ = gate.hop(-20.0, 0.9, -60.0));
        let crack: Vec<GateHop> = (0..6).map(|_| gate.hop(-20.0, 0.1, -60.0)).collect();
        assert!(crack.iter().all(|h| *h == GateHop { gain: 1.0, is_note: false }));
        assert!(gate.hop(-20.0, 0.1, -60.0).gain < 1.0);
    }
}
