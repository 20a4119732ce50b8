//! A voice: one instrument at a time, with a fade from one to the next.

use super::decoder::{DecoderStream, Features};
use super::follow::Follow;
use super::instrument::{Card, Instrument};
use super::level_fit::{LevelFit, levelling_gain};
use super::level_match::{LevelMatch, SourcePower};
use super::morph::breath_gain;
use crate::controls::Controls;
use crate::hear::{Heard, LOUDNESS_FLOOR_DB};
use crate::k_weight::power_of;
use crate::math::db::{db_to_gain, db_to_power};
use std::collections::VecDeque;
use std::sync::Arc;

/// Last requests that a new instrument plays silently, all at once, before it fades in. It then is in the middle of the
/// note, and its level is right within 1 dB; without them it came in 2 to 3 dB too soft.
const WARM_UP_HOPS: usize = 24;
/// Hops of the crossfade: 32 ms.
const CROSSFADE_HOPS: usize = 8;
/// Range of Match Level's gain, linear: -60 to 20 dB.
const MATCHING_GAINS: (f32, f32) = (1e-3, 10.0);
/// Room for instruments that wait to be freed. A reset retires two at once: the one that fades out and the one that
/// played.
const N_RETIRED: usize = 4;

/// The note that the decoder plays.
#[derive(Clone, Copy)]
pub struct HeldNote {
    /// After octave fit and tuning, Hz.
    pub f0_hz: f32,
    /// The last hop of the source's note; `None` between notes, where the instrument's own means are used.
    pub heard: Option<Heard>,
}

impl HeldNote {
    pub const NONE: Self = Self { f0_hz: 440.0, heard: None };

    fn loudness_db(&self) -> f32 {
        self.heard.map_or(LOUDNESS_FLOOR_DB, |heard| heard.loudness_db)
    }
}

/// Request to a voice for one hop.
#[derive(Clone, Copy)]
pub struct Request {
    pub note: HeldNote,
    /// Level of the source's loud notes, dB; `None` = do not fit it to the instrument's.
    pub loud_notes_db: Option<f32>,
    /// See [`SoundSettings`](crate::settings::SoundSettings).
    pub dynamics: f32,
    /// See [`SoundSettings`](crate::settings::SoundSettings).
    pub follow: f32,
    /// Power of the source; `None` between notes.
    pub source_power: Option<SourcePower>,
    /// Share of Match Level, 0 to 1.
    pub matched: f32,
    /// The decoder is not run, because no note has sounded for a while. Its state stays: training has no longer
    /// silences, either.
    pub is_resting: bool,
}

/// Output of a voice for one hop.
#[derive(Clone, Copy)]
pub struct VoiceOutput {
    pub controls: Controls,
    /// False if the network gave what is no number.
    pub is_valid: bool,
}

/// Plays one instrument at a time, and crossfades to the next.
pub struct Voice {
    playing: Option<Box<LoadedInstrument>>,
    fading: Option<Fading>,
    /// The next instrument, or none. It waits until the present fade has ended, because a fade that is cut off would be
    /// a leap.
    pending: Option<Option<Box<LoadedInstrument>>>,
    /// The last requests, the oldest first.
    recent: VecDeque<Request>,
    retired: [Option<Box<LoadedInstrument>>; N_RETIRED],
}

/// An instrument, or none, that fades out.
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

    /// Forgets the past. A pending instrument plays from the next hop on.
    pub fn reset(&mut self) {
        self.rest();
        if let Some(playing) = &mut self.playing {
            playing.level = playing.first_level();
        }
    }

    /// The same, but the measured level of the playing instrument stays.
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

    /// Card of the playing instrument, if there is one; during a crossfade, of the louder one.
    pub fn card(&self) -> Option<&Card> {
        let louder = match &self.fading {
            Some(Fading { old, hops_left }) if *hops_left > CROSSFADE_HOPS / 2 => old,
            _ => &self.playing,
        };
        louder.as_ref().map(|loaded| &loaded.instrument.card)
    }

    /// Gain that brings the source's level to that of the playing instrument, linear, if there is one; interpolated
    /// during a crossfade.
    pub fn source_gain(&self, request: &Request) -> Option<f32> {
        let gain = |loaded: &LoadedInstrument| loaded.source_gain(request);
        let new = self.playing.as_deref().map(gain);
        let Some(fading) = &self.fading else { return new };
        let old = fading.old.as_deref().map(gain);
        let (new, old) = (new.or(old)?, old.or(new)?);
        Some(new + (old - new) * fading.share())
    }

    /// Plays one hop. Without an instrument the output is `along`. Realtime-safe.
    pub fn hop(&mut self, request: &Request, along: &Controls) -> VoiceOutput {
        self.begin_fade();
        if self.recent.len() == WARM_UP_HOPS {
            self.recent.pop_front();
        }
        self.recent.push_back(*request);
        let along = VoiceOutput { controls: *along, is_valid: true };
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
        VoiceOutput { controls, is_valid: new.is_valid && old.is_valid }
    }

    /// Starts the crossfade to a pending instrument, after it has played the recent requests.
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
    /// Share of the old instrument.
    fn share(&self) -> f32 {
        self.hops_left as f32 / (CROSSFADE_HOPS + 1) as f32
    }
}

impl LoadedInstrument {
    /// Allocates the state; the weights are shared.
    pub fn new(instrument: Arc<Instrument>) -> Self {
        let stream = instrument.decoder.stream();
        Self::over(instrument, stream)
    }

    /// The same for the audio thread, see [`Decoder::realtime_stream`](super::decoder::Decoder::realtime_stream).
    /// Allocates.
    pub fn realtime(instrument: Arc<Instrument>) -> Self {
        let stream = instrument.decoder.realtime_stream();
        Self::over(instrument, stream)
    }

    fn over(instrument: Arc<Instrument>, stream: DecoderStream) -> Self {
        let gain = levelling_gain(&instrument.card);
        let level = LevelMatch::new(gain * gain * instrument.loud_power);
        Self { instrument, stream, gain, level }
    }

    /// The level before a note was measured.
    fn first_level(&self) -> LevelMatch {
        LevelMatch::new(self.gain * self.gain * self.instrument.loud_power)
    }

    fn rest(&mut self) {
        self.stream.reset();
    }

    fn hop(&mut self, request: &Request) -> VoiceOutput {
        if request.is_resting {
            return VoiceOutput { controls: Controls::SILENT, is_valid: true };
        }
        let (card, note, heard) = (&self.instrument.card, &request.note, request.note.heard.as_ref());
        let fit = LevelFit::new(request.loud_notes_db, card);
        let features = Features {
            f0_hz: within(note.f0_hz, card),
            loudness_db: fit.loudness_db(note.loudness_db(), request.dynamics),
            voicing: heard.map_or(0.0, |heard| heard.voicing),
            z: heard.map_or(&card.statistics.z_mean, |heard| &heard.z),
        };
        let raw = self.stream.hop(&features.scaled(&card.statistics));
        let is_valid = raw.iter().all(|x| x.is_finite());
        let follow = Follow::new(heard.and_then(|heard| heard.timbre), features.loudness_db, request.follow);
        let controls = self.instrument.decoder.controls(&mut self.stream, &raw, note.f0_hz, &follow);
        let controls = controls.scaled(self.gain, self.gain * breath_gain(card.adjustments.breath_db));
        if let Some(source) = request.source_power {
            // The dynamics count as the source's own; otherwise matching the level would undo them.
            let now = source.now * fit.dynamics_gain(note.loudness_db(), request.dynamics);
            let raised = db_to_power(fit.raised_softer_db());
            self.level.hop(SourcePower { now: now * raised, loud: source.loud * raised }, power_of(&controls));
        }
        let gain = self.matching_gain(request.matched, &fit);
        VoiceOutput { controls: controls.scaled(gain, gain), is_valid }
    }

    fn source_gain(&self, request: &Request) -> f32 {
        let fit = LevelFit::new(request.loud_notes_db, &self.instrument.card);
        self.gain * self.matching_gain(request.matched, &fit) * db_to_gain(fit.raised_db())
    }

    /// Gain of Match Level, linear: `matched` (0 to 1) of the way to the source's loudness, in dB.
    fn matching_gain(&self, matched: f32, fit: &LevelFit) -> f32 {
        if matched == 0.0 {
            return 1.0;
        }
        let gain = self.level.gain() * db_to_gain(-fit.raised_softer_db());
        gain.clamp(MATCHING_GAINS.0, MATCHING_GAINS.1).powf(matched)
    }
}

/// Pitch for the decoder, at most a third outside the range: it has not learned more.
fn within(f0_hz: f32, card: &Card) -> f32 {
    let [low, high] = card.statistics.f0_range_hz;
    f0_hz.clamp(low / 1.26, high * 1.26)
}
