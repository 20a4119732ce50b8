//! Embouchure's engine: audio in, another instrument out.
//!
//! Knows no plugin framework, no GUI, no file dialog and no training. Threads and data flow are drawn in
//! ARCHITECTURE.md at the top of the repository.

pub mod attack;
mod biquad;
pub mod body;
pub mod config;
pub mod controls;
pub mod decoder;
pub mod encoder;
pub mod features;
pub mod follow;
pub mod instrument;
pub mod k_weight;
pub mod layers;
pub mod math;
pub mod note;
pub mod pipeline;
pub mod room;
pub mod stream;
pub mod synth;
pub mod texture;
pub mod tuning;
pub mod weights;
