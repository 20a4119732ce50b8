//! Analysis of the input, hop by hop: from samples to pitch, loudness and timbre, and whether a note sounds.

pub mod encoder;
mod fine_pitch;
mod gate;
mod harmonics;
mod hum;
mod level;
mod loudness;
mod microphone;
mod noise;
mod noise_floor;
mod octave_jumps;
mod partials;
mod periodicity;
mod persistence;
mod pitch;
mod polyphony;
mod rumble;
mod soft_source;
mod source_level;
mod too_soft;

pub use fine_pitch::FinePitch;
pub use gate::{Gate, GateHop};
pub use harmonics::{HarmonicMeter, Timbre, n_audible};
pub use hum::HumDetector;
pub use level::LevelNormalizer;
pub use loudness::{LOUDNESS_FLOOR_DB, LoudnessMeter, a_weight};
pub use microphone::Microphone;
pub use noise::{N_HEARD_BANDS, NoiseMeter, SourceNoise, is_between_harmonics};
pub use noise_floor::NoiseFloor;
pub use octave_jumps::OctaveJumpFilter;
pub use partials::{NoteRule, Partial, PartialFinder, Partials};
pub use periodicity::periodicity;
pub use persistence::Persistence;
pub use pitch::{Pitch, PitchTracker};
pub use polyphony::Polyphony;
pub use rumble::RumbleFilter;
pub use soft_source::SoftSourceDetector;
pub use source_level::SourceLevel;
pub use too_soft::{HopLevels, TooSoftDetector};

use crate::config::{HOP_SIZE, N_Z};
use crate::settings::Settings;

/// Where notes come from: a microphone, or anything else that gives one [`Heard`] per hop.
pub trait Source: Send {
    /// Analyses one hop. Realtime-safe.
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> Heard;
    /// Clears all state, as if newly made. Realtime-safe.
    fn reset(&mut self);
    /// As [`reset`](Self::reset), but keeps the learned levels of the source and of the ambient noise. Realtime-safe.
    fn rest(&mut self);
}

/// Input of one hop.
#[derive(Clone, Copy, Debug)]
pub struct HopInput<'a> {
    /// Audio at the model rate.
    pub samples: &'a [f32; HOP_SIZE],
}

/// Analysis of one hop of a source, before it is fitted to an instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// The most likely fundamental, > 0 Hz, even in silence.
    pub pitch: Pitch,
    /// True if the hop is part of a note.
    pub is_note: bool,
    /// Probability that the hop is voiced, as the encoder gives it, 0 to 1.
    pub voicing: f32,
    /// Latent timbre vector.
    pub z: [f32; N_Z],
    /// Harmonics of a note, if the Follow setting is above 0.
    pub timbre: Option<Timbre>,
    /// Noise of everything above the level threshold, note or not, if the Follow setting is above 0.
    pub noise: Option<SourceNoise>,
    /// A-weighted level, dB.
    pub loudness_db: f32,
    /// Level of the source's loud notes, A-weighted, dB.
    pub loud_notes_db: f32,
    /// K-weighted mean square of the hop.
    pub power: f32,
    /// Gain of the gate, 0 to 1: above 0 while a note sounds, is held or fades out.
    pub gain: f32,
    /// True if several notes have sounded at once for 0.3 s.
    pub is_several_notes: bool,
    /// True if notes have been below the gate's threshold for 0.4 s, and none above it.
    pub is_too_soft: bool,
}

impl Heard {
    /// Silence.
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

    /// A note at `f0_hz` (> 0) with certainty 1.
    pub fn note(f0_hz: f32) -> Self {
        let pitch = Pitch { f0_hz, certainty: 1.0, lower: 0.0 };
        Self { pitch, is_note: true, voicing: 1.0, gain: 1.0, ..Self::SILENCE }
    }

    /// Fundamental of a note, Hz; 0 = none.
    pub fn note_hz(&self) -> f32 {
        if self.is_note { self.pitch.f0_hz } else { 0.0 }
    }

    /// False if a network gave a value that is not finite.
    pub fn is_valid(&self) -> bool {
        self.voicing.is_finite() && self.z.iter().all(|z| z.is_finite())
    }
}
