//! Detects a player who is too soft: the gate rejects all notes, and the input is not silent.

use super::{Gate, Persistence, Pitch};
use crate::config::FRAME_RATE;

/// A note is at least this much above the noise floor, dB: a fan has a pitch, too.
const ABOVE_NOISE_DB: f32 = 3.0;
/// No note is as soft as this, dBFS.
const SOFTEST_DB: f32 = -90.0;
/// Soft sound within this many hops after a note, 2 s, is the note's end, or comes from another source.
const AFTER_NOTE: u32 = (2.0 * FRAME_RATE) as u32;
/// Time in which notes must be too soft, and longest that is remembered, s. The soft beginning of a note is shorter.
const NEEDED_S: f32 = 0.4;
const MAX_S: f32 = 0.8;

/// Levels of one hop, dBFS.
#[derive(Clone, Copy, Debug)]
pub struct HopLevels {
    /// Level of the hop.
    pub hop_db: f32,
    /// Level that a note must have.
    pub threshold_db: f32,
    /// Level of the ambient noise.
    pub noise_floor_db: f32,
}

/// Detects notes that are too soft to be played. Realtime-safe.
#[derive(Clone, Copy, Debug)]
pub struct TooSoftDetector {
    /// Hops since the last note.
    n_since_note: u32,
    persistence: Persistence,
}

impl Default for TooSoftDetector {
    fn default() -> Self {
        Self { n_since_note: AFTER_NOTE, persistence: Persistence::new(NEEDED_S, MAX_S) }
    }
}

impl TooSoftDetector {
    /// Reads the pitch of one hop, and whether the gate takes it for a note. True while the gate rejects notes.
    pub fn hop(&mut self, heard: Pitch, is_note: bool, levels: HopLevels) -> bool {
        let HopLevels { hop_db, threshold_db, noise_floor_db } = levels;
        self.n_since_note = if is_note { 0 } else { self.n_since_note.saturating_add(1) };
        let is_soft =
            hop_db < threshold_db + Gate::HYSTERESIS_DB && hop_db > (noise_floor_db + ABOVE_NOISE_DB).max(SOFTEST_DB);
        let is_rejected = is_soft && Gate::is_pitched(heard) && self.n_since_note >= AFTER_NOTE;
        self.persistence.update(if is_rejected { 1.0 } else { -1.0 } / FRAME_RATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR_AWAY: HopLevels = HopLevels { hop_db: -62.0, threshold_db: -50.0, noise_floor_db: -75.0 };

    /// Share of `n_hops` in which notes are too soft.
    fn share(detector: &mut TooSoftDetector, n_hops: usize, certainty: f32, is_note: bool, levels: HopLevels) -> f32 {
        let heard = Pitch { f0_hz: 220.0, certainty, lower: 0.0 };
        (0..n_hops).filter(|_| detector.hop(heard, is_note, levels)).count() as f32 / n_hops as f32
    }

    #[test]
    fn notes_below_the_gate_are_too_soft_and_other_sound_is_not() {
        assert!(share(&mut TooSoftDetector::default(), 500, 0.9, false, FAR_AWAY) > 0.75);
        for (what, certainty, is_note, levels) in [
            ("hiss", 0.1, false, FAR_AWAY),
            ("a note", 0.9, true, HopLevels { hop_db: -20.0, ..FAR_AWAY }),
            ("a fan", 0.9, false, HopLevels { noise_floor_db: -62.0, ..FAR_AWAY }),
            ("nearly silence", 0.9, false, HopLevels { hop_db: -91.0, noise_floor_db: -100.0, ..FAR_AWAY }),
            ("a hop that the gate rejects for another reason", 0.9, false, HopLevels { hop_db: -20.0, ..FAR_AWAY }),
        ] {
            assert_eq!(share(&mut TooSoftDetector::default(), 500, certainty, is_note, levels), 0.0, "{what}");
        }
    }

    #[test]
    fn the_end_of_a_note_is_not_too_soft() {
        let mut detector = TooSoftDetector::default();
        share(&mut detector, 100, 0.9, true, HopLevels { hop_db: -20.0, ..FAR_AWAY });
        assert_eq!(share(&mut detector, 400, 0.9, false, FAR_AWAY), 0.0);
        assert!(share(&mut detector, 500, 0.9, false, FAR_AWAY) > 0.5, "after a while it is");
        assert!(
            share(&mut detector, 500, 0.9, true, HopLevels { hop_db: -20.0, ..FAR_AWAY }) < 0.5,
            "until it is heard"
        );
    }
}
