//! Linear layer.

use super::Affine;
use crate::nn::weights::{LoadError, Weights};
use candle_core::{Result, Tensor};

/// `y = x Wᵀ + b`. Files hold `{name}.weight` `[out, in]` and `{name}.bias` `[out]`, as PyTorch does.
pub struct Linear(Affine);

impl Linear {
    /// Takes the layer's tensors from a file.
    pub fn load(weights: &mut Weights, name: &str, n_in: usize, n_out: usize) -> std::result::Result<Self, LoadError> {
        let weight = weights.take(&format!("{name}.weight"), &[n_out, n_in])?;
        let bias = weights.take(&format!("{name}.bias"), &[n_out])?;
        Ok(Self(Affine::new(&weight, &bias)?))
    }

    /// Overwrites `y` with rows of `out` values for rows of `in`. Fails if the weights are on a GPU.
    pub fn rows(&self, x: &[f32], y: &mut Vec<f32>) -> Result<()> {
        let packed = self.0.packed()?;
        packed.rows(x, packed.n_in(), y);
        Ok(())
    }

    /// `x`: `[time, in]`, contiguous. Returns `[time, out]`.
    pub fn plain(&self, x: &Tensor) -> Result<Tensor> {
        self.0.plain(x)
    }
}
