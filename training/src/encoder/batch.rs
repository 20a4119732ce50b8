//! One training batch: clips, what was done to them, and what the network shall say.

use super::net::N_MEL;
use super::tones;
use crate::corpus::Corpus;
use crate::encoder::augment::Augment;
use crate::encoder::mel::MelFrames;
use crate::random::{Draw, generator};
use candle_core::{Device, Result, Tensor};
use embouchure_inference::config::{HOP_SIZE, N_PITCH_BINS, hz_to_bin};
use embouchure_inference::features::LevelNormalizer;

/// The first steps hear synthetic tones only, whose variety is endless; recordings refine.
const TONES_ONLY: usize = 7100;
/// Hops of one clip: one second.
pub const CLIP_HOPS: usize = 250;
/// Samples of one clip at the model rate.
pub const CLIP_SAMPLES: usize = CLIP_HOPS * HOP_SIZE;

/// Audio whose pitch is known.
pub struct Clip {
    /// `[CLIP_SAMPLES]` at the model rate.
    pub samples: Vec<f32>,
    /// `[CLIP_HOPS]`, pitch at the hop's last sample, 0 = unvoiced.
    pub f0_hz: Vec<f32>,
}

/// Clips side by side; rows are hops.
pub struct Batch {
    n_clips: usize,
    /// Level-normalised audio, clip after clip.
    samples: Vec<f32>,
    /// One per row; 0 = unvoiced.
    pub f0_hz: Vec<f32>,
    /// `[rows, N_MEL]`: log-mel bands of the clean clip.
    mel: Vec<f32>,
    /// One per row: 1 where the clean clip sounds.
    sounding: Vec<f32>,
}

/// Makes batch after batch; the same seed and index give the same batch.
pub struct Batches {
    seed: u64,
    n_clips: usize,
    corpus: Corpus,
    augment: Augment,
    mel: MelFrames,
}

impl Batches {
    /// Recordings are drawn from `corpus`, which may be empty.
    pub fn new(seed: u64, n_clips: usize, corpus: Corpus) -> Self {
        Self { seed, n_clips, corpus, augment: Augment::new(), mel: MelFrames::new() }
    }

    /// The batch of step `index`.
    pub fn make(&mut self, index: usize) -> Batch {
        let mut rng = generator(self.seed, index as u64);
        let mut batch = Batch { n_clips: self.n_clips, samples: vec![], f0_hz: vec![], mel: vec![], sounding: vec![] };
        for _ in 0..self.n_clips {
            let recorded = if rng.chance(0.6) && index >= TONES_ONLY { self.corpus.draw_clip(&mut rng) } else { None };
            let mut clip = recorded.unwrap_or_else(|| tones::draw_clip(&mut rng));
            self.mel.append(&clip.samples, &mut batch.mel, &mut batch.sounding);
            self.augment.apply(&mut clip, &mut rng);
            batch.samples.extend(LevelNormalizer::clip(&clip.samples));
            batch.f0_hz.extend(clip.f0_hz);
        }
        batch
    }
}

impl Batch {
    /// `[clips, samples, 1]`.
    pub fn input(&self) -> Result<Tensor> {
        Tensor::from_slice(&self.samples, (self.n_clips, CLIP_SAMPLES, 1), &Device::Cpu)
    }

    /// `[rows]`: 1 = voiced.
    pub fn voiced(&self) -> Result<Tensor> {
        let voiced: Vec<f32> = self.f0_hz.iter().map(|f| f32::from(*f > 0.0)).collect();
        Tensor::new(voiced, &Device::Cpu)
    }

    /// `[rows, 2]`: f0 from -1 to 1 (0 if unvoiced), and voicing.
    pub fn pitch_features(&self) -> Result<Tensor> {
        let features = |f0: &f32| match *f0 > 0.0 {
            true => [2.0 * hz_to_bin(*f0) / N_PITCH_BINS as f32 - 1.0, 1.0],
            false => [0.0, 0.0],
        };
        let rows: Vec<f32> = self.f0_hz.iter().flat_map(features).collect();
        Tensor::from_vec(rows, (self.f0_hz.len(), 2), &Device::Cpu)
    }

    /// `[rows, N_MEL]`.
    pub fn mel_tensor(&self) -> Result<Tensor> {
        Tensor::from_slice(&self.mel, (self.f0_hz.len(), N_MEL), &Device::Cpu)
    }

    /// `[rows, 1]`: 1 where something sounds.
    pub fn sounding(&self) -> Result<Tensor> {
        Tensor::from_slice(&self.sounding, (self.sounding.len(), 1), &Device::Cpu)
    }
}
