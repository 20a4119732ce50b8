//! Noise of the source: between the harmonics of a note, or in the whole spectrum where there is no note.
//!
//! Training measures the noise of recordings in another way (`training/src/analysis/noise.rs`): it has the sound at 48
//! kHz and on both sides of a frame, and windows of any length. Both use [`is_between_harmonics`].

use crate::config::{FRAME_SIZE, MODEL_RATE, N_NOISE_BANDS, REFERENCE_RATE};
use crate::controls::noise_band_edges_hz;
use crate::math::window::hann;
use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};
use std::ops::Range;
use std::sync::Arc;

/// Number of noise bands, from the lowest, that lie below the cutoff of the resamplers.
pub const N_HEARD_BANDS: usize = 46;
/// Windows, samples: 16 to 64 ms.
const WINDOWS: [usize; 3] = [256, 512, FRAME_SIZE];
/// Periods in the window, if the longest window is long enough. With half as many, leakage of the harmonics through the
/// Hann window counts as noise.
const PERIODS: f32 = 16.0;
/// Window without a note, samples: consonants are short.
const UNPITCHED_WINDOW: f32 = 512.0;
/// Least distance of a noise bin from a harmonic, as a share of f0.
const CLEARANCE: f32 = 0.33;
/// Least number of bins for a band; a band with fewer takes neighbouring bins, too.
const MIN_BINS: usize = 9;
/// Quantile of a band's bins that gives its level: with a note, and without. With a note it is low, because louder bins
/// contain leakage of the harmonics.
const QUANTILE: (f32, f32) = (0.2, 0.5);
/// Power of white noise at the reference rate over that of noise with the same density at the model rate.
const DENSITY: f32 = REFERENCE_RATE as f32 / MODEL_RATE as f32;
/// Magnitudes up to this become 0, linear: -120 dB.
const SILENT: f32 = 1e-6;

/// Noise magnitudes of a source in the lowest bands, in the unit of [`Controls`](crate::controls::Controls).
pub type SourceNoise = [f32; N_HEARD_BANDS];

/// Measures the noise of a frame. Realtime-safe.
pub struct NoiseMeter {
    spectra: [Spectrum; WINDOWS.len()],
    edges_hz: [f32; N_NOISE_BANDS + 1],
}

impl Default for NoiseMeter {
    fn default() -> Self {
        let mut planner = RealFftPlanner::new();
        Self { spectra: WINDOWS.map(|size| Spectrum::new(size, &mut planner)), edges_hz: noise_band_edges_hz() }
    }
}

impl NoiseMeter {
    /// Noise in the newest samples of `frame`, at the model rate. `f0_hz` (> 0): of the note, if one sounds.
    pub fn measure(&mut self, frame: &[f32; FRAME_SIZE], f0_hz: Option<f32>) -> SourceNoise {
        let wanted = f0_hz.map_or(UNPITCHED_WINDOW, |f0_hz| PERIODS * MODEL_RATE as f32 / f0_hz);
        let long_enough = WINDOWS.iter().position(|size| *size as f32 >= wanted);
        let spectrum = &mut self.spectra[long_enough.unwrap_or(WINDOWS.len() - 1)];
        spectrum.analyse(frame);
        std::array::from_fn(|band| {
            let magnitude = spectrum.magnitude(self.edges_hz[band]..self.edges_hz[band + 1], f0_hz);
            if magnitude > SILENT { magnitude } else { 0.0 }
        })
    }
}

/// True if `hz` is so far from every harmonic of `f0_hz` (> 0) that sound there counts as noise.
pub fn is_between_harmonics(hz: f32, f0_hz: f32) -> bool {
    let harmonic = hz / f0_hz;
    (harmonic - harmonic.round()).abs() > CLEARANCE
}

/// Power spectrum with one length of window.
struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    frame: Vec<f32>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// Power of each bin, as the variance of white noise at 48 kHz with the same density.
    powers: Vec<f32>,
    /// Powers of the bins of one band.
    band_powers: Vec<f32>,
    /// From the square of a bin's magnitude to `powers`.
    scale: f32,
}

impl Spectrum {
    fn new(size: usize, planner: &mut RealFftPlanner<f32>) -> Self {
        let fft = planner.plan_fft_forward(size);
        let window = hann(size);
        let window_power: f32 = window.iter().map(|w| w * w).sum();
        Self {
            frame: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            powers: vec![0.0; size / 2 + 1],
            band_powers: Vec::with_capacity(size / 2 + 1),
            scale: DENSITY / window_power,
            window,
            fft,
        }
    }

    fn analyse(&mut self, frame: &[f32; FRAME_SIZE]) {
        let newest = &frame[FRAME_SIZE - self.window.len()..];
        for ((y, x), w) in self.frame.iter_mut().zip(newest).zip(&self.window) {
            *y = x * w;
        }
        // The lengths are right by construction, so the FFT cannot fail.
        let _ = self.fft.process_with_scratch(&mut self.frame, &mut self.bins, &mut self.scratch);
        for (power, bin) in self.powers.iter_mut().zip(&self.bins) {
            *power = self.scale * bin.norm_sqr();
        }
    }

    /// Gain of white noise with the density of the band between `edges_hz`.
    fn magnitude(&mut self, edges_hz: Range<f32>, f0_hz: Option<f32>) -> f32 {
        let bin_hz = MODEL_RATE as f32 / self.window.len() as f32;
        let is_clear = |bin: &usize| f0_hz.is_none_or(|f0_hz| is_between_harmonics(*bin as f32 * bin_hz, f0_hz));
        let nyquist = self.powers.len() - 1;
        // Bin 0 is the mean, which is inaudible.
        let (mut first, mut end) = ((edges_hz.start / bin_hz).max(1.0) as usize, (edges_hz.end / bin_hz) as usize);
        while (first..end).filter(is_clear).count() < MIN_BINS && (first > 1 || end < nyquist) {
            (first, end) = (first.max(2) - 1, (end + 1).min(nyquist));
        }
        self.band_powers.clear();
        self.band_powers.extend((first..end).filter(is_clear).map(|bin| self.powers[bin]));
        if self.band_powers.is_empty() {
            return 0.0;
        }
        let share = if f0_hz.is_some() { QUANTILE.0 } else { QUANTILE.1 };
        let place = (share * self.band_powers.len() as f32) as usize;
        let (_, power, _) = self.band_powers.select_nth_unstable_by(place, f32::total_cmp);
        // The power of noise in a bin is distributed exponentially.
        (*power / -(1.0 - share).ln()).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::super::harmonics::n_audible;
    use super::*;
    use crate::config::HEARD_MAX_HZ;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Mean magnitude of each band over 100 frames of a tone at `f0_hz` with noise of the gain `noise` at 48 kHz.
    fn measured(f0_hz: Option<f32>, noise: f32) -> SourceNoise {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let (mut meter, mut sums) = (NoiseMeter::default(), [0.0; N_HEARD_BANDS]);
        let n_harmonics = n_audible(f0_hz.unwrap_or(1000.0)).min(15);
        for frame in 0..100 {
            let mut sample = |i: usize| {
                let turns = f0_hz.unwrap_or(0.0) * (frame * 700 + i) as f32 / MODEL_RATE as f32;
                let tone: f32 = (1..=n_harmonics)
                    .map(|k| 0.1 / k as f32 * (std::f32::consts::TAU * (turns * k as f32).fract()).sin())
                    .sum();
                // Uniform, of the variance that noise of unit variance at 48 kHz leaves below 8 kHz.
                tone + noise * random.random_range(-1.0f32..1.0) * (3.0 / DENSITY).sqrt()
            };
            let mut frame = [0.0; FRAME_SIZE];
            frame.iter_mut().enumerate().for_each(|(i, x)| *x = sample(i));
            let heard = meter.measure(&frame, f0_hz);
            sums.iter_mut().zip(heard).for_each(|(sum, magnitude)| *sum += magnitude / 100.0);
        }
        sums
    }

    #[test]
    fn noise_is_measured_within_4_db_with_any_note() {
        for f0_hz in [None, Some(130.0), Some(233.0), Some(440.0), Some(1500.0)] {
            for (band, magnitude) in measured(f0_hz, 0.01).into_iter().enumerate() {
                let off_db = 20.0 * (magnitude / 0.01).log10();
                assert!(off_db.abs() < 4.0, "{f0_hz:?} Hz, band {band}: {off_db} dB off");
            }
        }
    }

    #[test]
    fn a_note_without_noise_has_little_and_silence_has_none() {
        let heard = measured(Some(440.0), 0.0);
        assert!(heard.iter().all(|magnitude| *magnitude < 4e-4), "{heard:?}");
        for f0_hz in [None, Some(1e-3), Some(16.0), Some(440.0), Some(1e6)] {
            assert_eq!(NoiseMeter::default().measure(&[0.0; FRAME_SIZE], f0_hz), [0.0; N_HEARD_BANDS]);
        }
    }

    #[test]
    fn the_bands_end_below_the_cutoff_of_the_resamplers() {
        let edges = noise_band_edges_hz();
        assert!(edges[N_HEARD_BANDS] < HEARD_MAX_HZ);
        assert!(edges[N_HEARD_BANDS + 1] > HEARD_MAX_HZ);
    }
}
