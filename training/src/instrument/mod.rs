//! Trains the decoder of one instrument from recordings of it, with the encoder frozen.
//!
//! [`train`] is the usual run. Experiments change the [`Recipe`], or put a loop and a loss of their own around
//! [`Lessons`], [`new_params`] and [`play`].

mod batch;
mod lessons;
mod loss;
mod material;
mod net;
mod performance;
mod perturb;
mod recipe;
mod report;
mod train;

pub use batch::{Batch, Batches, FRAMES, Purpose};
pub use lessons::{Lessons, Study};
pub use loss::play;
pub use net::{Played, new_params};
pub use performance::{TARGET_HOP, TARGET_RATE};
pub use recipe::Recipe;
pub use report::{Examined, Report};
pub use train::{InstrumentTraining, train};
