//! The layers that the networks are made of, each in two ways: over rows of floats for the CPU, where a network is one
//! operation of candle's ([`fused`]), and by candle's own operations for a GPU. With those, small as a hop is, most of the
//! time went into allocating, dispatching and small passes. The tests hold one against the other.
//!
//! What remembers something is given its memory; any number of rows gives the same as one after the other, to rounding.

mod activation;
mod affine;
mod conv;
mod fused;
mod gru;
mod integer;
mod linear;
mod matmul;
pub mod weights;

pub use activation::{
    LAYER_NORM_EPS, LEAK, LayerNorm, RMS_EPS, leaky_relu, leaky_rms_norm, plain_leaky_relu, plain_leaky_rms_norm,
};
pub use affine::Affine;
pub use conv::{CausalConv, ConvSpec};
pub use fused::fused;
pub use gru::{Gru, plain_gru_step};
pub use linear::Linear;
pub use matmul::{Matrix, matmul, slice};

use candle_core::{DType, Device, Result, Tensor};
use std::sync::OnceLock;

/// What the layers of a network remember of a stream, one entry a layer, `[rows, width]`.
pub enum Memory {
    /// For the CPU.
    Rows(Vec<Vec<f32>>),
    /// For a GPU.
    Tensors(Vec<Tensor>),
}

impl Memory {
    /// Of a stream that has heard nothing; entries have these rows and widths. Allocates.
    pub fn silent(shapes: impl IntoIterator<Item = (usize, usize)>) -> Result<Self> {
        if device().is_cpu() {
            return Ok(Self::Rows(Self::rows_of_silence(shapes)));
        }
        let tensors: Result<_> = shapes.into_iter().map(|shape| Tensor::zeros(shape, DType::F32, device())).collect();
        Ok(Self::Tensors(tensors?))
    }

    /// The same for the CPU wherever the networks run.
    pub(crate) fn rows_of_silence(shapes: impl IntoIterator<Item = (usize, usize)>) -> Vec<Vec<f32>> {
        shapes.into_iter().map(|(rows, width)| vec![0.0; rows * width]).collect()
    }
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
