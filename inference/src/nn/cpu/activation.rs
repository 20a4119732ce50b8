//! Activation and normalisation after linear layers.

use crate::math::{map, scale_all, sum, sum_of_squares};
use crate::nn::parameters::NormParameters;
use crate::nn::shape::{LAYER_NORM_EPS, LEAK, RMS_EPS};
use multiversion::multiversion;

/// `x` above zero, [`LEAK`]` · x` below.
#[multiversion(targets("x86_64+avx2"))]
pub fn leaky_relu(rows: &mut [f32]) {
    map(rows, leak);
}

/// [`leaky_relu`], then each row of `width` values is divided by its root mean square, then `input` is added, if there
/// is one.
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
}

impl LayerNorm {
    /// Allocates.
    pub fn new(parameters: &NormParameters) -> Self {
        Self { weight: parameters.weight.clone(), bias: parameters.bias.clone() }
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
