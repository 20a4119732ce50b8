//! Noise floor: level of the ambient noise while nobody plays.

use crate::config::FRAME_RATE;

/// Levels below this count as this, dBFS.
const LOWEST_DB: f32 = -100.0;
/// Floor at the beginning, dBFS.
const EXPECTED_DB: f32 = -80.0;
/// Highest floor, dBFS: without a limit, a drone would become the floor in the end. For louder noise the player sets
/// the threshold.
const HIGHEST_DB: f32 = -40.0;
/// Least distance of a note above the floor, dB.
const MARGIN_DB: f32 = 6.0;
/// Share of the way down to a lower level per hop: 50 ms.
const FALL: f32 = 0.08;
/// Rise, dB per second: without a note, and during notes, which may be the tone of a machine.
const RISE_DB: (f32, f32) = (12.0, 1.5);

/// The noise of a machine (fan, hum) keeps its level within so many dB, and its pitch, if it has one, within so many
/// octaves, for so many hops: 2 s. No voice does. Few notes of instruments do, and those are louder than
/// [`HIGHEST_DB`].
const STEADY_DB: f32 = 1.25;
const STEADY_OCTAVES: f32 = 1.0 / 24.0;
const STEADY_HOPS: u32 = (2.0 * FRAME_RATE) as u32;
/// Highest tone of a machine, Hz.
const HIGHEST_HZ: f32 = 500.0;
/// Weight of a hop in the smoothed level that is compared: noise in the tone makes single hops unsteady.
const SMOOTHING: f32 = 0.03;

/// Tracks the lowest level of the last seconds. Realtime-safe.
#[derive(Clone, Copy, Debug)]
pub struct NoiseFloor {
    floor_db: f32,
    /// Smoothed level of the last hops, dBFS.
    smoothed_db: f32,
    /// Level (dBFS) and pitch (Hz) that the last `n_steady` hops have in common.
    steady_db: f32,
    steady_hz: f32,
    n_steady: u32,
}

impl Default for NoiseFloor {
    fn default() -> Self {
        Self { floor_db: EXPECTED_DB, steady_db: LOWEST_DB, smoothed_db: LOWEST_DB, steady_hz: 1.0, n_steady: 0 }
    }
}

impl NoiseFloor {
    /// Reads the level of one hop, dBFS, and the pitch of its note, if it has one, Hz. Returns the level that a note
    /// must exceed, dBFS.
    pub fn hop(&mut self, level_db: f32, note_hz: Option<f32>) -> f32 {
        let rise = if note_hz.is_some() { RISE_DB.1 } else { RISE_DB.0 } / FRAME_RATE;
        if self.is_steady(level_db, note_hz) {
            self.floor_db = self.floor_db.max(self.steady_db);
        }
        let away = level_db.max(LOWEST_DB) - self.floor_db;
        self.floor_db += if away < 0.0 { FALL * away } else { rise.min(away) };
        self.floor_db = self.floor_db.min(HIGHEST_DB);
        self.floor_db + MARGIN_DB
    }

    /// True if level and pitch have been the same for so long that they are a machine's.
    fn is_steady(&mut self, level_db: f32, note_hz: Option<f32>) -> bool {
        let moved = note_hz.is_some_and(|hz| hz > HIGHEST_HZ || (hz / self.steady_hz).log2().abs() > STEADY_OCTAVES);
        self.smoothed_db += SMOOTHING * (level_db.max(LOWEST_DB) - self.smoothed_db);
        if (self.smoothed_db - self.steady_db).abs() > STEADY_DB || moved {
            (self.steady_db, self.steady_hz, self.n_steady) = (self.smoothed_db, note_hz.unwrap_or(self.steady_hz), 0);
        }
        self.n_steady = self.n_steady.saturating_add(1);
        self.n_steady > STEADY_HOPS && self.steady_db < HIGHEST_DB
    }

    /// The noise floor, dBFS.
    pub fn level_db(&self) -> f32 {
        self.floor_db
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(floor: &mut NoiseFloor, seconds: f32, level_db: f32, is_note: bool) -> f32 {
        (0..(seconds * FRAME_RATE) as usize).fold(0.0, |_, _| floor.hop(level_db, is_note.then_some(110.0)))
    }

    #[test]
    fn the_floor_rises_in_seconds_and_falls_at_once() {
        let mut floor = NoiseFloor::default();
        assert!(after(&mut floor, 5.0, -55.0, false) > -55.0, "hiss at -55 dB is the floor");
        assert!(after(&mut floor, 4.0, -20.0, true) < -40.0, "a long note is not");
        assert!(after(&mut floor, 0.3, -80.0, false) < -70.0, "silence lowers it");
    }

    #[test]
    fn the_tone_of_a_machine_becomes_the_floor_and_a_drone_never_does() {
        let mut floor = NoiseFloor::default();
        assert!(after(&mut floor, 1.9, -52.0, true) < -60.0);
        assert!(after(&mut floor, 0.7, -52.0, true) > -52.0);
        assert!(after(&mut floor, 600.0, -20.0, true) < -30.0);
    }
}
