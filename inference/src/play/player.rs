//! From what is heard in a hop to what is played in it.

use super::Slot;
use super::attack::Attack;
use super::follow::lead_noise;
use super::level_match::SourcePower;
use super::morph::{blend_range, breath_gain, level_morph};
use super::octave_fit::{OctaveFit, Target, fold_into};
use super::tuning::{Glide, Snap};
use super::voice::{HeldNote, LoadedInstrument, Request, Voice};
use crate::controls::Controls;
use crate::hear::{Heard, Pitch};
use crate::math::db::db_to_power;
use crate::settings::Settings;

/// Limits of the played pitch, Hz, for any transposition.
const PLAYED_HZ: (f32, f32) = (16.0, 12_000.0);
/// Hops of the fade when Match Level is switched: 64 ms.
const MATCHING_HOPS: f32 = 16.0;
/// Hops without a note after which the decoders are not run: 100 ms.
const REST_AFTER: usize = 25;

/// Fits a source's notes to two instruments, plays both, and blends them. State of one stream.
pub struct Player {
    /// A and B, indexed by [`Slot`].
    voices: [Voice; 2],
    octave: OctaveFit,
    snap: Snap,
    glide: Glide,
    attack: Attack,
    /// The last hop of a note. It is played on while the gate holds it or fades it out.
    note: HeldNote,
    /// Hops since the last note.
    n_silent: usize,
    /// Share of Match Level, 0 to 1, on its way when it is switched; and whether a hop was played.
    matched: f32,
    has_begun: bool,
}

/// Output of one hop.
pub struct Played {
    /// For the synth.
    pub controls: Controls,
    /// False if a network gave what is no number.
    pub is_valid: bool,
}

impl Player {
    /// Allocates. `instruments`: A and B; without A, B plays.
    pub fn new(instruments: [Option<Box<LoadedInstrument>>; 2]) -> Self {
        Self {
            voices: instruments.map(Voice::new),
            octave: OctaveFit::default(),
            snap: Snap::default(),
            glide: Glide::default(),
            attack: Attack::default(),
            note: HeldNote::NONE,
            n_silent: 0,
            matched: 0.0,
            has_begun: false,
        }
    }

    /// Crossfades to another instrument, or to none, from the next hop on. Returns an instrument that was pending and
    /// is now replaced. Realtime-safe.
    pub fn load(&mut self, slot: Slot, instrument: Option<Box<LoadedInstrument>>) -> Option<Box<LoadedInstrument>> {
        self.voices[slot as usize].load(instrument)
    }

    /// Takes an instrument that has faded out, to free it on another thread. Call until `None`, after each hop and
    /// reset. Realtime-safe.
    pub fn take_retired(&mut self) -> Option<Box<LoadedInstrument>> {
        self.voices.iter_mut().find_map(Voice::take_retired)
    }

    /// Forgets the past, as if newly made. Pending instruments play from the first hop on. Realtime-safe.
    pub fn reset(&mut self) {
        self.forget();
        self.octave.reset();
        self.voices.iter_mut().for_each(Voice::reset);
    }

    /// As [`reset`](Self::reset), but what was learned of the source stays. Realtime-safe.
    pub fn rest(&mut self) {
        self.forget();
        self.voices.iter_mut().for_each(Voice::rest);
    }

    fn forget(&mut self) {
        (self.snap, self.glide, self.attack) = Default::default();
        (self.note, self.n_silent, self.has_begun) = (HeldNote::NONE, 0, false);
    }

    /// Plays one hop. Realtime-safe.
    pub fn hop(&mut self, heard: &Heard, settings: &Settings) -> Played {
        self.take_note(heard, settings);
        self.matched = self.way_to(settings.sound.match_level);
        let request = self.request(heard, settings);
        let morph = settings.sound.morph;
        let first = self.voices[0].hop(&request, &Controls::SILENT);
        // B always runs, so that its state does not depend on when the morph began.
        let second = self.voices[1].hop(&request, &first.controls);
        let played = level_morph(&first.controls, &second.controls, morph, self.matched);

        let gain = heard.gain * self.attack.hop(heard.gain > 0.0, settings.sound.attack_s);
        // The room adds power; this keeps the instrument as loud as the source.
        let room_gain = settings.room().power_gain().powf(-0.5 * self.matched);
        let (gain, breath) = (gain * room_gain, breath_gain(settings.sound.breath_db));
        let mut controls = played.scaled(gain, gain * breath);
        if let Some(noise) = &heard.noise {
            let gain = self.source_gain(&request, morph) * room_gain * breath;
            controls = lead_noise(&controls, noise, gain, settings.sound.follow);
        }
        Played { controls, is_valid: first.is_valid && second.is_valid }
    }

    fn request(&self, heard: &Heard, settings: &Settings) -> Request {
        let loud = db_to_power(heard.loud_notes_db);
        Request {
            note: self.note,
            loud_notes_db: settings.source.level_fit.then_some(heard.loud_notes_db),
            dynamics: settings.sound.dynamics,
            follow: settings.sound.follow,
            source_power: heard.is_note.then_some(SourcePower { now: heard.power, loud }),
            matched: self.matched,
            is_resting: self.n_silent > REST_AFTER,
        }
    }

    /// The next share of Match Level: at its target in the first hop, later in steps.
    fn way_to(&mut self, is_wanted: bool) -> f32 {
        let wanted = if is_wanted { 1.0 } else { 0.0 };
        let way = wanted - self.matched;
        if std::mem::replace(&mut self.has_begun, true) {
            self.matched + way.clamp(-1.0 / MATCHING_HOPS, 1.0 / MATCHING_HOPS)
        } else {
            wanted
        }
    }

    /// Takes over a note while it sounds, keeps it while the gate holds or fades it, and forgets it afterwards.
    fn take_note(&mut self, heard: &Heard, settings: &Settings) {
        self.n_silent = if heard.gain > 0.0 { 0 } else { self.n_silent + 1 };
        if heard.is_note {
            let f0_hz = self.fit_pitch(heard.pitch, settings);
            self.note = HeldNote { f0_hz, heard: Some(*heard) };
        } else if heard.gain == 0.0 {
            self.snap.rest();
            self.glide.rest();
            self.note = HeldNote { f0_hz: self.note.f0_hz, ..HeldNote::NONE };
        }
    }

    fn fit_pitch(&mut self, pitch: Pitch, settings: &Settings) -> f32 {
        let (morph, settings) = (settings.sound.morph, &settings.pitch);
        let transposed = Pitch { f0_hz: pitch.f0_hz * (settings.transpose_semitones / 12.0).exp2(), ..pitch };
        let range_hz = self.range_hz(morph);
        let moved = self.octave.fit_to(Target { range_hz, keeps_octave: self.keeps_octave(morph) });
        // Runs even when it is switched off, so that the octave does not depend on when it was switched on.
        let octaves = self.octave.hop(transposed);
        let played = match settings.octave_fit {
            true => {
                self.glide.shift(moved);
                fold_into(transposed.f0_hz * octaves.exp2(), range_hz)
            }
            false => transposed.f0_hz,
        };
        let tuned = self.glide.hop(self.snap.hop(played, &settings.snap), settings.glide_s);
        tuned.clamp(PLAYED_HZ.0, PLAYED_HZ.1)
    }

    /// Gain that brings the source's noise to the level of the playing instruments, linear.
    fn source_gain(&self, request: &Request, morph: f32) -> f32 {
        match self.voices.each_ref().map(|voice| voice.source_gain(request)) {
            [Some(first), Some(second)] => first + (second - first) * morph.clamp(0.0, 1.0),
            [first, second] => first.or(second).unwrap_or(1.0),
        }
    }

    /// That of the nearer of the two instruments.
    fn keeps_octave(&self, morph: f32) -> bool {
        let [first, second] = self.voices.each_ref().map(Voice::card);
        let (nearer, other) = if morph < 0.5 { (first, second) } else { (second, first) };
        nearer.or(other).is_some_and(|card| card.adjustments.keeps_octave)
    }

    /// Playable range of the blend, Hz.
    fn range_hz(&self, morph: f32) -> [f32; 2] {
        let [first, second] = self.voices.each_ref().map(|voice| voice.card().map(|card| card.statistics.f0_range_hz));
        match (first, second) {
            (Some(first), Some(second)) => blend_range(first, second, morph),
            (first, second) => first.or(second).unwrap_or([PLAYED_HZ.0, PLAYED_HZ.1]),
        }
    }
}
