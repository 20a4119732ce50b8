//! Glides and vibrato of simple waveforms, synthesised independently of the encoder's training tones.

use super::{Case, Set};
use crate::sounds::vowel;
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use std::f64::consts::TAU;

const SECONDS: f64 = 6.0;
const RATE: f64 = MODEL_RATE as f64;

/// Amplitude of partial `k` (second argument) of a tone at a frequency in Hz (first argument).
type Partial = fn(f64, f64) -> f64;

/// Sine, sawtooth, square and voice, in each octave: a glide up and down, and vibrato.
pub fn cases() -> Vec<Case> {
    let octaves = [40.0, 80.0, 160.0, 320.0, 640.0, 1250.0, 2500.0];
    let waves: [(&str, Partial); 4] =
        [("sine", |_, k| if k == 1.0 { 1.0 } else { 0.0 }), ("saw", |_, k| 1.0 / k), ("square", square), ("ah", ah)];
    let mut cases = Vec::new();
    for low in octaves {
        let set = if low < 160.0 { Set::Low } else { Set::Glides };
        let middle = low * 2f64.sqrt();
        for (name, partial) in waves {
            let glide = move |t: f64| low * (1.0 - (2.0 * t / SECONDS - 1.0).abs()).exp2();
            let vibrato = move |t: f64| middle * (0.06 * (TAU * 5.5 * t).sin()).exp2();
            cases.push(render(set, format!("{name} glide {low}"), &glide, partial));
            cases.push(render(set, format!("{name} vibrato {middle:.0}"), &vibrato, partial));
        }
    }
    cases
}

fn square(_hz: f64, k: f64) -> f64 {
    if k % 2.0 == 1.0 { 1.0 / k } else { 0.0 }
}

/// Spectrum of a sung "ah": formants over a source that falls with frequency.
fn ah(hz: f64, k: f64) -> f64 {
    vowel(k * hz) / k.sqrt()
}

fn render(set: Set, name: String, f0: &dyn Fn(f64) -> f64, partial: Partial) -> Case {
    let n = (SECONDS * RATE) as usize / HOP_SIZE * HOP_SIZE;
    let mut turns = 0.0;
    let mut samples = Vec::with_capacity(n);
    let mut f0_hz = Vec::new();
    for i in 0..n {
        let hz = f0((i + 1) as f64 / RATE);
        turns += hz / RATE;
        let n_partials = (7500.0 / hz) as usize;
        let wave = (1..=n_partials).map(|k| partial(hz, k as f64) * (TAU * (turns * k as f64).fract()).sin());
        samples.push(0.2 * wave.sum::<f64>() as f32);
        if (i + 1) % HOP_SIZE == 0 {
            f0_hz.push(hz as f32);
        }
    }
    Case::per_hop(set, name, samples, f0_hz)
}
