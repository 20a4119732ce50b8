//! A voice: one instrument at a time, with a fade from one to the next.

use super::decoder::{DecoderStream, Features};
use super::follow::Follow;
use super::instrument::{Card, Instrument};
use super::level_fit::{LevelFit, levelling_gain};
use super::level_match::{LevelMatch, SourcePower};
use super::morph::breath_gain;
use crate::config::N_Z;
use crate::controls::Controls;
use crate::hear::{LOUDNESS_FLOOR_DB, Timbre};
use crate::k_weight::power_of;
use crate::math::db::{db_to_gain, db_to_power};
use std::collections::VecDeque;
use std::sync::Arc;

/// Hops that a new instrument plays unheard before it comes in, all at once: those that were played last. So it is in the
/// middle of the note, and its level is matched to 1 dB; with none it came in 2 to 3 dB too soft.
const WARM_UP_HOPS: usize = 24;
/// Hops over which the old one fades into it: 32 ms.
const CROSSFADE_HOPS: usize = 8;
/// Range of the gain that matches an instrument's level to its source's, linear: -60 to 20 dB.
const MATCHING_GAINS: (f32, f32) = (1e-3, 10.0);
/// Instruments that may wait to be freed: at a reset the one that fades out and the one that played.
const N_RETIRED: usize = 4;

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

/// What a voice is asked for in one hop.
#[derive(Clone, Copy)]
pub struct Request {
    pub note: Note,
    /// Level of the source's loud notes, dB, if it is to be fitted to the instrument's.
    pub loud_notes_db: Option<f32>,
    /// See [`SoundSettings`](crate::settings::SoundSettings).
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

/// What a voice plays in one hop.
#[derive(Clone, Copy)]
pub struct Sung {
    pub controls: Controls,
    /// False if the network gave what is no number.
    pub is_valid: bool,
}

/// Plays one instrument until another is loaded.
pub struct Voice {
    playing: Option<Box<LoadedInstrument>>,
    fading: Option<Fading>,
    /// What comes in when nothing fades any more: a fade that is cut off would be a leap.
    pending: Option<Option<Box<LoadedInstrument>>>,
    /// The last requests, the oldest first.
    recent: VecDeque<Request>,
    retired: [Option<Box<LoadedInstrument>>; N_RETIRED],
}

/// An instrument, or none, on its way out.
struct Fading {
    old: Option<Box<LoadedInstrument>>,
    hops_left: usize,
}

/// An instrument with the state of its stream, ready to play.
pub struct LoadedInstrument {
    instrument: Arc<Instrument>,
    stream: DecoderStream,
    /// See [`levelling_gain`].
    gain: f32,
    level: LevelMatch,
}

impl Voice {
    /// Allocates.
    pub fn new(playing: Option<Box<LoadedInstrument>>) -> Self {
        Self {
            playing,
            fading: None,
            pending: None,
            recent: VecDeque::with_capacity(WARM_UP_HOPS),
            retired: Default::default(),
        }
    }

    /// See [`Player::load`](super::Player::load).
    pub fn load(&mut self, instrument: Option<Box<LoadedInstrument>>) -> Option<Box<LoadedInstrument>> {
        self.pending.replace(instrument).flatten()
    }

    /// See [`Player::take_retired`](super::Player::take_retired).
    pub fn take_retired(&mut self) -> Option<Box<LoadedInstrument>> {
        self.retired.iter_mut().find_map(Option::take)
    }

    fn retire(&mut self, old: Option<Box<LoadedInstrument>>) {
        let Some(old) = old else { return };
        let place = self.retired.iter_mut().find(|place| place.is_none());
        debug_assert!(place.is_some(), "retired instruments are to be taken after each hop");
        if let Some(place) = place {
            *place = Some(old);
        }
    }

    /// What plays next, or plays, goes on without a past.
    pub fn reset(&mut self) {
        self.rest();
        if let Some(playing) = &mut self.playing {
            playing.level = playing.first_level();
        }
    }

    /// The same, and the level that was found for what plays stays.
    pub fn rest(&mut self) {
        if let Some(next) = self.pending.take() {
            let old = std::mem::replace(&mut self.playing, next);
            self.retire(old);
        }
        if let Some(fading) = self.fading.take() {
            self.retire(fading.old);
        }
        if let Some(playing) = &mut self.playing {
            playing.rest();
        }
        self.recent.clear();
    }

    /// Card of what is heard most, if anything is: while one instrument fades into the next, that of the louder one.
    pub fn card(&self) -> Option<&Card> {
        let louder = match &self.fading {
            Some(Fading { old, hops_left }) if *hops_left > CROSSFADE_HOPS / 2 => old,
            _ => &self.playing,
        };
        louder.as_ref().map(|loaded| &loaded.instrument.card)
    }

    /// What brings the source's level to that of what plays, linear, if anything does; on the way from one to the next while
    /// they fade.
    pub fn source_gain(&self, request: &Request) -> Option<f32> {
        let gain = |loaded: &LoadedInstrument| loaded.source_gain(request);
        let new = self.playing.as_deref().map(gain);
        let Some(fading) = &self.fading else { return new };
        let old = fading.old.as_deref().map(gain);
        let (new, old) = (new.or(old)?, old.or(new)?);
        Some(new + (old - new) * fading.share())
    }

    /// One hop. A voice without an instrument goes `along`. Realtime-safe.
    pub fn hop(&mut self, request: &Request, along: &Controls) -> Sung {
        self.begin_fade();
        if self.recent.len() == WARM_UP_HOPS {
            self.recent.pop_front();
        }
        self.recent.push_back(*request);
        let along = Sung { controls: *along, is_valid: true };
        let play = |loaded: &mut Option<Box<LoadedInstrument>>| loaded.as_mut().map_or(along, |l| l.hop(request));
        let new = play(&mut self.playing);
        let Some(fading) = &mut self.fading else { return new };
        let old = play(&mut fading.old);
        let controls = new.controls.lerp(&old.controls, fading.share());
        fading.hops_left -= 1;
        if fading.hops_left == 0 {
            let old = self.fading.take().and_then(|fading| fading.old);
            self.retire(old);
        }
        Sung { controls, is_valid: new.is_valid && old.is_valid }
    }

    /// Lets what is pending come in, as if it had played the recent hops.
    fn begin_fade(&mut self) {
        if self.fading.is_some() {
            return;
        }
        let Some(mut new) = self.pending.take() else { return };
        if let Some(new) = &mut new {
            self.recent.iter().for_each(|request| _ = new.hop(request));
        }
        self.fading = Some(Fading { old: std::mem::replace(&mut self.playing, new), hops_left: CROSSFADE_HOPS });
    }
}

impl Fading {
    /// Of the old one.
    fn share(&self) -> f32 {
        self.hops_left as f32 / (CROSSFADE_HOPS + 1) as f32
    }
}

impl LoadedInstrument {
    /// Allocates the state; the weights are shared.
    pub fn new(instrument: Arc<Instrument>) -> Self {
        let (stream, gain) = (instrument.decoder.stream(), levelling_gain(&instrument.card));
        let level = LevelMatch::new(gain * gain * instrument.loud_power);
        Self { instrument, stream, gain, level }
    }

    /// What is expected before a note was heard.
    fn first_level(&self) -> LevelMatch {
        LevelMatch::new(self.gain * self.gain * self.instrument.loud_power)
    }

    fn rest(&mut self) {
        self.stream.reset();
    }

    fn hop(&mut self, request: &Request) -> Sung {
        if request.is_resting {
            return Sung { controls: Controls::SILENT, is_valid: true };
        }
        let (card, note) = (&self.instrument.card, &request.note);
        let fit = LevelFit::new(request.loud_notes_db, card);
        let features = Features {
            f0_hz: within(note.f0_hz, card),
            loudness_db: fit.loudness_db(note.loudness_db, request.dynamics),
            voicing: note.voicing,
            z: note.z.as_ref().map_or(&card.statistics.z_mean, |z| z),
        };
        let raw = self.stream.hop(&features.scaled(&card.statistics));
        let is_valid = raw.iter().all(|x| x.is_finite());
        let follow = Follow::new(note.timbre, features.loudness_db, request.follow);
        let controls = self.instrument.decoder.controls(&mut self.stream, &raw, note.f0_hz, &follow);
        let controls = controls.scaled(self.gain, self.gain * breath_gain(card.adjustments.breath_db));
        if let Some(source) = request.source_power {
            // With the dynamics that are asked for: matching the level would undo them otherwise.
            let now = source.now * fit.dynamics_gain(note.loudness_db, request.dynamics);
            let raised = db_to_power(fit.raised_softer_db());
            self.level.hop(SourcePower { now: now * raised, loud: source.loud * raised }, power_of(&controls));
        }
        let gain = self.matching_gain(request.matched, &fit);
        Sung { controls: controls.scaled(gain, gain), is_valid }
    }

    fn source_gain(&self, request: &Request) -> f32 {
        let fit = LevelFit::new(request.loud_notes_db, &self.instrument.card);
        self.gain * self.matching_gain(request.matched, &fit) * db_to_gain(fit.raised_db())
    }

    /// `matched` of the way, in dB, to the loudness of the source, linear.
    fn matching_gain(&self, matched: f32, fit: &LevelFit) -> f32 {
        if matched == 0.0 {
            return 1.0;
        }
        let gain = self.level.gain() * db_to_gain(-fit.raised_softer_db());
        gain.clamp(MATCHING_GAINS.0, MATCHING_GAINS.1).powf(matched)
    }
}

/// Pitch that the decoder is told: it knows nothing beyond a third outside its range.
fn within(f0_hz: f32, card: &Card) -> f32 {
    let [low, high] = card.statistics.f0_range_hz;
    f0_hz.clamp(low / 1.26, high * 1.26)
}
