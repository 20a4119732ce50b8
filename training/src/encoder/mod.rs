//! Learning to hear: pitch, voicing and z from audio whose f0 is known exactly.

mod augment;
mod batch;
mod loss;
mod mel;
mod net;
mod tones;
mod train;

pub use batch::{CLIP_HOPS, CLIP_SAMPLES, Clip};
pub use train::{EncoderTraining, train};
