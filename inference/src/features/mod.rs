//! What is measured in the input beside the network, and what is made of it before the decoder hears it.

mod fine_pitch;
mod fit;
mod gate;
mod harmonics;
mod hum;
mod lasting;
mod level;
mod loudness;
mod noise;
mod noise_floor;
mod octave_doubt;
mod partials;
mod periodicity;
mod pitch;
mod polyphony;
mod rumble;
mod soft_source;
mod too_soft;

pub use fine_pitch::FinePitch;
pub use fit::{LoudnessFit, OctaveFit, Target, fold_into};
pub use gate::{Gate, GateHop};
pub use harmonics::{HarmonicMeter, Timbre, n_audible};
pub use hum::Hum;
pub use lasting::Lasting;
pub use level::LevelNormalizer;
pub use loudness::{LOUDNESS_FLOOR_DB, LoudnessMeter, a_weight};
pub use noise::{N_HEARD_BANDS, NoiseMeter, SourceNoise};
pub use noise_floor::NoiseFloor;
pub use octave_doubt::OctaveDoubt;
pub use partials::{NoteRule, Partial, PartialFinder, Partials};
pub use periodicity::periodicity;
pub use pitch::{Pitch, PitchTracker};
pub use polyphony::Polyphony;
pub use rumble::RumbleFilter;
pub use soft_source::SoftSource;
pub use too_soft::{Levels, TooSoft};
