//! Seeded draws of the distributions that augmentation needs.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The generator for item `index` of stream `seed`: a resumed training draws what it would have drawn.
pub fn generator(seed: u64, index: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ index)
}

/// Draws by name.
pub trait Draw {
    /// From 0 up to 1.
    fn unit(&mut self) -> f32;

    /// Between `low` and `high`.
    fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Between `low` and `high`, equal chances for equal ratios.
    fn log_uniform(&mut self, low: f32, high: f32) -> f32 {
        self.uniform(low.ln(), high.ln()).exp()
    }

    /// True with this probability.
    fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Below `n`.
    fn index(&mut self, n: usize) -> usize {
        ((self.unit() * n as f32) as usize).min(n - 1)
    }

    /// Mean 0, variance 1 (twelve uniform draws: no tails beyond six deviations).
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}

impl Draw for ChaCha8Rng {
    fn unit(&mut self) -> f32 {
        self.random::<f32>()
    }
}

/// White noise of variance 1, near enough normal.
pub fn normal_noise(rng: &mut ChaCha8Rng, n: usize) -> Vec<f32> {
    // Three uniform draws: variance 1/4.
    (0..n).map(|_| 2.0 * (rng.unit() + rng.unit() + rng.unit() - 1.5)).collect()
}
