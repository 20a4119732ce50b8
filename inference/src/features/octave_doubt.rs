//! What rings, or has lost its fundamental in a room, sounds for a moment like one of its own partials.

use super::Pitch;

/// A leap by whole partials is believed after this many hops, 24 ms.
const PATIENCE: u32 = 6;
/// Partials that are mistaken for the note, or it for one of them.
const PARTIALS: [f32; 4] = [2.0, 3.0, 4.0, 5.0];
/// A partial is met within this, octaves.
const NEAR: f32 = 0.04;
/// Less certain hops say nothing of what sounds.
const CERTAIN: f32 = 0.45;
/// After so many of them the next note is a new one.
const FORGOTTEN: u32 = 25;
/// A note is one after so many hops: what is heard first may be the mistake.
const ESTABLISHED: u32 = 8;
/// A level that rises by this much within [`ATTACK_HOPS`] is a new note, dB.
const ATTACK_DB: f32 = 6.0;
const ATTACK_HOPS: usize = 8;

/// Holds the octave of a note that goes on, until a leap by whole partials has lasted. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct OctaveDoubt {
    /// The note that sounds, Hz; 0 = none.
    note_hz: f32,
    /// Hops that it has been heard.
    n_heard: u32,
    n_leapt: u32,
    n_uncertain: u32,
    /// Levels of the last hops, dBFS.
    levels_db: [f32; ATTACK_HOPS],
}

impl OctaveDoubt {
    /// Takes in one hop and says what to believe.
    pub fn hop(&mut self, heard: Pitch, level_db: f32) -> Pitch {
        let lowest_db = self.levels_db.iter().copied().fold(level_db, f32::min);
        self.levels_db.rotate_left(1);
        self.levels_db[ATTACK_HOPS - 1] = level_db;
        if level_db > lowest_db + ATTACK_DB || self.n_uncertain > FORGOTTEN {
            self.note_hz = 0.0;
        }
        let is_certain = heard.certainty > CERTAIN;
        self.n_uncertain = if is_certain { 0 } else { self.n_uncertain.saturating_add(1) };
        if let Some(ratio) = self.leap(heard.f0_hz).filter(|_| self.n_leapt < PATIENCE && self.n_heard >= ESTABLISHED) {
            self.n_leapt += 1;
            return Pitch { f0_hz: heard.f0_hz / ratio, ..heard };
        }
        self.n_leapt = 0;
        if is_certain {
            let goes_on = (heard.f0_hz / self.note_hz).log2().abs() < 2.0 / 12.0;
            self.n_heard = if goes_on { self.n_heard.saturating_add(1) } else { 0 };
            self.note_hz = heard.f0_hz;
        }
        heard
    }

    /// Whole ratio of `f0_hz` to the note that sounds, or of the note to it.
    fn leap(&self, f0_hz: f32) -> Option<f32> {
        let ratio = f0_hz / self.note_hz;
        let candidates = PARTIALS.into_iter().flat_map(|k| [k, 1.0 / k]);
        candidates.filter(|_| self.note_hz > 0.0).find(|k| (ratio / k).log2().abs() < NEAR)
    }
}
