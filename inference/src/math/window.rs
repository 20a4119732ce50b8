//! The window for short-time spectra.

use std::f32::consts::PI;

/// Hann window for an FFT of `size` samples: periodic, so that copies at a half or a quarter of its length sum to a
/// constant. Allocates.
///
/// Two places have their own. [`HarmonicMeter`](crate::hear::HarmonicMeter) rotates a phasor, because the length of its
/// window changes with the pitch from hop to hop. Training's projection counts from the middle of its window, whose
/// length may be odd.
pub fn hann(size: usize) -> Vec<f32> {
    (0..size).map(|i| (PI * i as f32 / size as f32).sin().powi(2)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_a_quarter_apart_sum_to_two() {
        let window = hann(512);
        for i in 0..128 {
            let sum: f32 = (0..4).map(|k| window[i + 128 * k]).sum();
            assert!((sum - 2.0).abs() < 1e-5, "{sum} at {i}");
        }
        assert_eq!((window[0], window[256]), (0.0, 1.0));
    }
}
