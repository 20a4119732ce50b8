//! The training run of one instrument.

use super::Without;
use super::batch::{Batch, Batches, Purpose};
use super::loss::{regression, spectral};
use super::material::Material;
use super::net::{as_player, new_params};
use super::performance::Performance;
use crate::analysis::TextureMeasure;
use crate::arrays::arrays;
use crate::checkpoint::write_atomically;
use crate::optimizer::Schedule;
use crate::run::{self, Training, Watch};
use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use embouchure_inference::config::N_Z;
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::nn::weights::to_bytes;
use embouchure_inference::play::instrument::{Card, FORMAT};
use std::path::PathBuf;
use std::sync::Arc;

const PEAK_RATE: f32 = 2e-3;
const WARM_UP: usize = 100;
const MAX_NORM: f32 = 3.0;
const REPORT_EVERY: usize = 50;
/// How much softer than loud notes a hop may be to count for the playable range, dB.
const SOUNDING_DB: f32 = 30.0;
/// Batches of held-out recordings, steps between two looks at them, and looks without progress that end the training.
const JUDGED: usize = 4;
const LOOK_EVERY: usize = 100;
const PATIENCE: usize = 5;
/// Sequences per step while controls are compared, and while the sound is, which costs far more.
pub const CLIPS: (usize, usize) = (16, 6);

/// What to train and where to put it.
pub struct InstrumentTraining {
    /// Recordings of the instrument.
    pub files: Vec<PathBuf>,
    /// The encoder that it will listen to.
    pub encoder: Encoder,
    /// Steps that compare controls, and steps after them that compare the sound.
    pub steps: (usize, usize),
    /// Of several players (named in the files before "__") the one to play as; the one that is heard most if left out.
    pub player: Option<String>,
    /// Left out, to see what it is good for.
    pub without: Without,
    /// Sequences per step while controls are compared, and while the sound is: [`CLIPS`] if nothing else is wanted.
    pub clips: (usize, usize),
    /// Where the networks are trained.
    pub device: Device,
    /// Decides every random draw.
    pub seed: u64,
    /// Resumed from if it exists.
    pub checkpoint: PathBuf,
    /// Weights file to write.
    pub out: PathBuf,
    /// Card of that file; everything measured is filled in.
    pub card: Card,
}

/// Trains until done or interrupted; either way the weights so far are written.
pub fn train(job: InstrumentTraining) -> Result<()> {
    let material = Material::gather(&job)?;
    let player = material.player;
    let card = describe(&material, Card { encoder_id: job.encoder.id.clone(), ..job.card.clone() })?;
    println!(
        "{} recordings, {:.1} minutes, {:.0} to {:.0} Hz",
        material.performances.iter().filter(|p| p.is_original).count(),
        card.minutes,
        card.f0_range_hz[0],
        card.f0_range_hz[1]
    );
    let texture = texture(&material.performances, player)?;
    let params = new_params(job.seed, card.width, material.n_players, &job.device)?;
    println!("{} weights", params.n_values());
    let training = Training {
        checkpoint: &job.checkpoint,
        schedule: Schedule { peak: PEAK_RATE, warm_up: WARM_UP, total: job.steps.0 + job.steps.1 },
        max_norm: MAX_NORM,
        report_every: REPORT_EVERY,
    };
    let (batches, judged) = lessons(material, &job, &card, job.without);
    let warm = if job.without.warm_start { 0 } else { job.steps.0 };
    let (clips, first_clips) = (job.clips.1, job.clips.0);
    let make = move |step: usize| match step < warm {
        true => (true, batches.make(step, first_clips, Purpose::Controls)),
        false => (false, batches.make(step, clips, Purpose::Sound)),
    };
    let loss = |(is_warm_start, batch): &(bool, Batch)| match is_warm_start {
        true => regression(&params, batch),
        false => spectral(&params, batch),
    };
    let held_out_loss = || {
        let losses = judged.iter().map(|batch| spectral(&params, batch)?.0.to_scalar::<f32>());
        Ok(losses.collect::<candle_core::Result<Vec<_>>>()?.iter().sum::<f32>() / judged.len() as f32)
    };
    let watch = Watch { loss: &held_out_loss, from: warm, every: LOOK_EVERY, patience: PATIENCE };
    let progress = run::train(&training, &params, make, loss, (!judged.is_empty()).then_some(watch))?;
    let card = Card { loss: progress.best.map_or(progress.loss, |(loss, _)| loss), ..card };
    let mut tensors = as_player(&params, player, &job.without)?;
    tensors.insert("texture".into(), texture);
    write_atomically(&job.out, &to_bytes(&arrays(&tensors)?, &card, FORMAT)?)?;
    println!("wrote {} after {} steps, loss {:.3}", job.out.display(), progress.step, card.loss);
    Ok(())
}

/// What is learned from, and what of the held-out recordings is judged with: nothing if none was held out.
pub fn lessons(material: Material, job: &InstrumentTraining, card: &Card, without: Without) -> (Batches, Vec<Batch>) {
    let Material { performances, held_out, n_players, .. } = material;
    let loud_db: Vec<f32> = (0..n_players).map(|player| loud_db(&performances, player)).collect();
    let batches = |performances: Vec<Performance>| {
        let (performances, card, loud_db) = (Arc::new(performances), card.clone(), loud_db.clone());
        Batches { seed: job.seed, performances, loud_db, card, without }
    };
    let n_judged = if held_out.is_empty() { 0 } else { JUDGED };
    let judges = batches(held_out);
    let judged = (0..n_judged).map(|i| judges.make(i, job.clips.1, Purpose::HeldOut)).collect();
    (batches(performances), judged)
}

/// Loudness of a player's loud notes, dB.
fn loud_db(performances: &[Performance], player: usize) -> f32 {
    let loudness = loudness(performances, player);
    if loudness.is_empty() { 0.0 } else { percentile(&loudness, 80) }
}

/// Loudness of every hop with a pitch that a player recorded, dB, the softest first.
fn loudness(performances: &[Performance], player: usize) -> Vec<f32> {
    let of_player = performances.iter().filter(|p| p.player == player && p.is_original);
    let pitched = of_player.flat_map(|p| p.loudness_db.iter().zip(&p.pitched).filter(|(_, pitched)| **pitched));
    let mut loudness: Vec<f32> = pitched.map(|(loudness_db, _)| *loudness_db).collect();
    loudness.sort_by(f32::total_cmp);
    loudness
}

/// What the weights file says about the wavering of `player`'s notes.
fn texture(performances: &[Performance], player: usize) -> Result<Tensor> {
    let mut measure = TextureMeasure::default();
    for p in performances.iter().filter(|p| p.player == player && p.is_original) {
        measure.merge(&p.texture);
    }
    Ok(Tensor::new(&measure.deviations(), &Device::Cpu)?)
}

/// Fills in what the recordings say; of the loudness, those of the chosen player.
pub fn describe(material: &Material, card: Card) -> Result<Card> {
    let Material { performances, player, .. } = material;
    let originals = || performances.iter().filter(|p| p.is_original);
    let mut f0: Vec<f32> = originals().flat_map(sounding_f0_hz).collect();
    let loudness = loudness(performances, *player);
    ensure!(!loudness.is_empty(), "no pitch was found in the recordings of the player");
    ensure!(!f0.is_empty(), "no pitch was found in any of the recordings");
    f0.sort_by(f32::total_cmp);
    let (z_mean, z_std) = z_statistics(performances);
    let hops: usize = originals().map(Performance::len).sum();
    Ok(Card {
        minutes: hops as f32 / 250.0 / 60.0,
        f0_range_hz: [percentile(&f0, 5), percentile(&f0, 95)],
        loudness_db: [5, 50, 80, 95].map(|p| percentile(&loudness, p)),
        z_mean,
        z_std,
        ..card
    })
}

/// Pitch of every hop that is not much softer than the recording's loud ones: what is heard in breath and in the end of a
/// room is not the instrument's range.
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

/// Mean and standard deviation of z where a pitch sounds, over all disguises.
fn z_statistics(performances: &[Performance]) -> (Vec<f32>, Vec<f32>) {
    let all = || performances.iter().flat_map(|p| p.heard.iter().flat_map(|d| d.iter().zip(&p.pitched)));
    let hops = || all().filter(|(_, pitched)| **pitched).map(|(hop, _)| &hop.z);
    let n = hops().count().max(1) as f64;
    let mean: Vec<f64> = (0..N_Z).map(|i| hops().map(|z| z[i].to_f64()).sum::<f64>() / n).collect();
    let deviation = |i: usize| (hops().map(|z| (z[i].to_f64() - mean[i]).powi(2)).sum::<f64>() / n).sqrt();
    let std = (0..N_Z).map(|i| deviation(i).max(1e-3) as f32).collect();
    (mean.iter().map(|m| *m as f32).collect(), std)
}
