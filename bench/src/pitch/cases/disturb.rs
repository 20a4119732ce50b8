//! Adds noise and reverberation.

use super::Case;
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use embouchure_inference::math::db::db_to_gain;
use embouchure_training::random::{Draw, normal_noise};
use rand_chacha::ChaCha8Rng;

/// Adds noise of a colour between white and pink, `snr_db` below the voiced parts.
pub fn add_noise(case: &mut Case, snr_db: f32, rng: &mut ChaCha8Rng) {
    let level = voiced_rms(case) * db_to_gain(-snr_db);
    let colour = rng.uniform(0.0, 0.95);
    let mut last = 0.0;
    let mut noise = normal_noise(rng, case.samples.len());
    for x in &mut noise {
        last = *x + colour * last;
        *x = last * (1.0 - colour * colour).sqrt();
    }
    case.samples.iter_mut().zip(noise).for_each(|(x, n)| *x += level * n);
}

fn voiced_rms(case: &Case) -> f32 {
    let voiced = case.samples.chunks(HOP_SIZE).zip(&case.f0_hz).filter(|(_, f0)| **f0 > 0.0);
    let (sum, n) =
        voiced.fold((0.0, 0), |(sum, n), (hop, _)| (sum + hop.iter().map(|x| x * x).sum::<f32>(), n + hop.len()));
    (sum / n.max(1) as f32).sqrt()
}

/// Adds a small furnished room: a few early reflections within 20 ms, and a tail that decays 60 dB in 0.25 s.
pub fn add_room(case: &mut Case, rng: &mut ChaCha8Rng) {
    let ms = |t: f32| (t * MODEL_RATE as f32 / 1000.0) as usize;
    let early: Vec<(usize, f32)> = (0..6).map(|_| (ms(rng.uniform(2.0, 20.0)), rng.uniform(-0.35, 0.35))).collect();
    let tail: Vec<(usize, f32)> = (0..400)
        .map(|_| {
            let t = rng.uniform(15.0, 250.0);
            (ms(t), 0.05 * rng.normal() * (-6.9 * t / 250.0).exp())
        })
        .collect();
    let dry = case.samples.clone();
    for (delay, gain) in early.into_iter().chain(tail) {
        case.samples.iter_mut().skip(delay).zip(&dry).for_each(|(x, d)| *x += gain * d);
    }
}
