//! Embouchure's engine: audio in, another instrument out.
//!
//! Knows no plugin framework, no GUI, no file dialog and no training. Threads and data flow are drawn in
//! ARCHITECTURE.md at the top of the repository.

pub mod chain;
pub mod config;
pub mod controls;
pub mod engine;
pub mod hear;
pub mod k_weight;
pub mod math;
pub mod nn;
pub mod note;
pub mod play;
pub mod scale;
pub mod settings;
pub mod synth;
