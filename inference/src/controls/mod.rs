//! Synth controls of one frame: valid, physical values.

mod from_raw;
mod noise_bands;
mod room;

pub use from_raw::{NOISE_BIAS, exp_sigmoid};
pub use noise_bands::{band_to_hz, hz_to_band, hz_to_mel, noise_band_centres_hz, noise_band_edges_hz};
pub use room::{CROSSOVERS_HZ, LN_60_DB, N_BANDS as N_ROOM_BANDS, Room};

use crate::config::{N_HARMONICS, N_NOISE_BANDS};

/// Largest amplitude: 60 dB over full scale. Keeps the output finite for any model.
const MAX_AMPLITUDE: f32 = 1000.0;
/// Lowest and highest fundamental, Hz.
const F0_RANGE_HZ: (f32, f32) = (1.0, 20_000.0);
/// Lowest amplitude of an interpolation in dB: -140 dB. A harmonic that only one end has comes from there.
const SOFTEST: f32 = 1e-7;

/// Synth controls at one instant. Plain data, copied between threads. Always valid: no method leaves a value that is
/// not finite or out of range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    f0_hz: f32,
    harmonic_amplitudes: [f32; N_HARMONICS],
    noise_magnitudes: [f32; N_NOISE_BANDS],
}

impl Controls {
    /// Exact silence.
    pub const SILENT: Self =
        Self { f0_hz: 440.0, harmonic_amplitudes: [0.0; N_HARMONICS], noise_magnitudes: [0.0; N_NOISE_BANDS] };

    /// Controls from a model's values. Invalid ones are replaced: a pitch that is not finite by 440 Hz, an amplitude
    /// that is NaN or negative by 0, an amplitude that is too large by the largest.
    pub fn new(f0_hz: f32, harmonic_amplitudes: [f32; N_HARMONICS], noise_magnitudes: [f32; N_NOISE_BANDS]) -> Self {
        let (harmonic_amplitudes, noise_magnitudes) =
            (harmonic_amplitudes.map(valid_amplitude), noise_magnitudes.map(valid_amplitude));
        Self { f0_hz: valid_f0_hz(f0_hz), harmonic_amplitudes, noise_magnitudes }
    }

    /// Harmonics without noise, validated like [`new`](Self::new).
    pub fn tone(f0_hz: f32, harmonic_amplitudes: &[f32]) -> Self {
        let mut amplitudes = [0.0; N_HARMONICS];
        amplitudes.iter_mut().zip(harmonic_amplitudes).for_each(|(to, from)| *to = *from);
        Self::new(f0_hz, amplitudes, [0.0; N_NOISE_BANDS])
    }

    /// Fundamental, Hz, 1 to 20 000 (kept at the last voiced value while the gate is shut).
    pub fn f0_hz(&self) -> f32 {
        self.f0_hz
    }

    /// Linear amplitudes of harmonics 1, 2, …, ≥ 0.
    pub fn harmonic_amplitudes(&self) -> &[f32; N_HARMONICS] {
        &self.harmonic_amplitudes
    }

    /// Linear gain of white noise of unit variance at 48 kHz in each band, ≥ 0. The density per Hz is what counts: at
    /// another host rate the same value gives the same density.
    pub fn noise_magnitudes(&self) -> &[f32; N_NOISE_BANDS] {
        &self.noise_magnitudes
    }

    /// Overall linear amplitude of the harmonics: their sum.
    pub fn amplitude(&self) -> f32 {
        crate::math::sum(&self.harmonic_amplitudes)
    }

    /// True if harmonics sound.
    pub fn is_tonal(&self) -> bool {
        self.harmonic_amplitudes.iter().any(|a| *a > 0.0)
    }

    /// True if rendering these controls gives exact zeros.
    pub fn is_silent(&self) -> bool {
        !self.is_tonal() && self.noise_magnitudes.iter().all(|m| *m == 0.0)
    }

    /// At another pitch.
    pub fn with_f0_hz(self, f0_hz: f32) -> Self {
        Self { f0_hz: valid_f0_hz(f0_hz), ..self }
    }

    /// With other noise.
    pub fn with_noise(self, noise_magnitudes: [f32; N_NOISE_BANDS]) -> Self {
        Self { noise_magnitudes: noise_magnitudes.map(valid_amplitude), ..self }
    }

    /// With each harmonic (counted from 0) as `shape` makes it of what it was.
    pub fn with_harmonics(self, mut shape: impl FnMut(usize, f32) -> f32) -> Self {
        let harmonic_amplitudes = std::array::from_fn(|k| valid_amplitude(shape(k, self.harmonic_amplitudes[k])));
        Self { harmonic_amplitudes, ..self }
    }

    /// Harmonics times `gain`, noise times `noise_gain`, both linear.
    pub fn scaled(self, gain: f32, noise_gain: f32) -> Self {
        Self {
            f0_hz: self.f0_hz,
            harmonic_amplitudes: self.harmonic_amplitudes.map(|a| valid_amplitude(a * gain)),
            noise_magnitudes: self.noise_magnitudes.map(|m| valid_amplitude(m * noise_gain)),
        }
    }

    /// `share` (0 to 1) of the way to `other` in straight lines; the pitch stays.
    pub fn lerp(&self, other: &Self, share: f32) -> Self {
        self.combined(other, |a, b| a + (b - a) * share)
    }

    /// `share` of the way to `other` in dB, so that a morph sounds even. This holds for each harmonic and noise band,
    /// and for the sum of the harmonics, which would otherwise be below both ends. The pitch stays. 0 and NaN give
    /// exactly `self`, 1 exactly `other`.
    pub fn lerp_db(&self, other: &Self, share: f32) -> Self {
        if share >= 1.0 {
            return other.with_f0_hz(self.f0_hz);
        }
        if share.is_nan() || share <= 0.0 || self == other {
            return *self;
        }
        // A product of powers is a straight line between levels in dB.
        let way = |a: f32, b: f32| a.max(SOFTEST).powf(1.0 - share) * b.max(SOFTEST).powf(share);
        let audible = |x: f32| if x <= SOFTEST { 0.0 } else { x };
        let mixed = self.combined(other, |a, b| audible(way(a, b)));
        let (wanted, got) = (audible(way(self.amplitude(), other.amplitude())), mixed.amplitude());
        if got > 0.0 { mixed.scaled(wanted / got, 1.0) } else { mixed }
    }

    fn combined(&self, other: &Self, mix: impl Fn(f32, f32) -> f32) -> Self {
        let pair = |a: &f32, b: &f32| valid_amplitude(mix(*a, *b));
        Self {
            f0_hz: self.f0_hz,
            harmonic_amplitudes: std::array::from_fn(|k| {
                pair(&self.harmonic_amplitudes[k], &other.harmonic_amplitudes[k])
            }),
            noise_magnitudes: std::array::from_fn(|b| pair(&self.noise_magnitudes[b], &other.noise_magnitudes[b])),
        }
    }
}

#[inline(always)]
fn valid_amplitude(x: f32) -> f32 {
    // Comparisons rather than `clamp`, which lets what is no number pass.
    if x > 0.0 { if x < MAX_AMPLITUDE { x } else { MAX_AMPLITUDE } } else { 0.0 }
}

fn valid_f0_hz(hz: f32) -> f32 {
    if hz.is_finite() { hz.clamp(F0_RANGE_HZ.0, F0_RANGE_HZ.1) } else { 440.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controls(amplitude: f32, slope: f32, noise: f32) -> Controls {
        let shape: Vec<f32> = (1..=20).map(|k| (k as f32).powf(-slope)).collect();
        let sum: f32 = shape.iter().sum();
        let harmonics: Vec<f32> = shape.iter().map(|x| amplitude * x / sum).collect();
        Controls::tone(440.0, &harmonics).with_noise([noise; N_NOISE_BANDS])
    }

    #[test]
    fn nonsense_becomes_valid() {
        let mad = [f32::NAN, f32::INFINITY, -1.0, f32::NEG_INFINITY, f32::MAX, 0.5];
        let harmonics = std::array::from_fn(|k| mad[k % mad.len()]);
        let made = Controls::new(f32::NAN, harmonics, [f32::NAN; N_NOISE_BANDS]);
        assert_eq!(made.harmonic_amplitudes()[..6], [0.0, MAX_AMPLITUDE, 0.0, 0.0, MAX_AMPLITUDE, 0.5]);
        assert_eq!((made.f0_hz(), *made.noise_magnitudes()), (440.0, [0.0; N_NOISE_BANDS]));
        for f0_hz in [f32::INFINITY, -5.0, 1e9, 0.0] {
            assert!((1.0..=20_000.0).contains(&Controls::SILENT.with_f0_hz(f0_hz).f0_hz()));
        }
        let a = controls(0.5, 1.0, 0.1);
        for gain in mad {
            for made in
                [a.scaled(gain, gain), a.lerp(&made, gain), a.lerp_db(&made, gain), a.with_harmonics(|_, _| gain)]
            {
                let values = made.harmonic_amplitudes().iter().chain(made.noise_magnitudes());
                assert!(values.clone().all(|x| (0.0..=MAX_AMPLITUDE).contains(x)), "{gain}");
            }
        }
    }

    #[test]
    fn a_way_in_decibels_is_exact_at_its_ends_and_halfway_between() {
        let (a, b) = (controls(0.5, 1.0, 0.01), controls(0.05, 2.0, 0.0001));
        assert_eq!([a.lerp_db(&b, 0.0), a.lerp_db(&b, 1.0)], [a, b]);
        let half = a.lerp_db(&b, 0.5);
        assert!((half.amplitude() - (0.5f32 * 0.05).sqrt()).abs() < 1e-5);
        // Between slopes of 6 and 12 dB an octave.
        let fall = (half.harmonic_amplitudes()[1] / half.harmonic_amplitudes()[0]).log2();
        assert!((fall + 1.5).abs() < 1e-3, "{fall}");
        assert_eq!(half.harmonic_amplitudes()[20..], [0.0; N_HARMONICS - 20]);
        assert!((half.noise_magnitudes()[7] - 0.001).abs() < 1e-6);
        assert!(Controls::SILENT.lerp_db(&Controls::SILENT, 0.3).is_silent());
        assert_eq!([a.lerp_db(&b, f32::NAN), a.lerp_db(&b, -3.0)], [a, a]);
    }

    #[test]
    fn scaling_and_straight_ways() {
        let (a, b) = (controls(0.5, 1.0, 0.01), controls(0.1, 1.0, 0.05));
        let half = a.lerp(&b, 0.5);
        assert!((half.amplitude() - 0.3).abs() < 1e-5 && (half.noise_magnitudes()[3] - 0.03).abs() < 1e-6);
        let louder = a.scaled(0.5, 5.0);
        assert!((louder.amplitude() - 0.25).abs() < 1e-6 && (louder.noise_magnitudes()[3] - 0.05).abs() < 1e-6);
        assert_eq!(a.scaled(1.0, 1.0), a);
    }
}
