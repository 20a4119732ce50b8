//! Batches of training and held-out sequences for any training loop, the usual one or an experiment's.

use super::Recipe;
use super::batch::{Batch, Batches, Purpose};
use super::material::Material;
use super::performance::Performance;
use crate::analysis::TextureMeasure;
use crate::progress::Progress;
use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use embouchure_inference::config::{FRAME_RATE, N_Z};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::instrument::Statistics;
use std::path::PathBuf;
use std::sync::Arc;

/// Hops count for the playable range down to this far below the loud notes, dB.
const SOUNDING_DB: f32 = 30.0;
/// Number of held-out batches.
const N_HELD_OUT_BATCHES: usize = 4;

/// Recordings and settings of an instrument's training.
pub struct Study {
    /// Recordings of the instrument.
    pub files: Vec<PathBuf>,
    /// The encoder that the instrument will play with.
    pub encoder: Encoder,
    /// Player to sound like: the part of the file names before "__". `None` chooses the player with the longest
    /// recordings.
    pub player: Option<String>,
    /// How sequences are drawn: [`Recipe::USUAL`], except in experiments.
    pub recipe: Recipe,
    /// Units of each hidden layer of the decoder.
    pub width: usize,
    /// Device that the decoder is trained on.
    pub device: Device,
    /// Seed of all random draws.
    pub seed: u64,
}

/// Batches of the recordings, and measurements of them.
pub struct Lessons {
    /// Number of recordings (or pieces of long ones) that can be used and are not held out.
    pub n_recordings: usize,
    /// Their length, minutes.
    pub minutes: f32,
    /// Statistics of pitch, loudness and z. The loudness is that of the chosen player.
    pub statistics: Statistics,
    /// Index of the chosen player, from 0.
    pub player: usize,
    /// Number of players in the recordings.
    pub n_players: usize,
    /// Texture of the chosen player's notes, in the form of the weights file.
    pub texture: Tensor,
    /// Training batches.
    pub batches: Batches,
    /// Held-out batches; empty if no recording was held out.
    pub judged: Vec<Batch>,
}

impl Lessons {
    /// Analyses the recordings, on all cores. Errors if none can be used, or the player is unknown.
    pub fn gather(study: &Study, progress: &dyn Progress) -> Result<Self> {
        let Material { performances, held_out, player, n_players } = Material::gather(study, progress)?;
        let statistics = statistics(&performances, player)?;
        let loud_db: Vec<f32> = (0..n_players).map(|player| loud_db(&performances, player)).collect();
        let originals = || performances.iter().filter(|p| p.is_original);
        let hops: usize = originals().map(Performance::len).sum();
        let (n_recordings, texture) = (originals().count(), texture(&performances, player)?);
        let batches = |performances: Vec<Performance>| Batches {
            seed: study.seed,
            performances: Arc::new(performances),
            loud_db: loud_db.clone(),
            statistics: statistics.clone(),
            recipe: study.recipe,
        };
        let n_judged = if held_out.is_empty() { 0 } else { N_HELD_OUT_BATCHES };
        let held_out = batches(held_out);
        Ok(Self {
            n_recordings,
            minutes: hops as f32 / FRAME_RATE / 60.0,
            player,
            n_players,
            texture,
            judged: (0..n_judged).map(|i| held_out.make(i, Purpose::HeldOut)).collect(),
            batches: batches(performances),
            statistics,
        })
    }
}

/// Loudness of a player's loud notes (80th percentile), dB; 0 without notes.
fn loud_db(performances: &[Performance], player: usize) -> f32 {
    let loudness = loudness(performances, player);
    if loudness.is_empty() { 0.0 } else { percentile(&loudness, 80) }
}

/// Loudness of every pitched hop in a player's recordings, dB, sorted upwards.
fn loudness(performances: &[Performance], player: usize) -> Vec<f32> {
    let of_player = performances.iter().filter(|p| p.player == player && p.is_original);
    let pitched = of_player.flat_map(|p| p.loudness_db.iter().zip(&p.pitched).filter(|(_, pitched)| **pitched));
    let mut loudness: Vec<f32> = pitched.map(|(loudness_db, _)| *loudness_db).collect();
    loudness.sort_by(f32::total_cmp);
    loudness
}

fn texture(performances: &[Performance], player: usize) -> Result<Tensor> {
    let mut measure = TextureMeasure::default();
    for p in performances.iter().filter(|p| p.player == player && p.is_original) {
        measure.merge(&p.texture);
    }
    Ok(Tensor::new(&measure.deviations(), &Device::Cpu)?)
}

fn statistics(performances: &[Performance], player: usize) -> Result<Statistics> {
    let originals = performances.iter().filter(|p| p.is_original);
    let mut f0: Vec<f32> = originals.flat_map(sounding_f0_hz).collect();
    let loudness = loudness(performances, player);
    ensure!(!loudness.is_empty(), "no pitch was found in the recordings of the player");
    ensure!(!f0.is_empty(), "no pitch was found in any of the recordings");
    f0.sort_by(f32::total_cmp);
    let (z_mean, z_std) = z_statistics(performances);
    Ok(Statistics {
        f0_range_hz: [percentile(&f0, 5), percentile(&f0, 95)],
        loudness_db: [5, 50, 80, 95].map(|p| percentile(&loudness, p)),
        z_mean,
        z_std,
    })
}

/// Pitch of every hop that is not much softer than the recording's loud ones, Hz. Pitches in breath and in the end of a
/// reverberation are not in the instrument's range.
fn sounding_f0_hz(p: &Performance) -> Vec<f32> {
    let pitched = || (0..p.len()).filter(|t| p.pitched[*t]);
    let mut loudness: Vec<f32> = pitched().map(|t| p.loudness_db[t]).collect();
    loudness.sort_by(f32::total_cmp);
    let least_db = if loudness.is_empty() { 0.0 } else { percentile(&loudness, 80) - SOUNDING_DB };
    pitched().filter(|t| p.loudness_db[*t] > least_db).map(|t| p.f0_hz[t]).collect()
}

fn percentile(sorted: &[f32], p: usize) -> f32 {
    sorted[(sorted.len() - 1) * p / 100]
}

/// Mean and standard deviation of each value of z over the pitched hops of all disguises.
fn z_statistics(performances: &[Performance]) -> (Vec<f32>, Vec<f32>) {
    let all = || performances.iter().flat_map(|p| p.heard.iter().flat_map(|d| d.iter().zip(&p.pitched)));
    let hops = || all().filter(|(_, pitched)| **pitched).map(|(hop, _)| &hop.z);
    let n = hops().count().max(1) as f64;
    let mean: Vec<f64> = (0..N_Z).map(|i| hops().map(|z| z[i].to_f64()).sum::<f64>() / n).collect();
    let deviation = |i: usize| (hops().map(|z| (z[i].to_f64() - mean[i]).powi(2)).sum::<f64>() / n).sqrt();
    let std = (0..N_Z).map(|i| deviation(i).max(1e-3) as f32).collect();
    (mean.iter().map(|m| *m as f32).collect(), std)
}
