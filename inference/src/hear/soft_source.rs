//! A recording that is soft as a whole: its notes are below the gate, but far above its noise.

use super::Pitch;
use crate::config::FRAME_RATE;

/// Certainty that a note must have, and how far it must be above the room, dB.
const CERTAINTY: f32 = 0.75;
const ABOVE_ROOM_DB: f32 = 12.0;
/// Softer ones are somebody else's, dBFS.
const SOFTEST_DB: f32 = -78.0;
/// Hops of such notes after which the source is known to be soft: 80 ms.
const ENOUGH: f32 = 0.08 * FRAME_RATE;
/// Hops of other sound that take one of them away.
const FORGOTTEN: f32 = 16.0;

/// Counts notes below the gate. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftSource {
    n_hops: f32,
}

impl SoftSource {
    /// Takes in one hop, its level and the room's, dBFS. True if this is a note and there were enough of them.
    pub fn hop(&mut self, heard: Pitch, level_db: f32, room_db: f32) -> bool {
        let is_note = heard.certainty > CERTAINTY && level_db > (room_db + ABOVE_ROOM_DB).max(SOFTEST_DB);
        self.n_hops = if is_note { self.n_hops + 1.0 } else { (self.n_hops - 1.0 / FORGOTTEN).max(0.0) };
        is_note && self.n_hops > ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(soft: &mut SoftSource, n_hops: usize, certainty: f32, level_db: f32) -> bool {
        (0..n_hops).any(|_| soft.hop(Pitch { f0_hz: 220.0, certainty, lower: 0.0 }, level_db, -90.0))
    }

    #[test]
    fn notes_far_above_the_room_are_the_source_and_others_are_not() {
        let mut soft = SoftSource::default();
        assert!(!hear(&mut soft, 500, 0.3, -60.0), "hiss");
        assert!(!hear(&mut soft, 500, 0.9, -79.0), "too soft");
        assert!(!hear(&mut soft, 10, 0.9, -60.0), "too short");
        assert!(!hear(&mut soft, 500, 0.0, -60.0) && !hear(&mut soft, 10, 0.9, -60.0), "and forgotten");
        assert!(hear(&mut soft, 20, 0.9, -60.0));
    }
}
