//! Divides the encoder's input by its recent level, so that the encoder gets the same level from soft and loud sources.

use crate::config::{FRAME_SIZE, HOP_SIZE};
use crate::math::sum_of_squares;

const N_HOPS: usize = FRAME_SIZE / HOP_SIZE;
/// Added to the mean square, so that silence is not amplified: -70 dB.
const FLOOR: f32 = 1e-7;

/// Causal level normalisation over the last frame (64 ms).
#[derive(Clone, Debug)]
pub struct LevelNormalizer {
    /// Mean square of the last hops, a ring; `oldest` is the next to be overwritten.
    energies: [f32; N_HOPS],
    oldest: usize,
    /// Gain at the end of the last hop.
    gain: f32,
}

impl Default for LevelNormalizer {
    fn default() -> Self {
        Self { energies: [0.0; N_HOPS], oldest: 0, gain: FLOOR.sqrt().recip() }
    }
}

impl LevelNormalizer {
    /// Normalises one hop in place. The gain moves linearly over the hop, so that hops join without a step.
    pub fn hop(&mut self, samples: &mut [f32; HOP_SIZE]) {
        let energy = sum_of_squares(samples) / HOP_SIZE as f32;
        self.energies[self.oldest] = energy;
        self.oldest = (self.oldest + 1) % N_HOPS;
        // All terms are summed each time: a running sum drifts, and streams would differ from clips.
        let target = (self.energies.iter().sum::<f32>() / N_HOPS as f32 + FLOOR).sqrt().recip();
        let slope = (target - self.gain) / HOP_SIZE as f32;
        for (i, x) in samples.iter_mut().enumerate() {
            *x *= self.gain + slope * (i + 1) as f32;
        }
        self.gain = target;
    }

    /// Normalises a whole clip; a last incomplete hop is dropped. Allocates.
    pub fn clip(samples: &[f32]) -> Vec<f32> {
        let mut normalizer = Self::default();
        let (hops, _) = samples.as_chunks::<HOP_SIZE>();
        let mut out = hops.to_vec();
        for hop in &mut out {
            normalizer.hop(hop);
        }
        out.into_flattened()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loud_and_soft_tones_have_the_same_level_after_it() {
        let tone = |gain: f32| (0..16_000).map(|i| gain * (i as f32 * 0.2).sin()).collect::<Vec<_>>();
        let (loud, soft) = (LevelNormalizer::clip(&tone(0.9)), LevelNormalizer::clip(&tone(0.009)));
        let rms = |x: &[f32]| (x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32).sqrt();
        assert!((rms(&loud[8_000..]) - 1.0).abs() < 0.01);
        assert!((rms(&soft[8_000..]) - 1.0).abs() < 0.01);
    }

    #[test]
    fn silence_stays_silent() {
        assert!(LevelNormalizer::clip(&[0.0; 6400]).iter().all(|x| *x == 0.0));
    }
}
