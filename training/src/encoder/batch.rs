//! Training batches of the encoder: augmented clips and their labels.

use super::net::N_SPECTRUM;
use super::tones;
use crate::corpus::Corpus;
use crate::encoder::augment::{Augment, only_noise};
use crate::encoder::spectrum::SpectrumFrames;
use crate::random::{Draw, generator};
use candle_core::{Device, Result, Tensor};
use embouchure_inference::config::{FRAME_RATE, HOP_SIZE, N_PITCH_BINS, N_Z, hz_to_bin};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::hear::{LevelNormalizer, RumbleFilter};
use rand_chacha::ChaCha8Rng;

/// The first steps have synthetic tones only, whose variety is endless. Recordings come later.
const TONES_ONLY: usize = 7100;
/// Share of clips without any pitch; share of recordings among the others.
const NOISE_SHARE: f32 = 0.1;
const CORPUS_SHARE: f32 = 0.6;
/// A beginning of a note lasts this many periods, plus these seconds. Below: its weight, where all else has 1. With it
/// a note of 110 Hz was settled after 23.7 ms instead of 31.7, one of 1.5 kHz after 5.5 instead of 7.7 (docs/tried.md).
const BEGINNING: (f32, f32) = (3.0, 0.008);
const BEGINNING_WEIGHT: f32 = 4.0;
/// A pitch that moves further within a hop begins a new note, octaves.
const NEW_NOTE: f32 = 1.0 / 24.0;
/// Hops of one clip: one second.
pub const CLIP_HOPS: usize = FRAME_RATE as usize;
/// Samples of one clip at the model rate.
pub const CLIP_SAMPLES: usize = CLIP_HOPS * HOP_SIZE;

/// Audio whose pitch is known, at the model rate.
pub struct Clip {
    /// The pitched part.
    pub samples: Vec<f32>,
    /// The unpitched part: breath, consonants. As long as `samples`; the clip is their sum.
    pub breath: Vec<f32>,
    /// Pitch at the last sample of each hop, Hz; 0 = unvoiced.
    pub f0_hz: Vec<f32>,
    /// 1 per hop, or 0 where the voicing is ambiguous.
    pub voicing_known: Vec<f32>,
}

impl Clip {
    /// Silence.
    pub fn silent(n_hops: usize) -> Self {
        let samples = vec![0.0; n_hops * HOP_SIZE];
        Self { breath: samples.clone(), samples, f0_hz: vec![0.0; n_hops], voicing_known: vec![1.0; n_hops] }
    }

    /// The pitched and the unpitched part together.
    pub fn sum(&self) -> Vec<f32> {
        self.samples.iter().zip(&self.breath).map(|(x, b)| x + b).collect()
    }
}

/// Clips of a training step. Rows are the hops of all clips, one clip after the other.
#[derive(Default)]
pub struct Batch {
    n_clips: usize,
    /// Level-normalised audio, clip after clip.
    samples: Vec<f32>,
    /// Pitch of each row, Hz; 0 = unvoiced.
    pub f0_hz: Vec<f32>,
    /// Weight of each row in the loss of the pitch.
    pub pitch_weights: Vec<f32>,
    /// As in [`Clip`], per row.
    voicing_known: Vec<f32>,
    /// Spectrum of the clean clip, `[rows, N_SPECTRUM]`.
    spectrum: Vec<f32>,
    /// 1 for each row in which the clean clip sounds.
    sounding: Vec<f32>,
    /// z of the encoder whose z is kept, `[rows, N_Z]`; empty if z is free.
    z: Vec<f32>,
}

/// Source of batches. The same seed and index give the same batch.
pub struct Batches {
    seed: u64,
    n_clips: usize,
    corpus: Corpus,
    /// Encoder whose z is kept, if one is improved.
    kept: Option<Encoder>,
    augment: Augment,
    spectrum: SpectrumFrames,
}

impl Batches {
    /// Batches of `n_clips`. Recordings are drawn from `corpus`, which may be empty. `kept`: encoder whose z is kept.
    pub fn new(seed: u64, n_clips: usize, corpus: Corpus, kept: Option<Encoder>) -> Self {
        Self { seed, n_clips, corpus, kept, augment: Augment::new(), spectrum: SpectrumFrames::new() }
    }

    /// The batch of step `index`.
    pub fn make(&mut self, index: usize) -> Batch {
        let mut rng = generator(self.seed, index as u64);
        let mut batch = Batch { n_clips: self.n_clips, ..Batch::default() };
        for _ in 0..self.n_clips {
            let mut clip = self.draw_clip(index, &mut rng);
            self.spectrum.append(&clip, &mut batch.spectrum, &mut batch.sounding);
            let heard = self.augment.apply(&mut clip, &mut rng);
            let heard = RumbleFilter::clip(&heard);
            if let Some(kept) = &self.kept {
                batch.z.extend(kept.forward(&heard).into_iter().flat_map(|encoding| encoding.z));
            }
            batch.samples.extend(LevelNormalizer::clip(&heard));
            batch.pitch_weights.extend(pitch_weights(&clip.f0_hz));
            batch.f0_hz.extend(clip.f0_hz);
            batch.voicing_known.extend(clip.voicing_known);
        }
        batch
    }

    fn draw_clip(&self, index: usize, rng: &mut ChaCha8Rng) -> Clip {
        if rng.chance(NOISE_SHARE) {
            return only_noise(rng);
        }
        let recorded = if rng.chance(CORPUS_SHARE) && (index >= TONES_ONLY || self.kept.is_some()) {
            self.corpus.draw_clip(rng)
        } else {
            None
        };
        recorded.unwrap_or_else(|| tones::draw_clip(rng))
    }
}

/// Weight of the pitch of each hop. Beginnings of notes weigh more, because a player waits for their pitch.
fn pitch_weights(f0_hz: &[f32]) -> Vec<f32> {
    let (mut before, mut since_s) = (0.0, 0.0);
    let weigh = |f0: &f32| {
        let goes_on = before > 0.0 && (f0 / before).log2().abs() < NEW_NOTE;
        since_s = if goes_on { since_s + 1.0 / FRAME_RATE } else { 0.0 };
        before = *f0;
        if since_s < BEGINNING.0 / f0 + BEGINNING.1 { BEGINNING_WEIGHT } else { 1.0 }
    };
    f0_hz.iter().map(weigh).collect()
}

impl Batch {
    /// Level-normalised audio, `[clips, samples, 1]`.
    pub fn input(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.samples, (self.n_clips, CLIP_SAMPLES, 1), device)
    }

    /// z to keep, `[rows, N_Z]`; `None` if z is free.
    pub fn kept_z(&self, device: &Device) -> Result<Option<Tensor>> {
        let tensor = || Tensor::from_slice(&self.z, (self.f0_hz.len(), N_Z), device);
        (!self.z.is_empty()).then(tensor).transpose()
    }

    /// Voicing, 0 or 1, `[rows]`.
    pub fn voiced(&self, device: &Device) -> Result<Tensor> {
        let voiced: Vec<f32> = self.f0_hz.iter().map(|f| f32::from(*f > 0.0)).collect();
        Tensor::new(voiced, device)
    }

    /// f0 scaled to -1 to 1 (0 if unvoiced), and voicing, `[rows, 2]`.
    pub fn pitch_features(&self, device: &Device) -> Result<Tensor> {
        let features = |f0: &f32| match *f0 > 0.0 {
            true => [2.0 * hz_to_bin(*f0) / N_PITCH_BINS as f32 - 1.0, 1.0],
            false => [0.0, 0.0],
        };
        let rows: Vec<f32> = self.f0_hz.iter().flat_map(features).collect();
        Tensor::from_vec(rows, (self.f0_hz.len(), 2), device)
    }

    /// 1 where [`Self::voiced`] is certain, `[rows]`.
    pub fn voicing_known(&self, device: &Device) -> Result<Tensor> {
        Tensor::new(self.voicing_known.as_slice(), device)
    }

    /// Spectrum of the clean clips, `[rows, N_SPECTRUM]`.
    pub fn spectrum(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.spectrum, (self.f0_hz.len(), N_SPECTRUM), device)
    }

    /// 1 where the clean clip sounds, `[rows, 1]`.
    pub fn sounding(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.sounding, (self.sounding.len(), 1), device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_weigh_more_for_three_periods() {
        let f0_hz = [[0.0; 3].as_slice(), &[100.0; 12], &[200.0; 8]].concat();
        let weighted: Vec<usize> =
            (0..f0_hz.len()).filter(|i| f0_hz[*i] > 0.0 && pitch_weights(&f0_hz)[*i] > 1.0).collect();
        // 38 ms at 100 Hz from hop 3 on, 23 ms at 200 Hz from hop 15 on.
        assert_eq!(weighted, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19, 20]);
    }
}
