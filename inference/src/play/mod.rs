//! From what is heard to what is played: the two voices, each an instrument with its decoder, and what lies between the
//! source and them.

pub mod attack;
pub mod body;
mod card;
pub mod decoder;
pub mod follow;
pub mod instrument;
mod level_fit;
mod level_match;
mod morph;
mod octave_fit;
pub mod pipeline;
pub mod texture;
pub mod tuning;
mod voice;

pub(crate) use level_match::SourcePower;
pub use morph::blend_range;
pub use octave_fit::{OctaveFit, Target, fold_into};
