//! What the synth is to render for one control frame: valid, physical values.

mod noise_bands;
mod room;

pub use noise_bands::{band_to_hz, hz_to_band, hz_to_mel, noise_band_centres_hz, noise_band_edges_hz};
pub use room::{CROSSOVERS_HZ, LN_60_DB, N_BANDS as N_ROOM_BANDS, Room};

use crate::config::{N_HARMONICS, N_NOISE_BANDS};

/// Synth controls at one instant. Plain data, copied between threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// Fundamental, Hz, > 0 (kept at the last voiced value while the gate is shut).
    pub f0_hz: f32,
    /// Overall linear level of the harmonic part, ≥ 0.
    pub amplitude: f32,
    /// Weights of harmonics 1, 2, …: ≥ 0, summing to 1.
    pub harmonic_distribution: [f32; N_HARMONICS],
    /// Linear gain of white noise of unit variance at 48 kHz in each band, ≥ 0. The density per Hz is what counts:
    /// at another host rate the same value gives the same density.
    pub noise_magnitudes: [f32; N_NOISE_BANDS],
}

impl Controls {
    /// Exact silence.
    pub const SILENT: Self = Self {
        f0_hz: 440.0,
        amplitude: 0.0,
        harmonic_distribution: [0.0; N_HARMONICS],
        noise_magnitudes: [0.0; N_NOISE_BANDS],
    };

    /// True if rendering these controls gives exact zeros.
    pub fn is_silent(&self) -> bool {
        self.amplitude == 0.0 && self.noise_magnitudes.iter().all(|m| *m == 0.0)
    }
}
