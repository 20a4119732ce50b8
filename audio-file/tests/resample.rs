//! Length, level, phase and rejection of the resampler, on tones and impulses.

use embouchure_audio_file::resample;
use std::f64::consts::TAU;

const RATES: [(u32, u32); 7] = [
    (44_100, 48_000),
    (48_000, 16_000),
    (40_698, 48_000),
    (44_100, 16_000),
    (96_000, 44_100),
    (16_000, 48_000),
    (48_000, 47_999),
];

fn sine(f0_hz: f64, rate: u32, n_samples: usize) -> Vec<f32> {
    (0..n_samples).map(|i| (0.5 * (TAU * f0_hz * i as f64 / f64::from(rate) + 0.3).sin()) as f32).collect()
}

/// Level of `actual - expected` against `expected`, dB, away from the ends.
fn error_db(actual: &[f32], expected: &[f32]) -> f64 {
    let middle = expected.len() / 4..expected.len() * 3 / 4;
    let power = |f: &dyn Fn(usize) -> f64| middle.clone().map(|i| f(i).powi(2)).sum::<f64>();
    let error = power(&|i| f64::from(actual[i]) - f64::from(expected[i]));
    10.0 * (error / power(&|i| f64::from(expected[i]))).log10()
}

#[test]
fn a_sine_keeps_its_phase_and_level() {
    for (from, to) in RATES {
        for f0_hz in [50.0, 1000.0, 7000.0] {
            let out = resample(&sine(f0_hz, from, from as usize / 2), from, to);
            let error = error_db(&out, &sine(f0_hz, to, out.len()));
            assert!(error < -95.0, "{from} to {to}, {f0_hz} Hz: {error:.1} dB");
        }
    }
}

#[test]
fn the_top_of_the_band_is_flat() {
    let out = resample(&sine(20_000.0, 44_100, 22_050), 44_100, 48_000);
    let error = error_db(&out, &sine(20_000.0, 48_000, out.len()));
    assert!(error < -90.0, "{error:.1} dB");
}

#[test]
fn what_the_lower_rate_cannot_hold_is_gone() {
    for f0_hz in [8_000.0, 8_100.0, 12_000.0, 23_000.0] {
        let out = resample(&sine(f0_hz, 48_000, 24_000), 48_000, 16_000);
        let peak = out[2000..6000].iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!(peak < 0.5 * 1e-5, "{f0_hz} Hz: {peak:e}");
    }
}

#[test]
fn length_is_that_of_the_clip() {
    for (from, to) in RATES {
        for n in [0usize, 1, 2, 3, 100, 4410, 12_345] {
            let expected = (n as f64 * f64::from(to) / f64::from(from)).round() as usize;
            assert_eq!(resample(&vec![0.1; n], from, to).len(), expected, "{n} samples, {from} to {to}");
        }
    }
}

#[test]
fn an_impulse_lands_where_its_time_is() {
    // Input indices at which the output has a sample at exactly the same time, from the first to the last.
    for (from, to, spacing) in [(44_100, 48_000, 147), (48_000, 16_000, 3), (40_698, 48_000, 6783)] {
        let n = 4 * 6783;
        for in_idx in [0, spacing, (n - 1) / spacing * spacing] {
            let mut input = vec![0.0; n];
            input[in_idx] = 1.0;
            let out = resample(&input, from, to);
            let peak = (0..out.len()).max_by(|a, b| out[*a].abs().total_cmp(&out[*b].abs())).unwrap();
            assert_eq!(peak, in_idx * to as usize / from as usize, "{from} to {to}, sample {in_idx}");
            // The pulse must be symmetric: no fraction of a sample early or late.
            if in_idx == spacing {
                assert!((out[peak - 1] - out[peak + 1]).abs() < 1e-6, "{from} to {to}");
            }
        }
    }
}

#[test]
fn the_end_of_the_clip_is_complete() {
    let out = resample(&vec![0.5; 44_100], 44_100, 48_000);
    // A step down at the very end rings by about 9 %, and half of its edge is cut off.
    assert!(out[47_990..].iter().all(|v| *v > 0.2), "{:?}", &out[47_990..]);
    assert!((out[47_000] - 0.5).abs() < 1e-4);
}

#[test]
fn equal_rates_change_nothing() {
    let input = sine(440.0, 48_000, 100);
    assert_eq!(resample(&input, 48_000, 48_000), input);
}
