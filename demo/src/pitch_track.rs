//! An independent pitch tracker: it judges the demo's audio and shares nothing with our network.
//!
//! YIN: de Cheveigné and Kawahara 2002, "YIN, a fundamental frequency estimator for speech and music".

use realfft::{RealFftPlanner, num_complex::Complex};

/// Lowest f0, Hz.
pub const F0_MIN_HZ: f64 = 50.0;
/// Highest f0, Hz; above a whistle.
pub const F0_MAX_HZ: f64 = 4200.0;
/// Seconds between estimates.
pub const HOP_SECONDS: f64 = 0.01;
/// Largest aperiodicity (normalised difference) that counts as a pitch. A whistle contains breath noise, so it is not
/// small.
const MAX_APERIODICITY: f64 = 0.2;
/// The chosen period may exceed the least aperiodicity by this much. The article uses one threshold (0.1) for this and
/// for the detection of pitch. With two thresholds, noise loses no frames, and a strong second harmonic causes no
/// octave errors.
const TOLERANCE: f64 = 0.08;
/// Frames this far below the loudest one have no pitch, dB.
const GATE_DB: f64 = -45.0;
/// Length of the comparison window, in periods of the lowest f0.
const WINDOW_PERIODS: f64 = 1.25;

/// f0 in Hz every [`HOP_SECONDS`]; `None` where there is no pitch. Estimate `i` belongs to the time `i * HOP_SECONDS`,
/// the centre of its window.
pub fn track(samples: &[f32], rate: f64) -> Vec<Option<f64>> {
    let mut yin = Yin::new(rate);
    let n_frames = (samples.len() as f64 / rate / HOP_SECONDS).ceil() as usize;
    let centre = |frame: usize| (frame as f64 * HOP_SECONDS * rate).round() as isize;
    let levels: Vec<f64> = (0..n_frames).map(|frame| yin.load(samples, centre(frame))).collect();
    let gate = levels.iter().fold(0.0, |a, b| f64::max(a, *b)) * 10.0_f64.powf(GATE_DB / 20.0);
    (0..n_frames)
        .map(|frame| {
            if levels[frame] <= gate {
                return None;
            }
            yin.load(samples, centre(frame));
            yin.estimate()
        })
        .collect()
}

struct Yin {
    rate: f64,
    /// Number of samples that are compared with their shifted copy.
    window: usize,
    max_lag: usize,
    /// `[window + max_lag]` samples around the present time, without their mean.
    frame: Vec<f64>,
    fft: std::sync::Arc<dyn realfft::RealToComplex<f64>>,
    inverse_fft: std::sync::Arc<dyn realfft::ComplexToReal<f64>>,
}

impl Yin {
    fn new(rate: f64) -> Self {
        let window = (rate / F0_MIN_HZ * WINDOW_PERIODS).ceil() as usize;
        let max_lag = (rate / F0_MIN_HZ).ceil() as usize + 1;
        // Long enough to avoid wrap-around of the circular correlation.
        let size = (2 * window + max_lag).next_power_of_two();
        let mut planner = RealFftPlanner::new();
        Self {
            rate,
            window,
            max_lag,
            frame: vec![0.0; window + max_lag],
            fft: planner.plan_fft_forward(size),
            inverse_fft: planner.plan_fft_inverse(size),
        }
    }

    /// Loads the samples around `centre`, with silence outside the clip. Returns their level (RMS).
    fn load(&mut self, samples: &[f32], centre: isize) -> f64 {
        let start = centre - (self.frame.len() / 2) as isize;
        for (offset, value) in self.frame.iter_mut().enumerate() {
            let position = start + offset as isize;
            *value = usize::try_from(position).ok().and_then(|p| samples.get(p)).map_or(0.0, |s| f64::from(*s));
        }
        let mean = self.frame.iter().sum::<f64>() / self.frame.len() as f64;
        self.frame.iter_mut().for_each(|value| *value -= mean);
        (self.frame.iter().map(|v| v * v).sum::<f64>() / self.frame.len() as f64).sqrt()
    }

    fn estimate(&self) -> Option<f64> {
        let difference = self.difference();
        let normalised = normalise(&difference);
        let min_lag = (self.rate / F0_MAX_HZ).floor().max(2.0) as usize;
        let least = normalised[min_lag..self.max_lag].iter().copied().fold(f64::INFINITY, f64::min);
        if least > MAX_APERIODICITY {
            return None;
        }
        // The first sufficiently deep minimum. Deeper ones at multiples of its lag are octaves too low.
        let mut lag = (min_lag..self.max_lag).find(|lag| normalised[*lag] <= least + TOLERANCE)?;
        while lag + 1 < self.max_lag && normalised[lag + 1] < normalised[lag] {
            lag += 1;
        }
        Some(self.rate / parabola_minimum(&difference, lag))
    }

    /// For each lag from 0 to `max_lag`: sum over the window of the squared difference to the shifted copy.
    fn difference(&self) -> Vec<f64> {
        let spectrum_of = |samples: &[f64]| {
            let mut padded = self.fft.make_input_vec();
            padded[..samples.len()].copy_from_slice(samples);
            let mut spectrum = self.fft.make_output_vec();
            self.fft.process(&mut padded, &mut spectrum).expect("buffers come from the plan");
            spectrum
        };
        let head = spectrum_of(&self.frame[..self.window]);
        let whole = spectrum_of(&self.frame);
        let mut product: Vec<Complex<f64>> = whole.iter().zip(&head).map(|(w, h)| w * h.conj()).collect();
        let mut correlation = self.inverse_fft.make_output_vec();
        self.inverse_fft.process(&mut product, &mut correlation).expect("buffers come from the plan");
        let scale = 1.0 / correlation.len() as f64;

        let head_energy: f64 = self.frame[..self.window].iter().map(|v| v * v).sum();
        let mut shifted_energy = head_energy;
        (0..=self.max_lag)
            .map(|lag| {
                if lag > 0 {
                    shifted_energy += self.frame.get(lag + self.window - 1).map_or(0.0, |v| v * v);
                    shifted_energy -= self.frame[lag - 1].powi(2);
                }
                (head_energy + shifted_energy - 2.0 * correlation[lag] * scale).max(0.0)
            })
            .collect()
    }
}

/// Each value divided by the mean of the values up to it; 1 at lag 0 (YIN's cumulative mean).
fn normalise(difference: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut normalised = vec![1.0; difference.len()];
    for lag in 1..difference.len() {
        sum += difference[lag];
        if sum > 0.0 {
            normalised[lag] = difference[lag] * lag as f64 / sum;
        }
    }
    normalised
}

/// Position of the minimum of a parabola through the value at `index` and its neighbours.
fn parabola_minimum(values: &[f64], index: usize) -> f64 {
    let (before, here, after) = (values[index - 1], values[index], values[index + 1]);
    let curvature = before - 2.0 * here + after;
    let offset = if curvature > 0.0 { 0.5 * (before - after) / curvature } else { 0.0 };
    index as f64 + offset.clamp(-1.0, 1.0)
}

/// Interval from `reference_hz` to `f0_hz`, cents.
pub fn cents(f0_hz: f64, reference_hz: f64) -> f64 {
    1200.0 * (f0_hz / reference_hz).log2()
}

/// Name of the nearest note in equal temperament, such as `C#6`.
pub fn note_name(f0_hz: f64) -> String {
    const NAMES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
    let midi = (69.0 + 12.0 * (f0_hz / 440.0).log2()).round() as i32;
    format!("{}{}", NAMES[midi.rem_euclid(12) as usize], midi.div_euclid(12) - 1)
}

/// The 5th and 95th percentile of f0, Hz.
pub fn range_hz(track: &[Option<f64>]) -> Option<[f64; 2]> {
    let mut found: Vec<f64> = track.iter().flatten().copied().collect();
    found.sort_by(f64::total_cmp);
    let at = |share: f64| found[((found.len() - 1) as f64 * share).round() as usize];
    (!found.is_empty()).then(|| [at(0.05), at(0.95)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn tone(f0_hz: f64, rate: f64, harmonics: &[f64]) -> Vec<f32> {
        let n_samples = (rate * 0.5) as usize;
        (0..n_samples)
            .map(|i| {
                let phase = TAU * f0_hz * i as f64 / rate;
                let sum: f64 = harmonics.iter().enumerate().map(|(k, a)| a * (phase * (k + 1) as f64).sin()).sum();
                (0.2 * sum) as f32
            })
            .collect()
    }

    #[test]
    fn finds_known_tones() {
        // Sines, and a tone whose second harmonic is five times its fundamental: trackers tend to report its octave.
        for rate in [44_100.0, 48_000.0] {
            for f0_hz in [55.0, 82.41, 110.0, 220.0, 440.0, 1000.0, 1234.5, 2093.0, 3000.0, 4000.0] {
                for harmonics in [&[1.0][..], &[0.2, 1.0, 0.3]] {
                    let track = track(&tone(f0_hz, rate, harmonics), rate);
                    for f0 in &track[6..track.len() - 6] {
                        let f0 = f0.unwrap_or_else(|| panic!("no pitch at {f0_hz} Hz, {rate}, {harmonics:?}"));
                        let error = cents(f0, f0_hz);
                        assert!(error.abs() < 8.0, "{error} cents at {f0_hz} Hz, {rate}, {harmonics:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn silence_and_noise_have_no_pitch() {
        use rand::{RngExt, SeedableRng};
        assert!(track(&[0.0; 48_000], 48_000.0).iter().all(Option::is_none));
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let noise: Vec<f32> = (0..48_000).map(|_| random.random_range(-0.5..0.5)).collect();
        let found = track(&noise, 48_000.0).iter().flatten().count();
        assert_eq!(found, 0, "pitch in white noise");
        assert!(track(&[], 48_000.0).is_empty());
    }

    #[test]
    fn estimates_are_for_the_time_they_claim() {
        // 300 Hz until 0.5 s, then 600 Hz.
        let mut samples = tone(300.0, 48_000.0, &[1.0]);
        samples.extend(tone(600.0, 48_000.0, &[1.0]));
        let track = track(&samples, 48_000.0);
        assert!(cents(track[46].unwrap(), 300.0).abs() < 10.0);
        assert!(cents(track[54].unwrap(), 600.0).abs() < 10.0);
    }

    #[test]
    fn names_notes() {
        assert_eq!(note_name(440.0), "A4");
        assert_eq!(note_name(261.63), "C4");
        assert_eq!(note_name(1108.7), "C#6");
        assert_eq!(note_name(61.7), "B1");
    }

    #[test]
    fn range_ignores_outliers() {
        let mut track: Vec<Option<f64>> = vec![Some(500.0); 96];
        track.extend([None, Some(60.0), Some(4000.0)]);
        assert_eq!(range_hz(&track), Some([500.0, 500.0]));
        assert_eq!(range_hz(&[None]), None);
    }
}
