//! From samples to what is heard in them: pitch, loudness, timbre, and whether it is a note.

pub mod encoder;
mod fine_pitch;
mod gate;
mod harmonics;
mod hum;
mod lasting;
mod level;
mod loudness;
mod microphone;
mod noise;
mod noise_floor;
mod octave_doubt;
mod partials;
mod periodicity;
mod pitch;
mod polyphony;
mod rumble;
mod soft_source;
mod source_level;
mod too_soft;

pub use fine_pitch::FinePitch;
pub use gate::{Gate, GateHop};
pub use harmonics::{HarmonicMeter, Timbre, n_audible};
pub use hum::Hum;
pub use lasting::Lasting;
pub use level::LevelNormalizer;
pub use loudness::{LOUDNESS_FLOOR_DB, LoudnessMeter, a_weight};
pub use microphone::Microphone;
pub use noise::{N_HEARD_BANDS, NoiseMeter, SourceNoise, is_between_harmonics};
pub use noise_floor::NoiseFloor;
pub use octave_doubt::OctaveDoubt;
pub use partials::{NoteRule, Partial, PartialFinder, Partials};
pub use periodicity::periodicity;
pub use pitch::{Pitch, PitchTracker};
pub use polyphony::Polyphony;
pub use rumble::RumbleFilter;
pub use soft_source::SoftSource;
pub use source_level::SourceLevel;
pub use too_soft::{Levels, TooSoft};

use crate::config::{HOP_SIZE, N_Z};
use crate::settings::Settings;

/// Where notes come from: a microphone, and whatever else can say once per hop what is to be played.
pub trait Source: Send {
    /// Takes in one hop and says what is heard in it. Realtime-safe.
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> Heard;
    /// Forgets the past, as if newly made. Realtime-safe.
    fn reset(&mut self);
    /// As [`reset`](Self::reset), but what was learned of the player and of the room stays. Realtime-safe.
    fn rest(&mut self);
}

/// What comes in during one hop.
#[derive(Clone, Copy, Debug)]
pub struct HopInput<'a> {
    /// Audio at the model rate.
    pub samples: &'a [f32; HOP_SIZE],
}

/// One hop of a source, before it is fitted to an instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// The most likely fundamental, > 0 Hz, whether or not anything sounds.
    pub pitch: Pitch,
    /// The hop is part of a note.
    pub is_note: bool,
    /// Probability that the hop is voiced, as the encoder gives it, 0 to 1.
    pub voicing: f32,
    /// Latent timbre vector.
    pub z: [f32; N_Z],
    /// Harmonics of a note, if they are to be followed.
    pub timbre: Option<Timbre>,
    /// Noise of whatever is loud enough, if it is to be followed.
    pub noise: Option<SourceNoise>,
    /// A-weighted level, dB.
    pub loudness_db: f32,
    /// Level of the source's loud notes, A-weighted, dB.
    pub loud_notes_db: f32,
    /// K-weighted mean square.
    pub power: f32,
    /// Gain that the gate gives the note, 0 to 1: it may be held or fading.
    pub gain: f32,
    /// Several notes have been sounding at once for a moment.
    pub is_several_notes: bool,
    /// Notes have been softer than a note must be for a moment, and none is loud enough.
    pub is_too_soft: bool,
}

impl Heard {
    /// Nothing.
    pub const SILENCE: Self = Self {
        pitch: Pitch { f0_hz: 440.0, certainty: 0.0, lower: 0.0 },
        is_note: false,
        voicing: 0.0,
        z: [0.0; N_Z],
        timbre: None,
        noise: None,
        loudness_db: LOUDNESS_FLOOR_DB,
        loud_notes_db: SourceLevel::EXPECTED_DB,
        power: 0.0,
        gain: 0.0,
        is_several_notes: false,
        is_too_soft: false,
    };

    /// A note at `f0_hz` (> 0), certain.
    pub fn note(f0_hz: f32) -> Self {
        let pitch = Pitch { f0_hz, certainty: 1.0, lower: 0.0 };
        Self { pitch, is_note: true, voicing: 1.0, gain: 1.0, ..Self::SILENCE }
    }

    /// Fundamental of a note, Hz; 0 = none.
    pub fn note_hz(&self) -> f32 {
        if self.is_note { self.pitch.f0_hz } else { 0.0 }
    }

    /// False if a network gave what is no number.
    pub fn is_valid(&self) -> bool {
        self.voicing.is_finite() && self.z.iter().all(|z| z.is_finite())
    }
}
