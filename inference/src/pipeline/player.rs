//! An instrument and what it plays: one at a time on each chair, with a fade from one to the next.

use super::blend::{crossfade, scaled};
use super::level_match::{LevelMatch, SourcePower};
use crate::config::N_Z;
use crate::controls::Controls;
use crate::decoder::{DecoderState, Features};
use crate::features::{LOUDNESS_FLOOR_DB, LoudnessFit, Timbre};
use crate::follow::Follow;
use crate::instrument::{Card, Instrument};
use crate::k_weight::power_of;
use candle_core::Result;
use std::sync::Arc;

/// Hops in which a new instrument plays unheard, so that its memory is that of the note that is held.
const WARM_UP_HOPS: usize = 8;
/// Hops over which the old one then fades into it: 32 ms.
const CROSSFADE_HOPS: usize = 8;
/// A source whose level is this near to the instrument's plays soft and loud as it is. Further away it is the microphone's
/// doing rather than the player's.
const LEVEL_FREEDOM_DB: f32 = 6.0;

/// Loudness of every instrument's loud notes, dB (A-weighted): recordings are as loud as they happen to be, and a swap shall
/// not leap.
const PLAYED_DB: f32 = -20.0;

/// Range of the gain that matches an instrument's level to its source's, linear: -60 to 20 dB.
const MATCHING_GAINS: (f32, f32) = (1e-3, 10.0);
/// Most by which dynamics move a note, dB.
const MOST_DYNAMICS_DB: f32 = 40.0;

/// What the decoder is asked to play.
#[derive(Clone, Copy)]
pub struct Note {
    pub f0_hz: f32,
    pub loudness_db: f32,
    pub voicing: f32,
    /// `None` between notes: then it is the instrument's own mean.
    pub z: Option<[f32; N_Z]>,
    /// `None` between notes, or if it is not asked for.
    pub timbre: Option<Timbre>,
}

impl Note {
    pub const NONE: Self = Self { f0_hz: 440.0, loudness_db: LOUDNESS_FLOOR_DB, voicing: 0.0, z: None, timbre: None };
}

/// What is asked of an instrument in one hop.
pub struct Ask {
    pub note: Note,
    /// Level of the source's loud notes, dB, if it is to be fitted to the instrument's.
    pub source_level_db: Option<f32>,
    /// See [`SourceControls`](crate::controls::SourceControls).
    pub dynamics: f32,
    /// See there, too.
    pub follow: f32,
    /// Of a hop that is part of a note.
    pub source_power: Option<SourcePower>,
    /// How far the instrument is brought to the source's loudness, 0 to 1.
    pub matched: f32,
    /// Nothing has been played for so long that the instrument need not compute its silence. It goes on from where it
    /// was: longer silences than that it did not learn, either.
    pub is_resting: bool,
}

/// Where an instrument plays until it is relieved.
pub struct Chair {
    playing: Option<Player>,
    /// Who is on the way out, if there was anyone, and the hops until then.
    leaving: Option<(Option<Player>, usize)>,
    /// Who comes in when nobody is on the way out.
    waiting: Option<Option<Arc<Instrument>>>,
}

/// An instrument and its stream.
struct Player {
    instrument: Arc<Instrument>,
    state: DecoderState,
    /// See [`levelling_gain`].
    gain: f32,
    level: LevelMatch,
}

impl Chair {
    /// Allocates.
    pub fn new(instrument: Option<Arc<Instrument>>) -> Result<Self> {
        Ok(Self { playing: instrument.map(Player::new).transpose()?, leaving: None, waiting: None })
    }

    /// Who plays next, or plays, without a past. Allocates.
    pub fn anew(&self) -> Result<Self> {
        let playing = || self.playing.as_ref().map(|player| player.instrument.clone());
        Self::new(self.waiting.clone().unwrap_or_else(playing))
    }

    /// The level that was found for who plays on `other`, if the same one plays here.
    pub fn take_up_level(&mut self, other: &Self) {
        if let (Some(player), Some(before)) = (&mut self.playing, &other.playing)
            && Arc::ptr_eq(&player.instrument, &before.instrument)
        {
            player.level = before.level;
        }
    }

    /// Card of who is heard most, if anyone is: while one instrument fades into the next, that of the louder one.
    pub fn card(&self) -> Option<&Card> {
        let louder = match &self.leaving {
            Some((old, hops_left)) if *hops_left > CROSSFADE_HOPS / 2 => old,
            _ => &self.playing,
        };
        louder.as_ref().map(|player| &player.instrument.card)
    }

    /// Relieves who plays, as soon as nobody is on the way out: a fade that is cut off would be a leap.
    pub fn seat(&mut self, instrument: Option<Arc<Instrument>>) {
        self.waiting = Some(instrument);
    }

    /// What brings the source's level to that of who plays, linear, if anyone does; on the way from one to the next while
    /// they fade. The arguments are those of [`Ask`].
    pub fn source_gain(&self, source_level_db: Option<f32>, matched: f32) -> Option<f32> {
        let gain = |player: &Player| {
            let card = &player.instrument.card;
            let (moved_db, softer_db) = (moved_db(source_level_db, card), softer_db(source_level_db, card));
            player.gain * player.matching_gain(matched, softer_db) * 10f32.powf(-moved_db / 20.0)
        };
        let new = self.playing.as_ref().map(gain);
        let Some((old, hops_left)) = &self.leaving else { return new };
        let old = old.as_ref().map(gain);
        let (new, old) = (new.or(old)?, old.or(new)?);
        Some(new + (old - new) * old_share(*hops_left))
    }

    /// One hop of who sits here. An empty chair goes `along`. Allocates (worker thread only).
    pub fn hop(&mut self, ask: &Ask, along: &Controls) -> Result<Controls> {
        if self.leaving.is_none()
            && let Some(instrument) = self.waiting.take()
        {
            let new = instrument.map(Player::new).transpose()?;
            self.leaving = Some((std::mem::replace(&mut self.playing, new), WARM_UP_HOPS + CROSSFADE_HOPS));
        }
        let play = |player: &mut Option<Player>| player.as_mut().map_or(Ok(*along), |player| player.hop(ask));
        let new = play(&mut self.playing)?;
        let Some((old, hops_left)) = &mut self.leaving else { return Ok(new) };
        let old = play(old)?;
        let share = old_share(*hops_left);
        *hops_left -= 1;
        self.leaving.take_if(|(_, hops_left)| *hops_left == 0);
        Ok(crossfade(&new, &old, share))
    }
}

/// Share of who is on the way out for `hops_left` more hops.
fn old_share(hops_left: usize) -> f32 {
    (hops_left as f32 / (CROSSFADE_HOPS + 1) as f32).min(1.0)
}

impl Player {
    fn new(instrument: Arc<Instrument>) -> Result<Self> {
        let (state, gain) = (instrument.decoder.state()?, levelling_gain(&instrument.card));
        let level = LevelMatch::new(gain * gain * instrument.loud_power);
        Ok(Self { instrument, state, gain, level })
    }

    fn hop(&mut self, ask: &Ask) -> Result<Controls> {
        if ask.is_resting {
            return Ok(Controls::SILENT);
        }
        let (card, note) = (&self.instrument.card, &ask.note);
        let features = Features {
            f0_hz: within(note.f0_hz, card),
            loudness_db: fit_loudness(note.loudness_db, ask.source_level_db, ask.dynamics, card),
            voicing: note.voicing,
            z: note.z.as_ref().map_or(&card.z_mean, |z| z),
        };
        let raw = self.instrument.decoder.step(&mut self.state, &features.scaled(card))?;
        let follow = Follow::new(note.timbre, features.loudness_db, ask.follow);
        let controls = self.instrument.decoder.controls(&mut self.state, &raw, note.f0_hz, &follow);
        let controls = scaled(controls, self.gain, card.breath_db);
        let softer_db = softer_db(ask.source_level_db, card);
        if let Some(source) = ask.source_power {
            self.level.hop(as_told(source, softer_db, ask, card), power_of(&controls));
        }
        Ok(scaled(controls, self.matching_gain(ask.matched, softer_db), 0.0))
    }

    /// `matched` of the way, in dB, to the loudness of a source that is `moved_db` louder than the instrument is told, linear.
    fn matching_gain(&self, matched: f32, moved_db: f32) -> f32 {
        match matched {
            0.0 => 1.0,
            _ => (self.level.gain() * 10f32.powf(moved_db / 20.0))
                .clamp(MATCHING_GAINS.0, MATCHING_GAINS.1)
                .powf(matched),
        }
    }
}

/// Pitch that the decoder is told: it knows nothing beyond a third outside its range.
fn within(f0_hz: f32, card: &Card) -> f32 {
    f0_hz.clamp(card.f0_range_hz[0] / 1.26, card.f0_range_hz[1] * 1.26)
}

/// The source's level, if it is known, brought near the instrument's: what is no further away than [`LEVEL_FREEDOM_DB`] is
/// played as loud as it comes. What is softer or louder than loud notes are is made `dynamics` times as much so, and of a
/// source that is brought to the instrument's level less, as the instrument wants it. Never louder than the decoder has heard.
fn fit_loudness(loudness_db: f32, source_level_db: Option<f32>, dynamics: f32, card: &Card) -> f32 {
    let [_, _, upper, loudest] = card.loudness_db;
    let moved_db = moved_db(source_level_db, card);
    let middle = source_level_db.unwrap_or(upper);
    let kept = if source_level_db.is_some() { 1.0 - card.compression } else { 1.0 };
    let shaped = middle + dynamics * kept * (loudness_db - middle);
    (shaped - moved_db).clamp(LOUDNESS_FLOOR_DB, loudest + 3.0)
}

/// The source's power as the instrument is told of it: `moved_db` softer, so that what the level fit finds out does not seem
/// to be the instrument's doing; and with the dynamics that are asked for, which matching the level would undo otherwise.
fn as_told(source: SourcePower, moved_db: f32, ask: &Ask, card: &Card) -> SourcePower {
    let middle = ask.source_level_db.unwrap_or(card.loudness_db[2]);
    let shaped_db = (ask.dynamics - 1.0) * (ask.note.loudness_db - middle);
    let gain = |db: f32| 10f32.powf(db / 10.0);
    let dynamics = gain(shaped_db.clamp(-MOST_DYNAMICS_DB, MOST_DYNAMICS_DB));
    SourcePower { now: source.now * dynamics * gain(-moved_db), loud: source.loud * gain(-moved_db) }
}

/// How much louder than its loud notes shall be a source is, dB.
fn moved_db(source_level_db: Option<f32>, card: &Card) -> f32 {
    source_level_db.map_or(0.0, |level| level - fitted_level_db(level, card))
}

/// How much softer a source turned out to be than was expected, as far as the instrument is told of it louder for that, dB ≤ 0.
/// Louder sources are left out: their loudest notes an instrument does not follow.
fn softer_db(source_level_db: Option<f32>, card: &Card) -> f32 {
    source_level_db
        .map_or(0.0, |level| (moved_db(Some(level), card) - moved_db(Some(LoudnessFit::EXPECTED_DB), card)).min(0.0))
}

/// Loudness, dB, that the loud notes of a source at `level_db` have for the instrument.
fn fitted_level_db(level_db: f32, card: &Card) -> f32 {
    let upper = card.loudness_db[2];
    level_db.clamp(upper - LEVEL_FREEDOM_DB, upper + LEVEL_FREEDOM_DB)
}

/// What brings the loud notes of a source of usual level to [`PLAYED_DB`], linear.
fn levelling_gain(card: &Card) -> f32 {
    10f32.powf((PLAYED_DB - fitted_level_db(LoudnessFit::EXPECTED_DB, card)) / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dynamics_are_around_the_loud_notes() {
        let card = Card { loudness_db: [-50.0, -25.0, -20.0, -15.0], ..Card::default() };
        let fit = |loudness_db, dynamics| fit_loudness(loudness_db, Some(-40.0), dynamics, &card);
        assert_eq!([fit(-40.0, 0.0), fit(-40.0, 1.0), fit(-40.0, 2.0)], [-26.0; 3]);
        assert_eq!([fit(-50.0, 0.0), fit(-50.0, 1.0), fit(-50.0, 2.0)], [-26.0, -36.0, -46.0]);
        assert_eq!(fit(0.0, 1.0), -12.0, "no louder than was heard in training");
        assert_eq!(fit_loudness(-30.0, None, 1.0, &card), -30.0);
        let card = Card { compression: 0.5, ..card };
        let fit = |loudness_db, dynamics| fit_loudness(loudness_db, Some(-40.0), dynamics, &card);
        assert_eq!([fit(-50.0, 0.0), fit(-50.0, 1.0), fit(-50.0, 2.0)], [-26.0, -31.0, -36.0]);
        assert_eq!(fit_loudness(-30.0, None, 1.0, &card), -30.0, "as recorded");
    }
}
