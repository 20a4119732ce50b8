//! A recording analysed for the decoder: the targets (controls and sound), and the encoder's output for it and its
//! disguises.

use super::perturb::disguises;
use crate::analysis::{
    FRAME_RATE, TextureMeasure, check_level, cut_silence, fill_gaps, harmonic_amplitudes, noise_bands, share_of_chords,
    track_pitch,
};
use crate::progress::Progress;
use crate::random::{Draw, generator};
use crate::recordings;
use anyhow::{Result, ensure};
use embouchure_audio_file::{resample, to_mono};
use embouchure_inference::config::{
    HOP_SIZE, MODEL_RATE, N_HARMONICS, N_NOISE_BANDS, N_Z, NOISE_MAX_HZ, REFERENCE_RATE,
};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::hear::{LoudnessMeter, RumbleFilter};
use half::f16;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// Rate of the target audio, Hz: the noise magnitudes are defined for it.
pub const TARGET_RATE: u32 = REFERENCE_RATE;
/// Samples per hop of the target audio.
pub const TARGET_HOP: usize = TARGET_RATE as usize / FRAME_RATE;
/// Least share of pitched hops in a usable recording.
const LEAST_PITCHED: f32 = 0.2;
/// A recording with several notes at once in at least this share of it is refused. Of 759 recordings of single notes
/// and lines one, in a room that rings, has more (0.5); the next has 0.37.
const MOST_CHORDS: f32 = 0.4;
/// Least and greatest transposition of copies, semitones: past the neighbouring notes, but little for the body.
const COPY_SEMITONES: (f32, f32) = (0.4, 2.0);
/// Disguises of a copy, the undisguised one included.
const COPY_DISGUISES: usize = 4;

/// Longest piece, samples: 30 s. Longer recordings are analysed in pieces.
const PIECE: usize = 30 * TARGET_RATE as usize;

/// Number of copies, and share of the recordings that is used.
#[derive(Clone, Copy)]
pub struct Copies {
    /// Copies of each recording at other speeds.
    pub number: usize,
    /// Share of the pieces that are used.
    pub share: f32,
}

/// One analysed recording, or a piece of it, per hop.
pub struct Performance {
    /// Index of the player, from 0.
    pub player: usize,
    /// True for the recording itself, false for a copy at another speed.
    pub is_original: bool,
    /// Samples at [`TARGET_RATE`], whole hops. Large arrays have 16 bits, because minutes of recordings would otherwise
    /// need gigabytes.
    pub audio: Vec<f16>,
    /// Pitch at the end of each hop, Hz, gaps filled.
    pub f0_hz: Vec<f32>,
    /// True where a pitch was measured.
    pub pitched: Vec<bool>,
    /// A-weighted loudness, dB.
    pub loudness_db: Vec<f32>,
    /// Measured amplitudes, `[hops][N_HARMONICS]`.
    harmonics: Vec<f16>,
    /// Measured noise, `[hops][N_NOISE_BANDS]`.
    noise: Vec<f16>,
    /// Wavering of its partials.
    pub texture: TextureMeasure,
    /// The encoder's output, `[disguises][hops]`; the first is of the recording itself.
    pub heard: Vec<Vec<HeardHop>>,
}

/// The encoder's output for one hop.
pub struct HeardHop {
    /// Probability of a pitch.
    pub voicing: f32,
    /// Latent timbre vector, see [`Encoder`].
    pub z: [f16; N_Z],
}

/// Reads a recording as one channel at [`TARGET_RATE`] without long silences. Errors if it is clipped or too quiet.
pub fn load(path: &Path, progress: &dyn Progress) -> Result<Vec<f32>> {
    let audio = recordings::load(path, progress)?;
    let samples = to_mono(&audio);
    check_level(&samples)?;
    Ok(cut_silence(&resample(&samples, audio.rate, TARGET_RATE), TARGET_HOP))
}

fn to_f16(values: &[f32]) -> Vec<f16> {
    values.iter().map(|x| f16::from_f32(*x)).collect()
}

/// Errors if too few hops are pitched.
pub fn check_pitched(pitched: &[bool]) -> Result<()> {
    let share = pitched.iter().filter(|p| **p).count() as f32 / pitched.len().max(1) as f32;
    let percent = 100.0 * share;
    ensure!(share > LEAST_PITCHED, "only {percent:.0} % of it has a clear pitch: one note at a time, and little noise");
    Ok(())
}

/// Errors if several notes sound at once in too much of `audio` (at [`TARGET_RATE`]), even where a pitch was found.
pub fn check_one_note(audio: &[f32], f0_hz: &[f32]) -> Result<()> {
    let share = share_of_chords(audio, TARGET_RATE, f0_hz);
    let percent = 100.0 * share;
    ensure!(share < MOST_CHORDS, "several notes sound at once in {percent:.0} % of it: one note at a time");
    Ok(())
}

impl Performance {
    /// Analyses the recording at `path` and its faster and slower copies, piece by piece. Without copies, single notes
    /// teach the decoder that everything about a note follows from its f0.
    pub fn of(
        path: &Path,
        player: usize,
        copies: Copies,
        encoder: &Encoder,
        progress: &dyn Progress,
    ) -> Result<Vec<Self>> {
        // The seed comes from the file name, so that a recording has the same disguises in any folder.
        let hash = |h: u64, b: &u8| h * 31 % 65_521 + *b as u64;
        let mut rng = generator(path.file_name().map_or(0, |n| n.as_encoded_bytes().iter().fold(7, hash)), 0);
        let mut all = Vec::new();
        let mut refused = None;
        for piece in load(path, progress)?.chunks(PIECE) {
            if copies.share < 1.0 && !rng.chance(copies.share) {
                continue;
            }
            match Self::with_copies(piece, player, copies.number, encoder, &mut rng) {
                Ok(performances) => all.extend(performances),
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if all.is_empty() => Err(error),
            _ => Ok(all),
        }
    }

    fn with_copies(
        audio: &[f32],
        player: usize,
        n_copies: usize,
        encoder: &Encoder,
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<Self>> {
        let mut all = vec![Self::analyse(audio.to_vec(), player, true, encoder, rng)?];
        for i in 0..n_copies {
            let side = if i % 2 == 0 { 1.0 } else { -1.0 };
            let ratio = (side * rng.uniform(COPY_SEMITONES.0, COPY_SEMITONES.1) / 12.0).exp2();
            let copy = resample(audio, TARGET_RATE, (TARGET_RATE as f32 / ratio) as u32);
            all.push(Self::analyse(copy, player, false, encoder, rng)?);
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
        // The result for a recording holds for its copies.
        if is_original {
            check_one_note(&audio, &measured)?;
        }
        let f0_hz = fill_gaps(&measured);
        let harmonics = harmonic_amplitudes(&audio, TARGET_RATE, &f0_hz, N_HARMONICS, NOISE_MAX_HZ);

        let mut texture = TextureMeasure::default();
        texture.add(&f0_hz, &pitched, &harmonics);
        let mut disguises = disguises(&at_model_rate, &f0_hz, &pitched, &harmonics, rng);
        while !is_original && disguises.len() > COPY_DISGUISES {
            disguises.remove(1 + rng.index(disguises.len() - 1));
        }
        let heard = disguises.iter().map(|clip| {
            let hops = encoder
                .forward(&RumbleFilter::clip(clip))
                .into_iter()
                .map(|e| HeardHop { voicing: e.voicing, z: std::array::from_fn(|i| f16::from_f32(e.z[i])) });
            hops.collect()
        });
        Ok(Self {
            player,
            is_original,
            heard: heard.collect(),
            loudness_db: LoudnessMeter::clip(&at_model_rate, &measured),
            noise: to_f16(noise_bands(&audio, &measured).as_flattened()),
            audio: to_f16(&audio),
            f0_hz,
            pitched,
            harmonics: (0..n_hops).flat_map(|t| to_f16(harmonics.frame(t))).collect(),
            texture,
        })
    }

    /// Measured amplitudes of one hop, `N_HARMONICS`.
    pub fn harmonics(&self, hop: usize) -> impl Iterator<Item = f32> {
        self.harmonics[hop * N_HARMONICS..][..N_HARMONICS].iter().map(|x| x.to_f32())
    }

    /// Measured noise of one hop, `N_NOISE_BANDS`.
    pub fn noise(&self, hop: usize) -> impl Iterator<Item = f32> {
        self.noise[hop * N_NOISE_BANDS..][..N_NOISE_BANDS].iter().map(|x| x.to_f32())
    }

    /// Number of hops.
    pub fn len(&self) -> usize {
        self.f0_hz.len()
    }
}
