//! A recording taken apart for the decoder: what was played, and how it would sound as the input of the plugin.

use super::perturb::disguises;
use crate::analysis::{HarmonicTrack, fill_gaps, harmonic_amplitudes, noise_bands, track_pitch};
use crate::random::generator;
use crate::recordings::load_mono;
use anyhow::{Result, ensure};
use embouchure_audio_file::resample;
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE, N_HARMONICS, N_NOISE_BANDS, NOISE_MAX_HZ};
use embouchure_inference::encoder::Encoder;
use embouchure_inference::features::{LoudnessMeter, RumbleFilter};
use std::path::Path;

/// Rate of the target audio, Hz.
pub const TARGET_RATE: u32 = 48_000;
/// Samples per hop of the target audio.
pub const TARGET_HOP: usize = TARGET_RATE as usize / 250;
/// Less of it pitched than this, and a recording is no melody of this instrument.
const LEAST_PITCHED: f32 = 0.2;

/// One recording, per hop.
pub struct Performance {
    /// At [`TARGET_RATE`], whole hops.
    pub audio: Vec<f32>,
    /// Hz, gaps filled.
    pub f0_hz: Vec<f32>,
    /// True where a pitch was measured.
    pub pitched: Vec<bool>,
    /// A-weighted, dB.
    pub loudness_db: Vec<f32>,
    /// Measured amplitudes.
    pub harmonics: HarmonicTrack,
    /// Measured noise.
    pub noise: Vec<[f32; N_NOISE_BANDS]>,
    /// What the encoder makes of the recording and of its disguises.
    pub heard: Vec<Vec<HeardHop>>,
}

/// The encoder's view of one hop.
pub struct HeardHop {
    /// Probability of a pitch.
    pub voicing: f32,
    /// `[N_Z]`.
    pub z: Vec<f32>,
}

impl Performance {
    /// Takes the recording at `path` apart.
    pub fn analyse(path: &Path, encoder: &Encoder) -> Result<Self> {
        let mut audio = load_mono(path, TARGET_RATE)?;
        let n_hops = audio.len() / TARGET_HOP;
        ensure!(n_hops > 0, "shorter than one hop");
        audio.truncate(n_hops * TARGET_HOP);
        let mut at_model_rate = resample(&audio, TARGET_RATE, MODEL_RATE);
        at_model_rate.resize(n_hops * HOP_SIZE, 0.0);

        let measured: Vec<f32> = track_pitch(&audio, TARGET_RATE).iter().map(|p| p.f0_hz).collect();
        let pitched: Vec<bool> = measured.iter().map(|f| *f > 0.0).collect();
        let share = pitched.iter().filter(|p| **p).count() as f32 / n_hops as f32;
        ensure!(share > LEAST_PITCHED, "only {:.0} % of it has a clear pitch", share * 100.0);
        let f0_hz = fill_gaps(&measured);
        let harmonics = harmonic_amplitudes(&audio, TARGET_RATE, &f0_hz, N_HARMONICS, NOISE_MAX_HZ);

        let seed =
            path.file_name().map_or(0, |n| n.as_encoded_bytes().iter().fold(7, |h, b| h * 31 % 65_521 + *b as u64));
        let mut rng = generator(seed, 0);
        let disguises = disguises(&at_model_rate, &f0_hz, &pitched, &harmonics, &mut rng);
        let heard = disguises.iter().map(|clip| {
            let hops = encoder
                .forward(&RumbleFilter::clip(clip))?
                .into_iter()
                .map(|e| HeardHop { voicing: e.voicing, z: e.z });
            Ok(hops.collect())
        });
        Ok(Self {
            heard: heard.collect::<Result<_>>()?,
            loudness_db: LoudnessMeter::clip(&at_model_rate, &measured),
            noise: noise_bands(&audio, &measured),
            audio,
            f0_hz,
            pitched,
            harmonics,
        })
    }

    /// Hops.
    pub fn len(&self) -> usize {
        self.f0_hz.len()
    }
}
