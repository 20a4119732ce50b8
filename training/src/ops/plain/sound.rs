//! The synth, and the loss between sounds.

use super::super::noise::FilteredNoise;
use super::super::spectral::{FLOOR, LINEAR_WEIGHT, MEL_WEIGHT, N_MEL, SIZES, Scale};
use super::fourier::{forward, inverse};
use candle_core::{D, Result, Tensor};
use std::f64::consts::TAU;

/// See [`super::super::oscillator`].
pub fn oscillator(amplitudes: &Tensor, turns: &[f64], hop: usize) -> Result<Tensor> {
    let (batch, frames, _) = amplitudes.dims3()?;
    let turns: Vec<f32> = turns.iter().map(|turns| turns.fract() as f32).collect();
    sliding_oscillator(amplitudes, &Tensor::from_vec(turns, (batch, frames * hop), amplitudes.device())?, hop)
}

/// The oscillator with a gradient of the phase, so that the pitch can be learned, too. `turns`: 0 to 1,
/// `[batch, frames · hop]`.
pub fn sliding_oscillator(amplitudes: &Tensor, turns: &Tensor, hop: usize) -> Result<Tensor> {
    let (batch, frames, n) = amplitudes.dims3()?;
    let (rows, device) = (batch * frames, amplitudes.device());
    let turns = turns.reshape((rows, 1, hop))?;
    let numbers = Tensor::from_vec((1..=n).map(|k| k as f32).collect(), (1, n, 1), device)?;
    let sines = (numbers.broadcast_mul(&turns)? * TAU)?.sin()?;
    let before = Tensor::cat(&[&amplitudes.narrow(1, 0, 1)?, &amplitudes.narrow(1, 0, frames - 1)?], 1)?;
    let held = |amplitudes: &Tensor| amplitudes.contiguous()?.reshape((rows, 1, n))?.matmul(&sines);
    let (from, to) = (held(&before)?, held(amplitudes)?);
    let share = Tensor::from_vec((1..=hop).map(|i| i as f32 / hop as f32).collect(), (1, 1, hop), device)?;
    (&from + (to - &from)?.broadcast_mul(&share)?)?.reshape((batch, frames * hop))
}

/// See [`super::super::filtered_noise`].
pub fn filtered_noise(magnitudes: &Tensor, noise: &FilteredNoise) -> Result<Tensor> {
    let (batch, frames, n_bands) = magnitudes.dims3()?;
    let (rows, device, hop) = (batch * frames, magnitudes.device(), noise.hop);
    let n_bins = noise.fft / 2 + 1;
    let response = Tensor::from_vec(noise.response.concat(), (n_bands, n_bins), device)?;
    let gains = magnitudes.reshape((rows, n_bands))?.matmul(&response)?;
    let white: Vec<_> = (0..batch).flat_map(|clip| noise.white_spectra(clip, frames)).flatten().collect();
    let part = |values: Vec<f32>| Tensor::from_vec(values, (rows, n_bins), device)?.mul(&gains);
    let real = part(white.iter().map(|bin| bin.re).collect())?;
    let imaginary = part(white.iter().map(|bin| bin.im).collect())?;
    let [cos, sin] = inverse(noise, device)?;
    let filtered = (real.matmul(&cos)? - imaginary.matmul(&sin)?)?;
    let filtered = filtered.reshape((batch, frames, 2 * hop))?;
    // The first half of a window lies in the frame's own hop, the second in the next.
    let (own, next) = (filtered.narrow(2, 0, hop)?, filtered.narrow(2, hop, hop)?);
    let late = next.narrow(1, 0, frames - 1)?.pad_with_zeros(1, 1, 0)?;
    (own + late)?.contiguous()?.reshape((batch, frames * hop))
}

/// See [`super::super::spectral_loss`].
pub fn spectral_loss(audio: &Tensor, target: &[f32]) -> Result<Tensor> {
    let target = Tensor::from_slice(target, audio.shape(), audio.device())?;
    let mut loss = Tensor::zeros((), audio.dtype(), audio.device())?;
    for scale in SIZES.map(Scale::new) {
        let transform = forward(&scale, audio.device())?;
        let [got, wanted] = [audio, &target].map(|sound| magnitudes(sound, scale.size, &transform));
        let (got, wanted) = (got?, wanted?);
        let log = |x: &Tensor| (x + f64::from(FLOOR))?.log();
        let linear = ((&got - &wanted)?.abs()?.mean_all()? * f64::from(LINEAR_WEIGHT))?;
        loss = (loss + (linear + (log(&got)? - log(&wanted)?)?.abs()?.mean_all()?)?)?;
        if let Some(bands) = &scale.mel {
            let of_bins = bands.iter().flat_map(|band| (0..N_MEL).map(move |b| f32::from(u8::from(b == *band))));
            let of_bins = Tensor::from_vec(of_bins.collect(), (bands.len(), N_MEL), audio.device())?;
            let log_energy = |x: &Tensor| (x.sqr()?.matmul(&of_bins)? + f64::from(FLOOR * FLOOR))?.log();
            let mel = (log_energy(&got)? - log_energy(&wanted)?)?.abs()?.mean_all()?;
            loss = (loss + (mel * (0.5 * f64::from(MEL_WEIGHT)))?)?;
        }
    }
    loss / SIZES.len() as f64
}

/// Magnitudes of frames that are a quarter of the window apart, `[frames of all clips, bins]`.
fn magnitudes(sound: &Tensor, size: usize, [cos, sin]: &[Tensor; 2]) -> Result<Tensor> {
    let (batch, n_samples) = sound.dims2()?;
    let quarter = size / 4;
    let n_quarters = n_samples / quarter;
    let n_frames = n_quarters.saturating_sub(4) + 1;
    let quarters = sound.narrow(1, 0, n_quarters * quarter)?.contiguous()?.reshape((batch, n_quarters, quarter))?;
    let part = |i: usize| quarters.narrow(1, i, n_frames);
    let frames = Tensor::cat(&[part(0)?, part(1)?, part(2)?, part(3)?], D::Minus1)?;
    let frames = frames.reshape((batch * n_frames, size))?;
    ((frames.matmul(cos)?.sqr()? + frames.matmul(sin)?.sqr()?)? + 1e-14)?.sqrt()
}
