//! Synthetic melodies: tones of exactly known f0, from bass voice to high whistle.

use super::batch::{CLIP_HOPS, CLIP_SAMPLES, Clip};
use super::noises::breathe;
use crate::random::Draw;
use embouchure_inference::config::{HEARD_MAX_HZ, HOP_SIZE, MODEL_RATE};
use embouchure_inference::math::db::db_to_gain;
use rand_chacha::ChaCha8Rng;
use std::f32::consts::TAU;

const RATE: f32 = MODEL_RATE as f32;
/// Partials of a tone, before those above the encoder's range are left out.
const N_PARTIALS: usize = 64;
/// Tones with an amplitude below this count as silence; the loudest has 1: -38 dB.
const INAUDIBLE: f32 = 0.0126;
/// Lowest and highest note, Hz, a little inside the range of the pitch bins.
const LOWEST_HZ: f32 = 38.0;
const HIGHEST_HZ: f32 = 4800.0;

/// One clip of a random melody with a random timbre.
pub fn draw_clip(rng: &mut ChaCha8Rng) -> Clip {
    let melody = Melody::draw(rng);
    let samples = Timbre::draw(rng, melody.hz(CLIP_SAMPLES / 2)).render(&melody, rng);
    let share = db_to_gain(rng.uniform(-50.0, -8.0));
    let mut clip = Clip { samples, ..Clip::silent(CLIP_HOPS) };
    breathe(&mut clip.breath, &melody.amplitude, share, rng);
    let hop_end = |hop: usize| (hop + 1) * HOP_SIZE - 1;
    let label = |hop| if melody.amplitude[hop_end(hop)] > INAUDIBLE { melody.hz(hop_end(hop)) } else { 0.0 };
    clip.f0_hz = (0..CLIP_HOPS).map(label).collect();
    clip
}

/// Pitch and level of every sample.
struct Melody {
    /// Logarithm to base 2 of the pitch in Hz.
    octaves: Vec<f32>,
    /// Linear, 0 to 1.
    amplitude: Vec<f32>,
}

impl Melody {
    fn hz(&self, i: usize) -> f32 {
        self.octaves[i].exp2()
    }

    fn draw(rng: &mut ChaCha8Rng) -> Self {
        // Whistles; low voices and basses, which are the hardest, because a period takes up to 26 ms; and everything
        // between.
        let (low, high): (f32, f32) = match rng.unit() {
            x if x < 0.2 => (500.0, 4600.0),
            x if x < 0.65 => (40.0, 330.0),
            _ => (40.0, 2200.0),
        };
        let mut melody = Self { octaves: Vec::new(), amplitude: Vec::new() };
        let mut octave = rng.log_uniform(low, high).log2();
        while melody.octaves.len() < CLIP_SAMPLES {
            let n = (RATE * rng.log_uniform(0.05, 1.2)) as usize;
            let n = n.min(CLIP_SAMPLES - melody.octaves.len());
            let leap = (rng.uniform(1.0, 13.0)).floor() / 12.0 * [-1.0, 0.0, 1.0][rng.index(3)];
            let next = if rng.chance(0.9) { octave + leap } else { rng.log_uniform(low, high).log2() };
            let next = next.clamp(LOWEST_HZ.log2(), HIGHEST_HZ.log2());
            melody.add_note(rng, octave, next, n);
            octave = next;
        }
        melody
    }

    fn add_note(&mut self, rng: &mut ChaCha8Rng, from: f32, to: f32, n: usize) {
        let glide = RATE * [0.0, 0.0, 0.02, 0.06, 0.3][rng.index(5)] * rng.unit();
        let (depth, speed) = (if rng.chance(0.5) { rng.uniform(0.0, 0.8) / 12.0 } else { 0.0 }, rng.uniform(4.0, 7.0));
        let phase = rng.uniform(0.0, TAU);
        let level = if rng.chance(0.25) { 0.0 } else { db_to_gain(rng.uniform(-30.0, 0.0)) };
        let sharp = rng.chance(0.3);
        let attack = (RATE * 10f32.powf(rng.uniform(-3.0, -1.2))).max(8.0);
        let release = (RATE * 10f32.powf(rng.uniform(-2.5, -1.0))).max(8.0);
        let decay = if rng.chance(0.25) { 3.0 / RATE } else { 0.0 };
        for i in 0..n {
            let t = i as f32;
            let arrived = if glide > 0.0 { (t / glide).min(1.0) } else { 1.0 };
            let vibrato = depth * (TAU * speed * t / RATE + phase).sin() * (t / (0.2 * RATE)).min(1.0);
            self.octaves.push(from + (to - from) * arrived + vibrato);
            let envelope = if sharp { 1.0 } else { (t / attack).min(1.0) * ((n - i) as f32 / release).min(1.0) };
            self.amplitude.push(level * envelope * (-t * decay).exp());
        }
    }
}

/// Strength and phase of every partial.
pub(crate) struct Timbre {
    /// Amplitude, and phase in radians. The squared amplitudes sum to 1.
    partials: Vec<(f32, f32)>,
}

impl Timbre {
    /// A random timbre of an instrument, voice or whistle, at a pitch near `middle_hz`.
    pub fn draw(rng: &mut ChaCha8Rng, middle_hz: f32) -> Self {
        let (slope, scatter) = (rng.uniform(0.0, 2.6), rng.uniform(0.0, 8.0));
        let kind = rng.unit();
        let whistle = 10f32.powf(rng.uniform(-3.0, -1.0));
        let fundamental = rng.uniform(0.02, 0.3);
        let formants = rng.chance(0.55).then(|| {
            [(); 3].map(|()| (rng.log_uniform(250.0, 4000.0), rng.uniform(50.0, 500.0), rng.uniform(0.0, 30.0)))
        });
        // A small body or a small microphone, which does not carry low partials.
        let body_hz = if rng.chance(0.25) { rng.log_uniform(60.0, 500.0) } else { 0.0 };
        let strength = |rng: &mut ChaCha8Rng, k: usize| {
            let mut h = (k as f32).powf(-slope) * db_to_gain(rng.normal() * scatter);
            if kind < 0.2 && k > 1 {
                h *= whistle;
            }
            // Without even partials, as a clarinet; below: with a weak fundamental, as a bassoon or a telephone.
            if kind > 0.85 && k.is_multiple_of(2) {
                h *= 0.1;
            }
            if (0.8..0.88).contains(&kind) && k == 1 {
                h *= fundamental;
            }
            h *= (k as f32 * middle_hz / body_hz).min(1.0).powi(2);
            let peak = |(hz, width, db): &(f32, f32, f32)| {
                db_to_gain(*db) / (1.0 + ((k as f32 * middle_hz - hz) / width).powi(2))
            };
            h * formants.as_ref().map_or(1.0, |f| f.iter().map(peak).sum::<f32>() + 0.05)
        };
        let mut partials: Vec<(f32, f32)> =
            (1..=N_PARTIALS).map(|k| (strength(rng, k), rng.uniform(0.0, TAU))).collect();
        let power: f32 = partials.iter().map(|(h, _)| h * h).sum();
        partials.iter_mut().for_each(|(h, _)| *h /= power.sqrt());
        Self { partials }
    }

    /// Amplitudes of the partials, ≥ 0.
    pub fn amplitudes(&self) -> impl Iterator<Item = f32> {
        self.partials.iter().map(|(h, _)| h.abs())
    }

    fn render(&self, melody: &Melody, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let mut phase = rng.unit() as f64;
        let weights: Vec<(f32, f32)> = self.partials.iter().map(|(h, p)| (h * p.cos(), h * p.sin())).collect();
        (0..CLIP_SAMPLES)
            .map(|i| {
                let hz = melody.hz(i);
                phase = (phase + hz as f64 / RATE as f64).fract();
                let level = melody.amplitude[i];
                if level == 0.0 { 0.0 } else { level * harmonic_sum(phase, (HEARD_MAX_HZ / hz) as usize, &weights) }
            })
            .collect()
    }
}

/// Sum of the first `n` partials at `phase` (turns), by the Chebyshev recurrence for sine and cosine.
fn harmonic_sum(phase: f64, n: usize, weights: &[(f32, f32)]) -> f32 {
    let (s, c) = (phase as f32 * TAU).sin_cos();
    let (mut s0, mut c0, mut s1, mut c1) = (0.0, 1.0, s, c);
    let mut sum = 0.0;
    for (a, b) in weights.iter().take(n) {
        sum += a * s1 + b * c1;
        (s0, s1) = (s1, 2.0 * c * s1 - s0);
        (c0, c1) = (c1, 2.0 * c * c1 - c0);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_same_seed_gives_the_same_clip() {
        let clip = |seed| draw_clip(&mut ChaCha8Rng::seed_from_u64(seed)).samples;
        assert_eq!(clip(5), clip(5));
        assert_ne!(clip(5), clip(6));
    }

    #[test]
    fn labels_are_the_rendered_pitch() {
        let melody = Melody { octaves: vec![440f32.log2(); CLIP_SAMPLES], amplitude: vec![1.0; CLIP_SAMPLES] };
        let timbre = Timbre { partials: vec![(1.0, 0.0)] };
        let x = timbre.render(&melody, &mut ChaCha8Rng::seed_from_u64(1));
        let rises = x.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
        assert!((439..=441).contains(&rises), "{rises} periods in a second");
    }
}
