//! Gate: opens for a hop that is loud enough and has a certain pitch, fades out afterwards, and gives exact silence
//! when shut.

use super::Pitch;

/// Certainty that a pitch must have: near the note that sounds; elsewhere, if it repeats that of the hop before;
/// elsewhere, if it does not.
const CERTAINTY: (f32, f32, f32) = (0.25, 0.45, 0.75);
/// Greatest distance from the note that sounds, octaves, for a hop that continues it.
const NEAR: f32 = 0.5;
/// Greatest distance between two hops with the same pitch, octaves.
const SAME: f32 = 1.0 / 12.0;
/// Uncertain hops through which a loud note is held: 24 ms, the length of a crack in a voice.
const HELD_HOPS: u32 = 6;
/// A new note is delayed if an octave or a twelfth below it has this share of its probability, because half a period
/// looks like a whole one.
const LOWER_SHARE: f32 = 0.12;
/// Longest such delay, hops.
const MAX_DELAY_HOPS: u32 = 4;
/// Change of the gain per hop while opening (added) and closing (multiplied). The gain is 1 after one hop, over which
/// the synth interpolates, and -60 dB after 130 ms.
const OPENING: f32 = 1.0;
const CLOSING: f32 = 0.81;
/// Gains below this become 0.
const SILENT: f32 = 1e-3;

/// Gate with hysteresis. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gate {
    open: bool,
    n_uncertain: u32,
    gain: f32,
    /// State and gain for all loud sound, note or not.
    loud: bool,
    loud_gain: f32,
    /// Pitch of the last hop of a note, and of the last hop, Hz; 0 = none yet.
    note_hz: f32,
    last_hz: f32,
    /// Hops in a row with the same pitch, before the newest.
    n_same: u32,
}

/// State of the gate after one hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateHop {
    /// Gain of the note at the end of the hop, 0 to 1, exactly 0 when shut.
    pub gain: f32,
    /// True if this hop is part of a note; false while a note is held or fades out.
    pub is_note: bool,
    /// Gain of all loud sound, note or not, 0 to 1.
    pub loud_gain: f32,
}

impl Gate {
    /// The gate opens this far above the threshold and closes this far below it, dB.
    pub const HYSTERESIS_DB: f32 = 3.0;

    /// True if the certainty is enough for a pitch that repeats that of the hop before.
    pub fn is_pitched(heard: Pitch) -> bool {
        heard.certainty > CERTAINTY.1
    }

    /// Reads the pitch and the level of one hop. `threshold_db`: level that a note must have. Levels in dBFS.
    pub fn hop(&mut self, heard: Pitch, level_db: f32, threshold_db: f32) -> GateHop {
        let exceeds =
            |is_open: bool| level_db > threshold_db + if is_open { -Self::HYSTERESIS_DB } else { Self::HYSTERESIS_DB };
        let is_loud = exceeds(self.open);
        let is_same = heard.is_within(SAME, self.last_hz);
        self.n_same = if is_same { self.n_same.saturating_add(1) } else { 0 };
        let is_note = is_loud && heard.certainty > self.needed_certainty(heard);
        self.last_hz = heard.f0_hz;
        if is_note {
            self.note_hz = heard.f0_hz;
        }
        self.n_uncertain = if is_note { 0 } else { self.n_uncertain.saturating_add(1) };
        self.open = is_note || self.open && is_loud && self.n_uncertain <= HELD_HOPS;
        self.loud = self.open || exceeds(self.loud);
        self.gain = next_gain(self.gain, self.open);
        self.loud_gain = next_gain(self.loud_gain, self.loud);
        GateHop { gain: self.gain, is_note, loud_gain: self.loud_gain }
    }

    /// True if a note sounds and `heard` is near it.
    pub fn is_continued_by(&self, heard: Pitch) -> bool {
        self.open && heard.is_within(NEAR, self.note_hz)
    }

    fn needed_certainty(&self, heard: Pitch) -> f32 {
        if self.is_continued_by(heard) {
            CERTAINTY.0
        } else if heard.lower > LOWER_SHARE * heard.certainty && self.n_same < MAX_DELAY_HOPS {
            1.0
        } else if self.n_same > 0 {
            CERTAINTY.1
        } else {
            CERTAINTY.2
        }
    }
}

fn next_gain(gain: f32, open: bool) -> f32 {
    let gain = if open { (gain + OPENING).min(1.0) } else { gain * CLOSING };
    if gain < SILENT { 0.0 } else { gain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(gate: &mut Gate, level_db: f32, f0_hz: f32, certainty: f32) -> GateHop {
        gate.hop(Pitch { f0_hz, certainty, lower: 0.0 }, level_db, -60.0)
    }

    #[test]
    fn opens_on_a_note_and_shuts_to_exact_silence() {
        let mut gate = Gate::default();
        assert_eq!(hear(&mut gate, -20.0, 440.0, 0.1).gain, 0.0, "hiss is no note");
        assert_eq!(hear(&mut gate, -61.0, 440.0, 1.0).gain, 0.0, "too soft");
        hear(&mut gate, -20.0, 440.0, 0.95);
        assert_eq!(hear(&mut gate, -20.0, 440.0, 0.95), GateHop { gain: 1.0, is_note: true, loud_gain: 1.0 });
        assert_eq!(hear(&mut gate, -62.0, 440.0, 0.4).gain, 1.0, "hysteresis holds it open");
        let closing: Vec<f32> = (0..40).map(|_| hear(&mut gate, -100.0, 440.0, 0.0).gain).collect();
        assert!((0.5..1.0).contains(&closing[0]), "no click, no delay");
        assert_eq!(closing[39], 0.0);
    }

    #[test]
    fn loud_noise_passes_without_a_note() {
        let mut gate = Gate::default();
        let hiss: Vec<GateHop> = (0..3).map(|_| hear(&mut gate, -20.0, 440.0, 0.0)).collect();
        assert!(hiss.iter().all(|h| *h == GateHop { gain: 0.0, is_note: false, loud_gain: 1.0 }));
        assert_eq!(hear(&mut gate, -62.0, 440.0, 0.0).loud_gain, 1.0, "hysteresis");
        let closing: Vec<f32> = (0..40).map(|_| hear(&mut gate, -64.0, 440.0, 0.0).loud_gain).collect();
        assert!((0.5..1.0).contains(&closing[0]) && closing[39] == 0.0);
        assert_eq!(hear(&mut gate, -58.0, 440.0, 0.0).loud_gain, 0.0);
    }

    #[test]
    fn a_crack_is_bridged_and_a_consonant_is_not() {
        let mut gate = Gate::default();
        (0..5).for_each(|_| _ = hear(&mut gate, -20.0, 440.0, 0.95));
        let crack: Vec<GateHop> = (0..6).map(|_| hear(&mut gate, -20.0, 440.0, 0.1)).collect();
        assert!(crack.iter().all(|h| *h == GateHop { gain: 1.0, is_note: false, loud_gain: 1.0 }));
        assert!(hear(&mut gate, -20.0, 440.0, 0.1).gain < 1.0);
    }

    #[test]
    fn a_note_that_may_be_an_octave_lower_is_delayed_by_four_hops() {
        let mut gate = Gate::default();
        let ambiguous = Pitch { f0_hz: 440.0, certainty: 0.85, lower: 0.2 };
        let heard: Vec<bool> = (0..6).map(|_| gate.hop(ambiguous, -20.0, -60.0).is_note).collect();
        assert_eq!(heard, [false, false, false, false, true, true]);
        let mut gate = Gate::default();
        gate.hop(ambiguous, -20.0, -60.0);
        assert!(hear(&mut gate, -20.0, 220.0, 0.95).is_note, "the octave below, as soon as it is certain");
    }

    #[test]
    fn a_pitch_of_a_single_hop_must_be_certain() {
        let mut gate = Gate::default();
        assert!(!hear(&mut gate, -20.0, 220.0, 0.6).is_note);
        assert!(!hear(&mut gate, -20.0, 440.0, 0.6).is_note, "another pitch than before");
        assert!(hear(&mut gate, -20.0, 440.0, 0.6).is_note, "twice the same");
        assert!(hear(&mut gate, -20.0, 450.0, 0.3).is_note, "a note goes on");
        assert!(!hear(&mut gate, -20.0, 880.0, 0.6).is_note, "an octave is a new note");
        assert!(hear(&mut gate, -20.0, 450.0, 0.3).is_note);
        assert!(hear(&mut gate, -20.0, 880.0, 0.95).is_note, "unless it is certain");
    }
}
