//! Rejects octave errors: a note that rings, or lost its fundamental in reverberation, sounds briefly like one of its
//! partials.

use super::Pitch;

/// Hops for which a leap to a partial is rejected: 24 ms.
const MAX_REJECTED_HOPS: u32 = 6;
/// Partials that are mistaken for their note, or it for one of them.
const PARTIALS: [f32; 4] = [2.0, 3.0, 4.0, 5.0];
/// Greatest distance from a partial, octaves.
const NEAR: f32 = 0.04;
/// Hops with less certainty are ignored: at the pitch of the note that sounds, and at others. After 100 ms of them, the
/// next pitch is a new note.
const CERTAINTY: (f32, f32) = (0.25, 0.45);
const MAX_UNCERTAIN_HOPS: u32 = 25;
/// Hops that a note must last before leaps from it are rejected: the first pitch may be the error.
const MIN_NOTE_HOPS: u32 = 8;
/// Greatest movement of a note within a hop, octaves.
const SAME: f32 = 1.0 / 6.0;
/// Rise of the level within [`ATTACK_HOPS`] that begins a new note, dB.
const ATTACK_DB: f32 = 6.0;
const ATTACK_HOPS: usize = 8;

/// Keeps a note at its pitch until a leap to one of its partials has lasted. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct OctaveJumpFilter {
    /// The note that sounds, Hz; 0 = none.
    note_hz: f32,
    /// Hops of the note, and of one of its partials instead.
    n_heard: u32,
    n_leapt: u32,
    n_uncertain: u32,
    /// Levels of the last hops, dBFS.
    levels_db: [f32; ATTACK_HOPS],
}

impl OctaveJumpFilter {
    /// Reads one hop and its level, dBFS. Returns the corrected pitch.
    pub fn hop(&mut self, heard: Pitch, level_db: f32) -> Pitch {
        let is_continued = heard.is_within(SAME, self.note_hz);
        let is_certain = heard.certainty > if is_continued { CERTAINTY.0 } else { CERTAINTY.1 };
        self.n_uncertain = if is_certain { 0 } else { self.n_uncertain.saturating_add(1) };
        if self.is_attack(level_db) || self.n_uncertain > MAX_UNCERTAIN_HOPS {
            self.n_heard = 0;
        }
        if self.n_heard >= MIN_NOTE_HOPS
            && self.n_leapt < MAX_REJECTED_HOPS
            && let Some(ratio) = self.leap(heard)
        {
            self.n_leapt += 1;
            return Pitch { f0_hz: heard.f0_hz / ratio, ..heard };
        }
        self.n_leapt = 0;
        if is_certain {
            self.n_heard = if is_continued { self.n_heard.saturating_add(1) } else { 0 };
            self.note_hz = heard.f0_hz;
        }
        heard
    }

    fn is_attack(&mut self, level_db: f32) -> bool {
        let lowest_db = self.levels_db.iter().copied().fold(level_db, f32::min);
        let highest_db = self.levels_db.iter().copied().fold(f32::MIN, f32::max);
        self.levels_db.rotate_left(1);
        self.levels_db[ATTACK_HOPS - 1] = level_db;
        // Partials that beat rise, too, but not above earlier levels.
        level_db > lowest_db + ATTACK_DB && level_db > highest_db - 1.0
    }

    /// Ratio of the heard pitch to the note that sounds, if it is a whole number or the reciprocal of one.
    fn leap(&self, heard: Pitch) -> Option<f32> {
        PARTIALS.into_iter().flat_map(|k| [k, 1.0 / k]).find(|k| heard.is_within(NEAR, k * self.note_hz))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(filter: &mut OctaveJumpFilter, f0_hz: f32, level_db: f32) -> f32 {
        filter.hop(Pitch { f0_hz, certainty: 0.9, lower: 0.0 }, level_db).f0_hz
    }

    fn singing(f0_hz: f32) -> OctaveJumpFilter {
        let mut filter = OctaveJumpFilter::default();
        (0..20).for_each(|_| _ = hear(&mut filter, f0_hz, -20.0));
        filter
    }

    #[test]
    fn a_partial_is_rejected_for_six_hops_and_accepted_after() {
        for partial in [440.0, 660.0, 1100.0, 110.0] {
            let mut filter = singing(220.0);
            let heard: Vec<f32> = (0..8).map(|_| hear(&mut filter, partial, -21.0)).collect();
            assert!(heard[..6].iter().all(|hz| (hz - 220.0).abs() < 0.1), "{heard:?}");
            assert_eq!(heard[6..], [partial; 2]);
            assert_eq!(hear(&mut filter, 220.0, -21.0), 220.0, "not yet established");
        }
    }

    #[test]
    fn other_leaps_and_attacks_are_accepted_at_once() {
        assert_eq!(hear(&mut singing(220.0), 293.7, -20.0), 293.7);
        let mut filter = singing(220.0);
        hear(&mut filter, 220.0, -30.0);
        assert_eq!(hear(&mut filter, 440.0, -20.0), 440.0);
    }

    #[test]
    fn a_first_wrong_pitch_delays_nothing() {
        let mut filter = OctaveJumpFilter::default();
        (0..5).for_each(|_| _ = hear(&mut filter, 440.0, -20.0));
        assert_eq!(hear(&mut filter, 220.0, -20.0), 220.0);
    }
}
