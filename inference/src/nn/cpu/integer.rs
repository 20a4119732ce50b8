//! Products of rows of small integers: the fastest products of a processor, and exact, so equal on every processor.

use crate::math::{ROUND, largest};
use multiversion::multiversion;

/// Outputs computed in parallel.
pub const LANES: usize = 32;
/// Two neighbouring inputs.
pub type Pair = [i16; 2];
/// The two weights for such a pair in one output.
pub type WeightPair = [i8; 2];
/// Largest magnitude of an input.
const MAX_INPUT: f32 = 8191.0;
/// Largest magnitude of a weight.
const MAX_WEIGHT: f32 = 127.0;
/// Most pairs whose products are summed as integers; sums of longer rows are added as floats.
const RUN: usize = 1024;
/// Weights are prefetched this many cache lines of 64 bytes ahead: after a pause they are in distant caches, and the
/// processor's own prefetching ends at each page.
#[cfg(target_arch = "x86_64")]
const LINES_AHEAD: usize = 64;

const _: () = assert!(MAX_INPUT as i64 * MAX_WEIGHT as i64 * 2 * RUN as i64 <= i32::MAX as i64);

/// Quantises a row of weights. Returns it with its scale.
pub fn quantise_weights(row: &[f32]) -> (Vec<i8>, f32) {
    let largest = largest(row);
    let per_unit = if largest > 0.0 { MAX_WEIGHT / largest } else { 0.0 };
    (row.iter().map(|w| (w * per_unit).round() as i8).collect(), largest / MAX_WEIGHT)
}

/// Quantises a row of inputs into `out`, which has half its length, rounded up; an odd last value is paired with 0.
/// Returns the scale.
#[multiversion(targets("x86_64+avx2"))]
pub fn quantise_inputs(row: &[f32], out: &mut [Pair]) -> f32 {
    let largest = largest(row);
    let per_unit = if largest > 0.0 { MAX_INPUT / largest } else { 0.0 };
    let out = out.as_flattened_mut();
    out[row.len()..].fill(0);
    for (out, x) in out.iter_mut().zip(row) {
        *out = (x * per_unit + ROUND).to_bits() as i16;
    }
    largest / MAX_INPUT
}

/// The quantised layer.
pub struct Products<'a> {
    /// `[blocks][n_pairs]`: the lanes are the outputs of a block.
    pub weights: &'a [[WeightPair; LANES]],
    /// Pairs of inputs per row, including that of an odd last one.
    pub n_pairs: usize,
    /// Scale of each output's weights, and its bias, `[blocks]`; unused lanes may hold any value.
    pub scales: &'a [[f32; LANES]],
    pub biases: &'a [[f32; LANES]],
    pub n_out: usize,
}

impl Products<'_> {
    /// `x`: `[rows][n_pairs]`. `units`: scale of each row. `out`: `[rows][n_out]`, overwritten.
    pub fn rows(&self, x: &[Pair], units: &[f32], out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512bw") {
            // SAFETY: the processor has the features that the function needs.
            return unsafe { x86::rows_avx512(self, x, units, out) };
        } else if is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return unsafe { x86::rows_avx2(self, x, units, out) };
        }
        self.rows_by(x, units, out, plain_sums);
    }

    /// Block by block, all rows each, because the weights of a block are then in the cache.
    #[inline(always)]
    fn rows_by(
        &self,
        x: &[Pair],
        units: &[f32],
        out: &mut [f32],
        sums: impl Fn(&[Pair], &[[WeightPair; LANES]]) -> [f32; LANES],
    ) {
        let n_pairs = self.n_pairs;
        for (block, (scales, biases)) in self.scales.iter().zip(self.biases).enumerate() {
            let weights = &self.weights[block * n_pairs..][..n_pairs];
            let n = LANES.min(self.n_out - block * LANES);
            for (row, unit) in units.iter().enumerate() {
                let mut sums = sums(&x[row * n_pairs..][..n_pairs], weights);
                for i in 0..LANES {
                    sums[i] = biases[i] + sums[i] * (unit * scales[i]);
                }
                out[row * self.n_out + block * LANES..][..n].copy_from_slice(&sums[..n]);
            }
        }
    }
}

fn plain_sums(x: &[Pair], weights: &[[WeightPair; LANES]]) -> [f32; LANES] {
    let mut sums = [0.0; LANES];
    for (x, weights) in x.chunks(RUN).zip(weights.chunks(RUN)) {
        let mut run = [0i32; LANES];
        for ([x, y], weights) in x.iter().zip(weights) {
            for (sum, [v, w]) in run.iter_mut().zip(weights) {
                *sum += i32::from(*x) * i32::from(*v) + i32::from(*y) * i32::from(*w);
            }
        }
        sums.iter_mut().zip(run).for_each(|(sum, run)| *sum += run as f32);
    }
    sums
}

/// [`plain_sums`] with the instruction for pairs, which compilers do not choose by themselves.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{LANES, LINES_AHEAD, Pair, Products, RUN, WeightPair};
    use std::arch::x86_64::*;

    /// Prefetches the cache line that is [`LINES_AHEAD`]. It may lie beyond the weights.
    #[inline(always)]
    fn fetch(weights: &[WeightPair; LANES]) {
        // SAFETY: every x86-64 processor has the instruction, and it accepts any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(weights.as_ptr().cast::<i8>().wrapping_add(64 * LINES_AHEAD)) };
    }

    fn both([x, y]: Pair) -> i32 {
        i32::from(x) & 0xFFFF | i32::from(y) << 16
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn rows_avx512(products: &Products, x: &[Pair], units: &[f32], out: &mut [f32]) {
        products.rows_by(x, units, out, |x, weights| sums_avx512(x, weights));
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn sums_avx512(x: &[Pair], weights: &[[WeightPair; LANES]]) -> [f32; LANES] {
        const REGISTERS: usize = LANES / 16;
        let mut sums = [_mm512_setzero_ps(); REGISTERS];
        for (x, weights) in x.chunks(RUN).zip(weights.chunks(RUN)) {
            let mut run = [_mm512_setzero_si512(); REGISTERS];
            for (x, weights) in x.iter().zip(weights) {
                fetch(weights);
                let x = _mm512_set1_epi32(both(*x));
                for (run, weights) in run.iter_mut().zip(weights.as_chunks::<16>().0) {
                    // SAFETY: 16 pairs are 32 bytes.
                    let weights = _mm512_cvtepi8_epi16(unsafe { _mm256_loadu_si256(weights.as_ptr().cast()) });
                    *run = _mm512_add_epi32(*run, _mm512_madd_epi16(weights, x));
                }
            }
            for (sum, run) in sums.iter_mut().zip(run) {
                *sum = _mm512_add_ps(*sum, _mm512_cvtepi32_ps(run));
            }
        }
        let mut out = [0.0; LANES];
        for (out, sum) in out.as_chunks_mut::<16>().0.iter_mut().zip(sums) {
            // SAFETY: 16 floats are 64 bytes.
            unsafe { _mm512_storeu_ps(out.as_mut_ptr(), sum) };
        }
        out
    }

    #[target_feature(enable = "avx2")]
    pub fn rows_avx2(products: &Products, x: &[Pair], units: &[f32], out: &mut [f32]) {
        products.rows_by(x, units, out, |x, weights| sums_avx2(x, weights));
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn sums_avx2(x: &[Pair], weights: &[[WeightPair; LANES]]) -> [f32; LANES] {
        const REGISTERS: usize = LANES / 8;
        let mut sums = [_mm256_setzero_ps(); REGISTERS];
        for (x, weights) in x.chunks(RUN).zip(weights.chunks(RUN)) {
            let mut run = [_mm256_setzero_si256(); REGISTERS];
            for (x, weights) in x.iter().zip(weights) {
                fetch(weights);
                let x = _mm256_set1_epi32(both(*x));
                for (run, weights) in run.iter_mut().zip(weights.as_chunks::<8>().0) {
                    // SAFETY: 8 pairs are 16 bytes.
                    let weights = _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(weights.as_ptr().cast()) });
                    *run = _mm256_add_epi32(*run, _mm256_madd_epi16(weights, x));
                }
            }
            for (sum, run) in sums.iter_mut().zip(run) {
                *sum = _mm256_add_ps(*sum, _mm256_cvtepi32_ps(run));
            }
        }
        let mut out = [0.0; LANES];
        for (out, sum) in out.as_chunks_mut::<8>().0.iter_mut().zip(sums) {
            // SAFETY: 8 floats are 32 bytes.
            unsafe { _mm256_storeu_ps(out.as_mut_ptr(), sum) };
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs up to the largest magnitude.
    fn inputs(n: usize) -> Vec<Pair> {
        let value = |i: usize| (i * 7919 % 16_383) as i16 - 8191;
        (0..n).map(|i| [value(2 * i), value(2 * i + 1)]).collect()
    }

    /// Weights up to the largest magnitude.
    fn weights(seed: usize) -> [WeightPair; LANES] {
        let value = |i: usize| (((i + 64 * seed) * 7919 % 255) as i16 - 127) as i8;
        std::array::from_fn(|i| [value(2 * i), value(2 * i + 1)])
    }

    #[test]
    fn every_processor_gives_the_same_bits() {
        for (n_rows, n_pairs, n_out) in
            [(0, 4, 64usize), (1, 1, 1), (3, 16, 40), (1, 17, 96), (2, 240, 32), (1, RUN + 5, 3)]
        {
            let x = inputs(n_rows * n_pairs);
            let n_blocks = n_out.div_ceil(LANES);
            let weights: Vec<_> = (0..n_blocks * n_pairs).map(weights).collect();
            let values =
                |seed: usize| -> Vec<f32> { (0..n_blocks * LANES).map(|i| ((i + seed) as f32).sin()).collect() };
            let (scales, biases, units) = (values(1), values(2), vec![0.7; n_rows]);
            let (scales, biases) = (scales.as_chunks().0, biases.as_chunks().0);
            let products = Products { weights: &weights, n_pairs, scales, biases, n_out };
            let by = |rows: &dyn Fn(&mut [f32])| {
                let mut out = vec![f32::NAN; n_rows * n_out];
                rows(&mut out);
                out
            };
            let expected = by(&|out| products.rows_by(&x, &units, out, plain_sums));
            assert!(expected.iter().all(|sum| sum.is_finite()));
            assert_eq!(by(&|out| products.rows(&x, &units, out)), expected);
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has AVX2.
                let by_avx2 = by(&|out| unsafe { x86::rows_avx2(&products, &x, &units, out) });
                assert_eq!(by_avx2, expected);
            }
        }
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        let x = vec![[8191, -8191]; 2 * RUN];
        let weights = vec![[[127, -127]; LANES]; 2 * RUN];
        let (scales, biases) = (&[[1.0; LANES]], &[[0.0; LANES]]);
        let products = Products { weights: &weights, n_pairs: 2 * RUN, scales, biases, n_out: LANES };
        let mut out = [0.0; LANES];
        products.rows(&x, &[1.0], &mut out);
        let exact = 4.0 * RUN as f32 * MAX_INPUT * MAX_WEIGHT;
        assert!(out.iter().all(|sum| (sum / exact - 1.0).abs() < 1e-6));
    }

    #[test]
    fn quantised_values_are_within_half_a_step() {
        for row in [vec![0.5, -1.0, 0.25], vec![0.0; 4], vec![3e-9, -1e-9]] {
            // Values left by an earlier row.
            let mut pairs = vec![[7; 2]; row.len().div_ceil(2)];
            let scale = quantise_inputs(&row, &mut pairs);
            let back = pairs.as_flattened().iter().map(|x| f32::from(*x) * scale);
            let largest = row.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            assert!(row.iter().zip(back).all(|(x, y)| (x - y).abs() <= 0.51 * largest / MAX_INPUT));
            let (weights, unit) = quantise_weights(&row);
            let back = weights.iter().map(|w| f32::from(*w) * unit);
            assert!(row.iter().zip(back).all(|(x, y)| (x - y).abs() <= 0.51 * largest / MAX_WEIGHT));
            assert!(pairs.as_flattened()[row.len()..].iter().all(|x| *x == 0));
        }
    }
}
