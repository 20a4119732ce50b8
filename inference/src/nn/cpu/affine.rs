//! `x · Wᵀ + b` with quantised weights, for a few rows at a time.
//!
//! A hop reads every weight once, 250 times a second, and the host's other work evicts them from the caches in between,
//! so the cost of a hop depends on their size in bytes. Each weight is an 8-bit integer with a scale per output, and
//! each input a 14-bit integer with a scale per row.

use super::integer::{LANES, Pair, Products, WeightPair, quantise_inputs, quantise_weights};
use crate::nn::parameters::LinearParameters;

/// Weights and bias of one layer.
pub struct Affine {
    n_in: usize,
    n_out: usize,
    /// `[blocks][pairs of inputs][LANES]`: the lanes are the outputs of a block.
    weights: Vec<[WeightPair; LANES]>,
    /// Scale of each output's weights, and its bias; 0 in unused lanes.
    scales: Vec<[f32; LANES]>,
    biases: Vec<[f32; LANES]>,
}

/// Buffers for [`Affine::rows`]. All layers of a stream share one.
#[derive(Default)]
pub struct Scratch {
    /// Quantised rows of input.
    pairs: Vec<Pair>,
    /// Scale of each row.
    units: Vec<f32>,
}

impl Scratch {
    /// Enlarges the buffers for `n_rows` rows of `affine`. Allocates.
    pub fn fit(&mut self, affine: &Affine, n_rows: usize) {
        let n_pairs = n_rows * affine.n_in.div_ceil(2);
        self.pairs.resize(self.pairs.len().max(n_pairs), [0; 2]);
        self.units.resize(self.units.len().max(n_rows), 0.0);
    }
}

impl Affine {
    /// Quantises the weights. Allocates.
    pub fn new(parameters: &LinearParameters) -> Self {
        let (n_in, n_out) = (parameters.n_in, parameters.bias.len());
        let (n_blocks, n_pairs) = (n_out.div_ceil(LANES), n_in.div_ceil(2));
        let mut weights = vec![[[0; 2]; LANES]; n_blocks * n_pairs];
        let (mut scales, mut biases) = (vec![[0.0; LANES]; n_blocks], vec![[0.0; LANES]; n_blocks]);
        biases.as_flattened_mut()[..n_out].copy_from_slice(&parameters.bias);
        for (o, row) in parameters.weight.chunks_exact(n_in).enumerate() {
            let (row, unit) = quantise_weights(row);
            scales[o / LANES][o % LANES] = unit;
            let block = weights[o / LANES * n_pairs..][..n_pairs].iter_mut();
            let places = block.flat_map(|lanes| &mut lanes[o % LANES]);
            places.zip(row).for_each(|(place, weight)| *place = weight);
        }
        Self { n_in, n_out, weights, scales, biases }
    }

    /// Overwrites `out` with one output row per row of input; these start every `step` values of `x`. `scratch` must
    /// fit them.
    pub fn rows(&self, x: &[f32], step: usize, scratch: &mut Scratch, out: &mut [f32]) {
        let n_rows = (x.len() + step - self.n_in) / step;
        let n_pairs = self.n_in.div_ceil(2);
        let (pairs, units) = (&mut scratch.pairs[..n_rows * n_pairs], &mut scratch.units[..n_rows]);
        for (row, (pairs, unit)) in pairs.chunks_exact_mut(n_pairs).zip(&mut *units).enumerate() {
            *unit = quantise_inputs(&x[row * step..][..self.n_in], pairs);
        }
        self.products(n_pairs).rows(pairs, units, out);
    }

    /// One row.
    pub fn row(&self, x: &[f32], scratch: &mut Scratch, out: &mut [f32]) {
        self.rows(x, self.n_in, scratch, out);
    }

    fn products(&self, n_pairs: usize) -> Products<'_> {
        let Self { n_out, weights, scales, biases, .. } = self;
        Products { weights, n_pairs, scales, biases, n_out: *n_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_products_of_inputs_and_weights() {
        for (n_rows, n_in, n_out) in [(1, 7, 5), (3, 40, 32), (8, 19, 70)] {
            let wave = |n: usize, f: f32| (0..n).map(|i| (i as f32 * f).sin()).collect::<Vec<_>>();
            let (x, bias) = (wave(n_rows * n_in, 1.3), wave(n_out, 0.7));
            // Multiples of 1/127 up to 1 in every row are exact as 8-bit integers.
            let mut weight: Vec<f32> = wave(n_out * n_in, 2.1).iter().map(|w| (w * 127.0).round() / 127.0).collect();
            weight.chunks_exact_mut(n_in).for_each(|row| row[n_in - 1] = 1.0);
            let affine = Affine::new(&LinearParameters { n_in, weight: weight.clone(), bias: bias.clone() });
            let mut scratch = Scratch::default();
            scratch.fit(&affine, n_rows);
            let mut out = vec![f32::NAN; n_rows * n_out];
            affine.rows(&x, n_in, &mut scratch, &mut out);
            for (x, out) in x.chunks_exact(n_in).zip(out.chunks_exact(n_out)) {
                for (o, y) in out.iter().enumerate() {
                    let products = x.iter().zip(&weight[o * n_in..]).map(|(x, w)| f64::from(*x) * f64::from(*w));
                    let error = f64::from(*y) - products.sum::<f64>() - f64::from(bias[o]);
                    assert!(error.abs() < n_in as f64 / 8191.0, "{error}");
                }
            }
        }
    }
}
