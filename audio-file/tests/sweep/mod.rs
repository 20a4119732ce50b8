//! The audio in the fixtures.

use embouchure_audio_file::Audio;
use std::f64::consts::{PI, TAU};

/// A sweep from 300 Hz to 3 kHz in a quarter of a second, with soft ends. The right channel has half the level and the
/// opposite sign.
pub fn sweep() -> Audio {
    let (rate, n_samples) = (44_100, 11_025);
    let left: Vec<f32> = (0..n_samples)
        .map(|i| {
            let t = i as f64 / f64::from(rate);
            let fade = (PI * i as f64 / f64::from(n_samples)).sin().powi(2);
            (0.6 * fade * (TAU * (300.0 * t + 0.5 * 2700.0 / 0.25 * t * t)).sin()) as f32
        })
        .collect();
    let right = left.iter().map(|v| -0.5 * v).collect();
    Audio { channels: vec![left, right], rate }
}
