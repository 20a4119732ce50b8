//! The source that is played today: one melody, heard through the encoder and what is measured beside it.

use super::encoder::{Encoder, EncoderStream};
use super::{
    FinePitch, Gate, GateHop, HarmonicMeter, Heard, HopInput, Hum, Levels, LoudnessMeter, N_HEARD_BANDS, NoiseFloor,
    NoiseMeter, OctaveDoubt, Pitch, PitchTracker, Polyphony, RumbleFilter, SoftSource, Source, SourceLevel,
    SourceNoise, TooSoft, periodicity,
};
use crate::config::HOP_SIZE;
use crate::k_weight::KMeter;
use crate::math::db::power_to_db;
use crate::math::sum_of_squares;
use crate::settings::Settings;

/// How far a note must repeat itself from period to period: one that goes on, and a new one. Of new notes in recordings two
/// in a hundred are below 0.75, of what the encoder takes for a pitch in breath one in twenty is above 0.55.
const REPEATED: (f32, f32) = (0.1, 0.5);
/// Above this pitch a new note need repeat itself less, Hz: breath is taken for low notes.
const HIGH: (f32, f32) = (400.0, 0.4);

/// Everything that remembers the input.
pub struct Microphone {
    encoder: EncoderStream,
    /// What is measured hop by hop, and forgotten at a reset.
    past: Past,
    noise: NoiseMeter,
    polyphony: Polyphony,
    learned: Learned,
}

/// What is forgotten at a reset.
#[derive(Default)]
struct Past {
    rumble: RumbleFilter,
    pitch: PitchTracker,
    doubt: OctaveDoubt,
    loudness: LoudnessMeter,
    harmonics: HarmonicMeter,
    /// Pitch of the last hop that was part of a note, Hz.
    note_hz: f32,
    fine_pitch: FinePitch,
    too_soft: TooSoft,
    hum: Hum,
    soft: SoftSource,
    gate: Gate,
    meter: KMeter,
    /// Mean square of the last hops, for the gate.
    energies: [f32; 4],
}

/// What was learned of the source and of its room in a long time, and holds while the same player goes on.
struct Learned {
    room: NoiseFloor,
    /// Level that a note must exceed to be heard over the room, dBFS.
    room_db: f32,
    source_level: SourceLevel,
    /// Level of the loud notes, dBFS, for the gate.
    note_level: SourceLevel,
}

impl Default for Learned {
    fn default() -> Self {
        Self {
            room: NoiseFloor::default(),
            room_db: f32::MIN,
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
            past: Past::default(),
            noise: NoiseMeter::default(),
            polyphony: Polyphony::default(),
            learned: Learned::default(),
        }
    }

    /// `pitch`, and certain only if it is neither breath nor hum.
    fn likely(&mut self, pitch: Pitch, level_db: f32) -> Pitch {
        let past = &mut self.past;
        let goes_on = past.gate.goes_on(pitch);
        let needed = match () {
            _ if goes_on => REPEATED.0,
            _ if pitch.f0_hz > HIGH.0 => HIGH.1,
            _ => REPEATED.1,
        };
        let repeats = periodicity(past.harmonics.frame(), pitch.f0_hz) > needed;
        if past.hum.hop(pitch, level_db, goes_on) || !repeats { Pitch { certainty: 0.0, ..pitch } } else { pitch }
    }

    /// `gain` of the note, which may be held or fading, and of what is loud enough.
    fn noise(&mut self, gain: f32, loud_gain: f32) -> SourceNoise {
        if loud_gain == 0.0 {
            return [0.0; N_HEARD_BANDS];
        }
        let noise = self.noise.measure(self.past.harmonics.frame(), (gain > 0.0).then_some(self.past.note_hz));
        noise.map(|magnitude| loud_gain * magnitude)
    }

    /// Level that a note must have, dBFS. The automatic gate opens further for a source that is soft as a whole.
    fn threshold_db(&self, settings: &Settings) -> f32 {
        let softer_db = (self.learned.note_level.level_db() - SourceLevel::EXPECTED_DB).min(0.0);
        match settings.source.gate_follows_room {
            true => self.learned.room_db.max(settings.source.gate_db + softer_db),
            false => settings.source.gate_db,
        }
    }
}

impl Source for Microphone {
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> Heard {
        let power = self.past.meter.hop(input.samples);
        let samples = &self.past.rumble.hop(input.samples);
        let encoding = self.encoder.hop(samples);
        let (voicing, z) = (encoding.voicing, encoding.z);
        let level_db = self.past.level_db(samples);
        let pitch = self.past.pitch.hop(&encoding.pitch_logits, voicing);
        let pitch = self.past.doubt.hop(pitch, level_db);
        self.past.loudness.push(samples);
        self.past.harmonics.push(samples);
        let loudness_db = self.past.loudness.level_db(pitch.f0_hz);

        let likely = self.likely(pitch, level_db);
        let threshold_db = self.threshold_db(settings);
        let Self { past, learned, .. } = self;
        if level_db < threshold_db + Gate::HYSTERESIS_DB && past.soft.hop(likely, level_db, learned.room.level_db()) {
            learned.note_level.begin_at(level_db);
            learned.source_level.begin_at(loudness_db);
        }
        let GateHop { gain, is_note, loud_gain } = past.gate.hop(likely, level_db, threshold_db);
        let is_several_notes = self.polyphony.hop(samples, pitch, loud_gain > 0.0);
        let levels = Levels { hop_db: level_db, threshold_db, room_db: learned.room.level_db() };
        let is_too_soft = past.too_soft.hop(likely, is_note, levels);
        learned.hop(level_db, loudness_db, is_note.then_some(pitch.f0_hz));
        let pitch = past.refined(pitch, is_note);

        let follows = settings.sound.follow > 0.0;
        let timbre = (is_note && follows).then(|| past.harmonics.timbre(pitch.f0_hz));
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
        self.past = Past::default();
        self.polyphony.reset();
    }
}

impl Past {
    /// Mean level of the last four hops, of which `samples` are the newest, dBFS.
    fn level_db(&mut self, samples: &[f32; HOP_SIZE]) -> f32 {
        self.energies.rotate_left(1);
        self.energies[3] = sum_of_squares(samples) / HOP_SIZE as f32;
        power_to_db(self.energies.iter().sum::<f32>() / 4.0 + 1e-20)
    }

    /// The pitch of a note to a fraction of a cent.
    fn refined(&mut self, pitch: Pitch, is_note: bool) -> Pitch {
        if !is_note {
            self.fine_pitch.rest();
            return pitch;
        }
        self.note_hz = self.fine_pitch.hop(&self.harmonics, pitch.f0_hz);
        Pitch { f0_hz: self.note_hz, ..pitch }
    }
}

impl Learned {
    /// Takes in the levels of one hop; `note_hz`: its pitch, if it is part of a note.
    fn hop(&mut self, level_db: f32, loudness_db: f32, note_hz: Option<f32>) {
        self.room_db = self.room.hop(level_db, note_hz);
        if note_hz.is_some() {
            self.source_level.hop(loudness_db);
            self.note_level.hop(level_db);
        }
    }
}
