//! The layers that the networks are made of. Each has `forward` (whole clip, `[time, channels]`) and, where it
//! remembers something, `step` (one hop) with its own state; the two agree to rounding.

mod conv;
mod gru;
mod linear;
mod matmul;

pub use conv::{CausalConv, ConvSpec, ConvState};
pub use gru::{Gru, GruState};
pub use linear::{LayerNorm, Linear};
pub use matmul::{Matrix, matmul, slice};

use candle_core::{D, Device, Result, Tensor};
use std::sync::OnceLock;

/// Slope of [`leaky_relu`] below zero.
pub const LEAK: f64 = 0.1;
/// Keeps [`rms_norm`] finite on silence.
pub const RMS_EPS: f64 = 1e-4;
/// Keeps [`LayerNorm`] finite on constant rows.
pub const LAYER_NORM_EPS: f64 = 1e-5;

/// `x` above zero, [`LEAK`]` · x` below.
pub fn leaky_relu(x: &Tensor) -> Result<Tensor> {
    x.maximum(&x.affine(LEAK, 0.0)?)
}

/// Divides every row of the last dimension by its root mean square.
pub fn rms_norm(x: &Tensor) -> Result<Tensor> {
    let rms = (x.sqr()?.mean_keepdim(D::Minus1)? + RMS_EPS)?.sqrt()?;
    x.broadcast_div(&rms)
}

/// Where the networks run: on the GPU of a Mac if built with the feature `metal`, otherwise on the CPU.
pub fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    #[cfg(feature = "metal")]
    let choose = || Device::new_metal(0).unwrap_or(Device::Cpu);
    #[cfg(not(feature = "metal"))]
    let choose = || Device::Cpu;
    DEVICE.get_or_init(choose)
}
