//! Disguises of a recording: the same notes as a whistle, a hum, a vowel, a sawtooth, or through a bad microphone. The
//! decoder gets features of the disguise and must play the original. So it learns from z only what survives a change of
//! timbre.

use crate::analysis::{HarmonicTrack, phase};
use crate::random::{Draw, normal_noise};
use embouchure_inference::config::{HEARD_MAX_HZ, HOP_SIZE, MODEL_RATE};
use embouchure_inference::math::db::db_to_gain;
use rand_chacha::ChaCha8Rng;
use std::f32::consts::TAU;

/// Notes are not transposed above this, Hz.
const HIGHEST_HZ: f32 = 4200.0;
/// Resonances of a vowel: centre, Hz; distance at which the gain is half, Hz; gain. Below: the gain between them.
const VOWEL: [(f32, f32, f32); 3] = [(650.0, 120.0, 1.0), (1100.0, 150.0, 0.6), (2600.0, 250.0, 0.3)];
const BETWEEN: f32 = 0.05;

/// The recording itself, then all its disguises, at the model rate. `f0_hz`, `pitched`, `harmonics`: per hop.
pub fn disguises(
    samples: &[f32],
    f0_hz: &[f32],
    pitched: &[bool],
    harmonics: &HarmonicTrack,
    rng: &mut ChaCha8Rng,
) -> Vec<Vec<f32>> {
    let notes = Notes { f0_hz, pitched, harmonics };
    let whistle = |k: usize, _: f32| if k == 1 { 1.0 } else { 0.01 / k as f32 };
    let hum = |k: usize, _: f32| (k as f32).powi(-2);
    let saw = |k: usize, _: f32| 1.0 / k as f32;
    let vowel = |k: usize, hz: f32| {
        let peak = |(centre, width, gain): (f32, f32, f32)| gain / (1.0 + ((hz - centre) / width).powi(2));
        (VOWEL.map(peak).iter().sum::<f32>() + BETWEEN) / (k as f32).sqrt()
    };
    let mut all = vec![samples.to_vec(), through_a_bad_microphone(samples, rng)];
    all.push(notes.play(1.0, whistle, 0.02, rng));
    all.push(notes.play(2.0, whistle, 0.01, rng));
    all.push(notes.play(0.5, hum, 0.005, rng));
    all.push(notes.play(1.0, hum, 0.005, rng));
    all.push(notes.play(0.5, vowel, 0.01, rng));
    all.push(notes.play(1.0, vowel, 0.01, rng));
    all.push(notes.play(1.0, saw, 0.003, rng));
    all
}

fn through_a_bad_microphone(samples: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
    let (colour, gain) = (rng.uniform(0.2, 0.7), db_to_gain(rng.uniform(-30.0, 0.0)));
    let mut smooth = 0.0;
    let noise = normal_noise(rng, samples.len());
    let sample = |(x, noise): (&f32, f32)| {
        smooth += colour * (x - smooth);
        gain * (smooth + 0.001 * noise)
    };
    samples.iter().zip(noise).map(sample).collect()
}

/// Pitch, voicing and harmonics of a recording, per hop.
struct Notes<'a> {
    f0_hz: &'a [f32],
    pitched: &'a [bool],
    harmonics: &'a HarmonicTrack,
}

impl Notes<'_> {
    /// The same notes at `ratio` times the pitch. `timbre(k, hz)`: strength of partial k. `breath`: noise as a share of
    /// the tone.
    fn play(&self, ratio: f32, timbre: impl Fn(usize, f32) -> f32, breath: f32, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let f0: Vec<f32> = self.f0_hz.iter().map(|f| if f * ratio < HIGHEST_HZ { f * ratio } else { *f }).collect();
        let turns = phase(&f0, HOP_SIZE, MODEL_RATE);
        let level = |h: usize| {
            let power = self.harmonics.frame(h).iter().map(|a| a * a).sum::<f32>();
            if self.pitched[h] { power.sqrt() } else { 0.0 }
        };
        let gain = db_to_gain(rng.uniform(-20.0, 0.0));
        let noise = normal_noise(rng, turns.len());
        let mut out = Vec::with_capacity(turns.len());
        let mut from = 0.0;
        for (h, hz) in f0.iter().enumerate() {
            let n = ((HEARD_MAX_HZ / hz) as usize).clamp(1, 40);
            let mut partials: Vec<f32> = (1..=n).map(|k| timbre(k, k as f32 * hz)).collect();
            let power = partials.iter().map(|p| p * p).sum::<f32>().sqrt();
            partials.iter_mut().for_each(|p| *p /= power);
            let to = level(h);
            for i in 0..HOP_SIZE {
                let at = h * HOP_SIZE + i;
                let level = from + (to - from) * (i + 1) as f32 / HOP_SIZE as f32;
                let angle = (turns[at].fract() as f32) * TAU;
                let tone: f32 = partials.iter().enumerate().map(|(k, p)| p * ((k + 1) as f32 * angle).sin()).sum();
                out.push(gain * level * (tone + breath * noise[at]));
            }
            from = to;
        }
        out
    }
}
