//! The source's noise: what sounds between its harmonics, or all that sounds where there is no note.
//!
//! The training measures the noise of recordings by another rule (`training/src/analysis/noise.rs`): it has the sound at
//! 48 kHz and on both sides of a frame, and windows as long as it likes. The two share what counts as between.

use crate::config::{FRAME_SIZE, MODEL_RATE, N_NOISE_BANDS, REFERENCE_RATE};
use crate::controls::noise_band_edges_hz;
use crate::math::window::hann;
use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};
use std::ops::Range;
use std::sync::Arc;

/// Noise bands that lie below what the resamplers take away, the lowest first.
pub const N_HEARD_BANDS: usize = 46;
/// Windows, samples: 16 to 64 ms.
const WINDOWS: [usize; 3] = [256, 512, FRAME_SIZE];
/// Periods under the window, as far as there is such a window: half as many let what a Hann window spreads of the harmonics
/// count as noise.
const PERIODS: f32 = 16.0;
/// Window where there is no note, samples: consonants are short.
const UNPITCHED_WINDOW: f32 = 512.0;
/// Bins nearer to a harmonic than this share of f0 are not noise.
const CLEARANCE: f32 = 0.33;
/// Bins that a band is judged by at least, if need be its neighbours'.
const LEAST_BINS: usize = 9;
/// Share of a band's bins that are softer than the one that speaks for it. Between harmonics the louder ones are theirs.
const QUANTILE: (f32, f32) = (0.2, 0.5);
/// White noise that is as dense at the reference rate has this many times the power that it has at the model rate.
const DENSITY: f32 = REFERENCE_RATE as f32 / MODEL_RATE as f32;
/// Softer is silence, linear: -120 dB.
const SILENT: f32 = 1e-6;

/// Noise of a source in the lowest noise bands, as in [`Controls`](crate::controls::Controls).
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
    /// Of the newest samples of `frame`, at the model rate. `f0_hz`: of the note that sounds, if one does, > 0.
    pub fn measure(&mut self, frame: &[f32; FRAME_SIZE], f0_hz: Option<f32>) -> SourceNoise {
        let wanted = f0_hz.map_or(UNPITCHED_WINDOW, |f0_hz| PERIODS * MODEL_RATE as f32 / f0_hz);
        let long_enough = WINDOWS.iter().position(|size| *size as f32 >= wanted);
        let spectrum = &mut self.spectra[long_enough.unwrap_or(WINDOWS.len() - 1)];
        spectrum.take(frame);
        std::array::from_fn(|band| {
            let magnitude = spectrum.magnitude(self.edges_hz[band]..self.edges_hz[band + 1], f0_hz);
            if magnitude > SILENT { magnitude } else { 0.0 }
        })
    }
}

/// True if `hz` is far enough from every harmonic of `f0_hz` (> 0) for what sounds there to count as noise.
pub fn is_between_harmonics(hz: f32, f0_hz: f32) -> bool {
    let harmonic = hz / f0_hz;
    (harmonic - harmonic.round()).abs() > CLEARANCE
}

/// One length of window.
struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    frame: Vec<f32>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// Of each bin, as the variance of white noise at 48 kHz that is as dense.
    powers: Vec<f32>,
    /// Those of one band.
    of_band: Vec<f32>,
    scale: f32,
}

impl Spectrum {
    fn new(size: usize, planner: &mut RealFftPlanner<f32>) -> Self {
        let fft = planner.plan_fft_forward(size);
        let window = hann(size);
        let of_white: f32 = window.iter().map(|w| w * w).sum();
        Self {
            frame: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            powers: vec![0.0; size / 2 + 1],
            of_band: Vec::with_capacity(size / 2 + 1),
            scale: DENSITY / of_white,
            window,
            fft,
        }
    }

    fn take(&mut self, frame: &[f32; FRAME_SIZE]) {
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

    /// Gain of white noise that is as loud as the band between `edges_hz`.
    fn magnitude(&mut self, edges_hz: Range<f32>, f0_hz: Option<f32>) -> f32 {
        let bin_hz = MODEL_RATE as f32 / self.window.len() as f32;
        let is_clear = |bin: &usize| f0_hz.is_none_or(|f0_hz| is_between_harmonics(*bin as f32 * bin_hz, f0_hz));
        let nyquist = self.powers.len() - 1;
        // Without the mean, which is no sound.
        let (mut first, mut end) = ((edges_hz.start / bin_hz).max(1.0) as usize, (edges_hz.end / bin_hz) as usize);
        while (first..end).filter(is_clear).count() < LEAST_BINS && (first > 1 || end < nyquist) {
            (first, end) = (first.max(2) - 1, (end + 1).min(nyquist));
        }
        self.of_band.clear();
        self.of_band.extend((first..end).filter(is_clear).map(|bin| self.powers[bin]));
        if self.of_band.is_empty() {
            return 0.0;
        }
        let share = if f0_hz.is_some() { QUANTILE.0 } else { QUANTILE.1 };
        let place = (share * self.of_band.len() as f32) as usize;
        let (_, power, _) = self.of_band.select_nth_unstable_by(place, f32::total_cmp);
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

    /// Mean magnitude of each band over many frames of `harmonics` at `f0_hz` and noise with a gain of 0.01 at 48 kHz.
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
    fn noise_is_as_loud_as_it_is_behind_any_note() {
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
    fn the_bands_end_where_the_resamplers_begin() {
        let edges = noise_band_edges_hz();
        assert!(edges[N_HEARD_BANDS] < HEARD_MAX_HZ);
        assert!(edges[N_HEARD_BANDS + 1] > HEARD_MAX_HZ);
    }
}
