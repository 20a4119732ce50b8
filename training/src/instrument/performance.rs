//! A recording taken apart for the decoder: what was played, and how it would sound as the input of the plugin.

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
/// Less of it pitched than this, and a recording is no melody of this instrument.
const LEAST_PITCHED: f32 = 0.2;
/// Several notes at once in this share of a recording are no accident: of 759 recordings of single notes and lines one, in a
/// room that rings, has more (0.5), and the next 0.37.
const MOST_CHORDS: f32 = 0.4;
/// How far copies are from the original, semitones: past the neighbouring notes, and not so far that the body changes.
const COPY_SEMITONES: (f32, f32) = (0.4, 2.0);
/// Disguises of a copy, itself included.
const COPY_DISGUISES: usize = 4;

/// A long recording is taken apart in pieces of this many samples: 30 s.
const PIECE: usize = 30 * TARGET_RATE as usize;

/// What becomes of each recording.
#[derive(Clone, Copy)]
pub struct Copies {
    /// Copies at other speeds.
    pub number: usize,
    /// Share of the pieces that are used.
    pub share: f32,
}

/// One recording, or a piece of it, per hop.
pub struct Performance {
    /// Who plays, counted from 0.
    pub player: usize,
    /// Not a copy at another speed.
    pub is_original: bool,
    /// At [`TARGET_RATE`], whole hops. In 16 bits, as is all that there is much of: minutes of recordings would otherwise
    /// need gigabytes.
    pub audio: Vec<f16>,
    /// Hz, gaps filled.
    pub f0_hz: Vec<f32>,
    /// True where a pitch was measured.
    pub pitched: Vec<bool>,
    /// A-weighted, dB.
    pub loudness_db: Vec<f32>,
    /// Measured amplitudes, `[hops][N_HARMONICS]`.
    harmonics: Vec<f16>,
    /// Measured noise, `[hops][N_NOISE_BANDS]`.
    noise: Vec<f16>,
    /// How its notes waver.
    pub texture: TextureMeasure,
    /// What the encoder makes of the recording and of its disguises.
    pub heard: Vec<Vec<HeardHop>>,
}

/// The encoder's view of one hop.
pub struct HeardHop {
    /// Probability of a pitch.
    pub voicing: f32,
    /// See [`Encoder`].
    pub z: [f16; N_Z],
}

/// One channel at [`TARGET_RATE`] without long silences.
pub fn load(path: &Path, progress: &dyn Progress) -> Result<Vec<f32>> {
    let audio = recordings::load(path, progress)?;
    let samples = to_mono(&audio);
    check_level(&samples)?;
    Ok(cut_silence(&resample(&samples, audio.rate, TARGET_RATE), TARGET_HOP))
}

fn halved(values: &[f32]) -> Vec<f16> {
    values.iter().map(|x| f16::from_f32(*x)).collect()
}

/// Refuses what has hardly a pitch.
pub fn check_pitched(pitched: &[bool]) -> Result<()> {
    let share = pitched.iter().filter(|p| **p).count() as f32 / pitched.len().max(1) as f32;
    let percent = 100.0 * share;
    ensure!(share > LEAST_PITCHED, "only {percent:.0} % of it has a clear pitch: one note at a time, and little noise");
    Ok(())
}

/// Refuses what has several notes at once, whatever pitch was found in it.
pub fn check_one_note(audio: &[f32], f0_hz: &[f32]) -> Result<()> {
    let share = share_of_chords(audio, TARGET_RATE, f0_hz);
    let percent = 100.0 * share;
    ensure!(share < MOST_CHORDS, "several notes sound at once in {percent:.0} % of it: one note at a time");
    Ok(())
}

impl Performance {
    /// Takes the recording at `path` apart, piece by piece, and copies of it that are played faster and slower: single
    /// notes would otherwise teach the decoder that everything about a note follows from its f0.
    pub fn of(
        path: &Path,
        player: usize,
        copies: Copies,
        encoder: &Encoder,
        progress: &dyn Progress,
    ) -> Result<Vec<Self>> {
        // Of the name, so that a recording has the same disguises wherever it lies.
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
        // What is true of a recording is true of its copies.
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
            noise: halved(noise_bands(&audio, &measured).as_flattened()),
            audio: halved(&audio),
            f0_hz,
            pitched,
            harmonics: (0..n_hops).flat_map(|t| halved(harmonics.frame(t))).collect(),
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

    /// Hops.
    pub fn len(&self) -> usize {
        self.f0_hz.len()
    }
}
