//! Offline analysis of recordings: f0, harmonic amplitudes, noise, texture, and faults.

mod harmonics;
mod noise;
mod pitch;
mod polyphony;
mod quality;
mod silence;
mod texture;

use embouchure_inference::config;

pub use harmonics::{HarmonicTrack, fill_gaps, harmonic_amplitudes, phase};
pub use noise::noise_bands;
pub use pitch::{PitchFrame, track_pitch};
pub use polyphony::share_of_chords;
pub use quality::{check_level, decay_s};
pub use silence::cut_silence;
pub use texture::TextureMeasure;

/// Frames per second of every analysis: those of the controls. It is whole, so that hops can have whole samples.
pub const FRAME_RATE: usize = config::FRAME_RATE as usize;
