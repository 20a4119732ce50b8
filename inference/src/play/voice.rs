//! An instrument and what it plays: one at a time on each chair, with a fade from one to the next.

use super::level_fit::{LevelFit, levelling_gain};
use super::level_match::{LevelMatch, SourcePower};
use super::morph::{crossfade, scaled};
use crate::config::N_Z;
use crate::controls::Controls;
use crate::hear::{LOUDNESS_FLOOR_DB, Timbre};
use crate::k_weight::power_of;
use crate::play::decoder::{DecoderState, Features};
use crate::play::follow::Follow;
use crate::play::instrument::{Card, Instrument};
use candle_core::Result;
use std::collections::VecDeque;
use std::sync::Arc;

/// Hops that a new instrument plays unheard before it comes in, all at once: those that were played last. So it is in the
/// middle of the note, and its level is matched to 1 dB; with none it came in 2 to 3 dB too soft.
const WARM_UP_HOPS: usize = 24;
/// Hops over which the old one fades into it: 32 ms.
const CROSSFADE_HOPS: usize = 8;
/// Range of the gain that matches an instrument's level to its source's, linear: -60 to 20 dB.
const MATCHING_GAINS: (f32, f32) = (1e-3, 10.0);

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
#[derive(Clone, Copy)]
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
    /// The last hops, the oldest first.
    recent: VecDeque<Ask>,
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
        let playing = instrument.map(Player::new).transpose()?;
        Ok(Self { playing, leaving: None, waiting: None, recent: VecDeque::with_capacity(WARM_UP_HOPS) })
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
            let fit = LevelFit::new(source_level_db, &player.instrument.card);
            player.gain * player.matching_gain(matched, &fit) * 10f32.powf(fit.raised_db() / 20.0)
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
            let new = instrument.map(|instrument| Player::warmed_up(instrument, &self.recent)).transpose()?;
            self.leaving = Some((std::mem::replace(&mut self.playing, new), CROSSFADE_HOPS));
        }
        if self.recent.len() == WARM_UP_HOPS {
            self.recent.pop_front();
        }
        self.recent.push_back(*ask);
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
    hops_left as f32 / (CROSSFADE_HOPS + 1) as f32
}

impl Player {
    fn new(instrument: Arc<Instrument>) -> Result<Self> {
        let (state, gain) = (instrument.decoder.state()?, levelling_gain(&instrument.card));
        let level = LevelMatch::new(gain * gain * instrument.loud_power);
        Ok(Self { instrument, state, gain, level })
    }

    /// As if it had played the `recent` hops.
    fn warmed_up(instrument: Arc<Instrument>, recent: &VecDeque<Ask>) -> Result<Self> {
        let mut player = Self::new(instrument)?;
        for ask in recent {
            player.hop(ask)?;
        }
        Ok(player)
    }

    fn hop(&mut self, ask: &Ask) -> Result<Controls> {
        if ask.is_resting {
            return Ok(Controls::SILENT);
        }
        let (card, note) = (&self.instrument.card, &ask.note);
        let fit = LevelFit::new(ask.source_level_db, card);
        let features = Features {
            f0_hz: within(note.f0_hz, card),
            loudness_db: fit.loudness_db(note.loudness_db, ask.dynamics),
            voicing: note.voicing,
            z: note.z.as_ref().map_or(&card.statistics.z_mean, |z| z),
        };
        let raw = self.instrument.decoder.step(&mut self.state, &features.scaled(&card.statistics))?;
        let follow = Follow::new(note.timbre, features.loudness_db, ask.follow);
        let controls = self.instrument.decoder.controls(&mut self.state, &raw, note.f0_hz, &follow);
        let controls = scaled(controls, self.gain, card.adjustments.breath_db);
        if let Some(source) = ask.source_power {
            // With the dynamics that are asked for: matching the level would undo them otherwise.
            let now = source.now * fit.dynamics_gain(note.loudness_db, ask.dynamics);
            let raised = 10f32.powf(fit.raised_softer_db() / 10.0);
            self.level.hop(SourcePower { now: now * raised, loud: source.loud * raised }, power_of(&controls));
        }
        Ok(scaled(controls, self.matching_gain(ask.matched, &fit), 0.0))
    }

    /// `matched` of the way, in dB, to the loudness of the source, linear.
    fn matching_gain(&self, matched: f32, fit: &LevelFit) -> f32 {
        if matched == 0.0 {
            return 1.0;
        }
        let gain = self.level.gain() * 10f32.powf(-fit.raised_softer_db() / 20.0);
        gain.clamp(MATCHING_GAINS.0, MATCHING_GAINS.1).powf(matched)
    }
}

/// Pitch that the decoder is told: it knows nothing beyond a third outside its range.
fn within(f0_hz: f32, card: &Card) -> f32 {
    let [low, high] = card.statistics.f0_range_hz;
    f0_hz.clamp(low / 1.26, high * 1.26)
}
