//! The bands of the noise filter: equally wide in mel, from 0 Hz to [`NOISE_MAX_HZ`].

use crate::config::{N_NOISE_BANDS, NOISE_MAX_HZ};

/// Edges of the noise bands in Hz, from 0 to [`NOISE_MAX_HZ`], equally wide in mel; band b lies between edges b and
/// b+1.
pub fn noise_band_edges_hz() -> [f32; N_NOISE_BANDS + 1] {
    std::array::from_fn(|edge| band_to_hz(edge as f32))
}

/// Centres (in mel) of the noise bands, Hz: where a band's gain holds exactly.
pub fn noise_band_centres_hz() -> [f32; N_NOISE_BANDS] {
    std::array::from_fn(|band| band_to_hz(band as f32 + 0.5))
}

/// Position of `hz` on the axis of band edges.
pub fn hz_to_band(hz: f32) -> f32 {
    hz_to_mel(hz) / hz_to_mel(NOISE_MAX_HZ) * N_NOISE_BANDS as f32
}

/// Inverse of [`hz_to_band`], Hz.
pub fn band_to_hz(band: f32) -> f32 {
    let mel = band / N_NOISE_BANDS as f32 * hz_to_mel(NOISE_MAX_HZ);
    700.0 * (10f32.powf(mel / 2595.0) - 1.0)
}

/// The mel scale: 2595 log10(1 + f / 700).
pub fn hz_to_mel(hz: f32) -> f32 {
    2595.0 * (1.0 + hz / 700.0).log10()
}
