//! Tells a player who is not heard from silence: notes that the gate keeps out, and none that it lets in.

use super::{Gate, Lasting, Pitch};
use crate::config::FRAME_RATE;

/// What is no louder over the room than this is the room, dB: a fan has a pitch, too.
const ABOVE_ROOM_DB: f32 = 3.0;
/// Nobody plays as softly as this, dBFS.
const SOFTEST_DB: f32 = -90.0;
/// After a note, what is soft for so many hops, 2 s, is its end, or somebody else.
const AFTER_NOTE: u32 = (2.0 * FRAME_RATE) as u32;
/// A soft beginning of a note is shorter than this, s; and how long what was soft is remembered, s.
const NEEDED_S: f32 = 0.4;
const MOST_S: f32 = 0.8;

/// Levels of one hop, dBFS.
#[derive(Clone, Copy, Debug)]
pub struct Levels {
    /// Of the hop.
    pub hop_db: f32,
    /// That a note must have.
    pub threshold_db: f32,
    /// Of the room.
    pub room_db: f32,
}

/// Follows whether notes are too soft to be played. Realtime-safe.
#[derive(Clone, Copy, Debug)]
pub struct TooSoft {
    /// Hops since the last note.
    n_since_note: u32,
    lasting: Lasting,
}

impl Default for TooSoft {
    fn default() -> Self {
        Self { n_since_note: AFTER_NOTE, lasting: Lasting::new(NEEDED_S, MOST_S) }
    }
}

impl TooSoft {
    /// Takes in what is heard in one hop, and whether the gate takes it for a note. True while notes are kept out.
    pub fn hop(&mut self, heard: Pitch, is_note: bool, levels: Levels) -> bool {
        let Levels { hop_db, threshold_db, room_db } = levels;
        self.n_since_note = if is_note { 0 } else { self.n_since_note.saturating_add(1) };
        let is_soft = hop_db < threshold_db + Gate::HYSTERESIS_DB && hop_db > (room_db + ABOVE_ROOM_DB).max(SOFTEST_DB);
        let is_kept_out = is_soft && Gate::is_likely(heard) && self.n_since_note >= AFTER_NOTE;
        self.lasting.look(if is_kept_out { 1.0 } else { -1.0 } / FRAME_RATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR_AWAY: Levels = Levels { hop_db: -62.0, threshold_db: -50.0, room_db: -75.0 };

    /// Share of `n_hops` in which notes are too soft.
    fn share(too_soft: &mut TooSoft, n_hops: usize, certainty: f32, is_note: bool, levels: Levels) -> f32 {
        let heard = Pitch { f0_hz: 220.0, certainty, lower: 0.0 };
        (0..n_hops).filter(|_| too_soft.hop(heard, is_note, levels)).count() as f32 / n_hops as f32
    }

    #[test]
    fn notes_below_the_gate_are_too_soft_and_other_sound_is_not() {
        assert!(share(&mut TooSoft::default(), 500, 0.9, false, FAR_AWAY) > 0.75);
        for (what, certainty, is_note, levels) in [
            ("hiss", 0.1, false, FAR_AWAY),
            ("a note", 0.9, true, Levels { hop_db: -20.0, ..FAR_AWAY }),
            ("a fan", 0.9, false, Levels { room_db: -62.0, ..FAR_AWAY }),
            ("next to nothing", 0.9, false, Levels { hop_db: -91.0, room_db: -100.0, ..FAR_AWAY }),
            ("what the gate keeps out for another reason", 0.9, false, Levels { hop_db: -20.0, ..FAR_AWAY }),
        ] {
            assert_eq!(share(&mut TooSoft::default(), 500, certainty, is_note, levels), 0.0, "{what}");
        }
    }

    #[test]
    fn the_end_of_a_note_is_not_too_soft() {
        let mut too_soft = TooSoft::default();
        share(&mut too_soft, 100, 0.9, true, Levels { hop_db: -20.0, ..FAR_AWAY });
        assert_eq!(share(&mut too_soft, 400, 0.9, false, FAR_AWAY), 0.0);
        assert!(share(&mut too_soft, 500, 0.9, false, FAR_AWAY) > 0.5, "after a while it is");
        assert!(share(&mut too_soft, 500, 0.9, true, Levels { hop_db: -20.0, ..FAR_AWAY }) < 0.5, "until it is heard");
    }
}
