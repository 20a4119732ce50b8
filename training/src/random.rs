//! Seeded random draws for augmentation.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Generator for item `index` of stream `seed`. It depends on both alone, so a resumed training draws the same values.
pub fn generator(seed: u64, index: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ index)
}

/// Draws from common distributions.
pub trait Draw {
    /// Uniform from 0 to 1, below 1.
    fn unit(&mut self) -> f32;

    /// Uniform between `low` and `high`.
    fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Between `low` and `high` (> 0), uniform in the logarithm.
    fn log_uniform(&mut self, low: f32, high: f32) -> f32 {
        self.uniform(low.ln(), high.ln()).exp()
    }

    /// True with this probability.
    fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Index below `n`, uniform.
    fn index(&mut self, n: usize) -> usize {
        ((self.unit() * n as f32) as usize).min(n - 1)
    }

    /// Near normal, mean 0, variance 1: the sum of twelve uniform draws, which never exceeds six deviations.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}

impl Draw for ChaCha8Rng {
    fn unit(&mut self) -> f32 {
        self.random::<f32>()
    }
}

/// White noise of variance 1, `n` samples, near normal: each is the sum of three uniform draws.
pub fn normal_noise(rng: &mut ChaCha8Rng, n: usize) -> Vec<f32> {
    // The sum of three uniform draws has variance 1/4.
    (0..n).map(|_| 2.0 * (rng.unit() + rng.unit() + rng.unit() - 1.5)).collect()
}
