//! Sounds without pitch. A tracker that reports a pitch here would play a wrong note.

use super::{Case, Set, annotated_voice};
use anyhow::Result;
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use embouchure_training::random::{generator, normal_noise};
use rand_chacha::ChaCha8Rng;
use std::f32::consts::TAU;
use std::path::Path;

const SECONDS: usize = 8;
const N: usize = SECONDS * MODEL_RATE as usize;
const SEED: u64 = 77;
/// Least distance of a voice's pauses from any annotated note, s.
const AWAY_FROM_NOTES: f64 = 0.05;

/// Makes [`N`] samples.
type Make = fn(&mut ChaCha8Rng) -> Vec<f32>;

/// Silence, breath, consonants, room noise, and a singer's pauses.
pub fn cases(data: &Path) -> Result<Vec<Case>> {
    let made: [(&str, Make); 6] = [
        ("silence", |_| vec![0.0; N]),
        ("hiss of a preamplifier", |rng| coloured(rng, 0.0, 3e-4)),
        ("room noise", room_noise),
        ("breath", breath),
        ("sibilants", sibilants),
        ("plosives", plosives),
    ];
    let case = |(i, (name, make)): (usize, (&str, Make))| {
        Case::per_hop(Set::Unpitched, name, make(&mut generator(SEED, i as u64)), vec![0.0; N / HOP_SIZE])
    };
    let mut cases: Vec<Case> = made.into_iter().enumerate().map(case).collect();
    cases.push(pauses(annotated_voice(&data.join("source/voice_f0"))?));
    Ok(cases)
}

/// The voice, with only those moments as truth that are certainly not a note.
fn pauses(mut voice: Case) -> Case {
    let notes: Vec<f64> = voice.time_s.iter().zip(&voice.f0_hz).filter(|(_, f)| **f > 0.0).map(|(t, _)| *t).collect();
    voice.time_s.retain(|t| notes.iter().all(|note| (note - t).abs() > AWAY_FROM_NOTES));
    voice.f0_hz = vec![0.0; voice.time_s.len()];
    Case { set: Set::Unpitched, name: "pauses and consonants of a singer".into(), ..voice }
}

fn coloured(rng: &mut ChaCha8Rng, colour: f32, level: f32) -> Vec<f32> {
    let mut last = 0.0;
    let mut noise = normal_noise(rng, N);
    for x in &mut noise {
        last = *x + colour * last;
        *x = level * last * (1.0 - colour * colour).sqrt();
    }
    noise
}

/// Ventilation rumble, mains hum 50 dB below full scale, and hiss.
fn room_noise(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let (rumble, hiss) = (coloured(rng, 0.98, 4e-3), coloured(rng, 0.3, 8e-4));
    let hum = |i: usize| 1e-3 * (TAU * 50.0 * i as f32 / MODEL_RATE as f32).sin();
    rumble.iter().zip(hiss).enumerate().map(|(i, (r, h))| r + h + hum(i)).collect()
}

/// Noise through moving resonances, in breaths of half a second.
fn breath(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let noise = coloured(rng, 0.5, 0.3);
    let envelope = |i: usize| (TAU * i as f32 / MODEL_RATE as f32).sin().max(0.0).powi(2);
    resonate(&noise, |i| 900.0 + 500.0 * (i as f32 / 9000.0).sin(), 500.0)
        .iter()
        .enumerate()
        .map(|(i, x)| 0.5 * x * envelope(i))
        .collect()
}

/// "s" and "sh" of 120 ms each, four per second.
fn sibilants(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let noise = coloured(rng, -0.3, 0.3);
    let centre = |i: usize| if (i / 4000).is_multiple_of(2) { 5500.0 } else { 3000.0 };
    let on = |i: usize| if i % 4000 < 1920 { ((i % 4000).min(1920 - i % 4000) as f32 / 300.0).min(1.0) } else { 0.0 };
    resonate(&noise, centre, 1200.0).iter().enumerate().map(|(i, x)| 0.4 * x * on(i)).collect()
}

/// "p", "t", "k": 15 ms of noise with a sudden onset.
fn plosives(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let noise = coloured(rng, 0.2, 0.5);
    let centre = |i: usize| [800.0, 4000.0, 1800.0][(i / 4000) % 3];
    let decay = |i: usize| (-((i % 4000) as f32) / 80.0).exp();
    resonate(&noise, centre, 900.0).iter().enumerate().map(|(i, x)| x * decay(i)).collect()
}

/// Two-pole resonance with about unity gain at its centre.
fn resonate(noise: &[f32], centre_hz: impl Fn(usize) -> f32, width_hz: f32) -> Vec<f32> {
    let radius = (-std::f32::consts::PI * width_hz / MODEL_RATE as f32).exp();
    let (mut y1, mut y2) = (0.0, 0.0);
    let step = |(i, x): (usize, &f32)| {
        let y = (1.0 - radius) * x + 2.0 * radius * (TAU * centre_hz(i) / MODEL_RATE as f32).cos() * y1
            - radius * radius * y2;
        (y2, y1) = (y1, y);
        y
    };
    noise.iter().enumerate().map(step).collect()
}
