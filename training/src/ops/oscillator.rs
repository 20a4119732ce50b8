//! Bank of harmonic oscillators over a batch. f0 is given, so the audio is linear in the amplitudes.

use super::{on_cpu, plain, slice, tensor, values};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Samples computed side by side.
const LANES: usize = 16;

/// Renders harmonics. `amplitudes`: linear, `[batch, frames, harmonics]`. `turns`: phase of the fundamental at every
/// sample, turns, `[batch][frames · hop]`. Returns `[batch, frames · hop]`. The amplitudes of a frame hold at the end
/// of its hop and are linear between frames.
pub fn oscillator(amplitudes: &Tensor, turns: Arc<Vec<f64>>, hop: usize) -> Result<Tensor> {
    match on_cpu(amplitudes) {
        true => amplitudes.contiguous()?.apply_op1(Oscillator { turns, hop }),
        false => plain::oscillator(amplitudes, &turns, hop),
    }
}

struct Oscillator {
    turns: Arc<Vec<f64>>,
    hop: usize,
}

/// sin(kφ) of 16 samples for k = 1, 2, … by the Chebyshev recurrence.
struct Sines {
    twice_cos: [f32; LANES],
    before: [f32; LANES],
    now: [f32; LANES],
}

impl Sines {
    fn new(turns: &[f64]) -> Self {
        let mut sines = Self { twice_cos: [0.0; LANES], before: [0.0; LANES], now: [0.0; LANES] };
        for (i, turns) in turns.iter().enumerate() {
            let (s, c) = ((turns.fract() * TAU) as f32).sin_cos();
            (sines.now[i], sines.twice_cos[i]) = (s, 2.0 * c);
        }
        sines
    }

    fn advance(&mut self) {
        for i in 0..LANES {
            let next = self.twice_cos[i] * self.now[i] - self.before[i];
            self.before[i] = self.now[i];
            self.now[i] = next;
        }
    }
}

impl Oscillator {
    /// Calls `visit(frame before, frame after, weights of the frame after, sines, sample range)` for every group of
    /// samples.
    fn groups(
        &self,
        clip: usize,
        frames: usize,
        mut visit: impl FnMut(usize, usize, &[f32; LANES], Sines, std::ops::Range<usize>),
    ) {
        for frame in 0..frames {
            for start in (0..self.hop).step_by(LANES) {
                let n = LANES.min(self.hop - start);
                let weights =
                    std::array::from_fn(|i| if i < n { (start + i + 1) as f32 / self.hop as f32 } else { 0.0 });
                let range = frame * self.hop + start..frame * self.hop + start + n;
                let offset = clip * frames * self.hop;
                let sines = Sines::new(&self.turns[offset + range.start..offset + range.end]);
                visit(frame.saturating_sub(1), frame, &weights, sines, range);
            }
        }
    }
}

impl CustomOp1 for Oscillator {
    fn name(&self) -> &'static str {
        "oscillator"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, frames, n) = layout.shape().dims3()?;
        let amplitudes = slice(storage, layout)?;
        let n_samples = frames * self.hop;
        let mut out = vec![0.0; batch * n_samples];
        for (clip, out) in out.chunks_exact_mut(n_samples).enumerate() {
            let amplitudes = &amplitudes[clip * frames * n..][..frames * n];
            self.groups(clip, frames, |before, after, weights, mut sines, range| {
                let mut sum = [0.0; LANES];
                let (from, to) = (&amplitudes[before * n..][..n], &amplitudes[after * n..][..n]);
                for (a, b) in from.iter().zip(to) {
                    for i in 0..LANES {
                        sum[i] += (a + (b - a) * weights[i]) * sines.now[i];
                    }
                    sines.advance();
                }
                let len = range.len();
                out[range].copy_from_slice(&sum[..len]);
            });
        }
        Ok((CpuStorage::F32(out), (batch, n_samples).into()))
    }

    fn bwd(&self, amplitudes: &Tensor, _out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (batch, frames, n) = amplitudes.dims3()?;
        let grad = values(grad)?;
        let n_samples = frames * self.hop;
        let mut d = vec![0.0; batch * frames * n];
        for (clip, d) in d.chunks_exact_mut(frames * n).enumerate() {
            let grad = &grad[clip * n_samples..][..n_samples];
            self.groups(clip, frames, |before, after, weights, mut sines, range| {
                let mut g = [0.0; LANES];
                g[..range.len()].copy_from_slice(&grad[range]);
                for k in 0..n {
                    let (mut of_before, mut of_after) = (0.0, 0.0);
                    for i in 0..LANES {
                        let product = g[i] * sines.now[i];
                        of_after += weights[i] * product;
                        of_before += (1.0 - weights[i]) * product;
                    }
                    d[before * n + k] += of_before;
                    d[after * n + k] += of_after;
                    sines.advance();
                }
            });
        }
        Ok(Some(tensor(d, amplitudes.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{gradients_match, plain_matches, random};

    #[test]
    fn gradient_is_right_for_batches() {
        let turns: Arc<Vec<f64>> = Arc::new((0..2 * 3 * 20).map(|i| i as f64 * 0.013).collect());
        let (amplitudes, ours) = ([random(&[2, 3, 4], 20)], |v: &[Tensor]| oscillator(&v[0], turns.clone(), 20));
        gradients_match(&amplitudes, ours);
        plain_matches(&amplitudes, ours, |v| plain::oscillator(&v[0], &turns, 20));
    }

    #[test]
    fn the_sliding_oscillator_has_a_gradient_of_its_phase() {
        let turns = (random(&[2, 3 * 8], 21).abs().unwrap() * 0.9).unwrap();
        gradients_match(&[random(&[2, 3, 2], 20), turns], |v| plain::sliding_oscillator(&v[0], &v[1], 8));
    }

    #[test]
    fn equals_the_sum_of_sines() -> Result<()> {
        let turns: Vec<f64> = (0..200).map(|i| i as f64 * 0.01).collect();
        let amplitudes = Tensor::new(&[[[0.5f32, 0.0, 0.25], [0.5, 0.0, 0.25]]], &candle_core::Device::Cpu)?;
        let audio = values(&oscillator(&amplitudes, Arc::new(turns.clone()), 100)?)?;
        for (x, p) in audio.iter().zip(&turns) {
            let exact = 0.5 * (TAU * p).sin() + 0.25 * (3.0 * TAU * p).sin();
            assert!((*x as f64 - exact).abs() < 1e-5);
        }
        Ok(())
    }
}
