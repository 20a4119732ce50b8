//! Distances between a rendering and the recording that it was made from.

use crate::analysis::track_pitch;
use crate::mel::bands_of_bins;
use crate::ops::spectral_loss;
use anyhow::Result;
use candle_core::{Device, Tensor};
use embouchure_audio_file::resample;
use embouchure_inference::config::{MODEL_RATE, REFERENCE_RATE};
use embouchure_inference::hear::LoudnessMeter;
use embouchure_inference::math::db::{gain_to_db, power_to_db};
use embouchure_inference::math::window::hann;
use realfft::RealFftPlanner;
use serde::Serialize;
use std::sync::Arc;

/// Sample rate of both sounds, Hz.
pub const RATE: u32 = REFERENCE_RATE;
/// FFT size of the spectra, and number of mel bands: those of the loss at this size.
const FFT_SIZE: usize = 2048;
const N_MEL: usize = 80;
/// Magnitudes of bands below this share of the recording's loudest band count as silence.
const MEL_FLOOR: f32 = 1e-4;
/// Hops with a loudness below this count as silence, dB.
const LOUDNESS_FLOOR_DB: f32 = -70.0;
/// Lowest frequency of the treble, Hz.
const TREBLE_HZ: f32 = 4000.0;
/// Two pitches agree within this, cents, as raw pitch accuracy is usually counted.
const RIGHT_CENTS: f32 = 50.0;

/// Distances of a rendering from its recording. The rendering is brought to the recording's level first.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Figures {
    /// Multi-scale spectral loss, linear, logarithmic and log-mel: the loss of the training.
    pub multi_scale: f32,
    /// Mean difference of log-mel bands, dB.
    pub log_mel_db: f32,
    /// Mean difference of A-weighted loudness, dB.
    pub loudness_db: f32,
    /// Share of the frames with a pitch in both that agree within 50 cents.
    pub pitch_share: f32,
    /// Median difference of the pitch, cents.
    pub cents: f32,
    /// Centroid of the rendering's long-term spectrum as a multiple of the recording's.
    pub centroid_ratio: f32,
    /// Power above 4 kHz of the rendering against the recording's, dB.
    pub treble_db: f32,
    /// Gain that brought the rendering to the recording's level, dB.
    pub gain_db: f32,
}

impl Figures {
    /// Mean of each figure over several recordings.
    pub fn mean(all: &[Self]) -> Self {
        let mean = |figure: fn(&Self) -> f32| all.iter().map(figure).sum::<f32>() / all.len().max(1) as f32;
        Self {
            multi_scale: mean(|f| f.multi_scale),
            log_mel_db: mean(|f| f.log_mel_db),
            loudness_db: mean(|f| f.loudness_db),
            pitch_share: mean(|f| f.pitch_share),
            cents: mean(|f| f.cents),
            centroid_ratio: mean(|f| f.centroid_ratio),
            treble_db: mean(|f| f.treble_db),
            gain_db: mean(|f| f.gain_db),
        }
    }
}

/// Compares two sounds of the same length at [`RATE`].
pub fn compare(recording: &[f32], rendering: &[f32]) -> Result<Figures> {
    let power = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>();
    let gain = (power(recording) / power(rendering).max(1e-12)).sqrt();
    let rendering: Vec<f32> = rendering.iter().map(|x| x * gain).collect();
    let audio = Tensor::from_slice(&rendering, (1, rendering.len()), &Device::Cpu)?;
    let multi_scale = spectral_loss(&audio, Arc::new(recording.to_vec()))?.to_scalar()?;
    let (pitch_share, cents) = pitch_difference(recording, &rendering);
    let spectra = [recording, &rendering].map(long_term_spectrum);
    let [centroids, trebles] = [centroid_hz, treble].map(|figure| [figure(&spectra[0]), figure(&spectra[1])]);
    Ok(Figures {
        multi_scale,
        log_mel_db: log_mel_difference(recording, &rendering),
        loudness_db: loudness_difference(recording, &rendering),
        pitch_share,
        cents,
        centroid_ratio: centroids[1] / centroids[0],
        treble_db: power_to_db(trebles[1] / trebles[0]),
        gain_db: gain_to_db(gain.max(1e-9)),
    })
}

fn pitch_difference(a: &[f32], b: &[f32]) -> (f32, f32) {
    let pairs = track_pitch(a, RATE).into_iter().zip(track_pitch(b, RATE));
    let both = pairs.filter(|(a, b)| a.f0_hz > 0.0 && b.f0_hz > 0.0);
    let mut cents: Vec<f32> = both.map(|(a, b)| 1200.0 * (b.f0_hz / a.f0_hz).log2().abs()).collect();
    cents.sort_by(f32::total_cmp);
    let right = cents.partition_point(|c| *c < RIGHT_CENTS);
    (right as f32 / cents.len().max(1) as f32, cents.get(cents.len() / 2).copied().unwrap_or(0.0))
}

fn loudness_difference(a: &[f32], b: &[f32]) -> f32 {
    let level = |x: &[f32]| {
        let x = resample(x, RATE, MODEL_RATE);
        LoudnessMeter::clip(&x, &vec![0.0; x.len()])
    };
    mean_difference(&level(a), &level(b), LOUDNESS_FLOOR_DB)
}

fn log_mel_difference(a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (mel_bands(a), mel_bands(b));
    let floor = gain_to_db((MEL_FLOOR * a.iter().fold(0.0f32, |m, x| m.max(*x))).max(1e-9));
    let db = |x: Vec<f32>| x.iter().map(|x| gain_to_db(x.max(1e-9))).collect::<Vec<f32>>();
    mean_difference(&db(a), &db(b), floor)
}

fn mean_difference(a: &[f32], b: &[f32], floor: f32) -> f32 {
    let sum: f32 = a.iter().zip(b).map(|(a, b)| (a.max(floor) - b.max(floor)).abs()).sum();
    sum / a.len().min(b.len()).max(1) as f32
}

/// Magnitudes, `[frames][N_MEL]`.
fn mel_bands(samples: &[f32]) -> Vec<f32> {
    let bands_of_bins = bands_of_bins(RATE, FFT_SIZE, N_MEL);
    let bands = |bins: Vec<f32>| {
        let mut powers = [0.0; N_MEL];
        bins.iter().zip(&bands_of_bins).for_each(|(power, band)| powers[*band] += power);
        powers.map(f32::sqrt)
    };
    power_spectra(samples).flat_map(bands).collect()
}

/// Power of each bin, summed over all frames; see [`bin_hz`].
pub fn long_term_spectrum(samples: &[f32]) -> Vec<f32> {
    let mut sums = vec![1e-12; FFT_SIZE / 2 + 1];
    power_spectra(samples).for_each(|bins| sums.iter_mut().zip(bins).for_each(|(sum, power)| *sum += power));
    sums
}

/// Frequency of a bin of [`long_term_spectrum`], Hz.
pub fn bin_hz(bin: usize) -> f32 {
    bin as f32 * RATE as f32 / FFT_SIZE as f32
}

fn centroid_hz(spectrum: &[f32]) -> f32 {
    let weighted: f32 = spectrum.iter().enumerate().map(|(i, power)| bin_hz(i) * power).sum();
    weighted / spectrum.iter().sum::<f32>()
}

fn treble(spectrum: &[f32]) -> f32 {
    spectrum.iter().enumerate().filter(|(i, _)| bin_hz(*i) > TREBLE_HZ).map(|(_, power)| power).sum()
}

/// Power of each bin, frame by frame.
fn power_spectra(samples: &[f32]) -> impl Iterator<Item = Vec<f32>> {
    let fft = RealFftPlanner::new().plan_fft_forward(FFT_SIZE);
    let window = hann(FFT_SIZE);
    samples.windows(FFT_SIZE).step_by(FFT_SIZE / 4).map(move |frame| {
        let mut frame: Vec<f32> = frame.iter().zip(&window).map(|(x, w)| x * w).collect();
        let mut bins = fft.make_output_vec();
        fft.process(&mut frame, &mut bins).expect("buffers have the plan's sizes");
        bins.iter().map(|bin| bin.norm_sqr()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, gain: impl Fn(f32) -> f32) -> Vec<f32> {
        let sample = |i: usize| {
            let t = i as f32 / RATE as f32;
            (1..6).map(|k| gain(t) / k as f32 * (std::f32::consts::TAU * hz * k as f32 * t).sin()).sum()
        };
        (0..RATE as usize).map(sample).collect()
    }

    #[test]
    fn a_sound_equals_itself_at_any_level() -> Result<()> {
        let (a, b) = (tone(300.0, |_| 0.2), tone(300.0, |_| 0.1));
        let f = compare(&a, &b)?;
        assert!(f.multi_scale < 1e-3 && f.log_mel_db < 0.01 && f.loudness_db < 0.01 && f.pitch_share == 1.0, "{f:?}");
        assert!((f.gain_db - 6.02).abs() < 0.01);
        assert!((f.centroid_ratio - 1.0).abs() < 1e-3 && f.treble_db.abs() < 0.01);
        Ok(())
    }

    #[test]
    fn each_figure_shows_its_own_difference() -> Result<()> {
        let a = tone(300.0, |_| 0.2);
        let sharp = compare(&a, &tone(320.0, |_| 0.2))?;
        assert!(sharp.pitch_share < 0.05 && (sharp.cents - 111.7).abs() < 2.0, "{sharp:?}");
        let dull = compare(&a, &tone(150.0, |_| 0.2))?;
        assert!((dull.centroid_ratio - 0.5).abs() < 0.05, "{dull:?}");
        let fading = compare(&a, &tone(300.0, |t| 0.2 * (-3.0 * t).exp()))?;
        assert!(fading.loudness_db > 3.0 && fading.pitch_share > 0.95, "{fading:?}");
        assert!(fading.multi_scale > 0.1 && fading.log_mel_db > 2.0, "{fading:?}");
        Ok(())
    }
}
