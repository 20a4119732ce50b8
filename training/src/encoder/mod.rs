//! Trains the encoder: pitch, voicing and z from audio whose f0 is known exactly.

mod augment;
mod batch;
mod loss;
mod net;
mod noises;
mod spectrum;
mod tones;
mod train;

pub use batch::{CLIP_HOPS, CLIP_SAMPLES, Clip};
pub use net::{N_MEL, N_SPECTRUM};
pub(crate) use noises::breathe;
pub use spectrum::{Described, describe};
pub(crate) use tones::Timbre;
pub use train::{EncoderTraining, Improve, train};
