//! A monophonic audio source: the encoder and the measurements beside it.

use super::encoder::{Encoder, EncoderStream};
use super::{
    FinePitch, Gate, GateHop, HarmonicMeter, Heard, HopInput, HopLevels, HumDetector, LoudnessMeter, N_HEARD_BANDS,
    NoiseFloor, NoiseMeter, OctaveJumpFilter, Pitch, PitchTracker, Polyphony, RumbleFilter, SoftSourceDetector, Source,
    SourceLevel, SourceNoise, TooSoftDetector, periodicity,
};
use crate::config::HOP_SIZE;
use crate::k_weight::KMeter;
use crate::math::db::power_to_db;
use crate::math::sum_of_squares;
use crate::settings::Settings;

/// Periodicity that a note must have: one that continues, and a new one. Of new notes in recordings, 2 % are below
/// 0.75. Of the pitches that the encoder finds in breath, 5 % are above 0.55.
const MIN_PERIODICITY: (f32, f32) = (0.1, 0.5);
/// Above the first value, Hz, a new note needs only the second periodicity: breath is taken for low notes.
const HIGH_NOTE: (f32, f32) = (400.0, 0.4);

/// One stream from a microphone.
pub struct Microphone {
    encoder: EncoderStream,
    state: State,
    noise: NoiseMeter,
    polyphony: Polyphony,
    learned: Learned,
}

/// State of the measurements. `reset` and `rest` clear it.
#[derive(Default)]
struct State {
    rumble: RumbleFilter,
    pitch: PitchTracker,
    octave_jumps: OctaveJumpFilter,
    loudness: LoudnessMeter,
    harmonics: HarmonicMeter,
    /// Pitch of the last hop that was part of a note, Hz.
    note_hz: f32,
    fine_pitch: FinePitch,
    too_soft: TooSoftDetector,
    hum: HumDetector,
    soft_source: SoftSourceDetector,
    gate: Gate,
    power: KMeter,
    /// Mean square of the last hops, for the gate.
    energies: [f32; 4],
}

/// Levels that are learned over seconds. `reset` clears them, `rest` keeps them: the same player continues.
struct Learned {
    noise_floor: NoiseFloor,
    /// Level that a note must exceed to stand out of the ambient noise, dBFS.
    noise_threshold_db: f32,
    /// A-weighted level of the loud notes, dB, for Level Fit.
    source_level: SourceLevel,
    /// Unweighted level of the loud notes, dBFS, for the gate.
    note_level: SourceLevel,
}

impl Default for Learned {
    fn default() -> Self {
        Self {
            noise_floor: NoiseFloor::default(),
            noise_threshold_db: f32::MIN,
            source_level: SourceLevel::default(),
            note_level: SourceLevel::default(),
        }
    }
}

impl Microphone {
    /// Allocates the state; the weights are shared.
    pub fn new(encoder: &Encoder) -> Self {
        Self::over(encoder.stream())
    }

    /// The same for the audio thread, see [`Encoder::realtime_stream`]. Allocates.
    pub fn realtime(encoder: &Encoder) -> Self {
        Self::over(encoder.realtime_stream())
    }

    fn over(encoder: EncoderStream) -> Self {
        Self {
            encoder,
            state: State::default(),
            noise: NoiseMeter::default(),
            polyphony: Polyphony::default(),
            learned: Learned::default(),
        }
    }

    /// `pitch`, with certainty 0 if it is breath or mains hum.
    fn without_breath_and_hum(&mut self, pitch: Pitch, level_db: f32) -> Pitch {
        let state = &mut self.state;
        let is_continued = state.gate.is_continued_by(pitch);
        let needed = match () {
            _ if is_continued => MIN_PERIODICITY.0,
            _ if pitch.f0_hz > HIGH_NOTE.0 => HIGH_NOTE.1,
            _ => MIN_PERIODICITY.1,
        };
        let is_periodic = periodicity(state.harmonics.frame(), pitch.f0_hz) > needed;
        if state.hum.hop(pitch, level_db, is_continued) || !is_periodic {
            Pitch { certainty: 0.0, ..pitch }
        } else {
            pitch
        }
    }

    /// Noise of the source. `gain`: of the note, which may be held or fading; `loud_gain`: of all loud sound.
    fn noise(&mut self, gain: f32, loud_gain: f32) -> SourceNoise {
        if loud_gain == 0.0 {
            return [0.0; N_HEARD_BANDS];
        }
        let noise = self.noise.measure(self.state.harmonics.frame(), (gain > 0.0).then_some(self.state.note_hz));
        noise.map(|magnitude| loud_gain * magnitude)
    }

    /// Level that a note must have, dBFS. The automatic gate has a lower threshold for a source that is soft as a
    /// whole.
    fn threshold_db(&self, settings: &Settings) -> f32 {
        let softer_db = (self.learned.note_level.level_db() - SourceLevel::EXPECTED_DB).min(0.0);
        match settings.source.gate_follows_room {
            true => self.learned.noise_threshold_db.max(settings.source.gate_db + softer_db),
            false => settings.source.gate_db,
        }
    }
}

impl Source for Microphone {
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> Heard {
        let power = self.state.power.hop(input.samples);
        let samples = &self.state.rumble.hop(input.samples);
        let encoding = self.encoder.hop(samples);
        let (voicing, z) = (encoding.voicing, encoding.z);
        let level_db = self.state.level_db(samples);
        let pitch = self.state.pitch.hop(&encoding.pitch_logits, voicing);
        let pitch = self.state.octave_jumps.hop(pitch, level_db);
        self.state.loudness.push(samples);
        self.state.harmonics.push(samples);
        let loudness_db = self.state.loudness.level_db(pitch.f0_hz);

        let note_pitch = self.without_breath_and_hum(pitch, level_db);
        let threshold_db = self.threshold_db(settings);
        let Self { state, learned, .. } = self;
        let noise_floor_db = learned.noise_floor.level_db();
        if level_db < threshold_db + Gate::HYSTERESIS_DB && state.soft_source.hop(note_pitch, level_db, noise_floor_db)
        {
            learned.note_level.lower_to(level_db);
            learned.source_level.lower_to(loudness_db);
        }
        let GateHop { gain, is_note, loud_gain } = state.gate.hop(note_pitch, level_db, threshold_db);
        let is_several_notes = self.polyphony.hop(samples, pitch, loud_gain > 0.0);
        let levels = HopLevels { hop_db: level_db, threshold_db, noise_floor_db };
        let is_too_soft = state.too_soft.hop(note_pitch, is_note, levels);
        learned.hop(level_db, loudness_db, is_note.then_some(pitch.f0_hz));
        let pitch = state.refined(pitch, is_note);

        let follows = settings.sound.follow > 0.0;
        let timbre = (is_note && follows).then(|| state.harmonics.timbre(pitch.f0_hz));
        let loud_notes_db = learned.source_level.level_db();
        let noise = follows.then(|| self.noise(gain, loud_gain));
        Heard {
            pitch,
            is_note,
            voicing,
            z,
            timbre,
            noise,
            loudness_db,
            loud_notes_db,
            power,
            gain,
            is_several_notes,
            is_too_soft,
        }
    }

    fn reset(&mut self) {
        self.rest();
        self.learned = Learned::default();
    }

    fn rest(&mut self) {
        self.encoder.reset();
        self.state = State::default();
        self.polyphony.reset();
    }
}

impl State {
    /// Mean level of the last four hops, of which `samples` are the newest, dBFS.
    fn level_db(&mut self, samples: &[f32; HOP_SIZE]) -> f32 {
        self.energies.rotate_left(1);
        self.energies[3] = sum_of_squares(samples) / HOP_SIZE as f32;
        power_to_db(self.energies.iter().sum::<f32>() / 4.0 + 1e-20)
    }

    /// `pitch` with the f0 of a note refined by phases.
    fn refined(&mut self, pitch: Pitch, is_note: bool) -> Pitch {
        if !is_note {
            self.fine_pitch.reset();
            return pitch;
        }
        self.note_hz = self.fine_pitch.hop(&self.harmonics, pitch.f0_hz);
        Pitch { f0_hz: self.note_hz, ..pitch }
    }
}

impl Learned {
    /// Learns from one hop. `note_hz`: its pitch, if it is part of a note.
    fn hop(&mut self, level_db: f32, loudness_db: f32, note_hz: Option<f32>) {
        self.noise_threshold_db = self.noise_floor.hop(level_db, note_hz);
        if note_hz.is_some() {
            self.source_level.hop(loudness_db);
            self.note_level.hop(level_db);
        }
    }
}
