//! The same operations out of candle's own, which differentiates them: slower on a processor, and what a GPU can run.
//! The hand-written ones are checked against them.

mod fourier;
mod layers;
mod sound;

pub use layers::{body_gains, causal_conv, exp_sigmoid, gru_sequence, layer_norm, leaky_relu, leaky_rms, log_distance};
pub use sound::{filtered_noise, oscillator, sliding_oscillator, spectral_loss};
