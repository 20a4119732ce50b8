//! Trains the two networks: the encoder, which turns audio into pitch, voicing and z, and the decoder of an instrument,
//! which turns these into controls of the synth.
//!
//! - [`encoder::train`] trains on recordings that [`corpus`] resynthesises with known f0, and on synthetic tones.
//! - [`instrument::train`] trains a decoder on recordings of one instrument, with the encoder frozen.
//! - [`run::train`] is the loop of both: batches, steps, checkpoints, held-out losses.
//! - [`ops`] has operations with hand-written gradients; [`analysis`] measures recordings; [`evaluation`] compares a
//!   rendering with its recording.
//!
//! The crate prints nothing: a run reports to a [`progress::Progress`]. Sizes, tensor names and features come from
//! `embouchure_inference`, so training and runtime cannot disagree.
//!
//! # Example
//!
//! An instrument from the recordings in a folder:
//!
//! ```no_run
//! use embouchure_inference::hear::encoder::Encoder;
//! use embouchure_training::about::About;
//! use embouchure_training::instrument::{InstrumentTraining, Recipe, Study, train};
//! use embouchure_training::{DeviceKind, progress::Silent, recordings::audio_files};
//!
//! # fn main() -> anyhow::Result<()> {
//! let study = Study {
//!     files: audio_files("recordings".as_ref())?,
//!     encoder: Encoder::from_bytes(embouchure_weights::ENCODER)?,
//!     player: None,
//!     recipe: Recipe::USUAL,
//!     width: 160,
//!     device: DeviceKind::Cpu.open()?,
//!     seed: 1,
//! };
//! let about = About {
//!     name: "My horn".into(),
//!     licence: "CC0-1.0".into(),
//!     author: "Me".into(),
//!     trained_on: "My own recordings".into(),
//!     date: "2026-01-31".into(),
//! };
//! let job = InstrumentTraining {
//!     study,
//!     steps: (1500, 800),
//!     about,
//!     family: "brass".into(),
//!     adjustments: Default::default(),
//!     checkpoint: "horn.checkpoint".into(),
//!     out: "horn.safetensors".into(),
//! };
//! let trained = train(job, &Silent)?;
//! println!("{} steps, held-out loss {:.3}", trained.steps, trained.loss);
//! # Ok(())
//! # }
//! ```

pub mod about;
pub mod analysis;
mod arrays;
pub mod checkpoint;
pub mod corpus;
mod device;
pub mod encoder;
pub mod evaluation;
pub mod instrument;
mod mel;
pub mod ops;
pub mod optimizer;
pub mod params;
pub mod progress;
pub mod random;
pub mod recordings;
pub mod run;

pub use device::DeviceKind;
