//! What rings, or has lost its fundamental to a room, sounds for a moment like one of its own partials.

use super::Pitch;

/// A leap by whole partials is believed after this many hops: 24 ms.
const PATIENCE: u32 = 6;
/// Partials that are taken for their note, or it for one of them.
const PARTIALS: [f32; 4] = [2.0, 3.0, 4.0, 5.0];
/// How near to them, octaves.
const NEAR: f32 = 0.04;
/// Less certain hops, of the note that sounds and of others, say nothing; after 100 ms of them, what comes is a new note.
const CERTAIN: (f32, f32) = (0.25, 0.45);
const FORGOTTEN: u32 = 25;
/// A note is held after this many hops: what is heard first may be the mistake.
const ESTABLISHED: u32 = 8;
/// It goes on as long as it moves no further than this within a hop, octaves.
const SAME: f32 = 1.0 / 6.0;
/// A level that rises by this much within [`ATTACK_HOPS`] is a new note, dB.
const ATTACK_DB: f32 = 6.0;
const ATTACK_HOPS: usize = 8;

/// Keeps a note that goes on in its octave until a leap by whole partials has lasted. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct OctaveDoubt {
    /// The note that sounds, Hz; 0 = none.
    note_hz: f32,
    /// Hops that it has been heard, and that one of its partials has been heard instead.
    n_heard: u32,
    n_leapt: u32,
    n_uncertain: u32,
    /// Levels of the last hops, dBFS.
    levels_db: [f32; ATTACK_HOPS],
}

impl OctaveDoubt {
    /// Takes in one hop, its level in dBFS, and says what to believe.
    pub fn hop(&mut self, heard: Pitch, level_db: f32) -> Pitch {
        let goes_on = heard.is_within(SAME, self.note_hz);
        let is_certain = heard.certainty > if goes_on { CERTAIN.0 } else { CERTAIN.1 };
        self.n_uncertain = if is_certain { 0 } else { self.n_uncertain.saturating_add(1) };
        if self.is_attack(level_db) || self.n_uncertain > FORGOTTEN {
            self.n_heard = 0;
        }
        if self.n_heard >= ESTABLISHED
            && self.n_leapt < PATIENCE
            && let Some(ratio) = self.leap(heard)
        {
            self.n_leapt += 1;
            return Pitch { f0_hz: heard.f0_hz / ratio, ..heard };
        }
        self.n_leapt = 0;
        if is_certain {
            self.n_heard = if goes_on { self.n_heard.saturating_add(1) } else { 0 };
            self.note_hz = heard.f0_hz;
        }
        heard
    }

    fn is_attack(&mut self, level_db: f32) -> bool {
        let lowest_db = self.levels_db.iter().copied().fold(level_db, f32::min);
        let highest_db = self.levels_db.iter().copied().fold(f32::MIN, f32::max);
        self.levels_db.rotate_left(1);
        self.levels_db[ATTACK_HOPS - 1] = level_db;
        // Partials that beat against each other rise, too, but not above what was.
        level_db > lowest_db + ATTACK_DB && level_db > highest_db - 1.0
    }

    /// Whole ratio of what is heard to the note that sounds, or of the note to it.
    fn leap(&self, heard: Pitch) -> Option<f32> {
        PARTIALS.into_iter().flat_map(|k| [k, 1.0 / k]).find(|k| heard.is_within(NEAR, k * self.note_hz))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(doubt: &mut OctaveDoubt, f0_hz: f32, level_db: f32) -> f32 {
        doubt.hop(Pitch { f0_hz, certainty: 0.9, lower: 0.0 }, level_db).f0_hz
    }

    fn singing(f0_hz: f32) -> OctaveDoubt {
        let mut doubt = OctaveDoubt::default();
        (0..20).for_each(|_| _ = hear(&mut doubt, f0_hz, -20.0));
        doubt
    }

    #[test]
    fn a_partial_that_rings_is_not_the_note_and_one_that_lasts_is() {
        for partial in [440.0, 660.0, 1100.0, 110.0] {
            let mut doubt = singing(220.0);
            let heard: Vec<f32> = (0..8).map(|_| hear(&mut doubt, partial, -21.0)).collect();
            assert!(heard[..6].iter().all(|hz| (hz - 220.0).abs() < 0.1), "{heard:?}");
            assert_eq!(heard[6..], [partial; 2]);
            assert_eq!(hear(&mut doubt, 220.0, -21.0), 220.0, "not yet established");
        }
    }

    #[test]
    fn other_leaps_and_attacks_are_believed_at_once() {
        assert_eq!(hear(&mut singing(220.0), 293.7, -20.0), 293.7);
        let mut doubt = singing(220.0);
        hear(&mut doubt, 220.0, -30.0);
        assert_eq!(hear(&mut doubt, 440.0, -20.0), 440.0);
    }

    #[test]
    fn what_is_heard_first_holds_nothing_up() {
        let mut doubt = OctaveDoubt::default();
        (0..5).for_each(|_| _ = hear(&mut doubt, 440.0, -20.0));
        assert_eq!(hear(&mut doubt, 220.0, -20.0), 220.0);
    }
}
