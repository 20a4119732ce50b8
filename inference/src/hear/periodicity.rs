//! Periodicity of the sound at the heard pitch: high for a note, low for breath, even where the encoder finds a pitch
//! in it.

use crate::config::{FRAME_SIZE, MODEL_RATE};
use multiversion::multiversion;

/// Shortest span that is compared with that one period before, samples: 16 ms.
const MIN_SPAN: usize = 256;

/// Correlation of the newest samples of `frame` with those one period of `f0_hz` (> 0) before, -1 to 1; 0 for silence.
/// Only the newest samples count, so that a note that has just begun is periodic, too. Realtime-safe.
pub fn periodicity(frame: &[f32; FRAME_SIZE], f0_hz: f32) -> f32 {
    let period = (MODEL_RATE as f32 / f0_hz).clamp(1.0, (FRAME_SIZE - MIN_SPAN - 2) as f32);
    let lag = period as usize;
    let n = lag.max(MIN_SPAN).min(FRAME_SIZE - lag - 2);
    let start = FRAME_SIZE - n;
    let (both, power) = correlate(&frame[start..], &frame[start - lag - 1..], period.fract());
    if power > 0.0 { 2.0 * both / power } else { 0.0 }
}

/// Sums of products and of squares of `new` and `old`, which is delayed by `share` of a sample with linear
/// interpolation. `old` has at least one sample more.
#[multiversion(targets("x86_64+avx2"))]
fn correlate(new: &[f32], old: &[f32], share: f32) -> (f32, f32) {
    const LANES: usize = 8;
    let (mut both, mut power) = ([0.0; LANES], [0.0; LANES]);
    for i in 0..new.len() / LANES {
        for lane in 0..LANES {
            let at = i * LANES + lane;
            let (x, y) = (new[at], old[at + 1] + share * (old[at] - old[at + 1]));
            both[lane] += x * y;
            power[lane] += x * x + y * y;
        }
    }
    (both.iter().sum(), power.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn frame(f0_hz: f32, tone: f32, noise: f32) -> [f32; FRAME_SIZE] {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        std::array::from_fn(|i| {
            let turns = f0_hz * i as f32 / MODEL_RATE as f32;
            let partials = (1..=3)
                .filter(|k| *k as f32 * f0_hz < 7000.0)
                .map(|k| (std::f32::consts::TAU * turns * k as f32).sin())
                .sum::<f32>();
            tone * partials + noise * rng.random_range(-1.0f32..1.0)
        })
    }

    #[test]
    fn notes_are_periodic_and_noise_is_not() {
        for f0_hz in [31.0, 65.4, 110.3, 440.0, 1503.7, 4900.0] {
            assert!(periodicity(&frame(f0_hz, 0.1, 0.0), f0_hz) > 0.6, "{f0_hz}");
            assert!(periodicity(&frame(f0_hz, 0.1, 0.1), f0_hz) > 0.5, "{f0_hz} in noise");
            assert!(periodicity(&frame(f0_hz, 0.0, 0.1), f0_hz) < 0.4, "noise for {f0_hz}");
        }
        assert_eq!(periodicity(&[0.0; FRAME_SIZE], 100.0), 0.0);
    }

    #[test]
    fn a_note_that_has_just_begun_is_periodic() {
        let mut begun = frame(220.0, 0.1, 0.0);
        begun[..FRAME_SIZE - 200].fill(0.0);
        assert!(periodicity(&begun, 220.0) > 0.6);
    }
}
