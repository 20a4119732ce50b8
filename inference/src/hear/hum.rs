//! Detects mains hum: a tone at the mains frequency or its double, with a steady level.
//!
//! A player's note at that pitch wavers: of 220,000 windows of 0.2 s from recordings of instruments and voices, none is
//! as near to these frequencies and as steady as hum.

use super::Pitch;
use crate::math::db::{db_to_power, power_to_db};

/// Frequencies of hum, Hz: of the mains, and behind a rectifier twice that. A tone louder than the second value, dBFS,
/// is no hum, unless a hum of that level is known.
const MAINS_HZ: [(f32, f32); 4] = [(50.0, -26.0), (60.0, -26.0), (100.0, -30.0), (120.0, -30.0)];
/// Greatest distance of hum from these, octaves. The encoder is 17 cents off at most; G1 and G2 lie 35 cents away, B1
/// and B2 49.
const NEAR: f32 = 22.0 / 1200.0;
/// Greatest distance of a known hum from these, octaves: noise may move its pitch.
const NEAR_KNOWN: f32 = 55.0 / 1200.0;
/// A note that was at other pitches for so many hops, and continues, may pass these frequencies.
const OTHER_PITCH_HOPS: u32 = 12;
/// Hops after which a tone near these frequencies is known to be hum: 100 ms.
const WATCHED_HOPS: u32 = 25;
/// Greatest change of the level of hum, dB.
const STEADY_DB: f32 = 3.0;
/// Weight of a hop in the smoothed power: the window of the level is not a whole number of periods.
const SMOOTHING: f32 = 0.12;
/// A tone this much louder than the known hum is a note, dB.
const MARGIN_DB: f32 = 4.0;
/// The hum has ended where the level is this far below it, dB.
const OVER_DB: f32 = 12.0;

/// A tone this much louder than the softest level just before it is the beginning of a note, dB.
const ATTACK_DB: f32 = 10.0;
/// The softest level is taken over one to two times so many hops.
const BLOCK: u32 = 32;
/// Softer sound is not ambient noise but a pause between two recordings, dBFS.
const PAUSE_DB: f32 = -110.0;

/// Distinguishes hum from low notes. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct HumDetector {
    /// Hops of a tone near the mains frequencies, its smoothed power, and the range of its smoothed level, dBFS.
    n_near: u32,
    power: f32,
    softest_db: f32,
    loudest_db: f32,
    /// Its loudest level without smoothing, dBFS.
    peak_db: f32,
    /// Softest level before it, if known, dBFS.
    before_db: Option<f32>,
    recent: RecentMinimum,
    /// Hops since the last tone near the mains frequencies.
    n_away: u32,
    /// Hops of a note at other pitches, and whether the tone near the mains frequencies continues that note.
    n_other_pitch: u32,
    is_passing: bool,
    /// Level of the known hum, dBFS.
    known_db: Option<f32>,
}

impl HumDetector {
    /// Reads one hop and its level, dBFS. `is_continued`: the hop continues a note that sounds. True if the tone is
    /// hum, or may be and is not decided yet.
    pub fn hop(&mut self, heard: Pitch, level_db: f32, is_continued: bool) -> bool {
        self.known_db = self.known_db.filter(|known_db| level_db > known_db - OVER_DB);
        let before_db = self.recent.hop(level_db);
        let near = |octaves: f32| MAINS_HZ.into_iter().find(|(hz, _)| heard.is_within(octaves, *hz));
        if self.known_db.is_some_and(|known_db| level_db < known_db + MARGIN_DB) && near(NEAR_KNOWN).is_some() {
            return true;
        }
        let Some((_, max_db)) = near(NEAR) else {
            self.n_away = self.n_away.saturating_add(1);
            self.n_other_pitch = if is_continued { self.n_other_pitch.saturating_add(1) } else { 0 };
            // Noise masks a soft hum for a hop or two.
            if self.n_away > 2 {
                self.n_near = 0;
            }
            return false;
        };
        self.n_away = 0;
        if self.n_near == 0 {
            (self.softest_db, self.loudest_db, self.before_db) = (f32::MAX, f32::MIN, before_db);
            self.peak_db = f32::MIN;
            self.is_passing = is_continued && self.n_other_pitch >= OTHER_PITCH_HOPS;
        }
        self.n_near = self.n_near.saturating_add(1);
        !self.is_passing && self.is_hum(level_db, max_db)
    }

    fn is_hum(&mut self, level_db: f32, max_db: f32) -> bool {
        let power = db_to_power(level_db);
        self.power = if self.n_near == 1 { power } else { self.power + SMOOTHING * (power - self.power) };
        let even_db = power_to_db(self.power);
        // At first the window of the level is still filling.
        if self.n_near > WATCHED_HOPS / 3 {
            self.softest_db = self.softest_db.min(even_db);
            self.loudest_db = self.loudest_db.max(even_db);
            self.peak_db = self.peak_db.max(level_db);
        }
        let is_steady = self.loudest_db - self.softest_db < STEADY_DB;
        let is_attack = self.before_db.is_some_and(|before_db| level_db > before_db + ATTACK_DB);
        if level_db > max_db || !is_steady || is_attack {
            return false;
        }
        if self.n_near >= WATCHED_HOPS {
            self.known_db = Some(self.peak_db);
        }
        true
    }
}

/// Softest level of the last hops. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
struct RecentMinimum {
    n_hops: u32,
    /// Softest level in the current block of hops, and in the one before, dBFS.
    softest_db: Option<f32>,
    before_db: Option<f32>,
}

impl RecentMinimum {
    /// Reads a level, dBFS. None after the beginning, and after a pause between two recordings, for one block.
    fn hop(&mut self, level_db: f32) -> Option<f32> {
        if level_db < PAUSE_DB {
            *self = Self::default();
            return None;
        }
        if self.n_hops == BLOCK {
            (self.before_db, self.softest_db, self.n_hops) = (self.softest_db, None, 0);
        }
        self.n_hops += 1;
        if self.before_db.is_none() && self.n_hops < BLOCK / 4 {
            // The window of the level is still filling.
            return None;
        }
        self.softest_db = Some(self.softest_db.map_or(level_db, |softest_db| softest_db.min(level_db)));
        self.before_db.map(|before_db| self.softest_db.map_or(before_db, |softest_db| softest_db.min(before_db)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(hum: &mut HumDetector, f0_hz: f32, level_db: f32) -> bool {
        hum.hop(Pitch { f0_hz, certainty: 0.95, lower: 0.0 }, level_db, false)
    }

    #[test]
    fn hum_is_detected_from_its_first_hop_on_and_remembered_between_notes() {
        for hz in [50.0, 60.2, 99.9, 120.0] {
            let mut hum = HumDetector::default();
            assert!((0..500).all(|i| hear(&mut hum, hz * [1.0, 1.005, 0.995][i % 3], -45.0 + (i % 2) as f32)), "{hz}");
            assert!((0..50).all(|_| !hear(&mut hum, 220.0, -20.0)));
            assert!(hear(&mut hum, hz, -45.0));
            assert!(!hear(&mut hum, hz, -30.0), "a note at the same pitch");
            hear(&mut hum, 300.0, -60.0);
            (0..30).for_each(|i| _ = hear(&mut hum, hz, -62.0 + 0.2 * i as f32));
            assert!(!hear(&mut hum, hz, -50.0), "switched off");
        }
    }

    #[test]
    fn notes_are_no_hum() {
        let mut hum = HumDetector::default();
        assert!(!hear(&mut hum, 49.0, -45.0) && !hear(&mut hum, 98.0, -45.0) && !hear(&mut hum, 65.4, -45.0));
        assert!(!hear(&mut hum, 100.0, -20.0), "too loud");
        let mut hum = HumDetector::default();
        (0..70).for_each(|_| _ = hear(&mut hum, 300.0, -75.0));
        assert!(!hear(&mut hum, 100.0, -45.0), "it begins");
        let mut hum = HumDetector::default();
        let swelling: Vec<bool> = (0..30).map(|i| hear(&mut hum, 100.0, -50.0 + 0.5 * i as f32)).collect();
        assert!(swelling[0] && !swelling[20] && !swelling[29], "after a moment");
    }
}
