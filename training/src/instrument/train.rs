//! The training run of one instrument.

use super::batch::{Batch, Batches};
use super::loss::{regression, spectral};
use super::net::new_params;
use super::performance::Performance;
use crate::checkpoint::write_atomically;
use crate::optimizer::Schedule;
use crate::recordings::prepare_all;
use crate::run::{self, Training};
use anyhow::{Result, ensure};
use embouchure_inference::config::N_Z;
use embouchure_inference::encoder::Encoder;
use embouchure_inference::instrument::{Card, FORMAT};
use embouchure_inference::weights::to_bytes;
use std::path::PathBuf;
use std::sync::Arc;

const PEAK_RATE: f32 = 2e-3;
const WARM_UP: usize = 100;
const MAX_NORM: f32 = 3.0;
const REPORT_EVERY: usize = 50;
/// Sequences per step while controls are compared, and while the sound is, which costs far more.
const CLIPS: (usize, usize) = (16, 6);

/// What to train and where to put it.
pub struct InstrumentTraining {
    /// Recordings of the instrument.
    pub files: Vec<PathBuf>,
    /// The encoder that it will listen to.
    pub encoder: Encoder,
    /// Steps that compare controls, and steps after them that compare the sound.
    pub steps: (usize, usize),
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
    let performances = prepare_all("analysing", &job.files, |path| Performance::analyse(path, &job.encoder))?;
    let card = describe(&performances, Card { encoder_id: job.encoder.id.clone(), ..job.card })?;
    println!(
        "{} recordings, {:.1} minutes, {:.0} to {:.0} Hz",
        performances.len(),
        card.minutes,
        card.f0_range_hz[0],
        card.f0_range_hz[1]
    );
    let params = new_params(job.seed, card.width)?;
    println!("{} weights", params.n_values());
    let training = Training {
        checkpoint: &job.checkpoint,
        schedule: Schedule { peak: PEAK_RATE, warm_up: WARM_UP, total: job.steps.0 + job.steps.1 },
        max_norm: MAX_NORM,
        report_every: REPORT_EVERY,
    };
    let batches = Batches { seed: job.seed, performances: Arc::new(performances), card: card.clone() };
    let warm = job.steps.0;
    let make = move |step: usize| match step < warm {
        true => (true, batches.make(step, CLIPS.0, false)),
        false => (false, batches.make(step, CLIPS.1, true)),
    };
    let loss = |(is_warm_start, batch): &(bool, Batch)| match is_warm_start {
        true => regression(&params, batch),
        false => spectral(&params, batch),
    };
    let progress = run::train(&training, &params, make, loss)?;
    let card = Card { loss: progress.loss, ..card };
    write_atomically(&job.out, &to_bytes(&params.tensors("\0")?, &card, FORMAT)?)?;
    println!("wrote {} after {} steps, loss {:.3}", job.out.display(), progress.step, progress.loss);
    Ok(())
}

/// Fills in what the recordings say.
fn describe(performances: &[Performance], card: Card) -> Result<Card> {
    let pitched = || performances.iter().flat_map(|p| (0..p.len()).filter(|t| p.pitched[*t]).map(move |t| (p, t)));
    let mut f0: Vec<f32> = pitched().map(|(p, t)| p.f0_hz[t]).collect();
    let mut loudness: Vec<f32> = pitched().map(|(p, t)| p.loudness_db[t]).collect();
    ensure!(!f0.is_empty(), "no pitch was found in any of the recordings");
    f0.sort_by(f32::total_cmp);
    loudness.sort_by(f32::total_cmp);
    let (z_mean, z_std) = z_statistics(performances);
    let hops: usize = performances.iter().map(Performance::len).sum();
    Ok(Card {
        minutes: hops as f32 / 250.0 / 60.0,
        f0_range_hz: [percentile(&f0, 5), percentile(&f0, 95)],
        loudness_db: [5, 50, 80, 95].map(|p| percentile(&loudness, p)),
        z_mean,
        z_std,
        ..card
    })
}

fn percentile(sorted: &[f32], p: usize) -> f32 {
    sorted[(sorted.len() - 1) * p / 100]
}

/// Mean and standard deviation of z where a pitch sounds, over all disguises.
fn z_statistics(performances: &[Performance]) -> (Vec<f32>, Vec<f32>) {
    let all = || performances.iter().flat_map(|p| p.heard.iter().flat_map(|d| d.iter().zip(&p.pitched)));
    let hops = || all().filter(|(_, pitched)| **pitched).map(|(hop, _)| &hop.z);
    let n = hops().count().max(1) as f64;
    let mean: Vec<f64> = (0..N_Z).map(|i| hops().map(|z| z[i] as f64).sum::<f64>() / n).collect();
    let deviation = |i: usize| (hops().map(|z| (z[i] as f64 - mean[i]).powi(2)).sum::<f64>() / n).sqrt();
    let std = (0..N_Z).map(|i| deviation(i).max(1e-3) as f32).collect();
    (mean.iter().map(|m| *m as f32).collect(), std)
}
