//! What is measured in the input beside the network, and what is made of it before the decoder hears it.

mod fit;
mod gate;
mod level;
mod loudness;
mod noise_floor;
mod octave_doubt;
mod pitch;
mod rumble;
mod timbre;

pub use fit::{LoudnessFit, OctaveFit, fold_into};
pub use gate::{Gate, GateHop};
pub use level::LevelNormalizer;
pub use loudness::{LOUDNESS_FLOOR_DB, LoudnessMeter};
pub use noise_floor::NoiseFloor;
pub use octave_doubt::OctaveDoubt;
pub use pitch::{Pitch, PitchTracker};
pub use rumble::RumbleFilter;
pub use timbre::{Timbre, TimbreMeter};
