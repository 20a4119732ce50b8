//! Learning to play: a decoder for one instrument from recordings of it, with the encoder frozen.

mod batch;
mod loss;
mod net;
mod performance;
mod perturb;
mod train;

pub use train::{InstrumentTraining, train};
