//! Dense layer and layer normalisation.

use super::LAYER_NORM_EPS;
use super::matmul::affine;
use crate::weights::{LoadError, Weights};
use candle_core::{Result, Tensor};

/// `y = x Wᵀ + b`. Files hold `{name}.weight` `[out, in]` and `{name}.bias` `[out]`, as PyTorch does.
pub struct Linear {
    /// `[in, out]`, contiguous.
    weight_t: Tensor,
    bias: Tensor,
}

impl Linear {
    /// Takes the layer's tensors from a file.
    pub fn load(weights: &mut Weights, name: &str, n_in: usize, n_out: usize) -> std::result::Result<Self, LoadError> {
        let weight = weights.take(&format!("{name}.weight"), &[n_out, n_in])?;
        let bias = weights.take(&format!("{name}.bias"), &[n_out])?;
        Ok(Self { weight_t: weight.t()?.contiguous()?, bias })
    }

    /// `x`: `[time, in]`, contiguous. Returns `[time, out]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        affine(x, &self.weight_t, &self.bias)
    }
}

/// Normalises each row to zero mean and unit variance, then scales and shifts. Ba et al. 2016 (arXiv:1607.06450).
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
}

impl LayerNorm {
    /// Takes `{name}.weight` and `{name}.bias`, `[width]` each.
    pub fn load(weights: &mut Weights, name: &str, width: usize) -> std::result::Result<Self, LoadError> {
        let weight = weights.take(&format!("{name}.weight"), &[width])?;
        let bias = weights.take(&format!("{name}.bias"), &[width])?;
        Ok(Self { weight, bias })
    }

    /// `x`: `[time, width]`, contiguous.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        candle_nn::ops::layer_norm(x, &self.weight, &self.bias, LAYER_NORM_EPS as f32)
    }
}
