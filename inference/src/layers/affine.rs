//! `x · Wᵀ + b` with weights packed for a few rows at a time.
//!
//! A hop needs every weight once, 250 times a second, and a host's other work throws them out of the caches in
//! between: how many bytes they are decides what a hop costs. So each is an integer with a scale per output.

use super::{device, slice};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

/// Outputs computed together.
const LANES: usize = 32;

/// What a weight is stored as.
type Stored = i16;
const STORED_MAX: f32 = Stored::MAX as f32;

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
    /// `[blocks][in][LANES]`: the outputs of a block side by side.
    weights: Vec<[Stored; LANES]>,
    /// Scale of each output, 0 in the lanes beyond the last.
    scales: Vec<f32>,
    bias: Vec<f32>,
}

impl Affine {
    /// `weight`: `[out, in]`; `bias`: `[out]`. Allocates.
    pub fn new(weight: &Tensor, bias: &Tensor) -> Result<Self> {
        if !device().is_cpu() {
            return Ok(Self::Plain(weight.t()?.contiguous()?, bias.clone()));
        }
        Ok(Self::Packed(Packed::new(&weight.to_vec2()?, bias.to_vec1()?)))
    }

    /// `x`: `[rows, in]`, contiguous. Returns `[rows, out]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Packed(packed) => x.apply_op1_no_bwd(packed),
            Self::Plain(weight_t, bias) => x.matmul(weight_t)?.broadcast_add(bias),
        }
    }
}

impl Packed {
    fn new(weight: &[Vec<f32>], bias: Vec<f32>) -> Self {
        let n_in = weight[0].len();
        let n_blocks = bias.len().div_ceil(LANES);
        let largest = |row: &Vec<f32>| row.iter().fold(0.0f32, |m, w| m.max(w.abs()));
        let mut scales: Vec<f32> = weight.iter().map(|row| largest(row) / STORED_MAX).collect();
        scales.resize(n_blocks * LANES, 0.0);
        let mut weights = vec![[0; LANES]; n_blocks * n_in];
        for (o, row) in weight.iter().enumerate().filter(|(o, _)| scales[*o] > 0.0) {
            for (i, w) in row.iter().enumerate() {
                weights[o / LANES * n_in + i][o % LANES] = (w / scales[o]).round() as Stored;
            }
        }
        Self { n_in, weights, scales, bias }
    }

    /// Values per row of input and of output.
    pub fn widths(&self) -> (usize, usize) {
        (self.n_in, self.bias.len())
    }

    /// Rows of output for rows of input that start every `step` values of `x`. Allocates.
    pub fn rows(&self, x: &[f32], step: usize) -> Vec<f32> {
        let n_rows = (x.len() + step - self.n_in) / step;
        let mut out = vec![0.0; n_rows * self.bias.len()];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has what the function was compiled for.
            unsafe { self.blocks_avx512(x, step, &mut out) };
            return out;
        } else if is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            unsafe { self.blocks_avx2(x, step, &mut out) };
            return out;
        }
        self.blocks(x, step, &mut out);
        out
    }

    // The same sums in wider registers; without fused multiplication, so every processor gets the same bits.

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn blocks_avx2(&self, x: &[f32], step: usize, out: &mut [f32]) {
        self.blocks(x, step, out);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn blocks_avx512(&self, x: &[f32], step: usize, out: &mut [f32]) {
        self.blocks(x, step, out);
    }

    #[inline(always)]
    fn blocks(&self, x: &[f32], step: usize, out: &mut [f32]) {
        let n_out = self.bias.len();
        for b in 0..self.scales.len() / LANES {
            let weights = &self.weights[b * self.n_in..][..self.n_in];
            let lanes = b * LANES..n_out.min((b + 1) * LANES);
            // All rows through one block of outputs while its weights are near.
            for (row, out) in out.chunks_exact_mut(n_out).enumerate() {
                let sums = sums(&x[row * step..][..self.n_in], weights);
                for (o, sum) in lanes.clone().zip(sums) {
                    out[o] = self.bias[o] + sum * self.scales[o];
                }
            }
        }
    }
}

#[inline(always)]
fn sums(x: &[f32], weights: &[[Stored; LANES]]) -> [f32; LANES] {
    let mut sums = [0.0; LANES];
    for (x, weights) in x.iter().zip(weights) {
        for j in 0..LANES {
            sums[j] += x * f32::from(weights[j]);
        }
    }
    sums
}

impl CustomOp1 for Packed {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, n_in) = layout.shape().dims2()?;
        if n_in != self.n_in {
            candle_core::bail!("rows of {n_in} values where {} are needed", self.n_in);
        }
        Ok((CpuStorage::F32(self.rows(slice(x, layout)?, n_in)), (rows, self.bias.len()).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn affine_equals_the_plain_operations() -> Result<()> {
        for (rows, n_in, n_out) in [(1, 7, 5), (3, 40, 32), (8, 19, 70)] {
            let wave =
                |n: usize, f: f32| Tensor::new((0..n).map(|i| (i as f32 * f).sin()).collect::<Vec<_>>(), &Device::Cpu);
            let x = wave(rows * n_in, 1.3)?.reshape((rows, n_in))?;
            let weight = wave(n_out * n_in, 2.1)?.reshape((n_out, n_in))?;
            let bias = wave(n_out, 0.7)?;
            let plain = x.matmul(&weight.t()?)?.broadcast_add(&bias)?;
            let worst = (Affine::new(&weight, &bias)?.forward(&x)? - plain)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(worst < n_in as f32 / STORED_MAX, "{worst}");
        }
        Ok(())
    }
}
