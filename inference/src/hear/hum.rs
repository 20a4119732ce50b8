//! Mains hum: a tone at the mains' frequency or its double that stays as it is.
//!
//! A player who plays there by chance wavers: of 220,000 windows of 0.2 s out of recordings of instruments and voices none
//! lies this near to the mains and is as steady as a hum.

use super::Pitch;
use crate::math::db::{db_to_power, power_to_db};

/// Where hum is heard, Hz: at the mains' frequency, or behind a rectifier at its double. What is louder than the second
/// value, dBFS, is no hum, unless a hum as loud is known.
const MAINS_HZ: [(f32, f32); 4] = [(50.0, -26.0), (60.0, -26.0), (100.0, -30.0), (120.0, -30.0)];
/// How near to that, octaves: the encoder is 17 cents off at most. G1 and G2 lie 35 cents from it, B1 and B2 49.
const NEAR: f32 = 22.0 / 1200.0;
/// How near what is as loud as a hum that is known must be to be that, octaves: noise may move it.
const NEAR_KNOWN: f32 = 55.0 / 1200.0;
/// A note that was elsewhere for so many hops, and goes on, may pass by.
const ELSEWHERE_HOPS: u32 = 12;
/// A tone that may be a hum is waited for this long, hops: 100 ms.
const WATCHED_HOPS: u32 = 25;
/// A hum's level stays within this, dB.
const STEADY_DB: f32 = 3.0;
/// Share of a hop in that level: the window of the level is no whole period.
const EVENING: f32 = 0.12;
/// A tone this much louder than the hum is a note, dB.
const MARGIN_DB: f32 = 4.0;
/// Where it is this much more silent than the hum, the hum is over, dB.
const OVER_DB: f32 = 12.0;

/// What is this much louder than the room was just before is the beginning of a note, dB.
const ATTACK_DB: f32 = 10.0;
/// Levels are looked back on for one to two times so many hops.
const BLOCK: u32 = 32;
/// What is softer is no room, but a pause between two recordings, dBFS.
const NO_ROOM_DB: f32 = -110.0;

/// Tells hum from low notes. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hum {
    /// Hops that a tone has been near the mains, its softest and loudest level when it is evened, dBFS, and its evened power.
    n_near: u32,
    softest_db: f32,
    loudest_db: f32,
    power: f32,
    /// The loudest level as it was, dBFS.
    peak_db: f32,
    /// Softest level before it, if that is known.
    before_db: Option<f32>,
    quiet: Quiet,
    /// Hops since.
    n_away: u32,
    /// Hops that a note has been elsewhere, and whether it is that note which is near.
    n_elsewhere: u32,
    passes_by: bool,
    /// Level of the hum that is known, dBFS.
    known_db: Option<f32>,
}

impl Hum {
    /// Takes in one hop and its level, dBFS; `goes_on`: it belongs to a note that sounds. True if what is heard is hum, or may
    /// be and will soon be known.
    pub fn hop(&mut self, heard: Pitch, level_db: f32, goes_on: bool) -> bool {
        self.known_db = self.known_db.filter(|known_db| level_db > known_db - OVER_DB);
        let before_db = self.quiet.hop(level_db);
        let near = |octaves: f32| MAINS_HZ.into_iter().find(|(hz, _)| heard.is_within(octaves, *hz));
        if self.known_db.is_some_and(|known_db| level_db < known_db + MARGIN_DB) && near(NEAR_KNOWN).is_some() {
            return true;
        }
        let Some((_, most_db)) = near(NEAR) else {
            self.n_away = self.n_away.saturating_add(1);
            self.n_elsewhere = if goes_on { self.n_elsewhere.saturating_add(1) } else { 0 };
            // Noise hides a soft hum for a hop or two.
            if self.n_away > 2 {
                self.n_near = 0;
            }
            return false;
        };
        self.n_away = 0;
        if self.n_near == 0 {
            (self.softest_db, self.loudest_db, self.before_db) = (f32::MAX, f32::MIN, before_db);
            self.peak_db = f32::MIN;
            self.passes_by = goes_on && self.n_elsewhere >= ELSEWHERE_HOPS;
        }
        self.n_near = self.n_near.saturating_add(1);
        !self.passes_by && self.watch(level_db, most_db)
    }

    fn watch(&mut self, level_db: f32, most_db: f32) -> bool {
        let power = db_to_power(level_db);
        self.power = if self.n_near == 1 { power } else { self.power + EVENING * (power - self.power) };
        let even_db = power_to_db(self.power);
        // At first the tone fills the window of the level.
        if self.n_near > WATCHED_HOPS / 3 {
            self.softest_db = self.softest_db.min(even_db);
            self.loudest_db = self.loudest_db.max(even_db);
            self.peak_db = self.peak_db.max(level_db);
        }
        let is_steady = self.loudest_db - self.softest_db < STEADY_DB;
        let begins = self.before_db.is_some_and(|before_db| level_db > before_db + ATTACK_DB);
        if level_db > most_db || !is_steady || begins {
            return false;
        }
        if self.n_near >= WATCHED_HOPS {
            self.known_db = Some(self.peak_db);
        }
        true
    }
}

/// Softest level of the last moments. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
struct Quiet {
    n_hops: u32,
    /// Of the block of hops that is being filled, and of the one before, dBFS.
    softest_db: Option<f32>,
    before_db: Option<f32>,
}

impl Quiet {
    /// Takes in a level. Nothing is known of what follows the beginning, or a pause between two recordings.
    fn hop(&mut self, level_db: f32) -> Option<f32> {
        if level_db < NO_ROOM_DB {
            *self = Self::default();
            return None;
        }
        if self.n_hops == BLOCK {
            (self.before_db, self.softest_db, self.n_hops) = (self.softest_db, None, 0);
        }
        self.n_hops += 1;
        if self.before_db.is_none() && self.n_hops < BLOCK / 4 {
            // The level's window fills.
            return None;
        }
        self.softest_db = Some(self.softest_db.map_or(level_db, |softest_db| softest_db.min(level_db)));
        self.before_db.map(|before_db| self.softest_db.map_or(before_db, |softest_db| softest_db.min(before_db)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(hum: &mut Hum, f0_hz: f32, level_db: f32) -> bool {
        hum.hop(Pitch { f0_hz, certainty: 0.95, lower: 0.0 }, level_db, false)
    }

    #[test]
    fn hum_is_none_from_its_first_hop_on_and_is_known_between_notes() {
        for hz in [50.0, 60.2, 99.9, 120.0] {
            let mut hum = Hum::default();
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
    fn notes_are_none() {
        let mut hum = Hum::default();
        assert!(!hear(&mut hum, 49.0, -45.0) && !hear(&mut hum, 98.0, -45.0) && !hear(&mut hum, 65.4, -45.0));
        assert!(!hear(&mut hum, 100.0, -20.0), "too loud");
        let mut hum = Hum::default();
        (0..70).for_each(|_| _ = hear(&mut hum, 300.0, -75.0));
        assert!(!hear(&mut hum, 100.0, -45.0), "it begins");
        let mut hum = Hum::default();
        let swelling: Vec<bool> = (0..30).map(|i| hear(&mut hum, 100.0, -50.0 + 0.5 * i as f32)).collect();
        assert!(swelling[0] && !swelling[20] && !swelling[29], "after a moment");
    }
}
