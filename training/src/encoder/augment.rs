//! Augmentation, as between a mouth and a plugin: consonants, microphones, rooms, noise, rumble, gain.
//!
//! The probabilities and ranges are those of the encoder's last version in docs/tried.md. From version to version they
//! became harder: breath, consonants and rumble; low notes and small bodies; rooms up to 6 dB below the sound.

use super::batch::{CLIP_HOPS, CLIP_SAMPLES, Clip};
use super::noises::Colour;
use crate::random::{Draw, normal_noise};
use embouchure_inference::config::{FRAME_RATE, HOP_SIZE, MODEL_RATE};
use embouchure_inference::math::db::db_to_gain;
use rand_chacha::ChaCha8Rng;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::f32::consts::TAU;
use std::sync::Arc;

/// Fall of an amplitude in the decay time of a room, nepers: ln 1000.
const NEPERS_OF_60_DB: f32 = 6.9;
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

    /// Returns the clip as a microphone records it, before the rumble filter. Marks labels of `clip` that become
    /// doubtful.
    pub fn apply(&self, clip: &mut Clip, rng: &mut ChaCha8Rng) -> Vec<f32> {
        if rng.chance(0.4) {
            add_consonants(clip, rng);
        }
        let mut heard = clip.sum();
        if rng.chance(0.5) {
            tilt(&mut heard, rng.uniform(-0.6, 0.6));
        }
        if rng.chance(0.3) {
            muffle(&mut heard, rng.uniform(0.4, 0.95));
        }
        if rng.chance(0.35) {
            let decay_s = self.add_room(&mut heard, rng);
            doubt_tails(clip, decay_s);
        }
        let peak = heard.iter().fold(1e-3f32, |p, x| p.max(x.abs()));
        if rng.chance(0.85) {
            // Most rooms are quiet, some are noisy.
            let snr_db = if rng.chance(0.35) { rng.uniform(5.0, 30.0) } else { rng.uniform(30.0, 70.0) };
            add(&mut heard, 0.3 * peak * db_to_gain(-snr_db), Colour::Slope(rng.uniform(-0.5, 0.98)), rng);
        }
        if rng.chance(0.25) {
            add(&mut heard, peak * db_to_gain(rng.uniform(-40.0, 6.0)), Colour::rumble(rng), rng);
        }
        let gain = db_to_gain(rng.uniform(-40.0, 0.0));
        heard.iter_mut().for_each(|x| *x *= gain);
        heard
    }

    /// Adds a room: convolves with exponentially decaying noise after the direct sound. Returns its decay time by 60
    /// dB, s.
    fn add_room(&self, samples: &mut [f32], rng: &mut ChaCha8Rng) -> f32 {
        let decay_s = rng.log_uniform(0.03, 0.6);
        let wet = db_to_gain(rng.uniform(-32.0, -6.0)) / (decay_s * MODEL_RATE as f32 / (2.0 * NEPERS_OF_60_DB)).sqrt();
        let mut room = normal_noise(rng, CLIP_SAMPLES / 2);
        for (i, x) in room.iter_mut().enumerate() {
            *x *= wet * (-NEPERS_OF_60_DB * i as f32 / (decay_s * MODEL_RATE as f32)).exp();
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
        decay_s
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

/// First-order low pass, as of a bad microphone or a resampler.
fn muffle(samples: &mut [f32], speed: f32) {
    let mut smooth = 0.0;
    for x in samples {
        smooth += speed * (*x - smooth);
        *x = smooth;
    }
}

/// Marks the voicing of hops after a note as unknown while the room still rings.
fn doubt_tails(clip: &mut Clip, decay_s: f32) {
    let n = (0.7 * decay_s * FRAME_RATE) as usize;
    let mut since_note = n;
    for (f0_hz, known) in clip.f0_hz.iter().zip(&mut clip.voicing_known) {
        since_note = if *f0_hz > 0.0 { 0 } else { since_note + 1 };
        if (1..=n).contains(&since_note) {
            *known = 0.0;
        }
    }
}

/// Adds bursts of noise, mostly where nothing is voiced.
fn add_consonants(clip: &mut Clip, rng: &mut ChaCha8Rng) {
    for _ in 0..1 + rng.index(4) {
        let (from, n) = (rng.index(CLIP_SAMPLES), (MODEL_RATE as f32 * rng.log_uniform(0.01, 0.2)) as usize);
        let to = (from + n).min(CLIP_SAMPLES);
        let level = db_to_gain(rng.uniform(-40.0, -3.0));
        let everywhere = rng.chance(0.15);
        let attack = rng.log_uniform(4.0, 300.0);
        for (i, noise) in (from..to).zip(Colour::draw(rng).noise(to - from, rng)) {
            let fade = ((i - from) as f32 / attack).min((to - i) as f32 / 80.0).min(1.0);
            if everywhere || clip.f0_hz[i / HOP_SIZE] == 0.0 {
                clip.breath[i] += level * fade * noise;
            }
        }
    }
}

/// Adds noise of RMS `level`.
fn add(samples: &mut [f32], level: f32, colour: Colour, rng: &mut ChaCha8Rng) {
    let noise = colour.noise(samples.len(), rng);
    samples.iter_mut().zip(noise).for_each(|(x, n)| *x += level * n);
}

/// A clip without any pitch: breath that comes and goes, or steady noise.
pub fn only_noise(rng: &mut ChaCha8Rng) -> Clip {
    let mut clip = Clip::silent(CLIP_HOPS);
    for _ in 0..1 + rng.index(2) {
        add(&mut clip.breath, rng.log_uniform(0.001, 0.5), Colour::draw(rng), rng);
    }
    if rng.chance(0.6) {
        let (speed, phase) = (rng.uniform(0.5, 12.0), rng.uniform(0.0, 6.0));
        let power = rng.log_uniform(0.5, 8.0);
        for (i, x) in clip.breath.iter_mut().enumerate() {
            *x *= (speed * i as f32 / MODEL_RATE as f32 * TAU + phase).sin().max(0.0).powf(power);
        }
    }
    clip
}
