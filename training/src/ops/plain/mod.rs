//! The same operations, built from candle's own, which candle differentiates. They are slower on a processor, but run
//! on GPUs. Tests check the hand-written operations against them.

mod fourier;
mod layers;
mod sound;

pub use layers::{body_gains, causal_conv, exp_sigmoid, gru_sequence, layer_norm, leaky_relu, leaky_rms, log_distance};
pub use sound::{filtered_noise, oscillator, sliding_oscillator, spectral_loss};
