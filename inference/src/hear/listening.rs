//! From a hop of samples to what is heard in it.

use crate::config::{HOP_SIZE, N_Z};
use crate::controls::SourceControls;
use crate::engine::Heard;
use crate::hear::encoder::{Encoder, EncoderStream};
use crate::hear::{
    FinePitch, Gate, GateHop, HarmonicMeter, Hum, Levels, LoudnessMeter, N_HEARD_BANDS, NoiseFloor, NoiseMeter,
    OctaveDoubt, Pitch, PitchTracker, Polyphony, RumbleFilter, SoftSource, SourceLevel, SourceNoise, Timbre, TooSoft,
    periodicity,
};
use crate::k_weight::KMeter;
use crate::math::sum_of_squares;
use crate::play::SourcePower;
use crate::play::{OctaveFit, Target};

/// How far a note must repeat itself from period to period: one that goes on, and a new one. Of new notes in recordings two
/// in a hundred are below 0.75, of what the encoder takes for a pitch in breath one in twenty is above 0.55.
const REPEATED: (f32, f32) = (0.1, 0.5);
/// Above this pitch a new note need repeat itself less, Hz: breath is taken for low notes.
const HIGH: (f32, f32) = (400.0, 0.4);

/// Everything that remembers the input.
pub struct Listening {
    rumble: RumbleFilter,
    encoder: EncoderStream,
    pitch: PitchTracker,
    doubt: OctaveDoubt,
    loudness: LoudnessMeter,
    harmonics: HarmonicMeter,
    noise: NoiseMeter,
    /// Pitch of the last hop that was part of a note, Hz.
    note_hz: f32,
    fine_pitch: FinePitch,
    polyphony: Polyphony,
    too_soft: TooSoft,
    hum: Hum,
    soft: SoftSource,
    room: NoiseFloor,
    /// Level that a note must exceed to be heard over the room, dBFS.
    room_db: f32,
    gate: Gate,
    octave: OctaveFit,
    source_level: SourceLevel,
    /// Level of the loud notes, dBFS, for the gate.
    note_level: SourceLevel,
    meter: KMeter,
    /// Mean square of the last hops, for the gate.
    energies: [f32; 4],
}

/// What was learned of the source and of its room in a long time, and holds after a reset, too.
pub struct Learned {
    room: NoiseFloor,
    room_db: f32,
    octave: OctaveFit,
    source_level: SourceLevel,
    note_level: SourceLevel,
}

/// One hop of the source, before it is fitted to an instrument.
pub struct Source {
    pub pitch: Pitch,
    pub voicing: f32,
    pub z: [f32; N_Z],
    /// Of a note, if it is to be followed.
    pub timbre: Option<Timbre>,
    /// Of whatever is loud enough, if it is to be followed.
    pub noise: Option<SourceNoise>,
    pub loudness_db: f32,
    /// Mean square, weighted as loudness is.
    pub power: f32,
    pub gain: f32,
    pub is_note: bool,
    pub is_several_notes: bool,
    pub is_too_soft: bool,
}

impl Source {
    /// For the telemetry.
    pub fn heard(&self) -> Heard {
        Heard {
            f0_hz: if self.is_note { self.pitch.f0_hz } else { 0.0 },
            candidate_hz: self.pitch.f0_hz,
            voicing: self.pitch.certainty,
            loudness_db: self.loudness_db,
            is_several_notes: self.is_several_notes,
            is_too_soft: self.is_too_soft,
            has_failed: false,
        }
    }
}

impl Listening {
    pub fn new(encoder: &Encoder) -> Self {
        Self {
            rumble: RumbleFilter::default(),
            encoder: encoder.stream(),
            pitch: PitchTracker::default(),
            doubt: OctaveDoubt::default(),
            loudness: LoudnessMeter::default(),
            harmonics: HarmonicMeter::default(),
            noise: NoiseMeter::default(),
            note_hz: 0.0,
            fine_pitch: FinePitch::default(),
            polyphony: Polyphony::default(),
            too_soft: TooSoft::default(),
            hum: Hum::default(),
            soft: SoftSource::default(),
            room: NoiseFloor::default(),
            room_db: f32::MIN,
            gate: Gate::default(),
            octave: OctaveFit::default(),
            source_level: SourceLevel::default(),
            note_level: SourceLevel::default(),
            meter: KMeter::default(),
            energies: [0.0; 4],
        }
    }

    /// What outlives a reset.
    pub fn learned(&self) -> Learned {
        Learned {
            room: self.room,
            room_db: self.room_db,
            octave: self.octave.clone(),
            source_level: self.source_level,
            note_level: self.note_level,
        }
    }

    /// Goes on with what was learned before.
    pub fn take_up(&mut self, learned: Learned) {
        let Learned { room, room_db, octave, source_level, note_level } = learned;
        (self.room, self.room_db, self.octave) = (room, room_db, octave);
        (self.source_level, self.note_level) = (source_level, note_level);
    }

    /// Reads one hop.
    pub fn hop(&mut self, samples: &[f32; HOP_SIZE], wishes: &SourceControls) -> Source {
        let power = self.meter.hop(samples);
        let samples = &self.rumble.hop(samples);
        let encoding = self.encoder.hop(samples);
        let (voicing, z) = (encoding.voicing, encoding.z);
        self.energies.rotate_left(1);
        self.energies[3] = sum_of_squares(samples) / HOP_SIZE as f32;
        let level_db = 10.0 * (self.energies.iter().sum::<f32>() / 4.0 + 1e-20).log10();
        let pitch = self.pitch.hop(&encoding.pitch_logits, voicing);
        let pitch = self.doubt.hop(pitch, level_db);
        self.loudness.push(samples);
        self.harmonics.push(samples);
        let loudness_db = self.loudness.level_db(pitch.f0_hz);
        let likely = self.likely(pitch, level_db);
        let threshold_db = self.threshold_db(wishes);
        if level_db < threshold_db + Gate::HYSTERESIS_DB && self.soft.hop(likely, level_db, self.room.level_db()) {
            self.note_level.begin_at(level_db);
            self.source_level.begin_at(loudness_db);
        }
        let GateHop { gain, is_note, loud_gain } = self.gate.hop(likely, level_db, threshold_db);
        let is_several_notes = self.polyphony.hop(samples, pitch, loud_gain > 0.0);
        let levels = Levels { hop_db: level_db, threshold_db, room_db: self.room.level_db() };
        let is_too_soft = self.too_soft.hop(likely, is_note, levels);
        self.room_db = self.room.hop(level_db, is_note.then_some(pitch.f0_hz));
        if is_note {
            self.source_level.hop(loudness_db);
            self.note_level.hop(level_db);
        }
        let pitch = match is_note {
            true => {
                self.note_hz = self.fine_pitch.hop(&self.harmonics, pitch.f0_hz);
                Pitch { f0_hz: self.note_hz, ..pitch }
            }
            false => {
                self.fine_pitch.rest();
                pitch
            }
        };
        let timbre = (is_note && wishes.follow > 0.0).then(|| self.harmonics.timbre(pitch.f0_hz));
        let noise = (wishes.follow > 0.0).then(|| self.noise(gain, loud_gain));
        Source { pitch, voicing, z, timbre, noise, loudness_db, power, gain, is_note, is_several_notes, is_too_soft }
    }

    /// `pitch`, and certain only if it is neither breath nor hum.
    fn likely(&mut self, pitch: Pitch, level_db: f32) -> Pitch {
        let goes_on = self.gate.goes_on(pitch);
        let needed = match () {
            _ if goes_on => REPEATED.0,
            _ if pitch.f0_hz > HIGH.0 => HIGH.1,
            _ => REPEATED.1,
        };
        let repeats = periodicity(self.harmonics.frame(), pitch.f0_hz) > needed;
        if self.hum.hop(pitch, level_db, goes_on) || !repeats { Pitch { certainty: 0.0, ..pitch } } else { pitch }
    }

    /// `gain` of the note, which may be held or fading, and of what is loud enough.
    fn noise(&mut self, gain: f32, loud_gain: f32) -> SourceNoise {
        if loud_gain == 0.0 {
            return [0.0; N_HEARD_BANDS];
        }
        let noise = self.noise.measure(self.harmonics.frame(), (gain > 0.0).then_some(self.note_hz));
        noise.map(|magnitude| loud_gain * magnitude)
    }

    /// Level that a note must have, dBFS. The automatic gate opens further for a source that is soft as a whole.
    fn threshold_db(&self, wishes: &SourceControls) -> f32 {
        let softer_db = (self.note_level.level_db() - SourceLevel::EXPECTED_DB).min(0.0);
        match wishes.gate_follows_room {
            true => self.room_db.max(wishes.gate_db + softer_db),
            false => wishes.gate_db,
        }
    }

    /// The source's power in a hop of a note, and what is expected of its loud notes.
    pub fn source_power(&self, source: &Source) -> Option<SourcePower> {
        let loud = 10f32.powf(self.source_level_db() / 10.0);
        source.is_note.then_some(SourcePower { now: source.power, loud })
    }

    /// Level of the source's loud notes, dB.
    pub fn source_level_db(&self) -> f32 {
        self.source_level.level_db()
    }

    /// Octaves that bring the line, to which `pitch` belongs, to what plays.
    pub fn octaves(&mut self, pitch: Pitch) -> f32 {
        self.octave.hop(pitch)
    }

    /// What plays from now on. Returns by how many octaves this moves the line.
    pub fn fit_to(&mut self, target: Target) -> f32 {
        self.octave.fit_to(target)
    }
}
