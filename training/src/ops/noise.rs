//! Filtered noise over a batch. It is linear in the noise magnitudes, and its filter is the runtime's.

use super::{on_cpu, plain, slice, tensor, values};
use crate::random::{generator, normal_noise};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use embouchure_inference::config::{N_NOISE_BANDS, REFERENCE_RATE};
use embouchure_inference::synth::noise::BandInterpolation;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex};
use std::sync::Arc;

/// Renders noise. `magnitudes`: linear, `[batch, frames, N_NOISE_BANDS]`. Returns `[batch, frames · hop]` at the
/// reference rate. The white noise depends on `seed` alone.
pub fn filtered_noise(magnitudes: &Tensor, hop: usize, seed: u64) -> Result<Tensor> {
    let noise = FilteredNoise::new(hop, seed);
    if on_cpu(magnitudes) {
        magnitudes.contiguous()?.apply_op1(noise)
    } else {
        plain::filtered_noise(magnitudes, &noise)
    }
}

pub(super) struct FilteredNoise {
    pub(super) hop: usize,
    seed: u64,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    pub(super) fft: usize,
    /// Gain that each band adds to each bin, `[N_NOISE_BANDS][bins]`.
    pub(super) response: Vec<Vec<f32>>,
}

impl FilteredNoise {
    fn new(hop: usize, seed: u64) -> Self {
        let fft = (4 * hop).next_power_of_two();
        let mut planner = RealFftPlanner::new();
        let bands = BandInterpolation::new(f64::from(REFERENCE_RATE), fft);
        let response = |band: usize| {
            let mut bins = vec![0.0; fft / 2 + 1];
            bands.apply(&std::array::from_fn(|b| f32::from(b == band)), &mut bins);
            bins
        };
        let (forward, inverse) = (planner.plan_fft_forward(fft), planner.plan_fft_inverse(fft));
        Self { hop, seed, forward, inverse, fft, response: (0..N_NOISE_BANDS).map(response).collect() }
    }

    /// White noise of a clip, long enough for the windows at both ends.
    fn white(&self, clip: usize, frames: usize) -> Vec<f32> {
        normal_noise(&mut generator(self.seed, clip as u64), frames * self.hop + self.fft)
    }

    /// Spectra of the white noise around each frame of a clip, `[frames][bins]`.
    pub(super) fn white_spectra(&self, clip: usize, frames: usize) -> Vec<Vec<Complex<f32>>> {
        let white = self.white(clip, frames);
        (0..frames).map(|frame| self.spectrum(white[self.window_start(frame)..][..self.fft].to_vec())).collect()
    }

    fn spectrum(&self, mut samples: Vec<f32>) -> Vec<Complex<f32>> {
        samples.resize(self.fft, 0.0);
        let mut bins = self.forward.make_output_vec();
        self.forward.process(&mut samples, &mut bins).expect("buffers have the plan's sizes");
        bins
    }

    /// Start of the FFT window of `frame` in the white noise. The middle of the window is the frame's instant.
    fn window_start(&self, frame: usize) -> usize {
        (frame + 1) * self.hop
    }

    /// Weight of a frame at `i` samples from its instant, -hop ≤ i < hop: a linear crossfade.
    pub(super) fn fade(&self, i: isize) -> f32 {
        1.0 - i.unsigned_abs() as f32 / self.hop as f32
    }

    /// Samples that a frame contributes to: index in the clip, index in the window, weight.
    fn reach(&self, frame: usize, n_samples: usize) -> impl Iterator<Item = (usize, usize, f32)> + '_ {
        let hop = self.hop as isize;
        let instant = ((frame + 1) * self.hop) as isize;
        (-hop..hop).filter_map(move |i| {
            let at = usize::try_from(instant + i).ok().filter(|at| *at < n_samples)?;
            Some((at, (self.fft as isize / 2 + i) as usize, self.fade(i)))
        })
    }
}

impl CustomOp1 for FilteredNoise {
    fn name(&self) -> &'static str {
        "filtered-noise"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, frames, n_bands) = layout.shape().dims3()?;
        let magnitudes = slice(storage, layout)?;
        let n_samples = frames * self.hop;
        let mut out = vec![0.0; batch * n_samples];
        let mut filtered = self.inverse.make_output_vec();
        for (clip, out) in out.chunks_exact_mut(n_samples).enumerate() {
            let white = self.white(clip, frames);
            for frame in 0..frames {
                let mut bins = self.spectrum(white[self.window_start(frame)..][..self.fft].to_vec());
                let magnitudes = &magnitudes[(clip * frames + frame) * n_bands..][..n_bands];
                let mut gains = vec![0.0; bins.len()];
                for (response, m) in self.response.iter().zip(magnitudes) {
                    gains.iter_mut().zip(response).for_each(|(g, r)| *g += r * m);
                }
                bins.iter_mut().zip(gains).for_each(|(x, g)| *x *= g / self.fft as f32);
                self.inverse.process(&mut bins, &mut filtered).expect("real gains keep the spectrum of a real signal");
                for (at, from, weight) in self.reach(frame, n_samples) {
                    out[at] += weight * filtered[from];
                }
            }
        }
        Ok((CpuStorage::F32(out), (batch, n_samples).into()))
    }

    fn bwd(&self, magnitudes: &Tensor, _out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (batch, frames, n_bands) = magnitudes.dims3()?;
        let grad = values(grad)?;
        let n_samples = frames * self.hop;
        let mut d = vec![0.0; batch * frames * n_bands];
        for clip in 0..batch {
            let white = self.white(clip, frames);
            let grad = &grad[clip * n_samples..][..n_samples];
            for frame in 0..frames {
                let mut weighted = vec![0.0; self.fft];
                for (at, from, weight) in self.reach(frame, n_samples) {
                    weighted[from] = weight * grad[at];
                }
                let of_grad = self.spectrum(weighted);
                let of_white = self.spectrum(white[self.window_start(frame)..][..self.fft].to_vec());
                // Parseval's theorem: bins between 0 and Nyquist count twice.
                let last = of_grad.len() - 1;
                let scale = |bin: usize| if bin == 0 || bin == last { 1.0 } else { 2.0 } / self.fft as f32;
                let per_bin: Vec<f32> = of_grad
                    .iter()
                    .zip(&of_white)
                    .enumerate()
                    .map(|(bin, (g, x))| (g.re * x.re + g.im * x.im) * scale(bin))
                    .collect();
                let d = &mut d[(clip * frames + frame) * n_bands..][..n_bands];
                for (d, response) in d.iter_mut().zip(&self.response) {
                    *d = response.iter().zip(&per_bin).map(|(r, p)| r * p).sum();
                }
            }
        }
        Ok(Some(tensor(d, magnitudes.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{gradients_match, plain_matches, random};

    #[test]
    fn gradient_is_right_for_batches() {
        let magnitudes = [random(&[2, 2, N_NOISE_BANDS], 21)];
        gradients_match(&magnitudes, |v| filtered_noise(&v[0], 32, 5));
        let noise = FilteredNoise::new(32, 5);
        plain_matches(&magnitudes, |v| filtered_noise(&v[0], 32, 5), |v| plain::filtered_noise(&v[0], &noise));
    }

    #[test]
    fn level_is_that_of_the_magnitudes() -> Result<()> {
        let magnitudes = Tensor::full(0.1f32, (1, 250, N_NOISE_BANDS), &candle_core::Device::Cpu)?;
        let audio = values(&filtered_noise(&magnitudes, 192, 5)?)?;
        let power = audio[192..].iter().map(|x| x * x).sum::<f32>() / (audio.len() - 192) as f32;
        // White noise of variance 0.01, of which the filter passes 20 of 24 kHz.
        assert!((power / (0.01 * 20.0 / 24.0) - 1.0).abs() < 0.05, "{power}");
        Ok(())
    }
}
