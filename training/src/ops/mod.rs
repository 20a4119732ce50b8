//! Operations with hand-written gradients. They are several times faster than generic tensor operations, and candle's
//! own gradient of a convolution is wrong for batches. Tests check each against finite differences and against the
//! plain operations, which replace it on a GPU.

mod activation;
mod body;
mod conv;
mod gru;
mod layer_norm;
mod matmul;
mod noise;
mod oscillator;
mod plain;
mod scale;
mod spectral;

pub use activation::{leaky_relu, leaky_rms};
pub use body::body_gains;
pub use conv::causal_conv;
pub use gru::gru_sequence;
pub use layer_norm::layer_norm;
pub use noise::filtered_noise;
pub use oscillator::oscillator;
pub use plain::sliding_oscillator;
pub use scale::{exp_sigmoid, log_distance};
pub use spectral::spectral_loss;

#[cfg(test)]
pub(crate) mod check;

pub(crate) use embouchure_inference::nn::candle::slice;
pub(crate) use matmul::{Matrix, matmul};

use candle_core::{Device, Result, Shape, Tensor};

/// True if `x` is on the CPU, where the hand-written operations run.
pub(crate) fn on_cpu(x: &Tensor) -> bool {
    #[cfg(test)]
    if check::IS_PLAIN.get() {
        return false;
    }
    x.device().is_cpu()
}

/// All values of a tensor in row-major order.
pub fn values(t: &Tensor) -> Result<Vec<f32>> {
    t.flatten_all()?.to_vec1()
}

/// A tensor in main memory from values in row-major order.
pub(crate) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape, &Device::Cpu)
}
