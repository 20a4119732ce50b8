//! Brightness: a tilt over the harmonics that keeps their power.

use super::harmonic::edge_gain;
use crate::config::N_HARMONICS;
use crate::controls::Controls;

/// Steepest tilt, dB per octave: 100 harmonics then span 160 dB.
const MAX_TILT_DB: f32 = 24.0;
/// Amplitudes below this (-180 dB) are silence; keeps denormals out of the bank.
const MIN_AMPLITUDE: f32 = 1e-9;

/// Linear amplitude of each harmonic of `controls`.
///
/// `brightness_db`: tilt above the fundamental, dB per octave; 0 changes nothing. The amplitudes are rescaled so that
/// the power of the harmonics below `limit_hz` does not change. Realtime-safe.
pub fn harmonic_amplitudes(controls: &Controls, brightness_db: f32, limit_hz: f32) -> [f32; N_HARMONICS] {
    let mut amplitudes = *controls.harmonic_amplitudes();
    if brightness_db.is_finite() && brightness_db != 0.0 {
        let before = power(&amplitudes, controls.f0_hz(), limit_hz);
        // gain_k = 10^(tilt · log2(k) / 20) = k^exponent
        let exponent = brightness_db.clamp(-MAX_TILT_DB, MAX_TILT_DB) * std::f32::consts::LOG2_10 / 20.0;
        for (k, a) in (1..).zip(&mut amplitudes) {
            *a *= (k as f32).powf(exponent);
        }
        let after = power(&amplitudes, controls.f0_hz(), limit_hz);
        let scale = if after > 0.0 { (before / after).sqrt() } else { 1.0 };
        amplitudes = amplitudes.map(|a| a * scale);
    }
    amplitudes.map(|a| if a < MIN_AMPLITUDE { 0.0 } else { a })
}

fn power(amplitudes: &[f32; N_HARMONICS], f0_hz: f32, limit_hz: f32) -> f32 {
    (1..).zip(amplitudes).map(|(k, a)| (a * edge_gain(k as f32 * f0_hz, limit_hz)).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saw(f0_hz: f32) -> Controls {
        let sum: f32 = (1..=N_HARMONICS).map(|k| 1.0 / k as f32).sum();
        let harmonics: Vec<f32> = (1..=N_HARMONICS).map(|k| 0.5 / (k as f32 * sum)).collect();
        Controls::tone(f0_hz, &harmonics)
    }

    #[test]
    fn level_is_kept_and_the_tilt_is_as_asked() {
        for f0_hz in [110.0, 700.0, 3000.0] {
            let plain = harmonic_amplitudes(&saw(f0_hz), 0.0, 20_000.0);
            for tilt in [-12.0, -3.0, 6.0, 12.0] {
                let tilted = harmonic_amplitudes(&saw(f0_hz), tilt, 20_000.0);
                let level = power(&tilted, f0_hz, 20_000.0) / power(&plain, f0_hz, 20_000.0);
                assert!((level - 1.0).abs() < 1e-4, "{f0_hz} Hz, {tilt} dB: {level}");
                let octave = 20.0 * ((tilted[3] / tilted[1]) / (plain[3] / plain[1])).log10();
                assert!((octave - tilt).abs() < 0.01, "{octave} dB instead of {tilt}");
            }
        }
    }

    #[test]
    fn silence_stays_silence_and_nonsense_is_ignored() {
        assert_eq!(harmonic_amplitudes(&Controls::SILENT, 6.0, 20_000.0), [0.0; N_HARMONICS]);
        let plain = harmonic_amplitudes(&saw(220.0), 0.0, 20_000.0);
        assert_eq!(harmonic_amplitudes(&saw(220.0), f32::NAN, 20_000.0), plain);
    }
}
