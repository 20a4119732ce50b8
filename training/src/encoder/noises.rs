//! Sounds without pitch: hiss, breath, consonants, rumble.

use crate::random::{Draw, normal_noise};
use embouchure_inference::config::MODEL_RATE;
use rand_chacha::ChaCha8Rng;
use std::f32::consts::{PI, TAU};

const RATE: f32 = MODEL_RATE as f32;

/// Spectrum of a noise.
#[derive(Clone, Copy)]
pub(crate) enum Colour {
    /// First-order filter with this coefficient: bright at -0.9, white at 0, rumble at 0.999.
    Slope(f32),
    /// One resonance, as of a vocal tract or a mouth: frequency and width, Hz.
    Resonance(f32, f32),
}

impl Colour {
    /// A random noise of a mouth or a room.
    pub fn draw(rng: &mut ChaCha8Rng) -> Self {
        match rng.chance(0.5) {
            true => Self::Slope(rng.uniform(-0.7, 0.98)),
            false => Self::Resonance(rng.log_uniform(250.0, 7500.0), rng.log_uniform(150.0, 3000.0)),
        }
    }

    /// A random rumble, as of ventilation, traffic and hands on a microphone.
    pub fn rumble(rng: &mut ChaCha8Rng) -> Self {
        match rng.chance(0.5) {
            true => Self::Slope(rng.uniform(0.98, 0.999)),
            false => Self::Resonance(rng.log_uniform(30.0, 200.0), rng.log_uniform(20.0, 150.0)),
        }
    }

    /// `n` samples of variance near 1.
    pub fn noise(self, n: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let mut noise = normal_noise(rng, n);
        match self {
            Self::Slope(colour) => {
                let gain = (1.0 - colour * colour).sqrt();
                let mut last = 0.0;
                for x in &mut noise {
                    last = *x * gain + colour * last;
                    *x = last;
                }
            }
            Self::Resonance(hz, width) => {
                let radius = (-PI * width / RATE).exp();
                let (a1, a2) = (2.0 * radius * (TAU * hz / RATE).cos(), -radius * radius);
                let (mut y1, mut y2) = (0.0, 0.0);
                for x in &mut noise {
                    let y = *x + a1 * y1 + a2 * y2;
                    (y2, y1) = (y1, y);
                    *x = y;
                }
                let power = noise.iter().map(|x| x * x).sum::<f32>() / n.max(1) as f32;
                noise.iter_mut().for_each(|x| *x /= power.sqrt().max(1e-9));
            }
        }
        noise
    }
}

/// Adds breath with the RMS `share · level`. `level`: one value per sample.
pub(crate) fn breathe(breath: &mut [f32], level: &[f32], share: f32, rng: &mut ChaCha8Rng) {
    let noise = Colour::draw(rng).noise(breath.len(), rng);
    breath.iter_mut().zip(noise).zip(level).for_each(|((b, n), l)| *b += share * l * n);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;

    #[test]
    fn all_colours_are_equally_loud() {
        let mut rng = generator(4, 0);
        for _ in 0..20 {
            let noise = Colour::draw(&mut rng).noise(16_000, &mut rng);
            let power = noise.iter().map(|x| x * x).sum::<f32>() / 16_000.0;
            assert!((0.5..1.5).contains(&power), "{power}");
        }
    }
}
