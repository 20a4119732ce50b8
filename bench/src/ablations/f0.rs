//! Tests whether f0 can be learned from the sound: in which direction the spectral loss moves a wrong f0.
//!
//! Turian & Henry 2020, "I'm sorry for your loss: spectrally-based audio distances are bad at pitch"
//! (arXiv:2012.04572), tested this for other losses; here it is tested for ours.

use crate::table::{Row, number};
use anyhow::Result;
use candle_core::{Device, Tensor};
use embouchure_training::ops::{oscillator, spectral_loss};
use embouchure_training::random::{Draw, generator};
use std::sync::Arc;

const RATE: f64 = 48_000.0;
const HOP: usize = 192;
/// A quarter of a second, in hops.
const FRAMES: usize = 62;
const N_HARMONICS: usize = 20;
const N_NOTES: u64 = 30;
/// Errors of f0 that are tested, and the step towards the right f0, cents.
const WRONG_CENTS: [f64; 7] = [10.0, 30.0, 50.0, 100.0, 300.0, 700.0, 1200.0];
const STEP_CENTS: f64 = 2.0;

/// For each error, the share of notes for which a step towards the right f0 lowers the loss. Chance is one half.
pub fn measure() -> Result<Vec<Row>> {
    let row = |cents: &f64| {
        let mut n_right = 0.0;
        for note in 0..N_NOTES {
            let mut rng = generator(17, note);
            let hz = f64::from(100.0 * rng.uniform(0.0, 3.0).exp2());
            for side in [-1.0, 1.0] {
                let at = |cents: f64| hz * (side * cents / 1200.0).exp2();
                let target = Arc::new(tone(hz)?.flatten_all()?.to_vec1()?);
                let loss = |hz: f64| Ok::<f32, anyhow::Error>(spectral_loss(&tone(hz)?, target.clone())?.to_scalar()?);
                n_right += f64::from(u8::from(loss(at(cents - STEP_CENTS))? < loss(at(*cents))?));
            }
        }
        let mut row = Row::new();
        row.insert("f0 wrong by, cents".into(), number(*cents, 0));
        row.insert("led the right way".into(), number(n_right / (2 * N_NOTES) as f64, 2));
        Ok(row)
    };
    WRONG_CENTS.iter().map(row).collect()
}

/// A tone with the harmonics of a sawtooth.
fn tone(hz: f64) -> Result<Tensor> {
    let amplitudes: Vec<f32> = (1..=N_HARMONICS).map(|k| 0.2 / k as f32).collect();
    let amplitudes = Tensor::from_vec(amplitudes.repeat(FRAMES), (1, FRAMES, N_HARMONICS), &Device::Cpu)?;
    let turns = (0..FRAMES * HOP).map(|i| i as f64 * hz / RATE).collect();
    Ok(oscillator(&amplitudes, Arc::new(turns), HOP)?)
}
