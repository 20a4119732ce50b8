//! A decoder's raw outputs to valid controls: DDSP's split between what a network says and what a synth is asked for
//! (Engel et al. 2020, arXiv:2001.04643).

use super::Controls;
use crate::config::{N_HARMONICS, N_NOISE_BANDS, N_RAW, NOISE_MAX_HZ};
use crate::math::{exp, ln, map, sum};
use multiversion::multiversion;

/// Added to the noise outputs, so that the noise of an untrained decoder is soft.
pub const NOISE_BIAS: f32 = -5.0;

/// `2 · sigmoid(x)^ln 10 + 1e-7`: positive, and about linear in dB below 0 (DDSP's scaling).
#[inline]
pub fn exp_sigmoid(x: f32) -> f32 {
    2.0 * exp(-std::f32::consts::LN_10 * ln(1.0 + exp(-x))) + 1e-7
}

impl Controls {
    /// Controls from raw outputs at `f0_hz` (> 0). `body_gains`: gains of an instrument's
    /// [`Body`](crate::play::body::Body) at the harmonics.
    ///
    /// Harmonics above 20 kHz are 0 at any host rate, so that a note has the same level everywhere; the synth handles
    /// the host's Nyquist frequency.
    pub fn from_raw(raw: &[f32; N_RAW], f0_hz: f32, body_gains: &[f32; N_HARMONICS]) -> Self {
        let mut harmonics = [0.0; N_HARMONICS];
        let n_audible = ((NOISE_MAX_HZ / f0_hz) as usize).clamp(1, N_HARMONICS);
        let weights = &mut harmonics[..n_audible];
        weights.copy_from_slice(&raw[1..=n_audible]);
        exp_sigmoid_all(weights);
        // The harmonics sum to the amplitude before the body's gains.
        let gain = exp_sigmoid(raw[0]) / sum(weights);
        weights.iter_mut().zip(body_gains).for_each(|(weight, body)| *weight *= gain * body);
        let mut noise: [f32; N_NOISE_BANDS] = std::array::from_fn(|band| raw[1 + N_HARMONICS + band] + NOISE_BIAS);
        exp_sigmoid_all(&mut noise);
        Self::new(f0_hz, harmonics, noise)
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn exp_sigmoid_all(values: &mut [f32]) {
    map(values, exp_sigmoid);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_sigmoid_is_what_the_formula_says() {
        for x in [-30.0f32, -14.9, -15.1, -3.0, 0.0, 2.0, 20.0] {
            let exact = 2.0 * (1.0 / (1.0 + (-x as f64).exp())).powf(std::f64::consts::LN_10) + 1e-7;
            assert!((exp_sigmoid(x) as f64 / exact - 1.0).abs() < 1e-3, "at {x}");
        }
    }

    #[test]
    fn raw_outputs_of_any_pitch_are_as_loud_as_the_first_of_them_says() {
        let raw: [f32; N_RAW] = std::array::from_fn(|i| (i as f32 * 1.7).sin() * 8.0);
        for f0_hz in [31.0, 440.0, 4999.0, 25_000.0] {
            let c = Controls::from_raw(&raw, f0_hz, &[1.0; N_HARMONICS]);
            assert!((c.amplitude() / exp_sigmoid(raw[0]) - 1.0).abs() < 1e-4);
            let above = (20_000.0 / f0_hz) as usize;
            assert!(c.harmonic_amplitudes()[above.clamp(1, 100)..].iter().all(|a| *a == 0.0));
            assert!(c.noise_magnitudes().iter().all(|m| *m > 0.0));
        }
        let body = std::array::from_fn(|k| if k == 0 { 2.0 } else { 1.0 });
        let [flat, shaped] = [[1.0; N_HARMONICS], body].map(|body| Controls::from_raw(&raw, 440.0, &body));
        assert_eq!(shaped.harmonic_amplitudes()[0], 2.0 * flat.harmonic_amplitudes()[0]);
        assert_eq!(shaped.harmonic_amplitudes()[1..], flat.harmonic_amplitudes()[1..]);
    }
}
