//! The layers that the networks are made of. Each has `forward` (whole clip, `[time, channels]`) and, where it
//! remembers something, `step` (one hop) with its own state; the two agree to rounding.
//!
//! On the CPU each is one custom operation: with candle's own, small as a hop is, most of the time went into
//! allocating, dispatching and small passes. Those remain for GPUs, and the tests hold one against the other.

mod activation;
mod affine;
mod conv;
mod gru;
mod integer;
mod linear;
mod matmul;

pub use activation::{LAYER_NORM_EPS, LEAK, LayerNorm, RMS_EPS, leaky_relu, leaky_rms_norm};
pub use affine::Affine;
pub use conv::{CausalConv, ConvSpec, ConvState};
pub use gru::{Gru, GruState};
pub use linear::Linear;
pub use matmul::{Matrix, matmul, slice};

use candle_core::Device;
use std::sync::OnceLock;

/// Where the networks run: on the GPU of a Mac if built with the feature `metal`, otherwise on the CPU.
pub fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    #[cfg(feature = "metal")]
    let choose = || Device::new_metal(0).unwrap_or(Device::Cpu);
    #[cfg(not(feature = "metal"))]
    let choose = || Device::Cpu;
    DEVICE.get_or_init(choose)
}
