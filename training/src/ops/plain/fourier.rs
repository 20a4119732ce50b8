//! Fourier transforms as products with matrices. They have up to eight million values, so each is made once and kept.

use super::super::noise::FilteredNoise;
use super::super::spectral::Scale;
use candle_core::{Device, DeviceLocation, Result, Tensor};
use std::cell::RefCell;
use std::collections::HashMap;
use std::f64::consts::TAU;

/// Cosines and sines.
type Waves = [Tensor; 2];
/// Name of a transform, its sizes, and the device.
type Key = (&'static str, usize, usize, DeviceLocation);

thread_local! {
    static MADE: RefCell<HashMap<Key, Waves>> = RefCell::default();
}

/// Returns the kept matrices, or makes and keeps them.
fn once(name: &'static str, sizes: (usize, usize), device: &Device, make: impl Fn() -> Result<Waves>) -> Result<Waves> {
    let key = (name, sizes.0, sizes.1, device.location());
    if let Some(made) = MADE.with_borrow(|made| made.get(&key).cloned()) {
        return Ok(made);
    }
    let new = make()?;
    MADE.with_borrow_mut(|made| made.insert(key, new.clone()));
    Ok(new)
}

/// Cosine and sine of the multiples of 1/`size` turn.
fn tables(size: usize) -> [Vec<f32>; 2] {
    [f64::cos, f64::sin]
        .map(|wave: fn(f64) -> f64| (0..size).map(|i| wave(TAU * i as f64 / size as f64) as f32).collect())
}

fn both([cos, sin]: [Result<Tensor>; 2]) -> Result<Waves> {
    Ok([cos?, sin?])
}

/// From a frame to its windowed spectrum: cosine and sine, `[size, bins]` each.
pub fn forward(scale: &Scale, device: &Device) -> Result<Waves> {
    let (size, n_bins) = (scale.size, scale.size / 2 + 1);
    let matrix = |wave: Vec<f32>| {
        let value = |i: usize, bin: usize| scale.window[i] * wave[(i * bin) % size];
        let values = (0..size).flat_map(|i| (0..n_bins).map(move |bin| (i, bin))).map(|(i, bin)| value(i, bin));
        Tensor::from_vec(values.collect(), (size, n_bins), device)
    };
    once("forward", (size, 0), device, || both(tables(size).map(matrix)))
}

/// From bins to the used samples of a window, a hop to each side of its middle, with their fade: `[bins, 2 · hop]`
/// each.
pub fn inverse(noise: &FilteredNoise, device: &Device) -> Result<Waves> {
    let (size, hop, n_bins) = (noise.fft, noise.hop, noise.fft / 2 + 1);
    let matrix = |wave: Vec<f32>| {
        let value = |bin: usize, i: usize| {
            // Bins between 0 and Nyquist count twice.
            let twice = if bin == 0 || bin == n_bins - 1 { 1.0 } else { 2.0 };
            let fade = noise.fade(i as isize - hop as isize);
            twice * fade * wave[(bin * (size / 2 - hop + i)) % size] / size as f32
        };
        let values = (0..n_bins).flat_map(|bin| (0..2 * hop).map(move |i| (bin, i))).map(|(bin, i)| value(bin, i));
        Tensor::from_vec(values.collect(), (n_bins, 2 * hop), device)
    };
    once("inverse", (size, hop), device, || both(tables(size).map(matrix)))
}
