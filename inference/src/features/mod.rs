//! What is measured in the input beside the network: level for the encoder, loudness for the decoder.

mod level;
mod loudness;

pub use level::LevelNormalizer;
pub use loudness::{LOUDNESS_FLOOR_DB, LoudnessMeter};
