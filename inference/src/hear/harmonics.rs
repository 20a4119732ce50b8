//! Levels and phases of the source's harmonics, measured at the heard pitch.

use crate::config::{FRAME_SIZE, HEARD_MAX_HZ, HOP_SIZE, MODEL_RATE};
use crate::math::{power_db, sin_cos_turns, sum};
use multiversion::multiversion;

/// Harmonics that are measured together.
pub const LANES: usize = 16;
/// Most harmonics of a [`Timbre`]: those of a cello's lowest note up to 4 kHz.
const MAX_HARMONICS: usize = 4 * LANES;
/// Lowest level of a harmonic, dB.
const FLOOR_DB: f32 = -60.0;
/// Periods in the window: with four, the neighbouring harmonics lie at zeros of the Hann window's spectrum. The window
/// lasts 16 ms at least and a frame at most.
const PERIODS: f32 = 4.0;
const MIN_WINDOW: usize = 256;

/// Levels of a source's harmonics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timbre {
    levels_db: [f32; MAX_HARMONICS],
    n_heard: usize,
}

impl Timbre {
    /// Power of each measured harmonic over that of all together, dB, from the fundamental up.
    pub fn levels_db(&self) -> &[f32] {
        &self.levels_db[..self.n_heard]
    }
}

/// [`LANES`] neighbouring harmonics, measured in one window.
#[derive(Clone, Copy, Debug)]
pub struct Phasors {
    /// Real parts of amplitude · e^(jφ); φ is the phase in the middle of the window.
    pub real: [f32; LANES],
    /// Imaginary parts.
    pub imaginary: [f32; LANES],
    /// Length of the window, samples.
    pub window: usize,
}

/// Number of harmonics of `f0_hz` (> 0) that can be measured: those up to [`HEARD_MAX_HZ`], at least 1.
pub fn n_audible(f0_hz: f32) -> usize {
    ((HEARD_MAX_HZ / f0_hz) as usize).max(1)
}

/// Measures the harmonics of a stream at the model rate. Realtime-safe.
#[derive(Clone, Debug)]
pub struct HarmonicMeter {
    /// The last samples, newest last.
    samples: [f32; FRAME_SIZE],
}

impl Default for HarmonicMeter {
    fn default() -> Self {
        Self { samples: [0.0; FRAME_SIZE] }
    }
}

impl HarmonicMeter {
    /// Reads one hop.
    pub fn push(&mut self, samples: &[f32; HOP_SIZE]) {
        self.samples.copy_within(HOP_SIZE.., 0);
        self.samples[FRAME_SIZE - HOP_SIZE..].copy_from_slice(samples);
    }

    /// The last samples, newest last.
    pub fn frame(&self) -> &[f32; FRAME_SIZE] {
        &self.samples
    }

    /// The current harmonics of `f0_hz` (> 0) from number `first` on; 1 is the fundamental.
    pub fn phasors(&self, f0_hz: f32, first: usize) -> Phasors {
        let turns = f64::from(f0_hz) / f64::from(MODEL_RATE);
        // Even, so that the middles of two windows are a whole number of samples apart.
        let window = ((PERIODS / turns as f32) as usize).clamp(MIN_WINDOW, FRAME_SIZE) & !1;
        project(&self.samples[FRAME_SIZE - window..], turns, first)
    }

    /// The current levels of the harmonics of `f0_hz` (> 0).
    pub fn timbre(&self, f0_hz: f32) -> Timbre {
        let n_heard = n_audible(f0_hz).min(MAX_HARMONICS);
        let mut levels_db = [0.0; MAX_HARMONICS];
        let blocks = levels_db.as_chunks_mut().0.iter_mut().enumerate();
        for (block, powers) in blocks.take(n_heard.div_ceil(LANES)) {
            let Phasors { real, imaginary, .. } = self.phasors(f0_hz, block * LANES + 1);
            *powers = std::array::from_fn::<f32, LANES, _>(|i| real[i] * real[i] + imaginary[i] * imaginary[i]);
        }
        let heard = &mut levels_db[..n_heard];
        let all = sum(heard).max(1e-20);
        heard.iter_mut().for_each(|x| *x = power_db(*x / all).max(FLOOR_DB));
        Timbre { levels_db, n_heard }
    }
}

/// Projects `samples`, under a Hann window of their length, on harmonics. `turns`: cycles of the fundamental per
/// sample. Each harmonic is a rotating phasor in its own lane.
///
/// Training projects in another way (`training/src/analysis/harmonics.rs`): the pitch of a recording is known on both
/// sides of a frame, so the phasors there follow its glide through the window.
#[multiversion(targets("x86_64+avx2"))]
fn project(samples: &[f32], turns: f64, first: usize) -> Phasors {
    let (mut turn_sin, mut turn_cos) = ([0.0; LANES], [0.0; LANES]);
    let (mut sin, mut cos) = ([0.0; LANES], [0.0; LANES]);
    let middle = 0.5 * (samples.len() as f64 - 1.0);
    for i in 0..LANES {
        let turns = turns * (first + i) as f64;
        let (s, c) = sin_cos_turns(turns.fract());
        (turn_sin[i], turn_cos[i]) = (s as f32, c as f32);
        let (s, c) = sin_cos_turns((turns * middle).fract());
        (sin[i], cos[i]) = (-s as f32, c as f32);
    }
    let (mut imaginary, mut real) = ([0.0f32; LANES], [0.0f32; LANES]);
    let (s, c) = sin_cos_turns(1.0 / samples.len() as f64);
    let (step_sin, step_cos) = (s as f32, c as f32);
    let (s, c) = sin_cos_turns(0.5 / samples.len() as f64);
    let (mut window_sin, mut window_cos) = (s as f32, c as f32);
    for x in samples {
        let x = x * (0.5 - 0.5 * window_cos);
        (window_sin, window_cos) =
            (window_sin * step_cos + window_cos * step_sin, window_cos * step_cos - window_sin * step_sin);
        for i in 0..LANES {
            imaginary[i] -= x * sin[i];
            real[i] += x * cos[i];
            let s = sin[i] * turn_cos[i] + cos[i] * turn_sin[i];
            cos[i] = cos[i] * turn_cos[i] - sin[i] * turn_sin[i];
            sin[i] = s;
        }
    }
    Phasors { real, imaginary, window: samples.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    /// Timbre after 20 hops of harmonics with these levels, dB.
    fn measured(f0_hz: f64, levels_db: &[f64], gain: f64) -> Timbre {
        let sample = |i: usize| {
            let turns = f0_hz * i as f64 / f64::from(MODEL_RATE);
            let partial = |(k, db): (usize, &f64)| 10f64.powf(db / 20.0) * (TAU * turns * (k + 1) as f64 + 0.7).sin();
            (gain * levels_db.iter().enumerate().map(partial).sum::<f64>()) as f32
        };
        let mut meter = HarmonicMeter::default();
        for hop in 0..20 {
            meter.push(&std::array::from_fn(|i| sample(hop * HOP_SIZE + i)));
        }
        meter.timbre(f0_hz as f32)
    }

    #[test]
    fn levels_are_right_at_any_gain() {
        let levels = [-6.0, -20.0, -3.0, -40.0, -12.0];
        let all = 10.0 * levels.iter().map(|db| 10f64.powf(db / 10.0)).sum::<f64>().log10();
        for (f0_hz, gain) in [(65.0, 1.0), (220.0, 1e-3), (440.0, 0.1), (1200.0, 1.0)] {
            let measured = measured(f0_hz, &levels, gain);
            let measured = measured.levels_db();
            for (k, level) in levels.iter().enumerate() {
                let error = measured[k] - (level - all) as f32;
                assert!(error.abs() < 0.5, "{f0_hz} Hz, harmonic {}: {error} dB off", k + 1);
            }
            assert!(measured[5..].iter().all(|db| *db < -50.0), "{f0_hz} Hz: {:?}", &measured[5..]);
        }
    }

    #[test]
    fn high_harmonics_are_measured_too() {
        let measured = measured(70.0, &[-10.0; 50], 1.0);
        let measured = measured.levels_db();
        assert!(measured[..50].iter().all(|db| (db + 17.0).abs() < 0.5) && measured[50..].iter().all(|db| *db < -50.0));
    }

    #[test]
    fn silence_and_any_pitch_give_finite_levels() {
        for f0_hz in [1e-3, 31.0, 5000.0, 1e6] {
            let timbre = HarmonicMeter::default().timbre(f0_hz);
            assert!(timbre.levels_db().iter().all(|db| (FLOOR_DB..=0.0).contains(db)), "{f0_hz} Hz: {timbre:?}");
        }
    }
}
