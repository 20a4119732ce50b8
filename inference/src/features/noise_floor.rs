//! How loud the room is when nobody plays.

use crate::config::FRAME_RATE;

/// Lowest floor that is told apart, dBFS.
const LOWEST_DB: f32 = -100.0;
/// Floor before anything was heard, dBFS.
const EXPECTED_DB: f32 = -80.0;
/// A room louder than this wants the player's own threshold: otherwise a drone would in the end be taken for the room.
const HIGHEST_DB: f32 = -40.0;
/// A note must be this much louder than the room.
const MARGIN_DB: f32 = 6.0;
/// How fast the floor follows a level below it, per hop: 50 ms.
const FALL: f32 = 0.08;
/// How fast it rises, dB per second: while nothing is heard, and during notes, which may be a humming machine.
const RISE_DB: (f32, f32) = (12.0, 1.5);

/// Follows the lowest level of the last seconds. Realtime-safe.
#[derive(Clone, Copy, Debug)]
pub struct NoiseFloor {
    floor_db: f32,
}

impl Default for NoiseFloor {
    fn default() -> Self {
        Self { floor_db: EXPECTED_DB }
    }
}

impl NoiseFloor {
    /// Takes in the level of one hop, dBFS. Returns the level that a note must exceed, dBFS.
    pub fn hop(&mut self, level_db: f32, is_note: bool) -> f32 {
        let rise = if is_note { RISE_DB.1 } else { RISE_DB.0 } / FRAME_RATE;
        let away = level_db.max(LOWEST_DB) - self.floor_db;
        self.floor_db += if away < 0.0 { FALL * away } else { rise.min(away) };
        self.floor_db = self.floor_db.min(HIGHEST_DB);
        self.floor_db + MARGIN_DB
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(floor: &mut NoiseFloor, seconds: f32, level_db: f32, is_note: bool) -> f32 {
        (0..(seconds * FRAME_RATE) as usize).fold(0.0, |_, _| floor.hop(level_db, is_note))
    }

    #[test]
    fn the_room_is_learned_in_seconds_and_forgotten_at_once() {
        let mut floor = NoiseFloor::default();
        assert!(after(&mut floor, 5.0, -55.0, false) > -55.0, "hiss at -55 dB is the room");
        assert!(after(&mut floor, 4.0, -20.0, true) < -40.0, "a long note is not");
        assert!(after(&mut floor, 0.3, -80.0, false) < -70.0, "the room is silent again");
    }

    #[test]
    fn a_humming_machine_becomes_the_room_and_a_drone_never_does() {
        let mut floor = NoiseFloor::default();
        assert!(after(&mut floor, 40.0, -52.0, true) > -52.0);
        assert!(after(&mut floor, 600.0, -20.0, true) < -30.0);
    }
}
