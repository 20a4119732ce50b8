//! Multi-scale spectrogram loss: linear, logarithmic and log-mel.
//!
//! After Engel et al. 2020 (DDSP, arXiv:2001.04643) and Yamamoto et al. 2020 (Parallel WaveGAN, arXiv:1910.11480).

use super::{on_cpu, plain, slice, tensor, values};
use crate::mel::bands_of_bins;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use embouchure_inference::config::REFERENCE_RATE;
use embouchure_inference::math::window::hann;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex};
use std::sync::Arc;

/// FFT sizes: those of DDSP, with 4096 in place of 64.
pub(super) const SIZES: [usize; 6] = [4096, 2048, 1024, 512, 256, 128];
/// Magnitudes below this hardly count. Spectra are scaled so that a full-scale sine has about 1.
pub(super) const FLOOR: f32 = 1e-4;
/// FFT size of the log-mel term; below: its bands and its weight.
const MEL_SIZE: usize = 2048;
pub(super) const N_MEL: usize = 80;
pub(super) const MEL_WEIGHT: f32 = 1.0;
/// Weight of linear differences, against logarithmic ones.
pub(super) const LINEAR_WEIGHT: f32 = 10.0;

/// Loss between `audio`, `[batch, samples]` at the reference rate, and `target` of the same shape; a scalar.
pub fn spectral_loss(audio: &Tensor, target: Arc<Vec<f32>>) -> Result<Tensor> {
    match on_cpu(audio) {
        true => audio.contiguous()?.apply_op1(SpectralLoss { target }),
        false => plain::spectral_loss(audio, &target),
    }
}

struct SpectralLoss {
    target: Arc<Vec<f32>>,
}

/// FFT of one size with its window.
pub(super) struct Scale {
    pub(super) size: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    pub(super) window: Vec<f32>,
    /// Mel band of every bin, for the one scale with a log-mel term.
    pub(super) mel: Option<Vec<usize>>,
}

impl Scale {
    pub(super) fn new(size: usize) -> Self {
        let mut planner = RealFftPlanner::new();
        // A full-scale sine has magnitude 1.
        let scale = 4.0 / size as f32;
        Self {
            size,
            forward: planner.plan_fft_forward(size),
            inverse: planner.plan_fft_inverse(size),
            window: hann(size).into_iter().map(|w| scale * w).collect(),
            mel: (size == MEL_SIZE).then(|| bands_of_bins(REFERENCE_RATE, size, N_MEL)),
        }
    }

    fn spectrum(&self, samples: &[f32]) -> Vec<Complex<f32>> {
        let mut frame: Vec<f32> = samples.iter().zip(&self.window).map(|(x, w)| x * w).collect();
        let mut bins = self.forward.make_output_vec();
        self.forward.process(&mut frame, &mut bins).expect("buffers have the plan's sizes");
        bins
    }

    /// Loss of one frame. With `d`, (gradient of the frame's samples, scale), adds the gradient times the scale.
    fn frame(&self, audio: &[f32], target: &[f32], d: Option<(&mut [f32], f32)>) -> f32 {
        let mut bins = self.spectrum(audio);
        let wanted: Vec<f32> = self.spectrum(target).iter().map(magnitude).collect();
        let got: Vec<f32> = bins.iter().map(magnitude).collect();
        let n = got.len() as f32;
        // Gradient with respect to each magnitude.
        let mut slopes = vec![0.0; got.len()];
        let mut loss = 0.0;
        for ((slope, got), wanted) in slopes.iter_mut().zip(&got).zip(&wanted) {
            let (difference, ratio) = (got - wanted, ((got + FLOOR) / (wanted + FLOOR)).ln());
            loss += (LINEAR_WEIGHT * difference.abs() + ratio.abs()) / n;
            *slope = (LINEAR_WEIGHT * difference.signum() + ratio.signum() / (got + FLOOR)) / n;
        }
        if let Some(bands) = &self.mel {
            loss += mel_loss(bands, &got, &wanted, &mut slopes);
        }
        if let Some((d, scale)) = d {
            let last = bins.len() - 1;
            for (i, ((bin, slope), got)) in bins.iter_mut().zip(&slopes).zip(&got).enumerate() {
                let share = if i == 0 || i == last { 1.0 } else { 0.5 };
                *bin *= slope * share * scale / got;
            }
            bins[0].im = 0.0;
            bins[last].im = 0.0;
            let mut samples = self.inverse.make_output_vec();
            self.inverse.process(&mut bins, &mut samples).expect("ends were made real");
            for ((d, x), w) in d.iter_mut().zip(samples).zip(&self.window) {
                *d += x * w;
            }
        }
        loss
    }
}

fn magnitude(bin: &Complex<f32>) -> f32 {
    (bin.norm_sqr() + 1e-14).sqrt()
}

/// Mean difference of the log band energies. Adds its gradient to `slopes`.
fn mel_loss(bands: &[usize], got: &[f32], wanted: &[f32], slopes: &mut [f32]) -> f32 {
    let (mut g, mut w) = ([FLOOR * FLOOR; N_MEL], [FLOOR * FLOOR; N_MEL]);
    for ((band, got), wanted) in bands.iter().zip(got).zip(wanted) {
        g[*band] += got * got;
        w[*band] += wanted * wanted;
    }
    let ratio: [f32; N_MEL] = std::array::from_fn(|b| 0.5 * (g[b] / w[b]).ln());
    for ((band, got), slope) in bands.iter().zip(got).zip(slopes) {
        *slope += MEL_WEIGHT * ratio[*band].signum() * got / g[*band] / N_MEL as f32;
    }
    MEL_WEIGHT * ratio.iter().map(|r| r.abs()).sum::<f32>() / N_MEL as f32
}

impl SpectralLoss {
    fn run(&self, audio: &[f32], n_samples: usize, mut gradient: Option<(&mut [f32], f32)>) -> f32 {
        let mut loss = 0.0;
        let n_clips = audio.len() / n_samples;
        for scale in SIZES.map(Scale::new) {
            let starts = (0..n_samples.saturating_sub(scale.size) + 1).step_by(scale.size / 4);
            let weight = 1.0 / (n_clips * starts.len() * SIZES.len()) as f32;
            for start in (0..n_clips).flat_map(|clip| starts.clone().map(move |s| clip * n_samples + s)) {
                let range = start..(start + scale.size).min(audio.len());
                let d = gradient.as_mut().map(|(d, g)| (&mut d[range.clone()], *g * weight));
                loss += weight * scale.frame(&audio[range.clone()], &self.target[range], d);
            }
        }
        loss
    }
}

impl CustomOp1 for SpectralLoss {
    fn name(&self) -> &'static str {
        "spectral-loss"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, n_samples) = layout.shape().dims2()?;
        Ok((CpuStorage::F32(vec![self.run(slice(storage, layout)?, n_samples, None)]), ().into()))
    }

    fn bwd(&self, audio: &Tensor, _out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, n_samples) = audio.dims2()?;
        let audio_values = values(audio)?;
        let mut d = vec![0.0; audio_values.len()];
        self.run(&audio_values, n_samples, Some((&mut d, grad.to_scalar()?)));
        Ok(Some(tensor(d, audio.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::plain_matches;
    use crate::random::{generator, normal_noise};
    use candle_core::{Device, Var};

    fn clips(seed: u64) -> Vec<f32> {
        normal_noise(&mut generator(seed, 0), 2 * 5000).iter().map(|x| x * 0.1).collect()
    }

    #[test]
    fn equal_sounds_have_no_loss() -> Result<()> {
        let audio = Tensor::from_vec(clips(1), (2, 5000), &Device::Cpu)?;
        assert_eq!(spectral_loss(&audio, Arc::new(clips(1)))?.to_scalar::<f32>()?, 0.0);
        Ok(())
    }

    #[test]
    fn equals_the_plain_operations() -> Result<()> {
        let (audio, target) = (Tensor::from_vec(clips(3), (2, 5000), &Device::Cpu)?, Arc::new(clips(2)));
        let ours = |v: &[Tensor]| spectral_loss(&v[0], target.clone());
        plain_matches(&[audio], ours, |v| plain::spectral_loss(&v[0], &target));
        Ok(())
    }

    /// The loss has corners, so single samples are no test. A step along the gradient must change the loss by its
    /// square.
    #[test]
    fn a_step_along_the_gradient_changes_the_loss_as_predicted() -> Result<()> {
        let target = Arc::new(clips(2));
        let audio = Var::from_vec(clips(3), (2, 5000), &Device::Cpu)?;
        let loss = |x: &Tensor| spectral_loss(x, target.clone());
        let grads = loss(audio.as_tensor())?.backward()?;
        let grad = grads.get(&audio).expect("gradient");
        let predicted = grad.sqr()?.sum_all()?.to_scalar::<f32>()? as f64;
        let step = 2e-4 / predicted;
        let at = |sign: f64| -> Result<f64> {
            Ok(loss(&(audio.as_tensor() + (grad * (sign * step))?)?)?.to_scalar::<f32>()? as f64)
        };
        let changed = (at(1.0)? - at(-1.0)?) / (2.0 * step);
        assert!((changed / predicted - 1.0).abs() < 0.05, "{changed} for {predicted}");
        Ok(())
    }
}
