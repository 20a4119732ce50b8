//! The fixed sizes of the model, shared by training and runtime.

/// Rate at which the encoder reads audio, Hz (as CREPE).
pub const MODEL_RATE: u32 = 16_000;
/// Model-rate samples between two control frames: 4 ms.
pub const HOP_SIZE: usize = 64;
/// The encoder's receptive field: samples at the model rate up to the newest that one control frame depends on.
pub const FRAME_SIZE: usize = 1024;
/// Control frames per second.
pub const FRAME_RATE: f32 = MODEL_RATE as f32 / HOP_SIZE as f32;
/// Time from one control frame to the next, s.
pub const HOP_S: f64 = HOP_SIZE as f64 / MODEL_RATE as f64;
/// Cutoff of the resamplers to the model rate, Hz: they remove harmonics above it.
pub const HEARD_MAX_HZ: f32 = 7600.0;

/// Rate at which a noise magnitude of 1 means white noise of unit variance, Hz. Training compares sounds at this rate.
pub const REFERENCE_RATE: u32 = 48_000;

/// Harmonics of the oscillator bank.
pub const N_HARMONICS: usize = 100;
/// Bands of the noise filter, mel-spaced from 0 Hz to [`NOISE_MAX_HZ`].
pub const N_NOISE_BANDS: usize = 64;
/// Upper edge of the noise filter and of the harmonics, Hz.
pub const NOISE_MAX_HZ: f32 = 20_000.0;
/// Inputs of the decoder per hop: f0, loudness, voicing, z.
pub const N_FEATURES: usize = 3 + N_Z;
/// Raw outputs of the decoder per hop: amplitude, harmonic distribution, noise magnitudes.
pub const N_RAW: usize = 1 + N_HARMONICS + N_NOISE_BANDS;
/// Values of the latent timbre vector.
pub const N_Z: usize = 16;

/// Bins of the pitch posterior.
pub const N_PITCH_BINS: usize = 440;
/// Centre of the lowest pitch bin, Hz.
pub const F0_MIN_HZ: f32 = 31.0;
/// Width of a pitch bin; 440 of them reach 5 kHz, past the highest whistle.
pub const CENTS_PER_BIN: f32 = 20.0;

/// Position of `f0_hz` (> 0) on the axis of pitch bins; bin centres are integers.
pub fn hz_to_bin(f0_hz: f32) -> f32 {
    1200.0 / CENTS_PER_BIN * (f0_hz / F0_MIN_HZ).log2()
}

/// Inverse of [`hz_to_bin`], Hz.
pub fn bin_to_hz(bin: f32) -> f32 {
    F0_MIN_HZ * (bin * CENTS_PER_BIN / 1200.0).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_reach_from_31_hz_to_5_khz() {
        assert_eq!(hz_to_bin(31.0), 0.0);
        let top = bin_to_hz((N_PITCH_BINS - 1) as f32);
        assert!((4900.0..5000.0).contains(&top), "{top}");
        assert!((hz_to_bin(bin_to_hz(123.4)) - 123.4).abs() < 1e-3);
    }
}
