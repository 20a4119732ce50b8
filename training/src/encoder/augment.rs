//! What happens to a sound on its way into a plugin: rooms, noise, consonants, gain.

use super::batch::{CLIP_HOPS, CLIP_SAMPLES, Clip};
use crate::random::{Draw, normal_noise};
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use rand_chacha::ChaCha8Rng;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::f32::consts::TAU;
use std::sync::Arc;

const FFT: usize = CLIP_SAMPLES.next_power_of_two() * 2;

/// FFT plans for the rooms.
pub struct Augment {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
}

impl Augment {
    /// Plans the transforms.
    pub fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        Self { forward: planner.plan_fft_forward(FFT), inverse: planner.plan_fft_inverse(FFT) }
    }

    /// Changes the clip's sound, and its labels where the sound is replaced by noise.
    pub fn apply(&self, clip: &mut Clip, rng: &mut ChaCha8Rng) {
        if rng.chance(0.5) {
            tilt(&mut clip.samples, rng.uniform(-0.6, 0.6));
        }
        if rng.chance(0.3) {
            add_consonants(clip, rng);
        }
        if rng.chance(0.35) {
            self.add_room(&mut clip.samples, rng);
        }
        if rng.chance(0.08) {
            *clip = only_noise(rng);
        }
        if rng.chance(0.85) {
            let peak = clip.samples.iter().fold(1e-3f32, |p, x| p.max(x.abs()));
            // Mostly a quiet room, sometimes one where a singer would complain.
            let snr_db = if rng.chance(0.3) { rng.uniform(12.0, 30.0) } else { rng.uniform(30.0, 70.0) };
            add_noise(&mut clip.samples, 0.3 * peak * 10f32.powf(-snr_db / 20.0), rng);
        }
        let gain = 10f32.powf(rng.uniform(-40.0, 0.0) / 20.0);
        clip.samples.iter_mut().for_each(|x| *x *= gain);
    }

    /// Convolves with exponentially decaying noise behind the direct sound.
    fn add_room(&self, samples: &mut [f32], rng: &mut ChaCha8Rng) {
        let decay_s = rng.log_uniform(0.03, 0.6);
        let wet = 10f32.powf(rng.uniform(-32.0, -12.0) / 20.0) / (decay_s * MODEL_RATE as f32 / 13.8).sqrt();
        let mut room = normal_noise(rng, CLIP_SAMPLES / 2);
        for (i, x) in room.iter_mut().enumerate() {
            *x *= wet * (-6.9 * i as f32 / (decay_s * MODEL_RATE as f32)).exp();
        }
        room[0] = 1.0;
        let spectrum = |x: &[f32]| {
            let mut padded = x.to_vec();
            padded.resize(FFT, 0.0);
            let mut out = self.forward.make_output_vec();
            self.forward.process(&mut padded, &mut out).expect("buffers have the plan's sizes");
            out
        };
        let (mut product, room) = (spectrum(samples), spectrum(&room));
        product.iter_mut().zip(room).for_each(|(x, r)| *x *= r / FFT as f32);
        let mut out = self.inverse.make_output_vec();
        self.inverse.process(&mut product, &mut out).expect("a product of real spectra is one of a real signal");
        samples.copy_from_slice(&out[..samples.len()]);
    }
}

/// First-order low (`amount` > 0) or high shelf.
fn tilt(samples: &mut [f32], amount: f32) {
    let mut smooth = 0.0;
    for x in samples {
        smooth += 0.3 * (*x - smooth);
        *x += if amount > 0.0 { -amount * (*x - smooth) } else { amount * smooth };
    }
}

/// Bursts of hiss where nothing is voiced.
fn add_consonants(clip: &mut Clip, rng: &mut ChaCha8Rng) {
    for _ in 0..1 + rng.index(4) {
        let (from, n) = (rng.index(CLIP_SAMPLES), (MODEL_RATE as f32 * rng.log_uniform(0.01, 0.2)) as usize);
        let to = (from + n).min(CLIP_SAMPLES);
        let level = 10f32.powf(rng.uniform(-40.0, -6.0) / 20.0);
        let (colour, sign) = (rng.uniform(0.0, 0.9), [-1.0, 1.0][rng.index(2)]);
        let mut last = 0.0;
        for (i, noise) in (from..to).zip(normal_noise(rng, to - from)) {
            last = noise * (1.0 - colour) + sign * colour * last;
            let fade = (((i - from).min(to - i)) as f32 / 80.0).min(1.0);
            if clip.f0_hz[i / HOP_SIZE] == 0.0 {
                clip.samples[i] += level * fade * last;
            }
        }
    }
}

fn add_noise(samples: &mut [f32], level: f32, rng: &mut ChaCha8Rng) {
    let colour = rng.uniform(-0.5, 0.98);
    let gain = level * (1.0 - colour * colour).sqrt();
    let mut last = 0.0;
    for (x, noise) in samples.iter_mut().zip(normal_noise(rng, CLIP_SAMPLES)) {
        last = noise + colour * last;
        *x += gain * last;
    }
}

/// A clip without any pitch: breath that comes and goes, or steady hiss.
fn only_noise(rng: &mut ChaCha8Rng) -> Clip {
    let mut samples = vec![0.0; CLIP_SAMPLES];
    add_noise(&mut samples, rng.log_uniform(0.001, 0.5), rng);
    if rng.chance(0.6) {
        let (speed, phase) = (rng.uniform(0.5, 12.0), rng.uniform(0.0, 6.0));
        for (i, x) in samples.iter_mut().enumerate() {
            *x *= (speed * i as f32 / MODEL_RATE as f32 * TAU + phase).sin().max(0.0).powi(2);
        }
    }
    Clip { samples, f0_hz: vec![0.0; CLIP_HOPS] }
}
