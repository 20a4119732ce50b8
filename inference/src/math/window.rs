//! The window of all short spectra.

use std::f32::consts::PI;

/// Hann's window for an FFT of `size` samples: periodic, so that copies a half or a quarter of it apart sum to a constant.
/// Allocates.
///
/// Two places have one of their own: [`HarmonicMeter`](crate::hear::HarmonicMeter) turns a rotor, because the length of its
/// window changes with the pitch from hop to hop; and the training's projection counts from the middle of its window, which is odd or even as the pitch wants it.
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
