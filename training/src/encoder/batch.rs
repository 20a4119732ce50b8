//! One training batch: clips, what was done to them, and what the network shall say.

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

/// The first steps hear synthetic tones only, whose variety is endless; recordings refine.
const TONES_ONLY: usize = 7100;
/// Clips without any pitch; and of the others, recordings.
const NOISE_SHARE: f32 = 0.1;
const CORPUS_SHARE: f32 = 0.6;
/// A beginning: this many periods, and seconds. What it counts for, where everything else counts for 1: a note of 110 Hz
/// was settled after 23.7 ms instead of 31.7, one of 1.5 kHz after 5.5 instead of 7.7 (docs/tried.md).
const BEGINNING: (f32, f32) = (3.0, 0.008);
const URGENT: f32 = 4.0;
/// What moves further within a hop begins anew, octaves.
const NEW_NOTE: f32 = 1.0 / 24.0;
/// Hops of one clip: one second.
pub const CLIP_HOPS: usize = FRAME_RATE as usize;
/// Samples of one clip at the model rate.
pub const CLIP_SAMPLES: usize = CLIP_HOPS * HOP_SIZE;

/// Audio whose pitch is known, at the model rate.
pub struct Clip {
    /// What has the pitch.
    pub samples: Vec<f32>,
    /// What has none: breath, consonants. As long as `samples`; the two are heard together.
    pub breath: Vec<f32>,
    /// Per hop: pitch at the hop's last sample, 0 = unvoiced.
    pub f0_hz: Vec<f32>,
    /// Per hop: 1, or 0 where nobody can say whether the hop is voiced.
    pub voicing_known: Vec<f32>,
}

impl Clip {
    /// Silence.
    pub fn silent(n_hops: usize) -> Self {
        let samples = vec![0.0; n_hops * HOP_SIZE];
        Self { breath: samples.clone(), samples, f0_hz: vec![0.0; n_hops], voicing_known: vec![1.0; n_hops] }
    }

    /// All that sounds.
    pub fn sum(&self) -> Vec<f32> {
        self.samples.iter().zip(&self.breath).map(|(x, b)| x + b).collect()
    }
}

/// Clips side by side; rows are hops.
#[derive(Default)]
pub struct Batch {
    n_clips: usize,
    /// Level-normalised audio, clip after clip.
    samples: Vec<f32>,
    /// One per row; 0 = unvoiced.
    pub f0_hz: Vec<f32>,
    /// One per row: what the row's pitch counts for.
    pub urgency: Vec<f32>,
    voicing_known: Vec<f32>,
    /// `[rows, N_SPECTRUM]`, of the clean clip.
    spectrum: Vec<f32>,
    /// One per row: 1 where the clean clip sounds.
    sounding: Vec<f32>,
    /// `[rows, N_Z]` that are to be kept; empty if z is free.
    z: Vec<f32>,
}

/// Makes batch after batch; the same seed and index give the same batch.
pub struct Batches {
    seed: u64,
    n_clips: usize,
    corpus: Corpus,
    /// Whose z is kept.
    kept: Option<Encoder>,
    augment: Augment,
    spectrum: SpectrumFrames,
}

impl Batches {
    /// Recordings are drawn from `corpus`, which may be empty. An encoder that is improved says which z to keep.
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
            batch.urgency.extend(urgency(&clip.f0_hz));
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

/// What the pitch of each hop counts for: that of notes that have just begun is what a player waits for.
fn urgency(f0_hz: &[f32]) -> Vec<f32> {
    let (mut before, mut since_s) = (0.0, 0.0);
    let weigh = |f0: &f32| {
        let goes_on = before > 0.0 && (f0 / before).log2().abs() < NEW_NOTE;
        since_s = if goes_on { since_s + 1.0 / FRAME_RATE } else { 0.0 };
        before = *f0;
        if since_s < BEGINNING.0 / f0 + BEGINNING.1 { URGENT } else { 1.0 }
    };
    f0_hz.iter().map(weigh).collect()
}

impl Batch {
    /// `[clips, samples, 1]`.
    pub fn input(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.samples, (self.n_clips, CLIP_SAMPLES, 1), device)
    }

    /// `[rows, N_Z]` to keep, if z is not free.
    pub fn kept_z(&self, device: &Device) -> Result<Option<Tensor>> {
        let tensor = || Tensor::from_slice(&self.z, (self.f0_hz.len(), N_Z), device);
        (!self.z.is_empty()).then(tensor).transpose()
    }

    /// `[rows]`: 1 = voiced.
    pub fn voiced(&self, device: &Device) -> Result<Tensor> {
        let voiced: Vec<f32> = self.f0_hz.iter().map(|f| f32::from(*f > 0.0)).collect();
        Tensor::new(voiced, device)
    }

    /// `[rows, 2]`: f0 from -1 to 1 (0 if unvoiced), and voicing.
    pub fn pitch_features(&self, device: &Device) -> Result<Tensor> {
        let features = |f0: &f32| match *f0 > 0.0 {
            true => [2.0 * hz_to_bin(*f0) / N_PITCH_BINS as f32 - 1.0, 1.0],
            false => [0.0, 0.0],
        };
        let rows: Vec<f32> = self.f0_hz.iter().flat_map(features).collect();
        Tensor::from_vec(rows, (self.f0_hz.len(), 2), device)
    }

    /// `[rows]`: 1 where `voiced` is certain.
    pub fn voicing_known(&self, device: &Device) -> Result<Tensor> {
        Tensor::new(self.voicing_known.as_slice(), device)
    }

    /// `[rows, N_SPECTRUM]`.
    pub fn spectrum(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.spectrum, (self.f0_hz.len(), N_SPECTRUM), device)
    }

    /// `[rows, 1]`: 1 where something sounds.
    pub fn sounding(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.sounding, (self.sounding.len(), 1), device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_urgent_for_three_periods() {
        let f0_hz = [[0.0; 3].as_slice(), &[100.0; 12], &[200.0; 8]].concat();
        let urgent: Vec<usize> = (0..f0_hz.len()).filter(|i| f0_hz[*i] > 0.0 && urgency(&f0_hz)[*i] > 1.0).collect();
        // 38 ms from hop 3 on, 23 ms from hop 15 on.
        assert_eq!(urgent, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19, 20]);
    }
}
