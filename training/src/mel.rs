//! Bands of a spectrum that are equally wide in mel.

use embouchure_inference::controls::hz_to_mel;

/// Index of the mel band that each bin of a real FFT belongs to, `[fft_size / 2 + 1]`. `rate`: Hz. The `n_bands` bands
/// are equally wide in mel, from 0 Hz to half the rate. Allocates.
pub fn bands_of_bins(rate: u32, fft_size: usize, n_bands: usize) -> Vec<usize> {
    let top = hz_to_mel(rate as f32 / 2.0);
    let band = |bin: usize| (hz_to_mel(bin as f32 * rate as f32 / fft_size as f32) / top * n_bands as f32) as usize;
    (0..=fft_size / 2).map(|bin| band(bin).min(n_bands - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_rise_from_the_first_to_the_last_and_get_wider() {
        let bands = bands_of_bins(48_000, 2048, 80);
        assert_eq!((bands.len(), bands[0], bands[1024]), (1025, 0, 79));
        assert!(bands.is_sorted());
        let width = |band: usize| bands.iter().filter(|b| **b == band).count();
        assert!(width(10) < width(40) && width(40) < width(70));
    }
}
