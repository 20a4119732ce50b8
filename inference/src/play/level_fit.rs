//! Level Fit: maps the source's level onto that of the recordings from which the instrument learned.

use crate::hear::{LOUDNESS_FLOOR_DB, SourceLevel};
use crate::math::db::{db_to_gain, db_to_power};
use crate::play::instrument::Card;

/// A source within this distance of the instrument's level keeps its own level, dB. A larger distance is due to the
/// microphone rather than to the player.
const FREEDOM_DB: f32 = 6.0;
/// Highest request above the loudest recordings, dB.
const BEYOND_LOUDEST_DB: f32 = 3.0;
/// Target loudness of every instrument's loud notes, dB (A-weighted). Recordings differ in level, and a swap must not
/// leap.
const PLAYED_DB: f32 = -20.0;
/// Largest change of a note's level by the dynamics, dB.
const MOST_DYNAMICS_DB: f32 = 40.0;

/// One source level and one instrument.
pub struct LevelFit<'a> {
    /// Level of the source's loud notes, dB; `None` = do not fit.
    source_level_db: Option<f32>,
    card: &'a Card,
}

impl<'a> LevelFit<'a> {
    /// `source_level_db`: level of the source's loud notes, dB; `None` leaves every note as loud as it comes.
    pub fn new(source_level_db: Option<f32>, card: &'a Card) -> Self {
        Self { source_level_db, card }
    }

    /// Gain that the fit gives the source, dB.
    pub fn raised_db(&self) -> f32 {
        self.source_level_db.map_or(0.0, |level| raised_db(level, self.card))
    }

    /// Part of [`Self::raised_db`] that is due to a source softer than expected, dB ≥ 0. The part due to a louder
    /// source is left out, because an instrument does not follow a source's loudest notes.
    pub fn raised_softer_db(&self) -> f32 {
        let raised =
            |level: f32| (raised_db(level, self.card) - raised_db(SourceLevel::EXPECTED_DB, self.card)).max(0.0);
        self.source_level_db.map_or(0.0, raised)
    }

    /// Loudness to request from the decoder, dB, for a source of `loudness_db`.
    ///
    /// The distance from the loud notes is multiplied by `dynamics`, and reduced by the card's compression if the
    /// source is fitted. The result stays within the range that the decoder has learned.
    pub fn loudness_db(&self, loudness_db: f32, dynamics: f32) -> f32 {
        let kept = if self.source_level_db.is_some() { 1.0 - self.card.adjustments.compression } else { 1.0 };
        let shaped = self.middle_db() + dynamics * kept * (loudness_db - self.middle_db());
        (shaped + self.raised_db()).clamp(LOUDNESS_FLOOR_DB, self.card.statistics.loudness_db[3] + BEYOND_LOUDEST_DB)
    }

    /// Power gain that `dynamics` give a note of `loudness_db`.
    pub fn dynamics_gain(&self, loudness_db: f32, dynamics: f32) -> f32 {
        let moved_db = (dynamics - 1.0) * (loudness_db - self.middle_db());
        db_to_power(moved_db.clamp(-MOST_DYNAMICS_DB, MOST_DYNAMICS_DB))
    }

    /// Level at which dynamics change nothing, dB: that of the loud notes.
    fn middle_db(&self) -> f32 {
        self.source_level_db.unwrap_or(self.card.statistics.loudness_db[2])
    }
}

/// Gain that brings the loud notes of a source of expected level to [`PLAYED_DB`], linear.
pub fn levelling_gain(card: &Card) -> f32 {
    let level = SourceLevel::EXPECTED_DB;
    db_to_gain(PLAYED_DB - level - raised_db(level, card))
}

/// Gain that brings a source's level near the instrument's, dB.
fn raised_db(level_db: f32, card: &Card) -> f32 {
    let upper = card.statistics.loudness_db[2];
    level_db.clamp(upper - FREEDOM_DB, upper + FREEDOM_DB) - level_db
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::instrument::Adjustments;

    #[test]
    fn dynamics_are_around_the_loud_notes() {
        let card = Card::example();
        assert_eq!(card.statistics.loudness_db, [-50.0, -25.0, -20.0, -15.0]);
        let fit = |loudness_db, dynamics| LevelFit::new(Some(-40.0), &card).loudness_db(loudness_db, dynamics);
        assert_eq!([fit(-40.0, 0.0), fit(-40.0, 1.0), fit(-40.0, 2.0)], [-26.0; 3]);
        assert_eq!([fit(-50.0, 0.0), fit(-50.0, 1.0), fit(-50.0, 2.0)], [-26.0, -36.0, -46.0]);
        assert_eq!(fit(0.0, 1.0), -12.0, "no louder than was heard in training");
        assert_eq!(LevelFit::new(None, &card).loudness_db(-30.0, 1.0), -30.0);
        let card = Card { adjustments: Adjustments { compression: 0.5, ..Adjustments::default() }, ..card };
        let fit = |loudness_db, dynamics| LevelFit::new(Some(-40.0), &card).loudness_db(loudness_db, dynamics);
        assert_eq!([fit(-50.0, 0.0), fit(-50.0, 1.0), fit(-50.0, 2.0)], [-26.0, -31.0, -36.0]);
        assert_eq!(LevelFit::new(None, &card).loudness_db(-30.0, 1.0), -30.0, "as recorded");
    }
}
