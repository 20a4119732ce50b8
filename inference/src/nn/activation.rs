//! What follows a linear layer: activation and normalisation, without gradients.

use crate::math::{map, scale_all, sum, sum_of_squares};
use crate::nn::weights::{LoadError, Weights};
use candle_core::{D, Result, Tensor};
use multiversion::multiversion;

/// Slope of [`leaky_relu`] below zero.
pub const LEAK: f64 = 0.1;
/// Keeps [`leaky_rms_norm`] finite on silence.
pub const RMS_EPS: f64 = 1e-4;
/// Keeps [`LayerNorm`] finite on constant rows.
pub const LAYER_NORM_EPS: f64 = 1e-5;

/// `x` above zero, [`LEAK`]` · x` below.
#[multiversion(targets("x86_64+avx2"))]
pub fn leaky_relu(rows: &mut [f32]) {
    map(rows, leak);
}

/// [`leaky_relu`], then every row of `width` values divided by its root mean square, then `input`, if there is one, added.
pub fn leaky_rms_norm(rows: &mut [f32], width: usize, input: Option<&[f32]>) {
    leaky_relu(rows);
    for row in rows.chunks_exact_mut(width) {
        let gain = 1.0 / (sum_of_squares(row) / width as f32 + RMS_EPS as f32).sqrt();
        scale_all(row, gain);
    }
    if let Some(input) = input {
        rows.iter_mut().zip(input).for_each(|(y, x)| *y += x);
    }
}

/// Normalises each row to zero mean and unit variance, then scales and shifts. Ba et al. 2016 (arXiv:1607.06450).
pub struct LayerNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    plain: [Tensor; 2],
}

impl LayerNorm {
    /// Takes `{name}.weight` and `{name}.bias`, `[width]` each.
    pub fn load(weights: &mut Weights, name: &str, width: usize) -> std::result::Result<Self, LoadError> {
        let weight = weights.take(&format!("{name}.weight"), &[width])?;
        let bias = weights.take(&format!("{name}.bias"), &[width])?;
        Ok(Self::new(weight, bias)?)
    }

    fn new(weight: Tensor, bias: Tensor) -> Result<Self> {
        Ok(Self { weight: weight.to_vec1()?, bias: bias.to_vec1()?, plain: [weight, bias] })
    }

    /// The norm, then [`leaky_relu`].
    pub fn leaky(&self, rows: &mut [f32]) {
        let width = self.weight.len();
        for row in rows.chunks_exact_mut(width) {
            let mean = sum(row) / width as f32;
            row.iter_mut().for_each(|x| *x -= mean);
            let gain = 1.0 / (sum_of_squares(row) / width as f32 + LAYER_NORM_EPS as f32).sqrt();
            leaky_affine(row, gain, &self.weight, &self.bias);
        }
    }

    /// The same for `[rows, width]`, contiguous.
    pub fn plain_leaky(&self, x: &Tensor) -> Result<Tensor> {
        let [weight, bias] = &self.plain;
        plain_leaky_relu(&candle_nn::ops::layer_norm(x, weight, bias, LAYER_NORM_EPS as f32)?)
    }
}

/// [`leaky_relu`] of a tensor.
pub fn plain_leaky_relu(x: &Tensor) -> Result<Tensor> {
    x.maximum(&x.affine(LEAK, 0.0)?)
}

/// [`leaky_rms_norm`] of `[rows, width]`.
pub fn plain_leaky_rms_norm(x: &Tensor, input: Option<&Tensor>) -> Result<Tensor> {
    let x = plain_leaky_relu(x)?;
    let rms = (x.sqr()?.mean_keepdim(D::Minus1)? + RMS_EPS)?.sqrt()?;
    let normed = x.broadcast_div(&rms)?;
    match input {
        Some(input) => normed + input,
        None => Ok(normed),
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn leaky_affine(row: &mut [f32], gain: f32, weights: &[f32], biases: &[f32]) {
    for (x, (weight, bias)) in row.iter_mut().zip(weights.iter().zip(biases)) {
        *x = leak(*x * gain * weight + bias);
    }
}

#[inline(always)]
fn leak(x: f32) -> f32 {
    x.max(x * LEAK as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Largest difference of `plain` from what `change` makes of `x`.
    fn worst(x: &Tensor, change: impl Fn(&mut [f32]), plain: &Tensor) -> Result<f32> {
        let mut rows = x.flatten_all()?.to_vec1()?;
        change(&mut rows);
        let pairs = rows.into_iter().zip(plain.flatten_all()?.to_vec1::<f32>()?);
        Ok(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max))
    }

    #[test]
    fn each_equals_the_plain_operations() -> Result<()> {
        let random = |rows, columns| Tensor::rand(-2f32, 2f32, (rows, columns), &Device::Cpu);
        let (x, input) = (random(3, 40)?, random(3, 40)?);
        let values: Vec<f32> = input.flatten_all()?.to_vec1()?;
        assert!(worst(&x, leaky_relu, &plain_leaky_relu(&x)?)? < 1e-6);
        assert!(worst(&x, |x| leaky_rms_norm(x, 40, None), &plain_leaky_rms_norm(&x, None)?)? < 1e-5);
        let plain = plain_leaky_rms_norm(&x, Some(&input))?;
        assert!(worst(&x, |x| leaky_rms_norm(x, 40, Some(&values)), &plain)? < 1e-5);
        let norm = LayerNorm::new(random(1, 40)?.flatten_all()?, random(1, 40)?.flatten_all()?)?;
        assert!(worst(&x, |x| norm.leaky(x), &norm.plain_leaky(&x)?)? < 1e-5);
        Ok(())
    }
}
