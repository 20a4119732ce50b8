//! Learning to play: a decoder for one instrument from recordings of it, with the encoder frozen.

mod batch;
mod loss;
mod net;
mod performance;
mod perturb;
mod report;
mod train;

pub use report::{Examined, Report};
pub use train::{InstrumentTraining, train};
