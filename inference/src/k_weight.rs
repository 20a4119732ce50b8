//! K-weighted power (ITU-R BS.1770) of samples, and of controls before they are rendered.

use crate::biquad::Biquad;
use crate::config::{HOP_SIZE, MODEL_RATE, N_NOISE_BANDS, NOISE_MAX_HZ};
use crate::controls::{Controls, noise_band_centres_hz, noise_band_edges_hz};
use std::f64::consts::{PI, TAU};
use std::sync::LazyLock;

/// The two stages of the K curve, a high shelf and a high pass: corner in Hz, quality, and gain of the shelf in dB. At
/// 48 kHz they give the coefficients of the standard.
const SHELF: (f64, f64, f64) = (1_681.974_450_955_533, 0.707_175_236_955_419_6, 3.999_843_853_973_347);
const HIGH_PASS: (f64, f64) = (38.135_470_876_024_44, 0.500_327_037_323_877_3);
/// Step of the table of weights, Hz.
const STEP_HZ: f32 = 20.0;
const N_STEPS: usize = (NOISE_MAX_HZ / STEP_HZ) as usize + 1;
/// Power gain of the K curve every [`STEP_HZ`] from 0 Hz on.
static WEIGHTS: LazyLock<[f32; N_STEPS]> = LazyLock::new(|| {
    let stages = [shelf(48_000.0), high_pass(48_000.0)];
    std::array::from_fn(|i| {
        stages.iter().map(|stage| power_gain(stage, f64::from(STEP_HZ) * i as f64, 48_000.0)).product::<f64>() as f32
    })
});
/// Weighted power of each noise band at magnitude 1.
static NOISE_WEIGHTS: LazyLock<[f32; N_NOISE_BANDS]> = LazyLock::new(|| {
    let (edges, centres) = (noise_band_edges_hz(), noise_band_centres_hz());
    std::array::from_fn(|band| (edges[band + 1] - edges[band]) / 24_000.0 * weight(centres[band]))
});

/// Power gain at `hz` (≥ 0).
fn weight(hz: f32) -> f32 {
    WEIGHTS[((hz / STEP_HZ + 0.5) as usize).min(N_STEPS - 1)]
}

/// Weighted mean square of the sound of `controls`, without the room. Realtime-safe after the first call.
pub fn power_of(controls: &Controls) -> f32 {
    let mut harmonics = 0.0;
    for (k, amplitude) in controls.harmonic_amplitudes().iter().enumerate() {
        harmonics += 0.5 * amplitude * amplitude * weight((k + 1) as f32 * controls.f0_hz());
    }
    let noise = controls.noise_magnitudes().iter().zip(&*NOISE_WEIGHTS).map(|(m, weight)| m * m * weight).sum::<f32>();
    harmonics + noise
}

/// Measures the weighted power of a stream at the model rate. Realtime-safe.
#[derive(Clone, Debug)]
pub struct KMeter {
    stages: [Biquad; 2],
}

impl Default for KMeter {
    fn default() -> Self {
        Self { stages: [shelf(f64::from(MODEL_RATE)), high_pass(f64::from(MODEL_RATE))] }
    }
}

impl KMeter {
    /// Weighted mean square of one hop.
    pub fn hop(&mut self, samples: &[f32; HOP_SIZE]) -> f32 {
        let mut sum = 0.0;
        for x in samples {
            let y = self.stages.iter_mut().fold(f64::from(*x), |x, stage| stage.next(x));
            sum += y * y;
        }
        self.stages.iter_mut().for_each(Biquad::end_tail);
        (sum / HOP_SIZE as f64) as f32
    }
}

fn shelf(rate: f64) -> Biquad {
    let (hz, quality, gain_db) = SHELF;
    let k = (PI * hz / rate).tan();
    let high = 10f64.powf(gain_db / 20.0);
    let band = high.powf(0.499_666_774_154_541_6);
    let a0 = 1.0 + k / quality + k * k;
    let b = [high + band * k / quality + k * k, 2.0 * (k * k - high), high - band * k / quality + k * k];
    Biquad::new(b.map(|b| b / a0), [2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0])
}

fn high_pass(rate: f64) -> Biquad {
    let (hz, quality) = HIGH_PASS;
    let k = (PI * hz / rate).tan();
    let a0 = 1.0 + k / quality + k * k;
    Biquad::new([1.0, -2.0, 1.0], [2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0])
}

fn power_gain(stage: &Biquad, hz: f64, rate: f64) -> f64 {
    let turn = TAU * hz / rate;
    let power = |c0: f64, c1: f64, c2: f64| {
        let real = c0 + c1 * turn.cos() + c2 * (2.0 * turn).cos();
        let imaginary = c1 * turn.sin() + c2 * (2.0 * turn).sin();
        real * real + imaginary * imaginary
    };
    power(stage.b[0], stage.b[1], stage.b[2]) / power(1.0, stage.a[0], stage.a[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::render_clip;

    #[test]
    fn the_standards_coefficients_at_48_khz() {
        let (shelf, high_pass) = (shelf(48_000.0), high_pass(48_000.0));
        let expected = [1.535_124_859_586_97, -2.691_696_189_406_38, 1.198_392_810_852_85];
        assert!(shelf.b.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{shelf:?}");
        assert!(
            (high_pass.a[0] + 1.990_047_454_833_98).abs() < 1e-9
                && (high_pass.a[1] - 0.990_072_250_366_21).abs() < 1e-9
        );
    }

    #[test]
    fn power_of_controls_is_that_of_their_sound() {
        let noise = std::array::from_fn(|band| if (5..30).contains(&band) { 0.02 } else { 0.0 });
        let controls = Controls::tone(310.0, &[0.3 / 8.0; 8]).with_noise(noise);
        let samples = render_clip(&[controls; 250], f64::from(MODEL_RATE), 0.0);
        let mut meter = KMeter::default();
        let powers: Vec<f32> = samples.as_chunks::<HOP_SIZE>().0.iter().map(|hop| meter.hop(hop)).collect();
        let mean = powers[50..].iter().sum::<f32>() / 200.0;
        assert!((10.0 * (mean / power_of(&controls)).log10()).abs() < 0.7, "{mean} {}", power_of(&controls));
    }
}
