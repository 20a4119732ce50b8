//! Learning to play: a decoder for one instrument from recordings of it, with the encoder frozen.

mod batch;
mod loss;
mod material;
mod net;
mod performance;
mod perturb;
mod report;
mod train;
pub mod unsupervised;
mod without;

pub use report::{Examined, Report};
pub use train::{CLIPS, InstrumentTraining, train};
pub use without::Without;
