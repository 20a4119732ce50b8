//! Noise between the harmonics, in the bands of the noise filter. The runtime's
//! [`NoiseMeter`](embouchure_inference::hear::NoiseMeter) has another rule, because its input is at 16 kHz and ends
//! now.

use super::FRAME_RATE;
use embouchure_inference::config::{N_NOISE_BANDS, REFERENCE_RATE};
use embouchure_inference::controls::noise_band_edges_hz;
use embouchure_inference::hear::is_between_harmonics;
use embouchure_inference::math::window::hann;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Ratio of mean to median of an exponential distribution, which is that of the power of a noise bin.
const MEAN_OF_MEDIAN: f32 = std::f32::consts::LOG2_E;
/// Gain of a band in which nothing was measured.
const SILENT: f32 = 1e-7;

/// Noise magnitudes at the end of every hop, linear, as in `Controls`. `samples`: at [`REFERENCE_RATE`]. `f0_hz`: per
/// hop, 0 = no pitch.
pub fn noise_bands(samples: &[f32], f0_hz: &[f32]) -> Vec<[f32; N_NOISE_BANDS]> {
    let mut planner = RealFftPlanner::new();
    // About eight periods, so that bins lie between the harmonics.
    let (mut short, mut long) = (Spectrum::new(2048, &mut planner), Spectrum::new(4096, &mut planner));
    let hop = REFERENCE_RATE as usize / FRAME_RATE;
    let frame = |(h, f0): (usize, &f32)| {
        let spectrum = if *f0 > 0.0 && *f0 < 190.0 { &mut long } else { &mut short };
        spectrum.noise(samples, (h + 1) * hop, *f0)
    };
    f0_hz.iter().enumerate().map(frame).collect()
}

struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    edges_hz: [f32; N_NOISE_BANDS + 1],
}

impl Spectrum {
    fn new(size: usize, planner: &mut RealFftPlanner<f32>) -> Self {
        Self { fft: planner.plan_fft_forward(size), window: hann(size), edges_hz: noise_band_edges_hz() }
    }

    fn noise(&mut self, samples: &[f32], centre: usize, f0_hz: f32) -> [f32; N_NOISE_BANDS] {
        let size = self.window.len();
        let at = |i: usize| (centre + i).checked_sub(size / 2).and_then(|i| samples.get(i)).copied().unwrap_or(0.0);
        let mut frame: Vec<f32> = self.window.iter().enumerate().map(|(i, w)| w * at(i)).collect();
        let mut bins = self.fft.make_output_vec();
        self.fft.process(&mut frame, &mut bins).expect("buffers have the plan's sizes");
        let of_white: f32 = self.window.iter().map(|w| w * w).sum();
        let bin_hz = REFERENCE_RATE as f32 / size as f32;
        let measured: Vec<Option<f32>> = (0..N_NOISE_BANDS)
            .map(|band| {
                let (low, high) = (self.edges_hz[band] / bin_hz, self.edges_hz[band + 1] / bin_hz);
                // Narrow bands also use bins of their neighbours.
                let reach = (f0_hz / bin_hz).max(high - low) / 2.0;
                let middle = (low + high) / 2.0;
                let range = (middle - reach).max(1.0) as usize..((middle + reach) as usize + 1).min(bins.len());
                let clear = |bin: &usize| f0_hz <= 0.0 || is_between_harmonics(*bin as f32 * bin_hz, f0_hz);
                let mut powers: Vec<f32> = range.filter(clear).map(|bin| bins[bin].norm_sqr() / of_white).collect();
                powers.sort_by(f32::total_cmp);
                powers.get(powers.len() / 2).map(|median| (median * MEAN_OF_MEDIAN).sqrt())
            })
            .collect();
        std::array::from_fn(|band| nearest(&measured, band).unwrap_or(SILENT).max(SILENT))
    }
}

fn nearest(measured: &[Option<f32>], band: usize) -> Option<f32> {
    let distance = |i: &usize| i.abs_diff(band);
    (0..measured.len()).filter(|i| measured[*i].is_some()).min_by_key(distance).and_then(|i| measured[i])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{generator, normal_noise};

    #[test]
    fn hears_the_noise_behind_a_loud_tone() {
        let noise = normal_noise(&mut generator(2, 2), 48_000);
        let tone = |i: usize| (1..20).map(|k| (0.0575959 * (i * k) as f32).sin()).sum::<f32>();
        let x: Vec<f32> = noise.iter().enumerate().map(|(i, n)| 0.01 * n + 0.3 * tone(i)).collect();
        let frames = noise_bands(&x, &[440.0; 250]);
        for band in 0..N_NOISE_BANDS {
            let mean = frames[20..230].iter().map(|f| f[band].ln()).sum::<f32>() / 210.0;
            let db = 20.0 * (mean.exp() / 0.01).log10();
            assert!(db.abs() < 3.0, "band {band} is off by {db} dB");
        }
    }
}
