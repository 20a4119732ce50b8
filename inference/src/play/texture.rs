//! Texture: the small unsteadiness of a played note. Partials waver independently, over hundredths of seconds. Common
//! and slower movements come with the source's loudness.
//!
//! A decoder that predicts the likeliest sound leaves it out, and listeners, human or not, recognise a bowed string by
//! it. Its size is measured in recordings; seeded random processes play it, so every render is the same.

use crate::config::N_HARMONICS;
use crate::controls::Controls;
use crate::math::{exp, exp_all};
use crate::nn::weights::{LoadError, Weights};
use crate::play::body;
use crate::play::follow::Follow;

/// Time scales, and how long each lasts, hops.
pub const N_SCALES: usize = 2;
/// See above: 20 and 100 ms.
pub const SCALE_HOPS: [usize; N_SCALES] = [5, 25];
/// Bands of frequency, evenly spaced in pitch.
pub const N_BANDS: usize = 24;
/// Correlation time as a share of the scale.
const MEMORY: f32 = 0.7;

/// Standard deviations of the logarithm of the partials' amplitudes, `[scale][band]`.
pub struct Texture([[f32; N_BANDS]; N_SCALES]);

/// State of the random processes.
pub struct TextureState {
    seed: u64,
    each: [[f32; N_HARMONICS]; N_SCALES],
}

impl Default for TextureState {
    fn default() -> Self {
        Self { seed: 1, each: [[0.0; N_HARMONICS]; N_SCALES] }
    }
}

impl TextureState {
    /// Mean 0, variance 1, near enough normal: four uniform draws of one number (SplitMix64, Steele et al. 2014).
    fn draw(&mut self) -> f32 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.seed;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        let sum = (x & 0xFFFF) + (x >> 16 & 0xFFFF) + (x >> 32 & 0xFFFF) + (x >> 48);
        (sum as f32 / 65_536.0 - 2.0) * 3f32.sqrt()
    }

    fn advance(&mut self) {
        for (scale, hops) in SCALE_HOPS.iter().enumerate() {
            let kept = exp(-1.0 / (MEMORY * *hops as f32));
            let new = (1.0 - kept * kept).sqrt();
            for k in 0..N_HARMONICS {
                self.each[scale][k] = kept * self.each[scale][k] + new * self.draw();
            }
        }
    }
}

impl Texture {
    /// Takes `texture`, `[N_SCALES, N_BANDS]`; a file without it plays steadily.
    pub fn load(weights: &mut Weights) -> Result<Self, LoadError> {
        let mut deviations = [[0.0; N_BANDS]; N_SCALES];
        if weights.arrays().contains_key("texture") {
            deviations.as_flattened_mut().copy_from_slice(&weights.take("texture", &[N_SCALES, N_BANDS])?);
        }
        Ok(Self(deviations))
    }

    /// Where `hz` (> 0) lies among the bands: 0 to `N_BANDS - 1`.
    pub fn band(hz: f32) -> f32 {
        Self::band_at(body::position(hz))
    }

    fn band_at(position: f32) -> f32 {
        position * ((N_BANDS - 1) as f32 / (body::N_POINTS - 1) as f32)
    }

    /// Wavers the harmonics for one hop, except for the share that follows the source.
    pub fn hop(&self, state: &mut TextureState, controls: Controls, follow: &Follow) -> Controls {
        state.advance();
        let mut logs = [0.0; N_HARMONICS];
        for (k, (log, position)) in logs.iter_mut().zip(body::positions(controls.f0_hz())).enumerate() {
            let place = body::neighbours(Self::band_at(position), N_BANDS);
            let waver =
                |(deviations, each): (&[f32; N_BANDS], &[f32; N_HARMONICS])| body::between(deviations, place) * each[k];
            *log = follow.wavering(k) * self.0.iter().zip(&state.each).map(waver).sum::<f32>();
        }
        exp_all(&mut logs);
        controls.with_harmonics(|k, amplitude| amplitude * logs[k])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(texture: &Texture, n: usize) -> Vec<Controls> {
        let mut state = TextureState::default();
        let hop = |_| texture.hop(&mut state, Controls::tone(440.0, &[0.05; 10]), &Follow::NONE);
        (0..n).map(hop).collect()
    }

    #[test]
    fn partials_waver_as_much_as_is_asked_for_and_the_same_each_time() {
        let mut texture = Texture([[0.0; N_BANDS]; N_SCALES]);
        assert!(play(&texture, 10).iter().all(|c| (c.amplitude() - 0.5).abs() < 1e-6));
        texture.0 = [[0.1; N_BANDS], [0.2; N_BANDS]];
        let played = play(&texture, 20_000);
        assert!(played == play(&texture, 20_000));
        for k in [0, 9] {
            let logs: Vec<f32> = played.iter().map(|c| c.harmonic_amplitudes()[k].ln()).collect();
            let mean = logs.iter().sum::<f32>() / logs.len() as f32;
            let variance = logs.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / logs.len() as f32;
            assert!((mean - 0.05f32.ln()).abs() < 0.03, "{mean}");
            assert!((variance.sqrt() - 0.05f32.sqrt()).abs() < 0.02, "{}", variance.sqrt());
        }
    }
}
