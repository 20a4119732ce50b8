//! What follows a linear layer: activation and normalisation, each in one pass on the CPU, without gradients.

use super::slice;
use crate::math::{sum, sum_of_squares};
use crate::weights::{LoadError, Weights};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, D, Layout, Result, Shape, Tensor};

/// Slope of [`leaky_relu`] below zero.
pub const LEAK: f64 = 0.1;
/// Keeps [`leaky_rms_norm`] finite on silence.
pub const RMS_EPS: f64 = 1e-4;
/// Keeps [`LayerNorm`] finite on constant rows.
pub const LAYER_NORM_EPS: f64 = 1e-5;

/// `x` above zero, [`LEAK`]` · x` below.
pub fn leaky_relu(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() { x.apply_op1_no_bwd(&LeakyRelu) } else { plain_leaky_relu(x) }
}

/// [`leaky_relu`], then every row divided by its root mean square, then `input` added if `is_residual`. `[rows, width]`.
pub fn leaky_rms_norm(x: &Tensor, input: &Tensor, is_residual: bool) -> Result<Tensor> {
    match (x.device().is_cpu(), is_residual) {
        (true, _) => x.apply_op2_no_bwd(input, &LeakyRmsNorm { is_residual }),
        (false, true) => input + plain_leaky_rms_norm(x)?,
        (false, false) => plain_leaky_rms_norm(x),
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

    /// The norm, then [`leaky_relu`]. `x`: `[rows, width]`, contiguous.
    pub fn leaky(&self, x: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() {
            x.apply_op3_no_bwd(&self.weight, &self.bias, &LeakyLayerNorm)
        } else {
            self.plain_leaky(x)
        }
    }

    fn plain_leaky(&self, x: &Tensor) -> Result<Tensor> {
        plain_leaky_relu(&candle_nn::ops::layer_norm(x, &self.weight, &self.bias, LAYER_NORM_EPS as f32)?)
    }
}

fn plain_leaky_relu(x: &Tensor) -> Result<Tensor> {
    x.maximum(&x.affine(LEAK, 0.0)?)
}

fn plain_leaky_rms_norm(x: &Tensor) -> Result<Tensor> {
    let x = plain_leaky_relu(x)?;
    let rms = (x.sqr()?.mean_keepdim(D::Minus1)? + RMS_EPS)?.sqrt()?;
    x.broadcast_div(&rms)
}

fn leak(x: f32) -> f32 {
    x.max(x * LEAK as f32)
}

struct LeakyRelu;

impl CustomOp1 for LeakyRelu {
    fn name(&self) -> &'static str {
        "leaky-relu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(slice(x, l)?.iter().map(|x| leak(*x)).collect()), l.shape().clone()))
    }
}

struct LeakyRmsNorm {
    is_residual: bool,
}

impl CustomOp2 for LeakyRmsNorm {
    fn name(&self) -> &'static str {
        "leaky-rms-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, l: &Layout, input: &CpuStorage, m: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = l.shape().dims2()?;
        let mut out: Vec<f32> = slice(x, l)?.iter().map(|x| leak(*x)).collect();
        for row in out.chunks_exact_mut(width) {
            let mean_square = sum_of_squares(row) / width as f32;
            let gain = 1.0 / (mean_square + RMS_EPS as f32).sqrt();
            row.iter_mut().for_each(|x| *x *= gain);
        }
        if self.is_residual {
            out.iter_mut().zip(slice(input, m)?).for_each(|(y, x)| *y += x);
        }
        Ok((CpuStorage::F32(out), l.shape().clone()))
    }
}

struct LeakyLayerNorm;

impl CustomOp3 for LeakyLayerNorm {
    fn name(&self) -> &'static str {
        "leaky-layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        l: &Layout,
        weight: &CpuStorage,
        w: &Layout,
        bias: &CpuStorage,
        b: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (weight, bias) = (slice(weight, w)?, slice(bias, b)?);
        let width = weight.len() as f32;
        let mut out = slice(x, l)?.to_vec();
        for row in out.chunks_exact_mut(weight.len()) {
            let mean = sum(row) / width;
            row.iter_mut().for_each(|x| *x -= mean);
            let gain = 1.0 / (sum_of_squares(row) / width + LAYER_NORM_EPS as f32).sqrt();
            for (x, (weight, bias)) in row.iter_mut().zip(weight.iter().zip(bias)) {
                *x = leak(*x * gain * weight + bias);
            }
        }
        Ok((CpuStorage::F32(out), l.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn worst(a: Tensor, b: Tensor) -> Result<f32> {
        (a - b)?.abs()?.max_all()?.to_scalar()
    }

    #[test]
    fn each_equals_the_plain_operations() -> Result<()> {
        let random = |rows, columns| Tensor::rand(-2f32, 2f32, (rows, columns), &Device::Cpu);
        let (x, input) = (random(3, 40)?, random(3, 40)?);
        assert!(worst(leaky_relu(&x)?, plain_leaky_relu(&x)?)? < 1e-6);
        assert!(worst(leaky_rms_norm(&x, &input, false)?, plain_leaky_rms_norm(&x)?)? < 1e-5);
        assert!(worst(leaky_rms_norm(&x, &input, true)?, (plain_leaky_rms_norm(&x)? + &input)?)? < 1e-5);
        let norm = LayerNorm { weight: random(1, 40)?.flatten_all()?, bias: random(1, 40)?.flatten_all()? };
        assert!(worst(norm.leaky(&x)?, norm.plain_leaky(&x)?)? < 1e-5);
        Ok(())
    }
}
