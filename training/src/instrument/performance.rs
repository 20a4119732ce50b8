//! A recording taken apart for the decoder: what was played, and how it would sound as the input of the plugin.

use super::perturb::disguises;
use crate::analysis::{
    HarmonicTrack, check_level, cut_silence, fill_gaps, harmonic_amplitudes, noise_bands, track_pitch,
};
use crate::random::{Draw, generator};
use anyhow::{Result, ensure};
use embouchure_audio_file::{read, resample, to_mono};
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE, N_HARMONICS, N_NOISE_BANDS, N_Z, NOISE_MAX_HZ};
use embouchure_inference::encoder::Encoder;
use embouchure_inference::features::{LoudnessMeter, RumbleFilter};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// Rate of the target audio, Hz.
pub const TARGET_RATE: u32 = 48_000;
/// Samples per hop of the target audio.
pub const TARGET_HOP: usize = TARGET_RATE as usize / 250;
/// Less of it pitched than this, and a recording is no melody of this instrument.
const LEAST_PITCHED: f32 = 0.2;
/// How far copies are from the original, semitones: past the neighbouring notes, and not so far that the body changes.
const COPY_SEMITONES: (f32, f32) = (0.4, 2.0);
/// Disguises of a copy, itself included.
const COPY_DISGUISES: usize = 4;

/// One recording, per hop.
pub struct Performance {
    /// Who plays, counted from 0.
    pub player: usize,
    /// Not a copy at another speed.
    pub is_original: bool,
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
    /// See [`Encoder`].
    pub z: [f32; N_Z],
}

/// One channel at [`TARGET_RATE`] without long silences.
pub fn load(path: &Path) -> Result<Vec<f32>> {
    let audio = read(path)?;
    let samples = to_mono(&audio);
    check_level(&samples)?;
    Ok(cut_silence(&resample(&samples, audio.rate, TARGET_RATE), TARGET_HOP))
}

/// Refuses what has hardly a pitch.
pub fn check_pitched(pitched: &[bool]) -> Result<()> {
    let share = pitched.iter().filter(|p| **p).count() as f32 / pitched.len().max(1) as f32;
    let percent = 100.0 * share;
    ensure!(share > LEAST_PITCHED, "only {percent:.0} % of it has a clear pitch: one note at a time, and little noise");
    Ok(())
}

impl Performance {
    /// Takes the recording at `path` apart, and copies of it that are played faster and slower: single notes would
    /// otherwise teach the decoder that everything about a note follows from its f0.
    pub fn with_copies(path: &Path, player: usize, n_copies: usize, encoder: &Encoder) -> Result<Vec<Self>> {
        let audio = load(path)?;
        // Of the name, so that a recording has the same disguises wherever it lies.
        let hash = |h: u64, b: &u8| h * 31 % 65_521 + *b as u64;
        let mut rng = generator(path.file_name().map_or(0, |n| n.as_encoded_bytes().iter().fold(7, hash)), 0);
        let mut all = vec![Self::analyse(audio.clone(), player, true, encoder, &mut rng)?];
        for i in 0..n_copies {
            let side = if i % 2 == 0 { 1.0 } else { -1.0 };
            let ratio = (side * rng.uniform(COPY_SEMITONES.0, COPY_SEMITONES.1) / 12.0).exp2();
            let copy = resample(&audio, TARGET_RATE, (TARGET_RATE as f32 / ratio) as u32);
            all.push(Self::analyse(copy, player, false, encoder, &mut rng)?);
        }
        Ok(all)
    }

    fn analyse(
        mut audio: Vec<f32>,
        player: usize,
        is_original: bool,
        encoder: &Encoder,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let n_hops = audio.len() / TARGET_HOP;
        ensure!(n_hops > 0, "shorter than one hop");
        audio.truncate(n_hops * TARGET_HOP);
        let mut at_model_rate = resample(&audio, TARGET_RATE, MODEL_RATE);
        at_model_rate.resize(n_hops * HOP_SIZE, 0.0);

        let measured: Vec<f32> = track_pitch(&audio, TARGET_RATE).iter().map(|p| p.f0_hz).collect();
        let pitched: Vec<bool> = measured.iter().map(|f| *f > 0.0).collect();
        check_pitched(&pitched)?;
        let f0_hz = fill_gaps(&measured);
        let harmonics = harmonic_amplitudes(&audio, TARGET_RATE, &f0_hz, N_HARMONICS, NOISE_MAX_HZ);

        let mut disguises = disguises(&at_model_rate, &f0_hz, &pitched, &harmonics, rng);
        while !is_original && disguises.len() > COPY_DISGUISES {
            disguises.remove(1 + rng.index(disguises.len() - 1));
        }
        let heard = disguises.iter().map(|clip| {
            let hops = encoder
                .forward(&RumbleFilter::clip(clip))?
                .into_iter()
                .map(|e| HeardHop { voicing: e.voicing, z: std::array::from_fn(|i| e.z[i]) });
            Ok(hops.collect())
        });
        Ok(Self {
            player,
            is_original,
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
