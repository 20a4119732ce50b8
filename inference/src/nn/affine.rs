//! `x · Wᵀ + b` with weights packed for a few rows at a time.
//!
//! A hop needs every weight once, 250 times a second, and a host's other work throws them out of the caches in
//! between: how many bytes they are decides what a hop costs. So each is an integer of 8 bits with a scale per output, and
//! so is each input, of 14 bits with a scale per row.

use super::integer::{LANES, Pair, Products, WeightPair, quantise_inputs, quantise_weights};
use super::{device, fused};
use candle_core::{Result, Tensor};
use std::cell::RefCell;

/// Weights and bias of one layer.
pub enum Affine {
    /// For the CPU.
    Packed(Packed),
    /// For a GPU: `[in, out]` and `[out]`.
    Plain(Tensor, Tensor),
}

/// See the module.
pub struct Packed {
    n_in: usize,
    n_out: usize,
    /// `[blocks][pairs of inputs][LANES]`: the outputs of a block side by side.
    weights: Vec<[WeightPair; LANES]>,
    /// Unit of each output's weights, and its bias; 0 in the lanes beyond the last.
    scales: Vec<[f32; LANES]>,
    biases: Vec<[f32; LANES]>,
}

/// What [`Packed::rows`] needs for a moment; kept by each thread, because a hop asks for it fourteen times.
#[derive(Default)]
struct Scratch {
    /// All rows of input.
    pairs: Vec<Pair>,
    /// The unit of each.
    units: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Affine {
    /// `weight`: `[out, in]`; `bias`: `[out]`. Allocates.
    pub fn new(weight: &Tensor, bias: &Tensor) -> Result<Self> {
        if !device().is_cpu() {
            return Ok(Self::Plain(weight.t()?.contiguous()?, bias.clone()));
        }
        Ok(Self::Packed(Packed::new(&weight.to_vec2()?, &bias.to_vec1::<f32>()?)))
    }

    /// Fails if the weights are on a GPU.
    pub fn packed(&self) -> Result<&Packed> {
        match self {
            Self::Packed(packed) => Ok(packed),
            Self::Plain(..) => candle_core::bail!("these weights are on a GPU"),
        }
    }

    /// `x`: `[rows, in]`, contiguous. Returns `[rows, out]`.
    pub fn plain(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Packed(packed) => fused(x, packed.n_out, |x| {
                let mut out = Vec::new();
                packed.rows(x, packed.n_in, &mut out);
                Ok(out)
            }),
            Self::Plain(weight_t, bias) => x.matmul(weight_t)?.broadcast_add(bias),
        }
    }
}

impl Packed {
    fn new(weight: &[Vec<f32>], bias: &[f32]) -> Self {
        let (n_in, n_out) = (weight[0].len(), bias.len());
        let (n_blocks, n_pairs) = (n_out.div_ceil(LANES), n_in.div_ceil(2));
        let mut weights = vec![[[0; 2]; LANES]; n_blocks * n_pairs];
        let (mut scales, mut biases) = (vec![[0.0; LANES]; n_blocks], vec![[0.0; LANES]; n_blocks]);
        biases.as_flattened_mut()[..n_out].copy_from_slice(bias);
        for (o, row) in weight.iter().enumerate() {
            let (row, unit) = quantise_weights(row);
            scales[o / LANES][o % LANES] = unit;
            let block = weights[o / LANES * n_pairs..][..n_pairs].iter_mut();
            let places = block.flat_map(|lanes| &mut lanes[o % LANES]);
            places.zip(row).for_each(|(place, weight)| *place = weight);
        }
        Self { n_in, n_out, weights, scales, biases }
    }

    /// Inputs of a row.
    pub fn n_in(&self) -> usize {
        self.n_in
    }

    /// Rows of output for rows of input that start every `step` values of `x`. `out`: overwritten; may have to grow.
    pub fn rows(&self, x: &[f32], step: usize, out: &mut Vec<f32>) {
        SCRATCH.with_borrow_mut(|Scratch { pairs, units }| {
            let n_rows = (x.len() + step - self.n_in) / step;
            pairs.clear();
            units.clear();
            units.extend((0..n_rows).map(|row| quantise_inputs(&x[row * step..][..self.n_in], pairs)));
            out.clear();
            out.resize(n_rows * self.n_out, 0.0);
            self.products().rows(pairs, units, out);
        });
    }

    fn products(&self) -> Products<'_> {
        let Self { n_in, n_out, weights, scales, biases } = self;
        Products { weights, n_pairs: n_in.div_ceil(2), scales, biases, n_out: *n_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn affine_equals_the_plain_operations() -> Result<()> {
        for (rows, n_in, n_out) in [(1, 7, 5), (3, 40, 32), (8, 19, 70)] {
            let wave =
                |n: usize, f: f32| Tensor::new((0..n).map(|i| (i as f32 * f).sin()).collect::<Vec<_>>(), &Device::Cpu);
            let x = wave(rows * n_in, 1.3)?.reshape((rows, n_in))?;
            // Multiples of 1/127 up to 1 in every row: integers of 8 bits without an error.
            let weight = (wave(n_out * (n_in - 1), 2.1)? * 127.0)?.round()?.reshape((n_out, n_in - 1))?;
            let weight = Tensor::cat(&[&(weight / 127.0)?, &Tensor::ones((n_out, 1), DType::F32, &Device::Cpu)?], 1)?;
            let bias = wave(n_out, 0.7)?;
            let plain = x.matmul(&weight.t()?)?.broadcast_add(&bias)?;
            let worst = (Affine::new(&weight, &bias)?.plain(&x)? - plain)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(worst < n_in as f32 / 8191.0, "{worst}");
        }
        Ok(())
    }
}
